"""What Kraken's error codes mean, as one table, and what an answer that is no answer means.

Errors come with HTTP 200; only the ``error`` list tells. Entries that start with W are warnings beside a good result.
See https://docs.kraken.com/exchange/guides/general/errors
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import IntEnum
from typing import NamedTuple

from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.errors import (
    AuthenticationError,
    BadRequest,
    ExchangeError,
    InsufficientFunds,
    LockedOut,
    NonceRejected,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    RateLimited,
    VenueError,
    VenueUnavailable,
)


class Caution(IntEnum):
    """How careful an error asks us to be; of several in one answer the highest counts."""

    AGAIN = 1  # refused before anything happened; may be sent again, renewed
    WAIT = 2  # a limiter
    NO = 3  # refused; sending it again changes nothing
    STOP = 4  # the key must not be used on
    UNKNOWN = 5  # a write may have been carried out


class Meaning(NamedTuple):
    """What a code stands for.

    Attributes:
        error: Our class; of an UNKNOWN one, that for reads.
        retry_after: Seconds that Kraken's pages say to wait.
    """

    caution: Caution
    error: type[ExchangeError]
    retry_after: float | None = None


_NO, _STOP, _UNKNOWN = Caution.NO, Caution.STOP, Caution.UNKNOWN
_REQUEST = Meaning(_NO, BadRequest)
_ORDER = Meaning(_NO, OrderRefused)
_KEY = Meaning(_STOP, AuthenticationError)
_OPEN = Meaning(_UNKNOWN, VenueUnavailable)
_LIMIT = Meaning(Caution.WAIT, RateLimited, 5)

# Prefixes in lower case without the blank that some codes have after the colon; the longest that fits counts.
TABLE: dict[str, Meaning] = {
    "eapi:invalid key": _KEY,
    "eapi:invalid signature": _KEY,
    "eapi:invalid nonce": Meaning(Caution.AGAIN, NonceRejected),
    "eapi:rate limit exceeded": _LIMIT,
    "eapi:": _REQUEST,
    "egeneral:permission denied": _KEY,
    "egeneral:temporary lockout": Meaning(_STOP, LockedOut, 900),
    "egeneral:too many requests": _LIMIT,
    "egeneral:invalid arguments": _REQUEST,
    "egeneral:unknown method": _REQUEST,
    "egeneral:internal error": _OPEN,
    "equery:unknown asset": _REQUEST,
    "equery:invalid asset pair": _REQUEST,
    "eservice:unavailable": _OPEN,
    "eservice:busy": _OPEN,
    "eservice:throttled": Meaning(Caution.WAIT, RateLimited),
    "eservice:market in": _ORDER,
    "eservice:deadline elapsed": _OPEN,
    "edatabase:internal error": _OPEN,
    "eorder:insufficient funds": Meaning(_NO, InsufficientFunds),
    "eorder:unknown order": Meaning(_NO, OrderNotFound),
    "eorder:rate limit exceeded": Meaning(Caution.WAIT, RateLimited),
    "eorder:domain rate limit exceeded": Meaning(Caution.WAIT, RateLimited),
    "eorder:": _ORDER,
    "etrade:user locked": _KEY,
    "etrade:locked": _KEY,
    "etrade:invalid request": _ORDER,
    "esession:invalid session": _KEY,
    "eaccount:invalid permissions": _KEY,
    "eauth:rate limit exceeded": _LIMIT,
    "eauth:too many requests": _LIMIT,
    "eauth:": _KEY,
    "efunding:": _REQUEST,
    "ebm:limit exceeded": _ORDER,
    "eearnings:busy": _LIMIT,
    "eearnings:": _REQUEST,
    # Requests over WebSocket are refused in plain words where they are no good requests at all.
    "currency pair not supported": _REQUEST,
    "unsupported event": _REQUEST,
    "unsupported field": _REQUEST,
    "private data and trading are unavailable": _REQUEST,
}

_PREFIXES = sorted(TABLE, key=len, reverse=True)
_THROTTLED = re.compile(r"eservice:throttled:\s*(\d+)")
_WRONG_KIND = re.compile(r"\w+ field must be an? ")


def meaning(code: str) -> Meaning:
    """Return what *code* stands for. One that is in no table is taken for the worst it can be."""
    plain = _plain(code)
    for prefix in _PREFIXES:
        if plain.startswith(prefix):
            return TABLE[prefix]
    if plain.startswith("egeneral:invalid") or _WRONG_KIND.match(plain):
        return _REQUEST
    return Meaning(_UNKNOWN, VenueError)


# Codes that the venue's pages list, beside those of the table that name one; what follows one is a detail.
_LISTED = (
    *(prefix for prefix in TABLE if not prefix.endswith(":")),
    *("eapi:bad request", "eapi:feature disabled", "egeneral:invalid", "wdatabase:no change"),
    *("eauth:account temporary disabled", "eauth:account unconfirmed", "eauth:failed"),
    *("ebm:limit exceeded", "equery:unknown asset pair", "eservice:market in"),
    *(
        f"eorder:{text}"
        for text in (
            "insufficient margin",
            "order minimum not met",
            "cost minimum not met",
            "tick size check failed",
            "invalid price",
            "invalid order",
            "post only order",
            "orders limit exceeded",
            "scheduled orders limit exceeded",
            "positions limit exceeded",
            "margin allowance exceeded",
            "margin level too low",
            "margin position size exceeded",
            "cannot open position",
            "cannot open opposing position",
            "reduce only",
            "unknown position",
        )
    ),
    *(
        f"efunding:{text}"
        for text in (
            "insufficient funds",
            "unknown withdraw key",
            "unknown asset",
            "no funding method",
            "invalid amount",
            "invalid reference id",
            "unknown reference id",
            "too many addresses",
            "max fee exceeded",
        )
    ),
    *(f"eearnings:{text}" for text in ("below min", "above max", "insufficient funds", "permission denied")),
)


def is_known(code: str) -> bool:
    """Return whether *code* itself is listed somewhere, and not only its class."""
    plain = _plain(code)
    return plain.startswith(_LISTED) or plain.endswith("cancel pending")


def error_for(codes: Sequence[str], call: RestCall, reply: HttpReply | None, venue: str) -> ExchangeError:
    """Return the error that *codes* make of *call*: the most cautious of them."""
    found = max((meaning(code) for code in codes), key=lambda m: _rank(m, call))
    text = f"{venue}: {_name(call)}: {', '.join(codes)}{_permission(call, codes)}"
    if found.caution is _UNKNOWN and call.changes_state:
        return OutcomeUnknown(f"{text}; it may have been carried out", venue=venue, codes=codes)
    if issubclass(found.error, RateLimited):
        wait = throttled_for(codes, reply) if found.retry_after is None else found.retry_after
        return found.error(text, venue=venue, codes=codes, retry_after=wait)
    if found.error is BadRequest and call.changes_state:
        return OrderRefused(text, venue=venue, codes=codes)
    return found.error(text, venue=venue, codes=codes)


def _permission(call: RestCall, codes: Sequence[str]) -> str:
    """Return what the key lacks, where that is what *codes* say and the call is known to need it."""
    if not any(_plain(code).startswith("egeneral:permission denied") for code in codes):
        return ""
    # Only errors need the words.
    from kraken_spot.permissions import needed

    permissions = needed(call.path)
    return f"; the API key needs the permission {permissions}" if permissions else ""


def lockout_of(code: str, venue: str) -> LockedOut | None:
    """Return the lockout that *code* tells of, if it does."""
    found = meaning(code)
    if not issubclass(found.error, LockedOut):
        return None
    return LockedOut(f"{venue}: {code}", venue=venue, codes=[code], retry_after=found.retry_after)


def no_answer(call: RestCall, reply: HttpReply, venue: str, why: str) -> ExchangeError:
    """Return what a reply means that is none of Kraken's own: a proxy's page, an HTTP error, broken text."""
    text = f"{venue}: {_name(call)}: HTTP {reply.status}, {why}"
    if call.changes_state:
        return OutcomeUnknown(f"{text}; it may have been carried out", venue=venue)
    if reply.status == 429:
        return RateLimited(text, venue=venue, retry_after=_seconds(reply.headers.get("retry-after")))
    return VenueUnavailable(text, venue=venue)


def throttled_for(codes: Sequence[str], reply: HttpReply | None) -> float | None:
    """Return the seconds until the time that ``EService:Throttled`` names, by the venue's own clock."""
    match = next(filter(None, (_THROTTLED.match(_plain(code)) for code in codes)), None)
    sent = _date(reply.headers.get("date", "")) if reply is not None else None
    if match is None or sent is None:
        return None
    return max(0.0, float(match[1]) - sent.timestamp())


def _rank(found: Meaning, call: RestCall) -> float:
    # A read was not carried out by half: there, a key that must not be used on and a plain no come first.
    if found.caution is _UNKNOWN and not call.changes_state:
        return (Caution.WAIT + Caution.NO) / 2
    return found.caution


def _plain(code: str) -> str:
    return re.sub(r":\s+", ":", code.strip()).casefold()


def _name(call: RestCall) -> str:
    return call.path.rpartition("/")[2]


def _date(text: str) -> datetime | None:
    try:
        sent = parsedate_to_datetime(text)
    except ValueError:
        return None
    return sent if sent.tzinfo else sent.replace(tzinfo=UTC)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None
