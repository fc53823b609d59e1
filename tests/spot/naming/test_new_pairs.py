"""What the account has in pairs that are in no list: the lists are asked for again, and nothing is lost.

A list may be older than a pair, or the pair may be gone; what is listed nowhere is shown under a stand-in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.partial import left_out
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError, TransportError, UnknownSymbol, VenueUnavailable
from exchange_core.model.fill import Fee, Fill
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio.prices import PriceTable
from exchange_core.portfolio.valuation import value
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.history import KrakenSpotHistory
from kraken_spot.naming import account_symbol
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.tokenized import TOKENIZED

TXID = "OQCLML-BW3P3-BUCMWZ"
CLIENT = "6d1b345e-2821-40e2-ad83-4ecb18a06876"
GONE = Symbol("GONE", "USD")


def order(pair: str) -> dict[str, Any]:
    return {
        "status": "open",
        "opentm": 1700000000.5,
        "descr": {"pair": pair, "type": "buy", "ordertype": "limit", "price": "2.5", "price2": "0", "leverage": "none"},
        "vol": "2",
        "vol_exec": "0",
        "price": "0",
        "fee": "0",
        "oflags": "fciq",
    }


def told(fills: Iterable[Any]) -> list[tuple[str, str]]:
    return [(fill.id, str(fill.symbol)) for fill in fills if isinstance(fill, Fill)]


def trade(pair: str, number: int) -> dict[str, Any]:
    return {
        "ordertxid": "OQCLML-BW3P3-BUCMWZ",
        "pair": pair,
        "time": 1700000000.5 + number,
        "type": "buy",
        "ordertype": "limit",
        "price": "2.5",
        "cost": "5",
        "fee": "0.02",
        "vol": "2",
        "margin": "0",
        "misc": "",
    }


@pytest.fixture
def pairs() -> dict[str, Any]:
    new = {
        "altname": "NEWUSD",
        "wsname": "NEW/USD",
        "base": "NEW",
        "quote": "ZUSD",
        "pair_decimals": 4,
        "lot_decimals": 8,
        "cost_decimals": 5,
        "ordermin": "0.1",
        "costmin": "0.5",
        "tick_size": "0.0001",
        "status": "online",
        "fees": [],
        "fees_maker": [],
    }
    return {"NEWUSD": new}


ASSETS = {"NEW": {"altname": "NEW", "decimals": 8}, "ZUSD": {"altname": "USD", "decimals": 4}}
HISTORY = {"trades": {"T1": trade("XXBTZUSD", 1), "T2": trade("NEWUSD", 2)}, "count": 2}


def test_a_fill_of_a_new_pair_is_read_with_new_lists(rest: KrakenSpotRest, run: Any, pairs: dict[str, Any]) -> None:
    fills = run(rest.fills(None), HISTORY, ASSETS, pairs)
    assert [(fill.id, str(fill.symbol)) for fill in fills] == [("T1", "BTC/USD"), ("T2", "NEW/USD")]
    assert "trade T2" not in rest.skipped


def test_the_lists_are_read_once_for_a_pair_that_is_in_none(rest: KrakenSpotRest, run: Any, lists: Any) -> None:
    known = json.loads(json.dumps(HISTORY))
    assert told(run(rest.fills(None), known, *lists)) == [("T1", "BTC/USD"), ("T2", "NEWUSD/?:?")]
    assert told(run(rest.fills(None), known)) == [("T1", "BTC/USD"), ("T2", "NEWUSD/?:?")]
    assert rest.skipped.keys() == {"pair NEWUSD"}


def test_a_pair_that_was_in_no_list_and_is_in_a_later_one_has_its_name(
    rest: KrakenSpotRest, run: Any, lists: Any, pairs: dict[str, Any]
) -> None:
    run(rest.fills(None), HISTORY, *lists)
    run(rest.instruments(), ASSETS, pairs)
    assert told(run(rest.fills(None), HISTORY)) == [("T1", "BTC/USD"), ("T2", "NEW/USD")]
    assert not rest.skipped


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([TransportError("down")], id="assets"),
        pytest.param([ASSETS, VenueUnavailable("busy")], id="pairs"),
        pytest.param([{}, {}], id="empty ones, as during maintenance"),
    ],
)
def test_while_lists_are_not_to_be_had_the_fills_are_partial(
    rest: KrakenSpotRest, run: Any, pairs: dict[str, Any], answers: list[Any]
) -> None:
    """And the next time the lists are asked for again."""
    found = run(rest.fills(None), HISTORY, *answers)
    assert told(found) == [("T1", "BTC/USD")]
    (problem,) = left_out(found)
    assert "T2" in problem
    assert "NEWUSD" in problem
    assert told(run(rest.fills(None), HISTORY, ASSETS, pairs)) == [("T1", "BTC/USD"), ("T2", "NEW/USD")]


def test_the_lists_are_asked_for_once_for_all_pages(rest: KrakenSpotRest, run: Any, lists: Any) -> None:
    """And so once, however many pairs they lack; fills come in their order."""
    since = datetime.fromtimestamp(1700000000, UTC)
    first = {"trades": {"T3": trade("OLDUSD", 3), "T2": trade("NEWUSD", 2)}, "count": 3}
    second = {"trades": {"T1": trade("XXBTZUSD", 1)}, "count": 3}
    found = run(rest.fills(since), first, second, *lists)
    assert told(found) == [("T1", "BTC/USD"), ("T2", "NEWUSD/?:?"), ("T3", "OLDUSD/?:?")]
    assert [call.path.rpartition("/")[2] for call in run.calls] == ["TradesHistory"] * 2 + ["Assets", "AssetPairs"]


def test_a_pair_that_comes_up_while_lists_are_asked_for_may_be_newer_than_they_are(
    rest: KrakenSpotRest, run: Any, lists: Any, pairs: dict[str, Any]
) -> None:
    asking = rest.instruments()
    next(asking)
    assert account_symbol(rest._context.symbols, "NEWUSD") is None
    asking.send({})
    with pytest.raises(StopIteration):
        asking.send({"XXBTZUSD": msgspec.Raw(b"{}")})
    assert told(run(rest.fills(None), HISTORY, ASSETS, pairs)) == [("T1", "BTC/USD"), ("T2", "NEW/USD")]


def test_the_list_of_tokenised_assets_is_asked_for_again_too_where_it_is_configured(
    make_context: Callable[..., VenueContext], make_runner: Any, pairs: dict[str, Any]
) -> None:
    context = make_context(config=KrakenSpotConfig(tokenized=True))
    rest, run = KrakenSpotRest(context), make_runner(context)
    found = run(rest.fills(None), HISTORY, ASSETS, {}, {}, pairs)
    assert told(found) == [("T1", "BTC/USD"), ("T2", "NEW/USD")]
    assert [call.params for call in run.calls[2:]] == [{"aclass": TOKENIZED}, {}, {"aclass_base": TOKENIZED}]
    assert context.symbols.instrument(found[1].symbol).is_tokenized


def test_what_only_stands_for_a_pair_keeps_all_that_is_known(rest: KrakenSpotRest, run: Any, lists: Any) -> None:
    """Of the fee that is how much; in what, the venue does not say. It is told of the trade, not left out."""
    (fill,) = run(rest.fills(None), {"trades": {"T2": trade("NEWUSD", 2)}, "count": 1}, *lists)
    assert (fill.price, fill.quantity, fill.cost) == (Decimal("2.5"), Decimal(2), Decimal(5))
    assert fill.fee == Fee(asset="?", amount=Decimal("0.02"))
    assert Symbol.parse(str(fill.symbol)) == fill.symbol == Symbol("NEWUSD", "?", "?")
    with pytest.raises(UnknownSymbol):
        rest._context.symbols.instrument(fill.symbol)


def test_a_name_that_none_can_have_is_left_out_and_said_to_be(rest: KrakenSpotRest, run: Any) -> None:
    found = run(rest.fills(None), {"trades": {"T2": trade("N€W/?", 2)}, "count": 1})
    assert found == []
    assert len(left_out(found)) == 1


# Orders.


def test_an_open_order_is_shown_and_can_be_cancelled(rest: KrakenSpotRest, run: Any, lists: Any) -> None:
    (found,) = run(rest.open_orders(), {"open": {TXID: order("GONEUSD")}}, *lists)
    assert (str(found.symbol), found.quantity, found.price) == ("GONEUSD/?:?", Decimal(2), Decimal("2.5"))
    run(rest.cancel(found), {"count": 1})
    assert run.calls[-1].params == {"txid": TXID}
    as_the_feed_calls_it = attrs.evolve(found, request=attrs.evolve(found.request, symbol=GONE))
    run(rest.cancel(as_the_feed_calls_it), {"count": 1})
    assert run.calls[-1].params == {"txid": TXID}
    run(rest.cancel_batch([found, attrs.evolve(found, venue_order_id="OOTHER-AAAAA-BBBBBB")]), {"count": 2})
    assert run.calls[-1].path.endswith("CancelOrderBatch")


def test_while_lists_are_not_to_be_had_open_orders_are_partial(rest: KrakenSpotRest, run: Any) -> None:
    """An order that is not on the list is not gone, then."""
    found = run(rest.open_orders(), {"open": {TXID: order("GONEUSD")}}, TransportError("down"))
    assert found == []
    assert len(left_out(found)) == 1


def test_an_order_is_looked_up_whatever_its_pair(rest: KrakenSpotRest, run: Any, lists: Any) -> None:
    assert str(run(rest.look_up(TXID), {TXID: order("GONEUSD")}, *lists).symbol) == "GONEUSD/?:?"


def test_an_order_of_an_unlisted_pair_is_no_answer_while_lists_are_not_to_be_had(
    rest: KrakenSpotRest, run: Any
) -> None:
    with pytest.raises(TransportError):
        run(rest.look_up(TXID), {TXID: order("GONEUSD")}, TransportError("down"))


def ours(**changes: Any) -> Order:
    request = OrderRequest(
        symbol=GONE, side=Side.BUY, quantity=Decimal(2), price=Decimal("2.5"), client_order_id=CLIENT
    )
    return Order(request=request, status=OrderStatus.PENDING, unknown=True, client_order_id=CLIENT, **changes)


def test_an_order_of_ours_is_found_by_its_id_though_no_list_has_its_pair_any_more(
    rest: KrakenSpotRest, run: Any
) -> None:
    """As after a restart: its pair was listed when it was placed."""
    found = run(rest.find(ours(venue_order_id=TXID)), {TXID: order("GONEUSD")})
    assert (found.status, found.symbol) == (OrderStatus.OPEN, GONE)


@pytest.mark.parametrize("client_id", [CLIENT, None], ids=["with our id", "by its terms"])
def test_and_by_ours(rest: KrakenSpotRest, run: Any, lists: Any, client_id: str | None) -> None:
    answer = {"open": {TXID: {**order("GONEUSD"), "cl_ord_id": client_id}}}
    found = run(rest.find(ours()), answer, *lists)
    assert (found.venue_order_id, found.symbol) == (TXID, GONE)


def test_a_record_that_may_be_ours_is_not_taken_for_nowhere_while_lists_are_not_to_be_had(
    rest: KrakenSpotRest, run: Any
) -> None:
    with pytest.raises(ProtocolError, match="GONEUSD"):
        run(rest.find(ours()), {"open": {TXID: order("GONEUSD")}}, TransportError("down"))


# Margin positions.


def position(pair: str) -> dict[str, Any]:
    return {
        "pair": pair,
        "type": "buy",
        "cost": "5",
        "fee": "0.02",
        "vol": "2",
        "vol_closed": "0",
        "margin": "1",
        "value": "6",
        "net": "+1",
    }


def test_a_margin_position_is_shown_under_a_stand_in(rest: KrakenSpotRest, run: Any, lists: Any) -> None:
    found = run(rest.positions(), {"A": position("XXBTZUSD"), "B": position("GONEUSD")}, *lists)
    assert [(str(each.symbol), each.quantity) for each in found] == [("BTC/USD", 2), ("GONEUSD/?:?", 2)]
    assert (found[1].entry_price, found[1].mark_price, found[1].unrealised) == (Decimal("2.5"), 3, 1)
    assert not left_out(found)
    assert rest.skipped.keys() == {"pair GONEUSD"}


def test_while_lists_are_not_to_be_had_positions_are_partial(rest: KrakenSpotRest, run: Any) -> None:
    found = run(rest.positions(), {"A": position("XXBTZUSD"), "B": position("GONEUSD")}, TransportError("down"))
    assert [str(each.symbol) for each in found] == ["BTC/USD"]
    assert len(left_out(found)) == 1


def test_the_portfolio_shows_it_without_a_value(rest: KrakenSpotRest, run: Any, lists: Any) -> None:
    found = run(rest.positions(), {"B": position("GONEUSD")}, *lists)
    view = value(
        balances=[],
        positions=found,
        prices=PriceTable({}),
        instruments={},
        currency="USD",
        time=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert [(line.position.quantity, line.value) for line in view.positions] == [(2, None)]
    assert not view.is_complete


# The past.


def test_the_past_tells_them_too(context: VenueContext, run: Any, lists: Any) -> None:
    page = run(KrakenSpotHistory(context).fills(None, None).fetch(None), HISTORY, *lists)
    assert told(entry.value for entry in page.entries) == [("T1", "BTC/USD"), ("T2", "NEWUSD/?:?")]
    closed = {**order("NEWUSD"), "status": "canceled", "closetm": 1700000009}
    page = run(KrakenSpotHistory(context).orders(None, None).fetch(None), {"closed": {TXID: closed}, "count": 1})
    assert [str(entry.value.symbol) for entry in page.entries] == ["NEWUSD/?:?"]


@pytest.mark.parametrize("answers", [[TransportError("down")], [{}, {}]], ids=["down", "empty"])
def test_a_walk_through_the_past_passes_none_while_lists_are_not_to_be_had(
    context: VenueContext, run: Any, answers: list[Any]
) -> None:
    with pytest.raises((TransportError, VenueUnavailable)):
        run(KrakenSpotHistory(context).fills(None, None).fetch(None), HISTORY, *answers)


NAMES = st.text("ABCXZ.d0189", min_size=1, max_size=12)


@given(st.lists(NAMES, min_size=1, max_size=12))
def test_whatever_pairs_are_called_no_fill_is_left_out(
    make_context: Callable[..., VenueContext], make_runner: Any, names: list[str]
) -> None:
    context = make_context()
    rest, run = KrakenSpotRest(context), make_runner(context)
    trades = {f"T{number:02}": trade(name, number) for number, name in enumerate(names)}
    strangers = any(context.symbols.get(name) is None for name in names)
    answers = [{}, {"ODDUSD": {}}] if strangers else []
    found = run(rest.fills(None), {"trades": trades, "count": len(trades)}, *answers)
    assert [fill.id for fill in found] == list(trades)
    assert [context.symbols.get(name) or Symbol(name, "?", "?") for name in names] == [fill.symbol for fill in found]
