"""The ledger as it is written: entries of the feed in the model's words, each told once, and no hole unsaid."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.model.event import BalancesUpdate, Channel, LedgerUpdate, SequenceGap, Subscription
from exchange_core.model.ledger import LedgerEntry, LedgerKind
from exchange_core.testing.walking import take, walk
from exchange_core.testing.world import World
from kraken_spot.feed.connections import PrivateFeed
from kraken_spot.history import KrakenSpotHistory
from kraken_spot.plugin import KRAKEN_SPOT
from kraken_spot.types.history import LedgerEntry as SpotEntry
from kraken_spot.types.history import LedgerType

LEDGER = Subscription(Channel.LEDGER)
ENTRY = {
    "ledger_id": "A5KS77-LQRMP-SMMN4B",
    "ref_id": "AGBB7L-HT5LX-J3BB4A",
    "timestamp": "2023-09-22T10:33:05.710082Z",
    "type": "trade",
    "asset": "USD",
    "asset_class": "currency",
    "category": "trade",
    "wallet_type": "spot",
    "wallet_id": "main",
    "amount": 132.9995,
    "fee": 0.3458,
    "balance": 500,
}
HELD = {
    "asset": "USD",
    "balance": 100,
    "wallets": [{"type": "spot", "id": "main", "balance": 60}, {"type": "earn", "id": "flex", "balance": 40}],
}


def balances(*entries: dict[str, Any], sequence: int = 2, kind: str = "update") -> dict[str, Any]:
    return {"channel": "balances", "type": kind, "data": list(entries), "sequence": sequence}


@pytest.fixture
def other(private: PrivateFeed, wire: Any) -> Any:
    """The other end of a private connection on which the ledger alone is followed."""
    private.subscribe([LEDGER], 0.0)
    private.opened(0.0, "the-token")
    return wire(private)


def of(kind: type, events: Any) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_balances_carry_the_ledger(private: PrivateFeed, other: Any) -> None:
    private.subscribe([Subscription(Channel.BALANCES)], 0.0)
    (request,) = other.requests()
    assert request["params"]["channel"] == "balances"


def test_an_entry_is_told_in_the_models_words_and_in_krakens(other: Any) -> None:
    """Its balance is that of the wallet; Kraken tells that of all wallets."""
    other.tell(balances(HELD, sequence=1, kind="snapshot"))
    told, update = other.tell(balances(ENTRY))
    assert isinstance(told, BalancesUpdate)
    time = datetime(2023, 9, 22, 10, 33, 5, 710082, UTC)
    assert update == LedgerUpdate(
        entries=(
            LedgerEntry(
                id="A5KS77-LQRMP-SMMN4B",
                time=time,
                asset="USD",
                amount=Decimal("132.9995"),
                fee=Decimal("0.3458"),
                balance=Decimal(460),
                kind=LedgerKind.TRADE,
                venue_kind="trade",
                reference="AGBB7L-HT5LX-J3BB4A",
                venue="kraken",
            ),
        ),
        own=(
            SpotEntry(
                id="A5KS77-LQRMP-SMMN4B",
                reference="AGBB7L-HT5LX-J3BB4A",
                time=time,
                type=LedgerType.TRADE,
                subtype="",
                asset_class="currency",
                asset="USD",
                wallet="spot",
                amount=Decimal("132.9995"),
                fee=Decimal("0.3458"),
                balance=Decimal(500),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("changes", "kind", "word"),
    [
        ({"type": "deposit"}, LedgerKind.DEPOSIT, "deposit"),
        ({"type": "transfer", "subtype": "spottofutures"}, LedgerKind.TRANSFER, "transfer/spottofutures"),
        ({"type": "creator_fee"}, LedgerKind.FEE, "creator_fee"),
        ({"type": "moon-shot"}, LedgerKind.OTHER, "moon-shot"),
    ],
)
def test_why_a_balance_changed(other: Any, changes: dict[str, str], kind: LedgerKind, word: str) -> None:
    (update,) = of(LedgerUpdate, other.tell(balances(ENTRY | changes)))
    (entry,) = update.entries
    assert (entry.kind, entry.venue_kind) == (kind, word)


def test_before_a_snapshot_the_balance_of_the_wallet_is_not_known(other: Any) -> None:
    (update,) = of(LedgerUpdate, other.tell(balances(ENTRY, sequence=1)))
    assert update.entries[0].balance is None


def test_an_entry_is_told_once(other: Any) -> None:
    other.tell(balances(ENTRY))
    assert not of(LedgerUpdate, other.tell(balances(ENTRY, sequence=3)))


def test_an_entry_that_lacks_its_amount_is_a_hole_and_costs_no_other(other: Any) -> None:
    bare = {"asset": "USD", "balance": 1, "ledger_id": "L1"}
    events = other.tell(balances(bare, ENTRY))
    (update,) = of(LedgerUpdate, events)
    assert [entry.id for entry in update.entries] == [ENTRY["ledger_id"]]
    (hole,) = of(SequenceGap, events)
    assert (hole.channel, hole.reason) == (Channel.LEDGER, "entry L1 of the ledger: without id, amount or time")


def test_a_hole_in_the_numbers_is_one_of_the_ledger_too(other: Any) -> None:
    other.tell(balances(HELD, sequence=1, kind="snapshot"))
    holes = of(SequenceGap, other.tell(balances(ENTRY, sequence=7)))
    assert [hole.channel for hole in holes] == [Channel.BALANCES, Channel.LEDGER]


def test_it_begins_with_none_of_the_past(other: Any) -> None:
    """An empty list of it says that entries are told from here on."""
    _, update = other.tell(balances(HELD, sequence=1, kind="snapshot"))
    assert update == LedgerUpdate(entries=(), snapshot=True)


def test_what_came_while_there_was_no_connection_is_said_to_be_missing(private: PrivateFeed, other: Any) -> None:
    assert not of(SequenceGap, other.tell(balances(HELD, sequence=1, kind="snapshot")))
    private.closed(1.0)
    private.opened(2.0, "another")
    (hole,) = of(SequenceGap, other.tell(balances(HELD, sequence=1, kind="snapshot")))
    assert hole.channel is Channel.LEDGER


def test_who_follows_balances_alone_hears_of_no_entries(private: PrivateFeed, wire: Any) -> None:
    private.subscribe([Subscription(Channel.BALANCES)], 0.0)
    private.opened(0.0, "the-token")
    end = wire(private)
    end.tell(balances(HELD, sequence=1, kind="snapshot"))
    assert [type(event) for event in end.tell(balances(ENTRY))] == [BalancesUpdate]


def test_the_words_of_entries_need_no_lists(make_context: Any, wire: Any) -> None:
    context: VenueContext = make_context(listed=False)
    feed = PrivateFeed(context)
    feed.subscribe([LEDGER], 0.0)
    feed.opened(0.0, "the-token")
    (update,) = of(LedgerUpdate, wire(feed).tell(balances(ENTRY | {"asset": "NEWCOIN"})))
    assert update.entries[0].asset == "NEWCOIN"


def test_the_feed_and_the_list_of_the_simulated_venue_tell_the_same() -> None:
    world = World(KRAKEN_SPOT)
    maker, taker = world.client("maker"), world.client("taker")
    maker.place("sell", "0.5", "60000")
    line = taker.line(LEDGER)
    world.clock.forward(5.0)
    began = world.clock.now()
    taker.place("buy", "0.2", "60000", time_in_force="ioc")
    told = [entry for update in of(LedgerUpdate, line.carry()) for entry in update.entries]
    listed = take(walk(KrakenSpotHistory(taker.context).ledger(began, None), taker.answer), 100)
    assert {entry.asset for entry in told} == {"BTC", "USD"}
    assert sorted(told, key=lambda entry: entry.id) == sorted(listed, key=lambda entry: entry.id)
