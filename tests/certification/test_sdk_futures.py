"""python-kraken-sdk on the simulated Kraken Futures: REST and WebSocket."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.certification.conftest import Certified, exact, exact_levels, until

kraken = pytest.importorskip("kraken.futures", reason="python-kraken-sdk is not installed; make certify has it")
websocket = pytest.importorskip("kraken.futures.websocket")

pytestmark = pytest.mark.filterwarnings("ignore")

CONTRACT = "PF_XBTUSD"


@pytest.fixture
def keys(futures: Certified) -> dict[str, str]:
    return {"key": futures.venue.api_key, "secret": futures.venue.api_secret, "url": futures.url}


def test_market_data(futures: Certified, keys: dict[str, str]) -> None:
    market = kraken.Market(**keys)
    names = {row["symbol"] for row in market.get_instruments()["instruments"]}
    assert names >= {each.instrument.venue_id for each in futures.exchange.markets()}
    book = market.get_orderbook(symbol=CONTRACT)["orderBook"]
    assert (exact_levels(book["bids"]), exact_levels(book["asks"])) == futures.levels()
    assert CONTRACT in {row["symbol"] for row in market.get_tickers()["tickers"]}
    assert len(market.get_trade_history(symbol=CONTRACT)["history"]) == len(futures.exchange.trades(futures.symbol))
    assert set(market.get_tick_types()) >= {"trade", "mark", "spot"}
    assert CONTRACT in market.get_tradeable_products(tick_type="trade")
    assert market.get_ohlc(tick_type="trade", symbol=CONTRACT, resolution="1m")["candles"]
    assert market.get_fee_schedules()["feeSchedules"]
    assert market.get_historical_funding_rates(symbol=CONTRACT)["rates"]
    assert market.get_instruments_status(instrument=CONTRACT)


def test_an_order_is_placed_edited_and_canceled(futures: Certified, keys: dict[str, str]) -> None:
    trade, user = kraken.Trade(**keys), kraken.User(**keys)
    price, lower = futures.far(), futures.far("0.4")
    sent = trade.create_order(orderType="lmt", size="0.01", symbol=CONTRACT, side="buy", limitPrice=str(price))
    order_id = sent["sendStatus"]["order_id"]
    assert futures.order(order_id).request.price == price
    trade.edit_order(orderId=order_id, size="0.02", limitPrice=str(lower))
    [row] = user.get_open_orders()["openOrders"]
    assert (row["order_id"], exact(row["limitPrice"]), exact(row["unfilledSize"])) == (order_id, lower, Decimal("0.02"))
    assert trade.get_orders_status(orderIds=[order_id])["orders"][0]["order"]["orderId"] == order_id
    assert trade.cancel_order(order_id=order_id)["cancelStatus"]["status"] == "cancelled"
    assert futures.open() == []


def test_batches_and_the_dead_mans_switch(futures: Certified, keys: dict[str, str]) -> None:
    trade = kraken.Trade(**keys)
    orders = [
        {
            "order": "send",
            "order_tag": str(tag),
            "orderType": "lmt",
            "symbol": CONTRACT,
            "side": "buy",
            "size": 0.01,
            "limitPrice": float(futures.far(factor)),
        }
        for tag, factor in enumerate(("0.5", "0.51"))
    ]
    placed = trade.create_batch_order(batchorder_list=orders)["batchStatus"]
    assert [row["order_id"] for row in placed] == [order.id for order in futures.open()]
    assert trade.dead_mans_switch(timeout=60)["status"]["triggerTime"]
    assert len(trade.cancel_all_orders(symbol=CONTRACT)["cancelStatus"]["cancelledOrders"]) == 2
    assert futures.open() == []


def test_history_agrees_with_the_books(futures: Certified, keys: dict[str, str]) -> None:
    trade, user = kraken.Trade(**keys), kraken.User(**keys)
    trade.create_order(orderType="mkt", size="0.5", symbol=CONTRACT, side="buy")
    fills = {fill.id: fill for fill in futures.fills()}
    rows = {row["fill_id"]: row for row in trade.get_fills()["fills"]}
    assert rows.keys() == fills.keys()
    assert all(exact(rows[key]["price"]) == fill.price for key, fill in fills.items())
    executions = user.get_execution_events()["elements"]
    assert {row["event"]["Execution"]["execution"]["uid"] for row in executions} == set(fills)
    assert user.get_order_events()["elements"]
    [position] = user.get_open_positions()["openPositions"]
    assert exact(position["size"]) == Decimal("0.5")
    balance = user.get_wallets()["accounts"]["flex"]["currencies"]["USD"]["quantity"]
    assert abs(exact(balance) - futures.totals()["USD"]) < Decimal("0.01")
    assert user.get_account_log()["logs"]
    assert user.get_notifications()["result"] == "success"
    assert user.get_subaccounts()["result"] == "success"


async def test_streams_of_market_and_account(
    futures: Certified, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client writes ``wss://`` by itself, so its connections are told to go without encryption."""
    connect = websocket.connect
    monkeypatch.setattr(websocket, "connect", lambda url, **more: connect(url.replace("wss://", "ws://"), **more))
    frames: list[Any] = []

    async def hear(message: Any) -> None:
        frames.append(message)

    def rows(feed: str) -> list[Any]:
        return [
            frame for frame in frames if isinstance(frame, dict) and frame.get("feed") == feed and "event" not in frame
        ]

    url = futures.venue.urls["ws_url"].removeprefix("ws://")
    client = kraken.FuturesWSClient(key=keys["key"], secret=keys["secret"], url=url, callback=hear)
    await client.start()
    for feed in ("book", "ticker", "trade"):
        await client.subscribe(feed=feed, products=[CONTRACT])
    for feed in ("fills", "open_orders", "open_positions", "balances", "account_log", "notifications_auth"):
        await client.subscribe(feed=feed)
    await until(lambda: rows("book_snapshot") and rows("fills_snapshot") and rows("open_orders_snapshot"))
    await until(lambda: rows("balances_snapshot") and rows("account_log_snapshot"))
    book = rows("book_snapshot")[0]
    assert [(exact(row["price"]), exact(row["qty"])) for row in book["bids"]] == futures.levels()[0]

    trade = kraken.Trade(**keys)
    trade.create_order(orderType="lmt", size="0.01", symbol=CONTRACT, side="buy", limitPrice=str(futures.far()))
    [order] = futures.open()
    await until(lambda: rows("open_orders"))
    told = rows("open_orders")[0]["order"]
    assert (told["order_id"], exact(told["limit_price"])) == (order.id, futures.far())
    trade.create_order(orderType="mkt", size="0.5", symbol=CONTRACT, side="sell")
    fills = [(fill.id, fill.price, fill.quantity) for fill in futures.fills()]
    assert len(fills) > 1, "the order takes more than one level"

    def executed() -> list[tuple[str, Decimal, Decimal]]:
        found = [fill for row in rows("fills") for fill in row["fills"]]
        return [(each["fill_id"], exact(each["price"]), exact(each["qty"])) for each in found]

    await until(lambda: executed() == fills)
    await until(lambda: [(exact(row["price"]), exact(row["qty"])) for row in rows("trade")] == [f[1:] for f in fills])
    [held] = futures.exchange.positions("user")
    await until(lambda: exact(rows("open_positions")[-1]["positions"][0]["balance"]) == held.quantity)
    flex = lambda: rows("balances")[-1]["flex_futures"]["currencies"]["USD"]  # noqa: E731
    await until(lambda: exact(flex()["quantity"]) == futures.totals()["USD"])

    def kept() -> tuple[list[tuple[Decimal, Decimal]], ...]:
        """Follow the book as a user of this client has to, who keeps none itself."""
        sides = {side: {exact(row["price"]): exact(row["qty"]) for row in book[side]} for side in ("bids", "asks")}
        for row in rows("book"):
            sides["bids" if row["side"] == "buy" else "asks"][exact(row["price"])] = exact(row["qty"])
        bids, asks = ([level for level in sides[side].items() if level[1]] for side in ("bids", "asks"))
        return sorted(bids, reverse=True), sorted(asks)

    await until(lambda: kept() == futures.levels())
    numbers = [book["seq"], *(row["seq"] for row in rows("book"))]
    assert numbers == list(range(book["seq"], book["seq"] + len(numbers)))
    await client.close()
