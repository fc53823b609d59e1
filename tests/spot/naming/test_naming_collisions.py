"""Names that collide, are listed twice, were renamed or are gone: nothing is ever taken for another thing."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from kraken_spot.naming import balance_asset, load_assets, load_pairs
from tests.spot.naming.conftest import ASSETS, asset, pair, raw


def load(pairs: dict[str, Any], assets: dict[str, Any] | None = None) -> tuple[SymbolMap, AssetMap, dict[str, str]]:
    symbols, known = SymbolMap("kraken"), AssetMap("kraken")
    load_assets(raw(assets or {}), known)
    return symbols, known, load_pairs(raw(pairs), symbols, known)


def both_ways(entries: dict[str, Any]) -> list[dict[str, Any]]:
    return [entries, dict(reversed(entries.items()))]


@pytest.mark.parametrize("entries", both_ways({"XXBT": asset("XBT"), "BTC": asset("BTC")}))
def test_an_asset_that_is_called_like_anothers_display_name_is_never_that(entries: dict[str, Any]) -> None:
    assets = AssetMap("kraken")
    skipped = load_assets(raw(entries), assets)
    assert (assets.code("XXBT"), assets.code("XBT")) == ("BTC", "BTC")
    assert assets.code("BTC") == "BTC.twin"
    assert list(skipped) == ["BTC"]


@pytest.mark.parametrize("entries", both_ways({"XETC": asset("ETC"), "ETC": asset("OTHER")}))
def test_an_id_is_nobody_elses_altname(entries: dict[str, Any]) -> None:
    assets = AssetMap("kraken")
    assert not load_assets(raw(entries), assets)
    assert assets.code("ETC") == "OTHER"
    assert assets.code("XETC") == "ETC"


@pytest.mark.parametrize("entries", both_ways({"XETH": asset("ETH"), "ETH": asset("ETH")}))
def test_an_asset_that_is_listed_under_its_old_id_and_its_new_one_is_one(entries: dict[str, Any]) -> None:
    assets = AssetMap("kraken")
    assert not load_assets(raw(entries), assets)
    assert {assets.code(name) for name in ("XETH", "ETH")} == {"ETH"}


def test_loading_twice_changes_nothing(assets: AssetMap) -> None:
    before = {name: assets.code(name) for name in ASSETS}
    assert not load_assets(raw(ASSETS), assets)
    assert {name: assets.code(name) for name in ASSETS} == before


class Aliases(AssetMap):
    """As a hook may rename assets."""

    def add(self, asset: Asset, names: Any = ()) -> None:
        code = {"LUNA": "LUNC", "XXBT": "XBT"}.get(asset.venue_id, asset.code)
        super().add(attrs.evolve(asset, code=code), names)


@pytest.mark.parametrize("listed", [{"LUNA": asset("LUNA"), "XXBT": asset("XBT"), "ZUSD": asset("USD")}, {}])
def test_an_alias_is_ours_alone(listed: dict[str, Any]) -> None:
    """The venue goes on to be asked by its own names, and balances follow the alias."""
    symbols, assets = SymbolMap("kraken"), Aliases("kraken")
    load_assets(raw(listed), assets)
    pairs = {
        "LUNAUSD": pair(altname="LUNAUSD", wsname="LUNA/USD", base="LUNA"),
        "XXBTZUSD": pair(),
    }
    assert not load_pairs(raw(pairs), symbols, assets)
    classic, bitcoin = Symbol("LUNC", "USD"), Symbol("XBT", "USD")
    assert (symbols.venue_id(classic), symbols.wire(classic)) == ("LUNAUSD", "LUNA/USD")
    assert (symbols.venue_id(bitcoin), symbols.wire(bitcoin)) == ("XBTUSD", "BTC/USD")
    assert symbols.from_venue("LUNA/USD") == classic
    assert symbols.from_venue("BTC/USD") == bitcoin
    assert balance_asset("LUNA.S", assets) == ("LUNC", "staked")
    assert balance_asset("XXBT", assets) == ("XBT", "spot")
    assert balance_asset("XBT.M", assets) == ("XBT", "rewards")


def test_a_joined_name_of_ours_never_takes_an_id_away() -> None:
    """A fill comes by the pair's id: taken for another pair, it would be a fill of something else."""
    pairs = {
        "ABCD": pair(altname="AB_CD", wsname="A/BCD", base="A", quote="BCD"),
        "ABCDX": pair(altname="AB_CDX", wsname="AB/CD", base="AB", quote="CD"),
        "ABCDY": pair(altname="AB_CDY", wsname="ABC/D", base="ABC", quote="D"),
    }
    for order in both_ways(pairs):
        symbols, _, skipped = load(order)
        assert not skipped
        assert {key: str(symbols.from_venue(key)) for key in pairs} == {
            "ABCD": "A/BCD",
            "ABCDX": "AB/CD",
            "ABCDY": "ABC/D",
        }


@pytest.mark.parametrize(
    ("statuses", "chosen"),
    [
        (("online", "online"), "ONE"),
        (("delisted", "online"), "TWO"),
        (("online", "delisted"), "ONE"),
        (("delisted", "delisted"), "ONE"),
    ],
)
def test_of_two_pairs_with_one_symbol_the_one_that_trades_counts(statuses: tuple[str, str], chosen: str) -> None:
    pairs = {
        "ONE": pair(altname="ONE", status=statuses[0]),
        "TWO": pair(altname="TWO", status=statuses[1]),
    }
    symbols, _, skipped = load(pairs)
    assert symbols.venue_id(Symbol("BTC", "USD")) == chosen
    assert list(skipped) == [{"ONE": "TWO", "TWO": "ONE"}[chosen]]


def test_a_renamed_asset_is_another_asset() -> None:
    """Kraken went from MATIC to POL: both are listed, and neither is the other."""
    pairs = {
        "MATICUSD": pair(altname="MATICUSD", wsname="MATIC/USD", base="MATIC", status="cancel_only"),
        "POLUSD": pair(altname="POLUSD", wsname="POL/USD", base="POL"),
    }
    symbols, assets, skipped = load(pairs, {"MATIC": asset("MATIC"), "POL": asset("POL"), "ZUSD": asset("USD")})
    assert not skipped
    assert symbols.from_venue("MATICUSD") != symbols.from_venue("POLUSD")
    assert balance_asset("MATIC04.S", assets) == ("MATIC", "staked")


def test_a_delisted_pair_keeps_its_names_and_takes_no_orders() -> None:
    both = {"XXBTZUSD": pair(), "OLDUSD": pair(altname="OLDUSD", wsname="OLD/USD", base="OLD")}
    symbols, assets, _ = load(both)
    load_pairs(raw({"XXBTZUSD": pair()}), symbols, assets, is_all=True)
    old = symbols.instrument(symbols.from_venue("OLDUSD"))
    assert old.status is InstrumentStatus.OFFLINE
    assert symbols.wire(old.symbol) == "OLD/USD"
    assert symbols.instrument(Symbol("BTC", "USD")).status is InstrumentStatus.ONLINE


def test_a_pair_that_does_not_read_this_time_is_not_gone() -> None:
    symbols, assets, _ = load({"XXBTZUSD": pair()})
    load_pairs(raw({"XXBTZUSD": pair(pair_decimals="x")}), symbols, assets, is_all=True)
    assert symbols.instrument(Symbol("BTC", "USD")).status is InstrumentStatus.ONLINE


def test_names_in_lower_case_are_no_names() -> None:
    symbols, assets, _ = load({"XXBTZUSD": pair()}, ASSETS)
    assert symbols.get("xbtusd") is None
    assert assets.get("xbt") is None


def test_a_list_of_tokenised_assets_reads_as_the_other_does() -> None:
    """They are asked for by a class of their own and come without a prefix, with a small x."""
    stock = asset("AAPLx") | {"aclass": "tokenized_asset"}
    listed = pair(altname="AAPLxUSD", wsname="AAPLx/USD", base="AAPLx", tick_size="0.01", aclass_base="tokenized_asset")
    symbols, assets, skipped = load({"AAPLxUSD": listed}, {"AAPLx": stock, "ZUSD": asset("USD")})
    assert not skipped
    assert symbols.venue_id(Symbol("AAPLx", "USD")) == "AAPLxUSD"
    assert balance_asset("AAPLx", assets) == ("AAPLx", "spot")
    assert balance_asset("AAPLx.T", assets) == ("AAPLx", "tokenized")


def test_an_empty_list_is_no_list_of_delistings() -> None:
    symbols, assets, _ = load({"XXBTZUSD": pair()})
    load_pairs({}, symbols, assets, is_all=True)
    assert symbols.instrument(Symbol("BTC", "USD")).status is InstrumentStatus.ONLINE
