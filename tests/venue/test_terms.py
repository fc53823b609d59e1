"""The terms of an order while it is amended and executed, whoever speaks first."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from exchange_core.model.amendment import Amendment
from exchange_core.model.event import OpenOrdersSnapshot, OrderUpdate
from exchange_core.model.fill import Fill
from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.venue.orders import OrderTracker
from exchange_core.venue.terms import Amending

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BTC = Symbol.parse("BTC/USD")
PENDING, OPEN, PARTIAL, FILLED, CANCELED, REJECTED, EXPIRED = OrderStatus
REQUEST = OrderRequest(symbol=BTC, side="buy", quantity="10", price="100", client_order_id="c1")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def told(seconds: float, status: OrderStatus | None = OPEN, **changes: Any) -> OrderUpdate:
    numbers = {
        name: Decimal(value) if type(value) is str and name not in ("venue_order_id", "continues") else value
        for name, value in changes.items()
    }
    fields = {"client_order_id": "c1", "venue_order_id": "V1", "status": status, "sequence_time": at(seconds)}
    return OrderUpdate(**(fields | numbers))


class Told:
    """An order that stands, and what is said of it."""

    def __init__(self, request: OrderRequest = REQUEST) -> None:
        self.published: list[Order] = []
        self.tracker = OrderTracker("shop", publish=self.published.append)
        self.tracker.sending(request, NOW)
        self.tracker.answered(self.stands(request), NOW)

    def stands(self, request: OrderRequest, **changes: Any) -> Order:
        return Order(
            **({"request": request, "status": OPEN, "venue_order_id": "V1", "client_order_id": "c1"} | changes)
        )

    @property
    def order(self) -> Order:
        order = self.tracker.get("c1")
        assert order is not None
        return order

    def begin(self, **changes: Any) -> Amending:
        return self.tracker.amending(self.order, Amendment(**changes), NOW)

    def end(self, amending: Amending, carried_out: bool = True, seconds: float = 1) -> None:
        answer = self.stands(amending.after) if carried_out else None
        self.tracker.amended(self.order, amending, answer, at(seconds))

    def hear(self, *updates: OrderUpdate) -> None:
        for update in updates:
            self.tracker.apply(update, NOW)


@pytest.fixture
def it() -> Told:
    return Told()


def test_an_answer_has_the_new_terms(it: Told) -> None:
    it.end(it.begin(price="101", quantity="12"))
    assert (it.order.price, it.order.quantity, it.order.status) == (Decimal(101), Decimal(12), OPEN)
    assert it.order.venue_order_id == "V1"


def test_an_amendment_that_was_refused_changes_nothing(it: Told) -> None:
    it.end(it.begin(price="101"), carried_out=False)
    assert it.order.request == REQUEST


def test_news_from_before_the_amendment_do_not_bring_the_old_terms_back(it: Told) -> None:
    it.end(it.begin(price="101"))
    it.hear(told(0.5, PARTIAL, price="100", quantity="10", filled="1"))
    assert (it.order.price, it.order.filled) == (Decimal(101), Decimal(1))
    it.hear(told(0.8, PARTIAL, price="101", quantity="10", filled="1"))
    assert it.order.price == Decimal(101)


def test_what_others_amended_before_does_not_bring_back_what_we_replaced(it: Told) -> None:
    """The feed is behind: an execution, the price of somebody else, then our quantity, which is all executed."""
    it.end(it.begin(quantity="1"))
    it.hear(told(0.1, PARTIAL, price="100", quantity="10", filled="1"))
    assert it.order.status is OrderStatus.FILLED
    it.hear(told(0.2, PARTIAL, price="98", quantity="10", filled="1"))
    assert (it.order.status, it.order.quantity, it.order.price) == (OrderStatus.FILLED, Decimal(1), Decimal(98))
    it.hear(told(0.3, OrderStatus.FILLED, price="98", quantity="1", filled="1"))
    assert [order.status for order in it.published[-2:]] == [OrderStatus.FILLED] * 2


def test_what_the_feed_tells_after_it_told_the_amendment_is_newer(it: Told) -> None:
    """Somebody amended it back."""
    it.end(it.begin(price="101"))
    it.hear(told(1, price="101"), told(2, price="100"))
    assert it.order.price == Decimal(100)


def test_the_old_terms_long_after_are_no_old_news(it: Told) -> None:
    it.end(it.begin(price="101"))
    it.hear(told(100, price="100"))
    assert it.order.price == Decimal(100)


def test_an_answer_that_the_feed_overtook_with_newer_terms_is_older(it: Told) -> None:
    amending = it.begin(price="101")
    it.hear(told(1, price="101"), told(2, price="102"))
    it.end(amending)
    assert it.order.price == Decimal(102)


def test_there_and_back_leaves_nothing_behind(it: Told) -> None:
    """Told in order, each view has its place."""
    it.end(it.begin(price="101"))
    it.end(it.begin(price="100"))
    it.hear(told(1, price="100"), told(2, price="101"))
    assert it.order.price == Decimal(100)
    it.hear(told(3, price="100"), told(4, price="101"))
    assert it.order.price == Decimal(101)


def test_all_of_the_old_quantity_is_not_all_while_more_is_asked_for(it: Told) -> None:
    amending = it.begin(quantity="20")
    it.hear(told(1, None, filled="10"))
    assert it.order.status is PARTIAL
    it.end(amending)
    assert (it.order.status, it.order.remaining) == (PARTIAL, Decimal(10))


def test_all_of_it_is_all_when_more_was_refused(it: Told) -> None:
    amending = it.begin(quantity="20")
    it.hear(told(1, None, filled="10"))
    it.end(amending, carried_out=False)
    assert it.order.status is FILLED


def test_less_than_was_executed_meanwhile_is_what_was_executed(it: Told) -> None:
    amending = it.begin(quantity="5")
    it.hear(told(1, PARTIAL, filled="7"))
    it.end(amending)
    assert (it.order.quantity, it.order.remaining, it.order.status) == (Decimal(7), Decimal(0), FILLED)


def test_fills_stay_through_amendments(it: Told) -> None:
    fill = Fill(
        id="f1", symbol=BTC, side=Side.BUY, price=Decimal(100), quantity=Decimal(4), time=NOW, client_order_id="c1"
    )
    amending = it.begin(price="101", quantity="12")
    it.tracker.fill(fill, NOW)
    it.end(amending)
    it.tracker.fill(fill, NOW)
    assert (it.order.filled, it.order.average_price, it.order.remaining) == (Decimal(4), Decimal(100), Decimal(8))


def test_an_answer_may_say_that_the_order_ended(it: Told) -> None:
    amending = it.begin(quantity="5")
    answer = it.stands(amending.after, status=CANCELED, filled=Decimal(2), reason="what was left is less than allowed")
    it.tracker.amended(it.order, amending, answer, NOW)
    assert (it.order.status, it.order.filled) == (CANCELED, Decimal(2))


def test_an_answer_with_the_status_from_before_is_no_step_back(it: Told) -> None:
    amending = it.begin(price="101")
    it.hear(told(1, PARTIAL, filled="1"))
    it.end(amending)
    assert (it.order.status, it.tracker.stats.illegal) == (PARTIAL, 0)


# Terms of other kinds


def test_an_iceberg_that_is_restated_shows_what_it_now_displays() -> None:
    it = Told(attrs.evolve(REQUEST, display_quantity=Decimal(2)))
    it.hear(told(1, display_quantity="3"))
    assert it.order.request.display_quantity == Decimal(3)
    it.hear(told(2, quantity="1"))
    assert (it.order.quantity, it.order.request.display_quantity) == (Decimal(1), Decimal(1))


def test_a_stop_waits_and_its_trigger_is_amended_and_it_fires() -> None:
    it = Told(attrs.evolve(REQUEST, type=OrderType.STOP_LIMIT, trigger_price=Decimal(90)))
    it.hear(told(1, PENDING, price="100", trigger_price="91"))
    assert (it.order.status, it.order.request.trigger_price) == (OPEN, Decimal(91))
    it.hear(told(2, OPEN, price="99", trigger_price="91"), told(3, FILLED, filled="10"))
    assert (it.order.status, it.order.price) == (FILLED, Decimal(99))


def test_a_trailing_stop_is_not_amended_by_its_moving_trigger() -> None:
    request = attrs.evolve(REQUEST, type=OrderType.TRAILING_STOP, price=None, trail="2%")
    it = Told(request)
    it.hear(told(1, OPEN, price="95", trigger_price="95"), told(2, OPEN, price="96", trigger_price="96"))
    assert it.order.request == request


def test_a_limit_that_follows_from_the_trigger_is_not_amended_by_the_venues_working_it_out() -> None:
    request = attrs.evolve(REQUEST, type=OrderType.STOP_LIMIT, price=None, limit_offset="-1", trigger_price=Decimal(90))
    it = Told(request)
    it.hear(told(1, OPEN, price="89", trigger_price="90"))
    assert it.order.request == request


def test_an_order_of_elsewhere_is_shown_with_all_its_terms(it: Told) -> None:
    request = OrderRequest(symbol=BTC, side="sell", quantity=1, type="stop", trigger_price=50)
    it.hear(told(1, client_order_id=None, venue_order_id="V2", request=request))
    order = it.tracker.get("V2")
    assert order is not None
    assert (order.request, order.status) == (request, OPEN)


@pytest.mark.parametrize("end", [EXPIRED, CANCELED])
def test_an_order_ends_by_its_time_or_for_meeting_another_of_ours(it: Told, end: OrderStatus) -> None:
    it.hear(told(1, PARTIAL, filled="1"), told(2, end, filled="1"))
    assert (it.order.status, it.order.filled) == (end, Decimal(1))


# A trigger that goes on under another id


def fired(seconds: float, **changes: Any) -> OrderUpdate:
    return told(seconds, venue_order_id="V2", continues="V1", **changes)


@pytest.fixture
def stop() -> Told:
    return Told(attrs.evolve(REQUEST, type=OrderType.STOP_LIMIT, trigger_price=Decimal(90)))


def test_a_trigger_that_fires_goes_on_under_its_new_id(stop: Told) -> None:
    stop.hear(fired(1), told(2, PARTIAL, client_order_id=None, venue_order_id="V2", filled="3"))
    order = stop.order
    assert (order.venue_order_id, order.status, order.filled) == ("V2", PARTIAL, Decimal(3))
    assert stop.tracker.get("V1") == stop.tracker.get("V2") == order
    assert stop.tracker.all() == [order]


@pytest.mark.parametrize("reverse", [False, True])
def test_the_end_of_the_trigger_is_not_that_of_the_order(stop: Told, reverse: bool) -> None:
    news = [fired(2), told(1, CANCELED)]
    stop.hear(*(reversed(news) if reverse else news))
    assert (stop.order.venue_order_id, stop.order.status) == ("V2", OPEN)
    stop.hear(told(3, CANCELED, venue_order_id="V2"))
    assert stop.order.status is CANCELED


def test_what_was_told_under_the_new_id_before_is_joined(stop: Told) -> None:
    stop.hear(told(2, PARTIAL, client_order_id=None, venue_order_id="V2", filled="3"), fired(1))
    assert (stop.order.venue_order_id, stop.order.filled, stop.order.status) == ("V2", Decimal(3), PARTIAL)
    assert stop.tracker.all() == [stop.order]


def test_a_snapshot_lists_the_new_id_and_misses_nothing(stop: Told) -> None:
    stop.hear(fired(1))
    listed = OpenOrdersSnapshot(orders=(told(2, venue_order_id="V2"),))
    assert stop.tracker.snapshot(listed, NOW) == []
    assert [order.venue_order_id for order in stop.tracker.snapshot(OpenOrdersSnapshot(orders=()), NOW)] == ["V2"]


def test_an_edit_that_makes_another_order_is_two_orders(it: Told) -> None:
    it.hear(told(1, CANCELED, filled="4"), told(1, client_order_id=None, venue_order_id="V2", **_terms("6", "101")))
    new = it.tracker.get("V2")
    assert new is not None
    assert (it.order.status, it.order.filled) == (CANCELED, Decimal(4))
    assert (new.status, new.quantity, new.filled) == (OPEN, Decimal(6), Decimal(0))


def _terms(quantity: str, price: str) -> dict[str, Any]:
    return {"symbol": BTC, "side": Side.BUY, "quantity": quantity, "price": price}


# All of it together


@attrs.define
class State:
    """What the venue knows."""

    quantity: Decimal = Decimal(10)
    price: Decimal = Decimal(100)
    filled: Decimal = Decimal(0)
    status: OrderStatus = OPEN


class Amendments(RuleBasedStateMachine):
    """A venue, its feed (in order, with repetitions), its answers (whenever), and looks at it that come late."""

    @initialize()
    def begin(self) -> None:
        self.it = Told()
        self.venue = State()
        self.feed: list[OrderUpdate] = []
        self.fills: list[Fill] = []
        self.under_way: list[tuple[Amending, bool | None]] = []
        self.looks: list[Order] = []
        self.seconds = 0.0
        self.last: OrderUpdate | None = None

    def _say(self) -> None:
        self.seconds += 1
        venue = self.venue
        update = told(self.seconds, venue.status, quantity=venue.quantity, price=venue.price, filled=venue.filled)
        self.feed.append(update)

    @property
    def stands(self) -> bool:
        return not self.venue.status.is_final

    def _amend(self, price: int | None, quantity: int | None) -> bool:
        venue = self.venue
        if venue.status.is_final:
            return False
        venue.price = venue.price if price is None else Decimal(price)
        if quantity is not None:
            venue.quantity = max(Decimal(quantity), venue.filled)
        if venue.filled >= venue.quantity:
            venue.status = FILLED
        self._say()
        return True

    @precondition(lambda self: not self.it.order.is_final and not self.under_way)
    @rule(price=st.none() | st.integers(98, 102), quantity=st.none() | st.integers(1, 20))
    def ask_to_amend(self, price: int | None, quantity: int | None) -> None:
        quantity = None if quantity is not None and quantity <= self.it.order.filled else quantity
        if price is not None or quantity is not None:
            self.under_way.append((self.it.begin(price=price, quantity=quantity), None))

    @precondition(lambda self: any(done is None for _, done in self.under_way))
    @rule(refuse=st.booleans())
    def the_request_arrives(self, refuse: bool) -> None:
        at_, (amending, _) = next((n, pair) for n, pair in enumerate(self.under_way) if pair[1] is None)
        changes = amending.amendment.changes
        done = not refuse and self._amend(changes.get("price"), changes.get("quantity"))
        self.under_way[at_] = (amending, done)

    @precondition(lambda self: any(done is not None for _, done in self.under_way))
    @rule()
    def the_answer_arrives(self) -> None:
        pair = next(pair for pair in self.under_way if pair[1] is not None)
        self.under_way.remove(pair)
        self.it.end(pair[0], bool(pair[1]), self.seconds)

    @precondition(lambda self: self.stands)
    @rule(price=st.integers(98, 102))
    def somebody_else_amends(self, price: int) -> None:
        self._amend(price, None)

    @precondition(lambda self: self.stands)
    @rule(quantity=st.integers(1, 5))
    def it_executes(self, quantity: int) -> None:
        venue = self.venue
        size = min(Decimal(quantity), venue.quantity - venue.filled)
        venue.filled += size
        venue.status = FILLED if venue.filled == venue.quantity else PARTIAL
        self._say()
        fields = {"symbol": BTC, "side": Side.BUY, "price": venue.price, "quantity": size, "time": at(self.seconds)}
        self.fills.append(Fill(id=f"f{self.seconds}", client_order_id="c1", venue_order_id="V1", **fields))  # type: ignore[arg-type]

    @precondition(lambda self: self.stands)
    @rule()
    def it_is_canceled(self) -> None:
        self.venue.status = CANCELED
        self._say()

    @rule()
    def somebody_looks(self) -> None:
        venue = self.venue
        request = attrs.evolve(REQUEST, quantity=venue.quantity, price=venue.price)
        self.looks.append(self.it.stands(request, status=venue.status, filled=venue.filled))

    @precondition(lambda self: self.looks)
    @rule(data=st.data())
    def a_look_arrives(self, data: st.DataObject) -> None:
        look = self.looks.pop(data.draw(st.integers(0, len(self.looks) - 1)))
        self.it.tracker.answered(look, at(self.seconds), about=self.it.order)

    @precondition(lambda self: self.feed)
    @rule(twice=st.booleans())
    def the_feed_speaks(self, twice: bool) -> None:
        self.last = self.feed.pop(0)
        self.it.hear(*[self.last] * (1 + twice))

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_feed_repeats_itself(self) -> None:
        assert self.last is not None
        self.it.hear(self.last)

    @precondition(lambda self: self.fills)
    @rule(data=st.data())
    def a_fill_arrives(self, data: st.DataObject) -> None:
        self.it.tracker.fill(self.fills.pop(data.draw(st.integers(0, len(self.fills) - 1))), at(self.seconds))

    @invariant()
    def what_is_shown_is_possible(self) -> None:
        shown = self.it.published
        assert all(one.filled <= two.filled for one, two in pairwise(shown))
        assert self.it.order.filled <= self.venue.filled
        assert self.it.order.remaining >= 0 or self.under_way or self.feed
        ended = [order for order in shown if order.is_final]
        assert len({order.status for order in ended}) <= 1
        if ended:
            assert all(order.is_final for order in shown[shown.index(ended[0]) :])

    def teardown(self) -> None:
        if not hasattr(self, "it"):
            return
        while any(done is None for _, done in self.under_way):
            self.the_request_arrives(refuse=False)
        while self.under_way:
            self.the_answer_arrives()
        while self.feed:
            self.the_feed_speaks(twice=False)
        order, venue = self.it.order, self.venue
        assert (order.quantity, order.price, order.filled) == (venue.quantity, venue.price, venue.filled)
        assert order.status is venue.status or order.filled == order.quantity


TestAmendments = Amendments.TestCase
TestAmendments.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
