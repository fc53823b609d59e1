"""What an account holds and may do, field by field, with no meaning added.

See https://docs.kraken.com/api-reference/account-data/
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class TradeBalance(msgspec.Struct):
    eb: Decimal
    tb: Decimal
    m: Decimal
    n: Decimal
    c: Decimal
    v: Decimal
    e: Decimal
    mf: Decimal
    mfo: Decimal | None = None  # these three were added over the years, or show with open positions only
    ml: Decimal | None = None
    uv: Decimal | None = None


class Position(msgspec.Struct):
    pair: str
    type: str
    cost: Decimal
    fee: Decimal
    vol: Decimal
    vol_closed: Decimal
    margin: Decimal
    ordertxid: str | None = None
    posstatus: str | None = None
    time: Decimal | None = None
    ordertype: str | None = None
    value: Decimal | None = None
    net: Decimal | None = None  # with a leading sign
    terms: str | None = None
    rollovertm: str | None = None
    misc: str = ""
    oflags: str = ""
    positions: str | int | None = None
    leverage: str | None = None


class FeeTier(msgspec.Struct):
    """Percentages. The page writes names with underscores, answers were seen without."""

    fee: Decimal
    minfee: Decimal | None = None
    maxfee: Decimal | None = None
    nextfee: Decimal | None = None
    tiervolume: Decimal | None = None
    nextvolume: Decimal | None = None
    tierfuturesvolume: Decimal | None = None
    nextfuturesvolume: Decimal | None = None
    volumeoffset: Decimal | None = None


class ScheduleTier(msgspec.Struct):
    maker_fee: Decimal
    taker_fee: Decimal
    min_spot_volume: Decimal | None = None
    min_futures_volume: Decimal | None = None
    min_assets_on_platform: Decimal | None = None
    active: bool | None = None


class Schedule(msgspec.Struct):
    tiers: list[ScheduleTier]
    pair: str | None = None
    class_: str | None = msgspec.field(name="class", default=None)


class TradeVolume(msgspec.Struct):
    currency: str
    volume: Decimal
    fees: dict[str, msgspec.Raw] | None = None
    fees_maker: dict[str, msgspec.Raw] | None = None
    inputs: dict[str, msgspec.Raw] | None = None
    volume_subaccounts: list[dict[str, str | int | float | None]] | None = None
    schedules: list[msgspec.Raw] | None = None


class ApiKeyInfo(msgspec.Struct):
    """Names without underscores and in lower case, which both documented spellings become."""

    permissions: list[str]
    apikeyname: str = ""
    apikey: str = ""
    nonce: str | int | None = None
    noncewindow: str | int = 0
    iban: str | None = None
    validuntil: str | int | None = None
    queryfrom: str | int | None = None
    queryto: str | int | None = None
    createdtime: str | int | None = None
    modifiedtime: str | int | None = None
    lastused: str | int | None = None
    ipallowlist: list[str] = []


class Export(msgspec.Struct):
    id: str
    status: str
    descr: str = ""
    format: str = ""
    report: str = ""
    subtype: str = ""
    fields: str = ""
    asset: str = ""
    createdtm: str | int | None = None
    starttm: str | int | None = None
    completedtm: str | int | None = None
    expiretm: str | int | None = None
    datastarttm: str | int | None = None
    dataendtm: str | int | None = None


class ExportId(msgspec.Struct):
    id: str


class ExportRemoved(msgspec.Struct):
    delete: bool = False
    cancel: bool = False
