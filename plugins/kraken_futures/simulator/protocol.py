"""The simulated venue's front door: which path leads where.

See https://docs.kraken.com/api/docs/guides/futures-introduction
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.saved_state import Room, Rooms
from exchange_core.connector.simulation import SimExchange, SimKey, WireSession
from exchange_core.model.event import VenueState
from exchange_core.model.time import to_rfc3339
from kraken_futures.simulator import codec, limits
from kraken_futures.simulator.access import READ, Gate, levels
from kraken_futures.simulator.codec import Arguments, BadRequest, Body, PlainText, Refused
from kraken_futures.simulator.feed.notices import Notices
from kraken_futures.simulator.feed.session import Session
from kraken_futures.simulator.markets.contracts import Row
from kraken_futures.simulator.past.events import account_id
from kraken_futures.simulator.rest import routes
from kraken_futures.simulator.rest.charts import Charts
from kraken_futures.simulator.rest.history import History
from kraken_futures.simulator.rest.public import Public
from kraken_futures.simulator.rest.routes import Private
from kraken_futures.simulator.rest.trading import read_batch
from kraken_futures.simulator.venue import Venue

_API = "/derivatives/api/v3/"
_OLDER_FUNDING = "/derivatives/api/v4/historicalfundingrates"
_CHARTS = "/api/charts/v1"
# The older version is still answered, and clients in wide use call it.
_HISTORY = ("/api/history/v3/", "/api/history/v2/")
_KEY_CHECK = "/api/auth/v1/api-keys/v3/check"
_READING = ("orders/status", "portfolio-margining/simulate")  # though they are POST
_WS = "/ws/v1"
_UNAUTHORIZED = {"reason": "You are not authorized to access this endpoint.", "status": "unauthorized"}
_BAD_KEY = {"error": "UNAUTHORIZED", "message": "The request could not be authenticated.", "suberror": None}

Fields = dict[str, Any]


class KrakenFutures(Rooms):
    """Speaks Kraken Futures' REST, charts, history and WebSocket v1 on top of an exchange."""

    def __init__(self, exchange: SimExchange, *, limited: bool = False, rows: Mapping[str, Row] | None = None) -> None:
        """Args:
        limited: Whether it refuses who asks too often.
        rows: What a recorded list says of its contracts, by symbol.
        """
        self._limits = limits.Limits(exchange.now, enforced=limited)
        self._venue = venue = Venue.on(exchange, self._limits, rows)
        self._gate = Gate(exchange)
        self._charts = Charts(exchange, venue.contracts, venue.chronicle)
        self._past = History(exchange, venue.contracts, venue.chronicle)
        self._public = Public(exchange, venue.contracts, venue.chronicle)
        self._open = routes.open_calls(self._public)
        self._private = routes.private_calls(venue, self._public)
        self._history = routes.history_calls(self._past)
        self._begun = exchange.now()
        self._rooms: dict[str, Room] = {
            "keys": self._gate,
            "limits": self._limits,
            "orders": venue.desk,
            "money": venue.bank,
            "settings": venue.settings,
            "programs": venue.programs,
            "notices": venue.notices,
            "chronicle": venue.chronicle,
            "feeds": venue.hub,
        }

    @property
    def notices(self) -> Notices:
        """What the venue announces; more can be."""
        return self._venue.notices

    def http(self, request: HttpRequest) -> HttpReply:
        path, _, query = request.target.partition("?")
        self._venue.look()
        try:
            if path.startswith(_API):
                return self._ask(request, path[len(_API) :].strip("/"), query)
            if path == _CHARTS or path.startswith(f"{_CHARTS}/"):
                return self._ask_charts(request, path[len(_CHARTS) :], query)
            if path.startswith(_HISTORY):
                return self._ask_history(request, path[len(_HISTORY[0]) :].strip("/"), query)
            if path == _OLDER_FUNDING and request.method == "GET":
                return self._success(self._public.funding_rates(Arguments(query)))
            if path == _KEY_CHECK and request.method == "GET":
                return self._check_key(request)
            raise codec.not_found()
        except (Refused, BadRequest, PlainText, Body) as refused:
            return refused.reply(self._venue.exchange.now())

    def session(self, path: str) -> WireSession | None:
        if path.partition("?")[0].rstrip("/") != _WS or not self._limits.connect():
            return None
        return Session(self._venue)

    def restarted(self) -> None:
        """The venue's servers begin anew: the market's history does, too, as it is documented; orders stand."""
        self._public.since = self._venue.exchange.now()

    def _ask(self, request: HttpRequest, name: str, query: str) -> HttpReply:
        private = self._private_call(request.method, name)
        if private is not None:
            return self._ask_private(request, name, private, Arguments(query, request.body))
        if request.method != "GET":
            raise codec.not_found()
        given = Arguments(query)
        if name in self._open:
            return self._success(self._open[name](given))
        match name.split("/"):
            case ["tickers", symbol]:
                return self._success(self._public.ticker(given, symbol))
            case ["instruments", symbol, "status"]:
                return self._success(self._public.instrument_status(given, symbol))
        raise codec.not_found()

    def _private_call(self, method: str, name: str) -> Private | None:
        match name.split("/"):
            case ["subaccount", uid, "trading-enabled"] if method in ("GET", "PUT"):
                return routes.of_subaccount(self._venue, method, uid)
        return self._private.get((method, name))

    def _ask_private(self, request: HttpRequest, name: str, private: Private, given: Arguments) -> HttpReply:
        key = self._admit(request, private.level)
        # Open point: what answers in maintenance is not documented, but for this word.
        reads = request.method == "GET" or name in _READING
        if not reads and self._venue.exchange.state is VenueState.MAINTENANCE:
            raise Refused("Unavailable")
        items = len(read_batch(given)) if name == "batchorder" else 0
        self._limits.call(key.account, limits.cost_of(request.method, name, given, items))
        answer = private.run(key.account, given)
        return answer if isinstance(answer, HttpReply) else self._success(answer)

    def _ask_charts(self, request: HttpRequest, path: str, query: str) -> HttpReply:
        if request.method != "GET":
            raise codec.not_found()
        return codec.json_reply(self._charts.answer([part for part in path.split("/") if part], Arguments(query)))

    def _ask_history(self, request: HttpRequest, name: str, query: str) -> HttpReply:
        given = Arguments(query)
        if request.method != "GET":
            raise codec.not_found()
        match name.split("/"):
            case ["market", symbol, ("executions" | "orders" | "price") as what]:
                return self._past.market(symbol, what, given)
        if name not in self._history:
            raise codec.not_found()
        try:
            key = self._admit(request, READ)
        except Refused as refused:
            if refused.word != "authenticationError":
                raise
            return codec.json_reply(_UNAUTHORIZED, 401)
        self._limits.history(key.account, limits.history_cost(name, given))
        return self._history[name](key.account, given)

    def _check_key(self, request: HttpRequest) -> HttpReply:
        """Tell what a key is allowed; any key that signs rightly may ask."""
        try:
            key = self._gate.admit(request, None)
        except Refused:
            return codec.json_reply(_BAD_KEY, 401)
        return codec.json_reply(
            {
                "apiKey": key.api_key,
                "accountUid": account_id(key.account),
                "iiban": None,
                "createdAt": to_rfc3339(self._begun),
                "permissions": levels(key),
                "allowedCidrBlock": None,
                "allowedCidrBlocks": [],
            }
        )

    def _admit(self, request: HttpRequest, level: str) -> SimKey:
        """Return whose call it is; from now on the account's past is written down."""
        key = self._gate.admit(request, level)
        self._venue.chronicle.of(key.account)
        return key

    def _success(self, fields: Fields) -> HttpReply:
        return codec.success(fields, self._venue.exchange.now())
