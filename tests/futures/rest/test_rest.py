"""REST operations as flows: what is asked, and what the answers mean."""

import json
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.partial import left_out
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported, ProtocolError, VenueUnavailable
from exchange_core.model.account import FeeRates
from exchange_core.model.fill import Liquidity
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.order import OrderStatus, OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.terms import TriggerBy
from kraken_futures.config import FuturesConfig
from kraken_futures.limits import units
from kraken_futures.rest.operations import FuturesRest

LINEAR, INVERSE = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)

PI_TICKER = {
    "symbol": "PI_XBTUSD",
    "tag": "perpetual",
    "pair": "BTC:USD",
    "markPrice": 91506.6009839176,
    "bid": 91415.0,
    "bidSize": 4960.0,
    "ask": 91490.5,
    "askSize": 5020.0,
    "vol24h": 21118140.0,
    "last": 91415.0,
    "lastTime": "2025-11-17T00:31:01.835715Z",
    "fundingRate": -3.995839963e-09,
    "indexPrice": 91468.38,
    "suspended": False,
    "postOnly": False,
}
NOTHING_NEW = ({"instruments": [{"symbol": "odd"}]}, {"tickers": []}, {"instruments": [{"symbol": "odd"}]})
"""What lists answer that are asked for again, and do not have a contract either, expired ones included."""
PF_TICKER = {**PI_TICKER, "symbol": "PF_XBTUSD", "markPrice": 91510.0, "fundingRate": 4.573419}
INDEX = {"symbol": "in_xbtusd", "last": 91468, "lastTime": "2025-11-17T00:31:01Z"}


def recorded(captures: Path, name: str) -> bytes:
    return (captures / "futures/rest" / name).read_bytes()


# Market data.


def test_instruments_take_suspension_from_the_tickers(rest: FuturesRest, run: Any, context: VenueContext) -> None:
    listed = {
        "instruments": [
            {
                "symbol": "PF_XBTUSD",
                "type": "flexible_futures",
                "tickSize": 1,
                "tradeable": True,
                "contractValueTradePrecision": 4,
                "base": "BTC",
                "quote": "USD",
            }
        ]
    }
    damaged = {"symbol": 5}
    tickers = {"tickers": [INDEX, damaged, {**PF_TICKER, "symbol": "pf_xbtusd", "suspended": True}]}
    found, calls = run(rest.instruments(), listed, tickers)
    assert [call.path for call in calls] == ["/derivatives/api/v3/instruments", "/derivatives/api/v3/tickers"]
    assert not any(call.private or call.costs for call in calls)
    assert [i.status for i in found] == [InstrumentStatus.OFFLINE]
    assert context.symbols.instrument(LINEAR).status is InstrumentStatus.OFFLINE


def test_an_empty_list_is_an_outage(rest: FuturesRest, run: Any, context: VenueContext) -> None:
    with pytest.raises(VenueUnavailable):
        run(rest.instruments(), {"instruments": []})
    assert LINEAR in context.symbols


@pytest.mark.parametrize(
    ("symbol", "row", "funding"),
    [
        pytest.param(INVERSE, PI_TICKER, Decimal("-3.995839963e-09") * Decimal("91468.38"), id="inverse: times index"),
        pytest.param(LINEAR, PF_TICKER, Decimal("4.573419") / Decimal("91468.38"), id="linear: over index"),
    ],
)
def test_a_ticker_has_its_funding_as_a_fraction(
    rest: FuturesRest, run: Any, symbol: Symbol, row: dict[str, Any], funding: Decimal
) -> None:
    rows = [
        {**each, "fundingRatePrediction": 2 * each["fundingRate"], "openInterest": 21279580.5}
        for each in (PI_TICKER, PF_TICKER)
    ]
    ticker, (call,) = run(rest.ticker(symbol), {"tickers": [INDEX, *rows]})
    assert call.params == {"symbol": row["symbol"]}
    assert ticker.symbol == symbol
    assert ticker.bid == Decimal("91415.0")
    assert ticker.bid_quantity == 4960
    assert ticker.mark_price == Decimal(str(row["markPrice"]))
    assert ticker.funding_rate is not None
    assert abs(ticker.funding_rate - funding) < Decimal("1e-18")
    assert ticker.next_funding_rate == 2 * ticker.funding_rate
    assert ticker.open_interest == Decimal("21279580.5")
    assert ticker.time == NOON


def test_a_market_without_orders_or_trades_says_nothing_of_them(rest: FuturesRest, run: Any) -> None:
    ticker, _ = run(rest.ticker(LINEAR), {"tickers": [{"symbol": "PF_XBTUSD", "tag": "perpetual"}]})
    assert (ticker.bid, ticker.ask, ticker.last, ticker.funding_rate) == (None, None, None, None)


def test_a_ticker_that_is_missing_is_an_error(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(ProtocolError, match="PF_XBTUSD"):
        run(rest.ticker(LINEAR), {"tickers": [PI_TICKER]})


def test_the_recorded_tickers(rest: FuturesRest, run: Any, captures: Path) -> None:
    ticker, _ = run(rest.ticker(INVERSE), recorded(captures, "tickers_2025-11.json"))
    assert ticker.ask == Decimal("91490.5")


def test_a_book_is_cut_and_sorted(rest: FuturesRest, run: Any) -> None:
    sides = {"bids": [[61011.5, 2900], [61012, 1], [61008.5, 0]], "asks": [[61014, 3], [61013, 58], [61020.5, 1]]}
    book, (call,) = run(rest.book(INVERSE, 2), {"orderBook": sides})
    assert call.params == {"symbol": "PI_XBTUSD"}
    assert [tuple(map(str, level)) for level in book.bids] == [("61012", "1"), ("61011.5", "2900")]
    assert [tuple(map(str, level)) for level in book.asks] == [("61013", "58"), ("61014", "3")]
    assert book.time == NOON


def test_the_recorded_book(rest: FuturesRest, run: Any, captures: Path) -> None:
    book, _ = run(rest.book(INVERSE, None), recorded(captures, "orderbook_full_2024-05.json"))
    assert book.best_bid is not None
    assert book.best_bid.price == Decimal("61011.5")
    assert book.best_ask is not None
    assert book.best_ask.price > book.best_bid.price
    assert len(book.bids) > 50


def trade(number: int, when: datetime) -> dict[str, Any]:
    return {
        "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "trade_id": 100,
        "price": 60000 + number,
        "size": 0.25,
        "side": "sell",
        "type": "fill",
        "uid": f"u{number}",
    }


def test_trades_come_oldest_first_with_their_uid(rest: FuturesRest, run: Any) -> None:
    page = [trade(3, NOON), trade(2, NOON), trade(1, NOON - timedelta(seconds=1))]
    trades, (call,) = run(rest.trades(LINEAR, None), {"history": page})
    assert [t.id for t in trades] == ["u1", "u2", "u3"]
    assert trades[0].side is Side.SELL
    assert trades[0].quantity == Decimal("0.25")
    assert call.params == {"symbol": "PF_XBTUSD", "lastTime": None}


def test_more_trades_than_a_page_are_paged_with_overlap(rest: FuturesRest, run: Any) -> None:
    first = [trade(n, NOON + timedelta(milliseconds=n)) for n in range(300, 200, -1)]
    second = [trade(n, NOON + timedelta(milliseconds=n)) for n in range(201, 101, -1)]
    trades, calls = run(rest.trades(LINEAR, 150), {"history": first}, {"history": second})
    assert [t.id for t in trades] == [f"u{n}" for n in range(151, 301)]
    assert calls[1].params["lastTime"] == "2026-01-05T12:00:00.202Z"


def test_the_recorded_trade(rest: FuturesRest, run: Any, captures: Path) -> None:
    trades, _ = run(rest.trades(INVERSE, None), recorded(captures, "history_trades_2024-05.json"))
    assert [(t.id, t.price) for t in trades] == [("d0692c0c-742e-4d88-862c-8bd63533e067", 61081)]


def bar(minute: int) -> dict[str, Any]:
    start = int(NOON.timestamp() * 1000) + minute * 60_000
    return {"time": start, "open": "1", "high": "3", "low": "0.5", "close": "2.5", "volume": minute}


def test_candles_are_paged_and_the_last_one_is_open(rest: FuturesRest, run: Any) -> None:
    pages = [
        {"candles": [bar(0), bar(1)], "more_candles": True},
        {"candles": [bar(1), bar(2)], "more_candles": False},
    ]
    candles, calls = run(rest.candles(LINEAR, 1, NOON), *pages)
    assert [c.start for c in candles] == [NOON + timedelta(minutes=n) for n in range(3)]
    assert [c.closed for c in candles] == [True, True, False]
    assert candles[1].high == 3
    start = int(NOON.timestamp())
    assert [call.params for call in calls] == [{"from": start}, {"from": start + 120}]
    assert calls[0].path == "/api/charts/v1/trade/PF_XBTUSD/1m"
    assert calls[0].base == "charts_url"


def test_candles_end_although_the_venue_always_has_more(rest: FuturesRest, run: Any) -> None:
    page = {"candles": [bar(0)], "more_candles": True}
    candles, _ = run(rest.candles(LINEAR, 1, NOON), page, page)
    assert len(candles) == 1


def test_no_candles_are_no_candles(rest: FuturesRest, run: Any) -> None:
    assert run(rest.candles(LINEAR, 1, None), {"candles": []})[0] == []


def test_intervals_that_do_not_exist_are_refused_before_sending(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(NotSupported, match="120 minutes; there are 1, 5, 15"):
        run(rest.candles(LINEAR, 120, None))


def test_the_recorded_candles(rest: FuturesRest, run: Any, captures: Path) -> None:
    candles, _ = run(rest.candles(INVERSE, 60, None), recorded(captures, "candles_trade_2024-11.json"))
    assert candles[0].close == Decimal("91045.5")


# The account.

OPEN_ORDER = {
    "order_id": "o-1",
    "cliOrdId": "c-1",
    "symbol": "PI_XBTUSD",
    "side": "sell",
    "orderType": "lmt",
    "limitPrice": 10640.5,
    "unfilledSize": 304,
    "filledSize": 0,
    "receivedTime": "2026-01-05T12:00:00Z",
    "lastUpdateTime": "2026-01-05T12:00:01.5Z",
    "status": "untouched",
    "reduceOnly": True,
}


def test_open_orders(rest: FuturesRest, run: Any) -> None:
    (order,), (call,) = run(rest.open_orders(), {"openOrders": [OPEN_ORDER]})
    assert order.symbol == INVERSE
    assert (order.venue_order_id, order.client_order_id) == ("o-1", "c-1")
    assert (order.status, order.quantity, order.filled) == (OrderStatus.OPEN, 304, 0)
    assert order.price == Decimal("10640.5")
    assert order.request.reduce_only
    assert order.created == NOON
    assert call.costs == units("openorders")


def test_what_remains_and_what_is_filled_make_the_quantity(rest: FuturesRest, run: Any) -> None:
    (order,), _ = run(rest.open_orders(), {"openOrders": [{**OPEN_ORDER, "unfilledSize": 300, "filledSize": 4}]})
    assert (order.status, order.quantity, order.filled) == (OrderStatus.PARTIALLY_FILLED, 304, 4)


def test_an_order_without_its_size_is_not_taken_for_none(rest: FuturesRest, run: Any) -> None:
    """What is not executed yet may be missing by the documentation; hiding the order would be worse."""
    row = {name: value for name, value in OPEN_ORDER.items() if name != "unfilledSize"}
    found, _ = run(rest.open_orders(), {"openOrders": [row, {**OPEN_ORDER, "order_id": "o-2"}]})
    assert [order.venue_order_id for order in found] == ["o-2"]
    (problem,) = left_out(found)
    assert "o-1" in problem
    assert "unfilledSize is missing" in problem


def test_a_stop_is_shown_with_what_fires_it(rest: FuturesRest, run: Any) -> None:
    stop = {**OPEN_ORDER, "orderType": "stop", "stopPrice": 29259, "limitPrice": None, "triggerSignal": "mark"}
    (order,), _ = run(rest.open_orders(), {"openOrders": [stop]})
    assert (order.request.type, order.request.trigger_price) == (OrderType.STOP, 29259)
    assert (order.request.trigger_by, order.reason) == (TriggerBy.MARK, None)


def test_the_recorded_open_orders(rest: FuturesRest, run: Any, captures: Path, caplog: Any) -> None:
    orders, _ = run(rest.open_orders(), recorded(captures, "doc_open_orders.json"))
    assert all(order.symbol == INVERSE for order in orders)
    with caplog.at_level(logging.WARNING):
        stops, _ = run(rest.open_orders(), recorded(captures, "open_orders_stop_2023-07.json"), *NOTHING_NEW)
    # Of a contract that is in no list any more.
    assert {str(order.symbol) for order in stops} == {"FI_XBTUSD_230728/?:?"}
    assert "fi_xbtusd_230728" in caplog.text


@pytest.mark.parametrize(
    ("operation", "reply"),
    [
        ("open_orders", {}),
        ("open_orders", {"openOrders": None}),
        ("positions", {}),
        ("balances", {}),
    ],
)
def test_a_success_without_its_list_is_an_outage_and_not_nothing(
    rest: FuturesRest, run: Any, operation: str, reply: dict[str, Any]
) -> None:
    with pytest.raises(ProtocolError):
        run(getattr(rest, operation)(), reply)


def test_fills_without_their_list_are_an_error(rest: FuturesRest, run: Any) -> None:
    with pytest.raises(ProtocolError):
        run(rest.fills(None), {})


def test_positions_are_signed_and_valued_at_the_mark(rest: FuturesRest, run: Any) -> None:
    rows = [
        {"side": "short", "symbol": "PI_XBTUSD", "price": 50000, "size": 10000, "unrealizedPnl": -607250.0},
        {"side": "long", "symbol": "PF_XBTUSD", "price": 91500.5, "size": 0.5, "unrealizedFunding": -0.0073428},
        {"side": "long", "symbol": "PV_XRPXBT", "price": 1, "size": 1},
    ]
    tickers = {"tickers": [{**PI_TICKER, "markPrice": 55000}, PF_TICKER]}
    positions, calls = run(rest.positions(), {"openPositions": rows}, *NOTHING_NEW, tickers)
    inverse, linear, stranger = positions
    assert inverse.quantity == -10000
    assert str(inverse.unrealised).startswith("-0.01818181818181818")
    assert linear.quantity == Decimal("0.5")
    assert linear.unrealised == Decimal("4.75")
    assert linear.mark_price == 91510
    assert (inverse.unrealised_funding, linear.unrealised_funding) == (None, Decimal("-0.0073428"))
    assert [call.path.rpartition("/")[2] for call in calls[1:4]] == ["instruments", "tickers", "instruments"]
    assert calls[4].params == {"symbol": ["PI_XBTUSD", "PF_XBTUSD", "PV_XRPXBT"]}
    assert left_out(positions) == ()
    # Listed nowhere, and shown all the same; how its profit is reckoned is not known.
    assert (str(stranger.symbol), stranger.quantity, stranger.unrealised) == ("PV_XRPXBT/?:?", 1, None)
    told = rest.skipped["position in PV_XRPXBT"]
    assert told == "the contract is in no instrument list: PV_XRPXBT/?:?"


def test_without_positions_no_ticker_is_asked(rest: FuturesRest, run: Any) -> None:
    positions, calls = run(rest.positions(), {"openPositions": []})
    assert positions == []
    assert len(calls) == 1


def test_a_position_without_a_mark_has_no_profit(rest: FuturesRest, run: Any) -> None:
    rows = [{"side": "long", "symbol": "PF_XBTUSD", "price": 91500, "size": 0.5}]
    (position,), _ = run(rest.positions(), {"openPositions": rows}, {"tickers": []})
    assert (position.mark_price, position.unrealised) == (None, None)


def test_the_recorded_positions(rest: FuturesRest, run: Any, captures: Path) -> None:
    tickers = {"tickers": [PI_TICKER]}
    positions, _ = run(rest.positions(), recorded(captures, "doc_open_positions.json"), *NOTHING_NEW, tickers)
    assert [(str(p.symbol), p.quantity) for p in positions] == [
        (str(INVERSE), -10000),
        ("FI_XBTUSD_201225/?:?", 20000),
        ("PF_DEFIUSD/?:?", 1),
    ]


ACCOUNTS = {
    "cash": {"type": "cashAccount", "balances": {"xbt": "141.31756797", "xrp": 52465.1254}},
    "fi_xbtusd": {
        "type": "marginAccount",
        "currency": "xbt",
        "balances": {"FI_XBTUSD_171215": "50000", "xbt": "141.31756797", "xrp": 0},
        "auxiliary": {"usd": 0, "pv": 153.73891563, "pnl": 12.42134766, "af": 100.73891563},
    },
    "flex": {
        "type": "multiCollateralMarginAccount",
        "currencies": {
            "XBT": {"quantity": 0.1185308247, "value": 4998.7, "collateral": 4886.5, "available": 0.1},
            "USD": {"quantity": 5000, "value": 5000, "collateral": 5000, "available": 5100},
        },
        "initialMargin": 0,
    },
}


def test_balances_of_every_wallet(rest: FuturesRest, run: Any) -> None:
    balances, (call,) = run(rest.balances(), {"accounts": ACCOUNTS})
    found = {(b.wallet, b.asset): (b.total, b.held) for b in balances}
    assert found == {
        ("cash", "BTC"): (Decimal("141.31756797"), 0),
        ("cash", "XRP"): (Decimal("52465.1254"), 0),
        ("fi_xbtusd", "BTC"): (Decimal("141.31756797"), Decimal("40.57865234")),
        ("fi_xbtusd", "XRP"): (0, None),
        ("flex", "BTC"): (Decimal("0.1185308247"), Decimal("0.0185308247")),
        ("flex", "USD"): (5000, 0),
    }
    assert {b.venue for b in balances} == {"futures"}
    assert call.costs == units("accounts")


def test_the_recorded_accounts(rest: FuturesRest, run: Any, captures: Path) -> None:
    balances, _ = run(rest.balances(), recorded(captures, "doc_accounts.json"))
    assert ("flex", "EUR") in {(b.wallet, b.asset) for b in balances}


def fill(number: int, when: datetime, **more: Any) -> dict[str, Any]:
    return {
        "fill_id": f"f{number}",
        "order_id": "o-1",
        "symbol": "PF_XBTUSD",
        "side": "buy",
        "size": 0.1,
        "price": 60000.5,
        "fillTime": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "fillType": "maker",
        **more,
    }


def at(milliseconds: int) -> datetime:
    return NOON + timedelta(milliseconds=milliseconds)


def test_fills_come_oldest_first_and_without_a_fee(rest: FuturesRest, run: Any) -> None:
    page = [fill(2, at(2), fillType="takerAfterEdit"), fill(1, at(1), fillType="liquidation", cliOrdId="c")]
    fills, (call,) = run(rest.fills(None), {"fills": page})
    assert [(f.id, f.liquidity, f.client_order_id) for f in fills] == [("f1", None, "c"), ("f2", Liquidity.TAKER, None)]
    assert fills[0].fee is None
    assert fills[0].venue_order_id == "o-1"
    assert call.params == {}
    assert call.costs == units("fills")


def test_fills_since_a_time_are_paged_backwards_with_a_millisecond_of_overlap(rest: FuturesRest, run: Any) -> None:
    first = [fill(n, at(n)) for n in range(250, 150, -1)]
    second = [fill(n, at(n)) for n in range(151, 51, -1)]
    third = [fill(n, at(n)) for n in range(52, 0, -1)]
    fills, calls = run(rest.fills(at(20)), {"fills": first}, {"fills": second}, {"fills": third})
    assert [f.id for f in fills] == [f"f{n}" for n in range(20, 251)]
    assert [call.params for call in calls] == [
        {},
        {"lastFillTime": "2026-01-05T12:00:00.152Z"},
        {"lastFillTime": "2026-01-05T12:00:00.053Z"},
    ]
    assert calls[1].costs == units("fills before")


def test_paging_ends_where_the_past_is_reached(rest: FuturesRest, run: Any) -> None:
    page = [fill(n, at(n)) for n in range(100, 0, -1)]
    fills, calls = run(rest.fills(at(50)), {"fills": page})
    assert len(fills) == 51
    assert len(calls) == 1


def test_a_page_of_one_millisecond_does_not_end_the_paging(rest: FuturesRest, run: Any, caplog: Any) -> None:
    busy = [fill(n, at(5)) for n in range(200, 100, -1)]
    before = [fill(n, at(4)) for n in range(100, 50, -1)]
    with caplog.at_level(logging.WARNING):
        fills, calls = run(rest.fills(at(0)), {"fills": busy}, {"fills": busy}, {"fills": before})
    assert len(fills) == 150
    assert calls[2].params == {"lastFillTime": "2026-01-05T12:00:00.005Z"}
    assert "some may be missing" in caplog.text


def test_a_venue_that_repeats_its_page_is_not_asked_forever(rest: FuturesRest, run: Any) -> None:
    page = {"fills": [fill(n, at(n)) for n in range(100, 0, -1)]}
    fills, calls = run(rest.fills(NOON - timedelta(days=1)), page, page, page)
    assert len(fills) == 100
    assert len(calls) == 3


def test_the_recorded_fills(rest: FuturesRest, run: Any, captures: Path) -> None:
    fills, _ = run(rest.fills(None), recorded(captures, "doc_fills.json"))
    assert [f.quantity for f in fills] == [5000, 5490]


@pytest.mark.parametrize(
    ("maker", "taker", "fees"),
    [
        (None, None, None),
        (Decimal("0.0002"), None, None),
        (Decimal("0.0002"), Decimal("0.0005"), FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0005"))),
    ],
)
def test_fees_are_what_the_config_says_or_not_known(
    context: VenueContext, run: Any, maker: Decimal | None, taker: Decimal | None, fees: FeeRates | None
) -> None:
    config = FuturesConfig(maker_fee=maker, taker_fee=taker)
    rest = FuturesRest(VenueContext(venue="f", config=config, symbols=context.symbols, assets=context.assets))
    assert run(rest.fees(LINEAR)) == (fees, [])


def test_numbers_keep_their_digits(rest: FuturesRest, run: Any) -> None:
    body = json.dumps({"result": "success", "tickers": [PF_TICKER]}).replace(
        "91415.0", "0.1000000000000000055511151231"
    )
    ticker, _ = run(rest.ticker(LINEAR), body.encode())
    assert str(ticker.bid) == "0.1000000000000000055511151231"
