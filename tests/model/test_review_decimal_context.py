"""Money and times do not depend on the decimal context of whoever uses the package."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Context, Decimal, FloatOperation, Inexact, localcontext

import pytest

from exchange_core.model.instrument import Instrument
from exchange_core.model.number import decimals_of
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_seconds, to_seconds

MOMENT = datetime(2026, 11, 24, 9, 33, 45, 123456, tzinfo=UTC)


@pytest.fixture(autouse=True, params=["five digits", "nothing may be rounded"])
def careless(request: pytest.FixtureRequest) -> Iterator[None]:
    traps = [FloatOperation] if request.param == "five digits" else [FloatOperation, Inexact]
    with localcontext(Context(prec=5, traps=traps)):
        yield


def test_times_keep_their_microseconds() -> None:
    """A time that moved by hours would make a fill of now one of long ago, and a question for fills miss them."""
    assert from_seconds(Decimal("1795512825.123456")) == MOMENT
    assert from_seconds("1795512825.1234569") == MOMENT, "finer digits are cut"
    assert to_seconds(MOMENT) == Decimal("1795512825.123456")


def test_what_remains_of_an_order_is_exact() -> None:
    request = OrderRequest(symbol="BTC/USD", side="buy", quantity="123.45678901", price="1")
    assert Order(request=request, filled=Decimal("0.00000001")).remaining == Decimal("123.45678900")


def test_the_value_of_an_order_is_exact_where_it_can_be() -> None:
    linear = Instrument(
        symbol=Symbol.parse("BTC/USD"),
        venue_id="BTCUSD",
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.00000001"),
        min_quantity=Decimal("0.00000001"),
        min_cost=Decimal("123456.789"),
    )
    assert linear.notional(Decimal("1.23456789"), Decimal("100000.1")) == Decimal("123456.912456789")
    assert decimals_of(Decimal("1234567.125")) == 3
    linear.check(OrderRequest(symbol="BTC/USD", side="buy", quantity="1.23456789", price="100000.0"))
