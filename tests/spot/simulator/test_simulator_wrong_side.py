"""Triggers that a price which is there already would set off."""

from decimal import Decimal
from typing import Any

import pytest

from exchange_core.model.symbol import Symbol

AT_ONCE = "Order would trigger immediately"


@pytest.mark.parametrize(
    ("kind", "side", "price", "reason"),
    [
        ("stop-loss", "sell", "84000.1", AT_ONCE),
        ("stop-loss", "sell", "84000", AT_ONCE),
        ("stop-loss", "sell", "83999.9", None),
        ("stop-loss", "buy", "83999.9", AT_ONCE),
        ("stop-loss", "buy", "84000.1", None),
        ("take-profit", "sell", "83999.9", AT_ONCE),
        ("take-profit", "sell", "84000.1", None),
        ("take-profit", "buy", "84000.1", AT_ONCE),
        ("take-profit", "buy", "83999.9", None),
    ],
)
def test_what_would_fire_at_once_is_canceled_with_a_reason(
    alice: Any, bobby: Any, limit: Any, kind: str, side: str, price: str, reason: str | None
) -> None:
    limit(bobby, "sell", "0.001", "84000")
    limit(alice, "buy", "0.001", "84000")
    order = {"pair": "XBTUSD", "type": side, "ordertype": kind, "volume": "0.01", "price": price}
    [txid] = alice.do("AddOrder", **order)["txid"]
    found = alice.do("QueryOrders", txid=txid)[txid]
    assert (found["status"], found.get("reason")) == ("canceled" if reason else "open", reason)
    assert (txid in alice.do("OpenOrders")["open"]) is (reason is None)


def test_by_the_index_where_that_sets_it_off(alice: Any, exchange: Any) -> None:
    exchange.set_index(Symbol.parse("BTC/USD"), Decimal(90_000))
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "stop-loss", "volume": "0.01", "price": "89000"}
    [by_index] = alice.do("AddOrder", **order, trigger="index")["txid"]
    [by_last] = alice.do("AddOrder", **order)["txid"]
    found = alice.do("QueryOrders", txid=f"{by_index},{by_last}")
    assert (found[by_index]["status"], found[by_last]["status"]) == ("canceled", "open")


def test_what_is_only_checked_is_not_canceled(alice: Any) -> None:
    order = {"pair": "XBTUSD", "type": "sell", "ordertype": "stop-loss", "volume": "0.01", "price": "90000"}
    assert "txid" not in alice.do("AddOrder", **order, validate="true")
    assert alice.do("ClosedOrders")["closed"] == {}
