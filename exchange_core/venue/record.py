"""What is known of one order: all that was said of it, merged so that the order in which it was said does not matter.

Three voices speak of an order: answers to our requests, updates on the private feed, and fills. They come late, twice
and out of order. Merging keeps, of each, what can only grow: the status furthest along the table, the largest
cumulative quantity, the set of fills by their ids.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, localcontext
from enum import StrEnum

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.amendment import Amendment
from exchange_core.model.event import OrderUpdate
from exchange_core.model.fill import Fee, Fill
from exchange_core.model.number import EXACT, ratio
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.venue.terms import Amending, Terms, settled


class Heard(StrEnum):
    """What was made of a piece of news.

    STALE is older than what is known, ILLEGAL would leave the table; the status of either is not taken. REVIVED
    contradicts an end that was only our conclusion, and is believed.
    """

    TAKEN = "taken"
    STALE = "stale"
    ILLEGAL = "illegal"
    REVIVED = "revived"


@attrs.define(eq=False, kw_only=True)
class OrderRecord:
    """One order. ``request`` is None while too little is known of an order that was not placed here.

    Attributes:
        concluded: The end is our conclusion, from an error or from silence; what the venue then says of the order
            itself overrules it.
        heard_of: The venue has spoken of it.
        created: When it was sent; of our own orders only.
        opened: When it was made, as the venue says it; shown where it is not ours.
        terms: What is known of amendments.
        former_ids: The venue's ids that it had before, as long as it was a trigger.
        shown: What was last told to others.
    """

    venue: str
    request: OrderRequest | None = None
    client_order_id: str | None = None
    venue_order_id: str | None = None
    unknown: bool = False
    concluded: bool = False
    heard_of: bool = False
    created: datetime | None = None
    opened: datetime | None = None
    updated: datetime | None = None
    touched: datetime | None = None
    shown: Order | None = None
    fills: dict[str, Fill] = attrs.field(factory=dict)
    terms: Terms = attrs.field(factory=Terms)
    former_ids: set[str] = attrs.field(factory=set)
    _stated: OrderStatus = OrderStatus.PENDING
    _reason: str | None = None
    _refused: bool = False
    _news_time: datetime | None = None
    _symbol: Symbol | None = None
    _side: Side | None = None
    _quantity: Decimal | None = None
    _price: Decimal | None = None
    _stated_filled: Decimal = Decimal(0)
    _stated_average: Decimal | None = None
    _stated_fees: tuple[Fee, ...] = ()
    _stated_spent: Decimal | None = None
    _fill_quantity: Decimal = Decimal(0)
    _fill_value: Decimal = Decimal(0)

    @property
    def filled(self) -> Decimal:
        """Executed quantity: the most that any voice can prove."""
        stated, added = self._stated_filled, self._fill_quantity
        return stated if stated >= added else added

    @property
    def status(self) -> OrderStatus:
        """The status stated, or further along where the executed quantity proves it."""
        stated, filled = self._stated, self.filled
        if not filled or (stated.is_final and not self.concluded):
            return stated
        # While an amendment may have made it larger, what was all of it proves no end.
        if self.request is not None:
            most = self.terms.most(self.request)
            # Of an order for an amount only the venue can say that it is all of it.
            if most is not None and filled >= most:
                return OrderStatus.FILLED
        return stated if stated is OrderStatus.CANCELED else OrderStatus.PARTIALLY_FILLED

    def hear(self, news: OrderUpdate, fees: tuple[Fee, ...] = ()) -> Heard:
        """Merge what a message or an answer said."""
        self.unknown, self.heard_of = False, True
        self.client_order_id = self.client_order_id or news.client_order_id
        self.venue_order_id = self.venue_order_id or news.venue_order_id
        if news.continues is not None:
            self._go_on(news.continues, news.venue_order_id)
        elif news.venue_order_id in self.former_ids and news.status is not None and news.status.is_final:
            # The end of the trigger, which fired: the order goes on under its new id.
            news = attrs.evolve(news, status=None)
        time = news.sequence_time
        stale = time is not None and self._news_time is not None and time < self._news_time
        taken = self._learn_terms(news, stale)
        self._learn_filled(news, fees)
        heard = self._move(news, stale)
        if time is not None and not stale:
            self._news_time = time
        return heard if taken or heard is not Heard.TAKEN else Heard.STALE

    def amend(self, amendment: Amendment, now: datetime) -> Amending:
        """Note an amendment that is about to be sent: from now on it may be a young order, whatever comes of that."""
        assert self.request is not None
        self.touched = now
        self.shown = self.shown and attrs.evolve(self.shown, touched=now)
        return self.terms.begin(self.request, amendment)

    def amended(self, amending: Amending, confirmed: OrderRequest | None, now: datetime) -> None:
        """Note that an amendment was carried out, or with None was not."""
        assert self.request is not None
        request = self.terms.end(amending, self.request, confirmed, now)
        if request.quantity is not None and request.quantity < self.filled:
            # It was executed further meanwhile: the venue makes it what was executed, and ends it.
            request = attrs.evolve(request, quantity=self.filled)
        self.request = request

    def add_fill(self, fill: Fill) -> bool:
        """Merge an execution; return False when it was known."""
        known = self.fills.get(fill.id)
        if known is not None:
            if known.fee is None and fill.fee is not None:
                self.fills[fill.id] = fill
            return False
        self.unknown, self.heard_of = False, True
        self.client_order_id = self.client_order_id or fill.client_order_id
        self.venue_order_id = self.venue_order_id or fill.venue_order_id
        self._symbol, self._side = self._symbol or fill.symbol, self._side or fill.side
        self.fills[fill.id] = fill
        with localcontext(EXACT):
            self._fill_quantity += fill.quantity
            # A mean price of inverse contracts is harmonic: their quantity counts quote units.
            inverse = fill.symbol.is_inverse
            self._fill_value += ratio(fill.quantity, fill.price) if inverse else fill.quantity * fill.price
        self._make_request()
        return True

    def touch(self, before: OrderRequest | None, since: datetime | None) -> None:
        """Note that the venue has the order in its present form *since* then, if that is new.

        Args:
            before: The terms before the news, which may have changed them.
        """
        if self.touched is None or (before is not None and self.request is not before and self.request != before):
            self.touched = since

    def conclude(self, status: OrderStatus, reason: str) -> None:
        """Note an end that follows from what the venue does not know of the order; any word of it overrules this."""
        if self.status.may_become(status):
            self._stated, self._reason = status, reason
            self.concluded = True
            self.unknown = False

    def refuse(self, reason: str) -> None:
        """Note that the order did not happen."""
        if self.status.may_become(OrderStatus.REJECTED):
            self._stated, self._reason = OrderStatus.REJECTED, reason
            self._refused = self.concluded = True
            self.unknown = False

    def absorb(self, other: OrderRecord) -> None:
        """Merge a record that turned out to be of the same order."""
        self.hear(
            OrderUpdate(
                venue_order_id=other.venue_order_id,
                client_order_id=other.client_order_id,
                status=None if other.concluded else other._stated,
                symbol=other._symbol,
                side=other._side,
                quantity=other._quantity,
                price=other._price,
                trigger_price=None if other.request is None else other.request.trigger_price,
                filled=other._stated_filled,
                average_price=other._stated_average,
                spent=other._stated_spent,
                reason=other._reason,
                sequence_time=other._news_time,
            ),
            other._stated_fees,
        )
        for fill in other.fills.values():
            self.add_fill(fill)
        self.opened = self.opened or other.opened

    def order(self) -> Order | None:
        """Return all that as a value; None while too little is known."""
        if self.request is None:
            return None
        status, filled = self.status, self.filled
        return Order(
            request=self.request,
            venue=self.venue,
            status=status,
            venue_order_id=self.venue_order_id,
            client_order_id=self.client_order_id,
            filled=filled,
            average_price=self._average() if filled else None,
            spent=None if self.request.quote_amount is None else self._spent(),
            fees=self._fees(),
            reason=self._reason if self._reason and status.is_final and status is self._stated else None,
            unknown=self.unknown,
            created=self.created or self.opened,
            updated=self.updated,
            touched=self.touched,
        )

    def _move(self, news: OrderUpdate, stale: bool) -> Heard:
        status = news.status
        if status is None:
            return Heard.STALE if stale else Heard.TAKEN
        if self._refused and (status is OrderStatus.PENDING or (status.is_final and not self.filled)):
            # Some venues announce an order before they refuse it, and tell its end on the feed too.
            return Heard.STALE if status is OrderStatus.PENDING else Heard.TAKEN
        revived = self.concluded
        if revived:
            self.concluded = self._refused = False
            self._stated, self._reason = OrderStatus.PENDING, None
        elif status is self._stated:
            if status.is_final and self._reason is None:
                self._reason = news.reason
            return Heard.STALE if stale else Heard.TAKEN
        # An end is believed however old its time stamp: nothing comes after it.
        if stale and not status.is_final:
            return Heard.REVIVED if revived else Heard.STALE
        # What the executed quantity proves rules out other ends, and is ahead of what says less. One that was never
        # shown may have, as its quantity, what it came to in the end.
        before = self.status if status.is_final and self.shown is not None else self._stated
        if not before.may_become(status):
            return Heard.REVIVED if revived else Heard.ILLEGAL
        self._stated = status
        if status.is_final:
            self._reason = news.reason
        return Heard.REVIVED if revived else Heard.TAKEN

    def _go_on(self, before: str, order_id: str | None) -> None:
        """Take *order_id* for the order that was *before*; that one's end was none of this."""
        self.former_ids.add(before)
        self.former_ids.discard(order_id or "")
        if self.venue_order_id in (None, before):
            self.venue_order_id = order_id
            if self._stated is OrderStatus.CANCELED:
                self._stated, self._reason = OrderStatus.PENDING, None

    def _learn_terms(self, news: OrderUpdate, stale: bool) -> bool:
        """Take symbol, side and terms: of our own orders only newer ones (an amendment); return whether they were."""
        self._symbol, self._side = self._symbol or news.symbol, self._side or news.side
        if stale:
            self._quantity = self._quantity if self._quantity is not None else news.quantity
            self._price = self._price if self._price is not None else news.price
        else:
            self._quantity = news.quantity if news.quantity is not None else self._quantity
            self._price = news.price if news.price is not None else self._price
        if self.request is None:
            self.request = news.request and attrs.evolve(news.request, client_order_id=self.client_order_id)
            self._make_request()
        elif not stale and news.sequence_time is not None:
            request = self.terms.told(self.request, news)
            self.request = request or self.request
            return request is not None
        elif not stale:
            self.request = settled(self.request, news)
        return True

    def _make_request(self) -> None:
        if self.request is not None or self._symbol is None or self._side is None or self._quantity is None:
            return
        try:
            self.request = OrderRequest(
                symbol=self._symbol,
                side=self._side,
                quantity=self._quantity,
                price=self._price or None,
                client_order_id=self.client_order_id,
            )
        except InvalidValue:
            # Some venues report an order that is done with a quantity of nothing left; wait for better news.
            return

    def _learn_filled(self, news: OrderUpdate, fees: tuple[Fee, ...]) -> None:
        if news.filled is None or news.filled < self._stated_filled:
            return
        if news.filled > self._stated_filled:
            self._stated_filled = news.filled
            self._stated_average, self._stated_fees, self._stated_spent = None, (), None
        self._stated_average = self._stated_average or news.average_price or None
        self._stated_fees = self._stated_fees or fees
        self._stated_spent = news.spent if self._stated_spent is None else self._stated_spent

    def _average(self) -> Decimal | None:
        if self._fill_quantity >= self._stated_filled:
            if next(iter(self.fills.values())).symbol.is_inverse:
                return ratio(self._fill_quantity, self._fill_value)
            return ratio(self._fill_value, self._fill_quantity)
        return self._stated_average

    def _spent(self) -> Decimal | None:
        if self._fill_quantity < self._stated_filled:
            return self._stated_spent
        with localcontext(EXACT):
            costs = (fill.quantity * fill.price if fill.cost is None else fill.cost for fill in self.fills.values())
            return sum(costs, Decimal(0))

    def _fees(self) -> tuple[Fee, ...]:
        """Return what the fills say; what an answer said only where fills or their fees are missing."""
        if not self.fills:
            return self._stated_fees if self._stated_filled else ()
        whole = self._fill_quantity >= self._stated_filled and all(fill.fee for fill in self.fills.values())
        if self._stated_fees and not whole:
            return self._stated_fees
        amounts: dict[str, Decimal] = {}
        with localcontext(EXACT):
            for fill in self.fills.values():
                if fill.fee is not None:
                    amounts[fill.fee.asset] = amounts.get(fill.fee.asset, Decimal(0)) + fill.fee.amount
        return tuple(Fee(asset=asset, amount=amount) for asset, amount in sorted(amounts.items()))
