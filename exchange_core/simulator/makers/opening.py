"""All the market makers of an exchange: how they begin, what they share, and when each has its turn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial, reduce
from typing import Any

from exchange_core.connector.simulation import SimOrder
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.engine.volumes import worths_in
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.makers.maker import QUOTER, MarketMaker, open_pockets
from exchange_core.simulator.makers.settings import MakerSettings, MarketWanted
from exchange_core.simulator.makers.tides import Tides

_FEW, _USUAL_LEVELS, _THIN_LEVELS = 100, 25, 10
_WARM_UP = 20  # steps
_AT_ONCE = 20


def market_makers(
    exchange: SimulatedExchange,
    *,
    seed: int,
    settings: MakerSettings | None = None,
    wanted: Sequence[MarketWanted] = (),
    tides: Tides | None = None,
    saved: Mapping[str, Any] | None = None,
    outside: Collection[Symbol] = (),
) -> Sequence[MarketMaker]:
    """Open the makers' accounts and return a maker for every market; in a restored exchange they go on.

    Args:
        settings: Of all markets; more than a few are thinner without.
        wanted: Of some; what comes later counts.
        tides: What moves them and markets of other exchanges together; without, only each other.
        saved: What :func:`saved_makers` returned.
        outside: Markets that get none.
    """
    restored = not open_pockets(exchange)
    markets = [market for market in exchange.markets() if market.instrument.symbol not in outside]
    usual = settings or MakerSettings(levels=_USUAL_LEVELS if len(markets) <= _FEW else _THIN_LEVELS)
    tides = tides or Tides(seed, exchange.now())
    worths = worths_in(exchange.volume_asset, exchange.markets())
    bases = {market.instrument.symbol.base for market in exchange.markets()} - {exchange.volume_asset}
    quotes: dict[Symbol, list[SimOrder]] = {}
    for order in exchange.open_orders(QUOTER):
        quotes.setdefault(order.request.symbol, []).append(order)
    makers = []
    for market in markets:
        symbol = market.instrument.symbol
        own = [each.settings for each in wanted if each.is_about(symbol) and each.settings]
        chosen = reduce(MakerSettings.changed, own, usual)
        maker = MarketMaker(
            exchange,
            market,
            seed=f"{seed} {symbol}",
            settings=chosen,
            quote_worth=worths.get(symbol.quote, Decimal(1)),
            drift=partial(_drift, tides, [asset if asset in bases else "" for asset in (symbol.base, symbol.quote)]),
        )
        if restored:
            before = (saved or {}).get(str(symbol))
            maker.resume(quotes.get(symbol, ()), before, settings=chosen if settings or own else None)
        makers.append(maker)
    return makers


def saved_makers(makers: Iterable[MarketMaker]) -> dict[str, Any]:
    """Return what makers need to go on later, by market, as JSON."""
    return {str(maker.symbol): maker.saved() for maker in makers}


def _drift(tides: Tides, assets: Sequence[str], now: datetime) -> Decimal:
    """Return the drift of the first of two *assets* against the other; what has no name stands still."""
    base, quote = (tides.at(asset, now) if asset else Decimal(0) for asset in assets)
    return base - quote


def warm_up(makers: Sequence[MarketMaker], now: datetime) -> None:
    """Let books be full, and some have traded, before anyone looks; a few markets trade for a while."""
    for _ in range(_WARM_UP if len(makers) <= _FEW else 1):
        for maker in makers:
            maker.step(now)


class Turns:
    """Steps makers in turn: so many at a time that a venue of thousands of markets still answers."""

    def __init__(self, makers: Sequence[MarketMaker], at_once: int = _AT_ONCE) -> None:
        self._makers = makers
        self._at_once = min(at_once, len(makers))
        self._next = 0

    def step(self, now: datetime) -> None:
        for _ in range(self._at_once):
            self._makers[self._next].step(now)
            self._next = (self._next + 1) % len(self._makers)
