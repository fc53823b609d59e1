"""What a plan is made from: one venue's book, fee and funds at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from exchange_core.model.book import BookHealth
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Level


@attrs.frozen(kw_only=True)
class VenueQuote:
    """One venue's side of the question.

    Attributes:
        bids: Highest first.
        asks: Lowest first.
        taker_fee: As a fraction; None where it is not known, and then the venue is not used.
        free_base: Spot: what can be sold here; None where it is not known, and then nothing is sold here.
        free_quote: Spot: what can be spent here, likewise. Derivatives have margin, which only the venue knows.
        taken: When the book was known to be right.
    """

    venue: str
    instrument: Instrument
    bids: Sequence[Level]
    asks: Sequence[Level]
    taker_fee: Decimal | None
    health: BookHealth
    taken: datetime
    free_base: Decimal | None = None
    free_quote: Decimal | None = None
