"""Publish and subscribe, queues and background tasks on their own."""

import asyncio
from typing import Any

import pytest

from exchange_core.errors import SlowConsumer
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import StatusUpdate, VenueState
from exchange_core.model.symbol import Symbol
from exchange_core.venue.background import Background
from exchange_core.venue.bus import Bus, topic
from exchange_core.venue.stream import Mailbox, Overflow

BTC, ETH = Symbol.parse("BTC/USD"), Symbol.parse("ETH/USD")


class Source:
    """A book without levels."""

    health = BookHealth.LIVE
    checked = 0
    time = None

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol

    def bids(self, depth: int | None) -> list[Any]:
        return []

    asks = bids


def test_only_those_who_asked_are_told() -> None:
    bus = Bus()
    btc: list[OrderBook] = []
    bus.subscribe(topic(OrderBook, BTC), btc.append)
    ours, other = OrderBook(Source(BTC)), OrderBook(Source(ETH))
    for view in (ours, other, ours):
        bus.publish(view)
    assert btc == [ours, ours]


def test_a_subscription_in_between_counts_from_then_on() -> None:
    """The route of a book is remembered, and forgotten when subscriptions change."""
    bus = Bus()
    view = OrderBook(Source(BTC))
    first: list[OrderBook] = []
    second: list[OrderBook] = []
    bus.publish(view)
    bus.subscribe(topic(OrderBook, BTC), first.append)
    bus.publish(view)
    bus.subscribe(topic(OrderBook, BTC), second.append)
    bus.publish(view)
    bus.unsubscribe(topic(OrderBook, BTC), first.append)
    bus.publish(view)
    assert (len(first), len(second)) == (2, 2)
    bus.unsubscribe(topic(OrderBook, BTC), second.append)
    bus.unsubscribe(topic(OrderBook, BTC), second.append)
    bus.publish(view)
    assert len(second) == 2


def test_who_leaves_while_being_told_does_not_disturb_the_others() -> None:
    bus = Bus()
    seen: list[str] = []
    status = StatusUpdate(state=VenueState.ONLINE)

    def leave(event: StatusUpdate) -> None:
        seen.append("leaver")
        bus.unsubscribe(topic(StatusUpdate), leave)

    bus.subscribe(topic(StatusUpdate), leave)
    bus.subscribe(topic(StatusUpdate), lambda event: seen.append("stayer"))
    bus.publish(status)
    bus.publish(status)
    assert seen == ["leaver", "stayer", "stayer"]


async def test_a_mailbox_that_conflates_keeps_the_newest() -> None:
    box: Mailbox[int] = Mailbox("numbers", Overflow.CONFLATE)
    for number in range(5):
        box.put(number)
    assert await box.get() == 4


async def test_a_mailbox_that_raises_keeps_all_it_has_room_for() -> None:
    box: Mailbox[int] = Mailbox("numbers", Overflow.RAISE, size=2)
    for number in range(5):
        box.put(number)
    assert [await box.get(), await box.get()] == [0, 1]
    with pytest.raises(SlowConsumer, match="numbers: 2 events were not read in time"):
        await box.get()


async def test_a_read_that_is_given_up_loses_nothing() -> None:
    box: Mailbox[int] = Mailbox("numbers", Overflow.RAISE)
    reading = asyncio.ensure_future(box.get())
    await asyncio.sleep(0)
    box.put(1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await box.get() == 1


async def test_background_tasks_end_with_their_block(watched: None) -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with Background("shop") as background:
        background.spawn(work(), "working")
        await asyncio.sleep(0)
    assert ended.is_set()


async def test_several_failures_come_as_a_group(watched: None) -> None:
    async def fail(error: Exception) -> None:
        await started.wait()
        raise error

    async def use() -> None:
        async with Background("shop") as background:
            background.spawn(fail(ValueError("one")), "one")
            background.spawn(fail(KeyError("two")), "two")
            await asyncio.sleep(0)
            started.set()
            await asyncio.Event().wait()

    started = asyncio.Event()
    with pytest.raises(ExceptionGroup) as caught:
        await use()
    assert {type(error) for error in caught.value.exceptions} == {ValueError, KeyError}


async def test_nothing_is_started_outside_of_the_block(watched: None) -> None:
    async def work() -> None:
        raise AssertionError

    background = Background("shop")
    with pytest.raises(RuntimeError, match="shop: not open"):
        background.spawn(work(), "working")


async def test_nothing_is_started_while_it_breaks_down(watched: None) -> None:
    async def fail() -> None:
        raise ValueError("broken")

    async def work() -> None:
        raise AssertionError

    async def use() -> None:
        async with Background("shop") as background:
            background.spawn(fail(), "failing")
            try:
                await asyncio.Event().wait()
            finally:
                with pytest.raises(RuntimeError, match="shop: closing down, working was not started"):
                    background.spawn(work(), "working")

    with pytest.raises(ValueError, match="broken"):
        await use()
