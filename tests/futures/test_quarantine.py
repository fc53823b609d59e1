"""One malformed entry of a list hides no other, and is never taken for something that is gone."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange_core.connector.partial import Partial
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    Event,
    LedgerUpdate,
    Notice,
    OpenOrdersSnapshot,
    PositionsUpdate,
    SequenceGap,
    Unrecognised,
)
from exchange_core.model.fill import Fill
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from kraken_futures.feed.connections import FuturesFeed, private_feed
from kraken_futures.rest.operations import FuturesRest

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
OPEN = {
    "order_id": "o-1",
    "cliOrdId": "c-1",
    "symbol": "PF_XBTUSD",
    "side": "buy",
    "orderType": "lmt",
    "limitPrice": 60000,
    "unfilledSize": 0.3,
    "filledSize": 0,
}
REST_FILL = {
    "fill_id": "f-1",
    "order_id": "o-1",
    "cliOrdId": "c-1",
    "symbol": "PF_XBTUSD",
    "side": "buy",
    "size": 0.3,
    "price": 60000,
    "fillTime": "2026-01-05T12:00:09.000Z",
    "fillType": "taker",
}
POSITION = {"side": "long", "symbol": "PF_XBTUSD", "price": 91500, "size": 0.5}
INSTRUMENT = {
    "symbol": "PF_XBTUSD",
    "type": "flexible_futures",
    "tickSize": 1,
    "tradeable": True,
    "contractValueTradePrecision": 4,
    "base": "BTC",
    "quote": "USD",
}
ACCOUNTS = {
    "cash": {"type": "cashAccount", "balances": {"xbt": "1.5", "usd": "x"}},
    "fi_xbtusd": {"type": "marginAccount", "currency": "xbt", "balances": ["none"]},
    "flex": {
        "type": "multiCollateralMarginAccount",
        "currencies": {"USD": {"quantity": 5, "available": 4}, "EUR": {"quantity": None}},
    },
}
NOTHING: dict[str, Any] = {"orders": []}
NO_HISTORY: dict[str, Any] = {"elements": []}


def ours(**options: Any) -> Order:
    request = OrderRequest(symbol="BTC/USD:USD", side="buy", quantity="0.3", price="60000", client_order_id="c-1")
    return Order(request=request, venue="futures", client_order_id="c-1", created=NOON, **options)


# REST.


def test_a_malformed_instrument_is_left_out_and_reported(rest: FuturesRest, run: Any) -> None:
    entries = [{**INSTRUMENT, "symbol": "PF_ETHUSD", "tickSize": "NaN"}, [], INSTRUMENT]
    found, _ = run(rest.instruments(), {"instruments": entries}, {"tickers": []})
    assert [each.venue_id for each in found] == ["PF_XBTUSD"]
    assert len(rest.reports) == 2
    assert "PF_ETHUSD" in rest.skipped


@pytest.mark.parametrize("damage", [{"side": "hold"}, {"filledSize": "NaN"}, {"symbol": None}])
def test_a_malformed_open_order_hides_no_other(rest: FuturesRest, run: Any, damage: dict[str, Any]) -> None:
    orders, _ = run(rest.open_orders(), {"openOrders": [{**OPEN, "order_id": "bad", **damage}, OPEN]})
    assert [order.venue_order_id for order in orders] == ["o-1"]
    assert isinstance(orders, Partial)
    assert "bad" in orders.unreadable[0]
    assert list(rest.skipped) == ["order bad"]
    whole, _ = run(rest.open_orders(), {"openOrders": [OPEN]})
    assert not isinstance(whole, Partial)
    assert not rest.skipped


def test_a_malformed_position_is_not_flat(rest: FuturesRest, run: Any) -> None:
    rows = [{**POSITION, "symbol": "PF_ETHUSD", "side": "up"}, POSITION]
    positions, _ = run(rest.positions(), {"openPositions": rows}, {"tickers": []})
    assert [each.quantity for each in positions] == [pytest.approx(0.5)]
    assert isinstance(positions, Partial)
    none, calls = run(rest.positions(), {"openPositions": [{}]})
    assert none == []
    assert isinstance(none, Partial)
    assert len(calls) == 1


def test_an_absurd_mark_price_hides_no_position(rest: FuturesRest, run: Any) -> None:
    ticker = {"symbol": "PF_XBTUSD", "tag": "perpetual", "markPrice": "1e99"}
    (position,), _ = run(rest.positions(), {"openPositions": [POSITION]}, {"tickers": [ticker]})
    assert position.mark_price is None


def test_a_malformed_wallet_or_coin_hides_no_other(rest: FuturesRest, run: Any) -> None:
    balances, _ = run(rest.balances(), {"accounts": ACCOUNTS})
    assert [(each.wallet, each.asset) for each in balances] == [("cash", "BTC"), ("flex", "USD")]
    assert isinstance(balances, Partial)
    assert set(rest.skipped) == {"wallet cash: usd", "wallet fi_xbtusd", "wallet flex: EUR"}


def test_a_malformed_fill_hides_no_other(rest: FuturesRest, run: Any) -> None:
    rows = [{**REST_FILL, "fill_id": "f-2", "fillTime": "noon"}, REST_FILL]
    fills, _ = run(rest.fills(NOON), {"fills": rows})
    assert [fill.id for fill in fills] == ["f-1"]
    assert isinstance(fills, Partial)
    assert "f-2" in fills.unreadable[0]


def test_a_page_with_a_malformed_fill_is_a_full_page(rest: FuturesRest, run: Any) -> None:
    page = [{**REST_FILL, "fill_id": f"p-{number}"} for number in range(99)]
    older = {**REST_FILL, "fill_id": "older", "fillTime": "2026-01-05T12:00:01.000Z"}
    fills, calls = run(rest.fills(NOON), {"fills": [*page, {"fill_id": "bad"}]}, {"fills": [older]})
    assert fills[0].id == "older"
    assert len(calls) == 2


def test_own_calls_tell_what_they_lack(rest: FuturesRest, run: Any) -> None:
    orders, _ = run(rest.orders.open(), {"openOrders": [{**OPEN, "filledSize": None}, OPEN]})
    assert [order.order_id for order in orders] == ["o-1"]
    assert len(orders.unreadable) == 1
    ranks, _ = run(rest.account.unwind_queue(), {"queue": [{"symbol": "PF_XBTUSD", "percentile": 20}, {}]})
    assert [rank.percentile for rank in ranks] == [20]
    assert len(ranks.unreadable) == 1


# What became of an order is never concluded from what did not read.


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param({**OPEN, "side": "hold"}, id="its own"),
        pytest.param({**OPEN, "cliOrdId": 5, "order_id": None}, id="without an id"),
        pytest.param(7, id="no object"),
    ],
)
def test_an_open_order_that_may_be_ours_is_not_nowhere(rest: FuturesRest, run: Any, damaged: Any) -> None:
    with pytest.raises(ProtocolError, match="c-1"):
        run(rest.find(ours(unknown=True)), NOTHING, {"openOrders": [damaged]})


def test_an_open_order_of_others_does_not_stand_in_the_way(rest: FuturesRest, run: Any) -> None:
    damaged = {**OPEN, "order_id": "o-9", "cliOrdId": "c-9", "side": "hold"}
    replies = NOTHING, {"openOrders": [damaged]}, {"fills": []}, NO_HISTORY
    found, _ = run(rest.find(ours(unknown=True)), *replies)
    assert found is None


def test_a_fill_that_may_be_ours_is_not_left_out_of_an_end(rest: FuturesRest, run: Any) -> None:
    raw = {"type": "ORDER", "orderId": "o-1", "cliOrdId": "c-1", "quantity": 0.3, "filled": 0.1}
    ended = {"orders": [{"order": raw, "status": "CANCELLED"}]}
    with pytest.raises(ProtocolError, match="a fill"):
        run(rest.find(ours()), ended, {"fills": [{**REST_FILL, "size": "NaN"}]})
    others = {**REST_FILL, "order_id": "o-9", "cliOrdId": "c-9", "size": "NaN"}
    found, _ = run(rest.find(ours()), ended, {"fills": [others]})
    assert found.status is OrderStatus.CANCELED


def test_an_event_of_ours_that_does_not_read_is_not_missing(rest: FuturesRest, run: Any) -> None:
    element = {"uid": "h", "timestamp": "noon", "event": {"OrderCancelled": {"order": {"clientId": "c-1"}}}}
    with pytest.raises(ProtocolError, match="c-1"):
        run(rest.find(ours()), NOTHING, {"openOrders": []}, {"fills": []}, {"elements": [element]})


# The private connection.


FILL = {
    "instrument": "PF_XBTUSD",
    "time": 1767614400003,
    "price": 73110.0,
    "seq": 36,
    "buy": True,
    "qty": 0.001,
    "order_id": "o-1",
    "fill_id": "f-1",
    "fill_type": "taker",
}
ROW = {"instrument": "PF_XBTUSD", "balance": 0.04, "entry_price": 26911.75}
ORDER = {"instrument": "PF_XBTUSD", "order_id": "o-1", "direction": 0, "qty": 1, "filled": 0, "type": "limit"}
LOG = {"id": 5, "date": "2026-01-05T12:00:00Z", "asset": "usd", "info": "conversion"}


@pytest.fixture
def feed(context: VenueContext) -> FuturesFeed:
    made = private_feed(context)
    made.opened(0.0)
    return made


def say(connection: FuturesFeed, /, **frame: Any) -> list[Event]:
    return list(connection.receive(json.dumps(frame), 0.0))


def gaps(events: list[Event]) -> list[Channel]:
    return [event.channel for event in events if isinstance(event, SequenceGap)]


def test_an_order_on_the_list_that_does_not_read_is_on_the_list(feed: FuturesFeed) -> None:
    damaged = {**ORDER, "order_id": "o-2", "direction": 7}
    snapshot, *events = say(feed, feed="open_orders_verbose_snapshot", account="a", orders=[damaged, {}, ORDER])
    assert isinstance(snapshot, OpenOrdersSnapshot)
    assert {order.venue_order_id: order.status for order in snapshot.orders} == {"o-1": OrderStatus.OPEN, "o-2": None}
    assert sum(isinstance(event, Unrecognised) for event in events) == 2
    assert gaps(events) == [Channel.ORDERS]


def test_a_fill_that_does_not_read_is_fetched_and_hides_no_other(feed: FuturesFeed) -> None:
    events = say(feed, feed="fills", username="u", fills=[{**FILL, "fill_id": "f-0", "seq": 35, "qty": []}, FILL])
    assert [event.id for event in events if isinstance(event, Fill)] == ["f-1"]
    assert gaps(events) == [Channel.FILLS]
    (after,) = say(feed, feed="fills", username="u", fills=[{**FILL, "fill_id": "f-2", "seq": 37}])
    assert isinstance(after, Fill)


def test_a_known_fill_that_does_not_read_any_more_is_no_hole(feed: FuturesFeed) -> None:
    say(feed, feed="fills", username="u", fills=[FILL])
    events = say(feed, feed="fills_snapshot", account="a", fills=[{**FILL, "price": "x"}])
    assert not gaps(events)


def test_positions_are_not_complete_without_one_that_does_not_read(feed: FuturesFeed) -> None:
    rows = [{**ROW, "instrument": "PF_ETHUSD", "balance": "x"}, ROW]
    update, *events = say(feed, feed="open_positions", account="a", positions=rows)
    assert isinstance(update, PositionsUpdate)
    assert not update.complete
    assert len(update.positions) == 1
    assert gaps(events) == [Channel.POSITIONS]
    again = say(feed, feed="open_positions", account="a", positions=rows)
    assert not gaps(again)
    (whole,) = say(feed, feed="open_positions", account="a", positions=[ROW])
    assert isinstance(whole, PositionsUpdate)
    assert whole.complete


def test_balances_are_not_complete_without_one_that_does_not_read(feed: FuturesFeed) -> None:
    flex = {"currencies": {"USD": {"quantity": 5, "available": 4}, "EUR": {"quantity": "x"}}}
    frame = {"account": "a", "seq": 0, "holding": {"xbt": 1, "eth": None}, "futures": {"F": 1}, "flex_futures": flex}
    update, *events = say(feed, feed="balances_snapshot", **frame)
    assert isinstance(update, BalancesUpdate)
    assert not update.complete
    assert [(each.wallet, each.asset) for each in update.balances] == [("cash", "BTC"), ("flex", "USD")]
    assert sum(isinstance(event, Unrecognised) for event in events) == 3
    assert gaps(events) == [Channel.BALANCES]


def test_a_row_of_the_log_that_does_not_read_is_a_hole(feed: FuturesFeed) -> None:
    rows = [{**LOG, "id": 6, "date": "x"}, LOG]
    events = say(feed, feed="account_log_snapshot", account="a", logs=rows)
    (update,) = (event for event in events if isinstance(event, LedgerUpdate))
    assert [row.id for row in update.own] == [5]
    assert gaps(events) == [Channel.LEDGER]
    after = say(feed, feed="account_log", new_entry={**LOG, "id": 7})
    assert not gaps(after)


def test_a_notice_that_does_not_read_hides_no_other(feed: FuturesFeed) -> None:
    events = say(feed, feed="notifications_auth", notifications=[{"id": 1}, {"id": 2, "note": "down"}])
    assert [event.text for event in events if isinstance(event, Notice)] == ["down"]
    assert any(isinstance(event, Unrecognised) for event in events)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn, entry: dict[str, Any]) -> Any:
    """A good entry with one field of junk, or nothing but junk."""
    if draw(st.integers(0, 4)) == 0:
        return draw(JUNK)
    return {**entry, draw(st.sampled_from(sorted(entry))): draw(JUNK)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_an_entry_is_the_good_ones_come(rest: FuturesRest, run: Any, data: st.DataObject) -> None:
    orders, _ = run(rest.open_orders(), {"openOrders": [data.draw(damaged({**OPEN, "order_id": "x"})), OPEN]})
    assert "o-1" in [order.venue_order_id for order in orders]
    fills, _ = run(rest.fills(None), {"fills": [data.draw(damaged({**REST_FILL, "fill_id": "x"})), REST_FILL]})
    assert "f-1" in [fill.id for fill in fills]
    rows = [data.draw(damaged({**POSITION, "symbol": "PF_ETHUSD"})), POSITION]
    positions, _ = run(rest.positions(), {"openPositions": rows}, {"tickers": [data.draw(JUNK)]})
    assert "PF_XBTUSD" in [rest._context.symbols.venue_id(each.symbol) for each in positions]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_a_frame_lists_the_good_ones_come(context: VenueContext, data: st.DataObject) -> None:
    feed = private_feed(context)
    feed.opened(0.0)
    events = say(feed, feed="fills", fills=[data.draw(damaged({**FILL, "fill_id": "x", "seq": 35})), FILL])
    assert "f-1" in [event.id for event in events if isinstance(event, Fill)]
    (snapshot,) = (
        event
        for event in say(
            feed, feed="open_orders_snapshot", orders=[data.draw(damaged({**ORDER, "order_id": "x"})), ORDER]
        )
        if isinstance(event, OpenOrdersSnapshot)
    )
    assert "o-1" in [order.venue_order_id for order in snapshot.orders]
    rows = [data.draw(damaged({**ROW, "instrument": "PF_ETHUSD"})), ROW]
    (update,) = (e for e in say(feed, feed="open_positions", positions=rows) if isinstance(e, PositionsUpdate))
    assert "PF_XBTUSD" in [context.symbols.venue_id(each.symbol) for each in update.positions]
