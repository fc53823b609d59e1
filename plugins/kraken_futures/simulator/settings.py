"""What an account has chosen: isolated margin, profit currencies, self-trades.

See https://docs.kraken.com/api/docs/futures-api/trading/set-leverage-setting and the pages beside it
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import attrs

from exchange_core.connector.saved_state import Room
from exchange_core.connector.simulation import Refusal, SimExchange, SimRefused
from exchange_core.model.symbol import Symbol
from kraken_futures.simulator.codec import Arguments, BadRequest, illegal, number
from kraken_futures.simulator.markets.contracts import Contract, Contracts, new_code
from kraken_futures.simulator.orders import words

Fields = dict[str, Any]

_PROFIT = ("USD", "EUR", "GBP", "USDC", "USDT", "BTC", "ETH")


@attrs.define
class Choices:
    """One account's choices. Margin is not isolated here: the leverage is kept, told, and a bound for orders."""

    leverage: dict[Symbol, Decimal] = attrs.field(factory=dict)
    profit: dict[Symbol, str] = attrs.field(factory=dict)
    strategy: str = "REJECT_TAKER"


class Settings(Room):
    """Keeps them and answers for them."""

    KEEPS: ClassVar = {"_choices": dict[str, Choices]}

    def __init__(self, exchange: SimExchange, contracts: Contracts) -> None:
        self._choices: dict[str, Choices] = {}
        self._exchange = exchange
        self._contracts = contracts

    def of(self, account: str) -> Choices:
        return self._choices.setdefault(account, Choices())

    def leverage(self, account: str, given: Arguments) -> Fields:
        """List what is isolated; a symbol that is not listed has cross margin."""
        asked = given.text("symbol").lower()
        rows = {self._contracts.of(symbol).id: value for symbol, value in self.of(account).leverage.items()}
        return {
            "leveragePreferences": [
                {"symbol": name, "maxLeverage": number(value)}
                for name, value in rows.items()
                if asked in ("", name.lower())
            ]
        }

    def set_leverage(self, account: str, given: Arguments) -> Fields:
        contract, chosen = self._multi_collateral(given), given.maybe("maxLeverage")
        if chosen is None:
            self.of(account).leverage.pop(contract.symbol, None)
            return {}
        if not 1 <= chosen <= 1 / contract.levels[0].initial:
            raise illegal("maxLeverage")
        held = next((each for each in self._exchange.positions(account) if each.symbol == contract.symbol), None)
        if held is not None and self.too_high(contract, chosen, held.quantity, held.entry_price):
            raise BadRequest(41, "WOULD_CAUSE_LIQUIDATION")
        self.of(account).leverage[contract.symbol] = chosen
        return {}

    @staticmethod
    def too_high(contract: Contract, leverage: Decimal, quantity: Decimal, price: Decimal) -> bool:
        """Whether a position is too large for a leverage."""
        return leverage * contract.level_of(quantity, price).initial > 1

    def profit(self, account: str, given: Arguments) -> Fields:
        chosen = self.of(account).profit
        return {
            "preferences": [
                {"symbol": self._contracts.of(symbol).id, "pnlCurrency": code} for symbol, code in chosen.items()
            ]
        }

    def set_profit(self, account: str, given: Arguments) -> Fields:
        contract, code = self._multi_collateral(given), new_code(given.required("pnlPreference"))
        if code not in _PROFIT and code not in {asset.code for asset in self._exchange.assets()}:
            raise BadRequest(89, "CURRENCY_DOES_NOT_EXIST")
        if code not in _PROFIT or code not in self._contracts.flex:
            raise BadRequest(90, "CURRENCY_NOT_ENABLED_FOR_MULTI_COLLATERAL")
        asset = self._contracts.flex.get(code)
        try:
            self._exchange.pay_profit_in(account, contract.symbol, asset)
        except SimRefused as refused:
            if refused.refusal is Refusal.INSUFFICIENT_MARGIN:
                raise BadRequest(41, "WOULD_CAUSE_LIQUIDATION") from None
            raise BadRequest(90, "CURRENCY_NOT_ENABLED_FOR_MULTI_COLLATERAL") from None
        self.of(account).profit[contract.symbol] = code
        return {}

    def strategy(self, account: str, given: Arguments) -> Fields:
        return {"strategy": self.of(account).strategy}

    def set_strategy(self, account: str, given: Arguments) -> Fields:
        word = given.required("strategy")
        if word not in words.STRATEGIES:
            raise illegal("strategy")
        self.of(account).strategy = word
        return {"strategy": word}

    def _multi_collateral(self, given: Arguments) -> Contract:
        contract = self._contracts.find(given.required("symbol"))
        if contract is None:
            raise BadRequest(87, "CONTRACT_DOES_NOT_EXIST")
        if contract.symbol.is_inverse:
            raise BadRequest(88, "CONTRACT_NOT_MULTI_COLLATERAL")
        return contract

    def isolated(self, account: str) -> dict[str, Decimal]:
        """Return the leverage of what is isolated, by the venue's symbols."""
        return {self._contracts.of(symbol).id: value for symbol, value in self.of(account).leverage.items()}

    def profit_code(self, account: str, symbol: Symbol) -> str:
        return self.of(account).profit.get(symbol, "USD")
