"""Recorded frames of the real venue are read without a hole and without a question."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.spec import VenueContext
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import OrderUpdate
from exchange_core.model.fill import Fill
from exchange_core.model.market import Ticker, Trade
from exchange_core.model.order import OrderStatus
from kraken_futures.config import FuturesConfig
from kraken_futures.feed.connections import FuturesFeed, private_feed, public_feed
from kraken_futures.rest.operations import FuturesRest

FILES = [
    "connection_3products_2021-07.stream.jsonl",
    "doc_balances_open_positions.jsonl",
    "doc_feeds.jsonl",
    "doc_requests.jsonl",
    "info_ack_alert_challenge.jsonl",
    "inverse_2022.jsonl",
    "liquidation_trades_2020.jsonl",
    "pf_xbtusd_2026-10.jsonl",
    "private_captured.jsonl",
    "ticker_pf_ethusd_2026-07.jsonl",
]
# Recorded in one go; the others are single frames of different times.
STREAMS = [FILES[0], FILES[7]]


def new_context() -> VenueContext:
    return VenueContext(
        venue="f", config=FuturesConfig(), symbols=SymbolMap("f"), assets=AssetMap("f"), provisional=True
    )


def frames(captures: Path, name: str) -> Iterator[str]:
    for line in (captures / "futures/ws" / name).read_text().splitlines():
        if not name.endswith(".stream.jsonl"):
            yield line
            continue
        entry = json.loads(line)
        if entry["dir"] == "in":
            yield entry["raw"]


def replay(feed: FuturesFeed, captures: Path, name: str) -> list[object]:
    feed.opened(0.0)
    return [event for frame in frames(captures, name) for event in feed.receive(frame, 1.0)]


@pytest.mark.parametrize("make", [public_feed, private_feed])
@pytest.mark.parametrize("name", FILES)
def test_every_recorded_frame_is_recognised(captures: Path, name: str, make: object) -> None:
    feed = make(new_context())  # type: ignore[operator]
    replay(feed, captures, name)
    assert feed.stats.unknown == {}
    assert feed.stats.mismatches == 0


@pytest.mark.parametrize("name", STREAMS)
def test_streams_have_no_hole_and_end_with_live_books(captures: Path, name: str) -> None:
    feed = public_feed(new_context())
    books = {str(e.symbol): e for e in replay(feed, captures, name) if isinstance(e, OrderBook)}
    assert (feed.stats.gaps, feed.stats.resyncs) == (0, 0)
    assert feed.stats.verified == feed.stats.books > 0
    assert {book.health for book in books.values()} == {BookHealth.LIVE}


def test_the_large_stream_whole(captures: Path) -> None:
    """Three books, 1090 changes; the best prices at the end are those of a book of two dictionaries."""
    feed = public_feed(new_context())
    events = replay(feed, captures, STREAMS[0])
    assert feed.stats.verified == 1093
    model: dict[str, dict[str, dict[float, float]]] = {}
    for frame in map(json.loads, frames(captures, STREAMS[0])):
        if frame.get("feed") == "book_snapshot":
            sides = {"buy": frame["bids"], "sell": frame["asks"]}
            model[frame["product_id"]] = {s: {row["price"]: row["qty"] for row in rows} for s, rows in sides.items()}
        elif frame.get("feed") == "book" and "event" not in frame:
            model[frame["product_id"]][frame["side"]][frame["price"]] = frame["qty"]
    books = {str(e.symbol).partition("/")[0]: e for e in events if isinstance(e, OrderBook)}
    assert books.keys() == model.keys()
    for product, book in books.items():
        for side, levels in (("buy", book.bids()), ("sell", book.asks())):
            expected = {price: qty for price, qty in model[product][side].items() if qty}
            assert {float(price): float(qty) for price, qty in levels} == expected
    assert len([e for e in events if isinstance(e, Trade)]) > 300


def test_with_the_list_names_and_steps_are_ours(captures: Path) -> None:
    context = new_context()
    FuturesRest(context).load_instruments((captures / "futures/rest/instruments_5_2026-09.json").read_bytes())
    feed = public_feed(context)
    events = replay(feed, captures, STREAMS[1])
    book = next(e for e in reversed(events) if isinstance(e, OrderBook))
    assert str(book.symbol) == "BTC/USD:USD"
    assert str(book.best_bid.price if book.best_bid else None) == "82380"
    ticker = next(e for e in events if isinstance(e, Ticker))
    assert str(ticker.funding_rate) == "0.0000250402625"
    assert [e.id for e in events if isinstance(e, Trade)][-1] == "4fba15f2-e9e2-4811-8016-2c8b5d1e4c6e"


def test_recorded_private_frames(captures: Path) -> None:
    fill, update = replay(private_feed(new_context()), captures, "private_captured.jsonl")
    assert isinstance(fill, Fill)
    assert fill.fee is not None
    assert str(fill.fee.amount) == "0.001581"
    assert isinstance(update, OrderUpdate)
    assert update.status is OrderStatus.FILLED
    assert str(update.filled) == "0.0001"
