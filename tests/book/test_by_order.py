"""Books of single orders: who stands where, and who is first."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest

from exchange_core import serde
from exchange_core.book.by_order import LocalBookByOrder
from exchange_core.errors import ProtocolError
from exchange_core.model.book import BookByOrder, BookHealth, OrderBook
from exchange_core.model.symbol import Symbol

TIME = "2026-09-15T23:41:47."


@pytest.fixture
def book() -> LocalBookByOrder:
    made = LocalBookByOrder(Symbol("BTC", "USD"), price_decimals=1, quantity_decimals=8, depth=2)
    made.health = BookHealth.LIVE
    return made


def bid(book: LocalBookByOrder, order: str, price: str, quantity: Any, fraction: str) -> None:
    book.put(book.bids_ladder, order, price, quantity, f"{TIME}{fraction}Z")


def queues(book: LocalBookByOrder) -> list[tuple[Decimal, list[str]]]:
    return [(level.price, [order.order_id for order in level.orders]) for level in book.view.bid_queues()]


def test_a_queue_is_in_the_order_of_its_orders_times_to_the_nanosecond(book: LocalBookByOrder) -> None:
    bid(book, "C", "99.5", "1.00000000", "100000003")
    bid(book, "A", "99.5", "1.00000000", "100000001")
    bid(book, "B", "99.5", "1.00000000", "100000002")
    assert queues(book) == [(Decimal("99.5"), ["A", "B", "C"])]


def test_a_time_without_its_last_zeros_sorts_as_a_time(book: LocalBookByOrder) -> None:
    bid(book, "B", "99.5", "1.00000000", "5")
    bid(book, "A", "99.5", "1.00000000", "499999999")
    book.put(book.bids_ladder, "0", "99.5", "1.00000000", "2026-09-15T23:41:47Z")
    assert queues(book) == [(Decimal("99.5"), ["0", "A", "B"])]


def test_equal_times_stand_as_they_came(book: LocalBookByOrder) -> None:
    for order in ("B", "A", "C"):
        bid(book, order, "99.5", "1.00000000", "5")
    assert queues(book) == [(Decimal("99.5"), ["B", "A", "C"])]


def test_levels_come_best_first_with_exact_numbers(book: LocalBookByOrder) -> None:
    bid(book, "A", "99.5", "0.10000000", "1")
    bid(book, "B", "99.6", "0.20000000", "1")
    bid(book, "C", "99.6", "123456789.00000001", "2")
    best, second = book.view.bid_queues()
    assert (best.price, [order.quantity for order in best.orders]) == (
        Decimal("99.6"),
        [Decimal("0.2"), Decimal("123456789.00000001")],
    )
    with localcontext(prec=5):
        assert best.quantity == Decimal("123456789.20000001")
    assert second.price == Decimal("99.5")
    assert book.view.bid_queues(1) == [best]
    assert book.view.ask_queues() == []


def test_it_is_an_order_book_of_the_sums(book: LocalBookByOrder) -> None:
    bid(book, "A", "99.5", "0.10000000", "1")
    bid(book, "B", "99.5", "0.20000000", "2")
    view = book.view
    assert isinstance(view, OrderBook)
    assert view.bids() == [(Decimal("99.5"), Decimal("0.3"))]
    assert view.best_ask is None


def test_an_order_of_a_known_id_moves(book: LocalBookByOrder) -> None:
    bid(book, "A", "99.5", "1.00000000", "1")
    bid(book, "B", "99.5", "1.00000000", "2")
    bid(book, "A", "99.4", "1.00000000", "3")
    assert queues(book) == [(Decimal("99.5"), ["B"]), (Decimal("99.4"), ["A"])]


def test_an_order_that_is_gone_takes_its_empty_level_along(book: LocalBookByOrder) -> None:
    bid(book, "A", "99.5", "1.00000000", "1")
    assert book.remove("A") is not None
    assert book.remove("A") is None
    assert queues(book) == []
    assert "A" not in book


def test_a_quantity_of_zero_is_gone(book: LocalBookByOrder) -> None:
    bid(book, "A", "99.5", "1.00000000", "1")
    bid(book, "A", "99.5", "0.00000000", "1")
    assert queues(book) == []


def test_orders_beyond_the_depth_are_forgotten(book: LocalBookByOrder) -> None:
    for order, price in (("A", "99.3"), ("B", "99.4"), ("C", "99.5"), ("D", "99.5")):
        bid(book, order, price, "1.00000000", "1")
    book.cut()
    assert queues(book) == [(Decimal("99.5"), ["C", "D"]), (Decimal("99.4"), ["B"])]
    assert "A" not in book
    assert "B" in book


def test_where_shrinking_keeps_the_place_can_be_chosen(book: LocalBookByOrder) -> None:
    bid(book, "A", "99.5", "1.00000000", "1")
    bid(book, "B", "99.5", "1.00000000", "2")
    assert not book.doubtful
    bid(book, "A", "99.5", "0.50000000", "3")
    assert book.doubtful
    assert queues(book) == [(Decimal("99.5"), ["B", "A"])]
    book.requeue(keeps_place=True)
    assert queues(book) == [(Decimal("99.5"), ["A", "B"])]
    bid(book, "B", "99.5", "0.50000000", "4")
    assert queues(book) == [(Decimal("99.5"), ["A", "B"])]
    bid(book, "A", "99.5", "2.00000000", "5")
    assert queues(book) == [(Decimal("99.5"), ["B", "A"])], "one that grows goes to the end"


@pytest.mark.parametrize("health", [BookHealth.SYNCING, BookHealth.DESYNCED, BookHealth.STALE])
def test_a_book_that_is_not_live_shows_nothing(book: LocalBookByOrder, health: BookHealth) -> None:
    bid(book, "A", "99.5", "1.00000000", "1")
    book.health = health
    assert not book.view.bid_queues()
    assert not book.view.bids()


def test_a_cleared_book_knows_no_order(book: LocalBookByOrder) -> None:
    bid(book, "A", "99.5", "1.00000000", "1")
    book.clear(BookHealth.SYNCING)
    assert "A" not in book


@pytest.mark.parametrize(
    ("price", "quantity", "time"),
    [
        pytest.param("x", "1", "2026-01-01T00:00:00Z", id="no price"),
        pytest.param("0.0", "1", "2026-01-01T00:00:00Z", id="price zero"),
        pytest.param("-1.0", "1", "2026-01-01T00:00:00Z", id="price below zero"),
        pytest.param([], "1", "2026-01-01T00:00:00Z", id="a list for a price"),
        pytest.param("1.05", "1", "2026-01-01T00:00:00Z", id="finer than the tick"),
        pytest.param("1.0", "x", "2026-01-01T00:00:00Z", id="no quantity"),
        pytest.param("1.0", None, "2026-01-01T00:00:00Z", id="nothing for a quantity"),
        pytest.param("1.0", "1", "yesterday", id="no time"),
        pytest.param("1.0", "1", "2026-13-01T00:00:00Z", id="no such month"),
        pytest.param("1.0", "1", "2026-01-01T00:00:00+02:00", id="another zone"),
    ],
)
def test_what_is_no_order_is_refused(book: LocalBookByOrder, price: Any, quantity: Any, time: str) -> None:
    with pytest.raises(ProtocolError):
        book.put(book.bids_ladder, "A", price, quantity, time)


def test_a_snapshot_stays_and_can_be_written_and_read(book: LocalBookByOrder) -> None:
    bid(book, "A", "99.5", "1.00000000", "169750123")
    view: BookByOrder = book.view
    kept = view.snapshot()
    written = serde.unstructure(view)
    book.clear(BookHealth.STALE)
    assert [order.order_id for order in kept.bid_queues[0].orders] == ["A"]
    assert written["bid_queues"] == [
        {
            "price": "99.5",
            "orders": [{"order_id": "A", "quantity": "1.00000000", "time": "2026-09-15T23:41:47.169750Z"}],
        }
    ]
    assert written["bids"] == [["99.5", "1.00000000"]]
    assert serde.structure(written, type(kept)) == kept
