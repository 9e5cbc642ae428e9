"""Settings from a TOML file, each value overridable by environment; secrets stand there, or in a layer between.

Nothing that nobody knows is passed over: a setting, source, service, field or linking rule that doesn't exist is an
error that names the one that was meant.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.registry import SOURCES
from schemas.errors import SettingsError
from schemas.flags import FlagSettings
from schemas.settings import Alerts, ServiceSettings, Settings, Site, SourceSettings, SplitColumn, Thresholds
from transforms.linking import RULES
from transforms.places import is_region

PREFIX = "JEJAK_"
# Variables of Jejak that are no settings: which file holds them, what time it is, and what tests and the bench use.
_OWN = (
    *("SETTINGS", "NOW", "EXAMPLES", "OCDS_REFERENCE", "REAL_DATA", "BENCH_WAREHOUSE_URL"),
    *("TEST_INTERRUPTS", "TEST_KILLS", "TEST_MARK", "TEST_POSTGRES_URL", "TEST_SCREENSHOTS"),
    *("TEST_TORTURE", "TEST_TORTURE_SEED"),
)
# What Kubernetes puts into each container for a service whose name begins with `jejak`: name and value must be its own.
_KUBERNETES = {
    re.compile(r"(\w+_)?SERVICE_HOST"): re.compile(r"[\da-f.:]+"),
    re.compile(r"(\w+_)?SERVICE_PORT(_\w+)?"): re.compile(r"\d+"),
    re.compile(r"(\w+_)?PORT(_\d+_(TCP|UDP|SCTP))?"): re.compile(r"(tcp|udp|sctp)://\S+:\d+"),
    re.compile(r"(\w+_)?PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)"): re.compile(r"tcp|udp|sctp|[\da-f.:]+"),
}

# What pydantic calls the forms of which a setting may have one.
_ALTERNATIVES = ("str", "int", "list[int]", "SplitColumn")
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is no setting here",
    "string_type": "must be a text",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "has another form than it must have",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "list_type": "must be a list",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}

Keys = tuple[str, ...]


def load_settings(path: str | None = None, more: Callable[[Settings], Mapping[str, Any]] | None = None) -> Settings:
    """The settings of the file at `path`, or of the one that JEJAK_SETTINGS names; the environment overrides any value:
    `JEJAK_WAREHOUSE_URL`, `JEJAK_SOURCES__LPSE__TOKEN`, `JEJAK_FISCAL_YEARS='[2025]'`.

    `more` is given those and returns what is laid over the file, below the environment: in Airflow its connections.

    Raises SettingsError naming each key or variable that is wrong and what to write; a value is never repeated, it may
    be a secret.
    """
    chosen = path or os.environ.get(f"{PREFIX}SETTINGS")
    if not chosen:
        raise SettingsError(
            "no settings file: give --settings FILE or set JEJAK_SETTINGS; `jejak init FILE.toml` writes a first one"
        )
    try:
        content = tomllib.loads(Path(chosen).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"settings file {chosen} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"settings file {chosen} is no text in UTF-8: save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        text = re.sub(r"\(('[^)]*)\)", lambda names: ".".join(re.findall("'([^']+)'", names[1])), str(error))
        raise SettingsError(f"settings file {chosen} is not valid TOML: {text}") from None
    settings = _checked(chosen, content, {})
    return _checked(chosen, content, more(settings)) if more else settings


def check_text(path: Path, text: str) -> None:
    """Raise SettingsError for what is wrong with the text of a settings file, whatever the environment sets."""
    content = tomllib.loads(text)
    wrong = [f"{_shown(loc)} {fault}" for loc, fault in _unknown(content)]
    try:
        Settings.model_validate(content)
    except ValidationError as failure:
        wrong += [f"{_shown(loc)}: {fault}" for loc, _, fault in _faults(failure)]
    if wrong:
        raise SettingsError(f"settings file {path}: {'; '.join(wrong)}")


def faults(failure: ValidationError) -> str:
    """What is wrong with which keys, without their values."""
    return "; ".join(f"{_shown(loc)}: {fault}" for loc, _, fault in _faults(failure))


def _checked(chosen: str, content: Mapping[str, Any], above: Mapping[str, Any]) -> Settings:
    """The settings of a file, with what is laid over it and the environment. Raises SettingsError."""
    wrong = {
        "file": [f"{_shown(path)} {fault}" for path, fault in _unknown(content)],
        "above": [f"{_shown(path)} {fault}" for path, fault in _unknown(above)],
        "environment": [],
    }
    values, variables, wrong["environment"] = _environment()
    try:
        settings = Settings.model_validate(_laid_over(_laid_over(content, above), values))
    except ValidationError as failure:
        settings = None
        for loc, kind, fault in _faults(failure):
            variable = next((name for name, path in variables.items() if loc[: len(path)] == path), None)
            if kind == "extra_forbidden" and _below(loc[:-1]) is not None:
                continue  # listed above, with the name that was meant
            if variable is not None:
                inside = f" ({_shown(loc)})" if loc != variables[variable] else ""
                hint = ", written as JSON" if kind in ("list_type", "dict_type", "model_type") else ""
                wrong["environment"].append(f"{variable}{inside}: {fault}{hint}")
            else:
                wrong["above" if _holds(above, loc) else "file"].append(f"{_shown(loc)}: {fault}")
    if settings and settings.wilayah and not is_region(settings.wilayah):
        named = next((name for name, path in variables.items() if path == ("wilayah",)), None)
        fault = "no province or regency has this code in Kemendagri's list; Bojonegoro's is 35.22"
        wrong["environment" if named else "file"].append(f"{named or 'wilayah'}: {fault}")
    texts = []
    if wrong["file"]:
        texts.append(f"settings file {chosen}: {'; '.join(wrong['file'])}")
    if wrong["above"]:
        texts.append(f"laid over settings file {chosen} (in Airflow by a connection): {'; '.join(wrong['above'])}")
    texts += wrong["environment"]
    if settings is None or texts:
        raise SettingsError("; ".join(texts))
    return settings


def _faults(failure: ValidationError) -> Iterator[tuple[Keys, str, str]]:
    """The path, kind and text of each fault that pydantic found, without values."""
    found: dict[Keys, tuple[str, str]] = {}
    for fault in failure.errors(include_url=False, include_input=False, include_context=False):
        path = tuple(str(part) for part in fault["loc"] if part not in _ALTERNATIVES)
        text = fault["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        found.setdefault(path, (fault["type"], _WORDS.get(fault["type"], text) + _example(path, fault["type"])))
    for path, (kind, text) in found.items():
        # Where one of several forms was meant, what is wrong inside it says more than that the others don't fit.
        if not any(other != path and other[: len(path)] == path for other in found):
            yield path, kind, text


def _example(path: Keys, kind: str) -> str:
    fields = (model.model_fields.get(path[-1]) for model in (Settings, SourceSettings, ServiceSettings) if path)
    examples = next((field.examples for field in fields if field and field.examples), None)
    return f", such as {examples[0]}" if examples and kind == "string_pattern_mismatch" else ""


def _below(path: Keys) -> tuple[str, Collection[str]] | None:
    """What the keys of the table at a path are, and which there are; None where no table of names stands."""
    match path:
        case ():
            return "setting", Settings.model_fields
        case ("alerts",):
            return "setting of alerts", Alerts.model_fields
        case ("site",):
            return "setting of the page", Site.model_fields
        case ("flags",):
            return "setting of red flags", FlagSettings.model_fields
        case ("links",):
            return "linking rule", RULES
        case ("links", _):
            return "setting of a linking rule", Thresholds.model_fields
        case ("sources",):
            return "source", SOURCES
        case ("sources", _):
            return "setting of a source", SourceSettings.model_fields
        case ("sources", source, "services" | "api_keys"):
            return f"service of {source}", SOURCES[source].services
        case ("sources", _, "services", _):
            return "setting of a service", ServiceSettings.model_fields
        case ("sources", source, "services", name, "columns" | "constants"):
            service = SOURCES[source].services[name]
            return f"field of {name}", list(dict.fromkeys([*service.key, *service.fields, *service.aliases]))
        case ("sources", _, "services", _, "columns", _):
            return "part of a split column", SplitColumn.model_fields
    return None


def _unknown(content: Mapping[str, Any], path: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """The path of each name that nobody knows, and what to say of it."""
    if (below := _below(path)) is None:
        return
    what, names = below
    for name, value in content.items():
        if name not in names:
            # Who mixes up keys and services in api_keys has written a secret here.
            hidden = path[-1:] == ("api_keys",) and not _nearest(name, names)
            yield (*path, "***" if hidden else name), f"is no {what}; {meant(name, names)}"
        elif isinstance(value, Mapping):
            yield from _unknown(value, (*path, name))


def _environment() -> tuple[dict[str, Any], dict[str, Keys], list[str]]:
    """What the variables set, as the file would have it; the path of each; and what is wrong with their names."""
    values: dict[str, Any] = {}
    variables: dict[str, Keys] = {}
    wrong: list[str] = []
    given = {name: name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX)}
    wrong += [
        f"{name}: variables are written in capitals, as {name.upper()}"
        for name in os.environ
        if name.upper().startswith(PREFIX) and not name.startswith(PREFIX)
    ]
    # A table as a whole comes before the single values in it.
    for variable, name in sorted(given.items(), key=lambda item: item[1].count("__")):
        if name == "NOW" and os.environ[variable] and not _is_moment(os.environ[variable]):
            wrong.append(f"{variable}: must be a time in UTC, such as 2025-06-30T12:00:00Z")
        if name in _OWN or _of_kubernetes(name, os.environ[variable]):
            continue
        path: Keys = ()
        for part in name.split("__"):
            below = _below(path)
            if below is None:
                wrong.append(f"{variable}: {_shown(path)} has no parts; write {_variable(path)}")
                break
            what, names = below
            found = next((each for each in names if _plain(each) == _plain(part)), None)
            if found is None:
                own = _OWN if not path else ()
                inner = name.split("__")[len(path) + 1 :]
                known = [_variable((*path, each, *inner * (_below((*path, each)) is not None))) for each in names]
                wrong.append(f"{variable}: this is no {what}; {meant(variable, [*known, *map(_variable, zip(own))])}")
                break
            path = (*path, found)
        else:
            value = _read(os.environ[variable])
            variables[variable] = path
            if isinstance(value, Mapping):
                wrong += [f"{variable}: {_shown(inner)} {fault}" for inner, fault in _unknown(value, path)]
            for part in reversed(path):
                value = {part: value}
            values = _laid_over(values, value)
    return values, variables, wrong


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%SZ") == text
    except ValueError:
        return False


def _of_kubernetes(name: str, value: str) -> bool:
    return any(names.fullmatch(name) and values.fullmatch(value) for names, values in _KUBERNETES.items())


def _read(text: str) -> Any:
    """A variable's value: a list or table where it is one in JSON, else the text."""
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError:
            pass  # `{year}` in a path; where a list or table is due, the model refuses the text
    return text


def _plain(name: str) -> str:
    """A name as variables can have it: the shell knows no `-` in them."""
    return name.casefold().replace("-", "_")


def _variable(path: Keys) -> str:
    return PREFIX + "__".join(part.upper().replace("-", "_") for part in path)


def _nearest(name: str, names: Collection[str]) -> str | None:
    plain = {_plain(each): each for each in names}
    found = difflib.get_close_matches(_plain(name), plain, 1, 0.6)
    return plain[found[0]] if found else None


def meant(name: str, names: Collection[str]) -> str:
    """What to say of a name that is none of these: the nearest of them, or all."""
    near = _nearest(name, names)
    return f"did you mean {near}?" if near else f"there are {', '.join(names)}"


def _shown(path: Keys) -> str:
    """A path as TOML writes it."""
    return ".".join(part if part.replace("-", "_").isidentifier() else f'"{part}"' for part in path)


def _holds(content: Any, path: Keys) -> bool:
    """Whether a table sets something of what stands at the path, or of what it stands in."""
    for part in path:
        if not isinstance(content, Mapping):
            return True
        if part not in content:
            return False
        content = content[part]
    return True


def _laid_over(below: Any, above: Mapping[str, Any]) -> dict[str, Any]:
    """The two as one: tables key by key, of anything else what is above."""
    known = below if isinstance(below, Mapping) else {}
    return {**known} | {
        key: _laid_over(known.get(key), value) if isinstance(value, Mapping) else value for key, value in above.items()
    }
