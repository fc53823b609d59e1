"""What Kraken Futures says of orders beyond the normalised model.

Words that we do not know stay as they are, and so do the names of contracts that no instrument list had.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from exchange_core.errors import ExchangeError
from exchange_core.model.number import EXACT
from exchange_core.model.order import OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit, OrderKind, TriggerSignal, Unit


class EventKind(StrEnum):
    """What happened to an order while the venue worked on a call."""

    PLACE = "PLACE"
    EXECUTION = "EXECUTION"
    EDIT = "EDIT"
    CANCEL = "CANCEL"
    REJECT = "REJECT"


class TriggerSide(StrEnum):
    """From which side a price has to come."""

    ABOVE = "above"
    BELOW = "below"


@attrs.frozen(kw_only=True)
class OrderState:
    """An order, or a trigger that waits to become one, at some moment.

    Attributes:
        type: ``lmt``, ``stp`` and so on; ``liquidation``, ``assignment`` and others are the venue's own doing.
    """

    order_id: str | None
    client_order_id: str | None
    type: OrderKind | str | None
    symbol: Symbol | str | None
    side: Side | str | None
    quantity: Decimal | None
    filled: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    trigger_side: TriggerSide | str | None
    trigger_signal: TriggerSignal | str | None
    reduce_only: bool
    created: datetime | None
    updated: datetime | None
    started: datetime | None


@attrs.frozen(kw_only=True)
class OrderEvent:
    """One thing that happened.

    Attributes:
        order: The order: before it, for an execution; after it, for an edit.
        before: The order before an edit.
        reduced: How much of the quantity was taken away, for reduce-only orders.
    """

    kind: EventKind | str
    order: OrderState | None
    before: OrderState | None = None
    is_trigger: bool = False
    order_id: str | None = None
    execution_id: str | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    reduced: Decimal | None = None
    reason: str | None = None


@attrs.frozen(kw_only=True)
class Sent:
    """An order that the venue took.

    Attributes:
        word: The venue's; ``placed`` is also what an order is answered that was filled at once.
        average_price: Of what was executed at once; None while nothing is. Fees are told by the fills feed.
    """

    asked: FuturesOrder
    word: str
    status: OrderStatus
    order_id: str | None
    client_order_id: str
    filled: Decimal
    average_price: Decimal | None
    received: datetime | None
    events: tuple[OrderEvent, ...]


@attrs.frozen(kw_only=True)
class Edited:
    """An order that was changed. Its id stays.

    Attributes:
        executed: What the change made execute at once.
        before, after: The order as the answer has it; None where it does not.
    """

    asked: OrderEdit
    word: str
    order_id: str | None
    client_order_id: str | None
    before: OrderState | None
    after: OrderState | None
    executed: Decimal
    reduced: Decimal | None
    received: datetime | None
    events: tuple[OrderEvent, ...]


@attrs.frozen(kw_only=True)
class Canceled:
    """An order that was open and is not any more."""

    asked: OrderCancel
    word: str
    order_id: str | None
    client_order_id: str | None
    order: OrderState | None
    received: datetime | None
    events: tuple[OrderEvent, ...]


@attrs.frozen(kw_only=True)
class CanceledOrder:
    """One of the orders that a call canceled."""

    order_id: str | None
    client_order_id: str | None
    order: OrderState | None


@attrs.frozen(kw_only=True)
class CanceledAll:
    """What a call for many orders canceled.

    Attributes:
        scope: The contract, or None for all.
    """

    scope: Symbol | None
    word: str
    orders: tuple[CanceledOrder, ...]
    received: datetime | None
    events: tuple[OrderEvent, ...]


@attrs.frozen(kw_only=True)
class DeadMansSwitch:
    """When all orders will be canceled unless the call is made again; None is never."""

    now: datetime
    fires_at: datetime | None


@attrs.frozen(kw_only=True)
class BatchResult:
    """What became of one item of a batch: a result, or why there is none.

    Attributes:
        error: OutcomeUnknown where the answer does not tell; any other did not happen.
    """

    asked: FuturesOrder | OrderEdit | OrderCancel
    word: str | None
    result: Sent | Edited | Canceled | None = None
    error: ExchangeError | None = None


@attrs.frozen(kw_only=True)
class KnownOrder:
    """An order that is open, or ended within the last five seconds.

    Attributes:
        is_trigger: It waits for its trigger.
        word: The venue's status.
        status: In our words; None for one that we do not know.
        reason: Why it last changed.
        error: Why it was refused, as one of the venue's order errors.
        triggered: When its trigger fired.
    """

    order: OrderState
    is_trigger: bool
    word: str
    status: OrderStatus | None
    reason: str | None
    error: str | None
    trailing_deviation: Decimal | None
    trailing_unit: Unit | str | None
    triggered: datetime | None


@attrs.frozen(kw_only=True)
class OpenOrder:
    """One of the open orders, triggers included, with the venue's own particulars."""

    order_id: str
    client_order_id: str | None
    symbol: Symbol | str
    side: Side | str
    type: OrderKind | str
    limit_price: Decimal | None
    stop_price: Decimal | None
    trigger_signal: TriggerSignal | str | None
    unfilled: Decimal
    filled: Decimal
    word: str
    reduce_only: bool
    received: datetime | None
    updated: datetime | None

    @property
    def quantity(self) -> Decimal:
        """All of it, executed or not."""
        return EXACT.add(self.unfilled, self.filled)
