"""Small files of every form, and the real ones where they lie on this machine."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from agents.interviews.instruments import InstrumentError
from agents.interviews.readers import NAMES, instrument_named, read_instrument
from agents.interviews.scores import trait_scores, types_of

REAL = Path(os.environ.get("PERSONAREC_DATA", "no such folder")) / "personality"
real = pytest.mark.skipif(
    not REAL.is_dir(), reason="set PERSONAREC_DATA to a folder with personality/ to read real files"
)
MARKERS = "code,domain,keyed,text\nEXT1,E,1,I am loud.\nEXT2,E,-1,I am quiet\nN1,N,1,Worry a lot\n"
MPI = "label_raw,text,label_ocean,key\nAnxiety,Worry about things,N,1\nTrust,Doubt others,A,-1\n"
POLES = "text,pole\nI like company.,E\nI like silence.,i\nI plan.,J\n"
NEO = [
    {"text": "Worry about things", "keyed": "plus", "domain": "N"},
    {"text": "Avoid crowds", "keyed": "minus", "domain": "E"},
]
BFI = {
    "name": "BFI",
    "questions": {"1": "Is loud.", "2": "Is still.", "3": "Worries."},
    "reverse": [2],
    "categories": [
        {
            "cat_name": "Extraversion",
            "cat_questions": [1, 2],
            "crowd": [{"mean": 3.25, "std": 0.9, "n": 6076}],
        },
        {"cat_name": "Neuroticism", "cat_questions": [3]},
    ],
}
PAIRS = {
    "items": [
        {"id": 1, "left": "loud", "right": "still"},
        {"id": 2, "left": "at home", "right": "out"},
    ],
    "scoring": {
        "IE": {"const": 6, "items": {"1": -1, "2": 1}, "low": "I", "high": "E"},
    },
    "cut": 6,
}


@pytest.fixture
def read(tmp_path):
    def reader(content, name=None):
        text = content if isinstance(content, str) else json.dumps(content)
        path = tmp_path / (name or ("x.csv" if isinstance(content, str) else "x.json"))
        path.write_text(text, encoding="utf-8")
        return read_instrument(path)

    return reader


def told(instrument):
    return [(item.text, item.trait, item.key) for item in instrument.items]


def test_ipip_markers(read):
    found = read(MARKERS)
    assert told(found) == [
        ("I am loud.", "E", 1), ("I am quiet.", "E", -1), ("I worry a lot.", "N", 1)
    ]  # fmt: skip
    assert [trait.name for trait in found.traits] == ["E", "N"]
    assert "public domain" in found.licence


def test_mpi_speaks_to_you(read):
    assert told(read(MPI)) == [
        ("You worry about things.", "N", 1), ("You doubt others.", "A", -1)
    ]  # fmt: skip


def test_a_list_of_keyed_statements(read):
    assert told(read(NEO)) == [
        ("I worry about things.", "N", 1), ("I avoid crowds.", "E", -1)
    ]  # fmt: skip


def test_psychobench_has_reversed_items_and_norms(read):
    found = read(BFI)
    assert told(found) == [("is loud.", "E", 1), ("is still.", "E", -1), ("worries.", "N", 1)]
    assert found.norms["E"] == (3.25, 0.9, 6076)
    assert "non-commercial" in found.licence


def test_bipolar_pairs_give_the_letter_of_their_formula(read):
    found = read(PAIRS)
    assert found.options_of(found.items[0])[0] == "exactly: loud"
    # the file's own rule: 6 - first + second, E above 6
    for first, second, letter in [(1, 5, "E"), (3, 3, "I"), (5, 1, "I"), (2, 3, "E")]:
        points = found.points[[0, 1], [first - 1, second - 1]]
        assert points.sum() == 6 - first + second
        assert types_of(found, trait_scores(found, points)) == letter


def test_poles_of_sixteen_types(read):
    found = read(POLES)
    assert told(found) == [
        ("I like company.", "EI", 1), ("I like silence.", "EI", -1), ("I plan.", "JP", 1)
    ]  # fmt: skip
    assert found.scoring == "types"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (MARKERS.replace("-1", "0"), r"x.csv, item 2, wanted a key of \+1 or -1, got '0'"),
        (MARKERS.replace(",E,", ",Z,", 1), "item 'EXT1', wanted a trait among E, N, got 'Z'"),
        (POLES.replace("J", "X"), "item 3, wanted a pole of E, I, .*, got 'X': an unknown trait"),
        (MARKERS.replace(",", ";"), "wanted commas between its cells, got semicolons .*; save it"),
        (
            "pole,text\nE,I talk, a lot.\n",
            "row 2: wanted 2 cells, got 3; put a text that holds commas in quotes",
        ),
        (
            "text,pole\nI talk.,E\nI  TALK.,I\n",
            "wanted every question once, got 'I  TALK.' as 'q1' and 'q2': one answer would count",
        ),
        ("a,b\n1,2\n", "wanted the columns text, domain, keyed; .*; got a, b; rename"),
        ("", "got no row"),
        ("{", "wanted JSON, got something else"),
        ([{"text": "x"}], "looked like keyed statements, but a field is missing"),
        ({**BFI, "reverse": [9]}, "mis-keyed: reversed item 9 is no question"),
        ({**BFI, "categories": BFI["categories"][:1]}, "mis-keyed: item 3 has no text or no cat"),
        (
            {**BFI, "categories": [{"cat_name": "Charm", "cat_questions": [1]}]},
            "got 'Charm': an unknown trait",
        ),
        ({**PAIRS, "cut": 5}, "mis-keyed: IE wanted the constant 6 and the cut 6 for 1 turned"),
        (
            {**PAIRS, "items": [*PAIRS["items"], {"id": 3, "left": "a", "right": "b"}]},
            "mis-keyed: item 3 is in no scale",
        ),
        ({"name": "x"}, "wanted an instrument with name, traits and items"),
    ],
)
def test_a_file_that_cannot_be_scored_says_why(read, content, message):
    with pytest.raises(InstrumentError, match=message):
        read(content, "x.json" if content == "{" else None)


def test_other_bytes_are_refused(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"text,pole\n\xff\xfe,E\n")
    with pytest.raises(InstrumentError, match="wanted UTF-8 text"):
        read_instrument(tmp_path / "x.csv")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(FileNotFoundError, match=r"an instrument of ipip_50, mini_ipip, .*'zz'"):
        instrument_named("zz")


@pytest.mark.parametrize(
    ("name", "items", "reverse"),
    [("ipip_50", 50, 18), ("mini_ipip", 20, 11), ("ipip_120", 120, 55), ("types_32", 32, 16)],
)
def test_what_is_shipped_has_its_items_and_keys(name, items, reverse):
    found = instrument_named(name)
    keys = [item.key for item in found.items]
    assert (len(keys), keys.count(-1)) == (items, reverse)
    assert found.licence in ("MIT", "public domain (IPIP)")
    counts = np.bincount(found.trait_of_item)
    assert len(set(counts.tolist())) == 1  # as many items a trait
    assert name in NAMES


@real
@pytest.mark.parametrize(
    ("place", "items", "traits"),
    [
        ("ipip/ipip50_markers.csv", 50, 5),
        ("ipip/mpi_120.csv", 120, 5),
        ("ipip/ipip_neo_120_en.json", 120, 5),
        ("bfi44/bfi44_psychobench.json", 44, 5),
        ("oejts/oejts_1.2.json", 32, 4),
    ],
)
def test_real_files_are_read(place, items, traits):
    found = read_instrument(REAL / place)
    assert (len(found.items), len(found.traits)) == (items, traits)


@real
def test_the_shipped_ipip_items_are_keyed_as_the_real_files():
    for name, place in (("ipip_50", "ipip50_markers.csv"), ("ipip_120", "ipip_neo_120_en.json")):
        assert told(instrument_named(name)) == told(read_instrument(REAL / "ipip" / place))
