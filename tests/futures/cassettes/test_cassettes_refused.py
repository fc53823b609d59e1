"""Recorded refusals of Kraken Futures in all the shapes in which it says no: each is the right error, with its word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import (
    AuthenticationError,
    BadRequest,
    ExchangeError,
    InsufficientFunds,
    OrderNotFound,
    OrderRefused,
    RateLimited,
)
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit
from kraken_futures.rest.charts import Analytics, Resolution

BTC, COIN, DATED = "BTC/USD:USD", "BTC/USD:BTC", "BTC/USD:USD-261225"
START = datetime(2026, 1, 1, tzinfo=UTC)
UNKNOWN = "00000000-0000-4000-8000-00000000ffff"
MASTER, SUB = "86fb818d-9e92-5942-a62a-b31717e7a536", "53e7ef6e-cf33-5838-a63b-24ca79094124"
EDITED = "050684bf-e286-452c-bf76-9e374ddc74c8"


def client_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def send(number: int, quantity: str, price: str, kind: str = "lmt", **terms: Any) -> Callable[[Any], Any]:
    order = FuturesOrder(
        symbol=BTC,
        side="buy",
        quantity=quantity,
        kind=kind,
        limit_price=price,
        client_order_id=client_id(number),
        **terms,
    )
    return lambda do: do.orders.send(order)


def assign(do: Any) -> Any:
    terms: dict[str, Any] = {"accept_long": True, "accept_short": False, "max_size": "5", "max_position": "10.5"}
    return do.programs.add_assignment("no_such_type", **terms)


def simulate(do: Any) -> Any:
    return do.programs.simulate_margin({"positions": [{"instrument": "NO_SUCH", "size": Decimal(1)}]})


def between(do: Any) -> Any:
    return do.wallets.transfer_between_accounts(SUB, MASTER, "cash", "cash", "xbt", "0.06")


NO_FUNDS = "insufficientAvailableFunds"
WRONG_KEY = "authenticationError"
Case = tuple[Callable[[Any], Any], type[ExchangeError], tuple[str, ...]]
REFUSED: dict[str, Case] = {
    "orders.send.refused.funds": (send(11, "900", "83000"), InsufficientFunds, (NO_FUNDS,)),
    "orders.send.refused.post": (send(12, "0.01", "84020", "post"), OrderRefused, ("postWouldExecute",)),
    "orders.send.refused.fok": (send(13, "5", "84020", "fok"), OrderRefused, ("iocWouldNotExecute",)),
    "orders.send.refused.ioc": (send(14, "0.01", "83000", "ioc"), OrderRefused, ("iocWouldNotExecute",)),
    "orders.send.refused.collar": (send(15, "0.01", "400000"), OrderRefused, ("outsidePriceCollar",)),
    "orders.send.refused.known": (send(1, "0.01", "83000"), OrderRefused, ("clientOrderIdAlreadyExist",)),
    "orders.send.refused.reduce_only": (
        send(16, "0.01", "83000", reduce_only=True),
        OrderRefused,
        ("wouldNotReducePosition",),
    ),
    "orders.send.refused.contract": (send(1, "1", "83000"), OrderRefused, ("invalidArgument: symbol",)),
    "orders.send.refused.key": (send(1, "1", "83000"), AuthenticationError, (WRONG_KEY,)),
    "orders.send.refused.limit": (send(1, "0.01", "83000"), RateLimited, ("apiLimitExceeded",)),
    "orders.edit.refused.funds": (
        lambda do: do.orders.edit(OrderEdit(order_id=EDITED, quantity="900")),
        InsufficientFunds,
        (NO_FUNDS,),
    ),
    "orders.edit.refused.unknown": (
        lambda do: do.orders.edit(OrderEdit(client_order_id=client_id(9), quantity="1")),
        OrderNotFound,
        ("orderForEditNotFound",),
    ),
    "orders.cancel.refused": (
        lambda do: do.orders.cancel(OrderCancel(client_order_id=client_id(1))),
        OrderNotFound,
        ("notFound",),
    ),
    "orders.cancel_all.refused": (lambda do: do.orders.cancel_all(BTC), AuthenticationError, (WRONG_KEY,)),
    "settings.set_leverage.refused": (
        lambda do: do.settings.set_leverage(COIN, 5),
        BadRequest,
        ("CONTRACT_NOT_MULTI_COLLATERAL", "88"),
    ),
    "settings.set_leverage.too_high": (
        lambda do: do.settings.set_leverage(BTC, 1000),
        BadRequest,
        ("invalidArgument: maxLeverage",),
    ),
    "settings.set_pnl_asset.refused": (
        lambda do: do.settings.set_pnl_asset(BTC, "NOSUCH"),
        BadRequest,
        ("CURRENCY_DOES_NOT_EXIST", "89"),
    ),
    "wallets.transfer.refused": (
        lambda do: do.wallets.transfer("fi_xbtusd", "cash", "xbt", "10"),
        InsufficientFunds,
        ("insufficientFunds",),
    ),
    "wallets.transfer.nowhere": (
        lambda do: do.wallets.transfer("flex", "no_such_wallet", "usd", "1"),
        BadRequest,
        ("invalidAccount",),
    ),
    "wallets.transfer_between_accounts.refused": (between, InsufficientFunds, ("insufficientFunds",)),
    "wallets.withdraw.refused": (
        lambda do: do.wallets.withdraw("xbt", "0.1"),
        InsufficientFunds,
        ("insufficientFunds",),
    ),
    "wallets.withdraw.refused.key": (
        lambda do: do.wallets.withdraw("usd", "1", "flex"),
        AuthenticationError,
        (WRONG_KEY,),
    ),
    "wallets.trading_enabled.refused": (
        lambda do: do.wallets.trading_enabled(UNKNOWN),
        BadRequest,
        ("notFound",),
    ),
    "programs.add_assignment.refused": (assign, BadRequest, ("invalidArgument: contractType",)),
    "programs.delete_assignment.refused": (
        lambda do: do.programs.delete_assignment(1),
        BadRequest,
        ("notFound",),
    ),
    "programs.simulate_margin.refused": (simulate, BadRequest, ("invalidArgument: json",)),
    "account.wallets.refused": (lambda do: do.account.wallets(), AuthenticationError, (WRONG_KEY,)),
    "history.account_log.refused": (
        lambda do: do.history.account_log().page(),
        AuthenticationError,
        (WRONG_KEY,),
    ),
    "history.executions.refused": (
        lambda do: do.history.executions(BTC).page(),
        BadRequest,
        ("invalidArgument: tradeable",),
    ),
    "history.market_executions.refused": (
        lambda do: do.history.market_executions(BTC).page(),
        BadRequest,
        ("notFound",),
    ),
    "market.ticker.refused": (lambda do: do.market.ticker(BTC), BadRequest, ("notFound",)),
    "market.status.refused": (lambda do: do.market.status(BTC), BadRequest, ("notFound",)),
    "market.trades.refused": (
        lambda do: do.market.trades(BTC).page(),
        BadRequest,
        ("Argument invalid: symbol", "11"),
    ),
    "market.funding_rates.refused": (
        lambda do: do.market.funding_rates(DATED),
        BadRequest,
        ("invalidArgument: symbol",),
    ),
    "charts.resolutions.refused": (lambda do: do.charts.resolutions(BTC), BadRequest, ("400",)),
    "charts.candles.refused": (
        lambda do: do.charts.candles(BTC, Resolution.HOUR).page(),
        BadRequest,
        ("400",),
    ),
    "charts.analytics.refused": (
        lambda do: do.charts.analytics(BTC, Analytics.CVD, since=START, interval=60).page(),
        BadRequest,
        ("unknown symbol",),
    ),
    "book_refused": (
        lambda do: do.book(Symbol.parse(BTC), None),
        BadRequest,
        ("Argument invalid: symbol", "11"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refusal(player: CassettePlayer, name: str) -> None:
    choose, error, codes = REFUSED[name]
    with pytest.raises(error) as refused:
        await player.run(name, choose)
    assert type(refused.value) is error
    assert refused.value.codes == codes
