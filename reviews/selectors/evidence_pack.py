"""Everything about one decision as a zip archive, for those who look at it outside Guiderail.

The dossier is in it byte for byte as its digest was taken of, so whoever holds the archive can check the digest that people
signed. The evidence files themselves stay where they are; the dossier names each by its sha256.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from django.db import transaction
from django.db.models import Q

from gates.models import Chart
from gates.selectors.chart_table import chart_csv
from governance.domain.canonical import canonical_json
from governance.domain.decision import DecisionView
from governance.domain.decision_json import to_json
from governance.models import AuditEvent, MetadataSource, PolicyPack
from governance.policy.documents import as_markdown
from governance.selectors.access import Caller
from reviews.models import Permit, SignOff
from reviews.selectors.alerts import alerts_document
from reviews.selectors.decision_view import view_of
from reviews.selectors.documents import generate, material_of, templates_for
from reviews.selectors.dossier import dossier_from
from reviews.selectors.exposure_view import exposure_document
from reviews.selectors.lineage import lineage, to_document
from reviews.selectors.loading import Loaded, load
from reviews.selectors.verdict import verdict_document

_NAME = re.compile(r"[^A-Za-z0-9._-]|^\.+")
_README = """\
Guiderail evidence pack of {number} ({system} {version} for {environment}), revision {revision}.

dossier.json    what decisions were made on, in canonical form (RFC 8785). Its SHA-256 is the dossier digest:
                {digest}
                Every signature in decision.json names the digest it was given on; an earlier revision has another one.
decision.json   the whole decision view: track and reasons, answers with their origin, gates, findings, steps, signatures, permit
verdict.json    what a pipeline is told
policy/         the policy pack that judged it, as it was
sources/        the metadata files as they were sent: model card, MLmodel, run
lineage.json    from raw source to deployment, by digest
documents/      model card, risk assessment, regulatory mapping and lineage as Markdown, made from the files above
alerts.json     what monitors reported about this version in use, and its incidents
exposure.json   requests to let it go to more traffic or people: what was asked, seen and decided, each seen under its digest
audit.jsonl     the events about it. leaf = SHA-256(0x00 + payload); `manage.py audit verify` recomputes the whole chain
charts/         each picture, and its numbers as CSV
manifest.json   the SHA-256 of every file here

Evidence files are not in it: dossier.json names each by its SHA-256, and the evidence store keeps them under that name.
"""


_READERS = frozenset({"actions", "your_step", "may_declare", "learning"})


def write_pack(caller: Caller, submission_id: int, to: IO[bytes]) -> str:
    """Write the archive to `to` and return the file name. Raises `NotFound` for what the caller may not see."""
    # one reading, so that view and dossier speak of the same moment
    with transaction.atomic():
        loaded = load(caller=caller, submission_id=submission_id)
        view = view_of(loaded, caller)
    manifest: dict[str, str] = {}
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:

        def put(name: str, content: bytes) -> None:
            # one fixed time, so that the same case gives the same bytes
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
            manifest[name] = hashlib.sha256(content).hexdigest()

        for name, content in _files(caller, loaded, view):
            put(name, content)
        put(
            "manifest.json",
            _json({"schema": "guiderail/evidence-pack/1", "submission": view.submission, "files": dict(manifest)}),
        )
    return f"guiderail-{view.submission}-r{view.revision}.zip"


def _files(caller: Caller, loaded: Loaded, view: DecisionView) -> Iterator[tuple[str, bytes]]:
    submission, material = loaded.submission, loaded.material
    dossier = dossier_from(material)
    yield (
        "README.txt",
        _README.format(
            number=view.submission,
            system=view.system,
            version=view.version,
            environment=view.environment,
            revision=view.revision,
            digest=dossier.digest,
        ).encode(),
    )
    yield "dossier.json", canonical_json(dossier.content)
    # what the reader may do is no part of the record
    yield "decision.json", _json({name: value for name, value in to_json(view).items() if name not in _READERS})
    yield "verdict.json", _json(verdict_document(view))
    found = lineage(caller, submission.pk)
    yield "lineage.json", _json(to_document(found))
    made_of = material_of(view, found)
    for template in templates_for(view.kind):
        yield f"documents/{template.slug}.md", as_markdown(generate(template, made_of)).encode()
    yield "alerts.json", _json(alerts_document(submission.pk))
    yield "exposure.json", _json(exposure_document(submission.pk))
    for source in MetadataSource.objects.filter(submission=submission).order_by("id"):
        yield f"sources/{source.pk}-{_NAME.sub('_', source.name)[-80:]}", bytes(source.content)
    if material.decision is not None:
        pack = PolicyPack.objects.get(pk=material.decision.policy_id)
        yield f"policy/{pack.digest.removeprefix('sha256:')[:16]}.yaml", pack.source.encode()
    yield "audit.jsonl", b"".join(_events(submission.pk))
    charts = Chart.objects.filter(submission=submission, run__revision=submission.revision, run__current=True)
    for chart in charts.select_related("run").order_by("run__collector", "id").iterator(20):
        stem = f"charts/{chart.run.collector}-{chart.pk}"
        if chart.svg_light:
            yield f"{stem}.svg", chart.svg_light.encode()
        yield f"{stem}.csv", chart_csv(chart).encode()


def _events(submission_id: int) -> Iterator[bytes]:
    """The events about the submission, its signatures and its permits, in the order of the chain."""
    about = Q(object=f"submission:{submission_id}")
    for model, name in ((SignOff, "signoff"), (Permit, "permit")):
        keys = [f"{name}:{pk}" for pk in model._default_manager.filter(submission_id=submission_id).values_list("pk", flat=True)]
        about |= Q(object__in=keys)
    for event in AuditEvent.objects.filter(about).order_by("seq").iterator(500):
        row = {"seq": event.seq, "payload": event.payload, "leaf": bytes(event.leaf).hex(), "chain": bytes(event.chain).hex()}
        yield _json(row, indent=None) + b"\n"


def _json(content: Any, indent: int | None = 1) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=indent, sort_keys=True).encode()
