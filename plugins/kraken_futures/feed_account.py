"""What a connection hears of our account: orders, fills, positions, balances.

A private message that cannot be read is a hole: what it said has to be fetched over REST.
See https://docs.kraken.com/api/docs/futures-api/websocket/open_orders and the pages beside it
"""

from __future__ import annotations

from collections.abc import Callable

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
from kraken_futures import parse
from kraken_futures import wire_feed as wire
from kraken_futures.checksum import break_between

# Executions that are remembered so that each is passed on once; snapshots repeat them after every reconnect.
_REMEMBERED_FILLS = 20_000

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
    """

    def __init__(self, context: VenueContext, stats: FeedStats, symbol: Callable[[str], Symbol | None]) -> None:
        self._context = context
        self._stats = stats
        self._symbol = symbol
        self._fills: dict[str, None] = {}
        self._balance_seq: dict[str, int] = {}

    def open_orders_snapshot(self, frame: wire.OpenOrdersSnapshot) -> Events:
        orders = tuple(parse.open_order(row, self._symbol(row.instrument), snapshot=True) for row in frame.orders)
        return (OpenOrdersSnapshot(orders=orders),)

    def open_orders(self, frame: wire.OpenOrders) -> Events:
        # There is no sequence on this feed: what is lost here is seen only by comparing with openorders.
        status = parse.order_status(frame)
        if frame.order is None:
            update = OrderUpdate(venue_order_id=frame.order_id, client_order_id=frame.cli_ord_id)
        else:
            update = parse.open_order(frame.order, self._symbol(frame.order.instrument))
            if frame.is_cancel and status is not OrderStatus.FILLED:
                # Whether "remaining" is still told of an order that ended is not documented.
                update = attrs.evolve(update, quantity=None)
        if update.venue_order_id is None and update.client_order_id is None:
            return damaged("open_orders", "neither order nor order_id says which order it is")
        return (attrs.evolve(update, status=status, reason=frame.reason),)

    def fills(self, frame: wire.Fills) -> Events:
        # "seq" counts over the account, but nothing promises that it has no holes; fill_id tells what is new.
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
        return events or (Ignored(kind="no new fills"),)

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
        return (PositionsUpdate(positions=tuple(positions), complete=True), *events)

    def balances(self, frame: wire.Balances) -> Events:
        events: list[Event] = []
        last = self._balance_seq.get(frame.account)
        reason = None if last is None else break_between(last, frame.seq)
        if reason is not None:
            self._stats.gaps += 1
            events.append(SequenceGap(channel=Channel.BALANCES, reason=reason))
        return (*events, self._balances(frame, complete=False))

    def balances_snapshot(self, frame: wire.BalancesSnapshot) -> Events:
        return (self._balances(frame, complete=True),)

    def _balances(self, frame: wire.Balances, *, complete: bool) -> BalancesUpdate:
        update = parse.balances(frame, self._context.venue, self._context.assets)
        result = BalancesUpdate(balances=tuple(update), complete=complete)
        self._balance_seq[frame.account] = frame.seq
        return result

    def opened(self) -> None:
        """A new connection counts its balances anew."""
        self._balance_seq.clear()
