"""krakenex on the simulated Kraken Spot: the venue's own words, over REST."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.certification.conftest import Certified

krakenex = pytest.importorskip("krakenex", reason="krakenex is not installed; make certify has it")

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def ask(spot: Certified) -> Iterator[Any]:
    client = krakenex.API(spot.venue.api_key, spot.venue.api_secret)
    client.uri = spot.url

    def private(method: str, **data: Any) -> Any:
        reply = client.query_private(method, data)
        assert reply["error"] == [], reply
        return reply["result"]

    private.client = client  # type: ignore[attr-defined]
    yield private
    client.close()


def test_public_calls(spot: Certified, ask: Any) -> None:
    pairs = ask.client.query_public("AssetPairs")["result"]
    assert {row["wsname"] for row in pairs.values()} >= {"XBT/USD", "ETH/XBT"}
    depth = ask.client.query_public("Depth", {"pair": "XBTUSD", "count": 3})["result"]["XXBTZUSD"]
    assert [Decimal(level[0]) for level in depth["bids"]] == [level[0] for level in spot.levels(3)[0]]


def test_an_order_is_placed_amended_edited_and_canceled(spot: Certified, ask: Any) -> None:
    price = spot.far()
    terms = {"pair": "XXBTZUSD", "type": "buy", "ordertype": "limit", "price": str(price), "volume": "0.01"}
    [txid] = ask("AddOrder", **terms)["txid"]
    assert spot.order(txid).request.price == price
    assert list(ask("OpenOrders", trades=True)["open"]) == [txid]
    ask("AmendOrder", txid=txid, order_qty="0.02")
    assert spot.order(txid).request.quantity == Decimal("0.02")
    edited = ask("EditOrder", txid=txid, pair="XBTUSD", volume="0.03")["txid"]
    assert [order.id for order in spot.open()] == [edited]
    assert ask("CancelOrder", txid=edited)["count"] == 1
    assert set(ask("ClosedOrders")["closed"]) == {txid, edited}
    assert spot.open() == []
    [txid] = ask("AddOrder", **terms, **{"close[ordertype]": "limit", "close[price]": "90000"})["txid"]
    assert spot.order(txid).request.close is not None


def test_history_agrees_with_the_books(spot: Certified, ask: Any) -> None:
    [txid] = ask("AddOrder", pair="XBTUSD", type="sell", ordertype="market", volume="0.5")["txid"]
    trades = ask("TradesHistory")["trades"]
    assert {(key, Decimal(row["vol"]), Decimal(row["fee"])) for key, row in trades.items()} == {
        (fill.id, fill.quantity, fill.fee) for fill in spot.fills()
    }
    assert set(ask("QueryTrades", txid=",".join(trades))) == set(trades)
    assert Decimal(ask("QueryOrders", txid=txid)[txid]["vol_exec"]) == Decimal("0.5")
    rows = ask("Ledgers", asset="ZUSD")["ledger"].values()
    assert sum(Decimal(row["amount"]) - Decimal(row["fee"]) for row in rows) == spot.totals()["USD"]
    held = {"ZUSD": "USD", "XXBT": "BTC"}
    balance = ask("Balance")
    assert {held[key]: Decimal(balance[key]) for key in held} == {name: spot.totals()[name] for name in held.values()}


def test_a_key_of_its_own_rights_is_refused_what_it_may_not(spot: Certified) -> None:
    key = spot.venue.account("user", permissions=["query-funds"])
    client = krakenex.API(key.api_key, key.api_secret)
    client.uri = spot.url
    assert client.query_private("Balance")["error"] == []
    assert client.query_private("OpenOrders")["error"] == ["EGeneral:Permission denied"]
    client.close()
