"""Tasks from files: every layout of GLUE, tables of one's own, data sets; errors name lines."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.tasks.data import TaskData
from tunescope.tasks.glue import GLUE
from tunescope.tasks.read import read_task
from tunescope.tasks.source import TaskSource
from tunescope.tasks.table import Task

A, B, C, D = 'The "fox"  jumps', "A dog", "It rains", "It's dry "  # quotes and blanks stay
MNLI = (
    "index\tpromptID\tpairID\tgenre\ts1_b\ts2_b\ts1_p\ts2_p\tsentence1\tsentence2\t{}gold_label\n"
)

LAYOUTS = {
    "cola": ("CoLA", "", f"gj04\t1\t\t{A}\nbc01\t0\t*\t{C}\n", ((A,), (C,)), ("1", "0")),
    "sst2": ("SST-2", "sentence\tlabel\n", f"{A}\t1\n{C}\t0\n", ((A,), (C,)), ("1", "0")),
    "mrpc": (
        "MRPC", "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n",
        f"1\t7\t8\t{A}\t{B}\n0\t7\t8\t{C}\t{D}\n", ((A, B), (C, D)), ("1", "0"),
    ),
    "qqp": (
        "QQP", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n",
        f"1\t7\t8\t{A}\t{B}\t1\n2\t7\tcut short\n3\t7\t8\t\t{B}\t0\n4\t7\t8\t{C}\t{D}\t0\n",
        ((A, B), (C, D)), ("1", "0"),
    ),
    "stsb": (
        "STS-B", "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2"
        "\tscore\n", f"0\tg\tf\ty\t1\ta\tb\t{A}\t{B}\t5.000\n1\tg\tf\ty\t1\ta\tb\t{C}\t{D}\t2.5\n",
        ((A, B), (C, D)), (5.0, 2.5),
    ),
    "mnli": (
        "MNLI", MNLI.format("label1\t"), f"0\ta\tb\tg\tp\tp\tp\tp\t{A}\t{B}\tneutral\tentailment\n"
        f"0\ta\tb\tg\tp\tp\tp\tp\t{C}\t{D}\tneutral\tneutral\n", ((A, B), (C, D)),
        ("entailment", "neutral"),
    ),
    "qnli": (
        "QNLI", "index\tquestion\tsentence\tlabel\n",
        f"0\t{A}\t{B}\tentailment\n1\t{C}\t{D}\tnot_entailment\n", ((A, B), (C, D)),
        ("entailment", "not_entailment"),
    ),
    "rte": (
        "RTE", "index\tsentence1\tsentence2\tlabel\n",
        f"0\t{A}\t{B}\tentailment\n1\t{C}\t{D}\tnot_entailment\n", ((A, B), (C, D)),
        ("entailment", "not_entailment"),
    ),
    "wnli": (
        "WNLI", "index\tsentence1\tsentence2\tlabel\n", f"0\t{A}\t{B}\t1\n1\t{C}\t{D}\t0\n",
        ((A, B), (C, D)), ("1", "0"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GLUE)
def test_a_folder_of_glue(name, tmp_path):
    """The folder's name says the task; texts stay as they stand in the file."""
    folder, header, rows, texts, targets = LAYOUTS[name]
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "train.tsv").write_text(header + rows)
    if name == "mnli":  # the dev files have five more columns
        header = MNLI.format("label1\tlabel2\tlabel3\tlabel4\tlabel5\t")
        rows = rows.replace("\tneutral\t", "\t" + "neutral\t" * 5)
        (tmp_path / folder / "dev_matched.tsv").write_text(header + rows)
        turned = "".join(reversed(rows.splitlines(keepends=True)))
        (tmp_path / folder / "dev_mismatched.tsv").write_text(header + turned)
    else:
        (tmp_path / folder / "dev.tsv").write_text(header + rows)
    task = read_task(TaskSource(path=folder), relative_to=tmp_path)
    assert task.name == name and task.dev is not None
    for data in (task.train, task.dev):
        assert (data.texts, data.targets) == (texts, targets)
    assert (task.kind, task.metric) == (GLUE[name].kind, GLUE[name].metric)
    assert task.n_skipped == (4 if name == "qqp" else 0)
    if name == "mnli":
        other = read_task(TaskSource(path=folder, glue_dev="mismatched"), relative_to=tmp_path)
        assert other.dev is not None and other.dev.texts == texts[::-1]
    files = dict.fromkeys(("train", "dev"), tmp_path / folder / "train.tsv")
    assert read_task(files, glue=name).train.texts == texts


FEATURES = {
    "cola": (("sentence",), ("unacceptable", "acceptable")),
    "sst2": (("sentence",), ("negative", "positive")),
    "mrpc": (("sentence1", "sentence2"), ("not_equivalent", "equivalent")),
    "qqp": (("question1", "question2"), ("not_duplicate", "duplicate")),
    "stsb": (("sentence1", "sentence2"), None),
    "mnli": (("premise", "hypothesis"), ("entailment", "neutral", "contradiction")),
    "qnli": (("question", "sentence"), ("entailment", "not_entailment")),
    "rte": (("sentence1", "sentence2"), ("entailment", "not_entailment")),
    "wnli": (("sentence1", "sentence2"), ("not_entailment", "entailment")),
}


@pytest.mark.parametrize("name", GLUE)
def test_the_data_set_of_glue(name, tmp_path):
    """Splits and fields of the Hugging Face data set; hidden targets of test are not read."""
    hf = pytest.importorskip("datasets", reason="needs the extra datasets")
    fields, classes = FEATURES[name]
    label = hf.Value("float32") if classes is None else hf.ClassLabel(names=list(classes))
    features = hf.Features({**dict.fromkeys(fields, hf.Value("string")), "label": label})

    def made(labels):
        rows = [[f"{field} {row}" for row in range(len(labels))] for field in fields]
        return hf.Dataset.from_dict(
            {**dict(zip(fields, rows, strict=True)), "label": labels}, features=features
        )

    dev = ["validation_matched", "validation_mismatched"] if name == "mnli" else ["validation"]
    data = hf.DatasetDict(
        {"train": made([1, 0]), **{d: made([0]) for d in dev}, "test": made([-1])}
    )
    data.save_to_disk(tmp_path / "saved")
    task = read_task(tmp_path / "saved", glue=name, format="datasets")
    expected = (classes[1], classes[0]) if classes else (1.0, 0.0)
    assert task.train.targets == expected and task.dev is not None and len(task.dev) == 1
    assert task.train.texts[1] == tuple(f"{field} 1" for field in fields)
    if GLUE[name].metric in ("f1", "matthews"):
        assert task.positive == classes[1]
    assert read_task(data, glue=name).train.hash == task.train.hash


def test_an_id_on_the_hub_with_the_task_as_configuration(monkeypatch):
    hf = pytest.importorskip("datasets", reason="needs the extra datasets")
    asked = {}

    def load_dataset(path, config, revision):
        asked.update(path=path, config=config, revision=revision)
        columns = {"sentence1": ["a", "b"], "sentence2": ["c", "d"], "label": ["x", "y"]}
        return hf.DatasetDict({"train": hf.Dataset.from_dict(columns)})

    monkeypatch.setattr(hf, "load_dataset", load_dataset)
    task = read_task("nyu-mll/glue", glue="rte", dataset_revision="abc")
    assert asked == {"path": "nyu-mll/glue", "config": "rte", "revision": "abc"}
    assert task.train.texts == (("a", "c"), ("b", "d")) and task.dev is None


@pytest.mark.parametrize(
    "names",
    ["sentence", "text", "sentence1 sentence2", "premise hypothesis", "question sentence",
     "question1 question2", "sentence_A sentence_B"],
)  # fmt: skip
@pytest.mark.parametrize("target", ["class", "label", "score"])
def test_usual_names_are_found(names, target, tmp_path):
    columns = names.split()
    rows = [dict(zip(["id", *columns, target], f"{n}abc"[: len(columns) + 1] + str(n), strict=True))
            for n in range(2)]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    task = read_task(tmp_path / "a.jsonl")
    assert task.train.texts[0] == tuple("ab"[: len(columns)])
    assert task.train.targets == ("0", "1") and task.classes == ("0", "1")


def test_a_table_of_ones_own(tmp_path):
    """The STS benchmark's own files: no header, columns by number, some rows longer."""
    path = tmp_path / "sts.csv"
    path.write_text("g\tf\t5.0\tA man.\tA guy.\ng\tf\t1.25\tA cat.\tA dog.\tsource\tsource\n")
    options = dict(kind="regression", sentence_column=[3, 4], class_column=2, delimiter="\t")
    task = read_task(path, extra_columns=True, **options)
    assert task.train.texts == (("A man.", "A guy."), ("A cat.", "A dog."))
    assert task.train.targets == (5.0, 1.25)
    assert (task.kind, task.metric, task.classes) == ("regression", "pearson", ())
    with pytest.raises(InputError, match="line 2: 7 columns where the first line has 5"):
        read_task(path, **options)


def test_options(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('kind,text,label\nx,"a, b",yes\ny,c\x85d,no\nx,e,\nx,f,no\n', encoding="utf-8")
    task = read_task(path, where={"kind": "x"})
    assert task.train == TaskData((("a, b",), ("f",)), ("yes", "no")) and task.n_skipped == 1
    assert read_task(path, control_characters="space").train.texts[1] == ("c d",)
    assert read_task(path, max_texts=2).train.texts == (("a, b",), ("c\x85d",))
    chosen = read_task(path, metric="f1", positive="no", name="mine")
    assert (chosen.metric, chosen.positive, chosen.name) == ("f1", "no", "mine")
    words = tmp_path / "b.jsonl"
    words.write_text('{"words": ["a", "b"], "class": 1}\n{"words": ["c"], "class": 2}\n')
    assert read_task(words).train.texts == (("a b",), ("c",))


TABLE = "text\tother\tlabel\na\tb\t1\nc\td\tx\ne\t \t2.5\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "regression"}, r"a.tsv, line 3: 'label' = 'x' is no number"),
        ({"kind": "regression", "metric": "f1"}, "metric = 'f1' is none of a regression"),
        ({"sentence_column": ["text", "othr"]}, "line 2: there is no column 'othr'; did you mean"),
        ({"sentence_column": ["text", "other"]}, "line 4: the text in 'other' is blank"),
        ({"sentence_column": ["a", "b", "c"]}, "must be one column, or two"),
        ({"class_column": "lable"}, "no column 'lable'; did you mean 'label'"),
        ({"where": {"other": "q"}}, "no text with a target with"),
        ({"glue_dev": "mismatched"}, "glue_dev is of use for mnli only"),
        ({"dataset_config": "x"}, "dataset_config is not an option of format 'tsv'"),
        ({"format": "jsonl"}, "a.tsv, line 1: not JSON"),
        ({"positive": "y", "metric": "f1"}, "positive: .*valid: 1, 2.5, x"),
        ({"max_texts": 1}, "one class only"),
        ({"max_texts": 0}, "max_texts = 0 must be at least 1"),
        ({"glue": "sst"}, "glue = 'sst' must be one of .*did you mean 'sst2'"),
        ({"sentance_column": "text"}, "unknown key 'sentance_column'; did you mean"),
        ({"header": False}, "no column has a usual name; set sentence_column, to a number"),
    ],
)
def test_errors_say_where_and_what_to_do(options, message, tmp_path):
    (tmp_path / "a.tsv").write_text(TABLE)
    with pytest.raises(InputError, match=message):
        read_task(tmp_path / "a.tsv", **options)


def test_errors_of_paths(tmp_path):
    (tmp_path / "RTE").mkdir()
    (tmp_path / "a.txt").write_text(TABLE)
    for path, message in (
        (tmp_path / "RTE", "holds no train.tsv of GLUE's"),
        (tmp_path / "a.txt", "does not say what it is"),
        (tmp_path / "b.tsv", "b.tsv does not exist"),
        ({"train": "a.tsv", "test": "b.tsv"}, "unknown split 'test'.*never looked at"),
        ({"dev": "b.tsv"}, "path has no train file"),
    ):
        with pytest.raises(InputError, match=message):
            read_task(path)


def test_measurements_are_not_taken_for_classes(tmp_path):
    (tmp_path / "a.tsv").write_text("text\tscore\na\t1.0\nb\t2.25\n")
    with pytest.raises(InputError, match='classes are numbers such as 2.25; set kind = "regress'):
        read_task(tmp_path / "a.tsv")
    assert read_task(tmp_path / "a.tsv", kind="regression").train.targets == (1.0, 2.25)


def test_tasks_must_hold_together():
    data = TaskData((("a",), ("b",)), ("x", "y"))
    for dev, message in (
        (TaskData((("c",),), ("z",)), "class 'z' is in dev but not in train"),
        (TaskData((("c", "d"),), ("x",)), "differ in their number of parts"),
        (TaskData((), ()), "has no texts in dev"),
    ):
        with pytest.raises(InputError, match=message):
            Task("t", "classification", "accuracy", data, dev)
    with pytest.raises(InputError, match="'pearson' is no metric of a classification"):
        Task("t", "classification", "pearson", data)
    with pytest.raises(InputError, match="all numbers of train are the same"):
        Task("t", "regression", "pearson", TaskData((("a",), ("b",)), (1.0, 1.0)))
    with pytest.raises(InputError, match="some texts of the task are single"):
        TaskData((("a",), ("b", "c")), ("x", "y"))


@pytest.mark.parametrize("name", ["qqp", "stsb"])
def test_saved_and_loaded(name, tmp_path):
    folder, header, rows, *_ = LAYOUTS[name]
    (tmp_path / "a.tsv").write_text(header + rows * 3)
    task = read_task(tmp_path / "a.tsv", glue=name)
    task.save(tmp_path / "saved")
    again = Task.load(tmp_path / "saved")
    assert again.hash == task.hash and again.train == task.train and again.dev is None
    assert (again.name, again.positive, again.n_skipped) == (name, task.positive, task.n_skipped)
    split = task.held_out(0.2, 0)
    split.save(tmp_path / "split")
    assert Task.load(tmp_path / "split").hash == split.hash != task.hash
    assert "pairs of texts" in task._repr_html_() and name in str(task)


def test_held_out_texts():
    data = TaskData(tuple((str(i),) for i in range(20)), tuple("ab"[i % 2] for i in range(20)))
    task = Task("t", "classification", "accuracy", data)
    one, again, other = (task.held_out(0.2, seed) for seed in (3, 3, 4))
    assert one.dev is not None and other.dev is not None
    assert (len(one.train), len(one.dev)) == (16, 4) and one.hash == again.hash != other.hash
    assert sorted(one.train.texts + one.dev.texts) == sorted(data.texts)
    assert one.held_out(0.5, 9) is one


def test_a_draw_keeps_the_order():
    data = TaskData(tuple((str(i),) for i in range(50)), tuple(map(float, range(50))))
    drawn = data.draw(10, 1)
    assert list(drawn.targets) == sorted(drawn.targets) and len(drawn) == 10
    assert drawn == data.draw(10, 1) != data.draw(10, 2) and data.draw(None, 1) is data


def test_of_a_corpus():
    """Words joined by blanks; the corpus's own dev split is the task's, its test split no one's."""
    sentences = [[f"word{i}", "x"] for i in range(9)]
    classes = ["a", "b", None] * 3
    splits = ["train"] * 4 + ["dev"] * 3 + ["test"] * 2
    task = Task.from_corpus(
        Corpus.from_sentences(sentences, classes=classes, splits=splits, name="c")
    )
    assert task.train.texts == (("word0 x",), ("word1 x",), ("word3 x",)) and task.name == "c"
    assert task.dev is not None and task.dev.texts == (("word4 x",), ("word6 x",))
    whole = Task.from_corpus(Corpus.from_sentences(sentences, classes=classes))
    assert whole.dev is None and len(whole.train) == 6
    with pytest.raises(InputError, match="task 'plain': no sentence has a class"):
        Task.from_corpus(Corpus.from_sentences(sentences, name="plain"))


def test_real_files(shared):
    """Sizes of the real files; RTE has control characters, CoLA no header, SST-2 another one."""
    rte = read_task({s: shared(f"nli/RTE-{s}.tsv") for s in ("train", "dev")}, glue="rte")
    assert rte.dev is not None and (len(rte.train), len(rte.dev)) == (2490, 277)
    assert rte.dev.targets.count("entailment") == 146
    cola = read_task(Path(shared("cola/dev.tsv")), glue="cola")
    assert len(cola.train) == 1043 and cola.metric == "matthews" and cola.positive == "1"
    sst = read_task({s: shared(f"sst2/{s}.tsv") for s in ("train", "dev")}, glue="sst2")
    assert sst.dev is not None and (len(sst.train), len(sst.dev)) == (67349, 872)
    sts = read_task(
        shared("sts/sts-dev.csv"), kind="regression", sentence_column=[5, 6], class_column=4,
        delimiter="\t", extra_columns=True,
    )  # fmt: skip
    assert len(sts.train) == 1500 and np.mean(sts.train.targets) == pytest.approx(2.36, abs=0.01)
