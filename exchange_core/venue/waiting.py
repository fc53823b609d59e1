"""Waiting for something, but not for ever, by the clock that was passed in."""

from __future__ import annotations

import asyncio

from exchange_core.clock import Clock


async def wait_for(clock: Clock, event: asyncio.Event, seconds: float) -> bool:
    """Wait for *event*, but not longer than *seconds*; return whether it is set."""
    if not event.is_set():
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.wait(waits)
    return event.is_set()
