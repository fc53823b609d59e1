"""Fills are ours; public trades are in market.py."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import attrs

from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol


class Liquidity(StrEnum):
    """Which side of the book we were on."""

    MAKER = "maker"
    TAKER = "taker"


@attrs.frozen(kw_only=True)
class Fee:
    """What was charged, and in what. A rebate is negative."""

    asset: str
    amount: Decimal


@attrs.frozen(kw_only=True)
class Fill:
    """One execution of one of our orders.

    Attributes:
        id: The venue's id of this execution; fills are the same when it is the same.
        cost: What the venue booked for it, in the quote asset and as the venue rounds; None where it does not say.
        fee: None where the venue does not tell it here (it is not zero then).
        kind: The venue's own word for one that no order of ours made as we wished, such as a liquidation; else empty.
        position: What became of the margin position that it was for, in the venue's own word; empty where that is not
            said, or there is none.
    """

    id: str
    symbol: Symbol
    side: Side
    price: Decimal
    quantity: Decimal
    time: datetime
    venue: str = ""
    venue_order_id: str | None = None
    client_order_id: str | None = None
    cost: Decimal | None = None
    fee: Fee | None = None
    liquidity: Liquidity | None = None
    kind: str = ""
    position: str = ""
