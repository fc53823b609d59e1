"""The server side of Kraken Spot's own protocols, on top of any exchange that matches orders.

Simulated
- REST, public: Time, SystemStatus, MaintenanceSchedule (empty), Assets, AssetPairs, Ticker, OHLC, Depth, GroupedBook,
  Trades, Spread, PreTrade, PostTrade.
- REST, account: Balance, BalanceEx, CreditLines (none), TradeBalance, TradeVolume with fee schedules, OpenOrders,
  ClosedOrders, QueryOrders, OrderAmends, OpenPositions, TradesHistory, QueryTrades, Ledgers, QueryLedgers, Level3,
  GetApiKeyInfo, GetWebSocketsToken, AddExport, ExportStatus, RetrieveExport, RemoveExport.
- REST, trading: AddOrder with every ordertype and parameter, AddOrderBatch, AmendOrder, EditOrder, CancelOrder,
  CancelOrderBatch, CancelAll, CancelAllOrdersAfter.
- REST, money: deposit methods, addresses and status; withdraw methods, addresses, info, withdrawals, their status and
  cancel; WalletTransfer, CreateSubaccount, AccountTransfer; Earn strategies, allocations, allocate and deallocate.
- WebSocket v2 on three paths (public, auth, level 3): status, heartbeat, ping, ticker by trades and by best prices,
  trade, book and level3 with checksums, ohlc, instrument, executions, balances; add_order, amend_order, edit_order,
  cancel_order, cancel_all, cancel_all_orders_after, batch_add, batch_cancel.
- Signatures, nonces, permissions, tokens of 15 minutes; pair names in every form that the venue takes; errors as HTTP
  200 with the venue's words.
- With a tier (``KrakenSpot(exchange, tier="pro")``): the limits of calls, of the matching engine by age, of open
  orders, of connections, messages and level 3, and the lockout of who fails too often.

What is not simulated, and what differs from the venue: "What differs from the venue" in ``docs/simulator.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from exchange_core.connector.simulation import SimExchange, SimulatorSpec, WireProtocol
from kraken_spot.simulator.access import PERMISSIONS
from kraken_spot.simulator.clients import clients
from kraken_spot.simulator.markets.listing import Recorded, is_list, joined, recognised, recorded
from kraken_spot.simulator.markets.traded import ASSETS, DEPOSITS, MARKETS, fill_id, order_id, secret, urls
from kraken_spot.simulator.protocol import KrakenSpot

__all__ = ["SIMULATOR", "Recorded", "joined", "listed", "recorded"]


def _limited(exchange: SimExchange, tier: str) -> WireProtocol:
    return KrakenSpot(exchange, tier=tier)


def _listed(answers: Sequence[bytes]) -> SimulatorSpec:
    return listed(recognised(answers))


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
    # The usual one is the widest, so that what is refused is what the venue would refuse anybody.
    tiers=("pro", "intermediate", "starter"),
    limited=_limited,
    permissions=PERMISSIONS,
    clients=clients,
    listed=_listed,
    lists=is_list,
)


def listed(found: Recorded) -> SimulatorSpec:
    """Return the simulated venue with the markets of recorded answers; see :func:`recorded`."""
    codes = {asset.code for asset in found.assets}
    return attrs.evolve(
        SIMULATOR,
        protocol=lambda exchange: KrakenSpot(exchange, listing=found.listing),
        limited=lambda exchange, tier: KrakenSpot(exchange, tier=tier, listing=found.listing),
        markets=found.markets,
        assets=found.assets,
        deposits={code: amount for code, amount in DEPOSITS.items() if code in codes},
        left_out=found.skipped,
    )
