"""Books and trades in the forms beside Depth and Trades: grouped, order by order, and as regulators want them.

See https://docs.kraken.com/api-reference/market-data/get-grouped-order-book
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from exchange_core.connector.simulation import SimExchange, SimKey, SimTrade
from exchange_core.errors import ProtocolError
from exchange_core.model.market import Level
from exchange_core.model.time import from_rfc3339
from kraken_spot.simulator.codec import Arguments, Refused, fixed, invalid, stamp
from kraken_spot.simulator.feed.hub import Hub
from kraken_spot.simulator.feed.level3_books import Entry, window
from kraken_spot.simulator.markets.names import Names, Pair

_DEPTHS = (10, 25, 100, 250, 1000)
_GROUPINGS = (1, 5, 10, 25, 50, 100, 250, 500, 1000)
_VENUE = "PGSL"


class DepthCalls:
    """Market data in other forms."""

    def __init__(self, exchange: SimExchange, names: Names, hub: Hub) -> None:
        self._exchange = exchange
        self._names = names
        self._hub = hub

    def grouped_book(self, given: Arguments) -> object:
        """Return levels of several ticks each: asks are rounded up, bids down."""
        pair = self._names.listed(given.required("pair"), given)
        depth = _one_of(given, "depth", _DEPTHS, 10)
        ticks = _one_of(given, "grouping", _GROUPINGS, 1)
        step = pair.market.instrument.tick_size * ticks
        bids, asks = self._exchange.book(pair.symbol)
        return {
            "pair": pair.display,
            "grouping": ticks,
            "bids": _grouped(pair, bids, step, ROUND_FLOOR)[:depth],
            "asks": _grouped(pair, asks, step, ROUND_CEILING)[:depth],
        }

    def level3(self, key: SimKey, given: Arguments) -> object:
        pair = self._names.listed(given.required("pair"), given)
        depth = _one_of(given, "depth", (0, *_DEPTHS), 100)
        book = self._hub.orders(pair)
        bids, asks = ([_order(pair, entry) for entry in window(half, depth)] for half in (book.bids, book.asks))
        return {"pair": pair.display, "bids": bids, "asks": asks}

    def pre_trade(self, given: Arguments) -> object:
        """Return the ten best levels. Open point: only some of the field names are documented where we could read."""
        pair = self._symbol(given)
        now = stamp(self._exchange.now())
        bids, asks = self._exchange.book(pair.symbol, 10)
        return _notation(pair) | {
            "venue": _VENUE,
            "system": "CLOB",
            "bids": [_level(pair, level, "BUYI", now) for level in bids],
            "asks": [_level(pair, level, "SELL", now) for level in asks],
        }

    def post_trade(self, given: Arguments) -> object:
        """Return trades after ``from_ts`` and up to ``to_ts``, oldest first where a start is given."""
        count = given.integer("count", 1000, 1, 1000)
        start, end = _moment(given, "from_ts"), _moment(given, "to_ts")
        pairs = [self._symbol(given)] if "symbol" in given else list(self._names)
        found = [
            (trade, pair)
            for pair in pairs
            for trade in self._exchange.trades(pair.symbol)
            if (start is None or trade.time > start) and (end is None or trade.time <= end)
        ]
        found.sort(key=lambda row: row[0].time)
        shown = found[-count:] if start is None else found[:count]
        rows = [_regulatory(pair, trade) for trade, pair in shown]
        last = rows[-1]["trade_ts"] if rows else stamp(self._exchange.now())
        return {"count": len(rows), "last_ts": last, "trades": rows}

    def _symbol(self, given: Arguments) -> Pair:
        pair = self._names.display(given.required("symbol"))
        if pair is None:
            raise Refused("EQuery:Unknown asset pair")
        return pair


def _one_of(given: Arguments, name: str, choices: Sequence[int], usual: int) -> int:
    value = given.integer(name, usual, choices[0], choices[-1])
    if value not in choices:
        raise invalid(name)
    return value


def _grouped(pair: Pair, levels: Sequence[Level], step: Decimal, rounding: str) -> list[dict[str, str]]:
    sums: dict[Decimal, Decimal] = {}
    for level in levels:
        price = (level.price / step).to_integral_value(rounding) * step
        sums[price] = sums.get(price, Decimal(0)) + level.quantity
    return [
        {"price": fixed(price, pair.price_decimals), "qty": fixed(quantity, pair.volume_decimals)}
        for price, quantity in sums.items()
    ]


def _order(pair: Pair, entry: Entry) -> dict[str, Any]:
    return {
        "price": fixed(entry.price, pair.price_decimals),
        "qty": fixed(entry.quantity, pair.volume_decimals),
        "order_id": entry.id,
        "timestamp": entry.time,
    }


def _notation(pair: Pair) -> dict[str, str]:
    return {
        "symbol": pair.display,
        "description": f"{pair.base.code} / {pair.quote.code}",
        "base_asset": pair.base.code,
        "base_notation": "UNIT",
        "quote_asset": pair.quote.code,
        "quote_notation": "MONE",
    }


def _level(pair: Pair, level: Level, side: str, now: str) -> dict[str, Any]:
    return {
        "side": side,
        "price": fixed(level.price, pair.price_decimals),
        "qty": fixed(level.quantity, pair.volume_decimals),
        "count": 1,
        "publication_ts": now,
    }


def _regulatory(pair: Pair, trade: SimTrade) -> dict[str, str]:
    moment = stamp(trade.time)
    return _notation(pair) | {
        "trade_id": trade.uid,
        "price": fixed(trade.price, pair.price_decimals),
        "quantity": fixed(trade.quantity, pair.volume_decimals),
        "trade_venue": _VENUE,
        "trade_ts": moment,
        "publication_venue": _VENUE,
        "publication_ts": moment,
    }


def _moment(given: Arguments, name: str) -> datetime | None:
    text = given.text(name)
    if not text:
        return None
    try:
        return from_rfc3339(text)
    except (ProtocolError, OverflowError):
        raise invalid(name) from None
