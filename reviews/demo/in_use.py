"""After a release: what a monitor reports, the finding and the incident that follow, and the first steps of the playbook."""

from __future__ import annotations

import numpy as np

from gates.metrics.drift_statistics_impl import bin_numbers
from gates.simulator.populations import Population, shop
from governance.domain.vocabulary import State
from governance.models import Submission
from governance.policy.monitoring import Reading
from governance.selectors.access import caller_for
from reviews.demo.cast import Cast
from reviews.models import Incident
from reviews.services.deploying import NewDeployment, report_deployment
from reviews.services.incidents import add_note, do_step
from reviews.services.monitoring import NewSignal, report_signal

SOURCE = "drift monitor of the shop"
ROWS = 8_800


def readings(reference: Population, seen: Population) -> tuple[Reading, ...]:
    """What a drift monitor sees: the stability index of each feature against the training data."""
    found = []
    for name in reference.features:
        before, now = (np.sort(each.frame[name].to_numpy(dtype=float)) for each in (reference, seen))
        found.append(Reading("psi", round(bin_numbers(before, now).psi, 4), name, n=len(now)))
    return tuple(found)


def watched(cast: Cast, released: Submission, training: Population) -> None:
    """The green retrain goes live. A first report is within its limits; after a campaign visitors are others than before.

    The high band opens the incident by itself; the platform engineer works through the first steps of its playbook.
    """
    if released.state != State.APPROVED:
        return
    pia, unit = caller_for(cast.people["pia"], origin="job"), released.unit_id
    system, version = released.system.slug, released.version.version
    report_deployment(caller=pia, unit_id=unit, new=NewDeployment(system=system, version=version, target="shop-serving"))
    weeks = (
        ("usual-week", shop(ROWS, seed=45), ""),
        ("campaign", shop(ROWS, seed=46, drift=0.8), "The campaign brought people back who had not been here for months."),
    )
    for key, visitors, note in weeks:
        seen = readings(training, visitors)
        signal = NewSignal(f"{system}-{key}", system, version, "drift", readings=seen, source=SOURCE, note=note)
        report_signal(caller=pia, unit_id=unit, new=signal)
    incident = Incident.objects.filter(submission=released, opened_by__isnull=True).order_by("-id").first()
    if incident is None:
        return
    do_step(
        caller=pia,
        incident_id=incident.pk,
        position=1,
        note="It keeps running: people who come back after months get popular products first, as they would without it.",
    )
    do_step(
        caller=pia,
        incident_id=incident.pk,
        position=2,
        note="The owner and the newsletter team know what the monitor saw, and that click rates mislead for now.",
    )
    add_note(caller=pia, incident_id=incident.pk, says="Who came by the campaign can be told by the landing page.")
