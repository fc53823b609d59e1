"""Recorded public feeds of Kraken Futures, played back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import Channel, Ignored, Subscribed, Subscription, SubscriptionRefused
from exchange_core.model.market import Level, Ticker, Trade
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.storage.cassette import FEED_SUFFIX
from exchange_core.storage.playback import play
from exchange_core.storage.recording import frames
from exchange_core.testing.cassettes import CassettePlayer
from kraken_futures.feed.connections import public_feed

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes" / "kraken_futures"
LINEAR, INVERSE = Symbol("BTC", "USD", "USD"), Symbol("BTC", "USD", "BTC")
START = datetime(2026, 1, 1, tzinfo=UTC)


def levels(*rows: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in rows)


def by_hand(product: str) -> dict[str, list[Level]]:
    """Read a book off the frames in the plainest way."""
    sides: dict[str, dict[Decimal, Decimal]] = {"buy": {}, "sell": {}}
    for frame in frames(CASSETTES / "feed" / "book.stream.jsonl"):
        message = json.loads(frame.raw, parse_float=Decimal)
        if message.get("product_id") != product:
            continue
        if message["feed"] == "book_snapshot":
            for side, rows in (("buy", "bids"), ("sell", "asks")):
                sides[side] = {row["price"]: row["qty"] for row in message[rows]}
        elif message["feed"] == "book":
            sides[message["side"]][message["price"]] = message["qty"]
    return {
        side: [Level(price, rows[price]) for price in sorted(rows, reverse=side == "buy") if rows[price]]
        for side, rows in sides.items()
    }


async def test_two_books_on_one_connection_have_no_hole(player: CassettePlayer) -> None:
    wanted = [Subscription(Channel.BOOK, symbol) for symbol in (LINEAR, INVERSE)]
    feed, told = player.play("book", wanted)
    assert [event.subscription for event in told if isinstance(event, Subscribed)] == wanted
    books = {event.symbol: event for event in told if isinstance(event, OrderBook)}
    assert (feed.stats.books, feed.stats.verified, feed.stats.gaps) == (266, 266, 0)
    for symbol, product, checked, bid, ask in (
        (LINEAR, "PF_XBTUSD", 131, ("83995", "0.0558"), ("84013", "0.1245")),
        (INVERSE, "PI_XBTUSD", 135, ("83990.5", "32860"), ("84007.5", "19980")),
    ):
        book = books[symbol]
        assert (book.health, book.checked) == (BookHealth.LIVE, checked)
        assert {"buy": list(book.bids()), "sell": list(book.asks())} == by_hand(product)
        assert (book.best_bid, book.best_ask) == levels(bid, ask)


async def test_tickers_of_a_linear_and_an_inverse_contract(player: CassettePlayer) -> None:
    wanted = [Subscription(Channel.TICKER, symbol) for symbol in (LINEAR, INVERSE)]
    _, told = player.play("ticker", wanted)
    tickers = [event for event in told if isinstance(event, Ticker)]
    assert [(ticker.symbol, ticker.time) for ticker in tickers] == [
        (symbol, START + timedelta(seconds=second)) for second in range(5) for symbol in (LINEAR, INVERSE)
    ]
    assert tickers[-1] == Ticker(
        symbol=INVERSE,
        bid=Decimal("83990.5"),
        bid_quantity=Decimal(32860),
        ask=Decimal("84007.5"),
        ask_quantity=Decimal(19980),
        last=Decimal(83985),
        low=Decimal(83985),
        high=Decimal("84010.5"),
        volume=Decimal(19024),
        mark_price=Decimal(83999),
        index_price=Decimal("83998.9465"),
        funding_rate=Decimal(0),
        next_funding_rate=Decimal("-0.000000008326"),
        next_funding_time=START + timedelta(hours=1),
        open_interest=Decimal(3708),
        time=START + timedelta(seconds=4),
    )


async def test_trades_come_once_and_oldest_first(player: CassettePlayer) -> None:
    wanted = [Subscription(Channel.TRADES, symbol) for symbol in (LINEAR, INVERSE)]
    _, told = player.play("trades", wanted)
    trades = [event for event in told if isinstance(event, Trade)]
    assert len({trade.id for trade in trades}) == len(trades) == 21
    for symbol in (LINEAR, INVERSE):
        times = [trade.time for trade in trades if trade.symbol == symbol]
        assert times == sorted(times)
    assert trades[-1] == Trade(
        symbol=LINEAR,
        id="e075781b-7da1-4b92-81ce-c6f8c9813f46",
        side=Side.SELL,
        price=Decimal(83995),
        quantity=Decimal("0.033"),
        time=START + timedelta(seconds=4),
    )


async def test_short_tickers(player: CassettePlayer) -> None:
    """The short feed tells best prices and the volume, and no trade."""
    wanted = [Subscription(Channel.TICKER, symbol, variant="ticker_lite") for symbol in (LINEAR, INVERSE)]
    _, told = player.play("ticker_lite", wanted)
    tickers = [event for event in told if isinstance(event, Ticker)]
    assert [ticker.symbol for ticker in tickers] == [LINEAR, INVERSE] * 4
    last = tickers[-2]
    assert (last.bid, last.ask, last.volume, last.last) == (83977, 83995, Decimal("0.1946"), None)


async def test_a_quiet_market_is_asked_for_again(player: CassettePlayer) -> None:
    """After a minute of nothing but heartbeats; what stood is not told twice, and nothing had been missed."""
    wanted = [Subscription(channel, LINEAR) for channel in (Channel.TRADES, Channel.BOOK)]
    feed, told = player.play("silence", wanted)
    assert [event.kind for event in told if isinstance(event, Ignored)].count("heartbeat") > 60
    assert len([event for event in told if isinstance(event, Subscribed)]) == 2
    trades = [event for event in told if isinstance(event, Trade)]
    assert [(trade.time - START).total_seconds() for trade in trades] == [0, 30, 75, 138]
    book = [event for event in told if isinstance(event, OrderBook)][-1]
    assert (book.health, book.best_ask) == (BookHealth.LIVE, Level(Decimal(84010), Decimal("0.14")))
    assert feed.stats.resyncs == 0


async def test_what_is_not_wanted_any_more_does_not_come(player: CassettePlayer) -> None:
    book, trades = Subscription(Channel.BOOK, LINEAR), Subscription(Channel.TRADES, LINEAR)
    feed = public_feed(player.context)
    feed.subscribe([book, trades], 0.0)

    def leave(now: float) -> list[str]:
        feed.unsubscribe([trades], now)
        return feed.outbox()

    told = [*play(feed, frames(CASSETTES / "feed" / ("leaving" + FEED_SUFFIX)), leave)]
    assert "unsubscribed" in [event.kind for event in told if isinstance(event, Ignored)]
    assert [*feed.subscriptions()] == [book]
    assert len([event for event in told if isinstance(event, Trade)]) == 3  # those of the snapshot
    assert not feed.stats.unknown


async def test_products_that_the_venue_does_not_have(player: CassettePlayer) -> None:
    """It does not say which of them it means: they are asked for one by one."""
    wanted = [Subscription(channel, LINEAR) for channel in (Channel.TRADES, Channel.TICKER, Channel.BOOK)]
    _, told = player.play("refused", wanted)
    assert [event for event in told if not isinstance(event, Ignored)] == [
        SubscriptionRefused(subscription=one, reason="Invalid product id", codes=("Invalid product id",))
        for one in wanted
    ]
