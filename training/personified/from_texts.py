"""Corpora of any people from a folder of texts: a character's, an author's, one's own.

``PERSON/STAGE/objective/*.txt`` holds what happened, ``PERSON/STAGE/subjective/*.txt`` what the
person said or wrote. Stages are ordered by their names, so call them ``1 early``, ``2 late``. Texts
are cut at empty lines; a paragraph is a source. One that a person has already is left out, so that
no text is both learnt from and judged on. Whatever would not be read is refused by name, files and
folders that begin with a dot and files beside the people's folders excepted.
"""

import re
from pathlib import Path

from simenv.ranges import check_number
from simenv.values.plain_text import one_line
from training.personified.corpora import MATERIALS, Corpora, Passage

_NUMBER = re.compile(r"^\d+[ _.-]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_LEAST_WORDS = 4  # below it, a paragraph is a heading, or a row of stars between two scenes


def text_corpora(folder: str | Path, most_words: int = 120) -> Corpora:
    """What the folder tells of its people.

    Args:
        folder: a folder a person, in it a folder a life stage, with ``objective`` and/or
            ``subjective`` in it.
        most_words: of a passage; longer paragraphs are cut at the ends of sentences.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it holds no text, a person has none, lacks a stage or has one text only, over
            and over, a file or folder stands where nobody would read it, or a file is not UTF-8.
    """
    check_number("text_corpora", "most_words", most_words, "whole [10, 1e6]", "try 120")
    root = Path(folder)
    if not root.is_dir():
        raise FileNotFoundError(
            f"corpora wanted a folder PERSON/STAGE/objective/*.txt, or a file of Corpora.save, got"
            f" {str(folder)!r}, which is not there; correct the path"
        )
    people = _folders(root)
    stages = sorted({stage.name for person in people for stage in _folders(person)})
    passages = [passage for person in people for passage in _told_once(person, stages, most_words)]
    return Corpora(tuple(passages), tuple(_NUMBER.sub("", name) or name for name in stages))


def _folders(root: Path) -> list[Path]:
    return [path for path in _seen(root) if path.is_dir()]


def _seen(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.name[0] != ".")


def _told_once(person: Path, stages: list[str], most_words: int) -> list[Passage]:
    """A person's passages without those that they have already; the first one stays."""
    _check_places(person)
    told = [p for n, name in enumerate(stages) for p in _of_stage(person, n, name, most_words)]
    if not told:
        raise ValueError(
            f"{person.name} wanted paragraphs of at least {_LEAST_WORDS} words, parted by blanks,"
            f" in {person.name}/STAGE/objective/*.txt or subjective/*.txt, got none; write some,"
            " or move the folder away"
        )
    kept: dict[str, Passage] = {}
    for passage in told:
        kept.setdefault(passage.text.casefold(), passage)
    if len(told) > 1 and len(kept) == 1:
        raise ValueError(
            f"{person.name} wanted texts that differ, got {len(told)} times the same one"
            f" ({told[0].text[:40]!r}); give other texts, or leave the person out"
        )
    return list(kept.values())


def _check_places(person: Path) -> None:
    """Refuse what stands where nobody would read it."""
    wanted = f"{' and '.join(MATERIALS)} with *.txt in them"
    for place in _seen(person):
        if not place.is_dir():
            raise _misplaced(place, "folders of life stages", "it into PERSON/STAGE/objective")
        for material in _seen(place):
            if material.name not in MATERIALS or not material.is_dir():
                raise _misplaced(material, wanted, "it into one of them")
            for path in _seen(material):
                if path.suffix != ".txt" or not path.is_file():
                    raise _misplaced(path, "files *.txt", "it away, or call it so")


def _misplaced(path: Path, wanted: str, where: str) -> ValueError:
    return ValueError(
        f"{'/'.join(path.parent.parts[-3:])!r} wanted {wanted}, got {path.name!r}, which would not"
        f" be read; move {where}"
    )


def _of_stage(person: Path, number: int, stage: str, most_words: int) -> list[Passage]:
    found = []
    for material in MATERIALS:
        for path in sorted((person / stage / material).glob("*.txt")):
            for place, text in enumerate(_cut(_read(path), most_words), start=1):
                source = f"{person.name}/{stage}/{material}/{path.name}, {place}"
                found.append(Passage(person.name, number, source, material, text))
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{'/'.join(path.parts[-4:])} wanted UTF-8, got byte {error.start} that is none; save"
            " it as UTF-8"
        ) from error


def _cut(text: str, most_words: int) -> list[str]:
    """Paragraphs as single lines of at most so many words; headings are left out."""
    found = []
    for paragraph in map(one_line, re.split(r"\n\s*\n", text)):
        if sum(any(map(str.isalnum, word)) for word in paragraph.split()) < _LEAST_WORDS:
            continue
        words: list[str] = []
        for sentence in _SENTENCE_END.split(paragraph):
            own = sentence.split()
            while len(own) > most_words:  # no end of a sentence for so long
                found.append(" ".join([*words, *own][:most_words]))
                own, words = [*words, *own][most_words:], []
            if len(words) + len(own) > most_words:
                found.append(" ".join(words))
                words = []
            words += own
        found.append(" ".join(words))
    return [one for one in found if one]
