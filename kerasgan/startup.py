"""Starting TensorFlow for the command line: quietly, and fast on a CPU."""

import contextlib
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import IO, Any, TextIO, cast

_ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    # Faster convolutions on most processors.
    "TF_ENABLE_ONEDNN_OPTS": "1",
}


def start_tensorflow(find_devices: Callable[[], Any] | None = None) -> Any:
    """Imports TensorFlow and lets it find its devices, without its messages.

    Environment variables that the user has set are left alone. Should the start fail, everything
    that was held back is printed.

    Args:
        find_devices: called after the import, to find devices in another way than usually.

    Returns:
        What `find_devices` returned.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    with held_back_stderr():
        import absl.logging
        import tensorflow as tf

        found = (find_devices or tf.config.list_logical_devices)()
        absl.logging.set_verbosity(absl.logging.ERROR)
        tf.get_logger().setLevel("ERROR")
    return found


def import_tensorflow() -> None:
    """Imports TensorFlow without its messages, and changes nothing else that a program may rely on.

    The library calls this, for which `start_tensorflow` would be too much: it sets environment
    variables and filters of warnings, and devices that were found can be configured no more.
    """
    if "tensorflow" not in sys.modules:
        with held_back_stderr():
            import tensorflow  # noqa: F401


class _ByThread:
    """Python's stderr: what the threads write that hold back is held, and the others' is shown."""

    def __init__(self, held: TextIO, shown: TextIO, holders: list[int]) -> None:
        self.held, self.shown, self._holders = held, shown, holders

    def __getattr__(self, name: str) -> Any:
        holds = threading.get_ident() in self._holders
        return getattr(self.held if holds else self.shown, name)


class _Stderr:
    """The process' stderr: in a file, as long as any thread holds it back."""

    def __init__(self) -> None:
        self._lock, self._original = threading.Lock(), -1
        # Threads, as often as they hold back.
        self._holders: list[int] = []
        self._by_thread: _ByThread | None = None
        self._held: IO[bytes]

    def hold(self) -> int:
        """Begins to hold back; returns how much is held already."""
        with self._lock:
            if not self._holders:
                if sys.stderr is not None:
                    sys.stderr.flush()
                # To be read while others write: they write at its end, wherever that was.
                self._held = tempfile.TemporaryFile("a+b", buffering=0)
                self._original = os.dup(2)
                os.dup2(self._held.fileno(), 2)
                self._split(sys.stderr)
            self._holders.append(threading.get_ident())
            return os.fstat(self._held.fileno()).st_size

    def release(self, *, shown_from: int | None = None) -> None:
        """Ends what `hold` began, and prints what was held since then where that is asked for."""
        with self._lock:
            if self._by_thread is not None:
                self._by_thread.held.flush()
            try:
                if shown_from is not None:
                    self._held.seek(shown_from)
                    os.write(self._original, self._held.read())
            finally:
                self._holders.remove(threading.get_ident())
                if not self._holders:
                    self._join()
                    os.dup2(self._original, 2)
                    os.close(self._original)
                    self._held.close()

    def _split(self, stream: TextIO | None) -> None:
        """Lets Python's stderr, where it is the process', go on for threads that do not hold."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if stream is not None and stream.fileno() == 2:
                encoding, errors = stream.encoding, stream.errors
                shown = open(self._original, "w", 1, encoding, errors, closefd=False)
                self._by_thread = _ByThread(stream, shown, self._holders)
                sys.stderr = cast(TextIO, self._by_thread)

    def _join(self) -> None:
        """Undoes that; loggers may go on writing to what they found meanwhile."""
        if self._by_thread is None:
            return
        self._by_thread.shown.flush()
        self._by_thread.shown = self._by_thread.held
        if sys.stderr is cast(TextIO, self._by_thread):
            sys.stderr = self._by_thread.held
        self._by_thread = None


_STDERR = _Stderr()


@contextlib.contextmanager
def held_back_stderr() -> Iterator[None]:
    """Keeps what C++ code writes to stderr, whatever the log level, unless an exception leaves.

    Any threads may do so at a time; what the others print meanwhile is shown.
    """
    # Where it was closed at the start, its number may be another file's by now.
    if sys.__stderr__ is None:
        yield
        return
    before = _STDERR.hold()
    try:
        yield
    except Exception:
        _STDERR.release(shown_from=before)
        raise
    except BaseException:  # Whoever interrupts it has no use for what it said.
        _STDERR.release()
        raise
    _STDERR.release()
