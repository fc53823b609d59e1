"""What Kraken Spot answers to orders, changes and cancels."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import attrs

from exchange_core.errors import ExchangeError
from kraken_spot.orders.terms import SpotOrder


@attrs.frozen(kw_only=True)
class Placed:
    """An order that was accepted; it is not open yet, and may still be canceled by the engine.

    Attributes:
        id: The venue's.
        description, close_description: The venue's own text.
    """

    order: SpotOrder
    id: str
    description: str
    close_description: str | None


@attrs.frozen(kw_only=True)
class Validated:
    """An order that would be accepted. Nothing was placed."""

    order: SpotOrder
    description: str
    close_description: str | None


@attrs.frozen(kw_only=True)
class NotPlaced:
    """An order of a batch that was not accepted, or of which that is not known.

    Attributes:
        error: OutcomeUnknown where it may have been placed.
    """

    order: SpotOrder
    error: ExchangeError


@attrs.frozen(kw_only=True)
class BatchPlaced:
    """What became of each order of a batch, in the order they were given."""

    items: tuple[Placed | NotPlaced, ...]

    @property
    def placed(self) -> tuple[Placed, ...]:
        return tuple(item for item in self.items if isinstance(item, Placed))

    @property
    def failed(self) -> tuple[NotPlaced, ...]:
        return tuple(item for item in self.items if isinstance(item, NotPlaced))


@attrs.frozen(kw_only=True)
class Edited:
    """An order in place of another. None among its terms is "not told"."""

    id: str
    replaced: str
    quantity: Decimal | None
    price: str | None
    price2: str | None
    userref: int | None
    canceled: int
    description: str


@attrs.frozen(kw_only=True)
class Canceled:
    """How many orders went out; which ones, the venue does not say.

    Attributes:
        pending: Some are still going out.
    """

    count: int
    pending: bool


@attrs.frozen(kw_only=True)
class DeadManSwitch:
    """When all orders of the account will be canceled; never, while *fires* is None."""

    time: datetime
    fires: datetime | None
