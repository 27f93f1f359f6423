"""What the log says of failures: enough to find them, and nothing that people wrote or sent."""

import asyncio
import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bot.logs import set_up_logging
from bot.settings import Settings
from sandbox.stage import Stage
from tests.desk import Desk

SEATTLE = "(206) 342-8631"
TOKEN = "eyJhbGciOiJub25lIn0.e30."


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the product writes with its logging set up as in production."""
    records = logging.getLogRecordFactory()
    set_up_logging(Settings.model_construct(log_level="INFO"))
    written = io.StringIO()
    structlog.configure(
        cache_logger_on_first_use=False, logger_factory=structlog.WriteLoggerFactory(written)
    )
    yield written
    structlog.reset_defaults()
    logging.setLogRecordFactory(records)


async def test_an_unexpected_error_logs_its_type_and_way_and_no_number(
    adele: Desk, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(values: Any, **_: Any) -> Any:
        raise ValueError(f"cannot read {values['phone_0']}")

    await adele.say("text")
    monkeypatch.setattr("bot.appointments.form.read", broken)
    monkeypatch.setattr("bot.teams.replies.log", structlog.get_logger("x"))
    await adele.press("Review", phone_0=SEATTLE)
    assert "turn.failed" in logged.getvalue()
    assert '"error": "ValueError"' in logged.getvalue()
    assert "test_logs.py" in logged.getvalue()
    assert "342-8631" not in logged.getvalue()


def test_an_exception_is_logged_without_its_words_wherever_it_is_caught(
    logged: io.StringIO,
) -> None:
    try:
        try:
            raise KeyError("+12063428631")
        except KeyError as inner:
            raise RuntimeError("for +12063428631") from inner
    except RuntimeError:
        structlog.get_logger("x").exception("something.failed")
    assert '"error": "RuntimeError from KeyError"' in logged.getvalue()
    assert "2063428631" not in logged.getvalue()


def test_a_librarys_exception_is_logged_without_its_words(
    logged: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        raise ValueError("to +12063428631")
    except ValueError as error:
        logging.getLogger("somebody").exception("100 %% wrong: %s", error)
    assert "ValueError" in caplog.text
    assert "wrong" in caplog.text
    assert "2063428631" not in caplog.text


async def test_a_lost_tasks_exception_is_logged_without_its_words(
    logged: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    lost = {"message": "Task was lost", "exception": ValueError("to +12063428631")}
    loop.default_exception_handler({**lost, "future": loop.create_future()})
    assert "Task was lost" in caplog.text
    assert "2063428631" not in caplog.text


@pytest.mark.parametrize(
    "header", [f"Authorization : Bearer {TOKEN}", f"Authorization: Bearer {TOKEN}\0", f"{TOKEN}"]
)
async def test_a_misshapen_header_logs_no_token(
    adele: Desk,
    stage: Stage,
    logged: io.StringIO,
    caplog: pytest.LogCaptureFixture,
    header: str,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.app_port)
    # A whole request first: a connection's first misshapen line is hardly logged at all.
    writer.write(b"GET /auth/page.css HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    writer.write(f"POST /api/messages HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert b" 400 " in answer
    told = "\n".join(r.getMessage() + str(r.exc_info and r.exc_info[1]) for r in caplog.records)
    assert "Error handling request" in told
    assert "eyJ" not in told + caplog.text + logged.getvalue()
