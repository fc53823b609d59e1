"""Frames of the public feeds.

See https://docs.kraken.com/api/docs/futures-api/websocket/book and its neighbours
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from exchange_core.connector.simulation import BookChanged, SimTrade
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.market import Level
from exchange_core.model.time import to_millis
from kraken_futures.simulator.codec import encode, rate, real, with_point
from kraken_futures.simulator.markets.contracts import Contract, is_suspended
from kraken_futures.simulator.markets.day import Glance

_HOUR = timedelta(hours=1)
INFO = '{"event":"info","version":1}'


def book_snapshot(
    contract: Contract, bids: Iterable[Level], asks: Iterable[Level], sequence: int, now: datetime
) -> str:
    sides = [
        ",".join([f'{{"price":{with_point(level.price)},"qty":{with_point(level.quantity)}}}' for level in side])
        for side in (bids, asks)
    ]
    return (
        f'{{"feed":"book_snapshot","product_id":"{contract.id}","timestamp":{to_millis(now)},"seq":{sequence},'
        f'"tickSize":null,"bids":[{sides[0]}],"asks":[{sides[1]}]}}'
    )


def book(contract: Contract, change: BookChanged, sequence: int, now: datetime) -> str:
    return (
        f'{{"feed":"book","product_id":"{contract.id}","side":"{change.side}","seq":{sequence},'
        f'"price":{with_point(change.price)},"qty":{with_point(change.quantity)},"timestamp":{to_millis(now)}}}'
    )


def trade(contract: Contract, found: SimTrade, kind: str) -> str:
    return (
        f'{{"feed":"trade","product_id":"{contract.id}","uid":"{found.uid}","side":"{found.side}","type":"{kind}",'
        f'"seq":{found.trade_id},"time":{to_millis(found.time)},"qty":{with_point(found.quantity)},'
        f'"price":{with_point(found.price)}}}'
    )


def trade_snapshot(contract: Contract, newest_first: Iterable[tuple[SimTrade, str]]) -> str:
    rows = ",".join([trade(contract, found, kind) for found, kind in newest_first])
    return f'{{"feed":"trade_snapshot","product_id":"{contract.id}","trades":[{rows}]}}'


def heartbeat(now: datetime) -> str:
    return f'{{"feed":"heartbeat","time":{to_millis(now)}}}'


def ticker(contract: Contract, look: Glance) -> str:
    """Return a full record; rates of zero are left out."""
    fields: dict[str, object] = {"time": to_millis(look.time), "product_id": contract.id, **_rates(look)}
    if look.funding is not None:
        fields["next_funding_rate_time"] = to_millis(look.funding.start + _HOUR)
    fields |= {
        "leverage": f"{round(1 / contract.levels[0].initial)}x",
        "premium": real(look.premium),
        "feed": "ticker",
    }
    for name, level in (("bid", look.bid), ("ask", look.ask)):
        if level is not None:
            fields |= {name: real(level.price), f"{name}_size": real(level.quantity)}
    fields |= {"volume": real(look.volume), "dtm": _days(contract, look.time), "index": real(look.index)}
    if look.last is not None:
        fields["last"] = real(look.last.price)
    fields |= {
        "change": real(look.change),
        "suspended": is_suspended(contract),
        "tag": contract.tag,
        "pair": contract.old_pair,
        "openInterest": real(look.open_interest),
        "markPrice": real(look.mark),
        "maturityTime": _maturity(contract),
        "post_only": contract.instrument.status is InstrumentStatus.POST_ONLY,
        "volumeQuote": real(look.volume_quote),
    }
    if look.last is not None:
        fields |= {"open": real(look.open), "high": real(look.high), "low": real(look.low)}
    return encode(fields)


def _rates(look: Glance) -> dict[str, object]:
    """Return the rates of funding that are not zero."""
    found: dict[str, object] = {}
    for suffix, funding in (("", look.funding), ("_prediction", look.following)):
        if funding is not None and funding.absolute:
            found[f"funding_rate{suffix}"] = rate(funding.absolute)
        if funding is not None and funding.rate:
            found[f"relative_funding_rate{suffix}"] = rate(funding.rate)
    return found


def ticker_lite(contract: Contract, look: Glance) -> str:
    fields: dict[str, object] = {"feed": "ticker_lite", "product_id": contract.id}
    fields |= {name: real(level.price) for name, level in (("bid", look.bid), ("ask", look.ask)) if level is not None}
    fields |= {
        "change": real(look.change),
        "premium": real(look.premium),
        "volume": real(look.volume),
        "tag": contract.tag,
        "pair": contract.old_pair,
        "dtm": _days(contract, look.time),
        "maturityTime": _maturity(contract),
        "volumeQuote": real(look.volume_quote),
    }
    return encode(fields)


def _maturity(contract: Contract) -> int:
    return 0 if contract.instrument.expiry is None else to_millis(contract.instrument.expiry)


def _days(contract: Contract, now: datetime) -> int:
    """Return the days to maturity; 0 for perpetuals."""
    expiry = contract.instrument.expiry
    return 0 if expiry is None else max(0, (expiry - now).days)
