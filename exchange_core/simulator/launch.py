"""Start several simulated venues at once, each with funded accounts whose keys are in the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

import attrs

from exchange_core.clock import Clock, SystemClock
from exchange_core.connector.saved_state import load
from exchange_core.connector.simulation import SavedWire, SimMarket, SimulatorSpec, WireProtocol
from exchange_core.errors import ConfigError
from exchange_core.model.account import FeeRates
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.faults.schedule import FaultSchedule
from exchange_core.simulator.faults.tally import Faults
from exchange_core.simulator.makers.maker import QUOTER, TRADER, MakerSettings, MarketMaker
from exchange_core.simulator.makers.opening import Turns, market_makers, saved_makers, warm_up
from exchange_core.simulator.makers.settings import MarketWanted, check_listed
from exchange_core.simulator.makers.tides import Tides
from exchange_core.simulator.serving.server import SimulatorServer

ACCOUNT = "user"


@attrs.frozen(kw_only=True)
class KeyWanted:
    """One API key to make. *permissions* are the venue's own words; none means all."""

    name: str = ""
    permissions: Sequence[str] = ()


@attrs.frozen(kw_only=True)
class AccountWanted:
    """One account to open.

    Attributes:
        deposits: What it starts with, instead of the launch's.
        tier: Whose limits count for it, instead of the launch's.
    """

    name: str
    deposits: Mapping[str, Decimal] | None = None
    tier: str = ""
    keys: Sequence[KeyWanted] = (KeyWanted(),)


@attrs.frozen(kw_only=True)
class OpenedKey:
    """An API key that works. *name* tells the keys of one account apart."""

    account: str
    name: str
    api_key: str
    api_secret: str = attrs.field(repr=False)
    permissions: Sequence[str] = ()


@attrs.frozen(kw_only=True)
class SimulatorLaunch:
    """One simulated venue to start.

    Attributes:
        port: 0 takes any free one.
        price_shift: Moves every market's start price, relative: 0.001 is 0.1 % up.
        fees: Of every market, instead of the spec's.
        deposits: What an account starts with, instead of the spec's.
        accounts: Which there are; one called ``user``, with one key, if none is named.
        makers: How its markets behave.
        markets: What some of its markets are to be like, where not as usual; what comes later counts.
        moving: Whether they go on by themselves; else their books stay as they are until someone trades.
        outside: Markets without a market maker: what stands in them comes from outside, through a ``Mirror``.
        faults: What goes wrong between it and its clients.
        limits: Whether it refuses who asks too often, as far as it can.
        tier: Of the accounts whose limits count, in the venue's words; its usual one without.
        saved: What :meth:`RunningSimulator.save`, or that of its exchange, returned, to go on from there; its accounts
            get the keys of those of the same name here, which are the same for the same seed.
    """

    spec: SimulatorSpec
    port: int = 0
    seed: int = 0
    price_shift: Decimal = Decimal(0)
    fees: FeeRates | None = None
    deposits: Mapping[str, Decimal] | None = None
    accounts: Sequence[AccountWanted] = ()
    makers: MakerSettings | None = None
    markets: Sequence[MarketWanted] = ()
    moving: bool = True
    outside: Collection[Symbol] = ()
    faults: FaultSchedule | None = None
    limits: bool = False
    tier: str = ""
    saved: Mapping[str, Any] | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class PreparedSimulator:
    """A simulated venue with full books and open accounts, and no port yet."""

    exchange: SimulatedExchange
    protocol: WireProtocol
    makers: Sequence[MarketMaker]
    tides: Tides
    faults: Faults
    keys: Sequence[OpenedKey]

    def save(self) -> dict[str, Any]:
        """Return the whole state as JSON: that of the exchange, of its makers, and what the wire protocol keeps."""
        wire = self.protocol.saved() if isinstance(self.protocol, SavedWire) else None
        more = {"makers": saved_makers(self.makers), "tides": self.tides.begun.isoformat(), "wire": wire}
        return self.exchange.save() | more


@attrs.frozen(kw_only=True)
class RunningSimulator:
    """A simulated venue that runs.

    Attributes:
        urls: The config fields of the plugin that point to it.
        keys: All API keys, with *api_key* and *api_secret* as the first of them.
        made: All its parts; its market makers, say.
        faults: What goes wrong between it and its clients; can be changed while it runs.
    """

    section: str
    urls: Mapping[str, str]
    api_key: str
    api_secret: str = attrs.field(repr=False)
    keys: Sequence[OpenedKey]
    exchange: SimulatedExchange = attrs.field(repr=False)
    faults: Faults = attrs.field(repr=False)
    made: PreparedSimulator = attrs.field(repr=False)

    def save(self) -> dict[str, Any]:
        """Return the whole state as JSON; see :attr:`SimulatorLaunch.saved`."""
        return self.made.save()

    def settings(self, *, deadlines: bool = True) -> dict[str, Any]:
        """Return addresses and credentials together, as ``exchange simulate`` prints them, for ``connect``.

        Args:
            deadlines: False for a client that does not live by this venue's clock: its orders carry no deadline, which
                would have passed when they come.
        """
        return client_settings(self.urls, self.api_key, self.api_secret, deadlines=deadlines)


def client_settings(urls: Mapping[str, str], api_key: str, api_secret: str, *, deadlines: bool) -> dict[str, Any]:
    """Return what ``connect`` takes to get to a simulated venue; see :meth:`RunningSimulator.settings`."""
    settings = {**urls, "api_key": api_key, "api_secret": api_secret}
    return settings if deadlines else {**settings, "order_deadline": 0}


@asynccontextmanager
async def launch(
    simulators: Mapping[str, SimulatorLaunch], *, host: str = "127.0.0.1", clock: Clock | None = None
) -> AsyncIterator[dict[str, RunningSimulator]]:
    """Run *simulators* until the ``async with`` ends; their books are full when it begins, and they have traded."""
    clock = clock or SystemClock()
    tides: Tides | None = None
    async with AsyncExitStack() as stack:
        running: dict[str, RunningSimulator] = {}
        for name, wanted in simulators.items():
            running[name] = await _start(stack, wanted, host, clock, tides)
            tides = running[name].made.tides
        yield running


def prepare(wanted: SimulatorLaunch, clock: Clock, tides: Tides | None = None) -> PreparedSimulator:
    """Build a simulated venue: its books are full, it has traded, and its accounts are open.

    Args:
        tides: Of other venues, for what its markets have in common with theirs.

    Raises:
        ConfigError: A tier, an account or a market makes no sense, or the saved accounts are not named.
        InvalidValue: What was saved is of other markets, or a deposit of no asset of its.
    """
    spec, saved = wanted.spec, wanted.saved or {}
    markets = _adapted_markets(wanted)
    # Drawn from the exchange's own generator where that is new, so that a saved venue has its keys again.
    first = Random(wanted.seed)
    if wanted.saved is None:
        exchange = SimulatedExchange(spec, seed=wanted.seed, clock=clock, markets=markets)
        first = exchange.random
    else:
        exchange = SimulatedExchange.restore(spec, wanted.saved, clock=clock, markets=markets)
    keys = _open_accounts(exchange, wanted, first)
    faults = Faults(clock, None if wanted.faults is None else wanted.faults.of(spec.section))
    exchange.skew = faults.skew()
    if tides is None:
        tides = Tides(wanted.seed, load(saved["tides"], datetime) if "tides" in saved else exchange.now())
    makers = market_makers(
        exchange,
        seed=wanted.seed,
        settings=wanted.makers,
        wanted=wanted.markets,
        tides=tides,
        saved=saved.get("makers"),
        outside=wanted.outside,
    )
    if wanted.saved is None:
        warm_up(makers, exchange.now())
    for each in wanted.markets:
        for market in markets:
            if each.status is not None and each.is_about(market.instrument.symbol):
                exchange.set_status(market.instrument.symbol, each.status)
    ids = exchange.random.getstate()
    protocol = _protocol(wanted, exchange)
    if wanted.saved is not None:
        exchange.random.setstate(ids)  # as if it had never been built anew
        if isinstance(protocol, SavedWire) and saved.get("wire") is not None:
            protocol.restore(saved["wire"])
    return PreparedSimulator(
        exchange=exchange,
        protocol=protocol,
        makers=makers,
        tides=tides,
        faults=faults,
        keys=keys,
    )


async def _start(
    stack: AsyncExitStack, wanted: SimulatorLaunch, host: str, clock: Clock, tides: Tides | None
) -> RunningSimulator:
    made = prepare(wanted, clock, tides)
    moving = [Turns(made.makers)] if wanted.moving else ()
    server = SimulatorServer(made.protocol, made.exchange, moving, host=host, port=wanted.port, faults=made.faults)
    await stack.enter_async_context(server)
    return RunningSimulator(
        section=wanted.spec.section,
        urls=server.urls,
        api_key=made.keys[0].api_key,
        api_secret=made.keys[0].api_secret,
        keys=made.keys,
        exchange=made.exchange,
        faults=made.faults,
        made=made,
    )


def open_account(
    exchange: SimulatedExchange, account: AccountWanted, deposits: Mapping[str, Decimal], random: Random
) -> list[OpenedKey]:
    """Open an account, unless there is one of that name, and give it its keys, made from *random*."""
    spec = exchange.spec
    check_account(spec, account)
    if account.tier:
        exchange.tiers[account.name] = account.tier
    opened = [
        OpenedKey(
            account=account.name,
            name=wanted.name,
            api_key=spec.secret(random),
            api_secret=spec.secret(random),
            permissions=tuple(wanted.permissions),
        )
        for wanted in account.keys
    ]
    if account.name not in exchange.parts.accounts:
        exchange.add_account(account.name, deposits if account.deposits is None else account.deposits)
    for key in opened:
        exchange.add_key(account.name, key.api_key, key.api_secret, key.permissions)
    return opened


def check_account(spec: SimulatorSpec, account: AccountWanted) -> None:
    """Raises: ConfigError: The venue has no such tier, permission or asset; the account is named."""
    of = f"{spec.section}: account {account.name!r}"
    if account.tier:
        _checked_tier(spec, account.tier, of)
    for word in [word for key in account.keys for word in key.permissions]:
        if spec.permissions and word not in spec.permissions:
            expected = ", ".join(spec.permissions)
            raise ConfigError(f"{of}: {word!r} is no permission of it; expected some of {expected}")
    assets = [asset.code for asset in spec.assets]
    for code in account.deposits or ():
        if code not in assets:
            raise ConfigError(f"{of}: deposits: {code!r} is no asset of it; expected some of {', '.join(assets)}")


def _open_accounts(exchange: SimulatedExchange, wanted: SimulatorLaunch, first: Random) -> list[OpenedKey]:
    deposits = wanted.deposits or wanted.spec.deposits
    if not wanted.accounts:
        if wanted.saved is not None and ACCOUNT not in exchange.parts.accounts:
            names = sorted(each.name for each in exchange.parts.accounts if each.name not in (QUOTER, TRADER))
            raise ConfigError(
                f"{wanted.spec.section}: the saved state has no account {ACCOUNT!r}; "
                f"expected accounts (--accounts) with {', '.join(names) or 'any name'}"
            )
        return open_account(exchange, AccountWanted(name=ACCOUNT), deposits, first)
    keys: list[OpenedKey] = []
    for account in wanted.accounts:
        keys += open_account(exchange, account, deposits, Random(f"{wanted.seed} {account.name}"))
    if not keys:
        raise ConfigError(f"{wanted.spec.section}: none of its accounts has a key")
    return keys


def _protocol(wanted: SimulatorLaunch, exchange: SimulatedExchange) -> WireProtocol:
    spec = wanted.spec
    if not wanted.limits or spec.limited is None:
        return spec.protocol(exchange)
    return spec.limited(exchange, _checked_tier(spec, wanted.tier or spec.tiers[0]))


def _checked_tier(spec: SimulatorSpec, tier: str, of: str = "") -> str:
    if tier not in spec.tiers:
        expected = ", ".join(spec.tiers) or "none: it has no tiers"
        raise ConfigError(f"{of or spec.section}: {tier!r} is no tier of it; expected {expected}")
    return tier


def _adapted_markets(wanted: SimulatorLaunch) -> list[SimMarket]:
    """Return the spec's markets as they are wanted.

    Raises:
        ConfigError: One is wanted that the venue does not have.
    """
    markets = {market.instrument.symbol: _adapted(market, wanted) for market in wanted.spec.markets}
    for each in wanted.markets:
        check_listed(each, markets, wanted.spec.section)
        markets = {symbol: each.of(market) if each.is_about(symbol) else market for symbol, market in markets.items()}
    return list(markets.values())


def _adapted(market: SimMarket, wanted: SimulatorLaunch) -> SimMarket:
    price = market.instrument.round_price(market.start_price * (1 + wanted.price_shift))
    if wanted.fees is not None:
        market = attrs.evolve(market, fees=wanted.fees, fee_tiers=())
    return attrs.evolve(market, start_price=price)
