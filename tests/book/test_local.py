"""What a kept book shows, and when it shows nothing."""

from __future__ import annotations

from decimal import Decimal, localcontext

from exchange_core.book.ladder import digits_quantity
from exchange_core.book.local import LocalBook
from exchange_core.model.book import BookHealth
from exchange_core.model.symbol import Symbol

BTC = Symbol("BTC", "USD")


def book(depth: int | None = None) -> LocalBook[str]:
    made: LocalBook[str] = LocalBook(BTC, price_decimals=1, quantity_decimals=8, quantity=digits_quantity, depth=depth)
    made.asks_ladder.put(452852, "452852100000")
    made.bids_ladder.put(452835, "45283597231234567123456789")
    made.bids_ladder.put(452834, "452834154582015")
    return made


def test_levels_are_exact_and_best_first() -> None:
    made = book()
    made.health = BookHealth.LIVE
    assert [level.price for level in made.view.bids()] == [Decimal("45283.5"), Decimal("45283.4")]
    assert made.view.best_bid is not None
    assert made.view.best_bid.quantity == Decimal("972312345671.23456789")
    assert made.view.best_ask == (Decimal("45285.2"), Decimal("0.001"))
    assert made.view.mid == Decimal("45284.35")
    assert len(made.view.bids(1)) == 1


def test_levels_do_not_depend_on_the_users_decimal_context() -> None:
    made = book()
    made.health = BookHealth.LIVE
    with localcontext() as context:
        context.prec = 3
        assert [level.quantity for level in made.bids()] == [Decimal("972312345671.23456789"), Decimal("1.54582015")]


def test_a_book_that_is_not_live_shows_nothing() -> None:
    made = book()
    for health in (BookHealth.SYNCING, BookHealth.DESYNCED, BookHealth.STALE):
        made.health = health
        assert made.view.best_bid is None
        assert made.view.best_ask is None
        assert made.view.mid is None
        assert not made.view.bids()
        assert not made.view.snapshot().asks


def test_clear_forgets_levels_and_sequence() -> None:
    made = book()
    made.sequence = 7
    made.clear(BookHealth.DESYNCED)
    made.health = BookHealth.LIVE
    assert not made.bids()
    assert not made.asks()
    assert made.sequence is None


def test_crossed_means_that_the_best_bid_reaches_the_best_ask() -> None:
    made = book()
    assert not made.is_crossed()
    made.bids_ladder.put(452852, "4528521")
    assert made.is_crossed()


def test_a_snapshot_stays_when_the_book_moves_on() -> None:
    made = book()
    made.health = BookHealth.LIVE
    kept = made.view.snapshot(1)
    made.clear(BookHealth.DESYNCED)
    assert kept.best_bid is not None
    assert kept.best_bid.price == Decimal("45283.5")
    assert kept.health is BookHealth.LIVE
