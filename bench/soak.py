"""`python -m bench.soak --minutes 10`: mixed turns and deliveries, and what they leave behind.

`app.py` runs as a process of its own between the stand-ins. Everybody of the clinic works at once:
commands, forms, reviews, sends, lists, wrong entries, sign-outs. Every few seconds the process's
memory, tasks and open files are read from `/metrics`, and on Linux its connections; at the end the
last third is held against the middle one. Exit code 1: something grew.
"""

import argparse
import asyncio
import contextlib
import os
import random
import re
import socket
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from sandbox.stage import Stage
from sandbox.world import Person
from tests.desk import Desk

ROOT = Path(__file__).resolve().parent.parent
EVERY_S = 10.0
# What may come on top between the middle third and the last: noise, not growth. A pool of
# connections fills to its limit (100) in bursts, and takes turns with all it has.
MOST = {"memory MB": 6.0, "tasks": 8.0, "connections": 16.0, "open files": 16.0}
_READ = {
    "memory MB": (r"^process_resident_memory_bytes (\S+)", 1 / 2**20),
    "tasks": (r"^herald_tasks (\S+)", 1.0),
    "open files": (r"^process_open_fds (\S+)", 1.0),
}
_FAST = {"TEXT_RATE": "1000", "TEXT_RATE_OVERALL": "1000", "NOTICE_RATE": "1000"}
_PATIENT = {"NOTICE_RATE_OVERALL": "1000", "DELIVERIES_PER_HOUR": "1000000", "TENANT_RATE": "10000"}


@dataclass
class Soak:
    """The run so far: what was done, what failed, and what was read."""

    stage: Stage
    metrics_port: int
    process_id: int
    done: Counter[str] = field(default_factory=Counter)
    samples: list[dict[str, float]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self, person: Person, dice: random.Random) -> None:
        """One person's day, until it is over."""
        desk = Desk(self.stage, person)
        await desk.teams.install(person)
        jobs = [self.text, self.text, self.notice, self.lists, self.wrong, self.away]
        while not self.over.is_set():
            job = dice.choice(jobs)
            try:
                await job(desk, dice)
                self.done[job.__name__] += 1
            except (LookupError, AssertionError, TimeoutError):
                # The card it needs isn't there yet: as for a person who signed out a moment ago.
                self.done[f"{job.__name__}: not there yet"] += 1
            # The stand-ins write everything down; what is measured is the app.
            del self.stage.teams.chat(person).messages[:-12]
            await asyncio.sleep(dice.uniform(0.0, 0.2))

    async def text(self, desk: Desk, dice: random.Random) -> None:
        """A text, now or later, and a look at it."""
        mine = [m for m in self.stage.world.meetings.values() if m.organizer_id == desk.person.id]
        if not mine:
            return await self.lists(desk, dice)
        await desk.say("text")
        phone = f"(206) 342-{dice.randrange(8600, 8700)}"
        await desk.press("text.review", meeting=dice.choice(mine).join_url, phone_0=phone)
        await desk.press("text.edit" if dice.random() < 0.2 else "text.send")
        return None

    async def notice(self, desk: Desk, dice: random.Random) -> None:
        """A notice to everybody else."""
        others = [who for who in self.stage.world.people.values() if who.id != desk.person.id]
        chosen = dice.sample(others, 2)
        await desk.say("notify")
        await desk.press("notice.choose_kind", activity_type="systemDefault")
        await desk.press(
            "notice.review",
            param_systemDefaultText="The kitchen is open again.",
            preview="Come and see.",
            recipients=",".join(who.id for who in chosen),
        )
        await desk.press("notice.send")

    async def lists(self, desk: Desk, dice: random.Random) -> None:
        """What one sent, and what waits."""
        await desk.say(dice.choice(["history", "scheduled", "help", "whoami", "status"]))

    async def wrong(self, desk: Desk, dice: random.Random) -> None:
        """Something mistyped, and a form that comes back."""
        await desk.say(dice.choice(["txet", "hello there", "notfy"]))
        await desk.say("text")
        await desk.press("text.review", phone_0="12")

    async def away(self, desk: Desk, dice: random.Random) -> None:
        """Signed out, and in again."""
        if dice.random() < 0.3:
            await desk.say("signout")
        await desk.say("signin")

    async def watch(self, minutes: float) -> None:
        """Read and print, until the time is over."""
        ends_at = time.monotonic() + minutes * 60
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < ends_at:
                await asyncio.sleep(EVERY_S)
                with contextlib.suppress(aiohttp.ClientError):
                    self.samples.append(await self._read(session))
                    print(self._line(), flush=True)
                self.stage.world.graph_calls.clear()
                self.stage.world.phones.clear()
                self.stage.world.feeds.clear()
                self.stage.entra.requests.clear()
        self.over.set()

    async def _read(self, session: aiohttp.ClientSession) -> dict[str, float]:
        async with session.get(f"http://127.0.0.1:{self.metrics_port}/metrics") as answer:
            text = await answer.text()
        found = {}
        for name, (pattern, factor) in _READ.items():
            match = re.search(pattern, text, re.MULTILINE)
            found[name] = float(match[1]) * factor if match else 0.0
        found["connections"] = float(sockets(self.process_id))
        return found

    def _line(self) -> str:
        turns = sum(number for job, number in self.done.items() if ":" not in job)
        values = "  ".join(f"{name} {value:7.1f}" for name, value in self.samples[-1].items())
        return f"{len(self.samples) * EVERY_S:5.0f} s  jobs {turns:6d}  {values}"

    def grown(self) -> dict[str, float]:
        """How much more there was in the last third than in the middle one, by the medians."""
        third = max(1, len(self.samples) // 3)
        middle, last = self.samples[-2 * third : -third], self.samples[-third:]
        return {
            name: statistics.median(one[name] for one in last)
            - statistics.median(one[name] for one in middle)
            for name in MOST
        }


def sockets(process_id: int) -> int:
    """How many sockets a process has open; 0 where the system does not tell."""
    found = 0
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{process_id}/fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                found += os.readlink(entry.path).startswith("socket:")
    return found


async def soak(minutes: float, seed: int) -> int:
    """Run; 0 when nothing grew."""
    async with Stage() as stage:
        port = _free_port()
        environment = stage.environment(METRICS_PORT=str(port), LOG_LEVEL="ERROR", **_FAST)
        app = await asyncio.create_subprocess_exec(
            sys.executable, "app.py", cwd=ROOT, env={**os.environ, **environment, **_PATIENT}
        )
        run = Soak(stage, port, app.pid)
        stage.world.limits_enforced = False
        try:
            await _until_up(stage)
            people = list(stage.world.people.values())
            async with asyncio.TaskGroup() as together:
                together.create_task(run.watch(minutes))
                for number, person in enumerate(people):
                    together.create_task(run.work(person, random.Random(seed + number)))  # noqa: S311
        finally:
            app.terminate()
            await app.wait()
    return _told(run)


def _told(run: Soak) -> int:
    print("\nDone:", ", ".join(f"{name} {number}" for name, number in sorted(run.done.items())))
    grown, bad = run.grown(), 0
    for name, more in grown.items():
        first, last = run.samples[0][name], run.samples[-1][name]
        is_too_much = more > MOST[name]
        bad += is_too_much
        verdict = "GREW" if is_too_much else "flat"
        print(
            f"{name:11}  first {first:7.1f}  last {last:7.1f}  last third {more:+6.1f}  {verdict}"
        )
    return int(bool(bad))


async def _until_up(stage: Stage) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", stage.app_port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> int:
    """The command."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("--minutes", type=float, default=10.0)
    command.add_argument("--seed", type=int, default=1)
    chosen = command.parse_args()
    return asyncio.run(soak(chosen.minutes, chosen.seed))


if __name__ == "__main__":
    sys.exit(main())
