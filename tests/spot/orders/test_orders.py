"""Placing, cancelling and finding orders over REST. A double order is the worst bug there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.limits import Cost
from exchange_core.connector.spec import VenueContext
from exchange_core.connector.support import TERMS
from exchange_core.errors import (
    ExchangeError,
    InvalidValue,
    NotSupported,
    OrderNotFound,
    OutcomeUnknown,
    ProtocolError,
    UnknownSymbol,
)
from exchange_core.model.fill import Fee
from exchange_core.model.order import Order, OrderRequest, OrderStatus, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.orders.client_ids import client_order_id, is_same
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.terms import SUPPORT, SpotTerms

BTC = Symbol("BTC", "USD")
TXID = "OQCLML-BW3P3-BUCMWZ"
OURS = "2c6be801-1f53-4f79-a0bb-4ea1c95dfae9"


def request(**changes: Any) -> OrderRequest:
    terms: dict[str, Any] = {
        "symbol": "BTC/USD",
        "side": "buy",
        "quantity": "0.01",
        "price": "60000.5",
        "client_order_id": OURS,
    }
    return OrderRequest(**{**terms, **changes})


def sent(**changes: Any) -> Order:
    return Order(request=request(), venue="kraken", client_order_id=OURS, **changes)


def record(**changes: Any) -> dict[str, Any]:
    descr = {
        "pair": "XBTUSD",
        "type": "buy",
        "ordertype": "limit",
        "price": "60000.5",
        "price2": "0",
        "leverage": "none",
        "order": "buy 0.01000000 XBTUSD @ limit 60000.5",
        "close": "",
        **changes.pop("descr", {}),
    }
    return {
        "refid": None,
        "userref": 0,
        "cl_ord_id": OURS,
        "status": "open",
        "opentm": 1700000000.5,
        "starttm": 0,
        "expiretm": 0,
        "descr": descr,
        "vol": "0.01000000",
        "vol_exec": "0.00000000",
        "cost": "0.00000",
        "fee": "0.00000",
        "price": "0.00000",
        "misc": "",
        "oflags": "fciq",
        **changes,
    }


ACCEPTED = {"txid": [TXID], "descr": {"order": "buy 0.01000000 XBTUSD @ limit 60000.5"}}


def params(run: Any, number: int = 0) -> dict[str, Any]:
    return {name: value for name, value in run.calls[number].params.items() if value is not None}


def test_a_limit_order(rest: KrakenSpotRest, run: Any) -> None:
    """Accepted is not open: the answer has no status."""
    order = run(rest.place(request()), ACCEPTED)
    (call,) = run.calls
    assert (call.method, call.path, call.private, call.changes_state) == ("POST", "/0/private/AddOrder", True, True)
    assert call.costs == (Cost("engine", 1, key="XBTUSD"),)
    assert params(run) == {
        "pair": "XBTUSD",
        "type": "buy",
        "ordertype": "limit",
        "volume": "0.01",
        "price": "60000.5",
        "cl_ord_id": OURS,
    }
    assert order == Order(
        request=request(),
        venue="kraken",
        status=OrderStatus.PENDING,
        venue_order_id=TXID,
        client_order_id=OURS,
        unknown=False,
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"price": None}, {"ordertype": "market"}, id="market"),
        pytest.param({"price": None, "time_in_force": "ioc"}, {"ordertype": "market"}, id="a market order is ioc"),
        pytest.param({"post_only": True}, {"oflags": "post"}, id="post only"),
        pytest.param({"time_in_force": "ioc"}, {"timeinforce": "IOC"}, id="ioc"),
        pytest.param({"time_in_force": "fok"}, {"timeinforce": "FOK"}, id="fok"),
        pytest.param({"side": "sell"}, {"type": "sell"}, id="sell"),
        pytest.param(
            {"deadline": datetime(2026, 11, 24, 8, 0, 5, 120000, tzinfo=UTC)},
            {"deadline": "2026-11-24T08:00:05.120Z"},
            id="deadline",
        ),
        pytest.param(
            {"quantity": Decimal("1E+2"), "price": Decimal("6.1E+4")},
            {"volume": "100", "price": "61000"},
            id="plain digits",
        ),
    ],
)
def test_each_parameter_is_sent(rest: KrakenSpotRest, run: Any, changes: dict[str, Any], expected: Any) -> None:
    run(rest.place(request(**changes)), ACCEPTED)
    plain = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "60000.5"}
    wanted = {**plain, "cl_ord_id": OURS, **expected}
    if changes.get("price", "") is None:
        del wanted["price"]
    assert params(run) == wanted


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        pytest.param({"client_order_id": None}, NotSupported, "kraken: client_order_id: missing", id="no client id"),
        pytest.param({"price": None, "time_in_force": "fok"}, NotSupported, "kraken: time_in_force", id="market fok"),
        pytest.param({"client_order_id": "x" * 19}, InvalidValue, "client_order_id", id="too long a client id"),
        pytest.param({"client_order_id": "sch\u00f6n"}, InvalidValue, "client_order_id", id="client id beyond ASCII"),
        pytest.param({"client_order_id": ""}, InvalidValue, "client_order_id", id="empty client id"),
        pytest.param({"symbol": "BTC/XXX"}, UnknownSymbol, "BTC/XXX", id="unknown symbol"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(
    rest: KrakenSpotRest, run: Any, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run(rest.place(request(**changes)))
    assert not run.calls


def test_the_support_table_names_every_part_of_an_order() -> None:
    assert set(SUPPORT) == set(TERMS)
    assert set(SUPPORT.values()) == {"honoured"}


@pytest.mark.parametrize("client_id", [OURS, OURS.replace("-", ""), "mine-0001", "x" * 18])
def test_client_ids_that_kraken_takes(rest: KrakenSpotRest, run: Any, client_id: str) -> None:
    run(rest.place(request(client_order_id=client_id)), ACCEPTED)
    assert params(run)["cl_ord_id"] == client_id


def test_our_client_ids_are_uuids_with_dashes() -> None:
    made = client_order_id(2**128 - 1)
    assert UUID(made).version == 4
    assert len(made) == 36
    assert client_order_id(0) != made


def test_a_uuid_is_the_same_in_every_spelling_and_other_text_only_as_it_is() -> None:
    assert is_same(OURS, OURS.replace("-", "").upper())
    assert not is_same("arb-1", "arb1")
    assert not is_same("Arb1", "arb1")


@given(st.integers(0, 2**128 - 1))
def test_a_client_id_is_a_random_uuid_as_the_standard_library_writes_it(bits: int) -> None:
    assert client_order_id(bits) == str(UUID(int=bits, version=4))


def test_an_acceptance_without_an_id_is_unknown(rest: KrakenSpotRest, run: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        run(rest.place(request()), {"txid": [], "descr": {}})
    with pytest.raises(OutcomeUnknown):
        run(rest.place(request()), {"descr": {"order": "validated"}})


def test_an_order_is_sent_once(rest: KrakenSpotRest, run: Any) -> None:
    """Whatever goes wrong, the flow itself never sends it again."""
    for error in (OutcomeUnknown("no answer"), OrderNotFound("x"), ProtocolError("x")):
        run.calls.clear()
        with pytest.raises(ExchangeError):
            run(rest.place(request()), error)
        assert len(run.calls) == 1


# Cancelling


def test_cancel_by_the_venues_id(rest: KrakenSpotRest, run: Any) -> None:
    assert run(rest.cancel(sent(venue_order_id=TXID)), {"count": 1}) is None
    (call,) = run.calls
    assert (call.path, call.changes_state) == ("/0/private/CancelOrder", True)
    assert call.params == {"txid": TXID}
    assert call.costs == (Cost("engine", 8, key="XBTUSD", urgent=True),)


def test_cancel_by_our_id(rest: KrakenSpotRest, run: Any) -> None:
    run(rest.cancel(sent()), {"count": 0, "pending": True})
    assert run.calls[0].params == {"cl_ord_id": OURS}


def test_an_old_order_is_cheap_to_cancel(make_context: Callable[..., VenueContext], run: Any) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    rest = KrakenSpotRest(make_context(now=lambda: now))
    run(rest.cancel(sent(venue_order_id=TXID, created=now - timedelta(seconds=50))), {"count": 1})
    assert run.calls[0].costs[0].amount == 2


def test_nothing_to_cancel(rest: KrakenSpotRest, run: Any) -> None:
    with pytest.raises(OrderNotFound):
        run(rest.cancel(sent(venue_order_id=TXID)), {"count": 0})
    with pytest.raises(OrderNotFound):
        run(rest.cancel(sent(venue_order_id=TXID)), b'{"error":["EOrder:Unknown order"]}')


@pytest.mark.parametrize("order", [Order(request=request(client_order_id=None)), sent(venue_order_id="1234")])
def test_a_cancel_is_never_wider_than_one_order(rest: KrakenSpotRest, run: Any, order: Order) -> None:
    """A number would be read as a userref, and cancel whatever carries it."""
    with pytest.raises(InvalidValue):
        run(rest.cancel(order))
    assert not run.calls


# What became of an order


def test_find_by_the_venues_id(rest: KrakenSpotRest, run: Any) -> None:
    answer = {TXID: record(status="closed", vol_exec="0.01", price="59999.9", fee="1.2", closetm=1700000005)}
    found = run(rest.find(sent(venue_order_id=TXID)), answer)
    assert run.calls[0].path == "/0/private/QueryOrders"
    assert run.calls[0].params == {"txid": TXID}
    assert found.status is OrderStatus.FILLED
    assert found.filled == Decimal("0.01")
    assert found.average_price == Decimal("59999.9")
    assert found.fees == (Fee(asset="USD", amount=Decimal("1.2")),)
    assert found.request == request()
    assert found.client_order_id == OURS
    assert not found.unknown


def test_find_by_our_id_looks_among_the_open_then_the_finished(rest: KrakenSpotRest, run: Any) -> None:
    """A fast fill never shows among the open ones."""
    closed = {"closed": {TXID: record(status="closed", vol_exec="0.01", price="60000")}}
    found = run(rest.find(sent()), {"open": {}}, closed)
    assert [(call.path.rpartition("/")[2], call.params) for call in run.calls] == [
        ("OpenOrders", {"cl_ord_id": OURS}),
        ("ClosedOrders", {"cl_ord_id": OURS, "without_count": True}),
    ]
    assert all(call.costs[0].urgent for call in run.calls)
    assert found.status is OrderStatus.FILLED
    assert found.venue_order_id == TXID


def test_find_stops_at_the_open_ones(rest: KrakenSpotRest, run: Any) -> None:
    found = run(rest.find(sent(unknown=True)), {"open": {TXID: record()}})
    assert found.status is OrderStatus.OPEN
    assert not found.unknown
    assert found.created == datetime.fromtimestamp(1700000000.5, UTC)


@pytest.mark.parametrize("cl_ord_id", [OURS, None])
def test_an_earlier_order_with_the_same_client_id_is_not_it(rest: KrakenSpotRest, run: Any, cl_ord_id: Any) -> None:
    """An order of yesterday that was filled says nothing of one whose answer was lost just now."""
    opened = datetime.fromtimestamp(1700000000.5, UTC)
    earlier = {"closed": {TXID: record(status="closed", vol_exec="0.01", cl_ord_id=cl_ord_id)}}
    assert run(rest.find(sent(created=opened + timedelta(hours=1))), {"open": {}}, earlier) is None
    assert run(rest.find(sent(created=opened + timedelta(seconds=50))), {"open": {}}, earlier) is not None


def test_an_order_whose_venue_id_is_known_is_no_other_with_its_client_id(rest: KrakenSpotRest, run: Any) -> None:
    other = {"open": {"OTHER1-AAAAA-BBBBBB": record()}}
    assert run(rest.find(sent(venue_order_id=TXID)), {}, other, {"closed": {}}) is None


def test_an_order_that_is_over_is_known_by_the_venues_id_alone(rest: KrakenSpotRest, run: Any) -> None:
    ended = record(status="canceled", vol_exec="0.004", price="60000.5", closetm=1700000005, reason="User requested")
    found = run(rest.look_up(TXID), {TXID: ended})
    assert [call.params for call in run.calls] == [{"txid": TXID}]
    assert (found.status, found.filled, found.reason) == (OrderStatus.CANCELED, Decimal("0.004"), "User requested")
    assert found.created == datetime.fromtimestamp(1700000000.5, UTC)
    assert found.updated == datetime.fromtimestamp(1700000005, UTC)


def test_of_finished_orders_with_our_id_the_newest_is_meant(rest: KrakenSpotRest, run: Any) -> None:
    """Records without the id prove nothing: the filter may have been ignored."""
    closed = {
        "NEWEST-AAAAA-BBBBBB": record(cl_ord_id=None, status="closed", opentm=1700000300),
        "NEWER1-AAAAA-BBBBBB": record(status="expired", opentm=1700000200, cl_ord_id=OURS.replace("-", "").upper()),
        TXID: record(status="canceled", opentm=1700000100),
    }
    refused = b'{"error":["EOrder:Invalid order"]}'
    found = run(rest.look_up(OURS), refused, {"closed": closed})
    assert (found.venue_order_id, found.status) == ("NEWER1-AAAAA-BBBBBB", OrderStatus.EXPIRED)
    assert run.calls[1].params == {"cl_ord_id": OURS, "without_count": True}


@pytest.mark.parametrize("answers", [[{}, {"closed": {}}], [b'{"error":["EOrder:Unknown order"]}', {"closed": {}}]])
def test_an_id_that_nothing_has(rest: KrakenSpotRest, run: Any, answers: list[Any]) -> None:
    assert run(rest.look_up("nobody"), *answers) is None


def test_what_can_be_no_client_id_is_not_asked_for_as_one(rest: KrakenSpotRest, run: Any) -> None:
    assert run(rest.look_up("x" * 40), b'{"error":["EOrder:Invalid order"]}') is None
    assert len(run.calls) == 1


def test_find_says_none_only_when_it_is_nowhere(rest: KrakenSpotRest, run: Any) -> None:
    assert run(rest.find(sent()), {"open": {}}, {"closed": {}}) is None


@pytest.mark.parametrize("answer", [{}, b'{"error":["EOrder:Unknown order"]}'], ids=["empty", "an error"])
def test_an_id_that_the_venue_does_not_know_yet_is_looked_for_by_ours(
    rest: KrakenSpotRest, run: Any, answer: Any
) -> None:
    found = run(rest.find(sent(venue_order_id=TXID)), answer, {"open": {TXID: record()}})
    assert found.status is OrderStatus.OPEN


def test_an_order_with_only_the_venues_id_that_is_nowhere(rest: KrakenSpotRest, run: Any) -> None:
    order = Order(request=request(client_order_id=None), venue_order_id=TXID)
    assert run(rest.find(order), {}) is None


@pytest.mark.parametrize("written", [OURS.replace("-", ""), OURS.upper()])
def test_our_id_may_come_back_in_another_spelling(rest: KrakenSpotRest, run: Any, written: str) -> None:
    assert run(rest.find(sent()), {"open": {TXID: record(cl_ord_id=written)}}) is not None


def test_another_order_is_never_taken_for_ours(rest: KrakenSpotRest, run: Any, lists: Any) -> None:
    """Should the filter be ignored, all open orders come back."""
    others = {
        "O1": record(cl_ord_id="11111111-1111-4111-8111-111111111111"),
        "O2": record(cl_ord_id=None, vol="0.02"),
        "O3": record(cl_ord_id=None, descr={"type": "sell"}),
        "O4": record(cl_ord_id=None, descr={"pair": "ETHUSD"}),
        "O5": record(cl_ord_id=None, descr={"price": "1"}),
        "O6": record(cl_ord_id=None, descr={"pair": "GONEUSD"}),
        "O7": record(cl_ord_id=None, oflags="viqc"),
    }
    assert run(rest.find(sent()), {"open": others}, *lists, {"closed": {}}) is None


def test_a_record_without_the_id_is_told_by_its_terms(rest: KrakenSpotRest, run: Any) -> None:
    assert run(rest.find(sent()), {"open": {TXID: record(cl_ord_id=None)}}) is not None


def test_of_several_the_newest_is_ours(rest: KrakenSpotRest, run: Any) -> None:
    """A client id is free again once its order is finished."""
    old = record(status="canceled", opentm=1600000000)
    new = record(status="closed", vol_exec="0.01", opentm=1700000000)
    found = run(rest.find(sent()), {"open": {}}, {"closed": {"O1": old, "O2": new, "O3": old}})
    assert found.venue_order_id == "O2"


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"status": "sleeping"}, id="status"),
        pytest.param({"vol": "x"}, id="volume"),
        pytest.param({"vol_exec": "NaN"}, id="NaN"),
        pytest.param({"descr": {"ordertype": "new-kind"}}, id="kind"),
        pytest.param({"descr": {"type": "hold"}}, id="side"),
        pytest.param({"opentm": "1e999999"}, id="time"),
    ],
)
def test_a_record_that_does_not_read_is_not_nowhere(rest: KrakenSpotRest, run: Any, broken: dict[str, Any]) -> None:
    """None would let the order be sent again."""
    with pytest.raises(ExchangeError):
        run(rest.find(sent()), {"open": {TXID: record(**broken)}}, {"closed": {}})


def test_an_order_for_another_pair_is_refused(rest: KrakenSpotRest, run: Any) -> None:
    with pytest.raises(ProtocolError, match="ETH/USD"):
        run(rest.find(sent(venue_order_id=TXID)), {TXID: record(descr={"pair": "ETHUSD"})})


def test_an_amended_order_has_its_new_terms(rest: KrakenSpotRest, run: Any) -> None:
    deadline = datetime(2026, 11, 24, tzinfo=UTC)
    order = Order(request=request(deadline=deadline), client_order_id=OURS, venue_order_id=TXID)
    found = run(rest.find(order), {TXID: record(vol="0.02", descr={"price": "59000"})})
    assert found.quantity == Decimal("0.02")
    assert found.price == Decimal(59000)
    assert found.request.deadline == deadline


def test_an_order_without_any_id_cannot_be_looked_for(rest: KrakenSpotRest, run: Any) -> None:
    with pytest.raises(InvalidValue):
        run(rest.find(Order(request=request(client_order_id=None))))


# Open orders


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "pending"}, OrderStatus.PENDING),
        ({"status": "open"}, OrderStatus.OPEN),
        ({"status": "open", "vol_exec": "0.001"}, OrderStatus.PARTIALLY_FILLED),
        ({"status": "closed", "vol_exec": "0.01"}, OrderStatus.FILLED),
        ({"status": "canceled", "vol_exec": "0.001"}, OrderStatus.CANCELED),
        ({"status": "expired"}, OrderStatus.EXPIRED),
    ],
)
def test_status(rest: KrakenSpotRest, run: Any, changes: dict[str, Any], status: OrderStatus) -> None:
    (order,) = run(rest.open_orders(), {"open": {TXID: record(**changes)}})
    assert order.status is status


def test_the_terms_of_an_open_order(rest: KrakenSpotRest, run: Any) -> None:
    raw = record(oflags="post,fciq", time_in_force="gtc", reason=None, vol_exec="0.004", price="60000.4", fee="0.5")
    (order,) = run(rest.open_orders(), {"open": {TXID: raw}})
    assert order.request == request(post_only=True)
    assert (order.filled, order.average_price) == (Decimal("0.004"), Decimal("60000.4"))
    assert order.fees == (Fee(asset="USD", amount=Decimal("0.5")),)
    assert order.reason is None
    (order,) = run(rest.open_orders(), {"open": {TXID: record(time_in_force="ioc", cl_ord_id=None)}})
    assert order.request.time_in_force is TimeInForce.IOC
    assert order.client_order_id is None


def test_a_fee_in_an_unknown_asset_is_not_told(rest: KrakenSpotRest, run: Any) -> None:
    (order,) = run(rest.open_orders(), {"open": {TXID: record(oflags="fcib", fee="0.5")}})
    assert order.fees == ()


@pytest.mark.parametrize(
    ("kind", "shown", "terms"),
    [
        ("iceberg", {}, {"type": "limit"}),
        ("stop-loss", {}, {"type": "stop", "price": None, "trigger_price": "60000.5"}),
        ("take-profit", {}, {"type": "take_profit", "price": None, "trigger_price": "60000.5"}),
        ("stop-loss-limit", {"price2": "59000"}, {"type": "stop_limit", "price": "59000", "trigger_price": "60000.5"}),
        ("trailing-stop", {"price": "+2.5%"}, {"type": "trailing_stop", "price": None, "trail": "2.5%"}),
        (
            "trailing-stop-limit",
            {"price": "+50", "price2": "-1"},
            {"type": "trailing_stop_limit", "price": None, "trail": "50", "limit_offset": "-1"},
        ),
        ("limit", {"leverage": "5:1"}, {"leverage": 5}),
        ("settle-position", {"price": "0"}, {"price": None, "terms": SpotTerms(settle=True)}),
        # Offsets from the market, and what they came to where that is told.
        ("limit", {"price": "-5%"}, {"price": None, "type": "limit", "terms": SpotTerms(price_offset="-5%")}),
        ("stop-loss", {"price": "-5%"}, {"type": "stop", "price": None, "terms": SpotTerms(trigger_offset="-5%")}),
        (
            "stop-loss-limit",
            {"price": "-5%", "price2": "59000"},
            {"type": "stop_limit", "price": "59000", "terms": SpotTerms(trigger_offset="-5%")},
        ),
        (
            "take-profit-limit",
            {"price": "#5", "price2": "+1.5"},
            {
                "type": "take_profit_limit",
                "price": None,
                "terms": SpotTerms(trigger_offset="#5", price_offset="+1.5"),
            },
        ),
    ],
)
def test_the_terms_of_every_kind(
    rest: KrakenSpotRest, run: Any, kind: str, shown: dict[str, Any], terms: dict[str, Any]
) -> None:
    raw = record(descr={"ordertype": kind, **shown})
    (order,) = run(rest.open_orders(), {"open": {TXID: raw}})
    assert order.request == request(**terms)
    assert order.reason is None


def test_a_stop_by_an_offset_fires_at_the_price_that_is_shown(rest: KrakenSpotRest, run: Any) -> None:
    raw = record(descr={"ordertype": "stop-loss", "price": "-5%"}, stopprice="57000.5", trigger="index")
    (order,) = run(rest.open_orders(), {"open": {TXID: raw}})
    wanted = request(type="stop", price=None, trigger_price="57000.5", trigger_by="index")
    assert order.request == attrs.evolve(wanted, terms=SpotTerms(trigger_offset="-5%"))


def test_a_limit_by_an_offset_has_the_price_that_is_shown(rest: KrakenSpotRest, run: Any) -> None:
    descr = {"ordertype": "stop-loss-limit", "price": "60000", "price2": "-5%"}
    raw = record(descr=descr, stopprice="60000.0", limitprice="57000.0", trigger="last")
    (order,) = run(rest.open_orders(), {"open": {TXID: raw}})
    assert (order.price, order.request.trigger_price) == (57000, 60000)
    assert order.request.terms == SpotTerms(price_offset="-5%")


@pytest.mark.parametrize(("shown", "userref"), [(7, 7), (-7, -7), (0, None), (None, None)])
def test_a_userref_is_shown(rest: KrakenSpotRest, run: Any, shown: int | None, userref: int | None) -> None:
    (order,) = run(rest.open_orders(), {"open": {TXID: record(userref=shown)}})
    assert order.request.terms == (None if userref is None else SpotTerms(userref=userref))


def test_what_cannot_be_shown_is_reported(rest: KrakenSpotRest, run: Any, lists: Any) -> None:
    orders = {
        "O1": record(),
        "O2": record(descr={"pair": "GONEUSD"}),
        "O3": record(vol="many"),
        "O4": record(descr={"ordertype": "moon-shot"}),
        "O5": {},
    }
    found = run(rest.open_orders(), {"open": orders}, *lists)
    shown = [(order.venue_order_id, str(order.symbol)) for order in found]
    assert shown == [("O1", "BTC/USD"), ("O2", "GONEUSD/?:?")]
    assert set(rest.skipped) == {"pair GONEUSD", "order O3", "order O4", "order O5"}


@pytest.mark.parametrize(
    "name", ["private_open_orders.json", "private_closed_orders.json", "private_query_orders.json"]
)
def test_recorded_orders(make_context: Callable[..., VenueContext], run: Any, captures: Path, name: str) -> None:
    """Each reads as an order, whatever its kind, once its pair is listed."""
    result = json.loads((captures / "spot/rest" / name).read_bytes())["result"]
    records = result.get("open") or result.get("closed") or result
    context = make_context()
    pairs = {
        entry["descr"]["pair"]: {
            "altname": entry["descr"]["pair"],
            "wsname": f"{entry['descr']['pair'][:-3]}/{entry['descr']['pair'][-3:]}",
            "base": entry["descr"]["pair"][:-3],
            "quote": entry["descr"]["pair"][-3:],
            "pair_decimals": 8,
            "lot_decimals": 8,
        }
        for entry in records.values()
    }
    rest = KrakenSpotRest(context)
    rest.load_instruments(json.dumps({"error": [], "result": pairs}).encode())
    found = run(rest.open_orders(), {"open": records})
    assert not rest.skipped
    assert {order.venue_order_id for order in found} == set(records)
    for order in found:
        raw = records[order.venue_order_id]
        assert order.quantity == Decimal(raw["vol"])
        assert order.side is Side(raw["descr"]["type"])


def test_the_recorded_answer_to_an_order(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    order = run(rest.place(request()), (captures / "spot/rest/private_add_order.json").read_bytes())
    assert order.venue_order_id == "AKB9L1-XC5U3-CYCTO1"
