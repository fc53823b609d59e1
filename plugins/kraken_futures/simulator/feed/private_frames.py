"""What the private feeds say.

See https://docs.kraken.com/api/docs/futures-api/websocket/open_orders and its neighbours
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from exchange_core.connector.simulation import SimFill, SimOrder
from exchange_core.model.fill import Liquidity
from exchange_core.model.side import Side
from exchange_core.model.time import to_millis
from kraken_futures.simulator.codec import rate, real
from kraken_futures.simulator.markets.contracts import Contract
from kraken_futures.simulator.money.wallets import Coin, Flex, Held, Wallet
from kraken_futures.simulator.orders import words

Row = dict[str, Any]


def order(contract: Contract, found: SimOrder) -> Row:
    """Return an order; *qty* is what remains of it."""
    request, waits = found.request, words.waits(found)
    row: Row = {
        "instrument": contract.id,
        "time": to_millis(found.created),
        "last_update_time": to_millis(found.updated),
        "qty": real(found.remaining),
        "filled": real(found.filled),
    }
    if found.limit is not None:
        row["limit_price"] = real(found.limit)
    row |= {
        "stop_price": real((found.trigger or Decimal(0)) if waits else Decimal(0)),
        "type": words.trigger_word(request.type) if waits else "limit",
        "order_id": found.id,
    }
    if request.client_order_id is not None:
        row["cli_ord_id"] = request.client_order_id
    row |= {"direction": 0 if request.side is Side.BUY else 1, "reduce_only": request.reduce_only}
    if waits:
        row["triggerSignal"] = words.signal(found)
    if waits and request.trail is not None:
        unit = "percent" if request.trail.percent else "quote_currency"
        row["trailing_stop_options"] = {"max_deviation": real(request.trail.amount), "unit": unit}
    return row


def fill(contract: Contract, found: SimFill, sequence: int, fill_kind: str) -> Row:
    row: Row = {
        "instrument": contract.id,
        "time": to_millis(found.time),
        "price": real(found.price),
        "seq": sequence,
        "buy": found.side is Side.BUY,
        "qty": real(found.quantity),
        "remaining_order_qty": real(found.order_remaining),
        "order_id": found.order_id,
    }
    if found.client_order_id is not None:
        row["cli_ord_id"] = found.client_order_id
    kind = "liquidation" if found.liquidation else "limit" if found.order_type.has_limit else "market"
    return row | {
        "fill_id": found.id,
        "fill_type": fill_kind,
        "fee_paid": real(found.fee),
        "fee_currency": found.fee_asset,
        # A maker does not learn from its fill who took; most takers are limits.
        "taker_order_type": kind if found.liquidity is Liquidity.TAKER else "limit",
        "order_type": kind,
    }


def position(held: Held, wallet: Wallet | Flex, profit_code: str = "USD") -> Row:
    """Return a position that *wallet* backs; *profit_code* is the currency that its profit is paid in."""
    contract, found = held.contract, held.position
    worth = wallet.portfolio_value if isinstance(wallet, Flex) else wallet.equity
    row: Row = {
        "instrument": contract.id,
        "balance": real(found.quantity),
        "pnl": real(found.unrealised),
        "entry_price": real(found.entry_price),
        "mark_price": real(held.mark),
        "index_price": real(held.index),
        "liquidation_threshold": real(held.liquidation_price(wallet.spare)),
        "effective_leverage": real(_ratio(held.value, worth)),
        "return_on_equity": real(_ratio(found.unrealised, found.margin)),
        "unrealized_funding": rate(found.funding),
        "initial_margin": real(found.margin),
        # Open orders are not counted apart for each contract.
        "initial_margin_with_orders": real(found.margin),
        "maintenance_margin": real(found.maintenance),
    }
    return row if contract.symbol.is_inverse else row | {"pnl_currency": profit_code}


def _ratio(part: Decimal, whole: Decimal) -> Decimal:
    return part / whole if whole else Decimal(0)


def futures(wallets: Iterable[Wallet]) -> Row:
    """Return the section of the single-collateral wallets."""
    return {f"F-{wallet.code}:USD": _single(wallet) for wallet in wallets}


def _single(wallet: Wallet) -> Row:
    return {
        "name": f"F-{wallet.code}:USD",
        "pair": f"{wallet.code}/USD",
        "unit": wallet.code,
        "portfolio_value": real(wallet.equity),
        "balance": real(wallet.total),
        "maintenance_margin": real(wallet.margin.maintenance),
        "initial_margin": real(wallet.with_orders),
        "available": real(wallet.equity - wallet.with_orders),
        "unrealized_funding": real(wallet.funding),
        "pnl": real(wallet.profit),
    }


def flex_futures(flex: Flex, isolated: Iterable[str] = ()) -> Row:
    """Return the section of the multi-collateral wallet. Here initial_margin includes orders; REST says it apart.

    Args:
        isolated: Contracts that are to have margin of their own, which they do not get here: only their part is told.
    """
    sums: Row = {
        "balance_value": real(flex.balance_value),
        "portfolio_value": real(flex.portfolio_value),
        "collateral_value": real(flex.collateral_value),
        "initial_margin": real(flex.with_orders),
        "initial_margin_without_orders": real(flex.initial),
        "maintenance_margin": real(flex.maintenance),
        "pnl": real(flex.profit),
        "unrealized_funding": real(flex.funding),
        "total_unrealized": real(flex.unrealised),
        "total_unrealized_as_margin": real(flex.as_margin),
        "margin_equity": real(flex.equity),
        "available_margin": real(flex.available),
    }
    held = {each.contract.id: each for each in flex.positions}
    used = sum((each.value for each in held.values()), Decimal(0))
    return {
        "currencies": {coin.code: _currency(coin) for coin in flex.coins},
        **sums,
        "isolated": {name: _isolated(held.get(name)) for name in isolated},
        "cross": {**sums, "effective_leverage": real(_ratio(used, flex.portfolio_value))},
    }


def _isolated(held: Held | None) -> Row:
    zero = Decimal(0)
    margin, maintenance, profit, funding = (
        (zero, zero, zero, zero)
        if held is None
        else (held.position.margin, held.position.maintenance, held.position.unrealised, held.position.funding)
    )
    return {
        "initial_margin": real(margin),
        "initial_margin_without_orders": real(margin),
        "maintenance_margin": real(maintenance),
        "pnl": real(profit),
        "unrealized_funding": real(funding),
        "total_unrealized": real(profit + funding),
        "total_unrealized_as_margin": real(profit + funding),
    }


def _currency(coin: Coin) -> Row:
    return {
        "quantity": real(coin.total),
        "value": real(coin.value),
        "collateral_value": real(coin.collateral),
        "available": real(coin.available),
        "haircut": real(coin.haircut),
        "conversion_spread": real(coin.spread),
    }
