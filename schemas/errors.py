"""The few errors of Jejak, chosen by what the caller does next. Each message carries the remedy and no secret."""


class JejakError(Exception):
    """Base of all errors that Jejak raises on purpose; its text is meant for an operator."""


class SettingsError(JejakError):
    """The settings are incomplete or contradictory: nothing was read; mend them and run again."""


class SourceUnavailable(JejakError):
    """The source did not answer in time, refused, or asked to come back later: the same call may succeed later."""


class StructureError(JejakError):
    """The answer is not what the service promises (HTML for JSON, a lost key column, far too few rows): nothing is
    changed until a person has looked."""


class Conflict(JejakError):
    """What somebody decides on is no longer as they saw it: nothing was decided; look again."""


class RowError(JejakError):
    """One row can't be used: it is kept whole with this reason and the rest goes on."""
