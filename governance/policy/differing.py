"""What differs between two versions of a pack, in words a reader who writes no YAML understands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from governance.domain.vocabulary import Track
from governance.policy.assessment import limit_of
from governance.policy.bands import Band
from governance.policy.conditions import in_words
from governance.policy.evaluating import Pack
from governance.policy.gate_use import GateUse
from governance.policy.learning_demands import learning_changes
from governance.policy.rules import Rule
from governance.policy.steps import Step

STRICTER, LOOSER, OTHER = "stricter", "looser", "other"


@dataclass(frozen=True)
class Difference:
    """One difference. `about`: a rule, a gate or a part of the pack; `effect`: stricter, looser or other; `judges`: whether it
    can change what a submission is told."""

    about: str
    title: str
    says: str
    effect: str = OTHER
    judges: bool = True


def differences(before: Pack, after: Pack) -> tuple[Difference, ...]:
    """Every difference, rules first, in the order of the newer pack; what was taken out comes last."""
    conditions = _conditions(before, after)
    return (
        *_rules(before, after),
        *conditions,
        *_gates(before, after),
        *_tracks(before, after),
        *_learning(before, after),
        *_rest(before, after),
    )


def same_rule(before: Rule, after: Rule) -> bool:
    """Whether two rules give the same result on every facts: words and examples aside."""
    return _judging(before) == _judging(after)


_WORDS = {
    *("title", "why", "learn", "says", "says_when_positive", "unknown_says", "held", "change", "examples", "unit"),
    *("not_applicable_says", "editable_by", "adds_steps"),
}


def _judging(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = rule.model_dump(mode="json", exclude=_WORDS)
    return found


def _rules(before: Pack, after: Pack) -> Iterator[Difference]:
    old = {rule.id: rule for rule in before.rules}
    for rule in after.rules:
        was = old.pop(rule.id, None)
        if was is None:
            yield Difference(rule.id, rule.title, f"new rule: {_asks(rule)}", STRICTER)
        elif was != rule:
            yield from _one_rule(was, rule)
    for rule in old.values():
        yield Difference(rule.id, rule.title, f"taken out; it asked for {_asks(rule)}", LOOSER)


def _asks(rule: Rule) -> str:
    if rule.bands is not None:
        return ", ".join(f"{name} from {limit_of(band, rule)}" for name, band in _bands(rule).items() if band is not None)
    return f"{rule.track} when {in_words(rule.condition)}"


def _bands(rule: Rule) -> dict[str, Band | None]:
    return {"yellow": rule.bands.yellow, "red": rule.bands.red} if rule.bands is not None else {}


def _one_rule(was: Rule, now: Rule) -> Iterator[Difference]:
    found = list(_limits(was, now))
    if (was.when, was.applies_when) != (now.when, now.applies_when):
        for name, old, new in (("fires", was.when, now.when), ("applies", was.applies_when, now.applies_when)):
            if old != new:
                found.append((f"{name} now when {_condition(new)}, before when {_condition(old)}", OTHER))
    if was.track is not now.track and was.track is not None and now.track is not None:
        found.append((f"asks for {now.track} now, was {was.track}", STRICTER if now.track.rank > was.track.rank else LOOSER))
    if was.on_unknown != now.on_unknown:
        rank = {"ignore": 0, "yellow": 1, "red": 2}
        effect = STRICTER if rank[now.on_unknown] > rank[was.on_unknown] else LOOSER
        found.append((f"what nobody knows counts as {_unknown(now)} now, was {_unknown(was)}", effect))
    if was.stages != now.stages:
        old_says = was.stages.says if was.stages is not None else "counts"
        new_says = now.stages.says if now.stages is not None else "counts"
        effect = LOOSER if was.stages is None else STRICTER if now.stages is None else OTHER
        found.append((f"its stage is now: {new_says} (was: {old_says})", effect))
    if set(was.adds_steps) != set(now.adds_steps):
        added = [role.label for role in now.adds_steps if role not in was.adds_steps]
        gone = [role.label for role in was.adds_steps if role not in now.adds_steps]
        words = [*([f"also asks {', '.join(added)}"] if added else []), *([f"no longer asks {', '.join(gone)}"] if gone else [])]
        found.append((" and ".join(words), STRICTER if added and not gone else LOOSER if gone and not added else OTHER))
    for says, effect in found:
        yield Difference(now.id, now.title, says, effect)
    if not found:
        judges = not same_rule(was, now)
        yield Difference(now.id, now.title, "judges otherwise" if judges else "only words or examples changed", OTHER, judges)


def _limits(was: Rule, now: Rule) -> Iterator[tuple[str, str]]:
    if was.bands is None or now.bands is None or (was.fact, was.direction) != (now.fact, now.direction):
        if was.bands != now.bands or was.fact != now.fact or was.direction != now.direction:
            yield f"{_asks(now)}; before: {_asks(was)}", OTHER
        return
    old, new = _bands(was), _bands(now)
    if old == new:
        return
    words, effects = [], set()
    for name in ("yellow", "red"):
        a, b = old[name], new[name]
        if a == b:
            words += [f"{name} unchanged"] if b is not None else []
        elif b is None:
            words.append(f"{name} is gone, it started at {_starts(a, was)}")
            effects.add(LOOSER)
        elif a is None:
            words.append(f"{name} starts at {_starts(b, now)}, there was none")
            effects.add(STRICTER)
        else:
            words.append(f"{name} now starts at {_starts(b, now)}, was {_starts(a, was)}")
            effects.add(_effect(a, b))
    yield "; ".join(words), effects.pop() if len(effects) == 1 else OTHER


def _effect(was: Band, now: Band) -> str:
    if was.upward is not now.upward:
        return OTHER
    if was.limit == now.limit:
        return STRICTER if len(now.sign) > len(was.sign) else LOOSER
    return STRICTER if (now.limit < was.limit) is now.upward else LOOSER


def _starts(band: Band | None, rule: Rule) -> str:
    """“4%”: a band that includes its edge is named by the number alone."""
    if band is None:
        return "nothing"
    words = limit_of(band, rule)
    return words.removeprefix(">= ").removeprefix("<= ") if band.sign in (">=", "<=") else f"{words} (the edge itself not)"


def _condition(condition: Any) -> str:
    return in_words(condition) if condition is not None else "always"


def _unknown(rule: Rule) -> str:
    return "nothing" if rule.on_unknown == "ignore" else rule.on_unknown


def _gates(before: Pack, after: Pack) -> Iterator[Difference]:
    old = {use.gate: use for use in before.gates}
    for use in after.gates:
        was = old.pop(use.gate, None)
        if was is None:
            yield Difference(use.gate, use.gate, f"new gate on {_on(use.tracks)}, {_blocks(use)}", STRICTER)
            continue
        for says, effect in _one_gate(was, use):
            yield Difference(use.gate, use.gate, says, effect)
    for use in old.values():
        yield Difference(use.gate, use.gate, f"no longer asked for (it ran on {_on(use.tracks)})", LOOSER)


def _one_gate(was: GateUse, now: GateUse) -> Iterator[tuple[str, str]]:
    for label, old, new in (
        ("", was.limits, now.limits),
        *((f"{t} track: ", was.limits_by_track.get(t, {}), now.limits_by_track.get(t, {})) for t in Track),
        *(
            (f"{domain}: ", was.limits_by_domain.get(domain, {}), now.limits_by_domain.get(domain, {}))
            for domain in sorted({*was.limits_by_domain, *now.limits_by_domain})
        ),
    ):
        yield from ((f"{label}{words}", OTHER) for words in _numbers(old, new))
    if set(was.tracks) != set(now.tracks):
        yield f"runs on {_on(now.tracks)} now, was {_on(was.tracks)}", STRICTER if set(now.tracks) > set(was.tracks) else OTHER
    if was.blocking != now.blocking:
        yield f"{_blocks(now)} now, before it {_blocks(was)}", OTHER
    if was.waivable is not now.waivable:
        yield ("can be waived now", LOOSER) if now.waivable else ("can no longer be waived", STRICTER)
    if was.max_days != now.max_days:
        yield (
            f"a waiver runs {now.max_days or 'as long as the pack says'} days at most, was {was.max_days or 'as the pack said'}",
            OTHER,
        )
    if was.applies_when != now.applies_when:
        yield f"asked for when {_condition(now.applies_when)}, before when {_condition(was.applies_when)}", OTHER
    if was.plugin != now.plugin:
        yield "another plug-in is pinned", OTHER


def _numbers(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            what = name.replace("_", " ")
            if name not in new:
                yield f"{what} is gone, was {old[name]}"
            else:
                yield f"{what} is {new[name]} now, {f'was {old[name]}' if name in old else 'there was none'}"


def _conditions(before: Pack, after: Pack) -> Iterator[Difference]:
    """Conditions in CEL. Which of two expressions is the stricter nobody can tell from their text."""
    old = {each.id: each for each in before.document.cel_conditions}
    for now in after.document.cel_conditions:
        was, title = old.pop(now.id, None), f"condition {now.id}"
        if was is None:
            yield Difference(now.id, title, f"new condition: {now.holds} (else: {now.otherwise})", STRICTER)
            continue
        if was.holds != now.holds:
            yield Difference(now.id, title, f"holds now when {now.holds}, before when {was.holds}")
        if was.otherwise != now.otherwise:
            effect = STRICTER if now.otherwise == "fail" else LOOSER
            yield Difference(now.id, title, f"a broken one is a {now.otherwise} now, was a {was.otherwise}", effect)
        if (was.holds, was.otherwise) == (now.holds, now.otherwise) and was != now:
            yield Difference(now.id, title, "only words or examples changed", OTHER, False)
    for was in old.values():
        yield Difference(was.id, f"condition {was.id}", f"taken out; it asked for {was.holds}", LOOSER)


def _on(tracks: tuple[Track, ...]) -> str:
    return ", ".join(track.value for track in tracks)


def _blocks(use: GateUse) -> str:
    if isinstance(use.blocking, bool):
        return "blocks" if use.blocking else "never blocks"
    return f"blocks on {_on(use.blocking)}"


def _learning(before: Pack, after: Pack) -> Iterator[Difference]:
    for place, says, stricter in learning_changes(before, after):
        effect = OTHER if stricter is None else STRICTER if stricter else LOOSER
        yield Difference(place, "lessons before signing", says, effect, False)


def _plan(step: Step) -> dict[str, Any]:
    return step.model_dump(exclude={"requires_learning"})


def _tracks(before: Pack, after: Pack) -> Iterator[Difference]:
    for track in Track:
        was, now = before.document.tracks[track], after.document.tracks[track]
        old, new = [step.role.label for step in was.steps], [step.role.label for step in now.steps]
        if old != new:
            says = f"asks for {', '.join(new) or 'nobody'} now, was {', '.join(old) or 'nobody'}"
            yield Difference(track.value, f"the {track} track", says, STRICTER if len(new) > len(old) else OTHER)
        if was.due != now.due:
            yield Difference(
                track.value, f"the {track} track", f"due within {now.due or '–'} now, was {was.due or '–'}", OTHER, False
            )
        if (was.model_dump(exclude={"steps", "due"}), [_plan(s) for s in was.steps]) != (
            now.model_dump(exclude={"steps", "due"}),
            [_plan(s) for s in now.steps],
        ) and (old, was.due) == (new, now.due):
            yield Difference(track.value, f"the {track} track", "the words or plan of its steps changed", OTHER, False)


_NAMED = {
    "added_steps": "steps that rules add",
    "attestations": "what people attest",
    "collectors": "numbers of the collectors",
    "waivers": "waivers",
    "library": "the library",
    "exposure": "who lets a permit go further",
}


def _rest(before: Pack, after: Pack) -> Iterator[Difference]:
    old, new = before.document.model_dump(mode="json"), after.document.model_dump(mode="json")
    for name, title in _NAMED.items():
        if old.get(name) != new.get(name):
            yield Difference(name, title, "changed", OTHER, False)
    a, b = before.questionnaire, after.questionnaire
    if a is not None and b is not None and a != b:
        gone, added = a.by_id.keys() - b.by_id.keys(), b.by_id.keys() - a.by_id.keys()
        words = [
            *([f"new questions: {', '.join(sorted(added))}"] if added else []),
            *([f"no longer asked: {', '.join(sorted(gone))}"] if gone else []),
        ]
        yield Difference(
            "questionnaire", "the questionnaire", "; ".join(words) or "questions or their words changed", OTHER, False
        )
