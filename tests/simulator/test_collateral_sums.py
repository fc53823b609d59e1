"""Whatever an account with several currencies does, every sum agrees after each step, and each conversion is exact."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exchange_core.connector.simulation import (
    BalanceChanged,
    Reducing,
    SimCollateral,
    SimEvent,
    SimLedgerEntry,
    SimRefused,
    SimRequest,
)
from exchange_core.model.asset import Asset
from exchange_core.model.order import OrderType, TimeInForce
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from tests.simulator.conftest import INVERSE, LINEAR, SPEC, HandClock

DATED = Symbol.parse("BTC/USD:USD-260102")
DECIMALS = {"BTC": 5, "BTC.flex": 5, "USD": 2, "EUR": 2}
SPREADS = {"BTC.flex": Decimal("0.0025"), "EUR": Decimal("0.0005")}
NAMES = ("alice", "bob", "carol")
ASSETS = st.sampled_from([*DECIMALS])
MARKETS = [each for each in SPEC.markets if not each.instrument.symbol.is_spot]
DATED_MARKET = attrs.evolve(
    MARKETS[0], instrument=attrs.evolve(MARKETS[0].instrument, symbol=DATED, venue_id="dated"), settlement_minutes=5
)
PLACES = {LINEAR: "0.01", INVERSE: "1", DATED: "0.01"}


def spec(reducing: Reducing) -> Any:
    return attrs.evolve(
        SPEC,
        markets=[attrs.evolve(each, reducing=reducing) for each in (*MARKETS, DATED_MARKET)],
        assets=tuple(Asset(code=code, venue_id=code, decimals=places) for code, places in DECIMALS.items()),
        collateral=(
            SimCollateral(
                asset="BTC.flex",
                settles="USD",
                market=LINEAR,
                haircut=Decimal("0.02"),
                spread=SPREADS["BTC.flex"],
            ),
            SimCollateral(
                asset="EUR", settles="USD", price=Decimal("1.1"), haircut=Decimal("0.01"), spread=SPREADS["EUR"]
            ),
        ),
    )


class Accounts(RuleBasedStateMachine):
    """Three accounts that trade, move money, change their minds about currencies, and are ruined now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()

    @initialize(reducing=st.sampled_from([*Reducing]))
    def open(self, reducing: Reducing) -> None:
        self.spec = spec(reducing)
        self.exchange = SimulatedExchange(self.spec, seed=1, clock=self.clock)
        self.half: SimLedgerEntry | None = None
        self.moved: dict[tuple[str, str], Decimal] = {}
        self.exchange.listen(self.hear)
        for name in NAMES:
            money = {"USD": Decimal(20), "BTC.flex": Decimal("0.7"), "EUR": Decimal(40), "BTC": Decimal(1)}
            self.exchange.add_account(name, money)
        self.exchange.set_index(LINEAR, Decimal(100))

    def hear(self, event: SimEvent) -> None:
        if not isinstance(event, BalanceChanged):
            return
        entry = event.entry
        place = entry.account, entry.asset
        self.moved[place] = self.moved.get(place, Decimal(0)) + entry.amount - entry.fee
        assert self.moved[place] == entry.balance
        if entry.kind != "conversion":
            assert self.half is None
        elif self.half is None:
            self.half = entry
        else:
            self.check_conversion(self.half, entry)
            self.half = None

    def check_conversion(self, sold: SimLedgerEntry, bought: SimLedgerEntry) -> None:
        """What comes is what goes at the index price, cut; the cost of it is rounded up; nothing else is charged."""
        assert sold.reference == bought.reference
        assert (sold.fee, sold.amount < 0 < bought.amount) == (0, True)
        other = bought.asset if sold.asset == "USD" else sold.asset
        price = self.exchange.index_price(LINEAR) if other == "BTC.flex" else Decimal("1.1")
        worth = -sold.amount / price if sold.asset == "USD" else -sold.amount * price
        step = Decimal(1).scaleb(-DECIMALS[bought.asset])
        assert bought.amount == worth.quantize(step, ROUND_FLOOR)
        assert bought.fee == (bought.amount * SPREADS[other]).quantize(step, ROUND_CEILING)

    @rule(
        name=st.sampled_from(NAMES),
        symbol=st.sampled_from([*PLACES]),
        side=st.sampled_from(["buy", "sell"]),
        lots=st.integers(1, 5000),
        ticks=st.integers(-4, 4),
        kind=st.sampled_from(["", "", "", "market", "reduce", "stop"]),
    )
    def order(self, name: str, symbol: Symbol, side: str, lots: int, ticks: int, kind: str) -> None:
        price = Decimal(100) + ticks * Decimal("0.5")
        more: dict[str, Any] = {"type": OrderType.LIMIT, "price": price}
        if kind == "market":
            more = {"type": OrderType.MARKET, "time_in_force": TimeInForce.IOC}
        if kind == "stop":
            more = {"type": OrderType.STOP_LIMIT, "price": price, "trigger_price": price}
        request = SimRequest(
            symbol=symbol,
            side=Side(side),
            quantity=Decimal(PLACES[symbol]) * lots,
            reduce_only=kind in ("reduce", "stop"),
            **more,
        )
        try:
            self.exchange.place(name, request)
        except SimRefused:
            return

    @rule(name=st.sampled_from(NAMES), place=st.integers(0, 9))
    def cancel(self, name: str, place: int) -> None:
        if orders := self.exchange.open_orders(name):
            self.exchange.cancel(name, orders[place % len(orders)].id)

    @rule(price=st.integers(150, 260), symbol=st.sampled_from([*PLACES]))
    def move_mark(self, price: int, symbol: Symbol) -> None:
        self.exchange.set_mark(symbol, Decimal(price) / 2)
        self.exchange.step()

    @rule(price=st.integers(1, 400))
    def move_index(self, price: int) -> None:
        self.exchange.set_index(LINEAR, Decimal(price) / 2)
        self.exchange.step()

    @rule(rate=st.integers(-3, 3), hours=st.sampled_from([0, 0, 1, 2, 25]))
    def let_time_pass(self, rate: int, hours: int) -> None:
        self.exchange.set_funding(LINEAR, Decimal(rate) / 1000)
        self.clock.advance(hours * 3600 + 17)
        self.exchange.step()

    @rule(name=st.sampled_from(NAMES), asset=st.sampled_from([None, "BTC.flex", "EUR"]))
    def prefer(self, name: str, asset: str | None) -> None:
        try:
            self.exchange.pay_profit_in(name, LINEAR, asset)
        except SimRefused:
            return

    @rule(name=st.sampled_from(NAMES), asset=ASSETS, amount=st.integers(1, 3000))
    def deposit(self, name: str, asset: str, amount: int) -> None:
        self.exchange.book_money(name, asset, Decimal(amount).scaleb(-2), kind="deposit")

    @rule(name=st.sampled_from(NAMES), asset=st.sampled_from(["USD", "EUR", "BTC.flex"]))
    def withdraw(self, name: str, asset: str) -> None:
        """All that is said to be available leaves; the smallest bit more does not, and the margin stays whole."""
        self.exchange.step()
        found = {each.asset: each for each in self.exchange.collateral(name)}[asset]
        bit = Decimal(1).scaleb(-DECIMALS[asset])
        try:
            self.exchange.book_money(name, asset, -found.available - bit, kind="withdrawal")
        except SimRefused:
            pass
        else:
            raise AssertionError(f"{found} and more left")
        before = self.dollars(name).available
        if found.available:
            self.exchange.book_money(name, asset, -found.available, kind="withdrawal")
            assert self.dollars(name).available >= min(before, Decimal(0))

    @rule()
    def restart(self) -> None:
        saved = self.exchange.save()
        self.exchange = SimulatedExchange.restore(self.spec, saved, clock=self.clock)
        assert self.exchange.save() == saved
        self.exchange.listen(self.hear)

    def dollars(self, name: str) -> Any:
        return next(each for each in self.exchange.margins(name) if each.asset == "USD")

    @invariant()
    def all_sums_agree(self) -> None:
        if not hasattr(self, "exchange"):
            return
        self.exchange.check_invariants()
        assert self.half is None
        for name in NAMES:
            margin, values = self.dollars(name), self.exchange.collateral(name)
            assert margin.balance + margin.collateral == sum(each.collateral for each in values)
            totals = {each.asset: each.total for each in self.exchange.balances(name)}
            assert totals == {asset: self.moved[name, asset] for asset in totals}
            assert all(totals[each.asset] == each.total for each in values)
            assert all(0 <= each.available <= max(0, each.total) for each in values)
            assert all(total >= 0 for asset, total in totals.items() if asset in SPREADS)


TestAccounts = Accounts.TestCase
TestAccounts.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
