"""Query parameters: those that an operation has, and no others."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from fastapi.dependencies.models import Dependant

from quickshop.entrypoints.http.problems import FieldProblem, ProblemError, default_reason


def parameters_of(dependant: Dependant) -> frozenset[str]:
    """What a route, and all that it depends on, read from the query.

    Raises:
        LookupError: a model is read from it, of which only the framework knows the parameters.
    """
    found = set[str]()
    for each in dependant.query_params:
        if isinstance(each.field_info.annotation, type) and hasattr(
            each.field_info.annotation, "model_fields"
        ):
            raise LookupError(f"{each.name} is a model: declare each parameter of the query")
        found.add(each.alias)
    return frozenset(found.union(*map(parameters_of, dependant.dependencies)))


def only(known: frozenset[str]) -> Callable[[Request], None]:
    """What refuses a request with another parameter, whose sender means something by it.

    Otherwise a misspelt `dry_run` would be no dry run.
    """
    there_are = f"there are: {', '.join(sorted(known))}" if known else "there are none"
    detail = f"holds a parameter that is not known here; {there_are}"

    def require(request: Request) -> None:
        if request.scope["query_string"] and not known.issuperset(request.query_params):
            wrong = FieldProblem(pointer="query", code="extra_forbidden", detail=detail)
            raise ProblemError(422, *default_reason(422), errors=[wrong])

    return require
