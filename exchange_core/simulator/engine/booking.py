"""The money of a fill: both legs of a spot trade, or profit, funding and fee of one that moves a position."""

from __future__ import annotations

from datetime import datetime

from exchange_core.connector.simulation import SimFill
from exchange_core.simulator.engine.accounts import Account, Accounts
from exchange_core.simulator.engine.collateral import square
from exchange_core.simulator.engine.exposure import Exposure
from exchange_core.simulator.engine.leverage import Leveraged
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.orders import LiveOrder
from exchange_core.simulator.engine.telling import Told


def pay(
    accounts: Accounts, told: Told, account: Account, live: LiveOrder, fill: SimFill, *, lots: int, cost: int, fee: int
) -> None:
    """Book both legs of a spot trade."""
    market, sign = live.market, fill.side.sign
    in_base, in_quote = (fee, 0) if live.fee_in_base else (0, fee)
    legs = (
        (market.symbol.base, sign * lots * market.base_per_lot, in_base),
        (market.quote, -sign * cost, in_quote),
    )
    for asset, amount, charged in legs:
        told.entry(
            accounts.book(
                account,
                asset,
                amount,
                fee=charged,
                kind="trade",
                reference=fill.id,
                now=fill.time,
                symbol=market.symbol,
            )
        )


def position_id(accounts: Accounts, account: Account, market: MarketState) -> str:
    """Return the id of a margin position, made when it has none."""
    exposure = account.exposure(market)
    if not exposure.lots:
        exposure.id = accounts.new_id()
    return exposure.id


def move_position(
    accounts: Accounts,
    told: Told,
    account: Account,
    live: LiveOrder,
    fill: SimFill,
    *,
    lots: int,
    cost: int,
    value: int,
    fee: int,
) -> None:
    """Book profit and fee of a trade that moves a position, and move it; on spot the pool pays and gets."""
    market = live.market
    exposure = account.exposure(market)
    exposure.accrue(fill.time)
    funded = _book_funding(accounts, told, account, exposure, fill.time, fill.id)
    before = exposure.lots
    profit = exposure.trade(fill.side, lots, value, fill.time, live.leverage)
    accounts.clearing[market.quote] -= profit
    if market.is_spot:
        sign = fill.side.sign
        accounts.clearing[market.symbol.base] += sign * lots * market.base_per_lot
        accounts.clearing[market.quote] -= sign * cost
        if before * exposure.lots < 0:
            exposure.id = accounts.new_id()  # turned around: another position
        if isinstance(exposure, Leveraged) and before * exposure.lots <= 0:
            exposure.paid_until = fill.time
    kind = "margin" if market.is_spot else "trade"
    entry = accounts.book(
        account,
        market.quote,
        profit,
        fee=fee,
        kind=kind,
        reference=fill.id,
        now=fill.time,
        symbol=market.symbol,
    )
    account.settle_margin(exposure)
    told.entry(entry)
    told.position(account.name, exposure.position())
    square(accounts, told, account, market, max(0, profit) + max(0, funded), fill.time)


def pay_funding(accounts: Accounts, told: Told, account: Account, exposure: Exposure, now: datetime) -> None:
    """Book the funding that was counted and not booked yet."""
    funded = _book_funding(accounts, told, account, exposure, now)
    if funded:
        square(accounts, told, account, exposure.market, max(0, funded), now)


def _book_funding(
    accounts: Accounts, told: Told, account: Account, exposure: Exposure, now: datetime, reference: str = ""
) -> int:
    """Book it; return the units."""
    due, market = exposure.due_funding(), exposure.market
    if due:
        exposure.funding_booked += due
        accounts.clearing[market.quote] -= due
        entry = accounts.book(
            account,
            market.quote,
            due,
            kind="funding",
            reference=reference or accounts.new_id(),
            now=now,
            symbol=market.symbol,
        )
        told.entry(entry)
    return due


def book_settlement(
    accounts: Accounts, told: Told, account: Account, exposure: Exposure, units: int, now: datetime
) -> None:
    """Book what the end of a contract brings a position that was just closed."""
    market = exposure.market
    accounts.clearing[market.quote] -= units
    told.entry(
        accounts.book(
            account,
            market.quote,
            units,
            kind="settlement",
            reference=accounts.new_id(),
            now=now,
            symbol=market.symbol,
        )
    )
    account.settle_margin(exposure)
    told.position(account.name, exposure.position())
    square(accounts, told, account, market, max(0, units), now)
