"""Load and forecast; what nobody had to read; readings that were refused; how long a page was open before somebody signed."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from governance.domain.errors import InvalidInput
from governance.domain.vocabulary import Role, State, Track
from governance.models import AuditEvent, Person, Submission
from reviews.models import RefusedReading, SignOff
from reviews.selectors.decision_view import decision_view
from reviews.selectors.workload import workload
from reviews.services.deciding import decide
from reviews.services.settling import settle
from reviews.ui import shown
from tests.reviews import making
from tests.reviews.making import Gate

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(who: Person) -> Client:
    client = Client()
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_hundred_green_submissions_a_day_need_no_click() -> None:
    """Checks done, the policy approves and issues the permit: nobody signs, nobody is asked, nothing waits for a person."""
    making.everybody()
    making.policy()
    for _ in range(100):
        settle(submission_id=making.in_checks(Track.GREEN, gates=(Gate("GP101"),)).pk)
    assert AuditEvent.objects.filter(action="submission.approve_by_policy").count() == 100
    assert set(Submission.objects.values_list("state", flat=True)) == {State.APPROVED, State.SUPERSEDED}
    assert not SignOff.objects.exists()
    assert not Submission.objects.exclude(turn="").exists()
    ada = making.call(making.everybody()["ada"])
    (month,) = workload(ada, monthly=()).months
    assert (month.total, month.share) == (100, 1.0)


def test_the_share_decided_without_a_human_by_track_and_month() -> None:
    people = making.everybody()
    yellow, red = making.in_review(Track.YELLOW), making.in_review()
    decide(
        caller=making.call(people["pia"]),
        submission_id=yellow.pk,
        dossier_digest=yellow.dossier_digest,
        decision=making.approve(),
    )
    making.policy()
    settle(submission_id=making.in_checks(Track.GREEN, gates=(Gate("GP101"),)).pk)
    Submission.objects.filter(pk=red.pk).update(submitted_at=timezone.now() - timedelta(days=45))
    found = workload(making.call(people["ada"]), monthly=())
    earlier, now = found.months
    assert (earlier.arrived, earlier.share) == ({"red": 1}, None)
    assert now.share == 0.5
    assert {track: share for track, _, share in now.cells} == {
        "green": 1.0,
        "yellow": 0.0,
        "red": None,
    }
    load = {row.role: row for row in found.roles}
    assert (load["analyst"].waiting, load["analyst"].decided) == (1, 0) and "stays" in load["analyst"].forecast
    assert (load["platform_engineer"].waiting, load["platform_engineer"].decided) == (0, 1)
    gus = making.person("gus", Role.ANALYST, at=making.unit("shop"))
    assert not workload(making.call(gus), monthly=()).months
    page = unescape(signed_in(people["amir"]).get("/queue/load").content.decode())
    assert "5 a month" in page and "50 a month" in page and "without a human" in page


def test_the_report_at_five_and_fifty_a_month(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("workload")
    said = capsys.readouterr().out
    assert "5 a month: people keep up" in said and "50 a month: people keep up" in said and "(assumed)" in said
    call_command("workload", "--monthly", "400", "--hours", "1")
    assert "NOT keep up" in capsys.readouterr().out


def test_refused_readings_are_counted_and_the_rate_is_reported() -> None:
    people = making.everybody()
    row = making.in_review(gates=(Gate("GP101"), Gate("GF101", "warn", says="The interval reaches past the limit of 0.8.")))
    amir = making.call(people["amir"])
    for reading, why in (("", "missing"), ("The interval reaches past the limit of 0.8.", "copied")):
        with pytest.raises(InvalidInput):
            decide(
                caller=amir,
                submission_id=row.pk,
                dossier_digest=row.dossier_digest,
                decision=making.approve(readings={"GF101": reading}),
            )
        assert RefusedReading.objects.filter(why=why, gate="GF101", role="analyst").count() == 1
    assert AuditEvent.objects.filter(action="decision.readings_refused", object=f"submission:{row.pk}").count() == 2
    own = {"GF101": "Twelve people decide it; the monitor watches the group every week."}
    decide(caller=amir, submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve(readings=own))
    readings = workload(making.call(people["ada"]), monthly=()).readings
    assert (readings.accepted, readings.missing, readings.copied) == (1, 1, 1) and readings.share == pytest.approx(2 / 3)
    assert "66.7" in signed_in(people["ada"]).get("/queue/load").content.decode()


def test_a_decision_keeps_since_when_the_page_was_open(monkeypatch: pytest.MonkeyPatch) -> None:
    people, row = making.everybody(), making.in_review()
    amir, opened = signed_in(people["amir"]), timezone.now() - timedelta(minutes=25)
    with monkeypatch.context() as patched:
        patched.setattr(shown.timezone, "now", lambda: opened)
        case = amir.get(f"/submissions/{row.number}").content.decode()
    way = re.search(r'/decide/approve\?shown=([^"]+)"', case)
    assert way is not None
    form = amir.get(f"/submissions/{row.number}/decide/approve?shown={way[1]}").content.decode()
    sent = re.search(r'name="shown" value="([^"]+)"', form)
    assert sent is not None and sent[1] == way[1]
    post = {
        "dossier_digest": row.dossier_digest,
        "comment": "Every gate and its groups were read in full.",
        "rationale": "It holds in every group.",
        "alternatives": "Keeping the champion for a month.",
        "shown": sent[1],
    }
    answer = amir.post(f"/submissions/{row.number}/decide/approve", post)
    assert answer.status_code == 302, re.findall(r"error-summary.*?</ul>", answer.content.decode(), re.S)
    signed = SignOff.objects.get(submission=row)
    assert signed.shown_at == opened and (signed.by, signed.dossier_digest) == (people["amir"], row.dossier_digest)
    assert decision_view(row.pk, making.call(people["ada"])).sign_offs[0].looked == "25 minutes"


def test_a_time_of_somebody_else_or_of_another_state_counts_for_nothing() -> None:
    people, row = making.everybody(), making.in_review()
    other = making.person("zoe", Role.ANALYST)
    case = signed_in(people["amir"]).get(f"/submissions/{row.number}").content.decode()
    way = re.search(r'/decide/approve\?shown=([^"]+)"', case)
    assert way is not None
    for sent in (way[1], "forged", way[1] + "x"):
        form = signed_in(other).get(f"/submissions/{row.number}/decide/approve?shown={sent}").content.decode()
        assert f'name="shown" value="{sent}"' not in form
