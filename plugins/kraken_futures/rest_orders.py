"""What to send for an order, and what the answers say became of it.

``result: "success"`` means that the request was read. Whether the order was taken stands in
``sendStatus.status``, and what it did at once in the events beside it; ``placed`` is also what a fully
executed order is answered.
See https://docs.kraken.com/api/docs/futures-api/trading/send-order
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from exchange_core.errors import (
    InsufficientFunds,
    NotSupported,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
)
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import plain
from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType, TimeInForce
from exchange_core.model.time import from_rfc3339, to_rfc3339
from kraken_futures import contracts, parse, wire
from kraken_futures.numbers import number, optional

_TAKEN = frozenset({"placed", "partiallyFilled", "filled"})

_REFUSALS: dict[str, tuple[type[OrderRefused], str]] = {
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
    "wouldProcessAfterSpecifiedTime": (OrderRefused, "its deadline had passed when the venue came to it"),
}


def send_params(request: OrderRequest, venue_id: str, venue: str) -> dict[str, Any]:
    """Return the parameters of ``sendorder``. Time in force is part of the order type."""
    return {
        "orderType": _order_type(request, venue),
        "symbol": venue_id,
        "side": request.side.value,
        "size": plain(request.quantity),
        "limitPrice": None if request.price is None else plain(request.price),
        "cliOrdId": request.client_order_id,
        "reduceOnly": True if request.reduce_only else None,
        "processBefore": None if request.deadline is None else to_rfc3339(request.deadline, "microseconds"),
    }


def _order_type(request: OrderRequest, venue: str) -> str:
    if request.time_in_force is TimeInForce.FOK:
        if request.type is OrderType.MARKET:
            raise NotSupported(
                f"{venue}: a market order cannot be fill-or-kill here; give a limit price, or time in force ioc",
                venue=venue,
            )
        return "fok"
    if request.type is OrderType.MARKET:
        return "mkt"  # executes at once within 1 % of the price, the rest is dropped
    if request.time_in_force is TimeInForce.IOC:
        return "ioc"
    return "post" if request.post_only else "lmt"


def sent(request: OrderRequest, instrument: Instrument, status: wire.SendStatus, venue: str) -> Order:
    """Return what became of an order that was sent.

    Raises:
        OrderRefused: It did not happen.
        OutcomeUnknown: The answer contradicts itself.
    """
    events = status.order_events or []
    try:
        executions = _executions(events, status.order_id)
        received = from_rfc3339(status.received_time) if status.received_time else None
    except ProtocolError as problem:
        raise OutcomeUnknown(f"{venue}: sendorder: the answer does not read as documented: {problem}") from problem
    filled = sum((quantity for quantity, _ in executions), Decimal(0))
    outcome = _outcome(request, status, filled, {event.type for event in events}, venue)
    if outcome is OrderStatus.FILLED and not executions:
        filled = request.quantity
    return Order(
        request=request,
        venue=venue,
        status=outcome,
        venue_order_id=status.order_id or _order_id(events),
        client_order_id=request.client_order_id,
        filled=filled,
        average_price=contracts.average_price(instrument.is_inverse, executions),
        reason=status.status if outcome is OrderStatus.CANCELED else None,
        created=received,
        updated=received,
    )


def _outcome(
    request: OrderRequest, status: wire.SendStatus, filled: Decimal, events: set[str], venue: str
) -> OrderStatus:
    rests, ended = "PLACE" in events, not events.isdisjoint({"CANCEL", "REJECT"})
    word = status.status
    if word not in _TAKEN and not filled:
        if word == "cancelled":
            return OrderStatus.CANCELED
        if not rests:
            raise _refusal(word, request, venue)
        if word in _REFUSALS:
            raise OutcomeUnknown(
                f"{venue}: sendorder says {word} and that the order was placed", venue=venue, codes=[word]
            )
    if filled >= request.quantity or (word == "filled" and not filled):
        return OrderStatus.FILLED
    if word == "partiallyFilled" and not filled:
        raise OutcomeUnknown(f"{venue}: sendorder says {word}, and not how much of it", venue=venue, codes=[word])
    if word not in _TAKEN and not rests:
        return OrderStatus.CANCELED  # it ended after it had executed in part
    if request.type is OrderType.LIMIT and request.time_in_force is TimeInForce.GTC and not ended:
        return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
    if "REJECT" in events and not filled:
        raise _refusal(word, request, venue)
    if not filled and not ended:
        raise OutcomeUnknown(f"{venue}: sendorder says {word}, and not what came of it", venue=venue, codes=[word])
    return OrderStatus.CANCELED  # what does not rest is over with its answer


def _refusal(word: str, request: OrderRequest, venue: str) -> OrderRefused:
    kind, text = _REFUSALS.get(word, (OrderRefused, "the order was not taken"))
    return kind(f"{venue}: {request.symbol}: {text} ({word})", venue=venue, codes=[word])


def _executions(events: Iterable[wire.OrderEvent], order_id: str | None) -> list[tuple[Decimal, Decimal]]:
    """Return quantity and price of each execution of ours."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for number_of, event in enumerate(events):
        if event.type != "EXECUTION":
            continue
        owner = event.order_prior_execution.order_id if event.order_prior_execution is not None else None
        if order_id is None or owner is None or owner == order_id:
            key = event.execution_id or str(number_of)
            found[key] = (number(event.amount, "amount"), number(event.price, "price"))
    return list(found.values())


def _order_id(events: Iterable[wire.OrderEvent]) -> str | None:
    orders = (event.order or event.order_prior_execution for event in events)
    return next((order.order_id for order in orders if order is not None and order.order_id), None)


def canceled(order: Order, status: wire.CancelStatus, venue: str) -> None:
    """Check that a cancel did its work.

    Raises:
        OrderNotFound: There was nothing left to cancel.
        OutcomeUnknown: The venue's word is none that we know.
    """
    word = status.status
    if word == "cancelled" or any(event.type == "CANCEL" for event in status.order_events or []):
        return
    what = f"{venue}: cancel {order.venue_order_id or order.client_order_id} of {order.symbol}"
    if word in ("filled", "notFound"):
        raise OrderNotFound(f"{what}: nothing is open any more ({word})", venue=venue, codes=[word])
    raise OutcomeUnknown(f"{what}: the answer is {word!r}; ask for the order before anything else", codes=[word])


def open_order(raw: wire.OpenOrder, instrument: Instrument, venue: str) -> Order | None:
    """Read one of ``openorders``; None for one without a size.

    Triggers (stops and the like) are shown as what they become, with what fires them as the reason: there is no other
    place for them, and hiding an order would be worse.
    """
    filled = number(raw.filled_size, "filledSize")
    quantity = filled + (optional(raw.unfilled_size, "unfilledSize") or Decimal(0))
    if quantity <= 0:
        return None
    price, trigger = optional(raw.limit_price, "limitPrice"), optional(raw.stop_price, "stopPrice")
    is_trigger = raw.order_type not in ("lmt", "post")
    request = OrderRequest(
        symbol=instrument.symbol,
        side=parse.side(raw.side),
        quantity=quantity,
        price=price or None,
        post_only=raw.order_type == "post" and bool(price),
        reduce_only=raw.reduce_only,
        client_order_id=raw.cli_ord_id,
    )
    at = f" at {plain(trigger)} ({raw.trigger_signal or 'signal not told'})" if trigger is not None else ""
    return Order(
        request=request,
        venue=venue,
        status=OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN,
        venue_order_id=raw.order_id,
        client_order_id=raw.cli_ord_id,
        filled=filled,
        reason=f"{raw.order_type}{at}" if is_trigger else None,
        created=from_rfc3339(raw.received_time) if raw.received_time else None,
        updated=from_rfc3339(raw.last_update_time) if raw.last_update_time else None,
    )
