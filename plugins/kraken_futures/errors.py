"""Kraken Futures' errors, in all their forms, as errors of our tree.

``result: "error"`` comes with one ``error`` text (mostly at HTTP 200) or with a list ``errors`` of code and
message (HTTP 400 to 500); the history, charts and key services and the gateway have forms of their own. What
a write may have done although its answer is an error is decided here too.
See https://docs.kraken.com/api/docs/guides/futures-rest
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.errors import (
    AuthenticationError,
    BadRequest,
    ExchangeError,
    InsufficientFunds,
    NonceRejected,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
    RateLimited,
    VenueError,
    VenueUnavailable,
)

# Texts of ``error`` and of ``errors[].message``, up to a colon: details may follow one.
_BY_TEXT: dict[str, type[ExchangeError]] = {
    "accountInactive": BadRequest,  # also the answer for an account that was never used
    "apiLimitExceeded": RateLimited,
    "authenticationError": AuthenticationError,
    "insufficientFunds": InsufficientFunds,
    "insufficientPrivileges": AuthenticationError,
    "invalidAccount": BadRequest,
    "invalidAmount": BadRequest,
    "invalidArgument": BadRequest,
    "invalidUnit": BadRequest,
    "Json Parse Error": BadRequest,
    "marketUnavailable": OrderRefused,
    "nonceBelowThreshold": NonceRejected,
    "nonceDuplicate": NonceRejected,
    "notFound": OrderNotFound,
    "requiredArgumentMissing": BadRequest,
    "Server Error": VenueUnavailable,
    "Unavailable": VenueUnavailable,
    "unknownError": VenueUnavailable,
    "contractNotFound": BadRequest,
    "Bad Request": BadRequest,
    "Argument invalid": BadRequest,
    "INSUFFICIENT_MARGIN": InsufficientFunds,
}

# Calls that are about orders; what other calls are refused is no order.
_ORDER_CALLS = frozenset(
    {"batchorder", "cancelallorders", "cancelallordersafter", "cancelorder", "editorder", "sendorder"}
)

# Of these, an error speaks of the one order that the call is about; of a batch it need not speak of all.
_ONE_ORDER_CALLS = frozenset({"cancelorder", "editorder", "sendorder"})
_EXECUTED = "REJECTED_AFTER_EXECUTION"
# Of the venue's order errors; all others are plain refusals.
_ORDER_ERRORS: dict[str, type[ExchangeError]] = {
    _EXECUTED: VenueError,
    "INSUFFICIENT_CLOSING_MARGIN": InsufficientFunds,
    "INSUFFICIENT_MARGIN": InsufficientFunds,
    "ORDER_FOR_CANCELLATION_NOT_FOUND": OrderNotFound,
    "ORDER_FOR_EDIT_NOT_FOUND": OrderNotFound,
}

_BY_CODE: dict[str, type[ExchangeError]] = {
    "11": BadRequest,  # invalid order type; live answers put it on other invalid arguments too
    "41": OrderRefused,  # would cause liquidation
    "87": BadRequest,  # contract does not exist
    "88": BadRequest,  # contract is not multi-collateral
    "89": BadRequest,  # currency does not exist
    "90": BadRequest,  # currency not enabled for multi-collateral
    "92": InsufficientFunds,
}


class _Envelope(msgspec.Struct):
    result: Any = None
    error: Any = None
    errors: Any = None
    status: Any = None
    reason: Any = None


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


class _Found(NamedTuple):
    """An error envelope's texts and codes, whichever of the two forms it has."""

    texts: list[str]
    codes: list[str]


# Seen, and read by the words beside them or by their HTTP status.
_SEEN = frozenset({"404 NOT_FOUND", "429"})


def is_known(code: str) -> bool:
    """Return whether *code*, without its detail, is in a table."""
    head = code.partition(":")[0].strip()
    return head in _BY_TEXT or head in _BY_CODE or head in _SEEN or _order_error(head) is not None


def error_of(call: RestCall, reply: HttpReply, venue: str) -> ExchangeError | None:
    """Return the error that *reply* is, or None for a success."""
    error = _read(call, reply, venue)
    if error is None or not call.changes_state:
        return error
    # By these the venue says that something went wrong on its side, or nothing that we know: how far a write
    # came is open.
    if type(error) is VenueError or isinstance(error, VenueUnavailable | ProtocolError):
        return OutcomeUnknown(f"{error}; it may have been carried out", venue=venue, codes=error.codes)
    return error


def _read(call: RestCall, reply: HttpReply, venue: str) -> ExchangeError | None:
    what = f"{venue}: {call.method} {call.path}"
    try:
        envelope = _decode_envelope(reply.body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        envelope = None
    found = _errors_in(envelope) if envelope is not None else None
    if reply.status == 429 or (found is not None and _kind(found) is RateLimited):
        codes = (found.codes if found else None) or ["429"]
        return RateLimited(
            f"{what}: the venue's limit is used up ({codes[0]})",
            venue=venue,
            codes=codes,
            retry_after=_seconds(reply.headers.get("rate-limit-reset") or reply.headers.get("retry-after")),
        )
    if found is not None:
        return _from_envelope(found, call, reply.status, what, venue)
    if reply.status >= 400:
        return _by_status(reply, what, venue)
    if envelope is None:
        if call.reply is bytes and not _is_page(reply):
            return None  # a table in CSV
        if call.base == "charts_url" and reply.body.lstrip()[:1] == b"[":
            return None  # a bare list
        return ProtocolError(f"{what}: expected JSON, found {_kind_of(reply)}", venue=venue)
    if _has_envelope(call) and envelope.result != "success":
        return ProtocolError(f'{what}: expected result "success", found {str(envelope.result)[:40]!r}', venue=venue)
    return None


def _has_envelope(call: RestCall) -> bool:
    # The key check is another service; the switch of a sub-account is documented without a result.
    return call.path.startswith("/derivatives/") and not call.path.endswith("/trading-enabled")


def _errors_in(envelope: _Envelope) -> _Found | None:
    if envelope.status == "unauthorized":
        return _Found([str(envelope.reason)], ["authenticationError"])
    if envelope.error is not None:
        return _Found([str(envelope.error)], [str(envelope.error)])
    # Analytics have an object as their result, errors or not.
    if not (envelope.result == "error" or isinstance(envelope.result, dict)) or not isinstance(envelope.errors, list):
        return None
    problems = [problem for problem in envelope.errors if isinstance(problem, dict)]
    if not problems and envelope.result != "error":
        return None
    texts = [str(problem.get("message") or problem.get("msg") or "no message") for problem in problems]
    return _Found(texts, texts + [str(problem["code"]) for problem in problems if problem.get("code")])


def _kind(found: _Found) -> type[ExchangeError] | None:
    heads = [code.partition(":")[0].strip() for code in found.codes]
    return next((_BY_TEXT[head] for head in heads if head in _BY_TEXT), None) or next(
        (_BY_CODE[head] for head in heads if head in _BY_CODE), None
    )


def _kind_for(call: RestCall, found: _Found) -> type[ExchangeError] | None:
    """Return what the texts mean as an answer to *call*: of an order they say, in either list of words, why not."""
    endpoint = call.path.rpartition("/")[2]
    if endpoint in _ORDER_CALLS and _EXECUTED in found.codes:
        return _ORDER_ERRORS[_EXECUTED]
    kind = _kind(found)
    if kind is None and endpoint in _ONE_ORDER_CALLS:
        told = (_order_error(code.partition(":")[0].strip()) for code in found.codes)
        kind = next(filter(None, told), None)
    return kind


def _order_error(word: str) -> type[ExchangeError] | None:
    """Return what a word means that is documented as the status of an answer to an order, or as an order's error."""
    # Only errors need the words.
    from kraken_futures.documented.words import ORDER_ERRORS
    from kraken_futures.parse.outcomes import EDIT_REFUSALS, REFUSALS

    if word in ORDER_ERRORS.known:
        return _ORDER_ERRORS.get(word, OrderRefused)
    refusal = EDIT_REFUSALS.get(word) or REFUSALS.get(word)
    return None if refusal is None else refusal[0]


def _from_envelope(found: _Found, call: RestCall, status: int, what: str, venue: str) -> ExchangeError:
    kind = _kind_for(call, found)
    if kind is None:
        by_status = BadRequest if 400 <= status < 500 else VenueUnavailable if status >= 500 else VenueError
        kind = AuthenticationError if status == 401 else by_status
    if _is_no_order(call, kind):
        passing = found.codes[0] == "marketUnavailable" and not call.changes_state
        kind = VenueUnavailable if passing else BadRequest
    needs = _access_needed(call) if kind is AuthenticationError else ""
    return kind(f"{what}: {'; '.join(found.texts)[:300]}{needs}", venue=venue, codes=found.codes)


def _access_needed(call: RestCall) -> str:
    """Return what a key must be allowed for *call*; the venue has one word for all that is wrong with a key."""
    endpoint = call.path.rpartition("/")[2]
    if not call.private or call.path.startswith("/api/auth/"):
        return ""
    if endpoint == "withdrawal":
        level = "withdrawal access"
    elif call.method != "GET" or endpoint == "trading-enabled":
        level = "full access (general)"
    else:
        level = "read access (general)"
    return f"; the key, its secret or the caller's address is wrong, or the key lacks the {level} that this call needs"


def _is_no_order(call: RestCall, kind: type[ExchangeError]) -> bool:
    """Return whether *kind* speaks of an order and *call* does not. Funds can lack for a transfer too."""
    if not issubclass(kind, OrderRefused) or call.path.rpartition("/")[2] in _ORDER_CALLS:
        return False
    return not (call.changes_state and kind is InsufficientFunds)


def _by_status(reply: HttpReply, what: str, venue: str) -> ExchangeError:
    text = _excerpt(reply)
    message = f"{what}: HTTP {reply.status}" + (f": {text}" if text else f" with {_kind_of(reply)}")
    codes = [str(reply.status)]
    if reply.status == 401:
        return AuthenticationError(message, venue=venue, codes=codes)
    if reply.status in (400, 404) and not _is_page(reply):
        return BadRequest(message, venue=venue, codes=codes)
    # 403, 405, 5xx and every page of HTML are the gateway's, during maintenance above all.
    return VenueUnavailable(message, venue=venue, codes=codes)


def _is_page(reply: HttpReply) -> bool:
    return "html" in reply.headers.get("content-type", "") or reply.body.lstrip()[:1] == b"<"


def _kind_of(reply: HttpReply) -> str:
    if _is_page(reply):
        return "a page of HTML"
    return f"{len(reply.body)} bytes of {reply.headers.get('content-type', 'no named type')}"


def _excerpt(reply: HttpReply) -> str:
    """Return a short plain text such as charts' ``Invalid resolution``, and nothing of pages and long bodies."""
    text = reply.body.decode("utf-8", "replace").strip()
    return text if 0 < len(text) <= 120 and text.isprintable() and text[0] not in "<{[" else ""


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text) if text else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < 86400 else None
