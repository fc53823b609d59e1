"""One portfolio over all venues at one moment: values only, and the proof that they add up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, localcontext

import attrs

from exchange_core.model.account import Balance, Position
from exchange_core.model.number import EXACT, plain
from exchange_core.portfolio.prices import Rate


@attrs.frozen(kw_only=True)
class VenueReading:
    """How far what is shown of one venue can be trusted.

    Attributes:
        read: When its balances and positions were last read whole; None if they never were.
        reason: Why what is shown is old or missing; None when it is fresh.
    """

    venue: str
    read: datetime | None = None
    reason: str | None = None

    @property
    def is_fresh(self) -> bool:
        return self.reason is None and self.read is not None


@attrs.frozen(kw_only=True)
class AssetLine:
    """One asset over all venues and wallets.

    Attributes:
        held: Kept back by open orders or margin; None where a venue does not say.
        rate: None where no market leads to the currency.
        value: In the currency; None where there is no rate.
        reason: Why there is no value.
    """

    asset: str
    total: Decimal
    held: Decimal | None
    parts: tuple[Balance, ...]
    rate: Rate | None = None
    value: Decimal | None = None
    reason: str | None = None

    @property
    def free(self) -> Decimal | None:
        """What can be used in the wallets where it is; None where one of them does not say."""
        free = [part.free for part in self.parts]
        return None if None in free else total(part for part in free if part is not None)


@attrs.frozen(kw_only=True)
class PositionLine:
    """One derivatives position. Only its unrealised profit is worth something: its margin is among the balances.

    Attributes:
        notional: Its size without the sign, in *notional_asset*.
        unrealised: Computed here from *mark_price*, in *settle*; the venue's own figure is in *position*.
        value: The profit in the currency; None with *reason*.
    """

    position: Position
    settle: str | None
    notional_asset: str
    mark_price: Decimal | None = None
    notional: Decimal | None = None
    unrealised: Decimal | None = None
    rate: Rate | None = None
    value: Decimal | None = None
    reason: str | None = None


@attrs.frozen(kw_only=True)
class Unvalued:
    """Something that is owned or owed and is in no total."""

    what: str
    reason: str


@attrs.frozen(kw_only=True)
class SumCheck:
    """One total, added up again from its parts."""

    what: str
    stated: Decimal
    added_up: Decimal

    @property
    def difference(self) -> Decimal:
        return minus(self.added_up, self.stated)


@attrs.frozen(kw_only=True)
class PortfolioView:
    """All venues as one, valued in one currency.

    Attributes:
        assets_value: Of all assets that could be valued.
        unrealised: Of all positions that could be valued.
        total: Both together.
        unvalued: What is in none of the three, and why.
        venues: Each venue and whether it could be read.
    """

    currency: str
    time: datetime
    assets: tuple[AssetLine, ...]
    positions: tuple[PositionLine, ...]
    assets_value: Decimal
    unrealised: Decimal
    total: Decimal
    unvalued: tuple[Unvalued, ...] = ()
    venues: tuple[VenueReading, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every venue was read just now and everything could be valued."""
        return not self.unvalued and all(venue.is_fresh for venue in self.venues)

    @property
    def balances(self) -> tuple[Balance, ...]:
        """Every balance behind the view, as ``explain`` takes them."""
        return tuple(balance for line in self.assets for balance in line.parts)

    def asset(self, code: str) -> AssetLine | None:
        """Return the line of one asset, or None."""
        return next((line for line in self.assets if line.asset == code), None)

    def venue_value(self, venue: str) -> Decimal:
        """Return what is valued at one venue; these add up to *total*."""
        with localcontext(EXACT):
            owned = (
                b.total * line.rate.rate for line in self.assets if line.rate for b in line.parts if b.venue == venue
            )
            return total([*owned, *(p.value for p in self.positions if p.value and p.position.venue == venue)])

    def check(self) -> tuple[SumCheck, ...]:
        """Add every total up again from the balances and positions; right means that no difference is other than 0."""
        checks = []
        with localcontext(EXACT):
            for line in self.assets:
                parts = total(part.total for part in line.parts)
                checks.append(SumCheck(what=f"{line.asset} over its venues", stated=line.total, added_up=parts))
                if line.value is not None and line.rate is not None:
                    worth = total(part.total * line.rate.rate for part in line.parts)
                    checks.append(SumCheck(what=f"value of {line.asset}", stated=line.value, added_up=worth))
            venues = {b.venue for b in self.balances} | {p.position.venue for p in self.positions}
            owned = total(line.value for line in self.assets if line.value is not None)
            gains = total(line.value for line in self.positions if line.value is not None)
            checks.append(SumCheck(what="value of all assets", stated=self.assets_value, added_up=owned))
            checks.append(SumCheck(what="unrealised profit", stated=self.unrealised, added_up=gains))
            checks.append(SumCheck(what="total", stated=self.total, added_up=owned + gains))
            by_venue = total(self.venue_value(venue) for venue in sorted(venues))
            checks.append(SumCheck(what="total over venues", stated=self.total, added_up=by_venue))
        return tuple(checks)

    @property
    def agrees(self) -> bool:
        """Whether all sums are right to the last digit."""
        return not any(check.difference for check in self.check())

    def __str__(self) -> str:
        return f"{plain(self.total)} {self.currency}"


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add up exactly."""
    with localcontext(EXACT):
        return sum(amounts, Decimal(0))


def minus(amount: Decimal, other: Decimal) -> Decimal:
    """Subtract exactly. (Even the minus sign of a Decimal rounds to the context's precision.)"""
    with localcontext(EXACT):
        return amount - other
