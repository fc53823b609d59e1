"""What ``exchange simulate --markets`` is told of what backs positions."""

from decimal import Decimal
from pathlib import Path

import pytest

from exchange_core.cli.simulate import simulated_venues
from exchange_core.cli.simulate_collateral import with_collateral
from exchange_core.cli.simulate_markets import read_markets
from exchange_core.connector.simulation import SimCollateral, SimulatorSpec
from exchange_core.errors import ConfigError

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "simulator.md").read_text("utf-8")


@pytest.fixture
def simulators() -> dict[str, SimulatorSpec]:
    return {name: spec.simulator for name, spec in simulated_venues().items() if spec.simulator is not None}


def of(simulators: dict[str, SimulatorSpec], asset: str) -> SimCollateral:
    return next(each for each in simulators["futures"].collateral if each.asset == asset)


def test_the_page_s_own_example_is_taken(tmp_path: Path, simulators: dict[str, SimulatorSpec]) -> None:
    example = next(text for text in PAGE.split("```conf\n")[1:] if text.startswith("[[collateral]]")).split("```")[0]
    path = tmp_path / "markets.toml"
    path.write_text(example)
    changed = with_collateral(path, simulators)
    euros, coins = of(changed, "EUR"), of(changed, "BTC.flex")
    assert (euros.price, euros.haircut, euros.spread) == (Decimal("1.17"), Decimal("0.02"), Decimal("0.0025"))
    assert (coins.haircut, coins.spread) == (Decimal("0.02"), of(simulators, "BTC.flex").spread)
    assert changed["spot"] is simulators["spot"]
    assert read_markets(path, changed) == {name: [] for name in changed}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('asset = "DOUBLOON"', "'DOUBLOON' backs nothing; expected one of BTC.flex, ETH, EUR"),
        ('asset = "EUR"\nhaircut = 1.5', "haircut: 1.5 is not from 0 to 1"),
        ('asset = "EUR"\nspread = -1', "spread: -1 is not from 0 to 0.5"),
        ('asset = "EUR"\nprice = -1', "price: -1 is not from 0 up"),
        ('asset = "BTC.flex"\nprice = 1', "price: that of BTC.flex is the index price of BTC/USD:USD"),
        ('asset = "EUR"\nhair = 1', "hair"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, simulators: dict[str, SimulatorSpec], row: str, words: str
) -> None:
    path = tmp_path / "markets.toml"
    path.write_text(f"[[collateral]]\n{row}\n")
    with pytest.raises(ConfigError, match=words):
        with_collateral(path, simulators)
