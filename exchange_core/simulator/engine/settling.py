"""Pay a spot margin position with the account's own money, at what it cost: no trade, no profit."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exchange_core.connector.simulation import Refusal, SimRefused
from exchange_core.model.side import Side
from exchange_core.simulator.engine.accounts import Account, Accounts
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.telling import Told
from exchange_core.simulator.engine.units import ceil_div, whole_steps


def settle(
    accounts: Accounts, told: Told, account: Account, market: MarketState, quantity: Decimal | None, now: datetime
) -> Decimal:
    """Settle *quantity* of a position, or all of it; return how much.

    Raises:
        SimRefused: There is no position, or the account has not what it owes.
    """
    exposure = account.exposures.get(market.symbol)
    if exposure is None or not exposure.lots or not market.is_spot:
        raise SimRefused(Refusal.WOULD_NOT_REDUCE, f"no margin position in {market.symbol}")
    size = abs(exposure.lots)
    wanted = size if quantity is None else whole_steps(quantity, market.lot)
    if wanted is None or wanted <= 0:
        raise SimRefused(Refusal.INVALID_QUANTITY, f"{quantity} is no quantity of {market.symbol}")
    lots = min(size, wanted)
    base, quote = market.symbol.base, market.quote
    in_base = lots * market.base_per_lot
    owed = abs(exposure.basis) * lots
    if exposure.lots > 0:
        side, in_quote = Side.SELL, ceil_div(owed, size * market.per_unit)
        released = exposure.position_margin() * lots // size
        if in_quote > account.free(quote) + released:
            raise SimRefused(Refusal.INSUFFICIENT_FUNDS, f"{quote} to pay {market.quantity(lots)} {market.symbol}")
    else:
        side, in_quote = Side.BUY, owed // (size * market.per_unit)
        if in_base > account.free(base):
            raise SimRefused(Refusal.INSUFFICIENT_FUNDS, f"{base} to pay {market.quantity(lots)} {market.symbol}")
    # For the pool it is a trade back; what the position would have got or paid, the account pays or gets itself.
    reference, sign = exposure.id, side.sign
    profit = exposure.trade(side, lots, in_quote * market.per_unit, now)
    accounts.clearing[base] += sign * in_base
    accounts.clearing[quote] -= sign * in_quote + profit
    for asset, units in ((base, -sign * in_base), (quote, sign * in_quote + profit)):
        told.entry(accounts.book(account, asset, units, kind="settled", reference=reference, now=now))
    account.settle_margin(exposure)
    told.position(account.name, exposure.position())
    return market.quantity(lots)
