"""The private endpoints that only tell: balances, orders, trades, ledgers, fees.

See https://docs.kraken.com/api-reference/account-data/get-account-balance
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from exchange_core.connector.simulation import SimFill, SimKey, SimLedgerEntry, SimOrder
from exchange_core.model.time import to_millis
from kraken_spot.simulator.access import PERMISSIONS, TOKEN_SECONDS, Door, permitted
from kraken_spot.simulator.bank import Bank
from kraken_spot.simulator.codec import Arguments, Refused, fixed, invalid, padded
from kraken_spot.simulator.markets.traded import public_id
from kraken_spot.simulator.orders.text import is_order_id
from kraken_spot.simulator.rest.fees import fee_row, schedule
from kraken_spot.simulator.rest.paging import PAGE, page
from kraken_spot.simulator.rest.records import ledger_id, ledger_record, moment_of, order_record, trade_record
from kraken_spot.simulator.venue import Venue

_TRADE_TYPES = ("all", "any position", "closed position", "closing position", "no position")
_NONE = Decimal(0)


class Account:
    """What an account's owner may ask."""

    def __init__(self, venue: Venue, bank: Bank, door: Door) -> None:
        self._exchange = venue.exchange
        self._names = venue.names
        self._desk = venue.desk
        self._tokens = venue.tokens
        self._earn = venue.earn
        self._bank = bank
        self._door = door

    # ── money ──

    def balance(self, key: SimKey, given: Arguments) -> object:
        return {row["id"]: row["balance"] for row in self._balances(key.account)}

    def balance_ex(self, key: SimKey, given: Arguments) -> object:
        return {
            row["id"]: {"balance": row["balance"], "hold_trade": row["held"]} for row in self._balances(key.account)
        }

    def _balances(self, account: str) -> Iterable[dict[str, str]]:
        for balance in self._exchange.balances(account):
            asset = self._names.asset(balance.asset)
            yield {
                "id": asset.venue_id,
                "balance": padded(balance.total, asset.decimals),
                # The margin of positions and of margin orders is no part of it.
                "held": padded(balance.held - balance.margin, asset.decimals),
            }
        for code, _, amount, asset in self._earn.balances(account):
            yield {"id": code, "balance": padded(amount, asset.decimals), "held": padded(_NONE, asset.decimals)}

    def credit_lines(self, key: SimKey, given: Arguments) -> object:
        """Nobody has a credit line here."""
        return None

    def trade_volume(self, key: SimKey, given: Arguments) -> object:
        """Return what was traded in 30 days and, for the pairs asked for, the fees in percent."""
        volume = self._exchange.volume(key.account)
        pairs = [self._names.pair(name) for name in self._pairs_asked(given)]
        answer: dict[str, Any] = {"currency": "ZUSD", "volume": fixed(volume, 4), "fees": None, "fees_maker": None}
        if pairs:
            answer["fees"] = {pair.id: fee_row(pair, volume, "taker") for pair in pairs}
            answer["fees_maker"] = {pair.id: fee_row(pair, volume, "maker") for pair in pairs}
        if given.flag("fee_schedule", strict=True):
            answer["schedules"] = [schedule(pair, volume) for pair in pairs]
        return answer

    def _pairs_asked(self, given: Arguments) -> list[str]:
        listed = given.raw("pair")
        if not isinstance(listed, list):
            return given.words("pair")
        names = [item.get("asset") if isinstance(item, dict) else item for item in listed]
        found = [name for name in names if isinstance(name, str)]
        if len(found) < len(names):
            raise invalid("pair")
        return found

    # ── orders ──

    def open_orders(self, key: SimKey, given: Arguments) -> object:
        orders = self._filtered(self._exchange.open_orders(key.account), given)
        return {"open": self._records(orders, given)}

    def closed_orders(self, key: SimKey, given: Arguments) -> object:
        which = given.choice("closetime", ("open", "close", "both"), "both")
        orders = self._filtered(self._desk.closed(key.account), given)

        def opened(txid: str) -> datetime | None:
            order = self._desk.find(key.account, txid)
            return order.created if order else None

        found, count = page(orders, given, lambda order: moment_of(order, which), opened)
        return {"closed": self._records(found, given), **count}

    def query_orders(self, key: SimKey, given: Arguments) -> object:
        """Return the orders asked for; what the account does not have is left out."""
        found = []
        for txid in _ids(given, "txid", 50):
            if not is_order_id(txid):
                raise Refused("EOrder:Invalid order")
            order = self._desk.find(key.account, txid)
            if order is None:
                continue
            needed = "query-closed-trades" if order.status.is_final else "query-open-trades"
            if not permitted(key, (needed,)):
                raise Refused("EGeneral:Permission denied")
            found.append(order)
        return self._records(self._filtered(found, given), given)

    def _filtered(self, orders: Iterable[SimOrder], given: Arguments) -> list[SimOrder]:
        client_id = given.text("cl_ord_id")
        reference = given.integer("userref", 0, -(2**31), 2**31 - 1)
        return [
            order
            for order in orders
            if (not client_id or order.request.client_order_id == client_id)
            and ("userref" not in given or (order.request.user_ref or 0) == reference)
        ]

    def _records(self, orders: Iterable[SimOrder], given: Arguments) -> dict[str, Any]:
        with_trades = given.flag("trades")
        return {order.id: order_record(self._names.of(order.request.symbol), order, with_trades) for order in orders}

    # ── trades and ledgers ──

    def trades_history(self, key: SimKey, given: Arguments) -> object:
        kind = given.choice("type", _TRADE_TYPES, "all")
        pair = self._names.pair(given.text("pair")) if "pair" in given else None
        rows = [
            fill
            for fill in reversed(self._exchange.fills(key.account))
            if self._is_of(key.account, fill, kind) and (pair is None or fill.symbol == pair.symbol)
        ]
        size = min(given.integer("limit", PAGE, 1, 2**31), 100)
        found, count = page(rows, given, lambda fill: [fill.time], self._time_of_fill, size)
        return {"trades": self._trades(key.account, found, given), **count}

    def _is_of(self, account: str, fill: SimFill, kind: str) -> bool:
        """Whether a fill is among those of a ``type``; what closed its position is told by the order."""
        if kind in ("all", "no position") or not fill.position_id:
            return kind == "all" or (not fill.position_id and kind == "no position")
        order = self._desk.find(account, fill.order_id)
        return kind == "any position" or (order is not None and order.request.reduce_only)

    def query_trades(self, key: SimKey, given: Arguments) -> object:
        fills = [self._exchange.fill(txid) for txid in _ids(given, "txid", 20)]
        return self._trades(key.account, [fill for fill in fills if fill and fill.account == key.account], given)

    def _time_of_fill(self, txid: str) -> datetime | None:
        fill = self._exchange.fill(txid)
        return fill.time if fill else None

    def _trades(self, account: str, fills: list[SimFill], given: Arguments) -> dict[str, Any]:
        booked: dict[str, list[str]] = {}
        if given.flag("ledgers"):
            for entry in self._exchange.ledger(account):
                booked.setdefault(entry.reference, []).append(ledger_id(entry))
        return {
            fill.id: trade_record(
                self._names.of(fill.symbol),
                fill,
                self._desk.find(account, fill.order_id),
                booked.get(fill.id, []) if given.flag("ledgers") else None,
            )
            for fill in fills
        }

    def ledgers(self, key: SimKey, given: Arguments) -> object:
        asked = [] if given.text("asset", "all") == "all" else given.words("asset")
        codes = {asset.code for asset in self._names.find_assets(asked)} if asked else None
        kind = given.text("type", "all")
        entries = self._exchange.ledger(key.account)
        rows = [
            entry
            for entry in reversed(entries)
            if (codes is None or entry.asset in codes) and kind in ("all", entry.kind)
        ]
        times = {ledger_id(entry): entry.time for entry in entries}
        found, count = page(rows, given, lambda entry: [entry.time], times.get)
        return {"ledger": self._entries(found), **count}

    def query_ledgers(self, key: SimKey, given: Arguments) -> object:
        known = {ledger_id(entry): entry for entry in self._exchange.ledger(key.account)}
        return self._entries([known[text] for text in _ids(given, "id", 20) if text in known])

    def _entries(self, entries: Iterable[SimLedgerEntry]) -> dict[str, Any]:
        return {ledger_id(entry): ledger_record(self._names, entry, self._bank.subtype(entry)) for entry in entries}

    # ── reports ──

    def trade_rows(self, account: str) -> Iterable[tuple[datetime, dict[str, Any]]]:
        """Return what a report of trades may hold."""
        for fill in self._exchange.fills(account):
            [(txid, record)] = self._trades(account, [fill], Arguments({})).items()
            yield fill.time, {"txid": txid} | {name: _cell(value) for name, value in record.items()}

    def ledger_rows(self, account: str) -> Iterable[tuple[datetime, dict[str, Any]]]:
        """Return what a report of ledgers may hold."""
        for entry in self._exchange.ledger(account):
            record = ledger_record(self._names, entry, self._bank.subtype(entry))
            yield entry.time, {"txid": ledger_id(entry)} | {name: _cell(value) for name, value in record.items()}

    # ── the key ──

    def key_info(self, key: SimKey, given: Arguments) -> object:
        used = self._door.used.get(key.api_key)
        # Open point: a client that was read has these names with underscores.
        return {
            "apiKeyName": key.api_key,
            "apiKey": key.api_key,
            "nonce": str(used.nonce if used else 0),
            "nonceWindow": 0,
            "permissions": sorted(key.permissions) or list(PERMISSIONS),
            "iban": public_id(key.account),
            "validUntil": "0",
            "queryFrom": "0",
            "queryTo": "0",
            "createdTime": "0",
            "modifiedTime": "0",
            "ipAllowlist": [],
            "lastUsed": None if used is None or used.last is None else str(to_millis(used.last) // 1000),
        }

    # ── sessions ──

    def websockets_token(self, key: SimKey, given: Arguments) -> object:
        return {"token": self._tokens.issue(key), "expires": TOKEN_SECONDS}


def _ids(given: Arguments, name: str, most: int) -> list[str]:
    found = given.words(name)
    if not found or len(found) > most:
        raise invalid(name)
    return found


def _cell(value: Any) -> str:
    """Write a value for a report."""
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    return str(value).lower() if isinstance(value, bool) else str(value)
