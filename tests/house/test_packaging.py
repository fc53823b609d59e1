"""What is shipped agrees with what is written down, and nothing private is in the repository."""

import re
import subprocess
import tomllib
from base64 import b64decode
from functools import cache
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from exchange_core.storage.archives import texts_of

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = ("exchange_core", "kraken_futures", "kraken_spot")
SOURCES = sorted([*(ROOT / "exchange_core").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
MOST_LINES = 400

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ;[^\\]*)? \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M)

# Kraken's documentation prints these keys and signatures, or they were computed with its keys;
# only their beginnings are needed to know them again.
PUBLISHED = (
    *("kQH5HW/8p1uGOVjb", "4/dpxb3iT4tp/ZCV", "ZVxRwNS9zIRhbpUb", "r/o+GpKxXjV/mls/", "0VguuRYRPHo7JfcaEk"),
    *("7zxMEF5p/Z8l2p2U", "4JEpF3ix66GA2B+o", "ar47HmgHaRy9Sx4p", "gF9iu/gh5ia5pNW4", "yVAzRKKfvXEZqcGF"),
    *("EsGq65qJGxRXJ/9D", "5zE/jEyogxfvh0fs", "i0zSbHMMTghg0EO3", "o6t6tk59XrH4nDWN", "A6pb7IwGkQcqkq1z"),
    *("CYDT8gO5ybfXoXIe", "8v+zHd7s3G144exN", "1nH4vwR+8FHiYh1Q"),
)

# Written so that this file does not find itself.
PRIVATE = {
    "a path of one machine": re.compile(r"(?<![\w.~-])/(?:work|root|Users|home/(?!exchange\b))\b/?\w"),
    "the address of a package registry": re.compile(
        r"files\.python(?:)hosted|pypi\.(?:org|python\.org)/(?:)simple|--(?:extra-)?index-(?:)url|registry\.(?:)npmjs"
    ),
    "a private key": re.compile(r"BEGIN (?:[A-Z]+ )?PRIVATE (?:)KEY"),
}
# As YAML writes bytes.
BINARY = re.compile(r"!!binary \|\n((?: {8,}[A-Za-z0-9+/=]+\n)+)")
BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{60,}={0,2}")


@cache
def tracked() -> dict[str, str]:
    """Return the text of each file that git keeps, by its path."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip(f"not a git checkout: {listing.stderr.strip()}")
    texts = {}
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            texts[name] = path.read_bytes().decode("utf-8", "replace")
            if name.startswith("cassettes/"):
                texts[name] = BINARY.sub(held_by, texts[name])
    return texts


def held_by(match: re.Match[str]) -> str:
    """Return what an archive holds: as it is written, in base64, neither a path nor a key would be seen in it."""
    return "".join(text for member in texts_of(b64decode(match[1])) for text in member)


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    return {canonicalize_name(package): number for package, number, _ in PIN.findall(text)}


def looks_secret(text: str) -> bool:
    """Tell base64 of a key or a signature from a hash, a run of digits or a path of words."""
    return (
        any(letter.isdigit() for letter in text)
        and any(letter.isupper() for letter in text)
        and any(letter.islower() for letter in text)
    )


def test_the_installed_version_is_the_written_one() -> None:
    """A stale editable install would test something else than what is here."""
    assert version("exchange-core") == PYPROJECT["project"]["version"]


def test_the_changelog_knows_the_version() -> None:
    assert PYPROJECT["project"]["version"] in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_both_plugins_are_found_and_load() -> None:
    found = {point.name: point for point in entry_points(group="exchange_core")}
    assert found["kraken_futures"].value == "kraken_futures.plugin"
    assert found["kraken_spot"].value == "kraken_spot.plugin"
    for name in ("kraken_futures", "kraken_spot"):
        assert found[name].load().__name__ == f"{name}.plugin"


def test_the_command_loads() -> None:
    (command,) = entry_points(group="console_scripts", name="exchange")
    assert callable(command.load())


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_says_that_it_is_typed(package: str) -> None:
    folder = ROOT / package if package == "exchange_core" else ROOT / "plugins" / package
    assert (folder / "py.typed").is_file()


def test_plugins_is_a_folder_and_not_a_package() -> None:
    assert not (ROOT / "plugins" / "__init__.py").exists()


def test_no_test_folder_is_a_package() -> None:
    """With importlib mode an __init__.py there gives one test module two names."""
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_no_test_folder_is_named_like_a_package() -> None:
    folders = {path.name for path in (ROOT / "tests").rglob("*") if path.is_dir()}
    assert not folders & {*PACKAGES, "plugins"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_one_subject(path: Path) -> None:
    """A file that grows has two."""
    lines = len(path.read_text("utf-8").splitlines())
    assert lines < MOST_LINES, f"{path.relative_to(ROOT)} has {lines} lines; split it"


@pytest.mark.parametrize("name", ["runtime.txt", "build.txt", "dev.txt"])
def test_every_pin_has_its_version_and_hashes(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    rest = "\n".join(line for line in PIN.sub("", text).splitlines() if not line.lstrip().startswith("#"))
    assert pins(name)
    assert not rest.strip()


@pytest.mark.parametrize("name", ["runtime.txt", "build.txt"])
def test_the_tests_run_on_what_is_shipped(name: str) -> None:
    assert pins(name).items() <= pins("dev.txt").items()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("runtime.txt", PYPROJECT["project"]["dependencies"]),
        ("build.txt", [*PYPROJECT["dependency-groups"]["build"], *PYPROJECT["build-system"]["requires"]]),
        ("dev.txt", [item for item in PYPROJECT["dependency-groups"]["dev"] if isinstance(item, str)]),
    ],
)
def test_the_pins_satisfy_what_the_project_asks_for(name: str, wanted: list[str]) -> None:
    """Otherwise `make pins` was forgotten."""
    pinned = pins(name)
    for requirement in map(Requirement, wanted):
        number = pinned.get(canonicalize_name(requirement.name))
        assert number is not None, f"{requirement} is not pinned in requirements/{name}"
        assert requirement.specifier.contains(Version(number)), f"{requirement}, but {number} is pinned"


@pytest.mark.parametrize("what", PRIVATE)
def test_no_tracked_file_shows(what: str) -> None:
    found = [
        f"{name}:{number}: {match.group()}"
        for name, text in tracked().items()
        for number, line in enumerate(text.splitlines(), 1)
        if (match := PRIVATE[what].search(line))
    ]
    assert not found, f"{what}: {found}"


def test_no_tracked_file_holds_a_key() -> None:
    """Only tests may hold keys and signatures, and only those that Kraken prints in its documentation."""
    found = [
        f"{name}: {match.group()[:12]}..."
        for name, text in tracked().items()
        for match in BASE64.finditer(text)
        if looks_secret(match.group()) and not (name.startswith("tests/") and match.group().startswith(PUBLISHED))
    ]
    assert not found, f"these look like keys; if Kraken publishes them, add their beginnings to PUBLISHED: {found}"


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a path of one machine", "see /" + "work/main/x.py"),
        ("a path of one machine", "see /" + "home/alice/x.py"),
        ("the address of a package registry", "https://pypi.org/" + "simple/attrs/"),
        ("the address of a package registry", "pip install --" + "index-url=https://example.com"),
        ("a private key", "-----BEGIN RSA PRIVATE " + "KEY-----"),
    ],
)
def test_the_search_would_find(what: str, text: str) -> None:
    assert PRIVATE[what].search(text)


@pytest.mark.parametrize("around", ['api_secret = "{}"', "API_SECRET={}", "'API-Sign': ['{}']"])
def test_the_search_would_find_a_key(around: str) -> None:
    key = "Zx9+" * 21 + "Zw=="
    match = BASE64.search(around.format(key))
    assert match
    assert match.group() == key
    assert looks_secret(key)


@pytest.mark.parametrize("harmless", ["0123456789abcdef" * 4, "45285210" * 20, "exchange/core/" * 6])
def test_hashes_digits_and_paths_are_no_keys(harmless: str) -> None:
    assert not looks_secret(harmless)
