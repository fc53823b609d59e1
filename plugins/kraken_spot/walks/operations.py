"""Kraken Spot's long lists as walks over every page, reached as ``operations.walks``; ``venue.history`` walks them.

All of them begin with the oldest entry, go on while new ones come, and can be taken up again later.
See https://docs.kraken.com/api-reference/account-data/ and https://docs.kraken.com/api-reference/market-data/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import attrs

from exchange_core.connector.pages import History
from exchange_core.connector.spec import VenueContext
from exchange_core.model.market import Candle
from exchange_core.model.symbol import Symbol
from kraken_spot.feed.carriers import INTERVALS
from kraken_spot.parse import history as parse
from kraken_spot.rest.calls import asset_id, one_of
from kraken_spot.rest.market import market_trade
from kraken_spot.tokenized import TOKENIZED, pair_params
from kraken_spot.types.history import LedgerEntry, LedgerFilter, OrderRecord, TradeFilter, TradeRecord
from kraken_spot.types.market import MarketTrade
from kraken_spot.walks.candles import CandleWalk
from kraken_spot.walks.lists import Endpoint, ListWalk
from kraken_spot.walks.trades import TradeWalk
from kraken_spot.wire import history as wire

T = TypeVar("T")

_LARGEST_PAGE = 100


@attrs.frozen
class Walks:
    """Walks through what the account did, and through what markets did."""

    _context: VenueContext

    def orders(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        userref: int | None = None,
        client_order_id: str | None = None,
        trades: bool = False,
    ) -> History[OrderRecord]:
        """Walk finished orders, by the time of their end.

        Args:
            trades: With the ids of their trades.
        """
        symbols = self._context.symbols
        endpoint = closed_orders(
            self._context,
            wire.Order,
            lambda txid, raw: parse.order(txid, raw, symbols),
            lambda order: order.closed or order.opened,
            {"userref": userref, "cl_ord_id": client_order_id, "trades": trades or None},
        )
        return history(self._context, "closed orders", endpoint, since, until)

    def trades(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        type: TradeFilter = TradeFilter.ALL,
        symbol: Symbol | str | None = None,
        related: bool = False,
        ledgers: bool = False,
    ) -> History[TradeRecord]:
        """Walk our trades.

        Args:
            related: With the trades of the same position.
            ledgers: With the ids of the ledger entries; slower.
        """
        symbols = self._context.symbols
        params = {
            "type": type.value,
            "pair": None if symbol is None else symbols.venue_id(Symbol.of(symbol)),
            "trades": related or None,
            "ledgers": ledgers or None,
        }
        endpoint = own_trades(
            self._context,
            wire.Trade,
            lambda txid, raw: parse.trade(txid, raw, symbols),
            lambda trade: trade.time,
            params,
        )
        return history(self._context, "own trades", endpoint, since, until)

    def ledger(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        assets: Iterable[str] = (),
        type: LedgerFilter = LedgerFilter.ALL,
        asset_class: str | None = None,
    ) -> History[LedgerEntry]:
        """Walk the ledger.

        Args:
            asset_class: Without, the entries of currencies, or of the assets that are named; and where the config has
                ``tokenized = true`` and no asset is named, those of tokenised assets too.
        """
        named = [asset_id(self._context, asset) for asset in assets]
        params = {"asset": named or None, "aclass": asset_class, "type": type.value}
        endpoint = ledgers_of(
            self._context,
            lambda entry_id, raw: parse.ledger_entry(entry_id, raw, self._context.assets),
            lambda entry: entry.time,
            params,
            whole=not named and asset_class is None,
        )
        return history(self._context, "ledger entries", endpoint, since, until)

    def market_trades(
        self, symbol: Symbol | str, since: datetime | None = None, until: datetime | None = None
    ) -> History[MarketTrade]:
        """Walk public trades, from the first one of the pair on."""
        ours = Symbol.of(symbol)
        walk = TradeWalk(
            venue=self._context.venue,
            **pair_params(self._context, ours),
            build=lambda row: market_trade(row, ours),
            since=since,
            until=until,
        )
        return History(name=f"market trades of {ours}", fetch=walk.fetch, since=since, until=until)

    def candles(
        self, symbol: Symbol | str, interval: int, since: datetime | None = None, until: datetime | None = None
    ) -> History[Candle]:
        """Walk bars of *interval* minutes that are over: all that the venue has, and built of trades what is older.

        Older bars take as many calls as the trades that they are built of; each call brings a thousand.
        """
        ours = Symbol.of(symbol)
        walk = CandleWalk(
            venue=self._context.venue,
            symbol=ours,
            **pair_params(self._context, ours),
            interval=one_of(self._context.venue, "interval", interval, INTERVALS),
            since=since,
            until=until,
        )
        return History(name=f"candles of {ours} {interval}", fetch=walk.fetch, since=since, until=until)


def closed_orders(
    context: VenueContext,
    kind: type[Any],
    build: Callable[[str, Any], T],
    time: Callable[[T], datetime | None],
    params: Mapping[str, Any] | None = None,
) -> Endpoint[T]:
    """Return the list of finished orders, by the time of their end."""
    return Endpoint(
        name="ClosedOrders",
        reply=wire.Orders,
        rows="closed",
        kind=kind,
        build=build,
        time=time,
        params={"closetime": "close", "consolidate_taker": False, **(params or {})},
        # Open point: the pages say 1 for these, or count them with the history calls.
        points=min(2.0, context.config.history_cost),
    )


def own_trades(
    context: VenueContext,
    kind: type[Any],
    build: Callable[[str, Any], T],
    time: Callable[[T], datetime | None],
    params: Mapping[str, Any] | None = None,
) -> Endpoint[T]:
    """Return the list of our trades, each single fill of them."""
    return Endpoint(
        name="TradesHistory",
        reply=wire.Trades,
        rows="trades",
        kind=kind,
        build=build,
        time=time,
        params={"consolidate_taker": False, "limit": _LARGEST_PAGE, **(params or {})},
        points=context.config.history_cost,
    )


def ledgers_of(
    context: VenueContext,
    build: Callable[[str, Any], T],
    time: Callable[[T], datetime | None],
    params: Mapping[str, Any] | None = None,
    *,
    whole: bool = True,
) -> Endpoint[T]:
    """Return the list of ledger entries.

    Args:
        whole: Of every class of assets that the config has.
    """
    both = whole and context.config.tokenized is True
    return Endpoint(
        name="Ledgers",
        reply=wire.Ledgers,
        rows="ledger",
        kind=wire.LedgerEntry,
        build=build,
        time=time,
        params=params or {},
        points=context.config.history_cost,
        # The tokens come first: they are the quieter ones, and the first part is asked for again at the end.
        parts=({"aclass": TOKENIZED}, {}) if both else ({},),
    )


def history(
    context: VenueContext, name: str, endpoint: Endpoint[T], since: datetime | None, until: datetime | None
) -> History[T]:
    """Return the walk through a list of the account."""
    walk = ListWalk(venue=context.venue, endpoint=endpoint, since=since, until=until)
    return History(name=name, fetch=walk.fetch, since=since, until=until, private=True)
