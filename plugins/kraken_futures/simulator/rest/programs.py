"""The assignment programme, and margins of a portfolio.

See https://docs.kraken.com/api/docs/futures-api/trading/assignment-program and simulate-portfolio
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import attrs

from exchange_core.connector.saved_state import AsTold, Room
from exchange_core.connector.simulation import SimExchange
from kraken_futures.simulator.codec import Arguments, Refused, decode, illegal, iso, number, read_decimal, real
from kraken_futures.simulator.markets.contracts import INVERSE, LINEAR, Contracts

_FRAMES = ("WEEKDAYS", "WEEKEND", "ALL")
_ZERO = Decimal(0)

Fields = dict[str, Any]


@attrs.define
class Entries:
    """One account's readiness to take positions over, as it changed. Nobody is ever assigned any here."""

    current: dict[int, AsTold] = attrs.field(factory=dict)
    history: list[AsTold] = attrs.field(factory=list)


class Programs(Room):
    """Answers for both."""

    KEEPS: ClassVar = {"_entries": dict[str, Entries]}

    def __init__(self, exchange: SimExchange, contracts: Contracts) -> None:
        self._entries: dict[str, Entries] = {}
        self._exchange = exchange
        self._contracts = contracts

    def _of(self, account: str) -> Entries:
        return self._entries.setdefault(account, Entries())

    def current(self, account: str, given: Arguments) -> Fields:
        return {"participants": [*self._of(account).current.values()]}

    def history(self, account: str, given: Arguments) -> Fields:
        return {"participants": self._of(account).history}

    def add(self, account: str, given: Arguments) -> Fields:
        kind, frame = given.required("contractType"), given.required("timeFrame")
        if kind not in (LINEAR, INVERSE):
            raise illegal("contractType")
        if frame not in _FRAMES:
            raise illegal("timeFrame")
        for name in ("acceptLong", "acceptShort", "enabled"):
            given.required(name)
        participant: Fields = {"contractType": kind, "contract": None, "maxSize": None, "maxPosition": None}
        if given.text("contract"):
            contract = self._contracts.find(given.text("contract"))
            if contract is None:
                raise illegal("contract")
            participant["contract"] = contract.id
        for name in ("maxSize", "maxPosition"):
            if (value := given.maybe(name)) is not None:
                participant[name] = number(value)
        participant |= {name: given.flag(name) for name in ("acceptLong", "acceptShort", "enabled")}
        entries = self._of(account)
        entry = {"id": len(entries.history) + 1, "participant": participant | {"timeFrame": frame}}
        entries.current[len(entries.history) + 1] = entry
        self._remember(entries, entry, deleted=False)
        return entry

    def delete(self, account: str, given: Arguments) -> Fields:
        given.required("id")
        entries = self._of(account)
        entry = entries.current.pop(given.integer("id", 0, 0, 2**53), None)
        if entry is None:
            raise Refused("notFound")
        self._remember(entries, entry, deleted=True)
        return entry

    def _remember(self, entries: Entries, entry: Fields, *, deleted: bool) -> None:
        entries.history.append({**entry, "timestamp": iso(self._exchange.now()), "deleted": deleted})

    # ── portfolio margining, which the venue only has in its demo environment ──

    def parameters(self, account: str, given: Arguments) -> Fields:
        """Return numbers of the form that the venue's are of; its own are not published."""
        return {
            "crossAssetNettingFactor": real(_ZERO),
            "extremePriceShockMultiplier": real(Decimal(2)),
            "volShockMultiplier": real(Decimal(1)),
            "totalUserLimits": {"maxNetPositionDelta": real(_ZERO), "maxAbsoluteOptionPositionDelta": real(_ZERO)},
        }

    def simulate(self, account: str, given: Arguments) -> Fields:
        """Work out margins of ``{"positions": [{"instrument", "size", "entryPrice"}]}``; nothing is netted."""
        try:
            asked = decode(given.required("json"))
        except ValueError:
            raise Refused("Json Parse Error") from None
        rows = asked.get("positions", []) if isinstance(asked, dict) else None
        if not isinstance(rows, list):
            raise illegal("json")
        sums = [(_ZERO,) * 4, *(self._margins(row) for row in rows)]
        initial, maintenance, profit, delta = (sum(column, _ZERO) for column in zip(*sums, strict=True))
        return {
            "maintenanceMargin": real(maintenance),
            "initialMargin": real(initial),
            "pnl": real(profit),
            "portfolioMarginBreakdown": {
                "totalCrossAssetNettedMarketRisk": real(maintenance),
                "totalMarketRisk": real(maintenance),
                "totalScenarioPnls": [],
                "totalAbsoluteOptionPositionDeltaNotional": real(_ZERO),
                "netPortfolioDelta": real(delta),
                "totalPremium": real(_ZERO),
                "isBuyOnly": False,
                "futuresMaintenanceMargin": real(maintenance),
            },
            "greeks": {},
        }

    def _margins(self, row: Any) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Return initial and maintenance margin, profit and delta of one position, in dollars."""
        if not isinstance(row, dict):
            raise illegal("json")
        contract = self._contracts.find(str(row.get("instrument", "")))
        size = read_decimal(str(row.get("size", "")))
        if contract is None or contract.symbol.is_inverse or size is None:
            raise illegal("json")
        mark = contract.mark()
        entry = read_decimal(str(row["entryPrice"])) if row.get("entryPrice") is not None else mark
        if entry is None:
            raise illegal("json")
        value, level = abs(contract.value(size, mark)), contract.level_of(size, mark)
        return value * level.initial, value * level.maintenance, contract.value(size, mark - entry), size * mark
