"""Links to model registries as administration shows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, F, Prefetch, Q

from governance.domain.errors import NotFound
from governance.domain.vocabulary import Kind, Role
from governance.models import Person, System
from governance.selectors.access import Caller, visible
from governance.selectors.administration import require_reading
from reviews.models import RegistryLink, RegistryVersion, RegistryWrite

MOST = 200
LATEST = 5


@dataclass(frozen=True)
class LinkRow:
    """A link, its newest versions, and what failed for good there."""

    link: RegistryLink
    versions: tuple[RegistryVersion, ...]
    failed: tuple[str, ...]

    @property
    def webhook(self) -> str:
        return f"{settings.PUBLIC_URL}/api/v1/mlflow/{self.link.server}/webhook"


def registry_links(caller: Caller) -> list[LinkRow]:
    """The links of the caller's units, the living first."""
    require_reading(caller)
    rows = visible(RegistryLink.objects.select_related("system", "unit", "acts_for"), caller)
    rows = rows.annotate(
        failures=Count("versions", filter=Q(versions__state="failed") | Q(versions__writes__state="failed"), distinct=True)
    ).prefetch_related(
        Prefetch("versions", RegistryVersion.objects.select_related("submission").order_by("-id")[:LATEST], to_attr="latest")
    )
    found = list(rows.order_by(F("ended_at").desc(nulls_first=True), "-id")[:MOST])
    return [LinkRow(row, tuple(row.latest), tuple(_failures(row)) if row.failures else ()) for row in found]


def registry_link(caller: Caller, pk: int) -> RegistryLink:
    """One of them. Raises `NotFound`."""
    require_reading(caller)
    found = visible(RegistryLink.objects.filter(pk=pk), caller).first()
    if found is None:
        raise NotFound("There is no such link in your business unit.")
    return found


def linkable(caller: Caller) -> tuple[list[System], list[Person]]:
    """Systems that can be linked, and people who may submit in the caller's units."""
    systems = visible(System.objects.select_related("unit").filter(kind=Kind.ML_MODEL), caller).order_by("slug")
    people = visible(Person.objects.filter(is_active=True, grants__role=Role.SUBMITTER), caller).order_by("last_name", "username")
    return list(systems[:MOST]), list(people.distinct()[:MOST])


def _failures(link: RegistryLink) -> list[str]:
    versions = RegistryVersion.objects.filter(link=link, state=RegistryVersion.FAILED).order_by("-id")[:LATEST]
    writes = RegistryWrite.objects.filter(about__link=link, state=RegistryWrite.FAILED).select_related("about").order_by("-id")
    said = [f"Version {row.version} was not opened: {row.problem}" for row in versions]
    return said + [f"{row.key} was not written to version {row.about.version}: {row.problem}" for row in writes[:LATEST]]
