"""Commands that are interrupted, and commands whose warehouse is not as it should be: each ends soon, in a sentence."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, select, text

import commands.main
from commands.interrupting import PATIENCE_SECONDS, STOPPED
from pipeline.registry import SOURCES
from tests.answering import Answer, answering
from tests.worlds import EditedWorld, Lived, contents, jejak, served
from warehouse import tables as t
from warehouse.engine import migrate, open_warehouse, writing
from warehouse.tables import definition, metadata

ROOT = Path(__file__).parents[1]
VOID = "void ocds-213czf-rup-90000001 tender/title --reason tried"
# All but what decides on a link or a word, in the order of --help. {out} is a path of its own, the others are there.
COMMANDS = [
    line.split()
    for line in (
        "sync",
        "check",
        "sync --dry-run",
        "sync --no-build",
        "build",
        "retry",
        "rebuild",
        "status",
        "changes",
        "health",
        "show 90000001",
        "why ocds-213czf-rup-90000001 tender/title",
        "waiting",
        "trace",
        "rejects",
        "find jalan desa",
        "desk --port 0",
        "links list",
        "links review",
        "links export {out}.xlsx",
        "links import {sheet}",
        "links evaluate --packages 60",
        "links evaluate --hidden",
        "codes list",
        "codes export {out}.csv",
        "flags",
        "quality --out {out}",
        "validate",
        "publish --draft --out {out}",
        "scan {publication}",
        "export --out {out}",
        "identity export {out}.csv",
        "identity import {identity}",
        "extract --out {out}.db",
        "extract --out {out} --format xlsx",
        "migrate",
        "backup {out}.zip",
        "restore {backup} --force",
        "prune",
        VOID,
        "simulate --packages 100 --out {out}",
    )
]
# How often each database is interrupted. JEJAK_TEST_INTERRUPTS=100 also makes the regency so large that workers build
# it, and looks at the clock.
TIMES = int(os.environ.get("JEJAK_TEST_INTERRUPTS", "4"))
LONG = TIMES > 10
TABLES = ("identity", "record", "link", "contracting_process", "payment", "pending_process", "pending_code")
# What builds the rows that an interrupted sync has brought (which attempt or revision had its code first may differ)
# or makes releases anew.
OTHERWISE = {"build", "rebuild", "retry", VOID}
BEGUN = "import commands.main, sys; print('begun', flush=True); sys.exit(commands.main.main(sys.argv[1:]))"


class Command:
    """`jejak` as a process of its own, in a process group of its own, as a terminal has it."""

    def __init__(self, environment: dict[str, str], *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEGUN, *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,  # who is asked has not answered yet
            env={name: value for name, value in os.environ.items() if name[:6] != "JEJAK_"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "begun\n"

    def interrupt(self) -> float:
        """Ctrl-C: all processes of the group get the signal."""
        os.killpg(self.process.pid, signal.SIGINT)
        return time.monotonic()

    def lasted(self, seconds: float) -> bool:
        """Whether it still goes on after so long."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def end(self) -> tuple[int, str]:
        """The exit status and what was said on stderr; nothing of it is left."""
        _, err = self.process.communicate(timeout=600)
        deadline = time.monotonic() + 20
        while _alive(self.process.pid):
            assert time.monotonic() < deadline, "a process of the command is left"
            time.sleep(0.05)
        return self.process.returncode, err


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_command_that_is_interrupted_at_any_moment_ends_and_the_next_goes_on(
    warehouse_url: str, tmp_path: Path, new_url: Callable[[], str]
) -> None:
    world = EditedWorld(500 if LONG else 60, seed=4)
    chance = random.Random(f"interrupts of {make_url(warehouse_url).get_backend_name()}")
    took: list[tuple[float, str]] = []
    tried: set[str] = set()
    with served(world, tmp_path, warehouse_url, simda=True) as town:
        settings = town.settings(systems=SOURCES, workers=2)
        whole = town.settings(systems=SOURCES, warehouse_url=new_url(), workers=2)
        environment = town.environment
        # At any moment of a command, however fast the machine is: of each is learned how long it lasts.
        began = time.monotonic()
        assert Command(environment, "sync", "--settings", whole).end()[0] == 0
        lasts = dict.fromkeys(map(" ".join, COMMANDS), time.monotonic() - began)
        names = {"backup": "x.zip", "sheet": "x.xlsx", "identity": "x.csv", "publication": "publication"}
        given = {name: tmp_path / path for name, path in names.items()}
        made = (
            "backup {backup}",
            "links export {sheet}",
            "identity export {identity}",
            "publish --draft --out {publication}",
        )
        for line in made if LONG else ():
            words = [word.format(**given) for word in line.split()]
            assert Command(environment, *words, "--settings", whole).end()[0] == 0
        undisturbed = open_warehouse(settings_url(whole))
        theirs = contents(undisturbed)
        undisturbed.dispose()
        number = 0
        while len(took) < TIMES:
            # A sync every other time, so that there is something to break.
            number += 1
            words = COMMANDS[0] if number % 2 else chance.choice(COMMANDS[1:])
            line, out = " ".join(words), tmp_path / f"out-{number}"
            tried.add(line)
            began = time.monotonic()
            command = Command(environment, *(word.format(out=out, **given) for word in words), "--settings", settings)
            if command.lasted(chance.uniform(0, lasts[line])):
                interrupted = command.interrupt()
                status, err = command.end()
                took.append((time.monotonic() - interrupted, line))
            else:
                lasts[line] = time.monotonic() - began
                status, err = command.end()
            # It may have been as good as done.
            assert status in (0, 1, 130), err
            assert "Traceback" not in err
            assert err.count(STOPPED) == (status == 130), err
            if number % 10 == 0 or len(took) == TIMES:
                status, err = Command(environment, "sync", "--settings", settings).end()
                assert status == 0, err
                ours = contents(town.engine)
                assert [code(each) for each in ours["identity"]] == [code(each) for each in theirs["identity"]]
                for table in TABLES if not OTHERWISE & tried else TABLES[-2:]:
                    assert ours[table] == theirs[table], table
                tried.clear()
                with writing(town.engine) as conn:
                    for each in reversed(metadata.sorted_tables):
                        if each is not definition:
                            conn.execute(each.delete())
    print(*(f"{seconds:.1f} s  {line}" for seconds, line in sorted(took, reverse=True)[:10]), sep="\n")
    # Only where somebody asked for it: elsewhere other tests run beside this one.
    assert not LONG or max(took)[0] < 5, took


def code(identity: dict[str, str]) -> tuple[str, str]:
    return identity["kind"], identity["key"]


def settings_url(path: Path) -> str:
    return str(tomllib.loads(path.read_text())["warehouse_url"])


def test_what_fails_while_an_interrupt_ends_a_command_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(argv: object) -> int:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise OSError("the rollback found no connection") from None

    monkeypatch.setattr(commands.main, "_run", interrupted)
    monkeypatch.setattr(commands.main, "end_workers", lambda: None)
    assert commands.main.main([]) == 130
    assert "rollback" not in capfd.readouterr().err


def test_a_command_that_hangs_ends_all_the_same_and_a_second_one_ends_it_at_once(tmp_path: Path, file_url: str) -> None:
    """It waits for a lock inside SQLite, where no signal reaches Python."""
    engine = create_engine(file_url, isolation_level=None)
    path = tmp_path / "settings.toml"
    path.write_text(
        f'name = "x"\nocid_prefix = "ocds-000000"\nkd_klpd = "D9"\nkd_lpse = "9"\nwarehouse_url = "{file_url}"\n'
    )
    with engine.connect() as conn:
        conn.exec_driver_sql("BEGIN IMMEDIATE")
        for interrupts in (1, 2):
            command = Command({}, "rebuild", "--settings", path)
            time.sleep(3)  # it is at the lock by then, for minutes
            began = command.interrupt()
            if interrupts == 2:
                time.sleep(0.2)
                command.interrupt()
            status, err = command.end()
            assert status == 130
            assert "Traceback" not in err
            assert time.monotonic() - began < 60  # without the watch it would be five minutes
            assert err.count(STOPPED) <= 1
        conn.exec_driver_sql("ROLLBACK")
    engine.dispose()
    assert 0 < PATIENCE_SECONDS < 5


@pytest.mark.parametrize("stop", ["terminal", "machine"])
def test_a_source_that_trickles_is_not_waited_for(tmp_path: Path, file_url: str, stop: str) -> None:
    with answering(Answer(b"[]", delay=600, stops=True)) as server:
        path = tmp_path / "settings.toml"
        path.write_text(
            f'name = "x"\nocid_prefix = "ocds-000000"\nkd_klpd = "D9"\nkd_lpse = "9"\nwarehouse_url = "{file_url}"\n'
            f'[sources.lpse]\ntransport = "inaproc"\ntoken = "x"\nurl = "{server.url}/api"\n'
        )
        command = Command({}, "sync", "--settings", path)
        while not server.requests:
            assert command.lasted(0.1)
        began = time.monotonic()
        if stop == "terminal":
            command.interrupt()
        else:
            command.process.terminate()  # the command alone gets a signal, not its workers
        status, err = command.end()
    assert (status, "Traceback" in err, err.count(STOPPED)) == (130, False, 1)
    engine = create_engine(file_url)
    with engine.connect() as conn:
        assert conn.execute(select(t.run.c.status)).scalars().all() == ["failed"]
    engine.dispose()
    assert time.monotonic() - began < 60


# --- what is wrong with the warehouse --------------------------------------------------------------------------------


def error_line(url: str, *arguments: str) -> str:
    """What a command that fails says: one line, without a traceback or a password."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JEJAK_WAREHOUSE_URL", url)
        found = jejak(*(arguments or ("status",)), "--settings", "settings/simulator.toml")
    assert found.status == 1, found.out
    assert "rahasia" not in found.err
    lines = [line for line in found.err.splitlines() if line.startswith("jejak: ")]
    assert len(lines) == 1
    return lines[0]


UNREACHABLE = {
    "postgresql://u:rahasia@127.0.0.1:1/x": "nothing listens at the warehouse's address",
    "postgresql://u:rahasia@127.0.0.1:abc/x": "the address in JEJAK_WAREHOUSE_URL",
    "postgresql://u:rahasia@127.0.0.1:99999/x": "it goes from 1 to 65535",
    "postgresql://u:rahasia@tidak-ada.invalid/x": "the warehouse's host is unknown",
    "postgresql://u:raha@sia@tidak-ada.invalid/x": "has an @: write it as %40",
    "sqlite:////proc/x/y.db": "can't be made (No such file or directory)",
    "sqlite:////proc": "is a folder",
    "sqlite:////dev/full": "the disk of the warehouse is full",
}


@pytest.mark.parametrize("url", UNREACHABLE)
def test_a_warehouse_that_cannot_be_reached(url: str) -> None:
    assert UNREACHABLE[url] in error_line(url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("a letter" * 1000)
    assert "is no SQLite database" in error_line(f"sqlite:///{tmp_path}/x.db")


def test_a_server_that_refuses(postgres_server: str) -> None:
    url = make_url(postgres_server)
    nobody = url.set(username="tidak_ada", password="rahasia").render_as_string(hide_password=False)
    assert "refused user or password" in error_line(nobody)
    assert "has no such database" in error_line(url.set(database="tidak_ada").render_as_string(hide_password=False))


def test_tables_that_somebody_dropped(warehouse_url: str, empty_url: str) -> None:
    engine = open_warehouse(empty_url)
    migrate(engine)
    with writing(engine) as conn:
        conn.execute(text("DROP TABLE pending_link"))
    engine.dispose()
    assert "tables of the warehouse are missing" in error_line(empty_url, "build")


def small_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))


def test_a_disk_that_fills_up(tmp_path: Path, file_url: str) -> None:
    """A limit on the size of files stands in for a small disk."""
    with served(EditedWorld(60, seed=4), tmp_path, file_url) as town:
        settings = town.settings()
        command = subprocess.run(
            [sys.executable, "-m", "commands.main", "sync", "--settings", settings],
            cwd=ROOT,
            env=os.environ | town.environment,
            capture_output=True,
            text=True,
            timeout=300,
            preexec_fn=small_files,
        )
        assert command.returncode == 1
        assert "Traceback" not in command.stderr
        assert "the disk of the warehouse" in command.stdout + command.stderr
        assert town.jejak("sync", settings=settings).status == 0


def test_a_read_only_file_is_read(lived: Lived, tmp_path: Path) -> None:
    folder = tmp_path / "still"
    folder.mkdir()
    settings = lived.town.settings(systems=SOURCES, warehouse_url=f"sqlite:///{folder}/jejak.db")
    assert lived.town.jejak("backup", tmp_path / "x.zip", settings=lived.town.settings(systems=SOURCES)).status == 0
    assert lived.town.jejak("restore", tmp_path / "x.zip", settings=settings).status == 0
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    # Root may write anything, unless that is taken from it.
    bound = ["setpriv", "--bounding-set", "-dac_override"] if os.getuid() == 0 else []
    found = {}
    for command in (["status"], ["export", "--out", tmp_path / "out"], ["retry"]):
        found[command[0]] = subprocess.run(
            [*bound, sys.executable, "-m", "commands.main", *command, "--settings", settings],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )
    folder.chmod(0o755)
    assert "Records: " in found["status"].stdout, found["status"].stderr
    assert (tmp_path / "out" / "records.jsonl").read_text() == (lived.out / "records.jsonl").read_text()
    assert "is read-only" in found["retry"].stderr
    assert not [each for each in found.values() if "Traceback" in each.stderr]
