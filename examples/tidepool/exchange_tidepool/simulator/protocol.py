"""Tidepool's REST side, as the exchange answers it."""

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulation import Refusal, SimExchange, SimOrder, SimRefused, SimRequest
from exchange_core.errors import BadRequest, ExchangeError, NonceRejected
from exchange_core.model.side import Side
from exchange_core.model.time import from_millis
from exchange_tidepool import auth, naming, wire
from exchange_tidepool.rest import PAGE
from exchange_tidepool.simulator.session import TidepoolSession
from exchange_tidepool.simulator.words import Words, account_of, refusal


class TidepoolProtocol:
    """Answers REST calls, and opens a session for each WebSocket connection."""

    def __init__(self, exchange: SimExchange) -> None:
        self._exchange = exchange
        self._words = Words(exchange)

    def http(self, request: HttpRequest) -> HttpReply:
        try:
            status, answer = 200, self._answer(request)
        except (ExchangeError, ValueError) as error:
            status, answer = 400, refusal(error)
        return HttpReply(status, {"content-type": "application/json"}, wire.write(answer).encode())

    def session(self, path: str) -> TidepoolSession | None:
        return TidepoolSession(self._exchange, self._words) if path == "/stream" else None

    def _answer(self, request: HttpRequest) -> Any:
        path, _, query = request.target.partition("?")
        params = dict(parse_qsl(query))
        words = self._words
        match request.method, [unquote(part) for part in path.strip("/").split("/")]:
            case "GET", ["markets"]:
                return words.markets()
            case "GET", ["markets", name, "book"]:
                return words.levels(words.symbol(name))
            case "GET", ["markets", name, "trades"]:
                trades = self._exchange.trades(words.symbol(name))
                return [words.trade(trade) for trade in trades[-int(params.get("limit", PAGE)) :]]
            case method, parts:
                return self._private(self._account(request), method, parts, params, request.body)

    def _private(self, account: str, method: str, parts: list[str], params: dict[str, str], body: bytes) -> Any:
        words = self._words
        match method, parts:
            case "POST", ["orders"]:
                order = wire.read(body, wire.NewOrder)
                return words.order(self._exchange.place(account, self._request(order)))
            case "GET", ["orders"]:
                return [words.order(order) for order in self._exchange.open_orders(account)]
            case "GET", ["orders", name]:
                return words.order(self._order(account, name))
            case "DELETE", ["orders", name]:
                return words.order(self._exchange.cancel(account, self._order(account, name).id))
            case "GET", ["fills"]:
                fills = [words.fill(fill) for fill in self._exchange.fills(account)]
                if "since" not in params:
                    return fills[-PAGE:]
                skip = int(params.get("skip", 0))
                return [fill for fill in fills if fill.at >= int(params["since"])][skip : skip + PAGE]
            case "GET", ["balances"]:
                return words.balances(account)
        raise BadRequest(f"no {method} /{'/'.join(parts)}")

    def _account(self, request: HttpRequest) -> str:
        headers = {name.lower(): value for name, value in request.headers.items()}
        nonce = headers.get("tide-nonce", "")
        text = auth.signed_text(nonce, request)
        account = account_of(self._exchange, headers.get("tide-key", ""), headers.get("tide-sign", ""), text)
        if not nonce.isdecimal() or not self._exchange.accept_nonce(headers["tide-key"], int(nonce)):
            raise NonceRejected("the nonce is not above the last one", codes=["nonce"])
        return account

    def _order(self, account: str, name: str) -> SimOrder:
        found = self._exchange.order(account, name)
        if found is not None:
            return found
        for order in (*self._exchange.open_orders(account), *self._exchange.closed_orders(account)):
            if order.request.client_order_id == name:
                return order
        raise SimRefused(Refusal.UNKNOWN_ORDER, name)

    def _request(self, order: wire.NewOrder) -> SimRequest:
        kind, time_in_force, post_only = naming.MEANING[order.how]
        return SimRequest(
            symbol=self._words.symbol(order.market),
            side=Side(order.side),
            type=kind,
            quantity=Decimal(order.qty),
            price=None if order.price is None else Decimal(order.price),
            time_in_force=time_in_force,
            post_only=post_only,
            client_order_id=order.ref,
            deadline=None if order.until is None else from_millis(order.until),
        )
