"""Eight deciders at once with somebody writing evidence beside them: never two decisions, never one on changed evidence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import close_old_connections, connection, transaction

from governance.domain.errors import DomainError
from governance.domain.vocabulary import Role, State, Track
from governance.models import Evidence, EvidenceFile, Person, Submission
from reviews.models import Dossier, Permit, SignOff
from reviews.selectors.dossier import dossier
from reviews.services.deciding import decide
from tests.reviews import making

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS, DECIDERS = 30, 8


def at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Run every job in its own thread, started together; results or refusals in order."""
    start, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(index: int, job: Callable[[], Any]) -> None:
        try:
            close_old_connections()
            start.wait(timeout=30)
            results[index] = job()
        except Exception as exc:
            results[index] = exc
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i, job)) for i, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return results


def engineers() -> list[Person]:
    return [making.person(f"engineer{n}", Role.PLATFORM_ENGINEER, everywhere=True) for n in range(DECIDERS)]


def rewrite_evidence(row: Submission, file: EvidenceFile) -> None:
    """As rudely as possible: past the services, without the submission's lock."""
    with transaction.atomic():
        Evidence.objects.filter(submission=row, role="candidate_predictions").update(file=file)


@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(150, marks=pytest.mark.nightly)])
def test_never_two_decisions_and_never_one_on_changed_evidence(rounds: int) -> None:
    people = engineers()
    file = EvidenceFile.objects.create(
        unit=making.unit(), sha256="e" * 64, size=1, name="new", media_type="x", uploaded_by=making.person("dana", Role.SUBMITTER)
    )
    decided_rounds = stale_rounds = 0
    for number in range(rounds):
        row = making.in_review(Track.YELLOW, system=f"system-{number}")
        callers = [making.call(person) for person in people]
        jobs: list[Callable[[], Any]] = [
            lambda caller=caller, row=row: decide(
                caller=caller, submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve()
            )
            for caller in callers
        ]
        jobs.insert(number % len(jobs), lambda row=row: rewrite_evidence(row, file))
        results = at_once(jobs)
        refused = [r for r in results if isinstance(r, BaseException)]
        assert all(isinstance(r, DomainError) for r in refused), refused
        standing = SignOff.objects.filter(submission=row, voided_at__isnull=True)
        assert standing.count() <= 1
        assert Permit.objects.filter(submission=row).count() == standing.count()
        if sign_off := standing.first():
            decided_rounds += 1
            kept = Dossier.objects.get(submission=row, digest=sign_off.dossier_digest)
            # the writer comes after the decision or makes it stale; a decision names the evidence it was made on
            assert kept.content["evidence"]["candidate_predictions"]["sha256"] == "b" * 64
            assert making.fresh(row).state == State.APPROVED
        else:
            stale_rounds += 1
            assert making.fresh(row).state == State.IN_REVIEW
            assert making.fresh(row).dossier_digest == dossier(making.fresh(row)).digest
    assert decided_rounds + stale_rounds == rounds
    assert decided_rounds, "every round was stale: the race was not run"


def test_two_versions_approved_at_once_leave_one_champion() -> None:
    people = engineers()
    for number in range(5):
        rows = [making.in_review(Track.YELLOW, system=f"twin-{number}") for _ in range(4)]
        results = at_once(
            [
                lambda row=row, who=who: decide(
                    caller=making.call(who), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve()
                )
                for row, who in zip(rows, people, strict=False)
            ]
        )
        assert not [r for r in results if isinstance(r, BaseException)]
        states = sorted(making.fresh(row).state for row in rows)
        assert states == [State.APPROVED, *[State.SUPERSEDED] * 3]
