"""Questions as pages show them: ids that error summaries can link to, chosen options, and Django forms made into questions."""

from __future__ import annotations

import pytest
from django import forms
from django.template.loader import render_to_string

from governance.ui.fields import FieldView, Option, errors_of, form_errors, from_bound

AB = (Option("a", "First", "the hint of a"), Option("b", "Second"))


def markup(field: FieldView) -> str:
    return render_to_string("components/_field.html", {"field": field})


class ExampleForm(forms.Form):
    name = forms.CharField(label="Name", max_length=5, help_text="At most five letters.")
    rate = forms.DecimalField(required=False)
    kind = forms.ChoiceField(choices=[("", "Choose"), ("a", "First")])
    many = forms.MultipleChoiceField(
        choices=[("a", "First"), ("b", "Second")], widget=forms.CheckboxSelectMultiple, required=False
    )
    text = forms.CharField(widget=forms.Textarea(attrs={"rows": 7}), required=False)
    sure = forms.BooleanField(label="I am sure")
    secret = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))

    def clean(self) -> None:
        raise forms.ValidationError("Both cannot be true.")


@pytest.mark.parametrize(
    "kind", ["text", "number", "textarea", "select", "radio", "yes_no", "checkboxes", "checkbox", "date", "file"]
)
def test_the_error_summary_leads_to_an_input(kind: str) -> None:
    field = FieldView("a.b", "Question?", kind, options=AB if kind in ("select", "radio", "checkboxes") else (), error="Mend it.")
    (item,) = errors_of([field, FieldView("c", "Fine?")])
    assert item.href == "#f-a-b"
    page = markup(field)
    assert page.count('id="f-a-b"') == 1
    assert 'id="f-a-b-error"' in page and "f-a-b-error" in page.split("aria-describedby=")[1]


def test_ids_are_unique_with_every_part_shown() -> None:
    page = markup(FieldView("x", "Q?", "radio", options=AB, hint="h", why="w", error="e", unknown=True))
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids)) == 8


def test_i_do_not_know_is_a_choice_of_its_own() -> None:
    radio = markup(FieldView("x", "Q?", "radio", options=AB, value="a", unknown=True, unknown_chosen=True))
    assert 'name="x" value="__unknown__" checked' in radio
    assert radio.count("checked") == 1
    number = markup(FieldView("x", "Q?", "number", value=12, unknown=True, unknown_chosen=True))
    assert 'name="x__unknown" value="1" checked' in number
    assert 'name="x" value=""' in number


@pytest.mark.parametrize(("value", "chosen"), [(True, "true"), (False, "false"), (None, None)])
def test_yes_and_no(value: bool | None, chosen: str | None) -> None:
    choices = FieldView("x", "Q?", "yes_no", value=value).choices
    assert [choice.option.value for choice in choices if choice.chosen] == ([chosen] if chosen else [])


def test_values_are_escaped() -> None:
    page = markup(FieldView("x", "<b>Q</b>", value='"><script>alert(1)</script>', hint="<i>", error="<u>"))
    assert "<script>" not in page and "<b>" not in page and "<i>" not in page and "<u>" not in page


def test_lists_and_zero_are_shown() -> None:
    assert FieldView("x", "Q?", value=["a", "b"]).text == "a, b"
    assert FieldView("x", "Q?", value=0).text == "0"
    assert FieldView("x", "Q?", value=None).text == ""


def test_a_django_form_becomes_questions() -> None:
    form = ExampleForm({"name": "toolong", "many": ["b"], "rate": "x", "text": "kept"})
    fields = {bound.name: from_bound(bound) for bound in form}
    assert [fields[name].kind for name in ("name", "rate", "kind", "many", "text", "sure", "secret")] == [
        "text",
        "number",
        "select",
        "checkboxes",
        "textarea",
        "checkbox",
        "password",
    ]
    assert fields["text"].rows == 7 and fields["text"].value == "kept"
    assert fields["name"].maxlength == "5" and fields["name"].hint == "At most five letters."
    assert [choice.chosen for choice in fields["many"].choices] == [False, True]
    assert fields["secret"].value == "" and fields["secret"].autocomplete == "current-password"
    assert fields["rate"].optional and not fields["name"].optional


def test_form_errors_name_the_question_and_come_in_page_order() -> None:
    items = form_errors(ExampleForm({"name": "", "kind": "zz", "sure": ""}))
    assert items[0].href == "" and items[0].text == "Both cannot be true."
    assert [item.href for item in items[1:]] == ["#f-name", "#f-kind", "#f-sure", "#f-secret"]
    assert items[1].text == "Fill in “Name”."
