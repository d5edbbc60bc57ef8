"""A cost report read and checked: JSON, or a table with one row a sample. Every mistake is named with its place and way out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers import tables
from gates.readers.documents import read_document

FEWEST = 300
COMFORTABLE = 1000
WARM_UP_SHARE, WARM_UP_LEAST, WARM_UP_FACTOR = 0.05, 10, 2.0
UNITS = {"ms": 1.0, "s": 1000.0, "us": 0.001}
SIDES = ("candidate", "champion")
SAME = ("hardware", "batch_size", "concurrency")


@dataclass(frozen=True)
class Run:
    """One version's load test. `latency`: milliseconds a request; `per_hour`: price of the hardware, NaN when not told."""

    latency: np.ndarray
    hardware: str
    batch_size: float
    concurrency: float
    per_hour: float
    memory_mb: float | None
    model_size_mb: float | None

    @property
    def per_second(self) -> float:
        """Predictions a second under this load."""
        return self.concurrency * self.batch_size / (float(self.latency.mean()) / 1000)

    @property
    def per_1k(self) -> float:
        """What 1,000 predictions cost while the hardware is busy; NaN without a price."""
        return self.per_hour / 3600 * 1000 / self.per_second


@dataclass(frozen=True)
class CostReport:
    """What the report says. `utilisation`: share of paid time the hardware is busy. `objective`: percentile ->
    milliseconds."""

    runs: Mapping[str, Run]
    currency: str
    volume: float | None
    budget: float | None
    budget_owner: str
    utilisation: float
    objective: Mapping[str, float]


def read_report(evidence: EvidenceInput) -> CostReport:
    """Read it by content: JSON or YAML as a document, anything else as a table. Raises EvidenceProblem."""
    document = _from_table(evidence) if _is_table(evidence) else read_document(evidence)
    runs = {side: _run(evidence, document, side) for side in SIDES if document.get(side) is not None}
    if "candidate" not in runs:
        raise _problem(evidence, "candidate", "the candidate's load test", "none", "Add the samples of this version.")
    if len(runs) == 2:
        _same_unit(evidence, runs["candidate"], runs["champion"])
    budget = document.get("budget")
    budget = budget if isinstance(budget, Mapping) else {"per_month": budget}
    utilisation = _number(evidence, document, "utilisation", least=0.0)
    if utilisation is not None and not 0 < utilisation <= 1:
        raise _problem(evidence, "utilisation", "a share over 0 and up to 1", f"{utilisation:g}", "Write 0.6 for 60 %.")
    said = document.get("objective")
    objective = {
        name: value
        for name in ("p50_ms", "p95_ms", "p99_ms")
        if isinstance(said, Mapping) and (value := _number(evidence, said, name, "objective.", least=0.0)) is not None
    }
    return CostReport(
        runs,
        str(document.get("currency") or "")[:12],
        _number(evidence, document, "predictions_per_month", least=0.0),
        _number(evidence, budget, "per_month", "budget.", least=0.0),
        str(budget.get("owner") or "")[:80],
        utilisation or 1.0,
        objective,
    )


def _is_table(evidence: EvidenceInput) -> bool:
    if evidence.format.lower() in ("csv", "parquet"):
        return True
    with open(evidence.path, "rb") as file:  # noqa: PTH123 - only the first bytes
        head = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    first = head.split(b"\n", 1)[0]
    return head.startswith(b"PAR1") or (
        b"latency" in first and (b"," in first or b";" in first) and not head.startswith((b"{", b"["))
    )


def _from_table(evidence: EvidenceInput) -> dict[str, Any]:
    """A table as the document it stands for: `version`, a latency column, and columns that say one thing for each version."""
    info = tables.inspect(evidence)
    unit = next((unit for unit in UNITS if f"latency_{unit}" in info.names), "")
    if not unit:
        raise _problem(evidence, "latency_ms", "a column latency_ms (or latency_s)", ", ".join(info.names[:8]), "Name the unit.")
    tables.require(evidence, info, ["version"])
    wanted = [name for name in info.names if name in {"version", f"latency_{unit}", *_PER_SIDE, *_SHARED}]
    table = tables.load(evidence, wanted)
    values = tables.numbers(evidence, table, f"latency_{unit}")
    version = np.array([str(each) for each in table["version"]], dtype=object)
    odd = sorted(set(version) - set(SIDES))
    if odd:
        raise _problem(evidence, "version", "candidate or champion in every row", odd[0][:40], "Name the side, not its number.")
    document: dict[str, Any] = {}
    for side in SIDES:
        chosen = version == side
        if chosen.any():
            own = {name: _only(evidence, table[name][chosen], name, side) for name in wanted if name in _PER_SIDE}
            document[side] = {**own, "latency": values[chosen], "unit": unit}
    shared = {name: _only(evidence, table[name], name, "every version") for name in wanted if name in _SHARED}
    document |= {name: value for name, value in shared.items() if name in ("currency", "predictions_per_month", "utilisation")}
    document["budget"] = {"per_month": shared.get("budget_per_month"), "owner": shared.get("budget_owner")}
    document["objective"] = {name: shared[name] for name in ("p50_ms", "p95_ms", "p99_ms") if name in shared}
    return document


_PER_SIDE = frozenset({"hardware", "batch_size", "concurrency", "price_per_hour", "memory_mb", "model_size_mb"})
_SHARED = frozenset(
    {"currency", "predictions_per_month", "utilisation", "budget_per_month", "budget_owner", "p50_ms", "p95_ms", "p99_ms"}
)


def _only(evidence: EvidenceInput, column: np.ndarray, name: str, where: str) -> Any:
    """The one value a column holds where it says anything."""
    known = {value for value in column.tolist() if value is not None and value == value}
    if len(known) > 1:
        raise _problem(evidence, name, f"one value for {where}", f"{len(known)} different ones", "One load test a version.")
    return next(iter(known), None)


def _run(evidence: EvidenceInput, document: Mapping[str, Any], side: str) -> Run:
    given = document[side]
    if not isinstance(given, Mapping):
        raise _problem(evidence, side, "a mapping with latency, unit and hardware", type(given).__name__, "See the gate's page.")
    latency = _latency(evidence, given, side)
    hardware = str(given.get("hardware") or "").strip()
    if not hardware:
        raise _problem(evidence, f"{side}.hardware", "the machine it ran on", "nothing", "Name it, such as c7i.large.")
    numbers = {name: _number(evidence, given, name, f"{side}.", above=0.0) for name in ("batch_size", "concurrency")}
    for name, value in numbers.items():
        if value is None:
            raise _problem(evidence, f"{side}.{name}", "a number of 1 or more", "nothing", "Say how the load was made.")
    price = _number(evidence, given, "price_per_hour", f"{side}.", above=0.0)
    if price is None:
        price = _number(evidence, document, "price_per_hour", above=0.0)
    return Run(
        latency,
        hardware[:80],
        numbers["batch_size"] or 1.0,
        numbers["concurrency"] or 1.0,
        math.nan if price is None else price,
        _number(evidence, given, "memory_mb", f"{side}.", above=0.0),
        _number(evidence, given, "model_size_mb", f"{side}.", above=0.0),
    )


def _latency(evidence: EvidenceInput, given: Mapping[str, Any], side: str) -> np.ndarray:
    """The samples in milliseconds, or what is wrong with them."""
    place, raw = f"{side}.latency", given.get("latency")
    averages = [name for name in ("mean", "average", "p50", "p95", "p99", "median") if name in given]
    if isinstance(raw, int | float | Mapping) or (raw is None and averages):
        found = f"only {', '.join(averages) or 'an average'}"
        raise _problem(evidence, place, "the single samples", found, "Averages hide the slow ones: send the list of samples.")
    unit = str(given.get("unit") or "")
    if unit not in UNITS:
        raise _problem(evidence, f"{side}.unit", "ms, s or us", unit or "nothing", "Say in which unit the samples are.")
    if not isinstance(raw, list | np.ndarray) or any(isinstance(value, bool | str | None) for value in list(raw)[:FEWEST]):
        raise _problem(evidence, place, "a list of numbers", "something else", "Send the list of samples.")
    values = np.asarray(raw, dtype=np.float64) * UNITS[unit]
    if not np.isfinite(values).all() or (values <= 0).any():
        bad = int((~np.isfinite(values) | (values <= 0)).sum())
        found = f"{bad:,} of {len(values):,} that are zero, negative or no number"
        raise _problem(evidence, place, "times above zero", found, "Leave failed requests out and say how many there were.")
    if len(values) < FEWEST:
        raise _problem(
            evidence, place, f"at least {FEWEST} samples after warm-up ({COMFORTABLE:,} for the 99th percentile)",
            f"{len(values):,}", "Run the load test longer.",
        )  # fmt: skip
    if float(values.min()) == float(values.max()):
        raise _problem(evidence, place, "samples that differ", "one value repeated: an average", "Send the single samples.")
    first = max(WARM_UP_LEAST, int(len(values) * WARM_UP_SHARE))
    start, rest = float(np.median(values[:first])), float(np.median(values[first:]))
    if start > WARM_UP_FACTOR * rest:
        found = f"a median of {start:.3g} ms in the first {first:,} samples against {rest:.3g} ms after them"
        raise _problem(evidence, place, "samples after warm-up", found, "Leave the first requests out.")
    return values


def _same_unit(evidence: EvidenceInput, candidate: Run, champion: Run) -> None:
    ratio = float(np.median(candidate.latency) / np.median(champion.latency))
    if not 0.01 < ratio < 100:
        found = f"medians of {np.median(candidate.latency):.3g} ms and {np.median(champion.latency):.3g} ms"
        raise _problem(
            evidence, "candidate.unit", "both versions in the unit they name", found,
            "One of them is probably in seconds and named as milliseconds: correct its unit.",
        )  # fmt: skip


def differences(candidate: Run, champion: Run) -> list[str]:
    """In what the two load tests differ, so that their times cannot be compared; empty when they can."""
    return [
        f"{name.replace('_', ' ')} {_plain(getattr(candidate, name))} against {_plain(getattr(champion, name))}"
        for name in SAME
        if getattr(candidate, name) != getattr(champion, name)
    ]


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else f"“{value}”"


def _number(
    evidence: EvidenceInput,
    given: Mapping[str, Any],
    name: str,
    where: str = "",
    *,
    least: float = -math.inf,
    above: float = -math.inf,
) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or value < least
        or value <= above
    ):
        bound = "of zero or more" if least == 0 else "above zero"
        raise _problem(evidence, f"{where}{name}", f"a number {bound}", str(value)[:40], "Correct it.")
    return float(value)


def _problem(evidence: EvidenceInput, place: str, expected: str, found: str, way_out: str) -> EvidenceProblem:
    return EvidenceProblem(file=evidence.name, column=place, expected=expected, found=found, way_out=way_out)
