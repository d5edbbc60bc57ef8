"""Tracks: never lower than before, remembered for 90 days, and stored so that they come out again byte for byte."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.models.functions import Now

from governance.domain.facts import Fact, FactSet
from governance.domain.incoming import NewAnswer, NewSource
from governance.domain.vocabulary import Assurance, EvidenceRole, State, Track
from governance.models import AuditEvent, PolicyPack, Submission, TrackDecision
from governance.policy import replay, same_decision
from governance.policy.errors import PackError
from governance.selectors.access import SYSTEM
from governance.selectors.champions import champion_of, strictest_recent_track
from governance.selectors.drafts import draft_of
from governance.selectors.facts import facts_of, pending_collectors
from governance.selectors.policy import pack_in_force, pack_of
from governance.services.drafts import answer, attach_evidence, changing
from governance.services.packs import PACKS, load_pack_file
from governance.services.tracks import assign
from governance.services.work import unit_of_work
from reviews.services.intake import revise, submit, withdraw
from tests.governance import making

pytestmark = pytest.mark.django_db

QUIET = {
    "decision.domain": "marketing",
    "decision.automated": False,
    "decision.affects_customers": False,
    "decision.human_review": "The desk sees every list.",
    "decision.reversible": True,
    "impact.financial": "none",
    "regulation.regimes": [],
    "data.contains_pii": False,
    "data.protected_attributes": [],
    "rollout.circuit_breaker": True,
}


@pytest.fixture(autouse=True)
def _policy() -> None:
    making.policy()


def decide(row: Submission, facts: FactSet, *, final: bool) -> TrackDecision:
    """The track of these facts on the row's present revision."""
    policy, pack = pack_in_force(row.kind)
    pending = () if final else pending_collectors(pack)
    with unit_of_work(SYSTEM) as work:
        row = Submission.objects.get(pk=row.pk)
        return assign(work, submission=row, policy=policy, pack=pack, facts=facts, pending=pending, final=final)[0]


def calm(**other: object) -> FactSet:
    """Facts on which every rule of the shipped pack holds, but for `other` (dots as double underscores)."""
    measured = {
        "system.first_deployment": False,
        "performance.comparable": True,
        "performance.relative_change": 0.0,
        "model.architecture_changed": False,
        "model.framework_changed": False,
        "data.new_sources": [],
        "model.new_features": [],
        "model.unapproved_features": [],
        "model.threshold_change": 0.0,
        "explanation.max_share_change": 0.0,
        "explanation.total_variation": 0.0,
        "vendor.third_party": False,
    }
    values = {**QUIET, **measured, **{name.replace("__", "."): value for name, value in other.items()}}
    return FactSet.of(Fact(name, value, Assurance.MEASURED, "test") for name, value in values.items())


def test_a_measurement_raises_the_track_and_never_lowers_it() -> None:
    row = making.opened()
    first = decide(row, calm(impact__financial="high"), final=False)
    assert first.track == Track.RED
    last = decide(row, calm(), final=True)
    assert last.assessment["track"] != Track.RED, "the facts alone would say less"
    assert last.track == Track.RED
    row.refresh_from_db()
    assert (row.track, row.track_is_final) == (Track.RED, True)


def test_a_measurement_may_raise_it() -> None:
    row = making.opened()
    before = decide(row, calm(), final=False)
    after = decide(row, calm(performance__relative_change=0.2), final=True)
    assert (Track(before.track).rank, after.track) == (0, Track.RED), before.assessment["sentence"]


def test_every_assignment_has_its_event_with_the_rules_that_hit() -> None:
    row = making.opened()
    decide(row, calm(impact__financial="high"), final=False)
    event = json.loads(AuditEvent.objects.get(action="submission.track_assigned").payload)["data"]
    assert event["track"] == "red" and not event["final"] and "TR-060" in event["rules"]
    assert event["policy"] == PolicyPack.objects.get(kind="ml_model").digest


# --- no shopping


def handed_in(version: str = "1.0.0", **answers: object) -> Submission:
    """A submitted version of the same system; its answers go in as a pipeline sends them."""
    given = {**QUIET, **{name.replace("__", "."): value for name, value in answers.items()}}
    row = making.opened(making.new(version, answers=given))
    submit(caller=making.caller(), submission_id=row.pk)
    row.refresh_from_db()
    return row


def remembered(row: Submission) -> tuple[object, str]:
    fact = strictest_recent_track(Submission.objects.select_related("version").get(pk=row.pk))
    return (fact.value, fact.origin) if fact else (None, "")


def test_withdrawing_and_resubmitting_buys_nothing() -> None:
    first = handed_in(impact__financial="high")
    withdraw(caller=making.caller(), submission_id=first.pk)
    again = making.opened(making.new(answers=QUIET))
    assert again.pk != first.pk and remembered(again) == ("red", f"S-{first.pk}")
    preview = draft_of(caller=making.caller(), submission_id=again.pk).preview
    assert "submission.recent_track" in {hit.fact.name if hit.fact else "" for hit in preview.assessment.hits}
    submit(caller=making.caller(), submission_id=again.pk)
    again.refresh_from_db()
    assert again.track == Track.RED


def test_revising_the_answer_away_buys_nothing_either() -> None:
    row = handed_in(impact__financial="high")
    Submission.objects.filter(pk=row.pk).update(state=State.CHANGES_REQUESTED)
    making.say(row, {"impact.financial": "none"})
    assert remembered(row) == ("red", f"S-{row.pk}")


def test_the_same_build_under_another_version_name_is_recognised() -> None:
    first = handed_in(impact__financial="high")
    first.version.artifact_digest = "sha256:" + "a" * 64
    first.version.save()
    other = making.opened(making.new("1.0.1", answers=QUIET))
    assert remembered(other) == (None, "")
    other.version.artifact_digest = first.version.artifact_digest
    other.version.save()
    assert remembered(other) == ("red", f"S-{first.pk}")


def build(content: bytes) -> dict[EvidenceRole, str]:
    return {EvidenceRole.CANDIDATE_MODEL: making.stored(content, name="model.onnx").sha256}


def revised(row: Submission, model: bytes, **changes: object) -> Submission:
    """The next revision of a submission, with another model file and other answers."""
    Submission.objects.filter(pk=row.pk).update(state=State.CHANGES_REQUESTED)
    file = making.stored(model, name="model.onnx")
    with changing(making.caller(), row.pk) as (work, submission):
        attach_evidence(work, submission, making.evidence_of(EvidenceRole.CANDIDATE_MODEL, file))
        answer(work, submission, {name.replace("__", "."): NewAnswer(value) for name, value in changes.items()})
    revise(caller=making.caller(), submission_id=row.pk)
    row.refresh_from_db()
    return row


def test_a_build_is_recognised_after_its_version_went_on_to_another_one() -> None:
    """A was red under 1.0.0, which then became B. A handed in as 1.0.1 is still A; B as 1.0.2 is only what B was."""
    first = making.opened(making.new(answers={**QUIET, "impact.financial": "high"}, evidence=build(b"model A")))
    submit(caller=making.caller(), submission_id=first.pk)
    first = revised(first, b"model B", impact__financial="none")
    digests = list(first.revisions.values_list("artifact_digest", flat=True))
    assert len(set(digests)) == 2 and all(digest.startswith("sha256:") for digest in digests)
    assert first.version.artifact_digest == digests[1]

    again = making.opened(making.new("1.0.1", answers=QUIET, evidence=build(b"model A")))
    assert remembered(again) == ("red", f"S-{first.pk}")
    submit(caller=making.caller(), submission_id=again.pk)  # seen by the decision itself, on its first revision
    fact = FactSet.from_json(again.track_decisions.get().facts).best("submission.recent_track")
    assert fact is not None and (fact.value, fact.origin) == ("red", f"S-{first.pk}")

    other = making.opened(making.new("1.0.2", answers=QUIET, evidence=build(b"model C")))
    assert remembered(other) == (None, "")


def test_a_build_that_only_the_metadata_names_is_recognised_too() -> None:
    told = NewSource("MLmodel", b"flavors:\n  sklearn: {}\nmetadata:\n  guiderail: {model.digest: 'sha256:77aa'}\n")
    first = making.opened(making.new(sources=[told], answers={**QUIET, "impact.financial": "high"}))
    submit(caller=making.caller(), submission_id=first.pk)
    assert first.revisions.get().artifact_digest == "sha256:77aa"
    again = making.opened(making.new("1.0.1", sources=[told], answers=QUIET))
    assert remembered(again) == ("red", f"S-{first.pk}")


def test_what_was_only_unknown_may_be_answered_later() -> None:
    row = making.opened(making.new(answers={**QUIET, "impact.financial": None}))
    submit(caller=making.caller(), submission_id=row.pk)
    decision = row.track_decisions.get()
    unknown = [reason["rule"] for reason in decision.assessment["reasons"] if reason["status"] == "unknown"]
    fired = [reason["rule"] for reason in decision.assessment["reasons"] if reason["status"] == "fired"]
    assert "TR-060" in unknown
    assert "TR-060" not in fired
    Submission.objects.filter(pk=row.pk).update(state=State.CHECKS_FAILED)
    making.say(row, {"impact.financial": "none"})
    assert "TR-060" not in {hit.rule.id for hit in draft_of(caller=making.caller(), submission_id=row.pk).preview.assessment.hits}


def test_a_track_that_was_red_for_something_unknown_is_not_remembered() -> None:
    row = making.opened()
    decision = decide(row, calm(impact__financial=None), final=True)
    assert decision.track == Track.RED
    assert {reason["status"] for reason in decision.assessment["reasons"] if reason["track"] == "red"} == {"unknown"}
    assert remembered(row) == (None, "")


def test_the_memory_ends_after_90_days_and_at_the_unit() -> None:
    first = handed_in(impact__financial="high")
    withdraw(caller=making.caller(), submission_id=first.pk)
    shop = making.unit("shop")
    theirs = making.opened(making.new(answers=QUIET), by=making.caller("gus", of=shop))
    assert remembered(theirs) == (None, "")
    again = making.opened(making.new(answers=QUIET))
    for days, expected in ((89, "red"), (91, None)):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE governance_trackdecision DISABLE TRIGGER track_decision_append_only")
            cursor.execute("UPDATE governance_trackdecision SET at = now() - %s * interval '1 day'", [days])
            cursor.execute("ALTER TABLE governance_trackdecision ENABLE ALWAYS TRIGGER track_decision_append_only")
        assert remembered(again)[0] == expected, days


def test_a_champion_is_the_latest_approved_one_of_that_environment() -> None:
    rows = [handed_in(version) for version in ("1.0.0", "1.1.0")]
    for row in rows:
        Submission.objects.filter(pk=row.pk).update(state=State.APPROVED, closed_at=Now())
    found = champion_of(system_id=rows[0].system_id, environment="production")
    assert found is not None and found.version == "1.1.0"
    assert champion_of(system_id=rows[0].system_id, environment="staging") is None


# --- replay


def replayed(*words: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("replay", *words, stdout=out)
    except SystemExit as exc:
        return int(exc.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_stored_decisions_come_out_byte_for_byte() -> None:
    assert replayed() == (0, "No decisions are stored yet.\n")
    row = making.opened(making.new(sources=[making.source(path) for path in (making.MLMODEL, making.RUN, making.CARD)]))
    submit(caller=making.caller(), submission_id=row.pk)
    other = making.opened(making.new("2.0.0"))
    decide(other, calm(impact__financial="high"), final=False)
    decide(other, calm(), final=True)
    for stored in TrackDecision.objects.all():
        assert same_decision(stored.assessment, replay(pack_of(stored.policy), stored.facts, stored.pending))
    assert replayed() == (0, "3 of 3 stored decisions come out as they were stored.\n")
    assert replayed(f"S-{row.pk}") == (0, "1 of 1 stored decisions come out as they were stored.\n")
    with pytest.raises(CommandError):
        replayed("everything")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE governance_trackdecision SET track = 'green'", "green was stored"),
        (
            "UPDATE governance_trackdecision SET assessment = jsonb_set(assessment, '{track}', '\"green\"')",
            "the rules give red now",
        ),
        ("UPDATE governance_trackdecision SET facts = '[]'", "the rules give red now"),
        ("UPDATE governance_trackdecision SET would_change = '[]'", "what would change"),
        ("UPDATE governance_policypack SET source = replace(source, 'high', 'medium')", "pack ml_model"),
    ],
)
def test_a_changed_record_is_found_and_named(sql: str, says: str) -> None:
    row = making.opened()
    decide(row, calm(impact__financial="high"), final=False)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE governance_trackdecision DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE governance_policypack DISABLE TRIGGER USER")
        cursor.execute(sql)
    code, words = replayed()
    assert code == 2 and f"S-{row.pk}" in words and says in words, words


# --- packs


def test_a_pack_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "ml_model.yaml"
    text = (PACKS / "ml_model.yaml").read_text()
    (tmp_path / "questionnaires").mkdir()
    (tmp_path / "questionnaires" / "ml_model.yaml").write_text((PACKS / "questionnaires" / "ml_model.yaml").read_text())
    path.write_text(text)
    row, created = load_pack_file(caller=SYSTEM, path=path)
    assert not created, "the shipped one is loaded already"
    path.write_text("# a comment changes nothing\n" + text)
    assert load_pack_file(caller=SYSTEM, path=path) == (row, False)
    document = yaml.safe_load(text)
    document["version"] = "2026.12.1"
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    newer, created = load_pack_file(caller=SYSTEM, path=path)
    assert created and newer.digest != row.digest
    assert pack_in_force("ml_model")[0] == newer
    assert AuditEvent.objects.filter(action="policy.activated", object=f"policypack:{newer.pk}").count() == 1


def test_a_pack_whose_example_fails_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    before = pack_in_force("ml_model")[0]
    document = yaml.safe_load((PACKS / "ml_model.yaml").read_text())
    rule = next(rule for rule in document["rules"] if rule["id"] == "TR-020")
    rule["when"]["in"].remove("credit")
    path = tmp_path / "ml_model.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    with pytest.raises(PackError, match="TR-020"):
        load_pack_file(caller=SYSTEM, path=path)
    with pytest.raises(CommandError, match="TR-020"):
        call_command("policy", "load", str(path))
    assert pack_in_force("ml_model")[0] == before and PolicyPack.objects.filter(kind="ml_model").count() == 1


def test_a_stored_decision_keeps_its_own_pack_when_a_new_one_comes(tmp_path: Path) -> None:
    row = making.opened()
    decide(row, calm(impact__financial="high"), final=False)
    document = yaml.safe_load((PACKS / "ml_model.yaml").read_text())
    document["version"] = "2026.12.1"
    document["rules"] = [rule for rule in document["rules"] if rule["id"] not in ("TR-060", "TR-061")]
    path = tmp_path / "ml_model.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    (tmp_path / "questionnaires").mkdir()
    (tmp_path / "questionnaires" / "ml_model.yaml").write_text((PACKS / "questionnaires" / "ml_model.yaml").read_text())
    load_pack_file(caller=SYSTEM, path=path)
    assert replayed()[0] == 0
    champion = champion_of(system_id=row.system_id, environment="production", before=row.pk)
    assert facts_of(row, champion) is not None
