"""Deposits, withdrawals, transfers and subaccounts: read as they are, and moved only where the config allows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.connector.rest import RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import ConfigError, InvalidValue, NotSupported, OrderRefused, OutcomeUnknown, ProtocolError
from kraken_spot.config import KrakenSpotConfig
from kraken_spot.limits import PRIVATE
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.types.funding import StatusDetail, TransactionStatus, TransferStatus

MOVES: dict[str, Callable[[KrakenSpotRest], Any]] = {
    "withdraw": lambda rest: rest.funding.withdraw("BTC", "cold", "0.5"),
    "cancel_withdrawal": lambda rest: rest.funding.cancel_withdrawal("BTC", "REF"),
    "to_futures": lambda rest: rest.transfers.to_futures("USD", "10"),
    "between_accounts": lambda rest: rest.transfers.between_accounts("USD", 10, source="AA1", destination="AA2"),
    "create_subaccount": lambda rest: rest.transfers.create_subaccount("desk", "desk@example.com"),
}


@pytest.fixture
def allowed(make_context: Callable[..., VenueContext]) -> KrakenSpotRest:
    return KrakenSpotRest(make_context(config=KrakenSpotConfig(allow_withdrawals=True)))


def present(call: RestCall) -> dict[str, Any]:
    assert call.private
    assert [(cost.pool, cost.amount) for cost in call.costs] == [(PRIVATE, 1)]
    return {name: value for name, value in call.params.items() if value is not None}


@pytest.mark.parametrize("name", MOVES)
def test_no_money_moves_by_default(rest: KrakenSpotRest, name: str) -> None:
    assert KrakenSpotConfig().allow_withdrawals is False
    with pytest.raises(NotSupported, match=rf"^kraken: {name}: .*allow_withdrawals = true in \[venues\.kraken\]"):
        next(MOVES[name](rest))


@pytest.mark.parametrize("value", ["true", 1, None])
def test_only_a_plain_true_allows_it(value: Any) -> None:
    with pytest.raises(ConfigError, match="allow_withdrawals"):
        KrakenSpotConfig(allow_withdrawals=value)


@pytest.mark.parametrize("name", MOVES)
def test_where_it_is_allowed_it_is_a_write(allowed: KrakenSpotRest, name: str) -> None:
    call = next(MOVES[name](allowed))
    assert call.changes_state, "never sent twice"
    present(call)


@pytest.mark.parametrize("name", MOVES)
def test_without_an_answer_nobody_knows(allowed: KrakenSpotRest, run: Any, name: str) -> None:
    with pytest.raises(OutcomeUnknown):
        run(MOVES[name](allowed), b"<html>520</html>")


def test_a_withdrawal(allowed: KrakenSpotRest, run: Any) -> None:
    flow = allowed.funding.withdraw("BTC", "cold", Decimal("7.5E-1"), address="bc1q", max_fee=0)
    assert run(flow, {"refid": "FTQcuak"}) == "FTQcuak"
    assert run.calls[0].path == "/0/private/Withdraw"
    assert present(run.calls[0]) == {
        "asset": "XXBT",
        "key": "cold",
        "amount": "0.75",
        "address": "bc1q",
        "max_fee": "0",
    }


def test_a_withdrawal_that_the_venue_refuses(allowed: KrakenSpotRest, run: Any) -> None:
    with pytest.raises(OrderRefused) as refused:
        run(MOVES["withdraw"](allowed), b'{"error":["EFunding:Unknown withdraw key"]}')
    assert refused.value.codes == ("EFunding:Unknown withdraw key",)


@pytest.mark.parametrize("amount", [0, -1, 0.5, "NaN", "x"])
def test_what_is_no_amount_is_refused_before_sending(allowed: KrakenSpotRest, amount: Any) -> None:
    for flow in (
        allowed.funding.withdraw("BTC", "cold", amount),
        allowed.transfers.to_futures("BTC", amount),
        allowed.transfers.between_accounts("BTC", amount, source="a", destination="b"),
        allowed.funding.withdraw_info("BTC", "cold", amount),
    ):
        with pytest.raises(InvalidValue, match="amount"):
            next(flow)


def test_a_withdrawal_taken_back(allowed: KrakenSpotRest, run: Any) -> None:
    assert run(allowed.funding.cancel_withdrawal("BTC", "FTQ"), True) is True
    assert present(run.calls[0]) == {"asset": "XXBT", "refid": "FTQ"}


def test_transfers(allowed: KrakenSpotRest, run: Any) -> None:
    assert run(MOVES["to_futures"](allowed), {"refid": "R1"}) == "R1"
    done = run(MOVES["between_accounts"](allowed), {"transfer_id": "T1", "status": "pending"})
    assert (done.id, done.status) == ("T1", TransferStatus.PENDING)
    assert run(MOVES["create_subaccount"](allowed), True) is True
    assert [present(call) for call in run.calls] == [
        {"asset": "ZUSD", "from": "Spot Wallet", "to": "Futures Wallet", "amount": "10"},
        {"asset": "ZUSD", "amount": "10", "from": "AA1", "to": "AA2"},
        {"username": "desk", "email": "desk@example.com"},
    ]


def test_deposit_methods(rest: KrakenSpotRest, run: Any) -> None:
    rows = [
        {"method": "Bitcoin", "limit": False, "fee": "0.0000000000", "gen-address": True, "minimum": "0.00010000"},
        {"method": "Wire", "limit": "1000.5", "fee": "5", "address-setup-fee": "0.1"},
        {"limit": True},
    ]
    listing = run(rest.funding.deposit_methods("BTC"), rows)
    chain, wire = listing.items
    assert (chain.limit, chain.makes_addresses, str(chain.minimum)) == (None, True, "0.00010000")
    assert (wire.limit, wire.setup_fee, wire.makes_addresses) == (Decimal("1000.5"), Decimal("0.1"), False)
    assert [bad.id for bad in listing.unreadable] == ["2"]
    assert present(run.calls[0]) == {"asset": "XXBT"}


def test_deposit_addresses(rest: KrakenSpotRest, run: Any) -> None:
    rows = [
        {"address": "2N9f", "expiretm": "0", "new": True},
        {"address": "rLHz", "expiretm": "1774350056", "tag": "1361101127"},
        {"address": "krakenkraken", "expiretm": "0", "memo": "4150096490"},
    ]
    plain, tagged, memo = run(rest.funding.deposit_addresses("BTC", "Bitcoin"), rows).items
    assert (plain.new, plain.expires, plain.tag) == (True, None, None)
    assert (tagged.tag, tagged.expires) == ("1361101127", datetime.fromtimestamp(1774350056, UTC))
    assert memo.memo == "4150096490"
    assert not run.calls[0].changes_state
    run(rest.funding.new_deposit_address("BTC", "Lightning", amount="0.1"), rows)
    assert run.calls[1].changes_state, "it makes an address"
    assert present(run.calls[1]) == {"asset": "XXBT", "method": "Lightning", "amount": "0.1", "new": True}


DEPOSIT = {
    "method": "Ether (Hex)",
    "aclass": "currency",
    "asset": "XETH",
    "refid": "FTQcuak-V6Za8qrPnhsTx47yYLz8Tg",
    "txid": "0x339c",
    "info": "0xca21",
    "amount": "0.1383862742",
    "time": 1688992722,
    "status": "Settled",
    "status-prop": "onhold",
    "originators": ["0x70b6"],
}


@pytest.mark.parametrize(
    ("answer", "cursor"),
    [
        ([DEPOSIT], None),
        ({"deposits": [DEPOSIT], "next_cursor": "more"}, "more"),
        ({"deposit": [DEPOSIT], "cursor": None}, None),
    ],
    ids=["list", "object", "last page"],
)
def test_deposits(rest: KrakenSpotRest, run: Any, answer: Any, cursor: str | None) -> None:
    page = run(rest.funding.deposits_page(asset="ETH", limit=25), answer)
    (deposit,) = page.items
    assert page.cursor == cursor
    assert (deposit.asset, str(deposit.amount), deposit.fee) == ("ETH", "0.1383862742", None)
    assert (deposit.status, deposit.detail) == (TransactionStatus.SETTLED, StatusDetail.ON_HOLD)
    assert deposit.time == datetime(2023, 7, 10, 12, 38, 42, tzinfo=UTC)
    assert deposit.originators == ("0x70b6",)
    assert present(run.calls[0]) == {"asset": "XETH", "cursor": True, "limit": 25}
    assert run.calls[0].path == "/0/private/DepositStatus"


def test_withdrawals_go_on_at_a_cursor(rest: KrakenSpotRest, run: Any) -> None:
    row = {**DEPOSIT, "key": "cold", "network": "Bitcoin", "status": "Lost", "status-prop": "found", "fee": "0.0002"}
    page = run(rest.funding.withdrawals_page("more"), [row])
    assert (page.items[0].key, page.items[0].network, page.items[0].status) == ("cold", "Bitcoin", "Lost")
    assert page.items[0].detail == "found"
    assert present(run.calls[0]) == {"cursor": "more"}
    assert run.calls[0].path == "/0/private/WithdrawStatus"


def test_both_ends_of_a_range_are_in_it(rest: KrakenSpotRest, run: Any) -> None:
    start = datetime.fromtimestamp(1000, UTC)
    rows = [{**DEPOSIT, "time": time} for time in (1002, 1001, 1000, 999)]
    page = run(rest.funding.deposits_page(start=start, end=start + timedelta(seconds=1)), rows)
    assert [one.time.timestamp() for one in page.items] == [1001, 1000]


@pytest.mark.parametrize("answer", [{}, {"a": [], "b": []}, {"a": [], "cursor": "x", "next_cursor": "y"}, 7])
def test_a_page_that_does_not_read(rest: KrakenSpotRest, run: Any, answer: Any) -> None:
    with pytest.raises(ProtocolError):
        run(rest.funding.deposits_page(), answer)


def test_the_ways_out(rest: KrakenSpotRest, run: Any) -> None:
    """Reading them moves nothing, and needs no allowance."""
    (method,) = run(
        rest.funding.withdraw_methods("BTC"),
        [{"asset": "XXBT", "method": "Bitcoin", "network": "Bitcoin", "minimum": "0.0004"}],
    ).items
    assert (method.asset, method.minimum) == ("BTC", Decimal("0.0004"))
    (address,) = run(
        rest.funding.withdraw_addresses(verified=True),
        [{"address": "bc1q", "asset": "XXBT", "method": "Bitcoin", "key": "cold", "verified": True}],
    ).items
    assert (address.key, address.asset, address.verified, address.memo) == ("cold", "BTC", True, None)
    info = run(
        rest.funding.withdraw_info("BTC", "cold", "0.725"),
        {"method": "Bitcoin", "limit": "332.00956139", "amount": "0.72485000", "fee": "0.00020000"},
    )
    assert (str(info.amount), str(info.limit)) == ("0.72485000", "332.00956139")
    assert [present(call) for call in run.calls] == [
        {"asset": "XXBT"},
        {"verified": True},
        {"asset": "XXBT", "key": "cold", "amount": "0.725"},
    ]
    assert not any(call.changes_state for call in run.calls)
