"""What can go wrong between a client and its venue, one small value a kind.

What happens to a request, to a frame, to the opening handshake of a WebSocket and to the venue itself are told apart by
class, so that a schedule can refuse what does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from exchange_core.errors import ConfigError
from exchange_core.model.event import VenueState
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol

_BAD_GATEWAY = """<html>\r
<head><title>502 Bad Gateway</title></head>\r
<body>\r
<center><h1>502 Bad Gateway</h1></center>\r
<hr><center>nginx</center>\r
</body>\r
</html>\r
"""


@attrs.frozen
class Action:
    """Something that goes wrong. ``word`` is its name in a file."""

    word: ClassVar[str] = ""


class OnRequest(Action):
    """Happens to an HTTP request."""


class OnHandshake(Action):
    """Happens to the opening handshake of a WebSocket."""


class OnFrame(Action):
    """Happens to a WebSocket frame."""


def _some_time(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and value < 0:
        raise ConfigError(f"{attribute.name}: {value} is below zero")


def _positive(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 1:
        raise ConfigError(f"{attribute.name}: {value} is not above zero")


def _within(most: int) -> Callable[[object, attrs.Attribute[float], float], None]:
    def check(_: object, attribute: attrs.Attribute[float], value: float) -> None:
        if not -most <= value <= most:
            raise ConfigError(f"{attribute.name}: {value} is not between -{most} and {most}")

    return check


@attrs.frozen
class OnVenue(Action):
    """Happens to the venue itself and lasts *seconds*; for good without."""

    seconds: float | None = attrs.field(default=None, validator=_some_time, kw_only=True)


@attrs.frozen
class Pass(Action):
    """Nothing goes wrong; it is only counted."""

    word: ClassVar[str] = "pass"


def _status(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if not 200 <= value <= 599:
        raise ConfigError(f"{attribute.name}: {value} is no status of an answer; expected 200 to 599")


# Requests, and some handshakes


@attrs.frozen
class DropRequest(OnRequest, OnHandshake):
    """The connection is closed; the venue never hears of the request."""

    word: ClassVar[str] = "drop-request"


@attrs.frozen
class DropAnswer(OnRequest):
    """The venue does what was asked, and the connection is closed instead of an answer."""

    word: ClassVar[str] = "drop-answer"


@attrs.frozen
class CutAnswer(OnRequest):
    """The venue does what was asked, and the connection is closed in the middle of the answer."""

    word: ClassVar[str] = "cut-answer"


@attrs.frozen
class DelayRequest(OnRequest, OnHandshake):
    """The venue hears of the request *seconds* late."""

    word: ClassVar[str] = "delay-request"
    seconds: float = attrs.field(validator=_some_time)


@attrs.frozen
class DelayAnswer(OnRequest):
    """The venue does what was asked at once, and its answer is *seconds* late."""

    word: ClassVar[str] = "delay-answer"
    seconds: float = attrs.field(validator=_some_time)


@attrs.frozen
class DuplicateRequest(OnRequest):
    """The request comes twice, as from a proxy that sends it again; the client gets the answer to the first."""

    word: ClassVar[str] = "duplicate-request"


@attrs.frozen
class Answer(OnRequest, OnHandshake):
    """Something else answers.

    Attributes:
        acts: The venue does what was asked before, and its own answer is lost.
    """

    word: ClassVar[str] = "answer"
    status: int = attrs.field(default=200, validator=_status)
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = attrs.field(factory=dict)
    acts: bool = False


@attrs.frozen
class BadGateway(OnRequest, OnHandshake):
    """A gateway answers with status 502 and a page of HTML; with *acts* after the venue did what was asked."""

    word: ClassVar[str] = "bad-gateway"
    acts: bool = False

    def answer(self) -> Answer:
        """Return what that is in full."""
        return Answer(status=502, body=_BAD_GATEWAY, content_type="text/html", acts=self.acts)


@attrs.frozen
class SlowRead(OnRequest, OnHandshake):
    """The venue reads the request's body, or what comes over the WebSocket, only so fast."""

    word: ClassVar[str] = "slow-read"
    bytes_per_second: int = attrs.field(validator=_positive)


@attrs.frozen
class SlowWrite(OnRequest, OnHandshake):
    """The venue's answer, or what it sends over the WebSocket, comes only so fast."""

    word: ClassVar[str] = "slow-write"
    bytes_per_second: int = attrs.field(validator=_positive)


# Frames


@attrs.frozen
class Cut(OnFrame):
    """The connection ends without a goodbye, before this frame."""

    word: ClassVar[str] = "cut"


@attrs.frozen
class Freeze(OnFrame):
    """This frame and all that are like it are lost, for as long as this connection lasts; the others go on."""

    word: ClassVar[str] = "freeze"


@attrs.frozen
class Silence(OnFrame):
    """This frame and all after it are lost, for as long as this connection lasts, heartbeats included."""

    word: ClassVar[str] = "silence"


@attrs.frozen
class Drop(OnFrame):
    """The frame is lost."""

    word: ClassVar[str] = "drop"


@attrs.frozen
class Duplicate(OnFrame):
    """The frame comes twice."""

    word: ClassVar[str] = "duplicate"


@attrs.frozen
class Swap(OnFrame):
    """The frame comes after the next one that is like it."""

    word: ClassVar[str] = "swap"


@attrs.frozen
class Corrupt(OnFrame):
    """One digit is another.

    Attributes:
        field: The last digit of the first number with this name; without it, some digit somewhere.
    """

    word: ClassVar[str] = "corrupt"
    field: str | None = None


@attrs.frozen
class Replace(OnFrame):
    """The first *find* in the frame is *put*; a frame without it passes as it is."""

    word: ClassVar[str] = "replace"
    find: str = attrs.field(validator=attrs.validators.min_len(1))
    put: str


@attrs.frozen
class Truncate(OnFrame):
    """The second half of the frame is missing."""

    word: ClassVar[str] = "truncate"


@attrs.frozen
class Delay(OnFrame):
    """The frame, and all behind it, are *seconds* late; to a tick of the server."""

    word: ClassVar[str] = "delay"
    seconds: float = attrs.field(validator=_some_time)


# The venue itself


@attrs.frozen
class OnMarkets(OnVenue):
    """One market, or the whole venue without a *symbol*, takes only some orders.

    Attributes:
        status: Of the markets meanwhile.
        state: Of the whole venue meanwhile; None where there is no such word for it.
    """

    status: ClassVar[InstrumentStatus]
    state: ClassVar[VenueState | None] = None
    symbol: Symbol | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class CancelOnly(OnMarkets):
    """Orders can only be canceled."""

    word: ClassVar[str] = "cancel_only"
    status = InstrumentStatus.CANCEL_ONLY
    state = VenueState.CANCEL_ONLY


@attrs.frozen
class PostOnly(OnMarkets):
    """Only orders that would rest are taken."""

    word: ClassVar[str] = "post_only"
    status = InstrumentStatus.POST_ONLY
    state = VenueState.POST_ONLY


@attrs.frozen
class LimitOnly(OnMarkets):
    """Only orders with a limit are taken."""

    word: ClassVar[str] = "limit_only"
    status = InstrumentStatus.LIMIT_ONLY


@attrs.frozen
class ReduceOnly(OnMarkets):
    """Only orders that make a position smaller are taken."""

    word: ClassVar[str] = "reduce_only"
    status = InstrumentStatus.REDUCE_ONLY


@attrs.frozen
class Maintenance(OnMarkets):
    """There are neither orders nor cancels, and nothing becomes due; a single market is closed."""

    word: ClassVar[str] = "maintenance"
    status = InstrumentStatus.OFFLINE
    state = VenueState.MAINTENANCE


@attrs.frozen
class Restart(OnVenue):
    """Every WebSocket is cut, the venue forgets what it does not keep, and is in maintenance for *seconds*."""

    word: ClassVar[str] = "restart"
    # A factory, as the type of a plain default would not be that of the validator.
    seconds: float | None = attrs.field(factory=lambda: 5.0, validator=_some_time, kw_only=True)


@attrs.frozen
class Skew(OnVenue):
    """The venue's clock is *offset* seconds ahead, or behind where that is below zero, and gains *drift* a second."""

    word: ClassVar[str] = "skew"
    offset: float = attrs.field(default=0.0, validator=_within(10**8))
    drift: float = attrs.field(default=0.0, validator=_within(1))

    def after(self, seconds: float) -> float:
        """Return how far it is ahead after so long."""
        return self.offset + self.drift * seconds


_KINDS: tuple[type[Action], ...] = (
    *(Pass, DropRequest, DropAnswer, CutAnswer, DelayRequest, DelayAnswer, DuplicateRequest, Answer, BadGateway),
    *(SlowRead, SlowWrite, Cut, Freeze, Silence, Drop, Duplicate, Swap, Corrupt, Replace, Truncate, Delay),
    *(CancelOnly, PostOnly, LimitOnly, ReduceOnly, Maintenance, Restart, Skew),
)

WORDS: Mapping[str, type[Action]] = {kind.word: kind for kind in _KINDS}
"""All actions by their names in a file."""
