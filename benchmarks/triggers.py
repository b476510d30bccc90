"""Triggers in a classifier's texts: our batches beside the bare forward passes, and a plain loop.

The bare passes get the very tensors of our batches, made beforehand: nothing is tokenised, spliced
or copied. The plain loop does what scripts for universal triggers do: put the trigger's words into
each text, tokenise, batches in the order of the texts, padded to the longest of each.

    python benchmarks/triggers.py MODEL TSV [--texts 400] [--triggers 12] [--repeats 5]

The TSV has columns label and sentence, as SST-2's.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from tunescope.models.heads import load_head
from tunescope.tasks.data import Text
from tunescope.triggers.placing import Place
from tunescope.triggers.victim import Victim


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("tsv")
    parser.add_argument("--texts", type=int, default=400)
    parser.add_argument("--triggers", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--position", default="before", choices=["before", "after", "middle"])
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with open(given.tsv, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file][1 : given.texts + 1]
    texts: list[Text] = [(sentence,) for _, sentence in lines]
    words = sorted({word for (text,) in texts for word in text.split()})
    rng = np.random.default_rng(0)
    triggers = [" ".join(rng.choice(words, 3)) for _ in range(given.triggers)]
    head = load_head(given.model, measure="task")
    place, rows = Place(given.position), np.arange(len(texts))

    start = time.process_time()
    victim = Victim(head, texts)
    victim.gapped(rows, place)
    once = time.process_time() - start
    gaps = sum(gap is not None for gap in victim.splicer(place).gaps)
    print(f"{gaps} of {len(texts)} texts are spliced; tokenised once: {once:.2f} s of process time")

    ready = []
    for trigger in triggers:
        ids = victim.splicer(place).ids(trigger)
        batches, apart = victim.gapped(rows, place)
        assert ids is not None and not len(apart)
        put = torch.tensor(ids, device=head.model.device)
        ready += [batch.filled(put) for batch in batches]

    @torch.inference_mode()
    def bare() -> None:
        for inputs in ready:
            head.model(**inputs).logits.float().cpu().numpy()

    def ours() -> None:
        victim.splicer(place)._known.clear()  # each trigger is checked again
        for trigger in triggers:
            victim.logits(trigger, rows, place)

    @torch.inference_mode()
    def loop() -> None:
        for trigger in triggers:
            for first in range(0, len(texts), 32):
                new = [place.put(text, trigger)[0] for text in texts[first : first + 32]]
                inputs = head.tokenizer(new, padding=True, truncation=True, max_length=128,
                                        return_tensors="pt").to(head.model.device)  # fmt: skip
                head.model(**inputs).logits.float().cpu().numpy()

    clock = time.process_time if head.model.device.type == "cpu" else time.perf_counter
    ways: dict[str, Callable[[], None]] = {"bare": bare, "ours": ours, "loop": loop}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    bare()
    for _ in range(given.repeats):  # in turn, as other programs may be running
        for name, way in ways.items():
            start = clock()
            way()
            spent[name].append(clock() - start)
    for name, seconds in spent.items():
        ratio = statistics.median(s / b for s, b in zip(seconds, spent["bare"], strict=True))
        print(f"{name}: {statistics.median(seconds):.2f} s, {ratio:.3f} x the bare passes")


if __name__ == "__main__":
    main()
