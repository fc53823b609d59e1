"""Market data and account operations over REST, on recorded answers where there are some."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.partial import left_out
from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported, ProtocolError, UnknownSymbol
from exchange_core.model.account import Balance, FeeRates
from exchange_core.model.fill import Fee, Fill, Liquidity
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.dialect import KrakenSpotDialect
from kraken_spot.rest.operations import KrakenSpotRest

BTC, ETH = Symbol("BTC", "USD"), Symbol("ETH", "USD")


def recorded(captures: Path, name: str) -> bytes:
    return (captures / "spot/rest" / name).read_bytes()


@pytest.fixture
def usdt(make_context: Callable[..., VenueContext], captures: Path) -> KrakenSpotRest:
    rest = KrakenSpotRest(make_context(listed=False))
    rest.load_instruments(recorded(captures, "asset_pairs_xbtusdt_2025.json"))
    return rest


def test_instruments_ask_for_assets_then_pairs(make_context: Callable[..., VenueContext], run: Any) -> None:
    context = make_context(listed=False)
    assets = {"XXBT": {"altname": "XBT", "decimals": 10}, "ZUSD": {"altname": "USD", "decimals": 4}}
    pairs = {
        "XXBTZUSD": {
            "altname": "XBTUSD",
            "wsname": "XBT/USD",
            "base": "XXBT",
            "quote": "ZUSD",
            "pair_decimals": 1,
            "lot_decimals": 8,
        },
        "BROKEN": {},
    }
    rest = KrakenSpotRest(context)
    (made,) = run(rest.instruments(), assets, pairs)
    assert [(call.method, call.path) for call in run.calls] == [
        ("GET", "/0/public/Assets"),
        ("GET", "/0/public/AssetPairs"),
    ]
    assert made.symbol == BTC
    assert made.venue_id == "XBTUSD"
    known = context.assets.get("XXBT")
    assert known is not None
    assert known.decimals == 10
    assert list(rest.skipped) == ["BROKEN"]


def test_ticker(usdt: KrakenSpotRest, run: Any, captures: Path) -> None:
    ticker = run(usdt.ticker(Symbol("BTC", "USDT")), recorded(captures, "ticker_xbtusdt.json"))
    assert ticker.bid == Decimal("105944.20000")
    assert ticker.ask == Decimal("105944.30000")
    assert ticker.ask_quantity == Decimal("1.000")
    assert ticker.last == Decimal("105899.40000")
    assert ticker.volume == Decimal("163.28908096"), "of 24 hours, not of today"
    assert ticker.low == Decimal("104711.00000")
    assert run.calls[0].params == {"pair": "XBTUSDT"}


def test_a_pair_that_never_traded_has_no_prices(rest: KrakenSpotRest, run: Any) -> None:
    zero = ["0.00000000"] * 3
    entry = dict.fromkeys(("a", "b", "c", "v", "p", "l", "h"), zero)
    ticker = run(rest.ticker(BTC), {"XXBTZUSD": entry})
    assert ticker.bid is None
    assert ticker.last is None
    assert ticker.volume == 0


@pytest.mark.parametrize("key", ["XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD", "BTCUSD", "anything"])
def test_an_answer_may_stand_under_any_name(rest: KrakenSpotRest, run: Any, key: str) -> None:
    row = ["100.0", "1.000", 1762820248]
    assert run(rest.book(BTC, None), {key: {"asks": [row], "bids": []}}).best_ask == (Decimal(100), Decimal(1))


@pytest.mark.parametrize("answer", [{}, {"A": {"asks": [], "bids": []}, "B": {"asks": [], "bids": []}}])
def test_an_answer_about_none_or_two_pairs_is_refused(rest: KrakenSpotRest, run: Any, answer: Any) -> None:
    with pytest.raises(ProtocolError, match="one pair"):
        run(rest.book(BTC, None), answer)


def test_book(usdt: KrakenSpotRest, run: Any, captures: Path) -> None:
    book = run(usdt.book(Symbol("BTC", "USDT"), 5), recorded(captures, "depth_xbtusdt.json"))
    assert run.calls[0].params == {"pair": "XBTUSDT", "count": 5}
    assert len(book.bids) == len(book.asks) == 5
    assert book.best_bid == (Decimal("105944.2"), Decimal("0.002"))
    assert book.time == datetime.fromtimestamp(1762820249, UTC)
    assert book.checked == 0


def test_trades(usdt: KrakenSpotRest, run: Any, captures: Path) -> None:
    symbol = Symbol("BTC", "USDT")
    trades = run(usdt.trades(symbol, None), recorded(captures, "trades_xbtusdt_1000.json"))
    assert len(trades) == 1000
    assert trades[0].id == "10218208"
    assert trades[0].time == datetime(2025, 11, 10, 17, 23, 53, 971744, tzinfo=UTC)
    assert [int(trade.id) for trade in trades] == sorted(int(trade.id) for trade in trades)
    latest = run(usdt.trades(symbol, 3), recorded(captures, "trades_xbtusdt_1000.json"))
    assert latest == trades[-3:]
    assert run.calls[1].params == {"pair": "XBTUSDT", "count": 3}
    assert run.calls[1].costs[0].key == "XBTUSDT"


def test_candles(usdt: KrakenSpotRest, run: Any, captures: Path) -> None:
    """Only the last bar is still forming; an empty one has no average."""
    candles = run(usdt.candles(Symbol("BTC", "USDT"), 1, None), recorded(captures, "ohlc_xbtusdt_1m_full.json"))
    assert len(candles) == 721
    assert [candle.closed for candle in candles[-2:]] == [True, False]
    assert candles[0].vwap is None
    assert candles[0].count == 0
    assert candles[2].vwap == Decimal("106038.3")
    assert candles[2].volume == Decimal("0.00032101")


def test_candles_since_a_time_include_it(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    since = datetime.fromtimestamp(1790352000, UTC)
    candles = run(rest.candles(BTC, 60, since), recorded(captures, "ohlc_btcusd_wsname_key.json"))
    assert run.calls[0].params == {"pair": "XBTUSD", "interval": 60, "since": 1790352000}
    assert [candle.start for candle in candles] == [since + timedelta(hours=hour) for hour in range(3)]
    assert [candle.closed for candle in candles] == [True, True, False]


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (lambda rest: rest.book(BTC, 501), "depth: 501"),
        (lambda rest: rest.book(BTC, 0), "depth: 0"),
        (lambda rest: rest.trades(BTC, 1001), "limit: 1001"),
        (lambda rest: rest.candles(BTC, 7, None), "interval: 7"),
    ],
)
def test_what_cannot_be_had_is_refused_when_it_is_asked(rest: KrakenSpotRest, operation: Any, message: str) -> None:
    with pytest.raises(NotSupported, match=f"kraken: {message}"):
        operation(rest)


def test_an_unknown_symbol_is_refused_before_anything_is_sent(rest: KrakenSpotRest, run: Any) -> None:
    with pytest.raises(UnknownSymbol, match="BTC/XXX"):
        run(rest.ticker(Symbol("BTC", "XXX")))
    assert not run.calls


def test_balances(rest: KrakenSpotRest, run: Any) -> None:
    """Suffixes are wallets, credit counts, and text or numbers are both money."""
    answer = {
        "XXBT": {"balance": "1.5", "hold_trade": "0.5"},
        "ZUSD": {"balance": 100.25, "hold_trade": 0, "credit": "50", "credit_used": "10"},
        "XBT.M": {"balance": "0.1", "hold_trade": "0"},
        "MATIC04.S": {"balance": "3", "hold_trade": "0"},
        "MATIC.S": {"balance": "4", "hold_trade": "0"},
        "NEVERHEARD": {"balance": "7"},
    }
    (call_balances,) = [run(rest.balances(), answer)]
    assert run.calls[0].path == "/0/private/BalanceEx"
    assert {(b.asset, b.wallet): (b.total, b.held) for b in call_balances} == {
        ("BTC", "spot"): (Decimal("1.5"), Decimal("0.5")),
        ("USD", "spot"): (Decimal("140.25"), Decimal(0)),
        ("BTC", "rewards"): (Decimal("0.1"), Decimal(0)),
        ("MATIC", "staked"): (Decimal(7), Decimal(0)),
        ("NEVERHEARD", "spot"): (Decimal(7), Decimal(0)),
    }
    assert call_balances[0] == Balance(
        asset="BTC", total=Decimal("1.5"), held=Decimal("0.5"), wallet="spot", venue="kraken"
    )
    assert call_balances[0].free == 1


def test_recorded_balances(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    balances = run(rest.balances(), recorded(captures, "private_balance_ex.json"))
    held = {b.asset: b for b in balances if b.held}
    assert held["ATOM"].free == Decimal("10.57952001")
    assert {b.wallet for b in balances} == {"spot", "staked"}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e99999", None, {}])
def test_a_balance_that_does_not_read_hides_no_other_and_spoils_its_sum(
    rest: KrakenSpotRest, run: Any, value: Any
) -> None:
    answer = {
        "XXBT": {"balance": "1"},
        "MATIC.S": {"balance": value},
        "MATIC04.S": {"balance": "3"},
        "ZUSD": {"balance": "2"},
    }
    found = run(rest.balances(), answer)
    assert [(one.asset, one.total) for one in found] == [("BTC", 1), ("USD", 2)]
    assert ["MATIC.S" in problem for problem in left_out(found)] == [True]
    assert list(rest.skipped) == ["balance of MATIC.S"]
    assert not left_out(run(rest.balances(), {"MATIC.S": {"balance": "3"}}))
    assert not rest.skipped


def trade(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "ordertxid": "OQCLML-BW3P3-BUCMWZ",
        "pair": "XXBTZUSD",
        "time": 1700000000 + number,
        "type": "buy",
        "ordertype": "limit",
        "price": "30010.00000",
        "cost": "600.20000",
        "fee": "0.96032",
        "vol": "0.02000000",
        "margin": "0.00000",
        "misc": "",
        "trade_id": number,
        "maker": True,
        **changes,
    }


def page(numbers: range, count: int | None) -> dict[str, Any]:
    trades = {f"T{number}": trade(number) for number in numbers}
    return {"trades": trades} if count is None else {"trades": trades, "count": count}


def test_a_fill(rest: KrakenSpotRest, run: Any) -> None:
    (fill,) = run(rest.fills(None), {"trades": {"THVRQM": trade(5, time=1700000000.123456789)}, "count": 900})
    assert fill == Fill(
        id="THVRQM",
        symbol=BTC,
        side=Side.BUY,
        price=Decimal("30010.00000"),
        quantity=Decimal("0.02000000"),
        time=datetime.fromtimestamp(1700000000, UTC) + timedelta(microseconds=123456),
        venue="kraken",
        venue_order_id="OQCLML-BW3P3-BUCMWZ",
        cost=Decimal("600.20000"),
        fee=Fee(asset="USD", amount=Decimal("0.96032")),
        liquidity=Liquidity.MAKER,
    )
    (call,) = run.calls
    assert call.params["consolidate_taker"] is False
    assert call.params["start"] is None
    assert call.costs[0].amount == 4


def test_the_cost_of_history_can_be_set(make_context: Callable[..., VenueContext], run: Any) -> None:
    rest = KrakenSpotRest(make_context(config=KrakenSpotConfig(history_cost=2)))
    run(rest.fills(None), {"trades": {}})
    assert run.calls[0].costs[0].amount == 2


@pytest.mark.parametrize("count", [120, None], ids=["counted", "not counted"])
def test_fills_since_a_time_are_paged_to_the_end(rest: KrakenSpotRest, run: Any, count: int | None) -> None:
    """Oldest first, and one that moved to the next page meanwhile comes once."""
    since = datetime.fromtimestamp(1700000000, UTC)
    pages = [page(range(119, 69, -1), count), page(range(70, 20, -1), count), page(range(20, -1, -1), count)]
    if count is None:
        pages.append(page(range(0), None))
    fills = run(rest.fills(since), *pages)
    assert [fill.id for fill in fills] == [f"T{number}" for number in range(120)]
    assert [call.params["ofs"] for call in run.calls][:3] == [None, 50, 100]
    assert {call.params["start"] for call in run.calls} == {1699999999}


def test_the_start_is_cut_here(rest: KrakenSpotRest, run: Any) -> None:
    """Kraken's start is exclusive, ours is not."""
    since = datetime.fromtimestamp(1700000005, UTC)
    fills = run(rest.fills(since), page(range(9, 3, -1), 6))
    assert [fill.id for fill in fills] == [f"T{number}" for number in range(5, 10)]


def test_a_fill_that_does_not_read_costs_no_other_and_is_reported(rest: KrakenSpotRest, run: Any) -> None:
    trades = {"T1": trade(1), "T2": trade(2, pair="GONEUSD"), "T3": trade(3, price="x"), "T4": trade(4, type="hold")}
    fills = run(rest.fills(None), {"trades": trades}, {}, {})
    assert [fill.id for fill in fills] == ["T1"]
    assert set(rest.skipped) == {"trade T2", "trade T3", "trade T4"}


def test_recorded_fills(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    body = recorded(captures, "private_trades_history.json")
    fills = run(rest.fills(None), body, {}, {})
    listed = {entry["pair"] for entry in json.loads(body)["result"]["trades"].values()}
    assert {str(fill.symbol) for fill in fills} <= {"BTC/USD", "ETH/USD", "MATIC/USD"}
    assert len(fills) + len(rest.skipped) == len(json.loads(body)["result"]["trades"])
    assert "XXBTZUSD" in listed


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(
            {"fees": {"XXBTZUSD": {"fee": "0.2600"}}, "fees_maker": {"XXBTZUSD": {"fee": "0.1600"}}},
            FeeRates(maker=Decimal("0.0016"), taker=Decimal("0.0026")),
            id="percent",
        ),
        pytest.param(
            {"fees": {"BTC/USD": {"fee": 0.4, "min_fee": 1}}, "fees_maker": {"XBTUSD": {"fee": "-0.02", "minfee": 1}}},
            FeeRates(maker=Decimal("-0.0002"), taker=Decimal("0.004")),
            id="a rebate, other names",
        ),
        pytest.param(
            {"fees": {"XXBTZUSD": {"fee": "0.26"}}, "fees_maker": None},
            FeeRates(maker=Decimal("0.0026"), taker=Decimal("0.0026")),
            id="no maker schedule",
        ),
        pytest.param({"currency": "ZUSD", "volume": "0"}, None, id="not told"),
        pytest.param({"fees": {"XETHZUSD": {"fee": "0.26"}}}, None, id="another pair"),
    ],
)
def test_fees(rest: KrakenSpotRest, run: Any, answer: Any, expected: FeeRates | None) -> None:
    assert run(rest.fees(BTC), answer) == expected
    assert run.calls[0].params == {"pair": "XBTUSD"}


def test_every_private_call_is_signed_and_costs_something(rest: KrakenSpotRest, run: Any) -> None:
    run(rest.balances(), {})
    run(rest.fills(None), {"trades": {}})
    run(rest.open_orders(), {"open": {}})
    run(rest.fees(BTC), {})
    for call in run.calls:
        assert call.method == "POST"
        assert call.private
        assert not call.changes_state
        assert call.costs


def test_public_calls_are_written_as_queries(context: VenueContext) -> None:
    dialect = KrakenSpotDialect(context)
    call = RestCall(method="GET", path="/0/public/Depth", params={"pair": "XBTUSD", "count": 5})
    assert dialect.encode(call).target == "/0/public/Depth?pair=XBTUSD&count=5"
    assert dialect.decode(RestCall(method="GET", path="/x"), HttpReply(200, {}, b'{"error":[],"result":7}')) == 7
