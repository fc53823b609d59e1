"""Contracts get our names by table, and what contradicts itself is reported and left out."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ProtocolError
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from kraken_futures import naming
from kraken_futures.config import FuturesConfig
from kraken_futures.rest.operations import FuturesRest

PF: dict[str, Any] = {
    "symbol": "PF_XBTUSD",
    "type": "flexible_futures",
    "tickSize": 1,
    "contractSize": 1,
    "tradeable": True,
    "contractValueTradePrecision": 4,
    "base": "BTC",
    "quote": "USD",
    "pair": "BTC:USD",
    "postOnly": False,
    "isExpired": False,
}
PI = {**PF, "symbol": "PI_XBTUSD", "type": "futures_inverse", "tickSize": 0.5, "contractValueTradePrecision": 0}
FI = {**PI, "symbol": "FI_XBTUSD_261225", "lastTradingTime": "2026-12-25T16:00:00Z"}
FF = {**PF, "symbol": "FF_XBTUSD_261225", "lastTradingTime": "2026-12-25T08:00:00Z"}


def without(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in names}


def load(*entries: Any) -> FuturesRest:
    context = VenueContext(venue="f", config=FuturesConfig(), symbols=SymbolMap("f"), assets=AssetMap("f"))
    rest = FuturesRest(context)
    rest.load_instruments(json.dumps({"result": "success", "instruments": entries}).encode())
    return rest


def only(rest: FuturesRest) -> Any:
    (instrument,) = rest._context.symbols
    return instrument


@pytest.mark.parametrize(
    ("entry", "symbol"),
    [
        pytest.param(PF, "BTC/USD:USD", id="linear perpetual"),
        pytest.param(PI, "BTC/USD:BTC", id="inverse perpetual"),
        pytest.param(FF, "BTC/USD:USD-261225", id="linear dated"),
        pytest.param(FI, "BTC/USD:BTC-261225", id="inverse dated"),
        pytest.param({**without(PI, "base", "quote"), "pair": "XBT:USD"}, "BTC/USD:BTC", id="assets of the pair"),
        pytest.param(
            {**without(PI, "base", "quote", "pair"), "underlying": "rr_xrpusd", "symbol": "pi_xrpusd"},
            "XRP/USD:XRP",
            id="2021: lower case, only a reference rate",
        ),
        pytest.param({**PF, "symbol": "PF_AAPLxUSD", "base": "AAPLx"}, "AAPLx/USD:USD", id="letters keep their case"),
    ],
)
def test_a_contract_has_our_name(entry: dict[str, Any], symbol: str) -> None:
    rest = load(entry)
    assert str(only(rest).symbol) == symbol
    assert rest.reports == []


def test_names_are_found_in_any_case_and_sent_in_the_venues_own() -> None:
    symbols = load({**PF, "symbol": "PF_AAPLxUSD", "base": "AAPLx"})._context.symbols
    symbol = Symbol.parse("AAPLx/USD:USD")
    for spelling in ("PF_AAPLxUSD", "PF_AAPLXUSD", "pf_aaplxusd", "Pf_AaplxUsd"):
        assert naming.find(symbols, spelling) == symbol
    assert symbols.venue_id(symbol) == "PF_AAPLxUSD"


def test_a_dated_contract_ends_at_its_last_trading_time() -> None:
    instrument = only(load(FI))
    assert instrument.expiry == datetime(2026, 12, 25, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("precision", "lot"),
    [(4, "0.0001"), (0, "1"), (-3, "1000")],
)
def test_the_precision_is_the_step_and_the_minimum_of_sizes(precision: int, lot: str) -> None:
    instrument = only(load({**PF, "contractValueTradePrecision": precision}))
    assert instrument.lot_size == instrument.min_quantity == Decimal(lot)


def test_ticks_are_read_from_their_digits() -> None:
    rest = load()
    body = json.dumps({"result": "success", "instruments": [PF]}).replace('"tickSize": 1', '"tickSize": 1e-10')
    (instrument,) = rest.load_instruments(body.encode())
    assert instrument.tick_size == Decimal("0.0000000001")
    assert instrument.price_decimals == 10


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, InstrumentStatus.ONLINE),
        ({"postOnly": True}, InstrumentStatus.POST_ONLY),
        ({"tradeable": False}, InstrumentStatus.OFFLINE),
        ({"isExpired": True}, InstrumentStatus.OFFLINE),
    ],
)
def test_the_status_of_a_contract(changes: dict[str, bool], status: InstrumentStatus) -> None:
    assert only(load({**PF, **changes})).status is status


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        pytest.param({**PF, "symbol": "PV_XRPXBT", "type": "futures_vanilla"}, "futures_vanilla", id="vanilla"),
        pytest.param({**PF, "symbol": "OF_ETHUSD_240101_1000_C", "type": "options"}, "options", id="option"),
        pytest.param({**PF, "type": "futures_quantum"}, "futures_quantum", id="a type of tomorrow"),
        pytest.param({**PF, "type": "futures_inverse"}, "the type says futures_inverse", id="symbol against type"),
        pytest.param({**PF, "symbol": "XX_XBTUSD"}, "not supported", id="unknown prefix"),
        pytest.param(without(FI, "lastTradingTime"), "no lastTradingTime", id="dated without a date"),
        pytest.param({**PF, "lastTradingTime": "2026-12-25T08:00:00Z"}, "perpetual", id="perpetual with a date"),
        pytest.param({**FI, "lastTradingTime": "soon"}, "not RFC 3339", id="no time"),
        pytest.param({**PF, "tickSize": 0}, "tick_size", id="tick of zero"),
        pytest.param({**PF, "tickSize": "NaN"}, "tickSize", id="tick that is no number"),
        pytest.param({**PF, "tickSize": None}, "tickSize|tick_size", id="tick of null"),
        pytest.param({**PF, "contractValueTradePrecision": 99}, "contractValueTradePrecision", id="absurd precision"),
        pytest.param(without(PF, "contractValueTradePrecision"), "contractValueTradePrecision", id="no precision"),
        pytest.param(without(PF, "base", "quote", "pair"), "names its assets", id="no assets"),
        pytest.param(without(PF, "symbol"), "an entry left out", id="no symbol"),
        pytest.param("PF_XBTUSD", "an entry left out", id="no object"),
    ],
)
def test_what_is_wrong_is_left_out_with_a_reason_and_the_rest_stays(entry: Any, reason: str) -> None:
    rest = load(PI, entry)
    assert str(only(rest).symbol) == "BTC/USD:BTC"
    (report,) = rest.reports
    assert re.search(reason, report), report


def test_of_two_entries_with_one_name_the_first_counts() -> None:
    rest = load(FI, {**FI, "symbol": "FI_XBTUSD_261225X"})
    assert only(rest).venue_id == "FI_XBTUSD_261225"
    assert any("FI_XBTUSD_261225 is BTC/USD:BTC-261225 already" in report for report in rest.reports)


def test_a_date_code_that_disagrees_is_reported_and_the_time_counts() -> None:
    rest = load({**FI, "lastTradingTime": "2026-12-24T16:00:00Z"})
    assert str(only(rest).symbol) == "BTC/USD:BTC-261224"
    assert "date code" in rest.reports[0]


EXPIRY = datetime(2026, 12, 25, 16, tzinfo=UTC)
BEFORE, AFTER = EXPIRY - timedelta(seconds=1), EXPIRY + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("changes", "is_closed"),
    [
        ({}, False),
        pytest.param({"postOnly": True}, False, id="it takes orders that rest"),
        pytest.param({"isExpired": True}, True, id="tradeable stays true after expiry"),
        ({"tradeable": False}, True),
    ],
)
def test_closed_is_another_thing_than_halted(changes: dict[str, bool], is_closed: bool) -> None:
    instrument = only(load({**FI, **changes}))
    assert instrument.is_closed is is_closed
    assert (instrument.status is InstrumentStatus.OFFLINE) is is_closed


@pytest.mark.parametrize("changes", [{"isExpired": True}, {"tradeable": False}])
def test_no_ticker_opens_a_closed_market(changes: dict[str, bool]) -> None:
    """Tickers of expired contracts say that they are not suspended."""
    instrument = only(load({**FI, **changes}))
    told = naming.with_state(instrument, suspended=False, post_only=False, now=BEFORE)
    assert told.status is InstrumentStatus.OFFLINE


def test_a_ticker_ends_a_halt_and_sees_the_expiry() -> None:
    instrument = only(load(FI))
    halted = naming.with_state(instrument, suspended=True, post_only=False, now=BEFORE)
    assert (halted.status, halted.is_closed) == (InstrumentStatus.OFFLINE, False)
    again = naming.with_state(halted, suspended=False, post_only=True, now=BEFORE)
    assert again.status is InstrumentStatus.POST_ONLY
    ended = naming.with_state(again, suspended=False, post_only=False, now=AFTER)
    assert (ended.status, ended.is_closed) == (InstrumentStatus.OFFLINE, True)
    assert naming.with_state(ended, suspended=False, post_only=False, now=BEFORE) == ended


def test_an_expired_contract_keeps_its_name_for_what_lies_behind() -> None:
    """Its orders and fills are in the history, in small letters in the log; its successor has another name."""
    expired = {**FI, "symbol": "FI_XBTUSD_220930", "lastTradingTime": "2022-09-30T15:00:00.000Z", "isExpired": True}
    symbols = load(expired, FI)._context.symbols
    assert str(naming.find(symbols, "fi_xbtusd_220930")) == "BTC/USD:BTC-220930"
    assert str(naming.find(symbols, "fi_xbtusd_261225")) == "BTC/USD:BTC-261225"
    assert naming.told(symbols, "PX_XBTUSD") == "PX_XBTUSD"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("XBT", "BTC"),
        ("xbt", "BTC"),
        ("XDG", "DOGE"),
        ("usd", "USD"),
        ("ETH", "ETH"),
        ("BTC", "BTC"),
        ("AAPLx", "AAPLx"),
    ],
)
def test_assets_have_our_codes(name: str, code: str) -> None:
    assets = AssetMap("f")
    assert naming.asset(assets, name) == code
    assert naming.asset(assets, name) == code


def test_an_alias_that_was_set_before_is_kept() -> None:
    assets = AssetMap("f")
    assets.add(Asset(code="BITCOIN", venue_id="XBT", decimals=8))
    assert naming.asset(assets, "XBT") == "BITCOIN"


def test_a_provisional_contract_shows_the_venues_name() -> None:
    symbols = SymbolMap("f")
    assert str(naming.provisional(symbols, "PI_XBTUSD")).startswith("PI_XBTUSD/")
    assert naming.find(symbols, "pi_xbtusd") is not None


def test_what_is_no_list_is_one_error() -> None:
    rest = load()
    for body in (b"", b"<html>", b"[]", b'{"result":"success"}', b'{"instruments":{}}', b"\xff"):
        with pytest.raises(ProtocolError):
            rest.load_instruments(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([PF, PI, FF, FI]), st.dictionaries(st.sampled_from(sorted({**FI, "underlying": ""})), _JSON))
def test_no_entry_however_strange_is_fatal(entry: dict[str, Any], changes: dict[str, Any]) -> None:
    good = {**PI, "symbol": "PI_SOLUSD", "base": "SOL"}
    rest = load(good, {**entry, **changes})
    assert Symbol.parse("SOL/USD:SOL") in rest._context.symbols
    assert rest.reports or len(rest._context.symbols) == 2


def test_the_recorded_list(captures: Path) -> None:
    rest = load()
    found = rest.load_instruments((captures / "futures/rest/instruments_5_2026-09.json").read_bytes())
    assert rest.reports == []
    assert {str(i.symbol): (i.venue_id, str(i.tick_size), str(i.lot_size)) for i in found} == {
        "BTC/USD:USD": ("PF_XBTUSD", "1", "0.0001"),
        "DOGE/USD:USD": ("PF_DOGEUSD", "0.00001", "1"),
        "BTC/USD:USD-261225": ("FF_XBTUSD_261225", "1", "0.0001"),
        "BTC/USD:BTC": ("PI_XBTUSD", "0.5", "1"),
        "BTC/USD:BTC-261225": ("FI_XBTUSD_261225", "0.5", "1"),
    }
