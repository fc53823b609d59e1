"""Tidepool's one limit: a counter that rises by one with each REST call and drains steadily.

Two of it are kept for cancels, so that a burst of other calls never stands in the way of one.
"""

from exchange_core.connector.limits import Cost, DecayingCounter, Limits
from exchange_core.errors import ConfigError
from exchange_tidepool.config import TidepoolConfig

CALL = (Cost("rest"),)
CANCEL = (Cost("rest", urgent=True),)

TIERS = {"default": (20.0, 10.0), "whale": (100.0, 50.0)}
"""From tier to the highest value of the counter, and how much drains in a second."""


def limits(config: TidepoolConfig) -> Limits:
    if config.tier not in TIERS:
        raise ConfigError(f"tidepool: tier {config.tier!r} is none of {', '.join(TIERS)}")
    maximum, decay = TIERS[config.tier]
    return Limits({"rest": DecayingCounter(maximum, decay, reserve=2)})
