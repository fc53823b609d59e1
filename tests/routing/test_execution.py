"""Legs are sent once, followed to an end that is known, and never guessed at."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import (
    ConnectFailed,
    ExchangeError,
    InsufficientFunds,
    InvalidValue,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
    RateLimited,
    SlowConsumer,
    UnknownVenue,
    VenueUnavailable,
)
from exchange_core.model.fill import Fee
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.routing import Execution, LegOutcome, Patience, Plan, RouteResult, VenueQuote, execute, plan

D = Decimal
BRISK = Patience(sending=0.2, ending=0.1, asking=0.1, fills=0.05, between_asks=0.01)
PATIENT = Patience(sending=5, ending=5, asking=5, fills=5, between_asks=5)


class FixedClock:
    """A clock that stands at the moment of the plan."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def time_ns(self) -> int:
        return 0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


@pytest.fixture
def clock(now: datetime) -> FixedClock:
    return FixedClock(now)


@pytest.fixture
def a(venue: Callable[..., Any]) -> Any:
    return venue("a")


@pytest.fixture
def b(venue: Callable[..., Any]) -> Any:
    return venue("b")


@pytest.fixture
def both(quote: Callable[..., VenueQuote], now: datetime) -> Plan:
    """Buy 0.3 of A at 100 and 0.2 of B at 101."""
    request = OrderRequest(symbol="BTC/USD", side="buy", quantity="0.5")
    quotes = [quote("a", asks=[("100", "0.3")], fee="0.001"), quote("b", asks=[("101", "0.2")], fee="0.001")]
    return plan(request, quotes, now=now)


@pytest.fixture
def run(a: Any, b: Any, both: Plan, clock: FixedClock) -> Callable[..., Awaitable[RouteResult]]:
    async def run(patience: Patience = PATIENT) -> RouteResult:
        async with asyncio.timeout(4):
            return await execute(both, {"a": a, "b": b}, patience=patience, clock=clock)

    return run


@pytest.fixture(autouse=True)
async def _nothing_is_left_behind(a: Any, b: Any) -> Any:
    yield
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("route")] == []
    assert all(stream.closed for venue in (a, b) if venue.placed for stream in (venue.orders, venue.executions))


def raising(error: Exception) -> Callable[..., Awaitable[Order]]:
    async def answer(_: object) -> Order:
        raise error

    return answer


async def never(_: object) -> Order:
    return await asyncio.Event().wait()  # type: ignore[return-value]


async def test_all_legs_are_filled(a: Any, b: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    result = await run()
    assert [leg.outcome for leg in result.legs] == [LegOutcome.FILLED] * 2
    assert (result.filled, result.remainder, result.unknown) == (D("0.5"), 0, 0)
    assert result.fees == (Fee(asset="USD", amount=D("0.0502")),)  # 0.030 + 0.0202
    assert result.average_price == D("100.4")  # (30 + 20.2) / 0.5
    assert [fill.venue for fill in result.fills] == ["a", "b"]
    assert (len(a.placed), len(b.placed)) == (1, 1)


async def test_legs_are_sent_at_the_same_time(a: Any, b: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    """Each venue answers only when the other has its order too."""
    barrier = asyncio.Barrier(2)

    def meeting(venue: Any) -> Callable[[OrderRequest], Awaitable[Order]]:
        async def place(request: OrderRequest) -> Order:
            await barrier.wait()
            order: Order = await venue.fill_at_once(request)
            return order

        return place

    a.on_place, b.on_place = meeting(a), meeting(b)
    assert (await run()).filled == D("0.5")


async def test_the_end_comes_as_news(a: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    async def place(request: OrderRequest) -> Order:
        order: Order = a.order_of(request, OrderStatus.OPEN)
        a.executions.queue.put_nowait(a.fill_of(order, "0.1"))
        a.orders.queue.put_nowait(a.order_of(request, OrderStatus.CANCELED, "0.1", reason="rest of an IOC"))
        return order

    a.on_place = place
    first = (await run()).legs[0]
    assert (first.outcome, first.filled, first.reason) == (LegOutcome.PARTLY_FILLED, D("0.1"), "rest of an IOC")


async def test_news_may_come_before_the_answer(a: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    async def place(request: OrderRequest) -> Order:
        a.executions.queue.put_nowait(a.fill_of(a.order_of(request)))
        a.orders.queue.put_nowait(a.order_of(request))
        await a.orders.queue.join()
        await a.executions.queue.join()
        return a.order_of(request, OrderStatus.PENDING)  # type: ignore[no-any-return]

    a.on_place = place
    assert (await run()).legs[0].outcome is LegOutcome.FILLED


async def test_without_news_the_venue_is_asked(a: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    """Neither stream works; the order and its fills are read."""
    a.orders.error = a.executions.error = SlowConsumer("not read in time")

    async def place(request: OrderRequest) -> Order:
        return a.order_of(request, OrderStatus.OPEN)  # type: ignore[no-any-return]

    async def ask(order: Order) -> Order:
        return a.order_of(order.request)  # type: ignore[no-any-return]

    a.on_place, a.on_order = place, ask
    strangers = a.order_of(OrderRequest(symbol="BTC/USD", side="buy", quantity="9", price="1"))
    stranger = a.fill_of(strangers, number=7, venue_order_id="other", client_order_id=None)
    a.history = [
        stranger,
        a.fill_of(a.order_of(OrderRequest(symbol="BTC/USD", side="buy", quantity="0.3", price="100"))),
    ]
    leg = (await run(BRISK)).legs[0]
    assert (leg.outcome, [fill.id for fill in leg.fills]) == (LegOutcome.FILLED, ["a-fill-1"])


async def test_news_of_other_orders_are_nothing_to_us(a: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    async def place(request: OrderRequest) -> Order:
        other = a.order_of(request, venue_order_id="other", client_order_id="other")
        a.orders.queue.put_nowait(other)
        a.executions.queue.put_nowait(a.fill_of(other, number=9))
        a.orders.queue.put_nowait(a.order_of(request, OrderStatus.CANCELED))
        return a.order_of(request, OrderStatus.OPEN)  # type: ignore[no-any-return]

    a.on_place = place
    leg = (await run()).legs[0]
    assert (leg.outcome, leg.filled, leg.fills) == (LegOutcome.UNFILLED, 0, ())


async def test_fills_that_are_missing_are_said_to_be(a: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    async def place(request: OrderRequest) -> Order:
        order: Order = a.order_of(request, fees=(Fee(asset="USD", amount=D("0.04")),))
        a.executions.queue.put_nowait(a.fill_of(order, "0.1"))
        return order

    a.on_place = place
    leg = (await run(BRISK)).legs[0]
    assert (leg.filled, leg.fills_complete) == (D("0.3"), False)
    assert leg.fees == (Fee(asset="USD", amount=D("0.04")),)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OrderRefused("a: no"), id="refused"),
        pytest.param(InsufficientFunds("a: too little"), id="funds"),
        pytest.param(ConnectFailed("a: no connection"), id="nothing sent"),
        pytest.param(RateLimited("a: slower"), id="rate limit"),
    ],
)
async def test_a_refused_leg_leaves_the_others_alone(
    a: Any, b: Any, run: Callable[..., Awaitable[RouteResult]], error: ExchangeError
) -> None:
    a.on_place = raising(error)
    result = await run()
    assert [leg.outcome for leg in result.legs] == [LegOutcome.REFUSED, LegOutcome.FILLED]
    assert result.legs[0].reason == str(error)
    assert (result.filled, result.remainder, result.unknown) == (D("0.2"), D("0.3"), 0)
    assert result.is_certain


async def test_a_rejected_order_is_refused(a: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    async def place(request: OrderRequest) -> Order:
        return a.order_of(request, OrderStatus.REJECTED, reason="too big")  # type: ignore[no-any-return]

    a.on_place = place
    leg = (await run()).legs[0]
    assert (leg.outcome, leg.reason) == (LegOutcome.REFUSED, "too big")


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OutcomeUnknown("a: no answer"), id="no answer"),
        pytest.param(VenueUnavailable("a: overload"), id="overload"),
        pytest.param(ProtocolError("a: nonsense"), id="an answer that does not read"),
        pytest.param(InvalidValue("price: x"), id="a value in the answer that does not read"),
        pytest.param(RuntimeError("bug"), id="a bug"),
    ],
)
async def test_any_other_error_leaves_the_outcome_unknown(
    a: Any, run: Callable[..., Awaitable[RouteResult]], error: Exception
) -> None:
    a.on_place = raising(error)
    result = await run()
    assert [leg.outcome for leg in result.legs] == [LegOutcome.UNKNOWN, LegOutcome.FILLED]
    assert (result.filled, result.unknown, result.remainder) == (D("0.2"), D("0.3"), 0)
    assert not result.is_certain
    assert str(error) in str(result.legs[0].reason)
    assert any("0.3 may or may not be executed" in line for line in result.explain())
    assert len(a.placed) == 1


async def test_no_answer_at_all_is_unknown(a: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    a.on_place = never
    leg = (await run(BRISK)).legs[0]
    assert (leg.outcome, leg.unknown, leg.reason) == (LegOutcome.UNKNOWN, D("0.3"), "no answer within 0.2 s")


async def test_an_order_being_looked_for_stays_unknown(a: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    """Cancelling it is tried; as nobody knows it yet, it may still come."""

    async def place(request: OrderRequest) -> Order:
        return a.order_of(request, OrderStatus.PENDING, venue_order_id=None, unknown=True)  # type: ignore[no-any-return]

    a.on_place = place
    result = await run(BRISK)
    assert result.legs[0].outcome is LegOutcome.UNKNOWN
    assert result.legs[0].order is not None
    assert (len(a.placed), len(a.canceled)) == (1, 1)


async def test_what_of_an_unknown_leg_is_known_to_be_filled_counts(
    a: Any, run: Callable[..., Awaitable[RouteResult]]
) -> None:
    async def place(request: OrderRequest) -> Order:
        order: Order = a.order_of(request, OrderStatus.PENDING, venue_order_id=None, unknown=True)
        a.executions.queue.put_nowait(a.fill_of(order, "0.1"))
        return order

    a.on_place = place
    result = await run(BRISK)
    assert (result.legs[0].outcome, result.legs[0].filled, result.unknown) == (LegOutcome.UNKNOWN, D("0.1"), D("0.2"))


async def test_an_order_that_stays_open_is_cancelled(a: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    async def place(request: OrderRequest) -> Order:
        return a.order_of(request, OrderStatus.OPEN)  # type: ignore[no-any-return]

    async def cancel(order: Order) -> Order:
        a.executions.queue.put_nowait(a.fill_of(order, "0.2"))
        return a.order_of(order.request, OrderStatus.CANCELED, "0.2")  # type: ignore[no-any-return]

    async def ask(order: Order) -> Order:
        return order

    a.on_place, a.on_cancel, a.on_order = place, cancel, ask
    leg = (await run(BRISK)).legs[0]
    assert (leg.outcome, leg.filled, len(a.canceled)) == (LegOutcome.PARTLY_FILLED, D("0.2"), 1)


async def test_a_cancel_that_comes_too_late_is_asked_after(a: Any, run: Callable[..., Awaitable[RouteResult]]) -> None:
    """The venue knows no such open order any more; asked again, it says that it was filled."""
    answers = iter([OrderStatus.OPEN] * 3)

    async def place(request: OrderRequest) -> Order:
        return a.order_of(request, OrderStatus.OPEN)  # type: ignore[no-any-return]

    async def ask(order: Order) -> Order:
        status = OrderStatus.FILLED if a.canceled else next(answers, OrderStatus.OPEN)
        return a.order_of(order.request, status)  # type: ignore[no-any-return]

    a.on_place, a.on_order = place, ask
    leg = (await run(BRISK)).legs[0]
    assert (leg.outcome, leg.reason) == (LegOutcome.FILLED, None)


async def test_an_end_that_was_only_concluded_can_be_taken_back(
    a: Any, now: datetime, run: Callable[..., Awaitable[RouteResult]]
) -> None:
    """The venue layer took the order for dead, then heard of it again: the later word counts."""

    async def place(request: OrderRequest) -> Order:
        later = a.order_of(request, OrderStatus.OPEN, updated=now + timedelta(seconds=1))
        a.orders.queue.put_nowait(a.order_of(request, OrderStatus.EXPIRED, updated=now))
        a.orders.queue.put_nowait(later)
        await a.orders.queue.join()
        a.orders.queue.put_nowait(a.order_of(request, updated=now + timedelta(seconds=2)))
        a.executions.queue.put_nowait(a.fill_of(later))
        return later  # type: ignore[no-any-return]

    a.on_place = place
    assert (await run()).legs[0].outcome is LegOutcome.FILLED


async def test_a_cancelled_route_waits_for_answers_and_cancels_what_is_open(
    a: Any, b: Any, both: Plan, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A leg that is being sent is never torn down: that would make its outcome unknown."""
    sending, answer = asyncio.Event(), asyncio.Event()

    async def place(request: OrderRequest) -> Order:
        sending.set()
        await answer.wait()
        return a.order_of(request, OrderStatus.OPEN)  # type: ignore[no-any-return]

    async def cancel(order: Order) -> Order:
        return a.order_of(order.request, OrderStatus.CANCELED)  # type: ignore[no-any-return]

    a.on_place, a.on_cancel = place, cancel
    execution = Execution(both, {"a": a, "b": b}, patience=PATIENT, clock=clock)
    task = asyncio.create_task(execution.run())
    async with asyncio.timeout(4):
        await sending.wait()
        task.cancel()
        await asyncio.sleep(0)
        answer.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [leg.outcome for leg in execution.result.legs] == [LegOutcome.UNFILLED, LegOutcome.FILLED]
    assert len(a.canceled) == 1
    assert "route was cancelled: a: unfilled: 0 of 0.3; b: filled: 0.2 of 0.2" in caplog.text


async def test_a_second_cancellation_leaves_the_leg_unknown(
    a: Any, b: Any, both: Plan, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    sending = asyncio.Event()

    async def place(request: OrderRequest) -> Order:
        sending.set()
        return await never(request)

    a.on_place = place
    execution = Execution(both, {"a": a, "b": b}, patience=PATIENT, clock=clock)
    task = asyncio.create_task(execution.run())
    async with asyncio.timeout(4):
        await sending.wait()
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert execution.result.legs[0].outcome is LegOutcome.UNKNOWN
    assert execution.result.legs[0].reason == "it was sent, and no answer came"
    assert "a: unknown: 0 of 0.3" in caplog.text


async def test_a_plan_is_carried_out_once(
    a: Any, b: Any, both: Plan, clock: FixedClock, run: Callable[..., Awaitable[RouteResult]]
) -> None:
    await run()
    with pytest.raises(OrderRefused, match="this plan was carried out before; make a new one"):
        await run()
    assert (len(a.placed), len(b.placed)) == (1, 1)


async def test_an_old_plan_is_not_carried_out(a: Any, b: Any, both: Plan, now: datetime) -> None:
    later = FixedClock(now + timedelta(seconds=6))
    with pytest.raises(OrderRefused, match=r"the plan is 6 s old, 5 s are allowed"):
        await execute(both, {"a": a, "b": b}, clock=later)
    assert not a.placed
    assert not b.placed
    assert (await execute(both, {"a": a, "b": b}, clock=later, max_age=timedelta(seconds=6))).filled == D("0.5")


async def test_a_venue_that_is_missing_is_noticed_before_anything_is_sent(a: Any, both: Plan) -> None:
    with pytest.raises(UnknownVenue, match="no venue 'b'; there are a"):
        await execute(both, {"a": a})
    assert not a.placed
