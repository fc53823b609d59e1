"""What asking for an order shows of terms that were amended, or that the venue worked out by itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import NotSupported
from exchange_core.model.amendment import Amendment
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from kraken_spot.rest.operations import KrakenSpotRest

TXID = "OQCLML-BW3P3-BUCMWZ"
OURS = "2c6be801-1f53-4f79-a0bb-4ea1c95dfae9"


def standing(**terms: Any) -> Order:
    request = OrderRequest(symbol="BTC/USD", side="sell", quantity="0.01", client_order_id=OURS, **terms)
    return Order(request=request, venue="kraken", status=OrderStatus.OPEN, client_order_id=OURS, venue_order_id=TXID)


def record(kind: str, price: str, price2: str = "0") -> dict[str, Any]:
    descr = {"pair": "XBTUSD", "type": "sell", "ordertype": kind, "price": price, "price2": price2}
    return {
        "cl_ord_id": OURS,
        "status": "open",
        "opentm": 1700000000.5,
        "descr": {**descr, "leverage": "none", "order": "", "close": ""},
        "vol": "0.01000000",
        "vol_exec": "0.00000000",
        "cost": "0.00000",
        "fee": "0.00000",
        "price": "0.00000",
        "misc": "",
        "oflags": "fciq",
    }


def test_a_stop_that_was_amended_shows_its_new_trigger(rest: KrakenSpotRest, run: Any) -> None:
    order = standing(type="stop", trigger_price="50000")
    found = run(rest.find(order), {TXID: record("stop-loss", "51000.0")})
    assert found.request.trigger_price == Decimal(51000)


def test_a_limit_that_was_given_as_an_offset_is_found(rest: KrakenSpotRest, run: Any) -> None:
    order = standing(type="stop_limit", trigger_price="50000", limit_offset="-100")
    found = run(rest.find(order), {TXID: record("stop-loss-limit", "50000.0", "49900.0")})
    assert found.status is OrderStatus.OPEN
    assert found.request.trigger_price == Decimal(50000)


def test_what_shows_of_an_iceberg_is_not_told_and_not_guessed(rest: KrakenSpotRest, run: Any) -> None:
    order = standing(price="60000", display_quantity="0.005")
    found = run(rest.find(order), {TXID: record("iceberg", "60000.0")})
    assert found.request.display_quantity is None


def test_a_number_is_no_new_limit_of_a_trailing_stop(rest: KrakenSpotRest) -> None:
    # It would be read as an offset from the trigger: a limit so far away is none.
    order = standing(type="trailing_stop_limit", trail="100", limit_offset="-10")
    with pytest.raises(NotSupported, match="limit_offset"):
        next(rest.amend(order, Amendment(price="60000")))


def test_an_opposite_order_with_our_client_id_is_not_it(rest: KrakenSpotRest, run: Any) -> None:
    order = Order(request=standing(price="60000").request, venue="kraken", client_order_id=OURS)
    closing = record("limit", "65000.0")
    closing["descr"]["type"] = "buy"
    ours = record("limit", "60000.0") | {"status": "closed", "vol_exec": "0.01000000", "price": "60000.0"}
    found = run(rest.find(order), {"open": {"OCLOSE-AAAAA-BBBBBB": closing}}, {"closed": {TXID: ours}})
    assert (found.venue_order_id, found.status) == (TXID, OrderStatus.FILLED)
