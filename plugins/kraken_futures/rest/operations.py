"""Kraken Futures' REST side as flows: each yields the calls it wants made and returns values of the model.

See https://docs.kraken.com/api/docs/futures-api/trading/get-instruments and the pages beside it
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import attrs
import msgspec

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import (
    BadRequest,
    ExchangeError,
    InvalidValue,
    NotSupported,
    ProtocolError,
    VenueUnavailable,
)
from exchange_core.model.account import Balance, FeeRates, Position
from exchange_core.model.amendment import Amendment
from exchange_core.model.book import BookSnapshot
from exchange_core.model.event import OrderUpdate
from exchange_core.model.fill import Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Level, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_millis, from_rfc3339, to_millis, to_rfc3339
from kraken_futures import contracts, naming
from kraken_futures.numbers import number, optional
from kraken_futures.parse import feed as parse
from kraken_futures.parse.rows import readable
from kraken_futures.rest import changes as rest_changes
from kraken_futures.rest import ended as rest_ended
from kraken_futures.rest import lookup as rest_lookup
from kraken_futures.rest import named as rest_named
from kraken_futures.rest import orders as rest_orders
from kraken_futures.rest.calls import change, charts, public
from kraken_futures.rest.families import Families
from kraken_futures.rest.lists import AccountLists, partial, readable_tickers
from kraken_futures.wire import common as wire

_RESOLUTIONS = {1: "1m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 240: "4h", 720: "12h", 1440: "1d", 10080: "1w"}
_PAGE = 100  # trades in one answer

_log = logging.getLogger(__name__)


class FuturesRest(Families):
    """The operations of one account.

    Attributes:
        reports: What was odd in the last instrument list, an entry each.
    """

    most_placed, most_cancelled, one_symbol = rest_changes.MOST_PLACED, rest_changes.MOST_CANCELLED, False

    def __init__(self, context: VenueContext) -> None:
        self.reports: list[str] = []
        self._context = context
        self._venue = context.venue
        self._lists = AccountLists(context, self.instruments)

    # --- market data

    def instruments(self) -> Flow[list[Instrument]]:
        listed = yield from self._listed()
        tickers: wire.Tickers = yield public("tickers", wire.Tickers)
        suspended = frozenset(row.symbol.upper() for row in readable_tickers(tickers) if row.suspended)
        instruments = self._take(listed, suspended)
        if not all(self._context.symbols.unlisted.values()):
            yield from self._expired()
        return instruments

    def _listed(self, **more: bool) -> Flow[wire.Instruments]:
        listed: wire.Instruments = yield public("instruments", wire.Instruments, **more)
        if not listed.instruments:
            # Seen during maintenance; it does not mean that nothing is traded.
            raise VenueUnavailable(f"{self._venue}: the instrument list is empty", venue=self._venue)
        return listed

    def _expired(self) -> Flow[None]:
        """Learn of contracts that the account has something in and that are not listed: they may have expired."""
        context = self._context
        try:
            ended = yield from self._listed(expired=True)
            naming.missed(ended.instruments, context.symbols, context.assets)
        except BadRequest as error:
            _log.warning("%s: expired contracts are not told: %s", self._venue, error)
        except ExchangeError as error:
            _log.warning("%s: expired contracts could not be asked for, and will be again: %s", self._venue, error)
            return
        context.symbols.asked_again()

    def load_instruments(self, body: bytes) -> list[Instrument]:
        try:
            listed = msgspec.json.decode(body, type=wire.Instruments)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
            raise ProtocolError(f"{self._venue}: no answer of the instrument list: {problem}") from problem
        return self._take(listed, frozenset())

    def ticker(self, symbol: Symbol) -> Flow[Ticker]:
        instrument = self._context.symbols.instrument(symbol)
        tickers: wire.Tickers = yield public("tickers", wire.Tickers, symbol=instrument.venue_id)
        for row in readable_tickers(tickers):
            if row.symbol.upper() == instrument.venue_id.upper():
                time = from_rfc3339(tickers.server_time) if tickers.server_time else None
                return _ticker(row, instrument, time)
        raise ProtocolError(f"{self._venue}: tickers: the answer has no row of {instrument.venue_id}")

    def book(self, symbol: Symbol, depth: int | None) -> Flow[BookSnapshot]:
        reply: wire.OrderBook = yield public("orderbook", wire.OrderBook, symbol=self._context.symbols.venue_id(symbol))
        sides = reply.order_book
        return BookSnapshot(
            symbol=symbol,
            bids=tuple(sorted(_levels(sides.bids), reverse=True)[:depth]),
            asks=tuple(sorted(_levels(sides.asks))[:depth]),
            time=from_rfc3339(reply.server_time) if reply.server_time else None,
        )

    def trades(self, symbol: Symbol, limit: int | None) -> Flow[list[Trade]]:
        # They reach back seven days, or to the last restart of the venue's engine.
        venue_id = self._context.symbols.venue_id(symbol)
        found: dict[str, Trade] = {}
        before: str | None = None
        while True:
            page: wire.History = yield public("history", wire.History, symbol=venue_id, lastTime=before)
            rows, _ = readable(
                page.history, wire.HistoryTrade, lambda row: _trade(row, symbol), f"{self._venue}: history"
            )
            fresh = [trade for trade in rows if trade.id not in found]
            found.update((trade.id, trade) for trade in fresh)
            if not fresh or len(page.history) < _PAGE or len(found) >= (limit or 0):
                break
            before = to_rfc3339(min(trade.time for trade in found.values()) + timedelta(milliseconds=1))
        # Newest first on the wire; of trades at one time the order is kept.
        oldest_first = list(found.values())[::-1]
        oldest_first.sort(key=lambda trade: trade.time)
        return oldest_first[-limit:] if limit else oldest_first

    def candles(self, symbol: Symbol, interval: int, since: datetime | None) -> Flow[list[Candle]]:
        resolution = _RESOLUTIONS.get(interval)
        if resolution is None:
            raise NotSupported(
                f"{self._venue}: no candles of {interval} minutes; there are {', '.join(map(str, _RESOLUTIONS))}",
                venue=self._venue,
            )
        path = f"trade/{self._context.symbols.venue_id(symbol)}/{resolution}"
        start = None if since is None else to_millis(since) // 1000
        found: dict[datetime, Candle] = {}
        while True:
            page: wire.Candles = yield charts(path, wire.Candles, **{"from": start})
            bars, _ = readable(
                page.candles, wire.Candle, lambda bar: _candle(bar, symbol, interval), f"{self._venue}: {path}"
            )
            fresh = [bar for bar in bars if bar.start not in found]
            found.update((bar.start, bar) for bar in fresh)
            if start is None or not fresh or not page.more_candles:
                break
            start = to_millis(max(found)) // 1000 + interval * 60
        return [attrs.evolve(found[time], closed=time != max(found)) for time in sorted(found)]

    # --- orders

    def place(self, request: OrderRequest) -> Flow[Order]:
        return rest_orders.place(self.orders, request, self._venue)

    def amend(self, order: Order, amendment: Amendment) -> Flow[Order]:
        return rest_changes.amend(self.orders, self._context, order, amendment)

    def goes_in_batch(self, request: OrderRequest) -> bool:
        return rest_changes.goes_in_batch(request)

    def place_batch(self, requests: Sequence[OrderRequest]) -> Flow[list[Order | ExchangeError]]:
        return rest_changes.place_batch(self.orders, self._context, requests)

    def cancel_batch(self, orders: Sequence[Order]) -> Flow[None]:
        return rest_changes.cancel_batch(self.orders, self._context, orders)

    def cancel_all(self) -> Flow[list[OrderUpdate]]:
        return rest_ended.cancel_all(self.orders)

    def cancel_symbol(self, symbol: Symbol) -> Flow[list[OrderUpdate]]:
        return rest_ended.cancel_symbol(self.orders, symbol)

    def cancel_all_after(self, seconds: int) -> Flow[datetime | None]:
        return rest_changes.cancel_all_after(self.orders, seconds)

    def cancel(self, order: Order) -> Flow[None]:
        if order.venue_order_id is None and order.client_order_id is None:
            raise InvalidValue(f"{self._venue}: cancel: the order has neither the venue's id nor ours")
        by_theirs = order.venue_order_id is not None
        params = {"order_id": order.venue_order_id} if by_theirs else {"cliOrdId": order.client_order_id}
        reply: wire.CancelOrder = yield change("cancelorder", wire.CancelOrder, params, urgent=True)
        rest_orders.canceled(order, reply.cancel_status, self._venue)

    def find(self, order: Order) -> Flow[Order | None]:
        return (yield from rest_lookup.find(order, self._context, self._lists.open_orders, self._lists.fills))

    def look_up(self, order_id: str) -> Flow[Order | None]:
        return (yield from rest_named.look_up(order_id, self._context, self.history, self.find))

    def open_orders(self) -> Flow[list[Order]]:
        return partial("order", (yield from self._lists.open_orders()))

    # --- account

    def balances(self) -> Flow[list[Balance]]:
        return self._lists.balances()

    def positions(self) -> Flow[list[Position]]:
        return self._lists.positions()

    def fills(self, since: datetime | None) -> Flow[list[Fill]]:
        """Return our executions, without their fees, which only the feed tells."""
        return partial("fill", (yield from self._lists.fills(since)))

    def fees(self, symbol: Symbol) -> Flow[FeeRates | None]:
        # The venue's own fee schedules are not what it charges since June 2026; the rates are told to Spot
        # keys only.
        yield from ()
        maker, taker = self._context.config.maker_fee, self._context.config.taker_fee
        return None if maker is None or taker is None else FeeRates(maker=maker, taker=taker)

    # --- helpers

    def _take(self, listed: wire.Instruments, suspended: frozenset[str]) -> list[Instrument]:
        context = self._context
        instruments, self.reports = naming.load(listed.instruments, suspended, context.symbols, context.assets)
        if self.reports:
            _log.warning("%s: instruments: %d odd entries: %s", self._venue, len(self.reports), "; ".join(self.reports))
        return instruments


def _ticker(raw: wire.Ticker, instrument: Instrument, time: datetime | None) -> Ticker:
    index = optional(raw.index_price, "indexPrice")

    def relative(absolute: Decimal | None) -> Decimal | None:
        if absolute is None or index is None or index <= 0:
            return None
        return contracts.relative_funding(instrument.is_inverse, absolute, index)

    return Ticker(
        symbol=instrument.symbol,
        bid=optional(raw.bid, "bid"),
        bid_quantity=optional(raw.bid_size, "bidSize"),
        ask=optional(raw.ask, "ask"),
        ask_quantity=optional(raw.ask_size, "askSize"),
        last=optional(raw.last, "last"),
        low=optional(raw.low24h, "low24h"),
        high=optional(raw.high24h, "high24h"),
        volume=optional(raw.vol24h, "vol24h"),
        mark_price=optional(raw.mark_price, "markPrice"),
        index_price=index,
        funding_rate=relative(optional(raw.funding_rate, "fundingRate")),
        next_funding_rate=relative(optional(raw.funding_rate_prediction, "fundingRatePrediction")),
        open_interest=optional(raw.open_interest, "openInterest"),
        time=time,
    )


def _levels(rows: Iterable[tuple[Decimal, Decimal]]) -> list[Level]:
    levels = (Level(number(price, "price"), number(size, "size")) for price, size in rows)
    return [level for level in levels if level.quantity > 0]


def _trade(raw: wire.HistoryTrade, symbol: Symbol) -> Trade:
    return Trade(
        symbol=symbol,
        id=raw.uid,
        side=parse.side(raw.side),
        price=number(raw.price, "price"),
        quantity=number(raw.size, "size"),
        time=from_rfc3339(raw.time),
        kind=parse.trade_kind(raw.type),
    )


def _candle(raw: wire.Candle, symbol: Symbol, interval: int) -> Candle:
    return Candle(
        symbol=symbol,
        interval=interval,
        start=from_millis(raw.time),
        open=number(raw.open, "open"),
        high=number(raw.high, "high"),
        low=number(raw.low, "low"),
        close=number(raw.close, "close"),
        volume=number(raw.volume, "volume"),
    )
