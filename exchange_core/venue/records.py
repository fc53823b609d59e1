"""Which record of an order an id means, the venue's or ours, and how long the records of finished orders are kept."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from exchange_core.model.event import OrderUpdate
from exchange_core.model.order import Order, OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.venue.record import OrderRecord

# Clocks differ. What a venue did longer before an order was sent is not of that order, whatever client id it names.
SKEW = timedelta(seconds=30)

_STANDING = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})


class Records:
    """The records of one account.

    Args:
        finished_kept: How many of finished orders, and of orders of which too little is known to show them.

    Attributes:
        by_client: By our ids,
        by_venue: and by the venue's, former ones included.
    """

    def __init__(self, venue: str, finished_kept: int) -> None:
        self.by_client: dict[str, OrderRecord] = {}
        self.by_venue: dict[str, OrderRecord] = {}
        self._venue = venue
        self._finished_kept = finished_kept
        self._open: dict[Symbol, dict[int, OrderRecord]] = {}
        # Finished orders, and strangers of which too little is known to show them; oldest first.
        self._idle: OrderedDict[int, OrderRecord] = OrderedDict()

    def all(self) -> list[OrderRecord]:
        """Return each once, in no order that means anything."""
        return list({id(r): r for r in (*self.by_client.values(), *self.by_venue.values())}.values())

    def open_count(self, symbol: Symbol) -> int:
        """Return how many orders of *symbol* stand in the market."""
        return len(self._open.get(symbol, ()))

    def told(self, update: OrderUpdate) -> OrderRecord:
        """Return the record of the order that *update* is about, under the id that it goes on with."""
        before = self.by_venue.get(update.continues) if update.continues else None
        if before is not None and update.venue_order_id:
            now = self.by_venue.get(update.venue_order_id)
            if now is not None and now is not before:
                self._join(before, now)
            self.by_venue[update.venue_order_id] = before
            return before
        return self.of(update.client_order_id, update.venue_order_id, update.sequence_time)

    def find(
        self, client_order_id: str | None, venue_order_id: str | None, when: datetime | None
    ) -> OrderRecord | None:
        """Return the record that these ids mean, None where there is none."""
        ours = self._ours(client_order_id, venue_order_id, when)
        return ours or (self.by_venue.get(venue_order_id) if venue_order_id else None)

    def _ours(
        self, client_order_id: str | None, venue_order_id: str | None, when: datetime | None
    ) -> OrderRecord | None:
        """Return the record that a client id means. A venue lets one be used again once its order is done."""
        found = self.by_client.get(client_order_id) if client_order_id else None
        if found is None or not venue_order_id:
            return found
        if found.venue_order_id is not None:
            return found if found.venue_order_id == venue_order_id else None
        was_before = when is not None and found.created is not None and when < found.created - SKEW
        return None if was_before else found

    def of(self, client_order_id: str | None, venue_order_id: str | None, when: datetime | None = None) -> OrderRecord:
        """Return the record of an order, made or joined from two as the ids show.

        Args:
            when: When the venue did what is told of it.
        """
        ours = self._ours(client_order_id, venue_order_id, when)
        theirs = self.by_venue.get(venue_order_id) if venue_order_id else None
        if ours is not None and theirs is not None and ours is not theirs:
            self._join(ours, theirs)
        record = ours or theirs or OrderRecord(venue=self._venue)
        if client_order_id:
            self.by_client.setdefault(client_order_id, record)
        if venue_order_id:
            self.by_venue[venue_order_id] = record
        return record

    def put(self, record: OrderRecord, order: Order | None) -> None:
        """Move *record* to where it belongs now that it shows *order*."""
        self._count_open(record, order)
        if order is None or order.is_final:
            self._idle[id(record)] = record
            self._idle.move_to_end(id(record))
            self._forget()
        else:
            self._idle.pop(id(record), None)
            self._name(record)

    def _join(self, ours: OrderRecord, theirs: OrderRecord) -> None:
        ours.absorb(theirs)
        self._idle.pop(id(theirs), None)
        self._count_open(theirs, None)

    def _count_open(self, record: OrderRecord, order: Order | None) -> None:
        if order is not None and order.status in _STANDING and not order.unknown:
            self._open.setdefault(order.symbol, {})[id(record)] = record
        elif record.request is not None and (standing := self._open.get(record.request.symbol)):
            standing.pop(id(record), None)

    def _name(self, record: OrderRecord) -> None:
        """Let the client id of a live order mean it, and no longer one that is done and had the same."""
        key = record.client_order_id
        holder = self.by_client.get(key) if key else None
        if key and holder is not None and holder is not record and holder.status.is_final:
            self.by_client[key] = record

    def _forget(self) -> None:
        while len(self._idle) > self._finished_kept:
            _, record = self._idle.popitem(last=False)
            named = [(self.by_client, record.client_order_id), (self.by_venue, record.venue_order_id)]
            for table, key in (*named, *((self.by_venue, former) for former in record.former_ids)):
                if key is not None and table.get(key) is record:
                    del table[key]
