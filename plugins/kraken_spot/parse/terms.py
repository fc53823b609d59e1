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
        trigger: As it was ordered; *fires_at* is the price that it comes to.
        quote_amount: What it was to spend, of an order for an amount; *quantity* is what that bought.
        parent: The order that made it.
    """

    symbol: Symbol
    side: Side
    kind: str
    quantity: Decimal
    limit: Price | None = None
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
    # An offset from a market that has moved on, or terms that are new: what it becomes when it fires.
    limit = shown.limit if kind.has_limit and isinstance(shown.limit, Decimal) else None
    kind = OrderType.LIMIT if limit else OrderType.MARKET
    return OrderRequest(type=kind, price=limit, terms=_own(shown), **_common(shown))


def _common(shown: Shown) -> dict[str, Any]:
    return {
        "symbol": shown.symbol,
        "side": shown.side,
        "quantity": shown.quantity,
        "client_order_id": shown.client_order_id,
    }


def _prices(shown: Shown, kind: OrderType) -> dict[str, Any]:
    if kind.is_trailing:
        offset = shown.limit if kind.has_limit else None
        return {"trail": _offset(shown.trigger), "limit_offset": None if offset is None else _offset(offset)}
    prices: dict[str, Any] = {}
    if kind.has_limit:
        prices["price"] = shown.limit if isinstance(shown.limit, Decimal) else None
    if kind.is_triggered:
        prices["trigger_price"] = shown.trigger if isinstance(shown.trigger, Decimal) else shown.fires_at
    return prices


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
        "terms": _own(shown),
    }


def _own(shown: Shown) -> SpotTerms | None:
    settles = shown.kind == SpotOrderType.SETTLE_POSITION
    if shown.quote_amount is not None or shown.parent is not None:
        return ShownTerms(settle=settles, quote_amount=shown.quote_amount, parent=shown.parent)
    return SpotTerms(settle=True) if settles else None
