"""Walk the public trades of a pair from its first one on.

The cursor of the venue counts nanoseconds, more digits than the rows show, so places are kept by the ids of trades,
which rise with time. Whether ``since`` is inclusive does not matter: each page is asked for from a nanosecond before
the last trade of the page before it, and what came already is left out by its id.
See https://docs.kraken.com/api-reference/market-data/get-recent-trades
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Generic, NamedTuple, TypeVar

import attrs
import msgspec

from exchange_core.connector.pages import Entry, HistoryPage, Unreadable
from exchange_core.connector.rest import Flow
from exchange_core.errors import ProtocolError
from kraken_spot.dialect import read as decode
from kraken_spot.parse import common as parse
from kraken_spot.parse.rows import readable
from kraken_spot.rest.calls import public
from kraken_spot.walks.cursors import Cursor, read, to_micros
from kraken_spot.wire import common as wire

T = TypeVar("T")

MOST_TRADES = 1000
"""Trades in one answer."""

Nanos = Annotated[int, msgspec.Meta(ge=0)]

_LEAST_NANOS = 10**18


class TradeAnswer(NamedTuple):
    """Attributes:
    rows: By their ids, which is by their times.
    size: Rows of the answer, those that cannot be read included.
    last: Where the venue says that the next answer begins, in nanoseconds.
    """

    rows: Sequence[wire.TradeRow]
    unreadable: tuple[Unreadable, ...]
    size: int
    last: int


class _State(Cursor):
    """Attributes:
    since: Nanoseconds that the page was, or is to be, asked for from.
    id: The last trade that was given out.
    """

    since: Nanos = 0
    id: int | None = None


@attrs.frozen(kw_only=True)
class TradeWalk(Generic[T]):
    """The walk through the trades of *pair*, from *since* on and before *until*."""

    venue: str
    pair: str
    build: Callable[[wire.TradeRow], T]
    since: datetime | None
    until: datetime | None
    count: int = MOST_TRADES
    asset_class: str | None = None

    def fetch(self, cursor: str | None) -> Flow[HistoryPage[T]]:
        """Return the trades of the next answer."""
        state = _State(since=nanos(self.since)) if cursor is None else read(cursor, _State)
        answer = yield from ask(self.venue, self.pair, state.since, self.count, self.asset_class)
        fresh = [row for row in answer.rows if state.id is None or row.trade_id > state.id]
        given, ended = self._inside(fresh)
        ids = [row.trade_id for row in given]
        passed = fresh[-1].trade_id if fresh else state.id
        following = _State(since=max(answer.last - 1, state.since), id=passed)
        if not fresh:
            ended = is_end(self.venue, self.pair, answer, state.since, self.count)
        return HistoryPage(
            entries=[Entry(parse.moment(row.time), self.build(row)) for row in given],
            after=lambda count: (
                following.text if count == len(fresh) else _State(since=state.since, id=ids[count - 1]).text
            ),
            cursor=None if ended else following.text,
            unreadable=answer.unreadable,
        )

    def _inside(self, rows: Sequence[wire.TradeRow]) -> tuple[list[wire.TradeRow], bool]:
        """Return what lies in the range, and whether anything lies behind it."""
        times = [parse.moment(row.time) for row in rows]
        inside = [
            row
            for row, time in zip(rows, times, strict=True)
            if (self.since is None or time >= self.since) and (self.until is None or time < self.until)
        ]
        return inside, self.until is not None and any(time >= self.until for time in times)


def ask(venue: str, pair: str, since: int, count: int, asset_class: str | None = None) -> Flow[TradeAnswer]:
    """Ask for the trades from *since* nanoseconds on.

    Raises:
        ProtocolError: The venue answered with older ones, so that a walk would never end.
    """
    # Shorter numbers may be taken for seconds; no trade is so old, and 0 begins with the first.
    params = {"pair": pair, "since": str(since if since >= _LEAST_NANOS else 0), "count": count}
    if asset_class is not None:
        params["asset_class"] = asset_class
    answer: dict[str, msgspec.Raw] = yield public("Trades", dict[str, msgspec.Raw], params, per_pair=pair)
    raws: list[msgspec.Raw] = decode(parse.only(answer, "Trades"), list[msgspec.Raw], "Trades")
    found = readable(raws, wire.TradeRow, _checked)
    rows = sorted(found.items, key=lambda row: row.trade_id)
    if "last" not in answer:
        raise ProtocolError(f"{venue}: Trades of {pair}: the answer has no last, which tells where the next begins")
    last = decode(answer["last"], str | int, "last")  # type: ignore[arg-type]
    try:
        nanoseconds = int(last)
    except ValueError:
        raise ProtocolError(f"{venue}: Trades of {pair}: last is {str(last)[:40]!r}; expected nanoseconds") from None
    # Rows show times to a ten-millionth of a second, rounded.
    if rows and to_micros(parse.moment(rows[0].time)) < since // 1000 - 1:
        raise ProtocolError(f"{venue}: Trades of {pair}: asked for those since {since}, it answered with older ones")
    bad = tuple(Unreadable(f"trade of {pair}", one.problem, one.raw) for one in found.unreadable)
    return TradeAnswer(rows, bad, len(raws), nanoseconds)


def is_end(venue: str, pair: str, answer: TradeAnswer, since: int, count: int) -> bool:
    """Return whether an answer without anything new means that there is nothing more.

    Raises:
        ProtocolError: There is more, and it cannot be asked for.
    """
    if answer.size < count:
        return True
    if answer.last - 1 > since:
        return False
    raise ProtocolError(
        f"{venue}: Trades of {pair}: {answer.size} trades at one moment fill an answer, and what follows them "
        "cannot be asked for"
    )


def nanos(time: datetime | None) -> int:
    """Return from where trades are asked for that are not before *time*."""
    return 0 if time is None else max(0, to_micros(time) * 1000 - 1000)


def _checked(_: str, row: wire.TradeRow) -> wire.TradeRow:
    """Let a row pass whose numbers can be used."""
    parse.moment(row.time)
    parse.side(row.side)
    parse.number(row.price, "price")
    parse.number(row.volume, "volume")
    return row
