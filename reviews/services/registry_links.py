"""Which system is which registered model: linked and unlinked by administrators who have just proved who they are."""

from __future__ import annotations

import re
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError
from django.db.models.functions import Now

from governance.domain.errors import Conflict, FieldError, InvalidInput
from governance.domain.vocabulary import Role
from governance.models import Person, System
from governance.selectors.access import Caller, caller_for
from governance.services.administration import require_administrator
from governance.services.work import unit_of_work
from reviews.models import RegistryLink, RegistryVersion

# MLflow refuses these names itself; the quote would end the name in a search
_MODEL = re.compile(r"[^/:'\"\x00-\x1f]{1,256}")
_ALIAS = re.compile(r"(?!v\d+$|latest$)[A-Za-z][A-Za-z0-9_-]{0,99}", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


def link_model(
    *,
    caller: Caller,
    server: str,
    model: str,
    system: System,
    environment: str,
    alias: str,
    acts_for: Person,
    proved_at: datetime | None = None,
) -> RegistryLink:
    """Link a registered model to a system: new versions become drafts of `acts_for`, and the state is written back.

    Raises `InvalidInput` naming the field, `Conflict` when that model has a link for the environment already, `Forbidden`,
    `ReauthenticationNeeded`.
    """
    require_administrator(caller, system.unit_id, proved_at)
    model, alias = model.strip(), alias.strip()
    wrong = []
    if server not in settings.MLFLOW_SERVERS:
        wrong.append(FieldError("/server", "unknown", "One of the servers in GUIDERAIL_MLFLOW_SERVERS."))
    if not _MODEL.fullmatch(model):
        wrong.append(FieldError("/model", "invalid", "The registered model's name, as MLflow shows it."))
    if not _ENVIRONMENT.fullmatch(environment):
        wrong.append(FieldError("/environment", "invalid", "Such as production."))
    if alias and not _ALIAS.fullmatch(alias):
        wrong.append(FieldError("/alias", "invalid", "Letters, digits, dashes, such as champion; not latest, not v1."))
    if not acts_for.is_active or Role.SUBMITTER not in caller_for(acts_for).roles_in(system.unit_id):
        wrong.append(FieldError("/acts_for", "role_needed", f"Somebody who may submit in {system.unit.name}."))
    if wrong:
        raise InvalidInput("The model was not linked: " + " ".join(each.detail for each in wrong), errors=tuple(wrong))
    try:
        with unit_of_work(caller) as work:
            link = RegistryLink.objects.create(
                unit_id=system.unit_id,
                system=system,
                server=server,
                model=model,
                environment=environment,
                alias=alias,
                acts_for=acts_for,
                created_by=caller.person,
            )
            said = {"server": server, "model": model, "system": system.slug, "environment": environment, "alias": alias}
            work.note("registry.linked", link, {**said, "acts_for": acts_for.reference})
    except IntegrityError as exc:
        raise Conflict(f"{model} is linked for {environment} already. Unlink it first.", code="linked_already") from exc
    return link


def unlink_model(*, caller: Caller, link: RegistryLink, proved_at: datetime | None = None) -> None:
    """End a link: nothing is opened any more, nothing is written back. What was seen and what is barred stays."""
    require_administrator(caller, link.unit_id, proved_at)
    with unit_of_work(caller) as work:
        if RegistryLink.objects.filter(pk=link.pk, ended_at__isnull=True).update(ended_at=Now()):
            work.note("registry.unlinked", link)


def try_again(*, caller: Caller, link: RegistryLink, proved_at: datetime | None = None) -> int:
    """Take up again what failed for good: versions that could not be opened and writes that were not taken. Returns how many."""
    require_administrator(caller, link.unit_id, proved_at)
    with unit_of_work(caller) as work:
        versions = RegistryVersion.objects.filter(link=link, state=RegistryVersion.FAILED)
        opened = versions.update(state=RegistryVersion.DUE, attempts=0, not_before=Now())
        writes = 0
        for row in RegistryVersion.objects.filter(link=link, writes__state="failed").distinct():
            writes += row.writes.filter(state="failed").update(state="due", attempts=0, not_before=Now())
        if opened or writes:
            work.note("registry.tried_again", link, {"versions": opened, "writes": writes})
        work.enqueue("reviews.registries")
    return opened + writes
