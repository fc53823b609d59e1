"""Orders, trades and ledger entries in full, on recorded answers, and their pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, NotSupported, OrderRefused
from exchange_core.model.number import plain
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.limits import PRIVATE
from kraken_spot.orders.prices import RelativePrice
from kraken_spot.parse.history import stamp
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.types.history import (
    AmendType,
    CloseTime,
    LedgerFilter,
    LedgerType,
    RecordStatus,
    SpotOrderType,
    TradeFilter,
)

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def recorded(captures: Path, name: str) -> bytes:
    return (captures / "spot/rest" / name).read_bytes()


@pytest.fixture
def history(rest: KrakenSpotRest) -> Any:
    return rest.history


def ledger(at: Decimal | int | str, asset: str = "ZUSD") -> dict[str, Any]:
    return {
        "refid": "T1",
        "time": float(at),
        "type": "trade",
        "asset": asset,
        "amount": "-1.0",
        "fee": "0.1",
        "balance": "2.0",
    }


def order(opened: float, closed: float | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "status": "closed",
        "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "1.0"},
        "vol": "1",
        "vol_exec": "1",
        "opentm": opened,
        "closetm": closed,
        **changes,
    }


def test_open_orders_of_every_kind(history: Any, run: Any, captures: Path) -> None:
    body = recorded(captures, "private_open_orders.json")
    records = json.loads(body)["result"]["open"]
    found = run(history.open_orders(), body)
    assert not found.unreadable
    assert {one.id for one in found.items} == set(records)
    by_id = {one.id: one for one in found.items}
    atom = by_id["604X4L-ANXHT-JV0ZQT"]
    assert atom.symbol == "ATOMETH", "a pair that no list had keeps the venue's name"
    assert (atom.side, atom.type, atom.status) == (Side.SELL, SpotOrderType.LIMIT, RecordStatus.OPEN)
    assert str(atom.price) == "0.008770"
    assert atom.price2 is None
    assert atom.trigger == "index"
    assert atom.client_order_id == "some-uuid"
    assert atom.userref is None
    assert atom.flags == ("fciq",)
    assert atom.opened == datetime(2023, 2, 14, 14, 25, 10, 121142, tzinfo=UTC)
    assert atom.starts is atom.expires is atom.closed is atom.leverage is None
    assert by_id["R62T2L-0U03M-GJ4MBG"].link_id == "APCXQQ-SAYXM-3CC6EY"
    for one in found.items:
        raw = records[one.id]
        assert (plain(one.quantity), plain(one.filled)) == (raw["vol"], raw["vol_exec"])
        assert one.type in SpotOrderType, one.type
        assert one.type == raw["descr"]["ordertype"]


def test_a_live_order_with_an_expiry_of_2019(history: Any, run: Any, captures: Path) -> None:
    lines = recorded(captures, "http_order_lifecycle_sell_add_then_open.jsonl").splitlines()
    exchange = json.loads(lines[3])
    assert exchange["path"] == "/0/private/OpenOrders"
    (one,) = run(history.open_orders(), exchange["body"].encode()).items
    assert one.id == "OQJUIE-TTHJZ-3ULWCE"
    assert one.expires == datetime.fromtimestamp(1571296326, UTC)
    assert one.opened == datetime(2019, 10, 17, 7, 11, 51, 64300, tzinfo=UTC)


def test_nothing_open(history: Any, run: Any, captures: Path) -> None:
    exchange = json.loads(recorded(captures, "http_open_orders_empty_and_trade_balance.jsonl").splitlines()[0])
    assert run(history.open_orders(client_order_id="x"), exchange["body"].encode()).items == ()
    assert run.calls[0].params["cl_ord_id"] == "x"


def test_orders_by_id(history: Any, run: Any, captures: Path) -> None:
    (one,) = run(history.orders("P8E9L2-ITMSU-UGBBRE"), recorded(captures, "private_query_orders.json")).items
    assert one.status is RecordStatus.CANCELED
    assert one.reason == "Order replaced"
    assert one.average_price is None, "nothing was filled"
    assert one.closed == datetime(2023, 11, 12, 12, 37, 21, 705669, tzinfo=UTC)
    (call,) = run.calls
    assert list(call.params["txid"]) == ["P8E9L2-ITMSU-UGBBRE"]
    assert [(cost.pool, cost.amount) for cost in call.costs] == [(PRIVATE, 1)]


def test_closed_orders(history: Any, run: Any, captures: Path) -> None:
    page = run(history.closed_orders_page(), recorded(captures, "private_closed_orders.json"))
    assert page.count == 99
    assert page.cursor == "3"
    eth, algo, sol = page.items
    assert eth.symbol == Symbol("ETH", "USD")
    assert (str(eth.cost), str(eth.fee), str(eth.average_price)) == ("37.50000", "0.09375", "750.00")
    assert str(algo.cost) == "4.8507000000000"
    assert algo.closed == datetime.fromtimestamp(1723586800, UTC) + timedelta(microseconds=623244)
    assert (sol.status, sol.reason) == (RecordStatus.CANCELED, "User requested")
    assert sol.description == "sell 89.90977172 SOLUSD @ limit 0.01050"
    assert [cost.amount for cost in run.calls[0].costs] == [2], "counted as a history call, to be safe"


def test_prices_of_a_stop_may_be_offsets(history: Any, run: Any) -> None:
    description = {
        "pair": "XBTUSD",
        "type": "sell",
        "ordertype": "trailing-stop-limit",
        "price": "+5.0000%",
        "price2": "-10.5",
        "leverage": "5:1",
    }
    answer = {
        "O1": order(1.5, descr=description, oflags="viqc,nompp", refid="None", userref=-7, misc="stopped,touched"),
        "O2": order(1.5, descr={**description, "ordertype": "from-the-future"}, status="dreaming"),
        "O3": order(1.5, descr={**description, "price": "banana"}),
    }
    found = run(history.orders("O1", "O2", "O3"), answer)
    one, two = found.items
    assert one.price == RelativePrice("+", Decimal("5.0000"), percent=True)
    assert str(one.price2) == "-10.5"
    assert one.leverage == "5:1"
    assert one.quantity_in_quote
    assert one.parent is None
    assert one.userref == -7
    assert one.misc == ("stopped", "touched")
    assert (two.type, two.status) == ("from-the-future", "dreaming"), "unknown words stay as they are"
    assert [bad.id for bad in found.unreadable] == ["O3"]
    assert "banana" in found.unreadable[0].problem


def test_trades(history: Any, run: Any, captures: Path) -> None:
    page = run(history.trades_page(), recorded(captures, "private_trades_history.json"))
    assert page.count == 396
    assert page.cursor == "5"
    atom, eth, btc = page.items[:3]
    assert atom.ledgers == ("R0X871-F5PY6-A5707B", "BV7YXR-DTHM9-AZRON4")
    assert (str(atom.price), str(atom.cost), str(atom.fee)) == ("8.250000", "44.250000", "0.079000")
    assert eth.symbol == Symbol("ETH", "USD")
    assert eth.trade_id == 46006064
    assert btc.order_type == "stop limit", "trades have other words for it than orders"
    assert btc.maker is False
    assert btc.leverage is None
    assert btc.time == datetime(2023, 5, 27, 12, 12, 54, 653626, tzinfo=UTC)
    assert btc.position_status is btc.closed is None
    (call,) = run.calls
    assert call.params["consolidate_taker"] is False, "fills are not to be merged"
    assert [cost.amount for cost in call.costs] == [4]


def test_trades_by_id(history: Any, run: Any, captures: Path) -> None:
    (one,) = run(history.trades("X2Q49U-F3M8J-7HK49O"), recorded(captures, "private_query_trades.json")).items
    assert one.order_id == "0628QD-9SIQF-UQ72SR"
    assert one.position_id == "2HCNKV-A84MB-UFBO92"
    assert str(one.quantity) == "8.90000000"
    assert [cost.amount for cost in run.calls[0].costs] == [2]


def test_a_trade_that_opened_a_position(history: Any, run: Any) -> None:
    raw = {
        "pair": "XXBTZUSD",
        "time": 1.5,
        "type": "buy",
        "ordertype": "market",
        "price": "100.0",
        "cost": "100.0",
        "fee": "0.1",
        "vol": "1",
        "margin": "20",
        "posstatus": "closed",
        "cprice": "110",
        "ccost": "110",
        "cfee": "0.2",
        "cvol": "1",
        "cmargin": "20",
        "net": "+9.7000",
        "trades": ["T2"],
    }
    (one,) = run(history.trades("T1"), {"T1": raw}).items
    assert one.position_status == "closed"
    assert one.closed is not None
    assert str(one.closed.net) == "9.7000"
    assert one.closed.trades == ("T2",)


def test_the_ledger(history: Any, run: Any, captures: Path) -> None:
    body = recorded(captures, "private_ledgers.json")
    page = run(history.ledgers_page(), body)
    assert page.count == 324
    assert len(page.items) == len(json.loads(body)["result"]["ledger"])
    assert not page.unreadable
    first = page.items[0]
    assert first.id == "ZKFTQO-BR8G7-08P80H"
    assert (first.type, first.subtype) == (LedgerType.TRANSFER, "spotfromfutures")
    assert tuple(map(plain, (first.amount, first.fee, first.balance))) == ("0.03216614", "0.00000000", "0.77441494")
    assert first.time == datetime(2022, 11, 25, 9, 44, 15, 564229, tzinfo=UTC), "cut to microseconds"
    dollars = page.items[2]
    assert dollars.asset == "USD"
    assert (str(dollars.amount), str(dollars.fee)) == ("-46.2500", "0.0740")
    assert all(isinstance(one.type, LedgerType) for one in page.items)


def test_ledger_entries_by_id(history: Any, run: Any, captures: Path) -> None:
    (one,) = run(history.ledgers("LMWW7L-EWV66-ZXPC3L"), recorded(captures, "private_query_ledgers.json")).items
    assert (one.asset, one.reference, str(one.fee)) == ("USD", "TAUGAY-Z4ZJO-O3POKN", "0.1440")
    assert [cost.amount for cost in run.calls[0].costs] == [2]


def test_the_suffix_of_an_asset_is_its_wallet(history: Any, run: Any) -> None:
    page = run(history.ledgers_page(), {"ledger": {"L1": ledger(1, "XBT.M")}, "count": 1})
    assert (page.items[0].asset, page.items[0].wallet) == ("BTC", "rewards")


def test_the_ledger_can_be_filtered(history: Any, run: Any) -> None:
    call = history.ledgers_page(assets=["BTC", "USD"], type=LedgerFilter.NFT_REBATE, with_count=False)
    run(call, {"ledger": {}})
    params = run.calls[0].params
    assert params["asset"] == ["XXBT", "ZUSD"]
    assert params["type"] == "nft_rebate"
    assert params["without_count"] is True


def test_trades_can_be_filtered(history: Any, run: Any) -> None:
    call = history.trades_page(symbol="BTC/USD", type=TradeFilter.CLOSING_POSITION, ledgers=True, limit=100)
    run(call, {"trades": {}, "count": 0})
    params = run.calls[0].params
    assert (params["pair"], params["type"], params["ledgers"], params["limit"]) == (
        "XBTUSD",
        "closing position",
        True,
        100,
    )


def test_amends_in_milliseconds(history: Any, run: Any, captures: Path) -> None:
    original, amended = run(history.amends("O1"), recorded(captures, "private_order_amends.json")).items
    assert (original.type, amended.type) == (AmendType.ORIGINAL, AmendType.USER)
    assert original.time == datetime(2024, 10, 13, 12, 6, 22, 545000, tzinfo=UTC)
    assert (str(amended.quantity), str(amended.limit_price)) == ("5.25000000", "0.9600")
    assert amended.reason == "User requested"
    assert amended.post_only is True
    assert amended.trigger_price is None
    assert run.calls[0].params == {"order_id": "O1"}


@pytest.mark.parametrize("digits", [0, 3, 6, 9])
def test_a_stamp_tells_its_unit_by_its_size(digits: int) -> None:
    """Recorded in milliseconds, described in nanoseconds: both read right."""
    assert stamp(1728821182 * 10**digits) == datetime(2024, 10, 13, 12, 6, 22, tzinfo=UTC)


def test_pages_go_on_where_the_last_one_ended(history: Any, run: Any) -> None:
    page = run(history.ledgers_page(), {"ledger": {"L3": ledger(3), "L2": ledger(2)}, "count": 3})
    assert page.cursor == "2"
    page = run(history.ledgers_page(page.cursor), {"ledger": {"L1": ledger(1)}, "count": 3})
    assert page.cursor is None
    assert [call.params["ofs"] for call in run.calls] == [None, 2]


def test_without_a_count_only_an_empty_page_is_the_end(history: Any, run: Any) -> None:
    page = run(history.ledgers_page("50", with_count=False), {"ledger": {"L": ledger(1)}})
    assert page.cursor == "51"
    assert run(history.ledgers_page("51", with_count=False), {"ledger": {}}).cursor is None


def test_a_damaged_record_is_kept_and_counted(history: Any, run: Any) -> None:
    """Were it not counted, the next page would begin one too early, for ever."""
    page = run(history.ledgers_page(), {"ledger": {"L3": {}, "L2": ledger(2)}, "count": 3})
    assert page.cursor == "2"
    assert [bad.id for bad in page.unreadable] == ["L3"]
    assert page.unreadable[0].raw == b"{}"


def test_the_start_is_exclusive_and_the_end_inclusive_to_the_microsecond(history: Any, run: Any) -> None:
    """Whether the venue compares seconds or fractions, what comes out is the same."""
    start, end = T0, T0 + SECOND
    at = int(T0.timestamp())
    records = {
        "before": ledger(at),
        "first": ledger(f"{at}.000001"),
        "last": ledger(at + 1),
        "after": ledger(f"{at + 1}.000001"),
    }
    page = run(history.ledgers_page(start=start, end=end), {"ledger": records, "count": 4})
    assert [one.id for one in page.items] == ["first", "last"]
    params = run.calls[0].params
    assert (params["start"], params["end"]) == (str(at - 1), str(at + 1))


def test_a_fraction_is_never_cut_to_what_asks_for_less(history: Any, run: Any) -> None:
    half = timedelta(milliseconds=500)
    run(history.trades_page(start=T0 + half, end=T0 + SECOND + half), {"trades": {}, "count": 0})
    at = int(T0.timestamp())
    assert (run.calls[0].params["start"], run.calls[0].params["end"]) == (str(at - 1), str(at + 2))


def test_ids_may_stand_for_times(history: Any, run: Any) -> None:
    run(history.ledgers_page(start="LA", end="LB"), {"ledger": {"L": ledger(1)}, "count": 1})
    assert (run.calls[0].params["start"], run.calls[0].params["end"]) == ("LA", "LB")


@pytest.mark.parametrize(
    ("close_time", "expected"),
    [(CloseTime.OPEN, ["A"]), (CloseTime.CLOSE, ["B"]), (CloseTime.BOTH, ["A", "B"])],
)
def test_a_range_of_closed_orders_is_about_the_time_that_was_asked_for(
    history: Any, run: Any, close_time: CloseTime, expected: list[str]
) -> None:
    at = T0.timestamp()
    records = {"A": order(at + 5, at + 50), "B": order(at - 50, at + 5), "C": order(at - 50, at - 40)}
    flow = history.closed_orders_page(start=T0, end=T0 + 10 * SECOND, close_time=close_time)
    page = run(flow, {"closed": records, "count": 3})
    assert [one.id for one in page.items] == expected
    assert run.calls[0].params["closetime"] == close_time


@pytest.mark.parametrize(
    ("ask", "parameter"),
    [
        (lambda history: history.orders(*["O"] * 51), "txids"),
        (lambda history: history.orders(), "txids"),
        (lambda history: history.trades(*["T"] * 21), "txids"),
        (lambda history: history.ledgers(*["L"] * 21), "ids"),
        (lambda history: history.trades_page(limit=101), "limit"),
    ],
)
def test_more_than_the_venue_takes_is_refused_before_sending(
    history: Any, ask: Callable[[Any], Any], parameter: str
) -> None:
    with pytest.raises(NotSupported, match=f"kraken: {parameter}"):
        next(ask(history))


def test_fifty_orders_go_in_one_call(history: Any, run: Any) -> None:
    run(history.orders(*["O"] * 50), {})
    assert len(run.calls[0].params["txid"]) == 50


@pytest.mark.parametrize("cursor", ["x", "-1", ""])
def test_a_cursor_of_another_call_is_refused(history: Any, cursor: str) -> None:
    with pytest.raises(InvalidValue, match="cursor"):
        next(history.ledgers_page(cursor))


def test_an_id_that_is_none_is_told_by_the_venue(history: Any, run: Any) -> None:
    with pytest.raises(OrderRefused) as refused:
        run(history.orders("nonsense"), b'{"error":["EOrder:Invalid order"]}')
    assert refused.value.codes == ("EOrder:Invalid order",)


def test_history_costs_what_the_config_says(make_context: Callable[..., VenueContext], run: Any) -> None:
    rest = KrakenSpotRest(make_context(config=KrakenSpotConfig(history_cost=1.5)))
    costs = [
        next(flow).costs[0].amount
        for flow in (
            rest.history.ledgers_page(),
            rest.history.trades_page(),
            rest.history.ledgers("L"),
            rest.history.amends("O"),
        )
    ]
    assert costs == [1.5, 1.5, 1.5, 1]
