"""Sign the way Tidepool wants it: HMAC-SHA256, in hex, keyed with the API secret.

A REST call signs nonce, method, target and body; a WebSocket connection signs the challenge it is greeted with.
"""

import hmac

from exchange_core.connector.auth import Credentials
from exchange_core.connector.rest import HttpRequest, RestCall
from exchange_tidepool.dialect import encode


class TidepoolSigner:
    """Signs for one account."""

    needs_nonce = True

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    @property
    def public_key(self) -> str:
        return self._credentials.api_key

    def sign(self, call: RestCall, nonce: int | None) -> HttpRequest:
        request = encode(call)
        headers = {
            **request.headers,
            "Tide-Key": self.public_key,
            "Tide-Nonce": str(nonce),
            "Tide-Sign": signature(self._credentials.api_secret, signed_text(str(nonce), request)),
        }
        return request._replace(headers=headers)

    def sign_challenge(self, challenge: str) -> str:
        return signature(self._credentials.api_secret, challenge_text(challenge))

    def secrets(self) -> tuple[str, ...]:
        return (self._credentials.api_key, self._credentials.api_secret)


def signature(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, "sha256").hexdigest()


def signed_text(nonce: str, request: HttpRequest) -> bytes:
    return f"{nonce} {request.method} {request.target} ".encode() + request.body


def challenge_text(challenge: str) -> bytes:
    return f"hello {challenge}".encode()
