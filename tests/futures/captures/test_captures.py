"""Every recorded answer and frame, read by what it is for: no digit is lost, but in fields that nobody reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import attrs
import pytest

from exchange_core.connector.auth import Credentials
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext
from exchange_core.model.book import OrderBook
from exchange_core.model.event import BookDesynced, Channel, Subscription, Unrecognised
from exchange_core.model.symbol import Symbol
from exchange_core.storage.recording import frames
from kraken_futures.auth import FuturesSigner
from kraken_futures.config import FuturesConfig
from kraken_futures.feed.connections import FuturesFeed, private_feed, public_feed
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit
from kraken_futures.rest.charts import Resolution, TickType
from kraken_futures.rest.operations import FuturesRest

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BTC, COIN = "BTC/USD:USD", "BTC/USD:BTC"
BATCH = ("022774bc-2c4a-4f26-9317-436c8d85746d", "9c2cbcc8-14f6-42fe-a020-6e395babafd1")
GONE = "566942c8-a3b5-4184-a451-622b09493129"


class Read(NamedTuple):
    """The call that a file answers, and the fields of it that are not read, by name."""

    call: Callable[[FuturesRest], Flow[Any]]
    unread: frozenset[str] = frozenset()


def read(call: Callable[[FuturesRest], Flow[Any]], *unread: str) -> Read:
    return Read(call, frozenset(unread))


def order(number: int) -> FuturesOrder:
    return FuturesOrder(symbol=COIN, side="buy", quantity=1, kind="lmt", limit_price=1, client_order_id=f"c-{number}")


def batch(do: FuturesRest) -> Flow[Any]:
    return do.orders.batch([order(1), OrderEdit(order_id=BATCH[1], quantity=1), OrderCancel(order_id=GONE)])


CANCEL = OrderCancel(order_id="cb4e34f6-4eb3-4d4b-9724-4c3035b99d47")
EDIT = OrderEdit(order_id=BATCH[0], quantity=1501)
FILES: dict[str, Read] = {
    "candles_mark_2024-11.json": read(lambda do: do.charts.candles(COIN, Resolution.HOUR, TickType.MARK).page()),
    "candles_trade_2024-11.json": read(lambda do: do.charts.candles(COIN, Resolution.HOUR).page()),
    "doc_accounts.json": read(lambda do: do.account.wallets()),
    "doc_batch_order.json": read(batch),
    "doc_cancel_all_orders.json": read(lambda do: do.orders.cancel_everything()),
    "doc_cancel_all_orders_after.json": read(lambda do: do.orders.cancel_all_after(60)),
    "doc_cancel_order.json": read(lambda do: do.orders.cancel(CANCEL)),
    "doc_edit_order.json": read(lambda do: do.orders.edit(EDIT)),
    "doc_fills.json": read(lambda do: do.account.fills().page()),
    "doc_leverage_preferences.json": read(lambda do: do.settings.leverage()),
    "doc_open_orders.json": read(lambda do: do.orders.open()),
    "doc_open_positions.json": read(lambda do: do.account.positions()),
    "doc_pnl_preferences.json": read(lambda do: do.settings.pnl_assets()),
    "doc_send_order.json": read(lambda do: do.orders.send(order(1))),
    "feeschedules.json": read(lambda do: do.market.fee_schedules()),
    "historical_funding_rates_v4.json": read(lambda do: do.market.funding_rates(BTC)),
    "history_trades_2024-05.json": read(lambda do: do.market.trades(COIN).page(), "trade_id"),  # it has a uid too
    "instruments_5_2026-09.json": read(lambda do: do.market.contracts()),
    "instruments_status_2024-05.json": read(lambda do: do.market.statuses()),
    "open_orders_stop_2023-07.json": read(lambda do: do.orders.open()),
    "orderbook_full_2024-05.json": read(lambda do: do.book(Symbol.parse(COIN), None)),
    "public_executions_2025-11.json": read(lambda do: do.history.market_executions(BTC).page(), "len"),
    "tickers_2025-11.json": read(lambda do: do.market.tickers()),
}

FRAMES: dict[str, Callable[[VenueContext], FuturesFeed]] = {
    "connection_3products_2021-07.stream.jsonl": public_feed,
    "doc_balances_open_positions.jsonl": private_feed,
    "doc_feeds.jsonl": private_feed,
    "info_ack_alert_challenge.jsonl": public_feed,
    "inverse_2022.jsonl": public_feed,
    "liquidation_trades_2020.jsonl": public_feed,
    "pf_xbtusd_2026-10.jsonl": public_feed,
    "private_captured.jsonl": private_feed,
    "ticker_pf_ethusd_2026-07.jsonl": public_feed,
}
UNREAD = {
    # Numbers of messages count, and are no news; so are the times of balances and positions, which have none in the
    # model.
    *(f"{feed}.seq" for feed in ("book", "book_snapshot", "trade", "trade_snapshot", "fills", "fills_snapshot")),
    *("balances.seq", "balances.timestamp", "balances_snapshot.timestamp", "open_positions.timestamp"),
    # When an order was made: an update tells when it was changed.
    *("open_orders.time", "event.version"),
    # Sums of a wallet, and ratios, which REST gives in full.
    *(f"balances_snapshot.{sum_of}_value" for sum_of in ("balance", "collateral", "portfolio")),
    *("balances_snapshot.available_margin", "balances_snapshot.margin_equity"),
    *("open_positions.effective_leverage", "open_positions.index_price", "open_positions.return_on_equity"),
    "open_positions.pnl",  # worked out here: its unit is not settled for inverse contracts
    # The funding is read as a rate of the price (relative_funding_rate), as on all venues.
    *("ticker.funding_rate", "ticker.funding_rate_prediction"),
    # What the model of a ticker has no place for.
    *(f"ticker.{field}" for field in ("change", "dtm", "maturityTime", "open", "premium", "volumeQuote")),
    *(f"ticker_lite.{field}" for field in ("change", "dtm", "maturityTime", "premium")),
}
"""What of frames is not read, by feed and field."""

HERE = frozenset({"rest/errors.jsonl", "ws/doc_challenge_signature_vector.json", "ws/doc_requests.jsonl"})
"""What has a test of its own: ``errors.jsonl`` in ``test_errors.py``, the others below."""


def test_every_file_of_the_folder_is_in_a_table(captures: Path) -> None:
    """A file that is new is in none, and shows here."""
    folder = captures / "futures"
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {f"rest/{name}" for name in FILES} | {f"ws/{name}" for name in FRAMES} | HERE


@pytest.fixture
def do(captures: Path, signer: FuturesSigner) -> FuturesRest:
    """The plugin with the recorded instruments; what they do not list is taken in by name."""
    context = VenueContext(
        venue="f",
        config=FuturesConfig(),
        symbols=SymbolMap("f"),
        assets=AssetMap("f"),
        signer=signer,
        provisional=True,
    )
    rest = FuturesRest(context)
    rest.load_instruments((captures / "futures/rest/instruments_5_2026-09.json").read_bytes())
    return rest


def printed(value: Any, name: str = "") -> Iterator[tuple[str, Decimal]]:
    """Yield every number of an answer as it is printed, with the name of its field; of a level that goes, none."""
    if isinstance(value, Mapping):
        if value.get("feed") == "book" and not value.get("qty", 1):
            return
        for key, item in value.items():
            yield from printed(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from printed(item, name)
    elif isinstance(value, Decimal):
        yield name, value


def numbers(value: Any) -> Iterator[Decimal]:
    """Yield every number of what was made of an answer; times in seconds and in milliseconds."""
    if isinstance(value, OrderBook):
        for level in (*value.bids(), *value.asks()):
            yield from (level.price, level.quantity)
        yield from numbers(value.time)
    elif isinstance(value, datetime):
        seconds = Decimal((value - EPOCH) // timedelta(microseconds=1)).scaleb(-6)
        yield from (seconds, seconds * 1000)
    elif isinstance(value, Decimal | int) or (isinstance(value, str) and value.isdecimal()):
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


def lost(raw: str | bytes, made: Any) -> set[str]:
    """Return the fields of which a number is nowhere in what was made of them; zero is told for what there is not."""
    found = {*numbers(made), Decimal(0)}
    return {
        name
        for name, value in printed(json.loads(raw, parse_float=Decimal, parse_int=Decimal))
        if not found & {value, value / 100, -value}
    }


@pytest.mark.parametrize("name", FILES)
def test_no_digit_of_an_answer_is_lost(do: FuturesRest, run: Any, captures: Path, name: str) -> None:
    body = (captures / "futures/rest" / name).read_bytes()
    made, _ = run(FILES[name].call(do), body)
    assert not getattr(made, "unreadable", ())
    assert lost(body, made) == FILES[name].unread


def test_no_digit_of_a_frame_is_lost(do: FuturesRest, captures: Path) -> None:
    missing: set[str] = set()
    for name, make in FRAMES.items():
        feed = make(do._context)
        feed.opened(0.0)
        for frame in frames(captures / "futures/ws" / name):
            if frame.outgoing:
                continue
            events = feed.receive(frame.raw, 1.0)
            assert not any(isinstance(event, Unrecognised) for event in events)
            if any(isinstance(event, BookDesynced) for event in events):
                continue  # a change that was cut out of another stream: the book waits for a snapshot
            told = json.loads(frame.raw).get("feed") or "event"
            missing |= {f"{told}.{field}" for field in lost(frame.raw, events)}
    assert missing == UNREAD


# The documented conversation.


def test_the_documented_signature_of_a_challenge(captures: Path) -> None:
    vector = json.loads((captures / "futures/ws/doc_challenge_signature_vector.json").read_bytes())
    keys = Credentials(api_key="key", api_secret=vector["api_secret"])
    signer = FuturesSigner.of(keys, FuturesConfig())
    assert signer.sign_challenge(vector["challenge"]) == vector["signed_challenge"]


def test_subscriptions_are_asked_for_as_documented(do: FuturesRest, captures: Path) -> None:
    """Each documented request, field by field; keys, challenges and signatures are others."""
    lines = (captures / "futures/ws/doc_requests.jsonl").read_text("utf-8").splitlines()
    documented = [json.loads(line) for line in lines]
    symbol = Symbol.parse(COIN)
    open_ = Subscription(Channel.ORDERS, variant="open_orders")
    private = [open_, *(Subscription(channel) for channel in (Channel.ORDERS, Channel.FILLS, Channel.LEDGER))]
    public = [Subscription(channel, symbol) for channel in (Channel.BOOK, Channel.TICKER, Channel.TRADES)]
    asked = [*requests(public_feed(do._context), public), *requests(private_feed(do._context), private)]
    for request in documented:
        (ours,) = [one for one in asked if one["feed"] == request["feed"]]
        assert ours.keys() == request.keys()
        assert ours.get("product_ids") == request.get("product_ids")


def requests(feed: FuturesFeed, wanted: list[Subscription]) -> list[dict[str, Any]]:
    """Return what *feed* asks for; each is acknowledged, so that the next one comes."""
    feed.subscribe(wanted, 0.0)
    feed.opened(0.0)
    sent: list[dict[str, Any]] = []
    while waiting := [json.loads(frame) for frame in feed.outbox()]:
        for request in waiting:
            if request["event"] == "challenge":
                feed.receive('{"event":"challenge","message":"c0ffee"}', 0.0)
            else:
                sent.append(request)
                feed.receive(json.dumps({**request, "event": "subscribed"}), 0.0)
    return sent
