"""Find an order of which no more than an id is known: its terms are in the history of events, as its end is.

``orders/status`` forgets an order five seconds after its end, and there is no other call that takes an id. An order
that was executed at once may have no other events than its executions.
See https://docs.kraken.com/api/docs/futures-api/history/get-order-events
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.number import EXACT
from exchange_core.model.order import Order
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset
from kraken_futures.orders.requests import OrderKind, Unit
from kraken_futures.parse import terms as parse_terms
from kraken_futures.parse.terms import Shown
from kraken_futures.types.trading import TriggerSide

if TYPE_CHECKING:
    from kraken_futures.rest.history import HistoryCalls
    from kraken_futures.types.history import Execution, HistoryEvent, PastOrder, Trigger

_MOST_PAGES = 5


def look_up(
    order_id: str, context: VenueContext, history: HistoryCalls, find: Callable[[Order], Flow[Order | None]]
) -> Flow[Order | None]:
    """Ask for an order by the venue's id or by ours, as far back as the latest pages of events reach.

    Raises:
        ProtocolError: An event that names it does not read.
    """
    for pages in (history.orders(), history.triggers(), history.executions()):
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = yield from pages.page(cursor)
            known = _known(order_id, page.items, context)
            if known is not None:
                return (yield from find(known))
            if any(order_id.encode() in each.raw for each in page.unreadable):
                raise ProtocolError(f"{context.venue}: an event of order {order_id} does not read")
            cursor = page.cursor
            if cursor is None:
                break
    return None


def _known(order_id: str, events: Iterable[HistoryEvent | Execution], context: VenueContext) -> Order | None:
    """Return the order as the newest event has it that tells its size."""
    for event in events:
        past = event.order
        if past is None or order_id not in (past.order_id, past.client_order_id):
            continue
        order = _order(past, context.venue)
        if order is not None:
            return order
    return None


def _order(past: PastOrder, venue: str) -> Order | None:
    if not isinstance(past.symbol, Symbol) or not isinstance(past.side, Side):
        return None
    quantity = EXACT.add(past.quantity or 0, past.filled or 0)
    if quantity <= 0:
        return None
    trigger = past.trigger
    request, _ = parse_terms.nearest(
        Shown(
            symbol=past.symbol,
            side=past.side,
            quantity=quantity,
            kind=past.type if trigger is None else _kind(trigger, past.side),
            # Events of a market order bear the end of the venue's price band, which nobody asked for.
            price=None if past.type is OrderKind.MARKET else past.limit_price or None,
            trigger=None if trigger is None else trigger.price,
            signal=None if trigger is None else trigger.signal,
            trail=None if trigger is None else _trail(trigger),
            reduce_only=past.reduce_only,
            client_order_id=past.client_order_id,
        )
    )
    return Order(
        request=request,
        venue=venue,
        venue_order_id=past.order_id,
        client_order_id=past.client_order_id,
        created=past.created,
    )


def _kind(trigger: Trigger, side: Side) -> OrderKind:
    """Return what kind of trigger it was: an event has the type of the order that would have come of it."""
    if trigger.trailing_deviation is not None:
        return OrderKind.TRAILING_STOP
    takes_profit = trigger.side is (TriggerSide.ABOVE if side is Side.SELL else TriggerSide.BELOW)
    return OrderKind.TAKE_PROFIT if takes_profit else OrderKind.STOP


def _trail(trigger: Trigger) -> Offset | None:
    deviation, unit = trigger.trailing_deviation, trigger.trailing_unit
    if deviation is None or not isinstance(unit, Unit):
        return None
    return Offset(deviation, percent=unit is Unit.PERCENT)
