"""What Kraken Futures is known to send over REST: the fields that are read, those that are known and not read, words.

Held against what comes, so that what is new shows. Fields are from the pages of the venue and from recorded answers.
See https://docs.kraken.com/api/docs/futures-api/trading/get-instruments and the pages beside it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange_core.connector.drift import Documented
from exchange_core.connector.shapes import ANYTHING, Each, Record, Shape, record, same, words
from kraken_futures import errors
from kraken_futures.documented import feed as documented_feed
from kraken_futures.documented.words import (
    FILL_KINDS,
    LOG_INFO,
    NOTICE_KINDS,
    ORDER_ERRORS,
    ORDER_KINDS,
    PRIORITIES,
    SIDES,
    SIGNALS,
    TRADE_KINDS,
    TRIGGER_SIDES,
    UNITS,
    UPDATE_REASONS,
)
from kraken_futures.parse import outcomes
from kraken_futures.rest.calls import API, API_V4, CHARTS, HISTORY
from kraken_futures.rest.lookup import STATUS_WORDS
from kraken_futures.types.account import Access, SelfTradeStrategy
from kraken_futures.types.history import PositionCause, PositionChange
from kraken_futures.types.market import ContractType, Dislocation
from kraken_futures.types.trading import EventKind
from kraken_futures.wire import account as wire_account
from kraken_futures.wire import common as wire
from kraken_futures.wire import history as wire_history
from kraken_futures.wire import market as wire_market
from kraken_futures.wire import trading

_EVERY_ANSWER = "result serverTime error errors status"

CONTRACT = record(wire_market.Contract, wire.Instrument, type_=words(ContractType))
# New kinds of this are expected: the venue's page calls it an open list.
TICKER = record(wire_market.TickerRow, wire.Ticker)
STATUS = record(wire_market.Status, priceDislocationDirection=words(Dislocation))
TRADE = record(
    wire_market.TradeRow,
    wire.HistoryTrade,
    also="trade_id instrument_identification_type isin execution_venue price_notation price_currency notional_amount"
    " notional_currency publication_time publication_venue transaction_identification_code to_be_cleared",
    side=SIDES,
    type_=TRADE_KINDS,
)
EVENT_ORDER = record(
    trading.EventOrder,
    wire.OrderInEvent,
    type_=ORDER_KINDS,
    side=SIDES,
    triggerSide=TRIGGER_SIDES,
    triggerSignal=SIGNALS,
)
EVENT = record(
    trading.Event,
    wire.OrderEvent,
    type_=words(EventKind),
    reason=ORDER_ERRORS,
    **same("order orderTrigger orderPriorExecution orderPriorEdit old new", EVENT_ORDER),
)
_OUTCOMES = words(outcomes.TAKEN, outcomes.REFUSALS, outcomes.EDIT_REFUSALS, "edited cancelled noOrdersToCancel")
SENT = record(trading.SendStatus, trading.EditStatus, wire.SendStatus, status=_OUTCOMES, orderEvents=Each(EVENT))
CANCELLED_ALL = record(
    trading.CancelAllStatus,
    status=_OUTCOMES,
    orderEvents=Each(EVENT),
    cancelledOrders=Each(record(trading.CancelledOrder)),
)
OPEN_ORDER = record(
    trading.OpenOrder,
    wire.OpenOrder,
    side=SIDES,
    orderType=ORDER_KINDS,
    status=words("untouched partiallyFilled"),
    triggerSignal=SIGNALS,
)
STATUS_ENTRY = record(
    trading.StatusEntry,
    order=record(trading.StatusOrder, wire.StatusOrder, type_=words("ORDER TRIGGER_ORDER"), side=SIDES),
    status=words(STATUS_WORDS),
    updateReason=UPDATE_REASONS,
    error=ORDER_ERRORS,
)
FILL = record(wire_account.FillRow, wire.RestFill, side=SIDES, fillType=FILL_KINDS)
POSITION = record(wire_account.Position, wire.OpenPosition, side=words("long short"))
WALLET = record(
    wire_account.FlexAccount,
    wire_account.Account,
    wire.Account,
    type_=words("cashAccount marginAccount multiCollateralMarginAccount"),
)
NOTICE = record(wire_account.Notice, type_=NOTICE_KINDS, priority=PRIORITIES)
CANDLE = record(wire.Candle)

PAST_ORDER = record(
    wire_history.HistoryOrder,
    also="accountUid spotData regulatoryExternalUid",
    direction=words("buy sell unknown", folded=True),
    triggerOptions=record(
        wire_history.TriggerOptions,
        triggerSignal=SIGNALS,
        triggerSide=TRIGGER_SIDES,
        trailingStopOptions=record(wire_history.Deviation, unit=UNITS),
        limitPriceOffset=record(wire_history.Offset, unit=UNITS),
    ),
)
_PAST_EVENT = record(
    wire_history.OrderEvent,
    also="accountUid",
    **same("order oldOrder newOrder attemptedOrder", PAST_ORDER),
    **same("orderTrigger oldOrderTrigger newOrderTrigger attemptedOrderTrigger", PAST_ORDER),
)
_EXECUTION = record(
    wire_history.ExecutionEvent,
    execution=record(
        wire_history.ExecutionRow,
        executionType=words("maker taker", folded=True),
        order=PAST_ORDER,
        makerOrder=PAST_ORDER,
        takerOrder=PAST_ORDER,
        oldTakerOrder=PAST_ORDER,
        orderData=record(wire_history.OrderData, also="regulatoryData"),
    ),
)
PAST_POSITION = record(
    wire_history.PositionRow,
    also="accountUid",
    positionChange=words(PositionChange, "unknown"),
    updateReason=words(PositionCause, "unknown"),
    tradeType=words("userExecution liquidation partialLiquidation assignment unwind unknown"),
)
_EVENTS: dict[str, Shape] = {
    **same("OrderPlaced OrderUpdated OrderCancelled OrderRejected OrderEditRejected OrderNotFound", _PAST_EVENT),
    **same("OrderTriggerPlaced OrderTriggerUpdated OrderTriggerCancelled OrderTriggerActivated", _PAST_EVENT),
    "OrderTriggerEditRejected": _PAST_EVENT,
    "Execution": _EXECUTION,
    "execution": _EXECUTION,
    "PositionUpdate": PAST_POSITION,
    "MarkPriceChanged": record(wire_history.PriceRow),
    "price": ANYTHING,
}
ELEMENT = record(wire_history.Element, event=Record(frozenset(_EVENTS), _EVENTS))
PAST_ELEMENT = Record(ELEMENT.names | PAST_POSITION.names, {**PAST_POSITION.inside, **ELEMENT.inside})


def _answer(*structs: Any, also: str = "", **inside: Shape) -> Shape:
    return record(*structs, also=f"{_EVERY_ANSWER} {also}", **inside)


_PAGE = _answer(wire_history.HistoryPage, also="accountUid len", elements=Each(ELEMENT))
_CANDLES = record(also="more_candles", candles=Each(CANDLE))

ANSWERS: dict[str, Shape] = {
    f"{API}instruments": _answer(wire.Instruments, instruments=Each(CONTRACT)),
    f"{API}trading/instruments": _answer(wire.Instruments, instruments=Each(CONTRACT)),
    f"{API}instruments/status": _answer(wire_market.Statuses, instrumentStatus=Each(STATUS)),
    f"{API}instruments/*/status": Record(STATUS.names | set(_EVERY_ANSWER.split()), STATUS.inside),
    f"{API}tickers": _answer(wire.Tickers, tickers=Each(TICKER)),
    f"{API}tickers/*": _answer(ticker=TICKER),
    f"{API}orderbook": _answer(wire.OrderBook),
    f"{API}history": _answer(wire_market.TradeRows, history=Each(TRADE)),
    f"{API}historical-funding-rates": _answer(rates=Each(record(wire_market.FundingRow))),
    f"{API_V4}historicalfundingrates": _answer(rates=Each(record(wire_market.FundingRow))),
    f"{API}feeschedules": _answer(wire_market.FeeSchedules, feeSchedules=Each(record(wire_market.FeeSchedule))),
    f"{API}feeschedules/volumes": _answer(wire_market.FeeVolumes),
    f"{API}sendorder": _answer(sendStatus=SENT),
    f"{API}editorder": _answer(editStatus=SENT),
    f"{API}cancelorder": _answer(cancelStatus=SENT),
    f"{API}cancelallorders": _answer(cancelStatus=CANCELLED_ALL),
    f"{API}cancelallordersafter": _answer(trading.Switch),
    f"{API}batchorder": _answer(batchStatus=Each(SENT)),
    f"{API}orders/status": _answer(orders=Each(STATUS_ENTRY)),
    f"{API}openorders": _answer(openOrders=Each(OPEN_ORDER)),
    f"{API}fills": _answer(fills=Each(FILL)),
    f"{API}openpositions": _answer(openPositions=Each(POSITION)),
    f"{API}accounts": _answer(accounts=Each(WALLET)),
    f"{API}unwindqueue": _answer(wire_account.Queue, queue=Each(record(wire_account.QueueRow))),
    f"{API}notifications": _answer(notifications=Each(NOTICE)),
    f"{API}leveragepreferences": _answer(
        wire_account.Leverages, leveragePreferences=Each(record(wire_account.Leverage))
    ),
    f"{API}pnlpreferences": _answer(preferences=Each(record(wire_account.PnlCurrency))),
    f"{API}self-trade-strategy": _answer(strategy=words(SelfTradeStrategy)),
    f"{API}subaccounts": _answer(wire_account.Subaccounts, subaccounts=Each(record(wire_account.Subaccount))),
    f"{API}subaccount/*/trading-enabled": _answer(wire_account.TradingEnabled),
    f"{API}transfer": _answer(),
    f"{API}transfer/subaccount": _answer(),
    f"{API}withdrawal": _answer(wire_account.Withdrawn),
    "/api/auth/v1/api-keys/v3/check": record(
        wire_account.KeyCheck, permissions=record(general=words(Access), transfer=words(Access))
    ),
    f"{HISTORY}executions": _PAGE,
    f"{HISTORY}orders": _PAGE,
    f"{HISTORY}triggers": _PAGE,
    f"{HISTORY}positions": _answer(wire_history.HistoryPage, also="accountUid len", elements=Each(PAST_ELEMENT)),
    f"{HISTORY}market/*/executions": _PAGE,
    f"{HISTORY}market/*/orders": _PAGE,
    f"{HISTORY}market/*/price": _PAGE,
    f"{HISTORY}account-log": _answer(also="accountUid", logs=Each(record(wire_history.LogRow, info=LOG_INFO))),
    f"{CHARTS}spot/*/*": _CANDLES,
    f"{CHARTS}mark/*/*": _CANDLES,
    f"{CHARTS}trade/*/*": _CANDLES,
}


def unwrap(answer: Any) -> tuple[Any, Sequence[str]]:
    """Return an answer, which is its own envelope, and its codes."""
    if not isinstance(answer, dict):
        return answer, ()
    codes = [] if answer.get("error") is None else [str(answer["error"])]
    problems = answer.get("errors")
    if answer.get("result") == "error" and isinstance(problems, list):
        codes += [_code(problem) for problem in problems if isinstance(problem, dict)]
    return (None, codes) if codes else (answer, ())


def _code(problem: dict[str, Any]) -> str:
    return str(problem.get("code") or problem.get("message") or problem.get("msg"))


DOCUMENTED = Documented(answers=ANSWERS, frame=documented_feed.frame, unwrap=unwrap, knows=errors.is_known)
