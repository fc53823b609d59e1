"""The simulated venue's front door: which path means what.

See https://docs.kraken.com/exchange/guides/rest/introduction
"""

from __future__ import annotations

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.saved_state import Rooms
from exchange_core.connector.simulation import SavedWire, SimExchange, WireSession
from kraken_spot.simulator import codec
from kraken_spot.simulator.access import Door, Tokens, require
from kraken_spot.simulator.bank import Bank
from kraken_spot.simulator.codec import Refused
from kraken_spot.simulator.feed.hub import Hub
from kraken_spot.simulator.feed.session import Session
from kraken_spot.simulator.limits import Limits
from kraken_spot.simulator.markets.listing import Listing
from kraken_spot.simulator.markets.names import Names
from kraken_spot.simulator.orders.desk import Desk
from kraken_spot.simulator.rest.account import Account
from kraken_spot.simulator.rest.earn import Earn
from kraken_spot.simulator.rest.exports import Exports
from kraken_spot.simulator.rest.methods import TRADING, private_methods, public_methods
from kraken_spot.simulator.venue import Host, Venue

_PUBLIC = "/0/public/"
_PRIVATE = "/0/private/"
_HOSTS = {"/v2": Host.PUBLIC, "/auth/v2": Host.AUTH, "/l3/v2": Host.LEVEL3}


class KrakenSpot(Rooms):
    """Speaks Kraken Spot's REST and WebSocket v2 on top of an exchange."""

    def __init__(self, exchange: SimExchange, *, tier: str | None = None, listing: Listing | None = None) -> None:
        """Args:
        tier: Whose limits are enforced: starter, intermediate or pro; None refuses nobody for haste.
        listing: What is listed, in the venue's own words; see :mod:`kraken_spot.simulator.markets.listing`.
        """
        names = Names(exchange, listing)
        hub = Hub(exchange, names)
        limits = Limits(exchange.now, tier or "intermediate", enforced=tier is not None, tiers=exchange.tiers)
        bank = Bank(exchange)
        self._limits = limits
        self._door = Door(exchange, limits)
        self._venue = Venue(
            exchange=exchange,
            names=names,
            hub=hub,
            tokens=Tokens(exchange),
            desk=Desk(exchange, hub, limits),
            limits=limits,
            earn=Earn(exchange, names, hub, bank),
        )
        self._public = public_methods(self._venue)
        account = Account(self._venue, bank, self._door)
        exports = Exports(exchange, account.trade_rows, account.ledger_rows)
        self._private = private_methods(self._venue, account, bank, exports)
        self._rooms: dict[str, SavedWire] = {
            "tokens": self._venue.tokens,
            "keys": self._door,
            "limits": limits,
            "orders": self._venue.desk,
            "money": bank,
            "earn": self._venue.earn,
            "exports": exports,
        }

    def http(self, request: HttpRequest) -> HttpReply:
        path, _, query = request.target.partition("?")
        self._venue.exchange.step()
        try:
            if path.startswith(_PUBLIC):
                return codec.success(self._ask_public(request.method, path[len(_PUBLIC) :], query))
            if path.startswith(_PRIVATE):
                result = self._ask_private(request, path)
                return codec.file(result) if isinstance(result, bytes) else codec.success(result)
        except Refused as refused:
            return codec.failure(refused.code)
        return codec.not_found()

    def session(self, path: str) -> WireSession | None:
        host = _HOSTS.get(path.partition("?")[0])
        # Who connects too often is shut out in front of the API.
        return None if host is None or not self._limits.connect() else Session(self._venue, host)

    def restarted(self) -> None:
        """The venue's servers begin anew: tokens are forgotten, as support says of upgrades; orders stand."""
        self._venue.tokens.forget()

    def _ask_public(self, method: str, name: str, query: str) -> object:
        run = self._public.get(name)
        # POST to public methods went away in January 2024.
        if run is None or method != "GET":
            raise Refused("EGeneral:Unknown method")
        arguments = codec.read_query(query)
        known = self._venue.names.known(arguments.text("pair"))
        self._limits.public(name, "" if known is None else known.id)
        return run(arguments)

    def _ask_private(self, request: HttpRequest, path: str) -> object:
        name = path[len(_PRIVATE) :]
        method = self._private.get(name)
        if method is None:
            raise Refused("EGeneral:Unknown method")
        if request.method != "POST":
            raise Refused("EGeneral:Invalid arguments")
        key, arguments = self._door.admit(request, path)
        self._limits.private(key, name)
        for needs in ((need,) for need in method.needs) if method.all_needed else (method.needs,):
            require(key, needs)
        if name in TRADING:
            self._venue.desk.check_engine()
        self._venue.earn.settle(key.account)
        return method.run(key, arguments)
