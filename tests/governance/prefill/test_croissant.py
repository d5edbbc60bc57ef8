"""Croissant: what a data set's description says becomes facts; what only a person can assure never does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from governance.prefill.reading import Reading
from tests.governance.prefill.looking import advice, errors, fact, values

Read = Callable[..., Reading]
BASE: dict[str, Any] = {"@context": {}, "@type": "Dataset", "conformsTo": "http://mlcommons.org/croissant/1.1", "name": "d"}


def test_a_data_set_with_its_responsible_ai_part(sample: Callable[[str], Reading]) -> None:
    reading = sample("croissant-1.0.json")
    assert reading.reader == "croissant"
    assert values(reading) == {
        "data.sources": ["https://data.acme.example/card-applications-2026"],
        "data.columns": ["income_eur", "age", "defaulted"],
        "data.snapshot_date": "2026-09-30",
        "data.contains_pii": True,
        "data.protected_attributes": ["sex", "age"],
    }
    assert fact(reading, "data.snapshot_date").locator == "rai:dataCollectionTimeframe[1]"
    assert errors(reading) == []
    assert [words.split(" (")[0] for words in advice(reading)] == [
        "rai:dataBiases: The data set names biases",
        "rai:dataLimitations[0]: The data set names limitations",
    ]


@pytest.mark.parametrize(
    "words",
    ["None", "No personal data.", "n/a", "The data does not contain names.", "Fully anonymised", "Names were removed",
     "Synthetic data", "Contains no e-mail addresses, but salaries"],
)  # fmt: skip
def test_a_file_gives_no_assurance(read: Read, words: str) -> None:
    reading = read("d.json", {**BASE, "rai:personalSensitiveInformation": words})
    assert values(reading) == {"data.sources": ["d"]}
    assert "A file cannot give that assurance" in advice(reading)[0]


def test_one_denial_does_not_undo_what_is_said(read: Read) -> None:
    reading = read("d.json", {**BASE, "personalSensitiveInformation": ["No names", {"@value": "Religion and income"}, 3]})
    found = values(reading)
    assert (found["data.contains_pii"], found["data.protected_attributes"]) == (True, ["religion"])
    assert fact(reading, "data.contains_pii").locator == "personalSensitiveInformation[1]"
    assert errors(reading)[0].startswith("personalSensitiveInformation[2]: ")


def test_no_date_of_publication_and_no_licence_is_a_fact(read: Read) -> None:
    reading = read("d.json", {**BASE, "datePublished": "2026-11-01", "license": "mit", "rai:dataUseCases": "all"})
    assert values(reading) == {"data.sources": ["d"]}


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("2024-05-01", "2024-05-01"),
        (["2024-05-01", "2023-01-01T10:00:00Z"], "2024-05-01"),
        ("2024-01-01/2024-06-30", "2024-06-30"),
        ("spring", None),
    ],
)
def test_the_end_of_the_collection_is_the_newest_day(read: Read, given: Any, day: str | None) -> None:
    reading = read("d.json", {**BASE, "rai:dataCollectionTimeframe": given})
    assert values(reading).get("data.snapshot_date") == day
    assert bool(errors(reading)) is (day is None)


def test_other_contexts_and_names_of_properties(read: Read) -> None:
    home = "http://mlcommons.org/croissant/"
    document = {
        "@context": {"cr": home}, "@type": ["sc:Dataset"], "@id": "data-7", "guiderail": {"data.consent_basis": "contract"},
        "cr:recordSet": {"cr:field": [{"@id": "r/zip", "sc:name": "zip"}, {"x": 1}]}, f"{home}RAI/dataSocialImpact": "Few.",
    }  # fmt: skip
    reading = read("d.json", document)
    assert values(reading) == {"data.sources": ["data-7"], "data.columns": ["zip"], "data.consent_basis": "contract"}
    assert fact(reading, "data.columns").locator == "cr:recordSet[].field"
    assert errors(reading) == ["cr:recordSet[0].cr:field[1]: This field has neither a name nor a column. Name it."]
    assert 'social impacts ("Few.")' in advice(reading)[0]


def test_other_json_ld_is_not_taken(read: Read) -> None:
    assert read("d.json", {"@context": "https://schema.org", "@type": "Dataset", "name": "d"}).reader is None
    assert read("d.json", {**BASE, "@type": "Person"}).reader is None
    assert "neither url nor name" in errors(read("d.json", {**BASE, "name": " "}))[0]
