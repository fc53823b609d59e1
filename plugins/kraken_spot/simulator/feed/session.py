"""One WebSocket v2 connection as a state machine: frames in, frames out.

See https://docs.kraken.com/api/docs/guides/spot-ws-intro
"""

from __future__ import annotations

from typing import Any

from kraken_spot.simulator.codec import Refused, decode, encode, stamp
from kraken_spot.simulator.feed import market_frames
from kraken_spot.simulator.feed.level3 import LEVEL3, OrdersFeed
from kraken_spot.simulator.feed.private import PrivateFeed
from kraken_spot.simulator.feed.public import PublicFeed
from kraken_spot.simulator.feed.replies import FieldError, field
from kraken_spot.simulator.feed.trading import WsOrders
from kraken_spot.simulator.venue import Host, Venue

_PUBLIC = frozenset({"ticker", "book", "trade", "ohlc", "instrument"})
_PRIVATE = frozenset({"executions", "balances"})
_WRONG_HOST = {
    "public": "Public market data subscriptions are unavailable on this endpoint. Try ws.kraken.com",
    # Taken to be like the others; not recorded.
    "level3": "Level3 data subscriptions are unavailable on this endpoint. Try ws-l3.kraken.com",
    "private": "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com",
}
_HEARTBEAT_SECONDS = 1.0


class Session:
    """A client's connection to one of the venue's hosts."""

    def __init__(self, venue: Venue, host: Host) -> None:
        self.outbox: list[str] = []
        self._venue = venue
        self._host = host
        self._quiet_since: float | None = None
        self._state = venue.exchange.state
        self._limits = venue.limits.line()
        self._public = PublicFeed(venue, self.push)
        self._private = PrivateFeed(venue, self.push)
        self._level3 = OrdersFeed(venue, self.push, self._limits)
        self._orders = WsOrders(venue)

    # ── the server's side ──

    def opened(self, now: float) -> None:
        self._state = self._venue.exchange.state
        self.push(market_frames.status(self._state, self._venue.exchange.random.getrandbits(64)))

    def receive(self, frame: str, now: float) -> None:
        time_in = stamp(self._venue.exchange.now())
        if not self._limits.message():
            # Recorded of the older protocol: without a method, and with a capital letter.
            self.push(encode({"Error": "Exceeded msg rate"}))
            return
        self._venue.exchange.step()
        try:
            request = decode(frame)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            # What the venue answers to frames that are no JSON object is not known.
            self._answer({}, time_in, [{"error": "Malformed request", "success": False}])
            return
        try:
            replies = self._dispatch(request)
        except FieldError as error:
            replies = [{"error": error.text, "success": False}]
        self._answer(request, time_in, replies)

    def tick(self, now: float) -> None:
        """Tell of a new state of the venue; send a heartbeat when something is subscribed to and all else was quiet."""
        if self._state is not self._venue.exchange.state:
            self._state = self._venue.exchange.state
            self.push(market_frames.status(self._state))
        self._public.tick()
        if self._quiet_since is None:
            self._quiet_since = now
        elif now - self._quiet_since >= _HEARTBEAT_SECONDS and (self._public or self._private or self._level3):
            self.outbox.append(market_frames.HEARTBEAT)
            self._quiet_since = now

    def closed(self) -> None:
        self._public.close()
        self._private.close()
        self._level3.close()

    def push(self, frame: str) -> None:
        self._quiet_since = None
        self.outbox.append(frame)

    # ── requests ──

    def _dispatch(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        method = request.get("method")
        if method == "ping":
            if "params" in request:
                raise FieldError("Unsupported field: 'params' for the given msg type: ping")
            return [{}]
        params = request.get("params")
        if not isinstance(params, dict):
            params = {}
        if method in ("subscribe", "unsubscribe"):
            return self._subscription(method == "subscribe", params)
        if isinstance(method, str) and method in self._orders.methods:
            if self._host is not Host.AUTH:
                raise FieldError(_WRONG_HOST["private"])
            return self._order(method, params)
        raise FieldError("Unsupported event")

    def _subscription(self, start: bool, params: dict[str, Any]) -> list[dict[str, Any]]:
        channel = field(params, "channel", str)
        if channel in _PUBLIC:
            if self._host is not Host.PUBLIC:
                raise FieldError(_WRONG_HOST["public"])
            return self._public.subscribe(channel, params) if start else self._public.unsubscribe(channel, params)
        if channel in _PRIVATE:
            if self._host is not Host.AUTH:
                raise FieldError(_WRONG_HOST["private"])
            return self._private.subscribe(channel, params) if start else self._private.unsubscribe(channel, params)
        if channel == LEVEL3:
            if self._host is not Host.LEVEL3:
                raise FieldError(_WRONG_HOST["level3"])
            return self._level3.subscribe(params) if start else self._level3.unsubscribe(params)
        raise FieldError("Unsupported event")

    def _order(self, method: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            key = self._venue.tokens.find(params.get("token")).key
            self._venue.desk.check_engine()
            return self._orders.run(method, key, params)
        except Refused as refused:
            return [{"success": False, "error": refused.code}]

    def _answer(self, request: dict[str, Any], time_in: str, replies: list[dict[str, Any]]) -> None:
        """Send *replies*; each may bring the frames that follow it under ``then``."""
        method, req_id = request.get("method"), request.get("req_id")
        head: dict[str, Any] = {}
        if isinstance(method, str):
            head["method"] = "pong" if method == "ping" and replies == [{}] else method
        if isinstance(req_id, int) and not isinstance(req_id, bool):
            head["req_id"] = req_id
        for reply in replies:
            then = reply.pop("then", ())
            times = {"time_in": time_in, "time_out": stamp(self._venue.exchange.now())}
            self.push(encode({**head, **reply, **times}))
            for frame in then:
                self.push(frame)
