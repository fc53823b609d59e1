"""Discovery survives whatever a plugin does, and says what it was."""

import logging
from importlib.metadata import Distribution, EntryPoint
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import UnknownVenue
from exchange_core.hookspecs import hookimpl
from exchange_core.plugins import PluginStatus, load_plugins


class Point(EntryPoint):
    """An entry point that loads what a test put there."""

    def __init__(self, name: str, plugin: Any, dist: Any = None) -> None:
        EntryPoint.__init__(self, name, f"{name}.plugin", "exchange_core")
        vars(self).update(plugin=plugin, dist=dist)

    def load(self) -> Any:
        plugin = vars(self)["plugin"]
        if isinstance(plugin, BaseException):
            raise plugin
        return plugin


def point(name: str, plugin: Any) -> EntryPoint:
    dist = SimpleNamespace(name=f"exchange-{name}", version="1.2")
    return Point(name, plugin, dist)


def bringing(*specs: Any) -> Any:
    @hookimpl
    def venues() -> list[Any]:
        return list(specs)

    return SimpleNamespace(venues=venues)


@pytest.fixture
def spec(without_feeds: VenueSpec) -> Any:

    return lambda name: attrs.evolve(without_feeds, name=name)


def test_plugins_are_loaded_by_name(spec: Any) -> None:
    plugins = load_plugins([point("zebra", bringing(spec("z"))), point("ant", bringing(spec("a"), spec("b")))])
    assert list(plugins.venues) == ["a", "b", "z"]
    assert [(r.name, r.distribution, r.status, r.venues) for r in plugins.reports] == [
        ("ant", "exchange-ant 1.2", "loaded", ("a", "b")),
        ("zebra", "exchange-zebra 1.2", "loaded", ("z",)),
    ]
    assert plugins.venue("z").name == "z"


def misspelt() -> Any:
    @hookimpl
    def venuez() -> list[Any]:
        return []

    return SimpleNamespace(venuez=venuez)


def wrong_argument() -> Any:
    @hookimpl
    def review_order(requst: Any) -> None:
        return None

    @hookimpl
    def asset_alias(code: str) -> str:
        raise AssertionError("a refused plugin is never called")

    return SimpleNamespace(review_order=review_order, asset_alias=asset_alias)


def raising(error: BaseException) -> Any:
    @hookimpl
    def venues() -> list[Any]:
        raise error

    return SimpleNamespace(venues=venues)


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        pytest.param(
            ModuleNotFoundError("No module named 'gone'"), "ModuleNotFoundError: No module named 'gone'", id="import"
        ),
        pytest.param(SyntaxError("invalid syntax"), "SyntaxError: invalid syntax", id="syntax"),
        pytest.param(misspelt(), "there is no hook 'venuez'; did you mean 'venues'?", id="misspelt"),
        pytest.param(wrong_argument(), "'requst'", id="wrong argument"),
        pytest.param(raising(ValueError("my bug")), "ValueError: my bug", id="venues raises"),
        pytest.param(bringing("kraken"), "its venues() gave a str; expected VenueSpec", id="no spec"),
        pytest.param(SimpleNamespace(venues=list), "it has no hooks; mark them with @hookimpl", id="not marked"),
    ],
)
def test_a_broken_plugin_breaks_only_itself(spec: Any, plugin: Any, reason: str) -> None:
    plugins = load_plugins([point("good", bringing(spec("good"))), point("bad", plugin)])
    assert list(plugins.venues) == ["good"]
    bad, good = plugins.reports
    assert (good.status, bad.status, bad.venues) == (PluginStatus.LOADED, PluginStatus.FAILED, ())
    assert bad.reason is not None
    assert reason in bad.reason
    with pytest.raises(UnknownVenue, match="plugin 'bad' is installed but did not load"):
        plugins.venue("bad")
    assert plugins.manager.hook.asset_alias(venue=plugins.venue("good"), code="X") is None


def test_of_two_that_claim_a_name_the_first_has_it(spec: Any) -> None:
    first, second = spec("kraken"), spec("kraken")
    plugins = load_plugins([point("b", bringing(second)), point("a", bringing(first))])
    assert plugins.venues["kraken"] is first
    report = plugins.reports[1]
    assert (report.name, report.status) == ("b", PluginStatus.FAILED)
    assert report.reason == "venue 'kraken' is already brought by plugin 'a'"
    assert len(plugins.manager.list_name_plugin()) == 1


def test_a_plugin_keeps_the_venues_that_are_its_own(spec: Any) -> None:
    plugins = load_plugins([point("a", bringing(spec("x"))), point("b", bringing(spec("x"), spec("y")))])
    report = plugins.reports[1]
    assert (report.status, report.venues) == (PluginStatus.LOADED, ("y",))
    assert report.reason == "venue 'x' is already brought by plugin 'a'"


def test_a_name_that_is_brought_twice_by_one_plugin(spec: Any) -> None:
    [report] = load_plugins([point("a", bringing(spec("x"), spec("x")))]).reports
    assert report.reason == "its venues() gave 'x' twice"


def test_an_interrupt_is_not_taken_for_a_broken_plugin(spec: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        load_plugins([point("a", KeyboardInterrupt())])


def test_unknown_plugins_list_what_is_installed(spec: Any) -> None:
    plugins = load_plugins([point("a", bringing(spec("kraken_spot"), spec("kraken_futures")))])
    with pytest.raises(UnknownVenue, match=r"no plugin 'kraken_sport' is installed; did you mean 'kraken_spot'\?; "):
        plugins.venue("kraken_sport")
    with pytest.raises(UnknownVenue, match="installed: none"):
        load_plugins([]).venue("kraken_spot")


def test_what_is_installed_here_is_found() -> None:
    names = [report.name for report in load_plugins().reports]
    assert {"kraken_futures", "kraken_spot"} <= set(names)
    assert names == sorted(names)
    distribution = next(r.distribution for r in load_plugins().reports if r.name == "kraken_spot")
    assert distribution == f"exchange-core {Distribution.from_name('exchange-core').version}"


def test_nobodys_plugin_takes_over_a_venue_that_comes_with_us(spec: Any) -> None:
    ours = Point("zebra", bringing(spec("z")), SimpleNamespace(name="exchange-core", version="1.2"))
    plugins = load_plugins([point("ant", bringing(spec("z"))), ours])
    assert [(r.name, r.status) for r in plugins.reports] == [("zebra", "loaded"), ("ant", "failed")]


def test_a_plugin_that_exits_is_reported_like_any_other() -> None:
    report = load_plugins([point("quitter", SystemExit(3))]).reports[0]
    assert (report.status, report.reason) == (PluginStatus.FAILED, "SystemExit: 3")


@pytest.mark.parametrize("answer", [["x", 3], [("name", "no function")], [("name",)], 5], ids=str)
def test_commands_that_are_no_pairs_of_name_and_function(answer: Any) -> None:
    @hookimpl
    def commands() -> Any:
        return answer

    report = load_plugins([point("odd", SimpleNamespace(commands=commands))]).reports[0]
    assert report.status is PluginStatus.FAILED


def test_what_did_not_load_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="exchange_core.plugins"):
        load_plugins([point("risk", ImportError("no module named limits"))])
    assert "plugin risk (exchange-risk 1.2): ImportError: no module named limits" in caplog.text
