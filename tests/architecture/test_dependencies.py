"""`docs/dependencies.md` has a whole line for each package that runs with the product, and none for what is gone."""

from __future__ import annotations

import re
import tomllib

from tests.stack import ROOT

COLUMNS = 5


def test_every_runtime_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project.get("optional-dependencies", {}).values()
    wanted = {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0] for group in (project["dependencies"], *extras) for line in group}
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs" / "dependencies.md").read_text().splitlines()
        if line.startswith("| ") and not line.startswith("| Package")
    ]
    assert len(wanted) > 20
    assert {row[0] for row in rows} == wanted
    assert len(rows) == len(wanted), "each once"
    assert all(len(row) == COLUMNS and all(row) for row in rows), "why, licence, who keeps it, what would replace it"
