"""A few assets and pairs as Kraken lists them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from exchange_core.connector.naming import AssetMap
from kraken_spot.naming import load_assets


def raw(entries: dict[str, Any]) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(json.dumps(entry).encode()) for name, entry in entries.items()}


def asset(altname: str, decimals: int = 8) -> dict[str, Any]:
    return {"aclass": "currency", "altname": altname, "decimals": decimals, "status": "enabled"}


def pair(**changes: Any) -> dict[str, Any]:
    return {
        "altname": "XBTUSD",
        "wsname": "XBT/USD",
        "base": "XXBT",
        "quote": "ZUSD",
        "pair_decimals": 1,
        "lot_decimals": 8,
        "cost_decimals": 5,
        "ordermin": "0.00005",
        "costmin": "0.5",
        "tick_size": "0.1",
        "status": "online",
        **changes,
    }


ASSETS = {
    "XXBT": asset("XBT", 10),
    "XXDG": asset("XDG"),
    "XETH": asset("ETH", 10),
    "ZUSD": asset("USD", 4),
    "XTZ": asset("XTZ"),
    "ZEUS": asset("ZEUS"),
    "DOT": asset("DOT", 10),
    "DOT28.S": asset("DOT28.S", 10),
    "XBT.M": asset("XBT.M", 10),
    "ETH2": asset("ETH2", 10),
    "ETH2.S": asset("ETH2.S", 10),
    "1INCH": asset("1INCH"),
    "USD.HOLD": asset("USD.HOLD", 4),
    "KFEE": asset("FEE", 2),
}


@pytest.fixture
def assets() -> AssetMap:
    made = AssetMap("kraken")
    assert not load_assets(raw(ASSETS), made)
    return made
