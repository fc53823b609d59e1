"""Change an open order, or put another in its place.

An amended order keeps its id and what was filled of it. It keeps its place in the queue where it only shrinks or shows
another part of itself; with another price or more of it, it goes behind the others, and may meet orders on its way.
See https://docs.kraken.com/exchange/guides/general/amends
"""

from __future__ import annotations

from datetime import datetime

import attrs

from exchange_core.connector.simulation import (
    EndReason,
    OrderEvent,
    Refusal,
    SimAmendment,
    SimOrder,
    SimRefused,
    SimRequest,
)
from exchange_core.simulator.engine.accounts import Account
from exchange_core.simulator.engine.admission import admit, as_if_gone, check_dormant, entry
from exchange_core.simulator.engine.desk import Desk
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.orders import LiveOrder, Stage
from exchange_core.simulator.engine.terms import Terms, limit_from, read


def amend(desk: Desk, account: Account, live: LiveOrder, amendment: SimAmendment, now: datetime) -> None:
    """Give an open order new terms.

    Raises:
        SimRefused: Nothing changed.
    """
    if amendment.deadline is not None and now > amendment.deadline:
        raise SimRefused(Refusal.DEADLINE_ELAPSED, f"it is {now.isoformat()}")
    if amendment.quantity is not None and not amendment.quantity.is_finite():
        raise SimRefused(Refusal.INVALID_QUANTITY, f"{amendment.quantity} is no quantity")
    if amendment.quantity is not None and 0 < amendment.quantity <= live.order.filled:
        _cut(desk, account, live, now)
        return
    request = _amended(live, amendment)
    # The deadline that it was placed with is past and kept.
    terms = read(live.market, attrs.evolve(request, deadline=None), now)
    if terms.waiting is not None and terms.waiting.trail is not None and amendment.trail is None:
        terms = _keep_following(live, request, terms)
    if live.stage is not Stage.BOOK:
        _amend_dormant(desk, account, live, request, terms, now)
    elif terms.limit == live.limit and terms.lots <= live.lots:
        done = live.lots - live.resting.remaining
        live.market.book.resize(live.resting, terms.lots - done, terms.display)
        _take_terms(desk, live, request, terms, now)
        if live.resting.display:
            desk.settlement.show(live)
        desk.settlement.keep_back(account, live)
        desk.settlement.told.order(OrderEvent.AMENDED, live.order)
    else:
        _move(desk, account, live, request, terms, now)


def replace(
    desk: Desk,
    account: Account,
    live: LiveOrder,
    market: MarketState,
    request: SimRequest,
    now: datetime,
    *,
    validate: bool = False,
) -> SimOrder:
    """Cancel an open order and take *request* instead, or do neither.

    Raises:
        SimRefused: Nothing changed.
    """
    if live.order.triggered is not None or live.order.request.close is not None:
        raise SimRefused(Refusal.NOT_AMENDABLE, "it was triggered, or has an order that closes it")
    if request.quantity < live.order.filled:
        raise SimRefused(Refusal.INVALID_QUANTITY, f"{live.order.filled} of it is executed")
    with as_if_gone(account, live):
        new, plan = admit(desk.accounts, account, market, request, desk.rates(account, market, now), now)
    if validate:
        return new.order
    desk.cancel(account, live, now, EndReason.REPLACED)
    desk.accept(account, new, plan, now)
    return new.order


def _keep_following(live: LiveOrder, request: SimRequest, terms: Terms) -> Terms:
    """Let a trailing trigger that is not to change stay where it is."""
    before, waiting = live.waiting, terms.waiting
    assert before is not None
    assert waiting is not None
    waiting.peak, waiting.price = before.peak, before.price
    if request.limit_offset is None:
        return terms
    return terms._replace(limit=limit_from(live.market, waiting, request.limit_offset))


def _cut(desk: Desk, account: Account, live: LiveOrder, now: datetime) -> None:
    """Let an order be no more than what is filled of it."""
    request = attrs.evolve(live.order.request, quantity=live.order.filled, display_quantity=None)
    live.remember(request, now, EndReason.USER)
    desk.settlement.told.order(OrderEvent.AMENDED, live.order)
    desk.cancel(account, live, now, EndReason.USER)


def _amended(live: LiveOrder, amendment: SimAmendment) -> SimRequest:
    """Return the order's request with its new terms."""
    request = live.order.request
    if request.close is not None or request.quantity_in_quote:
        raise SimRefused(Refusal.NOT_AMENDABLE, "it has an order that closes it, or counts the quote asset")
    changes = {
        name: value
        for name in ("quantity", "price", "trigger_price", "trail", "limit_offset", "display_quantity")
        if (value := getattr(amendment, name)) is not None
    }
    if live.order.triggered is not None and changes.keys() & {"trigger_price", "trail", "limit_offset"}:
        raise SimRefused(Refusal.NOT_AMENDABLE, "its trigger was set off")
    if "price" in changes:
        changes["limit_offset"] = None
    elif "limit_offset" in changes:
        changes["price"] = None
    if amendment.post_only:
        changes["post_only"] = True
    if live.order.triggered is not None and request.limit_offset is not None and "price" not in changes:
        changes["price"], changes["limit_offset"] = live.order.limit, None
    return attrs.evolve(request, **changes)


def _amend_dormant(
    desk: Desk, account: Account, live: LiveOrder, request: SimRequest, terms: Terms, now: datetime
) -> None:
    """Change an order that is not in the market yet."""
    trial = attrs.evolve(
        live,
        order=attrs.evolve(live.order, request=request),
        resting=attrs.evolve(live.resting, price=terms.limit or 0, remaining=terms.lots, display=terms.display),
        waiting=terms.waiting,
    )
    check_dormant(account, trial)
    _take_terms(desk, live, request, terms, now)
    live.lots = live.resting.remaining = terms.lots
    live.resting.price = terms.limit or 0
    if live.stage is Stage.WAITING:
        live.market.waiting.remove(live.order.id)
    _take_trigger(live, terms)
    desk.settlement.told.order(OrderEvent.AMENDED, live.order)
    if live.stage is Stage.WAITING:
        desk.wait(account, live)
    else:
        desk.settlement.keep_back(account, live)


def _move(desk: Desk, account: Account, live: LiveOrder, request: SimRequest, terms: Terms, now: datetime) -> None:
    """Let an order in the book leave its place and come anew with its new terms."""
    done = live.lots - live.resting.remaining
    resting = attrs.evolve(
        live.resting, price=terms.limit or 0, remaining=terms.lots - done, display=terms.display, hidden=0
    )
    with as_if_gone(account, live):
        trial = attrs.evolve(
            live, order=attrs.evolve(live.order, request=request), resting=resting, lots=terms.lots, held=0
        )
        plan = entry(desk.accounts, account, trial)
    live.market.book.remove(live.order.id)
    _take_terms(desk, live, request, terms, now)
    live.resting, live.lots = resting, terms.lots
    live.order.queued = None
    live.stage = Stage.ENTERING
    desk.settlement.keep_back(account, live)
    desk.settlement.told.order(OrderEvent.AMENDED, live.order)
    desk.settlement.execute(account, live, plan, now)


def _take_terms(desk: Desk, live: LiveOrder, request: SimRequest, terms: Terms, now: datetime) -> None:
    live.remember(request, now, EndReason.USER)
    live.lots = terms.lots
    live.order.limit = None if terms.limit is None else live.market.price(terms.limit)


def _take_trigger(live: LiveOrder, terms: Terms) -> None:
    if terms.waiting is not None:
        terms.waiting.owner, terms.waiting.order_id = live.order.account, live.order.id
        live.waiting = terms.waiting
        live.order.trigger = live.market.price(terms.waiting.price)
