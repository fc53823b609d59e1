"""Deposits, withdrawals, transfers, Earn, exports and the key: state behind every answer."""

import csv
import io
import json
import zipfile
from base64 import b64decode, b64encode
from decimal import Decimal
from hashlib import sha256, sha512
from hmac import new as hmac
from typing import Any

import pytest

from exchange_core.connector.rest import HttpRequest
from kraken_spot.simulator.markets.traded import public_id

BTC = {"asset": "XBT", "key": "my btc"}
STAKED = "ESSOL02-BONDE-SOLSOL"
LIQUID = "ESSOL01-INSTA-SOLSOL"


def balance(client: Any, asset: str) -> Decimal:
    return Decimal(client.do("Balance")[asset])


def last_entry(client: Any) -> Any:
    return next(iter(client.do("Ledgers")["ledger"].values()))


class TestDeposits:
    def test_what_an_account_began_with_are_its_deposits(self, alice: Any) -> None:
        rows = alice.do("DepositStatus", asset="XBT")
        [row] = rows
        assert (row["asset"], row["amount"], row["status"]) == ("XXBT", "1.0000000000", "Success")
        assert row["refid"] in {entry["refid"] for entry in alice.do("Ledgers", type="deposit")["ledger"].values()}
        assert alice.do("DepositStatus", method="Bitcoin") == rows
        assert len(alice.do("DepositStatus")) == 5

    def test_pages(self, alice: Any) -> None:
        first = alice.do("DepositStatus", limit=3, cursor="true")
        second = alice.do("DepositStatus", limit=3, cursor=first["next_cursor"])
        assert "next_cursor" not in second
        assert [row["asset"] for row in first["deposits"] + second["deposits"]] == [
            row["asset"] for row in alice.do("DepositStatus")
        ]

    def test_methods_and_addresses(self, alice: Any, bobby: Any) -> None:
        [method] = alice.do("DepositMethods", asset="XBT")
        assert (method["method"], method["limit"], method["gen-address"]) == ("Bitcoin", False, True)
        assert alice.do("DepositAddresses", asset="XBT", method="Bitcoin") == []
        [made] = alice.do("DepositAddresses", asset="XBT", method="Bitcoin", new="true")
        assert made["new"] is True
        [known] = alice.do("DepositAddresses", asset="XBT", method="Bitcoin")
        assert known == made | {"new": False}
        assert bobby.do("DepositAddresses", asset="XBT", method="Bitcoin", new="true")[0]["address"] != made["address"]
        for _ in range(4):
            alice.do("DepositAddresses", asset="XBT", method="Bitcoin", new="true")
        assert alice.error("DepositAddresses", asset="XBT", method="Bitcoin", new="true") == (
            "EFunding:Too many addresses"
        )

    def test_refusals(self, alice: Any) -> None:
        assert alice.error("DepositMethods", asset="NOPE") == "EFunding:Unknown asset"
        assert alice.error("DepositAddresses", asset="XBT", method="Nope") == "EFunding:No funding method"
        assert alice.error("DepositAddresses", asset="ZUSD", method="SWIFT") == "EFunding:No funding method"


class TestWithdrawals:
    def test_one_goes_out_with_its_fee(self, alice: Any, clock: Any) -> None:
        [address] = alice.do("WithdrawAddresses", asset="XBT")
        assert (address["key"], address["verified"]) == ("my btc", True)
        info = alice.do("WithdrawInfo", **BTC, amount="0.5")
        assert info == {
            "method": "Bitcoin",
            "limit": "0.9999800000",
            "amount": "0.4999800000",
            "fee": "0.0000200000",
        }
        reference = alice.do("Withdraw", **BTC, amount="0.5", address=address["address"], max_fee="0.0001")["refid"]
        assert balance(alice, "XXBT") == Decimal("0.5")
        entry = last_entry(alice)
        assert (entry["type"], entry["amount"], entry["fee"]) == ("withdrawal", "-0.4999800000", "0.0000200000")
        assert entry["refid"] == reference
        states = []
        for seconds in (0, 3, 30):
            clock.forward(seconds)
            [row] = alice.do("WithdrawStatus", asset="XBT")
            states.append((row["status"], row["txid"] is not None))
        assert states == [("Initial", False), ("Pending", False), ("Success", True)]
        assert row["refid"] == reference
        assert alice.do("WithdrawCancel", asset="XBT", refid=reference) is False

    def test_it_can_be_taken_back_while_it_is_under_way(self, alice: Any, bobby: Any) -> None:
        reference = alice.do("Withdraw", **BTC, amount="0.5")["refid"]
        assert bobby.error("WithdrawCancel", asset="XBT", refid=reference) == "EFunding:Unknown reference id"
        assert alice.do("WithdrawCancel", asset="XBT", refid=reference) is True
        assert balance(alice, "XXBT") == 1
        [row] = alice.do("WithdrawStatus")
        assert (row["status"], row["status-prop"]) == ("Failure", "canceled")
        assert alice.do("WithdrawCancel", asset="XBT", refid=reference) is False

    def test_what_orders_keep_back_stays(self, alice: Any, limit: Any) -> None:
        limit(alice, "sell", "0.8", "90000")
        assert alice.error("Withdraw", **BTC, amount="0.3") == "EFunding:Insufficient funds"
        assert alice.do("Withdraw", **BTC, amount="0.2")["refid"]

    def test_followers_of_balances_hear_of_it(self, alice: Any, private: Any) -> None:
        private.send("subscribe", channel="balances", token=alice.token(), snapshot=False)
        alice.do("Withdraw", **BTC, amount="0.5")
        [frame] = private.frames("balances")
        [row] = frame["data"]
        assert (row["type"], row["asset"], row["balance"]) == ("withdrawal", "BTC", Decimal("0.5"))

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"asset": "NOPE"}, "EFunding:Unknown asset"),
            ({"key": "yours"}, "EFunding:Unknown withdraw key"),
            ({"address": "elsewhere"}, "EFunding:Unknown withdraw key"),
            ({"amount": "0.0001"}, "EFunding:Invalid amount"),
            ({"amount": "-1"}, "EFunding:Invalid amount"),
            ({"amount": "x"}, "EFunding:Invalid amount"),
            ({"amount": "0.50000000001"}, "EFunding:Invalid amount"),
            ({"amount": "2"}, "EFunding:Insufficient funds"),
            ({"max_fee": "0.00001"}, "EFunding:Max fee exceeded"),
        ],
    )
    def test_refusals_move_nothing(self, alice: Any, change: dict[str, str], error: str) -> None:
        assert alice.error("Withdraw", **BTC | {"amount": "0.5"} | change) == error
        assert balance(alice, "XXBT") == 1
        assert alice.do("WithdrawStatus") == []

    def test_methods(self, alice: Any) -> None:
        assert [row["asset"] for row in alice.do("WithdrawMethods")] == ["XXBT", "XETH", "SOL", "ZUSD", "ZEUR"]
        [row] = alice.do("WithdrawMethods", asset="XBT", network="Bitcoin")
        assert row.keys() == {"asset", "method", "network", "minimum"}


class TestTransfers:
    def test_to_the_futures_wallet(self, alice: Any) -> None:
        wallets = {"from": "Spot Wallet", "to": "Futures Wallet"}
        reference = alice.do("WalletTransfer", asset="XBT", amount="0.25", **wallets)["refid"]
        entry = last_entry(alice)
        assert (entry["type"], entry["subtype"], entry["refid"]) == ("transfer", "spottofutures", reference)
        assert balance(alice, "XXBT") == Decimal("0.75")
        back = {"from": "Futures Wallet", "to": "Spot Wallet"}
        assert alice.error("WalletTransfer", asset="XBT", amount="0.25", **back) == "EGeneral:Invalid arguments:from"
        assert alice.error("WalletTransfer", asset="XBT", amount="9", **wallets) == "EFunding:Insufficient funds"

    def test_to_a_subaccount_and_back(self, alice: Any) -> None:
        assert alice.do("CreateSubaccount", username="desk", email="desk@example.com") is True
        assert alice.error("CreateSubaccount", username="desk", email="d@example.com").endswith(":username")
        assert alice.error("CreateSubaccount", username="x", email="none").endswith(":email")
        master, desk = alice.do("GetApiKeyInfo")["iban"], public_id("desk")
        answer = alice.do("AccountTransfer", asset="XBT", amount="0.4", **{"from": master, "to": desk})
        assert answer.keys() == {"transfer_id", "status"}
        assert balance(alice, "XXBT") == Decimal("0.6")
        more = alice.error("AccountTransfer", asset="XBT", amount="0.5", **{"from": desk, "to": master})
        assert more == "EFunding:Insufficient funds"
        alice.do("AccountTransfer", asset="XBT", amount="0.4", **{"from": desk, "to": master})
        assert balance(alice, "XXBT") == 1
        foreign = alice.error("AccountTransfer", asset="XBT", amount="0.1", **{"from": master, "to": public_id("no")})
        assert foreign == "EGeneral:Invalid arguments:from"


class TestEarn:
    def test_money_goes_in_and_comes_out_later(self, alice: Any, clock: Any, world: Any) -> None:
        assert alice.do("Earn/Allocate", strategy_id=STAKED, amount="40") is True
        assert alice.do("Earn/AllocateStatus", strategy_id=STAKED) == {"pending": True}
        busy = alice.error("Earn/Allocate", strategy_id=STAKED, amount="1")
        assert busy.startswith("EEarnings:Busy")
        clock.forward(2)
        assert alice.do("Earn/AllocateStatus", strategy_id=STAKED) == {"pending": False}
        assert (balance(alice, "SOL"), balance(alice, "SOL.B")) == (60, 40)
        assert alice.do("BalanceEx")["SOL.B"]["balance"] == "40.0000000000"
        entry = last_entry(alice)
        assert (entry["type"], entry["subtype"], entry["amount"]) == ("transfer", "spottostaking", "-40.0000000000")
        alice.do("Earn/Deallocate", strategy_id=STAKED, amount="10")
        [item] = alice.do("Earn/Allocations", converted_asset="USD")["items"]
        assert item["amount_allocated"]["total"]["native"] == "40.0000000000"
        assert item["amount_allocated"]["unbonding"]["native"] == "10.0000000000"
        assert balance(alice, "SOL") == 60
        clock.forward(172_800)
        assert (balance(alice, "SOL"), balance(alice, "SOL.B")) == (70, 30)
        world.exchange.check_invariants()

    def test_some_of_it_is_back_at_once(self, alice: Any, clock: Any) -> None:
        alice.do("Earn/Allocate", strategy_id=LIQUID, amount="40")
        clock.forward(2)
        assert balance(alice, "SOL.M") == 40
        alice.do("Earn/Deallocate", strategy_id=LIQUID, amount="40")
        assert balance(alice, "SOL") == 100
        assert "SOL.M" not in alice.do("Balance")
        assert alice.do("Earn/Allocations", hide_zero_allocations="true")["items"] == []

    def test_the_wallets_of_a_balance(self, alice: Any, private: Any) -> None:
        alice.do("Earn/Allocate", strategy_id=STAKED, amount="40")
        _, frame = private.send("subscribe", channel="balances", token=alice.token())
        [row] = [row for row in frame["data"] if row["asset"] == "SOL"]
        assert row["balance"] == 100
        assert [(wallet["type"], wallet["id"], wallet["balance"]) for wallet in row["wallets"]] == [
            ("spot", "main", 60),
            ("earn", "bonded", 40),
        ]

    @pytest.mark.parametrize(
        ("method", "change", "error"),
        [
            ("Allocate", {"strategy_id": "nonsense"}, "EGeneral:Invalid arguments:strategy_id"),
            ("Allocate", {"amount": "0.001"}, "EEarnings:Below min"),
            ("Allocate", {"amount": "101"}, "EEarnings:Insufficient funds"),
            ("Allocate", {"amount": "-1"}, "EGeneral:Invalid arguments:amount"),
            ("Deallocate", {"amount": "1"}, "EEarnings:Insufficient funds"),
        ],
    )
    def test_refusals(self, alice: Any, method: str, change: dict[str, str], error: str) -> None:
        given = {"strategy_id": STAKED, "amount": "40"} | change
        assert alice.error(f"Earn/{method}", **given).startswith(error)
        assert balance(alice, "SOL") == 100

    def test_strategies(self, alice: Any) -> None:
        answer = alice.do("Earn/Strategies", asset="SOL", limit=1)
        [first] = answer["items"]
        [second] = alice.do("Earn/Strategies", asset="SOL", limit=1, cursor=answer["next_cursor"])["items"]
        assert {first["lock_type"]["type"], second["lock_type"]["type"]} == {"instant", "bonded"}
        assert alice.do("Earn/Strategies", asset="SOL", lock_type="bonded")["items"][0]["id"] == STAKED


class TestExports:
    def fetch(self, alice: Any, protocol: Any, report: str) -> bytes:
        """Return the bytes of a report, which come without an envelope."""
        alice.nonce += 1
        path, body = "/0/private/RetrieveExport", f"nonce={alice.nonce}&id={report}".encode()
        inner = sha256(str(alice.nonce).encode() + body).digest()
        mac = hmac(b64decode(alice.keys.api_secret), path.encode() + inner, sha512)
        headers = {"API-Key": alice.keys.api_key, "API-Sign": b64encode(mac.digest()).decode()}
        reply = protocol.http(HttpRequest("POST", path, headers, body))
        return bytes(reply.body)

    def test_a_report_from_its_order_to_its_end(
        self, alice: Any, bobby: Any, limit: Any, protocol: Any, clock: Any
    ) -> None:
        limit(bobby, "sell", "0.1", "84000")
        limit(alice, "buy", "0.1", "84000")
        clock.forward(1)
        report = alice.do("AddExport", report="trades", description="mine", starttm="1")["id"]
        states = []
        for _ in range(3):
            [row] = alice.do("ExportStatus", report="trades")
            states.append(row["status"])
            clock.forward(1)
        assert states == ["Queued", "Processing", "Processed"]
        with zipfile.ZipFile(io.BytesIO(self.fetch(alice, protocol, report))) as archive:
            rows = list(csv.DictReader(io.StringIO(archive.read("trades.csv").decode())))
        [(txid, trade)] = alice.do("TradesHistory")["trades"].items()
        assert [(row["txid"], row["price"], row["vol"]) for row in rows] == [(txid, trade["price"], trade["vol"])]
        assert alice.error("RemoveExport", id=report, type="cancel") == "EGeneral:Invalid arguments:type"
        assert bobby.error("RemoveExport", id=report, type="delete") == "EGeneral:Invalid arguments:id"
        assert alice.do("RemoveExport", id=report, type="delete") == {"delete": True}
        assert alice.do("ExportStatus", report="trades") == []

    def test_ledgers_with_chosen_fields(self, alice: Any, protocol: Any, clock: Any) -> None:
        report = alice.do(
            "AddExport", report="ledgers", description="x", format="TSV", fields="asset,amount", starttm="1"
        )["id"]
        assert json.loads(self.fetch(alice, protocol, report)) == {"error": ["EGeneral:Invalid arguments:id"]}
        clock.forward(3)
        with zipfile.ZipFile(io.BytesIO(self.fetch(alice, protocol, report))) as archive:
            lines = archive.read("ledgers.tsv").decode().splitlines()
        assert lines[0] == '"asset"\t"amount"'
        assert len(lines) == 6

    def test_one_that_is_not_done_is_cancelled(self, alice: Any) -> None:
        report = alice.do("AddExport", report="ledgers", description="x")["id"]
        assert alice.do("RemoveExport", id=report, type="cancel") == {"cancel": True}

    def test_refusals(self, alice: Any) -> None:
        for given in ({"report": "orders", "description": "x"}, {"report": "trades"}, {}):
            assert alice.error("AddExport", **given).startswith("EGeneral:Invalid arguments:")
        assert alice.error("RetrieveExport", id="NONE") == "EGeneral:Invalid arguments:id"


class TestTheRest:
    def test_the_key_tells_what_it_may_do(self, guest: Any) -> None:
        info = guest.do("GetApiKeyInfo")
        assert info["permissions"] == ["create-ws-token", "query-funds"]
        assert (info["apiKey"], info["nonce"]) == ("guest", str(guest.nonce))

    def test_nothing_is_lent_and_nothing_is_planned(self, alice: Any) -> None:
        assert alice.do("CreditLines") is None
        assert alice.ask("MaintenanceSchedule") == {"events": []}

    def test_fees_with_their_schedule(self, alice: Any, captures: Any) -> None:
        answer = alice.do("TradeVolume", pair="XBTUSD", fee_schedule="true")
        recorded = json.loads((captures / "spot/rest/private_trade_volume.json").read_text())["result"]
        assert answer["fees"]["XXBTZUSD"].keys() == recorded["fees"]["XXBTZUSD"].keys()
        [schedule] = answer["schedules"]
        assert (schedule["pair"], schedule["tiers"][0]["active"]) == ("XXBTZUSD", True)

    @pytest.mark.parametrize(
        "method",
        ["Withdraw", "DepositMethods", "Earn/Allocate", "AddExport", "OpenPositions", "CreateSubaccount", "Level3"],
    )
    def test_permissions(self, guest: Any, method: str) -> None:
        assert guest.error(method) == "EGeneral:Permission denied"

    @pytest.mark.parametrize("method", ["Stake", "Unstake", "GetCustodyTask", "RetrieveExport2", "Earn", "Earn/Nope"])
    def test_what_is_not_there(self, alice: Any, method: str) -> None:
        assert alice.error(method) == "EGeneral:Unknown method"
