"""The past of the account and of markets as walks: each entry once and in order, whatever comes meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange_core.connector.limits import Cost
from exchange_core.connector.pages import History
from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import InvalidValue, NotSupported, ProtocolError, VenueUnavailable
from exchange_core.model.fill import Fee, Liquidity
from exchange_core.model.ledger import LedgerKind
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.walking import take, walk
from exchange_core.testing.world import run_flow
from kraken_futures.dialect import FuturesDialect
from kraken_futures.history import FuturesHistory
from kraken_futures.limits import DERIVATIVES, HISTORY
from kraken_futures.rest.charts import Resolution, TickType
from kraken_futures.types.history import LogInfo
from kraken_futures.walks.operations import Walks

LINEAR, INVERSE = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MILLIS = 1767614400000


def at(millis: int) -> datetime:
    return NOON + timedelta(milliseconds=millis)


class Service:
    """What the services answer, by the venue's rules; times are milliseconds after noon.

    Attributes:
        rows: Ids and times.
        coming: Rows that come while it is asked, one a call.
        size: Of a page.
        edges: Whether the ends of a range are in it.
        spoil: Makes of an answer what is sent.
    """

    def __init__(self, times: list[int], size: int = 3) -> None:
        self.dialect = FuturesDialect("futures")
        self.rows = [(f"e{number:04}", time) for number, time in enumerate(times)]
        self.coming: list[tuple[str, int]] = []
        self.size = size
        self.edges = True
        self.calls: list[RestCall] = []
        self.fail_at: int | None = None
        self.spoil: Callable[[Any], Any] = lambda answer: answer

    def __call__(self, call: RestCall) -> Any:
        self.calls.append(call)
        if len(self.calls) == self.fail_at:
            raise VenueUnavailable("down")
        body = json.dumps(self.spoil(self.answer(call))).encode()
        reply = self.dialect.decode(call, HttpReply(200, {}, body))
        if self.coming:
            self.rows.append(self.coming.pop(0))
        return reply

    def answer(self, call: RestCall) -> Any:
        raise NotImplementedError

    def inside(self, time: int, since: Any, before: Any) -> bool:
        low = None if since is None else int(since) - MILLIS
        high = None if before is None else int(before) - MILLIS
        return (low is None or time > low or (self.edges and time == low)) and (
            high is None or time < high or (self.edges and time == high)
        )


class Events(Service):
    """The history service: tokens are places in what the first question found."""

    def answer(self, call: RestCall) -> Any:
        params = call.params
        found = [row for row in self.rows if self.inside(row[1], params["since"], params["before"])]
        found.sort(key=lambda row: row[1], reverse=params["sort"] == "desc")
        start = int(params["continuation_token"] or 0)
        page = found[start : start + self.size]
        token = str(start + len(page)) if start + len(page) < len(found) else None
        return {"elements": [self.element(*row) for row in page], "len": len(page), "continuationToken": token}

    def element(self, name: str, time: int) -> Any:
        return {"uid": name, "timestamp": MILLIS + time, "event": {"MarkPriceChanged": {"price": "1.5"}}}


class Log(Service):
    """The account log: rows are numbered in their order."""

    def answer(self, call: RestCall) -> Any:
        params = call.params
        found = [
            (number, time)
            for number, (_, time) in enumerate(self.rows, start=1)
            if self.inside(time, params["since"], params["before"]) and number >= int(params["from"] or 1)
        ]
        return {"logs": [self.row(*one) for one in found[: min(self.size, params["count"])]]}

    def row(self, number: int, time: int) -> Any:
        return {"id": number, "date": at(time).isoformat(), "asset": "usd", "info": "transfer"}


class Fills(Service):
    """Fills: the newest before a time."""

    def answer(self, call: RestCall) -> Any:
        text = call.params.get("lastFillTime")
        before = None if text is None else MILLIS + (datetime.fromisoformat(text) - NOON) // timedelta(milliseconds=1)
        found = sorted((row for row in self.rows if self.inside(row[1], None, before)), key=lambda row: -row[1])
        return {"result": "success", "fills": [self.row(*row) for row in found[: self.size]]}

    def row(self, name: str, time: int) -> Any:
        return {
            "fill_id": name,
            "order_id": "o",
            "symbol": "PF_XBTUSD",
            "side": "buy",
            "size": 1,
            "price": 2,
            "fillTime": at(time).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "fillType": "maker",
        }


class Charts(Service):
    """Candles of a minute, one for each row."""

    def answer(self, call: RestCall) -> Any:
        start, end = call.params["from"], call.params["to"]
        found = [
            time
            for _, time in self.rows
            if MILLIS + time >= start * 1000 and (end is None or MILLIS + time <= end * 1000)
        ]
        page = [
            {"time": MILLIS + time, **dict.fromkeys(("open", "high", "low", "close"), "1"), "volume": 2}
            for time in found
        ]
        return {"candles": page[: self.size], "more_candles": len(page) > self.size}


def walked(history: History[Any], service: Service, cuts: list[int]) -> list[Any]:
    """Walk in pieces, and until nothing comes any more."""
    found: list[Any] = []
    cursor: str | None = None
    for cut in cuts:
        stream = walk(history, service, cursor)
        found += take(stream, cut)
        cursor = stream.cursor
    while True:
        quiet = not service.coming
        stream = walk(history, service, cursor)
        found += take(stream)
        cursor = stream.cursor
        if quiet:
            return found


TIMES = st.lists(st.one_of(st.integers(0, 4), st.integers(0, 3000), st.integers(0, 10**8)), max_size=25).map(sorted)
CUTS = st.lists(st.integers(0, 4), max_size=4)
BOUNDS = st.tuples(st.none() | st.integers(0, 2000), st.none() | st.integers(2000, 10**8))
LOCAL = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def expected(service: Service, bounds: tuple[int | None, int | None]) -> list[tuple[str, int]]:
    low, high = bounds
    return [row for row in service.rows if (low is None or row[1] >= low) and (high is None or row[1] < high)]


def ends(bounds: tuple[int | None, int | None]) -> tuple[datetime | None, datetime | None]:
    low, high = (None if one is None else at(one) for one in bounds)
    return low, high


@LOCAL
@given(TIMES, st.lists(st.integers(0, 2000), max_size=5), st.integers(1, 5), st.booleans(), CUTS, BOUNDS)
def test_every_event_comes_once(
    context: VenueContext,
    times: list[int],
    late: list[int],
    size: int,
    edges: bool,
    cuts: list[int],
    bounds: tuple[int | None, int | None],
) -> None:
    service = Events(times, size)
    service.edges = edges
    newest = max(times, default=0)
    service.coming = [(f"n{place}", newest + sum(late[: place + 1])) for place in range(len(late))]
    found = walked(Walks(context).market_prices(LINEAR, *ends(bounds)), service, cuts)
    assert [(row.id, row.time) for row in found] == [(name, at(time)) for name, time in expected(service, bounds)]


@pytest.mark.parametrize("edges", [True, False])
def test_a_range_has_its_beginning_and_not_its_end(context: VenueContext, edges: bool) -> None:
    """Whether or not the venue counts the ends of a range as in it."""
    walks = Walks(context)
    for service, history in (
        (Events([8, 9, 10, 11], size=100), walks.market_prices(LINEAR, at(9), at(11))),
        (Log([8, 9, 10, 11], size=100), walks.account_log(at(9), at(11))),
        (Fills([8, 9, 10, 11], size=100), walks.fills(at(9), at(11))),
    ):
        service.edges = edges
        times = sorted(entry.time for entry in raw_entries(history, service))
        assert times == [at(9), at(10)]


def raw_entries(history: History[Any], service: Service) -> list[Any]:
    page = run_flow(history.fetch(None), service)
    return list(page.entries)


@LOCAL
@given(st.lists(st.integers(0, 5000), max_size=25), st.integers(1, 5), CUTS)
def test_events_somewhat_out_of_order_come_once_all_the_same(
    context: VenueContext, times: list[int], size: int, cuts: list[int]
) -> None:
    """The venue promises no order of what happens in one second; ours is lost by at most that."""
    service = Events([])
    service.size = size
    service.rows = sorted(
        ((f"e{number}", time) for number, time in enumerate(times)), key=lambda row: row[1] // 1000 * 1000
    )
    service.answer = lambda call: unsorted(service, call)  # type: ignore[method-assign]
    found = walked(Walks(context).market_prices(LINEAR), service, cuts)
    assert sorted(row.id for row in found) == sorted(name for name, _ in service.rows)


def unsorted(service: Events, call: RestCall) -> Any:
    """Answer in the order of the rows."""
    found = [row for row in service.rows if service.inside(row[1], call.params["since"], None)]
    start = int(call.params["continuation_token"] or 0)
    page = found[start : start + service.size]
    token = str(start + len(page)) if start + len(page) < len(found) else None
    return {"elements": [service.element(*row) for row in page], "continuationToken": token}


def test_events_far_out_of_order_are_refused(context: VenueContext) -> None:
    service = Events([0, 10, 5000, 6000], size=2)
    service.rows = [service.rows[2], service.rows[3], service.rows[0], service.rows[1]]
    service.answer = lambda call: unsorted(service, call)  # type: ignore[method-assign]
    with pytest.raises(ProtocolError, match="are in no order"):
        take(walk(Walks(context).market_prices(LINEAR), service))


@pytest.mark.parametrize("spread", [1, 60_000])
def test_a_service_that_repeats_a_page_is_found_out(context: VenueContext, spread: int) -> None:
    """Whether the page is all of one moment, or not."""
    service = Events([0, spread, 2 * spread, 3 * spread], size=2)
    first = service.answer
    service.answer = lambda call: {  # type: ignore[method-assign]
        **first(attrs.evolve(call, params={**call.params, "continuation_token": None})),
        "continuationToken": str(len(service.calls)),
    }
    with pytest.raises(ProtocolError):
        take(walk(Walks(context).market_prices(LINEAR), service))
    assert len(service.calls) < 150


def test_a_token_is_not_in_the_cursor_that_is_kept(context: VenueContext) -> None:
    service = Events([0, 1, 2, 3], size=2)
    stream = walk(Walks(context).market_prices(LINEAR), service)
    take(stream, 2)
    assert "token" not in (stream.cursor or "")
    take(stream, 1)
    assert [call.params["continuation_token"] for call in service.calls] == [None, "2"]
    assert take(walk(Walks(context).market_prices(LINEAR), service, stream.cursor))[0].id == "e0003"
    assert service.calls[2].params == {
        "since": MILLIS + 2 - 1000 - 1,
        "before": None,
        "sort": "asc",
        "continuation_token": None,
    }


def test_an_error_loses_nothing(context: VenueContext) -> None:
    for fail_at in range(1, 4):
        service = Events(list(range(0, 80, 9)))
        service.fail_at = fail_at
        history = Walks(context).market_prices(LINEAR)
        stream = walk(history, service)
        found: list[Any] = []
        with pytest.raises(VenueUnavailable):
            read_into(found, stream)
        rest = take(walk(history, service, stream.cursor))
        assert [row.id for row in [*found, *rest]] == [name for name, _ in service.rows]


def read_into(found: list[Any], stream: Any) -> None:
    while one := take(stream, 1):
        found += one


def test_unreadable_events_are_told(context: VenueContext) -> None:
    service = Events([0, 1, 2, 3])
    service.spoil = lambda answer: {**answer, "elements": [{"uid": "x"}, *answer["elements"][1:]]}
    stream = walk(Walks(context).market_prices(LINEAR), service)
    assert [row.id for row in take(stream)] == ["e0001", "e0002"]
    assert len(stream.unreadable) == 1


# Every list asks in the right place.

OWN, MARKET = "/api/history/v3/", "/api/history/v3/market/PF_XBTUSD/"


@pytest.mark.parametrize(
    ("ask", "path", "params", "cost", "private"),
    [
        pytest.param(lambda w: w.executions(symbol=LINEAR), OWN + "executions", {"tradeable": "PF_XBTUSD"}, 1, True),
        pytest.param(lambda w: w.orders(closed=True), OWN + "orders", {"closed": True, "opened": None}, 1, True),
        pytest.param(lambda w: w.triggers(), OWN + "triggers", {"tradeable": None}, 1, True),
        pytest.param(lambda w: w.market_executions(LINEAR), MARKET + "executions", {}, 0, False),
        pytest.param(lambda w: w.market_orders(LINEAR), MARKET + "orders", {}, 0, False),
        pytest.param(lambda w: w.market_prices(LINEAR), MARKET + "price", {}, 0, False),
    ],
)
def test_what_is_asked_for(
    context: VenueContext, ask: Callable[[Walks], Any], path: str, params: Any, cost: int, private: bool
) -> None:
    service = Events([])
    history = ask(Walks(context))
    assert take(walk(history, service)) == []
    (call,) = service.calls
    assert (call.path, call.base, call.private, history.private) == (path, "history_url", private, private)
    assert {**params, "sort": "asc", "since": None}.items() <= call.params.items()
    assert call.costs == ((Cost(HISTORY, cost),) if cost else ())


# The account log.


@LOCAL
@given(TIMES, st.lists(st.integers(0, 2000), max_size=4), st.integers(1, 5), st.booleans(), CUTS, BOUNDS)
def test_every_row_of_the_log_comes_once(
    context: VenueContext,
    times: list[int],
    late: list[int],
    size: int,
    edges: bool,
    cuts: list[int],
    bounds: tuple[int | None, int | None],
) -> None:
    service = Log(times, size)
    service.edges = edges
    newest = max(times, default=0)
    service.coming = [(f"n{place}", newest + sum(late[: place + 1])) for place in range(len(late))]
    found = walked(Walks(context).account_log(*ends(bounds)), service, cuts)
    inside = set(expected(service, bounds))
    assert [row.id for row in found] == [number for number, row in enumerate(service.rows, start=1) if row in inside]


def test_the_log_costs_three_tokens_a_page(context: VenueContext) -> None:
    service = Log([1])
    take(walk(Walks(context).account_log(info=["conversion"], conversion_details=True), service))
    assert [call.costs for call in service.calls] == [(Cost(HISTORY, 3),)] * 2
    assert {"info": ["conversion"], "conversion_details": True, "count": 1000}.items() <= service.calls[
        0
    ].params.items()
    assert [call.params["from"] for call in service.calls] == [None, 2]


def test_a_log_that_repeats_a_page_is_found_out(context: VenueContext) -> None:
    service = Log([1, 2, 3, 4])
    first = service.answer
    service.answer = lambda call: first(attrs.evolve(call, params={**call.params, "from": None}))  # type: ignore[method-assign]
    stream = walk(Walks(context).account_log(), service)
    with pytest.raises(ProtocolError, match="nothing to go on from"):
        take(stream)
    assert stream.progress.count == 3


def ledger_rows() -> list[Any]:
    """One trade as the two rows that it books, the position's first, and the funding of an hour as it was recorded."""
    row = {"date": "2019-07-11T13:00:27.632Z", "margin_account": "f-bch:usd", "collateral": "bch"}
    trade = {**row, "info": "futures trade", "execution": "fc49fea9", "contract": "pf_xbtusd", "fee": 0.002}
    funding = {
        **row,
        "id": 1699,
        "date": "2019-07-11T08:00:00.000Z",
        "asset": "bch",
        "info": "funding rate change",
        "booking_uid": "86fdc252",
        "execution": "",
        "old_balance": 0.01215667051,
        "new_balance": 0.01215736653,
        "fee": 0.0,
        "realized_funding": 6.9602e-7,
    }
    return [
        {**trade, "id": 1697, "asset": "pf_xbtusd", "old_balance": 1.0, "new_balance": 2.0},
        {**trade, "id": 1698, "asset": "usd", "old_balance": 10.0, "new_balance": 9.998},
        funding,
    ]


def test_the_ledger_has_money_and_its_fee_once(context: VenueContext) -> None:
    service = Log([])
    service.answer = lambda call: {"logs": [] if call.params["from"] else ledger_rows()}  # type: ignore[method-assign]
    trade, funding = take(walk(FuturesHistory(context).ledger(None, None), service))
    assert (trade.id, trade.asset, trade.kind, trade.venue_kind) == ("1698", "USD", LedgerKind.TRADE, "futures trade")
    assert (trade.change, trade.fee, trade.amount, trade.balance) == tuple(
        map(Decimal, ("-0.002", "0.002", "0", "9.998"))
    )
    assert (trade.reference, trade.wallet, trade.symbol) == ("fc49fea9", "fi_bchusd", LINEAR)
    assert (funding.asset, funding.kind, funding.change) == ("BCH", LedgerKind.FUNDING, Decimal("6.9602E-7"))
    assert funding.reference == "86fdc252"
    assert [call.params["from"] for call in service.calls] == [None, 1700]


def test_a_row_of_money_without_a_balance_is_told(context: VenueContext) -> None:
    service = Log([1])
    stream = walk(FuturesHistory(context).ledger(None, None), service)
    assert take(stream) == []
    assert "does not say what the balance was" in stream.unreadable[0].problem


def test_every_documented_word_of_the_log_has_a_kind_but_taxes(context: VenueContext) -> None:
    service = Log([])
    cash = ledger_rows()[1]
    rows = [{**cash, "id": number, "info": info} for number, info in enumerate(LogInfo, start=1)]
    service.answer = lambda call: {"logs": [] if call.params["from"] else rows}  # type: ignore[method-assign]
    entries = take(walk(FuturesHistory(context).ledger(None, None), service))
    other = {entry.venue_kind for entry in entries if entry.kind is LedgerKind.OTHER}
    assert other == {LogInfo.TAX_WITHHELD, LogInfo.TAX_REFUND}


# Fills.


@LOCAL
@given(TIMES, st.booleans(), CUTS, BOUNDS)
def test_every_fill_comes_once_and_newest_first(
    context: VenueContext, times: list[int], edges: bool, cuts: list[int], bounds: tuple[int | None, int | None]
) -> None:
    service = Fills([time for time in times if times.count(time) < 100], size=100)
    service.edges = edges
    found = walked(Walks(context).fills(*ends(bounds)), service, cuts)
    assert sorted(row.id for row in found) == [name for name, _ in expected(service, bounds)]
    assert [row.time for row in found] == sorted((row.time for row in found), reverse=True)


def test_fills_of_several_answers_and_what_they_cost(context: VenueContext) -> None:
    """Times repeat at the edge of an answer, and new fills come meanwhile."""
    service = Fills([time // 7 for time in range(250)], size=100)
    service.coming = [("n1", 900), ("n2", 901)]
    stream = walk(Walks(context).fills(), service)
    found = take(stream, 130)
    found += take(walk(Walks(context).fills(), service, stream.cursor))
    assert sorted(row.id for row in found) == [name for name, _ in service.rows[:250]]
    assert [call.costs for call in service.calls[:2]] == [(Cost(DERIVATIVES, 2),), (Cost(DERIVATIVES, 25),)]


def test_more_fills_in_a_millisecond_than_an_answer_has_are_not_skipped(context: VenueContext) -> None:
    service = Fills([1, *[5] * 101, 9], size=100)
    with pytest.raises(ProtocolError, match="100 fills at one time"):
        take(walk(Walks(context).fills(), service))


# Candles.

MINUTE = 60_000


@LOCAL
@given(
    st.lists(st.integers(0, 31), unique=True, max_size=15).map(sorted),
    st.integers(1, 5),
    CUTS,
    st.tuples(st.none() | st.integers(0, 20), st.none() | st.integers(20, 45)),
)
def test_every_candle_that_is_over_comes_once(
    context: VenueContext, minutes: list[int], size: int, cuts: list[int], bounds: tuple[int | None, int | None]
) -> None:
    """Empty intervals have none, as the venue may leave them out."""
    service = Charts([minute * MINUTE for minute in minutes], size)
    now = attrs.evolve(context, now=lambda: at(31 * MINUTE))
    scaled = tuple(None if one is None else one * MINUTE for one in bounds)
    history = Walks(now).candles(LINEAR, Resolution.MINUTE, TickType.MARK, *ends(scaled))  # type: ignore[arg-type]
    found = walked(history, service, cuts)
    over = [time for _, time in expected(service, scaled) if time <= 30 * MINUTE]  # type: ignore[arg-type]
    assert [row.start for row in found] == [at(time) for time in over]
    assert all(row.closed for row in found)
    assert {call.path for call in service.calls} == {"/api/charts/v1/mark/PF_XBTUSD/1m"}


def test_all_resolutions_and_tick_types_go_on_by_their_length(context: VenueContext) -> None:
    for resolution in Resolution:
        for tick in TickType:
            service = Charts([0, resolution.minutes * MINUTE, 2 * resolution.minutes * MINUTE], size=1)
            history = Walks(context).candles(INVERSE, resolution, tick, NOON)
            assert [row.start for row in take(walk(history, service))] == [NOON, at(resolution.minutes * MINUTE)]
            assert service.calls[1].path == f"/api/charts/v1/{tick}/PI_XBTUSD/{resolution}"
            assert service.calls[1].params["from"] == MILLIS // 1000 + resolution.minutes * 60


def test_a_chart_that_repeats_a_page_is_found_out(context: VenueContext) -> None:
    service = Charts([0, MINUTE], size=1)
    first = service.answer
    service.answer = lambda call: first(attrs.evolve(call, params={**call.params, "from": 0}))  # type: ignore[method-assign]
    with pytest.raises(ProtocolError, match="gives none that is new"):
        take(walk(Walks(context).candles(LINEAR, Resolution.MINUTE), service))


def test_candles_of_the_model_count_minutes(context: VenueContext) -> None:
    service = Charts([0, 15 * MINUTE, 30 * MINUTE])
    assert len(take(walk(FuturesHistory(context).candles(LINEAR, 15, None, None), service))) == 2
    with pytest.raises(NotSupported, match="no candles of 2 minutes"):
        FuturesHistory(context).candles(LINEAR, 2, None, None)


# Funding.


class Funding(Service):
    def answer(self, call: RestCall) -> Any:
        rates = [
            {"timestamp": at(time).isoformat(), "fundingRate": 1.5, "relativeFundingRate": 0.1} for _, time in self.rows
        ]
        return {"result": "success", "rates": rates}


@LOCAL
@given(st.lists(st.integers(0, 10**8), unique=True, max_size=10), CUTS, BOUNDS)
def test_every_rate_comes_once(
    context: VenueContext, times: list[int], cuts: list[int], bounds: tuple[int | None, int | None]
) -> None:
    service = Funding(times)
    found = walked(Walks(context).funding_rates(LINEAR, *ends(bounds)), service, cuts)
    assert [row.time for row in found] == [at(time) for time in sorted(time for _, time in expected(service, bounds))]


def test_the_recorded_rates(context: VenueContext, captures: Path) -> None:
    body = (captures / "futures/rest/historical_funding_rates_v4.json").read_bytes()
    history = Walks(context).funding_rates(LINEAR)
    found = take(walk(history, lambda call: FuturesDialect("futures").decode(call, HttpReply(200, {}, body))))
    assert len(found) == 3
    assert found == sorted(found, key=lambda rate: rate.time)


# In the words of the model.


def test_the_recorded_public_executions_are_trades(context: VenueContext, captures: Path) -> None:
    body = json.loads((captures / "futures/rest/public_executions_2025-11.json").read_bytes())
    body.pop("continuationToken")
    service = Events([])
    service.answer = lambda call: body  # type: ignore[method-assign]
    found = take(walk(FuturesHistory(context).trades(LINEAR, None, None), service))
    assert len(found) == len(body["elements"]) == 3
    assert [trade.time for trade in found] == sorted(trade.time for trade in found)
    trade = next(trade for trade in found if trade.id == "419060e5-869d-41bf-9b6a-33dd7f365d89")
    assert (trade.price, trade.quantity, trade.side) == (90771, Decimal("0.0113"), Side.SELL)


def own_execution(tradeable: str = "PI_XBTUSD", direction: str = "Sell") -> Any:
    order = {
        "uid": "o-1",
        "tradeable": tradeable,
        "direction": direction,
        "quantity": "0",
        "filled": "5",
        "clientId": "mine",
        "timestamp": MILLIS,
    }
    execution = {
        "uid": "x-1",
        "order": order,
        "timestamp": MILLIS,
        "quantity": "5",
        "price": "60000.5",
        "executionType": "maker",
        "orderData": {"fee": "-0.00000002"},
    }
    return {"uid": "e-1", "timestamp": MILLIS, "event": {"Execution": {"execution": execution}}}


def fills_of(context: VenueContext, *elements: Any) -> Any:
    service = Events([])
    service.answer = lambda call: {"elements": [*elements]}  # type: ignore[method-assign]
    return walk(FuturesHistory(context).fills(None, None), service)


def test_an_execution_is_a_fill_with_its_fee(context: VenueContext) -> None:
    (fill,) = take(fills_of(context, own_execution()))
    assert (fill.id, fill.symbol, fill.side, fill.venue_order_id) == ("x-1", INVERSE, Side.SELL, "o-1")
    assert (fill.price, fill.quantity, fill.time, fill.client_order_id) == (Decimal("60000.5"), 5, NOON, "mine")
    assert (fill.fee, fill.liquidity) == (Fee(asset="BTC", amount=Decimal("-2E-8")), Liquidity.MAKER)


@pytest.mark.parametrize(
    ("element", "words"),
    [
        pytest.param(own_execution("PF_NEWUSD"), "in no instrument list", id="a contract that is not listed"),
        pytest.param(own_execution(direction="Unknown"), "neither buy nor sell", id="a side that is not known"),
    ],
)
def test_an_execution_that_is_no_fill_is_told(context: VenueContext, element: Any, words: str) -> None:
    stream = fills_of(context, element)
    assert take(stream) == []
    assert words in stream.unreadable[0].problem


def test_there_is_no_list_of_orders_that_are_over(context: VenueContext) -> None:
    with pytest.raises(NotSupported, match=r"walk operations\.walks\.orders"):
        FuturesHistory(context).orders(None, None)


@pytest.mark.parametrize(
    "cursor", ["price {}", 'market price of BTC/USD:USD {"at":-1}', 'market price of BTC/USD:USD {"token":1}']
)
def test_a_foreign_cursor_is_refused(context: VenueContext, cursor: str) -> None:
    with pytest.raises(InvalidValue, match="cursor"):
        take(walk(Walks(context).market_prices(LINEAR), Events([1]), cursor))
