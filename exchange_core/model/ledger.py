"""What changed a balance: the entries of an account's ledger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from exchange_core.model.number import EXACT
from exchange_core.model.symbol import Symbol


class LedgerKind(StrEnum):
    """Why a balance changed, in words that all venues share.

    FUNDING is what longs and shorts of perpetuals pay each other, MARGIN what opening, rolling over and closing of a
    spot margin position books, SETTLEMENT the end of a contract or a position, TRANSFER a move between own wallets or
    accounts. OTHER is what none of the words says.
    """

    TRADE = "trade"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    FUNDING = "funding"
    INTEREST = "interest"
    REWARD = "reward"
    CONVERSION = "conversion"
    MARGIN = "margin"
    LIQUIDATION = "liquidation"
    SETTLEMENT = "settlement"
    ADJUSTMENT = "adjustment"
    FEE = "fee"
    OTHER = "other"


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """One change of one balance.

    Attributes:
        amount: Above zero is more, below zero is less, before the fee; the balance changed by :attr:`change`.
        fee: What was charged on top, in the same asset; a rebate is below zero.
        balance: Of the asset in the wallet, afterwards; None where the venue does not say.
        kind, venue_kind: Why, and the venue's own word for it.
        reference: What caused it, such as the id of a fill; entries of one cause share it.
        symbol: Which market it is about, where the venue says.
    """

    id: str
    time: datetime
    asset: str
    amount: Decimal
    fee: Decimal = Decimal(0)
    balance: Decimal | None = None
    kind: LedgerKind = LedgerKind.OTHER
    venue_kind: str = ""
    reference: str | None = None
    wallet: str = "spot"
    symbol: Symbol | None = None
    venue: str = ""

    @property
    def change(self) -> Decimal:
        """What the balance changed by."""
        return EXACT.subtract(self.amount, self.fee)
