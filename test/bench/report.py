"""Results as a table for a terminal, as JSON, as Markdown, and as a plot."""
import html
import statistics


def spread(values):
    """Median, least and greatest of one figure's runs."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "runs": len(values)}


def verdict(value, bar, is_least=False):
    """Beside a bar that is the largest good value, or the least one."""
    if bar is None or value is None:
        return ""
    over = bar / value if is_least else value / bar
    return "meets" if over <= 1 else "misses by %.0f %%" % (100 * (over - 1))


def number(value, digits=3):
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def table(title, columns, rows):
    """A section: a title, the names of its columns, and rows of texts."""
    return {"title": title, "columns": columns, "rows": [[str(c) for c in row] for row in rows]}


def as_text(section):
    rows = [section["columns"], *section["rows"]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [section["title"]]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def as_markdown(section):
    def line(cells):
        return "| " + " | ".join(cells) + " |"
    head = [line(section["columns"]), line(["---"] + ["---:"] * (len(section["columns"]) - 1))]
    return f"### {section['title']}\n\n" + "\n".join(head + [line(r) for r in section["rows"]]) + "\n"


def as_plot(title, rows):
    """An SVG of ratios to micro: one bar a row (name, ratio, bar or None); left of 1 is faster than Linux."""
    left, width, height, gap = 24 + 7 * max((len(r[0]) for r in rows), default=0), 560, 16, 8
    top = 48
    scale = width / max([1.25, *(min(r[1], 2) for r in rows)])
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" '
           f'height="{top + len(rows) * (height + gap) + 40}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{left}" y="22" font-size="15">{html.escape(title)}</text>']
    for i, (name, ratio, bar) in enumerate(rows):
        y = top + i * (height + gap)
        good = ratio <= (1 if bar is None else bar)
        length = min(ratio, 2) * scale
        out.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{html.escape(name)}</text>')
        out.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{height}" '
                   f'fill="{"#3a7d44" if good else "#c8553d"}"/>')
        if bar is not None:
            x = left + bar * scale
            out.append(f'<line x1="{x:.1f}" y1="{y - 2}" x2="{x:.1f}" y2="{y + height + 2}" stroke="black" '
                       'stroke-width="2"/>')
        out.append(f'<text x="{left + length + 6:.1f}" y="{y + 12}">{ratio:.2f}</text>')
    one = left + scale
    bottom = top + len(rows) * (height + gap)
    out.append(f'<line x1="{one:.1f}" y1="{top - 8}" x2="{one:.1f}" y2="{bottom}" stroke="#888" '
               'stroke-dasharray="4 3"/>')
    out.append(f'<text x="{one:.1f}" y="{bottom + 18}" text-anchor="middle" fill="#555">Linux = 1</text>')
    out.append(f'<text x="{left}" y="{bottom + 18}" fill="#555">shorter is faster; the black mark is the bar</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def as_overview(groups):
    """An SVG of what a user sees first: groups (title, {kernel: figure}), each with a scale of its own."""
    left, width, height, gap = 70, 420, 16, 6
    y, out = 14, []
    for title, figures in groups:
        most = max(figures.values())
        out.append(f'<text x="8" y="{y + 12}" font-weight="bold">{html.escape(title)}</text>')
        y += 22
        for name, value in figures.items():
            length = max(value / most * width, 1)
            out.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{html.escape(name)}</text>')
            out.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{height}" '
                       f'fill="{"#3a7d44" if name == "yolk" else "#9aa5b1"}"/>')
            out.append(f'<text x="{left + length + 6:.1f}" y="{y + 12}">{number(value)}</text>')
            y += height + gap
        y += 12
    head = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 80}" height="{y}" '
            'font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="white"/>']
    return "\n".join([*head, *out, "</svg>"]) + "\n"
