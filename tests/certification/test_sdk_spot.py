"""python-kraken-sdk on the simulated Kraken Spot: REST, WebSocket v2, and the book that it keeps and checks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from time import monotonic
from typing import Any

import pytest

from tests.certification.conftest import Certified, exact, exact_levels, until

kraken = pytest.importorskip("kraken.spot", reason="python-kraken-sdk is not installed; make certify has it")
base_api = pytest.importorskip("kraken.base_api")

pytestmark = pytest.mark.filterwarnings("ignore")

PAIR = "XBTUSD"


@pytest.fixture
def keys(spot: Certified) -> dict[str, str]:
    return {"key": spot.venue.api_key, "secret": spot.venue.api_secret, "url": spot.url}


@pytest.fixture
def trade(keys: dict[str, str]) -> Any:
    return kraken.Trade(**keys)


@pytest.fixture
def user(keys: dict[str, str]) -> Any:
    return kraken.User(**keys)


def test_market_data(spot: Certified) -> None:
    market = kraken.Market(url=spot.url)
    assert market.get_system_status()["status"] == "online"
    assert market.get_assets(assets="USD").keys() == {"ZUSD"}
    pairs = market.get_asset_pairs(pair=[PAIR, "ETHUSD"])
    assert Decimal(pairs["XXBTZUSD"]["tick_size"]) == spot.exchange.market(spot.symbol).instrument.tick_size
    book = market.get_order_book(pair=PAIR, count=5)["XXBTZUSD"]
    assert [level[0] for level in exact_levels(book["asks"])] == [level[0] for level in spot.levels(5)[1]]
    trades = market.get_recent_trades(pair=PAIR)["XXBTZUSD"]
    assert exact_levels(trades) == [(each.price, each.quantity) for each in spot.exchange.trades(spot.symbol)]
    bars = market.get_ohlc(pair=PAIR, interval=1)["XXBTZUSD"]
    assert sum(Decimal(bar[6]) for bar in bars) == sum(Decimal(row[1]) for row in trades)
    assert Decimal(market.get_ticker(pair=PAIR)["XXBTZUSD"]["b"][0]) == spot.level("bid")
    assert market.get_recent_spreads(pair=PAIR)["XXBTZUSD"]


def test_an_order_is_placed_amended_edited_and_canceled(spot: Certified, trade: Any, user: Any) -> None:
    price, lower = spot.far(), spot.far("0.4")
    [txid] = trade.create_order(ordertype="limit", side="buy", volume="0.01", pair=PAIR, price=price)["txid"]
    assert spot.order(txid).request.price == price
    trade.amend_order(txid=txid, order_qty="0.02", limit_price=str(lower))
    amends = user.get_order_amends(order_id=txid)["amends"]
    assert [Decimal(each["order_qty"]) for each in amends] == [Decimal("0.01"), Decimal("0.02")]
    assert Decimal(user.get_open_orders()["open"][txid]["descr"]["price"]) == lower
    edited = trade.edit_order(txid=txid, pair=PAIR, volume="0.03", price=str(price))["txid"]
    assert [(order.id, order.request.quantity) for order in spot.open()] == [(edited, Decimal("0.03"))]
    assert trade.cancel_order(txid=edited) == {"count": 1}
    assert user.get_orders_info(txid=edited)[edited]["status"] == "canceled"
    assert spot.open() == []


def test_batches_and_the_dead_mans_switch(spot: Certified, trade: Any) -> None:
    orders = [
        {"ordertype": "limit", "type": "buy", "price": str(spot.far(factor)), "volume": "0.01", "timeinforce": "GTC"}
        for factor in ("0.5", "0.51", "0.52")
    ]
    placed = trade.create_order_batch(orders=orders, pair=PAIR)["orders"]
    assert [each["txid"] for each in placed] == [order.id for order in spot.open()]
    assert trade.cancel_order_batch(orders=[each["txid"] for each in placed[:2]]) == {"count": 2}
    assert trade.cancel_all_orders_after_x(timeout=60)["triggerTime"]
    assert trade.cancel_all_orders() == {"count": 1}
    with pytest.raises(kraken_error("KrakenInvalidArgumentsError")):
        trade.create_order_batch(orders=[{**orders[0], "userref": 2**40}], pair=PAIR)


def kraken_error(name: str) -> Any:
    return getattr(pytest.importorskip("kraken.exceptions"), name)


def test_history_agrees_with_the_books(spot: Certified, trade: Any, user: Any) -> None:
    [txid] = trade.create_order(ordertype="market", side="buy", volume="0.5", pair=PAIR)["txid"]
    trades = user.get_trades_history()["trades"]
    assert {(key, Decimal(row["vol"]), Decimal(row["fee"])) for key, row in trades.items()} == {
        (fill.id, fill.quantity, fill.fee) for fill in spot.fills()
    }
    assert user.get_trades_info(txid=next(iter(trades))).keys() <= trades.keys()
    assert set(user.get_closed_orders(trades=True)["closed"][txid]["trades"]) == set(trades)
    rows = user.get_ledgers_info(asset=["ZUSD"])["ledger"]
    assert sum(Decimal(row["amount"]) - Decimal(row["fee"]) for row in rows.values()) == spot.totals()["USD"]
    assert user.get_ledgers(id_=next(iter(rows))).keys() <= rows.keys()
    assert Decimal(user.get_account_balance()["XXBT"]) == spot.totals()["BTC"]
    assert Decimal(user.get_balances()["ZUSD"]["balance"]) == spot.totals()["USD"]
    assert Decimal(str(user.get_balance(currency="XBT")["balance"])) == spot.totals()["BTC"]
    assert Decimal(user.get_trade_volume(pair=PAIR)["volume"]) == round(spot.exchange.volume("user"), 4)
    dollars, euros = (Decimal(user.get_trade_balance(asset=asset)["eb"]) for asset in ("ZUSD", "ZEUR"))
    assert dollars > euros > dollars / 2


def test_an_export_can_be_had(trade: Any, user: Any) -> None:
    trade.create_order(ordertype="market", side="buy", volume="0.1", pair=PAIR)
    report = user.request_export_report(report="trades", description="all")["id"]
    patience = monotonic() + 20
    while user.get_export_report_status(report="trades")[0]["status"] != "Processed":
        assert monotonic() < patience
    assert b"".join(user.retrieve_export(id_=report).iter_content(1024))[:2] == b"PK"
    assert user.delete_export_report(id_=report, type_="delete") == {"delete": True}


def test_money_and_earn(spot: Certified, keys: dict[str, str]) -> None:
    funding, earn = kraken.Funding(**keys), kraken.Earn(**keys)
    [method] = funding.get_deposit_methods(asset="XBT")
    [address] = funding.get_deposit_address(asset="XBT", method=method["method"], new=True)
    assert address["new"]
    assert {row["asset"] for row in funding.get_recent_deposits_status()} >= {"ZUSD", "XXBT"}
    [target] = [row for row in funding.withdraw_addresses() if row["asset"] == "XXBT"]
    info = funding.get_withdrawal_info(asset="XBT", key=target["key"], amount="0.01")
    before = spot.totals()["BTC"]
    refid = funding.withdraw_funds(asset="XBT", key=target["key"], amount="0.01")["refid"]
    assert [row["refid"] for row in funding.get_recent_withdraw_status(asset="XBT")] == [refid]
    assert before - spot.totals()["BTC"] in (Decimal("0.01"), Decimal("0.01") + Decimal(info["fee"]))
    assert earn.list_earn_strategies()["items"]
    assert earn.list_earn_allocations()["items"] == []


class Heard:
    """Keeps what a socket of the client tells."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    async def __call__(self, message: dict[str, Any]) -> None:
        self.frames.append(message)

    def rows(self, channel: str, kind: str | None = None) -> list[dict[str, Any]]:
        frames = [
            each for each in self.frames if each.get("channel") == channel and each.get("type") in (kind, each["type"])
        ]
        return [row for frame in frames if kind in (None, frame["type"]) for row in frame["data"]]

    def answer(self, method: str) -> dict[str, Any] | None:
        return next((frame for frame in self.frames if frame.get("method") == method), None)


@pytest.fixture
async def line(spot: Certified) -> AsyncIterator[tuple[Any, Heard]]:
    """A client with both connections; it adds the version to the addresses by itself."""
    heard, urls = Heard(), spot.venue.urls
    client = kraken.SpotWSClient(
        key=spot.venue.api_key,
        secret=spot.venue.api_secret,
        callback=heard,
        rest_url=spot.url,
        ws_url=urls["ws_url"].removesuffix("/v2"),
        auth_ws_url=urls["ws_auth_url"].removesuffix("/v2"),
    )
    await client.start()
    yield client, heard
    await client.close()


async def test_streams_of_market_and_account(spot: Certified, line: tuple[Any, Heard]) -> None:
    client, heard = line
    for channel in ("ticker", "trade", "ohlc", "book"):
        await client.subscribe(params={"channel": channel, "symbol": ["BTC/USD"]})
    await client.subscribe(params={"channel": "executions", "snap_orders": True, "snap_trades": True})
    await client.subscribe(params={"channel": "balances"})
    await until(lambda: all(heard.rows(name, "snapshot") for name in ("book", "ticker", "ohlc", "balances")))
    [book] = heard.rows("book", "snapshot")
    assert [(exact(row["price"]), exact(row["qty"])) for row in book["bids"]] == spot.levels(10)[0]
    [ticker] = heard.rows("ticker", "snapshot")
    assert (exact(ticker["bid"]), exact(ticker["ask"])) == (spot.level("bid"), spot.level("ask"))
    resting = {"order_type": "limit", "side": "buy", "order_qty": 0.01, "limit_price": float(spot.far())}
    await client.send_message({"method": "add_order", "params": {**resting, "symbol": "BTC/USD"}})
    added = await until(lambda: heard.answer("add_order"))
    order_id = added["result"]["order_id"]
    assert [order.id for order in spot.open()] == [order_id]
    await client.send_message({"method": "amend_order", "params": {"order_id": order_id, "order_qty": 0.02}})
    await until(lambda: heard.answer("amend_order"))
    assert spot.order(order_id).request.quantity == Decimal("0.02")
    await client.send_message({"method": "cancel_order", "params": {"order_id": [order_id]}})
    await until(lambda: heard.answer("cancel_order"))
    market = {"order_type": "market", "side": "sell", "order_qty": 0.01, "symbol": "BTC/USD"}
    await client.send_message({"method": "add_order", "params": market})
    kinds = lambda: [row["exec_type"] for row in heard.rows("executions", "update")]  # noqa: E731
    await until(lambda: "trade" in kinds() and "filled" in kinds())
    assert {"new", "canceled"} <= set(kinds())
    [fill] = spot.fills()
    assert [row["exec_id"] for row in heard.rows("executions") if row.get("exec_type") == "trade"] == [fill.id]
    usd = await until(lambda: [row for row in heard.rows("balances", "update") if row["asset"] == "USD"])
    assert Decimal(str(usd[-1]["balance"])) == spot.totals()["USD"]
    [trade] = await until(lambda: heard.rows("trade", "update"))
    assert (exact(trade["price"]), exact(trade["qty"])) == (fill.price, fill.quantity)


async def test_the_book_that_it_keeps_passes_its_own_checksum(spot: Certified, monkeypatch: pytest.MonkeyPatch) -> None:
    """This class takes no addresses, and asks for decimals at the default one: both stand on its classes."""
    book_client = kraken.SpotOrderBookClient
    monkeypatch.setattr(base_api.SpotClient, "URL", spot.url)
    monkeypatch.setattr(book_client, "WS_URL", spot.venue.urls["ws_url"].removesuffix("/v2"))
    news: list[Any] = []

    async def hear(pair: str, message: dict[str, Any]) -> None:
        news.append(message)

    client = book_client(depth=10, callback=hear)
    await client.start()
    await client.add_book(pairs=["BTC/USD"])

    async def trade() -> None:
        spot.trade("buy", "0.4")
        spot.trade("sell", "0.4")

    await until(lambda: news)
    for _ in range(3):
        await trade()

    def same() -> bool:
        kept = client.get(pair="BTC/USD")
        found = tuple(
            [(Decimal(price), Decimal(str(level[0]))) for price, level in kept[side].items()] for side in ("bid", "ask")
        )
        return bool(kept["valid"]) and found == spot.levels(10)

    await until(same)
    assert [message for message in news if "error" in message] == []
    await client.close()
