"""The one truth about our orders, merged from answers, order updates and fills.

Knows nothing of networks: what it is told, it merges, and tells others when an order changed. Orders that are not
finished are all kept; of finished ones the latest.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from operator import attrgetter

import attrs

from exchange_core.errors import OrderRefused
from exchange_core.model.amendment import Amendment
from exchange_core.model.event import OpenOrdersSnapshot, OrderUpdate
from exchange_core.model.fill import Fill
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.venue.record import Heard, OrderRecord
from exchange_core.venue.records import Records
from exchange_core.venue.terms import Amending

FINISHED_KEPT = 10_000
FILL_IDS_KEPT = 100_000

_LOG = logging.getLogger(__name__)

# All that makes it another order to others, but when.
_news = attrgetter(*(field.name for field in attrs.fields(Order) if field.eq and field.name != "updated"))


@attrs.define
class TrackerStats:
    """What was odd in what we were told.

    Attributes:
        stale: Updates older than what was known.
        illegal: Updates that would have left the status table.
        duplicates: Fills that were known.
        revived: Orders that we took for dead and the venue did not.
    """

    stale: int = 0
    illegal: int = 0
    duplicates: int = 0
    revived: int = 0


class OrderTracker:
    """All orders of one account, by our id and by the venue's.

    Args:
        publish: Told each order that changed.
        journal: Told each order before it is sent; when it raises, nothing is sent.
    """

    def __init__(
        self,
        venue: str,
        *,
        publish: Callable[[Order], None] = lambda order: None,
        journal: Callable[[Order], None] = lambda order: None,
        finished_kept: int = FINISHED_KEPT,
        fill_ids_kept: int = FILL_IDS_KEPT,
    ) -> None:
        self.stats = TrackerStats()
        self._venue = venue
        self._publish = publish
        self._journal = journal
        self._fill_ids_kept = fill_ids_kept
        self._records = Records(venue, finished_kept)
        self._fill_ids: OrderedDict[str, None] = OrderedDict()

    def get(self, order_id: str) -> Order | None:
        """Return the order with this id, the venue's or ours."""
        record = self._records.by_venue.get(order_id) or self._records.by_client.get(order_id)
        return record.shown if record else None

    def all(self) -> list[Order]:
        """Return all that is known, in no order that means anything."""
        return [record.shown for record in self._records.all() if record.shown is not None]

    def live(self) -> list[Order]:
        """Return those that may still change."""
        return [order for order in self.all() if not order.is_final]

    def open_count(self, symbol: Symbol) -> int:
        """Return how many orders of *symbol* stand in the market, as far as the venue has told."""
        return self._records.open_count(symbol)

    def knows(self, fill: Fill) -> bool:
        """Return whether *fill* belongs to an order that was placed here."""
        record = self._records.find(fill.client_order_id, fill.venue_order_id, fill.time)
        return record is not None and record.created is not None

    def require_new(self, request: OrderRequest) -> None:
        """Refuse an order whose client id was used before: it could be a second order.

        Raises:
            OrderRefused: Says which order has it.
        """
        key = request.client_order_id
        known = self._records.by_client.get(key) if key is not None else None
        if known is not None:
            raise OrderRefused(
                f"{request.symbol}: client_order_id {key!r} belongs to an order that is {known.status} already; "
                "a new order needs a new one, or none to have one made",
                venue=self._venue,
            )

    def sending(self, request: OrderRequest, now: datetime) -> Order:
        """Note an order that is about to be sent.

        Raises:
            OrderRefused: Its client id was used before: sending it could be a second order.
        """
        key = request.client_order_id
        assert key is not None
        self.require_new(request)
        record = OrderRecord(venue=self._venue, request=request, client_order_id=key, created=now, updated=now)
        order = record.order()
        assert order is not None
        self._journal(order)
        self._records.by_client[key] = record
        # Pending, and news: nothing has to be compared or moved.
        record.shown = order
        self._publish(order)
        return order

    def resume(self, order: Order, now: datetime) -> Order:
        """Take up an order that an earlier run noted: what became of it is unknown.

        Raises:
            OrderRefused: It has no client id, by which alone it can be found, or its client id was used here.
        """
        key = order.client_order_id or order.request.client_order_id
        if key is None:
            raise OrderRefused(f"{order.symbol}: an order without a client_order_id cannot be found", venue=self._venue)
        if self.get(key) is not None:
            self.require_new(attrs.evolve(order.request, client_order_id=key))
        # The feed may have been faster: with an execution, which is too little to show an order, or by its own id.
        record = self._records.of(key, order.venue_order_id)
        record.client_order_id = record.client_order_id or key
        record.venue_order_id = record.venue_order_id or order.venue_order_id
        record.request, record.created, record.unknown = order.request, order.created or now, record.shown is None
        return self._show(record, now)

    def lost(self, client_order_id: str, now: datetime) -> Order:
        """Note that no answer came, unless the venue has spoken of the order meanwhile."""
        record = self._records.by_client[client_order_id]
        # What is refused meanwhile, by an answer that came late, is known.
        record.unknown = not record.heard_of and not record.status.is_final
        return self._show(record, now)

    def refused(self, client_order_id: str, reason: str, now: datetime) -> Order:
        """Note that the order did not happen."""
        record = self._records.by_client[client_order_id]
        record.refuse(reason)
        return self._show(record, now)

    def concluded(self, order: Order, status: OrderStatus, reason: str, now: datetime) -> Order:
        """Note an end that follows from the venue's not knowing the order."""
        record = self._record_of(order)
        record.conclude(status, reason)
        return self._show(record, now)

    def answered(self, answer: Order, now: datetime, about: Order | None = None) -> Order:
        """Merge an order as a REST answer has it.

        Args:
            about: What was asked for, where the answer need not repeat our id. Another id of the venue's than it had
                is what the order goes on under, as a trigger that fired may.
        """
        client_order_id = about.client_order_id if about else answer.client_order_id
        request = answer.request
        known_id = about.venue_order_id if about else None
        goes_on = known_id is not None and answer.venue_order_id not in (None, known_id)
        update = OrderUpdate(
            venue_order_id=answer.venue_order_id,
            client_order_id=client_order_id,
            status=answer.status,
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            price=request.price,
            trigger_price=request.trigger_price,
            filled=answer.filled,
            average_price=answer.average_price,
            spent=answer.spent,
            reason=answer.reason,
            continues=known_id if goes_on else None,
        )
        since = None if about else answer.created
        told = self._records.told(update) if goes_on else None
        record = told or self._records.of(client_order_id, answer.venue_order_id or known_id, since)
        if record.request is None and record.created is None:
            # The answer's own request says more than an update can, such as how long it is good for.
            record.request = request
        record.opened = record.opened or answer.created
        before = record.request
        self._count(record, record.hear(update, answer.fees))
        record.touch(before, now if about else answer.touched or answer.created)
        is_past = record.created is None and answer.is_final
        return self._show(record, (answer.updated if is_past else None) or now)

    def amending(self, order: Order, amendment: Amendment, now: datetime) -> Amending:
        """Note an amendment that is about to be sent; tell :meth:`amended` what became of it."""
        return self._record_of(order).amend(amendment, now)

    def is_amending(self, order: Order) -> bool:
        """Return whether it is not known yet what became of an amendment."""
        return self._record_of(order).terms.is_amending

    def amended(self, order: Order, amending: Amending, answer: Order | None, now: datetime) -> Order:
        """Note that an amendment was carried out, as *answer* shows it, or with None that it was not."""
        record = self._record_of(order)
        before = record.request
        record.amended(amending, None if answer is None else answer.request, now)
        if answer is not None and (answer.is_final or answer.filled > record.filled):
            # Its other statuses are no news: they may be those that it was sent with.
            end = answer.status if answer.is_final else None
            news = OrderUpdate(
                status=end,
                filled=answer.filled,
                average_price=answer.average_price,
                spent=answer.spent,
                reason=answer.reason,
            )
            self._count(record, record.hear(news, answer.fees))
        record.touch(before, now)
        return self._show(record, now)

    def apply(self, update: OrderUpdate, now: datetime) -> Order | None:
        """Merge an update; return the order as it now stands, None while too little is known of it."""
        record = self._records.told(update)
        before = record.request
        self._count(record, record.hear(update))
        is_new = not update.snapshot and update.status in (OrderStatus.PENDING, OrderStatus.OPEN)
        record.touch(before, now if is_new or record.created is not None else None)
        self._note(record, now)
        return record.shown

    def fill(self, fill: Fill, now: datetime) -> bool:
        """Merge an execution; return False when it was known."""
        record = self._records.of(fill.client_order_id, fill.venue_order_id, fill.time)
        new = record.add_fill(fill) and fill.id not in self._fill_ids
        if new:
            self._fill_ids[fill.id] = None
            if len(self._fill_ids) > self._fill_ids_kept:
                self._fill_ids.popitem(last=False)
        else:
            self.stats.duplicates += 1
        self._note(record, now)
        return new

    def snapshot(self, snapshot: OpenOrdersSnapshot, now: datetime) -> list[Order]:
        """Merge the list of open orders; return those that we hold open and that are not on it."""
        listed = {id(self._records.told(update)) for update in snapshot.orders}
        absent = [
            record.shown
            for order_id, record in self._records.by_venue.items()
            if id(record) not in listed
            and record.shown is not None
            and not record.status.is_final
            and order_id not in record.former_ids
        ]
        for update in snapshot.orders:
            self.apply(update, now)
        return absent

    def _record_of(self, order: Order) -> OrderRecord:
        return self._records.of(order.client_order_id, order.venue_order_id)

    def _count(self, record: OrderRecord, heard: Heard) -> None:
        if heard is Heard.STALE:
            self.stats.stale += 1
        elif heard is Heard.ILLEGAL:
            self.stats.illegal += 1
        elif heard is Heard.REVIVED:
            self.stats.revived += 1
            _LOG.warning("%s: order %s is alive after all", self._venue, record.venue_order_id)

    def _show(self, record: OrderRecord, now: datetime) -> Order:
        self._note(record, now)
        assert record.shown is not None
        return record.shown

    def _note(self, record: OrderRecord, now: datetime) -> None:
        """Tell others when the order changed; move it to where it belongs."""
        before, record.updated = record.updated, now
        order = record.order()
        changed = order is not None and (record.shown is None or _news(order) != _news(record.shown))
        if not changed:
            record.updated = before
            order = record.order()
        self._records.put(record, order)
        if order is not None:
            record.shown = order  # how young it is may have changed
            if changed:
                self._publish(order)
