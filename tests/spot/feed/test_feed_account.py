"""Our own orders, fills and balances: nothing is lost, nothing is told twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

import msgspec
import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.account import Balance
from exchange_core.model.event import (
    BalancesUpdate,
    Channel,
    OpenOrdersSnapshot,
    OrderUpdate,
    SequenceGap,
    StatusUpdate,
    Subscription,
    Unrecognised,
)
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.order import OrderRequest, OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.feed.account import Executions
from kraken_spot.feed.connections import PrivateFeed
from kraken_spot.wire.feed import Executions as ExecutionsMessage

BTC = Symbol("BTC", "USD")
ORDER = "OK4GJX-KSTLS-7DZZO5"

PENDING = {
    "order_id": ORDER,
    "cl_ord_id": "2c6be801-1f53-4f79-a0bb-4ea1c95dfae9",
    "order_userref": 0,
    "symbol": "BTC/USD",
    "order_qty": 0.005,
    "cum_cost": 0.0,
    "time_in_force": "GTC",
    "exec_type": "pending_new",
    "side": "sell",
    "order_type": "limit",
    "limit_price_type": "static",
    "limit_price": 26500.0,
    "order_status": "pending_new",
    "timestamp": "2023-09-22T10:33:05.709950Z",
}
NEW = {
    "timestamp": "2023-09-22T10:33:05.709982Z",
    "order_status": "new",
    "exec_type": "new",
    "order_userref": 0,
    "order_id": ORDER,
}
TRADE = {
    "order_id": ORDER,
    "exec_id": "TGBB7L-HT5LX-J3BZ4A",
    "exec_type": "trade",
    "trade_id": 62887576,
    "symbol": "BTC/USD",
    "side": "sell",
    "last_qty": 0.005,
    "last_price": 26599.9,
    "liquidity_ind": "t",
    "cost": 132.9995,
    "order_type": "limit",
    "timestamp": "2023-09-22T10:33:05.709993Z",
    "order_status": "partially_filled",
    "cum_qty": 0.005,
    "cum_cost": 132.9995,
    "avg_price": 26599.9,
    "fee_usd_equiv": 0.3458,
    "fees": [{"asset": "USD", "qty": 0.3458}],
}
FILLED = {
    "timestamp": "2023-09-22T10:33:05.710000Z",
    "order_status": "filled",
    "exec_type": "filled",
    "order_id": ORDER,
    "cum_qty": 0.005,
    "avg_price": 26599.9,
}


def executions(*entries: dict[str, Any], sequence: int = 1, kind: str = "update") -> dict[str, Any]:
    return {"channel": "executions", "type": kind, "data": list(entries), "sequence": sequence}


def balances(*entries: dict[str, Any], sequence: int = 1, kind: str = "update") -> dict[str, Any]:
    return {"channel": "balances", "type": kind, "data": list(entries), "sequence": sequence}


@pytest.fixture
def other(private: PrivateFeed, wire: Any) -> Any:
    """An open private connection with everything acknowledged."""
    private.subscribe([Subscription(Channel.ORDERS), Subscription(Channel.FILLS), Subscription(Channel.BALANCES)], 0.0)
    private.opened(0.0, "the-token")
    end = wire(private)
    end.acknowledge()
    return end


def test_a_delta_keeps_what_the_first_record_said(other: Any) -> None:
    """``new`` carries neither symbol nor side nor our id."""
    other.tell(executions(kind="snapshot"))
    (pending,) = other.tell(executions(PENDING, sequence=2))
    assert pending.status is OrderStatus.PENDING
    (new,) = other.tell(executions(NEW, sequence=3))
    assert new == OrderUpdate(
        venue_order_id=ORDER,
        client_order_id="2c6be801-1f53-4f79-a0bb-4ea1c95dfae9",
        status=OrderStatus.OPEN,
        symbol=BTC,
        side=Side.SELL,
        quantity=Decimal("0.005"),
        price=Decimal("26500.0"),
        sequence_time=datetime(2023, 9, 22, 10, 33, 5, 709982, tzinfo=UTC),
        request=OrderRequest(
            symbol=BTC,
            side="sell",
            quantity="0.005",
            price="26500.0",
            client_order_id="2c6be801-1f53-4f79-a0bb-4ea1c95dfae9",
        ),
    )


def test_a_delta_of_an_order_that_began_before_us_is_told_as_it_is(other: Any) -> None:
    (new,) = other.tell(executions(NEW))
    assert (new.venue_order_id, new.symbol, new.status) == (ORDER, None, OrderStatus.OPEN)


def test_a_fill_is_told_with_its_fee_and_what_the_order_has_now(other: Any) -> None:
    other.tell(executions(PENDING))
    fill, update = other.tell(executions(TRADE, sequence=2))
    assert fill == Fill(
        id="TGBB7L-HT5LX-J3BZ4A",
        symbol=BTC,
        side=Side.SELL,
        price=Decimal("26599.9"),
        quantity=Decimal("0.005"),
        time=datetime(2023, 9, 22, 10, 33, 5, 709993, tzinfo=UTC),
        venue="kraken",
        venue_order_id=ORDER,
        client_order_id="2c6be801-1f53-4f79-a0bb-4ea1c95dfae9",
        cost=Decimal("132.9995"),
        fee=Fee(asset="USD", amount=Decimal("0.3458")),
        liquidity=Liquidity.TAKER,
    )
    assert (update.status, update.filled, update.average_price) == (
        OrderStatus.PARTIALLY_FILLED,
        Decimal("0.005"),
        Decimal("26599.9"),
    )
    (filled,) = other.tell(executions(FILLED, sequence=3))
    assert filled.status is OrderStatus.FILLED


@pytest.mark.parametrize(("said", "position"), [({"position_status": "closing"}, "closing"), ({}, "")])
def test_a_fill_says_what_became_of_its_position(other: Any, said: dict[str, Any], position: str) -> None:
    other.tell(executions(kind="snapshot"))
    events = other.tell(executions({**TRADE, "margin": True, **said}, sequence=2))
    assert [event.position for event in events if isinstance(event, Fill)] == [position]


def test_a_fill_is_told_once(private: PrivateFeed, other: Any) -> None:
    """A new connection delivers the last fills again."""
    other.tell(executions(PENDING))
    other.tell(executions(TRADE, sequence=2))
    private.closed(1.0)
    private.opened(2.0, "another")
    events = other.tell(executions({**TRADE, "order_status": "filled"}, kind="snapshot"))
    assert events == [OpenOrdersSnapshot(orders=())]
    assert [event for event in other.tell(executions(TRADE, sequence=2)) if isinstance(event, Fill)] == []


def test_digits_of_numbers_are_kept(other: Any) -> None:
    frame = json.dumps(executions(PENDING, TRADE)).replace("26599.9", "26599.90000000000000001")
    fill = next(event for event in other.tell(frame) if isinstance(event, Fill))
    assert fill.price == Decimal("26599.90000000000000001")


@pytest.mark.parametrize(
    ("fees", "expected"),
    [
        pytest.param([], None, id="not told"),
        pytest.param([{"asset": "USD", "qty": -0.01}], Fee(asset="USD", amount=Decimal("-0.01")), id="a rebate"),
        pytest.param(
            [{"asset": "USD", "qty": 1}, {"asset": "USD", "qty": 2}], Fee(asset="USD", amount=Decimal(3)), id="in parts"
        ),
        pytest.param([{"asset": "USD", "qty": 1}, {"asset": "BTC", "qty": 2}], None, id="in two assets"),
    ],
)
def test_fees(other: Any, fees: list[dict[str, Any]], expected: Fee | None) -> None:
    fill = next(event for event in other.tell(executions({**TRADE, "fees": fees})) if isinstance(event, Fill))
    assert fill.fee == expected


def test_the_snapshot_lists_open_orders_and_tells_past_fills(other: Any) -> None:
    """A past fill is no order, whatever its status says."""
    resting = {**PENDING, "exec_type": "new", "order_status": "new", "cum_qty": 0.0}
    part = {**PENDING, "order_id": "O2", "exec_type": "status", "order_status": "partially_filled", "cum_qty": 0.001}
    past = {**TRADE, "order_id": "O3", "order_status": "filled"}
    part_of_past = {**TRADE, "order_id": "O4", "exec_id": "T2", "order_status": "partially_filled"}
    for fill in (past, part_of_past):
        fill.pop("cum_qty")
    events = other.tell(executions(resting, part, past, part_of_past, kind="snapshot"))
    assert [event.id for event in events if isinstance(event, Fill)] == ["TGBB7L-HT5LX-J3BZ4A", "T2"]
    snapshot = events[-1]
    assert [(order.venue_order_id, order.status, order.snapshot) for order in snapshot.orders] == [
        (ORDER, OrderStatus.OPEN, True),
        ("O2", OrderStatus.PARTIALLY_FILLED, True),
    ]


def test_a_snapshot_in_two_messages_is_one_list(other: Any) -> None:
    resting = {**PENDING, "exec_type": "new", "order_status": "new"}
    other.tell(executions(resting, kind="snapshot", sequence=1))
    (event,) = other.tell(executions({**resting, "order_id": "O2"}, kind="snapshot", sequence=2))
    assert [order.venue_order_id for order in event.orders] == [ORDER, "O2"]


def test_a_snapshot_of_a_new_subscription_replaces_the_list(private: PrivateFeed, other: Any) -> None:
    resting = {**PENDING, "exec_type": "new", "order_status": "new"}
    other.tell(executions(resting, kind="snapshot"))
    private.opened(1.0, "another")
    (event,) = other.tell(executions({**resting, "order_id": "O2"}, kind="snapshot"))
    assert [order.venue_order_id for order in event.orders] == ["O2"]


def test_a_cancel_has_its_reason(other: Any) -> None:
    other.tell(executions(PENDING))
    canceled = {
        **NEW,
        "exec_type": "canceled",
        "order_status": "canceled",
        "cum_qty": 0.0,
        "avg_price": 0.0,
        "reason": "User requested",
    }
    (update,) = other.tell(executions(canceled, sequence=2))
    assert update.status is OrderStatus.CANCELED
    assert update.reason == "User requested"
    assert update.filled == 0
    assert update.average_price is None


def test_an_amend_changes_what_is_known(other: Any) -> None:
    other.tell(executions(PENDING))
    amended = {**NEW, "exec_type": "amended", "order_qty": 0.004, "limit_price": 26000.5}
    (update,) = other.tell(executions(amended, sequence=2))
    assert (update.quantity, update.price) == (Decimal("0.004"), Decimal("26000.5"))
    (later,) = other.tell(executions(NEW, sequence=3))
    assert (later.quantity, later.price) == (Decimal("0.004"), Decimal("26000.5"))


@pytest.mark.parametrize("field", ["exec_type", "order_status"])
def test_an_unknown_word_is_reported_and_the_rest_is_used(private: PrivateFeed, other: Any, field: str) -> None:
    events = other.tell(executions({**PENDING, field: "triggered"}))
    assert [type(event) for event in events] == [Unrecognised, OrderUpdate]
    assert events[-1].quantity == Decimal("0.005")
    assert private.stats.unknown[f"{field} triggered"] == 1


def test_a_pair_that_no_list_names_loses_no_fill(other: Any) -> None:
    fill = next(e for e in other.tell(executions({**TRADE, "symbol": "TSLAx/USD"})) if isinstance(e, Fill))
    assert fill.symbol == Symbol("TSLAx", "USD")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"last_price": "x"}, id="price"),
        pytest.param({"exec_id": None}, id="no id"),
        pytest.param({"last_qty": "NaN"}, id="NaN"),
        pytest.param({"side": "hold"}, id="side"),
        pytest.param({"timestamp": "yesterday"}, id="time"),
        pytest.param({"symbol": "B-T"}, id="symbol"),
        pytest.param({"order_id": 7}, id="order id"),
    ],
)
def test_an_entry_that_does_not_read_costs_no_other_and_is_to_be_fetched(other: Any, changes: dict[str, Any]) -> None:
    """It may have been a fill."""
    good = {**TRADE, "order_id": "O2", "exec_id": "T2"}
    events = other.tell(executions({**TRADE, **changes}, good))
    assert [event.id for event in events if isinstance(event, Fill)] == ["T2"]
    assert {event.channel for event in events if isinstance(event, SequenceGap)} == {Channel.ORDERS, Channel.FILLS}
    assert any(isinstance(event, Unrecognised) for event in events)


def test_a_fill_without_a_known_side_is_to_be_fetched(other: Any) -> None:
    bare = {name: value for name, value in TRADE.items() if name not in ("side", "symbol")}
    events = other.tell(executions(bare))
    assert not [event for event in events if isinstance(event, Fill)]
    assert SequenceGap in {type(event) for event in events}


# Sequence numbers


def test_a_hole_in_the_numbers_is_told_and_everything_asked_for_again(private: PrivateFeed, other: Any) -> None:
    """What the message after the hole says is true all the same."""
    other.tell(executions(kind="snapshot", sequence=1))
    events = other.tell(executions(PENDING, sequence=3), 5.0)
    assert [event.channel for event in events if isinstance(event, SequenceGap)] == [Channel.ORDERS, Channel.FILLS]
    assert isinstance(events[-1], OrderUpdate)
    unsubscribe, subscribe = other.requests()
    assert unsubscribe["params"] == {"channel": "executions", "token": "the-token"}
    assert subscribe["params"]["snap_trades"] is True
    assert private.stats.gaps == 1
    assert not [e for e in other.tell(executions(NEW, sequence=9)) if isinstance(e, SequenceGap)], (
        "the fresh one is due"
    )
    assert not other.requests()
    other.tell(executions(kind="snapshot", sequence=1))
    assert not [e for e in other.tell(executions(NEW, sequence=2)) if isinstance(e, SequenceGap)]


def test_numbers_that_go_on_after_a_second_subscription_are_fine(other: Any) -> None:
    other.tell(executions(kind="snapshot", sequence=1))
    other.tell(executions(NEW, sequence=5))
    other.tell(executions(kind="snapshot", sequence=6))
    assert not [e for e in other.tell(executions(NEW, sequence=7)) if isinstance(e, SequenceGap)]


def test_a_repeated_number_is_no_hole(other: Any) -> None:
    other.tell(executions(PENDING, sequence=4))
    other.tell(executions(TRADE, sequence=5))
    events = other.tell(executions(TRADE, sequence=5))
    assert [type(event) for event in events] == [OrderUpdate]


def test_channels_count_apart(other: Any) -> None:
    other.tell(executions(kind="snapshot", sequence=1))
    other.tell(balances(kind="snapshot", sequence=1))
    assert not [e for e in other.tell(executions(NEW, sequence=2)) if isinstance(e, SequenceGap)]
    (gap, *_) = other.tell(balances({"asset": "USD", "balance": 1, "ledger_id": "L"}, sequence=7))
    assert gap.channel is Channel.BALANCES
    assert {request["params"]["channel"] for request in other.requests()} == {"balances"}


def test_holes_that_repeat_are_answered_later(private: PrivateFeed, other: Any) -> None:
    other.tell(executions(kind="snapshot", sequence=1), 0.0)
    other.tell(executions(NEW, sequence=3), 1.0)
    assert len(other.requests()) == 2
    other.tell(executions(kind="snapshot", sequence=1), 1.0)
    other.tell(executions(NEW, sequence=3), 1.5)
    assert not other.requests()
    private.tick(2.6)
    assert len(other.requests()) == 2


# Balances


def wallet(kind: str, number: float, name: str = "main") -> dict[str, Any]:
    return {"type": kind, "id": name, "balance": number}


def asset(name: str, total: float, *wallets: dict[str, Any]) -> dict[str, Any]:
    return {"asset": name, "asset_class": "currency", "balance": total, "wallets": list(wallets)}


def entry(ledger_id: str, name: str, total: float, kind: str = "spot") -> dict[str, Any]:
    return {
        "ledger_id": ledger_id,
        "ref_id": "R",
        "timestamp": "2023-09-22T10:33:05.710082Z",
        "type": "trade",
        "asset": name,
        "asset_class": "currency",
        "category": "trade",
        "wallet_type": kind,
        "wallet_id": "main",
        "amount": 132.9995,
        "fee": 0.3458,
        "balance": total,
    }


def kept(asset: str, total: str, wallet: str = "spot") -> Balance:
    usable = True if wallet == "spot" else None
    return Balance(asset=asset, total=Decimal(total), wallet=wallet, usable=usable, venue="kraken")


def test_the_snapshot_has_all_assets_by_wallet(other: Any) -> None:
    frame = balances(
        asset("BTC", 1.2, wallet("spot", 1.2)),
        asset("MATIC", 500, wallet("spot", 300), wallet("earn", 150, "flex"), wallet("earn", 50, "bonded")),
        asset("BRICK", 439.9736),
        kind="snapshot",
    )
    (update,) = other.tell(frame)
    assert update == BalancesUpdate(
        balances=(
            kept("BTC", "1.2"),
            kept("MATIC", "300"),
            kept("MATIC", "200", "earn"),
            kept("BRICK", "439.9736"),
        ),
        complete=True,
    )


def test_an_entry_has_the_total_of_all_wallets(other: Any) -> None:
    other.tell(balances(asset("MATIC", 500, wallet("spot", 300), wallet("earn", 200, "flex")), kind="snapshot"))
    (update,) = other.tell(balances(entry("L1", "MATIC", 510), sequence=2))
    assert update == BalancesUpdate(balances=(kept("MATIC", "310"),))
    (update,) = other.tell(balances(entry("L2", "MATIC", 505, "earn"), sequence=3))
    assert update == BalancesUpdate(balances=(kept("MATIC", "310"), kept("MATIC", "195", "earn")), complete=True)


def test_an_asset_that_is_new_has_its_first_entry(other: Any) -> None:
    other.tell(balances(kind="snapshot"))
    (update,) = other.tell(balances(entry("L1", "DOGE", 7.5), sequence=2))
    assert update.balances == (kept("DOGE", "7.5"),)


def test_a_ledger_entry_counts_once(other: Any) -> None:
    """A late repetition would bring an old total back."""
    other.tell(balances(kind="snapshot"))
    other.tell(balances(entry("L1", "USD", 500), sequence=2))
    other.tell(balances(entry("L2", "USD", 400), sequence=3))
    assert not other.tell(balances(entry("L1", "USD", 500), sequence=4))


def test_the_next_snapshot_replaces_the_totals(private: PrivateFeed, other: Any) -> None:
    other.tell(balances(asset("BTC", 1.2, wallet("spot", 1.2)), kind="snapshot"))
    private.opened(1.0, "another")
    (update,) = other.tell(balances(asset("USD", 5, wallet("spot", 5)), kind="snapshot"))
    assert update.balances == (kept("USD", "5"),)


def test_fees_do_not_depend_on_the_users_decimal_context(other: Any) -> None:
    with localcontext() as context:
        context.prec = 3
        events = other.tell(executions({**TRADE, "fees": [{"asset": "USD", "qty": 132.9995}]}))
    assert [event.fee for event in events if isinstance(event, Fill)] == [Fee(asset="USD", amount=Decimal("132.9995"))]


def test_sums_do_not_depend_on_the_users_decimal_context(other: Any) -> None:
    text = json.dumps(balances(asset("BTC", 3, wallet("spot", 1), wallet("spot", 2)), kind="snapshot"))
    frame = text.replace('"balance": 1}', '"balance": 1234567890.12345678}')
    with localcontext() as context:
        context.prec = 3
        (update,) = other.tell(frame)
    assert update.balances == (kept("BTC", "1234567892.12345678"),)


@pytest.mark.parametrize("number", ["NaN", "1e999999", "x"])
def test_a_balance_that_is_no_number_is_refused_and_leaves_a_hole(other: Any, number: str) -> None:
    other.tell(balances(kind="snapshot", sequence=1))
    with pytest.raises(ProtocolError, match="balance"):
        other.tell(balances({"asset": "USD", "balance": number, "ledger_id": "L1"}, sequence=2))
    events = other.tell(balances(entry("L2", "USD", 400), sequence=3))
    assert [type(event) for event in events] == [SequenceGap, BalancesUpdate]


def test_the_status_is_told_on_this_connection_too(other: Any) -> None:
    (event,) = other.tell({"channel": "status", "type": "update", "data": [{"system": "maintenance"}]})
    assert isinstance(event, StatusUpdate)


def test_market_data_is_not_of_this_connection(private: PrivateFeed, other: Any) -> None:
    (event,) = other.tell({"channel": "ticker", "type": "update", "data": []})
    assert isinstance(event, Unrecognised)
    assert private.book(BTC) is None


def test_memory_of_what_is_over_is_bounded(context: VenueContext) -> None:
    """What is forgotten is told as if it were new; a snapshot repeats far less than is kept."""
    account = Executions(context, remembered=10)
    decoder = msgspec.json.Decoder(ExecutionsMessage)

    def tell(number: int) -> list[Any]:
        trade = {**TRADE, "order_id": f"O{number}", "exec_id": f"T{number}", "order_status": "filled"}
        return account.receive(decoder.decode(json.dumps(executions(trade))), continues=False)

    for number in range(100):
        assert isinstance(tell(number)[0], Fill)
    assert [type(event) for event in tell(95)] == [OrderUpdate]
    assert isinstance(tell(1)[0], Fill)


STOP = {
    "order_id": ORDER,
    "symbol": "BTC/USD",
    "side": "sell",
    "order_qty": 0.005,
    "order_type": "trailing-stop-limit",
    "limit_price": -10.0,
    "limit_price_type": "quote",
    "triggers": {"reference": "index", "price": 2.0, "price_type": "pct", "actual_price": 26000.5},
    "time_in_force": "GTD",
    "expire_time": "2023-10-22T10:33:05Z",
    "reduce_only": True,
    "exec_type": "pending_new",
    "order_status": "pending_new",
    "timestamp": "2023-09-22T10:33:05.709950Z",
}


def test_an_order_of_somebody_else_shows_all_its_terms(other: Any) -> None:
    other.tell(executions(kind="snapshot"))
    (news,) = other.tell(executions(STOP, sequence=2))
    assert news.request == OrderRequest(
        symbol=BTC,
        side="sell",
        quantity="0.005",
        type="trailing_stop_limit",
        trail="2.0%",
        limit_offset="-10.0",
        trigger_by="index",
        time_in_force="gtd",
        expires=datetime(2023, 10, 22, 10, 33, 5, tzinfo=UTC),
        reduce_only=True,
    )
    assert (news.price, news.trigger_price) == (None, Decimal("26000.5"))


def test_a_trigger_that_follows_is_told_and_its_distance_stays(other: Any) -> None:
    other.tell(executions(kind="snapshot"))
    other.tell(executions(STOP, sequence=2))
    moved = {
        "order_id": ORDER,
        "exec_type": "status",
        "order_status": "new",
        "timestamp": "2023-09-22T10:34:05.709950Z",
        "triggers": {"actual_price": 26100.0, "status": "untriggered"},
    }
    (news,) = other.tell(executions(moved, sequence=3))
    assert news.trigger_price == Decimal("26100.0")
    assert news.request is not None
    assert str(news.request.trail) == "2.0%"


def test_an_iceberg_shows_its_display_quantity(other: Any) -> None:
    other.tell(executions(kind="snapshot"))
    (news,) = other.tell(executions(PENDING | {"order_type": "iceberg", "display_qty": 0.001}, sequence=2))
    assert news.display_quantity == Decimal("0.001")
    assert (news.request.type, news.request.display_quantity) == (OrderType.LIMIT, Decimal("0.001"))
