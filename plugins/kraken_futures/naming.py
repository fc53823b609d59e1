"""Our names for Kraken Futures' contracts, from what ``instruments`` lists.

``PF_XBTUSD`` is BTC/USD:USD, ``PI_XBTUSD`` is BTC/USD:BTC, ``FF_`` and ``FI_`` are the dated ones. Assets
come from fields, the expiry from ``lastTradingTime``; the symbol's own letters only have to agree. Entries
that are no such contract, or that contradict themselves, are reported and left out.
See https://docs.kraken.com/api/docs/futures-api/trading/get-instruments
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import attrs
import msgspec

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.errors import ProtocolError
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_rfc3339
from kraken_futures.numbers import number
from kraken_futures.parse.rows import DAMAGE
from kraken_futures.wire import common as wire

ALIASES = {"XBT": "BTC", "XDG": "DOGE"}

# The quote and the settlement asset of a contract of which only the name is known.
UNKNOWN = "?"

# Flex balances show ten decimals.
ASSET_DECIMALS = 10


class _Family(NamedTuple):
    type: str
    inverse: bool
    dated: bool


_FAMILIES = {
    "PF": _Family("flexible_futures", inverse=False, dated=False),
    "FF": _Family("flexible_futures", inverse=False, dated=True),
    "PI": _Family("futures_inverse", inverse=True, dated=False),
    "FI": _Family("futures_inverse", inverse=True, dated=True),
}

_NAME = re.compile(r"[A-Za-z0-9._:-]{1,60}")
_DATE_CODE = re.compile(r"_(\d{6})$")
# Records from before 2023 name their assets nowhere but in the reference rate, which is always against the
# dollar.
_REFERENCE_RATE = re.compile(r"rr_(\w+)(usd)")


class _Left(Exception):
    """Why an entry is left out."""


def asset_code(name: str) -> str:
    """Return our code for an asset the venue writes ``XBT``, ``xbt`` or ``BTC``; ``AAPLx`` keeps its letters."""
    return ALIASES.get(name.upper(), name.upper() if name.islower() else name)


def asset(assets: AssetMap, name: str) -> str:
    """Return our code for *name*, and take it into the table if it is new: the venue lists its assets nowhere."""
    known = assets.get(name)
    if known is None:
        code = asset_code(name)
        known = assets.get(code) or Asset(code=code, venue_id=name, decimals=ASSET_DECIMALS)
        assets.add(known, [name])
    return known.code


def find(symbols: SymbolMap, name: str) -> Symbol | None:
    """Return our name for a contract in any letter case, or None."""
    return symbols.get(name) or symbols.get(name.upper())


def told(symbols: SymbolMap, name: str) -> Symbol | str:
    """Return our name for a contract in any letter case, or the venue's own for one that is in no list."""
    return find(symbols, name) or name


def venue_id(symbols: SymbolMap, symbol: Symbol | str) -> str:
    """Return the venue's spelling of one of our names.

    Raises:
        UnknownSymbol: When it is not listed.
        InvalidValue: When *symbol* is text of another form than ``BTC/USD:USD``.
    """
    return symbols.venue_id(Symbol.of(symbol))


def load(
    entries: Iterable[msgspec.Raw], suspended: frozenset[str], symbols: SymbolMap, assets: AssetMap
) -> tuple[list[Instrument], list[str]]:
    """Fill the tables from an instrument list.

    Args:
        suspended: Symbols, in upper case, that the tickers call suspended.

    Returns:
        The instruments, and a sentence for every entry that was left out or is odd.
    """
    instruments: dict[Symbol, Instrument] = {}
    reports: list[str] = []
    for raw in entries:
        label = "an entry"
        try:
            label = msgspec.json.decode(raw, type=wire.InstrumentName).symbol
            instrument = _instrument(msgspec.json.decode(raw, type=wire.Instrument), suspended, assets, reports)
        except (_Left, *DAMAGE) as problem:
            reports.append(f"{label} left out: {problem}")
            continue
        twin = instruments.setdefault(instrument.symbol, instrument)
        if twin is instrument:
            add(symbols, instrument)
        else:
            reports.append(f"{label} left out: {twin.venue_id} is {instrument.symbol} already")
    return list(instruments.values()), reports


def add(symbols: SymbolMap, instrument: Instrument) -> None:
    """Take one into the table, under its spelling in upper and lower case too."""
    name = instrument.venue_id
    symbols.add(instrument, names=(name.upper(), name.lower()))


def provisional(symbols: SymbolMap, name: str) -> Symbol:
    """Take a contract of which only the name is known, so that recordings can be read without an instrument list.

    Its base is the venue's name, to stay visible; its steps are placeholders.
    """
    symbol = Symbol(name, UNKNOWN, UNKNOWN)
    step = Decimal(1)
    add(symbols, Instrument(symbol=symbol, venue_id=name, tick_size=step, lot_size=step, min_quantity=step))
    return symbol


def stand_in(name: str) -> Instrument:
    """Return what stands for a contract that is in no list, so that what the account has of it can be shown.

    Its base is the venue's name, to stay visible; its steps are placeholders, and it cannot be traded.
    """
    step = Decimal(1)
    return Instrument(
        symbol=Symbol(name.upper(), UNKNOWN, UNKNOWN),
        venue_id=name,
        tick_size=step,
        lot_size=step,
        min_quantity=step,
        status=InstrumentStatus.OFFLINE,
        is_closed=True,
    )


def account_symbol(symbols: SymbolMap, name: str) -> Symbol | None:
    """Return our name for a contract that the account has something in; a stand-in for one that is listed nowhere.

    None as long as the lists may only be older than the contract.

    Raises:
        ProtocolError: Nothing can have that name.
    """
    if _NAME.fullmatch(name) is None:
        raise ProtocolError(f"{name[:60]!r} is no name of a contract")
    return find(symbols, name) or (stand_in(name).symbol if symbols.miss(name.upper()) else None)


def account_instrument(symbols: SymbolMap, symbol: Symbol) -> Instrument:
    """Return the instrument of what :func:`account_symbol` returned."""
    return symbols.instrument(symbol) if symbol in symbols else stand_in(symbol.base)


def missed(entries: Iterable[msgspec.Raw], symbols: SymbolMap, assets: AssetMap) -> None:
    """Take from a list of expired contracts those that the account has something in."""
    named = SymbolMap(symbols.venue)
    load(entries, frozenset(), named, assets)
    for instrument in named:
        # One that is gone never takes the place of one that is traded.
        if instrument.venue_id.upper() in symbols.unlisted and instrument.symbol not in symbols:
            add(symbols, attrs.evolve(instrument, status=InstrumentStatus.OFFLINE, is_closed=True))


def _instrument(raw: wire.Instrument, suspended: frozenset[str], assets: AssetMap, reports: list[str]) -> Instrument:
    family = _FAMILIES.get(raw.symbol.upper().partition("_")[0])
    if family is None or raw.type not in {"flexible_futures", "futures_inverse"}:
        raise _Left(f"contracts of type {raw.type} with such a symbol are not supported")
    if raw.type != family.type:
        raise _Left(f"the symbol says {family.type}, the type says {raw.type}")
    base, quote = _assets(raw, assets)
    expiry = _expiry(raw, family.dated, reports)
    settle = base if family.inverse else quote
    lot = _lot(raw)
    return Instrument(
        symbol=Symbol(base, quote, settle, expiry.date() if expiry else None),
        venue_id=raw.symbol,
        tick_size=number(raw.tick_size, "tickSize"),
        lot_size=lot,
        min_quantity=lot,
        contract_size=number(raw.contract_size, "contractSize"),
        status=_status(raw, raw.symbol.upper() in suspended),
        expiry=expiry,
        is_closed=_is_closed(raw),
    )


def _assets(raw: wire.Instrument, assets: AssetMap) -> tuple[str, str]:
    base, quote = raw.base, raw.quote
    if not (base and quote) and raw.pair:
        base, _, quote = raw.pair.partition(":")
    if not (base and quote) and raw.underlying:
        found = _REFERENCE_RATE.fullmatch(raw.underlying)
        base, quote = found.groups() if found else (None, None)
    if not (base and quote):
        raise _Left("neither base and quote, nor pair, nor a reference rate in dollars names its assets")
    return asset(assets, base), asset(assets, quote)


def _expiry(raw: wire.Instrument, dated: bool, reports: list[str]) -> datetime | None:
    if not dated:
        if raw.last_trading_time is not None:
            raise _Left(f"the symbol says perpetual, lastTradingTime says {raw.last_trading_time}")
        return None
    if raw.last_trading_time is None:
        raise _Left("the symbol says dated, and there is no lastTradingTime")
    expiry = from_rfc3339(raw.last_trading_time)
    code = _DATE_CODE.search(raw.symbol)
    if code is None or code[1] != f"{expiry:%y%m%d}":
        reports.append(f"{raw.symbol}: its date code is not the day of lastTradingTime {raw.last_trading_time}")
    return expiry


def _lot(raw: wire.Instrument) -> Decimal:
    """Return the step of sizes: -3 decimals is a step of 1000."""
    decimals = raw.contract_value_trade_precision
    if decimals is None:
        if raw.type != "futures_inverse":
            raise _Left("contractValueTradePrecision is missing")
        decimals = 0  # records from before it existed: whole contracts
    if not -12 <= decimals <= 18:
        raise _Left(f"contractValueTradePrecision is {decimals}; expected a few decimals")
    return Decimal(1).scaleb(-decimals)


def _is_closed(raw: wire.Instrument) -> bool:
    # "tradeable" stays true after expiry.
    return not raw.tradeable or raw.is_expired


def _status(raw: wire.Instrument, suspended: bool) -> InstrumentStatus:
    if _is_closed(raw) or suspended:
        return InstrumentStatus.OFFLINE
    return InstrumentStatus.POST_ONLY if raw.post_only else InstrumentStatus.ONLINE


def with_state(instrument: Instrument, suspended: bool, post_only: bool, now: datetime | None = None) -> Instrument:
    """Return *instrument* with the state that a ticker tells: it may end a halt, but nothing opens a closed market."""
    if instrument.is_closed:
        return instrument
    if instrument.expiry is not None and now is not None and now >= instrument.expiry:
        return attrs.evolve(instrument, status=InstrumentStatus.OFFLINE, is_closed=True)
    status = InstrumentStatus.POST_ONLY if post_only else InstrumentStatus.ONLINE
    return attrs.evolve(instrument, status=InstrumentStatus.OFFLINE if suspended else status)
