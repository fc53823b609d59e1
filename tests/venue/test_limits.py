"""What a venue's user learns of its limits before sending, and what is refused for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import httpx
import pytest

from exchange_core.clock import SystemClock
from exchange_core.connector.limits import Cost, DecayingCounter, Limits
from exchange_core.connector.rest import Flow, HttpReply, HttpRequest, RestCall
from exchange_core.connector.spec import VenueConfig, VenueSpec
from exchange_core.errors import ExchangeError, LockedOut, NotSupported, OrderRefused, RateLimited
from exchange_core.model.amendment import Amendment
from exchange_core.model.event import LimitLevel, OrderUpdate, TierUpdate
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.clock import ManualClock
from exchange_core.transport.rest_client import RestClient
from exchange_core.transport.shared import SharedLimits
from exchange_core.venue.bus import Bus
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.limits import OpenOrders, VenueLimits
from exchange_core.venue.orders import OrderTracker

START = datetime(2026, 1, 1, tzinfo=UTC)


class Operations:
    """An order costs 1 of its symbol, a cancel 3, a look at the account 1 of its key."""

    def place(self, request: OrderRequest) -> Flow[Order]:
        if request.reduce_only:
            raise NotSupported("no reduce_only here")
        assert request.client_order_id
        return self._ask(Cost("orders", 1, key=str(request.symbol)), changes_state=True)

    def cancel(self, order: Order) -> Flow[None]:
        return self._ask(Cost("orders", 3, key=str(order.symbol), urgent=True), changes_state=True)

    def look(self) -> Flow[Any]:
        return self._ask(Cost("calls", 1))

    def nothing(self) -> Flow[None]:
        return
        yield

    def _ask(self, cost: Cost, *, changes_state: bool = False) -> Flow[Any]:
        return (yield RestCall(method="POST", path="/", costs=(cost,), changes_state=changes_state))


class Dialect:
    def __init__(self) -> None:
        self.error: ExchangeError | None = None

    def encode(self, call: RestCall) -> HttpRequest:
        return HttpRequest(call.method, call.path, {})

    def decode(self, call: RestCall, reply: HttpReply) -> Any:
        if self.error is not None:
            raise self.error


def figures(tier: str) -> Limits:
    times = {"small": 1, "large": 2}[tier]
    return Limits(
        {
            "orders": DecayingCounter(maximum=10 * times, decay=times, reserve=4, per_key=True),
            "calls": DecayingCounter(maximum=2, decay=0.5),
        },
        open_orders=2 * times,
    )


@attrs.define
class House:
    """The parts that the limits of a venue work with."""

    clock: ManualClock = attrs.field(factory=lambda: ManualClock(START))
    bus: Bus = attrs.field(factory=Bus)
    dialect: Dialect = attrs.field(factory=Dialect)
    operations: Any = attrs.field(factory=Operations)
    tracker: OrderTracker = attrs.field(factory=lambda: OrderTracker("shop"))
    is_live: bool = True
    rest: RestClient = attrs.field(init=False)
    open_orders: OpenOrders = attrs.field(init=False)
    limits: VenueLimits = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        answering = httpx.MockTransport(lambda _: httpx.Response(200))
        config = VenueConfig(rest_url="https://shop.example")
        self.rest = RestClient("shop", config, self.dialect, figures("small"), clock=self.clock, http=answering)
        self.open_orders = OpenOrders("shop", self.rest, self.tracker, lambda: self.is_live)
        self.limits = VenueLimits(
            "shop",
            self.rest,
            self.operations,
            self.open_orders,
            self.bus,
            self.clock,
            check=self.open_orders.check,
            client_order_id="c0",
            tier="small",
            figures=figures,
        )

    def stands(self, number: int, **changes: Any) -> None:
        """Let an order stand in the market."""
        request = buy(client_order_id=f"c{number}", **changes)
        self.tracker.sending(request, START)
        answer = Order(request=request, venue_order_id=f"V{number}", status=OrderStatus.OPEN)
        self.tracker.answered(answer, START, about=self.tracker.get(f"c{number}"))

    def waits(self, *wanted: Any) -> list[float]:
        return [told.wait for told in self.limits.forecast(wanted)]


@pytest.fixture
async def house() -> House:
    return House()


def buy(**changes: Any) -> OrderRequest:
    return OrderRequest(**({"symbol": "BTC/USD", "side": "buy", "quantity": "1", "price": "100"} | changes))


def ioc(**changes: Any) -> OrderRequest:
    return buy(time_in_force="ioc", **changes)


def resting(number: int = 1) -> Order:
    return Order(request=buy(), venue_order_id=f"V{number}", status=OrderStatus.OPEN)


# Forecasts.


def test_a_forecast_tells_what_each_will_cost_and_how_long_it_waits(house: House) -> None:
    told = house.limits.forecast([ioc() for _ in range(8)])
    assert {one.costs for one in told} == {(Cost("orders", 1, key="BTC/USD"),)}
    assert [one.wait for one in told] == pytest.approx([0, 0, 0, 0, 0, 0, 1, 2])
    assert not any(one.refused for one in told)


def test_a_forecast_counts_nothing(house: House) -> None:
    for _ in range(3):
        house.limits.forecast([ioc() for _ in range(8)])
    assert [use.level for use in house.limits.levels()] == [0]


def test_cancels_go_first_and_other_symbols_and_pools_do_not_wait(house: House) -> None:
    orders = [ioc() for _ in range(7)]
    look = house.operations.look
    waits = house.waits(*orders, resting(), ioc(symbol="ETH/USD"), look(), look(), look())
    assert waits == pytest.approx([0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 2])


async def test_a_forecast_begins_where_the_counters_stand(house: House) -> None:
    async with house.rest:
        for _ in range(6):
            await house.rest.run(house.operations.place(ioc(client_order_id="c1")))
    assert house.waits(ioc(), ioc()) == pytest.approx([1, 2])
    await house.clock.advance(1.5)
    assert house.waits(ioc(), ioc()) == pytest.approx([0, 0.5])


def test_what_would_wait_for_too_long_is_said_to_be_refused(house: House) -> None:
    """Orders wait no longer than their deadline, five seconds; others for half a minute."""
    told = house.limits.forecast([ioc() for _ in range(13)])
    assert told[-1].wait == pytest.approx(7)
    assert [one.refused is None for one in told] == [True] * 11 + [False] * 2
    assert isinstance(told[-1].refused, RateLimited)
    assert "it would wait 7.0 s, and it may wait 5.0 s" in str(told[-1].refused)


def test_what_the_plugin_or_the_checks_refuse_is_said_and_costs_nothing(house: House) -> None:
    told = house.limits.forecast([buy(reduce_only=True), ioc()])
    assert isinstance(told[0].refused, NotSupported)
    assert (told[0].costs, told[0].wait) == ((), 0)
    assert (told[1].refused, told[1].wait) == (None, 0)


def test_an_own_call_that_asks_for_nothing_costs_nothing(house: House) -> None:
    (told,) = house.limits.forecast([house.operations.nothing()])
    assert (told.costs, told.wait, told.refused) == ((), 0, None)


def test_a_flow_that_was_forecast_is_closed(house: House) -> None:
    flow = house.operations.look()
    house.limits.forecast([flow])
    with pytest.raises(StopIteration):
        next(flow)


# Levels, lockouts, and the venue's own word.


async def test_levels_show_what_is_used_and_until_when_it_is_paused(house: House) -> None:
    async with house.rest:
        await house.rest.run(house.operations.place(buy(client_order_id="c1")))
        house.rest.gate.pause((Cost("orders", key="ETH/USD"),), 7)
    bitcoin, ether, calls = house.limits.levels()
    assert (bitcoin.pool, bitcoin.key, bitcoin.level, bitcoin.maximum, bitcoin.reserve) == (
        "orders",
        "BTC/USD",
        1,
        10,
        4,
    )
    assert (ether.key, ether.level) == ("ETH/USD", 0)
    assert (ether.paused_until, ether.cancels_paused_until) == (START + timedelta(seconds=7), None)
    assert (calls.pool, calls.key, calls.level) == ("calls", "", 0)
    await house.clock.advance(10)
    assert [use.pool for use in house.limits.levels()] == ["calls"]


async def test_a_lockout_shows_when_it_ends_and_refuses_all_that_is_forecast(house: House) -> None:
    assert house.limits.locked_until is None
    house.dialect.error = LockedOut("Temporary lockout", retry_after=900)
    async with house.rest:
        with pytest.raises(LockedOut):
            await house.rest.run(house.operations.look())
    assert house.limits.locked_until == START + timedelta(minutes=15)
    for told in house.limits.forecast([ioc(), resting(), house.operations.look()]):
        assert "locked out by the venue until 00:15:00 UTC" in str(told.refused)


def test_the_venues_own_count_is_taken(house: House) -> None:
    house.bus.publish(LimitLevel(pool="orders", key="BTC/USD", level=5.0))
    house.bus.publish(LimitLevel(pool="unheard of", level=5.0))
    assert house.waits(ioc(), ioc()) == pytest.approx([0, 1])


def test_the_level_of_the_account_that_the_venue_tells_is_taken(house: House) -> None:
    house.stands(1)
    house.stands(2)
    with pytest.raises(OrderRefused):
        house.open_orders.check(buy())
    house.bus.publish(TierUpdate(tier="large"))
    assert house.limits.tier == "large"
    house.open_orders.check(buy())
    assert house.waits(*(ioc() for _ in range(17))) == pytest.approx([0] * 16 + [0.5])


# Open orders.


def test_an_order_that_would_rest_is_refused_while_the_most_are_open(house: House) -> None:
    house.stands(1)
    house.open_orders.check(buy())
    house.stands(2)
    with pytest.raises(
        OrderRefused, match=r"BTC/USD: 2 orders are open, and shop takes 2 .*cancel one first"
    ) as caught:
        house.open_orders.check(buy())
    assert caught.value.venue == "shop"
    house.open_orders.check(buy(symbol="ETH/USD"))


@pytest.mark.parametrize(
    "request_",
    [ioc(), buy(time_in_force="fok"), OrderRequest(symbol="BTC/USD", side="buy", quantity="1")],
    ids=["ioc", "fok", "market"],
)
def test_an_order_that_would_not_rest_is_left_to_the_venue(house: House, request_: OrderRequest) -> None:
    house.stands(1)
    house.stands(2)
    house.open_orders.check(request_)


def test_while_news_may_be_missing_the_venue_decides(house: House) -> None:
    house.stands(1)
    house.stands(2)
    house.is_live = False
    house.open_orders.check(buy())


def end(house: House, status: OrderStatus) -> None:
    order = house.tracker.get("c1")
    assert order is not None
    house.tracker.answered(attrs.evolve(order, status=status), START, about=order)


def conclude(house: House) -> None:
    order = house.tracker.get("c1")
    assert order is not None
    house.tracker.concluded(order, OrderStatus.CANCELED, "gone", START)


@pytest.mark.parametrize(
    "ending",
    [
        *(lambda house, status=status: end(house, status) for status in (OrderStatus.FILLED, OrderStatus.CANCELED)),
        conclude,
    ],
    ids=["filled", "canceled", "concluded"],
)
def test_an_order_that_ended_is_not_counted(house: House, ending: Callable[[House], None]) -> None:
    house.stands(1)
    house.stands(2)
    ending(house)
    house.open_orders.check(buy())


def test_an_order_that_may_not_have_arrived_is_not_counted(house: House) -> None:
    house.stands(1)
    house.tracker.sending(buy(client_order_id="c2"), START)
    house.tracker.sending(buy(client_order_id="c3"), START)
    house.tracker.lost("c3", START)
    house.open_orders.check(buy())


def test_a_forecast_counts_the_orders_of_its_own_sequence(house: House) -> None:
    house.stands(1)
    told = house.limits.forecast([buy(), buy(), buy(symbol="ETH/USD"), resting(), buy(), buy()])
    assert [one.refused is not None for one in told] == [False, True, False, False, False, True]


# Several venues.


def shared(key: str | None, shares: SharedLimits, host: str = "shop.example") -> Limits:
    limits = figures("small")
    return shares.join(attrs.evolve(limits, per_address=frozenset({"calls"})), host, key)


def spent(limits: Limits) -> Iterator[tuple[str, float]]:
    return ((state.pool, state.level) for state in limits.states(0.0) if state.level)


def test_two_accounts_at_one_host_share_what_is_counted_by_address() -> None:
    shares = SharedLimits()
    one, other, stranger = shared("k1", shares), shared("k2", shares), shared(None, shares)
    one.spend((Cost("calls"), Cost("orders", key="BTC/USD")), 0.0)
    assert dict(spent(other)) == {"calls": 1}
    assert dict(spent(stranger)) == {"calls": 1}
    assert dict(spent(shared("k1", shares, "elsewhere.example"))) == {}


def test_two_names_for_one_key_share_all_counts_and_so_does_a_venue_that_is_opened_again() -> None:
    shares = SharedLimits()
    shared("k1", shares).spend((Cost("calls"), Cost("orders", key="BTC/USD")), 0.0)
    assert dict(spent(shared("k1", shares))) == {"calls": 1, "orders": 1}


def test_a_lockout_is_of_one_key_at_one_host() -> None:
    shares = SharedLimits()
    lockout = shares.lockout("shop.example", "k1")
    assert shares.lockout("shop.example", "k1") is lockout
    for host, key in (("shop.example", "k2"), ("shop.example", None), ("elsewhere.example", "k1"), ("", "k1")):
        assert shares.lockout(host, key) is not lockout


def test_no_key_is_kept() -> None:
    shares = SharedLimits()
    shared("the-api-key", shares)
    shares.lockout("shop.example", "the-api-key")
    assert "the-api-key" not in repr(vars(shares))


def test_all_connections_to_a_host_share_its_budget() -> None:
    shares = SharedLimits()
    budget = shares.budget("ws.example", 2, 600.0)
    budget.spend(0.0)
    shares.budget("ws.example", 2, 600.0).spend(0.0)
    assert budget.delay(1.0) > 0
    assert shares.budget("other.example", 2, 600.0).delay(1.0) == 0


# How young an order may be to the venue, which some limits depend on.


def seconds(number: float) -> datetime:
    return START + timedelta(seconds=number)


def touched(tracker: OrderTracker, order_id: str) -> datetime | None:
    order = tracker.get(order_id)
    assert order is not None
    return order.touched


def test_an_order_is_as_old_as_its_answer(house: House) -> None:
    """It may have waited here before it was sent; the venue had it at the latest when it answered."""
    tracker, request = house.tracker, buy(client_order_id="c1")
    order = tracker.sending(request, START)
    assert touched(tracker, "c1") is None
    answer = Order(request=request, venue_order_id="V1", status=OrderStatus.OPEN)
    tracker.answered(answer, seconds(7), about=order)
    tracker.apply(OrderUpdate(venue_order_id="V1", status=OrderStatus.OPEN, sequence_time=START), seconds(8))
    tracker.apply(OrderUpdate(venue_order_id="V1", status=OrderStatus.PARTIALLY_FILLED), seconds(9))
    assert touched(tracker, "c1") == seconds(7)


def test_an_order_of_the_feed_is_as_old_as_the_first_news(house: House) -> None:
    terms: dict[str, Any] = {
        "symbol": Symbol.of("BTC/USD"),
        "side": Side.BUY,
        "quantity": Decimal(1),
        "price": Decimal(1),
    }
    for number, (status, snapshot) in enumerate(
        [(OrderStatus.PENDING, False), (OrderStatus.OPEN, True), (OrderStatus.PARTIALLY_FILLED, False)]
    ):
        update = OrderUpdate(venue_order_id=f"V{number}", status=status, snapshot=snapshot, **terms)
        house.tracker.apply(update, seconds(5))
    assert [touched(house.tracker, f"V{number}") for number in range(3)] == [seconds(5), None, None]
    # When the venue lists them it says when they were made.
    listed = Order(request=buy(), venue_order_id="V1", status=OrderStatus.OPEN, created=seconds(-60))
    house.tracker.answered(listed, seconds(9))
    assert touched(house.tracker, "V1") == seconds(-60)


def test_an_amendment_makes_an_order_young_also_one_by_somebody_else(house: House) -> None:
    house.stands(1)
    assert touched(house.tracker, "c1") == START
    update = OrderUpdate(venue_order_id="V1", price=Decimal(101), status=OrderStatus.OPEN, sequence_time=seconds(60))
    house.tracker.apply(update, seconds(61))
    assert touched(house.tracker, "c1") == seconds(61)


def test_an_amendment_under_way_makes_it_young_already(house: House) -> None:
    house.stands(1)
    order = house.tracker.get("c1")
    assert order is not None
    amending = house.tracker.amending(order, Amendment(price="101"), seconds(30))
    assert touched(house.tracker, "c1") == seconds(30)
    house.tracker.amended(order, amending, None, seconds(40))
    assert touched(house.tracker, "c1") == seconds(30)


def opened(make_venue: Any, url: str, **around: Any) -> ConnectedVenue:
    spec = attrs.evolve(shop_of(make_venue), limits=lambda config: figures("small"))
    made: ConnectedVenue = make_venue(spec=spec, config={"rest_url": url}, **around)
    return made


def shop_of(make_venue: Any) -> VenueSpec:
    made: ConnectedVenue = make_venue()
    return made.spec


@pytest.mark.parametrize(
    ("url", "around", "is_shared"),
    [
        ("https://shop-1.example", {"clock": SystemClock(), "http": None}, True),
        ("https://shop-2.example", {"clock": SystemClock()}, False),
        ("https://shop-3.example", {"http": None}, False),
        ("http://127.0.0.1:1234", {"clock": SystemClock(), "http": None}, False),
        ("http://localhost:1234", {"clock": SystemClock(), "http": None}, False),
        ("https://shop-4.example", {"shared": SharedLimits()}, True),
    ],
    ids=["real", "played venue", "played time", "at home by number", "at home by name", "as given"],
)
async def test_real_venues_share_their_counts_with_all_of_the_process(
    make_venue: Any, url: str, around: dict[str, Any], is_shared: bool
) -> None:
    one, other = opened(make_venue, url, **around), opened(make_venue, url, **around)
    one._parts.rest.gate.pause((Cost("orders", key="BTC/USD"),), 60)
    assert [use.key for use in other.limits.levels() if use.paused_until] == (["BTC/USD"] if is_shared else [])
