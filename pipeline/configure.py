"""Settings from a TOML file, each value overridable by environment; secrets stand there, or in a layer between."""

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

from schemas.errors import SettingsError
from schemas.settings import Settings


class _Overridable(BaseSettings, Settings):
    """The settings, environment before file: `JEJAK_WAREHOUSE_URL`, `JEJAK_SOURCES__LPSE__TOKEN`, ..."""

    model_config = SettingsConfigDict(env_prefix="JEJAK_", env_nested_delimiter="__", extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def load_settings(path: str | None = None, more: Callable[[Settings], Mapping[str, Any]] | None = None) -> Settings:
    """The settings of the file at `path`, or of the one that JEJAK_SETTINGS names.

    `more` is given those and returns what is laid over the file, below the environment: in Airflow its connections.

    Raises SettingsError naming the key that is wrong and what to write; a value is never repeated, it may be a secret.
    """
    chosen = path or os.environ.get("JEJAK_SETTINGS")
    if not chosen:
        raise SettingsError(
            "no settings file: give --settings FILE or set JEJAK_SETTINGS (settings/ holds examples, one per regency)"
        )
    try:
        content = tomllib.loads(Path(chosen).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"settings file {chosen} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {chosen} is not valid TOML: {error}") from None
    try:
        settings = _Overridable(**content)
        return _Overridable(**_laid_over(content, more(settings))) if more else settings
    except ValidationError as failure:
        raise SettingsError(f"settings file {chosen} (or a JEJAK_ variable): {faults(failure)}") from None
    except UnreadableVariable as error:
        raise SettingsError(f"a JEJAK_ variable is no JSON, which lists and tables must be: {error}") from None


def faults(failure: ValidationError) -> str:
    """What is wrong with which keys, without their values."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in failure.errors(include_url=False, include_input=False, include_context=False)
    )


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The two as one: tables key by key, of anything else what is above."""
    return {**below} | {
        key: _laid_over(below.get(key, {}), value) if isinstance(value, Mapping) else value
        for key, value in above.items()
    }
