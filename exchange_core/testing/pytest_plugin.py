"""The fixture ``simulated_exchange``, which pytest finds by itself where this package is installed.

Nothing is imported before a test asks for it. See docs/simulator.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from exchange_core.testing.simulated import SimulatedVenue


@pytest.fixture
def simulated_exchange() -> Iterator[Callable[..., SimulatedVenue]]:
    """Start simulated venues: call it with a plugin's name and what ``simulated_venue`` takes; all end with the test.

    For a venue that outlives a test, write a fixture of the scope that you want around
    :func:`exchange_core.testing.simulated.simulated_venue`.
    """
    from exchange_core.testing.simulated import simulated_venue

    with ExitStack() as stack:

        def start(plugin: str, **options: Any) -> SimulatedVenue:
            return stack.enter_context(simulated_venue(plugin, **options))

        yield start
