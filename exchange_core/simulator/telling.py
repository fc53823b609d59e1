"""The events of one request, in the order in which things happen."""

from __future__ import annotations

from exchange_core.connector.simulation import (
    BalanceChanged,
    BookChanged,
    OrderChanged,
    OrderEvent,
    PositionChanged,
    SimEvent,
    SimFill,
    SimLedgerEntry,
    SimOrder,
    SimPosition,
    SimTrade,
    Traded,
)
from exchange_core.simulator.market import MarketState


class Told:
    """Collects what listeners will be told."""

    def __init__(self) -> None:
        self._events: list[SimEvent] = []

    def take(self) -> list[SimEvent]:
        """Return all events so far and begin anew."""
        events, self._events = self._events, []
        return events

    def order(self, event: OrderEvent, order: SimOrder, fill: SimFill | None = None) -> None:
        self._events.append(OrderChanged(event=event, order=_copy(order), fill=fill))

    def trade(self, trade: SimTrade) -> None:
        self._events.append(Traded(trade=trade))

    def entry(self, entry: SimLedgerEntry) -> None:
        self._events.append(BalanceChanged(entry=entry))

    def position(self, account: str, position: SimPosition) -> None:
        self._events.append(PositionChanged(account=account, position=position))

    def book(self, market: MarketState) -> None:
        """Tell which levels differ from when they were last told."""
        for change in market.book.take_changes():
            self._events.append(
                BookChanged(
                    symbol=market.symbol,
                    side=change.side,
                    price=market.price(change.price),
                    quantity=market.quantity(change.quantity),
                )
            )


def _copy(order: SimOrder) -> SimOrder:
    """Return *order* as it is now. Written out, as attrs.evolve takes thirty times as long, and __init__ four times."""
    copy = SimOrder.__new__(SimOrder)
    copy.id = order.id
    copy.account = order.account
    copy.request = order.request
    copy.status = order.status
    copy.created = order.created
    copy.updated = order.updated
    copy.filled = order.filled
    copy.cost = order.cost
    copy.fee = order.fee
    copy.fee_asset = order.fee_asset
    copy.reason = order.reason
    copy.fill_ids = order.fill_ids.copy()
    copy.trigger = order.trigger
    copy.triggered = order.triggered
    copy.amended = order.amended
    copy.amends = order.amends
    copy.parent = order.parent
    copy.limit = order.limit
    copy.shown = order.shown
    copy.queued = order.queued
    copy.place = order.place
    copy.liquidation = order.liquidation
    return copy
