"""Steps, minimums and status: what a venue would refuse is refused here, with what would have been right."""

from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import InvalidValue, OrderRefused
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.order import OrderRequest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol


def instrument(symbol: str = "BTC/USD", **changes: Any) -> Instrument:
    fields: dict[str, Any] = {
        "symbol": Symbol.parse(symbol),
        "venue_id": "XXBTZUSD",
        "tick_size": Decimal("0.5"),
        "lot_size": Decimal("0.001"),
        "min_quantity": Decimal("0.0025"),
        "min_cost": Decimal(5),
    }
    return Instrument(**(fields | changes))


def request(**changes: Any) -> OrderRequest:
    return OrderRequest(**({"symbol": "BTC/USD", "side": "buy", "quantity": "1", "price": "100"} | changes))


def test_decimals_follow_from_the_steps() -> None:
    found = instrument()
    assert (found.price_decimals, found.quantity_decimals) == (1, 3)
    assert instrument(price_decimals=5).price_decimals == 5


@pytest.mark.parametrize("field", ["tick_size", "lot_size", "min_quantity", "contract_size"])
@pytest.mark.parametrize("value", ["0", "-1"])
def test_steps_are_above_zero(field: str, value: str) -> None:
    with pytest.raises(InvalidValue, match=f"{field}: {value} is not above zero"):
        instrument(**{field: Decimal(value)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"price": "100.3"}, "BTC/USD: price 100.3 is not a multiple of 0.5; nearest is 100.5"),
        ({"price": "100.25"}, "price 100.25 is not a multiple of 0.5; nearest is 100.0"),
        ({"price": "0.1"}, "nearest is 0.5"),
        ({"quantity": "1.0004"}, "BTC/USD: quantity 1.0004 is not a multiple of 0.001; nearest is 1.000"),
        ({"quantity": "0.0004"}, "nearest is 0.003"),
        ({"quantity": "0.002"}, "BTC/USD: quantity 0.002 is below the minimum; least is 0.003"),
        (
            {"quantity": "0.049"},
            "0.049 at 100 costs less than the minimum 5 USD; least quantity at this price is 0.05",
        ),
        ({"quantity": "1", "price": "3"}, "least quantity at this price is 1.667"),
        ({"quantity": "1e50"}, None),
        ({"quantity": "1e30", "price": "1e30"}, None),
        ({"quantity": "0.003", "price": None}, None),
        ({"quantity": "0.05"}, None),
        ({"symbol": "ETH/USD"}, "BTC/USD: the order is for ETH/USD"),
    ],
)
def test_check(changes: dict[str, Any], message: str | None) -> None:
    if message is None:
        instrument().check(request(**changes))
        return
    with pytest.raises(OrderRefused) as caught:
        instrument().check(request(**changes))
    assert message in str(caught.value)


STATUSES = {
    InstrumentStatus.ONLINE: {"limit", "post", "market", "reduce"},
    InstrumentStatus.POST_ONLY: {"post"},
    InstrumentStatus.LIMIT_ONLY: {"limit", "post", "reduce"},
    InstrumentStatus.REDUCE_ONLY: {"reduce"},
    InstrumentStatus.CANCEL_ONLY: set(),
    InstrumentStatus.OFFLINE: set(),
}
KINDS: dict[str, dict[str, Any]] = {
    "limit": {},
    "post": {"post_only": True},
    "market": {"price": None},
    "reduce": {"reduce_only": True},
}


@pytest.mark.parametrize("status", InstrumentStatus)
@pytest.mark.parametrize("kind", KINDS)
def test_status_says_which_orders_are_taken(status: InstrumentStatus, kind: str) -> None:
    order = request(**KINDS[kind])
    if kind in STATUSES[status]:
        instrument(status=status).check(order)
    else:
        with pytest.raises(OrderRefused, match=f"the venue says {status}"):
            instrument(status=status).check(order)


def test_a_price_is_moved_to_the_side_that_is_no_worse() -> None:
    found = instrument()
    assert found.price_inside(Decimal("100.3"), Side.BUY) == Decimal("100.0")
    assert found.price_inside(Decimal("100.3"), Side.SELL) == Decimal("100.5")
    assert found.round_price(Decimal("100.3")) == Decimal("100.5")
    assert found.floor_quantity(Decimal("0.0019")) == Decimal("0.001")
    assert found.floor_quantity(Decimal("0.0009")) == 0


@pytest.mark.parametrize(
    ("symbol", "contract_size", "quantity", "price", "notional"),
    [
        ("BTC/USD", "1", "2", "100", "200"),
        ("BTC/USD:USD", "0.1", "2", "100", "20"),
        ("BTC/USD:BTC", "1", "500", "50000", "0.01"),
        ("BTC/USD:BTC", "10", "500", "50000", "0.1"),
    ],
)
def test_contracts_know_whether_they_are_linear_or_inverse(
    symbol: str, contract_size: str, quantity: str, price: str, notional: str
) -> None:
    found = instrument(symbol, contract_size=Decimal(contract_size))
    assert found.notional(Decimal(quantity), Decimal(price)) == Decimal(notional)
    assert found.is_inverse is (symbol == "BTC/USD:BTC")
