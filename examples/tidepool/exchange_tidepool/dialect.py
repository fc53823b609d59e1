"""How Tidepool's calls and answers are written: JSON bodies or queries out, JSON in."""

from typing import Any
from urllib.parse import urlencode

from exchange_core.connector.rest import HttpReply, HttpRequest, RestCall
from exchange_core.connector.spec import VenueContext
from exchange_tidepool import wire
from exchange_tidepool.errors import error_of


def encode(call: RestCall) -> HttpRequest:
    params = {name: value for name, value in call.params.items() if value is not None}
    if call.json:
        return HttpRequest(call.method, call.path, {"Content-Type": "application/json"}, wire.write(params).encode())
    return HttpRequest(call.method, f"{call.path}?{urlencode(params)}" if params else call.path, {})


class TidepoolDialect:
    """Writes requests, reads answers."""

    def __init__(self, context: VenueContext) -> None:
        self._venue = context.venue

    def encode(self, call: RestCall) -> HttpRequest:
        return encode(call)

    def decode(self, call: RestCall, reply: HttpReply) -> Any:
        if reply.status != 200:
            raise error_of(call, reply, self._venue)
        return wire.read(reply.body, call.reply)
