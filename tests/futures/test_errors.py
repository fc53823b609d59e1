"""Every form of error becomes the right kind of ours; for writes, what is open stays open."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.connector.rest import HttpReply, RestCall
from exchange_core.errors import (
    AuthenticationError,
    BadRequest,
    ExchangeError,
    InsufficientFunds,
    NonceRejected,
    OrderNotFound,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
    RateLimited,
    VenueError,
    VenueUnavailable,
)
from kraken_futures.dialect import FuturesDialect
from kraken_futures.errors import is_known
from kraken_futures.wire import common as wire

READ = RestCall(method="GET", path="/derivatives/api/v3/openorders", reply=wire.OpenOrders, private=True)
WRITE = RestCall(
    method="POST", path="/derivatives/api/v3/sendorder", reply=wire.SendOrder, private=True, changes_state=True
)
HISTORY = RestCall(method="GET", path="/api/history/v3/orders", reply=wire.HistoryPage, base="history_url")
CHARTS = RestCall(method="GET", path="/api/charts/v1/trade/X/1m", reply=wire.Candles, base="charts_url")

PAGE = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"


def decode(call: RestCall, body: Any, status: int = 200, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return FuturesDialect("futures").decode(call, HttpReply(status, named, raw))


def error(call: RestCall, body: Any, status: int = 200, **headers: str) -> ExchangeError:
    with pytest.raises(ExchangeError) as caught:
        decode(call, body, status, **headers)
    return caught.value


@pytest.mark.parametrize(
    ("text", "read", "write"),
    [
        ("accountInactive", BadRequest, BadRequest),
        ("apiLimitExceeded", RateLimited, RateLimited),
        ("authenticationError", AuthenticationError, AuthenticationError),
        ("insufficientPrivileges", AuthenticationError, AuthenticationError),
        ("insufficientFunds", BadRequest, InsufficientFunds),
        ("invalidArgument", BadRequest, BadRequest),
        ("invalidArgument: limitPrice", BadRequest, BadRequest),
        ("requiredArgumentMissing: size", BadRequest, BadRequest),
        ("Json Parse Error", BadRequest, BadRequest),
        ("marketUnavailable", VenueUnavailable, OrderRefused),
        ("nonceBelowThreshold", NonceRejected, NonceRejected),
        ("nonceDuplicate", NonceRejected, NonceRejected),
        ("notFound", BadRequest, OrderNotFound),
        ("contractNotFound", BadRequest, BadRequest),
        pytest.param("Server Error", VenueUnavailable, OutcomeUnknown, id="internal failure"),
        pytest.param("unknownError", VenueUnavailable, OutcomeUnknown, id="the venue does not know either"),
        pytest.param("Unavailable", VenueUnavailable, OutcomeUnknown, id="maintenance"),
        pytest.param("somethingNew", VenueError, OutcomeUnknown, id="an error of tomorrow"),
    ],
)
def test_error_texts(text: str, read: type[ExchangeError], write: type[ExchangeError]) -> None:
    body = {"result": "error", "error": text, "serverTime": "2026-01-05T12:00:00.000Z"}
    assert type(error(READ, body)) is read
    found = error(WRITE, body)
    assert type(found) is write
    assert found.codes == (text,)
    assert found.venue == "futures"
    assert text in str(found)


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        pytest.param(92, "INSUFFICIENT_MARGIN", 500, InsufficientFunds, id="definite, although HTTP says 500"),
        pytest.param(92, "", 400, InsufficientFunds, id="by its code alone"),
        pytest.param(41, "would cause liquidation", 400, OrderRefused, id="41"),
        pytest.param(87, "contract does not exist", 400, BadRequest, id="87"),
        pytest.param(11, "Argument invalid: symbol", 400, BadRequest, id="11"),
        pytest.param(999, "WHO_KNOWS", 400, BadRequest, id="an unknown code, refused as a request"),
        pytest.param(999, "WHO_KNOWS", 500, OutcomeUnknown, id="an unknown code, failed inside"),
        pytest.param("92", "x", 400, InsufficientFunds, id="a code as text"),
    ],
)
def test_the_newer_envelope(code: Any, message: str, status: int, kind: type[ExchangeError]) -> None:
    body = {"status": "X", "result": "error", "errors": [{"code": code, "message": message}]}
    found = error(WRITE, body, status)
    assert type(found) is kind
    assert str(code) in found.codes


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("INVALID_PRICE", OrderRefused),
        ("MAX_POSITION_EXCEEDED", OrderRefused),
        ("INSUFFICIENT_CLOSING_MARGIN", InsufficientFunds),
        ("ORDER_FOR_CANCELLATION_NOT_FOUND", OrderNotFound),
        pytest.param("REJECTED_AFTER_EXECUTION", OutcomeUnknown, id="executed first"),
        ("insufficientAvailableFunds", InsufficientFunds),
        ("postWouldExecute", OrderRefused),
        ("orderForEditNotFound", OrderNotFound),
        ("wouldProcessAfterSpecifiedTime", OrderRefused),
    ],
)
def test_words_that_are_documented_for_orders_are_no_doubt(word: str, kind: type[ExchangeError], status: int) -> None:
    """Whichever envelope and HTTP status they come in: what was refused is not asked for as if it might stand."""
    for body in ({"error": word}, {"errors": [{"code": 7, "message": word}]}):
        assert type(error(WRITE, {"result": "error", **body}, status)) is kind
    assert is_known(word)


def test_a_word_about_an_order_says_nothing_of_a_whole_batch() -> None:
    call = attrs.evolve(WRITE, path="/derivatives/api/v3/batchorder")
    assert type(error(call, {"result": "error", "error": "invalidSize"})) is OutcomeUnknown
    executed = {"result": "error", "errors": [{"code": 7, "message": "REJECTED_AFTER_EXECUTION"}]}
    assert type(error(call, executed, 400)) is OutcomeUnknown


@pytest.mark.parametrize(
    ("status", "body", "headers", "read", "write"),
    [
        pytest.param(502, PAGE, {"content_type": "text/html"}, VenueUnavailable, OutcomeUnknown, id="gateway"),
        pytest.param(405, PAGE, {}, VenueUnavailable, OutcomeUnknown, id="maintenance page"),
        pytest.param(404, PAGE, {}, VenueUnavailable, OutcomeUnknown, id="page for 404"),
        pytest.param(200, PAGE, {}, ProtocolError, OutcomeUnknown, id="page with 200"),
        pytest.param(503, b"", {}, VenueUnavailable, OutcomeUnknown, id="empty 503"),
        pytest.param(403, b"blocked", {}, VenueUnavailable, OutcomeUnknown, id="403"),
        pytest.param(200, b"", {}, ProtocolError, OutcomeUnknown, id="empty 200"),
        pytest.param(200, b"[]", {}, ProtocolError, OutcomeUnknown, id="a list"),
        pytest.param(200, {"serverTime": "x"}, {}, ProtocolError, OutcomeUnknown, id="no result"),
        pytest.param(200, {"result": "error"}, {}, ProtocolError, OutcomeUnknown, id="an error without a word"),
        pytest.param(200, {"result": "error", "errors": "x"}, {}, ProtocolError, OutcomeUnknown, id="errors no list"),
        pytest.param(200, {"result": "success"}, {}, ProtocolError, OutcomeUnknown, id="success without its content"),
        pytest.param(500, {"status": "x"}, {}, VenueUnavailable, OutcomeUnknown, id="500 with other JSON"),
        pytest.param(401, b"no", {}, AuthenticationError, AuthenticationError, id="401"),
        pytest.param(429, b"slow down", {}, RateLimited, RateLimited, id="429 is a clear no"),
        pytest.param(429, {"result": "error", "errors": []}, {}, RateLimited, RateLimited, id="429 without a word"),
    ],
)
def test_what_is_no_envelope(
    status: int, body: Any, headers: dict[str, str], read: type[ExchangeError], write: type[ExchangeError]
) -> None:
    assert type(error(READ, body, status, **headers)) is read
    assert type(error(WRITE, body, status, **headers)) is write


def test_pages_are_not_quoted() -> None:
    assert "<" not in str(error(READ, PAGE, 502, content_type="text/html"))


def test_history_tells_when_its_tokens_are_back() -> None:
    found = error(HISTORY, b"limit", 429, rate_limit_reset="17")
    assert isinstance(found, RateLimited)
    assert found.retry_after == 17.0


@pytest.mark.parametrize("header", ["soon", "-1", "nan", "1e9", ""])
def test_a_strange_reset_is_none(header: str) -> None:
    found = error(HISTORY, b"limit", 429, rate_limit_reset=header)
    assert isinstance(found, RateLimited)
    assert found.retry_after is None


def test_history_refuses_a_bad_signature_in_its_own_words() -> None:
    body = {"reason": "You are not authorized to access this endpoint.", "status": "unauthorized"}
    found = error(HISTORY, body, 401)
    assert type(found) is AuthenticationError
    assert "not authorized" in str(found)


def test_charts_refuse_in_plain_text() -> None:
    found = error(CHARTS, b"Invalid resolution", 400)
    assert type(found) is BadRequest
    assert "Invalid resolution" in str(found)


def test_history_and_charts_answer_without_a_result() -> None:
    assert decode(HISTORY, {"elements": [], "len": 0}).elements == []
    assert decode(CHARTS, {"candles": [], "more_candles": False}).candles == []


def test_recorded_errors(captures: Path) -> None:
    lines = (captures / "futures/rest/errors.jsonl").read_bytes().splitlines()
    kinds = [type(error(READ, line, status)) for line, status in zip(lines, (400, 200, 404), strict=True)]
    assert kinds == [BadRequest, AuthenticationError, BadRequest]


TRANSFER = RestCall(method="POST", path="/derivatives/api/v3/transfer", private=True, changes_state=True)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("insufficientFunds", InsufficientFunds),
        ("notFound", BadRequest),
        ("marketUnavailable", BadRequest),
        ("invalidUnit", BadRequest),
        ("Unavailable", OutcomeUnknown),
    ],
)
def test_what_moves_money_or_settings_is_refused_in_no_words_about_orders(text: str, kind: type[ExchangeError]) -> None:
    assert type(error(TRANSFER, {"result": "error", "error": text})) is kind


def test_analytics_say_what_is_wrong_beside_a_result() -> None:
    body = {"result": {}, "errors": [{"severity": "E", "type": "Invalid", "msg": "interval is not one of ours"}]}
    found = error(CHARTS, body, 400)
    assert type(found) is BadRequest
    assert "interval is not one of ours" in str(found)
    assert isinstance(error(CHARTS, body, 200), VenueError)


def test_the_key_check_and_the_switch_of_a_sub_account_answer_without_a_result() -> None:
    for path in ("/api/auth/v1/api-keys/v3/check", "/derivatives/api/v3/subaccount/u/trading-enabled"):
        call = RestCall(method="GET", path=path, reply=dict, private=True)
        assert decode(call, {"tradingEnabled": True}) == {"tradingEnabled": True}
        assert type(error(call, {"error": "authenticationError"}, 401)) is AuthenticationError


def test_a_table_in_csv_is_handed_on_as_it_is_and_a_page_is_not() -> None:
    call = RestCall(method="GET", path="/api/history/v3/accountlogcsv", reply=bytes, private=True, base="history_url")
    assert decode(call, b"uid,dateTime\na,b\n") == b"uid,dateTime\na,b\n"
    assert isinstance(error(call, PAGE), ProtocolError)
    assert type(error(call, {"result": "error", "error": "authenticationError"})) is AuthenticationError


@given(st.binary() | st.text().map(str.encode), st.sampled_from([200, 400, 401, 404, 429, 500, 503]))
def test_no_answer_to_a_write_looks_like_it_did_not_happen_unless_the_venue_said_so(body: bytes, status: int) -> None:
    found = error(WRITE, body, status)
    said_no = {400: BadRequest, 404: BadRequest, 401: AuthenticationError, 429: RateLimited}
    assert type(found) in (said_no.get(status, OutcomeUnknown), OutcomeUnknown)


@given(st.binary())
def test_any_answer_to_a_read_is_an_exchange_error(body: bytes) -> None:
    assert isinstance(error(READ, body), ExchangeError)


@pytest.mark.parametrize(
    ("method", "endpoint", "level"),
    [
        ("GET", "openorders", "read access"),
        ("POST", "sendorder", "full access"),
        ("POST", "orders/status", "full access"),
        ("PUT", "leveragepreferences", "full access"),
        ("GET", "subaccount/abc/trading-enabled", "full access"),
        ("POST", "withdrawal", "withdrawal access"),
    ],
)
def test_a_refused_key_is_told_what_the_call_needs(method: str, endpoint: str, level: str) -> None:
    """The venue's one word stands for a wrong key, secret or address and for a lacking permission."""
    call = RestCall(method=method, path=f"/derivatives/api/v3/{endpoint}", reply=wire.OpenOrders, private=True)
    refused = error(call, {"result": "error", "error": "authenticationError"})
    assert f"lacks the {level}" in str(refused)
    assert (type(refused), refused.codes) == (AuthenticationError, ("authenticationError",))


def test_a_used_nonce_is_no_matter_of_access() -> None:
    assert "access" not in str(error(READ, {"result": "error", "error": "nonceDuplicate"}))
