"""Both plugins keep what every venue plugin promises."""

from exchange_core.testing.contract import VenueContract
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_spot.plugin import KRAKEN_SPOT


class TestKrakenSpot(VenueContract):
    spec = KRAKEN_SPOT


class TestKrakenFutures(VenueContract):
    spec = KRAKEN_FUTURES
