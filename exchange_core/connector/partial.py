"""Lists that a venue sent whole and that could not be read whole: what they lack is not gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


class Partial(list[T]):
    """A list without those of its entries that do not read. Absence from it proves nothing.

    Operations may return one wherever they return a list: orders, fills, positions, balances.

    Attributes:
        unreadable: What is wrong with each entry that is left out.
    """

    def __init__(self, items: Iterable[T], unreadable: Iterable[str]) -> None:
        super().__init__(items)
        self.unreadable = tuple(unreadable)


def listed(items: Iterable[T], unreadable: Iterable[str]) -> list[T]:
    """Return *items* as a list, as a :class:`Partial` one where something is *unreadable*."""
    problems = tuple(unreadable)
    return Partial(items, problems) if problems else list(items)


def left_out(found: object) -> tuple[str, ...]:
    """Return what a list lacks; nothing for one that is whole."""
    return found.unreadable if isinstance(found, Partial) else ()
