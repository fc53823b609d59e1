"""Quantities are exact, whatever the decimal context of whoever uses the package."""

from collections.abc import Iterator
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest

from exchange_core.connector.naming import AssetMap
from exchange_core.model.order import OrderRequest, OrderStatus
from exchange_core.model.symbol import Symbol
from kraken_futures.parse import feed as parse
from kraken_futures.parse import orders as parse_orders
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.wire import feed as wire_feed


@pytest.fixture(autouse=True)
def careless() -> Iterator[None]:
    with localcontext(Context(prec=3)):
        yield


def execution(number: int, amount: float) -> dict[str, Any]:
    return {"type": "EXECUTION", "executionId": f"e{number}", "price": 60000.0, "amount": amount}


@pytest.mark.parametrize(
    ("more", "status", "filled"),
    [(0.1111, OrderStatus.FILLED, "12345.1111"), (0.1, OrderStatus.CANCELED, "12345.1")],
)
def test_an_order_is_filled_when_its_executions_add_up_exactly(
    rest: FuturesRest, run: Any, more: float, status: OrderStatus, filled: str
) -> None:
    request = OrderRequest(
        symbol="BTC/USD:USD", side="buy", quantity="12345.1111", price="60000", time_in_force="ioc", client_order_id="c"
    )
    events = [execution(1, 12345), execution(2, more)]
    answer = {"sendStatus": {"order_id": "o", "status": "placed", "orderEvents": events}}
    order, _ = run(rest.place(request), answer)
    assert (order.status, order.filled) == (status, Decimal(filled))


def test_the_quantity_of_an_open_order_is_what_remains_and_what_is_filled() -> None:
    row = wire_feed.OpenOrder(
        instrument="PF_XBTUSD", order_id="o", qty=Decimal("1234.5678"), filled=Decimal("0.0001"), direction=0
    )
    update = parse_orders.open_order(row, Symbol.parse("BTC/USD:USD"))
    assert update.quantity == Decimal("1234.5679")


def test_what_is_held_is_the_exact_difference() -> None:
    assets = AssetMap("kraken_futures")
    balance = parse.make_balance(assets.code("USD"), Decimal("123456.789"), Decimal("123456.788"), parse.FLEX, "k")
    assert (balance.held, balance.free) == (Decimal("0.001"), Decimal("123456.788"))
