"""The server side of Kraken Futures' own protocols, on top of any exchange that matches orders.

Simulated
- REST v3, public: instruments, instruments/status (all and one), tickers (all and one, indices among them), orderbook,
  history, historical-funding-rates (and its older path), feeschedules.
- REST v3, trading: sendorder with every orderType (lmt, post, ioc, fok, mkt, stp, take_profit, trailing_stop) and
  parameter, editorder in both modes, cancelorder, cancelallorders, cancelallordersafter, batchorder, orders/status with
  its memory of five seconds.
- REST v3, account: accounts (cash, flex, one for each inverse coin), openpositions, openorders, fills, unwindqueue,
  trading/instruments, feeschedules/volumes, notifications; leverage, PnL and self-trade preferences; transfer,
  transfer/subaccount, withdrawal, subaccounts, subaccount/.../trading-enabled; assignmentprogram; portfolio-margining.
- The check of keys; signatures, nonces and levels: ``FULL_ACCESS``, ``READ_ONLY``, and ``TRANSFER`` for withdrawals. A
  key without any of these may do everything.
- Charts: tick types, symbols, resolutions, candles, every kind of analytics.
- History, as v3 and v2: executions, orders, triggers, positions, account-log, accountlogcsv, and executions, orders and
  prices of a market, with tokens.
- WebSocket v1: info, challenge, ping, ticker, ticker_lite, trade, book with its sequence, heartbeat; fills,
  open_orders, open_orders_verbose, open_positions, balances, account_log, notifications_auth.
- A multi-collateral wallet of dollars, euros, pounds, stablecoins and the coins that a contract prices: haircuts,
  profit in another currency, conversions, and what of it may leave.
- Hourly funding, liquidation, the end of dated contracts (``FF_XBTUSD_261225`` ends 2026-12-25), as the exchange does
  them; each shows in fills, account log, histories, trades, balances and feeds. The end of a contract is announced a
  week before; ``KrakenFutures.notices.announce`` announces anything.
- With limits (``KrakenFutures(exchange, limited=True)``): 500 units in 10 seconds, the pool of the history service, 100
  requests a second and 100 connections.

What is not simulated, and what differs from the venue: "What differs from the venue" in ``docs/simulator.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from exchange_core.connector.simulation import SimExchange, SimulatorSpec, WireProtocol
from kraken_futures.simulator.access import FULL, READ, WITHDRAW
from kraken_futures.simulator.clients import clients
from kraken_futures.simulator.markets.listing import is_list, recognised
from kraken_futures.simulator.markets.traded import (
    ASSETS,
    COLLATERAL,
    DEPOSITS,
    MARKETS,
    STATUSES,
    new_uuid,
    secret,
    urls,
)
from kraken_futures.simulator.money.collateral import collateral
from kraken_futures.simulator.protocol import KrakenFutures


def _limited(exchange: SimExchange, tier: str) -> WireProtocol:
    """The venue has no tiers: its limits are the same for everyone."""
    return KrakenFutures(exchange, limited=True)


def _listed(answers: Sequence[bytes]) -> SimulatorSpec:
    found = recognised(answers)
    codes = {asset.code for asset in found.assets}
    return attrs.evolve(
        SIMULATOR,
        protocol=lambda exchange: KrakenFutures(exchange, rows=found.rows),
        limited=lambda exchange, tier: KrakenFutures(exchange, limited=True, rows=found.rows),
        markets=found.markets,
        assets=found.assets,
        collateral=collateral(found.markets),
        deposits={code: amount for code, amount in DEPOSITS.items() if code in codes},
        left_out=found.skipped,
    )


SIMULATOR = SimulatorSpec(
    section="futures",
    protocol=KrakenFutures,
    markets=MARKETS,
    assets=ASSETS,
    deposits=DEPOSITS,
    collateral=COLLATERAL,
    urls=urls,
    order_id=new_uuid,
    fill_id=new_uuid,
    secret=secret,
    clients=clients,
    permissions=(FULL, READ, WITHDRAW),
    statuses=STATUSES,
    tiers=("everyone",),
    limited=_limited,
    listed=_listed,
    lists=is_list,
)
