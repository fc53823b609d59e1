"""What a connection hears of our account: orders, fills, positions, balances, its log, and notices.

A private message that cannot be read is a hole: what it said has to be fetched over REST. A snapshot that comes to
something already known shows whether something of it had been missed.
See https://docs.kraken.com/api/docs/futures-api/websocket/open_orders and the pages beside it
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import attrs

from exchange_core.connector.feed import FeedStats
from exchange_core.connector.naming import UNLISTED
from exchange_core.connector.spec import VenueContext
from exchange_core.model.account import Position
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    Event,
    Events,
    Ignored,
    OpenOrdersSnapshot,
    OrderUpdate,
    PositionsUpdate,
    SequenceGap,
    Unrecognised,
)
from exchange_core.model.order import OrderStatus
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.checksum import FillSequence, break_between
from kraken_futures.pages import Unreadable
from kraken_futures.parse import feed as parse
from kraken_futures.parse import orders as parse_orders
from kraken_futures.parse.rows import readable
from kraken_futures.rest.doubts import fields_of, name_of
from kraken_futures.wire import feed as wire

# Executions that are remembered so that each is passed on once; snapshots repeat them after every reconnect.
_REMEMBERED_FILLS = 20_000
# Triggers that fired and whose order has not come yet.
_REMEMBERED_TRIGGERS = 1_000

_REPEATING = frozenset({"open_positions", "balances"})

CHANNELS = {
    "open_orders": Channel.ORDERS,
    "open_orders_snapshot": Channel.ORDERS,
    "open_orders_verbose": Channel.ORDERS,
    "open_orders_verbose_snapshot": Channel.ORDERS,
    "fills": Channel.FILLS,
    "fills_snapshot": Channel.FILLS,
    "open_positions": Channel.POSITIONS,
    "balances": Channel.BALANCES,
    "balances_snapshot": Channel.BALANCES,
    "account_log": Channel.LEDGER,
    "account_log_snapshot": Channel.LEDGER,
    "notifications_auth": Channel.NOTICES,
}
"""By feed name."""


def damaged(feed: str, reason: str) -> Events:
    """Report a private frame that cannot be read."""
    return (
        Unrecognised(kind=f"damaged {feed}", detail=reason),
        SequenceGap(channel=CHANNELS[feed], reason=f"a message cannot be read: {reason}"),
    )


class AccountData:
    """Turns account frames into news.

    Args:
        symbol: Finds our name for a product; None as long as the list of these may only be older than it.
        ask: Called with a feed of which something may have been missed; returns whether a snapshot will come.

    Attributes:
        surprise: Whether the last snapshot told what had not been heard of before; None for other frames.
    """

    def __init__(
        self,
        context: VenueContext,
        stats: FeedStats,
        symbol: Callable[[str], Symbol | None],
        ask: Callable[[str], bool],
    ) -> None:
        self.surprise: bool | None = None
        self._context = context
        self._stats = stats
        self._symbol = symbol
        self._ask = ask
        self._fills: dict[str, None] = {}
        # Of contracts that are in no list, until these were asked for again.
        self._held: dict[str, wire.FillRow] = {}
        self._has_fills = False
        self._numbers = FillSequence()
        self._balance_seq: dict[str, int] = {}
        self._triggered: dict[str, str] = {}
        # What is known, to compare snapshots with; of orders by their venue's id.
        self._open: dict[str, Hashable] | None = None
        self._totals: dict[Hashable, Hashable] | None = None
        self._positions: dict[Hashable, Hashable] | None = None
        self._damaged: dict[str, frozenset[str]] = {}

    def opened(self) -> None:
        """A new connection counts anew, and begins with snapshots of everything."""
        self._balance_seq.clear()
        self._numbers = FillSequence()
        self._open = self._totals = self._positions = None
        self._damaged.clear()

    # Orders.

    def open_orders_snapshot(self, frame: wire.OpenOrdersSnapshot) -> Events:
        unlisted: list[Event] = []

        def read(row: wire.OpenOrder) -> tuple[str, Hashable, OrderUpdate]:
            symbol = self._symbol_of(row, unlisted)
            return row.order_id, _terms(row), parse_orders.open_order(row, symbol, snapshot=True)

        rows, bad = readable(frame.orders, wire.OpenOrder, read, "open_orders_snapshot")
        orders = [update for _, _, update in rows]
        listed = {order_id: terms for order_id, terms, _ in rows}
        for name in (fields_of(each.raw).get("order_id") for each in bad):
            if isinstance(name, str) and name and name not in listed:
                # It is open, and more than that is not known of it.
                orders.append(OrderUpdate(venue_order_id=name, snapshot=True))
                listed[name] = None if self._open is None else self._open.get(name)
        self.surprise = self._open is not None and self._open != listed
        self._open = listed
        return (OpenOrdersSnapshot(orders=tuple(orders)), *unlisted, *self._unreadable("open_orders", bad))

    def open_orders(self, frame: wire.OpenOrders) -> Events:
        # There is no sequence on this feed: what is lost here is seen only by comparing with the whole list.
        unlisted: list[Event] = []
        status = parse_orders.order_status(frame)
        if status is OrderStatus.REJECTED and self._stood(frame):
            status = OrderStatus.CANCELED  # such as a post-only order that an edit would have made a taker
        if frame.order is None:
            update = OrderUpdate(venue_order_id=frame.order_id, client_order_id=frame.cli_ord_id)
        else:
            update = parse_orders.open_order(frame.order, self._symbol_of(frame.order, unlisted))
            if frame.is_cancel and status is not OrderStatus.FILLED:
                # Whether "remaining" is still told of an order that ended is not documented.
                update = attrs.evolve(update, quantity=None)
        if update.venue_order_id is None and update.client_order_id is None:
            return damaged("open_orders", "neither order nor order_id says which order it is")
        self._note(frame, update)
        if frame.is_cancel and status is None:
            # Whether it goes on, and under which id, is not said: the list tells.
            self._ask(str(frame.__struct_config__.tag))
        continues = self._continued(frame, update)
        return (attrs.evolve(update, status=status, reason=frame.reason, continues=continues), *unlisted)

    def _symbol_of(self, row: wire.OpenOrder, unlisted: list[Event]) -> Symbol | None:
        symbol = self._symbol(row.instrument)
        if symbol is None:
            unlisted.append(_unlisted(row.instrument, f"order {row.order_id[:60]} is shown when it is"))
        return symbol

    def _stood(self, frame: wire.OpenOrders) -> bool:
        """Return whether an order was open, or executed in part, before it failed."""
        order_id = frame.order_id if frame.order is None else frame.order.order_id
        was_open = self._open is not None and order_id in self._open
        return was_open or (frame.order is not None and frame.order.filled > 0)

    def _note(self, frame: wire.OpenOrders, update: OrderUpdate) -> None:
        if self._open is not None and update.venue_order_id is not None:
            if frame.is_cancel:
                self._open.pop(update.venue_order_id, None)
            elif frame.order is not None:
                self._open[update.venue_order_id] = _terms(frame.order)

    def _continued(self, frame: wire.OpenOrders, update: OrderUpdate) -> str | None:
        """Return the id under which an order waited for its trigger, if it comes back with another one.

        Only the client id can tell; the venue does not name the old one.
        """
        client, venue = update.client_order_id, update.venue_order_id
        if client is None or venue is None:
            return None
        if frame.reason == parse_orders.TRIGGERED:
            self._triggered[client] = venue
            while len(self._triggered) > _REMEMBERED_TRIGGERS:
                del self._triggered[next(iter(self._triggered))]
            return None
        if frame.reason != parse_orders.FROM_TRIGGER:
            return None
        before = self._triggered.pop(client, venue)
        return None if before == venue else before

    # Fills.

    def fills(self, frame: wire.Fills) -> Events:
        events, numbers = self._new_fills(frame)
        suspects = [self._numbers.take(number) for number in numbers]
        if any(suspects) and not self._ask("fills"):
            self._stats.gaps += 1
            events = [_missed_fills(), *events]
        return events or (Ignored(kind="no new fills"),)

    def fills_snapshot(self, frame: wire.FillsSnapshot) -> Events:
        events, numbers = self._new_fills(frame)
        self.surprise = bool(events) and self._has_fills
        self._has_fills = True
        if self._numbers.take_snapshot(numbers):
            self._stats.gaps += 1
            events = [_missed_fills(), *events]
        return events or (Ignored(kind="no new fills"),)

    def listed(self) -> list[Event]:
        """Return the fills that waited for the list of contracts, and can be told now."""
        events: list[Event] = []
        for row in list(self._held.values()):
            symbol = self._symbol(row.instrument)
            if symbol is not None:
                del self._held[row.fill_id]
                self._fills[row.fill_id] = None
                # It was held because it reads.
                events.append(parse.fill(row, symbol, self._context.venue, self._context.assets))
        return events

    def _new_fills(self, frame: wire.Fills) -> tuple[list[Event], list[int | None]]:
        """Return what is news, and the numbers of all."""
        events: list[Event] = self.listed()
        numbers: list[int | None] = []
        bad: list[Unreadable] = []
        for raw in frame.fills:
            rows, damage = readable([raw], wire.FillRow, self._fill, "fills")
            events += [event for _, event in rows if event is not None]
            numbers += [number for number, _ in rows]
            for fields in (fields_of(each.raw) for each in damage):
                seq, name = fields.get("seq"), fields.get("fill_id")
                numbers.append(seq if isinstance(seq, int) and seq >= 0 else None)
                bad += [] if isinstance(name, str) and name in self._fills else damage
        while len(self._fills) > _REMEMBERED_FILLS:
            del self._fills[next(iter(self._fills))]
        return [*events, *self._unreadable("fills", bad)], numbers

    def _fill(self, row: wire.FillRow) -> tuple[int | None, Event | None]:
        if row.fill_id in self._fills or row.fill_id in self._held:
            return row.seq, None
        symbol = self._symbol(row.instrument)
        if symbol is None:
            # Whatever stands for the symbol, what else it says must read.
            parse.fill(row, naming.stand_in(row.instrument).symbol, self._context.venue, self._context.assets)
            self._held[row.fill_id] = row
            return row.seq, _unlisted(row.instrument, f"fill {row.fill_id[:60]} is told when it is")
        event = parse.fill(row, symbol, self._context.venue, self._context.assets)
        self._fills[row.fill_id] = None
        return row.seq, event

    # Positions and balances.

    def open_positions(self, frame: wire.OpenPositions) -> Events:
        # Every message is the whole list, so that a lost one does no harm.
        events: list[Event] = []

        def read(row: wire.PositionRow) -> Position | None:
            symbol = self._symbol(row.instrument)
            if symbol is not None:
                instrument = naming.account_instrument(self._context.symbols, symbol)
                return parse.position(row, instrument, self._context.venue)
            events.append(_unlisted(row.instrument, "the position in it is told when it is"))
            return None

        rows, bad = readable(frame.positions, wire.PositionRow, read, "open_positions")
        # In a list that is not complete, 0 says what else its absence would say.
        positions = [each for each in rows if each is not None and (each.quantity or bad or events)]
        held: dict[Hashable, Hashable] = {each.symbol: (each.quantity, each.entry_price) for each in positions}
        before = self._positions
        self._positions = {**(before or {}), **held} if bad or events else held
        self.surprise = before is not None and before != self._positions
        update = PositionsUpdate(positions=tuple(positions), complete=not (bad or events))
        return (update, *events, *self._unreadable("open_positions", bad))

    def balances(self, frame: wire.Balances) -> Events:
        events: list[Event] = []
        last = self._balance_seq.get(frame.account)
        reason = None if last is None else break_between(last, frame.seq)
        if reason is not None:
            self._stats.gaps += 1
            events.append(SequenceGap(channel=Channel.BALANCES, reason=reason))
        update, damage = self._balances(frame, is_whole=False)
        if self._totals is not None:
            self._totals.update(_totals(update))
        return (*events, update, *damage)

    def balances_snapshot(self, frame: wire.BalancesSnapshot) -> Events:
        update, damage = self._balances(frame, is_whole=True)
        before = self._totals
        self._totals = _totals(update) if update.complete else {**(before or {}), **_totals(update)}
        self.surprise = before is not None and _changed(before, self._totals)
        return (update, *damage)

    def _balances(self, frame: wire.Balances, *, is_whole: bool) -> tuple[BalancesUpdate, list[Event]]:
        found, bad = parse.balances(frame, self._context.venue, self._context.assets)
        self._balance_seq[frame.account] = frame.seq
        update = BalancesUpdate(balances=tuple(found), complete=is_whole and not bad)
        return update, self._report("balances", bad)

    # What does not read.

    def _unreadable(self, feed: str, bad: Sequence[Unreadable]) -> list[Event]:
        return self._report(feed, {name_of(each.raw) or str(number): each.problem for number, each in enumerate(bad)})

    def _report(self, feed: str, bad: Mapping[str, str]) -> list[Event]:
        """Tell what of a message does not read; where it is news, something has to be asked for."""
        events: list[Event] = [
            Unrecognised(kind=f"damaged entry of {feed}", detail=f"{name}: {problem}") for name, problem in bad.items()
        ]
        # Lists that come whole every second repeat what is wrong with them, and asking each time helps nobody.
        repeats = feed in _REPEATING and bad.keys() <= self._damaged.get(feed, frozenset())
        self._damaged[feed] = frozenset(bad)
        if bad and not repeats:
            self._stats.gaps += 1
            reason = f"{len(bad)} entries of a message cannot be read: {'; '.join(bad.values())}"
            events.append(SequenceGap(channel=CHANNELS[feed], reason=reason))
        return events


def _unlisted(name: str, what: str) -> Unrecognised:
    return Unrecognised(kind=UNLISTED, detail=f"{name[:60]!r} is in no instrument list; {what}")


def _terms(row: wire.OpenOrder) -> Hashable:
    return (row.qty, row.filled, row.limit_price, row.stop_price)


def _totals(update: BalancesUpdate) -> dict[Hashable, Hashable]:
    return {(each.wallet, each.asset): each.total for each in update.balances}


def _changed(before: Mapping[Any, Any], now: Mapping[Any, Any]) -> bool:
    """Return whether totals differ; one that is not there is 0."""
    return any(before.get(key, 0) != now.get(key, 0) for key in before.keys() | now.keys())


def _missed_fills() -> SequenceGap:
    return SequenceGap(channel=Channel.FILLS, reason="numbers of fills are missing")
