"""How many orders the simulated exchange takes in a second: the bare matching, and all of it with accounts.

The same seeded flow of limit orders and cancels goes through the matching
book alone, through the whole exchange (checks, holds, fees, ledgers, fills), and through it with one listener to whom
every event is told. CPU time of one core, against the promise of
10,000 orders a second with everything: the one figure here that is not a ratio between two programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random

from benchmarks.timing import Figure, cpu_in_turn, figure
from exchange_core.clock import SystemClock
from exchange_core.connector.simulation import SimMarket, SimRefused, SimRequest, SimulatorSpec, WireProtocol
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.engine.matching import MatchingBook, Resting
from exchange_core.simulator.exchange import SimulatedExchange

ORDERS = 20_000
PROMISED = 10_000
SYMBOL = Symbol.parse("BTC/USD")
TICK, LOT = Decimal("0.1"), Decimal("0.00000001")
TRADERS = [f"trader{number}" for number in range(10)]


def flow(orders: int = ORDERS) -> list[tuple[str, Side, int, int, bool]]:
    """Return trader, side, price in ticks, quantity in lots, and whether the trader cancels an older order first.

    Prices scatter around a middle, so that about half of the orders meet another and the book stays thousands deep.
    """
    random = Random(1)
    return [
        (
            random.choice(TRADERS),
            side,
            600_000 + int(random.gauss(-side.sign * 40, 60)),
            random.randint(100_000, 5_000_000),
            random.random() < 0.3,
        )
        for side in (random.choice((Side.BUY, Side.SELL)) for _ in range(orders))
    ]


def through_the_book(orders: list[tuple[str, Side, int, int, bool]]) -> int:
    """Match only; return how many orders met another."""
    book, met = MatchingBook(), 0
    own: dict[str, list[str]] = {trader: [] for trader in TRADERS}
    for number, (trader, side, price, lots, cancels) in enumerate(orders):
        if cancels and own[trader] and book.get(own[trader][-1]) is not None:
            book.remove(own[trader].pop())
        plan = book.plan(side, price, lots, trader)
        if plan.blocked and not plan.matches:
            continue
        book.carry_out(plan)
        met += bool(plan.matches)
        if plan.remaining and not plan.blocked:
            order = Resting(id=str(number), owner=trader, side=side, price=price, remaining=plan.remaining)
            book.add(order)
            own[trader].append(order.id)
        book.take_changes()
    return met


def through_the_exchange(orders: list[tuple[str, Side, int, int, bool]], *, listen: bool) -> SimulatedExchange:
    """Do all of it; return the exchange."""
    exchange = SimulatedExchange(_spec(), seed=1, clock=SystemClock())
    for trader in TRADERS:
        exchange.add_account(trader, {"BTC": Decimal(10_000), "USD": Decimal(10**9)})
    if listen:
        exchange.listen(lambda event: None)
    own: dict[str, list[str]] = {trader: [] for trader in TRADERS}
    for trader, side, price, lots, cancels in orders:
        request = SimRequest(symbol=SYMBOL, side=side, type=OrderType.LIMIT, quantity=LOT * lots, price=TICK * price)
        try:
            if cancels and own[trader]:
                exchange.cancel(trader, own[trader].pop())
            order = exchange.place(trader, request)
        except SimRefused:
            continue  # filled meanwhile, or its own order is in the way
        if not order.status.is_final:
            own[trader].append(order.id)
    return exchange


def measure(rounds: int = 3) -> Iterator[Figure | str]:
    orders = flow()
    runs: dict[str, Callable[[], object]] = {
        "matching book alone": lambda: through_the_book(orders),
        "simulated exchange": lambda: through_the_exchange(orders, listen=False),
        "simulated exchange, heard": lambda: through_the_exchange(orders, listen=True),
    }
    exchange = through_the_exchange(orders, listen=False)
    exchange.check_invariants()
    bids, asks = exchange.book(SYMBOL)
    trades = exchange.trades(SYMBOL)[-1].trade_id
    yield f"{len(orders)} orders, {trades} trades, {len(bids)} + {len(asks)} levels at the end; all sums agree"
    for name, times in cpu_in_turn(runs, rounds).items():
        yield figure(
            f"{name}, an order / {PROMISED:,} a second",
            [(seconds / len(orders), 1 / PROMISED) for seconds in times],
            scale=1e6,
            unit="us",
            target=1.0,
        )


def _no_protocol(exchange: object) -> WireProtocol:
    raise NotImplementedError


def _spec() -> SimulatorSpec:
    instrument = Instrument(
        symbol=SYMBOL, venue_id="BTC/USD", tick_size=TICK, lot_size=LOT, min_quantity=Decimal("0.0001")
    )
    fees = FeeRates(maker=Decimal("0.0025"), taker=Decimal("0.004"))
    return SimulatorSpec(
        section="spot",
        protocol=_no_protocol,
        markets=[SimMarket(instrument=instrument, start_price=Decimal(60_000), fees=fees)],
        assets=[Asset(code="BTC", venue_id="BTC", decimals=10), Asset(code="USD", venue_id="USD", decimals=4)],
        deposits={},
        urls=lambda address: {},
        order_id=lambda random: f"{random.getrandbits(96):024x}",
        fill_id=lambda random: f"{random.getrandbits(96):024x}",
        secret=lambda random: f"{random.getrandbits(96):024x}",
    )
