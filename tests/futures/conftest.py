"""A connected plugin without a network: contexts, feeds, and flows that are answered with literals."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.connector.auth import Credentials
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import Flow, HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ExchangeError
from exchange_core.testing.cassettes import CassettePlayer
from exchange_core.testing.world import run_flow
from kraken_futures.auth import FuturesSigner
from kraken_futures.config import HOSTS, FuturesConfig
from kraken_futures.dialect import FuturesDialect
from kraken_futures.feed.connections import FuturesFeed, private_feed, public_feed
from kraken_futures.plugin import KRAKEN_FUTURES
from kraken_futures.rest.operations import FuturesRest

CASSETTES = Path(__file__).resolve().parents[2] / "cassettes" / "kraken_futures"

# Kraken prints this secret in its own WebSocket guide; it opens nothing.
GUIDE_SECRET = "7zxMEF5p/Z8l2p2U7Ghv6x14Af+Fx+92tPgUdVQ748FOIrEoT9bgT+bTRfXc5pz8na+hL/QdrCVG7bh9KpT0eMTm"


def instrument(symbol: str, kind: str, base: str, tick: str, precision: int, **more: Any) -> dict[str, Any]:
    """Return an entry of the instrument list. *tick* keeps its digits: see ``listing``."""
    return {
        "symbol": symbol,
        "type": kind,
        "tickSize": float(tick),
        "contractSize": 1,
        "tradeable": True,
        "contractValueTradePrecision": precision,
        "base": base,
        "quote": "USD",
        "pair": f"{base}:USD",
        "postOnly": False,
        "isExpired": False,
        **more,
    }


LISTED = [
    instrument("PF_XBTUSD", "flexible_futures", "BTC", "1", 4),
    instrument("PF_ETHUSD", "flexible_futures", "ETH", "0.1", 3),
    instrument("PI_XBTUSD", "futures_inverse", "BTC", "0.5", 0),
    instrument("FI_XBTUSD_261225", "futures_inverse", "BTC", "0.5", 0, lastTradingTime="2026-12-25T16:00:00Z"),
]


def listing(entries: Iterable[dict[str, Any]]) -> bytes:
    return json.dumps({"result": "success", "instruments": list(entries)}).encode()


@pytest.fixture
def signer() -> FuturesSigner:
    return FuturesSigner.of(Credentials(api_key="the-key", api_secret=GUIDE_SECRET), FuturesConfig())


@pytest.fixture
def context(signer: FuturesSigner) -> VenueContext:
    """A context that knows the contracts of LISTED."""
    made = VenueContext(
        venue="futures", config=FuturesConfig(), symbols=SymbolMap("futures"), assets=AssetMap("futures"), signer=signer
    )
    FuturesRest(made).load_instruments(listing(LISTED))
    return made


@pytest.fixture
def rest(context: VenueContext) -> FuturesRest:
    return FuturesRest(context)


@pytest.fixture
def public(context: VenueContext) -> FuturesFeed:
    return public_feed(context)


@pytest.fixture
def private(context: VenueContext) -> FuturesFeed:
    return private_feed(context)


Answer = dict[str, Any] | bytes | ExchangeError
Run = Callable[..., tuple[Any, list[RestCall]]]


@pytest.fixture
def run() -> Run:
    """Run a flow against answers in order; return its result and the calls that it made.

    Answers are bodies, decoded as the transport would have it, or errors that the transport would raise.
    """
    dialect = FuturesDialect("futures")

    def run(flow: Flow[Any], *answers: Answer) -> tuple[Any, list[RestCall]]:
        calls: list[RestCall] = []
        queue = list(answers)

        def reply(call: RestCall) -> Any:
            calls.append(call)
            answer = queue.pop(0)
            if isinstance(answer, ExchangeError):
                raise answer
            return dialect.decode(call, HttpReply(200, {}, body_of(answer)))

        result = run_flow(flow, reply)
        assert not queue, f"answers that nobody asked for: {queue}"
        return result, calls

    return run


def body_of(answer: dict[str, Any] | bytes) -> bytes:
    if isinstance(answer, bytes):
        return answer
    return json.dumps({"result": "success", "serverTime": "2026-01-05T12:00:00.000Z", **answer}).encode()


@pytest.fixture
async def player() -> CassettePlayer:
    """A client on the cassettes: it knows the instruments, and may do what only the demo environment has."""
    config = FuturesConfig(environment="demo", rest_url=HOSTS["live"], allow_withdrawals=True)
    # Not the keys of the recording: signatures and nonces are the only things that may differ.
    keys = Credentials(api_key="made-up", api_secret=b64encode(b"made up too").decode())
    player = CassettePlayer(attrs.evolve(KRAKEN_FUTURES, config=lambda: config), CASSETTES, keys, "futures")
    await player.run("instruments", lambda do: do.instruments())
    return player
