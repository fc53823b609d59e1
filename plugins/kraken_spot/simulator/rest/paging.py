"""Pages of 50: ``start`` is exclusive, ``end`` is inclusive, ``ofs`` counts from the newest.

See https://docs.kraken.com/api-reference/account-data/get-closed-orders
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from exchange_core.errors import ExchangeError
from exchange_core.model.time import from_seconds
from kraken_spot.simulator.codec import Arguments, invalid, read_decimal

T = TypeVar("T")

PAGE = 50
_LARGEST_OFFSET = 2**31


def page(
    rows: Sequence[T],
    given: Arguments,
    times: Callable[[T], Sequence[datetime]],
    time_of_id: Callable[[str], datetime | None],
    size: int = PAGE,
) -> tuple[list[T], dict[str, int]]:
    """Return one page of *rows* (newest first) and the count, unless that was not wanted.

    Args:
        times: When a row happened; one of them in the range is enough.
        time_of_id: The time of an id given instead of a time, or None.
    """
    start, end = (_moment(given, name, time_of_id) for name in ("start", "end"))
    found = [
        row
        for row in rows
        if any((start is None or time > start) and (end is None or time <= end) for time in times(row))
    ]
    offset = given.integer("ofs", 0, 0, _LARGEST_OFFSET)
    count = {} if given.flag("without_count") else {"count": len(found)}
    return found[offset : offset + size], count


def _moment(given: Arguments, name: str, time_of_id: Callable[[str], datetime | None]) -> datetime | None:
    text = given.text(name)
    if not text:
        return None
    number = read_decimal(text)
    try:
        moment = time_of_id(text) if number is None else from_seconds(number)
    except ExchangeError:
        moment = None
    if moment is None:
        raise invalid(name)
    return moment
