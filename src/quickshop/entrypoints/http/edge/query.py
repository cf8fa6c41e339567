"""Query parameters: only those that an operation declares are accepted."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from fastapi.dependencies.models import Dependant

from quickshop.entrypoints.http.edge.problems import FieldProblem, ProblemError, default_reason


def parameters_of(dependant: Dependant) -> frozenset[str]:
    """Return the names of the query parameters of a route and its dependencies.

    Raises:
        LookupError: the query is read into a model, whose parameters are not visible here.
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
    """Return a check that refuses unknown and repeated query parameters.

    A misspelled `dry_run` must not run for real. No parameter takes several values, so a repeated
    one is ambiguous.
    """
    allowed = f"allowed: {', '.join(sorted(known))}" if known else "none is allowed"
    detail = f"contains an unknown parameter; {allowed}"

    unknown = FieldProblem(pointer="query", code="extra_forbidden", detail=detail)
    twice = FieldProblem(pointer="query", code="repeated", detail="contains a parameter twice")

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
