"""The account followed through a real socket: nothing is lost, nothing counts twice, whatever happens to the line."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import pytest

from exchange_core.connector.naming import UNLISTED
from exchange_core.errors import AuthenticationError, BadRequest, SlowConsumer, VenueUnavailable
from exchange_core.model.account import Balance, FeeRates
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    OpenOrdersSnapshot,
    OrderUpdate,
    SequenceGap,
    Unrecognised,
)
from exchange_core.model.fill import Fee, Fill
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.venue.bus import topic
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.following import FILLS_MARGIN
from exchange_core.venue.resolver import ResolvePolicy

BTC = Symbol.parse("BTC/USD")
OPEN, PARTIAL, FILLED, CANCELED = (
    OrderStatus.OPEN,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.FILLED,
    OrderStatus.CANCELED,
)


def buy(**changes: Any) -> OrderRequest:
    return OrderRequest(**({"symbol": "BTC/USD", "side": "buy", "quantity": "1", "price": "100"} | changes))


def fill(number: int, time: datetime, quantity: str = "0.1", order: str = "V1") -> Fill:
    return Fill(
        id=f"f{number}",
        symbol=BTC,
        side=Side.BUY,
        price=Decimal(100),
        quantity=Decimal(quantity),
        time=time,
        venue_order_id=order,
        fee=Fee(asset="USD", amount=Decimal("0.02")),
    )


async def read(stream: AsyncIterator[Any], count: int = 1) -> Any:
    async with asyncio.timeout(10):
        events = [await anext(stream) for _ in range(count)]
    return events[0] if count == 1 else events


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (what is waited for is a state that nobody announces)
            await asyncio.sleep(0.002)


@pytest.fixture
async def peer(venue: ConnectedVenue, shop: Any) -> Any:
    """The private connection, with the account being followed."""
    venue.fill_updates()
    peer, asked = await shop.asked()
    assert asked == {"subscribe": ["orders", "fills"]}
    await until(lambda: venue.fills_complete_until is not None)
    return peer


def now(venue: ConnectedVenue) -> datetime:
    return venue._trading._clock.now()


async def test_the_life_of_an_order_is_told(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    orders, fills = venue.order_updates(), venue.fill_updates()
    order = await venue.place(buy())
    one, two = fill(1, now(venue), "0.4"), fill(2, now(venue), "0.6")
    await shop.tell(peer, one, OrderUpdate(venue_order_id="V1", status=PARTIAL, filled=Decimal("0.4")))
    await shop.tell(peer, two, OrderUpdate(venue_order_id="V1", status=FILLED, filled=Decimal(1)))
    assert await read(fills, 2) == [one, two]
    told = await read(orders, 4)
    assert [o.status for o in told] == [OrderStatus.PENDING, OPEN, PARTIAL, FILLED]
    assert (told[-1].filled, told[-1].average_price) == (1, 100)
    assert told[-1].fees == (Fee(asset="USD", amount=Decimal("0.04")),)
    assert await venue.order(order) == told[-1]
    assert "/find" not in shop.paths()


async def test_executions_may_come_before_the_answer(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    """They name only the venue's id, which nobody knows yet."""
    fills = venue.fill_updates()

    async def fast_market(params: dict[str, Any]) -> Order:
        order: Order = shop.accept(params)
        await shop.tell(peer, fill(1, now(venue), "1"))
        await read(fills)
        return order

    shop.instead("/place", fast_market)
    order = await venue.place(buy())
    assert (order.status, order.filled, order.average_price) == (FILLED, 1, 100)


async def test_an_answer_that_is_lost_is_replaced_by_the_feed(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    async def lose(params: dict[str, Any]) -> httpx.HTTPError:
        shop.accept(params)
        await shop.tell(peer, OrderUpdate(venue_order_id="V1", client_order_id=params["client_order_id"], status=OPEN))
        await until(lambda: bool(venue._parts.tracker.get("V1")))
        return httpx.ReadTimeout("no answer")

    shop.instead("/place", lose)
    order = await venue.place(buy())
    assert (order.status, order.unknown, order.venue_order_id) == (OPEN, False, "V1")
    assert "/find" not in shop.paths()
    assert shop.paths().count("/place") == 1


async def test_where_the_feed_would_have_told_an_absence_proves_itself_sooner(
    venue: ConnectedVenue, shop: Any, peer: Any
) -> None:
    shop.instead("/place", httpx.ReadTimeout("no answer"))
    began = now(venue)
    order = await venue.place(buy())
    assert (order.status, order.unknown) == (OrderStatus.REJECTED, False)
    assert timedelta(seconds=15) <= now(venue) - began < timedelta(seconds=60)


async def test_old_fills_of_a_snapshot_are_history_and_no_news(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    fills = venue.fill_updates()
    long_ago = fill(1, now(venue) - timedelta(days=3), order="OLD")
    news = fill(2, now(venue))
    await shop.tell(peer, long_ago, news, news)
    assert await read(fills) == news
    assert venue._parts.follower.history == 1


async def test_a_fill_of_our_own_order_is_news_whatever_its_time(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    """The venue's clock may be wrong, or ours."""
    fills = venue.fill_updates()
    await venue.place(buy())
    odd = fill(1, now(venue) - timedelta(days=3))
    await shop.tell(peer, odd)
    assert await read(fills) == odd


async def test_fills_made_while_the_line_was_down_are_fetched(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    fills = venue.fill_updates()
    first = fill(1, now(venue))
    shop.fills.append(first)
    await shop.tell(peer, first)
    assert await read(fills) == first
    asked = asyncio.Event()
    go_on = asyncio.Event()

    async def slow_fills(params: dict[str, Any]) -> list[Fill]:
        asked.set()
        await go_on.wait()
        return list(shop.fills)

    shop.instead("/fills", slow_fills)
    peer.abort()
    await until(lambda: not venue._parts.follower._is_open)
    frozen = venue.fills_complete_until
    missed = fill(2, now(venue))
    shop.fills.append(missed)
    peer, _ = await shop.asked()
    async with asyncio.timeout(10):
        await asked.wait()
    assert venue.fills_complete_until == frozen
    later = fill(3, now(venue))
    await shop.tell(peer, later)
    assert await read(fills) == later
    go_on.set()
    assert await read(fills) == missed
    await until(lambda: venue.fills_complete_until != frozen)
    assert shop.calls[-1][0] == "/fills"
    since = datetime.fromisoformat(shop.calls[-1][1]["since"])
    assert since == first.time - FILLS_MARGIN


async def test_a_subscription_that_is_not_answered_is_not_live_and_loses_no_fill(
    make_venue: Any, shop: Any, watched: None
) -> None:
    """The connection is open and the venue says nothing: the audits find fills, and the record ends where it ended."""
    async with make_venue(policy=ResolvePolicy(audit=3)) as venue:
        fills = venue.fill_updates()
        await venue.place(buy())
        peer, _ = await shop.asked()
        await shop.tell(peer, first := fill(0, now(venue)))
        assert await read(fills) == first
        await until(lambda: venue.fills_complete_until is not None)
        shop.ignores |= {"orders", "fills"}
        peer.abort()
        await until(lambda: not venue._parts.follower._is_open)
        frozen = venue.fills_complete_until
        peer, _ = await shop.asked()
        missed = fill(1, now(venue))
        shop.fills.append(missed)
        assert await read(fills) == missed
        asked = shop.paths().count("/open_orders")
        await until(lambda: shop.paths().count("/open_orders") > asked + 2)
        health = venue.health().feeds["private"]
        assert (health.state, health.subscriptions, health.unanswered) == ("open", 2, 2)
        assert venue.fills_complete_until == frozen
        assert not venue._parts.follower.orders_are_live
        shop.ignores.clear()
        for name in ("orders", "fills"):
            await shop.say(peer, "ack", name)
        await shop.tell(peer, missed, later := fill(2, now(venue)))
        assert await read(fills) == later
        await until(lambda: venue.fills_complete_until != frozen)
        assert venue.health().feeds["private"].unanswered == 0


async def test_the_record_is_whole_up_to_the_last_sign_of_life(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    before = venue.fills_complete_until
    assert before is not None
    await shop.say(peer, "heartbeat")
    await until(lambda: venue.fills_complete_until != before)
    after = venue.fills_complete_until
    assert after is not None
    assert before < after <= now(venue)


async def test_a_fill_that_the_venue_lists_late_is_found(make_venue: Any, shop: Any, watched: None) -> None:
    """It was made while the line was down, and the feed told only of younger ones when it was back."""
    async with make_venue(policy=ResolvePolicy(lag=10)) as venue:
        fills = venue.fill_updates()
        peer, _ = await shop.asked()
        await until(lambda: venue.fills_complete_until is not None)
        began = now(venue)
        peer.abort()
        peer, _ = await shop.asked()
        await until(lambda: shop.paths().count("/fills") >= 2)
        shop.fills.append(fill(1, began))
        await shop.tell(peer, fill(2, began + timedelta(seconds=120)))
        assert [each.id for each in await read(fills, 2)] == ["f2", "f1"]
        assert shop.paths().count("/fills") >= 3


async def test_a_gap_is_filled_from_before_it(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    """What came after the gap proves nothing of what was lost in it."""
    fills = venue.fill_updates()
    start = now(venue)
    first, lost, last = fill(1, start), fill(2, start), fill(3, start + timedelta(hours=1))
    shop.fills.extend([first, lost, last])
    await shop.tell(peer, first)
    await read(fills)
    gap = SequenceGap(channel=Channel.FILLS, reason="3 follows 1")
    await shop.tell(peer, gap, last)
    assert sorted(f.id for f in await read(fills, 2)) == ["f2", "f3"]
    since = next(params["since"] for path, params in reversed(shop.calls) if path == "/fills")
    assert datetime.fromisoformat(since) == start - FILLS_MARGIN


async def test_lists_are_asked_for_again_for_what_they_do_not_have(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    """And then for open orders, which could not be shown without; however often it is said meanwhile, once."""
    before = shop.paths().count("/open_orders")
    unlisted = Unrecognised(kind=UNLISTED, detail="NEW is in no list")
    asked = asyncio.Event()

    async def listed(params: dict[str, Any]) -> Any:
        await shop.tell(peer, unlisted)
        asked.set()
        return shop.answer("/instruments", params)

    shop.instead("/instruments", VenueUnavailable("busy"), listed)
    venue.fill_updates()
    await shop.tell(peer, unlisted, unlisted)
    await asyncio.wait_for(asked.wait(), 10)
    await until(lambda: shop.paths().count("/open_orders") > before)
    assert shop.paths().count("/instruments") <= 4  # the first, the one that failed, and one for each that came later


async def test_lists_that_do_not_help_are_not_asked_for_all_the_time(
    venue: ConnectedVenue, shop: Any, peer: Any
) -> None:
    """They are long, and positions, which are told once a second, may name what is in none of them."""
    times: list[datetime] = []

    async def listed(params: dict[str, Any]) -> Any:
        times.append(now(venue))
        await shop.tell(peer, Unrecognised(kind=UNLISTED, detail="NEW is in no list"))
        return shop.answer("/instruments", params)

    shop.instead("/instruments", *[listed] * 4)
    await shop.tell(peer, Unrecognised(kind=UNLISTED, detail="NEW is in no list"))
    await until(lambda: len(times) >= 3)
    pause = timedelta(seconds=ResolvePolicy().longest_pause)
    assert min(later - sooner for sooner, later in pairwise(times)) >= pause


async def test_a_gap_within_a_gap_is_filled_too(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    fills = venue.fill_updates()

    async def another_gap(params: dict[str, Any]) -> list[Fill]:
        await shop.tell(peer, SequenceGap(channel=Channel.FILLS, reason="again"))
        holes = venue._parts.follower._holes
        await until(lambda: venue._parts.follower._holes > holes)
        return []

    shop.instead("/fills", another_gap)
    shop.fills.append(fill(1, now(venue)))
    await shop.tell(peer, SequenceGap(channel=Channel.FILLS, reason="first"))
    assert (await read(fills)).id == "f1"


async def test_missed_fills_are_asked_for_until_they_are_had(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    fills = venue.fill_updates()
    shop.instead("/fills", *(VenueUnavailable("down") for _ in range(9)))
    shop.fills.append(fill(1, now(venue)))
    await shop.tell(peer, SequenceGap(channel=Channel.FILLS, reason="lost"))
    assert (await read(fills)).id == "f1"


async def test_an_order_that_ended_while_the_line_was_down_is_asked_for(
    venue: ConnectedVenue, shop: Any, peer: Any
) -> None:
    order = await venue.place(buy())
    orders = venue.order_updates()
    peer.abort()
    shop.change("V1", status=CANCELED, reason="User requested")
    peer, _ = await shop.asked()
    await shop.tell(peer, OpenOrdersSnapshot(orders=()))
    ended = await read(orders)
    assert (ended.status, ended.reason, ended.client_order_id) == (CANCELED, "User requested", order.client_order_id)


async def test_a_venue_that_sends_no_list_of_open_orders_is_asked_for_it(
    venue: ConnectedVenue, shop: Any, peer: Any
) -> None:
    await venue.place(buy())
    orders = venue.order_updates()
    shop.change("V1", status=FILLED, filled=Decimal(1))
    peer.abort()
    ended = await read(orders)
    assert (ended.status, ended.filled) == (FILLED, 1)
    await until(lambda: venue._parts.follower.orders_are_live)


async def test_an_answer_that_is_older_than_the_list_does_not_keep_an_order_open(
    venue: ConnectedVenue, shop: Any, peer: Any
) -> None:
    """REST may lag behind by a minute, and the message of the end was lost with the line: nothing else would come."""
    await venue.place(buy())
    orders = venue.order_updates()
    shop.instead("/find", *[shop.orders["V1"]] * 3)
    shop.change("V1", status=FILLED, filled=Decimal(1))
    await shop.tell(peer, OpenOrdersSnapshot(orders=()))
    ended = await read(orders)
    assert (ended.status, ended.filled) == (FILLED, 1)
    assert shop.paths().count("/find") == 4


async def test_a_list_of_open_orders_that_comes_in_parts_asks_for_nothing(
    venue: ConnectedVenue, shop: Any, peer: Any
) -> None:
    await venue.place(buy())
    listed = OrderUpdate(venue_order_id="V1", status=OPEN, snapshot=True)
    await shop.tell(peer, OpenOrdersSnapshot(orders=()), OpenOrdersSnapshot(orders=(listed,)))
    resolver = venue._trading._resolver
    await until(lambda: bool(resolver._asking))
    await until(lambda: not resolver._asking)
    assert "/find" not in shop.paths()
    assert not resolver._missing


async def test_an_order_that_stands_is_not_asked_for_on_and_on(make_venue: Any, shop: Any, watched: None) -> None:
    policy = ResolvePolicy(first_pause=0.5, longest_pause=0.5, lag=10)
    async with make_venue(policy=policy) as venue:
        venue.order_updates()
        peer, _ = await shop.asked()
        await venue.place(buy())
        await shop.tell(peer, OpenOrdersSnapshot(orders=()))
        await until(lambda: shop.paths().count("/find") >= 3)
        await until(lambda: not venue._trading._resolver._asking)
        assert venue._parts.tracker.get("V1").status is OPEN


async def test_an_order_that_is_neither_open_nor_done_counts_as_done(
    venue: ConnectedVenue, shop: Any, peer: Any
) -> None:
    await venue.place(buy())
    orders = venue.order_updates()
    shop.orders.clear()
    await shop.tell(peer, OpenOrdersSnapshot(orders=()))
    ended = await read(orders)
    assert (ended.status, ended.reason) == (CANCELED, "no longer open, and the venue does not say how it ended")
    assert shop.paths().count("/find") >= 4


async def test_a_gap_among_orders_compares_them_with_the_venues_list(
    venue: ConnectedVenue, shop: Any, peer: Any
) -> None:
    orders = venue.order_updates()
    await venue.place(buy())
    await read(orders, 2)
    shop.change("V1", status=FILLED, filled=Decimal(1))
    await shop.tell(peer, SequenceGap(channel=Channel.ORDERS, reason="lost"))
    assert (await read(orders)).status is FILLED


@pytest.mark.parametrize(
    ("channel", "path"), [(Channel.ORDERS, "/open_orders"), (Channel.BALANCES, "/balances"), (Channel.FILLS, "/fills")]
)
async def test_a_storm_of_gaps_is_answered_by_two_questions(
    venue: ConnectedVenue, shop: Any, peer: Any, channel: Channel, path: str
) -> None:
    """One under way, whose answer may be older than the last gap, and one after it."""
    answered = asyncio.Event()

    async def slow(params: Any) -> Any:
        await answered.wait()
        return []

    gaps: list[SequenceGap] = []
    venue._parts.bus.subscribe(topic(SequenceGap), gaps.append)
    before, tasks = shop.paths().count(path), len(asyncio.all_tasks())
    shop.instead(path, slow)
    gap = SequenceGap(channel=channel, reason="lost")
    await shop.tell(peer, gap)
    await until(lambda: shop.paths().count(path) == before + 1)
    await shop.tell(peer, *[gap] * 100)
    await until(lambda: len(gaps) == 101)
    assert len(asyncio.all_tasks()) < tasks + 10
    answered.set()
    await until(lambda: shop.paths().count(path) == before + 2)
    follower = venue._parts.follower
    late = {"asking for late fills", "auditing the account"}
    await until(lambda: follower._wanted_again.keys() <= late and venue.fills_complete_until is not None)
    assert shop.paths().count(path) == before + 2


async def test_a_cancel_waits_for_the_feeds_word(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    order = await venue.place(buy())

    async def cancel(params: dict[str, Any]) -> None:
        shop.answer("/cancel", params)
        await shop.tell(peer, OrderUpdate(venue_order_id="V1", status=CANCELED, reason="User requested"))

    shop.instead("/cancel", cancel)
    ended = await venue.cancel(order)
    assert (ended.status, ended.reason) == (CANCELED, "User requested")
    assert "/find" not in shop.paths()


async def test_a_cancel_asks_when_the_feed_says_nothing(venue: ConnectedVenue, shop: Any, peer: Any) -> None:
    order = await venue.place(buy())
    assert (await venue.cancel(order)).status is CANCELED
    assert shop.paths().count("/find") == 1


async def test_a_slow_reader_disturbs_only_itself(make_venue: Any, shop: Any, watched: None) -> None:
    async with make_venue(queue_size=2) as venue:
        slow, quick = venue.fill_updates(), venue.fill_updates()
        peer, _ = await shop.asked()
        await until(lambda: venue.fills_complete_until is not None)
        for number in range(4):
            await shop.tell(peer, fill(number, now(venue)))
            assert (await read(quick)).id == f"f{number}"
        assert [f.id for f in await read(slow, 2)] == ["f0", "f1"]
        with pytest.raises(SlowConsumer, match="shop: fills: 2 events"):
            await read(slow)


async def test_a_key_without_the_right_to_follow_still_trades(make_venue: Any, shop: Any, watched: None) -> None:
    """And is not used for one login after the other, which could lock it out."""
    shop.instead("/token", AuthenticationError("no such permission"))
    async with make_venue() as venue:
        order = await venue.place(buy())
        await until(lambda: venue.health().account_error is not None)
        assert venue.health().feeds["private"].state == "failed"
        await venue.place(buy())
        shop.change("V1", status=FILLED, filled=Decimal(1))
        assert (await venue.order(order)).status is FILLED
        assert shop.paths().count("/token") == 1
        shop.instead("/token", AuthenticationError("no such permission"))
        with pytest.raises(AuthenticationError, match="no such permission"):
            await read(venue.order_updates())
        shop.fills.append(fill(1, now(venue)))
        fills = venue.fill_updates()
        assert (await read(fills)).id == "f1"
        assert venue.health().account_error is None


async def test_a_refused_channel_is_raised_where_it_is_read(make_venue: Any, shop: Any, watched: None) -> None:
    shop.refuses.add("orders")
    async with make_venue() as venue:
        with pytest.raises(BadRequest, match="orders: not for you"):
            await read(venue.order_updates())


async def test_fills_that_were_asked_for_are_news_to_those_who_follow(
    venue: ConnectedVenue, shop: Any, peer: Any
) -> None:
    fills = venue.fill_updates()
    shop.fills.append(fill(1, now(venue)))
    assert await venue.fills() == shop.fills
    await shop.tell(peer, *shop.fills, fill(2, now(venue)))
    assert [f.id for f in await read(fills, 2)] == ["f1", "f2"]


async def test_balances_are_followed_and_asked_for_after_a_gap(venue: ConnectedVenue, shop: Any) -> None:
    stream = venue.balance_updates()
    peer, asked = await shop.asked()
    assert asked == {"subscribe": ["balances"]}
    update = BalancesUpdate(balances=(Balance(asset="USD", total=Decimal(5)),))
    await shop.tell(peer, update)
    assert await read(stream) == update
    await shop.tell(peer, SequenceGap(channel=Channel.BALANCES, reason="lost"))
    whole = await read(stream)
    assert whole == BalancesUpdate(balances=tuple(await venue.balances()), complete=True)


@pytest.mark.parametrize(
    ("config", "keys", "expected"),
    [
        ({}, True, FeeRates(maker=Decimal("0.001"), taker=Decimal("0.002"))),
        ({"taker_fee": Decimal("0.005")}, True, FeeRates(maker=Decimal("0.001"), taker=Decimal("0.005"))),
        ({"maker_fee": Decimal(0), "taker_fee": Decimal(1)}, False, FeeRates(maker=Decimal(0), taker=Decimal(1))),
        ({}, False, None),
    ],
)
async def test_configured_fees_come_first(
    make_venue: Any, shop: Any, config: dict[str, Any], keys: bool, expected: FeeRates | None
) -> None:
    async with make_venue(config=config, keys=keys) as venue:
        assert await venue.fees("BTC/USD") == expected
    assert ("/fees" in shop.paths()) == (keys and len(config) < 2)
