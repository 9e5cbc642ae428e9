"""`jejak`: the pipeline from the command line. Tables go to stdout, the log to stderr; exit status 0 means success.

Each family of commands has a file, which describes their arguments and runs them. A command loads what it needs when it
runs: help must come at once, and the libraries behind some commands take seconds to load.
"""

import argparse
import errno
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

from commands.interrupting import STATUS, announce, end_workers, interruptible
from commands.parsing import Add, Run
from schemas.errors import JejakError

_DO = {
    errno.ENOSPC: ": the disk is full; make room, then run the same command again",
    errno.EACCES: ": this user may not; give another path, or the right to it",
    errno.EROFS: ": the disk is read-only; give another path",
    errno.ENOENT: ": look at the path",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 on success, 1 when it failed (the reason is on stderr), 2 for a wrong call."""
    with interruptible():
        try:
            return _run(argv)
        except KeyboardInterrupt:
            return _stopped()
        except BrokenPipeError:
            # Who read the output has gone, as `head` does; Python must not find that out once more at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except Exception as error:
            if _comes_of_interrupt(error):
                return _stopped()
            if (reason := _reason(error)) is None:
                raise
            print(f"jejak: {reason}", file=sys.stderr)
            return 1


def _stopped() -> int:
    announce()
    end_workers()
    return STATUS


def _comes_of_interrupt(error: BaseException | None) -> bool:
    """Whether an error was raised while an interrupt ended something: by a rollback on a broken connection, say."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _run(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    from pipeline.workers import LOG_FORMAT, LOG_TIME

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=LOG_FORMAT, datefmt=LOG_TIME)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it logs its plugins when it is imported
    # A connection that Ctrl-C or the server broke is given back with a traceback; the command says why it ended.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    run: Run = options.run
    return run(options)


def _reason(error: Exception) -> str | None:
    """The message of an error that a person can mend; None of a defect."""
    if isinstance(error, JejakError):
        return str(error)
    if isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        return f"{error.strerror or error}{place}{_DO.get(error.errno or 0, '')}"
    if isinstance(error, MemoryError):
        return "the machine has no memory left: run the same command again when it has"
    # Only what is loaded can have failed.
    if "concurrent.futures.process" in sys.modules:
        from concurrent.futures.process import BrokenProcessPool

        if isinstance(error, BrokenProcessPool):
            return "a worker was ended from outside, as when memory runs out: set fewer `workers`, run it again"
    if "sqlalchemy" in sys.modules:
        from warehouse.failures import explained

        return explained(error)
    return None


def _parser() -> argparse.ArgumentParser:
    # Here, where Ctrl-C is waited for already.
    from commands import (
        beginning,
        checking,
        codes,
        desking,
        extracting,
        finding,
        links,
        looking,
        maintaining,
        publishing,
        reviewing,
        syncing,
    )

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--settings", metavar="FILE", help="settings file (TOML); else JEJAK_SETTINGS")
    parser = argparse.ArgumentParser(
        prog="jejak", description="Follow public money from plan to payment: source systems to OCDS records."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add = _adding(commands, common)
    beginning.add_commands(add)
    checking.add_commands(add)
    syncing.add_commands(add)
    looking.add_commands(add)
    finding.add_commands(add)
    desking.add_commands(add)
    text = "what joins the systems: list, look at and decide links, measure their quality"
    actions = commands.add_parser("links", help=text, description=text).add_subparsers(
        title="actions", required=True, metavar="ACTION"
    )
    links.add_commands(_adding(actions, common))
    text = "words that no code table knows: list them, say what they mean, undo, export, import"
    actions = commands.add_parser("codes", help=text, description=text).add_subparsers(
        title="actions", required=True, metavar="ACTION"
    )
    codes.add_commands(_adding(actions, common))
    reviewing.add_commands(add)
    publishing.add_commands(add)
    extracting.add_commands(add)
    maintaining.add_commands(add)
    return parser


def _adding(commands: Any, common: argparse.ArgumentParser) -> Add:
    """A function that adds commands to a group, each with the arguments that all have in common."""

    def add(name: str, run: Run, text: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(name, parents=[common], help=text, description=text)
        command.set_defaults(run=run)
        return command

    return add


if __name__ == "__main__":
    sys.exit(main())
