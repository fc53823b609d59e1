"""Long answers page by page: nothing twice, nothing left out, and an end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from exchange_core.errors import InvalidValue, ProtocolError
from kraken_futures.pages import Backwards, Page, Pages, Unreadable, moment, seconds, whole

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@attrs.frozen
class Row:
    id: str
    time: datetime


def row(number: int, millis: int) -> Row:
    return Row(f"u{number}", NOON + timedelta(milliseconds=millis))


def everything(rows: list[Row], full: int) -> tuple[list[Row], int]:
    """Page through *rows* (newest first) as the venue would give them out; return what came and in how many pages."""
    cursor: str | None = None
    found: list[Row] = []
    for pages in range(1, 20):
        place = Backwards.of(cursor)
        answer = [one for one in rows if place.before is None or one.time < place.before][:full]
        page = place.page(answer, (), full)
        found += page.items
        if page.cursor is None:
            return found, pages
        assert page.cursor != cursor
        cursor = page.cursor
    raise AssertionError("it does not end")


@pytest.mark.parametrize(
    "millis",
    [
        pytest.param([9, 8, 7, 6, 5, 4, 3], id="one a millisecond"),
        pytest.param([9, 8, 8, 8, 7, 7, 6], id="a page ends within a millisecond"),
        pytest.param([9, 9, 8, 8], id="a full page is the last"),
        pytest.param([], id="none"),
    ],
)
def test_every_row_comes_once(millis: list[int]) -> None:
    rows = [row(number, when) for number, when in enumerate(millis)]
    found, _ = everything(rows, full=4)
    assert found == rows


def test_a_page_of_one_millisecond_is_passed_and_does_not_repeat_forever() -> None:
    rows = [row(number, 5) for number in range(6)] + [row(9, 4)]
    found, _ = everything(rows, full=4)
    # Two of that millisecond cannot be asked for; what is older still comes.
    assert [one.id for one in found] == ["u0", "u1", "u2", "u3", "u9"]


def test_a_cursor_is_text_that_begins_with_the_time_to_ask_for() -> None:
    page = Backwards().page([row(1, 8), row(2, 7)], (), 2)
    assert page.cursor == "2026-01-05T12:00:00.008Z~u2"
    assert Backwards.of(page.cursor).text == "2026-01-05T12:00:00.008Z"


def test_unreadable_rows_count_towards_a_full_page() -> None:
    damaged = Unreadable("no uid", b"{}")
    page = Backwards().page([row(1, 8)], (damaged,), 2)
    assert page.cursor is not None
    assert page.unreadable == (damaged,)


@pytest.mark.parametrize("cursor", ["", "u1", "2026-99-99T00:00:00Z"])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidValue, match="no cursor"):
        Backwards.of(cursor)


@pytest.mark.parametrize("cursor", ["", "-1", "1.5", "\u0663"])
def test_a_cursor_that_should_be_a_number_is_one(cursor: str) -> None:
    assert whole("17", "from") == 17
    with pytest.raises(InvalidValue, match="from"):
        whole(cursor, "from")


def test_a_venue_that_sends_us_in_a_circle_is_found_out(run: Any) -> None:
    def fetch(cursor: str | None) -> Any:
        yield from ()
        return Page((), "same")

    pages: Pages[int] = Pages(fetch)
    assert run(pages.page())[0].cursor == "same"
    with pytest.raises(ProtocolError, match="its own successor"):
        run(pages.page("same"))


def test_times_without_a_zone_are_refused() -> None:
    assert moment(NOON, "since") == 1767614400000
    assert seconds(NOON + timedelta(milliseconds=999), "since") == 1767614400
    assert moment(None, "since") is None
    with pytest.raises(InvalidValue, match=r"since: .* has no time zone"):
        moment(datetime(2026, 1, 5), "since")  # noqa: DTZ001 - the point of the test
