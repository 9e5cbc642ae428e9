"""Worker processes: the same function for many jobs, on all cores of the machine."""

import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import forkserver, resource_tracker
from typing import Any, TypeVar

from schemas.settings import Settings

LOG_FORMAT, LOG_TIME = "%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"

# Fewer processes than this are done at once; starting workers costs more.
_WORTH_WORKERS = 400

_T = TypeVar("_T")
_R = TypeVar("_R")


def spread(
    settings: Settings,
    size: int,
    function: Callable[[_T], _R],
    jobs: Iterable[_T],
    prepare: Callable[..., None] | None = None,
    *context: Any,
    ahead: int | None = None,
) -> Iterator[_R]:
    """Results of `function` for each job, in order; in workers where there is enough to do (`size` processes). Jobs are
    made as they are needed. `prepare` is called once in each worker, with `context`. So many jobs `ahead` of the next
    result may be given out, by default one more than there are workers: more where one job takes much longer than
    others and results are small."""
    if size < _WORTH_WORKERS or settings.workers == 1:
        if prepare:
            prepare(*context)
        yield from map(function, jobs)
        return
    with worker_pool(settings.workers, prepare, *context) as pool:
        waiting: deque[Future[_R]] = deque()
        remaining = iter(jobs)
        for job in islice(remaining, ahead or settings.workers + 1):
            waiting.append(pool.submit(function, job))
        while waiting:
            result = waiting.popleft().result()
            for job in islice(remaining, 1):
                waiting.append(pool.submit(function, job))
            yield result


@contextmanager
def beside(settings: Settings, size: int) -> Iterator[Executor]:
    """What takes jobs to be done in workers meanwhile, where there is enough to do (`size` processes); else each is
    done when it is given."""
    if size < _WORTH_WORKERS or settings.workers == 1:
        yield AtOnce()
        return
    with worker_pool(settings.workers) as pool:
        yield pool


class AtOnce(Executor):
    """Does each job when it is given."""

    def submit(self, fn: Callable[..., _R], /, *args: Any, **options: Any) -> "Future[_R]":
        done: Future[_R] = Future()
        done.set_result(fn(*args, **options))
        return done


@contextmanager
def worker_pool(
    workers: int, prepare: Callable[..., None] | None = None, *context: Any
) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that log as this one does, have its environment of now and know what `prepare` gives them. Their
    work is waited for, but after Ctrl-C: they are ended then, since the next run does again what they were at.

    Not forked from here, since the caller may hold threads and database connections; what they import is imported once.
    """
    processes = multiprocessing.get_context("forkserver")
    start_forkserver()
    given = (logging.getLogger().level, dict(os.environ), prepare, context)
    pool = ProcessPoolExecutor(workers, processes, _begin_worker, given)
    try:
        yield pool
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        end_workers()
        raise
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


def start_forkserver() -> None:
    """Start what forks the workers, with Ctrl-C blocked, which its children inherit: the parent alone decides. Who
    calls this early imports beside it."""
    forkserver.set_forkserver_preload(["pipeline.build"])
    resource_tracker.ensure_running()  # it would unblock the signal
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    import psutil  # noqa: F401  # beside it, so that `end_workers` has it at once


def end_workers() -> None:
    """End all worker processes of this one, also those that are just being started, whatever they are at."""
    psutil = sys.modules.get("psutil")
    if psutil is None:  # nothing has started any
        return
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "multiprocessing.forkserver" in " ".join(child.cmdline()):
                child.kill()


@contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection: what a job makes lives until it is written, and going through it again and again
    costs up to a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _begin_worker(
    level: int, environment: dict[str, str], prepare: Callable[..., None] | None, context: tuple[Any, ...]
) -> None:
    # Ctrl-C reaches all processes of a terminal: the parent alone decides, and its end is theirs. (A forkserver that
    # others have started has it not blocked.)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # A worker has the environment that the forkserver began with, maybe long ago.
    os.environ.clear()
    os.environ.update(environment)
    logging.basicConfig(level=level, format=LOG_FORMAT, datefmt=LOG_TIME)
    if prepare:
        prepare(*context)


def _end_with_parent() -> None:
    """A worker whose parent was killed must not go on writing: another run may have begun."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
