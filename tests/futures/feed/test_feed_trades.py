"""Public trades: each told once, in order, and holes in their numbers filled from fresh snapshots."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.event import Channel, Event, Ignored, SequenceGap, Subscription
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Trade
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.config import FuturesConfig
from kraken_futures.feed.connections import FuturesFeed, public_feed

PF = Symbol.parse("BTC/USD:USD")
TRADES_PF = Subscription(Channel.TRADES, PF)


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


def row(seq: int, **more: Any) -> dict[str, Any]:
    times = {"time": 1767614400000 + seq, "price": 60000.5, "qty": 0.25}
    return {"side": "sell", "type": "fill", "seq": seq, "uid": f"u{seq}", **times, **more}


def trade(feed: FuturesFeed, seq: int, **more: Any) -> list[Event]:
    return say(feed, feed="trade", product_id="PF_XBTUSD", **row(seq, **more))


def trade_snapshot(feed: FuturesFeed, *seqs: int) -> list[Event]:
    return say(feed, feed="trade_snapshot", product_id="PF_XBTUSD", trades=[row(seq) for seq in seqs])


def ids(events: list[Event]) -> list[str]:
    return [event.id for event in events if isinstance(event, Trade)]


def test_trades_of_a_snapshot_come_oldest_first(feed: FuturesFeed) -> None:
    events = trade_snapshot(feed, 12, 11, 10)
    assert ids(events) == ["u10", "u11", "u12"]
    assert events[0] == Trade(
        symbol=PF,
        id="u10",
        side=Side.SELL,
        price=Decimal("60000.5"),
        quantity=Decimal("0.25"),
        time=datetime(2026, 1, 5, 12, 0, 0, 10000, tzinfo=UTC),
    )


def test_a_trade_is_told_once(feed: FuturesFeed) -> None:
    trade_snapshot(feed, 12, 11)
    assert ids(trade(feed, 13)) == ["u13"]
    assert trade(feed, 13) == [Ignored(kind="trades seen before")]
    feed.closed(1.0)
    feed.opened(2.0)
    assert ids(trade_snapshot(feed, 15, 14, 13, 12)) == ["u14", "u15"]
    assert feed.stats.gaps == 0


def test_a_hole_in_the_trades_is_told(feed: FuturesFeed) -> None:
    trade_snapshot(feed, 12, 11)
    gap, told = trade(feed, 15)
    assert isinstance(gap, SequenceGap)
    assert gap.channel is Channel.TRADES
    assert "2 missing" in gap.reason
    assert isinstance(told, Trade)
    assert feed.stats.gaps == 1
    assert len(trade(feed, 16)) == 1


def test_more_trades_than_a_snapshot_holds_while_away_are_a_hole(feed: FuturesFeed) -> None:
    trade_snapshot(feed, 12, 11)
    events = trade_snapshot(feed, 31, 30)
    assert isinstance(events[0], SequenceGap)
    assert ids(events) == ["u30", "u31"]


def test_a_counter_that_starts_anew_is_a_hole_and_its_trades_are_news(feed: FuturesFeed) -> None:
    trade_snapshot(feed, 12, 11)
    events = trade(feed, 1, uid="another")
    assert isinstance(events[0], SequenceGap)
    assert ids(events) == ["another"]
    assert ids(trade(feed, 2, uid="and another")) == ["and another"]
    assert feed.stats.gaps == 1


def test_trades_without_uid_are_told_apart_by_their_number(feed: FuturesFeed) -> None:
    assert ids(trade(feed, 1, uid=None)) == ["1"]
    assert ids(trade(feed, 1, uid=None)) == []
    assert ids(trade(feed, 2, uid=None)) == ["2"]


def subscribed_trades(feed: FuturesFeed, now: float = 0.0) -> None:
    feed.subscribe([TRADES_PF], now)
    ack(feed, "trade", "PF_XBTUSD", now=now)
    trade_snapshot(feed, 12, 11)
    feed.outbox()


ASK_TRADES = [subscription_request("trade", "PF_XBTUSD", event=e) for e in ("unsubscribe", "subscribe")]


def test_a_hole_is_filled_from_a_fresh_snapshot_each_trade_once(feed: FuturesFeed) -> None:
    subscribed_trades(feed)
    assert ids(trade(feed, 15)) == ["u15"]
    feed.tick(1.0)
    assert sent(feed) == ASK_TRADES
    assert ack(feed, "trade", "PF_XBTUSD") == [Ignored(kind="subscribed trade")]
    assert feed.is_active(TRADES_PF)
    events = trade_snapshot(feed, 16, 15, 14, 13, 12, 11)
    assert ids(events) == ["u13", "u14", "u16"]
    assert not [event for event in events if isinstance(event, SequenceGap)]
    assert ids(trade(feed, 17)) == ["u17"]
    assert (feed.stats.gaps, feed.stats.silent) == (1, 0)


def test_what_a_snapshot_does_not_reach_back_to_is_told_as_lost(feed: FuturesFeed) -> None:
    subscribed_trades(feed)
    trade(feed, 40)
    feed.tick(1.0)
    events = trade_snapshot(feed, 41, 40, 39)
    gaps = [event for event in events if isinstance(event, SequenceGap)]
    assert [gap.symbol for gap in gaps] == [PF]
    assert "26 trades before 40" in gaps[0].reason
    assert ids(events) == ["u39", "u41"]
    assert feed.stats.gaps == 1


def test_what_was_missed_while_asking_comes_late_and_once(feed: FuturesFeed) -> None:
    subscribed_trades(feed)
    trade(feed, 15)
    assert ids(trade(feed, 13)) == ["u13"]
    events = trade_snapshot(feed, 15, 14, 13, 12)
    assert ids(events) == ["u14"]
    assert not [event for event in events if isinstance(event, SequenceGap)]


def test_holes_are_asked_for_one_at_a_time(feed: FuturesFeed) -> None:
    subscribed_trades(feed)
    trade(feed, 15)
    feed.tick(1.0)
    assert sent(feed) == ASK_TRADES
    trade(feed, 18)
    ack(feed, "trade", "PF_XBTUSD", now=1.5)
    for second in range(2, 11):
        feed.tick(float(second))
    assert not feed.outbox()
    feed.tick(11.0)
    assert sent(feed) == ASK_TRADES


def test_a_hole_outlives_a_lost_connection(feed: FuturesFeed) -> None:
    subscribed_trades(feed)
    trade(feed, 15)
    feed.closed(1.0)
    feed.opened(2.0)
    assert ids(trade_snapshot(feed, 15, 14, 13)) == ["u13", "u14"]


def test_trades_from_before_the_first_are_no_news(feed: FuturesFeed) -> None:
    trade_snapshot(feed, 12, 11)
    assert ids(trade_snapshot(feed, 13, 12, 11, 10, 9)) == ["u13"]


def test_ended_trades_that_are_asked_for_later_are_no_hole(feed: FuturesFeed) -> None:
    feed.subscribe([TRADES_PF], 0.0)
    ack(feed, "trade", "PF_XBTUSD")
    trade_snapshot(feed, 12, 11)
    feed.unsubscribe([TRADES_PF], 1.0)
    feed.subscribe([TRADES_PF], 50.0)
    assert ids(trade_snapshot(feed, 99, 98)) == ["u98", "u99"]
    assert feed.stats.gaps == 0


def test_a_damaged_trade_is_an_error_and_the_next_one_shows_the_hole(feed: FuturesFeed) -> None:
    trade_snapshot(feed, 12, 11)
    for damage in ({"price": None}, {"price": "NaN"}, {"side": "hold"}, {"time": -1}):
        with pytest.raises(ProtocolError):
            trade(feed, 13, **damage)
    assert isinstance(trade(feed, 14)[0], SequenceGap)


class Market:
    """A feed, and the venue at the other end, whose snapshots reach back *reach* trades."""

    def __init__(self, reach: int) -> None:
        context = VenueContext(venue="f", config=FuturesConfig(), symbols=SymbolMap("f"), assets=AssetMap("f"))
        one = Decimal(1)
        instrument = Instrument(symbol=PF, venue_id="PF_XBTUSD", tick_size=one, lot_size=one, min_quantity=one)
        naming.add(context.symbols, instrument)
        self.feed = public_feed(context)
        self.feed.opened(0.0)
        self.feed.subscribe([TRADES_PF], 0.0)
        self.reach = reach
        self.now = 0.0
        self.made = [1]
        self.frames: list[dict[str, Any]] = []
        self.told: list[str] = []
        self.gaps = 0

    def trade(self, fate: str) -> None:
        """Make a trade; what becomes of its frame is its fate."""
        self.made.append(self.made[-1] + 1)
        frames = self.frames
        frames.append({"feed": "trade", "product_id": "PF_XBTUSD", **row(self.made[-1])})
        if fate == "lost":
            frames.pop()
        elif fate == "twice":
            frames.append(frames[-1])
        elif fate == "late" and len(frames) > 1:
            frames[-1], frames[-2] = frames[-2], frames[-1]
        elif fate == "wait":
            self.now += 20.0
        elif fate == "break":
            self.feed.closed(self.now)
            self.feed.opened(self.now)
            frames.clear()

    def carry(self) -> None:
        """Hand over the frames; answer what is asked."""
        for frame in self.frames:
            events = list(self.feed.receive(json.dumps(frame), self.now))
            self.told += ids(events)
            self.gaps += sum(isinstance(event, SequenceGap) for event in events)
        self.feed.tick(self.now)
        self.frames = []
        for request in map(json.loads, self.feed.outbox()):
            word = {"subscribe": "subscribed", "unsubscribe": "unsubscribed"}[request["event"]]
            self.frames.append({**request, "event": word})
            if request["feed"] == "trade" and word == "subscribed":
                latest = [row(number) for number in self.made[: -self.reach - 1 : -1]]
                self.frames.append({"feed": "trade_snapshot", "product_id": "PF_XBTUSD", "trades": latest})


FATES = st.sampled_from(["as it is", "as it is", "lost", "twice", "late", "break", "wait"])


@given(st.integers(2, 6), st.lists(FATES, min_size=1, max_size=30))
def test_each_trade_comes_once_or_its_loss_is_told(reach: int, fates: list[str]) -> None:
    """Frames are lost, repeated and swapped, connections break; in the end nothing is missing that nobody told of."""
    market = Market(reach)
    for _ in range(4):
        market.carry()
    for fate in fates:
        market.trade(fate)
        market.carry()
    for _ in range(8):
        market.now += 61.0
        market.carry()
    assert len(market.told) == len(set(market.told))
    assert market.gaps or set(market.told) == {f"u{number}" for number in market.made}
