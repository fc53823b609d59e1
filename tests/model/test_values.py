"""The other words: errors, times, balances, subscriptions, the face of a book."""

import inspect
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core import errors
from exchange_core.errors import (
    AuthenticationError,
    ConfigError,
    ExchangeError,
    InvalidValue,
    LockedOut,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
    RateLimited,
    TransportError,
    VenueError,
)
from exchange_core.model.account import Balance
from exchange_core.model.book import BookHealth, OrderBook, wire_time
from exchange_core.model.event import Channel, Subscription
from exchange_core.model.market import Level
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import (
    from_millis,
    from_rfc3339,
    from_seconds,
    to_millis,
    to_rfc3339,
    to_seconds,
)

BTC = Symbol.parse("BTC/USD")
CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


# Errors


def test_the_tree_that_is_drawn_is_the_tree_there_is() -> None:
    drawing = (errors.__doc__ or "").splitlines()[2:]
    drawn = {}
    parents: dict[int, str] = {}
    for line in drawing:
        name = line.lstrip("│├└─ ").split(" ")[0]
        depth = (len(line) - len(line.lstrip("│├└─ "))) // 3
        parents[depth] = name
        drawn[name] = parents[depth - 1] if depth else "Exception"
    real = {kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES}
    assert drawn == real


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_each_error_keeps_venue_and_codes(kind: type[ExchangeError]) -> None:
    error = kind("no", venue="kraken", codes=["EOrder:Unknown order"])
    assert (str(error), error.venue, error.codes) == ("no", "kraken", ("EOrder:Unknown order",))
    assert kind().codes == ()


def test_what_may_have_happened_is_told_apart_from_what_did_not() -> None:
    """Code that catches refusals must never catch an order that may stand."""
    for kind in (OrderRefused, VenueError, ConfigError, InvalidValue):
        assert not issubclass(OutcomeUnknown, kind)
    assert issubclass(OutcomeUnknown, TransportError)


def test_limits_say_how_long() -> None:
    assert LockedOut("x", retry_after=900).retry_after == 900
    assert issubclass(LockedOut, RateLimited)
    assert not issubclass(LockedOut, AuthenticationError)


# Times


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-10-09T00:34:21.169750Z", 169750),
        ("2026-10-09T00:34:21.169750461Z", 169750),
        ("2026-10-09T00:34:21.1Z", 100000),
        ("2026-10-09T00:34:21Z", 0),
        ("2026-10-09T00:34:21.169750", 169750),
    ],
)
def test_rfc3339_with_any_number_of_decimals(text: str, micros: int) -> None:
    assert from_rfc3339(text) == datetime(2026, 10, 9, 0, 34, 21, micros, tzinfo=UTC)


def test_an_offset_is_kept() -> None:
    moment = from_rfc3339("2026-10-09T02:34:21+02:00")
    assert moment == datetime(2026, 10, 9, 0, 34, 21, tzinfo=UTC)
    assert to_rfc3339(moment) == "2026-10-09T00:34:21.000Z"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01T00:00:00Z", "1765185437003", "2026-10-09", "20261009", "2026-W41-5"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ProtocolError, match="is not RFC 3339"):
        from_rfc3339(text)


@pytest.mark.parametrize("value", [10**18, -(10**18), pytest.param(10**5000, id="endless")])
def test_milliseconds_out_of_all_calendars(value: int) -> None:
    with pytest.raises(ProtocolError, match="milliseconds since 1970"):
        from_millis(value)


@pytest.mark.parametrize(
    "value",
    [10**15, pytest.param(10**5000, id="endless"), Decimal("1E+30"), Decimal("NaN"), "Infinity", "1e999999999", "noon"],
)
def test_seconds_out_of_all_calendars(value: Decimal | int | str) -> None:
    with pytest.raises(ProtocolError, match="seconds since 1970"):
        from_seconds(value)


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001 (hypothesis wants them so)


@given(MOMENTS)
def test_times_survive_the_wire(moment: datetime) -> None:
    assert from_rfc3339(to_rfc3339(moment, "microseconds")) == moment
    assert from_seconds(to_seconds(moment)) == moment
    assert from_millis(to_millis(moment)) == moment - timedelta(microseconds=moment.microsecond % 1000)
    elsewhere = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert from_rfc3339(to_rfc3339(elsewhere, "microseconds")) == moment


# Balances and subscriptions


@pytest.mark.parametrize(("held", "free"), [(Decimal(3), Decimal(7)), (Decimal(0), Decimal(10)), (None, None)])
def test_free_is_what_is_not_held_or_not_known(held: Decimal | None, free: Decimal | None) -> None:
    assert Balance(asset="USD", total=Decimal(10), held=held).free == free


def test_equal_subscriptions_are_one() -> None:
    one = Subscription(Channel.BOOK, BTC, depth=10)
    assert {one, Subscription(Channel.BOOK, BTC, depth=10)} == {one}
    assert one != Subscription(Channel.BOOK, BTC, depth=25)
    assert [str(s) for s in (one, Subscription(Channel.FILLS), Subscription(Channel.CANDLES, BTC, interval=5))] == [
        "book BTC/USD 10",
        "fills",
        "candles BTC/USD 5",
    ]


# The face of a book


class Source:
    """Two levels a side."""

    def __init__(self, health: BookHealth = BookHealth.LIVE, time: str | int | None = None) -> None:
        self.symbol, self.health, self.checked, self.time = BTC, health, 7, time

    def bids(self, depth: int | None) -> list[Level]:
        return self._levels(99, 98)[:depth]

    def asks(self, depth: int | None) -> list[Level]:
        return self._levels(101, 102)[:depth]

    def _levels(self, *prices: int) -> list[Level]:
        return [Level(Decimal(price), Decimal(1)) for price in prices] if self.health is BookHealth.LIVE else []


def test_a_book_shows_its_source() -> None:
    book = OrderBook(Source(time="2026-10-09T00:34:21Z"))
    assert (book.symbol, book.health, book.checked, book.mid) == (BTC, BookHealth.LIVE, 7, 100)
    assert (book.best_bid, book.best_ask) == (Level(Decimal(99), Decimal(1)), Level(Decimal(101), Decimal(1)))
    assert (len(book.bids()), len(book.asks(1))) == (2, 1)
    assert book.time == datetime(2026, 10, 9, 0, 34, 21, tzinfo=UTC)
    assert "BTC/USD live" in repr(book)


def test_a_book_that_is_not_live_shows_nothing() -> None:
    book = OrderBook(Source(BookHealth.DESYNCED))
    assert (book.best_bid, book.best_ask, book.mid, list(book.bids())) == (None, None, None, [])


def test_a_snapshot_stays() -> None:
    source = Source()
    kept = OrderBook(source).snapshot(1)
    source.health = BookHealth.STALE
    assert (len(kept.bids), kept.best_bid, kept.health, kept.checked) == (1, Level(Decimal(99), Decimal(1)), "live", 7)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (None, None),
        ("", None),
        (1765185437003, datetime(2025, 12, 8, 9, 17, 17, 3000, tzinfo=UTC)),
        ("2025-12-08T09:17:17.003Z", datetime(2025, 12, 8, 9, 17, 17, 3000, tzinfo=UTC)),
    ],
)
def test_wire_times_are_read_when_looked_at(value: Any, moment: datetime | None) -> None:
    assert wire_time(value) == moment
