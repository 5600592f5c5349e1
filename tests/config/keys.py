"""Every key that any section knows."""

from __future__ import annotations

import importlib
import pkgutil

import attrs

import dextwist.config


def all_keys() -> list[str]:
    """Their names, sorted."""
    found: set[str] = set()
    for module in pkgutil.iter_modules(dextwist.config.__path__):
        content = vars(importlib.import_module(f"dextwist.config.{module.name}"))
        for model in content.values():
            if isinstance(model, type) and attrs.has(model):
                found.update(
                    name
                    for field in attrs.fields(model)
                    if "key" in field.metadata
                    for name in field.metadata["key"].names
                )
    return sorted(found)
