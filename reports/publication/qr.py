"""QR codes of addresses, as inline SVG, and what of a page's drawings is one."""

import html
import re
from collections.abc import Iterator

import segno
from markupsafe import Markup

# How segno draws modules: runs along the middle of a row.
_MODULES = re.compile(r"""\bd\s*=\s*["'](M\d+ \d+\.5h[^"']*)["']""")


def qr_code(address: str) -> Markup:
    """The QR code of an address."""
    # One mask for all: trying all eight takes four times as long, and readers take any.
    code = segno.make_qr(address, error="m", mask=3)
    return Markup(code.svg_inline(scale=4, border=4, dark="#000", light="#fff", svgclass="qrcode", lineclass=None))


def strange_codes(page: str, address: str) -> Iterator[str]:
    """The modules of each QR code in a page that is not that of its own address."""
    found = [html.unescape(drawn) for drawn in _MODULES.findall(page)]
    if found:
        own = set(_MODULES.findall(qr_code(address)))
        yield from (drawn for drawn in found if drawn not in own)
