"""Recorded calls of ``operations.account``, ``settings``, ``wallets`` and ``programs``, played back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from exchange_core.model.side import Side
from exchange_core.model.symbol import Symbol
from exchange_core.testing.cassettes import CassettePlayer
from kraken_futures.types.account import (
    Access,
    Assignment,
    CashWallet,
    FillKind,
    FlexAsset,
    FlexWallet,
    FuturesFill,
    KeyInfo,
    MarginWallet,
    Notice,
    NoticeKind,
    OpenPosition,
    Priority,
    SelfTradeStrategy,
    Thresholds,
    UnwindRank,
)
from kraken_futures.types.market import ContractType

LINEAR, INVERSE = Symbol("BTC", "USD", "USD"), Symbol("BTC", "USD", "BTC")
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(seconds=75)
MASTER, SUB = "86fb818d-9e92-5942-a62a-b31717e7a536", "53e7ef6e-cf33-5838-a63b-24ca79094124"


async def test_wallets_and_their_margins(player: CassettePlayer) -> None:
    """0.1 bought at 84010 with the mark at 84000, 4200 dollars at 84000, an order to buy 0.01 at 83000."""
    cash, margin, flex = await player.run("account.wallets", lambda do: do.account.wallets())
    assert cash == CashWallet(name="cash", balances={})
    assert isinstance(margin, MarginWallet)
    assert (margin.name, margin.asset, margin.positions) == ("fi_xbtusd", "BTC", {INVERSE: Decimal(4200)})
    assert (margin.balances, margin.profit, margin.usd) == ({"BTC": Decimal("0.499975")}, 0, Decimal("41997.9"))
    assert margin.available == Decimal("0.498975")  # less two percent of 0.05
    assert margin.requirements == Thresholds(
        initial_margin=Decimal("0.001"),
        maintenance_margin=Decimal("0.0005"),
        liquidation=Decimal("0.0005"),
        termination=Decimal("0.00025"),
    )
    assert isinstance(flex, FlexWallet)
    paid, free = Decimal("49995.7995"), Decimal("49902.0745")  # a fee of 4.2005; 84.01 and 8.715 held, 1 lost
    assert flex.assets == (FlexAsset(asset="USD", quantity=paid, value=paid, collateral=paid, available=free),)
    assert (flex.initial_margin, flex.initial_margin_with_orders) == (Decimal("84.01"), Decimal("92.725"))
    assert (flex.pnl, flex.margin_equity, flex.available_margin) == (
        -1,
        Decimal("49994.7995"),
        Decimal("49902.0745"),
    )


async def test_positions(player: CassettePlayer) -> None:
    linear, inverse = await player.run("account.positions", lambda do: do.account.positions())
    assert linear == OpenPosition(
        symbol=LINEAR,
        quantity=Decimal("0.1"),
        entry_price=Decimal(84010),
        unrealized_pnl=Decimal(-1),
        unrealized_funding=Decimal(0),
        pnl_asset="USD",
        max_fixed_leverage=None,
        fill_time=NOW,
    )
    assert (inverse.symbol, inverse.quantity, inverse.entry_price, inverse.pnl_asset) == (INVERSE, 4200, 84000, None)
    ranks = await player.run("account.unwind_queue", lambda do: do.account.unwind_queue())
    assert ranks == tuple(UnwindRank(symbol=symbol, percentile=Decimal(20)) for symbol in (LINEAR, INVERSE))


async def test_fills_newest_first(player: CassettePlayer) -> None:
    page = await player.run("account.fills", lambda do: do.account.fills().page())
    assert (page.cursor, page.unreadable, page.items[1].symbol) == (None, (), LINEAR)
    assert page.items[0] == FuturesFill(
        id="20918fa7-7405-4241-9f45-2c075f27ff08",
        order_id="a2f7647a-952e-4b8b-b56f-8bd11711eb57",
        client_order_id="00000000-0000-4000-8000-000000000002",
        symbol=INVERSE,
        side=Side.BUY,
        price=Decimal(84000),
        quantity=Decimal(4200),
        time=NOW,
        kind=FillKind.TAKER,
    )


async def test_contracts_that_the_account_may_trade(player: CassettePlayer) -> None:
    found = await player.run("account.contracts", lambda do: do.account.contracts(ContractType.FLEXIBLE))
    assert {one.type for one in found} == {ContractType.FLEXIBLE}
    assert found[0].margin_levels[0].initial_margin == Decimal("0.01")


async def test_notices(player: CassettePlayer) -> None:
    assert await player.run("account.notifications.none", lambda do: do.account.notifications()) == ()
    assert await player.run("account.notifications", lambda do: do.account.notifications()) == (
        Notice(
            type=NoticeKind.MAINTENANCE,
            priority=Priority.HIGH,
            note="Trading halts.",
            effective_time=NOW + timedelta(hours=6, seconds=10),
            expected_downtime_minutes=30,
        ),
    )


async def test_what_keys_may_do(player: CassettePlayer) -> None:
    assert await player.run("account.key", lambda do: do.account.key()) == KeyInfo(
        account_uid=MASTER,
        iiban=None,
        created_at=START,
        general=Access.FULL,
        withdrawal=Access.FULL,
        networks=(),
    )
    looks = await player.run("account.key.looks", lambda do: do.account.key())
    assert (looks.general, looks.withdrawal) == (Access.READ, Access.NONE)
    blind = await player.run("account.key.blind", lambda do: do.account.key())
    assert (blind.general, blind.withdrawal) == (Access.NONE, Access.NONE)


# Settings.


async def test_leverage(player: CassettePlayer) -> None:
    assert await player.run("settings.set_leverage", lambda do: do.settings.set_leverage(LINEAR, "12.5")) is None
    assert await player.run("settings.leverage", lambda do: do.settings.leverage()) == {LINEAR: Decimal("12.5")}
    assert await player.run("settings.set_cross_margin", lambda do: do.settings.set_cross_margin(LINEAR)) is None
    assert await player.run("settings.leverage.none", lambda do: do.settings.leverage()) == {}


async def test_what_profit_is_paid_in(player: CassettePlayer) -> None:
    assert await player.run("settings.set_pnl_asset", lambda do: do.settings.set_pnl_asset(LINEAR, "BTC")) is None
    assert await player.run("settings.pnl_assets", lambda do: do.settings.pnl_assets()) == {LINEAR: "BTC"}


async def test_what_becomes_of_trades_with_oneself(player: CassettePlayer) -> None:
    found = await player.run("settings.self_trade_strategy", lambda do: do.settings.self_trade_strategy())
    assert found is SelfTradeStrategy.REJECT_TAKER
    wanted = SelfTradeStrategy.CANCEL_MAKER_SELF
    chosen = await player.run(
        "settings.set_self_trade_strategy", lambda do: do.settings.set_self_trade_strategy(wanted)
    )
    assert chosen is wanted


# Money.


async def test_money_moves(player: CassettePlayer) -> None:
    """0.2 go from the margin account to cash, 0.05 of it to the account below, and 0.1 away."""
    transfer = await player.run("wallets.transfer", lambda do: do.wallets.transfer("fi_xbtusd", "cash", "xbt", "0.2"))
    assert transfer is None
    terms = {"from_wallet": "cash", "to_wallet": "cash", "unit": "xbt", "amount": "0.05"}
    assert None is await player.run(
        "wallets.transfer_between_accounts",
        lambda do: do.wallets.transfer_between_accounts(MASTER, SUB, **terms),
    )
    withdrawn = await player.run("wallets.withdraw", lambda do: do.wallets.withdraw("xbt", "0.1"))
    assert withdrawn == "d48dd9f3-5436-4c21-9c3e-cb54c5cefdd8"
    cash, margin, _ = await player.run("wallets.after", lambda do: do.account.wallets())
    assert (cash.balances, margin.balances) == ({"BTC": Decimal("0.05")}, {"BTC": Decimal("0.3")})


async def test_accounts_below(player: CassettePlayer) -> None:
    found = await player.run("wallets.subaccounts", lambda do: do.wallets.subaccounts())
    (sub,) = found.accounts
    assert (found.master_uid, sub.uid, sub.holdings, sub.margins) == (MASTER, SUB, {"BTC": Decimal("0.05")}, {})
    switched = await player.run("wallets.set_trading_enabled", lambda do: do.wallets.set_trading_enabled(SUB, False))
    assert switched is False
    assert await player.run("wallets.trading_enabled", lambda do: do.wallets.trading_enabled(SUB)) is False


# Programmes.

ADDED = Assignment(
    id=1,
    contract_type="flexible_futures",
    contract=None,
    max_size=Decimal(5),
    max_position=Decimal("10.5"),
    accept_long=True,
    accept_short=False,
    time_frame="ALL",
    enabled=True,
    time=None,
    deleted=None,
)


async def test_the_assignment_programme(player: CassettePlayer) -> None:
    terms: dict[str, Any] = {"accept_long": True, "accept_short": False, "max_size": "5", "max_position": "10.5"}
    add = partial(player.run, choose=lambda do: do.programs.add_assignment("flexible_futures", **terms))
    assert await add("programs.add_assignment") == ADDED
    other = {"contract": LINEAR, "accept_long": True, "accept_short": True, "time_frame": "WEEKEND"}
    second = await player.run(
        "programs.add_assignment.contract", lambda do: do.programs.add_assignment("flexible_futures", **other)
    )
    assert (second.id, second.contract, second.time_frame) == (2, LINEAR, "WEEKEND")
    assert await player.run("programs.assignments", lambda do: do.programs.assignments()) == (ADDED, second)
    assert await player.run("programs.delete_assignment", lambda do: do.programs.delete_assignment(1)) == ADDED
    past = await player.run("programs.past_assignments", lambda do: do.programs.past_assignments())
    assert [(one.id, one.deleted, one.time) for one in past] == [(1, False, NOW), (2, False, NOW), (1, True, NOW)]


async def test_margins_of_a_portfolio(player: CassettePlayer) -> None:
    found = await player.run("programs.margin_parameters", lambda do: do.programs.margin_parameters())
    assert found["extremePriceShockMultiplier"] == 2
    assert found["totalUserLimits"] == {"maxNetPositionDelta": 0, "maxAbsoluteOptionPositionDelta": 0}
    row = {"instrument": "PF_XBTUSD", "size": Decimal("0.5"), "entryPrice": Decimal(83000)}
    margin = await player.run("programs.simulate_margin", lambda do: do.programs.simulate_margin({"positions": [row]}))
    # One percent of half of 84000, and half of a thousand.
    assert (margin.initial_margin, margin.maintenance_margin, margin.pnl) == (420, 210, 500)
