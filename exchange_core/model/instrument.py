"""What one venue lets us trade, and the steps and minimums it insists on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from exchange_core.errors import InvalidValue, OrderRefused
from exchange_core.model.number import EXACT, ceil_to, decimals_of, floor_to, is_multiple, nearest, plain, ratio
from exchange_core.model.order import OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol


class InstrumentStatus(StrEnum):
    """What the venue accepts for it now."""

    ONLINE = "online"
    POST_ONLY = "post_only"
    LIMIT_ONLY = "limit_only"
    REDUCE_ONLY = "reduce_only"
    CANCEL_ONLY = "cancel_only"
    OFFLINE = "offline"


def _positive(_: object, attribute: attrs.Attribute[Decimal], value: Decimal) -> None:
    if value <= 0:
        raise InvalidValue(f"{attribute.name}: {value} is not above zero")


@attrs.frozen(kw_only=True)
class Instrument:
    """One tradable thing on one venue.

    Attributes:
        symbol: Our name.
        venue_id: The venue's name for requests.
        tick_size: Smallest step between two prices.
        lot_size: Smallest step between two quantities.
        min_quantity: Smallest quantity of an order.
        min_cost: Smallest price times quantity, in the quote asset; None where the venue has no such rule.
        contract_size: What one unit of quantity stands for: base units (linear, spot) or quote units (inverse).
        price_decimals: Decimals the venue prints prices with (may exceed those of the tick).
        quantity_decimals: Decimals the venue prints quantities with.
        expiry: When a dated contract stops trading.
        is_closed: It is no market any more, expired or delisted; a market that is only halted is OFFLINE.
        is_tokenized: Its base stands for something that is traded elsewhere, such as a share.
    """

    symbol: Symbol
    venue_id: str
    tick_size: Decimal = attrs.field(validator=_positive)
    lot_size: Decimal = attrs.field(validator=_positive)
    min_quantity: Decimal = attrs.field(validator=_positive)
    min_cost: Decimal | None = None
    contract_size: Decimal = attrs.field(default=Decimal(1), validator=_positive)
    price_decimals: int = attrs.field()
    quantity_decimals: int = attrs.field()
    status: InstrumentStatus = InstrumentStatus.ONLINE
    expiry: datetime | None = None
    is_closed: bool = False
    is_tokenized: bool = False

    @price_decimals.default
    def _price_decimals(self) -> int:
        return decimals_of(self.tick_size)

    @quantity_decimals.default
    def _quantity_decimals(self) -> int:
        return decimals_of(self.lot_size)

    @property
    def is_inverse(self) -> bool:
        """Whether a quantity counts quote units and profit is paid in the base asset."""
        return self.symbol.is_inverse

    def round_price(self, price: Decimal) -> Decimal:
        """Move *price* to the nearest step this venue accepts."""
        return nearest(price, self.tick_size)

    def price_inside(self, price: Decimal, side: Side) -> Decimal:
        """Move *price* to a step that is no worse for us: down for a buy, up for a sell."""
        return floor_to(price, self.tick_size) if side is Side.BUY else ceil_to(price, self.tick_size)

    def floor_quantity(self, quantity: Decimal) -> Decimal:
        """Cut *quantity* down to a step this venue accepts; it may become zero."""
        return floor_to(quantity, self.lot_size)

    def notional(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the value of *quantity*: in the quote asset, or in the base asset for an inverse contract."""
        size = EXACT.multiply(quantity, self.contract_size)
        return ratio(size, price) if self.is_inverse else EXACT.multiply(size, price)

    def check(self, request: OrderRequest) -> None:
        """Refuse what the venue would refuse for its steps, minimums or status.

        Raises:
            OrderRefused: Says which rule, what was found, and the nearest valid value.
        """
        if request.symbol != self.symbol:
            raise OrderRefused(f"{self.symbol}: the order is for {request.symbol}")
        if request.quantity is None:
            self._check_status(request.type.has_limit, request.post_only, request.reduce_only)
            self._check_tick("price", request.price)
            self._check_amount(request.quote_amount)
        else:
            self.check_terms(
                request.quantity,
                request.price,
                has_limit=request.type.has_limit,
                post_only=request.post_only,
                reduce_only=request.reduce_only,
            )
        self._check_lot("display_quantity", request.display_quantity)
        self._check_tick("trigger_price", request.trigger_price)
        for name, offset in (("trail", request.trail), ("limit_offset", request.limit_offset)):
            if offset is not None and not offset.percent:
                self._check_tick(name, offset.amount)

    def check_terms(
        self,
        quantity: Decimal,
        price: Decimal | None,
        *,
        has_limit: bool,
        post_only: bool = False,
        reduce_only: bool = False,
    ) -> None:
        """Do as :meth:`check` for what every order has, whatever class holds it."""
        self._check_status(has_limit, post_only, reduce_only)
        self._check_lot("quantity", quantity)
        if quantity < self.min_quantity:
            raise OrderRefused(
                f"{self.symbol}: quantity {plain(quantity)} is below the minimum; "
                f"least is {plain(self._least_quantity())}"
            )
        self._check_tick("price", price)
        if price is not None and self.min_cost is not None and EXACT.multiply(quantity, price) < self.min_cost:
            least = max(ceil_to(ratio(self.min_cost, price), self.lot_size), self._least_quantity())
            raise OrderRefused(
                f"{self.symbol}: {plain(quantity)} at {plain(price)} costs less than the minimum "
                f"{plain(self.min_cost)} {self.symbol.quote}; least quantity at this price is {plain(least)}"
            )

    def _check_amount(self, amount: Decimal | None) -> None:
        if amount is not None and self.min_cost is not None and amount < self.min_cost:
            raise OrderRefused(
                f"{self.symbol}: quote_amount {plain(amount)} is below the minimum; least is {plain(self.min_cost)} "
                f"{self.symbol.quote}"
            )

    def _check_lot(self, name: str, quantity: Decimal | None) -> None:
        if quantity is not None and not is_multiple(quantity, self.lot_size):
            near = max(nearest(quantity, self.lot_size), self._least_quantity())
            raise OrderRefused(
                f"{self.symbol}: {name} {plain(quantity)} is not a multiple of {plain(self.lot_size)}; "
                f"nearest is {plain(near)}"
            )

    def _check_tick(self, name: str, price: Decimal | None) -> None:
        if price is not None and not is_multiple(price, self.tick_size):
            near = self.round_price(price)
            near = max(near, self.tick_size) if price > 0 else near
            raise OrderRefused(
                f"{self.symbol}: {name} {plain(price)} is not a multiple of {plain(self.tick_size)}; "
                f"nearest is {plain(near)}"
            )

    def _least_quantity(self) -> Decimal:
        return ceil_to(self.min_quantity, self.lot_size)

    def _check_status(self, has_limit: bool, post_only: bool, reduce_only: bool) -> None:
        status = self.status
        if status is InstrumentStatus.ONLINE:
            return
        allowed = {
            InstrumentStatus.POST_ONLY: post_only,
            InstrumentStatus.LIMIT_ONLY: has_limit,
            InstrumentStatus.REDUCE_ONLY: reduce_only,
            InstrumentStatus.CANCEL_ONLY: False,
            InstrumentStatus.OFFLINE: False,
        }[status]
        if not allowed:
            raise OrderRefused(f"{self.symbol}: the venue says {status}; it does not take this order now")
