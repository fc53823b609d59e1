"""Money moves only when the configuration allows it, exactly as asked, and once."""

from decimal import Decimal
from typing import Any

import attrs
import pytest

from exchange_core.connector.spec import VenueContext
from exchange_core.errors import (
    BadRequest,
    InsufficientFunds,
    InvalidValue,
    NotSupported,
    OutcomeUnknown,
    ProtocolError,
)
from exchange_core.model.symbol import Symbol
from kraken_futures.config import FuturesConfig
from kraken_futures.limits import units
from kraken_futures.rest.operations import FuturesRest


@pytest.fixture
def allowed(context: VenueContext) -> FuturesRest:
    return FuturesRest(attrs.evolve(context, config=FuturesConfig(allow_withdrawals=True)))


def moves(rest: FuturesRest) -> list[Any]:
    return [
        rest.wallets.transfer("cash", "flex", "xbt", "0.1"),
        rest.wallets.transfer_between_accounts("me", "you", "cash", "cash", "xbt", "0.1"),
        rest.wallets.withdraw("xbt", "0.1"),
    ]


def test_nothing_moves_without_leave(rest: FuturesRest) -> None:
    for flow in moves(rest):
        with pytest.raises(NotSupported, match="allow_withdrawals = true"):
            next(flow)


def test_a_transfer_is_sent_as_asked(allowed: FuturesRest, run: Any) -> None:
    _, (call,) = run(allowed.wallets.transfer("cash", "fi_xbtusd", "xbt", Decimal("1E-7")), {})
    assert (call.method, call.path) == ("POST", "/derivatives/api/v3/transfer")
    assert call.params == {"fromAccount": "cash", "toAccount": "fi_xbtusd", "unit": "xbt", "amount": "0.0000001"}
    assert call.changes_state
    assert call.costs == units("transfer")


def test_a_transfer_between_accounts(allowed: FuturesRest, run: Any) -> None:
    flow = allowed.wallets.transfer_between_accounts("me", "you", "cash", "flex", "usd", 5)
    _, (call,) = run(flow, {})
    assert call.path == "/derivatives/api/v3/transfer/subaccount"
    assert call.costs == units("transfer/subaccount")
    assert call.params == {
        "fromUser": "me",
        "toUser": "you",
        "fromAccount": "cash",
        "toAccount": "flex",
        "unit": "usd",
        "amount": "5",
    }


def test_a_withdrawal_has_an_id(allowed: FuturesRest, run: Any) -> None:
    uid, (call,) = run(allowed.wallets.withdraw("xbt", "0.25"), {"uid": "w-1"})
    assert uid == "w-1"
    assert call.params == {"currency": "xbt", "amount": "0.25", "sourceWallet": "cash"}
    assert call.costs == units("withdrawal")
    with pytest.raises(OutcomeUnknown):
        run(allowed.wallets.withdraw("xbt", "0.25"), {})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"result": "error", "error": "insufficientFunds"}, InsufficientFunds),
        ({"result": "error", "error": "invalidAccount"}, BadRequest),
        ({"result": "error", "error": "invalidUnit"}, BadRequest),
        ({"result": "error", "error": "Unavailable"}, OutcomeUnknown),
        (b"", OutcomeUnknown),
    ],
)
def test_a_refusal_and_silence_are_told_apart(allowed: FuturesRest, run: Any, body: Any, kind: type[Exception]) -> None:
    for flow in moves(allowed):
        with pytest.raises(kind):
            run(flow, body)


@pytest.mark.parametrize("amount", [0, "-1", 0.1, "", None, "NaN"])
def test_an_amount_is_exact_and_above_zero(allowed: FuturesRest, amount: Any) -> None:
    with pytest.raises(InvalidValue, match="amount"):
        next(allowed.wallets.transfer("cash", "flex", "xbt", amount))


def test_names_are_not_guessed(allowed: FuturesRest) -> None:
    with pytest.raises(InvalidValue, match="toAccount is empty"):
        next(allowed.wallets.transfer("cash", "", "xbt", 1))


# Sub-accounts.


def test_subaccounts(rest: FuturesRest, run: Any) -> None:
    body = {
        "masterAccountUid": "m",
        "subaccounts": [
            {
                "accountUid": "a",
                "email": "a@example.com",
                "fullName": None,
                "holdingAccounts": [{"currency": "xbt", "amount": 0.5}],
                "futuresAccounts": [{"name": "fi_xbtusd", "availableMargin": 1.25}],
                "flexAccount": {
                    "currencies": [{"currency": "EUR", "quantity": 2, "value": 2.2, "collateral": 2.1, "available": 2}],
                    "availableMargin": 2.1,
                },
            },
            {"accountUid": "b"},
        ],
    }
    found, (call,) = run(rest.wallets.subaccounts(), body)
    assert call.costs == units("subaccounts")
    assert found.master_uid == "m"
    first, second = found.accounts
    assert (first.uid, first.email, first.full_name) == ("a", "a@example.com", None)
    assert first.holdings == {"BTC": Decimal("0.5")}
    assert first.margins == {"fi_xbtusd": Decimal("1.25")}
    assert (first.flex.assets[0].asset, first.flex.assets[0].collateral) == ("EUR", Decimal("2.1"))
    assert first.flex.available_margin == Decimal("2.1")
    assert second.flex is None


def test_the_switch_of_a_subaccount(rest: FuturesRest, run: Any) -> None:
    bare = b'{"tradingEnabled":false}'
    found, (call,) = run(rest.wallets.trading_enabled("a/b"), bare)
    assert found is False
    assert call.path == "/derivatives/api/v3/subaccount/a%2Fb/trading-enabled"
    assert call.costs == units("subaccount/trading-enabled")
    found, (call,) = run(rest.wallets.set_trading_enabled("a", False), bare)
    assert (call.method, call.params) == ("PUT", {"tradingEnabled": False})
    assert call.changes_state
    with pytest.raises(ProtocolError, match="it says False"):
        run(rest.wallets.set_trading_enabled("a", True), bare)
    with pytest.raises(BadRequest):
        run(rest.wallets.trading_enabled("a"), {"result": "error", "error": "notFound"})
    for uid, enabled in (("", True), ("a", "yes")):
        with pytest.raises(InvalidValue):
            next(rest.wallets.set_trading_enabled(uid, enabled))  # type: ignore[arg-type]


# The assignment programme and portfolio margining.

PARTICIPATION = {
    "id": 7,
    "participant": {
        "contractType": "flexible_futures",
        "contract": "PF_XBTUSD",
        "maxSize": 10,
        "maxPosition": None,
        "acceptLong": True,
        "acceptShort": False,
        "timeFrame": "WEEKEND",
        "enabled": True,
    },
}


def test_assignments(rest: FuturesRest, run: Any) -> None:
    (found,), (call,) = run(rest.programs.assignments(), {"participants": [PARTICIPATION]})
    assert call.path == "/derivatives/api/v3/assignmentprogram/current"
    assert call.costs == units("assignmentprogram")
    assert (found.id, found.contract, found.max_size) == (7, Symbol.parse("BTC/USD:USD"), 10)
    assert (found.accept_long, found.accept_short, found.time_frame) == (True, False, "WEEKEND")
    past, (call,) = run(rest.programs.past_assignments(), {"participants": [{**PARTICIPATION, "deleted": True}]})
    assert call.path == "/derivatives/api/v3/assignmentprogram/history"
    assert past[0].deleted


def test_an_assignment_is_added_and_deleted(rest: FuturesRest, run: Any) -> None:
    flow = rest.programs.add_assignment(
        "flexible_futures",
        accept_long=True,
        accept_short=False,
        time_frame="WEEKEND",
        contract="BTC/USD:USD",
        max_size="10.0",
    )
    found, (call,) = run(flow, PARTICIPATION)
    assert call.changes_state
    assert call.params == {
        "contractType": "flexible_futures",
        "contract": "PF_XBTUSD",
        "maxSize": "10.0",
        "maxPosition": None,
        "acceptLong": True,
        "acceptShort": False,
        "timeFrame": "WEEKEND",
        "enabled": True,
    }
    assert found.id == 7
    _, (call,) = run(rest.programs.delete_assignment(7), PARTICIPATION)
    assert call.params == {"id": 7}
    with pytest.raises(InvalidValue, match="time_frame"):
        next(rest.programs.add_assignment("x", accept_long=True, accept_short=True, time_frame="NEVER"))


def test_portfolio_margining_is_only_asked_of_the_demo(rest: FuturesRest, context: VenueContext, run: Any) -> None:
    for flow in (rest.programs.margin_parameters(), rest.programs.simulate_margin({})):
        with pytest.raises(NotSupported, match="only offered by the demo environment; this one is live"):
            next(flow)
    demo = FuturesRest(attrs.evolve(context, config=FuturesConfig(environment="demo")))
    found, _ = run(demo.programs.margin_parameters(), b'{"result":"success","crossAssetNettingFactor":0.10}')
    assert found == {"crossAssetNettingFactor": Decimal("0.10")}
    body = {"maintenanceMargin": 1.5, "initialMargin": 2, "pnl": -1, "greeks": {"BTC": {"delta": 0.1}}}
    simulated, (call,) = run(demo.programs.simulate_margin({"positions": {"PF_XBTUSD": Decimal("0.10")}}), body)
    assert call.params == {"json": '{"positions":{"PF_XBTUSD":0.10}}'}
    assert not call.changes_state
    assert (simulated.maintenance_margin, simulated.pnl) == (Decimal("1.5"), -1)
    assert simulated.greeks["BTC"]["delta"] == Decimal("0.1")
