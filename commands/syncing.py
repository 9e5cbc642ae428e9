"""Commands that read the sources and build records: sync, build, retry, rebuild."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

from commands.looking import NOTHING_CAME, print_services, print_status
from commands.parsing import Add, source_name
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from schemas.settings import Settings

log = logging.getLogger("jejak")

_NAMED = 5
"""Failed lists that the last line names; the lines above have all."""


def add_commands(add: Add) -> None:
    """Add the commands of this file to the parser."""
    sync = add("sync", _sync, "fetch from the sources and build the records that changed")
    sync.add_argument(
        "sources", nargs="*", metavar="SOURCE", help="such as sirup or lpse; all configured ones by default"
    )
    sync.add_argument("--service", action="append", metavar="NAME", help="only this service (may be given again)")
    sync.add_argument("--year", type=int, action="append", help="fiscal year instead of those in the settings")
    sync.add_argument("--no-build", action="store_true", help="only fetch; `jejak build` makes the records later")
    sync.add_argument("--dry-run", action="store_true", help="fetch and show what would change; write nothing")
    sync.add_argument("--json", action="store_true")
    build = add("build", _build, "build the records that earlier fetches left pending")
    build.add_argument("--json", action="store_true")
    retry = add("retry", _retry, "try rejected rows again with today's code")
    retry.add_argument("--source", type=source_name, help="only rows of this source")
    retry.add_argument("--json", action="store_true")
    rebuild = add("rebuild", _rebuild, "derive releases again with today's mappings; what they no longer say is voided")
    rebuild.add_argument("ocids", nargs="*", metavar="OCID", help="processes; all by default")
    rebuild.add_argument("--json", action="store_true")


def _sync(options: argparse.Namespace) -> int:
    from pipeline.workers import start_forkserver

    start_forkserver()
    from pipeline import steps
    from pipeline.configure import load_settings
    from pipeline.progress import logged_progress
    from reports.status import status

    settings = load_settings(options.settings)
    plan = steps.plan_of(settings, options.sources, options.year, options.service)
    if not plan:
        raise SettingsError("nothing to read: the settings have no source, or all their services are switched off")
    if options.dry_run:
        return _preview(settings, plan, options.json)
    run_id = steps.start_run(settings, "sync")
    failed: list[str] = []
    came = 0
    missing = {source for source, _, _ in plan}
    try:
        progress = logged_progress("lists read")
        for number, result in enumerate(steps.sync_services(settings, plan, run_id), 1):
            progress(number, len(plan))
            came += result["status"] not in ("failed", "absent")
            if result["status"] == "failed":
                failed.append(f"{result['service']} {result['scope']}")
            if result["status"] != "absent":
                missing.discard(result["source"])
        for source in sorted(missing):
            log.warning("the folder holds no list of %s at all; look at JEJAK_DUMPS or its folder", source)
        if missing == {source for source, _, _ in plan}:
            failed += sorted(missing)
        # All is read: whoever builds now, this run or another, may place its rows.
        steps.finish_run(settings, run_id, f"failed: {', '.join(failed)}" if failed else None)
        if not options.no_build:
            steps.build_records(settings, run_id)
    except BaseException as error:
        steps.finish_run(settings, run_id, steps.reason_of(error))
        raise
    found = status(settings, run_id)
    if options.json:
        print(json.dumps({"run": run_id, "failed": failed, **found}, indent=2, ensure_ascii=False))
    else:
        print_status(found, settings.utc_offset)
    if failed:
        others = ". The others are in, and nothing was lost" if came else ""
        more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
        print(f"jejak: failed: {', '.join(failed[:_NAMED])}{more}{others}", file=sys.stderr)
    # Where one source alone is empty `health` is red; a sync that brought nothing at all has not succeeded.
    nothing = all(found["sources"].get(source, {}).get("empty") for source, _, _ in plan)
    if nothing:
        print(f"jejak: nothing came: {NOTHING_CAME}", file=sys.stderr)
    return 1 if failed or nothing else 0


def _preview(settings: Settings, plan: list[tuple[str, str, str]], as_json: bool) -> int:
    from pipeline import steps
    from pipeline.progress import logged_progress

    progress, found = logged_progress("lists read"), []
    for number, (source, service, scope) in enumerate(plan, 1):
        found.append(steps.preview_service(settings, source, service, scope))
        progress(number, len(plan))
    if as_json:
        print(json.dumps({"services": found}, indent=2, ensure_ascii=False))
    else:
        _print_preview(found)
    failed = any(each["status"] == "failed" for each in found)
    return 1 if failed or all(each["status"] == "absent" for each in found) else 0


def _print_preview(found: list[dict[str, Any]]) -> None:
    for each in found:
        each["service"] += f" {each['scope']}"
    print_services(found)
    for each in found:
        for name, examples in each["examples"].items():
            if examples:
                print(f"  {each['service']}: {name} {', '.join(examples)}")
    print("\nNothing was written: this is what a sync would do now.")


def _build(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings

    settings = load_settings(options.settings)
    with steps.recorded(settings, "build") as run_id:
        counts = steps.build_records(settings, run_id)
    _print_counts(run_id, counts, options.json)
    return 0


def _retry(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings

    settings = load_settings(options.settings)
    with steps.recorded(settings, "retry") as run_id:
        counts = steps.retry(settings, run_id, options.source)
    _print_counts(run_id, counts, options.json)
    return 0


def _rebuild(options: argparse.Namespace) -> int:
    from pipeline import steps
    from pipeline.configure import load_settings

    settings = load_settings(options.settings)
    with steps.recorded(settings, "rebuild") as run_id:
        steps.enqueue(settings, options.ocids or None)
        counts = steps.build_records(settings, run_id)
    _print_counts(run_id, counts, options.json)
    return 0


def _print_counts(run_id: str, counts: dict[str, int], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"run": run_id, **counts}))
    else:
        print(", ".join(f"{name} {count}" for name, count in counts.items()))
