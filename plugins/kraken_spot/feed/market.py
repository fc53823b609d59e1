"""Market data that is no book: tickers, trades, candles and instruments of one connection.

See https://docs.kraken.com/api/docs/websocket-v2/ticker, /trade, /ohlc and /instrument
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs
import msgspec

from exchange_core.connector.feed import FeedStats
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.event import (
    Channel,
    Event,
    Events,
    InstrumentsUpdate,
    Subscription,
    TickerTrigger,
    Unrecognised,
)
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Ticker
from exchange_core.model.symbol import Symbol
from kraken_spot.feed.candles import Candles, VenueClock
from kraken_spot.feed.quiet import Place, Quiet
from kraken_spot.feed.trades import Trades
from kraken_spot.parse import feed as parse
from kraken_spot.wire import feed as wire

_INSTRUMENTS: Place = (Channel.INSTRUMENTS, None, None)


class Market:
    """What was told so far, as far as later messages depend on it.

    Attributes:
        clock: The venue's time.
    """

    def __init__(self, context: VenueContext, stats: FeedStats, quiet: Quiet) -> None:
        self._context = context
        self._quiet = quiet
        self._tickers: dict[Symbol, Ticker] = {}
        self._triggers: dict[Symbol, TickerTrigger | None] = {}
        self._instruments: dict[Symbol, Instrument] = {}
        self.clock = VenueClock()
        self._trades = Trades(self._symbol, stats, quiet, self.clock.at)
        self._candles = Candles(self._symbol, stats, quiet, self.clock)

    def changed(self, places: Iterable[Place], carriers: Iterable[Subscription]) -> None:
        """Forget what was told of *places*: they are followed from now on, or not any more."""
        for channel, symbol, interval in places:
            if symbol is None:
                continue
            if channel is Channel.TICKER:
                self._tickers.pop(symbol, None)
            elif channel is Channel.TRADES:
                self._trades.forget(symbol)
            elif channel is Channel.CANDLES and interval is not None:
                self._candles.forget(symbol, interval)
        self._triggers = {c.symbol: c.trigger for c in carriers if c.channel is Channel.TICKER and c.symbol is not None}

    def opened(self, now: float) -> None:
        """Take it that messages were missed: the connection is a new one."""
        self._candles.await_snapshot(now)

    def asked_afresh(self, carrier: Subscription, now: float) -> None:
        """Take it that messages of *carrier* may be missed until its snapshot comes."""
        if carrier.channel is Channel.CANDLES:
            self._candles.await_snapshot(now, carrier.symbol, carrier.interval)

    def tick(self, heard: float) -> list[Event]:
        """Let time pass.

        Args:
            heard: When the last frame came: what the venue said up to then has all been read.
        """
        return self._candles.tick(heard)

    def trades(self, message: wire.Trade, now: float) -> Events:
        return self._trades.receive(message, now)

    def candles(self, message: wire.Candle, now: float) -> Events:
        return self._candles.receive(message, now)

    def tickers(self, message: wire.Ticker, now: float) -> Events:
        events: list[Event] = []
        for raw in message.data:
            ticker = parse.ticker(raw, self._symbol(raw.symbol))
            place = Channel.TICKER, ticker.symbol, None
            if message.type == "snapshot":
                events += self._quiet.judge(place, self._change(ticker), now)
            self._quiet.heard(place, now)
            self._tickers[ticker.symbol] = ticker
            events.append(ticker)
        return events

    def _change(self, ticker: Ticker) -> str | None:
        """Return what should have been told before. The figures of 24 hours change by themselves."""
        last = self._tickers.get(ticker.symbol)
        if last is None:
            return "no ticker had come"
        if self._triggers.get(ticker.symbol) is TickerTrigger.TRADES:
            return _differs("the last price", last.last, ticker.last)
        return _differs("the bid", last.bid, ticker.bid) or _differs("the ask", last.ask, ticker.ask)

    def instruments(self, message: wire.Instrument, now: float) -> Events:
        """Rules may change while we are connected: the shared list takes them over."""
        events: list[Event] = []
        found: list[Instrument] = []
        for entry in message.data.pairs:
            try:
                raw = msgspec.json.decode(entry, type=wire.Pair)
                known = self._known(raw.symbol)
                made = parse.instrument(raw, known)
                if known is None and self._is_token(made.symbol.base):
                    made = attrs.evolve(made, is_tokenized=True)
            except (msgspec.MsgspecError, InvalidValue, ProtocolError) as error:
                events.append(Unrecognised(kind="instrument", detail=f"{error!s:.200}"))
                continue
            # In a replay, the list that was given wins.
            if not (self._context.provisional and made.symbol in self._context.symbols):
                self._context.symbols.add(made, wire=raw.symbol)
            found.append(made)
        changed = [str(made.symbol) for made in found if self._instruments.get(made.symbol) != made]
        if message.type == "snapshot":
            missed = f"{len(changed)} instruments had changed, {changed[0]} first" if changed else None
            events += self._quiet.judge(_INSTRUMENTS, missed, now)
        self._quiet.heard(_INSTRUMENTS, now)
        self._instruments |= {made.symbol: made for made in found}
        return [InstrumentsUpdate(instruments=tuple(found)), *events]

    def _is_token(self, base: str) -> bool:
        """Return whether other pairs of *base* are known to be tokenised: an entry does not say."""
        return any(each.is_tokenized and each.symbol.base == base for each in self._context.symbols)

    def _known(self, name: str) -> Instrument | None:
        symbol = self._context.symbols.get(name)
        return None if symbol is None else self._context.symbols.instrument(symbol)

    def _symbol(self, name: str) -> Symbol:
        return parse.symbol(name, self._context.symbols)


def _differs(what: str, before: Decimal | None, now: Decimal | None) -> str | None:
    return None if before == now else f"{what} was {before}, and is {now}"
