"""What an order of the exchange is called in the venue's words; the other way round is ``order_terms``.

See https://docs.kraken.com/api-reference/account-data/get-open-orders
"""

from __future__ import annotations

from decimal import Decimal

from exchange_core.connector.simulation import SimClose, SimRequest
from exchange_core.model.terms import Offset, OrderType, TriggerBy
from kraken_spot.simulator.codec import fixed
from kraken_spot.simulator.markets.names import Pair
from kraken_spot.simulator.orders.prices import offset_text
from kraken_spot.simulator.orders.terms import ICEBERG, WORDS

_NONE = "0"


def ordertype(request: SimRequest) -> str:
    """Return the venue's word for the type of an order."""
    told = request.echo.get("ordertype")
    if told is not None:
        return str(told)
    return ICEBERG if request.display_quantity is not None else WORDS[request.type]


def public_type(kind: OrderType) -> str:
    """Return what public trades say of their taker: nothing but these two."""
    return "limit" if kind.has_limit else "market"


def leverage(request: SimRequest) -> str:
    return "none" if request.leverage is None else f"{request.leverage}:1"


def flags(request: SimRequest) -> str:
    found = ["fcib" if request.fee_in_base else "fciq"]
    if request.post_only:
        found.append("post")
    if request.quantity_in_quote:
        found.append("viqc")
    return ",".join(found)


def reference_price(request: SimRequest) -> str:
    """Return which price sets the order off, or would."""
    return "index" if request.trigger_by is TriggerBy.INDEX else "last"


def price_texts(
    pair: Pair,
    kind: OrderType,
    price: Decimal | None,
    trigger: Decimal | None,
    trail: Offset | None,
    limit: Offset | None,
) -> tuple[str, str]:
    """Return ``price`` and ``price2`` as ordered; 0 where there is none."""

    def written(value: Decimal | None, offset: Offset | None) -> str:
        if offset is not None:
            return offset_text(offset, pair)
        return _NONE if value is None else fixed(value, pair.price_decimals)

    if not kind.is_triggered:
        return written(price, None), _NONE
    return written(trigger, trail), written(price, limit)


def prices_of(pair: Pair, order: SimRequest | SimClose) -> tuple[str, str]:
    return price_texts(pair, order.type, order.price, order.trigger_price, order.trail, order.limit_offset)


def describe(pair: Pair, request: SimRequest) -> str:
    """Return the order in words: ``buy 0.01000000 XBTEUR @ stop loss 1234.0``."""
    decimals = pair.cost_decimals if request.quantity_in_quote else pair.volume_decimals
    volume = fixed(request.quantity, decimals)
    words = _at(ordertype(request), *prices_of(pair, request))
    margin = "" if request.leverage is None else f" with {leverage(request)} leverage"
    return f"{request.side} {volume} {pair.altname} @ {words}{margin}"


def describe_close(pair: Pair, request: SimRequest) -> str:
    """Return the conditional close in words; nothing without one."""
    close = request.close
    if close is None:
        return ""
    return f"close position @ {_at(WORDS[close.type], *prices_of(pair, close))}"


def _at(word: str, price: str, price2: str) -> str:
    words = word.replace("-", " ").replace("settle position", "settle-position")
    if words.endswith(" limit"):
        words = words.removesuffix(" limit")
    if price != _NONE:
        words = f"{words} {price}"
    return words if price2 == _NONE else f"{words} -> limit {price2}"
