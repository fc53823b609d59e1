"""Orders by an offset from the market as the live feed shows them: how they were ordered, and what that came to."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import OrderUpdate
from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType
from exchange_core.venue.orders import OrderTracker
from kraken_spot.feed.account import Executions
from kraken_spot.terms import SpotTerms
from kraken_spot.wire.feed import Executions as Message

TXID = "OQCLML-BW3P3-BUCMWZ"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
STOP = {
    "order_id": TXID,
    "cl_ord_id": "ours",
    "symbol": "BTC/USD",
    "side": "buy",
    "order_type": "stop-loss",
    "order_qty": 1,
    "exec_type": "pending_new",
    "order_status": "pending_new",
    "timestamp": "2026-01-01T00:00:00.000001Z",
}
LIMIT = STOP | {"order_type": "limit"}


def shown(context: VenueContext, tracker: OrderTracker, *entries: dict[str, Any]) -> Order | None:
    """Tell a tracker what the feed makes of *entries*; return the order."""
    feed = Executions(context)
    for entry in entries:
        raws = [msgspec.Raw(msgspec.json.encode(entry))]
        for event in feed.receive(Message(type="update", data=raws), continues=False):
            assert isinstance(event, OrderUpdate)
            tracker.apply(event, NOW)
    return tracker.get(TXID)


@pytest.mark.parametrize(
    ("triggers", "price", "offset"),
    [
        ({"price": 5, "price_type": "pct"}, None, "+5%"),
        ({"price": -5.5, "price_type": "quote"}, None, "-5.5"),
        ({"price": 5, "price_type": "pct", "actual_price": 63000}, 63000, "+5%"),
        ({"price": 63000, "price_type": "static", "actual_price": 63000}, 63000, None),
    ],
)
def test_the_trigger_of_anothers_order(
    context: VenueContext, triggers: dict[str, Any], price: int | None, offset: str | None
) -> None:
    order = shown(context, OrderTracker("kraken"), STOP | {"triggers": triggers})
    assert order is not None
    assert (order.request.type, order.request.trigger_price) == (OrderType.STOP, price)
    assert order.request.terms == (None if offset is None else SpotTerms(trigger_offset=offset))


@pytest.mark.parametrize(
    ("limit", "price", "offset"),
    [
        ({"limit_price": -5, "limit_price_type": "pct"}, None, "-5%"),
        ({"limit_price": 57000, "limit_price_type": "static"}, 57000, None),
    ],
)
def test_the_limit_of_anothers_order(
    context: VenueContext, limit: dict[str, Any], price: int | None, offset: str | None
) -> None:
    order = shown(context, OrderTracker("kraken"), LIMIT | limit)
    assert order is not None
    assert (order.request.type, order.price) == (OrderType.LIMIT, price)
    assert order.request.terms == (None if offset is None else SpotTerms(price_offset=offset))


def ours(tracker: OrderTracker, **terms: Any) -> Order:
    plain = {"symbol": "BTC/USD", "side": "buy", "quantity": "1", "client_order_id": "ours"}
    return tracker.sending(OrderRequest(**plain | terms), NOW)


@pytest.mark.parametrize("kind", ["pct", "static"])
def test_ours_keeps_its_terms_and_learns_its_trigger(context: VenueContext, kind: str) -> None:
    """Whichever way the venue shows it."""
    tracker, own = OrderTracker("kraken"), SpotTerms(trigger_offset="+5%")
    ours(tracker, type="stop", terms=own)
    price = 5 if kind == "pct" else 63000
    new = {"exec_type": "new", "order_status": "new", "timestamp": "2026-01-01T00:00:00.000002Z"}
    triggers = {"price": price, "price_type": kind, "actual_price": 63000}
    order = shown(context, tracker, STOP | {"triggers": triggers}, {"order_id": TXID, **new})
    assert order is not None
    assert (order.status, order.request.trigger_price, order.request.terms) == (OrderStatus.OPEN, 63000, own)


def test_ours_has_no_price_until_the_venue_shows_a_number(context: VenueContext) -> None:
    tracker, own = OrderTracker("kraken"), SpotTerms(price_offset="-5%")
    ours(tracker, type="limit", terms=own)
    order = shown(context, tracker, LIMIT | {"limit_price": -5, "limit_price_type": "pct"})
    assert order is not None
    assert (order.price, order.request.terms) == (None, own)
    order = shown(context, tracker, LIMIT | {"limit_price": 57000.5, "limit_price_type": "static"})
    assert order is not None
    assert (order.price, order.request.terms) == (Decimal("57000.5"), own)


def test_what_an_amendment_made_of_the_price_is_not_undone(context: VenueContext) -> None:
    tracker = OrderTracker("kraken")
    ours(tracker, type="limit", terms=SpotTerms(price_offset="-5%"))
    static = {"limit_price_type": "static"}
    later = {"exec_type": "amended", "order_status": "new", "timestamp": "2026-01-01T00:00:03Z"}
    order = shown(
        context, tracker, LIMIT | static | {"limit_price": 57000}, LIMIT | static | later | {"limit_price": 58000}
    )
    assert order is not None
    assert order.price == 58000
    stale = tracker.answered(
        Order(request=OrderRequest(symbol="BTC/USD", side="buy", quantity="1", price="57000")),
        NOW,
        about=order,
    )
    assert stale.price == 58000
