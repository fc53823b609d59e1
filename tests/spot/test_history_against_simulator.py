"""The walks against the simulated venue, in process."""

from __future__ import annotations

from typing import Any

from exchange_core.testing.walking import take, walk
from exchange_core.testing.world import World
from kraken_spot.history import KrakenSpotHistory
from kraken_spot.plugin import KRAKEN_SPOT


def test_against_the_simulated_venue() -> None:
    """With 50 orders and ledger entries in a page, and 100 trades."""
    world = World(KRAKEN_SPOT)
    maker, taker = world.client("maker"), world.client("taker")
    for _ in range(130):
        maker.place("sell", "0.01", "60000")
        taker.place("buy", "0.01", "60000", time_in_force="ioc")
        world.clock.forward(7.0)
    past = KrakenSpotHistory(taker.context)
    answer = lambda call: world._answer(taker, call)  # noqa: E731
    fills = take(walk(past.fills(None, None), answer))
    assert [fill.id for fill in fills] == [fill.id for fill in world.exchange.fills("taker")]
    orders = take(walk(past.orders(None, None), answer))
    assert {order.venue_order_id for order in orders} == {fill.venue_order_id for fill in fills}
    entries: list[Any] = []
    cursor = None
    while True:
        stream = walk(past.ledger(None, None), answer, cursor)
        part = take(stream, 37)
        if not part:
            break
        entries, cursor = entries + part, stream.cursor
    assert len(entries) == len({entry.id for entry in entries}) == len(world.exchange.ledger("taker"))
    for balance in taker.run(taker.rest.balances()):
        moved = [entry for entry in entries if entry.asset == balance.asset]
        assert sum(entry.change for entry in moved) == balance.total == moved[-1].balance
