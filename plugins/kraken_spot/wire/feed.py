"""Frames of WebSocket v2, field by field as the venue sends them; no meaning is added here.

Book numbers keep their own text (``Any`` with ``float_hook=str``), everything else is an exact Decimal.
See https://docs.kraken.com/exchange/guides/websockets/introduction
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec


class Level(msgspec.Struct, gc=False):
    price: Any
    qty: Any


class BookData(msgspec.Struct, gc=False):
    symbol: str
    bids: list[Level]
    asks: list[Level]
    checksum: int
    timestamp: str | None = None


class Book(msgspec.Struct, gc=False, tag_field="channel", tag="book"):
    type: str
    data: list[BookData]


class OrderData(msgspec.Struct, gc=False):
    """One order of a book by order; in an update with what happened to it."""

    order_id: str
    price: Any = msgspec.field(name="limit_price")
    timestamp: str
    qty: Any = msgspec.field(name="order_qty", default=0)  # not told of every one that is deleted
    event: str | None = None


class OrdersData(msgspec.Struct, gc=False):
    symbol: str
    bids: list[OrderData]
    asks: list[OrderData]
    checksum: int
    timestamp: str | None = None


class Orders(msgspec.Struct, gc=False, tag_field="channel", tag="level3"):
    type: str
    data: list[OrdersData]


class TickerData(msgspec.Struct):
    symbol: str
    bid: Decimal | None = None
    bid_qty: Decimal | None = None
    ask: Decimal | None = None
    ask_qty: Decimal | None = None
    last: Decimal | None = None
    volume: Decimal | None = None
    vwap: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    timestamp: str | None = None


class Ticker(msgspec.Struct, tag_field="channel", tag="ticker"):
    data: list[TickerData]
    type: str = ""


class TradeData(msgspec.Struct):
    symbol: str
    side: str
    price: Decimal
    qty: Decimal
    trade_id: int
    timestamp: str


class Trade(msgspec.Struct, tag_field="channel", tag="trade"):
    type: str
    data: list[TradeData]


class CandleData(msgspec.Struct):
    symbol: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    interval_begin: str
    interval: int
    vwap: Decimal | None = None
    trades: Decimal | None = None  # a float in the schema, an int on the wire


class Candle(msgspec.Struct, tag_field="channel", tag="ohlc"):
    type: str
    data: list[CandleData]
    timestamp: str | None = None  # when the message was made; that of an entry is the end of its bar


class Pair(msgspec.Struct):
    symbol: str
    base: str
    quote: str
    status: str
    qty_precision: int
    qty_increment: Decimal
    price_precision: int
    price_increment: Decimal
    qty_min: Decimal
    cost_min: Decimal | None = None


class InstrumentData(msgspec.Struct):
    pairs: list[msgspec.Raw] = []  # each is read by itself, so that one bad entry spoils no other


class Instrument(msgspec.Struct, tag_field="channel", tag="instrument"):
    data: InstrumentData
    type: str = ""


class StatusData(msgspec.Struct):
    system: str


class Status(msgspec.Struct, tag_field="channel", tag="status"):
    data: list[StatusData]


class Heartbeat(msgspec.Struct, tag_field="channel", tag="heartbeat"):
    pass


class FeeData(msgspec.Struct):
    asset: str
    qty: Decimal


class Triggers(msgspec.Struct):
    """What sets an order off; which of these come with it depends on how it was ordered."""

    reference: str | None = None
    price: Decimal | None = None
    price_type: str | None = None
    actual_price: Decimal | None = None
    status: str | None = None


class Execution(msgspec.Struct):
    order_id: str
    exec_type: str
    order_status: str
    timestamp: str
    cl_ord_id: str | None = None
    order_userref: int | None = None
    symbol: str | None = None
    side: str | None = None
    order_type: str | None = None
    order_qty: Decimal | None = None
    cash_order_qty: Decimal | None = None
    limit_price: Decimal | None = None
    limit_price_type: str | None = None
    display_qty: Decimal | None = None
    triggers: Triggers | None = None
    time_in_force: str | None = None
    expire_time: str | None = None
    post_only: bool | None = None
    reduce_only: bool | None = None
    cum_qty: Decimal | None = None
    cum_cost: Decimal | None = None
    avg_price: Decimal | None = None
    exec_id: str | None = None
    last_qty: Decimal | None = None
    last_price: Decimal | None = None
    cost: Decimal | None = None
    liquidity_ind: str | None = None
    fees: list[FeeData] | None = None
    reason: str | None = None
    ord_ref_id: str | None = None
    liquidated: bool | None = None
    position_status: str | None = None
    # Open point: which of these names the pair's counter has, and whether it is a number or a text.
    ratecounter: Any = None
    ratecount: Any = None
    rate_count: Any = None


class Executions(msgspec.Struct, tag_field="channel", tag="executions"):
    type: str
    data: list[msgspec.Raw]  # each is read by itself: a bad entry must not cost the fills beside it
    sequence: int | None = None


class Wallet(msgspec.Struct):
    type: str
    balance: Decimal
    id: str = ""


class BalanceData(msgspec.Struct):
    """An asset's total in a snapshot, one ledger entry in an update."""

    asset: str
    balance: Decimal
    wallets: list[Wallet] = []
    ledger_id: str | None = None
    wallet_type: str | None = None
    ref_id: str | None = None
    timestamp: str | None = None
    type: str = "none"
    subtype: str | None = None
    asset_class: str = "currency"
    amount: Decimal | None = None
    fee: Decimal = Decimal(0)


class Balances(msgspec.Struct, tag_field="channel", tag="balances"):
    type: str
    data: list[BalanceData]
    sequence: int | None = None


Message = Book | Ticker | Trade | Candle | Instrument | Status | Heartbeat | Orders | Executions | Balances
"""Everything that is pushed on a channel."""


class Response(msgspec.Struct):
    """The answer to a request. Refusals have no result; the symbol they are about stands at the top."""

    method: str
    success: bool | None = None
    result: Any = None
    error: str | None = None
    req_id: int | None = None
    symbol: str | None = None
    channel: str | None = None
    orders_cancelled: int | None = None
    time_out: Any = None


class SubscribeResult(msgspec.Struct):
    """What a subscription's acknowledgement says of it."""

    channel: str
    symbol: str | None = None
    depth: int | None = None
    interval: int | None = None
    event_trigger: str | None = None
    maxratecount: Any = None
