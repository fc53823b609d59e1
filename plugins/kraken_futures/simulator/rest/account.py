"""What an account's owner may read: wallets, positions, orders, fills, the unwind queue.

See https://docs.kraken.com/api/docs/futures-api/trading/get-accounts and its neighbours
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchange_core.connector.simulation import SimExchange
from kraken_futures.simulator.codec import Arguments, digits, iso, number, rate, real
from kraken_futures.simulator.markets.contracts import Contracts, fee_volumes, old_code
from kraken_futures.simulator.money.bank import Bank
from kraken_futures.simulator.money.wallets import Flex, Held, Wallet, Wallets, positions_of
from kraken_futures.simulator.orders import shapes
from kraken_futures.simulator.past.chronicle import Chronicle
from kraken_futures.simulator.settings import Settings

_FILLS = 100
_ZERO = Decimal(0)

Fields = dict[str, Any]


class Account:
    """What needs a key that may read."""

    def __init__(
        self, exchange: SimExchange, contracts: Contracts, chronicle: Chronicle, settings: Settings, bank: Bank
    ) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._chronicle = chronicle
        self._settings = settings
        self._bank = bank

    def accounts(self, account: str, given: Arguments) -> Fields:
        wallets = Wallets.of(self._exchange, self._contracts, account)
        cash = {old_code(code).lower(): digits(total) for code, total in self._bank.cash(account).items()}
        found: Fields = {"cash": {"type": "cashAccount", "balances": cash}}
        for wallet in wallets.single:
            found[f"fi_{wallet.code}usd".lower()] = _margin_account(wallet)
        return {"accounts": {**found, "flex": flex_account(wallets.flex)}}

    def open_positions(self, account: str, given: Arguments) -> Fields:
        held = positions_of(self._exchange, self._contracts, account)
        return {"openPositions": [self._position(account, each) for each in held]}

    def open_orders(self, account: str, given: Arguments) -> Fields:
        orders = shapes.newest_first(list(self._exchange.open_orders(account)))
        return {"openOrders": [shapes.open_order(self._contracts.of(order.request.symbol), order) for order in orders]}

    def fills(self, account: str, given: Arguments) -> Fields:
        """Return the latest fills, or those before ``lastFillTime``, newest first."""
        before = given.moment("lastFillTime")
        found = [fill for fill in self._exchange.fills(account) if before is None or fill.time < before]
        newest = found[: -_FILLS - 1 : -1]
        kind = self._chronicle.fill_kind
        return {"fills": [shapes.fill_row(self._contracts.of(fill.symbol), fill, kind(fill)) for fill in newest]}

    def unwind_queue(self, account: str, given: Arguments) -> Fields:
        """Return how near each position is to being unwound; nobody's ever is here."""
        held = positions_of(self._exchange, self._contracts, account)
        return {"queue": [{"symbol": each.contract.id, "percentile": 20} for each in held]}

    def fee_volumes(self, account: str, given: Arguments) -> Fields:
        return {"volumesByFeeSchedule": fee_volumes(self._contracts, self._exchange.volume(account))}

    def _position(self, account: str, held: Held) -> Fields:
        position, symbol = held.position, held.contract.symbol
        row: Fields = {
            "side": "long" if position.quantity > 0 else "short",
            "symbol": held.contract.id,
            "price": number(position.entry_price),
            "fillTime": iso(position.opened),
            "size": number(abs(position.quantity)),
            "unrealizedPnl": real(position.unrealised),
            "unrealizedFunding": rate(position.funding) if held.contract.is_perpetual else None,
        }
        if symbol.is_inverse:
            return row
        row["pnlCurrency"] = self._settings.profit_code(account, symbol)
        leverage = self._settings.of(account).leverage.get(symbol)
        return row if leverage is None else row | {"maxFixedLeverage": number(leverage)}


def _margin_account(wallet: Wallet) -> Fields:
    """Return a single-collateral wallet; its positions stand beside the coin, under their symbols."""
    positions = {each.contract.id: digits(each.position.quantity) for each in wallet.positions}
    needed = wallet.margin.maintenance
    threshold = real(_threshold(wallet))
    return {
        "type": "marginAccount",
        "currency": wallet.code.lower(),
        "balances": {**positions, wallet.code.lower(): digits(wallet.total)},
        "auxiliary": {
            "usd": real(round(wallet.equity * wallet.usd, 2)),
            "pv": real(wallet.equity),
            "pnl": real(wallet.profit),
            "af": real(wallet.equity - wallet.with_orders),
            "funding": real(wallet.funding),
        },
        "marginRequirements": {
            "im": real(wallet.with_orders),
            "mm": real(needed),
            "lt": real(needed),
            "tt": real(needed / 2),
        },
        # Positions are liquidated at the maintenance margin, so that is the one price that is estimated.
        "triggerEstimates": {"im": real(_ZERO), "mm": threshold, "lt": threshold, "tt": real(_ZERO)},
    }


def _threshold(wallet: Wallet) -> Decimal:
    """Return the price at which a wallet with one position would be liquidated."""
    return wallet.positions[0].liquidation_price(wallet.spare) if len(wallet.positions) == 1 else _ZERO


def flex_account(flex: Flex) -> Fields:
    """Return the multi-collateral wallet."""
    return {
        "type": "multiCollateralMarginAccount",
        "currencies": {
            coin.code: {
                "quantity": real(coin.total),
                "value": real(coin.value),
                "collateral": real(coin.collateral),
                "available": real(coin.available),
            }
            for coin in flex.coins
        },
        "initialMargin": real(flex.initial),
        "initialMarginWithOrders": real(flex.with_orders),
        "maintenanceMargin": real(flex.maintenance),
        "balanceValue": real(flex.balance_value),
        "portfolioValue": real(flex.portfolio_value),
        "collateralValue": real(flex.collateral_value),
        "pnl": real(flex.profit),
        "unrealizedFunding": real(flex.funding),
        "totalUnrealized": real(flex.unrealised),
        "totalUnrealizedAsMargin": real(flex.as_margin),
        "marginEquity": real(flex.equity),
        "availableMargin": real(flex.available),
    }
