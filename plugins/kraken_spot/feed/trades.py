"""Public trades of one connection: each told once, whatever is delivered again, and what is missing told too.

The trades of a pair are numbered without holes; a snapshot has the latest fifty.
See https://docs.kraken.com/api/docs/websocket-v2/trade
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs

from exchange_core.connector.feed import FeedStats
from exchange_core.model.event import Channel, Event, Events, SequenceGap
from exchange_core.model.market import Trade
from exchange_core.model.symbol import Symbol
from kraken_spot.feed.quiet import Quiet
from kraken_spot.parse import feed as parse
from kraken_spot.wire import feed as wire

REMEMBERED = 1000
"""How many missing trades of a pair are remembered, in case that they come after all."""


@attrs.define
class _Count:
    """The numbers of one pair's trades.

    Attributes:
        last: The highest number so far, and when that trade was made.
        missing: Lower ones that never came.
    """

    last: int
    time: datetime
    missing: set[int] = attrs.field(factory=set)


class Trades:
    """The trades of all pairs.

    Args:
        venue_time: Tells the venue's time at one of ours, as far as it is known.
    """

    def __init__(
        self,
        symbol: Callable[[str], Symbol],
        stats: FeedStats,
        quiet: Quiet,
        venue_time: Callable[[float], datetime | None],
    ) -> None:
        self._symbol = symbol
        self._stats = stats
        self._quiet = quiet
        self._venue_time = venue_time
        self._counts: dict[Symbol, _Count] = {}

    def forget(self, symbol: Symbol) -> None:
        """Begin anew: nobody followed it meanwhile."""
        self._counts.pop(symbol, None)

    def receive(self, message: wire.Trade, now: float) -> Events:
        """Return the trades that did not come before, lowest number first."""
        found: dict[Symbol, list[tuple[int, Trade]]] = {}
        for raw in message.data:
            symbol = self._symbol(raw.symbol)
            found.setdefault(symbol, []).append((raw.trade_id, parse.trade(raw, symbol)))
        events: list[Event] = []
        for symbol, trades in found.items():
            trades.sort(key=lambda numbered: numbered[0])
            is_snapshot = message.type == "snapshot"
            if is_snapshot:
                self._restart(symbol, trades[-1])
            new, hole = self._take(symbol, trades)
            place = Channel.TRADES, symbol, None
            if is_snapshot:
                events += self._quiet.judge(place, self._missed(place, new), now)
            self._quiet.heard(place, now)
            if hole is not None:
                self._stats.gaps += 1
                events.append(SequenceGap(channel=Channel.TRADES, symbol=symbol, reason=f"{symbol}: {hole}"))
            events += new
        return events

    def _restart(self, symbol: Symbol, newest: tuple[int, Trade]) -> None:
        """Forget the numbers of a pair whose newest trade is later, and has a lower number: the venue counts anew."""
        count = self._counts.get(symbol)
        if count is not None and newest[0] < count.last and newest[1].time > count.time:
            del self._counts[symbol]

    def _take(self, symbol: Symbol, trades: list[tuple[int, Trade]]) -> tuple[list[Trade], str | None]:
        """Return the trades that are new, and what is missing before or between them."""
        new: list[Trade] = []
        holes: list[str] = []
        count = self._counts.get(symbol)
        for number, trade in trades:
            if count is None:
                count = self._counts[symbol] = _Count(number, trade.time)
            elif number > count.last:
                if number > count.last + 1:
                    holes.append(f"{count.last + 1} to {number - 1}")
                    if number - count.last - 1 + len(count.missing) <= REMEMBERED:
                        count.missing.update(range(count.last + 1, number))
                count.last, count.time = number, trade.time
            elif number in count.missing:
                count.missing.remove(number)
            else:
                continue
            new.append(trade)
        return new, f"trades {', '.join(holes)} did not come" if holes else None

    def _missed(self, place: tuple[Channel, Symbol, None], new: list[Trade]) -> str | None:
        """Return which trades should have come before they were asked for."""
        asked = self._quiet.asked(place)
        if asked is None or not new:
            return None
        # Those made since then came with the snapshot because no subscription stood.
        until = self._venue_time(asked)
        late = [trade for trade in new if until is None or trade.time < until]
        return f"{len(late)} trades had not come, the first of them {late[0].id}" if late else None
