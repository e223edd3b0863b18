"""Failures that a person can act on: each message says what is wrong, where, and what to do."""


class KerasganError(Exception):
    """Base of the errors below; the command line prints it as one line and exits with status 1."""


class DataError(KerasganError, ValueError):
    """Pictures or tables of pictures that cannot be used as they are."""


class ModelError(KerasganError, ValueError):
    """A model file or run folder that cannot be used as it is."""


class OutputError(KerasganError, OSError):
    """A place that cannot be written to, or would be overwritten."""
