"""One connection's public subscriptions.

See https://docs.kraken.com/api/docs/websocket-v2/book and its neighbours
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kraken_spot.simulator.codec import stamp
from kraken_spot.simulator.feed import market_frames
from kraken_spot.simulator.feed.books import DEPTHS
from kraken_spot.simulator.feed.hub import INTERVALS, TRIGGERS, Topic
from kraken_spot.simulator.feed.replies import FieldError, Params, Reply, done, failed, field, symbols
from kraken_spot.simulator.markets.names import Pair
from kraken_spot.simulator.venue import Venue

_SNAPSHOT_TRADES = 50
_SNAPSHOT_BARS = 10
_INSTRUMENT = "instrument"


class PublicFeed:
    """What one connection listens to. True while there is anything."""

    def __init__(self, venue: Venue, push: Callable[[str], None]) -> None:
        self._venue = venue
        self.push = push
        self._topics: dict[Topic, Topic] = {}
        self._instruments: dict[str, str] | None = None
        self._tokenized = False

    def __bool__(self) -> bool:
        return bool(self._topics) or self._instruments is not None

    def tick(self) -> None:
        """Tell of pairs whose status changed."""
        if self._instruments is None:
            return
        now = self._statuses()
        changed = [symbol for symbol, status in now.items() if self._instruments.get(symbol) != status]
        if changed:
            self._instruments = now
            names = self._venue.names
            pairs = [pair for pair in names if pair.display in changed]
            self.push(market_frames.instrument_changes(names, pairs))

    def _statuses(self) -> dict[str, str]:
        names = self._venue.names
        return {pair.display: names.status(pair) for pair in market_frames.shown(names, self._tokenized)}

    def close(self) -> None:
        for topic in self._topics.values():
            self._venue.hub.unsubscribe(topic, self)
        self._topics.clear()
        self._instruments = None

    def subscribe(self, channel: str, params: Params) -> list[Reply]:
        """Answer once for each symbol; a symbol's snapshot follows its answer."""
        # Documented as false for trades; a recording without it was answered with true.
        snapshot = field(params, "snapshot", bool, channel != "trade")
        if channel == _INSTRUMENT:
            tokenized = field(params, "include_tokenized_assets", bool, False)
            return [self._subscribe_instruments(snapshot, tokenized)]
        name, variant = _variant(channel, params)
        return [self._add(channel, name, variant, snapshot, symbol) for symbol in symbols(params)]

    def unsubscribe(self, channel: str, params: Params) -> list[Reply]:
        if channel == _INSTRUMENT:
            if self._instruments is None:
                return [failed("Subscription Not Found")]
            self._instruments = None
            return [done({"channel": channel})]
        name, variant = _variant(channel, params)
        return [self._remove(channel, name, variant, symbol) for symbol in symbols(params)]

    def _add(self, channel: str, name: str, variant: Any, snapshot: bool, symbol: str) -> Reply:
        pair = self._venue.names.display(symbol)
        if pair is None:
            return failed(f"Currency pair not supported {symbol}", symbol)
        topic = (channel, pair.symbol, variant)
        slot = _slot(topic)
        if slot in self._topics:
            return failed("Already subscribed", symbol)
        self._topics[slot] = topic
        self._venue.hub.subscribe(topic, self)
        result = _echo(channel, name, variant, snapshot, symbol)
        if channel == "ohlc":
            result["warnings"] = ["timestamp is deprecated, use interval_begin"]
        return done(result, [self._snapshot(pair, channel, variant)] if snapshot else None)

    def _remove(self, channel: str, name: str, variant: Any, symbol: str) -> Reply:
        pair = self._venue.names.display(symbol)
        if pair is None:
            return failed(f"Currency pair not supported {symbol}", symbol)
        topic = (channel, pair.symbol, variant)
        if self._topics.get(_slot(topic)) != topic:
            return failed("Subscription Not Found", symbol)
        del self._topics[_slot(topic)]
        self._venue.hub.unsubscribe(topic, self)
        return done(_echo(channel, name, variant, True, symbol))

    def _subscribe_instruments(self, snapshot: bool, tokenized: bool) -> Reply:
        if self._instruments is not None:
            return failed("Already subscribed")
        self._tokenized = tokenized
        self._instruments = self._statuses()
        warnings = ["tick_size is deprecated, use price_increment"]
        then = [market_frames.instruments(self._venue.names, tokenized=tokenized)] if snapshot else None
        return done({"channel": _INSTRUMENT, "snapshot": snapshot, "warnings": warnings}, then)

    def _snapshot(self, pair: Pair, channel: str, variant: Any) -> str:
        exchange, now = self._venue.exchange, self._venue.exchange.now()
        if channel == "book":
            return self._venue.hub.books[pair.symbol].snapshot(variant, stamp(now))
        if channel == "ticker":
            return self._venue.hub.ticker(pair, "snapshot")
        if channel == "trade":
            return market_frames.trades(pair, "snapshot", exchange.trades(pair.symbol)[-_SNAPSHOT_TRADES:])
        return market_frames.ohlc(pair, "snapshot", exchange.candles(pair.symbol, variant)[-_SNAPSHOT_BARS:], now)


def _slot(topic: Topic) -> Topic:
    """Return what a connection can have only one of: a symbol's book at one depth, but candles of many intervals."""
    channel, symbol, variant = topic
    return channel, symbol, variant if channel == "ohlc" else None


def _variant(channel: str, params: Params) -> tuple[str, Any]:
    """Return the name and the value of what tells one subscription of a channel from another."""
    if channel == "book":
        depth = field(params, "depth", int, DEPTHS[0])
        if depth not in DEPTHS:
            raise FieldError("Subscription depth not supported")
        return "depth", depth
    if channel == "ohlc":
        interval = field(params, "interval", int, INTERVALS[0])
        if interval not in INTERVALS:
            raise FieldError("Subscription ohlc interval not supported")
        return "interval", interval
    if channel == "ticker":
        trigger = field(params, "event_trigger", str, TRIGGERS[0])
        if trigger not in TRIGGERS:
            raise FieldError("Event_trigger not supported")
        return "event_trigger", trigger
    return "", None


def _echo(channel: str, name: str, variant: Any, snapshot: bool, symbol: str) -> Reply:
    result: Reply = {"channel": channel}
    if name:
        result[name] = variant
    return {**result, "snapshot": snapshot, "symbol": symbol}
