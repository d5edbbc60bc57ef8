"""The policy pack as written. Frozen, and nothing it does not know is accepted.

A `PackDocument` is what the YAML says; `Pack` (see `evaluating.py`) adds questionnaire, digest and compiled rules.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from governance.domain.vocabulary import Kind, Role, Track
from governance.policy.cel import CEL_GATE, MOST_CONDITIONS, CelCondition
from governance.policy.exposure import ExposurePlan
from governance.policy.gate_use import GateUse
from governance.policy.library import Library
from governance.policy.monitoring import MonitoringPlan
from governance.policy.pack_fields import KindField, Part, Scalar, Slug, TrackField, Words
from governance.policy.rules import Rule
from governance.policy.steps import Attestation, Routing, Step, TrackPlan
from governance.policy.waiver_plan import WaiverPlan


class Setting(Part):
    """A number collectors use, with where it comes from."""

    value: Scalar
    note: Words


class PackDocument(Part):
    """The pack as written.

    `judged_like`: for a kind that no gate names itself, the kind whose gates judge it (`genai` like `ml_model`).
    """

    pack: Slug | Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: KindField
    judged_like: KindField | None = None
    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}\.\d{1,3}$")]
    title: Words
    why: Words
    questionnaire: str | None = None
    rules: tuple[Rule, ...]
    tracks: dict[TrackField, TrackPlan]
    added_steps: tuple[Step, ...] = ()
    matrix: tuple[Routing, ...] = ()
    gates: tuple[GateUse, ...]
    attestations: tuple[Attestation, ...] = ()
    cel_conditions: Annotated[tuple[CelCondition, ...], Field(max_length=MOST_CONDITIONS)] = ()
    collectors: dict[str, Setting] = Field(default_factory=dict)
    waivers: WaiverPlan | None = None
    library: Library | None = None
    monitoring: MonitoringPlan | None = None
    exposure: ExposurePlan | None = None

    @field_validator("rules", "gates", "added_steps", "matrix", "attestations", "cel_conditions", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @model_validator(mode="after")
    def _whole(self) -> PackDocument:
        if self.judged_like is None and self.kind not in (Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE):
            raise ValueError(
                f"No shipped gate is made for “{self.kind}”. Say “judged_like: ml_model” (or application, data_pipeline), "
                f"or “judged_like: {self.kind}” where all its gates are your own."
            )
        if not self.rules:
            raise ValueError("“rules” is empty: everything would be green. Write at least one rule.")
        for what, names in (
            ("rule", [rule.id for rule in self.rules]),
            ("gate", [gate.gate for gate in self.gates]),
            ("added step", [str(step.role) for step in self.added_steps]),
            ("row of the matrix", [row.id for row in self.matrix]),
            ("thing the matrix is about", [name for row in self.matrix for name in row.about]),
            ("attestation", [item.id for item in self.attestations]),
            ("condition", [item.id for item in self.cel_conditions]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"The {what} {twice[0]} stands here twice. Give it another name or remove one.")
        if bool(self.cel_conditions) is not any(use.gate == CEL_GATE for use in self.gates):
            raise ValueError(f"“cel_conditions” are judged by {CEL_GATE}, which judges nothing else. Write both, or neither.")
        if set(self.tracks) != set(Track):
            raise ValueError("“tracks” has to say what green, yellow and red ask for, each once.")
        if self.tracks[Track.GREEN].steps:
            raise ValueError("Green is approved by the policy and has no steps. Put them under yellow or red.")
        for track in (Track.YELLOW, Track.RED):
            roles = [step.role for step in self.tracks[track].steps]
            if not roles or len(set(roles)) != len(roles):
                raise ValueError(f"“{track}” needs at least one step, and each role once.")
            if self.tracks[track].deploy == "automatic":
                raise ValueError(f"“{track}” is decided by people: only green may say “deploy: automatic”.")
        red = [step.role for step in self.tracks[Track.RED].steps]
        if red[-1] is not Role.RISK_OFFICER or Role.ANALYST not in red:
            raise ValueError("Red ends with the risk officer, after an analyst. Put analyst first and risk_officer last.")
        if self.tracks[Track.RED].steps[-1].parallel:
            raise ValueError("The risk officer signs after everybody else. Take “parallel” out of that step.")
        waivable = next((gate.gate for gate in self.gates if gate.waivable), None)
        if waivable is not None and self.waivers is None:
            raise ValueError(f"{waivable} is waivable, but “waivers” does not say what a waiver asks for. Add “waivers: …”.")
        known = {step.role for step in self.added_steps}
        for rule in self.rules:
            if not set(rule.adds_steps) <= known:
                raise ValueError(
                    f"{rule.id} adds a step that “added_steps” does not describe. Describe what that role attests to."
                )
        return self
