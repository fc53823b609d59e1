"""What a venue does with each term of an order: honour it, emulate it or refuse it. Nothing is left out in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from exchange_core.model.order import OrderRequest, OrderType, TimeInForce


class Support:
    """Words of the support table.

    Attributes:
        HONOURED: The venue does it.
        EMULATED: The plugin does it with what the venue has, to the same effect.
        REFUSED: It cannot be had: an order that asks for it raises NotSupported, and nothing is sent.
    """

    HONOURED = "honoured"
    EMULATED = "emulated"
    REFUSED = "refused"


def _is(kind: OrderType) -> Callable[[OrderRequest], bool]:
    return lambda request: request.type is kind


_USES: dict[str, Callable[[OrderRequest], bool]] = {
    "type": _is(OrderType.MARKET),
    **{f"type.{kind}": _is(kind) for kind in OrderType if kind.is_triggered},
    "time_in_force": lambda request: request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK),
    "time_in_force.gtd": lambda request: request.time_in_force is TimeInForce.GTD,
    "quote_amount": lambda request: request.quote_amount is not None,
    "post_only": lambda request: request.post_only,
    "reduce_only": lambda request: request.reduce_only,
    "trigger_by": lambda request: request.trigger_by is not None,
    "limit_offset": lambda request: request.limit_offset is not None,
    "display_quantity": lambda request: request.display_quantity is not None,
    "leverage": lambda request: request.leverage is not None,
    "self_trade": lambda request: request.self_trade is not None,
    "client_order_id": lambda request: request.client_order_id is not None,
    "deadline": lambda request: request.deadline is not None,
}

TERMS = tuple(_USES)
"""What a support table has a word for. ``type`` is market and limit, ``time_in_force`` is gtc, ioc and fok."""


def used_terms(request: OrderRequest, among: Iterable[str] = TERMS) -> list[str]:
    """Return what of *among*, all or some of ``TERMS``, *request* makes use of."""
    return [term for term in among if _USES[term](request)]
