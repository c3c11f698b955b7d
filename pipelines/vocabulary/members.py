"""Members: what the modules of a package offer under one name, so that no list is kept by hand."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any


def members(package: ModuleType, name: str) -> dict[str, Any]:
    """The attribute `name` of each module of a package that has it, by the module's name.

    A module takes part by defining the name. So a dialect, a format, a check or a command is added
    by adding one file.
    """
    found = {}
    for module in sorted(iter_modules(package.__path__), key=lambda each: each.name):
        inner = import_module(f"{package.__name__}.{module.name}")
        if hasattr(inner, name):
            found[module.name] = getattr(inner, name)
    return found
