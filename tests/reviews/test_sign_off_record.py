"""The PDF record of a signature: read back, the same each time, for whoever may read the case."""

from __future__ import annotations

import io

import pytest
from django.urls import reverse
from pypdf import PdfReader

from governance.domain.errors import NotFound
from governance.domain.vocabulary import Role
from governance.models import AuditCheckpoint, AuditEvent
from governance.services.checkpoints import write_checkpoint
from reviews.models import Finding, SignOff
from reviews.selectors.sign_off_record import record_of
from reviews.services.deciding import decide
from reviews.services.record_pdf import draw
from tests.governance.making import browser
from tests.reviews import making
from tests.reviews.making import Gate, approve

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = "Read as <b>markup</b> #eval(1) *bold* $x$ and in 日本語 \u0007 with care."


def signed() -> tuple[dict[str, object], SignOff]:
    people, row = (
        making.everybody(),
        making.in_review(gates=(Gate("GP101"), Gate("GF105", verdict="warn", says="Falls by 4 points."))),
    )
    readings = {"GF105": "The old are few; their figure is watched weekly."}
    for who in ("amir", "ruth"):
        row = making.fresh(row)
        new = approve(comment=HOSTILE, readings={**readings, "GF105": readings["GF105"] + who})
        decide(caller=making.call(people[who]), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=new)
    return {"people": people, "row": making.fresh(row)}, SignOff.objects.get(role=Role.RISK_OFFICER)


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def test_it_says_who_signed_what_on_which_dossier_and_reads_the_same_for_ever() -> None:
    made, sign_off = signed()
    people, row = made["people"], made["row"]
    page = browser(people["ada"])  # type: ignore[index]
    address = reverse("sign_off_record", args=[row.pk, sign_off.pk])  # type: ignore[attr-defined]
    assert address in page.get(reverse("case", args=[row.pk])).content.decode()  # type: ignore[attr-defined]
    answer = page.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    text = text_of(answer.content)
    for part in (
        "Risk officer: approved",
        "Ruth, risk officer",
        sign_off.meaning,
        "Small groups stay uncertain",
        "medium",
        "Amir, ML Governance Analyst, revision 1",
        "GF105: Falls by 4 points.",
        "Look again at the residual risk",
        "#eval(1) *bold* $x$",
        "[U+65E5]",
        "not covered yet",
    ):
        assert part in text, part
    squeezed = text.replace(" ", "")
    event = AuditEvent.objects.get(action="sign_off.recorded", payload__contains=f'"sign_off":{sign_off.pk},')
    assert sign_off.dossier_digest in squeezed and bytes(event.leaf).hex() in squeezed
    assert page.get(address).content == answer.content
    # what happens afterwards changes nothing of it
    Finding.objects.create(submission=row, revision=1, about="GP101", severity="high", says="Found much later.")
    assert page.get(address).content == answer.content


def test_it_is_tagged_for_screen_readers_and_names_its_checkpoint() -> None:
    made, sign_off = signed()
    write_checkpoint()
    pdf = draw(record_of(making.call(made["people"]["ada"]), made["row"].pk, sign_off.pk))  # type: ignore[index,attr-defined]
    reader = PdfReader(io.BytesIO(pdf))
    root = reader.trailer["/Root"].get_object()
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "en"  # type: ignore[index]
    assert b"pdfuaid" in pdf and reader.metadata is not None and reader.metadata.title == "Risk officer: approved"
    assert bytes(AuditCheckpoint.objects.get().root).hex() in text_of(pdf).replace(" ", "")


def test_another_unit_finds_nothing() -> None:
    made, sign_off = signed()
    gus = making.person("gus", Role.RISK_OFFICER, at=making.unit("shop"))
    with pytest.raises(NotFound):
        record_of(making.call(gus), made["row"].pk, sign_off.pk)  # type: ignore[attr-defined]
    with pytest.raises(NotFound):
        record_of(making.call(made["people"]["ada"]), made["row"].pk, 0)  # type: ignore[index,attr-defined]
    assert browser(gus).get(reverse("sign_off_record", args=[made["row"].pk, sign_off.pk])).status_code == 404  # type: ignore[attr-defined]
