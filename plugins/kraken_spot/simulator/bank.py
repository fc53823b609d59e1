"""Money that comes in, goes out, or waits in another wallet, beyond what trading does with it.

The exchange books what leaves and reaches an account; here stands where it went: withdrawals that are under way, the
wallets of Earn, subaccounts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import attrs

from exchange_core.connector.saved_state import Room
from exchange_core.connector.simulation import Refusal, SimExchange, SimLedgerEntry, SimRefused
from exchange_core.errors import InvalidValue
from exchange_core.model.asset import Asset
from kraken_spot.simulator.codec import Refused
from kraken_spot.simulator.markets.traded import funding_id

PENDING_SECONDS = 30
_SENT = timedelta(seconds=PENDING_SECONDS)
_FIRST = timedelta(seconds=2)


@attrs.define(kw_only=True)
class Withdrawal:
    """One withdrawal. *amount* is what arrives, without the fee."""

    account: str
    asset: str
    method: str
    network: str
    key: str
    address: str
    reference: str
    amount: Decimal
    fee: Decimal
    time: datetime
    canceled: bool = False

    def status(self, now: datetime) -> str:
        if self.canceled:
            return "Failure"
        age = now - self.time
        return "Initial" if age < _FIRST else "Pending" if age < _SENT else "Success"

    def can_be_canceled(self, now: datetime) -> bool:
        return not self.canceled and now - self.time < _SENT


@attrs.define
class Purse:
    """Money of one account in one wallet that does not trade."""

    held: dict[str, Decimal] = attrs.field(factory=dict)

    def add(self, asset: str, amount: Decimal) -> None:
        self.held[asset] = self.held.get(asset, Decimal(0)) + amount


class Bank(Room):
    """What all accounts have outside of trading."""

    KEEPS: ClassVar = {
        "_subtypes": dict[str, str],
        "withdrawals": list[Withdrawal],
        "_subaccounts": dict[tuple[str, str], Purse],
        "_addresses": dict[tuple[str, str, str], list[str]],
    }

    def __init__(self, exchange: SimExchange) -> None:
        self._exchange = exchange
        self._subtypes: dict[str, str] = {}
        self.withdrawals: list[Withdrawal] = []
        self._subaccounts: dict[tuple[str, str], Purse] = {}
        self._addresses: dict[tuple[str, str, str], list[str]] = {}

    def book(
        self,
        account: str,
        asset: Asset,
        amount: Decimal,
        kind: str,
        refusal: str,
        *,
        fee: Decimal = Decimal(0),
        reference: str = "",
        subtype: str = "",
    ) -> SimLedgerEntry:
        """Change a balance, with an entry in the ledger.

        Args:
            refusal: The venue's error when there is not enough.

        Raises:
            Refused: There is not enough, or the amount has more decimals than the asset.
        """
        reference = reference or funding_id(self._exchange.random)
        try:
            entry = self._exchange.book_money(account, asset.code, amount, kind=kind, fee=fee, reference=reference)
        except SimRefused as refused:
            enough = refused.refusal is not Refusal.INSUFFICIENT_FUNDS
            raise Refused("EFunding:Invalid amount" if enough else refusal) from refused
        except InvalidValue as error:
            raise Refused("EFunding:Invalid amount") from error
        if subtype:
            self._subtypes[entry.id] = subtype
        return entry

    def subtype(self, entry: SimLedgerEntry) -> str:
        return self._subtypes.get(entry.id, "")

    # ── withdrawals and addresses ──

    def withdraw(self, withdrawal: Withdrawal, asset: Asset) -> None:
        self.book(
            withdrawal.account,
            asset,
            -withdrawal.amount,
            "withdrawal",
            "EFunding:Insufficient funds",
            fee=withdrawal.fee,
            reference=withdrawal.reference,
        )
        self.withdrawals.append(withdrawal)

    def cancel(self, withdrawal: Withdrawal, asset: Asset) -> bool:
        """Take a withdrawal back as long as it was not sent; return whether it was."""
        if not withdrawal.can_be_canceled(self._exchange.now()):
            return False
        withdrawal.canceled = True
        self.book(
            withdrawal.account,
            asset,
            withdrawal.amount,
            "withdrawal",
            "",
            fee=-withdrawal.fee,
            reference=withdrawal.reference,
        )
        return True

    def withdrawals_of(self, account: str) -> Iterable[Withdrawal]:
        """Return the account's withdrawals, newest first."""
        return [found for found in reversed(self.withdrawals) if found.account == account]

    def addresses(self, account: str, asset: str, method: str) -> list[str]:
        return self._addresses.setdefault((account, asset, method), [])

    # ── subaccounts ──

    def create_subaccount(self, account: str, username: str) -> bool:
        """Make a subaccount; return whether the name was free."""
        if (account, username) in self._subaccounts:
            return False
        self._subaccounts[account, username] = Purse()
        return True

    def subaccounts(self, account: str) -> dict[str, Purse]:
        """Return the account's subaccounts by name."""
        return {name: purse for (owner, name), purse in self._subaccounts.items() if owner == account}
