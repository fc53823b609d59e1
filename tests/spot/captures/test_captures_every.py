"""Every recorded REST answer, read by the call that it answers: no digit is lost, but in fields that nobody reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any, NamedTuple

import attrs
import pytest

from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.model.symbol import Symbol
from kraken_spot.orders.terms import Amendment, Edit, SpotOrder
from kraken_spot.rest.operations import KrakenSpotRest

BTC, USDT = Symbol("BTC", "USD"), Symbol("BTC", "USDT")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NONE = "none"
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


class Read(NamedTuple):
    """The call that a file answers, and the fields of it that are not read, by name."""

    call: Callable[[KrakenSpotRest], Flow[Any]]
    unread: frozenset[str] = frozenset()


def read(call: Callable[[KrakenSpotRest], Flow[Any]], *unread: str) -> Read:
    return Read(call, frozenset(unread))


def order(**terms: Any) -> SpotOrder:
    usual = {"symbol": BTC, "side": "buy", "type": "limit", "quantity": 1, "limit_price": 1}
    return SpotOrder(**{**usual, "client_order_id": f"order {len(terms)}", **terms})


FILES: dict[str, Read] = {
    "depth_xbtusdt.json": read(lambda do: do.book(USDT, 5), "asks[2]", "bids[2]"),  # times of levels
    "ohlc_btcusd_wsname_key.json": read(lambda do: do.market.candles(BTC, 60)),
    "ohlc_xbtusdt_1m_full.json": read(lambda do: do.market.candles(USDT, 1)),
    "private_add_order.json": read(lambda do: do.trading.add(order())),
    "private_add_order_batch.json": read(lambda do: do.trading.add_batch([order(), order(userref=None)])),
    "private_amend_order.json": read(lambda do: do.trading.amend(Amendment(symbol=BTC, txid="O", quantity=1))),
    "private_balance.json": read(lambda do: do.account.balance()),
    "private_balance_ex.json": read(lambda do: do.balances()),
    "private_cancel_all.json": read(lambda do: do.trading.cancel_all()),
    "private_cancel_all_orders_after.json": read(lambda do: do.trading.cancel_all_after(timedelta(seconds=60))),
    "private_cancel_order_batch.json": read(lambda do: do.trading.cancel_batch(txids=["OA", "OB"])),
    "private_closed_orders.json": read(lambda do: do.history.closed_orders_page()),
    "private_edit_order.json": read(
        lambda do: do.trading.edit(Edit(symbol=BTC, txid="O", type="limit", limit_price=1)),
        "newuserref",  # the one that was asked for
    ),
    "private_ledgers.json": read(lambda do: do.history.ledgers_page()),
    "private_open_orders.json": read(lambda do: do.history.open_orders()),
    "private_open_positions.json": read(lambda do: do.account.open_positions()),
    "private_order_amends.json": read(lambda do: do.history.amends("O"), "count"),
    "private_query_ledgers.json": read(lambda do: do.history.ledgers("L")),
    "private_query_orders.json": read(lambda do: do.history.orders("O")),
    "private_query_trades.json": read(lambda do: do.history.trades("T")),
    "private_trade_balance.json": read(lambda do: do.account.trade_balance()),
    "private_trade_volume.json": read(lambda do: do.account.trade_volume(BTC)),
    "private_trades_history.json": read(lambda do: do.history.trades_page()),
    "server_time.json": read(lambda do: do.market.time()),
    "spread_xbtusd.json": read(lambda do: do.market.spread(BTC)),
    "system_status.json": read(lambda do: do.market.system_status()),
    "ticker_xbtusdt.json": read(
        lambda do: do.ticker(USDT),
        # Whole lots, the last trade's size, what is of today, counts of trades, and where the day began.
        *("a[1]", "b[1]", "c[1]", "v[0]", "p[0]", "l[0]", "h[0]", "t[0]", "t[1]", "o"),
    ),
    "trades_xbtusdt_1000.json": read(lambda do: do.market.trades_page(USDT)),
}

ELSEWHERE = {
    "rest/asset_pairs_5_2026-09.json": "test_captures.py",
    "rest/asset_pairs_xbtusdt_2025.json": "test_naming.py",
    "rest/assets_5_2026-09.json": "test_captures.py",
    "rest/assets_full.json": "test_naming.py",
    "rest/doc_api_sign_vector.json": "test_captures.py",
    "rest/error_unknown_asset_pair.json": "test_captures.py",
    "rest/errors.jsonl": "test_errors.py",
    "rest/http_add_order_validate.jsonl": "test_rest_trading.py",
    "rest/http_errors.jsonl": "test_captures.py",
    "rest/http_open_orders_empty_and_trade_balance.jsonl": "test_rest_account.py",
    "rest/http_order_lifecycle_sell_add_then_open.jsonl": "test_rest_history.py",
    "rest/private_cancel_order.json": "test_captures.py",
    "rest/private_ws_token.json": "test_captures.py",
    "rest/ticker_many.json": "test_captures.py",
    "ws/balances.jsonl": "test_feed_captures.py",
    "ws/book_btcusd_d10_2026-10.jsonl": "test_replay.py",
    "ws/book_btcusd_lossy_head_2023-07.jsonl": "test_replay.py",
    "ws/book_minagbp_d25_resync_2026-08-18.stream.jsonl": "test_replay.py",
    "ws/book_snapshot_algousd_d10_2024-10.jsonl": "test_replay.py",
    "ws/doc_balances.jsonl": "test_feed_captures.py",
    "ws/doc_executions.jsonl": "test_feed_captures.py",
    "ws/errors.jsonl": "test_feed_captures.py",
    "ws/executions.jsonl": "test_feed_captures.py",
    "ws/instrument.jsonl": "test_feed_captures.py",
    "ws/level3.jsonl": "test_feed_captures.py",
    "ws/ohlc.jsonl": "test_feed_captures.py",
    "ws/status_heartbeat_pong.jsonl": "test_feed_captures.py",
    "ws/subscribe_acks.jsonl": "test_feed_captures.py",
    "ws/ticker.jsonl": "test_feed_captures.py",
    "ws/trade.jsonl": "test_feed_captures.py",
    "ws/trading_responses.jsonl": "test_captures_frames.py",
    "ws/v1_legacy_samples.jsonl": "test_replay.py",
}
"""What is read by tests of its own, and where."""


def test_every_file_of_the_folder_is_in_a_table(captures: Path) -> None:
    """A file that is new is in none, and shows here."""
    folder = captures / "spot"
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {f"rest/{name}" for name in FILES} | ELSEWHERE.keys()


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_read_elsewhere_is_named_there(name: str) -> None:
    folder, _, file = name.rpartition("/")
    (test,) = Path(__file__).parents[1].rglob(ELSEWHERE[name])
    text = test.read_text("utf-8")
    assert f'"{file}"' in text or f'"spot/{name}"' in text or f"spot/{name}" in text
    assert f"spot/{folder}" in text, "it reads from that folder"


@pytest.fixture
def do(make_context: Callable[..., VenueContext], captures: Path) -> KrakenSpotRest:
    rest = KrakenSpotRest(make_context())
    rest.load_instruments((captures / "spot/rest/asset_pairs_xbtusdt_2025.json").read_bytes())
    return rest


def printed(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every number of an answer as it is printed, with the name of its field."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from printed(item, key)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from printed(item, name if isinstance(item, list | dict) else f"{name}[{place}]")
    elif isinstance(value, str) and NUMBER.fullmatch(value):
        yield name, value


def numbers(value: Any) -> Iterator[Decimal | str]:
    """Yield every number of what was made of an answer: amounts by their digits, others by their value."""
    if isinstance(value, Decimal):
        yield format(value, "f")
    elif isinstance(value, datetime):
        yield Decimal((value - EPOCH) // timedelta(microseconds=1)).scaleb(-6)
    elif isinstance(value, str):
        yield from (value,) if NUMBER.fullmatch(value) else ()
    elif isinstance(value, int):
        yield Decimal(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from numbers(item)
    elif isinstance(value, tuple | list | frozenset):
        for item in value:
            yield from numbers(item)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from numbers(getattr(value, field.name))


@pytest.mark.parametrize("name", FILES)
def test_no_digit_is_lost(do: KrakenSpotRest, run: Any, captures: Path, name: str) -> None:
    body = (captures / "spot/rest" / name).read_bytes()
    result = json.loads(body, parse_float=str, parse_int=str)["result"]
    made = run(FILES[name].call(do), body)
    assert not getattr(made, "unreadable", ())
    found = {NONE, *numbers(made)}  # zero is told for what there is not
    lost = {field for field, text in printed(result) if not found & set(ways(text, name))}
    assert lost == FILES[name].unread


def ways(text: str, name: str) -> Iterator[Decimal | str]:
    """Yield what may be made of a number without losing a digit."""
    value = Decimal(text)
    yield text.lstrip("+")
    yield value
    # Times are cut to microseconds; some are told in milliseconds.
    yield value.quantize(Decimal("0.000001"), ROUND_DOWN)
    yield value / 1000
    if name == "private_trade_volume.json":
        yield format(value / 100, "f")  # percent
    if not value:
        yield NONE
