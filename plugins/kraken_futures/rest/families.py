"""Kraken Futures' own calls in families, each of which is imported when it is first used: most programs use none."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from exchange_core.connector.spec import VenueContext

if TYPE_CHECKING:
    from kraken_futures.rest.account import AccountCalls
    from kraken_futures.rest.charts import ChartCalls
    from kraken_futures.rest.history import HistoryCalls
    from kraken_futures.rest.lists import AccountLists
    from kraken_futures.rest.market import MarketCalls
    from kraken_futures.rest.programs import ProgramCalls
    from kraken_futures.rest.settings import SettingCalls
    from kraken_futures.rest.trading import OrderCalls
    from kraken_futures.rest.wallets import WalletCalls
    from kraken_futures.walks.operations import Walks


class Families:
    """What ``FuturesRest`` has beside the operations of every venue. Calls are flows, or pages of flows."""

    _context: VenueContext
    _lists: AccountLists
    reports: list[str]

    @property
    def skipped(self) -> dict[str, str]:
        """What was odd in the last instrument list, by its beginning, and what of the account's lists did not read."""
        odd = {report.partition(" ")[0].rstrip(":"): report for report in self.reports}
        return odd | {name: why for entries in self._lists.skipped.values() for name, why in entries.items()}

    @cached_property
    def market(self) -> MarketCalls:
        """Calls about markets; none needs a key but ``fee_volumes``."""
        from kraken_futures.rest.market import MarketCalls

        return MarketCalls(self._context)

    @cached_property
    def orders(self) -> OrderCalls:
        """Calls about orders, with all parameters that the venue has."""
        from kraken_futures.rest.trading import OrderCalls

        return OrderCalls(self._context)

    @cached_property
    def history(self) -> HistoryCalls:
        """The past of the account, and of markets."""
        from kraken_futures.rest.history import HistoryCalls

        return HistoryCalls(self._context)

    @cached_property
    def account(self) -> AccountCalls:
        """What the account has, and what the venue says of it."""
        from kraken_futures.rest.account import AccountCalls

        return AccountCalls(self._context)

    @cached_property
    def settings(self) -> SettingCalls:
        """How positions are margined, what profit is paid in, and what trades with oneself do."""
        from kraken_futures.rest.settings import SettingCalls

        return SettingCalls(self._context)

    @cached_property
    def wallets(self) -> WalletCalls:
        """Transfers, withdrawals, sub-accounts."""
        from kraken_futures.rest.wallets import WalletCalls

        return WalletCalls(self._context)

    @cached_property
    def programs(self) -> ProgramCalls:
        """Taking over positions of those who are liquidated; margins of a whole portfolio."""
        from kraken_futures.rest.programs import ProgramCalls

        return ProgramCalls(self._context)

    @cached_property
    def charts(self) -> ChartCalls:
        """Candles of all prices, and analytics."""
        from kraken_futures.rest.charts import ChartCalls

        return ChartCalls(self._context)

    @cached_property
    def walks(self) -> Walks:
        """Walks through what the account did, and through what markets did."""
        from kraken_futures.walks.operations import Walks

        return Walks(self._context)
