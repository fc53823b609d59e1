"""Margin: positions, what backs them, and the sums of the account.

See https://docs.kraken.com/api-reference/account-data/get-open-positions
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from exchange_core.connector.simulation import SimExchange, SimFill, SimKey, SimOrder, SimPosition
from exchange_core.model.side import Side
from exchange_core.model.time import to_millis
from kraken_spot.simulator.codec import Arguments, fixed, invalid, padded, seconds
from kraken_spot.simulator.feed.hub import Hub
from kraken_spot.simulator.markets.names import Names
from kraken_spot.simulator.orders.words import ordertype

_ROLLOVER = timedelta(hours=4)
_ZERO = Decimal(0)


class Margin:
    """What may be asked about margin."""

    def __init__(self, exchange: SimExchange, names: Names, hub: Hub) -> None:
        self._exchange = exchange
        self._names = names
        self._hub = hub

    def trade_balance(self, key: SimKey, given: Arguments) -> object:
        """Return the sums in US dollars, or in another asset that has a price in them."""
        [asset] = self._names.find_assets([given.text("asset", "ZUSD")])
        rate = self._hub.usd(asset.code, Decimal(1))
        if not rate:
            raise invalid("asset")

        def sum_of(amount: Decimal) -> str:
            return fixed(amount / rate, 4)

        usd = self._hub.usd
        balances = self._exchange.balances(key.account)
        equivalent = sum((usd(row.asset, row.total) for row in balances), _ZERO)
        positions = [position for position in self._exchange.positions(key.account) if position.quantity]
        used, cost, net = _ZERO, _ZERO, _ZERO
        for position in positions:
            quote = position.symbol.quote
            used += usd(quote, position.margin)
            cost += usd(quote, position.cost)
            net += usd(quote, position.unrealised)
        waiting = sum((self._value(order) for order in self._exchange.open_orders(key.account)), _ZERO)
        equity = equivalent + net
        sums = {
            "eb": sum_of(equivalent),
            "tb": sum_of(equivalent),
            "m": sum_of(used),
            "uv": sum_of(waiting),
            "n": sum_of(net),
            "c": sum_of(cost),
            "v": sum_of(cost + net if positions else _ZERO),
            "e": sum_of(equity),
            "mf": sum_of(equity - used),
            "mfo": sum_of(equity - used),
        }
        return sums | ({"ml": fixed(equity * 100 / used, 2)} if used else {})

    def _value(self, order: SimOrder) -> Decimal:
        request = order.request
        if request.quantity_in_quote:
            return self._hub.usd(request.symbol.quote, order.remaining)
        price = order.limit or request.price or request.trigger_price or order.trigger or _ZERO
        return self._hub.usd(request.symbol.quote, order.remaining * price)

    def open_positions(self, key: SimKey, given: Arguments) -> object:
        """Return positions by their id. One account has one position in a market, whatever orders made it."""
        asked = given.words("txid")
        calculated = given.flag("docalcs")
        consolidated = given.text("consolidation")
        if consolidated not in ("", "market"):
            raise invalid("consolidation")
        found = {
            position.id: self._position(key.account, position, calculated)
            for position in self._exchange.positions(key.account)
            if position.quantity and (not asked or position.id in asked)
        }
        # Open point: said to be a list then.
        return [row | {"positions": "1"} for row in found.values()] if consolidated else found

    def _position(self, account: str, position: SimPosition, calculated: bool) -> dict[str, Any]:
        pair = self._names.of(position.symbol)
        fills = [fill for fill in self._exchange.fills(account) if fill.position_id == position.id]
        opener = self._opener(account, fills)
        closed = sum((fill.quantity for fill in fills if fill.side is not _side(position)), _ZERO)
        quantity = abs(position.quantity)
        fees = sum((fill.fee for fill in fills if fill.side is _side(position)), _ZERO)
        opened = position.opened
        periods = (self._exchange.now() - opened) // _ROLLOVER + 1
        row: dict[str, Any] = {
            "ordertxid": "" if opener is None else opener.id,
            "posstatus": "open",
            "pair": pair.id,
            "time": seconds(opened),
            "type": "buy" if position.quantity > 0 else "sell",
            "ordertype": "market" if opener is None else ordertype(opener.request),
            "cost": padded(position.cost, pair.cost_decimals),
            "fee": padded(fees, pair.cost_decimals),
            # The venue counts from the opening on; what was closed of it stands beside.
            "vol": fixed(quantity + closed, pair.volume_decimals),
            "vol_closed": fixed(closed, pair.volume_decimals),
            "margin": padded(position.margin, pair.cost_decimals),
            "terms": f"{fixed(pair.market.rollover * 100, 4)}% per 4 hours",
            "rollovertm": str(to_millis(opened + _ROLLOVER * periods) // 1000),
            "misc": "",
            "oflags": "",
        }
        if calculated:
            value = quantity * self._exchange.mark_price(position.symbol)
            sign = "+" if position.unrealised >= 0 else "-"
            row["value"] = fixed(value, 1)
            row["net"] = f"{sign}{fixed(abs(position.unrealised), 4)}"
        return row

    def _opener(self, account: str, fills: list[SimFill]) -> SimOrder | None:
        return self._exchange.order(account, fills[0].order_id) if fills else None


def _side(position: SimPosition) -> Side:
    return Side.BUY if position.quantity > 0 else Side.SELL
