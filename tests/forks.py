"""A process that has loaded Herald, and becomes one as often as it is asked: importing takes longer
than anything else at a start, and a test that kills processes needs many.

`python -m tests.forks` reads requests from the socket that is its standard input: a JSON object
{code, argv, environment}, with two descriptors: where the new process's standard error goes, and
where its id is told and, at its end, its exit code (or minus the signal), a line each. It ends with
its socket, and so do those that it started.
"""

import gc
import json
import os
import selectors
import signal
import socket
import sys
from typing import Any, NoReturn

import app  # noqa: F401 - loaded here, so that those who are forked have it
from bot.admin import cli  # noqa: F401
from bot.admin.commands import worker  # noqa: F401

LONGEST_REQUEST = 2**18


class Forks:
    """The processes that live, and where each one's end is to be told."""

    def __init__(self, asked: socket.socket) -> None:
        self._asked = asked
        self._living: dict[int, int] = {}
        self._woken, wake = socket.socketpair()
        for end in (self._woken, wake):
            end.setblocking(False)
        self._wake = wake
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno())

    def run(self) -> None:
        """Until whoever asks has gone."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._asked, selectors.EVENT_READ, self._ask)
            selector.register(self._woken, selectors.EVENT_READ, self._bury)
            while all(key.data() for key, _ in selector.select()):
                pass
        for process_id in self._living:
            os.kill(process_id, signal.SIGKILL)

    def _ask(self) -> bool:
        request, descriptors, _, _ = socket.recv_fds(self._asked, LONGEST_REQUEST, 2)
        if not request:
            return False
        errors, told = descriptors
        process_id = os.fork()
        if not process_id:
            self._become(json.loads(request), errors)
        os.close(errors)
        self._living[process_id] = told
        os.write(told, b"%d\n" % process_id)
        return True

    def _bury(self) -> bool:
        self._woken.recv(4096)
        for process_id, told in list(self._living.items()):
            ended, status = os.waitpid(process_id, os.WNOHANG)
            if ended:
                os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
                os.close(told)
                del self._living[process_id]
        return True

    def _become(self, request: dict[str, Any], errors: int) -> NoReturn:
        """Never comes back: what is left of the one that forked is none of this one's business."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(errors, 2)
        os.closerange(3, 1024)
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.argv = request["argv"]
        code: object = 1
        try:
            exec(request["code"], {"__name__": "__main__"})  # noqa: S102
            code = 0
        except SystemExit as ended:
            code = ended.code
        except BaseException:  # noqa: BLE001 - said, as any other process would
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else bool(code))


def main() -> None:
    """Load, and be ready."""
    gc.collect()
    gc.freeze()  # or every one that is forked would touch, and so copy, all of it
    Forks(socket.socket(fileno=0)).run()


if __name__ == "__main__":
    main()
