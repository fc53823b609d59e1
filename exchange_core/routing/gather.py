"""Quotes of many venues, taken at one moment: books are followed until the slowest is live, then read together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal

import attrs

from exchange_core.clock import Clock
from exchange_core.errors import ExchangeError, NotSupported, UnknownSymbol
from exchange_core.model.account import Balance, FeeRates
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import total
from exchange_core.model.symbol import Symbol
from exchange_core.routing.plans import Rejection
from exchange_core.routing.quote import VenueQuote
from exchange_core.venue.protocol import EventStream, Venue

DEPTH = 100
"""Levels of each book to plan with, or the next depth that a venue has."""

SPOT_WALLET = "spot"


@attrs.frozen(kw_only=True)
class _Sight:
    """One venue as it was found; *book* is a live view, to be read when all are there."""

    instrument: Instrument
    fees: FeeRates | None
    balances: Sequence[Balance]
    book: OrderBook | None


async def gather_quotes(
    symbol: Symbol, venues: Mapping[str, Venue], *, within: float, clock: Clock
) -> tuple[list[VenueQuote], list[Rejection]]:
    """Return the quotes of those *venues* that trade *symbol*, and why some that do gave none.

    Args:
        within: Seconds to wait for each venue.
    """
    quotes: list[VenueQuote] = []
    rejections: list[Rejection] = []
    with ExitStack() as streams:
        sights = await asyncio.gather(*(_look(venue, symbol, streams, within) for venue in venues.values()))
        now = clock.now()
        for name, sight in zip(venues, sights, strict=True):
            if isinstance(sight, _Sight):
                quotes.append(_quote(name, sight, now))
            elif sight is not None:
                rejections.append(Rejection(venue=name, reason=sight))
    return quotes, rejections


async def _look(venue: Venue, symbol: Symbol, streams: ExitStack, within: float) -> _Sight | str | None:
    """Return what was seen, or why nothing; None where the venue does not trade *symbol*."""
    try:
        async with asyncio.timeout(within):
            await venue.instruments()
            instrument = venue.instrument(symbol)
            stream = _follow(venue, symbol)
            streams.callback(stream.close)
            fees, balances = await venue.fees(symbol), await venue.balances() if symbol.is_spot else ()
            book = await _live(venue, symbol, stream)
    except UnknownSymbol:
        return None
    except ExchangeError as error:
        return str(error) or type(error).__name__
    except TimeoutError:
        known = venue.live_book(symbol)
        state = f"; its book is {known.health}" if known is not None else ""
        return f"it did not give a live book and the account's funds within {within:g} s{state}"
    return _Sight(instrument=instrument, fees=fees, balances=balances, book=book)


def _follow(venue: Venue, symbol: Symbol) -> EventStream[OrderBook]:
    try:
        return venue.books(symbol, _depth(venue))
    except NotSupported:
        # Someone follows it already, less deep, and a venue may allow one depth at a time: plan with what is there.
        return venue.books(symbol)


def _depth(venue: Venue) -> int | None:
    depths = sorted(venue.book_depths)
    return next((depth for depth in depths if depth >= DEPTH), depths[-1]) if depths else None


async def _live(venue: Venue, symbol: Symbol, stream: EventStream[OrderBook]) -> OrderBook | None:
    """Return the view of a book once it is live; None when the stream ends before."""
    known = venue.live_book(symbol)
    if known is not None and known.health is BookHealth.LIVE:
        return known
    async for book in stream:
        if book.health is BookHealth.LIVE:
            return book
    return None


def _quote(name: str, sight: _Sight, now: datetime) -> VenueQuote:
    book, symbol = sight.book, sight.instrument.symbol
    return VenueQuote(
        venue=name,
        instrument=sight.instrument,
        bids=book.bids() if book is not None else (),
        asks=book.asks() if book is not None else (),
        taker_fee=sight.fees.taker if sight.fees is not None else None,
        health=book.health if book is not None else BookHealth.STALE,
        taken=now,
        free_base=_free(sight.balances, symbol.base) if symbol.is_spot else None,
        free_quote=_free(sight.balances, symbol.quote) if symbol.is_spot else None,
    )


def _free(balances: Iterable[Balance], asset: str) -> Decimal | None:
    """Return what can be traded; a venue that lists its balances and not this one has none of it."""
    found = [each for each in balances if each.asset == asset and each.wallet == SPOT_WALLET]
    free = [each.free for each in found]
    return None if None in free else total(each for each in free if each is not None)
