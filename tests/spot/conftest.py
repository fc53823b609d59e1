"""Small real parts of the plugin, and a venue side that computes checksums its own way."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.connector.auth import Credentials
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.testing.cassettes import CassettePlayer
from exchange_core.testing.world import run_flow
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.dialect import KrakenSpotDialect
from kraken_spot.feed.connections import PrivateFeed, PublicFeed
from kraken_spot.plugin import KRAKEN_SPOT
from kraken_spot.rest.operations import KrakenSpotRest

CASSETTES = Path(__file__).resolve().parents[2] / "cassettes" / "kraken_spot"

PAIRS: dict[str, dict[str, Any]] = {
    "XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD", "decimals": (1, 8)},
    "XETHZUSD": {"altname": "ETHUSD", "wsname": "ETH/USD", "base": "XETH", "quote": "ZUSD", "decimals": (2, 8)},
    "XETHXXBT": {"altname": "ETHXBT", "wsname": "ETH/XBT", "base": "XETH", "quote": "XXBT", "decimals": (6, 8)},
    "XDGUSD": {"altname": "XDGUSD", "wsname": "XDG/USD", "base": "XXDG", "quote": "ZUSD", "decimals": (7, 8)},
    "MATICUSD": {"altname": "MATICUSD", "wsname": "MATIC/USD", "base": "MATIC", "quote": "ZUSD", "decimals": (4, 8)},
    "XXBTZJPY": {"altname": "XBTJPY", "wsname": "XBT/JPY", "base": "XXBT", "quote": "ZJPY", "decimals": (0, 8)},
}


def asset_pairs() -> bytes:
    """Return an answer to AssetPairs."""
    result = {}
    for key, pair in PAIRS.items():
        price, lot = pair["decimals"]
        result[key] = {
            **{name: value for name, value in pair.items() if name != "decimals"},
            "pair_decimals": price,
            "lot_decimals": lot,
            "cost_decimals": 5,
            "ordermin": "0.00005",
            "costmin": "0.5",
            "tick_size": str(Decimal(1).scaleb(-price)),
            "status": "online",
            "fees": [],
            "fees_maker": [],
        }
    return json.dumps({"error": [], "result": result}).encode()


@pytest.fixture(scope="session")
def make_context() -> Callable[..., VenueContext]:
    """Make contexts; with ``listed`` the pairs above are loaded."""

    def make(*, listed: bool = True, **options: Any) -> VenueContext:
        config = options.pop("config", KrakenSpotConfig())
        context = VenueContext(
            venue="kraken", config=config, symbols=SymbolMap("kraken"), assets=AssetMap("kraken"), **options
        )
        if listed:
            KrakenSpotRest(context).load_instruments(asset_pairs())
        return context

    return make


@pytest.fixture
def context(make_context: Callable[..., VenueContext]) -> VenueContext:
    return make_context()


@pytest.fixture
def lists() -> tuple[Any, ...]:
    """Answers to who asks for the lists again: they have nothing new."""
    return {}, asset_pairs()


@pytest.fixture
def rest(context: VenueContext) -> KrakenSpotRest:
    return KrakenSpotRest(context)


class Runner:
    """Runs flows as the transport does: each answer is decoded, and errors are raised inside of the flow.

    Attributes:
        calls: What was asked for.
    """

    def __init__(self, context: VenueContext) -> None:
        self.dialect = KrakenSpotDialect(context)
        self.calls: list[RestCall] = []

    def __call__(self, flow: Any, *answers: Any) -> Any:
        """Run *flow*; an answer is a result, a whole body in bytes, or an error to raise."""
        waiting = list(answers)

        def reply(call: RestCall) -> Any:
            self.calls.append(call)
            return self._decode(call, waiting.pop(0))

        result = run_flow(flow, reply)
        assert not waiting, "not every answer was asked for"
        return result

    def lenient(self, flow: Any, *answers: Any) -> Any:
        """Run *flow* on the first of *answers* that it needs."""
        try:
            call = next(flow)
            for answer in answers:
                call = flow.send(self._decode(call, answer))
        except StopIteration as done:
            return done.value
        return None

    def _decode(self, call: RestCall, answer: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        body = answer if isinstance(answer, bytes) else json.dumps({"error": [], "result": answer}).encode()
        return self.dialect.decode(call, HttpReply(200, {}, body))


@pytest.fixture
def run(context: VenueContext) -> Runner:
    return Runner(context)


@pytest.fixture(scope="session")
def make_runner() -> type[Runner]:
    return Runner


@pytest.fixture
def public(context: VenueContext) -> PublicFeed:
    return PublicFeed(context)


@pytest.fixture
def private(context: VenueContext) -> PrivateFeed:
    return PrivateFeed(context)


class VenueBook:
    """A book as the venue keeps it, and its frames: a dictionary that is sorted each time, formatted by Decimal."""

    def __init__(self, symbol: str, price_decimals: int, quantity_decimals: int = 8, depth: int = 10) -> None:
        self.symbol, self.depth = symbol, depth
        self.decimals = (price_decimals, quantity_decimals)
        self.sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}

    def snapshot(self, bids: Iterable[tuple[str, str]] = (), asks: Iterable[tuple[str, str]] = ()) -> str:
        self.sides = {"bids": {}, "asks": {}}
        self._apply(bids, asks)
        return self._frame("snapshot", self._best("bids", self.depth), self._best("asks", self.depth))

    def again(self) -> str:
        """Return the snapshot of what stands now."""
        return self._frame("snapshot", self._best("bids", self.depth), self._best("asks", self.depth))

    def update(
        self,
        bids: Sequence[tuple[str, str]] = (),
        asks: Sequence[tuple[str, str]] = (),
        checksum: int | None = None,
    ) -> str:
        self._apply(bids, asks)
        exact = [[(Decimal(p), Decimal(q)) for p, q in side] for side in (bids, asks)]
        return self._frame("update", exact[0], exact[1], checksum)

    def checksum(self) -> int:
        text = ""
        for side in ("asks", "bids"):
            for price, quantity in self._best(side, 10):
                text += self._digits(price, 0) + self._digits(quantity, 1)
        return zlib.crc32(text.encode()) & 0xFFFFFFFF

    def _digits(self, value: Decimal, which: int) -> str:
        return self._text(value, which).replace(".", "").lstrip("0")

    def _text(self, value: Decimal, which: int) -> str:
        return format(value, f".{self.decimals[which]}f")

    def _apply(self, bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> None:
        for side, rows in (("bids", bids), ("asks", asks)):
            for price, quantity in rows:
                self.sides[side].pop(Decimal(price), None)
                if Decimal(quantity):
                    self.sides[side][Decimal(price)] = Decimal(quantity)
            self.sides[side] = dict(self._best(side, self.depth))

    def _best(self, side: str, depth: int) -> list[tuple[Decimal, Decimal]]:
        return sorted(self.sides[side].items(), reverse=side == "bids")[:depth]

    def _frame(self, kind: str, bids: Any, asks: Any, checksum: int | None = None) -> str:
        rows = {
            name: ",".join(f'{{"price":{self._text(p, 0)},"qty":{self._text(q, 1)}}}' for p, q in side)
            for name, side in (("bids", bids), ("asks", asks))
        }
        verdict = self.checksum() if checksum is None else checksum
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{self.symbol}","bids":[{rows["bids"]}],'
            f'"asks":[{rows["asks"]}],"checksum":{verdict},"timestamp":"2026-10-09T00:34:21.169750Z"}}]}}'
        )


BIDS = [("100.0", "1.00000000"), ("99.9", "2.00000000"), ("99.8", "0.50000000")]
ASKS = [("100.1", "1.50000000"), ("100.2", "0.00051000")]


@pytest.fixture
def btc() -> VenueBook:
    return VenueBook("BTC/USD", 1)


@pytest.fixture(scope="session")
def make_book() -> type[VenueBook]:
    return VenueBook


@pytest.fixture
def levels() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return a few bids and asks of a pair with one decimal."""
    return list(BIDS), list(ASKS)


class Wire:
    """The other end of a feed's connection: reads requests, writes answers."""

    def __init__(self, feed: Any) -> None:
        self.feed = feed

    def requests(self) -> list[dict[str, Any]]:
        """Return what the feed wants to send, pings left out."""
        return [request for request in map(json.loads, self.feed.outbox()) if request["method"] != "ping"]

    def acknowledge(self, now: float = 0.0) -> list[Any]:
        """Answer every waiting subscription with yes; return the events."""
        events: list[Any] = []
        for request in self.requests():
            params = request["params"]
            for symbol in params.get("symbol", [None]):
                result = {name: params[name] for name in ("channel", "depth", "interval") if name in params}
                if symbol is not None:
                    result["symbol"] = symbol
                events += self.tell(
                    {"method": request["method"], "req_id": request["req_id"], "result": result, "success": True}, now
                )
        return events

    def tell(self, message: Any, now: float = 0.0) -> list[Any]:
        """Send one frame to the feed; return its events."""
        frame = message if isinstance(message, str | bytes) else json.dumps(message)
        return list(self.feed.receive(frame, now))


@pytest.fixture(scope="session")
def wire() -> type[Wire]:
    return Wire


@pytest.fixture
async def player() -> CassettePlayer:
    """A client on the cassettes, which knows the instruments and may move money."""
    spec = attrs.evolve(KRAKEN_SPOT, config=lambda: KrakenSpotConfig(allow_withdrawals=True))
    # Not the keys of the recording: signatures and nonces are the only things that may differ.
    keys = Credentials(api_key="made-up", api_secret=b64encode(b"made up too").decode())
    player = CassettePlayer(spec, CASSETTES, keys, "kraken")
    await player.run("instruments", lambda do: do.instruments())
    return player
