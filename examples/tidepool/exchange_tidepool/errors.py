"""Tidepool's error codes and what they mean in our tree."""

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
    VenueUnavailable,
)
from exchange_tidepool import wire

ERRORS: dict[str, type[ExchangeError]] = {
    "key": AuthenticationError,
    "sign": AuthenticationError,
    "nonce": NonceRejected,
    "busy": RateLimited,
    "bad": BadRequest,
    "market": BadRequest,
    "funds": InsufficientFunds,
    "order": OrderNotFound,
    "refused": OrderRefused,
    "ref": OrderRefused,
}


def error_of(call: RestCall, reply: HttpReply, venue: str) -> ExchangeError:
    """Return what an answer other than 200 means. Only a readable 4xx promises that nothing was carried out."""
    what = f"{venue}: {call.method} {call.path}"
    try:
        refusal = wire.read(reply.body, wire.Refusal)
    except ProtocolError:
        refusal = None
    if refusal is None or reply.status >= 500:
        text = f"{what}: status {reply.status} from the exchange, or from something before it"
        return OutcomeUnknown(text) if call.changes_state else VenueUnavailable(text)
    # A code that is not in the table is still an answer: the exchange said no.
    kind = ERRORS.get(refusal.code, OrderRefused if call.changes_state else BadRequest)
    return kind(f"{what}: {refusal.text}", codes=[refusal.code])
