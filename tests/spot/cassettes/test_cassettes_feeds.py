"""Recorded market data, and what was refused: every message checked, every book held against one made by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.connector.feed import RequestFeed
from exchange_core.model.book import BookByOrder, BookHealth, OrderBook
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    InstrumentsUpdate,
    StatusUpdate,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    TickerTrigger,
    VenueState,
)
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.market import Candle, Level, Ticker, Trade
from exchange_core.model.symbol import Symbol
from exchange_core.storage.recording import frames
from exchange_core.testing.cassettes import CassettePlayer

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes" / "kraken_spot"
BTC, ETH = Symbol("BTC", "USD"), Symbol("ETH", "USD")
START = datetime(2026, 1, 1, tzinfo=UTC)


def by_hand(depth: int) -> dict[str, list[Level]]:
    """Read a book off the frames in the plainest way."""
    sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}
    for frame in frames(CASSETTES / "feed" / f"book_{depth}.stream.jsonl"):
        message = json.loads(frame.raw, parse_float=Decimal)
        if message.get("channel") != "book":
            continue
        for side, rows in sides.items():
            if message["type"] == "snapshot":
                rows.clear()
            rows.update((row["price"], row["qty"]) for row in message["data"][0][side])
            best = sorted((price for price in rows if rows[price]), reverse=side == "bids")[:depth]
            sides[side] = {price: rows[price] for price in best}
    return {side: [Level(*row) for row in rows.items()] for side, rows in sides.items()}


@pytest.mark.parametrize(
    ("depth", "messages", "best_bid", "best_ask"),
    [
        (10, 125, "83974.5", "83991.4"),
        (25, 125, "83967.3", "83984.2"),
        (100, 140, "83967.3", "83984.2"),
        (500, 92, "83967.8", "83984.7"),
        (1000, 69, "83974.8", "83991.7"),
    ],
)
async def test_every_message_of_a_book_verifies(
    player: CassettePlayer, depth: int, messages: int, best_bid: str, best_ask: str
) -> None:
    feed, told = player.play(f"book_{depth}", [Subscription(Channel.BOOK, BTC, depth=depth)])
    views = [event for event in told if isinstance(event, OrderBook)]
    assert (feed.stats.books, feed.stats.verified, feed.stats.mismatches) == (messages, messages, 0)
    book = views[-1]
    assert (book.health, book.checked) == (BookHealth.LIVE, messages)
    assert {"bids": list(book.bids()), "asks": list(book.asks())} == by_hand(depth)
    assert (len(book.bids()), len(book.asks())) == (depth, depth)
    assert book.best_bid is not None
    assert book.best_ask is not None
    assert (str(book.best_bid.price), str(book.best_ask.price)) == (best_bid, best_ask)


async def test_ticker_and_trades_of_two_pairs(player: CassettePlayer) -> None:
    """One ticker follows the best prices, the other the trades."""
    wanted = [
        Subscription(Channel.TICKER, BTC, trigger=TickerTrigger.BBO),
        Subscription(Channel.TICKER, ETH, trigger=TickerTrigger.TRADES),
        Subscription(Channel.TRADES, BTC),
        Subscription(Channel.TRADES, ETH),
    ]
    _, told = player.play("ticker_and_trades", wanted)
    assert [event.subscription for event in told if isinstance(event, Subscribed)] == wanted
    tickers = [event for event in told if isinstance(event, Ticker)]
    assert next(ticker for ticker in tickers if ticker.symbol == BTC) == Ticker(
        symbol=BTC,
        bid=Decimal("83990.8"),
        bid_quantity=Decimal("0.08262809"),
        ask=Decimal("84007.7"),
        ask_quantity=Decimal("0.34592067"),
        last=Decimal("83992.8"),
        low=Decimal("83992.8"),
        high=Decimal("84013.2"),
        volume=Decimal("0.19391317"),
        vwap=Decimal("84006.6"),
        time=START,
    )
    trades = [event for event in told if isinstance(event, Trade)]
    for symbol in (BTC, ETH):
        numbers = [int(trade.id) for trade in trades if trade.symbol == symbol]
        assert numbers == list(range(1, len(numbers) + 1))
        newest = [trade for trade in trades if trade.symbol == symbol][-1]
        assert [ticker for ticker in tickers if ticker.symbol == symbol][-1].last == newest.price
    assert len(trades) == 21
    news = {symbol: sum(ticker.symbol == symbol for ticker in tickers) for symbol in (BTC, ETH)}
    # Beside the snapshot, one with each trade that came later, and one with each change of the best prices.
    later = sum(trade.symbol == ETH and trade.time > START for trade in trades)
    assert news == {BTC: 43, ETH: 1 + later}


async def test_a_bar_is_closed_by_the_next_one(player: CassettePlayer) -> None:
    wanted = [Subscription(Channel.CANDLES, BTC, interval=interval) for interval in (1, 5)]
    _, told = player.play("candles", wanted)
    bars = [event for event in told if isinstance(event, Candle)]
    assert [bar for bar in bars if bar.closed] == [
        Candle(
            symbol=BTC,
            interval=1,
            start=START,
            open=Decimal("84006.0"),
            high=Decimal("84013.8"),
            low=Decimal("83961.3"),
            close=Decimal("83977.6"),
            volume=Decimal("0.95678559"),
            vwap=Decimal("83993.7"),
            count=39,
            closed=True,
        )
    ]
    minute, five = ([bar for bar in bars if bar.interval == interval][-1] for interval in (1, 5))
    assert (minute.start, minute.volume) == (START + timedelta(minutes=1), Decimal("0.31113115"))
    # Every trade is in both.
    assert five.volume == Decimal("0.95678559") + minute.volume == Decimal("1.26791674")


async def test_the_instruments_are_those_of_the_rest_side(player: CassettePlayer) -> None:
    """And one of them closes later; heartbeats tell that the line is well while nothing else is said."""
    listed = list(player.context.symbols)
    feed, told = player.play("instruments", [Subscription(Channel.STATUS), Subscription(Channel.INSTRUMENTS)])
    assert told[0] == StatusUpdate(state=VenueState.ONLINE, text="online")
    first, second = (event for event in told if isinstance(event, InstrumentsUpdate))
    assert list(first.instruments) == listed
    (closed,) = second.instruments
    assert closed == attrs.evolve(listed[1], status=InstrumentStatus.CANCEL_ONLY)
    assert closed.symbol == ETH
    assert feed.stats.ignored == {"heartbeat": 2}


# Books by order.


def orders_by_hand(depth: int) -> dict[str, list[tuple[Decimal, Decimal, str]]]:
    """Read a book by order off the frames in the plainest way: best first, at one price as they came."""
    sides: dict[str, dict[str, Any]] = {"bids": {}, "asks": {}}
    for frame in frames(CASSETTES / "feed" / f"level3_{depth}.stream.jsonl"):
        message = json.loads(frame.raw, parse_float=Decimal)
        if message.get("channel") != "level3":
            continue
        for side, rows in sides.items():
            if message["type"] == "snapshot":
                rows.clear()
            for row in message["data"][0][side]:
                if row.get("event") == "delete":
                    del rows[row["order_id"]]
                else:
                    rows[row["order_id"]] = row
            sign = -1 if side == "bids" else 1
            prices = sorted({row["limit_price"] for row in rows.values()}, key=lambda price: price * sign)[:depth]
            sides[side] = {name: row for name, row in rows.items() if row["limit_price"] in prices}
    return {
        side: sorted(
            ((row["limit_price"], row["order_qty"], name) for name, row in rows.items()),
            key=lambda row: (row[0] if side == "asks" else -row[0], rows[row[2]]["timestamp"]),
        )
        for side, rows in sides.items()
    }


@pytest.mark.parametrize(("depth", "messages", "levels"), [(10, 72, 10), (100, 43, 13), (1000, 43, 13)])
async def test_every_message_of_a_book_by_order_verifies(
    player: CassettePlayer, depth: int, messages: int, levels: int
) -> None:
    feed, told = player.play(f"level3_{depth}", [Subscription(Channel.BOOK_BY_ORDER, BTC, depth=depth)])
    views = [event for event in told if isinstance(event, BookByOrder)]
    assert (feed.stats.books, feed.stats.verified, feed.stats.mismatches) == (messages, messages, 0)
    book = views[-1]
    assert (book.health, book.checked) == (BookHealth.LIVE, messages)
    expected = orders_by_hand(depth)
    for side, queues in (("bids", book.bid_queues()), ("asks", book.ask_queues())):
        assert [(queue.price, one.quantity, one.order_id) for queue in queues for one in queue.orders] == expected[side]
        assert len(queues) == levels


# What the venue says no to.


async def test_pairs_that_the_venue_does_not_list_are_refused_and_the_others_are_not(player: CassettePlayer) -> None:
    wanted = [Subscription(channel, symbol) for channel in (Channel.TRADES, Channel.TICKER) for symbol in (BTC, ETH)]
    feed, told = player.play("refused", [*wanted, Subscription(Channel.BOOK, BTC, 25)])
    refused = [event for event in told if isinstance(event, SubscriptionRefused)]
    assert {event.subscription for event in refused} == {wanted[0], wanted[2], Subscription(Channel.BOOK, BTC, 25)}
    assert {event.reason for event in refused} == {"Currency pair not supported BTC/USD"}
    assert {event.subscription for event in told if isinstance(event, Subscribed)} == {wanted[1], wanted[3]}
    assert set(feed.subscriptions()) == {wanted[1], wanted[3]}, "what is refused is not asked for again"


async def test_a_book_by_order_that_is_refused(player: CassettePlayer) -> None:
    wanted = Subscription(Channel.BOOK_BY_ORDER, BTC, 10)
    feed, told = player.play("refused_level3", [wanted])
    assert SubscriptionRefused(subscription=wanted, reason="Currency pair not supported BTC/USD") in told
    assert not list(feed.subscriptions())
    assert not feed.is_active(wanted)


async def test_a_key_that_may_see_balances_and_no_orders(player: CassettePlayer) -> None:
    orders, balances = Subscription(Channel.ORDERS), Subscription(Channel.BALANCES)
    feed, told = player.play("refused_private", [orders, balances])
    denied = "EGeneral:Permission denied"
    assert SubscriptionRefused(subscription=orders, reason=denied, codes=(denied,)) in told
    assert list(feed.subscriptions()) == [balances]
    (update,) = (event for event in told if isinstance(event, BalancesUpdate))
    assert next(balance.total for balance in update.balances if balance.asset == "USD") == 50_000
    assert isinstance(feed, RequestFeed)
    assert not feed.can_ask(), "orders go over a connection only while it follows them"
