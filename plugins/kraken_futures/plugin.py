"""Kraken Futures as one VenueSpec, and the hook that offers it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from exchange_core.connector.spec import FeedSpec, VenueContext, VenueSpec
from exchange_core.hookspecs import hookimpl
from kraken_futures.auth import FuturesSigner
from kraken_futures.config import FuturesConfig
from kraken_futures.dialect import FuturesDialect
from kraken_futures.feed.connections import PRIVATE, PUBLIC, private_feed, public_feed
from kraken_futures.feed.requests import VARIANTS
from kraken_futures.limits import FRAMES_PER_SECOND, limits
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.terms import SUPPORT

if TYPE_CHECKING:
    from exchange_core.connector.drift import Documented
    from exchange_core.connector.pages import HistoryOperations
    from exchange_core.connector.simulation import SimulatorSpec


def client_order_id(bits: int) -> str:
    """Return a UUID of version 4; the venue takes any text of up to 100 characters that is unique."""
    text = f"{bits & _RANDOM | _VERSION_4:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_RANDOM = ~(0xF << 76 | 0xC << 60)
_VERSION_4 = 0x4 << 76 | 0x8 << 60


def simulator() -> SimulatorSpec:
    """Import the simulated side."""
    from kraken_futures.simulator import SIMULATOR

    return SIMULATOR


def documented() -> Documented:
    """Import what the venue is known to send."""
    from kraken_futures.documented.rest import DOCUMENTED

    return DOCUMENTED


def history(context: VenueContext) -> HistoryOperations:
    """Import what shows the past."""
    from kraken_futures.history import FuturesHistory

    return FuturesHistory(context)


KRAKEN_FUTURES = VenueSpec(
    name="kraken_futures",
    title="Kraken Futures",
    config=FuturesConfig,
    dialect=lambda context: FuturesDialect(context.venue),
    signer=FuturesSigner.of,
    limits=limits,
    rest=FuturesRest,
    feeds=(
        # Half of what is allowed; of connections at once, two are used.
        FeedSpec(
            name="public",
            url="ws_url",
            channels=frozenset(PUBLIC),
            make=public_feed,
            frames_per_second=FRAMES_PER_SECOND / 2,
        ),
        FeedSpec(
            name="private",
            url="ws_url",
            channels=frozenset(PRIVATE),
            make=private_feed,
            private=True,
            frames_per_second=FRAMES_PER_SECOND / 2,
        ),
    ),
    client_order_id=client_order_id,
    support=SUPPORT,
    simulator=simulator,
    history=history,
    documented=documented,
    variants=VARIANTS,
)


@hookimpl
def venues() -> Iterable[VenueSpec]:
    return [KRAKEN_FUTURES]
