"""Recorded tapes as the market: their pace, their names, what of them counts, and orders that fill against them."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import attrs
import pytest

from exchange_core import OrderRequest, connect
from exchange_core.cli.main import call
from exchange_core.cli.simulate_tape import Tapes, read_tapes
from exchange_core.connector.simulation import SimulatorSpec
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import ConfigError
from exchange_core.model.book import BookHealth, OrderBook
from exchange_core.model.event import BookDesynced, Channel, Event, InstrumentsUpdate, Subscription
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.market import Level, Ticker, Trade
from exchange_core.model.order import OrderStatus
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.plugins import load_plugins
from exchange_core.simulator.launch import SimulatorLaunch
from exchange_core.simulator.outside.replaying import Tape, TapePlayer
from exchange_core.storage.cassette import FeedTape
from exchange_core.storage.scrub import Scrubber
from exchange_core.testing.clock import ManualClock
from exchange_core.testing.world import NOON, Line, World
from tests.cli.conftest import start
from tests.simulator.conftest import LINEAR, SPOT, Desk, build

BEGAN = datetime(2021, 7, 22, tzinfo=UTC)
PATIENCE = 20


class Book:
    """A book as a feed keeps it: its view goes on."""

    def __init__(self, symbol: Symbol = SPOT, seconds: float | None = 0) -> None:
        self.symbol = symbol
        self.health = BookHealth.LIVE
        self.checked = 1
        self.time: str | int | None = None if seconds is None else (BEGAN + timedelta(seconds=seconds)).isoformat()
        self._sides: dict[Side, list[Level]] = {}

    def showing(self, bid: str, ask: str) -> OrderBook:
        self._sides = {Side.BUY: [_level(bid)], Side.SELL: [_level(ask)]}
        return OrderBook(self)

    def bids(self, depth: int | None) -> list[Level]:
        return self._sides[Side.BUY][:depth]

    def asks(self, depth: int | None) -> list[Level]:
        return self._sides[Side.SELL][:depth]


def _level(text: str) -> Level:
    price, quantity = text.split(":")
    return Level(Decimal(price), Decimal(quantity))


def book(bid: str, ask: str, seconds: float | None = 0, symbol: Symbol = SPOT) -> OrderBook:
    return Book(symbol, seconds).showing(bid, ask)


def trade(side: Side, price: str, quantity: str, seconds: float) -> Trade:
    time = BEGAN + timedelta(seconds=seconds)
    return Trade(symbol=SPOT, id="1", side=side, price=Decimal(price), quantity=Decimal(quantity), time=time)


class Said(list[str]):
    def __call__(self, text: str) -> None:
        self.append(text)


def player(desk: Desk, *news: tuple[float, Event], said: Said | None = None) -> TapePlayer:
    """A tape whose recorder's clock began at 1000."""
    books = [(time, event.symbol) for time, event in news if isinstance(event, OrderBook)]
    tape = Tape(
        name="day.jsonl",
        symbols=tuple(dict.fromkeys(symbol for _, symbol in books)),
        begins=1000 + min(time for time, _ in books),
        ends=1000 + news[-1][0],
        news=lambda: ((1000 + time, event) for time, event in news),
        say=Said() if said is None else said,
    )
    return TapePlayer(desk.exchange, tape)


def best(desk: Desk, symbol: Symbol = SPOT) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    bids, asks = desk.exchange.book(symbol, 1)
    return [(f"{p:f}", f"{q:f}") for p, q in bids], [(f"{p:f}", f"{q:f}") for p, q in asks]


# The pace, and what counts


def test_the_first_book_is_there_at_once_and_the_rest_when_it_is_due(desk: Desk) -> None:
    tape = player(
        desk,
        (0, Ticker(symbol=SPOT)),
        (4, book("99.0:5.000", "101.0:3.000")),
        (6.5, book("99.5:1.000", "101.0:3.000", 2.5)),
        (7, book("99.0:1.000", "101.5:3.000", 3)),
    )
    tape.step(desk.clock.now())
    assert best(desk) == ([("99.0", "5.000")], [("101.0", "3.000")])
    desk.clock.advance(2)
    tape.step(desk.clock.now())
    assert best(desk)[0] == [("99.0", "5.000")]
    desk.clock.advance(0.5)
    tape.step(desk.clock.now())
    assert best(desk)[0] == [("99.5", "1.000")]
    assert not tape.is_over
    desk.clock.advance(3600)
    tape.step(desk.clock.now())
    assert best(desk) == ([("99.0", "1.000")], [("101.5", "3.000")])
    assert tape.is_over
    desk.exchange.check_invariants()


def test_its_end_is_said_once_and_the_last_books_stay(desk: Desk) -> None:
    said = Said()
    tape = player(desk, (0, book("99.0:5.000", "101.0:3.000")), said=said)
    for _ in range(3):
        tape.step(desk.clock.now())
        desk.clock.advance(60)
    assert said == ["day.jsonl: the tape is over; its last books stay"]
    assert best(desk) == ([("99.0", "5.000")], [("101.0", "3.000")])


def test_trades_fill_what_rests_here(desk: Desk) -> None:
    tape = player(
        desk, (0, book("99.0:5.000", "101.0:3.000")), (1, trade(Side.SELL, "99", "6", 1)), (2, book("98:1", "101:3", 2))
    )
    tape.step(desk.clock.now())
    order = desk.place("alice", "buy", "2", "99")
    desk.clock.advance(1)
    tape.step(desk.clock.now())
    assert order.filled == 1


@pytest.mark.parametrize(
    "seconds", [pytest.param(10.0, id="a book that tells its time"), pytest.param(None, id="none")]
)
def test_trades_from_before_the_book_are_history(desk: Desk, seconds: float | None) -> None:
    """Venues tell their latest trades to who asks for trades: those were made before the book that is shown."""
    old = [trade(Side.SELL, "90", "9", 9), trade(Side.SELL, "90", "9", 10)]
    view = book("99.0:5.000", "101.0:3.000", seconds)
    tape = player(desk, (0, old[0]), (0.5, old[1]), (1, view), (1.5, old[1]), (2, trade(Side.SELL, "99", "1", 11)))
    tape.step(desk.clock.now())
    order = desk.place("alice", "buy", "2", "98")
    desk.clock.advance(5)
    tape.step(desk.clock.now())
    assert not order.filled
    assert [str(each.price) for each in desk.exchange.trades(SPOT)] == ["99.0"]


def test_a_book_that_is_not_known_for_a_while_does_not_stand(desk: Desk) -> None:
    said = Said()
    tape = player(
        desk,
        (0, book("99.0:5.000", "101.0:3.000")),
        (1, BookDesynced(symbol=SPOT, reason="a checksum is wrong")),
        (2, book("99.0:4.000", "101.0:3.000", 2)),
        (3, book("99.0:4.000", "101.0:3.000", 3)),
        said=said,
    )
    tape.step(desk.clock.now())
    desk.clock.advance(1)
    tape.step(desk.clock.now())
    assert best(desk) == ([], [])
    assert desk.exchange.market(SPOT).instrument.status is InstrumentStatus.CANCEL_ONLY
    desk.clock.advance(1)
    tape.step(desk.clock.now())
    assert best(desk)[0] == [("99.0", "4.000")]
    assert desk.exchange.market(SPOT).instrument.status is InstrumentStatus.ONLINE
    assert "a checksum is wrong" in said[0]


def test_what_a_contract_is_valued_at_and_what_it_takes_are_told_too(desk: Desk) -> None:
    told = Ticker(symbol=LINEAR, mark_price=Decimal(100), index_price=Decimal("100.5"), funding_rate=Decimal("0.0001"))
    instrument = desk.exchange.market(LINEAR).instrument
    tape = player(
        desk,
        (0, book("99:5", "101:3", symbol=LINEAR)),
        (0, told),
        (0, InstrumentsUpdate(instruments=(attrs.evolve(instrument, status=InstrumentStatus.POST_ONLY),))),
    )
    tape.step(desk.clock.now())
    assert desk.exchange.mark_price(LINEAR) == 100
    assert desk.exchange.index_price(LINEAR) == Decimal("100.5")
    assert desk.exchange.market(LINEAR).instrument.status is InstrumentStatus.POST_ONLY


def test_other_markets_on_a_tape_without_a_book_are_left_alone(desk: Desk) -> None:
    news: list[tuple[float, Event]] = [(0, book("99:5", "101:3")), (0, Ticker(symbol=LINEAR, mark_price=Decimal(7)))]
    player(desk, *news).step(desk.clock.now())
    assert desk.exchange.mark_price(LINEAR) == 100


def test_a_tape_of_what_is_not_listed_is_refused(desk: Desk) -> None:
    with pytest.raises(ConfigError, match=r"day\.jsonl: it is of DOGE/USD, which is no market .* it lists BTC/USD"):
        player(desk, (0, book("1:5", "2:3", symbol=Symbol.parse("DOGE/USD"))))


async def test_while_time_passes_each_piece_of_news_comes_at_its_own_moment() -> None:
    """Steps of the clock are larger than the gaps on the tape; nothing is told late, or all at once."""
    clock = ManualClock()
    desk = build()
    desk.exchange.clock = clock
    news = [(each / 100, book(f"{90 + each}.0:1.000", "120.0:1.000", each / 100)) for each in range(10)]
    seen: list[float] = []
    async with player(desk, *news):
        desk.exchange.listen(lambda _: seen.append(round(clock.monotonic(), 6)))
        assert best(desk)[0] == [("90.0", "1.000")]
        await clock.advance(1)
        assert best(desk)[0] == [("99.0", "1.000")]
    assert sorted(set(seen)) == [each / 100 for each in range(1, 10)]


# Recordings of venues

PLUGINS = {"kraken_spot": ("spot", "BTC/USD"), "kraken_futures": ("futures", "BTC/USD:USD")}


class Recorder:
    """Records what a feed hears of a simulated venue where two people trade."""

    def __init__(self, plugin: str) -> None:
        self.world = World(load_plugins().venue(plugin), seed=2)
        self.symbol = Symbol.parse(PLUGINS[plugin][1])
        self.instrument = self.world.exchange.market(self.symbol).instrument
        self.middle = self.instrument.round_price(self.world.exchange.market(self.symbol).start_price)
        self.maker, self.taker = self.world.client("maker"), self.world.client("taker")
        feed = self.world.spec.feed_for(Channel.BOOK)
        assert feed is not None
        self._line = Line(self.world.client("watcher"), feed)
        self._tape = FeedTape("two people trade", Scrubber())
        wanted = [Subscription(Channel.BOOK, self.symbol), Subscription(Channel.TRADES, self.symbol)]
        self._line.feed.subscribe(wanted, 0.0)

    def carry(self) -> None:
        self._line.carry(self._heard)

    def _heard(self, frame: str) -> str:
        self._tape("in", frame, self.world.clock.monotonic())
        return frame

    def price(self, ticks: int) -> Decimal:
        return self.middle + ticks * self.instrument.tick_size

    def write(self, path: Path) -> Path:
        self._tape.write(path)
        return path


def recorded(plugin: str, path: Path) -> tuple[Recorder, Path]:
    """Bids of 5 and 1, asks of 5; a second later the first bid is sold, two seconds later it is bid again."""
    made = Recorder(plugin)
    for side, quantity, ticks in (("buy", 5, -10), ("buy", 1, -20), ("sell", 5, 10)):
        made.maker.place(side, Decimal(quantity) / 100, made.price(ticks), symbol=made.symbol)
    made.carry()
    made.world.clock.forward(1)
    made.taker.place("sell", Decimal(5) / 100, made.price(-10), symbol=made.symbol)
    made.carry()
    made.world.clock.forward(1)
    made.maker.place("buy", Decimal(3) / 100, made.price(-10), symbol=made.symbol)
    made.carry()
    return made, made.write(path)


def specs() -> dict[str, VenueSpec]:
    return {section: load_plugins().venue(plugin) for plugin, (section, _) in PLUGINS.items()}


def tapes_of(paths: list[Path]) -> Tapes:
    return read_tapes(paths, specs(), simulators(), ManualClock())


def simulators() -> dict[str, SimulatorSpec]:
    return {section: spec.simulator for section, spec in specs().items() if spec.simulator is not None}


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_venue_of_a_recording_is_found(plugin: str, tmp_path: Path) -> None:
    section, symbol = PLUGINS[plugin]
    _, path = recorded(plugin, tmp_path / "day.stream.jsonl")
    tapes = tapes_of([path])
    assert list(tapes.tapes) == [section]
    [tape] = tapes.tapes[section]
    assert (tape.name, [str(each) for each in tape.symbols]) == (str(path), [symbol])
    assert tape.ends - tape.begins == 2


@pytest.mark.parametrize("plugin", PLUGINS)
async def test_an_order_over_the_wire_fills_when_the_tape_trades_through_it(plugin: str, tmp_path: Path) -> None:
    """Before it stand 5 of the outside, which is what is sold; so it fills at its better price, or not at all."""
    section, symbol = PLUGINS[plugin]
    made, path = recorded(plugin, tmp_path / "day.stream.jsonl")
    clock = ManualClock(NOON)
    tapes = tapes_of([path])
    launches = {name: SimulatorLaunch(spec=each, seed=1) for name, each in simulators().items()}
    async with asyncio.timeout(PATIENCE), tapes.launch(launches, clock) as running:
        options: Any = running[section].settings()
        async with connect(plugin, **options, order_deadline=0) as venue:
            shown = await venue.book(symbol)
            assert [level.price for level in shown.bids] == [made.price(-10), made.price(-20)]
            behind, before = [
                await venue.place(OrderRequest(symbol=symbol, side="buy", quantity="0.02", price=made.price(ticks)))
                for ticks in (-10, -9)
            ]
            await clock.advance(1)
            done = await venue.until_final(before, within=PATIENCE)
            assert (done.status, done.average_price) == (OrderStatus.FILLED, made.price(-9))
            assert (await venue.order(behind)).status is OrderStatus.OPEN
            await clock.advance(1)
            queue, _ = running[section].exchange.queue(made.symbol)
            assert [(each.account, str(each.remaining.normalize())) for each in queue[:2]] == [
                ("user", "0.02"),
                ("market-maker", "0.03"),
            ]
            trades = await venue.recent_trades(symbol)
            assert [each.quantity * 100 for each in trades] == [2, 3]
        running[section].exchange.check_invariants()


def test_the_command_takes_a_tape(tmp_path: Path) -> None:
    made, path = recorded("kraken_spot", tmp_path / "day.stream.jsonl")
    process = start("simulate", "--json", "--tape", str(path))
    try:
        assert process.stdout is not None
        found = json.loads(process.stdout.readline())
        with urlopen(found["spot"]["rest_url"] + "/0/public/Depth?pair=XBTUSD", timeout=PATIENCE) as answer:
            [book] = json.load(answer)["result"].values()
        assert [Decimal(price) for price, *_ in book["bids"]][-1] == made.price(-20)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
    finally:
        process.kill()
        process.communicate()


def test_the_command_refuses_what_is_no_tape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["simulate", "--tape", str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl: cannot be read" in capsys.readouterr().err


async def test_other_markets_keep_their_makers(tmp_path: Path) -> None:
    made, path = recorded("kraken_spot", tmp_path / "day.stream.jsonl")
    tapes = tapes_of([path])
    launches = {"spot": SimulatorLaunch(spec=simulators()["spot"])}
    async with tapes.launch(launches, ManualClock()) as running:
        exchange = running["spot"].exchange
        assert len(exchange.book(made.symbol)[0]) == 2
        assert len(exchange.book(Symbol.parse("ETH/USD"))[0]) > 10


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        pytest.param("a.jsonl", '{"channel":"heartbeat"}\n', "none of spot, futures finds a book on it", id="no book"),
        pytest.param("a.jsonl", "", "none of spot, futures", id="nothing"),
        pytest.param("a.stream.jsonl", "{}\n", "a.stream.jsonl:1", id="a damaged line"),
        pytest.param("a.txt", "", r"expected a recording named \*\.jsonl", id="another name"),
    ],
)
def test_what_is_no_tape_is_refused(name: str, text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        tapes_of([tmp_path / name])


def test_one_market_has_one_tape(tmp_path: Path) -> None:
    _, path = recorded("kraken_spot", tmp_path / "day.stream.jsonl")
    with pytest.raises(ConfigError, match="another tape is the market of BTC/USD already"):
        tapes_of([path, path])


def test_a_tape_that_several_venues_know_is_refused(tmp_path: Path) -> None:
    _, path = recorded("kraken_spot", tmp_path / "day.stream.jsonl")
    twins = {"spot": specs()["spot"], "other": specs()["spot"]}
    both = {"spot": simulators()["spot"], "other": simulators()["spot"]}
    with pytest.raises(ConfigError, match="it may be of spot and of other"):
        read_tapes([path], twins, both, ManualClock())


# Recordings of the real venues

_PAIR = {
    "altname": "MINAGBP",
    "wsname": "MINA/GBP",
    "aclass_base": "currency",
    "base": "MINA",
    "aclass_quote": "currency",
    "quote": "ZGBP",
    "pair_decimals": 4,
    "cost_decimals": 5,
    "lot_decimals": 8,
    "lot_multiplier": 1,
    "fees": [[0, 0.4]],
    "fees_maker": [[0, 0.25]],
    "ordermin": "10",
    "costmin": "0.5",
    "tick_size": "0.0001",
    "status": "online",
}


def _contract(symbol: str, base: str, tick: float, last: str | None = None) -> dict[str, object]:
    row: dict[str, object] = {
        "symbol": symbol,
        "type": "futures_inverse",
        "underlying": f"rr_{symbol[3:9].lower()}",
        "tickSize": tick,
        "contractSize": 1,
        "tradeable": True,
        "contractValueTradePrecision": 0,
        "base": base,
        "quote": "USD",
        "pair": f"{base}:USD",
    }
    return row | ({} if last is None else {"lastTradingTime": last})


LISTS: dict[str, object] = {
    "spot": {"error": [], "result": {"MINAGBP": _PAIR}},
    "futures": {
        "result": "success",
        "instruments": [
            _contract("PI_XRPUSD", "XRP", 0.0001),
            _contract("PI_LTCUSD", "LTC", 0.01),
            _contract("FI_XBTUSD_210730", "BTC", 0.5, "2021-07-30T16:00:00Z"),
        ],
    },
}
RECORDED = [
    pytest.param("spot", "spot/ws/book_minagbp_d25_resync_2026-08-18.stream.jsonl", True, id="spot, with gaps"),
    pytest.param("spot", "spot/ws/book_btcusd_d10_2026-10.jsonl", False, id="spot, without times"),
    pytest.param("futures", "futures/ws/connection_3products_2021-07.stream.jsonl", True, id="futures, three books"),
    pytest.param("futures", "futures/ws/pf_xbtusd_2026-10.jsonl", False, id="futures, without times"),
]


@pytest.mark.parametrize(("section", "name", "listed"), RECORDED)
async def test_a_tape_of_the_real_venue_ends_with_its_last_books(
    captures: Path, section: str, name: str, *, listed: bool
) -> None:
    known = simulators()
    if listed:
        make = known[section].listed
        assert make is not None
        known = {**known, section: make([json.dumps(LISTS[section]).encode()])}
    clock = ManualClock(BEGAN)  # before the contracts of then expired
    tapes = read_tapes([captures / name], specs(), known, clock)
    [tape] = tapes.tapes[section]
    async with tapes.launch({section: SimulatorLaunch(spec=known[section])}, clock) as running:
        exchange = running[section].exchange
        await clock.advance(tape.ends - tape.begins + 1)
        exchange.check_invariants()
        last, traded = _seen(tape)
        assert last.keys() == set(tape.symbols)
        for symbol, sides in last.items():
            assert [dict(side) for side in exchange.book(symbol)] == sides
            assert [(each.price, each.quantity) for each in exchange.trades(symbol)] == traded[symbol]


def _seen(tape: Tape) -> tuple[dict[Symbol, list[dict[Decimal, Decimal]]], dict[Symbol, list[object]]]:
    """Return the last book of each market, less what traded since, and the trades that were made after its first."""
    books: dict[Symbol, list[dict[Decimal, Decimal]]] = {}
    since: dict[Symbol, datetime | None] = {}
    trades: dict[Symbol, list[object]] = {symbol: [] for symbol in tape.symbols}
    for _, event in tape.news():
        if isinstance(event, OrderBook):
            since.setdefault(event.symbol, event.time)
            books[event.symbol] = [dict(event.bids()), dict(event.asks())]
        elif isinstance(event, Trade) and event.symbol in since:
            first = since[event.symbol]
            if first is None or event.time > first:
                trades[event.symbol].append((event.price, event.quantity))
                half = books[event.symbol][event.side is Side.BUY]
                if event.price in half:
                    half[event.price] -= event.quantity
    return books, trades
