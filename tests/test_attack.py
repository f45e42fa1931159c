"""The runner of the attack counts what the tests say, goes on where it was, and fails aloud."""

import json

import pytest

from tests.attack import PARTS, ROOT, Attack, Part

pytest_plugins = "pytester"

TESTS = """
    import pathlib
    import pytest
    from tests.tally import tally

    def test_of_two():
        with open("ran.txt", "a") as file:
            file.write("two ")
        tally("toys", "worked")
        tally("toys", "refused")

    def test_of_one():
        with open("ran.txt", "a") as file:
            file.write("one ")
        tally("toys", "refused")
        if pathlib.Path("broken").exists():
            raise {error}
"""


@pytest.fixture
def attack(pytester):
    def run(least=3, error="ValueError"):
        pytester.makepyfile(test_toys=TESTS.format(error=error))
        part = Part("toys", least, ("test_toys.py",))
        plugin = Attack((part,), pytester.path / "kept.jsonl", pytester.path / "table.md")
        plugin.table.unlink(missing_ok=True)
        options = ["-p", "no:cacheprovider", "--timeout=0"]
        code = pytester.inline_run(*options, plugins=[plugin], no_reraise_ctrlc=True).ret
        return code, plugin.table.read_text() if plugin.table.exists() else None

    return run


def test_what_the_tests_count_stands_in_the_table(attack):
    code, table = attack()
    assert code == 0
    assert "| toys | 3 | 1 | 2 | 0 |" in table


def test_what_was_done_is_not_done_again(attack, pytester):
    assert [attack()[0], attack()[0]] == [0, 0]
    assert attack() == attack()
    assert (pytester.path / "ran.txt").read_text() == "two one "


def test_after_an_interruption_the_rest_is_done(attack, pytester):
    (pytester.path / "broken").touch()
    code, table = attack(error="KeyboardInterrupt")
    assert (code, table) == (2, None)
    with (pytester.path / "kept.jsonl").open("a") as kept:
        kept.write('["test_toys.py::test_of_one", [["to')  # cut off by a kill
    (pytester.path / "broken").unlink()
    code, table = attack()
    assert code == 0
    assert "| toys | 3 | 1 | 2 | 0 |" in table
    assert (pytester.path / "ran.txt").read_text() == "two one one "
    assert all(json.loads(line) for line in (pytester.path / "kept.jsonl").open())


def test_anything_else_fails_and_stands_in_the_table(attack, pytester):
    (pytester.path / "broken").touch()
    code, table = attack(least=2)
    assert code == 1
    assert "| toys | 3 | 1 | 1 | 1 |" in table
    assert "failed: test_toys.py::test_of_one" in table


def test_too_few_inputs_fail(attack):
    code, table = attack(least=4)
    assert code == 1
    assert "too few toys: wanted 4, got 3" in table


@pytest.mark.parametrize(("kind", "test"), [(p.kind, test) for p in PARTS for test in p.tests])
def test_every_part_names_a_test_that_is_there_and_counts_it(kind, test):
    path, _, name = test.partition("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    assert f"def {name or 'test_'}" in source
    assert f'"{kind}"' in source


def test_the_attack_is_as_large_as_the_page_of_reliability_says():
    least = {part.kind: part.least for part in PARTS}
    assert least["answers of a server"] >= 59
    assert least["spoilt population folders"] >= 118
    assert least["processes killed at work"] >= 38
    assert least["fuzzed files of ratings"] >= 100_000
