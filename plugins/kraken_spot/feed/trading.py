"""Requests about orders over the private connection: frames out, and what their answers mean.

Answers have no channel and name their request by its number. A cancel of several orders would be answered once for
each, so several are always cancelled as a batch.
See https://docs.kraken.com/api/docs/websocket-v2/add_order and its neighbours
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from exchange_core.connector.feed import Question
from exchange_core.connector.rest import RestCall
from exchange_core.errors import ConfigError, ConnectFailed, ExchangeError, ProtocolError
from exchange_core.model.event import Answered, Event, Ignored
from kraken_spot.errors import error_for
from kraken_spot.orders.client_ids import is_same
from kraken_spot.wire import feed as wire_feed
from kraken_spot.wire import trading as wire

METHODS = frozenset(
    {
        "add_order",
        "amend_order",
        "edit_order",
        "cancel_order",
        "cancel_all",
        "cancel_all_orders_after",
        "batch_add",
        "batch_cancel",
    }
)

_MOST_ASKED = 10_000  # requests whose answers may still come
_SESSION = "ESession:Invalid session"
_encode = msgspec.json.Encoder().encode


class OrderResult(msgspec.Struct):
    """Of add_order, and one of a batch."""

    order_id: str | None = None
    error: str | None = None


class EditResult(msgspec.Struct):
    order_id: str
    original_order_id: str | None = None


class CountResult(msgspec.Struct):
    count: int


class Requests:
    """What was asked on one connection and is not answered yet.

    Args:
        number: Makes the number of a request, the next of all of this connection's.

    Attributes:
        is_session_lost: The venue said that it does not know the token any more.
    """

    def __init__(self, venue: str, number: Callable[[], int]) -> None:
        self.is_session_lost = False
        self._venue = venue
        self._number = number
        self._asked: dict[int, RestCall] = {}
        self._token: str | None = None

    def opened(self, token: str | None) -> None:
        """Start anew; what was asked before is not answered any more."""
        self.closed()
        self._token = token

    def closed(self) -> None:
        self._asked.clear()
        self._token = None
        self.is_session_lost = False

    def ask(self, call: RestCall) -> Question:
        """Write ``call.socket`` as a frame."""
        if call.socket is None or self._token is None:
            raise ConfigError(f"{self._venue}: {call.path} cannot go over a connection that is not logged in")
        number = self._number()
        params = {**call.socket.params, "token": self._token}
        frame = _encode({"method": call.socket.method, "params": params, "req_id": number}).decode()
        self._asked[number] = call
        if len(self._asked) > _MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        return Question(number, frame)

    def answered(self, response: wire_feed.Response) -> list[Event]:
        """Take the venue's word on a request. One without a number, or with one that is not known, tells nothing."""
        asked = None if response.req_id is None else self._asked.get(response.req_id)
        if asked is None or response.req_id is None:
            return [Ignored(kind=f"{response.method:.40} of nobody")]
        del self._asked[response.req_id]
        try:
            value = self._value(asked, response)
        except ExchangeError as error:
            return [Answered(request_id=response.req_id, error=error)]
        return [Answered(request_id=response.req_id, value=value)]

    def unreadable(self, number: object, error: ProtocolError) -> list[Event]:
        """Take an answer that does not read as documented.

        Raises:
            ProtocolError: The same, when it names no request.
        """
        if not isinstance(number, int) or self._asked.pop(number, None) is None:
            raise error
        return [Answered(request_id=number, error=error)]

    def _value(self, call: RestCall, response: wire_feed.Response) -> Any:
        """Return what the answer would be over REST.

        Raises:
            ExchangeError: The venue's refusal, or a ProtocolError.
        """
        assert call.socket is not None
        # First: what another request was refused for is no refusal of this one.
        if response.method != call.socket.method:
            raise ProtocolError(f"{self._venue}: {call.socket.method} was answered by {response.method:.40}")
        if response.success is False or response.error is not None:
            text = response.error or "refused without a reason"
            if text.startswith(_SESSION):
                # It was not looked at: the key is as good as before, and REST takes it.
                self.is_session_lost = True
                raise ConnectFailed(f"{self._venue}: {call.path}: {text}", venue=self._venue, codes=[text])
            raise error_for([text], call, None, self._venue)
        if _is_of_another(response.method, call.socket.params, response.result):
            # Nothing else shows that the number was damaged on its way, and the wrong order would get this one's id.
            raise ProtocolError(f"{self._venue}: the answer to {response.method} names another order")
        try:
            return _READ[response.method](response)
        except msgspec.ValidationError as error:
            raise ProtocolError(f"{self._venue}: answer to {response.method}: {error}") from error


_ECHOES = {
    "add_order": {"cl_ord_id": "cl_ord_id"},
    "amend_order": {"cl_ord_id": "cl_ord_id", "order_id": "order_id"},
    "edit_order": {"order_id": "original_order_id"},
    "cancel_order": {"cl_ord_id": "cl_ord_id", "order_id": "order_id"},
}
"""Which ids of a request its answer may repeat, and by what name."""


def _is_of_another(method: str, asked: Mapping[str, Any], told: object) -> bool:
    """Return whether an answer repeats an id that was not asked about."""
    if method == "batch_add" and isinstance(told, list):
        return any(_is_of_another("add_order", *each) for each in zip(asked.get("orders", ()), told, strict=False))
    if not isinstance(told, dict):
        return False
    for name, echo in _ECHOES.get(method, {}).items():
        ours, theirs = asked.get(name), told.get(echo)
        if isinstance(ours, list):  # a cancel, of one
            ours = ours[0]
        if isinstance(ours, str) and isinstance(theirs, str) and not is_same(ours, theirs):
            return True
    return False


def _added(response: wire_feed.Response) -> wire.Added:
    result = msgspec.convert(response.result, OrderResult)
    return wire.Added(txid=[result.order_id] if result.order_id else [])


def _amended(response: wire_feed.Response) -> wire.Amended:
    return msgspec.convert(response.result, wire.Amended)


def _edited(response: wire_feed.Response) -> wire.Edited:
    result = msgspec.convert(response.result, EditResult)
    return wire.Edited(txid=result.order_id, originaltxid=result.original_order_id)


def _canceled_one(response: wire_feed.Response) -> wire.Canceled:
    msgspec.convert(response.result, dict[str, Any])
    return wire.Canceled(count=1)


def _canceled(response: wire_feed.Response) -> wire.Canceled:
    # Documented in the result; recorded at the top.
    if response.orders_cancelled is not None:
        return wire.Canceled(count=response.orders_cancelled)
    return wire.Canceled(count=msgspec.convert(response.result, CountResult).count)


def _switched(response: wire_feed.Response) -> wire.CancelAllAfter:
    return msgspec.convert(response.result, wire.CancelAllAfter)


def _batch(response: wire_feed.Response) -> wire.Batch:
    # Open point: how one that failed by itself looks; an error or no id, then.
    results = msgspec.convert(response.result, list[OrderResult])
    return wire.Batch(orders=[wire.BatchItem(txid=one.order_id, error=one.error) for one in results])


_READ: dict[str, Callable[[wire_feed.Response], Any]] = {
    "add_order": _added,
    "amend_order": _amended,
    "edit_order": _edited,
    "cancel_order": _canceled_one,
    "cancel_all": _canceled,
    "cancel_all_orders_after": _switched,
    "batch_add": _batch,
    "batch_cancel": _canceled,
}
