"""The hour of a new regency, as docs/configure.md has it: settings, check, sheets mapped, first sync, publication."""

import json
import random
import re
import tomllib
from pathlib import Path

import openpyxl
import pytest

from pipeline.registry import SOURCES
from simulator.drops import DROPS
from tests.test_drafting import respelt
from tests.worlds import TOKEN, EditedWorld, jejak, lines, served

SHEETS = {"Musrenbang-Usulan": "daftar usulan.xlsx", "SIMPEN-Pekerjaan": "rekap pekerjaan.xlsx"}


def write_sheet(rows: list[dict[str, object]], service: str, path: Path, chance: random.Random) -> dict[str, str]:
    """Rows as an office hands them over: a title, headings of its own spelling, amounts with Rp. The heading of each
    field."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([f"REKAPITULASI {path.stem.upper()} KABUPATEN REKAAN"])
    sheet.append([])
    fields = list(DROPS[service][1])
    headings = {field: respelt(DROPS[service][1][field], chance) for field in fields}
    sheet.append(list(headings.values()))
    for row in rows:
        sheet.append(
            [
                f"Rp {value:,.0f}".replace(",", ".") if isinstance(value, int | float) and "nilai" in field else value
                for field in fields
                for value in [row.get(field)]
            ]
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return headings


def with_key(drafted: str, key: str, heading: str) -> str:
    """A draft as its reader mends it where a heading says nothing: moved from `ignore` to `columns`."""
    lines = [line for line in drafted.splitlines() if not line.startswith(f"  {json.dumps(heading)},")]
    at = next(number for number, line in enumerate(lines) if line.endswith(".columns]"))
    return "\n".join([*lines[: at + 1], f"{key} = {json.dumps(heading)}", *lines[at + 1 :]])


def map_sheet(service: str, name: str, headings: dict[str, str]) -> None:
    """Name a sheet in the settings file and map its columns, as docs/configure.md has it: the draft, mended."""
    settings = Path("contoh.toml")
    source = next(each for each in SOURCES if service in SOURCES[each].services)
    table = f'[sources.{source}.services."{service}"]'
    before = settings.read_text()
    settings.write_text(before + f'\n{table}\nfile = "{name}"\n')
    drafted = jejak("check", source, "--draft", "--service", service)
    assert drafted.status == 0, drafted.out + drafted.err
    text, key = drafted.out, SOURCES[source].services[service].key[0]
    if key not in tomllib.loads(text)["sources"][source]["services"][service]["columns"]:
        settings.write_text(f"{before}\n{text}")
        checked = jejak("check", source, "--service", service)
        assert (checked.status, f"{key} = " in checked.out) == (1, True)
        text = with_key(text, key, headings[key])
    settings.write_text(f"{before}\n{text}")
    checked = jejak("check", source, "--service", service)
    assert checked.status == 0, checked.out + checked.err


@pytest.mark.parametrize("seed", [1])
def test_from_nothing_to_a_draft_publication(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.chdir(tmp_path)
    world = EditedWorld(60, seed=seed)
    chance = random.Random(f"a new regency {seed}")
    headings = {
        service: write_sheet(world.rows(service), service, tmp_path / "sheets" / name, chance)
        for service, name in SHEETS.items()
    }
    with served(world, tmp_path, f"sqlite:///{tmp_path}/data/jejak.db", simda=True) as town:
        api = f"{town.server.url}/api"
        result = jejak(
            "init", "contoh.toml", "--name", "Pemerintah Kabupaten Rekaan", "--kd-klpd", world.kd_klpd, "--kd-lpse",
            world.kd_lpse, "--years", world.year, "--source", f"sirup=inaproc:{api}", "--source", f"lpse=inaproc:{api}",
            "--source", "simda=sql", "--source", "musrenbang=files:sheets", "--source", "simpen=files:sheets",
        )  # fmt: skip
        assert result.status == 0, result.err
        # Each variable that it names, and no other, is set.
        secrets = {"TOKEN": TOKEN, "DATABASE": town.simda_url}
        for variable in re.findall(r"export (JEJAK_SOURCES__\w+)=", result.out):
            monkeypatch.setenv(variable, secrets[variable.rpartition("__")[2]])
        monkeypatch.setenv("JEJAK_SETTINGS", "contoh.toml")
        monkeypatch.setenv("JEJAK_NOW", town.now)
        # The sheets are not called as the services: check says so, and which setting to change.
        result = jejak("check", "simpen")
        assert result.status == 1
        assert "file" in result.out
        assert jejak("check", "sirup", "lpse", "simda").status == 0
        for service, name in SHEETS.items():
            map_sheet(service, name, headings[service])
        checked = jejak("check")
        assert checked.status == 0, checked.out
        synced = jejak("sync")
        assert synced.status == 0, synced.out + synced.err
        assert not [line for line in synced.out.splitlines() if line.endswith("FAILED")]
        health = jejak("health")
        assert "failing" not in health.out
        for service in SHEETS:
            assert re.search(rf"{service} +{len(world.rows(service))} ", synced.out), synced.out
        result = jejak("publish", "--draft", "--out", "publication")
        assert result.status == 0, result.err
        assert list(Path("publication/current").rglob("*"))
        result = jejak("export", "--out", "out")
        assert result.status == 0, result.err
        records = lines(Path("out/records.jsonl"))
        assert records
        assert {stage for record in records for stage in ("planning", "tender", "awards", "contracts")
                if stage in record["compiledRelease"]} == {"planning", "tender", "awards", "contracts"}  # fmt: skip


def test_a_token_and_a_sheet_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A regency that has INAPROC's token and one sheet of SIMPEN, and nothing else."""
    monkeypatch.chdir(tmp_path)
    world = EditedWorld(60, seed=2)
    name = "rekap pekerjaan.xlsx"
    chance = random.Random("a token and a sheet")
    headings = write_sheet(world.rows("SIMPEN-Pekerjaan"), "SIMPEN-Pekerjaan", tmp_path / "sheets" / name, chance)
    with served(world, tmp_path, f"sqlite:///{tmp_path}/data/jejak.db") as town:
        api = f"{town.server.url}/api"
        result = jejak(
            "init", "contoh.toml", "--name", "Pemerintah Kabupaten Rekaan", "--kd-klpd", world.kd_klpd, "--kd-lpse",
            world.kd_lpse, "--years", world.year, "--source", f"sirup=inaproc:{api}", "--source", f"lpse=inaproc:{api}",
            "--source", "simpen=files:sheets",
        )  # fmt: skip
        assert result.status == 0, result.err
        monkeypatch.setenv("JEJAK_SETTINGS", "contoh.toml")
        monkeypatch.setenv("JEJAK_NOW", town.now)
        # Without the token check names the variables that it belongs into.
        result = jejak("check", "sirup", "lpse")
        assert result.status == 1
        variables = re.findall(r"JEJAK_SOURCES__\w+__TOKEN", result.out)
        assert set(variables) == {"JEJAK_SOURCES__SIRUP__TOKEN", "JEJAK_SOURCES__LPSE__TOKEN"}
        for variable in variables:
            monkeypatch.setenv(variable, TOKEN)
        map_sheet("SIMPEN-Pekerjaan", name, headings)
        checked = jejak("check")
        assert checked.status == 0, checked.out
        synced = jejak("sync")
        assert synced.status == 0, synced.out + synced.err
        result = jejak("export", "--out", "out")
        assert result.status == 0, result.err
        reported = [record["compiledRelease"] for record in lines(Path("out/records.jsonl"))]
        reported = [release for release in reported if "simpen-" in json.dumps(release)]
        assert reported
        assert all("planning" in release for release in reported)
