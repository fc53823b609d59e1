"""What the venue's codes mean: whether it happened, whether to wait, whether to stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_core.errors import (
    AuthenticationError,
    BadRequest,
    ExchangeError,
    InsufficientFunds,
    LockedOut,
    NonceRejected,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
    RateLimited,
    VenueError,
    VenueUnavailable,
)
from kraken_spot.dialect import KrakenSpotDialect
from kraken_spot.wire import common as wire
from kraken_spot.wire.trading import Added

READ = RestCall(method="POST", path="/0/private/OpenOrders", private=True, reply=wire.OpenOrders)
WRITE = RestCall(method="POST", path="/0/private/AddOrder", private=True, changes_state=True, reply=Added)


@pytest.fixture
def dialect(context: VenueContext) -> KrakenSpotDialect:
    return KrakenSpotDialect(context)


def raised(dialect: KrakenSpotDialect, call: RestCall, *codes: str, status: int = 200, **headers: str) -> ExchangeError:
    body = json.dumps({"error": list(codes)}).encode()
    with pytest.raises(ExchangeError) as caught:
        dialect.decode(call, HttpReply(status, headers, body))
    return caught.value


@pytest.mark.parametrize(
    ("code", "read", "write"),
    [
        ("EAPI:Invalid key", AuthenticationError, AuthenticationError),
        ("EAPI:Invalid signature", AuthenticationError, AuthenticationError),
        ("EAPI:Invalid nonce", NonceRejected, NonceRejected),
        ("EAPI:Rate limit exceeded", RateLimited, RateLimited),
        ("EAPI:Bad request", BadRequest, OrderRefused),
        ("EAPI:Feature disabled", BadRequest, OrderRefused),
        ("EGeneral:Permission denied", AuthenticationError, AuthenticationError),
        ("EGeneral:Temporary lockout", LockedOut, LockedOut),
        ("EGeneral:Too many requests", RateLimited, RateLimited),
        ("EGeneral:Invalid arguments", BadRequest, OrderRefused),
        ("EGeneral:Invalid arguments:volume", BadRequest, OrderRefused),
        ("EGeneral:Unknown Method", BadRequest, OrderRefused),
        ("EGeneral:Internal error", VenueUnavailable, OutcomeUnknown),
        ("EGeneral:Internal error:17", VenueUnavailable, OutcomeUnknown),
        ("EQuery:Unknown asset pair", BadRequest, OrderRefused),
        ("EService:Unavailable", VenueUnavailable, OutcomeUnknown),
        ("EService:Busy", VenueUnavailable, OutcomeUnknown),
        ("EService:Deadline elapsed", VenueUnavailable, OutcomeUnknown),
        ("EService: Throttled: 1790000000", RateLimited, RateLimited),
        ("EService:Throttled:1790000000", RateLimited, RateLimited),
        ("EService:Market in cancel_only mode", OrderRefused, OrderRefused),
        ("EService:Market in post_only mode", OrderRefused, OrderRefused),
        ("EDatabase:Internal error", VenueUnavailable, OutcomeUnknown),
        ("EOrder:Insufficient funds", InsufficientFunds, InsufficientFunds),
        ("EOrder:Insufficient margin", OrderRefused, OrderRefused),
        ("EOrder:Order minimum not met", OrderRefused, OrderRefused),
        ("EOrder:Tick size check failed", OrderRefused, OrderRefused),
        ("EOrder:Invalid price:XBTUSD price can only be specified up to 1 decimals.", OrderRefused, OrderRefused),
        ("EOrder:Unknown order", OrderNotFound, OrderNotFound),
        ("EOrder:Rate limit exceeded", RateLimited, RateLimited),
        ("EOrder:Domain rate limit exceeded", RateLimited, RateLimited),
        ("EOrder:Orders limit exceeded", OrderRefused, OrderRefused),
        ("EOrder:Something new", OrderRefused, OrderRefused),
        ("ETrade:Locked", AuthenticationError, AuthenticationError),
        ("EAccount:Invalid permissions", AuthenticationError, AuthenticationError),
        ("EAuth:Account temporary disabled", AuthenticationError, AuthenticationError),
        ("EAuth:Too many requests", RateLimited, RateLimited),
        ("EBM:limit exceeded:CAL", OrderRefused, OrderRefused),
        ("EEarnings:Busy:x", RateLimited, RateLimited),
        ("EGeneral:Invalid something new", BadRequest, OrderRefused),
        ("EAPI:Something new", BadRequest, OrderRefused),
        ("Currency pair not supported XBT/USD", BadRequest, OrderRefused),
        ("Limit_price field must be a number_float", BadRequest, OrderRefused),
        ("Symbol field must be an array", BadRequest, OrderRefused),
        ("Unsupported field: 'params' for the given msg type: ping", BadRequest, OrderRefused),
        ("Unsupported event", BadRequest, OrderRefused),
        (
            "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com",
            BadRequest,
            OrderRefused,
        ),
        ("Token(s) not found", VenueError, OutcomeUnknown),
        ("EGeneral:Something new", VenueError, OutcomeUnknown),
        ("ESomething:New", VenueError, OutcomeUnknown),
        ("what is this", VenueError, OutcomeUnknown),
    ],
)
def test_codes(dialect: KrakenSpotDialect, code: str, read: type[ExchangeError], write: type[ExchangeError]) -> None:
    """An unknown code of an order call may mean that it happened, unless its category says that it did not."""
    for call, expected in ((READ, read), (WRITE, write)):
        error = raised(dialect, call, code)
        assert type(error) is expected
        assert error.codes == (code,)
        assert error.venue == "kraken"
        assert code in str(error)


@pytest.mark.parametrize(
    ("codes", "read", "write"),
    [
        (["EOrder:Insufficient funds", "EService:Busy"], InsufficientFunds, OutcomeUnknown),
        (["EGeneral:Invalid arguments", "EAPI:Invalid key"], AuthenticationError, AuthenticationError),
        (["EAPI:Rate limit exceeded", "EOrder:Invalid price"], OrderRefused, OrderRefused),
        (["EAPI:Invalid nonce", "EAPI:Rate limit exceeded"], RateLimited, RateLimited),
        (["EAPI:Invalid key", "EGeneral:Internal error"], AuthenticationError, OutcomeUnknown),
        (["WDatabase:No change", "EOrder:Unknown order"], OrderNotFound, OrderNotFound),
    ],
)
def test_of_several_the_most_cautious_counts(
    dialect: KrakenSpotDialect, codes: list[str], read: type[ExchangeError], write: type[ExchangeError]
) -> None:
    for order in (codes, codes[::-1]):
        assert type(raised(dialect, READ, *order)) is read
        assert type(raised(dialect, WRITE, *order)) is write


def test_a_throttle_ends_at_a_time_by_the_venues_clock(dialect: KrakenSpotDialect) -> None:
    code = "EService: Throttled: 1790000007"
    error = raised(dialect, READ, code, date="Mon, 21 Sep 2026 14:13:20 GMT")
    assert isinstance(error, RateLimited)
    assert error.retry_after == 7
    for date in ("", "no date"):
        error = raised(dialect, READ, code, date=date)
        assert isinstance(error, RateLimited)
        assert error.retry_after is None


def test_how_long_to_wait(dialect: KrakenSpotDialect) -> None:
    lockout = raised(dialect, READ, "EGeneral:Temporary lockout")
    limit = raised(dialect, READ, "EAPI:Rate limit exceeded")
    assert isinstance(lockout, LockedOut)
    assert isinstance(limit, RateLimited)
    assert lockout.retry_after == 900
    assert limit.retry_after == 5


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(502, b"<html><h1>502 Bad Gateway</h1></html>", id="a gateway's page"),
        pytest.param(520, b"", id="an empty answer"),
        pytest.param(200, b"<html>Just a moment...</html>", id="a page with status 200"),
        pytest.param(200, b'{"error":[],"resu', id="cut off"),
        pytest.param(200, b"[]", id="another shape"),
        pytest.param(200, b'{"result":{}}', id="no error list"),
        pytest.param(200, b"\xff\xfe", id="no text"),
        pytest.param(503, b'{"error":[],"result":{"open":{}}}', id="a result with an HTTP error"),
    ],
)
def test_what_is_no_answer(dialect: KrakenSpotDialect, status: int, body: bytes) -> None:
    """An order without an answer may have been carried out."""
    with pytest.raises(VenueUnavailable, match=f"OpenOrders: HTTP {status}"):
        dialect.decode(READ, HttpReply(status, {}, body))
    with pytest.raises(OutcomeUnknown, match="may have been carried out"):
        dialect.decode(WRITE, HttpReply(status, {}, body))


def test_too_many_requests_by_http(dialect: KrakenSpotDialect) -> None:
    """For a write it is not known who refused."""
    with pytest.raises(RateLimited) as caught:
        dialect.decode(READ, HttpReply(429, {"retry-after": "12"}, b"slow down"))
    assert caught.value.retry_after == 12
    with pytest.raises(OutcomeUnknown):
        dialect.decode(WRITE, HttpReply(429, {"retry-after": "12"}, b"slow down"))


def test_a_result_that_does_not_read(dialect: KrakenSpotDialect) -> None:
    body = b'{"error":[],"result":{"open":7,"descr":{}}}'
    with pytest.raises(ProtocolError, match="open"):
        dialect.decode(READ, HttpReply(200, {}, body))
    with pytest.raises(OutcomeUnknown, match="txid"):
        dialect.decode(WRITE, HttpReply(200, {}, b'{"error":[],"result":{"txid":7,"descr":{}}}'))


def test_warnings_are_kept_and_the_result_used(dialect: KrakenSpotDialect) -> None:
    body = b'{"error":["WDatabase:No change"],"result":{"open":{}}}'
    assert dialect.decode(READ, HttpReply(200, {}, body)).open == {}
    assert dialect.warnings == {"WDatabase:No change": 1}


def test_recorded_errors(captures: Path, dialect: KrakenSpotDialect) -> None:
    for line in (captures / "spot/rest/errors.jsonl").read_bytes().splitlines():
        for call in (READ, WRITE):
            with pytest.raises(ExchangeError) as caught:
                dialect.decode(call, HttpReply(200, {}, line))
            assert caught.value.codes == tuple(json.loads(line)["error"])
            assert not isinstance(caught.value, ProtocolError)


def test_errors_never_show_what_was_sent(dialect: KrakenSpotDialect) -> None:
    call = RestCall(
        method="POST", path="/0/private/AddOrder", params={"otp": "123456"}, private=True, changes_state=True
    )
    shown: list[Any] = [raised(dialect, call, "EOrder:Invalid price")]
    with pytest.raises(OutcomeUnknown) as caught:
        dialect.decode(call, HttpReply(502, {}, b"otp=123456"))
    shown.append(caught.value)
    assert "123456" not in "".join(map(repr, shown)) + "".join(map(str, shown))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("AddOrder", "AddOrder: EGeneral:Permission denied; the API key needs the permission modify-trades"),
        ("AddOrderBatch", "needs the permission modify-trades and close-trades"),
        ("CancelOrder", "needs the permission modify-trades or close-trades"),
        ("Earn/Allocate", "needs the permission earn-funds"),
        ("GetWebSocketsToken", "needs the permission create-ws-token"),
        ("Earn/Strategies", "Strategies: EGeneral:Permission denied"),
    ],
)
def test_a_denied_call_says_which_permission_it_needs(dialect: KrakenSpotDialect, name: str, said: str) -> None:
    """Where the documentation says so; the code stays as the venue sent it."""
    call = RestCall(method="POST", path=f"/0/private/{name}", private=True, reply=Added)
    error = raised(dialect, call, "EGeneral:Permission denied")
    assert str(error).endswith(said)
    assert error.codes == ("EGeneral:Permission denied",)


def test_another_refusal_of_the_key_names_no_permission(dialect: KrakenSpotDialect) -> None:
    assert "permission" not in str(raised(dialect, READ, "EAPI:Invalid key"))
