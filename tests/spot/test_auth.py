"""Signatures are Kraken's own worked example, and secrets stay where they are."""

from __future__ import annotations

import base64
from decimal import Decimal

import pytest

from exchange_core.connector.auth import Credentials
from exchange_core.connector.rest import RestCall
from exchange_core.errors import ConfigError, NotSupported
from kraken_spot.auth import KrakenSpotSigner, form, public_request, signature

# The example key that Kraken's documentation prints.
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
NONCE = 1616492376594

ORDER = {"ordertype": "limit", "pair": "XBTUSD", "price": "37500", "type": "buy", "volume": "1.25"}
STOP = {
    "ordertype": "stop-loss-limit",
    "pair": "XBTUSD",
    "price": "+5.0%",
    "price2": "-10",
    "type": "sell",
    "volume": "1.25",
    "close[ordertype]": "limit",
    "close[price]": "40000",
}


@pytest.fixture
def signer() -> KrakenSpotSigner:
    return KrakenSpotSigner(Credentials(api_key="the-key", api_secret=SECRET))


def private(path: str, params: dict[str, str], *, json: bool = False) -> RestCall:
    return RestCall(method="POST", path=path, params=params, private=True, json=json)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(
            private("/0/private/AddOrder", ORDER),
            "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
            id="the documentation's example",
        ),
        pytest.param(
            private("/0/private/Balance", {}),
            "1nH4vwR+8FHiYh1QT649xXkGd3JR3x0DWkgv3u9Ed/Qqv6KPtgQpEU4m+Emb/VgpEji3j1XNwI+HCbfXxmrTOg==",
            id="nothing but the nonce",
        ),
        pytest.param(
            private("/0/private/AddOrder", ORDER, json=True),
            "r/o+GpKxXjV/mls/r5CKLu5R+yzK5psqvQ4hXxMX1nzdxTBhV+ui82QGgPZMMitpFwCOAdPEZMmXgZxD2chJEg==",
            id="a JSON body",
        ),
        pytest.param(
            private("/0/private/AddOrder", STOP),
            "0VguuRYRPHo7JfcaEk7lK6ISJaPFWShBTWRV8MGSZDfW8iesApSqjkcrLO0wKywPTc0GyG1napeQ8rd67P41Rw==",
            id="signs that forms must escape",
        ),
    ],
)
def test_signature(signer: KrakenSpotSigner, call: RestCall, expected: str) -> None:
    request = signer.sign(call, NONCE)
    assert request.headers["API-Sign"] == expected
    assert request.headers["API-Key"] == "the-key"
    assert (request.method, request.target) == ("POST", call.path)


def test_the_nonce_may_be_a_number_in_json() -> None:
    """What is hashed before the body is its digits, however the body writes it."""
    secret = base64.b64decode(SECRET)
    expected = "ZVxRwNS9zIRhbpUb8yixCnTByWFw2zyehNjZaXEL5we8API+r8c+DBmgFxxnKoY+TaJXx0NSYhsaAexZm62elg=="
    assert signature(secret, "/0/private/Balance", NONCE, b'{"nonce":1616492376594}') == expected


def test_the_signed_bytes_are_the_sent_bytes(signer: KrakenSpotSigner) -> None:
    request = signer.sign(private("/0/private/AddOrder", ORDER), NONCE)
    assert request.body == (b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    again = signature(base64.b64decode(SECRET), "/0/private/AddOrder", NONCE, request.body)
    assert request.headers["API-Sign"] == again
    assert signer.sign(private("/0/private/AddOrder", ORDER, json=True), NONCE).headers["Content-Type"] == (
        "application/json"
    )


def test_a_private_call_needs_a_nonce(signer: KrakenSpotSigner) -> None:
    assert signer.needs_nonce
    with pytest.raises(ConfigError, match="nonce"):
        signer.sign(private("/0/private/Balance", {}), None)


def test_forms_are_written_as_kraken_reads_them() -> None:
    params = {"a": True, "b": False, "txid": ["A", "B"], "volume": Decimal("1E-8"), "ofs": 50, "price": "+5%"}
    assert form(params) == "a=true&b=false&txid=A%2CB&volume=0.00000001&ofs=50&price=%2B5%25"


def test_public_parameters_are_the_query_and_none_is_left_out() -> None:
    request = public_request(RestCall(method="GET", path="/0/public/Depth", params={"pair": "XBTUSD", "count": None}))
    assert request.target == "/0/public/Depth?pair=XBTUSD"
    assert not request.body
    assert public_request(RestCall(method="GET", path="/0/public/Assets")).target == "/0/public/Assets"


@pytest.mark.parametrize(
    "secret",
    ["not base64!", SECRET + "\n", SECRET[:-1], SECRET[:40] + " " + SECRET[40:], "kQH5HW_8p1uG", "ünïcode=", "===="],
)
def test_a_malformed_secret_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ConfigError, match="api_secret") as refused:
        KrakenSpotSigner(Credentials(api_key="k", api_secret=secret))
    assert secret not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("key", ["a key", "key\r\nAPI-Sign: x", "kéy"])
def test_a_malformed_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigError, match="api_key") as refused:
        KrakenSpotSigner(Credentials(api_key=key, api_secret=SECRET))
    assert key not in str(refused.value)


def test_secrets_never_show(signer: KrakenSpotSigner) -> None:
    call = private("/0/private/AddOrder", ORDER)
    request = signer.sign(call, NONCE)
    shown = f"{signer!r} {signer} {request!r} {call!r}"
    assert SECRET not in shown
    assert "the-key" not in shown
    assert request.headers["API-Sign"] not in shown
    assert set(signer.secrets()) == {SECRET, "the-key"}


def test_there_is_no_challenge_to_sign(signer: KrakenSpotSigner) -> None:
    with pytest.raises(NotSupported, match="kraken_spot"):
        signer.sign_challenge("x")
    assert signer.public_key == "the-key"
