"""Runs the command line in this process, as the tests of its commands do."""

from typer.testing import CliRunner

from orchestration.cli import app


def invoke(*arguments, code=0):
    """What a command prints; it has to end with ``code``, and never with a traceback."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result
