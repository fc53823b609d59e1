"""Kraken Spot's own trading calls: every kind of order, batches, amends, cancels; as ``operations.trading``.

They go to the venue as they are, over the live connection where there is one: the framework's record of orders does
not know of them, nor do its checks of your own (``review_order``). A write is sent once; where its answer is missing,
ask ``operations.history`` by client id.
See https://docs.kraken.com/api-reference/trading/
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ExchangeError, OutcomeUnknown
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339
from kraken_spot import limits
from kraken_spot.errors import error_for
from kraken_spot.orders import calls
from kraken_spot.orders.terms import Amendment, Edit, SpotOrder
from kraken_spot.types.trading import BatchPlaced, Canceled, DeadManSwitch, Edited, NotPlaced, Placed, Validated
from kraken_spot.wire import trading as wire


@attrs.frozen
class TradingCalls:
    """Calls that place, change and cancel orders."""

    _context: VenueContext

    def add(self, order: SpotOrder) -> Flow[Placed]:
        """Place an order of any kind.

        Raises:
            NotSupported, OrderRefused: Before anything is sent, for terms that do not go together or do not fit.
            OrderRefused: It did not happen.
            OutcomeUnknown: It may have happened; look for it by its client id before placing it again.
        """
        call = calls.add(self._context, order)
        answer: wire.Added = yield call
        if not answer.txid:
            raise self._unknown(call, "accepted without an order id")
        return Placed(
            order=order,
            id=answer.txid[0],
            description=answer.descr.order,
            close_description=answer.descr.close,
        )

    def validate(self, order: SpotOrder) -> Flow[Validated]:
        """Let the venue check an order without placing it.

        Raises:
            OrderRefused: It would not be accepted.
        """
        answer: wire.Added = yield calls.add(self._context, order, validate=True)
        return _validated(order, answer.descr, answer.descr.close)

    def add_batch(self, orders: Sequence[SpotOrder], deadline: datetime | None = None) -> Flow[BatchPlaced]:
        """Place 2 to 15 orders of one pair in one call.

        The venue checks all of them first, and refuses all for one; after that each may fail by itself.
        """
        call = calls.add_batch(self._context, orders, deadline)
        answer: wire.Batch = yield call
        self._check_length(call, orders, answer)
        items = (self._item(call, order, item) for order, item in zip(orders, answer.orders, strict=True))
        return BatchPlaced(items=tuple(items))

    def validate_batch(
        self, orders: Sequence[SpotOrder], deadline: datetime | None = None
    ) -> Flow[tuple[Validated | NotPlaced, ...]]:
        """Let the venue check a batch without placing it."""
        call = calls.add_batch(self._context, orders, deadline, validate=True)
        answer: wire.Batch = yield call
        self._check_length(call, orders, answer)
        return tuple(
            _validated(order, item.descr, item.close or item.descr.close)
            if item.error is None
            else NotPlaced(order=order, error=self._error(call, item.error))
            for order, item in zip(orders, answer.orders, strict=True)
        )

    def _item(self, call: RestCall, order: SpotOrder, item: wire.BatchItem) -> Placed | NotPlaced:
        if item.error is not None:
            return NotPlaced(order=order, error=self._error(call, item.error))
        if not item.txid:
            return NotPlaced(order=order, error=self._unknown(call, "an order has neither an id nor an error"))
        return Placed(
            order=order,
            id=item.txid,
            description=item.descr.order,
            close_description=item.close or item.descr.close,
        )

    def _check_length(self, call: RestCall, orders: Sequence[SpotOrder], answer: wire.Batch) -> None:
        if len(answer.orders) != len(orders):
            raise self._unknown(call, f"{len(orders)} orders were sent and {len(answer.orders)} answered")

    def amend(self, amendment: Amendment) -> Flow[str]:
        """Change a resting order; return the id of the change."""
        answer: wire.Amended = yield calls.amend(self._context, amendment)
        return answer.amend_id

    def edit(self, edit: Edit) -> Flow[Edited]:
        """Cancel an order and place another in its stead; :meth:`amend` is the better way."""
        call = calls.edit(self._context, edit)
        answer: wire.Edited = yield call
        self._check_edited(call, answer)
        if not answer.txid:
            raise self._unknown(call, "accepted without an order id")
        return Edited(
            id=answer.txid,
            replaced=answer.originaltxid or edit.txid,
            quantity=answer.volume,
            price=answer.price,
            price2=answer.price2,
            userref=edit.userref,
            canceled=answer.orders_cancelled,
            description=answer.descr.order,
        )

    def validate_edit(self, edit: Edit) -> Flow[str]:
        """Let the venue check an edit without doing it; return its description."""
        call = calls.edit(self._context, edit, validate=True)
        answer: wire.Edited = yield call
        self._check_edited(call, answer)
        return answer.descr.order

    def _check_edited(self, call: RestCall, answer: wire.Edited) -> None:
        if answer.status.lower() == "ok" and not answer.error_message:
            return
        text = answer.error_message or f"status {answer.status}"
        if answer.orders_cancelled:
            raise self._unknown(call, f"{text}, and the order that was to be replaced was canceled")
        raise self._error(call, text)

    def cancel_batch(
        self,
        *,
        txids: Sequence[str] = (),
        client_order_ids: Sequence[str] = (),
        userrefs: Sequence[int] = (),
        symbol: Symbol | str | None = None,
        youngest: datetime | None = None,
    ) -> Flow[Canceled]:
        """Cancel up to 50 orders in one call. A userref takes every order that has it.

        Args:
            symbol: The pair whose counter this is charged to; without it, the counters do not know of it.
            youngest: When the youngest of them was made; without it, their youth is assumed to cost the most.
        """
        count = len(txids) + len(client_order_ids) + len(userrefs)
        pair = None if symbol is None else self._context.symbols.venue_id(Symbol.of(symbol))
        engine = () if pair is None else limits.cancelling_many(pair, count, self._age(youngest))
        call = calls.cancel_batch(self._context, txids, client_order_ids, userrefs, engine)
        answer: wire.Canceled = yield call
        return _canceled(answer)

    def cancel_all(self) -> Flow[Canceled]:
        """Cancel every open order of the account, of all pairs."""
        answer: wire.Canceled = yield calls.cancel_all()
        return _canceled(answer)

    def cancel_all_after(self, timeout: timedelta) -> Flow[DeadManSwitch]:
        """Let the venue cancel every order of the account after *timeout*, unless this is called again before.

        Call it every 15 to 30 seconds with 60 seconds. It stays off after it fired, and fires after a maintenance.

        Args:
            timeout: Whole seconds, below a day; 0 switches it off.
        """
        answer: wire.CancelAllAfter = yield calls.cancel_all_after(self._context, timeout)
        fires = answer.trigger_time
        # Open point: a switch that is off shows 0, it is said.
        off = not timeout or fires in (None, "", "0", 0)
        return DeadManSwitch(time=from_rfc3339(answer.current_time), fires=None if off else from_rfc3339(str(fires)))

    def _age(self, since: datetime | None) -> timedelta | None:
        now = self._context.now() if self._context.now is not None else None
        return None if now is None or since is None else now - since

    def _error(self, call: RestCall, code: str) -> ExchangeError:
        return error_for([code], call, None, self._context.venue)

    def _unknown(self, call: RestCall, what: str) -> OutcomeUnknown:
        name = call.path.rpartition("/")[2]
        return OutcomeUnknown(f"{self._context.venue}: {name}: {what}", venue=self._context.venue)


def _validated(order: SpotOrder, description: wire.Description, close: str | None) -> Validated:
    return Validated(order=order, description=description.order, close_description=close)


def _canceled(answer: wire.Canceled) -> Canceled:
    return Canceled(count=answer.count, pending=bool(answer.pending))
