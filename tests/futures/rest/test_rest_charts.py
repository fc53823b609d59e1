"""Candles of all prices and lengths, and analytics, page by page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import BadRequest, InvalidValue, ProtocolError, UnknownSymbol
from exchange_core.model.symbol import Symbol
from kraken_futures.rest.charts import INTERVALS, Analytics, Resolution, TickType
from kraken_futures.rest.operations import FuturesRest

LINEAR, INVERSE = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECONDS = 1767614400


def bar(minute: int) -> dict[str, Any]:
    return {
        "time": (SECONDS + 60 * minute) * 1000,
        "open": "1",
        "high": "3",
        "low": "0.5",
        "close": "2.5",
        "volume": minute,
    }


# Lists.


def test_what_there_are_candles_of(rest: FuturesRest, run: Any) -> None:
    types, (call,) = run(rest.charts.tick_types(), b'["spot","mark","trade","dream"]')
    assert types == (TickType.SPOT, TickType.MARK, TickType.TRADE, "dream")
    assert (call.path, call.base) == ("/api/charts/v1/", "charts_url")
    assert not call.private
    assert not call.costs
    symbols, (call,) = run(rest.charts.symbols(TickType.MARK), b'["PF_XBTUSD","PF_NEW"]')
    assert symbols == (LINEAR, "PF_NEW")
    assert call.path == "/api/charts/v1/mark"
    lengths, (call,) = run(rest.charts.resolutions(LINEAR), b'["1m","1h","1y"]')
    assert lengths == (Resolution.MINUTE, Resolution.HOUR, "1y")
    assert call.path == "/api/charts/v1/trade/PF_XBTUSD"


# Candles.


@pytest.mark.parametrize(
    ("tick_type", "name", "ohlc", "volume"),
    [
        (TickType.TRADE, "candles_trade_2024-11.json", ("91069", "91373.5", "90956", "91045.5"), "319499"),
        (
            TickType.MARK,
            "candles_mark_2024-11.json",
            ("91126.5834675817", "91396.1831146774", "90937.3053195142", "91098.7132316333"),
            "0",
        ),
    ],
)
def test_the_recorded_candles(
    rest: FuturesRest, run: Any, captures: Path, tick_type: TickType, name: str, ohlc: tuple[str, ...], volume: str
) -> None:
    body = (captures / "futures/rest" / name).read_bytes()
    page, (call,) = run(rest.charts.candles(INVERSE, Resolution.HOUR, tick_type).page(), body)
    assert call.path == f"/api/charts/v1/{tick_type}/PI_XBTUSD/1h"
    first, _, last = page.items
    assert (first.open, first.high, first.low, first.close) == tuple(map(Decimal, ohlc))
    assert first.volume == Decimal(volume)
    assert first.start == datetime(2024, 11, 16, tzinfo=UTC)
    assert (first.interval, first.symbol) == (60, INVERSE)
    assert (first.closed, last.closed) == (True, False)
    assert page.cursor is None


@pytest.mark.parametrize("tick_type", list(TickType))
@pytest.mark.parametrize("resolution", list(Resolution))
def test_every_price_and_length(rest: FuturesRest, tick_type: TickType, resolution: Resolution) -> None:
    call = next(rest.charts.candles(LINEAR, resolution, tick_type).page())
    assert call.path == f"/api/charts/v1/{tick_type.value}/PF_XBTUSD/{resolution.value}"
    assert resolution.minutes in (1, 5, 15, 30, 60, 240, 720, 1440, 10080)


def test_candles_go_on_after_the_last_one(rest: FuturesRest, run: Any) -> None:
    until = NOON + timedelta(hours=1)
    candles = rest.charts.candles(LINEAR, Resolution.MINUTE, since=NOON, until=until, count=2)
    first, (call,) = run(candles.page(), {"candles": [bar(1), bar(0)], "more_candles": True})
    assert call.params == {"from": SECONDS, "to": SECONDS + 3600, "count": 2}
    assert [one.start for one in first.items] == [NOON, NOON + timedelta(minutes=1)]
    assert [one.closed for one in first.items] == [True, True]
    assert first.cursor == str(SECONDS + 120)
    last, (call,) = run(candles.page(first.cursor), {"candles": [bar(2)], "more_candles": False})
    assert call.params["from"] == SECONDS + 120
    assert last.cursor is None


def test_a_venue_that_always_has_more_of_the_same_is_found_out(rest: FuturesRest, run: Any) -> None:
    candles = rest.charts.candles(LINEAR, Resolution.MINUTE, since=NOON)
    same = {"candles": [bar(0)], "more_candles": True}
    first, _ = run(candles.page(), same)
    with pytest.raises(ProtocolError, match="its own successor"):
        run(candles.page(first.cursor), same)
    with pytest.raises(ProtocolError, match="gives none"):
        run(candles.page(), {"candles": [], "more_candles": True})


def test_a_clock_tells_whether_the_last_candle_is_over(context: VenueContext, run: Any) -> None:
    for minutes, closed in ((0, False), (1, True)):
        now = NOON + timedelta(minutes=minutes)
        rest = FuturesRest(attrs.evolve(context, now=lambda now=now: now))
        page, _ = run(rest.charts.candles(LINEAR, Resolution.MINUTE).page(), {"candles": [bar(0)]})
        assert [one.closed for one in page.items] == [closed]


def test_a_damaged_candle_is_told(rest: FuturesRest, run: Any) -> None:
    rows = [bar(0), {**bar(1), "open": "much"}]
    page, _ = run(rest.charts.candles(LINEAR, Resolution.MINUTE).page(), {"candles": rows})
    assert len(page.items) == len(page.unreadable) == 1


# Analytics.


def analytics(data: Any, times: int = 2, more: bool = False) -> dict[str, Any]:
    stamps = [SECONDS + 60 * n for n in range(times)]
    return {"result": {"timestamp": stamps, "more": more, "data": data}, "errors": []}


def ask(rest: FuturesRest, kind: Analytics) -> Any:
    return rest.charts.analytics(LINEAR, kind, since=NOON, interval=60)


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (Analytics.TRADE_VOLUME, [1.5, "2.5"], {"value": Decimal("1.5")}),
        (Analytics.OPEN_INTEREST, [["1", "4", "0.5", "2"], None], {"value": (1, 4, Decimal("0.5"), 2)}),
        (
            Analytics.CVD,
            {"buyVolume": ["1", "2"], "sellVolume": [3, 4], "cvd": [0.1, 0.2]},
            {"buyVolume": 1, "sellVolume": 3, "cvd": Decimal("0.1")},
        ),
        (Analytics.TOP_TRADERS, {"top20Percent": {"ratio": [0.5, 0.6]}}, {"top20Percent.ratio": Decimal("0.5")}),
        (
            Analytics.SPREADS,
            {"bid": {"best_price": [1, 2]}, "ask": {"best_price": [3, 4]}},
            {"bid.best_price": 1, "ask.best_price": 3},
        ),
        (
            Analytics.FUNDING,
            {"rate": [["1", "2", "3", "4"], []], "relativeRate": [[1e-05, 1, None, 1], []]},
            {"rate": (1, 2, 3, 4), "relativeRate": (Decimal("1e-05"), 1, None, 1)},
        ),
    ],
)
def test_every_form_of_analytics(
    rest: FuturesRest, run: Any, kind: Analytics, data: Any, expected: dict[str, Any]
) -> None:
    page, (call,) = run(ask(rest, kind).page(), analytics(data))
    assert call.path == f"/api/charts/v1/analytics/PF_XBTUSD/{kind.value}"
    assert call.params == {"since": SECONDS, "interval": 60, "to": None}
    assert [point.time for point in page.items] == [NOON, NOON + timedelta(minutes=1)]
    assert page.items[0].values == expected


def test_digits_of_analytics_are_kept(rest: FuturesRest, run: Any) -> None:
    body = b'{"result":{"timestamp":[1767614400],"more":false,"data":[0.10000000000000000555]},"errors":[]}'
    page, _ = run(ask(rest, Analytics.TRADE_COUNT).page(), body)
    assert str(page.items[0].values["value"]) == "0.10000000000000000555"


def test_analytics_go_on_after_the_last_time(rest: FuturesRest, run: Any) -> None:
    first, _ = run(ask(rest, Analytics.CVD).page(), analytics([1, 2], more=True))
    assert first.cursor == str(SECONDS + 120)
    _, (call,) = run(ask(rest, Analytics.CVD).page(first.cursor), analytics([1, 2]))
    assert call.params["since"] == SECONDS + 120


def test_the_liquidity_pool(rest: FuturesRest, run: Any) -> None:
    pages = rest.charts.liquidity_pool(since=NOON, interval=86400, until=NOON)
    page, (call,) = run(pages.page(), analytics({"usdValue": [1, 2]}))
    assert call.path == "/api/charts/v1/analytics/liquidity-pool"
    assert call.params == {"since": SECONDS, "interval": 86400, "to": SECONDS}
    assert page.items[1].values == {"usdValue": 2}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param([1], id="fewer values than times"),
        pytest.param({"a": [1, 2], "b": [1, 2, 3]}, id="lists of different length"),
        pytest.param("much", id="no list"),
        pytest.param(["much", 1], id="no number"),
        pytest.param([1e300, 1], id="out of proportion"),
        pytest.param([[[1]], 1], id="too deep"),
    ],
)
def test_analytics_that_do_not_fit_together(rest: FuturesRest, run: Any, data: Any) -> None:
    with pytest.raises(ProtocolError):
        run(ask(rest, Analytics.CVD).page(), analytics(data))


def test_refused_analytics(rest: FuturesRest, run: Any) -> None:
    body = {"result": {}, "errors": [{"msg": "no such symbol", "field": "symbol"}]}
    with pytest.raises(Exception, match="no such symbol"):
        run(ask(rest, Analytics.CVD).page(), body)
    with pytest.raises(BadRequest):
        run(ask(rest, Analytics.CVD).page(), BadRequest("Invalid resolution"))


@pytest.mark.parametrize("interval", [0, 61, -60, None, "60"])
def test_only_intervals_that_exist(rest: FuturesRest, interval: Any) -> None:
    with pytest.raises(InvalidValue, match="interval"):
        rest.charts.analytics(LINEAR, Analytics.CVD, since=NOON, interval=interval)
    assert len(INTERVALS) == 9


def test_only_what_exists_is_asked_for(rest: FuturesRest) -> None:
    with pytest.raises(UnknownSymbol):
        rest.charts.candles("SOL/USD:USD", Resolution.DAY)
    with pytest.raises(InvalidValue, match="resolution: '2h' is none of 1m, 5m"):
        rest.charts.candles(LINEAR, "2h")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="count"):
        rest.charts.candles(LINEAR, Resolution.DAY, count=0)
    with pytest.raises(InvalidValue, match="no cursor"):
        next(rest.charts.candles(LINEAR, Resolution.DAY).page("yesterday"))
