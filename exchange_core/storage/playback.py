"""Play cassettes back in place of a venue: nothing is sent, and what departs from the recording is an error.

Only what can be no part of a cassette is not compared: the values of keys, nonces, signatures and tokens. They must be
there where they were when it was recorded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exchange_core.connector.feed import Feed
from exchange_core.errors import ConfigError
from exchange_core.model.event import Event
from exchange_core.storage.recording import Frame
from exchange_core.storage.scrub import SCRUBBED, Scrubber

# Written below the plugin and its signer, alike for every request.
_OF_THE_TRANSPORT = frozenset({"accept-encoding", "connection", "content-length", "host", "user-agent"})

_TICK = 1.0


@contextmanager
def rest_answers(path: Path) -> Iterator[None]:
    """Answer what a REST client of ours sends inside of the ``with`` from the REST cassette at *path*.

    Method, address with query, headers and body must be those of a recorded request that was not made yet; the
    caller gets vcrpy's error otherwise, which says what differs.

    Raises:
        ConfigError: There is no such cassette.
        AssertionError: Recorded requests were left that nobody made.
    """
    # Only tests and those who replay need it.
    import vcr

    if not path.is_file():
        raise ConfigError(f"{path}: no such cassette")
    player = vcr.VCR(record_mode="none", before_record_request=_scrubbed)
    player.register_matcher("headers", _same_headers)
    player.register_matcher("body", _same_body)
    with player.use_cassette(str(path), match_on=["method", "uri", "headers", "body"]) as cassette:
        yield
    left = [request for number, request in enumerate(cassette.requests) if not cassette.play_counts[number]]
    assert not left, f"{path.name}: recorded, but not asked for: {', '.join(f'{r.method} {r.uri}' for r in left)}"


def play(
    feed: Feed, frames: Iterable[Frame], ask: Callable[[float], Iterable[str]] = lambda now: ()
) -> Iterator[Event]:
    """Give *feed* the frames that came when it was recorded; yield its events, each before the next frame is given.

    *feed* is closed, and wants already what it wanted then. Time passes as it did, and logging in brings what is
    scrubbed anyway.

    Args:
        ask: Called where something was sent that *feed* does not send by itself; returns the frames of the requests
            that were made then.

    Raises:
        AssertionError: It sends something else than was sent, or not by then.
    """
    script = _Script()
    feed.opened(0.0, None if feed.login() is None else SCRUBBED)
    script.sends(feed.outbox())
    ticks = 0
    for frame in frames:
        while (ticks + 1) * _TICK <= frame.time:
            ticks += 1
            yield from feed.tick(ticks * _TICK)
            script.sends(feed.outbox())
        if frame.outgoing:
            if script.is_silent:
                script.sends(ask(frame.time))
            script.expects(frame)
        else:
            yield from feed.receive(frame.raw, frame.time)
            script.sends(feed.outbox())
    script.ends()


class _Script:
    """What a feed says, held against what was recorded."""

    def __init__(self) -> None:
        self._said: deque[str] = deque()

    @property
    def is_silent(self) -> bool:
        return not self._said

    def sends(self, frames: Iterable[str]) -> None:
        self._said.extend(map(Scrubber().text, frames))

    def expects(self, frame: Frame) -> None:
        recorded = Scrubber().text(frame.raw)
        assert self._said, f"at {frame.time:g} s nothing is sent; recorded: {recorded}"
        said = self._said.popleft()
        assert said == recorded, f"at {frame.time:g} s {said} is sent; recorded: {recorded}"

    def ends(self) -> None:
        assert not self._said, f"sent, but not recorded: {', '.join(self._said)}"


def _scrubbed(request: Any) -> Any:
    """Bring a request of vcrpy's into the form that cassettes have."""
    scrubber = Scrubber()
    request.uri = scrubber.text(request.uri)
    request.headers = scrubber.headers({name: str(value) for name, value in request.headers.items()})
    request.body = scrubber.text(_text(request.body))
    return request


def _same_headers(one: Any, other: Any) -> None:
    mine, recorded = (
        {name.lower(): value for name, value in request.headers.items() if name.lower() not in _OF_THE_TRANSPORT}
        for request in (one, other)
    )
    assert mine == recorded, f"{mine}; recorded: {recorded}"


def _same_body(one: Any, other: Any) -> None:
    mine, recorded = _text(one.body), _text(other.body)
    assert mine == recorded, f"{mine}; recorded: {recorded}"


def _text(body: bytes | None) -> str:
    return (body or b"").decode("utf-8", "replace")
