"""The rating server under load: 200 raters x 60 answers at once, none lost or doubled; then the same with five crashes.

The server is the command as a user types it, a process of its own; every tenth answer is sent twice, as by a page that
heard no reply. In the second part the process is killed (SIGKILL) and started again while raters answer; right after
each kill the database must hold every answer that a rater was told is kept. Exits with 1 on a loss.

python benchmarks/study_server.py [--raters 200] [--answers 60] [--kills 5]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median, quantiles

from vivid_bench.study.links import Links, load_links
from vivid_bench.study.saved import read_key
from vivid_bench.study.store import STORE, read_store
from vivid_bench.study.types import Answer, Item, RaterPlan, StudyKey, StudyRun, StudySample

SEND_AGAIN_EVERY = 10
WAIT_SECONDS = 60.0


def make_study(folder: Path, raters: int, answers: int) -> None:
    """Write a key and packets; the server looks at no more of a packet than that it is the key's."""
    samples = tuple(
        StudySample(id=f"s{i}", suite="mini", task="delete", prompt="p", source_video="v") for i in range(answers)
    )
    runs = tuple(
        StudyRun(suite="mini", task="delete", method=m, version="1", run_key=m, composite="none") for m in ("a", "b")
    )
    items = tuple(Item(id=f"i{i + 1:03d}", kind="scored", sample=i, shown=(0, 1)) for i in range(answers))
    plans = tuple(RaterPlan(rater=f"r{i + 1:03d}", packet=f"{i + 1:064x}", items=items) for i in range(raters))
    key = StudyKey(
        study="0123456789abcdef", design="pairwise", ties=True, questions=("overall",), seed=0, deadline=None,
        samples=samples, clip_seconds=(1.0,) * answers, runs=runs, raters=plans,
    )  # fmt: skip
    for plan in plans:
        packet = folder / "packets" / plan.rater
        (packet / "media").mkdir(parents=True)
        (packet / "index.html").write_text(plan.packet)
    (folder / "key.json").write_text(key.model_dump_json())


class Server:
    """The process, which can be killed and started again at the same port."""

    def __init__(self, study: Path) -> None:
        self._study = study
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start the process and wait for its addresses, which it prints once it listens."""
        command = [sys.executable, "-m", "vivid_bench", "study", "serve", str(self._study), "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"http://[^/]+:(\d+)/admin/", line):
                self.port = int(found[1])
                return
        raise RuntimeError(f"the server ended with {self._process.wait()}")

    def kill(self) -> None:
        """End the process as a crash would."""
        self._process.kill()
        self._process.wait()


class Crowd:
    """Raters who answer all at once, and what they were told is kept.

    Attributes:
        kept: (rater, item) -> value, of answers that the server acknowledged.
        seconds: from sending to the acknowledgement, retries included.
    """

    def __init__(self, key: StudyKey, links: Links, port: int) -> None:
        self._key = key
        self._links = links
        self._port = port
        self._lock = threading.Lock()
        self.kept: dict[tuple[str, str], int] = {}
        self.seconds: list[float] = []

    def answer_all(self) -> None:
        """Let every rater answer everything, each in a thread."""
        with ThreadPoolExecutor(len(self._key.raters)) as pool:
            list(pool.map(self._answer, self._key.raters))

    def snapshot(self) -> dict[tuple[str, str], int]:
        """Return what is acknowledged by now."""
        with self._lock:
            return dict(self.kept)

    def _answer(self, plan: RaterPlan) -> None:
        client = _Client(self._port, f"/r/{self._links.raters[plan.rater]}/")
        for i, item in enumerate(plan.items):
            value = 1 + hash((plan.rater, item.id)) % 2
            answer = Answer(item=item.id, values={"overall": value}, seconds=1.5, at="2026-01-01T00:00:00Z")
            start = time.monotonic()
            for _ in range(2 if i % SEND_AGAIN_EVERY == 0 else 1):
                client.post("answers", answer.model_dump_json())
            with self._lock:
                self.kept[plan.rater, item.id] = value
                self.seconds.append(time.monotonic() - start)
        client.post("finish", "{}")


class _Client:
    def __init__(self, port: int, base: str) -> None:
        self._base = base
        self._connection = HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)

    def post(self, name: str, body: str) -> None:
        """Send until it is acknowledged, as the page does."""
        give_up = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                self._connection.request("POST", self._base + name, body, {"Content-Type": "application/json"})
                response = self._connection.getresponse()
                text = response.read()
            except (OSError, HTTPException):
                self._connection.close()
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)
                continue
            if response.status != 200:
                raise RuntimeError(f"{name}: {response.status} {text.decode(errors='replace')}")
            return


def count_wrong(study: Path, expected: dict[tuple[str, str], int], *, exactly: bool) -> tuple[int, int]:
    """Return how many expected answers the database lacks or has otherwise, and how many it has twice or too many."""
    stored = [
        (rater, answer["item"], answer["values"]["overall"])
        for rater, texts in read_store(study / STORE).answers.items()
        for answer in map(json.loads, texts)
    ]
    found = {(rater, item): value for rater, item, value in stored}
    lost = sum(found.get(place) != value for place, value in expected.items())
    doubled = len(stored) - len(found) + (len(found.keys() - expected.keys()) if exactly else 0)
    return lost, doubled


def crash(server: Server, crowd: Crowd, working: Future[None], study: Path, at: Sequence[int]) -> int:
    """Kill and restart the server whenever so many answers are kept; return how many kept answers a crash lost."""
    lost = 0
    for answers in at:
        while len(crowd.kept) < answers and not working.done():
            time.sleep(0.002)
        server.kill()
        # After the kill: nothing is acknowledged by a dead process.
        lost += count_wrong(study, crowd.snapshot(), exactly=False)[0]
        server.start()
    return lost


def measure(raters: int, answers: int, kills: int) -> bool:
    """Run one part, print its line, and return whether nothing was lost or doubled."""
    with tempfile.TemporaryDirectory() as folder:
        study, total = Path(folder), raters * answers
        make_study(study, raters, answers)
        key = read_key(study)
        links = load_links(study, key)
        server = Server(study)
        crowd = Crowd(key, links, server.port)
        start = time.monotonic()
        try:
            with ThreadPoolExecutor(1) as pool:
                working = pool.submit(crowd.answer_all)
                at = [total * step // (kills + 1) for step in range(1, kills + 1)]
                lost_in_crash = crash(server, crowd, working, study, at)
                working.result()
            seconds = time.monotonic() - start
        finally:
            server.kill()
        lost, doubled = count_wrong(study, crowd.kept, exactly=True)
        finished = len(read_store(study / STORE).finished)
    lost += lost_in_crash + total - len(crowd.kept)
    print(
        f"{raters} raters x {answers} answers, {kills} crashes: {lost} lost, {doubled} doubled, "
        f"{finished} raters finished, {total / seconds:.0f} answers/s, a reply takes {median(crowd.seconds) * 1e3:.0f} "
        f"ms (median), {quantiles(crowd.seconds, n=100)[98] * 1e3:.0f} ms (99th percentile)",
        flush=True,
    )
    return lost == doubled == 0 and finished == raters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--raters", type=int, default=200)
    parser.add_argument("--answers", type=int, default=60)
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    parts = [measure(options.raters, options.answers, kills) for kills in (0, options.kills)]
    sys.exit(0 if all(parts) else 1)


if __name__ == "__main__":
    main()
