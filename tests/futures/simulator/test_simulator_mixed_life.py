"""A random life of two accounts: what the feeds say one by one always adds up to what REST says at once."""

import json
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from exchange_core.model.symbol import Symbol
from exchange_core.simulator.exchange import SimulatedExchange
from exchange_core.testing.clock import ManualClock

MARKETS = {"PF_XBTUSD": "BTC/USD:USD", "PI_XBTUSD": "BTC/USD:BTC"}
SIZES = {"PF_XBTUSD": ("0.01", "0.05", "0.2", "3"), "PI_XBTUSD": ("1", "500", "2000", "30000")}
STEPS = 120


class Follower:
    """Keeps what a client would know from the feeds alone."""

    def __init__(self, feed: Any, name: str) -> None:
        self.feed = feed
        self.open: dict[str, Decimal] = {}
        self.fills: dict[str, str] = {}
        self.log: list[Any] = []
        self.positions: dict[str, Decimal] = {}
        self.coins: dict[str, Decimal] = {}
        for frame in feed.follow(name, "open_orders", "fills", "account_log", "open_positions", "balances"):
            self.take(frame)

    def catch_up(self) -> None:
        for frame in self.feed.frames():
            self.take(frame)

    def take(self, frame: Any) -> None:
        match frame["feed"]:
            case "open_orders_snapshot":
                self.open = {row["order_id"]: row["qty"] for row in frame["orders"]}
            case "open_orders":
                order_id = frame.get("order_id") or frame["order"]["order_id"]
                if frame["is_cancel"]:
                    self.open.pop(order_id, None)
                else:
                    self.open[order_id] = frame["order"]["qty"]
            case "fills" | "fills_snapshot":
                for fill in frame["fills"]:
                    assert fill["fill_id"] not in self.fills
                    self.fills[fill["fill_id"]] = fill["fill_type"]
            case "account_log_snapshot":
                self.log = frame["logs"][::-1]
            case "account_log":
                self.log.append(frame["new_entry"])
            case "open_positions":
                self.positions = {row["instrument"]: row["balance"] for row in frame["positions"]}
            case "balances" | "balances_snapshot":
                self.coins |= {name: wallet["balance"] for name, wallet in frame.get("futures", {}).items()}
                currencies = frame.get("flex_futures", {}).get("currencies", {})
                self.coins |= {name: row["quantity"] for name, row in currencies.items()}


def act(random: Random, client: Any, exchange: SimulatedExchange, clock: ManualClock) -> None:
    """Do something that a trader, or the market, may do."""
    symbol = random.choice(list(MARKETS))
    price = str(84000 + random.randrange(-400, 400))
    match random.randrange(12):
        case 0 | 1 | 2 | 3:
            kind = random.choice(["lmt", "post", "ioc", "fok", "mkt"])
            limit = "" if kind == "mkt" else price
            more = {"reduceOnly": "true"} if random.random() < 0.2 else {}
            client.order(kind, random.choice(["buy", "sell"]), random.choice(SIZES[symbol]), limit, symbol, **more)
        case 4 | 5:
            terms = {"stopPrice": price} | ({"limitPrice": price} if random.random() < 0.5 else {})
            signal = random.choice(["mark", "last", "index"])
            kind, side = random.choice(["stp", "take_profit"]), random.choice(["buy", "sell"])
            size = random.choice(SIZES[symbol])
            client.order(kind, side, size, symbol=symbol, triggerSignal=signal, **terms)
        case 6:
            trail = {"trailingStopMaxDeviation": "100", "trailingStopDeviationUnit": "QUOTE_CURRENCY"}
            side = random.choice(["buy", "sell"])
            client.order("trailing_stop", side, SIZES[symbol][0], symbol=symbol, triggerSignal="mark", **trail)
        case 7 | 8:
            rows = client.get("openorders")["openOrders"]
            if rows:
                row = random.choice(rows)
                new = {"stopPrice": price} if "stopPrice" in row else {}
                new |= {"limitPrice": price} if "limitPrice" in row else {}
                client.post("editorder", orderId=row["order_id"], size=random.choice(SIZES[row["symbol"]]), **new)
        case 9:
            rows = client.get("openorders")["openOrders"]
            items = [{"order": "cancel", "order_id": row["order_id"]} for row in rows[:2]]
            if items:
                client.post("batchorder", json=json.dumps({"batchOrder": items}))
        case 10:
            move = Decimal(random.randrange(83000, 85000))
            setter = random.choice([exchange.set_mark, exchange.set_index])
            setter(Symbol.parse(MARKETS[symbol]), random.choice([move, None]))
            exchange.step()
        case 11:
            client.post("cancelallordersafter", timeout=str(random.choice([0, 30, 6000])))
            clock.forward(random.choice([1, 40, 3600]))
            exchange.step()


@pytest.mark.parametrize("seed", range(6))
def test_feeds_and_rest_agree(
    seed: int, alice: Any, bobby: Any, connect: Any, clock: ManualClock, exchange: SimulatedExchange
) -> None:
    random = Random(seed)
    followers = {client: Follower(connect(), client.keys.api_key) for client in (alice, bobby)}
    for _ in range(STEPS):
        act(random, random.choice((alice, bobby)), exchange, clock)
        exchange.check_invariants()
        for client, follower in followers.items():
            follower.catch_up()
            compare(client, follower)
    assert any(follower.fills for follower in followers.values())


def compare(client: Any, follower: Follower) -> None:
    rows = client.get("openorders")["openOrders"]
    assert follower.open == {row["order_id"]: row["unfilledSize"] for row in rows}
    kinds = {row["fill_id"]: row["fillType"] for row in client.get("fills")["fills"]}
    assert {fill_id: follower.fills[fill_id] for fill_id in kinds} == kinds
    sizes = {
        row["symbol"]: row["size"] * (1 if row["side"] == "long" else -1)
        for row in client.get("openpositions")["openPositions"]
    }
    assert follower.positions == sizes
    accounts = client.get("accounts")["accounts"]
    assert follower.coins["USD"] == accounts["flex"]["currencies"]["USD"]["quantity"]
    assert follower.coins["F-XBT:USD"] == Decimal(accounts["fi_xbtusd"]["balances"]["xbt"])
    check_log(follower.log, sizes, {"usd": follower.coins["USD"], "xbt": follower.coins["F-XBT:USD"]})


def check_log(log: list[Any], sizes: dict[str, Decimal], coins: dict[str, Decimal]) -> None:
    """Each row begins where the one before it, of the same thing, ended; the last ones are what there is."""
    assert [row["id"] for row in log] == list(range(1, len(log) + 1))
    last: dict[str, Decimal] = {}
    for row in log:
        assert row["old_balance"] == last.get(row["asset"], 0)
        last[row["asset"]] = row["new_balance"]
    assert {name: last[name] for name in coins} == coins
    held = {name.upper(): size for name, size in last.items() if "_" in name and size}
    assert held == sizes
