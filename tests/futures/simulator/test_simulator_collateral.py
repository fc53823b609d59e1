"""The multi-collateral wallet on the wire: currencies in and out, what counts as margin, conversions, refusals."""

import json
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.testing.world import Client as OurClient
from exchange_core.testing.world import World
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.simulator import SIMULATOR
from kraken_futures.simulator.money.collateral import coin_of
from kraken_futures.types.account import FlexWallet
from tests.futures.simulator.conftest import START, Client

LINEAR = Symbol.parse("BTC/USD:USD")


def move(client: Any, source: str, target: str, unit: str, amount: str) -> str:
    answer = client.post("transfer", fromAccount=source, toAccount=target, unit=unit, amount=amount)
    return str(answer.get("error", answer["result"]))


def flex(client: Any) -> Any:
    return client.get("accounts")["accounts"]["flex"]


def conversions(client: Any) -> list[Any]:
    path = "/api/history/v3/account-log"
    return list(client.get(path, info="conversion", conversion_details="true", sort="asc")["logs"])


class TestCurrencies:
    def test_a_coin_goes_into_the_wallet_and_out(self, alice: Any, feed: Any, exchange: Any) -> None:
        feed.follow("alice", "balances", "account_log")
        assert move(alice, "fi_xbtusd", "flex", "xbt", "0.2") == "success"
        found = flex(alice)["currencies"]
        assert {code: row["quantity"] for code, row in found.items()} == {"USD": 50000, "XBT": Decimal("0.2")}
        assert (found["XBT"]["value"], found["XBT"]["collateral"]) == (16800, Decimal("16548.84"))
        assert found["XBT"]["available"] == Decimal("0.2")
        frames = feed.frames()
        log = [frame["new_entry"] for frame in frames if frame["feed"] == "account_log"]
        assert [(row["asset"], row["margin_account"], row["new_balance"]) for row in log] == [
            ("xbt", "f-xbt:usd", Decimal("0.3")),
            ("xbt", "flex", Decimal("0.2")),
        ]
        sections = [frame["flex_futures"] for frame in frames if "flex_futures" in frame]
        assert sections[-1]["currencies"]["XBT"]["quantity"] == Decimal("0.2")
        answer = alice.post("withdrawal", currency="xbt", amount="0.05", sourceWallet="flex")
        assert len(answer["uid"]) == 36
        assert move(alice, "flex", "cash", "xbt", "0.15") == "success"
        assert flex(alice)["currencies"]["XBT"]["quantity"] == 0
        exchange.check_invariants()

    @pytest.mark.parametrize("asset", ["EUR", "GBP", "USDC", "USDT", "ETH"])
    def test_other_currencies_back_contracts_too(self, alice: Any, exchange: Any, asset: str) -> None:
        exchange.book_money("alice", asset, Decimal(1000), kind="deposit")
        row = flex(alice)["currencies"][asset]
        setting = next(each for each in exchange.collateral_assets() if each.asset == asset)
        assert row["value"] == 1000 * (Decimal(2650) if asset == "ETH" else setting.price)
        assert row["collateral"] == row["value"] * (1 - setting.haircut) * (1 - setting.spread)

    def test_what_backs_contracts_may_not_leave(self, alice: Any, bobby: Any, exchange: Any) -> None:
        """8400 are kept back; 0.2 coins count as 16548.84, so dollars may all go, and of the coins then some."""
        move(alice, "fi_xbtusd", "flex", "xbt", "0.2")
        bobby.order("lmt", "sell", "5", "84000")
        alice.order("mkt", "buy", "5")
        dollars = flex(alice)["currencies"]["USD"]["available"]
        assert dollars == 50000 - 210  # all that is there after the fee
        assert move(alice, "flex", "cash", "usd", str(dollars)) == "success"
        left = flex(alice)
        available = left["currencies"]["XBT"]["available"]
        assert 0 < available < Decimal("0.2")
        assert move(alice, "flex", "cash", "xbt", str(available + Decimal("1e-10"))) == "insufficientFunds"
        assert flex(alice) == left
        withdrawn = alice.post("withdrawal", currency="xbt", amount="0.2", sourceWallet="flex")
        assert withdrawn["error"] == "insufficientFunds"
        assert move(alice, "flex", "cash", "xbt", str(available)) == "success"
        assert 0 <= flex(alice)["availableMargin"] < Decimal("0.001")
        exchange.check_invariants()

    def test_a_recorded_list_brings_the_coins_that_it_prices(self) -> None:
        rows = [
            {
                "symbol": f"PF_{coin}USD",
                "type": "flexible_futures",
                "tickSize": 0.01,
                "contractSize": 1,
                "base": coin,
                "quote": "USD",
                "marginLevels": [{"numNonContractUnits": 0, "initialMargin": 0.02, "maintenanceMargin": 0.01}],
                "fundingRateCoefficient": 24,
            }
            for coin in ("SOL", "NOBODYKNOWSIT")
        ]
        spec = SIMULATOR.listed([json.dumps({"instruments": rows}).encode()])  # type: ignore[misc]
        backing = {each.asset: each for each in spec.collateral}
        assert (backing["SOL"].market, backing["SOL"].haircut) == (Symbol.parse("SOL/USD:USD"), Decimal("0.075"))
        assert "NOBODYKNOWSIT" not in backing
        assert "BTC" not in backing, "nothing prices it there"
        assert {"EUR", "SOL", "USDT"} <= {asset.code for asset in spec.assets}
        assert {market.funding_coefficient for market in spec.markets} == {24}


class TestConversions:
    @pytest.fixture
    def profit(self, alice: Any, bobby: Any, exchange: SimulatedExchange) -> Any:
        """Return what lets alice earn 1000 dollars with a bitcoin, or lose them, at an index of 84000."""
        exchange.set_index(LINEAR, Decimal(84000))
        alice.get("/api/history/v3/account-log")

        def earn(price: str = "85000") -> None:
            bobby.order("lmt", "sell", "1", "84000")
            alice.order("lmt", "buy", "1", "84000")
            bobby.order("lmt", "buy", "1", price)
            alice.order("lmt", "sell", "1", price)

        return earn

    def test_profit_is_paid_in_the_currency_of_the_preference(
        self, alice: Any, profit: Any, feed: Any, exchange: Any
    ) -> None:
        alice.put("pnlpreferences", symbol="PF_XBTUSD", pnlPreference="BTC")
        feed.follow("alice", "account_log", "balances")
        profit()
        sold, bought = conversions(alice)
        price = exchange.index_price(LINEAR)
        paid = (1000 / price).quantize(Decimal("1e-10"), "ROUND_DOWN")
        cost = (paid * Decimal("0.005")).quantize(Decimal("1e-10"), "ROUND_UP")
        assert (sold["asset"], sold["new_balance"] - sold["old_balance"]) == ("usd", -1000)
        assert (bought["asset"], bought["old_balance"], bought["new_balance"]) == ("xbt", 0, paid - cost)
        assert (bought["conversion_fee"], bought["conversion_spread_percentage"]) == (cost, Decimal("0.5"))
        assert (bought["exchange_rate_from"], bought["exchange_rate"]) == ("usd", round(paid / 1000, 10))
        assert bought["margin_account"] == sold["margin_account"] == "flex"
        assert flex(alice)["currencies"]["XBT"]["quantity"] == paid - cost
        told = [frame["new_entry"]["info"] for frame in feed.frames("account_log")]
        assert told == ["futures trade"] * 4 + ["conversion"] * 2
        exchange.check_invariants()

    def test_positions_tell_the_currency(self, alice: Any, bobby: Any, feed: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        alice.put("pnlpreferences", symbol="PF_XBTUSD", pnlPreference="EUR")
        [snapshot] = feed.follow("alice", "open_positions")
        assert snapshot["positions"][0]["pnl_currency"] == "EUR"
        assert alice.get("openpositions")["openPositions"][0]["pnlCurrency"] == "EUR"

    def test_a_loss_that_dollars_do_not_cover_is_paid_by_euros_before_coins(
        self, alice: Any, profit: Any, exchange: Any
    ) -> None:
        move(alice, "fi_xbtusd", "flex", "xbt", "0.5")
        exchange.book_money("alice", "EUR", Decimal(100), kind="deposit")
        assert move(alice, "flex", "cash", "usd", "49500") == "success"
        profit("83000")
        rows = [(row["asset"], row["conversion_fee"]) for row in conversions(alice)]
        assert rows[:2] == [("eur", 0), ("usd", Decimal("0.055"))]
        assert [asset for asset, _ in rows] == ["eur", "usd", "xbt", "usd"]
        left = {code: row["quantity"] for code, row in flex(alice)["currencies"].items()}
        assert left["EUR"] == 0
        assert 0 <= left["USD"] < Decimal("0.0001")
        assert 0 < left["XBT"] < Decimal("0.5")
        exchange.check_invariants()

    def test_a_log_that_is_begun_later_has_both_rows(self, alice: Any, bobby: Any, exchange: Any) -> None:
        exchange.pay_profit_in("bobby", LINEAR, "ETH")
        for side, price in (("buy", "84000"), ("sell", "85000")):
            alice.order("lmt", {"buy": "sell", "sell": "buy"}[side], "1", price)
            bobby.order("lmt", side, "1", price)
        assert [row["asset"] for row in conversions(bobby)] == ["usd", "eth"]

    def test_a_preference_that_cannot_be(self, alice: Any, exchange: Any) -> None:
        spec = attrs.evolve(SIMULATOR, collateral=SIMULATOR.collateral[:1])  # euros alone
        world = World(KRAKEN_FUTURES, start=START)
        world.exchange = SimulatedExchange(spec, seed=1, clock=world.clock)
        world.protocol = spec.protocol(world.exchange)
        world.credentials("carol")
        carol = Client(world, "carol")
        reply = carol.raw("PUT", "/derivatives/api/v3/pnlpreferences", body="symbol=PF_XBTUSD&pnlPreference=GBP")
        assert (reply.status, json.loads(reply.body)["errors"][0]["code"]) == (400, 90)
        assert carol.put("pnlpreferences", symbol="PF_XBTUSD", pnlPreference="EUR")["result"] == "success"


def test_orders_that_are_not_backed_any_more_go_with_their_word(
    alice: Any, bobby: Any, feed: Any, exchange: SimulatedExchange
) -> None:
    bobby.order("lmt", "sell", "20", "84000")
    alice.order("mkt", "buy", "20")
    more = alice.order("lmt", "buy", "5", "70000")["order_id"]
    feed.follow("alice", "open_orders")
    exchange.set_mark(LINEAR, Decimal(82700))
    exchange.step()
    [gone] = feed.frames("open_orders")
    assert (gone["reason"], gone["is_cancel"], gone["order"]["order_id"]) == ("not_enough_margin", True, more)
    assert len(alice.get("openpositions")["openPositions"]) == 1
    [status] = alice.post("orders/status", orderIds=more)["orders"]
    assert (status["status"], status["updateReason"]) == ("CANCELLED", "NOT_ENOUGH_MARGIN")


class TestReduceOnly:
    @pytest.fixture
    def closing(self, alice: Any, bobby: Any) -> str:
        """Alice is long a bitcoin; her order would close all of it."""
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        return str(alice.order("lmt", "sell", "1", "90000", reduceOnly="true", cliOrdId="out")["order_id"])

    def sell(self, alice: Any, bobby: Any, size: str) -> None:
        bobby.order("lmt", "buy", size, "84000")
        alice.order("lmt", "sell", size, "84000")

    def test_it_is_cut_with_its_position_and_says_so(
        self, alice: Any, bobby: Any, closing: str, feed: Any, exchange: Any
    ) -> None:
        feed.follow("alice", "open_orders")
        self.sell(alice, bobby, "0.6")
        [cut] = [frame for frame in feed.frames("open_orders") if frame["order"]["order_id"] == closing]
        assert (cut["reason"], cut["is_cancel"]) == ("would_not_reduce_position", False)
        assert (cut["order"]["qty"], cut["order"]["filled"]) == (Decimal("0.4"), 0)
        [order] = alice.get("openorders")["openOrders"]
        assert (order["unfilledSize"], order["filledSize"]) == (Decimal("0.4"), 0)
        assert alice.public("orderbook", symbol="PF_XBTUSD")["orderBook"]["asks"] == [[90000, Decimal("0.4")]]
        [status] = alice.post("orders/status", orderIds=closing)["orders"]
        assert (status["status"], status["updateReason"]) == ("ENTERED_BOOK", "WOULD_NOT_REDUCE_POSITION")
        newest = alice.get("/api/history/v3/orders")["elements"]
        [update] = [row["event"]["OrderUpdated"] for row in newest if "OrderUpdated" in row["event"]]
        assert (update["reason"], update["reducedQuantity"]) == ("would_not_reduce_position", "0.6")
        assert (update["oldOrder"]["quantity"], update["newOrder"]["quantity"]) == ("1", "0.4")
        exchange.check_invariants()

    def test_it_goes_when_the_position_turns_around(self, alice: Any, bobby: Any, closing: str, feed: Any) -> None:
        feed.follow("alice", "open_orders")
        self.sell(alice, bobby, "1.5")
        [gone] = [frame for frame in feed.frames("open_orders") if frame["order"]["order_id"] == closing]
        assert (gone["reason"], gone["is_cancel"]) == ("would_not_reduce_position", True)
        newest = alice.get("/api/history/v3/orders")["elements"]
        reasons = [row["event"]["OrderCancelled"]["reason"] for row in newest if "OrderCancelled" in row["event"]]
        assert reasons == ["would_not_reduce_position"]

    def test_a_trigger_is_cut_when_it_fires(self, alice: Any, bobby: Any, feed: Any, exchange: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        stop = alice.order("stp", "sell", "1", "80000", stopPrice="82000", triggerSignal="mark", reduceOnly="true")[
            "order_id"
        ]
        self.sell(alice, bobby, "0.7")
        feed.follow("alice", "open_orders")
        exchange.set_mark(LINEAR, Decimal(82000))
        exchange.step()
        told = [(frame["reason"], frame["is_cancel"], frame["order"]["qty"]) for frame in feed.frames("open_orders")]
        assert told == [
            ("stop_order_triggered", True, 1),
            ("limit_order_from_stop", False, 1),
            ("would_not_reduce_position", False, Decimal("0.3")),
        ]
        [order] = alice.get("openorders")["openOrders"]
        assert (order["order_id"], order["unfilledSize"]) == (stop, Decimal("0.3"))


@given(
    amounts=st.tuples(*[st.integers(0, 10**11)] * 4),
    mark=st.integers(70_000, 99_000),
    index=st.integers(70_000, 99_000),
    preference=st.sampled_from(["USD", "EUR", "BTC"]),
)
@settings(max_examples=25, deadline=None)
def test_our_client_reads_the_wallet_to_the_last_digit(
    amounts: tuple[int, ...], mark: int, index: int, preference: str
) -> None:
    """Every figure that our own client reads is the exchange's own, and they add up as the venue says they do."""
    world = World(KRAKEN_FUTURES, start=START)
    client = OurClient(world, world.credentials("ours"))
    world.credentials("theirs")
    exchange = world.exchange
    for asset, amount in zip(("BTC.flex", "EUR", "ETH", "USD"), amounts, strict=True):
        exchange.book_money("ours", asset, Decimal(amount).scaleb(-7), kind="deposit")
    ours, theirs = Client(world, "ours"), Client(world, "theirs")
    theirs.order("lmt", "sell", "1.2345", "84000")
    ours.order("lmt", "buy", "1.2345", "84000")
    ours.order("lmt", "buy", "0.1", "60000")
    ours.put("pnlpreferences", symbol="PF_XBTUSD", pnlPreference=preference)
    exchange.set_index(LINEAR, Decimal(index))
    exchange.set_mark(LINEAR, Decimal(mark))
    found = client.run(FuturesRest(client.context).account.wallets())
    [wallet] = [each for each in found if isinstance(each, FlexWallet)]
    margin = next(each for each in exchange.margins("ours") if each.asset == "USD")
    values = exchange.collateral("ours")
    assert {each.asset: (each.quantity, each.value, each.collateral, each.available) for each in wallet.assets} == {
        coin_of(each.asset): (each.total, each.value, each.collateral, each.available) for each in values
    }
    assert (wallet.pnl, wallet.unrealized_funding) == (margin.unrealised, margin.funding)
    assert (wallet.total_unrealized_as_margin, wallet.margin_equity) == (margin.as_margin, margin.equity)
    assert (wallet.initial_margin, wallet.maintenance_margin) == (margin.initial, margin.maintenance)
    assert wallet.initial_margin_with_orders == margin.initial + margin.orders
    assert wallet.available_margin == margin.available
    assert wallet.balance_value == sum(each.value for each in values)
    assert wallet.collateral_value == sum(each.collateral for each in values)
    assert wallet.portfolio_value == wallet.balance_value + wallet.total_unrealized
    assert wallet.margin_equity == wallet.collateral_value + wallet.total_unrealized_as_margin
