"""The public endpoints: time, status, and market data.

See https://docs.kraken.com/api-reference/market-data/get-server-time
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from exchange_core.connector.simulation import SimExchange, SimTrade
from exchange_core.errors import ProtocolError
from exchange_core.model.market import Candle, Level
from exchange_core.model.side import Side
from exchange_core.model.time import from_seconds, to_millis, to_rfc3339, to_seconds
from kraken_spot.simulator.codec import Arguments, Refused, fixed, invalid, read_decimal, seconds
from kraken_spot.simulator.feed.hub import INTERVALS, Hub
from kraken_spot.simulator.markets.listing import TOKENIZED
from kraken_spot.simulator.markets.names import Names, Pair, answer_key
from kraken_spot.simulator.orders.words import public_type
from kraken_spot.simulator.rest.lists import wants_display

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OHLC_ROWS = 720
_NANOSECONDS_FROM = Decimal("1e14")


class Public:
    """What anyone may ask."""

    def __init__(self, exchange: SimExchange, names: Names, hub: Hub) -> None:
        self._exchange = exchange
        self._names = names
        self._hub = hub

    def time(self, given: Arguments) -> object:
        now = self._exchange.now()
        day, month = _DAYS[now.weekday()], _MONTHS[now.month - 1]
        text = f"{day}, {now.day:02} {month} {now.year % 100:02} {now:%H:%M:%S} +0000"
        return {"unixtime": to_millis(now) // 1000, "rfc1123": text}

    def system_status(self, given: Arguments) -> object:
        now = to_rfc3339(self._exchange.now(), "seconds")
        return {"status": self._exchange.state, "timestamp": now, "upcoming_maintenance": [], "emergency": []}

    def maintenance_schedule(self, given: Arguments) -> object:
        """Nothing is ever planned here."""
        return {"events": []}

    # ── pairs ──

    def _asked(self, given: Arguments, display: bool) -> Iterable[tuple[str, Pair]]:
        """Return the pairs asked for, under the keys of the answer; all of them when none is named."""
        asked = given.words("pair")
        if not asked:
            tokenized = given.text("asset_class") == TOKENIZED
            pairs = [pair for pair in self._names if pair.is_tokenized is tokenized]
            return [(answer_key(pair, "", display), pair) for pair in pairs]
        found = [(name, self._names.listed(name, given)) for name in asked]
        return [(answer_key(pair, name, display), pair) for name, pair in found]

    def _one(self, given: Arguments) -> tuple[str, Pair]:
        name = given.required("pair")
        pair = self._names.listed(name, given)
        return answer_key(pair, name, wants_display(given)), pair

    # ── market data ──

    def ticker(self, given: Arguments) -> object:
        return {key: self._ticker(pair) for key, pair in self._asked(given, wants_display(given))}

    def _ticker(self, pair: Pair) -> dict[str, Any]:
        tape, book = self._hub.tapes[pair.symbol], self._hub.books[pair.symbol]
        today, day = tape.today(), tape.day()

        def price(value: Decimal) -> str:
            return fixed(value, pair.long_decimals)

        def volume(value: Decimal) -> str:
            return fixed(value, pair.volume_decimals)

        last = (tape.last.price, tape.last.quantity) if tape.last else (Decimal(0), Decimal(0))
        return {
            "a": _best(book.best(Side.SELL), pair),
            "b": _best(book.best(Side.BUY), pair),
            "c": [price(last[0]), volume(last[1])],
            "v": [volume(today.volume), volume(day.volume)],
            "p": [price(today.vwap), price(day.vwap)],
            "t": [today.count, day.count],
            "l": [price(today.low), price(day.low)],
            "h": [price(today.high), price(day.high)],
            "o": price(today.open),
        }

    def ohlc(self, given: Arguments) -> object:
        key, pair = self._one(given)
        interval = given.integer("interval", 1, 1, INTERVALS[-1])
        if interval not in INTERVALS:
            raise Refused("EGeneral:Invalid arguments")
        rows = _without_gaps(self._exchange.candles(pair.symbol, interval), interval, self._exchange.now())
        since = _moment(given, "since")
        shown = [bar for bar in rows[:-1] if since is None or bar.start >= since] + rows[-1:]
        last = to_millis(rows[-1].start) // 1000 - interval * 60 if rows else 0
        return {key: [_row(pair, bar) for bar in shown], "last": last}

    def depth(self, given: Arguments) -> object:
        key, pair = self._one(given)
        count = given.integer("count", 100, 1, 500)
        now = to_millis(self._exchange.now()) // 1000
        bids, asks = self._exchange.book(pair.symbol, count)
        return {
            key: {
                "asks": [_depth_row(pair, row, now) for row in asks],
                "bids": [_depth_row(pair, row, now) for row in bids],
            }
        }

    def trades(self, given: Arguments) -> object:
        key, pair = self._one(given)
        count = given.integer("count", 1000, 1, 1000)
        since = _moment(given, "since")
        trades = self._exchange.trades(pair.symbol)
        page = list(trades[-count:]) if since is None else _page(trades, since, count)
        end = page[-1].time if page else since
        return {key: [_trade_row(pair, trade) for trade in page], "last": _nanoseconds(end) if end else "0"}

    def spread(self, given: Arguments) -> object:
        """Return the latest changes of the best prices; ``since`` has no effect, as on the venue."""
        key, pair = self._one(given)
        rows = [
            [to_millis(time) // 1000, fixed(bid, pair.long_decimals), fixed(ask, pair.long_decimals)]
            for time, bid, ask in self._hub.tapes[pair.symbol].spreads
        ]
        return {key: rows, "last": to_millis(self._exchange.now()) // 1000}


def _best(level: Level | None, pair: Pair) -> list[str]:
    """Return price, whole lots and lots; the volumes are rounded, and never to nothing."""
    if level is None:
        zero = fixed(Decimal(0), pair.long_decimals)
        return [zero, "0", "0.000"]
    lots = max(1, int(level.quantity))
    return [fixed(level.price, pair.long_decimals), str(lots), f"{lots}.000"]


def _row(pair: Pair, bar: Candle) -> list[Any]:
    price = pair.price_decimals
    numbers = [fixed(value, price) for value in (bar.open, bar.high, bar.low, bar.close)]
    vwap = fixed(bar.vwap, price) if bar.vwap is not None else "0.0"
    return [to_millis(bar.start) // 1000, *numbers, vwap, fixed(bar.volume, pair.volume_decimals), bar.count or 0]


def _without_gaps(bars: Sequence[Candle], interval: int, now: datetime) -> list[Candle]:
    """Return the last rows up to the one that *now* is in; where nothing traded the price stands still."""
    if not bars:
        return []
    step = timedelta(minutes=interval)
    end = bars[-1].start + step * max(0, (now - bars[-1].start) // step)
    start = max(bars[0].start, end - step * _OHLC_ROWS)
    known = {bar.start: bar for bar in bars}
    previous = next((bar for bar in reversed(bars) if bar.start <= start), bars[0])
    rows: list[Candle] = []
    while start <= end:
        previous = known.get(start) or _still(previous, start)
        rows.append(previous)
        start += step
    return rows


def _still(bar: Candle, start: datetime) -> Candle:
    return Candle(
        symbol=bar.symbol,
        interval=bar.interval,
        start=start,
        open=bar.close,
        high=bar.close,
        low=bar.close,
        close=bar.close,
        volume=Decimal(0),
        count=0,
    )


def _depth_row(pair: Pair, level: Level, now: int) -> list[Any]:
    """Return a level; REST rounds volumes to three decimals, but never to zero."""
    volume = fixed(level.quantity, 3)
    if not volume.strip("0."):
        volume = fixed(level.quantity, pair.volume_decimals)
    return [fixed(level.price, pair.long_decimals), volume, now]


def _trade_row(pair: Pair, trade: SimTrade) -> list[Any]:
    return [
        fixed(trade.price, pair.long_decimals),
        fixed(trade.quantity, pair.volume_decimals),
        seconds(trade.time),
        "b" if trade.side is Side.BUY else "s",
        public_type(trade.taker_type)[0],
        "",
        trade.trade_id,
    ]


def _nanoseconds(moment: datetime) -> str:
    return str(int(to_seconds(moment) * 1_000_000_000))


def _page(trades: Sequence[SimTrade], since: datetime, count: int) -> list[SimTrade]:
    """Return the first *count* trades after *since*, and all that share the last one's time."""
    later = [trade for trade in trades if trade.time > since]
    page = later[:count]
    return page + [trade for trade in later[count:] if trade.time == page[-1].time]


def _moment(given: Arguments, name: str) -> datetime | None:
    """Return a time given in seconds or in nanoseconds."""
    if name not in given:
        return None
    value = read_decimal(given.text(name))
    if value is None:
        raise invalid(name)
    try:
        return from_seconds(value / 1_000_000_000 if abs(value) > _NANOSECONDS_FROM else value)
    except ProtocolError:
        raise invalid(name) from None
