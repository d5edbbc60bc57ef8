"""Units, people, roles, registers and tokens of the demo organisation. Repeating it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from governance.domain.vocabulary import Role, Scope
from governance.models import ApiToken, DataApproval, DataSource, Person, ReferencePopulation, RegisterEntry, RoleGrant, Unit
from governance.selectors.access import SYSTEM
from governance.services.packs import load_shipped_packs
from governance.services.tokens import issue_token, revoke_token
from governance.services.work import Work, unit_of_work

PASSWORD = "guide-rail-not-gate"
"""Everybody's password in the demo. It opens nothing elsewhere: the demo listens on this machine only."""

UNITS = {"lending": "Lending", "shop": "Shop", "clinic": "Clinic"}


@dataclass(frozen=True)
class DemoPerson:
    username: str
    first: str
    last: str
    unit: str
    role: Role
    everywhere: bool
    known_as: tuple[str, ...] = ()
    manager: str = ""


PEOPLE = (
    DemoPerson("dana", "Dana", "Okafor", "lending", Role.SUBMITTER, True, ("dana.okafor",), "mona"),
    DemoPerson("pia", "Pia", "Lindqvist", "lending", Role.PLATFORM_ENGINEER, True, (), "mona"),
    DemoPerson("amir", "Amir", "Haddad", "lending", Role.ANALYST, True),
    DemoPerson("ruth", "Ruth", "Abara", "lending", Role.RISK_OFFICER, True),
    # two risk officers: whoever signs a waiver of a case does not sign off the case
    DemoPerson("rosa", "Rosa", "Ekman", "lending", Role.RISK_OFFICER, True),
    DemoPerson("mona", "Mona", "Silva", "lending", Role.PRODUCT, True),
    DemoPerson("priya", "Priya", "Raman", "lending", Role.PRIVACY, True),
    DemoPerson("esi", "Esi", "Boateng", "lending", Role.ETHICS, True),
    DemoPerson("lena", "Lena", "Weiss", "lending", Role.LEGAL, True),
    DemoPerson("bruno", "Bruno", "Keller", "lending", Role.BUDGET_OWNER, True),
    DemoPerson("sami", "Sami", "Rauta", "lending", Role.SECURITY, True),
    DemoPerson("ada", "Ada", "Moreau", "lending", Role.AUDITOR, True),
    DemoPerson("gwen", "Gwen", "Tan", "lending", Role.POLICY_AUTHOR, True),
    DemoPerson("adm", "Adm", "Demo", "lending", Role.ADMIN, True),
)

SOURCES = (
    # unit, name, feature store?, features, owner, consent, personal data, purposes
    ("lending", "s3://lake/credit/applications/", False, (), "credit-data", "contract", True, ("credit",)),
    (
        "lending",
        "feast://lending/bureau",
        True,
        ("bureau_score", "months_since_delinquency"),
        "feature-platform",
        "contract",
        True,
        ("credit", "fraud"),
    ),
    ("lending", "s3://lake/cards/transactions/", False, (), "cards-data", "contract", True, ("fraud",)),
    ("shop", "s3://lake/shop/clicks/", False, (), "shop-analytics", "consent", False, ("recommendation", "marketing")),
    (
        "shop",
        "feast://shop/engagement",
        True,
        ("wishlist_size", "newsletter_opens"),
        "feature-platform",
        "consent",
        False,
        ("recommendation",),
    ),
    ("clinic", "s3://lake/clinic/discharges/", False, (), "clinic-data", "public_task", True, ("health",)),
    ("clinic", "sklearn://diabetes", False, (), "clinic-data", "public_task", False, ("any",)),
)

BOOSTED = {"approved": True, "owner": "risk-models", "explained_by": "Shapley values, checked on retrains"}
SUPERVISED = {"approved": True, "basis": "within the EEA"}
ENTRIES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    *((unit, "architectures", "XGBClassifier", BOOSTED) for unit in UNITS),
    *((unit, "architectures", "LGBMClassifier", BOOSTED) for unit in UNITS),
    *((unit, "architectures", "LogisticRegression", {**BOOSTED, "explained_by": "its coefficients"}) for unit in UNITS),
    *((unit, "regions", name, SUPERVISED) for unit in UNITS for name in ("eu-west", "eu-central")),
    ("lending", "regions", "us-east", {"approved": False, "basis": "no transfer was agreed"}),
    (
        "lending",
        "vendors",
        "Halden Scoring",
        {
            "provides": "a bureau score",
            "outcome": "passed_with_conditions",
            "conditions": "no use for hiring",
            "assessed_by": "Vendor desk",
            "assessed_on": "2025-11-03",
            "valid_until": "2026-11-02",
            "contract": "C-2025-118",
            "owner": "credit-risk",
        },
    ),
    ("lending", "vendors", "Orel Data", {"provides": "addresses", "contract": "C-2026-031", "owner": "credit-data"}),
)

POPULATION = {
    "sex": {"female": 0.5, "male": 0.5},
    "age_band": {"18-29": 0.15, "30-44": 0.36, "45-59": 0.36, "60+": 0.13},
    "zip_group": {"10-49": 0.55, "50-99": 0.45},
}


def load_people() -> dict[str, Person]:
    """Make the organisation. Returns people by user name."""
    load_shipped_packs(caller=SYSTEM)
    with unit_of_work(SYSTEM) as work:
        units = {slug: Unit.objects.get_or_create(slug=slug, defaults={"name": name})[0] for slug, name in UNITS.items()}
        people = {demo.username: _person(work, demo, units) for demo in PEOPLE}
        for demo in PEOPLE:
            if demo.manager and people[demo.username].manager is None:
                people[demo.username].manager = people[demo.manager]
                people[demo.username].save(update_fields=["manager"])
                work.note("person.manager_set", people[demo.username], {"manager": people[demo.manager].reference})
        for unit, name, is_store, features, owner, consent, personal, purposes in SOURCES:
            values = {
                "is_feature_store": is_store,
                "features": list(features),
                "owner": owner,
                "approved": True,
                "consent_basis": consent,
                "purposes": list(purposes),
                "licence": "internal use",
                "agreement_ends_on": timezone.now().date() + timedelta(days=730),
                "retention_days": 1825,
                "quality_rule": "row counts, ranges and missing values each night; results beside the data",
                "region": "eu-west",
                "access_class": "internal",
            }
            _, created = DataSource.objects.get_or_create(
                unit=units[unit],
                name=name,
                defaults={**values, "holds_personal_data": personal, "refreshed_on": timezone.now().date()},
            )
            if created:
                work.note("register.source_approved", f"source:{name}", {"owner": owner}, unit=units[unit].pk)
        for unit, register, name, held in ENTRIES:
            _, created = RegisterEntry.objects.get_or_create(
                unit=units[unit], register=register, name=name, defaults={"values": held}
            )
            if created:
                word = register.removesuffix("s")
                work.note(f"register.{word}_approved", f"{word}:{name}", {"values": held}, unit=units[unit].pk)
        population, created = ReferencePopulation.objects.get_or_create(
            unit=units["lending"],
            name="Lending customers",
            defaults={
                "shares": POPULATION,
                "source": "customer register of the lending unit",
                "counted_on": timezone.now().date(),
            },
        )
        if created:
            work.note("register.population_added", population, {"name": population.name, "source": population.source})
        DataApproval.objects.get_or_create(
            unit=units["lending"],
            reference="DGA-2026-014",
            defaults={
                "purpose": "credit decisions",
                "sources": ["s3://lake/credit/applications/", "s3://lake/cards/transactions/"],
                "approved_by": people["priya"],
                "expires_on": timezone.now().date() + timedelta(days=400),
            },
        )
    return people


def load_tokens(people: dict[str, Person]) -> dict[str, str]:
    """Fresh tokens for CI and for reading; those of an earlier start are revoked, because a secret is shown only once."""
    lending = Unit.objects.get(slug="lending")
    for token in ApiToken.objects.filter(name__in=["demo ci", "demo readonly"], revoked_at__isnull=True):
        revoke_token(caller=SYSTEM, token=token)
    wanted = {
        "ci": ("demo ci", [Scope.SUBMIT, Scope.EVIDENCE, Scope.READ, Scope.PERMIT, Scope.DEPLOY, Scope.MONITOR]),
        "readonly": ("demo readonly", [Scope.READ]),
    }
    return {
        key: issue_token(caller=SYSTEM, person=people["dana"], unit=lending, name=name, scopes=scopes)[1]
        for key, (name, scopes) in wanted.items()
    }


def _person(work: Work, demo: DemoPerson, units: dict[str, Unit]) -> Person:
    person, created = Person.objects.get_or_create(
        username=demo.username,
        defaults={
            "first_name": demo.first,
            "last_name": demo.last,
            "email": f"{demo.username}@demo.invalid",
            "unit": units[demo.unit],
            "known_as": list(demo.known_as),
        },
    )
    if created:
        person.set_password(PASSWORD)
        person.save(update_fields=["password"])
        RoleGrant.objects.create(
            person=person, role=demo.role, unit=None if demo.everywhere else units[demo.unit], reason="demo organisation"
        )
        work.note("role.granted", person, {"role": demo.role.value, "unit": None})
    return person
