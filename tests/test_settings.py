"""Settings that can't be misread: whatever nobody knows is an error with the right name and where it stands."""

import json
import tomllib
from pathlib import Path

import pytest

from pipeline.configure import load_settings
from pipeline.reference import PATH, reference, toml
from pipeline.registry import SOURCES
from schemas.errors import SettingsError
from schemas.settings import Alerts, ServiceSettings, Settings, SourceSettings, SplitColumn, Thresholds

ROOT = Path(__file__).resolve().parent.parent
SECRET = "rahasia-yang-tak-boleh-bocor"
BASE = 'name = "Kabupaten Contoh"\nocid_prefix = "ocds-000000"\nkd_klpd = "D999"\nkd_lpse = "999"\n'
PLANS = "RUP-PaketPenyedia-Terumumkan"

IN_FILE: dict[str, tuple[str, str]] = {
    "a key": ('kd_kldp = "D171"', "kd_kldp is no setting; did you mean kd_klpd?"),
    "a region": ('wilayah = "35.99"', "wilayah: no province or regency has this code in Kemendagri's list"),
    "a section": ('[alert]\nwebhook = "x"', "alert is no setting; did you mean alerts?"),
    "a key of alerts": ('[alerts]\nwebhok = "x"', "alerts.webhok is no setting of alerts; did you mean webhook?"),
    "the only source": ('[sources.sirupp]\ntransport = "inaproc"', "sources.sirupp is no source; did you mean sirup?"),
    "a source unlike any": (
        '[sources.padi]\ntransport = "rest"',
        f"sources.padi is no source; there are {', '.join(SOURCES)}",
    ),
    "a key of a source": (
        f'[sources.lpse]\ntokn = "{SECRET}"',
        "sources.lpse.tokn is no setting of a source; did you mean token?",
    ),
    "a service switched off": (
        '[sources.sirup.services."RUP-PaketPenyedia-Terumumkn"]\nenabled = false',
        f"sources.sirup.services.RUP-PaketPenyedia-Terumumkn is no service of sirup; did you mean {PLANS}?",
    ),
    "a service with a file": (
        '[sources.simpen.services."SIMPEN-Pekerjan"]\nfile = "x.xlsx"',
        "sources.simpen.services.SIMPEN-Pekerjan is no service of simpen; did you mean SIMPEN-Pekerjaan?",
    ),
    "a service of another source": (
        f'[sources.lpse.services."{PLANS}"]\nenabled = false',
        f"sources.lpse.services.{PLANS} is no service of lpse; ",
    ),
    "a key of a service": (
        '[sources.simpen.services."SIMPEN-Pekerjaan"]\nshet = "Kota"',
        "sources.simpen.services.SIMPEN-Pekerjaan.shet is no setting of a service; did you mean sheet?",
    ),
    "a column of ours": (
        '[sources.simpen.services."SIMPEN-Pekerjaan".columns]\nnomr_kontrak = "No. Kontrak"',
        "SIMPEN-Pekerjaan.columns.nomr_kontrak is no field of SIMPEN-Pekerjaan; did you mean nomor_kontrak?",
    ),
    "a constant": (
        '[sources.simpen.services."SIMPEN-Pekerjaan".constants]\ntahn = 2025',
        "SIMPEN-Pekerjaan.constants.tahn is no field of SIMPEN-Pekerjaan; did you mean tahun?",
    ),
    "a part of a split column": (
        '[sources.simpen.services."SIMPEN-Pekerjaan".columns]\n'
        'desa = { column = "Lokasi", split = ",", part = 0, parts = 1 }',
        "columns.desa.parts is no part of a split column; did you mean part?",
    ),
    "a service with a key": (
        f'[sources.lpse.api_keys]\nSPSE-TenderPengumuman1 = "{SECRET}"',
        "sources.lpse.api_keys.SPSE-TenderPengumuman1 is no service of lpse; did you mean SPSE-TenderPengumuman?",
    ),
    "a key in a service's place": (
        f'[sources.lpse.api_keys]\n"{SECRET}" = "SPSE-TenderPengumuman"',
        'sources.lpse.api_keys."***" is no service of lpse',
    ),
    "a linking rule": (
        "[links.budget-pakage]\naccept = 0.9\npending = 0.5",
        "links.budget-pakage is no linking rule; did you mean budget-package?",
    ),
    "a threshold of flags": (
        "[flags]\nr002_nera = 0.9",
        "flags.r002_nera is no setting of red flags; did you mean r002_near?",
    ),
    "a key of a limit of flags": (
        "[[flags.limits]]\nmetod = 'x'",
        'flags.limits."0".metod: is no setting here',
    ),
    "a threshold": (
        "[links.budget-package]\naccept = 0.9\npendng = 0.5",
        "links.budget-package.pendng is no setting of a linking rule; did you mean pending?",
    ),
    "a source without a table": ('sources = "lpse"', "sources: must be a table"),
    "a transport": (
        '[sources.lpse]\ntransport = "inaprok"',
        "sources.lpse.transport: must be 'isb', 'inaproc'",
    ),
    "a folder for an address": ('[sources.lpse]\nurl = "dumps/lpse"', "sources.lpse.url: must be an address, such as"),
    "half a split column": (
        '[sources.simpen.services."SIMPEN-Pekerjaan".columns]\nnomor_kontrak = {column = "a"}',
        "columns.nomor_kontrak.split: is missing; sources.simpen.services.SIMPEN-Pekerjaan.columns.nomor_kontrak.part: "
        "is missing",
    ),
    "a column that is a number": (
        '[sources.simpen.services."SIMPEN-Pekerjaan".columns]\nnomor_kontrak = 4',
        "columns.nomor_kontrak: must be a text",
    ),
    "a year before all sources": ("fiscal_years = [1850]", 'fiscal_years."0": must be greater than or equal'),
}

IN_ENVIRONMENT: dict[str, tuple[str, str, str]] = {
    "a key": ("JEJAK_WAREHOUSE", "sqlite:///x.db", "this is no setting; did you mean JEJAK_WAREHOUSE_URL?"),
    "a variable of Jejak's own": ("JEJAK_SETING", "x.toml", "this is no setting; did you mean JEJAK_SETTINGS?"),
    "a source": (
        "JEJAK_SOURCES__LPS__TOKEN",
        SECRET,
        "this is no source; did you mean JEJAK_SOURCES__LPSE__TOKEN?",
    ),
    "the table of sources": (
        "JEJAK_SOURCE__LPSE__TOKEN",
        SECRET,
        "this is no setting; did you mean JEJAK_SOURCES__LPSE__TOKEN?",
    ),
    "a variable of the tests": ("JEJAK_TEST_KILS", "5", "this is no setting; did you mean JEJAK_TEST_KILLS?"),
    "small letters": ("jejak_fiscal_years", "[2025]", "variables are written in capitals, as JEJAK_FISCAL_YEARS"),
    "a time": ("JEJAK_NOW", "yesterday", "must be a time in UTC, such as 2025-06-30T12:00:00Z"),
    "an address": ("JEJAK_SOURCES__LPSE__URL", "http://[::1", "must be an address, such as https://"),
    "a blank in an address": ("JEJAK_LICENSE", "https://x.example/a b", "must be an address, such as https://"),
    "one slash": ("JEJAK_SITE_URL", "https:/kontrak.example", "must be an address, such as https://"),
    "no host": ("JEJAK_SITE_URL", "http:///data", "must be an address, such as https://"),
    "a form": ("JEJAK_OCID_PREFIX", "ocds-A", "has another form than it must have, such as ocds-213czf"),
    "a key of a source": (
        "JEJAK_SOURCES__LPSE__TOKN",
        SECRET,
        "this is no setting of a source; did you mean JEJAK_SOURCES__LPSE__TOKEN?",
    ),
    "a service with a key": (
        "JEJAK_SOURCES__LPSE__API_KEYS",
        json.dumps({"SPSE-TenderPengumumn": SECRET}),
        "sources.lpse.api_keys.SPSE-TenderPengumumn is no service of lpse; did you mean SPSE-TenderPengumuman?",
    ),
    "a service's key": (
        "JEJAK_SOURCES__LPSE__SERVICES",
        json.dumps({"SPSE-TenderPengumuman": {"enable": False}}),
        "SPSE-TenderPengumuman.enable is no setting of a service; did you mean enabled?",
    ),
    "no JSON": ("JEJAK_SOURCES", SECRET, "must be a table, written as JSON"),
    "cut off": ("JEJAK_SOURCES__LPSE__API_KEYS", f'{{"a": "{SECRET}', "must be a table, written"),
    "no list": ("JEJAK_FISCAL_YEARS", "2025", "must be a list, written as JSON"),
    "no number": ("JEJAK_SHARDS", SECRET, "must be a whole number"),
    "more parts than there are": ("JEJAK_NAME__FIRST", "x", "name has no parts; write JEJAK_NAME"),
}


def written(path: Path, more: str = "") -> str:
    (path / "settings.toml").write_text(BASE + more)
    return str(path / "settings.toml")


@pytest.mark.parametrize("kind", IN_FILE)
def test_what_a_file_misspells_is_named_with_what_was_meant(tmp_path, kind):
    more, message = IN_FILE[kind]
    with pytest.raises(SettingsError) as caught:
        load_settings(written(tmp_path, more))
    assert str(caught.value).startswith(f"settings file {tmp_path}/settings.toml: ")
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("kind", IN_ENVIRONMENT)
def test_what_a_variable_misspells_is_named_with_the_variable(tmp_path, monkeypatch, kind):
    variable, value, message = IN_ENVIRONMENT[kind]
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(written(tmp_path))
    assert str(caught.value).startswith(variable)
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)


def test_all_that_is_wrong_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("JEJAK_SHARD", "2")
    with pytest.raises(SettingsError) as caught:
        load_settings(written(tmp_path, 'kd_kldp = "D171"\nworkers = 0\n'))
    for message in ("kd_kldp is no setting", "workers: must be greater", "JEJAK_SHARD: this is no setting"):
        assert message in str(caught.value)


def test_what_is_laid_between_is_checked_too(tmp_path):
    path = written(tmp_path, "[sources.lpse]\n")
    with pytest.raises(SettingsError, match=r"in Airflow by a connection.*api_keys.SPSE-Tender is no service of lpse"):
        load_settings(path, lambda _: {"sources": {"lpse": {"api_keys": {"SPSE-Tender": SECRET}}}})
    with pytest.raises(
        SettingsError, match=r"in Airflow by a connection.*sources.lpse.page_size: must be a whole number"
    ):
        load_settings(path, lambda _: {"sources": {"lpse": {"page_size": SECRET}}})


def test_variables_lie_over_the_layer_and_that_over_the_file(tmp_path, monkeypatch):
    path = written(
        tmp_path, '[sources.lpse]\nretries = 1\ntimeout_seconds = 2\nservices."SPSE-PesertaTender".file = "a"\n'
    )
    monkeypatch.setenv("JEJAK_SOURCES", json.dumps({"lpse": {"max_pages": 7, "folder": "of the table"}}))
    monkeypatch.setenv("JEJAK_SOURCES__LPSE__FOLDER", "{year}")
    monkeypatch.setenv("JEJAK_SOURCES__LPSE__RETRIES", "3")
    monkeypatch.setenv("JEJAK_SOURCES__LPSE__SERVICES__SPSE_PESERTATENDER__SHEET", "Kota")
    monkeypatch.setenv("JEJAK_LINKS__BUDGET_PACKAGE", '{"accept": 0.9, "pending": 0.5}')
    monkeypatch.setenv("JEJAK_DUMPS", "dumps")
    monkeypatch.setenv("JEJAK_FISCAL_YEARS", "[2024, 2025]")
    settings = load_settings(path, lambda known: {"sources": {"lpse": {"retries": 2, "page_size": 9}}})
    lpse = settings.sources["lpse"]
    assert (lpse.retries, lpse.page_size, lpse.timeout_seconds, lpse.max_pages, lpse.folder) == (3, 9, 2, 7, "{year}")
    assert lpse.services["SPSE-PesertaTender"].model_dump(exclude_unset=True) == {"file": "a", "sheet": "Kota"}
    assert (settings.links["budget-package"].accept, settings.dumps) == (0.9, "dumps")
    assert settings.fiscal_years == [2024, 2025]


@pytest.mark.parametrize(
    "variable", ["JEJAK_SETTINGS", "JEJAK_TEST_POSTGRES_URL", "JEJAK_BENCH_WAREHOUSE_URL",
                 "JEJAK_EXAMPLES", "JEJAK_OCDS_REFERENCE", "JEJAK_REAL_DATA"]
)  # fmt: skip
def test_what_is_no_setting_of_a_regency_is_let_be(tmp_path, monkeypatch, variable):
    monkeypatch.setenv(variable, "x")
    assert isinstance(load_settings(written(tmp_path)), Settings)


@pytest.mark.parametrize("path", sorted((ROOT / "settings").glob("*.toml")), ids=lambda path: path.stem)
def test_what_we_ship_is_right(path):
    assert load_settings(str(path)).sources


KUBERNETES = {
    "JEJAK_SERVICE_HOST": "10.96.0.12",
    "JEJAK_SERVICE_PORT": "8080",
    "JEJAK_SERVICE_PORT_HTTP": "8080",
    "JEJAK_PORT": "tcp://10.96.0.12:8080",
    "JEJAK_PORT_8080_TCP": "tcp://10.96.0.12:8080",
    "JEJAK_PORT_8080_TCP_PROTO": "tcp",
    "JEJAK_PORT_8080_TCP_PORT": "8080",
    "JEJAK_PORT_8080_TCP_ADDR": "fd00::c",
    "JEJAK_WAREHOUSE_SERVICE_HOST": "10.96.0.13",
    "JEJAK_WAREHOUSE_PORT_5432_TCP_ADDR": "10.96.0.13",
}
"""What Kubernetes injects for services `jejak` and `jejak-warehouse`."""


def test_what_kubernetes_injects_is_passed_over(tmp_path, monkeypatch):
    for name, value in KUBERNETES.items():
        monkeypatch.setenv(name, value)
    assert isinstance(load_settings(written(tmp_path)), Settings)


@pytest.mark.parametrize("name", ["JEJAK_PORT", "JEJAK_SERVICE_HOST", "JEJAK_WAREHOUSE_PORT"])
def test_what_only_looks_like_it_is_an_error(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "sqlite:///x.db")
    with pytest.raises(SettingsError, match=f"{name}: this is no setting"):
        load_settings(written(tmp_path))


def test_the_reference_is_that_of_the_models():
    assert PATH.read_text(encoding="utf-8") == reference(), "run: .venv/bin/python -m pipeline.reference"


MODELS = (Settings, SourceSettings, ServiceSettings, SplitColumn, Thresholds, Alerts)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_setting_has_a_meaning_and_an_example_that_it_takes(model):
    for name, field in model.model_fields.items():
        assert field.description, name
        inner = (model is Settings and name in ("alerts", "site", "sources", "flags", "links")) or name == "services"
        assert inner or field.examples, name
        given = {other: each.examples[0] for other, each in model.model_fields.items() if each.is_required()}
        if model is Thresholds:
            given = {"accept": 1, "pending": 0}
        for example in field.examples or ():
            assert model.model_validate(given | {name: example})
            assert tomllib.loads(f"x = {toml(example)}") == {"x": example}
