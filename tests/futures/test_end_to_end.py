"""The plugin against the simulated venue, over real sockets on loopback."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from exchange_core.errors import AuthenticationError, OrderRefused
from exchange_core.model.book import BookHealth
from exchange_core.model.ledger import LedgerKind
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.simulator.launch import RunningSimulator, SimulatorLaunch, launch
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.venue import connect
from kraken_futures.orders.requests import FuturesOrder
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_futures.rest.charts import Resolution
from kraken_futures.rest.operations import FuturesRest

LINEAR, INVERSE = "BTC/USD:USD", "BTC/USD:BTC"
WITHIN = 20.0


@pytest.fixture
async def simulator() -> AsyncIterator[RunningSimulator]:
    assert KRAKEN_FUTURES.simulator is not None
    async with launch({"futures": SimulatorLaunch(spec=KRAKEN_FUTURES.simulator, seed=7)}) as running:
        yield running["futures"]


@pytest.fixture
async def venue(simulator: RunningSimulator) -> AsyncIterator[ConnectedVenue]:
    async with connect("kraken_futures", **simulator.settings()) as connected:
        await connected.instruments()
        yield connected


def market(symbol: str, side: str, quantity: str) -> OrderRequest:
    return OrderRequest(symbol=symbol, side=side, quantity=quantity)  # type: ignore[arg-type]


async def far_below(venue: ConnectedVenue, symbol: str) -> Decimal:
    book = await venue.book(symbol, 1)
    assert book.best_bid is not None
    return book.best_bid.price - 1000


async def test_books_stay_live_while_the_market_moves(venue: ConnectedVenue) -> None:
    async with asyncio.timeout(WITHIN):
        for symbol in (LINEAR, INVERSE):
            async for book in venue.books(symbol):
                assert book.health is BookHealth.LIVE
                assert book.best_bid is not None
                assert book.best_ask is not None
                assert book.best_bid < book.best_ask
                if book.checked > 20:
                    break


async def test_a_market_order_makes_a_position_and_fills_with_fees(venue: ConnectedVenue) -> None:
    async with asyncio.timeout(WITHIN), venue.fill_updates() as fills:
        order = await venue.place(market(LINEAR, "buy", "0.25"))
        assert order.status is OrderStatus.FILLED
        quantity = Decimal(0)
        async for fill in fills:
            assert fill.venue_order_id == order.venue_order_id
            assert fill.client_order_id == order.client_order_id
            assert fill.fee is None or fill.fee.asset == "USD"
            quantity += fill.quantity
            if quantity == order.filled:
                break
        (position,) = await venue.positions()
        assert position.quantity == Decimal("0.25")
        assert order.average_price is not None
        assert abs(position.entry_price - order.average_price) < Decimal("1e-6")
        assert sum(fill.quantity for fill in await venue.fills()) == Decimal("0.25")


async def test_an_inverse_position_is_counted_in_contracts(venue: ConnectedVenue) -> None:
    async with asyncio.timeout(WITHIN):
        await venue.place(market(INVERSE, "sell", "5000"))
        (position,) = await venue.positions()
        assert position.quantity == -5000
        assert position.unrealised is not None
        assert abs(position.unrealised) < Decimal("0.001")


async def test_an_order_rests_is_found_and_canceled(venue: ConnectedVenue) -> None:
    async with asyncio.timeout(WITHIN):
        price = await far_below(venue, LINEAR)
        order = await venue.place(OrderRequest(symbol=LINEAR, side="buy", quantity="0.1", price=price, post_only=True))  # type: ignore[arg-type]
        assert order.status is OrderStatus.OPEN
        assert [o.venue_order_id for o in await venue.open_orders()] == [order.venue_order_id]
        canceled = await venue.cancel(order)
        assert canceled.status is OrderStatus.CANCELED
        assert await venue.open_orders() == []


async def test_a_post_only_order_that_would_take_is_refused(venue: ConnectedVenue) -> None:
    async with asyncio.timeout(WITHIN):
        price = await far_below(venue, LINEAR) + 5000
        with pytest.raises(OrderRefused) as caught:
            await venue.place(OrderRequest(symbol=LINEAR, side="buy", quantity="0.1", price=price, post_only=True))  # type: ignore[arg-type]
        assert caught.value.codes == ("postWouldExecute",)


async def test_order_updates_tell_of_a_cancel(venue: ConnectedVenue) -> None:
    async with asyncio.timeout(WITHIN), venue.order_updates() as updates:
        price = await far_below(venue, LINEAR)
        order = await venue.place(OrderRequest(symbol=LINEAR, side="buy", quantity="0.1", price=price))  # type: ignore[arg-type]
        await venue.cancel(order)
        seen: list[Order] = []
        async for update in updates:
            seen.append(update)
            if update.status is OrderStatus.CANCELED:
                break
        assert {update.venue_order_id for update in seen} <= {None, order.venue_order_id}


async def test_the_ledger_is_followed_with_each_trade_and_its_fee(venue: ConnectedVenue) -> None:
    async with asyncio.timeout(WITHIN), venue.ledger_updates() as ledger:
        past = await anext(ledger)
        assert past.snapshot
        assert {entry.venue for entry in past.entries} <= {"kraken_futures"}
        await venue.place(market(LINEAR, "buy", "0.25"))
        async for update in ledger:
            trades = [entry for entry in update.entries if entry.kind is LedgerKind.TRADE]
            if trades:
                break
        assert not update.snapshot
        assert trades[0].asset == "USD"
        assert trades[0].fee > 0


async def test_the_lighter_ticker_is_had_of_the_venue(venue: ConnectedVenue) -> None:
    async with asyncio.timeout(WITHIN), venue.tickers(LINEAR, variant="ticker_lite") as tickers:
        ticker = await anext(tickers)
        assert (str(ticker.symbol), ticker.time) == (LINEAR, None)
        assert ticker.bid is not None


async def test_a_wrong_secret_is_refused_and_not_shown(simulator: RunningSimulator) -> None:
    secret = "A" * 87 + "="
    async with (
        asyncio.timeout(WITHIN),
        connect("kraken_futures", **{**simulator.settings(), "api_secret": secret}) as v,
    ):
        with pytest.raises(AuthenticationError) as caught:
            await v.balances()
        assert secret not in str(caught.value)


async def test_without_nonces_calls_are_taken_too(simulator: RunningSimulator) -> None:
    async with asyncio.timeout(WITHIN), connect("kraken_futures", use_nonce=False, **simulator.settings()) as v:
        assert await v.balances()


async def test_the_venues_own_calls_are_reached_through_its_operations(venue: ConnectedVenue) -> None:
    operations = venue.operations
    assert isinstance(operations, FuturesRest)
    async with asyncio.timeout(WITHIN):
        assert {str(one.symbol) for one in await venue.run(operations.market.contracts())} >= {LINEAR, INVERSE}
        tickers = await venue.run(operations.market.tickers(LINEAR))
        assert [str(one.symbol) for one in tickers.contracts] == [LINEAR]
        assert (await venue.run(operations.market.status(LINEAR))).extreme_volatility_initial_margin_multiplier == 1
        assert await venue.run(operations.account.wallets())
        candles = await venue.run(operations.charts.candles(LINEAR, Resolution.MINUTE).page())
        assert candles.items


async def test_an_order_of_the_venues_own_kind_is_sent_seen_and_canceled_by_contract(venue: ConnectedVenue) -> None:
    operations = venue.operations
    assert isinstance(operations, FuturesRest)
    async with asyncio.timeout(WITHIN):
        price = await far_below(venue, LINEAR)
        for number, symbol in enumerate((LINEAR, INVERSE)):
            order = FuturesOrder(
                symbol=symbol,  # type: ignore[arg-type]
                side="buy",
                quantity=1,
                kind="post",
                limit_price=price,
                client_order_id=f"mine-{number}",
            )
            sent = await venue.run(operations.orders.send(order))
            assert sent.status is OrderStatus.OPEN
        (known,) = await venue.run(operations.orders.status(client_order_ids=["mine-0"]))
        assert known.status is OrderStatus.OPEN
        canceled = await venue.run(operations.orders.cancel_all(LINEAR))
        assert [one.order_id for one in canceled.orders] == [known.order.order_id]
        (left,) = await venue.run(operations.orders.open())
        assert (str(left.symbol), left.client_order_id) == (INVERSE, "mine-1")


async def test_what_was_executed_is_in_the_history(venue: ConnectedVenue) -> None:
    operations = venue.operations
    assert isinstance(operations, FuturesRest)
    async with asyncio.timeout(WITHIN):
        order = await venue.place(market(LINEAR, "buy", "0.25"))
        executions = await venue.run(operations.history.executions(LINEAR).page())
        assert not executions.unreadable
        assert {one.order.order_id for one in executions.items} == {order.venue_order_id}
        assert sum(one.quantity for one in executions.items) == Decimal("0.25")
        fills = await venue.run(operations.account.fills().page())
        assert sum(one.quantity for one in fills.items) == Decimal("0.25")
        past = await venue.run(operations.history.market_executions(LINEAR).page())
        assert not past.unreadable
