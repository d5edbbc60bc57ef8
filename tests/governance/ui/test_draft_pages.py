"""The pages of a draft without JavaScript: from the first file to the check page; each mistake is explained where it was made."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.domain.vocabulary import EvidenceRole, State
from governance.models import Submission
from governance.prefill.reading import readable
from governance.selectors.drafts import draft_of
from tests.governance import making

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _policy() -> None:
    making.policy()


@pytest.fixture
def dana() -> Client:
    return making.browser(making.person())


def upload(path: Any = making.MLMODEL, name: str = "MLmodel") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, path.read_bytes())


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, (answer.status_code, answer.get("Location"), answer.content[:400])
    return str(answer.content.decode())


def linked_errors(page: str) -> dict[str, str]:
    """The error summary: address in the page -> words. Each address has to exist as an id."""
    summary = re.search(r'<div class="error-summary".*?</div>', page, re.S)
    assert summary, "an error summary at the top"
    found = dict(re.findall(r'<a href="#([^"]+)">([^<]+)</a>', summary[0]))
    for target in found:
        assert f'id="{target}"' in page, f"#{target} leads nowhere"
    return found


def test_the_whole_way_without_javascript(dana: Client) -> None:
    made = dana.post(
        "/submissions/new",
        {
            "system": "credit-default",
            "version": "2.3.0",
            "environment": "production",
            "files": [upload(), upload(making.RUN, "run.json")],
        },
    )
    row = Submission.objects.get()
    assert (made.status_code, made["Location"]) == (302, f"/submissions/S-{row.pk}/prepare")
    tasks = text(dana.get(made["Location"]))
    assert "2 read" in tasks and "Check your answers and submit" in tasks
    files = text(dana.get(f"/submissions/S-{row.pk}/files"))
    assert "MLmodel" in files and "What it says" in files
    dana.post(f"/submissions/S-{row.pk}/files", {"files": [upload(making.CARD, "README.md")]})
    assert row.sources.count() == 3
    draft = draft_of(caller=making.caller(), submission_id=row.pk)
    where = f"/submissions/S-{row.pk}/questions/{draft.topics[0].slug}"
    for number, topic in enumerate(draft.topics, 1):
        page = text(dana.get(where))
        assert f"Page {number} of {len(draft.topics)}" in page and topic.title in page
        where = dana.post(where, filled(page))["Location"]
    assert where == f"/submissions/S-{row.pk}/evidence"
    rows = SimpleUploadedFile("rows.csv", b"id,label,pred\n1,0,0\n")
    sent = dana.post(
        where, {"role": "candidate_predictions", "file": rows, "column_label": "label", "column_sensitive": "sex, age"}
    )
    assert sent.status_code == 302
    attached = row.evidence.get()
    assert attached.columns == {"label": "label", "sensitive": ["sex", "age"]}
    assert "rows.csv" in text(dana.get(where))
    check = text(dana.get(f"/submissions/S-{row.pk}/check"))
    for topic in draft.topics:
        assert f"/submissions/S-{row.pk}/questions/{topic.slug}?return=check" in check
    back = dana.post(f"/submissions/S-{row.pk}/questions/use?return=check", {})
    assert back["Location"] == f"/submissions/S-{row.pk}/check"
    confirmed = dana.post(f"/submissions/S-{row.pk}/confirm", follow=True)
    assert "Confirmed" in text(confirmed)
    handed_in = dana.post(f"/submissions/S-{row.pk}/submit")
    assert handed_in.status_code == 302
    row.refresh_from_db()
    assert (row.state, row.revision, row.track) == (State.IN_CHECKS, 1, "red")
    assert "frozen" in text(dana.post(f"/submissions/S-{row.pk}/files", {"files": [upload()]}), 409)


def filled(page: str) -> dict[str, Any]:
    """What a browser would send: the inputs of the main form as they stand, "I do not know" where nothing is chosen."""
    form = re.search(r'<form method="post" action="/submissions/[^"]*/questions/.*?</form>', page, re.S)
    assert form
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        attrs = dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag))
        if attrs.get("type") in ("radio", "checkbox"):
            if " checked" in tag:
                sent.setdefault(attrs["name"], []).append(attrs["value"])
        elif attrs.get("type") in ("text", "date"):
            sent[attrs["name"]] = attrs.get("value", "").replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&")
    for name, value in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)</textarea>', form[0]):
        sent[name] = value.replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&")
    return sent


def test_prefilled_values_survive_being_shown_and_saved_untouched(dana: Client) -> None:
    """Each page saved as it came: every prefilled answer is confirmed, none is edited, none is refused."""
    row = making.opened(making.new(sources=[making.source(p) for p in (making.MLMODEL, making.RUN, making.CARD)]))
    before = draft_of(caller=making.caller(), submission_id=row.pk)
    prefilled = {s.question.id for s in before.states if s.shown is not None}
    assert len(prefilled) > 10
    for topic in before.topics:
        where = f"/submissions/S-{row.pk}/questions/{topic.slug}"
        answer = dana.post(where, filled(text(dana.get(where))))
        assert answer.status_code == 302, linked_errors(answer.content.decode())
    said = {a.question: a.provenance for a in row.answers.all()}
    assert {q: said.get(q) for q in prefilled} == dict.fromkeys(prefilled, "confirmed")
    after = draft_of(caller=making.caller(), submission_id=row.pk)
    assert after.preview.facts.to_json() == before.preview.facts.to_json(), "confirming changes no fact"


def test_a_new_submission_with_mistakes_links_each_of_them(dana: Client) -> None:
    page = text(dana.post("/submissions/new", {"system": "Credit Default", "version": "", "environment": "moon"}), 422)
    errors = linked_errors(page)
    assert {"f-system", "f-version", "f-environment"} <= set(errors)
    assert 'value="Credit Default"' in page
    empty = SimpleUploadedFile("empty.json", b"")
    page = text(
        dana.post("/submissions/new", {"system": "a", "version": "1", "environment": "production", "files": [empty]}), 422
    )
    assert "empty" in " ".join(linked_errors(page).values())
    assert not Submission.objects.exists()


def test_a_version_with_a_nul_and_forty_one_files(dana: Client) -> None:
    given = {"system": "a", "environment": "production"}
    text(dana.post("/submissions/new", {**given, "version": "1\x00"}), 422)
    many = [SimpleUploadedFile(f"{n}.json", b"{}") for n in range(41)]
    assert "up to 40" in text(dana.post("/submissions/new", {**given, "version": "1", "files": many}), 422)


def test_a_second_open_one_is_explained(dana: Client) -> None:
    first = making.opened(making.new("1.0.0", system="a"))
    given = {"system": "a", "version": "1.0.0", "environment": "production", "files": [upload()]}
    assert f"S-{first.pk} is already open" in text(dana.post("/submissions/new", given), 422)


def test_a_metadata_file_that_is_too_large_keeps_the_others(dana: Client) -> None:
    row = making.opened()
    big = SimpleUploadedFile("big.json", b" " * (2 * 1024**2 + 1))
    page = text(dana.post(f"/submissions/S-{row.pk}/files", {"files": [big, upload()]}), 422)
    assert "big.json" in linked_errors(page)["f-files"] and "2 MiB" in page
    assert [source.name for source in row.sources.all()] == ["MLmodel"]


def test_adding_nothing_and_a_file_nobody_knows(dana: Client) -> None:
    row = making.opened()
    assert "Choose at least one file" in text(dana.post(f"/submissions/S-{row.pk}/files", {}), 422)
    dana.post(f"/submissions/S-{row.pk}/files", {"files": [SimpleUploadedFile("x.bin", b"\x00\x01\x02")]})
    page = text(dana.get(f"/submissions/S-{row.pk}/files"))
    assert "not recognised" in page and "x.bin" in page
    source = row.sources.get()
    assert dana.post(f"/submissions/S-{row.pk}/files/{source.pk}/drop").status_code == 302
    assert not row.sources.exists()
    assert "no longer part" in text(dana.post(f"/submissions/S-{row.pk}/files/{source.pk}/drop"), 404)


def test_taking_out_asks_first_and_says_what_goes(dana: Client) -> None:
    file = making.stored(name="rows.csv")
    row = making.opened(making.new(sources=[making.source()], evidence={EvidenceRole.CANDIDATE_PREDICTIONS: file.sha256}))
    source = row.sources.get()
    for page, address, name in (
        ("files", f"/submissions/S-{row.pk}/files/{source.pk}/drop", source.name),
        ("evidence", f"/submissions/S-{row.pk}/evidence/candidate_predictions/drop", "rows.csv"),
    ):
        assert f'href="{address}"' in text(dana.get(f"/submissions/S-{row.pk}/{page}"))
        asked = text(dana.get(address))
        assert f"Take out {name}" in asked and f'action="{address}"' in asked and "again" in asked
        assert f'href="/submissions/S-{row.pk}/{page}"' in asked, "a way back"
    assert (row.sources.count(), row.evidence.count()) == (1, 1), "asking changes nothing"
    for address in (f"files/{source.pk}", "evidence/candidate_predictions"):
        assert dana.post(f"/submissions/S-{row.pk}/{address}/drop").status_code == 302
        assert dana.get(f"/submissions/S-{row.pk}/{address}/drop").status_code == 404
    assert (row.sources.count(), row.evidence.count()) == (0, 0)
    Submission.objects.filter(pk=row.pk).update(state=State.IN_REVIEW)
    with_file = making.opened(making.new("2.0.0", sources=[making.source()]))
    Submission.objects.filter(pk=with_file.pk).update(state=State.IN_REVIEW)
    frozen = dana.get(f"/submissions/S-{with_file.pk}/files/{with_file.sources.get().pk}/drop")
    assert frozen.status_code == 409


def test_open_questions_are_named_and_lead_to_their_page(dana: Client) -> None:
    row = making.opened(making.new(sources=[making.source(), making.source(making.RUN), making.source(making.CARD)]))
    check = f"/submissions/S-{row.pk}/check"
    missing = draft_of(caller=making.caller(), submission_id=row.pk).preview.missing
    page = text(dana.get(check))
    assert f"{len(missing)} questions are open" in page
    for question in missing:
        link = re.search(rf'<a href="([^"]+)">{re.escape(question.ask)}</a>', page)
        assert link is not None, question.id
        address, _, field = link[1].partition("#")
        assert f'id="{field}"' in text(dana.get(address)), "the link leads to the field itself"
    making.say(row, {question.id: None for question in missing})
    rest = draft_of(caller=making.caller(), submission_id=row.pk).preview.missing
    making.say(row, {question.id: None for question in rest})
    assert "questions are open" not in text(dana.get(check))


def test_evidence_mistakes(dana: Client, settings: Any) -> None:
    row = making.opened()
    where = f"/submissions/S-{row.pk}/evidence"
    assert set(linked_errors(text(dana.post(where, {}), 422))) == {"f-role", "f-file"}
    settings.EVIDENCE_MAX_BYTES = 10
    big = {"role": "document", "file": SimpleUploadedFile("big.csv", b"x" * 11), "column_label": "y"}
    page = text(dana.post(where, big), 422)
    assert "big.csv is larger than 10 bytes" in linked_errors(page)["f-file"]
    assert 'value="y"' in page, "what was typed is still there"
    empty = {"role": "document", "file": SimpleUploadedFile("none.csv", b"")}
    assert "none.csv is empty" in text(dana.post(where, empty), 422)
    nul = {"role": "document", "file": SimpleUploadedFile("a.csv", b"x"), "column_label": "a\x00"}
    assert "NUL" in text(dana.post(where, nul), 422)
    assert not row.evidence.exists()
    assert dana.post(f"{where}/bribe/drop").status_code == 422
    assert dana.post(f"{where}/document/drop").status_code == 404


def test_a_correction_without_a_reason_is_asked_for_it_and_keeps_what_was_typed(dana: Client) -> None:
    row = making.opened(making.new(sources=[making.source()]))
    where = f"/submissions/S-{row.pk}/questions/model"
    page = text(dana.post(where, {"model.framework": "my-own", "model.limitations": "Not for firms."}), 422)
    errors = linked_errors(page)
    assert list(errors) == ["f-model-framework"] and "Say why it is corrected" in errors["f-model-framework"]
    assert 'value="my-own"' in page and "Not for firms." in page
    assert not row.answers.exists()
    dana.post(where, {"model.framework": "my-own", "model.framework__reason": "Wrong export."})
    assert row.answers.get().reason == "Wrong export."
    assert "Wrong export." in text(dana.get(where)) and "Corrected" in text(dana.get(where))


def test_saying_that_one_does_not_know(dana: Client) -> None:
    row = making.opened()
    dana.post(f"/submissions/S-{row.pk}/questions/impact", {"impact.financial": "__unknown__"})
    dana.post(
        f"/submissions/S-{row.pk}/questions/rollout", {"rollout.rollback_target__unknown": "1", "rollout.rollback_target": "2"}
    )
    assert {(a.question, a.value, a.provenance) for a in row.answers.all()} == {
        ("impact.financial", None, "unknown"),
        ("rollout.rollback_target", None, "unknown"),
    }
    assert "I do not know" in text(dana.get(f"/submissions/S-{row.pk}/check"))


@pytest.mark.parametrize("odd", ["{bad", '{"kind": "\\ud800"}', "{" * 5000, '{"a":' * 3000, "\x00", "[1]"])
def test_odd_monitors_are_refused_in_words(dana: Client, odd: str) -> None:
    row = making.opened()
    topic = next(
        t.slug
        for t in draft_of(caller=making.caller(), submission_id=row.pk).topics
        for q in t.questions
        if q.question.id == "monitoring.plan"
    )
    answer = dana.post(f"/submissions/S-{row.pk}/questions/{topic}", {"monitoring.plan": [odd]})
    assert answer.status_code in (302, 422)
    live = dana.post(f"/submissions/S-{row.pk}/questions/{topic}/track", {"monitoring.plan": [odd]})
    assert live.status_code == 200
    assert dana.get(f"/submissions/S-{row.pk}/questions/{topic}").status_code == 200


def test_the_live_track_is_the_part_of_the_page_and_records_nothing(dana: Client) -> None:
    row = making.opened(making.new(sources=[making.source()]))
    where = f"/submissions/S-{row.pk}/questions/impact"
    page = text(dana.get(where))
    part = text(dana.post(f"{where}/track", {}))
    assert part.startswith('<section id="draft_track"')
    squeeze = " ".join
    assert squeeze(part.split()) in squeeze(page.split()), "the page holds the same part"
    with CaptureQueriesContext(connection) as queries:
        moved = text(dana.post(f"{where}/track", {"impact.financial": "high"}))
    assert (moved != part and "TR-060" in moved) or "financial" in moved
    assert not [q["sql"] for q in queries if q["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert not row.answers.exists()
    dana.post(where, {"impact.financial": "high"})
    saved = text(dana.post(f"{where}/track", {}))
    assert squeeze(saved.split()) in squeeze(text(dana.get(where)).split())


def test_hostile_words_are_shown_as_words(dana: Client) -> None:
    evil = '<script>alert(1)</script>" onmouseover="x'
    row = making.opened(
        making.new(sources=[making.NewSource("<img src=x onerror=alert(1)>.json", b'{"metrics": {"<b>auc": 1}}')])
    )
    dana.post(f"/submissions/S-{row.pk}/questions/model", {"model.limitations": evil})
    for path in ("prepare", "files", "questions/model", "evidence", "check"):
        page = text(dana.get(f"/submissions/S-{row.pk}/{path}"))
        assert "<script>alert" not in page and "<img src=x" not in page and 'onmouseover="x' not in page


@pytest.mark.parametrize(
    ("path", "most"), [("prepare", 30), ("files", 30), ("questions/use", 30), ("evidence", 30), ("check", 30), ("new", 10)]
)
def test_the_number_of_statements_does_not_grow_with_the_case(dana: Client, path: str, most: int) -> None:
    def count(row: Submission) -> int:
        where = "/submissions/new" if path == "new" else f"/submissions/S-{row.pk}/{path}"
        dana.get(where)
        with CaptureQueriesContext(connection) as queries:
            text(dana.get(where))
        return len(queries)

    small = making.opened(making.new("1.0.0"))
    large = making.opened(
        making.new(
            "2.0.0",
            sources=[making.source(p) for p in (making.MLMODEL, making.RUN, making.CARD)],
            answers={
                "decision.automated": True,
                "impact.financial": "low",
                "impact.people_per_month": 10,
                "rollout.strategy": "full",
            },
            evidence={role: making.stored(role.value.encode()).sha256 for role in list(making.EvidenceRole)[:8]},
        )
    )
    few, many = count(small), count(large)
    print(f"{path}: {few} statements for an empty draft, {many} for a full one")
    assert many <= few + 2, "the authors of answers and the files of evidence, one statement each"
    assert many <= most


def test_submitting_by_rest_takes_few_statements_however_much_is_sent() -> None:
    client = Client(**making.bearer(making.token(making.person())))
    files = {role.value: making.stored(role.value.encode()).sha256 for role in list(making.EvidenceRole)[:6]}

    def post(version: str, sources: list[Any], evidence: dict[str, str]) -> int:
        body = {
            "system": "credit-default",
            "version": version,
            "answers": {"decision.automated": True, "impact.financial": "low"},
            "sources": [{"name": p.name, "content": p.read_text()} for p in sources],
            "evidence": [{"role": role, "sha256": sha} for role, sha in evidence.items()],
        }
        with CaptureQueriesContext(connection) as queries:
            answer = client.post("/api/v1/submissions", body, content_type="application/json")
        assert answer.status_code == 201, answer.content
        return len([q for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    post("0.0.1", [], {})
    bare, full = post("1.0.0", [], {}), post("2.0.0", [making.MLMODEL, making.RUN, making.CARD], files)
    each = (full - bare) / (3 + len(files))
    print(f"POST /submissions: {bare} statements bare, {full} with 3 files and {len(files)} evidence roles ({each:.1f} each)")
    assert bare <= 70
    assert each <= 8


def test_the_upload_pages_name_every_format_and_read_it(dana: Client) -> None:
    """The list is the readers' own, so that a new one is offered without a word here."""
    names = ("sagemaker-0.1.0.describe_model_card.json", "croissant-1.0.json", "cyclonedx-1.6.model.cdx.json", "uv-0.9.uv.lock")
    given = {"system": "credit-default", "version": "2.4.0", "environment": "production"}
    made = dana.post("/submissions/new", {**given, "files": [upload(making.METADATA / name, name) for name in names]})
    page = text(dana.get(made["Location"].replace("/prepare", "/files")))
    for shown in (page, text(dana.get("/submissions/new"))):
        assert [title for title in readable() if f"<li>{title}</li>" not in shown] == []
    for reader in ("sagemaker card", "croissant", "cyclonedx model", "uv lock"):
        assert f"read as {reader}" in page.lower()
    assert "rai:personalSensitiveInformation[0]" in page and "That is not taken over" in page
