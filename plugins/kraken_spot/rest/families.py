"""Kraken Spot's own calls in families, each of which is imported when it is first used: most programs use none."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from exchange_core.connector.spec import VenueContext

if TYPE_CHECKING:
    from kraken_spot.rest.account import AccountCalls
    from kraken_spot.rest.earn import EarnCalls
    from kraken_spot.rest.exports import ExportCalls
    from kraken_spot.rest.funding import FundingCalls
    from kraken_spot.rest.history import HistoryCalls
    from kraken_spot.rest.market import MarketCalls
    from kraken_spot.rest.trading import TradingCalls
    from kraken_spot.rest.transfers import TransferCalls
    from kraken_spot.walks.operations import Walks


class Families:
    """What ``KrakenSpotRest`` has beside the operations of every venue."""

    _context: VenueContext

    @cached_property
    def market(self) -> MarketCalls:
        """Calls about markets."""
        from kraken_spot.rest.market import MarketCalls

        return MarketCalls(self._context)

    @cached_property
    def history(self) -> HistoryCalls:
        """Calls about orders, trades and ledger entries, in full."""
        from kraken_spot.rest.history import HistoryCalls

        return HistoryCalls(self._context)

    @cached_property
    def account(self) -> AccountCalls:
        """Calls about collateral, positions, fees and the key."""
        from kraken_spot.rest.account import AccountCalls

        return AccountCalls(self._context)

    @cached_property
    def exports(self) -> ExportCalls:
        """Calls about reports."""
        from kraken_spot.rest.exports import ExportCalls

        return ExportCalls(self._context)

    @cached_property
    def trading(self) -> TradingCalls:
        """Calls about orders of every kind."""
        from kraken_spot.rest.trading import TradingCalls

        return TradingCalls(self._context)

    @cached_property
    def funding(self) -> FundingCalls:
        """Calls about deposits and withdrawals."""
        from kraken_spot.rest.funding import FundingCalls

        return FundingCalls(self._context)

    @cached_property
    def transfers(self) -> TransferCalls:
        """Calls that move money between wallets and accounts."""
        from kraken_spot.rest.transfers import TransferCalls

        return TransferCalls(self._context)

    @cached_property
    def earn(self) -> EarnCalls:
        """Calls about earn strategies."""
        from kraken_spot.rest.earn import EarnCalls

        return EarnCalls(self._context)

    @cached_property
    def walks(self) -> Walks:
        """The long lists as walks over every page."""
        from kraken_spot.walks.operations import Walks

        return Walks(self._context)
