"""Let in who may: signatures, nonces, permissions, and the tokens of WebSocket sessions.

Written from the venue's description and not from the client's code, so that a mistake there shows here.
See https://docs.kraken.com/exchange/guides/rest/authentication
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import attrs

from exchange_core.connector.rest import HttpRequest
from exchange_core.connector.saved_state import Room, dump, load
from exchange_core.connector.simulation import SimExchange, SimKey
from kraken_spot.simulator.codec import Arguments, Refused, read_body
from kraken_spot.simulator.limits import Limits

PERMISSIONS = (
    "query-funds",
    "add-funds",
    "withdraw-funds",
    "earn-funds",
    "query-open-trades",
    "query-closed-trades",
    "modify-trades",
    "close-trades",
    "query-ledger",
    "export-data",
    "create-ws-token",
    "add-withdraw-address",
    "update-withdraw-address",
)
TOKEN_SECONDS = 900
_LARGEST_NONCE = 2**64 - 1


def signature(secret: str, path: str, nonce: str, body: bytes) -> str:
    """Return API-Sign: HMAC-SHA512 over the path and the SHA-256 of nonce and body."""
    inner = hashlib.sha256(nonce.encode() + body).digest()
    return b64encode(hmac.digest(b64decode(secret), path.encode() + inner, "sha512")).decode()


@attrs.define
class Used:
    """What is known of a key's use.

    Attributes:
        nonce: The highest that was accepted.
    """

    nonce: int = 0
    last: datetime | None = None


class Door(Room):
    """Lets calls in, and locks out who fails too often."""

    KEEPS: ClassVar = {"used": dict[str, Used]}

    def __init__(self, exchange: SimExchange, limits: Limits) -> None:
        self._exchange = exchange
        self._limits = limits
        self.used: dict[str, Used] = {}

    def admit(self, request: HttpRequest, path: str) -> tuple[SimKey, Arguments]:
        """Return whose call it is, and its arguments.

        Raises:
            Refused: Key, signature or nonce is wrong, or was too often.
        """
        name = next((value for header, value in request.headers.items() if header.lower() == "api-key"), "")
        self._limits.check_lockout(name)
        try:
            key, arguments, nonce = _admit(self._exchange, request, path)
        except Refused:
            self._limits.failed(name)
            raise
        self._limits.passed(name)
        self.used[name] = Used(nonce, self._exchange.now())
        return key, arguments


def _admit(exchange: SimExchange, request: HttpRequest, path: str) -> tuple[SimKey, Arguments, int]:
    """Check a call. Only a signed nonce counts as used."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    key = exchange.key(headers.get("api-key", ""))
    if key is None:
        raise Refused("EAPI:Invalid key")
    arguments = read_body(request.body, headers.get("content-type", ""))
    try:
        nonce = arguments.required("nonce")
    except Refused:
        raise Refused("EAPI:Invalid nonce") from None
    if not nonce.isascii() or not nonce.isdigit() or len(nonce) > 20 or int(nonce) > _LARGEST_NONCE:
        raise Refused("EAPI:Invalid nonce")
    expected = signature(key.api_secret, path, nonce, request.body)
    given = headers.get("api-sign", "")
    if not given.isascii() or not hmac.compare_digest(expected, given):
        raise Refused("EAPI:Invalid signature")
    if not exchange.accept_nonce(key.api_key, int(nonce)):
        raise Refused("EAPI:Invalid nonce")
    return key, arguments, int(nonce)


def permitted(key: SimKey, needed: tuple[str, ...]) -> bool:
    """Whether *key* has one of the *needed* permissions; a key without a list has them all."""
    return not key.permissions or not needed or any(word in key.permissions for word in needed)


def require(key: SimKey, needed: tuple[str, ...]) -> None:
    """Raises: Refused: Without one of the *needed* permissions."""
    if not permitted(key, needed):
        raise Refused("EGeneral:Permission denied")


@attrs.define
class Token:
    """One WebSocket token.

    Attributes:
        held: Private subscriptions that live on it; while there are any it stays good.
    """

    key: SimKey
    created: datetime
    held: int = 0


_Issued = dict[str, tuple[str, datetime]]


class Tokens:
    """The tokens given out. One must be used within 15 minutes; a private subscription keeps it alive.

    They are kept by their digests, so that a saved state has none that could be used.
    """

    def __init__(self, exchange: SimExchange) -> None:
        self._exchange = exchange
        self._tokens: dict[str, Token] = {}

    def issue(self, key: SimKey) -> str:
        now = self._exchange.now()
        for digest in [digest for digest, token in self._tokens.items() if not self._is_good(token, now)]:
            del self._tokens[digest]
        text = urlsafe_b64encode(self._exchange.random.getrandbits(256).to_bytes(32, "big")).decode().rstrip("=")
        self._tokens[_digest(text)] = Token(key, now)
        return text

    def find(self, text: object) -> Token:
        """Return a good token.

        Raises:
            Refused: Missing, unknown or too old.
        """
        token = self._tokens.get(_digest(text)) if isinstance(text, str) else None
        if token is None or not self._is_good(token, self._exchange.now()):
            raise Refused("ESession:Invalid session")
        return token

    def forget(self) -> None:
        """Let no token be good any more."""
        self._tokens.clear()

    def saved(self) -> dict[str, Any]:
        """Return what :meth:`restore` takes: whose they are, and since when. Their subscriptions end with the run."""
        issued = {digest: (token.key.api_key, token.created) for digest, token in self._tokens.items()}
        return {"issued": dump(issued, _Issued)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        for digest, (api_key, created) in load(saved.get("issued", {}), _Issued).items():
            if (key := self._exchange.key(api_key)) is not None:
                self._tokens[digest] = Token(key, created)

    def _is_good(self, token: Token, now: datetime) -> bool:
        return token.held > 0 or now - token.created < timedelta(seconds=TOKEN_SECONDS)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
