"""One table with every kind of value that goes wrong, written and read by Python in each format of `headrace copy`."""

import csv
import datetime
import io
import json
import re
import sqlite3
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

# Column, kind, and how SQLite declares it.
COLUMNS = [
    ("id", "int", "BIGINT"), ("name", "text", "TEXT"), ("note", "text", "TEXT"), ("amount", "decimal", "DECIMAL TEXT(38,10)"),
    ("price", "decimal", "DECIMAL(10,2)"), ("ratio", "float", "REAL"), ("good", "bool", "BOOLEAN"), ("day", "date", "DATE"),
    ("seen", "moment", "TIMESTAMP"),
]
NAMES = [name for name, _, _ in COLUMNS]
_TEXTS = [
    "plain", "", None, "Zoë, 任天堂 🚀 α7", 'say "hi"', "two\nlines", "a\r\nb", " blank at both ends ", "tab\there", "comma, semicolon; pipe|",
    "null", "NULL", "N/A", "0012", "true", "-", "'single'", "back\\slash", "e\u0301 combining", '"', '""', ",", "<&>", "\u00a0nbsp",
]
_AMOUNTS = [
    "1234567890123456789012345678.0123456789", "-9999999999999999999999999999.9999999999", "0.0000000001", "0", None, "1.5",
    "100000000000000000000.25", "-0.5",
]


def table(count=len(_TEXTS) * 3):
    """Rows as Python values; every kind is null somewhere, and no row is empty."""
    rows = []
    for index in range(count):
        def pick(values, step=1):
            return values[index * step % len(values)]
        amount = pick(_AMOUNTS, 3)
        rows.append((
            pick([0, 1, -1, 2**63 - 1, -(2**63), 2**53 + 1]) if index % 7 else index, pick(_TEXTS),
            pick(_TEXTS, 5) if index % 4 else None, None if amount is None else Decimal(amount),
            None if index % 9 == 4 else Decimal(index * 7919 - 31000).scaleb(-2),
            pick([0.1, -2.5, 1e-300, 1.7976931348623157e308, None, 3.141592653589793, 1e22], 2), pick([True, False, None]),
            pick([datetime.date(2026, 1, 5), datetime.date(1970, 1, 1), None, datetime.date(1899, 12, 31), datetime.date(2000, 2, 29)]),
            pick([
                datetime.datetime(2026, 1, 5, 3, 14, 15), datetime.datetime(1969, 12, 31, 23, 59, 59, 999999), None,
                datetime.datetime(2026, 1, 5, 3, 14, 15, 120000),
            ]),
        ))
    return rows


def plain(value, kind):
    """A value as text for CSV and XML."""
    if kind == "bool":
        return "true" if value else "false"
    if kind == "decimal":
        return f"{value:f}"
    if kind == "float":
        return repr(value)
    if kind == "moment":
        return value.isoformat(sep=" ")
    return str(value)


def value(found, kind):
    """A value as read back, in the type of its column."""
    if found is None:
        return None
    if kind == "bool":
        return {"true": True, "false": False, "1": True, "0": False}[str(found).lower()]
    if kind == "int":
        return int(found)
    if kind == "float":
        return float(found)
    if kind == "decimal":
        return Decimal(str(found))
    if kind == "date":
        return datetime.date.fromisoformat(found)
    if kind == "moment":
        return datetime.datetime.fromisoformat(re.sub(r"(\.\d+)$", lambda match: match[1].ljust(7, "0"), found.rstrip("Z")))
    if not isinstance(found, str):
        raise ValueError(f"{found!r} is not text")
    return found


# Writing


def write_csv(path, rows):
    def field(item, kind):
        if item is None:
            return ""
        text = plain(item, kind)
        if kind == "text" and (text == "" or re.search(r'[",\r\n]', text) or text != text.strip()):
            return '"' + text.replace('"', '""') + '"'
        return text
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(",".join(NAMES) + "\n")
        for row in rows:
            file.write(",".join(field(item, kind) for item, (_, kind, _) in zip(row, COLUMNS)) + "\n")


def json_text(row):
    def member(item, kind):
        if item is None:
            return "null"
        if kind in ("decimal", "float", "bool", "int"):
            return plain(item, kind)
        return json.dumps(plain(item, kind), ensure_ascii=len(row[1] or "") % 2 == 0)
    return "{" + ", ".join(f'"{name}": {member(item, kind)}' for item, (name, kind, _) in zip(row, COLUMNS)) + "}"


def write_ndjson(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json_text(row) + "\n" for row in rows)


def write_json(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.write("[" + ",\n".join(map(json_text, rows)) + "]\n")


def write_xml(path, rows):
    def text(item):
        return escape(item, {"\r": "&#13;"})
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<table>\n')
        for row in rows:
            cells = "".join(
                f"<{name}>{text(plain(item, kind))}</{name}>" for item, (name, kind, _) in zip(row, COLUMNS) if item is not None)
            file.write(f"<row>{cells}</row>\n")
        file.write("</table>\n")


def declare(path, table="t", extra=""):
    connection = sqlite3.connect(path)
    listed = ", ".join(f'"{name}" {declared}' for name, _, declared in COLUMNS)
    connection.execute(f'CREATE TABLE "{table}" ({listed}{extra})')
    connection.commit()
    return connection


def write_sqlite(path, rows):
    connection = declare(path)
    def stored(item, kind):
        if item is None or kind in ("int", "float", "text"):
            return item
        return int(item) if kind == "bool" else plain(item, kind)
    marks = ", ".join("?" * len(COLUMNS))
    connection.executemany(
        f"INSERT INTO t VALUES ({marks})", [[stored(item, kind) for item, (_, kind, _) in zip(row, COLUMNS)] for row in rows])
    connection.commit()
    connection.close()


# Reading


def csv_records(text):
    """RFC 4180 fields, null for an empty field without quotes."""
    records, record, at = [], [], 0
    while at < len(text):
        if text[at] == '"':
            parts, at = [], at + 1
            while True:
                end = text.index('"', at)
                parts.append(text[at:end])
                at = end + 1
                if at < len(text) and text[at] == '"':
                    parts.append('"')
                    at += 1
                else:
                    break
            record.append("".join(parts))
        else:
            end = re.compile(r"[,\r\n]|\Z").search(text, at).start()
            record.append(text[at:end] or None)
            at = end
        if at < len(text) and text[at] == ",":
            at += 1
            if at == len(text):
                record.append(None)
            continue
        at += 2 if text[at:at + 2] == "\r\n" else 1
        records.append(record)
        record = []
    return records


def typed(records):
    return [tuple(value(item, kind) for item, (_, kind, _) in zip(record, COLUMNS)) for record in records]


def read_csv_text(text):
    header, *records = csv_records(text)
    if any(len(record) != len(NAMES) for record in records):
        raise ValueError("a record has another number of fields")
    return objects([dict(zip(header, record)) for record in records])


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        return read_csv_text(file.read())


def objects(found):
    """Rows by name: the columns of an XML document stand in the order in which its elements are first seen."""
    for item in found:
        if sorted(item) != sorted(NAMES):
            raise ValueError(f"columns {list(item)}")
    return typed([[item[name] for name in NAMES] for item in found])


def exactly(text):
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def read_ndjson_text(text):
    return objects([exactly(line) for line in text.split("\n") if line])


def read_ndjson(path):
    with open(path, encoding="utf-8", newline="") as file:
        return read_ndjson_text(file.read())


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return objects(exactly(file.read()))


def read_sqlite(path, table="t"):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return typed(connection.execute(f'SELECT {", ".join(NAMES)} FROM "{table}" ORDER BY rowid').fetchall())
    finally:
        connection.close()
