"""What trades and orders say that they cost: with the pair's decimals, and averages as they were traded."""

from decimal import Decimal
from typing import Any

import pytest

BUY = {"pair": "XBTUSD", "type": "buy", "ordertype": "market"}


@pytest.mark.parametrize(
    ("volume", "price", "cost"),
    [
        pytest.param("0.00005", "84040.7", "4.20203", id="the least there is"),
        pytest.param("0.19410589", "84067.4", "16317.97749", id="all decimals of a volume"),
    ],
)
def test_an_order_shows_the_price_and_the_cost_of_its_only_trade(
    alice: Any, bobby: Any, limit: Any, volume: str, price: str, cost: str
) -> None:
    limit(bobby, "sell", volume, price)
    [txid] = alice.do("AddOrder", **BUY, volume=volume)["txid"]
    order = alice.do("QueryOrders", txid=txid)[txid]
    [trade] = alice.do("TradesHistory")["trades"].values()
    assert (order["price"], order["cost"]) == (trade["price"], trade["cost"]) == (f"{price}0000", cost)


def test_costs_of_trades_add_up_to_that_of_their_order_and_money_to_what_the_ledger_keeps(
    private: Any, alice: Any, bobby: Any, limit: Any, exchange: Any
) -> None:
    private.send("subscribe", channel="executions", token=alice.token())
    for price in ("84040.7", "84040.9", "84041.3"):
        limit(bobby, "sell", "0.00005", price)
    [txid] = alice.do("AddOrder", **BUY, volume="0.00015")["txid"]
    order = alice.do("QueryOrders", txid=txid)[txid]
    trades = alice.do("TradesHistory")["trades"].values()
    assert sorted(trade["cost"] for trade in trades) == ["4.20203", "4.20204", "4.20206"]
    assert (order["cost"], order["price"]) == ("12.60613", "84040.96667")
    rows = [row for frame in private.frames("executions") for row in frame["data"]]
    assert [str(row["cost"]) for row in rows if row["exec_type"] == "trade"] == ["4.20203", "4.20204", "4.20206"]
    assert (rows[-1]["exec_type"], str(rows[-1]["cum_cost"]), str(rows[-1]["avg_price"])) == (
        "filled",
        "12.60613",
        "84040.96667",
    )
    booked = [row for row in alice.do("Ledgers", type="trade")["ledger"].values() if row["asset"] == "ZUSD"]
    assert [row["amount"] for row in booked] == ["-4.2020"] * 3
    moved = sum(Decimal(row["amount"]) - Decimal(row["fee"]) for row in booked)
    assert Decimal(alice.do("Balance")["ZUSD"]) == 50000 + moved
    exchange.check_invariants()


def test_an_amount_to_spend_is_never_exceeded_by_what_it_is_said_to_cost(alice: Any, bobby: Any, limit: Any) -> None:
    for _ in range(3):
        limit(bobby, "sell", "0.00005001", "84040.7")
    [txid] = alice.do("AddOrder", **BUY, volume="12.6086", oflags="viqc")["txid"]
    order = alice.do("QueryOrders", txid=txid)[txid]
    assert Decimal(order["cost"]) <= Decimal("12.6086")
    assert order["status"] == "closed"
