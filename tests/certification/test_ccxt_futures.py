"""ccxt's Kraken Futures, async and pro, on the simulated Kraken Futures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.certification.conftest import Certified, exact, exact_levels, told, until

ccxt = pytest.importorskip("ccxt.pro", reason="ccxt is not installed; make certify has it")

pytestmark = pytest.mark.filterwarnings("ignore")

MARKET = "BTC/USD:USD"


@pytest.fixture
async def client(futures: Certified) -> AsyncIterator[Any]:
    venue = futures.venue
    made = ccxt.krakenfutures({"apiKey": venue.api_key, "secret": venue.api_secret, "enableRateLimit": False})
    made.urls["api"] |= {
        "public": f"{futures.url}/derivatives/api/",
        "private": f"{futures.url}/derivatives/api/",
        "charts": f"{futures.url}/api/charts/",
        "history": f"{futures.url}/api/history/",
        "ws": venue.urls["ws_url"],
    }
    yield made
    await made.close()


async def test_market_data(futures: Certified, client: Any) -> None:
    markets = await client.load_markets()
    assert set(markets) == {str(each.instrument.symbol) for each in futures.exchange.markets()}
    book = await client.fetch_order_book(MARKET)
    assert (exact_levels(book["bids"]), exact_levels(book["asks"])) == futures.levels()
    ticker = await client.fetch_ticker(MARKET)
    assert (exact(ticker["bid"]), exact(ticker["ask"])) == (futures.level("bid"), futures.level("ask"))
    trades = {(exact(row["price"]), exact(row["amount"])) for row in await client.fetch_trades(MARKET)}
    assert trades == {(trade.price, trade.quantity) for trade in futures.exchange.trades(futures.symbol)}
    assert await client.fetch_ohlcv(MARKET, "1m")
    assert (await client.fetch_leverage_tiers())[MARKET]
    assert (await client.fetch_funding_rates([MARKET]))[MARKET]
    assert await client.fetch_funding_rate_history(MARKET)


async def test_an_order_from_its_birth_to_its_end(futures: Certified, client: Any) -> None:
    price, lower = futures.far(), futures.far("0.4")
    placed = await client.create_order(MARKET, "limit", "buy", 0.01, float(price), {"clientOrderId": "mine"})
    assert futures.order(placed["id"]).request.client_order_id == "mine"
    [seen] = await client.fetch_open_orders(MARKET)
    row = seen["info"]  # of an open order the client itself tells no price
    assert (seen["id"], exact(row["limitPrice"]), exact(seen["amount"])) == (placed["id"], price, Decimal("0.01"))
    await client.edit_order(placed["id"], MARKET, "limit", "buy", 0.02, float(lower))
    edited = futures.order(placed["id"])
    assert (edited.request.quantity, edited.limit or edited.request.price) == (Decimal("0.02"), lower)
    await client.cancel_order(placed["id"], MARKET)
    assert futures.open() == []
    assert placed["id"] in {order["id"] for order in await client.fetch_canceled_orders(MARKET)}


async def test_what_was_executed_is_told_the_same_everywhere(futures: Certified, client: Any) -> None:
    placed = await client.create_order(MARKET, "market", "buy", 0.5)
    fills = futures.fills()
    assert len(fills) > 1, "the order takes more than one level"
    seen = {each["id"]: each for each in await client.fetch_my_trades(MARKET)}
    assert {(key, row["order"], exact(row["price"]), exact(row["amount"])) for key, row in seen.items()} == {
        (fill.id, placed["id"], fill.price, fill.quantity) for fill in fills
    }
    [position] = await client.fetch_positions()
    [held] = futures.exchange.positions("user")
    assert (position["side"], exact(position["contracts"])) == ("long", held.quantity)
    assert placed["id"] in {order["id"] for order in await client.fetch_closed_orders(MARKET)}
    balance = await client.fetch_balance()
    assert abs(exact(balance["total"]["USD"]) - futures.totals()["USD"]) < Decimal("0.01")


@pytest.mark.parametrize(
    ("params", "type_"),
    [
        pytest.param({"stopLossPrice": "0.9"}, "stop", id="stop"),
        pytest.param({"takeProfitPrice": "1.1", "reduceOnly": True}, "take_profit", id="take profit"),
    ],
)
async def test_orders_that_wait_for_a_price(
    futures: Certified, client: Any, params: dict[str, Any], type_: str
) -> None:
    if "reduceOnly" in params:
        await client.create_order(MARKET, "market", "buy", 0.01)
    known = {key: float(futures.far(each)) if isinstance(each, str) else each for key, each in params.items()}
    placed = await client.create_order(MARKET, "market", "sell", 0.01, None, known)
    request = futures.order(placed["id"]).request
    # The client makes stops reduce by itself.
    assert (request.type.value, request.reduce_only) == (type_, True)
    assert request.trigger_price == exact(next(iter(known.values())))


async def test_batches_and_settings(futures: Certified, client: Any) -> None:
    orders = [
        {"symbol": MARKET, "type": "limit", "side": "buy", "amount": 0.01, "price": float(futures.far(factor))}
        for factor in ("0.5", "0.51", "0.52")
    ]
    placed = await client.create_orders(orders)
    assert [each["id"] for each in placed] == [order.id for order in futures.open()]
    await client.cancel_orders([placed[0]["id"]], MARKET)
    assert [order.id for order in futures.open()] == [each["id"] for each in placed[1:]]
    await client.cancel_all_orders_after(60_000)
    await client.cancel_all_orders(MARKET)
    assert futures.open() == []
    await client.set_leverage(5, MARKET)
    assert (await client.fetch_leverage(MARKET))["longLeverage"] == 5


async def test_refusals_arrive_as_what_they_are(futures: Certified, client: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await client.create_order(MARKET, "limit", "buy", 1000, float(futures.far("0.9")))
    client.secret = futures.venue.account("stranger").api_secret
    with pytest.raises(ccxt.AuthenticationError):
        await client.fetch_open_orders()


async def test_streams_of_the_market(futures: Certified, client: Any) -> None:
    book = await told(client.watch_order_book(MARKET))
    assert (exact_levels(book["bids"]), exact_levels(book["asks"])) == futures.levels()

    async def trade() -> None:
        futures.trade("buy", "0.3")
        futures.trade("sell", "0.3")

    assert await told(client.watch_trades(MARKET), trade)
    await trade()

    def same() -> bool:
        kept = client.orderbooks[MARKET]
        return (exact_levels(kept["bids"]), exact_levels(kept["asks"])) == futures.levels()

    await until(same)
    ticker = await told(client.watch_ticker(MARKET))
    assert (exact(ticker["bid"]), exact(ticker["ask"])) == (futures.level("bid"), futures.level("ask"))


async def test_streams_of_the_account(futures: Certified, client: Any) -> None:
    price = futures.far()

    async def place() -> None:
        await client.create_order(MARKET, "limit", "buy", 0.01, float(price))

    [*_, order] = await told(client.watch_orders(MARKET), place)
    assert order["id"] in {each.id for each in futures.open()}
    assert (exact(order["price"]), exact(order["amount"])) == (price, Decimal("0.01"))

    async def buy() -> None:
        await client.create_order(MARKET, "market", "buy", 0.01)

    [*_, trade] = await told(client.watch_my_trades(MARKET), buy)
    fill = futures.exchange.fill(trade["id"])
    assert fill in futures.fills()
    assert (trade["order"], exact(trade["price"]), exact(trade["amount"])) == (fill.order_id, fill.price, fill.quantity)
    assert exact(trade["fee"]["cost"]) == fill.fee
    [position] = await told(client.watch_positions([MARKET]), buy)
    assert position["side"] == "long"
    await told(client.watch_balance(), buy)
    # What it tells is the holding wallet; what it keeps is complete.
    await until(lambda: exact(client.balance["flex"]["total"]["USD"]) == futures.totals()["USD"])
    [held] = futures.exchange.positions("user")
    assert exact((await client.fetch_positions())[0]["contracts"]) == held.quantity
