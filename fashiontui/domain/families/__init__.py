"""Every family, one file each: what a file here calls ``FAMILY`` is one."""

import pkgutil
from importlib import import_module

from fashiontui.domain.family import Family


def _order(family: Family) -> tuple[float, str]:
    """The report's families as its tables come, then the others by name."""
    return (family.report.table if family.report else float("inf"), family.name)


_FOUND: list[Family] = [
    import_module(f"{__name__}.{module.name}").FAMILY for module in pkgutil.iter_modules(__path__)
]
FAMILIES: dict[str, Family] = {family.name: family for family in sorted(_FOUND, key=_order)}
"""Families by name."""
