"""The official OCDS schemas with the extensions that we declare, to test against. They are not part of this repository:
`JEJAK_OCDS_REFERENCE` names their folder, by default `../shared/ocds` beside it."""

import io
import json
import os
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import json_merge_patch
import jsonschema_rs
import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

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


def _zipped(folder: Path, root: str, below: str = "") -> bytes:
    """A ZIP archive of a folder, as GitHub makes it: its first entry is the folder."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.mkdir(root)
        for path in sorted(filter(Path.is_file, folder.rglob("*"))):
            archive.write(path, f"{root}/{below}{path.relative_to(folder)}")
    return content.getvalue()


def _answered(site: str, publication: Path, request: PreparedRequest) -> Response:
    """The answer to a request for the standard, for one of its extensions, or for a file of a publication at `site`."""
    url = str(request.url)
    extension = REFERENCE / "extensions" / url.partition("/ocds_")[2].partition("_extension/")[0]
    schema = REFERENCE / "1.1.5" / url.rpartition("/")[2]
    content = None
    if url.startswith(f"{site}/"):
        path = publication / url.removeprefix(f"{site}/")
        content = path.read_bytes() if path.is_file() else None
    elif "/archive/" in url and extension.is_dir():
        content = _zipped(extension, extension.name)
    elif schema.is_file():
        content = schema.read_bytes()
    response = Response()
    response.url, response.request = url, request
    response.status_code, response.reason = (404, "Not Found") if content is None else (200, "OK")
    response.raw = HTTPResponse(io.BytesIO(content or b""), preload_content=False)
    return response


def review(package: dict[str, Any], site: str, publication: Path, work: Path) -> dict[str, Any]:
    """What the standard's own review (libcoveocds) says of a package, offline: the extensions that it declares are
    those of the reference folder and of the publication."""
    from libcoveocds.api import ocds_json_output
    from libcoveocds.config import LibCoveOCDSConfig

    standard = work / "standard.zip"
    standard.write_bytes(_zipped(REFERENCE / "1.1.5", "standard-1__1__5", "schema/"))
    config = LibCoveOCDSConfig({"standard_zip": standard.as_uri(), "context": "api"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", lambda _, request, **__: _answered(site, publication, request))
        found: dict[str, Any] = ocds_json_output(str(work), json_data=package, lib_cove_ocds_config=config)
    return found
