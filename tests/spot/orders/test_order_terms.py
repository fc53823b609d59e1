"""Every term of an order, on every type: sent as Kraken writes it, or refused before sending."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ExchangeError, InvalidValue, NotSupported, OrderRefused
from exchange_core.model.order import OrderRequest
from kraken_spot.auth import form
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.orders.params import check, check_each_type, fits, form_close, form_fields, json_close
from kraken_spot.orders.prices import RelativePrice, price
from kraken_spot.orders.table import BY_NAME, LIMIT_IS_FIRST, LIMITED, TERMS, TRAILING, TRIGGERED, Term, table
from kraken_spot.orders.terms import (
    ConditionalClose,
    FeeAsset,
    SelfTrade,
    SpotOrder,
    SpotTimeInForce,
    Trigger,
)
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.terms import SpotTerms
from kraken_spot.types.history import SpotOrderType

NOW = datetime(2026, 1, 1, tzinfo=UTC)
README = Path(__file__).resolve().parents[3] / "plugins" / "kraken_spot" / "README.md"

LIMIT = {"limit_price": "100.0"}
TRIGGER = {"trigger_price": "90.0"}
NEEDS: dict[SpotOrderType, dict[str, Any]] = {
    SpotOrderType.MARKET: {},
    SpotOrderType.LIMIT: LIMIT,
    SpotOrderType.ICEBERG: {**LIMIT, "display_quantity": "0.1"},
    SpotOrderType.STOP_LOSS: TRIGGER,
    SpotOrderType.TAKE_PROFIT: TRIGGER,
    SpotOrderType.STOP_LOSS_LIMIT: {**LIMIT, **TRIGGER},
    SpotOrderType.TAKE_PROFIT_LIMIT: {**LIMIT, **TRIGGER},
    SpotOrderType.TRAILING_STOP: {"trigger_price": "+2%"},
    SpotOrderType.TRAILING_STOP_LIMIT: {"trigger_price": "+2%", "limit_price": "+0"},
    SpotOrderType.SETTLE_POSITION: {},
}
"""What an order of each type cannot do without."""

COMPANIONS: dict[str, dict[str, Any]] = {
    "time_in_force": {"expire": timedelta(minutes=1)},
    "expire": {"time_in_force": "GTD"},
    "userref": {"client_order_id": None},
    "type": {},
}
"""What a term cannot do without, or not with."""


@pytest.fixture(scope="module")
def context(make_context: Callable[..., VenueContext]) -> VenueContext:
    return make_context(now=lambda: NOW, config=KrakenSpotConfig(order_deadline=5))


def order(kind: SpotOrderType, **terms: Any) -> SpotOrder:
    return SpotOrder(
        **{"symbol": "BTC/USD", "side": "buy", "type": kind, "quantity": "1", "client_order_id": "ours"}
        | NEEDS[kind]
        | terms
    )


def sent(context: VenueContext, made: SpotOrder) -> dict[str, Any]:
    """Return what AddOrder would send, without what is empty."""
    call = next(KrakenSpotRest(context).trading.add(made))
    assert call.path == "/0/private/AddOrder"
    assert call.changes_state
    assert not call.json
    return {name: value for name, value in call.params.items() if value is not None}


@pytest.mark.parametrize("kind", SpotOrderType)
@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_a_term_is_sent_or_refused(context: VenueContext, term: Term, kind: SpotOrderType) -> None:
    example = kind if term.name == "type" else term.example
    fits = kind in term.types
    companions = COMPANIONS.get(term.name, {}) if fits else {}
    made = order(kind, **{term.name: example}, **companions)
    if not fits:
        with pytest.raises(NotSupported, match=rf"^kraken: {term.name}: .*{kind}"):
            sent(context, made)
        return
    expected = dict(term.sent)
    if term.name == "type":
        expected = {"ordertype": kind.value}
    if term.name == "limit_price" and kind in LIMIT_IS_FIRST:
        expected = {"price": expected.pop("price2")}
    got = sent(context, made)
    assert {name: got.get(name) for name in expected} == expected


TERMS_OF_CHOICE = sorted(set(BY_NAME) - {"symbol", "side", "type", "quantity", "client_order_id"})


@given(
    kind=st.sampled_from(SpotOrderType),
    given_terms=st.sets(st.sampled_from(TERMS_OF_CHOICE), max_size=4),
    left_out=st.sets(st.sampled_from(["limit_price", "trigger_price", "display_quantity"]), max_size=1),
)
def test_the_one_look_passes_only_what_going_through_all_terms_passes(
    kind: SpotOrderType, given_terms: set[str], left_out: set[str]
) -> None:
    made = order(kind, **{name: BY_NAME[name].example for name in given_terms} | dict.fromkeys(left_out))
    try:
        check_each_type("kraken", made)
    except NotSupported:
        assert not fits(made)
    else:
        # The trigger of a conditional close is none of the order's own; such an order has all its terms looked at.
        assert fits(made) or (kind not in TRIGGERED and made.trigger is not None)


def framed(context: VenueContext, made: SpotOrder) -> dict[str, Any] | None:
    """Return what add_order would send, or None where the order goes over REST."""
    socket = next(KrakenSpotRest(context).trading.add(made)).socket
    if socket is None:
        return None
    assert (socket.feed, socket.method) == ("private", "add_order")
    params: dict[str, Any] = json.loads(msgspec.json.encode(socket.params))
    assert all(value is not None for value in params.values())
    return params


REST_ONLY = {("limit_price", kind) for kind in LIMITED - TRAILING} | {
    # All of a position is not a number; the reference of a close has no place in a frame.
    ("trigger", kind)
    for kind in frozenset(SpotOrderType) - TRIGGERED
}
"""Examples that a frame cannot say on that type: an offset as the limit of an order that does not trail."""


@pytest.mark.parametrize("kind", SpotOrderType)
@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_a_term_goes_over_a_live_connection_or_over_rest(
    context: VenueContext, term: Term, kind: SpotOrderType
) -> None:
    if kind not in term.types:
        return  # refused, as the test of REST shows
    example = kind if term.name == "type" else term.example
    got = framed(context, order(kind, **{term.name: example}, **COMPANIONS.get(term.name, {})))
    if term.framed is None or (term.name, kind) in REST_ONLY:
        assert got is None
        return
    assert got is not None
    expected = {"order_type": kind.value} if term.name == "type" else term.framed
    for name, value in expected.items():
        if isinstance(value, dict):
            assert {key: got[name].get(key) for key in value} == value
        else:
            assert got[name] == value


def test_a_frame_has_every_digit_and_no_exponent(context: VenueContext) -> None:
    socket = next(KrakenSpotRest(context).trading.add(order(SpotOrderType.LIMIT, quantity=Decimal("1E+2")))).socket
    assert socket is not None
    assert b'"order_qty":100,' in msgspec.json.encode(socket.params)


def test_the_documented_frame_of_a_relative_stop(context: VenueContext) -> None:
    """The venue's own example, for our pair."""
    made = order(SpotOrderType.STOP_LOSS, side="sell", quantity="100", trigger_price="-2%", trigger="last")
    got = framed(context, made)
    assert got is not None
    assert {name: got[name] for name in ("order_type", "side", "order_qty", "triggers")} == {
        "order_type": "stop-loss",
        "side": "sell",
        "order_qty": 100,
        "triggers": {"reference": "last", "price": -2.0, "price_type": "pct"},
    }


@pytest.mark.parametrize(
    "terms",
    [
        {"trigger_price": "#5"},
        {"close": ConditionalClose(type=SpotOrderType.STOP_LOSS, trigger_price="#5")},
        {"time_in_force": "FOK"},
        {"quantity": "0", "reduce_only": True},
        {"trigger": "index", "close": ConditionalClose(type=SpotOrderType.STOP_LOSS, trigger_price="5")},
        {"close": ConditionalClose(type=SpotOrderType.STOP_LOSS_LIMIT, trigger_price="5", limit_price="-1%")},
    ],
    ids=[
        "a sign to choose",
        "a close with a sign to choose",
        "fok",
        "all of a position",
        "a close by index",
        "an offset as the limit of a close",
    ],
)
def test_what_no_page_settles_for_frames_goes_over_rest(context: VenueContext, terms: dict[str, Any]) -> None:
    kind = SpotOrderType.LIMIT if "time_in_force" in terms or "quantity" in terms else SpotOrderType.STOP_LOSS
    assert framed(context, order(kind, **terms)) is None


@pytest.mark.parametrize("kind", SpotOrderType)
@pytest.mark.parametrize("term", [term for term in TERMS if term.needed], ids=lambda term: term.name)
def test_what_is_needed_is_missed_before_sending(context: VenueContext, term: Term, kind: SpotOrderType) -> None:
    if kind not in term.types or term.name in ("symbol", "side", "type", "quantity"):
        return  # the class itself asks for these four
    with pytest.raises(NotSupported, match=rf"^kraken: {term.name}: missing"):
        sent(context, order(kind, **{term.name: None}))


def test_every_term_of_an_order_is_in_the_table() -> None:
    assert len({term.name for term in TERMS}) == len(TERMS)
    assert {term.name for term in TERMS} == {field.name for field in attrs.fields(SpotOrder)}


def test_every_term_can_be_given_to_a_venue_and_every_field_of_a_request_is_one() -> None:
    named = {name for term in TERMS for name in term.request.split(", ")}
    ours = {field.name for field in attrs.fields(OrderRequest)} - {"terms"}
    assert named == ours | {f"terms.{field.name}" for field in attrs.fields(SpotTerms)}


def test_the_readme_shows_the_table() -> None:
    assert table() in README.read_text("utf-8")


@pytest.mark.parametrize("kind", SpotOrderType)
def test_nothing_goes_out_that_was_not_asked_for(context: VenueContext, kind: SpotOrderType) -> None:
    extra = {"price", "price2", "displayvol"}
    assert set(sent(context, order(kind))) - extra == {
        "pair",
        "type",
        "ordertype",
        "volume",
        "cl_ord_id",
        "deadline",
    }


def test_the_deadline_is_there_by_default(context: VenueContext) -> None:
    assert sent(context, order(SpotOrderType.MARKET))["deadline"] == "2026-01-01T00:00:05.000Z"


def test_the_default_deadline_can_be_switched_off(make_context: Callable[..., VenueContext]) -> None:
    without = make_context(now=lambda: NOW, config=KrakenSpotConfig(order_deadline=0))
    assert "deadline" not in sent(without, order(SpotOrderType.MARKET))


@pytest.mark.parametrize("seconds", [-1, 0, 1.999, 60.001, 3600])
def test_a_deadline_that_the_venue_does_not_take_is_refused(context: VenueContext, seconds: float) -> None:
    with pytest.raises(NotSupported, match=r"^kraken: deadline: .*2 to 60"):
        sent(context, order(SpotOrderType.MARKET, deadline=NOW + timedelta(seconds=seconds)))


def test_the_documented_stop_order_with_a_close(context: VenueContext) -> None:
    """The terms of the body whose signature is known, and what forms do to plus signs and brackets."""
    made = order(
        SpotOrderType.STOP_LOSS_LIMIT,
        side="sell",
        quantity="1.25",
        trigger_price="+5.0%",
        limit_price="-10",
        close=ConditionalClose(type="limit", limit_price="40000"),
    )
    body = form(sent(context, made))
    assert "price=%2B5.0%25&" in body
    assert "close%5Bordertype%5D=limit&close%5Bprice%5D=40000" in body
    fields = dict(parse_qsl(body))
    assert {name: fields[name] for name in ("ordertype", "pair", "price", "price2", "type", "volume")} == {
        "ordertype": "stop-loss-limit",
        "pair": "XBTUSD",
        "price": "+5.0%",
        "price2": "-10",
        "type": "sell",
        "volume": "1.25",
    }


def test_flags_are_joined(context: VenueContext) -> None:
    assert sent(context, order(SpotOrderType.LIMIT, post_only=True, fee_asset="fciq"))["oflags"] == "post,fciq"
    made = order(SpotOrderType.MARKET, no_price_protection=True, quantity_in_quote=True, fee_asset=FeeAsset.BASE)
    assert sent(context, made)["oflags"] == "nompp,viqc,fcib"


def test_booleans_go_out_as_forms_want_them(context: VenueContext) -> None:
    assert "reduce_only=true" in form(sent(context, order(SpotOrderType.MARKET, reduce_only=True, leverage=3)))


def test_seconds_from_now(context: VenueContext) -> None:
    made = order(SpotOrderType.LIMIT, time_in_force="GTD", start=timedelta(seconds=90), expire=timedelta(minutes=10))
    params = sent(context, made)
    assert (params["starttm"], params["expiretm"]) == ("+90", "+600")
    assert "starttm=%2B90" in form(params)


def test_a_fraction_never_starts_early_or_ends_late(context: VenueContext) -> None:
    half = timedelta(milliseconds=500)
    made = order(SpotOrderType.LIMIT, time_in_force="GTD", start=NOW + half, expire=NOW + timedelta(minutes=1) + half)
    params = sent(context, made)
    assert int(params["starttm"]) == NOW.timestamp() + 1
    assert int(params["expiretm"]) == NOW.timestamp() + 60


REFUSED: list[tuple[SpotOrderType, dict[str, Any], str]] = [
    (SpotOrderType.LIMIT, {"time_in_force": "GTD"}, "time_in_force"),
    (SpotOrderType.LIMIT, {"expire": timedelta(minutes=1)}, "expire"),
    (SpotOrderType.LIMIT, {"time_in_force": "IOC", "expire": timedelta(minutes=1)}, "expire"),
    (SpotOrderType.LIMIT, {"time_in_force": "GTD", "expire": timedelta(seconds=4)}, "expire"),
    (SpotOrderType.LIMIT, {"time_in_force": "GTD", "expire": timedelta(days=32)}, "expire"),
    (SpotOrderType.LIMIT, {"time_in_force": "GTD", "expire": NOW - timedelta(days=1)}, "expire"),
    (SpotOrderType.LIMIT, {"time_in_force": "GTD", "expire": timedelta(seconds=5.5)}, "expire"),
    (SpotOrderType.LIMIT, {"start": timedelta(seconds=-1)}, "start"),
    (SpotOrderType.STOP_LOSS_LIMIT, {"time_in_force": "FOK"}, "time_in_force"),
    (SpotOrderType.ICEBERG, {"time_in_force": "FOK"}, "time_in_force"),
    (SpotOrderType.ICEBERG, {"display_quantity": "0.06"}, "display_quantity"),
    (SpotOrderType.ICEBERG, {"display_quantity": "1.1"}, "display_quantity"),
    (SpotOrderType.MARKET, {"quantity_in_quote": True, "side": "sell"}, "quantity_in_quote"),
    (SpotOrderType.MARKET, {"quantity_in_quote": True, "leverage": 2}, "quantity_in_quote"),
    (SpotOrderType.MARKET, {"quantity": 0}, "quantity"),
    (SpotOrderType.MARKET, {"userref": 1}, "userref"),
    (SpotOrderType.MARKET, {"client_order_id": None}, "client_order_id"),
    (SpotOrderType.LIMIT, {"trigger": "index"}, "trigger"),
    (SpotOrderType.LIMIT, {"trigger": "index", "close": ConditionalClose(type="limit", limit_price=9)}, "trigger"),
    (SpotOrderType.TRAILING_STOP, {"trigger_price": "90"}, "trigger_price"),
    (SpotOrderType.TRAILING_STOP, {"trigger_price": "-2%"}, "trigger_price"),
    (SpotOrderType.TRAILING_STOP, {"trigger_price": "+0"}, "trigger_price"),
    (SpotOrderType.TRAILING_STOP_LIMIT, {"limit_price": "100"}, "limit_price"),
    (SpotOrderType.TRAILING_STOP_LIMIT, {"limit_price": "#1"}, "limit_price"),
    (SpotOrderType.LIMIT, {"close": ConditionalClose(type="market")}, "close.type"),
    (SpotOrderType.LIMIT, {"close": ConditionalClose(type="settle-position")}, "close.type"),
    (SpotOrderType.LIMIT, {"close": ConditionalClose(type="limit")}, "close.limit_price"),
    (SpotOrderType.LIMIT, {"close": ConditionalClose(type="stop-loss")}, "close.trigger_price"),
    (SpotOrderType.LIMIT, {"close": ConditionalClose(type="stop-loss", limit_price=1)}, "close.limit_price"),
    (
        SpotOrderType.LIMIT,
        {"close": ConditionalClose(type="limit", limit_price=1, trigger_price=1)},
        "close.trigger_price",
    ),
    (
        SpotOrderType.LIMIT,
        {"close": ConditionalClose(type="trailing-stop", trigger_price=90)},
        "close.trigger_price",
    ),
]


@pytest.mark.parametrize(("kind", "terms", "parameter"), REFUSED)
def test_what_does_not_go_together_is_refused(
    context: VenueContext, kind: SpotOrderType, terms: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(NotSupported, match=rf"^kraken: {parameter}: "):
        sent(context, order(kind, **terms))


STEPS = [
    ({"limit_price": "100.05"}, "nearest is 100.0"),
    ({"quantity": "1.000000001"}, "nearest is 1.00000000"),
    ({"quantity": "0.00001"}, "least is 0.00005"),
    ({"limit_price": "0.1"}, "costs less"),
]


@pytest.mark.parametrize(("terms", "hint"), STEPS)
def test_what_is_no_step_of_the_pair_is_refused(context: VenueContext, terms: dict[str, Any], hint: str) -> None:
    with pytest.raises(OrderRefused, match=hint):
        sent(context, order(SpotOrderType.LIMIT, **terms))


def test_a_trigger_has_steps_too_and_an_offset_has_none(context: VenueContext) -> None:
    with pytest.raises(OrderRefused, match=r"trigger price 90\.05"):
        sent(context, order(SpotOrderType.STOP_LOSS, trigger_price="90.05"))
    assert sent(context, order(SpotOrderType.STOP_LOSS, trigger_price="-0.05%"))["price"] == "-0.05%"
    with pytest.raises(OrderRefused, match=r"price of the close 110\.05"):
        sent(context, order(SpotOrderType.LIMIT, close=ConditionalClose(type="limit", limit_price="110.05")))


def test_what_is_left_of_a_position_may_be_below_the_minimum(context: VenueContext) -> None:
    made = order(SpotOrderType.MARKET, quantity="0.00001", reduce_only=True, leverage=2)
    assert sent(context, made)["volume"] == "0.00001"
    assert sent(context, order(SpotOrderType.SETTLE_POSITION, quantity=0))["volume"] == "0"


def test_an_index_may_set_off_the_close_alone(context: VenueContext) -> None:
    made = order(SpotOrderType.LIMIT, trigger="index", close=ConditionalClose(type="stop-loss", trigger_price=90))
    assert sent(context, made)["trigger"] == "index"


@pytest.mark.parametrize(
    "terms",
    [
        {"quantity": 0.5},
        {"quantity": -1},
        {"limit_price": 100.0},
        {"limit_price": 0},
        {"limit_price": Decimal(-5)},
        {"limit_price": "5%"},
        {"limit_price": "+"},
        {"limit_price": "+5%%"},
        {"limit_price": "+\u0665"},
        {"type": "magic"},
        {"side": "hold"},
        {"time_in_force": "ioc"},
        {"trigger": "mark"},
        {"self_trade": "both"},
        {"fee_asset": "base"},
        {"leverage": 0},
        {"leverage": True},
        {"leverage": "5"},
        {"userref": 2**31},
        {"userref": 1.5},
        {"userref": True},
        {"client_order_id": "nineteen characters"},
        {"client_order_id": "0" * 31},
        {"client_order_id": "bell\x07"},
        {"start": datetime(2026, 1, 1)},  # noqa: DTZ001 - that is the point
        {"deadline": datetime(2026, 1, 1)},  # noqa: DTZ001
    ],
    ids=str,
)
def test_what_is_no_value_of_a_term_makes_no_order(terms: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        order(SpotOrderType.LIMIT, **terms)


@pytest.mark.parametrize("text", ["+5", "-0.50", "#1.5%", "+0", "+0.0000001%"])
def test_an_offset_goes_out_as_it_came_in(text: str) -> None:
    assert str(price(text)) == text
    assert isinstance(price(text), RelativePrice)


def test_a_close_in_json_and_in_a_form() -> None:
    close = ConditionalClose(type="take-profit", trigger_price="#3%")
    assert json_close(close) == {"ordertype": "take-profit", "price": "#3%"}
    assert form_close(close) == {"close[ordertype]": "take-profit", "close[price]": "#3%"}
    assert form_close(None) == json_close(None) == {}


prices = st.one_of(
    st.none(),
    st.sampled_from(["+5", "-2%", "#1", "+0", "100.0", "99.9", "100.05"]),
    st.decimals("0.1", "100000", places=1),
)
maybe = st.booleans()


@given(
    kind=st.sampled_from(SpotOrderType),
    side=st.sampled_from(["buy", "sell"]),
    quantity=st.one_of(st.just(0), st.decimals("0.00001", "10", places=8)),
    limit_price=prices,
    trigger_price=prices,
    trigger=st.one_of(st.none(), st.sampled_from(Trigger)),
    display_quantity=st.one_of(st.none(), st.decimals("0.001", "10", places=3)),
    leverage=st.one_of(st.none(), st.integers(1, 5)),
    reduce_only=maybe,
    post_only=maybe,
    quantity_in_quote=maybe,
    no_price_protection=maybe,
    fee_asset=st.one_of(st.none(), st.sampled_from(FeeAsset)),
    self_trade=st.one_of(st.none(), st.sampled_from(SelfTrade)),
    time_in_force=st.sampled_from(SpotTimeInForce),
    expire=st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=40))),
)
def test_whatever_is_asked_for_is_sent_whole_or_refused(
    context: VenueContext, kind: SpotOrderType, **terms: Any
) -> None:
    """No term is dropped in silence, and nothing but text, whole numbers and true goes out."""
    made = SpotOrder(symbol="BTC/USD", type=kind, client_order_id="ours", **terms)
    try:
        check(context, made)
    except (NotSupported, OrderRefused):
        return
    params = {name: value for name, value in form_fields(made).items() if value is not None}
    assert all(type(value) in (str, int) or value is True for value in params.values())
    prices_given = sum(terms[name] is not None for name in ("limit_price", "trigger_price"))
    assert prices_given == sum(name in params for name in ("price", "price2"))
    for name, wire in (
        ("display_quantity", "displayvol"),
        ("trigger", "trigger"),
        ("leverage", "leverage"),
        ("self_trade", "stptype"),
        ("expire", "expiretm"),
    ):
        assert (terms[name] is not None) == (wire in params)
    flags = set(filter(None, params.get("oflags", "").split(",")))
    asked = {"post": "post_only", "viqc": "quantity_in_quote", "nompp": "no_price_protection"}
    assert flags & set(asked) == {flag for flag, name in asked.items() if terms[name]}
    assert bool(flags & {"fcib", "fciq"}) == (terms["fee_asset"] is not None)
    assert terms["reduce_only"] == ("reduce_only" in params)


def test_an_unknown_pair_is_refused(context: VenueContext) -> None:
    with pytest.raises(ExchangeError, match="NO/PAIR"):
        sent(context, order(SpotOrderType.MARKET, symbol="NO/PAIR"))
