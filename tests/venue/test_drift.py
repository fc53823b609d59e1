"""What a venue sends that its plugin does not know is counted and shown, and changes nothing else."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from exchange_core.connector.drift import (
    BEYOND,
    MOST_KINDS,
    Documented,
    Drift,
    Sampler,
    Watch,
    form,
    watch_frames,
)
from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.connector.shapes import ANYTHING, Each, Row, record, shape_of, words


class Description(msgspec.Struct):
    pair: str
    leverage: str | None = None


class Order(msgspec.Struct, rename="camel"):
    order_id: str
    descr: Description
    status: str = "open"
    parts: list[Description] = []
    by_name: dict[str, Description] = {}
    extra: msgspec.Raw = msgspec.Raw(b"null")


class Level(msgspec.Struct, array_like=True):
    price: Decimal
    quantity: Decimal


ORDER = record(Order, also="userref", status=words("open closed"))


def found(shape: Any, value: Any) -> list[str]:
    told: list[str] = []
    shape.look(value, "x", lambda sort, where, _: told.append(f"{sort} {where}"))
    return sorted(told)


def order(**more: Any) -> dict[str, Any]:
    return {"orderId": "1", "descr": {"pair": "A"}, **more}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(order(), [], id="all known"),
        pytest.param(order(userref=7, extra={"a": 1}), [], id="known and not read"),
        pytest.param(order(status=None, descr=None, parts=None), [], id="null is never news"),
        pytest.param(order(new=1), ["field x.new"], id="a new field"),
        pytest.param(order(order_id="1"), ["field x.order_id"], id="the name on the wire counts"),
        pytest.param(order(descr={"pair": "A", "new": 1}), ["field x.descr.new"], id="deeper"),
        pytest.param(order(parts=[{"pair": "A"}, {"new": 1}]), ["field x.parts[].new"], id="in a list"),
        pytest.param(order(byName={"id": {"new": 1}}), ["field x.byName.*.new"], id="ids are no fields"),
        pytest.param(order(status="frozen"), ["word x.status"], id="a new word"),
        pytest.param(order(descr=[]), ["kind x.descr"], id="a list for an object"),
        pytest.param(order(parts=7), ["kind x.parts"], id="a number for a list"),
        pytest.param(order(status=7), ["kind x.status"], id="a number for a word"),
        pytest.param([], ["kind x"], id="no object at all"),
    ],
)
def test_what_a_struct_does_not_read_is_told(value: Any, expected: list[str]) -> None:
    assert found(ORDER, value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (list[Order], [order(new=1)], ["field x[].new"]),
        (Order | None, order(new=1), ["field x.new"]),
        (dict[str, Level], {"A": ["1", "2", "3"]}, ["field x.*.2"]),
        (list[Description] | Description, {"pair": "A", "new": 1}, ["field x.new"]),
        (list[Description] | Description, [{"pair": "A", "new": 1}], ["field x[].new"]),
        (msgspec.Raw, {"anything": 1}, []),
        (None, {"anything": 1}, []),
    ],
)
def test_shapes_come_from_what_is_read(kind: Any, value: Any, expected: list[str]) -> None:
    assert found(shape_of(kind), value) == expected


def test_structs_that_read_the_same_message_know_together() -> None:
    class Other(msgspec.Struct):
        margin: bool
        descr: dict[str, Any]

    assert found(record(Order, Other), order(margin=True)) == []


def test_words_may_stand_in_a_list_or_in_capitals() -> None:
    assert found(words("post fcib", is_list=True), "post,new") == ["word x"]
    assert found(words("gtc", folded=True), "GTC") == []
    assert found(words("gtc"), "GTC") == ["word x"]
    assert found(words("gtc"), "") == []


def test_rows_may_be_shorter_but_not_longer() -> None:
    row = Row(2, {1: words("b s")})
    assert found(Each(row), [["1"], ["1", "b"]]) == []
    assert found(Each(row), [["1", "q", "new"]]) == ["field x[].2", "word x[].1"]


# What is kept of it.

SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="


def test_values_never_show() -> None:
    drift = Drift()
    drift.note("field", "Key.new", {"secret": SECRET, SECRET: 1, "list": [SECRET], "deep": {"deeper": {"x": SECRET}}})
    drift.note("word", "Key.status", SECRET)
    drift.note("field", f"Keys.{SECRET}", SECRET)
    shown = json.dumps([dict(drift.counts), drift.examples])
    assert SECRET not in shown
    assert SECRET[:8] not in shown
    assert drift.examples["field Key.new"].startswith("object(secret: text, ?: number, list: list of text")
    assert f"word Key.status = a text of {len(SECRET)} characters" in drift.counts


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "yes or no"),
        (1.5, "number"),
        (None, "nothing"),
        ("x", "text"),
        ([], "list"),
        ([{"a": 1}], "list of object(a: number)"),
        ({str(n): n for n in range(20)}, "object(" + ", ".join(f"{n}: number" for n in range(12)) + ", …)"),
    ],
)
def test_form(value: Any, expected: str) -> None:
    assert form(value) == expected


def test_each_kind_is_told_once_and_counted() -> None:
    told: list[str] = []
    drift = Drift(on_new=lambda kind, shown: told.append(f"{kind}: {shown}"))
    for _ in range(3):
        drift.note("field", "Order.new", 1)
    assert told == ["field Order.new: number"]
    assert drift.counts == {"field Order.new": 3}


def test_kinds_are_bounded() -> None:
    drift = Drift()
    for number in range(10 * MOST_KINDS):
        drift.note("field", f"Order.f{number}", 1)
    assert len(drift.counts) == MOST_KINDS + 1
    assert drift.counts[BEYOND] == 9 * MOST_KINDS


# What is looked at.


def documented(**answers: Any) -> Documented:
    def frame(value: Any) -> tuple[str, Any]:
        channel = value["channel"]
        return (channel, ORDER) if channel == "order" else (f"channel {channel}", None)

    return Documented(
        answers={"/orders": Each(ORDER), "/market/*/orders": ORDER, "/broken": Broken(), **answers},
        frame=frame,
        unwrap=lambda answer: (answer.get("result"), answer.get("error", ())),
        knows=lambda code: code.startswith("EOrder:Known"),
    )


class Broken:
    def look(self, value: Any, where: str, tell: Any) -> None:
        raise KeyError(value)


def reply(**answer: Any) -> HttpReply:
    return HttpReply(200, {}, json.dumps(answer).encode())


def test_answers_are_looked_at_by_their_path() -> None:
    watch = Watch(documented(), Drift())
    watch.answer(RestCall(method="GET", path="/orders"), reply(result={"A": order(new=1)}))
    watch.answer(RestCall(method="GET", path="/market/PI_X/orders"), reply(result=order(other=1)))
    watch.answer(RestCall(method="GET", path="/else", reply=Order), reply(result=order(third=1)))
    assert set(watch.drift.counts) == {"field orders.*.new", "field orders.other", "field else.third"}


def test_codes_of_errors_that_are_in_no_table_are_counted_without_their_numbers() -> None:
    watch = Watch(documented(), Drift())
    for code in ("EOrder:Known", "EOrder:Moon phase:1234567", "EOrder:Moon phase:7654321"):
        watch.failed(RestCall(method="POST", path="/orders"), reply(error=[code]))
    assert watch.drift.counts == {"error EOrder:Moon phase:#": 2}


def test_of_many_answers_some_are_looked_at() -> None:
    watch = Watch(documented(), Drift(), first=2, every=10)
    for _ in range(30):
        watch.answer(RestCall(method="GET", path="/orders"), reply(result={"A": order(new=1)}))
    assert watch.drift.counts["field orders.*.new"] == 4


def test_the_first_frames_of_each_kind_are_looked_at_and_then_every_so_many() -> None:
    sampler = Sampler(3, 10)
    assert [n for n in range(25) if sampler.is_due("book")] == [0, 1, 2, 10, 20]
    assert sampler.is_due("trade")


def test_kinds_of_frames_are_bounded() -> None:
    """Whatever stands at the beginning of frames, they do not all count as the first of their kind."""
    sampler = Sampler(1, 1000)
    assert sum(sampler.is_due(number) for number in range(5000)) < 300


def test_frames_of_unknown_channels_and_fields() -> None:
    watch = Watch(documented(), Drift())
    take = watch_frames(watch, first=10, every=10)
    for frame in (order(channel="order"), {"channel": "moon", "data": []}, order(channel="order", status="frozen")):
        take(json.dumps(frame).encode())
    assert watch.drift.counts == {
        "field order.channel": 2,
        "frame channel moon": 1,
        "word order.status = frozen": 1,
    }
    assert watch.drift.examples["frame channel moon"] == "object(channel: text, data: list)"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"7", b"null", b"\xff", b'{"result":{}}', b'{"error":7}', b"[" * 5000],
)
def test_nothing_that_comes_makes_it_fail(body: bytes) -> None:
    watch = Watch(documented(), Drift())
    for path in ("/orders", "/broken", "/else"):
        watch.answer(RestCall(method="GET", path=path), HttpReply(200, {}, body))
        watch.failed(RestCall(method="GET", path=path), HttpReply(500, {}, body))
    watch.frame(body)
    assert sum(watch.drift.counts.values()) < 20


def test_a_mistake_in_a_check_is_counted_itself() -> None:
    watch = Watch(documented(), Drift())
    watch.answer(RestCall(method="GET", path="/broken"), reply(result={"secret": SECRET}))
    assert watch.drift.counts == {"check broken: KeyError": 1}


def test_anything_is_not_looked_into() -> None:
    assert found(ANYTHING, order(new=1)) == []
