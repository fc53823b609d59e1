"""Ways to split an order over venues, by name.

A policy is a pure function from an order and what venues offer to quantities. The planner checks what it returns and
makes the legs, so a policy can be wrong but never dangerous. Plugins add theirs with the hook ``routing_policies``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

import attrs

from exchange_core.errors import ConfigError, PluginError
from exchange_core.hookspecs import hookimpl
from exchange_core.model.order import OrderRequest
from exchange_core.routing.offer import Offer
from exchange_core.routing.split import cheapest, in_lots

BEST_PRICE = "best_price"


@attrs.frozen(kw_only=True)
class Split:
    """A policy's answer: how much at which venue, and what should be known about it."""

    quantities: Mapping[str, Decimal]
    notes: tuple[str, ...] = ()


Policy = Callable[[OrderRequest, Sequence[Offer]], Split]


def best_price(request: OrderRequest, offers: Sequence[Offer]) -> Split:
    """Fill as much as can be filled, at the lowest cost after fees."""
    allotment = cheapest(request.require_quantity(), offers)
    return Split(quantities=in_lots(allotment.lots, offers), notes=allotment.notes)


def single_venue(request: OrderRequest, offers: Sequence[Offer]) -> Split:
    """Use one venue: of those that fill the most, the one with the lowest cost after fees."""
    allotments = [cheapest(request.require_quantity(), [offer]) for offer in offers]
    best = min(range(len(offers)), key=lambda at: allotments[at].rank)
    return Split(quantities=in_lots(allotments[best].lots, [offers[best]]))


@hookimpl
def routing_policies() -> Iterable[tuple[str, Policy]]:
    """Return the policies that come with the core."""
    return [(BEST_PRICE, best_price), ("single_venue", single_venue)]


def collect(contributed: Iterable[Iterable[tuple[str, Policy]]] = ()) -> dict[str, Policy]:
    """Return all policies by name: the core's and what the hook ``routing_policies`` collected.

    Raises:
        PluginError: When two have one name.
    """
    found: dict[str, Policy] = {}
    for name, policy in (pair for pairs in (routing_policies(), *contributed) for pair in pairs):
        if found.setdefault(name, policy) is not policy:
            raise PluginError(f"two routing policies are called {name!r}; each needs a name of its own")
    return found


def choose(name: str, policies: Mapping[str, Policy]) -> Policy:
    """Return a policy by name.

    Raises:
        ConfigError: Names those there are.
    """
    policy = policies.get(name)
    if policy is None:
        raise ConfigError(f"no routing policy {name!r}; there are {', '.join(sorted(policies))}")
    return policy
