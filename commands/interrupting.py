"""Ctrl-C, and SIGTERM, by which a machine stops what it runs: the first ends a command in good order, within seconds;
the second, or a command that hangs, at once."""

import atexit
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STOPPED = "jejak: stopped; what is done stays, and the same command goes on from there"
STATUS = 130
# So long a command may take to end what it is at.
PATIENCE_SECONDS = 3.0

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """A block that Ctrl-C or SIGTERM ends by KeyboardInterrupt. Whatever it was at 3 seconds later, or at a second
    Ctrl-C, the process ends with status 130, and its workers with it: nothing is lost by that but time.

    A thread waits for the signal, since the interpreter sees it only when a call into a library returns.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = [signal.signal(each, _interrupt) for each in _SIGNALS]
    wakeup = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    interrupted = threading.Event()
    threading.Thread(target=_end_at_last, args=(ours, interrupted), daemon=True).start()
    sys.unraisablehook = _without_interrupts
    for each in _SIGNALS:
        atexit.register(signal.signal, each, signal.SIG_IGN)  # the command is done then
    try:
        yield
    finally:
        # After an interrupt the end of the process is watched too: it waits for threads.
        if not interrupted.is_set():
            signal.set_wakeup_fd(wakeup)
            for each, handler in zip(_SIGNALS, before, strict=True):
                signal.signal(each, handler)
            sys.unraisablehook = sys.__unraisablehook__
            theirs.close()


def _interrupt(number: int, frame: Any) -> None:
    # The second one is the watch's: it must not break what ends the command.
    for each in _SIGNALS:
        signal.signal(each, lambda number, frame: None)
    raise KeyboardInterrupt


def _end_at_last(wakened: socket.socket, interrupted: threading.Event) -> None:
    while (signals := wakened.recv(16)) and not _ending(signals):
        pass
    if not signals:
        wakened.close()
        return
    interrupted.set()
    sys.setswitchinterval(0.0001)  # what computes elsewhere must not hold up what ends it
    wakened.settimeout(PATIENCE_SECONDS)
    if _ending(signals) == 1:
        try:
            while (more := wakened.recv(16)) and not _ending(more):
                pass
        except TimeoutError:
            announce()
    end_workers()
    os._exit(STATUS)


def _ending(signals: bytes) -> int:
    """How many of these signals end a command."""
    return sum(each in _SIGNALS for each in signals)


def end_workers() -> None:
    """End the worker processes, if there can be any."""
    if workers := sys.modules.get("pipeline.workers"):
        workers.end_workers()


_announced = threading.Lock()


def announce() -> None:
    """Say once that the command was stopped."""
    if _announced.acquire(blocking=False):
        os.write(2, f"{STOPPED}\n".encode())


def _without_interrupts(failure: Any) -> None:
    # An interrupt that met the tidying up of an object is lost there; the watch above ends the process all the same.
    if failure.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(failure)
