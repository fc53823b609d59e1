"""What an account did, field by field, with no meaning added.

See https://docs.kraken.com/api-reference/account-data/
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class OrderDescription(msgspec.Struct):
    pair: str
    type: str
    ordertype: str
    price: str = "0"  # may be relative text
    price2: str = "0"
    leverage: str = "none"
    order: str = ""
    close: str = ""
    aclass: str | None = None


class Order(msgspec.Struct):
    status: str
    descr: OrderDescription
    vol: Decimal
    vol_exec: Decimal
    cost: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    price: Decimal = Decimal(0)  # the average of the fills
    stopprice: Decimal = Decimal(0)
    limitprice: Decimal = Decimal(0)
    opentm: Decimal | None = None
    starttm: Decimal | None = None
    expiretm: Decimal | None = None
    closetm: Decimal | None = None
    refid: str | None = None  # samples show null, or the text None
    link_id: str | None = None
    userref: int | None = None
    cl_ord_id: str | None = None
    reason: str | None = None
    trigger: str | None = None
    margin: bool | None = None
    misc: str = ""
    oflags: str = ""
    time_in_force: str | None = None
    trades: list[str] = []
    sender_sub_id: str | None = None


class Orders(msgspec.Struct):
    closed: dict[str, msgspec.Raw] = {}
    open: dict[str, msgspec.Raw] = {}
    count: int | None = None


class Trade(msgspec.Struct):
    pair: str
    time: Decimal
    type: str
    ordertype: str
    price: Decimal
    cost: Decimal
    fee: Decimal
    vol: Decimal
    margin: Decimal = Decimal(0)
    leverage: str = "0"
    misc: str = ""
    ordertxid: str | None = None
    postxid: str | None = None
    ledgers: list[str] = []
    trade_id: int | None = None
    maker: bool | None = None
    aclass: str | None = None
    posstatus: str | None = None
    cprice: Decimal | None = None
    ccost: Decimal | None = None
    cfee: Decimal | None = None
    cvol: Decimal | None = None
    cmargin: Decimal | None = None
    net: Decimal | None = None
    trades: list[str] = []


class Trades(msgspec.Struct):
    trades: dict[str, msgspec.Raw]
    count: int | None = None


class LedgerEntry(msgspec.Struct):
    refid: str
    time: Decimal
    type: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    subtype: str = ""
    aclass: str = "currency"


class Ledgers(msgspec.Struct):
    ledger: dict[str, msgspec.Raw]
    count: int | None = None


class Amend(msgspec.Struct):
    amend_id: str
    amend_type: str
    timestamp: int
    order_qty: Decimal | None = None
    display_qty: Decimal | None = None
    remaining_qty: Decimal | None = None
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    reason: str | None = None
    post_only: bool | None = None


class Amends(msgspec.Struct):
    amends: list[msgspec.Raw]
    count: int | None = None


Records = dict[str, msgspec.Raw]
"""Answers that are records by their ids."""
