"""A day of trading on the simulated exchange, as fast as it goes: sums must be exact, and memory flat.

Run it by hand: ``python -m benchmarks.simulated_day [--fills 1000000]``. Ten accounts that keep little trade two
markets, spot and perpetual, with limit, market, stop and iceberg orders, amendments and cancels; the clock is moved,
and funding is booked every hour. Ten times on the way it prints how far it is, how fast, and the process's memory.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from decimal import Decimal
from random import Random

import attrs

from benchmarks.matching import LOT, SYMBOL, TICK, TRADERS, _spec
from exchange_core.connector.simulation import SimAmendment, SimMarket, SimRefused, SimRequest
from exchange_core.model.account import FeeRates
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.testing.clock import ManualClock

DAY = 24 * 3600
KEPT = 1000
PERPETUAL = Symbol.parse("BTC/USD:USD")


def exchange(clock: ManualClock) -> SimulatedExchange:
    spec = _spec()
    instrument = Instrument(
        symbol=PERPETUAL, venue_id="PF", tick_size=TICK, lot_size=Decimal("0.0001"), min_quantity=Decimal("0.0001")
    )
    fees = FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
    perpetual = SimMarket(instrument=instrument, start_price=Decimal(60_000), fees=fees)
    made = SimulatedExchange(attrs.evolve(spec, markets=[*spec.markets, perpetual]), seed=1, clock=clock)
    for trader in TRADERS:
        made.add_account(trader, {"BTC": Decimal(10_000), "USD": Decimal(10**9)}, keep=KEPT)
    return made


def request(random: Random, middle: float) -> SimRequest:
    symbol, lot = random.choice([(SYMBOL, LOT * 10_000), (PERPETUAL, Decimal("0.0001"))])
    side = random.choice((Side.BUY, Side.SELL))
    ticks = int(middle * 10) + int(random.gauss(-side.sign * 20, 60))
    lots = random.randint(10, 500)
    kind = random.choices((OrderType.LIMIT, OrderType.MARKET, OrderType.STOP), (16, 3, 1))[0]
    return SimRequest(
        symbol=symbol,
        side=side,
        type=kind,
        quantity=lot * lots,
        price=TICK * ticks if kind is OrderType.LIMIT else None,
        trigger_price=TICK * (ticks + side.sign * 50) if kind is OrderType.STOP else None,
        display_quantity=lot * max(1, lots // 4) if kind is OrderType.LIMIT and random.random() < 0.05 else None,
    )


def one(venue: SimulatedExchange, random: Random, middle: float) -> None:
    trader = random.choice(TRADERS)
    what = random.random()
    if what < 0.7:
        venue.place(trader, request(random, middle))
        return
    orders = venue.open_orders(trader)
    if len(orders) < 50:
        return
    order = orders[random.randrange(len(orders))]
    if what < 0.95 or order.request.price is None:
        venue.cancel(trader, order.id)
    else:
        venue.amend(trader, order.id, SimAmendment(price=order.request.price - order.request.side.sign * TICK * 5))


def run(fills: int) -> Iterator[str]:
    """Trade until there were so many fills in a day; say how it goes."""
    random, clock = Random(1), ManualClock()
    venue, middle, asked, begun = exchange(clock), 60_000.0, 0, time.process_time()
    parts = 10
    for part in range(1, parts + 1):
        while (done := sum(2 * venue.trade_count(symbol) for symbol in (SYMBOL, PERPETUAL))) < fills * part // parts:
            for _ in range(100):
                asked += 1
                try:
                    one(venue, random, middle)
                except SimRefused:
                    continue  # its own order is in the way, or nothing stands there
            middle *= 1 + random.gauss(0, 0.0001)
            for symbol in (SYMBOL, PERPETUAL):
                venue.set_index(symbol, Decimal(int(middle * 10)) / 10)
            clock.forward(min(60.0, max(0.0, DAY * done / fills - clock.monotonic())))
            venue.step()
        venue.check_invariants()
        seconds = time.process_time() - begun
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        yield (
            f"{clock.now():%H:%M}  {done} fills, {asked} requests, {asked / seconds:.0f} a second, "
            f"{memory} MB at most; all sums agree"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fills", type=int, default=1_000_000)
    for line in run(parser.parse_args().fills):
        print(line, flush=True)


if __name__ == "__main__":
    main()
