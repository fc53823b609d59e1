"""Orders of every kind at random, changed and ended at random: sums stay exact, and every book can be followed."""

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from exchange_core.testing.world import Socket, World
from kraken_spot.plugin import KRAKEN_SPOT

TYPES = (
    *("limit",) * 8,
    *("market",) * 3,
    "iceberg",
    "stop-loss",
    "take-profit",
    "stop-loss-limit",
    "take-profit-limit",
    "trailing-stop",
    "trailing-stop-limit",
    "settle-position",
)
ACTS = ("add",) * 12 + ("amend",) * 4 + ("edit",) * 2 + ("cancel",) * 2 + ("wait",) * 3 + ("dead", "all")


def price(random: Random) -> str:
    return str(84000 + 100 * random.randint(-8, 8))


def volume(random: Random) -> str:
    return random.choice(("0.01", "0.03", "0.05", "0.1"))


def order(random: Random) -> dict[str, str]:
    """Return an order that mostly makes sense."""
    kind, side = random.choice(TYPES), random.choice(("buy", "sell"))
    made = {"pair": "XBTUSD", "type": side, "ordertype": kind, "volume": volume(random)}
    if kind not in ("market", "settle-position"):
        made["price"] = price(random) if random.random() < 0.8 else random.choice(("#0.5%", "+100", "-1%"))
    if kind.startswith("trailing"):
        made["price"] = random.choice(("+300", "+1%"))
    if kind.endswith("-limit"):
        made["price2"] = random.choice(("+0", "-50", "+0.1%")) if kind.startswith("trailing") else price(random)
    if kind == "iceberg":
        made["displayvol"] = "0.01"
    if kind == "settle-position":
        made["volume"] = "0"
    return made | extras(random, kind)


def extras(random: Random, kind: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if random.random() < 0.25:
        found["leverage"] = random.choice(("2", "5", "10"))
    if random.random() < 0.05:
        found["reduce_only"] = "true"
    if random.random() < 0.1:
        found["stptype"] = random.choice(("cancel-newest", "cancel-oldest", "cancel-both"))
    if random.random() < 0.15:
        found["oflags"] = random.choice(("fcib", "fciq") if kind != "limit" else ("post", "fcib"))
    if random.random() < 0.15 and kind == "limit":
        found |= random.choice(({"timeinforce": "IOC"}, {"timeinforce": "FOK"}, {"expiretm": "+20"}, {"starttm": "+5"}))
    if random.random() < 0.1:
        close = random.choice(("limit", "stop-loss", "trailing-stop"))
        found |= {"close[ordertype]": close, "close[price]": "+300" if close == "trailing-stop" else price(random)}
    return found


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """What happened in all of these lives together."""
    return Counter()


@pytest.mark.parametrize("seed", range(10))
def test_a_mixed_life(client_class: Any, follower_class: Any, seen: Counter[str], seed: int) -> None:
    random = Random(seed)
    world = World(KRAKEN_SPOT, seed=seed)
    clients = [client_class(world, name) for name in ("alice", "bobby") if world.credentials(name)]
    orders, private = world.socket("/l3/v2"), world.socket("/auth/v2")
    follower = follower_class(10)
    token = clients[0].token()
    ask(orders, "level3", token, symbol=["BTC/USD"])
    ask(private, "executions", token, ratecounter=True)
    ask(private, "balances", token)
    states: dict[str, str] = {}
    for _ in range(120):
        carry_out(world, random.choice(clients), random.choice(ACTS), random)
        for text in orders.take():
            follower.take(text)
        note(states, private, seen)
    world.exchange.check_invariants()
    look(clients[0], states, private, seen)
    seen["lives"] += 1


def test_all_of_it_happened(seen: Counter[str]) -> None:
    if seen["lives"] < 10:
        pytest.skip("not all lives were lived")
    assert seen.keys() >= {
        *("pending_new", "new", "trade", "filled", "canceled", "expired", "amended", "status", "iceberg_refill"),
    }


def look(client: Any, states: dict[str, str], private: Socket, seen: Counter[str]) -> None:
    """Compare what was told with what can be asked for."""
    opened = client.do("OpenOrders", trades="true")["open"]
    note(states, private, seen)
    assert {txid for txid, state in states.items() if state == "alive"} == set(opened)
    closed = client.do("ClosedOrders", trades="true")["closed"]
    assert {row["status"] for row in closed.values()} <= {"closed", "canceled", "expired"}
    for row in (*opened.values(), *closed.values()):
        assert row["descr"]["order"]
        assert float(row["vol_exec"]) >= 0
    client.do("OpenPositions", docalcs="true")
    client.do("TradeBalance")
    client.do("TradesHistory", ledgers="true")
    for txid in list(opened)[:3]:
        client.do("OrderAmends", order_id=txid)


def ask(socket: Socket, channel: str, token: str, **params: Any) -> None:
    params = {"channel": channel, "token": token, **params}
    socket.say(json.dumps({"method": "subscribe", "params": params}))


def carry_out(world: World, client: Any, act: str, random: Random) -> None:
    opened = list(client.do("OpenOrders")["open"])
    if act == "add":
        client.post("AddOrder", **order(random))
    elif act == "wait":
        world.clock.forward(random.randint(1, 15))
        world.exchange.step()
    elif act == "dead":
        client.post("CancelAllOrdersAfter", timeout=random.choice((0, 5, 60)))
    elif act == "all" and random.random() < 0.3:
        client.post("CancelAll")
    elif opened and act == "cancel":
        client.post("CancelOrder", txid=random.choice(opened))
    elif opened and act == "amend":
        change = random.choice(
            ({"limit_price": price(random)}, {"order_qty": volume(random)}, {"trigger_price": "-1%"})
        )
        client.post("AmendOrder", txid=random.choice(opened), **change)
    elif opened and act == "edit":
        client.post("EditOrder", txid=random.choice(opened), pair="XBTUSD", price=price(random), volume=volume(random))


def note(states: dict[str, str], private: Socket, seen: Counter[str]) -> None:
    """Follow an account's orders as the channel tells of them."""
    for text in private.take():
        frame = json.loads(text)
        if frame.get("channel") != "executions":
            continue
        for row in frame["data"]:
            kind = row["exec_type"]
            seen[kind] += 1
            if kind == "pending_new":
                assert row["order_id"] not in states
            elif frame["type"] == "update":
                assert states[row["order_id"]] == "alive", (kind, "after its end")
            states[row["order_id"]] = "ended" if kind in ("filled", "canceled", "expired") else "alive"
