"""Every call of our own client, asked of the simulated venue: it answers, and the client can read all of it."""

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.errors import OrderNotFound, OrderRefused
from exchange_core.model.event import Channel, Subscription
from exchange_core.model.symbol import Symbol
from exchange_core.testing.world import Client, World
from kraken_futures.config import FuturesConfig
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit, OrderKind, QuantityMode
from kraken_futures.rest.charts import Analytics, Resolution, TickType
from kraken_futures.rest.families import Families
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.types.account import SelfTradeStrategy

LINEAR, INVERSE = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")


class Desk:
    """Our client of one account, with everything allowed."""

    def __init__(self, world: World, name: str) -> None:
        self.client = Client(world, world.credentials(name))
        config = FuturesConfig(environment="demo", allow_withdrawals=True)
        self.rest: Any = FuturesRest(attrs.evolve(self.client.context, config=config))
        self.name = name
        self.count = 0

    def run(self, flow: Any) -> Any:
        return self.client.run(flow)

    def send(self, kind: str, side: str, quantity: str, price: str | None = None, **more: Any) -> Any:
        self.count += 1
        order = FuturesOrder(
            symbol=more.pop("symbol", LINEAR),
            side=side,
            quantity=quantity,
            kind=kind,
            limit_price=price,
            client_order_id=f"{self.name}-{self.count}",
            **more,
        )
        return self.run(self.rest.orders.send(order))


@pytest.fixture
def ours(world: World) -> Desk:
    return Desk(world, "alice")


@pytest.fixture
def theirs(world: World) -> Desk:
    return Desk(world, "bobby")


@pytest.fixture
def lived(world: World, ours: Desk, theirs: Desk) -> Desk:
    """An account with positions, orders of every kind, a past and all its settings."""
    for symbol, size, price in ((LINEAR, "1", "84000"), (INVERSE, "8400", "84000")):
        theirs.send("lmt", "sell", size, price, symbol=symbol)
        ours.send("mkt", "buy", size, symbol=symbol)
    theirs.send("lmt", "buy", "0.5", "83900")
    theirs.send("lmt", "sell", "0.5", "84100")
    ours.send("mkt", "sell", "0.25")
    ours.send("lmt", "buy", "0.1", "80000")
    ours.send("stp", "sell", "0.1", "81000", stop_price="82000")
    ours.send("take_profit", "sell", "0.1", stop_price="90000", trigger_signal="index")
    ours.send("trailing_stop", "sell", "0.1", trailing_deviation="2", trailing_unit="PERCENT")
    cancelled = ours.send("post", "buy", "0.1", "79000")
    ours.run(ours.rest.orders.cancel(OrderCancel(order_id=cancelled.order_id)))
    world.exchange.set_funding(LINEAR, Decimal("0.0001"))
    world.exchange.set_index(LINEAR, Decimal(84001))
    ours.run(ours.rest.settings.set_leverage(LINEAR, 5))
    ours.run(ours.rest.settings.set_pnl_asset(LINEAR, "EUR"))
    ours.run(ours.rest.wallets.transfer("flex", "cash", "usd", "100"))
    ours.run(ours.rest.programs.add_assignment("flexible_futures", accept_long=True, accept_short=False))
    world.clock.forward(3600)
    return ours


Ask = Callable[[FuturesRest], Any]

CALLS: list[Ask] = [
    lambda v: v.market.contracts(),
    lambda v: v.market.statuses(),
    lambda v: v.market.status(LINEAR),
    lambda v: v.market.tickers(),
    lambda v: v.market.ticker(INVERSE),
    lambda v: v.market.trades(LINEAR).page(),
    lambda v: v.market.funding_rates(LINEAR),
    lambda v: v.market.fee_schedules(),
    lambda v: v.market.fee_volumes(),
    lambda v: v.orders.open(),
    lambda v: v.orders.cancel_all_after(60),
    lambda v: v.account.fills().page(),
    lambda v: v.account.positions(),
    lambda v: v.account.wallets(),
    lambda v: v.account.contracts(),
    lambda v: v.account.unwind_queue(),
    lambda v: v.account.key(),
    lambda v: v.settings.leverage(),
    lambda v: v.settings.pnl_assets(),
    lambda v: v.programs.assignments(),
    lambda v: v.programs.past_assignments(),
    lambda v: v.programs.margin_parameters(),
    lambda v: v.wallets.subaccounts(),
    lambda v: v.history.executions().page(),
    lambda v: v.history.orders().page(),
    lambda v: v.history.triggers().page(),
    lambda v: v.history.positions().page(),
    lambda v: v.history.account_log(conversion_details=True).page(),
    lambda v: v.history.account_log_csv(),
    lambda v: v.history.market_executions(LINEAR).page(),
    lambda v: v.history.market_orders(LINEAR).page(),
    lambda v: v.history.market_prices(LINEAR).page(),
    lambda v: v.charts.tick_types(),
    lambda v: v.charts.symbols(TickType.MARK),
    lambda v: v.charts.resolutions(LINEAR),
    lambda v: v.charts.candles(LINEAR, Resolution.HOUR).page(),
]


@pytest.mark.parametrize("ask", CALLS, ids=[re.findall(r"v\.(\S+)\(", inspect.getsource(each))[0] for each in CALLS])
def test_a_question_is_answered_and_every_row_of_it_read(lived: Desk, ask: Ask) -> None:
    answer = lived.run(ask(lived.rest))
    assert answer
    if hasattr(answer, "items") and hasattr(answer, "unreadable"):
        assert answer.items
        assert not answer.unreadable


@pytest.mark.parametrize("kind", Analytics)
def test_analytics_of_every_kind(lived: Desk, world: World, kind: Analytics) -> None:
    since = world.clock.now() - timedelta(hours=3)
    for flow in (
        lived.rest.charts.analytics(LINEAR, kind, since=since, interval=3600),
        lived.rest.charts.liquidity_pool(since=since, interval=3600),
    ):
        page = lived.run(flow.page())
        assert len(page.items) == 3
        assert all(point.values for point in page.items)


def test_notices(lived: Desk, world: World) -> None:
    assert lived.run(lived.rest.account.notifications()) == ()
    world.clock.forward(75 * 86400)
    [notice] = lived.run(lived.rest.account.notifications())
    assert "FF_XBTUSD_261225" in notice.note


def test_orders_of_every_kind(ours: Desk, theirs: Desk) -> None:
    theirs.send("lmt", "sell", "1", "84000")
    for kind in ("lmt", "post"):
        assert ours.send(kind, "buy", "0.1", "80000").word == "placed"
    for kind in ("ioc", "fok"):
        assert ours.send(kind, "buy", "0.1", "84000").filled == Decimal("0.1")
    assert ours.send("mkt", "buy", "0.1").average_price == 84000
    stop = ours.send("stp", "sell", "0.1", stop_price="70000", limit_offset="-100", limit_offset_unit="QUOTE_CURRENCY")
    assert stop.events[0].is_trigger
    assert stop.events[0].order.limit_price == 69900
    shown = {order.order_id: order for order in ours.run(ours.rest.orders.open())}
    assert shown[stop.order_id].stop_price == 70000


def test_edits_cancels_and_batches(ours: Desk) -> None:
    orders = ours.rest.orders
    first = ours.send("lmt", "buy", "0.1", "80000")
    edit = OrderEdit(order_id=first.order_id, quantity="0.2", limit_price="80100")
    edited = ours.run(orders.edit(edit))
    assert (edited.before.limit_price, edited.after.limit_price, edited.after.quantity) == (
        80000,
        80100,
        Decimal("0.2"),
    )
    with pytest.raises(OrderNotFound):
        ours.run(orders.edit(OrderEdit(order_id="no-such-order", quantity="1")))
    relative = OrderEdit(order_id=first.order_id, quantity="0.3", quantity_mode=QuantityMode.RELATIVE)
    new = FuturesOrder(
        symbol=LINEAR, side="buy", quantity="0.1", kind=OrderKind.LIMIT, limit_price="79000", client_order_id="in-batch"
    )
    second = ours.send("post", "buy", "0.1", "78000")
    results = ours.run(orders.batch([new, relative, OrderCancel(order_id=second.order_id)]))
    assert [type(result.result).__name__ for result in results] == ["Sent", "Edited", "Canceled"]
    assert len(ours.run(orders.cancel_all(LINEAR)).orders) == 2


def test_a_refusal_in_a_batch_is_one_of_that_item(ours: Desk) -> None:
    new = [
        FuturesOrder(
            symbol=LINEAR, side="buy", quantity=size, kind="lmt", limit_price="79000", client_order_id=f"b-{size}"
        )
        for size in ("0.1", "100")
    ]
    good, bad = ours.run(ours.rest.orders.batch(new))
    assert good.result.word == "placed"
    assert isinstance(bad.error, OrderRefused)


def test_settings_and_money(ours: Desk) -> None:
    settings, wallets, programs = ours.rest.settings, ours.rest.wallets, ours.rest.programs
    ours.run(settings.set_leverage(LINEAR, 5))
    assert ours.run(settings.leverage()) == {LINEAR: 5}
    ours.run(settings.set_cross_margin(LINEAR))
    assert ours.run(settings.leverage()) == {}
    chosen = SelfTradeStrategy.CANCEL_MAKER_ANY
    assert ours.run(settings.set_self_trade_strategy(chosen)) is ours.run(settings.self_trade_strategy()) is chosen
    ours.run(wallets.transfer("fi_xbtusd", "cash", "xbt", "0.1"))
    assert ours.run(wallets.withdraw("xbt", "0.04"))
    [sub] = ours.run(wallets.subaccounts()).accounts
    master = ours.run(wallets.subaccounts()).master_uid
    ours.run(wallets.transfer_between_accounts(master, sub.uid, "cash", "cash", "xbt", "0.05"))
    [sub] = ours.run(wallets.subaccounts()).accounts
    assert sub.holdings == {"BTC": Decimal("0.05")}
    assert ours.run(wallets.set_trading_enabled(sub.uid, False)) is False
    assert ours.run(wallets.trading_enabled(sub.uid)) is False
    added = ours.run(programs.add_assignment("flexible_futures", accept_long=True, accept_short=True, max_size="5"))
    assert ours.run(programs.delete_assignment(added.id)).max_size == 5
    margin = ours.run(programs.simulate_margin({"positions": [{"instrument": "PF_XBTUSD", "size": Decimal(1)}]}))
    assert (margin.initial_margin, margin.maintenance_margin) == (840, 420)


def test_status_of_orders_and_triggers(ours: Desk) -> None:
    stop = ours.send("stp", "sell", "0.1", stop_price="70000")
    order = ours.send("lmt", "buy", "0.1", "70000")
    known = ours.run(ours.rest.orders.status([stop.order_id, order.order_id]))
    assert len(known) == 2


def test_every_call_of_every_group_was_asked(ours: Desk) -> None:
    source = inspect.getsource(inspect.getmodule(test_notices))  # type: ignore[arg-type]
    groups = re.findall(r"def (\w+)\(self\) -> \w+Calls:", inspect.getsource(Families))
    asked = set(re.findall(r"\b(\w+\.\w+)\(", source))
    calls = {
        f"{name}.{call}"
        for name in groups
        for call, member in vars(type(getattr(ours.rest, name))).items()
        if inspect.isfunction(member) and not call.startswith("_")
    }
    assert calls - asked == {"orders.cancel_everything"}  # the endpoint of cancel_all


def test_feeds_read_every_frame_of_a_whole_life(world: World, ours: Desk, theirs: Desk) -> None:
    subscriptions = [Subscription(channel=channel) for channel in (Channel.ORDERS, Channel.BALANCES)]
    line = ours.client.line(*subscriptions)
    theirs.send("lmt", "buy", "1", "84000")
    theirs.send("lmt", "sell", "1", "84100")
    ours.send("stp", "sell", "0.1", stop_price="84000", trigger_signal="last")
    ours.send("mkt", "buy", "0.2")
    ours.send("mkt", "sell", "0.1")
    events = line.carry() + line.wait(3)
    assert not [event for event in events if type(event).__name__ == "Unknown"]
    assert not ours.run(ours.rest.orders.open())
