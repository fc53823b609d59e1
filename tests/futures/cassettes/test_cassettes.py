"""The plugin on its recordings: what it sends is compared field by field, what it makes of the answers digit by digit.

The recordings are made by ``make record``; the story that they tell is in ``tests/recording/futures.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.errors import InsufficientFunds, OrderNotFound, OrderRefused
from exchange_core.model.account import Balance, Position
from exchange_core.model.fill import Fill, Liquidity
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Level, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest, OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes" / "kraken_futures"

LINEAR, INVERSE = Symbol("BTC", "USD", "USD"), Symbol("BTC", "USD", "BTC")
START = datetime(2026, 1, 1, tzinfo=UTC)
PLACED = START + timedelta(seconds=75)
RESTING, POSTED = "050684bf-e286-452c-bf76-9e374ddc74c8", "feef16e9-64ef-4ebe-aff3-600735f11af2"
CANCELED, FILLED = "2577c1ec-fd42-4044-8ac7-93f519af685d", "20918fa7-7405-4241-9f45-2c075f27ff08"

Run = Callable[..., Awaitable[Any]]


def client_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def limit(number: int, side: Side, quantity: str, price: str, **options: Any) -> OrderRequest:
    words = {"client_order_id": client_id(number), "deadline": PLACED + timedelta(seconds=5), **options}
    return OrderRequest(symbol=LINEAR, side=side, quantity=Decimal(quantity), price=Decimal(price), **words)


RESTS = limit(1, Side.BUY, "0.01", "83000")
POST = limit(2, Side.SELL, "0.02", "85000", post_only=True)
IOC = limit(5, Side.BUY, "0.3", "84010", time_in_force="ioc", deadline=PLACED + timedelta(seconds=15))
MARKET = OrderRequest(
    symbol=LINEAR,
    side=Side.SELL,
    quantity=Decimal("0.1"),
    client_order_id=client_id(6),
    deadline=PLACED + timedelta(seconds=16),
)
# Without a client id of ours.
BARE = attrs.evolve(RESTS, client_order_id=None, deadline=None)


def taken(request: OrderRequest, venue_order_id: str, status: OrderStatus, seconds: int = 0, **outcome: Any) -> Order:
    return Order(
        request=request,
        venue="futures",
        status=status,
        venue_order_id=venue_order_id,
        client_order_id=request.client_order_id,
        created=PLACED + timedelta(seconds=seconds),
        updated=PLACED + timedelta(seconds=seconds),
        **outcome,
    )


RESTS_NOW = taken(RESTS, RESTING, OrderStatus.OPEN)
POST_NOW = taken(POST, POSTED, OrderStatus.OPEN)
HALF = {"filled": Decimal("0.15"), "average_price": Decimal(84010)}
IOC_NOW = taken(IOC, CANCELED, OrderStatus.CANCELED, 10, **HALF)
WHOLE = {"filled": Decimal("0.1"), "average_price": Decimal(83990)}
MARKET_NOW = taken(MARKET, FILLED, OrderStatus.FILLED, 11, **WHOLE)


def levels(*rows: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in rows)


@pytest.fixture
def run(player: CassettePlayer) -> Run:
    return player.run


# Market data over REST.


async def test_instruments(run: Run) -> None:
    found = await run("instruments", lambda do: do.instruments())
    names = ["BTC/USD:USD", "ETH/USD:USD", "BTC/USD:BTC", "BTC/USD:USD-261225"]
    assert [str(instrument.symbol) for instrument in found] == names
    assert found[3] == Instrument(
        symbol=Symbol("BTC", "USD", "USD", date(2026, 12, 25)),
        venue_id="FF_XBTUSD_261225",
        tick_size=Decimal(1),
        lot_size=Decimal("0.0001"),
        min_quantity=Decimal("0.0001"),
        expiry=datetime(2026, 12, 25, 8, tzinfo=UTC),
    )


async def test_ticker(run: Run) -> None:
    assert await run("ticker", lambda do: do.ticker(LINEAR)) == Ticker(
        symbol=LINEAR,
        bid=Decimal(83990),
        bid_quantity=Decimal("0.25"),
        ask=Decimal(84010),
        ask_quantity=Decimal("0.15"),
        last=Decimal(84010),
        low=Decimal(83990),
        high=Decimal(84010),
        volume=Decimal("0.5"),
        mark_price=Decimal(84000),
        index_price=Decimal(84000),
        funding_rate=Decimal(0),
        next_funding_rate=Decimal(0),
        open_interest=Decimal("0.2"),
        time=PLACED,
    )


async def test_book(run: Run) -> None:
    book = await run("book", lambda do: do.book(LINEAR, 5))
    assert book.bids == levels(("83990", "0.25"), ("83980", "1.5"), ("83950", "2"))
    assert book.asks == levels(("84010", "0.15"), ("84020", "1"), ("84050", "2"))
    assert book.time == PLACED


async def test_the_latest_trades_come_oldest_first(run: Run) -> None:
    assert await run("trades", lambda do: do.trades(LINEAR, 2)) == [
        Trade(
            symbol=LINEAR,
            id="03e0d681-5524-44f1-8fab-6f3e164f1513",
            side=Side.SELL,
            price=Decimal(83990),
            quantity=Decimal("0.15"),
            time=START + timedelta(seconds=30),
        ),
        Trade(
            symbol=LINEAR,
            id="c4ff64de-bb5d-4b48-bc3b-66fa30d0b194",
            side=Side.BUY,
            price=Decimal(84010),
            quantity=Decimal("0.25"),
            time=PLACED,
        ),
    ]


async def test_candles(run: Run) -> None:
    first, second = await run("candles", lambda do: do.candles(LINEAR, 1, None))
    assert first == Candle(
        symbol=LINEAR,
        interval=1,
        start=START,
        open=Decimal(84010),
        high=Decimal(84010),
        low=Decimal(83990),
        close=Decimal(83990),
        volume=Decimal("0.25"),
        closed=True,
    )
    assert (second.start, second.close, second.closed) == (START + timedelta(minutes=1), Decimal(84010), False)


# Orders over REST.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("place_limit", RESTS_NOW),
        ("place_post_only", POST_NOW),
        ("place_ioc", IOC_NOW),
        ("place_market", MARKET_NOW),
    ],
)
async def test_an_order_that_is_taken(run: Run, name: str, expected: Order) -> None:
    assert await run(name, lambda do: do.place(expected.request)) == expected


@pytest.mark.parametrize(
    ("name", "request_", "error", "code"),
    [
        ("place_without_funds", limit(4, Side.BUY, "900", "83000"), InsufficientFunds, "insufficientAvailableFunds"),
        (
            "place_post_only_taking",
            limit(8, Side.BUY, "0.01", "84010", post_only=True),
            OrderRefused,
            "postWouldExecute",
        ),
    ],
)
async def test_an_order_that_is_refused(
    run: Run, name: str, request_: OrderRequest, error: type[OrderRefused], code: str
) -> None:
    with pytest.raises(error) as refused:
        await run(name, lambda do: do.place(request_))
    assert type(refused.value) is error
    assert refused.value.codes == (code,)


async def test_open_orders(run: Run) -> None:
    # An order that rests is listed as a limit order, post-only or not.
    shown = [attrs.evolve(request, deadline=None, post_only=False) for request in (RESTS, POST)]
    assert await run("open_orders", lambda do: do.open_orders()) == [
        taken(shown[0], RESTING, OrderStatus.OPEN),
        taken(shown[1], POSTED, OrderStatus.OPEN),
    ]


async def test_an_order_is_found_by_the_venues_id(run: Run) -> None:
    found = await run("find_by_venue_id", lambda do: do.find(Order(request=BARE, venue_order_id=RESTING)))
    assert found == attrs.evolve(taken(BARE, RESTING, OrderStatus.OPEN), created=None)


async def test_an_open_order_is_found_by_our_id(run: Run) -> None:
    found = await run("find_by_client_id", lambda do: do.find(attrs.evolve(POST_NOW, venue_order_id=None)))
    assert found == POST_NOW


async def test_an_order_that_ended_half_done_is_found_by_our_id(run: Run) -> None:
    found = await run("find_canceled", lambda do: do.find(attrs.evolve(IOC_NOW, venue_order_id=None)))
    assert found == attrs.evolve(IOC_NOW, reason="cancelled_by_user")


async def test_a_filled_order_is_found_by_our_id(run: Run) -> None:
    found = await run("find_filled", lambda do: do.find(attrs.evolve(MARKET_NOW, venue_order_id=None)))
    assert found == MARKET_NOW


async def test_an_order_that_never_came_is_nowhere(run: Run) -> None:
    order = Order(request=BARE, client_order_id=client_id(7), created=PLACED + timedelta(seconds=21))
    assert await run("find_nowhere", lambda do: do.find(order)) is None


async def test_an_order_that_is_over_is_known_by_its_id_alone(run: Run) -> None:
    canceled = await run("look_up_by_venue_id", lambda do: do.look_up(RESTING))
    assert canceled == attrs.evolve(
        RESTS_NOW,
        request=attrs.evolve(RESTS_NOW.request, deadline=None),
        status=OrderStatus.CANCELED,
        reason="CANCELLED_BY_USER",
        updated=PLACED + timedelta(seconds=21),
    )
    filled = await run("look_up_by_client_id", lambda do: do.look_up(client_id(6)))
    assert (filled.venue_order_id, filled.status, filled.filled) == (FILLED, OrderStatus.FILLED, Decimal("0.1"))
    assert (filled.request.type, filled.price) == (OrderType.MARKET, None)
    assert await run("look_up_nowhere", lambda do: do.look_up(client_id(7))) is None


async def test_a_cancel(run: Run) -> None:
    assert await run("cancel", lambda do: do.cancel(RESTS_NOW)) is None


async def test_a_second_cancel_finds_nothing(run: Run) -> None:
    with pytest.raises(OrderNotFound) as refused:
        await run("cancel_again", lambda do: do.cancel(RESTS_NOW))
    assert refused.value.codes == ("notFound",)


# The account over REST.


async def test_balances(run: Run) -> None:
    # Paid from 50000: 0.05 % of 0.15 * 84010 and of 0.1 * 83990, and 20 lost on each of 0.1.
    assert await run("balances", lambda do: do.balances()) == [
        Balance(asset="BTC", total=Decimal("0.5"), held=Decimal(0), wallet="fi_xbtusd", venue="futures"),
        Balance(asset="USD", total=Decimal("49987.49975"), held=Decimal("43.105"), wallet="flex", venue="futures"),
    ]


async def test_positions(run: Run) -> None:
    assert await run("positions", lambda do: do.positions()) == [
        Position(
            symbol=LINEAR,
            quantity=Decimal("0.05"),
            entry_price=Decimal(84010),
            mark_price=Decimal(84005),
            unrealised=Decimal("-0.25"),
            unrealised_funding=Decimal(0),
            venue="futures",
        )
    ]


async def test_fills_come_oldest_first(run: Run) -> None:
    assert await run("fills", lambda do: do.fills(START)) == [
        Fill(
            id=id_,
            symbol=LINEAR,
            side=order.side,
            price=order.average_price or Decimal(0),
            quantity=order.filled,
            time=order.created or START,
            venue="futures",
            venue_order_id=order.venue_order_id,
            client_order_id=order.client_order_id,
            liquidity=Liquidity.TAKER,
        )
        for id_, order in (
            ("d48dd9f3-5436-4c21-9c3e-cb54c5cefdd8", IOC_NOW),
            ("62d74145-ddd4-4054-a2bf-b8e0931719fd", MARKET_NOW),
        )
    ]
