"""What answers about an account mean: one pure function each.

See https://docs.kraken.com/api-reference/account-data/
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

import attrs
import msgspec

from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.errors import ProtocolError
from exchange_core.model.account import Balance
from exchange_core.model.number import EXACT
from kraken_spot.dialect import read
from kraken_spot.parse import common as parse
from kraken_spot.parse.rows import Unreadable, readable, word, words
from kraken_spot.types.account import (
    ApiKeyInfo,
    CreditLines,
    FeeSchedule,
    FeeTier,
    OpenPosition,
    PairFees,
    Permission,
    Report,
    ReportFormat,
    ReportKind,
    ReportStatus,
    ScheduleTier,
    TradeBalance,
    TradeVolume,
)
from kraken_spot.wire import account as raw_account
from kraken_spot.wire import common as wire


def balances(answer: Mapping[str, Decimal], assets: AssetMap, venue: str) -> list[Balance]:
    """Read Balance, which does not say what is held."""
    totals = {name: wire.Balance(balance=total) for name, total in answer.items()}
    return [attrs.evolve(balance, held=None) for balance in parse.balances(totals, assets, venue)]


def trade_balance(raw: raw_account.TradeBalance, asset: str) -> TradeBalance:
    return TradeBalance(
        asset=asset,
        equivalent=parse.number(raw.eb, "eb"),
        trade_balance=parse.number(raw.tb, "tb"),
        margin=parse.number(raw.m, "m"),
        unrealised=parse.number(raw.n, "n"),
        cost=parse.number(raw.c, "c"),
        valuation=parse.number(raw.v, "v"),
        equity=parse.number(raw.e, "e"),
        free_margin=parse.number(raw.mf, "mf"),
        free_margin_for_orders=_optional(raw.mfo, "mfo"),
        margin_level=_optional(raw.ml, "ml"),
        unexecuted=_optional(raw.uv, "uv"),
    )


def position(txid: str, raw: raw_account.Position, symbols: SymbolMap) -> OpenPosition:
    return OpenPosition(
        id=txid,
        symbol=symbols.get(raw.pair) or raw.pair,
        side=parse.side(raw.type),
        quantity=parse.number(raw.vol, "vol"),
        closed_quantity=parse.number(raw.vol_closed, "vol_closed"),
        cost=parse.number(raw.cost, "cost"),
        fee=parse.number(raw.fee, "fee"),
        margin=parse.number(raw.margin, "margin"),
        value=_optional(raw.value, "value"),
        net=_optional(raw.net, "net"),
        order_id=raw.ordertxid,
        order_type=raw.ordertype,
        status=raw.posstatus,
        opened=None if raw.time is None else parse.moment(raw.time),
        terms=raw.terms,
        rollover=second(raw.rollovertm, "rollovertm"),
        leverage=raw.leverage,
        count=1 if raw.positions is None else _whole(raw.positions, "positions"),
        misc=words(raw.misc),
        flags=words(raw.oflags),
    )


def trade_volume(raw: raw_account.TradeVolume, symbols: SymbolMap, assets: AssetMap) -> TradeVolume:
    takers = readable({name: _bare(fee) for name, fee in (raw.fees or {}).items()}, raw_account.FeeTier, _named_tier)
    makers = readable(
        {name: _bare(fee) for name, fee in (raw.fees_maker or {}).items()}, raw_account.FeeTier, _named_tier
    )
    rates = dict(makers.items)
    schedules = readable(raw.schedules or (), raw_account.Schedule, lambda _, schedule: _schedule(schedule, symbols))
    damaged: tuple[Unreadable, ...] = takers.unreadable + makers.unreadable + schedules.unreadable
    return TradeVolume(
        asset=assets.code(raw.currency),
        volume=parse.number(raw.volume, "volume"),
        fees=tuple(
            PairFees(symbol=symbols.get(name) or name, taker=tier, maker=rates.get(name)) for name, tier in takers.items
        ),
        inputs=_numbers(raw.inputs or {}, "inputs"),
        subaccounts=tuple({name: str(value) for name, value in one.items()} for one in raw.volume_subaccounts or ()),
        schedules=schedules.items,
        unreadable=damaged,
    )


def _bare(raw: msgspec.Raw) -> msgspec.Raw:
    """Open point: ``minfee`` or ``min_fee``; the underscores go."""
    fields: dict[str, msgspec.Raw] = read(raw, dict[str, msgspec.Raw], "fees")
    return msgspec.Raw(msgspec.json.encode({name.replace("_", ""): value for name, value in fields.items()}))


def _named_tier(name: str, raw: raw_account.FeeTier) -> tuple[str, FeeTier]:
    return name, FeeTier(
        rate=_fraction(raw.fee, "fee"),
        lowest=_optional_fraction(raw.minfee, "minfee"),
        highest=_optional_fraction(raw.maxfee, "maxfee"),
        next=_optional_fraction(raw.nextfee, "nextfee"),
        tier_volume=_optional(raw.tiervolume, "tiervolume"),
        next_volume=_optional(raw.nextvolume, "nextvolume"),
        tier_futures_volume=_optional(raw.tierfuturesvolume, "tierfuturesvolume"),
        next_futures_volume=_optional(raw.nextfuturesvolume, "nextfuturesvolume"),
        volume_offset=_optional(raw.volumeoffset, "volumeoffset"),
    )


def _schedule(raw: raw_account.Schedule, symbols: SymbolMap) -> FeeSchedule:
    return FeeSchedule(
        symbol=None if raw.pair is None else symbols.get(raw.pair) or raw.pair,
        pair_class=raw.class_,
        tiers=tuple(
            ScheduleTier(
                maker=_fraction(tier.maker_fee, "maker_fee"),
                taker=_fraction(tier.taker_fee, "taker_fee"),
                spot_volume=_optional(tier.min_spot_volume, "min_spot_volume"),
                futures_volume=_optional(tier.min_futures_volume, "min_futures_volume"),
                assets_on_platform=_optional(tier.min_assets_on_platform, "min_assets_on_platform"),
                active=tier.active,
            )
            for tier in raw.tiers
        ),
    )


def credit_lines(answer: Mapping[str, Mapping[str, msgspec.Raw]], assets: AssetMap) -> CreditLines:
    """Read CreditLines by its shape: maps of numbers by asset, and one of totals."""
    # Open point: which fields it has is not documented where we could read it.
    by_asset: dict[str, Mapping[str, Decimal]] = {}
    totals: dict[str, Decimal] = {}
    for part in answer.values():
        for name, raw in part.items():
            if bytes(raw).lstrip().startswith(b"{"):
                by_asset[assets.code(name)] = _numbers(read(raw, dict[str, msgspec.Raw], name), name)
            else:
                totals.update(_numbers({name: raw}, name))
    return CreditLines(assets=by_asset, totals=totals)


def api_key_info(answer: Mapping[str, Any]) -> ApiKeyInfo:
    """Read GetApiKeyInfo in either of its spellings."""
    # Open point: the pages write apiKeyName, a client reads api_key_name.
    fields = {name.replace("_", "").lower(): value for name, value in answer.items()}
    try:
        raw = msgspec.convert(fields, raw_account.ApiKeyInfo)
    except msgspec.ValidationError as error:
        raise ProtocolError(f"GetApiKeyInfo: does not read as documented: {error}") from error
    return ApiKeyInfo(
        name=raw.apikeyname,
        api_key=raw.apikey,
        nonce=None if raw.nonce is None else _whole(raw.nonce, "nonce"),
        nonce_window=_whole(raw.noncewindow, "nonceWindow"),
        permissions=frozenset(word(Permission, name) for name in raw.permissions),
        iban=raw.iban,
        valid_until=second(raw.validuntil, "validUntil"),
        query_from=second(raw.queryfrom, "queryFrom"),
        query_to=second(raw.queryto, "queryTo"),
        created=second(raw.createdtime, "createdTime"),
        modified=second(raw.modifiedtime, "modifiedTime"),
        last_used=second(raw.lastused, "lastUsed"),
        ip_allowlist=tuple(filter(None, raw.ipallowlist)),
    )


def report(raw: raw_account.Export) -> Report:
    return Report(
        id=raw.id,
        status=word(ReportStatus, raw.status),
        kind=word(ReportKind, raw.report),
        format=word(ReportFormat, raw.format),
        description=raw.descr,
        subtype=raw.subtype,
        fields=words(raw.fields),
        asset=raw.asset,
        created=second(raw.createdtm, "createdtm"),
        started=second(raw.starttm, "starttm"),
        completed=second(raw.completedtm, "completedtm"),
        expires=second(raw.expiretm, "expiretm"),
        data_start=second(raw.datastarttm, "datastarttm"),
        data_end=second(raw.dataendtm, "dataendtm"),
    )


def second(value: str | int | None, what: str) -> datetime | None:
    """Read epoch seconds that may be text; nothing, and 0, is no time."""
    if value in (None, "", "0", 0):
        return None
    try:
        return parse.moment(Decimal(value), what)
    except ArithmeticError:
        raise ProtocolError(f"{what}: {value!r} is no time") from None


def _numbers(fields: Mapping[str, msgspec.Raw], what: str) -> dict[str, Decimal]:
    found = ((name, _number_or_none(raw, f"{what} {name}")) for name, raw in fields.items())
    return {name: parse.number(value, name) for name, value in found if value is not None}


def _number_or_none(raw: msgspec.Raw, what: str) -> Decimal | None:
    return None if bytes(raw) == b"null" else read(raw, Decimal, what)


def _whole(value: str | int, what: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ProtocolError(f"{what}: {value!r} is no whole number") from None


def _optional(value: Decimal | None, what: str) -> Decimal | None:
    return None if value is None else parse.number(value, what)


def _fraction(percent: Decimal, what: str) -> Decimal:
    with localcontext(EXACT):
        return parse.number(percent, what) / 100


def _optional_fraction(percent: Decimal | None, what: str) -> Decimal | None:
    return None if percent is None else _fraction(percent, what)
