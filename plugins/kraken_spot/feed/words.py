"""How subscriptions are said to Kraken Spot: its words for channels, and what a request says beside them.

See https://docs.kraken.com/exchange/guides/websockets/introduction
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from exchange_core.connector.naming import SymbolMap
from exchange_core.model.event import Channel, Subscription
from kraken_spot.errors import Caution, meaning
from kraken_spot.wire import feed as wire

WORDS = {
    Channel.ORDERS: "executions",  # first: on the private host it keeps the connection open
    Channel.BALANCES: "balances",
    Channel.TICKER: "ticker",
    Channel.TRADES: "trade",
    Channel.BOOK: "book",
    Channel.BOOK_BY_ORDER: "level3",
    Channel.CANDLES: "ohlc",
    Channel.INSTRUMENTS: "instrument",
}
"""The venue's word for a channel. Orders and fills are one, balances and the ledger too; the status comes unasked."""

OPTIONS: Mapping[Channel, Mapping[str, Any]] = {
    Channel.ORDERS: {"snap_orders": True, "snap_trades": True, "ratecounter": True},
}
"""What only a subscription says, where it is more than that it wants a snapshot."""

_ORDER = {channel: number for number, channel in enumerate(WORDS)}
_SNAPSHOT = {"snapshot": True}

LOST_SESSION = re.compile(r"ESession:|Token\(s\) not found")
"""Refusals of a token. A new connection has a new one."""

_PASSING = re.compile(r"rate limit|msg rate|too many|throttled|maintenance|EService:|Internal error", re.IGNORECASE)


_CODE = re.compile(r"E[A-Z][A-Za-z]+:")


def codes(reason: str) -> tuple[str, ...]:
    """Return the venue's code that a refusal is, or nothing: some are plain words."""
    return (reason,) if _CODE.match(reason) else ()


def is_passing(reason: str) -> bool:
    """Return whether a refusal is about this moment, not about what was asked for."""
    return _PASSING.search(reason) is not None or meaning(reason).caution is Caution.WAIT


def kinds(carriers: Iterable[Subscription]) -> list[list[Subscription]]:
    """Return *carriers* by what one request can say: a channel with the same options."""
    found: dict[Subscription, list[Subscription]] = {}
    for carrier in carriers:
        kind = Subscription(carrier.channel, depth=carrier.depth, interval=carrier.interval, trigger=carrier.trigger)
        found.setdefault(kind, []).append(carrier)
    return [found[kind] for kind in sorted(found, key=lambda kind: _ORDER[kind.channel])]


def parameters(
    method: str, carriers: list[Subscription], symbols: SymbolMap, *, tokenized: bool = False
) -> dict[str, Any]:
    """Return what a request for *carriers*, all of one kind, says; without the token.

    Args:
        tokenized: Instruments are to be told of tokenised assets, too.
    """
    kind = carriers[0]
    params: dict[str, Any] = {"channel": WORDS[kind.channel]}
    if kind.symbol is not None:
        params["symbol"] = [symbols.wire(carrier.symbol) for carrier in carriers if carrier.symbol is not None]
    if kind.depth is not None:
        params["depth"] = kind.depth
    if kind.interval is not None:
        params["interval"] = kind.interval
    if kind.trigger is not None:
        params["event_trigger"] = str(kind.trigger)
    if method == "subscribe":
        params |= OPTIONS.get(kind.channel, _SNAPSHOT)
        if tokenized and kind.channel is Channel.INSTRUMENTS:
            params["include_tokenized_assets"] = True
    return params


def name_of(carrier: Subscription, symbols: SymbolMap) -> str | None:
    """Return the venue's name for the pair of a subscription."""
    return None if carrier.symbol is None else symbols.wire(carrier.symbol)


def difference(carrier: Subscription, result: wire.SubscribeResult) -> str | None:
    """Return what an answer says that was not asked for. Some leave out the depth, and some the trigger."""
    for name, said, wanted in (
        ("depth", result.depth, carrier.depth),
        ("interval", result.interval, carrier.interval),
        ("trigger", result.event_trigger, carrier.trigger),
    ):
        if said is not None and wanted is not None and said != wanted:
            return f"{name} {said} instead of {wanted}"
    return None


def as_echoed(carrier: Subscription, result: wire.SubscribeResult) -> Subscription:
    """Return what the venue says that it sends, in place of what was asked for."""
    return attrs.evolve(carrier, depth=result.depth or carrier.depth, interval=result.interval or carrier.interval)
