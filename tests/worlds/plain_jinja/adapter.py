"""dbt's `adapter`, as far as macros need it when Jinja renders them without dbt.

sqlfluff renders that way (`library_path` in `.sqlfluff`).
"""

from collections.abc import Callable

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, name: str) -> Callable[..., str]:
    """The macro of this name that DuckDB has, or else the one for every engine.

    Raises:
        KeyError: there is neither.
    """
    for found in (context.get(f"duckdb__{name}"), context.get(f"default__{name}")):
        if found is not None:
            return found  # type: ignore[no-any-return]
    raise KeyError(f"expected a macro duckdb__{name} or default__{name}, found neither")
