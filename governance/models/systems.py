"""The inventory: systems, their immutable versions, and the registers that policy reads."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from governance.domain.vocabulary import KIND_NAME
from governance.models.people import Person, Unit


class System(models.Model):
    """Inventory entry for anything deployed."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="systems")
    slug = models.SlugField(max_length=100)
    name = models.CharField(max_length=160)
    kind = models.CharField(max_length=20)
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="systems")
    purpose = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "slug"], name="system_slug_unique_in_unit"),
            models.CheckConstraint(condition=models.Q(kind__regex=f"^{KIND_NAME.pattern}$"), name="system_kind_known"),
        ]

    def __str__(self) -> str:
        return self.slug


class SystemVersion(models.Model):
    """One immutable build."""

    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=100)
    artifact_digest = models.CharField(max_length=80, blank=True, db_index=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "version"], name="version_unique_in_system")]

    def __str__(self) -> str:
        return self.version


class DataSource(models.Model):
    """A registered data source or feature store. Only approved ones keep a submission off the red track."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="data_sources")
    name = models.CharField(max_length=300, help_text="URI or dataset name, as metadata spells it")
    is_feature_store = models.BooleanField(default=False)
    features = models.JSONField(default=list, blank=True)
    owner = models.CharField(max_length=120)
    approved = models.BooleanField(default=False)
    consent_basis = models.CharField(max_length=60, blank=True)
    holds_personal_data = models.BooleanField(default=False)
    refreshed_on = models.DateField(null=True, blank=True)
    purposes = models.JSONField(default=list, blank=True, help_text="decision domains the data may be used for")
    agreement_ends_on = models.DateField(null=True, blank=True, help_text="the last day on which the data may be used")
    licence = models.CharField(max_length=120, blank=True)
    retention_days = models.PositiveIntegerField(null=True, blank=True, help_text="how long a row may be kept")
    quality_rule = models.CharField(max_length=300, blank=True)
    consumer_rights = models.CharField(max_length=300, blank=True)
    region = models.CharField(max_length=60, blank=True)
    access_class = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "name"], name="source_name_unique_in_unit")]


class DataApproval(models.Model):
    """A data-governance approval to use personal data for a purpose, until a date."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="data_approvals")
    reference = models.CharField(max_length=60)
    purpose = models.CharField(max_length=300)
    sources = models.JSONField(default=list)
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="data_approvals")
    expires_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "reference"], name="approval_reference_unique_in_unit")]
