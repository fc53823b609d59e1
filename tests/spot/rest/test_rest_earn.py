"""Earn strategies and allocations, on answers as the documentation shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchange_core.errors import BadRequest, InvalidValue, OutcomeUnknown, ProtocolError, RateLimited
from kraken_spot.limits import PRIVATE
from kraken_spot.rest.operations import KrakenSpotRest
from kraken_spot.types.earn import LockType

STRATEGY = {
    "id": "ESRFUO3-Q62XD-WIOIL7",
    "asset": "DOT",
    "lock_type": {"type": "instant", "payout_frequency": 604800},
    "apr_estimate": {"low": "8.0000", "high": "12.0000"},
    "user_min_allocation": "0.01",
    "allocation_fee": "0.0000",
    "deallocation_fee": 0,
    "auto_compound": {"type": "enabled"},
    "yield_source": {"type": "staking"},
    "can_allocate": True,
    "can_deallocate": True,
    "allocation_restriction_info": [],
}


@pytest.fixture
def earn(rest: KrakenSpotRest) -> Any:
    return rest.earn


def test_strategies(earn: Any, run: Any) -> None:
    bonded = {
        **STRATEGY,
        "lock_type": {
            "type": "frozen",
            "bonding_period": 3600,
            "bonding_rewards": False,
            "unbonding_period": 86400,
            "unbonding_rewards": True,
        },
        "allocation_restriction_info": ["tier"],
    }
    page = run(
        earn.strategies("1", asset="BTC", lock=LockType.BONDED, limit=2),
        {"next_cursor": "2", "items": [STRATEGY, bonded, {"id": "X"}]},
    )
    first, second = page.items
    assert (first.id, first.asset, first.lock) == ("ESRFUO3-Q62XD-WIOIL7", "DOT", LockType.INSTANT)
    assert (first.apr_low, first.apr_high) == (Decimal("0.08"), Decimal("0.12"))
    assert first.payout_every == timedelta(days=7)
    assert first.user_cap is first.bonding_period is None
    assert (first.auto_compound, first.yield_source) == ("enabled", "staking")
    assert second.lock == "frozen"
    assert (second.bonding_period, second.bonding_earns) == (timedelta(hours=1), False)
    assert (second.unbonding_period, second.unbonding_earns) == (timedelta(days=1), True)
    assert second.restrictions == ("tier",)
    assert page.cursor == "2"
    assert [bad.id for bad in page.unreadable] == ["2"]
    (call,) = run.calls
    assert call.path == "/0/private/Earn/Strategies"
    assert {name: value for name, value in call.params.items() if value is not None} == {
        "cursor": "1",
        "asset": "XXBT",
        "lock_type": "bonded",
        "limit": 2,
    }
    assert not call.changes_state


def test_allocations(earn: Any, run: Any) -> None:
    item = {
        "strategy_id": "ESDQCOL-WTZEU-NU55QF",
        "native_asset": "ETH",
        "amount_allocated": {
            "bonding": {
                "native": "0.0210000000",
                "converted": "39.0645",
                "allocation_count": 2,
                "allocations": [
                    {
                        "created_at": "2023-07-06T10:52:05Z",
                        "expires": "2023-08-19T02:34:05.807Z",
                        "native": "0.0010000000",
                        "converted": "1.8602",
                    }
                ],
            },
            "pending": {"native": "-0.5", "converted": "-900"},
            "total": {"native": "0.0210000000", "converted": "39.0645"},
        },
        "total_rewarded": {"native": "0", "converted": "0.0000"},
        "payout": {
            "accumulated_reward": {"native": "0.1", "converted": "1"},
            "estimated_reward": {"native": "0.2", "converted": "2"},
            "period_start": "2023-08-01T00:00:00Z",
            "period_end": "2023-08-08T00:00:00Z",
        },
    }
    answer = {
        "converted_asset": "USD",
        "total_allocated": "49.2398",
        "total_rewarded": "0.0675",
        "next_cursor": None,
        "items": [item, {}],
    }
    allocations = run(earn.allocations(hide_zero=True), answer)
    assert (allocations.converted_asset, str(allocations.total_allocated)) == ("USD", "49.2398")
    (one,) = allocations.items
    assert str(one.total.native) == "0.0210000000"
    assert (one.bonding.count, str(one.bonding.parts[0].amount.converted)) == (2, "1.8602")
    assert one.bonding.parts[0].expires == datetime(2023, 8, 19, 2, 34, 5, 807000, tzinfo=UTC)
    assert one.pending.native == Decimal("-0.5")
    assert one.unbonding is one.exit_queue is None
    assert one.payout.end == datetime(2023, 8, 8, tzinfo=UTC)
    assert len(allocations.unreadable) == 1
    assert run.calls[0].params["hide_zero_allocations"] is True


@pytest.mark.parametrize("answer", [True, {"pending": False}, None], ids=str)
@pytest.mark.parametrize("way", ["allocate", "deallocate"])
def test_allocating_is_a_write(earn: Any, run: Any, way: str, answer: Any) -> None:
    run(getattr(earn, way)("ES1", Decimal("1E-1")), answer)
    (call,) = run.calls
    assert call.changes_state
    assert call.path == f"/0/private/Earn/{way.capitalize()}"
    assert call.params == {"strategy_id": "ES1", "amount": "0.1"}
    assert [(cost.pool, cost.amount) for cost in call.costs] == [(PRIVATE, 1)]


def test_an_allocation_without_an_answer_is_unknown(earn: Any, run: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        run(earn.allocate("ES1", 1), b"<html>")


def test_an_allocation_while_another_runs_has_to_wait(earn: Any, run: Any) -> None:
    with pytest.raises(RateLimited):
        run(earn.allocate("ES1", 1), b'{"error":["EEarnings:Busy:Another (de)allocation is in progress"]}')


def test_no_amount_is_refused_before_sending(earn: Any) -> None:
    with pytest.raises(InvalidValue, match="amount"):
        next(earn.allocate("ES1", 0))


@pytest.mark.parametrize("way", ["allocate", "deallocate"])
def test_whether_it_is_still_under_way(earn: Any, run: Any, way: str) -> None:
    ask = getattr(earn, f"{way}_pending")
    assert run(ask("ES1"), {"pending": True}) is True
    assert run(ask("ES1"), {"pending": False}) is False
    with pytest.raises(BadRequest):
        run(ask("ES1"), b'{"error":["EEarnings:Below min:less than minimum"]}')
    with pytest.raises(ProtocolError):
        run(ask("ES1"), None)
    assert run.calls[0].path == f"/0/private/Earn/{way.capitalize()}Status"
    assert not run.calls[0].changes_state
