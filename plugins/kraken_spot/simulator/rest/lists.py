"""The public lists: assets and pairs, from the exchange's own or as they were recorded.

See https://docs.kraken.com/api-reference/market-data/get-tradable-asset-pairs
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from exchange_core.model.asset import Asset
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.number import plain
from kraken_spot.simulator.codec import Arguments
from kraken_spot.simulator.markets.listing import TOKENIZED, as_told
from kraken_spot.simulator.markets.names import Names, Pair, answer_key

_CLASSES = ("currency", TOKENIZED)
_VENUES = {"international", "bitnomial_exchange"}
_POSITION_LIMITS = {"long_position_limit": 250, "short_position_limit": 200}


def wants_display(given: Arguments) -> bool:
    return given.choice("assetVersion", ("", "1")) == "1"


class Lists:
    """What the venue lists."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def assets(self, given: Arguments) -> object:
        display = wants_display(given)
        wanted = given.text("aclass", "currency")
        if wanted not in _CLASSES:
            return {}
        found = self._names.find_assets(given.words("asset"))
        return {
            asset.code if display else asset.venue_id: self._asset(asset)
            for asset in found
            if self._class_of(asset) == wanted
        }

    def _class_of(self, asset: Asset) -> str:
        return str(self._names.asset_row(asset).get("aclass", "currency"))

    def _asset(self, asset: Asset) -> dict[str, Any]:
        row = self._names.asset_row(asset)
        if row:
            return as_told(row)
        return {
            "aclass": "currency",
            "altname": self._names.altname(asset),
            "decimals": asset.decimals,
            "display_decimals": max(2, asset.decimals // 2),
            "status": asset.status,
        }

    def asset_pairs(self, given: Arguments) -> object:
        display = wants_display(given)
        info = given.choice("info", ("info", "leverage", "fees", "margin"), "info")
        tokenized = given.text("aclass_base", "currency") == TOKENIZED
        if given.text("aclass_base", "currency") not in _CLASSES:
            return {}
        venues = set(given.words("execution_venue")) or {"international"}
        if not venues & _VENUES:
            return {}
        return {
            key: _pair_info(pair, self._names.status(pair), info, display)
            for key, pair in self._asked(given, display)
            if pair.is_tokenized is tokenized and pair.row.get("execution_venue", "international") in venues
        }

    def _asked(self, given: Arguments, display: bool) -> Iterable[tuple[str, Pair]]:
        asked = given.words("pair")
        if not asked:
            return [(answer_key(pair, "", display), pair) for pair in self._names]
        return [(answer_key(pair, name, display), pair) for name in asked for pair in [self._names.pair(name)]]


def _pair_info(pair: Pair, status: InstrumentStatus, info: str, display: bool) -> dict[str, Any]:
    leverage: dict[str, Any] = {"leverage_buy": pair.leverages, "leverage_sell": pair.leverages}
    # Empty since September 2026: what is charged is told by TradeVolume.
    fees: dict[str, Any] = {"fees": [], "fees_maker": [], "fee_volume_currency": "ZUSD"}
    if info != "info":
        return {"leverage": leverage, "fees": fees, "margin": {"margin_call": 80, "margin_level": 40}}[info]
    word = "cancel_only" if status is InstrumentStatus.OFFLINE else str(status)
    names = {
        "base": pair.base.code if display else pair.base.venue_id,
        "quote": pair.quote.code if display else pair.quote.venue_id,
    }
    if pair.row:
        return {**as_told(pair.row), **leverage, **fees, "status": word, **(names if display else {})}
    return _made_info(pair, names, word) | leverage | fees | (_POSITION_LIMITS if pair.leverages else {})


def _made_info(pair: Pair, names: dict[str, str], status: str) -> dict[str, Any]:
    instrument = pair.market.instrument
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": "currency",
        "base": names["base"],
        "aclass_quote": "currency",
        "quote": names["quote"],
        "lot": "unit",
        "cost_decimals": pair.cost_decimals,
        "pair_decimals": pair.price_decimals,
        "lot_decimals": pair.volume_decimals,
        "lot_multiplier": 1,
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": plain(instrument.min_quantity),
        "costmin": plain(instrument.min_cost or Decimal(0)),
        "tick_size": plain(instrument.tick_size),
        "status": status,
        "execution_venue": "international",
    }
