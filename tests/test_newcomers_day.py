"""A newcomer's first day: an empty folder, the installed command, data that nobody here has seen.

Each step runs in a process of its own, with no data of ours named and no network, and asserts what
a newcomer looks at: the exit code, the console without tracebacks and libraries' noise, the ranking
in console, report and results, and what was read of the files.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # every step starts a process of its own

ROOT = Path(__file__).parents[1]
COMMAND = shutil.which("personarec", path=str(Path(sys.executable).parent))
OURS = re.compile(r"(people|policies|fidelity|collusion|ticks)\b.*: |warning: ")
NOISE = re.compile(r"Traceback|site-packages|Error executing job|gemm|FutureWarning|Errno|^/", re.M)
NUM_READERS, NUM_BOOKS = 24, 80
SHELVES = ("Thriller", "Comedy", "Cook Book", "Comedy, Travel")
COLUMNS = ["data=custom", "data.user_column=reader", "data.item_column=book",
           "data.rating_column=score", "data.rating_scale=[0,10]"]  # fmt: skip
TITLES = ["data.items_path=books.csv", "data.title_column=name", "data.genres_column=shelf",
          "data.genres_separator=, ", "data.kind=book", "data.separator=;"]  # fmt: skip
SMALL = ["recommender=[random,popularity,ease]", "num_users=10", "env.max_episode_steps=3",
         "experiment.num_resamples=50"]  # fmt: skip
POLICIES = '''
import numpy as np

from recommenders.base import Recommender


def longest_titles(users, observation):
    return np.tile(np.arange(80.0), (len(users), 1))


class OneShelf(Recommender):
    """Books of one shelf first."""

    def __init__(self, shelf="Comedy"):
        self.shelf = shelf

    def meet_catalog(self, catalog):
        self._liked = np.array([float(self.shelf in shelves) for shelves in catalog.genres])

    def _fit(self, log):
        pass

    def _score(self, users, observation, rng):
        return np.tile(self._liked, (len(users), 1))
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An empty folder, in which a newcomer has put their files."""
    folder = tmp_path_factory.mktemp("day")
    rng = np.random.default_rng(11)
    tastes = rng.normal(size=(NUM_READERS, len(SHELVES)))
    good = rng.normal(size=NUM_BOOKS)
    rows = []
    for reader in range(NUM_READERS):
        books = rng.choice(NUM_BOOKS, 25, replace=False).tolist()
        for day, book in enumerate(books):
            score = 6.5 + 1.5 * tastes[reader, book % 4] + good[book] + rng.normal(scale=0.5)
            score = int(np.clip(np.round(score), 0, 10))
            when = np.datetime64("2024-01-31") + 9 * day + reader
            rows.append(f"anna-{reader:02};isbn{book:04};{score};{when}")
    rows = [rows[i] for i in rng.permutation(len(rows))]
    text = "\n".join(["reader;book;score;when", *rows])
    (folder / "my log (1).csv").write_text(text, encoding="utf-8")
    untimed = (row.rpartition(";")[0].replace(";", "\t") for row in text.splitlines())
    (folder / "untimed.tsv").write_text("\n".join(untimed), encoding="utf-8")
    books = [
        f"isbn{book:04};Book no. {book};{SHELVES[book % 4]};{5 + book / 4}"
        for book in range(NUM_BOOKS)
    ]
    (folder / "books.csv").write_text("\n".join(["book;name;shelf;price", *books]))
    (folder / "my_policies.py").write_text(POLICIES, encoding="utf-8")
    return folder


def run(folder, *words, code=0, width=80):
    """What a process printed on both streams, checked for what no newcomer wants to see."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PERSONAREC", "HYDRA"))}
    path = {"PYTHONPATH": str(ROOT), "COLUMNS": "80", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, env={**kept, **path}, check=False
    )
    assert done.returncode == code, done.stderr[-3000:]
    assert not NOISE.search(done.stdout + done.stderr), done.stdout + done.stderr
    assert all(map(OURS.match, done.stderr.splitlines())) or code, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("warning: ")]
    assert width is None or [line for line in lines if len(line) > width] == []
    return done.stdout if code == 0 else done.stderr


def personarec(folder, *words, output):
    """The console, the report and the results of a command."""
    assert COMMAND, "pip install . brings the command personarec"
    console = run(folder, COMMAND, *words, f"output_dir={output}")
    report = (folder / output / "report.md").read_text(encoding="utf-8")
    assert (folder / output / "report.html").is_file()
    return console, report, json.loads((folder / output / "results.json").read_text())


def check_ranking(console, report, results, names, num_users):
    """The same policies with numbers of sensible size, in all three places."""
    measured = {policy["name"]: policy["simulated"] for policy in results["policies"]}
    assert set(measured) == set(names)
    assert all(1 < stars["mean_rating"] < 5 for stars in measured.values())
    assert results["setting"]["num_users"] == num_users
    for name in names:
        assert re.search(rf"(?m)^ +{name} +\d\.\d\d\s±\s", console), console
        assert re.search(rf"(?m)^\| {name} \| \d\.\d\d\s±\s", report)
    assert f"{num_users} users, local" in console
    assert "Report: " in console.splitlines()[-1] or "report.html" in console


def test_the_demo_ranks_five_policies_without_any_file(folder):
    console, report, results = personarec(
        folder, "experiment=policy_ranking", "debug=tiny", output="runs/demo"
    )
    five = ["random", "popularity", "item_knn", "als", "ease"]
    check_ranking(console, report, results, five, results["setting"]["num_users"])
    assert "With the true users" in console


def test_an_own_log_from_0_to_10_is_ranked_and_what_was_read_is_said(folder):
    words = ["experiment=policy_ranking", *COLUMNS, *TITLES, *SMALL, "data.path=my log (1).csv"]
    console, report, results = personarec(folder, *words, "data.timestamp_column=when", output="a")
    check_ranking(console, report, results, ["random", "popularity", "ease"], 10)
    read = results["dataset"]["reading"]
    assert (read["num_rows"], read["num_kept"], read["dropped_share"]) == (600, 600, 0)
    assert (read["num_users"], read["num_items"], read["unused_columns"]) == (24, 80, ["price"])
    assert (read["scale"], read["warnings"]) == ([0, 10], [])
    assert 0 <= read["rating_range"][0] < read["rating_range"][1] <= 10
    assert all(user["id"].startswith("anna-") for user in results["traces"]["users"])
    assert "TASK: Rate the book" in results["traces"]["users"][0]["items"][0]["prompt"]
    for sentence in ("600 of 600 rating rows were read (0.0% left out).",
                     "on a scale of 0 to 10, as given; 0 became 1 star, 10 became 5.",
                     "Times: dates.", "come first in time and are training rows",
                     "Columns that are not used: price."):  # fmt: skip
        assert sentence in report
        assert sentence in " ".join(console.split())


def test_without_the_scale_and_the_separator_each_error_is_the_next_word_to_add(folder):
    words = [COMMAND, "experiment=policy_ranking", "data=custom", "data.path=my log (1).csv"]
    said = run(folder, *words, code=1)
    assert "pass 'data.separator=;'" in said.splitlines()[-1]
    said = run(folder, *words, "data.separator=;", *COLUMNS[1:4], code=1)
    assert re.search(r"give the lowest and the highest .* 'data.rating_scale=\[\d,10\]'", said)
    assert "did you mean num_users?" in run(folder, *words, "num_user=3", code=1)
    assert "num_users wanted a whole number from 1" in run(folder, *words, "num_users=-3", code=1)
    missing = [COMMAND, "experiment=policy_ranking", "data=custom", "data.path=ratngs.csv"]
    assert "there is no file ratngs.csv" in run(folder, *missing, code=1)


def test_items_without_times_are_split_by_lot_and_without_it_that_is_said_loudly(folder):
    words = ["experiment=policy_ranking", *COLUMNS, *SMALL, "data.path=untimed.tsv"]
    console, report, results = personarec(folder, *words, output="in_order")
    assert console.count("has no times (timestamp_column): its order is taken for") == 2
    assert "or pass data.split=lot" in " ".join(console.split())
    assert "> **Warning:** untimed.tsv has no times" in report
    console, report, results = personarec(folder, *words, "data.split=lot", output="by_lot")
    check_ranking(console, report, results, ["random", "popularity", "ease"], 10)
    assert results["dataset"]["reading"]["warnings"] == []
    assert "warning" not in console.lower()
    for sentence in ("Times: none.", "60% of everybody's rows are drawn by lot (seed 0) for "
                     "training", "their ids are taken for titles"):  # fmt: skip
        assert sentence in report


def test_own_policies_of_the_folder_stand_in_the_table(folder):
    words = ["experiment=policy_ranking", *COLUMNS, *TITLES, *SMALL, "data.path=my log (1).csv",
             "data.timestamp_column=when"]  # fmt: skip
    own = ["+recommender.cooks={_target_: my_policies.OneShelf, shelf: Cook Book}",
           "+recommender.titles._target_=my_policies.longest_titles"]  # fmt: skip
    console, report, results = personarec(folder, *words, *own, output="own")
    names = ["random", "popularity", "ease", "cooks", "titles"]
    check_ranking(console, report, results, names, 10)
    typo = "+recommender.cooks._target_=my_policies.OneShelv"
    said = run(folder, COMMAND, *words, typo, code=1)
    assert said.rstrip().endswith("did you mean my_policies.OneShelf?")


AGENT = """
import gymnasium as gym
import simenv
from agents.population.population import POCKET
from agents.prompt_style import PromptStyle
from simenv.data.readers.custom import custom
from simenv.wrappers.slate_codes import CodedSlates, MoreLikeThis
from simenv.wrappers.views import Embedded, Flat, Seen
from stable_baselines3 import DQN
from training.populate import population_on

dataset = custom(
    "my log (1).csv", items_path="books.csv", separator=";", kind="book", user_column="reader",
    item_column="book", rating_column="score", rating_scale=(0, 10), timestamp_column="when",
    title_column="name", genres_column="shelf", genres_separator=", ",
)
people = population_on(dataset, str(POCKET / "model"), PromptStyle())
env = gym.make("PersonaRec-v0", population=people, slate_size=3)
vectors = env.unwrapped.catalog.genre_matrix
env = Seen(CodedSlates(env, MoreLikeThis(vectors)), Embedded(vectors), Flat())
agent = DQN("MlpPolicy", env, learning_starts=8, buffer_size=64, batch_size=8, seed=0).learn(24)
observation, info = env.reset(seed=1)
action, _ = agent.predict(observation, deterministic=True)
observation, reward, terminated, truncated, info = env.step(action)
print(len(people.personas), env.action_space, info["ratings"], f"{reward:.2f}")
"""


def test_an_agent_learns_from_people_of_the_own_log(folder):
    pytest.importorskip("stable_baselines3")
    (folder / "agent.py").write_text(AGENT, encoding="utf-8")
    said = run(folder, sys.executable, "agent.py").split()
    assert (said[0], said[1]) == ("24", "Discrete(80)")
    assert 1 <= float(said[-1]) <= 5


def test_a_society_of_the_own_readers_lives_under_two_policies(folder):
    pytest.importorskip("mesa")
    words = ["experiment=simulate", *COLUMNS, *TITLES, "data.path=my log (1).csv",
             "data.timestamp_column=when", "recommender=[random,popularity]",
             "experiment.ticks=3"]  # fmt: skip
    console, report, results = personarec(folder, *words, output="society")
    for name in ("random", "popularity"):
        curves = results["policies"][name]["curves"]
        assert 0 < max(curves["active"]) <= NUM_READERS
        assert re.search(rf"(?m)^ +{name} ", console)
    assert "one seed is no finding" in " ".join(console.split())
    assert "600 of 600 rating rows were read" in report


MODEL = """
import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

words = ByteLevelBPETokenizer()
words.train(["books.csv", "my_policies.py"], vocab_size=400, special_tokens=["<s>", "</s>"])
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=words._tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>"
)
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=2048,
    bos_token_id=0, eos_token_id=1,
)
LlamaForCausalLM(config).save_pretrained("my_slm")
tokenizer.save_pretrained("my_slm")
"""


def test_a_language_model_of_ones_own_answers_from_its_plain_folder(folder):
    (folder / "model.py").write_text(MODEL, encoding="utf-8")
    making = [sys.executable, "model.py"]  # transformers shows a bar of its own
    subprocess.run(making, cwd=folder, capture_output=True, check=True)
    assert (folder / "my_slm" / "model.safetensors").is_file()
    words = ["experiment=policy_ranking", *COLUMNS, *TITLES, *SMALL, "data.path=my log (1).csv",
             "data.timestamp_column=when", "slm=my_slm"]  # fmt: skip
    console, report, results = personarec(folder, *words, output="slm")
    check_ranking(console, report, results, ["random", "popularity", "ease"], 10)
    assert "local my_slm engine" in console
    assert results["users"]["model"] == "my_slm"
    said = run(folder, COMMAND, "experiment=policy_ranking", "debug=tiny", "slm=my_sml", code=1)
    assert "my_sml" in said.splitlines()[-1]


def test_the_page_on_own_data_does_what_it_says_when_it_is_typed(folder):
    page = (ROOT / "docs" / "how-to" / "your_own_data.md").read_text(encoding="utf-8")
    files, question = re.findall(r"(?ms)^```python\n(.*?)^```", page)
    (command,) = re.findall(r"(?ms)^```sh\n(.*?)^```", page)
    (expected,) = re.findall(r"(?ms)^```text\n(.*?)^```", page)
    typed = folder / "typed"
    typed.mkdir()
    run(typed, sys.executable, "-c", files)
    words = shlex.split(command.replace("\\\n", " "))[1:]
    small = [word for word in SMALL if not word.startswith("recommender")]
    console, report, results = personarec(typed, *words, *small, output="runs/books")
    check_ranking(console, report, results, ["random", "popularity", "item_knn", "als", "ease"], 10)
    assert results["dataset"]["reading"]["unused_columns"] == ["price"]
    written = "[^\n]*".join(re.escape(part) for part in expected.rstrip().split("…"))
    asked = run(typed, sys.executable, "-c", question, width=None)
    assert re.search(written, asked), asked
