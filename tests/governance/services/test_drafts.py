"""The working copy: opening once, files kept whatever they hold, answers with their provenance, and who may touch it when."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from governance.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from governance.domain.incoming import NewAnswer, NewEvidence, NewSource
from governance.domain.vocabulary import OPEN_STATES, EvidenceRole, Role, Scope, State
from governance.models import Answer, AuditEvent, Person, Submission, System, SystemVersion
from governance.selectors.access import SYSTEM, caller_for
from governance.selectors.facts import facts_of
from governance.services import drafts
from governance.services.drafts import add_source, attach_evidence, changing, discard_answer, remove_source
from governance.services.opening import open_draft, open_submission
from governance.services.tokens import issue_token
from governance.services.work import unit_of_work
from reviews.services.intake import open_and_submit, submit
from tests.governance import making

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _policy() -> None:
    making.policy()


def hand_in(given: making.NewSubmission, key: str = "", *, draft: bool = True, who: str = "dana") -> tuple[int, bool]:
    return open_and_submit(caller=making.caller(who), unit_id=making.unit().pk, new=given, idempotency_key=key, keep_draft=draft)


# --- opening once


def test_the_same_key_with_the_same_content_is_the_same_submission() -> None:
    first, created = hand_in(making.new(answers={"decision.domain": "credit"}), "k1")
    again, created_again = hand_in(making.new(answers={"decision.domain": "credit"}), "k1")
    assert (created, created_again, again) == (True, False, first)
    assert AuditEvent.objects.filter(action="submission.opened").count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"answers": {"decision.domain": "fraud"}},
        {"version": "1.0.1"},
        {"environment": "staging"},
        {"sources": [NewSource("MLmodel", b"flavors: {}")]},
        {"answers": {"decision.domain": NewAnswer("credit", "another reason")}},
    ],
)
def test_the_same_key_with_other_content_is_refused(other: dict[str, object]) -> None:
    first, _ = hand_in(making.new(answers={"decision.domain": "credit"}), "k1")
    with pytest.raises(Conflict, match=f"used for S-{first} with other content") as refused:
        hand_in(making.new(**{"answers": {"decision.domain": "credit"}, **other}), "k1")  # type: ignore[arg-type]
    assert refused.value.code == "idempotency_key_reused"
    assert Submission.objects.count() == 1


def test_keys_of_other_units_do_not_meet() -> None:
    first, _ = hand_in(making.new(), "k1")
    shop = making.unit("shop")
    other, created = open_and_submit(
        caller=making.caller("gus", of=shop), unit_id=shop.pk, new=making.new(), idempotency_key="k1", keep_draft=True
    )
    assert created and other != first


def test_the_same_content_without_a_key_is_the_same_submission_in_whatever_order_it_is_sent() -> None:
    sources = [making.source(making.MLMODEL), making.source(making.RUN)]
    first, _ = hand_in(making.new(sources=sources, answers={"decision.domain": "credit", "decision.automated": True}))
    again, created = hand_in(
        making.new(sources=reversed(sources), answers={"decision.automated": True, "decision.domain": "credit"})
    )
    assert (again, created) == (first, False)


@pytest.mark.parametrize("state", [State.WITHDRAWN, State.REJECTED, State.REVOKED, State.EXPIRED, State.SUPERSEDED])
def test_the_same_content_is_a_new_submission_once_the_old_one_allows_nothing_any_more(state: State) -> None:
    first, _ = hand_in(making.new())
    Submission.objects.filter(pk=first).update(state=state)
    second, created = hand_in(making.new())
    assert created and second != first


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
def test_a_second_open_submission_of_the_version_is_refused_with_the_way_out(state: State) -> None:
    first, _ = hand_in(making.new())
    Submission.objects.filter(pk=first).update(state=state)
    with pytest.raises(Conflict, match="Revise or withdraw that one, or raise the version") as refused:
        hand_in(making.new(answers={"decision.domain": "credit"}))
    assert refused.value.code == "already_open"
    hand_in(making.new(environment="staging", answers={"decision.domain": "credit"}))


def test_a_system_of_another_kind_is_refused() -> None:
    System.objects.create(unit=making.unit(), slug="credit-default", name="x", kind="application")
    with pytest.raises(Conflict, match="registered as application"):
        hand_in(making.new())


def race(count: int, work: Callable[[int], object]) -> list[object]:
    """`work(number)` in that many threads at once, each with a connection of its own; results or exceptions."""
    gate, results = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        gate.wait()
        try:
            results[number] = work(number)  # type: ignore[call-overload]
        except Exception as exc:
            results[number] = exc  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(results)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["k1", ""])
def test_sent_eight_times_at_once_it_is_one_submission_submitted_once(key: str) -> None:
    making.caller()
    given = making.new(sources=[making.source()], answers={"decision.domain": "credit"})
    results = race(8, lambda _: hand_in(given, key, draft=False))
    assert {result[0] for result in results} == {Submission.objects.get().pk}, results  # type: ignore[index]
    assert [result[1] for result in results].count(True) == 1, results  # type: ignore[index]
    row = Submission.objects.get()
    assert (row.revision, row.revisions.count(), row.track_decisions.count()) == (1, 1, 1)
    assert AuditEvent.objects.filter(action="submission.submit").count() == 1
    assert (System.objects.count(), SystemVersion.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_different_content_for_one_version_at_once_leaves_one_open_submission() -> None:
    making.caller()
    results = race(6, lambda n: hand_in(making.new(answers={"impact.people_per_month": n + 1}), f"key-{n}"))
    won = [result for result in results if isinstance(result, tuple)]
    lost = [result for result in results if isinstance(result, Conflict)]
    assert (len(won), len(lost)) == (1, 5), results
    assert {exc.code for exc in lost} == {"already_open"}


@pytest.mark.django_db(transaction=True)
def test_a_double_click_on_the_form_opens_one_draft() -> None:
    making.caller()
    results = race(4, lambda _: open_draft(caller=making.caller(), unit_id=making.unit().pk, new=making.new()).pk)
    assert set(results) == {Submission.objects.get().pk}


# --- metadata files


def test_a_malformed_file_is_kept_and_explained_and_nothing_else_is_lost() -> None:
    broken = [
        NewSource("MLmodel", b"flavors: [unclosed"),
        NewSource("run.json", b'{"run": {'),
        NewSource("empty.json", b""),
        NewSource("picture.png", b"\x89PNG\r\n\x1a\n\x00\x00"),
        NewSource("nul.json", b'{"metrics": {"auc\\u0000": 0.9, "half": "\\ud800"}}'),
        NewSource("deep.json", b"[" * 100_000),
    ]
    row = making.opened(making.new(sources=[*broken, making.source(making.MLMODEL)]))
    kept = {source.name: source for source in row.sources.all()}
    assert set(kept) == {source.name for source in [*broken, making.source(making.MLMODEL)]}
    for source in broken:
        assert bytes(kept[source.name].content) == source.content
        assert kept[source.name].problems, source.name
        assert all(problem["detail"] for problem in kept[source.name].problems)
    assert len(kept[making.MLMODEL.name].facts) > 5
    assert facts_of(row, None).value("model.framework")


def test_a_file_of_the_same_name_is_replaced_and_two_in_one_request_are_refused() -> None:
    row = making.opened(making.new(sources=[NewSource("metrics.json", b'{"auc": 0.9}')]))
    with changing(making.caller(), row.pk) as (work, submission):
        add_source(work, submission, NewSource("sub/metrics.json", b'{"auc": 0.8}'))
    assert [bytes(s.content) for s in row.sources.all()] == [b'{"auc": 0.8}']
    two = [NewSource("a/metrics.json", b'{"auc": 0.9}'), NewSource("b/metrics.json", b'{"auc": 0.8}')]
    with pytest.raises(InvalidInput, match=r"Two metadata files are named metrics\.json"):
        making.opened(making.new("2.0.0", sources=two))
    assert not Submission.objects.filter(version__version="2.0.0").exists()


def test_a_removed_file_takes_its_facts_along_and_the_contributor_stays() -> None:
    row = making.opened(making.new(sources=[making.source()]))
    assert facts_of(row, None).value("model.framework")
    with changing(making.caller(), row.pk) as (work, submission):
        remove_source(work, submission, row.sources.get().pk)
    assert facts_of(row, None).value("model.framework") is None
    assert row.contributors.filter(why="brought metadata for it").exists()
    with pytest.raises(NotFound), changing(making.caller(), row.pk) as (work, submission):
        remove_source(work, submission, 999_999)


def test_a_file_of_another_submission_cannot_be_removed_through_this_one() -> None:
    other = making.opened(making.new("9.9.9", sources=[making.source()]))
    row = making.opened()
    with pytest.raises(NotFound), changing(making.caller(), row.pk) as (work, submission):
        remove_source(work, submission, other.sources.get().pk)
    assert other.sources.count() == 1


@pytest.mark.parametrize(("size", "fits"), [(2 * 1024**2, True), (2 * 1024**2 + 1, False)])
def test_metadata_has_a_limit_of_its_own(size: int, fits: bool) -> None:
    given = making.new(sources=[NewSource("big.json", b" " * size)])
    if fits:
        assert making.opened(given).sources.count() == 1
        return
    with pytest.raises(InvalidInput, match=r"big\.json has 2\.0 MiB") as refused:
        making.opened(given)
    assert refused.value.code == "too_large"


def test_forty_files_are_the_most_and_replacing_one_is_not_one_more() -> None:
    row = making.opened(making.new(sources=[NewSource(f"{n}.json", b"{}") for n in range(40)]))
    with changing(making.caller(), row.pk) as (work, submission):
        add_source(work, submission, NewSource("7.json", b'{"auc": 1}'))
    with pytest.raises(InvalidInput, match="up to 40") as refused, changing(making.caller(), row.pk) as (work, submission):
        add_source(work, submission, NewSource("41.json", b"{}"))
    assert refused.value.code == "too_many"


def test_a_very_long_name_is_cut_and_does_not_break_anything() -> None:
    row = making.opened(making.new(sources=[NewSource("n" * 240 + ".json", b"{}")]))
    assert len(row.sources.get().name) == 200


def test_a_source_may_be_evidence_stored_before() -> None:
    file = making.stored(making.MLMODEL.read_bytes(), name="MLmodel")
    row = making.opened(making.new(sources=[NewSource("MLmodel", None, f"sha256:{file.sha256}")]))
    assert row.sources.get().reader and row.sources.get().sha256 == file.sha256


# --- answers


def of(row: Submission, question: str) -> Answer:
    return row.answers.get(question=question)


def test_a_prefilled_value_is_confirmed_corrected_with_a_reason_or_said_to_be_unknown() -> None:
    row = making.opened(making.new(sources=[making.source()]))
    read = facts_of(row, None).value("model.framework")
    making.say(row, {"model.framework": read})
    assert (of(row, "model.framework").provenance, of(row, "model.framework").reason) == ("confirmed", "")
    with pytest.raises(InvalidInput, match="Say why it is corrected") as refused:
        making.say(row, {"model.framework": "xgboost"})
    assert refused.value.errors[0].pointer == "/answers/model.framework"
    assert of(row, "model.framework").provenance == "confirmed", "a refused answer changes nothing"
    making.say(row, {"model.framework": NewAnswer("xgboost", "The file was exported from the wrong run.")})
    edited = of(row, "model.framework")
    assert (edited.provenance, edited.replaced, edited.value) == ("edited", read, "xgboost")
    assert {fact.value for fact in facts_of(row, None).distinct("model.framework")} == {read, "xgboost"}, "both stay visible"
    making.say(row, {"model.framework": None})
    assert (of(row, "model.framework").provenance, of(row, "model.framework").value) == ("unknown", None)
    making.say(row, {"impact.financial": "high"})
    assert (of(row, "impact.financial").provenance, of(row, "impact.financial").replaced) == ("typed", None)
    assert of(row, "impact.financial").by.username == "dana"


def test_one_wrong_answer_keeps_all_from_being_recorded_and_each_is_named() -> None:
    row = making.opened()
    with pytest.raises(InvalidInput) as refused:
        making.say(row, {"decision.domain": "credit", "decision.automated": "perhaps", "no.such": 1})
    assert {error.pointer for error in refused.value.errors} == {"/answers/decision.automated", "/answers/no.such"}
    assert "yes or no" in refused.value.detail and "no question “no.such”" in refused.value.detail
    assert not row.answers.exists()


@pytest.mark.parametrize("name", ["track", "tier", "risk", "risk_tier"])
def test_nobody_sends_a_track(name: str) -> None:
    with pytest.raises(InvalidInput, match="assigned by policy from facts; nobody sends it"):
        making.opened(making.new(answers={name: "green"}))
    assert not Submission.objects.exists()


@pytest.mark.parametrize("bad", ["\x00", "\ud800"])
def test_what_the_record_cannot_hold_is_refused_or_cleaned(bad: str) -> None:
    row = making.opened(making.new(sources=[making.source()]))
    with pytest.raises(InvalidInput, match=r"NUL|surrogate"):
        making.say(row, {"monitoring.plan": [{"kind": "data_drift", "metric": f"psi{bad}"}]})
    making.say(row, {"model.limitations": f"a{bad}b", "model.framework": NewAnswer("x", f"because{bad}")})
    assert of(row, "model.limitations").value == "a b"
    assert of(row, "model.framework").reason == "because"


def test_a_pipeline_that_gives_no_reason_is_recorded_as_such() -> None:
    row = making.opened(making.new(sources=[making.source()], answers={"model.framework": "xgboost"}))
    assert (of(row, "model.framework").provenance, of(row, "model.framework").reason) == (
        "edited",
        "Sent by the pipeline without a reason.",
    )


def test_a_confirmation_ends_when_the_file_says_something_else() -> None:
    row = making.opened(making.new(sources=[NewSource("metrics.json", b'{"metrics": {"roc_auc": 0.81}}')]))
    facts = facts_of(row, None)
    confirmed = {name: facts.value(name) for name in ("performance.metric", "performance.candidate") if name in facts}
    assert len(confirmed) == 2, sorted(facts.by_name)
    making.say(row, confirmed)
    with changing(making.caller(), row.pk) as (work, submission):
        add_source(work, submission, NewSource("metrics.json", b'{"metrics": {"roc_auc": 0.99}}'))
    page = making.browser(making.person()).get(f"/submissions/S-{row.pk}/questions/performance").content.decode()
    assert "0.99" in page
    assert page.count("Confirmed") == 1, "the metric's name still is; its value no longer"
    submit(caller=making.caller(), submission_id=row.pk)
    assert [a.question for a in row.answers.all()] == ["performance.metric"]
    frozen = row.revisions.get()
    assert [a["question"] for a in frozen.answers] == ["performance.metric"]


def test_a_confirmation_ends_with_its_file() -> None:
    row = making.opened(making.new(sources=[making.source()]))
    making.say(row, {"model.framework": facts_of(row, None).value("model.framework")})
    with changing(making.caller(), row.pk) as (work, submission):
        remove_source(work, submission, row.sources.get().pk)
    submit(caller=making.caller(), submission_id=row.pk)
    assert not row.answers.exists()


def test_an_answer_taken_back_leaves_what_was_read() -> None:
    row = making.opened(making.new(sources=[making.source()], answers={"model.framework": "xgboost"}))
    with changing(making.caller(), row.pk) as (work, submission):
        discard_answer(work, submission, "model.framework")
    assert not row.answers.exists()


# --- who contributed


def test_people_whom_the_metadata_names_contributed_in_whatever_spelling() -> None:
    eli = making.person("eli", Role.ANALYST, known_as=["e.mora"])
    making.person("ruth", Role.RISK_OFFICER)
    run = json.loads(making.RUN.read_text())
    tags = run["data"]["tags"] if "data" in run else run["run"]["data"]["tags"]
    named = [tag for tag in tags if tag["key"] == "mlflow.user"] if isinstance(tags, list) else []
    if named:
        named[0]["value"] = "E.Mora"
    else:
        tags["mlflow.user"] = "E.Mora"
    row = making.opened(making.new(sources=[NewSource("run.json", json.dumps(run).encode())]))
    why = {(c.person.username, c.why) for c in row.contributors.select_related("person")}
    assert (eli.username, "trained it, as the metadata says") in why
    assert ("dana", "submitted it") in why and ("dana", "brought metadata for it") in why
    assert "ruth" not in {name for name, _ in why}


@pytest.mark.parametrize(
    ("person", "named", "found"),
    [
        ({"username": "Eli"}, "eLI", True),
        ({"username": "eli", "email": "E.Mora@Bank.example"}, "e.mora@bank.EXAMPLE", True),
        ({"username": "eli", "known_as": ["Mora\\Eli", 'the "one"']}, "mora\\eli", True),
        ({"username": "eli", "known_as": ["x", 'the "One"']}, 'The "one"', True),
        ({"username": "ÉLODIE"}, "élodie", True),
        ({"username": "eli", "known_as": ["ÇAĞLA"]}, "çağla", True),
        ({"username": "İlkay"}, "İLKAY", True),
        ({"username": "eli", "email": ""}, "", False),
        ({"username": "eli", "known_as": ["elia"]}, "eli.a", False),
        ({"username": "eli", "is_active": False}, "eli", False),
    ],
)
def test_names_are_matched_whatever_the_letters_and_the_databases_locale(person: dict[str, Any], named: str, found: bool) -> None:
    Person.objects.create(**person)
    run = {"info": {"run_id": "1", "user_id": named}, "data": {"tags": {"mlflow.user": named}, "metrics": {}, "params": {}}}
    row = making.opened(making.new(sources=[NewSource("run.json", json.dumps(run).encode())]))
    why = {c.person.username for c in row.contributors.select_related("person") if c.why == "trained it, as the metadata says"}
    assert (person["username"] in why) is found


def test_people_are_found_by_index() -> None:
    """Nobody's table of people is read from end to end for a name in a metadata file."""
    Person.objects.bulk_create(Person(username=f"p{n}", email=f"p{n}@bank.example", known_as=[f"P.{n}"]) for n in range(3_000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE governance_person")
        cursor.execute("EXPLAIN " + drafts._CANDIDATES, {"names": ["p.7", "p8"]})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in plan, plan
    assert [pk for pk, *_ in drafts._candidates(["p.7", "p8"])] == [Person.objects.get(username=name).pk for name in ("p7", "p8")]


def test_the_working_copy_a_transaction_made_is_what_was_stored() -> None:
    by, file, other = making.caller(), making.stored(b"a,b\n1,2\n"), making.stored(b"a,b\n3,4\n")
    given = making.new(
        sources=[making.source(), making.source(making.RUN)],
        answers={"decision.domain": "credit", "impact.financial": "high"},
        evidence={EvidenceRole.REFERENCE_SAMPLE: f"sha256:{file.sha256}", EvidenceRole.CANDIDATE_PREDICTIONS: other.sha256},
    )
    with unit_of_work(by) as work:
        row, _ = open_submission(work, unit_id=making.unit().pk, new=given)
        made = work.working_copy(row)
        assert row.pk in work.made
        work.made.clear()
        stored = work.working_copy(row)
        for mine, theirs in ((made.sources, stored.sources), (made.answers, stored.answers), (made.evidence, stored.evidence)):
            assert len(mine) == 2
            for a, b in zip(mine, theirs, strict=True):
                names = [field.attname for field in a._meta.concrete_fields if field.attname != "content"]
                assert {name: getattr(a, name) for name in names} == {name: getattr(b, name) for name in names}
        work.made[row.pk] = made
        attach_evidence(work, row, NewEvidence(EvidenceRole.REFERENCE_SAMPLE, other.sha256))
        assert row.pk not in work.made, "what was changed since is read again"


# --- who may touch it, and when


@pytest.mark.parametrize("state", [s for s in State if s not in (State.DRAFT, State.CHECKS_FAILED, State.CHANGES_REQUESTED)])
def test_it_is_frozen_outside_the_submitters_turn(state: State) -> None:
    row = making.opened()
    Submission.objects.filter(pk=row.pk).update(state=state)
    with pytest.raises(Conflict, match="frozen") as refused:
        making.say(row, {"decision.domain": "credit"})
    assert refused.value.code == "frozen"


@pytest.mark.parametrize("state", [State.DRAFT, State.CHECKS_FAILED, State.CHANGES_REQUESTED])
def test_in_the_submitters_turn_it_can_be_changed(state: State) -> None:
    row = making.opened()
    Submission.objects.filter(pk=row.pk).update(state=state)
    making.say(row, {"decision.domain": "credit"})


def test_another_person_of_the_unit_cannot_edit_and_another_unit_finds_nothing() -> None:
    row = making.opened()
    for who in (making.caller("eli"), making.caller("amir", Role.ANALYST), making.caller("adm", Role.ADMIN)):
        with pytest.raises(Forbidden, match="Only the submitter and people who contribute"):
            making.say(row, {"decision.domain": "credit"}, by=who)
    with pytest.raises(NotFound) as hidden:
        making.say(row, {"decision.domain": "credit"}, by=making.caller("gus", of=making.unit("shop")))
    with pytest.raises(NotFound) as absent, changing(making.caller("gus", of=making.unit("shop")), 999_999):
        pass
    assert hidden.value.detail.replace(str(row.pk), "#") == absent.value.detail.replace("999999", "#")


def test_superusers_get_no_more_than_their_roles() -> None:
    row = making.opened()
    boss = making.person("root", Role.ADMIN, is_superuser=True, is_staff=True, of=making.unit("shop"))
    with pytest.raises(NotFound):
        making.say(row, {"decision.domain": "credit"}, by=caller_for(boss))


def test_opening_needs_the_role_and_the_scope() -> None:
    with pytest.raises(Forbidden, match="data scientist"):
        making.opened(by=making.caller("ada", Role.AUDITOR))
    row, _ = issue_token(caller=SYSTEM, person=making.person(), unit=making.unit(), name="t", scopes=[Scope.READ, Scope.EVIDENCE])
    with pytest.raises(Forbidden, match="submit"):
        making.opened(by=caller_for(making.person(), token=row))
    assert not Submission.objects.exists()


def test_a_token_works_in_its_own_unit_only() -> None:
    """Dana belongs to both units; her token of the shop does not see the lender's cases."""
    row = making.opened()
    shop = making.unit("shop")
    making.RoleGrant.objects.create(person=making.person(), role=Role.SUBMITTER, unit=shop, reason="tests")
    token, _ = issue_token(caller=SYSTEM, person=making.person(), unit=shop, name="t", scopes=list(Scope))
    with pytest.raises(NotFound):
        making.say(row, {"decision.domain": "credit"}, by=caller_for(making.person(), token=token))


def test_a_token_submits_only_while_its_person_may() -> None:
    """The grant of the role ended: the token that was made before does not go on in its name."""
    token, _ = issue_token(caller=SYSTEM, person=making.person(), unit=making.unit(), name="t", scopes=list(Scope))
    making.RoleGrant.objects.update(valid_until="2020-01-01T00:00:00Z")
    with pytest.raises(Forbidden, match="data scientist"):
        making.opened(by=caller_for(making.person(), token=token))


def test_evidence_in_a_role_is_replaced_not_added() -> None:
    first, second = making.stored(b"one"), making.stored(b"two")
    row = making.opened(making.new(evidence={EvidenceRole.CANDIDATE_PREDICTIONS: first.sha256}))
    with changing(making.caller(), row.pk) as (work, submission):
        attach_evidence(work, submission, making.evidence_of(EvidenceRole.CANDIDATE_PREDICTIONS, second, label="y"))
    assert [item.file.sha256 for item in row.evidence.select_related("file")] == [second.sha256]
