"""What the venue's answers to orders mean, whichever call they come from.

The word of an answer and the events beside it have to agree. A word that we do not know is a refusal only when no
event says that something happened.
See https://docs.kraken.com/api/docs/futures-api/trading/send-order
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import attrs

from exchange_core.errors import InsufficientFunds, OrderNotFound, OrderRefused, OutcomeUnknown, ProtocolError
from exchange_core.model.number import EXACT, total
from exchange_core.model.order import OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339
from kraken_futures import contracts
from kraken_futures.numbers import number, optional
from kraken_futures.wire import common as wire

TAKEN = frozenset({"placed", "partiallyFilled", "filled"})

REFUSALS: dict[str, tuple[type[OrderRefused], str]] = {
    "marketSuspended": (OrderRefused, "the market is suspended"),
    "marketInactive": (OrderRefused, "the market is not active"),
    "marketIsPostOnly": (OrderRefused, "the market takes post-only orders now"),
    "invalidPrice": (OrderRefused, "the price is not valid"),
    "invalidSize": (OrderRefused, "the quantity is not valid"),
    "invalidOrderType": (OrderRefused, "the order type is not valid"),
    "invalidSide": (OrderRefused, "the side is not valid"),
    "outsidePriceCollar": (OrderRefused, "the price is too far from the mark price"),
    "wouldIncreasePriceDislocation": (OrderRefused, "it would move the price further from the index"),
    "tooManySmallOrders": (OrderRefused, "too many small orders are open"),
    "tooManyOrders": (OrderRefused, "too many orders are open"),
    "insufficientAvailableFunds": (InsufficientFunds, "not enough margin"),
    "wouldCauseLiquidation": (OrderRefused, "it would lead to liquidation"),
    "maxPositionViolation": (OrderRefused, "the position would be larger than allowed"),
    "fixedLeverageTooHigh": (OrderRefused, "the leverage set for this market is too high"),
    "clientOrderIdAlreadyExist": (OrderRefused, "the client order id was used before"),
    "clientOrderIdTooBig": (OrderRefused, "the client order id is longer than 100 characters"),
    "clientOrderIdTooLong": (OrderRefused, "the client order id is longer than 100 characters"),
    "clientOrderIdInvalid": (OrderRefused, "the client order id is not valid"),
    "postWouldExecute": (OrderRefused, "the post-only order would have taken"),
    # Also expected for a FOK order that cannot be filled: its own status is not documented.
    "iocWouldNotExecute": (OrderRefused, "there was nothing to execute against"),
    "selfFill": (OrderRefused, "it would have traded with an order of the same account"),
    "wouldNotReducePosition": (OrderRefused, "the reduce-only order would not reduce the position"),
    "notFound": (OrderRefused, "the venue found no such thing"),
    "wouldProcessAfterSpecifiedTime": (
        OrderRefused,
        "its deadline had passed when the venue came to it; where all orders meet this, the clock here is behind",
    ),
}


# What only edits and items of batches are answered, or mean otherwise.
EDIT_REFUSALS: dict[str, tuple[type[OrderRefused], str]] = {
    "notFound": (OrderNotFound, "there is no such open order"),
    "orderForEditNotFound": (OrderNotFound, "there is no such open order"),
    "orderForEditNotAStop": (OrderRefused, "a stop price was given for an order that is no stop"),
    "cannotEditTriggerPriceOfTrailingStop": (OrderRefused, "the trigger of a trailing stop follows the market"),
    "cannotEditLimitPriceOfTrailingStop": (OrderRefused, "the limit of a trailing stop follows the market"),
    "requiredArgumentMissing": (OrderRefused, "an argument is missing"),
}


@attrs.frozen(kw_only=True)
class Question:
    """An order as far as its answer is judged by it.

    Attributes:
        rests: It stays in the book, or waits for its trigger, when it does not execute at once.
        client_order_id: Ours; a trigger that fires at once may execute under another id of the venue's.
    """

    symbol: Symbol
    quantity: Decimal
    rests: bool
    call: str = "sendorder"
    client_order_id: str | None = None


@attrs.frozen(kw_only=True)
class Outcome:
    """What an order has become by its answer."""

    status: OrderStatus
    filled: Decimal
    average_price: Decimal | None
    order_id: str | None
    received: datetime | None


def judge(asked: Question, status: wire.SendStatus, venue: str) -> Outcome:
    """Return what became of an order.

    Raises:
        OrderRefused: It did not happen.
        OutcomeUnknown: The answer contradicts itself.
    """
    events = status.order_events or []
    order_id = status.order_id or _order_id(events)
    try:
        executed = executions(events, order_id, asked.client_order_id)
        average = contracts.average_price(asked.symbol.is_inverse, executed)
        received = from_rfc3339(status.received_time) if status.received_time else None
        left = _left(asked, events) if events else asked.quantity
        asked = asked if left == asked.quantity else attrs.evolve(asked, quantity=left)
    except (ProtocolError, ArithmeticError) as problem:  # such as an execution at the price 0
        raise OutcomeUnknown(f"{venue}: {asked.call}: the answer does not read as documented: {problem}") from problem
    filled = total(quantity for quantity, _ in executed)
    outcome = _status(asked, status.status, filled, {event.type for event in events}, venue)
    if outcome is OrderStatus.FILLED and not executed:
        filled = asked.quantity
    return Outcome(
        status=outcome,
        filled=filled,
        average_price=average,
        order_id=order_id,
        received=received,
    )


def _status(asked: Question, word: str, filled: Decimal, events: set[str], venue: str) -> OrderStatus:
    rests, ended = "PLACE" in events, not events.isdisjoint({"CANCEL", "REJECT"})
    if word not in TAKEN and not filled:
        if word == "edited":  # that is no answer to an order, and no refusal
            raise _unknown(asked, word, "that something else was done", venue)
        if word == "cancelled":
            return OrderStatus.CANCELED
        if not rests:
            raise refusal(word, asked.symbol, venue)
        if word in REFUSALS:
            raise _unknown(asked, word, "that the order was placed", venue)
    if filled >= asked.quantity or (word == "filled" and not filled):
        return OrderStatus.FILLED
    if word == "partiallyFilled" and not filled:
        raise _unknown(asked, word, "not how much of it", venue)
    if word not in TAKEN and not rests:
        return OrderStatus.CANCELED  # it ended after it had executed in part
    if asked.rests and not ended:
        return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
    if "REJECT" in events and not filled:
        raise refusal(word, asked.symbol, venue)
    if not filled and not ended:
        raise _unknown(asked, word, "not what came of it", venue)
    return OrderStatus.CANCELED  # what does not rest is over with its answer


def _left(asked: Question, events: Iterable[wire.OrderEvent]) -> Decimal:
    """Return how large the order is: less than was asked for where reduce-only took the rest away as it executed."""
    reduced = Decimal(0)
    for event in events:
        if event.type == "PLACE":
            return asked.quantity  # what is left of it stands, and is told of when it ends
        if event.type == "EXECUTION":
            reduced = max(reduced, optional(event.taker_reduced_quantity, "takerReducedQuantity") or Decimal(0))
    return EXACT.subtract(asked.quantity, reduced) if reduced < asked.quantity else asked.quantity


def _unknown(asked: Question, word: str, what: str, venue: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"{venue}: {asked.call} says {word} and {what}", venue=venue, codes=[word])


def refusal(
    word: str, label: object, venue: str, table: Mapping[str, tuple[type[OrderRefused], str]] | None = None
) -> OrderRefused:
    """Return the error that a word of refusal is.

    Args:
        table: What words mean here, before they mean what they always do.
    """
    kind, text = (table or {}).get(word) or REFUSALS.get(word, (OrderRefused, "the venue did not take it"))
    return kind(f"{venue}: {label}: {text} ({word})", venue=venue, codes=[word])


def executions(
    events: Iterable[wire.OrderEvent], order_id: str | None, client_order_id: str | None = None
) -> list[tuple[Decimal, Decimal]]:
    """Return quantity and price of each execution of ours, by the venue's id or by ours."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for number_of, event in enumerate(events):
        if event.type != "EXECUTION":
            continue
        prior = event.order_prior_execution or wire.OrderInEvent()
        is_ours = client_order_id is not None and prior.cli_ord_id == client_order_id
        if order_id is None or prior.order_id in (None, order_id) or is_ours:
            key = event.execution_id or str(number_of)
            found[key] = (number(event.amount, "amount"), number(event.price, "price"))
    return list(found.values())


def _order_id(events: Iterable[wire.OrderEvent]) -> str | None:
    # What was placed is ours for sure.
    for event in sorted(events, key=lambda event: event.type == "EXECUTION"):
        if isinstance(event.order_trigger, dict) and isinstance(event.order_trigger.get("uid"), str):
            return str(event.order_trigger["uid"]) or None
        order = event.order or event.order_prior_execution
        if order is not None and order.order_id:
            return order.order_id
    return None
