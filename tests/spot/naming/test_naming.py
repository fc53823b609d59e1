"""Names go there and back by table, and nothing unknown is fatal."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import BadRequest, ProtocolError
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from kraken_spot.naming import display, load_assets, load_pairs
from kraken_spot.rest.operations import KrakenSpotRest
from tests.spot.naming.conftest import ASSETS, asset, pair, raw


@pytest.mark.parametrize(
    ("altname", "code"),
    [("XBT", "BTC"), ("XDG", "DOGE"), ("ETH", "ETH"), ("XTZ", "XTZ"), ("ZEUS", "ZEUS"), ("XBT.M", "BTC.M")],
)
def test_display(altname: str, code: str) -> None:
    assert display(altname) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("XXBT", "BTC"),
        ("XBT", "BTC"),
        ("BTC", "BTC"),
        ("XXDG", "DOGE"),
        ("ZUSD", "USD"),
        ("XTZ", "XTZ"),
        ("KFEE", "FEE"),
    ],
)
def test_every_name_of_an_asset_is_ours(assets: AssetMap, name: str, code: str) -> None:
    assert assets.code(name) == code


def test_the_recorded_assets_map_and_map_back(captures: Path) -> None:
    answer = json.loads((captures / "spot/rest/assets_full.json").read_bytes())["result"]
    assets = AssetMap("kraken")
    assert not load_assets(raw(answer), assets)
    assert len(assets) == len(answer) == 732
    for venue_id, entry in answer.items():
        code = assets.code(venue_id)
        made = assets.get(code)
        assert made is not None
        assert made.venue_id == venue_id
        assert assets.code(entry["altname"]) == code
        assert code.partition(".")[0] not in ("XBT", "XDG")
    assert not assets.unknown


def test_a_malformed_asset_is_skipped_and_reported() -> None:
    assets = AssetMap("kraken")
    skipped = load_assets(raw({"BAD": {"altname": 7}, "XXBT": asset("XBT")}), assets)
    assert assets.code("XXBT") == "BTC"
    assert list(skipped) == ["BAD"]
    assert "altname" in skipped["BAD"]


def load(pairs: dict[str, Any], assets: dict[str, Any] | None = None) -> tuple[SymbolMap, AssetMap, dict[str, str]]:
    symbols, known = SymbolMap("kraken"), AssetMap("kraken")
    load_assets(raw(assets or {}), known)
    return symbols, known, load_pairs(raw(pairs), symbols, known)


@pytest.mark.parametrize("listed", [ASSETS, {}], ids=["with Assets", "from AssetPairs alone"])
def test_a_pair_by_all_its_names(listed: dict[str, Any]) -> None:
    symbols, assets, skipped = load({"XXBTZUSD": pair()}, listed)
    assert not skipped
    btc = Symbol("BTC", "USD")
    for name in ("XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD", "BTCUSD"):
        assert symbols.from_venue(name) == btc
    assert symbols.venue_id(btc) == "XBTUSD"
    assert symbols.wire(btc) == "BTC/USD"
    assert assets.code("XXBT") == "BTC"
    assert assets.code("ZUSD") == "USD"
    made = symbols.instrument(btc)
    assert (made.tick_size, made.lot_size) == (Decimal("0.1"), Decimal("1E-8"))
    assert (made.min_quantity, made.min_cost) == (Decimal("0.00005"), Decimal("0.5"))
    assert (made.price_decimals, made.quantity_decimals) == (1, 8)


def test_legacy_codes_on_either_side() -> None:
    symbols, _, _ = load(
        {
            "XETHXXBT": pair(altname="ETHXBT", wsname="ETH/XBT", base="XETH", quote="XXBT"),
            "XXDGXXBT": pair(altname="XDGXBT", wsname="XDG/XBT", base="XXDG", quote="XXBT"),
        }
    )
    assert {symbols.wire(i.symbol) for i in symbols} == {"ETH/BTC", "DOGE/BTC"}


def test_tokenised_assets_keep_their_small_x() -> None:
    symbols, _, _ = load({"AAPLxUSD": pair(altname="AAPLxUSD", wsname="AAPLx/USD", base="AAPLx")})
    assert symbols.wire(Symbol("AAPLx", "USD")) == "AAPLx/USD"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"pair_decimals": "x"}, "pair_decimals", id="wrong type"),
        pytest.param({"pair_decimals": -1}, "pair_decimals", id="decimals below zero"),
        pytest.param({"lot_decimals": 99}, "lot_decimals", id="decimals beyond use"),
        pytest.param({"tick_size": "-0.1"}, "tick_size", id="tick below zero"),
        pytest.param({"ordermin": "NaN"}, "ordermin", id="NaN"),
        pytest.param({"altname": None}, "altname", id="null"),
        pytest.param({"wsname": "A B/USD", "base": "???"}, "symbol", id="no symbol"),
        pytest.param({"wsname": None, "base": "NEW"}, "'NEW'", id="no name at all"),
    ],
)
def test_a_malformed_pair_is_skipped_and_reported(changes: dict[str, Any], reason: str) -> None:
    symbols, _, skipped = load({"BAD": pair(**changes), "XXBTZUSD": pair()})
    assert len(symbols) == 1
    assert list(skipped) == ["BAD"]
    assert reason in skipped["BAD"]


def test_dark_pools_are_skipped_and_reported() -> None:
    symbols, _, skipped = load({"XXBTZUSD.d": pair(altname="XBTUSD.d", wsname=None)})
    assert not len(symbols)
    assert "dark pool" in skipped["XXBTZUSD.d"]


def test_a_pair_without_wsname_is_named_by_its_assets() -> None:
    symbols, _, skipped = load({"XXBTZUSD": pair(wsname=None)}, ASSETS)
    assert not skipped
    assert symbols.from_venue("XXBTZUSD") == Symbol("BTC", "USD")


def test_rules_that_older_answers_lack() -> None:
    """Answers of 2019 have neither tick, minimum nor status."""
    old = pair()
    for name in ("tick_size", "ordermin", "costmin", "status"):
        del old[name]
    symbols, _, _ = load({"XXBTZUSD": old})
    made = symbols.instrument(Symbol("BTC", "USD"))
    assert made.tick_size == Decimal("0.1")
    assert made.min_quantity == made.lot_size
    assert made.min_cost is None
    assert made.status is InstrumentStatus.ONLINE


def test_an_alias_never_takes_another_pairs_name() -> None:
    """``BTC`` and ``X`` over ``USD`` and ``CUSD``: the id of one pair is the joined name of the other."""
    pairs = {
        "BTCXUSD": pair(altname="BTCXUSD", wsname="BTCX/USD", base="BTCX"),
        "OTHER": pair(altname="OTHER", wsname="BTC/XUSD", base="BTC", quote="XUSD"),
    }
    for order in (pairs, dict(reversed(pairs.items()))):
        symbols, _, _ = load(order)
        assert symbols.from_venue("BTCXUSD") == Symbol("BTCX", "USD")
        assert symbols.from_venue("BTC/XUSD") == Symbol("BTC", "XUSD")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("online", InstrumentStatus.ONLINE),
        ("cancel_only", InstrumentStatus.CANCEL_ONLY),
        ("post_only", InstrumentStatus.POST_ONLY),
        ("limit_only", InstrumentStatus.LIMIT_ONLY),
        ("reduce_only", InstrumentStatus.REDUCE_ONLY),
        ("maintenance", InstrumentStatus.OFFLINE),
        ("something new", InstrumentStatus.OFFLINE),
    ],
)
def test_status(word: str, status: InstrumentStatus) -> None:
    symbols, _, _ = load({"XXBTZUSD": pair(status=word)})
    assert symbols.instrument(Symbol("BTC", "USD")).status is status


@pytest.mark.parametrize("name", ["asset_pairs_5_2026-09.json", "asset_pairs_xbtusdt_2025.json"])
def test_recorded_pairs(captures: Path, make_context: Callable[..., VenueContext], name: str) -> None:
    body = (captures / "spot/rest" / name).read_bytes()
    context = make_context(listed=False)
    rest = KrakenSpotRest(context)
    instruments = rest.load_instruments(body)
    pairs = json.loads(body)["result"]
    assert len(instruments) == len(pairs)
    assert not rest.skipped
    for key, entry in pairs.items():
        made = context.symbols.instrument(context.symbols.from_venue(key))
        assert made.tick_size == Decimal(entry["tick_size"])
        assert made.venue_id == entry["altname"]
        assert "XBT" not in (made.symbol.base, made.symbol.quote)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":[],"result":[]}', b'{"result":{}}', b"\xff"])
def test_a_file_that_is_no_list_of_pairs(rest: KrakenSpotRest, body: bytes) -> None:
    with pytest.raises(ProtocolError, match="AssetPairs"):
        rest.load_instruments(body)


def test_a_recorded_error_instead_of_a_list(rest: KrakenSpotRest) -> None:
    with pytest.raises(BadRequest) as refused:
        rest.load_instruments(b'{"error":["EQuery:Unknown asset pair"],"result":null}')
    assert refused.value.codes == ("EQuery:Unknown asset pair",)
