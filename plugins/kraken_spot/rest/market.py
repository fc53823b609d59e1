"""Kraken Spot's own market data calls, reached as ``operations.market``.

What the normalised calls give already is here with all that the venue tells beside it, or not at all.
See https://docs.kraken.com/api-reference/market-data/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.market import Level
from exchange_core.model.number import EXACT
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339, to_seconds
from kraken_spot.dialect import read
from kraken_spot.feed.carriers import INTERVALS
from kraken_spot.parse import common as parse
from kraken_spot.parse.rows import Listing, Page, readable, word
from kraken_spot.rest.calls import aware, one_of, private, public, refuse, second_before
from kraken_spot.rest.listings import ListingCalls
from kraken_spot.rest.transparency import TransparencyCalls
from kraken_spot.tokenized import pair_params
from kraken_spot.types.market import (
    Candles,
    GroupedBook,
    Level3Book,
    Maintenance,
    MaintenancePhase,
    MarketTrade,
    RecommendedAction,
    RestingOrder,
    Spread,
    Spreads,
    SystemState,
    SystemStatus,
)
from kraken_spot.wire import common as wire
from kraken_spot.wire import market as raw_market

GROUPED_DEPTHS = (10, 25, 100, 250, 1000)
GROUPINGS = (1, 5, 10, 25, 50, 100, 250, 500, 1000)
LEVEL3_DEPTHS = (0, *GROUPED_DEPTHS)
MOST_TRADES = 1000
_ORDER_TYPES = {"m": "market", "l": "limit"}


@attrs.frozen
class MarketCalls(ListingCalls, TransparencyCalls):
    """Calls about markets; only ``level3`` needs a key."""

    _context: VenueContext

    def time(self) -> Flow[datetime]:
        """Return the venue's clock, in whole seconds."""
        answer: raw_market.Time = yield public("Time", raw_market.Time)
        return parse.moment(answer.unixtime)

    def system_status(self) -> Flow[SystemStatus]:
        """Tell what the venue takes now; this, not the maintenance schedule, is what counts."""
        answer: raw_market.SystemStatus = yield public("SystemStatus", raw_market.SystemStatus)
        # Both lists came in 2026 and may be empty or missing.
        upcoming = _maintenances(answer.upcoming_maintenance or ())
        emergency = _maintenances(answer.emergency or ())
        return SystemStatus(
            state=word(SystemState, answer.status),
            time=from_rfc3339(answer.timestamp),
            upcoming_maintenance=upcoming.items,
            emergency=emergency.items,
            unreadable=upcoming.unreadable + emergency.unreadable,
        )

    def maintenance_schedule(self) -> Flow[Listing[Maintenance]]:
        """List what is planned for the next seven days."""
        answer: raw_market.Schedule = yield public("MaintenanceSchedule", raw_market.Schedule)
        return _maintenances(answer.events)

    def spread(self, symbol: Symbol | str, since: datetime | None = None) -> Flow[Spreads]:
        """Return how the best prices went lately, about the last 200 changes.

        Args:
            since: Was seen to have no effect at the venue.
        """
        ours = Symbol.of(symbol)
        params = {**pair_params(self._context, ours), "since": second_before(since, "since")}
        answer: dict[str, msgspec.Raw] = yield public("Spread", dict[str, msgspec.Raw], params)
        rows = readable(self._rows(answer, "Spread"), raw_market.SpreadRow, _spread)
        return Spreads(symbol=ours, items=rows.items, last=_last_second(answer), unreadable=rows.unreadable)

    def grouped_book(self, symbol: Symbol | str, depth: int = 10, grouping: int = 1) -> Flow[GroupedBook]:
        """Return a book in steps of *grouping* ticks, *depth* levels a side."""
        ours, pair = self._pair(symbol)
        params = {
            "pair": pair,
            "depth": one_of(self._context.venue, "depth", depth, GROUPED_DEPTHS),
            "grouping": one_of(self._context.venue, "grouping", grouping, GROUPINGS),
        }
        answer: raw_market.GroupedBook = yield public("GroupedBook", raw_market.GroupedBook, params)
        return GroupedBook(symbol=ours, grouping=answer.grouping, bids=_levels(answer.bids), asks=_levels(answer.asks))

    def level3(self, symbol: Symbol | str, depth: int = 100) -> Flow[Level3Book]:
        """Return a book order by order, *depth* levels a side; all of it with 0."""
        ours, pair = self._pair(symbol)
        params = {"pair": pair, "depth": one_of(self._context.venue, "depth", depth, LEVEL3_DEPTHS)}
        answer: raw_market.Level3 = yield private("Level3", raw_market.Level3, params)
        return Level3Book(symbol=ours, bids=_resting(answer.bids), asks=_resting(answer.asks))

    def trades_page(
        self,
        symbol: Symbol | str,
        cursor: str | None = None,
        *,
        since: datetime | None = None,
        count: int = MOST_TRADES,
    ) -> Flow[Page[MarketTrade]]:
        """Return public trades, oldest first: the latest, or from *cursor* or *since* on.

        There is always a cursor, since trading goes on; pages may overlap by the trades at their edges, whose ids
        tell.
        """
        ours = Symbol.of(symbol)
        named = pair_params(self._context, ours)
        if cursor is not None and since is not None:
            raise InvalidValue("since: a cursor was given, which already says where to go on")
        if cursor is not None and not (cursor.isascii() and cursor.isdigit()):
            raise InvalidValue(f"cursor: {cursor[:60]!r} is no cursor of this call; expected digits")
        if not 1 <= count <= MOST_TRADES:
            raise refuse(self._context.venue, "count", f"{count} is not between 1 and {MOST_TRADES}")
        start = cursor if since is None else str(int(to_seconds(aware(since, "since")) * 1_000_000_000))
        return self._trades_page(ours, {**named, "since": start, "count": count})

    def _trades_page(self, symbol: Symbol, params: Mapping[str, Any]) -> Flow[Page[MarketTrade]]:
        reply = dict[str, msgspec.Raw]
        answer: dict[str, msgspec.Raw] = yield public("Trades", reply, params, per_pair=params["pair"])
        rows = readable(self._rows(answer, "Trades"), wire.TradeRow, lambda _, row: market_trade(row, symbol))
        items = tuple(sorted(rows.items, key=lambda trade: trade.id))
        # It comes as text and goes back unchanged; nanoseconds are too many digits for most number types.
        return Page(items, str(read(_last(answer), str | int, "last")), unreadable=rows.unreadable)  # type: ignore[arg-type]

    def candles(self, symbol: Symbol | str, interval: int, since: datetime | None = None) -> Flow[Candles]:
        """Return up to 720 finished bars of *interval* minutes and the one that is forming.

        Args:
            since: Bars that start then or later; older than the 720 newest cannot be had here.
        """
        ours, pair = self._pair(symbol)
        params = {
            **pair_params(self._context, ours),
            "interval": one_of(self._context.venue, "interval", interval, INTERVALS),
            "since": second_before(since, "since"),
        }
        reply = dict[str, msgspec.Raw]
        answer: dict[str, msgspec.Raw] = yield public("OHLC", reply, params, per_pair=pair)
        raws = self._rows(answer, "OHLC")
        rows = readable(
            raws,
            wire.CandleRow,
            lambda place, row: parse.candle(row, ours, interval, closed=int(place) < len(raws) - 1),
        )
        return Candles(items=rows.items, last=_last_second(answer), unreadable=rows.unreadable)

    def _pair(self, symbol: Symbol | str) -> tuple[Symbol, str]:
        ours = Symbol.of(symbol)
        return ours, self._context.symbols.venue_id(ours)

    def _rows(self, answer: Mapping[str, msgspec.Raw], what: str) -> Sequence[msgspec.Raw]:
        rows: list[msgspec.Raw] = read(parse.only(answer, what), list[msgspec.Raw], what)
        return rows


def _last(answer: Mapping[str, msgspec.Raw]) -> msgspec.Raw:
    if "last" not in answer:
        raise ProtocolError("last: missing in the answer; it tells where the next one begins")
    return answer["last"]


def _last_second(answer: Mapping[str, msgspec.Raw]) -> datetime:
    return parse.moment(read(_last(answer), int, "last"), "last")


def _maintenances(raws: Iterable[msgspec.Raw]) -> Listing[Maintenance]:
    return readable(raws, raw_market.Maintenance, lambda _, row: _maintenance(row))


def _maintenance(row: raw_market.Maintenance) -> Maintenance:
    return Maintenance(
        id=row.event_id,
        title=row.title,
        start=_optional_time(row.expected_start_utc),
        end=_optional_time(row.expected_end_utc),
        cancel_before=_optional_time(row.cancel_before_utc),
        seconds_to_start=row.time_to_start_s,
        phase=word(MaintenancePhase, row.phase),
        services=tuple(row.affected_services),
        order_submission=row.order_submission,
        recommended_action=word(RecommendedAction, row.recommended_action),
        source_url=row.source_url,
    )


def _optional_time(text: str | None) -> datetime | None:
    return from_rfc3339(text) if text else None


def _spread(_: str, row: raw_market.SpreadRow) -> Spread:
    return Spread(time=parse.moment(row.time), bid=parse.number(row.bid, "bid"), ask=parse.number(row.ask, "ask"))


def _levels(rows: Iterable[raw_market.GroupedLevel]) -> tuple[Level, ...]:
    return tuple(Level(parse.number(row.price, "price"), parse.number(row.qty, "qty")) for row in rows)


def _resting(rows: Iterable[raw_market.Level3Order]) -> tuple[RestingOrder, ...]:
    return tuple(
        RestingOrder(
            price=parse.number(row.price, "price"),
            quantity=parse.number(row.qty, "qty"),
            order_id=row.order_id,
            time=_nanoseconds(row.timestamp),
        )
        for row in rows
    )


def _nanoseconds(value: int) -> datetime:
    return parse.moment(Decimal(value).scaleb(-9, EXACT), "timestamp")


def market_trade(row: wire.TradeRow, symbol: Symbol) -> MarketTrade:
    return MarketTrade(
        symbol=symbol,
        id=row.trade_id,
        time=parse.moment(row.time),
        side=parse.side(row.side),
        price=parse.number(row.price, "price"),
        quantity=parse.number(row.volume, "volume"),
        order_type=_ORDER_TYPES.get(row.type, row.type),
        misc=row.misc,
    )
