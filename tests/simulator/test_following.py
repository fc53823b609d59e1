"""A simulated venue follows another one, which plays the real venue, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal

import attrs
import pytest

from exchange_core.clock import Clock
from exchange_core.config import SecretReference, VenueEntry, venue_config
from exchange_core.connector.simulation import SimOrder, SimRequest
from exchange_core.errors import ConnectFailed, TransportError, UnknownSymbol
from exchange_core.model.event import VenueState
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.plugins import load_plugins
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.faults.actions import Cut, Drop, DropRequest, Pass, Replace
from exchange_core.simulator.faults.schedule import Fault
from exchange_core.simulator.launch import ACCOUNT, RunningSimulator, SimulatorLaunch, launch
from exchange_core.simulator.outside.following import Following, real_venue
from exchange_core.testing.clock import ManualClock
from exchange_core.venue.protocol import Venue

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
    venue: Venue
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


def entry(plugin: str, urls: Mapping[str, str], **options: str) -> VenueEntry:
    spec = load_plugins().venue(plugin)
    return VenueEntry(name=plugin, spec=spec, config=venue_config(spec, {**urls, **options}, plugin))


@asynccontextmanager
async def playing(plugin: str) -> AsyncIterator[RunningSimulator]:
    """Run the venue that plays the real one; its books stand still until someone trades."""
    simulator = load_plugins().venue(plugin).simulator
    assert simulator is not None
    async with launch({"real": SimulatorLaunch(spec=simulator, seed=3, moving=False)}) as running:
        yield running["real"]


@asynccontextmanager
async def followed(plugin: str, clock: Clock | None = None) -> AsyncIterator[Pair]:
    async with playing(plugin) as real, following_it(plugin, real, clock=clock) as pair:
        yield pair


@asynccontextmanager
async def following_it(
    plugin: str, real: RunningSimulator, *, saved: dict[str, object] | None = None, clock: Clock | None = None
) -> AsyncIterator[Pair]:
    async with real_venue(entry(plugin, real.urls), [SYMBOL[plugin]]) as opened:
        symbols = [market.instrument.symbol for market in opened.spec.markets]
        paper = SimulatorLaunch(spec=opened.spec, seed=1, outside=symbols, saved=saved)
        async with launch({"paper": paper}) as running:
            said = Said()
            async with Following(opened, running["paper"].exchange, say=said, clock=clock):
                yield Pair(real, running["paper"], opened.venue, symbols[0], said)


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


async def test_a_contract_is_valued_and_funded_as_the_followed_one_is() -> None:
    async with followed("kraken_futures") as pair:
        real, paper, symbol = pair.real.exchange, pair.paper.exchange, pair.symbol
        wanted = Decimal(84123), Decimal(84100), Decimal("0.00001")
        real.set_mark(symbol, wanted[0])
        real.set_index(symbol, wanted[1])
        real.set_funding(symbol, wanted[2])

        def values() -> tuple[Decimal, Decimal, Decimal]:
            return paper.mark_price(symbol), paper.index_price(symbol), paper.funding(symbol)[-2].rate

        async with asyncio.timeout(PATIENCE), pair.venue.tickers(symbol) as tickers:
            async for _ in tickers:
                if values() == wanted:
                    break
                place(real, symbol, Side.BUY, Decimal("0.0001"), pair.best(Side.SELL))  # for another ticker
        place(real, symbol, Side.BUY, Decimal("0.0001"), pair.best(Side.BUY))
        await until(paper, lambda: paper.book(symbol) == real.book(symbol))
        assert values() == wanted


@pytest.mark.parametrize("plugin", PLUGINS)
async def test_what_the_followed_market_takes_is_what_it_takes_here(plugin: str) -> None:
    clock = ManualClock()
    async with followed(plugin, clock) as pair:
        pair.real.exchange.set_status(pair.symbol, InstrumentStatus.POST_ONLY)
        await clock.advance(60)  # till the list is read again
        await pair.said.until(f"{pair.symbol} is post_only")
        assert pair.paper.exchange.market(pair.symbol).instrument.status is InstrumentStatus.POST_ONLY
        assert pair.paper.exchange.book(pair.symbol) == pair.real.exchange.book(pair.symbol)


async def test_the_state_of_the_whole_venue_is_followed() -> None:
    clock = ManualClock()
    async with followed("kraken_spot", clock) as pair:
        told = pair.real.faults.add(Fault(websocket="out", contains='"channel":"status"', action=Pass()))
        pair.real.exchange.state = VenueState.CANCEL_ONLY
        await told.until_fired()
        # What comes on the same connection after it shows that it has come.
        place(pair.real.exchange, pair.symbol, Side.BUY, Decimal("0.001"), pair.best(Side.BUY))
        await until(pair.paper.exchange, lambda: pair.book()[0] == pair.book()[1])
        await clock.advance(1)
        assert pair.paper.exchange.state is VenueState.CANCEL_ONLY
        assert pair.said.lines == ["kraken_spot: it is cancel_only"]


async def test_a_saved_account_goes_on_and_what_stood_in_the_market_does_not() -> None:
    async with playing("kraken_spot") as real:
        async with following_it("kraken_spot", real) as pair:
            bought = place(pair.paper.exchange, SPOT, Side.BUY, Decimal("0.01"), pair.best(Side.SELL))
            rests = place(pair.paper.exchange, SPOT, Side.BUY, Decimal("0.01"), Decimal(70_000))
            saved = pair.paper.exchange.save()
        place(real.exchange, SPOT, Side.BUY, Decimal("0.5"), Decimal(90_000))
        async with following_it("kraken_spot", real, saved=saved) as pair:
            paper = pair.paper.exchange
            assert [order.id for order in paper.open_orders(ACCOUNT)] == [rests.id]
            assert [fill.order_id for fill in paper.fills(ACCOUNT)] == [bought.id]
            assert paper.book(SPOT)[1] == real.exchange.book(SPOT)[1]
            paper.check_invariants()


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
        missing = SecretReference("api_key", "env", "NOBODY_HAS_SET_THIS")
        keys = attrs.evolve(entry(plugin, real.urls), api_key=missing, api_secret=missing)
        async with real_venue(keys, [SYMBOL[plugin]]) as opened:
            assert not opened.venue.has_credentials
        async with following_it(plugin, real) as pair:
            order = place(pair.paper.exchange, pair.symbol, Side.BUY, Decimal("0.01"), pair.best(Side.SELL))
            assert order.filled == order.request.quantity
        assert [tally.matched for tally in private] == [0] * len(private)
        assert public.matched > 0
        assert real.exchange.ledger(ACCOUNT) == before


async def test_a_venue_that_cannot_be_reached_is_said_so() -> None:
    nobody = {"rest_url": "http://127.0.0.1:9", "ws_url": "ws://127.0.0.1:9/v2"}
    with pytest.raises(ConnectFailed, match="kraken_spot"):
        async with real_venue(entry("kraken_spot", nobody)):
            pass


async def test_markets_that_it_does_not_list_are_refused_by_name() -> None:
    async with playing("kraken_spot") as real:
        with pytest.raises(UnknownSymbol, match="XYZ/USD"):
            async with real_venue(entry("kraken_spot", real.urls), [SPOT, Symbol.parse("XYZ/USD")]):
                pass
        with pytest.raises(UnknownSymbol, match="none of XYZ/USD"):
            async with real_venue(entry("kraken_spot", real.urls), [Symbol.parse("XYZ/USD")], all_of_them=False):
                pass
        async with real_venue(entry("kraken_spot", real.urls)) as opened:
            assert opened.symbols == [market.instrument.symbol for market in real.exchange.markets()]


async def test_without_a_live_book_it_does_not_begin() -> None:
    async with playing("kraken_spot") as real:
        real.faults.add(Fault(websocket="out", contains='"channel":"book"', action=Drop()))
        async with (
            real_venue(entry("kraken_spot", real.urls), [SPOT]) as opened,
            launch({"paper": SimulatorLaunch(spec=opened.spec, outside=[SPOT])}) as running,
        ):
            with pytest.raises(TransportError, match="no live book of BTC/USD"):
                async with Following(opened, running["paper"].exchange, within=0.1):
                    pass
            assert running["paper"].exchange.book(SPOT) == ([], [])


async def test_the_fees_of_the_configuration_are_those_that_are_paid() -> None:
    async with playing("kraken_spot") as real:
        fees = {"maker_fee": "0.0001", "taker_fee": "0.0003"}
        async with real_venue(entry("kraken_spot", real.urls, **fees), [SPOT]) as opened:
            market = opened.spec.markets[0]
            assert (market.fees.maker, market.fees.taker) == (Decimal("0.0001"), Decimal("0.0003"))
            assert not market.fee_tiers
