"""Secrets that stand in paths stay out of the log: urllib3 logs every path at level DEBUG."""

import logging
import re


def hide(pattern: str, shown: str) -> None:
    """From now on show what matches the pattern in urllib3's log as `shown`."""

    def hidden(record: logging.LogRecord) -> bool:
        record.msg = re.sub(pattern, shown, record.getMessage())
        record.args = ()
        return True

    logging.getLogger("urllib3.connectionpool").addFilter(hidden)
