"""How far a long piece of work is: a line of the log now and then, with the share and the time left."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

log = logging.getLogger("jejak.progress")

_FIRST_SECONDS, _SECONDS = 3.0, 10.0


def logged_progress(what: str) -> Callable[[int, int], None]:
    """A function to call with how much is done, of how much: it logs the share after a few seconds, then every ten."""
    began = time.monotonic()
    due = began + _FIRST_SECONDS

    def progress(done: int, total: int) -> None:
        nonlocal due
        now = time.monotonic()
        if now < due or done >= total:
            return
        due = now + _SECONDS
        left = (now - began) / done * (total - done) if done else 0
        log.info("%s: %.0f %% of %s, %s left", what, 100 * done / total, f"{total:,}", duration(left))

    return progress


def with_progress(each: Iterable[T], total: int, what: str) -> Iterator[T]:
    """What is gone through, as it is, while the log says how far that has come."""
    progress = logged_progress(what)
    for number, one in enumerate(each):
        progress(number, total)
        yield one


def duration(seconds: float) -> str:
    """A time in words: `40 s`, `3 min`, `2.5 h`."""
    if seconds < 60:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
