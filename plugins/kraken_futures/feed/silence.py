"""Which subscriptions have gone silent, and what becomes of asking for them again.

A subscription may be acknowledged and then get nothing, while the connection beats on. A quiet market looks the same.
So what has been silent for long is asked for again: ended and begun at once, which brings a fresh snapshot. Whatever
had been missed is in that; an answer that never comes is the connection's fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import attrs

# Snapshots of whole books come in answer, so that not everything is asked at once: so many products a look.
MOST_AT_ONCE = 10


class Key(NamedTuple):
    """A feed of a product, whose name is in upper case, or of the account."""

    feed: str
    product: str


@attrs.define
class _State:
    """What is known of one subscription.

    Attributes:
        heard: When something last came of it.
        asked: When it was last asked for again.
        due: When an answer to that must have come; None when none is awaited.
        compare_until: Until when a snapshot is taken for the answer.
    """

    heard: float
    asked: float = float("-inf")
    due: float | None = None
    compare_until: float = float("-inf")


class Silence:
    """Watches the subscriptions that were acknowledged on one connection.

    Args:
        quiet_after: Seconds of silence after which one is asked for again; 0 for never.
        patience: Seconds within which an answer must come, and before which none is asked for again.
    """

    def __init__(self, quiet_after: float, patience: float) -> None:
        self._quiet_after = quiet_after
        self._patience = patience
        self._states: dict[Key, _State] = {}
        self._wanted: dict[Key, None] = {}

    def reset(self) -> None:
        """Forget everything: the connection is a new one."""
        self._states.clear()
        self._wanted.clear()

    def acknowledged(self, key: Key, now: float) -> None:
        """The venue said that it is subscribed."""
        state = self._states.setdefault(key, _State(now))
        state.heard, state.due = max(state.heard, now), None

    def forget(self, key: Key) -> None:
        """It is not subscribed any more."""
        self._states.pop(key, None)
        self._wanted.pop(key, None)

    def heard(self, key: Key, now: float) -> None:
        """Something came of it."""
        state = self._states.get(key)
        if state is not None and now > state.heard:
            state.heard, state.due = now, None

    def want(self, key: Key) -> bool:
        """Have it asked for again as soon as that may be; return whether it is subscribed at all."""
        if key not in self._states:
            return False
        self._wanted[key] = None
        return True

    def answers(self, key: Key, now: float) -> bool:
        """Return, once, whether a snapshot that comes now answers our asking after a silence, and shows what it hid."""
        state = self._states.get(key)
        if state is None or now > state.compare_until:
            return False
        state.compare_until = float("-inf")
        return True

    def due(self, now: float) -> list[Key]:
        """Return what to ask for again now: first what something is known to be missing of."""
        found = [key for key in self._wanted if now - self._states[key].asked >= self._patience]
        found += [key for key in self._silent(now) if key not in self._wanted]
        return found[:MOST_AT_ONCE]

    def asked(self, keys: Iterable[Key], now: float) -> None:
        """They are asked for again."""
        for key in keys:
            state = self._states[key]
            state.asked = now
            state.due = now + self._patience
            if key in self._wanted:
                del self._wanted[key]  # that something is missing is known and told of already
            else:
                state.compare_until = state.due

    def verdict(self, now: float) -> str | None:
        """Return what was asked for again and never answered, or None."""
        for key, state in self._states.items():
            if state.due is not None and now > state.due:
                name = " ".join(part for part in key if part)
                return f"{name}: silent for {now - state.heard:.0f} s, and asking for it again was not answered"
        return None

    def _silent(self, now: float) -> Iterator[Key]:
        if self._quiet_after <= 0:
            return
        for key, state in self._states.items():
            if state.due is None and now - max(state.heard, state.asked) >= self._quiet_after:
                yield key
