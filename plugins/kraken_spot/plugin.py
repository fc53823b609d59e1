"""Kraken Spot as a venue: what the entry point ``kraken_spot`` brings.

See https://docs.kraken.com/exchange/guides/general/api-comparison
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from exchange_core.connector.spec import FeedSpec, VenueContext, VenueSpec
from exchange_core.hookspecs import hookimpl
from kraken_spot.auth import KrakenSpotSigner
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.dialect import KrakenSpotDialect
from kraken_spot.feed.carriers import DEPTHS, DEPTHS_BY_ORDER, TRIGGERS
from kraken_spot.feed.connections import PRIVATE_CHANNELS, PUBLIC_CHANNELS, PrivateFeed, PublicFeed
from kraken_spot.feed.level3 import LEVEL3_CHANNELS, Level3Feed
from kraken_spot.limits import CONNECT_WINDOW, CONNECTS, limits
from kraken_spot.orders.client_ids import client_order_id
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.terms import SUPPORT, SpotTerms

if TYPE_CHECKING:
    from exchange_core.connector.drift import Documented
    from exchange_core.connector.pages import HistoryOperations
    from exchange_core.connector.simulation import SimulatorSpec


def simulator() -> SimulatorSpec:
    """Import the simulated side."""
    from kraken_spot.simulator import SIMULATOR

    return SIMULATOR


def documented() -> Documented:
    """Import what the venue is known to send."""
    from kraken_spot.documented.rest import DOCUMENTED

    return DOCUMENTED


def history(context: VenueContext) -> HistoryOperations:
    """Import what shows the past."""
    from kraken_spot.history import KrakenSpotHistory

    return KrakenSpotHistory(context)


# The venue counts them per address of the client, and says nothing of hosts: all three together, then.
_CONNECTS: Any = {"connects": CONNECTS, "connect_window": CONNECT_WINDOW, "connect_pool": "kraken_spot"}

KRAKEN_SPOT = VenueSpec(
    name="kraken_spot",
    title="Kraken Spot",
    config=KrakenSpotConfig,
    dialect=KrakenSpotDialect,
    signer=lambda credentials, _: KrakenSpotSigner(credentials),
    limits=limits,
    rest=KrakenSpotRest,
    feeds=(
        # Ten requests a second, the default, are known to pass.
        FeedSpec(name="public", url="ws_url", channels=PUBLIC_CHANNELS, make=PublicFeed, **_CONNECTS),
        FeedSpec(
            name="private", url="ws_auth_url", channels=PRIVATE_CHANNELS, make=PrivateFeed, private=True, **_CONNECTS
        ),
        FeedSpec(name="level3", url="ws_l3_url", channels=LEVEL3_CHANNELS, make=Level3Feed, private=True, **_CONNECTS),
    ),
    client_order_id=client_order_id,
    book_depths=DEPTHS,
    book_by_order_depths=DEPTHS_BY_ORDER,
    ticker_triggers=TRIGGERS,
    support=SUPPORT,
    terms=SpotTerms,
    simulator=simulator,
    history=history,
    documented=documented,
)


@hookimpl
def venues() -> Iterable[VenueSpec]:
    return [KRAKEN_SPOT]
