"""A whole run of nautilus_trader: a node with data and execution client, and a strategy that trades."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.model.symbol import Symbol
from tests.certification.conftest import USER, Certified, until
from tests.certification.nautilus import number, pyo3

kraken = pytest.importorskip("nautilus_trader.adapters.kraken")
config = pytest.importorskip("nautilus_trader.config")
live = pytest.importorskip("nautilus_trader.live.node")
enums = pytest.importorskip("nautilus_trader.model.enums")
identifiers = pytest.importorskip("nautilus_trader.model.identifiers")
trading = pytest.importorskip("nautilus_trader.trading.strategy")

pytestmark = pytest.mark.filterwarnings("ignore")


class Strategy(trading.Strategy):  # type: ignore[name-defined,misc]
    """Watches one instrument, and the best prices of one; keeps what it is told, and places what the test wants."""

    def __init__(self, instrument: str, quoted: str) -> None:
        super().__init__(config.StrategyConfig(strategy_id="S-001"))
        self.id_ = identifiers.InstrumentId.from_str(instrument)
        self.quoted = identifiers.InstrumentId.from_str(quoted)
        self.trades: list[Any] = []
        self.quotes: list[Any] = []

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.quoted)
        self.subscribe_order_book_deltas(self.id_, book_type=enums.BookType.L2_MBP, depth=10)
        self.subscribe_trade_ticks(self.id_)

    def on_stop(self) -> None:
        """Nothing is left to be done."""

    def on_trade_tick(self, tick: Any) -> None:
        self.trades.append((number(tick.price), number(tick.size)))

    def on_quote_tick(self, tick: Any) -> None:
        self.quotes.append((number(tick.bid_price), number(tick.ask_price)))

    def levels(self) -> tuple[list[tuple[Decimal, Decimal]], ...]:
        book = self.cache.order_book(self.id_)
        sides = (book.bids(), book.asks()) if book else ([], [])
        return tuple([(number(each.price), Decimal(str(each.size()))) for each in side] for side in sides)

    def limit(self, size: str, price: Decimal) -> Any:
        return self._placed(self.order_factory.limit, size, price=self.instrument.make_price(price))

    def market(self, size: str) -> Any:
        return self._placed(self.order_factory.market, size)

    @property
    def instrument(self) -> Any:
        return self.cache.instrument(self.id_)

    def _placed(self, make: Any, size: str, **terms: Any) -> Any:
        order = make(self.id_, enums.OrderSide.BUY, self.instrument.make_qty(Decimal(size)), **terms)
        self.submit_order(order)
        return order


class ExecutionFactory(kraken.KrakenLiveExecClientFactory):  # type: ignore[name-defined,misc]
    """Gives Spot's private connection the address that it asks for its token; its configuration has none for that."""

    @staticmethod
    def create(loop: Any, name: Any, config: Any, msgbus: Any, cache: Any, clock: Any) -> Any:
        client = kraken.KrakenLiveExecClientFactory.create(loop, name, config, msgbus, cache, clock)
        if client._ws_client_spot is not None:
            client._ws_client_spot = pyo3.KrakenSpotWebSocketClient(
                private=True,
                base_url=config.base_url_ws_spot,
                base_url_http=config.base_url_http_spot,
                api_key=config.api_key,
                api_secret=config.api_secret,
            )
        return client


@asynccontextmanager
async def running(
    venue: Certified, strategy: Strategy, addresses: dict[str, str], private: dict[str, str]
) -> AsyncIterator[None]:
    """Run a node with one strategy until the ``async with`` ends."""
    product = "SPOT" if "/" in strategy.id_.value else "FUTURES"
    settings = {
        "api_key": venue.venue.api_key,
        "api_secret": venue.venue.api_secret,
        "product_types": (getattr(kraken.KrakenProductType, product),),
        "instrument_provider": config.InstrumentProviderConfig(load_all=True),
        "max_requests_per_second": 1000,
        **addresses,
    }
    node = live.TradingNode(
        config.TradingNodeConfig(
            trader_id=identifiers.TraderId("CERTIFIED-001"),
            logging=config.LoggingConfig(log_level="ERROR"),
            exec_engine=config.LiveExecEngineConfig(
                reconciliation_startup_delay_secs=0.0,
                # What it lost it has to ask for. Orders on Spot, of whose waiting it never hears, it would give up.
                inflight_check_interval_ms=500 if product == "FUTURES" else 0,
                inflight_check_threshold_ms=1000,
            ),
            risk_engine=config.LiveRiskEngineConfig(bypass=True),  # what is too large is the venue's to refuse
            data_clients={kraken.KRAKEN: kraken.KrakenDataClientConfig(**settings)},
            exec_clients={kraken.KRAKEN: kraken.KrakenExecClientConfig(**{**settings, **private})},
            timeout_post_stop=0.1,
            timeout_shutdown=0.1,
        ),
        loop=asyncio.get_running_loop(),
    )
    node.trader.add_strategy(strategy)
    node.add_data_client_factory(kraken.KRAKEN, kraken.KrakenLiveDataClientFactory)
    node.add_exec_client_factory(kraken.KRAKEN, ExecutionFactory)
    node.build()
    run = asyncio.create_task(node.run_async())
    try:
        await until(lambda: strategy.is_running)
        yield
    finally:
        await node.stop_async()
        run.cancel()
        await asyncio.wait([run])


async def market_data_is_that_of(venue: Certified, strategy: Strategy, size: str, depth: int | None = None) -> None:
    """Compare what the node's data engine keeps with the venue's books while somebody trades."""
    await until(lambda: strategy.levels() == venue.levels(depth))

    async def trade() -> None:
        venue.trade("buy", size)
        venue.trade("sell", size)

    await until(lambda: strategy.trades, trade)
    known = [(trade.price, trade.quantity) for trade in venue.exchange.trades(venue.symbol)]
    await until(lambda: strategy.trades[-1] == known[-1])
    assert set(strategy.trades) <= set(known)
    await until(lambda: strategy.levels() == venue.levels(depth))


async def accepted(strategy: Strategy, size: str, price: Decimal) -> Any:
    """Place an order that waits; again where the client lost that it does, as it had not noted yet that it sent it."""
    for _ in range(5):
        order = strategy.limit(size, price)
        with suppress(TimeoutError):
            async with asyncio.timeout(4):
                await until(lambda order=order: order.is_open)
            return order
    raise AssertionError("five orders were placed, and the client heard of none")


def filled_as_in_the_books(venue: Certified, order: Any) -> bool:
    """Compare sums: what the client lost it finds by asking, and makes up a fill for it."""
    fills = [fill for fill in venue.fills() if fill.order_id == str(order.venue_order_id)]
    assert len(fills) > 1, "the order takes more than one level"
    average = sum(fill.quantity * fill.price for fill in fills) / number(order.filled_qty)
    same_size = number(order.filled_qty) == sum(fill.quantity for fill in fills)
    return same_size and abs(Decimal(order.avg_px) / average - 1) < Decimal("0.00001")


def totals(strategy: Strategy) -> dict[str, Decimal]:
    account = strategy.portfolio.account(strategy.id_.venue)
    return {
        currency.code.upper().replace("XBT", "BTC"): number(each) for currency, each in account.balances_total().items()
    }


async def test_a_run_on_futures(futures: Certified) -> None:
    urls = futures.venue.urls
    addresses = {"base_url_http_futures": futures.url, "base_url_ws_futures": urls["ws_url"]}
    resting = futures.trade("buy", "0.02", futures.far("0.45"), USER)
    futures.trade("buy", "0.1", account=USER)
    # Of one market, the second of book and quotes gets no snapshot.
    strategy = Strategy("PF_XBTUSD.KRAKEN", quoted="PF_ETHUSD.KRAKEN")
    async with running(futures, strategy, addresses, {}):
        [known] = strategy.cache.orders_open()
        assert (str(known.venue_order_id), number(known.quantity)) == (resting.id, Decimal("0.02"))
        [position] = strategy.cache.positions_open()
        assert number(position.quantity) == Decimal("0.1")
        await market_data_is_that_of(futures, strategy, "0.1")
        await until(lambda: strategy.quotes)
        [bid], [ask] = futures.exchange.book(Symbol.parse("ETH/USD:USD"), 1)
        assert strategy.quotes[-1] == (bid.price, ask.price)

        order = await accepted(strategy, "0.01", futures.far())
        venues = futures.order(str(order.venue_order_id))
        assert (venues.request.quantity, venues.request.price) == (Decimal("0.01"), futures.far())
        strategy.modify_order(order, strategy.instrument.make_qty(Decimal("0.02")))
        await until(lambda: number(order.quantity) == Decimal("0.02"))
        assert futures.order(str(order.venue_order_id)).request.quantity == Decimal("0.02")
        strategy.cancel_order(order)
        await until(lambda: order.is_closed)
        assert str(order.venue_order_id) not in {each.id for each in futures.open()}

        order = strategy.market("0.5")
        await until(lambda: order.is_closed)
        assert filled_as_in_the_books(futures, order)
        [held] = futures.exchange.positions(USER)
        await until(lambda: sum(number(each.quantity) for each in strategy.cache.positions_open()) == held.quantity)

        order = strategy.limit("1000", futures.far("0.9"))
        await until(lambda: order.is_closed)
        assert (order.status_string(), "maxPositionViolation" in order.last_event.reason) == ("REJECTED", True)


async def test_a_run_on_spot(spot: Certified) -> None:
    """Of an order that waits the strategy hears nothing: this client needs its id in reports that do not have it."""
    spot.symbol = Symbol.parse("SOL/USD")
    urls = spot.venue.urls
    addresses = {"base_url_http_spot": spot.url, "base_url_ws_spot": urls["ws_url"]}
    resting = spot.trade("buy", "0.5", spot.far("0.45"), USER)
    strategy = Strategy("SOL/USD.KRAKEN", quoted="SOL/USD.KRAKEN")
    async with running(spot, strategy, addresses, {"base_url_ws_spot": urls["ws_auth_url"]}):
        [known] = strategy.cache.orders_open()
        assert (str(known.venue_order_id), number(known.quantity)) == (resting.id, Decimal("0.5"))
        assert totals(strategy) == spot.totals()
        await market_data_is_that_of(spot, strategy, "0.5", depth=10)
        await until(lambda: strategy.quotes and strategy.quotes[-1] == (spot.level("bid"), spot.level("ask")))

        order = strategy.limit("0.2", spot.far())
        await until(lambda: len(spot.open()) == 2)
        placed = spot.open()[-1]
        assert (placed.request.quantity, placed.request.price) == (Decimal("0.2"), spot.far())
        strategy.cancel_order(order)
        await until(lambda: [each.id for each in spot.open()] == [resting.id])

        order = strategy.market(str(spot.levels(1)[1][0][1] + 1))
        await until(lambda: order.is_closed)
        assert filled_as_in_the_books(spot, order)

        order = strategy.limit("5000", spot.far("0.9"))
        await until(lambda: order.is_closed)
        assert (order.status_string(), "EOrder:Insufficient funds" in order.last_event.reason) == ("REJECTED", True)
