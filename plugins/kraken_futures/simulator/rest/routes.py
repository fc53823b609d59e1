"""Which call means what, and which keys may make it.

See https://docs.kraken.com/api/docs/futures-api/trading/get-instruments and the pages beside it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from exchange_core.connector.rest import HttpReply
from kraken_futures.simulator.access import FULL, READ, WITHDRAW
from kraken_futures.simulator.codec import Arguments
from kraken_futures.simulator.rest.account import Account
from kraken_futures.simulator.rest.history import History
from kraken_futures.simulator.rest.public import Public
from kraken_futures.simulator.rest.trading import Trading
from kraken_futures.simulator.venue import Venue

Fields = dict[str, Any]


class Private(NamedTuple):
    """A call that needs a key of a level."""

    run: Callable[[str, Arguments], Fields | HttpReply]
    level: str


Calls = Mapping[tuple[str, str], Private]


def open_calls(public: Public) -> dict[str, Callable[[Arguments], Fields]]:
    return {
        "instruments": public.instruments,
        "instruments/status": public.instruments_status,
        "tickers": public.tickers,
        "orderbook": public.order_book,
        "history": public.history,
        "historical-funding-rates": public.funding_rates,
        "feeschedules": public.fee_schedules,
    }


def private_calls(venue: Venue, public: Public) -> Calls:
    account = Account(venue.exchange, venue.contracts, venue.chronicle, venue.settings, venue.bank)
    settings, bank, programs = venue.settings, venue.bank, venue.programs
    return {
        **_orders(Trading(venue.exchange, venue.contracts, venue.desk)),
        ("GET", "accounts"): Private(account.accounts, READ),
        ("GET", "openpositions"): Private(account.open_positions, READ),
        ("GET", "openorders"): Private(account.open_orders, READ),
        ("GET", "fills"): Private(account.fills, READ),
        ("GET", "unwindqueue"): Private(account.unwind_queue, READ),
        ("GET", "feeschedules/volumes"): Private(account.fee_volumes, READ),
        ("GET", "notifications"): Private(venue.notices.rest, READ),
        ("GET", "trading/instruments"): Private(public.own_instruments, READ),
        ("GET", "leveragepreferences"): Private(settings.leverage, READ),
        ("PUT", "leveragepreferences"): Private(settings.set_leverage, FULL),
        ("GET", "pnlpreferences"): Private(settings.profit, READ),
        ("PUT", "pnlpreferences"): Private(settings.set_profit, FULL),
        ("GET", "self-trade-strategy"): Private(settings.strategy, FULL),
        ("PUT", "self-trade-strategy"): Private(settings.set_strategy, FULL),
        ("POST", "transfer"): Private(bank.transfer, FULL),
        ("POST", "transfer/subaccount"): Private(bank.transfer_between, FULL),
        ("POST", "withdrawal"): Private(bank.withdraw, WITHDRAW),
        ("GET", "subaccounts"): Private(bank.subaccounts, READ),
        ("GET", "assignmentprogram/current"): Private(programs.current, READ),
        ("GET", "assignmentprogram/history"): Private(programs.history, READ),
        ("POST", "assignmentprogram/add"): Private(programs.add, FULL),
        ("POST", "assignmentprogram/delete"): Private(programs.delete, FULL),
        ("GET", "portfolio-margining/parameters"): Private(programs.parameters, READ),
        ("POST", "portfolio-margining/simulate"): Private(programs.simulate, READ),
    }


def _orders(trading: Trading) -> dict[tuple[str, str], Private]:
    return {
        ("POST", "sendorder"): Private(trading.send_order, FULL),
        ("POST", "editorder"): Private(trading.edit_order, FULL),
        ("POST", "cancelorder"): Private(trading.cancel_order, FULL),
        ("POST", "cancelallorders"): Private(trading.cancel_all, FULL),
        ("POST", "cancelallordersafter"): Private(trading.cancel_all_after, FULL),
        ("POST", "batchorder"): Private(trading.batch, FULL),
        ("POST", "orders/status"): Private(trading.orders_status, FULL),
    }


def history_calls(history: History) -> dict[str, Callable[[str, Arguments], HttpReply]]:
    return {
        "executions": history.executions,
        "orders": history.orders,
        "triggers": history.triggers,
        "positions": history.positions,
        "account-log": history.account_log,
        "accountlogcsv": history.account_log_csv,
    }


def of_subaccount(venue: Venue, method: str, uid: str) -> Private:
    """Return the call about one sub-account's right to trade."""
    bank = venue.bank
    if method == "PUT":
        return Private(lambda account, given: bank.set_trading_enabled(account, uid, given), FULL)
    return Private(lambda account, given: bank.trading_enabled(account, uid), FULL)
