"""Which subscriptions of one connection are wanted, asked for, acknowledged or overdue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from exchange_core.model.event import Subscription


@attrs.define
class SubscriptionLedger:
    """Book-keeping of one connection's subscriptions; pure, time comes in.

    A subscription is *wanted* until dropped, *asked* once sent, *active* once acknowledged. A lost connection makes
    all wanted ones unasked again.

    Attributes:
        patience: Seconds within which an acknowledgement must come.
    """

    patience: float = 10.0
    _wanted: dict[Subscription, None] = attrs.field(factory=dict, init=False)
    _asked: dict[Subscription, float] = attrs.field(factory=dict, init=False)
    _active: set[Subscription] = attrs.field(factory=set, init=False)

    def want(self, subscriptions: Iterable[Subscription]) -> list[Subscription]:
        """Add; return those that are new."""
        new = [s for s in dict.fromkeys(subscriptions) if s not in self._wanted]
        self._wanted.update(dict.fromkeys(new))
        return new

    def drop(self, subscriptions: Iterable[Subscription]) -> list[Subscription]:
        """Remove; return those that the venue was asked for, and so must be told."""
        told = []
        for subscription in dict.fromkeys(subscriptions):
            self._wanted.pop(subscription, None)
            if self._asked.pop(subscription, None) is not None or subscription in self._active:
                told.append(subscription)
            self._active.discard(subscription)
        return told

    def unasked(self) -> list[Subscription]:
        """Return wanted subscriptions that have not been sent on this connection."""
        return [s for s in self._wanted if s not in self._asked and s not in self._active]

    def asked(self, subscriptions: Iterable[Subscription], now: float) -> None:
        """Note that they were sent at *now*."""
        for subscription in subscriptions:
            self._active.discard(subscription)
            self._asked[subscription] = now + self.patience

    def acknowledged(self, subscription: Subscription) -> bool:
        """Note the venue's yes; return False when nobody had asked."""
        if self._asked.pop(subscription, None) is None:
            return False
        if subscription in self._wanted:
            self._active.add(subscription)
        return True

    def again(self, subscription: Subscription) -> None:
        """Take it, if it is wanted, as not asked for yet: what the venue sent of it is worth nothing any more."""
        self._asked.pop(subscription, None)
        self._active.discard(subscription)

    def refused(self, subscription: Subscription) -> None:
        """Note the venue's no: it is not wanted any more."""
        self.drop([subscription])

    def overdue(self, now: float) -> list[Subscription]:
        """Return those whose acknowledgement should have come; they count as unasked from here on."""
        late = [s for s, until in self._asked.items() if now >= until]
        for subscription in late:
            del self._asked[subscription]
        return late

    def reset(self) -> None:
        """Forget what was asked and acknowledged: the connection is a new one."""
        self._asked.clear()
        self._active.clear()

    def is_active(self, subscription: Subscription) -> bool:
        return subscription in self._active

    def waiting(self) -> list[Subscription]:
        """Return those that were asked for and not answered yet."""
        return list(self._asked)

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._wanted)

    def __contains__(self, subscription: object) -> bool:
        return subscription in self._wanted
