"""Analytics of the charts service, from what the exchange knows.

Trades are counted as far back as they are kept; open interest, the book, funding and who is long are those of now, for
every time that is asked for.
See https://docs.kraken.com/api/docs/futures-api/charts/market-analytics
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any

from exchange_core.connector.simulation import SimExchange, SimTrade
from exchange_core.errors import ProtocolError
from exchange_core.model.market import Level
from exchange_core.model.side import Side
from exchange_core.model.time import from_seconds, to_seconds
from kraken_futures.simulator.codec import Arguments, Body, digits, read_decimal
from kraken_futures.simulator.markets.contracts import Contract, Contracts
from kraken_futures.simulator.past.chronicle import Chronicle

_INTERVALS = (60, 300, 900, 1800, 3600, 14400, 43200, 86400, 604800)
_MOST = 500
_ZERO = Decimal(0)
_DEPTHS = {"005": "0.0005", "01": "0.001", "025": "0.0025", "05": "0.005", "10": "0.01", "100": "0.1"}
_SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}

Fields = dict[str, Any]
Buckets = Sequence[Sequence[SimTrade]]


class Analytics:
    """Answers ``/analytics/...``."""

    def __init__(self, exchange: SimExchange, contracts: Contracts, chronicle: Chronicle) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._chronicle = chronicle
        self._kinds: dict[str, Callable[[Contract, Buckets], Any]] = {
            "open-interest": self._open_interest,
            "aggressor-differential": lambda contract, buckets: [digits(_signed(each)) for each in buckets],
            "trade-volume": lambda contract, buckets: [digits(_volume(each)) for each in buckets],
            "trade-count": lambda contract, buckets: [len(each) for each in buckets],
            "liquidation-volume": self._liquidations,
            "rolling-volatility": lambda contract, buckets: [digits(_volatility(each)) for each in buckets],
            "long-short-ratio": lambda contract, buckets: ["1" for _ in buckets],
            "long-short-info": lambda contract, buckets: _long_short(len(buckets)),
            "cvd": lambda contract, buckets: _cvd(buckets),
            "top-traders": self._top_traders,
            "orderbook": lambda contract, buckets: self._book(contract, buckets, _best, _liquidity, _slippage),
            "spreads": lambda contract, buckets: self._book(contract, buckets, _best),
            "liquidity": lambda contract, buckets: self._book(contract, buckets, _liquidity),
            "slippage": lambda contract, buckets: self._book(contract, buckets, _slippage),
            "future-basis": self._basis,
            "funding": self._funding,
        }

    def answer(self, parts: list[str], given: Arguments) -> Fields:
        """Answer a path below ``analytics``: a symbol and a kind, or ``liquidity-pool``.

        Raises:
            Body: Something of it is unknown.
        """
        if parts == ["liquidity-pool"]:
            times, more = self._times(given)
            return _answer(times, {"usdValue": ["0" for _ in times]}, more)
        contract = self._contracts.find(parts[0]) if len(parts) == 2 else None
        if contract is None:
            raise _failed("NotFound", "unknown symbol", parts[0] if parts else "", "symbol", 404)
        kind = self._kinds.get(parts[1])
        if kind is None:
            raise _failed("NotFound", "unknown analytics type", parts[1], "analytics_type", 404)
        times, more = self._times(given)
        trades = self._exchange.trades(contract.symbol)
        length = int(given.text("interval"))
        places = {time: place for place, time in enumerate(times)}
        buckets: list[list[SimTrade]] = [[] for _ in times]
        for trade in trades:
            place = places.get(int(to_seconds(trade.time)) // length * length)
            if place is not None:
                buckets[place].append(trade)
        return _answer(times, kind(contract, buckets), more)

    def _times(self, given: Arguments) -> tuple[list[int], bool]:
        """Return when the intervals begin that are asked for, and whether there are more."""
        interval = read_decimal(given.text("interval") or "x")
        if interval is None or interval not in _INTERVALS:
            raise _failed("Invalid", "invalid interval", given.text("interval"), "interval")
        length = int(interval)
        start = _moment(given, "since", None)
        end = min(_moment(given, "to", self._exchange.now()), self._exchange.now())
        first = int(to_seconds(start)) // length * length
        if first < to_seconds(start):
            first += length
        found = range(first, int(to_seconds(end)) + 1, length)
        return list(found[:_MOST]), len(found) > _MOST

    # ── kinds ──

    def _open_interest(self, contract: Contract, buckets: Buckets) -> list[list[str]]:
        value = digits(self._exchange.open_interest(contract.symbol))
        return [[value] * 4 for _ in buckets]

    def _liquidations(self, contract: Contract, buckets: Buckets) -> list[str]:
        closed = set(self._chronicle.market(contract.symbol).liquidations)
        return [digits(_volume([trade for trade in each if trade.trade_id in closed])) for each in buckets]

    def _top_traders(self, contract: Contract, buckets: Buckets) -> Fields:
        value = digits(self._exchange.open_interest(contract.symbol))
        return {"top20Percent": {"openInterest": [value] * len(buckets), **_long_short(len(buckets))}}

    def _book(self, contract: Contract, buckets: Buckets, *makes: Callable[[list[Level], Side], Fields]) -> Fields:
        bids, asks = self._exchange.book(contract.symbol)
        found: Fields = {}
        for name, levels, side in (("bid", bids, Side.BUY), ("ask", asks, Side.SELL)):
            values = {key: value for make in makes for key, value in make(levels, side).items()}
            found[name] = {key: [value] * len(buckets) for key, value in values.items()}
        return found

    def _basis(self, contract: Contract, buckets: Buckets) -> Fields:
        index = self._exchange.index_price(contract.symbol)
        basis = round(contract.mark() / index - 1, 8) if index else _ZERO
        return {"basis": [digits(basis)] * len(buckets)}

    def _funding(self, contract: Contract, buckets: Buckets) -> Fields:
        found = self._exchange.funding(contract.symbol)
        absolute, relative = (found[-2].absolute, found[-2].rate) if found else (_ZERO, _ZERO)
        return {
            "rate": [[digits(absolute)] * 4 for _ in buckets],
            "relativeRate": [[digits(relative)] * 4 for _ in buckets],
        }


def _answer(times: list[int], data: Any, more: bool) -> Fields:
    return {"result": {"timestamp": times, "more": more, "data": data}, "errors": []}


def _failed(kind: str, text: str, value: str, field: str, status: int = 400) -> Body:
    error = {"severity": "E", "error_class": "General", "type": kind, "msg": text, "value": value, "field": field}
    return Body(status, {"result": {}, "errors": [error]})


def _moment(given: Arguments, name: str, default: datetime | None) -> datetime:
    text = given.text(name)
    if not text and default is not None:
        return default
    try:
        return from_seconds(text)
    except ProtocolError:
        raise _failed("Invalid", "invalid time", text, name) from None


def _volume(trades: Sequence[SimTrade]) -> Decimal:
    return sum((trade.quantity for trade in trades), _ZERO)


def _signed(trades: Sequence[SimTrade]) -> Decimal:
    return sum((trade.side.sign * trade.quantity for trade in trades), _ZERO)


def _volatility(trades: Sequence[SimTrade]) -> Decimal:
    """Return the range of prices, relative to the lowest."""
    prices = [trade.price for trade in trades]
    return round(max(prices) / min(prices) - 1, 8) if prices else _ZERO


def _cvd(buckets: Buckets) -> Fields:
    bought = [_volume([trade for trade in each if trade.side is Side.BUY]) for each in buckets]
    sold = [_volume([trade for trade in each if trade.side is Side.SELL]) for each in buckets]
    differences = accumulate(buy - sell for buy, sell in zip(bought, sold, strict=True))
    return {
        "buyVolume": [digits(value) for value in bought],
        "sellVolume": [digits(value) for value in sold],
        "cvd": [digits(value) for value in differences],
    }


def _long_short(count: int) -> Fields:
    """Return one long account for each short one: who holds what is nobody's business here."""
    return {
        "longCount": [1] * count,
        "shortCount": [1] * count,
        "longPercent": ["50"] * count,
        "shortPercent": ["50"] * count,
        "ratio": ["1"] * count,
    }


def _best(levels: list[Level], side: Side) -> Fields:
    return {"best_price": digits(levels[0].price) if levels else None}


def _liquidity(levels: list[Level], side: Side) -> Fields:
    """Return how much stands within a share of the best price."""
    found: Fields = {}
    for name, share in _DEPTHS.items():
        reach = levels[0].price * (1 - side.sign * Decimal(share)) if levels else _ZERO
        near = [level.quantity for level in levels if side.sign * (level.price - reach) >= 0]
        found[f"liquidity_{name}"] = digits(sum(near, _ZERO))
    return found


def _slippage(levels: list[Level], side: Side) -> Fields:
    """Return how much worse than the best price so many dollars would be executed, relative to it."""
    found: Fields = {}
    for name, dollars in _SIZES.items():
        left, size = Decimal(dollars), _ZERO
        for level in levels:
            spent = min(left, level.quantity * level.price)
            left, size = left - spent, size + spent / level.price
        paid = (Decimal(dollars) - left) / size if size else _ZERO
        worst = abs(paid / levels[0].price - 1) if levels and not left else None
        found[f"slippage_{name}"] = None if worst is None else digits(round(worst, 8))
    return found
