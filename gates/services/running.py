"""Running claimed collectors in the sandbox, keeping their leases, and handing in what they found."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from gates import registry, sandbox
from gates.collecting import EvidenceInput, Inputs
from gates.services.claiming import Claim, claim_heavy, claim_light, claim_next_heavy, claim_next_light, keep
from gates.services.finishing import Result, finish
from gates.services.presence import note_worker
from governance.selectors.evidence import evidence_path

log = logging.getLogger(__name__)

GOES_ON = 10.0  # seconds after which a task takes no further runs: a worker that is asked to stop does not go on for long


def work_light(*, worker: str, serves: Sequence[str] = ()) -> bool:
    """Run light collectors in the order of turns, those of one submission together in one child process.

    Goes on for some seconds and then gives the slot back. Returns whether it found nothing more to do. `serves`: every queue
    the worker takes messages from; while it measures it is noted as present on all of them.
    """
    queues = {"gates", *serves}
    return _work(lambda: claim_next_light(worker=worker), worker, queues)


def work_heavy(*, worker: str, serves: Sequence[str] = ()) -> bool:
    """Run heavy collectors in the order of turns, one at a time; otherwise as `work_light`.

    A worker that takes light ones as well holds few heavy ones at a time: so light ones do not wait behind SHAP.
    """
    most = settings.GATE_HEAVY_BESIDE_LIGHT if "gates" in serves else None
    return _work(lambda: claim_next_heavy(worker=worker, most=most), worker, {"gates.heavy", *serves})


def run_light(submission_id: int, *, worker: str) -> int:
    """Run every due light collector of one submission here and now. Returns how many were taken."""
    taken = 0
    while claims := claim_light(submission_id, worker=worker):
        taken += len(claims)
        measure(claims, worker=worker, queues={"gates"})
    return taken


def run_heavy(run_id: int, *, worker: str) -> int:
    """Run one heavy collector here and now, if it is due. Returns 1 when it was taken."""
    claims = claim_heavy(run_id, worker=worker)
    if claims:
        measure(claims, worker=worker, queues={"gates.heavy"})
    return len(claims)


def _work(claim: Callable[[], list[Claim]], worker: str, queues: Collection[str]) -> bool:
    until = time.monotonic() + GOES_ON
    while claims := claim():
        measure(claims, worker=worker, queues=queues)
        if time.monotonic() > until:
            return False
    return True


def measure(claims: Sequence[Claim], *, worker: str, queues: Collection[str]) -> None:
    """Measure claimed runs of one submission and store each result under the attempt it was claimed with.

    A collector that takes the child down fails alone: the others go on in a fresh child, under the same claim.
    """
    holding = _Holding(list(claims), worker, queues)
    waiting: dict[str, Claim] = {}
    for claim in claims:
        problem = _not_runnable(claim)
        if problem:
            holding.add(Result(claim, failure=problem))
        elif (result := _without_evidence(claim)) is not None:
            holding.add(result)
        else:
            waiting[claim.collector] = claim
    try:
        while waiting:
            before = len(waiting)
            for ran in sandbox.run(list(waiting), {name: inputs_of(claim) for name, claim in waiting.items()}, beat=holding.tick):
                if ran.status is not sandbox.Status.NOT_RUN and ran.collector in waiting:
                    holding.add(_result(waiting.pop(ran.collector), ran))
                holding.tick()
                waiting = {name: claim for name, claim in waiting.items() if claim.id in holding.held}
            if len(waiting) == before:
                raise RuntimeError(f"the sandbox ran none of {sorted(waiting)}")
    except _NothingHeld:
        log.info("submission %s: every run was cancelled or taken over, the child is stopped", claims[0].submission_id)
    holding.hand_in()


def inputs_of(claim: Claim) -> Inputs:
    """The frozen inputs of a run, with the digests of evidence files turned into paths on this machine."""
    frozen = claim.inputs
    evidence = {
        role: EvidenceInput(
            role=role,
            path=str(evidence_path(item["sha256"])),
            name=item["name"],
            sha256=item["sha256"],
            columns=item["columns"],
            format=item["format"],
        )
        for role, item in frozen.get("evidence", {}).items()
    }
    return Inputs(evidence, frozen.get("facts", {}), frozen.get("settings", {}), frozen.get("seed", Inputs().seed))


class _NothingHeld(Exception):
    """Every run of the batch was cancelled or taken over by somebody else."""


@dataclass
class _Holding:
    """The claims a batch still holds, and results not handed in yet.

    Quick results are stored together in one transaction; none waits longer than about a second.
    """

    claims: list[Claim]
    worker: str
    queues: Collection[str]
    held: set[int] = field(default_factory=set)
    results: list[Result] = field(default_factory=list)
    _renewed: float = field(default_factory=time.monotonic)
    _handed_in: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.held = {claim.id for claim in self.claims}

    def add(self, result: Result) -> None:
        self.results.append(result)

    def tick(self) -> None:
        """Hand in what is ready; renew the leases when a third has passed. Raises _NothingHeld when nothing is left to do."""
        now = time.monotonic()
        if self.results and now - self._handed_in >= 1.0:
            self.hand_in()
        if now - self._renewed >= settings.GATE_LEASE_SECONDS / 3:
            self._renew()

    def hand_in(self) -> None:
        results, self.results = self.results, []
        self._handed_in = time.monotonic()
        if results:
            finish(results)
            done = {result.claim.id for result in results}
            self.claims = [claim for claim in self.claims if claim.id not in done]

    def _renew(self) -> None:
        self._renewed = time.monotonic()
        waiting = {result.claim.id for result in self.results}
        try:
            kept = keep(self.claims)
            # heartbeats wait behind long runs: a worker whose slots are all taken is there all the same
            note_worker(self.worker, *self.queues)
        except (OperationalError, InterfaceError):
            # while the database is away nobody can take the runs over either; the next beat tries again
            log.warning("leases cannot be renewed: the database does not answer")
            connection.close()
            return
        self.held = kept
        if not kept - waiting:
            raise _NothingHeld


def _not_runnable(claim: Claim) -> str:
    if claim.collector not in registry.collectors():
        return f"This worker knows no collector “{claim.collector}”: it runs another version of Guiderail than the web server."
    for role, item in claim.inputs.get("evidence", {}).items():
        if not evidence_path(item["sha256"]).exists():
            return (
                f"The file {item['name']} ({role}) is not in this worker's evidence store. "
                "An administrator checks that web server and workers share GUIDERAIL_EVIDENCE_DIR."
            )
    return ""


def _without_evidence(claim: Claim) -> Result | None:
    """Run a collector that opens no file here and now: there are no untrusted bytes to keep in a child process.

    None when it has to go to the sandbox: it can take evidence, draws a picture, or failed (the sandbox then says how).
    """
    collector = registry.collectors()[claim.collector]
    if not collector.in_process or collector.requires or collector.optional or collector.heavy:
        return None
    started = time.monotonic()
    try:
        collected = collector.collect(inputs_of(claim))
    except Exception:  # whatever it is, the sandbox runs it again and reports it like every other failure
        log.exception("collector %s failed outside the sandbox", claim.collector)
        return None
    if collected.pictures:
        return None
    return Result(claim, collected=collected, seconds=time.monotonic() - started, versions={"python": platform.python_version()})


def _result(claim: Claim, ran: sandbox.Ran) -> Result:
    if ran.status is sandbox.Status.DONE:
        pictures = {key: (themes.get("light", ""), themes.get("dark", "")) for key, themes in ran.svgs.items()}
        return Result(claim, collected=ran.collected, pictures=pictures, seconds=ran.seconds, versions=ran.versions)
    detail = f"exit {ran.exit_code}: {ran.detail}" if ran.exit_code is not None else ran.detail
    return Result(
        claim, failure=ran.reason or "The check stopped without a reason.", log=detail, seconds=ran.seconds, versions=ran.versions
    )
