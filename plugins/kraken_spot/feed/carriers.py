"""What users want, and the subscriptions of the venue that carry it.

Orders and fills are one subscription, balances and the ledger another. Of a book one connection gets one depth, so the
deepest that is wanted carries all others. Of a ticker it gets one trigger, and neither carries the other.
See https://docs.kraken.com/api/docs/websocket-v2/book, /level3, /ticker and /executions
"""

from __future__ import annotations

from collections.abc import Iterable

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported
from exchange_core.model.event import Channel, Subscription, TickerTrigger
from exchange_core.model.symbol import Symbol

DEPTHS = (10, 25, 100, 500, 1000)
"""Levels that books can be had with."""

DEPTHS_BY_ORDER = (10, 100, 1000)
"""Price levels that books by order can be had with."""

TRIGGERS = (TickerTrigger.BBO, TickerTrigger.TRADES)
"""What can make the venue send a ticker; the first is asked for where nothing is said."""

INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
"""Minutes that candles can be had for, here and over REST."""


_ONE_OF_A_PAIR = frozenset({Channel.BOOK, Channel.BOOK_BY_ORDER, Channel.TICKER})


class Carriers:
    """Which subscription of the venue carries what, on one connection.

    Args:
        most: Pairs that one connection may have books by order of.
    """

    def __init__(self, context: VenueContext, channels: frozenset[Channel], most: int | None = None) -> None:
        self._context = context
        self._channels = channels
        self._most = most
        self._carriers: dict[Subscription, Subscription] = {}
        self._riders: dict[Subscription, dict[Subscription, None]] = {}
        self._single: dict[tuple[Channel, Symbol], Subscription] = {}

    def admit(self, subscriptions: Iterable[Subscription]) -> dict[Subscription, Subscription]:
        """Return what the venue would be asked for, for each of *subscriptions* that may be had.

        Raises:
            NotSupported: One of them cannot be had, or not beside what is wanted already.
            UnknownSymbol: The venue lists no such pair.
        """
        needed = {subscription: self.needed(subscription) for subscription in subscriptions}
        triggers = dict(self._single)
        for carrier in needed.values():
            if carrier.channel is Channel.TICKER and carrier.symbol is not None:
                present = triggers.setdefault((carrier.channel, carrier.symbol), carrier)
                if present != carrier:
                    raise NotSupported(
                        f"{self._context.venue}: the ticker of {carrier.symbol} is followed by {present.trigger} "
                        f"already; one connection has no second one by {carrier.trigger}"
                    )
        pairs = {symbol for channel, symbol in self._single if channel is Channel.BOOK_BY_ORDER}
        pairs |= {c.symbol for c in needed.values() if c.channel is Channel.BOOK_BY_ORDER and c.symbol is not None}
        if self._most is not None and len(pairs) > self._most:
            raise NotSupported(
                f"{self._context.venue}: books by order of {len(pairs)} pairs; one connection has {self._most} at most"
            )
        return needed

    def needed(self, subscription: Subscription) -> Subscription:
        """Return what the venue would be asked for, were *subscription* alone.

        Raises:
            NotSupported: This connection or the venue has no such thing.
            UnknownSymbol: The venue lists no such pair.
        """
        channel, symbol = subscription.channel, subscription.symbol
        if channel not in self._channels:
            raise NotSupported(f"{self._context.venue}: {channel} is not on this connection")
        if subscription.variant is not None:
            raise NotSupported(f"{self._context.venue}: {channel} has no variant {subscription.variant}")
        if subscription.trigger is not None and channel is not Channel.TICKER:
            raise NotSupported(f"{self._context.venue}: {channel} has no trigger; only the ticker has one")
        if channel in (Channel.ORDERS, Channel.FILLS):
            return Subscription(Channel.ORDERS)
        if channel is Channel.LEDGER:
            return Subscription(Channel.BALANCES)
        if channel in (Channel.BALANCES, Channel.INSTRUMENTS, Channel.STATUS):
            return Subscription(channel)
        if symbol is None:
            raise NotSupported(f"{self._context.venue}: {channel} needs a symbol")
        self._context.symbols.wire(symbol)
        if channel is Channel.BOOK:
            return Subscription(channel, symbol, depth=self._choice("depth", subscription.depth, DEPTHS))
        if channel is Channel.BOOK_BY_ORDER:
            return Subscription(channel, symbol, depth=self._choice("depth", subscription.depth, DEPTHS_BY_ORDER))
        if channel is Channel.CANDLES:
            return Subscription(channel, symbol, interval=self._choice("interval", subscription.interval, INTERVALS))
        if channel is Channel.TICKER:
            return Subscription(channel, symbol, trigger=subscription.trigger or TRIGGERS[0])
        return Subscription(channel, symbol)

    def _choice(self, parameter: str, value: int | None, allowed: tuple[int, ...]) -> int:
        if value is None:
            return allowed[0]
        if value not in allowed:
            choices = ", ".join(map(str, allowed))
            raise NotSupported(f"{self._context.venue}: {parameter}: {value} is none of {choices}")
        return value

    def add(self, subscription: Subscription, needed: Subscription) -> tuple[Subscription, Subscription | None]:
        """Note that *subscription* is wanted.

        Returns:
            What carries it, and what that replaces: a book that is not deep enough.
        """
        carrier, replaced = needed, None
        if needed.symbol is not None and needed.channel in _ONE_OF_A_PAIR:
            present = self._single.get((needed.channel, needed.symbol))
            if present is not None and (present.depth or 0) > (needed.depth or 0):
                carrier = present
            elif present != needed:
                replaced = present
            self._single[needed.channel, needed.symbol] = carrier
        riders = self._riders.setdefault(carrier, {})
        for rider in (*(self._riders.pop(replaced, {}) if replaced else ()), subscription):
            self._carriers[rider] = carrier
            riders[rider] = None
        return carrier, replaced

    def remove(self, subscriptions: Iterable[Subscription]) -> list[Subscription]:
        """Forget *subscriptions*; return the carriers that nobody needs any more."""
        free = []
        for subscription in subscriptions:
            carrier = self._carriers.pop(subscription, None)
            if carrier is None:
                continue
            riders = self._riders[carrier]
            del riders[subscription]
            if not riders:
                self._forget(carrier)
                free.append(carrier)
        return free

    def refuse(self, carrier: Subscription) -> list[Subscription]:
        """Forget everything that *carrier* carried, and return it."""
        riders = list(self._riders.get(carrier, ()))
        self.remove(riders)
        return riders

    def _forget(self, carrier: Subscription) -> None:
        del self._riders[carrier]
        if carrier.symbol is not None and carrier.channel in _ONE_OF_A_PAIR:
            del self._single[carrier.channel, carrier.symbol]

    def of(self, subscription: Subscription) -> Subscription:
        """Return what carries *subscription*; a carrier carries itself."""
        return self._carriers.get(subscription, subscription)

    def carried_by(self, carrier: Subscription) -> list[Subscription]:
        """Return what *carrier* carries."""
        return list(self._riders.get(carrier, ()))

    def __contains__(self, subscription: object) -> bool:
        return subscription in self._carriers

    def wanted(self) -> list[Subscription]:
        """Return all that is wanted, in the order in which it was asked for."""
        return list(self._carriers)
