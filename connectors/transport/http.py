"""One GET that ends in a list of rows or in an error an operator can act on; patient with what passes, bounded in time
and size, and free of secrets."""

import datetime as dt
import errno
import logging
import math
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import BinaryIO, NamedTuple, cast
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3
import urllib3.connection
import urllib3.exceptions
from pydantic import SecretStr

from connectors.transport.belief import failure, quoted
from connectors.transport.parse import BrokenJson, Listing, read_json
from schemas.errors import JejakError, SettingsError, SourceUnavailable, StructureError
from schemas.settings import SourceSettings

log = logging.getLogger(__name__)

LONGEST_WAIT = 300
"""Seconds that one request waits between its attempts, all in all: who is asked to stay away for longer fails."""

_BACKOFF = tenacity.wait_exponential_jitter(initial=1, max=60, jitter=1)
_MEGABYTE = 1 << 20
# Answers up to this size never touch the disk.
_IN_MEMORY = 8 * _MEGABYTE
_ERROR_BYTES = 1 << 16
# A stamp of this size is a moment (seconds since 1970), a smaller one a number of seconds from now.
_EPOCH = 1_000_000_000


@dataclass(slots=True)
class Budget:
    """What one fetch, over all its pages, may still cost: see `max_seconds`, `max_megabytes` and `max_pages`."""

    until: float
    bytes: float
    pages: int


def budget_of(source: SourceSettings) -> Budget:
    """The whole budget of a fetch that begins now."""
    return Budget(time.monotonic() + source.max_seconds, source.max_megabytes * _MEGABYTE, source.max_pages)


class Request(NamedTuple):
    """What is asked for: `shown` names it in logs and errors, `credential` the environment variable that holds key or
    token. The address may hold a key, so it stays wrapped and appears in no message, log or traceback."""

    address: SecretStr
    shown: str
    credential: str
    source: SourceSettings
    token: SecretStr | None = None
    params: Mapping[str, str] | None = None


class _Http(urllib3.connection.HTTPConnection):
    """A connection whose answer has begun, all headers read, within the timeout: the timeout of a socket begins anew
    with every byte that comes."""

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3 itself does
        late = threading.Event()

        def end() -> None:
            late.set()
            if self.sock is not None:
                with suppress(OSError):
                    self.sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(float(self.timeout or LONGEST_WAIT), end)
        timer.daemon = True
        timer.start()
        try:
            answer = super().getresponse()
        except Exception:
            if not late.is_set():
                raise
        finally:
            timer.cancel()
        if late.is_set():
            raise TimeoutError
        return answer


class _Https(_Http, urllib3.connection.HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


def new_session() -> requests.Session:
    """A session whose servers must begin their answers in time."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        adapter = requests.adapters.HTTPAdapter()
        adapter.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        session.mount(scheme, adapter)
    return session


class _TryAgain(Exception):
    """What is worth another attempt: the error to raise when attempts run out, the wait that the server asked for,
    whether patience itself has run out."""

    def __init__(self, error: JejakError, wait: float = 0, *, timed_out: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait
        self.timed_out = timed_out


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: BinaryIO
    size: int


# Until when a server (by host and port) has asked for no more requests, by the monotonic clock. The limit is the
# token's, so services that are read one after the other share it.
_closed: dict[str, float] = {}


def get_listing(session: requests.Session, request: Request, budget: Budget) -> Listing | None:
    """GET the address and read the answer, a list or an object with a list `data`; None for an empty one. Follows no
    redirect.

    A server whose headers show that its limit is used up (`X-RateLimit-Remaining: 0`) is asked again only when that is
    over. Raises SourceUnavailable when the source is still out of reach or busy after `source.retries` further
    attempts, has twice not answered within `source.timeout_seconds`, or asks for a longer wait than LONGEST_WAIT: one
    that hangs or is busy for hours would cost the whole night, service by service. SettingsError when address,
    certificate or credentials are refused, StructureError when the answer is not JSON or reports a failure.
    """
    shown, source = request.shown, request.source
    waited = 0

    def enough(state: tenacity.RetryCallState) -> bool:
        nonlocal waited
        again = state.outcome.exception() if state.outcome else None
        waited += isinstance(again, _TryAgain) and again.timed_out
        too_long = state.idle_for + state.upcoming_sleep > LONGEST_WAIT
        return waited > 1 or too_long or state.attempt_number > source.retries

    attempts = tenacity.Retrying(
        stop=enough,
        wait=_wait,
        retry=tenacity.retry_if_exception_type(_TryAgain),
        before_sleep=lambda state: _log_retry(shown, state),
        reraise=True,
    )
    try:
        if budget.pages <= 0:
            raise StructureError(
                f"{shown} has more than {source.max_pages} pages; if the list is really that long, raise max_pages"
            )
        budget.pages -= 1
        _wait_until_open(request)
        return attempts(_get_once, session, request, budget)
    except _TryAgain as again:
        error = again.error
    except JejakError as refused:
        error = refused
    # Raised anew, out of the handler: no frame and no context leads back to what was sent or answered.
    raise error.with_traceback(None)


def _get_once(session: requests.Session, request: Request, budget: Budget) -> Listing | None:
    if time.monotonic() > budget.until:
        raise _too_long(request)
    try:
        answer = _send(session, request, budget)
    except _Spent as spent:
        if spent.bytes:
            raise StructureError(
                f"{request.shown} sent more than {request.source.max_megabytes:g} MB; if the list is really that long, "
                "raise max_megabytes"
            ) from None
        raise _too_long(request) from None
    if not isinstance(answer, _Answer):
        raise _unreachable(answer, request)
    _close(request.address, answer.headers)
    secrets = [part.get_secret_value() for part in (request.token, request.address) if part]
    _check_status(answer, request, secrets)
    if not answer.size or not answer.body.read(_ERROR_BYTES).strip():
        return None
    try:
        listing = read_json(answer.body, answer.size, request.shown, "data")
    except BrokenJson as error:
        raise _TryAgain(StructureError(str(error))) from None
    _refuse_failure(listing, request, secrets)
    return replace(listing, headers=answer.headers)


class _Spent(Exception):
    """The budget is used up: in bytes, else in time."""

    def __init__(self, *, bytes: bool) -> None:
        super().__init__()
        self.bytes = bytes


def _too_long(request: Request) -> SourceUnavailable:
    return SourceUnavailable(
        f"{request.shown} took more than {request.source.max_seconds:g} s in all; try again later, or raise max_seconds"
    )


def _send(session: requests.Session, request: Request, budget: Budget) -> _Answer | BaseException:
    """The answer, or the error that was met, which must go no further: requests writes the address into its errors."""

    token, timeout = request.token, request.source.timeout_seconds

    def sign(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        # Given as `auth`, so that a .netrc of the machine can't replace it.
        if token is not None:
            prepared.headers["Authorization"] = f"Bearer {token.get_secret_value().strip()}"
        return prepared

    try:
        with session.get(
            request.address.get_secret_value(),
            params=request.params,
            auth=sign,
            timeout=(min(timeout, 10), timeout),
            allow_redirects=False,
            stream=True,
        ) as answer:
            body = cast(BinaryIO, tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115  # lives as long as its rows
            size = 0
            # read1 returns what has come: a server that drips can't hold a whole piece back.
            while piece := answer.raw.read1(_ERROR_BYTES, decode_content=True):
                size += len(piece)
                budget.bytes -= len(piece)
                if budget.bytes < 0 or time.monotonic() > budget.until:
                    raise _Spent(bytes=budget.bytes < 0)
                body.write(piece)
                if answer.status_code not in (200, 204) and size > _ERROR_BYTES:
                    break
            body.seek(0)
            return _Answer(answer.status_code, answer.headers, body, size)
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
        # ValueError: an address or a header that can't be sent, in requests' words or in those of the layers below.
        return error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made of, as urllib3 and requests nest them."""
    left: list[object] = [error]
    seen: set[int] = set()
    while left:
        each = left.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [*each.args, each.__cause__, each.__context__, getattr(each, "reason", None)]


def _unreachable(error: BaseException, request: Request) -> Exception:
    """What to do about an error in words of our own."""
    shown = request.shown
    causes = list(_causes(error))
    codes = {getattr(each, "errno", None) for each in causes}

    def met(*kinds: type[BaseException]) -> bool:
        return any(isinstance(each, kinds) for each in causes)

    # Connection errors come first: a certificate that is refused is a ValueError too.
    if met(ssl.SSLError, requests.exceptions.SSLError, urllib3.exceptions.SSLError):
        return SettingsError(
            f"{shown} has a certificate that this machine doesn't trust, or has no TLS; if it comes from an "
            "authority of your own, set REQUESTS_CA_BUNDLE to the file that holds that authority's certificate, and "
            "check that url names the host as the certificate does"
        )
    if met(requests.exceptions.ProxyError, urllib3.exceptions.ProxyError):
        problem = "can't be reached through the proxy; check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
    elif met(socket.gaierror, urllib3.exceptions.NameResolutionError):
        problem = "has a host whose name is unknown; check the host in the source's url and this machine's DNS"
    elif met(ConnectionRefusedError):
        problem = "refused the connection: nothing listens there; check host and port in the source's url"
    elif {errno.EHOSTUNREACH, errno.ENETUNREACH} & codes:
        problem = "can't be reached: no route leads to its host; check network, VPN and the host in the source's url"
    elif met(requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError):
        problem = "took no connection in time; check host and port in the source's url, and firewalls on the way"
        return _TryAgain(SourceUnavailable(f"{shown} {problem}"), timed_out=True)
    elif met(requests.Timeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
        problem = (
            f"did not answer within {request.source.timeout_seconds:g} s; try again later, or raise timeout_seconds"
        )
        return _TryAgain(SourceUnavailable(f"{shown} {problem}"), timed_out=True)
    elif isinstance(error, ValueError):
        return SettingsError(
            f"{shown} can't be asked for ({type(error).__name__}); check the source's url, which begins with http:// "
            f"or https://, and {request.credential} for characters that don't belong there"
        )
    else:
        problem = f"broke off ({type(error).__name__}); try again later, or check network and proxy"
    return _TryAgain(SourceUnavailable(f"{shown} {problem}"))


def _check_status(answer: _Answer, request: Request, secrets: list[str]) -> None:
    status, shown = answer.status, request.shown
    if status in (200, 204):
        return
    message = ""
    try:
        members = read_json(answer.body, answer.size, shown, "data").members
        message = quoted(members.get("error") or members, secrets)
    except StructureError:
        pass
    if status in (408, 425, 429) or status >= 500:
        wait = _retry_after(answer.headers.get("Retry-After", "")) or (_reset(answer.headers) if status == 429 else 0)
        asked = f" and asked to be left alone for {wait:.0f} s" if wait else ""
        error = SourceUnavailable(f"{shown} answered {status}{asked}{message}; try again later")
        raise _TryAgain(error, wait)
    if status in (401, 403):
        raise SettingsError(_refused(f"{shown} answered {status}{message}", request))
    if status in (301, 302, 303, 307, 308):
        raise SettingsError(f"{shown} answered {status}, a redirect; set the source's url to the address it leads to")
    if status == 404:
        raise SettingsError(f"{shown} answered 404{message}; check the source's url (and with ISB the service_no)")
    raise StructureError(
        f"{shown} answered {status}{message}; if this fetch was resumed, its cursor may be too old: begin anew"
    )


def _refused(what: str, request: Request) -> str:
    return (
        f"{what}: the credential was refused. Set {request.credential}, and check that the subscription covers this "
        "service and that this machine's public address is registered with the system's keeper"
    )


def _refuse_failure(listing: Listing, request: Request, secrets: list[str]) -> None:
    """Refuse an answer that reports a failure, whatever its status was."""
    found = failure(listing.members, secrets)
    if found is None:
        return
    problem = f"{request.shown} answered that it failed ({found.member}){found.message}"
    if found.codes & {"401", "403"}:
        raise SettingsError(_refused(problem, request))
    if found.codes & {"429", "500", "502", "503", "504"}:
        raise _TryAgain(SourceUnavailable(f"{problem}; try again later"))
    raise StructureError(f"{problem}; check {request.credential}, which may have expired, and ask the system's keeper")


def _close(address: SecretStr, headers: Mapping[str, str]) -> None:
    """Note until when the server wants no more requests, if its headers give it."""
    server = urlsplit(address.get_secret_value()).netloc
    _closed.pop(server, None)
    if headers.get("X-RateLimit-Remaining", "").strip() == "0" and (wait := _reset(headers)):
        _closed[server] = time.monotonic() + wait


def _reset(headers: Mapping[str, str]) -> float:
    """Seconds until a used up limit of requests is given anew; 0 if the headers don't give it."""
    try:
        reset = float(headers.get("X-RateLimit-Reset", ""))
    except ValueError:
        return 0
    if not math.isfinite(reset):
        return 0
    return max(reset - time.time() if reset > _EPOCH else reset, 0)


def _wait_until_open(request: Request) -> None:
    shown = request.shown
    wait = _closed.get(urlsplit(request.address.get_secret_value()).netloc, 0) - time.monotonic()
    if wait <= 0:
        return
    if wait > LONGEST_WAIT:
        raise SourceUnavailable(
            f"{shown}: the limit of requests is used up for {wait:.0f} s; try again then, it goes on where it stopped"
        )
    log.info("%s: the limit of requests is used up; next in %.0f s", shown, wait)
    tenacity.nap.sleep(wait)


def _retry_after(value: str) -> float:
    """Seconds from now that a Retry-After header asks for, in seconds or as an HTTP date; 0 if it holds neither."""
    try:
        seconds = float(value)
        return max(seconds, 0) if math.isfinite(seconds) else 0
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(value) - dt.datetime.now(dt.UTC)).total_seconds(), 0)
    except (ValueError, TypeError):
        return 0


def _wait(state: tenacity.RetryCallState) -> float:
    again = state.outcome.exception() if state.outcome else None
    return max(_BACKOFF(state), again.wait if isinstance(again, _TryAgain) else 0)


def _log_retry(shown: str, state: tenacity.RetryCallState) -> None:
    reason = state.outcome.exception() if state.outcome else None
    log.warning("%s: attempt %d failed (%s); next in %.0f s", shown, state.attempt_number, reason, state.upcoming_sleep)
