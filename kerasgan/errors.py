"""Failures that a person can act on: each message says what is wrong, where, and what to do."""


class KerasganError(Exception):
    """Base of the errors below; the command line prints it as one line and exits with status 1."""


class DataError(KerasganError, ValueError):
    """Pictures or tables of pictures that cannot be used as they are."""


class ModelError(KerasganError, ValueError):
    """A model file or run folder that cannot be used as it is."""


class DistributionError(KerasganError, RuntimeError):
    """Devices or machines that cannot be used together as asked, or that were lost."""


class TrainingError(KerasganError, ArithmeticError):
    """Training that has no finite loss any more."""


class Stopped(KerasganError):
    """Training that was asked by SIGTERM to stop, as a cloud machine is before it goes away."""


class Interrupted(KeyboardInterrupt):
    """Training that was interrupted, as by Ctrl-C.

    Args:
        complete: how many epochs are complete, and kept.
    """

    def __init__(self, complete: int):
        super().__init__()
        self.complete = complete


class OutputError(KerasganError, OSError):
    """A place that cannot be written to, or would be overwritten."""


def first_line(error: BaseException) -> str:
    """Shortens what another library says to its first line, for use in a message of ours.

    Args:
        error: any exception.

    Returns:
        The first line of its text, or its type's name where it has none.
    """
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
