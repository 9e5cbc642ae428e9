"""Settings from a TOML file, each value overridable by environment; secrets come from there alone."""

import os
import tomllib
from pathlib import Path

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


def load_settings(path: str | None = None) -> Settings:
    """The settings of the file at `path`, or of the one that JEJAK_SETTINGS names.

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
        return _Overridable(**content)
    except ValidationError as failure:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in failure.errors(include_url=False, include_input=False, include_context=False)
        )
        raise SettingsError(f"settings file {chosen} (or a JEJAK_ variable): {faults}") from None
    except UnreadableVariable as error:
        raise SettingsError(f"a JEJAK_ variable is no JSON, which lists and tables must be: {error}") from None
