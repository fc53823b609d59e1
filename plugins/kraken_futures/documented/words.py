"""The words that Kraken Futures is known to write, in all their spellings.

Only held against what comes; what a word means is said where it is read.
See https://docs.kraken.com/api/docs/futures-api/trading/send-order and the pages beside it
"""

from __future__ import annotations

from exchange_core.connector.shapes import words
from kraken_futures.orders.requests import OrderKind
from kraken_futures.types.account import FillKind, NoticeKind, Priority
from kraken_futures.types.history import LogInfo
from kraken_futures.types.market import TradeKind

SIDES = words("buy sell")
TRADE_KINDS = words(TradeKind)
FILL_KINDS = words(FillKind)
NOTICE_KINDS = words(NoticeKind)
PRIORITIES = words(Priority)
LOG_INFO = words(LogInfo)
UNITS = words("percent quote_currency quotecurrency", folded=True)
SIGNALS = words(
    "mark last spot index mark_price last_price spot_price markprice lastprice spotprice unknown", folded=True
)
TRIGGER_SIDES = words("trigger_above trigger_below above below unknown", folded=True)
ORDER_KINDS = words(
    OrderKind,
    "limit market stop liquidation assignment unwind block unknown coveredLiquidation hedgeImmediateOrCancel"
    " hedgeAssignment fillOrKill",
    folded=True,
)
REASONS = words(
    "new_placed_order_by_user liquidation stop_order_triggered limit_order_from_stop partial_fill full_fill"
    " cancelled_by_user contract_expired not_enough_margin market_inactive cancelled_by_admin dead_man_switch"
    " ioc_order_failed_because_it_would_not_be_executed post_order_failed_because_it_would_filled"
    " post_order_failed_because_it_would_be_filled would_execute_self would_not_reduce_position"
    " order_for_edit_not_found edited_by_user"
)
"""Why an order of the feed changed."""

UPDATE_REASONS = words(
    "LOADING_MARKET NEW_USER_ORDER LIQUIDATION_ORDER STOP_ORDER_TRIGGERED LIMIT_FROM_STOP PARTIAL_FILL FULL_FILL"
    " CANCELLED_BY_USER CONTRACT_EXPIRED NOT_ENOUGH_MARGIN MARKET_INACTIVE DEAD_MAN_SWITCH CANCELLED_BY_ADMIN"
    " POST_WOULD_EXECUTE_REASON IOC_WOULD_NOT_EXECUTE_REASON WOULD_EXECUTE_SELF_REASON WOULD_NOT_REDUCE_POSITION"
    " EDITED_BY_USER ORDER_FOR_EDIT_NOT_FOUND_REASON EXPIRED TRAILING_STOP_PRICE_UPDATED"
    " TRAILING_STOP_CANCELLED_AND_REPLACED_BY_ADMIN"
)
"""The same in ``orders/status``."""

ORDER_ERRORS = words(
    "MARKET_SUSPENDED MARKET_NOT_FOUND INVALID_PRICE INVALID_QUANTITY SMALL_ORDER_LIMIT_EXCEEDED INSUFFICIENT_MARGIN"
    " WOULD_CAUSE_LIQUIDATION CLIENT_ORDER_ID_IN_USE CLIENT_ORDER_ID_TOO_LONG MAX_POSITION_EXCEEDED PRICE_COLLAR"
    " PRICE_DISLOCATION EDIT_HAS_NO_EFFECT ORDER_FOR_CANCELLATION_NOT_FOUND ORDER_FOR_EDIT_NOT_FOUND"
    " ORDER_CANNOT_HAVE_TRIGGER_PRICE POST_WOULD_EXECUTE IOC_WOULD_NOT_EXECUTE WOULD_EXECUTE_SELF"
    " WOULD_NOT_REDUCE_POSITION REJECTED_AFTER_EXECUTION MARKET_IS_POST_ONLY ORDER_LIMIT_EXCEEDED"
    " FIXED_LEVERAGE_TOO_HIGH CANNOT_EDIT_TRIGGER_PRICE_OF_TRAILING_STOP CANNOT_EDIT_LIMIT_PRICE_OF_TRAILING_STOP"
    " TRAILING_STOP_ORDER_LIMIT_EXCEEDED TRAILING_STOP_PERCENT_DEVIATION_EXCEEDS_MAX_DECIMAL_PLACES"
    " TRAILING_STOP_QUOTE_DEVIATION_NOT_MULTIPLE_OF_TICK_SIZE TRAILING_STOP_MAX_DEVIATION_TOO_LARGE"
    " TRAILING_STOP_MAX_DEVIATION_TOO_SMALL INSUFFICIENT_HEADROOM_AROUND_CURRENT_PRICE_TO_EDIT_TRAILING_STOP"
    " NO_REFERENCE_PRICE_AVAILABLE_FOR_CALCULATING_TRAILING_STOP_TRIGGER_PRICE INSUFFICIENT_CLOSING_MARGIN"
    " LIMIT_PRICE_SET_AS_ABSOLUTE_AND_RELATIVE LIMIT_PRICE_OFFSET_VALUE_INVALID LIMIT_PRICE_OFFSET_UNIT_INVALID"
    " LIMIT_PRICE_OFFSET_MUST_HAVE_VALUE_AND_UNIT"
    " LIMIT_PRICE_OFFSET_QUOTE_CURRENCY_VALUE_MUST_BE_MULTIPLE_OF_TICK_SIZE"
    " LIMIT_PRICE_OFFSET_PERCENT_VALUE_TOO_MANY_DECIMAL_PLACES LIMIT_PRICE_OFFSET_TOO_HIGH LIMIT_PRICE_OFFSET_TOO_LOW"
)
