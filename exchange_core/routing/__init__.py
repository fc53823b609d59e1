"""One order over many venues: plan the cheapest fill after fees, explain it, carry it out."""

from exchange_core.routing.execution import Execution, execute
from exchange_core.routing.leg import Patience
from exchange_core.routing.planner import plan
from exchange_core.routing.plans import Alternative, Leg, Plan, Rejection, Shortfall, ShortfallReason
from exchange_core.routing.policies import BEST_PRICE, Policy, Split, collect
from exchange_core.routing.quote import VenueQuote
from exchange_core.routing.result import LegOutcome, LegResult, RouteResult
from exchange_core.routing.router import Router

__all__ = [
    "BEST_PRICE",
    "Alternative",
    "Execution",
    "Leg",
    "LegOutcome",
    "LegResult",
    "Patience",
    "Plan",
    "Policy",
    "Rejection",
    "RouteResult",
    "Router",
    "Shortfall",
    "ShortfallReason",
    "Split",
    "VenueQuote",
    "collect",
    "execute",
    "plan",
]
