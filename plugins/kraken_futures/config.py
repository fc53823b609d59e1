"""What can be set for Kraken Futures, and the addresses that follow from it.

``environment`` picks Kraken's own addresses; ``rest_url`` moves everything to another host. History, charts
and WebSocket are on that host too unless they are given.
See https://docs.kraken.com/api/docs/guides/futures-introduction
"""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs

from exchange_core.connector.spec import VenueConfig
from exchange_core.errors import ConfigError

HOSTS = {
    "live": "https://futures.kraken.com",
    "demo": "https://demo-futures.kraken.com",
}

# People give addresses with the part that the path of each call has already.
_PATHS = ("/derivatives/api/v3", "/derivatives", "/api/history/v3", "/api/history/v2", "/api/history", "/api/charts/v1")


def host_of(url: str) -> str:
    """Return *url* without a trailing slash and without the part that the path of each call has already."""
    url = url.strip().rstrip("/")
    for path in _PATHS:
        if url.endswith(path):
            return url.removesuffix(path)
    return url


def _environment(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if value not in HOSTS:
        raise ConfigError(f"{attribute.name}: {value!r} is none of {', '.join(HOSTS)}")


def _address(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    schemes = ("ws", "wss") if attribute.name == "ws_url" else ("http", "https")
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.netloc:
        raise ConfigError(f"{attribute.name}: {value!r} is no address like {schemes[1]}://host")


def _seconds(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if value < 0:
        raise ConfigError(f"{attribute.name}: {value:g} is below zero; 0 is never")


def _switch(_: object, attribute: attrs.Attribute[bool], value: bool) -> None:
    if not isinstance(value, bool):
        raise ConfigError(f"{attribute.name}: {value!r} is neither true nor false")


@attrs.frozen(kw_only=True)
class FuturesConfig(VenueConfig):
    """Options of ``[venues.NAME]`` with ``plugin = "kraken_futures"``.

    Attributes:
        environment: ``live`` or ``demo``; each has its own accounts and keys.
        rest_url: Host of the trading API. All four addresses are taken with or without the API's own path.
        history_url: Host of ``/api/history``.
        charts_url: Host of ``/api/charts``.
        allow_withdrawals: Let transfers between wallets and accounts, and withdrawals, be sent. Without it they are
            refused, whatever the key may do.
        quiet_after: Seconds of silence after which a subscription is asked for again, to see whether it is only a quiet
            market; 0 for never.
        use_nonce: Send nonces. Without them calls may overtake each other, but a recorded one may be replayed.
    """

    environment: str = attrs.field(default="live", validator=_environment)
    rest_url: str = attrs.field(converter=host_of, validator=_address)
    history_url: str = attrs.field(converter=host_of, validator=_address)
    charts_url: str = attrs.field(converter=host_of, validator=_address)
    ws_url: str = attrs.field(validator=_address)
    quiet_after: float = attrs.field(default=60.0, validator=_seconds)
    use_nonce: bool = True
    allow_withdrawals: bool = attrs.field(default=False, validator=_switch)

    @rest_url.default
    def _rest_url(self) -> str:
        # An unknown environment is refused by its own validator, after all defaults.
        return HOSTS.get(self.environment, HOSTS["live"])

    @history_url.default
    def _history_url(self) -> str:
        return self.rest_url

    @charts_url.default
    def _charts_url(self) -> str:
        return self.rest_url

    @ws_url.default
    def _ws_url(self) -> str:
        scheme, separator, rest = self.rest_url.partition("://")
        return f"{'ws' if scheme == 'http' else 'wss'}{separator}{rest}/ws/v1"
