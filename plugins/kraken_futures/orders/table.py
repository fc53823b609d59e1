"""Every parameter of the calls that place, change and cancel orders, as data.

From this the tables of the README (by ``order_support``) and one test per parameter are made.
See https://docs.kraken.com/api/docs/futures-api/trading/send-order and the pages beside it
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs

from exchange_core.connector.support import Support
from kraken_futures.orders.requests import OrderKind as K

ALL = frozenset(K)
AT_A_LIMIT = frozenset({K.LIMIT, K.POST, K.IOC, K.FOK})
"""What cannot do without a limit price."""
STOPS = frozenset({K.STOP, K.TAKE_PROFIT})
"""What waits for a price that is given."""
TRAILING = frozenset({K.TRAILING_STOP})
TRIGGERS = STOPS | TRAILING

_NOON = datetime(2026, 1, 5, 12, 0, 5, 250001, tzinfo=UTC)
_UUID = "61ca5732-3478-42fe-8362-abbfd9465294"


@attrs.frozen
class Term:
    """One parameter of a call.

    Attributes:
        call: The venue's name of the call.
        name: Of ``FuturesOrder``, ``OrderEdit`` or ``OrderCancel``; empty for what cannot be told here.
        wire: What Kraken calls it.
        example: A value of ours, with what must be beside it.
        sent: What of the example goes out alone.
        item: The same in an item of a batch; None where a batch has no word for it.
        kinds: With which types of orders it goes; with others it is refused.
        needed: Which of these cannot do without.
        neutral: What it is in ``OrderRequest`` or ``Amendment``.
        note: What else there is to know.
    """

    call: str
    name: str
    wire: str
    example: dict[str, Any] = attrs.field(factory=dict)
    sent: dict[str, Any] = attrs.field(factory=dict)
    item: dict[str, Any] | None = None
    kinds: frozenset[K] = ALL
    needed: frozenset[K] = frozenset()
    neutral: str = ""
    note: str = ""

    @property
    def support(self) -> str:
        """The word of the support table."""
        return Support.HONOURED if self.name else Support.REFUSED

    @property
    def in_batch(self) -> str:
        return Support.HONOURED if self.item is not None else Support.REFUSED


_SEND, _EDIT, _CANCEL, _BATCH = "sendorder", "editorder", "cancelorder", "batchorder"
_TRAIL = {"trailing_deviation": "1.5", "trailing_unit": "PERCENT"}
_TRAIL_SENT = {"trailingStopMaxDeviation": "1.5", "trailingStopDeviationUnit": "PERCENT"}
_TRAIL_ITEM = {"trailingStopMaxDeviation": 1.5, "trailingStopDeviationUnit": "PERCENT"}
_OFFSET = {"limit_offset": "-5", "limit_offset_unit": "QUOTE_CURRENCY"}
_OFFSET_SENT = {"limitPriceOffsetValue": "-5", "limitPriceOffsetUnit": "QUOTE_CURRENCY"}
_UNTIL = {"processBefore": "2026-01-05T12:00:05.250001Z"}

SEND = (
    Term(
        _SEND,
        "symbol",
        "symbol",
        {"symbol": "BTC/USD:USD"},
        {"symbol": "PF_XBTUSD"},
        {"symbol": "PF_XBTUSD"},
        needed=ALL,
        neutral="symbol",
    ),
    Term(_SEND, "side", "side", {"side": "sell"}, {"side": "sell"}, {"side": "sell"}, needed=ALL, neutral="side"),
    Term(
        _SEND,
        "quantity",
        "size",
        {"quantity": "0.5"},
        {"size": "0.5"},
        {"size": 0.5},
        needed=ALL,
        neutral="quantity",
        note="contracts of `PI_` and `FI_`, coins of `PF_` and `FF_`",
    ),
    Term(
        _SEND,
        "kind",
        "orderType",
        needed=ALL,
        item={},
        neutral="type, time_in_force, post_only",
        note="all eight types; `mkt` executes within 1 % of the price and drops the rest",
    ),
    Term(
        _SEND,
        "client_order_id",
        "cliOrdId",
        {"client_order_id": "arb-1"},
        {"cliOrdId": "arb-1"},
        {"cliOrdId": "arb-1"},
        needed=ALL,
        neutral="client_order_id",
        note="up to 100 characters, unique for ever; the venue can do without, we cannot",
    ),
    Term(
        _SEND,
        "limit_price",
        "limitPrice",
        {"limit_price": "59000"},
        {"limitPrice": "59000"},
        {"limitPrice": 59000},
        AT_A_LIMIT | STOPS,
        AT_A_LIMIT,
        "price",
        "without it, what fires is a market order; the documentation of a batch says that `stp` needs it there",
    ),
    Term(
        _SEND,
        "stop_price",
        "stopPrice",
        {"stop_price": "58000"},
        {"stopPrice": "58000"},
        {"stopPrice": 58000},
        STOPS,
        STOPS,
        "trigger_price",
    ),
    Term(
        _SEND,
        "trigger_signal",
        "triggerSignal",
        {"trigger_signal": "index"},
        {"triggerSignal": "index"},
        {"triggerSignal": "index"},
        TRIGGERS,
        neutral="trigger_by",
        note="`last`, `mark` or `index`, shown as `spot`; always sent, `mark` unless told otherwise",
    ),
    Term(
        _SEND,
        "trailing_deviation",
        "trailingStopMaxDeviation",
        _TRAIL,
        _TRAIL_SENT,
        _TRAIL_ITEM,
        TRAILING,
        TRAILING,
        "trail",
        "0.1 to 50 percent, or an amount in ticks",
    ),
    Term(
        _SEND,
        "trailing_unit",
        "trailingStopDeviationUnit",
        {"trailing_deviation": "150", "trailing_unit": "QUOTE_CURRENCY"},
        {"trailingStopMaxDeviation": "150", "trailingStopDeviationUnit": "QUOTE_CURRENCY"},
        {"trailingStopMaxDeviation": 150, "trailingStopDeviationUnit": "QUOTE_CURRENCY"},
        TRAILING,
        TRAILING,
        "trail",
        "`PERCENT` or `QUOTE_CURRENCY`",
    ),
    Term(
        _SEND,
        "limit_offset",
        "limitPriceOffsetValue",
        _OFFSET,
        _OFFSET_SENT,
        kinds=TRIGGERS,
        neutral="limit_offset",
        note="from the trigger price, and may be below zero; not with `limit_price`",
    ),
    Term(
        _SEND,
        "limit_offset_unit",
        "limitPriceOffsetUnit",
        {"limit_offset": "0.5", "limit_offset_unit": "PERCENT"},
        {"limitPriceOffsetValue": "0.5", "limitPriceOffsetUnit": "PERCENT"},
        kinds=TRIGGERS,
        neutral="limit_offset",
        note="`PERCENT` or `QUOTE_CURRENCY`",
    ),
    Term(
        _SEND,
        "reduce_only",
        "reduceOnly",
        {"reduce_only": True},
        {"reduceOnly": True},
        {"reduceOnly": True},
        neutral="reduce_only",
        note="the venue may make the order smaller",
    ),
    Term(
        _SEND,
        "deadline",
        "processBefore",
        {"deadline": _NOON},
        _UNTIL,
        neutral="deadline",
        note="to the microsecond; sent by default, from `order_deadline`; a batch has one for all",
    ),
    Term(_SEND, "", "broker", note="taken before production only"),
    Term(_SEND, "", "algoId", note="a header, for those who must name the algorithm that trades"),
)

EDIT = (
    Term(
        _EDIT,
        "order_id",
        "orderId",
        {"order_id": _UUID, "client_order_id": None},
        {"orderId": _UUID},
        {"order_id": _UUID},
        note="this or `client_order_id`; spelled `order_id` in a batch",
    ),
    Term(
        _EDIT,
        "client_order_id",
        "cliOrdId",
        {"client_order_id": "arb-1", "order_id": None},
        {"cliOrdId": "arb-1"},
        {"cliOrdId": "arb-1"},
    ),
    Term(
        _EDIT,
        "quantity",
        "size",
        {"quantity": "0.5"},
        {"size": "0.5", "qtyMode": "ABSOLUTE"},
        {"size": 0.5, "qtyMode": "ABSOLUTE"},
        neutral="quantity",
        note="the whole order, executions included",
    ),
    Term(
        _EDIT,
        "quantity_mode",
        "qtyMode",
        {"quantity": "0.5", "quantity_mode": "RELATIVE"},
        {"size": "0.5", "qtyMode": "RELATIVE"},
        {"size": 0.5, "qtyMode": "RELATIVE"},
        note="`RELATIVE`, the venue's own default, is what shall remain open: an execution on the way makes the order "
        "larger than was meant; `ABSOLUTE` unless told otherwise, and always sent with a size",
    ),
    Term(
        _EDIT,
        "limit_price",
        "limitPrice",
        {"limit_price": "59000"},
        {"limitPrice": "59000"},
        {"limitPrice": 59000},
        AT_A_LIMIT | STOPS,
        neutral="price",
        note="`amend` always sends that of a stop too",
    ),
    Term(
        _EDIT,
        "stop_price",
        "stopPrice",
        {"stop_price": "58000"},
        {"stopPrice": "58000"},
        {"stopPrice": 58000},
        STOPS,
        neutral="trigger_price",
        note="an edit of a stop needs it; `amend` always sends it",
    ),
    Term(
        _EDIT,
        "trailing_deviation",
        "trailingStopMaxDeviation",
        _TRAIL,
        _TRAIL_SENT,
        _TRAIL_ITEM,
        TRAILING,
        neutral="trail",
        note="even unchanged, it moves the trigger to the market",
    ),
    Term(
        _EDIT,
        "trailing_unit",
        "trailingStopDeviationUnit",
        _TRAIL,
        _TRAIL_SENT,
        _TRAIL_ITEM,
        TRAILING,
        neutral="trail",
    ),
    Term(_EDIT, "deadline", "processBefore", {"deadline": _NOON}, _UNTIL, neutral="deadline"),
)

CANCEL = (
    Term(
        _CANCEL,
        "order_id",
        "order_id",
        {"order_id": _UUID},
        {"order_id": _UUID},
        {"order_id": _UUID},
        note="this or `client_order_id`",
    ),
    Term(
        _CANCEL,
        "client_order_id",
        "cliOrdId",
        {"client_order_id": "arb-1"},
        {"cliOrdId": "arb-1"},
        {"cliOrdId": "arb-1"},
    ),
    Term(_CANCEL, "deadline", "processBefore", {"order_id": _UUID, "deadline": _NOON}, _UNTIL),
)

BATCH = (
    Term(_BATCH, "items", "json", note="orders, edits and cancels as above, as JSON in a form field; 100 at most"),
    Term(
        _BATCH,
        "deadline",
        "processBefore, ProcessBefore",
        {"deadline": _NOON},
        {**_UNTIL, "ProcessBefore": _UNTIL["processBefore"]},
        neutral="deadline",
        note="the documentation has one spelling, clients in use the other; both are sent",
    ),
)

PARAMETERS = (*SEND, *EDIT, *CANCEL, *BATCH)
