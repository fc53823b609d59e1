"""The tasks that work behind one venue: in a TaskGroup, ended with it, their failure raised to the user."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class Background:
    """A TaskGroup that is ended rather than awaited.

    When a task fails, the body of the ``async with`` is cancelled and the task's error raised at its end, as itself
    where there is one. What the body raises passes unchanged.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        return self._group is not None

    async def __aenter__(self) -> Self:
        group = asyncio.TaskGroup()
        await group.__aenter__()
        self._group = group
        return self

    def spawn(self, coroutine: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        """Run *coroutine* until it returns or the venue is closed.

        Raises:
            RuntimeError: Outside of the ``async with``.
        """
        if self._group is None:
            coroutine.close()
            raise RuntimeError(f"{self._name}: not open; use it inside its async with")
        try:
            task = self._group.create_task(coroutine, name=f"{self._name}: {what}")
        except RuntimeError as error:
            coroutine.close()
            raise RuntimeError(f"{self._name}: closing down, {what} was not started") from error
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        for task in list(self._tasks):
            task.cancel()
        # The group must not wrap what the body raised; only its own cancelling of the body concerns it.
        cancelled = error if isinstance(error, asyncio.CancelledError) else None
        try:
            await group.__aexit__(type(cancelled) if cancelled else None, cancelled, traceback)
        except BaseExceptionGroup as errors:
            if len(errors.exceptions) == 1:
                raise errors.exceptions[0] from error
            raise
