"""What a plugin owes that amends, batches, cancels all, has a dead man's switch, or takes requests over a connection.

``VenueContract`` inherits it. What a plugin does not have is skipped.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import pytest

from exchange_core.connector.feed import RequestFeed
from exchange_core.connector.order_operations import Amends, Batches, CancelsAll, DeadMansSwitch, LooksUp
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import OrderRefused
from exchange_core.model.amendment import Amendment
from exchange_core.model.event import Channel, OrderUpdate, Subscription
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.testing.world import Client, Line, World


class OrderContract:
    """The optional part of ``VenueContract``."""

    spec: ClassVar[VenueSpec]

    if TYPE_CHECKING:

        @property
        def instrument(self) -> Instrument: ...
        @property
        def quantity(self) -> Decimal: ...
        def price(self, factor: str) -> Decimal: ...

    @pytest.fixture
    def account(self, me: Client) -> Line:
        """Follow the own orders on the connection that serves them."""
        if self.spec.feed_for(Channel.ORDERS) is None:
            pytest.skip("the venue has no feed of orders")
        return me.line(Subscription(Channel.ORDERS))

    @pytest.fixture
    def live(self, account: Line) -> Line:
        """The same, where it carries requests."""
        if not isinstance(account.feed, RequestFeed):
            pytest.skip("the venue takes no requests over the connection of orders")
        return account

    def request(self, me: Client, factor: str = "0.9", **changes: Any) -> OrderRequest:
        """Return an order that rests, with a client id."""
        fields: dict[str, Any] = {
            "symbol": self.instrument.symbol,
            "side": "buy",
            "quantity": self.quantity,
            "price": self.price(factor),
            "client_order_id": self.spec.client_order_id(next(me.world.nonces)),
        }
        return OrderRequest(**(fields | changes))

    # Amendments

    def test_an_amended_order_has_new_terms_and_the_same_ids(self, world: World, me: Client) -> None:
        operations = _need(me.rest, Amends)
        order = me.run(me.rest.place(self.request(me)))
        before = len(world.asked)
        amendment = Amendment(price=self.price("0.91"), quantity=self.quantity * 2)
        amended = me.run(operations.amend(order, amendment))
        assert [asked.call.changes_state for asked in world.asked[before:]].count(True) == 1
        found = me.run(me.rest.find(amended))
        for seen in (amended, found):
            assert (seen.price, seen.quantity) == (amendment.price, amendment.quantity)
            assert (seen.venue_order_id, seen.client_order_id) == (order.venue_order_id, order.client_order_id)
        assert found.status is OrderStatus.OPEN

    def test_an_amendment_keeps_what_was_executed(self, me: Client, other: Client) -> None:
        """The new quantity is that of the whole order."""
        operations = _need(me.rest, Amends)
        whole = self.quantity * 4
        order = me.run(me.rest.place(self.request(me, "1", quantity=whole)))
        other.place("sell", self.quantity, self.price("1"))
        known = attrs.evolve(order, filled=self.quantity, status=OrderStatus.PARTIALLY_FILLED)
        me.run(operations.amend(known, Amendment(quantity=self.quantity * 3)))
        found = me.run(me.rest.find(order))
        assert (found.quantity, found.filled) == (self.quantity * 3, self.quantity)
        assert found.remaining == self.quantity * 2

    def test_what_is_done_is_not_amended(self, me: Client) -> None:
        operations = _need(me.rest, Amends)
        order = me.run(me.rest.place(self.request(me)))
        me.run(me.rest.cancel(order))
        with pytest.raises(OrderRefused):
            me.run(operations.amend(order, Amendment(price=self.price("0.91"))))
        assert me.run(me.rest.find(order)).status is OrderStatus.CANCELED

    def test_an_amendment_that_is_refused_changes_nothing(self, me: Client) -> None:
        operations = _need(me.rest, Amends)
        order = me.run(me.rest.place(self.request(me)))
        with pytest.raises(OrderRefused):
            me.run(operations.amend(order, Amendment(price=self.price("0.9") + self.instrument.tick_size / 2)))
        assert me.run(me.rest.find(order)).price == self.price("0.9")

    def test_the_account_hears_of_its_amendments_with_their_time(self, me: Client, account: Line) -> None:
        operations = _need(me.rest, Amends)
        order = me.run(me.rest.place(self.request(me)))
        account.carry()
        me.run(operations.amend(order, Amendment(price=self.price("0.91"))))
        told = [e for e in account.carry() if isinstance(e, OrderUpdate) and e.price == self.price("0.91")]
        assert told
        assert all(update.venue_order_id == order.venue_order_id and update.sequence_time for update in told)

    # By their ids alone

    def test_an_order_that_is_over_is_known_by_either_id(self, me: Client, other: Client) -> None:
        operations = _need(me.rest, LooksUp)
        canceled = me.run(me.rest.place(self.request(me)))
        me.run(me.rest.cancel(canceled))
        filled = me.run(me.rest.place(self.request(me, "1")))
        other.place("sell", self.quantity, self.price("1"))
        for order, status in ((canceled, OrderStatus.CANCELED), (filled, OrderStatus.FILLED)):
            for order_id in (order.venue_order_id, order.client_order_id):
                found = me.run(operations.look_up(order_id or ""))
                assert found is not None
                assert (found.status, found.venue_order_id) == (status, order.venue_order_id)
                terms = ("symbol", "side", "quantity", "price")
                assert [getattr(found, name) for name in terms] == [getattr(order, name) for name in terms]
                assert found.created is not None
                assert found.updated is not None
                assert found.created <= found.updated

    def test_an_order_that_never_was_is_nowhere(self, me: Client) -> None:
        operations = _need(me.rest, LooksUp)
        for order_id in (self.spec.client_order_id(next(me.world.nonces)), "no such id"):
            assert me.run(operations.look_up(order_id)) is None

    # Batches

    def test_a_batch_is_one_write_and_its_answers_are_in_order(self, world: World, me: Client) -> None:
        operations = _need(me.rest, Batches)
        before = len(world.asked)
        requests = [self.request(me, factor) for factor in ("0.9", "0.91", "0.92")[: operations.most_placed]]
        answers = me.run(operations.place_batch(requests))
        assert [asked.call.changes_state for asked in world.asked[before:]] == [True]
        placed = [answer for answer in answers if isinstance(answer, Order)]
        assert [order.client_order_id for order in placed] == [request.client_order_id for request in requests]
        assert [order.price for order in placed] == [request.price for request in requests]
        assert {o.venue_order_id for o in me.run(me.rest.open_orders())} == {o.venue_order_id for o in placed}

    def test_of_a_batch_each_order_has_its_own_fate(self, me: Client, other: Client) -> None:
        """One of two would take, and must not (a venue may say so later): the answer to the other says what it is."""
        operations = _need(me.rest, Batches)
        other.place("sell", self.quantity, self.price("1"))
        requests = [self.request(me), self.request(me, "1.05", post_only=True)]
        try:
            good, bad = me.run(operations.place_batch(requests))
        except OrderRefused:
            assert me.run(me.rest.open_orders()) == [], "a batch that is refused as a whole did not happen"
            return
        stands = {order.client_order_id for order in me.run(me.rest.open_orders())}
        assert (requests[0].client_order_id in stands) is isinstance(good, Order)
        assert requests[1].client_order_id not in stands
        if isinstance(bad, Order):
            assert me.run(me.rest.find(bad)).is_final

    def test_a_batch_is_taken_out_with_one_write(self, world: World, me: Client) -> None:
        operations = _need(me.rest, Batches)
        orders = [me.run(me.rest.place(self.request(me))) for _ in range(3)]
        me.run(me.rest.cancel(orders[0]))
        before = len(world.asked)
        me.run(operations.cancel_batch(orders))
        assert [asked.call.changes_state for asked in world.asked[before:]] == [True]
        assert {me.run(me.rest.find(order)).status for order in orders} == {OrderStatus.CANCELED}

    # All of them

    def test_canceling_all_leaves_nothing_of_ours_and_all_of_others(self, me: Client, other: Client) -> None:
        operations = _need(me.rest, CancelsAll)
        me.run(me.rest.place(self.request(me)))
        me.run(me.rest.place(self.request(me, "1.1", side="sell")))
        theirs = other.run(other.rest.place(self.request(other, "0.8")))
        me.run(operations.cancel_all())
        assert me.run(me.rest.open_orders()) == []
        assert [order.venue_order_id for order in other.run(other.rest.open_orders())] == [theirs.venue_order_id]
        me.run(operations.cancel_all())

    @pytest.mark.parametrize("ended", [False, True])
    def test_the_switch_takes_all_out_unless_it_is_told_again(self, me: Client, account: Line, ended: bool) -> None:
        operations = _need(me.rest, DeadMansSwitch)
        order = me.run(me.rest.place(self.request(me)))
        fires = me.run(operations.cancel_all_after(10))
        now = me.world.clock.now()
        assert fires is None or abs((fires - now).total_seconds() - 10) <= 1
        account.wait(8)
        assert me.run(operations.cancel_all_after(0 if ended else 10)) is None or not ended
        account.wait(8)
        assert me.run(me.rest.find(order)).status is OrderStatus.OPEN
        account.wait(8)
        assert me.run(me.rest.find(order)).status is (OrderStatus.OPEN if ended else OrderStatus.CANCELED)

    # Requests over a connection

    def test_an_order_over_the_connection_is_one_like_any_other(self, world: World, me: Client, live: Line) -> None:
        before = len(world.asked)
        request = self.request(me)
        order = live.run(me.rest.place(request))
        assert (order.client_order_id, order.price) == (request.client_order_id, request.price)
        assert [asked.call for asked in world.asked[before:]] == [], "it went over REST"
        assert me.run(me.rest.find(order)).status is OrderStatus.OPEN
        told = [event for event in live.news if isinstance(event, OrderUpdate)]
        assert {update.venue_order_id for update in told} == {order.venue_order_id}
        live.run(me.rest.cancel(order))
        assert me.run(me.rest.find(order)).status is OrderStatus.CANCELED

    def test_a_refusal_over_the_connection_is_the_one_of_rest(self, me: Client, live: Line) -> None:
        wrong = self.price("0.9") + self.instrument.tick_size / 2
        raised = []
        for run in (live.run, me.run):
            with pytest.raises(OrderRefused) as caught:
                run(me.rest.place(self.request(me, price=wrong)))
            raised.append((type(caught.value), caught.value.codes))
        assert raised[0] == raised[1]
        assert me.run(me.rest.open_orders()) == []

    def test_amendments_over_the_connection_do_the_same(self, me: Client, live: Line) -> None:
        operations = _need(me.rest, Amends)
        order = live.run(me.rest.place(self.request(me)))
        assert live.run(operations.amend(order, Amendment(price=self.price("0.91")))).price == self.price("0.91")
        assert me.run(me.rest.find(order)).price == self.price("0.91")

    def test_batches_over_the_connection_do_the_same(self, me: Client, live: Line) -> None:
        operations = _need(me.rest, Batches)
        requests = [self.request(me, factor) for factor in ("0.9", "0.91")]
        placed = live.run(operations.place_batch(requests))
        assert [order.price for order in placed if isinstance(order, Order)] == [r.price for r in requests]
        live.run(operations.cancel_batch([order for order in placed if isinstance(order, Order)]))
        assert me.run(me.rest.open_orders()) == []

    def test_a_lost_connection_takes_no_requests_until_the_next(self, me: Client, live: Line) -> None:
        feed = live.feed
        assert isinstance(feed, RequestFeed)
        assert feed.can_ask()
        live.close()
        assert not feed.can_ask()
        live.open()
        live.carry()
        assert feed.can_ask()
        order = live.run(me.rest.place(self.request(me)))
        assert me.run(me.rest.find(order)).status is OrderStatus.OPEN

    def test_each_request_has_its_number_and_shows_no_token(self, me: Client, live: Line) -> None:
        feed = live.feed
        assert isinstance(feed, RequestFeed)
        calls = [next(me.rest.place(self.request(me))) for _ in range(3)]
        asked = [feed.ask(call, 0.0) for call in calls if call.socket is not None]
        assert len({question.request_id for question in asked}) == len(asked)
        assert not [question for question in asked if question.frame in repr(question)]
        assert not feed.outbox()


def _need(operations: Any, kind: Any) -> Any:
    if not isinstance(operations, kind):
        pytest.skip(f"the venue has no {kind.__name__}")
    return operations
