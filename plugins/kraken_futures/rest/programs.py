"""The assignment programme and portfolio margining, reached as ``operations.programs``.

See https://docs.kraken.com/api/docs/futures-api/trading/assignment-program and simulate-portfolio
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, NotSupported
from exchange_core.model.number import exact, plain
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.limits import units
from kraken_futures.pages import Rows
from kraken_futures.parse import account as parse_account
from kraken_futures.parse.rows import made, rows
from kraken_futures.rest.calls import API, change, private
from kraken_futures.types.account import Assignment, MarginSimulation
from kraken_futures.wire import account as wire

_FRAMES = ("WEEKDAYS", "WEEKEND", "ALL")


@attrs.frozen
class ProgramCalls:
    """Taking over positions of those who are liquidated; margins of a whole portfolio."""

    _context: VenueContext

    def assignments(self) -> Flow[Rows[Assignment]]:
        """Return what of the assignment programme is in force."""
        return (yield from self._assignments("assignmentprogram/current"))

    def past_assignments(self) -> Flow[Rows[Assignment]]:
        """Return every change of it."""
        return (yield from self._assignments("assignmentprogram/history"))

    def add_assignment(
        self,
        contract_type: str,
        *,
        accept_long: bool,
        accept_short: bool,
        time_frame: str = "ALL",
        enabled: bool = True,
        contract: Symbol | str | None = None,
        max_size: Decimal | int | str | None = None,
        max_position: Decimal | int | str | None = None,
    ) -> Flow[Assignment]:
        """Be ready to take over positions. They come as fills and cannot be declined."""
        if time_frame not in _FRAMES:
            raise InvalidValue(f"time_frame: {time_frame!r} is none of {', '.join(_FRAMES)}")
        params = {
            "contractType": contract_type,
            "contract": None if contract is None else naming.venue_id(self._context.symbols, contract),
            "maxSize": None if max_size is None else plain(exact(max_size, "max_size")),
            "maxPosition": None if max_position is None else plain(exact(max_position, "max_position")),
            "acceptLong": accept_long,
            "acceptShort": accept_short,
            "timeFrame": time_frame,
            "enabled": enabled,
        }
        return (yield from self._change("assignmentprogram/add", params))

    def delete_assignment(self, assignment_id: int) -> Flow[Assignment]:
        """Take such a readiness back."""
        return (yield from self._change("assignmentprogram/delete", {"id": assignment_id}))

    def margin_parameters(self) -> Flow[Mapping[str, Any]]:
        """Return the parameters of portfolio margining, with the venue's own names.

        Raises:
            NotSupported: Anywhere but in the demo environment.
        """
        self._only_demo("portfolio-margining/parameters")
        reply: dict[str, msgspec.Raw] = yield private(
            "portfolio-margining/parameters", dict[str, msgspec.Raw], cost="portfolio-margining"
        )
        return {
            name: parse_account.as_values(raw) for name, raw in reply.items() if name not in ("result", "serverTime")
        }

    def simulate_margin(self, portfolio: Mapping[str, Any]) -> Flow[MarginSimulation]:
        """Work out what a portfolio of balances and positions would need.

        Args:
            portfolio: In the venue's own form; Decimals become numbers.

        Raises:
            NotSupported: Anywhere but in the demo environment.
        """
        self._only_demo("portfolio-margining/simulate")
        text = msgspec.json.Encoder(decimal_format="number").encode(portfolio).decode()
        reply: wire.Simulation = yield RestCall(
            method="POST",
            path=API + "portfolio-margining/simulate",
            params={"json": text},
            reply=wire.Simulation,
            private=True,
            costs=units("portfolio-margining"),
        )
        return made(
            MarginSimulation,
            reply,
            portfolio_margin_breakdown=parse_account.breakdown(reply.portfolio_margin_breakdown),
            greeks=parse_account.as_values(reply.greeks),
        )

    def _assignments(self, endpoint: str) -> Flow[Rows[Assignment]]:
        reply: wire.Participations = yield private(endpoint, wire.Participations, cost="assignmentprogram")
        symbols, what = self._context.symbols, f"{self._context.venue}: {endpoint}"
        return rows(reply.participants, wire.Participation, lambda raw: parse_account.assignment(raw, symbols), what)

    def _change(self, endpoint: str, params: Mapping[str, Any]) -> Flow[Assignment]:
        reply: wire.Participation = yield change(endpoint, wire.Participation, params, costs=units("assignmentprogram"))
        return parse_account.assignment(reply, self._context.symbols)

    def _only_demo(self, endpoint: str) -> None:
        environment = self._context.config.environment
        if environment != "demo":
            raise NotSupported(
                f"{self._context.venue}: {endpoint} is only offered by the demo environment; this one is {environment}",
                venue=self._context.venue,
            )
