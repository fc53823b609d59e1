"""Tidepool's REST side: each operation as a generator that yields calls and receives their decoded answers."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import attrs

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported, OrderNotFound
from exchange_core.model.account import Balance, FeeRates, Position
from exchange_core.model.book import BookSnapshot
from exchange_core.model.fill import Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.number import plain
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import to_millis
from exchange_tidepool import limits, naming, parse, wire

PAGE = 100
"""Fills in one answer."""


class TidepoolRest:
    """What can be asked of the exchange."""

    def __init__(self, context: VenueContext) -> None:
        self._context = context

    def instruments(self) -> Flow[list[Instrument]]:
        return naming.learn((yield _read("/markets", wire.Markets)), self._context)

    def load_instruments(self, body: bytes) -> list[Instrument]:
        return naming.learn(wire.read(body, wire.Markets), self._context)

    def ticker(self, symbol: Symbol) -> Flow[Ticker]:
        return parse.ticker((yield _read(self._market(symbol, "book"), wire.Levels)), symbol)

    def book(self, symbol: Symbol, depth: int | None) -> Flow[BookSnapshot]:
        return parse.book((yield _read(self._market(symbol, "book"), wire.Levels)), symbol, depth)

    def trades(self, symbol: Symbol, limit: int | None) -> Flow[list[Trade]]:
        reply = yield _read(self._market(symbol, "trades"), list[wire.Trade], {"limit": limit})
        return [parse.trade(raw, symbol) for raw in reply]

    def candles(self, symbol: Symbol, interval: int, since: datetime | None) -> Flow[list[Candle]]:
        raise NotSupported(f"{self._context.venue}: the exchange has no candles", venue=self._context.venue)

    def place(self, request: OrderRequest) -> Flow[Order]:
        params = {
            "market": self._context.symbols.venue_id(request.symbol),
            "side": str(request.side),
            "how": naming.how(request, self._context.venue),
            "qty": plain(request.require_quantity()),
            "price": None if request.price is None else plain(request.price),
            "ref": request.client_order_id,
            "until": None if request.deadline is None else to_millis(request.deadline),
        }
        reply = yield RestCall(
            method="POST",
            path="/orders",
            params=params,
            reply=wire.Order,
            private=True,
            changes_state=True,
            json=True,
            costs=limits.CALL,
        )
        return attrs.evolve(parse.order(reply, self._context), request=request)

    def cancel(self, order: Order) -> Flow[None]:
        yield RestCall(
            method="DELETE",
            path=_path(order),
            reply=wire.Order,
            private=True,
            changes_state=True,
            costs=limits.CANCEL,
        )

    def find(self, order: Order) -> Flow[Order | None]:
        try:
            reply = yield _read(_path(order), wire.Order, private=True)
        except OrderNotFound:
            return None
        return parse.order(reply, self._context)

    def open_orders(self) -> Flow[list[Order]]:
        reply = yield _read("/orders", list[wire.Order], private=True)
        return [parse.order(raw, self._context) for raw in reply]

    def balances(self) -> Flow[list[Balance]]:
        reply = yield _read("/balances", list[wire.Balance], private=True)
        return [parse.balance(raw, self._context) for raw in reply]

    def positions(self) -> Flow[list[Position]]:
        yield from ()  # a spot exchange has none, so there is nothing to ask
        return []

    def fills(self, since: datetime | None) -> Flow[list[Fill]]:
        fills: list[Fill] = []
        while True:
            start = None if since is None else to_millis(since)
            params = {"since": start, "skip": None if since is None else len(fills)}
            reply = yield _read("/fills", list[wire.Fill], params, private=True)
            fills += [parse.fill(raw, self._context) for raw in reply]
            if since is None or len(reply) < PAGE:
                return fills

    def fees(self, symbol: Symbol) -> Flow[FeeRates | None]:
        name = self._context.symbols.venue_id(symbol)
        reply = yield _read("/markets", wire.Markets)
        rates = (FeeRates(maker=Decimal(m.maker), taker=Decimal(m.taker)) for m in reply.markets if m.name == name)
        return next(rates, None)

    def _market(self, symbol: Symbol, what: str) -> str:
        return f"/markets/{self._context.symbols.venue_id(symbol)}/{what}"


def _read(path: str, reply: Any, params: Mapping[str, Any] | None = None, private: bool = False) -> RestCall:
    return RestCall(method="GET", path=path, params=params or {}, reply=reply, private=private, costs=limits.CALL)


def _path(order: Order) -> str:
    """Name an order by the exchange's id or, until we know that, by ours."""
    return f"/orders/{quote(order.venue_order_id or order.client_order_id or '', safe='')}"
