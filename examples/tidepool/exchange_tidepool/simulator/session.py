"""Tidepool's WebSocket side: one connection, seen from the exchange."""

from decimal import Decimal
from typing import Any

from exchange_core.connector.simulation import BookChanged, OrderChanged, SimEvent, SimExchange, Traded
from exchange_core.errors import AuthenticationError, BadRequest, ExchangeError
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import to_millis
from exchange_tidepool import auth, naming, wire
from exchange_tidepool.simulator.words import Words, account_of, refusal

RECENT = 20
"""How many trades and fills a channel starts with."""


class TidepoolSession:
    """A state machine: frames and the exchange's events in, frames out."""

    def __init__(self, exchange: SimExchange, words: Words) -> None:
        self.outbox: list[str] = []
        self._exchange = exchange
        self._words = words
        self._account: str | None = None
        self._challenge = f"{exchange.random.getrandbits(128):032x}"
        self._next: dict[str, int] = {}  # by channel: the number of its next message
        self._changes: dict[Symbol, dict[tuple[Side, Decimal], Decimal]] = {}
        self._next_beat = 0.0
        self._stop_listening = exchange.listen(self._heard)

    def opened(self, now: float) -> None:
        self._send(wire.Hello(self._challenge))

    def closed(self) -> None:
        self._stop_listening()

    def tick(self, now: float) -> None:
        """Send a book's changes together, so that nobody sees half of what one order did; and a beat a second."""
        for symbol, changes in self._changes.items():
            bids, asks = (
                self._words.rows(symbol, [(price, qty) for (side, price), qty in changes.items() if side is wanted])
                for wanted in (Side.BUY, Side.SELL)
            )
            self._push_book(symbol, wire.Levels(bids, asks))
        self._changes.clear()
        if now >= self._next_beat:
            self._next_beat = now + 1
            self._send(wire.Beat(to_millis(self._exchange.now())))

    def receive(self, frame: str, now: float) -> None:
        channel = ""
        try:
            request = wire.read(frame, wire.Request)
            channel = request.ch
            self._do(request)
        except ExchangeError as error:
            no = refusal(error)
            self._send(wire.No(channel, no.code, no.text))

    def _do(self, request: wire.Request) -> None:
        match request.op:
            case "auth":
                text = auth.challenge_text(self._challenge)
                self._account = account_of(self._exchange, request.key, request.sign, text)
            case "sub":
                self._subscribe(request.ch)
            case "unsub":
                self._next.pop(request.ch, None)

    def _subscribe(self, channel: str) -> None:
        kind, _, name = channel.partition(".")
        if channel in naming.PRIVATE and self._account is None:
            raise AuthenticationError(f"{channel} needs a valid signature", codes=["sign"])
        if channel not in naming.PRIVATE and kind not in naming.PUBLIC:
            raise BadRequest(f"no channel {channel}")
        symbol = self._words.symbol(name) if kind in naming.PUBLIC else None
        self._next[channel] = 0
        self._send(wire.Yes(channel))
        words, exchange, account = self._words, self._exchange, self._account or ""
        match kind:
            case "book" if symbol:
                self._changes.pop(symbol, None)
                self._push_book(symbol, words.levels(symbol))
            case "trades" if symbol:
                trades = [words.trade(trade) for trade in exchange.trades(symbol)[-RECENT:]]
                self._push(channel, wire.TradeNews, trades=trades)
            case "orders":
                self._push(channel, wire.OrderNews, orders=[words.order(o) for o in exchange.open_orders(account)])
            case "fills":
                fills = [words.fill(fill) for fill in exchange.fills(account)[-RECENT:]]
                self._push(channel, wire.FillNews, fills=fills)
            case "balances":
                self._push(channel, wire.BalanceNews, balances=words.balances(account))

    def _heard(self, event: SimEvent) -> None:
        words = self._words
        match event:
            case BookChanged():
                self._changes.setdefault(event.symbol, {})[event.side, event.price] = event.quantity
            case Traded(trade=trade):
                self._push(f"trades.{words.name(trade.symbol)}", wire.TradeNews, trades=[words.trade(trade)])
            case OrderChanged(order=order, fill=fill) if order.account == self._account:
                self._push("orders", wire.OrderNews, orders=[words.order(order)])
                if fill is not None:
                    self._push("fills", wire.FillNews, fills=[words.fill(fill)])
                self._push("balances", wire.BalanceNews, balances=words.balances(order.account))

    def _push_book(self, symbol: Symbol, levels: wire.Levels) -> None:
        self._push(
            f"book.{self._words.name(symbol)}",
            wire.BookNews,
            bids=levels.bids,
            asks=levels.asks,
            check=self._words.check(symbol),
            at=to_millis(self._exchange.now()),
        )

    def _push(self, channel: str, kind: type[wire.Message], **fields: Any) -> None:
        """Send news of a channel that is subscribed to; the first of them is all there is."""
        if channel in self._next:
            number = self._next[channel]
            self._next[channel] += 1
            self._send(kind(ch=channel, seq=number, full=number == 0, **fields))

    def _send(self, frame: wire.Frame) -> None:
        self.outbox.append(wire.write(frame))
