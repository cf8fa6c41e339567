"""Query parameters: those that an operation has, and no others."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from fastapi.dependencies.models import Dependant

from quickshop.entrypoints.http.edge.problems import FieldProblem, ProblemError, default_reason


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
    """What refuses a request with another parameter, or with one twice.

    Its sender means something by it: otherwise a misspelt `dry_run` would be no dry run. None
    takes several values, and which of two counts, nobody should have to know.
    """
    there_are = f"there are: {', '.join(sorted(known))}" if known else "there are none"
    detail = f"holds a parameter that is not known here; {there_are}"

    unknown = FieldProblem(pointer="query", code="extra_forbidden", detail=detail)
    twice = FieldProblem(pointer="query", code="repeated", detail="holds a parameter twice")

    def require(request: Request) -> None:
        if not request.scope["query_string"]:
            return
        given = request.query_params
        wrong = [unknown] if not known.issuperset(given) else []
        if len(given.multi_items()) > len(given):
            wrong.append(twice)
        if wrong:
            raise ProblemError(422, *default_reason(422), errors=wrong)

    return require
