"""Each parameter of the calls about orders is sent, alone and in a batch, or refused before sending; the tables say so.

The tests are made from the table.
"""

import json
import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.connector.rest import RestCall
from exchange_core.errors import InvalidValue, NotSupported
from exchange_core.model.amendment import Amendment
from exchange_core.model.order import OrderRequest
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit, OrderKind
from kraken_futures.orders.support import support_table, table
from kraken_futures.orders.table import ALL, BATCH, CANCEL, EDIT, PARAMETERS, SEND, Term
from kraken_futures.rest.operations import FuturesRest

README = Path(__file__).parents[3] / "plugins/kraken_futures/README.md"
# What an order of each type cannot do without.
NEEDED: dict[OrderKind, dict[str, Any]] = {kind: {} for kind in OrderKind}
for term in SEND:
    for kind in term.needed - {k for k in OrderKind if term.needed == ALL}:
        NEEDED[kind] |= term.example


def order(kind: OrderKind, **terms: Any) -> FuturesOrder:
    plain = {"symbol": "BTC/USD:USD", "side": "buy", "quantity": 1, "kind": kind, "client_order_id": "c-1"}
    given = plain | NEEDED[kind] | terms
    if given.get("limit_offset") is not None and kind.is_trigger:
        given["limit_price"] = None
    return FuturesOrder(**given)


def edit(**terms: Any) -> OrderEdit:
    return OrderEdit(**{"order_id": "o-1", "quantity": 2, "symbol": "BTC/USD:USD", **terms})


def given(call: RestCall) -> dict[str, Any]:
    return {name: value for name, value in call.params.items() if value is not None}


def item(call: RestCall) -> dict[str, Any]:
    (only,) = json.loads(call.params["json"])["batchOrder"]
    found: dict[str, Any] = only
    return found


def named(term: Term) -> str:
    return f"{term.call} {term.wire}"


def kind_of(term: Term) -> OrderKind:
    return next(kind for kind in OrderKind if kind in term.kinds)


def asked(term: Term) -> FuturesOrder | OrderEdit | OrderCancel:
    if term in SEND:
        return order(kind_of(term), **term.example)
    return edit(**term.example) if term in EDIT else OrderCancel(**term.example)


OURS = [term for term in PARAMETERS if term.name and term.example and term not in BATCH]


@pytest.mark.parametrize("term", OURS, ids=named)
def test_a_parameter_is_sent(rest: FuturesRest, term: Term) -> None:
    one = asked(term)
    if isinstance(one, FuturesOrder):
        call = next(rest.orders.send(one))
    elif isinstance(one, OrderEdit):
        call = next(rest.orders.edit(one))
    else:
        call = next(rest.orders.cancel(one))
    assert call.path.rpartition("/")[2] == term.call
    assert call.changes_state
    assert term.sent.items() <= given(call).items()


@pytest.mark.parametrize("term", OURS, ids=named)
def test_a_parameter_in_a_batch_is_sent_or_refused(rest: FuturesRest, term: Term) -> None:
    flow = rest.orders.batch([asked(term)])
    if term.item is None:
        name = term.name.removesuffix("_unit")
        with pytest.raises(NotSupported, match=f"^futures: {name}: "):
            next(flow)
        return
    found = item(next(flow))
    assert found["order"] == {"sendorder": "send", "editorder": "edit", "cancelorder": "cancel"}[term.call]
    assert term.item.items() <= found.items()


@pytest.mark.parametrize("kind", OrderKind)
@pytest.mark.parametrize("term", [term for term in SEND if term.name and term.kinds != ALL], ids=named)
def test_with_other_types_it_is_refused_before_anything_is_sent(term: Term, kind: OrderKind) -> None:
    if kind in term.kinds:
        assert order(kind, **term.example)
        return
    with pytest.raises(InvalidValue, match=re.compile(f"BTC/USD:USD: .* {kind} takes no ")):
        order(kind, **term.example)


@pytest.mark.parametrize("kind", OrderKind)
@pytest.mark.parametrize("term", [term for term in SEND if term.needed], ids=named)
def test_what_a_type_needs_is_missed(term: Term, kind: OrderKind) -> None:
    if kind not in term.needed:
        assert order(kind, **({term.name: None} if term.name in NEEDED[kind] else {}))
        return
    with pytest.raises((InvalidValue, TypeError, AttributeError)):
        order(kind, **{term.name: None})


@pytest.mark.parametrize("kind", OrderKind)
def test_nothing_goes_out_that_was_not_asked_for(rest: FuturesRest, kind: OrderKind) -> None:
    sent = given(next(rest.orders.send(order(kind))))
    needed = {name for term in SEND if kind in term.needed for name in term.sent}
    # Which price sets it off is always said: the venue does not tell what it would take.
    always = {"orderType"} | ({"triggerSignal"} if kind.is_trigger else set())
    assert set(sent) == needed | always
    assert sent["orderType"] == kind


def test_a_batch_has_one_deadline_in_both_spellings(rest: FuturesRest) -> None:
    (term,) = (term for term in BATCH if term.example)
    call = next(rest.orders.batch([order(OrderKind.MARKET)], **term.example))
    assert term.sent.items() <= given(call).items()
    assert item(call)["order_tag"] == "1"


@pytest.mark.parametrize("term", [term for term in SEND if not term.name], ids=named)
def test_what_cannot_be_told_has_no_place_in_an_order(term: Term) -> None:
    assert (term.support, term.in_batch, term.sent, term.item) == ("refused", "refused", {}, None)
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        order(OrderKind.MARKET, **{term.wire: "x"})


@pytest.mark.parametrize(
    ("terms", "kind"), [(SEND, FuturesOrder), (EDIT, OrderEdit), (CANCEL, OrderCancel)], ids=lambda one: str(one)[:30]
)
def test_every_field_is_in_the_table_once(terms: tuple[Term, ...], kind: type) -> None:
    names = [term.name for term in terms if term.name]
    assert len(names) == len(set(names))
    # An edit's symbol is not sent: with it, steps are checked.
    assert set(names) == {field.name for field in attrs.fields(kind)} - ({"symbol"} if kind is OrderEdit else set())


def test_what_the_table_calls_neutral_is_a_term_of_requests_and_amendments() -> None:
    requests = {field.name for field in attrs.fields(OrderRequest)}
    amendments = {field.name for field in attrs.fields(Amendment)}
    for term in PARAMETERS:
        for name in filter(None, term.neutral.split(", ")):
            assert name in (amendments if term in EDIT else requests)


def test_the_readme_shows_the_tables() -> None:
    text = README.read_text("utf-8")
    assert table() in text
    assert support_table() in text
