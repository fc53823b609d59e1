"""Walk histories without a network, and without a loop of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from exchange_core.connector.pages import History, HistoryPage
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.testing.world import run_flow
from exchange_core.venue.history import HistoryStream

T = TypeVar("T")

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def walk(
    history: History[T], answer: Callable[[RestCall], object], cursor: str | None = None, now: datetime = NOW
) -> HistoryStream[T]:
    """Return a walk over *history*, as ``venue.history`` does.

    Args:
        answer: Returns the decoded reply to a call, or raises what the walk shall see of it.
    """

    async def run(flow: Flow[HistoryPage[T]]) -> HistoryPage[T]:
        return run_flow(flow, answer)

    return HistoryStream(history, run, lambda: now, cursor)


def whole(history: History[T]) -> Flow[list[T]]:
    """Return what *history* has on all its pages, as one operation."""
    page = yield from history.fetch(None)
    found = [entry.value for entry in page.entries]
    while page.cursor is not None:
        page = yield from history.fetch(page.cursor)
        found += [entry.value for entry in page.entries]
    return found


def take(stream: HistoryStream[T], count: int | None = None) -> list[T]:
    """Read so many entries, or all that are left."""

    async def read() -> list[T]:
        found: list[T] = []
        while count is None or len(found) < count:
            try:
                found.append(await anext(stream))
            except StopAsyncIteration:
                break
        return found

    return asyncio.run(read())
