"""The simulated exchange without ports: an httpx transport that hands requests to the wire protocol in process."""

from __future__ import annotations

import httpx

from exchange_core.connector.rest import HttpRequest
from exchange_core.connector.simulation import WireProtocol


class SimulatorTransport(httpx.AsyncBaseTransport):
    """Use as ``httpx.AsyncClient(transport=SimulatorTransport(protocol))``; hosts are not looked at."""

    def __init__(self, protocol: WireProtocol) -> None:
        self._protocol = protocol

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply = self._protocol.http(HttpRequest(request.method, request.url.raw_path.decode(), headers, body))
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body, request=request)
