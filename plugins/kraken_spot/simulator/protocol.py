"""The simulated venue's front door: which path means what.

See https://docs.kraken.com/exchange/guides/rest/introduction
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulation import SimExchange, SimKey, WireSession
from kraken_spot.simulator import codec
from kraken_spot.simulator.access import Tokens, admit, require
from kraken_spot.simulator.account import Account
from kraken_spot.simulator.codec import Arguments, Refused
from kraken_spot.simulator.desk import Desk
from kraken_spot.simulator.hub import Hub
from kraken_spot.simulator.names import Names
from kraken_spot.simulator.public import Public
from kraken_spot.simulator.rest_orders import RestOrders
from kraken_spot.simulator.session import Session
from kraken_spot.simulator.venue import Host, Venue

_PUBLIC = "/0/public/"
_PRIVATE = "/0/private/"
_HOSTS = {"/v2": Host.PUBLIC, "/auth/v2": Host.AUTH, "/l3/v2": Host.LEVEL3}


class Method(NamedTuple):
    """A private method and the permissions of which one is needed."""

    run: Callable[[SimKey, Arguments], object]
    needs: tuple[str, ...] = ()


class KrakenSpot:
    """Speaks Kraken Spot's REST and WebSocket v2 on top of an exchange."""

    def __init__(self, exchange: SimExchange) -> None:
        names = Names(exchange)
        hub = Hub(exchange, names)
        self._venue = Venue(exchange=exchange, names=names, hub=hub, tokens=Tokens(exchange), desk=Desk(exchange, hub))
        self._public = _public_methods(self._venue)
        self._private = _private_methods(self._venue)

    def http(self, request: HttpRequest) -> HttpReply:
        path, _, query = request.target.partition("?")
        try:
            if path.startswith(_PUBLIC):
                return codec.success(self._ask_public(request.method, path[len(_PUBLIC) :], query))
            if path.startswith(_PRIVATE):
                return codec.success(self._ask_private(request, path))
        except Refused as refused:
            return codec.failure(refused.code)
        return codec.not_found()

    def session(self, path: str) -> WireSession | None:
        host = _HOSTS.get(path.partition("?")[0])
        return None if host is None else Session(self._venue, host)

    def _ask_public(self, method: str, name: str, query: str) -> object:
        run = self._public.get(name)
        # POST to public methods went away in January 2024.
        if run is None or method != "GET":
            raise Refused("EGeneral:Unknown method")
        return run(codec.read_query(query))

    def _ask_private(self, request: HttpRequest, path: str) -> object:
        method = self._private.get(path[len(_PRIVATE) :])
        if method is None:
            raise Refused("EGeneral:Unknown method")
        if request.method != "POST":
            raise Refused("EGeneral:Invalid arguments")
        key, arguments = admit(self._venue.exchange, request, path)
        require(key, method.needs)
        return method.run(key, arguments)


def _public_methods(venue: Venue) -> dict[str, Callable[[Arguments], object]]:
    public = Public(venue.exchange, venue.names, venue.hub)
    return {
        "Time": public.time,
        "SystemStatus": public.system_status,
        "Assets": public.assets,
        "AssetPairs": public.asset_pairs,
        "Ticker": public.ticker,
        "OHLC": public.ohlc,
        "Depth": public.depth,
        "Trades": public.trades,
        "Spread": public.spread,
    }


def _private_methods(venue: Venue) -> dict[str, Method]:
    account = Account(venue.exchange, venue.names, venue.hub, venue.desk, venue.tokens)
    orders = RestOrders(venue.exchange, venue.names, venue.desk)
    funds, ledger = ("query-funds",), ("query-ledger",)
    opened, closed = ("query-open-trades",), ("query-closed-trades",)
    cancels = ("modify-trades", "close-trades")
    return {
        "Balance": Method(account.balance, funds),
        "BalanceEx": Method(account.balance_ex, funds),
        "TradeBalance": Method(account.trade_balance, opened),
        "TradeVolume": Method(account.trade_volume, funds),
        "OpenOrders": Method(account.open_orders, opened),
        "ClosedOrders": Method(account.closed_orders, closed),
        "QueryOrders": Method(account.query_orders, opened + closed),
        "TradesHistory": Method(account.trades_history, closed),
        "QueryTrades": Method(account.query_trades, closed),
        "Ledgers": Method(account.ledgers, ledger),
        "QueryLedgers": Method(account.query_ledgers, ledger),
        "AddOrder": Method(orders.add_order, ("modify-trades",)),
        "CancelOrder": Method(orders.cancel_order, cancels),
        "CancelAll": Method(orders.cancel_all, cancels),
        "GetWebSocketsToken": Method(account.websockets_token, ("create-ws-token",)),
    }
