"""Recorded long lists of Kraken Futures: pages, walks in its own words, and walks in the words of the model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from exchange_core.connector.rest import Flow
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.ledger import LedgerKind
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer
from exchange_core.testing.walking import whole
from kraken_futures.history import FuturesHistory
from kraken_futures.pages import Page, Pages
from kraken_futures.rest.charts import Analytics, Resolution, TickType
from kraken_futures.rest.history import Span
from kraken_futures.types.history import (
    HistoryKind,
    LogInfo,
    MarkPrice,
    PositionCause,
    PositionChange,
)

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes" / "kraken_futures" / "rest"
BTC, COIN = Symbol("BTC", "USD", "USD"), Symbol("BTC", "USD", "BTC")
START = datetime(2026, 1, 1, tzinfo=UTC)
BOUGHT, SOLD = START + timedelta(seconds=75), START + timedelta(hours=1, seconds=85)
FUNDED, END = START + timedelta(hours=1), START + timedelta(hours=1, minutes=4, seconds=25)
FIRST, INVERSE_ID, LAST = (
    "2577c1ec-fd42-4044-8ac7-93f519af685d",
    "20918fa7-7405-4241-9f45-2c075f27ff08",
    "365fdcd6-47bc-4548-92fa-d8029d42f670",
)
UP = Span(oldest_first=True)


def every(pages: Pages[Any]) -> Flow[list[Page[Any]]]:
    found = [(yield from pages.page())]
    while found[-1].cursor is not None:
        found.append((yield from pages.page(found[-1].cursor)))
    return found


async def paged(player: CassettePlayer, name: str, choose: Any) -> tuple[list[int], list[Any]]:
    """Return how many rows each page had, and all of them; each could be read."""
    pages = await player.run(name, lambda do: every(choose(do)))
    assert not any(page.unreadable for page in pages)
    return [len(page.items) for page in pages], [row for page in pages for row in page.items]


def asked(name: str) -> int:
    """Return how many requests a recording has."""
    return (CASSETTES / f"{name}.yaml").read_text("utf-8").count("- request:")


async def test_executions(player: CassettePlayer) -> None:
    sizes, found = await paged(player, "history.executions", lambda do: do.history.executions())
    assert sizes == [2, 1]
    assert [one.id for one in found] == [LAST, INVERSE_ID, FIRST]
    last, inverse = found[0], found[1]
    assert (last.time, last.price, last.quantity, last.position) == (SOLD, 83990, Decimal("0.15"), Decimal("-0.05"))
    assert (last.fee, last.usd_value, last.mark_price) == (Decimal("6.29925"), Decimal("12598.5"), 84000)
    assert (inverse.order.symbol, inverse.quantity, inverse.fee) == (COIN, 4200, Decimal("0.000025"))
    one = Span(since=START, count=1)
    _, of_one = await paged(player, "history.executions.of_one", lambda do: do.history.executions(COIN, one))
    assert of_one == [inverse]
    walked = await player.run("walks.executions", lambda do: whole(do.walks.executions(START)))
    assert walked == [found[2], inverse, last]
    assert asked("walks.executions") == 2


KINDS = [*[HistoryKind.PLACED] * 5, HistoryKind.UPDATED, *[HistoryKind.CANCELLED] * 2]


async def test_what_happened_to_orders(player: CassettePlayer) -> None:
    sizes, found = await paged(player, "history.orders", lambda do: do.history.orders(span=UP))
    assert sizes == [2, 2, 2, 2]
    assert [one.kind for one in found] == KINDS
    edited = found[5]
    assert (edited.before.limit_price, edited.order.limit_price, edited.reason) == (83500, 83600, "edited_by_user")
    _, opened = await paged(player, "history.orders.opened", lambda do: do.history.orders(BTC, opened=True))
    assert opened == [one for one in found[::-1] if one.kind is HistoryKind.PLACED and one.order.symbol == BTC]
    walked = await player.run("walks.orders", lambda do: whole(do.walks.orders(START, END, symbol=BTC)))
    # Those at the very end are not before it.
    assert walked == [one for one in found[:-2] if one.order.symbol == BTC]


async def test_what_happened_to_triggers(player: CassettePlayer) -> None:
    _, (ended, placed) = await paged(player, "history.triggers", lambda do: do.history.triggers())
    assert (placed.kind, ended.kind) == (HistoryKind.TRIGGER_PLACED, HistoryKind.TRIGGER_CANCELLED)
    assert (placed.time, ended.time, ended.reason) == (BOUGHT, END, "cancelled_by_user")
    assert (placed.order.trigger.price, placed.order.trigger.signal) == (80000, "mark")
    _, closed = await paged(player, "history.triggers.closed", lambda do: do.history.triggers(closed=True))
    assert closed == [ended]
    assert await player.run("walks.triggers", lambda do: whole(do.walks.triggers(START))) == [placed, ended]


async def test_changes_of_positions(player: CassettePlayer) -> None:
    sizes, found = await paged(player, "history.positions", lambda do: do.history.positions(span=UP))
    assert sizes == [2, 2]
    opened, _, funded, turned = found
    assert [one.change for one in found] == ["open", "open", "noChange", "reverse"]
    assert (opened.old_position, opened.new_position, opened.new_average_entry_price) == (0, Decimal("0.1"), 84010)
    # 8.4 a coin and hour, for 0.1 and 3515 seconds
    assert (funded.cause, funded.time, funded.realized_funding) == (
        PositionCause.FUNDING,
        FUNDED,
        Decimal("-0.82016667"),
    )
    assert (turned.new_position, turned.realized_pnl, turned.execution_id) == (Decimal("-0.05"), -2, LAST)
    wanted = {"changes": [PositionChange.OPEN, PositionChange.REVERSE], "causes": [PositionCause.TRADE]}
    _, some = await paged(player, "history.positions.some", lambda do: do.history.positions(BTC, **wanted))
    assert some == [turned, opened]


async def test_the_account_log(player: CassettePlayer) -> None:
    span = Span(count=5)
    sizes, found = await paged(
        player, "history.account_log", lambda do: do.history.account_log(span, conversion_details=True)
    )
    assert sizes == [5, 5, 1]
    assert [one.id for one in found] == [*range(11, 0, -1)]
    cash, position, funding = found[:3]
    assert (cash.asset, cash.old_balance, cash.new_balance) == (
        "USD",
        Decimal("49994.97933333"),
        Decimal("49986.68008333"),  # - 2 - 6.29925
    )
    assert (position.asset, position.new_balance, position.execution) == (BTC, Decimal("-0.05"), LAST)
    assert (funding.info, funding.funding_rate, funding.realized_funding) == (
        LogInfo.FUNDING,
        Decimal("8.4"),
        Decimal("-0.82016667"),
    )
    span = Span(oldest_first=True, count=10)
    info = ["funding rate change"]
    sizes, of_funding = await paged(
        player, "history.account_log.funding", lambda do: do.history.account_log(span, info=info)
    )
    # It ends with an empty page: that a short one is the last is nowhere said.
    assert (sizes, of_funding) == ([1, 0], [funding])
    walked = await player.run("walks.account_log", lambda do: whole(do.walks.account_log(START)))
    assert walked == found[::-1]


async def test_the_account_log_as_text(player: CassettePlayer) -> None:
    text = await player.run("history.account_log_csv", lambda do: do.history.account_log_csv())
    head, *rows = text.splitlines()
    assert head.startswith("id,date,asset,info,")
    assert [int(row.partition(",")[0]) for row in rows] == [*range(11, 0, -1)]
    assert rows[0].startswith("11,2026-01-01T01:01:25.000Z,usd,futures trade,")


async def test_executions_of_a_market(player: CassettePlayer) -> None:
    sizes, found = await paged(player, "history.market_executions", lambda do: do.history.market_executions(BTC, UP))
    assert sizes == [2, 2, 2, 1]
    assert [(str(one.side), one.price, one.quantity) for one in found] == [
        ("buy", 84010, Decimal("0.1")),
        ("sell", 83990, Decimal("0.15")),
        ("buy", 84010, Decimal("0.25")),
        ("buy", 84010, Decimal("0.1")),
        ("sell", 83990, Decimal("0.15")),
        ("sell", 83990, Decimal("0.1")),
        ("sell", 83980, Decimal("0.35")),
    ]
    walked = await player.run("walks.market_executions", lambda do: whole(do.walks.market_executions(BTC, START)))
    assert walked == found
    past = FuturesHistory(player.context)
    trades = await player.run("past.trades", lambda _: whole(past.trades(BTC, START, None)))
    assert [(one.id, one.side, one.price, one.quantity, one.time) for one in trades] == [
        (one.id, one.side, one.price, one.quantity, one.time) for one in found
    ]


async def test_orders_of_a_market(player: CassettePlayer) -> None:
    sizes, found = await paged(player, "history.market_orders", lambda do: do.history.market_orders(BTC))
    assert sizes == [2] * 8 + [1]
    assert [one.time for one in found] == sorted((one.time for one in found), reverse=True)
    assert (found[0].kind, found[0].order.limit_price) == (HistoryKind.CANCELLED, 83600)
    since = START + timedelta(seconds=70)
    walked = await player.run("walks.market_orders", lambda do: whole(do.walks.market_orders(BTC, since)))
    assert {one.id for one in walked} == {one.id for one in found if one.time >= since}


async def test_mark_prices(player: CassettePlayer) -> None:
    _, found = await paged(player, "history.market_prices", lambda do: do.history.market_prices(BTC, UP))
    assert found[0] == MarkPrice(
        id="8a81372e-943a-58c4-966c-5d1e7e95c834", time=BOUGHT, symbol=BTC, price=Decimal(84000)
    )
    assert found[1].price == 83995
    assert await player.run("walks.market_prices", lambda do: whole(do.walks.market_prices(BTC, START))) == found


async def test_funding_rates(player: CassettePlayer) -> None:
    found = await player.run("walks.funding_rates", lambda do: whole(do.walks.funding_rates(BTC, START)))
    assert [(rate.time, rate.absolute) for rate in found] == [(START, Decimal("8.4")), (FUNDED, 0)]


async def test_candles_and_analytics_on_two_pages(player: CassettePlayer) -> None:
    sizes, found = await paged(
        player, "charts.candles.pages", lambda do: do.charts.candles(BTC, Resolution.MINUTE, since=START)
    )
    assert sizes == [3, 1]
    assert [one.volume for one in found] == [Decimal(text) for text in ("0.25", "0.35", "0.15", "0.45")]
    assert [one.closed for one in found] == [True, True, True, False]
    end = START + timedelta(minutes=5)
    sizes, points = await paged(
        player,
        "charts.analytics.pages",
        lambda do: do.charts.analytics(BTC, Analytics.TRADE_VOLUME, since=START, interval=60, until=end),
    )
    assert sizes == [3, 3]
    assert [one.values["value"] for one in points] == [Decimal("0.25"), Decimal("0.35"), 0, 0, 0, 0]


async def test_candles_that_are_over(player: CassettePlayer) -> None:
    found = await player.run(
        "walks.candles", lambda do: whole(do.walks.candles(BTC, Resolution.MINUTE, since=START, until=END))
    )
    assert asked("walks.candles") == 2
    assert all(one.closed for one in found)
    past = FuturesHistory(player.context)
    assert await player.run("past.candles", lambda _: whole(past.candles(BTC, 1, START, END))) == found
    mark = await player.run(
        "walks.candles.mark",
        lambda do: whole(do.walks.candles(BTC, Resolution.HOUR, TickType.MARK, START, END)),
    )
    assert [(one.start, one.high, one.low, one.volume) for one in mark][:1] == [(START, 84010, 83990, 0)]


async def test_fills_in_the_words_of_the_model(player: CassettePlayer) -> None:
    past = FuturesHistory(player.context)
    first, inverse, last = await player.run("past.fills", lambda _: whole(past.fills(START, None)))
    assert last == Fill(
        id=LAST,
        symbol=BTC,
        side=Side.SELL,
        price=Decimal(83990),
        quantity=Decimal("0.15"),
        time=SOLD,
        venue="futures",
        venue_order_id="7ab36602-3a78-4ebb-a05b-c308119b4fe5",
        client_order_id="00000000-0000-4000-8000-000000000011",
        fee=Fee(asset="USD", amount=Decimal("6.29925")),
        liquidity=Liquidity.TAKER,
    )
    assert (first.id, inverse.fee) == (FIRST, Fee(asset="BTC", amount=Decimal("0.000025")))


async def test_the_ledger_in_the_words_of_the_model(player: CassettePlayer) -> None:
    past = FuturesHistory(player.context)
    found = await player.run("past.ledger", lambda _: whole(past.ledger(START, None)))
    # Rows of positions are left out.
    assert [(one.id, one.kind, one.wallet, one.amount, one.fee) for one in found] == [
        ("1", LedgerKind.TRANSFER, "flex", 50000, 0),
        ("2", LedgerKind.TRANSFER, "fi_xbtusd", Decimal("0.5"), 0),
        ("4", LedgerKind.TRADE, "flex", 0, Decimal("4.2005")),
        ("6", LedgerKind.TRADE, "fi_xbtusd", 0, Decimal("0.000025")),
        ("7", LedgerKind.TRANSFER, "fi_xbtusd", Decimal("-0.1"), 0),
        ("8", LedgerKind.TRANSFER, "cash", Decimal("0.1"), 0),
        ("9", LedgerKind.FUNDING, "flex", Decimal("-0.82016667"), 0),
        ("11", LedgerKind.TRADE, "flex", -2, Decimal("6.29925")),
    ]
    assert found[-1].balance == Decimal("49986.68008333")


# More than a hundred rows, which is a page.


async def test_103_fills_of_one_order(player: CassettePlayer) -> None:
    fills = await player.run("fills_on_two_pages", lambda do: do.fills(START))
    assert len({fill.id for fill in fills}) == len(fills) == 103
    assert [fill.time for fill in fills] == [START + timedelta(seconds=second) for second in range(1, 104)]
    assert {(fill.price, fill.quantity, fill.liquidity) for fill in fills} == {
        (Decimal(84000), Decimal("0.0005"), Liquidity.MAKER)
    }
    sizes, rows = await paged(player, "account.fills.pages", lambda do: do.account.fills())
    assert sizes == [100, 3]
    assert [row.id for row in rows] == [fill.id for fill in fills][::-1]
    walked = await player.run("walks.fills", lambda do: whole(do.walks.fills(START)))
    assert walked == rows
    assert asked("fills_on_two_pages") == 2


async def test_103_trades_of_a_market(player: CassettePlayer) -> None:
    trades = await player.run("trades_on_two_pages", lambda do: do.trades(BTC, 103))
    assert len({trade.id for trade in trades}) == len(trades) == 103
    assert [trade.time for trade in trades] == [START + timedelta(seconds=second) for second in range(1, 104)]
    sizes, rows = await paged(player, "market.trades.pages", lambda do: do.market.trades(BTC))
    assert sizes == [100, 3]
    assert [row.id for row in rows] == [trade.id for trade in trades][::-1]
