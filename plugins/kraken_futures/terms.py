"""An order request in Kraken Futures' own terms; what the venue has nothing for is refused, naming the term.

There is no class for ``OrderRequest.terms``: all that an order can be told here, the request has a word for.
See https://docs.kraken.com/api/docs/futures-api/trading/send-order
"""

from __future__ import annotations

from exchange_core.connector.support import TERMS, Support
from exchange_core.errors import InvalidValue
from exchange_core.model.order import OrderRequest, OrderType, TimeInForce
from exchange_core.model.terms import TriggerBy
from kraken_futures.orders.requests import FuturesOrder, OrderKind, TriggerSignal, Unit
from kraken_futures.rest.calls import refuse

UNSUPPORTED = {
    "time_in_force.gtd": "orders do not expire here; they stay until cancelled",
    "quote_amount": "orders count units of the base asset, or contracts",
    "display_quantity": "there are no icebergs here; the whole order is shown",
    "leverage": "is not an order's here but a contract's; see settings.set_leverage",
    "self_trade": "is not an order's here but the account's; see settings.set_self_trade_strategy",
}
"""What no order can be told, and where it can be had if it can."""

SUPPORT = {term: Support.REFUSED if term in UNSUPPORTED else Support.HONOURED for term in TERMS}
"""What becomes of each term of an ``OrderRequest``; ``orders.table`` has Kraken's own in full."""

_KINDS = {
    OrderType.MARKET: OrderKind.MARKET,
    OrderType.LIMIT: OrderKind.LIMIT,
    OrderType.STOP: OrderKind.STOP,
    OrderType.STOP_LIMIT: OrderKind.STOP,
    OrderType.TAKE_PROFIT: OrderKind.TAKE_PROFIT,
    OrderType.TAKE_PROFIT_LIMIT: OrderKind.TAKE_PROFIT,
    OrderType.TRAILING_STOP: OrderKind.TRAILING_STOP,
    OrderType.TRAILING_STOP_LIMIT: OrderKind.TRAILING_STOP,
}
_SIGNALS = {
    TriggerBy.LAST: TriggerSignal.LAST,
    TriggerBy.MARK: TriggerSignal.MARK,
    TriggerBy.INDEX: TriggerSignal.INDEX,
}


def futures_order(request: OrderRequest, venue: str) -> FuturesOrder:
    """Return *request* in the venue's terms.

    Raises:
        NotSupported: For what Kraken Futures has nothing for; names the venue and the term.
    """
    _refuse_unsupported(request, venue)
    trail, offset = request.trail, request.limit_offset
    try:
        return FuturesOrder(
            symbol=request.symbol,
            side=request.side,
            quantity=request.require_quantity(),
            kind=_kind(request, venue),
            client_order_id=request.client_order_id or "",
            limit_price=request.price,
            stop_price=request.trigger_price,
            trigger_signal=None if request.trigger_by is None else _SIGNALS[request.trigger_by],
            trailing_deviation=None if trail is None else trail.amount,
            trailing_unit=None if trail is None else unit(percent=trail.percent),
            limit_offset=None if offset is None else offset.amount,
            limit_offset_unit=None if offset is None else unit(percent=offset.percent),
            reduce_only=request.reduce_only,
            deadline=request.deadline,
        )
    except InvalidValue as wrong:
        raise refuse(venue, *_named(str(wrong))) from wrong


def unit(*, percent: bool) -> Unit:
    """Return what a distance counts."""
    return Unit.PERCENT if percent else Unit.QUOTE


def _kind(request: OrderRequest, venue: str) -> OrderKind:
    """Return the order type, of which time in force and post-only are part."""
    kind, stays = request.type, request.time_in_force
    if kind is OrderType.TRAILING_STOP_LIMIT and request.price is not None:
        raise refuse(venue, "price", "the limit of a trailing stop follows the market; give it as limit_offset")
    if request.post_only and kind is not OrderType.LIMIT:
        raise refuse(venue, "post_only", f"goes with limit orders only, and this is a {kind} order")
    if stays is TimeInForce.FOK and kind is not OrderType.LIMIT:
        raise refuse(venue, "time_in_force", f"fok: fill-or-kill needs a limit order, and this is a {kind} order")
    if stays is TimeInForce.IOC and kind.is_triggered and kind.has_limit:
        raise refuse(venue, "time_in_force", f"ioc: the limit order that a {kind} order becomes stays until cancelled")
    if kind is not OrderType.LIMIT:
        # A market order, at once or when its trigger fires, executes within 1 % of the price; the rest is dropped.
        return _KINDS[kind]
    if stays is not TimeInForce.GTC:
        return OrderKind(stays.value)
    return OrderKind.POST if request.post_only else OrderKind.LIMIT


def _refuse_unsupported(request: OrderRequest, venue: str) -> None:
    asked = {
        "time_in_force.gtd": request.time_in_force is TimeInForce.GTD,
        "quote_amount": request.quote_amount is not None,
        "display_quantity": request.display_quantity is not None,
        "leverage": request.leverage is not None,
        "self_trade": request.self_trade is not None,
    }
    for term, why in UNSUPPORTED.items():
        if asked[term]:
            raise refuse(venue, term, why)
    if request.terms is not None:
        raise refuse(venue, "terms", f"{type(request.terms).__name__} is of another venue; there are none here")
    if request.client_order_id is None:
        why = "missing; without it the order could not be found if its answer does not come"
        raise refuse(venue, "client_order_id", why)


def _named(wrong: str) -> tuple[str, str]:
    """Return the term of ``OrderRequest`` that is wrong, and why."""
    name, _, why = wrong.partition(": ")
    return {"trailing_deviation": "trail"}.get(name, name), why
