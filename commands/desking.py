"""The command that runs the operators' page on this machine: desk."""

from __future__ import annotations

import argparse

from commands.parsing import Add


def add_commands(add: Add) -> None:
    """Add the commands of this file to the parser."""
    desk = add("desk", _desk, "the operators' page in a browser, for this machine alone (Ctrl-C ends it)")
    desk.add_argument("--port", type=int, default=8899)


def _desk(options: argparse.Namespace) -> int:
    from desk.app import serve
    from pipeline.configure import load_settings

    settings = load_settings(options.settings)
    print(
        f"The desk is open at http://127.0.0.1:{options.port}/ for whoever uses this machine; Ctrl-C ends it.",
        flush=True,
    )
    serve(settings, options.port)
    return 0
