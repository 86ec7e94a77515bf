#!/usr/bin/env python3
"""report.py RESULTS PAGE: makes a page with tables and plots of what `firn bench` printed as JSON.

RESULTS is a folder of *.json, one a job file; PAGE is written, and the plots beside it, in a folder of
the page's name without its ending. Standard library only.
"""

import datetime
import html
import json
import math
import os
import sys

COLOURS = {"firn": "#1f5fa8", "rocksdb": "#c96a1b", "leveldb": "#4b8b3b", "lmdb": "#8a4fa3",
           "sqlite": "#7a7a7a", "fio": "#222222"}
ROWS = ["N1", "N2", "N3", "N4", "N5", "O1", "O2", "C1", "C2", "M1", "R1", "T1", "S1"]
PERCENTILES = [("50", "50.000000"), ("90", "90.000000"), ("99", "99.000000"),
               ("99.9", "99.900000"), ("99.99", "99.990000")]


def short(value, unit=""):
    """As report_text.cc prints numbers: three or four digits."""
    if unit in ("B", "B/s"):
        for name, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
            if value >= size:
                return f"{value / size:.1f} {name}" + unit[1:]
        return f"{value:.0f} B" + unit[1:]
    if unit == "us" and value >= 1e4:
        return short(value / 1e3, "ms")
    size = abs(value)
    if size >= 1e6:
        text = f"{value / 1e6:.2f} M"
    elif size >= 1e5:
        text = f"{value / 1e3:.0f} k"
    elif size >= 1e4:
        text = f"{value / 1e3:.1f} k"
    elif size >= 100 or value == int(value):
        text = f"{value:.0f}"
    elif size >= 10:
        text = f"{value:.1f}"
    else:
        text = f"{value:.3g}"
    return text + (unit if unit == "/s" else f" {unit}" if unit else "")


def spread_text(spread, unit=""):
    text = short(spread["median"], unit)
    if spread["rounds"] > 1:
        text += f" ({short(spread['min'], unit)} .. {short(spread['max'], unit)})"
    return text


def ratio_text(spread):
    text = f"{spread['median']:.2f}x"
    if spread["rounds"] > 1:
        text += f" ({spread['min']:.2f} .. {spread['max']:.2f})"
    return text


def svg(width, height, title, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">\n'
            f"<title>{html.escape(title)}</title>\n"
            f'<rect width="{width}" height="{height}" fill="white"/>\n'
            f'<text x="10" y="18" font-weight="bold">{html.escape(title)}</text>\n'
            + "\n".join(body) + "\n</svg>\n")


def bar_plot(comparison):
    """A bar for each engine's median, with a line from the least to the greatest round."""
    left, width, height, top = 80, 640, 26, 34
    scale_max = max(engine["value"]["max"] for engine in comparison["engines"]) or 1
    scale = (width - left - 150) / scale_max
    body = []
    for number, engine in enumerate(comparison["engines"]):
        y = top + number * height
        value = engine["value"]
        colour = COLOURS.get(engine["engine"], "#999999")
        middle = y + height / 2 - 3
        body += [
            f'<text x="{left - 6}" y="{middle + 4}" text-anchor="end">{engine["engine"]}</text>',
            f'<rect x="{left}" y="{y}" width="{value["median"] * scale:.1f}" '
            f'height="{height - 6}" fill="{colour}"/>',
            f'<line x1="{left + value["min"] * scale:.1f}" x2="{left + value["max"] * scale:.1f}" '
            f'y1="{middle}" y2="{middle}" stroke="black" stroke-width="1.5"/>',
            f'<text x="{left + value["max"] * scale + 6:.1f}" y="{middle + 4}">'
            f'{short(value["median"], comparison["unit"])}</text>']
    better = "more" if comparison["more_is_better"] else "less"
    title = f'{comparison["job"]}: {comparison["metric"]} ({better} is better)'
    return svg(width, top + len(comparison["engines"]) * height + 8, title, body)


def percentile_plot(job, runs):
    """Latency by percentile, on a logarithmic scale, a line an engine; of each its median round."""
    left, top, width, height = 70, 34, 640, 300
    lines = {}
    for engine, engine_runs in runs.items():
        ordered = sorted(engine_runs, key=lambda run: run["lat_ns"]["percentile"]["99.000000"])
        latency = ordered[len(ordered) // 2]["lat_ns"]
        values = [latency["percentile"][key] / 1e3 for _, key in PERCENTILES]
        lines[engine] = [max(value, 0.01) for value in values + [latency["max"] / 1e3]]
    low = math.floor(math.log10(min(min(line) for line in lines.values())))
    high = math.ceil(math.log10(max(max(line) for line in lines.values())))
    high = max(high, low + 1)
    plot_width, plot_height = width - left - 100, height - top - 40
    labels = [name for name, _ in PERCENTILES] + ["max"]

    def place(index, value):
        x = left + plot_width * index / (len(labels) - 1)
        y = top + plot_height * (1 - (math.log10(value) - low) / (high - low))
        return x, y

    body = []
    for power in range(low, high + 1):
        y = place(0, 10**power)[1]
        body.append(f'<line x1="{left}" x2="{left + plot_width}" y1="{y:.1f}" y2="{y:.1f}" '
                    f'stroke="#dddddd"/>')
        body.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">'
                    f'{short(10.0**power)} us</text>')
    for index, label in enumerate(labels):
        x = place(index, 10**low)[0]
        body.append(f'<text x="{x:.1f}" y="{top + plot_height + 18}" text-anchor="middle">'
                    f'{label}</text>')
    for number, (engine, line) in enumerate(lines.items()):
        colour = COLOURS.get(engine, "#999999")
        points = " ".join("%.1f,%.1f" % place(index, value) for index, value in enumerate(line))
        y = top + 14 + 16 * number
        body.append(f'<polyline points="{points}" fill="none" stroke="{colour}" '
                    f'stroke-width="2"/>')
        body.append(f'<text x="{left + plot_width + 12}" y="{y}" fill="{colour}">{engine}</text>')
    return svg(width, height, f"{job}: latency by percentile, microseconds", body)


def table(comparisons):
    engines = []
    for comparison in comparisons:
        for engine in comparison["engines"]:
            if engine["engine"] not in engines:
                engines.append(engine["engine"])
    lines = ["| metric | " + " | ".join(engines) + " |", "|---" * (len(engines) + 1) + "|"]
    for comparison in comparisons:
        cells = []
        by_name = {engine["engine"]: engine for engine in comparison["engines"]}
        for name in engines:
            engine = by_name.get(name)
            if engine is None:
                cells.append("–")
                continue
            cell = spread_text(engine["value"], comparison["unit"])
            if "ratio" in engine:
                cell += "<br>**" + ratio_text(engine["ratio"]) + "**"
            cells.append(cell)
        better = "more" if comparison["more_is_better"] else "less"
        lines.append(f'| {comparison["metric"]} ({better} is better) | ' + " | ".join(cells) + " |")
    return lines


def runs_of(document, job):
    runs = {}
    for run in document["jobs"]:
        if run["jobname"] == job and run["lat_ns"]["N"] > 0:
            runs.setdefault(run["engine"], []).append(run)
    return runs


def notes_of(document, job):
    notes = set()
    for run in document["jobs"]:
        if run["jobname"] == job and run.get("memory_note"):
            notes.add(f"{run['engine']}: no memory limit held: {run['memory_note']}")
    for skipped in document["skipped"]:
        notes.add(f"{skipped['engine']} was skipped: {skipped['reason']}")
    return sorted(notes)


def job_section(document, job, folder, folder_name):
    comparisons = [c for c in document["comparisons"] if c["job"] == job and c["engines"]]
    if not comparisons:
        return []
    plots = {f"{job}.svg": bar_plot(comparisons[0])}
    runs = runs_of(document, job)
    if runs and any(c["metric"].startswith(("lat_", "clat_")) for c in comparisons):
        plots[f"{job}_latency.svg"] = percentile_plot(job, runs)
    lines = [f"### {job}", "", comparisons[0]["description"] + ".", ""]
    lines += table(comparisons) + [""]
    for name, text in plots.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
        lines += [f"![{name[:-4]}]({folder_name}/{name})", ""]
    lines += [f"- {note}" for note in notes_of(document, job)]
    machine = document["machine"]
    when = datetime.datetime.fromtimestamp(document["timestamp_ms"] / 1000, datetime.timezone.utc)
    lines += ["", f"{document['rounds']} rounds, {when:%Y-%m-%d %H:%M} UTC; "
              f"{machine['processors']} processors ({machine['processor']}), memory "
              f"{machine['memory']}, {machine['kernel']}, {machine['file_system']} on "
              f"{machine['disk']}. `build/firn bench {document['jobfile']}`", ""]
    return lines


HEAD = """# Benchmarks

Written by `bench/report.sh` from what `firn bench` measured; `docs/benchmarks_howto.md` says how it measures and what
the words mean. Every table is of one run: the engines took turns, each in a process of its own, with the same records and the
same durability. A figure is the median over the rounds with the least and the greatest; **bold** is the ratio firn / engine within
each round, median with its spread. Settings of every engine stand at the top of `bench/peer_*.cc`. Debian's RocksDB is built
with assertions and a table-driven CRC, and does about half of what a release build does.
"""


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    results, page = sys.argv[1:]
    folder = os.path.splitext(page)[0]
    os.makedirs(folder, exist_ok=True)
    sections = {}
    for name in sorted(os.listdir(results)):
        if not name.endswith(".json"):
            continue
        with open(os.path.join(results, name), encoding="utf-8") as file:
            document = json.load(file)
        jobs = []
        for comparison in document["comparisons"]:
            if comparison["job"] not in jobs:
                jobs.append(comparison["job"])
        for job in jobs:
            row = next(c["row"] for c in document["comparisons"] if c["job"] == job)
            sections.setdefault(row, []).extend(
                job_section(document, job, folder, os.path.basename(folder)))
    if not sections:
        print(f"{results}: no results (*.json)", file=sys.stderr)
        return 1
    order = [row for row in ROWS if row in sections] + sorted(set(sections) - set(ROWS))
    lines = [HEAD]
    for row in order:
        lines += [f"## {row or 'Other'}", ""] + sections[row]
    with open(page, "w", encoding="utf-8") as file:
        file.write("\n".join(lines).rstrip() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
