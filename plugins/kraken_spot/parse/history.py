"""What records of an account's history mean: one pure function each.

See https://docs.kraken.com/api-reference/account-data/
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.errors import ProtocolError
from exchange_core.model.number import EXACT
from kraken_spot.naming import balance_asset
from kraken_spot.orders.prices import Price, RelativePrice
from kraken_spot.parse import common as parse
from kraken_spot.parse.rows import made, word, words
from kraken_spot.types.history import (
    Amend,
    AmendType,
    ClosedPart,
    LedgerEntry,
    LedgerType,
    OrderRecord,
    RecordStatus,
    SpotOrderType,
    TradeRecord,
)
from kraken_spot.wire import history as raw_history

_NO_LEVERAGE = ("", "0", "none")

# Seconds, milliseconds, microseconds, nanoseconds; each begins where the one before would be far in the future.
_UNITS = ((10**11, 0), (10**14, 3), (10**17, 6))


def order(txid: str, raw: raw_history.Order, symbols: SymbolMap) -> OrderRecord:
    return made(
        OrderRecord,
        raw,
        id=txid,
        symbol=symbols.get(raw.descr.pair) or raw.descr.pair,
        side=parse.side(raw.descr.type),
        type=word(SpotOrderType, raw.descr.ordertype),
        status=word(RecordStatus, raw.status),
        quantity=parse.number(raw.vol, "vol"),
        filled=parse.number(raw.vol_exec, "vol_exec"),
        price=_ordered(raw.descr.price, "price"),
        price2=_ordered(raw.descr.price2, "price2"),
        average_price=_some(raw.price, "price"),
        stop_price=_some(raw.stopprice, "stopprice"),
        limit_price=_some(raw.limitprice, "limitprice"),
        trigger=raw.trigger or "last",
        leverage=_leverage(raw.descr.leverage),
        flags=words(raw.oflags),
        misc=words(raw.misc),
        time_in_force=raw.time_in_force.lower() if raw.time_in_force else None,
        opened=_time(raw.opentm, "opentm"),
        starts=_time(raw.starttm, "starttm"),
        expires=_time(raw.expiretm, "expiretm"),
        closed=_time(raw.closetm, "closetm"),
        userref=raw.userref or None,
        client_order_id=raw.cl_ord_id or None,
        parent=None if raw.refid in parse.NO_ID else raw.refid,
        description=raw.descr.order,
        close_description=raw.descr.close,
    )


def trade(txid: str, raw: raw_history.Trade, symbols: SymbolMap) -> TradeRecord:
    return made(
        TradeRecord,
        raw,
        id=txid,
        order_id=raw.ordertxid,
        position_id=raw.postxid,
        symbol=symbols.get(raw.pair) or raw.pair,
        time=parse.moment(raw.time),
        side=parse.side(raw.type),
        order_type=raw.ordertype,
        quantity=parse.number(raw.vol, "vol"),
        leverage=_leverage(raw.leverage),
        misc=words(raw.misc),
        position_status=raw.posstatus,
        closed=None if raw.posstatus is None else _closed(raw),
    )


def _closed(raw: raw_history.Trade) -> ClosedPart:
    return ClosedPart(
        price=_optional(raw.cprice, "cprice"),
        cost=_optional(raw.ccost, "ccost"),
        fee=_optional(raw.cfee, "cfee"),
        quantity=_optional(raw.cvol, "cvol"),
        margin=_optional(raw.cmargin, "cmargin"),
        net=_optional(raw.net, "net"),
        trades=tuple(raw.trades),
    )


def ledger_entry(entry_id: str, raw: raw_history.LedgerEntry, assets: AssetMap) -> LedgerEntry:
    asset, wallet = balance_asset(raw.asset, assets)
    return made(
        LedgerEntry,
        raw,
        id=entry_id,
        reference=raw.refid,
        time=parse.moment(raw.time),
        type=word(LedgerType, raw.type),
        asset_class=raw.aclass,
        asset=asset,
        wallet=wallet,
    )


def amend(raw: raw_history.Amend) -> Amend:
    return made(
        Amend,
        raw,
        id=raw.amend_id,
        type=word(AmendType, raw.amend_type),
        time=stamp(raw.timestamp),
        quantity=_optional(raw.order_qty, "order_qty"),
        display_quantity=_optional(raw.display_qty, "display_qty"),
        remaining=_optional(raw.remaining_qty, "remaining_qty"),
    )


def stamp(value: int) -> datetime:
    """Read an epoch time in whatever unit its size tells."""
    # Open point: recorded in milliseconds, and one typed client says nanoseconds.
    digits = next((decimals for least, decimals in _UNITS if value < least), 9)
    return parse.moment(Decimal(value).scaleb(-digits, EXACT), "timestamp")


def _ordered(text: str, what: str) -> Price | None:
    if text[:1] in ("+", "-", "#"):
        return RelativePrice.parse(text)
    try:
        return _some(Decimal(text or 0), what)
    except ArithmeticError:
        raise ProtocolError(f"{what}: {text!r} is no price") from None


def _some(value: Decimal, what: str) -> Decimal | None:
    return parse.number(value, what) or None


def _optional(value: Decimal | None, what: str) -> Decimal | None:
    return None if value is None else parse.number(value, what)


def _leverage(text: str) -> str | None:
    return None if text in _NO_LEVERAGE else text


def _time(value: Decimal | None, what: str) -> datetime | None:
    return parse.moment(value, what) if value else None
