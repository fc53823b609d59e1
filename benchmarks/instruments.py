"""What taking in the instrument list of Kraken Spot costs: 1,450 pairs and 850 assets, from bytes to our tables.

Against a msgspec decode of the same bytes to dicts, which is the least for whoever looks at all of them. The lists are
made up, with the fields, the order of fields and the lengths of the venue's; a tenth of the pairs have the old names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from string import ascii_uppercase
from typing import Any

import msgspec

from benchmarks.timing import Figure, cpu_in_turn, figure
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import HttpReply
from exchange_core.connector.spec import VenueContext
from exchange_core.plugins import load_plugins

PAIRS, ASSETS = 1450, 850
ROUNDS = 9
TARGET = 6.0

QUOTES = ("ZUSD", "ZEUR", "USDT", "USDC", "ZGBP", "XXBT")
ALTNAMES = {"ZUSD": "USD", "ZEUR": "EUR", "ZGBP": "GBP", "XXBT": "XBT", "XXDG": "XDG", "XETH": "ETH"}


def names(count: int) -> list[str]:
    random = Random(1)
    found = [*ALTNAMES, "USDT", "USDC"]
    taken = set(found) | set(ALTNAMES.values())
    while len(found) < count:
        name = "".join(random.choices(ascii_uppercase, k=random.randint(3, 6)))
        if name not in taken:
            taken.add(name)
            found.append(name)
    return found


def asset(number: int, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"aclass": "currency", "altname": ALTNAMES.get(name, name), "decimals": 10}
    entry |= {"display_decimals": 5, "collateral_value": 0.99, "status": "enabled"}
    return entry | ({"margin_rate": "0.02"} if number < 120 else {})


def pair(number: int, base: str, quote: str) -> tuple[str, dict[str, Any]]:
    ours, theirs = ALTNAMES.get(base, base), ALTNAMES.get(quote, quote)
    prices = 1 + number % 8
    leverage = [2, 3, 4, 5] if number < 300 else []
    return base + quote if base in ALTNAMES else ours + theirs, {
        "altname": ours + theirs,
        "wsname": f"{ours}/{theirs}",
        "aclass_base": "currency",
        "base": base,
        "aclass_quote": "currency",
        "quote": quote,
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": prices,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": leverage,
        "leverage_sell": leverage,
        "fees": [],
        "fees_maker": [],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": f"{number % 97 + 1}.5",
        "costmin": "0.5",
        "tick_size": f"0.{1:0{prices}}",
        "status": "online",
        "execution_venue": "international",
        "long_position_limit": 350,
        "short_position_limit": 250,
    }


def answers(pairs: int = PAIRS, assets: int = ASSETS) -> tuple[bytes, bytes]:
    """Return the answers to AssetPairs and Assets."""
    listed = names(assets)
    wanted = ((base, quote) for quote in QUOTES for base in listed if base != quote)
    entries = dict(pair(number, *each) for number, each in zip(range(pairs), wanted, strict=False))
    known = {name: asset(number, name) for number, name in enumerate(listed)}
    return tuple(
        json.dumps({"error": [], "result": result}, separators=(",", ":")).encode() for result in (entries, known)
    )  # type: ignore[return-value]


def measure(rounds: int = ROUNDS) -> Iterator[Figure]:
    spec = load_plugins().venue("kraken_spot")
    by_path = dict(zip(("/0/public/AssetPairs", "/0/public/Assets"), answers(), strict=True))

    def load() -> SymbolMap:
        context = VenueContext(
            venue="kraken_spot",
            config=spec.config(),
            symbols=SymbolMap("kraken_spot"),
            assets=AssetMap("kraken_spot"),
            signer=None,
            now=lambda: datetime.now(UTC),
        )
        dialect, flow = spec.dialect(context), spec.rest(context).instruments()
        try:
            call = next(flow)
            while True:
                call = flow.send(dialect.decode(call, HttpReply(200, {}, by_path[call.path])))
        except StopIteration:
            assert len(context.assets) == ASSETS, len(context.assets)
            return context.symbols

    def bare() -> None:
        for answer in by_path.values():
            msgspec.json.decode(answer)

    assert len(load()) == PAIRS
    times = cpu_in_turn({"ours": load, "bare": bare}, rounds)
    yield figure(
        f"spot: load {PAIRS} pairs and {ASSETS} assets / bare decode",
        list(zip(times["ours"], times["bare"], strict=True)),
        scale=1e3,
        unit="ms",
        target=TARGET,
    )
