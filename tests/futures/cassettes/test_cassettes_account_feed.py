"""Recorded private feeds of Kraken Futures, played back: what an account hears of its orders, fills and money."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    LedgerUpdate,
    Notice,
    OpenOrdersSnapshot,
    OrderUpdate,
    PositionsUpdate,
    Subscription,
    SubscriptionRefused,
)
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.order import OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer

LINEAR, INVERSE = Symbol("BTC", "USD", "USD"), Symbol("BTC", "USD", "BTC")
PLACED = datetime(2026, 1, 1, 0, 1, 15, tzinfo=UTC)


def client_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


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


ALL = (Channel.ORDERS, Channel.FILLS, Channel.BALANCES, Channel.POSITIONS, Channel.LEDGER, Channel.NOTICES)


async def test_all_that_an_account_hears(player: CassettePlayer) -> None:
    """An order is changed and canceled, one refused, one executed; an inverse position is turned; money moves."""
    _, told = player.play("life", [Subscription(channel) for channel in ALL])
    updates = [event for event in told if isinstance(event, OrderUpdate)]
    assert [(*lifted(event), event.quantity, event.price) for event in updates] == [
        (2, "open", 0, Decimal("0.05"), 83000),
        (2, "open", 0, Decimal("0.04"), 83100),
        (2, "canceled", None, None, None),
        (3, "rejected", 0, None, 84020),
    ]
    assert updates[-1].reason == "post_order_failed_because_it_would_be_filled"
    fills = [event for event in told if isinstance(event, Fill)]
    assert [(fill.symbol, str(fill.side), fill.quantity, fill.price, fill.fee) for fill in fills] == [
        (LINEAR, "buy", Decimal("0.15"), 84010, Fee(asset="USD", amount=Decimal("6.30075"))),
        (INVERSE, "buy", 4200, 84000, Fee(asset="BTC", amount=Decimal("0.000025"))),
        (INVERSE, "sell", 6300, 83990, Fee(asset="BTC", amount=Decimal("0.0000375045"))),
    ]
    wallets = [
        (balance.wallet, balance.total)
        for event in told
        if isinstance(event, BalancesUpdate) and not event.complete
        for balance in event.balances
    ]
    assert wallets[-5:] == [
        ("flex", Decimal("49993.69925")),
        ("fi_xbtusd", Decimal("0.499975")),
        ("fi_xbtusd", Decimal("0.4999315424")),  # - (4200 / 83990 - 4200 / 84000) - the fee
        ("fi_xbtusd", Decimal("0.3999315424")),
        ("cash", Decimal("0.1")),
    ]
    positions = [event.positions for event in told if isinstance(event, PositionsUpdate)]
    assert [position.quantity for position in positions[-1]] == [Decimal("0.15"), -2100]


async def test_the_log_and_notices_of_the_same(player: CassettePlayer) -> None:
    _, told = player.play("life", [Subscription(channel) for channel in ALL])
    first, *news = [event for event in told if isinstance(event, LedgerUpdate)]
    assert first.snapshot
    assert [(entry.asset, entry.balance) for entry in first.entries] == [("USD", 50000), ("BTC", Decimal("0.5"))]
    entries = [entry for event in news for entry in event.entries]
    assert [(str(entry.kind), entry.wallet, entry.balance) for entry in entries] == [
        ("trade", "flex", Decimal("49993.69925")),
        ("trade", "fi_xbtusd", Decimal("0.499975")),
        ("trade", "fi_xbtusd", Decimal("0.4999315424")),
        ("transfer", "fi_xbtusd", Decimal("0.3999315424")),
        ("transfer", "cash", Decimal("0.1")),
    ]
    # With the rows of positions, none is left out.
    own = [row.id for event in (first, *news) for row in event.own]
    assert sorted(own) == [*range(1, 11)]
    (notice,) = [event for event in told if isinstance(event, Notice)]
    assert (notice.kind, notice.priority, notice.downtime) == ("maintenance", "high", timedelta(minutes=30))
    assert notice.effective == PLACED + timedelta(hours=6, seconds=3)


async def test_triggers_that_fire(player: CassettePlayer) -> None:
    """Into a market order, into a limit order that rests under the same id, and after following the market."""
    wanted = [Subscription(channel) for channel in ALL[:4]]
    _, told = player.play("triggers", wanted)
    updates = [event for event in told if isinstance(event, OrderUpdate)]
    assert [(*lifted(event)[:2], event.trigger_price, event.reason) for event in updates] == [
        (3, "open", 83960, "new_placed_order_by_user"),
        (4, "open", 83950, "new_placed_order_by_user"),
        (5, "open", 90000, "new_placed_order_by_user"),
        (2, "None", 83970, "stop_order_triggered"),
        (3, "None", 83960, "stop_order_triggered"),
        (3, "open", None, "limit_order_from_stop"),
        (4, "open", 84050, "trailing_stop_price_updated"),
        (4, "None", 84050, "stop_order_triggered"),
        (3, "filled", None, "full_fill"),
        (5, "canceled", None, "cancelled_by_user"),
    ]
    fills = [event for event in told if isinstance(event, Fill)][1:]
    assert [(int(str(fill.client_order_id)[-2:]), fill.price, fill.quantity) for fill in fills] == [
        (2, 83990, Decimal("0.01")),
        (4, 83990, Decimal("0.03")),
        (3, 84030, Decimal("0.02")),
    ]
    # What became of a trigger is not said: the list is asked for, now and after ten seconds again.
    first, second, third = [event.orders for event in told if isinstance(event, OpenOrdersSnapshot)]
    assert [len(orders) for orders in (first, second, third)] == [1, 3, 0]


async def test_the_feed_of_orders_without_refusals(player: CassettePlayer) -> None:
    _, told = player.play("open_orders", [Subscription(Channel.ORDERS, variant="open_orders")])
    assert [lifted(event) for event in told if isinstance(event, OrderUpdate)] == [
        (2, "open", 0),
        (2, "partially_filled", Decimal("0.01")),
        (1, "canceled", None),
        (2, "canceled", None),
    ]


async def test_a_liquidation_after_an_hour_of_funding(player: CassettePlayer) -> None:
    _, told = player.play("liquidation", [Subscription(channel) for channel in ALL[:5]])
    entries = [
        entry for event in told if isinstance(event, LedgerUpdate) and not event.snapshot for entry in event.entries
    ]
    # 20 for 3525 of 3600 seconds at a rate of 8.4
    assert [(str(entry.kind), entry.amount) for entry in entries[:1]] == [("funding", Decimal("-164.5"))]
    assert {str(entry.kind) for entry in entries[1:]} == {"liquidation"}
    fills = [event for event in told if isinstance(event, Fill)]
    bought, sold = [fill for fill in fills if fill.side is Side.BUY], [fill for fill in fills if fill.side is Side.SELL]
    assert sum(fill.quantity for fill in bought) == sum(fill.quantity for fill in sold) == 20
    paid = sum(fill.quantity * fill.price for fill in sold) - sum(fill.quantity * fill.price for fill in bought)
    assert sum(entry.amount for entry in entries[1:]) == paid
    assert {fill.kind for fill in sold} == {"liquidation"}
    assert [event.positions for event in told if isinstance(event, PositionsUpdate)][-1] == ()


async def test_a_contract_that_ends(player: CassettePlayer) -> None:
    """The order expires, the position is settled at the index's average: 0.1 at 84975, bought at 85000."""
    _, told = player.play("settlement", [Subscription(channel) for channel in ALL])
    (update,) = [event for event in told if isinstance(event, OrderUpdate)]
    assert lifted(update)[:2] == (2, "expired")
    entries = [entry for event in told if isinstance(event, LedgerUpdate) for entry in event.entries]
    assert (str(entries[-1].kind), entries[-1].amount, entries[-1].balance) == (
        "settlement",
        Decimal("-2.5"),
        Decimal("49993.25"),
    )
    assert [event.text for event in told if isinstance(event, Notice)] == [
        "FF_XBTUSD_261225 stops trading and is settled.",
        "FF_XBTUSD_261225 was settled.",
    ]
    assert [event.positions for event in told if isinstance(event, PositionsUpdate)][-1] == ()


async def test_a_key_that_may_see_nothing(player: CassettePlayer) -> None:
    """Each feed is asked for once more, with a new challenge."""
    wanted = [Subscription(channel) for channel in ALL]
    _, told = player.play("refused_private", wanted)
    word = "Failed to subscribe to authenticated feed"
    assert [event for event in told if isinstance(event, SubscriptionRefused)] == [
        SubscriptionRefused(subscription=one, reason=word, codes=(word,)) for one in wanted
    ]
