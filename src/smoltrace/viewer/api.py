"""The data of the screens over HTTP: each route is a function of `viewer.data`, run in the thread pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.routing import Route

from smoltrace.errors import UsageError
from smoltrace.store.read import Run
from smoltrace.viewer.answers import document, told
from smoltrace.viewer.asked import integer, number, of_run, run_dir
from smoltrace.viewer.data.compare import MOST as MOST_COMPARED
from smoltrace.viewer.data.compare import comparison
from smoltrace.viewer.data.gpu import gpu_lanes
from smoltrace.viewer.data.query import Query
from smoltrace.viewer.data.runs import run_header
from smoltrace.viewer.data.search import search
from smoltrace.viewer.data.spans import span_detail, text
from smoltrace.viewer.data.tests import run_test, run_tests, test_text
from smoltrace.viewer.data.traces import trace_spans

if TYPE_CHECKING:
    from starlette.responses import Response

MOST_TESTS: Final = 5_000
MOST_COLUMNS: Final = 4_000
MOST_FOUND: Final = 200


class _Anything(StringConvertor):
    """Slashes and line breaks, too: ids of tests may hold any character."""

    regex = r"[\s\S]*"


class _Ref(StringConvertor):
    """What stands for a whole text. Nothing else may pass for one: an id of a test may hold `/text/`."""

    regex = "[0-9a-f]{32}"


register_url_convertor("anything", _Anything())
register_url_convertor("ref", _Ref())


def routes() -> list[Route]:
    """The routes of the API. What stands in an address after its name may contain slashes, as ids of tests do."""
    name = "/api/run/{run}"
    span = name + "/trace/{trace}/span/{span}"
    return [
        Route("/api/store", _store),
        Route("/api/leaderboard", _leaderboard),
        Route("/api/chart", _chart),
        Route("/api/compare", _compare),
        Route("/api/search", _search),
        Route(name, _of_run(_header)),
        Route(name + "/tests", _of_run(_tests)),
        Route(name + "/gpu", _of_run(_gpu)),
        Route(name + "/test/{uid:anything}/text/{ref:ref}", _of_run(_text_of_test, named=True)),
        Route(name + "/test/{uid:anything}", _of_run(_test, named=True)),
        Route(name + "/trace/{trace}", _of_run(_trace, named=True)),
        Route(span, _of_run(_span, named=True)),
        Route(span + "/text/{ref:path}", _of_run(_text, named=True)),
    ]


def asked_first(screen: str, query: Mapping[str, str]) -> str | None:
    """The address, relative to a page, of what it will ask: then that is on its way while the page's script still is.
    None where what it asks is little, or is many things."""
    run, trace = query.get("run"), query.get("trace")
    return f"api/run/{_part(run)}/trace/{_part(trace)}" if screen == "trace" and run and trace else None


def _part(name: str) -> str:
    """As `encodeURIComponent` writes it: another spelling would be another address."""
    return quote(name, safe="!'()*-._~", errors="replace")


def _store(request: Request) -> Response:
    return document(request.app.state.board.store_info())


def _leaderboard(request: Request) -> Response:
    return document(request.app.state.board.page(Query.parse(request.query_params)))


def _chart(request: Request) -> Response:
    return document(request.app.state.board.chart(Query.parse(request.query_params)))


def _compare(request: Request) -> Response:
    ids = [run_id for run_id in request.query_params.get("runs", "").split(",") if run_id]
    state = request.app.state
    runs = [Run(run_dir(state.board, run_id)) for run_id in ids[: MOST_COMPARED + 1]]
    return document(comparison(runs, readings=state.readings))


def _search(request: Request) -> Response:
    asked = request.query_params
    return document(search(request.app.state.board, asked.get("q", ""), integer(asked, "limit", 50, MOST_FOUND)))


def _of_run(read: Callable[[Run, Request], Any], *, named: bool = False) -> Callable[[Request], Response]:
    """An endpoint of something of a run; `named`: which of it stands in the address, so that it may not be there."""

    def answer(run: Run, request: Request) -> Response:
        try:
            return document(read(run, request))
        except UsageError as error:
            if named:
                return told(404, error)
            raise

    return of_run(answer)


def _header(run: Run, request: Request) -> Any:
    return run_header(run, readings=request.app.state.readings)


def _tests(run: Run, request: Request) -> Any:
    asked = request.query_params
    start, count = integer(asked, "start", 0), integer(asked, "count", 2_000, MOST_TESTS)
    return run_tests(run, start, count, readings=request.app.state.readings)


def _test(run: Run, request: Request) -> Any:
    return run_test(run, request.path_params["uid"], readings=request.app.state.readings)


def _text_of_test(run: Run, request: Request) -> Any:
    names = request.path_params
    return test_text(run, names["uid"], names["ref"], readings=request.app.state.readings)


def _gpu(run: Run, request: Request) -> Any:
    asked = request.query_params
    start, end, width = number(asked, "from"), number(asked, "to"), integer(asked, "width", 600, MOST_COLUMNS)
    return gpu_lanes(run, start, end, width, readings=request.app.state.readings)


def _trace(run: Run, request: Request) -> Any:
    return trace_spans(run, request.path_params["trace"], readings=request.app.state.readings)


def _span(run: Run, request: Request) -> Any:
    names = request.path_params
    return span_detail(run, names["trace"], names["span"], readings=request.app.state.readings)


def _text(run: Run, request: Request) -> Any:
    names = request.path_params
    return text(run, names["trace"], names["span"], names["ref"], readings=request.app.state.readings)
