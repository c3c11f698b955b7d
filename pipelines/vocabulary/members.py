"""Finds what the modules of a package define under one name, so that nobody keeps a list."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any


def members(package: ModuleType, name: str) -> dict[str, Any]:
    """The value of `name` in each module of a package that defines it, by module name.

    The modules are listed in alphabetical order. A dialect, a format or a check is added by adding
    one file that defines the name.

    Args:
        package: the package whose modules are imported. It is searched one level deep.
        name: the name to look for, such as `FORMAT`.
    """
    found = {}
    for module in sorted(iter_modules(package.__path__), key=lambda each: each.name):
        inner = import_module(f"{package.__name__}.{module.name}")
        if hasattr(inner, name):
            found[module.name] = getattr(inner, name)
    return found
