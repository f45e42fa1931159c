"""The shipped model through llama-cpp-python's own server: another program, the same people.

Runs where llama-cpp-python is installed (``pip install 'personarec[llama]'`` compiles it, about ten
minutes on two cores), here or in the Python that LLAMA_CPP_PYTHON names.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from agents.assembly import persona_users
from agents.inference.engine import Sampling
from agents.inference.local.local_engine import LocalEngine
from agents.inference.server.prompt_tokens import PromptTokens
from agents.inference.server.server_engine import ServerEngine
from agents.prompts import RATING_CHOICES
from training.base.export_gguf import export_gguf

DECIMAL = re.compile(r" ?[+-]?\d\.\d")
PYTHON = os.environ.get("LLAMA_CPP_PYTHON", sys.executable)
INSTALLED = (
    subprocess.run(
        [PYTHON, "-c", "import importlib.util as u, sys; sys.exit(not u.find_spec('llama_cpp'))"]
    ).returncode
    == 0
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not INSTALLED, reason="needs pip install 'personarec[llama]'"),
]


@pytest.fixture(scope="module")
def url(population, tmp_path_factory):
    """The server of a subprocess, on a free port."""
    folder = tmp_path_factory.mktemp("gguf")
    export_gguf(population.model, folder / "pocket.gguf")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(PYTHON, "-m", "llama_cpp.server", "--model", str(folder / "pocket.gguf")),
        *("--model_alias", "pocket", "--host", "127.0.0.1", "--port", str(port)),
        *("--n_ctx", "1024", "--logits_all", "true", "--n_threads", "1"),
    ]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/v1/models", server)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="module")
def requests(population):
    """Questions of five people, those whose every decimal is one token; see ``export_gguf``."""
    users = persona_users(population, engine="scripted")
    asked = users.requests(np.arange(5), np.tile(np.arange(12), (5, 1)))
    words = Tokenizer.from_file(str(Path(population.model) / "tokenizer.json")).get_vocab()
    decimals = [set(DECIMAL.findall(request.prefix + request.suffix)) for request in asked]
    kept = [
        request
        for request, found in zip(asked, decimals, strict=True)
        if all(decimal.replace(" ", "Ġ") in words for decimal in found)
    ]
    assert len(kept) >= 10
    return kept


def test_the_server_answers_as_the_local_engine(url, population, requests):
    server = ServerEngine(population.model, served_model="pocket", base_url=url, concurrency=2)
    expected = LocalEngine(population.model).score(requests, RATING_CHOICES)
    found = server.score(requests, RATING_CHOICES)
    np.testing.assert_allclose(np.exp(found), np.exp(expected), rtol=0, atol=1e-4)
    server.close()


def test_the_server_cuts_prompts_into_the_same_tokens(url, population, requests):
    tokens = PromptTokens(population.model)
    for request in requests:
        body = json.dumps({"input": request.prefix + request.suffix}).encode()
        asked = urllib.request.Request(
            url.replace("/v1", "/extras/tokenize"), body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked) as answer:
            assert json.load(answer)["tokens"] == tokens.prompt(request)


def test_greedy_text_is_the_local_engines(url, population, requests):
    greedy = Sampling(max_new_tokens=1, temperature=0)
    server = ServerEngine("pocket", base_url=url, concurrency=1)
    assert server.generate(requests[:5], greedy) == LocalEngine(population.model).generate(
        requests[:5], greedy
    )


def _wait_until_up(url, server):
    for _ in range(300):
        assert server.poll() is None, "the server stopped; see its log"
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(url)
