"""Fees as TradeVolume tells them: in percent, with the tier that is reached and the next.

See https://docs.kraken.com/api-reference/account-data/get-trade-volume
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from exchange_core.connector.simulation import SimFeeTier
from kraken_spot.simulator.codec import fixed, padded
from kraken_spot.simulator.markets.names import Pair

_DECIMALS = 4


def tiers_of(pair: Pair) -> list[SimFeeTier]:
    """Return all tiers of a pair, from a volume of nothing on."""
    market = pair.market
    if market.fee_tiers and not market.fee_tiers[0].volume:
        return list(market.fee_tiers)
    return [SimFeeTier(volume=Decimal(0), fees=market.fees), *market.fee_tiers]


def fee_row(pair: Pair, volume: Decimal, side: str) -> dict[str, str | None]:
    """Return what an account with *volume* pays; *side* is maker or taker."""
    tiers = tiers_of(pair)
    reached = max(index for index, tier in enumerate(tiers) if tier.volume <= max(volume, Decimal(0)))
    rates = [_rate(tier, side) for tier in tiers]
    following = reached + 1 if reached + 1 < len(tiers) else None
    return {
        "fee": _percent(rates[reached]),
        "minfee": _percent(min(rates)),
        "maxfee": _percent(max(rates)),
        "nextfee": None if following is None else _percent(rates[following]),
        "tiervolume": fixed(tiers[reached].volume, _DECIMALS),
        "nextvolume": None if following is None else fixed(tiers[following].volume, _DECIMALS),
    }


def schedule(pair: Pair, volume: Decimal) -> dict[str, Any]:
    tiers = tiers_of(pair)
    reached = max(index for index, tier in enumerate(tiers) if tier.volume <= max(volume, Decimal(0)))
    return {"pair": pair.id, "class": pair.order_class, "tiers": _rows(tiers, reached)}


def _rows(tiers: Sequence[SimFeeTier], reached: int) -> list[dict[str, Any]]:
    rows = []
    for index, tier in enumerate(tiers):
        row: dict[str, Any] = {"maker_fee": _percent(tier.fees.maker), "taker_fee": _percent(tier.fees.taker)}
        if tier.volume:
            row["min_spot_volume"] = fixed(tier.volume, _DECIMALS)
        rows.append(row | ({"active": True} if index == reached else {}))
    return rows


def _rate(tier: SimFeeTier, side: str) -> Decimal:
    return tier.fees.maker if side == "maker" else tier.fees.taker


def _percent(rate: Decimal) -> str:
    return padded(rate * 100, _DECIMALS)
