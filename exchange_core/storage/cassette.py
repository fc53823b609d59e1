"""Write traffic as cassettes: REST as vcrpy's YAML, WebSocket as JSON Lines. Nothing secret gets into either.

A cassette says at its head where it comes from. vcrpy (the ``record`` extra) is needed for REST cassettes; playing
them back is in ``playback.py``, reading WebSocket cassettes in ``recording.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.errors import ConfigError
from exchange_core.storage import archives
from exchange_core.storage.scrub import Scrubber

FEED_SUFFIX = ".stream.jsonl"
CASSETTES = (".yaml", ".yml")
"""How the names of REST cassettes end."""

# What differs from run to run and says nothing about the venue.
_FLEETING = frozenset({"date", "connection", "content-length", "content-encoding", "transfer-encoding", "server"})


class RestTape:
    """REST exchanges, in order. Call it as the ``rest_tap`` of ``Surroundings`` or the ``tap`` of a RestClient.

    Args:
        source: Where the traffic comes from, for the head of the cassette.
        scrubber: Shared by the tapes of one run, so that what one learns is kept out of the others.
    """

    def __init__(self, source: str, scrubber: Scrubber) -> None:
        self._source = source
        self._scrubber = scrubber
        self._exchanges: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._exchanges)

    def __call__(self, address: str, request: HttpRequest, reply: HttpReply, when: float) -> None:
        told = {name: value for name, value in reply.headers.items() if name.lower() not in _FLEETING}
        self._exchanges.append(
            {
                "request": {
                    "method": request.method,
                    "uri": self._scrubber.text(address + request.target),
                    "body": self._scrubber.text(_read(request.body)) or None,
                    "headers": self._headers(request.headers),
                },
                "response": {
                    "status": {"code": reply.status, "message": ""},
                    "headers": self._headers(told),
                    "body": {"string": self._body(reply.body)},
                },
            }
        )

    def write(self, path: Path) -> None:
        """Write the cassette.

        Raises:
            ConfigError: vcrpy is not installed.
            OSError: The file cannot be written.
        """
        write = vcr_serializer()
        head = write({"source": self._scrubber.known(self._source)})
        body = write({"interactions": _mapped(self._exchanges, self._last), "version": 1})
        path.write_text(head + body, encoding="utf-8")

    def _body(self, data: bytes) -> str | bytes:
        """Return an answer's text, or as it is one that is an archive: that is scrubbed when all secrets are known."""
        if not archives.is_archive(data):
            return self._scrubber.text(_read(data))
        archives.scrubbed(data, self._scrubber.text)  # what it tells of secrets is kept out of the rest
        return data

    def _last(self, value: str | bytes) -> str | bytes:
        """Scrub what is about to be written; YAML has a word for bytes, and writes them in base64."""
        return (
            archives.scrubbed(value, self._scrubber.text) if isinstance(value, bytes) else self._scrubber.known(value)
        )

    def _headers(self, values: Mapping[str, str]) -> dict[str, list[str]]:
        return {name: [value] for name, value in self._scrubber.headers(values).items()}


class FeedTape:
    """The frames of one feed, in both directions. Call it as a ``FrameTap``.

    Args:
        source: Where the traffic comes from, for the head of the cassette.
        scrubber: Shared by the tapes of one run.
        began: Tells when the recording began, given when a frame came; the times written count from there.
    """

    def __init__(self, source: str, scrubber: Scrubber, began: Callable[[float], float] | None = None) -> None:
        self._source = source
        self._scrubber = scrubber
        self._began = began or first_of_all()
        self._frames: list[tuple[float, str, str]] = []

    def __len__(self) -> int:
        return len(self._frames)

    def __call__(self, direction: str, raw: str | bytes, when: float) -> None:
        text = _read(raw) if isinstance(raw, bytes) else raw
        self._frames.append((round(when - self._began(when), 3), direction, self._scrubber.text(text)))

    def write(self, path: Path) -> None:
        """Write the cassette.

        Raises:
            OSError: The file cannot be written.
        """
        lines = [msgspec.json.encode({"cassette": self._scrubber.known(self._source)})]
        for when, direction, raw in self._frames:
            lines.append(msgspec.json.encode({"t": when, "dir": direction, "raw": self._scrubber.known(raw)}))
        path.write_bytes(b"\n".join(lines) + b"\n")


class Recorder:
    """Collects one run of one venue and writes it: ``rest.yaml``, and a ``NAME.stream.jsonl`` for each feed.

    Args:
        folder: Where they go; made at once, so that nobody records for an hour what cannot be written.
        source: Where the traffic comes from.
        secrets: What must not show, such as the API key; the names of fields tell the rest.

    Raises:
        ConfigError: The folder cannot be made, or vcrpy is not installed.
    """

    def __init__(self, folder: Path, *, source: str, secrets: Iterable[str] = ()) -> None:
        vcr_serializer()
        self._folder = folder
        self._scrubber = Scrubber(secrets)
        self._source = self._scrubber.text(source)
        self._began = first_of_all()
        self._feeds: dict[str, FeedTape] = {}
        self.rest = RestTape(self._source, self._scrubber)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def feed(self, name: str) -> FeedTape:
        """Return what takes the frames of one feed."""
        return self._feeds.setdefault(name, FeedTape(self._source, self._scrubber, self._began))

    def close(self) -> list[dict[str, Any]]:
        """Write all that was taken; return a row for each file.

        Raises:
            ConfigError: A file cannot be written.
        """
        tapes: dict[str, RestTape | FeedTape] = {"rest.yaml": self.rest}
        tapes |= {name + FEED_SUFFIX: tape for name, tape in self._feeds.items()}
        written = []
        try:
            for name, tape in tapes.items():
                if len(tape):
                    tape.write(self._folder / name)
                    written.append({"file": str(self._folder / name), "entries": len(tape)})
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        return written


def first_of_all() -> Callable[[float], float]:
    """Return what answers every time with the first time that it was given."""
    seen: list[float] = []

    def first(when: float) -> float:
        if not seen:
            seen.append(when)
        return seen[0]

    return first


def vcr_serializer() -> Callable[[dict[str, Any]], str]:
    """Return what writes a cassette as vcrpy does.

    Raises:
        ConfigError: vcrpy is not installed.
    """
    try:
        from vcr.serializers import yamlserializer
    except ImportError:
        raise ConfigError("recording needs vcrpy; install exchange-core[record]") from None
    serialize: Callable[[dict[str, Any]], str] = yamlserializer.serialize
    return serialize


def rest_exchanges(path: Path) -> Iterator[tuple[str, str | bytes]]:
    """Yield of each exchange of a REST cassette the path that was asked, without its query, and the body of the answer.

    Raises:
        ConfigError: The file cannot be read, is no REST cassette, or vcrpy is not installed.
    """
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError:
        raise ConfigError(f"{path}: reading REST cassettes needs vcrpy; install exchange-core[record]") from None
    try:
        # Not vcrpy's own loader: a file from elsewhere must not make objects.
        found = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        told = [(one["request"]["uri"], one["response"]["body"]["string"]) for one in found["interactions"]]
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except (TypeError, KeyError):
        raise ConfigError(f"{path}: no REST cassette: it has no interactions with requests and responses") from None
    for address, body in told:
        yield urlsplit(address).path, body


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{folder}: cannot be written: {error.strerror or error}")


def _read(data: bytes) -> str:
    # What is no UTF-8 must not stop a recording; it shows as replacement characters.
    return data.decode("utf-8", "replace")


def _mapped(value: Any, change: Callable[[str | bytes], str | bytes]) -> Any:
    """Return *value* with every text and archive in it changed."""
    if isinstance(value, str | bytes):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    return [_mapped(item, change) for item in value] if isinstance(value, list) else value
