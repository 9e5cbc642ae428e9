"""What every file of a publication holds of the whole, where it can: its address, publisher, licence and policy."""

from typing import Any

from schemas import ocds
from schemas.settings import Settings


def title(settings: Settings, *, draft: bool) -> str:
    """The publisher's name; of a draft marked as such."""
    return f"DRAF: {settings.name}" if draft else settings.name


def site(settings: Settings) -> str:
    """The address of the publication, without a slash at its end; one that leads nowhere where none is set."""
    return (settings.site_url or ocds.NOWHERE).rstrip("/")


def package(settings: Settings, path: str, published: str, *, draft: bool) -> dict[str, Any]:
    """The metadata of the package in the file at a path below the publication; `published` is a time with offset."""
    return ocds.package(
        f"{site(settings)}/{path}",
        {
            "name": title(settings, draft=draft),
            "scheme": settings.publisher_scheme,
            "uid": settings.publisher_uid,
            "uri": settings.publisher_uri,
        },
        published,
        site_url=settings.site_url,
        license=settings.license,
        policy=settings.publication_policy,
    )
