"""What an entry that does not read may still say: enough to tell whether it may be about an order of ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.order import Order
from kraken_futures.pages import Unreadable


def require_none(order: Order, unreadable: Iterable[Unreadable], context: VenueContext, what: str) -> None:
    """Check that nothing that does not read may be of *order*.

    Raises:
        ProtocolError: Something may be; what became of the order is not known before it reads.
    """
    for each in unreadable:
        fields = fields_of(each.raw)
        if _may_be(order, _id(fields, "order_id"), _id(fields, "cliOrdId")):
            name = order.venue_order_id or order.client_order_id
            raise ProtocolError(
                f"{context.venue}: {what} that may be of order {name} does not read: {each.problem}",
                venue=context.venue,
            )


def _may_be(order: Order, venue_order_id: str | None, client_order_id: str | None) -> bool:
    """Return whether ids, of which one may be damaged, leave it open that they are of *order*."""
    if order.venue_order_id is not None and venue_order_id is not None:
        if order.venue_order_id == venue_order_id:
            return True
        if not order.request.type.is_triggered:
            return False
    if order.client_order_id is not None and client_order_id is not None:
        return order.client_order_id == client_order_id
    return True


def names(order: Order, raw: bytes) -> bool:
    """Return whether an event that does not read has an id of *order* anywhere."""
    return any(name.encode() in raw for name in (order.venue_order_id, order.client_order_id) if name)


def name_of(raw: bytes) -> str:
    """Return what an entry that does not read is called, as far as it says."""
    fields = fields_of(raw)
    named = (fields.get(key) for key in ("fill_id", "order_id", "symbol", "instrument"))
    return next((name[:60] for name in named if isinstance(name, str) and name), "")


def fields_of(raw: bytes) -> dict[str, Any]:
    """Return the fields of an entry that does not read; none where it is no object."""
    try:
        fields = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _id(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None
