"""Octavo without PyMuPDF: where it cannot be imported, PDFs are read, searched, asked and shown all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from octavo.ingest.readers import BACKENDS, ReaderMissingError, make_reader

_GONE = "import sys; sys.modules.update(dict.fromkeys(['pymupdf', 'fitz', 'pymupdf4llm']))\n"  # for each process
_USE = """
import json, sys
from pathlib import Path
from octavo import Library, Settings
from octavo.doctor import examine
from octavo.pictures import draw_citations

if __name__ == "__main__":
    library, sample, pictures = map(Path, sys.argv[1:])
    settings = Settings(library=library)
    with Library(settings=settings) as shelf:
        [info] = shelf.ingest([sample]).documents
        hits = shelf.search("longest cycle")
        answer = shelf.ask("Which year had the highest yearly sunspot number since 1700?")
        drawn = draw_citations(shelf, answer, pictures)
        checks = {check.name: (check.ok, check.detail) for check in examine(settings)}
    result = {"state": info.state, "error": info.error, "found": hits[0].document, "answer": answer.text}
    print(json.dumps(result | {"drawn": [str(path) for path in drawn], "reader": checks["reader"]}))
"""


@pytest.mark.slow
def test_a_library_without_pymupdf(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_GONE)
    (tmp_path / "use.py").write_text(_USE)
    arguments = [tmp_path / "library", samples / "sunspot-cycles.pdf", tmp_path / "cited"]
    done = subprocess.run(
        [sys.executable, tmp_path / "use.py", *arguments],
        env=os.environ | {"PYTHONPATH": str(tmp_path), "OCTAVO_READER": "pdfium"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["state"], result["error"]) == ("ready", None)
    assert result["found"] == "sunspot-cycles.pdf"
    assert "1957" in result["answer"]
    assert result["reader"][0], result["reader"]
    assert [Path(path).read_bytes()[:4] for path in result["drawn"]] == [b"\x89PNG"] * len(result["drawn"])
    assert result["drawn"]


@pytest.mark.parametrize("name", BACKENDS)
def test_a_reader_that_is_not_installed_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package = BACKENDS[name].packages[-1]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ReaderMissingError, match=rf"{package} is not installed: pip install 'octavo\[\w+\]', or"):
        make_reader(name)
