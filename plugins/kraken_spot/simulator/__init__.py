"""The server side of Kraken Spot's own protocols, on top of any exchange that matches orders.

Simulated
- REST, public: Time, SystemStatus, Assets, AssetPairs, Ticker, OHLC, Depth, Trades, Spread.
- REST, private: Balance, BalanceEx, TradeBalance, TradeVolume, OpenOrders, ClosedOrders, QueryOrders, TradesHistory,
  QueryTrades, Ledgers, QueryLedgers, AddOrder (market and limit; post, IOC, FOK; validate, deadline, cl_ord_id,
  userref), CancelOrder, CancelAll, GetWebSocketsToken. Signatures, nonces and permissions are checked.
- WebSocket v2 on three paths (public, auth, level 3): status, heartbeat, ping, ticker, trade, book with checksums,
  ohlc, instrument, executions, balances, add_order, cancel_order, cancel_all.
- Pair names in every form that the venue takes; errors as HTTP 200 with the venue's words; tokens of 15 minutes.

Not simulated, and refused by name
- Triggered, iceberg, scheduled and conditional orders; margin; relative prices; sizes in quote currency.
- Batches, amends, edits, the dead man's switch, funding, earn, subaccounts, exports, level 3.

Not simulated, and different from the venue
- Rate limits, lockouts, the nonce window, one-time passwords, idle time-outs of connections.
- Fills are never merged (``consolidate_taker`` has no effect), and fees are always in the quote currency.
"""

from __future__ import annotations

from exchange_core.connector.simulation import SimulatorSpec
from kraken_spot.simulator.markets import ASSETS, DEPOSITS, MARKETS, fill_id, order_id, secret, urls
from kraken_spot.simulator.protocol import KrakenSpot

SIMULATOR = SimulatorSpec(
    section="spot",
    protocol=KrakenSpot,
    markets=MARKETS,
    assets=ASSETS,
    deposits=DEPOSITS,
    urls=urls,
    order_id=order_id,
    fill_id=fill_id,
    secret=secret,
)
