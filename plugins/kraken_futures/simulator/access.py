"""Let in who may: signatures, nonces, permissions.

Written from the venue's description and not from the client's code, so that a mistake there shows here.
See https://docs.kraken.com/api/docs/guides/futures-rest
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from typing import ClassVar

import attrs

from exchange_core.connector.rest import HttpRequest
from exchange_core.connector.saved_state import Room
from exchange_core.connector.simulation import SimExchange, SimKey
from kraken_futures.simulator.codec import Refused

FULL = "FULL_ACCESS"
READ = "READ_ONLY"
WITHDRAW = "TRANSFER"
"""May send money to the Spot wallet; the venue keeps it apart from what is called general."""
_TOLERANCE = 10**8  # of the highest nonce: 17 seconds, in whatever unit a client counts time
_REMEMBERED = 5000


def sign(secret: str, message: bytes) -> str:
    """Return base64 of the HMAC-SHA512 over the SHA-256 of *message*."""
    return b64encode(hmac.digest(b64decode(secret), hashlib.sha256(message).digest(), "sha512")).decode()


def authent(secret: str, post_data: bytes, nonce: str, path: str) -> str:
    """Return the header Authent. *post_data* is query and body exactly as sent."""
    return sign(secret, post_data + f"{nonce}{path.removeprefix('/derivatives')}".encode("utf-8", "replace"))


def permits(key: SimKey, level: str) -> bool:
    """Whether *key* may read, do everything, or withdraw; a key without a list may."""
    allowed = {FULL, READ} if level == READ else {level}
    return not key.permissions or bool(key.permissions & allowed)


def levels(key: SimKey) -> dict[str, str]:
    """Return what a key may do, as the check of keys says it."""
    general = FULL if permits(key, FULL) else READ if permits(key, READ) else "NO_ACCESS"
    return {"general": general, "transfer": FULL if permits(key, WITHDRAW) else "NO_ACCESS"}


@attrs.define
class Nonces:
    """The nonces of one key. A little disorder is tolerated; how much is not documented."""

    used: set[int] = attrs.field(factory=set)
    highest: int = 0
    lowest: int = 0

    def use(self, nonce: int) -> None:
        if nonce in self.used:
            raise Refused("nonceDuplicate")
        if nonce < max(self.lowest, self.highest - self.highest // _TOLERANCE):
            raise Refused("nonceBelowThreshold")
        self.used.add(nonce)
        self.highest = max(self.highest, nonce)
        if len(self.used) > _REMEMBERED:
            kept = sorted(self.used)[_REMEMBERED // 2 :]
            self.used, self.lowest = set(kept), kept[0]


class Gate(Room):
    """Lets signed calls in."""

    KEEPS: ClassVar = {"_nonces": dict[str, Nonces]}

    def __init__(self, exchange: SimExchange) -> None:
        self._exchange = exchange
        self._nonces: dict[str, Nonces] = {}

    def admit(self, request: HttpRequest, level: str | None) -> SimKey:
        """Return whose call it is; without a *level* any key may make it.

        Raises:
            Refused: Key, signature, permission or nonce is wrong.
        """
        headers = {name.lower(): value for name, value in request.headers.items()}
        key = self._exchange.key(headers.get("apikey", ""))
        if key is None:
            raise Refused("authenticationError")
        path, _, query = request.target.partition("?")
        nonce = headers.get("nonce", "")
        post_data = query.encode("utf-8", "replace") + request.body
        expected = authent(key.api_secret, post_data, nonce, path)
        given = headers.get("authent", "")
        if not given.isascii() or not hmac.compare_digest(expected, given):
            raise Refused("authenticationError")
        if level is not None and not permits(key, level):
            raise Refused("authenticationError")
        if nonce:
            self._use(key.api_key, nonce)
        return key

    def _use(self, api_key: str, text: str) -> None:
        if not text.isascii() or not text.isdigit() or len(text) > 30:
            raise Refused("authenticationError")
        self._nonces.setdefault(api_key, Nonces()).use(int(text))
