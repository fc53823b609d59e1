"""One WebSocket v1 connection as a state machine: frames in, frames out.

See https://docs.kraken.com/api/docs/guides/futures-websockets
"""

from __future__ import annotations

import hmac
from typing import Any

from kraken_futures.simulator.access import READ, permits, sign
from kraken_futures.simulator.codec import decode, encode
from kraken_futures.simulator.feed import frames
from kraken_futures.simulator.feed.private import FEEDS, PrivateFeed
from kraken_futures.simulator.feed.public import HEARTBEAT, PRODUCT_FEEDS, PublicFeed
from kraken_futures.simulator.markets.traded import new_uuid
from kraken_futures.simulator.venue import Venue

_JSON_ERROR = '{"event":"error","message":"Json Error"}'
_INVALID_FEED = '{"event":"alert","message":"Couldn\'t subscribe to invalid feed"}'
# Seen nowhere: what the venue says to who asks more than a hundred times a second is not documented.
_TOO_MANY = '{"event":"error","message":"Too many requests"}'
_NOT_AUTHENTICATED = '{"event":"alert","message":"Failed to subscribe to authenticated feed"}'


class Session:
    """A client's connection."""

    def __init__(self, venue: Venue) -> None:
        self.outbox: list[str] = []
        self._venue = venue
        self._challenge = ""
        self._public = PublicFeed(venue, self.push)
        self._private = PrivateFeed(venue, self.push)
        self._may_ask = venue.limits.line()
        self._is_open = True

    def opened(self, now: float) -> None:
        self.push(frames.INFO)

    def receive(self, frame: str, now: float) -> None:
        if not self._may_ask():
            self.push(_TOO_MANY)
            return
        self._venue.look()
        try:
            request = decode(frame)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            self.push(_JSON_ERROR)
            return
        event = request.get("event")
        if event in ("subscribe", "unsubscribe"):
            self._subscription(event == "subscribe", request, now)
        elif event == "challenge":
            self._issue_challenge()
        elif event == "ping":
            # Not documented; one client relies on it.
            self.push('{"event":"pong"}')
        else:
            self.push(_JSON_ERROR)

    def tick(self, now: float) -> None:
        self._venue.chronicle.look()
        self._venue.notices.look()
        self._public.tick(now)

    def closed(self) -> None:
        self._public.close()
        self._private.close()
        if self._is_open:
            self._is_open = False
            self._venue.limits.disconnect()

    def push(self, frame: str) -> None:
        self.outbox.append(frame)

    def _issue_challenge(self) -> None:
        """Give out a new challenge. It counts for this connection only, and ends the one before."""
        self._challenge = new_uuid(self._venue.exchange.random)
        self.push(encode({"event": "challenge", "message": self._challenge}))

    def _subscription(self, start: bool, request: dict[str, Any], now: float) -> None:
        feed = request.get("feed")
        if feed == HEARTBEAT or (isinstance(feed, str) and feed in PRODUCT_FEEDS):
            if start:
                self._public.subscribe(feed, request, now)
            else:
                self._public.unsubscribe(feed, request)
        elif isinstance(feed, str) and feed in FEEDS:
            account = self._account(request)
            if account is None:
                self.push(_NOT_AUTHENTICATED)
            elif start:
                self._private.subscribe(feed, account, request)
            else:
                self._private.unsubscribe(feed, request)
        else:
            self.push(_INVALID_FEED)

    def _account(self, request: dict[str, Any]) -> str | None:
        """Return whose key signed this connection's challenge, or None."""
        api_key, challenge, signed = (
            request.get(name) for name in ("api_key", "original_challenge", "signed_challenge")
        )
        key = self._venue.exchange.key(api_key) if isinstance(api_key, str) else None
        if key is None or not permits(key, READ) or not self._challenge or challenge != self._challenge:
            return None
        if not isinstance(signed, str) or not signed.isascii():
            return None
        expected = sign(key.api_secret, self._challenge.encode())
        return key.account if hmac.compare_digest(expected, signed) else None
