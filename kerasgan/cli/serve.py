"""kerasgan serve."""

import re
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.options import MODEL, read_bundle
from kerasgan.errors import OutputError


@click.command()
@click.argument("models", type=MODEL, nargs=-1)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0 takes any that is free.",
)
def serve(models: tuple[Path, ...], port: int) -> None:
    """Show the page that restores pictures in a browser, for this machine alone.

    MODELS are bundles, or names of models that come with kerasgan; the page lets choose among them.
    They are those for photographs, pages, other impulses and grain unless you name others.
    """
    from kerasgan.store.page import write_page
    from kerasgan.store.zoo import GENERAL_MODELS, read_saved_model

    bundles = [*map(read_bundle, models)] or [*map(read_saved_model, GENERAL_MODELS)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "page"
        write_page(bundles, folder)
        handler = partial(_Handler, directory=str(folder), policy=_policy(folder))
        with _listening(port, handler) as server:
            # A page that the browser still loads does not hold up the end.
            server.daemon_threads = True
            click.echo(f"Open http://localhost:{server.server_port}/ in a browser; Ctrl-C ends it")
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                click.echo("Stopped")


def _listening(port: int, handler: Any) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise OutputError(
            f"cannot listen on port {port}: {error.strerror}; choose another one by --port"
        ) from error


def _policy(folder: Path) -> str:
    """Reads the page's own Content-Security-Policy."""
    page = (folder / "index.html").read_text(encoding="utf-8")
    match = re.search(r'http-equiv="Content-Security-Policy"\s+content="([^"]*)"', page)
    if match is None:
        raise OutputError("the page has no Content-Security-Policy; build it again")
    return match[1]


class _Handler(SimpleHTTPRequestHandler):
    """Serves files as a server should that puts the page on the web."""

    # Whatever the system believes of them.
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".tflite": "application/octet-stream",
        ".webmanifest": "application/manifest+json",
    }

    def __init__(self, *arguments: Any, policy: str, **options: Any):
        self._policy = policy
        super().__init__(*arguments, **options)

    def end_headers(self) -> None:
        # What stands in the page does not hold for its workers; a header does.
        self.send_header("Content-Security-Policy", self._policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        # Files are asked for again, and sent if they have changed.
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keeps the terminal for what matters."""
