"""A governance lead changes a limit in the browser, sees what would have changed, gets it approved; then it judges."""

from __future__ import annotations

import time
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from governance.domain.facts import FactSet
from governance.domain.vocabulary import Role, State, Track
from governance.models import AuditEvent, Backtest, FactColumn, PolicyDraft, PolicyPack, PolicyRuling, Submission, TrackDecision
from governance.selectors.policy import pack_in_force
from reviews.models import Notification
from reviews.services import backtesting
from reviews.services.keeping_stricter import keep_all_stricter
from tests.governance import making
from tests.governance.policy import cases
from tests.governance.services.test_tracks import decide

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _policy() -> None:
    making.policy()


def lead() -> Client:
    return making.browser(making.person("gwen", Role.POLICY_AUTHOR, everywhere=True))


def fresh(client: Client) -> Client:
    """The session of somebody who has just proved who they are."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session.save()
    return client


def officer(name: str = "ruth") -> Client:
    return fresh(making.browser(making.person(name, Role.RISK_OFFICER, everywhere=True)))


def judged(version: str, change: float) -> Submission:
    """A version whose measured change is known, judged finally by the pack in force."""
    row = making.opened(making.new(version, system=f"offers-{version.replace('.', '-')}"))
    decide(row, quiet(change), final=True)
    row.refresh_from_db()
    return row


def quiet(change: float) -> FactSet:
    """Facts on which every rule holds, but for the performance change given."""
    return cases.facts({"performance.relative_change": change})


def words(answer: Any) -> str:
    return unescape(answer.content.decode())


def drafted(client: Client) -> str:
    """A draft whose yellow starts at 4 %. Returns its address."""
    answer = client.post("/policies/drafts", {"kind": "ml_model", "why": "Two bad releases moved by more than four per cent."})
    assert answer.status_code == 302, words(answer)
    where = str(answer["Location"])
    assert client.post(where, {"do": "limits", "rule": "TR-071", "yellow": "4 %", "red": "15"}).status_code == 302
    return where


def tried(client: Client, where: str) -> str:
    """Back-tested. Returns the address of the result."""
    answer = client.post(where, {"do": "backtest"})
    assert answer.status_code == 302, words(answer)
    backtesting.run(Backtest.objects.latest("id").pk)
    return str(answer["Location"])


def approved(client: Client, where: str) -> None:
    assert client.post(where, {"do": "propose"}).status_code == 302
    answer = officer().post(where, {"do": "approve", "why": "Read what changes; the load is bearable."})
    assert answer.status_code == 302 and answer["Location"].endswith("#proposal"), words(answer)


def test_a_lead_changes_the_yellow_limit_and_the_next_submission_is_judged_by_it() -> None:
    moved = judged("1.0.0", 0.045)
    still = judged("2.0.0", 0.01)
    assert (moved.track, still.track) == (Track.GREEN, Track.GREEN)
    gwen = lead()
    where = drafted(gwen)

    page = words(gwen.get(where))
    assert "4.99 %" in page and "it gives <strong>yellow" in page, "an example now comes out differently, and is shown"
    assert gwen.post(where, {"do": "backtest"}).status_code == 422, "no back-test of a text whose tests fail"
    assert gwen.post(where, {"do": "examples", "rule": "TR-071"}).status_code == 302
    page = words(gwen.get(where))
    assert "yellow now starts at 4%, was 5%; red unchanged" in page
    assert "Back-test this text" in page and gwen.post(where, {"do": "propose"}).status_code == 422

    result = tried(gwen, where)
    page = words(gwen.get(result))
    assert f"S-{moved.pk}" in page and f"S-{still.pk}" not in page
    assert "TR-071" in page and "changes +4.50%" in page
    found = gwen.get(f"{result}?format=json").json()
    assert (found["judged"], found["changed"], found["harmless"], found["caught"]) == (2, 1, 1, 0)
    steps = [(row["role"], row["before"], row["after"]) for row in found["load"]]
    assert steps == [("platform_engineer", 0, 1)]
    assert b"'+" not in gwen.get(f"{result}?format=csv").content and f"S-{moved.pk}" in words(gwen.get(f"{result}?format=csv"))

    assert gwen.post(where, {"do": "propose"}).status_code == 302
    assert Notification.objects.filter(kind="policy").exists() is False, "nobody else answers for the policy yet"
    before = pack_in_force("ml_model")[0]
    stale = making.browser(making.person("rosa", Role.RISK_OFFICER, everywhere=True))
    assert "reauthenticate" in stale.post(where, {"do": "approve", "why": "fine"})["Location"]
    assert fresh(gwen).post(where, {"do": "approve", "why": "fine"}).status_code == 403, "not its author"
    assert officer().post(where, {"do": "approve", "why": "Read it."}).status_code == 302
    after = pack_in_force("ml_model")[0]
    assert after.pk != before.pk and after.version != before.version
    ruling = PolicyRuling.objects.get()
    assert (ruling.by.username, ruling.draft.state, ruling.why) == ("ruth", PolicyDraft.APPROVED, "Read it.")
    assert AuditEvent.objects.filter(action="policy.activated", object=f"policypack:{after.pk}").exists()

    assert judged("3.0.0", 0.045).track == Track.YELLOW
    assert Submission.objects.get(pk=moved.pk).track == Track.GREEN, "what was decided stays"
    versions = words(gwen.get("/policies/versions"))
    assert "retired" in versions and "Read it." in versions and "Two bad releases" in versions
    assert "yellow now starts at 4%, was 5%" in words(gwen.get(f"/policies/compare?a={before.pk}&b={after.pk}"))
    assert gwen.get(f"/policies/versions/{before.pk}").status_code == 200


def test_what_is_under_review_keeps_the_stricter_policy_and_nothing_is_ever_lowered() -> None:
    """One case would be stricter by the new version, one lighter by a third that loosens it again."""
    gwen = lead()
    row = judged("1.0.0", 0.045)
    # as if people were looking at it for another reason
    Submission.objects.filter(pk=row.pk).update(state=State.IN_REVIEW, turn="platform_engineer")
    where = drafted(gwen)
    gwen.post(where, {"do": "examples", "rule": "TR-071"})
    tried(gwen, where)
    approved(gwen, where)
    assert keep_all_stricter() == 1
    row.refresh_from_db()
    stricter = pack_in_force("ml_model")[0]
    assert (row.track, row.policy_id) == (Track.YELLOW, stricter.pk)
    assert [(step.role, step.state) for step in row.steps.all()] == [("platform_engineer", "open")]
    assert keep_all_stricter() == 0

    looser = str(gwen.post("/policies/drafts", {"kind": "ml_model", "why": "Too many looks."})["Location"])
    gwen.post(looser, {"do": "limits", "rule": "TR-071", "yellow": "10", "red": ""})
    gwen.post(looser, {"do": "examples", "rule": "TR-071"})
    result = gwen.get(f"{tried(gwen, looser)}?format=json").json()
    assert [(each["before"], each["after"]) for each in result["submissions"]] == [("yellow", "green")]
    approved(gwen, looser)
    assert keep_all_stricter() == 0
    row.refresh_from_db()
    assert (row.track, row.policy_id) == (Track.YELLOW, stricter.pk), "what is open keeps the stricter of the two"


def test_the_database_lets_only_the_first_pack_of_a_kind_begin_in_force() -> None:
    first = PolicyPack.objects.filter(active_from__isnull=False)[0]
    row = {"name": "x", "version": "2026.11.9", "source": "x"}
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_policypack ENABLE ALWAYS TRIGGER pack_first")
        for kind, starts, says in (
            (first.kind, now, "second person"),
            (first.kind, now + timedelta(days=3), "second person"),
            ("novel", now + timedelta(days=3), "from when it is loaded"),
            ("novel", now - timedelta(days=3), "from when it is loaded"),
        ):
            with pytest.raises(IntegrityError, match=says), transaction.atomic():
                PolicyPack.objects.create(**row, kind=kind, digest="sha256:1", active_from=starts)
        PolicyPack.objects.create(**row, kind=first.kind, digest="sha256:2")  # waits for its ruling
        PolicyPack.objects.create(**row, kind="novel", digest="sha256:3", active_from=now)
        transaction.set_rollback(True)


def test_the_database_lets_nobody_put_a_pack_in_force_alone_or_untried() -> None:
    gwen = lead()
    where = drafted(gwen)
    gwen.post(where, {"do": "examples", "rule": "TR-071"})
    tried(gwen, where)
    gwen.post(where, {"do": "propose"})
    draft = PolicyDraft.objects.get()
    pack = draft.pack
    assert pack is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyPack.objects.filter(pk=pack.pk).update(active_from=timezone.now())
    author = making.person("gwen")
    given = {"draft": draft, "pack": pack, "decision": "approve", "why": "mine", "active_from": timezone.now()}
    with pytest.raises(IntegrityError, match="somebody else"), transaction.atomic():
        PolicyRuling.objects.create(**given, by=author, reauthenticated_at=timezone.now())
    other = making.person("ruth", Role.RISK_OFFICER, everywhere=True)
    with pytest.raises(IntegrityError, match="fresh"), transaction.atomic():
        PolicyRuling.objects.create(**given, by=other, reauthenticated_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyDraft.objects.filter(pk=draft.pk).update(source="pack: other")
    PolicyRuling.objects.create(**given, by=other, reauthenticated_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyRuling.objects.update(why="another")


def test_moved_figures_tell_who_would_have_been_reviewed_and_a_cancelled_one_stays_so() -> None:
    row = judged("1.0.0", 0.01)
    gwen = lead()
    answer = gwen.post("/policies/scenarios", {"kind": "ml_model", "fact": "performance.*", "amount": "0.2"})
    assert answer.status_code == 302, words(answer)
    asked = Backtest.objects.get()
    assert backtesting.run(asked.pk) and not backtesting.run(asked.pk)
    found = gwen.get(f"{answer['Location']}?format=json").json()
    assert [(each["submission"], each["after"]) for each in found["submissions"]] == [(f"S-{row.pk}", "red")]
    assert FactColumn.objects.filter(decision=TrackDecision.objects.latest("id").pk).exists()
    second = gwen.post("/policies/scenarios", {"kind": "ml_model", "fact": "performance.*", "amount": "0,3"})
    gwen.post(f"{second['Location']}/cancel")
    assert not backtesting.run(Backtest.objects.latest("id").pk)
    assert Backtest.objects.latest("id").status == "cancelled"
    dana = making.browser(making.person("dana"))
    assert dana.get(second["Location"]).status_code == 403


def test_a_text_with_a_fault_is_kept_and_the_line_is_named() -> None:
    gwen = lead()
    where = drafted(gwen)
    draft = PolicyDraft.objects.get()
    broken = draft.source.replace("    on_unknown: red\n", "    on_unknown: purple\n", 1)
    line = broken[: broken.index("on_unknown: purple")].count("\n") + 1
    gwen.post(where, {"do": "text", "source": broken.replace("\n", "\r\n")})
    draft.refresh_from_db()
    assert draft.source == broken, "nothing typed is lost"
    assert f"Line {line}" in words(gwen.get(where))
