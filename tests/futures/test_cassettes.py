"""The plugin on its recordings: what it sends is compared field by field, what it makes of the answers digit by digit.

The recordings are made by ``make record``; the story that they tell is in ``tests/recording/futures.py``.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.errors import InsufficientFunds, OrderNotFound, OrderRefused
from exchange_core.model.account import Balance, Position
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    OpenOrdersSnapshot,
    OrderUpdate,
    PositionsUpdate,
    Subscribed,
    Subscription,
)
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Level, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.storage.recording import frames
from exchange_core.testing.cassettes import CassettePlayer

CASSETTES = Path(__file__).resolve().parents[2] / "cassettes" / "kraken_futures"

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
        Balance(asset="USD", total=Decimal("49987.49975"), held=Decimal("42.855"), wallet="flex", venue="futures"),
    ]


async def test_positions(run: Run) -> None:
    assert await run("positions", lambda do: do.positions()) == [
        Position(
            symbol=LINEAR,
            quantity=Decimal("0.05"),
            entry_price=Decimal(84010),
            mark_price=Decimal(84005),
            unrealised=Decimal("-0.25"),
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


# WebSocket feeds.


def levels(*rows: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in rows)


def by_hand(product: str) -> dict[str, list[Level]]:
    """Read a book off the frames in the plainest way."""
    sides: dict[str, dict[Decimal, Decimal]] = {"buy": {}, "sell": {}}
    for frame in frames(CASSETTES / "feed" / "book.stream.jsonl"):
        message = json.loads(frame.raw, parse_float=Decimal)
        if message.get("product_id") != product:
            continue
        if message["feed"] == "book_snapshot":
            for side, rows in (("buy", "bids"), ("sell", "asks")):
                sides[side] = {row["price"]: row["qty"] for row in message[rows]}
        elif message["feed"] == "book":
            sides[message["side"]][message["price"]] = message["qty"]
    return {
        side: [Level(price, rows[price]) for price in sorted(rows, reverse=side == "buy") if rows[price]]
        for side, rows in sides.items()
    }


async def test_two_books_on_one_connection_have_no_hole(player: CassettePlayer) -> None:
    wanted = [Subscription(Channel.BOOK, symbol) for symbol in (LINEAR, INVERSE)]
    feed, told = player.play("book", wanted)
    assert [event.subscription for event in told if isinstance(event, Subscribed)] == wanted
    books = {event.symbol: event for event in told if isinstance(event, OrderBook)}
    assert (feed.stats.books, feed.stats.verified, feed.stats.gaps) == (256, 256, 0)
    for symbol, product, checked, bid, ask in (
        (LINEAR, "PF_XBTUSD", 118, ("83963", "0.2784"), ("83980", "0.1833")),
        (INVERSE, "PI_XBTUSD", 138, ("83987.5", "14800"), ("84005", "30100")),
    ):
        book = books[symbol]
        assert (book.health, book.checked) == (BookHealth.LIVE, checked)
        assert {"buy": list(book.bids()), "sell": list(book.asks())} == by_hand(product)
        assert (book.best_bid, book.best_ask) == levels(bid, ask)


async def test_tickers_of_a_linear_and_an_inverse_contract(player: CassettePlayer) -> None:
    wanted = [Subscription(Channel.TICKER, symbol) for symbol in (LINEAR, INVERSE)]
    _, told = player.play("ticker", wanted)
    tickers = [event for event in told if isinstance(event, Ticker)]
    assert [(ticker.symbol, ticker.time) for ticker in tickers] == [
        (symbol, START + timedelta(seconds=second)) for second in range(5) for symbol in (LINEAR, INVERSE)
    ]
    assert tickers[-1] == Ticker(
        symbol=INVERSE,
        bid=Decimal("83987.5"),
        bid_quantity=Decimal(14800),
        ask=Decimal(84005),
        ask_quantity=Decimal(30100),
        last=Decimal(83981),
        low=Decimal(83973),
        high=Decimal("84005.5"),
        volume=Decimal(19292),
        mark_price=Decimal("83996.25"),
        index_price=Decimal("83996.335"),
        funding_rate=Decimal(0),
        next_funding_rate=Decimal("0.00000001084"),
        next_funding_time=START + timedelta(hours=1),
        open_interest=Decimal(10480),
        time=START + timedelta(seconds=4),
    )


async def test_trades_come_once_and_oldest_first(player: CassettePlayer) -> None:
    wanted = [Subscription(Channel.TRADES, symbol) for symbol in (LINEAR, INVERSE)]
    _, told = player.play("trades", wanted)
    trades = [event for event in told if isinstance(event, Trade)]
    assert len({trade.id for trade in trades}) == len(trades) == 22
    for symbol in (LINEAR, INVERSE):
        times = [trade.time for trade in trades if trade.symbol == symbol]
        assert times == sorted(times)
    assert trades[-1] == Trade(
        symbol=LINEAR,
        id="e0751bb6-df65-4069-9f88-cfac48ed8d7e",
        side=Side.SELL,
        price=Decimal(83965),
        quantity=Decimal("0.0327"),
        time=START + timedelta(seconds=3.75),
    )


async def test_the_life_of_two_orders_as_the_account_hears_of_it(player: CassettePlayer) -> None:
    """One rests, is filled in two parts; one is canceled. Sums, fees and the position agree."""
    wanted = [Subscription(channel) for channel in (Channel.ORDERS, Channel.FILLS, Channel.BALANCES, Channel.POSITIONS)]
    _, told = player.play("account", wanted)
    (snapshot,) = (event for event in told if isinstance(event, OpenOrdersSnapshot))
    assert [(order.client_order_id, order.status) for order in snapshot.orders] == [(client_id(2), OrderStatus.OPEN)]
    assert [lifted(event) for event in told if isinstance(event, OrderUpdate)] == [
        (3, "open", Decimal(0)),
        (3, "partially_filled", Decimal("0.01")),
        (3, "filled", Decimal("0.03")),
        (4, "open", Decimal(0)),
        (4, "canceled", None),
    ]
    fills = [event for event in told if isinstance(event, Fill)]
    assert fills[0].client_order_id == client_id(1)  # before the connection was made: the snapshot tells it
    assert fills[1:] == [
        Fill(
            id=id_,
            symbol=LINEAR,
            side=Side.SELL,
            price=Decimal(84000),
            quantity=Decimal(quantity),
            time=PLACED + timedelta(seconds=second),
            venue="futures",
            venue_order_id="5e617f8e-99ed-4ce7-83f8-670d3e361858",
            client_order_id=client_id(3),
            fee=Fee(asset="USD", amount=Decimal(fee)),
            liquidity=Liquidity.MAKER,
        )
        for id_, quantity, fee, second in (
            ("9c461cb5-d15b-47f2-ba77-5505e88e752f", "0.01", "0.168", 2),
            ("41536363-f672-4ba0-8329-c05b09e80319", "0.02", "0.336", 3),
        )
    ]
    updates = [event for event in told if isinstance(event, BalancesUpdate)]
    assert [update.complete for update in updates] == [True, False, False, False, False, False]
    assert [balance.total for update in updates for balance in update.balances if balance.asset == "USD"] == [
        Decimal("49997.89975"),
        Decimal("49997.89975"),
        Decimal("49997.63175"),  # - 0.01 * (84010 - 84000) - 0.168
        Decimal("49997.09575"),  # - 0.02 * (84010 - 84000) - 0.336
        Decimal("49997.09575"),
        Decimal("49997.09575"),
    ]
    positions = [event.positions for event in told if isinstance(event, PositionsUpdate)]
    assert [(position.quantity, position.entry_price) for (position,) in positions] == [
        (Decimal(quantity), Decimal(84010)) for quantity in ("0.05", "0.04", "0.02")
    ]


def lifted(update: OrderUpdate) -> tuple[int, str, Decimal | None]:
    """Return the number in our client id, where the order stands, and how much of it is done."""
    assert update.client_order_id is not None
    return int(update.client_order_id[-2:]), str(update.status), update.filled
