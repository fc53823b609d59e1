"""What Kraken Spot is known to send over REST: the fields that are read, those that are known and not read, the words.

Held against what comes, so that what is new shows. Fields are from the pages of the venue and from recorded answers.
See https://docs.kraken.com/api-reference/market-data/ and /account-data/ and /trading/ beside it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange_core.connector.drift import Documented
from exchange_core.connector.shapes import ANYTHING, Each, Either, Record, Row, Shape, Tell, record, words
from kraken_spot import errors, naming
from kraken_spot.documented import feed as documented_feed
from kraken_spot.parse import common as parse
from kraken_spot.types.account import Permission, ReportStatus
from kraken_spot.types.earn import LockType
from kraken_spot.types.funding import StatusDetail, TransactionStatus
from kraken_spot.types.history import AmendType, LedgerType, RecordStatus, SpotOrderType
from kraken_spot.types.listings import ExecutionVenue
from kraken_spot.types.market import MaintenancePhase, RecommendedAction, SystemState
from kraken_spot.wire import account as wire_account
from kraken_spot.wire import common as wire
from kraken_spot.wire import earn as wire_earn
from kraken_spot.wire import funding as wire_funding
from kraken_spot.wire import history as wire_history
from kraken_spot.wire import market as wire_market
from kraken_spot.wire import trading as wire_trading

CLASSES = words("currency tokenized_asset")
SIDES = words(parse.SIDES)
# Old answers write these with a blank.
TYPES = words(SpotOrderType, (kind.replace("-", " ") for kind in SpotOrderType))
FLAGS = words("post fcib fciq nompp viqc", is_list=True)
TIMES = words("gtc ioc gtd fok")

ASSET = record(
    wire.Asset,
    wire_market.AssetDetails,
    aclass=CLASSES,
    status=words(naming.ASSET_STATUSES),
)
PAIR = record(
    wire.Pair,
    wire_market.PairDetails,
    also="lot lot_multiplier",
    aclass_base=CLASSES,
    aclass_quote=CLASSES,
    status=words(naming.STATUSES, naming.CLOSED),
    execution_venue=words(ExecutionVenue),
)
DESCRIPTION = record(wire.OrderDescription, wire_history.OrderDescription, type_=SIDES, ordertype=TYPES)
ORDER = record(
    wire.Order,
    wire_history.Order,
    descr=DESCRIPTION,
    status=words(RecordStatus),
    oflags=FLAGS,
    misc=words("stopped touched liquidated partial amended", is_list=True),
    time_in_force=TIMES,
    trigger=words("last index"),
)
TRADE = record(
    wire.Trade,
    wire_history.Trade,
    also="tradeordertype",
    type_=SIDES,
    ordertype=TYPES,
    misc=words("closing", is_list=True),
    posstatus=words("open closed"),
)
LEDGER = record(wire_history.LedgerEntry, type_=words(LedgerType))
POSITION = record(wire_account.Position, type_=SIDES, ordertype=TYPES, posstatus=words("open closed"), oflags=FLAGS)
FEE = record(
    wire_account.FeeTier,
    wire.Fee,
    also="min_fee max_fee next_fee tier_volume next_volume tier_futures_volume next_futures_volume volume_offset",
)
KEY = record(
    wire_account.ApiKeyInfo,
    also="api_key_name api_key nonce_window valid_until query_from query_to created_time modified_time last_used"
    " ip_allowlist apiKeyName apiKey nonceWindow validUntil queryFrom queryTo createdTime modifiedTime lastUsed"
    " ipAllowlist",
    permissions=Each(words(Permission)),
)
MAINTENANCE = record(
    wire_market.Maintenance, phase=words(MaintenancePhase), recommended_action=words(RecommendedAction)
)
TRANSACTION = record(wire_funding.Transaction, status=words(TransactionStatus), status_prop=words(StatusDetail))
TRANSACTIONS = Either(
    Record(frozenset({"deposit", "deposits", "withdrawal", "withdrawals", "cursor", "next_cursor"}), {}),
    Each(TRANSACTION),
)
STRATEGY = record(
    wire_earn.Strategy,
    lock_type=record(wire_earn.LockType, also="bonding_period_variable", type_=words(LockType)),
)


class Flag:
    """Yes or no, and nothing with it."""

    def look(self, value: Any, where: str, tell: Tell) -> None:
        if value is not None and not isinstance(value, bool):
            tell("kind", where, value)


FLAG = Flag()


class Series:
    """Rows under the name of their pair, with ``last`` beside them, which is a text or a number."""

    def __init__(self, row: Shape) -> None:
        self._rows = Each(row)

    def look(self, value: Any, where: str, tell: Tell) -> None:
        for name, part in value.items() if isinstance(value, dict) else ():
            if isinstance(part, list):
                self._rows.look(part, f"{where}.*", tell)
            elif name != "last":
                tell("field", f"{where}.{name}", part)


_ORDERS = Each(ORDER)
_TRADES = Each(TRADE)
_LEDGERS = Each(LEDGER)

_NOTATION = "base_asset base_notation quote_asset quote_notation"

RESULTS: dict[str, Shape] = {
    "public/Time": record(wire_market.Time, also="rfc1123"),
    "public/SystemStatus": record(
        wire_market.SystemStatus,
        status=words(SystemState),
        upcoming_maintenance=Each(MAINTENANCE),
        emergency=ANYTHING,
    ),
    "public/MaintenanceSchedule": record(wire_market.Schedule, events=Each(MAINTENANCE)),
    "public/Assets": Each(ASSET),
    "public/AssetPairs": Each(PAIR),
    "public/Ticker": Each(record(wire_market.TickerDetails)),
    "public/Depth": Each(record(wire.Depth)),
    "public/Trades": Series(Row(7, {3: SIDES, 4: words("m l")})),
    "public/OHLC": Series(Row(8)),
    "public/Spread": Series(Row(3)),
    "public/GroupedBook": record(wire_market.GroupedBook),
    "public/PreTrade": record(
        wire_market.PreTrade,
        also=f"symbol description {_NOTATION}",
        bids=Each(record(wire_market.PreTradeLevel, also="side")),
        asks=Each(record(wire_market.PreTradeLevel, also="side")),
    ),
    "public/PostTrade": record(
        wire_market.PostTrade, trades=Each(record(wire_market.PostTradeRow, also=f"description {_NOTATION}"))
    ),
    "private/Level3": record(wire_market.Level3, also="pair"),
    "private/Balance": Each(ANYTHING),
    "private/CreditLines": ANYTHING,  # open point: which fields it has
    "private/GetApiKeyInfo": KEY,
    "private/BalanceEx": Each(record(wire.Balance)),
    "private/TradeBalance": record(wire_account.TradeBalance),
    "private/OpenOrders": record(wire.OpenOrders, wire_history.Orders, open=_ORDERS, closed=_ORDERS),
    "private/ClosedOrders": record(wire.ClosedOrders, wire_history.Orders, open=_ORDERS, closed=_ORDERS),
    "private/QueryOrders": _ORDERS,
    "private/TradesHistory": record(wire.TradesHistory, wire_history.Trades, trades=_TRADES),
    "private/QueryTrades": _TRADES,
    "private/OpenPositions": Each(POSITION),
    "private/Ledgers": record(wire_history.Ledgers, ledger=_LEDGERS),
    "private/QueryLedgers": _LEDGERS,
    "private/OrderAmends": record(
        wire_history.Amends, amends=Each(record(wire_history.Amend, amend_type=words(AmendType)))
    ),
    "private/TradeVolume": record(
        wire_account.TradeVolume,
        fees=Each(FEE),
        fees_maker=Each(FEE),
        schedules=Each(record(wire_account.Schedule)),
    ),
    "private/AddExport": record(wire_account.ExportId),
    "private/RetrieveExport": ANYTHING,  # an archive
    "private/RemoveExport": record(wire_account.ExportRemoved),
    "private/ExportStatus": Each(record(wire_account.Export, status=words(ReportStatus, folded=True))),
    "private/DepositMethods": Each(record(wire_funding.DepositMethod)),
    "private/DepositAddresses": Each(record(wire_funding.DepositAddress)),
    "private/DepositStatus": TRANSACTIONS,
    "private/WithdrawStatus": TRANSACTIONS,
    "private/WithdrawMethods": Each(record(wire_funding.WithdrawMethod)),
    "private/WithdrawAddresses": Each(record(wire_funding.WithdrawAddress, also="tag")),
    "private/WithdrawInfo": record(wire_funding.WithdrawInfo),
    "private/Withdraw": record(wire_funding.Reference),
    "private/WithdrawCancel": FLAG,
    "private/WalletTransfer": record(wire_funding.Reference),
    "private/CreateSubaccount": FLAG,
    "private/AccountTransfer": record(wire_funding.AccountTransfer, status=words("pending complete")),
    "private/Earn/Allocate": FLAG,
    "private/Earn/Deallocate": FLAG,
    "private/Earn/AllocateStatus": Either(record(wire_earn.Status), FLAG),
    "private/Earn/DeallocateStatus": Either(record(wire_earn.Status), FLAG),
    "private/Earn/Strategies": record(wire_earn.Strategies, items=Each(STRATEGY)),
    "private/Earn/Allocations": record(wire_earn.Allocations, items=Each(record(wire_earn.Allocation))),
    "private/GetWebSocketsToken": record(wire.Token),
    "private/AddOrder": record(wire_trading.Added, also="cl_ord_id"),
    "private/AddOrderBatch": record(wire_trading.Batch),
    "private/AmendOrder": record(wire_trading.Amended),
    "private/EditOrder": record(
        wire_trading.Edited, also="newuserref olduserref leverage oflags", status=words("ok err", folded=True)
    ),
    "private/CancelOrder": record(wire_trading.Canceled),
    "private/CancelAll": record(wire_trading.Canceled),
    "private/CancelOrderBatch": record(wire_trading.Canceled),
    "private/CancelAllOrdersAfter": record(wire_trading.CancelAllAfter),
}


def unwrap(answer: Any) -> tuple[Any, Sequence[str]]:
    """Return the result of an answer, and its codes."""
    if not isinstance(answer, dict):
        return None, ()
    codes = answer.get("error")
    return answer.get("result"), [str(code) for code in codes] if isinstance(codes, list) else ()


DOCUMENTED = Documented(
    answers={f"/0/{path}": shape for path, shape in RESULTS.items()},
    frame=documented_feed.frame,
    unwrap=unwrap,
    knows=errors.is_known,
)
