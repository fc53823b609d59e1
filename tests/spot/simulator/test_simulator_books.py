"""The simulated book channel: windows, digits, and checksums that a client can verify."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange_core.connector.simulation import SimRefused, SimRequest
from exchange_core.model.market import Level
from exchange_core.model.order import OrderType
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from kraken_spot.simulator import SIMULATOR
from kraken_spot.simulator.feed.books import WireBook
from kraken_spot.simulator.protocol import KrakenSpot


class Mirror:
    """A client's book, kept by the documented rules from the text of the frames alone."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: dict[str, dict[Decimal, tuple[str, str]]] = {"bids": {}, "asks": {}}

    def take(self, text: str) -> None:
        """Apply a frame and verify its checksum."""
        data = json.loads(text, parse_float=str)["data"][0]
        if '"snapshot"' in text:
            self.sides = {"bids": {}, "asks": {}}
        for name, side in self.sides.items():
            for row in data[name]:
                price = Decimal(row["price"])
                if Decimal(row["qty"]):
                    side[price] = (row["price"], row["qty"])
                else:
                    side.pop(price, None)
            for price in sorted(side, reverse=name == "bids")[self.depth :]:
                del side[price]
        assert data["checksum"] == self.checksum()

    def checksum(self) -> int:
        levels = [self.sides["asks"][price] for price in sorted(self.sides["asks"])[:10]]
        levels += [self.sides["bids"][price] for price in sorted(self.sides["bids"], reverse=True)[:10]]
        digits = "".join(number.replace(".", "").lstrip("0") for level in levels for number in level)
        return crc32(digits.encode())

    def levels(self, name: str) -> list[Level]:
        return [
            Level(price, Decimal(quantity))
            for price, (_, quantity) in sorted(self.sides[name].items(), reverse=name == "bids")
        ]


BTC_USD = Symbol("BTC", "USD")


def _act(exchange: SimulatedExchange, number: int, buy: bool, offset: int, size: int, what: str) -> None:
    """Let one of two traders do something; refusals are part of life."""
    account = ("one", "two")[number % 2]
    side = Side.BUY if buy else Side.SELL
    open_orders = exchange.open_orders(account)
    if what == "cancel" and open_orders:
        exchange.cancel(account, open_orders[(offset + size) % len(open_orders)].id)
        return
    price = None if what == "market" else Decimal(84000) + Decimal(offset) / 2
    request = SimRequest(
        symbol=BTC_USD,
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=Decimal(size) / 100,
        price=price,
    )
    with suppress(SimRefused):
        exchange.place(account, request)


class TestBooks:
    def test_numbers_have_fixed_decimals(self, public: Any, alice: Any, limit: Any) -> None:
        limit(alice, "buy", "0.5", "80000")
        public.send("subscribe", channel="book", symbol=["BTC/USD"])
        txid = limit(alice, "buy", "0.1", "70000.5")
        alice.do("CancelOrder", txid=txid)
        added, removed = public.take()
        assert '"bids":[{"price":70000.5,"qty":0.10000000}],"asks":[]' in added
        assert '"bids":[{"price":70000.5,"qty":0.00000000}],"asks":[]' in removed

    def test_frames_have_the_keys_of_recorded_ones(self, public: Any, alice: Any, limit: Any, captures: Any) -> None:
        recorded = (captures / "spot/ws/book_btcusd_d10_2026-10.jsonl").read_text().splitlines()
        _, snapshot = public.send("subscribe", channel="book", symbol=["BTC/USD"])
        limit(alice, "buy", "0.1", "80000")
        for ours, line in zip((snapshot, *public.frames()), recorded[:2], strict=True):
            theirs = json.loads(line)
            assert list(ours) == list(theirs)
            assert list(ours["data"][0]) == list(theirs["data"][0])

    def test_an_empty_book_has_checksum_0(self, public: Any) -> None:
        _, snapshot = public.send("subscribe", channel="book", symbol=["BTC/USD"])
        data = snapshot["data"][0]
        assert (data["bids"], data["asks"], data["checksum"]) == ([], [], 0)

    @pytest.mark.parametrize(
        ("levels", "expected"),
        [
            pytest.param(
                (
                    "45283.5 0.10000000,45283.4 1.54582015,45282.1 0.10000000,45281.0 0.10000000,45280.3 1.54592586,"
                    "45279.0 0.07990000,45277.6 0.03310103,45277.5 0.30000000,45277.3 1.54602737,45276.6 0.15445238",
                    "45285.2 0.00100000,45286.4 1.54571953,45286.6 1.54571109,45289.6 1.54560911,45290.2 0.15890660,"
                    "45291.8 1.54553491,45294.7 0.04454749,45296.1 0.35380000,45297.5 0.09945542,45299.5 0.18772827",
                ),
                3310070434,
                id="the venue's worked example",
            ),
            pytest.param(("", "45285.2 1.5"), crc32(b"452852150000000"), id="one level"),
        ],
    )
    def test_checksum(self, protocol: KrakenSpot, levels: tuple[str, str], expected: int) -> None:
        bids, asks = ([Level(*map(Decimal, row.split())) for row in side.split(",") if row] for side in levels)
        pair = protocol._venue.names.pair("XBTUSD")
        assert WireBook(pair, bids, asks).checksum() == expected

    def test_a_level_pushed_out_is_not_deleted_and_comes_back_when_one_goes(
        self, public: Any, alice: Any, limit: Any
    ) -> None:
        orders = [limit(alice, "buy", "0.001", f"{80000 - number}") for number in range(10)]
        public.send("subscribe", channel="book", symbol=["BTC/USD"], depth=10)
        best = limit(alice, "buy", "0.001", "80001")
        [pushed] = public.frames()
        assert [str(row["price"]) for row in pushed["data"][0]["bids"]] == ["80001.0"]
        assert limit(alice, "buy", "0.001", "79000")  # out of sight
        assert public.frames() == []
        alice.do("CancelOrder", txid=best)
        [returned] = public.frames()
        assert [(f"{row['price']:f}", f"{row['qty']:f}") for row in returned["data"][0]["bids"]] == [
            ("80001.0", "0.00000000"),
            ("79991.0", "0.00100000"),
        ]
        alice.do("CancelOrder", txid=orders[0])
        [moved] = public.frames()
        assert [str(row["price"]) for row in moved["data"][0]["bids"]] == ["80000.0", "79000.0"]

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        steps=st.lists(
            st.tuples(
                st.booleans(), st.integers(-30, 30), st.integers(1, 3), st.sampled_from(["add", "cancel", "market"])
            ),
            min_size=20,
            max_size=80,
        )
    )
    def test_clients_of_every_depth_have_the_exchanges_book_after_every_frame(
        self, steps: list[tuple[bool, int, int, str]], clock: Any
    ) -> None:
        exchange = SimulatedExchange(SIMULATOR, seed=1, clock=clock)
        for name in ("one", "two"):
            exchange.add_account(name, dict.fromkeys(("USD", "BTC"), Decimal(10**9)))
        protocol = KrakenSpot(exchange)
        clients = []
        for depth in (10, 25, 1000):
            session = protocol.session("/v2")
            assert session is not None
            session.receive(
                json.dumps(
                    {"method": "subscribe", "params": {"channel": "book", "symbol": ["BTC/USD"], "depth": depth}}
                ),
                0.0,
            )
            clients.append((session, Mirror(depth)))
        for number, (buy, offset, size, what) in enumerate(steps):
            _act(exchange, number, buy, offset, size, what)
            for session, mirror in clients:
                for frame in session.outbox:
                    if '"channel":"book","type"' in frame:
                        mirror.take(frame)
                session.outbox.clear()
        for _, mirror in clients:
            bids, asks = exchange.book(BTC_USD, mirror.depth)
            assert (mirror.levels("bids"), mirror.levels("asks")) == (bids, asks)
