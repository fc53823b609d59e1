"""What ``[venues.NAME]`` takes for Tidepool: the common options, with Tidepool's own addresses."""

import attrs

from exchange_core.connector.spec import VenueConfig


@attrs.frozen(kw_only=True)
class TidepoolConfig(VenueConfig):
    """Common options; the addresses are those of the live exchange unless given."""

    rest_url: str = "https://api.tidepool.example"
    ws_url: str = "wss://api.tidepool.example/stream"
