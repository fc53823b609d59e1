"""Kraken's own account calls: wallets in full, positions, fills, ranks, notices, the key."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange_core.errors import AuthenticationError, ProtocolError
from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from kraken_futures.limits import units
from kraken_futures.rest.operations import FuturesRest
from kraken_futures.types.account import (
    Access,
    CashWallet,
    FillKind,
    FlexWallet,
    MarginWallet,
    NoticeKind,
    OtherWallet,
    Priority,
)
from kraken_futures.types.market import ContractType

LINEAR, INVERSE = Symbol.parse("BTC/USD:USD"), Symbol.parse("BTC/USD:BTC")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def recorded(captures: Path, name: str) -> bytes:
    return (captures / "futures/rest" / name).read_bytes()


def test_the_documented_wallets_in_full(rest: FuturesRest, run: Any, captures: Path) -> None:
    (cash, margin, flex), (call,) = run(rest.account.wallets(), recorded(captures, "doc_accounts.json"))
    assert call.costs == units("accounts")
    assert isinstance(cash, CashWallet)
    assert cash.balances == {"BTC": Decimal("141.31756797"), "XRP": Decimal("52465.1254")}
    assert isinstance(margin, MarginWallet)
    assert (margin.name, margin.asset) == ("fi_xbtusd", "BTC")
    assert margin.balances == {"BTC": Decimal("141.31756797"), "XRP": 0}
    assert margin.positions == {"FI_XBTUSD_171215": 50000, "FI_XBTUSD_180615": -15000}
    assert margin.available == Decimal("100.73891563")
    assert margin.profit == Decimal("12.42134766")
    assert margin.portfolio_value == Decimal("153.73891563")
    assert margin.requirements.initial_margin == Decimal("52.8")
    assert margin.requirements.maintenance_margin == Decimal("23.76")
    assert (margin.requirements.liquidation, margin.requirements.termination) == (Decimal("39.6"), Decimal("15.84"))
    assert (margin.estimates.initial_margin, margin.estimates.termination) == (3110, 2830)
    assert isinstance(flex, FlexWallet)
    coins = {one.asset: one for one in flex.assets}
    assert set(coins) == {"BTC", "USD", "EUR"}
    assert coins["BTC"].quantity == Decimal("0.1185308247")
    assert coins["BTC"].value == Decimal("4998.721054420551")
    assert coins["BTC"].collateral == Decimal("4886.49976674881")
    assert coins["EUR"].available == Decimal("4540.5837374453")
    assert (flex.balance_value, flex.collateral_value) == (Decimal("34995.52"), Decimal("34122.66"))
    assert (flex.margin_equity, flex.available_margin) == (Decimal("34122.66"), Decimal("34122.66"))
    assert flex.portfolio_margin_breakdown is None


def test_newer_wallets(rest: FuturesRest, run: Any) -> None:
    accounts = {
        "cash": {"type": "cashAccount", "balances": {"xbt": "141.31756797"}},
        "fi_xbtusd": {
            "type": "marginAccount",
            "currency": "xbt",
            "balances": {"PI_XBTUSD": "50000", "xbt": "1"},
            "auxiliary": {"usd": 0, "funding": 100.73891563},
        },
        "flex": {
            "type": "multiCollateralMarginAccount",
            "currencies": {"USDC": {"quantity": 1, "value": 1, "collateral": 0.99, "available": 1}},
            "upnlInterestRate": None,
            "portfolioMarginBreakdown": {"totalMarketRisk": 1.5, "totalScenarioPnls": [1, -2.5], "isBuyOnly": False},
        },
        "moon": {"type": "lunarAccount", "cheese": 0.1},
    }
    (cash, margin, flex, moon), _ = run(rest.account.wallets(), {"accounts": accounts})
    assert cash.balances == {"BTC": Decimal("141.31756797")}
    assert margin.positions == {INVERSE: 50000}
    assert margin.unrealized_funding == Decimal("100.73891563")
    assert flex.assets[0].collateral == Decimal("0.99")
    assert flex.portfolio_margin_breakdown.total_scenario_pnls == (1, Decimal("-2.5"))
    assert isinstance(moon, OtherWallet)
    assert (moon.type, moon.raw["cheese"]) == ("lunarAccount", Decimal("0.1"))


def test_a_wallet_that_cannot_be_read_is_an_error_and_never_nothing(rest: FuturesRest, run: Any) -> None:
    for accounts in ({"cash": {"type": "cashAccount", "balances": {"xbt": "much"}}}, {"cash": {}}, {"cash": 5}):
        with pytest.raises(ProtocolError):
            run(rest.account.wallets(), {"accounts": accounts})
    with pytest.raises(ProtocolError):
        run(rest.account.wallets(), {})


def test_the_documented_positions(rest: FuturesRest, run: Any, captures: Path) -> None:
    (short, dated, linear), (call,) = run(rest.account.positions(), recorded(captures, "doc_open_positions.json"))
    assert call.costs == units("openpositions")
    assert (short.symbol, short.quantity) == (INVERSE, -10000)
    assert short.entry_price == Decimal("9392.749993345933")
    assert short.unrealized_funding == Decimal("0.00001045432180096817")
    assert short.fill_time == datetime(2020, 7, 22, 14, 39, 12, 376000, tzinfo=UTC)
    assert (dated.symbol, dated.quantity, dated.pnl_asset) == ("FI_XBTUSD_201225", 20000, None)
    assert (linear.symbol, linear.pnl_asset, linear.max_fixed_leverage) == ("PF_DEFIUSD", "BTC", 5)
    assert linear.unrealized_funding == Decimal("-0.0073428045972263895")


def test_a_position_has_a_side_and_an_outage_is_not_flat(rest: FuturesRest, run: Any) -> None:
    row = {"symbol": "PF_XBTUSD", "side": "up", "size": 1, "price": 1, "unrealizedPnl": -12.34}
    damaged, _ = run(rest.account.positions(), {"openPositions": [row]})
    assert damaged == ()
    assert "neither long nor short" in damaged.unreadable[0].problem
    (found,), _ = run(rest.account.positions(), {"openPositions": [{**row, "side": "long"}]})
    assert found.unrealized_pnl == Decimal("-12.34")
    with pytest.raises(ProtocolError):
        run(rest.account.positions(), {})


def test_the_documented_fills(rest: FuturesRest, run: Any, captures: Path) -> None:
    page, (call,) = run(rest.account.fills().page(), recorded(captures, "doc_fills.json"))
    assert call.params == {}
    assert call.costs == units("fills")
    maker, taker = page.items
    assert maker.id == "3d57ed09-fbd6-44f1-8e8b-b10e551c5e73"
    assert (maker.symbol, maker.side, maker.kind) == (INVERSE, Side.BUY, FillKind.MAKER)
    assert (maker.quantity, maker.price) == (5490, 9400)
    assert maker.time == datetime(2020, 7, 22, 13, 37, 27, 77000, tzinfo=UTC)
    assert (taker.kind, taker.order_id) == (FillKind.TAKER, "3f513c4c-683d-44ab-a73b-d296abbea201")
    assert page.cursor is None


def test_older_fills_cost_more(rest: FuturesRest, run: Any) -> None:
    def fill(number: int) -> dict[str, Any]:
        when = (NOON - timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
        named = {"fill_id": f"f{number}", "order_id": "o", "symbol": "PF_XBTUSD", "cliOrdId": "mine"}
        return {**named, "side": "sell", "size": 0.1, "price": 1, "fillTime": when, "fillType": "a new kind"}

    first, _ = run(rest.account.fills().page(), {"fills": [fill(n) for n in range(100)]})
    assert first.items[0].client_order_id == "mine"
    assert first.items[0].kind == "a new kind"
    assert first.cursor == "2026-01-05T11:58:21.001Z~f99"
    second, (call,) = run(rest.account.fills().page(first.cursor), {"fills": [fill(99), fill(100)]})
    assert call.params == {"lastFillTime": "2026-01-05T11:58:21.001Z"}
    assert call.costs == units("fills before")
    assert [one.id for one in second.items] == ["f100"]


def test_contracts_of_the_account_have_its_own_margins(rest: FuturesRest, run: Any) -> None:
    row = {
        "symbol": "PF_XBTUSD",
        "type": "flexible_futures",
        "tickSize": 1,
        "minimumTradeSize": 0.0001,
        "marginLevels": [{"numNonContractUnits": 0, "initialMargin": 0.5, "maintenanceMargin": 0.25}],
    }
    (found,), (call,) = run(rest.account.contracts(ContractType.FLEXIBLE), {"instruments": [row]})
    assert call.path == "/derivatives/api/v3/trading/instruments"
    assert call.params == {"contractType": ["flexible_futures"]}
    assert call.private
    assert call.costs == units("trading/instruments")
    assert (found.symbol, found.minimum_trade_size) == (LINEAR, Decimal("0.0001"))
    assert found.margin_levels[0].max_leverage == 2


def test_ranks_cost_much(rest: FuturesRest, run: Any) -> None:
    (found,), (call,) = run(rest.account.unwind_queue(), {"queue": [{"symbol": "PF_XBTUSD", "percentile": 80}]})
    assert (found.symbol, found.percentile) == (LINEAR, 80)
    assert call.costs[0].amount == 200


def test_notices(rest: FuturesRest, run: Any) -> None:
    rows = [
        {
            "type": "maintenance",
            "priority": "high",
            "note": "down",
            "effectiveTime": "2026-01-05T12:00:00Z",
            "expectedDowntimeMinutes": 30,
        },
        {"type": "gossip", "priority": "none", "note": ""},
    ]
    (down, gossip), (call,) = run(rest.account.notifications(), {"notifications": rows})
    assert call.costs == units("notifications")
    assert (down.type, down.priority) == (NoticeKind.MAINTENANCE, Priority.HIGH)
    assert (down.effective_time, down.expected_downtime_minutes) == (NOON, 30)
    assert (gossip.type, gossip.effective_time) == ("gossip", None)


def test_the_key_is_described_and_not_shown(rest: FuturesRest, run: Any) -> None:
    body = {
        "apiKey": "the-key",
        "accountUid": "u",
        "iiban": None,
        "createdAt": "2026-01-05T12:00:00Z",
        "permissions": {"general": "FULL_ACCESS", "transfer": "NO_ACCESS"},
        "allowedCidrBlock": "192.168.0.0/16",
        "allowedCidrBlocks": None,
    }
    found, (call,) = run(rest.account.key(), body)
    assert call.path == "/api/auth/v1/api-keys/v3/check"
    assert call.base == "rest_url"
    assert (found.general, found.withdrawal) == (Access.FULL, Access.NONE)
    assert found.networks == ("192.168.0.0/16",)
    assert "the-key" not in repr(found)
    with pytest.raises(AuthenticationError):
        run(rest.account.key(), {"error": "authenticationError", "message": "no"})
