"""Tickers, trades, candles, instruments and the venue's status; and frames that are none of these."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.event import Ignored, InstrumentsUpdate, StatusUpdate, Unrecognised, VenueState
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.market import Ticker, Trade
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.feed.connections import PublicFeed

BTC = Symbol("BTC", "USD")


def test_ticker(public: PublicFeed, wire: Any) -> None:
    frame = (
        '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":83744.2,"bid_qty":0.56251979,'
        '"ask":83744.3,"ask_qty":0.00044780,"last":83744.3,"volume":3156.84782110,"vwap":84174.6,"low":83163.6,'
        '"high":85247.4,"change":-429.3,"change_pct":-0.51,"trades":135262,"timestamp":"2026-09-25T17:48:26.844359Z"}]}'
    )
    assert wire(public).tell(frame) == [
        Ticker(
            symbol=BTC,
            bid=Decimal("83744.2"),
            bid_quantity=Decimal("0.56251979"),
            ask=Decimal("83744.3"),
            ask_quantity=Decimal("0.00044780"),
            last=Decimal("83744.3"),
            low=Decimal("83163.6"),
            high=Decimal("85247.4"),
            volume=Decimal("3156.84782110"),
            vwap=Decimal("84174.6"),
            time=datetime(2026, 9, 25, 17, 48, 26, 844359, tzinfo=UTC),
        )
    ]


def test_a_ticker_without_a_side_has_none(public: PublicFeed, wire: Any) -> None:
    frame = {"channel": "ticker", "type": "snapshot", "data": [{"symbol": "BTC/USD", "bid": None, "ask": 5}]}
    (ticker,) = wire(public).tell(frame)
    assert ticker.bid is None
    assert ticker.last is None
    assert ticker.ask == 5


def trade(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTC/USD",
        "side": "buy",
        "price": 68500.0,
        "qty": 0.01044926,
        "ord_type": "limit",
        "trade_id": number,
        "timestamp": "2024-05-27T12:43:11.798009Z",
        **changes,
    }


def trades(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"channel": "trade", "type": kind, "data": list(entries)}


def test_trades_carry_the_takers_side(public: PublicFeed, wire: Any) -> None:
    frame = (
        '{"channel":"trade","type":"update","data":[{"symbol":"DOGE/USD","side":"sell","price":0.5117,"qty":40.0,'
        '"ord_type":"market","trade_id":4665906,"timestamp":"2023-09-25T07:49:37.708706Z"}]}'
    )
    assert wire(public).tell(frame) == [
        Trade(
            symbol=Symbol("DOGE", "USD"),
            id="4665906",
            side=Side.SELL,
            price=Decimal("0.5117"),
            quantity=Decimal("40.0"),
            time=datetime(2023, 9, 25, 7, 49, 37, 708706, tzinfo=UTC),
        )
    ]


def test_trades_that_came_before_are_not_told_again(public: PublicFeed, wire: Any) -> None:
    other = wire(public)
    assert [t.id for t in other.tell(trades("snapshot", trade(5), trade(6)))] == ["5", "6"]
    assert [t.id for t in other.tell(trades("update", trade(7)))] == ["7"]
    public.opened(1.0)
    assert [t.id for t in other.tell(trades("snapshot", trade(6), trade(7), trade(8)))] == ["8"]
    assert [t.id for t in other.tell(trades("update", trade(1, symbol="ETH/USD")))] == ["1"]


def test_a_venue_that_counts_trades_anew_is_followed(public: PublicFeed, wire: Any) -> None:
    other = wire(public)
    other.tell(trades("snapshot", trade(500)))
    public.opened(1.0)
    later = {"timestamp": "2024-05-27T12:44:11.798009Z"}
    assert [t.id for t in other.tell(trades("snapshot", trade(1, **later), trade(2, **later)))] == ["1", "2"]
    assert [t.id for t in other.tell(trades("update", trade(3)))] == ["3"]


def bars(kind: str, *minutes: int, close: str = "3026.13") -> str:
    entries = ",".join(
        f'{{"symbol":"ETH/USD","open":3027.80,"high":3027.80,"low":3026.13,"close":{close},"trades":9,'
        f'"volume":13.31603062,"vwap":3027.01,"interval_begin":"2024-05-17T11:{minute:02}:00.000000000Z","interval":1,'
        f'"timestamp":"2024-05-17T11:{minute + 1:02}:00.000000Z"}}'
        for minute in minutes
    )
    return f'{{"channel":"ohlc","type":"{kind}","timestamp":"2024-05-17T11:21:16.318303322Z","data":[{entries}]}}'


def told(events: Any) -> list[tuple[int, bool]]:
    return [(event.start.minute, event.closed) for event in events]


def test_a_bar_is_closed_when_a_later_one_comes(public: PublicFeed, wire: Any) -> None:
    """The venue does not say it."""
    other = wire(public)
    assert told(other.tell(bars("snapshot", 12, 13, 14))) == [(12, True), (13, True), (14, False)]
    assert told(other.tell(bars("update", 14))) == [(14, False)]
    assert told(other.tell(bars("update", 16))) == [(14, True), (16, False)]
    assert other.tell(bars("update", 14)) == [Ignored(kind="candle after its close")]
    assert told(other.tell(bars("update", 17, 18))) == [(16, True), (17, True), (18, False)]


def test_a_snapshot_after_a_lost_connection_tells_what_was_missed(public: PublicFeed, wire: Any) -> None:
    other = wire(public)
    other.tell(bars("snapshot", 12, 13))
    public.opened(1.0)
    assert told(other.tell(bars("snapshot", 12, 13, 14))) == [(13, True), (14, False)]


def test_a_candle_has_exact_values(public: PublicFeed, wire: Any) -> None:
    (candle,) = wire(public).tell(bars("update", 12))
    assert candle.interval == 1
    assert candle.open == Decimal("3027.80")
    assert candle.volume == Decimal("13.31603062")
    assert candle.count == 9
    assert candle.start == datetime(2024, 5, 17, 11, 12, tzinfo=UTC)


def pair(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTC/USD",
        "base": "BTC",
        "quote": "USD",
        "status": "online",
        "qty_precision": 8,
        "qty_increment": 1e-08,
        "price_precision": 1,
        "cost_precision": 5,
        "cost_min": "0.5",
        "price_increment": 0.1,
        "qty_min": 0.0001,
        **changes,
    }


def instruments(*pairs: dict[str, Any]) -> dict[str, Any]:
    return {"channel": "instrument", "type": "update", "data": {"assets": [], "pairs": list(pairs)}}


def test_instruments_change_the_shared_list(public: PublicFeed, context: VenueContext, wire: Any) -> None:
    (event,) = wire(public).tell(instruments(pair(status="cancel_only", price_increment=0.5)))
    assert isinstance(event, InstrumentsUpdate)
    (made,) = event.instruments
    assert made is context.symbols.instrument(BTC)
    assert made.status is InstrumentStatus.CANCEL_ONLY
    assert made.tick_size == Decimal("0.5")
    assert made.lot_size == Decimal("1E-8")
    assert made.min_cost == Decimal("0.5")
    assert made.venue_id == "XBTUSD", "REST goes on under its own name"
    assert context.symbols.from_venue("XXBTZUSD") == BTC


def test_a_status_that_no_page_lists_is_taken_as_offline(public: PublicFeed, wire: Any) -> None:
    (event,) = wire(public).tell(instruments(pair(status="delisted"), pair(symbol="ETH/USD", status="???")))
    assert {made.status for made in event.instruments} == {InstrumentStatus.OFFLINE}


def test_an_instrument_that_rest_has_not_listed_is_added(public: PublicFeed, context: VenueContext, wire: Any) -> None:
    wire(public).tell(instruments(pair(symbol="TSLAx/USD", base="TSLAx")))
    assert context.symbols.wire(Symbol("TSLAx", "USD")) == "TSLAx/USD"


def test_one_bad_instrument_spoils_no_other(public: PublicFeed, wire: Any) -> None:
    bad = [pair(price_increment=0), pair(symbol="BTC"), pair(qty_precision=-1), {"symbol": "X/Y"}]
    update, *strangers = wire(public).tell(instruments(*bad, pair(symbol="ETH/USD")))
    assert [str(made.symbol) for made in update.instruments] == ["ETH/USD"]
    assert [type(event) for event in strangers] == [Unrecognised] * 4
    assert public.stats.unknown["instrument"] == 4


def test_in_a_replay_the_list_that_was_given_wins(make_context: Callable[..., VenueContext], wire: Any) -> None:
    context = make_context(provisional=True)
    wire(PublicFeed(context)).tell(instruments(pair(price_precision=5)))
    assert context.symbols.instrument(BTC).price_decimals == 1


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("online", VenueState.ONLINE),
        ("post_only", VenueState.POST_ONLY),
        ("cancel_only", VenueState.CANCEL_ONLY),
        ("maintenance", VenueState.MAINTENANCE),
        ("something_new", VenueState.MAINTENANCE),
    ],
)
def test_status(public: PublicFeed, wire: Any, word: str, state: VenueState) -> None:
    frame = (
        f'{{"channel":"status","type":"update","data":[{{"version":"2.0.10","system":"{word}","api_version":"v2",'
        '"connection_id":18125794168470749634,"upcoming_maintenance":[],"emergency":[]}]}'
    )
    assert wire(public).tell(frame) == [StatusUpdate(state=state, text=word)]


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param("", id="nothing"),
        pytest.param("<html><body>502 Bad Gateway</body></html>", id="HTML"),
        pytest.param("{", id="cut off"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param("\ud800", id="half a character"),
        pytest.param("7", id="a number"),
        pytest.param('"text"', id="a text"),
        pytest.param("null", id="null"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param('{"a":' * 100_000, id="deep objects"),
        pytest.param('{"channel":"ticker","type":"update","data":[{"symbol":7}]}', id="wrong type"),
        pytest.param('{"channel":"ticker","type":"update","data":[{"symbol":"BTC"}]}', id="no pair"),
        pytest.param('{"channel":"ticker","data":[{"symbol":"BTC/USD","bid":"x"}]}', id="no number"),
        pytest.param('{"channel":"ticker","data":[{"symbol":"BTC/USD","bid":"NaN"}]}', id="NaN"),
        pytest.param('{"channel":"ticker","data":[{"symbol":"BTC/USD","bid":1e9999}]}', id="absurd number"),
        pytest.param('{"channel":"ticker","data":[{"symbol":"BTC/USD","timestamp":"now"}]}', id="no time"),
        pytest.param('{"channel":"trade","type":"update"}', id="missing field"),
        pytest.param('{"channel":"ohlc","type":"update","data":{}}', id="object for list"),
        pytest.param('{"method":7}', id="method is no text"),
        pytest.param('{"method":"subscribe","success":true,"result":[]}', id="result is a list"),
    ],
)
def test_an_unreadable_frame_is_a_protocol_error_and_the_feed_goes_on(
    public: PublicFeed, wire: Any, frame: str | bytes
) -> None:
    other = wire(public)
    with pytest.raises(ProtocolError):
        other.tell(frame)
    assert other.tell('{"channel":"heartbeat"}') == [Ignored(kind="heartbeat")]


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        pytest.param('{"channel":"spread","data":[]}', "channel spread", id="unknown channel"),
        pytest.param('{"channel":["book"]}', "channel ['book']", id="channel is no text"),
        pytest.param('{"hello":"world"}', "frame", id="nothing that is known"),
        pytest.param("[]", "array", id="array"),
        pytest.param('{"channel":"level3","type":"update","data":[]}', "channel level3", id="third connection"),
        pytest.param('{"channel":"balances","type":"update","data":[]}', "channel balances", id="private channel"),
    ],
)
def test_an_unknown_frame_is_counted_and_reported(public: PublicFeed, wire: Any, frame: str, kind: str) -> None:
    (event,) = wire(public).tell(frame)
    assert isinstance(event, Unrecognised)
    assert event.kind == kind
    assert public.stats.unknown[kind] == 1


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ('{"method":"pong","req_id":1,"time_in":"2024-05-20T11:08:49.272922Z"}', "pong"),
        ('{"method":"add_order","req_id":0,"result":{"order_id":"O"},"success":true}', "add_order"),
        ('{"method":"add_order","req_id":0,"error":"EOrder:Insufficient funds","success":false}', "add_order refused"),
        ('{"method":"batch_cancel","orders_cancelled":2,"req_id":0,"success":true}', "batch_cancel"),
        ('{"method":"batch_add","result":[{"order_id":"A"}],"success":true}', "batch_add"),
        ('{"Error":"Exceeded msg rate"}', "message rate exceeded"),
        ('[320,{"b":[["39071.4","7.2","1622714256.06"]],"c":"2040672112"},"book-25","XBT/USD"]', "v1 book"),
        ('{"event":"heartbeat"}', "v1 heartbeat"),
    ],
)
def test_known_frames_without_news_are_named(public: PublicFeed, wire: Any, frame: str, kind: str) -> None:
    assert wire(public).tell(frame) == [Ignored(kind=kind)]
    assert public.stats.ignored[kind] == 1
    assert not public.stats.unknown
