"""Margin positions in the framework's words: all of one market as one.

See https://docs.kraken.com/api-reference/account-data/get-open-positions
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import attrs

from exchange_core.connector.naming import SymbolMap
from exchange_core.connector.partial import listed
from exchange_core.connector.rest import Flow
from exchange_core.errors import AuthenticationError, NotSupported, ProtocolError
from exchange_core.model.account import Position
from exchange_core.model.number import EXACT, ratio
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.parse import common as parse

if TYPE_CHECKING:
    from kraken_spot.parse.rows import Listing
    from kraken_spot.types.account import OpenPosition


def positions(
    asked: Flow[Listing[OpenPosition]], symbols: SymbolMap, learn: Callable[[Iterable[str]], Flow[None]]
) -> Flow[list[Position]]:
    """Return margin positions, with the mark price that the venue values them at.

    Args:
        asked: Lists them, with their value.
        learn: Asks for the lists again, should one of some pairs be in none.

    Raises:
        NotSupported: The key may not read them.
    """
    try:
        found = yield from asked
    except AuthenticationError as error:
        if any(code.lower().startswith("egeneral:permission denied") for code in error.codes):
            # A key for balances alone is what portfolios are read with.
            raise NotSupported(
                f"{symbols.venue}: this key may not read margin positions; it lacks Query open orders & trades",
                venue=symbols.venue,
            ) from error
        raise
    unreadable = [str(each) for each in found.unreadable]
    yield from learn(each.symbol for each in found.items if isinstance(each.symbol, str))
    named: list[OpenPosition] = []
    for each in found.items:
        try:
            named.append(_named(each, symbols))
        except ProtocolError as error:
            unreadable.append(f"position {each.id}: {error}")
    return listed(of_markets(named, symbols.venue), unreadable)


def _named(position: OpenPosition, symbols: SymbolMap) -> OpenPosition:
    if isinstance(position.symbol, Symbol):
        return position
    return attrs.evolve(position, symbol=parse.pair(position.symbol, symbols))


def of_markets(parts: Iterable[OpenPosition], venue: str) -> list[Position]:
    """Return one position for each market, without those that come to nothing.

    The entry price is the one at which the whole has the profit of its parts.
    """
    markets: dict[Symbol, list[OpenPosition]] = {}
    for part in parts:
        assert isinstance(part.symbol, Symbol)
        markets.setdefault(part.symbol, []).append(part)
    made = (_of_market(symbol, each, venue) for symbol, each in markets.items())
    return [position for position in made if position is not None]


def _of_market(symbol: Symbol, parts: list[OpenPosition], venue: str) -> Position | None:
    with localcontext(EXACT):
        quantity = sum((_signed(part, part.open_quantity) for part in parts), Decimal(0))
        if not quantity:
            return None
        worths = [_signed(part, abs(part.value)) for part in parts if part.value is not None]
        gains = [part.net for part in parts if part.net is not None]
        margin = sum((part.margin for part in parts), Decimal(0))
        worth, gain = sum(worths, Decimal(0)), sum(gains, Decimal(0))
    # What is open of a part cost its share of all that the part cost.
    shares = [_signed(part, ratio(part.cost * part.open_quantity, part.quantity)) for part in parts if part.quantity]
    return Position(
        symbol=symbol,
        quantity=quantity,
        entry_price=ratio(sum(shares, Decimal(0)), quantity),
        mark_price=ratio(worth, quantity) if len(worths) == len(parts) else None,
        unrealised=gain if len(gains) == len(parts) else None,
        initial_margin=margin,
        venue=venue,
    )


def _signed(part: OpenPosition, amount: Decimal) -> Decimal:
    return amount if part.side is Side.BUY else -amount
