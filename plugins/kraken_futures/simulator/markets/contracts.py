"""The contracts under the venue's names, and what its lists say about them.

See https://docs.kraken.com/api/docs/futures-api/trading/get-instruments
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import attrs

from exchange_core.connector.simulation import SimExchange, SimMarginLevel, SimMarket
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.number import nearest
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import to_rfc3339
from kraken_futures.simulator.codec import as_told, number, real
from kraken_futures.simulator.markets.traded import MARKET_BAND
from kraken_futures.simulator.money.collateral import coin_of

Row = Mapping[str, Any]

LINEAR = "flexible_futures"
INVERSE = "futures_inverse"

_OLD_CODES = {"BTC": "XBT", "DOGE": "XDG"}
_NEW_CODES = {old: new for new, old in _OLD_CODES.items()}
_LEVELS = (SimMarginLevel(size=Decimal(0), initial=Decimal("0.02"), maintenance=Decimal("0.01")),)
_LARGEST_IN_LOTS = 10_000_000
_SCHEDULE_NAMES = ("Linear Multi-Collateral Rebate Fees", "Inverse Single-Collateral Rebate Fees")
_FEE_SCHEDULES = {LINEAR: "723888f7-0a8e-4183-8648-f920a22339e3", INVERSE: "a6cbc326-9477-4a6c-911a-d4cb3ed7481e"}


def old_code(code: str) -> str:
    """Return the code that the venue still uses in symbols and wallets: ``XBT``, in whichever wallet it is."""
    coin = coin_of(code)
    return _OLD_CODES.get(coin, coin)


def new_code(code: str) -> str:
    """Return our code of an asset in the venue's spelling, in any letter case."""
    return _NEW_CODES.get(code.upper(), code.upper())


@attrs.frozen(eq=False)
class Contract:
    """One market and its names.

    Attributes:
        id: ``PF_XBTUSD``.
        fee_schedule: Id of the schedule of its fees.
        row: What a recorded list says of it.
    """

    exchange: SimExchange
    symbol: Symbol
    id: str
    fee_schedule: str
    row: Row = attrs.field(factory=dict)

    @property
    def market(self) -> SimMarket:
        return self.exchange.market(self.symbol)

    @property
    def instrument(self) -> Instrument:
        return self.market.instrument

    @property
    def kind(self) -> str:
        return INVERSE if self.symbol.is_inverse else LINEAR

    @property
    def settle(self) -> str:
        return self.symbol.settle or self.symbol.quote

    @property
    def is_perpetual(self) -> bool:
        return self.symbol.expiry is None

    @property
    def tag(self) -> str:
        return "perpetual" if self.is_perpetual else "quarter"

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

    @property
    def levels(self) -> Sequence[SimMarginLevel]:
        return self.market.margin_levels or _LEVELS

    @property
    def largest_position(self) -> Decimal:
        told = self.row.get("maxPositionSize")
        return self.instrument.lot_size * _LARGEST_IN_LOTS if told is None else Decimal(told)

    @property
    def wallet(self) -> str:
        """Return the name of the wallet that backs it, as ``accounts`` has it."""
        return f"fi_{old_code(self.settle)}usd".lower() if self.symbol.is_inverse else "flex"

    def mark(self) -> Decimal:
        return self.exchange.mark_price(self.symbol)

    def level_of(self, quantity: Decimal, price: Decimal) -> SimMarginLevel:
        """Return the margin of a position of *quantity*."""
        size = abs(quantity) if self.symbol.is_inverse else abs(self.value(quantity, price))
        return next((level for level in reversed(self.levels) if level.size <= size), self.levels[0])

    def market_order_limit(self, side: Side, mark: Decimal) -> Decimal:
        """Return what to tell as the limit of a market order that met nothing: 1 % from the mark price."""
        tick = self.instrument.tick_size
        return max(nearest(mark * (1 + MARKET_BAND * side.sign), tick), tick)

    def value(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return what *quantity* is worth, in the settlement asset."""
        size = quantity * self.instrument.contract_size
        return size / price if self.symbol.is_inverse else size * price


class Contracts:
    """All contracts of an exchange.

    Attributes:
        fee_schedules: One market of each schedule, by the schedule's id.
        inverse_coins: Coins with a wallet of their own.
        flex: Assets of the exchange that the multi-collateral wallet takes, by our code of the currency.
    """

    def __init__(self, exchange: SimExchange, rows: Mapping[str, Row] | None = None) -> None:
        self.fee_schedules: dict[str, SimMarket] = {}
        self._by_symbol = {
            market.instrument.symbol: self._contract(exchange, market, (rows or {}).get(market.instrument.venue_id, {}))
            for market in exchange.markets()
        }
        self._by_id = {contract.id.lower(): contract for contract in self}
        self.inverse_coins = {contract.settle for contract in self if contract.symbol.is_inverse}
        self.flex = {contract.settle: contract.settle for contract in self if not contract.symbol.is_inverse}
        self.flex |= {coin_of(each.asset): each.asset for each in exchange.collateral_assets()}

    def __iter__(self) -> Iterator[Contract]:
        return iter(self._by_symbol.values())

    def _contract(self, exchange: SimExchange, market: SimMarket, row: Row) -> Contract:
        symbol, name = market.instrument.symbol, market.instrument.venue_id
        usual = _FEE_SCHEDULES[INVERSE if symbol.is_inverse else LINEAR]
        schedule = self._schedule(str(row.get("feeScheduleUid") or usual), market)
        return Contract(exchange, symbol, name, schedule, row)

    def _schedule(self, uid: str, market: SimMarket) -> str:
        """Return the id of the schedule that *market* has; one with fees of its own has a schedule of its own."""
        first = self.fee_schedules.setdefault(uid, market)
        if (first.fees, tuple(first.fee_tiers)) == (market.fees, tuple(market.fee_tiers)):
            return uid
        return self._schedule(str(uuid5(NAMESPACE_OID, f"{uid} {market.fees} {market.fee_tiers}")), market)

    def of(self, symbol: Symbol) -> Contract:
        return self._by_symbol[symbol]

    def find(self, name: str) -> Contract | None:
        """Return the contract of a symbol in any letter case, or None."""
        return self._by_id.get(name.lower())


def listing(contract: Contract, now: datetime) -> dict[str, Any]:
    """Return the entry of ``instruments``."""
    if contract.row:
        told = {name: as_told(value) for name, value in contract.row.items()}
        return told | _state(contract, now)
    market, symbol = contract.market, contract.symbol
    instrument = market.instrument
    exponent = instrument.lot_size.normalize().as_tuple().exponent
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
        "maxPositionSize": real(contract.largest_position),
        "openingDate": "2022-03-22T13:15:36Z",
        "marginLevels": [_level(contract, level) for level in contract.levels],
    }
    if contract.is_perpetual:
        entry |= {
            "fundingRateCoefficient": market.funding_coefficient,
            "maxRelativeFundingRate": real(market.max_funding),
        }
    return entry | {
        "contractValueTradePrecision": -exponent if isinstance(exponent, int) else 0,
        "feeScheduleUid": contract.fee_schedule,
        "mtf": True,
        "base": symbol.base,
        "quote": symbol.quote,
        "pair": contract.pair,
        "category": "Layer 1",
        "tradfi": False,
        **_state(contract, now),
    }


def _state(contract: Contract, now: datetime) -> dict[str, Any]:
    """Return what may change of an entry, and what tells the fees."""
    return {
        "tradeable": True,
        "postOnly": contract.instrument.status is InstrumentStatus.POST_ONLY,
        "feeScheduleUid": contract.fee_schedule,
        "isExpired": is_expired(contract, now),
    }


def _level(contract: Contract, level: SimMarginLevel) -> dict[str, Any]:
    inverse = contract.kind == INVERSE
    return {
        "contracts" if inverse else "numNonContractUnits": number(level.size) if inverse else real(level.size),
        "initialMargin": real(level.initial),
        "maintenanceMargin": real(level.maintenance),
    }


def is_expired(contract: Contract, now: datetime) -> bool:
    return contract.instrument.expiry is not None and now >= contract.instrument.expiry


def is_suspended(contract: Contract) -> bool:
    return contract.instrument.status in (InstrumentStatus.OFFLINE, InstrumentStatus.CANCEL_ONLY)


def fee_schedules(contracts: Contracts) -> list[dict[str, Any]]:
    """Return one schedule for each kind of contract, in percent; more where markets have fees of their own."""
    return [
        {"uid": uid, "name": _SCHEDULE_NAMES[market.instrument.is_inverse], "tiers": _tiers(market)}
        for uid, market in contracts.fee_schedules.items()
    ]


def _tiers(market: SimMarket) -> list[dict[str, Any]]:
    steps = [(Decimal(0), market.fees), *((tier.volume, tier.fees) for tier in market.fee_tiers)]
    return [
        {"makerFee": real(fees.maker * 100), "takerFee": real(fees.taker * 100), "usdVolume": real(volume)}
        for volume, fees in steps
    ]


def fee_volumes(contracts: Contracts, volume: Decimal) -> dict[str, Any]:
    """Return what was traded in 30 days under each schedule; the exchange counts it as one."""
    return {uid: real(volume) for uid in contracts.fee_schedules}
