"""Runs the flows of walks through the past: reads only, and patient ones."""

from __future__ import annotations

import logging
from typing import Any, TypeVar

from exchange_core.clock import Clock
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.errors import ExchangeError, LockedOut, PluginError, RateLimited
from exchange_core.transport.rest_client import RestClient

T = TypeVar("T")

MOST_WAITS = 20
"""So often a call may be told to wait before that is raised."""

_log = logging.getLogger(__name__)


class Reader:
    """Runs flows through a venue's client, and so within its limits.

    A walk takes many calls, other walks and orders take from the same limits, and nobody minds when it takes longer.
    So a call that would have to wait for longer than the client lets it is asked again when its time has come.
    """

    def __init__(self, rest: RestClient, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock

    async def run(self, flow: Flow[T]) -> T:
        """Make each call that *flow* asks for; return what it returns.

        Raises:
            PluginError: The flow wants to change something.
        """
        try:
            call = next(flow)
            while True:
                if call.changes_state:
                    raise PluginError(f"{self._rest.venue}: {call.method} {call.path}: a history may only read")
                try:
                    answer = await self._answer(call)
                except ExchangeError as error:
                    call = flow.throw(error)
                else:
                    call = flow.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            flow.close()

    async def _answer(self, call: RestCall) -> Any:
        for _ in range(MOST_WAITS):
            try:
                return await self._rest.run(_alone(call))
            except LockedOut:
                raise
            except RateLimited as error:
                if error.retry_after is None:
                    raise
                _log.info("%s: %s; the walk goes on in %.1f s", self._rest.venue, error, error.retry_after)
                await self._clock.sleep(error.retry_after)
        return await self._rest.run(_alone(call))


def _alone(call: RestCall) -> Flow[Any]:
    return (yield call)
