"""The account's ledger, the venue's notices, and feeds that a venue has more than one of."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import ConfigError, NotSupported
from exchange_core.model.event import Channel, LedgerUpdate, Notice, SequenceGap
from exchange_core.model.ledger import LedgerEntry, LedgerKind
from exchange_core.model.market import Ticker
from exchange_core.model.symbol import Symbol
from exchange_core.venue.connected import ConnectedVenue

BTC = Symbol.parse("BTC/USD")
ENTRY = LedgerEntry(
    id="7",
    time=datetime(2026, 1, 5, tzinfo=UTC),
    asset="BTC",
    amount=Decimal("-0.001"),
    kind=LedgerKind.FUNDING,
)


async def read(stream: AsyncIterator[Any]) -> Any:
    async with asyncio.timeout(10):
        return await anext(stream)


async def asked_for(shop: Any, what: str) -> Any:
    """Wait until the venue is asked for *what*; return the connection."""
    while True:
        peer, frame = await shop.asked()
        if what in frame.get("subscribe", ()):
            return peer


async def test_the_ledger_is_followed(venue: ConnectedVenue, shop: Any) -> None:
    stream = venue.ledger_updates()
    reading = asyncio.ensure_future(read(stream))
    peer = await asked_for(shop, "ledger")
    await shop.tell(peer, LedgerUpdate(entries=(ENTRY,), snapshot=True))
    assert await reading == LedgerUpdate(entries=(ENTRY,), snapshot=True)


async def test_notices_are_followed_and_none_is_dropped(venue: ConnectedVenue, shop: Any) -> None:
    stream = venue.notices()
    reading = asyncio.ensure_future(read(stream))
    peer = await asked_for(shop, "notices")
    first, second = Notice(text="Down at noon.", id="1", priority="high"), Notice(text="Up again.", id="2")
    await shop.tell(peer, first, second)
    assert [await reading, await read(stream)] == [first, second]


async def test_a_hole_in_the_ledger_asks_for_no_fills(venue: ConnectedVenue, shop: Any) -> None:
    """Whoever follows the ledger is told; orders and fills have holes of their own."""
    stream = venue.ledger_updates()
    reading = asyncio.ensure_future(read(stream))
    peer = await asked_for(shop, "ledger")
    before = shop.paths()
    await shop.tell(peer, SequenceGap(channel=Channel.LEDGER, reason="3 follows 1"), LedgerUpdate(entries=(ENTRY,)))
    await reading
    assert shop.paths() == before
    assert venue.fills_complete_until is None


async def test_without_credentials_or_feed_they_are_refused(make_venue: Any) -> None:
    async with make_venue(keys=False) as venue:
        for follow in (venue.ledger_updates, venue.notices):
            with pytest.raises(ConfigError, match="needs credentials"):
                follow()


async def test_another_feed_of_a_channel_is_chosen_by_its_own_word(
    make_venue: Any, two_tickers: Any, shop: Any
) -> None:
    async with make_venue(spec=two_tickers) as venue:
        reading = asyncio.ensure_future(read(venue.tickers(BTC, variant="ticker_lite")))
        peer = await asked_for(shop, "ticker BTC/USD ticker_lite")
        await shop.tell(peer, Ticker(symbol=BTC, bid=Decimal(1)))
        assert (await reading).bid == 1
        usual = venue.tickers(BTC)
        assert await asked_for(shop, "ticker BTC/USD")
        usual.close()
        with pytest.raises(NotSupported, match=r"no feed 'ticker_full'; it has ticker_lite"):
            venue.tickers(BTC, variant="ticker_full")
        with pytest.raises(NotSupported, match="no choice of a trigger"):
            venue.tickers(BTC, "bbo", variant="ticker_lite")


async def test_where_there_is_one_feed_only_no_other_is_had(venue: ConnectedVenue) -> None:
    with pytest.raises(NotSupported, match="it has one only"):
        venue.tickers(BTC, variant="ticker_lite")
