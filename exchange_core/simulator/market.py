"""One market of the simulated exchange: its book, its tape, and its arithmetic in whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from exchange_core.connector.simulation import SimMarket
from exchange_core.errors import ConfigError
from exchange_core.model.number import decimals_of
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.matching import MatchingBook
from exchange_core.simulator.tape import Tape
from exchange_core.simulator.units import FINE, product, rate, scaled, times, to_decimal


class MarketState:
    """A market and how its ticks and lots become money.

    Attributes:
        quote: Asset that is paid: the quote asset for spot, the settlement asset for derivatives.
        quote_decimals: Decimals that the accounts keep of it.
        per_unit: Fine units in one unit of *quote*.
        direction: +1 where a rising price is a buyer's profit in *quote*, -1 for inverse contracts, whose value
            falls while the price rises.
        base_per_lot: Units of the base asset in one lot (spot).
    """

    def __init__(self, market: SimMarket, decimals: Mapping[str, int]) -> None:
        instrument = market.instrument
        symbol = instrument.symbol
        self.market = market
        self.symbol = symbol
        self.is_spot = symbol.is_spot
        self.tick = instrument.tick_size
        self.lot = instrument.lot_size
        self.direction = -1 if symbol.is_inverse else 1
        self.quote = symbol.quote if symbol.settle is None else symbol.settle
        self.maker_rate = rate(market.fees.maker, f"{symbol} maker fee")
        self.taker_rate = rate(market.fees.taker, f"{symbol} taker fee")
        try:
            self.quote_decimals = decimals[self.quote]
            self.base_per_lot = scaled(self.lot, decimals[symbol.base], f"{symbol} lot") if self.is_spot else 0
        except KeyError as missing:
            raise ConfigError(f"{symbol}: the simulated exchange has no asset {missing}") from None
        self.per_unit: int = 10 ** (FINE - self.quote_decimals)
        size = product(self.lot, instrument.contract_size)
        if symbol.is_inverse:
            self._value_factor = scaled(size, FINE, f"{symbol} size")
            numerator, denominator = self.tick.as_integer_ratio()
            self._value_factor *= denominator
            self._price_divisor = numerator
        else:
            self._value_factor = scaled(product(size, self.tick), FINE, f"{symbol} value of a tick")
            self._price_divisor = 0
        self.book = MatchingBook()
        self.tape = Tape(instrument)

    def value(self, ticks: int, lots: int) -> int:
        """Return the fine value of *lots* at *ticks*; of an inverse contract in the base asset, cut to fine units."""
        if self._price_divisor:
            return lots * self._value_factor // (ticks * self._price_divisor)
        return lots * self._value_factor * ticks

    def price(self, ticks: int) -> Decimal:
        return times(self.tick, ticks)

    def quantity(self, lots: int) -> Decimal:
        return times(self.lot, lots)

    def money(self, units: int) -> Decimal:
        """Return units of the quote asset as a Decimal."""
        return to_decimal(units, self.quote_decimals)

    def mark_price(self) -> Decimal:
        """Return the middle of the book, else the last price, else where the market starts."""
        bid, ask = self.book.best(Side.BUY), self.book.best(Side.SELL)
        if bid is not None and ask is not None:
            return times(self.tick, bid + ask) / 2
        last = self.tape.last_price
        return self.market.start_price if last is None else last


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
