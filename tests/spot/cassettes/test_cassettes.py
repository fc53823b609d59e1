"""The plugin on its recordings: what it sends is compared field by field, what it makes of the answers digit by digit.

The recordings are made by ``make record``; the story that they tell is in ``tests/recording/spot.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.errors import InsufficientFunds, OrderNotFound, OrderRefused
from exchange_core.model.account import Balance, FeeRates
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Level, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer
from kraken_spot.plugin import KRAKEN_SPOT

BTC, ETH = Symbol("BTC", "USD"), Symbol("ETH", "USD")
START = datetime(2026, 1, 1, tzinfo=UTC)
PLACED = START + timedelta(seconds=75)
RESTING, POSTED, CANCELED, FILLED = (
    *("OII5DX-XYF25-ME4K4R", "OWLYNY-FMGXF-CZKJPD", "OA4L7U-4TBHI-66VJKG", "OXMBS7-X6KCZ-4HNXPI"),
)

Run = Callable[..., Awaitable[Any]]


def client_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def limit(number: int, side: Side, quantity: str, price: str, **options: Any) -> OrderRequest:
    words = {"client_order_id": client_id(number), "deadline": PLACED + timedelta(seconds=5), **options}
    return OrderRequest(symbol=BTC, side=side, quantity=Decimal(quantity), price=Decimal(price), **words)


RESTS = limit(1, Side.BUY, "0.01", "83000")
POST = limit(2, Side.SELL, "0.02", "85000", post_only=True)
IOC = limit(5, Side.BUY, "0.3", "84010", time_in_force="ioc", deadline=PLACED + timedelta(seconds=15))
MARKET = OrderRequest(
    symbol=BTC,
    side=Side.SELL,
    quantity=Decimal("0.1"),
    client_order_id=client_id(6),
    deadline=PLACED + timedelta(seconds=16),
)
# Nothing but what the venue tells again: no client id of ours.
BARE = attrs.evolve(RESTS, client_order_id=None, deadline=None)


def sent(request: OrderRequest, venue_order_id: str) -> Order:
    """Return an order that was taken: AddOrder tells no more."""
    return Order(
        request=request, venue="kraken", venue_order_id=venue_order_id, client_order_id=request.client_order_id
    )


def usd(amount: str) -> Fee:
    return Fee(asset="USD", amount=Decimal(amount))


def levels(*rows: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in rows)


@pytest.fixture
def run(player: CassettePlayer) -> Run:
    return player.run


# Market data over REST.


async def test_instruments(run: Run) -> None:
    found = await run("instruments", lambda do: do.instruments())
    assert [str(instrument.symbol) for instrument in found] == ["BTC/USD", "ETH/USD", "ETH/BTC", "SOL/USD", "BTC/EUR"]
    assert found[2] == Instrument(
        symbol=Symbol("ETH", "BTC"),
        venue_id="ETHXBT",
        tick_size=Decimal("0.000001"),
        lot_size=Decimal("0.00000001"),
        min_quantity=Decimal("0.001"),
        min_cost=Decimal("0.00002"),
    )


async def test_ticker(run: Run) -> None:
    assert await run("ticker", lambda do: do.ticker(BTC)) == Ticker(
        symbol=BTC,
        bid=Decimal(83990),
        # The venue tells whole lots here.
        bid_quantity=Decimal(1),
        ask=Decimal(84010),
        ask_quantity=Decimal(1),
        last=Decimal(84010),
        low=Decimal(83990),
        high=Decimal(84010),
        volume=Decimal("0.5"),
        vwap=Decimal(84004),
    )


async def test_book(run: Run) -> None:
    book = await run("book", lambda do: do.book(BTC, 5))
    assert book.bids == levels(("83990", "0.25"), ("83980", "1.5"), ("83950", "2"))
    assert book.asks == levels(("84010", "0.15"), ("84020", "1"), ("84050", "2"))
    assert book.time == PLACED


async def test_the_latest_trades_come_oldest_first(run: Run) -> None:
    assert await run("trades", lambda do: do.trades(BTC, 2)) == [
        Trade(
            symbol=BTC,
            id="2",
            side=Side.SELL,
            price=Decimal(83990),
            quantity=Decimal("0.15"),
            time=START + timedelta(seconds=30),
        ),
        Trade(symbol=BTC, id="3", side=Side.BUY, price=Decimal(84010), quantity=Decimal("0.25"), time=PLACED),
    ]


async def test_candles(run: Run) -> None:
    first, second = await run("candles", lambda do: do.candles(BTC, 1, None))
    assert first == Candle(
        symbol=BTC,
        interval=1,
        start=START,
        open=Decimal(84010),
        high=Decimal(84010),
        low=Decimal(83990),
        close=Decimal(83990),
        volume=Decimal("0.25"),
        vwap=Decimal(83998),
        count=2,
        closed=True,
    )
    assert (second.start, second.close, second.closed) == (START + timedelta(minutes=1), Decimal(84010), False)


# Orders over REST.


@pytest.mark.parametrize(
    ("name", "request_", "venue_order_id"),
    [
        ("place_limit", RESTS, RESTING),
        ("place_post_only", POST, POSTED),
        ("place_ioc", IOC, CANCELED),
        ("place_market", MARKET, FILLED),
    ],
)
async def test_an_order_that_is_taken(run: Run, name: str, request_: OrderRequest, venue_order_id: str) -> None:
    assert await run(name, lambda do: do.place(request_)) == sent(request_, venue_order_id)


@pytest.mark.parametrize(
    ("name", "request_", "error", "code"),
    [
        (
            "place_without_funds",
            limit(4, Side.BUY, "900", "83000"),
            InsufficientFunds,
            "EOrder:Insufficient funds",
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
    assert await run("open_orders", lambda do: do.open_orders()) == [
        attrs.evolve(
            sent(attrs.evolve(request, deadline=None), venue_order_id), status=OrderStatus.OPEN, created=PLACED
        )
        for request, venue_order_id in ((RESTS, RESTING), (POST, POSTED))
    ]


async def test_an_order_is_found_by_the_venues_id(run: Run) -> None:
    found = await run("find_by_venue_id", lambda do: do.find(Order(request=BARE, venue_order_id=RESTING)))
    assert found == Order(
        request=BARE,
        venue="kraken",
        status=OrderStatus.OPEN,
        venue_order_id=RESTING,
        client_order_id=client_id(1),
        created=PLACED,
    )


async def test_an_open_order_is_found_by_our_id(run: Run) -> None:
    order = attrs.evolve(sent(POST, POSTED), venue_order_id=None)
    found = await run("find_by_client_id", lambda do: do.find(order))
    assert found == attrs.evolve(sent(POST, POSTED), status=OrderStatus.OPEN, created=PLACED)


async def test_an_order_that_ended_half_done_is_found_by_our_id(run: Run) -> None:
    order = attrs.evolve(sent(IOC, CANCELED), venue_order_id=None)
    assert await run("find_canceled", lambda do: do.find(order)) == attrs.evolve(
        sent(IOC, CANCELED),
        status=OrderStatus.CANCELED,
        filled=Decimal("0.15"),
        average_price=Decimal(84010),
        fees=(usd("50.406"),),
        reason="Immediate or cancel",
        created=PLACED + timedelta(seconds=10),
        updated=PLACED + timedelta(seconds=10),
    )


async def test_a_filled_order_is_found_by_our_id(run: Run) -> None:
    order = attrs.evolve(sent(MARKET, FILLED), venue_order_id=None)
    assert await run("find_filled", lambda do: do.find(order)) == attrs.evolve(
        sent(MARKET, FILLED),
        status=OrderStatus.FILLED,
        filled=Decimal("0.1"),
        average_price=Decimal(83990),
        fees=(usd("29.3965"),),
        created=PLACED + timedelta(seconds=11),
        updated=PLACED + timedelta(seconds=11),
    )


async def test_an_order_that_never_came_is_nowhere(run: Run) -> None:
    order = Order(request=BARE, client_order_id=client_id(7), created=PLACED + timedelta(seconds=21))
    assert await run("find_nowhere", lambda do: do.find(order)) is None


async def test_an_order_that_is_over_is_known_by_its_id_alone(run: Run) -> None:
    canceled = await run("look_up_by_venue_id", lambda do: do.look_up(RESTING))
    assert canceled == Order(
        request=attrs.evolve(RESTS, deadline=None),
        venue="kraken",
        status=OrderStatus.CANCELED,
        venue_order_id=RESTING,
        client_order_id=client_id(1),
        reason="User requested",
        created=PLACED,
        updated=PLACED + timedelta(seconds=21),
    )
    filled = await run("look_up_by_client_id", lambda do: do.look_up(client_id(6)))
    assert (filled.venue_order_id, filled.status, filled.filled) == (FILLED, OrderStatus.FILLED, Decimal("0.1"))
    assert await run("look_up_nowhere", lambda do: do.look_up(client_id(7))) is None


async def test_a_cancel(run: Run) -> None:
    assert await run("cancel", lambda do: do.cancel(sent(RESTS, RESTING))) is None


async def test_a_second_cancel_finds_nothing(run: Run) -> None:
    with pytest.raises(OrderNotFound) as refused:
        await run("cancel_again", lambda do: do.cancel(sent(RESTS, RESTING)))
    assert refused.value.codes == ("EOrder:Unknown order",)


# The account over REST.


async def test_balances(run: Run) -> None:
    # 50000 - 0.15 * 84010 - 50.406 + 0.1 * 83990 - 29.3965: 0.4 %, and 0.35 % after the first 10000 dollars
    assert await run("balances", lambda do: do.balances()) == [
        Balance(asset="USD", total=Decimal("45717.6975"), held=Decimal(0), venue="kraken"),
        Balance(asset="EUR", total=Decimal(20000), held=Decimal(0), venue="kraken"),
        Balance(asset="BTC", total=Decimal("1.05"), held=Decimal("0.02"), venue="kraken"),
        Balance(asset="ETH", total=Decimal(10), held=Decimal(0), venue="kraken"),
        Balance(asset="SOL", total=Decimal(100), held=Decimal(0), venue="kraken"),
    ]


async def test_fills_come_oldest_first(run: Run) -> None:
    assert await run("fills", lambda do: do.fills(START)) == [
        Fill(
            id="T7SADT-DXHIO-MQBYGU",
            symbol=BTC,
            side=Side.BUY,
            price=Decimal(84010),
            quantity=Decimal("0.15"),
            time=PLACED + timedelta(seconds=10),
            venue="kraken",
            venue_order_id=CANCELED,
            cost=Decimal("12601.5"),
            fee=usd("50.406"),
            liquidity=Liquidity.TAKER,
        ),
        Fill(
            id="TTWDBT-NODG3-BLQEDL",
            symbol=BTC,
            side=Side.SELL,
            price=Decimal(83990),
            quantity=Decimal("0.1"),
            time=PLACED + timedelta(seconds=11),
            venue="kraken",
            venue_order_id=FILLED,
            cost=Decimal(8399),
            fee=usd("29.3965"),
            liquidity=Liquidity.TAKER,
        ),
    ]


async def test_fees(run: Run) -> None:
    assert await run("fees", lambda do: do.fees(BTC)) == FeeRates(maker=Decimal("0.002"), taker=Decimal("0.0035"))


async def test_the_token_of_the_private_feed(player: CassettePlayer) -> None:
    login = KRAKEN_SPOT.feeds[1].make(player.context).login()
    assert login is not None
    assert await player.run("token", lambda _: login) == "SCRUBBED"


async def test_margin_positions_of_a_market_are_one(run: Run) -> None:
    (position,) = await run("positions", lambda do: do.positions())
    assert (position.symbol, position.quantity, position.venue) == (BTC, Decimal("0.06"), "kraken")
    assert position.entry_price > 0
    assert position.mark_price is not None
