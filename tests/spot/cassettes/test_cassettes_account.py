"""Recorded calls of ``operations.account`` and ``operations.exports``, played back."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchange_core.errors import AuthenticationError, BadRequest, OrderRefused
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.storage.archives import texts_of
from exchange_core.storage.scrub import NO_NONCE, SCRUBBED
from exchange_core.testing.cassettes import CassettePlayer
from kraken_spot.types.account import (
    ApiKeyInfo,
    OpenPosition,
    Permission,
    ReportKind,
    ReportStatus,
    ScheduleTier,
    TradeBalance,
)

BTC, ETH = Symbol("BTC", "USD"), Symbol("ETH", "USD")
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(seconds=75)


async def test_balances(player: CassettePlayer) -> None:
    found = await player.run("account.balance", lambda do: do.account.balance())
    # 50000 + 1679.8 - 6.7192 - 12601.5 - 50.406
    assert {balance.asset: balance.total for balance in found} == {
        "USD": Decimal("39021.1748"),
        "EUR": Decimal(20000),
        "BTC": Decimal("1.13"),
        "ETH": Decimal(10),
        "SOL": Decimal(100),
    }
    assert {balance.held for balance in found} == {None}, "this call does not tell what open orders hold"


async def test_what_the_key_may_do(player: CassettePlayer) -> None:
    """Its name and itself are replaced in the recording, and so is the nonce, by one that reads as such."""
    found = await player.run("account.key_info", lambda do: do.account.key_info())
    assert found == ApiKeyInfo(
        name=SCRUBBED,
        api_key=SCRUBBED,
        nonce=int(NO_NONCE),
        nonce_window=0,
        permissions=frozenset(Permission),
        iban="AA04 F899 6DA7 63B7",
        valid_until=None,
        query_from=None,
        query_to=None,
        created=None,
        modified=None,
        last_used=START + timedelta(seconds=95),
        ip_allowlist=(),
    )


async def test_most_accounts_have_no_credit_lines(player: CassettePlayer) -> None:
    assert await player.run("account.credit_lines", lambda do: do.account.credit_lines()) is None


async def test_collateral_and_margin(player: CassettePlayer) -> None:
    """0.06 are left of a position that was opened at 84010 with five times the own funds."""
    found = await player.run("account.trade_balance", lambda do: do.account.trade_balance())
    assert found == TradeBalance(
        asset="USD",
        equivalent=Decimal("197948.6611"),  # euros by way of bitcoin
        trade_balance=Decimal("197948.6611"),
        margin=Decimal("1008.12"),  # a fifth of the cost
        unrealised=Decimal("-0.6"),
        cost=Decimal("5040.6"),
        valuation=Decimal(5040),
        equity=Decimal("197948.0611"),
        free_margin=Decimal("196939.9411"),
        free_margin_for_orders=Decimal("196939.9411"),
        margin_level=Decimal("19635.37"),  # equity, of the margin, in percent
        unexecuted=Decimal(0),
    )


async def test_a_key_that_may_not_look(player: CassettePlayer) -> None:
    with pytest.raises(AuthenticationError) as refused:
        await player.run("account.trade_balance.refused", lambda do: do.account.trade_balance())
    assert refused.value.codes == ("EGeneral:Permission denied",)


def check_position(position: OpenPosition) -> None:
    assert (position.symbol, position.side, position.order_id) == (BTC, Side.BUY, "OII5DX-XYF25-ME4K4R")
    assert (position.quantity, position.closed_quantity, position.open_quantity) == (
        Decimal("0.1"),
        Decimal("0.04"),
        Decimal("0.06"),
    )
    assert (position.cost, position.margin, position.fee) == (
        Decimal("5040.6"),
        Decimal("1008.12"),
        Decimal("33.604"),
    )
    assert (position.value, position.net) == (Decimal(5040), Decimal("-0.6"))
    assert (position.opened, position.status, position.terms) == (NOW, "open", "0.0200% per 4 hours")
    assert position.rollover == NOW + timedelta(hours=4)


async def test_a_position(player: CassettePlayer) -> None:
    found = await player.run("account.open_positions", lambda do: do.account.open_positions(calculate=True))
    (position,) = found.items
    assert position.id == "TVMSFR-CMQ7P-UGWDYM"
    check_position(position)


async def test_the_positions_of_a_market_as_one(player: CassettePlayer) -> None:
    found = await player.run("account.positions_by_market", lambda do: do.account.positions_by_market(calculate=True))
    (position,) = found.items
    assert (position.id, position.count) == ("", 1)
    check_position(position)


async def test_volume_and_fees(player: CassettePlayer) -> None:
    found = await player.run("account.trade_volume", lambda do: do.account.trade_volume(BTC, ETH))
    assert (found.asset, found.volume, found.schedules, found.unreadable) == ("USD", Decimal("14281.3"), (), ())
    for symbol in (BTC, ETH):
        fees = found.of(symbol)
        assert fees is not None
        assert fees.maker is not None
        assert (fees.taker.rate, fees.maker.rate) == (Decimal("0.0035"), Decimal("0.002"))
        assert (fees.taker.next, fees.taker.next_volume, fees.taker.tier_volume) == (Decimal("0.0024"), 50000, 10000)


async def test_a_fee_schedule(player: CassettePlayer) -> None:
    found = await player.run(
        "account.trade_volume.schedule", lambda do: do.account.trade_volume(BTC, fee_schedule=True)
    )
    (schedule,) = found.schedules
    assert (schedule.symbol, schedule.pair_class) == (BTC, "forex")
    # In percent on the wire; 14281.3 dollars were traded.
    assert schedule.tiers == tuple(
        ScheduleTier(
            maker=Decimal(maker) / 100,
            taker=Decimal(taker) / 100,
            spot_volume=Decimal(volume) if volume else None,
            futures_volume=None,
            assets_on_platform=None,
            active=True if volume == 10_000 else None,
        )
        for volume, maker, taker in (
            (0, "0.25", "0.4"),
            (10_000, "0.2", "0.35"),
            (50_000, "0.14", "0.24"),
            (100_000, "0.12", "0.22"),
            (250_000, "0.1", "0.2"),
            (500_000, "0.08", "0.18"),
            (1_000_000, "0.06", "0.16"),
            (2_500_000, "0.04", "0.14"),
            (5_000_000, "0.02", "0.12"),
            (10_000_000, "0", "0.1"),
        )
    )


# Reports.


async def test_a_report_is_asked_for(player: CassettePlayer) -> None:
    asked = await player.run("exports.add", lambda do: do.exports.add(ReportKind.TRADES, "all of it", start=START))
    assert asked == "QMTJ"


async def test_the_reports_that_there_are(player: CassettePlayer) -> None:
    (report,) = (await player.run("exports.statuses", lambda do: do.exports.statuses(ReportKind.TRADES))).items
    assert (report.id, report.status, report.kind, report.format) == ("QMTJ", ReportStatus.PROCESSED, "trades", "CSV")
    assert (report.description, report.fields) == ("all of it", ("all",))
    assert (report.created, report.started, report.completed) == (
        NOW,
        NOW + timedelta(seconds=1),
        NOW + timedelta(seconds=2),
    )
    assert (report.data_start, report.data_end, report.expires) == (START, NOW, NOW + timedelta(days=14))


async def test_a_report_that_is_ready_is_a_zip_file_with_the_trades(player: CassettePlayer) -> None:
    archive = await player.run("exports.retrieve", lambda do: do.exports.retrieve("QMTJ"))
    [(name, table)] = texts_of(archive)
    assert name == "trades.csv"
    [row] = csv.DictReader(io.StringIO(table))
    assert row == {
        "txid": "TA4L7U-4TBHI-66VJKG",
        "ordertxid": "OII5DX-XYF25-ME4K4R",
        "postxid": "TA4L7U-4TBHI-66VJKG",
        "pair": "XXBTZUSD",
        "aclass": "forex",
        "time": "1767225675",
        "type": "sell",
        "ordertype": "market",
        "price": "83990.00000",
        "cost": "1679.80000",
        "fee": "6.71920",
        "vol": "0.02000000",
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "trade_id": "4",
        "maker": "false",
    }


async def test_a_report_that_is_not_ready_cannot_be_fetched(player: CassettePlayer) -> None:
    with pytest.raises(BadRequest) as refused:
        await player.run("exports.retrieve.refused", lambda do: do.exports.retrieve("QMTJ"))
    assert refused.value.codes == ("EGeneral:Invalid arguments:id",)


async def test_reports_are_canceled_and_deleted(player: CassettePlayer) -> None:
    assert await player.run("exports.cancel", lambda do: do.exports.cancel("LQJP")) is True
    assert await player.run("exports.delete", lambda do: do.exports.delete("QMTJ")) is True
    with pytest.raises(OrderRefused, match="EGeneral:Invalid arguments:id"):
        await player.run("exports.delete.refused", lambda do: do.exports.delete("QMTJ"))
