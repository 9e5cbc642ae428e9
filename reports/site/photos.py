"""Small copies of photos, without what cameras write into them (place, time, owner)."""

import hashlib
import io
import logging
from collections.abc import Mapping

import requests
import urllib3
from PIL import Image, ImageOps, UnidentifiedImageError

logger = logging.getLogger(__name__)

MOST_BYTES = 40_000
_FETCHED = 20_000_000  # bytes of an original
_SECONDS = 20
# Side in pixels and quality, tried in turn until the copy is small enough.
_TRIES = ((1024, 75), (1024, 55), (800, 55), (640, 45), (480, 40), (320, 30), (160, 30))


def name_of(url: str) -> str:
    """The path of the copy of a photo below the publication."""
    return f"foto/{hashlib.sha256(url.encode()).hexdigest()[:32]}.jpg"


def small(content: bytes) -> bytes | None:
    """A JPEG of at most `MOST_BYTES` of a picture, without metadata; None for what is none."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        return None
    for side, quality in _TRIES:
        copy = Image.new("RGB", upright.size)
        copy.paste(upright)  # the pixels alone
        copy.thumbnail((side, side))
        out = io.BytesIO()
        copy.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= MOST_BYTES:
            return out.getvalue()
    return None


def fetched(url: str, headers: Mapping[str, str] | None = None) -> bytes | None:
    """The small copy of the photo at an address; empty where there is no picture, None where nothing could be fetched
    now (nobody answers, or the source fails). Both are warned of."""
    try:
        with requests.get(url, headers=headers, timeout=_SECONDS, stream=True) as answer:
            if answer.status_code in (404, 410):
                logger.warning("a photo stays a link, since its source doesn't give it (%d)", answer.status_code)
                return b""
            answer.raise_for_status()
            content = answer.raw.read(_FETCHED + 1, decode_content=True)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        logger.warning("a photo stays a link until its source gives it (%s)", type(error).__name__)
        return None
    copy = small(content) if len(content) <= _FETCHED else None
    if copy is None:
        logger.warning("a photo stays a link, since what its source gives is no picture of usual size")
    return copy or b""
