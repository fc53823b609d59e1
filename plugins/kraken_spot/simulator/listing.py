"""Markets and assets from recorded answers of AssetPairs and Assets, thousands of them if need be.

See https://docs.kraken.com/api-reference/market-data/get-tradable-asset-pairs
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from exchange_core.connector.simulation import SimMarket
from exchange_core.errors import ConfigError
from exchange_core.model.account import FeeRates
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.symbol import Symbol
from kraken_spot.simulator.codec import decode, number

Row = Mapping[str, Any]

TOKENIZED = "tokenized_asset"
_FEES = FeeRates(maker=Decimal("0.0025"), taker=Decimal("0.004"))
_DISPLAY = {"XBT": "BTC", "XDG": "DOGE"}


@attrs.frozen(kw_only=True)
class Listing:
    """What the venue lists beyond what the exchange needs to know: its own rows, by its own ids."""

    assets: Mapping[str, Row] = attrs.field(factory=dict)
    pairs: Mapping[str, Row] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Recorded:
    """What recorded answers make.

    Attributes:
        skipped: Ids of pairs that nothing could be made of, and why.
    """

    listing: Listing
    assets: tuple[Asset, ...]
    markets: tuple[SimMarket, ...]
    skipped: Mapping[str, str]


def recorded(
    assets: bytes | str, pairs: bytes | str, *, tickers: bytes | str | None = None, fees: FeeRates = _FEES
) -> Recorded:
    """Return the markets of recorded answers; answers for tokenized assets can be joined with :func:`joined`.

    Args:
        tickers: An answer of Ticker, for the prices that the markets start at. Without, they start where the smallest
            order by volume and by cost are the same.

    Raises:
        ConfigError: When they are no such answers.
    """
    asset_rows, pair_rows = _rows(assets, "Assets"), _rows(pairs, "AssetPairs")
    prices = {} if tickers is None else _rows(tickers, "Ticker")
    found = {asset_id: _asset(asset_id, row) for asset_id, row in asset_rows.items()}
    markets: dict[Symbol, SimMarket] = {}
    skipped: dict[str, str] = {}
    for pair_id, row in pair_rows.items():
        try:
            for asset_id in (row["base"], row["quote"]):
                found.setdefault(asset_id, Asset(code=display(asset_id), venue_id=asset_id, decimals=10))
            market = _market(pair_id, row, found, prices.get(pair_id), fees)
        except (KeyError, ArithmeticError, TypeError, ValueError) as error:
            skipped[pair_id] = f"{type(error).__name__}: {error}"
            continue
        if market.instrument.symbol in markets:
            skipped[pair_id] = f"another {market.instrument.symbol}"
        else:
            markets[market.instrument.symbol] = market
    return Recorded(
        listing=Listing(assets=asset_rows, pairs=pair_rows),
        assets=_unique(found.values()),
        markets=tuple(markets.values()),
        skipped=skipped,
    )


def joined(*answers: bytes | str) -> bytes:
    """Return one answer with the rows of several, as for ``currency`` and ``tokenized_asset``."""
    rows: dict[str, Row] = {}
    for answer in answers:
        rows |= _rows(answer, "answer")
    return _encode(rows)


def as_told(row: Row) -> dict[str, Any]:
    """Return a row whose numbers are written as numbers again."""
    return {name: number(format(value, "f")) if isinstance(value, Decimal) else value for name, value in row.items()}


def display(altname: str) -> str:
    """Return the name that WebSocket v2 has for an alternate name."""
    return _DISPLAY.get(altname, altname)


def _rows(answer: bytes | str, what: str) -> dict[str, Row]:
    try:
        envelope = decode(answer)
        rows = envelope["result"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{what}: expected a recorded answer with a result") from error
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        raise ConfigError(f"{what}: expected a map of rows as the result")
    return dict(rows)


def _encode(rows: Mapping[str, Row]) -> bytes:
    return msgspec.json.Encoder(decimal_format="number").encode({"error": [], "result": rows})


def _asset(asset_id: str, row: Row) -> Asset:
    return Asset(
        code=display(str(row.get("altname", asset_id))),
        venue_id=asset_id,
        decimals=int(row.get("decimals", 10)),
        status=str(row.get("status", "enabled")),
    )


def _unique(assets: Any) -> tuple[Asset, ...]:
    """Return the assets, the first of each code: there are old and new ids for the same thing."""
    return tuple({asset.code: asset for asset in reversed(list(assets))}.values())[::-1]


def _market(pair_id: str, row: Row, assets: Mapping[str, Asset], ticker: Row | None, fees: FeeRates) -> SimMarket:
    lot = Decimal(1).scaleb(-int(row["lot_decimals"]))
    tick = Decimal(row.get("tick_size") or Decimal(1).scaleb(-int(row["pair_decimals"])))
    least, cost = Decimal(row.get("ordermin") or lot), Decimal(row.get("costmin") or 0)
    instrument = Instrument(
        symbol=Symbol(assets[row["base"]].code, assets[row["quote"]].code),
        venue_id=pair_id,
        tick_size=tick,
        lot_size=lot,
        min_quantity=least,
        min_cost=cost or None,
        price_decimals=int(row["pair_decimals"]),
        quantity_decimals=int(row["lot_decimals"]),
        status=InstrumentStatus(row.get("status", "online")),
    )
    last = Decimal(ticker["c"][0]) if ticker else cost / least
    leverages = [int(step) for step in row.get("leverage_buy", ())]
    return SimMarket(
        instrument=instrument,
        start_price=max(instrument.round_price(last), tick),
        fees=fees,
        leverages=tuple(leverages),
    )
