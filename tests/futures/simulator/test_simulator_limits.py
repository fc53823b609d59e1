"""The simulated venue refuses who asks too often, where it is told to, and nobody else."""

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.testing.world import Socket, World
from kraken_futures.limits import units
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_futures.simulator import SIMULATOR
from kraken_futures.simulator.codec import Arguments
from kraken_futures.simulator.limits import Pool, Window, cost_of, history_cost

BEGIN = datetime(2026, 10, 9, 12, tzinfo=UTC)
MANY = settings(max_examples=100, deadline=None)


@pytest.fixture
def alice(world: World, client_of: Any) -> Any:
    """Return a client of a venue that refuses."""
    assert SIMULATOR.limited is not None
    world.protocol = SIMULATOR.limited(world.exchange, "everyone")
    return client_of("alice")


def word(reply: Any) -> str:
    body = json.loads(reply.body)
    return str(body.get("error", body["result"]))


class TestUnits:
    def test_five_hundred_in_ten_seconds(self, alice: Any, clock: Any) -> None:
        path = "/derivatives/api/v3/cancelallorders"
        assert [word(alice.raw("POST", path)) for _ in range(21)] == ["success"] * 20 + ["apiLimitExceeded"]
        assert alice.raw("POST", path).status == 200
        clock.forward(9.999)
        assert word(alice.raw("POST", path)) == "apiLimitExceeded"
        clock.forward(0.001)
        assert word(alice.raw("POST", path)) == "success"

    def test_what_is_refused_is_not_done(self, alice: Any, exchange: SimulatedExchange) -> None:
        for _ in range(2):
            alice.get("unwindqueue")
        for _ in range(4):
            alice.post("cancelallorders")
        order = {"orderType": "lmt", "symbol": "PF_XBTUSD", "side": "buy", "size": "0.1", "limitPrice": "80000"}
        assert alice.post("sendorder", **order)["error"] == "apiLimitExceeded"
        assert exchange.open_orders("alice") == []

    def test_all_keys_of_an_account_share_them_and_others_do_not(self, alice: Any, client_of: Any) -> None:
        for _ in range(2):
            alice.get("unwindqueue")
        assert client_of("guest").get("unwindqueue")["error"] == "apiLimitExceeded"
        assert client_of("bobby").get("unwindqueue")["result"] == "success"

    def test_public_calls_are_free(self, alice: Any) -> None:
        assert {alice.public("tickers")["result"] for _ in range(300)} == {"success"}

    def test_a_key_that_is_refused_costs_nothing(self, alice: Any, client_of: Any) -> None:
        for _ in range(100):
            client_of("guest").post("cancelallorders")
        assert alice.get("unwindqueue")["result"] == "success"

    def test_without_limits_nobody_is_refused(self, world: World, client_of: Any) -> None:
        world.protocol = SIMULATOR.protocol(world.exchange)
        careless = client_of("alice")
        assert {careless.get("unwindqueue")["result"] for _ in range(10)} == {"success"}

    @pytest.mark.parametrize(
        ("method", "name", "ours"),
        [
            ("POST", "sendorder", "sendorder"),
            ("POST", "editorder", "editorder"),
            ("POST", "cancelallordersafter", "cancelallordersafter"),
            ("POST", "orders/status", "orders/status"),
            ("POST", "withdrawal", "withdrawal"),
            ("GET", "accounts", "accounts"),
            ("GET", "leveragepreferences", "leveragepreferences"),
            ("PUT", "leveragepreferences", "leveragepreferences change"),
            ("PUT", "pnlpreferences", "pnlpreferences change"),
            ("GET", "subaccount/x/trading-enabled", "subaccount/trading-enabled"),
            ("GET", "notifications", "notifications"),
        ],
    )
    def test_both_sides_count_alike(self, method: str, name: str, ours: str) -> None:
        assert cost_of(method, name, Arguments("")) == units(ours)[0].amount

    def test_batches_and_older_fills(self) -> None:
        assert cost_of("POST", "batchorder", Arguments(""), 10) == 19
        assert cost_of("GET", "fills", Arguments("lastFillTime=2026-01-01T00%3A00%3A00Z")) == 25

    @MANY
    @given(calls=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 200)), max_size=60))
    def test_no_ten_seconds_have_more_and_nothing_else_is_refused(self, calls: list[tuple[int, int]]) -> None:
        window, now = Window(500, timedelta(seconds=10)), BEGIN
        passed: list[tuple[datetime, int]] = []
        for gap, cost in calls:
            now += timedelta(milliseconds=gap)
            recent = sum(spent for when, spent in passed if now - when < timedelta(seconds=10))
            assert window.take(cost, now) is (recent + cost <= 500)
            if recent + cost <= 500:
                passed.append((now, cost))


class TestHistory:
    def test_a_hundred_tokens_and_one_more_every_six_seconds(self, alice: Any, clock: Any) -> None:
        path = "/api/history/v3/accountlogcsv"
        statuses = [alice.raw("GET", path).status for _ in range(17)]
        assert statuses == [200] * 16 + [429]
        reply = alice.raw("GET", path)
        assert (reply.headers["content-type"], reply.headers["rate-limit-reset"]) == ("text/plain", "12")
        clock.forward(12)
        assert alice.raw("GET", path).status == 200
        assert alice.get("accounts")["result"] == "success"

    @pytest.mark.parametrize(
        ("name", "query", "cost"),
        [
            ("executions", "", 1),
            ("positions", "count=5000", 1),
            ("account-log", "count=25", 1),
            ("account-log", "count=26", 2),
            ("account-log", "", 3),
            ("account-log", "count=1001", 6),
            ("account-log", "count=100000", 10),
            ("accountlogcsv", "", 6),
        ],
    )
    def test_costs(self, name: str, query: str, cost: int) -> None:
        assert history_cost(name, Arguments(query)) == cost

    @MANY
    @given(calls=st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 10)), max_size=60))
    def test_tokens_come_back_steadily(self, calls: list[tuple[int, int]]) -> None:
        pool, now, left = Pool(), BEGIN, Fraction(100)
        for gap, cost in calls:
            now += timedelta(milliseconds=gap)
            left = min(Fraction(100), left + Fraction(gap, 6000))
            wait = pool.take(cost, now)
            assert (wait == 0) is (left >= cost)
            if not wait:
                left -= cost
            else:
                assert 0 <= wait - (cost - left) * 6 < 1


class TestConnections:
    def test_a_hundred_requests_a_second(self, alice: Any, connect: Any, clock: Any) -> None:
        feed = connect()
        answers = [feed.send("challenge", api_key="alice")[0]["event"] for _ in range(101)]
        assert answers == ["challenge"] * 100 + ["error"]
        clock.forward(1)
        assert feed.send("challenge", api_key="alice")[0]["event"] == "challenge"

    def test_a_hundred_connections(self, alice: Any, world: World) -> None:
        open_ones = [Socket(world, "/ws/v1") for _ in range(100)]
        assert world.protocol.session("/ws/v1") is None
        open_ones[0].session.closed()
        open_ones[0].session.closed()
        assert world.protocol.session("/ws/v1") is not None
        assert world.protocol.session("/ws/v1") is None


def test_our_client_is_never_refused_where_it_waits_as_it_should(world: World) -> None:
    """The client's own accounting, asked before each call, keeps the venue from saying no."""
    assert SIMULATOR.limited is not None
    world.protocol = SIMULATOR.limited(world.exchange, "everyone")
    client = world.client("alice")
    limits = KRAKEN_FUTURES.limits(client.context.config)
    for number in range(120):
        flow = client.rest.account.unwind_queue() if number % 9 == 0 else client.rest.orders.cancel_everything()
        flow = client.rest.account.positions() if number % 4 else flow
        call = next(flow)
        now = world.clock.monotonic()
        world.clock.forward(limits.delay(call.costs, now))
        limits.spend(call.costs, world.clock.monotonic())
        client.answer(call)
