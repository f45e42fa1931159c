"""What is known of people: read from ratings and from texts, by stage, or refused by name."""

import json
from dataclasses import replace

import numpy as np
import pytest

from simenv.catalog import Catalog
from simenv.data.splits import split_dataset
from simenv.events import InteractionLog
from tests.training.personified.conftest import lives
from training.personified.corpora import Corpora, Passage
from training.personified.from_ratings import rating_corpora
from training.personified.from_texts import text_corpora

STAGES = ("early", "late")


def dataset(rows=8):
    catalog = Catalog(
        tuple(f"Film {i}" for i in range(8)), np.full(8, 1999), (("Drama",), ("Horror",)) * 4
    )
    n = np.arange(rows)
    log = InteractionLog.from_columns(
        np.concatenate([np.zeros(rows, int), [1] * 8]), np.concatenate([n % 8, np.arange(8)]),
        np.concatenate([1 + n % 5, np.full(8, 3)]),
        np.concatenate([1e9 + 86400.0 * n, 1e9 + np.arange(8.0)]), num_users=2, num_items=8,
    )  # fmt: skip
    return split_dataset("films", catalog, log, ("a", "b"), 1.0)


def test_a_stage_is_a_time_slice_and_a_rating_is_told_twice():
    found = rating_corpora(dataset(), np.array([0]), num_stages=2)
    assert found.people == ["Person a"]
    assert found.stages == STAGES
    told = [(p.stage, p.material, p.fact.title, p.fact.stars) for p in found.passages]
    assert told[:2] == [(0, "objective", "Film 0", 1), (0, "subjective", "Film 0", 1)]
    assert [stage for stage, *_ in told] == [0] * 8 + [1] * 8
    assert found.passages[0].text.startswith('In September 2001 I rated "Film 0" (1999), a movie')
    assert found.passages[0].text.endswith("I gave it 1 star.")
    others = round(float(dataset().averages.fair[0]), 1)
    assert found.passages[0].fact.others == others != 1, "what others gave, not the person"
    assert len(set(found.sources)) == 8
    assert found.rated["Person a"] == {f"Film {i}" for i in range(8)}


def test_what_was_rated_stays_known_where_only_some_of_it_is_told():
    found = rating_corpora(dataset(), np.array([0]), num_stages=2, most=4)
    assert len(found.sources) == 4
    assert len(found.rated["Person a"]) == 8
    assert {p.stage for p in found.passages} == {0, 1}


def test_times_that_are_counts_are_no_dates():
    own = dataset()
    log = own.train
    counted = InteractionLog(
        log.users, log.items, log.ratings, log.timestamps - 1e9, log.num_users, log.num_items
    )
    plain = split_dataset("films", own.catalog, counted, own.user_ids, 1.0)
    text = rating_corpora(plain, np.array([0])).passages[0].text
    assert text.startswith('I rated "Film 0"')


def test_a_person_with_too_few_ratings_for_two_stages_is_refused():
    with pytest.raises(ValueError, match="Person a wanted at least 4 ratings, two for each of 2"):
        rating_corpora(dataset(3), np.array([0]))
    for user in (-1, 2):
        with pytest.raises(ValueError, match=rf"users in \[0, 2\), got {user}; name others"):
            rating_corpora(dataset(), np.array([user]))


def test_an_empty_corpus_and_an_empty_text_are_refused():
    with pytest.raises(ValueError, match="wanted at least one passage of a person, got none"):
        Corpora((), STAGES)
    with pytest.raises(ValueError, match="passage 'x' of Ann wanted a text, got nothing"):
        Corpora((Passage("Ann", 0, "x", "objective", " "),), STAGES)


def test_a_stage_that_is_not_there_is_refused():
    late = Passage("Ann", 2, "x", "objective", "I rated it.")
    with pytest.raises(ValueError, match=r"passage 'x' wanted a stage in \[0, 2\), got 2"):
        Corpora((*lives(), late), STAGES)


def test_a_person_with_one_stage_is_refused_by_name():
    early = tuple(p for p in lives() if p.person == "Bob" or p.stage == 0)
    with pytest.raises(
        ValueError, match=r"Ann wanted passages of every life stage \(early, late\)"
    ):
        Corpora(early, STAGES)
    with pytest.raises(ValueError, match="at least 2 life stages, got 1"):
        Corpora(lives(), ("always",))


def test_later_passages_are_not_of_an_earlier_stage(corpora):
    assert {p.stage for p in corpora.of("Ann", until=0)} == {0}
    assert len(corpora.of("Ann")) == 12
    assert corpora.of("Zoe") == []


def test_corpora_come_back_from_a_file_as_they_were(corpora, tmp_path):
    path = tmp_path / "lives.jsonl"
    own = replace(corpora.passages[0], text="Two\u2028lines\x85 in one.")
    told = Corpora(
        (own, *corpora.passages[1:]), STAGES, "movie", {"Ann": frozenset({"Jaws", "Élan"})}
    )
    told.save(path)
    assert Corpora.load(path) == told
    path.write_text('{"stages": 3}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"lives.jsonl wanted corpora as Corpora.save writes them"):
        Corpora.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stage": "0"}, "stage '0'"), ({"text": None}, "texts that are none"),
        ({"material": "x"}, "no material 'x'"), ({"mood": 1}, "mood"),
        ({"fact": ["It", 9, [], 3.0, "so"]}, "9 stars"), ({"fact": ["It", 5]}, "unpack"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_passage_is_refused(corpora, tmp_path, change, message):
    path = tmp_path / "lives.jsonl"
    corpora.save(path)
    head, first, *rest = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([head, json.dumps(json.loads(first) | change), *rest]))
    with pytest.raises(
        ValueError, match=rf"lives.jsonl wanted corpora .*{message}.*write it again"
    ):
        Corpora.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"lives.jsonl wanted corpora as"):
        Corpora.load(path)


def write(root, person, stage, material, text):
    folder = root / person / stage / material
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text(text, encoding="utf-8")


@pytest.fixture
def texts(tmp_path):
    for stage in ("1 young", "2 old"):
        write(tmp_path, "Ada", stage, "objective", f"CHAPTER\n\nShe lived by the sea in {stage}.")
        write(
            tmp_path, "Ada", stage, "subjective",
            f"I love\nthe sea. I hate the town at {stage}.\n\nSo it is.",
        )  # fmt: skip
    return tmp_path


def test_a_folder_of_texts_is_read_by_person_stage_and_material(texts):
    found = text_corpora(texts)
    assert found.stages == ("young", "old")
    assert [p.text for p in found.of("Ada", until=0)] == [
        "She lived by the sea in 1 young.", "I love the sea. I hate the town at 1 young.",
    ]  # fmt: skip
    assert {p.material for p in found.passages} == {"objective", "subjective"}


def test_long_paragraphs_are_cut_at_ends_of_sentences_and_nothing_is_lost(texts):
    said = (
        " ".join(f"Word {n} stands here." for n in range(20))
        + " "
        + " ".join(f"long{n}" for n in range(25))
    )
    (texts / "Ada" / "1 young" / "objective" / "b.txt").write_text(said, encoding="utf-8")
    found = text_corpora(texts, most_words=10)
    own = [p for p in found.passages if "b.txt" in p.source]
    assert max(p.num_words for p in own) <= 10
    assert " ".join(p.text for p in own).split() == said.split()
    assert own[0].text == "Word 0 stands here. Word 1 stands here."


def test_a_missing_folder_an_empty_one_and_other_bytes_are_refused(texts, tmp_path):
    with pytest.raises(FileNotFoundError, match="PERSON/STAGE/objective"):
        text_corpora(tmp_path / "nowhere")
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="wanted at least one passage"):
        text_corpora(tmp_path / "none")
    (texts / "Ada" / "1 young" / "objective" / "b.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ValueError, match=r"1 young/objective/b.txt wanted UTF-8, got byte 0"):
        text_corpora(texts)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("Ada/a.txt", r"Ada' wanted folders of life stages, got 'a.txt', which would not be read"),
        ("Ada/1 young/a.txt", r"young' wanted objective and subjective with .*, got 'a.txt'"),
        ("Ada/1 young/Objective/a.txt", r"got 'Objective', .* move it into one of them"),
        (
            "Ada/1 young/objective/a.md",
            r"objective' wanted files \*.txt, got 'a.md', .* or call it",
        ),
        ("Eve/1 young/objective/a.txt", r"Eve wanted paragraphs of at least 4 words, .*, got none"),
    ],
)
def test_what_nobody_would_read_is_refused_by_name(texts, place, message):
    (texts / place).parent.mkdir(parents=True, exist_ok=True)
    (texts / place).write_text("* * * * * *\n\nA short one.", encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        text_corpora(texts)


def test_hidden_files_and_files_beside_the_people_are_no_texts(texts):
    before = text_corpora(texts)
    for place in ("README.md", ".git/config", "Ada/.DS_Store", "Ada/1 young/objective/.a.txt.swp"):
        (texts / place).parent.mkdir(exist_ok=True)
        (texts / place).write_text("This is no text of a person.")
    assert text_corpora(texts) == before


def test_more_times_of_life_than_have_a_name_are_refused(texts):
    for n in range(3, 10):
        write(texts, "Ada", f"{n} more", "objective", f"She was there for the time {n}.")
    with pytest.raises(ValueError, match="at most 8 life stages, got 9; put some of them together"):
        text_corpora(texts)


def test_a_paragraph_that_a_person_has_already_is_left_out(texts):
    before = text_corpora(texts).of("Ada")
    (texts / "Ada" / "2 old" / "objective" / "b.txt").write_text("SHE lived by the sea in 1 young.")
    assert text_corpora(texts).of("Ada") == before
    write(texts, "Eve", "1 young", "objective", "She lived by the sea in 1 young.")
    write(texts, "Eve", "2 old", "objective", "She lived there for long.")
    assert len(text_corpora(texts).of("Eve")) == 2, "what another person has is no duplicate"


def test_a_person_with_duplicates_only_and_one_with_one_stage_are_refused(texts):
    said = "\n\n".join(["She was there again."] * 3)
    write(texts, "Eve", "1 young", "objective", said)
    write(texts, "Eve", "2 old", "objective", said)
    with pytest.raises(ValueError, match=r"Eve wanted texts that differ, got 6 times the same one"):
        text_corpora(texts)
    (texts / "Eve" / "1 young" / "objective" / "b.txt").write_text("She came in spring alone.")
    with pytest.raises(ValueError, match=r"passages of every .*, got none of old; leave"):
        text_corpora(texts)
