"""The private endpoints that only tell: balances, orders, trades, ledgers, fees.

See https://docs.kraken.com/api-reference/account-data/get-account-balance
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from exchange_core.connector.simulation import SimExchange, SimFill, SimKey, SimLedgerEntry, SimOrder
from kraken_spot.simulator.access import TOKEN_SECONDS, Tokens, permitted
from kraken_spot.simulator.codec import Arguments, Refused, fixed, invalid, padded
from kraken_spot.simulator.desk import Desk
from kraken_spot.simulator.hub import Hub
from kraken_spot.simulator.names import Names, Pair
from kraken_spot.simulator.order_text import is_order_id
from kraken_spot.simulator.paging import PAGE, page
from kraken_spot.simulator.records import ledger_id, ledger_record, moment_of, order_record, trade_record

_MONTH = timedelta(days=30)
_TRADE_TYPES = ("all", "any position", "closed position", "closing position", "no position")
_ZERO = "0.0000"


class Account:
    """What an account's owner may ask."""

    def __init__(self, exchange: SimExchange, names: Names, hub: Hub, desk: Desk, tokens: Tokens) -> None:
        self._exchange = exchange
        self._names = names
        self._hub = hub
        self._desk = desk
        self._tokens = tokens

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
                "held": padded(balance.held, asset.decimals),
            }

    def trade_balance(self, key: SimKey, given: Arguments) -> object:
        """Return the sums in US dollars; nothing is traded on margin here."""
        if given.text("asset", "ZUSD") not in ("ZUSD", "USD"):
            raise invalid("asset")
        balances = self._exchange.balances(key.account)
        equity = fixed(sum((self._hub.usd(row.asset, row.total) for row in balances), Decimal(0)), 4)
        waiting = sum((self._value(order) for order in self._exchange.open_orders(key.account)), Decimal(0))
        sums = {"eb": equity, "tb": equity, "m": _ZERO, "uv": fixed(waiting, 4), "n": _ZERO, "c": _ZERO, "v": _ZERO}
        return sums | {"e": equity, "mf": equity, "mfo": equity}

    def _value(self, order: SimOrder) -> Decimal:
        return self._hub.usd(order.request.symbol.quote, order.remaining * (order.request.price or Decimal(0)))

    def trade_volume(self, key: SimKey, given: Arguments) -> object:
        """Return what was traded in 30 days and, for the pairs asked for, the fees in percent."""
        since = self._exchange.now() - _MONTH
        volume = sum(
            (
                self._hub.usd(fill.symbol.quote, fill.cost)
                for fill in self._exchange.fills(key.account)
                if fill.time >= since
            ),
            Decimal(0),
        )
        pairs = [self._names.pair(name) for name in self._pairs_asked(given)]
        answer: dict[str, Any] = {"currency": "ZUSD", "volume": fixed(volume, 4), "fees": None, "fees_maker": None}
        if pairs:
            answer["fees"] = {pair.id: _tier(pair.market.fees.taker) for pair in pairs}
            answer["fees_maker"] = {pair.id: _tier(pair.market.fees.maker) for pair in pairs}
        if given.flag("fee_schedule", strict=True):
            answer["schedules"] = [_schedule(pair) for pair in pairs]
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
            if kind in ("all", "no position") and (pair is None or fill.symbol == pair.symbol)
        ]
        size = min(given.integer("limit", PAGE, 1, 2**31), 100)
        found, count = page(rows, given, lambda fill: [fill.time], self._time_of_fill, size)
        return {"trades": self._trades(key.account, found, given), **count}

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
                self._names.of(fill.symbol), fill, booked.get(fill.id, []) if given.flag("ledgers") else None
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
        return {ledger_id(entry): ledger_record(self._names, entry) for entry in entries}

    # ── sessions ──

    def websockets_token(self, key: SimKey, given: Arguments) -> object:
        return {"token": self._tokens.issue(key), "expires": TOKEN_SECONDS}


def _ids(given: Arguments, name: str, most: int) -> list[str]:
    found = given.words(name)
    if not found or len(found) > most:
        raise invalid(name)
    return found


def _tier(rate: Decimal) -> dict[str, str | None]:
    """Return a fee schedule of one step, in percent."""
    percent = padded(rate * 100, 4)
    return {
        "fee": percent,
        "minfee": percent,
        "maxfee": percent,
        "nextfee": None,
        "tiervolume": _ZERO,
        "nextvolume": None,
    }


def _schedule(pair: Pair) -> dict[str, Any]:
    fees = pair.market.fees
    tier = {"maker_fee": padded(fees.maker * 100, 4), "taker_fee": padded(fees.taker * 100, 4), "active": True}
    return {"pair": pair.id, "class": "forex", "tiers": [tier]}
