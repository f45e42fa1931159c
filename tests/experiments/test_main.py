"""The command line itself; the experiments have tests of their own."""

import re
import sys

import pytest

from experiments.__main__ import main


def call(monkeypatch, *words):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")  # raise instead of printing and exiting
    monkeypatch.setattr(sys, "argv", ["personarec", *words])
    main()


def test_help_needs_no_experiment(monkeypatch, capsys):
    with pytest.raises(SystemExit, match="0"):
        call(monkeypatch, "--help")
    assert re.search(r"experiment: .*policy_ranking", capsys.readouterr().out)


def test_a_missing_value_is_an_error_that_names_it(monkeypatch, tmp_path):
    with pytest.raises(
        ValueError, match=r"policy_ranking wanted a value for data\.path; add data\.path="
    ):
        call(monkeypatch, "experiment=policy_ranking", "data=custom", f"output_dir={tmp_path}")


def test_an_error_is_the_last_line_printed(monkeypatch, capsys, tmp_path):
    words = ["experiment=policy_ranking", "data=custom", f"output_dir={tmp_path}"]
    monkeypatch.setattr(sys, "argv", ["personarec", *words])
    with pytest.raises(SystemExit, match="1"):
        main()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(
        "ValueError: policy_ranking wanted a value for data.path; add data.path="
    )


def test_no_experiment_lists_the_choices(monkeypatch):
    with pytest.raises(Exception, match=r"(?s)experiment=<OPTION>.*policy_ranking"):
        call(monkeypatch)


def test_a_launcher_that_is_not_installed_is_named_beside_those_that_are(monkeypatch, capsys):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    words = ["experiment=policy_ranking", "hydra/launcher=ray", "-m"]
    monkeypatch.setattr("sys.argv", ["personarec", *words])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr().err
    assert "Could not find 'hydra/launcher/ray'" in printed
    assert "joblib" in printed
