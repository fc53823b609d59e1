"""A simulated venue follows another one, which plays the real venue, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

import attrs
import pytest

from exchange_core.config import VenueEntry, venue_config
from exchange_core.connector.simulation import SimOrder, SimRequest
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.plugins import load_plugins
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.faults_actions import Cut, DropRequest, Pass, Replace
from exchange_core.simulator.faults_schedule import Fault
from exchange_core.simulator.following import Following, real_venue
from exchange_core.simulator.launch import ACCOUNT, RunningSimulator, SimulatorLaunch, launch

SPOT = Symbol.parse("BTC/USD")
PERPETUAL = Symbol.parse("BTC/USD:USD")
PLUGINS = ["kraken_spot", "kraken_futures"]
SYMBOL = {"kraken_spot": SPOT, "kraken_futures": PERPETUAL}
PATIENCE = 20


@attrs.frozen
class Pair:
    """The venue that plays the real one, and the one that follows it; *said* is what it had to say so far."""

    real: RunningSimulator
    paper: RunningSimulator
    symbol: Symbol
    said: "Said"

    def book(self) -> tuple[object, object]:
        return self.paper.exchange.book(self.symbol), self.real.exchange.book(self.symbol)

    def best(self, side: Side) -> Decimal:
        bids, asks = self.real.exchange.book(self.symbol, 1)
        return (bids if side is Side.BUY else asks)[0].price


class Said:
    """What was said, with an event for those who wait for more."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._more = asyncio.Event()

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        self._more.set()

    async def until(self, words: str) -> str:
        async with asyncio.timeout(PATIENCE):
            while not (found := [line for line in self.lines if words in line]):
                self._more.clear()
                await self._more.wait()
        return found[0]


def entry(plugin: str, running: RunningSimulator | None = None, **options: object) -> VenueEntry:
    spec = load_plugins().venue(plugin)
    options |= {} if running is None else running.urls
    return VenueEntry(name=plugin, spec=spec, config=venue_config(spec, options, plugin))


@asynccontextmanager
async def playing(plugin: str) -> AsyncIterator[RunningSimulator]:
    """Run the venue that plays the real one; its books stand still until someone trades."""
    simulator = load_plugins().venue(plugin).simulator
    assert simulator is not None
    async with launch({"real": SimulatorLaunch(spec=simulator, seed=3, moving=False)}) as running:
        yield running["real"]


@asynccontextmanager
async def followed(
    plugin: str, wanted: Sequence[Symbol] = (), saved: dict[str, object] | None = None
) -> AsyncIterator[Pair]:
    async with playing(plugin) as real, following_it(plugin, real, wanted or [SYMBOL[plugin]], saved) as pair:
        yield pair


@asynccontextmanager
async def following_it(
    plugin: str, real: RunningSimulator, wanted: Sequence[Symbol], saved: dict[str, object] | None = None
) -> AsyncIterator[Pair]:
    async with real_venue(entry(plugin, real), wanted) as opened:
        symbols = [market.instrument.symbol for market in opened.spec.markets]
        paper = SimulatorLaunch(spec=opened.spec, seed=1, outside=symbols, saved=saved)
        async with launch({"paper": paper}) as running:
            said = Said()
            async with Following(opened, running["paper"].exchange, say=said):
                yield Pair(real, running["paper"], symbols[0], said)


def place(exchange: SimulatedExchange, symbol: Symbol, side: Side, quantity: Decimal, price: Decimal) -> SimOrder:
    return exchange.place(
        ACCOUNT, SimRequest(symbol=symbol, side=side, type=OrderType.LIMIT, quantity=quantity, price=price)
    )


async def until(exchange: SimulatedExchange, holds: Callable[[], bool]) -> None:
    """Wait until something holds that events of *exchange* bring about."""
    changed = asyncio.Event()
    stop = exchange.listen(lambda _: changed.set())
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                changed.clear()
                await changed.wait()
    finally:
        stop()


@pytest.mark.parametrize("plugin", PLUGINS)
async def test_the_book_and_the_rules_are_those_of_the_followed_venue(plugin: str) -> None:
    async with followed(plugin) as pair:
        paper, real = pair.book()
        assert paper == real
        here, there = (each.exchange.market(pair.symbol).instrument for each in (pair.paper, pair.real))
        assert here == there
        pair.paper.exchange.check_invariants()


@pytest.mark.parametrize("plugin", PLUGINS)
async def test_an_order_that_takes_fills_at_the_followed_prices_level_by_level(plugin: str) -> None:
    async with followed(plugin) as pair:
        levels = pair.real.exchange.book(pair.symbol, 3)[1]
        lot = pair.real.exchange.market(pair.symbol).instrument.lot_size
        quantity = levels[0].quantity + levels[1].quantity + lot
        pair.paper.exchange.book_money(ACCOUNT, "USD", Decimal(10_000_000), kind="deposit")
        order = place(pair.paper.exchange, pair.symbol, Side.BUY, quantity, levels[2].price)
        fills = [(fill.price, fill.quantity) for fill in pair.paper.exchange.fills(ACCOUNT)]
        assert fills == [tuple(levels[0]), tuple(levels[1]), (levels[2].price, lot)]
        assert order.filled == quantity
        assert pair.real.exchange.book(pair.symbol, 3)[1] == levels


@pytest.mark.parametrize("plugin", PLUGINS)
async def test_an_order_that_rests_fills_when_the_followed_venue_trades_through_it(plugin: str) -> None:
    async with followed(plugin) as pair:
        real, paper, symbol = pair.real.exchange, pair.paper.exchange, pair.symbol
        instrument = real.market(symbol).instrument
        best = real.book(symbol, 1)[0][0]
        quantity = instrument.min_quantity * 10
        order = place(paper, symbol, Side.BUY, quantity, best.price)
        assert order.filled == 0
        # Those who came first are served first, there and here.
        place(real, symbol, Side.SELL, instrument.floor_quantity(best.quantity / 2), best.price)
        await until(paper, lambda: len(paper.trades(symbol)) == 1)
        assert order.filled == 0
        place(real, symbol, Side.SELL, instrument.floor_quantity(best.quantity), best.price - instrument.tick_size * 20)
        await until(paper, lambda: order.filled == quantity)
        assert {fill.price for fill in paper.fills(ACCOUNT)} == {best.price}
        paper.check_invariants()


@pytest.mark.parametrize("plugin", PLUGINS)
async def test_a_lost_connection_withdraws_the_market_which_comes_back_by_itself(plugin: str) -> None:
    async with followed(plugin) as pair:
        real, paper, symbol = pair.real.exchange, pair.paper.exchange, pair.symbol
        instrument = real.market(symbol).instrument
        order = place(paper, symbol, Side.BUY, instrument.min_quantity * 10, pair.best(Side.BUY))
        # The next frame of any kind ends the connection, and for now there is no other.
        closed = pair.real.faults.add(Fault(websocket="open", action=DropRequest()))
        pair.real.faults.add(Fault(websocket="out", action=Cut(), times=1))
        place(real, symbol, Side.BUY, instrument.min_quantity, pair.best(Side.BUY) - instrument.tick_size)
        await pair.said.until("not known just now")
        bids, asks = paper.book(symbol)
        assert ([level.price for level in bids], asks) == ([order.request.price], [])
        assert paper.market(symbol).instrument.status is InstrumentStatus.CANCEL_ONLY
        # Whatever happens there meanwhile is not known here.
        place(real, symbol, Side.SELL, instrument.min_quantity * 2, pair.best(Side.BUY))
        pair.real.faults.remove(closed)
        await pair.said.until("followed again")
        assert order.filled == 0
        assert paper.market(symbol).instrument.status is InstrumentStatus.ONLINE
        assert paper.book(symbol)[1] == real.book(symbol)[1]
        paper.check_invariants()


async def test_a_book_that_fails_its_check_withdraws_the_market_until_it_is_whole() -> None:
    async with followed("kraken_spot") as pair:
        real, symbol = pair.real.exchange, pair.symbol
        broken = Replace(find='"checksum":', put='"checksum":1')
        pair.real.faults.add(Fault(websocket="out", contains=('"type":"update"', '"book"'), action=broken, times=1))
        place(real, symbol, Side.BUY, Decimal("0.001"), pair.best(Side.BUY) - 1)
        assert "desynced" in await pair.said.until("not known just now")
        await pair.said.until("followed again")
        paper, there = pair.book()
        assert paper == there


@pytest.mark.parametrize("plugin", PLUGINS)
async def test_the_followed_venue_gets_nothing_but_public_requests(plugin: str) -> None:
    async with playing(plugin) as real:
        private = [
            real.faults.add(Fault(http="/0/private/*", action=Pass())),
            real.faults.add(Fault(method="POST", http="*", action=Pass())),
            real.faults.add(Fault(websocket="open", path="*auth*", action=Pass())),
            real.faults.add(Fault(websocket="in", contains='"token"', action=Pass())),
            real.faults.add(Fault(websocket="in", contains='"challenge"', action=Pass())),
            real.faults.add(Fault(websocket="in", lacks=("subscribe", "ping"), action=Pass())),
        ]
        public = real.faults.add(Fault(websocket="in", contains="subscribe", action=Pass()))
        before = real.exchange.ledger(ACCOUNT)
        keys = entry(plugin, real)
        async with real_venue(keys, [SYMBOL[plugin]]) as opened:
            assert not opened.venue.has_credentials
        async with following_it(plugin, real, [SYMBOL[plugin]]) as pair:
            order = place(pair.paper.exchange, pair.symbol, Side.BUY, Decimal("0.01"), pair.best(Side.SELL))
            assert order.filled == order.request.quantity
        assert [tally.matched for tally in private] == [0] * len(private)
        assert public.matched > 0
        assert real.exchange.ledger(ACCOUNT) == before
