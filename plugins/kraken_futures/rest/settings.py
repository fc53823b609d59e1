"""Kraken Futures' settings of the account, reached as ``operations.settings``.

See https://docs.kraken.com/api/docs/futures-api/trading/leverage-setting and the pages beside it
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.number import exact, plain
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.limits import units
from kraken_futures.numbers import number
from kraken_futures.pages import Table
from kraken_futures.parse.rows import chosen, table, word
from kraken_futures.rest.calls import change, private
from kraken_futures.types.account import SelfTradeStrategy
from kraken_futures.wire import account as wire


@attrs.frozen
class SettingCalls:
    """How positions are margined, what profit is paid in, and what trades with oneself do."""

    _context: VenueContext

    def leverage(self) -> Flow[Table[Symbol | str, Decimal]]:
        """Return the contracts whose margin is isolated, each with its largest leverage; all others are cross.

        Of one whose row does not read neither is known: such rows are in ``unreadable``.
        """
        reply: wire.Leverages = yield private("leveragepreferences", wire.Leverages)

        def row(raw: wire.Leverage) -> tuple[Symbol | str, Decimal]:
            return naming.told(self._context.symbols, raw.symbol), number(raw.max_leverage, "maxLeverage")

        return table(reply.leverage_preferences, wire.Leverage, row, f"{self._context.venue}: leveragepreferences")

    def set_leverage(self, symbol: Symbol | str, max_leverage: Decimal | int | str) -> Flow[None]:
        """Isolate the margin of a contract, with a largest leverage.

        Raises:
            BadRequest: With 41 where it would lead to liquidation, 87 and 88 for contracts that have no such setting.
            OutcomeUnknown: It may have been set.
        """
        leverage = exact(max_leverage, "max_leverage")
        if leverage <= 0:
            raise InvalidValue(f"max_leverage: {plain(leverage)} is not above zero; see set_cross_margin")
        yield self._leverage(symbol, plain(leverage))

    def set_cross_margin(self, symbol: Symbol | str) -> Flow[None]:
        """Let a contract share its margin with all others. Raises as :meth:`set_leverage` does."""
        yield self._leverage(symbol, None)

    def pnl_assets(self) -> Flow[Table[Symbol | str, str]]:
        """Return what the profit of contracts is paid in, where that was chosen."""
        reply: wire.PnlCurrencies = yield private("pnlpreferences", wire.PnlCurrencies)

        def row(raw: wire.PnlCurrency) -> tuple[Symbol | str, str]:
            return naming.told(self._context.symbols, raw.symbol), naming.asset_code(raw.pnl_currency)

        return table(reply.preferences, wire.PnlCurrency, row, f"{self._context.venue}: pnlpreferences")

    def set_pnl_asset(self, symbol: Symbol | str, asset: str) -> Flow[None]:
        """Choose what the profit of a contract is paid in.

        Raises:
            BadRequest: With 41, 87, 88, or 89 and 90 for assets that cannot be chosen.
            OutcomeUnknown: It may have been set.
        """
        if not asset:
            raise InvalidValue("asset: it is empty; expected a code such as USD or BTC")
        yield self._put("pnlpreferences", None, symbol=self._venue_id(symbol), pnlPreference=asset)

    def self_trade_strategy(self) -> Flow[SelfTradeStrategy | str]:
        """Tell what happens when an order would trade with one of the same owner."""
        reply: wire.Strategy = yield private("self-trade-strategy", wire.Strategy)
        return word(SelfTradeStrategy, reply.strategy)

    def set_self_trade_strategy(self, strategy: SelfTradeStrategy) -> Flow[SelfTradeStrategy]:
        """Choose it."""
        wanted = chosen(SelfTradeStrategy, strategy, "strategy")
        reply: wire.Strategy = yield change(
            "self-trade-strategy", wire.Strategy, {"strategy": wanted.value}, method="PUT"
        )
        if reply.strategy != wanted:
            raise ProtocolError(f"{self._context.venue}: self-trade-strategy {wanted}: it says {reply.strategy[:40]!r}")
        return wanted

    def _leverage(self, symbol: Symbol | str, leverage: str | None) -> RestCall:
        # Left out, it means cross margin.
        return self._put("leveragepreferences", None, symbol=self._venue_id(symbol), maxLeverage=leverage)

    def _put(self, endpoint: str, reply: Any, **params: Any) -> RestCall:
        return change(endpoint, reply, params, method="PUT", costs=units(f"{endpoint} change"))

    def _venue_id(self, symbol: Symbol | str) -> str:
        return naming.venue_id(self._context.symbols, symbol)
