"""A simulated venue in process that meets the faults which docs/simulator.md writes out, one after the other."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.simulation import SimRequest
from exchange_core.errors import ExchangeError
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.plugins import load_plugins
from exchange_core.simulator.faults.actions import OnVenue
from exchange_core.simulator.faults.line import FaultyProtocol
from exchange_core.simulator.faults.schedule import Fault, parse_faults
from exchange_core.simulator.faults.tally import Faults, Tally
from exchange_core.testing.in_process import InProcess
from exchange_core.testing.world import Socket, World
from kraken_spot.feed.base import token

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


@contextmanager
def visited(section: str) -> Iterator[Home]:
    """Give out a home, always the same one, and leave it as it was found."""
    home = HOMES.get(section) or HOMES.setdefault(section, Home(section))
    yield home
    home.clear()


def updates(frames: list[str]) -> list[str]:
    """Return those that tell of a change of a book, as far as that can be said of a broken one."""
    return [frame for frame in frames if '"book"' in frame and "ubscribe" not in frame and "snapshot" not in frame]


def follow_alice(home: Home) -> Callable[[], list[str]]:
    """Subscribe to the executions of alice; return what says what came since."""
    socket = home.world.socket("/auth/v2")
    params = {"channel": "executions", "token": home.alice.run(token())}
    socket.say(json.dumps({"method": "subscribe", "params": params}))
    assert any('"success":true' in frame for frame in socket.take())
    return socket.take


Check = Callable[[Home, Tally], None]


class Checks(dict[str, Check]):
    """What shows that faults do what their names say."""

    def shows(self, name: str) -> Callable[[Check], Check]:
        def keep(check: Check) -> Check:
            self[name] = check
            return check

        return keep

    def run(self, section: str, fault: Fault) -> None:
        with visited(section) as home:
            tally = home.faults.add(fault)
            self[fault.name](home, tally)
            assert home.faults.tallies == [] or home.faults.tallies[0].fired >= 1
            home.exchange.check_invariants()


def cases(*, of_the_venue: bool) -> Iterator[Any]:
    """Return venues and the documented faults that can befall them."""
    for fault in EACH_KIND:
        for section in PLUGINS:
            if fault.venue in (None, section) and isinstance(fault.action, OnVenue) is of_the_venue:
                yield pytest.param(section, fault, id=f"{section}: {fault.name}")
