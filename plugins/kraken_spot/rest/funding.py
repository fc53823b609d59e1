"""Deposits and withdrawals of Kraken Spot; reached as ``operations.funding``.

What takes money out is refused unless the config has ``allow_withdrawals = true``.
See https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import attrs
import msgspec

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from kraken_spot.dialect import read
from kraken_spot.naming import balance_asset
from kraken_spot.parse import common as parse
from kraken_spot.parse.account import second
from kraken_spot.parse.rows import Listing, Page, made, readable, word
from kraken_spot.rest.calls import (
    amount_text,
    asset_id,
    change,
    check_withdrawals,
    private,
    second_after,
    second_before,
)
from kraken_spot.types.funding import (
    DepositAddress,
    DepositMethod,
    StatusDetail,
    Transaction,
    TransactionStatus,
    WithdrawAddress,
    WithdrawInfo,
    WithdrawMethod,
)
from kraken_spot.wire import funding as wire

T = TypeVar("T")

_Rows = list[msgspec.Raw]


@attrs.frozen
class FundingCalls:
    """Calls about money that comes in and goes out."""

    _context: VenueContext

    def deposit_methods(self, asset: str, *, asset_class: str | None = None) -> Flow[Listing[DepositMethod]]:
        """List the ways to bring *asset* in."""
        params = {"asset": asset_id(self._context, asset), "aclass": asset_class}
        rows: _Rows = yield private("DepositMethods", _Rows, params)
        return readable(rows, wire.DepositMethod, lambda _, row: _deposit_method(row))

    def deposit_addresses(
        self, asset: str, method: str, *, amount: Decimal | str | None = None
    ) -> Flow[Listing[DepositAddress]]:
        """List the addresses for a method.

        Args:
            amount: For Lightning only.
        """
        params = self._address_params(asset, method, amount)
        rows: _Rows = yield private("DepositAddresses", _Rows, params)
        return readable(rows, wire.DepositAddress, lambda _, row: _deposit_address(row))

    def new_deposit_address(
        self, asset: str, method: str, *, amount: Decimal | str | None = None
    ) -> Flow[Listing[DepositAddress]]:
        """Make an address for a method; list them all, with the new one."""
        params = self._address_params(asset, method, amount) | {"new": True}
        rows: _Rows = yield change("DepositAddresses", _Rows, params)
        return readable(rows, wire.DepositAddress, lambda _, row: _deposit_address(row))

    def _address_params(self, asset: str, method: str, amount: Decimal | str | None) -> dict[str, Any]:
        return {
            "asset": asset_id(self._context, asset),
            "method": method,
            "amount": None if amount is None else amount_text(amount),
        }

    def deposits_page(
        self,
        cursor: str | None = None,
        *,
        asset: str | None = None,
        method: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
    ) -> Flow[Page[Transaction]]:
        """Return a page of deposits, newest first; *start* and *end* are inclusive."""
        return self._transactions("DepositStatus", cursor, asset, method, start, end, limit)

    def withdrawals_page(
        self,
        cursor: str | None = None,
        *,
        asset: str | None = None,
        method: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
    ) -> Flow[Page[Transaction]]:
        """Return a page of withdrawals, newest first; *start* and *end* are inclusive."""
        return self._transactions("WithdrawStatus", cursor, asset, method, start, end, limit)

    def withdraw_methods(
        self, asset: str | None = None, *, network: str | None = None
    ) -> Flow[Listing[WithdrawMethod]]:
        """List the ways to take assets out."""
        params = {"asset": None if asset is None else asset_id(self._context, asset), "network": network}
        rows: _Rows = yield private("WithdrawMethods", _Rows, params)
        return readable(rows, wire.WithdrawMethod, lambda _, row: self._with_asset(WithdrawMethod, row))

    def withdraw_addresses(
        self,
        asset: str | None = None,
        *,
        method: str | None = None,
        key: str | None = None,
        verified: bool | None = None,
    ) -> Flow[Listing[WithdrawAddress]]:
        """List the account's address book."""
        params = {
            "asset": None if asset is None else asset_id(self._context, asset),
            "method": method,
            "key": key,
            "verified": verified,
        }
        rows: _Rows = yield private("WithdrawAddresses", _Rows, params)
        return readable(rows, wire.WithdrawAddress, lambda _, row: self._with_asset(WithdrawAddress, row))

    def withdraw_info(self, asset: str, key: str, amount: Decimal | str) -> Flow[WithdrawInfo]:
        """Tell what a withdrawal would cost; nothing is withdrawn."""
        params = {"asset": asset_id(self._context, asset), "key": key, "amount": amount_text(amount)}
        answer: wire.WithdrawInfo = yield private("WithdrawInfo", wire.WithdrawInfo, params)
        return made(WithdrawInfo, answer)

    def withdraw(
        self,
        asset: str,
        key: str,
        amount: Decimal | str,
        *,
        address: str | None = None,
        max_fee: Decimal | str | None = None,
    ) -> Flow[str]:
        """Take *amount* out to an address of the account's address book; return the reference.

        Args:
            key: The address's name.
            address: What it must be, as a check.
            max_fee: Refuse rather than pay more.

        Raises:
            NotSupported: Without ``allow_withdrawals``; nothing was sent.
            OutcomeUnknown: It may have gone out. A withdrawal bears no id of ours, so look for it among
                ``withdrawals_page`` before sending another.
        """
        check_withdrawals(self._context, "withdraw")
        params = {
            "asset": asset_id(self._context, asset),
            "key": key,
            "amount": amount_text(amount),
            "address": address,
            "max_fee": None if max_fee is None else amount_text(max_fee, least_is_zero=True),
        }
        answer: wire.Reference = yield change("Withdraw", wire.Reference, params)
        return answer.refid

    def cancel_withdrawal(self, asset: str, reference: str) -> Flow[bool]:
        """Ask to take a withdrawal back; return whether that was accepted."""
        check_withdrawals(self._context, "cancel_withdrawal")
        params = {"asset": asset_id(self._context, asset), "refid": reference}
        accepted: bool = yield change("WithdrawCancel", bool, params)
        return accepted

    def _transactions(
        self,
        name: str,
        cursor: str | None,
        asset: str | None,
        method: str | None,
        start: datetime | None,
        end: datetime | None,
        limit: int | None,
    ) -> Flow[Page[Transaction]]:
        params = {
            "asset": None if asset is None else asset_id(self._context, asset),
            "method": method,
            "start": second_before(start, "start"),
            "end": second_after(end, "end"),
            # True asks for the first page, and for a cursor to the next one.
            "cursor": True if cursor is None else cursor,
            "limit": limit,
        }
        answer: msgspec.Raw = yield private(name, msgspec.Raw, params)
        rows, following = _page(answer, name)
        found = readable(rows, wire.Transaction, lambda _, row: self._transaction(row))
        kept = (one for one in found.items if (start is None or one.time >= start) and (end is None or one.time <= end))
        return Page(tuple(kept), following, unreadable=found.unreadable)

    def _transaction(self, row: wire.Transaction) -> Transaction:
        asset, wallet = balance_asset(row.asset, self._context.assets)
        return made(
            Transaction,
            row,
            reference=row.refid,
            asset=asset,
            wallet=wallet,
            asset_class=row.aclass,
            time=parse.moment(row.time),
            status=word(TransactionStatus, row.status),
            detail=None if row.status_prop is None else word(StatusDetail, row.status_prop),
        )

    def _with_asset(self, kind: Callable[..., T], row: Any) -> T:
        found: T = made(kind, row, asset=self._context.assets.code(row.asset))  # type: ignore[arg-type]
        return found


def _page(answer: msgspec.Raw, what: str) -> tuple[_Rows, str | None]:
    """Return rows and cursor of an answer that is a list, or an object with a list and perhaps a cursor."""
    if bytes(answer).lstrip().startswith(b"["):
        return read(answer, _Rows, what), None
    # Open point: under which names the object has them is not documented.
    fields: dict[str, msgspec.Raw] = read(answer, dict[str, msgspec.Raw], what)
    cursors = [raw for name, raw in fields.items() if name.endswith("cursor") and bytes(raw) != b"null"]
    lists = [raw for raw in fields.values() if bytes(raw).lstrip().startswith(b"[")]
    if len(lists) != 1 or len(cursors) > 1:
        raise ProtocolError(f"{what}: expected one list and at most one cursor, found {', '.join(fields) or 'nothing'}")
    following = read(cursors[0], str, f"{what} cursor") if cursors else None
    return read(lists[0], _Rows, what), following or None


def _deposit_method(row: wire.DepositMethod) -> DepositMethod:
    limit = None if isinstance(row.limit, bool) else row.limit
    return made(
        DepositMethod,
        row,
        limit=None if limit is None else parse.number(limit, "limit"),
        makes_addresses=row.gen_address,
    )


def _deposit_address(row: wire.DepositAddress) -> DepositAddress:
    return made(DepositAddress, row, expires=second(row.expiretm, "expiretm"))
