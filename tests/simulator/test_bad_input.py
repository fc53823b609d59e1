"""Bad input of any kind, on the sockets of both simulated venues: an answer or an end comes, and others are served."""

import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from exchange_core.testing.simulated import SimulatedVenue, simulated_venue

WITHIN = 5.0
SOUND = {"kraken_spot": "/0/public/Time", "kraken_futures": "/derivatives/api/v3/instruments"}
CALLS = {
    "kraken_spot": ["/0/public/Depth?pair=XBTUSD", "/0/private/AddOrder"],
    "kraken_futures": ["/derivatives/api/v3/orderbook?symbol=PF_XBTUSD", "/derivatives/api/v3/sendorder"],
}

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=sorted(SOUND))
def venue(request: pytest.FixtureRequest) -> Iterator[SimulatedVenue]:
    with simulated_venue(request.param, seed=1) as venue:
        yield venue


@pytest.fixture(autouse=True)
def unharmed(venue: SimulatedVenue, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Afterwards the venue still answers, its sums agree, and it found no bug in itself."""
    yield
    assert httpx.get(venue.urls["rest_url"] + SOUND[name_of(venue)]).status_code == 200
    with connect(venue.urls["ws_url"], proxy=None) as one:
        assert one.recv(WITHIN)
    venue.exchange.check_invariants()
    assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def name_of(venue: SimulatedVenue) -> str:
    return "kraken_spot" if venue.spec.section == "spot" else "kraken_futures"


def talk(url: str, *parts: bytes) -> bytes:
    """Send *parts*, end our side, and return all that comes back."""
    address = urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    found = b""
    with closing(socket.create_connection((address.hostname, address.port), WITHIN)) as line:
        try:
            for part in parts:
                line.sendall(part)
            line.shutdown(socket.SHUT_WR)
            while more := line.recv(1 << 16):
                found += more
        except TimeoutError:
            raise
        except OSError:
            pass  # it ended first
    return found


# ── HTTP ──

LINES = st.sampled_from([b"GET", b"POST", b"PUT", b"", b"\x00", b"get", b"PRI * HTTP/2.0"])
TARGETS = st.sampled_from(["/", "*", "//", "/%", "/0/private/AddOrder", "/?" + "a=b&" * 2000, "http://[::1]:99999/"])
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [b"Host", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"Expect", b"API-Key", b":"]
        ),
        st.sampled_from(
            [b"", b"x", b"-1", b"5", b"9" * 30, b"chunked", b"gzip, chunked", b"close", b"websocket", b"100-continue"]
        )
        | st.binary(max_size=20)
        | st.integers(1, 9).map(lambda size: b"h" * 10_000 * size),
    ),
    max_size=5,
)
BODIES = st.binary(max_size=40) | st.sampled_from(
    [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"5;ext=\x00\r\nhello\r\n",
        b"ffffffffffffffffffff\r\nhello",
        b"5\r\nhelloworld\r\n0\r\n\r\n",
        b"0\r\ntrailer: x\r\n\r\n",
        b"nonce=1&pair=%ff%fe&price=%",
    ]
)


@FUZZ
@given(method=LINES, target=TARGETS, headers=HEADERS, body=BODIES, proper=st.booleans())
def test_requests_that_are_none(
    venue: SimulatedVenue, method: bytes, target: str, headers: list[tuple[bytes, bytes]], body: bytes, proper: bool
) -> None:
    head = [method + b" " + target.encode() + b" HTTP/1.1", *([b"Host: here"] if proper else [])]
    head += [name + b": " + value for name, value in headers]
    answer = talk(venue.urls["rest_url"], b"\r\n".join([*head, b"", b""]), body)
    assert not answer or answer.startswith(b"HTTP/1.1 ")


@FUZZ
@given(data=st.data(), which=st.integers(0, 1))
def test_requests_that_end_in_the_middle_or_are_damaged(venue: SimulatedVenue, data: st.DataObject, which: int) -> None:
    target = CALLS[name_of(venue)][which]
    form = b"nonce=1&pair=XBTUSD&volume=1"
    head = f"POST {target} HTTP/1.1\r\nHost: here\r\nAPI-Key: {venue.api_key}\r\nContent-Length: {len(form)}\r\n\r\n"
    whole = bytearray(head.encode() + form)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    answer = talk(venue.urls["rest_url"], bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    assert not answer or answer.startswith(b"HTTP/1.1 ")


@FUZZ
@given(garbage=st.binary(max_size=200))
def test_bytes_that_mean_nothing(venue: SimulatedVenue, garbage: bytes) -> None:
    talk(venue.urls["rest_url"], garbage)


# ── WebSocket frames ──


def handshake(venue: SimulatedVenue) -> bytes:
    lines = [f"GET {urlsplit(venue.urls['ws_url']).path} HTTP/1.1", "Host: here", "Connection: Upgrade"]
    lines += ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
    return "\r\n".join([*lines, "", ""]).encode()


PAYLOADS = st.binary(max_size=300) | st.sampled_from(
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"method":"ping"}',
        b'{"event":"subscribe","feed":"book","product_ids":["PF_XBTUSD"]}',
        b'{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"]}}',
        b"\xff\xfe{}",
        b'{"method":"\xed\xa0\x80"}',
        b'"' + b"x" * 70_000,
        b"1e" + b"9" * 400,
    ]
)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Draw a frame that is right, or lies about its kind, its mask or its size."""
    payload = draw(PAYLOADS)
    if draw(st.booleans()):
        kind = draw(st.sampled_from([Opcode.TEXT, Opcode.TEXT, Opcode.BINARY, Opcode.CONT]))
        return Frame(kind, payload, fin=draw(st.booleans())).serialize(mask=True)
    size = draw(st.sampled_from([len(payload), 0, 125, 126, 127, 2**16, 2**31, 2**63]))
    first, masked = draw(st.integers(0, 255)), draw(st.sampled_from([0, 0x80]))
    if size < 126:
        head = bytes([first, masked | size])
    elif size < 2**16:
        head = bytes([first, masked | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, masked | 127]) + size.to_bytes(8, "big")
    return head + payload


@FUZZ
@given(sent=st.lists(frames(), max_size=4))
def test_frames_of_any_kind(venue: SimulatedVenue, sent: list[bytes]) -> None:
    assert talk(venue.urls["ws_url"], handshake(venue), *sent).startswith(b"HTTP/1.1 101 ")
