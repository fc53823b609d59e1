"""What fills make of a position: its size, its average entry, and what was realised on the way."""

from __future__ import annotations

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.contract import Contract
from exchange_core.model.units import Amount, Contracts, Price


@attrs.frozen(kw_only=True)
class Exposure:
    """A position in one contract. Each change makes a new one.

    Attributes:
        held: Above zero is long, below zero is short.
        entry: Average entry price of what is held; None while flat.
        realised: Profit of what was closed, without fees and funding.
        fees: What was charged; rebates count below zero.
        funding: What funding brought; below zero is paid.
    """

    contract: Contract
    held: Contracts
    entry: Price | None
    realised: Amount
    fees: Amount
    funding: Amount

    @classmethod
    def flat(cls, contract: Contract) -> Exposure:
        """Return no position."""
        nothing = contract.amount(0)
        return cls(
            contract=contract, held=contract.contracts(0), entry=None, realised=nothing, fees=nothing, funding=nothing
        )

    @classmethod
    def holding(cls, contract: Contract, held: Contracts, entry: Price) -> Exposure:
        """Return a position as it was found, with nothing realised yet."""
        return cls.flat(contract).filled(held, entry)

    @property
    def net(self) -> Amount:
        """What was realised, less fees, and what funding brought."""
        return self.realised - self.fees + self.funding

    def filled(self, change: Contracts, price: Price) -> Exposure:
        """Return the position after an execution; *change* is below zero for a sale.

        In its own direction it moves the entry price; against it, it realises profit of what it closes; what it
        goes beyond flat opens the other side at *price*.
        """
        after = self.held + change
        if self.entry is None or not self.held:
            return attrs.evolve(self, held=after, entry=price if after else None)
        if not change:
            return self
        if (self.held.value > 0) == (change.value > 0):
            return attrs.evolve(self, held=after, entry=self.contract.average(self.held, self.entry, change, price))
        is_part = abs(change).value <= abs(self.held).value
        closed = -change if is_part else self.held
        entry: Price | None = self.entry if is_part else price
        return attrs.evolve(
            self,
            held=after,
            entry=entry if after else None,
            realised=self.realised + self.contract.profit(closed, self.entry, price),
        )

    def charged(self, fee: Amount) -> Exposure:
        """Return the position after a fee."""
        return attrs.evolve(self, fees=self.fees + fee)

    def funded(self, rate: Amount, hours: int | str = 1) -> Exposure:
        """Return the position after *hours* at an absolute funding rate."""
        return attrs.evolve(self, funding=self.funding + self.contract.funding(self.held, rate, hours))

    def unrealised(self, mark: Price) -> Amount:
        """Return the profit of what is held, at *mark*.

        Raises:
            InvalidValue: Something is held and its entry is not known.
        """
        if not self.held:
            return self.contract.amount(0)
        if self.entry is None:
            raise InvalidValue(f"{self.contract.symbol}: {self.held} without an entry price has no known profit")
        return self.contract.profit(self.held, self.entry, mark)
