"""One connection's subscriptions to the book order by order, on a host of its own and with a token.

See https://docs.kraken.com/api/docs/websocket-v2/level3
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from exchange_core.model.symbol import Symbol
from kraken_spot.simulator.access import Token
from kraken_spot.simulator.codec import Refused
from kraken_spot.simulator.feed.hub import Topic
from kraken_spot.simulator.feed.level3_books import ORDER_DEPTHS
from kraken_spot.simulator.feed.replies import FieldError, Params, Reply, done, failed, field, symbols
from kraken_spot.simulator.limits import LineLimits
from kraken_spot.simulator.venue import Venue

LEVEL3 = "level3"


@attrs.frozen
class _Held:
    topic: Topic
    token: Token


class OrdersFeed:
    """What one connection sees of single orders. True while there is anything."""

    def __init__(self, venue: Venue, push: Callable[[str], None], limits: LineLimits) -> None:
        self._venue = venue
        self.push = push
        self._limits = limits
        self._held: dict[Symbol, _Held] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def close(self) -> None:
        for symbol in list(self._held):
            self._drop(symbol)

    def subscribe(self, params: Params) -> list[Reply]:
        """Answer once for each symbol; a symbol's snapshot follows its answer."""
        try:
            token = self._venue.tokens.find(params.get("token"))
        except Refused as refused:
            return [{"channel": LEVEL3, "error": refused.code, "status": "error", "success": False}]
        snapshot, depth = field(params, "snapshot", bool, True), _depth(params)
        return [self._add(name, depth, snapshot, token) for name in symbols(params)]

    def unsubscribe(self, params: Params) -> list[Reply]:
        try:
            self._venue.tokens.find(params.get("token"))
        except Refused as refused:
            return [{"channel": LEVEL3, "error": refused.code, "status": "error", "success": False}]
        depth = _depth(params)
        return [self._remove(name, depth) for name in symbols(params)]

    def _add(self, name: str, depth: int, snapshot: bool, token: Token) -> Reply:
        pair = self._venue.names.display(name)
        if pair is None:
            return failed(f"Currency pair not supported {name}", name)
        if pair.symbol in self._held:
            return failed("Already subscribed", name)
        if not self._limits.level3(depth, len(self._held)):
            # The venue's words for too many at once are not known.
            return failed("EAPI:Rate limit exceeded", name)
        topic: Topic = (LEVEL3, pair.symbol, depth)
        self._held[pair.symbol] = _Held(topic, token)
        token.held += 1
        # Others see what changed until now; this one begins with all of it.
        self._venue.hub.orders(pair)
        self._venue.hub.subscribe(topic, self)
        then = [self._venue.hub.orders_snapshot(pair, depth)] if snapshot else None
        # Recorded answers do not tell the depth.
        return done({"channel": LEVEL3, "snapshot": snapshot, "symbol": name}, then)

    def _remove(self, name: str, depth: int) -> Reply:
        pair = self._venue.names.display(name)
        if pair is None:
            return failed(f"Currency pair not supported {name}", name)
        held = self._held.get(pair.symbol)
        if held is None or held.topic[2] != depth:
            return failed("Subscription Not Found", name)
        self._drop(pair.symbol)
        return done({"channel": LEVEL3, "snapshot": True, "symbol": name})

    def _drop(self, symbol: Symbol) -> None:
        held = self._held.pop(symbol)
        held.token.held -= 1
        self._venue.hub.unsubscribe(held.topic, self)


def _depth(params: Params) -> int:
    depth = field(params, "depth", int, ORDER_DEPTHS[0])
    if depth not in ORDER_DEPTHS:
        raise FieldError("Subscription depth not supported")
    return depth
