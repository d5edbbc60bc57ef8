"""Documents made from a case: from stored facts alone, for its unit alone, and nothing people wrote turns into markup."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from gates.ui import markdown
from governance.domain.vocabulary import Role, Track
from governance.policy.documents import load_template, templates
from governance.policy.errors import PackError
from reviews.models import Deployment, Incident, MonitoringEvent, MonitoringReading
from reviews.selectors.documents import templates_for
from tests.governance.making import BACKEND
from tests.reviews import making
from tests.reviews.making import Gate, everybody, facts_for, in_review, person, unit

pytestmark = pytest.mark.django_db(transaction=True)

EVIL = "<script>alert(1)</script> [x](javascript:alert(1)) | **bold** ![p](http://e/p) =1+1"


def signed_in(who: object) -> Client:
    client = Client()
    client.force_login(who, backend=BACKEND)  # type: ignore[arg-type]
    return client


def test_three_templates_and_the_lineage_are_versioned_files() -> None:
    assert {template.slug for template in templates()} == {"data-lineage", "model-card", "regulatory-mapping", "risk-assessment"}
    assert all(template.version and template.owner for template in templates())
    assert "model-card" not in {template.slug for template in templates_for("application")}
    with pytest.raises(PackError, match=r"sections\[0\]\.blocks"):
        load_template(
            "document: d\nversion: 2026.1.1\nowner: policy_author\ntitle: D\nsource: s\nsections:\n"
            "  - {title: t, why: w, blocks: [horoscope]}"
        )


def test_every_document_is_made_from_the_case_and_escapes_what_people_wrote() -> None:
    people = everybody()
    facts = facts_for(
        Track.RED,
        regulation__regimes=["US-REG-B"],
        business__context=EVIL,
        model__limitations=EVIL,
        data__sources=["s3://a", EVIL],
    )
    case = in_review(
        Track.RED,
        submitter=people["dana"],
        gates=(Gate("GF101", "pass", says=f"ratio 0.93, group {EVIL}"), Gate("GX104", "pass", says="reasons hold")),
        facts=facts,
    )
    auditor = signed_in(people["ada"])
    for template in templates():
        page = auditor.get(f"/submissions/{case.number}/documents/{template.slug}")
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()
        text = auditor.get(f"/submissions/{case.number}/documents/{template.slug}.md").content.decode()
        drawn = str(markdown.render(text))
        assert "<script" not in text
        assert "href" not in drawn and "<strong>" not in drawn
        assert case.dossier_digest in text
    card = auditor.get(f"/submissions/{case.number}/documents/model-card").content.decode()
    assert "ratio 0.93" in card and "not recorded" in card, "what nobody recorded is said"
    mapping = auditor.get(f"/submissions/{case.number}/documents/regulatory-mapping").content.decode()
    assert "12 CFR 1002.9(b)(2)" in mapping and "GX104 pass" in mapping and "Notices are sent where applications" in mapping
    assert auditor.get(f"/submissions/{case.number}/documents/novel").status_code == 404
    outsider = signed_in(person("gus", Role.SUBMITTER, at=unit("insurance")))
    assert outsider.get(f"/submissions/{case.number}/documents/model-card").status_code == 404
    assert outsider.get(f"/submissions/{case.number}/documents/model-card.md").status_code == 404


def test_the_pack_holds_documents_and_what_monitors_reported() -> None:
    people = everybody()
    case = in_review(Track.YELLOW, submitter=people["dana"])
    now = timezone.now()
    at = {"unit": case.unit, "system": case.system, "version": case.version}
    live = Deployment.objects.create(
        unit=case.unit, system=case.system.slug, version=case.version, version_name=case.version.version,
        environment="production", observed=True, reported_by=people["pia"],
    )  # fmt: skip
    event = MonitoringEvent.objects.create(
        **at, environment="production", submission=case, deployment=live, key="k", content_digest="d", signal="drift", at=now,
        verdict="unknown", reported_by=people["pia"],
    )  # fmt: skip
    MonitoringReading.objects.create(
        event=event,
        unit=case.unit,
        system=case.system,
        signal="drift",
        metric="psi",
        verdict="unknown",
        says="PSI of income unknown",
    )
    Incident.objects.create(
        **at, submission=case, kind="degradation", severity="high", title="It drifted", says="s", playbook="degradation",
        playbook_version="1", playbook_digest="sha256:0", began_at=now - timedelta(hours=1), opened_by=people["pia"],
    )  # fmt: skip
    client = signed_in(people["ada"])
    with zipfile.ZipFile(io.BytesIO(client.get(f"/submissions/{case.number}/evidence-pack").content)) as archive:
        names = set(archive.namelist())
        alerts = json.loads(archive.read("alerts.json"))
        card = archive.read("documents/model-card.md").decode()
        manifest = json.loads(archive.read("manifest.json"))["files"]
    wanted = {"lineage.json", "alerts.json", "documents/model-card.md", "documents/risk-assessment.md"}
    assert wanted <= names and wanted <= set(manifest)
    assert alerts["reports"][0]["readings"][0]["says"] == "PSI of income unknown"
    assert alerts["incidents"][0]["title"] == "It drifted"
    assert "PSI of income unknown" in card and "It drifted" in card
    assert making.fresh(case).dossier_digest in card
