"""Run an operation call by call, and let its errors say no more than is known of its writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from exchange_core.connector.rest import Flow, RestCall
from exchange_core.errors import ExchangeError, OutcomeUnknown, ProtocolError, TransportError

T = TypeVar("T")
E = TypeVar("E", bound=ExchangeError)


async def run_flow(
    flow: Flow[T],
    answer: Callable[[RestCall], Awaitable[Any]],
    unknown: Callable[[str, Exception], OutcomeUnknown],
    writes: list[RestCall] | None = None,
) -> T:
    """Make each call that *flow* asks for; return what it returns.

    Errors of a call are raised inside of the flow, which may handle them. What leaves the flow has in ``done`` what
    was written before it.

    Args:
        answer: Makes one call.
        unknown: Makes the error for a write, which it is given the name of, whose outcome is not known.
        writes: Gets each write that is asked for, before it is made.
    """
    written: list[tuple[str, Any]] = []
    # Whether the last write may be just what the flow makes an error of.
    judging = False
    try:
        call = next(flow)
        while True:
            if writes is not None and call.changes_state:
                writes.append(call)
            try:
                value = await answer(call)
            except ExchangeError as error:
                judging = False
                call = flow.throw(error)
            else:
                judging = call.changes_state
                if judging:
                    written.append((f"{call.method} {call.path}", value))
                call = flow.send(value)
    except StopIteration as done:
        result: T = done.value
        return result
    except Exception as error:
        # The venue took a write of this flow: what went wrong after that says nothing of the write.
        unusable = isinstance(error, ProtocolError | TransportError) or not isinstance(error, ExchangeError)
        if written and unusable and not isinstance(error, OutcomeUnknown):
            raise _after(written, unknown(written[-1][0], error)) from error
        if isinstance(error, ExchangeError):
            _after(written[:-1] if judging else written, error)
        raise
    finally:
        flow.close()


def _after(written: Sequence[tuple[str, Any]], error: E) -> E:
    """Return *error*, which says that the writes before it stand."""
    if written:
        error.done = tuple(written)
        error.add_note(f"done before this, and not undone: {', '.join(what for what, _ in written)}")
    return error
