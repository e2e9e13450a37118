"""The tables of docs/results.md, written from the records of benchmarks/dhmd_results.py.

    python scripts/write_results.py

The tables stand between marker comments; the text around them is left alone.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from assets.errors import BadInput
from benchmarks.dhmd_results import ON_REQUEST
from inference.training.metrics import pooled_calibration_error

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE, RECORDS = DOCS / "results.md", DOCS / "results.json"
MORE = (DOCS / "results_time.json",)
"""Records that are made anew by a script of their own."""
RUNS, JOBS = 5, 2
"""Runs of a line, and how many go at a time."""

Record = Mapping[str, Any]

LIVE = {"face": "faces (CK+)", "voice": "voices (RAVDESS)", "text": "words (MELD dev)"}
ALONE = {
    "face": "live, face alone",
    "voice": "live, voice alone",
    "text": "live, words alone",
}
PRACTISED = {name: f"{line}, as many samples" for name, line in ALONE.items()}
"""Alone, with as many samples as of the modality are in `live`, whose other samples lack it."""
BY_THEMSELVES = {
    "trained alone, as many steps": ALONE,
    "trained alone, as many samples": PRACTISED,
}
FROM_LABELS = "live, from labels"
AMONG = ", among its six emotions"
EMOTION = {
    "accuracy": "accuracy",
    "macro_recall": "macro recall",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
}
LINEAR = ("regression", "discriminant")
"""Linear models that the network is held against, see benchmarks/baseline_results.py."""
REGRESSION, DISCRIMINANT = (
    {"face": f"{kind}, face", "voice": f"{kind}, voice", "text": f"{kind}, words"}
    for kind in LINEAR
)
RAVDESS = (
    "ravdess",
    "ravdess, from labels",
    "regression, ravdess",
    "discriminant, ravdess",
    "ravdess, normalised by person",
    "regression, ravdess, normalised by person",
    "discriminant, ravdess, normalised by person",
    "ravdess, voice alone",
)
ABLATIONS = (
    "ravdess",
    "DMD",
    "no homogeneous graph",
    "no heterogeneous graph",
    "no dictionary",
    "no code matching",
    "no decoupling",
    "late fusion",
)
ALTERNATIVES = {
    "code matching 0.2": "code matching with twice the weight",
    "dictionary apart": "no gradient from the dictionary into the encoders",
    "the gate itself": "the gate itself fed on, as in DMD",
}
"""Choices that are no ablations: in the table once they were run."""


STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""97.5 % points of Student's t with 1, 2 ... degrees of freedom."""


def of_line(records: Sequence[Record], line: str) -> list[Record]:
    return [record for record in records if record["line"] == line]


def over_runs(found: Sequence[Record], modality: str, metric: str) -> list[float]:
    """The metric of each run, where it has one."""
    numbers = [record["held_out"].get(modality, {}).get(metric) for record in found]
    return [number for number in numbers if number is not None]


def calibration_error(found: Sequence[Record], modality: str) -> str:
    """Of all runs together, whose people are all different: of few items alone it is never 0."""
    bins = [r.get("calibration", {}).get(modality, {}).get("bins") for r in found]
    if not bins or None in bins:
        return spread(over_runs(found, modality, "ece"))
    return f"{pooled_calibration_error(bins):.3f}"


def spread(values: Sequence[float]) -> str:
    """Mean and deviation; the mean alone of one value, nothing of none."""
    if not values:
        return "-"
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def paired(
    one: Sequence[Record], other: Sequence[Record], modality: str, metric: str
) -> list[float]:
    """`one` minus `other` in every run that both have: of the same fold and seed.

    A linear model is not drawn: its seed does not count, and where it has one run, which is tested
    on what every run is tested on, each is held against that.
    """

    def by_run(found: Sequence[Record]) -> dict[int, tuple[int, float]]:
        made = {r["fold"]: (r["seed"], r["held_out"].get(modality, {}).get(metric)) for r in found}
        return {fold: run for fold, run in made.items() if run[1] is not None}

    first, second = by_run(one), by_run(other)
    drawn = not other or not other[0]["line"].startswith(LINEAR)
    if not drawn and len(second) == 1:
        (alone,) = second.values()
        return [first[fold][1] - alone[1] for fold in sorted(first)]
    return [
        first[fold][1] - second[fold][1]
        for fold in sorted(first.keys() & second.keys())
        if first[fold][0] == second[fold][0] or not drawn
    ]


def difference(values: Sequence[float]) -> str:
    """Mean of differences with its 95 % t interval; the mean alone of one, nothing of none."""
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:+.3f}"
    half = STUDENT[len(values) - 2] * stdev(values) / len(values) ** 0.5
    middle = mean(values)
    return f"{middle:+.3f} [{middle - half:+.3f}, {middle + half:+.3f}]"


def mixed(one: Sequence[Record], other: Sequence[Record]) -> bool:
    """Whether they were run with more than one version of PyTorch; a regression has none."""
    return len({r["torch"] for r in (*one, *other) if r.get("torch") is not None}) > 1


def runs(found: Sequence[Record]) -> str:
    return str(len(found)) if found else "none yet"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def emotions(records: Sequence[Record], rows: Sequence[tuple[str, str, str]]) -> str:
    """Metrics of emotions: a row is its title, a line, and whom of it that are held out."""
    made = []
    for title, line, modality in rows:
        found = of_line(records, line)
        cells = [spread(over_runs(found, modality, metric)) for metric in EMOTION]
        made.append([title, runs(found), *cells, calibration_error(found, modality)])
    return table(["", "runs", *EMOTION.values(), "ECE"], made)


def among_their_own(records: Sequence[Record], line: str) -> list[Record]:
    """Runs of a line, told among the emotions that a corpus has, as a line of its own."""
    return [
        {
            **record,
            "line": f"{line}{AMONG}",
            "held_out": record["among_their_own"],
            "calibration": {},  # that of all emotions
        }
        for record in of_line(records, line)
        if "among_their_own" in record
    ]


def live(records: Sequence[Record]) -> str:
    rows = [(title, "live", name) for name, title in LIVE.items()]
    if fewer := among_their_own(records, "live"):
        records = [*records, *fewer]
        rows.insert(1, (f"{LIVE['face']}{AMONG}", f"live{AMONG}", "face"))
    for how, lines in BY_THEMSELVES.items():
        rows += [
            (f"{LIVE[name]}, {how}", line, name)
            for name, line in lines.items()
            if line not in ON_REQUEST or of_line(records, line)
        ]
    if of_line(records, FROM_LABELS):
        rows += [(f"{title}, no teacher", FROM_LABELS, name) for name, title in LIVE.items()]
    rows += [(f"{LIVE[n]}, logistic regression", line, n) for n, line in REGRESSION.items()]
    rows += [(f"{LIVE[n]}, discriminant analysis", line, n) for n, line in DISCRIMINANT.items()]
    return emotions(records, rows)


def ravdess(records: Sequence[Record]) -> str:
    there = [line for line in RAVDESS if line not in ON_REQUEST or of_line(records, line)]
    return emotions(records, [(line, line, "test") for line in there])


def ablations(records: Sequence[Record]) -> str:
    whole, metrics = of_line(records, "ravdess"), ("accuracy", "macro_f1")
    made = []
    for line in (*ABLATIONS, *ALTERNATIVES):
        found = of_line(records, line)
        if line in ALTERNATIVES and not found:
            continue
        count = f"{found[0]['parameters']:,}" if found else "-"
        cells = [spread(over_runs(found, "test", metric)) for metric in metrics]
        if line == "ravdess":
            cells += ["-", "-"]
        else:
            cells += [difference(paired(found, whole, "test", metric)) for metric in metrics]
        title = "DHMD" if line == "ravdess" else ALTERNATIVES.get(line, line)
        title = f"{title} \\*" if mixed(found, whole) else title
        made.append([title, runs(found), count, *cells])
    head = ["", "runs", "parameters", "accuracy", "macro F1"]
    return table([*head, "accuracy against DHMD", "macro F1 against DHMD"], made)


def against(records: Sequence[Record]) -> str:
    """The network against what it has to beat, run by run."""
    rows = [
        (f"{LIVE[name]}: live - {how}", "live", line, name)
        for how, lines in BY_THEMSELVES.items()
        for name, line in lines.items()
        if line not in ON_REQUEST or of_line(records, line)
    ]
    if of_line(records, FROM_LABELS):
        rows += [
            (f"{title}: live - no teacher", "live", FROM_LABELS, n) for n, title in LIVE.items()
        ]
    rows += [
        (f"{LIVE[n]}: live - logistic regression", "live", line, n)
        for n, line in REGRESSION.items()
    ]
    rows += [
        (f"{LIVE[n]}: live - discriminant analysis", "live", line, n)
        for n, line in DISCRIMINANT.items()
    ]
    titles = {"regression": "logistic regression", "discriminant": "discriminant analysis"}
    rows += [
        (f"{line}: DHMD - {titles[kind]}", line, f"{kind}, {line}", "test")
        for kind in LINEAR
        for line in ("ravdess", "ravdess, normalised by person")
    ]
    if of_line(records, "ravdess, from labels"):
        rows.append(("ravdess: DHMD - from labels", "ravdess", "ravdess, from labels", "test"))
    made = []
    for title, line, other, modality in rows:
        one, two = of_line(records, line), of_line(records, other)
        pairs = [paired(one, two, modality, m) for m in ("accuracy", "macro_recall", "macro_f1")]
        marked = f"{title} \\*" if mixed(one, two) else title
        made.append([marked, str(len(pairs[0])), *map(difference, pairs)])
    return table(["", "pairs of runs", "accuracy", "macro recall", "macro F1"], made)


def mmmo(records: Sequence[Record]) -> str:
    found = of_line(records, "mmmo")
    metrics = ("mae", "corr", "acc2", "acc7")
    cells = [spread(over_runs(found, "test", metric)) for metric in metrics]
    return table(["", "runs", *metrics], [["mmmo", runs(found), *cells]])


def missing(records: Sequence[Record]) -> str:
    """What each subset of the modalities tells of the same composed samples."""
    found = [r for r in of_line(records, "live") if "subsets" in r]
    if not found:
        return "None yet."
    rows = []
    for name in found[0]["subsets"]:
        values = [r["subsets"][name] for r in found]
        cells = [spread([v[m] for v in values]) for m in ("accuracy", "macro_recall", "ece")]
        rows.append([name.replace("text", "words"), *cells])
    gains = [
        f"{r['gain']['mean']:+.3f} [{r['gain']['interval'][0]:+.3f}, "
        f"{r['gain']['interval'][1]:+.3f}] over {r['gain']['over'].replace('text', 'words')}"
        for r in found
    ]
    told = (
        "Gain in accuracy of all three over the best single one, with its 95 % interval, by run: "
    )
    return (
        table(["seen", "accuracy", "macro recall", "ECE"], rows) + f"\n\n{told}{'; '.join(gains)}."
    )


def failures(records: Sequence[Record]) -> str:
    """Recall by group over all runs of `live`."""
    found = of_line(records, "live")
    rows = []
    for name, title in LIVE.items():
        counts: dict[str, list[int]] = {}
        for record in found:
            for group, (n, right) in record["groups"].get(name, {}).items():
                both = counts.setdefault(group, [0, 0])
                both[0] += n
                both[1] += right
        rows += [[title, group, str(n), f"{r / n:.3f}"] for group, (n, r) in counts.items() if n]
    return table(["", "of", "n", "told rightly"], rows)


def sentiment(records: Sequence[Record]) -> str:
    """The interval of the sentiment and how often it holds what is to be held."""
    rows = []
    for name, title in LIVE.items():
        found = [r["calibration"].get(name, {}) for r in of_line(records, "live")]
        widths = [c["interval"] for c in found if c.get("interval") is not None]
        inside = [c["coverage"] for c in found if c.get("coverage") is not None]
        maes = over_runs(of_line(records, "live"), name, "mae")
        rows.append([title, spread(maes), spread(widths), spread(inside)])
    return table(["", "MAE", "half width at 90 %", "coverage"], rows)


def person(records: Sequence[Record]) -> str:
    """What a neutral baseline of a person gains for the voice."""
    found = [r["person"] for r in of_line(records, "live") if "person" in r]
    cells = [spread([f[name] for f in found]) for name in ("seconds", "without", "with")]
    head = ["", "runs", "seconds of baseline", "accuracy without", "with"]
    return table(head, [["voices (RAVDESS)", str(len(found)), *cells]])


def cost(records: Sequence[Record]) -> str:
    """Parameters of the network and times of one window and of one training step."""
    forms = next((record["forms"] for record in records if record["line"] == "cost"), None)
    if forms is None:
        return "Not measured yet."
    whole = forms["DHMD"]
    rows = []
    for name, form in forms.items():
        cells = [f"{form['parameters']:,}"]
        for kind in ("forward", "lean", "onnxruntime", "step"):
            if kind in form:
                share = form[kind] / whole[kind]
                cells.append(f"{1000 * form[kind]:.1f} ms ({share:.2f})")
            else:
                cells.append("")
        rows.append([name, *cells])
    head = ["", "parameters", "a window, one thread", "lean form", "ONNX Runtime",
            "a training step of 64, two threads"]  # fmt: skip
    return table(head, rows)


def durations(records: Sequence[Record]) -> str:
    """Minutes of a run and of a line alone, whose runs go two at a time."""
    found = next((record for record in records if record["line"] == "time"), None)
    if found is None:
        return "Not measured yet."
    rows, whole = [], 0.0
    for name, line in found["lines"].items():
        minutes = (line["around"] + line["steps"] * line["step"]) / 60
        on_request = name in found["on_request"]
        whole += 0 if on_request else minutes * RUNS / JOBS
        alone = f"{minutes * -(-RUNS // JOBS):.0f}"
        shown = f"{name} (on request)" if on_request else name
        rows.append([shown, str(line["steps"]), f"{line['step']:.2f}", f"{minutes:.1f}", alone])
    head = ["", "steps", "seconds of a step", "minutes of a run", "of its line alone"]
    together = f"All lines together but for those on request: {whole / 60:.2f} hours."
    return f"{table(head, rows)}\n\n{together}"


TABLES = {
    "live": live,
    "against": against,
    "missing": missing,
    "sentiment": sentiment,
    "person": person,
    "failures": failures,
    "ravdess": ravdess,
    "ablations": ablations,
    "cost": cost,
    "mmmo": mmmo,
    "time": durations,
}


def with_tables(page: str, records: Sequence[Record]) -> str:
    """The page with all tables between their markers. Raises BadInput if a marker is missing."""
    for name, render in TABLES.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, has_begin, rest = page.partition(begin)
        _, has_end, after = rest.partition(end)
        if not has_begin or not has_end:
            raise BadInput(f"the page of results lacks the lines {begin} and {end}")
        page = f"{before}{begin}\n{render(records)}\n{end}{after}"
    return page


def all_records() -> list[Record]:
    """What there is to be written."""
    return [r for path in (RECORDS, *MORE) for r in json.loads(path.read_text(encoding="utf-8"))]


def main() -> None:
    """Write all tables into the page."""
    page = with_tables(PAGE.read_text(encoding="utf-8"), all_records())
    PAGE.write_text(page, encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
