"""Check orders and edits against their contract, and write them in the venue's words.

See https://docs.kraken.com/api/docs/futures-api/trading/send-order and edit-order-spring
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import attrs

from exchange_core.errors import OrderRefused
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.number import is_multiple, nearest, plain
from exchange_core.model.time import to_rfc3339
from kraken_futures.orders.requests import FuturesOrder, OrderEdit, OrderKind, TriggerSignal, Unit

Fields = dict[str, Decimal | str | bool | None]


def check(order: FuturesOrder, instrument: Instrument) -> None:
    """Refuse an order that the venue would refuse for the contract's steps, minimum or status.

    Raises:
        OrderRefused: Says which rule, and the nearest valid value.
    """
    if order.kind.is_trigger and instrument.status is not InstrumentStatus.OFFLINE:
        # What waits for its trigger is not matched now; whether a post-only market takes it is the venue's to say.
        instrument = attrs.evolve(instrument, status=InstrumentStatus.ONLINE)
    instrument.check_terms(
        order.quantity,
        order.limit_price,
        has_limit=order.limit_price is not None,
        post_only=order.kind is OrderKind.POST,
        reduce_only=order.reduce_only,
    )
    _on_tick("stop_price", order.stop_price, instrument)
    if order.trailing_unit is Unit.QUOTE:
        _on_tick("trailing_deviation", order.trailing_deviation, instrument)
    if order.limit_offset_unit is Unit.QUOTE:
        _on_tick("limit_offset", order.limit_offset, instrument)


def check_edit(edit: OrderEdit, instrument: Instrument) -> None:
    """Refuse what cannot be a price or a quantity of the contract.

    Raises:
        OrderRefused: Says which rule, and the nearest valid value.
    """
    for name, price in (("limit_price", edit.limit_price), ("stop_price", edit.stop_price)):
        _on_tick(name, price, instrument)
    if edit.trailing_unit is Unit.QUOTE:
        _on_tick("trailing_deviation", edit.trailing_deviation, instrument)
    quantity, lot = edit.quantity, instrument.lot_size
    if quantity is not None and not is_multiple(quantity, lot):
        near = max(nearest(quantity, lot), lot)
        raise OrderRefused(
            f"{instrument.symbol}: quantity {plain(quantity)} is not a multiple of {plain(lot)}; "
            f"nearest is {plain(near)}"
        )


def _on_tick(name: str, value: Decimal | None, instrument: Instrument) -> None:
    tick = instrument.tick_size
    if value is not None and not is_multiple(value, tick):
        raise OrderRefused(
            f"{instrument.symbol}: {name} {plain(value)} is not a multiple of {plain(tick)}; "
            f"nearest is {plain(nearest(value, tick))}"
        )


def order_fields(order: FuturesOrder, venue_id: str) -> Fields:
    """Return what an order is to the venue, in its words."""
    signal = order.trigger_signal
    if signal is None and order.kind.is_trigger:
        signal = TriggerSignal.MARK
    return {
        "orderType": order.kind.value,
        "symbol": venue_id,
        "side": order.side.value,
        "size": order.quantity,
        "limitPrice": order.limit_price,
        "stopPrice": order.stop_price,
        "triggerSignal": signal,
        "cliOrdId": order.client_order_id,
        "reduceOnly": True if order.reduce_only else None,
        "trailingStopMaxDeviation": order.trailing_deviation,
        "trailingStopDeviationUnit": order.trailing_unit,
        "limitPriceOffsetValue": order.limit_offset,
        "limitPriceOffsetUnit": order.limit_offset_unit,
    }


def edit_fields(edit: OrderEdit) -> Fields:
    """Return the changes of an edit; what quantity means is always said."""
    return {
        "size": edit.quantity,
        "qtyMode": None if edit.quantity is None else edit.quantity_mode.value,
        "limitPrice": edit.limit_price,
        "stopPrice": edit.stop_price,
        "trailingStopMaxDeviation": edit.trailing_deviation,
        "trailingStopDeviationUnit": edit.trailing_unit,
    }


def as_text(fields: Fields) -> dict[str, str | bool | None]:
    """Return *fields* with plain digits, for a form."""
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in fields.items()}


def deadline_text(deadline: datetime | None) -> str | None:
    """Write a deadline to the microsecond."""
    return None if deadline is None else to_rfc3339(deadline, "microseconds")
