"""Recorded frames, read digit by digit: what the venue printed is what users get."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import (
    BalancesUpdate,
    Ignored,
    InstrumentsUpdate,
    OrderUpdate,
    StatusUpdate,
    Unrecognised,
    VenueState,
)
from exchange_core.model.fill import Fill
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.number import plain
from exchange_core.storage.recording import frames
from kraken_spot.feed.base import decode
from kraken_spot.feed.connections import PrivateFeed, PublicFeed
from kraken_spot.wire import feed as wire_feed

HERE = Path(__file__).parent


@pytest.fixture
def feed(make_context: Callable[..., VenueContext]) -> PublicFeed:
    return PublicFeed(make_context(listed=False, provisional=True))


def recorded(captures: Path, name: str) -> list[str]:
    return [frame.raw for frame in frames(captures / "spot/ws" / name)]


def as_printed(frame: str) -> list[dict[str, Any]]:
    """Return the entries of a frame with every number as its own text."""
    data: list[dict[str, Any]] = json.loads(frame, parse_float=str, parse_int=str)["data"]
    return data


def moment(text: str) -> datetime:
    """Read a time of the wire, its nanoseconds cut, in another way than the plugin does."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}+00:00")


def printed(value: Decimal | None) -> str:
    assert value is not None
    return plain(value)


def test_every_recording_is_read_by_a_test(captures: Path) -> None:
    tests = "".join(path.read_text("utf-8") for path in HERE.parent.rglob("test_*.py"))
    missing = [path.name for path in (captures / "spot/ws").iterdir() if path.name not in tests]
    assert not missing


def test_tickers(captures: Path, feed: PublicFeed) -> None:
    lines = recorded(captures, "ticker.jsonl")
    assert len(lines) == 3
    for line in lines:
        (ticker,), (raw,) = feed.receive(line, 0.0), as_printed(line)
        assert isinstance(ticker, Ticker)
        assert str(ticker.symbol) == raw["symbol"]
        for name, key in (("bid_quantity", "bid_qty"), ("ask_quantity", "ask_qty")):
            assert printed(getattr(ticker, name)) == raw[key]
        for name in ("bid", "ask", "last", "low", "high", "volume", "vwap"):
            assert printed(getattr(ticker, name)) == raw[name]
        assert ticker.time == (moment(raw["timestamp"]) if "timestamp" in raw else None)
    assert (ticker.bid, ticker.volume) == (Decimal("0.13099"), Decimal("9095630.20903971"))


def test_bars(captures: Path, feed: PublicFeed) -> None:
    for line in recorded(captures, "ohlc.jsonl"):
        candles, rows = feed.receive(line, 0.0), as_printed(line)
        assert len(candles) == len(rows)
        for candle, raw in zip(candles, rows, strict=True):
            assert isinstance(candle, Candle)
            assert (str(candle.symbol), str(candle.interval), str(candle.count)) == (
                raw["symbol"],
                raw["interval"],
                raw["trades"],
            )
            assert candle.start == moment(raw["interval_begin"])
            for name in ("open", "high", "low", "close", "volume", "vwap"):
                assert printed(getattr(candle, name)) == raw[name]
    assert candle.close == Decimal("83744.3")


def test_the_time_of_a_message_of_bars_is_heard(captures: Path, feed: PublicFeed) -> None:
    line = recorded(captures, "ohlc.jsonl")[0]
    feed.receive(line, 7.0)
    told = feed._market.clock.at(7.0)
    assert told is not None
    assert abs((told - moment("2024-05-17T11:21:16.318303322Z")).total_seconds()) < 0.001


def test_trades(captures: Path, feed: PublicFeed) -> None:
    count = 0
    for line in recorded(captures, "trade.jsonl"):
        trades = [event for event in feed.receive(line, 0.0) if isinstance(event, Trade)]
        for trade, raw in zip(trades, as_printed(line), strict=True):
            assert (trade.id, str(trade.side), printed(trade.price), printed(trade.quantity), trade.time) == (
                raw["trade_id"],
                raw["side"],
                raw["price"],
                raw["qty"],
                moment(raw["timestamp"]),
            )
            count += 1
    assert count >= 4


def test_instruments(captures: Path, make_context: Callable[..., VenueContext]) -> None:
    feed = PublicFeed(make_context(listed=False))
    (line,) = recorded(captures, "instrument.jsonl")
    (update,) = feed.receive(line, 0.0)
    assert isinstance(update, InstrumentsUpdate)
    rows = json.loads(line, parse_float=str)["data"]["pairs"]
    assert rows
    for made, raw in zip(update.instruments, rows, strict=True):
        assert (str(made.symbol), str(made.status)) == (raw["symbol"], raw["status"])
        for name, key in (("tick_size", "price_increment"), ("lot_size", "qty_increment"), ("min_quantity", "qty_min")):
            assert getattr(made, name) == Decimal(raw[key])
        assert (made.price_decimals, made.quantity_decimals) == (raw["price_precision"], raw["qty_precision"])


def test_orders_in_depth(captures: Path) -> None:
    """The texts that the checksum is made of; the books are cut, so that it cannot be held against them."""
    lines = recorded(captures, "level3.jsonl")
    assert [json.loads(line)["type"] for line in lines] == ["snapshot", "update"]
    for line in lines:
        message = decode(line)
        assert isinstance(message, wire_feed.Orders)
        (data,), (raw,) = message.data, as_printed(line)
        assert (data.symbol, str(data.checksum), data.timestamp) == (raw["symbol"], raw["checksum"], raw["timestamp"])
        for side in ("bids", "asks"):
            for row, told in zip(getattr(data, side), raw[side], strict=True):
                assert (row.order_id, row.price, row.qty, row.timestamp, row.event) == (
                    told["order_id"],
                    told["limit_price"],
                    told["order_qty"],
                    told["timestamp"],
                    told.get("event"),
                )


def test_answers_echo_what_was_asked_for(captures: Path) -> None:
    for line in recorded(captures, "subscribe_acks.jsonl"):
        response = msgspec.json.decode(line, type=wire_feed.Response)
        result = msgspec.convert(response.result, wire_feed.SubscribeResult)
        raw = json.loads(line)["result"]
        for name in ("channel", "symbol", "depth", "interval", "event_trigger"):
            assert getattr(result, name) == raw.get(name)
        assert response.time_out == json.loads(line)["time_out"]


def test_refusals_name_what_they_are_about(captures: Path, feed: PublicFeed) -> None:
    for line in recorded(captures, "errors.jsonl"):
        raw = json.loads(line)
        response = msgspec.json.decode(line, type=wire_feed.Response)
        assert (response.success, response.error, response.symbol) == (False, raw["error"], raw.get("symbol"))
        (event,) = feed.receive(line, 0.0)
        assert event == Ignored(kind=f"{raw['method']} refused")


def test_status_heartbeat_and_pong(captures: Path, feed: PublicFeed) -> None:
    events = [event for line in recorded(captures, "status_heartbeat_pong.jsonl") for event in feed.receive(line, 0.0)]
    told = [event for event in events if isinstance(event, StatusUpdate)]
    assert [update.state for update in told] == [VenueState.ONLINE, VenueState.MAINTENANCE]
    assert {event.kind for event in events if isinstance(event, Ignored)} == {"heartbeat", "pong"}


@pytest.mark.parametrize("name", ["executions.jsonl", "doc_executions.jsonl"])
def test_fills_and_orders(captures: Path, make_context: Callable[..., VenueContext], name: str) -> None:
    feed = PrivateFeed(make_context(listed=False, provisional=True))
    fills, orders = 0, 0
    for line in recorded(captures, name):
        events = feed.receive(line, 0.0)
        rows = {raw["exec_id"]: raw for raw in as_printed(line) if raw["exec_type"] == "trade"}
        for fill in (event for event in events if isinstance(event, Fill)):
            raw = rows.pop(fill.id)
            assert (printed(fill.price), printed(fill.quantity)) == (raw["last_price"], raw["last_qty"])
            assert printed(fill.cost) == raw["cost"]
            assert fill.fee is not None
            assert (fill.fee.asset, printed(fill.fee.amount)) == (raw["fees"][0]["asset"], raw["fees"][0]["qty"])
            assert (fill.venue_order_id, fill.time) == (raw["order_id"], moment(raw["timestamp"]))
            fills += 1
        assert not rows, "each fill is told"
        told = {event.venue_order_id for event in events if isinstance(event, OrderUpdate)}
        updates = {raw["order_id"] for raw in as_printed(line)} if json.loads(line)["type"] == "update" else set()
        assert updates <= told
        orders += len(told)
    assert fills
    assert orders


@pytest.mark.parametrize("name", ["balances.jsonl", "doc_balances.jsonl"])
def test_balances(captures: Path, make_context: Callable[..., VenueContext], name: str) -> None:
    feed = PrivateFeed(make_context(listed=False, provisional=True))
    snapshot, *updates = recorded(captures, name)
    (event,) = [event for event in feed.receive(snapshot, 0.0) if isinstance(event, BalancesUpdate)]
    assert event.complete
    for raw in as_printed(snapshot):
        shown = [printed(balance.total) for balance in event.balances if balance.asset == raw["asset"]]
        assert shown == [wallet["balance"] for wallet in raw["wallets"]] or shown == [raw["balance"]]
    for line in updates:
        (event,) = [event for event in feed.receive(line, 0.0) if isinstance(event, BalancesUpdate)]
        (balance,), (raw,) = event.balances, as_printed(line)
        assert (balance.asset, printed(balance.total)) == (raw["asset"], raw["balance"])


def test_answers_to_orders_are_known(captures: Path, make_context: Callable[..., VenueContext]) -> None:
    feed = PrivateFeed(make_context(listed=False, provisional=True))
    for line in recorded(captures, "trading_responses.jsonl"):
        assert not [event for event in feed.receive(line, 0.0) if isinstance(event, Unrecognised)]
