"""Kraken Futures' REST answers, field by field, with no meaning added.

Numbers stay exact Decimals; only fields that are read are listed. Lists that an answer must have are
required: a success without its list is an outage, never "nothing". Their entries are read one by one.
See https://docs.kraken.com/api/docs/futures-api/trading/get-instruments and the pages beside it
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

# What a datetime can hold.
Millis = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]


class Instruments(Struct):
    instruments: list[msgspec.Raw]


class InstrumentName(Struct):
    symbol: str


class Instrument(Struct, rename="camel"):
    symbol: str
    type: str
    tick_size: Decimal
    tradeable: bool
    contract_size: Decimal = Decimal(1)
    contract_value_trade_precision: int | None = None
    base: str | None = None
    quote: str | None = None
    pair: str | None = None
    underlying: str | None = None
    last_trading_time: str | None = None
    is_expired: bool = False
    post_only: bool = False


class Ticker(Struct, rename="camel"):
    symbol: str
    tag: str | None = None
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    low24h: Decimal | None = None
    high24h: Decimal | None = None
    vol24h: Decimal | None = None
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    funding_rate: Decimal | None = None
    funding_rate_prediction: Decimal | None = None
    open_interest: Decimal | None = None
    suspended: bool = False


class Tickers(Struct, rename="camel"):
    tickers: list[msgspec.Raw]
    server_time: str | None = None


class OrderBookSides(Struct):
    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]


class OrderBook(Struct, rename="camel"):
    order_book: OrderBookSides
    server_time: str | None = None


class HistoryTrade(Struct):
    time: str
    price: Decimal
    size: Decimal
    side: str
    uid: str
    type: str = "fill"


class History(Struct):
    history: list[msgspec.Raw]


class Candle(Struct):
    time: Millis
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Candles(Struct):
    candles: list[msgspec.Raw]
    more_candles: bool = False


class OrderInEvent(Struct, rename="camel"):
    order_id: str | None = None
    cli_ord_id: str | None = None
    quantity: Decimal | None = None
    filled: Decimal | None = None


class OrderEvent(Struct, rename="camel"):
    type: str
    order: OrderInEvent | None = None
    order_trigger: Any = None
    order_prior_execution: OrderInEvent | None = None
    execution_id: str | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    taker_reduced_quantity: Decimal | None = None
    reason: str | None = None


class SendStatus(Struct):
    status: str
    order_id: str | None = None
    received_time: str | None = field(name="receivedTime", default=None)
    order_events: list[OrderEvent] | None = field(name="orderEvents", default=None)


class SendOrder(Struct):
    send_status: SendStatus = field(name="sendStatus")


class CancelStatus(Struct):
    status: str
    order_id: str | None = None
    order_events: list[OrderEvent] | None = field(name="orderEvents", default=None)


class CancelOrder(Struct):
    cancel_status: CancelStatus = field(name="cancelStatus")


class OpenOrder(Struct):
    order_id: str
    symbol: str
    side: str
    order_type: str = field(name="orderType")
    cli_ord_id: str | None = field(name="cliOrdId", default=None)
    limit_price: Decimal | None = field(name="limitPrice", default=None)
    stop_price: Decimal | None = field(name="stopPrice", default=None)
    unfilled_size: Decimal | None = field(name="unfilledSize", default=None)
    filled_size: Decimal = field(name="filledSize", default=Decimal(0))
    reduce_only: bool = field(name="reduceOnly", default=False)
    trigger_signal: str | None = field(name="triggerSignal", default=None)
    received_time: str | None = field(name="receivedTime", default=None)
    last_update_time: str | None = field(name="lastUpdateTime", default=None)


class OpenOrders(Struct, rename="camel"):
    open_orders: list[msgspec.Raw]


class PriceTrigger(Struct, rename="camel"):
    trigger_price: Decimal | None = None
    trailing_stop_options: Any = None


class StatusOrder(Struct, rename="camel"):
    type: str | None = None
    order_id: str | None = None
    cli_ord_id: str | None = None
    quantity: Decimal | None = None
    filled: Decimal | None = None
    limit_price: Decimal | None = None
    price_trigger_options: PriceTrigger | None = None
    timestamp: str | None = None
    last_update_timestamp: str | None = None


class StatusEntry(Struct, rename="camel"):
    order: StatusOrder
    status: str
    update_reason: str | None = None
    error: str | None = None


class OrdersStatus(Struct):
    # Documented: unknown ids are missing, and with them the whole list.
    orders: list[StatusEntry] = []


class RestFill(Struct):
    fill_id: str
    order_id: str
    symbol: str
    side: str
    size: Decimal
    price: Decimal
    fill_time: str = field(name="fillTime")
    fill_type: str = field(name="fillType")
    cli_ord_id: str | None = field(name="cliOrdId", default=None)


class Fills(Struct):
    fills: list[msgspec.Raw]


class OpenPosition(Struct):
    symbol: str
    side: str
    size: Decimal
    price: Decimal
    unrealized_funding: Decimal | None = field(name="unrealizedFunding", default=None)


class OpenPositions(Struct, rename="camel"):
    open_positions: list[msgspec.Raw]


class FlexCurrency(Struct):
    quantity: Decimal
    available: Decimal | None = None


class Auxiliary(Struct):
    af: Decimal | None = None


class Account(Struct):
    """A wallet of any type; each type has its own fields of these."""

    type: str
    balances: dict[str, msgspec.Raw] | None = None
    currency: str | None = None
    auxiliary: Auxiliary | None = None
    currencies: dict[str, msgspec.Raw] | None = None


class Accounts(Struct):
    accounts: dict[str, msgspec.Raw]


class HistoryElement(Struct):
    uid: str
    timestamp: Millis
    event: dict[str, Any]


class HistoryPage(Struct, rename="camel"):
    elements: list[msgspec.Raw]
    continuation_token: str | None = None
