"""The official OCDS schemas with the extensions that we declare, to test against. They are not part of this repository:
`JEJAK_OCDS_REFERENCE` names their folder, by default `../shared/ocds` beside it."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import json_merge_patch
import jsonschema_rs
import pytest

from schemas.ocds import EXTENSIONS, extension_files

REFERENCE = Path(os.environ.get("JEJAK_OCDS_REFERENCE") or Path(__file__).parents[2] / "shared" / "ocds")

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(),
    reason="the official OCDS schemas are not beside the repository; name their folder in JEJAK_OCDS_REFERENCE",
)


def load(path: str) -> Any:
    """A JSON file of the reference folder."""
    return json.loads((REFERENCE / path).read_text(encoding="utf-8"))


def release_schema() -> dict[str, Any]:
    """The release schema, patched with the schema of each extension in `EXTENSIONS` and of our own."""
    schema: dict[str, Any] = load("1.1.5/release-schema.json")
    for url in EXTENSIONS:
        folder = url.split("/ocds_")[1].split("_extension/")[0]
        json_merge_patch.merge(schema, load(f"extensions/{folder}/release-schema.json"))
    json_merge_patch.merge(schema, json.loads(extension_files()["extensions/indonesia/release-schema.json"]))
    return schema


@cache
def release_validator() -> jsonschema_rs.Draft4Validator:
    """Checks releases and compiled releases, formats (date-time, uri) included."""
    return jsonschema_rs.Draft4Validator(release_schema(), validate_formats=True)


@cache
def package_validator(kind: str) -> jsonschema_rs.Draft4Validator:
    """Checks a package; `kind` is `release` or `record`."""
    released = release_schema()
    versioned = load("1.1.5/versioned-release-validation-schema.json")
    registry = jsonschema_rs.Registry([(schema["id"], schema) for schema in (released, versioned)])
    schema = load(f"1.1.5/{kind}-package-schema.json")
    return jsonschema_rs.Draft4Validator(schema, validate_formats=True, registry=registry)
