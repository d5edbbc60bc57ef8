"""The policy page tells every control before anything is handed in; what if tells a track and keeps nothing."""

from __future__ import annotations

from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model

from governance.domain.vocabulary import Role
from governance.models import (
    Answer,
    AuditEvent,
    DataSource,
    EvidenceFile,
    MetadataSource,
    Person,
    Submission,
    System,
    SystemVersion,
    TrackDecision,
)
from governance.selectors.policy import pack_in_force
from tests.governance import making

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _policy() -> None:
    making.policy()


def newcomer() -> Person:
    """Somebody who may sign in and holds no role at all."""
    return Person.objects.create(username="newcomer", unit=making.unit())


def test_every_control_is_there_with_its_tracks_and_reason_for_somebody_without_any_role() -> None:
    answer = making.browser(newcomer()).get("/policies")
    assert answer.status_code == 200
    page, pack = unescape(answer.content.decode()), pack_in_force("ml_model")[1]
    assert len(pack.rules) > 20 and len(pack.gates) > 10
    rows = page.split("<tr")
    for rule in pack.rules:
        (row,) = (row for row in rows if f'id="{rule.id}"' in row)
        assert rule.why in row and str(rule.about) in row, rule.id
    for use in pack.gates:
        (row,) = (row for row in rows if f'href="/gates/{use.gate}"' in row)
        assert use.why in row, use.gate
        assert ", ".join(track.value for track in use.tracks) in row, use.gate
    assert pack.version in page and pack.document.why in page


def test_approved_sources_stand_beside_it() -> None:
    making.browser()
    DataSource.objects.create(unit=making.unit(), name="feast://lending/bureau", owner="feature-platform", approved=True)
    DataSource.objects.create(unit=making.unit("shop"), name="s3://shop/secret", owner="shop", approved=True)
    page = making.browser(making.person("dana")).get("/policies").content.decode()
    assert "feast://lending/bureau" in page and "feature-platform" in page
    assert "s3://shop/secret" not in page, "another unit's register"


KEPT: tuple[type[Model], ...] = (
    Submission,
    System,
    SystemVersion,
    MetadataSource,
    EvidenceFile,
    Answer,
    TrackDecision,
    AuditEvent,
)


def test_what_if_reads_a_file_gives_the_track_and_records_nothing() -> None:
    client = making.browser(making.person("dana", Role.SUBMITTER))
    before = [model.objects.count() for model in KEPT]
    upload = SimpleUploadedFile("MLmodel", making.MLMODEL.read_bytes())
    answer = client.post("/what-if", {"system": "credit-default", "decision.domain": "credit", "files": [upload]})
    assert answer.status_code == 200
    page = unescape(answer.content.decode())
    assert "this is a red-track deployment requiring ML Governance Analyst review" in page
    assert "makes credit decisions" in page
    assert [model.objects.count() for model in KEPT] == before


def test_what_if_follows_a_moved_fact_live_with_the_same_part_the_page_holds() -> None:
    client = making.browser(making.person("dana", Role.SUBMITTER))
    part = client.post("/what-if", {"decision.domain": "credit"}, headers={"HX-Request": "true"})
    text = unescape(part.content.decode())
    assert part.status_code == 200 and text.startswith('<section id="what_if_result"') and "makes credit decisions" in text
    assert 'id="what_if_result"' in client.get("/what-if").content.decode()
    wrong = client.post("/what-if", {"performance.relative_change": "much"}, headers={"HX-Request": "true"})
    assert wrong.status_code == 200 and "field-error" in wrong.content.decode()


def test_the_library_has_categories_version_rules_and_every_version_with_its_dates() -> None:
    client = making.browser(newcomer())
    page = unescape(client.get("/policies").content.decode())
    row, pack = pack_in_force("ml_model")
    library = pack.document.library
    assert library is not None and row.active_from is not None
    for words in (*(item.name.capitalize() for item in library.categories), *(item.says for item in library.versioning)):
        assert words in page
    assert f"{row.active_from:%Y-%m-%d}" in page
    codes = {rule.id for rule in pack.rules} | {use.gate for use in pack.gates}
    assert all(set(item.checked_by) <= codes for item in library.versioning), "what sees to it exists"
    versions = unescape(client.get("/policies/versions").content.decode())
    assert pack.version in versions and "in force" in versions
    assert client.get(f"/policies/versions/{row.pk}").status_code == 200


def test_what_if_moves_the_track_with_the_fact() -> None:
    client = making.browser(making.person("dana", Role.SUBMITTER))
    assert "makes credit decisions" in client.post("/what-if", {"decision.domain": "credit"}).content.decode()
    assert "makes credit decisions" not in client.post("/what-if", {"decision.domain": "marketing"}).content.decode()
