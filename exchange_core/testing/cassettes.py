"""A plugin on recordings of its venue: its own REST client and feeds, and nothing is sent anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from exchange_core.connector.auth import Credentials
from exchange_core.connector.feed import Feed, RequestFeed
from exchange_core.connector.limits import Limits
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import Flow, RestCall
from exchange_core.connector.spec import VenueContext, VenueSpec
from exchange_core.errors import ExchangeError
from exchange_core.model.event import Answered, Event, Subscription
from exchange_core.storage.cassette import FEED_SUFFIX
from exchange_core.storage.playback import play, rest_answers
from exchange_core.storage.recording import frames
from exchange_core.transport.rest_client import RestClient

T = TypeVar("T")


class CassettePlayer:
    """Plays the cassettes of one venue, as a client of the live one.

    Args:
        folder: Holds ``rest/NAME.yaml`` and ``feed/NAME.stream.jsonl``.
        keys: Any in the venue's form; only signatures and nonces may differ from the recording.
        venue: The name that the venue has here.

    Attributes:
        context: What the plugin's parts share.
    """

    def __init__(self, spec: VenueSpec, folder: Path, keys: Credentials, venue: str) -> None:
        config = spec.config()
        self.context = VenueContext(
            venue=venue,
            config=config,
            symbols=SymbolMap(venue),
            assets=AssetMap(venue),
            signer=spec.signer(keys, config),
        )
        self._spec = spec
        self._folder = folder
        self._operations: Any = spec.rest(self.context)

    async def run(self, name: str, choose: Callable[[Any], Flow[T]]) -> T:
        """Run an operation on one cassette.

        Args:
            choose: Picks it from the plugin's REST operations.
        """
        config, signer = self.context.config, self.context.signer
        dialect = self._spec.dialect(self.context)
        # Nothing is sent that could be too much.
        async with RestClient(self.context.venue, config, dialect, Limits({}), signer=signer) as client:
            with rest_answers(self._folder / "rest" / f"{name}.yaml"):
                return await client.run(choose(self._operations))

    def play(self, name: str, wanted: Sequence[Subscription]) -> tuple[Feed, list[Event]]:
        """Play a recorded feed on which *wanted* was asked for; return it and what it told.

        Raises:
            AssertionError: It asks otherwise than was asked, does not know a frame, or sees a hole.
        """
        feed, told, _ = self.converse(name, wanted, lambda operations: ())
        return feed, told

    def converse(
        self, name: str, wanted: Sequence[Subscription], choose: Callable[[Any], Iterable[Flow[Any]]]
    ) -> tuple[Feed, list[Event], list[Any]]:
        """Play a recorded feed over which requests were made; return what each of them came to as well.

        Args:
            choose: Returns the operations, in the order in which they were run, each after the one before was done.

        Returns:
            The feed, what it told, and for each operation its value or the ExchangeError that it raised.

        Raises:
            AssertionError: As :meth:`play`, and when an operation was not run or not answered.
        """
        spec = self._spec.feed_for(wanted[0].channel)
        assert spec is not None, f"no feed serves {wanted[0]}"
        feed = spec.make(self.context)
        feed.subscribe(wanted, 0.0)
        asking = _Asking(feed, choose(self._operations))
        told: list[Event] = []
        for event in play(feed, frames(self._folder / "feed" / (name + FEED_SUFFIX)), asking.frames):
            told.append(event)
            if isinstance(event, Answered):
                asking.answered(event)
        asking.ends()
        assert not feed.stats.unknown, f"{name}: {dict(feed.stats.unknown)}"
        assert not feed.stats.gaps, f"{name}: {feed.stats.gaps} holes"
        return feed, told, asking.outcomes


class _Asking:
    """Operations that are run over a feed which is played back, one after the other."""

    def __init__(self, feed: Feed, flows: Iterable[Flow[Any]]) -> None:
        self.outcomes: list[Any] = []
        self._feed = feed
        self._flows = iter(flows)
        self._asked: tuple[int, Flow[Any]] | None = None
        self._now = 0.0

    def frames(self, now: float) -> list[str]:
        """Return the frame of the next operation."""
        self._now = now
        flow = next(self._flows, None)
        return [] if flow is None else self._went_on(flow, lambda: next(flow))

    def answered(self, event: Answered) -> None:
        assert self._asked is not None, f"nothing was asked, and this is an answer: {event}"
        number, flow = self._asked
        assert event.request_id == number, f"request {number} was answered as {event.request_id}"
        error = event.error
        further = self._went_on(flow, lambda: flow.send(event.value) if error is None else flow.throw(error))
        assert not further, "an operation makes a second call, which playing back has no place for"

    def ends(self) -> None:
        assert self._asked is None, "a request was not answered"
        assert next(self._flows, None) is None, "an operation was not run: the recording ends before it"

    def _went_on(self, flow: Flow[Any], step: Callable[[], RestCall]) -> list[str]:
        self._asked = None
        try:
            call = step()
        except StopIteration as done:
            self.outcomes.append(done.value)
        except ExchangeError as error:
            self.outcomes.append(error)
        else:
            assert isinstance(self._feed, RequestFeed), "this feed carries no requests"
            question = self._feed.ask(call, self._now)
            self._asked = question.request_id, flow
            return [question.frame]
        return []
