"""Money that moves: between wallets, to sub-accounts, to the Spot wallet.

Wallets for trading are the exchange's own; what is in the holding wallet ``cash``, and what sub-accounts have, is kept
here. Each account has one sub-account, which holds cash and cannot trade.
See https://docs.kraken.com/api/docs/futures-api/trading/transfer and the pages beside it
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import attrs

from exchange_core.connector.rest import HttpReply
from exchange_core.connector.saved_state import Room
from exchange_core.connector.simulation import SimExchange, SimRefused
from exchange_core.model.number import is_multiple
from kraken_futures.simulator.codec import Arguments, Refused, json_reply, read_decimal, real
from kraken_futures.simulator.feed.hub import Hub
from kraken_futures.simulator.markets.contracts import Contracts, new_code, old_code
from kraken_futures.simulator.markets.traded import new_uuid
from kraken_futures.simulator.past.account_log import KINDS, LogRow
from kraken_futures.simulator.past.chronicle import Chronicle
from kraken_futures.simulator.past.events import account_id

Fields = dict[str, Any]

_ZERO = Decimal(0)
CASH, FLEX = "cash", "flex"


@attrs.define
class Vault:
    """What the exchange does not know of an account: money beside the market."""

    cash: dict[str, Decimal] = attrs.field(factory=dict)
    sub_cash: dict[str, Decimal] = attrs.field(factory=dict)
    sub_trades: bool = True


class Bank(Room):
    """Moves it."""

    KEEPS: ClassVar = {"_vaults": dict[str, Vault]}

    def __init__(self, exchange: SimExchange, contracts: Contracts, chronicle: Chronicle, hub: Hub) -> None:
        self._exchange = exchange
        self._vaults: dict[str, Vault] = {}
        self._contracts = contracts
        self._chronicle = chronicle
        self._hub = hub

    def _vault(self, account: str) -> Vault:
        return self._vaults.setdefault(account, Vault())

    def cash(self, account: str) -> dict[str, Decimal]:
        """Return the holding wallet."""
        return self._vault(account).cash

    # ── calls ──

    def transfer(self, account: str, given: Arguments) -> Fields:
        source, target = given.required("fromAccount").lower(), given.required("toAccount").lower()
        code, amount = self._asked(given, "unit")
        for wallet in (source, target):
            self._check_wallet(wallet, code)
        if source == target:
            raise Refused("invalidAccount")
        self._take(account, source, code, amount, "transfer")
        self._give(account, target, code, amount, "transfer")
        return {}

    def transfer_between(self, account: str, given: Arguments) -> Fields:
        """Move cash between an account and its sub-account."""
        source, target = given.required("fromUser"), given.required("toUser")
        wallets = given.required("fromAccount").lower(), given.required("toAccount").lower()
        code, amount = self._asked(given, "unit")
        ours, sub = account_id(account), sub_uid(account)
        if {source, target} != {ours, sub}:
            raise Refused("invalidAccount")
        for user, wallet in zip((source, target), wallets, strict=True):
            if user == sub and wallet != CASH:
                raise Refused("invalidAccount")
            self._check_wallet(wallet, code)
        vault = self._vault(account)
        if source == sub:
            if vault.sub_cash.get(code, _ZERO) < amount:
                raise Refused("insufficientFunds")
            vault.sub_cash[code] -= amount
            self._give(account, wallets[1], code, amount, "subaccount transfer")
        else:
            self._take(account, wallets[0], code, amount, "subaccount transfer")
            vault.sub_cash[code] = vault.sub_cash.get(code, _ZERO) + amount
        return {}

    def withdraw(self, account: str, given: Arguments) -> Fields:
        """Let money go to the Spot wallet, which is not part of this exchange."""
        code, amount = self._asked(given, "currency")
        source = given.text("sourceWallet", CASH).lower()
        self._check_wallet(source, code)
        self._take(account, source, code, amount, "withdrawal")
        return {"uid": new_uuid(self._exchange.random)}

    def subaccounts(self, account: str, given: Arguments) -> Fields:
        vault = self._vault(account)
        holdings = [
            {"currency": old_code(code).lower(), "amount": real(total)} for code, total in vault.sub_cash.items()
        ]
        nothing = dict.fromkeys(_FLEX_SUMS, real(_ZERO))
        sub = {
            "accountUid": sub_uid(account),
            "email": "sub@example.com",
            "fullName": None,
            "holdingAccounts": holdings,
            "futuresAccounts": [],
            "flexAccount": {"currencies": [], **nothing},
        }
        return {"masterAccountUid": account_id(account), "subaccounts": [sub]}

    def trading_enabled(self, account: str, uid: str) -> HttpReply:
        """Return the answer, which has no envelope."""
        return json_reply({"tradingEnabled": self._sub(account, uid).sub_trades})

    def set_trading_enabled(self, account: str, uid: str, given: Arguments) -> HttpReply:
        given.required("tradingEnabled")
        self._sub(account, uid).sub_trades = given.flag("tradingEnabled")
        return self.trading_enabled(account, uid)

    def _sub(self, account: str, uid: str) -> Vault:
        if uid != sub_uid(account):
            raise Refused("notFound", 404)
        return self._vault(account)

    # ── wallets ──

    def _asked(self, given: Arguments, name: str) -> tuple[str, Decimal]:
        """Return which asset, and how much of it."""
        code, amount = new_code(given.required(name)), read_decimal(given.required("amount"))
        asset = next((asset for asset in self._exchange.assets() if asset.code == code), None)
        if asset is None:
            raise Refused("invalidUnit")
        if amount is None or amount <= 0 or not is_multiple(amount, Decimal(1).scaleb(-asset.decimals)):
            raise Refused("invalidAmount")
        return code, amount

    def _check_wallet(self, wallet: str, code: str) -> None:
        """Refuse a wallet that does not exist, or does not take an asset."""
        singles = {f"fi_{old_code(coin)}usd".lower(): coin for coin in self._contracts.inverse_coins}
        if wallet in singles:
            if singles[wallet] != code:
                raise Refused("invalidUnit")
        elif wallet == FLEX:
            if code not in self._contracts.flex:
                raise Refused("invalidUnit")
        elif wallet != CASH:
            raise Refused("invalidAccount")

    def _take(self, account: str, wallet: str, code: str, amount: Decimal, kind: str) -> None:
        if wallet == CASH:
            if self.cash(account).get(code, _ZERO) < amount:
                raise Refused("insufficientFunds")
            self._change_cash(account, code, -amount, kind)
        else:
            self._book(account, self._contracts.flex[code] if wallet == FLEX else code, -amount, kind)

    def _give(self, account: str, wallet: str, code: str, amount: Decimal, kind: str) -> None:
        if wallet == CASH:
            self._change_cash(account, code, amount, kind)
        else:
            self._book(account, self._contracts.flex[code] if wallet == FLEX else code, amount, kind)

    def _book(self, account: str, asset: str, amount: Decimal, kind: str) -> None:
        try:
            self._exchange.book_money(account, asset, amount, kind=kind)
        except SimRefused:
            raise Refused("insufficientFunds") from None

    def _change_cash(self, account: str, code: str, amount: Decimal, kind: str) -> None:
        cash = self.cash(account)
        before = cash.get(code, _ZERO)
        cash[code] = before + amount
        row = LogRow(
            time=self._exchange.now(),
            asset=old_code(code).lower(),
            info=KINDS[kind],
            booking_uid=new_uuid(self._exchange.random),
            margin_account=CASH,
            collateral=old_code(code).lower(),
            old_balance=before,
            new_balance=cash[code],
        )
        self._chronicle.log(account, row)
        self._hub.cash_changed(account, code)


_FLEX_SUMS = (
    "initialMargin",
    "initialMarginWithOrders",
    "maintenanceMargin",
    "balanceValue",
    "portfolioValue",
    "collateralValue",
    "pnl",
    "unrealizedFunding",
    "totalUnrealized",
    "totalUnrealizedAsMargin",
    "marginEquity",
    "availableMargin",
)


def sub_uid(account: str) -> str:
    """Return the id of an account's sub-account."""
    return account_id(f"{account}/sub")
