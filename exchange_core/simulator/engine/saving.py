"""The whole state of a simulated exchange as one JSON-able value, and back.

What is not in it: API keys (a saved state holds no secrets), listeners, what the wire protocol keeps, and candles that
are older than the kept minutes. An order's ``echo`` must be JSON-able itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_type_hints

import attrs
import cattrs

from exchange_core.connector.saved_state import CONVERTER as _C
from exchange_core.connector.simulation import SimFill, SimFunding, SimLedgerEntry, SimOrder, SimTrade
from exchange_core.errors import InvalidValue
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.symbol import Symbol
from exchange_core.simulator.engine.accounts import Account
from exchange_core.simulator.engine.exposure import Exposure
from exchange_core.simulator.engine.leverage import Leveraged
from exchange_core.simulator.engine.market import MarketState
from exchange_core.simulator.engine.orders import LiveOrder, Stage
from exchange_core.simulator.engine.tape import Bar
from exchange_core.simulator.engine.timers import Due, Timer
from exchange_core.simulator.engine.volumes import Volume

if TYPE_CHECKING:
    from exchange_core.simulator.exchange import SimulatedExchange

FORMAT = 2

_HOUSE = ("deposited", "fees", "clearing", "insurance", "exchanged")
_PRICES = ("last", "set_mark", "set_index")
_FUNDING = ("reading", "rate", "per_lot", "premiums", "measured")


def save(exchange: SimulatedExchange) -> dict[str, Any]:
    """Return the state of *exchange* as dicts, lists, strings, numbers and None."""
    parts = exchange.parts
    version, numbers, spare = exchange.random.getstate()
    return {
        "format": FORMAT,
        "random": [version, list(numbers), spare],
        "places": parts.settlement.places,
        "waited": parts.desk.waited,
        "house": {name: dict(getattr(parts.accounts, name)) for name in _HOUSE},
        "collateral": {asset: str(each.price) for asset, each in parts.accounts.pools.by_asset.items()},
        "markets": {str(market.symbol): _save_market(market) for market in parts.markets.values()},
        "accounts": [_save_account(account) for account in parts.accounts],
        "timers": [[timer.when.isoformat(), *timer[1:]] for timer in parts.timers.all()],
        "nonces": dict(exchange.nonces),
    }


def load(exchange: SimulatedExchange, saved: Mapping[str, Any]) -> None:
    """Fill an exchange that was just made, with the same markets, with a saved state.

    Raises:
        InvalidValue: The state is of another format, or of other markets, or was damaged.
    """
    if saved.get("format") != FORMAT:
        raise InvalidValue(f"saved exchange: format {saved.get('format')!r}; this program reads {FORMAT}")
    try:
        _check_markets(set(saved["markets"]), {str(symbol) for symbol in exchange.parts.markets})
        _load(exchange, saved)
    except (cattrs.BaseValidationError, ArithmeticError, LookupError, AttributeError, TypeError, ValueError) as error:
        if isinstance(error, InvalidValue):
            raise
        raise InvalidValue(f"saved exchange: is damaged: {type(error).__name__}: {error}") from error


def _check_markets(found: set[str], expected: set[str]) -> None:
    differences = [("lacks", expected - found), ("has", found - expected)]
    if found != expected:
        told = " and ".join(f"{word} {', '.join(sorted(those)[:5])}" for word, those in differences if those)
        raise InvalidValue(f"saved exchange: it {told}; expected the {len(expected)} markets of this one")


def _load(exchange: SimulatedExchange, saved: Mapping[str, Any]) -> None:
    parts = exchange.parts
    version, numbers, spare = saved["random"]
    exchange.random.setstate((version, tuple(numbers), spare))
    parts.settlement.places, parts.desk.waited = saved["places"], saved["waited"]
    for name in _HOUSE:
        getattr(parts.accounts, name).update(saved["house"].get(name, {}))
    for asset, price in saved.get("collateral", {}).items():
        parts.accounts.pools.by_asset[asset].price = Decimal(price)
    for market in parts.markets.values():
        _load_market(market, saved["markets"][str(market.symbol)])
    for each in saved["accounts"]:
        _load_account(exchange, each)
    for market in parts.markets.values():
        _fill_book(exchange, market, saved["markets"][str(market.symbol)]["queue"])
    _fill_waiting_rooms(exchange)
    parts.timers.put(
        [
            Timer(datetime.fromisoformat(when), Due(kind), age, account, key)
            for when, kind, age, account, key in saved["timers"]
        ]
    )
    exchange.nonces.update(saved["nonces"])


def _save_market(market: MarketState) -> dict[str, Any]:
    funding = market.funding
    return {
        "status": str(market.own_status),
        "prices": {name: getattr(market.prices, name) for name in _PRICES},
        "queue": [resting.id for resting in market.book],
        "samples": list(market.samples),
        "settled_at": market.settled_at,
        "count": market.tape.count,
        "trades": _C.unstructure(list(market.tape.trades), list[SimTrade]),
        "minutes": _C.unstructure(list(market.tape.minutes), list[Bar]),
        "funding": None
        if funding is None
        else {name: getattr(funding, name) for name in _FUNDING}
        | {
            "start": funding.start.isoformat(),
            "read_at": funding.read_at.isoformat(),
            "measured_at": funding.measured_at.isoformat(),
            "history": _C.unstructure(list(funding.history), list[SimFunding]),
        },
    }


def _load_market(market: MarketState, saved: Mapping[str, Any]) -> None:
    if (status := InstrumentStatus(saved["status"])) is not market.status:
        market.set_status(status)
    for name in _PRICES:
        setattr(market.prices, name, saved["prices"][name])
    market.samples[:] = saved.get("samples", [])
    market.settled_at = saved.get("settled_at")
    market.tape.count = saved["count"]
    market.tape.trades.extend(_C.structure(saved["trades"], list[SimTrade]))
    market.tape.minutes.extend(_C.structure(saved["minutes"], list[Bar]))
    if market.funding is not None:
        for name in _FUNDING:
            setattr(market.funding, name, saved["funding"][name])
        market.funding.start = datetime.fromisoformat(saved["funding"]["start"])
        market.funding.read_at = datetime.fromisoformat(saved["funding"]["read_at"])
        market.funding.measured_at = datetime.fromisoformat(saved["funding"]["measured_at"])
        market.funding.history.extend(_C.structure(saved["funding"]["history"], list[SimFunding]))


def _save_account(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "keep": account.keep,
        "totals": dict(account.totals),
        "held": dict(account.held),
        "exposures": {str(symbol): _save(each, {"market"}) for symbol, each in account.exposures.items()},
        "open": [_save(live, {"market"}) for live in account.open.values()],
        "closed": _C.unstructure(list(account.closed), list[SimOrder]),
        "fills": _C.unstructure(list(account.fills), list[SimFill]),
        "ledger": _C.unstructure(list(account.ledger), list[SimLedgerEntry]),
        "volume": _C.unstructure(account.volume, Volume),
        "profit_in": {str(symbol): asset for symbol, asset in account.profit_in.items()},
        "exchanged": dict(account.exchanged),
        "dead_man": None if account.dead_man is None else account.dead_man.isoformat(),
    }


def _load_account(exchange: SimulatedExchange, saved: Mapping[str, Any]) -> None:
    parts = exchange.parts
    account = Account(name=saved["name"], keep=saved["keep"], totals=dict(saved["totals"]), held=dict(saved["held"]))
    account.profit_in.update({Symbol.parse(text): asset for text, asset in saved.get("profit_in", {}).items()})
    account.exchanged.update(saved.get("exchanged", {}))
    for text, each in saved["exposures"].items():
        market = parts.markets[Symbol.parse(text)]
        kind = Leveraged if market.is_spot else Exposure
        account.exposures[market.symbol] = _made(kind, each, market=market)
    for each in saved["open"]:
        market = parts.markets[Symbol.parse(each["order"]["request"]["symbol"])]
        live = _made(LiveOrder, each, market=market)
        account.open[live.order.id] = live
        parts.settlement.orders[live.order.id] = live.order
        if (client_id := live.order.request.client_order_id) is not None:
            account.client_ids.add(client_id)
    account.closed.extend(_C.structure(saved["closed"], list[SimOrder]))
    account.fills.extend(_C.structure(saved["fills"], list[SimFill]))
    account.ledger.extend(_C.structure(saved["ledger"], list[SimLedgerEntry]))
    account.volume = _C.structure(saved["volume"], Volume)
    account.dead_man = None if saved["dead_man"] is None else datetime.fromisoformat(saved["dead_man"])
    parts.settlement.orders.update({order.id: order for order in account.closed})
    parts.settlement.fills.update({fill.id: fill for fill in account.fills})
    parts.accounts.add(account)


def _fill_book(exchange: SimulatedExchange, market: MarketState, queue: list[str]) -> None:
    for order_id in queue:
        order = exchange.parts.settlement.orders[order_id]
        market.book.add(exchange.parts.accounts[order.account].open[order_id].resting)
    market.book.take_changes()


def _fill_waiting_rooms(exchange: SimulatedExchange) -> None:
    waiting = [
        (live.waiting, live.market)
        for account in exchange.parts.accounts
        for live in account.open.values()
        if live.stage is Stage.WAITING and live.waiting is not None
    ]
    for each, market in sorted(waiting, key=lambda row: row[0].age):
        market.waiting.add(each)


def _save(value: attrs.AttrsInstance, without: Collection[str]) -> dict[str, Any]:
    """Return the fields of *value*, but those."""
    hints = get_type_hints(type(value))
    names = [field.name for field in attrs.fields(type(value)) if field.name not in without]
    return {name: _C.unstructure(getattr(value, name), hints[name]) for name in names}


def _made(kind: type[Any], saved: Mapping[str, Any], **more: object) -> Any:
    hints = get_type_hints(kind)
    return kind(**{name: _C.structure(value, hints[name]) for name, value in saved.items()}, **more)
