"""Recorded calls of ``operations.market``, played back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchange_core.errors import BadRequest
from exchange_core.model.market import Level
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer
from kraken_spot.types.listings import AssetStatus, ExecutionVenue, PairInfo
from kraken_spot.types.market import MarketTrade, RestingOrder, Spread, SystemState, SystemStatus

BTC = Symbol("BTC", "USD")
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(seconds=75)


async def test_the_clock(player: CassettePlayer) -> None:
    assert await player.run("market.time", lambda do: do.market.time()) == NOW


async def test_the_state_of_the_venue(player: CassettePlayer) -> None:
    status = await player.run("market.system_status", lambda do: do.market.system_status())
    assert status == SystemStatus(state=SystemState.ONLINE, time=NOW)


async def test_nothing_is_planned(player: CassettePlayer) -> None:
    found = await player.run("market.maintenance_schedule", lambda do: do.market.maintenance_schedule())
    assert (found.items, found.unreadable) == ((), ())


async def test_how_the_best_prices_went(player: CassettePlayer) -> None:
    spreads = await player.run("market.spread", lambda do: do.market.spread(BTC))
    assert [spread.time for spread in spreads.items] == [START, START, START + timedelta(seconds=30), NOW]
    assert spreads.items[-1] == Spread(time=NOW, bid=Decimal(83990), ask=Decimal(84010))
    assert (spreads.last, spreads.unreadable) == (NOW, ())


async def test_a_pair_that_the_venue_does_not_list(player: CassettePlayer) -> None:
    with pytest.raises(BadRequest) as refused:
        await player.run("market.spread.refused", lambda do: do.market.spread(BTC))
    assert refused.value.codes == ("EQuery:Unknown asset pair",)


async def test_a_book_in_steps_of_25_dollars(player: CassettePlayer) -> None:
    """Bids are rounded down and asks up: 0.25 at 83990 and 1.5 at 83980 are 1.75 at 83975."""
    book = await player.run("market.grouped_book", lambda do: do.market.grouped_book(BTC, depth=10, grouping=250))
    assert book.grouping == 250
    assert book.bids == (Level(Decimal(83975), Decimal("1.75")), Level(Decimal(83950), Decimal(2)))
    assert book.asks == (Level(Decimal(84025), Decimal("1.15")), Level(Decimal(84050), Decimal(2)))


async def test_a_book_order_by_order(player: CassettePlayer) -> None:
    book = await player.run("market.level3", lambda do: do.market.level3(BTC, depth=10))
    assert book.bids[0] == RestingOrder(
        price=Decimal(83990), quantity=Decimal("0.25"), order_id="O7TOKC-2BI3T-BVWISL", time=START
    )
    assert [order.price for order in book.bids] == [83990, 83980, 83950]
    assert [(order.price, order.quantity) for order in book.asks] == [
        (84010, Decimal("0.15")),
        (84020, Decimal(1)),
        (84050, Decimal(2)),
    ]


async def test_pages_of_trades_go_on_where_the_last_one_ended(player: CassettePlayer) -> None:
    page = await player.run("market.trades_page", lambda do: do.market.trades_page(BTC, since=START, count=2))
    assert [trade.id for trade in page.items] == [2, 3]
    assert page.items[0] == MarketTrade(
        symbol=BTC,
        id=2,
        time=START + timedelta(seconds=30),
        side=Side.SELL,
        price=Decimal(83990),
        quantity=Decimal("0.15"),
        order_type="market",
        misc="",
    )
    assert page.cursor == "1767225675000000000"
    last = await player.run("market.trades_page.next", lambda do: do.market.trades_page(BTC, page.cursor, count=2))
    assert (last.items, last.cursor) == ((), page.cursor)


async def test_what_is_published_before_a_trade(player: CassettePlayer) -> None:
    book = await player.run("market.pre_trade", lambda do: do.market.pre_trade(BTC))
    assert (book.symbol, book.venue, book.system) == (BTC, "PGSL", "CLOB")
    assert [(one.price, one.quantity) for one in book.bids] == [
        (83990, Decimal("0.25")),
        (83980, Decimal("1.5")),
        (83950, Decimal(2)),
    ]
    assert [one.price for one in book.asks] == [84010, 84020, 84050]
    assert {(one.count, one.published) for one in (*book.bids, *book.asks)} == {(1, START + timedelta(seconds=75))}


async def test_what_is_published_after_a_trade(player: CassettePlayer) -> None:
    page = await player.run("market.post_trade_page", lambda do: do.market.post_trade_page(BTC, since=START, count=1))
    [second] = page.items  # the first was at that very time, which is not in it
    assert (second.symbol, second.price, second.quantity) == (BTC, 83990, Decimal("0.15"))
    assert second.time == second.published == START + timedelta(seconds=30)
    assert (second.venue, second.publication_venue) == ("PGSL", "PGSL")
    until = START + timedelta(seconds=75)
    rest = await player.run(
        "market.post_trade_page.next", lambda do: do.market.post_trade_page(BTC, page.cursor, until=until)
    )
    assert [(trade.price, trade.time) for trade in rest.items] == [(84010, until)]


async def test_bars(player: CassettePlayer) -> None:
    candles = await player.run("market.candles", lambda do: do.market.candles(BTC, 1, since=START))
    first, second = candles.items
    assert (first.start, first.closed) == (START, True)
    assert (first.open, first.high, first.low, first.close) == (84010, 84010, 83990, 83990)
    # 0.1 at 84010 and 0.15 at 83990.
    assert (first.volume, first.vwap, first.count) == (Decimal("0.25"), 83998, 2)
    assert (second.start, second.closed, second.volume) == (START + timedelta(minutes=1), False, Decimal("0.25"))
    assert candles.last == START


async def test_what_is_listed_of_two_assets(player: CassettePlayer) -> None:
    found = await player.run("market.assets", lambda do: do.market.assets("BTC", "USD"))
    assert [(asset.id, asset.asset, asset.decimals, asset.status) for asset in found.items] == [
        ("XXBT", "BTC", 10, AssetStatus.ENABLED),
        ("ZUSD", "USD", 4, AssetStatus.ENABLED),
    ]


async def test_what_is_listed_of_a_pair(player: CassettePlayer) -> None:
    (pair,) = (await player.run("market.pairs", lambda do: do.market.pairs(BTC))).items
    assert (pair.symbol, pair.base, pair.quote, pair.tick_size) == (BTC, "BTC", "USD", Decimal("0.1"))
    assert (pair.leverage_buy, pair.margin_call, pair.margin_stop) == (tuple(range(2, 11)), 80, 40)
    assert (pair.long_position_limit, pair.short_position_limit, pair.fee_asset) == (250, 200, "USD")
    assert pair.execution_venue is ExecutionVenue.INTERNATIONAL
    margin = await player.run("market.pairs.margin", lambda do: do.market.pairs(BTC, info=PairInfo.MARGIN))
    assert [(one.symbol, one.margin_call, one.margin_stop, one.tick_size) for one in margin.items] == [
        (BTC, 80, 40, None)
    ]


async def test_two_tickers_at_once(player: CassettePlayer) -> None:
    found = await player.run("market.tickers", lambda do: do.market.tickers(BTC, "ETH/USD"))
    bitcoin, ether = found.items
    assert (bitcoin.symbol, bitcoin.bid, bitcoin.ask) == (BTC, Decimal(83990), Decimal(84010))
    assert bitcoin.today == bitcoin.day
    assert (ether.last, ether.open, ether.today.count) == (None, None, 0)
