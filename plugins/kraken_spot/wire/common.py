"""REST answers, field by field as the venue sends them; no meaning is added here.

Money comes as text and becomes an exact Decimal; times are numbers of seconds. Entries of the large maps are read one
by one, so that a bad one spoils no other.
See https://docs.kraken.com/api-reference/market-data/ and /account-data/ and /trading/ beside it
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Envelope(msgspec.Struct):
    """What every answer is wrapped in. On failure there is usually no result."""

    error: list[str]
    result: msgspec.Raw = msgspec.Raw(b"null")


class Asset(msgspec.Struct):
    altname: str
    decimals: int
    status: str = "enabled"


class Pair(msgspec.Struct):
    altname: str
    base: str
    quote: str
    pair_decimals: int
    lot_decimals: int
    cost_decimals: int = 8
    wsname: str | None = None
    ordermin: Decimal | None = None  # these three were added over the years
    costmin: Decimal | None = None
    tick_size: Decimal | None = None
    status: str = "online"
    aclass_base: str = "currency"


class Ticker(msgspec.Struct):
    """Lists hold today's value, then that of the last 24 hours; asks and bids: price, whole lots, volume."""

    a: list[Decimal]
    b: list[Decimal]
    c: list[Decimal]
    v: list[Decimal]
    p: list[Decimal]
    l: list[Decimal]  # noqa: E741 - the venue's name
    h: list[Decimal]


class DepthRow(msgspec.Struct, array_like=True):
    price: Decimal
    volume: Decimal
    time: Decimal


class Depth(msgspec.Struct):
    asks: list[DepthRow]
    bids: list[DepthRow]


class TradeRow(msgspec.Struct, array_like=True):
    price: Decimal
    volume: Decimal
    time: Decimal
    side: str
    type: str
    misc: str
    trade_id: int


class CandleRow(msgspec.Struct, array_like=True):
    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    vwap: Decimal
    volume: Decimal
    count: int


class OrderDescription(msgspec.Struct):
    pair: str
    type: str
    ordertype: str
    price: str = "0"  # may be relative text for stops
    price2: str = "0"
    leverage: str | None = None  # none, or as in 5:1
    order: str = ""


class Order(msgspec.Struct):
    status: str
    descr: OrderDescription
    vol: Decimal
    vol_exec: Decimal
    price: Decimal = Decimal(0)  # the average of the fills; the limit price is in descr
    cost: Decimal | None = None
    fee: Decimal = Decimal(0)
    opentm: Decimal | None = None
    closetm: Decimal | None = None
    cl_ord_id: str | None = None
    reason: str | None = None
    oflags: str = ""
    time_in_force: str | None = None
    stopprice: Decimal | None = None
    limitprice: Decimal | None = None
    trigger: str | None = None
    expiretm: Decimal | None = None
    reduce_only: bool | None = None
    refid: str | None = None
    userref: int | None = None


class OpenOrders(msgspec.Struct):
    open: dict[str, msgspec.Raw]


class ClosedOrders(msgspec.Struct):
    closed: dict[str, msgspec.Raw]


class Balance(msgspec.Struct):
    balance: Decimal
    hold_trade: Decimal = Decimal(0)
    credit: Decimal | None = None
    credit_used: Decimal | None = None


class Trade(msgspec.Struct):
    """One of our own executions."""

    pair: str
    time: Decimal
    type: str
    price: Decimal
    vol: Decimal
    fee: Decimal
    cost: Decimal | None = None
    ordertxid: str | None = None
    maker: bool | None = None


class TradesHistory(msgspec.Struct):
    trades: dict[str, msgspec.Raw]
    count: int | None = None


class Fee(msgspec.Struct):
    fee: Decimal  # percent


class TradeVolume(msgspec.Struct):
    fees: dict[str, Fee] | None = None
    fees_maker: dict[str, Fee] | None = None


class Token(msgspec.Struct):
    token: str
    expires: int = 900

    def __repr__(self) -> str:
        return "<Token>"
