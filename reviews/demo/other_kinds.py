"""Cases of applications and data pipelines, each for a reason.

| system | kind | version | ends as | shows |
|---|---|---|---|---|
| staff-directory | application | 1.0.0, 1.1.0 | approved; by policy | a first deployment asks security too; then a green change |
| checkout-web | application | 4.2.0 | checks failed | a component with a known weakness, read by security |
| gift-cards | application | 1.0.0 | checks failed | personal data inside a build: an application may hold none |
| click-sessions | data_pipeline | 1.0.0, 1.1.0 | approved; in review | over its budget, so its owner is asked |
| returns-feed | data_pipeline | 0.1.0 | checks failed | it reads what no register knows; an entry is proposed |
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from governance.domain.vocabulary import EvidenceRole, Kind
from governance.selectors.access import caller_for
from governance.services.registers import propose
from reviews.demo import reports
from reviews.demo.cast import Cast, approve_red
from reviews.demo.handing_in import Version, hand_in, settled

UNIT_TESTS = tuple(
    f"test_{what}_{how}" for what in ("search", "profile", "photo", "rights") for how in ("shows", "saves", "refuses")
)
STAGING = ("test_sign_in", "test_search_in_staging", "test_roll_back")
CLICKS, SESSIONS, RETURNS = "s3://lake/shop/clicks/", "s3://lake/shop/sessions/", "s3://scratch/returns-export/"
Files = Mapping[EvidenceRole, tuple[str, bytes, Mapping[str, Any], str]]


def commit_of(system: str, version: str) -> str:
    return hashlib.sha1(f"{system} {version}".encode(), usedforsecurity=False).hexdigest()


def digest_of(system: str, version: str) -> str:
    return f"sha256:{hashlib.sha256(f'{system} {version}'.encode()).hexdigest()}"


def application(
    system: str,
    version: str,
    *,
    vulnerabilities: tuple[tuple[str, str, str], ...] = (),
    findings: tuple[tuple[str, str, str], ...] = (),
    failed: tuple[str, ...] = (),
    approved_by: tuple[str, ...] = ("pia", "amir"),
    **answers: Any,
) -> Version:
    """A version of an application as its CI hands it in; an internal one with everything in order unless told otherwise."""
    commit, digest = commit_of(system, version), digest_of(system, version)
    usual: dict[str, Any] = {
        "business.context": f"{system.replace('-', ' ').capitalize()}: clearer pages and fewer clicks in this version.",
        "app.exposure": "internal",
        "impact.outage": "low",
        "regulation.regimes": [],
        "data.contains_pii": False,
        "app.data_classes": ["internal"],
        "artifact.digest": digest,
        "artifact.format": "oci_image",
        "change.touches": [],
        "code.repository": "https://git.demo.invalid/shop",
        "system.owner": "web-platform",
        "rollout.strategy": "gradual",
        "rollout.rollback_target": "first version",
        "rollout.rollback_minutes": 3,
    }
    files: Files = {
        EvidenceRole.TEST_REPORT: ("unit.xml", reports.junit("unit", UNIT_TESTS, failed=failed), {}, ""),
        EvidenceRole.INTEGRATION_REPORT: ("staging.xml", reports.junit("staging", STAGING), {}, ""),
        EvidenceRole.SCAN_REPORT: ("scan.sarif", reports.sarif(commit, *findings), {}, ""),
        EvidenceRole.BOM: ("bom.json", reports.bom(system, version, digest, *vulnerabilities), {}, ""),
    }
    sources = {"pull_request.json": reports.pull_request(commit, "dana", *approved_by)}
    return Version(system, version, sources, files, {**usual, **_named(answers)}, kind=Kind.APPLICATION)


def pipeline(
    system: str,
    version: str,
    *,
    reads: str = CLICKS,
    writes: str = SESSIONS,
    broken: int = 0,
    ended: str = "COMPLETE",
    **answers: Any,
) -> Version:
    """A version of a pipeline with the record of its last run, on the day before."""
    commit = commit_of(system, version)
    yesterday = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT04:00:00Z")
    usual: dict[str, Any] = {
        "business.context": f"{system.replace('-', ' ').capitalize()}: groups what visitors do into visits, for recommendations.",
        "pipeline.feeds_decisions": False,
        "pipeline.consumers": ["basket-recommendations"],
        "regulation.regimes": [],
        "data.sources": [reads],
        "data.outputs": [SESSIONS],
        "data.contains_pii": False,
        "pipeline.schema_change": "none",
        "pipeline.promised_hours": 26,
        "pipeline.runs_per_month": 30,
        "cost.per_run": 4.2,
        "cost.budget_per_month": 200,
        "artifact.digest": digest_of(system, version),
        "artifact.format": "dag",
        "code.repository": "https://git.demo.invalid/pipelines",
        "system.owner": "data-platform",
        "rollout.rollback_target": "first version",
    }
    record = reports.openlineage(
        system, yesterday, inputs=[f"{reads}2026.parquet"], outputs=[f"{writes}2026.parquet"], ended=ended
    )
    files: Files = {
        EvidenceRole.LINEAGE: ("openlineage.json", record, {}, ""),
        EvidenceRole.DATA_QUALITY_REPORT: ("gx.json", reports.expectations("visitor", 12_000, broken=broken), {}, ""),
    }
    sources = {"pull_request.json": reports.pull_request(commit, "dana", "pia")}
    return Version(system, version, sources, files, {**usual, **_named(answers)}, kind=Kind.DATA_PIPELINE)


def _named(answers: Mapping[str, Any]) -> dict[str, Any]:
    """`app__exposure="internet"` as `app.exposure`."""
    return {name.replace("__", "."): value for name, value in answers.items()}


def staff_directory(cast: Cast, home: Path) -> None:
    """Reviewed once by the platform engineer and security; the next everyday change needs nobody."""
    shop, dana = cast.units["shop"], cast.people["dana"]
    approve_red(cast, settled(hand_in(dana, shop, application("staff-directory", "1.0.0"))))
    settled(hand_in(dana, shop, application("staff-directory", "1.1.0", rollout__rollback_target="1.0.0")))


def checkout(cast: Cast, home: Path) -> None:
    """Exposed to the internet, with a component whose weakness is published."""
    weak = (("CVE-2026-21001", "critical", "imagetools"),)
    new = application("checkout-web", "4.2.0", vulnerabilities=weak, app__exposure="internet", impact__outage="high")
    settled(hand_in(cast.people["dana"], cast.units["shop"], new))


def gift_cards(cast: Cast, home: Path) -> None:
    """The application side of the three-week story: approved personal data, and a rule that knows no exception."""
    new = application("gift-cards", "1.0.0", data__contains_pii=True, data__pii_approval="DGA-2026-014")
    settled(hand_in(cast.people["dana"], cast.units["shop"], new))


def click_sessions(cast: Cast, home: Path) -> None:
    """A pipeline that people approved, and a next version that costs more than its budget."""
    shop, dana = cast.units["shop"], cast.people["dana"]
    approve_red(cast, settled(hand_in(dana, shop, pipeline("click-sessions", "1.0.0"))))
    dearer = pipeline("click-sessions", "1.1.0", rollout__rollback_target="1.0.0", cost__per_run=9.5)
    settled(hand_in(dana, shop, dearer))


def returns_feed(cast: Cast, home: Path) -> None:
    """Its record says that it reads an export nobody registered; an entry is proposed and waits for the data steward."""
    shop, dana = cast.units["shop"], cast.people["dana"]
    settled(hand_in(dana, shop, pipeline("returns-feed", "0.1.0", reads=RETURNS)))
    propose(
        caller=caller_for(dana, origin="job"),
        unit_id=shop.pk,
        name=RETURNS,
        values={
            "owner": "shop-logistics",
            "quality_rule": "row counts against the shop's own, daily",
            "consent_basis": "contract",
            "purposes": ["internal_operations"],
            "region": "eu-west",
            "access_class": "internal",
        },
        why="The returns feed reads it every night; logistics keeps it.",
        origin="page",
    )


OTHER_KINDS: tuple[tuple[str, str, Callable[[Cast, Path], None]], ...] = (
    ("staff-directory", "1.1.0", staff_directory),
    ("checkout-web", "4.2.0", checkout),
    ("gift-cards", "1.0.0", gift_cards),
    ("click-sessions", "1.1.0", click_sessions),
    ("returns-feed", "0.1.0", returns_feed),
)
