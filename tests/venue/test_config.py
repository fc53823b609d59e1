"""What can be configured, and what is said of what cannot."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import pluggy
import pytest

from exchange_core import hookspecs
from exchange_core.config import Config, load_config, parse_config
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import ConfigError, UnknownVenue
from exchange_core.plugins import Plugins
from exchange_core.venue.venue import connect

SECRET = "kQh5HW8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow"


@pytest.fixture
def plugins(without_feeds: VenueSpec) -> Plugins:
    specs = {name: attrs.evolve(without_feeds, name=name) for name in ("shop", "market")}
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return Plugins(venues=MappingProxyType(specs), reports=(), manager=manager)


@pytest.fixture
def load(plugins: Plugins, tmp_path: Path) -> Callable[[str], Config]:
    def write_and_load(text: str) -> Config:
        path = tmp_path / "exchange.toml"
        path.write_text(text, "utf-8")
        return load_config(path, plugins)

    return write_and_load


def test_a_whole_file(load: Callable[[str], Config], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    config = load(
        """
        [venues.main]
        plugin = "shop"
        tier = "pro"
        rest_url = "http://127.0.0.1:8080"
        request_timeout = 2.5
        stale_after = 7
        maker_fee = 0.0025
        api_key = "env:SHOP_KEY"
        api_secret = "file:secret"

        [venues.spare]
        plugin = "shop"

        [portfolio]
        currency = "EUR"

        [routing]
        [routing.limits]
        largest = 0.5
        """
    )
    main = config.venue("main")
    assert (main.spec.name, main.config.tier, main.config.rest_url) == ("shop", "pro", "http://127.0.0.1:8080")
    assert (main.config.request_timeout, main.config.stale_after) == (2.5, 7.0)
    assert main.config.maker_fee == Decimal("0.0025")
    credentials = main.credentials({"SHOP_KEY": "my key"})
    assert credentials is not None
    assert (credentials.api_key, credentials.api_secret) == ("my key", SECRET)
    assert config.venue("spare").credentials({}) is None
    assert config.portfolio == {"currency": "EUR"}
    assert config.routing == {"limits": {"largest": Decimal("0.5")}}


def test_an_empty_file_configures_nothing(load: Callable[[str], Config]) -> None:
    assert load("").venues == {}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[venues.a]\nplugin = ", r"exchange\.toml: not TOML: .*line 2"),
        ("[venues.a\n", r"not TOML: .*line 1"),
        ("[venus.a]\nplugin = 'shop'", r"unknown table \[venus\]; did you mean 'venues'\?; known: venues, portfolio"),
        ("venues = 3", r"venues: expected a table, as in \[venues\]"),
        ("[venues]\na = 'shop'", r"venues\.a: expected a table, as in \[venues\.a\]"),
        ("[venues.a]\ntier = 'pro'", r'venues\.a: plugin = "\.\.\." is missing; installed: market, shop'),
        ("[venues.a]\nplugin = 'shoop'", r"venues\.a: no plugin 'shoop' is installed; did you mean 'shop'\?"),
        ("[venues.a]\nplugin = 'shop'\nteir = 'pro'", r"venues\.a: no option 'teir'; did you mean 'tier'\?; options: "),
        ("[venues.a]\nplugin = 'shop'\nxyzzy = 1", r"venues\.a: no option 'xyzzy'; options: tier, request_timeout"),
        ("[venues.a]\nplugin = 'shop'\ntier = 3", r"venues\.a: tier: 3 is a whole number; expected text"),
        ("[venues.a]\nplugin = 'shop'\nstale_after = 'x'", r"venues\.a: stale_after: 'x' is text; expected a number"),
        ("[venues.a]\nplugin = 'shop'\nstale_after = nan", r"venues\.a: stale_after: NaN is not finite"),
        ("[venues.a]\nplugin = 'shop'\nstale_after = true", r"venues\.a: stale_after: True is a boolean"),
        ("[venues.a]\nplugin = 'shop'\nmaker_fee = 'a lot'", r"venues\.a: maker_fee: 'a lot' is not a number"),
        ("[venues.a]\nplugin = 'shop'\napi_key = 'env:A'", r"venues\.a: api_secret is missing; give both"),
        ("[venues.a]\nplugin = 'shop'\napi_secret = 'env:A'", r"venues\.a: api_key is missing; give both"),
        ("[venues.a]\nplugin = 'shop'\nplugn = 'shop'", r"no option 'plugn'"),
    ],
)
def test_what_is_wrong_is_named(load: Callable[[str], Config], text: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        load(text)


@pytest.mark.parametrize("value", [f"'{SECRET}'", f"'vault:{SECRET}'", f"['{SECRET}']", "'env:'", "'file:'", "5", "''"])
@pytest.mark.parametrize("key", ["api_key", "api_secret"])
def test_a_key_in_the_file_is_refused_and_not_repeated(load: Callable[[str], Config], key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f'venues.a.{key}: write where .* "env:NAME" or "file:PATH"') as caught:
        load(f"[venues.a]\nplugin = 'shop'\n{key} = {value}")
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None or SECRET not in str(caught.value.__context__)


def test_a_key_under_a_misspelt_name_is_not_repeated(load: Callable[[str], Config]) -> None:
    with pytest.raises(ConfigError, match="no option 'api_secrt'; did you mean 'api_secret'") as caught:
        load(f"[venues.a]\nplugin = 'shop'\napi_secrt = '{SECRET}'")
    assert SECRET not in str(caught.value)


def test_keys_are_read_when_they_are_needed(load: Callable[[str], Config], tmp_path: Path) -> None:
    """Listing what is configured must work without them."""
    text = "[venues.a]\nplugin = 'shop'\napi_key = 'env:SHOP_KEY'\napi_secret = 'file:{}'"
    entry = load(text.format("missing")).venue("a")
    with pytest.raises(ConfigError, match=r"venues\.a\.api_key: environment variable SHOP_KEY is not set"):
        entry.credentials({})
    with pytest.raises(ConfigError, match=r"venues\.a\.api_secret: .*missing cannot be read: No such file"):
        entry.credentials({"SHOP_KEY": "k"})
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(ConfigError, match=r"venues\.a\.api_secret: .*empty is empty"):
        load(text.format("empty")).venue("a").credentials({"SHOP_KEY": "k"})
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="binary is not a text file"):
        load(text.format("binary")).venue("a").credentials({"SHOP_KEY": "k"})
    assert SECRET not in repr(entry)


def test_files_that_cannot_be_read(plugins: Plugins, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: no such configuration file"):
        load_config(tmp_path / "nowhere.toml", plugins)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path, plugins)
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# caf\xe9")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(path, plugins)


def test_an_unknown_venue_lists_those_configured(plugins: Plugins) -> None:
    config = parse_config({"venues": {"kraken": {"plugin": "shop"}}}, plugins)
    with pytest.raises(
        UnknownVenue, match=r"no venue 'krakn' is configured; did you mean 'kraken'\?; configured: kraken"
    ):
        config.venue("krakn")


@pytest.mark.parametrize(
    ("plugin", "options", "match"),
    [
        ("shoop", {}, "no plugin 'shoop' is installed; did you mean 'shop'"),
        ("shop", {"teir": "pro"}, "shop: no option 'teir'; did you mean 'tier'"),
        ("shop", {"tier": 3}, "shop: tier: 3 is a whole number"),
        (
            "shop",
            {"maker_fee": 0.0025},
            'shop: maker_fee: 0.0025 is a float and floats are not exact; write it as "0.0025"',
        ),
        ("shop", {"api_key": "k"}, "api_secret is empty; give both api_key and api_secret"),
        ("shop", {"api_key": "", "api_secret": "s"}, "api_key is empty"),
    ],
)
def test_connect_says_what_is_wrong(plugins: Plugins, plugin: str, options: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        connect(plugin, plugins=plugins, **options)


def test_connect_takes_options_and_keys(plugins: Plugins) -> None:
    venue = connect("shop", api_key="k", api_secret=SECRET, maker_fee="0.0025", name="mine", plugins=plugins)
    assert (venue.name, venue.title, venue.has_credentials) == ("mine", "The Shop", True)
    assert SECRET not in repr(venue)
    assert not connect("shop", plugins=plugins).has_credentials
