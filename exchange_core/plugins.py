"""Find the installed plugins and load them one by one, so that a broken one breaks nothing but itself.

Plugins are entry points of the group ``exchange_core``. Those that come with this package are taken first, the others
in the order of their names; of two that bring a venue of one name, the first has it, so that nobody's plugin can take
over a venue that is installed with us, and the keys that go with it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import attrs
import pluggy

from exchange_core import hookspecs
from exchange_core.connector.spec import VenueSpec
from exchange_core.errors import PluginError, UnknownVenue

GROUP = "exchange_core"
_OURS = "exchange-core"

_log = logging.getLogger(__name__)


class PluginStatus(StrEnum):
    """Whether a plugin can be used."""

    LOADED = "loaded"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class PluginReport:
    """What became of one plugin.

    Attributes:
        name: Of its entry point.
        distribution: What was installed to bring it, with the version.
        reason: Why it failed, or which of its venues could not be had.
        venues: Names of the venues it brings.
    """

    name: str
    distribution: str
    status: PluginStatus
    reason: str | None = None
    venues: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Plugins:
    """All that is installed.

    Attributes:
        manager: Calls the hooks of what was loaded.
    """

    venues: Mapping[str, VenueSpec]
    reports: tuple[PluginReport, ...]
    manager: pluggy.PluginManager = attrs.field(repr=False)

    def venue(self, name: str) -> VenueSpec:
        """Return the venue that goes by ``plugin = "name"``.

        Raises:
            UnknownVenue: Lists what is installed, and says so when its plugin is but did not load.
        """
        spec = self.venues.get(name)
        if spec is not None:
            return spec
        broken = next((r for r in self.reports if r.name == name and r.status is PluginStatus.FAILED), None)
        if broken is not None:
            raise UnknownVenue(f"plugin {name!r} is installed but did not load: {broken.reason}")
        installed = ", ".join(sorted(self.venues)) or "none"
        raise UnknownVenue(f"no plugin {name!r} is installed{did_you_mean(name, self.venues)}; installed: {installed}")


def load_plugins(points: Iterable[EntryPoint] | None = None) -> Plugins:
    """Load every plugin that can be loaded; report on all.

    Args:
        points: Instead of the installed ones.
    """
    manager = _manager()
    venues: dict[str, VenueSpec] = {}
    owners: dict[str, str] = {}
    reports = []
    found = entry_points(group=GROUP) if points is None else points
    for point in sorted(found, key=_place):
        try:
            plugin = point.load()
            specs = _try(plugin)
        # A plugin is a stranger's code: whatever it raises, even an exit, is its own failure and must not become ours.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            reports.append(_report(point, PluginStatus.FAILED, _explain(error)))
            continue
        mine = {spec.name: spec for spec in specs if spec.name not in venues}
        taken = [
            f"venue {spec.name!r} is already brought by plugin {owners[spec.name]!r}"
            for spec in specs
            if spec.name in venues
        ]
        if taken and not mine:
            reports.append(_report(point, PluginStatus.FAILED, "; ".join(taken)))
            continue
        manager.register(plugin)
        venues.update(mine)
        owners.update(dict.fromkeys(mine, point.name))
        reports.append(_report(point, PluginStatus.LOADED, "; ".join(taken) or None, tuple(mine)))
    for report in reports:
        # A plugin that should have reviewed orders, say, is not there now: that must not pass unseen.
        if report.reason:
            _log.warning("plugin %s (%s): %s", report.name, report.distribution or "unknown origin", report.reason)
    return Plugins(venues=venues, reports=tuple(reports), manager=manager)


def _place(point: EntryPoint) -> tuple[bool, str, str]:
    ours = point.dist is not None and point.dist.name == _OURS
    return not ours, point.name, point.value


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a half sentence that names the closest known word, or nothing."""
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def _try(plugin: Any) -> list[VenueSpec]:
    """Return the venues of a plugin; raise for anything that is not as the hooks want it.

    A manager of its own is used: a refused plugin leaves half of its hooks behind in one.
    """
    manager = _manager()
    known = [name for name in dir(hookspecs) if manager.parse_hookspec_opts(hookspecs, name) is not None]
    manager.register(plugin)
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        raise PluginError(f"it has no hooks; mark them with @hookimpl. Hooks are {', '.join(known)}")
    for caller in callers:
        if not caller.has_spec():
            hint = did_you_mean(caller.name, known)
            raise PluginError(f"there is no hook {caller.name!r}{hint} Hooks are {', '.join(known)}")
    specs = [spec for answer in manager.hook.venues() for spec in answer]
    for spec in specs:
        if not isinstance(spec, VenueSpec):
            raise PluginError(f"its venues() gave a {type(spec).__name__}; expected VenueSpec")
    for hook in ("commands", "routing_policies"):
        for pairs in getattr(manager.hook, hook)():
            _check_pairs(hook, pairs)
    twice = [name for name, count in Counter(spec.name for spec in specs).items() if count > 1]
    if twice:
        raise PluginError(f"its venues() gave {twice[0]!r} twice")
    return specs


def _check_pairs(hook: str, pairs: Any) -> None:
    """Refuse what is no list of names and functions."""
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str) or not callable(pair[1]):
            raise PluginError(f"its {hook}() gave {pair!r}; expected pairs of a name and a function")


def _report(point: EntryPoint, status: PluginStatus, reason: str | None, venues: tuple[str, ...] = ()) -> PluginReport:
    distribution = f"{point.dist.name} {point.dist.version}" if point.dist is not None else ""
    return PluginReport(name=point.name, distribution=distribution, status=status, reason=reason, venues=venues)


def _explain(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, PluginError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
