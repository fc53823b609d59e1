"""Ids and deadlines of orders, and the exchange's refusals in the venue's words.

See https://docs.kraken.com/api-reference/trading/add-order and https://docs.kraken.com/api/docs/websocket-v2/add_order
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from exchange_core.connector.simulation import Refusal, SimRefused
from exchange_core.errors import ProtocolError
from exchange_core.model.time import from_rfc3339
from kraken_spot.simulator.codec import Refused

_ERRORS = {
    Refusal.UNKNOWN_MARKET: "EQuery:Unknown asset pair",
    Refusal.MARKET_CLOSED: "EService:Market in cancel_only mode",
    Refusal.INVALID_PRICE: "EOrder:Invalid price",
    Refusal.INVALID_QUANTITY: "EGeneral:Invalid arguments:volume",
    Refusal.TICK_SIZE: "EOrder:Tick size check failed",
    Refusal.MINIMUM_QUANTITY: "EOrder:Order minimum not met",
    Refusal.MINIMUM_COST: "EOrder:Cost minimum not met",
    Refusal.INSUFFICIENT_FUNDS: "EOrder:Insufficient funds",
    Refusal.POST_ONLY_WOULD_TAKE: "EOrder:Post only order",
    Refusal.IOC_WOULD_NOT_EXECUTE: "EOrder:Invalid order",
    Refusal.WOULD_NOT_REDUCE: "EOrder:Reduce only:No position exists",
    Refusal.SELF_TRADE: "EOrder:Invalid order",
    # The venue's text for a client id in use is not known.
    Refusal.DUPLICATE_CLIENT_ID: "EGeneral:Invalid arguments:cl_ord_id",
    Refusal.DEADLINE_ELAPSED: "EService:Deadline elapsed",
    Refusal.UNKNOWN_ORDER: "EOrder:Unknown order",
    Refusal.INVALID_TRIGGER: "EOrder:Invalid price",
    Refusal.INVALID_TIME: "EGeneral:Invalid arguments:starttm",
    Refusal.INVALID_DISPLAY: "EGeneral:Invalid arguments:displayvol",
    # The venue's text for an order that cannot be amended that way is not known.
    Refusal.NOT_AMENDABLE: "EOrder:Invalid order",
    Refusal.INSUFFICIENT_MARGIN: "EOrder:Insufficient margin",
    Refusal.LEVERAGE: "EGeneral:Invalid arguments:leverage",
    Refusal.TOO_MANY_ORDERS: "EOrder:Orders limit exceeded",
}
NOT_VALID = {
    Refusal.INVALID_PRICE,
    Refusal.INVALID_QUANTITY,
    Refusal.TICK_SIZE,
    Refusal.MINIMUM_QUANTITY,
    Refusal.MINIMUM_COST,
    Refusal.INVALID_TRIGGER,
    Refusal.INVALID_TIME,
    Refusal.INVALID_DISPLAY,
    Refusal.LEVERAGE,
}
"""Refusals that are found before anything is matched, for all orders of a batch; others for each by itself."""
_CLIENT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}|[ -~]{1,18}")
_ORDER_ID = re.compile(r"[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{6}")
_LATEST_DEADLINE = timedelta(seconds=60)


def worded(refused: SimRefused) -> Refused:
    """Return the venue's error for the exchange's no."""
    return Refused(_ERRORS.get(refused.refusal, "EOrder:Invalid order"))


def is_client_id(text: str) -> bool:
    """Whether *text* is a UUID, its 32 digits, or printable text of up to 18 characters."""
    return _CLIENT_ID.fullmatch(text) is not None


def is_order_id(text: str) -> bool:
    return _ORDER_ID.fullmatch(text) is not None


def read_deadline(text: str, now: datetime, soonest: timedelta) -> datetime:
    """Return the moment after which the order must not match.

    Raises:
        Refused: It is past, too soon, too late, or no time.
    """
    try:
        deadline = from_rfc3339(text)
    except (ProtocolError, OverflowError):
        raise Refused("EGeneral:Invalid arguments:deadline") from None
    ahead = deadline - now
    if ahead <= timedelta(0):
        raise Refused("EService:Deadline elapsed")
    if not soonest <= ahead <= _LATEST_DEADLINE:
        raise Refused("EGeneral:Invalid arguments:deadline")
    return deadline
