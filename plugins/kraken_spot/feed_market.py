"""Market data that needs no checking: tickers, trades, candles and instruments of one connection.

See https://docs.kraken.com/api/docs/websocket-v2/ticker, /trade, /ohlc and /instrument
"""

from __future__ import annotations

from datetime import datetime

import attrs
import msgspec

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.event import Event, Events, InstrumentsUpdate, Unrecognised
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Trade
from exchange_core.model.symbol import Symbol
from kraken_spot import parse_feed as parse
from kraken_spot import wire_feed as wire


class Market:
    """What was told so far, as far as later messages depend on it."""

    def __init__(self, context: VenueContext) -> None:
        self._context = context
        self._last_trade: dict[Symbol, int] = {}
        self._last_candle: dict[tuple[Symbol, int], Candle] = {}

    def tickers(self, message: wire.Ticker) -> Events:
        return [parse.ticker(raw, self._symbol(raw.symbol)) for raw in message.data]

    def trades(self, message: wire.Trade) -> Events:
        """Trades of a pair count upwards; the snapshot after a lost connection repeats some."""
        events: list[Trade] = []
        if message.type == "snapshot":
            self._restart_counts(message.data)
        for raw in message.data:
            symbol = self._symbol(raw.symbol)
            if raw.trade_id > self._last_trade.get(symbol, -1):
                events.append(parse.trade(raw, symbol))
                self._last_trade[symbol] = raw.trade_id
        return events

    def _restart_counts(self, entries: list[wire.TradeData]) -> None:
        """Forget the counts of pairs whose newest trades have lower numbers: the venue counts anew."""
        newest: dict[Symbol, int] = {}
        for raw in entries:
            symbol = self._symbol(raw.symbol)
            newest[symbol] = max(raw.trade_id, newest.get(symbol, -1))
        for symbol, number in newest.items():
            if number < self._last_trade.get(symbol, -1):
                del self._last_trade[symbol]

    def candles(self, message: wire.Candle) -> Events:
        """The venue does not say that a bar is closed: a later bar does."""
        candles = [parse.candle(raw, self._symbol(raw.symbol)) for raw in message.data]
        newest: dict[tuple[Symbol, int], datetime] = {}
        for candle in candles:
            place = (candle.symbol, candle.interval)
            newest[place] = max(candle.start, newest.get(place, candle.start))
        events: list[Candle] = []
        for candle in candles:
            place = (candle.symbol, candle.interval)
            last = self._last_candle.get(place)
            if last is not None and candle.start < last.start:
                if message.type != "snapshot":  # a late correction; a snapshot only repeats
                    events.append(attrs.evolve(candle, closed=True))
                continue
            if last is not None and candle.start > last.start and not last.closed:
                events.append(attrs.evolve(last, closed=True))
            told = attrs.evolve(candle, closed=candle.start < newest[place])
            self._last_candle[place] = told
            events.append(told)
        return events

    def instruments(self, message: wire.Instrument) -> Events:
        """Rules may change while we are connected: the shared list takes them over."""
        events: list[Event] = []
        found: list[Instrument] = []
        for entry in message.data.pairs:
            try:
                raw = msgspec.json.decode(entry, type=wire.Pair)
                made = parse.instrument(raw, self._known(raw.symbol))
            except (msgspec.MsgspecError, InvalidValue, ProtocolError) as error:
                events.append(Unrecognised(kind="instrument", detail=f"{error!s:.200}"))
                continue
            # In a replay, the list that was given wins.
            if not (self._context.provisional and made.symbol in self._context.symbols):
                self._context.symbols.add(made, wire=raw.symbol)
            found.append(made)
        return [InstrumentsUpdate(instruments=tuple(found)), *events]

    def _known(self, name: str) -> Instrument | None:
        symbol = self._context.symbols.get(name)
        return None if symbol is None else self._context.symbols.instrument(symbol)

    def _symbol(self, name: str) -> Symbol:
        return parse.symbol(name, self._context.symbols)
