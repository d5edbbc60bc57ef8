"""Which decisions become different when one version takes the place of another: counts, segments and examples.

Measured once, before the release, by the rollback collector on the same cases for both versions. Going back is the same
comparison read the other way round, so a rollback says it at once, without measuring anything in a hurry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gates.models import Chart, Measurement
from governance.domain.vocabulary import RunStatus
from governance.models import Submission

COLLECTOR, MOVES = "rollback", "rollback_moves"
NAMED = 3
_METRICS = ("rollback.flip_rate", "rollback.flips_up", "rollback.flips_down", "rollback.segment_flip_rate")


@dataclass(frozen=True)
class Segment:
    """A group of people: the share of its cases whose decision becomes different."""

    group: str
    rate: float
    rows: int


@dataclass(frozen=True)
class Differences:
    """Of `rows` cases, `up` go from 0 to 1 and `down` from 1 to 0. `segments`: the most affected first.

    `examples`: row key, score before and score after, of the cases whose score moves most.
    """

    rows: int
    up: int
    down: int
    segments: tuple[Segment, ...] = ()
    examples: tuple[tuple[str, str, str], ...] = ()

    @property
    def flipped(self) -> int:
        return self.up + self.down

    def the_other_way_round(self) -> Differences:
        """For going back from the new version to the old one."""
        turned = tuple((key, after, before) for key, before, after in self.examples)
        return replace(self, up=self.down, down=self.up, examples=turned)

    @property
    def says(self) -> str:
        """Counts and segments in words; no single case is named."""
        if not self.flipped:
            return f"None of {self.rows:,} compared decisions becomes different."
        counts = f"{self.flipped:,} of {self.rows:,} compared decisions ({self.flipped / self.rows:.1%}) become different: "
        words = f"{counts}{self.up:,} from 0 to 1, {self.down:,} from 1 to 0."
        most = "; ".join(f"{part.group} {part.rate:.1%} of {part.rows:,}" for part in self.segments[:NAMED] if part.rate > 0)
        return f"{words} Most in {most}." if most else words

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "up": self.up,
            "down": self.down,
            "segments": [[part.group, part.rate, part.rows] for part in self.segments],
            "examples": [list(example) for example in self.examples],
        }


def differences_of(submission: Submission) -> Differences | None:
    """What the current revision measured against its champion, or None when no pair of files was compared. Two queries."""
    of_run = {
        "run__submission_id": submission.pk,
        "run__revision": submission.revision,
        "run__collector": COLLECTOR,
        "run__current": True,
        "run__status": RunStatus.DONE,
    }
    rows = Measurement.objects.filter(**of_run, metric__in=_METRICS, value__isnull=False).order_by("id")
    by_metric: dict[str, list[Measurement]] = {}
    for row in rows:
        by_metric.setdefault(row.metric, []).append(row)
    if any(metric not in by_metric for metric in _METRICS[:3]):
        return None
    total, up, down = (by_metric[metric][0] for metric in _METRICS[:3])
    parts = [Segment(row.group, row.value or 0.0, row.n or 0) for row in by_metric.get(_METRICS[3], [])]
    moves = Chart.objects.filter(**of_run, key=MOVES).values_list("rows", flat=True).first() or []
    return Differences(
        rows=total.n or 0,
        up=int(up.value or 0),
        down=int(down.value or 0),
        segments=tuple(sorted(parts, key=lambda part: (-part.rate, part.group))),
        examples=tuple((str(key), str(before), str(after)) for key, before, after, *_ in moves),
    )


def differences_going_back(submission: Submission, to_version: str) -> Differences | None:
    """What becomes different again when this version is taken back to `to_version`; None unless the two were compared."""
    champion = Submission.objects.filter(challengers=submission).values_list("version__version", flat=True).first()
    found = differences_of(submission) if champion == to_version else None
    return found.the_other_way_round() if found is not None else None
