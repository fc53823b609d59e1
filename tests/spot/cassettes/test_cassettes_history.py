"""Recorded calls of ``operations.history``, played back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchange_core.errors import OrderRefused
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer
from kraken_spot.types.history import Amend, AmendType, LedgerEntry, LedgerType, OrderRecord, RecordStatus, TradeRecord

BTC = Symbol("BTC", "USD")
PLACED = datetime(2026, 1, 1, 0, 1, 15, tzinfo=UTC)
LATER = PLACED + timedelta(seconds=10)
RESTING, CANCELED, SOLD = "OII5DX-XYF25-ME4K4R", "OJAAYH-SBUFN-YVMB4K", "OWLYNY-FMGXF-CZKJPD"
BUY, SELL = "T7YHBQ-D5ZX5-OE762H", "TVMSFR-CMQ7P-UGWDYM"


def client_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def check_resting(order: OrderRecord) -> None:
    """It was placed as 0.05 at 83000, and amended."""
    assert (order.id, order.symbol, order.side, order.type) == (RESTING, BTC, Side.BUY, "limit")
    assert (order.status, order.client_order_id, order.userref) == (RecordStatus.OPEN, client_id(1), None)
    assert (order.quantity, order.filled, order.price) == (Decimal("0.04"), 0, Decimal(83100))
    assert (order.price2, order.average_price, order.stop_price, order.limit_price) == (None, None, None, None)
    assert (order.flags, order.misc, order.time_in_force) == (("fciq", "post"), ("amended",), "gtc")
    assert (order.opened, order.closed, order.expires, order.reason) == (PLACED, None, None, None)
    assert order.description == "buy 0.04000000 XBTUSD @ limit 83100.0"


def check_canceled(order: OrderRecord) -> None:
    """It took 0.15 of 0.3 and was not to rest."""
    assert (order.id, order.status, order.reason) == (CANCELED, RecordStatus.CANCELED, "Immediate or cancel")
    assert (order.quantity, order.filled) == (Decimal("0.3"), Decimal("0.15"))
    assert (order.price, order.average_price) == (Decimal(84010), Decimal(84010))
    assert (order.cost, order.fee) == (Decimal("12601.5"), Decimal("50.406"))  # 0.15 * 84010, and 0.4 %
    assert (order.opened, order.closed, order.time_in_force, order.misc) == (LATER, LATER, "ioc", ("partial",))
    assert order.trades == (BUY,)


async def test_open_orders(player: CassettePlayer) -> None:
    found = await player.run("history.open_orders", lambda do: do.history.open_orders(client_order_id=client_id(1)))
    assert not found.unreadable
    (order,) = found.items
    check_resting(order)


async def test_finished_orders_newest_first(player: CassettePlayer) -> None:
    page = await player.run("history.closed_orders_page", lambda do: do.history.closed_orders_page(trades=True))
    assert (page.count, page.cursor, page.unreadable) == (2, None, ())
    canceled, sold = page.items
    check_canceled(canceled)
    assert (sold.id, sold.type, sold.status, sold.userref) == (SOLD, "market", RecordStatus.CLOSED, 7)
    assert (sold.price, sold.average_price) == (None, Decimal(83990))
    assert (sold.cost, sold.fee, sold.trades) == (Decimal("1679.8"), Decimal("6.7192"), (SELL,))


async def test_orders_by_their_ids(player: CassettePlayer) -> None:
    found = await player.run("history.orders", lambda do: do.history.orders(RESTING, CANCELED, trades=True))
    resting, canceled = found.items
    check_resting(resting)
    check_canceled(canceled)


async def test_what_is_no_id_of_an_order(player: CassettePlayer) -> None:
    with pytest.raises(OrderRefused) as refused:
        await player.run("history.orders.refused", lambda do: do.history.orders("no-order"))
    assert refused.value.codes == ("EOrder:Invalid order",)


BOUGHT = TradeRecord(
    id=BUY,
    order_id=CANCELED,
    position_id=BUY,
    symbol=BTC,
    time=LATER,
    side=Side.BUY,
    order_type="limit",
    price=Decimal(84010),
    cost=Decimal("12601.5"),
    fee=Decimal("50.406"),
    quantity=Decimal("0.15"),
    margin=Decimal(0),
    leverage=None,
    misc=(),
    ledgers=(),
    trade_id=5,
    maker=False,
    position_status=None,
    closed=None,
)


async def test_pages_of_trades(player: CassettePlayer) -> None:
    page = await player.run("history.trades_page", lambda do: do.history.trades_page(ledgers=True, limit=1))
    (bought,) = page.items
    assert (bought.id, bought.price, bought.quantity, bought.fee) == (BUY, 84010, Decimal("0.15"), Decimal("50.406"))
    assert bought.ledgers == ("LTWDBT-NODG3-BLQEDL", "LOEVNO-TIUSV-NLYXQ2")
    assert (page.count, page.cursor) == (2, "1")
    last = await player.run(
        "history.trades_page.next", lambda do: do.history.trades_page(page.cursor, ledgers=True, limit=1)
    )
    (sold,) = last.items
    assert (sold.id, sold.order_id, sold.side, sold.trade_id, sold.time) == (SELL, SOLD, Side.SELL, 4, PLACED)
    assert (last.count, last.cursor) == (2, None)


async def test_a_trade_by_its_id(player: CassettePlayer) -> None:
    found = await player.run("history.trades", lambda do: do.history.trades(BUY))
    assert found.items == (BOUGHT,)


async def test_the_ledger_of_an_asset(player: CassettePlayer) -> None:
    page = await player.run("history.ledgers_page", lambda do: do.history.ledgers_page(assets=["BTC"]))
    assert (page.count, page.cursor, page.unreadable) == (3, None, ())
    assert [(entry.type, entry.amount, entry.balance) for entry in page.items] == [
        (LedgerType.TRADE, Decimal("0.15"), Decimal("1.13")),
        (LedgerType.TRADE, Decimal("-0.02"), Decimal("0.98")),
        (LedgerType.DEPOSIT, Decimal(1), Decimal(1)),
    ]


async def test_ledger_entries_by_their_ids(player: CassettePlayer) -> None:
    ids = ("LTWDBT-NODG3-BLQEDL", "L7SADT-DXHIO-MQBYGU")
    found = await player.run("history.ledgers", lambda do: do.history.ledgers(*ids))
    assert [entry.id for entry in found.items] == [*ids]
    assert found.items[0] == LedgerEntry(
        id=ids[0],
        reference=BUY,
        time=LATER,
        type=LedgerType.TRADE,
        subtype="",
        asset_class="currency",
        asset="BTC",
        wallet="spot",
        amount=Decimal("0.15"),
        fee=Decimal(0),
        balance=Decimal("1.13"),
    )


async def test_every_state_of_the_terms_of_an_order(player: CassettePlayer) -> None:
    first, second = (await player.run("history.amends", lambda do: do.history.amends(RESTING))).items
    assert first == Amend(
        id="TTBDHR-ICYC5-VFRHU7",
        type=AmendType.ORIGINAL,
        time=PLACED,
        quantity=Decimal("0.05"),
        display_quantity=None,
        remaining=Decimal("0.05"),
        limit_price=Decimal(83000),
        trigger_price=None,
        post_only=True,
        reason=None,
    )
    assert (second.type, second.time, second.reason) == (AmendType.USER, LATER, "User requested")
    assert (second.quantity, second.remaining, second.limit_price) == (Decimal("0.04"), Decimal("0.04"), 83100)
