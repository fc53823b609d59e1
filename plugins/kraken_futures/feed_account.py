"""What a connection hears of our account: orders, fills, positions, balances, its log, and notices.

A private message that cannot be read is a hole: what it said has to be fetched over REST. A snapshot that comes to
something already known shows whether something of it had been missed.
See https://docs.kraken.com/api/docs/futures-api/websocket/open_orders and the pages beside it
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import attrs

from exchange_core.connector.feed import FeedStats
from exchange_core.connector.spec import VenueContext
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
from kraken_futures import parse, parse_orders
from kraken_futures import wire_feed as wire
from kraken_futures.checksum import FillSequence, break_between

# Executions that are remembered so that each is passed on once; snapshots repeat them after every reconnect.
_REMEMBERED_FILLS = 20_000
# Triggers that fired and whose order has not come yet.
_REMEMBERED_TRIGGERS = 1_000

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
        symbol: Finds our name for a product.
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
        self._has_fills = False
        self._numbers = FillSequence()
        self._balance_seq: dict[str, int] = {}
        self._triggered: dict[str, str] = {}
        # What is known, to compare snapshots with; of orders by their venue's id.
        self._open: dict[str, Hashable] | None = None
        self._totals: dict[Hashable, Hashable] | None = None
        self._positions: dict[Hashable, Hashable] | None = None

    def opened(self) -> None:
        """A new connection counts anew, and begins with snapshots of everything."""
        self._balance_seq.clear()
        self._numbers = FillSequence()
        self._open = self._totals = self._positions = None

    # Orders.

    def open_orders_snapshot(self, frame: wire.OpenOrdersSnapshot) -> Events:
        orders = tuple(
            parse_orders.open_order(row, self._symbol(row.instrument), snapshot=True) for row in frame.orders
        )
        listed = {row.order_id: _terms(row) for row in frame.orders}
        self.surprise = self._open is not None and self._open != listed
        self._open = listed
        return (OpenOrdersSnapshot(orders=orders),)

    def open_orders(self, frame: wire.OpenOrders) -> Events:
        # There is no sequence on this feed: what is lost here is seen only by comparing with the whole list.
        status = parse_orders.order_status(frame)
        if frame.order is None:
            update = OrderUpdate(venue_order_id=frame.order_id, client_order_id=frame.cli_ord_id)
        else:
            update = parse_orders.open_order(frame.order, self._symbol(frame.order.instrument))
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
        return (attrs.evolve(update, status=status, reason=frame.reason, continues=continues),)

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
        events = self._new_fills(frame)
        suspects = [self._numbers.take(row.seq) for row in frame.fills]
        if any(suspects) and not self._ask("fills"):
            self._stats.gaps += 1
            events = [_missed_fills(), *events]
        return events or (Ignored(kind="no new fills"),)

    def fills_snapshot(self, frame: wire.FillsSnapshot) -> Events:
        events = self._new_fills(frame)
        self.surprise = bool(events) and self._has_fills
        self._has_fills = True
        if self._numbers.take_snapshot([row.seq for row in frame.fills]):
            self._stats.gaps += 1
            events = [_missed_fills(), *events]
        return events or (Ignored(kind="no new fills"),)

    def _new_fills(self, frame: wire.Fills) -> list[Event]:
        events: list[Event] = []
        fresh: dict[str, None] = {}
        for row in frame.fills:
            if row.fill_id in self._fills or row.fill_id in fresh:
                continue
            symbol = self._symbol(row.instrument)
            if symbol is None:
                detail = f"{row.instrument[:60]!r} is in no instrument list; fill {row.fill_id[:60]} is not shown"
                events.append(Unrecognised(kind="fill of an unknown product", detail=detail))
                continue
            events.append(parse.fill(row, symbol, self._context.venue, self._context.assets))
            fresh[row.fill_id] = None
        self._fills.update(fresh)
        while len(self._fills) > _REMEMBERED_FILLS:
            del self._fills[next(iter(self._fills))]
        return events

    # Positions and balances.

    def open_positions(self, frame: wire.OpenPositions) -> Events:
        # Every message is the whole list, so that a lost one does no harm.
        events: list[Event] = []
        positions = []
        for row in frame.positions:
            symbol = self._symbol(row.instrument)
            if symbol is None:
                detail = f"{row.instrument[:60]!r} is in no instrument list"
                events.append(Unrecognised(kind="position in an unknown product", detail=detail))
                continue
            position = parse.position(row, self._context.symbols.instrument(symbol), self._context.venue)
            if position.quantity:
                positions.append(position)
        held: dict[Hashable, Hashable] = {each.symbol: (each.quantity, each.entry_price) for each in positions}
        self.surprise = self._positions is not None and self._positions != held
        self._positions = held
        return (PositionsUpdate(positions=tuple(positions), complete=True), *events)

    def balances(self, frame: wire.Balances) -> Events:
        events: list[Event] = []
        last = self._balance_seq.get(frame.account)
        reason = None if last is None else break_between(last, frame.seq)
        if reason is not None:
            self._stats.gaps += 1
            events.append(SequenceGap(channel=Channel.BALANCES, reason=reason))
        update = self._balances(frame, complete=False)
        if self._totals is not None:
            self._totals.update(_totals(update))
        return (*events, update)

    def balances_snapshot(self, frame: wire.BalancesSnapshot) -> Events:
        update = self._balances(frame, complete=True)
        before, self._totals = self._totals, _totals(update)
        self.surprise = before is not None and _changed(before, self._totals)
        return (update,)

    def _balances(self, frame: wire.Balances, *, complete: bool) -> BalancesUpdate:
        update = parse.balances(frame, self._context.venue, self._context.assets)
        result = BalancesUpdate(balances=tuple(update), complete=complete)
        self._balance_seq[frame.account] = frame.seq
        return result


def _terms(row: wire.OpenOrder) -> Hashable:
    return (row.qty, row.filled, row.limit_price, row.stop_price)


def _totals(update: BalancesUpdate) -> dict[Hashable, Hashable]:
    return {(each.wallet, each.asset): each.total for each in update.balances}


def _changed(before: Mapping[Any, Any], now: Mapping[Any, Any]) -> bool:
    """Return whether totals differ; one that is not there is 0."""
    return any(before.get(key, 0) != now.get(key, 0) for key in before.keys() | now.keys())


def _missed_fills() -> SequenceGap:
    return SequenceGap(channel=Channel.FILLS, reason="numbers of fills are missing")
