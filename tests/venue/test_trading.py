"""Orders over REST alone: sent once, refused before sending, resolved by asking."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import attrs
import httpx
import pluggy
import pytest

from exchange_core import hookspecs
from exchange_core.errors import (
    AuthenticationError,
    ConfigError,
    ConnectFailed,
    ExchangeError,
    InsufficientFunds,
    InvalidValue,
    LockedOut,
    NonceRejected,
    NotSupported,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    PluginError,
    RateLimited,
    UnknownSymbol,
    VenueError,
    VenueUnavailable,
)
from exchange_core.hookspecs import hookimpl
from exchange_core.model.book import BookHealth
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.testing.clock import ManualClock
from exchange_core.venue.connected import ConnectedVenue

T = TypeVar("T")

START = datetime(2026, 1, 1, tzinfo=UTC)


def buy(**changes: Any) -> OrderRequest:
    return OrderRequest(**({"symbol": "BTC/USD", "side": "buy", "quantity": "0.01", "price": "100.5"} | changes))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def journal() -> list[Order]:
    return []


@pytest.fixture
async def venue(
    watched: None, make_venue: Any, without_feeds: Any, clock: ManualClock, journal: list[Order]
) -> AsyncIterator[ConnectedVenue]:
    async with make_venue(spec=without_feeds, clock=clock, journal=journal.append) as opened:
        yield opened


async def eventually(clock: ManualClock, work: Any, within: float = 120) -> Any:
    """Let time pass, second by second, until *work* is done."""
    task = asyncio.ensure_future(work)
    for _ in range(int(within)):
        await clock.advance(1)
        if task.done():
            return await task
    task.cancel()
    raise AssertionError(f"not done within {within} s")


def sent(shop: Any) -> list[dict[str, Any]]:
    return [params for path, params in shop.calls if path == "/place"]


# Sending


async def test_an_order_is_sent_once_with_our_id_and_a_deadline(
    venue: ConnectedVenue, shop: Any, journal: list[Order]
) -> None:
    order = await venue.place(buy())
    assert (order.status, order.venue_order_id, order.venue, order.unknown) == (OrderStatus.OPEN, "V1", "shop", False)
    [params] = sent(shop)
    assert params["client_order_id"] == order.client_order_id
    assert len(params["client_order_id"]) == 33
    assert params["deadline"] == "2026-01-01T00:00:05.000000Z"
    assert [o.client_order_id for o in journal] == [order.client_order_id]


async def test_ids_are_made_anew_for_each_order(venue: ConnectedVenue, shop: Any) -> None:
    await asyncio.gather(*(venue.place(buy()) for _ in range(20)))
    assert len({params["client_order_id"] for params in sent(shop)}) == 20


async def test_an_id_and_a_deadline_that_were_given_are_kept(venue: ConnectedVenue, shop: Any) -> None:
    await venue.place(buy(client_order_id="mine", deadline=START + timedelta(seconds=60)))
    assert sent(shop)[0]["client_order_id"] == "mine"
    assert sent(shop)[0]["deadline"] == "2026-01-01T00:01:00.000000Z"


async def test_no_deadline_where_none_is_wanted(make_venue: Any, without_feeds: Any, shop: Any) -> None:
    async with make_venue(spec=without_feeds, config={"order_deadline": 0.0}) as venue:
        await venue.place(buy())
    async with make_venue(spec=attrs.evolve(without_feeds, support={"client_order_id": "honoured"})) as venue:
        await venue.place(buy())
        with pytest.raises(NotSupported, match="The Shop does not take deadline"):
            await venue.place(buy(deadline=START + timedelta(days=1000)))
    assert [params["deadline"] for params in sent(shop)] == [None, None]


@pytest.mark.parametrize(
    ("terms", "word"),
    [
        ({"type": "stop", "price": None, "trigger_price": 1}, "type.stop"),
        ({"time_in_force": "gtd", "expires": START}, "time_in_force.gtd"),
        ({"display_quantity": "0.001"}, "display_quantity"),
        ({"leverage": 2}, "leverage"),
        ({"self_trade": "cancel_both"}, "self_trade"),
        ({"terms": object()}, "terms: object is of another venue; The Shop takes none"),
    ],
)
async def test_a_term_that_a_venue_does_not_speak_of_is_refused(
    make_venue: Any, without_feeds: Any, shop: Any, terms: Any, word: str
) -> None:
    spec = attrs.evolve(without_feeds, support={"type": "honoured", "client_order_id": "honoured"})
    async with make_venue(spec=spec) as venue:
        with pytest.raises(NotSupported, match=word):
            await venue.place(buy(**terms))
    assert sent(shop) == []


async def test_nothing_is_sent_when_the_journal_fails(make_venue: Any, without_feeds: Any, shop: Any) -> None:
    def full(order: Order) -> None:
        assert not sent(shop)
        raise OSError("disk full")

    async with make_venue(spec=without_feeds, journal=full) as venue:
        with pytest.raises(OSError, match="disk full"):
            await venue.place(buy())
    assert not sent(shop)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"price": "100.3"}, OrderRefused, r"nearest is 100\.5"),
        ({"quantity": "0.015"}, OrderRefused, "quantity 0.015 is not a multiple of 0.01"),
        ({"symbol": "DOGE/USD"}, UnknownSymbol, "no instrument DOGE/USD"),
        ({"reduce_only": True}, NotSupported, "shop: The Shop does not take reduce_only"),
        ({"deadline": START - timedelta(seconds=1)}, OrderRefused, "deadline 2025-12-31 23:59:59"),
        (
            {"time_in_force": "gtd", "expires": START},
            OrderRefused,
            r"BTC/USD: expires: 2026-01-01T00:00:00\.000Z has passed",
        ),
    ],
)
async def test_what_would_be_refused_is_not_sent(
    venue: ConnectedVenue, shop: Any, journal: list[Order], changes: dict[str, Any], error: type[Exception], match: str
) -> None:
    for attempt in (venue.check, venue.place):
        with pytest.raises(error, match=match):
            await attempt(buy(**changes))
    assert not sent(shop)
    assert not journal


async def test_checking_sends_nothing(venue: ConnectedVenue, shop: Any) -> None:
    await venue.check(buy())
    assert shop.paths() == ["/instruments"]


async def test_the_same_client_id_is_not_sent_twice(venue: ConnectedVenue, shop: Any) -> None:
    await venue.place(buy(client_order_id="mine"))
    with pytest.raises(OrderRefused, match="'mine' belongs to an order that is open already"):
        await venue.place(buy(client_order_id="mine"))
    assert len(sent(shop)) == 1


class Reviewer:
    @hookimpl
    def review_order(self, request: OrderRequest, instrument: Instrument) -> str | None:
        assert instrument.symbol == request.symbol
        return "larger than my limit" if request.quantity > 1 else None


class Broken:
    @hookimpl
    def review_order(self) -> str | None:
        raise ZeroDivisionError("oops")


@pytest.mark.parametrize(
    ("plugins", "quantity", "error", "match"),
    [
        ([Reviewer()], "2", OrderRefused, "BTC/USD: larger than my limit"),
        ([Reviewer(), Reviewer()], "2", OrderRefused, "larger than my limit; larger than my limit"),
        ([Broken(), Reviewer()], "1", PluginError, "a review_order hook failed, nothing was sent: oops"),
    ],
)
async def test_a_reviewer_can_stop_an_order(
    make_venue: Any,
    without_feeds: Any,
    shop: Any,
    plugins: list[object],
    quantity: str,
    error: type[Exception],
    match: str,
) -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for plugin in plugins:
        manager.register(plugin)
    async with make_venue(spec=without_feeds, hooks=manager) as venue:
        with pytest.raises(error, match=match):
            await venue.place(buy(quantity=quantity))
    assert not sent(shop)


async def test_a_reviewer_can_let_an_order_pass(make_venue: Any, without_feeds: Any, shop: Any) -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(Reviewer())
    async with make_venue(spec=without_feeds, hooks=manager) as venue:
        await venue.place(buy())
    assert len(sent(shop)) == 1


async def test_orders_need_credentials(make_venue: Any, without_feeds: Any) -> None:
    async with make_venue(spec=without_feeds, keys=False) as venue:
        for attempt in (
            venue.place(buy()),
            venue.cancel("V1"),
            venue.cancel_all(),
            venue.open_orders(),
            venue.order("V"),
        ):
            with pytest.raises(ConfigError, match=r"needs? credentials; set api_key"):
                await attempt


# Refused


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (OrderRefused("would take"), OrderRefused),
        (InsufficientFunds("poor"), InsufficientFunds),
        (RateLimited("slow down"), RateLimited),
        (AuthenticationError("bad key"), AuthenticationError),
        (httpx.ConnectError("no route"), ConnectFailed),
    ],
)
async def test_a_refusal_is_raised_and_the_order_is_rejected(
    venue: ConnectedVenue, shop: Any, clock: ManualClock, answer: Exception, error: type[ExchangeError]
) -> None:
    """Each of these says that it did not happen, so nobody asks for it."""
    shop.instead("/place", answer)
    with pytest.raises(error):
        await venue.place(buy(client_order_id="mine"))
    order = await venue.order("mine")
    assert (order.status, order.unknown) == (OrderStatus.REJECTED, False)
    await clock.advance(60)
    assert "/find" not in shop.paths()
    assert len(sent(shop)) == 1


async def test_what_the_plugin_refuses_before_sending_was_not_sent(
    make_venue: Any, without_feeds: Any, shop: Any, clock: ManualClock
) -> None:
    class Picky(without_feeds.rest):  # type: ignore[misc]
        def place(self, request: OrderRequest) -> Any:
            raise InvalidValue("client_order_id: not a form that is taken")

    async with make_venue(spec=attrs.evolve(without_feeds, rest=Picky), clock=clock) as venue:
        with pytest.raises(InvalidValue, match="not a form"):
            await venue.place(buy(client_order_id="mine"))
        assert (await venue.order("mine")).status is OrderStatus.REJECTED
        await clock.advance(60)
    assert "/find" not in shop.paths()


# No answer


def lost(shop: Any) -> Any:
    return shop.accept_and_lose_the_answer


def hang(shop: Any) -> Any:
    async def never(params: dict[str, Any]) -> None:
        shop.accept(params)
        await asyncio.Event().wait()

    return never


def text(body: str, status: int = 200) -> Callable[[Any], Any]:
    def reply(shop: Any) -> Any:
        def answer(params: dict[str, Any]) -> httpx.Response:
            shop.accept(params)
            return httpx.Response(status, text=body)

        return answer

    return reply


BROKEN_ANSWERS = [
    pytest.param(lost, id="time-out"),
    pytest.param(text("<html>502</html>", 502), id="gateway"),
    pytest.param(text("<html>hello</html>"), id="no JSON"),
    pytest.param(text(json.dumps({"request": 5})), id="unexpected JSON"),
    pytest.param(text(json.dumps({"error": "OutcomeUnknown", "text": "deadline elapsed"})), id="the venue's doubt"),
    pytest.param(text(json.dumps({"error": "VenueUnavailable", "text": "busy"})), id="busy"),
    pytest.param(text(json.dumps({"error": "VenueError", "text": "something"})), id="an error without a name"),
]


@pytest.mark.parametrize("broken", BROKEN_ANSWERS)
async def test_an_order_whose_answer_is_lost_is_found(
    venue: ConnectedVenue, shop: Any, clock: ManualClock, broken: Callable[[Any], Any]
) -> None:
    shop.instead("/place", broken(shop))
    order = await eventually(clock, venue.place(buy()))
    assert (order.status, order.venue_order_id, order.unknown) == (OrderStatus.OPEN, "V1", False)
    assert len(sent(shop)) == 1


@pytest.mark.parametrize("broken", BROKEN_ANSWERS)
async def test_an_order_that_never_arrived_is_known_to_be_dead_after_its_deadline(
    venue: ConnectedVenue, shop: Any, clock: ManualClock, broken: Callable[[Any], Any]
) -> None:
    """Before that its absence proves nothing: it may be on its way, or done and not shown yet."""
    shop.instead("/place", broken(shop))
    placing = asyncio.ensure_future(venue.place(buy(client_order_id="mine")))
    await clock.advance(0.5)
    shop.orders.clear()
    await clock.advance(13)
    [waiting] = venue.health().unknown_orders
    assert (waiting.status, waiting.unknown) == (OrderStatus.PENDING, True)
    assert shop.paths().count("/find") == 3
    assert not placing.done()
    order = await eventually(clock, placing)
    assert order.unknown, "the caller waits no longer, the asking goes on"
    await clock.advance((START + timedelta(seconds=64) - clock.now()).total_seconds())
    assert venue.health().unknown_orders == (order,)
    await clock.advance(20)
    order = await venue.order("mine")
    assert (order.status, order.unknown) == (OrderStatus.REJECTED, False)
    assert order.reason is not None
    assert "never arrived" in order.reason
    assert venue.health().unknown_orders == ()
    assert len(sent(shop)) == 1


async def test_it_is_asked_for_until_it_is_found(venue: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    """Errors on the way change nothing."""
    shop.instead("/place", shop.accept_and_lose_the_answer)
    shop.instead("/find", None, RateLimited("slow"), httpx.ConnectError("no route"), VenueUnavailable("down"))
    order = await eventually(clock, venue.place(buy()))
    assert (order.status, order.unknown) == (OrderStatus.OPEN, False)
    assert len(sent(shop)) == 1


async def test_without_a_deadline_it_stays_unknown_as_long_as_it_is_nowhere(
    make_venue: Any, without_feeds: Any, shop: Any, clock: ManualClock
) -> None:
    shop.instead("/place", httpx.ReadTimeout("no answer"))
    async with make_venue(spec=without_feeds, clock=clock, config={"order_deadline": 0.0}) as venue:
        order = await eventually(clock, venue.place(buy()))
        assert (order.status, order.unknown) == (OrderStatus.PENDING, True)
        assert clock.now() - START <= timedelta(seconds=21)
        await clock.advance(600)
        assert venue.health().unknown_orders == (order,)
        shop.accept(sent(shop)[0])
        await clock.advance(30)
        assert venue.health().unknown_orders == ()
        assert (await venue.order(order)).status is OrderStatus.OPEN
    assert len(sent(shop)) == 1


async def test_a_key_that_is_refused_is_not_used_for_asking_on(
    venue: ConnectedVenue, shop: Any, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    shop.instead("/place", httpx.ReadTimeout("no answer"))
    shop.instead("/find", AuthenticationError("bad key"))
    order = await eventually(clock, venue.place(buy()))
    assert order.unknown
    await clock.advance(600)
    assert shop.paths().count("/find") == 1
    assert "could not be asked for: shop: bad key" in caplog.text


async def test_a_caller_who_gives_up_does_not_lose_the_order(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    shop.instead("/place", hang(shop))
    placing = asyncio.ensure_future(venue.place(buy(client_order_id="mine")))
    await clock.advance(0.1)
    assert len(sent(shop)) == 1
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    assert (await venue.order("mine")).unknown
    await clock.advance(2)
    order = await venue.order("mine")
    assert (order.status, order.unknown) == (OrderStatus.OPEN, False)
    assert len(sent(shop)) == 1


async def test_an_unknown_order_is_named_when_the_venue_is_closed(
    make_venue: Any, without_feeds: Any, shop: Any, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    shop.instead("/place", hang(shop))
    placing = None
    async with make_venue(spec=without_feeds, clock=clock) as venue:
        placing = asyncio.ensure_future(venue.place(buy(client_order_id="mine")))
        await clock.advance(0.1)
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    assert "order mine" in caplog.text


# Canceling


async def test_a_canceled_order_is_returned_as_it_ended(venue: ConnectedVenue, shop: Any) -> None:
    order = await venue.place(buy())
    shop.change("V1", filled=Decimal("0.004"))
    ended = await venue.cancel(order)
    assert (ended.status, ended.filled, ended.reason) == (OrderStatus.CANCELED, Decimal("0.004"), "User requested")
    assert await venue.cancel(ended) == ended
    assert shop.paths().count("/cancel") == 1


@pytest.mark.parametrize("which", ["V1", "mine"])
async def test_canceling_by_either_id(venue: ConnectedVenue, shop: Any, which: str) -> None:
    await venue.place(buy(client_order_id="mine"))
    assert (await venue.cancel(which)).status is OrderStatus.CANCELED


async def test_canceling_an_order_of_another_program(venue: ConnectedVenue, shop: Any) -> None:
    shop.accept({"symbol": "BTC/USD", "side": "sell", "quantity": "1", "price": "200"})
    assert (await venue.cancel("V1")).status is OrderStatus.CANCELED
    with pytest.raises(OrderNotFound, match="no order 'V2' is open"):
        await venue.cancel("V2")


async def test_an_order_that_was_filled_first_is_returned_as_filled(venue: ConnectedVenue, shop: Any) -> None:
    order = await venue.place(buy())
    shop.change("V1", status=OrderStatus.FILLED, filled=Decimal("0.01"))
    assert (await venue.cancel(order)).status is OrderStatus.FILLED


async def test_an_order_that_went_on_under_another_id_is_canceled_by_that(venue: ConnectedVenue, shop: Any) -> None:
    """As a trigger may that fired without our having heard of it."""
    order = await venue.place(buy())
    shop.orders["V2"] = attrs.evolve(shop.orders.pop("V1"), venue_order_id="V2")
    shop.instead("/find", *[lambda _: shop.orders["V2"]] * 5)
    ended = await venue.cancel(order)
    assert (ended.venue_order_id, ended.status) == ("V2", OrderStatus.CANCELED)
    assert shop.paths().count("/cancel") == 2


async def test_an_order_that_is_nowhere_cannot_be_canceled(venue: ConnectedVenue, shop: Any) -> None:
    order = await venue.place(buy())
    shop.orders.clear()
    with pytest.raises(OrderNotFound):
        await venue.cancel(order)


async def test_an_order_that_may_still_arrive_is_not_said_to_be_gone(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    shop.instead("/place", httpx.ReadTimeout("no answer"))
    placing = asyncio.ensure_future(venue.place(buy(client_order_id="mine")))
    await clock.advance(0.5)
    with pytest.raises(OutcomeUnknown, match="mine has not arrived yet and still may"):
        await venue.cancel("mine")
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing


async def test_a_cancel_without_an_answer_is_asked_about(venue: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    def cancel_and_lose(params: dict[str, Any]) -> httpx.HTTPError:
        shop.answer("/cancel", params)
        return httpx.ReadTimeout("no answer")

    order = await venue.place(buy())
    shop.instead("/cancel", cancel_and_lose)
    assert (await eventually(clock, venue.cancel(order))).status is OrderStatus.CANCELED
    assert shop.paths().count("/cancel") == 1


async def test_a_cancel_that_did_not_arrive_is_sent_again(venue: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    order = await venue.place(buy())
    shop.instead("/cancel", httpx.ReadTimeout("lost"), httpx.ReadTimeout("lost"))
    shop.instead("/find", httpx.ReadTimeout("lost"), httpx.ReadTimeout("lost"))
    assert (await eventually(clock, venue.cancel(order))).status is OrderStatus.CANCELED
    assert shop.paths().count("/cancel") == 3


async def test_a_cancel_that_a_limit_refused_is_sent_again(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    order = await venue.place(buy())
    shop.instead("/cancel", RateLimited("too fast"), RateLimited("still too fast"))
    ended = await eventually(clock, venue.cancel(order))
    assert ended.status is OrderStatus.CANCELED
    assert shop.paths().count("/cancel") == 3
    assert clock.now() >= START + timedelta(seconds=2)


async def test_a_cancel_whose_nonce_was_overtaken_is_sent_again(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    order = await venue.place(buy())
    shop.instead("/cancel", NonceRejected("overtaken"))
    ended = await eventually(clock, venue.cancel(order))
    assert ended.status is OrderStatus.CANCELED
    assert shop.paths().count("/cancel") == 2


async def test_a_cancel_that_is_always_refused_for_a_limit_says_so(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    order = await venue.place(buy())
    shop.instead("/cancel", *[RateLimited("too fast")] * 9)
    with pytest.raises(RateLimited, match="too fast"):
        await eventually(clock, venue.cancel(order))
    assert shop.paths().count("/cancel") == 3


async def test_a_cancel_during_a_lockout_is_not_repeated(venue: ConnectedVenue, shop: Any, clock: ManualClock) -> None:
    order = await venue.place(buy())
    shop.instead("/cancel", LockedOut("silence"))
    with pytest.raises(LockedOut):
        await eventually(clock, venue.cancel(order))
    assert shop.paths().count("/cancel") == 1


async def test_a_cancel_that_never_gets_an_answer_is_unknown(
    venue: ConnectedVenue, shop: Any, clock: ManualClock
) -> None:
    order = await venue.place(buy())
    shop.instead("/cancel", *(httpx.ReadTimeout("lost") for _ in range(3)))
    with pytest.raises(OutcomeUnknown):
        await eventually(clock, venue.cancel(order))
    assert (await venue.order(order)).status is OrderStatus.OPEN


async def test_cancel_all_of_a_symbol_touches_no_other(venue: ConnectedVenue, shop: Any) -> None:
    for symbol in ("BTC/USD", "ETH/USD", "BTC/USD", "ETH/USD"):
        await venue.place(buy(symbol=symbol))
    ended = await venue.cancel_all("BTC/USD")
    assert [order.venue_order_id for order in ended] == ["V1", "V3"]
    assert {o.venue_order_id for o in await venue.open_orders()} == {"V2", "V4"}
    assert [p["venue_order_id"] for path, p in shop.calls if path == "/cancel"] == ["V1", "V3"]
    with pytest.raises(UnknownSymbol):
        await venue.cancel_all("BTC/USDT")
    assert len(await venue.cancel_all()) == 2


async def test_cancel_all_tries_each_and_raises_what_went_wrong(venue: ConnectedVenue, shop: Any) -> None:
    for _ in range(3):
        await venue.place(buy())
    shop.instead("/cancel", VenueError("odd"), VenueError("odd again"))
    with pytest.raises(VenueError, match="odd") as caught:
        await venue.cancel_all()
    assert caught.value.__notes__ == ["while canceling V1 of BTC/USD", "also: shop: odd again"]
    assert shop.orders["V3"].status is OrderStatus.CANCELED


# Asking


async def test_open_orders_of_a_symbol(venue: ConnectedVenue, shop: Any) -> None:
    for symbol in ("BTC/USD", "ETH/USD"):
        await venue.place(buy(symbol=symbol))
    assert [o.venue_order_id for o in await venue.open_orders("ETH/USD")] == ["V2"]
    with pytest.raises(UnknownSymbol):
        await venue.open_orders("DOGE/USD")


async def test_an_order_that_is_not_followed_live_is_asked_for(venue: ConnectedVenue, shop: Any) -> None:
    order = await venue.place(buy())
    shop.change("V1", status=OrderStatus.FILLED, filled=Decimal("0.01"))
    assert (await venue.order(order)).status is OrderStatus.FILLED
    assert (await venue.order("V1")).filled == Decimal("0.01")
    with pytest.raises(OrderNotFound):
        await venue.order("V9")


async def test_a_reviewer_that_compares_quantities_lets_no_order_for_an_amount_pass(
    make_venue: Any, without_feeds: Any, shop: Any
) -> None:
    """It has no quantity, and nothing is sent for want of an answer."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(Reviewer())
    async with make_venue(spec=without_feeds, hooks=manager) as venue:
        with pytest.raises(PluginError, match="a review_order hook failed, nothing was sent: '>' not supported"):
            await venue.place(buy(quantity=None, price=None, quote_amount=100))
    assert not sent(shop)


@pytest.mark.parametrize("way", ["place", "check", "place_all"])
async def test_a_table_is_no_request(venue: ConnectedVenue, journal: list[Order], way: str) -> None:
    given: Any = {"symbol": "BTC/USD", "side": "buy", "quantity": "0.01"}
    with pytest.raises(InvalidValue, match="found dict; expected an OrderRequest"):
        await getattr(venue, way)([given] if way == "place_all" else given)
    assert not journal


async def test_the_answer_to_a_question_about_a_book_is_not_called_checked(venue: ConnectedVenue) -> None:
    book = await venue.book("BTC/USD")
    assert (book.health, book.checked) == (BookHealth.UNCHECKED, 0)
