"""Whatever is asked, in whatever order, everything that is kept twice agrees after each event."""

import operator
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.simulation import (
    BalanceChanged,
    BookChanged,
    OrderChanged,
    OrderEvent,
    PositionChanged,
    SimEvent,
    SimRefused,
    SimRequest,
)
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from tests.simulator.conftest import INVERSE, LINEAR, SPOT, Desk, build

NAMES = ("alice", "bob", "carol")
LOTS = {SPOT: Decimal("0.001"), LINEAR: Decimal("0.01"), INVERSE: Decimal(1)}
TICKS = {SPOT: Decimal("0.1"), LINEAR: Decimal("0.5"), INVERSE: Decimal("0.5")}


@st.composite
def requests(draw: st.DrawFn, symbols: Sequence[Symbol]) -> SimRequest:
    symbol = draw(st.sampled_from(symbols))
    # Few prices, so that orders meet; many lots, so that they are cut unevenly.
    price = TICKS[symbol] * (1000 + draw(st.integers(-3, 3)))
    oddity = draw(st.sampled_from(["", "", "", "", "market", "ioc", "fok", "post_only", "reduce_only", "client id"]))
    return SimRequest(
        symbol=symbol,
        side=draw(st.sampled_from(Side)),
        type=OrderType.MARKET if oddity == "market" else OrderType.LIMIT,
        quantity=LOTS[symbol] * draw(st.integers(5, 3000)),
        price=None if oddity == "market" else price,
        time_in_force=TimeInForce(oddity) if oddity in ("ioc", "fok") else TimeInForce.GTC,
        post_only=oddity == "post_only",
        reduce_only=oddity == "reduce_only" and not symbol.is_spot,
        client_order_id="c" if oddity == "client id" else None,
    )


def steps_in(*symbols: Symbol) -> st.SearchStrategy[list[tuple[str, SimRequest | int]]]:
    """Return steps: orders in these markets, and every now and then a cancel."""
    orders = requests(symbols)
    return st.lists(
        st.tuples(st.sampled_from(NAMES), st.one_of(*[orders] * 7, st.integers(0, 20))),
        min_size=20,
        max_size=50,
    )


STEPS = st.one_of(steps_in(SPOT), steps_in(LINEAR, INVERSE), steps_in(SPOT, LINEAR, INVERSE))


class Mirror:
    """What a client knows that only hears events."""

    def __init__(self) -> None:
        self.books: dict[tuple[Symbol, Side], dict[Decimal, Decimal]] = {}
        self.orders: dict[str, str] = {}
        self.balances: dict[tuple[str, str], Decimal] = {}
        self.positions: dict[tuple[str, Symbol], Decimal] = {}

    def hear(self, event: SimEvent) -> None:
        match event:
            case BookChanged():
                side = self.books.setdefault((event.symbol, event.side), {})
                side[event.price] = event.quantity
                if not event.quantity:
                    del side[event.price]
            case OrderChanged():
                self.orders[event.order.id] = event.order.account
                if event.event in (OrderEvent.FILLED, OrderEvent.CANCELED):
                    del self.orders[event.order.id]
            case BalanceChanged():
                entry = event.entry
                before = self.balances.get((entry.account, entry.asset), Decimal(0))
                assert before + entry.amount - entry.fee == entry.balance
                self.balances[entry.account, entry.asset] = entry.balance
            case PositionChanged():
                self.positions[event.account, event.position.symbol] = event.position.quantity

    def compare(self, exchange: SimulatedExchange) -> None:
        for market in exchange.markets():
            symbol = market.instrument.symbol
            for side, levels in zip(Side, exchange.book(symbol), strict=True):
                assert self.books.get((symbol, side), {}) == dict(levels)
        for name in NAMES:
            assert {i for i, owner in self.orders.items() if owner == name} == {
                order.id for order in exchange.open_orders(name)
            }
            assert all(self.balances[name, b.asset] == b.total for b in exchange.balances(name))
            held = {symbol: quantity for (owner, symbol), quantity in self.positions.items() if owner == name}
            assert {p.symbol: p.quantity for p in exchange.positions(name)} == {s: q for s, q in held.items() if q}


def act(desk: Desk, account: str, step: SimRequest | int) -> None:
    """Place an order, or cancel one of the account's open ones."""
    if isinstance(step, SimRequest):
        desk.exchange.place(account, step)
    elif orders := desk.exchange.open_orders(account):
        desk.exchange.cancel(account, orders[step % len(orders)].id)


@given(STEPS)
@settings(max_examples=120, deadline=None)
def test_everything_agrees_after_each_step(steps: list[tuple[str, SimRequest | int]]) -> None:
    desk = build(deposits={"BTC": "5", "USD": "500"})
    mirror = Mirror()
    for event in desk.events:
        mirror.hear(event)
    desk.exchange.listen(mirror.hear)
    for account, step in steps:
        desk.clock.advance(7)
        before = desk.state()
        try:
            act(desk, account, step)
        except SimRefused:
            assert desk.state() == before
        desk.exchange.check_invariants()
        mirror.compare(desk.exchange)


@pytest.mark.parametrize("symbols", [(SPOT,), (LINEAR, INVERSE)], ids=["spot", "derivatives"])
def test_everything_agrees_on_a_long_way(symbols: tuple[Symbol, ...]) -> None:
    """Longer than hypothesis goes: positions grow, turn around and are closed; orders are cut into many pieces."""
    random = Random(11)
    desk = build()
    fills = 0
    for _ in range(400):
        symbol = random.choice(symbols)
        request = SimRequest(
            symbol=symbol,
            side=random.choice(list(Side)),
            type=OrderType.LIMIT,
            quantity=LOTS[symbol] * random.randint(20, 900),
            price=TICKS[symbol] * (1000 + random.randint(-6, 6)),
            reduce_only=not symbol.is_spot and random.random() < 0.3,
        )
        try:
            fills += len(desk.exchange.place(random.choice(NAMES), request).fill_ids)
        except SimRefused:
            continue
        desk.exchange.check_invariants()
    assert fills > 100


@given(STEPS, st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_the_same_seed_gives_the_same_events(steps: list[tuple[str, SimRequest | int]], seed: int) -> None:
    def run() -> list[SimEvent]:
        desk = build(seed)
        for account, step in steps:
            try:
                act(desk, account, step)
            except SimRefused as refused:
                desk.events.append(refused.refusal)  # type: ignore[arg-type]
        return desk.events

    assert run() == run()


def test_another_seed_gives_other_ids() -> None:
    assert build(1).place("alice", "buy", "1", "99").id != build(2).place("alice", "buy", "1", "99").id


def _trade(desk: Desk) -> None:
    for symbol in (SPOT, LINEAR):
        desk.place("alice", "sell", "2", "100", symbol=symbol)
        desk.place("bob", "buy", "1", "100", symbol=symbol)
    desk.place("carol", "sell", "1", None, type=OrderType.STOP, trigger_price=Decimal(90))


def _stop(exchange: SimulatedExchange) -> str:
    return exchange.open_orders("carol")[0].id


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(lambda x: operator.setitem(x._accounts["bob"].totals, "USD", 5), "sum of all USD", id="total"),
        pytest.param(lambda x: operator.setitem(x._accounts["alice"].held, "BTC", 5), "BTC held", id="hold"),
        pytest.param(lambda x: setattr(x._accounts["bob"].exposures[LINEAR], "lots", 7), "sum of positions", id="lots"),
        pytest.param(lambda x: setattr(x._accounts["bob"].exposures[LINEAR], "basis", 7), "open bases", id="basis"),
        pytest.param(lambda x: setattr(x.open_orders("alice")[0], "filled", Decimal(2)), "remaining", id="filled"),
        pytest.param(lambda x: setattr(x.open_orders("alice")[0], "fee", Decimal(2)), "fee", id="fee"),
        pytest.param(lambda x: x._accounts["alice"].client_ids.add("x"), "client ids", id="client id"),
        pytest.param(lambda x: x._accounts["alice"].ledger.pop(), "of the ledger", id="ledger entry lost"),
        pytest.param(lambda x: x._accounts["alice"].fills.pop(), "fills", id="fill lost"),
        pytest.param(lambda x: operator.setitem(x.parts.accounts.insurance, "USD", 5), "clearing house", id="house"),
        pytest.param(lambda x: setattr(x._accounts["bob"].exposures[LINEAR], "funding", 7), "funding", id="funding"),
        pytest.param(
            lambda x: setattr(x._accounts["bob"].exposures[LINEAR], "booked", 7), "clearing house", id="profit"
        ),
        pytest.param(lambda x: setattr(next(iter(x.parts.markets[SPOT].waiting)), "price", 7), "trigger", id="trigger"),
        pytest.param(lambda x: x.parts.markets[SPOT].waiting.remove(_stop(x)), "wait for", id="no more waiting"),
        pytest.param(lambda x: setattr(x.parts.markets[SPOT].prices, "last", 0), "was met", id="trigger not seen"),
        pytest.param(lambda x: setattr(x.parts.markets[SPOT].book, "reducers", 3), "only reduce", id="reducers"),
        pytest.param(lambda x: setattr(next(iter(x.parts.markets[SPOT].book)), "hidden", 3), "levels", id="hidden"),
    ],
)
def test_the_check_notices(desk: Desk, spoil: Any, words: str) -> None:
    _trade(desk)
    desk.exchange.check_invariants()
    spoil(desk.exchange)
    with pytest.raises(AssertionError, match=words):
        desk.exchange.check_invariants()
