"""What was asked for on one connection, and what was answered.

Symbols of one kind go into one request and are answered one by one. A refusal leaves the connection open and silent,
so only the answer tells. A second request for the same thing is refused and brings no snapshot, so asking again is
always an unsubscription and a subscription.
See https://docs.kraken.com/exchange/guides/websockets/introduction
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from exchange_core.connector.spec import VenueContext
from exchange_core.connector.subscriptions import SubscriptionLedger
from exchange_core.errors import ProtocolError
from exchange_core.model.event import Channel, Event, Ignored, Subscribed, Subscription, SubscriptionRefused
from exchange_core.model.symbol import Symbol
from kraken_spot import wire_feed as wire
from kraken_spot.feed_carriers import Carriers

WORDS = {
    Channel.ORDERS: "executions",  # first: on the private host it keeps the connection open
    Channel.BALANCES: "balances",
    Channel.TICKER: "ticker",
    Channel.TRADES: "trade",
    Channel.BOOK: "book",
    Channel.CANDLES: "ohlc",
    Channel.INSTRUMENTS: "instrument",
}
"""The venue's word for a channel. Orders and fills are one; the status comes unasked."""

OPTIONS: Mapping[Channel, Mapping[str, Any]] = {
    Channel.ORDERS: {"snap_orders": True, "snap_trades": True},
    Channel.TICKER: {"snapshot": True},
    Channel.TRADES: {"snapshot": True},
    Channel.BOOK: {"snapshot": True},
    Channel.CANDLES: {"snapshot": True},
    Channel.BALANCES: {"snapshot": True},
    Channel.INSTRUMENTS: {"snapshot": True},
}
"""What only a subscription says."""

TERMS: Mapping[Channel, Mapping[str, Any]] = {
    Channel.TICKER: {"event_trigger": "bbo"},  # best prices as they change, not only when something trades
}
"""What a subscription and its end say alike."""

ATTEMPTS = 3
"""How often something is asked for before its silence, or its strange refusal, counts as a no."""

_ANSWERABLE = 10_000  # how many of the latest requests may still be answered
_ORDER = {channel: number for number, channel in enumerate(WORDS)}
_CODE = re.compile(r"E[A-Z][A-Za-z]+:")


class Conversation:
    """The subscriptions of one connection.

    Attributes:
        outbox: Frames to send.
        broken: Why the connection is of no use any more, or None.
    """

    def __init__(self, context: VenueContext, channels: frozenset[Channel]) -> None:
        self._context = context
        self._carriers = Carriers(context, channels)
        self._ledger = SubscriptionLedger()
        self._requests: dict[int, list[Subscription]] = {}
        self._asked: dict[tuple[str, str | None, int | None], Subscription] = {}
        self._attempts: dict[Subscription, int] = {}
        self._news: list[Event] = []
        self._numbers = 0
        self._token: str | None = None
        self._is_open = False
        self._lost_sessions = 0
        self.outbox: list[str] = []
        self.broken: str | None = None

    # What is wanted.

    def want(self, subscriptions: Iterable[Subscription], now: float) -> None:
        """Ask for more, once there is a connection.

        Raises:
            NotSupported: This connection or the venue has no such thing; then nothing of it is asked for.
            UnknownSymbol: The venue lists no such pair.
        """
        needed = {subscription: self._carriers.needed(subscription) for subscription in subscriptions}
        for subscription in needed:
            if subscription in self._carriers:
                continue
            carrier, replaced = self._carriers.add(subscription, needed[subscription])
            if replaced is not None:
                self._release([replaced])
            self._ledger.want([carrier])
            if self._ledger.is_active(carrier):
                self._news.append(Subscribed(subscription=subscription))
        if self._is_open:
            self._ask(self._ledger.unasked(), now)

    def drop(self, subscriptions: Iterable[Subscription]) -> None:
        """Ask for less."""
        self._release(self._carriers.remove(subscriptions))

    def _release(self, carriers: list[Subscription]) -> None:
        told = self._ledger.drop(carriers)
        if self._is_open and told:
            self._send("unsubscribe", told)

    def wanted(self) -> list[Subscription]:
        return self._carriers.wanted()

    def carried(self) -> list[Subscription]:
        """Return what the venue is asked for."""
        return list(self._ledger)

    def is_active(self, subscription: Subscription) -> bool:
        return self._ledger.is_active(self._carriers.of(subscription))

    def expects_data(self) -> bool:
        """Whether anything was asked for that heartbeats come with."""
        return any(carrier.channel is not Channel.STATUS for carrier in self._ledger)

    # One connection.

    def opened(self, now: float, token: str | None) -> None:
        """Start anew, and ask for all that is wanted."""
        self.closed()
        self._token = token
        self._is_open = True
        self._ask(self._ledger.unasked(), now)

    def closed(self) -> None:
        self._is_open = False
        self._token = None
        self._lost_sessions += self.broken is not None
        self._ledger.reset()
        self._requests.clear()
        self._asked.clear()
        self._attempts.clear()
        self.outbox.clear()
        self.broken = None

    def again(self, carrier: Subscription, now: float) -> None:
        """Ask afresh for something the venue already sends, so that it begins with a snapshot."""
        if self._is_open and carrier in self._ledger:
            self._send("unsubscribe", [carrier])
            self._ask([carrier], now)

    def ping(self) -> None:
        self._queue({"method": "ping", "req_id": self._number()})

    def tick(self, now: float, alive: Iterable[Subscription] = ()) -> list[Event]:
        """Ask again for what was not answered in time. What is *alive* without an answer counts as answered."""
        late = [carrier for carrier in self._ledger.overdue(now) if carrier in self._ledger]
        lively = set(alive)
        for carrier in late:
            if carrier in lively:
                self._ledger.asked([carrier], now)
                self._ledger.acknowledged(carrier)
                self._news += self._yes(carrier)
            elif self._may_try(carrier):
                self.again(carrier, now)
            else:
                self._news += self._no(carrier, f"no answer to {ATTEMPTS} requests", ())
        news, self._news = self._news, []
        return news

    def _ask(self, carriers: Iterable[Subscription], now: float) -> None:
        asked = list(carriers)
        self._ledger.asked(asked, now)
        for carrier in asked:
            if carrier.channel is Channel.STATUS:  # comes unasked
                self._ledger.acknowledged(carrier)
                self._news += self._yes(carrier)
            else:
                self._asked[self._key(carrier)] = carrier
        self._send("subscribe", asked)

    def _key(self, carrier: Subscription) -> tuple[str, str | None, int | None]:
        """Return what answers name a subscription by: channel, pair, and depth or interval."""
        name = None if carrier.symbol is None else self._context.symbols.wire(carrier.symbol)
        return WORDS[carrier.channel], name, carrier.depth or carrier.interval

    def _send(self, method: str, carriers: Iterable[Subscription]) -> None:
        """Queue requests for *carriers*: one for all symbols of a channel with the same options."""
        kinds: dict[Subscription, list[Subscription]] = {}
        for carrier in carriers:
            if carrier.channel is not Channel.STATUS:
                kind = Subscription(carrier.channel, depth=carrier.depth, interval=carrier.interval)
                kinds.setdefault(kind, []).append(carrier)
        for kind in sorted(kinds, key=lambda kind: _ORDER[kind.channel]):
            number = self._number()
            if method == "subscribe":
                self._requests[number] = kinds[kind]
            params = self._params(method, kind, [c.symbol for c in kinds[kind] if c.symbol is not None])
            self._queue({"method": method, "params": params, "req_id": number})

    def _number(self) -> int:
        """Return the next request's number; what was asked for long ago is not answered any more."""
        self._numbers += 1
        self._requests.pop(self._numbers - _ANSWERABLE, None)
        return self._numbers

    def _params(self, method: str, kind: Subscription, symbols: list[Symbol]) -> dict[str, Any]:
        params: dict[str, Any] = {"channel": WORDS[kind.channel]}
        if symbols:
            params["symbol"] = [self._context.symbols.wire(symbol) for symbol in symbols]
        if kind.depth is not None:
            params["depth"] = kind.depth
        if kind.interval is not None:
            params["interval"] = kind.interval
        params |= TERMS.get(kind.channel, {})
        if method == "subscribe":
            params |= OPTIONS[kind.channel]
        if self._token is not None:
            params["token"] = self._token
        return params

    def _queue(self, request: dict[str, Any]) -> None:
        self.outbox.append(msgspec.json.encode(request).decode())

    # Answers.

    def answered(self, response: wire.Response, now: float) -> list[Event]:
        """Take the venue's word on a request.

        Raises:
            ProtocolError: For one that does not read as documented.
        """
        if response.method not in ("subscribe", "unsubscribe"):
            refused = "" if response.success is not False else " refused"
            return [Ignored(kind=f"{response.method:.40}{refused}")]
        if response.success is False or response.error is not None:
            return self._refused(response, now)
        try:
            result = msgspec.convert(response.result, wire.SubscribeResult)
        except msgspec.ValidationError as error:
            raise ProtocolError(f"answer to {response.method}: {error}") from error
        carrier = self._asked.get((result.channel, result.symbol, result.depth or result.interval))
        if response.method == "subscribe" and carrier is not None and self._ledger.acknowledged(carrier):
            return self._yes(carrier)
        return [Ignored(kind=f"{response.method}d {result.channel:.40}")]

    def _refused(self, response: wire.Response, now: float) -> list[Event]:
        reason = response.error or "refused without a reason"
        carriers = [] if response.method == "unsubscribe" else self._refused_carriers(response)
        events: list[Event] = []
        for carrier in carriers:
            if reason.startswith("ESession:Invalid session") and self._lost_sessions < ATTEMPTS:
                self.broken = "the venue does not take the session's token any more"
            elif reason == "Already subscribed" and self._may_try(carrier):
                self.again(carrier, now)
            else:
                events += self._no(carrier, reason, (reason,) if _CODE.match(reason) else ())
        return events or [Ignored(kind=f"{response.method} refused")]

    def _refused_carriers(self, response: wire.Response) -> list[Subscription]:
        """Return what a refusal is about: the symbol it names, else all of its request, else all of its channel."""
        if response.req_id is None and response.channel is None and response.symbol is None:
            return []
        about = self._ledger.waiting()
        if response.req_id is not None:
            asked = set(self._requests.get(response.req_id, ()))
            about = [carrier for carrier in about if carrier in asked]
        if response.symbol is not None:
            about = [carrier for carrier in about if self._key(carrier)[1] == response.symbol]
        elif response.channel is not None:
            about = [carrier for carrier in about if self._key(carrier)[0] == response.channel]
        return about

    def _may_try(self, carrier: Subscription) -> bool:
        self._attempts[carrier] = self._attempts.get(carrier, 1) + 1
        return self._attempts[carrier] <= ATTEMPTS

    def _yes(self, carrier: Subscription) -> list[Event]:
        self._attempts.pop(carrier, None)
        self._lost_sessions = 0
        return [Subscribed(subscription=subscription) for subscription in self._carriers.carried_by(carrier)]

    def _no(self, carrier: Subscription, reason: str, codes: tuple[str, ...]) -> list[Event]:
        self._ledger.refused(carrier)
        refused = self._carriers.refuse(carrier)
        return [SubscriptionRefused(subscription=s, reason=reason, codes=codes) for s in refused]
