"""What ``exchange simulate`` is told of its markets."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.cli.main import call
from exchange_core.cli.simulate import simulated_venues
from exchange_core.cli.simulate_markets import read_markets, with_listing
from exchange_core.connector.simulation import SimulatorSpec
from exchange_core.errors import ConfigError
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.launch import SimulatorLaunch, prepare
from exchange_core.simulator.makers.settings import SETTINGS
from exchange_core.testing.clock import ManualClock
from tests.cli.test_simulate import run_once

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "simulator.md").read_text("utf-8")
PAIRS = {
    f"N{number}USD": {
        "altname": f"N{number}USD",
        "wsname": f"N{number}/USD",
        "base": f"N{number}",
        "quote": "ZUSD",
        "pair_decimals": 4,
        "lot_decimals": 8,
        "ordermin": "2",
        "costmin": "0.5",
        "tick_size": "0.0001",
        "status": "online",
    }
    for number in range(150)
}
CONTRACT = {
    "symbol": "PF_NEWUSD",
    "type": "flexible_futures",
    "tickSize": 0.001,
    "contractSize": 1,
    "impactMidSize": 6700.0,
    "contractValueTradePrecision": 0,
    "base": "NEW",
    "quote": "USD",
    "tradeable": True,
}


@pytest.fixture
def simulators() -> dict[str, SimulatorSpec]:
    return {name: spec.simulator for name, spec in simulated_venues().items() if spec.simulator is not None}


@pytest.fixture
def lists(tmp_path: Path) -> list[Path]:
    """Two files, one of each venue."""
    (tmp_path / "pairs.json").write_text(json.dumps({"error": [], "result": PAIRS}))
    expired = {**CONTRACT, "symbol": "PF_OLDUSD", "isExpired": True}
    (tmp_path / "contracts.json").write_text(json.dumps({"result": "success", "instruments": [CONTRACT, expired]}))
    return [tmp_path / "pairs.json", tmp_path / "contracts.json"]


def test_the_example_of_the_page_does_what_it_says(tmp_path: Path, simulators: dict[str, SimulatorSpec]) -> None:
    [text] = re.findall(r"^```dosini\n(.*?)^```$", PAGE, re.M | re.S)
    (tmp_path / "markets.toml").write_text(text)
    wanted = read_markets(tmp_path / "markets.toml", simulators)
    exchange = prepare(SimulatorLaunch(spec=simulators["spot"], markets=wanted["spot"]), ManualClock()).exchange
    bids, asks = exchange.book(Symbol.parse("BTC/USD"))
    assert abs(bids[0].price - 100_000) < 1000
    assert asks[0].price - bids[0].price >= Decimal("99")
    assert exchange.market(Symbol.parse("BTC/USD")).fees.taker == Decimal("0.002")
    assert exchange.market(Symbol.parse("ETH/USD")).instrument.status is InstrumentStatus.CANCEL_ONLY
    [everywhere] = wanted["futures"]
    assert everywhere.settings == {"volatility": Decimal("0.0005"), "depth": 50000}


def test_the_page_names_every_key() -> None:
    keys = [*SETTINGS, "price", "status", "maker_fee", "taker_fee"]
    assert [key for key in keys if f"`{key}`" not in PAGE] == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("[", "cannot be read", id="no TOML"),
        pytest.param("[[market]]", "'market' is not known; expected collateral, markets", id="another table"),
        pytest.param('[[markets]]\nsymbl = "BTC/USD"', "'symbl' is not known; expected correlation, depth", id="key"),
        pytest.param('[[markets]]\nsymbol = "BTC/XXX"', "no market BTC/XXX; expected one of BTC/USD", id="market"),
        pytest.param('[[markets]]\nvenue = "spot"\nsymbol = "BTC/USD:USD"', "spot: there is no market", id="elsewhere"),
        pytest.param('[[markets]]\nvenue = "moon"', "venue 'moon' is none of spot, futures", id="venue"),
        pytest.param("[[markets]]\nprice = 5", "expected its symbol too", id="a price of all"),
        pytest.param('[[markets]]\nsymbol = "BTC/USD"\nprice = 0', "price: 0 is not above zero", id="no price"),
        pytest.param("[[markets]]\nvolatility = 3", "market 1: volatility: 3 is not between 0 and 0.1", id="too wild"),
        pytest.param("[[markets]]\ndepth = true", "depth: True is bool", id="no number"),
        pytest.param("[[markets]]\nmaker_fee = 0.1", "maker_fee and taker_fee together", id="one fee"),
        pytest.param("[[markets]]\nmaker_fee = 0.1\ntaker_fee = 25", "taker_fee: 25 is not between", id="percent"),
        pytest.param('[[markets]]\nstatus = "closed"', "'closed' is none of online", id="status"),
        pytest.param(
            '[[markets]]\nvenue = "futures"\nstatus = "limit_only"', "futures has no limit_only", id="not there"
        ),
        pytest.param(
            "[[markets]]\nlevels = 1\n[[markets]]\nlevels = 0.5", "market 2: levels: 0.5 is no whole", id="half"
        ),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(
    tmp_path: Path, simulators: dict[str, SimulatorSpec], text: str, complaint: str
) -> None:
    (tmp_path / "markets.toml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        read_markets(tmp_path / "markets.toml", simulators)


def test_numbers_are_read_to_the_last_digit(tmp_path: Path, simulators: dict[str, SimulatorSpec]) -> None:
    text = '[[markets]]\nsymbol = "BTC/USD"\nprice = 100000.10\nmaker_fee = 0.1\ntaker_fee = "0.1"\nspread = 1e-4\n'
    (tmp_path / "markets.toml").write_text(text)
    [wanted] = read_markets(tmp_path / "markets.toml", simulators)["spot"]
    assert (str(wanted.price), wanted.settings) == ("100000.10", {"spread": Decimal("0.0001")})
    assert wanted.fees is not None
    assert wanted.fees.maker == wanted.fees.taker == Decimal("0.1")


def test_lists_are_known_by_what_is_in_them(
    lists: list[Path], simulators: dict[str, SimulatorSpec], capsys: pytest.CaptureFixture[str]
) -> None:
    listed = with_listing(lists, simulators)
    assert len(listed["spot"].markets) == 150
    assert [str(market.instrument.symbol) for market in listed["futures"].markets] == ["NEW/USD:USD"]
    assert "1 of what is listed is left out: PF_OLDUSD: ValueError: it is expired" in capsys.readouterr().err


def test_many_markets_have_thin_books_at_once(lists: list[Path], simulators: dict[str, SimulatorSpec]) -> None:
    exchange = prepare(SimulatorLaunch(spec=with_listing(lists, simulators)["spot"]), ManualClock()).exchange
    for market in exchange.markets():
        bids, asks = exchange.book(market.instrument.symbol)
        assert 8 <= len(bids) <= 10
        assert 8 <= len(asks) <= 10


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(None, "cannot be read", id="no file"),
        pytest.param("{}", "is none of spot, futures; expected a recorded answer", id="no list"),
        pytest.param(
            '{"result":{"ZUSD":{"altname":"USD"}}}', "none of the recorded answers lists markets", id="assets"
        ),
        pytest.param('{"instruments":[{"symbol":"A","type":"options"}]}', "A: ValueError: contracts of", id="nothing"),
    ],
)
def test_what_is_no_list_is_refused(
    tmp_path: Path, content: str | None, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "list.json"
    if content is not None:
        path.write_text(content)
    assert call(["simulate", "--listing", str(path)]) == 1
    assert complaint in " ".join(capsys.readouterr().err.split())


def test_a_listed_venue_can_be_saved_and_restored(tmp_path: Path, lists: list[Path]) -> None:
    state = tmp_path / "state.json"
    options = ("--listing", str(lists[0]), "--save", str(state))
    first = run_once(*options)
    again = run_once(*options, "--restore", str(state))
    assert again["spot"]["api_key"] == first["spot"]["api_key"]


def test_a_state_of_other_markets_is_refused(
    tmp_path: Path, lists: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state.json"
    run_once("--save", str(state))
    assert call(["simulate", "--listing", str(lists[0]), "--restore", str(state)]) == 1
    assert "it lacks N0/USD" in " ".join(capsys.readouterr().err.split())


def test_a_state_that_was_damaged_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state.json"
    run_once("--save", str(state))
    saved: dict[str, Any] = json.loads(state.read_text())
    del saved["venues"]["spot"]["wire"]["tokens"]
    saved["venues"]["futures"]["wire"]["limits"]["_pools"] = 5
    state.write_text(json.dumps(saved))
    assert call(["simulate", "--restore", str(state)]) == 1
    assert "saved state: " in capsys.readouterr().err
