"""A limit is given by a price or by an offset: an amendment may change which of the two an order has."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.model.amendment import Amendment
from exchange_core.model.event import OrderUpdate
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.terms import Offset
from exchange_core.venue.orders import OrderTracker

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ({"limit_offset": "-2"}, {"price": "95"}, (Decimal(95), None)),
        ({"price": "97"}, {"limit_offset": "-3"}, (None, Offset(Decimal(-3)))),
        ({"limit_offset": "-2"}, {"price": "95", "quantity": "12"}, (Decimal(95), None)),
    ],
)
def test_an_amendment_that_was_carried_out_is_known(
    before: dict[str, Any], change: dict[str, Any], after: tuple[Decimal | None, Offset | None]
) -> None:
    tracker = OrderTracker("shop")
    request = OrderRequest(
        symbol="BTC/USD",
        side="sell",
        quantity="10",
        type="stop_limit",
        trigger_price="99",
        client_order_id="c1",
        **before,
    )
    tracker.sending(request, NOW)
    stands = Order(request=request, status=OrderStatus.OPEN, venue_order_id="V1", client_order_id="c1")
    known = tracker.answered(stands, NOW)
    amending = tracker.amending(known, Amendment(**change), NOW)
    answer = Order(request=amending.after, status=OrderStatus.OPEN, venue_order_id="V1", client_order_id="c1")
    amended = tracker.amended(known, amending, answer, NOW)
    assert (amended.request.price, amended.request.limit_offset) == after
    tracker.apply(OrderUpdate(venue_order_id="V1", status=OrderStatus.CANCELED, sequence_time=NOW), NOW)
    assert not tracker.live()
