"""Where a WebSocket connection stands."""

from __future__ import annotations

from enum import StrEnum

import attrs


class FeedPhase(StrEnum):
    """Where a feed is."""

    LOGGING_IN = "logging in"
    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    CLOSED = "closed"


@attrs.frozen
class FeedState:
    """News of a connection.

    Attributes:
        reason: Why it waits or was closed.
        retry_in: Seconds until the next attempt, while it waits.
    """

    phase: FeedPhase
    reason: str = ""
    retry_in: float | None = None
