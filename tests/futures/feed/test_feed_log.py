"""The account's log and the venue's notices, as they come over the private connection."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import (
    Channel,
    Event,
    Ignored,
    LedgerUpdate,
    Notice,
    SequenceGap,
    Subscribed,
    Subscription,
    Unrecognised,
)
from exchange_core.model.ledger import LedgerEntry, LedgerKind
from exchange_core.model.symbol import Symbol
from kraken_futures.feed.connections import FuturesFeed, private_feed
from kraken_futures.parse import log as parse_log
from kraken_futures.types.history import LogEntry, LogInfo

LEDGER, NOTICES = Subscription(Channel.LEDGER), Subscription(Channel.NOTICES)


def say(connection: FuturesFeed, now: float = 0.0, /, **frame: Any) -> list[Event]:
    return list(connection.receive(json.dumps(frame), now))


def row(number: int, **more: Any) -> dict[str, Any]:
    """Return a row as the feed has it: 0.0 and "" where nothing is to be told."""
    return {
        "id": number,
        "date": "2026-01-05T12:00:00.500Z",
        "asset": "xbt",
        "info": "futures trade",
        "booking_uid": f"b-{number}",
        "margin_account": "f-xbt:usd",
        "old_balance": 1.0,
        "new_balance": 1.0195,
        "old_average_entry_price": 0.0,
        "new_average_entry_price": 0.0,
        "trade_price": 55000.0,
        "mark_price": 55001.5,
        "realized_pnl": 0.02,
        "fee": 0.0005,
        "execution": "e-1",
        "collateral": "xbt",
        "funding_rate": 0.0,
        "realized_funding": 0.0,
        "conversion_spread_percentage": 0.0,
        "liquidation_fee": 0.0,
        **more,
    }


POSITION_ROW = row(2, asset="pi_xbtusd", old_balance=10000.0, new_balance=0.0, fee=0.0)


def entry(feed: FuturesFeed, new: dict[str, Any], now: float = 0.0) -> list[Event]:
    return say(feed, now, feed="account_log", new_entry=new)


def snapshot(feed: FuturesFeed, *rows: dict[str, Any]) -> list[Event]:
    return say(feed, feed="account_log_snapshot", logs=list(rows))


def numbers(events: list[Event]) -> list[int]:
    return [row.id for event in events if isinstance(event, LedgerUpdate) for row in event.own]


@pytest.fixture
def feed(private: FuturesFeed) -> FuturesFeed:
    private.subscribe([LEDGER, NOTICES], 0.0)
    private.opened(0.0)
    say(private, event="challenge", message="sign me")
    for name in ("account_log", "notifications_auth", "heartbeat"):
        say(private, event="subscribed", feed=name)
    private.outbox()
    return private


def test_both_are_channels_of_the_private_connection(private: FuturesFeed) -> None:
    private.subscribe([LEDGER, NOTICES], 0.0)
    private.opened(0.0)
    private.outbox()
    say(private, event="challenge", message="sign me")
    assert json.loads(private.outbox()[0])["feed"] == "account_log"
    assert say(private, event="subscribed", feed="account_log") == [Subscribed(subscription=LEDGER)]
    assert json.loads(private.outbox()[0])["feed"] == "notifications_auth"
    assert say(private, event="subscribed", feed="notifications_auth") == [Subscribed(subscription=NOTICES)]


def test_a_row_of_cash_is_a_change_of_a_balance(feed: FuturesFeed) -> None:
    (update,) = entry(feed, row(7))
    assert isinstance(update, LedgerUpdate)
    assert update.entries == (
        LedgerEntry(
            id="7",
            time=datetime(2026, 1, 5, 12, 0, 0, 500000, tzinfo=UTC),
            asset="BTC",
            amount=Decimal("0.02"),
            fee=Decimal("0.0005"),
            balance=Decimal("1.0195"),
            kind=LedgerKind.TRADE,
            venue_kind="futures trade",
            reference="e-1",
            wallet="fi_xbtusd",
            venue="futures",
        ),
    )
    assert update.entries[0].change == Decimal("0.0195")
    assert not update.snapshot
    (own,) = update.own
    assert isinstance(own, LogEntry)
    assert own.info is LogInfo("futures trade")
    assert own.trade_price == Decimal("55000.0")


def test_a_row_of_a_position_changes_no_balance(feed: FuturesFeed) -> None:
    """Its balances are sizes; the fee and the profit of the trade are in the row of cash."""
    (update,) = entry(feed, POSITION_ROW)
    assert isinstance(update, LedgerUpdate)
    assert update.entries == ()
    (own,) = update.own
    assert own.asset == Symbol.parse("BTC/USD:BTC")
    assert (own.old_balance, own.new_balance) == (10000, 0)


@pytest.mark.parametrize(
    ("info", "kind"),
    [
        ("funding rate change", LedgerKind.FUNDING),
        ("transfer", LedgerKind.TRANSFER),
        ("conversion", LedgerKind.CONVERSION),
        ("interest payment", LedgerKind.INTEREST),
        ("futures liquidation", LedgerKind.LIQUIDATION),
        ("settlement", LedgerKind.SETTLEMENT),
        ("a word of tomorrow", LedgerKind.OTHER),
    ],
)
def test_why_a_balance_changed(feed: FuturesFeed, info: str, kind: LedgerKind) -> None:
    (update,) = entry(feed, row(7, info=info, execution=""))
    assert isinstance(update, LedgerUpdate)
    assert (update.entries[0].kind, update.entries[0].venue_kind) == (kind, info)
    assert update.entries[0].reference == "b-7"


@pytest.mark.parametrize(("account", "wallet"), [("f-xbt:usd", "fi_xbtusd"), ("flex", "flex"), ("", "")])
def test_wallets_have_the_names_that_balances_have(account: str, wallet: str) -> None:
    assert parse_log.wallet(account) == wallet


def test_the_first_list_is_the_past_and_comes_oldest_first(feed: FuturesFeed) -> None:
    (update,) = snapshot(feed, row(9), row(8), row(7))
    assert isinstance(update, LedgerUpdate)
    assert update.snapshot
    assert [each.id for each in update.entries] == ["7", "8", "9"]
    assert numbers(entry(feed, row(10))) == [10]


def test_an_empty_list_is_a_list(feed: FuturesFeed) -> None:
    assert snapshot(feed) == [LedgerUpdate(entries=(), snapshot=True)]
    assert snapshot(feed) == [Ignored(kind="rows of the log seen before")]


def test_each_row_is_told_once_across_connections(feed: FuturesFeed) -> None:
    snapshot(feed, row(8), row(7))
    assert entry(feed, row(8)) == [Ignored(kind="rows of the log seen before")]
    feed.closed(1.0)
    feed.opened(2.0)
    events = snapshot(feed, row(10), row(9), row(8), row(7))
    assert numbers(events) == [9, 10]
    assert not any(event.snapshot for event in events if isinstance(event, LedgerUpdate))


def test_a_hole_is_filled_from_the_list(feed: FuturesFeed) -> None:
    snapshot(feed, row(7))
    assert numbers(entry(feed, row(10))) == [10]
    feed.tick(1.0)
    assert [json.loads(frame)["event"] for frame in feed.outbox()] == ["unsubscribe", "subscribe"]
    events = snapshot(feed, row(10), row(9), row(8), row(7))
    assert numbers(events) == [8, 9]
    assert not [event for event in events if isinstance(event, SequenceGap)]
    assert feed.stats.gaps == 1


def test_what_the_list_does_not_reach_back_to_is_told_as_lost(feed: FuturesFeed) -> None:
    snapshot(feed, row(7))
    entry(feed, row(10))
    gap, news = snapshot(feed, row(10), row(9))
    assert isinstance(gap, SequenceGap)
    assert gap.channel is Channel.LEDGER
    assert "1 rows before 10" in gap.reason
    assert numbers([news]) == [9]


def test_without_a_subscription_a_hole_is_told_at_once(context: VenueContext) -> None:
    bare = private_feed(context)
    bare.opened(0.0)
    entry(bare, row(7))
    gap, news = entry(bare, row(9))
    assert isinstance(gap, SequenceGap)
    assert numbers([news]) == [9]


def test_a_row_that_cannot_be_read_is_a_hole(feed: FuturesFeed) -> None:
    report, gap = entry(feed, {"id": 7})
    assert isinstance(report, Unrecognised)
    assert isinstance(gap, SequenceGap)
    assert gap.channel is Channel.LEDGER


def test_the_documented_rows_digit_by_digit(captures: Path, context: VenueContext) -> None:
    feed = private_feed(context)
    feed.opened(0.0)
    frames = (captures / "futures/ws/doc_feeds.jsonl").read_text().splitlines()
    (line,) = [frame for frame in frames if '"account_log_snapshot"' in frame]
    (update,) = feed.receive(line, 0.0)
    assert isinstance(update, LedgerUpdate)
    assert [(each.id, str(each.change), str(each.balance), each.kind) for each in update.entries] == [
        ("1688", "-0.00000131965", "0.01215715298", LedgerKind.FUNDING),
        ("1689", "-4.8247E-7", "0.01215667051", LedgerKind.FUNDING),
        ("1690", "6.9602E-7", "0.01215736653", LedgerKind.FUNDING),
    ]
    assert [str(each.realized_funding) for each in update.own] == ["-0.00000131965", "-4.8247E-7", "6.9602E-7"]
    assert [str(each.funding_rate) for each in update.own] == [
        "1.64955714332E-7",
        "6.0309345058E-8",
        "-8.7002552653E-8",
    ]
    assert {each.asset for each in update.entries} == {"BCH"}
    assert {each.wallet for each in update.entries} == {"fi_bchusd"}


# Notices.

NOTICE = {"id": 5, "type": "market", "priority": "low", "note": "A note.", "effective_time": 1520288300000}


def notices(feed: FuturesFeed, *rows: dict[str, Any]) -> list[Event]:
    return say(feed, feed="notifications_auth", notifications=list(rows))


def test_a_notice_says_what_when_and_how_long(feed: FuturesFeed) -> None:
    maintenance = {"id": 6, "type": "maintenance", "priority": "high", "note": "Down.", "expected_downtime_minutes": 15}
    assert notices(feed, NOTICE, maintenance) == [
        Notice(
            text="A note.",
            id="5",
            kind="market",
            priority="low",
            effective=datetime(2018, 3, 5, 22, 18, 20, tzinfo=UTC),
            venue="futures",
        ),
        Notice(
            text="Down.", id="6", kind="maintenance", priority="high", downtime=timedelta(minutes=15), venue="futures"
        ),
    ]


def test_a_notice_is_told_once_and_again_when_it_changes(feed: FuturesFeed) -> None:
    notices(feed, NOTICE)
    assert notices(feed, NOTICE) == [Ignored(kind="no new notices")]
    assert notices(feed) == [Ignored(kind="no new notices")]
    (changed,) = notices(feed, {**NOTICE, "note": "Another note."})
    assert isinstance(changed, Notice)
    assert (changed.id, changed.text) == ("5", "Another note.")
