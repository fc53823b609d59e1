"""Keys, wallets, preferences, sub-accounts and programmes of the simulated venue."""

import json
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.rest import HttpRequest
from exchange_core.testing.world import World
from kraken_futures.simulator.protocol import KrakenFutures

CHECK = "/api/auth/v1/api-keys/v3/check"


class TestKeys:
    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ((), {"general": "FULL_ACCESS", "transfer": "FULL_ACCESS"}),
            (("READ_ONLY",), {"general": "READ_ONLY", "transfer": "NO_ACCESS"}),
            (("FULL_ACCESS",), {"general": "FULL_ACCESS", "transfer": "NO_ACCESS"}),
            (("TRANSFER",), {"general": "NO_ACCESS", "transfer": "FULL_ACCESS"}),
        ],
    )
    def test_what_a_key_may(self, world: World, client_of: Any, words: Any, expected: dict[str, str]) -> None:
        world.restricted("alice", "key", words)
        answer = client_of("key").get(CHECK)
        assert (answer["apiKey"], answer["permissions"]) == ("key", expected)
        assert "result" not in answer

    def test_a_key_that_is_none(self, protocol: KrakenFutures) -> None:
        reply = protocol.http(HttpRequest("GET", CHECK, {"APIKey": "nobody", "Authent": "x"}))
        assert reply.status == 401
        assert json.loads(reply.body).keys() == {"error", "message", "suberror"}

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "editorder"),
            ("POST", "batchorder"),
            ("POST", "cancelallordersafter"),
            ("POST", "transfer"),
            ("POST", "transfer/subaccount"),
            ("POST", "withdrawal"),
            ("PUT", "leveragepreferences"),
            ("PUT", "pnlpreferences"),
            ("PUT", "self-trade-strategy"),
            ("GET", "self-trade-strategy"),
            ("POST", "assignmentprogram/add"),
            ("GET", "subaccount/x/trading-enabled"),
            ("PUT", "subaccount/x/trading-enabled"),
        ],
    )
    def test_reading_is_not_enough(self, guest: Any, method: str, path: str) -> None:
        reply = guest.raw(method, f"/derivatives/api/v3/{path}")
        assert json.loads(reply.body)["error"] == "authenticationError"

    def test_who_may_trade_may_not_withdraw(self, world: World, client_of: Any) -> None:
        world.restricted("alice", "trader", ["FULL_ACCESS"])
        world.restricted("alice", "treasurer", ["TRANSFER"])
        asked = {"currency": "xbt", "amount": "0.1", "sourceWallet": "fi_xbtusd"}
        assert client_of("trader").post("withdrawal", **asked)["error"] == "authenticationError"
        assert client_of("treasurer").post("withdrawal", **asked)["result"] == "success"
        assert client_of("treasurer").get("accounts")["error"] == "authenticationError"


class TestWallets:
    def transfer(self, client: Any, source: str, target: str, unit: str, amount: str) -> str:
        answer = client.post("transfer", fromAccount=source, toAccount=target, unit=unit, amount=amount)
        return str(answer.get("error", answer["result"]))

    def test_money_moves_between_wallets_and_shows_in_the_log(self, alice: Any, feed: Any) -> None:
        feed.follow("alice", "balances", "account_log")
        assert self.transfer(alice, "fi_xbtusd", "cash", "xbt", "0.2") == "success"
        accounts = alice.get("accounts")["accounts"]
        assert accounts["cash"]["balances"] == {"xbt": "0.2"}
        assert accounts["fi_xbtusd"]["balances"] == {"xbt": "0.3"}
        frames = feed.frames()
        assert [frame["holding"] for frame in frames if frame["feed"] == "balances"] == [{}, {"XBT": Decimal("0.2")}]
        log = [frame["new_entry"] for frame in frames if frame["feed"] == "account_log"]
        assert [(entry["info"], entry["margin_account"]) for entry in log] == [
            ("transfer", "f-xbt:usd"),
            ("transfer", "cash"),
        ]
        assert self.transfer(alice, "cash", "fi_xbtusd", "XBT", "0.2") == "success"
        assert alice.get("accounts")["accounts"]["fi_xbtusd"]["balances"] == {"xbt": "0.5"}

    @pytest.mark.parametrize(
        ("source", "target", "unit", "amount", "error"),
        [
            ("fi_xbtusd", "cash", "xbt", "0.6", "insufficientFunds"),
            ("cash", "flex", "usd", "1", "insufficientFunds"),
            ("fi_xbtusd", "cash", "xbt", "0", "invalidAmount"),
            ("fi_xbtusd", "cash", "xbt", "-1", "invalidAmount"),
            ("fi_xbtusd", "cash", "xbt", "NaN", "invalidAmount"),
            ("fi_xbtusd", "cash", "xbt", "0.00000000001", "invalidAmount"),
            ("fi_xbtusd", "cash", "doge", "1", "invalidUnit"),
            ("fi_xbtusd", "cash", "usd", "1", "invalidUnit"),
            ("cash", "flex", "xbt", "1", "insufficientFunds"),
            ("fi_xbtusd", "flex", "xbt", "0.6", "insufficientFunds"),
            ("flex", "cash", "xbt", "0.1", "insufficientFunds"),
            ("fi_ethusd", "cash", "eth", "1", "invalidAccount"),
            ("cash", "cash", "xbt", "1", "invalidAccount"),
        ],
    )
    def test_what_cannot_move(self, alice: Any, source: str, target: str, unit: str, amount: str, error: str) -> None:
        before = alice.get("accounts")["accounts"]
        assert self.transfer(alice, source, target, unit, amount) == error
        assert alice.get("accounts")["accounts"] == before

    def test_margin_stays_where_it_is_needed(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        assert self.transfer(alice, "flex", "cash", "usd", "49500") == "insufficientFunds"
        assert self.transfer(alice, "flex", "cash", "usd", "49000") == "success"

    def test_margin_is_told_of_what_orders_are_backed_by(self, alice: Any, feed: Any, exchange: Any) -> None:
        """Ether in the flex wallet counts as 0.99 x 0.995 of what it is worth."""
        feed.follow("alice", "balances")
        exchange.book_money("alice", "ETH", Decimal(100), kind="deposit")
        flex = alice.get("accounts")["accounts"]["flex"]
        collateral = Decimal("261038.25")
        assert (flex["currencies"]["ETH"]["value"], flex["currencies"]["ETH"]["collateral"]) == (265000, collateral)
        assert (flex["balanceValue"], flex["collateralValue"]) == (315000, collateral + 50000)
        assert (flex["marginEquity"], flex["availableMargin"]) == (collateral + 50000, collateral + 50000)
        [changed] = [frame["flex_futures"] for frame in feed.frames("balances") if "flex_futures" in frame]
        assert (changed["balance_value"], changed["collateral_value"]) == (315000, collateral + 50000)
        told = {code: (row["haircut"], row["conversion_spread"]) for code, row in changed["currencies"].items()}
        assert told == {"USD": (0, 0), "ETH": (Decimal("0.01"), Decimal("0.005"))}
        assert alice.order("lmt", "buy", "90", "80000")["status"] == "placed"
        assert alice.order("lmt", "buy", "10", "80000")["status"] == "insufficientAvailableFunds"

    def test_withdrawals_leave(self, alice: Any) -> None:
        answer = alice.post("withdrawal", currency="xbt", amount="0.5", sourceWallet="fi_xbtusd")
        assert len(answer["uid"]) == 36
        assert alice.get("accounts")["accounts"]["fi_xbtusd"]["balances"] == {"xbt": "0"}
        assert alice.post("withdrawal", currency="xbt", amount="1")["error"] == "insufficientFunds"

    def test_sub_accounts_hold_cash(self, alice: Any) -> None:
        listed = alice.get("subaccounts")
        master, [sub] = listed["masterAccountUid"], listed["subaccounts"]
        move = {"fromAccount": "fi_xbtusd", "toAccount": "cash", "unit": "xbt", "amount": "0.1"}
        answer = alice.post("transfer/subaccount", fromUser=master, toUser=sub["accountUid"], **move)
        assert answer["result"] == "success"
        [sub] = alice.get("subaccounts")["subaccounts"]
        assert sub["holdingAccounts"] == [{"currency": "xbt", "amount": Decimal("0.1")}]
        back = {**move, "fromAccount": "cash", "fromUser": sub["accountUid"], "toUser": master}
        assert alice.post("transfer/subaccount", **back | {"amount": "0.2"})["error"] == "insufficientFunds"
        assert alice.post("transfer/subaccount", **back | {"toUser": "bobby"})["error"] == "invalidAccount"
        assert alice.post("transfer/subaccount", **back)["result"] == "success"

    def test_whether_a_sub_account_may_trade(self, alice: Any) -> None:
        uid = alice.get("subaccounts")["subaccounts"][0]["accountUid"]
        path = f"subaccount/{uid}/trading-enabled"
        assert alice.get(path) == {"tradingEnabled": True}
        assert alice.put(path, tradingEnabled="false") == alice.get(path) == {"tradingEnabled": False}
        assert alice.put(path, tradingEnabled="perhaps")["error"] == "invalidArgument: tradingEnabled"
        assert alice.raw("GET", "/derivatives/api/v3/subaccount/x/trading-enabled").status == 404


class TestPreferences:
    def test_leverage(self, alice: Any, captures: Any) -> None:
        assert alice.put("leveragepreferences", symbol="pf_xbtusd", maxLeverage="10")["result"] == "success"
        recorded = json.loads((captures / "futures/rest/doc_leverage_preferences.json").read_text())
        assert alice.get("leveragepreferences")["leveragePreferences"] == recorded["leveragePreferences"]
        assert alice.get("leveragepreferences", symbol="PF_ETHUSD")["leveragePreferences"] == []
        alice.put("leveragepreferences", symbol="PF_XBTUSD")
        assert alice.get("leveragepreferences")["leveragePreferences"] == []

    def test_isolated_positions_say_so(self, alice: Any, bobby: Any, feed: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        alice.put("leveragepreferences", symbol="PF_XBTUSD", maxLeverage="5")
        assert alice.get("openpositions")["openPositions"][0]["maxFixedLeverage"] == 5
        [snapshot] = feed.follow("alice", "balances")
        assert snapshot["flex_futures"]["isolated"]["PF_XBTUSD"]["initial_margin"] == 840

    def test_a_leverage_bounds_positions(self, alice: Any, bobby: Any) -> None:
        alice.put("leveragepreferences", symbol="PF_XBTUSD", maxLeverage="100")
        assert alice.order("lmt", "buy", "12", "80000")["status"] == "fixedLeverageTooHigh"
        assert alice.order("lmt", "buy", "1", "80000")["status"] == "placed"

    def test_a_leverage_that_a_position_does_not_allow(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "15", "84000")
        alice.order("mkt", "buy", "15")
        reply = alice.raw("PUT", "/derivatives/api/v3/leveragepreferences", body="symbol=PF_XBTUSD&maxLeverage=100")
        assert (reply.status, json.loads(reply.body)["errors"][0]["code"]) == (400, 41)

    @pytest.mark.parametrize(
        ("path", "form", "code"),
        [
            ("leveragepreferences", "symbol=PF_NOPE&maxLeverage=5", 87),
            ("leveragepreferences", "symbol=PI_XBTUSD&maxLeverage=5", 88),
            ("pnlpreferences", "symbol=PF_NOPE&pnlPreference=USD", 87),
            ("pnlpreferences", "symbol=PI_XBTUSD&pnlPreference=USD", 88),
            ("pnlpreferences", "symbol=PF_XBTUSD&pnlPreference=DOUBLOON", 89),
        ],
    )
    def test_codes_of_what_cannot_be_set(self, alice: Any, path: str, form: str, code: int) -> None:
        reply = alice.raw("PUT", f"/derivatives/api/v3/{path}", body=form)
        body = json.loads(reply.body)
        assert (reply.status, body["result"], body["errors"][0]["code"]) == (400, "error", code)
        assert "error" not in body

    def test_profit_currencies(self, alice: Any, captures: Any) -> None:
        alice.put("pnlpreferences", symbol="PF_XBTUSD", pnlPreference="XBT")
        recorded = json.loads((captures / "futures/rest/doc_pnl_preferences.json").read_text())
        assert alice.get("pnlpreferences")["preferences"] == recorded["preferences"]

    def test_self_trades(self, alice: Any) -> None:
        assert alice.get("self-trade-strategy")["strategy"] == "REJECT_TAKER"
        assert alice.put("self-trade-strategy", strategy="CANCEL_MAKER_ANY")["strategy"] == "CANCEL_MAKER_ANY"
        assert alice.put("self-trade-strategy", strategy="FIGHT")["error"] == "invalidArgument: strategy"


class TestPrograms:
    def test_assignments(self, alice: Any) -> None:
        asked = {"contractType": "flexible_futures", "acceptLong": "true", "acceptShort": "false", "enabled": "true"}
        entry = alice.post("assignmentprogram/add", timeFrame="WEEKEND", contract="pf_xbtusd", maxSize="2", **asked)
        assert entry["participant"]["contract"] == "PF_XBTUSD"
        assert [each["id"] for each in alice.get("assignmentprogram/current")["participants"]] == [entry["id"]]
        assert alice.post("assignmentprogram/delete", id=entry["id"])["id"] == entry["id"]
        assert alice.get("assignmentprogram/current")["participants"] == []
        assert [each["deleted"] for each in alice.get("assignmentprogram/history")["participants"]] == [False, True]
        assert alice.post("assignmentprogram/delete", id=entry["id"])["error"] == "notFound"
        assert alice.post("assignmentprogram/add", timeFrame="NEVER", **asked)["error"] == "invalidArgument: timeFrame"

    def test_margins_of_a_portfolio(self, alice: Any) -> None:
        portfolio = {"positions": [{"instrument": "PF_XBTUSD", "size": -1, "entryPrice": 84100.5}]}
        answer = alice.post("portfolio-margining/simulate", json=json.dumps(portfolio))
        assert (answer["initialMargin"], answer["pnl"]) == (840, Decimal("100.5"))
        assert alice.post("portfolio-margining/simulate", json="{}")["initialMargin"] == 0
        assert alice.post("portfolio-margining/simulate", json="[]")["error"] == "invalidArgument: json"
        assert alice.post("portfolio-margining/simulate", json="x")["error"] == "Json Parse Error"

    def test_lists_about_the_account(self, alice: Any, bobby: Any) -> None:
        bobby.order("lmt", "sell", "1", "84000")
        alice.order("mkt", "buy", "1")
        assert alice.get("unwindqueue")["queue"] == [{"symbol": "PF_XBTUSD", "percentile": 20}]
        assert {*alice.get("feeschedules/volumes")["volumesByFeeSchedule"].values()} == {84000}
        assert len(alice.get("trading/instruments", contractType="futures_inverse")["instruments"]) == 1

    def test_announcements(self, protocol: KrakenFutures, alice: Any, feed: Any, clock: Any) -> None:
        [snapshot] = feed.follow("alice", "notifications_auth")
        assert snapshot == {"feed": "notifications_auth", "notifications": []}
        protocol.notices.announce("maintenance", "high", "Down for a while.", clock.now(), 30)
        [frame] = feed.frames()
        [row] = frame["notifications"]
        assert (row["type"], row["priority"], row["expected_downtime_minutes"]) == ("maintenance", "high", 30)
        [listed] = alice.get("notifications")["notifications"]
        assert listed == {
            "type": "maintenance",
            "priority": "high",
            "note": "Down for a while.",
            "effectiveTime": "2026-10-09T12:30:15.123Z",
            "expectedDowntimeMinutes": 30,
        }
