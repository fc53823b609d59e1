"""Write traffic as cassettes: REST as vcrpy's YAML, WebSocket as JSON Lines. Nothing secret gets into either.

vcrpy (the ``record`` extra) is only needed here. Reading WebSocket cassettes is in ``recording.py``; REST cassettes are
read by vcrpy itself, in tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.errors import ConfigError
from exchange_core.storage import scrub

# What differs from run to run and says nothing about the venue.
_FLEETING = frozenset({"date", "connection", "content-length", "content-encoding", "transfer-encoding", "server"})


class Recorder:
    """Collects one run and writes it.

    Args:
        folder: Gets ``rest.yaml`` and a ``NAME.stream.jsonl`` for each feed.
        source: Where the traffic comes from; stands at the head of every cassette.
        address: What takes the place of the venue's address, so that a recording of a simulated venue can be replayed
            under the real one's name; None keeps the address.
    """

    def __init__(self, folder: Path, *, source: str, address: Mapping[str, str] | None = None) -> None:
        _vcr_serializer()
        self._folder = folder
        self._source = source
        self._address = dict(address or {})
        self._exchanges: list[dict[str, Any]] = []
        self._frames: dict[str, list[bytes]] = {}
        self._started: float | None = None

    def rest(self, address: str, request: HttpRequest, reply: HttpReply, when: float) -> None:
        """Take one REST exchange."""
        self._exchanges.append(
            {
                "request": {
                    "method": request.method,
                    "uri": scrub.text(self._address.get(address, address) + request.target),
                    "body": scrub.text(request.body.decode()) or None,
                    "headers": {name: [value] for name, value in scrub.headers(request.headers).items()},
                },
                "response": {
                    "status": {"code": reply.status, "message": ""},
                    "headers": {
                        name: [value]
                        for name, value in scrub.headers(reply.headers).items()
                        if name.lower() not in _FLEETING
                    },
                    "body": {"string": scrub.text(reply.body.decode())},
                },
            }
        )

    def feed(self, name: str) -> Callable[[str, str | bytes, float], None]:
        """Return what takes the frames of one feed."""
        frames = self._frames.setdefault(name, [])

        def take(direction: str, raw: str | bytes, when: float) -> None:
            self._started = when if self._started is None else self._started
            text = raw.decode() if isinstance(raw, bytes) else raw
            entry = {"t": round(when - self._started, 3), "dir": direction, "raw": scrub.text(text)}
            frames.append(msgspec.json.encode(entry))

        return take

    def close(self) -> list[dict[str, Any]]:
        """Write all that was taken; return a row for each file.

        Raises:
            ConfigError: When the folder cannot be written.
        """
        written = []
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._exchanges:
                document = {"source": self._source, "interactions": self._exchanges, "version": 1}
                path = self._folder / "rest.yaml"
                path.write_text(_vcr_serializer()(document), encoding="utf-8")
                written.append({"file": str(path), "entries": len(self._exchanges)})
            for name, frames in self._frames.items():
                path = self._folder / f"{name}.stream.jsonl"
                head = msgspec.json.encode({"cassette": self._source})
                path.write_bytes(b"\n".join([head, *frames]) + b"\n")
                written.append({"file": str(path), "entries": len(frames)})
        except OSError as error:
            raise ConfigError(f"{self._folder}: cannot be written: {error.strerror}") from error
        return written


def _vcr_serializer() -> Callable[[dict[str, Any]], str]:
    try:
        from vcr.serializers import yamlserializer
    except ImportError:
        raise ConfigError(
            "recording needs vcrpy; install exchange-core with the extra: exchange-core[record]"
        ) from None
    serialize: Callable[[dict[str, Any]], str] = yamlserializer.serialize
    return serialize
