"""The contracts under the venue's names, and what its lists say about them.

See https://docs.kraken.com/api/docs/futures-api/trading/get-instruments
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from exchange_core.connector.simulation import SimExchange, SimMarket
from exchange_core.model.account import FeeRates
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.number import nearest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import to_rfc3339
from kraken_futures.simulator.codec import number, real

LINEAR = "flexible_futures"
INVERSE = "futures_inverse"
MARGIN = Decimal("0.02")
"""Initial margin; the maintenance margin is half of it."""

_OLD_CODES = {"BTC": "XBT", "DOGE": "XDG"}
_BAND = Decimal("0.01")
_FEE_SCHEDULES = {LINEAR: "723888f7-0a8e-4183-8648-f920a22339e3", INVERSE: "a6cbc326-9477-4a6c-911a-d4cb3ed7481e"}


def old_code(code: str) -> str:
    """Return the code that the venue still uses in symbols and wallets: ``XBT``."""
    return _OLD_CODES.get(code, code)


@attrs.frozen(eq=False)
class Contract:
    """One market and its names."""

    market: SimMarket

    @property
    def instrument(self) -> Instrument:
        return self.market.instrument

    @property
    def symbol(self) -> Symbol:
        return self.market.instrument.symbol

    @property
    def id(self) -> str:
        """``PF_XBTUSD``."""
        return self.market.instrument.venue_id

    @property
    def kind(self) -> str:
        return INVERSE if self.symbol.is_inverse else LINEAR

    @property
    def settle(self) -> str:
        return self.symbol.settle or self.symbol.quote

    @property
    def tag(self) -> str:
        return "perpetual" if self.symbol.expiry is None else "quarter"

    @property
    def pair(self) -> str:
        """``BTC:USD``, as REST says."""
        return f"{self.symbol.base}:{self.symbol.quote}"

    @property
    def old_pair(self) -> str:
        """``XBT:USD``, as WebSocket tickers still say."""
        return f"{old_code(self.symbol.base)}:{self.symbol.quote}"

    @property
    def index(self) -> str:
        """``in_xbtusd``, the index of its price."""
        return f"in_{old_code(self.symbol.base)}{self.symbol.quote}".lower()

    def market_order_limit(self, side: Side, mark: Decimal) -> Decimal:
        """Return the limit that the venue gives a market order: 1 % from the mark price."""
        limit = mark * (1 + _BAND * side.sign)
        return max(nearest(limit, self.instrument.tick_size), self.instrument.tick_size)

    def value(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return what *quantity* is worth, in the settlement asset."""
        size = quantity * self.instrument.contract_size
        return size / price if self.symbol.is_inverse else size * price

    def profit(self, quantity: Decimal, entry: Decimal, price: Decimal) -> Decimal:
        """Return what a position of *quantity* (below zero: short) has gained."""
        gained = self.value(quantity, price) - self.value(quantity, entry)
        return -gained if self.symbol.is_inverse else gained


class Contracts:
    """All contracts of an exchange."""

    def __init__(self, exchange: SimExchange) -> None:
        self._by_symbol = {market.instrument.symbol: Contract(market) for market in exchange.markets()}
        self._by_id = {contract.id.lower(): contract for contract in self}

    def __iter__(self) -> Iterator[Contract]:
        return iter(self._by_symbol.values())

    def of(self, symbol: Symbol) -> Contract:
        return self._by_symbol[symbol]

    def find(self, name: str) -> Contract | None:
        """Return the contract of a symbol in any letter case, or None."""
        return self._by_id.get(name.lower())


def listing(contract: Contract, now: datetime) -> dict[str, Any]:
    """Return the entry of ``instruments``."""
    instrument, symbol = contract.instrument, contract.symbol
    exponent = instrument.lot_size.normalize().as_tuple().exponent
    bound = {"contracts": 0} if contract.kind == INVERSE else {"numNonContractUnits": real(Decimal(0))}
    entry: dict[str, Any] = {"symbol": contract.id, "type": contract.kind}
    if contract.kind == INVERSE:
        entry["underlying"] = f"rr_{old_code(symbol.base)}{symbol.quote}".lower()
    if instrument.expiry is not None:
        entry["lastTradingTime"] = to_rfc3339(instrument.expiry, "seconds")
    entry |= {
        "tickSize": number(instrument.tick_size),
        "contractSize": number(instrument.contract_size),
        "tradeable": True,
        "impactMidSize": real(instrument.lot_size * 1000),
        "maxPositionSize": real(instrument.lot_size * 10_000_000),
        "openingDate": "2022-03-22T13:15:36Z",
        "marginLevels": [{**bound, "initialMargin": real(MARGIN), "maintenanceMargin": real(MARGIN / 2)}],
    }
    if symbol.expiry is None:
        entry |= {"fundingRateCoefficient": 8, "maxRelativeFundingRate": real(Decimal("0.005"))}
    return entry | {
        "contractValueTradePrecision": -exponent if isinstance(exponent, int) else 0,
        "postOnly": instrument.status is InstrumentStatus.POST_ONLY,
        "feeScheduleUid": _FEE_SCHEDULES[contract.kind],
        "mtf": True,
        "base": symbol.base,
        "quote": symbol.quote,
        "pair": contract.pair,
        "category": "Layer 1",
        "tradfi": False,
        "isExpired": is_expired(contract, now),
    }


def is_expired(contract: Contract, now: datetime) -> bool:
    return contract.instrument.expiry is not None and now >= contract.instrument.expiry


def is_suspended(contract: Contract) -> bool:
    return contract.instrument.status in (InstrumentStatus.OFFLINE, InstrumentStatus.CANCEL_ONLY)


def fee_schedules(contracts: Contracts) -> list[dict[str, Any]]:
    """Return one schedule of one step for each kind of contract, in percent."""
    fees = {contract.kind: contract.market.fees for contract in contracts}
    names = {LINEAR: "Linear Multi-Collateral Rebate Fees", INVERSE: "Inverse Single-Collateral Rebate Fees"}
    return [{"uid": _FEE_SCHEDULES[kind], "name": names[kind], "tiers": [_tier(rates)]} for kind, rates in fees.items()]


def _tier(rates: FeeRates) -> dict[str, Any]:
    return {"makerFee": real(rates.maker * 100), "takerFee": real(rates.taker * 100), "usdVolume": real(Decimal(0))}
