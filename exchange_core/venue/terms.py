"""The terms of one order while it is amended: what is told of them comes late and out of order.

The feed tells terms in the order in which they were, but maybe after our own amendment's answer; answers come when
they come. So terms that an amendment replaced are older news until the feed has caught up with it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.amendment import Amendment
from exchange_core.model.event import OrderUpdate
from exchange_core.model.order import OrderRequest, OrderType

# Clocks differ. What a venue says that it did so long after our amendment was confirmed is no older news.
CAUGHT_UP = timedelta(seconds=30)


@attrs.define(eq=False)
class Amending:
    """An amendment under way.

    Attributes:
        before: The terms that it is to change.
        after: What they are to be.
        seen: The feed has told the new terms: what it says from then on is newer than the amendment.
    """

    amendment: Amendment
    before: OrderRequest
    after: OrderRequest
    seen: bool = False


@attrs.frozen(eq=False)
class Replaced:
    """Terms that an amendment of ours replaced.

    Attributes:
        names: Which of them it changed.
    """

    request: OrderRequest
    when: datetime
    names: frozenset[str]

    def is_meant_by(self, view: dict[str, Decimal]) -> bool:
        """Return whether *view* is from before the amendment: others may have changed other terms before it too."""
        changed = [name for name in view if name in self.names]
        # An amendment changes all at once: where one still is as it was, all of it is from before.
        if changed:
            return any(getattr(self.request, name) == view[name] for name in changed)
        return _agrees(view, self.request)


@attrs.define(eq=False)
class Terms:
    """What is known to be replaced, and what may be replaced in a moment."""

    _under_way: list[Amending] = attrs.field(factory=list)
    _replaced: list[Replaced] = attrs.field(factory=list)

    def most(self, request: OrderRequest) -> Decimal | None:
        """Return the largest quantity that the order may have just now; None where it has none, but an amount."""
        if request.quantity is None or not self._under_way:
            return request.quantity
        return max(request.quantity, *(one.after.require_quantity() for one in self._under_way))

    @property
    def is_amending(self) -> bool:
        """Whether an amendment is under way."""
        return bool(self._under_way)

    def begin(self, request: OrderRequest, amendment: Amendment) -> Amending:
        """An amendment is about to be sent."""
        amending = Amending(amendment, request, amendment.applied_to(request))
        self._under_way.append(amending)
        return amending

    def end(
        self, amending: Amending, request: OrderRequest, confirmed: OrderRequest | None, now: datetime
    ) -> OrderRequest:
        """An amendment was carried out, with what it made of the order, or with None was not; return the terms now."""
        if amending in self._under_way:
            self._under_way.remove(amending)
        if confirmed is None or amending.seen:
            return request
        # What was so before is not of this amendment; others may have changed it since.
        changes = {
            name: value
            for name in amending.amendment.changes
            if (value := getattr(confirmed, name)) is not None
            and value not in (getattr(request, name), getattr(amending.before, name))
        }
        after = _changed(request, changes)
        if after != request:
            self._replaced.append(Replaced(request, now, frozenset(changes)))
        return after

    def told(self, request: OrderRequest, news: OrderUpdate) -> OrderRequest | None:
        """Return the terms after the feed's *news*, the same where it says nothing new; None when it is older news."""
        view = _view(request, news)
        if not view:
            return request
        when = news.sequence_time
        self._replaced = [old for old in self._replaced if when is None or when < old.when + CAUGHT_UP]
        place = next((at for at, old in enumerate(self._replaced) if old.is_meant_by(view)), None)
        # The feed goes through them in order: it has left behind what was before.
        self._replaced = self._replaced[place:] if place is not None else []
        ours = frozenset().union(*(old.names for old in self._replaced))
        news_of_others = {name: value for name, value in view.items() if name not in ours}
        if not _agrees(view, request):
            if _agrees(news_of_others, request):
                return None
            request = _changed(request, news_of_others)
        for one in self._under_way:
            one.seen = one.seen or (_agrees(view, one.after) and not _agrees(view, one.before))
        return request


def same_terms(amendment: Amendment, shown: OrderRequest, wanted: OrderRequest) -> bool | None:
    """Return whether what *amendment* changes is in *shown* as in *wanted*; None where *shown* does not say."""
    said = [name for name in amendment.changes if getattr(shown, name) is not None]
    if not said:
        return None
    return all(getattr(shown, name) == getattr(wanted, name) for name in said)


def settled(request: OrderRequest, news: OrderUpdate) -> OrderRequest:
    """Return *request* with what its offsets from the market came to, where *news* tells; all else stays."""
    view = _view(request, news)
    offered = ("price", "trigger_price")
    told: dict[str, Any] = {name: view[name] for name in offered if name in view and getattr(request, name) is None}
    return _changed(request, told)


def _view(request: OrderRequest, news: OrderUpdate) -> dict[str, Decimal]:
    """Return what *news* says of the terms that *request* has."""
    # What stands as a quantity beside an amount is none.
    said: dict[str, Decimal | None] = {"quantity": None if request.quantity is None else news.quantity}
    # Venues echo a price for market orders too; it means nothing there. A limit that follows from what sets the order
    # off is the venue's to work out, as is the trigger of a trailing stop. What an offset from the market came to is
    # told once, and is the price from then on.
    if request.type.has_limit and request.limit_offset is None:
        said["price"] = news.price
    if request.type.is_triggered and request.trail is None:
        said["trigger_price"] = news.trigger_price
    if request.type is OrderType.LIMIT:
        said["display_quantity"] = news.display_quantity
    return {name: value for name, value in said.items() if value is not None and value > 0}


def _agrees(view: dict[str, Decimal], request: OrderRequest) -> bool:
    return all(getattr(request, name) == value for name, value in view.items())


def _changed(request: OrderRequest, changes: dict[str, Any]) -> OrderRequest:
    if not changes:
        return request
    # A limit is given by one of the two.
    if changes.get("price") is not None and request.limit_offset is not None:
        changes = {**changes, "limit_offset": None}
    elif changes.get("limit_offset") is not None and request.price is not None:
        changes = {**changes, "price": None}
    try:
        return attrs.evolve(request, **changes)
    except InvalidValue:
        # Such as a quantity below what is displayed: the rest of it will be told too.
        changes = {name: value for name, value in changes.items() if name in ("quantity", "price", "limit_offset")}
        shown = request.display_quantity
        quantity = changes.get("quantity")
        if shown is not None and quantity is not None and quantity < shown:
            changes["display_quantity"] = quantity
        return attrs.evolve(request, **changes)
