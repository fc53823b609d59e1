"""What can go wrong with a request over a live connection, and whether the venue's books and ours agree in the end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.errors import ExchangeError
from exchange_core.model.fill import Fill
from exchange_core.model.order import Order, OrderStatus
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.tally import Tally
from exchange_core.simulator.launch import ACCOUNT
from exchange_core.venue.protocol import EventStream
from exchange_core.venue.resolver import ResolvePolicy
from tests.house.chaos import NOTHING, SPOT, FastClock, House, house, until
from tests.house.chaos_report import written

SPEED = 10
"""How much faster than real time these houses live: what waits for a deadline waits for a third of a second."""

PATIENT = ResolvePolicy(first_pause=0.5, margin=0.5, lag=0.5, longest_pause=1.0, wait=90.0, cancel_wait=2.0, audit=12.0)
ON_LINE: dict[str, Any] = {"order_entry": "auto", "request_timeout": 2.0, "order_deadline": 3.0}

# Spot's methods, and where the same is asked for over REST.
PATHS = {
    "add_order": "AddOrder",
    "batch_add": "AddOrderBatch",
    "amend_order": "AmendOrder",
    "cancel_order": "CancelOrder",
    "batch_cancel": "CancelOrderBatch",
    "cancel_all": "CancelAll",
    "cancel_all_orders_after": "CancelAllOrdersAfter",
}


@attrs.frozen
class LineFault:
    """Something that goes wrong once with one request over the line.

    Attributes:
        where: ``in`` for the request, ``out`` for its answer.
        arrives: Whether the venue carries out what was asked.
        word: What the frame has, instead of the method.
    """

    name: str
    action: actions.Action
    where: str
    arrives: bool
    word: str = ""

    def __str__(self) -> str:
        return self.name

    def strike(self, home: House, method: str, **given: Any) -> Tally:
        word = self.word or f'"method":"{method}"'
        return home.strike(self.action, websocket=self.where, contains=word, **{"times": 1, **given})


NEVER_ARRIVES = (
    LineFault("request dropped", actions.Drop(), "in", False),
    LineFault("line cut before the request", actions.Cut(), "in", False),
    LineFault("request cut in half", actions.Truncate(), "in", False),
    LineFault("requests frozen", actions.Freeze(), "in", False),
    LineFault("client silent", actions.Silence(), "in", False),
)
ARRIVES = (
    LineFault("request twice", actions.Duplicate(), "in", True),
    LineFault("request late", actions.Delay(0.7), "in", True),
    LineFault("number of the request wrong", actions.Corrupt("req_id"), "in", True),
    LineFault("answer dropped", actions.Drop(), "out", True),
    LineFault("answer twice", actions.Duplicate(), "out", True),
    LineFault("answer late", actions.Delay(4), "out", True),
    LineFault("answer cut in half", actions.Truncate(), "out", True),
    LineFault("number of the answer wrong", actions.Corrupt("req_id"), "out", True),
    LineFault("line cut before the answer", actions.Cut(), "out", True),
    LineFault("venue silent from the answer on", actions.Silence(), "out", True),
)
LINE_FAULTS = (*NEVER_ARRIVES, *ARRIVES)


def named(name: str) -> LineFault:
    return next(fault for fault in LINE_FAULTS if fault.name == name)


@attrs.frozen
class Ways:
    """How often something was asked for over the line and over REST."""

    line: Tally
    rest: Tally

    @property
    def sent(self) -> tuple[int, int]:
        return self.line.matched, self.rest.matched


def ways(home: House, method: str) -> Ways:
    """Count what is sent from now on."""
    line = home.count(websocket="in", contains=f'"method":"{method}"')
    return Ways(line, home.count(http=f"/0/private/{PATHS[method]}"))


@asynccontextmanager
async def on_line(**options: Any) -> AsyncIterator[House]:
    """Run the spot venue and trade over its private connection, which is open; check all books in the end."""
    async with house(SPOT, clock=FastClock(SPEED), policy=PATIENT, **ON_LINE | options) as home, told(home):
        await home.follow()
        yield home
        home.faults.clear()
        await agrees(home)


@asynccontextmanager
async def told(home: House) -> AsyncIterator[list[Fill]]:
    """Read the fills of a house; in the end every one of the account was delivered, and none twice."""
    found: list[Fill] = []

    async def read(stream: EventStream[Fill]) -> None:
        try:
            async for fill in stream:
                found.append(fill)  # noqa: PERF401 (each as it comes)
        except ExchangeError as error:
            home.notes.append(f"the reader of fills was ended: {type(error).__name__}: {error}")

    async with home.venue.fill_updates() as stream:
        reading = asyncio.create_task(read(stream))
        try:
            yield found
            with suppress(TimeoutError):
                await until(lambda: len(found) >= len(home.fills))
        finally:
            stream.close()
            await reading
    theirs, ours = (Counter(fill.id for fill in fills) for fills in (home.fills, found))
    if theirs != ours:
        missing, twice = [*(theirs - ours)], [*(ours - theirs)]
        orders = [fill.order_id for fill in home.fills if fill.id in missing]
        orders += [fill.venue_order_id or "" for fill in found if fill.id in twice]
        raise AssertionError(report(home, f"fills not told: {missing}; told twice: {twice}", orders))


async def agrees(home: House, *, alone: bool = True) -> None:
    """Wait until nothing is unknown and all orders are what the venue says; prove that none was sent twice.

    Args:
        alone: No other program places orders. Of those of another, which ended while the line was cut, only fills are
            known.
    """
    try:
        await until(lambda: not home.venue.health().unknown_orders and not differences(home, alone=alone))
    except TimeoutError:
        keys = [key for key, *_ in differences(home, alone=alone)]
        unknown = home.venue.health().unknown_orders
        raise AssertionError(report(home, f"no agreement; {unknown} orders unknown", keys)) from None
    sent = Counter(order.request.client_order_id for order in home.orders)
    if twice := [key for key, count in sent.items() if count > 1]:
        raise AssertionError(report(home, "an order happened twice", twice))
    home.running.exchange.check_invariants()


def report(home: House, head: str, keys: Iterable[str | None]) -> str:
    """Write what is known of orders, by their client ids or the venue's, and of how the client stands."""
    wanted = list(dict.fromkeys(str(key) for key in keys))
    ours = {each: order for order in known(home) for each in (order.client_order_id, order.venue_order_id)}
    theirs = {each: order for order in home.orders for each in (order.request.client_order_id, order.id)}
    orders = []
    for key in wanted:
        us, them = ours.get(key), theirs.get(key)
        ids = {key, us and us.venue_order_id, us and us.client_order_id, them and them.id}
        orders.append((key, [each for each in ids if each], us, them))
    fired = [tally for tally in home.struck if tally.fired]
    return written(f"{home.kind}: {head}", orders, home.talk, (home.venue.health(), *home.notes, fired))


def differences(home: House, *, alone: bool = True) -> list[tuple[Any, ...]]:
    """Return in what our record of orders differs from the venue's."""
    ours = {order.client_order_id: summary(order) for order in known(home) if order.status is not OrderStatus.REJECTED}
    theirs = {
        order.request.client_order_id: facts(order.id, order.status, order.filled, order.request)
        for order in home.orders
    }
    both = sorted(map(str, ours.keys() | theirs.keys() if alone else ours.keys()))
    return [
        (key, ours.get(key), theirs.get(key))
        for key in both
        if ours.get(key) != theirs.get(key) and not (key not in theirs and is_stillborn(ours[key]))
    ]


def known(home: House) -> Sequence[Order]:
    """Return all orders that our client knows."""
    found: list[Order] = home.venue._parts.tracker.all()
    return found


def summary(order: Order) -> tuple[Any, ...]:
    return facts(order.venue_order_id, order.status, order.filled, order.request)


def facts(order_id: str | None, status: OrderStatus, filled: Decimal, request: Any) -> tuple[Any, ...]:
    # Of an order that ended while its amendment was in doubt, nobody asks for the last price.
    return (order_id, status, filled, request.quantity, None if status.is_final else request.price)


def is_stillborn(ours: tuple[Any, ...]) -> bool:
    """Whether the venue took it and at once refused it; then it has no place in its books."""
    return bool(ours[0]) and ours[1] is OrderStatus.CANCELED and ours[2] == NOTHING


def standing(home: House) -> set[str]:
    return {order.id for order in home.running.exchange.open_orders(ACCOUNT)}
