"""What options of Kraken Spot are refused, and with which words."""

import pytest

from exchange_core.errors import ConfigError
from kraken_spot.config import KrakenSpotConfig


@pytest.mark.parametrize("seconds", [0.0, 2.5, 5.0, 60.0])
def test_deadlines_that_the_venue_takes(seconds: float) -> None:
    assert KrakenSpotConfig(order_deadline=seconds).order_deadline == seconds


@pytest.mark.parametrize("seconds", [0.3, 2.0, 61.0, -1.0])
def test_a_deadline_that_every_order_would_be_refused_for_is_refused_at_once(seconds: float) -> None:
    with pytest.raises(ConfigError, match=r"^order_deadline: .* more than 2 and at most 60, or 0 to send none"):
        KrakenSpotConfig(order_deadline=seconds)


def test_an_unknown_tier_is_named() -> None:
    with pytest.raises(ConfigError, match="tier: 'gold' is no level of a Kraken Spot account; expected starter"):
        KrakenSpotConfig(tier="gold")
