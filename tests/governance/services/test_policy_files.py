"""Packs from files: the first of a kind comes into force, a newer one is a draft; folders and git revisions are imported."""

from __future__ import annotations

import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from governance.models import AuditEvent, PolicyDraft, PolicyPack
from governance.policy.editing import with_version
from governance.selectors.access import SYSTEM
from governance.selectors.policy import pack_in_force
from governance.services.packs import PACKS, install_pack_file

pytestmark = pytest.mark.django_db


def folder_with(path: Path, version: str) -> Path:
    (path / "questionnaires").mkdir(exist_ok=True)
    (path / "ml_model.yaml").write_text(with_version((PACKS / "ml_model.yaml").read_text(), version))
    (path / "questionnaires" / "ml_model.yaml").write_text((PACKS / "questionnaires" / "ml_model.yaml").read_text())
    return path


def test_an_update_never_overwrites_the_version_in_force(tmp_path: Path) -> None:
    first = install_pack_file(caller=SYSTEM, path=PACKS / "ml_model.yaml")
    assert isinstance(first, PolicyPack) and pack_in_force("ml_model")[0] == first
    assert install_pack_file(caller=SYSTEM, path=PACKS / "ml_model.yaml") == first
    newer = folder_with(tmp_path, "2099.1.1") / "ml_model.yaml"
    draft = install_pack_file(caller=SYSTEM, path=newer)
    assert isinstance(draft, PolicyDraft) and (draft.state, draft.author, draft.base) == (PolicyDraft.OPEN, None, first)
    assert install_pack_file(caller=SYSTEM, path=newer) == draft, "the same file again is the same draft"
    assert pack_in_force("ml_model")[0] == first
    assert AuditEvent.objects.filter(action="policy.draft_started").count() == 1
    out = StringIO()
    call_command("policy", "load", str(newer), stdout=out)
    assert f"draft {draft.pk}" in out.getvalue()


def test_a_folder_and_an_earlier_git_revision_are_imported_with_where_they_came_from(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org", *words], check=True)

    install_pack_file(caller=SYSTEM, path=PACKS / "ml_model.yaml")
    folder_with(tmp_path, "2099.1.1")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    git("tag", "v1")
    folder_with(tmp_path, "2099.2.1")
    call_command("policy", "import", str(tmp_path), why="From our repository.", stdout=StringIO())
    call_command("policy", "import", f"{tmp_path}@v1", why="From our repository.", stdout=StringIO())
    earlier, later = PolicyDraft.objects.all()[:2]
    assert "version: 2099.1.1" in earlier.source and earlier.origin == f"{tmp_path}@v1: ml_model.yaml"
    assert "version: 2099.2.1" in later.source and earlier.questionnaire == later.questionnaire != ""
    for place, why in (
        (f"{tmp_path}@v9", "x"),
        (f"{tmp_path}@--output=x", "x"),
        (str(tmp_path / "none"), "x"),
        (str(tmp_path), ""),
    ):
        with pytest.raises(CommandError):
            call_command("policy", "import", place, why=why)
