"""Kraken Spot's own trading calls: every kind of order, batches, amends, cancels; as ``operations.trading``.

They go to the venue as they are: the framework's record of orders does not know of them, nor do its checks of your
own (``review_order``). A write is sent once; where its answer is missing, ask ``operations.history`` by client id.
See https://docs.kraken.com/api-reference/trading/
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ExchangeError, InvalidValue, OutcomeUnknown
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339
from kraken_spot import limits
from kraken_spot import order_params as params_of
from kraken_spot import wire_trading as wire
from kraken_spot.errors import error_for
from kraken_spot.order_changes import TOKENIZED, amend_params, edit_params
from kraken_spot.order_terms import Amendment, Edit, SpotOrder
from kraken_spot.rest_calls import change, refuse
from kraken_spot.types_trading import BatchPlaced, Canceled, DeadManSwitch, Edited, NotPlaced, Placed, Validated

SMALLEST_BATCH, LARGEST_BATCH, MOST_CANCELS = 2, 15, 50
LONGEST_SWITCH = 86_400


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
        call = self._add(order, validate=False)
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
        answer: wire.Added = yield self._add(order, validate=True)
        return _validated(order, answer.descr, answer.descr.close)

    def _add(self, order: SpotOrder, *, validate: bool) -> RestCall:
        self._check_named(order, validate)
        pair = self._context.symbols.venue_id(order.symbol)
        params = {
            "pair": pair,
            **params_of.order_params(self._context, order),
            **params_of.form_close(order.close),
            "deadline": params_of.deadline(self._context, order.deadline),
            # Left out rather than false: how the venue reads a false in a form is not settled.
            "validate": True if validate else None,
            "asset_class": TOKENIZED if order.tokenized else None,
            "broker": order.broker,
        }
        return change("AddOrder", wire.Added, params, costs=limits.adding(pair))

    def add_batch(self, orders: Sequence[SpotOrder], deadline: datetime | None = None) -> Flow[BatchPlaced]:
        """Place 2 to 15 orders of one pair in one call.

        The venue checks all of them first, and refuses all for one; after that each may fail by itself.
        """
        call = self._batch(orders, deadline, validate=False)
        answer: wire.Batch = yield call
        self._check_length(call, orders, answer)
        items = (self._item(call, order, item) for order, item in zip(orders, answer.orders, strict=True))
        return BatchPlaced(items=tuple(items))

    def validate_batch(
        self, orders: Sequence[SpotOrder], deadline: datetime | None = None
    ) -> Flow[tuple[Validated | NotPlaced, ...]]:
        """Let the venue check a batch without placing it."""
        call = self._batch(orders, deadline, validate=True)
        answer: wire.Batch = yield call
        self._check_length(call, orders, answer)
        return tuple(
            _validated(order, item.descr, item.close or item.descr.close)
            if item.error is None
            else NotPlaced(order=order, error=self._error(call, item.error))
            for order, item in zip(orders, answer.orders, strict=True)
        )

    def _batch(self, orders: Sequence[SpotOrder], deadline: datetime | None, *, validate: bool) -> RestCall:
        venue = self._context.venue
        if not SMALLEST_BATCH <= len(orders) <= LARGEST_BATCH:
            raise refuse(venue, "orders", f"{len(orders)} of them; a batch takes {SMALLEST_BATCH} to {LARGEST_BATCH}")
        first = orders[0]
        for name in ("symbol", "tokenized", "broker"):
            if any(getattr(order, name) != getattr(first, name) for order in orders):
                raise refuse(venue, name, "must be the same for all orders of a batch")
        if any(order.deadline is not None for order in orders):
            raise refuse(venue, "deadline", "is one for the whole batch; give it beside the orders")
        for order in orders:
            self._check_named(order, validate)
        ids = [order.client_order_id for order in orders if order.client_order_id is not None]
        if len(set(ids)) < len(ids):
            raise InvalidValue(f"{venue}: client_order_id: the same one stands on two orders of the batch")
        pair = self._context.symbols.venue_id(first.symbol)
        params = {
            "pair": pair,
            "orders": [self._json(order) for order in orders],
            "deadline": params_of.deadline(self._context, deadline),
            "validate": True if validate else None,
            "asset_class": TOKENIZED if first.tokenized else None,
            "broker": first.broker,
        }
        costs = limits.adding_many(pair, len(orders)) + limits.change(self._context.config)
        return change("AddOrderBatch", wire.Batch, params, costs=costs, json=True)

    def _json(self, order: SpotOrder) -> dict[str, Any]:
        # Open point: the page lists the trailing types and does not say where their prices go; as in AddOrder, then.
        fields = {**params_of.order_params(self._context, order), "close": params_of.json_close(order.close) or None}
        return {name: value for name, value in fields.items() if value is not None}

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
        pair = self._context.symbols.venue_id(amendment.symbol)
        params = amend_params(self._context, amendment)
        costs = limits.amending(pair, self._age(amendment.touched)) + limits.change(self._context.config)
        answer: wire.Amended = yield change("AmendOrder", wire.Amended, params, costs=costs)
        return answer.amend_id

    def edit(self, edit: Edit) -> Flow[Edited]:
        """Cancel an order and place another in its stead; :meth:`amend` is the better way."""
        call = self._edit(edit, validate=False)
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
        call = self._edit(edit, validate=True)
        answer: wire.Edited = yield call
        self._check_edited(call, answer)
        return answer.descr.order

    def _edit(self, edit: Edit, *, validate: bool) -> RestCall:
        params = edit_params(self._context, edit) | {"validate": True if validate else None}
        costs = limits.editing(params["pair"], self._age(edit.touched)) + limits.change(self._context.config)
        return change("EditOrder", wire.Edited, params, costs=costs)

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
        if not 1 <= count <= MOST_CANCELS:
            raise refuse(self._context.venue, "ids", f"{count} of them; a batch takes 1 to {MOST_CANCELS}")
        for txid in txids:
            # A number would be read as a userref, which may stand on many orders.
            if txid.lstrip("-").isdigit():
                raise InvalidValue(f"{self._context.venue}: {txid!r} is no order id of Kraken's; nothing was cancelled")
        params = {"orders": [*txids, *userrefs] or None, "cl_ord_ids": [*client_order_ids] or None}
        pair = None if symbol is None else self._context.symbols.venue_id(Symbol.of(symbol))
        costs = limits.change(self._context.config, urgent=True)
        if pair is not None:
            costs = limits.cancelling_many(pair, count, self._age(youngest)) + costs
        answer: wire.Canceled = yield change("CancelOrderBatch", wire.Canceled, params, costs=costs, json=True)
        return _canceled(answer)

    def cancel_all(self) -> Flow[Canceled]:
        """Cancel every open order of the account, of all pairs."""
        urgent = limits.private(urgent=True)
        answer: wire.Canceled = yield change("CancelAll", wire.Canceled, costs=urgent)
        return _canceled(answer)

    def cancel_all_after(self, timeout: timedelta) -> Flow[DeadManSwitch]:
        """Let the venue cancel every order of the account after *timeout*, unless this is called again before.

        Call it every 15 to 30 seconds with 60 seconds. It stays off after it fired, and fires after a maintenance.

        Args:
            timeout: Whole seconds, below a day; 0 switches it off.
        """
        seconds, rest = divmod(timeout, timedelta(seconds=1))
        if rest or not 0 <= seconds < LONGEST_SWITCH:
            raise refuse(self._context.venue, "timeout", f"{timeout} is not 0 to {LONGEST_SWITCH - 1} whole seconds")
        urgent = limits.private(urgent=True)
        params = {"timeout": seconds}
        answer: wire.CancelAllAfter = yield change("CancelAllOrdersAfter", wire.CancelAllAfter, params, costs=urgent)
        fires = answer.trigger_time
        # Open point: a switch that is off shows 0, it is said.
        off = not seconds or fires in (None, "", "0", 0)
        return DeadManSwitch(time=from_rfc3339(answer.current_time), fires=None if off else from_rfc3339(str(fires)))

    def _check_named(self, order: SpotOrder, validate: bool) -> None:
        if order.client_order_id is None and order.userref is None and not validate:
            raise refuse(
                self._context.venue,
                "client_order_id",
                "missing; without it or a userref the order could not be found if its answer does not come",
            )

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
