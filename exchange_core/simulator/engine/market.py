"""One market of the simulated exchange: its book, its tape, its prices, and its arithmetic in whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Context, Decimal
from typing import NamedTuple

import attrs

from exchange_core.connector.simulation import SimMarginLevel, SimMarket
from exchange_core.errors import ConfigError
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.number import decimals_of
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.engine.funding import Funding
from exchange_core.simulator.engine.matching import MatchingBook
from exchange_core.simulator.engine.prices import MICRO, Prices
from exchange_core.simulator.engine.tape import Tape
from exchange_core.simulator.engine.triggers import WaitingRoom
from exchange_core.simulator.engine.units import FINE, RATE, floor_steps, product, rate, scaled, times, to_decimal

_DIVISION = Context(prec=60)
_DEFAULT_LEVELS = (SimMarginLevel(size=Decimal(0), initial=Decimal("0.02"), maintenance=Decimal("0.01")),)


class Rates(NamedTuple):
    """Fee rates, out of ``RATE``."""

    maker: int
    taker: int

    @property
    def most(self) -> int:
        return max(0, self.maker, self.taker)


class MarginRates(NamedTuple):
    """Margin rates, out of ``RATE``, of positions from a size on: lots (inverse) or fine value (linear)."""

    size: int
    initial: int
    maintenance: int


class MarketState:
    """A market and how its ticks and lots become money.

    Attributes:
        quote: Asset that is paid: the quote asset for spot, the settlement asset for derivatives.
        quote_decimals: Decimals that the accounts keep of it.
        per_unit: Fine units in one unit of *quote*.
        cost_decimals: How many are told of what trades cost.
        per_told: Fine units in the last of these.
        direction: +1 where a rising price is a buyer's profit in *quote*, -1 for inverse contracts, whose value
            falls while the price rises.
        base_per_lot: Units of the base asset in one lot (spot).
        own_status: What it takes by itself, whatever it is forced to.
        funding: Of a perpetual; None for other markets.
        samples: Of the index, in millionths of a tick, taken for the settlement of a dated contract.
        settled_at: Its price in ticks, when it was settled.
    """

    def __init__(self, market: SimMarket, decimals: Mapping[str, int], now: datetime) -> None:
        instrument = market.instrument
        symbol = instrument.symbol
        self.market = market
        self.own_status = instrument.status
        self._forced: InstrumentStatus | None = None
        self.symbol = symbol
        self.is_spot = symbol.is_spot
        self.tick = instrument.tick_size
        self.lot = instrument.lot_size
        self.direction = -1 if symbol.is_inverse else 1
        self.quote = symbol.quote if symbol.settle is None else symbol.settle
        self._tiers = [(Decimal(0), _rates(market, market.fees.maker, market.fees.taker))]
        self._tiers += [(tier.volume, _rates(market, tier.fees.maker, tier.fees.taker)) for tier in market.fee_tiers]
        self.leverages = frozenset(market.leverages)
        try:
            self.quote_decimals = decimals[self.quote]
            self.base_per_lot = scaled(self.lot, decimals[symbol.base], f"{symbol} lot") if self.is_spot else 0
        except KeyError as missing:
            raise ConfigError(f"{symbol}: the simulated exchange has no asset {missing}") from None
        self.per_unit: int = 10 ** (FINE - self.quote_decimals)
        self.cost_decimals = self.quote_decimals if market.cost_decimals is None else market.cost_decimals
        if not 0 <= self.cost_decimals <= FINE:
            raise ConfigError(f"{symbol}: costs with {self.cost_decimals} decimals; expected 0 to {FINE}")
        self.per_told: int = 10 ** (FINE - self.cost_decimals)
        self._size = product(self.lot, instrument.contract_size)
        if symbol.is_inverse:
            self._value_factor = scaled(self._size, FINE, f"{symbol} size")
            numerator, denominator = self.tick.as_integer_ratio()
            self._value_factor *= denominator
            self._price_divisor = numerator
        else:
            self._value_factor = scaled(product(self._size, self.tick), FINE, f"{symbol} value of a tick")
            self._price_divisor = 0
        self._levels = self._margin_levels()
        self._band = None if market.market_band is None else rate(market.market_band, f"{symbol} market_band")
        self.book = MatchingBook()
        self.tape = Tape(instrument)
        mark_band = None if market.mark_band is None else rate(market.mark_band, f"{symbol} mark_band")
        self.prices = Prices(self.book, self.micro(market.start_price), mark_band)
        self.samples: list[int] = []
        self.settled_at: int | None = None
        self.waiting = WaitingRoom()
        is_perpetual = not self.is_spot and symbol.expiry is None
        self.funding = Funding(self, now) if is_perpetual else None

    @property
    def has_tiers(self) -> bool:
        return len(self._tiers) > 1

    @property
    def status(self) -> InstrumentStatus:
        return self.market.instrument.status

    def set_status(self, status: InstrumentStatus) -> None:
        self.own_status = status
        self._show_status()

    def force_status(self, status: InstrumentStatus | None) -> None:
        """Let it take what *status* says, until None is said; a market that is offline stays so."""
        self._forced = status
        self._show_status()

    def _show_status(self) -> None:
        status = self.own_status
        if self._forced is not None and status is not InstrumentStatus.OFFLINE:
            status = self._forced
        if status is self.status:
            return
        self.market = attrs.evolve(self.market, instrument=attrs.evolve(self.market.instrument, status=status))

    def value(self, ticks: int, lots: int) -> int:
        """Return the fine value of *lots* at *ticks*; of an inverse contract in the base asset, cut to fine units."""
        if self._price_divisor:
            return lots * self._value_factor // (ticks * self._price_divisor)
        return lots * self._value_factor * ticks

    def value_at(self, micro: int, lots: int) -> int:
        """Return the fine value of *lots* at a price in millionths of a tick, cut to fine units."""
        if self._price_divisor:
            return lots * self._value_factor * MICRO // (micro * self._price_divisor) if micro > 0 else 0
        return lots * self._value_factor * micro // MICRO

    def notional(self, lots: int, cost: Decimal) -> Decimal:
        """Return what a trade of *lots* and *cost* counts in the quote asset."""
        return times(self._size, lots) if self._price_divisor else cost

    def rates(self, volume: Decimal = Decimal(0)) -> Rates:
        """Return the fees of an account that traded *volume*."""
        if len(self._tiers) == 1:
            return self._tiers[0][1]
        return next(rates for least, rates in reversed(self._tiers) if volume >= least)

    def margin_rates(self, lots: int, value: int) -> MarginRates:
        """Return the margin rates of a position of *lots* and fine *value*."""
        levels = self._levels
        if len(levels) == 1:
            return levels[0]
        size = lots if self._price_divisor else value
        return next((level for level in reversed(levels) if level.size <= size), levels[0])

    def price(self, ticks: int) -> Decimal:
        return times(self.tick, ticks)

    def micro(self, price: Decimal) -> int:
        """Return *price* in millionths of a tick, cut."""
        return floor_steps(product(price, Decimal(MICRO)), self.tick)

    def price_of(self, micro: int) -> Decimal:
        """Return millionths of a tick as a price."""
        ticks, rest = divmod(micro, MICRO)
        return times(self.tick, ticks) if not rest else product(self.tick, to_decimal(micro, 6)).normalize(_DIVISION)

    def quantity(self, lots: int) -> Decimal:
        return times(self.lot, lots)

    def per_quantity(self, per_lot: Decimal) -> Decimal:
        """Return money for one lot as money for one unit of quantity."""
        return _DIVISION.divide(per_lot, self.lot)

    def money(self, units: int) -> Decimal:
        """Return units of the quote asset as a Decimal."""
        return to_decimal(units, self.quote_decimals)

    def worst_price(self, side: Side) -> int | None:
        """Return the worst price in ticks that a market order executes at now; None for any."""
        # Open point: what the band is counted from. From the best price, the one recorded order fits to the tick.
        best = self.book.best(side.opposite)
        if self._band is None or best is None:
            return None
        reach = best * self._band // RATE
        return max(1, best + side.sign * reach)

    def mark_price(self) -> Decimal:
        return self.price_of(self.prices.mark())

    def _margin_levels(self) -> list[MarginRates]:
        found = []
        for level in self.market.margin_levels or _DEFAULT_LEVELS:
            if self._price_divisor:
                size = floor_steps(level.size, self.lot)
            else:
                size = scaled(level.size, FINE, "margin level")
            found.append(MarginRates(size, rate(level.initial, "margin"), rate(level.maintenance, "margin")))
        return sorted(found)


def _rates(market: SimMarket, maker: Decimal, taker: Decimal) -> Rates:
    symbol = market.instrument.symbol
    return Rates(rate(maker, f"{symbol} maker fee"), rate(taker, f"{symbol} taker fee"))


def kept_decimals(assets: Mapping[str, int], markets: list[SimMarket]) -> dict[str, int]:
    """Return how many decimals the accounts keep of each asset.

    Venues list assets with fewer decimals than the lots that they are traded in (four for a fiat currency that is a
    base asset in lots of 1e-8); then the lots decide.
    """
    kept = dict(assets)
    for market in markets:
        symbol: Symbol = market.instrument.symbol
        if symbol.base in kept and symbol.is_spot:
            kept[symbol.base] = max(kept[symbol.base], decimals_of(market.instrument.lot_size))
    too_fine = [code for code, decimals in kept.items() if not 0 <= decimals <= FINE]
    if too_fine:
        raise ConfigError(f"{', '.join(too_fine)}: the simulated exchange keeps 0 to {FINE} decimals")
    return kept
