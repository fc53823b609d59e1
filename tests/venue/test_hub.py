"""Several venues: opened at the same time, found by name, closed together, whatever happens."""

import asyncio
from types import MappingProxyType
from typing import Any

import attrs
import httpx
import pluggy
import pytest

from exchange_core import hookspecs
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import ConfigError, ConnectFailed, UnknownVenue, VenueUnavailable
from exchange_core.hub import Hub
from exchange_core.model.order import OrderRequest
from exchange_core.plugins import Plugins
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.protocol import Venue
from exchange_core.venue.venue import Surroundings


@pytest.fixture
def plugins(without_feeds: VenueSpec) -> Plugins:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return Plugins(venues=MappingProxyType({"shop": without_feeds}), reports=(), manager=manager)


def config(*names: str, **options: Any) -> dict[str, Any]:
    return {"venues": {name: {"plugin": "shop", **options} for name in names}}


async def test_venues_by_name(plugins: Plugins, shop: Any, watched: None) -> None:
    around = {name: Surroundings(http=shop.http) for name in ("a", "b")}
    async with Hub.open(config("a", "b"), plugins=plugins, surroundings=around) as hub:
        assert [venue.name for venue in hub] == ["a", "b"]
        assert list(hub.venues) == ["a", "b"]
        assert (len(hub), "a" in hub, "c" in hub) == (2, True, False)
        assert (await hub["a"].ticker("BTC/USD")).last is not None
        with pytest.raises(UnknownVenue, match="no venue 'c' in this hub; venues: a, b"):
            hub["c"]


async def test_venues_are_asked_at_the_same_time(plugins: Plugins, shop: Any) -> None:
    """Each waits for the other's request; one after the other would wait for ever."""
    both = asyncio.Barrier(2)

    async def instruments(params: dict[str, Any]) -> Any:
        await both.wait()
        return shop.answer("/instruments", params)

    shop.instead("/instruments", instruments, instruments)
    around = {name: Surroundings(http=shop.http) for name in ("a", "b")}
    async with asyncio.timeout(5), Hub.open(config("a", "b"), plugins=plugins, surroundings=around) as hub:
        assert len(hub) == 2


async def test_one_venue_that_cannot_be_opened_closes_the_others(
    plugins: Plugins, shop: Any, make_venue: Any, watched: None
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    around = {
        "good": Surroundings(http=shop.http),
        "bad": Surroundings(http=httpx.MockTransport(refuse), clock=make_venue()._trading._clock),
    }
    hub = Hub.open(config("good", "bad"), plugins=plugins, surroundings=around)
    with pytest.raises(ConnectFailed, match=r"bad: GET /instruments: cannot connect.*no route"):
        async with hub:
            raise AssertionError("not reached")
    with pytest.raises(ConnectFailed, match="closed"):
        await hub["good"].ticker("BTC/USD")


async def test_a_wrong_reference_names_the_venue(plugins: Plugins) -> None:
    keys = {"api_key": "env:NOT_THERE", "api_secret": "env:NOR_THAT"}
    with pytest.raises(ConfigError, match=r"venues\.a\.api_key: environment variable NOT_THERE is not set"):
        Hub.open(config("a", **keys), plugins=plugins, environment={})


async def test_what_the_body_raises_passes_unchanged(plugins: Plugins, shop: Any, watched: None) -> None:
    around = {name: Surroundings(http=shop.http) for name in ("a", "b")}
    with pytest.raises(VenueUnavailable, match="mine"):
        async with Hub.open(config("a", "b"), plugins=plugins, surroundings=around):
            raise VenueUnavailable("mine")


async def test_a_failure_inside_one_venue_is_raised_as_itself(plugins: Plugins, shop: Any, watched: None) -> None:
    around = {name: Surroundings(http=shop.http) for name in ("a", "b", "c")}

    async def break_down() -> None:
        raise ZeroDivisionError("a bug")

    async def use() -> None:
        async with Hub.open(config("a", "b", "c"), plugins=plugins, surroundings=around) as hub:
            venue = hub["b"]
            assert isinstance(venue, ConnectedVenue)
            venue._parts.background.spawn(break_down(), "breaking down")
            await asyncio.Event().wait()

    with pytest.raises(ZeroDivisionError, match="a bug"):
        await use()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_cancelling_passes(plugins: Plugins, shop: Any, watched: None) -> None:
    opened = asyncio.Event()

    async def work() -> None:
        async with Hub.open(config("a", "b"), plugins=plugins, surroundings=around):
            opened.set()
            await asyncio.Event().wait()

    around = {name: Surroundings(http=shop.http) for name in ("a", "b")}
    task = asyncio.ensure_future(work())
    await opened.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_venues_that_were_handed_in_are_left_open(make_venue: Any, without_feeds: VenueSpec) -> None:
    async with make_venue(spec=without_feeds) as venue:
        async with Hub.of({"mine": venue}) as hub:
            assert hub["mine"] is venue
        assert (await venue.ticker("BTC/USD")).last is not None


async def test_a_venue_is_opened_once(make_venue: Any, without_feeds: VenueSpec) -> None:
    venue = make_venue(spec=without_feeds)
    async with venue:
        with pytest.raises(RuntimeError, match="open already"):
            await venue.enter()


def test_a_connected_venue_is_what_the_protocol_says(make_venue: Any) -> None:
    """mypy checks the signatures below; this, that none is missing."""
    venue: Venue = make_venue()
    wanted = {name for name in dir(Venue) if not name.startswith("_")}
    assert wanted <= set(dir(venue))


async def test_an_alias_of_an_asset(make_venue: Any, without_feeds: VenueSpec) -> None:
    class Aliases:
        @hookspecs.hookimpl
        def asset_alias(self, venue: VenueSpec, code: str) -> str | None:
            return {"xBTC": "BITCOIN", "new": "NEW"}.get(code)

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(Aliases())
    async with make_venue(spec=without_feeds, hooks=manager) as venue:
        assets = venue._parts.assets
        assert [assets.code(name) for name in ("xBTC", "xETH", "new", "odd")] == ["BITCOIN", "ETH", "NEW", "odd"]
        assert venue.health().unknown_assets == {"odd": 1}


async def test_hooks_may_bring_another_signer_and_other_limits(make_venue: Any, without_feeds: VenueSpec) -> None:
    asked = []

    class Chooser:
        @hookspecs.hookimpl
        def signer(self, venue: VenueSpec, credentials: Any) -> Any:
            asked.append(("signer", venue.name))
            return without_feeds.signer(attrs.evolve(credentials, api_key="other"), without_feeds.config())

        @hookspecs.hookimpl
        def rate_limits(self, venue: VenueSpec, config: Any) -> None:
            asked.append(("limits", venue.name))

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(Chooser())
    venue = make_venue(spec=without_feeds, hooks=manager)
    assert asked == [("signer", "shop"), ("limits", "shop")]
    async with venue:
        await venue.place(OrderRequest(symbol="BTC/USD", side="buy", quantity="1", price="1"))
