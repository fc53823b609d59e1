"""A replay forgives another key, nonce, signature and token, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from vcr.errors import CannotOverwriteExistingCassetteException as Departed

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ConfigError
from exchange_core.model.event import Channel, Event, Subscription
from exchange_core.storage.cassette import RestTape
from exchange_core.storage.playback import play, rest_answers
from exchange_core.storage.recording import Frame, frames
from exchange_core.storage.scrub import Scrubber
from exchange_core.transport.http import HttpSender
from kraken_spot.plugin import KRAKEN_SPOT

HOST = "https://venue.example"
ORDER = HttpRequest(
    "POST",
    "/order?validate=no",
    {"API-Key": "recorded key", "API-Sign": "recorded signature", "Content-Type": "text/plain", "Nonce": "17"},
    b"nonce=17&pair=XBTUSD&volume=0.010&json=%7B%22token%22%3A%22recorded%22%2C%22size%22%3A1%7D",
)
LIST = HttpRequest("GET", "/orders?limit=5", {"Accept": "application/json"})


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """A recording of an order, and of a list before and after it."""
    tape = RestTape("a test", Scrubber())
    for request, answer in ((LIST, b"[]"), (ORDER, b'{"id":1}'), (LIST, b"[1]")):
        tape(HOST, request, HttpReply(200, {"content-type": "application/json"}, answer), 0.0)
    tape.write(tmp_path / "orders.yaml")
    return tmp_path / "orders.yaml"


async def ask(*requests: HttpRequest, host: str = HOST) -> list[bytes]:
    sender = HttpSender()
    try:
        return [(await sender.send(host, request, within=5)).body for request in requests]
    finally:
        await sender.aclose()


def put(name: str, value: str) -> HttpRequest:
    return ORDER._replace(headers={**ORDER.headers, name: value})


def drop(name: str) -> HttpRequest:
    return ORDER._replace(headers={key: value for key, value in ORDER.headers.items() if key != name})


def swap(old: bytes, new: bytes) -> HttpRequest:
    assert old in ORDER.body
    return ORDER._replace(body=ORDER.body.replace(old, new))


async def test_requests_are_answered_in_their_order(cassette: Path) -> None:
    with rest_answers(cassette):
        assert await ask(LIST, ORDER, LIST) == [b"[]", b'{"id":1}', b"[1]"]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(put("API-Key", "another"), id="key"),
        pytest.param(put("API-Sign", "another"), id="signature"),
        pytest.param(put("Nonce", "18"), id="nonce in a header"),
        pytest.param(swap(b"nonce=17", b"nonce=18"), id="nonce in the form"),
        pytest.param(swap(b"recorded", b"another"), id="token in JSON in the form"),
    ],
)
async def test_only_what_is_secret_may_differ(cassette: Path, request_: HttpRequest) -> None:
    with rest_answers(cassette):
        assert await ask(LIST, request_, LIST) == [b"[]", b'{"id":1}', b"[1]"]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(ORDER._replace(method="PUT"), id="method"),
        pytest.param(ORDER._replace(target="/orders?validate=no"), id="path"),
        pytest.param(ORDER._replace(target="/order?validate=yes"), id="query"),
        pytest.param(ORDER._replace(target="/order"), id="no query"),
        pytest.param(swap(b"XBTUSD", b"ETHUSD"), id="parameter"),
        pytest.param(swap(b"0.010", b"0.01"), id="the digits of a parameter"),
        pytest.param(swap(b"&volume=0.010", b""), id="a parameter less"),
        pytest.param(swap(b"&volume", b"&validate=true&volume"), id="a parameter more"),
        pytest.param(swap(b"nonce=17&", b""), id="no nonce"),
        pytest.param(swap(b"%22size%22%3A1", b"%22size%22%3A2"), id="parameter in JSON in the form"),
        pytest.param(ORDER._replace(body=b""), id="no body"),
        pytest.param(drop("API-Key"), id="no key"),
        pytest.param(drop("API-Sign"), id="no signature"),
        pytest.param(put("Content-Type", "application/json"), id="header"),
        pytest.param(put("X-Extra", "1"), id="a header more"),
    ],
)
async def test_whatever_else_differs_fails(cassette: Path, request_: HttpRequest) -> None:
    with pytest.raises(Departed), rest_answers(cassette):
        await ask(request_)


async def test_the_error_says_what_differs(cassette: Path) -> None:
    with pytest.raises(Departed, match=r"volume=0\.02[\s\S]*volume=0\.010"), rest_answers(cassette):
        await ask(swap(b"0.010", b"0.02"))


async def test_another_host_fails(cassette: Path) -> None:
    with pytest.raises(Departed), rest_answers(cassette):
        await ask(LIST, host="https://other.example")


async def test_a_recorded_answer_is_given_once(cassette: Path) -> None:
    """An order that is sent twice must show."""
    with pytest.raises(Departed), rest_answers(cassette):
        await ask(LIST, ORDER, ORDER)


async def test_what_was_recorded_must_be_asked_for(cassette: Path) -> None:
    with (
        pytest.raises(AssertionError, match=r"not asked for: POST https://venue\.example/order"),
        rest_answers(cassette),
    ):
        await ask(LIST, LIST)


async def test_a_missing_cassette_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such cassette"), rest_answers(tmp_path / "none.yaml"):
        pass


# Feeds.

RECORDING = Path(__file__).resolve().parents[2] / "cassettes/kraken_spot/feed/account.stream.jsonl"
WANTED = (Subscription(Channel.ORDERS), Subscription(Channel.BALANCES))


def account(told: Sequence[Frame], wanted: Sequence[Subscription] = WANTED) -> list[Event]:
    config = KRAKEN_SPOT.config()
    context = VenueContext(venue="v", config=config, symbols=SymbolMap("v"), assets=AssetMap("v"), provisional=True)
    feed = KRAKEN_SPOT.feeds[1].make(context)
    feed.subscribe(wanted, 0.0)
    return list(play(feed, told))


@pytest.fixture(scope="module")
def told() -> list[Frame]:
    return list(frames(RECORDING))


def test_a_feed_that_sends_what_was_sent_gets_what_came(told: list[Frame]) -> None:
    assert len(account(told)) > 10


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            lambda told: [f._replace(raw=f.raw.replace("snap_trades", "x")) for f in told],
            "is sent; recorded",
            id="a word",
        ),
        pytest.param(lambda told: told[1:], "is sent; recorded", id="one frame less"),
        pytest.param(lambda told: [told[1], told[0], *told[2:]], "is sent; recorded", id="another order"),
        pytest.param(lambda told: [*told, told[0]], "nothing is sent", id="one frame more"),
        pytest.param(
            lambda told: [f._replace(time=f.time / 2) for f in told], "nothing is sent", id="a ping before its time"
        ),
        pytest.param(
            lambda told: [f for f in told if "ping" not in f.raw], "sent, but not recorded", id="a ping too many"
        ),
    ],
)
def test_a_feed_that_departs_from_the_recording_fails(
    told: list[Frame], change: Callable[[list[Frame]], list[Frame]], said: str
) -> None:
    with pytest.raises(AssertionError, match=said):
        account(change(told))


def test_a_feed_that_wants_something_else_fails(told: list[Frame]) -> None:
    with pytest.raises(AssertionError, match="sent"):
        account(told, WANTED[:1])
