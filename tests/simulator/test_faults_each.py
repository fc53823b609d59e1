"""Each fault that docs/simulator.md writes out does on the wire of the venues what its name says."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulation import SimRequest
from exchange_core.errors import ExchangeError, NotSupported
from exchange_core.model.event import VenueState
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.plugins import load_plugins
from exchange_core.simulator.faults import Faults, Tally
from exchange_core.simulator.faults_actions import Answer
from exchange_core.simulator.faults_line import FaultyProtocol
from exchange_core.simulator.faults_schedule import Fault, FaultSchedule, parse_faults
from exchange_core.testing.in_process import InProcess
from exchange_core.testing.world import Socket, World
from kraken_spot.feed_base import token

PAGE = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
DOCUMENTED = [fault for text in BLOCKS for fault in parse_faults(tomllib.loads(text)).faults]
[EACH_KIND] = [parse_faults(tomllib.loads(text)).faults for text in BLOCKS if "drop the request" in text]

PLUGINS = {"spot": "kraken_spot", "futures": "kraken_futures"}
PATHS = {"spot": "/v2", "futures": "/ws/v1"}
BOOKS = {
    "spot": '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":100}}',
    "futures": '{"event":"subscribe","feed":"book","product_ids":["PF_XBTUSD"]}',
}
STATUS = {"spot": "/0/public/SystemStatus", "futures": "/derivatives/api/v3/tickers/PF_XBTUSD"}


class Home:
    """A simulated venue in process, its faults, and alice."""

    def __init__(self, section: str) -> None:
        self.section = section
        self.world = World(load_plugins().venue(PLUGINS[section]))
        self.exchange = self.world.exchange
        self.protocol = self.world.protocol
        self.world.protocol = self
        self.meet(Faults(self.world.clock))
        self.replies: list[HttpReply] = []
        self.alice = self.world.client("alice")
        self.market = self.exchange.markets()[0]
        self.symbol = self.market.instrument.symbol
        self.price = self.market.start_price

    def meet(self, faults: Faults) -> None:
        """Let these be the faults."""
        self.faults = faults
        self.wire = FaultyProtocol(self.protocol, self.exchange, faults)
        self.inside = InProcess(self.wire, self.advance, self.world.clock.monotonic)

    def http(self, request: HttpRequest) -> HttpReply:
        reply = self.inside.http(request)
        self.replies.append(reply)
        return reply

    def session(self, path: str) -> Any:
        return self.inside.session(path)

    def advance(self, seconds: float) -> None:
        self.inside.flush()
        self.world.clock.forward(seconds)
        self.wire.step()

    def get(self, target: str) -> Any:
        return json.loads(self.http(HttpRequest("GET", target, {}, b"")).body)

    def place(self, **options: Any) -> Any:
        """Let alice place an order far below the market; return how many there are now, and what she saw."""
        before, self.replies[:] = len(self.orders), []
        options = {"price": self.price / 2, **options}
        try:
            self.order = self.alice.place("buy", "0.001", symbol=self.symbol, **options)
            seen = ""
        except (ConnectionResetError, ExchangeError) as error:
            seen = type(error).__name__
        said = self.replies[-1].body.decode() if self.replies else seen
        return len(self.orders) - before, said

    def cancel(self) -> str:
        """Let alice cancel the order that she placed last; return what the venue said."""
        with suppress(ExchangeError):
            self.alice.run(self.alice.rest.cancel(self.order))
        return self.replies[-1].body.decode()

    @property
    def orders(self) -> Any:
        return self.exchange.open_orders("alice")

    def books(self) -> Socket:
        """Return a connection that is subscribed to a book; what came so far is read."""
        socket = self.world.socket(PATHS[self.section])
        socket.say(BOOKS[self.section])
        return socket

    def change(self, times: int = 1) -> None:
        """Let the book change, one frame each time."""
        for _ in range(times):
            self.price -= self.market.instrument.tick_size * 10
            request = SimRequest(
                symbol=self.symbol,
                side=Side.BUY,
                type=OrderType.LIMIT,
                quantity=Decimal("0.001"),
                price=self.price * Decimal("0.9") // 10 * 10,
            )
            self.exchange.place("alice", request)

    def clear(self) -> None:
        self.faults.clear()
        self.wire.step()
        for order in list(self.orders):
            self.exchange.cancel("alice", order.id)


HOMES: dict[str, Home] = {}


@pytest.fixture
def home(section: str) -> Iterator[Home]:
    if section not in HOMES:
        HOMES[section] = Home(section)
    found = HOMES[section]
    yield found
    found.clear()


def updates(frames: list[str]) -> list[str]:
    """Return those that tell of a change of a book, as far as that can be said of a broken one."""
    return [frame for frame in frames if '"book"' in frame and "ubscribe" not in frame and "snapshot" not in frame]


Check = Callable[[Home, Tally], None]
CHECKS: dict[str, Check] = {}


def shows(name: str) -> Callable[[Check], Check]:
    def keep(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return keep


@shows("drop the request")
def _(home: Home, tally: Tally) -> None:
    assert home.place() == (0, "ConnectionResetError")


@shows("drop the answer after acting")
@shows("cut the answer")
def _(home: Home, tally: Tally) -> None:
    assert home.place() == (1, "ConnectionResetError")


@shows("delay the request")
def _(home: Home, tally: Tally) -> None:
    before = home.exchange.now()
    assert home.place()[0] == 1
    assert home.orders[-1].created - before == timedelta(seconds=2)


@shows("delay the answer")
def _(home: Home, tally: Tally) -> None:
    before = home.exchange.now()
    assert home.place()[0] == 1
    assert home.orders[-1].created == before
    assert home.exchange.now() - before == timedelta(seconds=2)


@shows("the order comes twice")
def _(home: Home, tally: Tally) -> None:
    # The second has a nonce that was used: both venues know a twin by it.
    assert home.place()[0] == 1
    assert "rror" not in home.replies[-1].body.decode().replace('"error":[]', "")


@shows("502 with a page of HTML")
def _(home: Home, tally: Tally) -> None:
    placed, said = home.place()
    assert (placed, home.replies[-1].status, said[:6]) == (1, 502, "<html>")


@shows("slow answers")
def _(home: Home, tally: Tally) -> None:
    before = home.exchange.now()
    assert home.place()[0] == 1
    assert home.orders[-1].created == before
    assert home.exchange.now() - before == timedelta(seconds=len(home.replies[-1].body) / 20)


@shows("slow reads")
def _(home: Home, tally: Tally) -> None:
    before = home.exchange.now()
    assert home.place()[0] == 1
    assert home.orders[-1].created - before > timedelta(seconds=0.5)


@shows("cut the socket")
def _(home: Home, tally: Tally) -> None:
    socket, other = home.books(), home.books()
    other.session.closed()
    socket.take()
    home.change(5)
    assert len(updates(socket.take())) == 2
    assert socket.session.is_cut  # type: ignore[attr-defined]
    home.change()
    assert socket.take() == []


@shows("freeze a subscription that was acknowledged")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    assert any("ubscribe" in frame for frame in socket.take())
    home.change(3)
    assert socket.take() == []
    socket.say('{"method":"ping","event":"ping"}')
    assert len(socket.take()) == 1


@shows("silence")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    home.change(3)
    socket.say('{"method":"ping","event":"ping"}')
    assert socket.take() == []
    assert not socket.session.is_cut  # type: ignore[attr-defined]


@shows("drop frames")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    socket.take()
    home.change(6)
    found = [json.loads(frame) for frame in updates(socket.take())]
    assert len(found) == 3
    if home.section == "futures":
        assert [later["seq"] - sooner["seq"] for sooner, later in pairwise(found)] == [2, 2]


@shows("duplicate frames")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    socket.take()
    home.change(2)
    first, again, other = updates(socket.take())
    assert first == again != other


@shows("reorder frames")
def _(home: Home, tally: Tally) -> None:
    swapped, straight = home.books(), home.books()
    swapped.take()
    straight.take()
    home.change(3)
    late, told = updates(swapped.take()), updates(straight.take())
    assert late == [told[1], told[0], told[2]]


@shows("corrupt frames")
def _(home: Home, tally: Tally) -> None:
    broken, straight = home.books(), home.books()
    for socket in (broken, straight):
        socket.take()
    home.change()
    [wrong] = updates(broken.take())
    home.faults.clear()
    [right] = updates(straight.take())
    assert [sooner.isdigit() for sooner, later in zip(right, wrong, strict=True) if sooner != later] == [True]


@shows("no JSON")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    socket.take()
    home.change()
    [half] = socket.take()
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(half)


@shows("late frames")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    socket.take()
    home.change()
    home.advance(9)
    assert updates(socket.take()) == []
    home.advance(1)
    assert len(updates(socket.take())) == 1


@shows("a wrong checksum")
def _(home: Home, tally: Tally) -> None:
    broken, straight = home.books(), home.books()
    home.change()
    [wrong] = updates(broken.take())
    home.faults.clear()
    [right] = updates(straight.take())
    [told], [meant] = json.loads(wrong)["data"], json.loads(right)["data"]
    assert told.pop("checksum") != meant.pop("checksum")
    assert told == meant


@shows("a gap in the sequence of an account's frames")
def _(home: Home, tally: Tally) -> None:
    said = _private(home)
    home.change(2)
    assert json.loads(said()[0])["sequence"] == 3  # the snapshot was 1


def _private(home: Home) -> Callable[[], list[str]]:
    """Subscribe to the executions of alice; return what says what came since."""
    socket = home.world.socket("/auth/v2")
    params = {"channel": "executions", "token": home.alice.run(token())}
    socket.say(json.dumps({"method": "subscribe", "params": params}))
    assert any('"success":true' in frame for frame in socket.take())
    return socket.take


@shows("a token that expired")
def _(home: Home, tally: Tally) -> None:
    with pytest.raises(AssertionError):
        _private(home)
    home.faults.clear()
    _private(home)


def _over_websocket(home: Home, auth: Socket, token: str) -> str:
    """Let alice place an order over a WebSocket; return what the venue said."""
    order = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.001, "limit_price": 50000}
    auth.take()
    auth.say(json.dumps({"method": "add_order", "params": {**order, "token": token}}))
    return auth.take()[-1]


def _state(home: Home, word: str, *, symbol: bool = False) -> None:
    """Look at what the venue says of its state."""
    told = home.get(STATUS[home.section])
    if home.section == "spot":
        assert told["result"]["status"] == ("online" if symbol else word)
        pair = home.get("/0/public/AssetPairs?pair=XBTUSD")["result"]["XXBTZUSD"]
        assert pair["status"] == ("cancel_only" if word == "maintenance" else word)
    else:
        ticker = told["ticker"]
        assert (ticker["suspended"], ticker["postOnly"]) == (
            word in ("cancel_only", "maintenance"),
            word == "post_only",
        )


def _refused(home: Home, spot: str, futures: str, **options: Any) -> None:
    placed, said = home.place(**options)
    assert placed == 0
    assert (spot if home.section == "spot" else futures) in said


@shows("only cancels")
@shows("only cancels in one market")
def _(home: Home, tally: Tally) -> None:
    home.faults.clear()
    home.place()
    home.faults.add(tally.fault)
    one = getattr(tally.fault.action, "symbol", None) is not None
    _state(home, "cancel_only", symbol=one)
    _refused(home, "EService:Market in cancel_only mode", "marketSuspended")
    _refused(home, "EService:Market in cancel_only mode", "marketSuspended", post_only=True)
    other = home.exchange.markets()[1].instrument
    assert (other.status == "online") is one
    home.cancel()
    assert not home.orders
    if not one:
        home.advance(30)
        assert home.place()[0] == 1


@shows("only orders that must rest")
def _(home: Home, tally: Tally) -> None:
    _state(home, "post_only")
    _refused(home, "EService:Market in post_only mode", "marketIsPostOnly")
    assert home.place(post_only=True)[0] == 1


@shows("only orders with a limit")
def _(home: Home, tally: Tally) -> None:
    _refused(home, "EService:Market in limit_only mode", "", price=None)
    assert home.place()[0] == 1


@shows("only orders that reduce")
def _(home: Home, tally: Tally) -> None:
    _refused(home, "EService:Market in reduce_only mode", "")


@shows("maintenance")
def _(home: Home, tally: Tally) -> None:
    home.faults.clear()
    home.place()
    [standing] = home.orders
    socket = home.books()
    socket.take()
    home.exchange.cancel_all_after("alice", 5)
    private = (home.world.socket("/auth/v2"), home.alice.run(token())) if home.section == "spot" else None
    home.faults.add(tally.fault)
    home.advance(10)
    socket.tick()
    if private is not None:
        assert '"error":"EService:Unavailable"' in _over_websocket(home, *private)
        frames = [json.loads(frame) for frame in socket.take() if '"status"' in frame]
        assert frames[0]["data"] == [{"version": "2.0.10", "system": "maintenance", "api_version": "v2"}]
    _state(home, "maintenance")
    _refused(home, "EService:Unavailable", "Unavailable")
    assert "navailable" in home.cancel()
    if home.section == "futures":
        [notice] = home.alice.run(home.alice.rest.account.notifications())
        assert (notice.type, notice.priority) == ("maintenance", "high")
    assert [order.id for order in home.orders] == [standing.id]
    home.advance(20)  # the dead man's switch fires when the engine returns
    assert not home.orders
    assert home.exchange.state is VenueState.ONLINE
    assert home.place()[0] == 1


@shows("the engine restarts")
def _(home: Home, tally: Tally) -> None:
    home.faults.clear()
    home.place()
    socket = home.books()
    socket.take()
    private = _private(home) if home.section == "spot" else socket.take
    old = home.replies[-1].body.decode()
    home.faults.add(tally.fault)
    home.advance(0.2)
    home.change(0)
    assert (socket.take(), private()) == ([], [])
    assert socket.session.is_cut  # type: ignore[attr-defined]
    _refused(home, "EService:Unavailable", "Unavailable")
    home.advance(10)
    assert len(home.orders) == 1
    assert len(home.books().take()) >= 2
    if home.section == "spot":
        again = home.world.socket("/auth/v2")
        token = json.loads(old)["result"]["token"]
        again.say(json.dumps({"method": "subscribe", "params": {"channel": "executions", "token": token}}))
        assert "ESession:Invalid session" in again.take()[-1]
    else:
        assert home.get("/derivatives/api/v3/history?symbol=PF_XBTUSD")["history"] == []


@shows("the engine restarts when the second order comes")
def _(home: Home, tally: Tally) -> None:
    socket = home.books()
    assert home.place()[0] == 1
    _refused(home, "EService:Unavailable", "Unavailable")
    assert socket.session.is_cut  # type: ignore[attr-defined]
    home.advance(5)
    assert home.place()[0] == 1


@shows("a clock that is behind")
def _(home: Home, tally: Tally) -> None:
    home.wire.step()
    assert home.world.clock.now() - home.exchange.now() == timedelta(seconds=30)
    home.place()
    assert home.world.clock.now() - home.orders[-1].created == timedelta(seconds=30)


@shows("a clock that is fast")
def _(home: Home, tally: Tally) -> None:
    home.advance(1000)
    assert home.exchange.now() - home.world.clock.now() == timedelta(seconds=10)


def _cases() -> Iterator[Any]:
    for fault in EACH_KIND:
        for section in PLUGINS:
            if fault.venue in (None, section):
                yield pytest.param(section, fault, id=f"{section}: {fault.name}")


@pytest.mark.parametrize(("section", "fault"), list(_cases()))
def test_the_fault_does_what_its_name_says(home: Home, fault: Fault) -> None:
    tally = home.faults.add(fault)
    CHECKS[fault.name](home, tally)
    assert home.faults.tallies == [] or home.faults.tallies[0].fired >= 1
    home.exchange.check_invariants()


def _answers() -> list[Fault]:
    return [fault for fault in DOCUMENTED if isinstance(fault.action, Answer) and fault.http]


@pytest.mark.parametrize(
    "fault", _answers(), ids=lambda fault: f"{fault.http} {fault.action.body or fault.action.status}"
)
def test_an_error_in_the_venue_s_words_is_what_the_client_gets(fault: Fault) -> None:
    assert fault.http is not None
    section = "spot" if fault.http.startswith("/0/") else "futures"
    home = Home(section)
    home.faults.add(fault)
    request = HttpRequest(fault.method or "POST", fault.http.replace("*", "AddOrder"), {}, b"")
    replies = [home.http(request) for _ in range(1000 if fault.chance < 1 else fault.nth or 1)]
    assert isinstance(fault.action, Answer)
    assert any(
        (reply.status, reply.body.decode()) == (fault.action.status, fault.action.body)
        and fault.action.headers.items() <= reply.headers.items()
        for reply in replies
    )


@pytest.mark.parametrize("section", PLUGINS)
def test_the_same_seed_gives_the_same_faults_on_the_wire(section: str) -> None:
    def run(seed: int) -> list[str]:
        home = Home(section)
        rules = [
            {"name": "lost", "http": "*", "chance": 0.2, "action": "drop-answer"},
            {"websocket": "out", "chance": 0.3, "action": "corrupt"},
        ]
        home.meet(Faults(home.world.clock, parse_faults({"seed": seed, "faults": rules})))
        said = []
        for _ in range(20):
            try:
                said.append(home.http(HttpRequest("GET", STATUS[section], {}, b"")).body.decode())
            except ConnectionResetError:
                said.append("lost")
        socket = home.books()
        home.change(10)
        return said + socket.take()

    assert run(7) == run(7)
    assert run(7) != run(8)


@pytest.mark.parametrize(
    ("section", "rule", "complaint"),
    [
        ("futures", {"action": "limit_only"}, "limit_only is no state of its markets; expected cancel_only, post_only"),
        ("futures", {"action": "cancel_only", "symbol": "BTC/USD"}, "there is no market BTC/USD, but BTC/USD:USD"),
        ("spot", {"action": "cancel_only", "symbol": "BTC/USD:USD"}, "or say venue = another one"),
    ],
)
def test_what_can_never_befall_a_venue_is_refused(section: str, rule: dict[str, Any], complaint: str) -> None:
    home = Home(section)
    [fault] = parse_faults({"faults": [rule]}).faults
    with pytest.raises(ExchangeError, match=complaint):
        home.faults.add(fault)
    assert not home.faults
    with pytest.raises(ExchangeError, match=complaint):
        FaultyProtocol(home.protocol, home.exchange, Faults(home.world.clock, FaultSchedule(faults=(fault,))))


@pytest.mark.parametrize("section", PLUGINS)
def test_a_state_ends_as_the_market_was_by_itself_and_is_not_saved(section: str) -> None:
    home = Home(section)
    home.faults.add(parse_faults({"faults": [{"action": "cancel_only", "seconds": 10}]}).faults[0])
    home.wire.step()
    home.exchange.set_status(home.symbol, home.exchange.spec.markets[0].instrument.status.POST_ONLY)
    assert home.exchange.market(home.symbol).instrument.status == "cancel_only"
    assert home.exchange.save()["markets"][str(home.symbol)]["status"] == "post_only"
    home.advance(10)
    assert home.exchange.market(home.symbol).instrument.status == "post_only"


def test_a_slow_websocket_needs_sockets() -> None:
    home = Home("spot")
    rule = {"websocket": "open", "action": "slow-write", "bytes_per_second": 5}
    home.faults.add(parse_faults({"faults": [rule]}).faults[0])
    with pytest.raises(NotSupported, match="needs sockets"):
        home.world.socket("/v2")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"action": "drop-request"}, "opens no WebSocket$"),
        ({"action": "bad-gateway"}, "opens no WebSocket: status 502"),
    ],
)
def test_a_handshake_is_struck_in_process_too(rule: dict[str, Any], said: str) -> None:
    home = Home("futures")
    home.faults.add(parse_faults({"faults": [{"websocket": "open", **rule}]}).faults[0])
    with pytest.raises(ConnectionResetError, match=said):
        home.world.socket("/ws/v1")
