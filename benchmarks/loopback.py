"""Canned venues in a process of their own, so that only what a client spends is measured.

They know as much of the venues' protocols as one run needs: an instrument list, acknowledged subscriptions, orders
that are always taken, and book frames sent as fast as the client takes them. Nothing is checked.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, apply_mask

from benchmarks.frames import PRODUCT, SYMBOLS, Stream, book_stream
from benchmarks.timing import leave

ROOT = Path(__file__).parents[1]
QUIET = 0.1
"""Seconds between the snapshots and the blast, in which a client can start its clock."""

Script = Callable[[ServerConnection], Awaitable[None]]
Answer = Callable[[], bytes]


@contextmanager
def served(what: str, *options: object) -> Iterator[dict[str, Any]]:
    """Run ``spot``, ``spot_account`` or ``futures``; yield its addresses as a venue's options."""
    command = [sys.executable, "-m", "benchmarks.loopback", what, *map(str, options)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(command)} did not start")
        yield json.loads(line)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# Kraken Spot.

_PAIRS = {
    "BTC/USD": ("XXBTZUSD", "XXBT", "XBT"),
    "ETH/USD": ("XETHZUSD", "XETH", "ETH"),
    "DOGE/USD": ("XDGUSD", "XXDG", "XDG"),
}


_txids = map("OUF4EM-FRGI2-{:06}".format, count())


def spot_answers() -> dict[str, Answer]:
    assets: dict[str, Any] = {base: {"altname": alt, "decimals": 10} for _, base, alt in _PAIRS.values()}
    assets["ZUSD"] = {"altname": "USD", "decimals": 4}
    pairs = {
        key: {
            "altname": f"{alt}USD",
            "wsname": f"{alt}/USD",
            "base": base,
            "quote": "ZUSD",
            "pair_decimals": SYMBOLS[name][0],
            "lot_decimals": SYMBOLS[name][1],
            "ordermin": "0.0001",
        }
        for name, (key, base, alt) in _PAIRS.items()
    }

    def taken() -> bytes:
        text = "buy 0.01000000 XBTUSD @ limit 50000.0"
        return json.dumps({"error": [], "result": {"descr": {"order": text}, "txid": [next(_txids)]}}).encode()

    results: dict[str, Any] = {
        "public/Assets": assets,
        "public/AssetPairs": pairs,
        "private/GetWebSocketsToken": {"token": "token of a benchmark", "expires": 900},
        "private/OpenOrders": {"open": {}},
        "private/TradesHistory": {"trades": {}, "count": 0},
    }
    answers = {f"/0/{name}": _always({"error": [], "result": result}) for name, result in results.items()}
    return answers | {"/0/private/AddOrder": taken}


def spot_script(stream: Stream, depth: int) -> Script:
    """Acknowledge the books, send a snapshot of each, and when all are asked for, all updates in one go."""
    blast = b"".join(map(in_envelope, stream.updates))
    snapshots = dict(zip(SYMBOLS, stream.snapshots, strict=True))

    async def script(connection: ServerConnection) -> None:
        missing = set(SYMBOLS)
        while missing:
            request = json.loads(await connection.recv())
            for name in request.get("params", {}).get("symbol", ()):
                about = {"channel": "book", "symbol": name, "depth": depth, "snapshot": True}
                answer = {"method": "subscribe", "success": True, "result": about, "req_id": request["req_id"]}
                await connection.send(json.dumps(answer))
                await connection.send(snapshots[name], text=True)
                missing.discard(name)
        await asyncio.sleep(QUIET)
        connection.transport.write(blast)
        await connection.wait_closed()

    return script


_ECHOED = (re.compile(rb'"cl_ord_id": ?"([^"]*)"').search, re.compile(rb'"req_id": ?(\d+)').search)


class SpotAccount(ServerConnection):
    """Takes orders where their bytes come, as :class:`_Http` does, and leaves all else to the script."""

    def data_received(self, data: bytes) -> None:
        text = whole_frame(data)
        if b'"add_order"' in text:
            self._take(text)
        else:
            super().data_received(data)

    def process_event(self, event: Any) -> None:
        # One that came together with another frame.
        if isinstance(event, Frame) and b'"add_order"' in bytes(event.data):
            self._take(bytes(event.data))
        else:
            super().process_event(event)

    def _take(self, text: bytes) -> None:
        # No more of it is read than of an order that comes over HTTP: what it must be answered with.
        named, number = (find(text) for find in _ECHOED)
        assert named is not None
        assert number is not None
        result = {"order_id": next(_txids), "cl_ord_id": named[1].decode()}
        answer = {"method": "add_order", "req_id": int(number[1]), "result": result, "success": True}
        self.transport.write(in_envelope(json.dumps(answer).encode()))


def whole_frame(data: bytes) -> bytes:
    """Return the text of *data* where it is one frame of a client, with nothing missing and nothing behind it."""
    start = 8 if len(data) > 1 and data[1] == 0xFE else 6
    size = int.from_bytes(data[2:4]) if start == 8 else len(data[1:2]) and data[1] & 0x7F
    if data[:1] != b"\x81" or len(data) != start + size:
        return b""
    return apply_mask(data[start:], data[start - 4 : start])


async def spot_account_script(connection: ServerConnection) -> None:
    """Acknowledge whatever is asked for; nothing happens in the account but orders."""
    while True:
        request = json.loads(await connection.recv())
        if request["method"] != "subscribe":
            continue
        channel = request["params"]["channel"]
        answer = {"method": "subscribe", "success": True, "result": {"channel": channel}, "req_id": request["req_id"]}
        await connection.send(json.dumps(answer))
        await connection.send(json.dumps({"channel": channel, "type": "snapshot", "data": [], "sequence": 1}))


# Kraken Futures.


def futures_answers() -> dict[str, Answer]:
    contract = {
        "symbol": PRODUCT,
        "type": "flexible_futures",
        "tickSize": 1,
        "contractSize": 1,
        "tradeable": True,
        "contractValueTradePrecision": 4,
        "base": "BTC",
        "quote": "USD",
        "pair": "BTC:USD",
    }
    orders = iter(range(sys.maxsize))

    def taken() -> bytes:
        status: dict[str, Any] = {"order_id": f"179f9af8-e45e-469d-b3e9-{next(orders):012x}", "status": "placed"}
        status |= {"receivedTime": "2026-09-05T16:33:50.734Z", "orderEvents": []}
        return json.dumps({"result": "success", "sendStatus": status, "serverTime": _now()}).encode()

    def tickers() -> bytes:
        return json.dumps({"result": "success", "tickers": [], "serverTime": _now()}).encode()

    path = "/derivatives/api/v3/"
    return {
        f"{path}instruments": _always({"result": "success", "instruments": [contract]}),
        f"{path}tickers": tickers,
        f"{path}openorders": _always({"result": "success", "openOrders": []}),
        f"{path}fills": _always({"result": "success", "fills": []}),
        f"{path}sendorder": taken,
    }


async def futures_script(connection: ServerConnection) -> None:
    """Acknowledge whatever is asked for; nothing happens in the account."""
    snapshots = {"open_orders_verbose": "orders", "fills": "fills"}
    while True:
        request = json.loads(await connection.recv())
        event, feed = request["event"], request.get("feed")
        if event == "challenge":
            await connection.send(json.dumps({"event": "challenge", "message": "226aee50-88fc-4618-a42a-34f7709570b2"}))
        elif event == "subscribe":
            await connection.send(json.dumps({"event": "subscribed", "feed": feed}))
            if feed in snapshots:
                await connection.send(json.dumps({"feed": f"{feed}_snapshot", "account": "a", snapshots[feed]: []}))


# Serving.


class _Http(asyncio.Protocol):
    """Answers requests of one connection, each as its path says."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        _, mark, rest = head.lower().partition(b"content-length:")
        length = int(rest.split(b"\r\n", 1)[0]) if mark else 0
        if len(body) < length:
            return
        self._buffer = body[length:]
        path = head.split(b" ", 2)[1].partition(b"?")[0].decode()
        reply = self._answers[path]() if path in self._answers else b""
        status = b"200 OK" if reply else b"404 Not Found"
        self._transport.write(
            b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (status, len(reply), reply)
        )


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _always(answer: object) -> Answer:
    body = json.dumps(answer).encode()
    return lambda: body


def in_envelope(message: bytes) -> bytes:
    """Return *message* as a text frame from a server."""
    size = len(message)
    if size < 126:
        return bytes([0x81, size]) + message
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + message
    return b"\x81\x7f" + size.to_bytes(8, "big") + message


async def main(what: str, *options: str) -> None:
    leave()
    if what == "spot":
        depth, messages = map(int, options)
        answers, script = spot_answers(), spot_script(book_stream(messages, depth), depth)
    elif what == "spot_account":
        answers, script = spot_answers(), spot_account_script
    else:
        answers, script = futures_answers(), futures_script

    async def handle(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await script(connection)

    http = await asyncio.get_running_loop().create_server(lambda: _Http(answers), "127.0.0.1", 0)
    kind = SpotAccount if what == "spot_account" else ServerConnection
    async with serve(handle, "127.0.0.1", 0, compression=None, ping_interval=None, create_connection=kind) as sockets:
        rest_port, ws_port = (server.sockets[0].getsockname()[1] for server in (http, sockets))
        addresses = {"rest_url": f"http://127.0.0.1:{rest_port}", "ws_url": f"ws://127.0.0.1:{ws_port}"}
        if what == "spot_account":
            addresses["ws_auth_url"] = addresses["ws_url"]
        print(json.dumps(addresses), flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
