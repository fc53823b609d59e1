"""What we own and owe."""

from __future__ import annotations

from decimal import Decimal

import attrs

from exchange_core.model.number import EXACT
from exchange_core.model.symbol import Symbol


@attrs.frozen(kw_only=True)
class Balance:
    """One asset in one wallet of one venue.

    Attributes:
        total: All of it, held or not.
        held: Part that open orders or margin keep back; None where the venue does not say here.
        wallet: ``spot``, ``earn``, ``margin`` or the venue's own word.
        usable: Whether what is not held can be traded or withdrawn from this wallet as it is: not while it is staked,
            bonded or on hold. None where the venue does not say.
    """

    asset: str
    total: Decimal
    held: Decimal | None = None
    wallet: str = "spot"
    usable: bool | None = True
    venue: str = ""

    @property
    def free(self) -> Decimal | None:
        """What can be used; None where *held* or *usable* is not known."""
        if not self.usable:
            return None if self.usable is None else Decimal(0)
        return None if self.held is None else EXACT.subtract(self.total, self.held)


@attrs.frozen(kw_only=True)
class Position:
    """One derivatives position.

    Attributes:
        quantity: Above zero is long, below zero is short; in units of the instrument's quantity.
        entry_price: Average entry.
        unrealised: In the settlement asset, at *mark_price*; None where not known.
        liquidation_price: As the venue says.
        initial_margin, maintenance_margin: What the venue keeps back for it, in the settlement asset; None where it
            does not say here.
        unrealised_funding: Funding that runs up and is not booked yet.
    """

    symbol: Symbol
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal | None = None
    unrealised: Decimal | None = None
    liquidation_price: Decimal | None = None
    initial_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None
    unrealised_funding: Decimal | None = None
    venue: str = ""


@attrs.frozen(kw_only=True)
class FeeRates:
    """Fees as fractions of the notional: 0.0025 is a quarter of a percent. A rebate is negative."""

    maker: Decimal
    taker: Decimal
