"""``exchange venues`` and ``plugins``: what is installed, what it can do, and what failed to load and why."""

from __future__ import annotations

import attrs
import typer

from exchange_core.cli.opening import read_config
from exchange_core.cli.options import ConfigOption, JsonOption, output
from exchange_core.connector.spec import VenueSpec
from exchange_core.plugins import load_plugins


def register(app: typer.Typer) -> None:
    app.command()(venues)
    app.command()(plugins)


def venues(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the venues that can be used, and what each can do."""
    out = output(as_json)
    settings, installed = read_config(config)
    rows = [{"name": name, "configured_as": [], **_abilities(spec)} for name, spec in installed.venues.items()]
    for row in rows:
        row["configured_as"] = (
            [e.name for e in settings.venues.values() if e.spec.name == row["name"]] if settings else []
        )
    rows.sort(key=lambda row: str(row["name"]))
    columns = ("name", "title", "streams", "book_depths", "simulated", "configured_as")
    out.rows(rows, columns, empty="no venue plugin is installed; see: exchange plugins")
    failed = [report for report in installed.reports if report.reason]
    for report in failed:
        out.say(f"plugin {report.name}: {report.reason}")


def plugins(as_json: JsonOption = False) -> None:
    """List the installed plugins, and why one did not load."""
    out = output(as_json)
    reports = load_plugins().reports
    rows = [{field.name: getattr(report, field.name) for field in attrs.fields(type(report))} for report in reports]
    columns = ("name", "distribution", "status", "venues", "reason")
    out.rows(rows, columns, empty="no plugin is installed")


def _abilities(spec: VenueSpec) -> dict[str, object]:
    return {
        "title": spec.title,
        "streams": sorted({str(channel) for feed in spec.feeds for channel in feed.channels}),
        "book_depths": list(spec.book_depths),
        "orders": dict(spec.support),
        "simulated": spec.is_simulated,
    }
