"""Orders with a userref, of which Kraken is told no client id: found by it, their terms and time, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import OrderNotFound, ProtocolError
from exchange_core.model.event import OrderUpdate
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.venue.orders import OrderTracker
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.terms import SpotTerms

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TXID, TWIN = "OAAAAA-BBBBB-CCCCCC", "OAAAAA-BBBBB-DDDDDD"
OPEN, CLOSED = {"open": {}}, {"closed": {}}


@pytest.fixture(scope="module")
def context(make_context: Callable[..., VenueContext]) -> VenueContext:
    return make_context(now=lambda: NOW)


@pytest.fixture
def rest(context: VenueContext) -> KrakenSpotRest:
    return KrakenSpotRest(context)


def request(**terms: Any) -> OrderRequest:
    plain = {
        "symbol": "BTC/USD",
        "side": "buy",
        "quantity": "0.01",
        "price": "60000.5",
        "client_order_id": "ours",
        "deadline": NOW + timedelta(seconds=5),
        "terms": SpotTerms(userref=7),
    }
    return OrderRequest(**plain | terms)


def sent(**terms: Any) -> Order:
    made = request(**terms)
    return Order(request=made, client_order_id=made.client_order_id, created=NOW, unknown=True)


def record(**changes: Any) -> dict[str, Any]:
    descr = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "60000.5", "price2": "0"}
    plain = {
        "status": "open",
        "userref": 7,
        "cl_ord_id": None,
        "opentm": NOW.timestamp() + 1,
        "descr": descr | changes.pop("descr", {}),
        "vol": "0.01000000",
        "vol_exec": "0.00000000",
        "cost": "0.00000",
    }
    return plain | changes


def params(run: Any) -> list[tuple[str, dict[str, Any]]]:
    return [
        (call.path.rpartition("/")[2], {name: value for name, value in call.params.items() if value is not None})
        for call in run.calls
    ]


def test_it_is_asked_for_by_its_userref_and_its_time(rest: KrakenSpotRest, run: Any) -> None:
    found = run(rest.find(sent()), {"open": {TXID: record()}}, CLOSED)
    assert (found.venue_order_id, found.client_order_id, found.status) == (TXID, "ours", OrderStatus.OPEN)
    began = int(NOW.timestamp())
    assert params(run) == [
        ("OpenOrders", {"userref": 7}),
        (
            "ClosedOrders",
            {"userref": 7, "start": began - 61, "end": began + 65, "closetime": "open", "without_count": True},
        ),
    ]


def test_one_that_is_over_is_found_too(rest: KrakenSpotRest, run: Any) -> None:
    over = record(status="closed", vol_exec="0.01", cost="600.005", closetm=NOW.timestamp() + 2)
    found = run(rest.find(sent()), OPEN, {"closed": {TXID: over}})
    assert (found.venue_order_id, found.status, found.filled) == (TXID, OrderStatus.FILLED, Decimal("0.01"))


@pytest.mark.parametrize(
    "changes",
    [
        {"userref": 8},
        {"userref": None},
        {"cl_ord_id": "18 other characters"[:18]},
        {"opentm": NOW.timestamp() - 61},
        {"opentm": NOW.timestamp() + 66},
        {"vol": "0.02"},
        {"oflags": "viqc"},
        {"descr": {"type": "sell"}},
        {"descr": {"price": "60000.6"}},
        {"descr": {"pair": "ETHUSD"}},
    ],
    ids=str,
)
def test_another_order_is_never_taken_for_it(rest: KrakenSpotRest, run: Any, changes: dict[str, Any]) -> None:
    assert run(rest.find(sent()), {"open": {TXID: record(**changes)}}, CLOSED) is None


def test_one_of_a_pair_in_no_list_is_never_taken_for_it(rest: KrakenSpotRest, run: Any, lists: Any) -> None:
    gone = {"open": {TXID: record(descr={"pair": "GONEUSD"})}}
    assert run(rest.find(sent()), gone, CLOSED, *lists) is None


STOP = {"type": "stop", "price": None, "trigger_price": "50000"}


@pytest.mark.parametrize(
    "descr",
    [
        {"ordertype": "take-profit", "price": "50000.0"},
        {"ordertype": "stop-loss", "price": "49000.0"},
        {"ordertype": "market", "price": "0"},
    ],
    ids=str,
)
def test_what_takes_the_profit_is_not_taken_for_what_limits_the_loss(
    rest: KrakenSpotRest, run: Any, descr: dict[str, str]
) -> None:
    """Both are as large as their position, have no limit, and may have one userref."""
    assert run(rest.find(sent(**STOP)), {"open": {TWIN: record(descr=descr)}}, CLOSED) is None
    ours = record(descr={"ordertype": "stop-loss", "price": "50000.0"})
    found = run(rest.find(sent(**STOP)), {"open": {TWIN: record(descr=descr), TXID: ours}}, CLOSED)
    assert found.venue_order_id == TXID


def test_a_trailing_stop_is_told_from_one_that_trails_otherwise(rest: KrakenSpotRest, run: Any) -> None:
    trailing = {"type": "trailing_stop", "price": None, "trail": "100"}
    for price, found in (("+100.0", True), ("+200.0", False)):
        shown = {"open": {TXID: record(descr={"ordertype": "trailing-stop", "price": price})}}
        assert (run(rest.find(sent(**trailing)), shown, CLOSED) is not None) is found


@pytest.mark.parametrize("changes", [{"vol": "much"}, {"status": "dreaming"}, {"descr": {"ordertype": "moon-shot"}}])
def test_a_record_that_does_not_read_is_not_taken_for_nowhere(
    rest: KrakenSpotRest, run: Any, changes: dict[str, Any]
) -> None:
    with pytest.raises(ProtocolError):
        run(rest.find(sent()), {"open": {TXID: record(**changes)}}, CLOSED)


def test_which_of_two_it_is_cannot_be_told(rest: KrakenSpotRest, run: Any) -> None:
    with pytest.raises(ProtocolError, match=f"userref 7 and the terms of our order are those of {TXID}, {TWIN}; which"):
        run(rest.find(sent()), {"open": {TXID: record(), TWIN: record()}}, CLOSED)


def test_one_that_is_known_to_be_another_of_ours_is_left_out(rest: KrakenSpotRest, run: Any) -> None:
    run(rest.place(request(client_order_id="twin")), {"descr": {"order": "buy"}, "txid": [TWIN]})
    found = run(rest.find(sent()), {"open": {TXID: record(), TWIN: record()}}, CLOSED)
    assert found.venue_order_id == TXID
    assert run(rest.find(sent(client_order_id="third")), {"open": {TXID: record(), TWIN: record()}}, CLOSED) is None
    assert run(rest.find(sent()), {"open": {TXID: record(), TWIN: record()}}, CLOSED).venue_order_id == TXID


def test_those_of_a_batch_are_known_too(rest: KrakenSpotRest, run: Any) -> None:
    answer = {"orders": [{"txid": one, "descr": {"order": "buy"}} for one in (TWIN, TXID)]}
    run(rest.place_batch([request(client_order_id="one"), request(client_order_id="two")]), answer)
    assert run(rest.find(sent()), {"open": {TXID: record(), TWIN: record()}}, CLOSED) is None


def test_every_page_of_finished_ones_is_read(rest: KrakenSpotRest, run: Any) -> None:
    others = {f"O{number:05}-AAAAA-AAAAAA": record(status="canceled", vol="0.5") for number in range(50)}
    found = run(
        rest.find(sent()), OPEN, {"closed": others}, {"closed": others}, {"closed": {TXID: record(status="canceled")}}
    )
    assert found.venue_order_id == TXID
    assert [given.get("ofs") for name, given in params(run) if name == "ClosedOrders"] == [None, 50, 100]


def test_without_end_it_is_not_taken_for_nowhere(rest: KrakenSpotRest, run: Any) -> None:
    others = {"closed": {f"O{number:05}-AAAAA-AAAAAA": record(status="canceled", vol="0.5") for number in range(50)}}
    with pytest.raises(ProtocolError, match="more than 1000 finished orders have userref 7"):
        run(rest.find(sent()), OPEN, *[others] * 20)


def test_by_an_offset_it_has_whatever_price_that_came_to(rest: KrakenSpotRest, run: Any) -> None:
    order = sent(type="limit", price=None, terms=SpotTerms(userref=7, price_offset="-5%"))
    found = run(rest.find(order), {"open": {TXID: record()}}, CLOSED)
    assert (found.venue_order_id, found.price) == (TXID, Decimal("60000.5"))
    assert found.request.terms == order.request.terms


def test_a_cancel_names_it_by_krakens_id_and_never_by_what_others_have_too(rest: KrakenSpotRest, run: Any) -> None:
    run(rest.cancel(sent()), {"open": {TXID: record(), TWIN: record(vol="0.5")}}, CLOSED, {"count": 1})
    assert params(run)[-1] == ("CancelOrder", {"txid": TXID})


def test_a_cancel_of_what_is_not_there_sends_none(rest: KrakenSpotRest, run: Any) -> None:
    with pytest.raises(OrderNotFound, match="order ours is not there to cancel"):
        run(rest.cancel(sent()), OPEN, CLOSED)
    assert [name for name, _ in params(run)] == ["OpenOrders", "ClosedOrders"]


def test_several_cancels_look_for_it_first(rest: KrakenSpotRest, run: Any) -> None:
    known = attrs.evolve(sent(client_order_id="twin"), venue_order_id=TWIN)
    run(rest.cancel_batch([known, sent()]), {"open": {TXID: record()}}, CLOSED, {"count": 2})
    assert params(run)[-1] == ("CancelOrderBatch", {"orders": [TWIN, TXID]})
    run(rest.cancel_batch([sent(client_order_id="third")]), OPEN, CLOSED)
    assert [name for name, _ in params(run)][-2:] == ["OpenOrders", "ClosedOrders"]


def test_once_its_id_is_known_it_is_asked_for_by_that(rest: KrakenSpotRest, run: Any) -> None:
    known = attrs.evolve(sent(), venue_order_id=TXID)
    assert run(rest.find(known), {TXID: record()}).venue_order_id == TXID
    assert run(rest.find(known), {}) is None


def test_what_the_feed_said_before_the_answer_is_of_the_same_order() -> None:
    """It names no client id, so it looks like another's until the answer tells Kraken's id."""
    tracker = OrderTracker("kraken")
    own = SpotTerms(userref=7, trigger_offset="+5%")
    ours = tracker.sending(request(type="stop", price=None, terms=own), NOW)
    shown = request(type="stop", price=None, trigger_price="63000", client_order_id=None, terms=own)
    told = OrderUpdate(
        venue_order_id=TXID, status=OrderStatus.OPEN, sequence_time=NOW, trigger_price=Decimal(63000), request=shown
    )
    tracker.apply(told, NOW)
    assert len(tracker.all()) == 2
    answer = attrs.evolve(ours, venue_order_id=TXID)
    order = tracker.answered(answer, NOW, about=ours)
    assert tracker.all() == [order]
    assert (order.client_order_id, order.status, order.request.trigger_price) == ("ours", OrderStatus.OPEN, 63000)
