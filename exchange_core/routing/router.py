"""Route orders over venues: look at all of them at once, plan, carry out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from decimal import Decimal, localcontext

import attrs

from exchange_core.clock import Clock, SystemClock
from exchange_core.errors import ExchangeError, OrderRefused
from exchange_core.model.number import EXACT
from exchange_core.model.order import OrderRequest
from exchange_core.routing.execution import Execution
from exchange_core.routing.gather import gather_quotes
from exchange_core.routing.leg import Patience
from exchange_core.routing.planner import MAX_AGE, check_routable, plan
from exchange_core.routing.plans import Leg, Plan, Rejection
from exchange_core.routing.policies import BEST_PRICE, Policy, choose, collect
from exchange_core.routing.result import LegOutcome, RouteResult
from exchange_core.venue.protocol import Venue


class Router:
    """Plans and carries out orders over some venues. It opens nothing for good and closes nothing."""

    def __init__(
        self,
        venues: Mapping[str, Venue],
        *,
        policies: Mapping[str, Policy] | None = None,
        max_age: timedelta = MAX_AGE,
        quote_timeout: float = 10.0,
        patience: Patience | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Args:
        policies: By name; the core's own without it. See ``collect``.
        max_age: How old a quote may be for planning, and a plan for carrying it out.
        quote_timeout: Seconds to wait for a venue's live book and funds.
        """
        self._venues = venues
        self._policies = collect() if policies is None else policies
        self._max_age = max_age
        self._quote_timeout = quote_timeout
        self._patience = patience
        self._clock = clock or SystemClock()

    async def plan(self, request: OrderRequest, *, policy: str = BEST_PRICE, without: Collection[str] = ()) -> Plan:
        """Look at every venue that trades the symbol and split *request* over them. Sends no order.

        Args:
            without: Venues not to use.

        Raises:
            ConfigError: No such policy.
            NotSupported, UnknownSymbol, InsufficientFunds, OrderRefused: As the planner says.
            OrderRefused: A venue, or a ``review_order`` hook, would not let a leg be sent; names each one.
        """
        split = choose(policy, self._policies)
        check_routable(request)
        venues = {name: venue for name, venue in self._venues.items() if name not in without}
        left_out = [
            Rejection(venue=name, reason="it is left out of this plan") for name in self._venues if name in without
        ]
        quotes, rejections = await gather_quotes(request.symbol, venues, within=self._quote_timeout, clock=self._clock)
        made = plan(
            request,
            quotes,
            now=self._clock.now(),
            max_age=self._max_age,
            policy=split,
            policy_name=policy,
            rejections=[*rejections, *left_out],
        )
        await self._check(made)
        return made

    async def execute(self, first: Plan, *, retries: int = 0) -> RouteResult:
        """Carry out a plan, once.

        Args:
            retries: How often what venues *refused* may be planned again, for other venues. What is unknown never is.

        Raises:
            OrderRefused: The plan is too old or was carried out before.
        """
        result = await self._carry_out(first)
        for _ in range(retries):
            bad = {leg.leg.venue for leg in result.legs if leg.outcome in (LegOutcome.REFUSED, LegOutcome.UNKNOWN)}
            last = result.legs[-len(result.plans[-1].legs) :]
            with localcontext(EXACT):
                refused = sum((leg.leg.quantity for leg in last if leg.outcome is LegOutcome.REFUSED), Decimal(0))
            if not refused:
                break
            try:
                again = await self.plan(attrs.evolve(first.request, quantity=refused), policy=first.policy, without=bad)
            except ExchangeError as error:
                return attrs.evolve(
                    result, notes=(*result.notes, f"what was refused could not be planned again: {error}")
                )
            more = await self._carry_out(again)
            result = attrs.evolve(result, plans=(*result.plans, again), legs=(*result.legs, *more.legs))
        return result

    async def _check(self, made: Plan) -> None:
        """Ask each venue whether it would send its leg, so that a plan that is only looked at tells it too."""
        refused: list[tuple[Leg, ExchangeError]] = []
        for leg in made.legs:
            try:
                await self._venues[leg.venue].check(leg.request)
            except ExchangeError as error:
                refused.append((leg, error))
        if refused:
            reasons = "; ".join(f"{leg.venue} would not send its leg ({leg}): {error}" for leg, error in refused)
            raise OrderRefused(f"route {made.request.symbol}: no leg was sent: {reasons}") from refused[0][1]

    async def _carry_out(self, each: Plan) -> RouteResult:
        execution = Execution(each, self._venues, patience=self._patience, max_age=self._max_age, clock=self._clock)
        return await execution.run()
