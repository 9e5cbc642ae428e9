"""The notebook of worked questions, run as an analyst runs it."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from reports.extract import questions
from tests.worlds import Town

NOTEBOOK = Path(__file__).parent.parent / "docs" / "questions.ipynb"


def test_the_notebook_answers_every_question(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.sync()
    file = town.folder / "extract.db"
    assert town.jejak("extract", "--out", file).status == 0
    monkeypatch.setenv("EXTRACT", str(file))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    notebook = nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    assert not [cell for cell in notebook.cells if cell.get("outputs")], "the notebook is committed without answers"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    kinds = [set(output["data"]) for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output]
    assert len([kind for kind in kinds if "image/svg+xml" in kind]) == len(questions()) == 10
    assert len([kind for kind in kinds if "text/html" in kind]) == 10
    asked = "".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert all(f'ask("{name}")' in asked for name, _, _ in questions())
