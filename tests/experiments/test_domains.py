"""Jokes on a scale of their own and a shop with prices, from a CSV to a ranking and a society."""

import pytest

from tests.experiments.command import run_command

JOKES = ["data=custom", "data.path=jokes.csv", "data.user_column=who", "data.item_column=text",
         "data.rating_column=funny", "data.rating_scale=[-10,10]", "data.split=lot",
         "data.domain=joke", "engine=scripted"]  # fmt: skip
SHOP = ["data=custom", "data.path=sold.csv", "data.items_path=items.csv", "data.rating_scale=[0,1]",
        "data.title_column=name", "data.genres_column=category", "data.kind=product",
        "data.split=lot", "data.facts={price: eur}", "engine=scripted"]  # fmt: skip
SHORT = ["num_users=6", "env.max_episode_steps=3", "recommender=[random,popularity,item_knn]"]


@pytest.fixture(autouse=True)
def _files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jokes = [f"Why did the hen cross road {i}? To reach road {i + 1}!" for i in range(60)]
    rows = [f'u{who:02},"{joke}",{(7 * who + 5 * i) % 41 / 2 - 10}'
            for who in range(20) for i, joke in enumerate(jokes) if (who + i) % 3]  # fmt: skip
    (tmp_path / "jokes.csv").write_text("\n".join(["who,text,funny", *rows]))
    items = [f"{i},Thing {i},{'Garden' if i % 2 else 'Toys'},{i}.90" for i in range(60)]
    (tmp_path / "items.csv").write_text("\n".join(["item_id,name,category,eur", *items]))
    rows = [f"u{who:02},{i},{(who + i) % 2}"
            for who in range(20) for i in range(60) if (who + i) % 3]  # fmt: skip
    (tmp_path / "sold.csv").write_text("\n".join(["user_id,item_id,rating", *rows]))


def texts(found):
    """All words of a result."""
    if isinstance(found, dict):
        return " ".join(texts(value) for value in found.values())
    return " ".join(map(texts, found)) if isinstance(found, list) else str(found)


@pytest.mark.slow
def test_jokes_are_ranked_as_jokes_and_their_scale_is_told(tmp_path):
    results = run_command(tmp_path / "out", "experiment=policy_ranking", *JOKES, *SHORT)
    told = texts(results)
    assert 'JOKE: "Why did the hen cross road' in told
    assert "You use a joke recommender. You read" in told
    assert "watch" not in told
    assert "-10 became 1 star, 10 became 5. A star is worth 5 of its points." in told
    assert [policy["error"] for policy in results["policies"]] == [None] * 3


@pytest.mark.slow
def test_people_live_with_jokes(tmp_path):
    short = ["experiment.ticks=3", "recommender=[popularity]"]
    run_command(tmp_path / "out", "experiment=simulate", *JOKES, *short)
    assert "watch" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_shop_tells_prices_and_takes_likes(tmp_path):
    told = texts(run_command(tmp_path / "out", "experiment=policy_ranking", *SHOP, *SHORT))
    assert "You use a product recommender. You shop" in told
    assert "Garden. Price " in told
    assert "0 became 1 star, 1 became 5. Nobody gave anything between." in told
    assert "price (column 'eur')" in told


def test_a_domain_that_is_not_there_ends_the_command_with_the_names(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_command(tmp_path / "out", "experiment=policy_ranking", *JOKES, "data.domain=jokes")
    assert "got 'jokes'; perhaps 'joke' is meant" in capsys.readouterr().err
