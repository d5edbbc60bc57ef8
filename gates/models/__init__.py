"""What was measured and what the gates said."""

from gates.models.outcomes import GateOutcome
from gates.models.runs import Chart, GateRun, Measurement
from gates.models.workers import WorkerSeen

__all__ = ["Chart", "GateOutcome", "GateRun", "Measurement", "WorkerSeen"]
