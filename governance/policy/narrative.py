"""A decision told in words: what the system does, what changed, what was measured, who decided, where its data comes from.

Every sentence is put together from one fact or row of the decision view by the templates below. Nothing is summarised, weighed or
made up: what nobody recorded is said to be missing, and what people wrote stands in quotation marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from governance.domain.decision import DecisionView, DifferenceView
from governance.domain.decision_gates import GateView
from governance.domain.decision_review import SignOffView

MOST = 6
LONGEST = 240
_DECIDED = {
    "approve": "approved",
    "approve_with_conditions": "approved with conditions",
    "request_changes": "asked for changes",
    "reject": "rejected it",
}


@dataclass(frozen=True, slots=True)
class Passage:
    """One paragraph with its heading."""

    title: str
    text: str


def narrative(view: DecisionView) -> tuple[Passage, ...]:
    """The passages of a decision, in reading order; each rests on stored facts alone."""
    return (
        Passage("What it does", _join(_purpose(view))),
        Passage("What changed", _join(_changed(view))),
        Passage("What was measured", _join(_measured(view))),
        Passage("Who decided", _join(_decided(view))),
        Passage("Where its data comes from", _join(_lineage(view))),
    )


def _purpose(view: DecisionView) -> Iterable[str]:
    name = view.system_name or view.system
    yield f"{name} {view.version} is handed in for {view.environment} by {view.submitter or 'somebody'} ({view.unit})"
    domain, automated, review = (_fact(view, name) for name in _USE)
    yield f"It makes decisions about {_words(domain)}" if domain else "What it decides about is not recorded"
    if automated is not None:
        yield (
            "Its decisions take effect without a person looking first"
            if automated is True
            else (f"A person looks first: {_quoted(review)}" if review else "Its decisions wait for a person")
        )
    if people := _fact(view, "impact.people_per_month"):
        yield f"It concerns about {people} people a month"
    if regimes := _fact(view, "regulation.regimes"):
        yield f"Regulations it names: {_listed(regimes)}"
    if view.context:
        yield f"In the words of who handed it in: {_quoted(view.context)}"
    if view.track:
        yield f"Its track is {view.track}"


_USE = ("decision.domain", "decision.automated", "decision.human_review")


def _changed(view: DecisionView) -> Iterable[str]:
    for comparison in (view.against_champion, view.since_last_revision):
        if comparison is None:
            continue
        lines = [_difference(line) for line in comparison.changes[:MOST]]
        more = f"; and {len(comparison.changes) - MOST} more" if len(comparison.changes) > MOST else ""
        yield (
            f"Against {comparison.against}: {'; '.join(lines)}{more}"
            if lines
            else (f"Against {comparison.against}: nothing that is compared differs")
        )
    if view.against_champion is None:
        yield (
            "There is no version in force to compare it with"
            if not view.champion
            else (f"The version in force is {view.champion}; what differs from it is not stored with this revision")
        )


def _measured(view: DecisionView) -> Iterable[str]:
    if not view.gates:
        yield "Nothing is measured yet" if view.state in ("draft", "in_checks") else "No gate judged it"
        return
    passed = sum(gate.verdict == "pass" for gate in view.gates)
    rest = [f"{gate.code} {_words(gate.shown)}" for gate in view.gates if gate.verdict not in ("pass", "not_applicable")]
    yield f"{passed} of {len(view.gates)} gates pass" + (f"; not so {_capped(rest)}" if rest else "")
    for prefix, title in _WORST:
        gates = [gate for gate in view.gates if gate.code.startswith(prefix)]
        worst = min(gates, key=_concern, default=None)
        if worst is None:
            yield f"{title}: no gate of this kind judged it"
        elif worst.verdict == "not_applicable":
            yield f"{title}: not applicable, {_bare(worst.says)}"
        else:
            group = f" (group {worst.group})" if worst.group and worst.group not in worst.says else ""
            yield f"{title}, {worst.code}: {_bare(worst.says)}{group}"


_WORST = (("GP101", "Change of performance"), ("GF", "Worst group"), ("GX", "Least stable explanation"))
_ORDER = ("fail", "not_assessed", "warn", "pass", "not_applicable")


def _concern(gate: GateView) -> tuple[int, int, str]:
    """The most worrying gate first; of equals the one that stops, then by code, so that the choice is always the same."""
    rank = _ORDER.index(gate.verdict) if gate.verdict in _ORDER else len(_ORDER)
    return rank, 0 if gate.blocking else 1, gate.code


def _decided(view: DecisionView) -> Iterable[str]:
    standing = [row for row in reversed(view.sign_offs) if row.voided_at is None]
    for row in standing:
        yield _signed(row)
    if not standing and view.state in ("approved", "superseded", "expired", "revoked"):
        yield "The policy approved it: every rule held and every gate that blocks passed"
    elif not standing:
        yield f"Nobody has decided yet; it is {view.state_words}"
    for condition in view.conditions:
        met = f"met on {_day(condition.met_at)}" if condition.met_at else f"due on {_day(condition.due_on)}"
        yield f"On condition: {_quoted(condition.text)}, {condition.owner}, {met}; if missed: {_quoted(condition.if_missed)}"
    for waiver in view.waivers:
        if waiver.live:
            control = _quoted(waiver.compensating_control)
            yield f"{waiver.gate} is waived until {_day(waiver.expires_at)} ({waiver.number}); instead {control}"
    open_ones = [finding.id for finding in view.findings if finding.state != "closed"]
    if open_ones:
        yield f"Findings still open: {_capped(open_ones)}"
    if view.permit is not None:
        permit = view.permit
        yield (
            f"The permit for {permit.environment} holds until {_day(permit.expires_at)}"
            if permit.valid
            else (f"The permit does not hold{f': {_quoted(permit.revoked_why)}' if permit.revoked_why else ''}")
        )


def _signed(row: SignOffView) -> str:
    text = f"{row.by} ({row.role_label}) {_DECIDED.get(row.decision, _words(row.decision))} on {_day(row.at)}"
    if reason := row.rationale or row.comment:
        text += f", because {_quoted(reason)}"
    if row.residual_risk:
        text += f"; remaining risk{f' ({row.residual_level})' if row.residual_level else ''}: {_quoted(row.residual_risk)}"
    return text


def _lineage(view: DecisionView) -> Iterable[str]:
    missing = []
    for name, words, title in _CHAIN:
        fact = next((fact for fact in view.facts if fact.name == name), None)
        statement = next((row for row in fact.statements if row.value not in (None, "", [])), None) if fact is not None else None
        if statement is None:
            missing.append(title)
        else:
            origin = statement.provenance.origin
            yield f"{words} {_listed(statement.value)}" + (f" ({origin})" if origin else "")
    if view.artifact_digest:
        yield f"What is deployed is the build {view.artifact_digest[:19]}…"
    else:
        missing.append("the digest of the build")
    if missing:
        yield f"Not recorded: {', '.join(missing)}"


_CHAIN = (
    ("data.sources", "It was made from", "its data sources"),
    ("training.dataset_digest", "The training data set is", "the digest of its training data"),
    ("training.run_id", "It was trained in run", "its training run"),
    ("training.code_commit", "with code", "its code commit"),
    ("evaluation.dataset_digest", "It was evaluated on", "the digest of its evaluation data"),
)


def _fact(view: DecisionView, name: str) -> Any:
    """The most assured value of a fact; None when nobody knows it."""
    fact = next((fact for fact in view.facts if fact.name == name), None)
    return fact.statements[0].value if fact is not None and fact.statements else None


def _difference(line: DifferenceView) -> str:
    what = line.label.rpartition(".")[2].replace("_", " ")
    return f"{what} {line.hint}" if line.hint else f"{what} from {_listed(line.before)} to {_listed(line.after)}"


def _listed(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return _capped([_listed(item) for item in value]) or "none"
    return _cut(" ".join(str(value).split()))


def _capped(items: Sequence[str]) -> str:
    more = f" and {len(items) - MOST} more" if len(items) > MOST else ""
    return ", ".join(items[:MOST]) + more


def _quoted(text: Any) -> str:
    return f"“{_cut(' '.join(str(text).split()).rstrip('.'))}”"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def _bare(text: str) -> str:
    return _cut(" ".join(text.split())).rstrip(".")


def _words(value: Any) -> str:
    return str(value).replace("_", " ")


def _day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"


def _join(sentences: Iterable[str]) -> str:
    whole = (" ".join(sentence.split()) for sentence in sentences)
    return " ".join(text if text[-1] in ".!?…" else f"{text}." for text in whole if text)
