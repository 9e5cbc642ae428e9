"""One GET that ends in JSON or in an error an operator can act on; patient with what passes, and silent on secrets."""

import datetime as dt
import logging
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import requests
import tenacity
from pydantic import SecretStr
from urllib3.exceptions import ReadTimeoutError

from connectors.transport.parse import BrokenJson, decode, parse_json
from schemas.errors import JejakError, SettingsError, SourceUnavailable, StructureError
from schemas.settings import SourceSettings

log = logging.getLogger(__name__)

LONGEST_WAIT = 300
"""Seconds that one request waits between its attempts, all in all: who is asked to stay away for longer fails."""

_BACKOFF = tenacity.wait_exponential_jitter(initial=1, max=60, jitter=1)


class _TryAgain(Exception):
    """What is worth another attempt: the error to raise when attempts run out, the wait that the server asked for,
    whether patience itself has run out."""

    def __init__(self, error: JejakError, wait: float = 0, *, silent: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait
        self.silent = silent


def get_json(
    session: requests.Session,
    address: SecretStr,
    *,
    shown: str,
    credential: str,
    source: SourceSettings,
    params: Mapping[str, str] | None = None,
    token: SecretStr | None = None,
) -> object:
    """GET the address and parse the answer; None for an empty one. Follows no redirect.

    `shown` names what was asked for in logs and errors, and `credential` the environment variable that holds key or
    token. The address may hold a key, so it stays wrapped and appears in no message, log or traceback.

    Raises SourceUnavailable when the source is still out of reach or busy after `source.retries` further attempts, or
    when it has kept silent for `source.timeout_seconds` twice or asks for a longer wait than LONGEST_WAIT: one that
    hangs or is busy for hours would cost the whole night, service by service. SettingsError when address or credentials
    are refused, StructureError when the answer is not JSON.
    """
    waited = 0

    def enough(state: tenacity.RetryCallState) -> bool:
        nonlocal waited
        again = state.outcome.exception() if state.outcome else None
        waited += isinstance(again, _TryAgain) and again.silent
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
        return attempts(_get_once, session, address, shown, credential, source, params, token)
    except _TryAgain as again:
        error = again.error
    except JejakError as refused:
        error = refused
    # Raised anew, out of the handler: no frame and no context leads back to what was sent or answered.
    raise error.with_traceback(None)


def _get_once(
    session: requests.Session,
    address: SecretStr,
    shown: str,
    credential: str,
    source: SourceSettings,
    params: Mapping[str, str] | None,
    token: SecretStr | None,
) -> object:
    answer = _send(session, address, source.timeout_seconds, params, token)
    if isinstance(answer, type):
        if issubclass(answer, ValueError):
            raise SettingsError(
                f"{shown} can't be asked for ({answer.__name__}); check the source's url, which begins with http:// or "
                f"https://, and {credential} for characters that don't belong there"
            )
        silent = issubclass(answer, requests.Timeout)
        problem = (
            f"did not answer within {source.timeout_seconds:g} s; try again later, or raise timeout_seconds"
            if silent
            else f"can't be reached or broke off ({answer.__name__}); try again later, or check network, proxy and url"
        )
        raise _TryAgain(SourceUnavailable(f"{shown} {problem}"), silent=silent)
    _check_status(answer, shown, credential)
    if not answer.content.strip():
        return None
    try:
        return parse_json(decode(answer.content), shown)
    except BrokenJson as error:
        raise _TryAgain(StructureError(str(error))) from None


def _send(
    session: requests.Session,
    address: SecretStr,
    timeout: float,
    params: Mapping[str, str] | None,
    token: SecretStr | None,
) -> requests.Response | type[Exception]:
    """The answer, or the kind of error: no more of it goes on, since requests writes the address into its errors."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        # Given as `auth`, so that a .netrc of the machine can't replace it.
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token.get_secret_value().strip()}"
        return request

    try:
        return session.get(
            address.get_secret_value(),
            params=params,
            auth=sign,
            timeout=(min(timeout, 10), timeout),
            allow_redirects=False,
        )
    except (requests.RequestException, ValueError) as error:
        # ValueError: an address or a header that can't be sent, in requests' words or in those of the layers below.
        # Of an answer that stops in its middle requests says that the connection broke, whatever it was.
        stopped = error.args and isinstance(error.args[0], ReadTimeoutError)
        return requests.ReadTimeout if stopped else type(error)


def _check_status(answer: requests.Response, shown: str, credential: str) -> None:
    status = answer.status_code
    if status in (200, 204):
        return
    if status in (408, 425, 429) or status >= 500:
        wait = _retry_after(answer.headers.get("Retry-After", ""))
        asked = f" and asked to be left alone for {wait:.0f} s" if wait else ""
        error = SourceUnavailable(f"{shown} answered {status}{asked}; try again later")
        raise _TryAgain(error, wait)
    if status in (401, 403):
        raise SettingsError(
            f"{shown} answered {status}: the credential was refused. Set {credential}, and check that the subscription "
            "covers this service and that this machine's public address is registered with the system's keeper"
        )
    if status in (301, 302, 303, 307, 308):
        raise SettingsError(f"{shown} answered {status}, a redirect; set the source's url to the address it leads to")
    if status == 404:
        raise SettingsError(f"{shown} answered 404; check the source's url (and with ISB the service_no)")
    raise StructureError(f"{shown} answered {status}; if this fetch was resumed, its cursor may be too old: begin anew")


def _retry_after(value: str) -> float:
    """Seconds from now that a Retry-After header asks for, in seconds or as an HTTP date; 0 if it says nothing."""
    try:
        return max(float(value), 0)
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
