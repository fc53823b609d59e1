"""One connection's private subscriptions: executions and balances.

See https://docs.kraken.com/api/docs/websocket-v2/executions
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from exchange_core.model.symbol import Symbol
from kraken_spot.simulator.access import Token, require
from kraken_spot.simulator.codec import Refused, encode, fixed
from kraken_spot.simulator.feed import private_frames
from kraken_spot.simulator.feed.replies import Params, Reply, done, failed, field
from kraken_spot.simulator.venue import Venue

_PERMISSIONS = {"executions": ("query-open-trades",), "balances": ("query-funds",)}
_WARNINGS = [
    "cancel_reason is deprecated, use reason",
    "stop_price is deprecated, use triggers.price",
    "trigger is deprecated use triggers.reference",
    "triggered_price is deprecated use triggers.last_price",
]
_ENDS_AND_FILLS = frozenset({"new", "trade", "filled", "canceled", "expired"})
_SNAPSHOT_FILLS = 50


@attrs.define
class _Channel:
    """A subscription. Messages are counted from 1, the snapshot included."""

    token: Token
    every_status: bool = True
    counts: bool = False
    sequence: int = 0


class PrivateFeed:
    """What one connection hears of its account. True while there is anything."""

    def __init__(self, venue: Venue, push: Callable[[str], None]) -> None:
        self._venue = venue
        self._push = push
        self._channels: dict[str, _Channel] = {}

    def __bool__(self) -> bool:
        return bool(self._channels)

    def close(self) -> None:
        for channel in list(self._channels):
            self._drop(channel)

    # ── news of the account ──

    def execution(self, report: str, kind: str, symbol: Symbol) -> None:
        subscription = self._channels.get("executions")
        # Without every status only the ends of an order's life are told; fills always are.
        if subscription is None or not (subscription.every_status or kind in _ENDS_AND_FILLS):
            return
        if subscription.counts:
            count = self._venue.limits.engine_value(subscription.token.key.account, symbol)
            # Open point: what version 2 calls it; version 1 has this name.
            report = f'{report[:-1]},"ratecount":{fixed(count, 2)}}}'
        self._push(_frame("executions", "update", report, subscription))

    def balance(self, entry: str) -> None:
        subscription = self._channels.get("balances")
        if subscription is not None:
            self._push(_frame("balances", "update", entry, subscription))

    # ── requests ──

    def subscribe(self, channel: str, params: Params) -> list[Reply]:
        try:
            token = self._venue.tokens.find(params.get("token"))
            require(token.key, _PERMISSIONS[channel])
        except Refused as refused:
            return [{"channel": channel, "error": refused.code, "status": "error", "success": False}]
        if channel in self._channels:
            return [failed("Already subscribed") | {"channel": channel}]
        if any(held.token.key.account != token.key.account for held in self._channels.values()):
            return [{"channel": channel, "error": "ESession:Invalid session", "status": "error", "success": False}]
        return [self._executions(token, params) if channel == "executions" else self._balances(token, params)]

    def unsubscribe(self, channel: str, params: Params) -> list[Reply]:
        try:
            self._venue.tokens.find(params.get("token"))
        except Refused as refused:
            return [{"channel": channel, "error": refused.code, "status": "error", "success": False}]
        if channel not in self._channels:
            return [failed("Subscription Not Found") | {"channel": channel}]
        self._drop(channel)
        return [done({"channel": channel})]

    def _executions(self, token: Token, params: Params) -> Reply:
        orders = field(params, "snap_orders", bool, field(params, "snapshot", bool, True))
        trades = field(params, "snap_trades", bool, field(params, "snapshot_trades", bool, False))
        subscription = _Channel(token, every_status=field(params, "order_status", bool, True))
        subscription.counts = field(params, "ratecounter", bool, False)
        self._add("executions", subscription)
        result = {
            "channel": "executions",
            "maxratecount": int(self._venue.limits.tier_of(token.key.account).engine),
            "snap_orders": orders,
            "snap_trades": trades,
            "warnings": _WARNINGS,
        }
        then = [self._execution_snapshot(subscription, orders, trades)] if orders or trades else None
        return done(result, then)

    def _execution_snapshot(self, subscription: _Channel, orders: bool, trades: bool) -> str:
        names, usd, exchange = self._venue.names, self._venue.hub.usd, self._venue.exchange
        account = subscription.token.key.account
        rows: list[dict[str, Any]] = []
        if orders:
            rows += [
                private_frames.open_order(names.of(order.request.symbol), order, usd)
                for order in exchange.open_orders(account)
            ]
        if trades:
            rows += [
                private_frames.past_fill(names.of(fill.symbol), fill, usd)
                for fill in reversed(exchange.fills(account)[-_SNAPSHOT_FILLS:])
            ]
        return _frame("executions", "snapshot", ",".join(map(encode, rows)), subscription)

    def _balances(self, token: Token, params: Params) -> Reply:
        snapshot = field(params, "snapshot", bool, True)
        subscription = _Channel(token)
        self._add("balances", subscription)
        then = None
        if snapshot:
            found = self._venue.exchange.balances(token.key.account)
            earning = list(self._venue.earn.balances(token.key.account))
            rows = ",".join(map(encode, private_frames.balances(self._venue.names, found, earning)))
            then = [_frame("balances", "snapshot", rows, subscription)]
        return done({"channel": "balances", "snapshot": snapshot}, then)

    def _add(self, channel: str, subscription: _Channel) -> None:
        if not self._channels:
            self._venue.hub.follow(subscription.token.key.account, self)
        self._channels[channel] = subscription
        subscription.token.held += 1

    def _drop(self, channel: str) -> None:
        subscription = self._channels.pop(channel)
        subscription.token.held -= 1
        if not self._channels:
            self._venue.hub.unfollow(subscription.token.key.account, self)


def _frame(channel: str, kind: str, rows: str, subscription: _Channel) -> str:
    subscription.sequence += 1
    return f'{{"channel":"{channel}","type":"{kind}","data":[{rows}],"sequence":{subscription.sequence}}}'
