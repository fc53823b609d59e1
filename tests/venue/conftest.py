"""A small made-up venue: its plugin, its server in process for REST, and a real loopback socket for its feeds."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import attrs
import httpx
import pluggy
import pytest

from exchange_core import errors, serde
from exchange_core.book.local import LocalBook
from exchange_core.clock import SystemClock
from exchange_core.connector.auth import Credentials
from exchange_core.connector.feed import FeedStats, Question
from exchange_core.connector.limits import Limits
from exchange_core.connector.rest import Flow, HttpReply, HttpRequest, RestCall, SocketCall
from exchange_core.connector.spec import FeedSpec, VenueConfig, VenueContext, VenueSpec
from exchange_core.connector.subscriptions import SubscriptionLedger
from exchange_core.connector.support import TERMS, Support
from exchange_core.errors import ExchangeError, NotSupported, OutcomeUnknown, ProtocolError
from exchange_core.model.account import Balance, FeeRates, Position
from exchange_core.model.amendment import Amendment
from exchange_core.model.asset import Asset
from exchange_core.model.book import BookHealth, BookSnapshot, OrderBook
from exchange_core.model.event import (
    Answered,
    BalancesUpdate,
    BookDesynced,
    Channel,
    Event,
    Ignored,
    LedgerUpdate,
    Notice,
    OpenOrdersSnapshot,
    OrderUpdate,
    PositionsUpdate,
    SequenceGap,
    StatusUpdate,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    Unrecognised,
)
from exchange_core.model.fill import Fill
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.symbol import Symbol
from exchange_core.testing.websocket import LoopbackSocket, Peer
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.resolver import ResolvePolicy
from exchange_core.venue.venue import Surroundings, open_venue

BTC, ETH = Symbol.parse("BTC/USD"), Symbol.parse("ETH/USD")
START = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = {
    kind.__name__: kind
    for kind in (
        *(Trade, Ticker, Candle, Fill, OrderUpdate, OpenOrdersSnapshot, BalancesUpdate, PositionsUpdate),
        *(SequenceGap, StatusUpdate, BookDesynced, LedgerUpdate, Notice, Unrecognised),
    )
}


class FastClock(SystemClock):
    """Real time, but a second of it is short."""

    def __init__(self, times: float = 20.0) -> None:
        self._times = times
        self._start = super().monotonic()

    def monotonic(self) -> float:
        return (super().monotonic() - self._start) * self._times

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._times)


@attrs.frozen(kw_only=True)
class ShopConfig(VenueConfig):
    """Options of the made-up venue."""

    rest_url: str = "https://shop.example"
    ws_url: str = "ws://127.0.0.1:1"


class ShopSigner:
    """Puts the key into a header; there is nothing to prove."""

    needs_nonce = False

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    @property
    def public_key(self) -> str:
        return self._credentials.api_key

    def secrets(self) -> tuple[str, ...]:
        return (self._credentials.api_key, self._credentials.api_secret)

    def sign(self, call: RestCall, nonce: int | None) -> HttpRequest:
        return _request(call)

    def sign_challenge(self, challenge: str) -> str:
        raise NotSupported("the shop has no challenges")


class ShopDialect:
    """JSON both ways; an error is answered with its name."""

    def __init__(self, context: VenueContext) -> None:
        self._venue = context.venue

    def encode(self, call: RestCall) -> HttpRequest:
        return _request(call)

    def decode(self, call: RestCall, reply: HttpReply) -> Any:
        if reply.status >= 500:
            if call.changes_state:
                raise OutcomeUnknown(f"{self._venue}: HTTP {reply.status}")
            raise errors.VenueUnavailable(f"{self._venue}: HTTP {reply.status}")
        body = json.loads(reply.body)
        if isinstance(body, dict) and "error" in body:
            raise getattr(errors, body["error"])(f"{self._venue}: {body['text']}", codes=[body["error"]])
        return body if call.reply is None else serde.structure(body, call.reply)


def _request(call: RestCall) -> HttpRequest:
    return HttpRequest(call.method, call.path, {}, json.dumps(dict(call.params)).encode())


class ShopRest:
    """Its operations."""

    def __init__(self, context: VenueContext) -> None:
        self._context = context

    def instruments(self) -> Flow[list[Instrument]]:
        for code in ("BTC", "ETH", "USD"):
            self._context.assets.add(Asset(code=code, venue_id=f"x{code}", decimals=8))
        found = yield RestCall(method="GET", path="/instruments", reply=list[Instrument])
        for instrument in found:
            self._context.symbols.add(instrument)
        return found

    def load_instruments(self, body: bytes) -> list[Instrument]:
        raise NotSupported("the shop is not replayed")

    def ticker(self, symbol: Symbol) -> Flow[Ticker]:
        return _read("/ticker", Ticker, symbol=str(symbol))

    def book(self, symbol: Symbol, depth: int | None) -> Flow[BookSnapshot]:
        return _read("/book", BookSnapshot, symbol=str(symbol), depth=depth)

    def trades(self, symbol: Symbol, limit: int | None) -> Flow[list[Trade]]:
        return _read("/trades", list[Trade], symbol=str(symbol), limit=limit)

    def candles(self, symbol: Symbol, interval: int, since: datetime | None) -> Flow[list[Candle]]:
        return _read("/candles", list[Candle], symbol=str(symbol), interval=interval)

    def place(self, request: OrderRequest) -> Flow[Order]:
        order = yield RestCall(
            method="POST",
            path="/place",
            params=serde.unstructure(request),
            private=True,
            changes_state=True,
            reply=Order,
        )
        return attrs.evolve(order, venue=self._context.venue)

    def cancel(self, order: Order) -> Flow[None]:
        yield RestCall(method="POST", path="/cancel", params=_ids(order), private=True, changes_state=True)

    def find(self, order: Order) -> Flow[Order | None]:
        return _read("/find", Order | None, **_ids(order))

    def open_orders(self) -> Flow[list[Order]]:
        return _read("/open_orders", list[Order])

    def balances(self) -> Flow[list[Balance]]:
        return _read("/balances", list[Balance])

    def positions(self) -> Flow[list[Position]]:
        return _read("/positions", list[Position])

    def fills(self, since: datetime | None) -> Flow[list[Fill]]:
        return _read("/fills", list[Fill], since=serde.unstructure(since))

    def fees(self, symbol: Symbol) -> Flow[FeeRates | None]:
        return _read("/fees", FeeRates | None, symbol=str(symbol))


class FullRest(ShopRest):
    """A shop that can do with orders all that there is."""

    most_placed, most_cancelled, one_symbol = 3, 4, True

    def amend(self, order: Order, amendment: Amendment) -> Flow[Order]:
        params = {**_ids(order), **serde.unstructure(amendment)}
        changed = yield _write("/amend", Order, **params)
        return changed

    def goes_in_batch(self, request: OrderRequest) -> bool:
        return request.leverage is None

    def place_batch(self, requests: Sequence[OrderRequest]) -> Flow[list[Order | ExchangeError]]:
        answers = yield _write("/place_batch", orders=[serde.unstructure(request) for request in requests])
        return [_order_or_error(answer) for answer in answers]

    def cancel_batch(self, orders: Sequence[Order]) -> Flow[None]:
        yield _write("/cancel_batch", orders=[_ids(order) for order in orders])

    def cancel_all(self) -> Flow[None]:
        yield _write("/cancel_all")

    def cancel_all_after(self, seconds: int) -> Flow[datetime | None]:
        return (yield _write("/cancel_all_after", datetime | None, seconds=seconds))


class OneSymbolRest(FullRest):
    """A shop that takes out all orders of one symbol with one call."""

    def cancel_symbol(self, symbol: Symbol) -> Flow[list[OrderUpdate] | None]:
        return (yield _write("/cancel_symbol", list[OrderUpdate] | None, symbol=str(symbol)))


class LiveRest(FullRest):
    """A shop whose orders go over the private connection too."""

    def place(self, request: OrderRequest) -> Flow[Order]:
        return _live(super().place(request))

    def cancel(self, order: Order) -> Flow[None]:
        return _live(super().cancel(order))

    def amend(self, order: Order, amendment: Amendment) -> Flow[Order]:
        return _live(super().amend(order, amendment))


def _live(flow: Flow[Any]) -> Flow[Any]:
    """Let the first call of *flow* go over the private connection."""
    call = next(flow)
    socket = SocketCall(feed="private", method=call.path, params=call.params)
    answer = yield attrs.evolve(call, socket=socket)
    try:
        flow.send(answer)
    except StopIteration as done:
        return done.value
    raise AssertionError("a flow of one call")


def _write(path: str, reply: Any = None, **params: Any) -> RestCall:
    return RestCall(method="POST", path=path, params=params, private=True, changes_state=True, reply=reply)


def _order_or_error(answer: Any) -> Order | ExchangeError:
    if "error" in answer:
        error: ExchangeError = getattr(errors, answer["error"])(answer["text"])
        return error
    return serde.structure(answer, Order)


def _read(path: str, reply: Any, **params: Any) -> Flow[Any]:
    private = path in ("/find", "/open_orders", "/balances", "/positions", "/fills", "/fees", "/token")
    return (yield RestCall(method="GET", path=path, params=params, reply=reply, private=private))


def _ids(order: Order) -> dict[str, str | None]:
    return {"venue_order_id": order.venue_order_id, "client_order_id": order.client_order_id}


class ShopFeed:
    """Frames are model values as JSON; books come whole."""

    def __init__(self, context: VenueContext, *, private: bool = False) -> None:
        self.stats = FeedStats()
        self._private = private
        self._ledger = SubscriptionLedger()
        self._names: dict[str, Subscription] = {}
        self._books: dict[Symbol, LocalBook[int]] = {}
        self._out: list[str] = []
        self._is_open = False

    def login(self) -> Flow[str] | None:
        return _read("/token", str) if self._private else None

    def opened(self, now: float, credential: str | None = None) -> None:
        self._is_open = True
        self._ledger.reset()
        self._ask(now)

    def receive(self, frame: bytes | str, now: float) -> list[Event]:
        try:
            message = json.loads(frame)
            return self._read(message["kind"], message.get("data"))
        except (ValueError, KeyError, ExchangeError) as error:
            raise ProtocolError(f"shop: {error}") from error

    def _read(self, kind: str, data: Any) -> list[Event]:
        if kind == "ack":
            self._ledger.acknowledged(self._names[data])
            return [Subscribed(subscription=self._names[data])]
        if kind == "nack":
            self._ledger.refused(self._names[data["name"]])
            return [SubscriptionRefused(subscription=self._names[data["name"]], reason=data["reason"])]
        if kind == "heartbeat":
            return [Ignored(kind="heartbeat")]
        if kind == "book":
            return [self._book(data)]
        if kind == "damage":
            symbol = Symbol.of(data)
            self._books[symbol].clear(BookHealth.DESYNCED)
            return [BookDesynced(symbol=symbol, reason="damaged")]
        return [serde.structure(data, KINDS[kind])]

    def _book(self, data: Any) -> OrderBook:
        symbol = Symbol.of(data["symbol"])
        book = self._books.get(symbol)
        if book is None:
            book = self._books[symbol] = LocalBook(
                symbol, price_decimals=0, quantity_decimals=0, quantity=lambda key, value: value
            )
        book.clear(BookHealth.LIVE)
        book.checked += 1
        for ladder, rows in ((book.bids_ladder, data["bids"]), (book.asks_ladder, data["asks"])):
            for price, quantity in rows:
                ladder.put(price, quantity)
        return book.view

    def tick(self, now: float) -> list[Event]:
        return []

    def closed(self, now: float) -> list[Event]:
        self._is_open = False
        self._ledger.reset()
        for book in self._books.values():
            book.clear(BookHealth.STALE)
        return []

    def is_dead(self, now: float) -> str | None:
        return None

    def outbox(self) -> list[str]:
        frames, self._out = self._out, []
        return frames

    def subscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        wanted = list(subscriptions)
        self._names.update({str(s): s for s in wanted})
        self._ledger.want(wanted)
        if self._is_open:
            self._ask(now)

    def unsubscribe(self, subscriptions: Iterable[Subscription], now: float) -> None:
        told = self._ledger.drop(subscriptions)
        if told:
            self._out.append(json.dumps({"unsubscribe": [str(s) for s in told]}))

    def subscriptions(self) -> Iterable[Subscription]:
        return list(self._ledger)

    def is_active(self, subscription: Subscription) -> bool:
        return self._ledger.is_active(subscription)

    def book(self, symbol: Symbol) -> OrderBook | None:
        book = self._books.get(symbol)
        return book.view if book else None

    def _ask(self, now: float) -> None:
        unasked = self._ledger.unasked()
        if unasked:
            self._ledger.asked(unasked, now)
            self._out.append(json.dumps({"subscribe": [str(s) for s in unasked]}))


class LiveFeed(ShopFeed):
    """A feed that carries requests."""

    def __init__(self, context: VenueContext) -> None:
        super().__init__(context, private=True)
        self._calls: dict[int, RestCall] = {}
        self._dialect = ShopDialect(context)

    def can_ask(self) -> bool:
        return self._is_open and any(self._ledger.is_active(wanted) for wanted in self._ledger)

    def ask(self, call: RestCall, now: float) -> Question:
        assert call.socket is not None
        number = len(self._calls) + 1
        self._calls[number] = call
        frame = {"ask": call.socket.method, "number": number, "params": dict(call.socket.params)}
        return Question(number, json.dumps(frame))

    def closed(self, now: float) -> list[Event]:
        self._calls.clear()
        return super().closed(now)

    def _read(self, kind: str, data: Any) -> list[Event]:
        if kind != "answer":
            return super()._read(kind, data)
        call = self._calls[data["number"]]
        try:
            reply = HttpReply(200, {}, json.dumps(data["body"]).encode())
            return [Answered(request_id=data["number"], value=self._dialect.decode(call, reply))]
        except ExchangeError as error:
            return [Answered(request_id=data["number"], error=error)]


def shop_spec(name: str = "shop", **changes: Any) -> VenueSpec:
    public = frozenset({Channel.TICKER, Channel.TRADES, Channel.BOOK, Channel.CANDLES})
    private = frozenset({Channel.ORDERS, Channel.FILLS, Channel.BALANCES, Channel.LEDGER, Channel.NOTICES})
    spec = VenueSpec(
        name=name,
        title="The Shop",
        config=ShopConfig,
        dialect=ShopDialect,
        signer=lambda credentials, _: ShopSigner(credentials),
        limits=lambda config: Limits({}),
        rest=ShopRest,
        feeds=(
            FeedSpec(name="public", url="ws_url", channels=public, make=ShopFeed, frames_per_second=1000),
            FeedSpec(
                name="private",
                url="ws_url",
                channels=private,
                make=lambda context: ShopFeed(context, private=True),
                private=True,
                frames_per_second=1000,
            ),
        ),
        client_order_id=lambda bits: f"c{bits:032x}",
        book_depths=(10, 25, 100),
        support={term: Support.HONOURED for term in TERMS if term != "reduce_only"},
    )
    return attrs.evolve(spec, **changes)


def instrument(symbol: Symbol) -> Instrument:
    return Instrument(
        symbol=symbol,
        venue_id=str(symbol).replace("/", ""),
        tick_size=Decimal("0.5"),
        lot_size=Decimal("0.01"),
        min_quantity=Decimal("0.01"),
    )


class Shop:
    """The server side: answers REST, keeps orders, and talks to whoever connects to its socket.

    Attributes:
        calls: Path and parameters of each request, in order.
        answers: What to do instead, by path, once each: raise an exception, or call a function with the parameters.
        orders: By the venue's id.
        switch: What the dead man's switch was last set to.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, list[Any]] = {}
        self.orders: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.refuses: set[str] = set()
        self.ignores: set[str] = set()
        self.switch: int | None = None
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.frames: asyncio.Queue[tuple[Peer, dict[str, list[str]]]] = asyncio.Queue()
        self.http = httpx.MockTransport(self._handle)
        self.socket = LoopbackSocket(self._serve)

    def paths(self) -> list[str]:
        return [path for path, _ in self.calls]

    def instead(self, path: str, *answers: Any) -> None:
        self.answers.setdefault(path, []).extend(answers)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        path, params = request.url.path, json.loads(request.content or b"{}")
        self.calls.append((path, params))
        scripted = self.answers.get(path)
        try:
            if scripted:
                answer = scripted.pop(0)
                body = answer(params) if callable(answer) else answer
                if asyncio.iscoroutine(body):
                    body = await body
            else:
                body = self.answer(path, params)
            if isinstance(body, httpx.HTTPError | ExchangeError):
                raise body
            if isinstance(body, httpx.Response):
                return body
        except ExchangeError as error:
            body = {"error": type(error).__name__, "text": str(error)}
        return httpx.Response(200, text=json.dumps(serde.unstructure(body)))

    def answer(self, path: str, params: dict[str, Any]) -> Any:
        """Do what an orderly venue does."""
        match path:
            case "/instruments":
                return [instrument(BTC), instrument(ETH)]
            case "/token":
                return "token-1"
            case "/place":
                return self.accept(params)
            case "/cancel":
                return self._cancel(params)
            case "/find":
                return self._known(params)
            case "/open_orders":
                return [order for order in self.orders.values() if not order.is_final]
            case "/fills":
                since = serde.structure(params["since"], datetime) if params["since"] else START
                return [fill for fill in self.fills if fill.time >= since]
            case "/balances":
                return [Balance(asset="USD", total=Decimal("1000"), held=Decimal(0))]
            case "/fees":
                return FeeRates(maker=Decimal("0.001"), taker=Decimal("0.002"))
            case "/book":
                return BookSnapshot(symbol=Symbol.of(params["symbol"]), bids=(), asks=())
            case "/ticker":
                return Ticker(symbol=Symbol.of(params["symbol"]), last=Decimal("100.5"))
            case _:
                return self._answer_of_a_full_shop(path, params)

    def _answer_of_a_full_shop(self, path: str, params: dict[str, Any]) -> Any:
        match path:
            case "/amend":
                return self.amend(params)
            case "/place_batch":
                return [self.accept(order) for order in params["orders"]]
            case "/cancel_batch":
                for ids in params["orders"]:
                    self._end(self._known(ids))
                return None
            case "/cancel_all":
                for order in list(self.orders.values()):
                    self._end(order)
                return None
            case "/cancel_symbol":
                wanted = [order for order in self.orders.values() if str(order.symbol) == params["symbol"]]
                for order in wanted:
                    self._end(order)
                return None
            case "/cancel_all_after":
                self.switch = params["seconds"]
                return START + timedelta(seconds=self.switch) if self.switch else None
            case _:
                return []

    def accept(self, params: dict[str, Any]) -> Order:
        request = serde.structure(params, OrderRequest)
        order = Order(
            request=request,
            status=OrderStatus.OPEN,
            venue_order_id=f"V{len(self.orders) + 1}",
            client_order_id=request.client_order_id,
        )
        self.orders[order.venue_order_id or ""] = order
        return order

    def accept_and_lose_the_answer(self, params: dict[str, Any]) -> httpx.HTTPError:
        self.accept(params)
        return httpx.ReadTimeout("no answer")

    def amend(self, params: dict[str, Any]) -> Order:
        order = self._known(params)
        if order is None or order.is_final:
            raise errors.OrderNotFound("no such open order")
        terms = {name: value for name, value in params.items() if name not in ("venue_order_id", "client_order_id")}
        request = serde.structure(terms, Amendment).applied_to(order.request)
        return self.change(order.venue_order_id or "", request=request)

    def change(self, venue_order_id: str, **changes: Any) -> Order:
        self.orders[venue_order_id] = attrs.evolve(self.orders[venue_order_id], **changes)
        return self.orders[venue_order_id]

    def _known(self, params: dict[str, Any]) -> Order | None:
        for order in self.orders.values():
            if params["venue_order_id"] == order.venue_order_id or (
                params["venue_order_id"] is None and params["client_order_id"] == order.client_order_id
            ):
                return order
        return None

    def _cancel(self, params: dict[str, Any]) -> None:
        order = self._known(params)
        if order is None or order.is_final:
            raise errors.OrderNotFound("no such open order")
        self._end(order)

    def _end(self, order: Order | None) -> None:
        if order is not None and not order.is_final:
            self.change(order.venue_order_id or "", status=OrderStatus.CANCELED, reason="User requested")

    async def _serve(self, peer: Peer) -> None:
        await self.peers.put(peer)
        while True:
            frame = json.loads(await peer.receive())
            if "ask" in frame:
                await self._answer_frame(peer, frame)
                continue
            await self.frames.put((peer, frame))
            for name in frame.get("subscribe", ()):
                if name in self.refuses:
                    await self.say(peer, "nack", {"name": name, "reason": "not for you"})
                elif name not in self.ignores:
                    await self.say(peer, "ack", name)

    async def _answer_frame(self, peer: Peer, frame: dict[str, Any]) -> None:
        """Answer a request as over REST; a scripted answer may be None, for none at all."""
        path, params = frame["ask"], frame["params"]
        self.calls.append((f"live {path}", params))
        scripted = self.answers.get(f"live {path}")
        try:
            body = scripted.pop(0) if scripted else self.answer
            if callable(body):
                body = body(params) if scripted is not None else body(path, params)
            if isinstance(body, ExchangeError):
                raise body
        except ExchangeError as error:
            body = {"error": type(error).__name__, "text": str(error)}
        if body is not None or scripted is None:
            await self.say(peer, "answer", {"number": frame["number"], "body": serde.unstructure(body)})

    async def say(self, peer: Peer, kind: str, data: Any = None) -> None:
        await peer.send(json.dumps({"kind": kind, "data": serde.unstructure(data)}))

    async def tell(self, peer: Peer, *events: Any) -> None:
        for event in events:
            await self.say(peer, type(event).__name__, event)

    async def book(self, peer: Peer, symbol: Symbol, bid: int, ask: int) -> None:
        await self.say(peer, "book", {"symbol": str(symbol), "bids": [[bid, 1]], "asks": [[ask, 1]]})

    async def asked(self) -> tuple[Peer, dict[str, list[str]]]:
        """Return the next frame that a client sent, and who."""
        async with asyncio.timeout(10):
            return await self.frames.get()

    async def peer(self) -> Peer:
        async with asyncio.timeout(10):
            return await self.peers.get()


@pytest.fixture
async def watched() -> AsyncIterator[None]:
    """Run in asyncio's debug mode, and find tasks and sockets that were left behind."""
    asyncio.get_running_loop().set_debug(True)
    before = asyncio.all_tasks()
    yield
    for _ in range(3):
        await asyncio.sleep(0)
    assert not [t for t in asyncio.all_tasks() - before - {asyncio.current_task()} if not t.done()]
    gc.collect()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    async with shop.socket:
        yield shop


@pytest.fixture
def without_feeds() -> VenueSpec:
    """The shop with REST only."""
    return shop_spec(feeds=())


@pytest.fixture
def two_tickers() -> VenueSpec:
    """The shop with a second, lighter feed of tickers."""
    return shop_spec(variants={Channel.TICKER: ("ticker_lite",)})


@pytest.fixture
def full_spec() -> VenueSpec:
    """A shop with REST only that can amend, batch, cancel all and hold a dead man's switch."""
    return shop_spec(feeds=(), rest=FullRest)


@pytest.fixture
def one_symbol_spec() -> VenueSpec:
    """The same, with a call that cancels all orders of one symbol."""
    return shop_spec(feeds=(), rest=OneSymbolRest)


@pytest.fixture
def live_spec() -> VenueSpec:
    """A shop that takes orders over its private connection."""
    spec = shop_spec(rest=LiveRest)
    public, private = spec.feeds
    return attrs.evolve(spec, feeds=(public, attrs.evolve(private, make=LiveFeed)))


MakeVenue = Callable[..., ConnectedVenue]


@pytest.fixture
def make_venue(shop: Shop) -> MakeVenue:
    """Return a function that makes a venue at the shop."""

    def make(
        *,
        spec: VenueSpec | None = None,
        keys: bool = True,
        config: dict[str, Any] | None = None,
        hooks: pluggy.PluginManager | None = None,
        **around: Any,
    ) -> ConnectedVenue:
        settings = ShopConfig(**{"ws_url": shop.socket.url, **(config or {})})
        surroundings = Surroundings(
            **{"clock": FastClock(), "random": Random(1), "http": shop.http, "policy": ResolvePolicy(), **around}
        )
        credentials = Credentials(api_key="key-of-the-shop", api_secret="secret-of-the-shop") if keys else None
        return open_venue(
            spec or shop_spec(), settings, credentials, name="shop", hooks=hooks, surroundings=surroundings
        )

    return make


@pytest.fixture
async def venue(watched: None, make_venue: MakeVenue) -> AsyncIterator[ConnectedVenue]:
    async with make_venue() as opened:
        yield opened
