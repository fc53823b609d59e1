"""A position in a contract that no list has is shown, and said to be without a value; the rest is valued as ever."""

from collections.abc import Callable
from contextlib import aclosing
from decimal import Decimal
from typing import Any

from exchange_core.errors import UnknownSymbol
from exchange_core.model.account import Position
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio import Portfolio

STAND_IN = Symbol.parse("PV_XRPXBT/?:?")


async def test_a_position_that_only_has_a_stand_in_is_shown_without_a_value(venue: Callable[..., Any]) -> None:
    futures = venue("futures")
    futures.owns(("USD", "500"), wallet="flex")
    futures.lists("BTC/USD:USD", mark_price="60500")
    futures.held = [
        Position(symbol=Symbol.parse("BTC/USD:USD"), quantity=Decimal("0.1"), entry_price=Decimal(60000)),
        Position(symbol=STAND_IN, quantity=Decimal(3), entry_price=Decimal(2)),
    ]

    async def ticker(symbol: Symbol) -> Any:
        if symbol == STAND_IN:
            raise UnknownSymbol(f"futures: no instrument {symbol}")
        return futures.tickers_now[symbol]

    def tickers(symbol: Symbol) -> Any:
        if symbol == STAND_IN:
            raise UnknownSymbol(f"futures: no instrument {symbol}")
        return futures._open(f"ticker {symbol}")

    futures.ticker, futures.tickers = ticker, tickers
    portfolio = Portfolio({"futures": futures}, within=0.1)
    async with aclosing(portfolio.updates()) as views:
        view = await anext(views)
    assert {(line.position.symbol, line.position.quantity) for line in view.positions} == {
        (Symbol.parse("BTC/USD:USD"), Decimal("0.1")),
        (STAND_IN, Decimal(3)),
    }
    assert not view.is_complete
