"""nautilus_trader's Kraken Spot clients, HTTP and WebSocket, on the simulated Kraken Spot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.model.symbol import Symbol
from tests.certification.conftest import Certified, until
from tests.certification.nautilus import ACCOUNT, Heard, balances, levels, number, price, pyo3, quantity

pytestmark = pytest.mark.filterwarnings("ignore")

BITCOIN = pyo3.InstrumentId.from_str("BTC/USD.KRAKEN")
SOLANA = pyo3.InstrumentId.from_str("SOL/USD.KRAKEN")
MINUTES = pyo3.BarType.from_str("BTC/USD.KRAKEN-1-MINUTE-LAST-EXTERNAL")
BUY, SELL = pyo3.OrderSide.BUY, pyo3.OrderSide.SELL
LIMIT, MARKET = pyo3.OrderType.LIMIT, pyo3.OrderType.MARKET
GTC, IOC = pyo3.TimeInForce.GTC, pyo3.TimeInForce.IOC


def made(spot: Certified, secret: str | None = None) -> Any:
    return pyo3.KrakenSpotHttpClient(
        api_key=spot.venue.api_key,
        api_secret=secret or spot.venue.api_secret,
        base_url=spot.url,
        max_requests_per_second=1000,
    )


@pytest.fixture
async def client(spot: Certified) -> Any:
    client = made(spot)
    for instrument in await client.request_instruments():
        client.cache_instrument(instrument)
    return client


@pytest.fixture
def solana(spot: Certified) -> Certified:
    """Of orders in other markets than those named alike everywhere, such as SOLUSD, this client reports none."""
    spot.symbol = Symbol.parse("SOL/USD")
    return spot


async def place(client: Any, side: Any, type_: Any, size: str, instrument: Any = BITCOIN, **terms: Any) -> str:
    name = pyo3.ClientOrderId(terms.pop("name", f"O-{pyo3.UUID4()}"[:18]))
    terms = {"time_in_force": IOC if type_ == MARKET else GTC, **terms}
    placed = await client.submit_order(ACCOUNT, instrument, name, side, type_, quantity(size), **terms)
    return str(placed)


async def test_instruments_have_the_precision_of_the_venue(spot: Certified) -> None:
    found = {str(each.id.symbol): each for each in await made(spot).request_instruments()}
    assert set(found) == {str(each.instrument.symbol) for each in spot.exchange.markets()}
    for each in spot.exchange.markets():
        instrument = found[str(each.instrument.symbol)]
        assert number(instrument.price_increment) == each.instrument.tick_size
        assert number(instrument.size_increment) == each.instrument.lot_size
        assert number(instrument.min_quantity) == each.instrument.min_quantity


async def test_market_data(spot: Certified, client: Any) -> None:
    book = await client.request_book_snapshot(BITCOIN, 10)
    assert [level[0] for level in levels(book)[0]] == [level[0] for level in spot.levels(10)[0]]
    assert [level[0] for level in levels(book)[1]] == [level[0] for level in spot.levels(10)[1]]
    trades = spot.exchange.trades(spot.symbol)
    seen = [(number(each.price), number(each.size)) for each in await client.request_trades(BITCOIN)]
    assert seen == [(trade.price, trade.quantity) for trade in trades]
    bars = await client.request_bars(MINUTES)
    assert sum(number(bar.volume) for bar in bars) == sum(trade.quantity for trade in trades)
    statuses = await client.request_instrument_statuses()
    assert statuses[BITCOIN] == pyo3.MarketStatusAction.TRADING


async def test_an_order_from_its_birth_to_its_end(solana: Certified, client: Any) -> None:
    placed = await place(client, BUY, LIMIT, "0.5", SOLANA, price=price(solana.far()), name="mine")
    order = solana.order(placed)
    assert (order.request.client_order_id, order.request.price) == ("mine", solana.far())
    [report] = await client.request_order_status_reports(ACCOUNT, open_only=True)
    assert (str(report.venue_order_id), report.order_status) == (placed, pyo3.OrderStatus.ACCEPTED)
    lower, known = solana.far("0.4"), pyo3.VenueOrderId(placed)
    amended = await client.modify_order(SOLANA, None, known, quantity("0.6"), price(lower))
    order = solana.order(str(amended))
    assert (order.id, order.request.quantity, order.limit or order.request.price) == (placed, Decimal("0.6"), lower)
    [report] = await client.request_order_status_reports(ACCOUNT, open_only=True)
    assert number(report.quantity) == Decimal("0.6")
    await client.cancel_order(ACCOUNT, SOLANA, pyo3.ClientOrderId("mine"))
    assert solana.open() == []
    [report] = await client.request_order_status_reports(ACCOUNT)
    assert (str(report.venue_order_id), report.order_status) == (placed, pyo3.OrderStatus.CANCELED)


@pytest.mark.parametrize(
    ("type_", "terms", "expected"),
    [
        pytest.param("LIMIT", {"price": "1.2", "post_only": True}, "limit", id="post only"),
        pytest.param("STOP_MARKET", {"trigger_price": "0.9"}, "stop", id="stop"),
        pytest.param("STOP_LIMIT", {"trigger_price": "0.9", "price": "0.85"}, "stop_limit", id="stop limit"),
        pytest.param("MARKET_IF_TOUCHED", {"trigger_price": "1.1"}, "take_profit", id="take profit"),
    ],
)
async def test_orders_of_other_types(
    spot: Certified, client: Any, type_: str, terms: dict[str, Any], expected: str
) -> None:
    known = {key: price(spot.far(each)) if isinstance(each, str) else each for key, each in terms.items()}
    placed = await place(client, SELL, getattr(pyo3.OrderType, type_), "0.05", **known)
    request = spot.order(placed).request
    assert (request.type.value, request.post_only) == (expected, "post_only" in terms)
    assert request.trigger_price == (number(known["trigger_price"]) if "trigger_price" in known else None)


async def test_batches(spot: Certified, client: Any) -> None:
    def limit(name: str, factor: str) -> tuple[Any, ...]:
        given = (BITCOIN, pyo3.ClientOrderId(name), BUY, LIMIT, quantity("0.01"), GTC, price(spot.far(factor)))
        return (*given, None, None, False, False, None)

    orders = [limit("a", "0.5"), limit("b", "0.51"), limit("c", "0.52")]
    assert await client.submit_orders_batch(orders) == ["placed"] * 3
    placed = spot.open()
    assert [order.request.client_order_id for order in placed] == ["a", "b", "c"]
    assert await client.cancel_orders_batch([pyo3.VenueOrderId(order.id) for order in placed[:2]]) == 2
    assert await client.cancel_all_orders() == 1
    assert spot.open() == []


async def test_what_was_executed_is_told_the_same_everywhere(spot: Certified, client: Any) -> None:
    placed = await place(client, BUY, MARKET, "0.5")
    fills = spot.fills()
    assert len(fills) > 1, "the order takes more than one level"
    seen = {
        (str(each.trade_id), number(each.last_px), number(each.last_qty), number(each.commission))
        for each in await client.request_fill_reports(ACCOUNT)
        if str(each.venue_order_id) == placed
    }
    assert seen == {(fill.id, fill.price, fill.quantity, fill.fee) for fill in fills}
    assert balances(await client.request_account_state(ACCOUNT, pyo3.AccountType.CASH)) == spot.totals()


async def test_a_margin_position(spot: Certified, client: Any) -> None:
    await place(client, BUY, MARKET, "0.1", leverage=2, account_type=pyo3.AccountType.MARGIN)
    [report] = await client.request_position_status_reports(ACCOUNT, account_type=pyo3.AccountType.MARGIN)
    [position] = spot.exchange.positions("user")
    assert (report.position_side.name, number(report.quantity)) == ("LONG", position.quantity)
    assert Decimal((await client.request_margin_metrics())["used_margin"]) > 0


async def test_refusals_arrive_as_what_they_are(spot: Certified, client: Any) -> None:
    with pytest.raises(RuntimeError, match="EOrder:Insufficient funds"):
        await place(client, BUY, LIMIT, "1000", price=price(spot.far()))
    with pytest.raises(RuntimeError, match="Invalid signature"):
        await made(spot, spot.venue.account("stranger").api_secret).request_account_state(ACCOUNT)
    assert spot.open() == []


@pytest.fixture
async def lines(spot: Certified, client: Any) -> AsyncIterator[Any]:
    """Open connections by the name of their address, each told to a listener."""
    opened = []

    async def connect(address: str, heard: Heard, **kind: bool) -> Any:
        line = pyo3.KrakenSpotWebSocketClient(
            base_url=spot.venue.urls[address],
            base_url_http=spot.url,
            api_key=spot.venue.api_key,
            api_secret=spot.venue.api_secret,
            **kind,
        )
        opened.append(line)
        await line.connect(asyncio.get_running_loop(), await client.request_instruments(), heard)
        await line.wait_until_active(10)
        if kind:
            line.set_account_id(ACCOUNT)
            await line.authenticate()
        return line

    yield connect
    for line in opened:
        await line.close()


async def test_streams_of_the_market(spot: Certified, lines: Any) -> None:
    heard = Heard(BITCOIN)
    line = await lines("ws_url", heard)
    await line.subscribe_trades(BITCOIN)
    await line.subscribe_bars(MINUTES)
    await line.subscribe_book(BITCOIN, 10)
    await line.subscribe_quotes(BITCOIN)
    await until(lambda: heard.of("OrderBookDeltas") and heard.of("QuoteTick"))
    assert levels(heard.book) == spot.levels(10)
    spot.trade("buy", "0.4")
    spot.trade("sell", "0.4")
    await until(lambda: heard.of("TradeTick") and heard.of("Bar"))
    await until(lambda: levels(heard.book) == spot.levels(10))
    trades = [(trade.price, trade.quantity) for trade in spot.exchange.trades(spot.symbol)]
    await until(lambda: (number(heard.of("TradeTick")[-1].price), number(heard.of("TradeTick")[-1].size)) == trades[-1])
    best = (spot.level("bid"), spot.level("ask"))
    await until(
        lambda: (number(heard.of("QuoteTick")[-1].bid_price), number(heard.of("QuoteTick")[-1].ask_price)) == best
    )
    bar = spot.exchange.candles(spot.symbol, 1)[-1]
    await until(lambda: number(heard.of("Bar")[-1].volume) == bar.volume)


async def test_every_single_order_of_the_book_passes_the_clients_own_checksum(spot: Certified, lines: Any) -> None:
    heard = Heard(BITCOIN, pyo3.BookType.L3_MBO)
    line = await lines("ws_l3_url", heard, l3=True)
    await line.subscribe_l3_book("BTC/USD", 10)
    await until(lambda: heard.of("OrderBookDeltas"))
    for _ in range(3):
        spot.trade("buy", "0.4")
        spot.trade("sell", "0.4")
    await until(lambda: levels(heard.book) == spot.levels(10))
    snapshots = [each for each in heard.of("OrderBookDeltas") if each.is_snapshot]
    assert len(snapshots) == 1, "a wrong checksum asks for another one"


async def test_streams_of_the_account(spot: Certified, client: Any, lines: Any) -> None:
    heard = Heard(BITCOIN)
    line = await lines("ws_auth_url", heard, private=True)
    await line.subscribe_executions(snap_orders=True, snap_trades=True)

    async def rest() -> None:
        await place(client, BUY, LIMIT, "0.01", price=price(spot.far()))

    placed = (await until(lambda: heard.orders("ACCEPTED"), rest))[-1]
    await client.cancel_order(ACCOUNT, BITCOIN, venue_order_id=pyo3.VenueOrderId(placed))
    await until(lambda: placed in heard.orders("CANCELED"))
    sold = await place(client, SELL, MARKET, "0.5")
    await until(lambda: sold in heard.orders("FILLED"))
    assert {(str(each.trade_id), number(each.last_px), number(each.last_qty)) for each in heard.of("FillReport")} == {
        (fill.id, fill.price, fill.quantity) for fill in spot.fills()
    }
