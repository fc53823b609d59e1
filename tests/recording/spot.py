"""What is recorded of Kraken Spot: here the operations that every venue has, and the rest in the modules beside."""

from __future__ import annotations

from pathlib import Path

import attrs

from exchange_core.model.amendment import Amendment
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.plugin import KRAKEN_SPOT
from recording import spot_calls, spot_feeds, spot_past
from recording.rig import PATIENCE, START, Rig, client_id
from recording.scenes import set_the_table

NAME = "BTC/USD"
BTC = Symbol.parse(NAME)


async def record(folder: Path) -> None:
    """Record all of it into *folder*."""
    await record_rest(Rig(KRAKEN_SPOT, folder, seed=11))
    await record_changes(Rig(KRAKEN_SPOT, folder, seed=11))
    await spot_calls.record(folder)
    await spot_past.record(folder)
    await spot_feeds.record(folder)


async def record_rest(rig: Rig) -> None:
    """Record every operation but those below, on a book of which each number is known."""
    do, clock = rig.operations, rig.clock
    await rig.record("instruments", do.instruments())
    await set_the_table(rig, NAME)
    await rig.record("ticker", do.ticker(BTC))
    await rig.record("book", do.book(BTC, 5))
    await rig.record("trades", do.trades(BTC, 2))
    await rig.record("candles", do.candles(BTC, 1, None))

    limit = await rig.record("place_limit", do.place(rig.order(1, NAME, "buy", "0.01", "83000")))
    post = await rig.record("place_post_only", do.place(rig.order(2, NAME, "sell", "0.02", "85000", post_only=True)))
    await rig.record_refusal("place_without_funds", do.place(rig.order(4, NAME, "buy", "900", "83000")))
    await rig.record("open_orders", do.open_orders())
    await clock.advance(10)
    bare = OrderRequest(symbol=BTC, side=Side.BUY, quantity="0.01", price="83000")
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
    await rig.record("fees", do.fees(BTC))
    login = KRAKEN_SPOT.feeds[1].make(rig.context).login()
    assert login is not None
    await rig.record("token", login)


async def record_changes(rig: Rig) -> None:
    """Record what changes orders, and what takes several of them."""
    do = rig.operations
    await set_the_table(rig, NAME)
    order = await rig.ask(do.place(rig.order(1, NAME, "buy", "0.01", "83000")))
    await rig.clock.advance(20)
    deadline = rig.clock.now() + PATIENCE
    change = Amendment(quantity="0.02", price="83100", deadline=deadline)
    amended = await rig.record("amend", do.amend(order, change))
    await rig.record_refusal(
        "amend_to_nonsense", do.amend(amended, Amendment(price="84015", post_only=True, deadline=deadline))
    )
    three = [
        rig.order(2, NAME, "buy", "0.01", "82000"),
        rig.order(3, NAME, "sell", "5", "85000"),
        rig.order(4, NAME, "sell", "0.01", "85500", post_only=True),
    ]
    placed = await rig.record("place_batch", do.place_batch(three))
    bold = rig.order(6, NAME, "buy", "0.01", "82000", leverage=100)
    await rig.record_refusal("place_batch_too_bold", do.place_batch([rig.order(5, NAME, "buy", "0.01", "82000"), bold]))
    await rig.record("cancel_batch", do.cancel_batch([order for order in placed if isinstance(order, Order)]))
    await rig.record("cancel_all_after", do.cancel_all_after(60))
    await rig.record("cancel_all_after_off", do.cancel_all_after(0))
    await rig.record("cancel_all", do.cancel_all())
