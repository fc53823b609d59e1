"""From new terms for a resting order to what is sent, or to a refusal before sending.

See https://docs.kraken.com/exchange/guides/general/amends
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue
from exchange_core.model.instrument import Instrument
from exchange_core.model.number import plain
from kraken_spot.orders.params import check_step, check_trail, flags, price_fields
from kraken_spot.orders.prices import RelativePrice, wire
from kraken_spot.orders.table import BY_NAME, LIMITED, TRIGGERED
from kraken_spot.orders.terms import Amendment, Edit
from kraken_spot.rest.calls import refuse
from kraken_spot.tokenized import TOKENIZED
from kraken_spot.types.history import SpotOrderType


def amend_params(context: VenueContext, amendment: Amendment, deadline: str | None) -> dict[str, Any]:
    """Return *amendment* in AmendOrder's words.

    Raises:
        NotSupported: For what does not go together, or changes nothing.
    """
    venue = context.venue
    if (amendment.txid is None) == (amendment.client_order_id is None):
        raise refuse(venue, "txid", "give the venue's id or client_order_id, one of the two")
    changes = (amendment.quantity, amendment.display_quantity, amendment.limit_price, amendment.trigger_price)
    if all(value is None for value in changes):
        raise refuse(venue, "quantity", "nothing is to be changed; give a quantity or a price")
    if amendment.post_only and amendment.limit_price is None:
        raise refuse(venue, "post_only", "goes with a new limit_price only")
    for name, price in (("limit_price", amendment.limit_price), ("trigger_price", amendment.trigger_price)):
        if isinstance(price, RelativePrice) and price.sign == "#":
            raise refuse(venue, name, f"{price}: an amend takes offsets with + or -")
    instrument = context.symbols.instrument(amendment.symbol)
    _check_steps(instrument, amendment)
    return {
        "txid": amendment.txid,
        "cl_ord_id": amendment.client_order_id,
        "order_qty": _plain(amendment.quantity),
        "display_qty": _plain(amendment.display_quantity),
        "limit_price": wire(amendment.limit_price),
        "trigger_price": wire(amendment.trigger_price),
        "post_only": True if amendment.post_only else None,
        "deadline": deadline,
        # The pair is only asked for with these.
        "pair": instrument.venue_id if amendment.tokenized else None,
    }


def edit_params(context: VenueContext, edit: Edit, deadline: str | None) -> dict[str, Any]:
    """Return *edit* in EditOrder's words.

    Raises:
        NotSupported: For what does not go together, or changes nothing.
    """
    venue = context.venue
    if edit.txid.lstrip("-").isdigit():
        # A number would be read as a userref.
        raise InvalidValue(f"{venue}: {edit.txid!r} is no order id of Kraken's; nothing was sent")
    changes = (edit.quantity, edit.display_quantity, edit.limit_price, edit.trigger_price)
    if all(value is None for value in changes):
        raise refuse(venue, "quantity", "nothing is to be changed; give a quantity or a price")
    for name, value, types in (
        ("limit_price", edit.limit_price, LIMITED),
        ("trigger_price", edit.trigger_price, TRIGGERED),
        ("display_quantity", edit.display_quantity, {SpotOrderType.ICEBERG}),
        ("post_only", edit.post_only or None, {SpotOrderType.LIMIT}),
        ("trigger", edit.trigger, TRIGGERED),
        ("no_price_protection", edit.no_price_protection or None, BY_NAME["no_price_protection"].types),
    ):
        if value is not None and edit.type not in types:
            raise refuse(venue, name, f"does not go with a {edit.type} order")
    check_trail(venue, "", edit.type, edit.limit_price, edit.trigger_price)
    instrument = context.symbols.instrument(edit.symbol)
    _check_steps(instrument, edit)
    return {
        "txid": edit.txid,
        "pair": instrument.venue_id,
        "volume": _plain(edit.quantity),
        "displayvol": _plain(edit.display_quantity),
        **price_fields(edit.type, edit.limit_price, edit.trigger_price),
        "oflags": flags(edit),
        "userref": edit.userref,
        "deadline": deadline,
        "cancel_response": True if edit.answer_while_pending else None,
        "asset_class": TOKENIZED if edit.tokenized else None,
    }


def check_form(context: VenueContext, edit: Edit) -> None:
    """Refuse what only a frame can say of an edit.

    Raises:
        NotSupported: Names it.
    """
    for name, value in (("trigger", edit.trigger), ("reduce_only", edit.reduce_only or None)):
        if value is not None:
            why = "of an edit goes over the live connection only, which cannot take this one now; nothing was sent"
            raise refuse(context.venue, name, why)


def _check_steps(instrument: Instrument, terms: Amendment | Edit) -> None:
    for what, price in (("limit price", terms.limit_price), ("trigger price", terms.trigger_price)):
        if isinstance(price, Decimal):
            check_step(instrument, what, price, instrument.tick_size)
    for what, quantity in (("quantity", terms.quantity), ("display quantity", terms.display_quantity)):
        if quantity is not None:
            check_step(instrument, what, quantity, instrument.lot_size)


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
