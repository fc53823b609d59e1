"""Recorded frames of the live venue, as they came."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.model.book import BookHealth
from exchange_core.model.event import Unrecognised
from exchange_core.model.symbol import Symbol
from kraken_spot.feed.connections import PrivateFeed, PublicFeed
from kraken_spot.feed.level3 import Level3Feed
from kraken_spot.rest.operations import KrakenSpotRest

BOOKS = {
    "book_btcusd_d10_2026-10.jsonl": ("BTC/USD", 20),
    "book_btcusd_lossy_head_2023-07.jsonl": ("BTC/USD", 31),
    "book_minagbp_d25_resync_2026-08-18.stream.jsonl": ("MINA/GBP", 19),
    "book_snapshot_algousd_d10_2024-10.jsonl": ("ALGO/USD", 2),
}


def frames(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines():
        if not path.name.endswith(".stream.jsonl"):
            yield line
        elif (entry := json.loads(line))["dir"] == "in":
            yield entry["raw"]


def replayed(context: VenueContext, path: Path) -> PublicFeed:
    feed = PublicFeed(context)
    feed.opened(0.0)
    for number, frame in enumerate(frames(path)):
        feed.receive(frame, float(number))
    return feed


@pytest.mark.parametrize("listed", [False, True], ids=["precision from the digits", "precision from a list"])
@pytest.mark.parametrize("name", BOOKS)
def test_every_book_message_verifies(
    captures: Path, make_context: Callable[..., VenueContext], name: str, listed: bool
) -> None:
    """Also where the recorder had read the numbers as floats, which costs trailing zeros."""
    context = make_context(listed=False, provisional=True)
    if listed:
        KrakenSpotRest(context).load_instruments((captures / "spot/rest/asset_pairs_5_2026-09.json").read_bytes())
    feed = replayed(context, captures / "spot/ws" / name)
    symbol, count = BOOKS[name]
    assert (feed.stats.books, feed.stats.verified, feed.stats.mismatches) == (count, count, 0)
    assert not feed.stats.unknown
    book = feed.book(Symbol.parse(symbol))
    assert book is not None
    assert book.health is BookHealth.LIVE
    assert book.checked == count
    bid, ask = book.best_bid, book.best_ask
    assert bid is not None
    assert ask is not None
    assert bid.price < ask.price


def test_the_resync_recording_counts_one_resync(captures: Path, make_context: Callable[..., VenueContext]) -> None:
    context = make_context(listed=False, provisional=True)
    feed = replayed(context, captures / "spot/ws/book_minagbp_d25_resync_2026-08-18.stream.jsonl")
    assert feed.stats.resyncs == 1
    assert feed.stats.ignored["heartbeat"] == 73


def test_one_digit_changed_in_a_recording_is_noticed(captures: Path, make_context: Callable[..., VenueContext]) -> None:
    lines = (captures / "spot/ws/book_btcusd_d10_2026-10.jsonl").read_text().splitlines()
    lines[5] = lines[5].replace('"qty":0.', '"qty":1.', 1)
    feed = PublicFeed(make_context(listed=False, provisional=True))
    for number, line in enumerate(lines):
        feed.receive(line, float(number))
    assert feed.stats.mismatches == 1
    assert feed.stats.verified == 5
    book = feed.book(Symbol("BTC", "USD"))
    assert book is not None
    assert book.health is BookHealth.DESYNCED


def test_every_recorded_frame_is_known(captures: Path, make_context: Callable[..., VenueContext]) -> None:
    """By the connection that it belongs to, the public one first."""
    unknown: Counter[str] = Counter()
    for path in sorted((captures / "spot/ws").glob("*.jsonl")):
        context = make_context(listed=False, provisional=True)
        feeds = PublicFeed(context), PrivateFeed(context), Level3Feed(context)
        for number, frame in enumerate(frames(path)):
            events: list[Any] = []
            for feed in feeds:
                events = list(feed.receive(frame, float(number)))
                if not all(isinstance(event, Unrecognised) for event in events) or not events:
                    break
            unknown.update(f"{path.name} {event.kind}" for event in events if isinstance(event, Unrecognised))
    assert not unknown


def test_legacy_frames_are_ignored_by_name(captures: Path, make_context: Callable[..., VenueContext]) -> None:
    feed = replayed(make_context(listed=False, provisional=True), captures / "spot/ws/v1_legacy_samples.jsonl")
    assert feed.stats.ignored == {"v1 trade": 1, "v1 book": 4, "v1 spread": 1, "v1 ohlc": 1, "v1 ticker": 1}


def test_a_book_without_a_list_in_another_precision(make_context: Callable[..., VenueContext], make_book: Any) -> None:
    """Prices whose last zeros were lost: the checksum tells how many there were."""
    venue = make_book("NEW/USD", 4)
    frame = venue.snapshot([("1.5000", "2.00000000")], [("1.6000", "3.50000000")])
    damaged = frame.replace("1.5000", "1.5").replace("1.6000", "1.6").replace("2.00000000", "2.0")
    feed = PublicFeed(make_context(listed=False, provisional=True))
    (book,) = feed.receive(damaged, 0.0)
    assert book.health is BookHealth.LIVE  # type: ignore[union-attr]
    assert feed.receive(venue.update([("1.4999", "1.00000000")]), 1.0)


def test_the_depth_of_an_answer_is_kept(make_context: Callable[..., VenueContext], make_book: Any, wire: Any) -> None:
    """A thin book does not show its depth by itself."""
    feed = PublicFeed(make_context(listed=False, provisional=True))
    other = wire(feed)
    other.tell(
        {"method": "subscribe", "result": {"channel": "book", "depth": 25, "symbol": "NEW/USD"}, "success": True}
    )
    venue = make_book("NEW/USD", 2, depth=25)
    other.tell(venue.snapshot([(f"{price}.00", "1.00000000") for price in range(10, 18)]))
    for price in range(18, 30):
        assert other.tell(venue.update([(f"{price}.00", "1.00000000")]))
    for price in range(18, 30):
        assert other.tell(venue.update([(f"{price}.00", "0.00000000")]))
    assert feed.stats.mismatches == 0
    assert len(venue.sides["bids"]) == 8
