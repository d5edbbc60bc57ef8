"""A question as a page shows it, whatever form or questionnaire it came from. `components/_field.html` renders it.

Build one by hand, or from a Django form with `from_bound` (in templates: `{{ form.email|field_view }}`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

UNKNOWN = "__unknown__"
"""Value of the choice "I do not know" of radios and selects; other kinds send `<name>__unknown=1`."""

GROUPED = frozenset({"radio", "yes_no", "checkboxes"})


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `hint` says what choosing it means."""

    value: str
    label: str
    hint: str = ""


YES_NO = (Option("true", "Yes"), Option("false", "No"))


@dataclass(frozen=True, slots=True)
class Choice:
    """An option as rendered: its element id and whether it is chosen."""

    option: Option
    html_id: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class FieldView:
    """One question.

    `kind`: text, number, textarea, select, radio, yes_no, checkboxes, checkbox, date, file, email, password, url.
    `label` is the question, `why` says why it is asked, `hint` how to answer, `error` what is wrong and how to mend it.
    `value`: text, number, bool, None, or a list for `checkboxes`. `unknown` offers "I do not know", `unknown_chosen` marks it.
    `provenance`: attributes for `_provenance_chip.html` (kind, origin, locator, assurance) or None. `learn`: address of
    the page that teaches. `large` shows the label as the heading of a question page.
    """

    name: str
    label: str
    kind: str = "text"
    value: Any = ""
    options: Sequence[Option] = ()
    why: str = ""
    hint: str = ""
    error: str = ""
    unknown: bool = False
    unknown_chosen: bool = False
    optional: bool = False
    provenance: Any = None
    learn: str = ""
    prefix: str = ""
    suffix: str = ""
    rows: int = 4
    inputmode: str = ""
    autocomplete: str = ""
    min: str = ""
    max: str = ""
    step: str = ""
    accept: str = ""
    maxlength: str = ""
    multiple: bool = False
    required: bool = False
    large: bool = False
    disabled: bool = False
    id: str = ""

    @property
    def html_id(self) -> str:
        """Id of the (first) input; an error summary links to it."""
        return self.id or "f-" + "".join(ch if ch.isalnum() else "-" for ch in self.name)

    @property
    def grouped(self) -> bool:
        """Whether it is several inputs under one legend."""
        return self.kind in GROUPED

    @property
    def described_by(self) -> str:
        """Ids of the sentences that belong to the input, error first."""
        parts = [("error", self.error), ("why", self.why), ("hint", self.hint)]
        return " ".join(f"{self.html_id}-{part}" for part, text in parts if text)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The options with ids and the chosen mark; the first input carries the id the error summary links to."""
        options = self.options or (YES_NO if self.kind == "yes_no" else ())
        chosen = _chosen(self.value)
        return tuple(
            Choice(
                option,
                self.html_id if index == 0 else f"{self.html_id}-{index}",
                option.value in chosen and not self.unknown_chosen,
            )
            for index, option in enumerate(options)
        )

    @property
    def text(self) -> str:
        """The value as an input shows it; unknown is empty."""
        if self.value is None or self.unknown_chosen:
            return ""
        if isinstance(self.value, list | tuple):
            return ", ".join(str(item) for item in self.value)
        return str(self.value)

    @property
    def checked(self) -> bool:
        """Whether a single checkbox is ticked."""
        return bool(self.value) and self.value not in ("false", "0")


@dataclass(frozen=True, slots=True)
class ErrorItem:
    """A line of the error summary: the address of the input and what to do about it."""

    href: str
    text: str


def errors_of(fields: Iterable[FieldView]) -> list[ErrorItem]:
    """The error summary for the given questions, in page order."""
    return [ErrorItem(f"#{field.html_id}", field.error) for field in fields if field.error]


def form_errors(form: forms.BaseForm) -> list[ErrorItem]:
    """The error summary of a Django form: its own errors first, then each field's."""
    items = [ErrorItem("", str(text)) for text in form.non_field_errors()]
    for bound in form.visible_fields():
        items += [ErrorItem(f"#{_bound_id(bound)}", text) for text in _sentences(bound)]
    for bound in form.hidden_fields():
        items += [ErrorItem("", f"{bound.label}: {text}") for text in _sentences(bound)]
    return items


def from_bound(bound: BoundField, **more: Any) -> FieldView:
    """A Django form field as a question. `more` sets what a Django field does not have (`why`, `large`, `provenance`)."""
    widget = bound.field.widget
    attrs = {
        key: str(value) for key, value in {**widget.attrs, **bound.build_widget_attrs({}, widget)}.items() if value is not True
    }
    extra = {
        key: attrs[key] for key in ("inputmode", "autocomplete", "min", "max", "step", "accept", "maxlength") if key in attrs
    }
    kind = _kind(widget)
    given: dict[str, Any] = {
        "name": bound.html_name,
        "label": str(bound.label or ""),
        "kind": kind,
        "value": "" if kind in ("password", "file") else bound.value(),
        "options": tuple(_options(bound)),
        "hint": str(bound.help_text or ""),
        "error": " ".join(_sentences(bound)),
        "required": bound.field.required,
        "optional": not bound.field.required and kind != "checkbox",
        "disabled": bound.field.disabled,
        "rows": int(attrs.get("rows", 4)),
        "multiple": getattr(widget, "allow_multiple_selected", False),
        "id": _bound_id(bound),
        **extra,
    }
    return FieldView(**{**given, **more})


def _bound_id(bound: BoundField) -> str:
    return "f-" + "".join(ch if ch.isalnum() else "-" for ch in bound.html_name)


def _sentences(bound: BoundField) -> list[str]:
    """A field's errors; an empty answer names the question, because Django's own sentence does not."""
    problems = bound.form.errors.as_data().get(bound.name, [])
    return [
        f"Fill in “{bound.label}”." if problem.code == "required" else str(text)
        for problem in problems
        for text in problem.messages
    ]


def _kind(widget: forms.Widget) -> str:
    if isinstance(widget, forms.CheckboxSelectMultiple):
        return "checkboxes"
    if isinstance(widget, forms.RadioSelect):
        return "radio"
    if isinstance(widget, forms.CheckboxInput):
        return "checkbox"
    if isinstance(widget, forms.Select):
        return "select"
    if isinstance(widget, forms.Textarea):
        return "textarea"
    if isinstance(widget, forms.DateInput):
        return "date"
    if isinstance(widget, forms.FileInput):
        return "file"
    return getattr(widget, "input_type", "text")


def _options(bound: BoundField) -> Iterable[Option]:
    for value, label in getattr(bound.field, "choices", ()):
        if isinstance(label, list | tuple):
            yield from (Option(str(inner), str(text)) for inner, text in label)
        else:
            yield Option("" if value is None else str(value), str(label))


def _chosen(value: Any) -> frozenset[str]:
    if value is None:
        return frozenset()
    if isinstance(value, bool):
        return frozenset({"true" if value else "false"})
    if isinstance(value, list | tuple | set | frozenset):
        return frozenset(str(item) for item in value)
    return frozenset({str(value)})
