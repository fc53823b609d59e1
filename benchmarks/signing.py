"""What writing, signing and reading one order of Kraken Spot costs, without a network.

Against the least that anyone must do: the two hashes over a body that lies ready, and a typed msgspec decode of the
answer. The second figure has all that the plugin does with an order: its parameters, and the answer as an order.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from benchmarks.timing import Figure, cpu_in_turn, figure
from exchange_core.connector.auth import Credentials
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.model.instrument import Instrument
from exchange_core.model.order import Order, OrderRequest
from exchange_core.model.symbol import Symbol
from exchange_core.plugins import load_plugins

ORDERS = 5_000
ROUNDS = 9
TARGET = 3.0

PATH = "/0/private/AddOrder"
SECRET = base64.b64encode(b"secret of a benchmark" * 3).decode()
DEADLINE = datetime(2026, 10, 9, 0, 34, 21, 904206, UTC)
ID = "OUF4EM-FRGI2-MQMWZD"
TEXT = "buy 0.01000000 XBTUSD @ limit 50000.0"
ANSWER = f'{{"error":[],"result":{{"descr":{{"order":"{TEXT}"}},"txid":["{ID}"]}}}}'.encode()


class _Result(msgspec.Struct):
    txid: list[str]


class _Answer(msgspec.Struct):
    error: list[str]
    result: _Result


class Desk:
    """The parts of the plugin that an order passes."""

    def __init__(self) -> None:
        spec = load_plugins().venue("kraken_spot")
        config = spec.config(order_entry="rest")
        self.symbol = Symbol.parse("BTC/USD")
        symbols = SymbolMap("kraken_spot")
        symbols.add(
            Instrument(
                symbol=self.symbol,
                venue_id="XBTUSD",
                tick_size=Decimal("0.1"),
                lot_size=Decimal("0.00000001"),
                min_quantity=Decimal("0.00005"),
            )
        )
        self.signer = spec.signer(Credentials(api_key="key-of-a-benchmark", api_secret=SECRET), config)
        context = VenueContext(
            venue="kraken_spot",
            config=config,
            symbols=symbols,
            assets=AssetMap("kraken_spot"),
            signer=self.signer,
            now=lambda: DEADLINE - timedelta(seconds=5),
        )
        self.operations = spec.rest(context)
        self.dialect = spec.dialect(context)
        self.reply = HttpReply(200, {}, ANSWER)
        self.order = OrderRequest(
            symbol=self.symbol,
            side="buy",  # type: ignore[arg-type]
            quantity="0.01",  # type: ignore[arg-type]
            price="50000",  # type: ignore[arg-type]
            client_order_id="6d1b345e-2821-40e2-ad83-4ecb18a06876",
            deadline=DEADLINE,
        )
        self.call: RestCall = next(self.operations.place(self.order))

    def exchange(self, call: RestCall, nonce: int) -> object:
        self.signer.sign(call, nonce)
        return self.dialect.decode(call, self.reply)

    def place(self, nonce: int) -> Order:
        flow = self.operations.place(self.order)
        try:
            flow.send(self.exchange(next(flow), nonce))
        except StopIteration as done:
            order: Order = done.value
            return order
        raise AssertionError("an order takes one call")


def measure(orders: int = ORDERS, rounds: int = ROUNDS) -> Iterator[Figure]:
    desk = Desk()
    request = desk.signer.sign(desk.call, 1_800_000_000_000_000_000)
    body, path, key = request.body, PATH.encode(), base64.b64decode(SECRET)
    decode = msgspec.json.Decoder(_Answer).decode
    inner = hashlib.sha256(b"1800000000000000000" + body).digest()
    signature = base64.b64encode(hmac.digest(key, path + inner, "sha512")).decode()
    assert request.headers["API-Sign"] == signature, "the floor signs something else"
    assert desk.place(1).venue_order_id == ID

    def bare() -> None:
        for _ in range(orders):
            hmac.digest(key, path + hashlib.sha256(body).digest(), "sha512")
            decode(ANSWER)

    def exchange() -> None:
        for nonce in range(orders):
            desk.exchange(desk.call, nonce)

    def place() -> None:
        for nonce in range(orders):
            desk.place(nonce)

    times = cpu_in_turn({"exchange": exchange, "place": place, "bare": bare}, rounds)
    for name, what, target in (
        ("exchange", "spot AddOrder: write, sign, read / bare hashes and decode", TARGET),
        ("place", "spot AddOrder: from the request to the order / the same", None),
    ):
        pairs = list(zip(times[name], times["bare"], strict=True))
        yield figure(what, pairs, scale=1e6 / orders, unit="us", target=target)
