"""The register of data sources: proposed by one, approved by another, read by rules and gates, with its history."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.utils import timezone

from gates.collecting import Inputs
from gates.metrics.lineage import collect
from gates.services.registers import registers_of
from governance.domain.vocabulary import Role
from governance.models import AuditEvent, DataSource, Person, RegisterChange, RegisterEntry, RegisterRuling
from governance.prefill.source_dumps import entries_of
from governance.selectors.surroundings import seen_around
from tests.governance import making

pytestmark = pytest.mark.django_db

FEAST = {
    "project": "lending",
    "featureViews": [
        {
            "spec": {"name": "bureau", "owner": "feature-platform", "features": [{"name": "bureau_score"}, {"name": "months"}]},
            "meta": {
                "lastUpdatedTimestamp": "2026-11-20T00:00:00Z",
                "materializationIntervals": [
                    {"startTime": "2026-10-01T00:00:00Z", "endTime": "2026-11-01T00:00:00Z"},
                    {"startTime": "2026-09-01T00:00:00Z", "endTime": "2026-10-01T00:00:00Z"},
                ],
            },
        }
    ],
    "onDemandFeatureViews": [{"spec": {"name": "ratios", "features": [{"name": "debt_ratio"}]}}],
}


@pytest.fixture
def people() -> dict[str, Person]:
    making.policy()
    return {
        "dana": making.person("dana", Role.SUBMITTER),
        "priya": making.person("priya", Role.PRIVACY),
        "ada": making.person("ada", Role.AUDITOR),
    }


def post(who: Person, address: str, **given: Any) -> Any:
    return making.browser(who).post(address, given)


def test_an_entry_counts_once_a_second_person_approved_it(people: dict[str, Person]) -> None:
    unit = making.unit()
    told = {
        "name": "s3://lake/loans/",
        "owner": "credit-data",
        "consent_basis": "contract",
        "retention_days": "365",
        "approved": "true",
    }
    answer = post(
        people["dana"],
        "/registers/sources/new",
        **told,
        features="a\nb",
        is_feature_store="true",
        why="The loan model reads it from next month on.",
    )
    change = RegisterChange.objects.get()
    assert answer.url == f"/registers/changes/{change.pk}"
    assert not DataSource.objects.exists() and not seen_around(unit_id=unit.pk, system_id=None, environment="x").registers.sources

    # neither the proposer, nor somebody without the role, nor a token
    assert post(people["dana"], answer.url, decision="approve", reason="Looks good to me.").status_code == 403
    assert post(people["ada"], answer.url, decision="approve", reason="Looks good to me.").status_code == 403
    assert post(people["priya"], answer.url, decision="approve", reason="").status_code == 422
    assert post(people["priya"], answer.url, decision="approve", reason="Owner and contract are in order.").status_code == 302
    row = DataSource.objects.get()
    assert (row.approved, row.owner, row.retention_days, row.features) == (True, "credit-data", 365, ["a", "b"])
    known = seen_around(unit_id=unit.pk, system_id=None, environment="x").registers
    assert known.sources == {"s3://lake/loans/"} and known.features == {"a", "b"}
    assert post(people["priya"], answer.url, decision="refuse", reason="I changed my mind.").status_code == 403
    library = making.browser(people["dana"]).get("/policies").content.decode()
    assert f'<a href="/registers/sources/{row.pk}">1</a>' in library and f"since {timezone.now():%Y-%m-%d}" in library

    # taking the approval back is a change like any other, and both stay on record
    post(people["priya"], f"/registers/sources/{row.pk}/change", approved="false", why="The agreement was not renewed.")
    later = RegisterChange.objects.latest("pk")
    assert later.values == {"approved": False}
    assert (
        post(people["priya"], f"/registers/changes/{later.pk}", decision="approve", reason="Mine, I know it.").status_code == 403
    )
    other = making.person("gwen", Role.POLICY_AUTHOR)
    post(other, f"/registers/changes/{later.pk}", decision="approve", reason="The contract has ended, indeed.")
    row.refresh_from_db()
    assert row.approved is False
    page = making.browser(people["ada"]).get(f"/registers/sources/{row.pk}").content.decode()
    assert (
        "Owner and contract are in order." in page
        and "The contract has ended, indeed." in page
        and "Propose a change" not in page
    )
    actions = list(AuditEvent.objects.filter(action__startswith="register.").order_by("seq").values_list("action", flat=True))
    assert actions == ["register.source_proposed", "register.source_approved"] * 2


def test_who_works_on_a_case_that_uses_it_does_not_approve_it(people: dict[str, Person]) -> None:
    both = making.person("both", Role.SUBMITTER, Role.PRIVACY)
    row = making.opened(making.new(answers={"data.sources": ["s3://lake/loans/2026.parquet"]}), by=making.caller("both"))
    post(people["dana"], "/registers/sources/new", name="s3://lake/loans/", owner="credit-data", why="The loan model reads it.")
    change = RegisterChange.objects.get()
    page = making.browser(both).get(f"/registers/changes/{change.pk}").content.decode()
    assert f"You work on {row.number}, which uses this data source" in page and 'value="approve"' not in page
    assert post(both, f"/registers/changes/{change.pk}", decision="approve", reason="It is fine for me.").status_code == 403


def test_the_database_keeps_the_history_and_the_second_person(people: dict[str, Person]) -> None:
    unit = making.unit()
    change = RegisterChange.objects.create(
        unit=unit, name="x", values={}, why="A test.", origin="page", proposed_by=people["priya"]
    )
    for by in (people["priya"], people["dana"]):
        with pytest.raises(DatabaseError, match=r"somebody else decides|without the role"), transaction.atomic():
            RegisterRuling.objects.create(change=change, approved=True, reason="Mine.", by=by)
    with pytest.raises(DatabaseError), transaction.atomic():
        RegisterChange.objects.update(values={"approved": True})
    with pytest.raises(DatabaseError), transaction.atomic():
        RegisterChange.objects.all().delete()


def test_a_feast_dump_becomes_proposals(people: dict[str, Person]) -> None:
    upload = SimpleUploadedFile("registry.json", json.dumps(FEAST).encode())
    post(people["dana"], "/registers/sources/import", file=upload, why="Our Feast registry, as it is today.")
    told = {row.name: row.values for row in RegisterChange.objects.all()}
    assert told["feast://lending/bureau"] == {
        "is_feature_store": True, "features": ["bureau_score", "months"],
        "owner": "feature-platform", "refreshed_on": "2026-11-01",
    }  # fmt: skip
    assert told["feast://lending/ratios"]["owner"] == ""
    assert not DataSource.objects.exists()
    # one without an owner may be approved, and then fails lineage (S9.13)
    change = RegisterChange.objects.get(name="feast://lending/ratios")
    post(people["priya"], f"/registers/changes/{change.pk}", decision="approve", reason="Its owner is being named.")
    submission = making.opened(making.new(), by=making.caller("dana"))
    register = registers_of(submission)["registered_sources"]
    found = collect(Inputs(facts={"data.sources": ["feast://lending/ratios"]}, settings={"registered_sources": register}))
    assert next(row for row in found.measures if row.metric == "lineage.without_owner").value == 1


def test_openlineage_and_csv() -> None:
    events = [
        {
            "eventTime": "t",
            "inputs": [{"namespace": "s3://lake", "name": "raw", "facets": {"ownership": {"owners": [{"name": "a"}]}}}],
        }
    ]
    kind, found = entries_of("events.json", json.dumps(events).encode())
    assert (kind, found[0].name, found[0].values) == ("openlineage", "s3://lake/raw", {"owner": "a"})
    kind, found = entries_of("sources.csv", b"name,owner,purposes\ns3://a,team,credit;fraud\n,nobody,\n")
    assert (kind, [row.name for row in found]) == ("csv", ["s3://a"])
    assert found[0].values == {"owner": "team", "purposes": "credit;fraud"}


@pytest.mark.parametrize("content", [b"{}", b"[" * 5000, b"a,b\n1,2\n", b"\x80\x04K\x01.", b'name\n"x', b"\xff\xfe"])
def test_files_that_hold_nothing_are_refused_in_words(people: dict[str, Person], content: bytes) -> None:
    upload = SimpleUploadedFile("odd", content)
    assert post(people["dana"], "/registers/sources/import", file=upload, why="What happens with it?").status_code == 422
    assert not RegisterChange.objects.exists()


def test_programs_read_and_propose_and_never_approve(people: dict[str, Person]) -> None:
    client, bearer = making.browser(), making.bearer(making.token(people["dana"]))
    address, body = "/api/v1/registers/sources/s3://lake/loans/", {"values": {"owner": "credit-data"}, "why": "CI knows it."}
    assert client.get(address, **bearer).status_code == 404
    made = client.put(address, body, content_type="application/json", **bearer)
    assert (made.status_code, made.json()["state"]) == (202, "proposed")
    assert not DataSource.objects.exists()
    for wrong in (
        {"values": {"colour": "red"}, "why": "CI knows it."},
        {"values": {}},
        {**body, "approved": True},
        {**body, "why": ""},
    ):
        assert client.put(address, wrong, content_type="application/json", **bearer).status_code == 422, wrong
    post(people["priya"], f"/registers/changes/{made.json()['proposal']}", decision="approve", reason="Owner was asked.")
    assert client.get(address, **bearer).json()["owner"] == "credit-data"
    assert client.put(address, body, content_type="application/json", **bearer).json()["state"] == "registered"
    assert [row["name"] for row in client.get("/api/v1/registers/sources", **bearer).json()["results"]] == ["s3://lake/loans/"]


@pytest.mark.parametrize(
    ("register", "name", "values", "decider"),
    [
        ("architectures", "XGBClassifier", {"owner": "risk-models", "approved": "true"}, Role.ANALYST),
        (
            "vendors",
            "Halden Scoring",
            {
                "outcome": "passed",
                "assessed_by": "Vendor desk",
                "assessed_on": "2026-10-01",
                "valid_until": "2027-10-01",
                "contract": "C-77",
            },
            Role.LEGAL,
        ),
        ("regions", "eu-west", {"approved": "true", "regimes": "EU-GDPR"}, Role.PRIVACY),
    ],
)
def test_every_register_has_the_same_life(
    people: dict[str, Person], register: str, name: str, values: dict[str, str], decider: Role
) -> None:
    post(people["dana"], f"/registers/{register}/new", name=name, why="We are going to use it.", **values)
    change = RegisterChange.objects.get()
    assert change.register == register and not RegisterEntry.objects.exists()
    address = f"/registers/changes/{change.pk}"
    assert post(making.person("gwen", Role.PRODUCT), address, decision="approve", reason="Looks good to me.").status_code == 403
    other = Role.SECURITY if register != "vendors" else Role.ANALYST
    outsider = making.person("sami", other)
    with pytest.raises(DatabaseError, match="without the role"), transaction.atomic():
        RegisterRuling.objects.create(change=change, approved=True, reason="Looks fine to me.", by=outsider)
    assert post(making.person("second", decider), address, decision="approve", reason="Read it with the team.").status_code == 302
    row = RegisterEntry.objects.get()
    listed = making.browser(people["ada"]).get(f"/registers/{register}").content.decode()
    page = making.browser(people["ada"]).get(f"/registers/{register}/{row.pk}").content.decode()
    assert name in listed and 'aria-current="page"' in listed and "Read it with the team." in page
    word = register.removesuffix("s")
    actions = AuditEvent.objects.filter(action__startswith="register.").order_by("seq").values_list("action", flat=True)
    assert list(actions) == [f"register.{word}_proposed", f"register.{word}_approved"]
    # a later change touches only what it names
    field, value = {
        "architectures": ("approved", "false"),
        "vendors": ("conditions", "No health data."),
        "regions": ("basis", "EEA"),
    }[register]
    post(people["dana"], f"/registers/{register}/{row.pk}/change", why="It has changed since.", **{field: value})
    later = RegisterChange.objects.latest("pk")
    assert list(later.values) == [field]
    post(making.person("second"), f"/registers/changes/{later.pk}", decision="approve", reason="So it is, I checked.")
    before = row.values
    row.refresh_from_db()
    assert row.values == {**before, field: later.values[field]}


def test_an_outcome_says_who_when_and_until(people: dict[str, Person]) -> None:
    told = {"name": "Halden Scoring", "outcome": "passed", "assessed_by": "Vendor desk", "why": "We want to buy from them."}
    answer = post(people["dana"], "/registers/vendors/new", **told)
    assert answer.status_code == 422 and "Say the day." in answer.content.decode() and not RegisterChange.objects.exists()
    answer = post(people["dana"], "/registers/vendors/new", **told, assessed_on="2026-10-01", valid_until="2026-09-01")
    assert answer.status_code == 422 and "cannot end before" in answer.content.decode()


def test_vendors_come_from_csv_and_from_programs_too(people: dict[str, Person]) -> None:
    table = b"name,provides,contract\nHalden Scoring,bureau model,C-77\nOrel Data,addresses,\n"
    given = {"file": SimpleUploadedFile("vendors.csv", table), "why": "Those we have contracts with."}
    assert post(people["dana"], "/registers/vendors/import", **given).url == "/registers/vendors"
    assert list(RegisterChange.objects.order_by("pk").values_list("register", "name", "origin")) == [
        ("vendors", "Halden Scoring", "csv"),
        ("vendors", "Orel Data", "csv"),
    ]
    events = {"file": SimpleUploadedFile("events.json", json.dumps(FEAST).encode()), "why": "What Feast knows of them."}
    assert "know only data sources" in post(people["dana"], "/registers/vendors/import", **events).content.decode()
    client, token = making.browser(), making.token(people["dana"])
    head = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    body = json.dumps({"values": {"contract": "C-78"}, "why": "The contract was renewed."})
    answer = client.put("/api/v1/registers/vendors/Halden Scoring", body, content_type="application/json", **head)
    assert answer.status_code == 202 and answer.json()["state"] == "proposed"
    assert client.get("/api/v1/registers/planets", **head).status_code == 404
    assert client.get("/api/v1/registers/vendors", **head).json()["results"] == []
