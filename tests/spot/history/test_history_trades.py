"""Public trades and candles as walks: none twice, none left out, and bars that agree with the venue's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.pages import History
from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, NotSupported, ProtocolError, VenueUnavailable
from exchange_core.model.market import Candle
from exchange_core.model.symbol import Symbol
from exchange_core.testing.walking import take, walk
from exchange_core.venue.history import HistoryStream
from kraken_spot.dialect import KrakenSpotDialect, decoder
from kraken_spot.history import KrakenSpotHistory
from kraken_spot.walks import bars
from kraken_spot.walks.bars import Grid
from kraken_spot.walks.candles import CandleWalk
from kraken_spot.walks.trades import TradeWalk
from kraken_spot.wire import common as wire

BTC = Symbol("BTC", "USD")
T0 = 1_760_000_040  # a whole minute, and no whole hour
SECOND = 1_000_000_000


class Market:
    """The venue's rules for trades and bars, worked out another way than the plugin does.

    Attributes:
        trades: Nanoseconds, price and volume, oldest first; ids count from 1.
        now: Seconds; a call takes as many as ``pace``.
        coming: Trades that come while it is asked, one a call.
        inclusive: Whether ``since`` of trades is.
        rows: How many finished bars it shows.
        looked: When it was asked for bars last.
        anchor: A start of a bar.
    """

    def __init__(
        self, context: VenueContext, count: int = 3, rows: int = 5, interval: int = 1, anchor: int = 0
    ) -> None:
        self.dialect = KrakenSpotDialect(context)
        self.trades: list[tuple[int, Decimal, Decimal]] = []
        self.coming: list[tuple[int, Decimal, Decimal]] = []
        self.now = self.looked = T0
        self.pace = 0
        self.inclusive = True
        self.count, self.rows, self.step, self.anchor = count, rows, interval * 60, anchor
        self.calls: list[RestCall] = []
        self.fail_at: int | None = None
        self.spoil: Callable[[str, Any], Any] = lambda name, answer: answer

    def trade(self, seconds: float | Decimal, price: str = "100.0", volume: str = "1") -> None:
        self.trades.append((T0 * SECOND + int(Decimal(str(seconds)) * SECOND), Decimal(price), Decimal(volume)))
        self.now = max(self.now, self.trades[-1][0] // SECOND)

    def __call__(self, call: RestCall) -> Any:
        self.calls.append(call)
        if len(self.calls) == self.fail_at:
            raise VenueUnavailable("down")
        name = call.path.rpartition("/")[2]
        result = self.spoil(name, self.answer_trades(call.params) if name == "Trades" else self.answer_bars())
        reply = self.dialect.decode(call, HttpReply(200, {}, json.dumps({"error": [], "result": result}).encode()))
        self.now += self.pace
        if self.coming:
            self.trades.append(self.coming.pop(0))
            self.now = max(self.now, self.trades[-1][0] // SECOND)
        return reply

    def answer_trades(self, params: Any) -> Any:
        since = int(params["since"])
        numbered = list(enumerate(self.trades, start=1))
        found = [one for one in numbered if one[1][0] > since or (self.inclusive and one[1][0] == since)]
        page = found[: min(self.count, params["count"])]
        rows = [
            [str(price), str(volume), float(round(Decimal(time) / SECOND, 7)), "b", "l", "", number]
            for number, (time, price, volume) in page
        ]
        return {"XXBTZUSD": rows, "last": str(page[-1][1][0] if page else since)}

    def answer_bars(self) -> Any:
        rows, self.looked = self.bars(self.now), self.now
        shown = [self.row(*row) for row in rows[-self.rows - 1 :]]
        return {"XXBTZUSD": shown, "last": rows[-1][0] - self.step if rows else 0}

    def row(self, start: int, prices: list[Fraction], volume: Fraction, vwap: Fraction | None, count: int) -> list[Any]:
        texts = [f"{float(price):.1f}" for price in prices]
        return [start, *texts, "0.0" if vwap is None else f"{float(vwap):.1f}", f"{float(volume):.8f}", count]

    def bars(self, until: int) -> list[tuple[int, list[Fraction], Fraction, Fraction | None, int]]:
        """Return all bars up to the one that *until* is in."""
        if not self.trades:
            return []
        found: list[tuple[int, list[Fraction], Fraction, Fraction | None, int]] = []
        start = self.start(self.trades[0][0] // SECOND)
        while start <= until:
            inside = [
                (Fraction(price), Fraction(volume))
                for time, price, volume in self.trades
                if start * SECOND <= time < (start + self.step) * SECOND
            ]
            prices = [price for price, _ in inside] or [found[-1][1][3]]
            volume = sum((volume for _, volume in inside), Fraction(0))
            tenths = sum(price * volume for price, volume in inside) * 10 // volume if inside else None
            vwap = None if tenths is None else Fraction(int(tenths), 10)
            found.append((start, [prices[0], max(prices), min(prices), prices[-1]], volume, vwap, len(inside)))
            start += self.step
        return found

    def start(self, second: int) -> int:
        return self.anchor + (second - self.anchor) // self.step * self.step


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(T0, UTC) + timedelta(seconds=seconds)


def trades_of(market: Market, since: datetime | None = None, until: datetime | None = None) -> History[int]:
    walked = TradeWalk(
        venue="spot", pair="XBTUSD", build=lambda row: row.trade_id, since=since, until=until, count=market.count
    )
    return History(name="trades", fetch=walked.fetch, since=since, until=until)


def candles_of(market: Market, since: datetime | None = None, until: datetime | None = None) -> History[Candle]:
    walked = CandleWalk(
        venue="spot",
        symbol=BTC,
        pair="XBTUSD",
        interval=market.step // 60,
        since=since,
        until=until,
        count=market.count,
    )
    return History(name="candles", fetch=walked.fetch, since=since, until=until)


TIMES = st.lists(st.one_of(st.integers(0, 4), st.integers(0, 900)), max_size=25).map(sorted)
CUTS = st.lists(st.integers(0, 5), max_size=3)


def fill(market: Market, seconds: list[int], prices: list[int]) -> None:
    for place, second in enumerate(seconds):
        if [time for time, *_ in market.trades].count((T0 + second) * SECOND) < market.count - 1:
            price = prices[place % len(prices)]
            market.trade(second, f"{100 + price}.{price % 10}", f"0.{price + 1:08}")


def walked(market: Market, asked: History[Any], cuts: list[int]) -> tuple[list[Any], list[str]]:
    """Walk in pieces, and until nothing comes any more; return what came, and what was noted."""
    found: list[Any] = []
    notes: list[str] = []
    cursor: str | None = None
    for cut in cuts:
        stream = walk(asked, market, cursor)
        found += take(stream, cut)
        cursor, notes = stream.cursor, notes + stream.notes
    while True:
        quiet = not market.coming
        stream = walk(asked, market, cursor)
        found += take(stream)
        cursor, notes = stream.cursor, notes + stream.notes
        if quiet:
            return found, notes


@settings(deadline=None)
@given(
    seconds=TIMES,
    late=st.lists(st.integers(0, 90), max_size=5),
    count=st.integers(2, 6),
    inclusive=st.booleans(),
    cuts=CUTS,
    bounds=st.tuples(st.none() | st.integers(0, 400), st.none() | st.integers(400, 900)),
)
def test_every_trade_comes_once(
    make_context: Callable[..., VenueContext],
    seconds: list[int],
    late: list[int],
    count: int,
    inclusive: bool,
    cuts: list[int],
    bounds: tuple[int | None, int | None],
) -> None:
    market = Market(make_context(), count)
    market.inclusive = inclusive
    fill(market, seconds, [7])
    newest = max(seconds, default=0)
    market.coming = [
        ((T0 + newest + 1 + 91 * place + one) * SECOND, Decimal(1), Decimal(1)) for place, one in enumerate(late)
    ]
    market.coming.sort()
    low, high = (None if one is None else at(one) for one in bounds)
    found, _ = walked(market, trades_of(market, low, high), cuts)
    assert found == [
        number
        for number, (time, *_) in enumerate(market.trades, start=1)
        if (low is None or time >= (T0 + bounds[0]) * SECOND) and (high is None or time < (T0 + bounds[1]) * SECOND)  # type: ignore[operator]
    ]


def test_the_cursor_counts_nanoseconds_that_rows_do_not_show(context: VenueContext) -> None:
    market = Market(context, count=4)
    for nanos in (100, 130, 160, 161, 190, 230):
        market.trade(Decimal(nanos) / SECOND)
    stream = walk(trades_of(market), market)
    assert take(stream) == [1, 2, 3, 4, 5, 6]
    assert [call.params["since"] for call in market.calls[:2]] == ["0", str(T0 * SECOND + 160)]
    market.trade(1)
    assert take(walk(trades_of(market), market, stream.cursor)) == [7]


def test_more_trades_at_one_moment_than_an_answer_has_are_not_skipped(context: VenueContext) -> None:
    market = Market(context, count=3)
    for _ in range(4):
        market.trade(1)
    stream = walk(trades_of(market), market)
    with pytest.raises(ProtocolError, match="trades at one moment"):
        take(stream)
    assert stream.progress.count == 3


def test_a_venue_that_answers_with_older_trades_is_found_out(context: VenueContext) -> None:
    market = Market(context, count=3)
    for second in range(9):
        market.trade(second)
    market.spoil = lambda name, answer: market.answer_trades({"since": 0, "count": 3})
    stream = walk(trades_of(market), market)
    with pytest.raises(ProtocolError, match="older ones"):
        take(stream)
    assert len(market.calls) == 2
    assert stream.progress.count == 3


@pytest.mark.parametrize("last", [None, "", "soon", 1.5])
def test_a_last_that_is_no_cursor_is_refused(context: VenueContext, last: Any) -> None:
    market = Market(context)
    market.trade(1)
    market.spoil = lambda name, answer: answer | {"last": last}
    with pytest.raises(ProtocolError, match="last"):
        take(walk(trades_of(market), market))


# Bars.


@settings(deadline=None, max_examples=300)
@given(
    seconds=TIMES,
    late=st.lists(st.integers(0, 200), max_size=5),
    prices=st.lists(st.integers(0, 40), min_size=1, max_size=8),
    count=st.integers(2, 6),
    rows=st.integers(1, 8),
    pace=st.integers(0, 70),
    cuts=CUTS,
    bounds=st.tuples(st.none() | st.integers(-300, 900), st.none() | st.integers(0, 1200)),
)
def test_bars_are_those_of_the_venue_however_old(
    make_context: Callable[..., VenueContext],
    seconds: list[int],
    late: list[int],
    prices: list[int],
    count: int,
    rows: int,
    pace: int,
    cuts: list[int],
    bounds: tuple[int | None, int | None],
) -> None:
    """While time goes on, trades come, and the venue's own bars grow out of reach."""
    market = Market(make_context(), count, rows)
    market.pace = pace
    fill(market, seconds, prices)
    if bounds[0] is not None and bounds[1] is not None and bounds[0] > bounds[1]:
        return
    newest = market.now - T0
    for place, wait in enumerate(sorted(late)):
        # Time goes on by itself: a trade never comes before what was told already.
        market.coming.append(((T0 + newest + (place + 1) * (pace + 200) + wait) * SECOND, Decimal("99.9"), Decimal(2)))
    low, high = (None if one is None else at(one) for one in bounds)
    found, notes = walked(market, candles_of(market, low, high), cuts)
    assert notes == []
    expected = [
        bar
        for bar in market.bars(market.looked)[:-1]
        if (low is None or bar[0] >= T0 + bounds[0]) and (high is None or bar[0] < T0 + bounds[1])  # type: ignore[operator]
    ]
    assert [flat(bar) for bar in found] == expected
    assert all(bar.closed for bar in found)


def flat(bar: Candle) -> tuple[int, list[Fraction], Fraction, Fraction | None, int]:
    prices = [Fraction(price) for price in (bar.open, bar.high, bar.low, bar.close)]
    assert bar.count is not None
    return (
        int(bar.start.timestamp()),
        prices,
        Fraction(bar.volume),
        None if bar.vwap is None else Fraction(bar.vwap),
        bar.count,
    )


def test_where_the_venue_has_all_of_them_one_call_is_enough(context: VenueContext) -> None:
    market = Market(context, rows=720)
    for minute in range(10):
        market.trade(60 * minute)
    assert len(take(walk(candles_of(market, at(0)), market))) == 9
    assert [call.path for call in market.calls] == ["/0/public/OHLC"]


def test_what_the_venue_says_otherwise_than_its_trades_is_told(context: VenueContext) -> None:
    market = Market(context, count=50, rows=4)
    for minute in range(12):
        market.trade(60 * minute + 1)

    def wrong(name: str, answer: Any) -> Any:
        if name == "OHLC":
            answer["XXBTZUSD"][0][6] = "1.50000000"
        return answer

    market.spoil = wrong
    stream = walk(candles_of(market), market)
    assert len(take(stream)) == 11
    (note,) = stream.notes
    assert note == (
        f"BTC/USD: the bar of 1 minutes at {at(7 * 60):%Y-%m-%d %H:%M} is volume 1 by the trades, "
        "and volume 1.50000000 by the venue"
    )


def test_an_error_in_the_middle_of_rebuilding_loses_nothing(context: VenueContext) -> None:
    market = Market(context, count=4, rows=3)
    for second in range(0, 1200, 17):
        market.trade(second, f"{100 + second % 7}.0")
    whole = [flat(bar) for bar in take(walk(candles_of(market), market))]
    calls = len(market.calls)
    assert whole == market.bars(market.now)[:-1]
    for fail_at in range(1, calls + 1):
        market.calls, market.fail_at = [], fail_at
        stream = walk(candles_of(market), market)
        found: list[Candle] = []
        with pytest.raises(VenueUnavailable):
            read_into(found, stream)
        rest = take(walk(candles_of(market), market, stream.cursor))
        assert [flat(bar) for bar in [*found, *rest]] == whole
        assert [flat(bar) for bar in [*found, *take(stream)]] == whole, "reading on is as good"


def read_into(found: list[Candle], stream: HistoryStream[Candle]) -> None:
    """Read one by one, so that nothing is lost when it raises."""
    while one := take(stream, 1):
        found += one


def test_a_long_silence_is_cut_into_pages(context: VenueContext) -> None:
    market = Market(context, count=3, rows=2)
    market.trade(0)
    market.trade(60 * 25_000)
    market.trade(60 * 25_010)
    market.trade(60 * 25_020)
    stream = walk(candles_of(market, at(0)), market)
    found = take(stream)
    assert len(found) == 25_020
    assert stream.progress.pages == 3
    assert {bar.close for bar in found} == {Decimal(100)}


def test_bars_begin_with_the_first_trade_that_ever_was(context: VenueContext) -> None:
    market = Market(context, count=3, rows=2)
    for minute in (100, 101, 105, 110):
        market.trade(60 * minute)
    found = take(walk(candles_of(market, at(-(10**8))), market))
    assert found[0].start == at(6000)
    assert len(found) == 10


@pytest.mark.parametrize("interval", [10080, 21600])
@pytest.mark.parametrize("day", [0, 3, 4])
def test_weeks_and_fortnights_begin_where_the_venue_lets_them(context: VenueContext, interval: int, day: int) -> None:
    """Where they do is not documented: the rebuilt ones continue the venue's own backwards."""
    market = Market(context, count=50, rows=2, interval=interval, anchor=day * 86400)
    for place in range(80):
        market.trade(place * 86400 * 2, f"{100 + place}.0")
    stream = walk(candles_of(market), market)
    found = take(stream)
    assert [flat(bar) for bar in found] == market.bars(market.now)[:-1]
    assert {(int(bar.start.timestamp()) - day * 86400) % (interval * 60) for bar in found} == {0}
    assert stream.notes == []


def test_a_pair_that_never_traded_has_no_bars(context: VenueContext) -> None:
    market = Market(context)
    assert take(walk(candles_of(market), market)) == []
    assert take(walk(trades_of(market), market)) == []


@pytest.mark.parametrize("cursor", ['candles {"bar":-1}', 'candles {"bar":60,"bound":120,"close":"much"}', "candles x"])
def test_a_foreign_cursor_is_refused(context: VenueContext, cursor: str) -> None:
    market = Market(context)
    market.trade(1)
    with pytest.raises(InvalidValue, match="cursor"):
        take(walk(candles_of(market), market, cursor))


def test_intervals_that_the_venue_has_not_are_refused(context: VenueContext) -> None:
    with pytest.raises(NotSupported, match="2 is none of 1, 5"):
        KrakenSpotHistory(context).candles(BTC, 2, None, None)


# What was recorded: trades and bars of the same hours.


def test_recorded_trades_make_the_recorded_bars(captures: Path) -> None:
    """273 bars that have trades and 140 that have none agree to the last digit, the price by volume included."""
    folder = captures / "spot/rest"
    told = json.loads((folder / "trades_xbtusdt_1000.json").read_bytes(), parse_float=Decimal)
    table = json.loads((folder / "ohlc_xbtusdt_1m_full.json").read_bytes())
    text = (folder / "trades_xbtusdt_1000.json").read_bytes()
    raws = decoder(dict[str, Any]).decode(text)["result"]["XBTUSDT"]
    trades = [decoder(wire.TradeRow).decode(json.dumps(row, default=str)) for row in raws]
    assert len(trades) == len(told["result"]["XBTUSDT"]) == 1000
    rows = {row[0]: row for row in table["result"]["XBTUSDT"]}
    grid = Grid(symbol=Symbol("BTC", "USDT"), interval=1, anchor=min(rows), decimals=1)
    # The first minute may have begun before the first trade of the answer, and the last bar is forming.
    begin = grid.start(int(trades[0].time)) + 60
    before = [trade.price for trade in trades if trade.time < begin]
    built = bars.build(trades, grid, begin, max(rows), before[-1])
    assert len(built) == (max(rows) - begin) // 60
    assert (sum(1 for bar in built if bar.count), sum(1 for bar in built if not bar.count)) == (273, 140)
    for bar in built:
        row = rows[int(bar.start.timestamp())]
        numbers = [bar.open, bar.high, bar.low, bar.close, bar.vwap or Decimal(0), bar.volume]
        assert numbers == [Decimal(one) for one in row[1:7]], row
        assert bar.count == row[7]


def test_times_too_old_to_have_nineteen_digits_ask_from_the_first_trade(context: VenueContext) -> None:
    """Written out they could be taken for seconds."""
    market = Market(context)
    market.trade(1)
    assert take(walk(trades_of(market, datetime(2001, 1, 1, tzinfo=UTC)), market)) == [1]
    assert market.calls[0].params["since"] == "0"
