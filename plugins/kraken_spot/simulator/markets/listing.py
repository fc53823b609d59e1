"""Markets and assets from recorded answers of AssetPairs and Assets, thousands of them if need be.

See https://docs.kraken.com/api-reference/market-data/get-tradable-asset-pairs
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from exchange_core.connector.simulation import SimMarket
from exchange_core.errors import ConfigError
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.symbol import Symbol
from kraken_spot.simulator.codec import decode, number
from kraken_spot.simulator.markets.traded import FEE_TIERS, FEES, MARKETS, cost_decimals

Row = Mapping[str, Any]

TOKENIZED = "tokenized_asset"
# The only assets whose id is not their alternate name; everything else is the same in both.
ALTNAMES = {
    **{f"X{code}": code for code in ("ETC", "ETH", "LTC", "MLN", "REP", "XBT", "XDG", "XLM", "XMR", "XRP", "ZEC")},
    **{f"Z{code}": code for code in ("ARS", "AUD", "CAD", "COP", "EUR", "GBP", "JPY", "MXN", "USD")},
    "KFEE": "FEE",
}
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


def recorded(assets: bytes | str, pairs: bytes | str, *, tickers: bytes | str | None = None) -> Recorded:
    """Return the markets of recorded answers; answers for tokenized assets can be joined with :func:`joined`.

    Args:
        tickers: An answer of Ticker, for the prices that the markets start at. Without, see :func:`start_prices`.

    Raises:
        ConfigError: When they are no such answers.
    """
    tickers_rows = {} if tickers is None else _rows(tickers, "Ticker")
    return _made(Listing(assets=_rows(assets, "Assets"), pairs=_rows(pairs, "AssetPairs")), tickers_rows)


def recognised(answers: Iterable[bytes | str]) -> Recorded:
    """Do as :func:`recorded` for answers of AssetPairs, Assets and Ticker in any order, told by their rows.

    Assets that no answer describes are those of the venue's usual names, with ten decimals.

    Raises:
        ConfigError: When one is none of these, or none is an answer of AssetPairs.
    """
    rows: dict[str, dict[str, Row]] = {"AssetPairs": {}, "Assets": {}, "Ticker": {}}
    for place, answer in enumerate(answers, 1):
        found = _rows(answer, f"answer {place}")
        rows[_kind(found, f"answer {place}")] |= found
    if not rows["AssetPairs"]:
        raise ConfigError("none of the recorded answers lists markets; expected one of AssetPairs")
    return _made(Listing(assets=rows["Assets"], pairs=rows["AssetPairs"]), rows["Ticker"])


def is_list(answer: bytes) -> bool:
    """Whether it is an answer that :func:`recognised` takes."""
    try:
        _kind(_rows(answer, ""), "")
    except ConfigError:
        return False
    return True


def _kind(rows: Mapping[str, Row], what: str) -> str:
    row = next(iter(rows.values()), {})
    for kind, names in (("AssetPairs", ("base", "quote")), ("Assets", ("altname",)), ("Ticker", ("a", "b", "c"))):
        if all(name in row for name in names):
            return kind
    raise ConfigError(f"{what}: expected a recorded answer of AssetPairs, Assets or Ticker, with rows")


def _made(listing: Listing, tickers: Mapping[str, Row]) -> Recorded:
    found = {asset_id: _asset(asset_id, row) for asset_id, row in listing.assets.items()}
    instruments: dict[Symbol, Instrument] = {}
    skipped: dict[str, str] = {}
    for pair_id, row in listing.pairs.items():
        try:
            for asset_id in (row["base"], row["quote"]):
                found.setdefault(asset_id, _asset(asset_id, {}))
            instrument = _instrument(pair_id, row, found)
        except (KeyError, ArithmeticError, TypeError, ValueError) as error:
            skipped[pair_id] = f"{type(error).__name__}: {error}"
            continue
        if instrument.symbol in instruments:
            skipped[pair_id] = f"another {instrument.symbol}"
        else:
            instruments[instrument.symbol] = instrument
    prices = start_prices(instruments.values(), _last_prices(listing.pairs, tickers))
    return Recorded(
        listing=listing,
        assets=_unique(found.values()),
        markets=tuple(
            _market(instrument, listing.pairs[instrument.venue_id], prices[instrument.symbol])
            for instrument in instruments.values()
        ),
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
        code=display(str(row.get("altname") or ALTNAMES.get(asset_id, asset_id))),
        venue_id=asset_id,
        decimals=int(row.get("decimals", 10)),
        status=str(row.get("status", "enabled")),
    )


def _unique(assets: Any) -> tuple[Asset, ...]:
    """Return the assets, the first of each code: there are old and new ids for the same thing."""
    return tuple({asset.code: asset for asset in reversed(list(assets))}.values())[::-1]


def _instrument(pair_id: str, row: Row, assets: Mapping[str, Asset]) -> Instrument:
    lot = Decimal(1).scaleb(-int(row["lot_decimals"]))
    tick = Decimal(row.get("tick_size") or Decimal(1).scaleb(-int(row["pair_decimals"])))
    return Instrument(
        symbol=Symbol(assets[row["base"]].code, assets[row["quote"]].code),
        venue_id=pair_id,
        tick_size=tick,
        lot_size=lot,
        min_quantity=Decimal(row.get("ordermin") or lot),
        min_cost=Decimal(row.get("costmin") or 0) or None,
        price_decimals=int(row["pair_decimals"]),
        quantity_decimals=int(row["lot_decimals"]),
        status=InstrumentStatus(row.get("status", "online")),
    )


def _market(instrument: Instrument, row: Row, price: Decimal) -> SimMarket:
    told = row.get("cost_decimals")
    return SimMarket(
        instrument=instrument,
        start_price=max(instrument.round_price(price), instrument.tick_size),
        fees=FEES,
        fee_tiers=FEE_TIERS,
        leverages=tuple(int(step) for step in row.get("leverage_buy", ())),
        cost_decimals=cost_decimals(instrument.symbol.quote) if told is None else int(told),
    )


def _last_prices(pairs: Mapping[str, Row], tickers: Mapping[str, Row]) -> dict[str, Decimal]:
    """Return the last prices that Ticker told, by the ids of pairs; a pair that never traded shows zero."""
    found: dict[str, Decimal] = {}
    for pair_id, row in pairs.items():
        ticker = tickers.get(pair_id) or tickers.get(str(row.get("altname"))) or {}
        try:
            last = Decimal(ticker["c"][0])
        except (KeyError, LookupError, ArithmeticError, TypeError, ValueError):
            continue
        if last > 0:
            found[pair_id] = last
    return found


def start_prices(instruments: Iterable[Instrument], last: Mapping[str, Decimal]) -> dict[Symbol, Decimal]:
    """Return a plausible price for every market, so that the same thing costs the same in all of them.

    That is the *last* price where one is known, else what its assets are worth in dollars. What an asset is worth is
    told by the last price of its dollar market, else by the built-in markets, else by the smallest orders by cost and
    by volume in its dollar market, which are meant to be worth the same. Where nothing tells, its own smallest orders
    count.
    """
    listed = {instrument.symbol: instrument for instrument in instruments}
    guesses = {
        symbol: last.get(each.venue_id) or (each.min_cost or each.tick_size) / each.min_quantity
        for symbol, each in listed.items()
    }
    told = {
        symbol.base: guesses[symbol] for symbol, each in listed.items() if each.venue_id in last and _in_dollars(symbol)
    }
    guessed = {symbol.base: price for symbol, price in guesses.items() if _in_dollars(symbol)}
    dollars = guessed | _USUAL | told | {"USD": Decimal(1)}

    def price(symbol: Symbol) -> Decimal:
        if listed[symbol].venue_id in last or not dollars.keys() >= {symbol.base, symbol.quote}:
            return guesses[symbol]
        return dollars[symbol.base] / dollars[symbol.quote]

    return {symbol: price(symbol) for symbol in listed}


def _in_dollars(symbol: Symbol) -> bool:
    return symbol.quote == "USD"


def _usual() -> dict[str, Decimal]:
    """Return what assets are worth in dollars in the built-in markets; euros by way of what is sold for both."""
    prices = {market.instrument.symbol: market.start_price for market in MARKETS}
    worths = {symbol.base: price for symbol, price in prices.items() if _in_dollars(symbol)}
    return {
        symbol.quote: worths[symbol.base] / price for symbol, price in prices.items() if symbol.base in worths
    } | worths


_USUAL = _usual()
