"""The venue's words for orders: types, refusals, and why an order came, changed or went.

See https://docs.kraken.com/api/docs/futures-api/trading/send-order and get-order-status
"""

from __future__ import annotations

from exchange_core.connector.simulation import EndReason, Refusal, SimOrder
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.terms import SelfTrade, TriggerBy

REFUSALS = {
    Refusal.UNKNOWN_MARKET: "marketInactive",
    Refusal.MARKET_CLOSED: "marketSuspended",
    Refusal.INVALID_PRICE: "invalidPrice",
    Refusal.TICK_SIZE: "invalidPrice",
    Refusal.INVALID_TRIGGER: "invalidPrice",
    Refusal.INVALID_QUANTITY: "invalidSize",
    Refusal.INVALID_DISPLAY: "invalidSize",
    Refusal.MINIMUM_QUANTITY: "invalidSize",
    Refusal.MINIMUM_COST: "invalidSize",
    Refusal.INSUFFICIENT_FUNDS: "insufficientAvailableFunds",
    Refusal.INSUFFICIENT_MARGIN: "insufficientAvailableFunds",
    Refusal.LEVERAGE: "fixedLeverageTooHigh",
    Refusal.TOO_MANY_ORDERS: "tooManyOrders",
    Refusal.POST_ONLY_WOULD_TAKE: "postWouldExecute",
    # Also for fill-or-kill: the venue's word for that is not documented.
    Refusal.IOC_WOULD_NOT_EXECUTE: "iocWouldNotExecute",
    Refusal.WOULD_NOT_REDUCE: "wouldNotReducePosition",
    Refusal.SELF_TRADE: "selfFill",
    Refusal.DUPLICATE_CLIENT_ID: "clientOrderIdAlreadyExist",
    Refusal.DEADLINE_ELAPSED: "wouldProcessAfterSpecifiedTime",
    Refusal.INVALID_TIME: "wouldProcessAfterSpecifiedTime",
    Refusal.UNKNOWN_ORDER: "notFound",
    Refusal.NOT_AMENDABLE: "orderForEditNotAStop",
}

REJECTIONS = {
    Refusal.POST_ONLY_WOULD_TAKE: "POST_WOULD_EXECUTE",
    Refusal.IOC_WOULD_NOT_EXECUTE: "IOC_WOULD_NOT_EXECUTE",
}
"""Refusals that come with an event."""

TYPES = {
    "lmt": (OrderType.LIMIT, TimeInForce.GTC, False),
    "post": (OrderType.LIMIT, TimeInForce.GTC, True),
    "ioc": (OrderType.LIMIT, TimeInForce.IOC, False),
    "fok": (OrderType.LIMIT, TimeInForce.FOK, False),
    "mkt": (OrderType.MARKET, TimeInForce.IOC, False),
}

TRIGGERS = {
    "stp": (OrderType.STOP, OrderType.STOP_LIMIT),
    "take_profit": (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT),
    "trailing_stop": (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT),
}
"""What waits for a price, without a limit and with one."""

SIGNALS = {"mark": TriggerBy.MARK, "index": TriggerBy.INDEX, "last": TriggerBy.LAST}
UNITS = {"PERCENT": True, "QUOTE_CURRENCY": False}
"""Whether a distance is in percent."""

STRATEGIES = {
    "REJECT_TAKER": SelfTrade.CANCEL_NEWEST,
    "CANCEL_MAKER_SELF": SelfTrade.CANCEL_OLDEST,
    "CANCEL_MAKER_CHILD": SelfTrade.CANCEL_OLDEST,
    "CANCEL_MAKER_ANY": SelfTrade.CANCEL_OLDEST,
}

_SIGNAL_WORDS = {TriggerBy.MARK: "mark", TriggerBy.INDEX: "spot", TriggerBy.LAST: "last"}

_REASONS: dict[str, str] = {
    EndReason.IMMEDIATE_OR_CANCEL: "IOC_WOULD_NOT_EXECUTE_REASON",
    EndReason.POST_ONLY: "POST_WOULD_EXECUTE_REASON",
    EndReason.SELF_TRADE: "WOULD_EXECUTE_SELF_REASON",
    EndReason.WOULD_NOT_REDUCE: "WOULD_NOT_REDUCE_POSITION",
    EndReason.NO_FUNDS: "NOT_ENOUGH_MARGIN",
    EndReason.NO_MARGIN: "NOT_ENOUGH_MARGIN",
    EndReason.REFUSED: "MARKET_INACTIVE",
    EndReason.DEAD_MAN: "DEAD_MAN_SWITCH",
    EndReason.LIQUIDATED: "LIQUIDATION_ORDER",
    EndReason.CONTRACT_EXPIRED: "CONTRACT_EXPIRED",
    EndReason.MARKET_INACTIVE: "MARKET_INACTIVE",
}
_FEED_REASONS = {
    "IOC_WOULD_NOT_EXECUTE_REASON": "ioc_order_failed_because_it_would_not_be_executed",
    "POST_WOULD_EXECUTE_REASON": "post_order_failed_because_it_would_be_filled",
    "WOULD_EXECUTE_SELF_REASON": "would_execute_self",
    "LIQUIDATION_ORDER": "liquidation",
}
_ERRORS = {
    "IOC_WOULD_NOT_EXECUTE_REASON": "IOC_WOULD_NOT_EXECUTE",
    "POST_WOULD_EXECUTE_REASON": "POST_WOULD_EXECUTE",
    "WOULD_EXECUTE_SELF_REASON": "WOULD_EXECUTE_SELF",
    "WOULD_NOT_REDUCE_POSITION": "WOULD_NOT_REDUCE_POSITION",
    "NOT_ENOUGH_MARGIN": "INSUFFICIENT_MARGIN",
    "MARKET_INACTIVE": "MARKET_SUSPENDED",
}


def side_of(text: str) -> Side | None:
    return Side(text) if text in ("buy", "sell") else None


def waits(order: SimOrder) -> bool:
    """Whether *order* is a trigger that was not set off, or never was."""
    return order.request.type.is_triggered and order.triggered is None


def rises(order: SimOrder) -> bool:
    """Whether a price at or above the trigger sets it off."""
    takes_profit = order.request.type in (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
    return (order.request.side is Side.BUY) is not takes_profit


def signal(order: SimOrder) -> str:
    """Return ``mark``, ``last``, or ``spot`` for the index; what sets it off by default is not documented."""
    return _SIGNAL_WORDS[order.request.trigger_by or TriggerBy.LAST]


def trigger_word(kind: OrderType) -> str:
    """Return ``stop``, ``take_profit`` or ``trailing_stop``, as lists and feeds call it."""
    word = next(word for word, kinds in TRIGGERS.items() if kind in kinds)
    return "stop" if word == "stp" else word


def is_market(order: SimOrder) -> bool:
    """Whether it takes any price, now or once it is set off."""
    return not order.request.type.has_limit


def type_word(order: SimOrder) -> str:
    """Return the order's type in events; market orders appear as immediate ones."""
    request = order.request
    if order.liquidation:
        return "liquidation"
    if request.post_only:
        return "post"
    if is_market(order) or request.time_in_force is TimeInForce.IOC:
        return "ioc"
    return "fok" if request.time_in_force is TimeInForce.FOK else "lmt"


def end_reason(order: SimOrder) -> str:
    """Return why a finished order ended, in the words of ``orders/status``."""
    if order.filled and order.reason == EndReason.IMMEDIATE_OR_CANCEL:
        return "CANCELLED_BY_USER"  # open point: what is said of the rest of an order that executed in part
    return _REASONS.get(order.reason, "CANCELLED_BY_USER")


def feed_reason(order: SimOrder) -> str:
    """Return the same in the words of the feed."""
    reason = end_reason(order)
    return _FEED_REASONS.get(reason, reason.lower())


def was_cut(order: SimOrder) -> bool:
    """Whether its last change was that it was cut to its position."""
    return bool(order.amends) and order.amends[-1][2] == EndReason.WOULD_NOT_REDUCE


def change_reason(order: SimOrder) -> str:
    """Return why an order was changed last, in the words of feeds and histories."""
    # Open point: whether the venue cuts orders in the book to a position that gets smaller, and what it says then.
    return "would_not_reduce_position" if was_cut(order) else "edited_by_user"


def activation_error(order: SimOrder) -> str | None:
    """Return why an order that was set off did not get into the market; None where it did, or was never set off."""
    if order.triggered is None or order.filled or not order.status.is_final:
        return None
    return _ERRORS.get(end_reason(order))
