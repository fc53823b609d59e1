"""The plugin on its recordings: what it sends is compared field by field, what it makes of the answers digit by digit.

The recordings are made by ``make record``; the story that they tell is in ``tests/record_cassettes.py``.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.connector.auth import Credentials
from exchange_core.errors import InsufficientFunds, NotSupported, OrderNotFound, OrderRefused
from exchange_core.model.account import Balance, FeeRates
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    InstrumentsUpdate,
    OpenOrdersSnapshot,
    OrderUpdate,
    StatusUpdate,
    Subscribed,
    Subscription,
    VenueState,
)
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.instrument import Instrument
from exchange_core.model.market import Candle, Level, Ticker, Trade
from exchange_core.model.order import Order, OrderRequest, OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.storage.recording import frames
from exchange_core.testing.cassettes import CassettePlayer
from kraken_spot.plugin import KRAKEN_SPOT
from kraken_spot.rest import KrakenSpotRest

CASSETTES = Path(__file__).resolve().parents[2] / "cassettes" / "kraken_spot"
# Not those of the recording: signatures and nonces are the only things that may differ.
KEYS = Credentials(api_key="made-up", api_secret=b64encode(b"made up too").decode())

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


@pytest.fixture
async def player() -> CassettePlayer:
    """A client that knows the instruments."""
    player = CassettePlayer(KRAKEN_SPOT, CASSETTES, KEYS, "kraken")
    await player.run("instruments", lambda do: do.instruments())
    return player


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
        fees=(usd("33.596"),),
        created=PLACED + timedelta(seconds=11),
        updated=PLACED + timedelta(seconds=11),
    )


async def test_an_order_that_never_came_is_nowhere(run: Run) -> None:
    order = Order(request=BARE, client_order_id=client_id(7), created=PLACED + timedelta(seconds=21))
    assert await run("find_nowhere", lambda do: do.find(order)) is None


async def test_a_cancel(run: Run) -> None:
    assert await run("cancel", lambda do: do.cancel(sent(RESTS, RESTING))) is None


async def test_a_second_cancel_finds_nothing(run: Run) -> None:
    with pytest.raises(OrderNotFound) as refused:
        await run("cancel_again", lambda do: do.cancel(sent(RESTS, RESTING)))
    assert refused.value.codes == ("EOrder:Unknown order",)


# The account over REST.


async def test_balances(run: Run) -> None:
    # 50000 - 0.15 * 84010 - 50.406 + 0.1 * 83990 - 33.596
    assert await run("balances", lambda do: do.balances()) == [
        Balance(asset="USD", total=Decimal("45713.498"), held=Decimal(0), venue="kraken"),
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
            fee=usd("33.596"),
            liquidity=Liquidity.TAKER,
        ),
    ]


async def test_fees(run: Run) -> None:
    assert await run("fees", lambda do: do.fees(BTC)) == FeeRates(maker=Decimal("0.0025"), taker=Decimal("0.004"))


async def test_the_token_of_the_private_feed(player: CassettePlayer) -> None:
    login = KRAKEN_SPOT.feeds[1].make(player.context).login()
    assert login is not None
    assert await player.run("token", lambda _: login) == "SCRUBBED"


async def test_positions_are_not_asked_for(player: CassettePlayer) -> None:
    with pytest.raises(NotSupported):
        KrakenSpotRest(player.context).positions()


# WebSocket feeds.


def levels(*rows: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in rows)


def by_hand(depth: int) -> dict[str, list[Level]]:
    """Read a book off the frames in the plainest way."""
    sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}
    for frame in frames(CASSETTES / "feed" / f"book_{depth}.stream.jsonl"):
        message = json.loads(frame.raw, parse_float=Decimal)
        if message.get("channel") != "book":
            continue
        for side, rows in sides.items():
            if message["type"] == "snapshot":
                rows.clear()
            rows.update((row["price"], row["qty"]) for row in message["data"][0][side])
            best = sorted((price for price in rows if rows[price]), reverse=side == "bids")[:depth]
            sides[side] = {price: rows[price] for price in best}
    return {side: [Level(*row) for row in rows.items()] for side, rows in sides.items()}


@pytest.mark.parametrize(
    ("depth", "messages", "best_bid", "best_ask"),
    [
        (10, 113, "83989.0", "84005.9"),
        (25, 97, "83988.1", "84005.0"),
        (100, 97, "83977.3", "83994.2"),
        (500, 54, "83941.7", "83958.6"),
        (1000, 50, "84014.2", "84031.1"),
    ],
)
async def test_every_message_of_a_book_verifies(
    player: CassettePlayer, depth: int, messages: int, best_bid: str, best_ask: str
) -> None:
    feed, told = player.play(f"book_{depth}", [Subscription(Channel.BOOK, BTC, depth=depth)])
    views = [event for event in told if isinstance(event, OrderBook)]
    assert (feed.stats.books, feed.stats.verified, feed.stats.mismatches) == (messages, messages, 0)
    book = views[-1]
    assert (book.health, book.checked) == (BookHealth.LIVE, messages)
    assert {"bids": list(book.bids()), "asks": list(book.asks())} == by_hand(depth)
    assert (len(book.bids()), len(book.asks())) == (depth, depth)
    assert book.best_bid is not None
    assert book.best_ask is not None
    assert (str(book.best_bid.price), str(book.best_ask.price)) == (best_bid, best_ask)


async def test_ticker_and_trades_of_two_pairs(player: CassettePlayer) -> None:
    wanted = [Subscription(channel, symbol) for channel in (Channel.TICKER, Channel.TRADES) for symbol in (BTC, ETH)]
    _, told = player.play("ticker_and_trades", wanted)
    assert [event.subscription for event in told if isinstance(event, Subscribed)] == wanted
    tickers = [event for event in told if isinstance(event, Ticker)]
    assert next(ticker for ticker in tickers if ticker.symbol == BTC) == Ticker(
        symbol=BTC,
        bid=Decimal("83992.9"),
        bid_quantity=Decimal("0.10524699"),
        ask=Decimal("84009.8"),
        ask_quantity=Decimal("0.25616059"),
        last=Decimal("84003.4"),
        low=Decimal("83987.0"),
        high=Decimal("84003.4"),
        volume=Decimal("0.12022641"),
        vwap=Decimal("83991.5"),
        time=START,
    )
    trades = [event for event in told if isinstance(event, Trade)]
    for symbol in (BTC, ETH):
        numbers = [int(trade.id) for trade in trades if trade.symbol == symbol]
        assert numbers == list(range(1, len(numbers) + 1))
        newest = [trade for trade in trades if trade.symbol == symbol][-1]
        assert [ticker for ticker in tickers if ticker.symbol == symbol][-1].last == newest.price
    assert len(trades) == 23


async def test_a_bar_is_closed_by_the_next_one(player: CassettePlayer) -> None:
    wanted = [Subscription(Channel.CANDLES, BTC, interval=interval) for interval in (1, 5)]
    _, told = player.play("candles", wanted)
    bars = [event for event in told if isinstance(event, Candle)]
    assert [bar for bar in bars if bar.closed] == [
        Candle(
            symbol=BTC,
            interval=1,
            start=START,
            open=Decimal("83994.2"),
            high=Decimal("84013.4"),
            low=Decimal("83975.8"),
            close=Decimal("83999.5"),
            volume=Decimal("0.98582041"),
            vwap=Decimal("83993.0"),
            count=39,
            closed=True,
        )
    ]
    minute, five = ([bar for bar in bars if bar.interval == interval][-1] for interval in (1, 5))
    assert (minute.start, minute.volume) == (START + timedelta(minutes=1), Decimal("0.29566947"))
    # Every trade is in both.
    assert five.volume == Decimal("0.98582041") + minute.volume == Decimal("1.28148988")


async def test_the_instruments_are_those_of_the_rest_side(player: CassettePlayer) -> None:
    listed = list(player.context.symbols)
    _, told = player.play("instruments", [Subscription(Channel.STATUS), Subscription(Channel.INSTRUMENTS)])
    assert told[0] == StatusUpdate(state=VenueState.ONLINE, text="online")
    (update,) = (event for event in told if isinstance(event, InstrumentsUpdate))
    assert list(update.instruments) == listed


async def test_the_life_of_two_orders_as_the_account_hears_of_it(player: CassettePlayer) -> None:
    """One rests, is filled in two parts; one is canceled. Sums and fees agree with the balances."""
    wanted = [Subscription(channel) for channel in (Channel.ORDERS, Channel.FILLS, Channel.BALANCES)]
    _, told = player.play("account", wanted)
    (snapshot,) = (event for event in told if isinstance(event, OpenOrdersSnapshot))
    assert [(order.client_order_id, order.status) for order in snapshot.orders] == [(client_id(2), OrderStatus.OPEN)]
    assert [lifted(event) for event in told if isinstance(event, OrderUpdate)] == [
        (3, "pending", None),
        (3, "open", None),
        (3, "partially_filled", Decimal("0.01")),
        (3, "partially_filled", Decimal("0.03")),
        (3, "filled", Decimal("0.03")),
        (4, "pending", None),
        (4, "open", None),
        (4, "canceled", Decimal(0)),
    ]
    fills = [event for event in told if isinstance(event, Fill)]
    assert fills[0].client_order_id == client_id(1)  # before the connection was made: the snapshot tells it
    assert fills[1:] == [
        Fill(
            id=id_,
            symbol=BTC,
            side=Side.SELL,
            price=Decimal(84000),
            quantity=Decimal(quantity),
            time=PLACED + timedelta(seconds=second),
            venue="kraken",
            venue_order_id="OYVMB4-KXMBS-7X6KCZ",
            client_order_id=client_id(3),
            cost=Decimal(cost),
            fee=usd(fee),
            liquidity=Liquidity.MAKER,
        )
        for id_, quantity, cost, fee, second in (
            ("TUIYHG-6HQ7U-5G4VBU", "0.01", "840", "2.1", 2),
            ("TDKWOS-T546V-5IOQZ7", "0.02", "1680", "4.2", 3),
        )
    ]
    updates = [event for event in told if isinstance(event, BalancesUpdate)]
    assert [update.complete for update in updates] == [True, False, False, False, False]
    assert [(b.asset, b.total) for update in updates for b in update.balances if b.asset in ("USD", "BTC")] == [
        ("USD", Decimal("45782.698")),
        ("BTC", Decimal("1.05")),
        ("BTC", Decimal("1.04")),
        ("USD", Decimal("46620.598")),  # + 840 - 2.1
        ("BTC", Decimal("1.02")),
        ("USD", Decimal("48296.398")),  # + 1680 - 4.2
    ]


def lifted(update: OrderUpdate) -> tuple[int, str, Decimal | None]:
    """Return the number in our client id, where the order stands, and how much of it is done."""
    assert update.client_order_id is not None
    return int(update.client_order_id[-2:]), str(update.status), update.filled
