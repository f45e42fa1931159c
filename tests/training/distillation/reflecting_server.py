"""The shared OpenAI server, answering as a model that reflects; it can answer badly on order."""

import json
from collections import defaultdict
from typing import Any

from agents.inference.scripted import ScriptedEngine
from tests.agents.inference.server.openai_server import OpenAIServer, wrapped

USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}


def reflection(asked: dict[str, Any]) -> dict[str, Any]:
    """A profile that states how many ratings it has seen, by adding to the one that came."""
    prior = asked["profile_so_far"]
    seen = [] if prior is None else prior["profile"].split()[1:]
    titles = [row["title"].replace(" ", "_") for row in asked["ratings"]]
    return {
        "activity": "often", "conformity": "low", "diversity": "wide",
        "profile": " ".join(["Seen:", *seen, *titles]),
        "reasons": [
            {"number": row["number"], "reason": f"I gave {row['title']} {row['stars']:g}.\n"}
            for row in asked["ratings"]
        ],
    }  # fmt: skip


class ReflectingServer(OpenAIServer):
    """``bad``: part of the first question → how its answers are bad, in order."""

    def __init__(self, *, bad: dict[str, list[str]] | None = None, **settings: Any) -> None:
        super().__init__(ScriptedEngine(), **settings)
        self.bad = defaultdict(list, {k: list(v) for k, v in (bad or {}).items()})
        self.authorization = ""

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert body["response_format"]["json_schema"]["strict"] is True
        question = body["messages"][1]["content"]
        answer = reflection(json.loads(question))
        kind = ""
        for part, kinds in self.bad.items():
            if part in question and kinds:
                kind = kinds.pop(0)
        text = self.spoil(kind, answer)
        answer = wrapped(body, True, text, None, 1)
        answer["choices"][0]["finish_reason"] = "length" if kind == "length" else "stop"
        answer["usage"] = None if kind == "no_usage" else USAGE
        return answer

    def spoil(self, kind: str, answer: dict[str, Any]) -> str:
        if kind == "long":
            answer["profile"] = "word " * 1998  # and three words in the other sections
        if kind == "few":
            answer["reasons"].pop()
        if kind == "twice":
            answer["reasons"][-1]["number"] = 1
        if kind == "schema":
            answer["extra"] = answer.pop("activity")
        if kind == "echo":
            answer["profile"] += f" {self.sent[-1].authorization}"
        text = json.dumps(answer)
        return text[:40] if kind in ("truncated", "length") else "" if kind == "empty" else text
