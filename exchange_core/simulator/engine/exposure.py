"""One account's position in one market, and the margin that it and its open orders keep back.

A position is its signed lots and its *basis*: what was paid for them, in fine units, signed so that profit is what a
trade pays plus the change of the basis. The average entry follows from both: arithmetic for linear contracts,
harmonic for inverse ones. Nothing is divided that would have to be put together again, so over all accounts of a
market the realised profits sum exactly to the bases that are still open.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Context, Decimal

import attrs

from exchange_core.connector.simulation import SimPosition
from exchange_core.model.side import Side
from exchange_core.simulator.engine.funding import PER_HOUR
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.units import FINE, RATE, ceil_div, to_decimal

_ENTRY_DECIMALS = 12  # of an average entry price, which is rarely a whole tick
_DIVISION = Context(prec=60)


@attrs.define
class OpenSide:
    """The open orders of one side that may enlarge a position.

    Attributes:
        margin: Fine units that they need where each has a leverage of its own.
    """

    lots: int = 0
    value: int = 0
    margin: int = 0


@attrs.define(kw_only=True)
class Exposure:
    """A derivatives position.

    Attributes:
        lots: Position, signed.
        basis: Fine units, signed.
        realised: Profit so far in fine units, exactly.
        booked: The same in whole units, as the ledger has it.
        reducing: Fine value of the open orders that only reduce.
        held: Units kept back for all of this, in the market's quote asset.
        id: Of a position of a spot market.
        read: What the funding clock showed when the position was last looked at.
        funding: Funding received so far, as the clock counts; exactly.
        funding_booked: The same in whole units, as the ledger has it.
    """

    market: MarketState
    lots: int = 0
    basis: int = 0
    realised: int = 0
    booked: int = 0
    opened: datetime | None = None
    sides: dict[Side, OpenSide] = attrs.field(factory=lambda: {Side.BUY: OpenSide(), Side.SELL: OpenSide()})
    reducing: int = 0
    held: int = 0
    id: str = ""
    read: int = 0
    funding: int = 0
    funding_booked: int = 0

    def reducible(self, side: Side) -> int:
        """Return how many lots on *side* bring the position to zero."""
        return max(0, -self.lots * side.sign)

    def count(self, side: Side, lots: int, value: int, *, margin: int = 0, reduce_only: bool) -> None:
        """Count open orders in (or out, below zero)."""
        if reduce_only:
            self.reducing += value
        else:
            open_side = self.sides[side]
            open_side.lots += lots
            open_side.value += value
            open_side.margin += margin

    def margin(self, side: Side | None = None, lots: int = 0, value: int = 0, margin: int = 0) -> int:
        """Return the units to keep back: now, or if orders of *lots* and *value* were open on *side* too.

        Orders need margin as far as they make the position larger. The rate is that of the largest position that
        could come of it, and for all of it.
        """
        larger, largest, largest_value, orders = 0, 0, 0, self.reducing
        for each, open_side in self.sides.items():
            open_lots, open_value = open_side.lots, open_side.value
            if each is side:
                open_lots += lots
                open_value += value
            orders += open_value
            more = open_lots - self.reducible(each)
            if more > 0:
                more_value = ceil_div(open_value * more, open_lots)
                larger += more_value
                largest, largest_value = max(largest, more), max(largest_value, more_value)
        rates = self.market.margin_rates(abs(self.lots) + largest, abs(self.basis) + largest_value)
        fine = (abs(self.basis) + larger) * rates.initial
        # The taker's fee of the open orders, at the fees of those who trade little.
        fine += orders * max(0, self.market.rates().taker)
        return ceil_div(fine, RATE * self.market.per_unit)

    def position_margin(self) -> int:
        """Return the units that the position alone keeps back."""
        fine = abs(self.basis) * self.market.margin_rates(abs(self.lots), abs(self.basis)).initial
        return ceil_div(fine, RATE * self.market.per_unit)

    def maintenance(self) -> int:
        """Return the equity in units below which the position is liquidated.

        Linear contracts count at the entry, inverse ones at the mark price.
        """
        value = abs(self.basis)
        if self.market.direction < 0:
            value = self.market.value_at(self.market.prices.mark(), abs(self.lots))
        rates = self.market.margin_rates(abs(self.lots), value)
        return ceil_div(value * rates.maintenance, RATE * self.market.per_unit)

    def unrealised(self) -> int:
        """Return the profit at the mark price in units, cut."""
        if not self.lots:
            return 0
        value = self.market.value_at(self.market.prices.mark(), self.lots)
        return (self.market.direction * value - self.basis) // self.market.per_unit

    def only_reduces(self, side: Side, lots: int) -> bool:
        """Whether *lots* more on *side*, with all that is open there, still leave the position no larger."""
        return self.sides[side].lots + lots <= self.reducible(side)

    def trade(self, side: Side, lots: int, value: int, now: datetime, leverage: int = 1) -> int:
        """Take a trade; return the profit to book, in units (below zero: a loss)."""
        signed = side.sign * lots
        flow = -side.sign * self.market.direction * value
        before = self.basis
        if self.lots * signed >= 0:
            self.basis -= flow
            if not self.lots:
                self.opened = now
        else:
            closed = min(abs(self.lots), lots)
            self.basis -= self.basis * closed // abs(self.lots)
            opened = lots - closed
            if opened:
                # Turned around: what is left of the trade opens the new position.
                self.basis -= flow - flow * closed // lots
                self.opened = now
        self.lots += signed
        self.realised += flow + self.basis - before
        booked = self.realised // self.market.per_unit
        profit, self.booked = booked - self.booked, booked
        return profit

    def accrue(self, now: datetime) -> None:
        """Count the funding up to *now*; to be done before the position changes."""
        clock = self.market.funding
        if clock is not None:
            reading = clock.read(now)
            self.funding -= self.lots * (reading - self.read)
            self.read = reading

    def due_funding(self) -> int:
        """Return the counted funding that is not booked yet, in units."""
        return self.funding // (PER_HOUR * self.market.per_unit) - self.funding_booked

    def position(self) -> SimPosition:
        """Return it as the contract has it."""
        assert self.opened is not None
        market = self.market
        return SimPosition(
            symbol=market.symbol,
            quantity=market.quantity(self.lots),
            entry_price=self._entry_price(),
            opened=self.opened,
            id=self.id,
            cost=market.money(abs(self.basis) // market.per_unit),
            margin=market.money(self.position_margin()),
            maintenance=market.money(self.maintenance()),
            unrealised=market.money(self.unrealised()),
            funding=market.money(self.due_funding()),
        )

    def _entry_price(self) -> Decimal:
        """Return the price at which the position's lots are worth its basis."""
        if not self.lots:
            return Decimal(0)
        contracts = _DIVISION.multiply(
            self.market.quantity(abs(self.lots)), self.market.market.instrument.contract_size
        )
        basis = to_decimal(abs(self.basis), FINE)
        ratio = (contracts, basis) if self.market.direction < 0 else (basis, contracts)
        price = round(_DIVISION.divide(*ratio), _ENTRY_DECIMALS)
        decimals = self.market.market.instrument.price_decimals
        at_printed = round(price, decimals)
        return at_printed if at_printed == price else price.normalize(_DIVISION)
