"""What can be set for Kraken Spot in ``[venues.NAME]``; the defaults are the live venue's."""

from __future__ import annotations

import attrs

from exchange_core.connector.spec import VenueConfig
from exchange_core.errors import ConfigError

TIERS = ("starter", "intermediate", "pro")


def _known_tier(config: object, attribute: attrs.Attribute[str], tier: str) -> None:
    if tier not in TIERS:
        raise ConfigError(f"tier: {tier!r} is no level of a Kraken Spot account; expected {', '.join(TIERS)}")


def _positive(config: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not value > 0:
        raise ConfigError(f"{attribute.name}: {value!r} is not above zero")


def _not_negative(config: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not value >= 0:
        raise ConfigError(f"{attribute.name}: {value!r} is below zero")


def _no_or_in_time(config: object, attribute: attrs.Attribute[float], value: float) -> None:
    if value != 0 and not 2 < value <= 60:
        raise ConfigError(
            f"{attribute.name}: {value!r} seconds; Kraken Spot takes deadlines that are 2 to 60 seconds ahead when "
            "they arrive, so give more than 2 and at most 60, or 0 to send none"
        )


def _yes_or_no(config: object, attribute: attrs.Attribute[bool], value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigError(f"{attribute.name}: {value!r} is neither true nor false")


@attrs.frozen(kw_only=True)
class KrakenSpotConfig(VenueConfig):
    """Options of one Kraken Spot account.

    Attributes:
        ws_auth_url: The WebSocket host of the account's own feeds.
        ws_l3_url: The host of books by order.
        tier: The account's verification level, which its limits depend on. The API does not tell it, so the lowest
            one is assumed.
        quiet_after: Seconds without data after which a subscription to market data is asked for afresh, to see whether
            it was silent for want of news; 0 never does.
        history_cost: What a call for trade history takes from the private counter. Kraken's pages say 2 or 4.
        change_cost: What an amend, an edit or a batch over REST takes from the private counter, beside the matching
            engine's. Kraken's page says that all calls but AddOrder and CancelOrder count 1; other clients count 0.
        allow_withdrawals: Withdrawals, transfers and new subaccounts may be asked for. They are refused otherwise.
        tokenized: Pairs of tokenised assets (xStocks) are listed, too; the venue lists them apart.
    """

    rest_url: str = "https://api.kraken.com"
    ws_url: str = "wss://ws.kraken.com/v2"
    ws_auth_url: str = "wss://ws-auth.kraken.com/v2"
    ws_l3_url: str = "wss://ws-l3.kraken.com/v2"
    tier: str = attrs.field(default="starter", validator=_known_tier)
    stale_after: float = attrs.field(default=10.0, validator=_positive)
    order_deadline: float = attrs.field(default=5.0, validator=_no_or_in_time)
    quiet_after: float = attrs.field(default=60.0, validator=_not_negative)
    history_cost: float = attrs.field(default=4.0, validator=_positive)
    change_cost: float = attrs.field(default=1.0, validator=_not_negative)
    allow_withdrawals: bool = attrs.field(default=False, validator=_yes_or_no)
    tokenized: bool = attrs.field(default=False, validator=_yes_or_no)
