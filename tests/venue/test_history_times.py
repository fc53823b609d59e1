"""What is no time is refused by the name that it was given as, before anything is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from exchange_core.connector.pages import check_time
from exchange_core.errors import InvalidValue
from exchange_core.venue.connected import ConnectedVenue


@pytest.mark.parametrize(
    ("time", "said"),
    [
        pytest.param("2026-11-24", "since: '2026-11-24' is a str; expected a datetime with tzinfo=UTC", id="text"),
        pytest.param(1_700_000_000, "since: 1700000000 is a int; expected a datetime with tzinfo=UTC", id="a number"),
        pytest.param(datetime(2026, 11, 24), "since: 2026-11-24 00:00:00 has no time zone", id="naive"),  # noqa: DTZ001
    ],
)
def test_what_is_no_time(time: Any, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        check_time("since", time)


async def test_candles_are_asked_since_a_time(venue: ConnectedVenue) -> None:
    since: Any = "2026-11-24"
    with pytest.raises(InvalidValue, match="since: '2026-11-24' is a str"):
        await venue.candles("BTC/USD", 1, since)


def test_what_is_one() -> None:
    check_time("since", None)
    check_time("since", datetime(2026, 11, 24, tzinfo=UTC))
