"""Whole houses with faults in them: simulated venues behind bad lines, our own clients on real sockets, one account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

import attrs

from exchange_core import OrderRequest, connect
from exchange_core.clock import Clock, SystemClock
from exchange_core.connector.simulation import SimFill, SimOrder, SimRequest
from exchange_core.connector.spec import VenueSpec
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.order import Order, OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.plugins import Plugins, load_plugins
from exchange_core.simulator.faults import actions
from exchange_core.simulator.faults.schedule import Fault
from exchange_core.simulator.faults.tally import Faults, Tally
from exchange_core.simulator.launch import ACCOUNT, RunningSimulator, SimulatorLaunch, launch
from exchange_core.simulator.makers.maker import MakerSettings
from exchange_core.storage.scrub import Scrubber
from exchange_core.transport.feed_runner import FrameTap
from exchange_core.transport.nonces import NonceSource
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.resolver import ResolvePolicy
from exchange_core.venue.venue import Surroundings
from tests.house.chaos_report import Talk

WITHIN = 10.0
"""Real seconds after which what a test waits for is not going to happen."""

CALM = MakerSettings(volatility=Decimal(0), trade_chance=Decimal(0), levels=5)
"""A market in which only tests trade; its quotes are renewed, so that its book keeps moving."""

QUICK = ResolvePolicy(first_pause=0.02, longest_pause=0.1, margin=0.05, wait=5.0, cancel_wait=0.5)


@cache
def installed() -> Plugins:
    """Look for plugins once for all tests."""
    return load_plugins()


@attrs.frozen
class Kind:
    """One of the venues and how its wire is told apart.

    Attributes:
        symbol, name: What is traded, in our words and in the venue's; *other* and *other_name* are beside it.
        place, cancel: Paths.
        book, update, snapshot: What is in messages of books, and in those that are one or the other.
        unavailable: An answer that leaves open what happened.
    """

    plugin: str
    symbol: str
    other: str
    place: str
    cancel: str
    name: str
    other_name: str
    book: str
    update: str
    snapshot: str
    unavailable: str
    options: dict[str, Any] = attrs.field(factory=dict, repr=False)

    @property
    def spec(self) -> VenueSpec:
        return installed().venue(self.plugin)

    def __str__(self) -> str:
        return self.plugin


SPOT = Kind(
    plugin="kraken_spot",
    symbol="BTC/USD",
    other="ETH/USD",
    place="/0/private/AddOrder",
    cancel="/0/private/CancelOrder",
    name='"BTC/USD"',
    other_name='"ETH/USD"',
    book='"channel":"book"',
    update='"type":"update"',
    snapshot='"type":"snapshot"',
    unavailable='{"error":["EService:Unavailable"]}',
    options={"tier": "pro"},
)
FUTURES = Kind(
    plugin="kraken_futures",
    symbol="BTC/USD:USD",
    other="ETH/USD:USD",
    place="/derivatives/api/v3/sendorder",
    cancel="/derivatives/api/v3/cancelorder",
    name='"PF_XBTUSD"',
    other_name='"PF_ETHUSD"',
    book='"feed":"book',
    update='"feed":"book"',
    snapshot='"feed":"book_snapshot"',
    unavailable='{"result":"error","error":"Unavailable","serverTime":"2026-11-24T08:00:00.000Z"}',
)
KINDS = (SPOT, FUTURES)


NOTHING = Decimal(0)


class Eager(Random):
    """Waits hardly at all between attempts to connect."""

    def uniform(self, a: float, b: float) -> float:
        return a / 10


class FastClock:
    """Real time, *speed* times as fast."""

    def __init__(self, speed: float) -> None:
        self._real = SystemClock()
        self._speed = speed
        self._start = self._real.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._gained())

    def time_ns(self) -> int:
        return self._real.time_ns() + int(self._gained() * 1e9)

    def monotonic(self) -> float:
        return self._real.monotonic() + self._gained()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)

    def _gained(self) -> float:
        return (self._real.monotonic() - self._start) * (self._speed - 1)


@attrs.define
class House:
    """One simulated venue and our client on it.

    Attributes:
        frames: All that went over each of the client's feeds: its name, ``in`` or ``out``, the text.
        talk: The latest of that and of the calls, for when a test fails.
        struck: What was to go wrong, and how often it did.
        notes: What else is worth knowing then.
    """

    kind: Kind
    running: RunningSimulator
    venue: ConnectedVenue
    clock: Clock
    options: dict[str, Any] = attrs.field(factory=dict, repr=False)
    frames: list[tuple[str, str, str]] = attrs.field(factory=list)
    talk: Talk = attrs.field(factory=Talk, repr=False)
    struck: list[Tally] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)

    @property
    def faults(self) -> Faults:
        return self.running.faults

    @asynccontextmanager
    async def again(self, **options: Any) -> AsyncIterator[House]:
        """Connect once more to the same venue, with the same key and plugin options."""
        given = {"clock": self.clock, **self.options, **options}
        async with client(self.kind, self.running, **given) as other:
            yield other

    # What goes wrong

    def strike(self, action: actions.Action, **given: Any) -> Tally:
        self.struck.append(self.faults.add(Fault(action=action, **given)))
        return self.struck[-1]

    def count(self, **given: Any) -> Tally:
        return self.strike(actions.Pass(), **given)

    # What the exchange knows

    @property
    def orders(self) -> Sequence[SimOrder]:
        exchange = self.running.exchange
        return [*exchange.open_orders(ACCOUNT), *exchange.closed_orders(ACCOUNT)]

    @property
    def fills(self) -> Sequence[SimFill]:
        return self.running.exchange.fills(ACCOUNT)

    def quote(self, side: Side, symbol: str = "") -> Decimal:
        """Return the best price on one side."""
        bids, asks = self.running.exchange.book(Symbol.parse(symbol or self.kind.symbol), 1)
        return (bids if side is Side.BUY else asks)[0].price

    def trade_against(self, order: Order | SimOrder, quantity: Decimal) -> None:
        """Let somebody else fill *order*, which must be the best on its side."""
        request = order.request
        self.running.exchange.place(
            "somebody",
            SimRequest(
                symbol=request.symbol,
                side=request.side.opposite,
                type=OrderType.LIMIT,
                quantity=quantity,
                price=request.price,
            ),
        )

    # What tests ask for again and again

    def market(self, quantity: str = "0.01", side: str = "buy") -> OrderRequest:
        return OrderRequest(symbol=self.kind.symbol, side=side, quantity=quantity)

    def resting(self, quantity: str = "0.01", below: int = 1000) -> OrderRequest:
        """A buy order far below the market."""
        price = self.quote(Side.BUY) - below
        return OrderRequest(symbol=self.kind.symbol, side="buy", quantity=quantity, price=price)

    def best(self, quantity: str = "0.01") -> OrderRequest:
        """A buy order above all others that fills nothing by itself."""
        price = self.quote(Side.BUY) + 2
        assert price < self.quote(Side.SELL)
        return OrderRequest(symbol=self.kind.symbol, side="buy", quantity=quantity, price=price)

    async def follow(self) -> None:
        """Have the account followed live."""
        stream = self.venue.fill_updates()
        await until(lambda: self.venue.health().feeds["private"].state == "open" and self.follows)
        stream.close()

    async def ended(self, order: Order) -> Order:
        """Wait for the end of an order."""
        async with asyncio.timeout(WITHIN), self.venue.order_updates() as news:
            order = await self.venue.order(order)
            while not order.is_final:
                each = await anext(news)
                order = each if each.venue_order_id == order.venue_order_id else order
        return order

    async def complete_past(self, moment: datetime) -> None:
        """Wait until the record of fills claims to be complete beyond *moment*."""
        await until(lambda: self.venue.fills_complete_until is not None and self.venue.fills_complete_until > moment)

    @property
    def follows(self) -> bool:
        until_now = self.venue.fills_complete_until
        return until_now is not None

    def one_order(self, quantity: str = "0.01") -> SimOrder:
        """Return the only order that the exchange ever had from us; all that was filled is in the account."""
        (order,) = self.orders
        assert str(order.request.quantity.normalize()) == str(Decimal(quantity).normalize())
        assert sum(fill.quantity for fill in self.fills) == order.filled
        self.running.exchange.check_invariants()
        return order


@asynccontextmanager
async def house(
    kind: Kind,
    *,
    clock: Clock | None = None,
    makers: MakerSettings | None = CALM,
    seed: int = 5,
    within: float = 3 * WITHIN,
    **options: Any,
) -> AsyncIterator[House]:
    """Run a venue, for *within* real seconds at most, and connect to it; *options* are those of :func:`client`."""
    assert kind.spec.simulator is not None
    simulator = attrs.evolve(kind.spec.simulator, markets=kind.spec.simulator.markets[:2])
    wanted = {"venue": SimulatorLaunch(spec=simulator, seed=seed, makers=makers)}
    async with asyncio.timeout(within), launch(wanted, clock=clock) as all_running:
        running = all_running["venue"]
        running.exchange.add_account("somebody", {name: Decimal(10**6) for name in ("USD", "BTC")})
        async with client(kind, running, clock=clock, **options) as home:
            yield home


@asynccontextmanager
async def client(
    kind: Kind,
    running: RunningSimulator,
    *,
    clock: Clock | None = None,
    policy: ResolvePolicy = QUICK,
    queue_size: int = 10_000,
    nonces: NonceSource | None = None,
    **options: Any,
) -> AsyncIterator[House]:
    """Connect to a venue that runs; *options* are those of the plugin."""
    frames: list[tuple[str, str, str]] = []
    talk = Talk(Scrubber((running.api_key, running.api_secret)))
    clock = clock or SystemClock()

    def tap(name: str) -> FrameTap:
        listen = talk.feed(name)

        def take(way: str, frame: str | bytes, when: float) -> None:
            frames.append((name, way, _text(frame)))
            listen(way, frame, when)

        return take

    around = Surroundings(
        clock=clock,
        random=Eager(),
        policy=policy,
        queue_size=queue_size,
        nonces=nonces,
        rest_tap=talk.rest,
        frame_tap=tap,
    )
    # Over REST, unless a test is about the other way: most faults here are those of HTTP.
    given = {"order_entry": "rest", **kind.options, **running.settings(), **options}
    async with connect(kind.plugin, surroundings=around, plugins=installed(), **given) as venue:
        yield House(kind, running, venue, clock, options, frames, talk)


def _text(frame: str | bytes) -> str:
    return frame if isinstance(frame, str) else frame.decode()


async def until(condition: Callable[[], object], within: float = WITHIN) -> None:
    """Wait until *condition* holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - what it waits for happens in many places
            await asyncio.sleep(0.002)


class Watch:
    """Follows a book and keeps how it stood each time that it was published."""

    def __init__(self, home: House, symbol: str, name: str) -> None:
        self._home = home
        self._symbol = Symbol.parse(symbol)
        self.seen: list[tuple[BookHealth, int]] = []
        self.asked = home.count(websocket="in", contains=('"subscribe"', name))

    async def start(self) -> Watch:
        await self._home.venue.on_book(self._symbol, None, self._look)
        return self

    def _look(self, book: OrderBook) -> None:
        self.seen.append((book.health, len(book.bids(1)) * len(book.asks(1))))

    @property
    def health(self) -> BookHealth:
        return self._home.venue.health().books[self._symbol].health

    async def more(self, count: int) -> None:
        """Wait until it was published *count* times more."""
        wanted = len(self.seen) + count
        await until(lambda: len(self.seen) >= wanted)

    @property
    def was_always_whole(self) -> bool:
        """Whether it had levels whenever it was live, and never otherwise."""
        return all(levels == (health is BookHealth.LIVE) for health, levels in self.seen)

    async def until_right(self) -> None:
        """Wait until the book is what stands at the exchange, in full."""
        exchange, view = self._home.running.exchange, self._home.venue.live_book(self._symbol)
        assert view is not None
        await until(lambda: (list(view.bids()), list(view.asks())) == exchange.book(self._symbol))
