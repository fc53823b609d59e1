"""What is written: the traffic without its secrets, where it came from at the head, in a form that reads back."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
import yaml

from exchange_core.connector.rest import HttpReply, HttpRequest
from exchange_core.errors import ConfigError
from exchange_core.storage.archives import texts_of
from exchange_core.storage.cassette import Recorder
from exchange_core.storage.recording import frames

HOST = "https://venue.example"
JSON = {"content-type": "application/json"}


def secret(name: str) -> str:
    """Return a secret that is easily found again, with the signs that base64 has."""
    return f"planted/{name}+0123456789=="


def exchange(recorder: Recorder, request: HttpRequest, reply: HttpReply) -> None:
    recorder.rest(HOST, request, reply, 0.0)


def planted(recorder: Recorder) -> None:
    """Let secrets go by wherever they can be."""
    headers = {name: secret(name) for name in ("API-Key", "API-Sign", "APIKey", "Authent", "Nonce", "Authorization")}
    form = urlencode({"nonce": secret("form-nonce"), "pair": "XBTUSD", "otp": secret("otp")}).encode()
    exchange(
        recorder,
        HttpRequest("POST", "/0/private/AddOrder", {**headers, "Cookie": f"a={secret('cookie')}"}, form),
        HttpReply(200, {**JSON, "set-cookie": f"b={secret('set-cookie')}; domain=venue.example"}, b'{"error":[]}'),
    )
    batch = {"batchOrder": [{"order": "send", "token": secret("batch")}]}
    exchange(
        recorder,
        HttpRequest("POST", "/batchorder", {}, urlencode({"json": json.dumps(batch)}).encode()),
        HttpReply(200, JSON, json.dumps({"result": {"token": secret("reply"), "expires": 900}}).encode()),
    )
    exchange(
        recorder,
        HttpRequest("GET", f"/x?api_key={quote_plus(secret('query'))}&since=5", {}, b""),
        # The venue repeats what it was sent, and what it gave out before, in a sentence.
        HttpReply(400, JSON, json.dumps({"error": f"{secret('APIKey')} or {secret('reply')} is wrong"}).encode()),
    )
    exchange(
        recorder,
        HttpRequest("POST", "/y", {}, json.dumps({"nonce": 17, "password": secret("json")}).encode()),
        HttpReply(302, {"location": f"/z?token={quote_plus(secret('location'))}"}, b""),
    )
    take = recorder.feed("private")
    take("out", json.dumps({"params": {"channel": "executions", "token": secret("out-frame")}}), 10.0)
    take("in", json.dumps({"event": "challenge", "message": secret("challenge")}), 10.25)
    take("in", json.dumps({"event": "subscribed", "signed_challenge": secret("in-frame"), "api_key": "k"}), 11.0)
    take("in", json.dumps({"event": "alert", "message": f"{secret('given')}, {secret('out-frame')}"}), 12.0)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "run", source=f"here, by {secret('given')}", secrets=[secret("given")])


def test_no_planted_secret_lands_in_a_file(recorder: Recorder, tmp_path: Path) -> None:
    planted(recorder)
    assert [row["entries"] for row in recorder.close()] == [4, 4]
    for path in (tmp_path / "run").iterdir():
        text = path.read_text("utf-8")
        assert "SCRUBBED" in text
        assert "planted" not in text
        assert "0123456789" not in text


def test_what_is_no_secret_is_all_there(recorder: Recorder, tmp_path: Path) -> None:
    planted(recorder)
    recorder.close()
    cassette = yaml.safe_load((tmp_path / "run/rest.yaml").read_text("utf-8"))
    first, batch, query, posted = cassette["interactions"]
    assert first["request"]["body"] == "nonce=SCRUBBED&pair=XBTUSD&otp=SCRUBBED"
    assert first["request"]["uri"] == f"{HOST}/0/private/AddOrder"
    assert first["response"]["headers"] == {"content-type": ["application/json"], "set-cookie": ["SCRUBBED"]}
    assert "%22order%22%3A+%22send%22" in batch["request"]["body"]
    assert json.loads(batch["response"]["body"]["string"])["result"] == {"token": "SCRUBBED", "expires": 900}
    assert query["request"]["uri"] == f"{HOST}/x?api_key=SCRUBBED&since=5"
    assert (query["request"]["method"], query["request"]["body"]) == ("GET", None)
    assert query["response"]["status"]["code"] == 400
    assert posted["response"]["headers"] == {"location": ["/z?token=SCRUBBED"]}


def test_frames_have_times_from_the_first_one_on(recorder: Recorder, tmp_path: Path) -> None:
    recorder.feed("public")("in", "{}", 9.5)
    planted(recorder)
    recorder.close()
    told = list(frames(tmp_path / "run/private.stream.jsonl"))
    assert [(frame.time, frame.outgoing) for frame in told] == [(0.5, True), (0.75, False), (1.5, False), (2.5, False)]
    assert json.loads(told[0].raw) == {"params": {"channel": "executions", "token": "SCRUBBED"}}


def test_each_file_says_at_its_head_where_it_comes_from(recorder: Recorder, tmp_path: Path) -> None:
    planted(recorder)
    recorder.close()
    assert (tmp_path / "run/rest.yaml").read_text("utf-8").splitlines()[0] == "source: here, by SCRUBBED"
    first = (tmp_path / "run/private.stream.jsonl").read_text("utf-8").splitlines()[0]
    assert json.loads(first) == {"cassette": "here, by SCRUBBED"}


def test_what_changes_from_run_to_run_is_left_out(recorder: Recorder, tmp_path: Path) -> None:
    fleeting = {"Date": "now", "Content-Length": "2", "Content-Encoding": "gzip", "Server": "x", "Connection": "close"}
    exchange(recorder, HttpRequest("GET", "/x", {}), HttpReply(200, {**fleeting, **JSON}, b"{}"))
    recorder.close()
    cassette = yaml.safe_load((tmp_path / "run/rest.yaml").read_text("utf-8"))
    assert cassette["interactions"][0]["response"]["headers"] == {"content-type": ["application/json"]}


def test_bytes_that_are_no_text_stop_no_recording(recorder: Recorder, tmp_path: Path) -> None:
    exchange(recorder, HttpRequest("POST", "/x", {}, b"\xff"), HttpReply(502, {}, b"<html>\xfe</html>"))
    recorder.feed("public")("in", b'{"a":"\xff"}', 0.0)
    recorder.close()
    assert next(frames(tmp_path / "run/public.stream.jsonl")).raw == '{"a":"\ufffd"}'


def test_an_archive_is_kept_as_one_without_the_secrets_in_it(recorder: Recorder, tmp_path: Path) -> None:
    """Also without those that are known as such only by what comes after it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("a.csv", f"x,{secret('APIKey')},{secret('reply')}")
    exchange(recorder, HttpRequest("POST", "/zip", {}), HttpReply(200, {}, archive.getvalue()))
    exchange(recorder, HttpRequest("POST", "/zip", {}), HttpReply(200, {}, archive.getvalue()[:-9]))
    planted(recorder)
    recorder.close()
    whole, cut = yaml.safe_load((tmp_path / "run/rest.yaml").read_text("utf-8"))["interactions"][:2]
    assert texts_of(whole["response"]["body"]["string"]) == [("a.csv", "x,SCRUBBED,SCRUBBED")]
    assert cut["response"]["body"]["string"] == "SCRUBBED"


def test_what_was_silent_leaves_no_file(recorder: Recorder, tmp_path: Path) -> None:
    recorder.feed("public")
    assert recorder.close() == []
    assert list((tmp_path / "run").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file/run: cannot be written"):
        Recorder(tmp_path / "file" / "run", source="here")


def test_a_file_that_cannot_be_written_is_one_clear_error(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "run/private.stream.jsonl").mkdir()
    planted(recorder)
    with pytest.raises(ConfigError, match="run: cannot be written"):
        recorder.close()


@pytest.mark.parametrize(
    "value", ["plain", "two\nlines", "tab\t", "Ünïcode ✓", ": - # yaml", "'quoted' \"too\"", " x "]
)
def test_any_text_reads_back_as_it_was(recorder: Recorder, tmp_path: Path, value: Any) -> None:
    exchange(recorder, HttpRequest("POST", "/x", {}, value.encode()), HttpReply(200, {"h": value}, value.encode()))
    recorder.close()
    (told,) = yaml.safe_load((tmp_path / "run/rest.yaml").read_text("utf-8"))["interactions"]
    assert told["request"]["body"] == value
    assert told["response"]["body"]["string"] == value
    assert told["response"]["headers"]["h"] == [value]
