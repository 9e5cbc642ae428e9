"""What `make` installs with, and says meanwhile how far it is: `python deploy/installing.py requirements.lock`.

It runs before anything is installed, so it needs nothing but Python. Where pip fails its last lines are shown, and its
exit status is that of this.
"""

import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

_SECONDS = 10.0
_LAST = 30


def main(lock: str) -> int:
    """Install what the lock lists into this Python, with a line every ten seconds; returns pip's exit status."""
    many = max(sum("==" in line for line in Path(lock).read_text(encoding="utf-8").splitlines()), 1)
    site = Path(sysconfig.get_path("purelib"))
    before = _installed(site)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off", "-r", lock]
    began = time.monotonic()
    with tempfile.NamedTemporaryFile() as file:
        output = Path(file.name)
        with subprocess.Popen(pip, stdout=file, stderr=subprocess.STDOUT) as process:
            while True:
                try:
                    status = process.wait(_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    print(
                        f"  {_progress(_read(output), many, _installed(site) - before, time.monotonic() - began)}",
                        flush=True,
                    )
        if status:
            print(*_read(output).splitlines()[-_LAST:], sep="\n", file=sys.stderr)
    return status


def _read(output: Path) -> str:
    return output.read_text(encoding="utf-8", errors="replace")


def _installed(site: Path) -> int:
    return len(list(site.glob("*.dist-info")))


def _progress(output: str, many: int, done: int, seconds: float) -> str:
    """How far pip is. It fetches the packages one by one (some of a lock are for other systems), then installs all."""
    fetched = output.count("\nCollecting ") + output.startswith("Collecting ")
    _, installing, names = output.rpartition("Installing collected packages: ")
    if not installing:
        return f"{fetched} of about {many} packages fetched, {100 * fetched // (2 * many)} % done after {seconds:.0f} s"
    whole = names.count(",") + 1
    # One that was there before, as venv's setuptools, adds none.
    done += names.count("Attempting uninstall: ")
    if done >= whole:
        return f"all {whole} packages are there; the last steps"
    share = (1 + done / whole) / 2
    left = seconds * (1 - share) / share
    return f"{done} of {whole} packages installed, {100 * share:.0f} % done, about {left:.0f} s left"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
