"""Frames of the public channels other than the book.

See https://docs.kraken.com/api/docs/websocket-v2/ticker, /trade, /ohlc, /instrument and /status
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from exchange_core.connector.simulation import SimTrade
from exchange_core.model.asset import Asset
from exchange_core.model.event import VenueState
from exchange_core.model.instrument import InstrumentStatus
from exchange_core.model.market import Candle, Level
from exchange_core.model.number import plain
from kraken_spot.simulator.codec import encode, fixed, number, stamp
from kraken_spot.simulator.markets.listing import TOKENIZED, Row
from kraken_spot.simulator.markets.names import Names, Pair
from kraken_spot.simulator.markets.tape import Tape
from kraken_spot.simulator.orders.words import public_type

HEARTBEAT = '{"channel":"heartbeat"}'


def status(state: VenueState, connection_id: int | None = None) -> str:
    """Return the frame that opens every connection; without an id, the shorter one that tells of a change later."""
    data: dict[str, object] = {"version": "2.0.10", "system": state, "api_version": "v2"}
    if connection_id is not None:
        data |= {"connection_id": connection_id, "upcoming_maintenance": [], "emergency": []}
    return encode({"channel": "status", "type": "update", "data": [data]})


def ticker(pair: Pair, kind: str, tape: Tape, bid: Level | None, ask: Level | None, now: datetime) -> str:
    """Return a ticker frame. A side without orders shows zeros: what the venue sends then is not known."""
    day = tape.day()
    price, volume = pair.price_decimals, pair.volume_decimals
    last = tape.last.price if tape.last else day.vwap
    opened = day.open or last
    change = last - opened
    parts = [f'{{"channel":"ticker","type":"{kind}","data":[{{"symbol":"{pair.display}"']
    for name, level in (("bid", bid), ("ask", ask)):
        best = level or Level(day.vwap * 0, day.vwap * 0)
        parts.append(f'"{name}":{fixed(best.price, price)},"{name}_qty":{fixed(best.quantity, volume)}')
    parts.append(f'"last":{fixed(last, price)},"volume":{fixed(day.volume, volume)},"vwap":{fixed(day.vwap, price)}')
    parts.append(f'"low":{fixed(day.low, price)},"high":{fixed(day.high, price)},"change":{fixed(change, price)}')
    parts.append(f'"change_pct":{fixed(change * 100 / opened if opened else change, 2)},"trades":{day.count}')
    parts.append(f'"timestamp":"{stamp(now)}"}}]}}')
    return ",".join(parts)


def trades(pair: Pair, kind: str, found: Iterable[SimTrade]) -> str:
    rows = ",".join(
        f'{{"symbol":"{pair.display}","side":"{trade.side}","price":{fixed(trade.price, pair.price_decimals)},'
        f'"qty":{fixed(trade.quantity, pair.volume_decimals)},"ord_type":"{public_type(trade.taker_type)}",'
        f'"trade_id":{trade.trade_id},"timestamp":"{stamp(trade.time)}"}}'
        for trade in found
    )
    return f'{{"channel":"trade","type":"{kind}","data":[{rows}]}}'


def ohlc(pair: Pair, kind: str, bars: Sequence[Candle], now: datetime) -> str:
    rows = ",".join(_bar(pair, bar) for bar in bars)
    return f'{{"channel":"ohlc","type":"{kind}","timestamp":"{_nanos(now)}","data":[{rows}]}}'


def _bar(pair: Pair, bar: Candle) -> str:
    price = pair.price_decimals
    vwap = bar.close if bar.vwap is None else bar.vwap
    # The deprecated timestamp is documented as the start; every recording shows the end.
    end = bar.start + timedelta(minutes=bar.interval)
    return (
        f'{{"symbol":"{pair.display}","open":{fixed(bar.open, price)},"high":{fixed(bar.high, price)},'
        f'"low":{fixed(bar.low, price)},"close":{fixed(bar.close, price)},"trades":{bar.count or 0},'
        f'"volume":{fixed(bar.volume, pair.volume_decimals)},"vwap":{fixed(vwap, price)},'
        f'"interval_begin":"{_nanos(bar.start)}","interval":{bar.interval},"timestamp":"{stamp(end)}"}}'
    )


def _nanos(moment: datetime) -> str:
    return stamp(moment)[:-1] + "000Z"


def instruments(names: Names, *, tokenized: bool = False) -> str:
    """Return the snapshot of all assets and pairs; with *tokenized*, of those of tokenized assets too."""
    assets = [
        _asset(asset, names.asset_row(asset))
        for asset in names.assets.values()
        if tokenized or names.asset_row(asset).get("aclass") != TOKENIZED
    ]
    data = {"assets": assets, "pairs": [_pair(pair, names.status(pair)) for pair in shown(names, tokenized)]}
    return encode({"channel": "instrument", "type": "snapshot", "data": data})


def instrument_changes(names: Names, changed: Iterable[Pair]) -> str:
    """Return the update that tells of pairs whose status changed, and of nothing else."""
    data = {"assets": [], "pairs": [_pair(pair, names.status(pair)) for pair in changed]}
    return encode({"channel": "instrument", "type": "update", "data": data})


def shown(names: Names, tokenized: bool) -> list[Pair]:
    return [pair for pair in names if tokenized or not pair.is_tokenized]


def _asset(asset: Asset, row: Row) -> dict[str, object]:
    found: dict[str, object] = {
        "id": asset.code,
        # The same words as REST, without their underscores.
        "status": asset.status.replace("_", ""),
        "precision": asset.decimals,
        "precision_display": row.get("display_decimals", max(2, asset.decimals // 2)),
        "borrowable": "margin_rate" in row,
    }
    if "collateral_value" in row:
        found["collateral_value"] = number(str(row["collateral_value"]))
    return found | ({"margin_rate": number(str(row["margin_rate"]))} if "margin_rate" in row else {})


def _pair(pair: Pair, status: InstrumentStatus) -> dict[str, object]:
    instrument = pair.market.instrument
    tick = number(fixed(instrument.tick_size, instrument.price_decimals))
    margin: dict[str, object] = {}
    if pair.leverages:
        margin = {
            "margin_initial": number(fixed(Decimal(1) / max(pair.leverages), 2)),
            "position_limit_long": pair.row.get("long_position_limit", 250),
            "position_limit_short": pair.row.get("short_position_limit", 200),
        }
    return {
        "symbol": pair.display,
        "base": pair.base.code,
        "quote": pair.quote.code,
        "status": "maintenance" if status is InstrumentStatus.OFFLINE else status,
        "qty_precision": instrument.quantity_decimals,
        "qty_increment": number(plain(instrument.lot_size)),
        "price_precision": instrument.price_decimals,
        "cost_precision": pair.cost_decimals,
        "marginable": bool(pair.leverages),
        "has_index": True,
        "cost_min": number(plain(instrument.min_cost) if instrument.min_cost is not None else "0"),
        "tick_size": tick,
        "price_increment": tick,
        "qty_min": number(fixed(instrument.min_quantity, instrument.quantity_decimals)),
        **margin,
    }
