"""What a venue does with each term of an order: honour it, emulate it or refuse it. Nothing is left out in silence."""

from __future__ import annotations

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


TERMS = (
    "type",
    *(f"type.{kind}" for kind in OrderType if kind.is_triggered),
    "time_in_force",
    "time_in_force.gtd",
    "quote_amount",
    "post_only",
    "reduce_only",
    "trigger_by",
    "limit_offset",
    "display_quantity",
    "leverage",
    "self_trade",
    "client_order_id",
    "deadline",
)
"""What a support table has a word for. ``type`` is market and limit, ``time_in_force`` is gtc, ioc and fok."""


def used_terms(request: OrderRequest) -> list[str]:
    """Return what of ``TERMS`` *request* makes use of."""
    kind, stays = request.type, request.time_in_force
    used = {
        "type": kind is OrderType.MARKET,
        f"type.{kind}": kind.is_triggered,
        "time_in_force": stays in (TimeInForce.IOC, TimeInForce.FOK),
        "time_in_force.gtd": stays is TimeInForce.GTD,
        "quote_amount": request.quote_amount is not None,
        "post_only": request.post_only,
        "reduce_only": request.reduce_only,
        "trigger_by": request.trigger_by is not None,
        "limit_offset": request.limit_offset is not None,
        "display_quantity": request.display_quantity is not None,
        "leverage": request.leverage is not None,
        "self_trade": request.self_trade is not None,
        "client_order_id": request.client_order_id is not None,
        "deadline": request.deadline is not None,
    }
    return [term for term, is_used in used.items() if is_used]
