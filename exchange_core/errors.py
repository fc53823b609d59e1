"""Every error this package raises on purpose, as one tree.

ExchangeError
├─ ConfigError            a file, an option or a plugin is wrong; nothing was sent
│  ├─ UnknownVenue
│  └─ PluginError
├─ UnknownSymbol          the venue lists no such instrument
├─ NotSupported           the venue, or its plugin, cannot do this; nothing was sent
├─ InvalidValue           a value of the wrong kind, such as a float for money
├─ OrderRefused           the order did not happen, by our own check or by the venue's word
│  ├─ InsufficientFunds
│  └─ OrderNotFound       nothing (any more) to cancel or to show
├─ VenueError             the venue answered with an error that is about no single order
│  ├─ AuthenticationError   key, signature or permission; do not loop
│  │  └─ NonceRejected
│  ├─ RateLimited           wait, then try again
│  │  └─ LockedOut            silence is the only cure
│  ├─ VenueUnavailable      maintenance or overload
│  └─ BadRequest            the venue does not take these arguments
├─ TransportError         no usable answer
│  ├─ ConnectFailed         nothing was sent
│  └─ OutcomeUnknown        a write was sent; it may or may not have been carried out
├─ TimedOut               what was waited for did not come in time; nothing was sent for that
├─ ProtocolError          an answer or a frame that does not read as documented
└─ SlowConsumer           a stream that must not drop was not read in time
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class ExchangeError(Exception):
    """Root of the tree.

    Attributes:
        venue: Name of the venue it is about, if any.
        codes: The venue's own codes, verbatim, so that nobody parses text.
        done: What the same operation had written before, and the venue took: each call, such as ``POST /path``, and
            its decoded answer. An error never means that these did not happen.
    """

    done: tuple[tuple[str, Any], ...] = ()

    def __init__(self, message: str = "", *, venue: str | None = None, codes: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.venue = venue
        self.codes = tuple(codes)


class ConfigError(ExchangeError):
    """A configuration file, an option or a credential reference is wrong."""


class UnknownVenue(ConfigError):
    """No venue of that name is configured or installed."""


class PluginError(ConfigError):
    """A plugin could not be loaded, or broke its promise."""


class UnknownSymbol(ExchangeError):
    """The venue lists no such instrument."""


class NotSupported(ExchangeError):
    """The venue or its plugin cannot do this; nothing was sent."""


class InvalidValue(ExchangeError, ValueError):
    """A value of the wrong kind or range, such as a float where money is meant."""


class OrderRefused(ExchangeError):
    """The order did not happen: our own check or the venue said no."""


class InsufficientFunds(OrderRefused):
    """Not enough free balance or margin."""


class OrderNotFound(OrderRefused):
    """The venue knows no such open order (it may be finished)."""


class VenueError(ExchangeError):
    """The venue answered with an error that is about no single order."""


class AuthenticationError(VenueError):
    """Key, signature or permission is wrong. Repeating it may lock the account out."""


class NonceRejected(AuthenticationError):
    """The nonce was not above the last one; the request was not carried out."""


def refuses_key(error: BaseException) -> bool:
    """Return whether the venue does not take the key, so that asking again is no use; another nonce may be taken."""
    return isinstance(error, AuthenticationError) and not isinstance(error, NonceRejected)


class RateLimited(VenueError):
    """A limit was hit. The request was not carried out.

    Attributes:
        retry_after: Seconds to wait, where the venue said so.
    """

    def __init__(
        self,
        message: str = "",
        *,
        venue: str | None = None,
        codes: Iterable[str] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, venue=venue, codes=codes)
        self.retry_after = retry_after


class LockedOut(RateLimited):
    """The venue ignores us for a while; each further call makes it longer."""


class VenueUnavailable(VenueError):
    """Maintenance or overload. For a write, see OutcomeUnknown."""


class BadRequest(VenueError):
    """The venue does not accept these arguments; sending them again changes nothing."""


class TransportError(ExchangeError):
    """No usable answer came back."""


class ConnectFailed(TransportError):
    """No connection was made, so nothing was sent."""


class OutcomeUnknown(TransportError):
    """No answer reached us, and the request may have been carried out."""


class TimedOut(ExchangeError, TimeoutError):
    """What was waited for did not come in the time that the caller gave it. Nothing was sent or canceled for that."""


class ProtocolError(ExchangeError):
    """An answer or a frame that does not read as documented."""


class SlowConsumer(ExchangeError):
    """A stream that must not drop events was not read in time."""
