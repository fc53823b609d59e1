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
from exchange_core.simulator.engine.market import MarketState


class Told:
    """Collects what listeners will be told."""

    def __init__(self) -> None:
        self._events: list[SimEvent] = []

    def take(self) -> list[SimEvent]:
        """Return all events so far and begin anew."""
        events, self._events = self._events, []
        return events

    def order(self, event: OrderEvent, order: SimOrder, fill: SimFill | None = None) -> None:
        self._events.append(OrderChanged(event=event, order=order.copy(), fill=fill))

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
