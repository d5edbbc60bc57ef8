"""Shapes that answers about people's work share, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class ActionShape(serializers.Serializer[Any]):
    """Something the caller could do: available, or the reason why not."""

    action = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    details = serializers.CharField()
    available = serializers.BooleanField()
    why_not = serializers.CharField(allow_blank=True)
    danger = serializers.BooleanField()
