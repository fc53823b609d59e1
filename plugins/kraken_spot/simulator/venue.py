"""The parts that one simulated venue is made of, handed around together."""

from __future__ import annotations

from enum import Enum

import attrs

from exchange_core.connector.simulation import SimExchange
from kraken_spot.simulator.access import Tokens
from kraken_spot.simulator.feed.hub import Hub
from kraken_spot.simulator.limits import Limits
from kraken_spot.simulator.markets.names import Names
from kraken_spot.simulator.orders.desk import Desk
from kraken_spot.simulator.rest.earn import Earn


class Host(Enum):
    """Which of the venue's WebSocket hosts a connection came to."""

    PUBLIC = "ws.kraken.com"
    AUTH = "ws-auth.kraken.com"
    LEVEL3 = "ws-l3.kraken.com"


@attrs.frozen(kw_only=True)
class Venue:
    """One simulated Kraken Spot."""

    exchange: SimExchange
    names: Names
    hub: Hub
    tokens: Tokens
    desk: Desk
    limits: Limits
    earn: Earn
