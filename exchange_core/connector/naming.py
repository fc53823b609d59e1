"""Names by table, built from what the venue lists, never by cutting letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from exchange_core.errors import UnknownSymbol
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument
from exchange_core.model.symbol import Symbol

UNLISTED = "instrument that is not listed"
"""Kind of ``Unrecognised`` by which a feed says that something of the account is in what no list has: the lists may be
older than that, and are to be asked for again. The feed keeps what it cannot tell until then."""


@attrs.define
class SymbolMap:
    """Instruments of one venue by our name and by every name the venue uses for them.

    Attributes:
        unlisted: The venue's names that came and are in no list: whether the lists, asked for again, lack them still.
    """

    venue: str
    unlisted: dict[str, bool] = attrs.field(factory=dict, init=False, repr=False)
    _instruments: dict[Symbol, Instrument] = attrs.field(factory=dict, init=False, repr=False)
    _names: dict[str, Symbol] = attrs.field(factory=dict, init=False, repr=False)
    _wire: dict[Symbol, str] = attrs.field(factory=dict, init=False, repr=False)

    def add(self, instrument: Instrument, names: Iterable[str] = (), wire: str | None = None) -> None:
        """Add or replace an instrument.

        Args:
            names: Every spelling the venue uses in answers, besides ``instrument.venue_id``.
            wire: The name for WebSocket subscriptions, where it is not ``instrument.venue_id``.
        """
        symbol = instrument.symbol
        self._instruments[symbol] = instrument
        self._wire[symbol] = wire or instrument.venue_id
        for name in (instrument.venue_id, self._wire[symbol], *names):
            self._names[name] = symbol
            if self.unlisted:
                self.unlisted.pop(name, None)

    def miss(self, name: str) -> bool:
        """Note a name that is in no list; return whether it is known to be in none: they were asked for again."""
        return self.unlisted.setdefault(name, False)

    def asked_again(self) -> None:
        """Note that the lists are new: what they lack still is listed nowhere."""
        self.unlisted.update(dict.fromkeys(self.unlisted, True))

    def instrument(self, symbol: Symbol) -> Instrument:
        """Return the instrument of *symbol*.

        Raises:
            UnknownSymbol: Names some listed ones that are close.
        """
        found = self._instruments.get(symbol)
        if found is None:
            raise UnknownSymbol(f"{self.venue}: no instrument {symbol}{self._hint(symbol)}", venue=self.venue)
        return found

    def venue_id(self, symbol: Symbol) -> str:
        """Return the name for REST requests."""
        return self.instrument(symbol).venue_id

    def wire(self, symbol: Symbol) -> str:
        """Return the name for WebSocket subscriptions."""
        self.instrument(symbol)
        return self._wire[symbol]

    def from_venue(self, name: str) -> Symbol:
        """Return our name for any of the venue's spellings.

        Raises:
            UnknownSymbol: When the venue never listed it.
        """
        symbol = self._names.get(name)
        if symbol is None:
            raise UnknownSymbol(f"{self.venue}: the venue's name {name!r} is in none of its lists", venue=self.venue)
        return symbol

    def get(self, name: str) -> Symbol | None:
        """Return our name for a venue's spelling, or None."""
        return self._names.get(name)

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._instruments.values())

    def __len__(self) -> int:
        return len(self._instruments)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._instruments

    def _hint(self, symbol: Symbol) -> str:
        if not self._instruments:
            return " (its instruments are not loaded yet)"
        alike = self._names.get(str(symbol)) or next((s for s in self._instruments if _alike(s, symbol)), None)
        if alike is not None:
            return f"; did you mean {alike}?"
        near = sorted(str(s) for s in self._instruments if s.base == symbol.base)[:5]
        return f"; with {symbol.base} it lists {', '.join(near)}" if near else "; see: exchange instruments"


def _alike(one: Symbol, other: Symbol) -> bool:
    return str(one).upper() == str(other).upper()


@attrs.define
class AssetMap:
    """Assets of one venue by every name the venue uses for them. What is unknown is kept and reported."""

    venue: str
    _names: dict[str, Asset] = attrs.field(factory=dict, init=False, repr=False)
    unknown: dict[str, int] = attrs.field(factory=dict, init=False)

    def add(self, asset: Asset, names: Iterable[str] = ()) -> None:
        """Add or replace an asset under its id, its code and *names*."""
        for name in (asset.venue_id, asset.code, *names):
            self._names[name] = asset

    def get(self, name: str) -> Asset | None:
        """Return the asset that the venue calls *name*, or None."""
        return self._names.get(name)

    def code(self, name: str) -> str:
        """Return our code for the venue's *name*; an unknown name stays as it is and is counted."""
        asset = self._names.get(name)
        if asset is not None:
            return asset.code
        self.unknown[name] = self.unknown.get(name, 0) + 1
        return name

    def __len__(self) -> int:
        return len({id(asset) for asset in self._names.values()})
