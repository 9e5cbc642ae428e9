"""The operators' page as a FastAPI application: `application(settings, signed_in)`.

Pages are HTML made here; their paths are relative and all on one level, so that the desk may be mounted anywhere. What
writes takes and gives JSON, from the same origin, and names the state that its operator saw: `{"html", "message"}` is
the part of the page as it is now, 409 where that was another one. Routes are `def`: they wait for a database.
"""

import getpass
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import uvicorn
from fastapi import Body, Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as StarletteError
from starlette.middleware.trustedhost import TrustedHostMiddleware

from desk.access import Operator, SignedIn, same_origin
from desk.applying import Builder
from desk.words import Words, language_of
from pipeline import meanings, queues, steps
from reports import deciding, find, health, rejects, runs, trace, waiting
from reports.reasons import FIELDS, field_name
from schemas.errors import Conflict, JejakError
from schemas.settings import Settings
from transforms.linking.rules import REVISION, RULES
from transforms.parties import is_personal
from warehouse import tables as t
from warehouse.engine import reading, writing
from warehouse.failures import explained

PAGE = 20
"""So many links, words, reasons or records are on a page."""

_LANGUAGE = "jejak_desk_language"
_PAGES = ("health", "links", "codes", "rejects", "waiting", "changes", "decisions")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def alone(name: str) -> SignedIn:
    """The dependency for a desk of one machine: whoever reaches it is this account."""

    def signed_in() -> Operator:
        return Operator(name, may_decide=True)

    return signed_in


def serve(settings: Settings, port: int) -> None:
    """Run the desk alone, for this machine and the account that started it, until it is ended."""
    app = application(settings, alone(getpass.getuser()), Builder(settings))
    # A page elsewhere can't reach it under a name that it has made lead here.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def application(
    settings: Settings, signed_in: SignedIn, builder: Builder | None = None, trigger: str | None = None
) -> FastAPI:
    """The desk over a warehouse. `signed_in` gives who asks; decisions become records by `builder`, or by a POST that
    the page sends to the path `trigger` (Airflow's own, relative to the desk)."""
    app = FastAPI(title="Jejak", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    templates = Environment(
        loader=PackageLoader("desk"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    engine = steps.warehouse(settings)

    def looking(request: Request, operator: Operator = Depends(signed_in)) -> Operator:  # noqa: B008
        request.state.operator = operator
        return operator

    def allowed(request: Request, operator: Operator = Depends(signed_in)) -> Operator:  # noqa: B008
        request.state.operator = operator
        if not operator.may_decide:
            raise HTTPException(403, "forbidden.decide")
        same_origin(request)
        return operator

    Looking = Annotated[Operator, Depends(looking)]
    Deciding = Annotated[Operator, Depends(allowed)]

    def words_of(request: Request) -> Words:
        return Words(language_of(request.query_params.get("lang"), request.cookies.get(_LANGUAGE)), settings.utc_offset)

    def render(request: Request, template: str, **values: Any) -> str:
        words = words_of(request)
        operator = getattr(request.state, "operator", None)

        def link(path: str, **changes: Any) -> str:
            kept = _asked(request)
            asked = {name: value for name, value in {**kept, **changes}.items() if value not in (None, "")}
            return f"{path}?{urlencode(asked)}" if asked else path

        return templates.get_template(template).render(
            words=words,
            say=words.say,
            operator=operator,
            pages=_PAGES,
            regency=settings.name,
            link=link,
            field_name=lambda name: field_name(name, words.language),
            fields=[name for name in FIELDS if name != "code"],
            trigger=trigger,
            **values,
        )

    def page(request: Request, name: str, **values: Any) -> Response:
        if values.get("at", 1) > values.get("last", 1):
            # What stood there has been settled since, or the address was typed.
            return RedirectResponse(f"{name}?{urlencode({**_asked(request), 'at': values['last']})}", 303)
        query = _asked(request).get("q", "")
        html = render(request, f"{name}.html", page=name, queued=steps.has_pending(settings), query=query, **values)
        answer = HTMLResponse(html, 200, _HEADERS)
        if (wish := request.query_params.get("lang")) and language_of(wish) == wish:
            answer.set_cookie(_LANGUAGE, wish, max_age=31_536_000, samesite="lax", path="/")
        return answer

    def fragment(request: Request, name: str, *, status: int = 200, message: str = "", **values: Any) -> JSONResponse:
        return JSONResponse({"html": render(request, name, **values), "message": message}, status, _HEADERS)

    # ---------------------------------------------------------------------------------------------------- what is shown

    @app.get("/")
    @app.get("/health")
    def show_health(request: Request, who: Looking) -> Response:
        return page(request, "health", sources=health.health(settings, words_of(request).language))

    @app.get("/links")
    def show_links(
        request: Request,
        who: Looking,
        rule: str = "",
        office: str = "",
        year: str = "",
        least: str = "",
        most: str = "",
        status: str = "pending",
        at: str = "1",
    ) -> Response:
        wanted = deciding.Wanted(
            rule if rule in (*RULES, REVISION) else None,
            office.strip() or None,
            _whole(year),
            _percent(least),
            _percent(most),
            status if status in ("pending", "confirmed", "rejected", "auto", "all") else "pending",
        )
        number = _place(at)
        with reading(engine) as conn:
            language, offset = words_of(request).language, (number - 1) * PAGE
            count, found = deciding.cases(conn, wanted, language, limit=PAGE, offset=offset)
            choices = deciding.filters(conn)
        return page(request, "links", cases=found, wanted=wanted, choices=choices, **_paging(count, number))

    @app.get("/rejects")
    def show_rejects(request: Request, who: Looking, at: str = "1") -> Response:
        number = _place(at)
        with reading(engine) as conn:
            count, found = rejects.by_reason(conn, limit=PAGE, offset=(number - 1) * PAGE)
        return page(request, "rejects", reasons=found, **_paging(count, number))

    @app.get("/codes")
    def show_codes(request: Request, who: Looking, at: str = "1") -> Response:
        number = _place(at)
        with reading(engine) as conn:
            found = meanings.unknown_words(conn)
            shown = found[(number - 1) * PAGE : number * PAGE]
            users = {each["word"] + each["list"]: _users(conn, each) for each in shown}
        return page(request, "codes", found=shown, users=users, **_paging(len(found), number))

    @app.get("/codes.csv")
    def export_codes(request: Request, who: Looking) -> Response:
        with reading(engine) as conn:
            text = meanings.to_csv(conn)
        named = {"Content-Disposition": 'attachment; filename="meanings.csv"'}
        return PlainTextResponse(text, 200, {**_HEADERS, **named}, "text/csv; charset=utf-8")

    @app.get("/waiting")
    def show_waiting(request: Request, who: Looking) -> Response:
        with reading(engine) as conn:
            found = waiting.waiting_rows(conn)
        return page(request, "waiting", rows=found)

    @app.get("/changes")
    def show_changes(request: Request, who: Looking, run: str = "", at: str = "1") -> Response:
        number = _place(at)
        with reading(engine) as conn:
            known = runs.last_runs(conn)
            chosen = run or next(
                (each["id"] for each in known if each["new"] or each["changed"] or each["removed"]), ""
            )
            one = next((each for each in known if each["id"] == chosen), None)
            found = runs.changes_of(conn, chosen, limit=5 * PAGE, offset=(number - 1) * 5 * PAGE)
        count = sum(one[name] for name in ("new", "changed", "removed")) if one else len(found)
        return page(request, "changes", runs=known, chosen=chosen, changes=found, **_paging(count, number, 5 * PAGE))

    @app.get("/decisions")
    def show_decisions(request: Request, who: Looking, at: str = "1") -> Response:
        number = _place(at)
        with reading(engine) as conn:
            count = conn.execute(select(func.count()).select_from(t.decision)).scalar_one()
            query = select(t.decision).order_by(t.decision.c.id.desc()).limit(5 * PAGE).offset((number - 1) * 5 * PAGE)
            found = conn.execute(query).mappings().all()
        return page(request, "decisions", decisions=found, **_paging(count, number, 5 * PAGE))

    @app.get("/link")
    def show_link(request: Request, who: Looking, id: str = "") -> Response:
        return page(request, "link", case=_case(request, id))

    @app.get("/find")
    def show_found(request: Request, who: Looking, q: str = "") -> Response:
        with reading(engine) as conn:
            found = find.find(conn, q[:200]) if q.strip() else None
        return page(request, "find", found=found, most=find.MOST)

    @app.get("/trace")
    def show_trace(request: Request, who: Looking, ocid: str = "") -> Response:
        with reading(engine) as conn:
            record, found = trace.traced(conn, settings, ocid, words_of(request).language)
            joined = deciding.of_process(conn, record["ocid"], words_of(request).language)
        return page(request, "trace", record=record, steps=found, links=joined)

    # -------------------------------------------------------------------------------------------------- what is decided

    def _case(request: Request, name: str) -> dict[str, Any]:
        with reading(engine) as conn:
            found = deciding.case_of(conn, name, words_of(request).language)
        if found is None:
            raise HTTPException(404, "gone.link")
        return found

    @app.post("/decide")
    def decide(request: Request, who: Deciding, asked: Annotated[dict[str, str], Body()]) -> Response:
        name, decision = asked.get("link", ""), asked.get("decision", "")
        if decision not in deciding.DECISIONS:
            raise HTTPException(422, "unknown.decision")
        if not asked.get("seen"):
            raise HTTPException(422, "missing.seen")
        _case(request, name)
        say = words_of(request).say
        status = deciding.DECISIONS[decision]
        try:
            steps.decide(settings, [name], status, who.name, asked.get("note") or None, {name: asked["seen"]})
        except Conflict:
            return fragment(request, "_case.html", status=409, message=say("conflict"), case=_case(request, name))
        message = say(f"decided.{decision}", link=name)
        return fragment(request, "_case.html", message=message, case=_case(request, name))

    def _word(request: Request, asked: Mapping[str, str]) -> tuple[meanings.Word, dict[str, Any] | None]:
        word = (asked.get("source", ""), asked.get("list", ""), asked.get("word", ""))
        with reading(engine) as conn:
            known = meanings.unknown_words(conn)
            entry = next((each for each in known if (each["source"], each["list"], each["word"]) == word), None)
            return word, entry and {**entry, "users": _users(conn, entry)}

    @app.post("/mean")
    def mean(request: Request, who: Deciding, asked: Annotated[dict[str, str], Body()]) -> Response:
        word, entry = _word(request, asked)
        if entry is None:
            raise HTTPException(404, "gone.word")
        if not asked.get("seen"):
            raise HTTPException(422, "missing.seen")
        code = None if asked.get("undo") else asked.get("code", "?").removeprefix("=")
        say = words_of(request).say
        status, message = 200, say("meant.undone" if code is None else "meant.given", word=word[2], code=code or "-")
        try:
            steps.give_meaning(settings, word, code, who.name, asked.get("note") or None, asked["seen"])
        except Conflict:
            status, message = 409, say("conflict")
        _, entry = _word(request, asked)
        users = entry["users"] if entry else []
        return fragment(request, "_word.html", status=status, message=message, each=entry, users=users)

    @app.post("/codes.csv")
    def import_codes(request: Request, who: Deciding, asked: Annotated[dict[str, str], Body()]) -> Response:
        with writing(engine) as conn:
            queues.settling(conn)
            counts = meanings.from_csv(conn, asked.get("csv", "").removeprefix("\ufeff").splitlines(), who.name)
        message = words_of(request).say("meant.imported", **counts)
        return JSONResponse({"html": "", "message": message}, 200, _HEADERS)

    @app.post("/apply")
    def apply(request: Request, who: Deciding) -> Response:
        if builder is None:
            raise HTTPException(404, "apply.airflow")
        builder.begin()
        return JSONResponse(builder.state, 200, _HEADERS)

    @app.get("/apply")
    def applied(request: Request, who: Looking) -> Response:
        return JSONResponse(builder.state if builder else {}, 200, _HEADERS)

    # ------------------------------------------------------------------------------------------------- what goes wrong

    def refused(request: Request, status: int, reason: str) -> Response:
        message = words_of(request).say(reason) if "." in reason and " " not in reason else reason
        if request.method != "GET" or "text/html" not in request.headers.get("accept", "text/html"):
            return JSONResponse({"html": "", "message": message}, status, _HEADERS)
        html = render(request, "error.html", page="error", query="", status=status, message=message)
        return HTMLResponse(html, status, _HEADERS)

    @app.exception_handler(StarletteError)
    def on_http_error(request: Request, error: StarletteError) -> Response:
        ours = "." in str(error.detail)
        return refused(request, error.status_code, str(error.detail) if ours else f"error.{error.status_code}")

    @app.exception_handler(RequestValidationError)
    def on_wrong_request(request: Request, error: RequestValidationError) -> Response:
        return refused(request, 422, "unknown.request")

    @app.exception_handler(JejakError)
    def on_our_error(request: Request, error: JejakError) -> Response:
        return refused(request, 409 if isinstance(error, Conflict) else 400, words_of(request).sentence(str(error)))

    @app.exception_handler(SQLAlchemyError)
    def on_warehouse(request: Request, error: SQLAlchemyError) -> Response:
        if (reason := explained(error)) is None:
            raise error
        return PlainTextResponse(f"Jejak: {reason}", 503, _HEADERS)

    return app


def _users(conn: Any, entry: Mapping[str, Any]) -> list[str]:
    return meanings.users_of(conn, (entry["source"], entry["list"], entry["word"]), limit=5)


def _asked(request: Request) -> dict[str, str]:
    """What a page was asked for, as far as it may be repeated: no numbers that may be a person's."""
    return {name: value for name, value in request.query_params.items() if name != "lang" and not is_personal(value)}


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 6 else None


def _percent(text: str) -> float | None:
    try:
        return min(max(float(text.replace(",", ".")) / 100, 0.0), 1.0) if text.strip() else None
    except ValueError:
        return None


def _place(text: str) -> int:
    return max(_whole(text) or 1, 1)


def _paging(count: int, number: int, size: int = PAGE) -> dict[str, int]:
    return {"count": count, "at": number, "last": max(ceil(count / size), 1)}
