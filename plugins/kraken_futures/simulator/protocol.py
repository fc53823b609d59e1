"""The simulated venue's front door: which path means what.

See https://docs.kraken.com/api/docs/guides/futures-introduction
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulation import SimExchange, WireSession
from kraken_futures.simulator import codec
from kraken_futures.simulator.access import FULL, READ, Gate
from kraken_futures.simulator.account import Account
from kraken_futures.simulator.charts import Charts
from kraken_futures.simulator.codec import Arguments, BadRequest, PlainText, Refused
from kraken_futures.simulator.contracts import Contracts
from kraken_futures.simulator.history import History
from kraken_futures.simulator.hub import Hub
from kraken_futures.simulator.public import Public
from kraken_futures.simulator.session import Session
from kraken_futures.simulator.trading import Trading
from kraken_futures.simulator.venue import Venue

_API = "/derivatives/api/v3/"
_CHARTS = "/api/charts/v1"
# The older version is still answered, and clients in wide use call it.
_HISTORY = ("/api/history/v3/", "/api/history/v2/")
_WS = "/ws/v1"
_UNAUTHORIZED = {"reason": "You are not authorized to access this endpoint.", "status": "unauthorized"}

Fields = dict[str, Any]


class Private(NamedTuple):
    """A call that needs a key that may read, or one that may do everything."""

    run: Callable[[str, Arguments], Fields]
    level: str


class KrakenFutures:
    """Speaks Kraken Futures' REST, charts, history and WebSocket v1 on top of an exchange."""

    def __init__(self, exchange: SimExchange) -> None:
        contracts = Contracts(exchange)
        self._venue = Venue(exchange=exchange, contracts=contracts, hub=Hub(exchange, contracts))
        self._gate = Gate(exchange)
        self._charts = Charts(exchange, contracts)
        self._history = History(exchange, contracts)
        self._public = Public(exchange, contracts)
        self._open = _open_calls(self._public)
        self._private = _private_calls(self._venue)

    def http(self, request: HttpRequest) -> HttpReply:
        path, _, query = request.target.partition("?")
        try:
            if path.startswith(_API):
                fields = self._ask(request, path[len(_API) :].strip("/"), query)
                return codec.success(fields, self._venue.exchange.now())
            if path == _CHARTS or path.startswith(f"{_CHARTS}/"):
                return self._ask_charts(request, path[len(_CHARTS) :], query)
            if path.startswith(_HISTORY):
                return self._ask_history(request, path[len(_HISTORY[0]) :].strip("/"), query)
            raise codec.not_found()
        except (Refused, BadRequest, PlainText) as refused:
            return refused.reply(self._venue.exchange.now())

    def session(self, path: str) -> WireSession | None:
        return Session(self._venue) if path.partition("?")[0].rstrip("/") == _WS else None

    def _ask(self, request: HttpRequest, name: str, query: str) -> Fields:
        call = (request.method, name)
        private = self._private.get(call)
        if private is not None:
            key = self._gate.admit(request, private.level)
            return private.run(key.account, Arguments(query, request.body))
        if request.method != "GET":
            raise codec.not_found()
        given = Arguments(query)
        if name in self._open:
            return self._open[name](given)
        match name.split("/"):
            case ["tickers", symbol]:
                return self._public.ticker(given, symbol)
            case ["instruments", symbol, "status"]:
                return self._public.instrument_status(given, symbol)
        raise codec.not_found()

    def _ask_charts(self, request: HttpRequest, path: str, query: str) -> HttpReply:
        if request.method != "GET":
            raise codec.not_found()
        return codec.json_reply(self._charts.answer([part for part in path.split("/") if part], Arguments(query)))

    def _ask_history(self, request: HttpRequest, name: str, query: str) -> HttpReply:
        if request.method != "GET":
            raise codec.not_found()
        given = Arguments(query)
        match name.split("/"):
            case ["market", symbol, "executions"]:
                return codec.json_reply(self._history.market_executions(symbol, given))
            case ["executions"]:
                run = self._history.executions
            case ["orders"]:
                run = self._history.orders
            case _:
                raise codec.not_found()
        try:
            key = self._gate.admit(request, READ)
        except Refused as refused:
            if refused.word != "authenticationError":
                raise
            return codec.json_reply(_UNAUTHORIZED, 401)
        return codec.json_reply(run(key.account, given))


def _open_calls(public: Public) -> dict[str, Callable[[Arguments], Fields]]:
    return {
        "instruments": public.instruments,
        "instruments/status": public.instruments_status,
        "tickers": public.tickers,
        "orderbook": public.order_book,
        "history": public.history,
        "feeschedules": public.fee_schedules,
    }


def _private_calls(venue: Venue) -> dict[tuple[str, str], Private]:
    account = Account(venue.exchange, venue.contracts)
    trading = Trading(venue.exchange, venue.contracts, venue.hub)
    return {
        ("GET", "accounts"): Private(account.accounts, READ),
        ("GET", "openpositions"): Private(account.open_positions, READ),
        ("GET", "openorders"): Private(account.open_orders, READ),
        ("GET", "fills"): Private(account.fills, READ),
        ("GET", "leveragepreferences"): Private(account.leverage_preferences, READ),
        ("POST", "sendorder"): Private(trading.send_order, FULL),
        ("POST", "cancelorder"): Private(trading.cancel_order, FULL),
        ("POST", "cancelallorders"): Private(trading.cancel_all, FULL),
        ("POST", "orders/status"): Private(trading.orders_status, FULL),
    }
