"""Mappings inside of frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def frozen_mapping(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same mapping, which nobody can change any more."""
    return values if isinstance(values, MappingProxyType) else MappingProxyType(dict(values))
