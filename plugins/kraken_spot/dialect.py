"""How Kraken Spot's REST calls are written and its answers read.

See https://docs.kraken.com/exchange/guides/rest/introduction
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from exchange_core.connector.rest import HttpReply, HttpRequest, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import OutcomeUnknown, ProtocolError
from kraken_spot.auth import public_request
from kraken_spot.errors import error_for, no_answer
from kraken_spot.wire import common as wire

T = TypeVar("T")

_ENVELOPE = msgspec.json.Decoder(wire.Envelope)

_ZIP = b"PK"
"""How a report begins, the one good answer that is not wrapped in anything."""


class KrakenSpotDialect:
    """Writes public calls and reads all answers.

    Attributes:
        warnings: What the venue remarked beside good results, and how often.
    """

    def __init__(self, context: VenueContext) -> None:
        self._venue = context.venue
        self.warnings: Counter[str] = Counter()

    def encode(self, call: RestCall) -> HttpRequest:
        return public_request(call)

    def decode(self, call: RestCall, reply: HttpReply) -> Any:
        if call.reply is bytes and reply.status == 200 and reply.body.startswith(_ZIP):
            return reply.body
        try:
            envelope = _ENVELOPE.decode(reply.body)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise no_answer(call, reply, self._venue, "not an answer of Kraken's") from error
        if envelope.error:
            errors = [code for code in envelope.error if not code.startswith("W")]
            if errors:
                raise error_for(errors, call, reply, self._venue)
            self.warnings.update(envelope.error)
        if reply.status != 200:
            raise no_answer(call, reply, self._venue, "and no error in the answer")
        if call.reply is bytes:
            raise no_answer(call, reply, self._venue, "and neither a report nor an error in the answer")
        return self._result(call, envelope.result)

    def _result(self, call: RestCall, result: msgspec.Raw) -> Any:
        try:
            return decoder(call.reply).decode(result)
        except msgspec.MsgspecError as error:
            text = f"{self._venue}: {call.path}: the result does not read as documented: {error}"
            if call.changes_state:
                raise OutcomeUnknown(f"{text}; it may have been carried out", venue=self._venue) from error
            raise ProtocolError(text, venue=self._venue) from error


@lru_cache(maxsize=64)
def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """Return the one decoder for answers of *kind*; None reads anything."""
    return msgspec.json.Decoder(Any if kind is None else kind)


def read(raw: msgspec.Raw, kind: type[T], what: str) -> T:
    """Read one entry of an answer.

    Raises:
        ProtocolError: When it is none of *kind*.
    """
    try:
        entry: T = decoder(cast(Hashable, kind)).decode(raw)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"{what}: does not read as documented: {error}") from error
    return entry
