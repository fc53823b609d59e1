"""Archives in traffic: looked into, and written anew from what was found, so that nothing hides in one.

Of a zip file only the names and the texts of its members are kept, each scrubbed. Comments, times, attributes, extra
fields and whatever else stands between the members are not. It is not compressed, so that the same texts always give
the same bytes.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

from exchange_core.storage.scrub import SCRUBBED

_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_READ = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_LARGEST = 64 * 2**20  # bytes of all members, unpacked
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can say
_UNIX = 3

_UNREADABLE = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error),
    *(RuntimeError, NotImplementedError, EOFError, OSError, ValueError, KeyError),
)


def is_archive(data: bytes) -> bool:
    """Return whether *data* is, or says that it is, a zip file."""
    return data.startswith(_MAGIC)


def texts_of(data: bytes) -> list[tuple[str, str]]:
    """Return name and text of each member of a zip file; what is no text is told as SCRUBBED.

    Raises:
        ValueError: It cannot be looked into: damaged, encrypted, too large, or packed in a way that is not known.
    """
    try:
        return list(_members(data))
    except _UNREADABLE as error:
        raise ValueError(f"a zip file that cannot be looked into: {error}") from error


def scrubbed(data: bytes, scrub: Callable[[str], str]) -> bytes | str:
    """Return a zip file of the same members, names and texts scrubbed; SCRUBBED for what cannot be looked into."""
    try:
        members = [(scrub(name), scrub(text)) for name, text in texts_of(data)]
    except ValueError:
        return SCRUBBED
    if len(dict(members)) != len(members):
        return SCRUBBED  # of two with one name only one is ever read
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, text in members:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = _UNIX
            archive.writestr(info, text.encode())
    return written.getvalue()


def _members(data: bytes) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = archive.infolist()
        if sum(info.file_size for info in found) > _LARGEST:
            raise ValueError(f"more than {_LARGEST} bytes")
        for info in found:
            if info.flag_bits & _ENCRYPTED or info.compress_type not in _READ:
                raise ValueError("encrypted, or packed in a way that is not known")
            yield info.filename, _text(archive.read(info))


def _text(member: bytes) -> str:
    if is_archive(member):
        return SCRUBBED
    try:
        return member.decode()
    except UnicodeDecodeError:
        return SCRUBBED
