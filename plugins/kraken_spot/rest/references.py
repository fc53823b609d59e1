"""Find an order of ours by its userref: Kraken was told no client id of it, for it takes one of the two.

A userref may stand on many orders, so terms and time must fit too, and what is known to be another order of ours is
none of this one. Where several are left nobody can tell which it is, and it stays unknown.
See https://docs.kraken.com/api-reference/trading/add-order
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from math import ceil, floor

import msgspec

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import to_seconds
from kraken_spot import limits
from kraken_spot.dialect import read
from kraken_spot.naming import is_stand_in
from kraken_spot.parse import common as parse
from kraken_spot.parse import terms as parse_terms
from kraken_spot.rest.lists import pairs_of
from kraken_spot.terms import SpotTerms
from kraken_spot.wire import common as wire

SKEW = timedelta(seconds=60)
"""Our clock and the venue's differ by less than this, or the venue would refuse the deadlines that we send."""

Learn = Callable[[Iterable[str]], Flow[None]]
"""Asks for the lists again where one of some pairs is in none."""

_REMEMBERED = 10_000
_PAGE, _MOST_PAGES = 50, 20


class PlacedIds:
    """Which of Kraken's ids belong to which order of ours that was placed with a userref; the latest of them."""

    def __init__(self) -> None:
        self._ours: OrderedDict[str, str | None] = OrderedDict()

    def note(self, txid: str, request: OrderRequest) -> None:
        """Note that *request* became *txid*."""
        if userref_of(request) is None:
            return
        self._ours[txid] = request.client_order_id
        if len(self._ours) > _REMEMBERED:
            self._ours.popitem(last=False)

    def is_of_another(self, txid: str, request: OrderRequest) -> bool:
        return txid in self._ours and self._ours[txid] != request.client_order_id


def userref_of(request: OrderRequest) -> int | None:
    """Return the userref that stands for our client id, where one does."""
    return request.terms.userref if isinstance(request.terms, SpotTerms) else None


def by_userref(
    context: VenueContext, placed: PlacedIds, order: Order, learn: Learn
) -> Flow[tuple[str, wire.Order] | None]:
    """Ask for *order* among the open ones, then among the finished.

    Args:
        learn: Asks for the lists again, should a pair be in none.

    Raises:
        ProtocolError: For a record that does not read, and where several may be it.
    """
    userref = userref_of(order.request)
    answer: wire.OpenOrders = yield _asking("OpenOrders", wire.OpenOrders, userref=userref)
    records = {**answer.open, **(yield from _finished(context, order, userref))}
    yield from learn(pairs_of(records.values()))
    found = [
        (txid, record)
        for txid, raw in records.items()
        if not placed.is_of_another(txid, order.request)
        and _may_be(context, record := read(raw, wire.Order, f"order {txid}"), order, userref)
    ]
    if len(found) > 1:
        ids = ", ".join(txid for txid, _ in found)
        raise ProtocolError(
            f"{context.venue}: userref {userref} and the terms of our order are those of {ids}; which of them it is "
            "cannot be told"
        )
    if not found:
        return None
    placed.note(found[0][0], order.request)
    return found[0]


def _finished(context: VenueContext, order: Order, userref: int | None) -> Flow[Mapping[str, msgspec.Raw]]:
    deadline = order.request.deadline
    params = {
        "userref": userref,
        "start": None if order.created is None else floor(to_seconds(order.created - SKEW)) - 1,
        "end": None if deadline is None else ceil(to_seconds(deadline + SKEW)),
        "closetime": "open",
        "without_count": True,
    }
    records: dict[str, msgspec.Raw] = {}
    for page in range(_MOST_PAGES):
        # Newest first: orders that end meanwhile move others to later pages, so some come twice and none is missed.
        answer: wire.ClosedOrders = yield _asking("ClosedOrders", wire.ClosedOrders, **params, ofs=page * _PAGE or None)
        records |= answer.closed
        if len(answer.closed) < _PAGE:
            return records
    raise ProtocolError(
        f"{context.venue}: more than {_PAGE * _MOST_PAGES} finished orders have userref {userref}; whether ours is "
        "among them cannot be told"
    )


def _may_be(context: VenueContext, raw: wire.Order, order: Order, userref: int | None) -> bool:
    """Whether the record has the userref, came when *order* could, and has its terms."""
    if raw.userref != userref or raw.cl_ord_id or is_earlier(raw, order) or _is_later(raw, order):
        return False
    has = parse.order("", raw, context.symbols, context.venue, pair_of(context, raw, order)).request
    return has_terms(has, order.request) and _has_trigger(raw, has, order.request)


def _has_trigger(raw: wire.Order, has: OrderRequest, asked: OrderRequest) -> bool:
    """Whether the record is of the type that was asked for, and of its trigger, where both tell one.

    What limits the loss and what takes the profit of one position is often as large, and often has one userref.
    """
    if parse_terms.KINDS.get(raw.descr.ordertype) is not asked.type:
        return False
    pairs = ((has.trigger_price, asked.trigger_price), (has.trail, asked.trail))
    return all(theirs == ours or None in (theirs, ours) for theirs, ours in pairs)


def pair_of(context: VenueContext, raw: wire.Order, order: Order) -> Symbol:
    """Return the pair of a record that may be of *order*: where that is in no list any more, any such may be its pair.

    Raises:
        ProtocolError: The record's pair is in no list, and these may only be older than it.
    """
    symbol = parse.pair(raw.descr.pair, context.symbols)
    return order.symbol if is_stand_in(symbol) and order.symbol not in context.symbols else symbol


def is_earlier(raw: wire.Order, order: Order) -> bool:
    """Whether the record is of an order that had come before *order* was sent."""
    if not raw.opentm or order.created is None:
        return False
    return parse.moment(raw.opentm) < order.created - SKEW


def _is_later(raw: wire.Order, order: Order) -> bool:
    deadline = order.request.deadline
    return bool(raw.opentm) and deadline is not None and parse.moment(raw.opentm or 0) > deadline + SKEW


def has_terms(has: OrderRequest, asked: OrderRequest) -> bool:
    """Whether an order that is shown may be what was *asked* for; what an offset came to is the venue's to say."""
    if (has.symbol, has.side, has.quantity, has.quote_amount) != (
        asked.symbol,
        asked.side,
        asked.quantity,
        asked.quote_amount,
    ):
        return False
    return has.price == asked.price or (asked.price is None and asked.type.has_limit)


def _asking(name: str, reply: type, **params: object) -> RestCall:
    return RestCall(
        method="POST",
        path=f"/0/private/{name}",
        params=params,
        reply=reply,
        private=True,
        costs=limits.private(urgent=True),
    )
