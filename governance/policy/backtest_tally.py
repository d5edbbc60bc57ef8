"""What a back-test has found: who would change track and why, review load, and how it turned out. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from governance.domain.vocabulary import Role, Track

MOST_LISTED = 200


@dataclass
class Changed:
    """One submission that would change track, and the rules that make it so."""

    submission: int
    decision: int
    before: Track
    after: Track
    rules: tuple[str, ...]
    bad: str

    def to_json(self) -> dict[str, Any]:
        return {
            "submission": f"S-{self.submission}",
            "decision": self.decision,
            "before": self.before.value,
            "after": self.after.value,
            "rules": list(self.rules),
            "outcome": self.bad,
        }


@dataclass
class Tally:
    """What a back-test has found so far. Bounded: only the first changed submissions are kept by name."""

    judged: int = 0
    moves: Counter[tuple[Track, Track]] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    listed: list[Changed] = field(default_factory=list)
    load_before: Counter[tuple[str, str]] = field(default_factory=Counter)
    load_after: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: int = 0
    caught: int = 0
    let_go: int = 0
    stricter: int = 0
    harmless: int = 0

    @property
    def changed(self) -> int:
        return sum(count for (before, after), count in self.moves.items() if before is not after)

    def to_json(self) -> dict[str, Any]:
        """The result as it is stored and exported."""
        weeks = sorted({week for _, week in (*self.load_before, *self.load_after)})
        roles = [role for role in Role if any(key[0] == role for key in (*self.load_before, *self.load_after))]
        return {
            "judged": self.judged,
            "changed": self.changed,
            "moves": [
                {"before": a.value, "after": b.value, "count": self.moves[a, b]} for a in Track for b in Track if self.moves[a, b]
            ],
            "causes": [{"rule": rule, "count": count} for rule, count in self.causes.most_common()],
            "submissions": [row.to_json() for row in self.listed],
            "load": [
                {
                    "role": role.value,
                    "label": role.label,
                    "week": week,
                    "before": self.load_before[role.value, week],
                    "after": self.load_after[role.value, week],
                }
                for week in weeks
                for role in roles
            ],
            "went_wrong": self.bad,
            "caught": self.caught,
            "let_go": self.let_go,
            "stricter": self.stricter,
            "harmless": self.harmless,
        }
