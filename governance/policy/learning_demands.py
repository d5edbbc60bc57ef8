"""What the steps of a pack ask people to have learnt, and how two packs differ in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from governance.policy.evaluating import Pack
from governance.policy.steps import LearningNeed, Step


def steps_by_place(pack: Pack) -> dict[str, Step]:
    """Every step a pack can ask for, by where it stands: `red: analyst`, `added: privacy`."""
    tracks = {f"{track}: {step.role.label}": step for track, plan in pack.document.tracks.items() for step in plan.steps}
    return {**tracks, **{f"added: {step.role.label}": step for step in pack.document.added_steps}}


def learning_changes(before: Pack, after: Pack) -> Iterator[tuple[str, str, bool | None]]:
    """(step, what changed in words, whether it is stricter; None where it is neither). Steps of both packs only."""
    old = steps_by_place(before)
    for place, step in steps_by_place(after).items():
        if place not in old or old[place].requires_learning == step.requires_learning:
            continue
        was, now = old[place].requires_learning, step.requires_learning
        yield place, f"asks for {_words(now)} now, was {_words(was)}", _stricter(was, now)


def _words(need: LearningNeed | None) -> str:
    if need is None:
        return "no lesson"
    again = f", again after {need.valid_days} days" if need.valid_days is not None else ""
    return f"{', '.join(need.lessons)} ({need.stages.says if need.stages is not None else 'counts'}{again})"


def _stricter(was: LearningNeed | None, now: LearningNeed | None) -> bool | None:
    if was is None or now is None:
        return now is not None
    older, newer = _strength(was), _strength(now)
    more = set(was.lessons) <= set(now.lessons) and all(a <= b for a, b in zip(older, newer, strict=True))
    less = set(was.lessons) >= set(now.lessons) and all(a >= b for a, b in zip(older, newer, strict=True))
    return None if more is less else more


def _strength(need: LearningNeed) -> tuple[int, int]:
    """How soon it counts, and how often it is asked again; larger is stricter."""
    far = date.max.toordinal()
    begins = 0 if need.stages is None else far if need.stages.block_from is None else _day(need.stages.block_from)
    return -begins, -(need.valid_days or far)


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()
