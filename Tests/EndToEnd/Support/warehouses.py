"""Runs the daily prices into a database server and compares every table, read by its own client, with what the same days
made of SQLite. Then kills the job at each point of a commit and runs it again.

A server has `url`, `create`, `copy` and `drop` of databases, `table` for a table's rows as dictionaries, and `left_over` for what
nobody needs any more.
"""

import datetime
import json
import os
import shutil
from decimal import Decimal

import checks
import market
import tables

DAYS = ["2026-01-05", "2026-01-06", "2026-01-07"]
DATES = {"price_date", "scraped_date"}


def value(column, found):
    """A value of either database in one form."""
    if found is None:
        return None
    if column in DATES:
        return datetime.datetime.fromisoformat(str(found).rstrip("Z")).isoformat()
    if column == "raw_data":
        data = json.loads(found, parse_float=Decimal, parse_int=Decimal) if isinstance(found, str) else found
        return json.dumps(data, sort_keys=True, default=lambda number: format(number.normalize(), "f"))
    if column == "is_current":
        return tables.flag(found)
    if isinstance(found, (int, float, Decimal)):
        return Decimal(str(found)).normalize()
    return found


def kept(table):
    return [name for name in tables.LAYOUT[table] if name not in tables.TIMES]


def comparable(table, rows):
    return sorted((tuple(value(name, row[name]) for name in kept(table)) for row in rows), key=repr)


class DailyPrices:
    """The job on a server, beside the same job on SQLite."""

    def __init__(self, run, server, name):
        self.run, self.server, self.name = run, server, name
        self.demo = checks.Headrace(os.path.join(run.folder, "sqlite"))
        for day in DAYS:
            self.must(self.demo.run("run", "daily-prices", "--demo", "--date", day), f"{day} into SQLite")
        path = os.path.join(self.demo.state, "warehouse.db")
        self.wanted = {
            table: comparable(table, [
                dict(zip(kept(table), row))
                for row in checks.rows(path, f"SELECT {', '.join(kept(table))} FROM \"{table}\"")])
            for table in tables.LAYOUT if table != "etl_logs"
        }
        self.replay = market.ReplayMarket(os.path.join(self.demo.state, "landing"), DAYS)
        self.place = checks.Headrace(os.path.join(run.folder, name))
        server.create("prices")

    def must(self, done, what):
        if not self.run.check(done.returncode == 0, what, done.stderr[-3000:]):
            self.server.stop()
            self.run.finish()

    def job(self, place, database, day, faults=None):
        environment = {"AMAZON_API_KEY": market.KEY, "HEADRACE_WAREHOUSE": self.server.url(database)}
        if faults:
            environment["HEADRACE_FAULTS"] = faults
        return place.run("run", "daily-prices", "--market", self.replay.url, "--date", day, env=environment)

    def found(self, database):
        return {
            table: comparable(table, self.server.table(table, kept(table), database))
            for table in tables.LAYOUT if table != "etl_logs"
        }

    @staticmethod
    def items(place):
        return sorted(
            json.dumps({k: v for k, v in item.items() if k not in ("CreatedAt", "UpdatedAt")}, sort_keys=True)
            for item in tables.raw_items(place, os.path.join(place.state, "prices.kv")))

    def plan(self):
        """What `headrace plan` prints for the first day."""
        return self.place.run(
            "plan", "run", "daily-prices", "--demo", "--date", DAYS[0],
            env={"HEADRACE_WAREHOUSE": self.server.url("prices")})

    def load(self):
        """Loads all days and compares; loads the last day again."""
        for day in DAYS:
            self.must(self.job(self.place, "prices", day), f"{day} into {self.name}")
        found = self.found("prices")
        for table, rows in self.wanted.items():
            self.run.equal(found[table], rows, f"{table} holds the same {len(rows)} rows in both")
        self.run.check(len(self.wanted["fact_prices"]) > 100, "there are facts to compare")
        self.run.equal(self.items(self.place), self.items(self.demo), "the key-value store is filled from both alike")
        self.run.equal(self.server.left_over("prices"), [], "nothing is left behind")
        self.run.equal(checks.unbalanced(self.place.shown()), [], "every step accounts for its rows")
        self.must(self.job(self.place, "prices", DAYS[2]), "the last day again")
        self.run.equal(self.found("prices"), found, "loading a day again changes nothing")

    def kill(self, points):
        """Kills the third day at each point of a commit, then runs it again."""
        before = checks.Headrace(os.path.join(self.run.folder, "before"))
        self.server.create("two_days")
        for day in DAYS[:2]:
            self.must(self.job(before, "two_days", day), f"{day} before the kills")
        killed = checks.Headrace(os.path.join(self.run.folder, "killed"))
        for point in points:
            # Staging of the four feeds commits first, then the facts.
            for count in (2, 5):
                shutil.rmtree(killed.state)
                shutil.copytree(before.state, killed.state)
                self.server.drop("killed")
                self.server.copy("two_days", "killed")
                done = self.job(killed, "killed", DAYS[2], faults=f"{point}@{count}=kill")
                reached = checks.was_killed(done.returncode)
                if not self.run.check(reached, f"{point} is reached {count} times", done.stderr[-1500:]):
                    continue
                done = self.job(killed, "killed", DAYS[2])
                where = f"killed at {point} the {count}. time"
                self.run.check(done.returncode == 0, f"{where}: the job runs again", done.stderr[-1500:])
                again = self.found("killed")
                different = [table for table, rows in self.wanted.items() if again[table] != rows]
                self.run.equal(different, [], f"{where}: the tables are the same")
                self.run.equal(self.items(killed), self.items(self.demo), f"{where}: the items are the same")
                self.run.equal(self.server.left_over("killed"), [], f"{where}: nothing is left behind")
        self.replay.stop()
