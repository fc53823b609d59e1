"""What the live feed said of one order so far: after its first record, messages say only what changed.

See https://docs.kraken.com/api/docs/websocket-v2/executions
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import attrs

from exchange_core.connector.naming import SymbolMap
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.order import OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339
from kraken_spot.orders.prices import Price, RelativePrice
from kraken_spot.parse import feed as parse
from kraken_spot.parse import terms as parse_terms
from kraken_spot.parse.common import number, side
from kraken_spot.wire import feed as wire


@attrs.define
class KnownOrder:
    """What was said of an order. What a message does not say is unchanged.

    Attributes:
        quantity: None of an order for an amount.
        quote_amount: What such an order is to spend.
        fires_at: The price that sets it off now; moves with a trailing order.
        parent: The order that made it.
    """

    symbol: Symbol | None = None
    side: Side | None = None
    client_order_id: str | None = None
    kind: str | None = None
    quantity: Decimal | None = None
    quote_amount: Decimal | None = None
    price: Decimal | None = None
    limit: Price | None = None
    trigger: Price | None = None
    fires_at: Decimal | None = None
    reference: str | None = None
    display_quantity: Decimal | None = None
    time_in_force: str | None = None
    expires: datetime | None = None
    post_only: bool = False
    reduce_only: bool = False
    parent: str | None = None
    userref: int | None = None

    def learn(self, raw: wire.Execution, symbols: SymbolMap) -> None:
        """Take what a message says."""
        if raw.symbol is not None:
            self.symbol = parse.symbol(raw.symbol, symbols)
        if raw.side is not None:
            self.side = side(raw.side)
        self.client_order_id = raw.cl_ord_id or self.client_order_id
        self.kind = raw.order_type or self.kind
        self.parent = raw.ord_ref_id or self.parent
        self.userref = raw.order_userref or self.userref
        self._learn_quantity(raw)
        if raw.limit_price is not None:
            self.limit = _price(number(raw.limit_price, "limit_price"), raw.limit_price_type)
            self.price = self.limit if isinstance(self.limit, Decimal) else None
        if raw.display_qty is not None:
            self.display_quantity = number(raw.display_qty, "display_qty") or None
        if raw.triggers is not None:
            self._learn_triggers(raw.triggers)
        self.time_in_force = raw.time_in_force or self.time_in_force
        self.expires = from_rfc3339(raw.expire_time) if raw.expire_time else self.expires
        self.post_only = self.post_only if raw.post_only is None else raw.post_only
        self.reduce_only = self.reduce_only if raw.reduce_only is None else raw.reduce_only

    def _learn_quantity(self, raw: wire.Execution) -> None:
        if raw.cash_order_qty:
            self.quote_amount = number(raw.cash_order_qty, "cash_order_qty")
        if self.quote_amount is not None:
            # Open point: what stands as order_qty beside the amount, if anything does. It is no quantity.
            self.quantity = None
        elif raw.order_qty is not None:
            self.quantity = number(raw.order_qty, "order_qty")

    def _learn_triggers(self, raw: wire.Triggers) -> None:
        self.reference = raw.reference or self.reference
        if raw.price is not None:
            self.trigger = _price(number(raw.price, "triggers.price"), raw.price_type)
        if raw.actual_price is not None:
            self.fires_at = number(raw.actual_price, "triggers.actual_price") or None
        elif isinstance(self.trigger, Decimal):
            self.fires_at = self.trigger

    def request(self) -> OrderRequest | None:
        """Return all its terms; None where too little was said."""
        is_sized = self.quantity is not None or self.quote_amount is not None
        if self.symbol is None or self.side is None or self.kind is None or not is_sized:
            return None
        try:
            return parse_terms.request(
                parse_terms.Shown(
                    symbol=self.symbol,
                    side=self.side,
                    kind=self.kind,
                    quantity=self.quantity,
                    limit=self.limit,
                    trigger=self.trigger,
                    fires_at=self.fires_at,
                    reference=self.reference,
                    time_in_force=self.time_in_force,
                    expires=self.expires,
                    post_only=self.post_only,
                    reduce_only=self.reduce_only,
                    display_quantity=self.display_quantity,
                    client_order_id=self.client_order_id,
                    quote_amount=self.quote_amount,
                    parent=self.parent,
                    userref=self.userref,
                )
            )
        except (InvalidValue, ProtocolError):
            # It is told by what it says of itself all the same.
            return None


def _price(amount: Decimal, kind: str | None) -> Price | None:
    if kind in ("pct", "quote"):
        return RelativePrice("-" if amount < 0 else "+", abs(amount), kind == "pct")
    return amount or None
