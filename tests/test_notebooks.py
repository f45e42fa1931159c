"""The notebooks run from top to bottom, and are stored without outputs."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def cells(path, kind):
    told = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in told if cell["cell_type"] == kind]


def test_the_page_of_notebooks_names_them_all():
    page = (FOLDER.parent / "tutorials" / "notebooks.md").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) == 2
    assert [path.name for path in NOTEBOOKS if f"`{path.name}`" not in page] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs_and_is_plain_python(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    for source in cells(path, "code"):
        compile(source, path.name, "exec")  # no magics, no shell


@pytest.mark.slow  # the shipped language model answers
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, monkeypatch, tmp_path, capsys):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for source in cells(path, "code"):
        exec(compile(source, path.name, "exec"), names)
    assert "stars" in capsys.readouterr().out
    plt.close("all")
