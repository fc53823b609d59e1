"""The parts that one simulated venue is made of, handed around together."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from exchange_core.connector.simulation import SimExchange
from kraken_futures.simulator.feed.hub import Hub
from kraken_futures.simulator.feed.notices import Notices
from kraken_futures.simulator.limits import Limits
from kraken_futures.simulator.markets.contracts import Contracts, Row
from kraken_futures.simulator.money.bank import Bank
from kraken_futures.simulator.orders.desk import Desk
from kraken_futures.simulator.past.chronicle import Chronicle
from kraken_futures.simulator.rest.programs import Programs
from kraken_futures.simulator.settings import Settings


@attrs.frozen(kw_only=True)
class Venue:
    """One simulated Kraken Futures."""

    exchange: SimExchange
    contracts: Contracts
    chronicle: Chronicle
    hub: Hub
    settings: Settings
    bank: Bank
    notices: Notices
    limits: Limits
    desk: Desk
    programs: Programs

    @staticmethod
    def on(exchange: SimExchange, limits: Limits, rows: Mapping[str, Row] | None = None) -> Venue:
        """Build one; *rows* are what a recorded list says of its contracts, by symbol."""
        contracts = Contracts(exchange, rows)
        chronicle = Chronicle(exchange, contracts)  # hears everything before the hub tells it
        hub = Hub(exchange, contracts, chronicle)
        settings = Settings(exchange, contracts)
        return Venue(
            exchange=exchange,
            contracts=contracts,
            chronicle=chronicle,
            hub=hub,
            settings=settings,
            bank=Bank(exchange, contracts, chronicle, hub),
            notices=Notices(exchange, contracts),
            limits=limits,
            programs=Programs(exchange, contracts),
            desk=Desk(exchange, contracts, chronicle, hub, settings, limits),
        )

    def look(self) -> None:
        """Do what is due by now, and note what only time brings."""
        self.exchange.step()
        self.chronicle.look()
        self.notices.look()
