"""The server side of Kraken Futures' own protocols, on top of any exchange that matches orders.

Simulated
- REST v3, public: instruments, instruments/status (all and one), tickers (all and one, indices among them), orderbook,
  history, feeschedules.
- REST v3, private: accounts (flex, one margin account for each inverse pair), openpositions, openorders, fills,
  leveragepreferences, sendorder (lmt, post, ioc, fok, mkt; reduceOnly, cliOrdId, processBefore), cancelorder,
  cancelallorders, orders/status with its memory of five seconds. Signatures, nonces and key levels are checked.
- Charts: tick types, symbols, resolutions, candles.
- History: executions and orders of an account, executions of a market.
- WebSocket v1: info, challenge, ticker, ticker_lite, trade, book with its sequence, heartbeat; fills, open_orders,
  open_orders_verbose, open_positions, balances, account_log, notifications_auth.
- Linear contracts backed by the flex wallet, inverse ones by the wallet of their coin, perpetual and dated.
- A key's permissions are ``FULL_ACCESS`` or ``READ_ONLY``; a key without any has full access.

Not simulated, and refused
- Stop, take-profit and trailing orders; edits, batches, the dead man's switch, transfers, preferences, subaccounts.

Not simulated, and different from the venue
- Funding (rates are zero), indices (they are the mark price, which is the middle of the book), liquidation, expiry,
  open interest (zero), rate limits, isolated margin, the cash wallet (empty).
- Margin is 2 % everywhere; collateral has no haircut. Mark and spot candles are those of the trades.
"""

from __future__ import annotations

from exchange_core.connector.simulation import SimulatorSpec
from kraken_futures.simulator.markets import ASSETS, DEPOSITS, MARKETS, new_uuid, secret, urls
from kraken_futures.simulator.protocol import KrakenFutures

SIMULATOR = SimulatorSpec(
    section="futures",
    protocol=KrakenFutures,
    markets=MARKETS,
    assets=ASSETS,
    deposits=DEPOSITS,
    urls=urls,
    order_id=new_uuid,
    fill_id=new_uuid,
    secret=secret,
)
