"""Kraken Futures' own calls, family by family: a cassette ``FAMILY.CALL`` for each, and what is refused beside it.

Each family has an exchange of its own, so that a change to one leaves the cassettes of the others as they are.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures.config import HOSTS, FuturesConfig
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit, QuantityMode
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_futures.rest.charts import Analytics, Resolution, TickType
from kraken_futures.simulator import SIMULATOR
from kraken_futures.simulator.protocol import KrakenFutures
from kraken_futures.types.account import SelfTradeStrategy
from kraken_futures.types.market import ContractType
from recording.rig import PATIENCE, START, Rig, client_id
from recording.scenes import set_the_table

NAME, COIN, DATED = "BTC/USD:USD", "BTC/USD:BTC", "BTC/USD:USD-261225"
LINEAR, INVERSE = Symbol.parse(NAME), Symbol.parse(COIN)
# As live, but with what only the demo environment has.
SPEC = attrs.evolve(
    KRAKEN_FUTURES,
    config=lambda: FuturesConfig(environment="demo", rest_url=HOSTS["live"], allow_withdrawals=True),
)
UNKNOWN = "00000000-0000-4000-8000-00000000ffff"
CENT = Decimal("0.01")


async def record(folder: Path) -> None:
    """Record all of it into *folder*."""
    families = (
        *(record_market, record_charts, record_orders, record_triggers, record_edits, record_batch),
        *(record_account, record_settings, record_wallets, record_programs),
    )
    for family in families:
        rig = Rig(SPEC, folder, seed=11)
        await set_the_table(rig, NAME)
        await family(rig)
    await record_unlisted(folder)
    await record_humble(folder)
    await record_hasty(folder)
    await record_older_path(folder)


def futures_order(number: int, side: str, quantity: str, price: str | None = None, **terms: Any) -> FuturesOrder:
    """Return an order of ours; a limit order unless *terms* say otherwise."""
    kind = {"kind": "mkt" if price is None else "lmt", "client_order_id": client_id(number)}
    usual = {"symbol": NAME, "limit_price": price, **kind}
    return FuturesOrder(side=side, quantity=quantity, **{**usual, **terms})


async def trade_a_little(rig: Rig) -> None:
    """Let our account have positions of both kinds, open orders and a trigger."""
    orders = rig.operations.orders
    rig.others(Side.SELL, COIN, "8400", "84000")
    await rig.ask(orders.send(futures_order(1, "buy", "0.1")))
    await rig.ask(orders.send(futures_order(2, "buy", "4200", symbol=COIN)))
    await rig.ask(orders.send(futures_order(3, "buy", "0.01", "83000")))
    await rig.ask(orders.send(futures_order(4, "sell", "0.1", kind="stp", stop_price="80000")))
    await rig.clock.advance(10)


async def record_market(rig: Rig) -> None:
    market = rig.operations.market
    rig.exchange.set_funding(LINEAR, Decimal("0.0001"))
    await rig.clock.advance(2 * 3600)
    await rig.record("market.contracts", market.contracts())
    await rig.record("market.contracts.inverse", market.contracts(ContractType.INVERSE))
    await rig.record("market.statuses", market.statuses())
    await rig.record("market.status", market.status(NAME))
    await rig.record("market.tickers", market.tickers())
    await rig.record("market.tickers.two", market.tickers(NAME, COIN))
    await rig.record("market.ticker", market.ticker(NAME))
    await rig.record("market.trades", market.trades(NAME).page())
    await rig.record("market.funding_rates", market.funding_rates(NAME))
    await rig.record_refusal("market.funding_rates.refused", market.funding_rates(DATED))
    await rig.record("market.fee_schedules", market.fee_schedules())
    await rig.ask(rig.operations.orders.send(futures_order(1, "buy", "0.1")))
    await rig.record("market.fee_volumes", market.fee_volumes())


async def record_charts(rig: Rig) -> None:
    charts = rig.operations.charts
    await rig.record("charts.tick_types", charts.tick_types())
    await rig.record("charts.symbols", charts.symbols(TickType.MARK))
    await rig.record("charts.resolutions", charts.resolutions(NAME))
    await rig.record("charts.candles", charts.candles(NAME, Resolution.MINUTE, since=START).page())
    await rig.record("charts.candles.mark", charts.candles(NAME, Resolution.HOUR, TickType.MARK).page())
    end = START + timedelta(seconds=120)
    for kind in Analytics:
        flow = charts.analytics(NAME, kind, since=START, interval=60, until=end)
        await rig.record(f"charts.analytics.{kind}", flow.page())
    await rig.record("charts.liquidity_pool", charts.liquidity_pool(since=START, interval=60, until=end).page())


async def record_orders(rig: Rig) -> None:
    """Record orders that do not wait for a trigger, what is asked about them, and every way to cancel."""
    orders, deadline = rig.operations.orders, rig.clock.now() + PATIENCE
    await rig.record("orders.send.lmt", orders.send(futures_order(1, "buy", "0.01", "83000", deadline=deadline)))
    await rig.record("orders.send.post", orders.send(futures_order(2, "sell", "0.02", "85000", kind="post")))
    await rig.record("orders.send.ioc", orders.send(futures_order(3, "buy", "0.2", "84010", kind="ioc")))
    await rig.record("orders.send.fok", orders.send(futures_order(4, "buy", "0.1", "84020", kind="fok")))
    await rig.record("orders.send.mkt", orders.send(futures_order(5, "sell", "0.05", reduce_only=True)))
    await rig.record("orders.send.inverse", orders.send(futures_order(6, "buy", "100", "80000", symbol=COIN)))
    refused = {
        "funds": futures_order(11, "buy", "900", "83000"),
        "post": futures_order(12, "buy", "0.01", "84020", kind="post"),
        "fok": futures_order(13, "buy", "5", "84020", kind="fok"),
        "ioc": futures_order(14, "buy", "0.01", "83000", kind="ioc"),
        "collar": futures_order(15, "buy", "0.01", "400000"),
        "known": futures_order(1, "buy", "0.01", "83000"),
        "reduce_only": futures_order(16, "buy", "0.01", "83000", reduce_only=True),
    }
    for name, order in refused.items():
        await rig.record_refusal(f"orders.send.refused.{name}", orders.send(order))
    await rig.record("orders.open", orders.open())
    await rig.record("orders.status", orders.status(client_order_ids=[client_id(1), client_id(3)]))
    await rig.record("orders.status.nothing", orders.status([UNKNOWN]))
    await rig.record("orders.cancel", orders.cancel(OrderCancel(client_order_id=client_id(1), deadline=deadline)))
    again = OrderCancel(client_order_id=client_id(1))
    await rig.record_refusal("orders.cancel.refused", orders.cancel(again))
    await rig.record("orders.cancel_all", orders.cancel_all(NAME))
    await rig.record("orders.cancel_everything", orders.cancel_everything())
    await rig.record("orders.cancel_everything.nothing", orders.cancel_everything())
    await rig.record("orders.cancel_all_after", orders.cancel_all_after(60))
    await rig.record("orders.cancel_all_after.off", orders.cancel_all_after(0))


async def record_triggers(rig: Rig) -> None:
    """Record triggers of every kind, one that is moved, and one that fires."""
    orders = rig.operations.orders
    dollars = {"limit_offset": "-100", "limit_offset_unit": "QUOTE_CURRENCY"}
    kinds: dict[str, dict[str, Any]] = {
        "stp": {"kind": "stp", "stop_price": "80000"},
        "stp_limit": {"kind": "stp", "stop_price": "80000", "limit_price": "79900", "trigger_signal": "index"},
        "stp_offset": {"kind": "stp", "stop_price": "80000", **dollars},
        "take_profit": {"kind": "take_profit", "stop_price": "90000", "trigger_signal": "last"},
        "take_profit_limit": {"kind": "take_profit", "stop_price": "90000", "limit_price": "89900"},
        "trailing_percent": {"kind": "trailing_stop", "trailing_deviation": "2", "trailing_unit": "PERCENT"},
        "trailing_quote": {"kind": "trailing_stop", "trailing_deviation": "500", "trailing_unit": "QUOTE_CURRENCY"},
    }
    sent = {}
    for number, (name, terms) in enumerate(kinds.items(), start=1):
        order = futures_order(number, "sell", "0.01", **terms)
        sent[name] = await rig.record(f"orders.send.{name}", orders.send(order))
    await rig.record("orders.open.triggers", orders.open())
    await rig.record("orders.status.triggers", orders.status([sent["stp_limit"].order_id]))
    stop = OrderEdit(order_id=sent["stp_limit"].order_id, stop_price="83990", limit_price="83900", symbol=NAME)
    await rig.record("orders.edit.stop", orders.edit(stop))
    trail = OrderEdit(client_order_id=client_id(6), trailing_deviation="3", trailing_unit="PERCENT", symbol=NAME)
    await rig.record("orders.edit.trail", orders.edit(trail))
    rig.exchange.set_index(LINEAR, Decimal(83980))
    await rig.clock.advance(1)
    rig.exchange.step()
    await rig.record("orders.status.fired", orders.status([sent["stp_limit"].order_id]))


async def record_edits(rig: Rig) -> None:
    """Record changes of an order: whole, of what remains, to where it executes, and of what is not there."""
    orders = rig.operations.orders
    sent = await rig.ask(orders.send(futures_order(1, "buy", "0.1", "83000")))
    whole = OrderEdit(order_id=sent.order_id, quantity="0.2", limit_price="83100", deadline=rig.clock.now() + PATIENCE)
    await rig.record("orders.edit", orders.edit(whole))
    across = OrderEdit(order_id=sent.order_id, limit_price="84010")
    await rig.record("orders.edit.executed", orders.edit(across))
    rest = OrderEdit(order_id=sent.order_id, quantity="0.1", quantity_mode=QuantityMode.RELATIVE, limit_price="83000")
    await rig.record("orders.edit.relative", orders.edit(rest))
    await rig.record_refusal(
        "orders.edit.refused.funds", orders.edit(OrderEdit(order_id=sent.order_id, quantity="900"))
    )
    await rig.record_refusal(
        "orders.edit.refused.unknown", orders.edit(OrderEdit(client_order_id=client_id(9), quantity="1"))
    )


async def record_batch(rig: Rig) -> None:
    """Record a batch of orders, edits and cancels in which each kind also fails."""
    orders = rig.operations.orders
    first, second = [await rig.ask(orders.send(futures_order(n, "buy", "0.1", "83000"))) for n in (1, 2)]
    items = [
        futures_order(11, "buy", "0.01", "82000"),
        futures_order(12, "buy", "900", "82000"),
        futures_order(13, "sell", "0.01", kind="stp", stop_price="80000", limit_price="79900"),
        OrderEdit(order_id=first.order_id, limit_price="83100"),
        OrderEdit(order_id=UNKNOWN, limit_price="83100"),
        OrderCancel(order_id=second.order_id),
        OrderCancel(client_order_id=client_id(99)),
    ]
    await rig.record("orders.batch", orders.batch(items, rig.clock.now() + PATIENCE))


async def record_account(rig: Rig) -> None:
    await trade_a_little(rig)
    account = rig.operations.account
    rig.exchange.set_funding(LINEAR, Decimal("0.0001"))
    await rig.record("account.wallets", account.wallets())
    await rig.record("account.positions", account.positions())
    await rig.record("account.fills", account.fills().page())
    await rig.record("account.contracts", account.contracts(ContractType.FLEXIBLE))
    await rig.record("account.unwind_queue", account.unwind_queue())
    await rig.record("account.notifications.none", account.notifications())
    effective = rig.clock.now() + timedelta(hours=6)
    rig.protocol.notices.announce("maintenance", "high", "Trading halts.", effective, 30)  # type: ignore[attr-defined]
    await rig.record("account.notifications", account.notifications())
    await rig.record("account.key", account.key())


async def record_settings(rig: Rig) -> None:
    settings = rig.operations.settings
    await rig.record("settings.set_leverage", settings.set_leverage(NAME, "12.5"))
    await rig.record("settings.leverage", settings.leverage())
    await rig.record_refusal("settings.set_leverage.refused", settings.set_leverage(COIN, 5))
    await rig.record_refusal("settings.set_leverage.too_high", settings.set_leverage(NAME, 1000))
    await rig.record("settings.set_cross_margin", settings.set_cross_margin(NAME))
    await rig.record("settings.leverage.none", settings.leverage())
    await rig.record("settings.set_pnl_asset", settings.set_pnl_asset(NAME, "BTC"))
    await rig.record("settings.pnl_assets", settings.pnl_assets())
    await rig.record_refusal("settings.set_pnl_asset.refused", settings.set_pnl_asset(NAME, "NOSUCH"))
    await rig.record("settings.self_trade_strategy", settings.self_trade_strategy())
    strategy = settings.set_self_trade_strategy(SelfTradeStrategy.CANCEL_MAKER_SELF)
    await rig.record("settings.set_self_trade_strategy", strategy)


async def record_wallets(rig: Rig) -> None:
    wallets = rig.operations.wallets
    await rig.record("wallets.transfer", wallets.transfer("fi_xbtusd", "cash", "xbt", "0.2"))
    await rig.record_refusal("wallets.transfer.refused", wallets.transfer("fi_xbtusd", "cash", "xbt", "10"))
    await rig.record_refusal("wallets.transfer.nowhere", wallets.transfer("flex", "no_such_wallet", "usd", "1"))
    found = await rig.ask(wallets.subaccounts())
    master, sub = found.master_uid, found.accounts[0].uid
    between = partial(wallets.transfer_between_accounts, from_wallet="cash", to_wallet="cash", unit="xbt")
    await rig.record("wallets.transfer_between_accounts", between(master, sub, amount="0.05"))
    await rig.record_refusal("wallets.transfer_between_accounts.refused", between(sub, master, amount="0.06"))
    await rig.record("wallets.subaccounts", wallets.subaccounts())
    await rig.record("wallets.withdraw", wallets.withdraw("xbt", "0.1"))
    await rig.record_refusal("wallets.withdraw.refused", wallets.withdraw("xbt", "0.1"))
    await rig.record("wallets.set_trading_enabled", wallets.set_trading_enabled(sub, False))
    await rig.record("wallets.trading_enabled", wallets.trading_enabled(sub))
    await rig.record_refusal("wallets.trading_enabled.refused", wallets.trading_enabled(UNKNOWN))
    await rig.record("wallets.after", rig.operations.account.wallets())


async def record_programs(rig: Rig) -> None:
    programs = rig.operations.programs
    add = programs.add_assignment
    terms: dict[str, Any] = {"accept_long": True, "accept_short": False, "max_size": "5", "max_position": "10.5"}
    added = await rig.record("programs.add_assignment", add("flexible_futures", **terms))
    one = add("flexible_futures", contract=NAME, accept_long=True, accept_short=True, time_frame="WEEKEND")
    await rig.record("programs.add_assignment.contract", one)
    await rig.record_refusal("programs.add_assignment.refused", add("no_such_type", **terms))
    await rig.record("programs.assignments", programs.assignments())
    await rig.record("programs.delete_assignment", programs.delete_assignment(added.id))
    await rig.record_refusal("programs.delete_assignment.refused", programs.delete_assignment(added.id))
    await rig.record("programs.past_assignments", programs.past_assignments())
    await rig.record("programs.margin_parameters", programs.margin_parameters())
    portfolio = {"positions": [{"instrument": "PF_XBTUSD", "size": Decimal("0.5"), "entryPrice": Decimal(83000)}]}
    await rig.record("programs.simulate_margin", programs.simulate_margin(portfolio))
    unreadable = programs.simulate_margin({"positions": [{"instrument": "NO_SUCH", "size": Decimal(1)}]})
    await rig.record_refusal("programs.simulate_margin.refused", unreadable)


async def record_unlisted(folder: Path) -> None:
    """Record what a venue with one contract answers to who asks for another, in all of its shapes of errors."""
    wide, rig = Rig(SPEC, folder, seed=11), Rig(SPEC, folder, seed=11, only="ETH/USD:USD")
    await wide.ask(wide.operations.instruments())
    rig.learn(wide)
    do = rig.operations
    await rig.record_refusal("market.ticker.refused", do.market.ticker(NAME))
    await rig.record_refusal("market.status.refused", do.market.status(NAME))
    await rig.record_refusal("market.trades.refused", do.market.trades(NAME).page())
    await rig.record_refusal("charts.resolutions.refused", do.charts.resolutions(NAME))
    await rig.record_refusal("charts.candles.refused", do.charts.candles(NAME, Resolution.HOUR).page())
    cvd = do.charts.analytics(NAME, Analytics.CVD, since=START, interval=60)
    await rig.record_refusal("charts.analytics.refused", cvd.page())
    await rig.record_refusal("history.executions.refused", do.history.executions(NAME).page())
    await rig.record_refusal("history.market_executions.refused", do.history.market_executions(NAME).page())
    await rig.record_refusal("orders.send.refused.contract", do.orders.send(futures_order(1, "buy", "1", "83000")))
    await rig.record_refusal("book_refused", do.book(LINEAR, None))


async def record_humble(folder: Path) -> None:
    """Record what keys are told that may only look, or not even that."""
    looks = Rig(SPEC, folder, seed=11, permissions=["READ_ONLY"])
    await looks.ask(looks.operations.instruments())
    do = looks.operations
    await looks.record("account.key.looks", do.account.key())
    await looks.record_refusal("orders.send.refused.key", do.orders.send(futures_order(1, "buy", "1", "83000")))
    await looks.record_refusal("orders.cancel_all.refused", do.orders.cancel_all(NAME))
    await looks.record_refusal("wallets.withdraw.refused.key", do.wallets.withdraw("usd", "1", "flex"))
    blind = Rig(SPEC, folder, seed=11, permissions=["NO_ACCESS"])
    await blind.record("account.key.blind", blind.operations.account.key())
    await blind.record_refusal("account.wallets.refused", blind.operations.account.wallets())
    await blind.record_refusal("history.account_log.refused", blind.operations.history.account_log().page())


async def record_hasty(folder: Path) -> None:
    """Record what is told who has used up the 500 units that there are for ten seconds. A write is not tried again."""
    limited = attrs.evolve(SIMULATOR, protocol=partial(KrakenFutures, limited=True))
    rig = Rig(attrs.evolve(SPEC, simulator=limited), folder, seed=11)
    await rig.ask(rig.operations.instruments())
    for _ in range(2):
        await rig.ask(rig.operations.account.unwind_queue())  # 200 each
    await rig.ask(rig.operations.wallets.withdraw("usd", "1", "flex"))  # 100
    order = futures_order(1, "buy", "0.01", "83000")
    await rig.record_refusal("orders.send.refused.limit", rig.operations.orders.send(order))


async def record_older_path(folder: Path) -> None:
    """Record what was seen live of funding rates: the documented path does not answer, and the one before it does."""
    rig = Rig(SPEC, folder, seed=11)
    await rig.ask(rig.operations.instruments())
    answer = rig.protocol.http

    def http(request: HttpRequest) -> HttpReply:
        return answer(request._replace(target=request.target.replace("historical-funding-rates", "not-there")))

    rig.protocol.http = http  # type: ignore[method-assign]
    await rig.record("market.funding_rates.older", rig.operations.market.funding_rates(NAME))
