"""A change of an order that rests, which keeps its ids and what was executed of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model import order_fields as fields
from exchange_core.model.request import OrderRequest
from exchange_core.model.terms import Offset


@attrs.frozen(kw_only=True)
class Amendment:
    """New terms for an order; what is None stays.

    Attributes:
        quantity: The whole order, with what was executed of it.
        price, trigger_price, trail, limit_offset, display_quantity: As in ``OrderRequest``.
        post_only: Refuse the new price rather than take; only with a new price.
        deadline: The venue must not amend after this; the venue layer sets one by default.
    """

    quantity: Decimal | None = attrs.field(default=None, converter=fields.to_quantity, validator=fields.positive)
    price: Decimal | None = attrs.field(default=None, converter=fields.to_price, validator=fields.positive)
    trigger_price: Decimal | None = attrs.field(
        default=None, converter=fields.to_trigger_price, validator=fields.positive
    )
    trail: Offset | None = attrs.field(default=None, converter=fields.to_offset)
    limit_offset: Offset | None = attrs.field(default=None, converter=fields.to_offset)
    display_quantity: Decimal | None = attrs.field(
        default=None, converter=fields.to_display_quantity, validator=fields.positive
    )
    post_only: bool = False
    deadline: datetime | None = attrs.field(default=None, validator=fields.aware)

    def __attrs_post_init__(self) -> None:
        if not self.changes:
            raise InvalidValue("an amendment without any change; give a quantity, a price or another term")
        if self.post_only and self.price is None:
            raise InvalidValue("post_only goes with a new price")

    @property
    def changes(self) -> dict[str, Any]:
        """What of the order's terms is to be another, by the names that it has in ``OrderRequest``."""
        names = ("quantity", "price", "trigger_price", "trail", "limit_offset", "display_quantity")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def applied_to(self, request: OrderRequest) -> OrderRequest:
        """Return *request* as it is after this.

        Raises:
            InvalidValue: The new terms do not go together, or *request* has no such term.
        """
        changes = self.changes
        if "price" in changes and request.limit_offset is not None:
            changes.setdefault("limit_offset", None)
        if "limit_offset" in changes and request.price is not None:
            changes.setdefault("price", None)
        return attrs.evolve(request, **changes)
