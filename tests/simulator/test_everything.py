"""Whatever an exchange with all its orders, accounts and timers is asked: its sums agree after each event."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from exchange_core.connector.simulation import (
    BookChanged,
    OrderChanged,
    OrderEvent,
    SimAmendment,
    SimClose,
    SimEvent,
    SimOrder,
    SimRefused,
    SimRequest,
)
from exchange_core.model.order import OrderStatus, OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset, SelfTrade, TriggerBy
from tests.simulator.conftest import DATED, INVERSE, LINEAR, RICH_MARKETS, SPOT, build

NAMES = ("alice", "bob", "carol")
SYMBOLS = (SPOT, SPOT, LINEAR, INVERSE, DATED)
LOTS = {SPOT: Decimal("0.001"), LINEAR: Decimal("0.01"), INVERSE: Decimal(1), DATED: Decimal("0.01")}
TICKS = {SPOT: Decimal("0.1"), LINEAR: Decimal("0.5"), INVERSE: Decimal("0.5"), DATED: Decimal("0.5")}

names = st.sampled_from(NAMES)
symbols = st.sampled_from(SYMBOLS)


def prices(symbol: Symbol, around: int = 4) -> st.SearchStrategy[Decimal]:
    # Few prices, so that orders meet; the same ticks for all markets, about 100.
    middle = int(100 / TICKS[symbol])
    return st.integers(-around, around).map(lambda ticks: TICKS[symbol] * (middle + ticks))


def offsets(symbol: Symbol) -> st.SearchStrategy[Offset]:
    amounts = st.integers(1, 4).map(lambda ticks: Offset(TICKS[symbol] * ticks))
    return st.one_of(amounts, st.sampled_from(["0.3", "1", "2.5"]).map(lambda text: Offset(Decimal(text), True)))


@st.composite
def requests(draw: st.DrawFn) -> SimRequest:
    symbol = draw(symbols)
    kind = draw(st.one_of(st.just(OrderType.LIMIT), st.sampled_from(OrderType)))
    lots = draw(st.integers(20, 3000))
    more: dict[str, Any] = {}
    if kind.is_trailing:
        more["trail"] = draw(offsets(symbol))
    elif kind.is_triggered:
        more["trigger_price"] = draw(prices(symbol, 8))
    if kind.is_triggered:
        more["trigger_by"] = draw(st.sampled_from([None, *TriggerBy]))
    if kind.has_limit:
        more["price"] = draw(prices(symbol))
        if kind.is_triggered and draw(st.booleans()):
            del more["price"]
            more["limit_offset"] = draw(offsets(symbol))
    if kind is OrderType.LIMIT:
        more["time_in_force"] = draw(st.sampled_from([TimeInForce.GTC] * 4 + [TimeInForce.IOC, TimeInForce.FOK]))
        more["post_only"] = draw(st.sampled_from([False] * 5 + [True]))
        if draw(st.integers(0, 3)) == 0:
            more["display_quantity"] = LOTS[symbol] * max(1, lots // draw(st.integers(2, 14)))
    if symbol is SPOT and draw(st.sampled_from([False, False, True])):
        more["leverage"] = draw(st.sampled_from([2, 5]))
    if draw(st.sampled_from([False] * 5 + [True])):
        more["close"] = SimClose(type=OrderType.STOP, trigger_price=draw(prices(symbol, 8)))
    if kind is OrderType.MARKET and symbol is SPOT:
        more["quantity_in_quote"] = draw(st.booleans())
    return SimRequest(
        symbol=symbol,
        side=draw(st.sampled_from(Side)),
        type=kind,
        quantity=LOTS[symbol] * lots,
        reduce_only=draw(st.sampled_from([False] * 6 + [True])),
        self_trade=draw(st.sampled_from([None, *SelfTrade])),
        fee_in_base=draw(st.sampled_from([None, False, True])),
        client_order_id=draw(st.sampled_from([None, None, None, "c"])),
        **more,
    )


class Exchange(RuleBasedStateMachine):
    """Three accounts that are not rich do what they like."""

    @initialize()
    def begin(self) -> None:
        self.desk = build(deposits={"BTC": "5", "USD": "500"}, markets=RICH_MARKETS)
        self.exchange = self.desk.exchange
        self.books: dict[tuple[Symbol, Side], dict[Decimal, Decimal]] = {}
        self.heard: dict[str, SimOrder] = {}
        self.exchange.listen(self.hear)

    def hear(self, event: SimEvent) -> None:
        match event:
            case BookChanged():
                side = self.books.setdefault((event.symbol, event.side), {})
                side[event.price] = event.quantity
                if not event.quantity:
                    del side[event.price]
            case OrderChanged():
                before = self.heard.get(event.order.id)
                assert (before is None) == (event.event is OrderEvent.ACCEPTED)
                assert before is None or before.status.may_become(event.order.status)
                self.heard[event.order.id] = event.order

    def some_order(self, account: str, number: int) -> SimOrder | None:
        orders = self.exchange.open_orders(account)
        return orders[number % len(orders)] if orders else None

    @rule(account=names, request=requests(), begins=st.sampled_from([0, 0, 0, 0, 30]), ends=st.sampled_from([0, 0, 60]))
    def place(self, account: str, request: SimRequest, begins: int, ends: int) -> None:
        now = self.desk.clock.now()
        if begins:
            request = attrs.evolve(request, starts=now + timedelta(seconds=begins))
        if ends and request.time_in_force is TimeInForce.GTC:
            request = attrs.evolve(request, expires=now + timedelta(seconds=ends), time_in_force=TimeInForce.GTD)
        self.ask(lambda: self.exchange.place(account, request))

    @rule(account=names, number=st.integers(0, 20))
    def cancel(self, account: str, number: int) -> None:
        if order := self.some_order(account, number):
            self.exchange.cancel(account, order.id)

    @rule(account=names, number=st.integers(0, 20), data=st.data())
    def amend(self, account: str, number: int, data: st.DataObject) -> None:
        if (order := self.some_order(account, number)) is None:
            return
        symbol = order.request.symbol
        amendment = SimAmendment(
            quantity=data.draw(st.none() | st.integers(1, 3000).map(lambda lots: LOTS[symbol] * lots)),
            price=data.draw(st.none() | prices(symbol)),
            trigger_price=data.draw(st.none() | st.none() | prices(symbol, 8)),
            trail=data.draw(st.none() | st.none() | offsets(symbol)),
            limit_offset=data.draw(st.none() | st.none() | st.none() | offsets(symbol)),
            post_only=data.draw(st.sampled_from([False, False, False, True])),
        )
        self.ask(lambda: self.exchange.amend(account, order.id, amendment))

    @rule(account=names, number=st.integers(0, 20), request=requests())
    def replace(self, account: str, number: int, request: SimRequest) -> None:
        if order := self.some_order(account, number):
            self.ask(lambda: self.exchange.replace(account, order.id, request))

    @rule(account=names, lots=st.none() | st.integers(1, 2000))
    def settle(self, account: str, lots: int | None) -> None:
        self.ask(lambda: self.exchange.settle(account, SPOT, None if lots is None else LOTS[SPOT] * lots))

    @rule(seconds=st.sampled_from([1, 10, 40, 3600, 5 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.desk.clock.advance(seconds)
        self.exchange.step()

    @rule(account=names, seconds=st.sampled_from([None, 5, 60]))
    def arm(self, account: str, seconds: int | None) -> None:
        self.exchange.cancel_all_after(account, seconds)

    @rule(symbol=symbols, percent=st.integers(-12, 12), mark=st.booleans())
    def prices_move(self, symbol: Symbol, percent: int, mark: bool) -> None:
        price = Decimal(100 + percent) + Decimal("0.0000123")
        (self.exchange.set_mark if mark else self.exchange.set_index)(symbol, price)
        self.exchange.step()

    @rule(symbol=st.sampled_from([LINEAR, INVERSE]), rate=st.sampled_from(["0.0025", "-0.001", "0"]))
    def funding_changes(self, symbol: Symbol, rate: str) -> None:
        self.exchange.set_funding(symbol, Decimal(rate))

    def ask(self, what: Any) -> None:
        """What is refused changes nothing, after what was due before."""
        self.exchange.step()
        before = self.desk.state()
        try:
            what()
        except SimRefused:
            assert self.desk.state() == before

    @precondition(lambda self: hasattr(self, "exchange"))
    @invariant()
    def everything_agrees(self) -> None:
        self.exchange.check_invariants()
        for market in self.exchange.markets():
            symbol = market.instrument.symbol
            for side, levels in zip(Side, self.exchange.book(symbol), strict=True):
                assert self.books.get((symbol, side), {}) == dict(levels)
        for name in NAMES:
            for order in [*self.exchange.open_orders(name), *self.exchange.closed_orders(name)]:
                # Its place in the queue is known after what is told of it.
                heard = self.heard[order.id]
                assert attrs.evolve(heard, queued=order.queued, place=order.place, shown=order.shown) == order
                assert order.status is not OrderStatus.REJECTED


Exchange.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestEverything = Exchange.TestCase
