"""What history answers mean.

See https://docs.kraken.com/api/docs/futures-api/history/get-execution-events and the pages beside it
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

import msgspec

from exchange_core.connector.naming import SymbolMap
from exchange_core.errors import ProtocolError
from exchange_core.model.fill import Liquidity
from exchange_core.model.symbol import Symbol
from exchange_core.model.time import from_millis
from kraken_futures import naming
from kraken_futures.numbers import number, optional
from kraken_futures.parse import words
from kraken_futures.parse.rows import made, optional_word, word
from kraken_futures.types.history import (
    Execution,
    FeeDetail,
    HistoryEvent,
    HistoryKind,
    LogEntry,
    LogInfo,
    MarketExecution,
    MarkPrice,
    PastOrder,
    PositionCause,
    PositionChange,
    PositionUpdate,
    Trigger,
)
from kraken_futures.wire import history as wire

_KINDS = {kind.lower(): kind for kind in HistoryKind}
_LIQUIDITY = {"maker": Liquidity.MAKER, "taker": Liquidity.TAKER}
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def past_order(raw: wire.HistoryOrder, symbols: SymbolMap) -> PastOrder:
    """Read an order or a trigger of an event."""
    return PastOrder(
        order_id=raw.uid,
        client_order_id=raw.client_id or None,
        symbol=naming.told(symbols, raw.tradeable),
        side=words.side(raw.direction),
        type=words.kind(raw.order_type),
        quantity=_maybe(raw.quantity, "quantity"),
        filled=_maybe(raw.filled, "filled"),
        limit_price=_maybe(raw.limit_price, "limitPrice"),
        reduce_only=raw.reduce_only,
        created=_time(raw.timestamp),
        updated=_time(raw.last_update_timestamp),
        trigger=None if raw.trigger_options is None else _trigger(raw.trigger_options),
    )


def execution(element: wire.Element, symbols: SymbolMap) -> Execution:
    """Read an execution of ours.

    Raises:
        ProtocolError: When the element is none.
    """
    event = _execution(element)
    raw, data = event.execution, event.execution.order_data or wire.OrderData()
    order = raw.order or (raw.taker_order if raw.execution_type == "taker" else raw.maker_order)
    if order is None:
        raise ProtocolError(f"execution {raw.uid}: it has no order")
    return made(
        Execution,
        raw,
        id=raw.uid,
        event_id=element.uid,
        time=from_millis(raw.timestamp),
        order=past_order(order, symbols),
        mark_price=_maybe(raw.mark_price, "markPrice"),
        usd_value=_maybe(raw.usd_value, "usdValue"),
        liquidity=None if raw.execution_type is None else _LIQUIDITY.get(raw.execution_type, raw.execution_type),
        fee=_maybe(data.fee, "fee"),
        fee_details=_fee_details(data.fee_calculation_info),
        position=_maybe(data.position_size, "positionSize"),
        old_taker_order=_order(raw.old_taker_order, symbols),
        taker_reduced=_maybe(event.taker_reduced_quantity, "takerReducedQuantity"),
    )


def market_execution(element: wire.Element, symbols: SymbolMap) -> MarketExecution:
    """Read a public execution.

    Raises:
        ProtocolError: When the element is none.
    """
    event = _execution(element)
    raw = event.execution
    return made(
        MarketExecution,
        raw,
        id=raw.uid,
        event_id=element.uid,
        time=from_millis(raw.timestamp),
        side=None if raw.taker_order is None else words.side(raw.taker_order.direction),
        mark_price=_maybe(raw.mark_price, "markPrice"),
        usd_value=_maybe(raw.usd_value, "usdValue"),
        maker_order=_order(raw.maker_order, symbols),
        taker_order=_order(raw.taker_order, symbols),
        old_taker_order=_order(raw.old_taker_order, symbols),
        taker_reduced=_maybe(event.taker_reduced_quantity, "takerReducedQuantity"),
    )


def order_event(element: wire.Element, symbols: SymbolMap) -> HistoryEvent:
    """Read an event of an order or a trigger. A kind that we do not know keeps its payload."""
    name, payload = _only(element)
    kind, time = _KINDS.get(name.lower()), from_millis(element.timestamp)
    if kind is None:
        raw = msgspec.json.decode(payload)
        return HistoryEvent(id=element.uid, time=time, kind=name, raw=raw if isinstance(raw, dict) else {"": raw})
    event = msgspec.json.decode(payload, type=wire.OrderEvent)
    before = _order(event.old_order or event.old_order_trigger, symbols)
    order = _order(event.new_order or event.new_order_trigger or event.order, symbols) or before
    attempted = _order(event.attempted_order or event.attempted_order_trigger, symbols)
    # An order that was not found is named as Uuid(uuid=...).
    found = _UUID.search(event.order_id or "")
    return HistoryEvent(
        id=element.uid,
        time=time,
        kind=kind,
        order=order,
        before=before,
        attempted=attempted,
        order_id=order.order_id if order is not None else found[0] if found else event.order_id,
        reason=event.reason or None,
        error=event.order_error or None,
        reduced=_maybe(event.reduced_quantity, "reducedQuantity"),
    )


def position_update(raw: msgspec.Raw, symbols: SymbolMap) -> PositionUpdate:
    """Read a change of a position: documented flat, seen wrapped in an event."""
    outer = msgspec.json.decode(raw, type=wire.Wrapper)
    if outer.event:
        raw = next(iter(outer.event.values()))
    row = msgspec.json.decode(raw, type=wire.PositionRow)
    return PositionUpdate(
        id=outer.uid,
        time=_time(row.timestamp if row.timestamp is not None else outer.timestamp),
        symbol=naming.told(symbols, row.tradeable),
        old_position=_maybe(row.old_position, "oldPosition"),
        new_position=_maybe(row.new_position, "newPosition"),
        old_average_entry_price=_maybe(row.old_average_entry_price, "oldAverageEntryPrice"),
        new_average_entry_price=_maybe(row.new_average_entry_price, "newAverageEntryPrice"),
        change=optional_word(PositionChange, row.position_change),
        cause=optional_word(PositionCause, row.update_reason),
        trade_type=row.trade_type,
        execution_id=row.execution_uid or None,
        execution_price=_maybe(row.execution_price, "executionPrice"),
        execution_quantity=_maybe(row.execution_size, "executionSize"),
        fill_time=_time(row.fill_time),
        fee=_maybe(row.fee, "fee"),
        fee_asset=naming.asset_code(row.fee_currency) if row.fee_currency else None,
        realized_pnl=_maybe(row.realized_pnl, "realizedPnL"),
        realized_funding=_maybe(row.realized_funding, "realizedFunding"),
        funding_time=_time(row.funding_realization_time),
        settlement_price=_maybe(row.settlement_price, "settlementPrice"),
    )


def mark_price(element: wire.Element, symbol: Symbol) -> MarkPrice:
    """Read a mark price: documented as the event itself, seen wrapped in one of its kind."""
    event = element.event
    if "price" not in event:
        event = msgspec.json.decode(_only(element)[1], type=dict[str, msgspec.Raw])
    price = _maybe(event.get("price", wire.NOTHING), "price")
    if price is None:
        raise ProtocolError("a price event has no price")
    return MarkPrice(id=element.uid, time=from_millis(element.timestamp), symbol=symbol, price=price)


def log_entry(raw: wire.LogRow, symbols: SymbolMap) -> LogEntry:
    """Read a row of the account log."""
    return made(
        LogEntry,
        raw,
        asset=naming.told(symbols, raw.asset) if "_" in raw.asset else naming.asset_code(raw.asset),
        info=word(LogInfo, raw.info),
        contract=naming.told(symbols, raw.contract) if raw.contract else None,
        collateral=naming.asset_code(raw.collateral) if raw.collateral else None,
        execution=raw.execution or None,
        exchange_rate_from=naming.asset_code(raw.exchange_rate_from) if raw.exchange_rate_from else None,
    )


def _only(element: wire.Element) -> tuple[str, msgspec.Raw]:
    if len(element.event) != 1:
        raise ProtocolError(f"event {element.uid}: expected one kind, found {len(element.event)}")
    return next(iter(element.event.items()))


def _execution(element: wire.Element) -> wire.ExecutionEvent:
    name, payload = _only(element)
    if name.lower() != "execution":
        raise ProtocolError(f"event {element.uid}: expected an execution, found {name[:40]!r}")
    return msgspec.json.decode(payload, type=wire.ExecutionEvent)


def _order(raw: wire.HistoryOrder | None, symbols: SymbolMap) -> PastOrder | None:
    return None if raw is None else past_order(raw, symbols)


def _trigger(raw: wire.TriggerOptions) -> Trigger:
    trail, offset = raw.trailing_stop_options, raw.limit_price_offset
    return Trigger(
        price=_maybe(raw.trigger_price, "triggerPrice"),
        signal=words.signal(raw.trigger_signal),
        side=words.trigger_side(raw.trigger_side),
        trailing_deviation=None if trail is None else optional(trail.max_deviation, "maxDeviation"),
        trailing_unit=None if trail is None else words.unit(trail.unit),
        limit_offset=None if offset is None else optional(offset.price_offset, "priceOffset"),
        limit_offset_unit=None if offset is None else words.unit(offset.unit),
    )


def _fee_details(raw: list[wire.FeeCalculation] | wire.FeeCalculation | None) -> tuple[FeeDetail, ...]:
    rows = [raw] if isinstance(raw, wire.FeeCalculation) else raw or []
    return tuple(
        FeeDetail(
            percentage_fee=_maybe(row.percentage_fee, "percentageFee"),
            user_fee_discount_applied=_maybe(row.user_fee_discount_applied, "userFeeDiscountApplied"),
            market_share_rebate_credited=_maybe(row.market_share_rebate_credited, "marketShareRebateCredited"),
        )
        for row in rows
    )


def _time(millis: int | None) -> datetime | None:
    return None if millis is None else from_millis(millis)


def _maybe(raw: msgspec.Raw, name: str) -> Decimal | None:
    """Read a number that may be missing, null or empty text."""
    text = bytes(raw).strip()
    if text in (b"null", b'""', b""):
        return None
    return number(msgspec.json.decode(text, type=Decimal), name)
