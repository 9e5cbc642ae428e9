"""The commands that try the settings: check, alert."""

from __future__ import annotations

import argparse
import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from commands.parsing import Add

if TYPE_CHECKING:
    from schemas.settings import Settings


def add_commands(add: Add) -> None:
    """Add the commands of this file to the parser."""
    check = add("check", _check, "try each source as the settings have it, one page a list; load nothing")
    check.add_argument("sources", nargs="*", metavar="SOURCE", help="such as sirup or lpse; all configured by default")
    check.add_argument("--service", action="append", metavar="NAME", help="only this service (may be given again)")
    check.add_argument("--draft", action="store_true", help="propose which columns are which of our fields, as TOML")
    check.add_argument("--json", action="store_true")
    alert = add("alert", _alert, "try the alerts: send a message that says it is a test")
    alert.add_argument("--test", action="store_true", required=True, help="send it now")


def _check(options: argparse.Namespace) -> int:
    from pipeline.checking import checked
    from pipeline.configure import load_settings
    from schemas.errors import SettingsError

    settings = load_settings(options.settings)
    if options.draft:
        return _draft(settings, options)
    found = []
    for _, group in groupby(checked(settings, options.sources, options.service), key=_fault):
        first, *others = group
        found += [first, *others]
        if not options.json:
            _print(first)
            if others:
                print(f"         the same: {', '.join(each['service'] for each in others)}")
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    if not found:
        raise SettingsError("nothing to try: the settings have no source, or all their services are switched off")
    bad = sum(not each["ok"] for each in found)
    if not options.json:
        print(f"\n{bad} of {len(found)} lists need something." if bad else "\nAll is well: run `jejak sync`.")
    return 1 if bad else 0


def _alert(options: argparse.Namespace) -> int:
    from pipeline.alerting import post, trial_body
    from pipeline.configure import load_settings
    from schemas.errors import SettingsError, SourceUnavailable

    settings = load_settings(options.settings)
    webhook = settings.alerts.webhook
    if webhook is None and not settings.alerts.email_to:
        raise SettingsError("alerts have no receiver: set JEJAK_ALERTS__WEBHOOK or JEJAK_ALERTS__EMAIL_TO")
    if webhook is not None:
        if reason := post(webhook.get_secret_value(), trial_body(settings.name)):
            raise SourceUnavailable(f"the webhook did not take the alert ({reason}): look at JEJAK_ALERTS__WEBHOOK")
        print("The webhook has taken the alert: see that it has arrived.")
    if settings.alerts.email_to:
        print("Mail is sent by Airflow alone: try its connection smtp_default there (Admin, Connections).")
    return 0


def _draft(settings: Settings, options: argparse.Namespace) -> int:
    from pipeline.checking import drafts
    from schemas.errors import SettingsError

    texts = [text for _, _, text in drafts(settings, options.sources, options.service)]
    if not texts:
        raise SettingsError(
            "there is no list to draft from; name the file (or endpoint) of a service in the settings, such as "
            '[sources.simpen.services."SIMPEN-Pekerjaan"] with file = "rekap.xlsx"'
        )
    print("\n\n".join(texts))
    # A comment alone: the service could not be read, or has nothing to map.
    return 0 if any(text.startswith("[") for text in texts) else 1


def _fault(found: dict[str, Any]) -> tuple[str, ...]:
    """What is alike of lists that need the same."""
    from pipeline.fetch import same_reason

    service = found["service"]
    reasons = [same_reason(problem, service) for problem in found["problems"]]
    return (found["source"], *reasons) if reasons else (service,)


def _print(found: dict[str, Any]) -> None:
    """One list: what was read, and what to change in the settings."""
    notes = [f"{found['rows']} rows on the first page of {found['read_from']}"] if found["rows"] else []
    if found["unreadable"]:
        notes.append(f"{found['unreadable']} of them unreadable")
    notes += found["notes"]
    name = f"{found['service']} {found['scope']}".strip()
    print(f"{'ok' if found['ok'] else 'WRONG':7}{found['source']:11}{name}: {'; '.join(notes) or 'nothing read'}")
    for problem in found["problems"]:
        print(f"         - {problem}")
    for what in ("mapped", "ignored", "unknown", "missing"):
        # All that a source could say is too much to read where nobody has set anything.
        if found[what] and (found["mapped"] or found["ignored"] or found["problems"]):
            print(f"         {what}: {', '.join(found[what])}")
