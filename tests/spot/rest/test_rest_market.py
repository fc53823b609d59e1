"""Kraken's own calls about markets, on recorded answers where there are some."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.rest import RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, NotSupported, ProtocolError, UnknownSymbol
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.limits import PRIVATE, PUBLIC
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.types.market import MaintenancePhase, RecommendedAction, SystemState

BTC = Symbol("BTC", "USD")
USDT = Symbol("BTC", "USDT")

EVENT = {
    "event_id": 7,
    "title": "Spot engine upgrade",
    "expected_start_utc": "2026-10-03T06:00:00Z",
    "expected_end_utc": "2026-10-03T06:30:00Z",
    "time_to_start_s": 1200,
    "phase": "approaching_30m",
    "affected_services": ["spot_rest", "spot_trading"],
    "order_submission": "allowed",
    "recommended_action": "cancel_open_orders",
    "cancel_before_utc": "2026-10-03T05:59:00Z",
    "source_url": "https://status.example/7",
}


def recorded(captures: Path, name: str) -> bytes:
    return (captures / "spot/rest" / name).read_bytes()


@pytest.fixture
def usdt(make_context: Callable[..., VenueContext], captures: Path) -> KrakenSpotRest:
    rest = KrakenSpotRest(make_context(listed=False))
    rest.load_instruments(recorded(captures, "asset_pairs_xbtusdt_2025.json"))
    return rest


def only_call(run: Any) -> RestCall:
    (call,) = run.calls
    assert isinstance(call, RestCall)
    assert not call.changes_state
    return call


def test_the_time_of_the_venue(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    time = run(rest.market.time(), recorded(captures, "server_time.json"))
    assert time == datetime(2023, 7, 6, 18, 50, 48, tzinfo=UTC)
    assert only_call(run).path == "/0/public/Time"


def test_the_status_of_2026_february_names_no_maintenance(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    status = run(rest.market.system_status(), recorded(captures, "system_status.json"))
    assert status.state is SystemState.ONLINE
    assert status.time == datetime(2026, 2, 26, 11, 9, 53, tzinfo=UTC)
    assert status.upcoming_maintenance == status.emergency == ()


def test_a_status_with_maintenance_and_an_incident(rest: KrakenSpotRest, run: Any) -> None:
    answer = {
        "status": "on_fire",
        "timestamp": "2026-10-03T05:40:00Z",
        "upcoming_maintenance": [EVENT, {"title": "no id"}],
        "emergency": [{"event_id": 8, "phase": "of the moon"}],
    }
    status = run(rest.market.system_status(), answer)
    assert status.state == "on_fire", "a word that is not known stays as it is"
    (planned,) = status.upcoming_maintenance
    assert planned.start == datetime(2026, 10, 3, 6, tzinfo=UTC)
    assert planned.cancel_before == datetime(2026, 10, 3, 5, 59, tzinfo=UTC)
    assert planned.phase is MaintenancePhase.APPROACHING
    assert planned.recommended_action is RecommendedAction.CANCEL
    assert planned.services == ("spot_rest", "spot_trading")
    assert status.emergency[0].phase == "of the moon"
    assert status.emergency[0].start is None
    assert [bad.id for bad in status.unreadable] == ["1"]


def test_the_maintenance_of_a_week(rest: KrakenSpotRest, run: Any) -> None:
    schedule = run(rest.market.maintenance_schedule(), {"events": [EVENT]})
    assert [event.id for event in schedule.items] == [7]
    assert only_call(run).path == "/0/public/MaintenanceSchedule"
    assert run(rest.market.maintenance_schedule(), {}).items == ()


def test_spreads(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    spreads = run(rest.market.spread("BTC/USD"), recorded(captures, "spread_xbtusd.json"))
    assert len(spreads.items) == 18
    first, newest = spreads.items[0], spreads.items[-1]
    assert (str(first.bid), str(first.ask)) == ("37258.30000", "37261.00000")
    assert first.time == datetime.fromtimestamp(1701022039, UTC)
    assert (str(newest.bid), str(newest.ask)) == ("37266.40000", "37268.20000")
    assert spreads.last == datetime.fromtimestamp(1701023349, UTC), "seconds, where trades have nanoseconds"
    call = only_call(run)
    assert call.params == {"pair": "XBTUSD", "since": None}
    assert [(cost.pool, cost.key) for cost in call.costs] == [(PUBLIC, "")]


def test_one_damaged_spread_hides_no_other(rest: KrakenSpotRest, run: Any) -> None:
    answer = {"XXBTZUSD": [[1, "1.0", "2.0"], [2, "NaN", "2.0"], ["x"]], "last": 2}
    spreads = run(rest.market.spread(BTC, since=datetime.fromtimestamp(1, UTC)), answer)
    assert len(spreads.items) == 1
    assert [bad.id for bad in spreads.unreadable] == ["1", "2"]
    assert only_call(run).params["since"] == 1


def test_a_grouped_book(rest: KrakenSpotRest, run: Any) -> None:
    answer = {
        "pair": "BTC/USD",
        "grouping": 1000,
        "bids": [{"price": "90400.00000", "qty": "19.83057746"}],
        "asks": [{"price": "90500.00000", "qty": "38.96185061"}],
    }
    book = run(rest.market.grouped_book(BTC, depth=25, grouping=1000), answer)
    assert book.bids == ((Decimal("90400.00000"), Decimal("19.83057746")),)
    assert str(book.asks[0].quantity) == "38.96185061"
    assert book.grouping == 1000
    assert only_call(run).params == {"pair": "XBTUSD", "depth": 25, "grouping": 1000}


def test_a_book_order_by_order(rest: KrakenSpotRest, run: Any) -> None:
    answer = {
        "pair": "BTC/USD",
        "bids": [
            {"price": "90400.1", "qty": "0.10000000", "order_id": "OA", "timestamp": 1765000000123456789},
            {"price": "90400.1", "qty": "0.20000000", "order_id": "OB", "timestamp": 1765000000123457000},
        ],
        "asks": [],
    }
    book = run(rest.market.level3(BTC, depth=0), answer)
    assert [order.order_id for order in book.bids] == ["OA", "OB"], "their order is the queue's"
    assert book.bids[0].time == datetime(2025, 12, 6, 5, 46, 40, 123456, tzinfo=UTC)
    call = only_call(run)
    assert call.private
    assert (call.method, call.path) == ("POST", "/0/private/Level3")
    assert [(cost.pool, cost.amount) for cost in call.costs] == [(PRIVATE, 1)]


def test_trades_with_the_cursor_as_the_venue_wrote_it(usdt: KrakenSpotRest, run: Any, captures: Path) -> None:
    body = recorded(captures, "trades_xbtusdt_1000.json")
    page = run(usdt.market.trades_page(USDT), body)
    assert len(page.items) == 1000
    first = page.items[0]
    assert first.id == 10218208
    assert first.time == datetime(2025, 11, 10, 17, 23, 53, 971744, tzinfo=UTC)
    assert isinstance(first.side, Side)
    assert first.order_type in ("market", "limit")
    assert page.cursor is not None
    assert len(page.cursor) == 19
    assert f'"last": "{page.cursor}"'.replace(" ", "") in body.decode().replace(" ", "")
    run(usdt.market.trades_page(USDT, page.cursor, count=5), body)
    assert run.calls[1].params == {"pair": "XBTUSDT", "since": page.cursor, "count": 5}
    assert run.calls[1].costs[0].key == "XBTUSDT", "counted per pair"


def test_trades_since_a_time_are_asked_for_in_nanoseconds(rest: KrakenSpotRest, run: Any) -> None:
    since = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    row = ["1.0", "2.0", 1767323046.5, "s", "m", "", 5]
    page = run(rest.market.trades_page(BTC, since=since), {"XXBTZUSD": [row], "last": 1767323046500000000})
    assert only_call(run).params["since"] == "1767323045678901000"
    assert page.cursor == "1767323046500000000"
    assert page.items[0].order_type == "market"


@pytest.mark.parametrize("cursor", ["", "abc", "-1", "1.5", "\u0661"])
def test_what_is_no_cursor_is_refused(rest: KrakenSpotRest, cursor: str) -> None:
    with pytest.raises(InvalidValue, match="cursor"):
        next(rest.market.trades_page(BTC, cursor))


def test_a_time_without_a_zone_is_refused(rest: KrakenSpotRest) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
    with pytest.raises(InvalidValue, match="time zone"):
        next(rest.market.trades_page(BTC, since=naive))
    with pytest.raises(InvalidValue, match="time zone"):
        next(rest.market.candles(BTC, 1, naive))


def test_any_zone_does(rest: KrakenSpotRest, run: Any) -> None:
    tokyo = datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    run(rest.market.spread(BTC, tokyo), {"XXBTZUSD": [], "last": 1})
    assert only_call(run).params["since"] == 1767225600


def test_candles_of_a_pair_under_the_name_that_was_asked_for(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    candles = run(rest.market.candles(BTC, 60), recorded(captures, "ohlc_btcusd_wsname_key.json"))
    assert [candle.closed for candle in candles.items] == [True, True, True, False]
    assert candles.last == candles.items[-2].start
    assert str(candles.items[0].vwap) == "83714.6"
    assert str(candles.items[0].volume) == "159.04484404"
    assert candles.items[0].count == 9205


def test_all_721_candles(usdt: KrakenSpotRest, run: Any, captures: Path) -> None:
    since = datetime(2025, 11, 10, tzinfo=UTC)
    candles = run(usdt.market.candles(USDT, 1, since), recorded(captures, "ohlc_xbtusdt_1m_full.json"))
    assert len(candles.items) == 721
    assert candles.last == candles.items[-2].start
    call = only_call(run)
    assert call.params == {"pair": "XBTUSDT", "interval": 1, "since": 1762732800}
    assert call.costs[0].key == "XBTUSDT"


def test_an_answer_without_its_last_is_refused(rest: KrakenSpotRest, run: Any) -> None:
    with pytest.raises(ProtocolError, match="last"):
        run(rest.market.spread(BTC), {"XXBTZUSD": []})


@pytest.mark.parametrize(
    ("ask", "parameter"),
    [
        (lambda market: market.grouped_book(BTC, depth=11), "depth"),
        (lambda market: market.grouped_book(BTC, grouping=2), "grouping"),
        (lambda market: market.level3(BTC, depth=5), "depth"),
        (lambda market: market.trades_page(BTC, count=1001), "count"),
        (lambda market: market.trades_page(BTC, count=0), "count"),
        (lambda market: market.candles(BTC, 7), "interval"),
        (lambda market: market.post_trade_page(count=1001), "count"),
        (lambda market: market.post_trade_page(count=0), "count"),
    ],
)
def test_what_the_venue_does_not_take_is_refused_before_sending(
    rest: KrakenSpotRest, ask: Callable[[Any], Any], parameter: str
) -> None:
    with pytest.raises(NotSupported, match=f"kraken: {parameter}"):
        next(ask(rest.market))


def test_an_unknown_pair_is_refused_before_sending(rest: KrakenSpotRest) -> None:
    with pytest.raises(UnknownSymbol):
        next(rest.market.spread("NO/PAIR"))


# As it is published for regulators.

PUBLISHED = {
    "trade_id": "TGBB7L-HT5LX-J3BZ4A",
    "price": "102002.1",
    "quantity": "1.24",
    "symbol": "BTC/USD",
    "description": "Bitcoin / US Dollars",
    "base_asset": "BTC",
    "base_notation": "UNIT",
    "quote_asset": "USD",
    "quote_notation": "MONE",
    "trade_venue": "PGSL",
    "trade_ts": "2024-05-30T12:34:56.123456789Z",
    "publication_venue": "PGSL",
    "publication_ts": "2024-05-30T12:34:56.200000Z",
}


def test_published_trades_are_asked_for_by_time(rest: KrakenSpotRest, run: Any) -> None:
    """A damaged row and a pair that no list has hide no other; the cursor keeps digits that our times do not have."""
    rows = [PUBLISHED, PUBLISHED | {"symbol": "NEW/PAIR"}, PUBLISHED | {"price": "cheap"}]
    answer = {"last_ts": PUBLISHED["trade_ts"], "count": 3, "trades": rows}
    since, until = datetime(2024, 5, 30, 12, tzinfo=UTC), datetime(2024, 5, 30, 13, tzinfo=UTC)
    page = run(rest.market.post_trade_page(BTC, since=since, until=until, count=3), answer)
    assert only_call(run).path == "/0/public/PostTrade"
    assert run.calls[0].params == {
        "symbol": "BTC/USD",
        "from_ts": "2024-05-30T12:00:00.000000Z",
        "to_ts": "2024-05-30T13:00:00.000000Z",
        "count": 3,
    }
    first, second = page.items
    assert (first.id, first.symbol, second.symbol) == ("TGBB7L-HT5LX-J3BZ4A", BTC, "NEW/PAIR")
    assert (first.price, first.quantity) == (Decimal("102002.1"), Decimal("1.24"))
    assert first.time == datetime(2024, 5, 30, 12, 34, 56, 123456, tzinfo=UTC)
    assert [one.id for one in page.unreadable] == ["2"]
    run.calls.clear()
    run(rest.market.post_trade_page(cursor=page.cursor), answer)
    assert run.calls[0].params == {
        "symbol": None,
        "from_ts": "2024-05-30T12:34:56.123456789Z",
        "to_ts": None,
        "count": 1000,
    }


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"cursor": "17"}, "cursor: '17' is no cursor of this call"),
        ({"cursor": PUBLISHED["trade_ts"], "since": datetime(2024, 1, 1, tzinfo=UTC)}, "a cursor was given"),
        ({"since": datetime(2024, 1, 1)}, "since: 2024-01-01 00:00:00 has no time zone"),  # noqa: DTZ001 (that is the point)
    ],
)
def test_what_is_no_place_among_published_trades(rest: KrakenSpotRest, given: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidValue, match=match):
        next(rest.market.post_trade_page(**given))


def test_the_published_book_is_asked_for_by_our_name(rest: KrakenSpotRest, run: Any) -> None:
    level = {"side": "BUY", "price": "102002.1", "qty": "0.5", "count": 3, "publication_ts": PUBLISHED["trade_ts"]}
    notation = {name: PUBLISHED[name] for name in ("symbol", "description", "base_asset", "quote_asset")}
    answer = {**notation, "venue": "PGSL", "system": "CLOB", "bids": [level], "asks": []}
    book = run(rest.market.pre_trade("BTC/USD"), answer)
    assert only_call(run).params == {"symbol": "BTC/USD"}
    assert (book.bids[0].price, book.bids[0].quantity, book.bids[0].count) == (Decimal("102002.1"), Decimal("0.5"), 3)
    assert book.asks == ()
    with pytest.raises(UnknownSymbol):
        next(rest.market.pre_trade("NO/PAIR"))
