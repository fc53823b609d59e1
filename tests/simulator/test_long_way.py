"""A long, seeded way through all that an exchange can do: whatever happened, its sums agree after each step."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from exchange_core.connector.simulation import (
    BalanceChanged,
    OrderChanged,
    Refusal,
    SimAmendment,
    SimClose,
    SimEvent,
    SimRefused,
    SimRequest,
)
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import Offset, SelfTrade, TriggerBy
from tests.simulator.conftest import DATED, INVERSE, LINEAR, RICH_MARKETS, SPOT, Desk, build

NAMES = ("alice", "bob", "carol")
SYMBOLS = (SPOT, SPOT, LINEAR, INVERSE, DATED)
LOTS = {SPOT: Decimal("0.001"), LINEAR: Decimal("0.01"), INVERSE: Decimal(1), DATED: Decimal("0.01")}
TICKS = {SPOT: Decimal("0.1"), LINEAR: Decimal("0.5"), INVERSE: Decimal("0.5"), DATED: Decimal("0.5")}


class Walk:
    """Someone who does one thing after another."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.desk: Desk = build(deposits={"BTC": "30", "USD": "3000"}, markets=RICH_MARKETS)
        self.exchange = self.desk.exchange
        self.seen: Counter[str] = Counter()
        self.middle = 100.0
        self.exchange.listen(self.hear)

    def hear(self, event: SimEvent) -> None:
        match event:
            case OrderChanged():
                self.seen[event.event] += 1
                self.seen[event.order.reason] += 1
                self.seen["close"] += bool(event.order.parent)
                self.seen["liquidation"] += event.fill is not None and event.fill.liquidation
                self.seen["base fee"] += event.fill is not None and event.fill.fee_asset != event.fill.symbol.quote
            case BalanceChanged():
                self.seen[event.entry.kind] += 1

    def price(self, symbol: Symbol, away: int = 8) -> Decimal:
        tick = TICKS[symbol]
        return tick * max(1, int(Decimal(self.middle) / tick) + self.random.randint(-away, away))

    def request(self) -> SimRequest:
        random, symbol = self.random, self.random.choice(SYMBOLS)
        kind = random.choice([OrderType.LIMIT] * 8 + list(OrderType))
        lots = random.randint(20, 6000)
        more: dict[str, Any] = {}
        if kind.is_trailing:
            more["trail"] = random.choice([Offset(TICKS[symbol] * 3), Offset(Decimal("0.7"), True)])
        elif kind.is_triggered:
            more["trigger_price"] = self.price(symbol, 20)
        if kind.is_triggered:
            more["trigger_by"] = random.choice([None, *TriggerBy])
        if kind.has_limit:
            more["price"] = self.price(symbol)
            more["post_only"] = random.random() < 0.1
        if kind is OrderType.LIMIT and random.random() < 0.2:
            more["display_quantity"] = LOTS[symbol] * max(1, lots // random.randint(2, 14))
        elif kind is OrderType.LIMIT and random.random() < 0.1:
            more["time_in_force"] = random.choice([TimeInForce.IOC, TimeInForce.FOK])
        elif random.random() < 0.1:
            more["time_in_force"] = TimeInForce.GTD
            more["expires"] = self.desk.clock.now() + timedelta(seconds=90)
        if symbol is SPOT and random.random() < 0.4:
            more["leverage"] = random.choice([2, 5])
        elif kind is OrderType.MARKET and symbol is SPOT:
            more["quantity_in_quote"] = random.random() < 0.5
        if random.random() < 0.15:
            kinds = random.choice([OrderType.STOP, OrderType.TAKE_PROFIT])
            more["close"] = SimClose(type=kinds, trigger_price=self.price(symbol, 20))
        if random.random() < 0.1:
            more["starts"] = self.desk.clock.now() + timedelta(seconds=20)
        return SimRequest(
            symbol=symbol,
            side=random.choice(list(Side)),
            type=kind,
            quantity=LOTS[symbol] * lots,
            reduce_only=random.random() < 0.1 and (symbol is not SPOT or "leverage" in more),
            self_trade=random.choice([None, *SelfTrade]),
            fee_in_base=random.choice([None, True]),
            **more,
        )

    def step(self) -> None:
        account = self.random.choice(NAMES)
        orders = self.exchange.open_orders(account)
        order = self.random.choice(orders) if orders else None
        what = self.random.random()
        if what < 0.6 or order is None:
            self.exchange.place(account, self.request())
        elif what < 0.7:
            self.exchange.cancel(account, order.id)
        elif what < 0.8:
            self.exchange.amend(account, order.id, self.amendment(order.request))
        elif what < 0.83:
            self.exchange.replace(account, order.id, self.request())
        elif what < 0.85:
            self.exchange.settle(account, SPOT, self.random.choice([None, Decimal("0.35")]))
        elif what < 0.86:
            self.exchange.cancel_all_after(account, self.random.choice([None, 30]))
        elif what < 0.95:
            self.middle = max(20.0, self.middle * (1 + self.random.gauss(0, 0.03)))
            for symbol in TICKS:
                self.exchange.set_index(symbol, Decimal(self.middle).quantize(Decimal("0.00001")))
        else:
            self.exchange.set_funding(LINEAR, Decimal(self.random.randint(-20, 20)) / 10_000)
        self.desk.clock.advance(self.random.choice([1, 1, 1, 15, 1800]))
        self.exchange.step()

    def amendment(self, request: SimRequest) -> SimAmendment:
        symbol = request.symbol
        return SimAmendment(
            quantity=self.random.choice([None, LOTS[symbol] * self.random.randint(1, 6000)]),
            price=self.price(symbol) if request.price is not None and self.random.random() < 0.5 else None,
            trigger_price=self.price(symbol, 20) if request.trigger_price is not None else None,
        )


@pytest.fixture(scope="module")
def refusals() -> Counter[str]:
    return Counter()


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    return Counter()


@pytest.mark.parametrize("seed", range(4))
def test_everything_agrees_after_each_step(seed: int, seen: Counter[str], refusals: Counter[str]) -> None:
    walk = Walk(seed)
    for _ in range(700):
        try:
            walk.step()
        except SimRefused as refused:
            refusals[refused.refusal] += 1
        walk.exchange.check_invariants()
    seen.update(walk.seen)


def test_what_can_happen_did_happen(seen: Counter[str], refusals: Counter[str]) -> None:
    """So that the steps above prove what they seem to prove."""
    events = ["accepted", "opened", "triggered", "amended", "restated", "fill", "filled", "canceled", "expired"]
    money = ["trade", "margin", "funding", "settlement", "rollover", "settled"]
    reasons = [
        "Order replaced",
        "Immediate or cancel",
        "Self trade prevention",
        "Would not reduce the position",
        "Insufficient funds",
        "CancelAllOrdersAfter Timeout",
        "Liquidation",
        "Contract expired",
    ]
    for word in [*events, *money, *reasons, "close", "liquidation", "base fee"]:
        assert seen[word], word
    for refusal in (Refusal.INSUFFICIENT_FUNDS, Refusal.INSUFFICIENT_MARGIN, Refusal.NOT_AMENDABLE):
        assert refusals[refusal], refusal
