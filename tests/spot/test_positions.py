"""Margin positions in the framework's words, and in the portfolio."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.partial import left_out
from exchange_core.errors import AuthenticationError, NotSupported
from exchange_core.model.symbol import Symbol
from exchange_core.portfolio.prices import PriceTable
from exchange_core.portfolio.valuation import value
from kraken_spot.rest.operations import KrakenSpotRest

BTC = Symbol("BTC", "USD")


def row(**changes: Any) -> dict[str, Any]:
    return {
        "pair": "XXBTZUSD",
        "type": "buy",
        "cost": "100000",
        "fee": "0.2",
        "vol": "2",
        "vol_closed": "0",
        "margin": "20000",
        "value": "120000",
        "net": "+20000",
        **changes,
    }


def test_those_of_a_market_are_one_with_the_profit_of_all(rest: KrakenSpotRest, run: Any) -> None:
    """Two long at 50,000, and one of two left at 56,000: three, which cost 156,000."""
    half = row(cost="112000", vol_closed="1", margin="11200", value="60000", net="+4000")
    (position,) = run(rest.positions(), {"A": row(), "B": half})
    assert run.calls[0].params == {"txid": None, "docalcs": True}
    assert (position.symbol, position.quantity, position.entry_price) == (BTC, Decimal(3), Decimal(52000))
    assert (position.mark_price, position.unrealised) == (Decimal(60000), Decimal(24000))
    assert position.initial_margin == Decimal(31200)


def test_a_short_one_is_below_zero(rest: KrakenSpotRest, run: Any) -> None:
    (position,) = run(rest.positions(), {"A": row(type="sell", net="-20000")})
    assert (position.quantity, position.entry_price, position.mark_price) == (
        Decimal(-2),
        Decimal(50000),
        Decimal(60000),
    )
    assert position.unrealised == Decimal(-20000)


def test_what_is_closed_is_none(rest: KrakenSpotRest, run: Any) -> None:
    assert run(rest.positions(), {"A": row(vol_closed="2")}) == []
    assert run(rest.positions(), {}) == []


def test_one_that_does_not_read_is_not_taken_for_gone(rest: KrakenSpotRest, run: Any) -> None:
    found = run(rest.positions(), {"A": row(), "B": row(vol="many")})
    assert len(found) == 1
    assert len(left_out(found)) == 1


def test_a_key_for_balances_alone_says_what_it_lacks(rest: KrakenSpotRest, run: Any) -> None:
    with pytest.raises(NotSupported, match="kraken: this key may not read margin positions"):
        run(rest.positions(), AuthenticationError("no", codes=["EGeneral:Permission denied"]))
    with pytest.raises(AuthenticationError):
        run(rest.positions(), AuthenticationError("no", codes=["EAPI:Invalid key"]))


def test_the_portfolio_counts_their_profit_in_the_quote_asset(rest: KrakenSpotRest, run: Any) -> None:
    (position,) = run(rest.positions(), {"A": row()})
    instruments = {("kraken", BTC): rest._context.symbols.instrument(BTC)}
    view = value(
        balances=[],
        positions=[position],
        prices=PriceTable({}),
        instruments=instruments,
        currency="USD",
        time=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert [(line.settle, line.unrealised, line.value) for line in view.positions] == [("USD", 20000, 20000)]
