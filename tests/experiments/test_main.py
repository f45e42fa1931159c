"""The command line itself; the experiments have tests of their own."""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.__main__ import main
from experiments.command_line.experiments_said import experiments
from experiments.command_line.first_word import VERBS


def call(monkeypatch, *words):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")  # raise instead of printing and exiting
    monkeypatch.setattr(sys, "argv", ["personarec", *words])
    main()


def printed_error(monkeypatch, capsys, *words):
    """The last line on the error stream of a command that ends with code 1."""
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setattr(sys, "argv", ["personarec", *words])
    with pytest.raises(SystemExit, match="1"):
        main()
    printed = capsys.readouterr().err
    assert "Traceback" not in printed
    last = printed.splitlines()[-1]
    assert last.startswith("error: ")
    return last.removeprefix("error: ")


def test_help_needs_no_experiment(monkeypatch, capsys):
    with pytest.raises(SystemExit, match="0"):
        call(monkeypatch, "--help")
    assert re.search(r"(?s)experiment: .*policy_ranking", capsys.readouterr().out)


def test_help_says_what_each_experiment_answers_needs_and_takes(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit, match="0"):
        call(monkeypatch, "--help")
    lines = capsys.readouterr().out.splitlines()
    for name, said in experiments().items():
        at = next(i for i, line in enumerate(lines) if line.startswith(f"{name} "))
        assert said.question[:30] in lines[at]
        assert said.takes
        assert f"takes {said.takes}; needs {said.needs}" in " ".join(lines[at + 1].split())


def test_help_names_every_verb_and_the_exit_codes(monkeypatch, capsys):
    with pytest.raises(SystemExit, match="0"):
        call(monkeypatch, "--help")
    printed = " ".join(capsys.readouterr().out.split())
    for verb in (*VERBS, "show", "chat", "runs"):
        assert f"personarec {verb}" in printed
    assert "0 done; 1 an error, which is the last line printed; 130 stopped by Ctrl-C" in printed


def test_how_long_an_experiment_takes_stands_in_the_table_of_what_was_measured():
    page = Path(__file__).parents[2].joinpath("docs", "performance.md").read_text(encoding="utf-8")
    for name, said in experiments().items():
        assert f"| {name} | {said.takes} | " in page, name


def test_help_fits_into_eighty_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        call(monkeypatch, "--help")
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_the_version_is_that_of_this_package(monkeypatch, capsys):
    call(monkeypatch, "--version")
    assert re.fullmatch(r"personarec \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_a_missing_value_is_an_error_that_names_it(monkeypatch, tmp_path):
    with pytest.raises(
        ValueError, match=r"policy_ranking wanted a value for data\.path; add data\.path="
    ):
        call(monkeypatch, "experiment=policy_ranking", "data=custom", f"output_dir={tmp_path}")


def test_an_error_is_the_last_line_printed(monkeypatch, capsys, tmp_path):
    words = ["experiment=policy_ranking", "data=custom", f"output_dir={tmp_path}"]
    last = printed_error(monkeypatch, capsys, *words)
    assert last.startswith("policy_ranking wanted a value for data.path; add data.path=")


def test_no_experiment_lists_the_choices(monkeypatch, capsys):
    with pytest.raises(Exception, match=r"(?s)experiment=<OPTION>.*policy_ranking"):
        call(monkeypatch)
    last = printed_error(monkeypatch, capsys)
    assert re.match(r"which experiment\? add experiment=NAME\..* policy_ranking", last)


TYPOS = {
    ("experiment=policy_rankin",): r"mean experiment=policy_ranking\? \(there are alignment, ",
    ("experiment=cluster", "data=movielens_10m"): r"did you mean data=movielens_1\w+\? \(there",
    ("experiment=cluster", "num_user=3"): r"num_user is no option .*; did you mean num_users\?",
    ("experiment=cluster", "data.num_user=3"): r"data\.num_user is no .* mean data\.num_users\?",
    ("experiment=cluster", "num_itms=3"): r"num_itms is no option .* mean (data\.)?num_items\?",
    ("experiment=cluster", "dta=custom"): r"dta is no option .*; did you mean data\?",
    ("experiment=cluster", "experiment.ms=word"): r"experiment\.ms wanted one of words, numbers, "
    r"got word; did you mean experiment\.ms=words\?",
    ("experiment=cluster", "+data.num_item=3"): r"data\.num_item is no option of simenv\.data\."
    r"synthetic\.synthetic; did you mean data\.num_items\?",
    ("experiment=cluster", "data.path=log.csv"): r"data\.path is an option of data=custom, .*add",
    ("experiment=policy_ranking", "engine.base_url=x"): r"engine\.base_url is an option of "
    r"engine=server; add it to the command",
    ("experiment=policy_ranking", "recommender=[random,poplarity]"): r"did you mean "
    r"recommender=popularity\? \(there are als, ",
    ("experiment=policy_ranking", "recommender=[random,mine.Mix]"): r"one of your own is added "
    r"beside them: \+recommender\.NAME\._target_=mine\.Mix ",
    ("experiment=policy_ranking", "+recommender.mix=mine.Mix"): r"recommender\.mix wanted a policy"
    r".*, got mine\.Mix; did you mean recommender\.mix\._target_=mine\.Mix\?$",
    ("experiment=cluster", "words"): r"words cannot be read; options are written option=value",
}


@pytest.mark.parametrize("words", TYPOS, ids=" ".join)
def test_a_typo_is_answered_with_the_nearest_name(words, monkeypatch, capsys, tmp_path):
    last = printed_error(monkeypatch, capsys, *words, f"output_dir={tmp_path}")
    assert re.search(TYPOS[words], last)


FIRST = {
    "smok": r"^smok cannot be read; did you mean personarec smoke\?$",
    "policy_ranking": r"did you mean personarec experiment=policy_ranking\?$",
    "polcy_rankin": r"did you mean personarec experiment=policy_ranking\?$",
    "zzz": r"options are written option=value, and personarec --help lists experiments and verbs$",
}


@pytest.mark.parametrize("word", FIRST)
def test_a_first_word_that_is_no_verb_is_answered_with_the_nearest(word, monkeypatch, capsys):
    assert re.search(FIRST[word], printed_error(monkeypatch, capsys, word))


def test_a_verb_ends_with_code_0_or_with_its_error_and_code_1(monkeypatch, capsys):
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setattr(sys, "argv", ["personarec", "list", "users"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "inspect wanted" in printed_error(monkeypatch, capsys, "inspect", "people=x")


def test_ctrl_c_ends_a_run_with_code_130_and_a_line(monkeypatch, capsys, tmp_path):
    def stopped(cfg, overrides):
        raise KeyboardInterrupt

    monkeypatch.setattr("experiments.reporting.running.perform", stopped)
    words = ["experiment=cluster", "data=tiny", f"output_dir={tmp_path}"]
    monkeypatch.setattr(sys, "argv", ["personarec", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err.endswith(
        "error: stopped by Ctrl-C; what was written is kept, and the same command goes on\n"
    )


def test_the_tab_key_completes_names_of_experiments_and_options(monkeypatch, capsys):
    monkeypatch.setenv("COMP_LINE", "personarec experiment=policy_")
    monkeypatch.setenv("COMP_POINT", "29")
    call(monkeypatch, "--shell-completion", "query=bash")
    assert "experiment=policy_ranking" in capsys.readouterr().out


MISSPELT = {
    "my_policies.GenreMx": r"did you mean my_policies\.GenreMix\?$",
    "my_polices.GenreMix": r"did you mean my_policies\.GenreMix\?$",
    "my_policies.Best": r"name a class or function of a module in the working directory",
    "elsewhere.Best": r"No module named 'elsewhere'; name a class or function of a module in",
}


@pytest.mark.parametrize("name", MISSPELT)
def test_a_policy_of_ones_own_with_a_typo_is_answered_with_the_nearest(
    name, monkeypatch, capsys, tmp_path
):
    (tmp_path / "my_policies.py").write_text("class GenreMix: ...\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["experiment=policy_ranking", "data=tiny", f"+recommender.mine._target_={name}"]
    last = printed_error(monkeypatch, capsys, *words)
    assert re.search(MISSPELT[name], last)
    monkeypatch.delitem(sys.modules, "my_policies", raising=False)


def test_what_a_file_lacks_is_said_in_one_line_and_in_words_that_a_shell_takes(
    monkeypatch, capsys, tmp_path
):
    log = tmp_path / "log (1).csv"
    rows = [f"{u};{i};{(u * i) % 11}\n" for u in range(12) for i in range(9)]
    log.write_text("user_id;item_id;rating\n" + "".join(rows), encoding="utf-8")
    words = ["experiment=distil", "data=custom", f"data.path={log}"]
    last = printed_error(monkeypatch, capsys, *words, f"output_dir={tmp_path}/out")
    assert "pass 'data.separator=;', or name the right ones" in last
    words.append("data.separator=;")
    last = printed_error(monkeypatch, capsys, *words, f"output_dir={tmp_path}/out")
    assert last.endswith("as 'data.rating_scale=[0,10]'")
    words.append("data.rating_scale=[0,10]")
    monkeypatch.setattr(sys, "argv", ["personarec", *words, f"output_dir={tmp_path}/out"])
    main()
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert results["dataset"]["reading"]["warnings"][0].endswith("pass data.split=lot")
    assert """ "data.separator=';'" """ in results["provenance"]["command"]


def test_a_missing_file_is_named_without_a_traceback(monkeypatch, capsys, tmp_path):
    words = ["experiment=cluster", "data=custom", f"output_dir={tmp_path}"]
    last = printed_error(monkeypatch, capsys, *words, f"data.path={tmp_path / 'nobody.csv'}")
    assert re.search(r"nobody\.csv", last)
    assert "Errno" not in last


def test_keywords_of_python_become_options_of_the_command(monkeypatch, capsys, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("user_id,item_id,rating\n1,1,5\n1,2,nine\n", encoding="utf-8")
    words = ["experiment=cluster", "data=custom", f"data.path={log}", f"output_dir={tmp_path}/out"]
    last = printed_error(monkeypatch, capsys, *words)
    assert "data.on_bad_rows=drop" in last
    assert '"drop"' not in last
    log.write_text("who,item_id,rating\n1,1,5\n", encoding="utf-8")
    assert "data.user_column=" in printed_error(monkeypatch, capsys, *words)


def test_a_gpu_that_is_not_there_is_known_before_anything_is_read(monkeypatch, capsys, tmp_path):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    words = ["experiment=policy_ranking", "engine.device=cuda", f"output_dir={tmp_path}"]
    last = printed_error(monkeypatch, capsys, *words)
    assert re.match(r"engine\.device=cuda wanted an NVIDIA GPU .*; use engine\.device=cpu", last)


def test_a_fault_of_the_code_says_how_its_place_is_shown(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("experiments.collect.run.collect", lambda runs: 1 / 0)
    monkeypatch.setattr("experiments.collect.run.read_runs", lambda folder: [])
    words = ["experiment=collect", f"sweep_dir={tmp_path}", f"output_dir={tmp_path}/out"]
    last = printed_error(monkeypatch, capsys, *words)
    assert last == (
        "ZeroDivisionError: division by zero (HYDRA_FULL_ERROR=1 before the command shows where)"
    )
    with pytest.raises(ZeroDivisionError):
        call(monkeypatch, *words)


def test_options_may_follow_the_flag_of_a_sweep(monkeypatch, capsys, tmp_path):
    words = ["experiment=cluster", "data=tiny", "experiment.k=2,3", "experiment.most=3"]
    monkeypatch.setattr(sys, "argv", ["personarec", *words, "-m", f"output_dir={tmp_path}"])
    main()
    assert {p.parent.name for p in tmp_path.rglob("results.json")} == {"0", "1"}


def test_a_job_of_a_sweep_that_fails_lets_the_others_go_on(monkeypatch, capsys, tmp_path):
    words = ["experiment=cluster", "data=tiny", "experiment.k=0,2", "experiment.most=3"]
    monkeypatch.setattr(sys, "argv", ["personarec", *words, "-m", f"output_dir={tmp_path}"])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "error: experiment.k wanted a whole number from 1" in capsys.readouterr().err
    assert [p.parent.name for p in tmp_path.rglob("results.json")] == ["1"]


def test_a_launcher_that_is_not_installed_is_named_beside_those_that_are(monkeypatch, capsys):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    words = ["experiment=policy_ranking", "hydra/launcher=slurm", "-m"]
    last = printed_error(monkeypatch, capsys, *words)
    assert "Could not find 'hydra/launcher/slurm'" in last
    assert "joblib" in last
    assert "ray" in last


@pytest.mark.slow  # loads the shipped language model in a process of its own
def test_libraries_are_quiet(tmp_path):
    command = [
        sys.executable, "-m", "experiments", "experiment=policy_ranking", "debug=tiny",
        "recommender=[random]", f"output_dir={tmp_path}",
    ]  # fmt: skip
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    ours = ("people:", "policies:", "fidelity:", "collusion:")
    assert [line for line in lines if not line.startswith(ours)] == []


SECRET = "sk-Zq77/xy+99"


@pytest.mark.parametrize(
    "word", [f"+engine.api_key={SECRET}", "engine.base_url=http://me:sk-Zq77%2Fxy@127.0.0.1:9/v1"]
)
@pytest.mark.parametrize("more", [[], ["hydra.verbose=true"], ["--cfg", "job"]])
def test_a_key_on_the_command_line_is_on_no_stream(monkeypatch, capsys, tmp_path, word, more):
    """Hydra printed all words of a run that failed, as they were written."""
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    words = ["experiment=policy_ranking", "engine=server", "data.num_users=x", *more]
    monkeypatch.setattr(sys, "argv", ["personarec", *words, word, f"output_dir={tmp_path}"])
    with contextlib.suppress(SystemExit):
        main()
    streams = capsys.readouterr()
    assert "Zq77" not in streams.out + streams.err
    assert not any("Zq77" in path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_a_sweep_with_a_key_is_refused_since_hydra_writes_its_words(monkeypatch, capsys):
    words = ["-m", "experiment=tune", f"+engine.api_key={SECRET}", "seed=1,2"]
    assert printed_error(monkeypatch, capsys, *words) == (
        "+engine.api_key=***: a sweep writes its command into multirun.yaml, and a key would stand"
        " in it; give the key in the environment (OPENAI_API_KEY)"
    )
