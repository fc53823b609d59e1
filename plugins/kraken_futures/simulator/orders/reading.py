"""Read the parameters of orders and edits, from forms and from the items of batches.

See https://docs.kraken.com/api/docs/futures-api/trading/send-order and edit-order-spring
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import attrs

from exchange_core.connector.simulation import SimAmendment, SimOrder, SimRequest
from exchange_core.model.number import is_multiple
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.model.terms import Offset, SelfTrade, TriggerBy
from kraken_futures.simulator.codec import Arguments, Refused, illegal
from kraken_futures.simulator.markets.contracts import Contract, Contracts
from kraken_futures.simulator.orders import words

_LEAST_PERCENT, _MOST_PERCENT = Decimal("0.1"), Decimal(50)


class BadOrder(Exception):
    """An order whose terms do not go together.

    Attributes:
        status: Of the answer.
        reason: One of the venue's order errors, for the event beside it.
        request: What could be read of it.
    """

    def __init__(self, status: str, reason: str, request: SimRequest) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.request = request


@attrs.frozen
class Reader:
    """Reads what one account asks for."""

    contracts: Contracts

    def contract(self, name: str) -> Contract:
        contract = self.contracts.find(name)
        if contract is None:
            raise illegal("symbol")
        return contract

    def order(self, given: Arguments, self_trade: SelfTrade) -> tuple[Contract, SimRequest]:
        """Read ``sendorder``.

        Raises:
            Refused: An argument is missing or does not read.
            BadOrder: They do not go together.
        """
        word = given.required("orderType")
        if word not in words.TYPES and word not in words.TRIGGERS:
            raise illegal("orderType")
        contract = self.contract(given.required("symbol"))
        side = words.side_of(given.required("side"))
        if side is None:
            raise illegal("side")
        request = partial(
            SimRequest,
            symbol=contract.symbol,
            side=side,
            quantity=given.decimal("size"),
            reduce_only=given.flag("reduceOnly"),
            client_order_id=given.text("cliOrdId") or None,
            deadline=given.moment("processBefore"),
            self_trade=self_trade,
        )
        if word in words.TRIGGERS:
            return contract, _trigger(given, word, contract, request(type=words.TRIGGERS[word][0]))
        return contract, _plain(given, word, request)

    def edit(self, given: Arguments, order: SimOrder) -> SimAmendment:
        """Read ``editorder`` for *order*.

        Raises:
            Refused: An argument is missing or does not read.
        """
        size, mode = given.maybe("size"), given.text("qtyMode", "RELATIVE")
        if mode not in ("RELATIVE", "ABSOLUTE"):
            raise illegal("qtyMode")
        if size is not None and mode == "RELATIVE":
            size += order.filled
        deviation = given.maybe("trailingStopMaxDeviation")
        percent = given.choice("trailingStopDeviationUnit", words.UNITS)
        if (deviation is None) is not (percent is None):
            raise Refused("requiredArgumentMissing")
        return SimAmendment(
            quantity=size,
            price=given.maybe("limitPrice"),
            trigger_price=given.maybe("stopPrice"),
            trail=None if deviation is None else Offset(deviation, bool(percent)),
            deadline=given.moment("processBefore"),
        )


def _plain(given: Arguments, word: str, made: Callable[..., SimRequest]) -> SimRequest:
    kind, time_in_force, post_only = words.TYPES[word]
    for name in ("limitPriceOffsetValue", "limitPriceOffsetUnit", "trailingStopMaxDeviation"):
        if given.text(name):
            raise illegal(name)
    request = made(
        type=kind,
        # A market order's limit is not looked at.
        price=given.decimal("limitPrice") if kind is OrderType.LIMIT else None,
        time_in_force=time_in_force,
        post_only=post_only,
    )
    if given.maybe("stopPrice") is not None:
        raise BadOrder("invalidPrice", "ORDER_CANNOT_HAVE_TRIGGER_PRICE", request)
    given.choice("triggerSignal", words.SIGNALS)  # of no use here, but it must be a word
    return request


def _trigger(given: Arguments, word: str, contract: Contract, request: SimRequest) -> SimRequest:
    _, with_limit = words.TRIGGERS[word]
    price, offset = given.maybe("limitPrice"), given.maybe("limitPriceOffsetValue")
    percent = given.choice("limitPriceOffsetUnit", words.UNITS)
    # Open point: which price it is without; the last trade's here.
    by = given.choice("triggerSignal", words.SIGNALS) or TriggerBy.LAST
    request = attrs.evolve(request, trigger_by=by)
    if (offset is None) is not (percent is None):
        raise BadOrder("invalidPrice", "LIMIT_PRICE_OFFSET_MUST_HAVE_VALUE_AND_UNIT", request)
    if price is not None and offset is not None:
        raise BadOrder("invalidPrice", "LIMIT_PRICE_SET_AS_ABSOLUTE_AND_RELATIVE", request)
    tick = contract.instrument.tick_size
    if offset is not None and not percent and not is_multiple(offset, tick):
        reason = "LIMIT_PRICE_OFFSET_QUOTE_CURRENCY_VALUE_MUST_BE_MULTIPLE_OF_TICK_SIZE"
        raise BadOrder("invalidPrice", reason, request)
    if price is not None or offset is not None:
        limit_offset = None if offset is None else Offset(offset, bool(percent))
        request = attrs.evolve(request, type=with_limit, price=price, limit_offset=limit_offset)
    if word != "trailing_stop":
        for name in ("trailingStopMaxDeviation", "trailingStopDeviationUnit"):
            if given.text(name):
                raise illegal(name)
        return attrs.evolve(request, trigger_price=given.decimal("stopPrice"))
    if price is not None or given.maybe("stopPrice") is not None:
        raise BadOrder("invalidPrice", "ORDER_CANNOT_HAVE_TRIGGER_PRICE", request)
    return attrs.evolve(request, trail=_trail(given, tick, request))


def _trail(given: Arguments, tick: Decimal, request: SimRequest) -> Offset:
    deviation = given.decimal("trailingStopMaxDeviation")
    given.required("trailingStopDeviationUnit")
    percent = bool(given.choice("trailingStopDeviationUnit", words.UNITS))
    if deviation < (_LEAST_PERCENT if percent else tick):
        raise BadOrder("invalidPrice", "TRAILING_STOP_MAX_DEVIATION_TOO_SMALL", request)
    if percent and deviation > _MOST_PERCENT:
        raise BadOrder("invalidPrice", "TRAILING_STOP_MAX_DEVIATION_TOO_LARGE", request)
    if not percent and not is_multiple(deviation, tick):
        raise BadOrder("invalidPrice", "TRAILING_STOP_QUOTE_DEVIATION_NOT_MULTIPLE_OF_TICK_SIZE", request)
    return Offset(deviation, percent)


def outside_collar(contract: Contract, side: Side, price: Decimal | None) -> bool:
    """Whether a limit reaches too far beyond the mark price. How far is too far is not published; half of it here."""
    if price is None:
        return False
    mark = contract.mark()
    return price > mark + mark / 2 if side is Side.BUY else price < mark / 2
