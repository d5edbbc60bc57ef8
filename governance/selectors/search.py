"""Full-text search over submissions, by GIN index; language-neutral because names are not prose."""

from __future__ import annotations

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Value


def search_vector(text: str) -> SearchVector:
    """What is stored with a submission."""
    return SearchVector(Value(text.replace("-", " ").replace("_", " ") + " " + text), config="simple")


def search_query(words: str) -> SearchQuery:
    """What a person typed, each word as a prefix-free term."""
    return SearchQuery(words.replace("-", " ").replace("_", " "), config="simple", search_type="websearch")
