"""Documents that stand at an address of their own: what systems attach to proposals, packages and jobs."""

import hashlib

from schemas.fields import address, media_type
from transforms.mapping import Body, Context
from transforms.parties import is_personal, scrub


def document(
    owner: str,
    url: str | None,
    context: Context,
    *,
    kind: str | None = None,
    title: str | None = None,
    description: str | None = None,
    date: str | None = None,
    form: str | None = None,
) -> Body | None:
    """An OCDS document whose id is its owner's and a digest of its address; None for what is no http or https address.

    `kind` is a code of OCDS's documentType, `date` local text, `form` the format as the source words it. An address
    that holds what may be a staff or tax number, a phone or an e-mail is kept back, and the document with it.
    """
    found = address(url)
    if found is None or is_personal(found):
        return None
    return {
        "id": f"{owner}-{hashlib.sha256(found.encode()).hexdigest()[:12]}",
        "documentType": kind,
        "title": scrub(title),
        "description": scrub(description),
        "url": found,
        "datePublished": context.moment(date),
        "format": form if form and "/" in form else media_type(f".{form}" if form else found),
        "language": "id",
    }
