"""`manage.py gates`."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from gates import registry
from gates.models import GateRun
from governance.domain.vocabulary import RunStatus
from tests.gates import making
from tests.stack import ROOT


def said(*words: str, **options: object) -> str:
    out = io.StringIO()
    call_command("gates", *words, stdout=out, **options)
    return out.getvalue()


def test_list_names_every_gate() -> None:
    lines = said("list").splitlines()
    assert [line.split()[0] for line in lines] == list(registry.gates())


def test_explain_prints_the_documentation_and_the_examples() -> None:
    text = said("explain", "gf101")
    for heading in ("What it checks", "Why it matters", "What good enough looks like", "How to fix", "Tools", "Worked examples"):
        assert f"\n## {heading}\n" in text
    assert "| fail |" in text


def test_an_unknown_gate_or_submission_is_said_with_the_way_out(db: None) -> None:
    with pytest.raises(CommandError, match="gates list"):
        said("explain", "GZ999")
    for wrong in ("S-99999", "nonsense"):
        with pytest.raises(CommandError, match="S-1042"):
            said("status", wrong)


def test_the_pages_in_the_repository_are_those_of_the_catalogue() -> None:
    said("docs", "--check", "--folder", str(ROOT / "docs" / "gates"))


def test_a_page_that_differs_is_named_and_written_anew(tmp_path: Path) -> None:
    said("docs", "--folder", str(tmp_path))
    said("docs", "--check", "--folder", str(tmp_path))
    (tmp_path / "GF101.md").write_text("old")
    (tmp_path / "GZ999.md").write_text("a gate that is gone")
    with pytest.raises(CommandError, match=r"GF101\.md, GZ999\.md differ"):
        said("docs", "--check", "--folder", str(tmp_path))
    said("docs", "--folder", str(tmp_path))
    assert not (tmp_path / "GZ999.md").exists()
    said("docs", "--check", "--folder", str(tmp_path))


@pytest.mark.django_db(transaction=True)
def test_run_measures_in_the_terminal_without_worker_or_broker(plugin: str) -> None:
    of = making.submission()
    making.run(of, "tally_one")
    making.run(of, "heavy_tally", heavy=True)
    text = said("run", f"S-{of.pk}")
    assert "2 checks taken." in text
    assert "All 2 checks finished." in text
    assert set(GateRun.objects.values_list("status", flat=True)) == {RunStatus.DONE}
