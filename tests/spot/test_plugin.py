"""What the entry point brings."""

from __future__ import annotations

import contextlib
import time
from importlib.metadata import entry_points
from typing import Any

import pytest

from exchange_core import connect
from exchange_core.connector.auth import Credentials
from exchange_core.errors import ConfigError
from exchange_core.model.event import Channel
from exchange_core.testing.simulated import simulated_venue
from exchange_core.transport.shared import SharedLimits
from exchange_core.venue.venue import Surroundings
from kraken_spot import plugin
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.feed.connections import PrivateFeed, PublicFeed
from kraken_spot.feed.level3 import Level3Feed


def test_one_venue_under_its_name() -> None:
    (spec,) = plugin.venues()
    assert spec.name == "kraken_spot"
    assert spec is plugin.KRAKEN_SPOT


def test_the_entry_point_names_this_module() -> None:
    (found,) = entry_points(group="exchange_core", name="kraken_spot")
    assert found.load() is plugin


def test_the_defaults_are_the_live_venue() -> None:
    config = KrakenSpotConfig()
    assert config.rest_url == "https://api.kraken.com"
    assert config.ws_url == "wss://ws.kraken.com/v2"
    assert config.ws_auth_url == "wss://ws-auth.kraken.com/v2"
    assert config.ws_l3_url == "wss://ws-l3.kraken.com/v2"
    assert config.tier == "starter"


def test_each_feed_has_an_address_in_the_config() -> None:
    for feed in plugin.KRAKEN_SPOT.feeds:
        assert getattr(KrakenSpotConfig(), feed.url).startswith("wss://")


def test_the_three_hosts_together_stay_below_150_connection_attempts_in_10_minutes() -> None:
    counted = {(feed.connect_pool, feed.connects, feed.connect_window) for feed in plugin.KRAKEN_SPOT.feeds}
    assert counted == {("kraken_spot", 145, 600.0)}


async def test_their_attempts_are_counted_as_one() -> None:
    shares = SharedLimits()
    counted = shares.budget("kraken_spot", 3, 600.0)  # who asks first says how many
    with simulated_venue("kraken_spot") as there:
        around = Surroundings(shared=shares)
        async with connect("kraken_spot", **there.settings(), surroundings=around) as venue:
            assert counted.delay(time.monotonic()) == 0
            for stream in (venue.books("BTC/USD"), venue.books_by_order("BTC/USD"), venue.balance_updates()):
                async with contextlib.aclosing(stream):
                    await anext(stream)
    assert counted.delay(time.monotonic()) > 0


PLACES = {
    PublicFeed: "ticker trades book candles instruments status",
    Level3Feed: "book_by_order",
    PrivateFeed: "orders fills balances",
}


@pytest.mark.parametrize(("make", "channels"), PLACES.items())
def test_every_channel_of_spot_has_a_connection(make: Any, channels: str) -> None:
    for channel in channels.split():
        feed = plugin.KRAKEN_SPOT.feed_for(Channel(channel))
        assert feed is not None
        assert feed.private is (make is not PublicFeed)
        assert feed.make is make


def test_books_by_order_come_in_three_depths_and_tickers_by_two_triggers() -> None:
    assert plugin.KRAKEN_SPOT.book_by_order_depths == (10, 100, 1000)
    assert plugin.KRAKEN_SPOT.ticker_triggers == ("bbo", "trades")


def test_there_are_no_positions() -> None:
    assert plugin.KRAKEN_SPOT.feed_for(Channel.POSITIONS) is None


def test_books_come_in_five_depths() -> None:
    assert plugin.KRAKEN_SPOT.book_depths == (10, 25, 100, 500, 1000)


def test_the_simulated_side_points_every_address_of_the_config_to_itself() -> None:
    simulator = plugin.KRAKEN_SPOT.simulator
    assert simulator is not None
    assert simulator.section == "spot"
    config = KrakenSpotConfig(**simulator.urls("127.0.0.1:1"))
    assert "127.0.0.1:1" in config.rest_url
    assert all("127.0.0.1:1" in getattr(config, feed.url) for feed in plugin.KRAKEN_SPOT.feeds)


def test_wrong_credentials_are_refused_when_the_signer_is_made() -> None:
    with pytest.raises(ConfigError, match="api_secret"):
        plugin.KRAKEN_SPOT.signer(Credentials(api_key="k", api_secret="not base64"), KrakenSpotConfig())
