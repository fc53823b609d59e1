"""Candles of the charts service. Its errors are plain text.

See https://docs.kraken.com/api/docs/futures-api/charts/candles
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from exchange_core.connector.simulation import SimExchange
from exchange_core.errors import ProtocolError
from exchange_core.model.market import Candle
from exchange_core.model.time import from_seconds, to_millis
from kraken_futures.simulator.codec import Arguments, PlainText, digits, read_decimal
from kraken_futures.simulator.markets.contracts import Contracts
from kraken_futures.simulator.past.chronicle import Chronicle
from kraken_futures.simulator.rest.analytics import Analytics

TICK_TYPES = ("spot", "mark", "trade")
RESOLUTIONS = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "12h": 720, "1d": 1440, "1w": 10080}
_MOST = 2000


class Charts:
    """The lists and the candles. Mark and index candles are those of the trades, without volume."""

    def __init__(self, exchange: SimExchange, contracts: Contracts, chronicle: Chronicle) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._analytics = Analytics(exchange, contracts, chronicle)

    def answer(self, parts: list[str], given: Arguments) -> Any:
        """Answer a path of up to three *parts*: tick type, symbol, resolution; or one of analytics.

        Raises:
            PlainText: One of them is unknown.
            Body: One of those of analytics is.
        """
        if not parts:
            return list(TICK_TYPES)
        if parts[0] == "analytics":
            return self._analytics.answer(parts[1:], given)
        if parts[0] not in TICK_TYPES:
            raise PlainText("Invalid tick type")
        if len(parts) == 1:
            return [contract.id for contract in self._contracts]
        contract = self._contracts.find(parts[1])
        if contract is None:
            raise PlainText("Invalid symbol")
        if len(parts) == 2:
            return list(RESOLUTIONS)
        if len(parts) > 3 or parts[2] not in RESOLUTIONS:
            raise PlainText("Invalid resolution")
        bars = self._exchange.candles(contract.symbol, RESOLUTIONS[parts[2]])
        return _page(bars, given, parts[0] == "trade")


def _page(bars: Sequence[Candle], given: Arguments, with_volume: bool) -> dict[str, Any]:
    start, end, count = _moment(given, "from"), _moment(given, "to"), _count(given)
    found = [bar for bar in bars if (start is None or bar.start >= start) and (end is None or bar.start <= end)]
    # With a beginning the page starts there; without one the latest bars count.
    page = found[-count:] if start is None else found[:count]
    more = start is not None and len(found) > len(page)
    return {"candles": [_candle(bar, with_volume) for bar in page], "more_candles": more}


def _candle(bar: Candle, with_volume: bool) -> dict[str, Any]:
    return {
        "time": to_millis(bar.start),
        "open": digits(bar.open),
        "high": digits(bar.high),
        "low": digits(bar.low),
        "close": digits(bar.close),
        "volume": digits(bar.volume) if with_volume else "0",
    }


def _count(given: Arguments) -> int:
    value = read_decimal(given.text("count", str(_MOST)))
    if value is None or value != value.to_integral_value() or value < 1:
        raise PlainText("Invalid count")
    return min(int(value), _MOST)


def _moment(given: Arguments, name: str) -> datetime | None:
    text = given.text(name)
    if not text:
        return None
    try:
        return from_seconds(text)
    except ProtocolError:
        raise PlainText(f"Invalid {name}") from None
