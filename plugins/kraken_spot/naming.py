"""Kraken's names to ours, by the tables that the venue lists.

Kraken has four vocabularies: the id (``XXBT``, ``XXBTZUSD``), the altname (``XBT``, ``XBTUSD``), the display name of
WebSocket v2 (``BTC``, ``BTC/USD``), which is ours too, and wsname (``XBT/USD``), which v2 refuses. Ids become altnames
by table; of altnames, only two differ from the display name.
See https://support.kraken.com/articles/360000920306-api-symbols-and-tickers
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from decimal import Decimal

import attrs
import msgspec

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.errors import InvalidValue, ProtocolError
from exchange_core.model.asset import Asset
from exchange_core.model.instrument import Instrument, InstrumentStatus
from exchange_core.model.symbol import Symbol
from kraken_spot.wire import common as wire

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
_OFFLINE = InstrumentStatus.OFFLINE

CLOSED = frozenset({"maintenance", "delisted", "work_in_progress"})
"""The venue's words for pairs that take nothing."""

ASSET_STATUSES = frozenset(
    {"enabled", "disabled", "deposit_only", "withdrawal_only", "funding_temporarily_disabled", "work_in_progress"}
)
"""The venue's words for what is possible with an asset; the feed writes them without underscores."""

USABLE = {"spot": True, "staked": False, "parachain": False, "hold": False}
"""Whether a wallet's money can be traded as it is. Of the others it depends on the product, or on settings."""

UNKNOWN = "?"
"""Quote and settlement of what stands for a pair of which only the name is known."""

_NAME = re.compile(r"[A-Za-z0-9._:-]{1,60}")
_SUFFIX = re.compile(r"[A-Z]{1,5}")
_STAKED_FOR_DAYS = re.compile(r"(.+?)\d\d")


def display(altname: str) -> str:
    """Return our code for an altname: ``BTC`` for ``XBT``, ``BTC.M`` for ``XBT.M``, anything else as it is."""
    stem, dot, suffix = altname.partition(".")
    return f"{DISPLAY.get(stem, stem)}{dot}{suffix}"


def status(word: str) -> InstrumentStatus:
    """Return what the venue's *word* lets us do."""
    return STATUSES.get(word, InstrumentStatus.OFFLINE)


def load_assets(answer: Mapping[str, msgspec.Raw], assets: AssetMap) -> dict[str, str]:
    """Fill *assets* from an answer to Assets; return what was skipped, and why.

    An id is nobody else's name: no altname and no display name takes it away. Two ids with one altname are one asset.
    Two assets with one display name are not: the second gets a code of its own and is reported, so that nothing is
    counted as what it is not.
    """
    read: dict[str, wire.Asset] = {}
    skipped = {}
    for venue_id, raw in answer.items():
        try:
            read[venue_id] = msgspec.json.decode(raw, type=wire.Asset)
        except msgspec.MsgspecError as error:
            skipped[venue_id] = f"asset entry does not read: {error}"
    # What the table of display names says comes before names that happen to be the same.
    made: dict[str, Asset] = {}
    owners = {display(entry.altname): entry.altname for entry in read.values() if entry.altname in DISPLAY}
    for venue_id, entry in read.items():
        code = display(entry.altname)
        if owners.setdefault(code, entry.altname) != entry.altname:
            skipped[venue_id] = f"{code} is what {owners[code]} is called; it is listed as {code}{_TWIN}"
            code += _TWIN
        asset = Asset(code=code, venue_id=venue_id, decimals=entry.decimals, status=entry.status)
        made[venue_id] = asset
        assets.add(asset, () if entry.altname in read else (entry.altname,))
    for venue_id, asset in made.items():
        known = assets.get(venue_id)
        if known is None or known.venue_id != venue_id:
            assets.add(asset)  # another's code, added after it, had taken its id
    return skipped


_TWIN = ".twin"


def load_pairs(
    answer: Mapping[str, msgspec.Raw],
    symbols: SymbolMap,
    assets: AssetMap,
    *,
    is_all: bool = False,
    tokenized: Container[str] = (),
) -> dict[str, str]:
    """Fill *symbols* from an answer to AssetPairs; return what was skipped, and why.

    Assets that are in no table yet are added from the pair's own names. Names that the venue gave come first: joined
    ones, which are ours, never take another pair's away.

    Args:
        is_all: What is known and not in the answer is delisted: it keeps its names, for what was done with it, and
            takes no orders.
        tokenized: Keys that are of the list of tokenised assets, whatever their entries say.
    """
    skipped = {}
    loaded: dict[Symbol, tuple[str, Instrument]] = {}
    joined: dict[str, Instrument] = {}
    for key, raw in answer.items():
        if key.endswith(".d"):
            skipped[key] = "dark pool: listed, but neither quoted nor traded over the API"
            continue
        try:
            pair = msgspec.json.decode(raw, type=wire.Pair)
            made, name = _read_pair(pair, assets)
            if key in tokenized:
                made = attrs.evolve(made, is_tokenized=True)
        except (msgspec.MsgspecError, InvalidValue) as error:
            skipped[key] = f"pair entry does not read: {error}"
            continue
        twin = loaded.get(made.symbol)
        if twin is not None and (twin[1].status is not _OFFLINE or made.status is _OFFLINE):
            skipped[key] = f"pair {made.symbol} is {twin[0]} already"
            continue
        if twin is not None:
            skipped[twin[0]] = f"pair {made.symbol} is {key} already"
        loaded[made.symbol] = key, made
        symbols.add(made, [each for each in (key, pair.wsname, str(made.symbol)) if each], wire=name)
        joined[f"{made.symbol.base}{made.symbol.quote}"] = made
    for alias, made in joined.items():
        if symbols.get(alias) is None:
            symbols.add(made, [alias], wire=symbols.wire(made.symbol))
    if is_all and loaded:
        # What does not read this time is not gone; nor is all of it when nothing comes.
        kept = {*loaded, *(symbols.get(key) for key in skipped)}
        # The two lists are apart: one that was not asked for, or is empty, says nothing.
        lists = {made.is_tokenized for _, made in loaded.values()}
        for gone in [each for each in symbols if each.symbol not in kept and each.is_tokenized in lists]:
            symbols.add(attrs.evolve(gone, status=_OFFLINE), wire=symbols.wire(gone.symbol))
    return skipped


def _read_pair(pair: wire.Pair, assets: AssetMap) -> tuple[Instrument, str]:
    """Return a pair's rules, and its name for WebSocket v2, which is spelt with display names whatever ours are."""
    names = (pair.wsname or "").split("/")
    base_alt, quote_alt = names if len(names) == 2 and all(names) else (None, None)
    base = _asset_of_pair(pair.base, base_alt, pair.lot_decimals, assets)
    quote = _asset_of_pair(pair.quote, quote_alt, pair.cost_decimals, assets)
    symbol = Symbol.parse(f"{base}/{quote}")
    name = f"{display(base_alt)}/{display(quote_alt)}" if base_alt and quote_alt else str(symbol)
    return instrument(symbol, pair), name


def _asset_of_pair(venue_id: str, altname: str | None, decimals: int, assets: AssetMap) -> str:
    if assets.get(venue_id) is None:
        if altname is None:
            raise InvalidValue(f"asset {venue_id!r} is in no table and there is no wsname to tell its name")
        # The name may be another's already: an id is nobody's alias, but a table that grew may hold it as one.
        free = [altname] if assets.get(altname) is None else []
        assets.add(Asset(code=display(altname), venue_id=venue_id, decimals=decimals), free)
    return assets.code(venue_id)


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
        is_tokenized=pair.aclass_base == "tokenized_asset",
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


def stand_in(name: str) -> Symbol:
    """Return what stands for a pair that is in no list, so that what the account has of it can be shown.

    Its base is the venue's name, to stay visible: where that would have to be cut is not known.

    Raises:
        ProtocolError: Nothing can have that name.
    """
    if _NAME.fullmatch(name) is None:
        raise ProtocolError(f"{name[:60]!r} is no name of a pair")
    return Symbol(name, UNKNOWN, UNKNOWN)


def is_stand_in(symbol: Symbol) -> bool:
    return symbol.quote == UNKNOWN


def account_symbol(symbols: SymbolMap, name: str) -> Symbol | None:
    """Return our name for a pair that the account has something in; a stand-in for one that is listed nowhere.

    None as long as the lists may only be older than the pair.

    Raises:
        ProtocolError: Nothing can have that name.
    """
    known = symbols.get(name)
    if known is not None:
        return known
    made = stand_in(name)
    return made if symbols.miss(name) else None


def account_pair(symbols: SymbolMap, symbol: Symbol) -> str:
    """Return the venue's name for the pair of an order that stands, whether a list has it or not."""
    if symbol in symbols:
        return symbols.venue_id(symbol)
    return symbol.base if is_stand_in(symbol) else str(symbol)


def balance_asset(name: str, assets: AssetMap) -> tuple[str, str]:
    """Return asset and wallet of a name in a balance: ``BTC`` and ``rewards`` for ``XBT.M``.

    A suffix that is in no table, behind the name of an asset that is, is a wallet by that name, and counted among the
    names that are not known. Anything else that is not known stays as it is; nothing here fails.
    """
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem:
        return assets.code(name), "spot"
    wallet = WALLETS.get(suffix)
    if wallet is None:
        base = assets.get(stem)
        if base is None or not _SUFFIX.fullmatch(suffix):
            return assets.code(name), "spot"
        if assets.get(name) is None:
            assets.code(name)  # counted as not known
        return base.code, suffix.lower()
    if assets.get(stem) is None:
        # DOT28.S is DOT, staked for 28 days; only a name that the table confirms is taken.
        days = _STAKED_FOR_DAYS.fullmatch(stem)
        if days is not None and assets.get(days[1]) is not None:
            stem = days[1]
    known = assets.get(stem)
    return (display(assets.code(stem)) if known is None else known.code), wallet


def usable(wallet: str) -> bool | None:
    """Return whether what is in *wallet* can be traded as it is; None where the venue does not say."""
    return USABLE.get(wallet)
