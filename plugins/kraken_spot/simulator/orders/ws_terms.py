"""Read orders as WebSocket v2 sends them.

See https://docs.kraken.com/api/docs/websocket-v2/add_order
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from exchange_core.errors import ProtocolError
from exchange_core.model.side import Side
from exchange_core.model.terms import SelfTrade, TimeInForce, TriggerBy
from exchange_core.model.time import from_rfc3339
from kraken_spot.simulator.codec import Refused, invalid
from kraken_spot.simulator.feed.replies import FieldError, Params, amount, field, wrong
from kraken_spot.simulator.markets.names import Pair
from kraken_spot.simulator.orders.prices import Quoted, typed_price
from kraken_spot.simulator.orders.terms import TYPES, CloseTerms, Terms
from kraken_spot.simulator.orders.text import is_client_id, read_deadline

_E = TypeVar("_E", bound=StrEnum)

_SOONEST_DEADLINE = timedelta(milliseconds=500)
_TRAILING_LIMIT = "trailing-stop-limit"
_PRICES = frozenset({"limit_price", "limit_price_type", "triggers"})
_NAMES = frozenset({"cl_ord_id", "order_userref"})
_FLAGS = frozenset({"post_only", "reduce_only", "margin", "no_mpp", "fee_preference", "stp_type", "cash_order_qty"})
_TIMES = frozenset({"time_in_force", "expire_time", "effective_time"})
LEG = _PRICES | _NAMES | _FLAGS | _TIMES | {"order_type", "side", "order_qty", "display_qty", "conditional"}
"""The fields of one order of a batch."""
_REQUEST = frozenset({"token", "deadline", "validate", "symbol"})
KNOWN: dict[str, frozenset[str]] = {
    "add_order": LEG | _REQUEST,
    "amend_order": frozenset(
        {"token", "order_id", "cl_ord_id", "order_qty", "limit_price", "limit_price_type", "display_qty", "post_only"}
        | {"trigger_price", "trigger_price_type", "deadline", "symbol"}
    ),
    "edit_order": _REQUEST
    | _PRICES
    | {"order_id", "order_qty", "display_qty", "fee_preference", "order_userref"}
    | {"post_only", "reduce_only", "no_mpp"},
    "cancel_order": frozenset({"token", "order_id", "cl_ord_id", "order_userref"}),
    "cancel_all": frozenset({"token"}),
    "cancel_all_orders_after": frozenset({"token", "timeout"}),
    "batch_add": _REQUEST | {"orders"},
    "batch_cancel": frozenset({"token", "orders", "cl_ord_id"}),
}
_TRIGGERS = frozenset({"reference", "price", "price_type"})
_CONDITIONAL = frozenset({"order_type", "limit_price", "limit_price_type", "trigger_price", "trigger_price_type"})


def check_fields(params: Params, known: Iterable[str], method: str) -> None:
    """Raises: FieldError: A field that the method does not have."""
    extra = next((name for name in params if name not in known), None)
    if extra is not None:
        # Recorded for ping; taken to be the same for the others.
        raise FieldError(f"Unsupported field: '{extra[:40]}' for the given msg type: {method}")


def read_order(params: Params, pair: Pair, now: datetime) -> Terms:
    """Return the order of add_order, or one of a batch.

    Raises:
        Refused: It contradicts itself.
        FieldError: A field is of the wrong kind.
    """
    ordertype = field(params, "order_type", str)
    if ordertype not in TYPES:
        raise invalid("order_type")
    cash, quantity = amount(params, "cash_order_qty"), amount(params, "order_qty")
    if (cash is None) == (quantity is None):
        raise wrong("order_qty", "a number_float")
    client_id, reference = read_references(params)
    triggers = read_triggers(params, ordertype)
    # Documented in lower case; clients are known to send upper case.
    tif = field(params, "time_in_force", str, "gtc").lower()
    stp = field(params, "stp_type", str, "")
    limit = read_limit(params, ordertype)
    first = TYPES[ordertype].is_triggered
    return Terms(
        pair=pair,
        side=_choice(Side, field(params, "side", str), "side"),
        ordertype=ordertype,
        volume=cash if quantity is None and cash is not None else quantity or Decimal(0),
        price=triggers[0] if first else limit,
        price2=limit if first else None,
        trigger=triggers[1],
        display=amount(params, "display_qty"),
        leverage=read_margin(params, pair),
        reduce_only=field(params, "reduce_only", bool, False),
        self_trade=_choice(SelfTrade, stp, "stp_type") if stp else None,
        flags=_flags(params, in_quote=cash is not None),
        tif=_choice(TimeInForce, tif, "time_in_force"),
        starts=_moment(params, "effective_time"),
        expires=_moment(params, "expire_time"),
        deadline=read_deadline_of(params, now),
        client_id=client_id,
        reference=reference,
        close=_conditional(params),
    )


def read_limit(params: Params, ordertype: str) -> Quoted | None:
    price = amount(params, "limit_price")
    usual = "quote" if ordertype == _TRAILING_LIMIT else "static"
    kind = field(params, "limit_price_type", str, usual)
    if price is None:
        return None
    if (kind == "static") is (ordertype == _TRAILING_LIMIT):
        raise invalid("limit_price_type")
    return typed_price(price, kind, "limit_price_type")


def read_triggers(params: Params, ordertype: str) -> tuple[Quoted | None, TriggerBy | None]:
    """Return the price that sets an order off, and which price that is compared with."""
    given = params.get("triggers")
    if given is None:
        return None, None
    if not isinstance(given, dict):
        raise wrong("triggers", "an object")
    check_fields(given, _TRIGGERS, "triggers")
    if not TYPES[ordertype].is_triggered:
        raise invalid("triggers")
    price = amount(given, "price")
    if price is None:
        raise wrong("price", "a number_float")
    kind = field(given, "price_type", str, "static")
    if kind == "static" and TYPES[ordertype].is_trailing:
        raise invalid("price_type")
    reference = field(given, "reference", str, "last")
    if reference not in ("last", "index"):
        raise invalid("reference")
    return typed_price(price, kind, "price_type"), TriggerBy(reference)


def read_margin(params: Params, pair: Pair) -> int | None:
    """Return the largest leverage that the pair has, where margin is wanted: there is no other choice here."""
    if not field(params, "margin", bool, False):
        return None
    if not pair.leverages:
        raise Refused("EOrder:Cannot open position")
    return max(pair.leverages)


def read_references(params: Params) -> tuple[str | None, int | None]:
    client_id = field(params, "cl_ord_id", str, "") or None
    given = params.get("order_userref")
    reference = None if given is None else field(params, "order_userref", int)
    if client_id is not None and (given is not None or not is_client_id(client_id)):
        raise invalid("cl_ord_id")
    if reference is not None and not -(2**31) <= reference < 2**31:
        raise invalid("order_userref")
    return client_id, reference


def read_deadline_of(params: Params, now: datetime) -> datetime | None:
    text = field(params, "deadline", str, "")
    return read_deadline(text, now, _SOONEST_DEADLINE) if text else None


def _flags(params: Params, *, in_quote: bool) -> frozenset[str]:
    found = {"post"} if field(params, "post_only", bool, False) else set()
    if field(params, "no_mpp", bool, False):
        found.add("nompp")
    if in_quote:
        found.add("viqc")
    preference = field(params, "fee_preference", str, "")
    if preference not in ("", "base", "quote"):
        raise invalid("fee_preference")
    if preference:
        found.add("fcib" if preference == "base" else "fciq")
    return frozenset(found)


def _conditional(params: Params) -> CloseTerms | None:
    given = params.get("conditional")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise wrong("conditional", "an object")
    check_fields(given, _CONDITIONAL, "conditional")
    ordertype = field(given, "order_type", str)
    if ordertype not in TYPES:
        raise invalid("order_type")
    limit = read_limit(given, ordertype)
    trigger = amount(given, "trigger_price")
    kind = field(given, "trigger_price_type", str, "static")
    stop = None if trigger is None else typed_price(trigger, kind, "trigger_price_type")
    if not TYPES[ordertype].is_triggered:
        if stop is not None:
            raise invalid("trigger_price")
        return CloseTerms(ordertype=ordertype, price=limit)
    return CloseTerms(ordertype=ordertype, price=stop, price2=limit)


def _moment(params: Params, name: str) -> datetime | None:
    text = field(params, name, str, "")
    if not text:
        return None
    try:
        return from_rfc3339(text)
    except (ProtocolError, OverflowError):
        raise invalid(name) from None


def _choice(kind: type[_E], text: str, name: str) -> _E:
    try:
        return kind(text)
    except ValueError:
        raise invalid(name) from None


def optional_price(params: Params, name: str, type_name: str, usual: str) -> Quoted | None:
    """Return a price of an amend, with its type."""
    value: Any = amount(params, name)
    kind = field(params, type_name, str, usual)
    return None if value is None else typed_price(value, kind, type_name)
