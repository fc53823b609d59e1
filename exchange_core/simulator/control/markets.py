"""Markets, by the control port: how they are, and what is to become of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from exchange_core.errors import InvalidValue
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.control.input import BadRequest, Body, amount, number, one_of, text
from exchange_core.simulator.launch import RunningSimulator
from exchange_core.simulator.makers.maker import MarketMaker
from exchange_core.simulator.makers.settings import SETTINGS

CHANGES = ("price", "mark", "index", "funding", "status", *SETTINGS)
"""What of a market can be changed."""


class MarketCalls:
    """Shows markets and changes them."""

    def __init__(self, venues: Mapping[str, RunningSimulator]) -> None:
        self._venues = venues

    def names(self, body: Body) -> dict[str, list[str]]:
        return {
            name: [str(market.instrument.symbol) for market in each.exchange.markets()]
            for name, each in self._venues.items()
        }

    def look(self, body: Body, venue: str, name: str) -> dict[str, Any]:
        running, symbol = self._find(venue, name)
        exchange = running.exchange
        market, (bids, asks) = exchange.market(symbol), exchange.book(symbol, 1)
        found: dict[str, Any] = {
            "venue": venue,
            "symbol": symbol,
            "status": market.instrument.status,
            "bid": bids[0].price if bids else None,
            "ask": asks[0].price if asks else None,
            "mark": exchange.mark_price(symbol),
            "index": exchange.index_price(symbol),
        }
        if rates := exchange.funding(symbol):
            found["funding"] = rates[-2].rate
        maker = _maker(running, symbol)
        return found | {"maker": None if maker is None else {"price": maker.price, **attrs.asdict(maker.settings)}}

    def change(self, body: Body, venue: str, name: str) -> dict[str, Any]:
        """Change what is named."""
        running, symbol = self._find(venue, name)
        fields = body.fields(CHANGES)
        exchange, maker = running.exchange, _maker(running, symbol)
        if maker is None and (of_maker := [key for key in fields if key == "price" or key in SETTINGS]):
            raise BadRequest(f"{of_maker[0]}: {symbol} has no market maker here, its market comes from outside")
        if maker is not None and fields.get("index") is not None:
            raise BadRequest(f"index: that of {symbol} is the price of its market maker; set price, or mark")
        status = self._status(running, fields)
        prices = {
            key: None if fields[key] is None else amount(fields, key) for key in ("mark", "index") if key in fields
        }
        funding = number(fields["funding"], "funding") if "funding" in fields else None
        if funding is not None:
            if not exchange.funding(symbol):
                raise InvalidValue(f"funding: {symbol} is no perpetual")
            exchange.set_funding(symbol, funding)
        if maker is not None:
            self._set_maker(running, maker, fields)
        for key, price in prices.items():
            (exchange.set_mark if key == "mark" else exchange.set_index)(symbol, price)
        if status is not None:
            exchange.set_status(symbol, status)
        exchange.step()
        return self.look(body, venue, name)

    def _set_maker(self, running: RunningSimulator, maker: MarketMaker, fields: Mapping[str, Any]) -> None:
        settings = maker.settings.changed({key: fields[key] for key in SETTINGS if key in fields})
        if "price" in fields:
            maker.price = amount(fields, "price")
        maker.settings = settings
        if "price" in fields:
            maker.step(running.exchange.now())

    def _status(self, running: RunningSimulator, fields: Mapping[str, Any]) -> InstrumentStatus | None:
        if "status" not in fields:
            return None
        word, statuses = text(fields, "status"), running.exchange.spec.statuses
        if word not in statuses:
            raise BadRequest(f"status: {word!r} is none; there are: {', '.join(statuses)}")
        return InstrumentStatus(word)

    def _find(self, venue: str, name: str) -> tuple[RunningSimulator, Symbol]:
        running = one_of(self._venues, venue, "venue")
        symbols = {str(market.instrument.symbol): market.instrument.symbol for market in running.exchange.markets()}
        return running, one_of(symbols, name, f"market of {venue}")


def _maker(running: RunningSimulator, symbol: Symbol) -> MarketMaker | None:
    return next((maker for maker in running.made.makers if maker.symbol == symbol), None)
