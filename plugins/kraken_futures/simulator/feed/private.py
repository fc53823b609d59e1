"""One connection's private subscriptions: orders, fills, positions, balances, account log.

See https://docs.kraken.com/api/docs/futures-api/websocket/fills and its neighbours
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from exchange_core.connector.simulation import SimFill, SimLedgerEntry, SimOrder
from exchange_core.model.time import to_millis
from kraken_futures.simulator.codec import encode, real
from kraken_futures.simulator.feed import private_frames as rows
from kraken_futures.simulator.feed.hub import TRIGGERED
from kraken_futures.simulator.feed.public import ALREADY
from kraken_futures.simulator.markets.contracts import old_code
from kraken_futures.simulator.money.wallets import Flex, Wallet, Wallets
from kraken_futures.simulator.past.account_log import LogRow, for_feed
from kraken_futures.simulator.past.events import account_id
from kraken_futures.simulator.venue import Venue

_ORDERS = ("open_orders", "open_orders_verbose")
FEEDS = frozenset(
    {*_ORDERS, "fills", "open_positions", "balances", "account_log", "notifications_auth"},
)
_ECHOED = ("product_ids", "api_key", "original_challenge", "signed_challenge")
_WITH_MONEY = frozenset({"partial_fill", "full_fill", TRIGGERED})
"""Reasons after which the balances come by themselves, or with the next one."""
_SNAPSHOT_FILLS = 100
_SNAPSHOT_LOG = 500


class PrivateFeed:
    """What one connection hears of its account."""

    def __init__(self, venue: Venue, push: Callable[[str], None]) -> None:
        self._venue = venue
        self._push = push
        self._account = ""
        self._feeds: set[str] = set()
        self._products: set[str] = set()
        self._counts: dict[str, int] = {}
        self._fills = 0

    def close(self) -> None:
        if self._feeds:
            self._venue.hub.unfollow(self._account, self)
        self._venue.notices.unlisten(self.noticed)
        self._feeds.clear()

    # ── requests ──

    def subscribe(self, feed: str, account: str, request: dict[str, Any]) -> None:
        """Start a feed for *account*, which the caller has checked; the request is echoed as the answer."""
        if self._account and account != self._account:
            self._push('{"event":"alert","message":"Failed to subscribe to authenticated feed"}')
            return
        self._account = account
        self._venue.chronicle.of(account)
        if feed in self._feeds:
            self._push(ALREADY)
        if feed == "fills":
            self._products = self._asked(request)
        if feed == "notifications_auth" and feed not in self._feeds:
            self._venue.notices.look()
            self._venue.notices.listen(self.noticed)
        self._feeds.add(feed)
        self._venue.hub.follow(account, self)
        self._push(_echo("subscribed", feed, request))
        self._snapshot(feed)

    def unsubscribe(self, feed: str, request: dict[str, Any]) -> None:
        word = "unsubscribed" if feed in self._feeds else "unsubscribed_failed"
        self._feeds.discard(feed)
        if feed == "notifications_auth":
            self._venue.notices.unlisten(self.noticed)
        if not self._feeds and self._account:
            self._venue.hub.unfollow(self._account, self)
        self._push(_echo(word, feed, request))

    def _asked(self, request: dict[str, Any]) -> set[str]:
        names = request.get("product_ids")
        if not isinstance(names, list):
            return set()
        found = [self._venue.contracts.find(name) for name in names if isinstance(name, str)]
        return {contract.id for contract in found if contract is not None}

    # ── news of the account ──

    def order_news(self, order: SimOrder, reason: str, gone: bool) -> None:
        contract = self._venue.contracts.of(order.request.symbol)
        if reason == "cancelled_by_user":
            told: dict[str, Any] = {"order_id": order.id}
            if order.request.client_order_id is not None:
                told["cli_ord_id"] = order.request.client_order_id
        else:
            # What was just set off leaves as the trigger that it was.
            shown = attrs.evolve(order, triggered=None) if reason == TRIGGERED else order
            told = {"order": rows.order(contract, shown)}
        for feed in _ORDERS:
            self._send(feed, {**told, "is_cancel": gone, "reason": reason})
        if reason not in _WITH_MONEY:
            self._balances_changed(contract.settle)

    def post_failed(self, order: SimOrder) -> None:
        contract = self._venue.contracts.of(order.request.symbol)
        told = {"order": rows.order(contract, order), "is_cancel": True}
        self._send("open_orders_verbose", told | {"reason": "post_order_failed_because_it_would_be_filled"})

    def filled(self, fill: SimFill, kind: str) -> None:
        self._fills += 1
        contract = self._venue.contracts.of(fill.symbol)
        if not self._products or contract.id in self._products:
            row = rows.fill(contract, fill, self._fills, kind)
            self._send("fills", {"username": account_id(self._account), "fills": [row]})

    def booked(self, entry: SimLedgerEntry) -> None:
        self._balances_changed(entry.asset)

    def logged(self, number: int, row: LogRow) -> None:
        self._send("account_log", {"new_entry": for_feed(number, row)})

    def position_changed(self) -> None:
        if "open_positions" in self._feeds:
            self._open_positions()

    def cash_changed(self, code: str) -> None:
        if "balances" in self._feeds:
            total = self._venue.bank.cash(self._account)[code]
            self._send_balances("balances", {"holding": {old_code(code): real(total)}, "futures": {}})

    def noticed(self, notice: dict[str, Any]) -> None:
        self._send("notifications_auth", {"notifications": [notice]})

    def _balances_changed(self, asset: str) -> None:
        """Send only the section that *asset* is in."""
        if "balances" not in self._feeds:
            return
        wallets = self._wallets()
        single = [wallet for wallet in wallets.single if wallet.asset == asset]
        if single:
            section: dict[str, Any] = {"holding": {}, "futures": rows.futures(single)}
        else:
            section = {"flex_futures": rows.flex_futures(wallets.flex, self._isolated())}
        self._send_balances("balances", section)

    # ── whole states ──

    def _open_orders(self, feed: str) -> None:
        orders = [
            rows.order(self._venue.contracts.of(order.request.symbol), order)
            for order in self._venue.exchange.open_orders(self._account)
        ]
        self._send(feed, {"account": account_id(self._account), "orders": orders}, "_snapshot")

    def _fills_snapshot(self) -> None:
        fills = self._venue.exchange.fills(self._account)
        self._fills = len(fills)
        numbered = [(number, fill) for number, fill in enumerate(fills, 1)][-_SNAPSHOT_FILLS:]
        found = [(self._venue.contracts.of(fill.symbol), fill, number) for number, fill in numbered]
        kind = self._venue.chronicle.fill_kind
        shown = [
            rows.fill(contract, fill, number, kind(fill))
            for contract, fill, number in found
            if not self._products or contract.id in self._products
        ]
        self._send("fills", {"account": account_id(self._account), "fills": shown}, "_snapshot")

    def _open_positions(self) -> None:
        """Send all positions: a closed one is simply not there any more."""
        wallets = self._wallets()
        profit_code = self._venue.settings.profit_code
        backing: list[Flex | Wallet] = [wallets.flex, *wallets.single]
        shown = [
            rows.position(held, wallet, profit_code(self._account, held.contract.symbol))
            for wallet in backing
            for held in wallet.positions
        ]
        told = {"account": account_id(self._account), "positions": shown}
        self._send("open_positions", told | {"seq": self._count("open_positions"), "timestamp": self._now()})

    def _balances_snapshot(self) -> None:
        self._counts["balances"] = 0
        wallets = self._wallets()
        futures, flex = rows.futures(wallets.single), rows.flex_futures(wallets.flex, self._isolated())
        holding = {old_code(code): real(total) for code, total in self._venue.bank.cash(self._account).items()}
        self._send_balances("balances_snapshot", {"holding": holding, "futures": futures, "flex_futures": flex})

    def _account_log_snapshot(self) -> None:
        numbered = list(self._venue.chronicle.of(self._account).log.numbered())[: -_SNAPSHOT_LOG - 1 : -1]
        self._send("account_log", {"logs": [for_feed(place + 1, row) for place, row in numbered]}, "_snapshot")

    def _snapshot(self, feed: str) -> None:
        match feed:
            case "fills":
                self._fills_snapshot()
            case "open_positions":
                self._open_positions()
            case "balances":
                self._balances_snapshot()
            case "account_log":
                self._account_log_snapshot()
            case "notifications_auth":
                self._send(feed, {"notifications": self._venue.notices.for_feed()})
            case _:
                self._open_orders(feed)

    # ── sending ──

    def _send(self, feed: str, fields: dict[str, Any], suffix: str = "") -> None:
        if feed in self._feeds:
            self._push(encode({"feed": feed + suffix, **fields}))

    def _send_balances(self, feed: str, sections: dict[str, Any]) -> None:
        head = {"feed": feed, "account": account_id(self._account)}
        self._push(encode({**head, **sections, "timestamp": self._now(), "seq": self._count("balances")}))

    def _count(self, feed: str) -> int:
        """Return the number of this message; the first is 0."""
        number = self._counts.get(feed, 0)
        self._counts[feed] = number + 1
        return number

    def _now(self) -> int:
        return to_millis(self._venue.exchange.now())

    def _isolated(self) -> list[str]:
        return [*self._venue.settings.isolated(self._account)]

    def _wallets(self) -> Wallets:
        return Wallets.of(self._venue.exchange, self._venue.contracts, self._account)


def _echo(word: str, feed: str, request: dict[str, Any]) -> str:
    """Return the answer, which brings back key, challenge and signature."""
    echoed = {name: request[name] for name in _ECHOED if name in request}
    return encode({"event": word, "feed": feed, **echoed})
