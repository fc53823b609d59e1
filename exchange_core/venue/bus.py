"""Publish and subscribe inside one venue: synchronous callbacks, looked up in one dict.

The path of a book message is the hot one. It is one lookup by the identity of the book's view, which stays the same
for the life of a book, and then the call itself. Nothing here waits, and nothing is queued; see ``stream.py`` for that.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from exchange_core.model.book import BookByOrder, OrderBook
from exchange_core.model.event import Event
from exchange_core.model.market import Candle, Ticker, Trade
from exchange_core.model.symbol import Symbol

Callback = Callable[[Any], None]
Topic = Hashable

# Feeds may replace a book's view; the views that are gone are forgotten now and then.
_VIEWS_KEPT = 4096


def topic(kind: type, symbol: Symbol | None = None, interval: int | None = None) -> Topic:
    """Return the topic of events of *kind*, of one symbol where such events have one."""
    return (kind, symbol, interval)


class Bus:
    """Who wants to be told about what."""

    def __init__(self) -> None:
        self._callbacks: dict[Topic, tuple[Callback, ...]] = {}
        self._views: dict[OrderBook, tuple[Callback, ...]] = {}

    def subscribe(self, topic: Topic, callback: Callback) -> None:
        """Call *callback* for each event of *topic* from now on."""
        self._callbacks[topic] = (*self._callbacks.get(topic, ()), callback)
        self._views.clear()

    def unsubscribe(self, topic: Topic, callback: Callback) -> None:
        """Stop calling it, once for each time it was subscribed."""
        callbacks = list(self._callbacks.get(topic, ()))
        if callback in callbacks:
            callbacks.remove(callback)
        if callbacks:
            self._callbacks[topic] = tuple(callbacks)
        else:
            self._callbacks.pop(topic, None)
        self._views.clear()

    def publish(self, event: Event | Any) -> None:
        """Tell everyone who asked, in the order in which they did."""
        if type(event) is OrderBook:
            callbacks = self._views.get(event)
            if callbacks is None:
                callbacks = self._find(event)
        else:
            callbacks = self._callbacks.get(_topic_of(event), ())
        for callback in callbacks:
            callback(event)

    def _find(self, view: OrderBook) -> tuple[Callback, ...]:
        if len(self._views) >= _VIEWS_KEPT:
            self._views.clear()
        callbacks = self._views[view] = self._callbacks.get((OrderBook, view.symbol, None), ())
        return callbacks


def _topic_of(event: object) -> Topic:
    kind = type(event)
    if kind is Trade or kind is Ticker or kind is BookByOrder:
        return (kind, event.symbol, None)  # type: ignore[attr-defined]
    if kind is Candle:
        return (kind, event.symbol, event.interval)  # type: ignore[attr-defined]
    return (kind, None, None)
