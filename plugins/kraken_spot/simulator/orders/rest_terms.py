"""Read orders as REST sends them, in a form or in JSON.

See https://docs.kraken.com/api-reference/trading/add-order
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from exchange_core.errors import ProtocolError
from exchange_core.model.side import Side
from exchange_core.model.terms import TimeInForce, TriggerBy
from exchange_core.model.time import from_seconds
from kraken_spot.simulator.codec import Arguments, invalid, read_decimal
from kraken_spot.simulator.markets.names import Pair
from kraken_spot.simulator.orders.prices import Quoted, read_price
from kraken_spot.simulator.orders.terms import FLAGS, SELF_TRADES, TYPES, CloseTerms, Terms
from kraken_spot.simulator.orders.text import is_client_id, read_deadline

_SOONEST_DEADLINE = timedelta(seconds=2)
_TIMES = ("GTC", "IOC", "FOK", "GTD")
_TRIGGERS = {"": None, "last": TriggerBy.LAST, "index": TriggerBy.INDEX}
_MOST_LEVERAGE = 1000


def read_order(given: Arguments, pair: Pair, now: datetime) -> Terms:
    """Return the order of AddOrder, or one of a batch.

    Raises:
        Refused: It does not read as documented.
    """
    side = given.choice("type", ("buy", "sell"))
    ordertype = given.choice("ordertype", tuple(TYPES))
    volume = given.decimal("volume")
    return read_terms(given, pair, now, side=Side(side), ordertype=ordertype, volume=volume)


def read_terms(given: Arguments, pair: Pair, now: datetime, *, side: Side, ordertype: str, volume: Decimal) -> Terms:
    """Return an order whose pair, side, type and volume are known, with all else that *given* says."""
    client_id, reference = _references(given)
    return Terms(
        pair=pair,
        side=side,
        ordertype=ordertype,
        volume=volume,
        price=price_of(given, "price"),
        price2=price_of(given, "price2"),
        trigger=_TRIGGERS[given.choice("trigger", tuple(_TRIGGERS))],
        display=given.decimal("displayvol") if _has(given, "displayvol") else None,
        leverage=_leverage(given),
        reduce_only=given.flag("reduce_only"),
        self_trade=SELF_TRADES.get(given.choice("stptype", ("", *SELF_TRADES))),
        flags=read_flags(given),
        tif=TimeInForce(given.choice("timeinforce", _TIMES, "GTC").lower()),
        starts=_moment(given, "starttm", now),
        expires=_moment(given, "expiretm", now),
        deadline=read_deadline_of(given, now),
        client_id=client_id,
        reference=reference,
        close=_close(given),
    )


def read_flags(given: Arguments) -> frozenset[str]:
    flags = frozenset(given.words("oflags"))
    if not flags <= FLAGS:
        raise invalid("oflags")
    return flags


def read_deadline_of(given: Arguments, now: datetime) -> datetime | None:
    text = given.text("deadline")
    return read_deadline(text, now, _SOONEST_DEADLINE) if text else None


def price_of(given: Arguments, name: str) -> Quoted | None:
    """Return a price; 0 is the same as none."""
    if not _has(given, name):
        return None
    return read_price(given.text(name))


def _has(given: Arguments, name: str) -> bool:
    if name not in given:
        return False
    value = read_decimal(given.text(name)) if given.text(name)[:1] not in "+-#" else None
    return value is None or value != 0


def _leverage(given: Arguments) -> int | None:
    text = given.text("leverage", "none")
    if text in ("none", "0"):
        return None
    number = text.removesuffix(":1")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number[:9]) <= _MOST_LEVERAGE:
        raise invalid("leverage")
    return int(number)


def _moment(given: Arguments, name: str, now: datetime) -> datetime | None:
    """Return a time: ``0`` is none, ``+60`` counts from now, all else are epoch seconds."""
    text = given.text(name, "0")
    value = read_decimal(text.removeprefix("+"))
    if value is None or value < 0 or value != value.to_integral_value() or text[:1] == "-":
        raise invalid(name)
    if not value:
        return None
    try:
        return now + timedelta(seconds=int(value)) if text[:1] == "+" else from_seconds(value)
    except (ProtocolError, OverflowError):
        raise invalid(name) from None


def _references(given: Arguments) -> tuple[str | None, int | None]:
    client_id = given.text("cl_ord_id") or None
    reference = given.integer("userref", 0, -(2**31), 2**31 - 1) if "userref" in given else None
    if client_id is not None and (reference is not None or not is_client_id(client_id)):
        raise invalid("cl_ord_id")
    return client_id, reference


def _close(given: Arguments) -> CloseTerms | None:
    """Return the conditional close: fields with brackets in a form, an object in JSON."""
    nested = given.raw("close")
    if nested is None:
        inner = {
            name: given.raw(f"close[{name}]") for name in ("ordertype", "price", "price2") if f"close[{name}]" in given
        }
    elif isinstance(nested, dict):
        inner = nested
    else:
        raise invalid("close")
    if not inner:
        return None
    terms = Arguments(inner)
    ordertype = terms.text("ordertype")
    if ordertype not in TYPES:
        raise invalid("close[ordertype]")
    return CloseTerms(ordertype=ordertype, price=price_of(terms, "price"), price2=price_of(terms, "price2"))
