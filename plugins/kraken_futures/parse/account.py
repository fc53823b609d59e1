"""What answers about the account mean.

See https://docs.kraken.com/api/docs/futures-api/trading/get-accounts
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from exchange_core.connector.naming import SymbolMap
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from kraken_futures import naming
from kraken_futures.numbers import number, optional
from kraken_futures.parse.rows import made
from kraken_futures.types.account import (
    Assignment,
    CashWallet,
    FlexAsset,
    FlexWallet,
    MarginBreakdown,
    MarginWallet,
    OpenPosition,
    OtherWallet,
    Subaccount,
    Thresholds,
    Wallet,
)
from kraken_futures.wire import account as wire


def wallet(name: str, raw: msgspec.Raw, context: VenueContext) -> Wallet:
    """Read a wallet by its type.

    Raises:
        ProtocolError: When it does not read as documented. None is left out: that would look like owning nothing.
    """
    try:
        kind = msgspec.json.decode(raw, type=wire.AccountType).type
        if kind == "multiCollateralMarginAccount":
            flex = msgspec.json.decode(raw, type=wire.FlexAccount)
            return flex_wallet(name, flex, flex.currencies.items())
        if kind not in ("cashAccount", "marginAccount"):
            return OtherWallet(name=name, type=kind, raw=as_values(raw))
        account = msgspec.json.decode(raw, type=wire.Account)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise ProtocolError(f"{context.venue}: accounts: {name[:40]}: {problem}") from problem
    if kind == "cashAccount":
        return CashWallet(name=name, balances=_coins(account.balances))
    return _margin_wallet(name, account, context.symbols)


def flex_wallet(name: str, raw: wire.Flex, currencies: Iterable[tuple[str, wire.FlexCurrency]]) -> FlexWallet:
    """Read the multi-collateral wallet."""
    return made(
        FlexWallet,
        raw,
        name=name,
        assets=tuple(
            made(
                FlexAsset,
                row,
                asset=naming.asset_code(code),
                collateral=optional(row.collateral_value if row.collateral is None else row.collateral, "collateral"),
            )
            for code, row in currencies
        ),
        portfolio_margin_breakdown=breakdown(raw.portfolio_margin_breakdown),
    )


def breakdown(raw: wire.Breakdown | None) -> MarginBreakdown | None:
    return None if raw is None else made(MarginBreakdown, raw)


def position(raw: wire.Position, context: VenueContext) -> OpenPosition:
    """Read a position; ``size`` has no sign of its own.

    Raises:
        ProtocolError: For one that is neither long nor short.
    """
    sign = {"long": 1, "short": -1}.get(raw.side)
    if sign is None:
        raise ProtocolError(f"{context.venue}: position side {raw.side[:20]!r} is neither long nor short")
    return made(
        OpenPosition,
        raw,
        symbol=naming.told(context.symbols, raw.symbol),
        quantity=number(raw.size, "size") * sign,
        entry_price=number(raw.price, "price"),
        pnl_asset=naming.asset_code(raw.pnl_currency) if raw.pnl_currency else None,
    )


def subaccount(raw: wire.Subaccount) -> Subaccount:
    """Read an account below ours."""
    flex = raw.flex_account
    return made(
        Subaccount,
        raw,
        uid=raw.account_uid,
        holdings={naming.asset_code(row.currency): number(row.amount, "amount") for row in raw.holding_accounts},
        margins={row.name: number(row.available_margin, "availableMargin") for row in raw.futures_accounts},
        flex=None
        if flex is None
        else flex_wallet("flex", flex, ((row.currency or "", row) for row in flex.currencies)),
    )


def assignment(raw: wire.Participation, symbols: SymbolMap) -> Assignment:
    """Read an entry of the assignment programme."""
    who = raw.participant
    return made(
        Assignment,
        who,
        id=raw.id,
        contract=None if who.contract is None else naming.told(symbols, who.contract),
        time=raw.timestamp,
        deleted=raw.deleted,
    )


def as_values(raw: msgspec.Raw) -> Any:
    """Decode JSON of no fixed form, with exact numbers."""
    return json.loads(bytes(raw), parse_float=Decimal)


def _margin_wallet(name: str, raw: wire.Account, symbols: SymbolMap) -> MarginWallet:
    auxiliary = raw.auxiliary or wire.Auxiliary()
    return MarginWallet(
        name=name,
        asset=naming.asset_code(raw.currency) if raw.currency else None,
        balances=_coins(raw.balances),
        # They list their positions, by contract, among their coins.
        positions={
            naming.told(symbols, key): number(size, "position") for key, size in raw.balances.items() if "_" in key
        },
        usd=optional(auxiliary.usd, "usd"),
        portfolio_value=optional(auxiliary.pv, "pv"),
        profit=optional(auxiliary.pnl, "pnl"),
        available=optional(auxiliary.af, "af"),
        unrealized_funding=optional(auxiliary.funding, "funding"),
        requirements=_thresholds(raw.margin_requirements),
        estimates=_thresholds(raw.trigger_estimates),
    )


def _coins(balances: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {naming.asset_code(key): number(total, "balance") for key, total in balances.items() if "_" not in key}


def _thresholds(raw: wire.Thresholds | None) -> Thresholds | None:
    if raw is None:
        return None
    return Thresholds(
        initial_margin=optional(raw.im, "im"),
        maintenance_margin=optional(raw.mm, "mm"),
        liquidation=optional(raw.lt, "lt"),
        termination=optional(raw.tt, "tt"),
    )
