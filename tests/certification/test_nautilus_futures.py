"""nautilus_trader's Kraken Futures clients, HTTP and WebSocket, on the simulated Kraken Futures."""

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

BITCOIN = pyo3.InstrumentId.from_str("PF_XBTUSD.KRAKEN")
ETHER = pyo3.InstrumentId.from_str("PF_ETHUSD.KRAKEN")
MINUTES = pyo3.BarType.from_str("PF_XBTUSD.KRAKEN-1-MINUTE-LAST-EXTERNAL")
BUY, SELL = pyo3.OrderSide.BUY, pyo3.OrderSide.SELL
LIMIT, MARKET = pyo3.OrderType.LIMIT, pyo3.OrderType.MARKET
GTC = pyo3.TimeInForce.GTC


def made(futures: Certified, secret: str | None = None) -> Any:
    return pyo3.KrakenFuturesHttpClient(
        api_key=futures.venue.api_key,
        api_secret=secret or futures.venue.api_secret,
        base_url=futures.url,
        max_requests_per_second=1000,
    )


@pytest.fixture
async def client(futures: Certified) -> Any:
    client = made(futures)
    for instrument in await client.request_instruments():
        client.cache_instrument(instrument)
    return client


async def place(client: Any, side: Any, type_: Any, size: str, **terms: Any) -> str:
    name = pyo3.ClientOrderId(terms.pop("name", f"O-{pyo3.UUID4()}"[:18]))
    report = await client.submit_order(ACCOUNT, BITCOIN, name, side, type_, quantity(size), GTC, **terms)
    return str(report.venue_order_id)


async def test_instruments_have_the_precision_of_the_venue(futures: Certified) -> None:
    found = {str(each.id.symbol): each for each in await made(futures).request_instruments()}
    assert set(found) == {each.instrument.venue_id for each in futures.exchange.markets()}
    for each in futures.exchange.markets():
        instrument = found[each.instrument.venue_id]
        assert number(instrument.price_increment) == each.instrument.tick_size
        assert number(instrument.size_increment) == each.instrument.lot_size


async def test_market_data(futures: Certified, client: Any) -> None:
    assert levels(await client.request_book_snapshot(BITCOIN, 10)) == futures.levels(10)
    trades = futures.exchange.trades(futures.symbol)
    seen = [(number(each.price), number(each.size)) for each in await client.request_trades(BITCOIN)]
    assert seen == [(trade.price, trade.quantity) for trade in trades]
    bars = await client.request_bars(MINUTES)
    assert sum(number(bar.volume) for bar in bars) == sum(trade.quantity for trade in trades)
    assert (await client.request_instrument_statuses())[BITCOIN] == pyo3.MarketStatusAction.TRADING


async def test_an_order_from_its_birth_to_its_end(futures: Certified, client: Any) -> None:
    placed = await place(client, BUY, LIMIT, "0.01", price=price(futures.far()), name="mine")
    order = futures.order(placed)
    assert (order.request.client_order_id, order.request.price) == ("mine", futures.far())
    lower, known = futures.far("0.4"), pyo3.VenueOrderId(placed)
    await client.modify_order(BITCOIN, None, known, quantity("0.02"), price(lower))
    [report] = await client.request_order_status_reports(ACCOUNT, open_only=True)
    assert (str(report.venue_order_id), report.order_status) == (placed, pyo3.OrderStatus.ACCEPTED)
    assert (number(report.quantity), number(report.price)) == (Decimal("0.02"), lower)
    order = futures.order(placed)
    assert (order.request.quantity, order.limit or order.request.price) == (Decimal("0.02"), lower)
    await client.cancel_order(ACCOUNT, BITCOIN, pyo3.ClientOrderId("mine"))
    assert futures.open() == []
    assert await client.request_order_status_reports(ACCOUNT, open_only=True) == []


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
    futures: Certified, client: Any, type_: str, terms: dict[str, Any], expected: str
) -> None:
    known = {key: price(futures.far(each)) if isinstance(each, str) else each for key, each in terms.items()}
    placed = await place(client, SELL, getattr(pyo3.OrderType, type_), "0.05", **known)
    request = futures.order(placed).request
    assert (request.type.value, request.post_only) == (expected, "post_only" in terms)
    assert request.trigger_price == (number(known["trigger_price"]) if "trigger_price" in known else None)
    assert request.price == (number(known["price"]) if "price" in known else None)


async def test_batches(futures: Certified, client: Any) -> None:
    def limit(name: str, factor: str) -> tuple[Any, ...]:
        given = (BITCOIN, pyo3.ClientOrderId(name), BUY, LIMIT, quantity("0.01"), GTC, price(futures.far(factor)))
        return (*given, None, None, False, False)

    orders = [limit("a", "0.5"), limit("b", "0.51"), limit("c", "0.52")]
    assert await client.submit_orders_batch(orders) == ["placed"] * 3
    edit = (BITCOIN, pyo3.ClientOrderId("a"), None, quantity("0.03"), None, None)  # it misspells the venue's own id
    assert await client.edit_orders_batch([edit]) == ["edited"]
    placed = futures.open()
    assert sorted(order.request.quantity for order in placed) == [Decimal("0.01"), Decimal("0.01"), Decimal("0.03")]
    assert await client.cancel_orders_batch([pyo3.VenueOrderId(order.id) for order in placed[:2]]) == 2
    assert await client.cancel_all_orders(BITCOIN) == 1
    assert futures.open() == []


async def test_what_was_executed_is_told_the_same_everywhere(futures: Certified, client: Any) -> None:
    placed = await place(client, BUY, MARKET, "0.5")
    fills = futures.fills()
    assert len(fills) > 1, "the order takes more than one level"
    seen = {
        (str(each.trade_id), str(each.venue_order_id), number(each.last_px), number(each.last_qty))
        for each in await client.request_fill_reports(ACCOUNT)
    }
    assert seen == {(fill.id, placed, fill.price, fill.quantity) for fill in fills}
    [report] = await client.request_position_status_reports(ACCOUNT)
    [held] = futures.exchange.positions("user")
    assert (report.position_side.name, number(report.quantity)) == ("LONG", held.quantity)
    found = balances(await client.request_account_state(ACCOUNT))
    assert abs(found["USD"] - futures.totals()["USD"]) < Decimal("0.01")


async def test_refusals_arrive_as_what_they_are(futures: Certified, client: Any) -> None:
    with pytest.raises(RuntimeError, match="insufficientAvailableFunds"):
        await place(client, BUY, LIMIT, "1000", price=price(futures.far("0.9")))
    with pytest.raises(RuntimeError, match="POST_ONLY_REJECTED"):
        await place(client, BUY, LIMIT, "0.01", price=price(futures.level("ask")), post_only=True)
    with pytest.raises(RuntimeError, match="authenticationError"):
        await made(futures, futures.venue.account("stranger").api_secret).request_account_state(ACCOUNT)
    assert futures.open() == []


@pytest.fixture
async def line(futures: Certified, client: Any) -> AsyncIterator[tuple[Any, Heard]]:
    heard = Heard(BITCOIN)
    line = pyo3.KrakenFuturesWebSocketClient(
        base_url=futures.venue.urls["ws_url"], api_key=futures.venue.api_key, api_secret=futures.venue.api_secret
    )
    await line.connect(asyncio.get_running_loop(), await client.request_instruments(), heard)
    await line.wait_until_active(10)
    yield line, heard
    await line.close()


async def test_streams_of_the_market(futures: Certified, line: tuple[Any, Heard]) -> None:
    client, heard = line
    futures.exchange.set_funding(futures.symbol, Decimal("0.00001"))
    await client.subscribe_book(BITCOIN)
    await client.subscribe_trades(BITCOIN)
    await client.subscribe_mark_price(BITCOIN)
    await client.subscribe_funding_rate(BITCOIN)
    await client.subscribe_quotes(ETHER)  # elsewhere: of one market, the second of book and quotes gets no snapshot
    await until(lambda: levels(heard.book) == futures.levels() and heard.of("QuoteTick"))
    [bid], [ask] = futures.exchange.book(Symbol.parse("ETH/USD:USD"), 1)
    quote = heard.of("QuoteTick")[-1]
    assert (number(quote.bid_price), number(quote.ask_price)) == (bid.price, ask.price)
    futures.trade("buy", "0.3")
    futures.trade("sell", "0.3")
    await until(lambda: levels(heard.book) == futures.levels())
    trades = [(trade.price, trade.quantity) for trade in futures.exchange.trades(futures.symbol)]
    await until(lambda: heard.of("TradeTick"))
    await until(lambda: (number(heard.of("TradeTick")[-1].price), number(heard.of("TradeTick")[-1].size)) == trades[-1])
    await until(lambda: heard.of("MarkPriceUpdate") and heard.of("IndexPriceUpdate"))
    await until(lambda: [each for each in heard.of("FundingRateUpdate") if each.rate == Decimal("0.00001")])


async def test_streams_of_the_account(futures: Certified, client: Any, line: tuple[Any, Heard]) -> None:
    feeds, heard = line
    feeds.set_account_id(ACCOUNT)
    await feeds.authenticate()
    await feeds.subscribe_executions()

    async def rest() -> None:
        await place(client, BUY, LIMIT, "0.01", price=price(futures.far()))

    placed = (await until(lambda: heard.orders("ACCEPTED"), rest))[-1]
    await client.cancel_order(ACCOUNT, BITCOIN, venue_order_id=pyo3.VenueOrderId(placed))
    await until(lambda: placed in heard.orders("CANCELED"))
    await place(client, SELL, MARKET, "0.5")
    known = {(fill.id, fill.price, fill.quantity) for fill in futures.fills()}
    await until(
        lambda: (
            {(str(each.trade_id), number(each.last_px), number(each.last_qty)) for each in heard.of("FillReport")}
            == known
        )
    )
