"""One connection's public subscriptions.

See https://docs.kraken.com/api/docs/guides/futures-websockets
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kraken_futures.simulator.codec import encode
from kraken_futures.simulator.feed import frames
from kraken_futures.simulator.markets.contracts import Contract
from kraken_futures.simulator.markets.day import Glance
from kraken_futures.simulator.venue import Venue

PRODUCT_FEEDS = frozenset({"ticker", "ticker_lite", "trade", "book"})
HEARTBEAT = "heartbeat"
_TICKERS: dict[str, Callable[[Contract, Glance], str]] = {
    "ticker": frames.ticker,
    "ticker_lite": frames.ticker_lite,
}
_SECOND = 1.0
INVALID_PRODUCT = '{"event":"error","message":"Invalid product id"}'
ALREADY = '{"event":"alert","message":"Already subscribed to feed, re-requesting"}'


class _Ticker:
    """What was last sent of a ticker, and when."""

    def __init__(self) -> None:
        self.look: Glance | None = None
        self.sent = 0.0


class PublicFeed:
    """What one connection listens to."""

    def __init__(self, venue: Venue, push: Callable[[str], None]) -> None:
        self._venue = venue
        self.push = push
        self._topics: dict[tuple[str, str], Contract] = {}
        self._tickers: dict[tuple[str, str], _Ticker] = {}
        self._beats = False
        self._last_beat: float | None = None

    def close(self) -> None:
        for (feed, _), contract in self._topics.items():
            self._venue.hub.unsubscribe((feed, contract.symbol), self)
        self._topics.clear()
        self._tickers.clear()
        self._beats = False

    def tick(self, now: float) -> None:
        """Send tickers that changed, at most one a second for each product, and the heartbeat."""
        for (feed, product), ticker in self._tickers.items():
            contract = self._topics[feed, product]
            look = self._venue.hub.look(contract)
            if look is not ticker.look and (ticker.look is None or now - ticker.sent >= _SECOND):
                ticker.look, ticker.sent = look, now
                self.push(_TICKERS[feed](contract, look))
        if self._beats and (self._last_beat is None or now - self._last_beat >= _SECOND):
            self._last_beat = now
            self.push(frames.heartbeat(self._venue.exchange.now()))

    def subscribe(self, feed: str, request: dict[str, Any], now: float) -> None:
        """Answer once for each product; snapshots follow the answers."""
        if feed == HEARTBEAT:
            self.push(ALREADY if self._beats else encode({"event": "subscribed", "feed": feed}))
            self._beats = True
            return
        contracts = self._products(request)
        for contract in contracts:
            key = (feed, contract.id)
            if key in self._topics:
                self.push(ALREADY)
            else:
                self._topics[key] = contract
                if feed in _TICKERS:
                    self._tickers[key] = _Ticker()
                else:
                    self._venue.hub.subscribe((feed, contract.symbol), self)
            self.push(encode({"event": "subscribed", "feed": feed, "product_ids": [contract.id]}))
        for contract in contracts:
            self._snapshot(feed, contract, now)

    def unsubscribe(self, feed: str, request: dict[str, Any]) -> None:
        if feed == HEARTBEAT:
            self.push(encode({"event": "unsubscribed" if self._beats else "unsubscribed_failed", "feed": feed}))
            self._beats = False
            return
        for contract in self._products(request):
            key = (feed, contract.id)
            word = "unsubscribed" if key in self._topics else "unsubscribed_failed"
            self._topics.pop(key, None)
            self._tickers.pop(key, None)
            self._venue.hub.unsubscribe((feed, contract.symbol), self)
            self.push(encode({"event": word, "feed": feed, "product_ids": [contract.id]}))

    def _products(self, request: dict[str, Any]) -> list[Contract]:
        """Return the products that are meant; each unknown one is answered with an error that does not name it."""
        names = request.get("product_ids")
        if not isinstance(names, list) or not names:
            self.push(INVALID_PRODUCT)
            return []
        found: dict[str, Contract] = {}
        for name in names:
            contract = self._venue.contracts.find(name) if isinstance(name, str) else None
            if contract is None:
                self.push(INVALID_PRODUCT)
            else:
                found[contract.id] = contract
        return list(found.values())

    def _snapshot(self, feed: str, contract: Contract, now: float) -> None:
        hub = self._venue.hub
        if feed == "book":
            self.push(hub.book_snapshot(contract))
        elif feed == "trade":
            self.push(hub.trade_snapshot(contract))
        else:
            ticker = self._tickers[feed, contract.id]
            ticker.look, ticker.sent = hub.look(contract), now
            self.push(_TICKERS[feed](contract, ticker.look))
