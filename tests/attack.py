"""The attack, by one command: all hostile inputs that the tests know, and what came of them.

``make attack`` runs the tests that ``PARTS`` names: hostile answers of a server, spoilt folders of
populations, processes killed at random moments, and fuzzed files, settings and commands. It fails
if an input neither worked rightly nor was refused in our own words, or if a part is smaller than
it has to be. What is done is kept as it comes, so after an interruption the same command goes on;
a change of the code begins anew. How an input is judged is for each test to say.
"""

import argparse
import hashlib
import json
import platform
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from simenv.whole_files import write_whole
from tests.tally import COUNTS

ROOT = Path(__file__).parents[1]
FOLDER = Path("runs/attack")
DURATION = "Half an hour of one core"


class Part(NamedTuple):
    """One row of the table."""

    kind: str  # what the tests call it when they count
    least: int  # inputs, or the attack has failed
    tests: tuple[str, ...]


PARTS = (
    Part(
        "answers of a server",
        59,
        ("tests/agents/inference/server/test_hostile_answers.py",),
    ),
    Part(
        "spoilt population folders",
        118,
        ("tests/agents/population/test_hostile_folders.py",),
    ),
    Part(
        "processes killed at work",
        38,
        (
            "tests/agents/population/test_saving.py"
            "::test_a_population_whose_save_is_killed_is_the_old_one_or_the_new_one",
            "tests/simenv/abm/keeping/test_checkpoint.py"
            "::test_kill_9_at_a_random_moment_changes_nothing_in_20_trials",
            "tests/training/adapters/test_lora_kills.py"
            "::test_ten_kills_at_any_moment_change_not_a_bit",
        ),
    ),
    Part(
        "fuzzed files of ratings",
        100_000,
        (
            "tests/simenv/data/readers/test_fuzz.py"
            "::test_twenty_five_thousand_files_of_each_kind_are_read_or_refused",
        ),
    ),
    Part(
        "fuzzed environments",
        20_000,
        (
            "tests/simenv/env/test_fuzzed_doors.py"
            "::test_20000_random_inputs_work_or_are_refused_in_our_words",
        ),
    ),
    Part(
        "fuzzed commands",
        2_000,
        (
            "tests/experiments/command_line/test_options.py"
            "::test_thousands_of_overrides_are_fine_or_refused_in_words",
        ),
    ),
)


class Attack:
    """A plugin of pytest: leaves out what is done already, keeps what is done, makes the table.

    Args:
        parts: rows of the table.
        kept: a file of lines, one a test that has passed; made where it is missing.
        table: where the table is written when every test has run.
    """

    def __init__(self, parts: Sequence[Part], kept: Path, table: Path) -> None:
        self.parts, self.kept, self.table = parts, kept, table
        self.done = dict(_passed(kept))
        write_whole(kept, "".join(_line(*test) for test in self.done.items()))
        self.failed: list[str] = []
        self.problems: list[str] = []
        self._before: Counter[tuple[str, str]] = Counter()

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[Any]) -> None:
        """Leave out the tests that have passed on this code."""
        rest = [item for item in items if item.nodeid not in self.done]
        config.hook.pytest_deselected(items=[item for item in items if item not in rest])
        print(f"\n{DURATION} in all: {len(rest)} of {len(items)} tests are left.")
        items[:] = rest

    def pytest_runtest_setup(self) -> None:
        """Remember the counts, to know what the test adds to them."""
        self._before = COUNTS.copy()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test that passed has counted."""
        if report.failed:
            self.failed.append(report.nodeid)
        elif report.when == "teardown" and report.nodeid not in self.failed and report.passed:
            counts = [[*key, number] for key, number in (COUNTS - self._before).items()]
            self.done[report.nodeid] = counts
            with self.kept.open("a", encoding="utf-8") as file:
                file.write(_line(report.nodeid, counts))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the table and fail where something is missing."""
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.done:
            session.exitstatus = pytest.ExitCode.OK  # everything was done before
        if exitstatus not in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR):
            self.problems = [*self._missing(), *(f"failed: {name}" for name in self.failed)]
            if self.problems:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self.table.write_text(self.lines(), encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table, or how to go on."""
        terminalreporter.section("the attack")
        if self.table.exists():
            terminalreporter.write_line(self.table.read_text(encoding="utf-8"))
            terminalreporter.write_line(f"This table: {self.table}")
        else:
            terminalreporter.write_line("Interrupted: the same command goes on from here.")

    def lines(self) -> str:
        """The table as Markdown, with where and when it was made."""
        rows = ["| inputs | tried | worked rightly | refused in our words | anything else |",
                "| --- | --- | --- | --- | --- |"]  # fmt: skip
        for part in self.parts:
            worked, refused = (self.counted(part.kind, end) for end in ("worked", "refused"))
            wrong = sum(name.startswith(part.tests) for name in self.failed)
            tried = worked + refused + wrong
            rows.append(f"| {part.kind} | {tried:,} | {worked:,} | {refused:,} | {wrong} |")
        return "\n".join([*rows, "", _origin(), *self.problems, ""])

    def counted(self, kind: str, came_to: str) -> int:
        """How many inputs of a kind came to that."""
        return sum(n for counts in self.done.values() for k, c, n in counts
                   if (k, c) == (kind, came_to))  # fmt: skip

    def _missing(self) -> Iterator[str]:
        for part in self.parts:
            tried = sum(self.counted(part.kind, end) for end in ("worked", "refused"))
            if tried < part.least:
                yield f"too few {part.kind}: wanted {part.least:,}, got {tried:,}"


def _line(name: str, counts: list[Any]) -> str:
    return json.dumps([name, counts]) + "\n"


def _passed(kept: Path) -> Iterator[tuple[str, list[Any]]]:
    """Tests that have passed and what they counted; a line that was cut off counts for nothing."""
    text = kept.read_text(encoding="utf-8") if kept.exists() else ""
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            name, counts = json.loads(line)
            yield name, counts


def _origin() -> str:
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    )
    commit = said.stdout.strip() or "unknown"
    day = datetime.now(UTC).date().isoformat()
    return f"{day}, commit {commit}, Python {platform.python_version()}, {platform.machine()}"


def code_digest() -> str:
    """What stands for this code: what was done on another counts for nothing."""
    digest = hashlib.sha256()
    for path in sorted(p for e in ("*.py", "*.yaml", "*.toml") for p in ROOT.rglob(e)):
        if not {".venv", "build", "runs"} & set(path.relative_to(ROOT).parts):
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def main() -> int:
    """Run what is left of the attack."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--again", action="store_true", help="forget what was done before")
    again = parser.parse_args().again
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept, table = FOLDER / f"{code_digest()}.jsonl", FOLDER / "table.md"
    table.unlink(missing_ok=True)
    if again:
        kept.unlink(missing_ok=True)
    tests = [test for part in PARTS for test in part.tests]
    options = ["-q", "-m", "not gpu and not network", "-p", "no:cacheprovider", "-W", "ignore"]
    return int(pytest.main([*options, *tests], plugins=[Attack(PARTS, kept, table)]))


if __name__ == "__main__":
    sys.exit(main())
