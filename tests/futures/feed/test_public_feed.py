"""The public connection: asking one thing at a time, tickers, life."""

import json
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported, ProtocolError, UnknownSymbol
from exchange_core.model.event import (
    Channel,
    Event,
    Ignored,
    InstrumentsUpdate,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    SubscriptionUnanswered,
    TickerTrigger,
    Unrecognised,
)
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.market import Ticker
from exchange_core.model.symbol import Symbol
from kraken_futures.config import FuturesConfig
from kraken_futures.feed.connections import FuturesFeed, public_feed
from kraken_futures.rest.operations import FuturesRest

PF, PI, ETH = (Symbol.parse(text) for text in ("BTC/USD:USD", "BTC/USD:BTC", "ETH/USD:USD"))
TICKER_PF, TICKER_PI = Subscription(Channel.TICKER, PF), Subscription(Channel.TICKER, PI)
TRADES_PF = Subscription(Channel.TRADES, PF)

HEARTBEAT_ASKED = {"event": "subscribe", "feed": "heartbeat"}


def sent(feed: FuturesFeed) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in feed.outbox()]


def say(connection: FuturesFeed, now: float = 0.0, /, **frame: Any) -> list[Event]:
    return list(connection.receive(json.dumps(frame), now))


def ack(connection: FuturesFeed, name: str, *products: str, event: str = "subscribed", now: float = 0.0) -> list[Event]:
    more = {"product_ids": list(products)} if products else {}
    return say(connection, now, event=event, feed=name, **more)


def subscription_request(name: str, *products: str, event: str = "subscribe") -> dict[str, Any]:
    return {"event": event, "feed": name, "product_ids": list(products)}


@pytest.fixture
def feed(public: FuturesFeed) -> FuturesFeed:
    """Connected, with nothing wanted and nothing left to send."""
    public.opened(0.0)
    ack(public, "heartbeat")
    public.outbox()
    return public


def test_no_login_is_needed(public: FuturesFeed) -> None:
    assert public.login() is None


def test_what_was_wanted_before_the_connection_is_asked_for_first_heartbeats_last(public: FuturesFeed) -> None:
    public.subscribe([TICKER_PF, TICKER_PI, TRADES_PF], 0.0)
    assert not public.outbox()
    public.opened(0.0)
    assert sent(public) == [subscription_request("ticker", "PF_XBTUSD", "PI_XBTUSD")]
    ack(public, "ticker", "PI_XBTUSD")
    assert not public.outbox()
    ack(public, "ticker", "PF_XBTUSD")
    assert sent(public) == [subscription_request("trade", "PF_XBTUSD")]
    ack(public, "trade", "PF_XBTUSD")
    assert sent(public) == [HEARTBEAT_ASKED]


def test_each_product_is_acknowledged_for_itself(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PF, TICKER_PI], 0.0)
    assert ack(feed, "ticker", "PI_XBTUSD") == [Subscribed(subscription=TICKER_PI)]
    assert feed.is_active(TICKER_PI)
    assert not feed.is_active(TICKER_PF)
    assert say(feed, event="subscribed ", feed="ticker", product_ids=["pf_xbtusd"]) == [
        Subscribed(subscription=TICKER_PF)
    ]
    assert list(feed.subscriptions()) == [TICKER_PF, TICKER_PI]


def test_an_acknowledgement_without_products_is_of_all_that_were_asked(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PF, TICKER_PI], 0.0)
    assert len(ack(feed, "ticker")) == 2


def test_an_acknowledgement_that_nobody_waits_for_is_passed_over(feed: FuturesFeed) -> None:
    assert ack(feed, "ticker", "PF_XBTUSD") == [Ignored(kind="subscribed ticker")]
    assert not feed.is_active(TICKER_PF)


def test_two_depths_of_a_book_are_one_feed(feed: FuturesFeed) -> None:
    """Books come whole; a second one joins the first."""
    whole, ten = Subscription(Channel.BOOK, PF), Subscription(Channel.BOOK, PF, depth=10)
    feed.subscribe([whole], 0.0)
    ack(feed, "book", "PF_XBTUSD")
    feed.outbox()
    feed.subscribe([ten], 1.0)
    assert not feed.outbox()
    assert feed.is_active(ten)
    assert list(feed.tick(1.0)) == [Subscribed(subscription=ten)]
    feed.unsubscribe([whole], 2.0)
    assert not feed.outbox()
    feed.unsubscribe([ten], 2.0)
    assert sent(feed) == [subscription_request("book", "PF_XBTUSD", event="unsubscribe")]


def test_a_second_one_may_join_while_the_first_is_being_asked_for(feed: FuturesFeed) -> None:
    whole, ten = Subscription(Channel.BOOK, PF), Subscription(Channel.BOOK, PF, depth=10)
    feed.subscribe([whole], 0.0)
    feed.subscribe([ten], 0.0)
    assert sent(feed) == [subscription_request("book", "PF_XBTUSD")]
    assert ack(feed, "book", "PF_XBTUSD") == [Subscribed(subscription=whole), Subscribed(subscription=ten)]


def test_more_products_than_fit_are_asked_for_in_turns(context: VenueContext) -> None:
    many = public_feed(context)
    entry = {"type": "flexible_futures", "tickSize": 1, "tradeable": True, "contractValueTradePrecision": 0}
    listed = [{**entry, "symbol": f"PF_X{n}USD", "base": f"X{n}", "quote": "USD"} for n in range(250)]
    found = FuturesRest(context).load_instruments(json.dumps({"instruments": listed}).encode())
    many.subscribe([Subscription(Channel.TICKER, i.symbol) for i in found], 0.0)
    many.opened(0.0)
    sizes = []
    while frames := sent(many):
        sizes += [len(frame.get("product_ids", [])) for frame in frames]
        for frame in frames:
            ack(many, frame["feed"], *frame.get("product_ids", []))
    assert sizes == [100, 100, 50, 0]


def test_a_refusal_of_one_product_is_told_from_the_others(feed: FuturesFeed) -> None:
    """Errors name neither a request nor a product: each is asked for alone then."""
    feed.subscribe([TICKER_PF, TICKER_PI], 0.0)
    feed.outbox()
    assert say(feed, event="error", message="Invalid product id") == [Ignored(kind="error: Invalid product id")]
    assert sent(feed) == [subscription_request("ticker", "PF_XBTUSD")]
    (refused,) = say(feed, event="error", message="Invalid product id")
    assert isinstance(refused, SubscriptionRefused)
    assert refused.subscription == TICKER_PF
    assert refused.codes == ("Invalid product id",)
    assert sent(feed) == [subscription_request("ticker", "PI_XBTUSD")]
    assert ack(feed, "ticker", "PI_XBTUSD") == [Subscribed(subscription=TICKER_PI)]
    assert list(feed.subscriptions()) == [TICKER_PI]


@pytest.mark.parametrize("event", ["error", "alert", "subscribed_failed"])
def test_what_is_refused_alone_is_refused(feed: FuturesFeed, event: str) -> None:
    feed.subscribe([TICKER_PF], 0.0)
    (refused,) = say(feed, event=event, message="Couldn't subscribe to invalid feed")
    assert isinstance(refused, SubscriptionRefused)
    assert "invalid feed" in refused.reason
    assert list(feed.subscriptions()) == []


def test_a_refusal_that_names_its_product_is_of_that_one(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PF, TICKER_PI], 0.0)
    feed.outbox()
    (refused,) = ack(feed, "ticker", "PI_XBTUSD", event="subscribed_failed")
    assert isinstance(refused, SubscriptionRefused)
    assert refused.subscription == TICKER_PI
    assert ack(feed, "ticker", "PF_XBTUSD") == [Subscribed(subscription=TICKER_PF)]
    assert sent(feed) == []


def test_what_cannot_be_ended_holds_nothing_up(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PF], 0.0)
    ack(feed, "ticker", "PF_XBTUSD")
    feed.unsubscribe([TICKER_PF], 0.0)
    feed.subscribe([TRADES_PF], 0.0)
    feed.outbox()
    assert ack(feed, "ticker", "PF_XBTUSD", event="unsubscribed_failed") == [Ignored(kind="unsubscribed_failed")]
    assert sent(feed) == [subscription_request("trade", "PF_XBTUSD")]


def test_a_refused_book_is_gone_and_may_be_wanted_again(feed: FuturesFeed) -> None:
    book = Subscription(Channel.BOOK, PF)
    feed.subscribe([book], 0.0)
    say(feed, event="error", message="Invalid product id")
    assert feed.book(PF) is None
    feed.subscribe([book], 1.0)
    assert feed.book(PF) is not None
    assert sent(feed)[-1] == subscription_request("book", "PF_XBTUSD")


def test_what_was_acknowledged_is_not_refused_by_an_error_after_it(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PF, TICKER_PI], 0.0)
    ack(feed, "ticker", "PF_XBTUSD")
    (refused,) = say(feed, event="error", message="Invalid product id")
    assert isinstance(refused, SubscriptionRefused)
    assert refused.subscription == TICKER_PI
    assert feed.is_active(TICKER_PF)


def test_an_error_while_a_book_is_asked_for_afresh_may_mean_either(feed: FuturesFeed) -> None:
    feed.subscribe([Subscription(Channel.BOOK, PF)], 0.0)
    ack(feed, "book", "PF_XBTUSD")
    rows = {"bids": [], "asks": [], "product_id": "PF_XBTUSD"}
    say(feed, feed="book_snapshot", seq=1, **rows)
    say(feed, feed="book", seq=9, side="buy", price=1.0, qty=1.0, product_id="PF_XBTUSD")
    feed.subscribe([TICKER_PF], 0.0)
    feed.outbox()
    assert say(feed, event="error", message="Invalid feed") == [Ignored(kind="error: Invalid feed")]
    assert sent(feed) == [subscription_request("ticker", "PF_XBTUSD")]
    assert ack(feed, "ticker", "PF_XBTUSD") == [Subscribed(subscription=TICKER_PF)]


def test_an_error_that_nobody_can_be_blamed_for_is_named(feed: FuturesFeed) -> None:
    assert say(feed, event="error", message="Json Error") == [Ignored(kind="error: Json Error")]


def test_already_subscribed_is_a_yes(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PF], 0.0)
    events = say(feed, event="alert", message="Already subscribed to feed, re-requesting")
    assert events == [Subscribed(subscription=TICKER_PF)]


def seconds_of(feed: FuturesFeed, request: dict[str, Any], until: int) -> tuple[list[int], list[Event]]:
    """Let time pass; return when *request* was sent, and what was told."""
    times, events = [0] * sent(feed).count(request), list[Event]()
    for second in range(1, until):
        events += feed.tick(float(second))
        times += [second] * sent(feed).count(request)
    return times, events


def test_where_nothing_else_works_three_silences_end_the_connection(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PF], 0.0)
    request = subscription_request("ticker", "PF_XBTUSD")
    assert seconds_of(feed, request, 60) == ([0, 10, 20], [])
    assert feed.is_dead(31.0) == "ticker: no answer within 10 s, three times"
    assert list(feed.subscriptions()) == [TICKER_PF]
    feed.closed(31.0)
    feed.opened(32.0)
    assert feed.is_dead(32.0) is None
    assert sent(feed) == [request]


def test_where_others_work_it_is_asked_for_beside_them_ever_more_slowly(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PI], 0.0)
    ack(feed, "ticker", "PI_XBTUSD")
    feed.subscribe([TICKER_PF], 0.0)
    times, events = seconds_of(feed, subscription_request("ticker", "PF_XBTUSD"), 300)
    assert times == [0, 10, 20, 40, 70, 120, 190, 260]
    assert [event for event in events if not isinstance(event, Ignored)] == [
        SubscriptionUnanswered(subscription=TICKER_PF, reason="no answer within 10 s, three times; it is asked for on")
    ]
    assert ack(feed, "ticker", "PF_XBTUSD") == [Subscribed(subscription=TICKER_PF)]


def test_what_is_given_up_is_not_asked_for_later(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PI], 0.0)
    ack(feed, "ticker", "PI_XBTUSD")
    feed.subscribe([TICKER_PF], 0.0)
    request = subscription_request("ticker", "PF_XBTUSD")
    assert seconds_of(feed, request, 35)[0] == [0, 10, 20]
    feed.unsubscribe([TICKER_PF], 35.0)
    assert seconds_of(feed, request, 100)[0] == []


@pytest.mark.parametrize("message", ["Service unavailable", "Down for maintenance", "Rate limit exceeded"])
def test_what_the_venue_cannot_do_just_then_is_asked_for_later(feed: FuturesFeed, message: str) -> None:
    """No such text is documented; taken for a no, it would end the stream."""
    feed.subscribe([TICKER_PF], 0.0)
    times = list[int]()
    for second in range(220):
        events = list(feed.tick(float(second)))
        if sent(feed) == [subscription_request("ticker", "PF_XBTUSD")]:
            times.append(second)
            events += say(feed, float(second), event="error", message=message)
        assert not [event for event in events if isinstance(event, SubscriptionRefused)]
    assert times == [0, 10, 20, 30, 50, 90, 150, 210]
    assert list(feed.subscriptions()) == [TICKER_PF]


def test_silence_about_heartbeats_holds_nothing_up(public: FuturesFeed) -> None:
    public.subscribe([TICKER_PF], 0.0)
    public.opened(0.0)
    ack(public, "ticker", "PF_XBTUSD")
    assert sent(public)[-1] == HEARTBEAT_ASKED
    events = [event for second in range(100) for event in public.tick(float(second))]
    assert events == []


def test_a_new_connection_is_asked_for_everything_again(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PF], 0.0)
    ack(feed, "ticker", "PF_XBTUSD")
    feed.outbox()
    feed.closed(1.0)
    assert not feed.is_active(TICKER_PF)
    feed.opened(2.0)
    assert sent(feed) == [subscription_request("ticker", "PF_XBTUSD")]


def test_nothing_unsent_of_an_old_connection_is_sent_on_a_new_one(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PF], 0.0)
    feed.closed(1.0)
    assert not feed.outbox()
    feed.unsubscribe([TICKER_PF], 1.5)
    feed.opened(2.0)
    assert sent(feed) == [HEARTBEAT_ASKED]


def test_what_is_not_wanted_any_more_is_ended(feed: FuturesFeed) -> None:
    feed.subscribe([TICKER_PF, TICKER_PI], 0.0)
    ack(feed, "ticker", "PF_XBTUSD")
    ack(feed, "ticker", "PI_XBTUSD")
    feed.outbox()
    feed.unsubscribe([TICKER_PF, TRADES_PF], 1.0)
    assert sent(feed) == [subscription_request("ticker", "PF_XBTUSD", event="unsubscribe")]
    assert ack(feed, "ticker", "PF_XBTUSD", event="unsubscribed") == [Ignored(kind="unsubscribed")]
    assert list(feed.subscriptions()) == [TICKER_PI]


@pytest.mark.parametrize(
    ("subscription", "error"),
    [
        (Subscription(Channel.CANDLES, PF, interval=1), NotSupported),
        (Subscription(Channel.FILLS), NotSupported),
        (Subscription(Channel.TICKER), NotSupported),
        (Subscription(Channel.TICKER, PF, trigger=TickerTrigger.BBO), NotSupported),
        (Subscription(Channel.TICKER, PF, variant="ticker_full"), NotSupported),
        (Subscription(Channel.BOOK, PF, variant="ticker_lite"), NotSupported),
        (Subscription(Channel.TICKER, Symbol.parse("NO/USD:USD")), UnknownSymbol),
    ],
)
def test_what_cannot_be_had_is_refused_before_sending(
    feed: FuturesFeed, subscription: Subscription, error: type[Exception]
) -> None:
    with pytest.raises(error):
        feed.subscribe([TICKER_PF, subscription], 0.0)
    assert not feed.outbox()
    assert list(feed.subscriptions()) == []


def test_the_lighter_ticker_can_be_chosen(feed: FuturesFeed) -> None:
    lite = Subscription(Channel.TICKER, PF, variant="ticker_lite")
    feed.subscribe([TICKER_PF, lite], 0.0)
    assert sent(feed) == [subscription_request("ticker", "PF_XBTUSD")]
    assert ack(feed, "ticker", "PF_XBTUSD") == [Subscribed(subscription=TICKER_PF)]
    assert sent(feed) == [subscription_request("ticker_lite", "PF_XBTUSD")]
    assert ack(feed, "ticker_lite", "PF_XBTUSD") == [Subscribed(subscription=lite)]
    feed.unsubscribe([lite], 1.0)
    assert sent(feed) == [subscription_request("ticker_lite", "PF_XBTUSD", event="unsubscribe")]
    assert feed.is_active(TICKER_PF)


# Tickers.

TICKER = {
    "feed": "ticker",
    "time": 1767614400000,
    "product_id": "PF_XBTUSD",
    "bid": 82380.0,
    "ask": 82381.0,
    "bid_size": 0.0003,
    "ask_size": 0.4671,
    "volume": "7779.8361",
    "index": 82367.95,
    "markPrice": 82380.4640336367,
    "relative_funding_rate": 2.50402625e-05,
    "tag": "perpetual",
    "suspended": False,
    "post_only": False,
}


def test_a_ticker(feed: FuturesFeed) -> None:
    (ticker,) = say(feed, **TICKER)
    assert isinstance(ticker, Ticker)
    assert (ticker.symbol, ticker.bid, ticker.ask_quantity) == (PF, Decimal("82380.0"), Decimal("0.4671"))
    assert ticker.volume == Decimal("7779.8361")
    assert ticker.mark_price == Decimal("82380.4640336367")
    assert ticker.funding_rate == Decimal("0.0000250402625")
    assert (ticker.last, ticker.low) == (None, None)


@pytest.mark.parametrize(("tag", "funding"), [("perpetual", Decimal(0)), ("month", None)])
def test_a_funding_rate_of_zero_is_left_out_by_the_venue(feed: FuturesFeed, tag: str, funding: Decimal | None) -> None:
    frame = {name: value for name, value in TICKER.items() if name != "relative_funding_rate"}
    (ticker,) = say(feed, **{**frame, "tag": tag})
    assert isinstance(ticker, Ticker)
    assert ticker.funding_rate == funding


def test_a_market_that_is_suspended_is_news_of_its_instrument(feed: FuturesFeed, context: VenueContext) -> None:
    assert len(say(feed, **TICKER)) == 1
    _, update = say(feed, **{**TICKER, "suspended": True})
    assert isinstance(update, InstrumentsUpdate)
    assert context.symbols.instrument(PF).status is InstrumentStatus.OFFLINE
    assert len(say(feed, **{**TICKER, "suspended": True})) == 1
    say(feed, **{**TICKER, "post_only": True})
    assert context.symbols.instrument(PF).status is InstrumentStatus.POST_ONLY
    say(feed, **TICKER)
    assert context.symbols.instrument(PF).status is InstrumentStatus.ONLINE


def test_a_short_ticker_says_what_it_says(feed: FuturesFeed) -> None:
    (ticker,) = say(feed, feed="ticker_lite", product_id="PF_XBTUSD", bid=1.5, ask=2.5, volume="3562602.0", tag="month")
    assert ticker == Ticker(symbol=PF, bid=Decimal("1.5"), ask=Decimal("2.5"), volume=Decimal("3562602.0"))


@pytest.mark.parametrize("name", ["ticker", "ticker_lite"])
def test_a_product_that_is_in_no_list_is_reported(feed: FuturesFeed, name: str) -> None:
    (event,) = say(feed, **{**TICKER, "feed": name, "product_id": "PV_XRPXBT"})
    assert isinstance(event, Unrecognised)
    assert "PV_XRPXBT" in event.detail
    assert sum(feed.stats.unknown.values()) == 1


# Frames of other kinds.


@pytest.mark.parametrize(
    "frame",
    [
        {"event": "info", "version": 1},
        {"event": "pong"},
        {"feed": "heartbeat", "time": 1534262350627},
        {"event": "subscribe", "feed": "book", "product_ids": ["X"]},
        {"event": "challenge", "message": "226aee50-88fc-4618-a42a-34f7709570b2"},
    ],
)
def test_known_frames_without_news_are_named(feed: FuturesFeed, frame: dict[str, Any]) -> None:
    (event,) = say(feed, **frame)
    assert isinstance(event, Ignored)
    assert not feed.stats.unknown


@pytest.mark.parametrize(
    "frame", [{"feed": "candles_1m"}, {"event": "party"}, {"hello": 1}, {}, {"feed": 5}, {"event": None}]
)
def test_unknown_frames_are_counted_and_reported(feed: FuturesFeed, frame: dict[str, Any]) -> None:
    (event,) = say(feed, **frame)
    assert isinstance(event, Unrecognised)
    assert sum(feed.stats.unknown.values()) == 1


@pytest.mark.parametrize("frame", ["", "x", "[]", "5", "null", '"text"', b"\xff\xfe", "\ud800", "[" * 100_000])
def test_what_is_no_json_object_is_a_protocol_error_and_the_connection_goes_on(
    feed: FuturesFeed, frame: str | bytes
) -> None:
    with pytest.raises(ProtocolError):
        feed.receive(frame, 0.0)
    assert len(say(feed, **TICKER)) == 1


def test_frames_may_be_bytes(feed: FuturesFeed) -> None:
    assert len(feed.receive(json.dumps(TICKER).encode(), 0.0)) == 1


# Life.


def test_a_server_that_never_says_anything_is_dead_soon(public: FuturesFeed) -> None:
    public.opened(100.0)
    assert public.is_dead(110.0) is None
    assert "nothing came for 10.5 s" in (public.is_dead(110.5) or "")


def test_before_two_heartbeats_a_silent_market_is_not_dead(feed: FuturesFeed) -> None:
    """How often the venue beats is not documented."""
    say(feed, 1.0, event="info", version=1)
    assert feed.is_dead(60.0) is None
    assert feed.is_dead(61.5) is not None


def test_the_rhythm_of_heartbeats_is_learnt(feed: FuturesFeed) -> None:
    for second in (1.0, 2.0, 3.0):
        say(feed, second, feed="heartbeat", time=1)
    assert feed.is_dead(13.0) is None
    assert feed.is_dead(13.5) is not None
    feed.closed(14.0)
    feed.opened(15.0)
    say(feed, 16.0, event="info", version=1)
    assert feed.is_dead(26.5) is not None


def test_slow_heartbeats_make_it_patient(feed: FuturesFeed) -> None:
    for second in (0.0, 15.0):
        say(feed, second, feed="heartbeat", time=1)
    assert feed.is_dead(59.0) is None
    assert feed.is_dead(61.0) is not None


def test_a_closed_connection_is_not_dead(feed: FuturesFeed) -> None:
    feed.closed(1.0)
    assert feed.is_dead(1000.0) is None


def test_patience_is_configured(context: VenueContext) -> None:
    config = FuturesConfig(stale_after=3.0)
    feed = public_feed(VenueContext(venue="f", config=config, symbols=context.symbols, assets=context.assets))
    feed.opened(0.0)
    assert feed.is_dead(3.5) is not None
