"""The terms of an order as the venue shows them, in ours; where they cannot be told in full, what the order becomes.

REST shows the prices as they were ordered, which may be offsets; the live feed shows them with their kind beside them.
See https://docs.kraken.com/api-reference/account-data/get-open-orders and
https://docs.kraken.com/api/docs/websocket-v2/executions
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.order import OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset, OrderType, TimeInForce, TriggerBy
from kraken_spot.orders.prices import Price, RelativePrice
from kraken_spot.terms import TYPES, ShownTerms, SpotTerms
from kraken_spot.types.history import SpotOrderType

KINDS: dict[str, OrderType] = {
    **{theirs.value: ours for ours, theirs in TYPES.items()},
    SpotOrderType.ICEBERG.value: OrderType.LIMIT,
    SpotOrderType.SETTLE_POSITION.value: OrderType.MARKET,
}

_TIMES = {"ioc": TimeInForce.IOC, "fok": TimeInForce.FOK, "gtd": TimeInForce.GTD}
_TRIGGERS = {"last": TriggerBy.LAST, "index": TriggerBy.INDEX}


@attrs.frozen(kw_only=True)
class Shown:
    """What the venue shows of an order; None and empty are "not shown".

    Attributes:
        kind: Kraken's word for the type.
        limit, trigger: As they were ordered; *limit_now* and *fires_at* are the prices that they come to.
        quantity: None of an order for an amount.
        quote_amount: Of one: what it is to spend.
        parent: The order that made it.
    """

    symbol: Symbol
    side: Side
    kind: str
    quantity: Decimal | None
    limit: Price | None = None
    limit_now: Decimal | None = None
    trigger: Price | None = None
    fires_at: Decimal | None = None
    reference: str | None = None
    time_in_force: str | None = None
    expires: datetime | None = None
    post_only: bool = False
    reduce_only: bool = False
    leverage: int | None = None
    display_quantity: Decimal | None = None
    client_order_id: str | None = None
    quote_amount: Decimal | None = None
    parent: str | None = None
    userref: int | None = None


def request(shown: Shown) -> OrderRequest:
    """Return the order's terms.

    Raises:
        ProtocolError: For a type that is not known.
        InvalidValue: For what is no order at all.
    """
    kind = KINDS.get(shown.kind)
    if kind is None:
        raise ProtocolError(f"order type {shown.kind!r} is not supported")
    try:
        return OrderRequest(type=kind, **_common(shown), **_prices(shown, kind), **_rest(shown, kind))
    except InvalidValue:
        if not kind.is_triggered:
            raise
    # Terms that are new: what it becomes when it fires.
    kind = OrderType.LIMIT if kind.has_limit and shown.limit is not None else OrderType.MARKET
    price = _number(shown.limit, shown.limit_now) if kind.has_limit else None
    return OrderRequest(type=kind, price=price, terms=_own(shown, kind), **_common(shown))


def _common(shown: Shown) -> dict[str, Any]:
    return {
        "symbol": shown.symbol,
        "side": shown.side,
        "quantity": shown.quantity,
        "quote_amount": shown.quote_amount,
        "client_order_id": shown.client_order_id,
    }


def _prices(shown: Shown, kind: OrderType) -> dict[str, Any]:
    if kind.is_trailing:
        offset = shown.limit if kind.has_limit else None
        return {"trail": _offset(shown.trigger), "limit_offset": None if offset is None else _offset(offset)}
    prices: dict[str, Any] = {}
    if kind.has_limit:
        prices["price"] = _number(shown.limit, shown.limit_now)
    if kind.is_triggered:
        prices["trigger_price"] = _number(shown.trigger, shown.fires_at)
    return prices


def _number(ordered: Price | None, now: Decimal | None) -> Decimal | None:
    return ordered if isinstance(ordered, Decimal) else now


def _offset(price: Price | None) -> Offset | None:
    if isinstance(price, RelativePrice):
        return Offset(-price.amount if price.sign == "-" else price.amount, price.percent)
    return None if price is None else Offset(price)


def _rest(shown: Shown, kind: OrderType) -> dict[str, Any]:
    stays = _TIMES.get((shown.time_in_force or "").lower(), TimeInForce.GTC)
    is_gtd = stays is TimeInForce.GTD and shown.expires is not None
    return {
        "time_in_force": stays if is_gtd or stays is not TimeInForce.GTD else TimeInForce.GTC,
        "expires": shown.expires if is_gtd else None,
        "post_only": shown.post_only and kind.has_limit,
        "reduce_only": shown.reduce_only,
        "trigger_by": _TRIGGERS.get(shown.reference or "") if kind.is_triggered else None,
        "display_quantity": shown.display_quantity if shown.kind == SpotOrderType.ICEBERG else None,
        "leverage": shown.leverage,
        "terms": _own(shown, kind),
    }


def _own(shown: Shown, kind: OrderType) -> SpotTerms | None:
    """Return what stands in no field of an order's own; the offsets of trailing orders do."""
    told: dict[str, Any] = {"settle": True} if shown.kind == SpotOrderType.SETTLE_POSITION else {}
    if isinstance(shown.limit, RelativePrice) and kind.has_limit and not kind.is_trailing:
        told["price_offset"] = shown.limit
    if isinstance(shown.trigger, RelativePrice) and kind.is_triggered and not kind.is_trailing:
        told["trigger_offset"] = shown.trigger
    if shown.userref is not None:
        told["userref"] = shown.userref
    if shown.parent is not None:
        return ShownTerms(parent=shown.parent, **told)
    return SpotTerms(**told) if told else None
