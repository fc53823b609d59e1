"""What moves money, and accounts below ours; reached as ``operations.wallets``.

Nothing moves unless the configuration says ``allow_withdrawals = true``, whatever the key may do.
See https://docs.kraken.com/api/docs/futures-api/trading/transfer and the pages beside it
"""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

import attrs

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, NotSupported, ProtocolError
from exchange_core.model.number import exact, plain
from kraken_futures.limits import units
from kraken_futures.parse import account as parse_account
from kraken_futures.parse.rows import rows
from kraken_futures.rest.calls import API, change, private
from kraken_futures.types.account import Subaccounts
from kraken_futures.wire import account as wire

Amount = Decimal | int | str


@attrs.frozen
class WalletCalls:
    """Transfers, withdrawals, sub-accounts.

    Wallets are named as ``account.wallets`` names them (``cash``, ``flex``, ``fi_xbtusd``), assets as the venue writes
    them in the wallet (``xbt``): a name that is guessed is money in the wrong place.
    """

    _context: VenueContext

    def transfer(self, from_wallet: str, to_wallet: str, unit: str, amount: Amount) -> Flow[None]:
        """Move an amount between two wallets of the account.

        Raises:
            NotSupported: The configuration does not allow it.
            InsufficientFunds: There is not so much.
            BadRequest: No such wallet or asset.
            OutcomeUnknown: It may have been moved; look at the wallets before anything else.
        """
        params = {"fromAccount": from_wallet, "toAccount": to_wallet, "unit": unit, "amount": _positive(amount)}
        yield self._move("transfer", None, params)

    def transfer_between_accounts(
        self, from_user: str, to_user: str, from_wallet: str, to_wallet: str, unit: str, amount: Amount
    ) -> Flow[None]:
        """Move an amount between the master and a sub-account, or two of those; raises as :meth:`transfer` does."""
        params = {
            "fromUser": from_user,
            "toUser": to_user,
            "fromAccount": from_wallet,
            "toAccount": to_wallet,
            "unit": unit,
            "amount": _positive(amount),
        }
        yield self._move("transfer/subaccount", None, params)

    def withdraw(self, currency: str, amount: Amount, from_wallet: str = "cash") -> Flow[str]:
        """Move an amount to the Spot wallet of the same owner; return the venue's id of it.

        Raises as :meth:`transfer` does. It needs a key with the withdrawal permission.
        """
        params = {"currency": currency, "amount": _positive(amount), "sourceWallet": from_wallet}
        reply: wire.Withdrawn = yield self._move("withdrawal", wire.Withdrawn, params)
        return reply.uid

    def subaccounts(self) -> Flow[Subaccounts]:
        """List the accounts below ours with what they hold."""
        reply: wire.Subaccounts = yield private("subaccounts", wire.Subaccounts)
        what = f"{self._context.venue}: subaccounts"
        accounts = rows(reply.subaccounts, wire.Subaccount, parse_account.subaccount, what)
        return Subaccounts(master_uid=reply.master_account_uid, accounts=accounts)

    def trading_enabled(self, subaccount_uid: str) -> Flow[bool]:
        """Tell whether a sub-account may trade.

        Raises:
            BadRequest: With ``404`` or ``notFound`` when there is no such account.
        """
        reply: wire.TradingEnabled = yield RestCall(
            method="GET",
            path=API + _switch(subaccount_uid),
            reply=wire.TradingEnabled,
            private=True,
            costs=units("subaccount/trading-enabled"),
        )
        return reply.trading_enabled

    def set_trading_enabled(self, subaccount_uid: str, enabled: bool) -> Flow[bool]:
        """Let a sub-account trade, or not."""
        if not isinstance(enabled, bool):
            raise InvalidValue(f"enabled: {enabled!r} is neither True nor False")
        reply: wire.TradingEnabled = yield change(
            _switch(subaccount_uid),
            wire.TradingEnabled,
            {"tradingEnabled": enabled},
            method="PUT",
            costs=units("subaccount/trading-enabled"),
        )
        if reply.trading_enabled is not enabled:
            raise ProtocolError(f"{self._context.venue}: trading-enabled {enabled}: it says {reply.trading_enabled}")
        return enabled

    def _move(self, endpoint: str, reply: type[wire.Withdrawn] | None, params: dict[str, str]) -> RestCall:
        if self._context.config.allow_withdrawals is not True:
            raise NotSupported(
                f"{self._context.venue}: {endpoint}: moving money is switched off; "
                "set allow_withdrawals = true for this venue",
                venue=self._context.venue,
            )
        missing = [name for name, value in params.items() if not value]
        if missing:
            raise InvalidValue(f"{endpoint}: {missing[0]} is empty")
        return change(endpoint, reply, params)


def _positive(amount: Amount) -> str:
    value = exact(amount, "amount")
    if value <= 0:
        raise InvalidValue(f"amount: {plain(value)} is not above zero")
    return plain(value)


def _switch(subaccount_uid: str) -> str:
    if not subaccount_uid:
        raise InvalidValue("subaccount_uid: it is empty")
    return f"subaccount/{quote(subaccount_uid, safe='')}/trading-enabled"
