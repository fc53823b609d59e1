"""A plugin on recordings of its venue: its own REST client and feeds, and nothing is sent anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from exchange_core.connector.auth import Credentials
from exchange_core.connector.feed import Feed
from exchange_core.connector.naming import AssetMap, SymbolMap
from exchange_core.connector.rest import Flow
from exchange_core.connector.spec import VenueContext, VenueSpec
from exchange_core.model.event import Event, Subscription
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
        dialect, limits = self._spec.dialect(self.context), self._spec.limits(config)
        async with RestClient(self.context.venue, config, dialect, limits, signer=signer) as client:
            with rest_answers(self._folder / "rest" / f"{name}.yaml"):
                return await client.run(choose(self._operations))

    def play(self, name: str, wanted: Sequence[Subscription]) -> tuple[Feed, list[Event]]:
        """Play a recorded feed on which *wanted* was asked for; return it and what it told.

        Raises:
            AssertionError: It asks otherwise than was asked, does not know a frame, or sees a hole.
        """
        spec = self._spec.feed_for(wanted[0].channel)
        assert spec is not None, f"no feed serves {wanted[0]}"
        feed = spec.make(self.context)
        feed.subscribe(wanted, 0.0)
        told = list(play(feed, frames(self._folder / "feed" / (name + FEED_SUFFIX))))
        assert not feed.stats.unknown, f"{name}: {dict(feed.stats.unknown)}"
        assert not feed.stats.gaps, f"{name}: {feed.stats.gaps} holes"
        return feed, told
