"""Kraken Spot's REST operations as flows: the venue's lists, market data, and what the account holds and did.

See https://docs.kraken.com/api-reference/market-data/ and https://docs.kraken.com/api-reference/account-data/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import floor
from typing import Any

import msgspec

from exchange_core.connector.partial import listed
from exchange_core.connector.rest import Flow, HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ExchangeError, NotSupported, ProtocolError, VenueUnavailable
from exchange_core.model.account import Balance, FeeRates, Position
from exchange_core.model.amendment import Amendment
from exchange_core.model.book import BookSnapshot
from exchange_core.model.fill import Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import to_seconds
from kraken_spot import limits
from kraken_spot.dialect import KrakenSpotDialect, read
from kraken_spot.feed.carriers import INTERVALS
from kraken_spot.naming import balance_asset, load_pairs
from kraken_spot.orders import calls as order_calls
from kraken_spot.parse import common as parse
from kraken_spot.parse.positions import positions
from kraken_spot.rest import changes as rest_changes
from kraken_spot.rest import orders as rest_orders
from kraken_spot.rest.calls import private
from kraken_spot.rest.families import Families
from kraken_spot.rest.lists import Lists, pairs_of
from kraken_spot.rest.references import PlacedIds
from kraken_spot.tokenized import classed, is_tokenized, pair_params
from kraken_spot.wire import common as wire

DEEPEST_BOOK = 500
MOST_TRADES = 1000


class KrakenSpotRest(Families):
    """The operations of one account.

    Attributes:
        skipped: Entries of the venue's lists that could not be used, records that could not be read, and pairs that are
            in no list and shown under a stand-in; and why.
    """

    most_placed = order_calls.LARGEST_BATCH
    most_cancelled = order_calls.MOST_CANCELS
    one_symbol = True

    def __init__(self, context: VenueContext) -> None:
        self._context = context
        self.skipped: dict[str, str] = {}
        self._placed = PlacedIds()
        self._lists = Lists(context, self.skipped)

    def instruments(self) -> Flow[list[Instrument]]:
        return self._lists.instruments()

    def load_instruments(self, body: bytes) -> list[Instrument]:
        call = RestCall(method="GET", path="/0/public/AssetPairs", reply=dict[str, msgspec.Raw])
        try:
            pairs = KrakenSpotDialect(self._context).decode(call, HttpReply(200, {}, body))
        except (ProtocolError, VenueUnavailable) as error:
            raise ProtocolError(f"{self._context.venue}: not a recorded answer to AssetPairs: {error}") from error
        self.skipped.update(load_pairs(pairs, self._context.symbols, self._context.assets))
        return list(self._context.symbols)

    def ticker(self, symbol: Symbol) -> Flow[Ticker]:
        answer: dict[str, wire.Ticker] = yield self._of_pair("Ticker", symbol, dict[str, wire.Ticker])
        return parse.ticker(parse.only(answer, "Ticker"), symbol)

    def book(self, symbol: Symbol, depth: int | None) -> Flow[BookSnapshot]:
        if depth is not None and not 1 <= depth <= DEEPEST_BOOK:
            raise self._refuse("depth", f"{depth} is not between 1 and {DEEPEST_BOOK}")
        return self._book(symbol, depth)

    def _book(self, symbol: Symbol, depth: int | None) -> Flow[BookSnapshot]:
        answer: dict[str, wire.Depth] = yield self._of_pair("Depth", symbol, dict[str, wire.Depth], count=depth)
        return parse.book(parse.only(answer, "Depth"), symbol)

    def trades(self, symbol: Symbol, limit: int | None) -> Flow[list[Trade]]:
        if limit is not None and not 1 <= limit <= MOST_TRADES:
            raise self._refuse("limit", f"{limit} is not between 1 and {MOST_TRADES}")
        return self._trades(symbol, limit)

    def _trades(self, symbol: Symbol, limit: int | None) -> Flow[list[Trade]]:
        answer: dict[str, msgspec.Raw] = yield self._history("Trades", symbol, count=limit)
        rows = read(parse.only(answer, "Trades"), list[wire.TradeRow], "Trades")
        rows.sort(key=lambda row: row.trade_id)
        return [parse.trade(row, symbol) for row in (rows if limit is None else rows[-limit:])]

    def candles(self, symbol: Symbol, interval: int, since: datetime | None) -> Flow[list[Candle]]:
        if interval not in INTERVALS:
            raise self._refuse("interval", f"{interval} minutes is none of {', '.join(map(str, INTERVALS))}")
        return self._candles(symbol, interval, since)

    def _candles(self, symbol: Symbol, interval: int, since: datetime | None) -> Flow[list[Candle]]:
        start = None if since is None else floor(to_seconds(since))
        answer: dict[str, msgspec.Raw] = yield self._history("OHLC", symbol, interval=interval, since=start)
        rows = read(parse.only(answer, "OHLC"), list[wire.CandleRow], "OHLC")
        # The last row is always the one that is still forming.
        candles = [
            parse.candle(row, symbol, interval, closed=number < len(rows)) for number, row in enumerate(rows, start=1)
        ]
        return candles if since is None else [candle for candle in candles if candle.start >= since]

    def place(self, request: OrderRequest) -> Flow[Order]:
        return rest_orders.place(self._context, self._placed, request)

    def cancel(self, order: Order) -> Flow[None]:
        return rest_orders.cancel(self._context, self._placed, order, self._lists.learn)

    def amend(self, order: Order, amendment: Amendment) -> Flow[Order]:
        return rest_changes.amend(self._context, order, amendment)

    def goes_in_batch(self, request: OrderRequest) -> bool:
        return True

    def place_batch(self, requests: Sequence[OrderRequest]) -> Flow[list[Order | ExchangeError]]:
        return rest_changes.place_batch(self._context, self._placed, requests)

    def cancel_batch(self, orders: Sequence[Order]) -> Flow[None]:
        return rest_changes.cancel_batch(self._context, self._placed, orders, self._lists.learn)

    def cancel_all(self) -> Flow[None]:
        return rest_changes.cancel_all()

    def cancel_all_after(self, seconds: int) -> Flow[datetime | None]:
        return rest_changes.cancel_all_after(self._context, seconds)

    def find(self, order: Order) -> Flow[Order | None]:
        return rest_orders.find(self._context, self._placed, order, self._lists.learn)

    def look_up(self, order_id: str) -> Flow[Order | None]:
        return rest_orders.look_up(self._context, order_id, self._lists)

    def open_orders(self) -> Flow[list[Order]]:
        return rest_orders.open_orders(self._context, self._lists)

    def balances(self) -> Flow[list[Balance]]:
        answer: dict[str, msgspec.Raw] = yield _private("BalanceEx", {}, dict[str, msgspec.Raw])
        found: dict[str, wire.Balance] = {}
        spoilt: dict[tuple[str, str], str] = {}
        for name, raw in answer.items():
            try:
                entry = read(raw, wire.Balance, f"balance of {name}")
                parse.amounts(entry)
            except ProtocolError as error:
                self.skipped[f"balance of {name}"] = str(error)
                spoilt[balance_asset(name, self._context.assets)] = f"balance of {name}: {error}"
            else:
                self.skipped.pop(f"balance of {name}", None)
                found[name] = entry
        balances = parse.balances(found, self._context.assets, self._context.venue)
        # Several names may be one asset in one wallet: without one of them the sum is wrong.
        return listed((each for each in balances if (each.asset, each.wallet) not in spoilt), spoilt.values())

    def positions(self) -> Flow[list[Position]]:
        asked = self.account.open_positions(calculate=True)
        found = yield from positions(asked, self._context.symbols, self._lists.learn)
        self._lists.note(each.symbol for each in found)
        return found

    def fills(self, since: datetime | None) -> Flow[list[Fill]]:
        # The start is exclusive and its resolution not documented: ask a second earlier, and cut here.
        start = None if since is None else floor(to_seconds(since)) - 1
        trades: dict[str, msgspec.Raw] = {}
        offset = 0
        while True:
            # Without consolidate_taker=false, fills of one taking order may be merged into one.
            params = {"consolidate_taker": False, "start": start, "ofs": offset or None}
            cost = limits.private(self._context.config.history_cost)
            page: wire.TradesHistory = yield _private("TradesHistory", params, wire.TradesHistory, cost)
            # Newest first: trades made meanwhile move others to later pages, so some come twice and none is missed.
            trades.update(page.trades)
            offset += len(page.trades)
            if since is None or not page.trades or (page.count is not None and offset >= page.count):
                break
        yield from self._lists.learn(pairs_of(trades.values()))
        found, unreadable = self._fills_of(trades)
        self._lists.note(fill.symbol for fill in found)
        wanted = (fill for fill in found if since is None or fill.time >= since)
        return listed(sorted(wanted, key=lambda fill: (fill.time, fill.id)), unreadable)

    def _fills_of(self, trades: Mapping[str, msgspec.Raw]) -> tuple[list[Fill], list[str]]:
        """Return what can be read, and what is wrong with the rest."""
        found: list[Fill] = []
        unreadable: list[str] = []
        for trade_id, raw in trades.items():
            try:
                record = read(raw, wire.Trade, f"trade {trade_id}")
                found.append(parse.fill(trade_id, record, self._context.symbols, self._context.venue))
            except ExchangeError as error:
                self.skipped[f"trade {trade_id}"] = str(error)
                unreadable.append(f"trade {trade_id}: {error}")
            else:
                self.skipped.pop(f"trade {trade_id}", None)
        return found, unreadable

    def fees(self, symbol: Symbol) -> Flow[FeeRates | None]:
        pair = self._context.symbols.venue_id(symbol)
        if is_tokenized(self._context, symbol):
            params = {"pair": classed(self._context, [symbol])}
            answer: wire.TradeVolume = yield private("TradeVolume", wire.TradeVolume, params, json=True)
        else:
            answer = yield _private("TradeVolume", {"pair": pair}, wire.TradeVolume)
        return parse.fees(answer, symbol, self._context.symbols)

    def _of_pair(self, name: str, symbol: Symbol, reply: Any, **params: Any) -> RestCall:
        return _public(name, {**pair_params(self._context, symbol), **params}, reply)

    def _history(self, name: str, symbol: Symbol, **params: Any) -> RestCall:
        """Return a call that the venue counts per pair."""
        named = pair_params(self._context, symbol)
        return _public(name, {**named, **params}, dict[str, msgspec.Raw], limits.public(named["pair"]))

    def _refuse(self, parameter: str, why: str) -> NotSupported:
        return NotSupported(f"{self._context.venue}: {parameter}: {why}", venue=self._context.venue)


def _public(name: str, params: Mapping[str, Any], reply: Any, costs: Any = None) -> RestCall:
    return RestCall(method="GET", path=f"/0/public/{name}", params=params, reply=reply, costs=costs or limits.public())


def _private(name: str, params: Mapping[str, Any], reply: Any, costs: Any = None) -> RestCall:
    return RestCall(
        method="POST",
        path=f"/0/private/{name}",
        params=params,
        reply=reply,
        private=True,
        costs=costs or limits.private(),
    )
