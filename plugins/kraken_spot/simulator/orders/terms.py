"""An order as Kraken means it, whichever way it came, and the exchange's request that it becomes.

What contradicts itself is refused here, in the venue's words, before the exchange sees it.
See https://docs.kraken.com/api-reference/trading/add-order
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.connector.simulation import SimClose, SimRequest
from exchange_core.model.side import Side
from exchange_core.model.terms import OrderType, SelfTrade, TimeInForce, TriggerBy
from kraken_spot.simulator.codec import Refused, invalid
from kraken_spot.simulator.markets.names import Pair
from kraken_spot.simulator.orders.prices import Quoted

SETTLE = "settle-position"
ICEBERG = "iceberg"
TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    ICEBERG: OrderType.LIMIT,
    "stop-loss": OrderType.STOP,
    "take-profit": OrderType.TAKE_PROFIT,
    "stop-loss-limit": OrderType.STOP_LIMIT,
    "take-profit-limit": OrderType.TAKE_PROFIT_LIMIT,
    "trailing-stop": OrderType.TRAILING_STOP,
    "trailing-stop-limit": OrderType.TRAILING_STOP_LIMIT,
    SETTLE: OrderType.MARKET,
}
WORDS = {kind: word for word, kind in TYPES.items() if word not in (ICEBERG, SETTLE)}
FLAGS = frozenset({"post", "fcib", "fciq", "viqc", "nompp"})
SELF_TRADES = {
    "cancel-newest": SelfTrade.CANCEL_NEWEST,
    "cancel-oldest": SelfTrade.CANCEL_OLDEST,
    "cancel-both": SelfTrade.CANCEL_BOTH,
}
_BAD_PRICE = "EOrder:Invalid price"
_SOONEST_END, _LATEST_END = timedelta(seconds=5), timedelta(days=31)
_SMALLEST_SHOWN = 15


@attrs.frozen(kw_only=True)
class CloseTerms:
    """What every fill shall make; prices as in :class:`Terms`."""

    ordertype: str
    price: Quoted | None = None
    price2: Quoted | None = None


@attrs.frozen(kw_only=True)
class Terms:
    """What a client asked for.

    Attributes:
        ordertype: The venue's word.
        price: The limit of what rests at once; of what is triggered, the trigger or how far it trails.
        price2: The limit of what is triggered.
    """

    pair: Pair
    side: Side
    ordertype: str
    volume: Decimal
    price: Quoted | None = None
    price2: Quoted | None = None
    trigger: TriggerBy | None = None
    display: Decimal | None = None
    leverage: int | None = None
    reduce_only: bool = False
    self_trade: SelfTrade | None = None
    flags: frozenset[str] = frozenset()
    tif: TimeInForce = TimeInForce.GTC
    starts: datetime | None = None
    expires: datetime | None = None
    deadline: datetime | None = None
    client_id: str | None = None
    reference: int | None = None
    close: CloseTerms | None = None

    @property
    def kind(self) -> OrderType:
        return TYPES[self.ordertype]


def to_request(terms: Terms, now: datetime, last: Decimal) -> SimRequest:
    """Return the exchange's request.

    Args:
        last: The last traded price, which distances count from.

    Raises:
        Refused: The terms contradict each other.
    """
    _check_flags(terms)
    _check_leverage(terms)
    _check_times(terms, now)
    _check_trigger(terms)
    tif = terms.tif
    if terms.expires is not None:
        tif = TimeInForce.GTD
    echo: dict[str, Any] = {"ordertype": terms.ordertype} if terms.ordertype == SETTLE else {}
    return SimRequest(
        symbol=terms.pair.symbol,
        side=terms.side,
        type=terms.kind,
        quantity=terms.volume,
        **_prices(terms.ordertype, terms.price, terms.price2, terms.pair, terms.side, last),
        time_in_force=tif,
        post_only="post" in terms.flags,
        reduce_only=terms.reduce_only or terms.ordertype == SETTLE,
        trigger_by=terms.trigger if terms.kind.is_triggered else None,
        display_quantity=_shown(terms),
        starts=terms.starts,
        expires=terms.expires,
        leverage=terms.leverage,
        self_trade=terms.self_trade,
        close=None if terms.close is None else _close(terms.close, terms.pair, terms.side, last),
        fee_in_base=True if "fcib" in terms.flags else False if "fciq" in terms.flags else None,
        quantity_in_quote="viqc" in terms.flags,
        client_order_id=terms.client_id,
        user_ref=terms.reference,
        deadline=terms.deadline,
        echo=echo,
    )


def _prices(
    ordertype: str, price: Quoted | None, price2: Quoted | None, pair: Pair, side: Side, last: Decimal, at: str = ""
) -> dict[str, Any]:
    """Return the request's fields for the prices of an order, or of a conditional close (*at* names its fields)."""
    kind = TYPES[ordertype]
    first, second = (f"close[{name}]" if at else name for name in ("price", "price2"))
    if kind is OrderType.MARKET:
        if price is not None or price2 is not None:
            raise Refused(_BAD_PRICE)
        return {}
    if price is None:
        raise invalid(first)
    if (price2 is not None) != (kind.is_triggered and kind.has_limit):
        raise invalid(second) if price2 is None else Refused(_BAD_PRICE)
    if kind is OrderType.LIMIT:
        return {"price": price.at(last, pair, side, kind)}
    if kind.is_trailing:
        if price.sign != "+" or not price.amount:
            raise Refused(_BAD_PRICE)
        if price2 is not None and price2.sign not in ("+", "-"):
            raise Refused(_BAD_PRICE)
        return {"trail": price.offset(), "limit_offset": None if price2 is None else price2.offset()}
    return {
        "trigger_price": price.at(last, pair, side, kind),
        "price": None if price2 is None else price2.at(last, pair, side, kind),
    }


def _close(close: CloseTerms, pair: Pair, side: Side, last: Decimal) -> SimClose:
    if close.ordertype not in TYPES or close.ordertype in ("market", SETTLE, ICEBERG):
        raise invalid("close[ordertype]")
    # Open point: which price the distances of a close count from is not documented; here it is the last trade's.
    prices = _prices(close.ordertype, close.price, close.price2, pair, side.opposite, last, "close")
    return SimClose(type=TYPES[close.ordertype], **prices)


def _shown(terms: Terms) -> Decimal | None:
    shown = terms.display
    if (shown is not None) != (terms.ordertype == ICEBERG):
        raise invalid("displayvol")
    if shown is not None and (shown > terms.volume or shown * _SMALLEST_SHOWN < terms.volume):
        raise invalid("displayvol")
    return shown


def _check_flags(terms: Terms) -> None:
    kind, flags, tif = terms.kind, terms.flags, terms.tif
    if not flags <= FLAGS or {"fcib", "fciq"} <= flags:
        raise invalid("oflags")
    if "viqc" in flags and (terms.ordertype != "market" or terms.side is not Side.BUY or terms.leverage is not None):
        raise invalid("viqc")
    # The word is that of the venue's WebSocket; it takes the flag elsewhere and ignores it.
    if "nompp" in flags and kind.has_limit:
        raise Refused("EGeneral:Invalid arguments:no_mpp order option is only available when ordertype = market")
    if tif is TimeInForce.FOK and kind is not OrderType.LIMIT:
        raise invalid("timeinforce")
    if "post" in flags and (kind is not OrderType.LIMIT or tif in (TimeInForce.IOC, TimeInForce.FOK)):
        raise invalid("oflags")
    if terms.volume < 0 or (not terms.volume and not _may_be_all(terms)):
        raise invalid("volume")


def _may_be_all(terms: Terms) -> bool:
    """Whether a volume of 0 means the whole margin position."""
    return terms.leverage is not None or terms.reduce_only or terms.ordertype == SETTLE


def _check_leverage(terms: Terms) -> None:
    if terms.leverage is None:
        return
    if not terms.pair.leverages:
        raise Refused("EOrder:Cannot open position")
    if terms.leverage not in terms.pair.leverages:
        raise invalid("leverage")


def _check_times(terms: Terms, now: datetime) -> None:
    if terms.tif is TimeInForce.GTD and terms.expires is None:
        raise invalid("expiretm")
    if terms.expires is not None:
        if terms.tif in (TimeInForce.IOC, TimeInForce.FOK) or terms.kind is OrderType.MARKET:
            raise invalid("expiretm")
        if not _SOONEST_END <= terms.expires - now <= _LATEST_END:
            raise invalid("expiretm")
        if terms.starts is not None and terms.starts >= terms.expires:
            raise invalid("expiretm")
    if terms.starts is not None and not timedelta(0) <= terms.starts - now <= _LATEST_END:
        raise invalid("starttm")


def _check_trigger(terms: Terms) -> None:
    closes_on_trigger = terms.close is not None and TYPES.get(terms.close.ordertype, OrderType.LIMIT).is_triggered
    # The default may be spelt out anywhere.
    if terms.trigger not in (None, TriggerBy.LAST) and not (terms.kind.is_triggered or closes_on_trigger):
        raise invalid("trigger")
