"""What becomes of each term of an order, as the tables that the README shows."""

from __future__ import annotations

from collections.abc import Iterable

from exchange_core.connector.support import TERMS
from kraken_futures.orders.requests import OrderKind
from kraken_futures.orders.table import ALL, BATCH, CANCEL, PARAMETERS, Term
from kraken_futures.terms import SUPPORT, UNSUPPORTED

_SENT_AS = {
    "type": "`mkt`, `lmt`",
    "type.stop": "`stp`",
    "type.stop_limit": "`stp` with `limitPrice`, or with an offset",
    "type.take_profit": "`take_profit`",
    "type.take_profit_limit": "`take_profit` with `limitPrice`, or with an offset",
    "type.trailing_stop": "`trailing_stop`",
    "type.trailing_stop_limit": "`trailing_stop` with an offset; its limit cannot be a price",
    "time_in_force": "`ioc` and `fok` of limit orders; what is left of a market order never rests",
    "post_only": "`post`, of limit orders",
    "reduce_only": "`reduceOnly`",
    "trigger_by": "`triggerSignal`; `mark` without it",
    "limit_offset": "`limitPriceOffsetValue`, `limitPriceOffsetUnit`; in a batch they are sent by themselves",
    "client_order_id": "`cliOrdId`",
    "deadline": "`processBefore`",
}


def support_table() -> str:
    """Return what becomes of each term of an ``OrderRequest``, as Markdown."""
    lines = ["| term | support | sent as, or why not |", "|---|---|---|"]
    lines += [f"| `{term}` | {SUPPORT[term]} | {_SENT_AS.get(term) or UNSUPPORTED[term]} |" for term in TERMS]
    return "\n".join(lines)


def table() -> str:
    """Return every parameter of every call, as Markdown."""
    lines = [
        "| call | ours | Kraken's name | alone | in a batch | goes with | `OrderRequest`, `Amendment` | notes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{term.call}` | {_code(term.name)} | {_code(term.wire)} | {term.support} | {_in_batch(term)} "
        f"| {_goes_with(term)} | {_code(term.neutral)} | {term.note} |"
        for term in PARAMETERS
    ]
    return "\n".join(lines)


def _code(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split(", ")) if names else ""


def _in_batch(term: Term) -> str:
    return "" if term in BATCH else term.in_batch


def _goes_with(term: Term) -> str:
    if not term.name or term in (*CANCEL, *BATCH):
        return ""
    need = (
        ""
        if not term.needed
        else ", which need it"
        if term.needed == term.kinds
        else f"; {_types(term.needed)} need it"
    )
    return f"{_types(term.kinds)}{need}"


def _types(kinds: Iterable[OrderKind]) -> str:
    chosen = frozenset(kinds)
    return "all" if chosen == ALL else ", ".join(one for one in OrderKind if one in chosen)
