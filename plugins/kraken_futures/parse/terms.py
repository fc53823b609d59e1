"""The terms of an order as the venue shows them, in ours: as a stop, a take-profit or a trailing stop where it is one.

Of some orders not all terms are told (a list has no distance of a trailing stop), and some words are new: what comes
nearest stands for those where a list must show them, with the venue's word beside it.
See https://docs.kraken.com/api/docs/futures-api/trading/get-open-orders
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.order import OrderRequest, OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset, TriggerBy
from kraken_futures.orders.requests import OrderKind, TriggerSignal
from kraken_futures.parse import words

# Without a limit, and with one. Market orders are echoed as "ioc" with a limit that nobody set: of that word no terms
# are made.
_TYPES: dict[str | None, tuple[OrderType, OrderType]] = {
    OrderKind.LIMIT: (OrderType.LIMIT, OrderType.LIMIT),
    OrderKind.POST: (OrderType.LIMIT, OrderType.LIMIT),
    OrderKind.STOP: (OrderType.STOP, OrderType.STOP_LIMIT),
    OrderKind.TAKE_PROFIT: (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT),
    OrderKind.TRAILING_STOP: (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT),
}
# What is over with its executions is never taken for something that rests.
_STAYS: dict[str | None, TimeInForce] = {OrderKind.IOC: TimeInForce.IOC, OrderKind.FOK: TimeInForce.FOK}
_SIGNALS = {
    TriggerSignal.LAST: TriggerBy.LAST,
    TriggerSignal.MARK: TriggerBy.MARK,
    TriggerSignal.INDEX: TriggerBy.INDEX,
}


@attrs.frozen(kw_only=True)
class Shown:
    """An order as a list or a feed shows it.

    Attributes:
        kind: The venue's word for its type.
        price: Its limit, None where it has none.
        signal: The venue's word for what sets it off.
    """

    symbol: Symbol
    side: Side
    quantity: Decimal
    kind: str | None
    price: Decimal | None = None
    trigger: Decimal | None = None
    signal: str | None = None
    trail: Offset | None = None
    reduce_only: bool = False
    client_order_id: str | None = None


def request(shown: Shown) -> OrderRequest | None:
    """Return all terms of an order; None where they cannot be told."""
    kinds = _TYPES.get(words.kind(shown.kind))
    return None if kinds is None else _request(shown, kinds[shown.price is not None], shown.kind == "post")


def nearest(shown: Shown) -> tuple[OrderRequest, bool]:
    """Return the terms of an order, and whether they are all told; otherwise those of what it comes nearest to.

    Raises:
        InvalidValue: For what is no order at all.
    """
    told = request(shown)
    if told is not None:
        return told, True
    has_limit = shown.price is not None
    if shown.trigger is not None:
        # A trailing stop whose distance is not told: as it stands now it is a stop.
        kind = OrderType.STOP_LIMIT if has_limit else OrderType.STOP
        found = _request(shown, kind, False)
        if found is not None:
            return found, False
    kind = OrderType.LIMIT if has_limit else OrderType.MARKET
    return _made(shown, kind, post_only=False), False


def _request(shown: Shown, kind: OrderType, post_only: bool) -> OrderRequest | None:
    try:
        return _made(shown, kind, post_only=post_only)
    except InvalidValue:
        # Such as an order that is done, with a quantity of nothing left.
        return None


def _made(shown: Shown, kind: OrderType, *, post_only: bool) -> OrderRequest:
    triggered, signal = kind.is_triggered, words.signal(shown.signal)
    stays = _STAYS.get(words.kind(shown.kind)) if kind is OrderType.LIMIT else None
    return OrderRequest(
        symbol=shown.symbol,
        side=shown.side,
        quantity=shown.quantity,
        price=shown.price,
        type=kind,
        reduce_only=shown.reduce_only,
        post_only=post_only,
        time_in_force=stays or TimeInForce.GTC,
        trigger_price=shown.trigger if triggered and not kind.is_trailing else None,
        trigger_by=_SIGNALS.get(signal) if triggered and isinstance(signal, TriggerSignal) else None,
        trail=shown.trail if kind.is_trailing else None,
        client_order_id=shown.client_order_id,
    )
