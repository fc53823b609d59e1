"""Subscriptions that were acknowledged and then get nothing: asked for again, compared, healed, told of."""

import json
from typing import Any

import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ConfigError
from exchange_core.model.book import BookHealth
from exchange_core.model.event import (
    Channel,
    Event,
    OpenOrdersSnapshot,
    Subscribed,
    Subscription,
    SubscriptionSilent,
)
from exchange_core.model.fill import Fill
from exchange_core.model.market import Trade
from exchange_core.model.symbol import Symbol
from kraken_futures.config import FuturesConfig
from kraken_futures.feed.connections import PUBLIC, FuturesFeed, public_feed
from kraken_futures.rest.operations import FuturesRest

PF, PI = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")
BOOK, TRADES, TICKER = (Subscription(channel, PF) for channel in (Channel.BOOK, Channel.TRADES, Channel.TICKER))


def say(connection: FuturesFeed, now: float, /, **frame: Any) -> list[Event]:
    return list(connection.receive(json.dumps(frame), now))


def sent(feed: FuturesFeed) -> list[tuple[str, str, tuple[str, ...]]]:
    frames = [json.loads(frame) for frame in feed.outbox()]
    return [(each["event"], each["feed"], tuple(each.get("product_ids", ()))) for each in frames]


def asked(feed: str, *products: str) -> list[tuple[str, str, tuple[str, ...]]]:
    return [("unsubscribe", feed, products), ("subscribe", feed, products)]


def follow(feed: FuturesFeed, *subscriptions: Subscription, now: float = 0.0) -> None:
    """Subscribe, and have everything acknowledged."""
    feed.subscribe(subscriptions, now)
    while answer(feed, now):
        pass


def answer(feed: FuturesFeed, now: float) -> list[dict[str, Any]]:
    """Acknowledge what was asked; return it."""
    frames = [json.loads(frame) for frame in feed.outbox()]
    for frame in frames:
        if frame["event"] == "challenge":
            say(feed, now, event="challenge", message="sign me")
            continue
        word = {"subscribe": "subscribed", "unsubscribe": "unsubscribed"}[frame["event"]]
        for product in frame.get("product_ids", [""]):
            say(feed, now, event=word, feed=frame["feed"], **({"product_ids": [product]} if product else {}))
    return frames


def beat(feed: FuturesFeed, start: int, end: int) -> list[Event]:
    """Let time pass on a connection that beats every second."""
    events: list[Event] = []
    for second in range(start, end):
        say(feed, float(second), feed="heartbeat", time=second)
        events += feed.tick(float(second))
        assert feed.is_dead(float(second)) is None
    return events


@pytest.fixture
def feed(public: FuturesFeed) -> FuturesFeed:
    public.opened(0.0)
    return public


def rows(*levels: tuple[float, float]) -> list[dict[str, float]]:
    return [{"price": price, "qty": quantity} for price, quantity in levels]


def book(feed: FuturesFeed, now: float, seq: int, bid: float = 100.0, quantity: float = 1.0) -> list[Event]:
    sides = {"bids": rows((bid, quantity)), "asks": rows((200.0, 1.0))}
    return say(feed, now, feed="book_snapshot", product_id="PF_XBTUSD", seq=seq, timestamp=1, **sides)


def silences(events: list[Event]) -> list[Subscription]:
    return [event.subscription for event in events if isinstance(event, SubscriptionSilent)]


def test_what_is_not_silent_is_left_alone(feed: FuturesFeed) -> None:
    follow(feed, BOOK, now=0.0)
    book(feed, 0.0, 1)
    for number in range(4):
        beat(feed, number * 50, number * 50 + 50)
        say(feed, number * 50 + 49.5, feed="book", product_id="PF_XBTUSD", side="buy", seq=2 + number, price=90, qty=1)
    assert not feed.outbox()
    assert feed.stats.silent == 0


def test_a_quiet_market_is_asked_for_again_and_nothing_is_made_of_it(feed: FuturesFeed) -> None:
    follow(feed, BOOK)
    book(feed, 0.0, 7)
    beat(feed, 1, 60)
    assert not feed.outbox()
    beat(feed, 60, 61)
    assert sent(feed) == asked("book", "PF_XBTUSD")
    view = feed.book(PF)
    assert view is not None
    assert view.health is BookHealth.LIVE
    assert not [e for e in say(feed, 60.1, event="subscribed", feed="book", product_ids=["PF_XBTUSD"]) if _is_news(e)]
    assert feed.is_active(BOOK)
    assert not silences(book(feed, 60.2, 7))
    assert (feed.stats.silent, feed.stats.mismatches, feed.stats.resyncs) == (0, 0, 0)
    beat(feed, 61, 120)
    assert not feed.outbox()
    beat(feed, 120, 122)
    assert sent(feed) == asked("book", "PF_XBTUSD")


def _is_news(event: Event) -> bool:
    return isinstance(event, Subscribed | SubscriptionSilent)


def test_a_book_that_went_on_without_us_is_healed_and_told_of(feed: FuturesFeed) -> None:
    follow(feed, BOOK)
    book(feed, 0.0, 7)
    beat(feed, 1, 61)
    events = book(feed, 60.5, 500, bid=150.0)
    assert silences(events) == [BOOK]
    view = feed.book(PF)
    assert view is not None
    assert view.best_bid is not None
    assert view.best_bid.price == 150
    assert feed.stats.silent == 1
    assert say(feed, 60.6, feed="book", product_id="PF_XBTUSD", side="buy", seq=501, price=151, qty=1)


def test_levels_that_differ_under_one_number_are_a_mismatch(feed: FuturesFeed) -> None:
    follow(feed, BOOK)
    book(feed, 0.0, 7)
    beat(feed, 1, 61)
    assert silences(book(feed, 60.5, 7, quantity=3.0)) == [BOOK]
    assert feed.stats.mismatches == 1


def test_trades_that_were_missed_in_a_silence_come_once(feed: FuturesFeed) -> None:
    def trades(*seqs: int) -> list[dict[str, Any]]:
        common = {"side": "buy", "type": "fill", "qty": 1.0, "price": 5.0}
        return [{"seq": seq, "uid": f"u{seq}", "time": 1767614400000 + seq, **common} for seq in seqs]

    follow(feed, TRADES)
    say(feed, 0.0, feed="trade_snapshot", product_id="PF_XBTUSD", trades=trades(2, 1))
    beat(feed, 1, 61)
    assert sent(feed) == asked("trade", "PF_XBTUSD")
    events = say(feed, 60.5, feed="trade_snapshot", product_id="PF_XBTUSD", trades=trades(4, 3, 2, 1))
    assert [event.id for event in events if isinstance(event, Trade)] == ["u3", "u4"]
    assert silences(events) == [TRADES]
    assert feed.stats.gaps == 0


def test_a_ticker_that_differs_had_been_silent(feed: FuturesFeed) -> None:
    follow(feed, TICKER)
    ticker = {"feed": "ticker", "product_id": "PF_XBTUSD", "bid": 1.0, "tag": "perpetual"}
    say(feed, 0.0, time=1, **ticker)
    beat(feed, 1, 61)
    answer(feed, 60.2)
    assert not silences(say(feed, 60.5, time=60_500, **ticker))
    beat(feed, 61, 122)
    assert answer(feed, 121.1)
    assert silences(say(feed, 121.5, time=121_500, **{**ticker, "bid": 2.0})) == [TICKER]
    assert not silences(say(feed, 122.0, time=122_000, **{**ticker, "bid": 3.0}))


def test_an_answer_that_never_comes_is_the_connections_death(feed: FuturesFeed) -> None:
    follow(feed, TICKER)
    beat(feed, 1, 71)
    say(feed, 71.0, feed="heartbeat", time=1)
    reason = feed.is_dead(71.0)
    assert reason is not None
    assert "ticker PF_XBTUSD" in reason
    assert "not answered" in reason
    feed.closed(71.0)
    feed.opened(72.0)
    assert feed.is_dead(72.0) is None


@pytest.mark.parametrize("answer", ["ack", "data"])
def test_an_acknowledgement_or_news_are_life(feed: FuturesFeed, answer: str) -> None:
    follow(feed, TICKER)
    beat(feed, 1, 61)
    if answer == "ack":
        say(feed, 61.0, event="subscribed", feed="ticker", product_ids=["PF_XBTUSD"])
    else:
        say(feed, 61.0, feed="ticker", product_id="PF_XBTUSD", time=1)
    beat(feed, 61, 100)


def test_it_can_be_turned_off_and_set(context: VenueContext) -> None:
    for quiet_after, expected in ((0, 0), (20, 2)):
        config = FuturesConfig(quiet_after=quiet_after)
        made = VenueContext(venue="f", config=config, symbols=context.symbols, assets=context.assets)
        feed = public_feed(made)
        feed.opened(0.0)
        follow(feed, TICKER)
        beat(feed, 1, 25)
        assert len(sent(feed)) == expected
    with pytest.raises(ConfigError, match="below zero"):
        FuturesConfig(quiet_after=-1)


def test_not_everything_is_asked_for_at_once(context: VenueContext) -> None:
    entry = {"type": "flexible_futures", "tickSize": 1, "tradeable": True, "contractValueTradePrecision": 0}
    listed = [{**entry, "symbol": f"PF_X{n}USD", "base": f"X{n}", "quote": "USD"} for n in range(25)]
    found = FuturesRest(context).load_instruments(json.dumps({"instruments": listed}).encode())
    feed = public_feed(context)
    feed.opened(0.0)
    follow(feed, *(Subscription(Channel.TICKER, each.symbol) for each in found))
    sizes = []
    beat(feed, 1, 60)
    for second in range(60, 66):
        beat(feed, second, second + 1)
        sizes.append([len(products) for _, _, products in sent(feed)])
    assert sizes == [[10, 10], [10, 10], [5, 5], [], [], []]


def test_one_request_serves_several_products_of_a_feed(feed: FuturesFeed) -> None:
    follow(feed, TICKER, Subscription(Channel.TICKER, PI), TRADES)
    beat(feed, 1, 61)
    assert sent(feed) == [*asked("ticker", "PF_XBTUSD", "PI_XBTUSD"), *asked("trade", "PF_XBTUSD")]


def test_what_is_not_wanted_any_more_is_not_asked_for(feed: FuturesFeed) -> None:
    follow(feed, TICKER)
    feed.unsubscribe([TICKER], 1.0)
    answer(feed, 1.0)
    beat(feed, 1, 90)
    assert not feed.outbox()


def test_a_closed_connection_asks_nothing(feed: FuturesFeed) -> None:
    follow(feed, TICKER)
    feed.closed(1.0)
    assert not list(feed.tick(100.0))
    assert not feed.outbox()
    assert feed.is_dead(100.0) is None


# The account.


STATES = (Channel.ORDERS, Channel.FILLS, Channel.BALANCES, Channel.POSITIONS)


@pytest.fixture
def account(private: FuturesFeed) -> FuturesFeed:
    private.opened(0.0)
    follow(private, *map(Subscription, STATES))
    return private


FILL = {
    "instrument": "PF_XBTUSD",
    "time": 1,
    "price": 5.0,
    "buy": True,
    "qty": 1.0,
    "order_id": "o",
    "fill_type": "maker",
}
ORDER = {"instrument": "PF_XBTUSD", "order_id": "o", "direction": 0, "qty": 1.0, "filled": 0.0, "type": "limit"}
POSITION = {"instrument": "PF_XBTUSD", "balance": 1.0, "entry_price": 5.0}


def test_a_quiet_account_is_asked_for_again_with_its_signature(account: FuturesFeed) -> None:
    follow(account, Subscription(Channel.LEDGER), Subscription(Channel.NOTICES))
    beat(account, 1, 61)
    frames = [json.loads(frame) for frame in account.outbox()]
    feeds = ["open_orders_verbose", "fills", "balances", "open_positions", "account_log", "notifications_auth"]
    assert [frame["feed"] for frame in frames] == [feed for feed in feeds for _ in range(2)]
    assert all(frame["original_challenge"] == "sign me" for frame in frames)


def test_what_the_account_did_meanwhile_is_healed_and_told_of(account: FuturesFeed) -> None:
    before: list[dict[str, Any]] = [
        {"feed": "open_orders_verbose_snapshot", "orders": [{**ORDER, "limit_price": 4.0}]},
        {"feed": "fills_snapshot", "fills": [{**FILL, "fill_id": "f-1"}]},
        {"feed": "balances_snapshot", "account": "a", "seq": 0, "holding": {"USD": 5.0}},
        {"feed": "open_positions", "positions": [POSITION]},
    ]
    after: list[dict[str, Any]] = [
        {"feed": "open_orders_verbose_snapshot", "orders": []},
        {"feed": "fills_snapshot", "fills": [{**FILL, "fill_id": "f-1"}, {**FILL, "fill_id": "f-2"}]},
        {"feed": "balances_snapshot", "account": "a", "seq": 0, "holding": {"USD": 4.0}},
        {"feed": "open_positions", "positions": []},
    ]
    for frame in before:
        say(account, 0.0, **frame)
    beat(account, 1, 61)
    answer(account, 60.5)
    for frame in before:
        assert not silences(say(account, 60.5, **frame))
    beat(account, 61, 122)
    answer(account, 121.5)
    events = [event for frame in after for event in say(account, 121.5, **frame)]
    assert tuple(each.channel for each in silences(events)) == STATES
    assert [event.id for event in events if isinstance(event, Fill)] == ["f-2"]
    assert OpenOrdersSnapshot(orders=()) in events
    assert account.stats.silent == 4


def test_changes_that_were_heard_of_are_no_surprise(account: FuturesFeed) -> None:
    say(account, 0.0, feed="open_orders_verbose_snapshot", orders=[{**ORDER, "limit_price": 4.0}])
    say(account, 0.0, feed="balances_snapshot", account="a", seq=0, holding={"USD": 5.0})
    partly = {**ORDER, "qty": 0.5, "filled": 0.5, "limit_price": 4.0}
    say(account, 1.0, feed="open_orders_verbose", order=partly, is_cancel=False, reason="partial_fill")
    say(account, 1.0, feed="balances", account="a", seq=1, holding={"USD": 3.0})
    beat(account, 2, 63)
    answer(account, 62.5)
    assert not silences(say(account, 62.5, feed="open_orders_verbose_snapshot", orders=[partly]))
    assert not silences(
        say(account, 62.5, feed="balances_snapshot", account="a", seq=0, holding={"USD": 3.0, "EUR": 0.0})
    )
    say(account, 63.0, feed="open_orders_verbose", order_id="o", is_cancel=True, reason="cancelled_by_user")
    for start in (63, 73, 83, 93, 103, 113, 123):
        beat(account, start, start + 10)
        answer(account, start + 9.5)
    assert not silences(say(account, 132.5, feed="open_orders_verbose_snapshot", orders=[]))
    assert account.stats.silent == 0


def test_every_public_channel_is_watched(feed: FuturesFeed) -> None:
    """A feed whose silence is not noticed would be a hole in the watch."""
    follow(feed, *(Subscription(channel, PF) for channel in PUBLIC))
    book(feed, 0.0, 1)
    beat(feed, 1, 61)
    assert {name for _, name, _ in sent(feed)} == set(PUBLIC.values())
