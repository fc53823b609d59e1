"""What must be true of a simulated exchange after every event; tests ask after each."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from exchange_core.model.side import Side
from exchange_core.simulator.accounts import Account, Accounts, LiveOrder
from exchange_core.simulator.exposure import Exposure
from exchange_core.simulator.market import MarketState
from exchange_core.simulator.settlement import Settlement
from exchange_core.simulator.units import to_decimal


def check(markets: list[MarketState], accounts: Accounts, settlement: Settlement) -> None:
    """Compare everything that is kept twice.

    Raises:
        AssertionError: Says what does not agree.
    """
    _money_is_conserved(accounts)
    for market in markets:
        _profits_match_bases(market, accounts)
        _book_matches_orders(market, accounts)
    for account in accounts:
        _orders_match_fills(account, settlement)
        _holds_match_orders(account)
        _ledger_matches_balances(account, accounts)


def _equal(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: found {found}, expected {expected}")


def _money_is_conserved(accounts: Accounts) -> None:
    for asset, deposited in accounts.deposited.items():
        owned = sum(account.totals.get(asset, 0) for account in accounts)
        _equal(owned + accounts.fees[asset] + accounts.clearing[asset], deposited, f"sum of all {asset}")


def _profits_match_bases(market: MarketState, accounts: Accounts) -> None:
    """All long and short positions of a market cancel out, and so do profits and what is still open."""
    exposures = [account.exposures[market.symbol] for account in accounts if market.symbol in account.exposures]
    _equal(sum(exposure.lots for exposure in exposures), 0, f"{market.symbol}: sum of positions")
    _equal(
        sum(exposure.realised for exposure in exposures),
        sum(exposure.basis for exposure in exposures),
        f"{market.symbol}: realised profits against open bases",
    )
    for exposure in exposures:
        _equal(exposure.booked, exposure.realised // market.per_unit, f"{market.symbol}: booked profit")
        if not exposure.lots:
            _equal(exposure.basis, 0, f"{market.symbol}: basis of no position")


def _book_matches_orders(market: MarketState, accounts: Accounts) -> None:
    book = market.book
    standing = {order.id: order for order in book}
    owners = {live.order.id: live for account in accounts for live in account.open.values() if live.market is market}
    _equal(set(standing), set(owners), f"{market.symbol}: orders in the book")
    totals: dict[tuple[Side, int], int] = defaultdict(int)
    for order_id, live in owners.items():
        resting = standing[order_id]
        _equal(market.quantity(resting.remaining), live.order.remaining, f"{order_id}: remaining in the book")
        _equal(market.price(resting.price), live.order.request.price, f"{order_id}: price in the book")
        totals[resting.side, resting.price] += resting.remaining
    shown = {(side, price): total for side in Side for price, total in book.levels(side)}
    _equal(shown, dict(totals), f"{market.symbol}: levels of the book")
    bid, ask = book.best(Side.BUY), book.best(Side.SELL)
    if bid is not None and ask is not None and bid >= ask:
        raise AssertionError(f"{market.symbol}: the book is crossed, bid {bid} against ask {ask}")


def _orders_match_fills(account: Account, settlement: Settlement) -> None:
    by_order: dict[str, list[str]] = defaultdict(list)
    for fill in account.fills:
        by_order[fill.order_id].append(fill.id)
    for order in [*(live.order for live in account.open.values()), *account.closed]:
        fills = [settlement.fills[fill_id] for fill_id in order.fill_ids if fill_id in settlement.fills]
        if len(fills) < len(order.fill_ids):
            continue  # an account that keeps little has let some go
        _equal(order.fill_ids, by_order[order.id], f"{order.id}: fills")
        _equal(sum((fill.quantity for fill in fills), Decimal(0)), order.filled, f"{order.id}: filled")
        _equal(sum((fill.cost for fill in fills), Decimal(0)), order.cost, f"{order.id}: cost")
        _equal(sum((fill.fee for fill in fills), Decimal(0)), order.fee, f"{order.id}: fee")
    _equal(
        {live.order.request.client_order_id for live in account.open.values()} - {None},
        account.client_ids,
        f"{account.name}: client ids in use",
    )


def _holds_match_orders(account: Account) -> None:
    held: dict[str, int] = defaultdict(int)
    margined: set[str] = set()
    for live in account.open.values():
        if live.market.is_spot:
            asset, units = _spot_hold(live)
            _equal(live.held, units, f"{live.order.id}: held")
            held[asset] += units
    for exposure in account.exposures.values():
        _equal(exposure.held, _recounted(account, exposure).margin(), f"{account.name}: margin held")
        held[exposure.market.quote] += exposure.held
        margined.add(exposure.market.quote)
    for asset in account.totals.keys() | account.held.keys() | held.keys():
        _equal(account.held.get(asset, 0), held[asset], f"{account.name}: {asset} held")
        # Losses may eat into margin; nothing else can bring what is free below zero.
        if asset not in margined and account.free(asset) < 0:
            raise AssertionError(f"{account.name}: {account.free(asset)} units of {asset} free")


def _spot_hold(live: LiveOrder) -> tuple[str, int]:
    market = live.market
    if live.resting.side is Side.BUY:
        return market.quote, live.buy_hold()
    return market.symbol.base, live.resting.remaining * market.base_per_lot


def _recounted(account: Account, exposure: Exposure) -> Exposure:
    """Return *exposure* with its open orders counted anew."""
    market = exposure.market
    fresh = Exposure(market=market, lots=exposure.lots, basis=exposure.basis)
    for live in account.open.values():
        if live.market is market:
            value = market.value(live.resting.price, live.resting.remaining)
            request = live.order.request
            fresh.count(request.side, live.resting.remaining, value, reduce_only=request.reduce_only)
    return fresh


def _ledger_matches_balances(account: Account, accounts: Accounts) -> None:
    running: dict[str, Decimal] = {}
    for entry in account.ledger:
        before = entry.balance - entry.amount + entry.fee
        # An account that keeps little begins in the middle.
        start = before if account.keep is not None else Decimal(0)
        _equal(before, running.get(entry.asset, start), f"{entry.id}: balance before")
        running[entry.asset] = entry.balance
    for asset, balance in running.items():
        total = to_decimal(account.totals[asset], accounts.decimals[asset])
        _equal(balance, total, f"{account.name}: {asset} of the ledger")
