"""Contracts from recorded answers of ``instruments``, hundreds of them if need be.

See https://docs.kraken.com/api/docs/futures-api/trading/get-instruments
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import attrs

from exchange_core.connector.simulation import Reducing, SimFeeTier, SimMarginLevel, SimMarket
from exchange_core.errors import ConfigError
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.number import nearest
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339
from kraken_futures.simulator.codec import decode
from kraken_futures.simulator.markets.contracts import INVERSE, LINEAR, Row, new_code, old_code
from kraken_futures.simulator.markets.traded import (
    FEE_TIERS,
    FEES,
    FUNDING_COEFFICIENT,
    MARK_BAND,
    MARKET_BAND,
    MARKETS,
    SETTLEMENT_MINUTES,
    USUAL_ASSETS,
)
from kraken_futures.simulator.money.collateral import with_collateral

_KINDS = ("instruments", "tickers", "feeSchedules")
_DECIMALS = 10
# Sizes that the venue calls impactMidSize were worth about so many dollars in September 2026, in every linear contract.
_IMPACT = Decimal(6700)


@attrs.frozen(kw_only=True)
class Recorded:
    """What recorded answers make.

    Attributes:
        rows: What the venue lists beyond what the exchange needs to know, by symbol.
        skipped: Symbols that nothing could be made of, and why.
    """

    rows: Mapping[str, Row]
    assets: tuple[Asset, ...]
    markets: tuple[SimMarket, ...]
    skipped: Mapping[str, str]


def recognised(answers: Iterable[bytes | str]) -> Recorded:
    """Return the markets of recorded answers of ``instruments``, ``tickers`` and ``feeschedules``, in any order.

    Raises:
        ConfigError: When one is none of these, or none is an answer of ``instruments``.
    """
    found: dict[str, list[Row]] = {kind: [] for kind in _KINDS}
    for place, answer in enumerate(answers, 1):
        kind, those = _read(answer, f"answer {place}")
        found[kind] += those
    if not found["instruments"]:
        raise ConfigError("none of the recorded answers lists markets; expected one of instruments")
    symbols: set[Symbol] = set()
    instruments: dict[str, Instrument] = {}
    rows: dict[str, Row] = {}
    skipped: dict[str, str] = {}
    for row in found["instruments"]:
        name = str(row.get("symbol"))
        try:
            instrument = _instrument(row)
        except (KeyError, ArithmeticError, TypeError, ValueError) as error:
            skipped[name] = f"{type(error).__name__}: {error}"
            continue
        if instrument.symbol in symbols:
            skipped[name] = f"another {instrument.symbol}"
        else:
            symbols.add(instrument.symbol)
            instruments[name], rows[name] = instrument, row
    schedules = {str(each.get("uid")): _tiers(each) for each in found["feeSchedules"]}
    prices = _prices(instruments, rows, _marks(found["tickers"]))
    markets = tuple(
        _market(instrument, rows[name], prices[name], schedules) for name, instrument in instruments.items()
    )
    return Recorded(
        rows=rows,
        assets=with_collateral(_assets(instruments.values()), markets),
        markets=markets,
        skipped=skipped,
    )


def is_list(answer: bytes) -> bool:
    """Whether it is an answer that :func:`recognised` takes."""
    try:
        _read(answer, "")
    except ConfigError:
        return False
    return True


def _read(answer: bytes | str, what: str) -> tuple[str, list[Row]]:
    expected = f"{what}: expected a recorded answer of instruments, tickers or feeschedules"
    try:
        body = decode(answer.decode() if isinstance(answer, bytes) else answer)
        kind = next(kind for kind in _KINDS if kind in body)
    except (ValueError, TypeError, StopIteration) as error:
        raise ConfigError(expected) from error
    rows = body[kind]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{expected}, with a list of rows as {kind}")
    return kind, rows


def _instrument(row: Row) -> Instrument:
    if row.get("isExpired"):
        raise ValueError("it is expired")
    if row["type"] not in (LINEAR, INVERSE):
        raise ValueError(f"contracts of type {row['type']} are not simulated")
    base, quote = _pair(row)
    expiry: datetime | None = from_rfc3339(row["lastTradingTime"]) if "lastTradingTime" in row else None
    lot = Decimal(1).scaleb(-int(row.get("contractValueTradePrecision", 0)))
    settle = base if row["type"] == INVERSE else quote
    return Instrument(
        symbol=Symbol(base, quote, settle, None if expiry is None else expiry.date()),
        venue_id=str(row["symbol"]),
        tick_size=Decimal(row["tickSize"]),
        lot_size=lot,
        min_quantity=lot,
        contract_size=Decimal(row["contractSize"]),
        status=_status(row),
        expiry=expiry,
    )


def _pair(row: Row) -> tuple[str, str]:
    base, quote = row.get("base"), row.get("quote")
    if not (base and quote):
        base, _, quote = str(row["pair"]).partition(":")
    return _code(str(base)), _code(str(quote))


def _code(name: str) -> str:
    """Return our code; what stands for a share keeps its small x."""
    return new_code(name) if name in (name.upper(), name.lower()) else name


def _status(row: Row) -> InstrumentStatus:
    if not row.get("tradeable", True):
        return InstrumentStatus.OFFLINE
    return InstrumentStatus.POST_ONLY if row.get("postOnly") else InstrumentStatus.ONLINE


def _market(instrument: Instrument, row: Row, price: Decimal, schedules: Mapping[str, list[SimFeeTier]]) -> SimMarket:
    base, *tiers = schedules.get(str(row.get("feeScheduleUid"))) or [
        SimFeeTier(volume=Decimal(0), fees=FEES),
        *FEE_TIERS,
    ]
    return SimMarket(
        instrument=instrument,
        start_price=max(nearest(price, instrument.tick_size), instrument.tick_size),
        fees=base.fees,
        fee_tiers=tiers,
        margin_levels=_levels(row),
        max_funding=Decimal(row.get("maxRelativeFundingRate") or "0.005"),
        market_band=MARKET_BAND,
        reducing=Reducing.CUT,
        funding_coefficient=max(1, int(row.get("fundingRateCoefficient") or FUNDING_COEFFICIENT)),
        mark_band=MARK_BAND if instrument.expiry is None else None,
        settlement_minutes=0 if instrument.is_inverse else SETTLEMENT_MINUTES,
    )


def _levels(row: Row) -> tuple[SimMarginLevel, ...]:
    levels = [
        SimMarginLevel(
            size=Decimal(level.get("contracts", level.get("numNonContractUnits", 0))),
            initial=Decimal(level["initialMargin"]),
            maintenance=Decimal(level["maintenanceMargin"]),
        )
        for level in row.get("marginLevels") or row.get("retailMarginLevels") or ()
    ]
    return tuple(sorted(levels, key=lambda level: level.size))


def _tiers(schedule: Row) -> list[SimFeeTier]:
    try:
        tiers = [
            SimFeeTier(
                volume=Decimal(tier["usdVolume"]),
                fees=FeeRates(maker=Decimal(tier["makerFee"]) / 100, taker=Decimal(tier["takerFee"]) / 100),
            )
            for tier in schedule["tiers"]
        ]
    except (KeyError, ArithmeticError, TypeError, ValueError) as error:
        raise ConfigError(f"fee schedule {schedule.get('uid')}: expected tiers with usdVolume and fees") from error
    return sorted(tiers, key=lambda tier: tier.volume)


def _marks(tickers: Iterable[Row]) -> dict[str, Decimal]:
    """Return the prices that tickers told, by symbol."""
    told = {str(row.get("symbol")).upper(): row.get("markPrice") or row.get("last") or 0 for row in tickers}
    return {name: Decimal(price) for name, price in told.items() if isinstance(price, int | Decimal) and price > 0}


def _prices(
    instruments: Mapping[str, Instrument], rows: Mapping[str, Row], marks: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """Return a plausible price for every contract, so that the same coin costs about the same in all of them.

    That is what its own ticker told, else that of another contract on the same pair, else that of a built-in one, else
    what the size that the venue measures depth with tells.
    """
    known: dict[str, Decimal] = {}
    for name, instrument in instruments.items():
        size = Decimal(rows[name].get("impactMidSize") or 0)
        if size > 0 and not instrument.is_inverse:
            known.setdefault(_coins(instrument), _IMPACT / size)
    known |= {_coins(market.instrument): market.start_price for market in reversed(MARKETS)}
    known |= {_coins(each): marks[name.upper()] for name, each in instruments.items() if name.upper() in marks}
    return {
        name: marks.get(name.upper()) or known.get(_coins(each)) or each.tick_size * 1000
        for name, each in instruments.items()
    }


def _coins(instrument: Instrument) -> str:
    return f"{instrument.symbol.base}/{instrument.symbol.quote}"


def _assets(instruments: Iterable[Instrument]) -> tuple[Asset, ...]:
    """Return what contracts are quoted in and settled in, beside what accounts start with."""
    codes = {code: None for each in instruments for code in (each.symbol.quote, each.symbol.settle) if code}
    usual = {asset.code: asset for asset in USUAL_ASSETS}
    more = {code: Asset(code=code, venue_id=old_code(code), decimals=_DECIMALS) for code in codes if code not in usual}
    return (*usual.values(), *more.values())
