"""Recorded requests about orders over the live connection, played back: what was sent, and what each came to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.connector.rest import Flow
from exchange_core.errors import AuthenticationError, InsufficientFunds, OrderNotFound, OrderRefused
from exchange_core.model.event import Answered, Channel, OrderUpdate, Subscription
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.storage.recording import frames
from exchange_core.testing.cassettes import CassettePlayer
from kraken_spot.feed.trading import METHODS
from kraken_spot.orders.terms import Amendment, ConditionalClose, Edit, SpotOrder
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.types.trading import Canceled, DeadManSwitch, NotPlaced

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes" / "kraken_spot" / "feed"
BTC = Symbol("BTC", "USD")
NOW = datetime(2026, 1, 1, 0, 1, 15, tzinfo=UTC)
UNKNOWN = "OAAAAA-AAAAA-AAAAAA"
ORDERS = [Subscription(Channel.ORDERS)]


def client_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def order(number: int, side: str, quantity: str, price: str | None = None, **terms: Any) -> SpotOrder:
    usual = {"type": "limit", "client_order_id": client_id(number), "limit_price": price}
    return SpotOrder(symbol=BTC, side=side, quantity=quantity, **{**usual, **terms})


THREE = [
    order(11, "buy", "0.01", "82000"),
    order(12, "sell", "50", "85000"),
    order(13, "sell", "0.01", "85000", time_in_force="GTD", expire=NOW.replace(minute=10)),
]
MINE = Order(request=OrderRequest(symbol=BTC, side="buy", quantity="0.02", price="83100"), client_order_id=client_id(1))


def asked(do: KrakenSpotRest) -> Iterator[Flow[Any]]:
    """Yield what was asked for when it was recorded."""
    trading = do.trading
    yield trading.add(order(1, "buy", "0.01", "83000", post_only=True, deadline=NOW + timedelta(seconds=5)))
    close = ConditionalClose(type="take-profit", trigger_price="86000")
    yield trading.add(order(2, "buy", "0.01", "83500", close=close))
    stop = {"type": "stop-loss-limit", "trigger_price": "80000", "trigger": "index"}
    yield trading.add(order(3, "sell", "0.01", "79900", **stop))
    yield trading.add(order(4, "sell", "0.01", "-10", type="trailing-stop-limit", trigger_price="+1.5%"))
    yield trading.add(order(5, "sell", "50", "85000"))
    yield trading.amend(Amendment(symbol=BTC, client_order_id=client_id(1), quantity="0.02", limit_price="83100"))
    yield trading.amend(Amendment(symbol=BTC, txid=UNKNOWN, quantity="0.02"))
    yield trading.add(order(6, "buy", "0.01", "82000", client_order_id=None, userref=6))
    edit = Edit(symbol=BTC, txid="OY6BM5-6FMP7-F3PRTT", type="limit", limit_price="82100", userref=7)
    yield trading.edit(edit)
    yield trading.edit(edit)
    yield trading.add_batch(THREE)
    nowhere = order(14, "sell", "0.01", type="stop-loss", trigger_price="-90000")
    yield trading.add_batch([THREE[0], nowhere])
    yield do.cancel(MINE)
    yield do.cancel(MINE)
    yield trading.cancel_batch(client_order_ids=[client_id(2), client_id(11)], symbol=BTC)
    yield trading.cancel_batch(txids=[UNKNOWN, "nonsense"], symbol=BTC)
    yield trading.cancel_all_after(timedelta(seconds=60))
    yield trading.cancel_all_after(timedelta(0))
    yield trading.cancel_all()


async def test_each_request_is_answered_over_the_line(player: CassettePlayer) -> None:
    """The answer comes after the news of what it did, and names its request; nothing is asked twice."""
    feed, told, outcomes = player.converse("orders", ORDERS, asked)
    numbers = [event.request_id for event in told if isinstance(event, Answered)]
    assert numbers == [*range(2, 21)], "1 is the subscription"
    placed = [outcome.id for outcome in (*outcomes[:4], outcomes[7])]
    assert placed == [
        "OME4K4-RWLYN-YFMGXF",
        "OCZKJP-DA4L7-U4TBHI",
        "O66VJK-GVMSF-RCMQ7P",
        "OUGWDY-M7SAD-TDXHIO",
        "OY6BM5-6FMP7-F3PRTT",
    ]
    refused, amended, unknown = outcomes[4:7]
    assert isinstance(refused, InsufficientFunds)
    assert refused.codes == ("EOrder:Insufficient funds",)
    assert amended == "TQN6QS-37DUO-ZUCRTV"
    assert isinstance(unknown, OrderNotFound)
    assert not feed.stats.unknown


async def test_edits_and_batches_over_the_line(player: CassettePlayer) -> None:
    _, told, outcomes = player.converse("orders", ORDERS, asked)
    edited, gone, batch, nonsense = outcomes[8:12]
    assert (edited.id, edited.replaced, edited.userref) == ("OBN6PN-JQMTJ-LQJPUI", "OY6BM5-6FMP7-F3PRTT", 7)
    assert (edited.quantity, edited.price) == (None, None), "a frame does not tell"
    assert isinstance(gone, OrderNotFound)
    first, failed, last = batch.items
    assert (first.id, last.id) == ("OR5JVW-XJAAY-HSBUFN", "OYVMB4-KXMBS-7X6KCZ")
    assert isinstance(failed, NotPlaced)
    assert isinstance(failed.error, InsufficientFunds)
    assert isinstance(nonsense, OrderRefused)
    assert nonsense.codes == ("EOrder:Invalid price",)
    heard = {event.venue_order_id: event for event in told if isinstance(event, OrderUpdate)}
    assert str(heard["OY6BM5-6FMP7-F3PRTT"].status) == "canceled"
    assert heard[first.id].client_order_id == client_id(11)


async def test_cancels_over_the_line(player: CassettePlayer) -> None:
    _, _, outcomes = player.converse("orders", ORDERS, asked)
    canceled, again, two, nonsense, on, off, everything = outcomes[12:]
    assert canceled is None
    assert isinstance(again, OrderNotFound)
    assert two == Canceled(count=2, pending=False)
    assert isinstance(nonsense, OrderRefused)
    assert nonsense.codes == ("EOrder:Invalid order",)
    at = NOW + timedelta(seconds=1)
    assert on == DeadManSwitch(time=at, fires=at + timedelta(minutes=1))
    assert off == DeadManSwitch(time=at, fires=None)
    assert everything == Canceled(count=4, pending=False)


async def test_numbers_go_out_as_they_were_given(player: CassettePlayer) -> None:
    """Playing back compares frame by frame; here is one of them to read."""
    sent = [json.loads(frame.raw, parse_float=Decimal) for frame in frames(CASSETTES / "orders.stream.jsonl")]
    trailing = next(message for message in sent if message.get("req_id") == 5)
    assert trailing["params"] == {
        "symbol": "BTC/USD",
        "order_type": "trailing-stop-limit",
        "side": "sell",
        "order_qty": Decimal("0.01"),
        "limit_price": -10,
        "limit_price_type": "quote",
        "triggers": {"price": Decimal("1.5"), "price_type": "pct"},
        "cl_ord_id": client_id(4),
        "token": "SCRUBBED",
    }


def denied(do: KrakenSpotRest) -> Iterator[Flow[Any]]:
    """Yield one request of every method."""
    trading, first = do.trading, order(1, "buy", "0.01", "83000")
    yield trading.add(first)
    yield trading.amend(Amendment(symbol=BTC, txid=UNKNOWN, quantity="0.02"))
    yield trading.edit(Edit(symbol=BTC, txid=UNKNOWN, type="limit", quantity="0.02"))
    yield do.cancel(attrs.evolve(MINE, venue_order_id=UNKNOWN))
    yield trading.cancel_batch(txids=[UNKNOWN, "OBBBBB-BBBBB-BBBBBB"], symbol=BTC)
    yield trading.cancel_all()
    yield trading.cancel_all_after(timedelta(seconds=60))
    yield trading.add_batch([first, order(2, "buy", "0.01", "83000")])


async def test_a_key_that_may_only_look_is_told_so_by_each_method(player: CassettePlayer) -> None:
    _, _, outcomes = player.converse("orders_refused", ORDERS, denied)
    assert len(outcomes) == len(METHODS)
    assert {(type(outcome), outcome.codes) for outcome in outcomes} == {
        (AuthenticationError, ("EGeneral:Permission denied",))
    }


async def test_what_departs_from_the_recording_is_an_error(player: CassettePlayer) -> None:
    """Or else the tests above would say nothing."""
    with pytest.raises(AssertionError, match="recorded"):
        player.converse("orders_refused", ORDERS, lambda do: [do.trading.cancel_all()])
    with pytest.raises(AssertionError, match="nothing is sent; recorded"):
        player.converse("orders_refused", ORDERS, lambda do: [*denied(do)][:3])
    with pytest.raises(AssertionError, match="was not run"):
        player.converse("orders_refused", ORDERS, lambda do: [*denied(do), do.trading.cancel_all()])
