"""The venue's lists of assets and pairs, and asking for them again for a pair that the account has and they do not.

A list may be older than a pair. What new ones lack too, such as pairs that are gone, is shown under a stand-in, so that
no order, fill or position is left out.
See https://docs.kraken.com/api-reference/market-data/get-tradable-asset-pairs
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
import msgspec

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ExchangeError, ProtocolError, VenueUnavailable
from exchange_core.model.instrument import Instrument
from exchange_core.model.symbol import Symbol
from kraken_spot import limits
from kraken_spot.naming import account_symbol, is_stand_in, load_assets, load_pairs
from kraken_spot.tokenized import TOKENIZED

_log = logging.getLogger(__name__)


class _Description(msgspec.Struct):
    pair: str


class _Record(msgspec.Struct):
    """What names the pair of a trade, or of an order."""

    pair: str | None = None
    descr: _Description | None = None


_record = msgspec.json.Decoder(_Record).decode


@attrs.frozen
class Lists:
    """The lists of one venue.

    Attributes:
        skipped: Entries that could not be used, and pairs that are shown under a stand-in; and why.
    """

    _context: VenueContext
    skipped: dict[str, str] = attrs.field(factory=dict)

    def instruments(self) -> Flow[list[Instrument]]:
        """Ask for all that is traded, and take it into the tables."""
        context = self._context
        # What comes while they are asked for may be newer than they are.
        missing = list(context.symbols.unlisted)
        assets = yield from self._both("Assets", "aclass")
        self.skipped.update(load_assets(assets[0] | assets[1], context.assets))
        pairs, tokens = yield from self._both("AssetPairs", "aclass_base")
        every = pairs | tokens
        self.skipped.update(load_pairs(every, context.symbols, context.assets, is_all=True, tokenized=tokens))
        for name in missing:
            if context.symbols.get(name) is not None:
                self.skipped.pop(f"pair {name}", None)
            elif every:  # an empty answer says nothing
                context.symbols.unlisted[name] = True
        return list(context.symbols)

    def learn(self, pairs: Iterable[str]) -> Flow[None]:
        """Ask for the lists again where one of *pairs* is in none, once; where that fails, next time again."""
        try:
            yield from self.require(pairs)
        except ExchangeError as error:
            _log.warning("%s: the lists could not be asked for again: %s", self._context.venue, error)

    def require(self, pairs: Iterable[str]) -> Flow[None]:
        """Ask for the lists again where one of *pairs* is in none, once.

        Raises:
            ExchangeError: They are not to be had, or empty.
        """
        wanted = sorted(filter(self._may_be_new, set(pairs)))
        if not wanted:
            return
        yield from self.instruments()
        if any(map(self._may_be_new, wanted)):
            # Seen during maintenance; it does not mean that nothing is traded.
            venue = self._context.venue
            raise VenueUnavailable(f"{venue}: the list of pairs is empty, so {wanted[0]!r} may be one", venue=venue)

    def _may_be_new(self, name: str) -> bool:
        try:
            return account_symbol(self._context.symbols, name) is None
        except ProtocolError:
            return False  # it is told where it is read

    def note(self, symbols: Iterable[Symbol]) -> None:
        """Note those of *symbols* that only stand for a pair."""
        for symbol in set(symbols):
            if is_stand_in(symbol) and f"pair {symbol.base}" not in self.skipped:
                text = f"it is in no list; what the account has of it is shown as {symbol}"
                self.skipped[f"pair {symbol.base}"] = text
                _log.warning("%s: pair %s: %s", self._context.venue, symbol.base, text)

    def _both(self, name: str, parameter: str) -> Flow[tuple[dict[str, msgspec.Raw], dict[str, msgspec.Raw]]]:
        """Ask for a list, and where that is configured for its tokenised assets, which are apart."""
        first: dict[str, msgspec.Raw] = yield _public(name, {})
        if not self._context.config.tokenized:
            return first, {}
        second: dict[str, msgspec.Raw] = yield _public(name, {parameter: TOKENIZED})
        return first, {key: entry for key, entry in second.items() if key not in first}


def pairs_of(records: Iterable[msgspec.Raw]) -> Iterator[str]:
    """Return the pairs of trades or orders; of those that do not read, none."""
    for raw in records:
        try:
            found = _record(raw)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue  # it is told where it is read
        name = found.pair if found.descr is None else found.descr.pair
        if name is not None:
            yield name


def _public(name: str, params: Mapping[str, Any]) -> RestCall:
    return RestCall(
        method="GET",
        path=f"/0/public/{name}",
        params=params,
        reply=dict[str, msgspec.Raw],
        costs=limits.public(),
    )
