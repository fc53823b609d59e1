"""How Kraken Futures writes requests and answers.

Reads carry their parameters in the query, writes in a form body; there are no JSON bodies. The text is
encoded once, and what is signed is what is sent. Numbers of answers become Decimals straight from their
digits.
See https://docs.kraken.com/api/docs/guides/futures-rest
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import attrs
import msgspec

from exchange_core.connector.forms import form_text
from exchange_core.connector.rest import HttpReply, HttpRequest, RestCall
from exchange_core.errors import OutcomeUnknown, ProtocolError
from exchange_core.model.time import from_rfc3339
from kraken_futures.errors import error_of

_SERVER_TIME = re.compile(rb'"serverTime": ?"([0-9TZ:.+-]{10,40})"')

_END = 200

FORM = "application/x-www-form-urlencoded"


def form(params: Mapping[str, Any]) -> str:
    """Write parameters: None is left out, lists repeat the key, booleans are lower case, no character is "safe"."""
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        if value is None:
            continue
        if type(value) is str:
            pairs.append((name, value))
            continue
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, _text(each)) for each in values if each is not None]
    return form_text(pairs, quote)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def write(call: RestCall) -> HttpRequest:
    """Write a call without its signature."""
    params = form(call.params)
    if call.method == "GET":
        target = f"{call.path}?{params}" if params else call.path
        return HttpRequest(call.method, target, {"Accept": "application/json"})
    headers = {"Accept": "application/json", "Content-Type": FORM}
    return HttpRequest(call.method, call.path, headers, params.encode())


@lru_cache(maxsize=128)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@attrs.frozen
class FuturesDialect:
    """Writes requests, reads answers of the venue that is called *venue* here."""

    venue: str

    def encode(self, call: RestCall) -> HttpRequest:
        return write(call)

    def server_time(self, reply: HttpReply) -> datetime | None:
        """Return what ``serverTime`` says, which answers have but for those of the history and the charts."""
        # Long answers have it at one of their ends.
        body = reply.body
        told = _SERVER_TIME.search(body, max(0, len(body) - _END)) or _SERVER_TIME.search(body, 0, _END)
        return None if told is None else from_rfc3339(told[1].decode())

    def decode(self, call: RestCall, reply: HttpReply) -> Any:
        error = error_of(call, reply, self.venue)
        if error is not None:
            raise error
        if call.reply is None:
            return None
        if call.reply is bytes:
            return reply.body
        try:
            return _decoder(call.reply).decode(reply.body)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
            # A write was answered "success"; only what it did cannot be read.
            kind = OutcomeUnknown if call.changes_state else ProtocolError
            raise kind(
                f"{self.venue}: {call.method} {call.path}: the answer does not read as documented: {problem}",
                venue=self.venue,
            ) from problem
