"""Times of Kraken Spot's finer stamps keep their digits, whatever the decimal context of the user."""

from datetime import UTC, datetime
from decimal import Context, localcontext

from kraken_spot.parse.history import stamp
from kraken_spot.rest.market import _nanoseconds

MOMENT = datetime(2026, 11, 24, 9, 33, 45, 123456, tzinfo=UTC)


def test_nanoseconds_and_amends() -> None:
    with localcontext(Context(prec=5)):
        assert _nanoseconds(1795512825123456789) == MOMENT
        assert stamp(1795512825123456789) == MOMENT
        assert stamp(1795512825123) == MOMENT.replace(microsecond=123000)
