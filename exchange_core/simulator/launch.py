"""Start several simulated venues at once, each with a funded account whose key is in the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal

import attrs

from exchange_core.clock import Clock, SystemClock
from exchange_core.connector.simulation import SimMarket, SimulatorSpec, WireProtocol
from exchange_core.errors import ConfigError
from exchange_core.model.account import FeeRates
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.faults import Faults
from exchange_core.simulator.faults_schedule import FaultSchedule
from exchange_core.simulator.maker import MakerSettings, market_makers
from exchange_core.simulator.server import SimulatorServer

ACCOUNT = "user"

_WARM_UP = 20  # steps of the makers before anyone can connect: full books, some trades


@attrs.frozen(kw_only=True)
class SimulatorLaunch:
    """One simulated venue to start.

    Attributes:
        port: 0 takes any free one.
        price_shift: Moves every market's start price, relative: 0.001 is 0.1 % up.
        fees: Of every market, instead of the spec's.
        deposits: What the account starts with, instead of the spec's.
        makers: How its markets behave.
        faults: What goes wrong between it and its clients.
        limits: Whether it refuses who asks too often, as far as it can.
        tier: Of the accounts whose limits count, in the venue's words; its usual one without.
    """

    spec: SimulatorSpec
    port: int = 0
    seed: int = 0
    price_shift: Decimal = Decimal(0)
    fees: FeeRates | None = None
    deposits: Mapping[str, Decimal] | None = None
    makers: MakerSettings | None = None
    faults: FaultSchedule | None = None
    limits: bool = False
    tier: str = ""


@attrs.frozen(kw_only=True)
class RunningSimulator:
    """A simulated venue that runs.

    Attributes:
        urls: The config fields of the plugin that point to it.
        faults: What goes wrong between it and its clients; can be changed while it runs.
    """

    section: str
    urls: Mapping[str, str]
    api_key: str
    api_secret: str = attrs.field(repr=False)
    exchange: SimulatedExchange = attrs.field(repr=False)
    faults: Faults = attrs.field(repr=False)

    def settings(self) -> dict[str, str]:
        """Return addresses and credentials together, as ``exchange simulate`` prints them."""
        return {**self.urls, "api_key": self.api_key, "api_secret": self.api_secret}


@asynccontextmanager
async def launch(
    simulators: Mapping[str, SimulatorLaunch], *, host: str = "127.0.0.1", clock: Clock | None = None
) -> AsyncIterator[dict[str, RunningSimulator]]:
    """Run *simulators* until the ``async with`` ends; their books are full when it begins, and they have traded."""
    async with AsyncExitStack() as stack:
        running: dict[str, RunningSimulator] = {}
        for name, wanted in simulators.items():
            running[name] = await _start(stack, wanted, host, clock or SystemClock())
        yield running


async def _start(stack: AsyncExitStack, wanted: SimulatorLaunch, host: str, clock: Clock) -> RunningSimulator:
    spec = wanted.spec
    markets = [_adapted(market, wanted) for market in spec.markets]
    exchange = SimulatedExchange(spec, seed=wanted.seed, clock=clock, markets=markets)
    api_key, api_secret = spec.secret(exchange.random), spec.secret(exchange.random)
    exchange.add_account(ACCOUNT, wanted.deposits or spec.deposits, api_key, api_secret)
    makers = market_makers(exchange, seed=wanted.seed, settings=wanted.makers)
    for _ in range(_WARM_UP):
        for maker in makers:
            maker.step(exchange.now())
    schedule = None if wanted.faults is None else wanted.faults.of(spec.section)
    faults = Faults(clock, schedule)
    server = SimulatorServer(_protocol(wanted, exchange), exchange, makers, host=host, port=wanted.port, faults=faults)
    await stack.enter_async_context(server)
    return RunningSimulator(
        section=spec.section,
        urls=server.urls,
        api_key=api_key,
        api_secret=api_secret,
        exchange=exchange,
        faults=faults,
    )


def _protocol(wanted: SimulatorLaunch, exchange: SimulatedExchange) -> WireProtocol:
    spec = wanted.spec
    if not wanted.limits or spec.limited is None:
        return spec.protocol(exchange)
    tier = wanted.tier or spec.tiers[0]
    if tier not in spec.tiers:
        raise ConfigError(f"{spec.section}: {tier!r} is no tier of it; expected {', '.join(spec.tiers)}")
    return spec.limited(exchange, tier)


def _adapted(market: SimMarket, wanted: SimulatorLaunch) -> SimMarket:
    price = market.instrument.round_price(market.start_price * (1 + wanted.price_shift))
    return attrs.evolve(market, start_price=price, fees=wanted.fees or market.fees)
