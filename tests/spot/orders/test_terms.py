"""Every term of an OrderRequest in Kraken's words, over REST and over a live connection; and changes of orders."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core import serde
from exchange_core.connector.order_operations import Amends, Batches, CancelsAll, DeadMansSwitch
from exchange_core.connector.rest import RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.connector.support import TERMS, used_terms
from exchange_core.errors import InvalidValue, NotSupported, OrderRefused
from exchange_core.model.amendment import Amendment
from exchange_core.model.number import plain
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.orders.terms import ConditionalClose
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.terms import SpotTerms, spot_order

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STOP = {"type": "stop", "price": None, "trigger_price": "90"}
TRAIL = {"type": "trailing_stop", "price": None, "trail": "2%"}


@pytest.fixture(scope="module")
def context(make_context: Callable[..., VenueContext]) -> VenueContext:
    return make_context(now=lambda: NOW, config=KrakenSpotConfig(order_deadline=5))


@pytest.fixture
def rest(context: VenueContext) -> KrakenSpotRest:
    return KrakenSpotRest(context)


def request(**terms: Any) -> OrderRequest:
    plain = {"symbol": "BTC/USD", "side": "buy", "quantity": "1", "price": "100", "client_order_id": "ours"}
    return OrderRequest(**plain | terms)


def form(call: RestCall) -> dict[str, Any]:
    return {name: value for name, value in call.params.items() if value is not None}


def frame(call: RestCall) -> dict[str, Any] | None:
    if call.socket is None:
        return None
    params: dict[str, Any] = json.loads(msgspec.json.encode(call.socket.params))
    return params


CASES = [
    ("type", {"price": None}, {"ordertype": "market"}, {"order_type": "market"}),
    ("type.stop", STOP, {"ordertype": "stop-loss", "price": "90"}, {"triggers": {"price": 90}}),
    (
        "type.stop_limit",
        {"type": "stop_limit", "trigger_price": "90"},
        {"ordertype": "stop-loss-limit", "price": "90", "price2": "100"},
        {"order_type": "stop-loss-limit", "limit_price": 100, "triggers": {"price": 90}},
    ),
    ("type.take_profit", STOP | {"type": "take_profit"}, {"ordertype": "take-profit"}, {"order_type": "take-profit"}),
    (
        "type.take_profit_limit",
        {"type": "take_profit_limit", "trigger_price": "90"},
        {"ordertype": "take-profit-limit", "price": "90", "price2": "100"},
        {"order_type": "take-profit-limit", "limit_price": 100},
    ),
    ("type.trailing_stop", TRAIL, {"price": "+2%"}, {"triggers": {"price": 2, "price_type": "pct"}}),
    (
        "type.trailing_stop_limit",
        TRAIL | {"type": "trailing_stop_limit", "trail": "2.5", "limit_offset": "-1"},
        {"ordertype": "trailing-stop-limit", "price": "+2.5", "price2": "-1"},
        {"limit_price": -1, "limit_price_type": "quote", "triggers": {"price": 2.5, "price_type": "quote"}},
    ),
    ("time_in_force", {"time_in_force": "ioc"}, {"timeinforce": "IOC"}, {"time_in_force": "ioc"}),
    ("time_in_force", {"time_in_force": "fok"}, {"timeinforce": "FOK"}, None),
    (
        "time_in_force.gtd",
        {"time_in_force": "gtd", "expires": LATER},
        {"timeinforce": "GTD", "expiretm": "1767323045"},
        {"time_in_force": "gtd", "expire_time": "2026-01-02T03:04:05Z"},
    ),
    # Open point: whether order_qty is left out beside cash_order_qty; so it goes over REST.
    (
        "quote_amount",
        {"quantity": None, "quote_amount": "50.5", "price": None},
        {"ordertype": "market", "volume": "50.5", "oflags": "viqc"},
        None,
    ),
    ("post_only", {"post_only": True}, {"oflags": "post"}, {"post_only": True}),
    ("reduce_only", {"reduce_only": True}, {"reduce_only": True}, {"reduce_only": True}),
    ("trigger_by", STOP | {"trigger_by": "index"}, {"trigger": "index"}, {"triggers": {"reference": "index"}}),
    (
        "limit_offset",
        STOP | {"type": "stop_limit", "limit_offset": "-1.5"},
        {"price": "90", "price2": "88.5"},
        {"limit_price": 88.5},
    ),
    (
        "display_quantity",
        {"display_quantity": "0.1"},
        {"ordertype": "iceberg", "displayvol": "0.1"},
        {"order_type": "iceberg", "display_qty": 0.1},
    ),
    ("leverage", {"leverage": 3}, {"leverage": "3"}, None),
    ("self_trade", {"self_trade": "cancel_both"}, {"stptype": "cancel-both"}, {"stp_type": "cancel_both"}),
    ("client_order_id", {}, {"cl_ord_id": "ours"}, {"cl_ord_id": "ours"}),
    (
        "deadline",
        {"deadline": NOW + timedelta(seconds=9)},
        {"deadline": "2026-01-01T00:00:09.000Z"},
        {"deadline": "2026-01-01T00:00:09.000Z"},
    ),
]


@pytest.mark.parametrize(("term", "terms", "sent", "framed"), CASES, ids=[case[0] for case in CASES])
def test_a_term_of_a_request(
    rest: KrakenSpotRest, term: str, terms: dict[str, Any], sent: dict[str, Any], framed: dict[str, Any] | None
) -> None:
    made = request(**terms)
    assert term in used_terms(made)
    call = next(rest.place(made))
    assert sent.items() <= form(call).items()
    got = frame(call)
    if framed is None:
        assert got is None
        return
    assert got is not None
    for name, value in framed.items():
        assert (got[name] | value if isinstance(value, dict) else value) == got[name]


def test_every_term_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(TERMS)


OFFSETS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any] | None]] = [
    ("limit", {"price_offset": "+5"}, {}, {"ordertype": "limit", "price": "+5"}, None),
    ("limit", {"price_offset": "-0.5%"}, {}, {"price": "-0.5%"}, None),
    ("limit", {"price_offset": "#1.5%"}, {}, {"price": "#1.5%"}, None),
    ("limit", {"price_offset": "#5"}, {"display_quantity": "0.1"}, {"ordertype": "iceberg", "price": "#5"}, None),
    (
        "stop",
        {"trigger_offset": "-2.5%"},
        {},
        {"ordertype": "stop-loss", "price": "-2.5%"},
        {"triggers": {"price": -2.5, "price_type": "pct"}},
    ),
    ("stop", {"trigger_offset": "+5"}, {}, {"price": "+5"}, {"triggers": {"price": 5, "price_type": "quote"}}),
    ("stop", {"trigger_offset": "#5"}, {}, {"price": "#5"}, None),
    (
        "take_profit",
        {"trigger_offset": "+2%"},
        {"trigger_by": "index"},
        {"ordertype": "take-profit", "price": "+2%", "trigger": "index"},
        {"triggers": {"price": 2, "price_type": "pct", "reference": "index"}},
    ),
    (
        "stop_limit",
        {"trigger_offset": "+2%"},
        {"price": "101.5"},
        {"ordertype": "stop-loss-limit", "price": "+2%", "price2": "101.5"},
        {"triggers": {"price": 2, "price_type": "pct"}, "limit_price": 101.5},
    ),
    ("stop_limit", {"price_offset": "#1%"}, {"trigger_price": "90"}, {"price": "90", "price2": "#1%"}, None),
    (
        "take_profit_limit",
        {"trigger_offset": "#2%", "price_offset": "-1"},
        {},
        {"ordertype": "take-profit-limit", "price": "#2%", "price2": "-1"},
        None,
    ),
]


@pytest.mark.parametrize(
    ("kind", "own", "more", "sent", "framed"), OFFSETS, ids=[f"{case[0]} {case[1]} {case[2]}" for case in OFFSETS]
)
def test_offsets_from_the_market(
    rest: KrakenSpotRest,
    kind: str,
    own: dict[str, Any],
    more: dict[str, Any],
    sent: dict[str, Any],
    framed: dict[str, Any] | None,
) -> None:
    call = next(rest.place(request(**{"type": kind, "price": None, "terms": SpotTerms(**own)} | more)))
    assert sent.items() <= form(call).items()
    got = frame(call)
    assert got is None if framed is None else framed.items() <= (got or {}).items()


@pytest.mark.parametrize(
    ("terms", "own", "message"),
    [
        ({}, {"price_offset": "+5"}, "terms.price_offset: the price is given by this or by .* 100 and"),
        ({"price": None}, {"price_offset": "+5"}, "terms.price_offset: a market order has no price"),
        ({}, {"trigger_offset": "+5"}, "terms.trigger_offset: a limit order has no trigger"),
        (STOP, {"trigger_offset": "+5"}, "terms.trigger_offset: the trigger is given by this or by .* 90 and"),
        (TRAIL, {"trigger_offset": "+5"}, "terms.trigger_offset: a trailing order's offsets are trail and"),
        (
            {"type": "stop_limit", "price": None, "limit_offset": "-1"},
            {"trigger_offset": "+5"},
            "limit_offset: needs a trigger_price; the trigger is an offset itself",
        ),
    ],
)
def test_offsets_that_go_with_nothing_are_refused(
    rest: KrakenSpotRest, terms: dict[str, Any], own: dict[str, Any], message: str
) -> None:
    with pytest.raises(NotSupported, match=message):
        next(rest.place(request(**terms, terms=SpotTerms(**own))))


@pytest.mark.parametrize("text", ["5", "5%", "+", "+5 %", "+-5", "+1e3", "", "+\u0665"])
def test_what_is_no_offset_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is no relative price; expected a sign and digits, as in"):
        SpotTerms(price_offset=text)


@given(sign=st.sampled_from("+-#"), amount=st.decimals(0, 10**6, places=4), percent=st.sampled_from(["", "%"]))
def test_an_offset_goes_through_json_and_out_as_it_was_written(sign: str, amount: Decimal, percent: str) -> None:
    text = f"{sign}{plain(amount)}{percent}"
    terms = serde.loads(serde.dumps(SpotTerms(price_offset=text)), SpotTerms)
    assert terms.price_offset == text
    wanted = request(type="limit", price=None, terms=terms)
    assert serde.loads(serde.dumps(terms), SpotTerms) == terms
    assert str(spot_order(wanted, "kraken").limit_price) == text


@pytest.mark.parametrize("text", ["+5%", "-0.5", "#1", "120"])
def test_the_prices_of_a_close_go_through_json(text: str) -> None:
    terms = SpotTerms(close=ConditionalClose(type="limit", limit_price=text))
    assert serde.loads(serde.dumps(terms), SpotTerms) == terms


def test_what_is_no_offset_in_json_is_refused() -> None:
    for bad in ({"sign": "*", "amount": "5"}, {"sign": "+", "amount": "-5"}, {"sign": "+"}, {}):
        with pytest.raises(InvalidValue):
            serde.structure({"close": {"type": "limit", "limit_price": bad}}, SpotTerms)


def test_a_limit_order_without_any_price_is_none_whatever_else_its_terms_say() -> None:
    with pytest.raises(InvalidValue, match="a limit order needs a price"):
        request(type="limit", price=None, terms=SpotTerms(trigger_offset="+5"))
    with pytest.raises(InvalidValue, match="a stop order needs a trigger_price"):
        request(type="stop", price=None, terms=SpotTerms(price_offset="+5"))


@pytest.mark.parametrize(
    "terms",
    [
        {"side": "sell"},
        {"leverage": 2},
        {"type": "limit", "price": "100"},
    ],
)
def test_an_amount_is_for_buying_at_once_with_own_funds(rest: KrakenSpotRest, terms: dict[str, Any]) -> None:
    with pytest.raises(NotSupported, match="quantity_in_quote: "):
        next(rest.place(request(**{"quantity": None, "quote_amount": 50, "price": None} | terms)))


OWN_CASES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]] = [
    ({"price_offset": "+5"}, {"price": "+5"}, None),
    ({"trigger_offset": "+5"}, {"price": "+5"}, {"triggers": {"price": 5, "price_type": "quote"}}),
    ({"userref": -7}, {"userref": -7}, {"order_userref": -7}),
    ({"settle": True}, {"ordertype": "settle-position"}, {"order_type": "settle-position"}),
    ({"fee_asset": "fcib"}, {"oflags": "fcib"}, {"fee_preference": "base"}),
    ({"no_price_protection": True}, {"oflags": "nompp"}, {"no_mpp": True}),
    ({"start": timedelta(seconds=90)}, {"starttm": "+90"}, {"effective_time": "2026-01-01T00:01:30Z"}),
    (
        {"close": ConditionalClose(type="limit", limit_price="120")},
        {"close[ordertype]": "limit", "close[price]": "120"},
        {"conditional": {"order_type": "limit", "limit_price": 120}},
    ),
    ({"tokenized": True}, {"asset_class": "tokenized_asset"}, None),
    ({"broker": "AA88 N84G ABCD EFGH"}, {"broker": "AA88 N84G ABCD EFGH"}, None),
]


@pytest.mark.parametrize(("own", "sent", "framed"), OWN_CASES, ids=[next(iter(case[0])) for case in OWN_CASES])
def test_a_term_of_krakens_own(
    rest: KrakenSpotRest, own: dict[str, Any], sent: dict[str, Any], framed: dict[str, Any] | None
) -> None:
    kind = {"price_offset": "limit", "trigger_offset": "stop"}.get(next(iter(own)), "market")
    call = next(rest.place(request(type=kind, price=None, terms=SpotTerms(**own))))
    assert sent.items() <= form(call).items()
    got = frame(call)
    assert got is None if framed is None else framed.items() <= (got or {}).items()


def test_every_term_of_krakens_own_has_a_case() -> None:
    assert {next(iter(case[0])) for case in OWN_CASES} == {field.name for field in attrs.fields(SpotTerms)}


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (STOP | {"trigger_by": "mark"}, "trigger_by: mark; triggers here go by last or index"),
        (STOP | {"time_in_force": "fok"}, "time_in_force: fok needs a limit order"),
        ({"terms": SpotTerms(settle=True)}, "terms.settle: goes with a market order"),
        ({"deadline": NOW + timedelta(seconds=90)}, "deadline: 90 seconds ahead; it must be 2 to 60"),
        ({"display_quantity": "0.05"}, "display_quantity: 0.05 is not between a fifteenth"),
        ({"price": None, "post_only": False, "leverage": 2, "terms": SpotTerms(start=timedelta(0))}, "start: "),
    ],
)
def test_what_kraken_has_nothing_for_is_refused_before_sending(
    rest: KrakenSpotRest, terms: dict[str, Any], message: str
) -> None:
    with pytest.raises(NotSupported, match=message):
        next(rest.place(request(**terms)))


def test_an_offset_that_falls_between_ticks_is_refused(rest: KrakenSpotRest) -> None:
    with pytest.raises(OrderRefused, match="is not a multiple of"):
        next(rest.place(request(**STOP | {"type": "stop_limit", "limit_offset": "-0.033%"})))


# Changes.


def standing(**terms: Any) -> Order:
    return Order(
        request=request(**terms),
        venue="kraken",
        status=OrderStatus.OPEN,
        venue_order_id="OAAAAA-BBBBB-CCCCCC",
        client_order_id="ours",
        created=NOW - timedelta(seconds=7),
        touched=NOW - timedelta(seconds=7),
    )


def test_the_operations_can_all_that_the_core_may_ask(rest: KrakenSpotRest) -> None:
    for kind in (Amends, Batches, CancelsAll, DeadMansSwitch):
        assert isinstance(rest, kind)


def test_an_amendment(rest: KrakenSpotRest) -> None:
    call = next(rest.amend(standing(), Amendment(price="101.5", quantity=2, post_only=True)))
    assert (call.path, call.changes_state) == ("/0/private/AmendOrder", True)
    assert form(call) == {
        "txid": "OAAAAA-BBBBB-CCCCCC",
        "order_qty": "2",
        "limit_price": "101.5",
        "post_only": True,
        "deadline": "2026-01-01T00:00:05.000Z",
    }
    assert frame(call) == {
        "order_id": "OAAAAA-BBBBB-CCCCCC",
        "order_qty": 2,
        "limit_price": 101.5,
        "post_only": True,
        "deadline": "2026-01-01T00:00:05.000Z",
    }
    # Seven seconds old: one point and two.
    assert call.socket is not None
    assert [cost.amount for cost in call.socket.costs] == [3]


def test_an_amended_order_has_its_new_terms(rest: KrakenSpotRest, run: Any) -> None:
    order = standing()
    amended = run(rest.amend(order, Amendment(price="101.5")), {"amend_id": "TTW6PD-RC36L-ZZSWNU"})
    assert amended == attrs.evolve(order, request=attrs.evolve(order.request, price="101.5"))


def test_a_limit_that_is_counted_from_the_trigger_moves_with_it(rest: KrakenSpotRest) -> None:
    order = standing(**STOP | {"type": "stop_limit", "limit_offset": "-1.5"})
    call = next(rest.amend(order, Amendment(trigger_price="91")))
    assert {"trigger_price": "91", "limit_price": "89.5"}.items() <= form(call).items()


def shown(kind: str) -> dict[str, Any]:
    descr = {"pair": "XBTUSD", "type": "buy", "ordertype": kind, "price": "100", "price2": "0", "leverage": "none"}
    amounts = {"vol": "1", "vol_exec": "0", "cost": "0", "fee": "0", "price": "0"}
    return {"OAAAAA-BBBBB-CCCCCC": {"status": "open", "opentm": 1, "descr": descr, "oflags": "", "misc": "", **amounts}}


def test_how_much_shows_is_changed_of_icebergs_only(rest: KrakenSpotRest, run: Any) -> None:
    """Of orders that were not placed here lists do not tell it, so the record is looked at before anything is sent."""
    shows_less = Amendment(display_quantity="0.2")
    with pytest.raises(NotSupported, match="display_quantity: order OAAAAA-BBBBB-CCCCCC is no iceberg"):
        run(rest.amend(standing(), shows_less), shown("limit"))
    assert [call.path.rpartition("/")[2] for call in run.calls] == ["QueryOrders"]
    changed = run(rest.amend(standing(), shows_less), shown("iceberg"), {"amend_id": "TTW6PD-RC36L-ZZSWNU"})
    assert changed.request.display_quantity == shows_less.display_quantity
    assert next(rest.amend(standing(display_quantity="0.1"), shows_less)).changes_state, "known without asking"


@pytest.mark.parametrize(
    ("terms", "amendment", "message"),
    [
        (TRAIL, Amendment(trail="3%"), "trail: cannot be amended"),
        (
            {"terms": SpotTerms(close=ConditionalClose(type="limit", limit_price="120"))},
            Amendment(price="101"),
            "an order with a conditional close cannot be amended",
        ),
    ],
)
def test_what_kraken_does_not_change(
    rest: KrakenSpotRest, terms: dict[str, Any], amendment: Amendment, message: str
) -> None:
    with pytest.raises(NotSupported, match=message):
        next(rest.amend(standing(**terms), amendment))


def test_a_batch_has_one_deadline_and_an_answer_for_each(rest: KrakenSpotRest, run: Any) -> None:
    soon, late = NOW + timedelta(seconds=5), NOW + timedelta(seconds=9)
    requests = [request(client_order_id="one", deadline=late), request(client_order_id="two", deadline=soon)]
    answer = {
        "orders": [
            {"txid": "OAAAAA-BBBBB-CCCCCC", "descr": {"order": "buy"}},
            {"error": "EOrder:Insufficient funds"},
        ]
    }
    first, second = run(rest.place_batch(requests), answer)
    (call,) = run.calls
    assert form(call)["deadline"] == "2026-01-01T00:00:05.000Z"
    assert [cost.amount for cost in call.costs if cost.pool == "engine"] == [1]
    assert isinstance(first, Order)
    assert (first.request, first.venue_order_id, first.status) == (
        requests[0],
        "OAAAAA-BBBBB-CCCCCC",
        OrderStatus.PENDING,
    )
    assert isinstance(second, OrderRefused)
    got = frame(call)
    assert got is not None
    assert (got["symbol"], [order["cl_ord_id"] for order in got["orders"]]) == ("BTC/USD", ["one", "two"])


def test_a_batch_of_cancels_costs_by_the_youngest_of_each_pair(rest: KrakenSpotRest) -> None:
    orders = [standing(), attrs.evolve(standing(), venue_order_id="OBBBBB-BBBBB-CCCCCC")]
    call = next(rest.cancel_batch(orders))
    assert form(call) == {"orders": ["OAAAAA-BBBBB-CCCCCC", "OBBBBB-BBBBB-CCCCCC"]}
    assert next(cost for cost in call.costs if cost.pool == "engine")[:3] == ("engine", 12, "XBTUSD")
    assert frame(call) == {"orders": ["OAAAAA-BBBBB-CCCCCC", "OBBBBB-BBBBB-CCCCCC"]}


def test_the_switch_says_when(rest: KrakenSpotRest, run: Any) -> None:
    answer = {"currentTime": "2026-01-01T00:00:00Z", "triggerTime": "2026-01-01T00:01:00Z"}
    assert run(rest.cancel_all_after(60), answer) == NOW + timedelta(minutes=1)
    assert run.calls[0].params == {"timeout": 60}
    assert frame(run.calls[0]) == {"timeout": 60}


def test_a_switch_that_is_off(rest: KrakenSpotRest, run: Any) -> None:
    assert run(rest.cancel_all_after(0), {"currentTime": "2026-01-01T00:00:00Z", "triggerTime": "0"}) is None
