"""Bringing what exists: a new submission, its files, its evidence, its task list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from governance.domain.errors import Conflict, DomainError, InvalidInput, NotFound
from governance.domain.incoming import NewEvidence, NewSource, NewSubmission
from governance.domain.vocabulary import EDITABLE_STATES, EvidenceRole, Kind, State
from governance.models import Submission, System
from governance.prefill.reading import readable
from governance.selectors.access import Caller, visible
from governance.selectors.drafts import Draft, draft_of
from governance.selectors.evidence import MAX_SOURCE_BYTES, columns_named_before
from governance.selectors.policy import installed_kinds
from governance.services.drafts import (
    add_source,
    attach_evidence,
    changing,
    detach_evidence,
    remove_source,
)
from governance.services.evidence import store_evidence
from governance.services.opening import open_draft
from governance.ui.draft_context import evidence_rows, frame
from governance.ui.fields import FieldView, Option
from governance.ui.new_form import NewForm


def caller_of(request: HttpRequest) -> Caller:
    """The signed-in caller that the sign-in middleware attached."""
    caller: Caller = request.caller  # type: ignore[attr-defined]
    return caller


@require_http_methods(["GET", "POST"])
def new_submission(request: HttpRequest) -> HttpResponse:
    """Step one: which version goes where, and the files that already describe it."""
    caller = caller_of(request)
    # programs that knew models only send no kind
    given = {"kind": Kind.ML_MODEL.value, **request.POST.dict()} if request.method == "POST" else None
    form = NewForm(given, request.FILES or None, kinds=installed_kinds(), initial={"kind": Kind.ML_MODEL})
    problem = ""
    if request.method == "POST" and form.is_valid():
        try:
            submission = _open(caller, form)
        except DomainError as exc:
            problem = exc.detail
        else:
            return redirect("draft_tasks", submission.pk)
    systems = visible(System.objects.all(), caller).order_by("slug").values_list("slug", flat=True)[:500]
    context = {
        "form": form,
        "problem": problem,
        "systems": systems,
        "max_mib": MAX_SOURCE_BYTES // 1024**2,
        "readable": readable(),
    }
    return render(request, "governance/new_submission.html", context, status=422 if form.errors or problem else 200)


def _open(caller: Caller, form: NewForm) -> Submission:
    if caller.home_unit is None:
        raise InvalidInput("You belong to no business unit yet. Ask an administrator to add you to one.")
    new = NewSubmission(
        system=form.cleaned_data["system"],
        kind=form.cleaned_data["kind"],
        version=form.cleaned_data["version"],
        environment=form.cleaned_data["environment"],
        sources=tuple(NewSource(file.name or "file", _bounded(file)) for file in form.cleaned_data["files"]),
    )
    return open_draft(caller=caller, unit_id=caller.home_unit, new=new)


@require_GET
def tasks(request: HttpRequest, pk: int) -> HttpResponse:
    """The task list of a draft: what is done, what is left, and the track so far."""
    draft = draft_of(caller=caller_of(request), submission_id=pk)
    return render(
        request,
        "governance/draft_tasks.html",
        {**frame(draft), "tasks": _tasks(draft), "left": sum(not s.answered for s in draft.states)},
    )


@require_http_methods(["GET", "POST"])
def files(request: HttpRequest, pk: int) -> HttpResponse:
    """Metadata files: what each reader found, and what it could not read."""
    caller = caller_of(request)
    problem = ""
    if request.method == "POST":
        uploads = request.FILES.getlist("files")
        if not uploads:
            problem = "Choose at least one file, then add it."
        for upload in uploads:
            try:
                with changing(caller, pk) as (work, submission):
                    add_source(work, submission, NewSource(upload.name or "file", _bounded(upload)))
            except InvalidInput as exc:
                problem = exc.detail
        if not problem:
            messages.success(request, f"Read {len(uploads)} file{'s' if len(uploads) != 1 else ''}. Check what was found.")
            return redirect("draft_files", pk)
    draft = draft_of(caller=caller, submission_id=pk)
    field = FieldView(
        name="files",
        label="Add files",
        kind="file",
        multiple=True,
        error=problem,
        hint="What your tools write already, such as an MLmodel, a run, a model card or a validation result.",
    )
    sources = list(draft.submission.sources.all())
    context = {**frame(draft), "field": field, "fields": [field], "sources": sources, "readable": readable()}
    return render(request, "governance/draft_files.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
def drop_file(request: HttpRequest, pk: int, source_id: int) -> HttpResponse:
    """Take a metadata file out, after asking."""
    if request.method == "GET":
        draft = draft_of(caller=caller_of(request), submission_id=pk)
        row = next((source for source in draft.sources if source.pk == source_id), None)
        if row is None:
            raise NotFound("That file is no longer part of this submission.")
        text = (
            f"Its {len(row.facts)} facts leave the questionnaire, and what was confirmed from it is open again. "
            "You can add the file again as long as this is not handed in."
        )
        return _ask(request, draft, f"Take out {row.name}?", text, reverse("draft_files", args=[pk]))
    with changing(caller_of(request), pk) as (work, submission):
        remove_source(work, submission, source_id)
    messages.success(request, "The file was taken out.")
    return redirect("draft_files", pk)


@require_http_methods(["GET", "POST"])
def evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """Evaluation data, samples and models, each in a role, with the columns that matter."""
    caller = caller_of(request)
    fields: list[FieldView] = []
    if request.method == "POST":
        fields = _evidence_fields(request)
        if not any(field.error for field in fields):
            try:
                _attach(caller, pk, request)
            except InvalidInput as exc:
                fields[1] = FieldView(name="file", label="File", kind="file", error=exc.detail)
            else:
                messages.success(request, "The evidence is attached.")
                return redirect("draft_evidence", pk)
    draft = draft_of(caller=caller, submission_id=pk)
    wrong = any(field.error for field in fields)
    asked = request.GET.get("role", "")
    named, origin = columns_named_before(draft.submission, EvidenceRole(asked)) if asked in set(EvidenceRole) else ({}, "")
    context = {
        **frame(draft),
        "fields": fields or _evidence_fields(request, named),
        "rows": evidence_rows(draft),
        "columns_from": "" if fields else origin,
    }
    return render(request, "governance/draft_evidence.html", context, status=422 if wrong else 200)


@require_http_methods(["GET", "POST"])
def drop_evidence(request: HttpRequest, pk: int, role: str) -> HttpResponse:
    """Take the evidence of a role out, after asking."""
    if role not in set(EvidenceRole):
        raise InvalidInput(f"“{role}” is not a role of evidence.")
    if request.method == "GET":
        draft = draft_of(caller=caller_of(request), submission_id=pk)
        item = next((item for item in draft.evidence if item.role == role), None)
        if item is None:
            raise NotFound(f"No {role.replace('_', ' ')} is attached.")
        text = (
            "The gates that measure on it cannot be assessed without it, and the columns you named are forgotten. "
            "You can attach the file again as long as this is not handed in."
        )
        title = f"Take out {item.file.name} ({role.replace('_', ' ')})?"
        return _ask(request, draft, title, text, reverse("draft_evidence", args=[pk]))
    with changing(caller_of(request), pk) as (work, submission):
        detach_evidence(work, submission, EvidenceRole(role))
    messages.success(request, "The evidence was taken out.")
    return redirect("draft_evidence", pk)


def _ask(request: HttpRequest, draft: Draft, title: str, text: str, back: str) -> HttpResponse:
    """The page that asks before something is taken out. Raises `Conflict` where nothing can be changed any more."""
    if State(draft.submission.state) not in EDITABLE_STATES:
        raise Conflict(f"{draft.submission.number} is frozen, so nothing can be taken out of it.", code="frozen")
    context = {**frame(draft), "title": title, "text": text, "action": request.path, "cancel_href": back}
    return render(request, "governance/draft_take_out.html", context)


def _attach(caller: Caller, pk: int, request: HttpRequest) -> None:
    upload = request.FILES.get("file")
    if not isinstance(upload, UploadedFile):
        raise InvalidInput("Choose a file.")
    with changing(caller, pk) as (_, submission):
        unit_id = submission.unit_id
    file, _ = store_evidence(
        caller=caller,
        unit_id=unit_id,
        name=upload.name or "evidence",
        media_type=upload.content_type or "application/octet-stream",
        chunks=upload.chunks(),
    )
    columns: dict[str, Any] = {}
    for key in ("label", "prediction", "score", "id", "weight", "time"):
        if text := request.POST.get(f"column_{key}", "").strip():
            columns[key] = text
    for key in ("sensitive", "segments"):
        if names := [part.strip() for part in request.POST.get(f"column_{key}", "").split(",") if part.strip()]:
            columns[key] = names
    with changing(caller, pk) as (work, submission):
        attach_evidence(
            work,
            submission,
            NewEvidence(EvidenceRole(request.POST["role"]), file.sha256, columns, request.POST.get("format", "")),
        )


def _evidence_fields(request: HttpRequest, named: Mapping[str, Any] | None = None) -> list[FieldView]:
    """The questions about a file; errors only for what was sent. `?role=` says what the file is for.

    `named`: columns as they were named before, to start from.
    """
    start = {key: value if isinstance(value, str) else ", ".join(map(str, value)) for key, value in (named or {}).items()}
    sent, posted = request.POST, request.method == "POST"
    roles = [Option(role.value, role.value.replace("_", " ").capitalize()) for role in EvidenceRole]
    role_error = "Choose what the file is for." if posted and sent.get("role") not in set(EvidenceRole) else ""
    file_error = "Choose a file." if posted and not isinstance(request.FILES.get("file"), UploadedFile) else ""
    asked = request.GET.get("role", "")
    texts = [
        ("label", "Column with the true label", "0 and 1; leave empty for samples and models"),
        ("prediction", "Column with the decision", "0 and 1"),
        ("score", "Column with the score", "probability between 0 and 1"),
        ("id", "Column with the row key", "the same key in the candidate's and the champion's file"),
        ("weight", "Column with row weights", "only when rows are weighted"),
        ("sensitive", "Columns with protected attributes", "separated by commas, for example: sex, age_band"),
        ("segments", "Columns that split the cases", "parts in which performance is looked at, for example: region, channel"),
        ("time", "Column with the time", "so that performance is looked at by month or week"),
    ]
    return [
        FieldView(
            name="role",
            label="What is the file for?",
            kind="select",
            options=[Option("", "Choose…"), *roles],
            value=sent.get("role", asked),
            error=role_error,
        ),
        FieldView(
            name="file",
            label="File",
            kind="file",
            hint="Parquet or CSV for data; ONNX, XGBoost (UBJ or JSON), LightGBM text or skops for models; "
            "JSON or YAML for cost reports and experiments. No pickle: it can run code.",
            error=file_error,
        ),
        *(
            FieldView(name=name, label=label, hint=hint, value=sent.get(name, start.get(key, "")), optional=True)
            for name, key, label, hint in ((f"column_{key}", key, label, hint) for key, label, hint in texts)
        ),
    ]


def _tasks(draft: Draft) -> list[dict[str, str]]:
    pk = draft.submission.pk
    odd = sum(not source.reader for source in draft.sources)
    read = f"{len(draft.sources) - odd} read, {draft.preview_count} questions filled from them"
    found = [
        {
            "title": "Bring files",
            "href": reverse("draft_files", args=[pk]),
            "hint": f"{read}; {odd} not recognised: data and models are evidence" if odd else read,
            "state": "done" if draft.sources else "todo",
        }
    ]
    for topic in draft.topics:
        left = topic.left
        unseen = any(state.answer is None and state.shown is not None for state in topic.questions)
        todo = f", {left} to fill in" if left else ", please confirm" if unseen else ""
        found.append(
            {
                "title": topic.title,
                "href": reverse("draft_topic", args=[pk, topic.slug]),
                "hint": f"{topic.filled} of {topic.total} answered{todo}",
                "state": "done" if not left else "partly" if topic.filled else "todo",
            }
        )
    lacking = len(draft.missing_evidence)
    found.append(
        {
            "title": "Evidence",
            "href": reverse("draft_evidence", args=[pk]),
            "hint": f"{lacking} file{'s' if lacking != 1 else ''} still needed by the gates"
            if lacking
            else "everything the gates need is here",
            "state": "partly" if lacking and draft.evidence else "todo" if lacking else "done",
        }
    )
    found.append(
        {"title": "Check your answers and submit", "href": reverse("draft_check", args=[pk]), "hint": "", "state": "todo"}
    )
    return found


def _bounded(upload: UploadedFile[Any]) -> bytes:
    """The bytes of a metadata upload, refused before they are read when too many."""
    if (upload.size or 0) > MAX_SOURCE_BYTES:
        raise InvalidInput(
            f"{upload.name} has {(upload.size or 0) / 1024**2:.1f} MiB; "
            f"metadata files have up to {MAX_SOURCE_BYTES // 1024**2} MiB. "
            "Data belongs into the evidence step."
        )
    return bytes(upload.read())
