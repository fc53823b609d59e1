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
        self._events.extend(
            BookChanged(
                symbol=market.symbol,
                side=change.side,
                price=market.price(change.price),
                quantity=market.quantity(change.quantity),
            )
            for change in market.book.take_changes()
        )


def _copy(order: SimOrder) -> SimOrder:
    """Return *order* as it is now. Written out, as attrs.evolve takes eight times as long."""
    return SimOrder(
        id=order.id,
        account=order.account,
        request=order.request,
        status=order.status,
        created=order.created,
        updated=order.updated,
        filled=order.filled,
        cost=order.cost,
        fee=order.fee,
        fee_asset=order.fee_asset,
        reason=order.reason,
        fill_ids=order.fill_ids.copy(),
        trigger=order.trigger,
        triggered=order.triggered,
        amended=order.amended,
        amends=order.amends.copy(),
        parent=order.parent,
        limit=order.limit,
        shown=order.shown,
        queued=order.queued,
        place=order.place,
        liquidation=order.liquidation,
    )
