"""What importing costs, counted in heavy libraries, and what is said where an optional one lacks.

Both are looked at in processes of their own, in which nothing is imported yet.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from simenv.values.extras import EXTRA_OF, install_line, needing

ROOT = Path(__file__).parent.parent
PACKAGES = ("simenv", "agents", "recommenders", "training", "experiments")
HEAVY = (
    "cornac", "datasets", "faiss", "huggingface_hub", "hydra", "jinja2", "matplotlib", "mesa",
    "numba", "openai", "pandas", "peft", "pyarrow", "pydantic", "ray", "rich", "safetensors",
    "scipy", "sklearn", "solara", "stable_baselines3", "tokenizers", "torch", "transformers",
)  # fmt: skip
STEPS = {  # statement → the heavy libraries that it may bring, and no other
    "import simenv": set(),
    "import gymnasium; gymnasium.make('ScriptedRec-v0')": {"scipy"},
    "import agents.assembly": set(),
    "from agents.population.schema import Head": {"pydantic"},
    "gymnasium.make('PersonaRec-v0', engine='scripted')": {"pandas", "pyarrow", "safetensors"},
    "env = gymnasium.make('PersonaRec-v0')": {"numba", "tokenizers", "torch"},
    "env.reset(seed=0); env.step([0, 1, 2, 3, 4])": set(),  # neither transformers nor peft
}
MOST_MODULES = 2600  # of all kinds behind the last step; 2213 on 26 November 2026
_DOCSTRING = re.compile(r'"""(?:.|\n)*?"""')  # whose lines may begin with "from"
_IMPORT = re.compile(r"^\s*(?:import|from) ([a-zA-Z]\w*)", re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BASE = {"faiss", "gymnasium", "hydra", "jinja2", "markupsafe", "matplotlib", "numpy", "omegaconf",
        "pandas", "PIL", "pooch", "pyarrow", "pydantic", "regex", "rich", "safetensors", "scipy",
        "sklearn", "threadpoolctl", "yaml"}  # fmt: skip
BY_HAND = {"implicit", "sentence_transformers", "vllm", "pytest"}  # they say it where they are used
DOORS = {  # name → code that needs a library, in a process that has none of the extras
    "gym.make": "import simenv, gymnasium; gymnasium.make('PersonaRec-v0')",
    "vector": "import simenv, gymnasium; gymnasium.make_vec('PersonaRec-v0', num_envs=2)",
    "training": "import training.adapters.lora",
    "society": "import simenv.abm.model",
    "sb3": "import simenv.wrappers.sb3_vec_env",
    "ppo": "import recommenders.rl.ppo",
    "server": "import os; os.environ['OPENAI_BASE_URL'] = 'http://127.0.0.1:9/v1';"
    " import agents.assembly as a; from agents.population.population import Population;"
    " a.make_engine(Population.shipped(), 'server')",
    "hub": "from agents.population.population import Population; Population.load('owner/name')",
    "shared": "from experiments.reporting.on_hub.shared_results import shared_results;"
    " shared_results('owner/name')",
    "elbow": "import numpy as n; from training.groups.clusters import elbow; elbow([9, 4, 2, 1.8])",
    "als": "from recommenders.policies.factorisation import _implicit; _implicit('als')",
    "command": "import sys; sys.argv = ['personarec', 'experiment=simulate', 'debug=tiny',"
    " 'users=scripted', 'output_dir=' + OUT]; from experiments.__main__ import main; main()",
}
BLOCKED = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
OUT = {out!r}
try:
    {code}
except BaseException as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(folder)},
    )  # fmt: skip


@pytest.mark.slow
def test_each_step_brings_no_other_heavy_library_than_it_needs(tmp_path):
    lines = ["import json, sys", "seen, found = set(), []"]
    for statement in STEPS:
        lines += [statement, "now = {m for m in HEAVY if m in sys.modules}"]
        lines += ["found.append(sorted(now - seen))", "seen |= now"]
    code = f"HEAVY = {HEAVY!r}\n" + "\n".join(lines)
    done = run(code + "\nprint(json.dumps([found, len(sys.modules)]))", tmp_path)
    assert done.returncode == 0, done.stderr
    found, modules = json.loads(done.stdout)
    over = {step: set(new) - STEPS[step] for step, new in zip(STEPS, found, strict=True)}
    assert {step: new for step, new in over.items() if new} == {}
    assert modules <= MOST_MODULES


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
def test_where_an_extra_is_not_installed_the_error_is_its_install_line(door, tmp_path):
    absent = sorted({*EXTRA_OF, "implicit"})
    code = BLOCKED.replace("{absent}", repr(absent)).replace("{out!r}", repr(str(tmp_path / "out")))
    done = run(code.replace("{code}", DOORS[door]), tmp_path)
    last = (done.stderr.strip() or "no error at all").splitlines()[-1]
    lines = f"{done.stdout}\n{done.stderr}".splitlines()
    said = [line for line in lines if "pip install" in line]
    assert said, last
    assert re.search(r"pip install '?personarec\[\w+\]", said[-1]), last
    if door in ("gym.make", "vector"):
        assert "or pass engine='scripted' or 'server'" in said[-1]


def test_every_optional_library_of_the_code_has_its_extra():
    """A new lazy import without an entry would end in a bare "No module named …"."""
    found = set()
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            found |= set(_IMPORT.findall(_DOCSTRING.sub("", text)))
    others = found - set(sys.stdlib_module_names) - BASE - set(PACKAGES) - {"conf"}
    assert others - set(EXTRA_OF) <= BY_HAND
    assert set(EXTRA_OF.values()) <= set(PROJECT["optional-dependencies"])


def test_an_import_error_of_others_stays_as_it_is():
    assert install_line(ImportError("cannot import name 'x'", name="torch")) is None
    assert install_line(ModuleNotFoundError("No module named 'mine'", name="mine")) is None
    said = ModuleNotFoundError("kneed: pip install 'personarec[train]'", name="kneed")
    assert install_line(said) is None
    absent = pytest.raises(ModuleNotFoundError, match="No module named 'nothing_of_ours'")
    with absent, needing("it"):
        import nothing_of_ours  # noqa: F401
