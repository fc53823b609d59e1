"""Deposits, withdrawals, transfers and subaccounts.

Money leaves with an entry in the ledger and is under way for half a minute. Nothing arrives from outside but what an
account began with.
See https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from exchange_core.connector.simulation import SimExchange, SimKey, SimLedgerEntry
from exchange_core.errors import ProtocolError
from exchange_core.model.asset import Asset
from exchange_core.model.time import from_seconds, to_millis
from kraken_spot.simulator.bank import Bank, Withdrawal
from kraken_spot.simulator.codec import Arguments, Refused, fixed, invalid, read_decimal
from kraken_spot.simulator.markets.names import Names
from kraken_spot.simulator.markets.traded import funding_id, public_id

_SPOT, _FUTURES = "Spot Wallet", "Futures Wallet"
_MOST_ADDRESSES = 5
_AMOUNT = "EFunding:Invalid amount"


class Method(NamedTuple):
    """One way in and out. *minimum* and *fee* are those of a withdrawal."""

    name: str
    network: str
    minimum: Decimal
    fee: Decimal
    has_addresses: bool = True


def _method(name: str, network: str, minimum: str, fee: str, has_addresses: bool = True) -> Method:
    return Method(name, network, Decimal(minimum), Decimal(fee), has_addresses)


METHODS = {
    "BTC": (_method("Bitcoin", "Bitcoin", "0.0004", "0.00002"),),
    "ETH": (_method("Ether (Hex)", "Ethereum", "0.002", "0.0006"),),
    "SOL": (_method("Solana", "Solana", "0.02", "0.01"),),
    "USD": (_method("SWIFT", "SWIFT", "10", "4", has_addresses=False),),
    "EUR": (_method("SEPA", "SEPA", "5", "1", has_addresses=False),),
}


def withdrawal_key(asset: str) -> str:
    """Return the name of the only address that every account has for an asset in its address book."""
    return f"my {asset.lower()}"


class Funding:
    """What may be asked about money from and to outside."""

    def __init__(self, exchange: SimExchange, names: Names, bank: Bank) -> None:
        self._exchange = exchange
        self._names = names
        self._bank = bank

    # ── in ──

    def deposit_methods(self, key: SimKey, given: Arguments) -> object:
        asset = self._asset(given)
        return [
            {
                "method": method.name,
                "limit": False,
                "fee": fixed(Decimal(0), asset.decimals),
                "gen-address": method.has_addresses,
                "minimum": fixed(method.minimum, asset.decimals),
            }
            for method in METHODS.get(asset.code, ())
        ]

    def deposit_addresses(self, key: SimKey, given: Arguments) -> object:
        asset = self._asset(given)
        method = self._method(asset, given.required("method"))
        if not method.has_addresses:
            raise Refused("EFunding:No funding method")
        known = self._bank.addresses(key.account, asset.code, method.name)
        before = len(known)
        if given.flag("new"):
            if before >= _MOST_ADDRESSES:
                raise Refused("EFunding:Too many addresses")
            known.append(_address(f"{key.account}/{asset.code}/{method.name}/{before}"))
        return [{"address": address, "expiretm": "0", "new": index >= before} for index, address in enumerate(known)][
            ::-1
        ]

    def deposit_status(self, key: SimKey, given: Arguments) -> object:
        entries = [entry for entry in reversed(self._exchange.ledger(key.account)) if entry.kind == "deposit"]
        rows = [self._deposit(entry) for entry in entries]
        return self._page(rows, given, 25, "deposits")

    def _deposit(self, entry: SimLedgerEntry) -> dict[str, Any]:
        asset = self._names.asset(entry.asset)
        method = next((method.name for method in METHODS.get(entry.asset, ())), "Transfer")
        return {
            "method": method,
            "aclass": "currency",
            "asset": asset.venue_id,
            "refid": entry.reference,
            "txid": hashlib.sha256(entry.id.encode()).hexdigest(),
            "info": _address(f"{entry.account}/{entry.asset}"),
            "amount": fixed(entry.amount, asset.decimals),
            "fee": fixed(entry.fee, asset.decimals),
            "time": to_millis(entry.time) // 1000,
            "status": "Success",
        }

    # ── out ──

    def withdraw_methods(self, key: SimKey, given: Arguments) -> object:
        asked = self._asked_assets(given)
        network = given.text("network")
        return [
            {
                "asset": self._names.asset(code).venue_id,
                "method": method.name,
                "network": method.network,
                "minimum": fixed(method.minimum, self._names.asset(code).decimals),
            }
            for code in asked
            for method in METHODS.get(code, ())
            if network in ("", method.network)
        ]

    def withdraw_addresses(self, key: SimKey, given: Arguments) -> object:
        name, wanted = given.text("key"), given.text("method")
        if "verified" in given and not given.flag("verified"):
            return []
        return [
            {
                "address": self._saved_address(key.account, code),
                "asset": self._names.asset(code).venue_id,
                "method": method.name,
                "network": method.network,
                "key": withdrawal_key(code),
                "verified": True,
            }
            for code in self._asked_assets(given)
            for method in METHODS.get(code, ())
            if name in ("", withdrawal_key(code)) and wanted in ("", method.name)
        ]

    def withdraw_info(self, key: SimKey, given: Arguments) -> object:
        asset, method, amount = self._wanted(given)
        free = next(
            (row.total - row.held for row in self._exchange.balances(key.account) if row.asset == asset.code),
            Decimal(0),
        )
        return {
            "method": method.name,
            "limit": fixed(max(free - method.fee, Decimal(0)), asset.decimals),
            "amount": fixed(amount - method.fee, asset.decimals),
            "fee": fixed(method.fee, asset.decimals),
        }

    def withdraw(self, key: SimKey, given: Arguments) -> object:
        asset, method, amount = self._wanted(given)
        address = self._saved_address(key.account, asset.code)
        if given.text("address", address) != address:
            raise Refused("EFunding:Unknown withdraw key")
        if "max_fee" in given and given.decimal("max_fee") < method.fee:
            raise Refused("EFunding:Max fee exceeded")
        withdrawal = Withdrawal(
            account=key.account,
            asset=asset.code,
            method=method.name,
            network=method.network,
            key=withdrawal_key(asset.code),
            address=address,
            reference=funding_id(self._exchange.random),
            amount=amount - method.fee,
            fee=method.fee,
            time=self._exchange.now(),
        )
        self._bank.withdraw(withdrawal, asset)
        return {"refid": withdrawal.reference}

    def withdraw_status(self, key: SimKey, given: Arguments) -> object:
        rows = [self._withdrawal(found) for found in self._bank.withdrawals_of(key.account)]
        return self._page(rows, given, 500, "withdrawals")

    def withdraw_cancel(self, key: SimKey, given: Arguments) -> object:
        asset, reference = self._asset(given), given.required("refid")
        for found in self._bank.withdrawals_of(key.account):
            if found.reference == reference and found.asset == asset.code:
                return self._bank.cancel(found, asset)
        raise Refused("EFunding:Unknown reference id")

    def _withdrawal(self, found: Withdrawal) -> dict[str, Any]:
        asset = self._names.asset(found.asset)
        now = self._exchange.now()
        status = found.status(now)
        row: dict[str, Any] = {
            "method": found.method,
            "network": found.network,
            "aclass": "currency",
            "asset": asset.venue_id,
            "refid": found.reference,
            "txid": hashlib.sha256(found.reference.encode()).hexdigest() if status == "Success" else None,
            "info": found.address,
            "amount": fixed(found.amount, asset.decimals),
            "fee": fixed(found.fee, asset.decimals),
            "time": to_millis(found.time) // 1000,
            "status": status,
            "key": found.key,
        }
        return row | ({"status-prop": "canceled"} if found.canceled else {})

    # ── to other wallets and accounts ──

    def wallet_transfer(self, key: SimKey, given: Arguments) -> object:
        asset, amount = self._asset(given), self._amount(given)
        if given.required("from") != _SPOT or given.required("to") != _FUTURES:
            raise invalid("from")
        entry = self._bank.book(
            key.account, asset, -amount, "transfer", "EFunding:Insufficient funds", subtype="spottofutures"
        )
        return {"refid": entry.reference}

    def create_subaccount(self, key: SimKey, given: Arguments) -> object:
        username, email = given.required("username"), given.required("email")
        if "@" not in email:
            raise invalid("email")
        if not self._bank.create_subaccount(key.account, username):
            raise invalid("username")
        return True

    def account_transfer(self, key: SimKey, given: Arguments) -> object:
        asset, amount = self._asset(given), self._amount(given)
        purses = {public_id(name): purse for name, purse in self._bank.subaccounts(key.account).items()}
        master = public_id(key.account)
        source, destination = given.required("from"), given.required("to")
        if {source, destination} - {master, *purses} or source == destination:
            raise invalid("from")
        if source != master and purses[source].held.get(asset.code, Decimal(0)) < amount:
            raise Refused("EFunding:Insufficient funds")
        reference = funding_id(self._exchange.random)
        for name, signed in ((source, -amount), (destination, amount)):
            if name == master:
                self._bank.book(
                    key.account, asset, signed, "transfer", "EFunding:Insufficient funds", reference=reference
                )
            else:
                purses[name].add(asset.code, signed)
        return {"transfer_id": reference, "status": "complete"}

    # ── reading ──

    def _asset(self, given: Arguments) -> Asset:
        try:
            [asset] = self._names.find_assets([given.required("asset")])
        except Refused:
            raise Refused("EFunding:Unknown asset") from None
        return asset

    def _asked_assets(self, given: Arguments) -> list[str]:
        return (
            [self._asset(given).code] if "asset" in given else [code for code in METHODS if code in self._names.assets]
        )

    def _method(self, asset: Asset, name: str) -> Method:
        for method in METHODS.get(asset.code, ()):
            if method.name == name:
                return method
        raise Refused("EFunding:No funding method")

    def _wanted(self, given: Arguments) -> tuple[Asset, Method, Decimal]:
        """Return what shall be withdrawn, how, and how much with the fee."""
        asset = self._asset(given)
        name = given.required("key")
        methods = METHODS.get(asset.code, ())
        if not methods or name != withdrawal_key(asset.code):
            raise Refused("EFunding:Unknown withdraw key")
        amount = self._amount(given)
        if amount < methods[0].minimum or amount <= methods[0].fee:
            raise Refused(_AMOUNT)
        return asset, methods[0], amount

    def _amount(self, given: Arguments) -> Decimal:
        amount = read_decimal(given.required("amount"))
        if amount is None or amount <= 0:
            raise Refused(_AMOUNT)
        return amount

    def _saved_address(self, account: str, asset: str) -> str:
        return _address(f"{account}/{asset}/saved")

    def _page(self, rows: list[dict[str, Any]], given: Arguments, usual: int, name: str) -> object:
        """Return rows by asset, method and time; as pages where a cursor is asked for.

        Open point: the names in a page are not documented where we could read it.
        """
        asset = self._asset(given).venue_id if "asset" in given else None
        method = given.text("method")
        start, end = _moment(given, "start"), _moment(given, "end")
        found = [
            row
            for row in rows
            if asset in (None, row["asset"])
            and method in ("", row["method"])
            and (start is None or row["time"] >= start)
            and (end is None or row["time"] <= end)
        ]
        limit = given.integer("limit", usual, 1, 500)
        # A client in wide use always sends it, and as Python prints it.
        cursor = given.raw("cursor")
        if cursor in (None, False, "false", "False"):
            return found[:limit]
        first = 0 if cursor in (True, "true", "True") else given.integer("cursor", 0, 0, 2**31)
        more = {"next_cursor": str(first + limit)} if first + limit < len(found) else {}
        return {name: found[first : first + limit], **more}


def _moment(given: Arguments, name: str) -> int | None:
    if name not in given:
        return None
    value = read_decimal(given.text(name))
    if value is None:
        raise invalid(name)
    try:
        moment: datetime = from_seconds(value)
    except ProtocolError:
        raise invalid(name) from None
    return to_millis(moment) // 1000


def _address(seed: str) -> str:
    """Return an address that is none on any chain."""
    return f"sim1{hashlib.sha256(seed.encode()).hexdigest()[:38]}"
