"""Every REST method that is simulated, and which permissions it needs.

See https://docs.kraken.com/exchange/guides/rest/api-keys
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from exchange_core.connector.simulation import SimKey
from kraken_spot.simulator.bank import Bank
from kraken_spot.simulator.codec import Arguments
from kraken_spot.simulator.rest.account import Account
from kraken_spot.simulator.rest.depth import DepthCalls
from kraken_spot.simulator.rest.exports import Exports
from kraken_spot.simulator.rest.funding import Funding
from kraken_spot.simulator.rest.lists import Lists
from kraken_spot.simulator.rest.margin import Margin
from kraken_spot.simulator.rest.orders import RestOrders
from kraken_spot.simulator.rest.public import Public
from kraken_spot.simulator.venue import Venue

TRADING = frozenset(
    {"AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder"}
    | {"CancelOrder", "CancelOrderBatch", "CancelAll", "CancelAllOrdersAfter"}
)
"""What needs the matching engine. Open point: what else does not answer in maintenance is not documented."""


class Method(NamedTuple):
    """A private method and the permissions of which one is needed; all of them with *all_needed*."""

    run: Callable[[SimKey, Arguments], object]
    needs: tuple[str, ...] = ()
    all_needed: bool = False


def public_methods(venue: Venue) -> dict[str, Callable[[Arguments], object]]:
    public, lists = Public(venue.exchange, venue.names, venue.hub), Lists(venue.names)
    depth = DepthCalls(venue.exchange, venue.names, venue.hub)
    return {
        "Time": public.time,
        "SystemStatus": public.system_status,
        "MaintenanceSchedule": public.maintenance_schedule,
        "Assets": lists.assets,
        "AssetPairs": lists.asset_pairs,
        "Ticker": public.ticker,
        "OHLC": public.ohlc,
        "Depth": public.depth,
        "GroupedBook": depth.grouped_book,
        "Trades": public.trades,
        "Spread": public.spread,
        "PreTrade": depth.pre_trade,
        "PostTrade": depth.post_trade,
    }


def private_methods(venue: Venue, account: Account, bank: Bank, exports: Exports) -> dict[str, Method]:
    return {**_account(venue, account), **_trading(venue), **_money(venue, bank), **_reports(exports)}


def _account(venue: Venue, account: Account) -> dict[str, Method]:
    margin = Margin(venue.exchange, venue.names, venue.hub)
    depth = DepthCalls(venue.exchange, venue.names, venue.hub)
    funds, ledger = ("query-funds",), ("query-ledger",)
    opened, closed = ("query-open-trades",), ("query-closed-trades",)
    return {
        "Balance": Method(account.balance, funds),
        "BalanceEx": Method(account.balance_ex, funds),
        "CreditLines": Method(account.credit_lines, funds),
        "TradeBalance": Method(margin.trade_balance, opened),
        "TradeVolume": Method(account.trade_volume, funds),
        "OpenOrders": Method(account.open_orders, opened),
        "ClosedOrders": Method(account.closed_orders, closed),
        "QueryOrders": Method(account.query_orders, opened + closed),
        "OpenPositions": Method(margin.open_positions, opened),
        "TradesHistory": Method(account.trades_history, closed),
        "QueryTrades": Method(account.query_trades, closed),
        "Ledgers": Method(account.ledgers, ledger),
        "QueryLedgers": Method(account.query_ledgers, ledger),
        "Level3": Method(depth.level3, opened),
        "GetApiKeyInfo": Method(account.key_info),
        "GetWebSocketsToken": Method(account.websockets_token, ("create-ws-token",)),
    }


def _trading(venue: Venue) -> dict[str, Method]:
    orders = RestOrders(venue)
    places, cancels = ("modify-trades",), ("modify-trades", "close-trades")
    return {
        "AddOrder": Method(orders.add_order, places),
        "AddOrderBatch": Method(orders.add_order_batch, cancels, all_needed=True),
        "AmendOrder": Method(orders.amend_order, cancels),
        "EditOrder": Method(orders.edit_order, cancels, all_needed=True),
        "CancelOrder": Method(orders.cancel_order, cancels),
        "CancelOrderBatch": Method(orders.cancel_order_batch, cancels),
        "CancelAll": Method(orders.cancel_all, cancels),
        "CancelAllOrdersAfter": Method(orders.cancel_all_after, cancels),
        "OrderAmends": Method(orders.order_amends, ("query-open-trades", "query-closed-trades")),
    }


def _money(venue: Venue, bank: Bank) -> dict[str, Method]:
    funding, earn = Funding(venue.exchange, venue.names, bank), venue.earn
    funds, withdraws, earns = ("query-funds",), ("withdraw-funds",), ("earn-funds",)
    deposits = ("query-funds", "add-funds")
    looks = ("query-funds", "withdraw-funds")
    return {
        "DepositMethods": Method(funding.deposit_methods, deposits, all_needed=True),
        "DepositAddresses": Method(funding.deposit_addresses, funds),
        "DepositStatus": Method(funding.deposit_status, funds),
        "WithdrawMethods": Method(funding.withdraw_methods, looks, all_needed=True),
        "WithdrawAddresses": Method(funding.withdraw_addresses, looks, all_needed=True),
        "WithdrawInfo": Method(funding.withdraw_info, looks, all_needed=True),
        "Withdraw": Method(funding.withdraw, withdraws),
        "WithdrawStatus": Method(funding.withdraw_status, ("withdraw-funds", "query-ledger")),
        "WithdrawCancel": Method(funding.withdraw_cancel, withdraws),
        "WalletTransfer": Method(funding.wallet_transfer, funds),
        "CreateSubaccount": Method(funding.create_subaccount, withdraws),
        "AccountTransfer": Method(funding.account_transfer, withdraws),
        "Earn/Strategies": Method(earn.strategies, earns + funds),
        "Earn/Allocations": Method(earn.allocations, earns + funds),
        "Earn/Allocate": Method(earn.allocate, earns),
        "Earn/Deallocate": Method(earn.deallocate, earns),
        "Earn/AllocateStatus": Method(earn.allocate_status, earns + funds),
        "Earn/DeallocateStatus": Method(earn.deallocate_status, earns + funds),
    }


def _reports(exports: Exports) -> dict[str, Method]:
    data = ("export-data",)
    return {
        "AddExport": Method(exports.add, data),
        "ExportStatus": Method(exports.status, data),
        "RetrieveExport": Method(exports.retrieve, data),
        "RemoveExport": Method(exports.remove, data),
    }
