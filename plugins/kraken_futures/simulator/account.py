"""What an account's owner may read: wallets, positions, orders, fills.

See https://docs.kraken.com/api/docs/futures-api/trading/get-accounts
"""

from __future__ import annotations

from typing import Any

from exchange_core.connector.simulation import SimExchange
from kraken_futures.simulator import order_words as words
from kraken_futures.simulator.codec import Arguments, digits, iso, number, real
from kraken_futures.simulator.contracts import Contracts
from kraken_futures.simulator.wallets import Held, Wallet, Wallets, positions_of

_FILLS = 100

Fields = dict[str, Any]


class Account:
    """What needs a key that may read."""

    def __init__(self, exchange: SimExchange, contracts: Contracts) -> None:
        self._exchange = exchange
        self._contracts = contracts

    def accounts(self, account: str, given: Arguments) -> Fields:
        wallets = Wallets.of(self._exchange, self._contracts, account)
        found: Fields = {"cash": {"type": "cashAccount", "balances": {}}}
        for wallet in wallets.single:
            found[f"fi_{wallet.code}usd".lower()] = _margin_account(wallet)
        return {"accounts": {**found, "flex": _flex_account(wallets)}}

    def open_positions(self, account: str, given: Arguments) -> Fields:
        return {"openPositions": [_position(held) for held in positions_of(self._exchange, self._contracts, account)]}

    def open_orders(self, account: str, given: Arguments) -> Fields:
        orders = words.newest_first(list(self._exchange.open_orders(account)))
        return {"openOrders": [words.open_order(self._contracts.of(order.request.symbol), order) for order in orders]}

    def fills(self, account: str, given: Arguments) -> Fields:
        """Return the latest fills, or those before ``lastFillTime``, newest first."""
        before = given.moment("lastFillTime")
        found = [fill for fill in self._exchange.fills(account) if before is None or fill.time < before]
        newest = found[: -_FILLS - 1 : -1]
        return {"fills": [words.fill_row(self._contracts.of(fill.symbol), fill) for fill in newest]}

    def leverage_preferences(self, account: str, given: Arguments) -> Fields:
        """A symbol that is not listed has cross margin; nothing else is simulated."""
        return {"leveragePreferences": []}


def _margin_account(wallet: Wallet) -> Fields:
    """Return a single-collateral wallet; its positions stand beside the coin, under their symbols."""
    zero = real(wallet.total * 0)
    positions = {each.contract.id: digits(each.position.quantity) for each in wallet.positions}
    value = wallet.total + wallet.profit
    return {
        "type": "marginAccount",
        "currency": wallet.code.lower(),
        "balances": {**positions, wallet.code.lower(): digits(wallet.total)},
        "auxiliary": {
            "usd": real(round(value * wallet.usd, 2)),
            "pv": real(value),
            "pnl": real(wallet.profit),
            "af": real(value - wallet.held),
            "funding": zero,
        },
        "marginRequirements": {
            "im": real(wallet.held),
            "mm": real(wallet.margin / 2),
            "lt": real(wallet.margin / 2),
            "tt": real(wallet.margin / 4),
        },
        # Prices at which a requirement is hit are not estimated.
        "triggerEstimates": {"im": zero, "mm": zero, "lt": zero, "tt": zero},
    }


def _flex_account(wallets: Wallets) -> Fields:
    balance, profit = wallets.balance_value, wallets.profit
    zero = real(balance * 0)
    return {
        "type": "multiCollateralMarginAccount",
        "currencies": {
            wallet.code: {
                "quantity": real(wallet.total),
                "value": real(wallet.total * wallet.usd),
                "collateral": real(wallet.total * wallet.usd),
                "available": real(wallet.free),
            }
            for wallet in wallets.flex
        },
        "initialMargin": real(wallets.margin),
        "initialMarginWithOrders": real(wallets.margin_with_orders),
        "maintenanceMargin": real(wallets.margin / 2),
        "balanceValue": real(balance),
        "portfolioValue": real(balance + profit),
        "collateralValue": real(balance),
        "pnl": real(profit),
        "unrealizedFunding": zero,
        "totalUnrealized": real(profit),
        "totalUnrealizedAsMargin": real(profit),
        "marginEquity": real(balance + profit),
        "availableMargin": real(balance + profit - wallets.margin_with_orders),
    }


def _position(held: Held) -> Fields:
    position = held.position
    row: Fields = {
        "side": "long" if position.quantity > 0 else "short",
        "symbol": held.contract.id,
        "price": number(position.entry_price),
        "fillTime": iso(position.opened),
        "size": number(abs(position.quantity)),
        "unrealizedFunding": None,
    }
    return row if held.contract.symbol.is_inverse else row | {"pnlCurrency": "USD"}
