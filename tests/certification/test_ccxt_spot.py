"""ccxt's Kraken, async and pro, on the simulated Kraken Spot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import count
from time import time_ns
from typing import Any

import pytest

from tests.certification.conftest import USER, Certified, exact, exact_levels, told, until

ccxt = pytest.importorskip("ccxt.pro", reason="ccxt is not installed; make certify has it")

# The client's own ways, such as connections that it leaves to be collected.
pytestmark = pytest.mark.filterwarnings("ignore")

PAIR = "BTC/USD"


@pytest.fixture
async def client(spot: Certified) -> AsyncIterator[Any]:
    venue = spot.venue
    made = ccxt.kraken({"apiKey": venue.api_key, "secret": venue.api_secret, "enableRateLimit": False})
    # Its own is the millisecond, in which a venue on this machine can answer, so that two calls would have the same.
    made.nonce = count(time_ns() // 1000).__next__
    api = made.urls["api"]
    api |= {"public": spot.url, "private": spot.url}
    api["ws"] = {name: venue.urls["ws_auth_url" if "rivate" in name else "ws_url"] for name in made.urls["api"]["ws"]}
    yield made
    await made.close()


async def test_markets_have_the_precision_of_the_venue(spot: Certified, client: Any) -> None:
    markets = await client.load_markets()
    assert set(markets) == {str(each.instrument.symbol) for each in spot.exchange.markets()}
    for each in spot.exchange.markets():
        instrument, found = each.instrument, markets[str(each.instrument.symbol)]
        assert exact(found["precision"]["price"]) == instrument.tick_size
        assert exact(found["precision"]["amount"]) == instrument.lot_size
        assert exact(found["limits"]["amount"]["min"]) == instrument.min_quantity


async def test_market_data(spot: Certified, client: Any) -> None:
    book = await client.fetch_order_book(PAIR, 5)
    assert [level[0] for level in exact_levels(book["bids"])] == [level[0] for level in spot.levels(5)[0]]
    assert [level[0] for level in exact_levels(book["asks"])] == [level[0] for level in spot.levels(5)[1]]
    seen = [(exact(trade["price"]), exact(trade["amount"])) for trade in await client.fetch_trades(PAIR)]
    trades = spot.exchange.trades(spot.symbol)
    assert seen == [(trade.price, trade.quantity) for trade in trades]
    ticker = await client.fetch_ticker(PAIR)
    assert (exact(ticker["bid"]), exact(ticker["ask"])) == (spot.level("bid"), spot.level("ask"))
    candles = await client.fetch_ohlcv(PAIR, "1m")
    assert sum(exact(candle[5]) for candle in candles) == sum(trade.quantity for trade in trades)
    assert abs(await client.fetch_time() / 1000 - spot.exchange.now().timestamp()) < 60


async def test_an_order_from_its_birth_to_its_end(spot: Certified, client: Any) -> None:
    price = spot.far()
    placed = await client.create_order(PAIR, "limit", "buy", 0.01, float(price), {"clientOrderId": "7"})
    order = spot.order(placed["id"])
    assert (order.request.quantity, order.request.price) == (Decimal("0.01"), price)
    [seen] = await client.fetch_open_orders(PAIR)
    assert (seen["id"], seen["status"]) == (order.id, "open")
    assert (exact(seen["price"]), exact(seen["amount"])) == (price, Decimal("0.01"))
    balance = await client.fetch_balance()
    assert exact(balance["used"]["USD"]) == spot.held()["USD"] > 0

    lower = spot.far("0.4")
    await client.edit_order(order.id, PAIR, "limit", "buy", 0.02, float(lower))
    amended = spot.order(order.id)
    assert (amended.request.quantity, amended.limit or amended.request.price) == (Decimal("0.02"), lower)
    assert exact((await client.fetch_order(order.id, PAIR))["amount"]) == Decimal("0.02")

    await client.cancel_order(order.id, PAIR)
    assert spot.open() == []
    assert (await client.fetch_order(order.id, PAIR))["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order(order.id, PAIR)


async def test_what_was_executed_is_told_the_same_everywhere(spot: Certified, client: Any) -> None:
    placed = await client.create_order(PAIR, "market", "buy", 0.5)
    fills = spot.fills()
    assert len(fills) > 1, "the order takes more than one level"
    seen = {each["id"]: each for each in await client.fetch_my_trades(PAIR)}
    assert seen.keys() == {fill.id for fill in fills}
    for fill in fills:
        trade = seen[fill.id]
        assert (trade["order"], trade["takerOrMaker"]) == (placed["id"], "taker")
        assert (exact(trade["price"]), exact(trade["amount"])) == (fill.price, fill.quantity)
        assert exact(trade["fee"]["cost"]) == fill.fee
    order = await client.fetch_order(placed["id"], PAIR)
    assert (exact(order["filled"]), order["status"]) == (Decimal("0.5"), "closed")
    assert [each["id"] for each in await client.fetch_closed_orders(PAIR)] == [placed["id"]]
    balance = await client.fetch_balance()
    assert {code: exact(balance["total"][code]) for code in spot.totals()} == spot.totals()
    ledger = await client.fetch_ledger("BTC")
    assert sum(exact(entry["amount"]) for entry in ledger if entry["direction"] == "in") == spot.totals()["BTC"]


@pytest.mark.parametrize(
    ("kind", "side", "price", "params", "type_"),
    [
        pytest.param("limit", "buy", "0.5", {"postOnly": True}, "limit", id="post only"),
        pytest.param("market", "sell", None, {"stopLossPrice": "0.9"}, "stop", id="stop"),
        pytest.param("limit", "sell", "0.85", {"stopLossPrice": "0.9"}, "stop_limit", id="stop limit"),
        pytest.param("market", "sell", None, {"takeProfitPrice": "1.1"}, "take_profit", id="take profit"),
        pytest.param("market", "sell", None, {"trailingAmount": 80}, "trailing_stop", id="trailing"),
    ],
)
async def test_orders_of_other_types(
    spot: Certified, client: Any, kind: str, side: str, price: str | None, params: dict[str, Any], type_: str
) -> None:
    known = {key: float(spot.far(each)) if isinstance(each, str) else each for key, each in params.items()}
    placed = await client.create_order(PAIR, kind, side, 0.01, price and float(spot.far(price)), known)
    request = spot.order(placed["id"]).request
    assert request.type.value == type_
    assert request.post_only == ("postOnly" in params)
    if trigger := known.get("stopLossPrice", known.get("takeProfitPrice")):
        assert request.trigger_price == exact(trigger)


async def test_batches_and_the_dead_mans_switch(spot: Certified, client: Any) -> None:
    orders = [
        {"symbol": PAIR, "type": "limit", "side": "buy", "amount": 0.01, "price": float(spot.far(factor))}
        for factor in ("0.5", "0.51")
    ]
    placed = await client.create_orders(orders)
    assert [each["id"] for each in placed] == [order.id for order in spot.open()]
    await client.cancel_all_orders_after(60_000)
    await client.cancel_all_orders()
    assert spot.open() == []


async def test_refusals_arrive_as_what_they_are(spot: Certified, client: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await client.create_order(PAIR, "limit", "buy", 1000, float(spot.far()))
    with pytest.raises(ccxt.InvalidOrder):
        await client.create_order(PAIR, "limit", "buy", 0.00001, float(spot.far()))
    client.secret = spot.venue.account("stranger").api_secret
    with pytest.raises(ccxt.ExchangeError, match="Invalid signature"):
        await client.fetch_balance()


async def test_streams_of_the_market(spot: Certified, client: Any) -> None:
    book = await client.watch_order_book(PAIR, 10)
    assert (exact_levels(book["bids"], 10), exact_levels(book["asks"], 10)) == spot.levels(10)

    async def trade() -> None:
        spot.trade("buy", "0.05")
        spot.trade("sell", "0.05")

    [*_, last] = await told(client.watch_trades(PAIR), trade)
    known = {(trade.price, trade.quantity) for trade in spot.exchange.trades(spot.symbol)}
    assert (exact(last["price"]), exact(last["amount"])) in known

    def same() -> bool:
        kept = client.orderbooks[PAIR]
        return (exact_levels(kept["bids"], 10), exact_levels(kept["asks"], 10)) == spot.levels(10)

    await until(same)
    ticker = await client.watch_ticker(PAIR)
    assert (exact(ticker["bid"]), exact(ticker["ask"])) == (spot.level("bid"), spot.level("ask"))
    candles = await client.watch_ohlcv(PAIR, "1m")
    bar = spot.exchange.candles(spot.symbol, 1)[-1]
    assert (exact(candles[-1][4]), exact(candles[-1][5])) == (bar.close, bar.volume)


async def test_best_prices_alone_can_be_streamed(spot: Certified, client: Any) -> None:
    best = await told(client.watch_bids_asks([PAIR]))
    assert exact(best[PAIR]["bid"]) == spot.level("bid")


async def test_streams_of_the_account(spot: Certified, client: Any) -> None:
    placed = await client.create_order(PAIR, "limit", "buy", 0.01, float(spot.far()))
    [order] = await told(client.watch_orders(PAIR))
    assert (order["id"], order["status"]) == (placed["id"], "open")

    async def cancel() -> None:
        if spot.open():
            await client.cancel_order(placed["id"], PAIR)

    # Of ends the venue tells no market, so that this client finds them only where it watches all.
    [*_, order] = await told(client.watch_orders(), cancel)
    assert (order["id"], order["status"]) == (placed["id"], "canceled")

    async def sell() -> None:
        await client.create_order(PAIR, "market", "sell", 0.01)

    [*_, trade] = await told(client.watch_my_trades(PAIR), sell)
    fill = spot.exchange.fill(trade["id"])
    assert fill in spot.fills()
    assert (exact(trade["price"]), exact(trade["fee"]["cost"])) == (fill.price, fill.fee)
    balance = await told(client.watch_balance())
    assert {code: exact(balance["total"][code]) for code in spot.totals()} == spot.totals()


async def test_orders_over_the_connection(spot: Certified, client: Any) -> None:
    placed = await client.create_order_ws(PAIR, "limit", "buy", 0.01, float(spot.far()))
    assert [order.id for order in spot.open()] == [placed["id"]]
    await client.edit_order_ws(placed["id"], PAIR, "limit", "buy", 0.02, float(spot.far("0.4")))
    assert spot.order(placed["id"]).request.quantity == Decimal("0.02")
    await client.cancel_order_ws(placed["id"])
    assert spot.open() == []
    assert spot.exchange.order(USER, placed["id"]) is not None
