"""Kraken Futures' WebSocket v1 frames, field by field, with no meaning added.

``DATA`` decodes the frames that carry news in one go, told apart by their ``feed``; ``ENVELOPE`` reads as
much of any other frame as is needed to name it. In book messages numbers are kept as their own text (or int):
the book makes exact steps of them. Entries of lists about the account are read one by one.
See https://docs.kraken.com/api/docs/guides/futures-websockets
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from kraken_futures.wire.history import LogRow

# What a datetime can hold, so that looking at a time cannot fail later.
Millis = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
Sequence = Annotated[int, Meta(ge=0)]
Minutes = Annotated[int, Meta(ge=0, le=5_256_000)]


class BookRow(Struct, gc=False):
    price: Any
    qty: Any


class BookDelta(Struct, tag_field="feed", tag="book", gc=False):
    product_id: str
    side: str
    seq: Sequence
    price: Any
    qty: Any
    timestamp: Millis | None = None


class BookSnapshot(Struct, tag_field="feed", tag="book_snapshot"):
    product_id: str
    seq: Sequence
    bids: list[BookRow]
    asks: list[BookRow]
    timestamp: Millis | None = None


class TradeRow(Struct):
    """A trade inside a snapshot."""

    side: str
    time: Millis
    qty: Decimal
    price: Decimal
    seq: Sequence
    uid: str | None = None
    type: str = "fill"


class Trade(TradeRow, tag_field="feed", tag="trade", kw_only=True):
    product_id: str


class TradeSnapshot(Struct, tag_field="feed", tag="trade_snapshot"):
    product_id: str
    trades: list[TradeRow]


class Ticker(Struct, tag_field="feed", tag="ticker"):
    product_id: str
    time: Millis
    tag: str | None = None
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    volume: Decimal | None = None
    mark_price: Decimal | None = msgspec.field(name="markPrice", default=None)
    index: Decimal | None = None
    relative_funding_rate: Decimal | None = None
    relative_funding_rate_prediction: Decimal | None = None
    # Documented as a span of time; it is a moment.
    next_funding_rate_time: Millis | None = None
    open_interest: Decimal | None = msgspec.field(name="openInterest", default=None)
    suspended: bool = False
    post_only: bool = False


class TickerLite(Struct, tag_field="feed", tag="ticker_lite"):
    product_id: str
    bid: Decimal | None = None
    ask: Decimal | None = None
    volume: Decimal | None = None


class OpenOrder(Struct):
    instrument: str
    order_id: str
    direction: int
    qty: Decimal
    filled: Decimal
    last_update_time: Millis | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    type: str | None = None
    cli_ord_id: str | None = None
    reduce_only: bool | None = None
    trigger_signal: str | None = msgspec.field(name="triggerSignal", default=None)
    # An object in what clients print, a list in the documentation.
    trailing_stop_options: Any = None


class OpenOrders(Struct, tag_field="feed", tag="open_orders"):
    is_cancel: bool
    order: OpenOrder | None = None
    order_id: str | None = None
    cli_ord_id: str | None = None
    reason: str | None = None


class OpenOrdersVerbose(OpenOrders, tag_field="feed", tag="open_orders_verbose"):
    pass


class OpenOrdersSnapshot(Struct, tag_field="feed", tag="open_orders_snapshot"):
    orders: list[msgspec.Raw]


class OpenOrdersVerboseSnapshot(OpenOrdersSnapshot, tag_field="feed", tag="open_orders_verbose_snapshot"):
    pass


class FillRow(Struct):
    instrument: str
    time: Millis
    price: Decimal
    qty: Decimal
    buy: bool
    order_id: str
    fill_id: str
    fill_type: str
    cli_ord_id: str | None = None
    seq: Sequence | None = None
    fee_paid: Decimal | None = None
    fee_currency: str | None = None


class Fills(Struct, tag_field="feed", tag="fills"):
    fills: list[msgspec.Raw]


class FillsSnapshot(Fills, tag_field="feed", tag="fills_snapshot"):
    pass


class PositionRow(Struct):
    instrument: str
    balance: Decimal
    entry_price: Decimal
    mark_price: Decimal | None = None
    liquidation_threshold: Decimal | None = None
    initial_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None
    unrealized_funding: Decimal | None = None


class OpenPositions(Struct, tag_field="feed", tag="open_positions"):
    # Required: a frame without it is damaged, it does not mean flat.
    positions: list[msgspec.Raw]


class MarginAccount(Struct):
    unit: str
    pair: str
    balance: Decimal
    available: Decimal | None = None


class FlexCurrency(Struct):
    quantity: Decimal
    available: Decimal | None = None


class FlexFutures(Struct):
    currencies: dict[str, msgspec.Raw] | None = None


class Balances(Struct, tag_field="feed", tag="balances"):
    account: str
    seq: Sequence
    holding: dict[str, msgspec.Raw] | None = None
    futures: dict[str, msgspec.Raw] | None = None
    flex_futures: FlexFutures | None = None


class BalancesSnapshot(Balances, tag_field="feed", tag="balances_snapshot"):
    pass


class AccountLog(Struct, tag_field="feed", tag="account_log"):
    new_entry: LogRow


class AccountLogSnapshot(Struct, tag_field="feed", tag="account_log_snapshot"):
    logs: list[msgspec.Raw]


class NoticeRow(Struct):
    note: str
    id: int | str | None = None
    type: str = ""
    priority: str = ""
    effective_time: Millis | None = None
    expected_downtime_minutes: Minutes | None = None


class Notifications(Struct, tag_field="feed", tag="notifications_auth"):
    notifications: list[msgspec.Raw]


Data = (
    BookDelta
    | BookSnapshot
    | Trade
    | TradeSnapshot
    | Ticker
    | TickerLite
    | OpenOrders
    | OpenOrdersVerbose
    | OpenOrdersSnapshot
    | OpenOrdersVerboseSnapshot
    | Fills
    | FillsSnapshot
    | OpenPositions
    | Balances
    | BalancesSnapshot
    | AccountLog
    | AccountLogSnapshot
    | Notifications
)


class Envelope(Struct):
    """What any frame may have that tells what it is."""

    feed: Any = None
    event: Any = None
    product_id: Any = None
    product_ids: Any = None
    message: Any = None
    seq: Any = None


DATA: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Data, float_hook=str)
ENVELOPE = msgspec.json.Decoder(Envelope)
