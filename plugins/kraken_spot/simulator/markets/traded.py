"""What the simulated Kraken Spot trades and what its accounts start with.

Precisions and minimums are those of the live venue in September 2026; prices are near those of then.
See https://docs.kraken.com/api-reference/market-data/get-tradable-asset-pairs
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from decimal import Decimal
from typing import Protocol

from exchange_core.connector.simulation import SimFeeTier, SimMarket
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument
from exchange_core.model.symbol import Symbol

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
FEES = FeeRates(maker=Decimal("0.0025"), taker=Decimal("0.004"))


def _tier(volume: int, maker: str, taker: str) -> SimFeeTier:
    """Return the fees from a volume on, which the venue tells in percent."""
    return SimFeeTier(
        volume=Decimal(volume), fees=FeeRates(maker=Decimal(maker).scaleb(-2), taker=Decimal(taker).scaleb(-2))
    )


# By dollars traded in 30 days, as AssetPairs told them in November 2025. Open point: two sources report 0.40 and 0.80
# below the first of them since July 2026.
FEE_TIERS = (
    _tier(10_000, "0.20", "0.35"),
    _tier(50_000, "0.14", "0.24"),
    _tier(100_000, "0.12", "0.22"),
    _tier(250_000, "0.10", "0.20"),
    _tier(500_000, "0.08", "0.18"),
    _tier(1_000_000, "0.06", "0.16"),
    _tier(2_500_000, "0.04", "0.14"),
    _tier(5_000_000, "0.02", "0.12"),
    _tier(10_000_000, "0.00", "0.10"),
)

ASSETS = (
    Asset(code="USD", venue_id="ZUSD", decimals=4),
    Asset(code="EUR", venue_id="ZEUR", decimals=4),
    Asset(code="BTC", venue_id="XXBT", decimals=10),
    Asset(code="ETH", venue_id="XETH", decimals=10),
    Asset(code="SOL", venue_id="SOL", decimals=10),
)

DEPOSITS = {
    "USD": Decimal("50000"),
    "EUR": Decimal("20000"),
    "BTC": Decimal("1"),
    "ETH": Decimal("10"),
    "SOL": Decimal("100"),
}


class Bits(Protocol):
    """What is needed of a source of randomness."""

    def getrandbits(self, k: int, /) -> int: ...


def cost_decimals(quote: str) -> int:
    """Return how many decimals of a cost the pairs show that are paid in *quote*."""
    return 10 if quote in ("BTC", "ETH") else 5


def _market(symbol: str, venue_id: str, tick: str, least: str, least_cost: str, price: str, leverage: int) -> SimMarket:
    return SimMarket(
        instrument=Instrument(
            symbol=Symbol.parse(symbol),
            venue_id=venue_id,
            tick_size=Decimal(tick),
            lot_size=Decimal("0.00000001"),
            min_quantity=Decimal(least),
            min_cost=Decimal(least_cost),
        ),
        start_price=Decimal(price),
        fees=FEES,
        fee_tiers=FEE_TIERS,
        leverages=range(2, leverage + 1),
        rollover=Decimal("0.0002"),
        cost_decimals=cost_decimals(Symbol.parse(symbol).quote),
    )


MARKETS = (
    _market("BTC/USD", "XXBTZUSD", "0.1", "0.00005", "0.5", "84000.0", 10),
    _market("ETH/USD", "XETHZUSD", "0.01", "0.001", "0.5", "2650.00", 10),
    _market("ETH/BTC", "XETHXXBT", "0.000001", "0.001", "0.00002", "0.031550", 5),
    _market("SOL/USD", "SOLUSD", "0.01", "0.06", "0.5", "140.00", 10),
    _market("BTC/EUR", "XXBTZEUR", "0.1", "0.00005", "0.45", "71500.0", 5),
)


def urls(host: str) -> dict[str, str]:
    """Return the addresses of a simulated venue at *host*; one port serves them all.

    They end like the live ones, as there are clients that append ``/v2`` on their own.
    """
    return {
        "rest_url": f"http://{host}",
        "ws_url": f"ws://{host}/v2",
        "ws_auth_url": f"ws://{host}/auth/v2",
        "ws_l3_url": f"ws://{host}/l3/v2",
    }


def _id(random: Bits, first: str) -> str:
    letters = first + "".join(_ALPHABET[random.getrandbits(5)] for _ in range(16))
    return f"{letters[:6]}-{letters[6:11]}-{letters[11:]}"


def order_id(random: Bits) -> str:
    """Return an order's txid, such as ``OQCLML-BW3P3-BUCMWZ``."""
    return _id(random, "O")


def fill_id(random: Bits) -> str:
    """Return a trade's txid, such as ``THVRQM-33VKH-UCI7BS``."""
    return _id(random, "T")


def amend_id(random: Bits) -> str:
    """Return an amendment's id, which looks like that of a trade."""
    return _id(random, "T")


def funding_id(random: Bits) -> str:
    """Return the reference of a deposit, a withdrawal or a transfer, which is longer than other ids."""
    letters = "".join(_ALPHABET[random.getrandbits(5)] for _ in range(27))
    return f"F{letters[:6]}-{letters[6:]}"


def report_id(random: Bits) -> str:
    """Return the id of an export, four capital letters."""
    return "".join(_ALPHABET[random.getrandbits(5)] for _ in range(4))


def public_id(name: str) -> str:
    """Return the public id of an account: four groups of four."""
    digits = hashlib.sha256(name.encode()).hexdigest().upper()[:14]
    text = f"AA{digits}"
    return " ".join(text[start : start + 4] for start in range(0, 16, 4))


def secret(random: Bits) -> str:
    """Return an API secret: base64 of 64 bytes."""
    return b64encode(random.getrandbits(512).to_bytes(64, "big")).decode()
