"""Many orders, edits and cancels in one call.

The batch is JSON text inside of a form field. Each item has its own outcome, and partial success is usual; without an
answer the outcome of all of them is unknown.
See https://docs.kraken.com/api/docs/futures-api/trading/send-batch-order
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import BadRequest, ExchangeError, InvalidValue, OrderRefused, OutcomeUnknown
from exchange_core.model.number import plain
from kraken_futures.limits import batch_units
from kraken_futures.orders.fields import Fields, check, check_edit, deadline_text, edit_fields, order_fields
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit
from kraken_futures.parse import trading as parse_trading
from kraken_futures.rest.calls import change, refuse
from kraken_futures.types.trading import BatchResult, Canceled, Edited, Sent
from kraken_futures.wire import trading as wire

Item = FuturesOrder | OrderEdit | OrderCancel

# Open point: no limit is documented. Clients in use cut at ten orders, or at a hundred items.
MOST_ITEMS = 100

_CALL = "batchorder"

_log = logging.getLogger(__name__)


def batch(items: Sequence[Item], deadline: datetime | None, context: VenueContext) -> Flow[tuple[BatchResult, ...]]:
    """Send a batch; the results come in the order of the items."""
    if not 0 < len(items) <= MOST_ITEMS:
        raise InvalidValue(f"batch: {len(items)} items; expected 1 to {MOST_ITEMS}")
    _refuse_twins(items)
    fields = [batch_item(item, str(place), context) for place, item in enumerate(items, 1)]
    # Open point: the reference writes ProcessBefore, a client in use processBefore; both are sent.
    before = deadline_text(deadline)
    params = {"json": batch_json(fields), "ProcessBefore": before, "processBefore": before}
    costs = batch_units(len(items), urgent=all(isinstance(item, OrderCancel) for item in items))
    try:
        reply: wire.Batch = yield change(_CALL, wire.Batch, params, costs=costs, deadline=deadline)
    except BadRequest as problem:
        raise OrderRefused(str(problem), venue=problem.venue, codes=problem.codes) from problem
    rows = _match(items, reply.batch_status, context.venue)
    return tuple(_result(item, row, context) for item, row in zip(items, rows, strict=True))


def batch_json(items: Sequence[Mapping[str, Any]]) -> str:
    """Write items as the venue wants them: JSON without blanks, numbers as numbers with all their digits."""
    written = [{name: _json(value) for name, value in item.items() if value is not None} for item in items]
    return msgspec.json.encode({"batchOrder": written}).decode()


def _json(value: Decimal | str | bool) -> msgspec.Raw | str | bool:
    return msgspec.Raw(plain(value).encode()) if isinstance(value, Decimal) else value


def batch_item(item: Item, tag: str, context: VenueContext) -> Fields:
    """Return an item as the batch has it.

    Raises:
        NotSupported: A batch has no word for one of its terms.
        OrderRefused: It does not fit its contract.
    """
    if item.deadline is not None:
        raise refuse(context.venue, "deadline", "an item of a batch has none of its own; give it to the batch")
    if isinstance(item, FuturesOrder):
        instrument = context.symbols.instrument(item.symbol)
        check(item, instrument)
        if item.limit_offset is not None:
            raise refuse(context.venue, "limit_offset", "a batch has no word for it; send this order alone")
        return {"order": "send", "order_tag": tag, **order_fields(item, instrument.venue_id)}
    ids: Fields = {"order_id": item.order_id, "cliOrdId": item.client_order_id}
    if isinstance(item, OrderCancel):
        return {"order": "cancel", **ids}
    if item.symbol is not None:
        check_edit(item, context.symbols.instrument(item.symbol))
    # Open point: the schema wants order_id here; whether an edit by client id alone is taken is not known.
    return {"order": "edit", **ids, **edit_fields(item)}


def _refuse_twins(items: Sequence[Item]) -> None:
    """Refuse items whose results could not be told apart, or that depend on which comes first."""
    seen: set[str] = set()
    for item in items:
        ids = [item.client_order_id] if isinstance(item, FuturesOrder) else [item.order_id, item.client_order_id]
        for one in ids:
            if one is not None and one in seen:
                raise InvalidValue(f"batch: two items about {one!r}; the venue keeps to no order within a batch")
            seen.add(one or "")


def _match(items: Sequence[Item], rows: Sequence[wire.SendStatus], venue: str) -> list[wire.SendStatus | None]:
    """Return the row of each item: orders by their tag, edits and cancels by an id."""
    left = list(rows)
    found: list[wire.SendStatus | None] = []
    for place, item in enumerate(items, 1):
        row = next((row for row in left if _is_of(row, item, str(place))), None)
        if row is not None:
            left.remove(row)
        found.append(row)
    missing = [place for place, row in enumerate(found) if row is None]
    if len(missing) == 1 and len(left) == 1:
        # What is left on both sides belongs together; an item that is refused may lack its ids.
        found[missing[0]] = left.pop()
    if left:
        _log.warning("%s: %s: %d results belong to no item", venue, _CALL, len(left))
    return found


def _is_of(row: wire.SendStatus, item: Item, tag: str) -> bool:
    if isinstance(item, FuturesOrder):
        return row.order_tag == tag
    if row.order_tag is not None:
        return False
    if item.order_id is not None:
        return row.order_id == item.order_id
    return item.client_order_id is not None and item.client_order_id in (row.cli_ord_id, row.other_cli_ord_id)


def _result(item: Item, row: wire.SendStatus | None, context: VenueContext) -> BatchResult:
    if row is None:
        unknown = OutcomeUnknown(
            f"{context.venue}: {_CALL}: the answer has no result for {_label(item)}; ask for it", venue=context.venue
        )
        return BatchResult(asked=item, word=None, error=unknown)
    try:
        return BatchResult(asked=item, word=row.status, result=_read(item, row, context))
    except ExchangeError as error:
        return BatchResult(asked=item, word=row.status, error=error)


def _read(item: Item, row: wire.SendStatus, context: VenueContext) -> Sent | Edited | Canceled:
    if isinstance(item, FuturesOrder):
        return parse_trading.sent(item, row, context, _CALL)
    if isinstance(item, OrderEdit):
        return parse_trading.edited(item, row, context, _CALL)
    return parse_trading.canceled(item, row, context, _CALL)


def _label(item: Item) -> str:
    if isinstance(item, FuturesOrder):
        return f"the order {item.client_order_id}"
    return f"the {'cancel' if isinstance(item, OrderCancel) else 'edit'} of {item.label}"
