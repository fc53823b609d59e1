"""Tidepool keeps what every venue plugin promises."""

from exchange_tidepool.plugin import TIDEPOOL

from exchange_core.testing.contract import VenueContract


class TestTidepool(VenueContract):
    spec = TIDEPOOL
