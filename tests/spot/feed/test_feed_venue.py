"""Live market data as users get it: real sockets, and a server that speaks the venue's words when it is told to."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from exchange_core import BookByOrder, BookHealth, ConfigError, NotSupported
from exchange_core.connector.auth import Credentials
from exchange_core.model.symbol import Symbol
from exchange_core.testing.websocket import LoopbackSocket, Peer
from exchange_core.venue.connected import ConnectedVenue
from exchange_core.venue.venue import Surroundings, open_venue
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.plugin import KRAKEN_SPOT

BTC, ETH = Symbol("BTC", "USD"), Symbol("ETH", "USD")
PAIR = {
    "cost_decimals": 5,
    "lot_decimals": 8,
    "pair_decimals": 1,
    "ordermin": "0.00005",
    "costmin": "0.5",
    "tick_size": "0.1",
    "status": "online",
    "quote": "ZUSD",
    "fees": [],
    "fees_maker": [],
}
PAIRS = {
    "XXBTZUSD": {**PAIR, "altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT"},
    "XETHZUSD": {**PAIR, "altname": "ETHUSD", "wsname": "ETH/USD", "base": "XETH"},
}


class Server:
    """Kraken Spot, as far as it is needed here.

    Attributes:
        tokens: Tokens that were handed out.
        asked: Requests that came, and on which connection.
    """

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.asked: list[tuple[Peer, dict[str, Any]]] = []
        self.socket = LoopbackSocket(self._serve)
        self._came = asyncio.Event()

    def answer(self, request: httpx.Request) -> httpx.Response:
        result: Any = {}
        name = urlsplit(str(request.url)).path.rpartition("/")[2]
        if name == "AssetPairs":
            result = PAIRS
        elif name == "GetWebSocketsToken":
            self.tokens.append(f"token-number-{len(self.tokens) + 1}-of-the-test")
            result = {"token": self.tokens[-1], "expires": 900}
        return httpx.Response(200, json={"error": [], "result": result})

    async def _serve(self, peer: Peer) -> None:
        while True:
            request = json.loads(await peer.receive())
            if request["method"] == "ping":
                continue
            self.asked.append((peer, request))
            for symbol in request["params"]["symbol"]:
                await peer.send(json.dumps(self._word(request, symbol)))
            self._came.set()

    def _word(self, request: dict[str, Any], symbol: str) -> dict[str, Any]:
        head = {"method": request["method"], "req_id": request["req_id"]}
        params = request["params"]
        echo = {name: params[name] for name in ("channel", "event_trigger", "interval") if name in params}
        return {**head, "success": True, "result": {**echo, "symbol": symbol}}

    async def requests(self, count: int) -> list[tuple[Peer, dict[str, Any]]]:
        """Wait until *count* requests came; return them all."""
        async with asyncio.timeout(10):
            while len(self.asked) < count:
                self._came.clear()
                await self._came.wait()
        return self.asked


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    async with server.socket:
        yield server


def venue(server: Server, *, keys: bool = True, quiet_after: float = 60.0) -> ConnectedVenue:
    urls = dict.fromkeys(("ws_url", "ws_auth_url", "ws_l3_url"), server.socket.url)
    config = KrakenSpotConfig(quiet_after=quiet_after, **urls)
    secret = base64.b64encode(b"secret of the test").decode()
    around = Surroundings(http=httpx.MockTransport(server.answer))
    credentials = Credentials(api_key="key-of-the-test", api_secret=secret) if keys else None
    return open_venue(KRAKEN_SPOT, config, credentials, name="kraken", surroundings=around)


def level3(kind: str, checksum: bytes, *rows: dict[str, Any], symbol: str = "BTC/USD") -> str:
    bids = ",".join(
        "{"
        + ",".join(f'"{k}":{v if k in ("limit_price", "order_qty") else json.dumps(v)}' for k, v in row.items())
        + "}"
        for row in rows
    )
    return (
        f'{{"channel":"level3","type":"{kind}","data":[{{"symbol":"{symbol}","checksum":{zlib.crc32(checksum)},'
        f'"bids":[{bids}],"asks":[]}}]}}'
    )


def order(name: str, quantity: str, second: int, **more: str) -> dict[str, Any]:
    time = f"2024-01-08T12:26:{second:02}.000000001Z"
    return {"order_id": name, "limit_price": "99.5", "order_qty": quantity, "timestamp": time, **more}


async def read(stream: Any) -> Any:
    async with asyncio.timeout(10):
        return await anext(stream)


async def test_a_book_by_order_from_its_snapshot_over_a_failure_to_health(server: Server) -> None:
    async with venue(server) as opened:
        stream = opened.books_by_order("BTC/USD")
        reading = asyncio.ensure_future(read(stream))
        ((peer, request),) = await server.requests(1)
        assert request["params"]["depth"] == 10
        await peer.send(level3("snapshot", b"995100000000", order("A", "1.00000000", 1)))
        book = await reading
        assert isinstance(book, BookByOrder)
        assert opened.live_book_by_order(BTC) is book
        assert opened.live_book_by_order(ETH) is None
        assert opened.live_book(BTC) is None, "that is another book"
        assert [o.order_id for o in book.bid_queues()[0].orders] == ["A"]
        assert opened.health().books_by_order[BTC].health is BookHealth.LIVE
        assert BTC not in opened.health().books

        await peer.send(level3("update", b"wrong", order("B", "2.00000000", 2, event="add")))
        assert (await read(stream)).health is BookHealth.DESYNCED
        await server.requests(3)
        both = order("A", "1.00000000", 1), order("B", "2.00000000", 2)
        await peer.send(level3("snapshot", b"995100000000995200000000", *both))
        assert (await read(stream)).health is BookHealth.LIVE
        assert [o.order_id for o in book.bid_queues()[0].orders] == ["A", "B"]

        peer.abort()
        assert (await read(stream)).health is BookHealth.STALE
        assert book.bid_queues() == []


async def test_one_token_a_connection_however_many_books(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with venue(server) as opened:
        streams = [opened.books_by_order(symbol) for symbol in (BTC, ETH)]
        streams.append(opened.books_by_order(BTC, depth=10))
        ((peer, request),) = await server.requests(1)
        assert request["params"]["symbol"] == ["BTC/USD", "ETH/USD"]
        assert [request["params"]["token"]] == server.tokens
        feed = opened.health().feeds["level3"]
        assert (feed.state, feed.subscriptions, feed.is_account) == ("open", 2, False)
        peer.abort()
        (_, again) = (await server.requests(2))[1]
        assert again["params"]["token"] == server.tokens[1] != server.tokens[0]
        assert len(server.tokens) == 2
        for stream in streams:
            stream.close()
    assert "of-the-test" not in caplog.text


async def test_it_needs_an_account(server: Server) -> None:
    async with venue(server, keys=False) as opened:
        with pytest.raises(ConfigError, match="live book_by_order needs credentials"):
            opened.books_by_order(BTC)
        assert not server.socket.peers


async def test_depths_of_books_by_order(server: Server) -> None:
    async with venue(server) as opened:
        stream = opened.books_by_order(BTC, depth=25)
        ((_, request),) = await server.requests(1)
        assert request["params"]["depth"] == 100, "the next more"
        with pytest.raises(NotSupported, match="no book of depth 1001; depths are 10, 100, 1000"):
            opened.books_by_order(ETH, depth=1001)
        with pytest.raises(NotSupported, match="followed at depth 100 already"):
            opened.books_by_order(BTC, depth=1000)
        stream.close()


async def test_a_ticker_by_a_chosen_trigger(server: Server) -> None:
    async with venue(server) as opened:
        stream = opened.tickers(BTC, trigger="trades")
        reading = asyncio.ensure_future(read(stream))
        ((peer, request),) = await server.requests(1)
        assert request["params"]["event_trigger"] == "trades"
        data = {"symbol": "BTC/USD", "bid": 1, "ask": 2, "last": 1}
        await peer.send(json.dumps({"channel": "ticker", "type": "snapshot", "data": [data]}))
        assert (await reading).last == 1
        shared = opened.tickers(BTC)
        with pytest.raises(NotSupported, match="followed by trades already; for bbo end that first"):
            opened.tickers(BTC, trigger="bbo")
        with pytest.raises(NotSupported, match="no ticker by mood; bbo and trades are to choose"):
            opened.tickers(BTC, trigger="mood")
        shared.close()
        stream.close()


async def test_what_cannot_be_had_takes_nothing_else_along(server: Server) -> None:
    """All that is wanted in one turn goes into one call; one bad interval in it is its own reader's alone."""
    async with venue(server) as opened:
        good, bad = opened.candle_updates(BTC, 5), opened.candle_updates(BTC, 7)
        reading = asyncio.ensure_future(read(good))
        with pytest.raises(NotSupported, match="interval: 7 is none of"):
            await read(bad)
        ((peer, request),) = await server.requests(1)
        assert request["params"]["interval"] == 5
        bar = {
            **dict.fromkeys(("open", "high", "low", "close", "volume"), 1),
            "symbol": "BTC/USD",
            "interval": 5,
            "interval_begin": "2024-05-17T11:10:00.000000000Z",
        }
        await peer.send(json.dumps({"channel": "ohlc", "type": "snapshot", "data": [bar]}))
        assert (await reading).interval == 5
        good.close()


async def test_a_hole_in_the_trades_shows_in_the_health(server: Server) -> None:
    async with venue(server) as opened:
        stream = opened.trades(BTC)
        reading = asyncio.ensure_future(read(stream))
        ((peer, _),) = await server.requests(1)
        trade = {"symbol": "BTC/USD", "side": "buy", "price": 1, "qty": 1, "timestamp": "2024-05-27T12:43:11.798009Z"}
        for number in (1, 9):
            data = [{**trade, "trade_id": number}]
            await peer.send(json.dumps({"channel": "trade", "type": "update", "data": data}))
        assert (await reading).id == "1"
        assert (await read(stream)).id == "9"
        assert opened.health().feeds["public"].gaps == 1
        stream.close()


async def test_a_silence_shows_in_the_health(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    async with venue(server, quiet_after=0.1) as opened:
        stream = opened.tickers(BTC)
        reading = asyncio.ensure_future(read(stream))
        ((peer, _),) = await server.requests(1)
        for bid, requests in ((1, 3), (2, 3)):
            data = [{"symbol": "BTC/USD", "bid": bid, "ask": 3}]
            await peer.send(json.dumps({"channel": "ticker", "type": "snapshot", "data": data}))
            assert (await reading).bid == bid
            reading = asyncio.ensure_future(read(stream))
            await server.requests(requests)
        assert opened.health().feeds["public"].silent == 1
        assert "was silent: the bid was 1, and is 2" in caplog.text
        reading.cancel()
        stream.close()
