"""What was measured and what the gates said."""

from gates.models.runs import Chart, GateOutcome, GateRun, Measurement, WorkerSeen

__all__ = ["Chart", "GateOutcome", "GateRun", "Measurement", "WorkerSeen"]
