"""Lineage from the facts: do the data sources, digests, dates, code and run hold together? Needs no file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from gates.collecting import Collected, Inputs
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "lineage"
TITLE = "Tracing data, code and run"
VERSION = 2
HEAVY = False
IN_PROCESS = True
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL: tuple[EvidenceRole, ...] = ()
USES_REGISTERS = ("registered_sources", "as_of")
USES_FACTS = (
    "data.sources",
    "data.snapshot_date",
    "training.dataset_digest",
    "evaluation.dataset_digest",
    "training.code_commit",
    "training.run_id",
    "training.started_at",
    "training.ended_at",
    "model.signature_present",
    "model.digest",
)

EMPTY_DIGESTS = frozenset(
    {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    }
)
LOCAL = re.compile(r"^(file:|[A-Za-z]:[\\/]|\\\\|/(home|Users|tmp|root|mnt|private|var/folders)/|~/|\./|\.\./)")
_COMMIT = re.compile(r"^[0-9a-f]{7,64}$", re.IGNORECASE)


def collect(inputs: Inputs) -> Collected:
    """Measures on sources (against `settings["registered_sources"]`: name -> {owner, approved}), digests, dates, commit and run.

    What is not declared is a measure without a value and with a reason: unknown is not a pass.
    """
    facts = inputs.facts
    measures = [
        *_sources(facts.get("data.sources"), inputs.settings.get("registered_sources")),
        *_digests(facts.get("training.dataset_digest"), facts.get("evaluation.dataset_digest")),
        *_dates(facts, inputs.settings.get("as_of")),
        *_code(facts),
    ]
    notes = ["The provenance is declared, not signed: no signature over it was checked."]
    if facts.get("model.signature_present") is False:
        notes.append("The model records no input and output signature (schema), so consumers cannot check what they send.")
    return Collected(measures=tuple(measures), notes=tuple(notes))


def _sources(declared: Any, register: Any) -> Iterable[Measure]:
    names = [str(name).strip() for name in declared if str(name).strip()] if isinstance(declared, list | tuple) else []
    if not names:
        why = "No data source is declared: name every table or file the model was trained on (data.sources)."
        yield Measure("lineage.sources", None, reason=why)
        yield Measure("lineage.unresolved", None, reason=why)
        return
    yield Measure("lineage.sources", float(len(names)), text=", ".join(names[:50]))
    local = [name for name in names if LOCAL.match(name)]
    yield Measure("lineage.local_paths", float(len(local)), text=", ".join(local[:20]))
    if not isinstance(register, Mapping):
        yield Measure(
            "lineage.unresolved", None, reason="The register of data sources was not at hand, so no source could be looked up."
        )
        return
    known = {str(name).strip().lower(): entry for name, entry in register.items()}
    entries = {name: entry_of(name.lower(), known) for name in names}
    unknown = [name for name, entry in entries.items() if not isinstance(entry, Mapping)]
    unapproved = [name for name, entry in entries.items() if isinstance(entry, Mapping) and entry.get("approved") is not True]
    ownerless = [
        name for name, entry in entries.items() if isinstance(entry, Mapping) and not str(entry.get("owner") or "").strip()
    ]
    yield Measure("lineage.unresolved", float(len(unknown)), n=len(names), text=", ".join(unknown))
    yield Measure("lineage.unapproved", float(len(unapproved)), n=len(names), text=", ".join(unapproved))
    yield Measure("lineage.without_owner", float(len(ownerless)), n=len(names), text=", ".join(ownerless))


def entry_of(name: str, known: Mapping[str, Any]) -> Any:
    """The register's entry for a source; one that ends in `/` stands for everything below it."""
    return known.get(name) or next(
        (entry for prefix, entry in known.items() if prefix.endswith("/") and name.startswith(prefix)), None
    )


def _digests(training: Any, evaluation: Any) -> Iterable[Measure]:
    for name, value in (("training", training), ("evaluation", evaluation)):
        if not isinstance(value, str) or not value.strip():
            yield Measure(
                f"lineage.{name}_digest", None, reason=f"No digest of the {name} data is declared ({name}.dataset_digest)."
            )
            continue
        bare = _bare(value)
        if bare in EMPTY_DIGESTS:
            yield Measure(f"lineage.{name}_digest", 0.0, text=f"The {name} digest is that of an empty file.")
        else:
            weak = len(bare) < 64
            text = f"The {name} digest {bare[:12]} has {len(bare)} characters; a SHA-256 has 64." if weak else bare[:12]
            yield Measure(f"lineage.{name}_digest", 1.0, text=text, detail={"weak": weak})
    if isinstance(training, str) and isinstance(evaluation, str) and training.strip() and evaluation.strip():
        same = _bare(training) == _bare(evaluation)
        yield Measure(
            "lineage.same_digest", 1.0 if same else 0.0, text="Training and evaluation data have the same digest." if same else ""
        )


def _bare(digest: str) -> str:
    return digest.strip().lower().rsplit(":", 1)[-1]


def _dates(facts: Mapping[str, Any], as_of: Any) -> Iterable[Measure]:
    snapshot, started, ended = (
        moment(facts.get(name)) for name in ("data.snapshot_date", "training.started_at", "training.ended_at")
    )
    now = moment(as_of)
    problems = []
    if started and ended and ended < started:
        problems.append(f"training ends ({ended:%Y-%m-%d}) before it starts ({started:%Y-%m-%d})")
    last = ended or started
    if snapshot and last and snapshot.date() > last.date():
        problems.append(f"the data snapshot ({snapshot:%Y-%m-%d}) is newer than the training run ({last:%Y-%m-%d})")
    for name, value in (("data snapshot", snapshot), ("training start", started), ("training end", ended)):
        # by day: clocks of pipelines and servers differ, and the day is what is stored of the submission
        if value and now and value.date() > now.date():
            problems.append(f"the {name} ({value:%Y-%m-%d}) is in the future")
    yield Measure("lineage.date_problems", float(len(problems)), text="; ".join(problems))
    if snapshot is None:
        yield Measure("lineage.data_age_days", None, reason="No snapshot date of the data is declared (data.snapshot_date).")
    elif now or last:
        yield Measure("lineage.data_age_days", float(((now or last or snapshot) - snapshot).days), text=f"{snapshot:%Y-%m-%d}")


def moment(value: Any) -> datetime | None:
    """A declared date or time as an aware datetime: ISO text, or milliseconds since 1970 as MLflow writes; None when it is
    neither.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        seconds = value / 1000 if value > 1e11 else value
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        try:
            found = datetime.fromisoformat(str(value).strip().replace("Z", "+00:00"))
        except ValueError:
            return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _code(facts: Mapping[str, Any]) -> Iterable[Measure]:
    commit, run = facts.get("training.code_commit"), facts.get("training.run_id")
    if not isinstance(commit, str) or not commit.strip():
        yield Measure("lineage.code_commit", 0.0, text="No code commit is declared (training.code_commit).")
    else:
        good = _COMMIT.match(commit.strip()) is not None
        yield Measure(
            "lineage.code_commit",
            1.0 if good else 0.0,
            text=commit.strip()[:40] if good else f"“{commit.strip()[:40]}” is not a commit id.",
        )
    named = isinstance(run, str) and bool(run.strip())
    yield Measure(
        "lineage.run", 1.0 if named else 0.0, text=str(run)[:80] if named else "No training run is named (training.run_id)."
    )
