"""Market data over REST.

See https://docs.kraken.com/api/docs/futures-api/trading/get-tickers and its neighbours
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from exchange_core.connector.simulation import SimExchange, SimTrade
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.time import to_rfc3339
from kraken_futures.simulator.codec import Arguments, BadRequest, Refused, iso, number, rate, real
from kraken_futures.simulator.markets.contracts import (
    Contract,
    Contracts,
    fee_schedules,
    is_expired,
    is_suspended,
    listing,
)
from kraken_futures.simulator.markets.day import glance
from kraken_futures.simulator.past.chronicle import Chronicle

_KINDS = ("futures_inverse", "futures_vanilla", "flexible_futures", "options", "all")
_HISTORY = 100

Fields = dict[str, Any]


class Public:
    """What anyone may ask.

    Attributes:
        since: When the venue was last started anew, where it was; its history of trades begins there.
    """

    def __init__(self, exchange: SimExchange, contracts: Contracts, chronicle: Chronicle) -> None:
        self.since: datetime | None = None
        self._exchange = exchange
        self._contracts = contracts
        self._chronicle = chronicle

    def instruments(self, given: Arguments) -> Fields:
        now, expired = self._exchange.now(), given.flag("expired")
        found = [contract for contract in self._of_kind(given) if expired or not is_expired(contract, now)]
        return {"instruments": [listing(contract, now) for contract in found]}

    def own_instruments(self, account: str, given: Arguments) -> Fields:
        """List what an account may trade; all accounts have the same margins here."""
        now = self._exchange.now()
        found = [contract for contract in self._of_kind(given) if not is_expired(contract, now)]
        return {"instruments": [listing(contract, now) for contract in found]}

    def instruments_status(self, given: Arguments) -> Fields:
        return {"instrumentStatus": [_status(contract) for contract in self._of_kind(given)]}

    def instrument_status(self, given: Arguments, name: str) -> Fields:
        return _status(self._known(name))

    def tickers(self, given: Arguments) -> Fields:
        wanted = {name.lower() for name in given.all("symbol")}
        now = self._exchange.now()
        found = [contract for contract in self._of_kind(given) if not is_expired(contract, now)]
        rows = [self._ticker(contract) for contract in found]
        indices = {contract.index: contract for contract in reversed(found)}
        rows += [self._index(name, contract) for name, contract in indices.items()]
        return {"tickers": [row for row in rows if not wanted or row["symbol"].lower() in wanted]}

    def ticker(self, given: Arguments, name: str) -> Fields:
        return {"ticker": self._ticker(self._known(name))}

    def order_book(self, given: Arguments) -> Fields:
        bids, asks = self._exchange.book(self._asked(given).symbol)
        return {
            "orderBook": {
                "bids": [[number(level.price), number(level.quantity)] for level in bids],
                "asks": [[number(level.price), number(level.quantity)] for level in asks],
            }
        }

    def history(self, given: Arguments) -> Fields:
        """Return the latest trades, or those before ``lastTime``, newest first."""
        contract = self._asked(given)
        before = given.moment("lastTime")
        found = [
            trade
            for trade in self._exchange.trades(contract.symbol)
            if (before is None or trade.time < before) and (self.since is None or trade.time >= self.since)
        ]
        newest = found[: -_HISTORY - 1 : -1]
        kind = self._chronicle.trade_kind
        return {"history": [_trade(trade, _HISTORY - place, kind(trade)) for place, trade in enumerate(newest)]}

    def funding_rates(self, given: Arguments) -> Fields:
        """Return the rates by the hour, oldest first, up to the hour that runs."""
        contract = self._asked(given)
        if not contract.is_perpetual:
            raise Refused("invalidArgument: symbol", 400)
        return {
            "rates": [
                {
                    "timestamp": to_rfc3339(each.start, "seconds"),
                    "fundingRate": rate(each.absolute),
                    "relativeFundingRate": rate(each.rate),
                }
                for each in self._exchange.funding(contract.symbol)[:-1]
            ]
        }

    def fee_schedules(self, given: Arguments) -> Fields:
        return {"feeSchedules": fee_schedules(self._contracts)}

    def _of_kind(self, given: Arguments) -> list[Contract]:
        kinds = set(given.all("contractType"))
        if not kinds <= set(_KINDS):
            raise BadRequest(11, "Argument invalid: contractType")
        return [contract for contract in self._contracts if not kinds or "all" in kinds or contract.kind in kinds]

    def _asked(self, given: Arguments) -> Contract:
        contract = self._contracts.find(given.required("symbol"))
        if contract is None:
            raise BadRequest(11, "Argument invalid: symbol")
        return contract

    def _known(self, name: str) -> Contract:
        contract = self._contracts.find(name)
        if contract is None:
            raise Refused("notFound", 404)
        return contract

    def _ticker(self, contract: Contract) -> Fields:
        look = glance(self._exchange, contract)
        row: Fields = {"symbol": contract.id}
        if look.last is not None:
            row |= {"last": real(look.last.price), "lastTime": iso(look.last.time)}
        row |= {"tag": contract.tag, "pair": contract.pair, "markPrice": real(look.mark)}
        for name, level in (("bid", look.bid), ("ask", look.ask)):
            if level is not None:
                row |= {name: real(level.price), f"{name}Size": real(level.quantity)}
        row |= {
            "vol24h": real(look.volume),
            "volumeQuote": real(look.volume_quote),
            "openInterest": real(look.open_interest),
        }
        if look.last is not None:
            row |= {"open24h": real(look.open), "high24h": real(look.high), "low24h": real(look.low)}
            row["lastSize"] = real(look.last.quantity)
        if look.funding is not None and look.following is not None:
            row |= {"fundingRate": rate(look.funding.absolute), "fundingRatePrediction": rate(look.following.absolute)}
        return row | {
            "suspended": is_suspended(contract),
            "indexPrice": real(look.index),
            "postOnly": contract.instrument.status is InstrumentStatus.POST_ONLY,
            "change24h": real(look.change),
        }

    def _index(self, name: str, contract: Contract) -> Fields:
        """Return the row of an index, which has no tag; here it is that of its first contract."""
        now: datetime = self._exchange.now()
        return {"symbol": name, "last": real(self._exchange.index_price(contract.symbol)), "lastTime": iso(now)}


def _status(contract: Contract) -> Fields:
    return {
        "tradeable": contract.id,
        "experiencingDislocation": False,
        "priceDislocationDirection": None,
        "experiencingExtremeVolatility": False,
        "extremeVolatilityInitialMarginMultiplier": 1,
    }


def _trade(trade: SimTrade, place: int, kind: str) -> Fields:
    """Return a trade; its trade_id only counts within the answer, as on the venue."""
    return {
        "time": iso(trade.time),
        "trade_id": place,
        "price": number(trade.price),
        "size": number(trade.quantity),
        "side": trade.side,
        "type": kind,
        "uid": trade.uid,
    }
