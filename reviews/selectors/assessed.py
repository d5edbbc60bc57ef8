"""What the policy said of a submission, in one shape: from the stored decision, or for a draft from a preview made now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.domain.decision_facts import MissingEvidence
from governance.domain.decision_track import (
    AnnouncedView,
    ChangeNeeded,
    CheckedView,
    EnvelopeView,
    HeldView,
    PolicyView,
    ReasonView,
    WayOutView,
)
from governance.domain.facts import FactSet
from governance.models import TrackDecision
from governance.policy import Pack
from governance.selectors.policy import pack_of
from governance.selectors.previewing import Preview


@dataclass(frozen=True)
class Assessed:
    """The policy's answer as JSON, with its facts and pack."""

    track: str
    is_final: bool
    facts: FactSet
    pack: Pack
    policy: PolicyView
    assessment: Mapping[str, Any]
    ways: Sequence[Mapping[str, Any]]

    @property
    def says(self) -> str:
        return str(self.assessment["sentence"])

    @property
    def reasons(self) -> tuple[ReasonView, ...]:
        """What raised the track, strictest first."""
        return reason_views(self.assessment["reasons"])

    @property
    def held(self) -> tuple[HeldView, ...]:
        """Rules that were checked and raised nothing."""
        return tuple(
            HeldView(row["rule"], row["says"])
            for row in self.assessment["checked"]
            if row["track"] is None and "would" not in row
        )

    @property
    def announced(self) -> tuple[AnnouncedView, ...]:
        """Rules that would raise the track once they count, and those a change envelope covers."""
        return tuple(
            AnnouncedView(row["rule"], row["says"], row["would"], row.get("stages", ""), row.get("envelope", ""))
            for row in self.assessment["checked"]
            if "would" in row
        )

    @property
    def envelope(self) -> EnvelopeView | None:
        """The change envelope it was judged under."""
        found = self.assessment.get("envelope")
        if found is None:
            return None
        return EnvelopeView(found["envelope"], found["title"], found["track"], found["inside"], found["says"])

    def checked(self, before: FactSet | None = None, of: str = "") -> tuple[CheckedView, ...]:
        """Every rule with its result; `before`: the facts of the version in force, `of` its name."""
        return tuple(_checked(row, before, of) for row in self.assessment["checked"])

    @property
    def would_change(self) -> tuple[WayOutView, ...]:
        return way_views(self.ways)

    def missing_evidence(self, roles: Sequence[str]) -> tuple[MissingEvidence, ...]:
        """Roles that gates of the track need and nobody handed in."""
        needed: dict[str, str] = {}
        for gate in self.assessment["gates"]:
            for role, why in gate["needs"].items():
                if role not in roles:
                    needed.setdefault(role, why)
        return tuple(MissingEvidence(role, why) for role, why in needed.items())


def _checked(row: Mapping[str, Any], before: FactSet | None, of: str) -> CheckedView:
    spoke = before is not None and bool(before.all(row["fact"]))
    return CheckedView(
        rule=row["rule"],
        title=row["title"],
        status=row["status"],
        track=row["track"] or "",
        says=row["says"],
        fact=row["fact"],
        value=row["value"],
        limit=row["limit"],
        source=row["source"],
        editable_by=row["editable_by"],
        learn=row["learn"],
        before=before.value(row["fact"]) if before is not None and spoke else None,
        before_of=of if spoke else "",
    )


def reason_views(rows: Sequence[Mapping[str, Any]]) -> tuple[ReasonView, ...]:
    """Reasons as the policy gives them, as people and programs are shown them."""
    return tuple(
        ReasonView(
            rule=row["rule"],
            track=row["track"] or "",
            says=row["says"],
            fact=row["fact"],
            value=row["value"],
            source=row["source"],
            editable_by=row["editable_by"],
            learn=row["learn"],
            limit=row["limit"],
        )
        for row in rows
    )


def way_views(ways: Sequence[Mapping[str, Any]]) -> tuple[WayOutView, ...]:
    """What would change the track, likewise."""
    return tuple(
        WayOutView(way["to"], way["possible"], tuple(ChangeNeeded(c["rule"], c["change"], c["by"]) for c in way["if"]))
        for way in ways
    )


def from_decision(decision: TrackDecision) -> Assessed:
    """The stored answer."""
    policy, pack = decision.policy, pack_of(decision.policy)
    return Assessed(
        track=decision.track,
        is_final=decision.final,
        facts=FactSet.from_json(decision.facts),
        pack=pack,
        policy=PolicyView(policy.name, policy.version, policy.digest),
        assessment=decision.assessment,
        ways=decision.would_change,
    )


def from_preview(preview: Preview) -> Assessed:
    """What would be stored if it were submitted now."""
    policy = preview.policy
    return Assessed(
        track=preview.assessment.track.value,
        is_final=False,
        facts=preview.facts,
        pack=preview.pack,
        policy=PolicyView(policy.name, policy.version, policy.digest),
        assessment=preview.assessment.to_json(),
        ways=[way.to_json() for way in preview.ways],
    )
