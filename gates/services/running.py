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
from gates.collecting import Doing, EvidenceInput, Inputs
from gates.services.claiming import (
    Claim,
    claim_heavy,
    claim_light,
    claim_next_heavy,
    claim_next_light,
    keep,
    note_doing,
)
from gates.services.finishing import Result, finish
from gates.services.presence import note_worker
from governance.selectors.evidence import evidence_path

log = logging.getLogger(__name__)

LOOKS = 3.0  # seconds after which a worker looks whether what it measures was cancelled, when it had nothing to write before
GOES_ON = 10.0  # seconds after which a task takes no further runs: a worker that is asked to stop does not go on for long


def work_light(*, worker: str, serves: Sequence[str] = (), after: Callable[[], None] | None = None) -> bool:
    """Run light collectors in the order of turns, those of one submission together in one child process.

    Goes on for some seconds and then gives the slot back. Returns whether it found nothing more to do. `serves`: every queue
    the worker takes messages from; while it measures it is noted as present on all of them. `after`: called after each batch.
    """
    queues = {"gates", *serves}
    return _work(lambda: claim_next_light(worker=worker), worker, queues, after)


def work_heavy(*, worker: str, serves: Sequence[str] = (), after: Callable[[], None] | None = None) -> bool:
    """Run heavy collectors in the order of turns, one at a time; otherwise as `work_light`.

    A worker that takes light ones as well holds few heavy ones at a time: so light ones do not wait behind SHAP.
    """
    most = settings.GATE_HEAVY_BESIDE_LIGHT if "gates" in serves else None
    return _work(lambda: claim_next_heavy(worker=worker, most=most), worker, {"gates.heavy", *serves}, after)


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


def _work(
    claim: Callable[[], list[Claim]], worker: str, queues: Collection[str], after: Callable[[], None] | None = None
) -> bool:
    until = time.monotonic() + GOES_ON
    while claims := claim():
        measure(claims, worker=worker, queues=queues)
        if after is not None:
            after()
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
        problem = not_runnable(claim)
        if problem:
            holding.add(Result(claim, failure=problem))
        elif (result := _without_evidence(claim)) is not None:
            holding.add(result)
        else:
            waiting[claim.collector] = claim
    try:
        while waiting:
            before = len(waiting)
            inputs = {name: inputs_of(claim) for name, claim in waiting.items()}
            try:
                for ran in sandbox.run(list(waiting), inputs, beat=holding.tick, told=holding.hear):
                    if ran.status is not sandbox.Status.NOT_RUN and ran.collector in waiting:
                        holding.add(_result(waiting.pop(ran.collector), ran))
                    holding.tick()
            except _Dropped:
                log.info("“%s” was cancelled or taken over, its child is stopped: run %s", holding.busy, waiting[holding.busy].id)
                holding.busy = ""
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


class _Dropped(Exception):
    """The run being measured was cancelled or taken over; others of the batch are still held."""


@dataclass
class _Holding:
    """The claims a batch still holds, what is being measured now, and results not handed in yet.

    Quick results are stored together in one transaction; none waits longer than about a second. What a collector says it is
    doing is written about once a second at most.
    """

    claims: list[Claim]
    worker: str
    queues: Collection[str]
    held: set[int] = field(default_factory=set)
    results: list[Result] = field(default_factory=list)
    busy: str = ""
    _doing: Doing | None = None
    _told: float = field(default_factory=time.monotonic)
    _renewed: float = field(default_factory=time.monotonic)
    _handed_in: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.held = {claim.id for claim in self.claims}

    def add(self, result: Result) -> None:
        self.results.append(result)
        if result.claim.collector == self.busy:
            self.busy, self._doing = "", None

    def hear(self, collector: str, doing: Doing) -> None:
        """What a collector says it is doing: kept, and written with a later tick."""
        self.busy, self._doing = collector, doing if doing.says else Doing("measuring")  # it has begun and said nothing yet

    def tick(self) -> None:
        """Hand in what is ready, write what is being done, renew the leases when it is time.

        Raises _NothingHeld when nothing is left to do, _Dropped when what is being measured is not wanted any more.
        """
        now = time.monotonic()
        if self.results and now - self._handed_in >= 1.0:
            self.hand_in()
        if self._doing is not None and now - self._told >= 0.9:  # beats come every second, now and then a little early
            self._tell(now)
        if now - self._renewed >= min(settings.GATE_LEASE_SECONDS / 3, LOOKS):
            self._renew()

    def _tell(self, now: float) -> None:
        claim = next((claim for claim in self.claims if claim.collector == self.busy), None)
        doing, self._doing, self._told = self._doing, None, now
        if claim is None or doing is None:
            return
        try:
            held = note_doing(claim, doing)
        except (OperationalError, InterfaceError):
            connection.close()
            return
        if not held:
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
        busy = next((claim for claim in self.claims if claim.collector == self.busy), None)
        if busy is not None and busy.id not in kept:
            raise _Dropped


def not_runnable(claim: Claim) -> str:
    """Why this worker cannot run what was planned, or "": another version, another plug-in, a file that is not here."""
    if claim.collector not in registry.collectors():
        return f"This worker knows no collector “{claim.collector}”: it runs another version of Guiderail than the web server."
    here = registry.collector(claim.collector).plugin
    if claim.inputs.get("plugin") != (here.to_json() if here else None):
        planned = claim.inputs.get("plugin") or {}
        wanted = f"{planned['distribution']} {planned['version']}" if planned else "Guiderail itself"
        return (
            f"This run was planned with “{claim.collector}” of {wanted}; this worker has that of {here or 'Guiderail itself'}"
            f"{', with other files' if here and planned and str(here) == wanted else ''}. "
            "An administrator installs the same plug-in for web servers and workers."
        )
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
