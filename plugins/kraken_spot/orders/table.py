"""Every term of an order, as data: what Kraken calls it, and which types of orders it goes with.

From this the checks, the support table of the README and one test per term are made.
See https://docs.kraken.com/api-reference/trading/add-order
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from exchange_core.connector.spec import Support
from kraken_spot.orders.terms import ConditionalClose
from kraken_spot.types.history import SpotOrderType as T

ALL = frozenset(T)
LIMITED = frozenset({T.LIMIT, T.ICEBERG, T.STOP_LOSS_LIMIT, T.TAKE_PROFIT_LIMIT, T.TRAILING_STOP_LIMIT})
"""What has a limit price."""
TRAILING = frozenset({T.TRAILING_STOP, T.TRAILING_STOP_LIMIT})
TRIGGERED = TRAILING | {T.STOP_LOSS, T.TAKE_PROFIT, T.STOP_LOSS_LIMIT, T.TAKE_PROFIT_LIMIT}
"""What waits for a price."""
AT_ONCE = frozenset({T.MARKET, T.SETTLE_POSITION})
"""What never rests."""
LIMIT_IS_FIRST = frozenset({T.LIMIT, T.ICEBERG})
"""Whose ``price`` is the limit; with a trigger that is the ``price`` and the limit ``price2``."""


class Term(NamedTuple):
    """One term of an order.

    Attributes:
        name: In ``SpotOrder``.
        wire: What Kraken calls it.
        types: With which types it goes; with others it is refused.
        example: A value of ours.
        sent: What of the example goes out over REST, by the venue's name.
        framed: The same over WebSocket; None where a frame has no word for it, or no page tells how it is meant there.
        request: What gives it through ``venue.place``: fields of ``OrderRequest``, and of ``SpotTerms`` as ``terms.``.
        needed: Whether those types cannot do without.
        note: What else there is to know.
    """

    name: str
    wire: str
    types: frozenset[T]
    example: Any
    sent: dict[str, Any]
    framed: dict[str, Any] | None
    request: str
    needed: bool = False
    note: str = ""

    @property
    def over_rest(self) -> str:
        """The word of the support table."""
        return Support.HONOURED

    @property
    def over_websocket(self) -> str:
        """The same for orders over the live connection; what it cannot say goes over REST, whatever is asked for."""
        return Support.HONOURED if self.framed is not None else "goes over REST"


TERMS = (
    Term("symbol", "pair", ALL, "BTC/USD", {"pair": "XBTUSD"}, {"symbol": "BTC/USD"}, request="symbol", needed=True),
    Term("side", "type", ALL, "sell", {"type": "sell"}, {"side": "sell"}, request="side", needed=True),
    Term(
        "type",
        "ordertype",
        ALL,
        T.LIMIT,
        {},
        {},
        request="type, display_quantity, terms.settle",
        needed=True,
        note="all ten types",
    ),
    Term(
        "quantity",
        "volume",
        ALL,
        "1.5",
        {"volume": "1.5"},
        {"order_qty": 1.5},
        request="quantity, quote_amount",
        needed=True,
        note="0 closes a margin position whole, by `operations.trading` only",
    ),
    Term(
        "limit_price",
        "price, price2",
        LIMITED,
        "+1.5%",
        {"price2": "+1.5%"},
        {"limit_price": 1.5, "limit_price_type": "pct"},
        request="price, limit_offset, terms.price_offset",
        needed=True,
        note="a number, or an offset `+` `-` `#` with or without `%`; of a trailing order `+` or `-` from its trigger",
    ),
    Term(
        "trigger_price",
        "price",
        TRIGGERED,
        "+2.5%",
        {"price": "+2.5%"},
        {"triggers": {"price": 2.5, "price_type": "pct"}},
        request="trigger_price, trail, terms.trigger_offset",
        needed=True,
        note="a number or an offset; of a trailing order `+`, how far it trails",
    ),
    Term(
        "trigger",
        "trigger",
        TRIGGERED,
        "index",
        {"trigger": "index"},
        {"triggers": {"reference": "index"}},
        request="trigger_by",
        note="`last` or `index`; with other types where the conditional close has a trigger",
    ),
    Term(
        "display_quantity",
        "displayvol",
        frozenset({T.ICEBERG}),
        "0.5",
        {"displayvol": "0.5"},
        {"display_qty": 0.5},
        request="display_quantity",
        needed=True,
        note="at least a fifteenth of the quantity",
    ),
    Term(
        "leverage", "leverage", ALL, 5, {"leverage": "5"}, None, request="leverage", note="not with `quantity_in_quote`"
    ),
    Term(
        "reduce_only",
        "reduce_only",
        ALL,
        True,
        {"reduce_only": True},
        {"reduce_only": True},
        request="reduce_only",
        note="of margin positions",
    ),
    Term(
        "self_trade",
        "stptype",
        ALL,
        "cancel-both",
        {"stptype": "cancel-both"},
        {"stp_type": "cancel_both"},
        request="self_trade",
    ),
    Term(
        "post_only",
        "oflags `post`",
        frozenset({T.LIMIT}),
        True,
        {"oflags": "post"},
        {"post_only": True},
        request="post_only",
    ),
    Term(
        "fee_asset",
        "oflags `fcib`, `fciq`",
        ALL,
        "fcib",
        {"oflags": "fcib"},
        {"fee_preference": "base"},
        request="terms.fee_asset",
        note="a preference; the ledger tells what was charged",
    ),
    Term(
        "no_price_protection",
        "oflags `nompp`",
        ALL - LIMITED,
        True,
        {"oflags": "nompp"},
        {"no_mpp": True},
        request="terms.no_price_protection",
        note="the venue takes it and ignores it",
    ),
    Term(
        "quantity_in_quote",
        "oflags `viqc`",
        frozenset({T.MARKET}),
        True,
        {"oflags": "viqc"},
        None,
        request="quote_amount",
        note="buying only, without leverage",
    ),
    Term(
        "time_in_force",
        "timeinforce",
        ALL - AT_ONCE,
        "GTD",
        {"timeinforce": "GTD"},
        {"time_in_force": "gtd"},
        request="time_in_force",
        note="`GTC`, `IOC`, `GTD` with `expire`, `FOK` of limit orders; what is left of a market order never rests",
    ),
    Term(
        "start",
        "starttm",
        ALL,
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        {"starttm": "1767323045"},
        {"effective_time": "2026-01-02T03:04:05Z"},
        request="terms.start",
        note="a time, or seconds from now",
    ),
    Term(
        "expire",
        "expiretm",
        ALL - AT_ONCE,
        datetime(2026, 1, 3, 3, 4, 5, tzinfo=UTC),
        {"expiretm": "1767409445"},
        {"expire_time": "2026-01-03T03:04:05Z"},
        request="expires",
        note="with `GTD`; a time, or at least 5 seconds from now, at most a month ahead",
    ),
    Term(
        "deadline",
        "deadline",
        ALL,
        datetime(2026, 1, 1, 0, 0, 10, 250000, tzinfo=UTC),
        {"deadline": "2026-01-01T00:00:10.250Z"},
        {"deadline": "2026-01-01T00:00:10.250Z"},
        request="deadline",
        note="2 to 60 seconds ahead; sent by default, from `order_deadline`",
    ),
    Term(
        "userref",
        "userref",
        ALL,
        -7,
        {"userref": -7},
        {"order_userref": -7},
        request="terms.userref",
        note="in place of `client_order_id`",
    ),
    Term(
        "client_order_id",
        "cl_ord_id",
        ALL,
        "arb-20260101-00001",
        {"cl_ord_id": "arb-20260101-00001"},
        {"cl_ord_id": "arb-20260101-00001"},
        request="client_order_id",
        note="this or `userref` must be there; `venue.place` makes one",
    ),
    Term(
        "close",
        "close[ordertype], close[price], close[price2]",
        ALL,
        ConditionalClose(type=T.STOP_LOSS_LIMIT, trigger_price="90", limit_price="89.5"),
        {"close[ordertype]": "stop-loss-limit", "close[price]": "90", "close[price2]": "89.5"},
        {"conditional": {"order_type": "stop-loss-limit", "limit_price": 89.5, "trigger_price": 90}},
        request="terms.close",
        note="any type but market and settle-position, with its prices",
    ),
    Term(
        "tokenized",
        "asset_class",
        ALL,
        True,
        {"asset_class": "tokenized_asset"},
        None,
        request="terms.tokenized",
        note="for xStocks",
    ),
    Term(
        "broker", "broker", ALL, "AA88 N84G ABCD EFGH", {"broker": "AA88 N84G ABCD EFGH"}, None, request="terms.broker"
    ),
)

BY_NAME = {term.name: term for term in TERMS}


def table() -> str:
    """Return the support table, as Markdown."""
    lines = [
        "| term | Kraken's name | `venue.place` | REST | WebSocket | goes with | notes |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{term.name}` | {_code(term.wire)} | {_code(term.request)} | {term.over_rest} | {term.over_websocket} "
        f"| {_types(term.types)}{', which need it' if term.needed else ''} | {term.note} |"
        for term in TERMS
    ]
    lines.append(
        "| `trading.validate(order)` | `validate` | `venue.check` asks nobody | honoured | goes over REST | all "
        "| a call of its own, so that a forgotten flag never looks like an order |"
    )
    return "\n".join(lines)


def _code(wire: str) -> str:
    return wire if "`" in wire else ", ".join(f"`{name}`" for name in wire.split(", "))


def _types(types: Iterable[T]) -> str:
    chosen = frozenset(types)
    if chosen == ALL:
        return "all"
    if len(chosen) > len(ALL) / 2:
        return f"all but {', '.join(one for one in T if one not in chosen)}"
    return ", ".join(one for one in T if one in chosen)
