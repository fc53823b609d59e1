"""What the venue announces: maintenance that it was told of, and contracts that end.

See https://docs.kraken.com/api/docs/futures-api/trading/get-notifications
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

import attrs

from exchange_core.connector.saved_state import Room
from exchange_core.connector.simulation import SimExchange
from exchange_core.model.event import VenueState
from exchange_core.model.time import to_millis
from kraken_futures.simulator.codec import Arguments, iso
from kraken_futures.simulator.markets.contracts import Contracts

Fields = dict[str, Any]

_BEFORE, _AFTER = timedelta(days=7), timedelta(days=1)


@attrs.frozen(kw_only=True)
class Notice:
    """One announcement.

    Attributes:
        kind: market, general, new_feature, bug_fix, maintenance, settlement.
        priority: low, medium, high; maintenance of high priority is downtime.
    """

    id: int
    kind: str
    priority: str
    note: str
    effective: datetime
    downtime_minutes: int | None = None

    def for_rest(self) -> Fields:
        row: Fields = {
            "type": self.kind,
            "priority": self.priority,
            "note": self.note,
            "effectiveTime": iso(self.effective),
        }
        minutes = self.downtime_minutes
        return row if minutes is None else row | {"expectedDowntimeMinutes": minutes}

    def for_feed(self) -> Fields:
        row: Fields = {
            "id": self.id,
            "type": self.kind,
            "priority": self.priority,
            "note": self.note,
            "effective_time": to_millis(self.effective),
        }
        minutes = self.downtime_minutes
        return row if minutes is None else row | {"expected_downtime_minutes": minutes}


class Notices(Room):
    """All announcements that stand; the ends of contracts announce themselves a week before."""

    KEEPS: ClassVar = {"_told": list[Notice], "_ends": set[str], "_count": int}

    def __init__(self, exchange: SimExchange, contracts: Contracts) -> None:
        self._exchange = exchange
        self._contracts = contracts
        self._told: list[Notice] = []
        self._ends: set[str] = set()
        self._count = 0
        self._state = exchange.state
        self._listeners: list[Callable[[Fields], None]] = []

    def announce(
        self, kind: str, priority: str, note: str, effective: datetime, downtime_minutes: int | None = None
    ) -> None:
        """Tell everybody something; it stands until a day after it is effective."""
        self._count += 1
        notice = Notice(
            id=self._count,
            kind=kind,
            priority=priority,
            note=note,
            effective=effective,
            downtime_minutes=downtime_minutes,
        )
        self._told.append(notice)
        for listener in tuple(self._listeners):
            listener(notice.for_feed())

    def look(self) -> None:
        """Announce what the clock brings."""
        now = self._exchange.now()
        if self._exchange.state is not self._state:
            self._state = self._exchange.state
            if self._state is VenueState.MAINTENANCE:
                self.announce("maintenance", "high", "The platform is down for maintenance.", now)
        for contract in self._contracts:
            expiry = contract.instrument.expiry
            if expiry is None:
                continue
            if now >= expiry - _BEFORE:
                self._announce_once(contract.id, f"{contract.id} stops trading and is settled.", expiry)
            if now >= expiry:
                self._announce_once(f"{contract.id} settled", f"{contract.id} was settled.", expiry)
        self._told = [notice for notice in self._told if now < notice.effective + _AFTER]

    def rest(self, account: str, given: Arguments) -> Fields:
        self.look()
        return {"notifications": [notice.for_rest() for notice in self._told]}

    def for_feed(self) -> list[Fields]:
        self.look()
        return [notice.for_feed() for notice in self._told]

    def listen(self, listener: Callable[[Fields], None]) -> None:
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[Fields], None]) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def _announce_once(self, key: str, note: str, effective: datetime) -> None:
        if key not in self._ends:
            self._ends.add(key)
            self.announce("settlement", "low", note, effective)
