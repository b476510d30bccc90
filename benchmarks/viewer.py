"""The site of a large run: what a page costs the server, what the export costs, when one can click.

The run is made by tunescope itself from random models over generated text: 13 layers of two models
with 600 concepts each, 25,000 words, a label column, classes and triggers. A page's time is that
of `Site.get` in a process that has answered one request before; of pages about one concept, a
sample is asked for. With Chromium at hand, pages are opened in it from `tunescope view`: from the
request until the page can be used, and until its last script and style are there.

    python benchmarks/viewer.py FOLDER [--words 25000] [--concepts 600] [--layers 13] [--export]

FOLDER keeps the run: the second time only pages are measured.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

import tunescope as ts
from tunescope.viewer.export import export
from tunescope.viewer.site import Served, Site

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
LOOKED_AT = (
    "index.html", "concepts/index.html", "concepts/text/tuned/layer-12/index.html",
    "concepts/text/tuned/layer-12/0007.html", "concepts/text/tuned/layer-12/dendrogram.html",
    "layers/base-tuned/index.html", "alignment/text-base-tuned/index.html",
)  # fmt: skip
TYPES = 6000
TAGS = 17
SENTENCE = 15
STUDY = """
name = "large"
seed = 0

[models.base]
path = "base"

[models.tuned]
base = "base"
path = "tuned"

[corpora.text]
path = "text.jsonl"

[tasks.said]
path = "said.tsv"

[concepts]
n_clusters = {concepts}
min_count = 1
max_occurrences = {words}

[align]

[triggers]
tasks = ["said"]
max_texts = 200
draws = 1
keep_seen = true
methods = ["concept", "random"]
"""


def write_model(folder: Path, words: list[str], layers: int) -> None:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {word: number for number, word in enumerate(special + words)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=layers - 1,
        num_attention_heads=2, intermediate_size=64, max_position_embeddings=64,
        id2label={0: "good", 1: "bad"}, label2id={"good": 0, "bad": 1},
    )  # fmt: skip
    for name in ("base", "tuned"):
        model = BertForSequenceClassification(config)
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    before = load_file(folder / "base" / "model.safetensors")
    after = {}
    for name, weight in before.items():
        parts = name.split(".")
        depth = int(parts[3]) / layers if "layer" in parts else 0.0
        after[name] = weight + 0.15 * depth * weight.std() * torch.randn(weight.shape)
    save_file(after, folder / "tuned" / "model.safetensors", metadata={"format": "pt"})


def write_text(folder: Path, n_words: int) -> list[str]:
    rng = np.random.default_rng(0)
    syllables = [a + b for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "u", "ei", "an")]
    words = list(dict.fromkeys("".join(rng.choice(syllables, rng.integers(2, 5))) for _ in range(3 * TYPES)))[:TYPES]  # fmt: skip # noqa: E501
    chance = 1 / np.arange(1, len(words) + 1)
    drawn = rng.choice(len(words), n_words, p=chance / chance.sum())
    lines, texts = [], ["sentence\tlabel"]
    for start in range(0, n_words, SENTENCE):
        here = drawn[start : start + SENTENCE]
        name = ("good", "bad")[int(here.sum()) % 2]
        row = {
            "words": [words[i] for i in here], "tag": [f"T{i % TAGS:02d}" for i in here],
            "class": name,
        }  # fmt: skip
        lines.append(json.dumps(row))
        texts.append(f"{' '.join(row['words'])}\t{name}")
    (folder / "text.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "said.tsv").write_text("\n".join(texts) + "\n", encoding="utf-8")
    return words


def make(folder: Path, words: int, concepts: int, layers: int) -> None:
    folder.mkdir(parents=True)
    write_model(folder, write_text(folder, words), layers)
    study = STUDY.format(concepts=concepts, words=words)
    (folder / "study.toml").write_text(study, encoding="utf-8")


def spread(seconds: list[float]) -> str:
    median, most = np.quantile(seconds, [0.5, 0.99])
    return f"median {1000 * median:.0f} ms, 99% {1000 * most:.0f}, max {1000 * max(seconds):.0f}"


def pages(folder: Path, sample: int) -> None:
    start = time.perf_counter()
    site = Site(ts.Run.load(folder), Served(live=True))
    assert site.get("index.html") is not None
    print(f"first page, imports done: {time.perf_counter() - start:.2f} s")
    paths = [path for path in site.paths() if not path.startswith("static/")]
    html = [path for path in paths if path.endswith(".html")]
    by_kind: dict[str, list[str]] = {}
    for path in html:
        kind = path.split("/")[0] if "/" in path else "overview"
        if path.rsplit("/", 1)[-1][:4].isdigit():
            kind = f"one of {kind}"
        by_kind.setdefault(kind, []).append(path)
    print(f"{len(html):,} pages, {len(paths) - len(html):,} files of figures")
    for kind, known in by_kind.items():
        site = Site(ts.Run.load(folder), Served(live=True))  # nothing kept but what imports keep
        site.get("index.html")
        gc.freeze()  # as the server does
        chosen = random.Random(0).sample(known, min(sample, len(known)))
        seconds, sizes = [], []
        for path in chosen:
            start = time.perf_counter()
            content = site.get(path)
            seconds.append(time.perf_counter() - start)
            assert content is not None, path
            sizes.append(len(content.body))
        slow = chosen[int(np.argmax(seconds))]
        print(f"{kind} ({len(chosen)} of {len(known):,}): {spread(seconds)} ({slow}); "
              f"mean {np.mean(sizes) / 1000:.0f} kB")  # fmt: skip


def browser(run: Path) -> None:
    """Print when pages can be used that a server sends to Chromium: a fresh server, then again."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        print("no Chromium: pages were not opened in it")
        return
    from playwright.sync_api import sync_playwright

    command = [str(Path(sys.executable).with_name("tunescope")), "view", str(run), "--no-open"]
    start = time.perf_counter()
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    address = re.findall(r"http://\S+", server.stdout.readline())[0]
    print(f"`tunescope view` until it says where: {time.perf_counter() - start:.2f} s")
    try:
        with sync_playwright() as running:
            opened = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
            for page in LOOKED_AT:
                for which in ("first", "again"):
                    tab = opened.new_page()
                    tab.goto(address + page, wait_until="load")
                    usable, done = tab.evaluate(
                        "performance.getEntriesByType('navigation')"
                        ".map(n => [n.domInteractive, n.loadEventEnd])[0]"
                    )
                    tab.close()
                    print(f"in Chromium, {page} ({which}): usable after {usable / 1000:.2f} s, "
                          f"all of it {done / 1000:.2f}")  # fmt: skip
    finally:
        server.terminate()
        server.wait()


def whole(folder: Path) -> None:
    out = folder.parent / f"{folder.name}-site"
    shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    export(folder, out)
    seconds = time.perf_counter() - start
    sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    print(f"export: {seconds:.0f} s, {len(sizes):,} files, {sum(sizes) / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("viewer-benchmark"))
    parser.add_argument("--words", type=int, default=25_000)
    parser.add_argument("--concepts", type=int, default=600)
    parser.add_argument("--layers", type=int, default=13)
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--export", action="store_true")
    parser.add_argument("--measure", action="store_true", help="a run that is there; nothing else")
    given = parser.parse_args()
    if given.measure:
        pages(given.folder / "run", given.sample)
        browser(given.folder / "run")
        if given.export:
            whole(given.folder / "run")
        return
    if not given.folder.exists():
        make(given.folder, given.words, given.concepts, given.layers)
    ts.run(given.folder / "study.toml", given.folder / "run", device="cpu")
    # in a process of its own: one that has made a run has other things in its memory
    subprocess.run([sys.executable, *sys.argv, "--measure"], check=True)


if __name__ == "__main__":
    main()
