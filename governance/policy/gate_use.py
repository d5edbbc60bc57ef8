"""One gate as a pack uses it: where it runs and blocks, its limits, and where those come from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from governance.domain.vocabulary import Track
from governance.policy.pack_fields import ConditionField, EvidenceField, Part, Scalar, TrackField, Words


class PluginPin(Part):
    """The distribution a gate of the organisation's own comes from. With `digest`, exactly these files."""

    distribution: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=100)]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.!+_-]+$", max_length=60)]
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None


class GateUse(Part):
    """One gate as the pack uses it.

    `blocking`: true, false, or the tracks on which it blocks. `limits` hold on every track; `limits_by_track` and
    `limits_by_domain` replace single entries. `needs`: evidence role -> why it is asked for. `source` or `note: convention`
    says where the limits come from. `waivable`: whether a failure can be waived for a time, at most `max_days` where that is
    shorter than the pack's; `never_because` says why it cannot.
    """

    gate: Annotated[str, Field(pattern=r"^G[A-Z]\d{3}$")]
    why: Words
    tracks: tuple[TrackField, ...]
    blocking: bool | tuple[TrackField, ...]
    limits: dict[str, Any] = Field(default_factory=dict)
    limits_by_track: dict[TrackField, dict[str, Any]] = Field(default_factory=dict)
    limits_by_domain: dict[str, dict[str, Any]] = Field(default_factory=dict)
    needs: dict[EvidenceField, Words] = Field(default_factory=dict)
    applies_when: ConditionField | None = None
    plugin: PluginPin | None = None
    note: Words | None = None
    source: Words | None = None
    waivable: bool = False
    max_days: Annotated[int, Field(ge=1, le=90)] | None = None
    never_because: Words | None = None

    @field_validator("tracks", "blocking", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @field_validator("limits", "limits_by_track", "limits_by_domain")
    @classmethod
    def _plain(cls, raw: dict[Any, Any]) -> dict[Any, Any]:
        _refuse_odd(raw)
        return raw

    @model_validator(mode="after")
    def _says_where_from(self) -> GateUse:
        if not self.tracks:
            raise ValueError("“tracks” is empty. Name the tracks on which the gate runs.")
        if (self.note is None) is (self.source is None):
            raise ValueError("Say where the limits come from: either “source: …” or “note: convention”.")
        if isinstance(self.blocking, tuple) and not set(self.blocking) <= set(self.tracks):
            raise ValueError("“blocking” names a track on which the gate does not run.")
        if self.waivable and self.never_because is not None:
            raise ValueError("“never_because” says why a gate cannot be waived; this one is waivable. Take one of the two out.")
        if self.max_days is not None and not self.waivable:
            raise ValueError("“max_days” bounds waivers; this gate is not waivable. Add “waivable: true” or take it out.")
        return self

    def blocks(self, track: Track) -> bool:
        """Whether anything but pass, warn or not applicable stops a submission on this track."""
        return self.blocking if isinstance(self.blocking, bool) else track in self.blocking

    def limits_for(self, track: Track, domain: str = "") -> dict[str, Any]:
        """The limits in force: general, then of the track, then of the domain."""
        return {**self.limits, **self.limits_by_track.get(track, {}), **self.limits_by_domain.get(domain, {})}


def _refuse_odd(value: Any) -> None:
    """Limits are numbers, words, yes/no, and lists or mappings of them."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"Names of limits are words, found {key!r:.60}.")
            _refuse_odd(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_odd(item)
    elif not isinstance(value, Scalar) or (isinstance(value, float) and not abs(value) < 1e300):
        raise ValueError(f"A limit is a number, a word or yes/no, found {value!r:.60}.")
