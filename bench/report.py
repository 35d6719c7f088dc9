"""Figures as text, as a table for documents and as JSON."""
import statistics

from contenders import best_unit

MIB = 1 << 20
COLUMNS = ("case", "who", "seconds", "of f32", "of bf16", "peak MiB", "of f32's", "loss or tokens")


def ratios(reference, figures):
    """How many times as fast as the reference, round by round."""
    return [other / own for other, own in zip(reference.seconds, figures.seconds)]


def spread(values, digits):
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({least:.{digits}f}-{most:.{digits}f})"


def difference(case, figures):
    what = "of loss" if case.command == "step" else "of tokens"
    return f"{figures.difference:.1e} {what}" + ("" if figures.agrees else " DIFFERS")


def rows(case, found):
    """The cells of COLUMNS, a row for each contender."""
    f32, bf16 = found[:2]
    for figures in found:
        yield [case.name, figures.name, spread(figures.seconds, 3),
               spread(ratios(f32, figures), 2) + " x", spread(ratios(bf16, figures), 2) + " x",
               f"{figures.peak / MIB:,.0f}", f"{figures.peak / f32.peak:.2f}",
               difference(case, figures)]


def heading(threads, facts, kernel, rounds):
    name, family, model = (facts.get(key, "?") for key in ("model name", "cpu family", "model"))
    return (f"{threads} threads on {name} (family {family}, model {model}; {best_unit(facts)}), "
            f"OpenBLAS's kernel\nfor PyTorch: {kernel}. Medians of {rounds} rounds, and the least and "
            f"the most.")


def print_text(lines, widths=(24, 24, 24, 20, 20, 9, 9, 0)):
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip(), flush=True)


def print_markdown(lines):
    for line in lines:
        print("| " + " | ".join(line) + " |", flush=True)


def as_json(case, found):
    f32, bf16 = found[:2]
    return {"case": case.name, "contenders": [
        {"name": one.name, "seconds": one.seconds, "peak_bytes": one.peak,
         "speed_of_torch_f32": ratios(f32, one), "speed_of_torch_bf16": ratios(bf16, one),
         "difference": one.difference, "agrees": one.agrees} for one in found]}
