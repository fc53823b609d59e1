"""Live data through a real socket: shared subscriptions, refusals, lost connections, slow readers."""

import asyncio
import gc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import (
    BadRequest,
    ConfigError,
    InvalidValue,
    NotSupported,
    SlowConsumer,
    TransportError,
    UnknownSymbol,
)
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import BookDesynced
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.venue.connected import ConnectedVenue

BTC, ETH = Symbol.parse("BTC/USD"), Symbol.parse("ETH/USD")


def trade(number: int, symbol: Symbol = BTC) -> Trade:
    time = datetime(2026, 1, 1, tzinfo=UTC)
    return Trade(symbol=symbol, id=str(number), side=Side.BUY, price=Decimal(100), quantity=Decimal(number), time=time)


async def read(stream: AsyncIterator[Any]) -> Any:
    async with asyncio.timeout(10):
        return await anext(stream)


async def test_a_book_is_yielded_live(venue: ConnectedVenue, shop: Any) -> None:
    stream = venue.books("BTC/USD", depth=25)
    reading = asyncio.ensure_future(read(stream))
    peer, asked = await shop.asked()
    assert asked == {"subscribe": ["book BTC/USD 25"]}
    await shop.book(peer, BTC, 99, 101)
    book = await reading
    assert isinstance(book, OrderBook)
    assert book.best_bid
    assert book.best_ask
    assert (book.best_bid.price, book.best_ask.price, book.health) == (99, 101, BookHealth.LIVE)
    assert venue.live_book(BTC) is book
    assert venue.live_book(ETH) is None


async def test_of_books_the_newest_wins(venue: ConnectedVenue, shop: Any) -> None:
    """The reader was away for three messages; it gets the last state, once."""
    async with venue.books(BTC) as stream:
        reading = asyncio.ensure_future(read(stream))
        peer, _ = await shop.asked()
        trades = venue.trades(BTC)
        await shop.asked()
        await shop.book(peer, BTC, 90, 91)
        await reading
        for bid in (92, 93, 94):
            await shop.book(peer, BTC, bid, bid + 1)
        await shop.tell(peer, trade(1))
        await read(trades)
        assert (await read(stream)).best_bid.price == 94
        again = asyncio.ensure_future(read(stream))
        await shop.tell(peer, trade(2))
        await read(trades)
        assert not again.done()
        again.cancel()


async def test_one_subscription_serves_all_and_ends_with_the_last(venue: ConnectedVenue, shop: Any) -> None:
    first, second = venue.trades(BTC), venue.trades("BTC/USD")
    one, two = asyncio.ensure_future(read(first)), asyncio.ensure_future(read(second))
    peer, asked = await shop.asked()
    assert asked == {"subscribe": ["trades BTC/USD"]}
    await shop.tell(peer, trade(1))
    assert await one == await two == trade(1)
    first.close()
    await shop.tell(peer, trade(2))
    assert await read(second) == trade(2)
    second.close()
    assert await shop.asked() == (peer, {"unsubscribe": ["trades BTC/USD"]})
    assert not venue.health().feeds["public"].subscriptions


async def test_what_is_wanted_in_one_breath_is_asked_in_one_frame(venue: ConnectedVenue, shop: Any) -> None:
    streams: list[Any] = [venue.trades(BTC), venue.books(ETH), venue.tickers(BTC)]
    _, asked = await shop.asked()
    assert asked == {"subscribe": ["trades BTC/USD", "book ETH/USD 10", "ticker BTC/USD"]}
    for stream in streams:
        stream.close()


async def test_leaving_the_loop_ends_the_subscription(venue: ConnectedVenue, shop: Any) -> None:
    """Nobody calls close: a stream that is forgotten ends by itself."""

    async def first() -> Trade:
        async for event in venue.trades(BTC):
            return event
        raise AssertionError

    reading = asyncio.ensure_future(first())
    peer, _ = await shop.asked()
    await shop.tell(peer, trade(1))
    assert await reading == trade(1)
    del reading
    gc.collect()
    assert await shop.asked() == (peer, {"unsubscribe": ["trades BTC/USD"]})


async def test_a_stream_closed_before_it_was_asked_for_asks_for_nothing(venue: ConnectedVenue, shop: Any) -> None:
    venue.trades(BTC).close()
    stream = venue.trades(ETH)
    _, asked = await shop.asked()
    assert asked == {"subscribe": ["trades ETH/USD"]}
    stream.close()


async def test_trades_are_never_dropped_in_silence(make_venue: Any, shop: Any, watched: None) -> None:
    """The queue is full: the reader gets what is in it, in order, then an error; another reader is not disturbed."""
    async with make_venue(queue_size=3) as venue:
        slow, quick = venue.trades(BTC), venue.trades(BTC)
        peer, _ = await shop.asked()
        for number in range(5):
            await shop.tell(peer, trade(number))
            assert await read(quick) == trade(number)
        assert [await read(slow) for _ in range(3)] == [trade(0), trade(1), trade(2)]
        with pytest.raises(SlowConsumer, match="shop: trades BTC/USD: 3 events"):
            await read(slow)
        with pytest.raises(SlowConsumer):
            await read(slow)
        await shop.tell(peer, trade(9))
        assert await read(quick) == trade(9)


async def test_a_refusal_is_raised_with_the_venues_reason(venue: ConnectedVenue, shop: Any) -> None:
    shop.refuses.add("trades BTC/USD")
    refused, other = venue.trades(BTC), venue.trades(ETH)
    with pytest.raises(BadRequest, match="trades BTC/USD: not for you"):
        await read(refused)
    reading = asyncio.ensure_future(read(other))
    peer, _ = await shop.asked()
    await shop.tell(peer, trade(1, ETH))
    assert await reading == trade(1, ETH)


async def test_a_refused_subscription_can_be_asked_for_again(venue: ConnectedVenue, shop: Any) -> None:
    shop.refuses.add("trades BTC/USD")
    with pytest.raises(BadRequest):
        await read(venue.trades(BTC))
    await shop.asked()
    shop.refuses.clear()
    reading = asyncio.ensure_future(read(venue.trades(BTC)))
    peer, asked = await shop.asked()
    assert asked == {"subscribe": ["trades BTC/USD"]}
    await shop.tell(peer, trade(1))
    assert await reading == trade(1)


async def test_a_lost_connection_is_opened_again_and_the_stream_goes_on(venue: ConnectedVenue, shop: Any) -> None:
    stream = venue.books(BTC)
    reading = asyncio.ensure_future(read(stream))
    peer, _ = await shop.asked()
    await shop.book(peer, BTC, 1, 2)
    book = await reading
    reading = asyncio.ensure_future(read(stream))
    peer.abort()
    peer, asked = await shop.asked()
    assert asked == {"subscribe": ["book BTC/USD 10"]}
    assert await reading is book
    assert (book.health, book.best_bid) == (BookHealth.STALE, None)
    await shop.book(peer, BTC, 3, 4)
    assert (await read(stream)).best_bid.price == 3


async def test_a_book_that_went_stale_before_it_was_read_shows_nothing(venue: ConnectedVenue, shop: Any) -> None:
    """The checked state that waited for the reader and the loss that followed are one item."""
    stream, trades = venue.books(BTC), venue.trades(BTC)
    reading = asyncio.ensure_future(read(trades))
    peer, _ = await shop.asked()
    await shop.book(peer, BTC, 1, 2)
    await shop.tell(peer, trade(1))
    await reading
    peer.abort()
    peer, _ = await shop.asked()
    book = await read(stream)
    assert (book.health, book.bids(), book.asks()) == (BookHealth.STALE, [], [])
    waiting = asyncio.ensure_future(read(stream))
    await asyncio.sleep(0)
    assert not waiting.done()
    await shop.book(peer, BTC, 5, 6)
    assert (await waiting).best_bid.price == 5


async def test_a_callback_is_told_once_that_a_book_failed_or_was_lost(venue: ConnectedVenue, shop: Any) -> None:
    seen: asyncio.Queue[tuple[BookHealth, int]] = asyncio.Queue()
    watch = await venue.on_book(BTC, 10, lambda book: seen.put_nowait((book.health, len(book.bids()))))
    trades = venue.trades(ETH)
    reading = asyncio.ensure_future(read(trades))
    peer, _ = await shop.asked()
    await shop.asked()

    async def next_health() -> tuple[BookHealth, int]:
        async with asyncio.timeout(10):
            return await seen.get()

    await shop.book(peer, BTC, 1, 2)
    assert await next_health() == (BookHealth.LIVE, 1)
    await shop.say(peer, "damage", str(BTC))
    assert await next_health() == (BookHealth.DESYNCED, 0)
    await shop.tell(peer, BookDesynced(symbol=BTC, reason="and again"), trade(1, ETH))
    await reading
    assert seen.empty()
    await shop.book(peer, BTC, 3, 4)
    assert await next_health() == (BookHealth.LIVE, 1)
    peer.abort()
    assert await next_health() == (BookHealth.STALE, 0)
    peer, _ = await shop.asked()
    await shop.book(peer, BTC, 5, 6)
    assert await next_health() == (BookHealth.LIVE, 1)
    watch.close()
    assert seen.empty()


async def test_a_connection_says_since_when_it_is_open_or_lost(venue: ConnectedVenue, shop: Any) -> None:
    stream = venue.books(BTC)
    reading = asyncio.ensure_future(read(stream))
    peer, _ = await shop.asked()
    await shop.book(peer, BTC, 1, 2)
    await reading
    before = venue.health().feeds["public"]
    assert before.since is not None
    assert (before.state, before.losses, before.is_account) == ("open", 0, False)
    peer.abort()
    await read(stream)
    lost = venue.health().feeds["public"]
    assert lost.since is not None
    assert lost.since > before.since
    assert (lost.state, lost.losses) == ("waiting", 1)
    peer, _ = await shop.asked()
    again = venue.health().feeds["public"]
    assert again.since is not None
    assert again.since > lost.since
    assert (again.state, again.losses) == ("open", 1)


async def test_depths(venue: ConnectedVenue, shop: Any) -> None:
    """Asked for 20 one gets the next larger; a smaller one shares what is followed; a larger one is refused."""
    first = venue.books(BTC, 20)
    _, asked = await shop.asked()
    assert asked == {"subscribe": ["book BTC/USD 25"]}
    shared = venue.books(BTC, 10), venue.books(BTC)
    with pytest.raises(NotSupported, match=r"followed at depth 25 already; for 50"):
        venue.books(BTC, 50)
    with pytest.raises(NotSupported, match=r"no book of depth 101; depths are 10, 25, 100"):
        venue.books(ETH, 101)
    with pytest.raises(InvalidValue, match="depth"):
        venue.books(ETH, 0)
    for stream in (first, *shared):
        stream.close()
    assert (await shop.asked())[1] == {"unsubscribe": ["book BTC/USD 25"]}
    venue.books(BTC, 100)
    assert (await shop.asked())[1] == {"subscribe": ["book BTC/USD 100"]}


async def test_unknown_symbols_and_missing_channels_are_refused_at_once(make_venue: Any, shop: Any) -> None:
    async with make_venue(keys=False) as venue:
        with pytest.raises(UnknownSymbol, match=r"shop: no instrument DOGE/USD"):
            venue.trades("DOGE/USD")
        with pytest.raises(InvalidValue, match="BTCUSD"):
            venue.tickers("BTCUSD")
        with pytest.raises(ConfigError, match=r"live orders needs credentials"):
            venue.order_updates()
        with pytest.raises(
            ConfigError, match=r"balances needs credentials; set api_key and api_secret in \[venues.shop"
        ):
            await venue.balances()
    async with make_venue() as venue:
        with pytest.raises(NotSupported, match="The Shop has no live positions"):
            venue.position_updates()


async def test_other_streams(venue: ConnectedVenue, shop: Any) -> None:
    tickers, candles = venue.tickers(BTC), venue.candle_updates(BTC, 5)
    reading = asyncio.ensure_future(read(tickers)), asyncio.ensure_future(read(candles))
    peer, asked = await shop.asked()
    assert asked == {"subscribe": ["ticker BTC/USD", "candles BTC/USD 5"]}
    ticker = Ticker(symbol=BTC, last=Decimal("0.5"))
    prices: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close", "volume"), Decimal(1))
    other, candle = (
        Candle(symbol=BTC, interval=interval, start=datetime(2026, 1, 1, tzinfo=UTC), **prices) for interval in (1, 5)
    )
    await shop.tell(peer, Ticker(symbol=ETH), ticker, other, candle)
    assert [await task for task in reading] == [ticker, candle]


async def test_a_callback_is_called_for_each_message(venue: ConnectedVenue, shop: Any) -> None:
    seen: list[Decimal] = []
    third = asyncio.Event()

    def look(book: OrderBook) -> None:
        assert book.best_bid is not None
        seen.append(book.best_bid.price)
        if len(seen) == 3:
            third.set()

    watch = await venue.on_book(BTC, 10, look)
    peer, _ = await shop.asked()
    for bid in (1, 2, 3):
        await shop.book(peer, BTC, bid, 9)
    async with asyncio.timeout(10):
        await third.wait()
    assert seen == [1, 2, 3]
    watch.close()
    assert (await shop.asked())[1] == {"unsubscribe": ["book BTC/USD 10"]}


async def test_a_callback_that_is_refused_raises_where_it_was_asked_for(venue: ConnectedVenue, shop: Any) -> None:
    shop.refuses.add("book BTC/USD 10")
    with pytest.raises(BadRequest, match="not for you"):
        await venue.on_book(BTC, None, print)


async def test_a_later_refusal_goes_to_the_callbacks_error_handler(venue: ConnectedVenue, shop: Any) -> None:
    told: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
    await venue.on_book(BTC, None, print, on_error=told.set_result)
    peer, _ = await shop.asked()
    shop.refuses.add("book BTC/USD 10")
    peer.abort()
    async with asyncio.timeout(10):
        assert isinstance(await told, BadRequest)


async def test_a_later_refusal_without_a_handler_ends_the_venue(make_venue: Any, shop: Any, watched: None) -> None:
    """A callback that is never called again would be a silence that nobody notices."""

    async def use() -> None:
        async with make_venue() as venue:
            await venue.on_book(BTC, None, print)
            peer, _ = await shop.asked()
            shop.refuses.add("book BTC/USD 10")
            peer.abort()
            await asyncio.Event().wait()

    with pytest.raises(BadRequest, match="not for you"):
        await use()


async def test_what_a_callback_raises_ends_the_venue_as_itself(make_venue: Any, shop: Any, watched: None) -> None:
    def broken(book: OrderBook) -> None:
        raise ZeroDivisionError("mine")

    others: list[AsyncIterator[Trade]] = []

    async def use() -> None:
        async with make_venue() as venue:
            others.append(venue.trades(BTC))
            await venue.on_book(BTC, None, broken)
            peer, _ = await shop.asked()
            await shop.book(peer, BTC, 1, 2)
            await asyncio.Event().wait()

    with pytest.raises(ZeroDivisionError, match="mine"):
        await use()
    with pytest.raises(TransportError, match="closed by ZeroDivisionError: mine"):
        await anext(others[0])


async def test_a_venue_that_cannot_be_reached_is_not_waited_for_without_end(make_venue: Any, watched: None) -> None:
    async with make_venue(config={"ws_url": "ws://127.0.0.1:1"}, confirm_within=0.1) as venue:
        with pytest.raises(TransportError, match=r"trades BTC/USD.*its connection is waiting: .*127.0.0.1"):
            await read(venue.trades(BTC))


async def test_closing_the_venue_ends_its_streams(make_venue: Any, shop: Any, watched: None) -> None:
    async with make_venue() as venue:
        stream = venue.trades(BTC)
        elsewhere = asyncio.ensure_future(read(stream))
        await shop.asked()
    with pytest.raises(StopAsyncIteration):
        await elsewhere
    with pytest.raises(RuntimeError, match="not open"):
        venue.trades(BTC)


async def test_two_readers_of_one_stream_are_told_apart(venue: ConnectedVenue, shop: Any) -> None:
    stream = venue.trades(BTC)
    reading = asyncio.ensure_future(read(stream))
    peer, _ = await shop.asked()
    await shop.tell(peer, trade(1))
    await reading
    reading = asyncio.ensure_future(read(stream))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two tasks read one stream"):
        await anext(stream)
    reading.cancel()


async def test_health(venue: ConnectedVenue, shop: Any) -> None:
    assert venue.health().feeds == {}
    stream = venue.books(BTC)
    reading = asyncio.ensure_future(read(stream))
    peer, _ = await shop.asked()
    await shop.book(peer, BTC, 1, 2)
    await reading
    health = venue.health()
    assert (health.feeds["public"].state, health.feeds["public"].subscriptions) == ("open", 1)
    assert (health.books[BTC].health, health.books[BTC].checked) == (BookHealth.LIVE, 1)
