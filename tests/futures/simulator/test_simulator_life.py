"""What time does to the simulated venue, on the wire: funding, liquidation, expiry, the dead man's switch."""

from decimal import Decimal
from typing import Any

import pytest

from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange

LINEAR, INVERSE = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")
DATED = "FF_XBTUSD_261225"
TO_THE_HOUR = 1784.876544  # seconds from the start of the tests


@pytest.fixture
def positions(alice: Any, bobby: Any) -> None:
    """Alice is long a bitcoin of bobby's, at 84000."""
    bobby.order("lmt", "sell", "1", "84000")
    alice.order("mkt", "buy", "1")


def entries(feed: Any) -> list[Any]:
    return [frame["new_entry"] for frame in feed.frames("account_log")]


class TestFunding:
    def test_rates_are_on_every_ticker(self, alice: Any, feed: Any, exchange: SimulatedExchange) -> None:
        exchange.set_index(LINEAR, Decimal(83500))
        exchange.set_funding(LINEAR, Decimal("0.00001"))
        row = alice.public("tickers/PF_XBTUSD")["ticker"]
        assert (row["fundingRate"], row["indexPrice"], row["markPrice"]) == (Decimal("0.835"), 83500, 84000)
        _, ticker = feed.send("subscribe", feed="ticker", product_ids=["PF_XBTUSD"])
        assert (ticker["funding_rate"], ticker["relative_funding_rate"]) == (Decimal("0.835"), Decimal("0.00001"))
        assert (ticker["premium"], ticker["index"]) == (Decimal("0.6"), 83500)

    def test_the_mark_price_is_no_further_from_the_index_than_one_percent(self, alice: Any, exchange: Any) -> None:
        exchange.set_index(LINEAR, Decimal(80000))
        assert alice.public("tickers/PF_XBTUSD")["ticker"]["markPrice"] == 80800

    def test_an_index_that_moves_is_news(self, feed: Any, clock: Any, exchange: SimulatedExchange) -> None:
        feed.send("subscribe", feed="ticker", product_ids=["PF_XBTUSD"])
        exchange.set_index(LINEAR, Decimal(80000))
        clock.forward(1)
        feed.tick()
        assert [frame["index"] for frame in feed.frames("ticker")] == [80000]

    def test_inverse_rates_are_coins_for_a_contract(self, alice: Any, exchange: SimulatedExchange) -> None:
        exchange.set_index(INVERSE, Decimal(80000))
        exchange.set_funding(INVERSE, Decimal("0.00008"))
        row = alice.public("tickers/PI_XBTUSD")["ticker"]
        assert row["fundingRate"] == Decimal("0.000000001")  # relative = absolute x index

    def test_it_runs_and_is_booked_by_the_hour(
        self, alice: Any, positions: None, feed: Any, clock: Any, exchange: SimulatedExchange
    ) -> None:
        clock.forward(TO_THE_HOUR)
        exchange.step()
        exchange.set_funding(LINEAR, Decimal("0.0001"))
        feed.follow("alice", "account_log", "balances")
        clock.forward(1800)
        [position] = alice.get("openpositions")["openPositions"]
        assert position["unrealizedFunding"] == Decimal("-4.2")
        assert alice.get("accounts")["accounts"]["flex"]["unrealizedFunding"] == Decimal("-4.2")
        clock.forward(1800)
        exchange.step()
        frames = feed.frames()
        entry = next(frame["new_entry"] for frame in frames if frame["feed"] == "account_log")
        assert (entry["info"], entry["asset"], entry["margin_account"]) == ("funding rate change", "usd", "flex")
        assert (entry["realized_funding"], entry["funding_rate"]) == (Decimal("-8.4"), Decimal("8.4"))
        assert entry["new_balance"] == entry["old_balance"] - Decimal("8.4")
        balances = next(frame for frame in frames if frame["feed"] == "balances")
        assert balances["flex_futures"]["currencies"]["USD"]["quantity"] == entry["new_balance"]
        [row] = alice.get("/api/history/v3/account-log", info="funding rate change")["logs"]
        assert (row["contract"], row["id"]) == ("pf_xbtusd", entry["id"])
        [change] = alice.get("/api/history/v3/positions", funding_realization="true")["elements"]
        update = change["event"]["PositionUpdate"]
        assert (update["realizedFunding"], update["positionChange"], update["newPosition"]) == ("-8.4", "noChange", "1")
        assert (update["updateReason"], update["fundingRealizationTime"]) == ("fundingRealisation", 1791554400000)

    def test_it_is_realised_with_the_trade_that_changes_a_position(
        self, alice: Any, bobby: Any, positions: None, clock: Any, exchange: SimulatedExchange
    ) -> None:
        clock.forward(TO_THE_HOUR)
        exchange.step()
        exchange.set_funding(LINEAR, Decimal("0.0001"))
        bobby.order("lmt", "buy", "1", "84000")
        alice.get("/api/history/v3/account-log")  # from now on it is written down
        clock.forward(1800)
        alice.order("mkt", "sell", "1")
        flex = alice.get("accounts")["accounts"]["flex"]
        assert (flex["unrealizedFunding"], flex["portfolioValue"]) == (0, flex["balanceValue"])
        *_, position, money = alice.get("/api/history/v3/account-log", sort="asc")["logs"]
        for row in (position, money):
            assert (row["info"], row["realized_funding"]) == ("futures trade", Decimal("-4.2"))
            assert row["funding_rate"] == Decimal("8.4")
        change = money["new_balance"] - money["old_balance"]
        assert change == money["realized_pnl"] - money["fee"] + money["realized_funding"]
        [update] = alice.get("/api/history/v3/positions", closed="true")["elements"]
        assert update["event"]["PositionUpdate"]["realizedFunding"] == "-4.2"
        exchange.check_invariants()

    def test_past_rates(self, alice: Any, clock: Any, exchange: SimulatedExchange, captures: Any) -> None:
        exchange.set_funding(LINEAR, Decimal("0.0001"))
        clock.forward(2 * 3600)
        rates = alice.public("historical-funding-rates", symbol="PF_XBTUSD")["rates"]
        assert [rate["timestamp"] for rate in rates] == [f"2026-10-09T{hour}:00:00Z" for hour in (12, 13, 14)]
        assert rates[0] == {
            "timestamp": "2026-10-09T12:00:00Z",
            "fundingRate": Decimal("8.4"),
            "relativeFundingRate": Decimal("0.0001"),
        }
        older = alice.public("/derivatives/api/v4/historicalfundingrates", symbol="PF_XBTUSD")
        assert older["rates"] == rates
        assert alice.public("historical-funding-rates", 400, symbol=DATED)["result"] == "error"


class TestLiquidation:
    @pytest.fixture
    def ruined(self, alice: Any, bobby: Any, exchange: SimulatedExchange) -> Any:
        """Alice is long more than she can lose, and then the price falls."""
        bobby.order("lmt", "sell", "10", "84000")
        alice.order("mkt", "buy", "10")
        waiting = alice.order("lmt", "buy", "0.1", "70000")["order_id"]

        def fall() -> str:
            bobby.order("lmt", "buy", "20", "79500")
            exchange.set_mark(LINEAR, Decimal(79400))
            exchange.step()
            return str(waiting)

        return fall

    def test_it_shows_everywhere(self, alice: Any, ruined: Any, feed: Any, connect: Any) -> None:
        feed.follow("alice", "open_orders", "fills", "account_log", "open_positions")
        public = connect()
        public.send("subscribe", feed="trade", product_ids=["PF_XBTUSD"])
        waiting = ruined()
        frames = feed.frames()
        [gone] = [frame for frame in frames if frame["feed"] == "open_orders"]
        assert (gone["reason"], gone["is_cancel"], gone["order"]["order_id"]) == ("liquidation", True, waiting)
        [fill] = [fill for frame in frames if frame["feed"] == "fills" for fill in frame["fills"]]
        assert (fill["fill_type"], fill["order_type"], fill["qty"]) == ("liquidation", "liquidation", 10)
        infos = [frame["new_entry"]["info"] for frame in frames if frame["feed"] == "account_log"]
        assert infos == ["futures liquidation", "futures liquidation"]
        assert [frame for frame in frames if frame["feed"] == "open_positions"][-1]["positions"] == []
        assert public.frames("trade")[0]["type"] == "liquidation"
        assert alice.get("fills")["fills"][0]["fillType"] == "liquidation"
        assert alice.public("history", symbol="PF_XBTUSD")["history"][0]["type"] == "liquidation"
        [status] = alice.post("orders/status", orderIds=waiting)["orders"]
        assert (status["status"], status["updateReason"]) == ("CANCELLED", "LIQUIDATION_ORDER")
        [last, *_] = alice.get("/api/history/v3/positions")["elements"]
        update = last["event"]["PositionUpdate"]
        assert (update["tradeType"], update["positionChange"], update["realizedPnL"]) == (
            "liquidation",
            "close",
            "-45000",
        )

    def test_the_threshold_is_told_before(self, alice: Any, bobby: Any, ruined: Any, feed: Any, exchange: Any) -> None:
        [snapshot] = feed.follow("alice", "open_positions")
        [position] = snapshot["positions"]
        threshold = position["liquidation_threshold"]
        bobby.order("lmt", "buy", "20", "79500")
        exchange.set_mark(LINEAR, Decimal(round(threshold) + 5))
        exchange.step()
        assert alice.get("openpositions")["openPositions"]
        exchange.set_mark(LINEAR, Decimal(round(threshold) - 5))
        exchange.step()
        assert alice.get("openpositions")["openPositions"] == []

    def test_the_threshold_of_an_inverse_position(self, alice: Any, bobby: Any, exchange: SimulatedExchange) -> None:
        bobby.order("lmt", "sell", "400000", "84000", symbol="PI_XBTUSD")
        alice.order("mkt", "buy", "400000", symbol="PI_XBTUSD")
        threshold = alice.get("accounts")["accounts"]["fi_xbtusd"]["triggerEstimates"]["lt"]
        assert 70000 < threshold < 84000
        bobby.order("lmt", "buy", "400000", str(round(threshold) - 1000), symbol="PI_XBTUSD")
        for mark, left in ((round(threshold) + 5, 1), (round(threshold) - 5, 0)):
            exchange.set_mark(INVERSE, Decimal(mark))
            exchange.step()
            assert len(alice.get("openpositions")["openPositions"]) == left


class TestTheEndOfAContract:
    def test_it_is_settled_at_the_average_of_the_last_half_hour(
        self, alice: Any, bobby: Any, clock: Any, exchange: SimulatedExchange
    ) -> None:
        """Of thirty samples ten see 86000 and twenty 86300."""
        bobby.order("lmt", "sell", "0.1", "85000", symbol=DATED)
        alice.order("mkt", "buy", "0.1", symbol=DATED)
        alice.get("/api/history/v3/account-log")
        dated = Symbol.parse("BTC/USD:USD-261225")
        end = exchange.market(dated).instrument.expiry
        for index, seconds in (("70000", 30 * 60), ("86000", 20 * 60), ("86300", 0)):
            exchange.set_index(dated, Decimal(index))
            clock.forward((end - exchange.now()).total_seconds() - seconds)
            exchange.step()
        [row] = alice.get("/api/history/v3/positions", settlement="true")["elements"]
        assert row["event"]["PositionUpdate"]["settlementPrice"] == "86200"
        money = alice.get("/api/history/v3/account-log")["logs"][0]
        assert (money["info"], money["realized_pnl"], money["trade_price"]) == ("settlement", 120, 86200)

    def test_it_is_announced_settled_and_closed(
        self, alice: Any, bobby: Any, feed: Any, clock: Any, exchange: SimulatedExchange
    ) -> None:
        bobby.order("lmt", "sell", "0.1", "85000", symbol=DATED)
        alice.order("mkt", "buy", "0.1", symbol=DATED)
        resting = alice.order("lmt", "buy", "0.1", "80000", symbol=DATED)["order_id"]
        feed.follow("alice", "notifications_auth", "open_orders", "account_log")
        exchange.set_index(Symbol.parse("BTC/USD:USD-261225"), Decimal(86000))
        clock.forward(70 * 86400)
        feed.tick()
        [notice] = feed.frames("notifications_auth")
        assert notice["notifications"][0]["type"] == "settlement"
        assert notice["notifications"][0]["effective_time"] == 1798185600000
        clock.forward(7 * 86400)
        exchange.step()
        frames = feed.frames()
        [gone] = [frame for frame in frames if frame["feed"] == "open_orders"]
        assert (gone["reason"], gone["order"]["order_id"]) == ("contract_expired", resting)
        position, money = [frame["new_entry"] for frame in frames if frame["feed"] == "account_log"]
        assert (position["info"], position["asset"], position["new_balance"]) == ("settlement", DATED.lower(), 0)
        assert (money["info"], money["realized_pnl"], money["trade_price"]) == ("settlement", 100, 86000)
        assert alice.get("openpositions")["openPositions"] == []
        assert alice.order("lmt", "buy", "0.1", "80000", symbol=DATED)["status"] == "marketInactive"
        assert alice.public(f"tickers/{DATED}")["ticker"]["suspended"] is True
        [change] = alice.get("/api/history/v3/positions", settlement="true")["elements"]
        assert change["event"]["PositionUpdate"]["settlementPrice"] == "86000"
        assert len(alice.get("notifications")["notifications"]) == 2  # of its end to come, and of its end
        clock.forward(86400)
        assert alice.get("notifications")["notifications"] == []


def test_open_interest_is_what_all_are_long(alice: Any, positions: None, feed: Any) -> None:
    assert alice.public("tickers/PF_XBTUSD")["ticker"]["openInterest"] == 1
    _, ticker = feed.send("subscribe", feed="ticker", product_ids=["PF_XBTUSD"])
    assert ticker["openInterest"] == 1


class TestDeadMansSwitch:
    def test_it_ends_triggers_too_unless_it_is_set_again(self, alice: Any, feed: Any, clock: Any) -> None:
        alice.order("stp", "sell", "0.1", stopPrice="80000")
        alice.order("lmt", "buy", "0.1", "80000")
        feed.follow("alice", "open_orders")
        armed = alice.post("cancelallordersafter", timeout="60")["status"]
        assert armed == {"currentTime": "2026-10-09T12:30:15.123Z", "triggerTime": "2026-10-09T12:31:15.123Z"}
        clock.forward(59)
        alice.post("cancelallordersafter", timeout="60")
        clock.forward(59)
        assert len(alice.get("openorders")["openOrders"]) == 2
        clock.forward(1)
        assert alice.get("openorders")["openOrders"] == []
        assert {(frame["reason"], frame["is_cancel"]) for frame in feed.frames()} == {("dead_man_switch", True)}

    def test_zero_disarms_it(self, alice: Any, clock: Any) -> None:
        alice.order("stp", "sell", "0.1", stopPrice="80000")
        alice.post("cancelallordersafter", timeout="5")
        assert alice.post("cancelallordersafter", timeout="0")["status"]["triggerTime"] == "0"
        clock.forward(60)
        assert len(alice.get("openorders")["openOrders"]) == 1

    @pytest.mark.parametrize("timeout", ["", "-1", "1.5", "4294967296", "soon"])
    def test_what_is_no_time(self, alice: Any, timeout: str) -> None:
        assert alice.post("cancelallordersafter", timeout=timeout)["result"] == "error"
