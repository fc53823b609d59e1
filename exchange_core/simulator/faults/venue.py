"""What faults do to the venue itself: its clock, the states of its markets, and restarts.

Nothing happens by itself: whoever steps the exchange looks here first.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from exchange_core.connector.simulation import WireProtocol
from exchange_core.errors import ConfigError
from exchange_core.model.event import VenueState
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.simulator.faults.actions import WORDS, OnMarkets, Restart
from exchange_core.simulator.faults.schedule import Fault
from exchange_core.simulator.faults.tally import Faults, Tally


@runtime_checkable
class Restartable(Protocol):
    """A wire protocol that keeps something which the venue forgets when its servers begin anew."""

    def restarted(self) -> None: ...


class VenueFaults:
    """Lets faults of one venue begin and end.

    Attributes:
        restarts: How often the venue was started anew; connections from before are cut.
    """

    def __init__(self, faults: Faults, exchange: SimulatedExchange, protocol: WireProtocol) -> None:
        """Raises: ConfigError: One of the faults can never befall this venue."""
        self.restarts = 0
        self._faults = faults
        self._exchange = exchange
        self._protocol = protocol
        self._met: list[Tally] = []
        for tally in faults.tallies:
            self._check(tally.fault)
        faults.check = self._check

    def look(self) -> None:
        """Do what began or ended since the last look."""
        if not self._faults and not self._met:
            return
        lasting = self._faults.in_force()
        self._exchange.skew = self._faults.skew()
        if lasting == self._met:
            return
        begun = [tally for tally in lasting if tally not in self._met]
        self._met = lasting
        for tally in begun:
            if not tally.fault.is_about_traffic:
                tally.fire(tally.since)
            if isinstance(tally.fault.action, Restart):
                self.restarts += 1
                if isinstance(self._protocol, Restartable):
                    self._protocol.restarted()
        self._set_states()

    def _set_states(self) -> None:
        """Let markets and the venue as a whole take what the first fault about each says."""
        state = VenueState.ONLINE
        forced: dict[Symbol, InstrumentStatus] = {}
        for tally in reversed(self._met):
            match tally.fault.action:
                case Restart():
                    state, forced = VenueState.MAINTENANCE, self._all(InstrumentStatus.OFFLINE)
                case OnMarkets(symbol=None) as action:
                    # Open point: whether each market says so too when the whole venue does.
                    state, forced = action.state or state, self._all(action.status)
                case OnMarkets(symbol=symbol) as action if symbol is not None:
                    forced[symbol] = action.status
        self._exchange.state = state
        for symbol in self._all(InstrumentStatus.ONLINE):
            self._exchange.force_status(symbol, forced.get(symbol))

    def _all(self, status: InstrumentStatus) -> dict[Symbol, InstrumentStatus]:
        return {market.instrument.symbol: status for market in self._exchange.markets()}

    def _check(self, fault: Fault) -> None:
        action, spec = fault.action, self._exchange.spec
        if not isinstance(action, OnMarkets):
            return
        if action.status not in spec.statuses:
            there_are = [
                word for word, kind in WORDS.items() if issubclass(kind, OnMarkets) and kind.status in spec.statuses
            ]
            raise ConfigError(
                f"{spec.section}: {action.word} is no state of its markets; expected {', '.join(there_are)}, "
                "or venue = another one"
            )
        symbols = self._all(action.status)
        if action.symbol is not None and action.symbol not in symbols:
            some = ", ".join(str(symbol) for symbol in list(symbols)[:5])
            raise ConfigError(
                f"{spec.section}: there is no market {action.symbol}, but {some}; or say venue = another one"
            )
