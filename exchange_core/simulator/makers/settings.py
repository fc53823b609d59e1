"""How simulated markets behave, and what one of them is wanted to be like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.connector.simulation import SimMarket
from exchange_core.errors import ConfigError, InvalidValue
from exchange_core.model.account import FeeRates
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.number import exact
from exchange_core.model.symbol import Symbol


def _between(low: str, high: str) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(_: object, attribute: attrs.Attribute[Any], value: Decimal | int) -> None:
        if not Decimal(low) <= value <= Decimal(high):
            raise InvalidValue(f"{attribute.name}: {value} is not between {low} and {high}")

    return check


@attrs.frozen(kw_only=True)
class MakerSettings:
    """How a market behaves.

    Attributes:
        spread: Distance between the best quotes, relative to the price.
        gap: Average distance between two levels, relative to the price.
        levels: Quotes on each side.
        depth: What a level is worth on average, in the asset that prices are commonly in (a dollar, say).
        volatility: A large move of the price in one step, a quarter of a second, relative.
        correlation: How closely the market moves with others of the same asset, at all venues that run together: 1 the
            same relative moves, 0 moves of its own.
        pull: Part of the way back that each step goes, of the moves of its own.
        trade_chance: How likely a step makes a trade.
        requotes: Quotes on each side that a step renews.
    """

    spread: Decimal = attrs.field(default=Decimal("0.0002"), validator=_between("0", "0.5"))
    gap: Decimal = attrs.field(default=Decimal("0.0001"), validator=_between("0", "0.1"))
    levels: int = attrs.field(default=25, validator=_between("1", "5000"))
    depth: Decimal = attrs.field(default=Decimal(20_000), validator=_between("0.01", "1e9"))
    volatility: Decimal = attrs.field(default=Decimal("0.0002"), validator=_between("0", "0.1"))
    correlation: Decimal = attrs.field(default=Decimal("0.95"), validator=_between("0", "1"))
    pull: Decimal = attrs.field(default=Decimal("0.01"), validator=_between("0", "1"))
    trade_chance: Decimal = attrs.field(default=Decimal("0.3"), validator=_between("0", "1"))
    requotes: int = attrs.field(default=2, validator=_between("0", "1000"))

    def changed(self, values: Mapping[str, object]) -> MakerSettings:
        """Return these settings with *values* as people write them: numbers, or text.

        Raises:
            InvalidValue: One is not known, no such number, or out of its bounds.
        """
        if unknown := values.keys() - set(SETTINGS):
            raise InvalidValue(f"{min(unknown)!r} is no setting of a market; expected some of {', '.join(SETTINGS)}")
        read: dict[str, Any] = {name: exact(value, name) for name, value in values.items()}
        for name in _WHOLE & read.keys():
            if read[name] % 1:
                raise InvalidValue(f"{name}: {read[name]} is no whole number")
            read[name] = int(read[name])
        return attrs.evolve(self, **read)


SETTINGS = tuple(field.name for field in attrs.fields(MakerSettings))
"""Their names."""

_WHOLE = {"levels", "requotes"}


@attrs.frozen(kw_only=True)
class MarketWanted:
    """What a market is to be like, where that is not the usual.

    Attributes:
        symbol: Which; all of the venue without.
        price: Where it starts. A market that is restored goes on where it was.
        status: What it takes from the beginning on; its book is full all the same.
        fees: For everyone, whatever they traded.
        settings: Of its maker, as people write them.
    """

    symbol: Symbol | None = None
    price: Decimal | None = None
    status: InstrumentStatus | None = None
    fees: FeeRates | None = None
    settings: Mapping[str, object] = attrs.field(factory=dict)

    def is_about(self, symbol: Symbol) -> bool:
        return self.symbol is None or self.symbol == symbol

    def of(self, market: SimMarket) -> SimMarket:
        """Return *market* with the price and the fees that are wanted."""
        if self.price is not None:
            market = attrs.evolve(market, start_price=self.price)
        if self.fees is not None:
            market = attrs.evolve(market, fees=self.fees, fee_tiers=())
        return market


def check_listed(wanted: MarketWanted, symbols: Mapping[Symbol, object], venue: str) -> None:
    """Raises: ConfigError: The venue has no such market."""
    if wanted.symbol is not None and wanted.symbol not in symbols:
        few = ", ".join(map(str, list(symbols)[:8])) + (" and more" if len(symbols) > 8 else "")
        raise ConfigError(f"{venue}: there is no market {wanted.symbol}; expected one of {few}")
