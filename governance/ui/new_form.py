"""The first question page: which version goes where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from governance.domain.vocabulary import Kind
from governance.selectors.policy import InstalledKind

MAX_FILES = 40


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFiles(forms.FileField):
    """Any number of files, none included."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        if not data:
            return []
        uploads = data if isinstance(data, list | tuple) else [data]
        if len(uploads) > MAX_FILES:
            raise forms.ValidationError(f"Choose up to {MAX_FILES} files.")
        return [super(ManyFiles, self).clean(upload, initial) for upload in uploads]


class NewForm(forms.Form):
    """System, version, environment and the metadata files."""

    system = forms.CharField(
        max_length=100,
        label="Which system is it a version of?",
        help_text="Its short name, as in the inventory: small letters, digits and dashes, for example credit-default.",
        validators=[
            RegexValidator(r"^[a-z0-9][a-z0-9._-]*$", "Use small letters, digits and dashes only, for example credit-default.")
        ],
        error_messages={"required": "Give the short name of the system, for example credit-default."},
    )
    kind = forms.ChoiceField(
        label="What is it?",
        help_text="It decides which questions are asked, which gates run and who reviews.",
    )
    version = forms.CharField(
        max_length=100,
        label="Which version?",
        help_text="As your registry names it, for example 2.3.0.",
        error_messages={"required": "Give the version, for example 2.3.0."},
    )
    environment = forms.ChoiceField(
        label="Where should it go?", choices=[("production", "Production"), ("staging", "Staging")], initial="production"
    )
    files = ManyFiles(  # type: ignore[assignment]  # the stubs see BaseForm.files; Django takes fields out of the class
        required=False,
        label="Which files describe it?",
        help_text="What your tools write already, such as an MLmodel, a run or a model card; for applications and pipelines a "
        "pull request, a scan or lineage events. What they say is not asked again.",
    )

    def __init__(self, *args: Any, kinds: Sequence[InstalledKind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(each.kind, each.title) for each in kinds]  # type: ignore[attr-defined]

    def clean_kind(self) -> Kind:
        """One of those offered."""
        return Kind(self.cleaned_data["kind"])
