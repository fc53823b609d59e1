"""Orders for an amount of the quote asset, such as "buy for 100 dollars": shown as what they bought, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from exchange_core.connector.partial import left_out
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported, ProtocolError
from exchange_core.model.event import Event, OpenOrdersSnapshot, OrderUpdate
from exchange_core.model.fill import Fill
from exchange_core.model.order import OrderRequest, OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.testing.walking import take, walk
from exchange_core.testing.world import World
from exchange_core.venue.orders import OrderTracker
from kraken_spot.feed.account import Executions
from kraken_spot.history import KrakenSpotHistory
from kraken_spot.orders.client_ids import client_order_id
from kraken_spot.orders.terms import SpotOrder
from kraken_spot.plugin import KRAKEN_SPOT
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.terms import ShownTerms
from kraken_spot.wire.feed import Executions as Message

TXID = "OQCLML-BW3P3-BUCMWZ"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def record(**changes: Any) -> dict[str, Any]:
    descr = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "price": "0", "price2": "0", "leverage": "none"}
    return {
        "refid": None,
        "status": "closed",
        "opentm": 1700000000.5,
        "closetm": 1700000001.5,
        "descr": descr,
        "vol": "100.00000",
        "vol_exec": "0.00166611",
        "cost": "99.99999",
        "fee": "0.39999",
        "price": "60020.0",
        "misc": "",
        "oflags": "fciq,viqc",
    } | changes


@pytest.mark.parametrize(
    ("word", "status"), [("closed", OrderStatus.FILLED), ("canceled", OrderStatus.CANCELED)], ids=["all", "a part"]
)
def test_a_finished_one_shows_what_it_bought(rest: KrakenSpotRest, run: Any, word: str, status: OrderStatus) -> None:
    order = run(rest.look_up(TXID), {TXID: record(status=word)})
    assert (order.status, order.quantity, order.filled, order.remaining) == (
        status,
        Decimal("0.00166611"),
        Decimal("0.00166611"),
        0,
    )
    assert (order.request.type, order.request.price, order.average_price) == (OrderType.MARKET, None, 60020)
    assert order.request.terms == ShownTerms(quote_amount=Decimal(100))


def test_a_part_is_not_taken_for_all_of_it(rest: KrakenSpotRest, run: Any) -> None:
    """Its quantity is what was executed, and the venue says that this is not how it ended."""
    tracker = OrderTracker("kraken")
    order = tracker.answered(run(rest.look_up(TXID), {TXID: record(status="canceled")}), NOW)
    assert (order.status, order.filled) == (OrderStatus.CANCELED, Decimal("0.00166611"))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "pending", "vol_exec": "0.00000000"},
        {"status": "open", "vol_exec": "0.00000000"},
        {"status": "open"},
        {"status": "canceled", "vol_exec": "0.00000000"},
    ],
    ids=["scheduled", "open", "open and partly executed", "ended in vain"],
)
def test_a_quantity_that_nobody_knows_is_not_made_up(rest: KrakenSpotRest, run: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match=r"it is to spend 100\.00000 USD, and its quantity in BTC is known once"):
        run(rest.look_up(TXID), {TXID: record(**changes)})


def test_the_list_of_open_orders_says_which_one_it_lacks(rest: KrakenSpotRest, run: Any) -> None:
    found = run(rest.open_orders(), {"open": {TXID: record(status="open", vol_exec="0")}})
    assert found == []
    assert left_out(found) == (f"order {TXID}: {rest.skipped[f'order {TXID}']}",)
    assert "open; it is to spend 100.00000 USD" in left_out(found)[0]


def test_what_is_shown_is_no_way_to_place_one(rest: KrakenSpotRest, run: Any) -> None:
    order = run(rest.look_up(TXID), {TXID: record()})
    with pytest.raises(NotSupported, match="terms: ShownTerms are those of an order that was placed"):
        rest.place(order.request)


def test_the_order_that_a_conditional_close_made_names_its_parent(rest: KrakenSpotRest, run: Any) -> None:
    order = run(rest.look_up(TXID), {TXID: record(oflags="fciq", vol="0.1", refid="OPARNT-AAAAA-AAAAAA")})
    assert order.request.terms == ShownTerms(parent="OPARNT-AAAAA-AAAAAA")


# The live feed.

FIRST = {
    "order_id": TXID,
    "symbol": "BTC/USD",
    "side": "buy",
    "order_type": "market",
    "cash_order_qty": 100,
    "exec_type": "pending_new",
    "order_status": "pending_new",
    "timestamp": "2026-01-01T00:00:00.000001Z",
}
TRADE = {
    "order_id": TXID,
    "symbol": "BTC/USD",
    "side": "buy",
    "exec_id": "TGBB7L-HT5LX-J3BZ4A",
    "exec_type": "trade",
    "order_status": "partially_filled",
    "last_qty": "0.001",
    "last_price": 60000,
    "cum_qty": "0.001",
    "avg_price": 60000,
    "fees": [{"asset": "USD", "qty": 0.24}],
    "timestamp": "2026-01-01T00:00:00.000002Z",
}
END = {
    "order_id": TXID,
    "exec_type": "filled",
    "order_status": "filled",
    "timestamp": "2026-01-01T00:00:00.000004Z",
}


@pytest.fixture
def told(context: VenueContext) -> Any:
    """Tell the feed entries of executions, and a tracker what it makes of them."""
    feed, tracker = Executions(context), OrderTracker("kraken")

    def tell(*entries: dict[str, Any], kind: str = "update") -> tuple[list[Event], OrderTracker]:
        raws = [msgspec.Raw(msgspec.json.encode(entry)) for entry in entries]
        events = feed.receive(Message(type=kind, data=raws), continues=False)
        for event in events:
            if isinstance(event, OrderUpdate):
                tracker.apply(event, NOW)
            elif isinstance(event, Fill):
                tracker.fill(event, NOW)
            elif isinstance(event, OpenOrdersSnapshot):
                tracker.snapshot(event, NOW)
        return events, tracker

    return tell


@pytest.mark.parametrize("beside", [{}, {"order_qty": 0}, {"order_qty": 100}], ids=["nothing", "zero", "the amount"])
def test_it_is_filled_when_the_venue_says_so_and_no_sooner(told: Any, beside: dict[str, Any]) -> None:
    told(FIRST | beside)
    _, tracker = told(TRADE | beside)
    assert tracker.get(TXID) is None
    more = {"exec_id": "TGBB7L-HT5LX-J3BZ4B", "cum_qty": "0.0016", "last_qty": "0.0006"}
    told(TRADE | beside | more)
    assert tracker.get(TXID) is None
    told(END)
    order = tracker.get(TXID)
    assert order is not None
    assert (order.status, order.quantity, order.filled) == (OrderStatus.FILLED, Decimal("0.0016"), Decimal("0.0016"))
    assert order.request.terms == ShownTerms(quote_amount=Decimal(100))


def test_one_that_ends_in_vain_is_no_order_that_can_be_shown(told: Any) -> None:
    told(FIRST)
    _, tracker = told(END | {"exec_type": "canceled", "order_status": "canceled", "cum_qty": 0})
    assert tracker.all() == []


def test_its_end_after_a_part_shows_the_part(told: Any) -> None:
    told(FIRST, TRADE)
    _, tracker = told(END | {"exec_type": "canceled", "order_status": "canceled", "reason": "no liquidity"})
    order = tracker.get(TXID)
    assert order is not None
    assert (order.status, order.filled, order.remaining) == (OrderStatus.CANCELED, Decimal("0.001"), 0)


def test_an_open_one_in_a_snapshot_counts_as_listed(told: Any) -> None:
    (snapshot,), tracker = told(FIRST | {"exec_type": "new", "order_status": "new"}, kind="snapshot")
    (listed,) = snapshot.orders
    assert (listed.venue_order_id, listed.quantity, listed.request) == (TXID, None, None)
    assert tracker.all() == []


def test_a_liquidation_and_a_parent_are_told(told: Any) -> None:
    first = {name: value for name, value in FIRST.items() if name != "cash_order_qty"}
    (update,), _ = told(first | {"order_qty": 1, "ord_ref_id": "OPARNT-AAAAA-AAAAAA"})
    assert update.request.terms == ShownTerms(parent="OPARNT-AAAAA-AAAAAA")
    fill, _ = told(TRADE | {"liquidated": True})[0]
    assert fill.kind == "liquidated"
    fill, _ = told(TRADE | {"exec_id": "T2"})[0]
    assert fill.kind == ""


# The simulated venue.


def test_the_past_of_somebody_who_bought_for_a_hundred_dollars() -> None:
    world = World(KRAKEN_SPOT)
    maker, taker = world.client("maker"), world.client("taker")
    maker.place("sell", "0.5", "60000")
    rest = taker.rest
    assert isinstance(rest, KrakenSpotRest)
    wanted = SpotOrder(
        symbol="BTC/USD",
        side="buy",
        type="market",
        quantity="100",
        quantity_in_quote=True,
        client_order_id=client_order_id(1),
    )
    placed = taker.run(rest.trading.add(wanted))
    stream = walk(KrakenSpotHistory(taker.context).orders(None, None), taker.answer)
    (order,) = take(stream, 10)
    (fill,) = taker.run(rest.fills(None))
    assert (order.venue_order_id, order.status) == (placed.id, OrderStatus.FILLED)
    assert order.quantity == order.filled == fill.quantity
    assert order.request == OrderRequest(
        symbol="BTC/USD",
        side=Side.BUY,
        quantity=fill.quantity,
        client_order_id=client_order_id(1),
        terms=ShownTerms(quote_amount=Decimal(100)),
    )
    assert taker.run(rest.look_up(str(placed.id))) == order
