"""Write and sign REST calls the way Kraken Spot wants it.

API-Sign is HMAC-SHA512 over the path and a SHA-256 of nonce and body, keyed with the base64-decoded secret.
See https://docs.kraken.com/exchange/guides/rest/authentication
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from exchange_core.connector.auth import Credentials
from exchange_core.connector.forms import form_text
from exchange_core.connector.rest import HttpRequest, RestCall
from exchange_core.errors import ConfigError, NotSupported
from exchange_core.model.number import plain

_FORM = "application/x-www-form-urlencoded"
_HEADERS = {"Accept": "application/json", "User-Agent": "exchange-core"}


class KrakenSpotSigner:
    """Signs with one API key."""

    needs_nonce = True

    def __init__(self, credentials: Credentials) -> None:
        self._api_key = _header_text(credentials.api_key)
        self._api_secret = credentials.api_secret
        self._secret = decoded_secret(credentials.api_secret)

    def sign(self, call: RestCall, nonce: int | None) -> HttpRequest:
        """Write *call* with its nonce, and sign the very bytes that are sent."""
        if nonce is None:
            raise ConfigError("Kraken Spot: a private call needs a nonce")
        # Kraken hashes the body byte for byte, with the nonce's digits before it.
        number = ("nonce", str(nonce))
        if call.json:
            body = _json(dict((number, *call.params.items())))
        else:
            body = form_text([number, *_pairs(call.params)]).encode()
        headers = {
            "Accept": "application/json",
            "User-Agent": "exchange-core",
            "API-Key": self._api_key,
            "API-Sign": signature(self._secret, call.path, nonce, body),
            "Content-Type": "application/json" if call.json else _FORM,
        }
        return HttpRequest(call.method, call.path, headers, body)

    def sign_challenge(self, challenge: str) -> str:
        raise NotSupported("kraken_spot: WebSocket connections use a token, there is no challenge to sign")

    @property
    def public_key(self) -> str:
        return self._api_key

    def secrets(self) -> tuple[str, ...]:
        return (self._api_secret, self._api_key)

    def __repr__(self) -> str:
        return "<KrakenSpotSigner>"


def signature(secret: bytes, path: str, nonce: int, body: bytes) -> str:
    """Return API-Sign for a POST of *body* to *path*."""
    inner = hashlib.sha256(str(nonce).encode() + body).digest()
    return base64.b64encode(hmac.digest(secret, path.encode() + inner, "sha512")).decode()


def decoded_secret(api_secret: str) -> bytes:
    """Return the bytes behind the secret that Kraken shows.

    Raises:
        ConfigError: When it is no base64; the message does not contain it.
    """
    try:
        secret = base64.b64decode(api_secret.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(
            "api_secret: not base64; expected the private key as Kraken shows it, usually 88 characters "
            "that end in ==, without blanks or line breaks"
        ) from None
    if not secret:
        raise ConfigError("api_secret: empty; expected the private key as Kraken shows it")
    return secret


def public_request(call: RestCall) -> HttpRequest:
    """Write a call that needs no signature: everything is in the query."""
    query = form(call.params)
    return HttpRequest(call.method, f"{call.path}?{query}" if query else call.path, dict(_HEADERS))


def form(params: Mapping[str, Any]) -> str:
    """Write parameters as Kraken reads forms and queries: None left out, lists in one text, booleans in lower case."""
    return form_text(_pairs(params))


def _pairs(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, value if isinstance(value, str) else _form_value(value))
        for name, value in params.items()
        if value is not None
    ]


def _form_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, str):
        return value
    return ",".join(map(_form_value, value)) if isinstance(value, Iterable) else str(value)


def _json(params: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({name: value for name, value in params.items() if value is not None})


def _header_text(api_key: str) -> str:
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ConfigError("api_key: contains blanks, line breaks or other signs that no Kraken key has")
    return api_key
