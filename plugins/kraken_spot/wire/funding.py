"""Deposits, withdrawals and transfers, field by field, with no meaning added.

See https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class DepositMethod(msgspec.Struct, rename={"gen_address": "gen-address", "setup_fee": "address-setup-fee"}):
    method: str
    limit: Decimal | bool | None = None  # false is "no limit"
    fee: Decimal | None = None
    setup_fee: Decimal | None = None
    gen_address: bool = False
    minimum: Decimal | None = None


class DepositAddress(msgspec.Struct):
    address: str
    expiretm: str | int = 0
    new: bool = False
    tag: str | None = None
    memo: str | None = None


class Transaction(msgspec.Struct, rename={"status_prop": "status-prop"}):
    method: str
    asset: str
    refid: str
    amount: Decimal
    time: int
    status: str
    aclass: str = "currency"
    network: str | None = None
    txid: str | None = None
    info: str | None = None
    fee: Decimal | None = None
    status_prop: str | None = None
    key: str | None = None
    originators: list[str] = []


class WithdrawMethod(msgspec.Struct):
    asset: str
    method: str
    network: str | None = None
    minimum: Decimal | None = None


class WithdrawAddress(msgspec.Struct):
    address: str
    asset: str
    method: str
    key: str
    network: str | None = None
    verified: bool | None = None
    memo: str | None = None


class WithdrawInfo(msgspec.Struct):
    method: str
    limit: Decimal
    amount: Decimal
    fee: Decimal


class Reference(msgspec.Struct):
    refid: str


class AccountTransfer(msgspec.Struct):
    transfer_id: str
    status: str
