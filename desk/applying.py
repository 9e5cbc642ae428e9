"""Decisions become records: a build in the background, one at a time."""

import logging
import threading
from typing import Any

from pipeline import steps
from schemas.settings import Settings

log = logging.getLogger("jejak.desk")


class Builder:
    """Builds what is pending in a thread of its own when it is asked to. `state` is what the page shows: `{"running",
    "run", "built", "error"}`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._last: dict[str, Any] = {"run": None, "built": None, "error": None}

    def begin(self) -> None:
        """Begin to build; nothing where a build goes on already."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._build, name="jejak-desk-build", daemon=True)
                self._thread.start()

    @property
    def state(self) -> dict[str, Any]:
        """How the last build goes or went."""
        running = self._thread is not None and self._thread.is_alive()
        return {"running": running, **self._last}

    def wait(self) -> None:
        """Until no build goes on."""
        if self._thread is not None:
            self._thread.join()

    def _build(self) -> None:
        self._last = {"run": None, "built": None, "error": None}
        try:
            with steps.recorded(self.settings, "links") as run_id:
                counts = steps.build_records(self.settings, run_id)
            self._last = {"run": run_id, "built": counts["built"], "error": None}
        except Exception as error:
            # Whoever asked has long got an answer: the page shows why.
            self._last = {"run": None, "built": None, "error": steps.reason_of(error)}
            log.error("the build failed: %s", steps.reason_of(error))
