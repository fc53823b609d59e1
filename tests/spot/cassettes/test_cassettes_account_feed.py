"""Recorded lives of orders, as the account hears of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from exchange_core.model.event import BalancesUpdate, Channel, OpenOrdersSnapshot, OrderUpdate, Subscription
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.order import OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.storage.recording import frames
from exchange_core.testing.cassettes import CassettePlayer
from kraken_spot.feed.account import EXEC_TYPES

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes" / "kraken_spot"
BTC = Symbol("BTC", "USD")
PLACED = datetime(2026, 1, 1, 0, 1, 15, tzinfo=UTC)
NOT_RECORDED = {"restated"}
"""Kinds of executions that the simulated exchange does not tell: it restates no order of its own accord."""


def client_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def usd(amount: str) -> Fee:
    return Fee(asset="USD", amount=Decimal(amount))


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


def test_every_kind_of_execution_is_recorded() -> None:
    told = set()
    for frame in frames(CASSETTES / "feed" / "executions.stream.jsonl"):
        message = json.loads(frame.raw)
        if message.get("channel") == "executions":
            told |= {row["exec_type"] for row in message["data"]}
    assert told == EXEC_TYPES - NOT_RECORDED


# Number in our client id: how it stood, and how much of it was done.
LIVES = {
    2: [("pending", None), ("open", None), ("open", "0"), ("canceled", "0")],
    3: [("pending", None), ("open", None), ("partially_filled", "0.1"), ("filled", "0.1")],
    4: [
        ("pending", None),
        ("open", None),
        ("partially_filled", "0.01"),
        ("partially_filled", None),  # the next part shows
        ("partially_filled", "0.015"),
        ("partially_filled", "0.02"),
        ("partially_filled", None),
        ("partially_filled", "0.03"),
        ("filled", "0.03"),
    ],
    5: [("pending", None), ("open", None), ("expired", "0")],
    6: [("pending", None), ("open", None), ("canceled", "0")],
    7: [
        ("pending", None),
        ("open", None),
        ("open", None),  # its trigger went up
        ("open", None),  # and set it off
        ("partially_filled", "0.02"),
        ("filled", "0.02"),
    ],
    8: [("pending", None), ("open", None), ("partially_filled", "0.02"), ("filled", "0.02")],
    9: [("pending", None), ("open", None), ("filled", "0.02")],
}


async def test_orders_of_every_kind_as_the_account_hears_of_them(player: CassettePlayer) -> None:
    _, told = player.play("executions", [Subscription(Channel.ORDERS), Subscription(Channel.BALANCES)])
    updates = [event for event in told if isinstance(event, OrderUpdate)]
    lives: dict[int, list[tuple[str, Decimal | None]]] = {}
    for update in updates:
        number, status, filled = lifted(update)
        lives.setdefault(number, []).append((status, filled))
    assert lives == {
        number: [(status, None if filled is None else Decimal(filled)) for status, filled in life]
        for number, life in LIVES.items()
    }
    of = {number: [update for update in updates if lifted(update)[0] == number] for number in LIVES}
    amended = of[2][2]
    assert (amended.quantity, amended.price, amended.reason) == (Decimal("0.04"), 83100, "User requested")
    assert [update.reason for update in (of[2][-1], of[6][-1])] == ["User requested", "Immediate or cancel"]
    assert {update.display_quantity for update in of[4]} == {Decimal("0.01")}
    assert [update.trigger_price for update in of[7]] == [83975, 83975, 83990, 83990, 83990, 83990]
    assert of[7][-1].average_price == 83990


async def test_fills_of_every_kind_and_what_they_left(player: CassettePlayer) -> None:
    _, told = player.play("executions", [Subscription(Channel.ORDERS), Subscription(Channel.BALANCES)])
    fills = [event for event in told if isinstance(event, Fill)]
    assert [
        (int(str(fill.client_order_id)[-2:]), str(fill.side), fill.price, fill.quantity, str(fill.liquidity))
        for fill in fills
    ] == [
        (3, "buy", 84010, Decimal("0.1"), "taker"),
        (4, "sell", 84005, Decimal("0.01"), "maker"),
        (4, "sell", 84005, Decimal("0.005"), "maker"),
        (4, "sell", 84005, Decimal("0.005"), "maker"),
        (4, "sell", 84005, Decimal("0.01"), "maker"),
        (7, "sell", 83990, Decimal("0.02"), "taker"),
        (8, "buy", 84020, Decimal("0.02"), "taker"),
    ]
    assert [fill.fee for fill in fills[:2]] == [usd("33.604"), usd("2.1001")]  # 0.4 %, and 0.25 % cut
    updates = [event for event in told if isinstance(event, BalancesUpdate)]
    assert [update.complete for update in updates] == [True] + [False] * 15
    last = {balance.asset: balance.total for update in updates for balance in update.balances}
    # Bought 0.1 and sold 0.03 and 0.02; bought 0.02 on margin, and paid for that in full in the end.
    assert last["BTC"] == Decimal("1.07")
    # 50000 - 8401 - 33.604 + 2520.15 - 6.3003 + 1679.8 - 6.7192 - 5.8814 - 1680.4, fees cut to four decimals; the last
    # one is 0.35 %, as more than 10000 dollars had been traded when its order came.
    assert last["USD"] == Decimal("44066.045")
