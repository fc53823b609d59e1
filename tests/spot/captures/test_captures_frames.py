"""Recorded frames, held against the plainest reading of them: whole books, what orders are told to be, answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import Answered, OrderUpdate
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.storage.recording import frames
from exchange_core.testing.world import run_flow
from kraken_spot.feed.connections import PrivateFeed, PublicFeed
from kraken_spot.orders.terms import Amendment, Edit, SpotOrder
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.types.trading import Canceled, DeadManSwitch

BTC = Symbol("BTC", "USD")
BOOKS = {
    "book_btcusd_d10_2026-10.jsonl": (BTC, 10),
    "book_btcusd_lossy_head_2023-07.jsonl": (BTC, 10),
    "book_minagbp_d25_resync_2026-08-18.stream.jsonl": (Symbol("MINA", "GBP"), 25),
    "book_snapshot_algousd_d10_2024-10.jsonl": (Symbol("ALGO", "USD"), 10),
}


def recorded(captures: Path, name: str) -> list[str]:
    return [frame.raw for frame in frames(captures / "spot/ws" / name) if not frame.outgoing]


def by_hand(lines: list[str], depth: int) -> dict[str, list[tuple[Decimal, Decimal]]]:
    sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}
    for line in lines:
        message = json.loads(line, parse_float=Decimal, parse_int=Decimal)
        if message.get("channel") != "book":
            continue
        for side, rows in sides.items():
            if message["type"] == "snapshot":
                rows.clear()
            rows.update((row["price"], row["qty"]) for row in message["data"][0][side])
            best = sorted((price for price in rows if rows[price]), reverse=side == "bids")[:depth]
            sides[side] = {price: rows[price] for price in best}
    return {side: [*rows.items()] for side, rows in sides.items()}


@pytest.mark.parametrize("name", BOOKS)
def test_every_level_of_a_book_after_each_message(
    captures: Path, make_context: Callable[..., VenueContext], name: str
) -> None:
    symbol, depth = BOOKS[name]
    feed = PublicFeed(make_context(listed=False, provisional=True))
    feed.opened(0.0)
    lines = recorded(captures, name)
    seen = 0
    for number, line in enumerate(lines, start=1):
        feed.receive(line, float(number))
        if json.loads(line).get("channel") != "book":
            continue
        book = feed.book(symbol)
        assert book is not None
        shown = {"bids": book.bids(), "asks": book.asks()}
        expected = by_hand(lines[:number], depth)
        assert {side: [(one.price, one.quantity) for one in levels] for side, levels in shown.items()} == expected
        seen += 1
    assert seen == feed.stats.verified


def test_what_updates_say_of_orders(captures: Path, make_context: Callable[..., VenueContext]) -> None:
    feed = PrivateFeed(make_context(listed=False, provisional=True))
    updates = [
        event
        for line in recorded(captures, "executions.jsonl")[1:]
        for event in feed.receive(line, 0.0)
        if isinstance(event, OrderUpdate)
    ]
    pending, new, canceled, amended = updates
    assert (pending.venue_order_id, pending.symbol, str(pending.side)) == (
        "AHOJQ8-1E72C-8M2VQH",
        Symbol("ADX", "USD"),
        "buy",
    )
    assert (str(pending.status), pending.quantity, pending.price) == (
        "pending",
        Decimal("81.36256082"),
        Decimal("0.18328"),
    )
    assert pending.sequence_time == datetime(2024, 5, 18, 12, 1, 56, 165888, tzinfo=UTC)
    assert (new.venue_order_id, str(new.status), new.quantity) == ("7J91XK-XMFEL-348VPM", "open", None)
    assert (canceled.venue_order_id, str(canceled.status), canceled.filled, canceled.reason) == (
        "KIUEL4-G3PWU-HOJTYU",
        "canceled",
        Decimal(0),
        "User requested",
    )
    assert (amended.venue_order_id, str(amended.status), amended.quantity, amended.price) == (
        "6LYQGW-FH922-U6JTUM",
        "open",
        Decimal("5.1"),
        Decimal("0.96"),
    )


def test_what_the_documented_updates_say(captures: Path, make_context: Callable[..., VenueContext]) -> None:
    feed = PrivateFeed(make_context(listed=False, provisional=True))
    pending, new, filled = (
        event
        for line in recorded(captures, "doc_executions.jsonl")
        for event in feed.receive(line, 0.0)
        if isinstance(event, OrderUpdate)
    )
    assert {update.venue_order_id for update in (pending, new, filled)} == {"OK4GJX-KSTLS-7DZZO5"}
    assert (pending.quantity, pending.price, str(new.status)) == (Decimal("0.005"), Decimal(26500), "open")
    assert (filled.filled, filled.average_price) == (Decimal("0.005"), Decimal("26599.9"))


def spot_order(client_order_id: str) -> SpotOrder:
    return SpotOrder(symbol=BTC, side="buy", type="limit", quantity=1, limit_price=1, client_order_id=client_order_id)


def mine(venue_order_id: str, client_order_id: str = "ours") -> Order:
    request = OrderRequest(symbol=BTC, side="buy", quantity=1, price=1, client_order_id=client_order_id)
    return Order(request=request, venue_order_id=venue_order_id)


def asked(do: KrakenSpotRest) -> list[Flow[Any]]:
    """Return the operations that the recorded answers are for, in their order and about the ids that they name."""
    trading = do.trading
    return [
        trading.add(spot_order("client-zero")),
        trading.amend(Amendment(symbol=BTC, txid="BQS60L-EGW18-UPAK9U", quantity=1)),
        trading.edit(Edit(symbol=BTC, txid="K1FF7H-A13AR-Q1S9Z6", type="limit", limit_price=1)),
        do.cancel(mine("1V7PZA-L5RIM-RX2G6B")),
        do.cancel(mine("OA", "a-uuid")),
        trading.cancel_all(),
        trading.cancel_all_after(timedelta(seconds=5)),
        trading.add_batch([spot_order("client-one"), spot_order("client-two")]),
        trading.cancel_batch(txids=["OA", "OB"]),
    ]


def test_answers_to_orders(captures: Path, context: VenueContext) -> None:
    feed = PrivateFeed(context)
    feed.opened(0.0, "token")
    answers = [json.loads(line) for line in recorded(captures, "trading_responses.jsonl")]

    def answer(call: Any) -> Any:
        question = feed.ask(call, 0.0)
        told = answers.pop(0)
        assert told["method"] == call.socket.method
        (event,) = feed.receive(json.dumps({**told, "req_id": question.request_id}), 0.0)
        assert isinstance(event, Answered)
        assert event.error is None
        return event.value

    added, amend, edited, first, second, all_of_them, switch, batch, two = (
        run_flow(flow, answer) for flow in asked(KrakenSpotRest(context))
    )
    assert not answers
    assert added.id == "OPS23M-VS41G-DDE5Z2"
    assert amend == "1M2JV8-OEJZD-G5GSBF"
    assert (edited.id, edited.replaced) == ("7FIK6B-S15X0-DPJJTH", "K1FF7H-A13AR-Q1S9Z6")
    assert (first, second) == (None, None)
    assert all_of_them == Canceled(count=0, pending=False)
    at = datetime(2024, 5, 19, 19, 22, 20, tzinfo=UTC)
    assert switch == DeadManSwitch(time=at, fires=at + timedelta(seconds=5))
    assert [item.id for item in batch.items] == ["JQDNTT-MZEIZ-OZKUDD", "X67GEK-3VQWM-HPNQ89"]
    assert two == Canceled(count=2, pending=False)


def test_every_number_of_the_recorded_pairs(captures: Path, make_context: Callable[..., VenueContext]) -> None:
    context = make_context(listed=False)
    body = (captures / "spot/rest/asset_pairs_5_2026-09.json").read_bytes()
    KrakenSpotRest(context).load_instruments(body)
    pairs = json.loads(body)["result"]
    assert len(pairs) == 5
    for key, entry in pairs.items():
        made: Instrument = context.symbols.instrument(context.symbols.from_venue(key))
        assert (made.price_decimals, made.quantity_decimals) == (entry["pair_decimals"], entry["lot_decimals"])
        assert (made.min_quantity, made.min_cost) == (Decimal(entry["ordermin"]), Decimal(entry["costmin"]))
        assert made.lot_size == Decimal(1).scaleb(-entry["lot_decimals"])
        assert str(made.status) == entry["status"]


def test_the_decimals_of_every_recorded_asset(captures: Path, run: Any, make_context: Any) -> None:
    context = make_context(listed=False)
    body = (captures / "spot/rest/assets_full.json").read_bytes()
    run(KrakenSpotRest(context).instruments(), body, (captures / "spot/rest/asset_pairs_5_2026-09.json").read_bytes())
    for venue_id, entry in json.loads(body)["result"].items():
        made = context.assets.get(venue_id)
        assert (made.venue_id, made.decimals) == (venue_id, entry["decimals"])
