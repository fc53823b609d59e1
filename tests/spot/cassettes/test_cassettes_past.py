"""Recorded walks through long lists, played back: every page, each entry once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from exchange_core.errors import AuthenticationError
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.ledger import LedgerKind
from exchange_core.model.order import OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer
from exchange_core.testing.walking import whole
from kraken_spot.history import KrakenSpotHistory
from kraken_spot.types.history import LedgerType, RecordStatus

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes" / "kraken_spot" / "rest"
BTC = Symbol("BTC", "USD")
START = datetime(2026, 1, 1, tzinfo=UTC)
SOLD, BOUGHT = START + timedelta(seconds=75), START + timedelta(seconds=135)


def pages(name: str) -> int:
    """Return how many calls were recorded."""
    return len(yaml.safe_load((CASSETTES / f"{name}.yaml").read_text("utf-8"))["interactions"])


async def test_103_trades_of_one_order(player: CassettePlayer) -> None:
    found = await player.run("walks.trades", lambda do: whole(do.walks.trades(START)))
    assert len(found) == len({trade.id for trade in found}) == 103
    assert pages("walks.trades") == 4
    assert [trade.time for trade in found] == [START + timedelta(seconds=second) for second in range(1, 104)]
    assert {(trade.symbol, trade.side, trade.price, trade.quantity, trade.maker) for trade in found} == {
        (BTC, Side.BUY, Decimal(84000), Decimal("0.0005"), True)
    }
    assert len({trade.order_id for trade in found}) == 1
    assert [trade.trade_id for trade in found] == [*range(1, 104)]


async def test_a_key_that_may_not_walk_them(player: CassettePlayer) -> None:
    with pytest.raises(AuthenticationError) as refused:
        await player.run("walks.trades.refused", lambda do: whole(do.walks.trades(START)))
    assert refused.value.codes == ("EGeneral:Permission denied",)


async def test_their_ledger(player: CassettePlayer) -> None:
    """Each trade has one entry in bitcoin, and the balance grows from one to the next."""
    start = START + timedelta(seconds=1)
    found = await player.run("walks.ledger", lambda do: whole(do.walks.ledger(start, assets=["BTC"])))
    assert len(found) == len({entry.id for entry in found}) == 103
    assert pages("walks.ledger") > 3
    assert {(entry.type, entry.asset, entry.amount, entry.fee) for entry in found} == {
        (LedgerType.TRADE, "BTC", Decimal("0.0005"), Decimal(0))
    }
    assert [entry.balance for entry in found] == [1 + number * Decimal("0.0005") for number in range(1, 104)]


async def test_52_orders_that_were_canceled(player: CassettePlayer) -> None:
    found = await player.run("walks.orders", lambda do: whole(do.walks.orders(START)))
    assert pages("walks.orders") > 2
    assert [int(str(order.client_order_id)[-3:]) for order in found] == [*range(1, 53)]
    assert {(order.status, order.reason, order.filled) for order in found} == {
        (RecordStatus.CANCELED, "User requested", Decimal(0))
    }
    assert [order.closed for order in found] == [START + timedelta(seconds=second) for second in range(1, 53)]


async def test_public_trades(player: CassettePlayer) -> None:
    """The second page begins with the last trade of the first, which is not told twice."""
    found = await player.run("walks.market_trades", lambda do: whole(do.walks.market_trades(BTC, START, None)))
    assert pages("walks.market_trades") == 2
    assert [(trade.id, str(trade.side), trade.price, trade.quantity, trade.order_type) for trade in found] == [
        (1, "buy", 84010, Decimal("0.1"), "market"),
        (2, "sell", 83990, Decimal("0.15"), "market"),
        (3, "buy", 84010, Decimal("0.25"), "market"),
        (4, "sell", 83990, Decimal("0.02"), "market"),
        (5, "buy", 84010, Decimal("0.15"), "limit"),
    ]
    past = KrakenSpotHistory(player.context)
    end = START + timedelta(minutes=3)
    same = await player.run("past.trades", lambda _: whole(past.trades(BTC, START, end)))
    assert [(trade.id, trade.side, trade.price, trade.quantity, trade.time) for trade in same] == [
        (str(trade.id), trade.side, trade.price, trade.quantity, trade.time) for trade in found
    ]


async def test_bars_that_are_over(player: CassettePlayer) -> None:
    end = START + timedelta(minutes=3)
    found = await player.run("walks.candles", lambda do: whole(do.walks.candles(BTC, 1, START, end)))
    assert all(bar.closed for bar in found)
    assert [(bar.start, bar.open, bar.close, bar.volume, bar.vwap, bar.count) for bar in found] == [
        (START, 84010, 83990, Decimal("0.25"), 83998, 2),
        # 0.25 at 84010 and 0.02 at 83990
        (START + timedelta(minutes=1), 84010, 83990, Decimal("0.27"), Decimal("84008.5"), 2),
        (START + timedelta(minutes=2), 84010, 84010, Decimal("0.15"), 84010, 1),
    ]
    past = KrakenSpotHistory(player.context)
    assert await player.run("past.candles", lambda _: whole(past.candles(BTC, 1, START, end))) == found


async def test_fills_in_the_words_of_the_model(player: CassettePlayer) -> None:
    past = KrakenSpotHistory(player.context)
    sold, bought = await player.run("past.fills", lambda _: whole(past.fills(START, None)))
    assert sold == Fill(
        id="TA4L7U-4TBHI-66VJKG",
        symbol=BTC,
        side=Side.SELL,
        price=Decimal(83990),
        quantity=Decimal("0.02"),
        time=SOLD,
        venue="kraken",
        venue_order_id="OII5DX-XYF25-ME4K4R",
        cost=Decimal("1679.8"),
        fee=Fee(asset="USD", amount=Decimal("6.7192")),
        liquidity=Liquidity.TAKER,
    )
    assert (bought.quantity, bought.price, bought.time) == (Decimal("0.15"), 84010, BOUGHT)


async def test_finished_orders_in_the_words_of_the_model(player: CassettePlayer) -> None:
    past = KrakenSpotHistory(player.context)
    sold, bought = await player.run("past.orders", lambda _: whole(past.orders(START, None)))
    assert (sold.status, sold.filled, sold.average_price) == (OrderStatus.FILLED, Decimal("0.02"), 83990)
    assert (sold.created, sold.updated, sold.venue_order_id) == (SOLD, SOLD, "OII5DX-XYF25-ME4K4R")
    assert (bought.status, bought.filled, bought.reason) == (
        OrderStatus.CANCELED,
        Decimal("0.15"),
        "Immediate or cancel",
    )


async def test_the_ledger_in_the_words_of_the_model(player: CassettePlayer) -> None:
    past = KrakenSpotHistory(player.context)
    found = await player.run("past.ledger", lambda _: whole(past.ledger(START + timedelta(seconds=1), None)))
    assert Counter(entry.kind for entry in found) == {LedgerKind.TRADE: 4}
    assert {(entry.asset, entry.amount, entry.fee, entry.balance) for entry in found} == {
        ("BTC", Decimal("-0.02"), Decimal(0), Decimal("0.98")),
        ("USD", Decimal("1679.8"), Decimal("6.7192"), Decimal("51673.0808")),
        ("BTC", Decimal("0.15"), Decimal(0), Decimal("1.13")),
        ("USD", Decimal("-12601.5"), Decimal("50.406"), Decimal("39021.1748")),
    }
    assert [entry.reference for entry in found] == ["TA4L7U-4TBHI-66VJKG"] * 2 + ["TXMBS7-X6KCZ-4HNXPI"] * 2
