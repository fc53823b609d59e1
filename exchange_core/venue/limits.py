"""The venue's limits as its user sees them: what requests will cost, how long they will wait, and how full each is."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from datetime import datetime, timedelta
from typing import Any

import attrs

from exchange_core.clock import Clock
from exchange_core.connector.limits import Cost, Limits
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import RestOperations
from exchange_core.errors import ExchangeError, OrderRefused, RateLimited
from exchange_core.model.event import LimitLevel, TierUpdate
from exchange_core.model.order import Order, OrderRequest, OrderType, TimeInForce
from exchange_core.model.symbol import Symbol
from exchange_core.transport.rest_client import RestClient
from exchange_core.venue.bus import Bus, topic
from exchange_core.venue.orders import OrderTracker

_LOG = logging.getLogger(__name__)

Wanted = OrderRequest | Order | Flow[Any]
"""An order to place, an order to cancel, or one of the plugin's own calls (which is used up by being asked)."""


@attrs.frozen(kw_only=True)
class Forecast:
    """What one request will cost and how long it will wait.

    Attributes:
        costs: What it takes from the venue's limits when it goes over REST, which is never less than over a live
            connection. Of a call that needs several requests, the first one's.
        wait: Seconds until its turn, if all that were forecast before it had the patience to wait for theirs, and
            nothing else is asked for.
        refused: Why it will not be sent, asked for now; None where it will.
    """

    costs: tuple[Cost, ...] = ()
    wait: float = 0.0
    refused: ExchangeError | None = None


@attrs.frozen(kw_only=True)
class LimitUse:
    """How full one of the venue's counters is.

    Attributes:
        pool: Which limit, in the plugin's words.
        key: Which of its counters, such as the pair; empty where it has one only.
        level: What the venue has counted at most.
        maximum: What it allows, as published.
        reserve: How much of that is kept for cancels.
        paused_until: Until when nothing but cancels is let through, after the venue refused for this limit.
        cancels_paused_until: The same for cancels.
    """

    pool: str
    key: str
    level: float
    maximum: float
    reserve: float = 0.0
    paused_until: datetime | None = None
    cancels_paused_until: datetime | None = None


class OpenOrders:
    """How many orders may stand on one symbol, for venues that publish it.

    In doubt the venue decides: only orders that would rest are refused here, only for orders that the venue itself
    said are open, and only while every change of them is heard of.
    """

    def __init__(self, venue: str, rest: RestClient, tracker: OrderTracker, is_live: Callable[[], bool]) -> None:
        self._venue = venue
        self._rest = rest
        self._tracker = tracker
        self._is_live = is_live

    def check(self, request: OrderRequest, others: int = 0) -> None:
        """Refuse *request* where the venue would refuse it for the orders that are open.

        Args:
            others: How many more will be open when it comes.

        Raises:
            OrderRefused: Names the limit and what is open.
        """
        most = self._rest.gate.open_orders
        if most is None or not self._is_live() or not rests(request):
            return
        found = self._tracker.open_count(request.symbol) + others
        if found >= most:
            raise OrderRefused(
                f"{request.symbol}: {found} orders are open, and {self._venue} takes {most} of one symbol at this "
                "level of account; cancel one first, or amend one instead. Nothing was sent",
                venue=self._venue,
            )


class VenueLimits:
    """The limits of one venue and account.

    Args:
        check: Raises what placing an order would raise before sending.
        client_order_id: Stands in for the id that an order is given when it is placed.
        figures: Returns the limits of another level of account.
    """

    def __init__(
        self,
        venue: str,
        rest: RestClient,
        operations: RestOperations,
        open_orders: OpenOrders,
        bus: Bus,
        clock: Clock,
        *,
        check: Callable[[OrderRequest], None],
        client_order_id: str,
        tier: str,
        figures: Callable[[str], Limits],
    ) -> None:
        self.tier = tier
        self._venue = venue
        self._rest = rest
        self._operations = operations
        self._open_orders = open_orders
        self._clock = clock
        self._check = check
        self._client_order_id = client_order_id
        self._figures = figures
        bus.subscribe(topic(LimitLevel), self._take_level)
        bus.subscribe(topic(TierUpdate), self._take_tier)

    @property
    def locked_until(self) -> datetime | None:
        """When the venue's lockout ends, during which nothing at all is sent; None without one."""
        return self._rest.locked_until

    def levels(self) -> list[LimitUse]:
        """Return how full each counter is: those of which anything is used, and those that there is one of."""
        now = self._clock.now()

        def until(seconds: float) -> datetime | None:
            return now + timedelta(seconds=seconds) if seconds > 0 else None

        return [
            LimitUse(
                pool=state.pool,
                key=state.key,
                level=state.level,
                maximum=state.maximum,
                reserve=state.reserve,
                paused_until=until(state.paused),
                cancels_paused_until=until(state.cancels_paused),
            )
            for state in self._rest.gate.states()
        ]

    def forecast(self, wanted: Iterable[Wanted]) -> list[Forecast]:
        """Tell what each of *wanted* will cost and how long it will wait, if they are asked for now and in this order.

        Nothing is sent and nothing is counted. Cancels go first, as always.

        Args:
            wanted: Orders to place (``OrderRequest``), orders to cancel (``Order``), own calls (a flow of
                ``venue.operations``, which cannot be run afterwards: make another).
        """
        placed: Counter[Symbol] = Counter()
        calls: list[RestCall | None] = []
        refusals: list[ExchangeError | None] = []
        for one in wanted:
            call, refusal = None, None
            try:
                if isinstance(one, OrderRequest):
                    self._check(one)
                    self._open_orders.check(one, placed[one.symbol])
                call = self._first_call(one)
            except ExchangeError as error:
                refusal = error
            else:
                if isinstance(one, OrderRequest):
                    placed[one.symbol] += rests(one)
                elif isinstance(one, Order):
                    placed[one.symbol] -= 1
            calls.append(call)
            refusals.append(refusal)
        waits = iter(self._rest.gate.forecast([call.costs for call in calls if call is not None]))
        return [
            Forecast(refused=refusal) if call is None else self._forecast(call, next(waits))
            for call, refusal in zip(calls, refusals, strict=True)
        ]

    def _first_call(self, wanted: Wanted) -> RestCall | None:
        """Return the first call that *wanted* would make; None where it makes none."""
        if isinstance(wanted, OrderRequest):
            named = wanted.client_order_id or self._client_order_id
            wanted = self._operations.place(attrs.evolve(wanted, client_order_id=named))
        elif isinstance(wanted, Order):
            wanted = self._operations.cancel(wanted)
        try:
            return next(wanted)
        except StopIteration:
            return None
        finally:
            if isinstance(wanted, Generator):
                wanted.close()

    def _forecast(self, call: RestCall, wait: float) -> Forecast:
        refused = None
        locked, patience = self.locked_until, self._rest.patience(call)
        if locked is not None:
            refused = RateLimited(f"{self._venue}: locked out by the venue until {locked:%H:%M:%S} UTC")
        elif wait > patience:
            refused = RateLimited(f"{self._venue}: it would wait {wait:.1f} s, and it may wait {patience:.1f} s")
        return Forecast(costs=call.costs, wait=wait, refused=refused)

    def _take_level(self, event: LimitLevel) -> None:
        self._rest.gate.correct(event.pool, event.key, event.level)

    def _take_tier(self, event: TierUpdate) -> None:
        if event.tier != self.tier:
            _LOG.info("%s: the venue counts this account as %r, not %r", self._venue, event.tier, self.tier)
            self.tier = event.tier
            self._rest.gate.adopt(self._figures(event.tier))


def rests(request: OrderRequest) -> bool:
    """Return whether *request*, once taken, stands in the market."""
    return request.type is not OrderType.MARKET and request.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
