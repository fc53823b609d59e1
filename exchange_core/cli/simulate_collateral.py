"""What ``exchange simulate --markets`` is told of collateral: prices, haircuts, and what conversions cost."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from exchange_core.cli.simulate_files import check_known, tables
from exchange_core.connector.simulation import SimCollateral, SimulatorSpec
from exchange_core.errors import ConfigError, ExchangeError
from exchange_core.model.number import exact

_NUMBERS = {"price": None, "haircut": Decimal(1), "spread": Decimal("0.5")}
"""What can be set, and the most it can be."""


def with_collateral(path: Path, simulators: Mapping[str, SimulatorSpec]) -> dict[str, SimulatorSpec]:
    """Return the venues with the collateral that a markets file wants to be other than usual.

    Raises:
        ConfigError: The file cannot be read, or names what backs nothing or makes no sense.
    """
    try:
        found = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    changed = dict(simulators)
    for place, row in enumerate(tables(found, "collateral", str(path)), 1):
        where = f"{path}: collateral {place}"
        check_known(row, {"asset", *_NUMBERS}, where)
        asset = str(row.get("asset", ""))
        having = [name for name, each in changed.items() if asset in {one.asset for one in each.collateral}]
        if not having:
            known = sorted({one.asset for each in changed.values() for one in each.collateral})
            raise ConfigError(f"{where}: {asset!r} backs nothing; expected one of {', '.join(known) or 'none'}")
        for name in having:
            try:
                collateral = tuple(
                    _changed(each, row) if each.asset == asset else each for each in changed[name].collateral
                )
            except ExchangeError as error:
                raise ConfigError(f"{where}: {error}") from error
            changed[name] = attrs.evolve(changed[name], collateral=collateral)
    return changed


def _changed(collateral: SimCollateral, row: Mapping[str, Any]) -> SimCollateral:
    numbers: dict[str, Any] = {name: exact(row[name], name) for name in _NUMBERS if name in row}
    for name, number in numbers.items():
        most = _NUMBERS[name]
        if number < 0 or (most is not None and number > most):
            raise ConfigError(f"{name}: {number} is not from 0" + (f" to {most}" if most is not None else " up"))
    if "price" in numbers and collateral.market is not None:
        raise ConfigError(f"price: that of {collateral.asset} is the index price of {collateral.market}")
    return attrs.evolve(collateral, **numbers)
