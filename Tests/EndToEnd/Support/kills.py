"""Kills the daily prices by SIGKILL, at random moments and at named points, and compares what a second run makes of it.

Every try starts from the same state, one day loaded, runs the second day, is killed, and runs the second day again. All tables and
items must equal those of an undisturbed run, and nothing temporary may be left.
"""

import os
import shutil
import subprocess
import time

import checks
import driver
import market
import prices
import tables

DAYS = ["2026-01-05", "2026-01-06"]
# Where a commit can be torn: between any two of its promises.
COMMIT = [
    "commit.begin", "commit.settled", "commit.rejectsDurable", "commit.prepared", "sqlite.beforeCommit", "sqlite.afterCommit",
    "commit.sinkCommitted", "commit.ledgerCommitted", "commit.recorded",
]
OTHER = [
    "landing.file", "scrape.fetched", "landing.manifest", "landing.sweep", "scrape.landed", "run.begun", "turn", "sync.batch",
    "run.ending", "run.ended",
]
# How often a run of one day reaches a point, for those it reaches more than once.
TIMES = {point: 5 for point in COMMIT} | {"landing.file": 12, "turn": 10, "sync.batch": 12}


class KillTest(driver.KillDriver):
    def __init__(self, run):
        super().__init__(run)
        self.base = os.path.join(run.folder, "base")
        self.state = os.path.join(run.folder, "state")
        self.temporary = os.path.join(run.folder, "tmp")
        os.mkdir(self.temporary)
        demo = checks.Headrace(os.path.join(run.folder, "demo"))
        for day in DAYS:
            done = demo.run("run", "daily-prices", "--demo", "--date", day)
            if done.returncode != 0:
                run.check(False, f"the demo runs for {day}", done.stderr[-3000:])
                run.finish()
        self.market = market.ReplayMarket(os.path.join(demo.state, "landing"), DAYS)
        self.headrace = checks.Headrace(self.state)
        self.job(DAYS[0], must=True)
        os.rename(self.state, self.base)
        self.restore()
        begun = time.monotonic()
        self.job(DAYS[1], must=True)
        self.seconds = time.monotonic() - begun
        self.undisturbed = self.tables()
        self.before = None

    def restore(self):
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.copytree(self.base, self.state)

    def environment(self, faults=None):
        environment = {"AMAZON_API_KEY": market.KEY, "TMPDIR": self.temporary}
        if faults:
            environment["HEADRACE_FAULTS"] = faults
        return environment

    def arguments(self, day):
        return ["run", "daily-prices", "--market", self.market.url, "--date", day]

    def job(self, day, faults=None, must=False):
        done = self.headrace.run(*self.arguments(day), env=self.environment(faults))
        if must and done.returncode != 0:
            self.run.check(False, f"the undisturbed run of {day}", done.stderr[-3000:])
            self.run.finish()
        return done

    def database(self):
        return os.path.join(self.state, "warehouse.db")

    def tables(self):
        return tables.same(self.database(), self.headrace, os.path.join(self.state, "prices.kv"))

    def place(self):
        """How far the killed run had come, from what it made durable: the last step in its ledger."""
        shown = self.headrace.shown()
        if shown["parameters"].get("job", {}).get("date") != DAYS[1]:
            return "before the ledger's entry"
        if shown["state"].startswith("complete"):
            return "after the end"
        steps = [step["step"] for step in shown["steps"]]
        if any(step == "sync" for step in steps):
            return "after the sync"
        if any(step.startswith("facts/") for step in steps):
            return "during the sync"
        staged = {step.split("/")[1] for step in steps if step.startswith("stage/")}
        if len(staged) == len(prices.FEEDS):
            return "loading facts"
        if staged:
            return "staging"
        entries = shown["inputs"]
        return "after landing" if entries else "scraping"

    def torn(self):
        """What a killed run may not leave where others read: half a set of facts, a broken key.

        Looks at a copy, so that it is Headrace that first opens what was left.
        """
        copy = os.path.join(self.run.folder, "copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.state, copy)
        database = os.path.join(copy, "warehouse.db")
        faults = []
        if checks.rows(database, "PRAGMA integrity_check", mode="rw") != [("ok",)]:
            faults.append("the warehouse is damaged")
        if checks.rows(database, "PRAGMA foreign_key_check", mode="rw"):
            faults.append("a fact lacks its product")
        found = tables.same(database)["fact_prices"]
        if found != self.undisturbed["fact_prices"] and found != self.base_facts():
            faults.append("the facts are neither those of the day before nor those of the day")
        return faults

    def base_facts(self):
        if self.before is None:
            self.before = tables.same(os.path.join(self.base, "warehouse.db"))["fact_prices"]
        return self.before

    def leftovers(self):
        """Files and tables that nobody needs."""
        found = [f"{self.temporary}/{name}" for name in os.listdir(self.temporary)]
        for folder, _, names in os.walk(self.state):
            found += [os.path.join(folder, name) for name in names if name.startswith(".") or name.endswith(".tmp")]
        found += prices.broken_files(os.path.join(self.state, "landing"), DAYS[1])
        found += [
            row[0] for row in checks.rows(self.database(), "SELECT name FROM sqlite_master WHERE name LIKE '%stage%'")
        ]
        return found

    def judge(self, what):
        """Runs again and compares. Returns where the kill landed."""
        place = self.place()
        faults = self.torn()
        again = self.job(DAYS[1])
        if again.returncode != 0:
            faults.append(f"run again: status {again.returncode}\n{again.stderr[-1500:]}")
        else:
            found = self.tables()
            for table, rows in self.undisturbed.items():
                if found[table] != rows:
                    faults.append(f"{table} differs: {checks.difference(found[table], rows)}")
            faults += [f"left behind: {name}" for name in self.leftovers()]
            faults += [f"no account: {step}" for step in checks.unbalanced(self.headrace.shown())]
        if faults:
            self.run.check(False, f"killed {what}, {place}: run again gives the same tables", "\n".join(faults))
        else:
            self.run.passed += 1
        return place

    def start(self, faults=None):
        return self.headrace.start(
            *self.arguments(DAYS[1]), env=self.environment(faults), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def everything(self, kills, each):
        """`kills` random moments, and every named point: `each` times for the commit's, once for the others."""
        print(f"an undisturbed run of a day takes {self.seconds:.2f} s", flush=True)
        self.at_points(COMMIT, each, TIMES)
        self.at_points(OTHER, 1, TIMES)
        self.at_random(kills, self.seconds)
        self.market.stop()
        self.report("the ledger then said")
        print("compared after each: " + ", ".join(f"{table} ({len(rows)})" for table, rows in self.undisturbed.items()))
