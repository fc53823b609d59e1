"""Closed orders, trades and ledger entries as walks: each entry once, in order, whatever comes meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_core.connector.pages import History
from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, ProtocolError, VenueUnavailable
from exchange_core.model.ledger import LedgerKind
from exchange_core.model.symbol import Symbol
from exchange_core.testing.walking import take, walk
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.dialect import KrakenSpotDialect
from kraken_spot.history import KrakenSpotHistory
from kraken_spot.limits import PRIVATE
from kraken_spot.parse.ledger import KINDS
from kraken_spot.types.history import LedgerFilter, LedgerType
from kraken_spot.walks.lists import Endpoint, ListWalk
from kraken_spot.walks.operations import Walks, ledgers_of

T0 = 1_760_000_000
SINCE = datetime.fromtimestamp(T0, UTC)


def at(tick: int) -> datetime:
    """A tick is a quarter of a second, so that many entries share a second, and some a time."""
    return SINCE + timedelta(milliseconds=250 * tick)


class Books:
    """The venue's rules: start exclusive, end inclusive, by offset, with a count; newest first, if not otherwise said.

    Attributes:
        entries: Ids and ticks.
        coming: Ticks of entries that come while it is asked, one a call.
        whole_seconds: Compare times without their fraction.
        apart: Every second entry is of a tokenised asset, which are a list of their own.
    """

    def __init__(self, context: VenueContext, ticks: list[int], size: int = 3, field: str = "ledger") -> None:
        self.dialect = KrakenSpotDialect(context)
        self.entries = {f"L{number:05}": tick for number, tick in enumerate(ticks)}
        self.coming: list[int] = []
        self.size = size
        self.field = field
        self.whole_seconds = self.apart = False
        self.order: Callable[[tuple[str, int]], Any] = lambda one: (-one[1], one[0])
        self.calls: list[RestCall] = []
        self.fail_at: int | None = None

    def __call__(self, call: RestCall) -> Any:
        self.calls.append(call)
        if len(self.calls) == self.fail_at:
            raise VenueUnavailable("down")
        body = json.dumps({"error": [], "result": self.answer(call.params)}).encode()
        reply = self.dialect.decode(call, HttpReply(200, {}, body))
        if self.coming:
            self.entries[f"N{len(self.entries):05}"] = self.coming.pop(0)
        return reply

    def answer(self, params: Any) -> Any:
        start, end = params.get("start"), params.get("end")
        found = [
            (name, tick)
            for name, tick in sorted(self.entries.items(), key=self.order)
            if (not self.apart or is_token(name) is (params.get("aclass") == "tokenized_asset"))
            and (start is None or self._time(tick) > Decimal(start))
            and (end is None or self._time(tick) <= Decimal(end))
        ]
        offset = params.get("ofs") or 0
        page = found[offset : offset + self.size]
        return {self.field: {name: self.row(name, tick) for name, tick in page}, "count": len(found)}

    def row(self, name: str, tick: int) -> Any:
        return {
            "refid": f"R{name}",
            "time": T0 + tick / 4,
            "type": "trade",
            "asset": "ZUSD",
            "amount": "-1.0",
            "fee": "0.1",
            "balance": "2.0",
        }

    def _time(self, tick: int) -> Decimal:
        exact = T0 + Decimal(tick) / 4
        return Decimal(int(exact)) if self.whole_seconds else exact


def is_token(name: str) -> bool:
    return int(name[1:]) % 2 == 1


def history(
    context: VenueContext, since: datetime | None = None, until: datetime | None = None, target: int = 4
) -> History[str]:
    """Return the walk through ids, with small windows."""
    endpoint: Endpoint[Any] = ledgers_of(context, lambda name, raw: (name, raw), lambda one: when(one[1].time))
    windows = ListWalk(venue="spot", endpoint=endpoint, since=since, until=until, target=target)
    return History(name="ids", fetch=windows.fetch, since=since, until=until)


def when(seconds: Decimal) -> datetime:
    return SINCE + timedelta(microseconds=int((seconds - T0) * 1_000_000))


def ids(rows: list[Any]) -> list[str]:
    return [name for name, _ in rows]


TICKS = st.lists(st.one_of(st.integers(0, 12), st.integers(0, 4000), st.integers(0, 10**7)), max_size=30)


@settings(deadline=None)
@given(
    ticks=TICKS,
    late=st.lists(st.integers(0, 8), max_size=6),
    size=st.integers(1, 5),
    apart=st.booleans(),
    whole_seconds=st.booleans(),
    shuffled=st.booleans(),
    cuts=st.lists(st.integers(0, 4), max_size=4),
    bounds=st.tuples(st.none() | st.integers(0, 40), st.none() | st.integers(0, 40)),
)
def test_every_entry_comes_once_and_in_order(
    make_context: Callable[..., VenueContext],
    ticks: list[int],
    late: list[int],
    size: int,
    apart: bool,
    whole_seconds: bool,
    shuffled: bool,
    cuts: list[int],
    bounds: tuple[int | None, int | None],
) -> None:
    """However pages are cut, interrupted and gone on with by their cursor, while newer entries come."""
    context = make_context(config=KrakenSpotConfig(tokenized=apart))
    books = Books(context, ticks, size)
    books.whole_seconds, books.apart = whole_seconds, apart
    newest = max(ticks, default=0)
    books.coming = [newest + sum(late[: place + 1]) for place in range(len(late))]
    if shuffled:
        books.order = lambda one: (one[1] * 7919) % 31
    low, high = (None if tick is None else at(tick) for tick in bounds)
    if low is not None and high is not None and low > high:
        low, high = high, low
    asked = history(context, low, high)
    found: list[Any] = []
    cursor: str | None = None
    for cut in cuts:
        stream = walk(asked, books, cursor)
        found += take(stream, cut)
        cursor = stream.cursor
    while True:
        quiet = not books.coming
        stream = walk(asked, books, cursor)
        more = take(stream)
        found, cursor = found + more, stream.cursor
        if quiet:
            break

    inside = {
        name: tick
        for name, tick in books.entries.items()
        if (low is None or at(tick) >= low) and (high is None or at(tick) < high)
    }
    times = [books.entries[name] for name in ids(found)]
    assert len(set(ids(found))) == len(found)
    assert times == sorted(times)
    assert set(ids(found)) == set(inside)


@pytest.fixture
def both(make_context: Callable[..., VenueContext]) -> VenueContext:
    return make_context(config=KrakenSpotConfig(tokenized=True))


def test_two_lists_are_one_in_order(both: VenueContext) -> None:
    books = Books(both, [3 * number for number in range(40)])
    books.apart = True
    assert ids(take(walk(history(both), books))) == [f"L{number:05}" for number in range(40)]
    assert {call.params.get("aclass") for call in books.calls} == {None, "tokenized_asset"}


def test_a_venue_that_does_not_tell_the_lists_apart_gives_nothing_twice(both: VenueContext) -> None:
    books = Books(both, list(range(40)))
    assert ids(take(walk(history(both), books))) == [f"L{number:05}" for number in range(40)]


def test_what_came_to_one_list_while_the_other_was_asked_for_is_not_passed_over(both: VenueContext) -> None:
    """The venue's limits may make one wait for long between the two; 250 ticks are more than a minute."""
    books = Books(both, [0, 0])
    books.apart = True
    answer = books.answer

    def slowly(params: Any) -> Any:
        told = answer(params)
        if len(books.calls) == 1:
            books.entries |= {"N00003": 4, "N00004": 250}
        return told

    books.answer = slowly  # type: ignore[method-assign]
    stream = walk(history(both), books)
    found = take(stream)
    found += take(walk(history(both), books, stream.cursor))
    assert sorted(ids(found)) == ["L00000", "L00001", "N00003", "N00004"]
    assert [books.entries[name] for name in ids(found)] == [0, 0, 4, 250]


def test_lists_that_are_whole_on_one_page_take_a_call_each_and_one_more(both: VenueContext) -> None:
    books = Books(both, [0, 1])
    books.apart = True
    take(walk(history(both), books))
    assert [call.params.get("aclass") for call in books.calls] == ["tokenized_asset", None, "tokenized_asset"]


def test_a_ledger_of_named_assets_or_of_one_class_is_one_list(both: VenueContext) -> None:
    for asked in (Walks(both).ledger(assets=["BTC"]), Walks(both).ledger(asset_class="currency")):
        books = Books(both, [0])
        take(walk(asked, books))
        assert len(books.calls) == 1


def test_what_is_missing_at_the_end_is_there_when_one_goes_on(context: VenueContext) -> None:
    books = Books(context, [0, 1, 2])
    stream = walk(history(context), books)
    first = take(stream)
    books.entries["N1"] = 2  # a quarter of a second is nothing: it shows up late, at the time of the newest
    books.entries["N2"] = 3
    assert ids(first) == ["L00000", "L00001", "L00002"]
    assert ids(take(walk(history(context), books, stream.cursor))) == ["N1", "N2"]


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(0, id="none"),
        pytest.param(1, id="one"),
        pytest.param(3, id="exactly a page"),
        pytest.param(4, id="a page and one"),
        pytest.param(9, id="more than a window takes"),
    ],
)
def test_lists_of_any_length(context: VenueContext, count: int) -> None:
    books = Books(context, list(range(count)))
    stream = walk(history(context), books)
    assert stream.cursor is None
    assert len(take(stream)) == count
    assert (stream.cursor is None) is (count == 0)
    assert stream.progress.fraction == 1.0
    assert take(stream) == [], "it stays at its end"


def test_more_in_a_second_than_a_window_should_have(context: VenueContext) -> None:
    books = Books(context, [2] * 20)
    assert len(take(walk(history(context), books))) == 20


def test_an_error_loses_nothing(context: VenueContext) -> None:
    """It is raised; the cursor stays right, and reading on works too."""
    for fail_at in range(1, 12):
        books = Books(context, list(range(0, 200, 9)))
        books.fail_at = fail_at
        stream = walk(history(context), books)
        found: list[Any] = []
        while True:
            try:
                found += take(stream, 1)
                if len(found) == len(books.entries):
                    break
            except VenueUnavailable:
                books.fail_at = None
                other = take(walk(history(context), books, stream.cursor))
                assert len(ids(found) + ids(other)) == len(set(ids(found) + ids(other))) == len(books.entries)
        assert sorted(ids(found)) == sorted(books.entries)


def test_a_venue_that_repeats_a_page_is_found_out(context: VenueContext) -> None:
    books = Books(context, list(range(20)))
    whole = books.answer
    books.answer = lambda params: whole({**params, "ofs": None})  # type: ignore[method-assign]
    stream = walk(history(context), books)
    with pytest.raises(ProtocolError, match=r"the venue counts .* and shows"):
        take(stream)
    assert len(books.calls) < 40


def test_a_venue_whose_pages_are_empty_is_found_out(context: VenueContext) -> None:
    books = Books(context, list(range(20)))
    whole = books.answer
    books.answer = lambda params: {**whole(params), **({"ledger": {}} if params.get("ofs") else {})}  # type: ignore[method-assign]
    with pytest.raises(ProtocolError, match="the venue counts"):
        take(walk(history(context), books))


def test_an_answer_without_a_count_is_refused(context: VenueContext) -> None:
    books = Books(context, [1])
    whole = books.answer
    books.answer = lambda params: {"ledger": whole(params)["ledger"]}  # type: ignore[method-assign]
    with pytest.raises(ProtocolError, match="no count"):
        take(walk(history(context), books))


def test_what_cannot_be_read_is_told_once_and_hides_nothing(context: VenueContext) -> None:
    books = Books(context, list(range(0, 90, 3)))
    whole = books.row
    books.row = lambda name, tick: {} if name == "L00004" else whole(name, tick)  # type: ignore[method-assign]
    stream = walk(history(context), books)
    assert len(take(stream)) == 29
    assert [one.id for one in stream.unreadable] == ["L00004"]
    assert "refid" in stream.unreadable[0].problem


@pytest.mark.parametrize(
    "cursor",
    [
        "fills {}",
        "ids",
        "ids ",
        "ids {",
        'ids {"at":-1}',
        'ids {"at":1e30}',
        'ids {"other":1}',
        'ids {"seen":[]}',
        "ids " + "[" * 5000,
    ],
)
def test_a_foreign_cursor_is_refused_before_anything_is_sent(context: VenueContext, cursor: str) -> None:
    books = Books(context, [1])
    with pytest.raises(InvalidValue, match="cursor"):
        take(walk(history(context), books, cursor))
    assert not books.calls


def test_progress_is_told(context: VenueContext) -> None:
    books = Books(context, [0, 40, 80])
    stream = walk(history(context, at(0), at(160)), books)
    assert (stream.progress.count, stream.progress.fraction, stream.progress.reached) == (0, None, None)
    take(stream, 2)
    progress = stream.progress
    assert (progress.since, progress.reached, progress.until) == (at(0), at(40), at(160))
    assert (progress.count, progress.fraction) == (2, 0.25)


# The lists themselves.


def test_what_the_lists_ask_for_and_cost(context: VenueContext) -> None:
    walks = Walks(context)
    for asked, name, expected, points in (
        (walks.orders(trades=True), "ClosedOrders", {"closetime": "close", "trades": True}, 2),
        (walks.trades(symbol="BTC/USD"), "TradesHistory", {"pair": "XBTUSD", "consolidate_taker": False}, 4),
        (walks.ledger(assets=["BTC"], type=LedgerFilter.TRADE), "Ledgers", {"asset": ["XXBT"], "type": "trade"}, 4),
    ):
        assert asked.private
        fields = {"ClosedOrders": "closed", "TradesHistory": "trades", "Ledgers": "ledger"}
        books = Books(context, [], field=fields[name])
        assert take(walk(asked, books)) == []
        (call,) = books.calls
        assert call.path == f"/0/private/{name}"
        assert {key: call.params[key] for key in expected} == expected
        (cost,) = call.costs
        assert (cost.pool, cost.amount) == (PRIVATE, points)


def recorded(captures: Path, name: str) -> Any:
    return json.loads((captures / "spot/rest" / name).read_bytes(), parse_float=str)["result"]


def served(context: VenueContext, field: str, records: dict[str, Any]) -> Callable[[RestCall], Any]:
    """Answer with recorded records, all on one page; the lists have one pair that nobody asked for."""
    page = {field: records, "count": len(records)}
    public = {"/0/public/Assets": {}, "/0/public/AssetPairs": {"ODDUSD": {}}}
    dialect = KrakenSpotDialect(context)

    def answer(call: RestCall) -> Any:
        body = json.dumps({"error": [], "result": public.get(call.path, page)}).encode()
        return dialect.decode(call, HttpReply(200, {}, body))

    return answer


def test_the_recorded_ledger_in_the_words_of_the_model(context: VenueContext, captures: Path) -> None:
    records = recorded(captures, "private_ledgers.json")["ledger"]
    stream = walk(KrakenSpotHistory(context).ledger(None, None), served(context, "ledger", records))
    found = {entry.id: entry for entry in take(stream)}
    assert set(found) == set(records)
    assert not stream.unreadable
    luna = found["ZKFTQO-BR8G7-08P80H"]
    assert (luna.kind, luna.venue_kind) == (LedgerKind.TRANSFER, "transfer/spotfromfutures")
    assert (luna.asset, luna.amount, luna.balance) == ("LUNA2", Decimal("0.03216614"), Decimal("0.77441494"))
    dollars = found["JNORYE-CJ718-2PBW5A"]
    assert (dollars.kind, dollars.venue_kind, dollars.reference) == (LedgerKind.TRADE, "trade", "315VIC-SWM75-SK45AW")
    assert (dollars.amount, dollars.fee, dollars.change) == (Decimal("-46.25"), Decimal("0.074"), Decimal("-46.324"))


def test_every_documented_word_of_the_ledger_has_a_kind() -> None:
    # The feed writes one otherwise.
    assert set(KINDS) - {"creator_fee"} == set(LedgerType) - {LedgerType.NONE}


def test_the_recorded_trades_as_fills(context: VenueContext, captures: Path) -> None:
    """Those of pairs that no list has are told too."""
    records = recorded(captures, "private_trades_history.json")["trades"]
    stream = walk(KrakenSpotHistory(context).fills(None, None), served(context, "trades", records))
    found = take(stream)
    listed = {Symbol("BTC", "USD"), Symbol("ETH", "USD")}
    assert all(fill.symbol in listed or fill.symbol.quote == "?" for fill in found)
    assert {fill.id for fill in found} == set(records)
    assert not stream.unreadable
    assert [fill.time for fill in found] == sorted(fill.time for fill in found)


def test_the_recorded_orders_that_are_over(context: VenueContext, captures: Path) -> None:
    records = recorded(captures, "private_closed_orders.json")["closed"]
    own = walk(Walks(context).orders(), served(context, "closed", records))
    assert {order.id for order in take(own)} == set(records)
    stream = walk(KrakenSpotHistory(context).orders(None, None), served(context, "closed", records))
    found = take(stream)
    assert all(order.is_final for order in found)
    assert {order.venue_order_id for order in found} | {one.id for one in stream.unreadable} == set(records)
