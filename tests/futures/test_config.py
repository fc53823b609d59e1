"""Addresses follow from the environment or from one host, in whatever form they are given."""

import pytest

from exchange_core.errors import ConfigError
from kraken_futures.config import FuturesConfig

LIVE = "https://futures.kraken.com"


def addresses(config: FuturesConfig) -> tuple[str, str, str, str]:
    return config.rest_url, config.history_url, config.charts_url, config.ws_url


def test_live_is_the_default() -> None:
    assert addresses(FuturesConfig()) == (LIVE, LIVE, LIVE, "wss://futures.kraken.com/ws/v1")


def test_demo_is_another_host() -> None:
    demo = "https://demo-futures.kraken.com"
    assert addresses(FuturesConfig(environment="demo")) == (demo, demo, demo, "wss://demo-futures.kraken.com/ws/v1")


def test_another_host_moves_everything_so_that_nothing_goes_to_the_live_venue_by_mistake() -> None:
    here = "http://127.0.0.1:8123"
    assert addresses(FuturesConfig(rest_url=here)) == (here, here, here, "ws://127.0.0.1:8123/ws/v1")


@pytest.mark.parametrize(
    "given",
    [
        "http://host:1",
        "http://host:1/",
        "http://host:1/derivatives",
        "http://host:1/derivatives/api/v3",
        "http://host:1/derivatives/api/v3/",
        "http://host:1/api/history/v3",
        "http://host:1/api/history",
        "http://host:1/api/charts/v1",
    ],
)
def test_an_address_may_have_the_path_of_its_api(given: str) -> None:
    config = FuturesConfig(rest_url=given, history_url=given, charts_url=given)
    assert addresses(config)[:3] == ("http://host:1",) * 3


def test_a_path_in_front_of_the_api_stays() -> None:
    assert FuturesConfig(rest_url="http://proxy/kraken/derivatives").rest_url == "http://proxy/kraken"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"environment": "test"}, "environment: 'test' is none of live, demo"),
        ({"rest_url": "futures.kraken.com"}, "rest_url: 'futures.kraken.com' is no address like https://host"),
        ({"ws_url": "https://futures.kraken.com/ws/v1"}, "ws_url: .* is no address like wss://host"),
        ({"history_url": "http://"}, "history_url"),
    ],
)
def test_what_is_no_address_is_named(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FuturesConfig(**options)  # type: ignore[arg-type]


def test_money_only_moves_when_the_configuration_says_so_in_one_word() -> None:
    assert not FuturesConfig().allow_withdrawals
    assert FuturesConfig(allow_withdrawals=True).allow_withdrawals
    with pytest.raises(ConfigError, match="allow_withdrawals: 'false' is neither true nor false"):
        FuturesConfig(allow_withdrawals="false")  # type: ignore[arg-type]
