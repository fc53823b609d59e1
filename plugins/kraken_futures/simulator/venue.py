"""The parts that one simulated venue is made of, handed around together."""

from __future__ import annotations

import attrs

from exchange_core.connector.simulation import SimExchange
from kraken_futures.simulator.contracts import Contracts
from kraken_futures.simulator.hub import Hub


@attrs.frozen(kw_only=True)
class Venue:
    """One simulated Kraken Futures."""

    exchange: SimExchange
    contracts: Contracts
    hub: Hub
