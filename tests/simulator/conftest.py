"""A small venue of no brand: three markets, a clock that tests move, and a wire protocol of a few lines."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import attrs
import pytest

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulation import (
    SimEvent,
    SimExchange,
    SimFeeTier,
    SimMarginLevel,
    SimMarket,
    SimRefused,
    SimRequest,
    SimulatorSpec,
    WireSession,
)
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange

SPOT = Symbol.parse("BTC/USD")
DATED = Symbol.parse("BTC/USD:USD-260102")
LINEAR = Symbol.parse("BTC/USD:USD")
INVERSE = Symbol.parse("BTC/USD:BTC")


class HandClock:
    """Time that only tests move."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def time_ns(self) -> int:
        return int(self.moment.timestamp()) * 10**9

    def monotonic(self) -> float:
        return self.moment.timestamp()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody should wait {seconds} seconds here")

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Session:
    """Greets, echoes text in capitals, and reports every public trade."""

    def __init__(self, exchange: SimExchange, log: list[str], gone: asyncio.Event) -> None:
        self.outbox: list[str] = []
        self._exchange = exchange
        self._log = log
        self._gone = gone
        self._stop: Callable[[], None] = lambda: None

    def opened(self, now: float) -> None:
        self._stop = self._exchange.listen(self._event)
        self.outbox.append("hello")
        self._log.append("opened")

    def receive(self, frame: str, now: float) -> None:
        self._log.append(f"received {frame[:20]}")
        if frame == "fail":
            raise RuntimeError("a bug in the session")
        if frame.startswith("flood "):
            self.outbox.extend(["x" * 65_536] * int(frame[6:]))
        else:
            self.outbox.append(frame.upper())

    def tick(self, now: float) -> None:
        self._log.append("tick")

    def closed(self) -> None:
        self._stop()
        self._log.append("closed")
        self._gone.set()

    def _event(self, event: SimEvent) -> None:
        self.outbox.append(type(event).__name__)


@attrs.define
class Protocol:
    """``GET /echo``, ``POST /order?side=..&quantity=..&price=..``, ``/fail``; WebSockets under ``/ws``."""

    exchange: SimExchange
    log: list[str] = attrs.field(factory=list)
    gone: asyncio.Event = attrs.field(factory=asyncio.Event)

    def http(self, request: HttpRequest) -> HttpReply:
        path, _, query = request.target.partition("?")
        if path == "/fail":
            raise RuntimeError("a bug in the protocol")
        if path == "/order":
            return self._order(dict(parse_qsl(query)))
        seen = {"method": request.method, "target": request.target, "body": len(request.body)}
        return HttpReply(200, {"content-type": "application/json"}, json.dumps(seen).encode())

    def session(self, path: str) -> WireSession | None:
        return Session(self.exchange, self.log, self.gone) if path == "/ws" else None

    def _order(self, fields: dict[str, str]) -> HttpReply:
        request = SimRequest(
            symbol=SPOT,
            side=Side(fields["side"]),
            type=OrderType.LIMIT,
            quantity=Decimal(fields["quantity"]),
            price=Decimal(fields["price"]),
        )
        try:
            order = self.exchange.place(fields["account"], request)
        except SimRefused as refused:
            return HttpReply(400, {}, str(refused.refusal).encode())
        return HttpReply(200, {}, order.id.encode())


def _market(symbol: Symbol, tick: str, lot: str, minimum: str, maker: str, taker: str, **more: Any) -> SimMarket:
    return SimMarket(
        instrument=Instrument(
            symbol=symbol,
            venue_id=str(symbol),
            tick_size=Decimal(tick),
            lot_size=Decimal(lot),
            min_quantity=Decimal(minimum),
            **more,
        ),
        start_price=Decimal(100),
        fees=FeeRates(maker=Decimal(maker), taker=Decimal(taker)),
    )


MARKETS = (
    _market(SPOT, "0.1", "0.001", "0.002", "0.0016", "0.0026", min_cost=Decimal("0.5")),
    _market(LINEAR, "0.5", "0.01", "0.01", "-0.0001", "0.0005"),
    _market(INVERSE, "0.5", "1", "1", "0.0002", "0.0005"),
)

RICH_MARKETS = (
    attrs.evolve(
        MARKETS[0],
        leverages=(2, 5),
        rollover=Decimal("0.0002"),
        fee_tiers=(
            SimFeeTier(volume=Decimal(1000), fees=FeeRates(maker=Decimal("0.001"), taker=Decimal("0.002"))),
            SimFeeTier(volume=Decimal(5000), fees=FeeRates(maker=Decimal(0), taker=Decimal("0.001"))),
        ),
    ),
    attrs.evolve(
        MARKETS[1],
        margin_levels=(
            SimMarginLevel(size=Decimal(0), initial=Decimal("0.02"), maintenance=Decimal("0.01")),
            SimMarginLevel(size=Decimal(500), initial=Decimal("0.1"), maintenance=Decimal("0.05")),
        ),
    ),
    MARKETS[2],
    _market(DATED, "0.5", "0.01", "0.01", "0.0002", "0.0005"),
)
"""Markets with all that a market can have: leverage, tiers, margin levels, an end."""

SPEC = SimulatorSpec(
    section="spot",
    protocol=Protocol,
    markets=MARKETS,
    # Few decimals, so that every trade has something to round.
    assets=(Asset(code="BTC", venue_id="BTC", decimals=5), Asset(code="USD", venue_id="USD", decimals=2)),
    deposits={"BTC": Decimal(10), "USD": Decimal(10_000)},
    urls=lambda address: {"rest_url": f"http://{address}", "ws_url": f"ws://{address}/ws"},
    order_id=lambda random: f"O{random.getrandbits(64):016X}",
    fill_id=lambda random: f"T{random.getrandbits(64):016X}",
    secret=lambda random: f"secret-{random.getrandbits(64):016x}",
)


@attrs.define
class Desk:
    """An exchange with its clock, all its events, and short ways to ask."""

    exchange: SimulatedExchange
    clock: HandClock
    events: list[SimEvent] = attrs.field(factory=list)

    def place(self, account: str, side: str, quantity: str, price: str | None, **more: Any) -> Any:
        symbol = more.pop("symbol", SPOT)
        validate = more.pop("validate", False)
        request = SimRequest(
            symbol=Symbol.of(symbol),
            side=Side(side),
            type=more.pop("type", OrderType.MARKET if price is None else OrderType.LIMIT),
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
            **more,
        )
        return self.exchange.place(account, request, validate=validate)

    def balance(self, account: str, asset: str) -> tuple[Decimal, Decimal]:
        """Return total and held."""
        return next((b.total, b.held) for b in self.exchange.balances(account) if b.asset == asset)

    def book(self, symbol: str | Symbol = SPOT) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return bids and asks as text."""
        bids, asks = self.exchange.book(Symbol.of(symbol))
        return [(str(p), str(q)) for p, q in bids], [(str(p), str(q)) for p, q in asks]

    def state(self) -> object:
        """Return all there is to see, for comparisons."""
        exchange = self.exchange
        names = ("alice", "bob", "carol")
        return repr(
            [
                [(exchange.balances(name), exchange.open_orders(name), exchange.closed_orders(name)) for name in names],
                [(exchange.fills(name), exchange.ledger(name), exchange.positions(name)) for name in names],
                [(exchange.book(m), exchange.trades(m), exchange.candles(m, 1)) for m in (SPOT, LINEAR, INVERSE)],
            ]
        )


def build(seed: int = 1, deposits: Mapping[str, str] | None = None, markets: Sequence[SimMarket] | None = None) -> Desk:
    clock = HandClock()
    exchange = SimulatedExchange(SPEC, seed=seed, clock=clock, markets=markets)
    desk = Desk(exchange, clock)
    exchange.listen(desk.events.append)
    given = {"BTC": "10", "USD": "10000"} if deposits is None else deposits
    for name in ("alice", "bob", "carol"):
        exchange.add_account(name, {asset: Decimal(amount) for asset, amount in given.items()})
    return desk


@pytest.fixture
def desk() -> Desk:
    """An exchange with alice, bob and carol, who own 10 BTC and 10000 USD each."""
    return build()


@pytest.fixture(scope="session")
def make_desk() -> Callable[..., Desk]:
    return build


@pytest.fixture(scope="session")
def spec() -> SimulatorSpec:
    return SPEC
