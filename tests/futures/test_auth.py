"""Signatures against vectors: Kraken's own for the challenge, recomputed ones for REST."""

import base64
import hashlib
import logging
import traceback

import pytest

from exchange_core.connector.auth import Credentials
from exchange_core.connector.rest import RestCall
from exchange_core.errors import ConfigError
from kraken_futures import plugin
from kraken_futures.auth import FuturesSigner, digest
from kraken_futures.config import FuturesConfig

NONCE = 1415957147987
API = "/derivatives/api/v3/"

BATCH = (
    '{"batchOrder":[{"order":"send","order_tag":"1","orderType":"lmt","symbol":"PF_XBTUSD","side":"buy",'
    '"size":0.0001,"limitPrice":1000},{"order":"cancel","order_id":"e35d61dd-8a30-4d5f-a574-b5593ef0c050"}]}'
)
BATCH_FORM = (
    "json=%7B%22batchOrder%22%3A%5B%7B%22order%22%3A%22send%22%2C%22order_tag%22%3A%221%22%2C%22orderType%22%3A%22lmt"
    "%22%2C%22symbol%22%3A%22PF_XBTUSD%22%2C%22side%22%3A%22buy%22%2C%22size%22%3A0.0001%2C%22limitPrice%22%3A1000%7D"
    "%2C%7B%22order%22%3A%22cancel%22%2C%22order_id%22%3A%22e35d61dd-8a30-4d5f-a574-b5593ef0c050%22%7D%5D%7D"
)
ORDER = {
    "orderType": "lmt",
    "symbol": "PF_XBTUSD",
    "side": "buy",
    "size": "0.0001",
    "limitPrice": "1000",
    "cliOrdId": "demo-1",
}


def call(method: str, path: str, **params: object) -> RestCall:
    return RestCall(method=method, path=path, params=params, private=True)


@pytest.mark.parametrize(
    ("request_", "nonce", "sent", "sha256", "authent"),
    [
        pytest.param(
            call("GET", API + "accounts"),
            NONCE,
            "",
            "853a2e15be60d21b9b8929e246308fdab82e4bba4f43c85c0bc33bce20aed2f1",
            "ar47HmgHaRy9Sx4pgny8d0JvjsPmPE1vDPwEb2c+42WPpLtRI4xcLAppaweKMoTpyJQxYZEPqCM5LK5SDaPdBA==",
            id="R1: nothing but nonce and path, without /derivatives",
        ),
        pytest.param(
            call("GET", API + "accounts"),
            None,
            "",
            "27c858d173e80e32db35305eb19b5e91d10d0a29e79231c58feef0395e1099eb",
            "gF9iu/gh5ia5pNW4Ljh2bVCMh+kDiJcge73pOkpBG+c5eJUmWgHY0zMkMXkvOHb9RnCWKKfzg6lCzyYYI95+Jg==",
            id="R2: without a nonce",
        ),
        pytest.param(
            call("GET", API + "fills", lastFillTime="2024-01-15T12:00:00.000Z"),
            NONCE,
            "lastFillTime=2024-01-15T12%3A00%3A00.000Z",
            "08e83a665014b8e01eb511f946de5f67a27408cb97e941cb6ede864d401aa3ec",
            "yVAzRKKfvXEZqcGF7uW0J0BzP3BCgzbuEwijG1FXUtKObD4drt0je/RcBI1dwYLAzcDq5gPZd9dhC1nSs3Hu0Q==",
            id="R3: a query, encoded",
        ),
        pytest.param(
            call("POST", API + "sendorder", **ORDER),
            NONCE,
            "orderType=lmt&symbol=PF_XBTUSD&side=buy&size=0.0001&limitPrice=1000&cliOrdId=demo-1",
            "5107cf6562516d69e9e41ec97b3f73299b4acd495938351308a6c670c10acf3a",
            "EsGq65qJGxRXJ/9DsKG642RvJfIohrZDUgHAKaBeIhZtJTTTaKl0ZCrvRVVvYg06GmCG7xNYENKV1h45nABOBQ==",
            id="R4: a form",
        ),
        pytest.param(
            call("POST", API + "sendorder", greeting="hello world"),
            NONCE,
            "greeting=hello%20world",
            "bcb8fae897ed9678ea84b41155e66d227df0b5244bac006a18aa1b916f0d0ee1",
            "5zE/jEyogxfvh0fsa+wsYFZqfZCD4kXdY/A1hOgoHYCKbW+bZet/pe8h89LNjM09xtBo/wy/GmSjHyfJyAGhCQ==",
            id="R5: a blank is %20",
        ),
        pytest.param(
            call("GET", "/api/history/v3/executions", since=1690000000000, sort="asc"),
            NONCE,
            "since=1690000000000&sort=asc",
            "3e7b7460c97ef748c883fe935a442c8bf583caacdd6537df96da4c7f67f0d29a",
            "o6t6tk59XrH4nDWN/JTtDfGuHQafNFAMqt1vaq8+CePKS1GflPigzE3OnBpkB1ShKA+TCoxFdylA4qWGCrEUAQ==",
            id="R6: history keeps its whole path",
        ),
        pytest.param(
            call("PUT", API + "leveragepreferences", symbol="PF_XBTUSD", maxLeverage=10),
            NONCE,
            "symbol=PF_XBTUSD&maxLeverage=10",
            "ce644f96bac13ee1790bee2d4091fcec3dc01125b6521fd20cc6ec1e62018cb2",
            "A6pb7IwGkQcqkq1zFFl1XL7QDOKB9I3/L0YyLvEUvVrpXP86BpnBNFN0Ccw7jP42sJSJnSoKpDTl/fBT67+VGQ==",
            id="R7: PUT",
        ),
        pytest.param(
            call("POST", API + "batchorder", json=BATCH),
            NONCE,
            BATCH_FORM,
            "231727d003eacee35819e9839ccc0164710b55d3a796dd77a0fbd8e4745b37ec",
            "CYDT8gO5ybfXoXIe8V3M41tqWOwo+aH5dfOcvDtXuSku80/fg/Q792oqtsdPZCk9F6Uk4hnevFWfi6H/Pbl1tQ==",
            id="R8: JSON inside a form, no character spared",
        ),
    ],
)
def test_a_call_is_signed_over_what_is_sent(
    signer: FuturesSigner, request_: RestCall, nonce: int | None, sent: str, sha256: str, authent: str
) -> None:
    signed = signer.sign(request_, nonce)
    on_the_wire = signed.target.partition("?")[2] if request_.method == "GET" else signed.body.decode()
    assert on_the_wire == sent
    assert digest(on_the_wire, "" if nonce is None else str(nonce), request_.path).hex() == sha256
    assert signed.headers["Authent"] == authent
    assert signed.headers["APIKey"] == "the-key"
    assert signed.headers.get("Nonce") == (None if nonce is None else str(nonce))


def test_r5x_the_decoded_text_gives_another_signature() -> None:
    """The way that was announced to end in 2025; only its difference is of interest."""
    found = digest("greeting=hello world", str(NONCE), API + "sendorder")
    assert found.hex() == "6b10b937647f3bbdc59df6f9841f48e6292b04bcda4f6028e14214fe9c34048f"


def test_the_documented_challenge_is_signed_as_documented(signer: FuturesSigner) -> None:
    assert (
        signer.sign_challenge("c100b894-1729-464d-ace1-52dbce11db42")
        == "4JEpF3ix66GA2B+ooK128Ift4XQVtc137N9yeg4Kqsn9PI0Kpzbysl9M1IeCEdjg0zl00wkVqcsnG4bmnlMb3A=="
    )


def test_only_derivatives_is_taken_off_the_path() -> None:
    assert digest("", "", "/derivatives/api/v3/x") == hashlib.sha256(b"/api/v3/x").digest()
    assert digest("", "", "/api/derivatives/x") == hashlib.sha256(b"/api/derivatives/x").digest()


def test_a_form_is_declared_as_one(signer: FuturesSigner) -> None:
    signed = signer.sign(call("POST", API + "sendorder", **ORDER), 1)
    assert signed.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert signed.target == API + "sendorder"


def test_lists_repeat_their_key_none_is_left_out_and_booleans_are_lower_case(signer: FuturesSigner) -> None:
    signed = signer.sign(call("POST", API + "orders/status", orderIds=["a", "b"], cliOrdIds=None, reduceOnly=True), 1)
    assert signed.body == b"orderIds=a&orderIds=b&reduceOnly=true"


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("rttp4Azw" + "A" * 81, id="broken padding"),
        pytest.param("not base64 at all, not at all!", id="other characters"),
        pytest.param("YWJj\nYWJj", id="a line break"),
    ],
)
def test_a_damaged_secret_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ConfigError, match="api_secret") as caught:
        plugin.KRAKEN_FUTURES.signer(Credentials(api_key="k", api_secret=secret), FuturesConfig())
    assert secret not in "".join(traceback.format_exception(caught.value))


def test_nothing_shows_the_key_or_the_secret(signer: FuturesSigner, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    signed = signer.sign(call("GET", API + "accounts"), 1)
    secret, key = signer.secrets()
    shown = f"{signer!r} {signer} {signed!r} {caplog.text}"
    assert base64.b64decode(secret)
    assert secret not in shown
    assert key not in shown


@pytest.mark.parametrize("use_nonce", [True, False])
def test_the_config_decides_about_nonces(use_nonce: bool) -> None:
    credentials = Credentials(api_key="k", api_secret="YWJj")
    signer = plugin.KRAKEN_FUTURES.signer(credentials, FuturesConfig(use_nonce=use_nonce))
    assert signer.needs_nonce is use_nonce
