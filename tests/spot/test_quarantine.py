"""A record that does not read hides no other, and is never taken for an order or a fill that is gone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.partial import left_out
from exchange_core.connector.rest import Flow, HttpReply
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.event import Channel, OpenOrdersSnapshot, SequenceGap
from exchange_core.model.order import Order, OrderRequest
from exchange_core.testing.world import run_flow
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.dialect import KrakenSpotDialect
from kraken_spot.feed.account import Executions
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.wire.feed import Executions as Frame

PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "base": "XXBT",
    "quote": "ZUSD",
    "pair_decimals": 1,
    "lot_decimals": 8,
    "status": "online",
}
ORDER = {
    "status": "open",
    "opentm": 1767614400.5,
    "cl_ord_id": "c-1",
    "vol": "1",
    "vol_exec": "0",
    "price": "0",
    "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "100", "price2": "0"},
}
TRADE = {
    "ordertxid": "O-1",
    "pair": "XXBTZUSD",
    "time": 1767614400.5,
    "type": "buy",
    "ordertype": "limit",
    "price": "100",
    "cost": "100",
    "fee": "0.1",
    "vol": "1",
}


@pytest.fixture
def rest() -> KrakenSpotRest:
    context = VenueContext(
        venue="kraken", config=KrakenSpotConfig(), symbols=SymbolMap("kraken"), assets=AssetMap("kraken")
    )
    made = KrakenSpotRest(context)
    made.load_instruments(json.dumps({"error": [], "result": {"XXBTZUSD": PAIR}}).encode())
    return made


def run(rest: KrakenSpotRest, flow: Flow[Any], *results: Any) -> Any:
    queue = list(results)
    dialect = KrakenSpotDialect(rest._context)

    def reply(call: Any) -> Any:
        return dialect.decode(call, HttpReply(200, {}, json.dumps({"error": [], "result": queue.pop(0)}).encode()))

    return run_flow(flow, reply)


def test_an_open_order_that_does_not_read_hides_no_other(rest: KrakenSpotRest) -> None:
    damaged = {**ORDER, "vol": "NaN"}
    found = run(rest, rest.open_orders(), {"open": {"O-2": damaged, "O-1": ORDER}})
    assert [order.venue_order_id for order in found] == ["O-1"]
    assert len(left_out(found)) == 1
    assert list(rest.skipped) == ["order O-2"]
    again = run(rest, rest.open_orders(), {"open": {"O-2": ORDER, "O-1": ORDER}})
    assert len(again) == 2
    assert not left_out(again)
    assert not rest.skipped


def test_an_order_of_a_pair_in_no_list_hides_no_other_and_is_shown(rest: KrakenSpotRest) -> None:
    stranger = {**ORDER, "descr": {**ORDER["descr"], "pair": "NEWUSD"}}  # type: ignore[dict-item]
    found = run(rest, rest.open_orders(), {"open": {"O-2": stranger, "O-1": ORDER}}, {}, {"XXBTZUSD": PAIR})
    assert [(each.venue_order_id, str(each.symbol)) for each in found] == [("O-2", "NEWUSD/?:?"), ("O-1", "BTC/USD")]
    assert not left_out(found)
    assert list(rest.skipped) == ["pair NEWUSD"]


def test_a_fill_that_does_not_read_hides_no_other(rest: KrakenSpotRest) -> None:
    found = run(rest, rest.fills(None), {"trades": {"T-2": {**TRADE, "vol": "x"}, "T-1": TRADE}, "count": 2})
    assert [fill.id for fill in found] == ["T-1"]
    assert len(left_out(found)) == 1


def test_an_order_whose_record_does_not_read_is_not_nowhere(rest: KrakenSpotRest) -> None:
    request = OrderRequest(symbol="BTC/USD", side="buy", quantity="1", price="100", client_order_id="c-1")
    with pytest.raises(ProtocolError):
        run(rest, rest.find(Order(request=request, client_order_id="c-1")), {"open": {"O-1": {**ORDER, "vol": "x"}}})
    known = Order(request=request, venue_order_id="O-1", client_order_id="c-1")
    with pytest.raises(ProtocolError):
        run(rest, rest.find(known), {"O-1": {**ORDER, "vol": "x"}})


def test_the_hole_is_told_after_the_list_that_has_it(rest: KrakenSpotRest) -> None:
    """A list of open orders makes them live again; what is missing from it must not be heard before."""

    frame = Frame(type="snapshot", data=[Raw(b'{"order_id": 5}')], sequence=1)
    events = Executions(rest._context).receive(frame, continues=False)
    kinds = [event.channel if isinstance(event, SequenceGap) else type(event).__name__ for event in events]
    assert kinds.index(OpenOrdersSnapshot.__name__) < kinds.index(Channel.ORDERS)
