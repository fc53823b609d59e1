"""The dead man's switch: while this program speaks the venue leaves its orders alone; when it falls silent they go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from exchange_core.clock import Clock
from exchange_core.connector.order_operations import DeadMansSwitch
from exchange_core.connector.rest import RestCall
from exchange_core.connector.spec import RestOperations
from exchange_core.errors import (
    ExchangeError,
    InvalidValue,
    LockedOut,
    NotSupported,
    TransportError,
    refuses_key,
)
from exchange_core.model.event import Answered
from exchange_core.transport.rest_client import Late, RestClient
from exchange_core.venue.background import Background
from exchange_core.venue.switch import Switch
from exchange_core.venue.waiting import wait_for

# A renewal that failed is tried again so many times a period.
_TRIES = 12

_LOG = logging.getLogger(__name__)


class SwitchBoard:
    """The switch of one account; there is but one, whoever holds it."""

    def __init__(
        self, name: str, rest: RestClient, operations: RestOperations, background: Background, clock: Clock
    ) -> None:
        self._name = name
        self._rest = rest
        self._operations = operations
        self._background = background
        self._clock = clock
        self._is_held = False
        self._asked = 0
        self._answered = (0, 0)  # which was the latest that the venue took, and its seconds

    async def set(self, seconds: int) -> datetime | None:
        """Have every order cancelled in *seconds*; 0 ends that."""
        operations = self._operations
        _require_whole(seconds, 0)
        if not isinstance(operations, DeadMansSwitch):
            raise NotSupported(f"{self._name}: the venue has no dead man's switch", venue=self._name)
        self._asked = number = self._asked + 1
        fires_at = await self._rest.run(operations.cancel_all_after(seconds), self._late(number, seconds))
        self._answered = max(self._answered, (number, seconds))
        return fires_at

    @asynccontextmanager
    async def hold(self, seconds: int) -> AsyncIterator[Switch]:
        """Set the switch, and again each third of the time, until the body ends; then, if it ended well, end it."""
        _require_whole(seconds, 1)
        if self._is_held:
            raise RuntimeError(f"{self._name}: the dead man's switch is held already, and an account has but one")
        self._is_held = True
        try:
            since, switch = self._clock.monotonic(), Switch(seconds)
            switch.fires_at = await self.set(seconds)
            async with Background(f"{self._name}: dead man's switch") as background:
                over = asyncio.Event()
                renewing = background.spawn(self._renew(switch, since, over), "renewing")
                yield switch
                # A renewal that is under way must not arrive after the end.
                over.set()
                await asyncio.wait([renewing])
            # Only here: whoever failed, or was cancelled, may have left orders that nobody looks after.
            await self._end()
        finally:
            self._is_held = False

    def _late(self, number: int, seconds: int) -> Late:
        """Return what takes the answer that comes after it was given up: it may undo what was said later, elsewhere."""

        def take(_: RestCall, answer: Answered) -> None:
            latest, wanted = self._answered
            if answer.error is not None or number > latest or seconds == wanted:
                return
            _LOG.warning("%s: the dead man's switch was set to %d s late; told again: %d", self._name, seconds, wanted)
            try:
                self._background.spawn(self._again(latest, wanted), "the dead man's switch")
            except RuntimeError:
                _LOG.error("%s: closed while the dead man's switch may be set to %d s", self._name, seconds)

        return take

    async def _again(self, latest: int, seconds: int) -> None:
        """Tell the venue what it was told last, unless it is told something else meanwhile."""
        if latest != self._asked:
            return
        try:
            await self.set(seconds)
        except ExchangeError as error:
            _LOG.error("%s: the dead man's switch could not be set to %d s again: %s", self._name, seconds, error)

    async def _renew(self, switch: Switch, since: float, over: asyncio.Event) -> None:
        """Tell the venue again and again.

        Args:
            since: When it was begun to be told for the last time.
        """
        while not await wait_for(self._clock, over, switch.seconds / 3):
            since = await self._renew_once(switch, since, over)

    async def _renew_once(self, switch: Switch, since: float, over: asyncio.Event) -> float:
        """Tell the venue, however often it takes; return when that was begun.

        Raises:
            ExchangeError: It could not be told in two thirds of the time, and will cancel everything after the third.
        """
        last = since + switch.seconds * 2 / 3
        while True:
            began = self._clock.monotonic()
            try:
                switch.fires_at = await self._within(switch.seconds, max(last - began, switch.seconds / _TRIES))
            except ExchangeError as error:
                left = since + switch.seconds - self._clock.monotonic()
                hopeless = isinstance(error, LockedOut | NotSupported) or refuses_key(error)
                if hopeless or self._clock.monotonic() + switch.seconds / _TRIES > last:
                    error.add_note(
                        f"{self._name}: the dead man's switch could not be renewed; the venue cancels every order of "
                        f"the account in {max(0.0, left):.1f} s"
                    )
                    _LOG.error("%s: the dead man's switch could not be renewed: %s", self._name, error)
                    raise
                _LOG.warning("%s: the dead man's switch was not renewed, %.1f s are left: %s", self._name, left, error)
                if await wait_for(self._clock, over, switch.seconds / _TRIES):
                    return since
            else:
                switch.renewals += 1
                if began - since > switch.seconds:
                    _LOG.error(
                        "%s: the dead man's switch was renewed %.1f s too late: every order may have been cancelled",
                        self._name,
                        began - since - switch.seconds,
                    )
                return began

    async def _within(self, seconds: int, patience: float) -> datetime | None:
        """Tell the venue, and wait no longer than *patience* for its answer."""
        told = asyncio.ensure_future(self.set(seconds))
        alarm = asyncio.ensure_future(self._clock.sleep(patience))
        try:
            await asyncio.wait([told, alarm], return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            if not told.done():
                told.cancel()
                await asyncio.wait([told])
        if told.cancelled():
            raise TransportError(f"{self._name}: no answer within {patience:.1f} s", venue=self._name)
        return told.result()

    async def _end(self) -> None:
        try:
            await self.set(0)
        except ExchangeError as error:
            error.add_note(f"{self._name}: the dead man's switch may still be on: the venue may cancel every order")
            raise


def _require_whole(seconds: object, least: int) -> None:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < least:
        raise InvalidValue(f"seconds: {seconds!r} is no whole number of {least} or more")
