"""Which feeds of one connection are wanted, how they are asked for, and what the server says to that.

See https://docs.kraken.com/api/docs/guides/futures-websockets
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import attrs
import msgspec

from exchange_core.connector.spec import VenueContext
from exchange_core.connector.subscriptions import SubscriptionLedger
from exchange_core.model.event import (
    Channel,
    Event,
    Events,
    Ignored,
    Subscribed,
    Subscription,
    SubscriptionRefused,
    SubscriptionUnanswered,
)
from kraken_futures.feed import conversation as feed_conversation
from kraken_futures.feed.conversation import CHALLENGE, SUBSCRIBE, TRIES, UNSUBSCRIBE, Conversation, Request
from kraken_futures.feed.silence import Key, Silence
from kraken_futures.feed.topics import VARIANTS as VARIANTS
from kraken_futures.feed.topics import feed_and_product
from kraken_futures.wire import feed as wire

PATIENCE = 10.0

_HEARTBEAT = "heartbeat"
# Of alerts, as they were recorded; they have no code.
_ALREADY = "Already subscribed"
_NOT_AUTHENTICATED = "authenticated feed"
_NOT_READ = "Json Error"
# Of what the venue cannot do just then. No such text is documented.
_PASSING = re.compile(r"unavailable|maintenance|rate limit|limit exceeded|too many|internal error", re.IGNORECASE)
_OWN = frozenset({"open_orders", "open_orders_verbose", "fills"})


@attrs.define
class _Topic:
    """A feed of a product (or of the account) and who wants it: books of two depths are one feed."""

    feed: str
    product: str
    wanted_by: dict[Subscription, None] = attrs.field(factory=dict)


class Subscriber:
    """Asks for feeds, one request at a time, and again where need be.

    Attributes:
        outbox: Frames to send, in order.
        silence: Watches what was acknowledged.
        broken: Why the connection is of no use any more, or None.
    """

    def __init__(self, context: VenueContext, channels: Mapping[Channel, str], *, private: bool) -> None:
        self.outbox: list[str] = []
        self.broken: str | None = None
        self.silence = Silence(context.config.quiet_after, PATIENCE)
        self._context = context
        self._channels = channels
        self._is_private = private
        self._ledger = SubscriptionLedger(PATIENCE)
        self._topics: dict[Key, _Topic] = {}
        self._talk = Conversation(PATIENCE)
        self._is_open = False
        self._challenge: str | None = None
        self._signed: str | None = None
        self._asked_beside = float("-inf")
        self._beat_asked = False
        self._joined: list[Event] = []

    def opened(self, now: float) -> None:
        """Ask for all that is wanted, on a connection that knows nothing yet."""
        self.closed()
        self._is_open = True
        self._beat_asked = False
        self._ask_for_unasked(now)

    def closed(self) -> None:
        self._is_open = False
        self.broken = None
        self._challenge = self._signed = None  # a challenge is worth nothing on another connection
        self._talk.reset()
        self._ledger.reset()
        self.silence.reset()
        self.outbox.clear()
        self._joined.clear()

    def want(self, subscriptions: Iterable[Subscription], now: float) -> None:
        topics = [
            (each, feed_and_product(each, self._context, self._channels, private=self._is_private))
            for each in subscriptions
        ]
        for subscription, (feed, product) in topics:
            topic = self._topics.setdefault(Key(feed, product.upper()), _Topic(feed, product))
            topic.wanted_by[subscription] = None
        self._ledger.want(subscription for subscription, _ in topics)
        self._ask_for_unasked(now)

    def drop(self, subscriptions: Iterable[Subscription], now: float) -> Iterator[tuple[str, str]]:
        """Stop wanting; yield feed and product of what nobody wants any more."""
        for subscription in dict.fromkeys(subscriptions):
            if subscription in self._ledger:
                told = self._ledger.drop([subscription])
                yield from self._leave(subscription, tell=bool(told))
        self._pump(now)

    def subscriptions(self) -> Iterator[Subscription]:
        return iter(self._ledger)

    def is_active(self, subscription: Subscription) -> bool:
        return self._ledger.is_active(subscription)

    def ask_again(self, feed: str, product: str, now: float) -> bool:
        """End and begin one feed at once, beside the conversation; return whether that could be sent."""
        if not self._is_open:
            return False
        for event in (UNSUBSCRIBE, SUBSCRIBE):
            self._send(Request(event, feed, (product,)))
        topic = self._topics.get(Key(feed, product.upper()))
        if topic is not None:
            self._ledger.asked(topic.wanted_by, now)
        self._asked_beside = now
        return True

    def ask_for_silent(self, now: float) -> None:
        """Ask again for what has been silent for long, or is known to lack something. They stay active meanwhile."""
        due = self.silence.due(now) if self._is_open else []
        for feed in dict.fromkeys(key.feed for key in due):
            topics = [self._topics[key] for key in due if key.feed == feed]
            products = tuple(topic.product for topic in topics if topic.product)
            for event in (UNSUBSCRIBE, SUBSCRIBE):
                self._send(Request(event, feed, products))
        if due:
            self.silence.asked(due, now)
            self._asked_beside = now

    def wanting(self, feed: str, product: str) -> tuple[Subscription, ...]:
        """Return who wants a feed of a product."""
        topic = self._topics.get(Key(feed, product.upper()))
        return tuple(topic.wanted_by) if topic is not None else ()

    def answer(self, event: str, frame: wire.Envelope, now: float) -> Events:
        """Take what the server says about requests."""
        feed = frame.feed.strip() if isinstance(frame.feed, str) else ""
        message = frame.message if isinstance(frame.message, str) else ""
        products = [p for p in frame.product_ids if isinstance(p, str)] if isinstance(frame.product_ids, list) else []
        if event == "subscribed":
            events = self._subscribed(feed, products, now)
        elif event in ("unsubscribed", "unsubscribed_failed"):
            self._talk.answered(UNSUBSCRIBE, feed, products)
            events = (Ignored(kind=event),)
        elif event == "subscribed_failed" and feed:
            products = self._meant(feed, products)
            self._talk.answered(SUBSCRIBE, feed, products)
            events = self._give_up(Request(SUBSCRIBE, feed, tuple(products)), message or event)
            events = events or (Ignored(kind=event),)
        elif event == "challenge":
            events = self._challenged(message, now)
        elif event == "alert" and message.startswith(_ALREADY):
            flight = self._talk.flight
            events = () if flight is None else self._subscribed(flight.feed, flight.products, now)
            events = events or (Ignored(kind="alert: already subscribed"),)
        else:  # errors and alerts, which name nothing
            events = self._refused(event, message, now)
        self._pump(now)
        return events

    def tick(self, now: float) -> Events:
        """Let time pass: what was not answered is asked again."""
        events, self._joined = self._joined, []
        if self._is_open and self._talk.overdue(now):
            events += self._unanswered(self._talk.unanswered(), f"no answer within {PATIENCE:g} s, three times", now)
        self._pump(now)
        return events

    # --- asking

    def _ask_for_unasked(self, now: float) -> None:
        unasked = self._ledger.unasked()
        if not self._is_open:
            return
        if self._is_private and self._signed is None and unasked:
            # One challenge serves the whole connection; two at once would undo each other.
            if not self._talk.has(CHALLENGE):
                self._talk.ask([Request(CHALLENGE)])
        else:
            topics = self._to_ask(set(unasked), now)
            for feed in dict.fromkeys(topic.feed for topic in topics):
                products = [topic.product for topic in topics if topic.feed == feed]
                self._talk.ask(feed_conversation.subscribe(feed, [product for product in products if product]))
            if not self._beat_asked:
                # Last: nothing that is wanted shall wait for it.
                self._talk.ask(feed_conversation.subscribe(_HEARTBEAT, ()))
                self._beat_asked = True
        self._pump(now)

    def _to_ask(self, unasked: set[Subscription], now: float) -> list[_Topic]:
        """Return the topics that the server must hear of; the rest share one that it knows already."""
        topics = [topic for topic in self._topics.values() if not unasked.isdisjoint(topic.wanted_by)]
        unknown = []
        for topic in topics:
            new = [subscription for subscription in topic.wanted_by if subscription in unasked]
            self._ledger.asked(new, now)
            if any(self._ledger.is_active(subscription) for subscription in topic.wanted_by):
                self._joined += [Subscribed(subscription=each) for each in new if self._ledger.acknowledged(each)]
            elif len(new) == len(topic.wanted_by):
                unknown.append(topic)
        return unknown

    def _leave(self, subscription: Subscription, *, tell: bool) -> Iterator[tuple[str, str]]:
        key, topic = next((k, t) for k, t in self._topics.items() if subscription in t.wanted_by)
        del topic.wanted_by[subscription]
        if topic.wanted_by:
            return
        del self._topics[key]
        self.silence.forget(key)
        self._talk.forget(topic.feed, topic.product)
        if tell and self._is_open:
            self._talk.ask(feed_conversation.unsubscribe(topic.feed, [topic.product] if topic.product else []))
        yield topic.feed, topic.product

    def _pump(self, now: float) -> None:
        request = self._talk.next(now) if self._is_open else None
        if request is not None:
            self._send(request)

    def _send(self, request: Request) -> None:
        frame: dict[str, object] = {"event": str(request.event)}
        signer = self._context.signer
        if request.feed:
            frame["feed"] = request.feed
        if request.products:
            frame["product_ids"] = request.products
        if signer is not None and request.event == CHALLENGE:
            frame["api_key"] = signer.public_key
        elif signer is not None and self._is_private and request.feed != _HEARTBEAT:
            frame |= {
                "api_key": signer.public_key,
                "original_challenge": self._challenge,
                "signed_challenge": self._signed,
            }
        self.outbox.append(msgspec.json.encode(frame).decode())

    # --- answers

    def _subscribed(self, feed: str, products: Iterable[str], now: float) -> Events:
        products = self._meant(feed, products)
        self._talk.answered(SUBSCRIBE, feed, products)
        keys = [Key(feed, product.upper()) for product in products]
        topics = [self._topics.get(key) for key in keys]
        for key, topic in zip(keys, topics, strict=True):
            if topic is not None:
                self.silence.acknowledged(key, now)
        events: list[Event] = [
            Subscribed(subscription=subscription)
            for topic in topics
            for subscription in (topic.wanted_by if topic is not None else ())
            if self._ledger.acknowledged(subscription)
        ]
        return events or (Ignored(kind=f"subscribed {feed}"),)

    def _meant(self, feed: str, products: Iterable[str]) -> list[str]:
        """Return the products that an answer is about, as topics have them."""
        flight = self._talk.flight
        named = list(products)
        if Key(feed, "") in self._topics:
            return [""]  # feeds of the account echo a filter by products, if anything
        if not named and flight is not None and flight.feed == feed:
            return list(flight.products)
        return named

    def _challenged(self, message: str, now: float) -> Events:
        flight, signer = self._talk.flight, self._context.signer
        if flight is not None and flight.event == CHALLENGE and signer is not None and message:
            self._talk.flight = None
            self._challenge, self._signed = message, signer.sign_challenge(message)
            self._ask_for_unasked(now)
        return (Ignored(kind="challenge"),)

    def _refused(self, event: str, message: str, now: float) -> Events:
        events: Events
        flight = self._talk.flight
        reason = message or event
        if flight is None:
            return (Ignored(kind=f"{event}: {reason[:80]}"),)
        if _NOT_AUTHENTICATED in message and flight.event == SUBSCRIBE and not flight.is_signed_anew:
            # How long a challenge lasts is not documented: it may be stale. Once; after that it is the key.
            self._talk.flight = None
            flight.is_signed_anew = True
            self._challenge = self._signed = None
            self._talk.ask_first([Request(CHALLENGE), flight])
            return (Ignored(kind=f"{event}: {reason[:80]}"),)
        if _PASSING.search(message):
            request, self._talk.flight = flight, None
            events = self._unanswered(request, reason, now, is_heard=True)
            return events or (Ignored(kind=f"{event}: {reason[:80]}"),)
        # What could not be read was damaged on its way: it was not even looked at.
        certain = now - self._asked_beside > PATIENCE and message != _NOT_READ
        events = self._give_up(self._talk.refused(certain=certain), reason)
        return events or (Ignored(kind=f"{event}: {reason[:80]}"),)

    def _unanswered(self, request: Request | None, reason: str, now: float, *, is_heard: bool = False) -> list[Event]:
        """Ask again later, or over another connection where our orders and fills, or nothing at all, come by this."""
        if request is None or request.event == UNSUBSCRIBE or request.feed == _HEARTBEAT:
            return []
        if not is_heard and (request.feed in (*_OWN, "") or not any(map(self._ledger.is_active, self._ledger))):
            self.broken = f"{request.feed or request.event}: {reason}"
            return []
        keys = [Key(request.feed, product.upper()) for product in request.products or ("",)]
        is_news = request.tries + 1 == TRIES
        self._talk.ask_later(request, now)
        wanted = (
            [each for key in keys if key in self._topics for each in self._topics[key].wanted_by] if is_news else []
        )
        return [SubscriptionUnanswered(subscription=each, reason=f"{reason}; it is asked for on") for each in wanted]

    def _give_up(self, request: Request | None, reason: str) -> list[Event]:
        if request is None or request.event == UNSUBSCRIBE or request.feed == _HEARTBEAT:
            return []
        if request.event == CHALLENGE:
            # Nothing private can be had; what waits behind it would fail one by one.
            self._talk.reset()
            topics = list(self._topics.values())
        else:
            keys = [Key(request.feed, product.upper()) for product in request.products or ("",)]
            topics = [self._topics[key] for key in keys if key in self._topics]
        events: list[Event] = []
        for topic in topics:
            key = Key(topic.feed, topic.product.upper())
            self._topics.pop(key, None)
            self.silence.forget(key)
            for subscription in topic.wanted_by:
                self._ledger.refused(subscription)
                events.append(SubscriptionRefused(subscription=subscription, reason=reason, codes=(reason,)))
        return events
