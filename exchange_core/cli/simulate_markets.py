"""What ``exchange simulate`` is told of its markets: how they shall be, and which there are."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from exchange_core.cli.output import reason, warn
from exchange_core.cli.simulate_files import check_known, tables
from exchange_core.connector.simulation import SimulatorSpec
from exchange_core.errors import ConfigError, ExchangeError
from exchange_core.model.account import FeeRates
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.number import exact
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.makers.settings import SETTINGS, MakerSettings, MarketWanted, check_listed

_KEYS = ("venue", "symbol", "price", "status", "maker_fee", "taker_fee", *SETTINGS)


def read_markets(path: Path, simulators: Mapping[str, SimulatorSpec]) -> dict[str, list[MarketWanted]]:
    """Return what markets of each venue are wanted to be like.

    Raises:
        ConfigError: The file cannot be read, or says something that is not known or makes no sense.
    """
    try:
        found = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {reason(error)}") from error
    check_known(found, {"markets", "collateral"}, str(path))
    wanted: dict[str, list[MarketWanted]] = {name: [] for name in simulators}
    for place, row in enumerate(tables(found, "markets", str(path)), 1):
        where = f"{path}: market {place}"
        check_known(row, set(_KEYS), where)
        try:
            each = _market(row)
            for name in _venues(row, each, simulators):
                if each.status is not None and each.status not in simulators[name].statuses:
                    raise ConfigError(
                        f"status: {name} has no {each.status}, but {', '.join(simulators[name].statuses)}"
                    )
                wanted[name].append(each)
        except ExchangeError as error:
            raise ConfigError(f"{where}: {error}") from error
    return wanted


def _market(row: Mapping[str, Any]) -> MarketWanted:
    settings = {name: row[name] for name in SETTINGS if name in row}
    MakerSettings().changed(settings)
    symbol = Symbol.of(row["symbol"]) if "symbol" in row else None
    if symbol is None and "price" in row:
        raise ConfigError("a price is that of one market; expected its symbol too")
    price = exact(row["price"], "price") if "price" in row else None
    if price is not None and price <= 0:
        raise ConfigError(f"price: {price} is not above zero")
    return MarketWanted(symbol=symbol, price=price, status=_status(row), fees=_fees(row), settings=settings)


def _status(row: Mapping[str, Any]) -> InstrumentStatus | None:
    if "status" not in row:
        return None
    try:
        return InstrumentStatus(row["status"])
    except ValueError:
        raise ConfigError(f"status: {row['status']!r} is none of {', '.join(InstrumentStatus)}") from None


def _fees(row: Mapping[str, Any]) -> FeeRates | None:
    given = [name for name in ("maker_fee", "taker_fee") if name in row]
    if not given:
        return None
    if len(given) == 1:
        raise ConfigError(f"{given[0]}: expected maker_fee and taker_fee together")
    maker, taker = (exact(row[name], name) for name in given)
    for name, rate in zip(given, (maker, taker), strict=True):
        if abs(rate) > Decimal("0.1"):
            raise ConfigError(f"{name}: {rate} is not between -0.1 and 0.1; 0.0025 is a quarter of a percent")
    return FeeRates(maker=maker, taker=taker)


def _venues(row: Mapping[str, Any], wanted: MarketWanted, simulators: Mapping[str, SimulatorSpec]) -> list[str]:
    """Return the venues that a row is about: the one it names, else all that have its market."""
    venue = row.get("venue")
    if venue is not None and venue not in simulators:
        raise ConfigError(f"venue {venue!r} is none of {', '.join(simulators)}")
    listed = {name: {market.instrument.symbol: market for market in each.markets} for name, each in simulators.items()}
    if venue is not None:
        check_listed(wanted, listed[venue], venue)
        return [venue]
    having = [name for name, symbols in listed.items() if wanted.symbol is None or wanted.symbol in symbols]
    if not having:
        check_listed(
            wanted, {symbol: each for symbols in listed.values() for symbol, each in symbols.items()}, ", ".join(listed)
        )
    return having


def with_listing(paths: Iterable[Path], simulators: Mapping[str, SimulatorSpec]) -> dict[str, SimulatorSpec]:
    """Return the venues, with the markets that recorded answers of theirs list instead of the built-in ones.

    Raises:
        ConfigError: A file cannot be read, is no list of any venue, or lists no market.
    """
    answers: dict[str, list[bytes]] = {}
    for path in paths:
        try:
            answer = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"--listing {path}: cannot be read: {error.strerror or error}") from error
        whose = [name for name, each in simulators.items() if each.lists(answer)]
        if len(whose) != 1:
            what = f"one of {' and '.join(whose)} at once" if whose else f"none of {', '.join(simulators)}"
            raise ConfigError(f"--listing {path}: is {what}; expected a recorded answer of a venue's public lists")
        answers.setdefault(whose[0], []).append(answer)
    try:
        return {name: _listed(each, answers[name]) if name in answers else each for name, each in simulators.items()}
    except ConfigError as error:
        raise ConfigError(f"--listing: {error}") from error


def _listed(simulator: SimulatorSpec, answers: list[bytes]) -> SimulatorSpec:
    assert simulator.listed is not None
    made = simulator.listed(answers)
    few = "; ".join(f"{name}: {why}" for name, why in list(made.left_out.items())[:3])
    if not made.markets:
        raise ConfigError(f"{simulator.section}: nothing could be made of any market: {few}")
    if made.left_out:
        warn(f"{simulator.section}: {len(made.left_out)} of what is listed is left out: {few}")
    return made
