"""Kraken Futures' long lists over several pages: of the history service, of the charts, and of fills and trades.

A page of the real histories has a thousand rows and more, which would be long cassettes: the simulated ones are cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

from exchange_core.connector.rest import Flow
from exchange_core.model.side import Side
from exchange_core.testing.walking import whole
from kraken_futures.history import FuturesHistory
from kraken_futures.orders.requests import OrderEdit
from kraken_futures.pages import Page, Pages
from kraken_futures.rest.charts import Analytics, Resolution, TickType
from kraken_futures.rest.history import Span
from kraken_futures.simulator.rest import analytics as simulated_analytics
from kraken_futures.simulator.rest import charts as simulated_charts
from kraken_futures.simulator.rest import history as simulated_history
from kraken_futures.types.history import PositionCause, PositionChange
from recording.futures_calls import COIN, LINEAR, NAME, SPEC, futures_order, trade_a_little
from recording.rig import START, Rig
from recording.scenes import set_the_table

FILLS = 103
"""More than a page of fills, and of trades, has."""


async def record(folder: Path) -> None:
    """Record all of it into *folder*."""
    rig = Rig(SPEC, folder, seed=11)
    await set_the_table(rig, NAME)
    await live(rig)
    with short_pages():
        await record_history(rig)
        await record_walks(rig)
        await record_past(rig)
    await record_many_fills(Rig(SPEC, folder, seed=11))


@contextmanager
def short_pages() -> Iterator[None]:
    """Let the simulated venue give out two events, or three points or candles, at once."""
    with (
        patch.object(simulated_history, "_PAGE", 2),
        patch.object(simulated_charts, "_MOST", 3),
        patch.object(simulated_analytics, "_MOST", 3),
    ):
        yield


def every(pages: Pages[Any]) -> Flow[list[Page[Any]]]:
    """Return all pages, as one operation."""
    found = [(yield from pages.page())]
    while found[-1].cursor is not None:
        found.append((yield from pages.page(found[-1].cursor)))
    return found


async def live(rig: Rig) -> None:
    """Let an account have a past of everything: trades, funding, transfers, triggers, cancels, refusals."""
    await trade_a_little(rig)
    do = rig.operations
    orders = do.orders
    await rig.ask(do.wallets.transfer("fi_xbtusd", "cash", "xbt", "0.1"))
    rig.exchange.set_funding(LINEAR, Decimal("0.0001"))
    await rig.clock.advance(3600)
    rig.exchange.step()
    await rig.ask(orders.send(futures_order(11, "sell", "0.15")))
    rest = await rig.ask(orders.send(futures_order(12, "buy", "0.02", "83500")))
    await rig.clock.advance(60)
    await rig.ask(orders.edit(OrderEdit(order_id=rest.order_id, limit_price="83600")))
    await rig.clock.advance(60)
    rig.others(Side.SELL, NAME, "0.45")
    await rig.clock.advance(60)
    await rig.ask(orders.cancel_everything())


async def record_history(rig: Rig) -> None:
    history, oldest_first = rig.operations.history, Span(oldest_first=True)
    await rig.record("history.executions", every(history.executions()))
    await rig.record("history.executions.of_one", every(history.executions(COIN, Span(since=START, count=1))))
    await rig.record("history.orders", every(history.orders(span=oldest_first)))
    await rig.record("history.orders.opened", every(history.orders(NAME, opened=True)))
    await rig.record("history.triggers", every(history.triggers()))
    await rig.record("history.triggers.closed", every(history.triggers(closed=True)))
    await rig.record("history.positions", every(history.positions(span=oldest_first)))
    some = history.positions(NAME, changes=[PositionChange.OPEN, PositionChange.REVERSE], causes=[PositionCause.TRADE])
    await rig.record("history.positions.some", every(some))
    await rig.record("history.account_log", every(history.account_log(Span(count=5), conversion_details=True)))
    funding = history.account_log(Span(oldest_first=True, count=10), info=["funding rate change"])
    await rig.record("history.account_log.funding", every(funding))
    await rig.record("history.account_log_csv", history.account_log_csv())
    await rig.record("history.market_executions", every(history.market_executions(NAME, oldest_first)))
    await rig.record("history.market_orders", every(history.market_orders(NAME)))
    await rig.record("history.market_prices", every(history.market_prices(NAME, oldest_first)))
    charts = rig.operations.charts
    await rig.record("charts.candles.pages", every(charts.candles(NAME, Resolution.MINUTE, since=START)))
    end = START + timedelta(minutes=5)
    volumes = charts.analytics(NAME, Analytics.TRADE_VOLUME, since=START, interval=60, until=end)
    await rig.record("charts.analytics.pages", every(volumes))


async def record_walks(rig: Rig) -> None:
    walks, end = rig.operations.walks, rig.clock.now()
    await rig.record("walks.executions", whole(walks.executions(START)))
    await rig.record("walks.orders", whole(walks.orders(START, end, symbol=NAME)))
    await rig.record("walks.triggers", whole(walks.triggers(START)))
    await rig.record("walks.account_log", whole(walks.account_log(START)))
    await rig.record("walks.market_executions", whole(walks.market_executions(NAME, START)))
    await rig.record("walks.market_orders", whole(walks.market_orders(NAME, START + timedelta(seconds=70))))
    await rig.record("walks.market_prices", whole(walks.market_prices(NAME, START)))
    await rig.record("walks.funding_rates", whole(walks.funding_rates(NAME, START)))
    await rig.record("walks.candles", whole(walks.candles(NAME, Resolution.MINUTE, since=START, until=end)))
    mark = walks.candles(NAME, Resolution.HOUR, TickType.MARK, START, end)
    await rig.record("walks.candles.mark", whole(mark))


async def record_past(rig: Rig) -> None:
    """Record the same in the model's words."""
    past, end = FuturesHistory(rig.context), rig.clock.now()
    await rig.record("past.fills", whole(past.fills(START, None)))
    await rig.record("past.ledger", whole(past.ledger(START, None)))
    await rig.record("past.trades", whole(past.trades(LINEAR, START, None)))
    await rig.record("past.candles", whole(past.candles(LINEAR, 1, START, end)))


async def record_many_fills(rig: Rig) -> None:
    """Record the lists that give out a hundred rows, of an order that was filled in more parts."""
    await rig.ask(rig.operations.instruments())
    await rig.ask(rig.operations.orders.send(futures_order(1, "buy", "0.2", "84000")))
    for _ in range(FILLS):
        await rig.clock.advance(1)
        rig.others(Side.SELL, NAME, "0.0005")
    do = rig.operations
    await rig.record("fills_on_two_pages", do.fills(START))
    await rig.record("trades_on_two_pages", do.trades(LINEAR, FILLS))
    await rig.record("account.fills.pages", every(do.account.fills()))
    await rig.record("market.trades.pages", every(do.market.trades(NAME)))
    await rig.record("walks.fills", whole(do.walks.fills(START)))
