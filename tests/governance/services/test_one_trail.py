"""One audit trail for pages, programs and jobs: each entry says who, from where, and in which request."""

from __future__ import annotations

import json

import pytest

from governance.domain.vocabulary import Role
from governance.models import AuditEvent
from governance.selectors.access import SYSTEM
from governance.services.work import unit_of_work
from tests.governance import making

pytestmark = pytest.mark.django_db(transaction=True)


def test_page_program_and_job_write_the_same_kind_of_entry_into_one_chain() -> None:
    making.policy()
    dana = making.person("dana", Role.SUBMITTER)
    secret = making.token(dana)
    begun = AuditEvent.objects.count()

    page = making.browser(dana).post("/submissions/new", {"system": "by-page", "version": "1.0.0", "environment": "production"})
    assert page.status_code == 302, page.content[:500]
    program = making.browser().post(
        "/api/v1/submissions",
        json.dumps({"system": "by-program", "version": "1.0.0"}),
        content_type="application/json",
        **making.bearer(secret),
    )
    assert program.status_code == 201, program.content
    with unit_of_work(SYSTEM) as work:
        work.note("job.ran", "job:nightly")

    entries = list(AuditEvent.objects.order_by("seq")[begun:])
    by_origin = {entry.origin for entry in entries}
    assert by_origin == {"web", "api", "job"}
    for entry in entries:
        assert entry.actor and entry.action and entry.object and entry.at
        assert json.loads(entry.payload)["actor"] == entry.actor
        assert entry.actor == "policy" if entry.origin == "job" else entry.actor.startswith(dana.reference)
        assert entry.request_id or entry.origin == "job", entry.action
    # both answers name the request under which their entries stand
    for answer, origin in ((page, "web"), (program, "api")):
        assert {entry.request_id for entry in entries if entry.origin == origin} == {answer["X-Request-Id"]}
    assert [entry.seq for entry in entries] == list(range(begun + 1, begun + 1 + len(entries)))
