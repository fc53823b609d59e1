"""No secret gets through, wherever it stands, and nothing else is touched."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.storage.scrub import NO_NONCE, SCRUBBED, Scrubber, is_secret

# With the signs that base64 has, and that forms, addresses and JSON write in their own ways.
SECRET = "kQ/7+secret/value+of/the=account=="

FIELDS = (
    *("api_key", "apiKey", "api_secret", "api_sign", "nonce", "original_challenge", "signed_challenge", "token"),
    *("otp", "password", "passphrase", "signature", "private_key", "privateKey", "websocketToken", "listenKey"),
)
HEADERS = (
    *("API-Key", "API-Sign", "APIKey", "Authent", "Nonce", "Authorization", "Cookie", "Set-Cookie", "X-Auth-Token"),
    *("CF-Access-Client-Secret", "KC-API-SIGN", "X-MBX-APIKEY", "kc-api-passphrase"),
)


@pytest.mark.parametrize("name", [*FIELDS, *HEADERS])
def test_what_holds_a_secret_is_known_by_name(name: str) -> None:
    assert is_secret(name)
    assert is_secret(name.upper())


@pytest.mark.parametrize(
    "name",
    [
        *("symbol", "pair", "cl_ord_id", "cliOrdId", "orderId", "txid", "volume", "announcement", "asset", "message"),
        *(
            "continuation_token",
            "continuationToken",
            "next-continuation-token",
            "Content-Type",
            "checksum",
            "connection_id",
            "sequence",
        ),
    ],
)
def test_what_holds_none_is_left(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_keeps_its_name_only(name: str) -> None:
    assert Scrubber().headers({name: SECRET, "Content-Type": "application/json"}) == {
        name: SCRUBBED,
        "Content-Type": "application/json",
    }


def nested(field: str) -> dict[str, Any]:
    return {"a": 1, field: SECRET, "list": [{"deep": {field: SECRET, "b": "c=d"}}]}


PLACES = {
    "form": lambda field: f"a=1&{field}={quote_plus(SECRET)}&b=2",
    "form that begins with it": lambda field: f"{field}={quote_plus(SECRET)}",
    "form that is not encoded": lambda field: f"a=1&{field}={SECRET}",
    "address": lambda field: f"https://host/path?a=1&{field}={quote(SECRET, safe='')}#end",
    "JSON": lambda field: json.dumps(nested(field)),
    "JSON with blanks": lambda field: json.dumps(nested(field), indent=2),
    "JSON with escaped slashes": lambda field: json.dumps(nested(field)).replace("/", "\\/"),
    "JSON with an escaped name": lambda field: f'{{"\\u{ord(field[0]):04x}{field[1:]}": {json.dumps(SECRET)}}}',
    "JSON in an array": lambda field: json.dumps([nested(field)]),
    "JSON in JSON": lambda field: json.dumps({"raw": json.dumps(nested(field))}),
    "JSON in JSON in JSON": lambda field: json.dumps({"raw": json.dumps({"raw": json.dumps(nested(field))})}),
    "JSON in a form": lambda field: urlencode({"nonce": 1, "json": json.dumps(nested(field))}),
    "a form in JSON": lambda field: json.dumps({"body": f"a=1&{field}={quote_plus(SECRET)}"}),
    "JSON that breaks off": lambda field: json.dumps(nested(field))[:-1],
    "JSON that breaks off in the secret": lambda field: f'{{"{field}":"{SECRET}',
    "JSON with a lost quote": lambda field: f'{{"a":"b"c","{field}":"{SECRET}"}}',
    "an object": lambda field: json.dumps({field: {"value": SECRET}}),
    "a list": lambda field: json.dumps({field: [SECRET, 1.5]}),
    "a page": lambda field: f'<html><a href="/x?{field}={SECRET}">go</a><script>{json.dumps(nested(field))}</script>',
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_found(place: str, field: str) -> None:
    text = PLACES[place](field)
    scrubbed = Scrubber().text(text)
    for spelling in (SECRET, quote_plus(SECRET), SECRET.replace("/", "\\/"), "secret/value", "secret%2Fvalue"):
        assert spelling not in scrubbed
    assert SCRUBBED in scrubbed


@pytest.mark.parametrize("value", ["17", "-1.5e3", '"17"', '"with \\"quotes\\" and \\\\"', "[1, 2]", '{"a": {}}'])
def test_any_kind_of_value_is_replaced(value: str) -> None:
    assert Scrubber().text(f'{{"nonce": {value}, "a": 1.50}}') == f'{{"nonce": "{SCRUBBED}", "a": 1.50}}'


@pytest.mark.parametrize("value", ["null", "true", "false"])
def test_what_can_be_no_secret_stays(value: str) -> None:
    assert Scrubber().text(f'{{"token": {value}}}') == f'{{"token": {value}}}'


@pytest.mark.parametrize(
    "text",
    [
        '{"KEY":{"aclass":"currency","altname":"KEY","decimals":5},"OTP":{"aclass":"currency"}}',
        '{"COOKIE":{"balance":"14.50385601","hold_trade":"0.00000"},"TOKEN":"0.0000000000","KEY":12.5}',
        '{"result":{"TOKENUSD":{"asks":[["0.01","5"]]},"TOKEN/USD":[1]}}',
    ],
)
def test_assets_that_are_called_like_secrets_are_left(text: str) -> None:
    """Kraken lists KEY, COOKIE, OTP and TOKEN."""
    assert Scrubber().text(text) == text


@pytest.mark.parametrize("name", ["KEY", "TOKEN", "OTP", "NONCE", "SECRET"])
def test_a_secret_in_capitals_is_none_of_those(name: str) -> None:
    assert Scrubber().text(f'{{"{name}":"{SECRET}"}}') == f'{{"{name}":"{SCRUBBED}"}}'
    assert Scrubber().text(f'{{"{name}":"123456"}}') == f'{{"{name}":"{SCRUBBED}"}}'
    inside = f'{{"{name}":{{"token":"{SECRET}"}}}}'
    assert SECRET not in Scrubber().text(inside)


KEY_INFO = {"apiKeyName": "my key", "apiKey": SECRET, "nonce": "1767225600000000000", "nonceWindow": 5, "iban": "AA1"}


@pytest.mark.parametrize("names", [KEY_INFO, ["api_key_name", "api_key", "nonce", "nonce_window", "iban"]])
def test_what_tells_of_the_key_keeps_its_form(names: Any) -> None:
    """Who reads it expects whole numbers where nonces are; which they were is nobody's business."""
    told = dict(zip(names, KEY_INFO.values(), strict=True))
    scrubbed = json.loads(Scrubber().text(json.dumps({"error": [], "result": told})))["result"]
    assert [*scrubbed.values()] == [SCRUBBED, SCRUBBED, NO_NONCE, 5, "AA1"]
    assert [*scrubbed] == [*names]


@pytest.mark.parametrize("nonce", ["12 34", SECRET, ["1"], {"a": 1}, "-1", "1.5"])
def test_only_a_whole_number_is_replaced_by_one(nonce: Any) -> None:
    scrubbed = Scrubber().text(json.dumps({"apiKeyName": "mine", "nonce": nonce}))
    assert json.loads(scrubbed) == {"apiKeyName": SCRUBBED, "nonce": SCRUBBED}


def test_a_nonce_elsewhere_is_replaced_as_any_secret() -> None:
    assert Scrubber().text('{"nonce":"17"}') == f'{{"nonce":"{SCRUBBED}"}}'


@pytest.mark.parametrize(
    "frame",
    ['{"event":"challenge","message":"a-b-c"}', '{ "message" : "a-b-c", "event" : "challenge" }'],
)
def test_a_challenge_is_scrubbed_in_the_frame_that_brings_it(frame: str) -> None:
    assert Scrubber().text(frame) == frame.replace("a-b-c", SCRUBBED)


def test_other_messages_are_left() -> None:
    frame = '{"event":"alert","message":"Failed to subscribe to authenticated feed"}'
    assert Scrubber().text(frame) == frame


def test_an_address_loses_user_and_password() -> None:
    assert Scrubber().text("https://user:pass@host/a@b?c=d@e") == f"https://{SCRUBBED}@host/a@b?c=d@e"


@pytest.mark.parametrize(
    "text",
    [
        '{"price":61008.0,"qty":0.00000000,"premium":-0.0,"tick":1e-08,"id":18446744073709551615}',
        '{"channel":"executions","data":[{"cum_cost":2520.00000,"reason":"a=b & c"}]}',
        "pair=XBTUSD&type=buy&ordertype=limit&volume=0.01&price=83000&deadline=2026-01-01T00%3A01%3A20.000Z",
        "json=%7B%22batchOrder%22%3A%5B%7B%22order%22%3A%22send%22%7D%5D%7D",
        "https://futures.kraken.com/api/history/v3/orders?since=1767225625000&continuation_token=c3RvcA%3D%3D",
        '{"continuationToken":"c3RvcA=="}',
        "<html><head><title>502 Bad Gateway</title></head></html>",
        "",
    ],
)
def test_what_holds_no_secret_stays_to_the_last_digit(text: str) -> None:
    assert Scrubber().text(text) == text


def test_json_stays_json_and_only_the_secret_changes() -> None:
    text = '{"a": 1.50 ,"token":"' + SECRET + '" , "b": [1e-08, "x\\u00e9"]}'
    assert Scrubber().text(text) == text.replace(SECRET, SCRUBBED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(SECRET),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=6), inner, max_size=3)
        | inner.map(json.dumps)
    ),
    max_leaves=12,
)


def leaks(value: Any, *, named: bool = False) -> bool:
    """Return whether a text stands under a secret name, nested JSON included."""
    if isinstance(value, dict):
        return any(leaks(item, named=named or is_secret(name)) for name, item in value.items())
    if isinstance(value, list):
        return any(leaks(item, named=named) for item in value)
    if isinstance(value, str):
        try:
            return leaks(json.loads(value), named=named)
        except ValueError:
            pass
    return named and value is not None and not isinstance(value, bool) and value != SCRUBBED


@given(JSON)
def test_whatever_stands_under_a_secret_name_is_gone(value: Any) -> None:
    scrubbed = Scrubber().text(json.dumps({"value": value}))
    assert not leaks(json.loads(scrubbed))


@given(st.text(max_size=60) | JSON.map(json.dumps))
def test_to_scrub_twice_changes_nothing_more(text: str) -> None:
    once = Scrubber().text(text)
    assert Scrubber().text(once) == once


def test_what_is_nested_beyond_sense_is_not_kept() -> None:
    text = f"token={SECRET}"
    for _ in range(50):
        text = f"a={quote_plus(text)}"
    scrubbed = Scrubber().text(text)
    assert scrubbed.endswith(SCRUBBED)
    assert "secret" not in scrubbed


@pytest.mark.parametrize(
    "met",
    [
        lambda scrubber: scrubber.headers({"API-Key": SECRET}),
        lambda scrubber: scrubber.headers({"Authorization": f"Bearer {SECRET}"}),
        lambda scrubber: scrubber.headers({"Cookie": f"session={SECRET}"}),
        lambda scrubber: scrubber.text(f"token={quote_plus(SECRET)}"),
        lambda scrubber: scrubber.text(json.dumps({"result": {"token": SECRET}})),
        lambda scrubber: scrubber.text(json.dumps({"token": {"value": [SECRET]}})),
    ],
)
def test_a_secret_that_was_met_is_taken_out_under_any_name(met: Any) -> None:
    scrubber = Scrubber()
    met(scrubber)
    for spelling in (SECRET, quote_plus(SECRET), quote(SECRET, safe=""), SECRET.replace("/", "\\/")):
        assert scrubber.known(f'{{"error":["EAPI:Invalid key:{spelling}"]}}') == (
            f'{{"error":["EAPI:Invalid key:{SCRUBBED}"]}}'
        )


def test_a_secret_that_was_given_is_taken_out_under_any_name() -> None:
    assert Scrubber([SECRET]).known(f"echo {SECRET}") == f"echo {SCRUBBED}"
    assert SECRET not in repr(Scrubber([SECRET]))


def test_the_domain_of_a_cookie_is_no_secret() -> None:
    scrubber = Scrubber()
    scrubber.headers({"Set-Cookie": "__cf_bm=0123456789abcdef; path=/; domain=.kraken.com; HttpOnly"})
    assert scrubber.known("https://api.kraken.com 0123456789abcdef") == f"https://api.kraken.com {SCRUBBED}"


def test_numbers_and_short_words_are_no_secrets_elsewhere() -> None:
    scrubber = Scrubber()
    scrubber.text('{"nonce":1767225600000000000,"token":"buy","password":"currency"}')
    assert scrubber.known("1767225600000000000 buy currency") == "1767225600000000000 buy currency"
