"""What the private feeds say.

See https://docs.kraken.com/api/docs/futures-api/websocket/open_orders and its neighbours
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from exchange_core.connector.simulation import SimFill, SimLedgerEntry, SimOrder
from exchange_core.model.fill import Liquidity
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.model.time import to_millis
from kraken_futures.simulator.codec import iso, real
from kraken_futures.simulator.contracts import Contract, old_code
from kraken_futures.simulator.wallets import Held, Wallet, Wallets

Row = dict[str, Any]

_ORDER_TYPES = {OrderType.MARKET: "market", OrderType.LIMIT: "limit"}


def account_id(account: str) -> str:
    """Return the account's id as the venue shapes it."""
    return str(uuid5(NAMESPACE_OID, account))


def order(contract: Contract, found: SimOrder) -> Row:
    """Return an order; *qty* is what remains of it."""
    request = found.request
    row: Row = {
        "instrument": contract.id,
        "time": to_millis(found.created),
        "last_update_time": to_millis(found.updated),
        "qty": real(found.remaining),
        "filled": real(found.filled),
        "limit_price": real(request.price or Decimal(0)),
        "stop_price": real(Decimal(0)),
        "type": "limit",
        "order_id": found.id,
    }
    if request.client_order_id is not None:
        row["cli_ord_id"] = request.client_order_id
    return row | {"direction": 0 if request.side is Side.BUY else 1, "reduce_only": request.reduce_only}


def fill(contract: Contract, found: SimFill, sequence: int) -> Row:
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
    kind = _ORDER_TYPES[found.order_type]
    return row | {
        "fill_id": found.id,
        "fill_type": found.liquidity,
        "fee_paid": real(found.fee),
        "fee_currency": found.fee_asset,
        # A maker does not learn from its fill who took; most takers are limits.
        "taker_order_type": kind if found.liquidity is Liquidity.TAKER else "limit",
        "order_type": kind,
    }


def position(held: Held, value: Decimal) -> Row:
    """Return a position; *value* is that of the wallet that backs it."""
    contract, margin = held.contract, held.margin
    worth = abs(contract.value(held.position.quantity, held.mark))
    row: Row = {
        "instrument": contract.id,
        "balance": real(held.position.quantity),
        "pnl": real(held.profit),
        "entry_price": real(held.position.entry_price),
        "mark_price": real(held.mark),
        "index_price": real(held.mark),
        "liquidation_threshold": real(Decimal(0)),
        "effective_leverage": real(worth / value if value else Decimal(0)),
        "return_on_equity": real(held.profit / margin if margin else Decimal(0)),
        "unrealized_funding": real(Decimal(0)),
        "initial_margin": real(margin),
        "initial_margin_with_orders": real(margin),
        "maintenance_margin": real(margin / 2),
    }
    return row if contract.symbol.is_inverse else row | {"pnl_currency": "USD"}


def futures(wallets: Iterable[Wallet]) -> Row:
    """Return the section of the single-collateral wallets."""
    return {f"F-{wallet.code}:USD": _single(wallet) for wallet in wallets}


def _single(wallet: Wallet) -> Row:
    return {
        "name": f"F-{wallet.code}:USD",
        "pair": f"{wallet.code}/USD",
        "unit": wallet.code,
        "portfolio_value": real(wallet.total + wallet.profit),
        "balance": real(wallet.total),
        "maintenance_margin": real(wallet.margin / 2),
        "initial_margin": real(wallet.held),
        "available": real(wallet.free + wallet.profit),
        "unrealized_funding": real(Decimal(0)),
        "pnl": real(wallet.profit),
    }


def flex_futures(wallets: Wallets) -> Row:
    """Return the section of the multi-collateral wallet. Here initial_margin includes orders; REST says it apart."""
    zero = real(Decimal(0))
    profit, balance = real(wallets.profit), real(wallets.balance_value)
    equity = real(wallets.balance_value + wallets.profit)
    sums: Row = {
        "portfolio_value": equity,
        "collateral_value": balance,
        "initial_margin": real(wallets.margin_with_orders),
        "initial_margin_without_orders": real(wallets.margin),
        "maintenance_margin": real(wallets.margin / 2),
        "pnl": profit,
        "unrealized_funding": zero,
        "total_unrealized": profit,
        "total_unrealized_as_margin": profit,
        "margin_equity": equity,
        "available_margin": real(wallets.balance_value + wallets.profit - wallets.margin_with_orders),
    }
    return {
        "currencies": {wallet.code: _currency(wallet) for wallet in wallets.flex},
        "balance_value": balance,
        **sums,
        "isolated": {},
        "cross": {"balance_value": balance, **sums, "effective_leverage": zero},
    }


def _currency(wallet: Wallet) -> Row:
    value = real(wallet.total * wallet.usd)
    return {
        "quantity": real(wallet.total),
        "value": value,
        "collateral_value": value,
        "available": real(wallet.free),
        "haircut": real(Decimal(0)),
        "conversion_spread": real(Decimal(0)),
    }


def log_entry(entry: SimLedgerEntry, number: int) -> Row:
    """Return a row of the account log: its cash side, as that is what the ledger knows."""
    zero, code = real(Decimal(0)), old_code(entry.asset).lower()
    is_trade = entry.kind == "trade"
    return {
        "id": number,
        "date": iso(entry.time),
        "asset": code,
        "info": "futures trade" if is_trade else "transfer",
        "booking_uid": entry.id,
        "margin_account": "flex" if entry.asset == "USD" else f"f-{code}:usd",
        "old_balance": real(entry.balance - entry.amount + entry.fee),
        "new_balance": real(entry.balance),
        "old_average_entry_price": zero,
        "new_average_entry_price": zero,
        "trade_price": zero,
        "mark_price": zero,
        "realized_pnl": real(entry.amount) if is_trade else zero,
        "fee": real(entry.fee),
        "execution": entry.reference if is_trade else "",
        "collateral": code,
        "funding_rate": zero,
        "realized_funding": zero,
        "conversion_spread_percentage": zero,
        "liquidation_fee": zero,
    }
