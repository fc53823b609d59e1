"""Every published endpoint is one of the plugin's calls, with its method, its key, its cost, and no second sending."""

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from exchange_core.connector.limits import Cost
from exchange_core.connector.spec import VenueContext
from kraken_futures.config import FuturesConfig
from kraken_futures.limits import DERIVATIVES, HISTORY
from kraken_futures.orders.requests import FuturesOrder, OrderCancel, OrderEdit
from kraken_futures.rest.charts import Analytics, Resolution
from kraken_futures.rest.families import Families
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.types.account import SelfTradeStrategy

S = "BTC/USD:USD"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ORDER = FuturesOrder(symbol=S, side="buy", quantity=1, kind="mkt", client_order_id="c")
API, PAST, CHARTS = "/derivatives/api/v3/", "/api/history/v3/", "/api/charts/v1/"
UNITS, TOKENS = DERIVATIVES, HISTORY

# Method, path, flow, pool and cost (none for what is public). A write is what is not GET, but for two questions.
INDEX: list[tuple[str, str, Any, str, int]] = [
    ("GET", API + "instruments", lambda v: v.market.contracts(), "", 0),
    ("GET", API + "instruments/status", lambda v: v.market.statuses(), "", 0),
    ("GET", API + "instruments/PF_XBTUSD/status", lambda v: v.market.status(S), "", 0),
    ("GET", API + "tickers", lambda v: v.market.tickers(), "", 0),
    ("GET", API + "tickers/PF_XBTUSD", lambda v: v.market.ticker(S), "", 0),
    ("GET", API + "orderbook", lambda v: v.book(ORDER.symbol, None), "", 0),
    ("GET", API + "history", lambda v: v.market.trades(S).page(), "", 0),
    ("GET", API + "historical-funding-rates", lambda v: v.market.funding_rates(S), "", 0),
    ("GET", API + "feeschedules", lambda v: v.market.fee_schedules(), "", 0),
    ("GET", API + "feeschedules/volumes", lambda v: v.market.fee_volumes(), UNITS, 2),
    ("POST", API + "sendorder", lambda v: v.orders.send(ORDER), UNITS, 10),
    ("POST", API + "editorder", lambda v: v.orders.edit(OrderEdit(order_id="o", quantity=1)), UNITS, 10),
    ("POST", API + "cancelorder", lambda v: v.orders.cancel(OrderCancel(order_id="o")), UNITS, 10),
    ("POST", API + "cancelallorders", lambda v: v.orders.cancel_all(S), UNITS, 25),
    ("POST", API + "cancelallordersafter", lambda v: v.orders.cancel_all_after(60), UNITS, 25),
    ("POST", API + "batchorder", lambda v: v.orders.batch([ORDER]), UNITS, 10),
    ("POST", API + "orders/status", lambda v: v.orders.status(["o"]), UNITS, 1),
    ("GET", API + "openorders", lambda v: v.orders.open(), UNITS, 2),
    ("GET", API + "fills", lambda v: v.account.fills().page(), UNITS, 2),
    ("GET", API + "openpositions", lambda v: v.account.positions(), UNITS, 2),
    ("GET", API + "accounts", lambda v: v.account.wallets(), UNITS, 2),
    ("GET", API + "trading/instruments", lambda v: v.account.contracts(), UNITS, 2),
    ("GET", API + "unwindqueue", lambda v: v.account.unwind_queue(), UNITS, 200),
    ("GET", API + "notifications", lambda v: v.account.notifications(), UNITS, 2),
    ("GET", "/api/auth/v1/api-keys/v3/check", lambda v: v.account.key(), UNITS, 2),
    ("GET", API + "leveragepreferences", lambda v: v.settings.leverage(), UNITS, 2),
    ("PUT", API + "leveragepreferences", lambda v: v.settings.set_leverage(S, 2), UNITS, 10),
    ("PUT", API + "leveragepreferences", lambda v: v.settings.set_cross_margin(S), UNITS, 10),
    ("GET", API + "pnlpreferences", lambda v: v.settings.pnl_assets(), UNITS, 2),
    ("PUT", API + "pnlpreferences", lambda v: v.settings.set_pnl_asset(S, "USD"), UNITS, 10),
    ("GET", API + "self-trade-strategy", lambda v: v.settings.self_trade_strategy(), UNITS, 2),
    (
        "PUT",
        API + "self-trade-strategy",
        lambda v: v.settings.set_self_trade_strategy(SelfTradeStrategy.REJECT_TAKER),
        UNITS,
        2,
    ),
    ("POST", API + "transfer", lambda v: v.wallets.transfer("cash", "flex", "xbt", 1), UNITS, 10),
    (
        "POST",
        API + "transfer/subaccount",
        lambda v: v.wallets.transfer_between_accounts("a", "b", "cash", "cash", "xbt", 1),
        UNITS,
        10,
    ),
    ("POST", API + "withdrawal", lambda v: v.wallets.withdraw("xbt", 1), UNITS, 100),
    ("GET", API + "subaccounts", lambda v: v.wallets.subaccounts(), UNITS, 2),
    ("GET", API + "subaccount/u/trading-enabled", lambda v: v.wallets.trading_enabled("u"), UNITS, 2),
    ("PUT", API + "subaccount/u/trading-enabled", lambda v: v.wallets.set_trading_enabled("u", True), UNITS, 2),
    ("GET", API + "assignmentprogram/current", lambda v: v.programs.assignments(), UNITS, 2),
    ("GET", API + "assignmentprogram/history", lambda v: v.programs.past_assignments(), UNITS, 2),
    (
        "POST",
        API + "assignmentprogram/add",
        lambda v: v.programs.add_assignment("x", accept_long=True, accept_short=True),
        UNITS,
        2,
    ),
    ("POST", API + "assignmentprogram/delete", lambda v: v.programs.delete_assignment(1), UNITS, 2),
    ("GET", API + "portfolio-margining/parameters", lambda v: v.programs.margin_parameters(), UNITS, 2),
    ("POST", API + "portfolio-margining/simulate", lambda v: v.programs.simulate_margin({}), UNITS, 2),
    ("GET", PAST + "executions", lambda v: v.history.executions().page(), TOKENS, 1),
    ("GET", PAST + "orders", lambda v: v.history.orders().page(), TOKENS, 1),
    ("GET", PAST + "triggers", lambda v: v.history.triggers().page(), TOKENS, 1),
    ("GET", PAST + "positions", lambda v: v.history.positions().page(), TOKENS, 1),
    ("GET", PAST + "account-log", lambda v: v.history.account_log().page(), TOKENS, 3),
    ("GET", PAST + "accountlogcsv", lambda v: v.history.account_log_csv(), TOKENS, 6),
    ("GET", PAST + "market/PF_XBTUSD/executions", lambda v: v.history.market_executions(S).page(), "", 0),
    ("GET", PAST + "market/PF_XBTUSD/orders", lambda v: v.history.market_orders(S).page(), "", 0),
    ("GET", PAST + "market/PF_XBTUSD/price", lambda v: v.history.market_prices(S).page(), "", 0),
    ("GET", CHARTS, lambda v: v.charts.tick_types(), "", 0),
    ("GET", CHARTS + "trade", lambda v: v.charts.symbols(), "", 0),
    ("GET", CHARTS + "trade/PF_XBTUSD", lambda v: v.charts.resolutions(S), "", 0),
    ("GET", CHARTS + "trade/PF_XBTUSD/1d", lambda v: v.charts.candles(S, Resolution.DAY).page(), "", 0),
    (
        "GET",
        CHARTS + "analytics/PF_XBTUSD/cvd",
        lambda v: v.charts.analytics(S, Analytics.CVD, since=NOON, interval=60).page(),
        "",
        0,
    ),
    (
        "GET",
        CHARTS + "analytics/liquidity-pool",
        lambda v: v.charts.liquidity_pool(since=NOON, interval=60).page(),
        "",
        0,
    ),
]
QUESTIONS = {"orders/status", "portfolio-margining/simulate"}


@pytest.fixture
def everything_allowed(context: VenueContext) -> FuturesRest:
    return FuturesRest(attrs.evolve(context, config=FuturesConfig(environment="demo", allow_withdrawals=True)))


@pytest.mark.parametrize(("method", "path", "ask", "pool", "amount"), INDEX)
def test_an_endpoint(everything_allowed: FuturesRest, method: str, path: str, ask: Any, pool: str, amount: int) -> None:
    call = next(ask(everything_allowed))
    assert (call.method, call.path) == (method, path)
    assert call.private is bool(pool)
    assert [cost._replace(urgent=False) for cost in call.costs] == ([Cost(pool, amount)] if pool else [])
    assert call.changes_state is (method != "GET" and path.removeprefix(API) not in QUESTIONS)
    bases = {PAST: "history_url", CHARTS: "charts_url"}
    assert call.base == next((base for start, base in bases.items() if path.startswith(start)), "rest_url")


def test_every_call_of_every_group_is_in_the_table(rest: FuturesRest) -> None:
    source = inspect.getsource(inspect.getmodule(test_an_endpoint))  # type: ignore[arg-type]
    asked = set(re.findall(r"v\.(\w+\.\w+)\(", source))
    groups = re.findall(r"def (\w+)\(self\) -> \w+Calls:", inspect.getsource(Families))
    assert len(groups) == 8
    calls = {
        f"{name}.{call}"
        for name in groups
        for call, member in vars(type(getattr(rest, name))).items()
        if inspect.isfunction(member) and not call.startswith("_")
    }
    assert calls - asked == {"orders.cancel_everything"}  # the endpoint of cancel_all


def test_every_recorded_answer_is_read_by_a_test(captures: Path) -> None:
    folder = captures / "futures/rest"
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.rglob("test_*.py"))
    assert [path.name for path in sorted(folder.iterdir()) if path.name not in tests] == []
