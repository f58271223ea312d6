"""What the tests of faults load: rows, what the table holds before, and what each way to write makes of both."""

import datetime

import targets

ROWS = 2400
BASE = 300


class Case:
    """A way to write: what the table holds before, and what a prefix of the file makes of it."""

    def __init__(self, name, mode, has_table=True):
        self.name = name
        self.mode = mode
        self.has_table = has_table
        self.toServer = self.toClient = self.epochs = self.commits = self.seconds = 0

    def expected(self, base, rows, count):
        """The dump once the first `count` rows of the file have been loaded. A history keeps the versions that they ended."""
        if self.mode == "history":
            ended = [f"{line}\t{since(rows[number - 1])}" for number, line in base.items() if self.changes(base, rows, number, count)]
            kept = [line for number, line in base.items() if not 1 <= number <= count]
            return sorted(ended + [f"{line}\t" for line in kept + rows[:count]])
        if self.mode in ("replace", "mirror") and count == ROWS:
            return sorted(rows)
        if self.mode == "replace":
            return sorted(base.values())
        if self.mode in ("upsert", "mirror"):
            return sorted([line for number, line in base.items() if not 1 <= number <= count] + rows[:count])
        if self.mode == "insert":
            return sorted([*base.values(), *(rows[number - 1] for number in range(1, count + 1) if number not in base)])
        return sorted([*(base.values() if self.has_table else []), *rows[:count]])

    @staticmethod
    def changes(base, rows, number, count):
        return 1 <= number <= count and base[number] != rows[number - 1]

    @property
    def is_keyed(self):
        return self.mode in ("upsert", "insert", "mirror", "history")

    @property
    def has_unique_key(self):
        return self.is_keyed and self.mode != "history"

    @property
    def columns(self):
        """What a dump shows."""
        return targets.VERSIONS if self.mode == "history" else targets.COLUMNS


# What the table holds before; those below 1 are not in the file.
KEPT = range(-9, BASE + 1)


def values(number):
    """A row by its number: text that must be quoted, nulls, decimals, dates, microseconds."""
    name = None if number % 17 == 0 else f"Grün \"{number}\" \\ tab\there, {'x' * (number % 50)}{'largo ' * 150}"
    price = None if number % 13 == 0 else f"{number}.{number % 10000:04d}"
    day = datetime.date(2026, 1, 1) + datetime.timedelta(days=number % 300)
    return number, name, price, str(day), f"{day} 10:11:12.{number % 999999 + 1:06d}".rstrip("0")


def old_values(number):
    """What the table holds of it before: half of the rows are equal."""
    return values(number) if number % 2 else (number, f"old {number}", "0.5000", "2020-02-02", "2020-02-02 02:02:02.25")


def csv(row):
    return ",".join("" if cell is None else '"' + str(cell).replace('"', '""') + '"' for cell in row) + "\n"


def since(line):
    """The last column of a dumped row."""
    return line.rsplit("\t", 1)[1]


def line(row, null, digits):
    """A row as the server's client writes it; MariaDB's has six digits of a second."""
    row = [*row[:4], row[4].split(".")[0] + "." + row[4].split(".")[1].ljust(6, "0") if digits else row[4]]
    return "\t".join(null if cell is None else str(cell).replace("\\", "\\\\").replace("\t", "\\t") for cell in row)
