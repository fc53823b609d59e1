"""Recorded calls of ``operations.market`` and ``operations.charts``, played back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.model.market import Candle
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer
from kraken_futures.rest.charts import Analytics, Point, Resolution, TickType
from kraken_futures.types.market import (
    ContractType,
    FeeTier,
    FundingRate,
    IndexTicker,
    MarginLevel,
    MarketTrade,
    TradeKind,
)

LINEAR, INVERSE = Symbol("BTC", "USD", "USD"), Symbol("BTC", "USD", "BTC")
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(seconds=75)
TWO_HOURS = NOW + timedelta(hours=2)
LINEAR_FEES, INVERSE_FEES = "723888f7-0a8e-4183-8648-f920a22339e3", "a6cbc326-9477-4a6c-911a-d4cb3ed7481e"


def level(bound: str, initial: str, maintenance: str) -> MarginLevel:
    return MarginLevel(
        lower_bound=Decimal(bound), initial_margin=Decimal(initial), maintenance_margin=Decimal(maintenance)
    )


async def test_contracts_with_their_margins(player: CassettePlayer) -> None:
    found = await player.run("market.contracts", lambda do: do.market.contracts())
    assert [one.venue_id for one in found] == ["PF_XBTUSD", "PF_ETHUSD", "PI_XBTUSD", "FF_XBTUSD_261225"]
    first = found[0]
    assert (first.symbol, first.type, first.tick_size) == (LINEAR, ContractType.FLEXIBLE, 1)
    assert (first.contract_value_trade_precision, first.max_position_size) == (4, 1000)
    assert first.margin_levels == (
        level("0", "0.01", "0.005"),
        level("1000000", "0.02", "0.01"),
        level("3000000", "0.04", "0.02"),
    )
    (inverse,) = await player.run("market.contracts.inverse", lambda do: do.market.contracts(ContractType.INVERSE))
    assert inverse == found[2]
    assert (inverse.symbol, inverse.tick_size, inverse.underlying) == (INVERSE, Decimal("0.5"), "rr_xbtusd")
    assert (inverse.max_relative_funding_rate, inverse.fee_schedule_uid) == (Decimal("0.005"), INVERSE_FEES)


async def test_states_of_markets(player: CassettePlayer) -> None:
    found = await player.run("market.statuses", lambda do: do.market.statuses())
    assert len(found) == 4
    assert not any(one.experiencing_dislocation or one.experiencing_extreme_volatility for one in found)
    assert await player.run("market.status", lambda do: do.market.status(LINEAR)) == found[0]


async def test_tickers(player: CassettePlayer) -> None:
    found = await player.run("market.tickers", lambda do: do.market.tickers())
    assert [one.tag for one in found.contracts] == ["perpetual", "perpetual", "perpetual", "quarter"]
    assert found.indices == (
        IndexTicker(name="in_xbtusd", last=Decimal(84000), last_time=TWO_HOURS),
        IndexTicker(name="in_ethusd", last=Decimal(2650), last_time=TWO_HOURS),
    )
    one = found.contracts[0]
    assert (one.bid, one.bid_size, one.ask, one.ask_size) == (83990, Decimal("0.25"), 84010, Decimal("0.15"))
    assert (one.last, one.last_size, one.last_time) == (84010, Decimal("0.25"), NOW)
    # 0.1 and 0.25 at 84010, 0.15 at 83990
    assert (one.vol24h, one.volume_quote, one.open24h, one.low24h) == (Decimal("0.5"), 42002, 84010, 83990)
    two = await player.run("market.tickers.two", lambda do: do.market.tickers(LINEAR, INVERSE))
    assert (two.contracts, two.indices) == ((found.contracts[0], found.contracts[2]), ())
    assert await player.run("market.ticker", lambda do: do.market.ticker(LINEAR)) == one


async def test_trades_newest_first(player: CassettePlayer) -> None:
    page = await player.run("market.trades", lambda do: do.market.trades(LINEAR).page())
    assert (page.cursor, page.unreadable, len(page.items)) == (None, (), 3)
    assert page.items[1] == MarketTrade(
        symbol=LINEAR,
        id="03e0d681-5524-44f1-8fab-6f3e164f1513",
        time=START + timedelta(seconds=30),
        side=Side.SELL,
        price=Decimal(83990),
        quantity=Decimal("0.15"),
        kind=TradeKind.FILL,
    )


async def test_funding_of_three_hours(player: CassettePlayer) -> None:
    rates = await player.run("market.funding_rates", lambda do: do.market.funding_rates(LINEAR))
    assert [rate.time for rate in rates] == [START + timedelta(hours=hour) for hour in range(3)]
    assert rates[0] == FundingRate(
        symbol=LINEAR, time=START, absolute=Decimal("8.4"), relative=Decimal("0.0001")
    )  # of 84000


async def test_funding_where_the_documented_path_does_not_answer(player: CassettePlayer) -> None:
    (rate,) = await player.run("market.funding_rates.older", lambda do: do.market.funding_rates(LINEAR))
    assert rate == FundingRate(symbol=LINEAR, time=START, absolute=Decimal(0), relative=Decimal(0))


async def test_fees(player: CassettePlayer) -> None:
    schedules = await player.run("market.fee_schedules", lambda do: do.market.fee_schedules())
    assert [one.uid for one in schedules] == [LINEAR_FEES, INVERSE_FEES]
    # In percent on the wire; who trades most is paid for what rests.
    tiers = tuple(
        FeeTier(maker=Decimal(maker) / 100, taker=Decimal(taker) / 100, usd_volume=Decimal(volume))
        for volume, maker, taker in (
            (0, "0.02", "0.05"),
            (2_500_000, "0.015", "0.045"),
            (5_000_000, "0.0125", "0.04"),
            (10_000_000, "0.01", "0.035"),
            (20_000_000, "0.0075", "0.03"),
            (30_000_000, "0.005", "0.025"),
            (50_000_000, "0.003", "0.02"),
            (75_000_000, "0.0015", "0.015"),
            (100_000_000, "0", "0.0125"),
            (250_000_000, "-0.0015", "0.01"),
            (500_000_000, "-0.003", "0.01"),
            (1_000_000_000, "-0.005", "0.01"),
        )
    )
    assert [one.tiers for one in schedules] == [tiers, tiers]
    volumes = await player.run("market.fee_volumes", lambda do: do.market.fee_volumes())
    assert volumes[LINEAR_FEES] == 8401  # 0.1 at 84010


# Charts.


async def test_what_there_are_charts_of(player: CassettePlayer) -> None:
    assert await player.run("charts.tick_types", lambda do: do.charts.tick_types()) == tuple(TickType)
    symbols = await player.run("charts.symbols", lambda do: do.charts.symbols(TickType.MARK))
    assert (symbols[0], symbols[2], len(symbols)) == (LINEAR, INVERSE, 4)
    assert await player.run("charts.resolutions", lambda do: do.charts.resolutions(LINEAR)) == tuple(Resolution)


async def test_candles(player: CassettePlayer) -> None:
    page = await player.run(
        "charts.candles", lambda do: do.charts.candles(LINEAR, Resolution.MINUTE, since=START).page()
    )
    first, last = page.items
    assert first == Candle(
        symbol=LINEAR,
        interval=1,
        start=START,
        open=Decimal(84010),
        high=Decimal(84010),
        low=Decimal(83990),
        close=Decimal(83990),
        volume=Decimal("0.25"),
        closed=True,
    )
    assert (last.start, last.volume, last.closed) == (START + timedelta(minutes=1), Decimal("0.25"), False)
    marks = await player.run(
        "charts.candles.mark", lambda do: do.charts.candles(LINEAR, Resolution.HOUR, TickType.MARK).page()
    )
    (bar,) = marks.items
    assert (bar.interval, bar.high, bar.low, bar.volume) == (60, 84010, 83990, 0)


HALF = Decimal("50")
ANALYTICS: dict[Analytics, dict[str, Any]] = {
    Analytics.OPEN_INTEREST: {"value": (Decimal("0.2"),) * 4},
    Analytics.AGGRESSOR_DIFFERENTIAL: {"value": Decimal("-0.05")},
    Analytics.TRADE_VOLUME: {"value": Decimal("0.25")},
    Analytics.TRADE_COUNT: {"value": 2},
    Analytics.LIQUIDATION_VOLUME: {"value": 0},
    Analytics.ROLLING_VOLATILITY: {"value": Decimal("0.00023812")},
    Analytics.LONG_SHORT_RATIO: {"value": 1},
    Analytics.LONG_SHORT_INFO: {"longCount": 1, "shortCount": 1, "longPercent": HALF, "shortPercent": HALF, "ratio": 1},
    Analytics.CVD: {"buyVolume": Decimal("0.1"), "sellVolume": Decimal("0.15"), "cvd": Decimal("-0.05")},
    Analytics.TOP_TRADERS: {"top20Percent.openInterest": Decimal("0.2"), "top20Percent.ratio": 1},
    Analytics.ORDERBOOK: {"bid.best_price": 83990, "ask.liquidity_005": Decimal("3.15"), "bid.slippage_1m": None},
    Analytics.SPREADS: {"bid.best_price": 83990, "ask.best_price": 84010},
    Analytics.LIQUIDITY: {"bid.liquidity_100": Decimal("3.75"), "ask.liquidity_100": Decimal("3.15")},
    Analytics.SLIPPAGE: {"bid.slippage_100k": Decimal("0.00009406"), "ask.slippage_1m": None},
    Analytics.FUTURE_BASIS: {"basis": 0},
    Analytics.FUNDING: {"rate": (0, 0, 0, 0), "relativeRate": (0, 0, 0, 0)},
}


def test_all_kinds_of_analytics_are_here() -> None:
    assert set(ANALYTICS) == set(Analytics)


@pytest.mark.parametrize("kind", ANALYTICS)
async def test_analytics(player: CassettePlayer, kind: Analytics) -> None:
    page = await player.run(
        f"charts.analytics.{kind}",
        lambda do: do.charts.analytics(
            LINEAR, kind, since=START, interval=60, until=START + timedelta(minutes=2)
        ).page(),
    )
    first, second = page.items
    assert (first.time, second.time) == (START, START + timedelta(minutes=1))
    assert {name: first.values[name] for name in ANALYTICS[kind]} == ANALYTICS[kind]


async def test_the_liquidity_pool(player: CassettePlayer) -> None:
    page = await player.run(
        "charts.liquidity_pool",
        lambda do: do.charts.liquidity_pool(since=START, interval=60, until=START + timedelta(minutes=2)).page(),
    )
    assert page.items == tuple(
        Point(time=START + timedelta(minutes=minute), values={"usdValue": Decimal(0)}) for minute in range(2)
    )
