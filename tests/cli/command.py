"""Running a command as a person types it."""

from click.testing import CliRunner

from kerasgan.cli import main


def run(*arguments, status=0):
    """Runs kerasgan in this process; returns what it printed."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    if status:
        assert "Traceback" not in result.output
    elif result.exception:
        raise result.exception
    return result.output
