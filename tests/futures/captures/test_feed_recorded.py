"""Every recorded WebSocket file, read by both connections and spot-checked digit by digit; and every recorded name."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.spec import VenueContext
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import (
    BalancesUpdate,
    BookDesynced,
    OpenOrdersSnapshot,
    OrderUpdate,
    PositionsUpdate,
    SequenceGap,
)
from exchange_core.model.fill import Fill, Liquidity
from exchange_core.model.market import Ticker, Trade
from exchange_core.model.order import OrderStatus, OrderType
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.config import FuturesConfig
from kraken_futures.feed.connections import FuturesFeed, private_feed, public_feed
from kraken_futures.rest.operations import FuturesRest

INSTRUMENTS = "futures/rest/instruments_5_2026-09.json"


@pytest.fixture
def known(captures: Path) -> VenueContext:
    """A context with the recorded instrument list; what it does not list is taken in by name, as in replays."""
    context = VenueContext(
        venue="f", config=FuturesConfig(), symbols=SymbolMap("f"), assets=AssetMap("f"), provisional=True
    )
    FuturesRest(context).load_instruments((captures / INSTRUMENTS).read_bytes())
    return context


def frames(captures: Path, name: str) -> Iterator[str]:
    for line in (captures / "futures/ws" / name).read_text().splitlines():
        entry = json.loads(line)
        if name.endswith(".stream.jsonl"):
            if entry["dir"] == "in":
                yield entry["raw"]
        else:
            yield line


def replay(feed: FuturesFeed, captures: Path, name: str) -> list[Any]:
    feed.opened(0.0)
    return [event for frame in frames(captures, name) for event in feed.receive(frame, 1.0)]


def of(kind: type, events: list[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def digits(value: object, *names: str) -> list[str | None]:
    found = [getattr(value, name) for name in names]
    return [None if each is None else str(each) for each in found]


def test_a_linear_perpetual_of_2026(known: VenueContext, captures: Path) -> None:
    feed = public_feed(known)
    events = replay(feed, captures, "pf_xbtusd_2026-10.jsonl")
    (ticker,) = of(Ticker, events)
    assert str(ticker.symbol) == "BTC/USD:USD"
    assert digits(ticker, "bid", "bid_quantity", "ask", "ask_quantity", "last", "low", "high", "volume") == [
        *("82380.0", "0.0003", "82381.0", "0.4671", "82382.0", "80320.0", "83262.0", "7779.8361")
    ]
    assert digits(ticker, "mark_price", "index_price", "funding_rate") == [
        *("82380.4640336367", "82367.95", "0.0000250402625")
    ]
    assert ticker.time.isoformat() == "2026-10-09T04:05:15.420000+00:00"
    assert digits(ticker, "next_funding_rate", "open_interest") == ["0.000019225875", "2370.562"]
    assert ticker.next_funding_time.isoformat() == "2026-10-09T05:00:00+00:00"
    assert {trade.kind for trade in of(Trade, events)} == {""}
    book = of(OrderBook, events)[-1]
    bids = [tuple(map(str, level)) for level in book.bids()]
    assert bids == [
        ("82380", "0.0003"),
        ("82379", "0.0012"),
        ("82378", "0.0003"),
        ("82343", "0.1228"),
        ("81529", "1.5296"),
        ("81235", "0.0031"),
    ]
    assert [tuple(map(str, level)) for level in book.asks()] == [
        ("82381", "0.6051"),
        ("82382", "0.4345"),
        ("82383", "0.0243"),
    ]
    assert [(t.id[:8], t.side.value, str(t.price), str(t.quantity)) for t in of(Trade, events)] == [
        ("d4d20435", "sell", "82382.0", "0.0001"),
        ("8fc9d2b3", "sell", "82382.0", "0.0002"),
        ("4fba15f2", "sell", "82380.0", "0.0002"),
    ]
    assert (feed.stats.gaps, feed.stats.mismatches, feed.stats.verified) == (0, 0, 4)


def test_inverse_contracts_of_2022(known: VenueContext, captures: Path) -> None:
    """Single frames of different times: that they do not follow each other is seen."""
    feed = public_feed(known)
    events = replay(feed, captures, "inverse_2022.jsonl")
    dated, perpetual = of(Ticker, events)
    assert digits(dated, "bid", "ask", "last", "volume", "mark_price", "index_price", "funding_rate") == [
        *("29892.5", "29916.0", "29876.0", "5710706.0", "29904.25", "29920.98", None)
    ]
    assert str(perpetual.symbol) == "BTC/USD:BTC"
    assert digits(perpetual, "mark_price", "funding_rate") == ["29919.75", "9.6321875E-8"]
    assert [str(trade.price) for trade in of(Trade, events)] == [
        *("39077.0", "39096.0", "39054.5", "39202.0", "39244.5", "39456.5")
    ]
    assert len(of(BookDesynced, events)) == feed.stats.gaps == 2
    book = feed.book(Symbol.parse("BTC/USD:BTC"))
    assert book is not None
    assert book.health is BookHealth.DESYNCED


def test_liquidations_are_trades(known: VenueContext, captures: Path) -> None:
    found = replay(public_feed(known), captures, "liquidation_trades_2020.jsonl")
    assert [(t.side.value, str(t.price), str(t.quantity), t.kind) for t in of(Trade, found)] == [
        ("sell", "0.1736", "12000", "liquidation"),
        ("buy", "231.6", "250", "liquidation"),
    ]


def test_a_ticker_of_2026(known: VenueContext, captures: Path) -> None:
    (ticker,) = replay(public_feed(known), captures, "ticker_pf_ethusd_2026-07.jsonl")
    assert digits(ticker, "bid", "bid_quantity", "ask", "mark_price", "index_price", "funding_rate") == [
        *("1751.6", "1.459", "1751.7", "1751.97553924942", "1751.75", "0.0000186711875")
    ]


def test_the_stream_of_2021(known: VenueContext, captures: Path) -> None:
    """Its lighter tickers have text for a volume; its last trades and book are those of the recording."""
    name = "connection_3products_2021-07.stream.jsonl"
    feed = public_feed(known)
    events = replay(feed, captures, name)
    raw = [json.loads(frame) for frame in frames(captures, name)]
    lite = [frame for frame in raw if frame.get("feed") == "ticker_lite" and "event" not in frame]
    told = of(Ticker, events)
    assert len(told) == len(lite) > 0
    assert [(float(t.bid), float(t.ask), float(t.volume)) for t in told] == [
        (frame["bid"], frame["ask"], float(frame["volume"])) for frame in lite
    ]
    listed = {row["uid"]: row for frame in raw for row in frame.get("trades", ())}
    trades = of(Trade, events)
    assert {trade.id for trade in trades} >= listed.keys()
    assert len({trade.id for trade in trades}) == len(trades)
    for trade in trades:
        if trade.id in listed:
            row = listed[trade.id]
            assert (float(trade.price), float(trade.quantity), trade.side) == (row["price"], row["qty"], row["side"])
    assert not of(SequenceGap, events)


def test_an_execution_and_an_order_of_2025_and_2026(known: VenueContext, captures: Path) -> None:
    fill, update = replay(private_feed(known), captures, "private_captured.jsonl")
    assert isinstance(fill, Fill)
    assert digits(fill, "price", "quantity", "id") == ["3162.0", "0.001", "6a22a3fb-e18e-4e76-b841-8689735c9158"]
    assert fill.fee is not None
    assert (str(fill.fee.amount), fill.fee.asset, fill.liquidity) == ("0.001581", "USD", Liquidity.TAKER)
    assert fill.client_order_id == "b661bad0-7037-4b73-9e07-a65b515e4ef7"
    assert isinstance(update, OrderUpdate)
    assert digits(update, "quantity", "filled", "price", "trigger_price", "status", "reason") == [
        *("0.0001", "0.0001", "73110.0", None, "filled", "full_fill")
    ]
    assert update.request is not None
    assert update.request.type is OrderType.LIMIT


def test_the_documented_account_frames(known: VenueContext, captures: Path) -> None:
    events = replay(private_feed(known), captures, "doc_balances_open_positions.jsonl")
    first, *changes = of(BalancesUpdate, events)
    wallets = {(each.wallet, each.asset): str(each.total) for each in first.balances}
    assert first.complete
    assert wallets["cash", "BTC"] == "0.1285407184"
    assert wallets["cash", "XRP"] == "7065.5399485629"
    assert {wallet for wallet, _ in wallets} == {"cash", "flex", "fi_xbtusd", "fi_etheur"}
    assert [[(b.wallet, b.asset, str(b.total)) for b in change.balances] for change in changes] == [
        [("cash", "USD", "5000.0")],
        [("flex", "USD", "5000.0")],
        [("fi_xbtusd", "BTC", "0.1219368845")],
    ]
    (positions,) = of(PositionsUpdate, events)
    held = positions.positions[1]
    assert str(held.symbol) == "BTC/USD:USD"
    assert digits(held, "quantity", "entry_price", "mark_price", "liquidation_price", "unrealised") == [
        *("0.04", "26911.75", "29900.81124638736", "9572.804662403718", "119.5624498554944")
    ]
    assert digits(held, "initial_margin", "maintenance_margin", "unrealised_funding") == [
        *("21.529400000000003", "10.764700000000001", "0.0004114160669590132")
    ]


def test_the_documented_orders_and_fills(known: VenueContext, captures: Path) -> None:
    events = replay(private_feed(known), captures, "doc_feeds.jsonl")
    (listed,) = of(OpenOrdersSnapshot, events)
    assert [digits(order, "quantity", "price", "filled") for order in listed.orders] == [
        ["100.0", "8500.0", "0"],
        ["1501.0", "7200.0", "0"],
        ["102.0", "8500.0", "0"],
    ]
    failed, canceled = of(OrderUpdate, events)
    assert (failed.status, failed.reason) == (
        OrderStatus.REJECTED,
        "post_order_failed_because_it_would_be_filled",
    )
    assert (canceled.status, canceled.venue_order_id) == (
        OrderStatus.CANCELED,
        "660c6b23-8007-48c1-a7c9-4893f4572e8c",
    )
    maker, taker = of(Fill, events)
    assert (str(maker.fee.amount), maker.fee.asset, maker.liquidity) == ("-0.00009142857", "BTC", Liquidity.MAKER)
    assert (str(taker.fee.amount), taker.fee.asset, taker.liquidity) == ("0.00685588921", "ETH", Liquidity.TAKER)


# Names.


def test_every_recorded_instrument_maps_and_maps_back(captures: Path) -> None:
    """In any letter case that some endpoint writes; ours never say XBT."""
    context = VenueContext(venue="f", config=FuturesConfig(), symbols=SymbolMap("f"), assets=AssetMap("f"))
    rest = FuturesRest(context)
    found = rest.load_instruments((captures / INSTRUMENTS).read_bytes())
    listed = json.loads((captures / INSTRUMENTS).read_text())["instruments"]
    assert rest.reports == []
    assert {each.venue_id: str(each.symbol) for each in found} == {
        "PF_XBTUSD": "BTC/USD:USD",
        "PF_DOGEUSD": "DOGE/USD:USD",
        "FF_XBTUSD_261225": "BTC/USD:USD-261225",
        "PI_XBTUSD": "BTC/USD:BTC",
        "FI_XBTUSD_261225": "BTC/USD:BTC-261225",
    }
    for row in listed:
        name = row["symbol"]
        symbol = naming.find(context.symbols, name)
        assert symbol is not None
        for spelling in (name, name.lower(), name.upper()):
            assert naming.find(context.symbols, spelling) == symbol
        assert Symbol.parse(str(symbol)) == symbol
        assert naming.venue_id(context.symbols, str(symbol)) == name
        assert context.symbols.wire(symbol) == name


def test_every_name_that_was_recorded_anywhere_is_known_or_told_apart(known: VenueContext, captures: Path) -> None:
    """Names of REST answers and frames, of all years: a listed one is found, no other is taken for one."""
    listed = {instrument.venue_id for instrument in known.symbols}
    text = "".join(path.read_text() for path in (captures / "futures").rglob("*.json*"))
    names = set(re.findall(r'"((?:P|F)[IFV]_\w+)"', text, re.IGNORECASE))
    assert len(names) > 10
    for name in names:
        found = naming.find(known.symbols, name)
        assert (found is not None) == (name.upper() in listed)
        assert naming.told(known.symbols, name) == (found or name)
