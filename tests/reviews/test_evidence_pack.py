"""The archive that leaves the house: it holds what was signed, checks by itself, and changes nothing."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest
from django.test import Client

from gates.models import Chart
from governance.domain.vocabulary import Role, RunStatus, Track
from governance.models import AuditEvent
from reviews.services.deciding import decide
from tests.gates import making as gates_making
from tests.governance.making import BACKEND
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(name: str, *roles: Role) -> Client:
    client = Client()
    client.force_login(making.person(name, *roles), backend=BACKEND)
    return client


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_what_was_signed_and_checks_by_itself() -> None:
    people, row = making.everybody(), making.in_review(Track.YELLOW)
    run = gates_making.run(row, "performance", status=RunStatus.DONE)
    Chart.objects.create(
        run=run, submission=row, key="roc", title="ROC", description="d", svg_light="<svg/>", columns=["a"], rows=[["=1+1"]]
    )
    signed = row.dossier_digest
    decide(caller=making.call(people["pia"]), submission_id=row.pk, dossier_digest=signed, decision=making.approve())
    auditor = client_of("ada", Role.AUDITOR)
    before = AuditEvent.objects.count()
    answer = auditor.get(f"/submissions/{row.number}/evidence-pack")
    assert answer.status_code == 200 and answer["Content-Type"] == "application/zip"
    assert f"guiderail-{row.number}-r1.zip" in answer["Content-Disposition"]
    content = answer.content
    files = unpacked(content)

    assert "sha256:" + hashlib.sha256(files["dossier.json"]).hexdigest() == signed
    assert signed in files["README.txt"].decode()
    decision = json.loads(files["decision.json"])
    assert decision["sign_offs"][0]["dossier_digest"] == signed and decision["state"] == "approved"
    manifest = json.loads(files["manifest.json"])["files"]
    assert manifest == {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "manifest.json"}
    events = [json.loads(line) for line in files["audit.jsonl"].splitlines()]
    assert {json.loads(event["payload"])["action"] for event in events} >= {"permit.issued"}
    for event in events:
        assert hashlib.sha256(b"\x00" + event["payload"].encode()).hexdigest() == event["leaf"]
    assert {name.rsplit(".", 1)[1] for name in files if name.startswith("charts/")} == {"svg", "csv"}
    assert any(name.startswith("policy/") for name in files)

    assert auditor.get(f"/submissions/{row.number}/evidence-pack").content == content, "the same bytes again"
    assert AuditEvent.objects.count() == before, "reading changes nothing"


def test_another_unit_gets_nothing() -> None:
    making.everybody()
    row = making.in_review(Track.YELLOW)
    client = Client()
    client.force_login(making.person("sam", Role.AUDITOR, at=making.unit("shop")), backend=BACKEND)
    assert client.get(f"/submissions/{row.number}/evidence-pack").status_code == 404
    assert Client().get(f"/submissions/{row.number}/evidence-pack").status_code == 302
