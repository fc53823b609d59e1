"""Credentials, and what signs with them. Secrets never show in repr."""

from __future__ import annotations

from typing import Protocol

import attrs

from exchange_core.connector.rest import HttpRequest, RestCall
from exchange_core.errors import ConfigError


@attrs.frozen(kw_only=True)
class Credentials:
    """One API key of one account."""

    api_key: str = attrs.field(repr=False)
    api_secret: str = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.api_key or not self.api_secret:
            missing = "api_secret" if self.api_key else "api_key"
            raise ConfigError(f"credentials: {missing} is empty; give both api_key and api_secret")


class Signer(Protocol):
    """Turns a private call into the request to send."""

    @property
    def needs_nonce(self) -> bool:
        """Whether :meth:`sign` wants a nonce (strictly increasing; the transport makes it)."""
        ...

    def sign(self, call: RestCall, nonce: int | None) -> HttpRequest:
        """Write and sign *call*."""
        ...

    def sign_challenge(self, challenge: str) -> str:
        """Sign a WebSocket challenge, where the venue has such.

        Raises:
            NotSupported: Where it has none.
        """
        ...

    @property
    def public_key(self) -> str:
        """The API key, for frames that carry it."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """Return every text that must never show, for the redaction."""
        ...
