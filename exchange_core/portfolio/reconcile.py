"""Explain the change of balances by fills, to the last digit.

A spot fill moves its quantity in the base asset, its cost in the quote asset (as the venue booked it, or else price ×
quantity), and its fee in the fee's own asset. A derivatives fill moves its fee and, where it makes a position smaller,
the profit of that part. What remains is a difference: a deposit, a withdrawal, funding, a missing fill, or a venue
that rounds what it books.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext

import attrs

from exchange_core.model.account import Balance, Position
from exchange_core.model.contract import Contract
from exchange_core.model.exposure import Exposure
from exchange_core.model.fill import Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import EXACT
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio.profit import profit_asset
from exchange_core.portfolio.view import minus

_Key = tuple[str, str]
_NOTHING = Decimal(0)


@attrs.frozen(kw_only=True)
class Explanation:
    """One asset at one venue, all wallets together.

    Attributes:
        traded: What the fills moved, without fees.
        fees: What they cost; a rebate is below zero.
        rounding: How far the venue's own rounding of cost and fee may have moved the balance; 0 means it is exact.
    """

    venue: str
    asset: str
    before: Decimal
    after: Decimal
    traded: Decimal
    fees: Decimal
    rounding: Decimal = _NOTHING

    @property
    def change(self) -> Decimal:
        return minus(self.after, self.before)

    @property
    def expected(self) -> Decimal:
        return minus(self.traded, self.fees)

    @property
    def difference(self) -> Decimal:
        """What the fills do not explain."""
        return minus(self.change, self.expected)

    @property
    def agrees(self) -> bool:
        return self.difference.copy_abs() <= self.rounding


@attrs.frozen(kw_only=True)
class Reconciliation:
    """All balances that changed or should have.

    Attributes:
        open_points: Why a difference may be there that is not the venue's fault, such as a fill without its fee.
    """

    rows: tuple[Explanation, ...]
    open_points: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether the fills explain every change."""
        return not self.open_points and all(row.agrees for row in self.rows)


@attrs.define
class _Booking:
    """What fills move, summed up."""

    traded: dict[_Key, Decimal] = attrs.field(factory=dict)
    fees: dict[_Key, Decimal] = attrs.field(factory=dict)
    amounts: dict[_Key, int] = attrs.field(factory=dict)
    open_points: list[str] = attrs.field(factory=list)

    def trade(self, venue: str, asset: str, amount: Decimal) -> None:
        self._book(self.traded, (venue, asset), amount)

    def fee(self, fill: Fill) -> None:
        if fill.fee is None:
            self.open_points.append(f"{fill.venue} did not tell the fee of fill {fill.id}")
        else:
            self._book(self.fees, (fill.venue, fill.fee.asset), fill.fee.amount)

    def _book(self, book: dict[_Key, Decimal], key: _Key, amount: Decimal) -> None:
        book[key] = book.get(key, _NOTHING) + amount
        self.amounts[key] = self.amounts.get(key, 0) + 1


def explain(
    before: Iterable[Balance],
    after: Iterable[Balance],
    fills: Iterable[Fill],
    *,
    positions: Iterable[Position] = (),
    instruments: Mapping[tuple[str, Symbol], Instrument] | None = None,
    steps: Mapping[str, Decimal] | None = None,
) -> Reconciliation:
    """Compare what changed with what the fills say; right means that every difference is 0.

    Args:
        fills: Those between the two moments; one that is named twice counts once.
        positions: Those of the first moment, needed to know the profit of derivatives fills.
        instruments: By venue and symbol, for contract sizes; needed for derivatives fills.
        steps: By asset, the step that a venue rounds booked amounts to, where it says that it does. Each amount may
            then be off by less than a step. Without it nothing may be off.
    """
    first, last, booking = _by_asset(before), _by_asset(after), _Booking()
    held = {(each.venue, each.symbol): each for each in positions}
    with localcontext(EXACT):
        distinct = {(fill.venue, fill.id): fill for fill in fills}
        for fill in sorted(distinct.values(), key=lambda each: each.time):
            booking.fee(fill)
            if fill.symbol.is_spot:
                booking.trade(fill.venue, fill.symbol.base, fill.quantity * fill.side.sign)
                cost = fill.quantity * fill.price if fill.cost is None else fill.cost
                booking.trade(fill.venue, fill.symbol.quote, -cost * fill.side.sign)
            else:
                _book_contract(booking, fill, held, (instruments or {}).get((fill.venue, fill.symbol)))
        rows = tuple(
            Explanation(
                venue=key[0],
                asset=key[1],
                before=first.get(key, _NOTHING),
                after=last.get(key, _NOTHING),
                traded=booking.traded.get(key, _NOTHING),
                fees=booking.fees.get(key, _NOTHING),
                rounding=(steps or {}).get(key[1], _NOTHING) * booking.amounts.get(key, 0),
            )
            for key in sorted(first.keys() | last.keys() | booking.amounts.keys())
            if key in booking.amounts or first.get(key, _NOTHING) != last.get(key, _NOTHING)
        )
    return Reconciliation(rows=rows, open_points=tuple(booking.open_points))


def _book_contract(
    booking: _Booking, fill: Fill, held: dict[tuple[str, Symbol], Position], instrument: Instrument | None
) -> None:
    key, asset = (fill.venue, fill.symbol), profit_asset(fill.symbol)
    if instrument is None or asset is None:
        why = "its instrument is not given" if instrument is None else "it pays in neither base nor quote"
        booking.open_points.append(f"profit of fill {fill.id} of {fill.symbol} at {fill.venue} is not known: {why}")
        return
    contract, position = Contract.of(instrument), held.get(key)
    before = Exposure.flat(contract)
    if position is not None and position.quantity:
        if position.entry_price <= 0:
            booking.open_points.append(
                f"profit of fill {fill.id} of {fill.symbol} at {fill.venue} is not known: "
                "the position's entry price is not given"
            )
            return
        before = Exposure.holding(contract, contract.contracts(position.quantity), contract.price(position.entry_price))
    change, price = fill.quantity * fill.side.sign, contract.price(fill.price)
    after = before.filled(contract.contracts(change), price)
    if before.held.value * change < 0:
        booking.trade(fill.venue, asset, after.realised.value)
    held[key] = Position(
        symbol=fill.symbol,
        quantity=after.held.value,
        entry_price=(after.entry or price).value,
        venue=fill.venue,
    )


def _by_asset(balances: Iterable[Balance]) -> dict[_Key, Decimal]:
    sums: dict[_Key, Decimal] = {}
    with localcontext(EXACT):
        for balance in balances:
            key = (balance.venue, balance.asset)
            sums[key] = sums.get(key, _NOTHING) + balance.total
    return sums
