"""What must be true of a simulated exchange after every event; tests ask after each."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

import attrs

from exchange_core.connector.simulation import Reducing
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import TriggerBy
from exchange_core.simulator.engine.accounts import Account, Accounts
from exchange_core.simulator.engine.collateral import CONVERSION
from exchange_core.simulator.engine.exposure import Exposure, OpenSide
from exchange_core.simulator.engine.leverage import Leveraged
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.matching import MatchingBook
from exchange_core.simulator.engine.orders import Stage
from exchange_core.simulator.engine.settlement import Settlement
from exchange_core.simulator.engine.units import ceil_div, to_decimal


def check(markets: list[MarketState], accounts: Accounts, settlement: Settlement) -> None:
    """Compare everything that is kept twice.

    Raises:
        AssertionError: Says what does not agree.
    """
    _money_is_conserved(accounts)
    _house_matches_positions(markets, accounts)
    for market in markets:
        _positions_cancel_out(market, accounts)
        _book_matches_orders(market, accounts)
        _triggers_match_orders(market, accounts)
    for account in accounts:
        _orders_match_fills(account, settlement)
        _holds_match_orders(account)
        _ledger_matches_balances(account, accounts)
        _ledger_matches_positions(account, accounts)
        _reducers_fit(account)


def _equal(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: found {found}, expected {expected}")


def _money_is_conserved(accounts: Accounts) -> None:
    for asset, deposited in accounts.deposited.items():
        owned = sum(account.totals.get(asset, 0) for account in accounts)
        house = accounts.fees[asset] + accounts.clearing[asset] + accounts.exchanged[asset]
        _equal(owned + house, deposited, f"sum of all {asset}")
        brought = sum(account.exchanged.get(asset, 0) for account in accounts)
        _equal(brought, -accounts.exchanged[asset], f"conversions of {asset}")


def _house_matches_positions(markets: list[MarketState], accounts: Accounts) -> None:
    """What the clearing house has is what it lent, less all profits, funding and what it paid for the bankrupt."""
    expected: dict[str, Fraction] = defaultdict(Fraction)
    for asset, paid in accounts.insurance.items():
        expected[asset] -= paid
    for exposure in (exposure for account in accounts for exposure in account.exposures.values()):
        market = exposure.market
        expected[market.quote] -= exposure.booked + exposure.funding_booked
        if market.is_spot:
            expected[market.symbol.base] += exposure.lots * market.base_per_lot
            expected[market.quote] += Fraction(exposure.realised - exposure.basis, market.per_unit)
    for asset, has in accounts.clearing.items():
        _equal(has, expected[asset], f"clearing house: {asset}")


def _positions_cancel_out(market: MarketState, accounts: Accounts) -> None:
    """All long and short positions of a derivatives market cancel out; so do profits and open bases, and funding."""
    exposures = [account.exposures[market.symbol] for account in accounts if market.symbol in account.exposures]
    for exposure in exposures:
        _equal(exposure.booked, exposure.realised // market.per_unit, f"{market.symbol}: booked profit")
        if not exposure.lots:
            _equal(exposure.basis, 0, f"{market.symbol}: basis of no position")
            if isinstance(exposure, Leveraged):
                _equal(exposure.used, 0, f"{market.symbol}: margin of no position")
    if market.is_spot:
        return
    _equal(sum(exposure.lots for exposure in exposures), 0, f"{market.symbol}: sum of positions")
    _equal(
        sum(exposure.realised for exposure in exposures),
        sum(exposure.basis for exposure in exposures),
        f"{market.symbol}: realised profits against open bases",
    )
    if market.funding is not None:
        reading = market.funding.reading
        paid = sum(exposure.funding - exposure.lots * (reading - exposure.read) for exposure in exposures)
        _equal(paid, 0, f"{market.symbol}: sum of funding")


def _book_matches_orders(market: MarketState, accounts: Accounts) -> None:
    book = market.book
    standing = {order.id: order for order in book}
    live_orders = [live for account in accounts for live in account.open.values() if live.market is market]
    owners = {live.order.id: live for live in live_orders if live.stage is Stage.BOOK}
    _equal(set(standing), set(owners), f"{market.symbol}: orders in the book")
    totals: dict[tuple[Side, int], int] = defaultdict(int)
    for order_id, live in owners.items():
        resting = standing[order_id]
        _equal(resting, live.resting, f"{order_id}: in the book")
        _equal(market.quantity(resting.remaining), live.order.remaining, f"{order_id}: remaining in the book")
        _equal(market.price(resting.price), live.order.limit, f"{order_id}: price in the book")
        shown = resting.remaining - resting.hidden
        if resting.display:
            _equal(market.quantity(shown), live.order.shown, f"{order_id}: shown in the book")
            if not 0 < shown <= resting.display:
                raise AssertionError(f"{order_id}: shows {shown} lots, expected at most {resting.display}")
        totals[resting.side, resting.price] += shown
    levels = {(side, price): total for side in Side for price, total in book.levels(side)}
    _equal(levels, dict(totals), f"{market.symbol}: levels of the book")
    bid, ask = book.best(Side.BUY), book.best(Side.SELL)
    if bid is not None and ask is not None and bid >= ask:
        raise AssertionError(f"{market.symbol}: the book is crossed, bid {bid} against ask {ask}")
    _equal(book.reducers, sum(order.reduce_only for order in book), f"{market.symbol}: orders that only reduce")
    for side in Side:
        for queue in _queues(book, side):
            _equal(sorted(queue), queue, f"{market.symbol}: places in the queue")


def _queues(book: MatchingBook, side: Side) -> list[list[int]]:
    queues: dict[int, list[int]] = defaultdict(list)
    for order in book:
        if order.side is side:
            queues[order.price].append(order.place)
    return list(queues.values())


def _triggers_match_orders(market: MarketState, accounts: Accounts) -> None:
    waiting = {each.order_id: each for each in market.waiting}
    owners = {
        live.order.id: live
        for account in accounts
        for live in account.open.values()
        if live.market is market and live.stage is Stage.WAITING
    }
    _equal(set(waiting), set(owners), f"{market.symbol}: orders that wait for a price")
    for order_id, each in waiting.items():
        _equal(market.price(each.price), owners[order_id].order.trigger, f"{order_id}: trigger")
        if each.by is TriggerBy.LAST and market.prices.last is not None and each.is_met(market.prices.last):
            raise AssertionError(f"{order_id}: its trigger {each.price} was met by {market.prices.last}")


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
        if live.stage in (Stage.ENTERING, Stage.DONE):
            raise AssertionError(f"{live.order.id}: is open and {live.stage}")
        if not live.moves_position:
            _equal(live.held, live.needed(), f"{live.order.id}: held")
            held[live.held_asset] += live.held
    for exposure in account.exposures.values():
        _equal(exposure.held, _recounted(account, exposure).margin(), f"{account.name}: margin held")
        held[exposure.market.quote] += exposure.held
        margined.add(exposure.market.quote)
    for asset in account.totals.keys() | account.held.keys() | held.keys():
        _equal(account.held.get(asset, 0), held[asset], f"{account.name}: {asset} held")
        # Losses may eat into margin; nothing else can bring what is free below zero.
        if asset not in margined and account.free(asset) < 0:
            raise AssertionError(f"{account.name}: {account.free(asset)} units of {asset} free")


def _recounted(account: Account, exposure: Exposure) -> Exposure:
    """Return *exposure* with its open orders counted anew."""
    market = exposure.market
    fresh = attrs.evolve(exposure, sides={side: OpenSide() for side in Side}, reducing=0)
    for live in account.open.values():
        if live.market is market and live.moves_position and live.stage is Stage.BOOK:
            lots = live.resting.remaining
            value = market.value(live.resting.price, lots)
            margin = ceil_div(value, live.leverage) if live.leverage else 0
            fresh.count(live.resting.side, lots, value, margin=margin, reduce_only=live.resting.reduce_only)
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


def _ledger_matches_positions(account: Account, accounts: Accounts) -> None:
    """The entries of profit, funding and conversions sum to what positions and conversions brought."""
    if account.keep is not None:
        return
    profits: dict[Symbol, Decimal] = defaultdict(Decimal)
    funding: dict[Symbol, Decimal] = defaultdict(Decimal)
    converted: dict[str, Decimal] = defaultdict(Decimal)
    pairs: dict[str, set[bool]] = defaultdict(set)
    for entry in account.ledger:
        if entry.kind == CONVERSION:
            converted[entry.asset] += entry.amount
            pairs[entry.reference].add(entry.amount > 0)
        elif entry.symbol is not None and entry.kind == "funding":
            funding[entry.symbol] += entry.amount
        elif entry.symbol is not None and entry.kind in ("trade", "settlement"):
            profits[entry.symbol] += entry.amount
    for symbol, exposure in account.exposures.items():
        if not exposure.market.is_spot:
            money = exposure.market.money
            _equal(profits[symbol], money(exposure.booked), f"{account.name}: {symbol} profits of the ledger")
            _equal(funding[symbol], money(exposure.funding_booked), f"{account.name}: {symbol} funding of the ledger")
    for asset in account.exchanged.keys() | converted.keys():
        brought = to_decimal(account.exchanged.get(asset, 0), accounts.decimals[asset])
        _equal(converted[asset], brought, f"{account.name}: {asset} of conversions in the ledger")
    for reference, signs in pairs.items():
        _equal(signs, {True, False}, f"{reference}: both sides of a conversion")


def _reducers_fit(account: Account) -> None:
    """Where a market cuts or cancels them, orders that only reduce are no larger than their position."""
    together: dict[tuple[Symbol, Side], int] = defaultdict(int)
    for live in account.open.values():
        if not (live.stage is Stage.BOOK and live.resting.reduce_only and live.moves_position):
            continue
        market, side = live.market, live.resting.side
        room = account.exposure(market).reducible(side)
        together[market.symbol, side] += live.resting.remaining
        size = {Reducing.CUT: live.resting.remaining, Reducing.CANCEL: together[market.symbol, side]}
        if size.get(market.market.reducing, 0) > room:
            raise AssertionError(f"{live.order.id}: reduces {size[market.market.reducing]} lots, there are {room}")
