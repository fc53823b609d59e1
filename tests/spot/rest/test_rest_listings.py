"""Lists of assets and pairs, and tickers, with all that the venue tells of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.rest import RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import NotSupported, UnknownSymbol
from exchange_core.model.symbol import Symbol
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.types.listings import AssetStatus, ExecutionVenue, FeeStep, PairInfo, Traded

BTC, ETH, APPLE = Symbol("BTC", "USD"), Symbol("ETH", "USD"), Symbol("AAPLx", "USD")
TOKEN = {"altname": "AAPLxUSD", "wsname": "AAPLx/USD", "base": "AAPLx", "quote": "ZUSD", "status": "online"}
TOKENS = {"AAPLxUSD": TOKEN | {"aclass_base": "tokenized_asset", "pair_decimals": 2, "lot_decimals": 8}}
TICKER = {
    "a": ["60010.10000", "1", "1.500"],
    "b": ["60000.00000", "2", "2.500"],
    "c": ["60005.00000", "0.01000000"],
    "v": ["12.50000000", "40.00000000"],
    "p": ["60001.00000", "60002.00000"],
    "t": [120, 400],
    "l": ["59000.00000", "58000.00000"],
    "h": ["61000.00000", "62000.00000"],
    "o": "59500.00000",
}


@pytest.fixture
def tokenized(make_context: Callable[..., VenueContext]) -> KrakenSpotRest:
    context = make_context(config=KrakenSpotConfig(tokenized=True))
    KrakenSpotRest(context).load_instruments(json.dumps({"error": [], "result": TOKENS}).encode())
    return KrakenSpotRest(context)


def asked(call: RestCall) -> tuple[str, dict[str, Any]]:
    given = {name: value for name, value in call.params.items() if value is not None}
    return call.path.rpartition("/")[2], given


def capture(captures: Path, name: str) -> Any:
    return json.loads((captures / "spot/rest" / name).read_bytes())["result"]


def test_a_part_of_what_is_listed_of_some_pairs(rest: KrakenSpotRest, run: Any) -> None:
    margins = {"XXBTZUSD": {"margin_call": 80, "margin_level": 40}, "XETHZUSD": {"margin_call": 80, "margin_stop": 41}}
    found = run(rest.market.pairs(BTC, "ETH/USD", info=PairInfo.MARGIN), margins)
    assert asked(run.calls[0]) == ("AssetPairs", {"pair": ["XBTUSD", "ETHUSD"], "info": "margin"})
    assert [(pair.symbol, pair.margin_call, pair.margin_stop) for pair in found.items] == [(BTC, 80, 40), (ETH, 80, 41)]
    assert found.items[0].tick_size is None
    assert found.items[0].leverage_buy == ()


def test_pairs_that_are_to_be_had_somewhere(rest: KrakenSpotRest, run: Any) -> None:
    venues = [ExecutionVenue.INTERNATIONAL, ExecutionVenue.BITNOMIAL]
    run(rest.market.pairs(country="de", execution_venues=venues), {})
    wanted = {"country_code": "DE", "execution_venue": ["international", "bitnomial_exchange"]}
    assert asked(run.calls[0]) == ("AssetPairs", wanted)


@pytest.mark.parametrize("country", ["Germany", "D", "D1", ""])
def test_what_is_no_country_code_is_refused(rest: KrakenSpotRest, country: str) -> None:
    with pytest.raises(NotSupported, match=r"kraken: country: .* is no country code of two letters, such as DE"):
        rest.market.pairs(country=country)


def test_a_pair_that_no_list_has_is_not_asked_for(rest: KrakenSpotRest) -> None:
    with pytest.raises(UnknownSymbol):
        rest.market.tickers("GONE/USD")


def test_a_ticker_has_todays_values_too(rest: KrakenSpotRest, run: Any) -> None:
    (ticker,) = run(rest.market.tickers(BTC), {"XXBTZUSD": TICKER}).items
    assert (ticker.symbol, ticker.bid, ticker.ask_quantity) == (BTC, 60000, Decimal("1.5"))
    assert (ticker.open, ticker.last_quantity) == (59500, Decimal("0.01"))
    assert ticker.today == Traded(
        volume=Decimal("12.5"), count=120, vwap=Decimal(60001), low=Decimal(59000), high=Decimal(61000)
    )
    assert ticker.day == Traded(
        volume=Decimal(40), count=400, vwap=Decimal(60002), low=Decimal(58000), high=Decimal(62000)
    )


def test_one_damaged_ticker_hides_no_other(rest: KrakenSpotRest, run: Any) -> None:
    bad = {"XETHZUSD": TICKER | {"p": ["1"]}, "XDGUSD": TICKER | {"o": "much"}}
    found = run(rest.market.tickers(), {"XXBTZUSD": TICKER, "NEWONE": TICKER, **bad})
    assert [ticker.symbol for ticker in found.items] == [BTC, "NEWONE"]
    assert [one.id for one in found.unreadable] == ["XETHZUSD", "XDGUSD"]


def test_pairs_of_both_kinds_are_asked_for_apart(tokenized: KrakenSpotRest, run: Any) -> None:
    found = run(tokenized.market.tickers(BTC, APPLE, ETH), {"XXBTZUSD": TICKER}, {"AAPLxUSD": TICKER})
    assert [ticker.symbol for ticker in found.items] == [BTC, APPLE]
    assert [asked(call)[1] for call in run.calls] == [
        {"pair": ["XBTUSD", "ETHUSD"]},
        {"pair": ["AAPLxUSD"], "asset_class": "tokenized_asset"},
    ]


@pytest.mark.parametrize("said", [None, False, True], ids=["as configured", "currencies", "tokens"])
def test_all_of_both_kinds_where_the_config_has_both(tokenized: KrakenSpotRest, run: Any, said: bool | None) -> None:
    every = [{}, {"asset_class": "tokenized_asset"}]
    wanted = every if said is None else [every[said]]
    run(tokenized.market.tickers(tokenized=said), *[{}] * len(wanted))
    assert [asked(call)[1] for call in run.calls] == wanted


def test_assets_by_our_codes(rest: KrakenSpotRest, run: Any) -> None:
    listed = {"XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10, "status": "frozen"}}
    (asset,) = run(rest.market.assets("BTC", tokenized=True), listed).items
    assert asked(run.calls[0]) == ("Assets", {"asset": ["XXBT"], "aclass": "tokenized_asset"})
    assert (asset.id, asset.asset, asset.status, asset.collateral_value) == ("XXBT", "BTC", "frozen", None)


def test_recorded_assets(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    raw = capture(captures, "assets_5_2026-09.json")
    found = run(rest.market.assets(), raw)
    assert not found.unreadable
    assert {asset.id for asset in found.items} == set(raw)
    for asset in found.items:
        was = raw[asset.id]
        assert asset.margin_rate == (Decimal(was["margin_rate"]) if "margin_rate" in was else None)
        assert asset.collateral_value == (Decimal(str(was["collateral_value"])) if "collateral_value" in was else None)
        assert isinstance(asset.status, AssetStatus)
    assert any(asset.margin_rate for asset in found.items)


def test_all_recorded_assets(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    found = run(rest.market.assets(), capture(captures, "assets_full.json"))
    assert (len(found.items), found.unreadable) == (732, ())


def test_recorded_pairs(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    raw = capture(captures, "asset_pairs_5_2026-09.json")
    found = run(rest.market.pairs(), raw)
    assert not found.unreadable
    for pair in found.items:
        was = raw[pair.id]
        assert pair.leverage_buy == tuple(was["leverage_buy"])
        assert pair.leverage_sell == tuple(was["leverage_sell"])
        assert (pair.margin_call, pair.margin_stop) == (was["margin_call"], was["margin_stop"])
        assert pair.long_position_limit == was.get("long_position_limit")
        assert pair.execution_venue is ExecutionVenue.INTERNATIONAL
        assert (pair.fees, pair.fees_maker) == ((), ())


def test_recorded_fees_of_a_pair(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    raw = capture(captures, "asset_pairs_xbtusdt_2025.json")
    (pair,) = run(rest.market.pairs(), raw).items
    (was,) = raw.values()
    assert pair.fees == tuple(FeeStep(volume=Decimal(a), percent=Decimal(str(b))) for a, b in was["fees"])
    assert pair.fees[0].percent > pair.fees_maker[0].percent
    assert pair.fee_asset == "USD"


def test_recorded_tickers(rest: KrakenSpotRest, run: Any, captures: Path) -> None:
    raw = capture(captures, "ticker_many.json")
    found = run(rest.market.tickers(), raw)
    assert (len(found.items), found.unreadable) == (len(raw), ())
    for ticker, was in zip(found.items, raw.values(), strict=True):
        assert [ticker.today.count, ticker.day.count] == was["t"]
        assert (ticker.open or 0) == Decimal(was["o"])
        assert ticker.today.volume == Decimal(was["v"][0])
