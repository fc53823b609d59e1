"""Sign calls and challenges the way Kraken Futures wants it.

Authent is the HMAC-SHA512 of the raw SHA-256 over parameters, nonce and path, keyed with the base64-decoded
secret. Nothing is joined after hashing: that is Spot's way. The path is hashed without a leading
``/derivatives``.
See https://docs.kraken.com/api/docs/guides/futures-rest
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

import attrs

from exchange_core.connector.auth import Credentials
from exchange_core.connector.rest import HttpRequest, RestCall
from exchange_core.errors import ConfigError
from kraken_futures.config import FuturesConfig
from kraken_futures.dialect import write


def decode_secret(text: str) -> bytes:
    """Read an API secret strictly: a lenient decoder would sign with another key and never say so.

    Raises:
        ConfigError: When *text* is no base64. It never shows the secret.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(
            f"api_secret: {len(text)} characters that are not base64 (4n letters, digits, + and /, with = at the end); "
            "copy the whole private key of a Kraken Futures key, a Spot key does not work here"
        ) from None


def digest(params: str, nonce: str, path: str) -> bytes:
    """Return the SHA-256 that is signed.

    Args:
        params: Query or form exactly as it is sent, percent signs and all.
        nonce: As in the header; empty without one.
        path: Of the URL, without host and query.
    """
    return hashlib.sha256(f"{params}{nonce}{path.removeprefix('/derivatives')}".encode()).digest()


@attrs.define
class FuturesSigner:
    """Signs with one key.

    Attributes:
        needs_nonce: Kraken Futures takes calls with and without one.
    """

    _api_key: str = attrs.field(repr=False)
    _secret_text: str = attrs.field(repr=False)
    needs_nonce: bool = True
    _secret: bytes = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._secret = decode_secret(self._secret_text)

    @staticmethod
    def of(credentials: Credentials, config: FuturesConfig) -> FuturesSigner:
        """Make a signer.

        Raises:
            ConfigError: When the secret is not what Kraken hands out.
        """
        return FuturesSigner(credentials.api_key, credentials.api_secret, needs_nonce=config.use_nonce)

    @property
    def public_key(self) -> str:
        return self._api_key

    def secrets(self) -> tuple[str, ...]:
        return (self._secret_text, self._api_key)

    def sign(self, call: RestCall, nonce: int | None) -> HttpRequest:
        request = write(call)
        sent = request.body.decode() or request.target.partition("?")[2]
        number = "" if nonce is None else str(nonce)
        headers = {
            **request.headers,
            "APIKey": self._api_key,
            "Authent": self._authent(digest(sent, number, call.path)),
        }
        if nonce is not None:
            headers["Nonce"] = number
        return HttpRequest(request.method, request.target, headers, request.body)

    def sign_challenge(self, challenge: str) -> str:
        return self._authent(hashlib.sha256(challenge.encode()).digest())

    def _authent(self, message: bytes) -> str:
        return base64.b64encode(hmac.digest(self._secret, message, "sha512")).decode()
