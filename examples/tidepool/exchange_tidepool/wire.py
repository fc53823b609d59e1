"""Tidepool's JSON, field by field, without added meaning. Numbers are text, times are epoch milliseconds."""

from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from exchange_core.errors import ProtocolError

# Text that Decimal takes, and times that datetime takes: the rooms behind this one need not doubt them.
Number = Annotated[str, Meta(pattern=r"^-?[0-9]{1,20}(\.[0-9]{1,20})?$")]
Millis = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]

Side = Literal["buy", "sell"]
How = Literal["rest", "post", "now", "market"]
State = Literal["resting", "part", "done", "pulled", "lapsed"]


class Coin(Struct):
    name: str
    decimals: int


class Market(Struct):
    name: str
    base: str
    quote: str
    tick: Number
    lot: Number
    least: Number
    maker: Number
    taker: Number
    open: bool


class Markets(Struct):
    coins: list[Coin]
    markets: list[Market]


class Row(Struct, array_like=True):
    """A level. Its numbers stay text: their digits are what the check is made of."""

    price: str
    qty: str


class Levels(Struct):
    bids: list[Row]
    asks: list[Row]


class Trade(Struct):
    id: int
    side: Side
    price: Number
    qty: Number
    at: Millis


class NewOrder(Struct):
    market: str
    side: Side
    how: How
    qty: Number
    ref: str
    price: Number | None = None
    until: Millis | None = None


class Order(Struct):
    id: str
    ref: str
    market: str
    side: Side
    how: How
    qty: Number
    price: Number | None
    done: Number
    avg: Number | None
    state: State
    why: str
    at: Millis


class Fill(Struct):
    id: str
    order: str
    ref: str
    market: str
    side: Side
    price: Number
    qty: Number
    fee: Number
    coin: str
    maker: bool
    at: Millis


class Balance(Struct):
    coin: str
    total: Number
    held: Number


class Refusal(Struct):
    """The body of every answer that is not 200."""

    code: str
    text: str


class Request(Struct, omit_defaults=True):
    """What a client says over the WebSocket."""

    op: Literal["auth", "sub", "unsub"]
    ch: str = ""
    key: str = ""
    sign: str = ""


class Hello(Struct, tag_field="on", tag="hello"):
    challenge: str


class Beat(Struct, tag_field="on", tag="beat"):
    at: Millis


class Yes(Struct, tag_field="on", tag="yes"):
    ch: str


class No(Struct, tag_field="on", tag="no"):
    ch: str
    code: str
    text: str


class News(Struct):
    """What all channels have in common: *full* comes first and has *seq* 0."""

    ch: str
    seq: int
    full: bool


class BookNews(News, tag_field="on", tag="book"):
    bids: list[Row]
    asks: list[Row]
    check: int
    at: Millis


class TradeNews(News, tag_field="on", tag="trades"):
    trades: list[Trade]


class OrderNews(News, tag_field="on", tag="orders"):
    orders: list[Order]


class FillNews(News, tag_field="on", tag="fills"):
    fills: list[Fill]


class BalanceNews(News, tag_field="on", tag="balances"):
    balances: list[Balance]


Message = BookNews | TradeNews | OrderNews | FillNews | BalanceNews
Frame = Hello | Beat | Yes | No | Message
KINDS = frozenset({"hello", "beat", "yes", "no", "book", "trades", "orders", "fills", "balances"})


class Tag(Struct):
    """What can be read of any frame."""

    on: str


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def read(text: bytes | str, kind: Any) -> Any:
    """Read *text* as *kind*; raise ProtocolError, and nothing else, for what does not fit."""
    try:
        return _decoder(kind).decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"does not read as documented: {error}") from error


def write(value: Any) -> str:
    return msgspec.json.encode(value).decode()
