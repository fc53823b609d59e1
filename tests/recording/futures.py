"""What is recorded of Kraken Futures: here the operations that every venue has, and the rest in the modules beside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from exchange_core.model.amendment import Amendment
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures.plugin import KRAKEN_FUTURES
from recording import futures_calls, futures_feeds, futures_past
from recording.rig import PATIENCE, START, Rig, client_id
from recording.scenes import set_the_table

NAME = "BTC/USD:USD"
LINEAR = Symbol.parse(NAME)


async def record(folder: Path) -> None:
    """Record all of it into *folder*."""
    await record_rest(Rig(KRAKEN_FUTURES, folder, seed=11))
    await record_types(Rig(KRAKEN_FUTURES, folder, seed=11))
    await record_changes(Rig(KRAKEN_FUTURES, folder, seed=11))
    await futures_calls.record(folder)
    await futures_past.record(folder)
    await futures_feeds.record(folder)


async def record_rest(rig: Rig) -> None:
    """Record every operation, on a book of which each number is known."""
    do, clock = rig.operations, rig.clock
    await rig.record("instruments", do.instruments())
    await set_the_table(rig, NAME)
    await rig.record("ticker", do.ticker(LINEAR))
    await rig.record("book", do.book(LINEAR, 5))
    await rig.record("trades", do.trades(LINEAR, 2))
    await rig.record("candles", do.candles(LINEAR, 1, None))

    limit = await rig.record("place_limit", do.place(rig.order(1, NAME, "buy", "0.01", "83000")))
    post = await rig.record("place_post_only", do.place(rig.order(2, NAME, "sell", "0.02", "85000", post_only=True)))
    taking = rig.order(8, NAME, "buy", "0.01", "84010", post_only=True)
    await rig.record_refusal("place_post_only_taking", do.place(taking))
    await rig.record_refusal("place_without_funds", do.place(rig.order(4, NAME, "buy", "900", "83000")))
    await rig.record("open_orders", do.open_orders())
    await clock.advance(10)
    bare = OrderRequest(symbol=LINEAR, side=Side.BUY, quantity="0.01", price="83000")
    await rig.record("find_by_venue_id", do.find(Order(request=bare, venue_order_id=limit.venue_order_id)))
    await rig.record("find_by_client_id", do.find(attrs.evolve(post, venue_order_id=None)))
    ioc = await rig.record("place_ioc", do.place(rig.order(5, NAME, "buy", "0.3", "84010", time_in_force="ioc")))
    await clock.advance(1)
    market = await rig.record("place_market", do.place(rig.order(6, NAME, "sell", "0.1")))
    await clock.advance(10)
    await rig.record("find_canceled", do.find(attrs.evolve(ioc, venue_order_id=None)))
    await rig.record("find_filled", do.find(attrs.evolve(market, venue_order_id=None)))
    nowhere = Order(request=bare, client_order_id=client_id(7), created=clock.now())
    await rig.record("find_nowhere", do.find(nowhere))
    await rig.record("cancel", do.cancel(limit))
    await rig.record_refusal("cancel_again", do.cancel(limit))
    await rig.record("look_up_by_venue_id", do.look_up(limit.venue_order_id or ""))
    await rig.record("look_up_by_client_id", do.look_up(client_id(6)))
    await rig.record("look_up_nowhere", do.look_up(client_id(7)))

    await rig.record("balances", do.balances())
    await rig.record("fills", do.fills(START))
    await rig.record("positions", do.positions())


async def record_types(rig: Rig) -> None:
    """Record an order of every type, and how they are listed."""
    await set_the_table(rig, NAME)
    do = rig.operations
    kinds: dict[str, dict[str, Any]] = {
        "place_fok": {"price": "83990", "time_in_force": "fok"},
        "place_stop": {"type": "stop", "trigger_price": "80000"},
        "place_stop_limit": {"type": "stop_limit", "trigger_price": "80000", "price": "79900", "trigger_by": "last"},
        "place_stop_offset": {"type": "stop_limit", "trigger_price": "80000", "limit_offset": "-100"},
        "place_take_profit": {"type": "take_profit", "trigger_price": "90000", "trigger_by": "index"},
        "place_take_profit_limit": {"type": "take_profit_limit", "trigger_price": "90000", "limit_offset": "-1%"},
        "place_trailing_stop": {"type": "trailing_stop", "trail": "2%"},
        "place_trailing_stop_limit": {"type": "trailing_stop_limit", "trail": "500", "limit_offset": "-10"},
    }
    for number, (name, terms) in enumerate(kinds.items(), start=1):
        await rig.record(name, do.place(rig.order(number, NAME, "sell", "0.01", **terms)))
    reduces = rig.order(20, NAME, "buy", "0.005", "83000", reduce_only=True)
    await rig.record("place_reduce_only", do.place(reduces))
    await rig.record("open_orders_of_every_type", do.open_orders())
    none = rig.order(21, NAME, "sell", "0.01", "83000", reduce_only=True)
    await rig.record_refusal("place_reduce_only_refused", do.place(none))


async def record_changes(rig: Rig) -> None:
    """Record what changes orders, and what takes several of them."""
    do = rig.operations
    await set_the_table(rig, NAME)
    order = await rig.ask(do.place(rig.order(1, NAME, "buy", "0.01", "83000")))
    stop = await rig.ask(
        do.place(rig.order(2, NAME, "sell", "0.01", type="stop_limit", trigger_price="80000", price="79900"))
    )
    await rig.clock.advance(20)
    deadline = rig.clock.now() + PATIENCE
    change = Amendment(quantity="0.02", price="83100", deadline=deadline)
    amended = await rig.record("amend", do.amend(order, change))
    await rig.record("amend_stop", do.amend(stop, Amendment(trigger_price="81000", deadline=deadline)))
    await rig.record_refusal("amend_refused", do.amend(amended, Amendment(quantity="900", deadline=deadline)))
    three = [
        rig.order(3, NAME, "buy", "0.01", "82000"),
        rig.order(4, NAME, "sell", "900", "85000"),
        rig.order(5, NAME, "sell", "0.01", "85500", post_only=True),
    ]
    placed = await rig.record("place_batch", do.place_batch(three))
    done = [one for one in placed if isinstance(one, Order)]
    await rig.record("cancel_batch", do.cancel_batch([*done, attrs.evolve(amended, venue_order_id=None)]))
    await rig.record("cancel_batch_again", do.cancel_batch(done))
    await rig.record("cancel_all_after", do.cancel_all_after(60))
    await rig.record("cancel_all_after_off", do.cancel_all_after(0))
    await rig.record("cancel_all", do.cancel_all())
    await rig.ask(do.place(rig.order(6, NAME, "buy", "0.01", "82000")))
    await rig.record("cancel_symbol", do.cancel_symbol(LINEAR))
