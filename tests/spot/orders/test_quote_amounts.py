"""Orders for an amount of the quote asset, such as "buy for 100 dollars": the amount is never shown as a quantity."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest

from exchange_core import serde
from exchange_core.cli.rows import order_row
from exchange_core.connector.partial import left_out
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, NotSupported, OrderRefused
from exchange_core.model.event import Event, OpenOrdersSnapshot, OrderUpdate
from exchange_core.model.fill import Fill
from exchange_core.model.order import OrderRequest, OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.routing.planner import check_routable
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


AMOUNT = Decimal(100)


@pytest.mark.parametrize(
    ("changes", "status", "filled", "spent"),
    [
        ({}, OrderStatus.FILLED, "0.00166611", "99.99999"),
        ({"status": "canceled"}, OrderStatus.CANCELED, "0.00166611", "99.99999"),
        ({"status": "pending", "vol_exec": "0.00000000", "cost": "0"}, OrderStatus.PENDING, "0", "0"),
        ({"status": "open", "vol_exec": "0.00000000", "cost": "0.00000"}, OrderStatus.OPEN, "0", "0"),
        ({"status": "open", "cost": "50.5"}, OrderStatus.PARTIALLY_FILLED, "0.00166611", "50.5"),
        ({"status": "canceled", "vol_exec": "0.00000000", "cost": "0"}, OrderStatus.CANCELED, "0", "0"),
    ],
    ids=["all", "a part", "scheduled", "open", "open and partly executed", "ended in vain"],
)
def test_it_shows_what_it_is_for_what_it_bought_and_what_that_cost(
    rest: KrakenSpotRest, run: Any, changes: dict[str, Any], status: OrderStatus, filled: str, spent: str
) -> None:
    order = run(rest.look_up(TXID), {TXID: record(**changes)})
    assert (order.status, order.filled, order.spent) == (status, Decimal(filled), Decimal(spent))
    assert order.unspent == AMOUNT - Decimal(spent)
    assert order.request.quote_amount == AMOUNT
    # The amount is never a quantity, and nobody can say one.
    assert (order.quantity, order.remaining, order.request.type) == (None, None, OrderType.MARKET)


def test_what_it_spent_is_not_made_up(rest: KrakenSpotRest, run: Any) -> None:
    told = record()
    del told["cost"]
    order = run(rest.look_up(TXID), {TXID: told})
    assert (order.spent, order.unspent, order.filled) == (None, None, Decimal("0.00166611"))


def test_a_part_is_not_taken_for_all_of_it(rest: KrakenSpotRest, run: Any) -> None:
    """The venue says that this is not how it ended."""
    tracker = OrderTracker("kraken")
    order = tracker.answered(run(rest.look_up(TXID), {TXID: record(status="canceled")}), NOW)
    assert (order.status, order.filled, order.spent) == (
        OrderStatus.CANCELED,
        Decimal("0.00166611"),
        Decimal("99.99999"),
    )


def test_no_quantity_proves_its_end(rest: KrakenSpotRest, run: Any) -> None:
    tracker = OrderTracker("kraken")
    order = tracker.answered(run(rest.look_up(TXID), {TXID: record(status="open", vol_exec="100")}), NOW)
    assert (order.status, order.filled) == (OrderStatus.PARTIALLY_FILLED, 100)


def test_the_list_of_open_orders_has_it(rest: KrakenSpotRest, run: Any) -> None:
    (order,) = found = run(rest.open_orders(), {"open": {TXID: record(status="open", vol_exec="0", cost="0")}})
    assert (left_out(found), rest.skipped) == ((), {})
    assert (order.venue_order_id, order.request.quote_amount) == (TXID, AMOUNT)


def test_a_row_of_it_shows_no_quantity(rest: KrakenSpotRest, run: Any) -> None:
    row = order_row(run(rest.look_up(TXID), {TXID: record(status="canceled", cost="99.5")}))
    assert (row["quantity"], row["remaining"]) == (None, None)
    assert (row["quote_amount"], row["filled"], row["spent"], row["unspent"]) == (
        AMOUNT,
        Decimal("0.00166611"),
        Decimal("99.5"),
        Decimal("0.5"),
    )


def test_a_route_refuses_it() -> None:
    wanted = OrderRequest(symbol="BTC/USD", side="buy", quote_amount=100)
    with pytest.raises(NotSupported, match="route BTC/USD: quote_amount cannot be routed"):
        check_routable(wanted)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({}, "BTC/USD: quantity is missing; give it, or quote_amount"),
        ({"quantity": 1, "quote_amount": 1}, "an order is for a quantity or for a quote_amount, not for both"),
        ({"quote_amount": 0}, "quote_amount: 0 is not above zero"),
        ({"quote_amount": 0.5}, "quote_amount: 0.5 is a float"),
        ({"quote_amount": 1, "price": 1, "display_quantity": 1}, "display_quantity needs a quantity"),
    ],
)
def test_an_order_is_for_one_of_the_two(terms: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        OrderRequest(symbol="BTC/USD", side="buy", **terms)


def test_asking_for_its_quantity_is_refused() -> None:
    with pytest.raises(InvalidValue, match="BTC/USD: an order for 100 USD has no quantity"):
        OrderRequest(symbol="BTC/USD", side="buy", quote_amount=100).require_quantity()


def test_it_goes_through_json() -> None:
    wanted = OrderRequest(symbol="BTC/USD", side="buy", quote_amount="100.50")
    assert serde.loads(serde.dumps(wanted), OrderRequest) == wanted
    assert '"quantity":null,"quote_amount":"100.50"' in serde.dumps(wanted)


def test_less_than_the_least_cost_is_refused_before_sending(context: VenueContext) -> None:
    instrument = attrs.evolve(context.symbols.instrument(Symbol.parse("BTC/USD")), min_cost=Decimal("0.5"))
    instrument.check(OrderRequest(symbol="BTC/USD", side="buy", quote_amount="0.5"))
    with pytest.raises(OrderRefused, match=r"BTC/USD: quote_amount 0\.49 is below the minimum; least is 0\.5 USD"):
        instrument.check(OrderRequest(symbol="BTC/USD", side="buy", quote_amount="0.49"))


def test_what_is_shown_is_no_way_to_place_one(rest: KrakenSpotRest, run: Any) -> None:
    order = run(rest.look_up(TXID), {TXID: record(oflags="fciq", vol="0.1", refid="OPARNT-AAAAA-AAAAAA")})
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
    order = tracker.get(TXID)
    assert (order.status, order.filled, order.spent) == (OrderStatus.PARTIALLY_FILLED, Decimal("0.001"), 60)
    more = {"exec_id": "TGBB7L-HT5LX-J3BZ4B", "cum_qty": "0.0016", "last_qty": "0.0006", "cost": "35.99999"}
    told(TRADE | beside | more)
    assert tracker.get(TXID).status is OrderStatus.PARTIALLY_FILLED
    told(END)
    order = tracker.get(TXID)
    assert (order.status, order.filled) == (OrderStatus.FILLED, Decimal("0.0016"))
    assert (order.spent, order.unspent) == (Decimal("95.99999"), Decimal("4.00001"))
    assert (order.quantity, order.request.quote_amount) == (None, AMOUNT)


def test_one_that_ends_in_vain_says_so(told: Any) -> None:
    told(FIRST)
    _, tracker = told(END | {"exec_type": "canceled", "order_status": "canceled", "cum_qty": 0})
    order = tracker.get(TXID)
    assert (order.status, order.filled, order.spent) == (OrderStatus.CANCELED, 0, 0)


def test_its_end_after_a_part_shows_the_part(told: Any) -> None:
    told(FIRST, TRADE)
    _, tracker = told(END | {"exec_type": "canceled", "order_status": "canceled", "reason": "no liquidity"})
    order = tracker.get(TXID)
    assert (order.status, order.filled, order.remaining) == (OrderStatus.CANCELED, Decimal("0.001"), None)


def test_an_open_one_in_a_snapshot_is_one_that_is_open(told: Any) -> None:
    first = FIRST | {"exec_type": "new", "order_status": "partially_filled", "cum_qty": "0.001", "cum_cost": "60.5"}
    (snapshot,), tracker = told(first, kind="snapshot")
    (listed,) = snapshot.orders
    assert (listed.venue_order_id, listed.quantity, listed.spent) == (TXID, None, Decimal("60.5"))
    (order,) = tracker.all()
    assert (order.status, order.spent, order.request.quote_amount) == (
        OrderStatus.PARTIALLY_FILLED,
        Decimal("60.5"),
        AMOUNT,
    )


@pytest.mark.parametrize("quantity", [Decimal(100), None])
def test_no_news_gives_ours_a_quantity(quantity: Decimal | None) -> None:
    tracker = OrderTracker("kraken")
    wanted = OrderRequest(symbol="BTC/USD", side="buy", quote_amount=100, client_order_id="ours")
    tracker.sending(wanted, NOW)
    update = OrderUpdate(client_order_id="ours", venue_order_id=TXID, quantity=quantity, sequence_time=NOW)
    order = tracker.apply(update, NOW)
    assert order is not None
    assert order.request == wanted


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
    assert (order.filled, order.spent) == (fill.quantity, fill.cost)
    assert order.request == OrderRequest(
        symbol="BTC/USD", side=Side.BUY, quote_amount=100, client_order_id=client_order_id(1)
    )
    assert taker.run(rest.look_up(str(placed.id))) == order
