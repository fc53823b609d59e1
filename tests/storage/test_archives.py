"""A zip file hides nothing: it is looked into, and written anew from what was found, or not kept at all."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_core.storage.archives import is_archive, scrubbed, texts_of
from exchange_core.storage.scrub import SCRUBBED, Scrubber

SECRET = "kQ/7+secret/value+of/the=account=="


def zipped(members: Iterable[tuple[str, str | bytes]], how: int = zipfile.ZIP_DEFLATED, comment: str = "") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", how) as archive:
        for name, content in members:
            archive.writestr(name, content)
        archive.comment = comment.encode()
    return written.getvalue()


def kept(archive: bytes, scrubber: Scrubber | None = None) -> bytes:
    found = scrubbed(archive, (scrubber or Scrubber()).text)
    assert isinstance(found, bytes)
    return found


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_texts_stay_as_they_are(how: int) -> None:
    members = [("trades.csv", '"txid","vol"\r\n"T1","0.02"\r\n'), ("a/\N{EURO SIGN}.csv", "")]
    found = kept(zipped(members, how))
    assert is_archive(found)
    assert texts_of(found) == members


def test_a_secret_in_a_member_is_taken_out_by_its_name_and_wherever_it_was_met() -> None:
    scrubber = Scrubber()
    scrubber.headers({"API-Key": SECRET})
    members = [("a.json", f'{{"token":"another-secret-0123"}} {SECRET}'), (f"{SECRET.replace('/', '')}.csv", "x,y")]
    found = kept(zipped(members), scrubber)
    assert texts_of(found)[0] == ("a.json", f'{{"token":"{SCRUBBED}"}} {SCRUBBED}')
    assert scrubbed(found, scrubber.known) == found


def test_nothing_is_kept_but_names_and_texts() -> None:
    info = zipfile.ZipInfo("a.csv", (2026, 1, 2, 3, 4, 6))
    info.extra = b"\xfe\xca" + len(SECRET).to_bytes(2, "little") + SECRET.encode()
    info.comment = SECRET.encode()
    written = io.BytesIO(SECRET.encode())
    with zipfile.ZipFile(written, "a") as archive:
        archive.writestr(info, "x,y")
        archive.comment = SECRET.encode()
    data = written.getvalue()[len(SECRET) :]
    assert is_archive(data)
    assert data.count(SECRET.encode()) == 4, "extra fields stand twice"
    found = kept(data)
    assert SECRET.encode() not in found
    assert texts_of(found) == [("a.csv", "x,y")]
    assert zipfile.ZipFile(io.BytesIO(found)).infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)


def test_the_same_texts_give_the_same_bytes() -> None:
    members = [("a.csv", "x,y\n" * 100)]
    assert kept(zipped(members, zipfile.ZIP_STORED)) == kept(zipped(members, zipfile.ZIP_DEFLATED, comment="later"))


@pytest.mark.parametrize("content", [b"\xff\xfe" + SECRET.encode(), zipped([("inner", SECRET)])])
def test_a_member_that_is_no_text_is_not_kept(content: bytes) -> None:
    assert texts_of(kept(zipped([("a", content), ("b", "text")]))) == [("a", SCRUBBED), ("b", "text")]


def encrypted() -> bytes:
    data = bytearray(zipped([("a", SECRET)], zipfile.ZIP_STORED))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def twice() -> bytes:
    return zipped([("a", "one"), ("b", "two")], zipfile.ZIP_STORED).replace(b"b", b"a")


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(zipped([("a", SECRET)])[:-30], id="cut short"),
        pytest.param(b"PK\x03\x04" + SECRET.encode(), id="none, though it says so"),
        pytest.param(encrypted(), id="encrypted"),
        pytest.param(zipped([("a", SECRET)], zipfile.ZIP_BZIP2), id="packed in another way"),
        pytest.param(zipped([("a", SECRET)], zipfile.ZIP_STORED).replace(b"secret", b"sEcret"), id="damaged"),
        pytest.param(twice(), id="two of one name"),
    ],
)
def test_what_cannot_be_looked_into_is_not_kept(archive: bytes) -> None:
    assert scrubbed(archive, Scrubber().text) == SCRUBBED


@given(st.binary(max_size=200), st.integers(0, 200), st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
def test_whatever_is_broken_in_it_no_secret_gets_through(noise: bytes, at: int, how: int) -> None:
    whole = zipped([("a.csv", f"x,{SECRET},y"), ("b.csv", "1,2")], how)
    found = scrubbed(whole[:at] + noise + whole[at + len(noise) :], Scrubber([SECRET]).text)
    assert SECRET.encode() not in (found if isinstance(found, bytes) else found.encode())
