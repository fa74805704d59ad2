"""Holds two results against each other: exact types exactly, floats to 1e-9 relative, rows as multisets."""
import csv
import datetime
import decimal
import io
import math


def parse_csv(text):
    """Rows of Weir's csv mode without header: NULL is an empty field that is not quoted."""
    rows, row, field, quoted, inside, i = [], [], [], False, False, 0
    while i < len(text):
        ch = text[i]
        if inside:
            if ch == '"' and text[i + 1:i + 2] == '"':
                field.append('"')
                i += 1
            elif ch == '"':
                inside = False
            else:
                field.append(ch)
        elif ch == '"':
            quoted = inside = True
        elif ch in ",\n":
            row.append("".join(field) if field or quoted else None)
            field, quoted = [], False
            if ch == "\n":
                rows.append(row)
                row = []
        else:
            field.append(ch)
        i += 1
    return rows


def typed(text, like):
    """The text as a value of the type of `like`, a value of the peer's."""
    if text is None or like is None:
        return text
    if isinstance(like, bool):
        return text == "true"
    if isinstance(like, int):
        return int(text) if text.lstrip("-").isdigit() else float(text)
    if isinstance(like, float):
        return float(text)
    if isinstance(like, decimal.Decimal):
        return decimal.Decimal(text)
    if isinstance(like, datetime.datetime):
        return datetime.datetime.fromisoformat(text)
    if isinstance(like, datetime.date):
        return datetime.date.fromisoformat(text[:10])
    return text


def same(a, b):
    if a is None or b is None:
        return a is b
    if isinstance(a, float) or isinstance(b, float):
        a, b = float(a), float(b)
        return (math.isnan(a) and math.isnan(b)) or a == b or math.isclose(a, b, rel_tol=1e-9)
    return a == b


def key(row):
    """Rows that are equal but for the last digits of floats sort to the same place."""
    return tuple((v is None, "" if v is None else "%.6g" % v if isinstance(v, (float, int, decimal.Decimal)) else str(v)) for v in row)


def differs(ours, theirs):
    """None when equal, else a sentence. `ours` are texts, `theirs` the peer's values."""
    if len(ours) != len(theirs):
        return "%d rows, expected %d" % (len(ours), len(theirs))
    likes = [next((row[c] for row in theirs if row[c] is not None), None) for c in range(len(theirs[0]))] if theirs else []
    try:
        ours = [[typed(v, like) for v, like in zip(row, likes)] for row in ours]
    except (ValueError, decimal.InvalidOperation) as error:
        return "a value of another type: %s" % error
    for mine, other in zip(sorted(ours, key=key), sorted(([*r] for r in theirs), key=key)):
        if len(mine) != len(other) or not all(same(a, b) for a, b in zip(mine, other)):
            return "row %s, expected %s" % (mine, other)
    return None


def self_test():
    theirs = [(1, "a", 1.5, decimal.Decimal("2.50"), None), (2, "b,\"", 2.5, decimal.Decimal("3.50"), "")]
    good = '1,a,1.5,2.50,\n2,"b,""",2.5,3.50,""\n'
    assert differs(parse_csv(good), theirs) is None
    for bad in (good.replace("1.5", "1.6"), good.replace('""\n', "\n"), good.replace("3.50", "3.51"), good + good, good.replace("2,", "3,", 1)):
        assert differs(parse_csv(bad), theirs) is not None, bad
    assert [row for row in csv.reader(io.StringIO(good))][1][1] == 'b,"'
