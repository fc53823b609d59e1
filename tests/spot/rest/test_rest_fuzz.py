"""Whatever the venue answers to Kraken's own calls, they raise nothing but our errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ExchangeError
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.orders.terms import Amendment, Edit, SpotOrder
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.types.account import ReportKind

BTC = "BTC/USD"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEVEL = {"price": "1.0", "qty": "2.0", "order_id": "O", "timestamp": 1765000000123456789}
EVENT = {
    "event_id": 1,
    "expected_start_utc": "2026-10-03T06:00:00Z",
    "phase": "announced",
    "affected_services": ["all"],
}
DESCRIPTION = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "+5%", "price2": "0", "leverage": "5:1"}
ORDER = {
    "status": "open",
    "descr": DESCRIPTION,
    "vol": "1",
    "vol_exec": "0",
    "opentm": 1.5,
    "closetm": 0,
    "oflags": "post,fcib",
    "misc": "",
    "trades": ["T"],
    "userref": 1,
}
TRADE = {
    "pair": "XXBTZUSD",
    "time": 1.5,
    "type": "buy",
    "ordertype": "limit",
    "price": "1",
    "cost": "1",
    "fee": "0",
    "vol": "1",
    "posstatus": "open",
    "net": "+1",
    "ledgers": ["L"],
}
ENTRY = {
    "refid": "R",
    "time": 1.5,
    "type": "trade",
    "asset": "XBT.M",
    "amount": "-1",
    "fee": "0",
    "balance": "1",
}
POSITION = {
    "pair": "XXBTZUSD",
    "type": "buy",
    "cost": "1",
    "fee": "0",
    "vol": "1",
    "vol_closed": "0",
    "margin": "1",
    "time": 1.5,
    "rollovertm": "1616672637",
    "positions": "2",
}
TRANSACTION = {
    "method": "Bitcoin",
    "asset": "XXBT",
    "refid": "F",
    "amount": "1",
    "time": 1688992722,
    "status": "Success",
    "status-prop": "return",
}
AMOUNT = {"native": "1", "converted": "2"}
PLACED = {"txid": "O1", "descr": {"order": "buy", "close": "sell"}}
AMEND = {"amend_id": "A", "amend_type": "user", "timestamp": 1728821182545, "order_qty": "1", "post_only": True}
TIER = {"fee": "0.26", "minfee": "0.1", "next_fee": None, "nextvolume": "1"}
KEY = {
    "apiKeyName": "k",
    "apiKey": "p",
    "nonce": "1",
    "nonceWindow": 0,
    "permissions": ["query-funds"],
    "validUntil": "0",
}
STRATEGY = {
    "id": "ES",
    "asset": "DOT",
    "lock_type": {"type": "instant", "payout_frequency": 1},
    "apr_estimate": {"low": "1", "high": "2"},
    "can_allocate": True,
    "can_deallocate": True,
}
ALLOCATION = {
    "strategy_id": "ES",
    "native_asset": "ETH",
    "amount_allocated": {
        "total": AMOUNT,
        "bonding": {
            **AMOUNT,
            "allocations": [{**AMOUNT, "created_at": "2023-07-06T10:52:05Z", "expires": "2023-07-06T10:52:05Z"}],
        },
    },
    "total_rewarded": AMOUNT,
}


def order(number: int = 0) -> SpotOrder:
    return SpotOrder(symbol=BTC, side="buy", type="limit", quantity=1, limit_price=9, client_order_id=f"c{number}")


CASES: list[tuple[Callable[[KrakenSpotRest], Any], Any]] = [
    (lambda rest: rest.market.time(), {"unixtime": 1688669448}),
    (
        lambda rest: rest.market.system_status(),
        {"status": "online", "timestamp": "2026-02-26T11:09:53Z", "emergency": [EVENT]},
    ),
    (lambda rest: rest.market.maintenance_schedule(), {"events": [EVENT]}),
    (lambda rest: rest.market.spread(BTC), {"XXBTZUSD": [[1, "1", "2"]], "last": 1}),
    (
        lambda rest: rest.market.grouped_book(BTC),
        {"pair": BTC, "grouping": 1, "bids": [{"price": "1", "qty": "1"}], "asks": []},
    ),
    (lambda rest: rest.market.level3(BTC), {"bids": [LEVEL], "asks": [LEVEL]}),
    (lambda rest: rest.market.trades_page(BTC), {"XXBTZUSD": [["1", "1", 1.5, "b", "m", "", 1]], "last": "15"}),
    (lambda rest: rest.market.candles(BTC, 1), {"XXBTZUSD": [[60, "1", "1", "1", "1", "1", "1", 1]], "last": 0}),
    (lambda rest: rest.history.open_orders(), {"open": {"O": ORDER}}),
    (lambda rest: rest.history.orders("O"), {"O": ORDER}),
    (lambda rest: rest.history.closed_orders_page(start=NOW), {"closed": {"O": ORDER}, "count": 1}),
    (lambda rest: rest.history.trades("T"), {"T": TRADE}),
    (lambda rest: rest.history.trades_page(end=NOW), {"trades": {"T": TRADE}, "count": 1}),
    (lambda rest: rest.history.ledgers("L"), {"L": ENTRY}),
    (lambda rest: rest.history.ledgers_page(start=NOW, end=NOW), {"ledger": {"L": ENTRY}, "count": 1}),
    (lambda rest: rest.history.amends("O"), {"amends": [AMEND], "count": 1}),
    (lambda rest: rest.account.balance(), {"XXBT": "1", "XBT.M": "2"}),
    (lambda rest: rest.account.credit_lines(), {"a": {"ZUSD": {"x": "1"}}, "b": {"total": "1"}}),
    (
        lambda rest: rest.account.trade_balance(),
        dict.fromkeys(("eb", "tb", "m", "n", "c", "v", "e", "mf", "ml"), "1"),
    ),
    (lambda rest: rest.account.open_positions(), {"T": POSITION}),
    (lambda rest: rest.account.positions_by_market(), [POSITION]),
    (
        lambda rest: rest.account.trade_volume(BTC),
        {
            "currency": "ZUSD",
            "volume": "1",
            "fees": {"XXBTZUSD": TIER},
            "fees_maker": {"XXBTZUSD": TIER},
            "inputs": {"x": "1"},
            "volume_subaccounts": [{"x": "1"}],
            "schedules": [{"pair": "XXBTZUSD", "class": "x", "tiers": [{"maker_fee": "1", "taker_fee": "2"}]}],
        },
    ),
    (lambda rest: rest.account.key_info(), KEY),
    (lambda rest: rest.exports.add(ReportKind.TRADES, "x"), {"id": "X"}),
    (lambda rest: rest.exports.statuses(ReportKind.TRADES), [{"id": "X", "status": "Queued", "createdtm": "1"}]),
    (lambda rest: rest.exports.retrieve("X"), "UEs="),
    (lambda rest: rest.exports.delete("X"), {"delete": True}),
    (lambda rest: rest.trading.add(order()), {"txid": ["O1"], "descr": {"order": "buy"}}),
    (lambda rest: rest.trading.validate(order()), {"descr": {"order": "buy", "close": "sell"}}),
    (lambda rest: rest.trading.add_batch([order(1), order(2)]), {"orders": [PLACED, {"error": "EOrder:No"}]}),
    (lambda rest: rest.trading.validate_batch([order(1), order(2)]), {"orders": [PLACED, {"error": "EOrder:No"}]}),
    (lambda rest: rest.trading.amend(Amendment(symbol=BTC, txid="OA-B-C", quantity=1)), {"amend_id": "T"}),
    (
        lambda rest: rest.trading.edit(Edit(symbol=BTC, txid="OA-B-C", type="limit", quantity=1)),
        {"status": "ok", "txid": "O2", "volume": "1", "price": "1", "orders_cancelled": 1, "descr": {"order": "x"}},
    ),
    (lambda rest: rest.trading.cancel_batch(txids=["OA-B-C"]), {"count": 1, "pending": False}),
    (lambda rest: rest.trading.cancel_all(), {"count": 1}),
    (
        lambda rest: rest.trading.cancel_all_after(timedelta(seconds=60)),
        {"currentTime": "2023-03-24T17:41:56Z", "triggerTime": "2023-03-24T17:42:56Z"},
    ),
    (lambda rest: rest.funding.deposit_methods("BTC"), [{"method": "x", "limit": False, "gen-address": True}]),
    (lambda rest: rest.funding.deposit_addresses("BTC", "x"), [{"address": "a", "expiretm": "1"}]),
    (lambda rest: rest.funding.deposits_page(start=NOW), {"deposits": [TRANSACTION], "next_cursor": "x"}),
    (lambda rest: rest.funding.withdrawals_page(), [TRANSACTION]),
    (lambda rest: rest.funding.withdraw_methods(), [{"asset": "XXBT", "method": "x", "minimum": "1"}]),
    (lambda rest: rest.funding.withdraw_addresses(), [{"address": "a", "asset": "XBT", "method": "x", "key": "k"}]),
    (
        lambda rest: rest.funding.withdraw_info("BTC", "k", 1),
        {"method": "x", "limit": "1", "amount": "1", "fee": "1"},
    ),
    (lambda rest: rest.funding.withdraw("BTC", "k", 1), {"refid": "R"}),
    (lambda rest: rest.funding.cancel_withdrawal("BTC", "R"), True),
    (lambda rest: rest.transfers.to_futures("BTC", 1), {"refid": "R"}),
    (
        lambda rest: rest.transfers.between_accounts("BTC", 1, source="a", destination="b"),
        {"transfer_id": "T", "status": "pending"},
    ),
    (lambda rest: rest.earn.strategies(), {"items": [STRATEGY], "next_cursor": None}),
    (
        lambda rest: rest.earn.allocations(),
        {"converted_asset": "USD", "total_allocated": "1", "total_rewarded": "1", "items": [ALLOCATION]},
    ),
    (lambda rest: rest.earn.allocate("ES", 1), True),
    (lambda rest: rest.earn.allocate_pending("ES"), {"pending": True}),
]

ODD = st.sampled_from(
    [
        "NaN",
        "Infinity",
        "1e999999",
        "1e30",
        "-1",
        "",
        "x",
        "+",
        "%",
        0,
        -1,
        1.5,
        10**30,
        None,
        True,
        [],
        {},
        [[]],
        "\x00",
    ]
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [found for key, inner in items for found in paths(inner, (*path, key))]


@st.composite
def spoilt(draw: Any, example: Any) -> Any:
    """An answer with a value or two replaced or removed."""
    answer = json.loads(json.dumps(example))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(paths(answer)))
        if not path:
            return deepcopy(draw(ODD))
        place = answer
        for step in path[:-1]:
            place = place[step]
        if draw(st.booleans()):
            place[path[-1]] = deepcopy(draw(ODD))
        else:
            del place[path[-1]]
    return answer


def test_the_examples_read(make_context: Callable[..., VenueContext], make_runner: Any) -> None:
    """Else what follows would prove nothing."""
    context = make_context(now=lambda: NOW, config=KrakenSpotConfig(allow_withdrawals=True))
    rest, run = KrakenSpotRest(context), make_runner(context)
    for flow, example in CASES:
        if example != "UEs=":
            assert not getattr(run(flow(rest), example), "unreadable", ())


@settings(max_examples=1500, deadline=None)
@given(data=st.data())
def test_no_answer_raises_anything_but_our_errors(
    make_context: Callable[..., VenueContext], make_runner: Any, data: st.DataObject
) -> None:
    flow, example = data.draw(st.sampled_from(CASES))
    context = make_context(now=lambda: NOW, config=KrakenSpotConfig(allow_withdrawals=True))
    answer = data.draw(spoilt(example))
    with suppress(ExchangeError):
        repr(make_runner(context)(flow(KrakenSpotRest(context)), answer))
