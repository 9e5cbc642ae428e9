"""The desk inside Airflow: Airflow's own auth manager decides who looks and who decides, whichever it is.

Who may read the DAG that links and builds may look; who may trigger it may decide. `dags.years` names what stands here
in Airflow's plugin. Only the API server makes the desk, when somebody first asks for it: the other parts of Airflow
load plugins too.
"""

import asyncio
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX = "/jejak"
DAG_ID = "build_records"


class Desk:
    """The desk as an application that is made at its first request."""

    def __init__(self) -> None:
        self._desk: ASGIApp | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from schemas.errors import JejakError

        async with self._lock:
            if self._desk is None:
                try:
                    self._desk = await run_in_threadpool(_desk)
                except JejakError as error:
                    # The next request tries again: the settings may be mended by then.
                    await PlainTextResponse(f"Jejak: {error}", 503)(scope, receive, send)
                    return
        await self._desk(scope, receive, send)


def _desk() -> ASGIApp:
    from dags.connections import settings
    from desk.app import application

    # Airflow builds, as whoever asks may have it build: the page asks Airflow's own API.
    return application(settings(), _signed_in(), trigger=f"../api/v2/dags/{DAG_ID}/dagRuns")


def _signed_in() -> Any:
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
    from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
    from fastapi import HTTPException, Request

    from desk.access import Operator

    may_look: Any = requires_access_dag("GET", param_dag_id=DAG_ID)
    may_decide: Any = requires_access_dag("POST", DagAccessEntity.RUN, DAG_ID)

    def signed_in(request: Request, user: GetUserDep) -> Operator:
        may_look(request, user)
        try:
            may_decide(request, user)
        except HTTPException:
            return Operator(user.get_name(), may_decide=False)
        return Operator(user.get_name(), may_decide=True)

    return signed_in


APPS: list[dict[str, Any]] = [{"app": Desk(), "url_prefix": PREFIX, "name": "Jejak"}]
VIEWS: list[dict[str, Any]] = [
    {
        "name": "Meja Jejak",
        "href": f"{PREFIX.removeprefix('/')}/",
        "destination": "nav",
        "url_route": "meja",
        "icon": f"{PREFIX.removeprefix('/')}/static/desk.svg",
    }
]
"""The desk in Airflow's menu; relative, as Airflow may stand below a path."""
