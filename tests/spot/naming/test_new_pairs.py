"""A fill of a pair that was listed after the lists were read is no fill to lose."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kraken_spot.rest.operations import KrakenSpotRest


def trade(pair: str, number: int) -> dict[str, Any]:
    return {
        "ordertxid": "OQCLML-BW3P3-BUCMWZ",
        "pair": pair,
        "time": 1700000000.5 + number,
        "type": "buy",
        "ordertype": "limit",
        "price": "2.5",
        "cost": "5",
        "fee": "0.02",
        "vol": "2",
        "margin": "0",
        "misc": "",
    }


@pytest.fixture
def pairs() -> dict[str, Any]:
    new = {
        "altname": "NEWUSD",
        "wsname": "NEW/USD",
        "base": "NEW",
        "quote": "ZUSD",
        "pair_decimals": 4,
        "lot_decimals": 8,
        "cost_decimals": 5,
        "ordermin": "0.1",
        "costmin": "0.5",
        "tick_size": "0.0001",
        "status": "online",
        "fees": [],
        "fees_maker": [],
    }
    return {"NEWUSD": new}


ASSETS = {"NEW": {"altname": "NEW", "decimals": 8}, "ZUSD": {"altname": "USD", "decimals": 4}}
HISTORY = {"trades": {"T1": trade("XXBTZUSD", 1), "T2": trade("NEWUSD", 2)}, "count": 2}


def test_a_fill_of_a_new_pair_is_read_with_new_lists(rest: KrakenSpotRest, run: Any, pairs: dict[str, Any]) -> None:
    fills = run(rest.fills(None), HISTORY, ASSETS, pairs)
    assert [(fill.id, str(fill.symbol)) for fill in fills] == [("T1", "BTC/USD"), ("T2", "NEW/USD")]
    assert "trade T2" not in rest.skipped


def test_the_lists_are_read_once_for_a_pair_that_is_in_none(rest: KrakenSpotRest, run: Any) -> None:
    known = json.loads(json.dumps(HISTORY))
    assert [fill.id for fill in run(rest.fills(None), known, {}, {})] == ["T1"]
    assert "trade T2" in rest.skipped
    assert [fill.id for fill in run(rest.fills(None), known)] == ["T1"]
