"""Recorded calls of ``operations.orders``, played back: orders of every type, changes, batches and cancels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import InsufficientFunds, OrderNotFound
from exchange_core.model.order import OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer
from kraken_futures.orders.requests import (
    FuturesOrder,
    OrderCancel,
    OrderEdit,
    OrderKind,
    QuantityMode,
    TriggerSignal,
)
from kraken_futures.types.trading import (
    Canceled,
    DeadMansSwitch,
    Edited,
    EventKind,
    OpenOrder,
    OrderState,
    Sent,
    TriggerSide,
)

LINEAR, INVERSE = Symbol("BTC", "USD", "USD"), Symbol("BTC", "USD", "BTC")
NOW = datetime(2026, 1, 1, 0, 1, 15, tzinfo=UTC)
DEADLINE = NOW + timedelta(seconds=5)
FIRST, SECOND = "050684bf-e286-452c-bf76-9e374ddc74c8", "feef16e9-64ef-4ebe-aff3-600735f11af2"
UNKNOWN = "00000000-0000-4000-8000-00000000ffff"


def client_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def order(number: int, side: str, quantity: str, price: str | None = None, **terms: Any) -> FuturesOrder:
    kind = {"kind": "mkt" if price is None else "lmt", "client_order_id": client_id(number)}
    usual = {"symbol": LINEAR, "limit_price": price, **kind}
    return FuturesOrder(side=side, quantity=quantity, **{**usual, **terms})


OPEN, DONE, CANCELED = OrderStatus.OPEN, OrderStatus.FILLED, OrderStatus.CANCELED
SENT: dict[str, tuple[FuturesOrder, OrderStatus, str, int | None]] = {
    "orders.send.lmt": (order(1, "buy", "0.01", "83000", deadline=DEADLINE), OPEN, "0", None),
    "orders.send.post": (order(2, "sell", "0.02", "85000", kind="post"), OPEN, "0", None),
    # There is 0.15 at that price.
    "orders.send.ioc": (order(3, "buy", "0.2", "84010", kind="ioc"), CANCELED, "0.15", 84010),
    "orders.send.fok": (order(4, "buy", "0.1", "84020", kind="fok"), DONE, "0.1", 84020),
    "orders.send.mkt": (order(5, "sell", "0.05", reduce_only=True), DONE, "0.05", 83990),
    "orders.send.inverse": (order(6, "buy", "100", "80000", symbol=INVERSE), OPEN, "0", None),
}


@pytest.mark.parametrize("name", SENT)
async def test_an_order_of_every_type(player: CassettePlayer, name: str) -> None:
    wanted, status, filled, price = SENT[name]
    sent = await player.run(name, lambda do: do.orders.send(wanted))
    assert (sent.asked, sent.word, sent.client_order_id) == (wanted, "placed", wanted.client_order_id)
    assert (sent.status, sent.filled, sent.average_price, sent.received) == (status, Decimal(filled), price, NOW)


STP: dict[str, Any] = {"kind": "stp", "stop_price": "80000"}
OFFSET = {"limit_offset": "-100", "limit_offset_unit": "QUOTE_CURRENCY"}
TAKE: dict[str, Any] = {"kind": "take_profit", "stop_price": "90000"}
MARK, INDEX, LAST = TriggerSignal.MARK, TriggerSignal.INDEX, TriggerSignal.LAST
Trigger = tuple[dict[str, Any], int, int | None, TriggerSignal, TriggerSide]
BELOW, ABOVE = TriggerSide.BELOW, TriggerSide.ABOVE


def trail(deviation: str, unit: str) -> dict[str, Any]:
    return {"kind": "trailing_stop", "trailing_deviation": deviation, "trailing_unit": unit}


TRIGGERS: dict[str, Trigger] = {
    "orders.send.stp": (STP, 80000, None, MARK, BELOW),
    "orders.send.stp_limit": ({**STP, "limit_price": "79900", "trigger_signal": "index"}, 80000, 79900, INDEX, BELOW),
    "orders.send.stp_offset": ({**STP, **OFFSET}, 80000, 79900, MARK, BELOW),
    "orders.send.take_profit": ({**TAKE, "trigger_signal": "last"}, 90000, None, LAST, ABOVE),
    "orders.send.take_profit_limit": ({**TAKE, "limit_price": "89900"}, 90000, 89900, MARK, ABOVE),
    # Two percent, and 500 dollars, below a mark of 84000.
    "orders.send.trailing_percent": (trail("2", "PERCENT"), 82320, None, MARK, BELOW),
    "orders.send.trailing_quote": (trail("500", "QUOTE_CURRENCY"), 83500, None, MARK, BELOW),
}


@pytest.mark.parametrize("name", TRIGGERS)
async def test_a_trigger_of_every_type(player: CassettePlayer, name: str) -> None:
    terms, stop, limit, signal, side = TRIGGERS[name]
    wanted = order([*TRIGGERS].index(name) + 1, "sell", "0.01", **terms)
    sent: Sent = await player.run(name, lambda do: do.orders.send(wanted))
    (event,) = sent.events
    assert (sent.status, event.kind, event.is_trigger) == (OPEN, EventKind.PLACE, True)
    assert event.order is not None
    state = event.order
    assert (state.stop_price, state.limit_price, state.trigger_signal, state.trigger_side) == (
        stop,
        limit,
        signal,
        side,
    )


async def test_open_orders(player: CassettePlayer) -> None:
    first, *others = await player.run("orders.open", lambda do: do.orders.open())
    assert first == OpenOrder(
        order_id=FIRST,
        client_order_id=client_id(1),
        symbol=LINEAR,
        side=Side.BUY,
        type=OrderKind.LIMIT,
        limit_price=Decimal(83000),
        stop_price=None,
        trigger_signal=None,
        unfilled=Decimal("0.01"),
        filled=Decimal(0),
        word="untouched",
        reduce_only=False,
        received=NOW,
        updated=NOW,
    )
    assert [(one.client_order_id, one.symbol, one.quantity) for one in others] == [
        (client_id(2), LINEAR, Decimal("0.02")),
        (client_id(6), INVERSE, 100),
    ]


async def test_open_triggers(player: CassettePlayer) -> None:
    found = await player.run("orders.open.triggers", lambda do: do.orders.open())
    assert [(one.type, one.stop_price, one.limit_price, one.trigger_signal) for one in found] == [
        (order(1, "sell", "1", **terms).kind, stop, limit, signal)
        for terms, stop, limit, signal, _ in TRIGGERS.values()
    ]


async def test_what_is_known_of_orders(player: CassettePlayer) -> None:
    ids = [client_id(1), client_id(3)]
    rests, ended = await player.run("orders.status", lambda do: do.orders.status(client_order_ids=ids))
    assert (rests.word, rests.status, rests.reason, rests.order.order_id) == (
        "ENTERED_BOOK",
        OPEN,
        "NEW_USER_ORDER",
        FIRST,
    )
    assert (ended.word, ended.status, ended.order.filled) == ("CANCELLED", CANCELED, Decimal("0.15"))
    assert await player.run("orders.status.nothing", lambda do: do.orders.status([UNKNOWN])) == ()


async def test_a_trigger_before_and_after_it_fires(player: CassettePlayer) -> None:
    (waits,) = await player.run("orders.status.triggers", lambda do: do.orders.status([SECOND]))
    assert (waits.is_trigger, waits.word, waits.status, waits.triggered) == (True, "TRIGGER_PLACED", OPEN, None)
    assert (waits.order.stop_price, waits.order.limit_price) == (80000, 79900)
    edit = OrderEdit(order_id=SECOND, stop_price="83990", limit_price="83900", symbol=LINEAR)
    edited = await player.run("orders.edit.stop", lambda do: do.orders.edit(edit))
    assert (edited.before.stop_price, edited.after.stop_price, edited.after.limit_price) == (80000, 83990, 83900)
    (fired,) = await player.run("orders.status.fired", lambda do: do.orders.status([SECOND]))
    assert (fired.is_trigger, fired.word, fired.status) == (False, "FULLY_EXECUTED", DONE)
    assert fired.triggered == NOW + timedelta(seconds=1)


async def test_a_trail_is_made_longer(player: CassettePlayer) -> None:
    edit = OrderEdit(client_order_id=client_id(6), trailing_deviation="3", trailing_unit="PERCENT", symbol=LINEAR)
    edited = await player.run("orders.edit.trail", lambda do: do.orders.edit(edit))
    assert (edited.word, edited.after.stop_price) == ("edited", 81480)


async def test_edits(player: CassettePlayer) -> None:
    whole = OrderEdit(order_id=FIRST, quantity="0.2", limit_price="83100", deadline=DEADLINE)
    edited: Edited = await player.run("orders.edit", lambda do: do.orders.edit(whole))
    assert terms(edited.before) == (Decimal("0.1"), 0, 83000)
    assert terms(edited.after) == (Decimal("0.2"), 0, 83100)
    assert (edited.word, edited.client_order_id, edited.executed) == ("edited", client_id(1), 0)
    across = OrderEdit(order_id=FIRST, limit_price="84010")
    edited = await player.run("orders.edit.executed", lambda do: do.orders.edit(across))
    assert edited.executed == Decimal("0.15")
    relative = OrderEdit(order_id=FIRST, quantity="0.1", quantity_mode=QuantityMode.RELATIVE, limit_price="83000")
    edited = await player.run("orders.edit.relative", lambda do: do.orders.edit(relative))
    assert terms(edited.before) == (Decimal("0.05"), Decimal("0.15"), 84010)
    assert terms(edited.after) == (Decimal("0.1"), Decimal("0.15"), 83000)


def terms(state: OrderState | None) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    assert state is not None
    return state.quantity, state.filled, state.limit_price


async def test_a_batch_in_which_each_kind_also_fails(player: CassettePlayer) -> None:
    items = [
        order(11, "buy", "0.01", "82000"),
        order(12, "buy", "900", "82000"),
        order(13, "sell", "0.01", kind="stp", stop_price="80000", limit_price="79900"),
        OrderEdit(order_id=FIRST, limit_price="83100"),
        OrderEdit(order_id=UNKNOWN, limit_price="83100"),
        OrderCancel(order_id=SECOND),
        OrderCancel(client_order_id=client_id(99)),
    ]
    results = await player.run("orders.batch", lambda do: do.orders.batch(items, DEADLINE))
    assert [result.asked for result in results] == items
    assert [type(result.result or result.error) for result in results] == [
        *(Sent, InsufficientFunds, Sent),
        *(Edited, OrderNotFound),
        *(Canceled, OrderNotFound),
    ]
    assert [result.word for result in results] == [
        *("placed", "insufficientAvailableFunds", "placed"),
        *("edited", "orderForEditNotFound"),
        *("cancelled", "notFound"),
    ]


async def test_cancels(player: CassettePlayer) -> None:
    cancel = OrderCancel(client_order_id=client_id(1), deadline=DEADLINE)
    canceled = await player.run("orders.cancel", lambda do: do.orders.cancel(cancel))
    assert (canceled.word, canceled.order_id, canceled.order.quantity) == ("cancelled", FIRST, Decimal("0.01"))
    of_one = await player.run("orders.cancel_all", lambda do: do.orders.cancel_all(LINEAR))
    assert (of_one.scope, [one.client_order_id for one in of_one.orders]) == (LINEAR, [client_id(2)])
    rest = await player.run("orders.cancel_everything", lambda do: do.orders.cancel_everything())
    assert (rest.scope, [one.client_order_id for one in rest.orders]) == (None, [client_id(6)])
    none = await player.run("orders.cancel_everything.nothing", lambda do: do.orders.cancel_everything())
    assert (none.word, none.orders) == ("noOrdersToCancel", ())


async def test_a_dead_mans_switch(player: CassettePlayer) -> None:
    on = await player.run("orders.cancel_all_after", lambda do: do.orders.cancel_all_after(60))
    assert on == DeadMansSwitch(now=NOW, fires_at=NOW + timedelta(minutes=1))
    off = await player.run("orders.cancel_all_after.off", lambda do: do.orders.cancel_all_after(0))
    assert off == DeadMansSwitch(now=NOW, fires_at=None)
