"""Money between wallets and accounts of one owner, and subaccounts; reached as ``operations.transfers``.

All of it is refused unless the config has ``allow_withdrawals = true``.
See https://docs.kraken.com/exchange/guides/general/subaccounts
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from kraken_spot.parse.rows import word
from kraken_spot.rest.calls import amount_text, asset_id, change, check_withdrawals
from kraken_spot.types.funding import AccountTransfer, TransferStatus
from kraken_spot.wire import funding as wire

SPOT_WALLET, FUTURES_WALLET = "Spot Wallet", "Futures Wallet"


@attrs.frozen
class TransferCalls:
    """Calls that move money without taking it out. None of them bears an id of ours: after an unknown outcome, look."""

    _context: VenueContext

    def to_futures(self, asset: str, amount: Decimal | str) -> Flow[str]:
        """Move money from the spot to the futures wallet; return the reference. The way back is a call of Futures."""
        check_withdrawals(self._context, "to_futures")
        params = {
            "asset": asset_id(self._context, asset),
            "from": SPOT_WALLET,
            "to": FUTURES_WALLET,
            "amount": amount_text(amount),
        }
        answer: wire.Reference = yield change("WalletTransfer", wire.Reference, params)
        return answer.refid

    def between_accounts(
        self, asset: str, amount: Decimal | str, *, source: str, destination: str, asset_class: str | None = None
    ) -> Flow[AccountTransfer]:
        """Move money between the master account and subaccounts, with the master's key.

        Args:
            source, destination: Public account ids.
        """
        check_withdrawals(self._context, "between_accounts")
        params = {
            "asset": asset_id(self._context, asset),
            "asset_class": asset_class,
            "amount": amount_text(amount),
            "from": source,
            "to": destination,
        }
        answer: wire.AccountTransfer = yield change("AccountTransfer", wire.AccountTransfer, params)
        return AccountTransfer(id=answer.transfer_id, status=word(TransferStatus, answer.status))

    def create_subaccount(self, username: str, email: str) -> Flow[bool]:
        """Make a subaccount; return whether that was done."""
        check_withdrawals(self._context, "create_subaccount")
        done: bool = yield change("CreateSubaccount", bool, {"username": username, "email": email})
        return done
