"""A dead man's switch that is being held."""

from __future__ import annotations

from datetime import datetime

import attrs


@attrs.define
class Switch:
    """What ``Venue.dead_mans_switch`` gives its body.

    Attributes:
        seconds: How long the venue waits for the next word before it cancels every order.
        fires_at: When it would, as it last said; None where it does not say.
        renewals: How often it was told again.
    """

    seconds: int
    fires_at: datetime | None = None
    renewals: int = 0
