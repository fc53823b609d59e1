"""Kraken's names to ours, by the tables that the venue lists.

Kraken has four vocabularies: the id (``XXBT``, ``XXBTZUSD``), the altname (``XBT``, ``XBTUSD``), the display name of
WebSocket v2 (``BTC``, ``BTC/USD``), which is ours too, and wsname (``XBT/USD``), which v2 refuses. Ids become altnames
by table; of altnames, only two differ from the display name.
See https://support.kraken.com/articles/360000920306-api-symbols-and-tickers
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.errors import InvalidValue
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.symbol import Symbol
from kraken_spot import wire

DISPLAY = {"XBT": "BTC", "XDG": "DOGE"}
"""The altnames whose display name is another."""

WALLETS = {
    "S": "staked",
    "M": "rewards",
    "B": "yield",
    "F": "auto_earn",
    "P": "parachain",
    "T": "tokenized",
    "HOLD": "hold",
}
"""What the suffix of a balance means."""

STATUSES = {
    "online": InstrumentStatus.ONLINE,
    "post_only": InstrumentStatus.POST_ONLY,
    "limit_only": InstrumentStatus.LIMIT_ONLY,
    "reduce_only": InstrumentStatus.REDUCE_ONLY,
    "cancel_only": InstrumentStatus.CANCEL_ONLY,
}
"""The venue's words; any other (maintenance, delisted, ...) is taken as offline."""

CLOSED = frozenset({"maintenance", "delisted", "work_in_progress"})
"""The venue's words for pairs that take nothing."""

ASSET_STATUSES = frozenset(
    {"enabled", "disabled", "deposit_only", "withdrawal_only", "funding_temporarily_disabled", "work_in_progress"}
)
"""The venue's words for what is possible with an asset; the feed writes them without underscores."""

_STAKED_FOR_DAYS = re.compile(r"(.+?)\d\d")


def display(altname: str) -> str:
    """Return our code for an altname: ``BTC`` for ``XBT``, ``BTC.M`` for ``XBT.M``, anything else as it is."""
    stem, dot, suffix = altname.partition(".")
    return f"{DISPLAY.get(stem, stem)}{dot}{suffix}"


def status(word: str) -> InstrumentStatus:
    """Return what the venue's *word* lets us do."""
    return STATUSES.get(word, InstrumentStatus.OFFLINE)


def load_assets(answer: Mapping[str, msgspec.Raw], assets: AssetMap) -> dict[str, str]:
    """Fill *assets* from an answer to Assets; return what was skipped, and why."""
    skipped = {}
    for venue_id, raw in answer.items():
        try:
            entry = msgspec.json.decode(raw, type=wire.Asset)
        except msgspec.MsgspecError as error:
            skipped[venue_id] = f"asset entry does not read: {error}"
            continue
        code = display(entry.altname)
        assets.add(Asset(code=code, venue_id=venue_id, decimals=entry.decimals, status=entry.status), (entry.altname,))
    return skipped


def load_pairs(answer: Mapping[str, msgspec.Raw], symbols: SymbolMap, assets: AssetMap) -> dict[str, str]:
    """Fill *symbols* from an answer to AssetPairs; return what was skipped, and why.

    Assets that are in no table yet are added from the pair's own names.
    """
    skipped = {}
    for key, raw in answer.items():
        if key.endswith(".d"):
            skipped[key] = "dark pool: listed, but neither quoted nor traded over the API"
            continue
        try:
            pair = msgspec.json.decode(raw, type=wire.Pair)
            _add_pair(key, pair, symbols, assets)
        except (msgspec.MsgspecError, InvalidValue) as error:
            skipped[key] = f"pair entry does not read: {error}"
    return skipped


def _add_pair(key: str, pair: wire.Pair, symbols: SymbolMap, assets: AssetMap) -> None:
    names = (pair.wsname or "").split("/")
    base_alt, quote_alt = names if len(names) == 2 and all(names) else (None, None)
    base = _asset_of_pair(pair.base, base_alt, pair.lot_decimals, assets)
    quote = _asset_of_pair(pair.quote, quote_alt, pair.cost_decimals, assets)
    symbol = Symbol.parse(f"{base}/{quote}")
    made = instrument(symbol, pair)
    spellings = {key, pair.altname, pair.wsname, str(symbol), f"{base}{quote}"}
    # An alias never takes the name of another pair's own id away.
    free = [name for name in spellings if name and symbols.get(name) in (None, symbol)]
    symbols.add(made, free, wire=str(symbol))


def _asset_of_pair(venue_id: str, altname: str | None, decimals: int, assets: AssetMap) -> str:
    known = assets.get(venue_id)
    if known is not None:
        return known.code
    if altname is None:
        raise InvalidValue(f"asset {venue_id!r} is in no table and there is no wsname to tell its name")
    assets.add(Asset(code=display(altname), venue_id=venue_id, decimals=decimals), (altname,))
    return display(altname)


def instrument(symbol: Symbol, pair: wire.Pair) -> Instrument:
    """Return the rules of one pair.

    Raises:
        InvalidValue: For steps or minimums that are no positive numbers.
    """
    check_decimals(pair_decimals=pair.pair_decimals, lot_decimals=pair.lot_decimals)
    lot = Decimal(1).scaleb(-pair.lot_decimals)
    return Instrument(
        symbol=symbol,
        venue_id=pair.altname,
        tick_size=_finite("tick_size", pair.tick_size) or Decimal(1).scaleb(-pair.pair_decimals),
        lot_size=lot,
        min_quantity=_finite("ordermin", pair.ordermin) or lot,
        min_cost=_finite("costmin", pair.costmin) or None,
        price_decimals=pair.pair_decimals,
        quantity_decimals=pair.lot_decimals,
        status=status(pair.status),
    )


def check_decimals(**precisions: int) -> None:
    """Refuse what cannot be a number of decimals."""
    for name, decimals in precisions.items():
        if not 0 <= decimals <= 20:
            raise InvalidValue(f"{name}: {decimals} is no number of decimals")


def _finite(name: str, value: Decimal | None) -> Decimal | None:
    if value is not None and not value.is_finite():
        raise InvalidValue(f"{name}: {value} is not finite")
    return value


def balance_asset(name: str, assets: AssetMap) -> tuple[str, str]:
    """Return asset and wallet of a name in a balance: ``BTC`` and ``rewards`` for ``XBT.M``.

    A suffix that is in no table stays part of the asset's name; nothing here fails.
    """
    stem, dot, suffix = name.rpartition(".")
    wallet = WALLETS.get(suffix) if dot and stem else None
    if wallet is None:
        return assets.code(name), "spot"
    if assets.get(stem) is None:
        # DOT28.S is DOT, staked for 28 days; only a name that the table confirms is taken.
        days = _STAKED_FOR_DAYS.fullmatch(stem)
        if days is not None and assets.get(days[1]) is not None:
            stem = days[1]
    return display(assets.code(stem)), wallet
