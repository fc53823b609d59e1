"""A clock that stands still until a test moves it."""

from __future__ import annotations

from exchange_core.simulator.clock import SteppedClock as ManualClock

__all__ = ["ManualClock"]
