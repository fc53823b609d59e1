"""Kraken's own trading calls: what goes out, what the answers mean, and that nothing is taken for done that is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exchange_core.connector.auth import Credentials
from exchange_core.connector.rest import RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import (
    InsufficientFunds,
    InvalidValue,
    NotSupported,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
)
from kraken_spot.auth import KrakenSpotSigner
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.limits import ENGINE, PRIVATE, limits
from kraken_spot.orders.terms import Amendment, ConditionalClose, Edit, SpotOrder
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.types.trading import NotPlaced, Placed, Validated

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def recorded(captures: Path, name: str) -> bytes:
    return (captures / "spot/rest" / name).read_bytes()


@pytest.fixture
def context(make_context: Callable[..., VenueContext]) -> VenueContext:
    return make_context(now=lambda: NOW)


@pytest.fixture
def trading(context: VenueContext) -> Any:
    return KrakenSpotRest(context).trading


def order(**terms: Any) -> SpotOrder:
    return SpotOrder(
        **{
            "symbol": "BTC/USD",
            "side": "buy",
            "type": "limit",
            "quantity": "1",
            "limit_price": "100",
            "client_order_id": "ours",
        }
        | terms
    )


def batch(count: int = 2) -> list[SpotOrder]:
    return [order(client_order_id=f"ours-{number}", limit_price=str(100 + number)) for number in range(count)]


def present(call: RestCall) -> dict[str, Any]:
    assert call.private
    assert call.changes_state, "never sent twice"
    return {name: value for name, value in call.params.items() if value is not None}


def costs(call: RestCall) -> list[tuple[str, float, str, bool]]:
    return [(cost.pool, cost.amount, cost.key, cost.urgent) for cost in call.costs]


def error(*codes: str) -> bytes:
    return json.dumps({"error": codes}).encode()


def test_an_order(trading: Any, run: Any, captures: Path) -> None:
    made = order()
    placed = run(trading.add(made), recorded(captures, "private_add_order.json"))
    assert placed.id == "AKB9L1-XC5U3-CYCTO1"
    assert placed.description == "buy 5.00000000 USDCUSD @ limit 0.9000"
    assert placed.close_description is None
    assert placed.order is made
    assert present(run.calls[0]) == {
        "pair": "XBTUSD",
        "type": "buy",
        "ordertype": "limit",
        "volume": "1",
        "price": "100",
        "cl_ord_id": "ours",
        "deadline": "2026-01-01T00:00:05.000Z",
    }
    assert costs(run.calls[0]) == [(ENGINE, 1, "XBTUSD", False)]


def test_an_order_recorded_live_in_2019(trading: Any, run: Any, captures: Path) -> None:
    lines = recorded(captures, "http_order_lifecycle_sell_add_then_open.jsonl").splitlines()
    exchange = json.loads(lines[2])
    assert exchange["path"] == "/0/private/AddOrder"
    assert run(trading.add(order()), exchange["body"].encode()).id == "OQJUIE-TTHJZ-3ULWCE"


@pytest.mark.parametrize("line", range(3))
def test_a_validation_places_nothing(trading: Any, run: Any, captures: Path, line: int) -> None:
    """The recorded answers have a description and no order id."""
    exchange = json.loads(recorded(captures, "http_add_order_validate.jsonl").splitlines()[line])
    validated = run(trading.validate(order(client_order_id=None)), exchange["body"].encode())
    assert isinstance(validated, Validated)
    assert validated.description == json.loads(exchange["body"])["result"]["descr"]["order"]
    assert present(run.calls[0])["validate"] is True


def test_an_order_is_never_sent_to_be_validated(trading: Any) -> None:
    assert next(trading.add(order())).params["validate"] is None


@pytest.mark.parametrize("answer", [{"descr": {"order": "buy"}}, {"descr": {"order": "buy"}, "txid": []}])
def test_an_order_accepted_without_an_id_is_unknown(trading: Any, run: Any, answer: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        run(trading.add(order()), answer)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["EOrder:Insufficient funds"], InsufficientFunds),
        (["EGeneral:Invalid arguments:volume"], OrderRefused),
        (["EService:Unavailable"], OutcomeUnknown),
        (["EService:Deadline elapsed"], OutcomeUnknown),
        (["EGeneral:Internal error"], OutcomeUnknown),
        (["EMystery:Thing"], OutcomeUnknown),
    ],
)
def test_an_error_means_what_the_table_says(trading: Any, run: Any, codes: list[str], expected: type) -> None:
    with pytest.raises(expected) as raised:
        run(trading.add(order()), error(*codes))
    assert raised.type is expected
    assert raised.value.codes == tuple(codes)


@pytest.mark.parametrize("body", [b"<html>502</html>", b"", b'{"error":[],"result":{"txid":7}}'])
def test_an_answer_that_does_not_read_leaves_the_order_unknown(trading: Any, run: Any, body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        run(trading.add(order()), body)


def test_a_batch(trading: Any, run: Any, captures: Path) -> None:
    orders = batch()
    orders[1] = order(
        client_order_id="b", reduce_only=True, leverage=2, close=ConditionalClose(type="limit", limit_price="110")
    )
    done = run(trading.add_batch(orders), recorded(captures, "private_add_order_batch.json"))
    assert [item.id for item in done.items] == ["OZICHZ-FGB63-156I4K", "BEGNMD-FEJKF-VC6U8Y"]
    assert done.placed[1].description == "buy 5.20000000 USDCUSD @ limit 0.9000"
    assert not done.failed
    call = run.calls[0]
    assert call.json, "a form is refused"
    assert call.path == "/0/private/AddOrderBatch"
    assert present(call) == {
        "pair": "XBTUSD",
        "deadline": "2026-01-01T00:00:05.000Z",
        "orders": [
            {"ordertype": "limit", "type": "buy", "volume": "1", "price": "100", "cl_ord_id": "ours-0"},
            {
                "ordertype": "limit",
                "type": "buy",
                "volume": "1",
                "price": "100",
                "leverage": "2",
                "reduce_only": True,
                "cl_ord_id": "b",
                "close": {"ordertype": "limit", "price": "110"},
            },
        ],
    }
    assert costs(call) == [(ENGINE, 1, "XBTUSD", False), (PRIVATE, 1, "", False)], "half a point for each"


def test_a_batch_as_it_is_on_the_wire(trading: Any) -> None:
    signer = KrakenSpotSigner(Credentials(api_key="key", api_secret="c2VjcmV0"))
    body = json.loads(signer.sign(next(trading.add_batch(batch())), 7).body)
    assert body["nonce"] == "7"
    assert list(body) == ["nonce", "pair", "orders", "deadline"]
    assert "close" not in body["orders"][0]


def test_each_order_of_a_batch_has_its_own_end(trading: Any, run: Any) -> None:
    orders = batch(4)
    answer = {
        "orders": [
            {"txid": "O1", "descr": {"order": "one"}, "close": "a close"},
            {"error": "EOrder:Insufficient funds"},
            {"error": "EGeneral:Internal error"},
            {"descr": {"order": "neither"}},
        ]
    }
    done = run(trading.add_batch(orders), answer)
    first, *others = done.items
    assert isinstance(first, Placed)
    assert first.close_description == "a close"
    assert [type(item.error) for item in others] == [InsufficientFunds, OutcomeUnknown, OutcomeUnknown]
    assert [item.order for item in done.items] == orders
    assert len(done.failed) == 3


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_batch_that_is_not_answered_whole_is_unknown(trading: Any, run: Any, count: int) -> None:
    with pytest.raises(OutcomeUnknown, match="2 orders were sent"):
        run(trading.add_batch(batch()), {"orders": [{"txid": "O1"}] * count})


def test_a_batch_that_is_refused_as_a_whole(trading: Any, run: Any) -> None:
    with pytest.raises(OrderRefused):
        run(trading.add_batch(batch()), error("EGeneral:Invalid arguments:volume"))


def test_a_validated_batch(trading: Any, run: Any) -> None:
    answer = {"orders": [{"descr": {"order": "one"}}, {"error": "EOrder:Order minimum not met"}]}
    good, bad = run(trading.validate_batch(batch()), answer)
    assert isinstance(good, Validated)
    assert isinstance(bad, NotPlaced)
    assert isinstance(bad.error, OrderRefused)
    assert present(run.calls[0])["validate"] is True


@pytest.mark.parametrize(
    ("orders", "parameter"),
    [
        (batch(1), "orders"),
        (batch(16), "orders"),
        ([order(), order(symbol="ETH/USD", client_order_id="b")], "symbol"),
        ([order(), order(tokenized=True, client_order_id="b")], "tokenized"),
        ([order(), order(deadline=NOW + timedelta(seconds=9), client_order_id="b")], "deadline"),
        ([order(), order(client_order_id=None)], "client_order_id"),
        ([order(), order(quantity=0, client_order_id="b")], "quantity"),
    ],
)
def test_what_is_no_batch_is_refused_before_sending(trading: Any, orders: Any, parameter: str) -> None:
    with pytest.raises(NotSupported, match=f"^kraken: {parameter}: "):
        next(trading.add_batch(orders))


def test_one_client_id_cannot_stand_on_two_orders(trading: Any) -> None:
    with pytest.raises(InvalidValue, match="client_order_id"):
        next(trading.add_batch([order(), order()]))


def test_fifteen_orders_go_in_one_batch(trading: Any) -> None:
    call = next(trading.add_batch(batch(15), NOW + timedelta(seconds=30)))
    assert call.params["deadline"] == "2026-01-01T00:00:30.000Z"
    assert costs(call) == [(ENGINE, 7.5, "XBTUSD", False), (PRIVATE, 1, "", False)]


def test_an_amend(trading: Any, run: Any, captures: Path) -> None:
    amendment = Amendment(
        symbol="BTC/USD", client_order_id="ours", quantity="2", limit_price="-0.5%", trigger_price="90", post_only=True
    )
    assert run(trading.amend(amendment), recorded(captures, "private_amend_order.json")) == "TVB4ER-X5QP3-ADURMW"
    assert present(run.calls[0]) == {
        "cl_ord_id": "ours",
        "order_qty": "2",
        "limit_price": "-0.5%",
        "trigger_price": "90",
        "post_only": True,
        "deadline": "2026-01-01T00:00:05.000Z",
    }


@pytest.mark.parametrize(
    ("seconds", "amend", "edit"), [(None, 4, 7), (0, 4, 7), (5, 3, 6), (10, 2, 5), (15, 1, 3), (45, 1, 2), (90, 1, 1)]
)
def test_a_change_costs_by_age(trading: Any, seconds: float | None, amend: float, edit: float) -> None:
    touched = None if seconds is None else NOW - timedelta(seconds=seconds)
    amendment = Amendment(symbol="BTC/USD", txid="OA-B-C", quantity=1, touched=touched)
    assert costs(next(trading.amend(amendment))) == [(ENGINE, amend, "XBTUSD", False), (PRIVATE, 1, "", False)]
    replacement = Edit(symbol="BTC/USD", txid="OA-B-C", type="limit", quantity=1, touched=touched)
    assert costs(next(trading.edit(replacement))) == [(ENGINE, edit, "XBTUSD", False), (PRIVATE, 1, "", False)]


@pytest.mark.parametrize(
    ("terms", "parameter"),
    [
        ({"quantity": 1}, "txid"),
        ({"quantity": 1, "txid": "O", "client_order_id": "c"}, "txid"),
        ({"txid": "O"}, "quantity"),
        ({"txid": "O", "quantity": 1, "post_only": True}, "post_only"),
        ({"txid": "O", "limit_price": "#5"}, "limit_price"),
        ({"txid": "O", "trigger_price": "#5%"}, "trigger_price"),
    ],
)
def test_what_is_no_amend_is_refused_before_sending(trading: Any, terms: Any, parameter: str) -> None:
    with pytest.raises(NotSupported, match=f"^kraken: {parameter}: "):
        next(trading.amend(Amendment(symbol="BTC/USD", **terms)))


def test_an_amend_fits_the_steps_and_names_a_tokenised_pair(trading: Any) -> None:
    with pytest.raises(OrderRefused, match="limit price"):
        next(trading.amend(Amendment(symbol="BTC/USD", txid="O", limit_price="1.23")))
    call = next(trading.amend(Amendment(symbol="BTC/USD", txid="O", quantity=1, tokenized=True)))
    assert present(call)["pair"] == "XBTUSD"


def test_an_edit(trading: Any, run: Any, captures: Path) -> None:
    edit = Edit(
        symbol="BTC/USD",
        txid="969KIO-6IUMQ-GYFSAI",
        type="stop-loss-limit",
        quantity="5.1",
        limit_price="#1%",
        trigger_price="90",
        userref=1234,
        answer_while_pending=True,
    )
    edited = run(trading.edit(edit), recorded(captures, "private_edit_order.json"))
    assert (edited.id, edited.replaced) == ("7BD466-BKZVM-FT2E2L", "969KIO-6IUMQ-GYFSAI")
    assert str(edited.quantity) == "5.10000000"
    assert (edited.price, edited.price2, edited.canceled, edited.userref) == ("0.89", None, 1, 1234)
    assert present(run.calls[0]) == {
        "txid": "969KIO-6IUMQ-GYFSAI",
        "pair": "XBTUSD",
        "volume": "5.1",
        "price": "90",
        "price2": "#1%",
        "userref": 1234,
        "deadline": "2026-01-01T00:00:05.000Z",
        "cancel_response": True,
    }


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": "Ok", "descr": {"order": "x"}}, OutcomeUnknown),
        ({"status": "Err", "error_message": "EOrder:Insufficient funds", "orders_cancelled": 0}, InsufficientFunds),
        ({"status": "Err", "error_message": "something", "orders_cancelled": 0}, OutcomeUnknown),
        ({"status": "Err", "error_message": "EOrder:Insufficient funds", "orders_cancelled": 1}, OutcomeUnknown),
        ({"status": "Err"}, OutcomeUnknown),
    ],
)
def test_an_edit_that_failed(trading: Any, run: Any, answer: Any, expected: type) -> None:
    """Where the first order went and none came, that must not look as if nothing had happened."""
    with pytest.raises(expected):
        run(trading.edit(Edit(symbol="BTC/USD", txid="OA-B-C", type="limit", quantity=1)), answer)


def test_a_validated_edit(trading: Any, run: Any) -> None:
    edit = Edit(symbol="BTC/USD", txid="OA-B-C", type="limit", limit_price=9, post_only=True)
    assert run(trading.validate_edit(edit), {"status": "ok", "descr": {"order": "buy"}}) == "buy"
    sent = present(run.calls[0])
    assert (sent["validate"], sent["oflags"], sent["price"]) == (True, "post", "9")


@pytest.mark.parametrize(
    ("terms", "parameter"),
    [
        ({"type": "limit"}, "quantity"),
        ({"type": "market", "limit_price": 1}, "limit_price"),
        ({"type": "limit", "trigger_price": 1}, "trigger_price"),
        ({"type": "limit", "quantity": 1, "display_quantity": 1}, "display_quantity"),
        ({"type": "iceberg", "quantity": 1, "post_only": True}, "post_only"),
        ({"type": "trailing-stop", "trigger_price": 90}, "trigger_price"),
        ({"type": "limit", "quantity": 1, "trigger": "index"}, "trigger"),
        ({"type": "limit", "quantity": 1, "no_price_protection": True}, "no_price_protection"),
    ],
)
def test_what_is_no_edit_is_refused_before_sending(trading: Any, terms: Any, parameter: str) -> None:
    with pytest.raises(NotSupported, match=f"^kraken: {parameter}: "):
        next(trading.edit(Edit(symbol="BTC/USD", txid="OA-B-C", **terms)))


STOP = {"symbol": "BTC/USD", "txid": "OA-B-C", "type": "stop-loss", "trigger_price": 90}


def test_the_flags_of_an_edit_go_either_way(trading: Any) -> None:
    call = next(trading.edit(Edit(**STOP, fee_asset="fcib", no_price_protection=True)))
    assert present(call)["oflags"] == "nompp,fcib"
    assert (call.socket.params["fee_preference"], call.socket.params["no_mpp"]) == ("base", True)
    assert "reduce_only" not in call.socket.params


@pytest.mark.parametrize(
    ("terms", "framed"),
    [
        ({"reduce_only": True}, {"reduce_only": True}),
        ({"trigger": "index"}, {"triggers": {"reference": "index", "price": 90}}),
    ],
    ids=["reduce_only", "trigger"],
)
def test_what_only_a_frame_can_say_of_an_edit_never_goes_out_without_it(
    trading: Any, terms: dict[str, Any], framed: dict[str, Any]
) -> None:
    """EditOrder has no word for it: left out, the new order would be another than the one that was asked for."""
    call = next(trading.edit(Edit(**STOP, **terms)))
    assert framed.items() <= json.loads(msgspec.json.encode(call.socket.params)).items()
    message = f"kraken: {next(iter(terms))}: of an edit goes over the live connection only, .*; nothing was sent"
    with pytest.raises(NotSupported, match=message):
        dict(call.params)
    with pytest.raises(NotSupported, match=message):
        next(trading.edit(Edit(**STOP, **terms, answer_while_pending=True)))
    with pytest.raises(NotSupported, match=message):
        next(trading.validate_edit(Edit(**STOP, **terms)))


@pytest.mark.parametrize("number", ["123", "-7"])
def test_a_number_is_no_order_id(trading: Any, number: str) -> None:
    """The venue would read it as a userref, which may stand on many orders."""
    with pytest.raises(InvalidValue, match="no order id"):
        next(trading.edit(Edit(symbol="BTC/USD", txid=number, type="limit", quantity=1)))
    with pytest.raises(InvalidValue, match="no order id"):
        next(trading.cancel_batch(txids=[number]))


def test_a_batch_of_cancels(trading: Any, run: Any, captures: Path) -> None:
    flow = trading.cancel_batch(txids=["OA-B-C"], client_order_ids=["ours"], userrefs=[-7], symbol="BTC/USD")
    canceled = run(flow, recorded(captures, "private_cancel_order_batch.json"))
    assert (canceled.count, canceled.pending) == (2, False)
    call = run.calls[0]
    assert call.json
    assert present(call) == {"orders": ["OA-B-C", -7], "cl_ord_ids": ["ours"]}
    assert costs(call) == [(ENGINE, 24, "XBTUSD", True), (PRIVATE, 1, "", True)]


@pytest.mark.parametrize("count", [0, 51])
def test_a_batch_of_cancels_has_one_to_fifty(trading: Any, count: int) -> None:
    with pytest.raises(NotSupported, match=r"^kraken: ids: "):
        next(trading.cancel_batch(txids=["OA-B-C"] * count))
    next(trading.cancel_batch(txids=["OA-B-C"] * 50))


def test_a_batch_of_cancels_never_waits_and_is_counted(trading: Any) -> None:
    """The venue carries it out however full the counter is; the next order of the pair has to wait."""
    counters = limits(KrakenSpotConfig())
    young = next(trading.cancel_batch(txids=["OA-B-C"] * 20, symbol="BTC/USD"))
    counters.spend(young.costs, 0)
    assert counters.delay(young.costs, 0) == 0
    adding = next(trading.add(order())).costs
    assert counters.delay(adding, 0) > 60
    other = next(trading.add(order(symbol="ETH/USD"))).costs
    assert counters.delay(other, 0) == 0


def test_old_orders_go_for_nothing(trading: Any) -> None:
    flow = trading.cancel_batch(txids=["OA-B-C"] * 9, symbol="BTC/USD", youngest=NOW - timedelta(minutes=5))
    assert costs(next(flow)) == [(ENGINE, 0, "XBTUSD", True), (PRIVATE, 1, "", True)]


def test_cancel_all(trading: Any, run: Any, captures: Path) -> None:
    canceled = run(trading.cancel_all(), recorded(captures, "private_cancel_all.json"))
    assert (canceled.count, canceled.pending) == (4, False)
    assert present(run.calls[0]) == {}
    assert costs(run.calls[0]) == [(PRIVATE, 1, "", True)]
    assert run(trading.cancel_all(), {"count": 1, "pending": True}).pending


def test_cancel_all_after(trading: Any, run: Any, captures: Path) -> None:
    flow = trading.cancel_all_after(timedelta(seconds=60))
    switch = run(flow, recorded(captures, "private_cancel_all_orders_after.json"))
    assert switch.time == datetime(2023, 3, 24, 17, 41, 56, tzinfo=UTC)
    assert switch.fires == datetime(2023, 3, 24, 17, 42, 56, tzinfo=UTC)
    assert present(run.calls[0]) == {"timeout": 60}
    assert costs(run.calls[0]) == [(PRIVATE, 1, "", True)]


@pytest.mark.parametrize("shown", ["0", 0, "", None, "2023-03-24T17:41:56Z"])
def test_a_switch_that_is_off_never_fires(trading: Any, run: Any, shown: Any) -> None:
    answer = {"currentTime": "2023-03-24T17:41:56Z", "triggerTime": shown}
    assert run(trading.cancel_all_after(timedelta(0)), answer).fires is None


@pytest.mark.parametrize("seconds", [-1, 0.5, 86_400])
def test_a_switch_takes_whole_seconds_below_a_day(trading: Any, seconds: float) -> None:
    with pytest.raises(NotSupported, match=r"^kraken: timeout: "):
        next(trading.cancel_all_after(timedelta(seconds=seconds)))


def test_a_cancel_that_finds_nothing_is_told(trading: Any, run: Any) -> None:
    with pytest.raises(OrderNotFound):
        run(trading.cancel_batch(txids=["OA-B-C"]), error("EOrder:Unknown order"))


def test_quantities_go_out_in_plain_digits(trading: Any) -> None:
    assert next(trading.add(order(quantity=Decimal("5.1E-3")))).params["volume"] == "0.0051"
