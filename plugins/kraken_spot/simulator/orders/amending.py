"""What amends and edits change of an order, whichever way they came.

An amend keeps the order and its ids; an edit is a cancel and a new order.
See https://docs.kraken.com/exchange/guides/general/amends
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.connector.simulation import SimAmendment, SimOrder, SimRequest
from exchange_core.model.terms import Offset
from kraken_spot.simulator.codec import Refused, invalid
from kraken_spot.simulator.markets.names import Pair
from kraken_spot.simulator.orders import words as order_words
from kraken_spot.simulator.orders.prices import Quoted
from kraken_spot.simulator.orders.terms import ICEBERG, Terms


@attrs.frozen(kw_only=True)
class Change:
    """What an amend asks for; None stays as it is."""

    quantity: Decimal | None = None
    display: Decimal | None = None
    limit: Quoted | None = None
    trigger: Quoted | None = None
    post_only: bool = False
    deadline: datetime | None = None


def to_amendment(order: SimOrder, change: Change, pair: Pair, last: Decimal) -> SimAmendment:
    """Return what the exchange is to change.

    Raises:
        Refused: Nothing is asked for, or what such an order does not have.
    """
    request = order.request
    if all(value is None for value in (change.quantity, change.display, change.limit, change.trigger)):
        raise Refused("EGeneral:Invalid arguments")
    if request.close is not None:
        raise Refused("EOrder:Invalid order")
    if change.post_only and change.limit is None:
        raise invalid("post_only")
    if change.quantity is not None and change.quantity <= 0:
        raise invalid("order_qty")
    _check_display(order, change)
    return SimAmendment(
        quantity=change.quantity,
        display_quantity=change.display,
        post_only=change.post_only,
        deadline=change.deadline,
        **_limit(order, change.limit, pair, last),
        **_trigger(order, change.trigger, pair, last),
    )


def _check_display(order: SimOrder, change: Change) -> None:
    if change.display is None:
        return
    remaining = (change.quantity or order.request.quantity) - order.filled
    if order_words.ordertype(order.request) != ICEBERG or change.display <= 0 or change.display * 15 < remaining:
        raise invalid("display_qty")


def _limit(order: SimOrder, price: Quoted | None, pair: Pair, last: Decimal) -> dict[str, Any]:
    request = order.request
    if price is None:
        return {}
    if not request.type.has_limit:
        raise invalid("limit_price")
    if request.type.is_trailing and order.triggered is None:
        return {"limit_offset": _offset(price)}
    return {"price": price.at(last, pair, request.side, request.type)}


def _trigger(order: SimOrder, price: Quoted | None, pair: Pair, last: Decimal) -> dict[str, Any]:
    request = order.request
    if price is None:
        return {}
    if not request.type.is_triggered or order.triggered is not None:
        raise invalid("trigger_price")
    if request.type.is_trailing:
        if price.sign == "-" or not price.amount:
            raise Refused("EOrder:Invalid price")
        return {"trail": _offset(price)}
    return {"trigger_price": price.at(last, pair, request.side, request.type)}


def _offset(price: Quoted) -> Offset:
    return price.offset()


def to_edited(order: SimOrder, terms: Terms, pair: Pair, last: Decimal, *, post_only: bool) -> SimRequest:
    """Return the order that takes the place of *order*: its terms, with those of *terms* that were given.

    Raises:
        Refused: It is one that cannot be edited, or has executed more than it shall be.
    """
    old = order.request
    if old.client_order_id is not None or old.close is not None or order.triggered is not None:
        raise Refused("EOrder:Invalid order")
    # Open point: whether what was executed counts for the new order; here it does not, beyond this.
    if terms.volume < order.filled:
        raise invalid("volume")
    changes: dict[str, Any] = {}
    if old.type.is_triggered:
        changes |= _trigger(order, terms.price, pair, last) | _limit(order, terms.price2, pair, last)
    else:
        changes |= _limit(order, terms.price, pair, last)
    return attrs.evolve(
        old,
        quantity=terms.volume,
        display_quantity=terms.display if terms.display is not None else old.display_quantity,
        post_only=post_only,
        user_ref=terms.reference,
        deadline=terms.deadline,
        **changes,
    )
