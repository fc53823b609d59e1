"""What the simulated Kraken Futures trades and what its accounts start with.

Steps, symbols and margins are those of the live venue in September 2026; prices are near those of then.
See https://docs.kraken.com/api/docs/futures-api/trading/get-instruments
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from exchange_core.connector.simulation import Reducing, SimFeeTier, SimMarginLevel, SimMarket
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.symbol import Symbol
from kraken_futures.simulator.money.collateral import collateral, with_collateral

FEES = FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0005"))


def _tier(millions: str, maker: str, taker: str) -> SimFeeTier:
    """Return the fees from a volume on, which the venue tells in percent."""
    return SimFeeTier(
        volume=Decimal(millions).scaleb(6),
        fees=FeeRates(maker=Decimal(maker).scaleb(-2), taker=Decimal(taker).scaleb(-2)),
    )


# By dollars traded in 30 days, as https://support.kraken.com/articles/360048917612-fee-schedule had it in March 2026.
# Open point: feeschedules told other tiers in September 2026, when they were not those charged any more.
FEE_TIERS = (
    _tier("2.5", "0.0150", "0.0450"),
    _tier("5", "0.0125", "0.0400"),
    _tier("10", "0.0100", "0.0350"),
    _tier("20", "0.0075", "0.0300"),
    _tier("30", "0.0050", "0.0250"),
    _tier("50", "0.0030", "0.0200"),
    _tier("75", "0.0015", "0.0150"),
    _tier("100", "0.0000", "0.0125"),
    _tier("250", "-0.0015", "0.0100"),
    _tier("500", "-0.0030", "0.0100"),
    _tier("1000", "-0.0050", "0.0100"),
)

USUAL_ASSETS = (
    Asset(code="USD", venue_id="USD", decimals=8),
    Asset(code="BTC", venue_id="XBT", decimals=10),
    Asset(code="ETH", venue_id="ETH", decimals=10),
)
"""What accounts start with, and what built-in contracts are of."""

MARKET_BAND = Decimal("0.01")
"""How far beyond the best price market orders execute."""

FUNDING_COEFFICIENT = 8
"""As ``instruments`` told it in September 2026; taken here as what the average premium of an hour is divided by."""

MARK_BAND = Decimal("0.01")
"""How far the mark price of a perpetual may be from its index."""

SETTLEMENT_MINUTES = 30
"""Linear contracts with a date are settled at the average of the index over so long."""

STATUSES = (
    InstrumentStatus.ONLINE,
    InstrumentStatus.POST_ONLY,
    InstrumentStatus.CANCEL_ONLY,
    InstrumentStatus.OFFLINE,
)
"""What the venue's words can say of a market: open, post-only, suspended, inactive."""

DEPOSITS = {"USD": Decimal("50000"), "BTC": Decimal("0.5")}


class Bits(Protocol):
    """What is needed of a source of randomness."""

    def getrandbits(self, k: int, /) -> int: ...


def _levels(*rows: tuple[int, str]) -> tuple[SimMarginLevel, ...]:
    """Return margin levels; to keep a position takes half of what it takes to open it."""
    return tuple(
        SimMarginLevel(size=Decimal(size), initial=Decimal(initial), maintenance=Decimal(initial) / 2)
        for size, initial in rows
    )


_LINEAR = _levels((0, "0.02"), (2_000_000, "0.04"))
_INVERSE = _levels((0, "0.02"), (500_000, "0.04"))
_BITCOIN = _levels((0, "0.01"), (1_000_000, "0.02"), (3_000_000, "0.04"))


def _market(
    symbol: str,
    venue_id: str,
    tick: str,
    lot: str,
    price: str,
    levels: tuple[SimMarginLevel, ...],
    expiry: datetime | None = None,
) -> SimMarket:
    return SimMarket(
        instrument=Instrument(
            symbol=Symbol.parse(symbol),
            venue_id=venue_id,
            tick_size=Decimal(tick),
            lot_size=Decimal(lot),
            min_quantity=Decimal(lot),
            expiry=expiry,
        ),
        start_price=Decimal(price),
        fees=FEES,
        fee_tiers=FEE_TIERS,
        margin_levels=levels,
        max_funding=Decimal("0.005"),
        market_band=MARKET_BAND,
        reducing=Reducing.CUT,
        funding_coefficient=FUNDING_COEFFICIENT,
        mark_band=MARK_BAND if expiry is None else None,
        settlement_minutes=SETTLEMENT_MINUTES,
    )


_CHRISTMAS = datetime(2026, 12, 25, 8, tzinfo=UTC)  # linear contracts with a date stop at 08:00 UTC

MARKETS = (
    _market("BTC/USD:USD", "PF_XBTUSD", "1", "0.0001", "84000", _BITCOIN),
    _market("ETH/USD:USD", "PF_ETHUSD", "0.1", "0.001", "2650", _LINEAR),
    _market("BTC/USD:BTC", "PI_XBTUSD", "0.5", "1", "84000", _INVERSE),
    _market("BTC/USD:USD-261225", "FF_XBTUSD_261225", "1", "0.0001", "85000", _LINEAR, _CHRISTMAS),
)


ASSETS = with_collateral(USUAL_ASSETS, MARKETS)
COLLATERAL = collateral(MARKETS)


def urls(host: str) -> dict[str, str]:
    """Return the addresses of a simulated venue at *host*; one port serves them all."""
    rest = f"http://{host}"
    return {"rest_url": rest, "ws_url": f"ws://{host}/ws/v1", "history_url": rest, "charts_url": rest}


def new_uuid(random: Bits) -> str:
    """Return an id as the venue makes them for everything."""
    return str(UUID(int=random.getrandbits(128), version=4))


def secret(random: Bits) -> str:
    """Return an API secret: base64 of 66 bytes."""
    return b64encode(random.getrandbits(528).to_bytes(66, "big")).decode()
