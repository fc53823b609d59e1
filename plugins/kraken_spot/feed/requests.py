"""What was asked for on one connection, and what was answered.

Symbols of one kind go into one request and are answered one by one. A refusal leaves the connection open and silent,
so only the answer tells. A second request for the same thing is refused and brings no snapshot, so asking again is
always an unsubscription and a subscription; many at a time share their requests, and all keep to a pace.

Only an answer that finds fault with the request is a no. After silence, a lost session, or what the venue cannot do
just then, it is asked for ever more slowly, on a new connection where this one may be at fault.
See https://docs.kraken.com/exchange/guides/websockets/introduction
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import msgspec

from exchange_core.connector.spec import VenueContext
from exchange_core.connector.subscriptions import SubscriptionLedger
from exchange_core.errors import ProtocolError
from exchange_core.model.event import (
    Channel,
    Event,
    Ignored,
    LockoutTold,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    SubscriptionUnanswered,
)
from kraken_spot.errors import lockout_of
from kraken_spot.feed import words
from kraken_spot.feed.carriers import Carriers
from kraken_spot.feed.counts import tiers
from kraken_spot.feed.pace import MOST_AT_ONCE, RequestPace
from kraken_spot.feed.patience import ATTEMPTS, Patience
from kraken_spot.wire import feed as wire

_ANSWERABLE = 10_000  # how many of the latest requests may still be answered
_ACCOUNT = frozenset({Channel.ORDERS, Channel.BALANCES})


class Conversation:
    """The subscriptions of one connection.

    Args:
        most_symbols: Pairs that one connection may have books by order of.
        pace: How fast it may ask.

    Attributes:
        outbox: Frames to send.
        broken: Why the connection is of no use any more, or None.
    """

    def __init__(
        self,
        context: VenueContext,
        channels: frozenset[Channel],
        *,
        most_symbols: int | None = None,
        pace: RequestPace | None = None,
    ) -> None:
        self._context = context
        self._carriers = Carriers(context, channels, most_symbols)
        self._ledger = SubscriptionLedger()
        self._pace = pace or RequestPace()
        self._requests: dict[int, list[Subscription]] = {}
        self._latest: dict[Subscription, int] = {}
        self._patience = Patience()
        self._afresh: set[Subscription] = set()  # to be asked for again; the venue may still send them
        self._news: list[Event] = []
        self._numbers = 0
        self._token: str | None = None
        self._is_open = False
        self.outbox: list[str] = []
        self.broken: str | None = None

    # What is wanted.

    def want(self, subscriptions: Iterable[Subscription], now: float) -> None:
        """Ask for more, once there is a connection.

        Raises:
            NotSupported: This connection or the venue has no such thing; then nothing of it is asked for.
            UnknownSymbol: The venue lists no such pair.
        """
        needed = self._carriers.admit(subscriptions)
        for subscription in needed:
            if subscription in self._carriers:
                continue
            carrier, replaced = self._carriers.add(subscription, needed[subscription])
            if replaced is not None:
                self._release([replaced])
            self._ledger.want([carrier])
            if self._ledger.is_active(carrier):
                self._news.append(Subscribed(subscription=subscription))
        self._serve(now)

    def drop(self, subscriptions: Iterable[Subscription]) -> None:
        """Ask for less."""
        self._release(self._carriers.remove(subscriptions))

    def _release(self, carriers: Iterable[Subscription]) -> None:
        gone = list(carriers)
        told = set(self._ledger.drop(gone)) | self._afresh.intersection(gone)
        self._afresh.difference_update(gone)
        for carrier in gone:
            self._latest.pop(carrier, None)
            self._patience.forget(carrier)
        if self._is_open:
            self._end([carrier for carrier in gone if carrier in told])

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
        self._serve(now)

    def closed(self) -> None:
        self._is_open = False
        self._token = None
        self._ledger.reset()
        for memory in (self._requests, self._latest, self._patience):
            memory.clear()
        self._afresh.clear()
        self.outbox.clear()
        self.broken = None

    def again(self, carriers: Iterable[Subscription], now: float) -> None:
        """Ask afresh for what the venue already sends, so that it begins with a snapshot."""
        if not self._is_open:
            return
        for carrier in carriers:
            if carrier in self._ledger:
                self._ledger.again(carrier)
                self._afresh.add(carrier)
        self._serve(now)

    def ping(self) -> None:
        self._queue({"method": "ping", "req_id": self.number()})

    def too_fast(self, now: float) -> None:
        """Take it that requests were passed over for being too many; they will be asked for again."""
        self._pace.requests.stop(now)

    def tick(self, now: float, alive: Iterable[Subscription] = (), probed: Container[Subscription] = ()) -> list[Event]:
        """Ask for what had to wait, and again for what was not answered in time.

        Args:
            alive: What counts as answered without an answer, since it evidently works.
            probed: What was silent, and asked for again; without an answer to that the connection is broken.
        """
        lively = set(alive)
        for carrier in [carrier for carrier in self._ledger.overdue(now) if carrier in self._ledger]:
            if carrier in probed:
                self.broken = f"{carrier} fell silent, and was not answered when it was asked for again"
            elif carrier in lively:
                self._ledger.asked([carrier], now)
                self._ledger.acknowledged(carrier)
                self._news += self._yes(carrier)
            else:
                self._afresh.add(carrier)
                self._news += self._in_vain(carrier, "no answer", is_heard=False)
        self._serve(now)
        news, self._news = self._news, []
        return news

    def _serve(self, now: float) -> None:
        """Ask for what is due, as far as the pace allows; the rest waits for the next tick."""
        if not self._is_open or self.broken is not None or not self._pace.is_free(now):
            return
        due = []
        for carrier in self._ledger.unasked():
            if carrier.channel is Channel.STATUS:  # comes unasked
                self._ledger.asked([carrier], now)
                self._ledger.acknowledged(carrier)
                self._news += self._yes(carrier)
            elif self._patience.is_over(carrier, now):
                due.append(carrier)
        for kind in words.kinds(due):
            while kind:
                fitting = self._pace.fitting(kind, self._afresh, now)
                if not fitting:
                    return
                kind = kind[len(fitting) :]
                self._ask(fitting, now)

    def _ask(self, carriers: list[Subscription], now: float) -> None:
        afresh = [carrier for carrier in carriers if carrier in self._afresh]
        self._afresh.difference_update(afresh)
        self._end(afresh)
        number = self.number()
        self._requests[number] = carriers
        self._latest.update(dict.fromkeys(carriers, number))
        for carrier in carriers:
            self._ledger.asked([carrier], now + self._patience.more(carrier))
        self._request("subscribe", carriers, number)
        self._pace.spend(carriers, 1 + bool(afresh), now)

    def _end(self, carriers: Iterable[Subscription]) -> None:
        for kind in words.kinds(carrier for carrier in carriers if carrier.channel is not Channel.STATUS):
            for start in range(0, len(kind), MOST_AT_ONCE):
                self._request("unsubscribe", kind[start : start + MOST_AT_ONCE], self.number())

    def _request(self, method: str, carriers: list[Subscription], number: int) -> None:
        params = words.parameters(method, carriers, self._context.symbols, tokenized=self._context.config.tokenized)
        if self._token is not None:
            params["token"] = self._token
        self._queue({"method": method, "params": params, "req_id": number})

    def number(self) -> int:
        """Return the next request's number; what was asked for long ago is not answered any more."""
        self._numbers += 1
        self._requests.pop(self._numbers - _ANSWERABLE, None)
        return self._numbers

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
        if response.method == "subscribe":
            for carrier in self._acknowledged(response, result):
                differs = words.difference(carrier, result)
                if differs is not None:
                    self._end([words.as_echoed(carrier, result)])
                    return self._no(carrier, f"the venue acknowledged {differs}", ())
                self._ledger.acknowledged(carrier)
                return [*self._yes(carrier), *tiers(result.maxratecount)]
        return [Ignored(kind=f"{response.method}d {result.channel:.40}")]

    def _acknowledged(self, response: wire.Response, result: wire.SubscribeResult) -> list[Subscription]:
        """Return what an acknowledgement is about: nothing, when that was not asked for, or asked for again since."""
        about = [
            carrier
            for carrier in self._about(response)
            if words.WORDS[carrier.channel] == result.channel and self._name(carrier) == result.symbol
        ]
        if response.req_id is None or len(about) > 1:
            # All that can be told is what it says; an interval must be, for one pair may have several.
            about = [carrier for carrier in about if words.difference(carrier, result) is None]
            if any(carrier.interval != result.interval for carrier in about):
                return []
        return about[:1]

    def _about(self, response: wire.Response) -> list[Subscription]:
        """Return what was asked for with the request that is answered, and is still waiting for an answer."""
        waiting = self._ledger.waiting()
        if response.req_id is None:
            return waiting
        asked = set(self._requests.get(response.req_id, ()))
        return [c for c in waiting if c in asked and self._latest.get(c) == response.req_id]

    def _refused(self, response: wire.Response, now: float) -> list[Event]:
        reason = response.error or "refused without a reason"
        carriers = [] if response.method == "unsubscribe" else self._refused_carriers(response)
        lockout = lockout_of(reason, self._context.venue)
        events: list[Event] = [] if lockout is None else [LockoutTold(error=lockout)]
        if events and self._token is not None:
            # What is wanted stays wanted: the next connection needs a token, for which it waits until that is over.
            self.broken = reason
            return events
        for carrier in carriers:
            if self._token is not None and words.LOST_SESSION.match(reason):
                self.broken = "the venue does not take the session's token any more"
            elif reason == "Already subscribed":
                events += self._in_vain(carrier, reason, is_heard=False)
                self._patience.pause(carrier, now, ATTEMPTS)
                self.again([carrier], now)
            elif lockout is not None or words.is_passing(reason):
                events += self._in_vain(carrier, reason, is_heard=True)
                self._patience.pause(carrier, now, 1, lockout.retry_after if lockout is not None else None)
                self._ledger.again(carrier)
            else:
                events += self._no(carrier, reason, words.codes(reason))
        return events or [Ignored(kind=f"{response.method} refused")]

    def _in_vain(self, carrier: Subscription, why: str, *, is_heard: bool) -> list[Event]:
        """Take it that asking came to nothing; where it is not even heard, the connection may be at fault."""
        attempts = self._patience.failed(carrier)
        works = (c for c in self._ledger if c.channel is not Channel.STATUS and self._ledger.is_active(c))
        if attempts >= ATTEMPTS and not is_heard and (carrier.channel in _ACCOUNT or not any(works)):
            # Nothing that works is lost with the connection, or less than this silence may cost.
            self.broken = f"{carrier}: {why} to {attempts} requests"
        if attempts != ATTEMPTS:
            return []
        told = f"{why} to {attempts} requests; it is asked for again and again"
        return [SubscriptionUnanswered(subscription=each, reason=told) for each in self._carriers.carried_by(carrier)]

    def _refused_carriers(self, response: wire.Response) -> list[Subscription]:
        """Return what a refusal is about: the symbol it names, else all of its request, else all of its channel."""
        about = self._about(response)
        if response.symbol is not None:
            return [carrier for carrier in about if self._name(carrier) == response.symbol]
        # Some refusals name the pair in their text alone. One bad pair is no reason to give up the others.
        said = set((response.error or "").split())
        named = [carrier for carrier in about if self._name(carrier) in said]
        if named:
            return named
        if response.channel is not None:
            return [carrier for carrier in about if words.WORDS[carrier.channel] == response.channel]
        return [] if response.req_id is None else about

    def _name(self, carrier: Subscription) -> str | None:
        return words.name_of(carrier, self._context.symbols)

    def _yes(self, carrier: Subscription) -> list[Event]:
        self._patience.forget(carrier)
        return [Subscribed(subscription=subscription) for subscription in self._carriers.carried_by(carrier)]

    def _no(self, carrier: Subscription, reason: str, codes: tuple[str, ...]) -> list[Event]:
        refused = self._carriers.refuse(carrier)
        self._ledger.refused(carrier)
        self._patience.forget(carrier)
        self._afresh.discard(carrier)
        return [SubscriptionRefused(subscription=s, reason=reason, codes=codes) for s in refused]
