"""The venue's limiters, each against its published figures; off unless a tier is chosen."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.simulation import SimOrder, SimRequest
from exchange_core.model.order import OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.world import World
from kraken_spot.simulator.codec import Refused
from kraken_spot.simulator.limits import TIERS, Limits
from kraken_spot.simulator.protocol import KrakenSpot

START = datetime(2026, 10, 9, 12, 30, 15, tzinfo=UTC)
BTC, ETH = Symbol("BTC", "USD"), Symbol("ETH", "USD")
LIMIT = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "80000"}


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def order(time: Time, symbol: Symbol = BTC) -> SimOrder:
    now = time()
    request = SimRequest(symbol=symbol, side=Side.BUY, type=OrderType.LIMIT, quantity=Decimal(1))
    return SimOrder(id="O", account="alice", request=request, status=OrderStatus.OPEN, created=now, updated=now)


@pytest.fixture
def time() -> Time:
    return Time()


class TestEngine:
    def test_the_worked_example(self, time: Time) -> None:
        """Add (1), amend after 7 s (1 + 2), cancel 36 s later (4): 8 in all, without what decays between."""
        limits = Limits(time, "starter", enforced=False)
        placed = order(time)
        limits.add_orders("alice", BTC)
        assert limits.engine_value("alice", BTC) == 1
        time.forward(7)
        before = limits.engine_value("alice", BTC)
        limits.amend(placed)
        assert limits.engine_value("alice", BTC) - before == 3
        placed = attrs.evolve(placed, amended=time())
        time.forward(36)
        before = limits.engine_value("alice", BTC)
        limits.cancel(placed)
        assert limits.engine_value("alice", BTC) - before == 4

    @pytest.mark.parametrize(
        ("act", "costs"),
        [
            ("amend", {0: 4, 5: 3, 10: 2, 15: 1, 45: 1, 90: 1, 300: 1}),
            ("edit", {0: 7, 5: 6, 10: 5, 15: 3, 45: 2, 90: 1, 300: 1}),
            ("cancel", {0: 8, 5: 6, 10: 5, 15: 4, 45: 2, 90: 1, 300: 0}),
        ],
    )
    def test_youth_costs(self, time: Time, act: str, costs: dict[int, int]) -> None:
        for age, cost in costs.items():
            limits = Limits(time, "pro")
            placed = order(time)
            time.forward(age)
            getattr(limits, act)(placed)
            assert limits.engine_value("alice", BTC) == cost, age

    def test_50_orders_and_then_10_seconds(self, time: Time) -> None:
        limits = Limits(time, "intermediate")
        for _ in range(50):
            limits.add_orders("alice", BTC)
        time.forward(10)
        assert limits.engine_value("alice", BTC) == Decimal("26.6")

    @pytest.mark.parametrize("tier", TIERS)
    def test_the_threshold_is_the_tiers_and_each_pairs(self, time: Time, tier: str) -> None:
        limits = Limits(time, tier)
        for _ in range(int(TIERS[tier].engine)):
            limits.add_orders("alice", BTC)
        with pytest.raises(Refused, match="EOrder:Rate limit exceeded"):
            limits.add_orders("alice", BTC)
        limits.add_orders("alice", ETH)
        limits.add_orders("bobby", BTC)
        time.forward(1)
        limits.add_orders("alice", BTC)

    def test_a_batch_costs_half_and_cancels_of_one_are_never_stopped(self, time: Time) -> None:
        limits = Limits(time, "starter")
        limits.add_orders("alice", BTC, 10)
        assert limits.engine_value("alice", BTC) == 5
        limits.cancel_batch([order(time)] * 20)
        assert limits.engine_value("alice", BTC) == 165
        with pytest.raises(Refused):
            limits.cancel(order(time))

    @given(
        st.lists(st.tuples(st.sampled_from(["add", "amend", "edit", "cancel"]), st.integers(0, 20_000)), max_size=60)
    )
    def test_the_counter_is_never_below_zero_nor_pushed_above_its_threshold(self, steps: list[tuple[str, int]]) -> None:
        time = Time()
        limits = Limits(time, "starter")
        placed = order(time)
        for act, wait in steps:
            time.forward(wait / 1000)
            before = limits.engine_value("alice", BTC)
            try:
                limits.add_orders("alice", BTC) if act == "add" else getattr(limits, act)(placed)
            except Refused:
                assert limits.engine_value("alice", BTC) == before
            assert 0 <= before <= 60
            assert limits.engine_value("alice", BTC) <= 60


class TestOverTheWire:
    @pytest.fixture
    def slow(self, world: World, alice: Any) -> Any:
        """Alice, at a venue that enforces the limits of the lowest tier."""
        alice.protocol = world.protocol = KrakenSpot(world.exchange, tier="starter")
        return alice

    def test_private_calls(self, slow: Any, clock: Any) -> None:
        """15 at most, two for a history, 0.33 a second back."""
        for _ in range(6):
            slow.do("Ledgers")
        for _ in range(3):
            slow.do("Balance")
        assert slow.error("Balance") == "EAPI:Rate limit exceeded"
        clock.forward(2.9)
        assert slow.error("Balance") == "EAPI:Rate limit exceeded"
        clock.forward(3.1)
        slow.do("Balance")

    def test_orders_are_counted_by_the_engine_alone(self, slow: Any) -> None:
        for _ in range(16):
            slow.do("AddOrder", **LIMIT)
        slow.do("Balance")

    def test_open_orders_of_a_pair(self, slow: Any, clock: Any) -> None:
        for _ in range(60):
            slow.do("AddOrder", **LIMIT)
            clock.forward(2)
        assert slow.error("AddOrder", **LIMIT) == "EOrder:Orders limit exceeded"
        assert slow.do("AddOrder", **LIMIT | {"pair": "ETHUSD", "price": "2000", "volume": "0.01"})["txid"]

    def test_orders_in_haste(self, slow: Any) -> None:
        ids = [slow.do("AddOrder", **LIMIT)["txid"][0] for _ in range(10)]
        for txid in ids[:6]:
            slow.do("CancelOrder", txid=txid)
        assert slow.error("CancelOrder", txid=ids[6]) == "EOrder:Rate limit exceeded"
        assert slow.error("AmendOrder", txid=ids[6], order_qty="1") == "EOrder:Rate limit exceeded"
        assert slow.do("CancelAll") == {"count": 4}

    def test_what_does_not_read_well_is_counted_all_the_same(self, slow: Any) -> None:
        for _ in range(60):
            assert slow.error("AddOrder", **LIMIT | {"price": "x"}) == "EOrder:Invalid price"
        assert slow.error("AddOrder", **LIMIT) == "EOrder:Rate limit exceeded"
        assert slow.do("AddOrder", **LIMIT, validate="true")["descr"], "what is only checked is not"

    def test_public_calls(self, slow: Any, clock: Any) -> None:
        for _ in range(30):
            assert slow.get("Depth", pair="XBTUSD")["error"] == []
        assert slow.get("Time")["error"] == ["EGeneral:Too many requests"]
        assert slow.get("Trades", pair="XBTUSD")["error"] == [], "counted for each pair"
        clock.forward(1)
        assert slow.get("Time")["error"] == []

    def test_who_fails_too_often_is_locked_out(self, slow: Any, clock: Any) -> None:
        for _ in range(20):
            slow.send("Balance", b"nonce=5", "5", **{"API-Sign": "AAAA"})
        assert slow.error("Balance") == "EGeneral:Temporary lockout"
        clock.forward(14 * 60)
        assert slow.error("Balance") == "EGeneral:Temporary lockout"
        clock.forward(14 * 60)
        assert slow.error("Balance") == "EGeneral:Temporary lockout", "every try begins the wait again"
        clock.forward(15 * 60)
        slow.do("Balance")

    def test_messages_of_a_connection(self, slow: Any, world: World) -> None:
        connection = world.socket("/v2")
        connection.take()
        for _ in range(61):
            connection.say('{"method":"ping"}')
        frames = connection.take()
        assert frames[-1] == '{"Error":"Exceeded msg rate"}'
        assert all("pong" in frame for frame in frames[:-1])

    def test_connections(self, slow: Any, world: World, clock: Any) -> None:
        assert all(world.protocol.session("/v2") for _ in range(150))
        assert world.protocol.session("/v2") is None
        clock.forward(601)
        assert world.protocol.session("/v2")

    def test_level_3_subscriptions(self, slow: Any, world: World, clock: Any) -> None:
        limits = Limits(clock.now, "starter").line()
        assert [limits.level3(1000, 0), limits.level3(1000, 1), limits.level3(10, 2)] == [True, True, False]
        clock.forward(1)
        assert limits.level3(100, 2)
        assert not limits.level3(10, 200)

    def test_the_tier_shows_in_the_answer(self, slow: Any, world: World) -> None:
        connection = world.socket("/auth/v2")
        token = slow.token()
        connection.say(f'{{"method":"subscribe","params":{{"channel":"executions","token":"{token}"}}}}')
        assert any('"maxratecount":60' in frame for frame in connection.take())

    def test_without_a_tier_nobody_is_refused_for_haste(self, alice: Any) -> None:
        for _ in range(100):
            alice.do("AddOrder", **LIMIT)
            alice.do("Ledgers")
            alice.ask("Time")
        assert alice.do("CancelAll") == {"count": 100}
