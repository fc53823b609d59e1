"""Put a venue together from a plugin's pure parts, the transport and the parts of this room."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs
import pluggy

from exchange_core.clock import Clock, SystemClock
from exchange_core.config import venue_config
from exchange_core.connector.auth import Credentials, Signer
from exchange_core.connector.feed import Feed
from exchange_core.connector.limits import Limits
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import TellsTime
from exchange_core.connector.spec import FeedSpec, VenueConfig, VenueContext, VenueSpec
from exchange_core.model.asset import Asset
from exchange_core.model.event import Event
from exchange_core.model.order import Order
from exchange_core.plugins import Plugins, load_plugins
from exchange_core.transport.feed_runner import FeedRunner, FeedState, FrameTap
from exchange_core.transport.nonces import NonceSource
from exchange_core.transport.redaction import LOGGER, RedactingLogger
from exchange_core.transport.rest_client import RestClient, RestTap
from exchange_core.transport.shared import PROCESS, SharedLimits
from exchange_core.transport.venue_clock import ClockReading, VenueClock
from exchange_core.venue.account import Account
from exchange_core.venue.background import Background
from exchange_core.venue.bus import Bus
from exchange_core.venue.connected import ConnectedVenue, Parts
from exchange_core.venue.drift import VenueDrift
from exchange_core.venue.feeds import CONFIRM_WITHIN, Feeds
from exchange_core.venue.following import Follower
from exchange_core.venue.history import Histories
from exchange_core.venue.limits import OpenOrders, VenueLimits
from exchange_core.venue.market_data import MarketData
from exchange_core.venue.orders import OrderTracker
from exchange_core.venue.resolver import ResolvePolicy, Resolver
from exchange_core.venue.stream import QUEUE_SIZE, Streams
from exchange_core.venue.trading import Trading

if TYPE_CHECKING:
    import httpx

_LOG = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Surroundings:
    """What a venue works with and tests replace.

    Attributes:
        http: Sends REST requests instead of a pool of our own.
        nonces: Makes nonces; pass one that outlives the venue to keep them increasing.
        journal: Told of each order before it is sent; when it raises, nothing is sent.
        rest_tap: Sees every REST exchange, for recordings.
        frame_tap: Makes what sees every frame of a feed, given the feed's name.
        confirm_within: Seconds that a reader waits for the venue to acknowledge a subscription.
        queue_size: Events that a stream which must not drop holds for a slow reader.
        shared: What is counted per address and per key. That of the whole process, where this is not given, time and
            ``http`` are real, and the venue is not one on this machine.
    """

    clock: Clock = attrs.field(factory=SystemClock)
    random: Random = attrs.field(factory=SystemRandom)
    http: httpx.AsyncBaseTransport | None = None
    nonces: NonceSource | None = None
    journal: Callable[[Order], None] | None = None
    rest_tap: RestTap | None = None
    frame_tap: Callable[[str], FrameTap] | None = None
    policy: ResolvePolicy = attrs.field(factory=ResolvePolicy)
    queue_size: int = QUEUE_SIZE
    confirm_within: float = CONFIRM_WITHIN
    shared: SharedLimits | None = None


def connect(
    plugin: str,
    *,
    api_key: str | None = None,
    api_secret: str | None = None,
    name: str | None = None,
    plugins: Plugins | None = None,
    surroundings: Surroundings | None = None,
    **options: Any,
) -> ConnectedVenue:
    """Return one venue, to be used as ``async with connect("kraken_spot") as venue``.

    Args:
        name: What to call it; the plugin's name if not given.
        plugins: Instead of those that are installed.
        options: Fields of the plugin's config, such as ``tier`` or ``rest_url``.

    Raises:
        UnknownVenue: No such plugin is installed.
        ConfigError: An option does not exist or does not fit, or one of the keys is missing.
    """
    plugins = load_plugins() if plugins is None else plugins
    spec = plugins.venue(plugin)
    config = venue_config(spec, options, plugin)
    credentials = None
    if api_key is not None or api_secret is not None:
        credentials = Credentials(api_key=api_key or "", api_secret=api_secret or "")
    return open_venue(spec, config, credentials, name=name or plugin, hooks=plugins.manager, surroundings=surroundings)


def open_venue(
    spec: VenueSpec,
    config: VenueConfig,
    credentials: Credentials | None = None,
    *,
    name: str | None = None,
    hooks: pluggy.PluginManager | None = None,
    surroundings: Surroundings | None = None,
) -> ConnectedVenue:
    """Return the venue that *spec* describes, to be used as an async context manager."""
    name = name or spec.name
    around = surroundings or Surroundings()
    clock, random = VenueClock(around.clock, partial(_tell_clock, name)), around.random
    signer = _signer(spec, config, credentials, hooks)
    context = VenueContext(
        venue=name,
        config=config,
        symbols=SymbolMap(name),
        assets=AssetMap(name) if hooks is None else HookedAssets(name, spec, hooks),
        signer=signer,
        now=clock.now,
    )
    host, key = urlsplit(config.rest_url).netloc, None if signer is None else signer.public_key
    shared, drift = _shared(around, host), VenueDrift(name, spec)
    dialect = spec.dialect(context)
    if isinstance(dialect, TellsTime):
        clock.server_time = dialect.server_time
    rest = RestClient(
        name,
        config,
        dialect,
        shared.join(_limits(spec, config, hooks), host, key),
        signer=signer,
        clock=clock,
        random=random,
        nonces=around.nonces,
        http=around.http,
        tap=around.rest_tap,
        lockout=shared.lockout(host, key),
        watch=drift.watch,
        heard=clock.hear,
    )
    drift.tell(RedactingLogger(LOGGER, rest.redactor))
    operations = spec.rest(context)
    drift.ask(operations)
    has_credentials = signer is not None
    bus, background = Bus(), Background(name)
    streams = Streams(bus, around.queue_size)
    tracker = OrderTracker(name, publish=bus.publish, journal=around.journal or _keep_no_journal)
    resolver = Resolver(
        name,
        rest,
        operations,
        tracker,
        bus,
        background,
        clock,
        around.policy,
        live_since=lambda: follower.orders_live_since,
    )
    follower = Follower(name, rest, operations, tracker, resolver, bus, background, clock)
    feeds = Feeds(
        name,
        spec,
        _Runners(context, rest, around, shared, drift),
        bus,
        background,
        has_credentials=has_credentials,
        private=follower.receive,
        on_state=follower.on_state,
        confirm_within=around.confirm_within,
        clock=clock,
    )
    open_orders = OpenOrders(name, rest, tracker, lambda: follower.orders_are_live)
    trading = Trading(
        name,
        spec,
        config,
        context.symbols,
        rest,
        operations,
        tracker,
        resolver,
        background,
        hooks=hooks,
        clock=clock,
        random=random,
        watch=lambda: follower.follow(feeds, again=False),
        is_live=lambda: follower.orders_are_live,
        open_orders=open_orders,
    )
    account = Account(name, config, rest, operations, follower, feeds, streams, has_credentials=has_credentials)
    histories = Histories(
        name, None if spec.history is None else partial(spec.history, context), rest, clock, account.require
    )
    parts = Parts(
        assets=context.assets,
        bus=bus,
        streams=streams,
        background=background,
        rest=rest,
        operations=operations,
        feeds=feeds,
        tracker=tracker,
        follower=follower,
        market=MarketData(name, spec, context.symbols, rest, operations, bus, feeds, streams),
        trading=trading,
        clock=clock,
        account=account,
        histories=histories,
        drift=drift,
        limits=VenueLimits(
            name,
            rest,
            operations,
            open_orders,
            bus,
            clock,
            check=trading.check,
            client_order_id=spec.client_order_id(0),
            tier=config.tier,
            figures=lambda tier: _limits(spec, attrs.evolve(config, tier=tier), hooks),
        ),
    )
    return ConnectedVenue(name, spec, parts, has_credentials=has_credentials)


class HookedAssets(AssetMap):
    """Assets whose codes a plugin's ``asset_alias`` hook may change."""

    def __init__(self, venue: str, spec: VenueSpec, hooks: pluggy.PluginManager) -> None:
        super().__init__(venue)
        self._spec = spec
        self._hooks = hooks

    def add(self, asset: Asset, names: Any = ()) -> None:
        alias = self._alias(asset.venue_id)
        super().add(asset if alias is None else attrs.evolve(asset, code=alias), names)

    def code(self, name: str) -> str:
        if self.get(name) is None:
            alias = self._alias(name)
            if alias is not None:
                return alias
        return super().code(name)

    def _alias(self, name: str) -> str | None:
        alias: str | None = self._hooks.hook.asset_alias(venue=self._spec, code=name)
        return alias


class _Runners:
    """Makes the connections of a venue. Those to one host share its budget of attempts."""

    def __init__(
        self,
        context: VenueContext,
        rest: RestClient,
        around: Surroundings,
        shared: SharedLimits,
        drift: VenueDrift,
    ) -> None:
        self._context = context
        self._rest = rest
        self._around = around
        self._shared = shared
        self._drift = drift

    def __call__(
        self, spec: FeedSpec, publish: Callable[[Event], None], on_state: Callable[[FeedState], None]
    ) -> tuple[Feed, FeedRunner]:
        config, around = self._context.config, self._around
        host = urlsplit(str(getattr(config, spec.url, ""))).netloc
        feed = spec.make(self._context)
        runner = FeedRunner(
            spec,
            feed,
            self._rest,
            config,
            publish=publish,
            on_state=on_state,
            clock=around.clock,
            random=around.random,
            budget=self._shared.budget(spec.connect_pool or host, spec.connects, spec.connect_window),
            tap=around.frame_tap(spec.name) if around.frame_tap else None,
            look=self._drift.look_at(spec),
            venue=self._context.venue,
        )
        self._drift.follow(feed, runner)
        if runner.requests is not None:
            self._rest.carry(spec.name, runner.requests)
        return feed, runner


def _signer(
    spec: VenueSpec, config: VenueConfig, credentials: Credentials | None, hooks: pluggy.PluginManager | None
) -> Signer | None:
    if credentials is None:
        return None
    chosen: Signer | None = hooks.hook.signer(venue=spec, credentials=credentials) if hooks else None
    return chosen or spec.signer(credentials, config)


def _shared(around: Surroundings, host: str) -> SharedLimits:
    """Return the counts of this process, unless time or the venue are only played, or the venue is on this machine."""
    if around.shared is not None:
        return around.shared
    is_played = type(around.clock) is not SystemClock or around.http is not None
    return SharedLimits() if is_played or host.startswith(_HOME) else PROCESS


_HOME = ("127.", "localhost", "[::1]")


def _limits(spec: VenueSpec, config: VenueConfig, hooks: pluggy.PluginManager | None) -> Limits:
    chosen: Limits | None = hooks.hook.rate_limits(venue=spec, config=config) if hooks else None
    return chosen or spec.limits(config)


def _tell_clock(name: str, reading: ClockReading) -> None:
    if reading.is_notable:
        _LOG.warning("%s: %s; deadlines go by the venue's. Set the clock of this machine (NTP)", name, reading)
    else:
        _LOG.info("%s: the clock of this machine is right again: %s", name, reading)


def _keep_no_journal(order: Order) -> None:
    """Orders are remembered as long as the venue is open."""
