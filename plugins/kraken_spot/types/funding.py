"""Deposits, withdrawals and transfers of Kraken Spot. Words that we do not know stay as they are."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs


class TransactionStatus(StrEnum):
    """How far a deposit or withdrawal is."""

    INITIAL = "Initial"
    PENDING = "Pending"
    EARLY_CONFIRMED = "EarlyConfirmed"
    SETTLED = "Settled"
    SUCCESS = "Success"
    FAILURE = "Failure"


class StatusDetail(StrEnum):
    """What else there is to a status."""

    CANCEL_PENDING = "cancel-pending"
    CANCELED = "canceled"
    CANCEL_DENIED = "cancel-denied"
    RETURN = "return"
    ON_HOLD = "onhold"


class TransferStatus(StrEnum):
    """How far a transfer between accounts is."""

    PENDING = "pending"
    COMPLETE = "complete"


@attrs.frozen(kw_only=True)
class DepositMethod:
    """A way to bring an asset in.

    Attributes:
        limit: Most that can be deposited now; None without a limit.
        makes_addresses: New addresses can be asked for.
    """

    method: str
    limit: Decimal | None
    fee: Decimal | None
    setup_fee: Decimal | None
    makes_addresses: bool
    minimum: Decimal | None


@attrs.frozen(kw_only=True)
class DepositAddress:
    """Where to send an asset. With a *tag* or *memo*, what is sent without it is lost.

    Attributes:
        new: It was never used.
    """

    address: str
    tag: str | None
    memo: str | None
    expires: datetime | None
    new: bool


@attrs.frozen(kw_only=True)
class Transaction:
    """A deposit or a withdrawal.

    Attributes:
        reference: The venue's id of it.
        txid: On the chain.
        info: The address.
        key: The name of a withdrawal's address in the account.
    """

    reference: str
    asset: str
    wallet: str
    asset_class: str
    method: str
    network: str | None
    amount: Decimal
    fee: Decimal | None
    time: datetime
    status: TransactionStatus | str
    detail: StatusDetail | str | None
    txid: str | None
    info: str | None
    key: str | None
    originators: tuple[str, ...]


@attrs.frozen(kw_only=True)
class WithdrawMethod:
    """A way to take an asset out."""

    asset: str
    method: str
    network: str | None
    minimum: Decimal | None


@attrs.frozen(kw_only=True)
class WithdrawAddress:
    """An address of the account's address book; *key* is its name."""

    key: str
    asset: str
    method: str
    network: str | None
    address: str
    memo: str | None
    verified: bool | None


@attrs.frozen(kw_only=True)
class WithdrawInfo:
    """What a withdrawal would be.

    Attributes:
        limit: Most that can be withdrawn now, net.
        amount: What would arrive.
    """

    method: str
    limit: Decimal
    amount: Decimal
    fee: Decimal


@attrs.frozen(kw_only=True)
class AccountTransfer:
    """A transfer between two accounts of one owner."""

    id: str
    status: TransferStatus | str
