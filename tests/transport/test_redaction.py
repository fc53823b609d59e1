"""Keys, secrets, signatures and tokens never show: not in texts, logs, errors, tracebacks or reprs."""

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from exchange_core.connector.rest import Flow, HttpReply, RestCall
from exchange_core.errors import ExchangeError, OutcomeUnknown, ProtocolError
from exchange_core.testing.clock import ManualClock
from exchange_core.testing.http import Hang, LoopbackHttp, Partial, Reset, ScriptedHttp, answer
from exchange_core.testing.websocket import LoopbackSocket, Peer
from exchange_core.transport.feed_runner import FeedPhase
from exchange_core.transport.redaction import LOGGER, MASK, RedactingLogger, Redactor
from exchange_core.transport.rest_client import RestClient

KEY, SECRET, TOKEN = "pub/lic+key-0001", "se/cret+of-nobody-0002", "to/ken-of+a-connection-0003"
New = Callable[..., Any]


def one(call: RestCall) -> Flow[Any]:
    return (yield call)


# Texts.


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"key is {KEY}", id="as it is"),
        pytest.param(f"GET /x?key={quote(KEY, safe='')}", id="in a URL"),
        pytest.param(f"key: {KEY.replace('/', chr(92) + '/')}", id="in JSON with escaped slashes"),
        pytest.param(f"{KEY}{KEY}", id="twice"),
        pytest.param(f"the answer began with {KEY[:12]}", id="cut off"),
    ],
)
def test_a_secret_is_replaced_however_it_is_written(text: str) -> None:
    hidden = Redactor([KEY]).redact(text)
    assert MASK in hidden
    assert KEY[:8] not in hidden
    assert "0001" not in hidden


def test_a_secret_within_a_longer_one_leaves_nothing_of_it() -> None:
    assert Redactor([KEY, f"{KEY}-and-more"]).redact(f"x {KEY}-and-more y") == f"x {MASK} y"


def test_what_is_no_secret_stays() -> None:
    text = "OrderRefused: BTC/USD: price 1.23 is not a multiple of 0.1"
    assert Redactor([KEY, SECRET, "", "a"]).redact(text) == text


def test_signatures_are_forgotten_in_time_and_keys_are_not() -> None:
    redactor = Redactor([KEY])
    for number in range(1000):
        redactor.add_passing("signature", f"{number:04}-signature")
    assert redactor.redact(f"{KEY} 0999-signature") == f"{MASK} {MASK}"
    assert redactor.redact("0001-signature") == "0001-signature"


def test_many_signatures_do_not_push_out_a_token() -> None:
    redactor = Redactor()
    redactor.add_passing("token", TOKEN)
    redactor.add_passing("signature", *(f"{number:04}-signature" for number in range(1000)))
    assert redactor.redact(TOKEN) == MASK


def test_an_error_is_scrubbed_with_all_that_it_was_raised_from() -> None:
    try:
        try:
            raise ValueError(f"illegal header {KEY}", KEY.encode(), 7)
        except ValueError as error:
            raise ProtocolError(f"cannot read {SECRET}") from error
    except ProtocolError as error:
        Redactor([KEY, SECRET]).scrub(error)
        shown = "".join(traceback.format_exception(error))
        assert KEY not in shown
        assert SECRET not in shown


def test_the_redactor_does_not_show_what_it_hides() -> None:
    assert KEY not in repr(Redactor([KEY]))


# Logs.


def test_a_log_record_is_redacted_with_its_arguments_and_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = RedactingLogger(LOGGER, Redactor([KEY, SECRET]))
    log.warning("key %s", KEY)
    try:
        raise ValueError(SECRET)
    except ValueError:
        log.exception("it failed")
    assert [record.getMessage().splitlines()[0] for record in caplog.records] == [f"key {MASK}", "it failed"]
    assert f"ValueError: {MASK}" in caplog.text
    assert KEY not in caplog.text
    assert SECRET not in caplog.text
    assert caplog.records[0].filename == "test_redaction.py"


def test_a_level_that_is_off_costs_no_formatting() -> None:
    class Loud:
        def __str__(self) -> str:
            raise AssertionError("formatted")

    RedactingLogger(LOGGER, Redactor(), quietest=logging.INFO).debug("%s", Loud())


# Everything at once.


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> Callable[[BaseException], str]:
    """Return all that could be printed of an error: its chain with local variables, and all logs at DEBUG."""
    for name in ("", "httpx", "httpcore", "websockets", "asyncio", LOGGER):
        caplog.set_level(logging.DEBUG, logger=name)

    def collect(error: BaseException) -> str:
        # The first frame is the test itself, which knows all secrets.
        below = error.__traceback__ and error.__traceback__.tb_next
        lines = traceback.TracebackException(type(error), error, below, capture_locals=True).format()
        context = [repr(error.__cause__), repr(error.__context__)]
        return "\n".join([caplog.text, *lines, repr(error), *context])

    return collect


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(Hang(), id="no answer"),
        pytest.param(Reset(), id="reset"),
        pytest.param(Partial(), id="broken off"),
        pytest.param(HttpReply(502, {}, b"<html>"), id="page"),
        pytest.param(answer({"error": "BadRequest", "codes": []}), id="refused"),
        pytest.param(answer({"unexpected": TOKEN}), id="not as documented"),
    ],
)
async def test_no_failed_call_shows_a_secret(
    new_client: Callable[..., RestClient], write: RestCall, act: Any, everything: Callable[[BaseException], str]
) -> None:
    async with LoopbackHttp([act]) as server, new_client(server.url, request_timeout=0.1) as client:
        with pytest.raises(ExchangeError) as caught:
            await client.run(one(write))
        signature = server.requests[0].headers["api-sign"]
    shown = everything(caught.value)
    assert "exchange_core" in shown
    for secret in (KEY, SECRET, signature):
        assert secret not in shown


@pytest.mark.parametrize("echo", [KEY, SECRET])
async def test_an_answer_that_echoes_a_secret_does_not_show_it(
    new_client: Callable[..., RestClient], read: RestCall, echo: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with new_client(http=ScriptedHttp(answer(echo)).transport) as client:
        with pytest.raises(ProtocolError, match="expected JSON, found") as caught:
            await client.run(one(read))
    shown = "".join([caplog.text, *traceback.format_exception(caught.value)])
    assert echo[:10] not in shown


async def test_an_error_of_the_signer_itself_does_not_show_the_secret(
    new_client: Callable[..., RestClient], write: RestCall
) -> None:
    class Broken:
        needs_nonce = True

        def secrets(self) -> tuple[str, ...]:
            return (KEY, SECRET)

        def sign(self, call: RestCall, nonce: int | None) -> Any:
            try:
                int(SECRET)
            except ValueError as error:
                raise KeyError(f"cannot sign with {SECRET}") from error

    async with new_client(http=ScriptedHttp().transport, signer=Broken()) as client:
        with pytest.raises(KeyError) as caught:
            await client.run(one(write))
    lines = [line for line in traceback.format_exception(caught.value) if "cannot sign" in line or "invalid" in line]
    assert len(lines) >= 2
    assert SECRET not in "".join(lines)


async def test_an_answer_that_echoes_the_signature_does_not_show_it(
    new_client: Callable[..., RestClient], write: RestCall
) -> None:
    echoes: list[str] = []

    def echo(request: Any) -> HttpReply:
        echoes.append(request.headers["api-sign"])
        return answer(echoes[0])

    async with new_client(http=ScriptedHttp(echo).transport) as client:
        with pytest.raises(OutcomeUnknown) as caught:
            await client.run(one(write))
    assert echoes[0][:20] not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("key", ["pub/lic-key\n", "clé-publique-0001"])
async def test_a_key_that_cannot_be_sent_is_not_shown(
    new_client: Callable[..., RestClient],
    new_signer: New,
    write: RestCall,
    key: str,
    everything: Callable[[BaseException], str],
) -> None:
    """HTTP libraries quote the header that they refuse."""
    signer = new_signer(key)
    async with LoopbackHttp([answer({"result": 1})]) as server, new_client(server.url, signer=signer) as client:
        with pytest.raises(ExchangeError) as caught:
            await client.run(one(write))
    assert key.strip() not in everything(caught.value)


def test_a_client_shows_nothing(new_client: Callable[..., RestClient]) -> None:
    client = new_client()
    assert repr(client) == "RestClient('testex')"


async def test_a_feed_shows_neither_its_token_nor_its_key(
    new_run: New,
    new_feed: New,
    new_client: Callable[..., RestClient],
    clock: ManualClock,
    everything: Callable[[BaseException], str],
) -> None:
    """The venue sends them back in what cannot be read, and as the reason for which it closes."""

    async def echo(peer: Peer) -> None:
        await peer.send(f"bad token {TOKEN}", f"bad key {KEY}")
        await peer.close(4001, f"token {TOKEN}")

    def login() -> Flow[str]:
        return (yield RestCall(method="POST", path="/token", private=True))

    http = ScriptedHttp(answer({"result": TOKEN}))
    async with LoopbackSocket(echo) as server, new_client(http=http.transport) as rest:
        run = new_run(server.url, new_feed(login), rest, clock=clock)
        await run.until(lambda: run.runner.state.phase is FeedPhase.WAITING)
        await run.stop()
    ours = "\n".join(map(str, [*run.events, *run.states, run.runner]))
    assert MASK in ours
    logs = everything(asyncio.CancelledError())
    assert "unreadable frame 1" in logs
    # The test's own server is another party, which of course knows the token.
    ours += "\n".join(line for line in logs.splitlines() if "websockets.server" not in line)
    assert TOKEN not in ours
    assert KEY not in ours
