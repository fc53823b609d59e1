"""What a call became that has no answer, or none that can be read: an error that says whether it may have happened."""

from __future__ import annotations

from exchange_core.connector.rest import RestCall
from exchange_core.errors import ConnectFailed, ExchangeError, NonceRejected, OutcomeUnknown, TransportError
from exchange_core.transport.http import SendFailed
from exchange_core.transport.socket_requests import Unanswered

_NONCE_ADVICE = (
    "nonces are the time of this machine's clock, and the venue takes none below the highest that it saw of the key: "
    "another program may use the key too (give each its own), or the clock was set back since (set it right, wait "
    "until it has caught up, or make a new key)"
)


def unanswered(venue: str, call: RestCall, error: SendFailed) -> TransportError:
    """Return what a call is whose answer did not come."""
    what = f"{call.method} {call.path}"
    if not error.left:
        return ConnectFailed(f"{venue}: {what}: {error}; nothing was sent", venue=venue)
    if call.changes_state:
        return unknown(venue, what, error)
    return TransportError(f"{venue}: {what}: {error}", venue=venue)


def unknown(venue: str, what: str, error: Exception) -> OutcomeUnknown:
    """Return what a write is that may have been carried out.

    Args:
        what: The call, for people.
        error: Why that is not known.
    """
    plain = isinstance(error, ExchangeError | SendFailed | Unanswered)
    reason = error if plain else f"{type(error).__name__}: {error}"
    return OutcomeUnknown(
        f"{venue}: {what}: {reason}; it may have been carried out, so ask before sending it again",
        venue=venue,
        codes=error.codes if isinstance(error, ExchangeError) else (),
    )


def advise(error: Exception) -> None:
    """Say once in *error* what to do about a nonce that was rejected."""
    if isinstance(error, NonceRejected) and _NONCE_ADVICE not in str(error):
        error.args = (f"{error}; {_NONCE_ADVICE}",)
