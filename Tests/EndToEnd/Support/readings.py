"""Reads a table of PostgreSQL or MariaDB through a proxy that cuts at random bytes, and reads on: no row twice, none missing."""

import os
import shutil

import checks
import faults
import loads
import targets


class Readings:
    """Copies the table that a `FaultTest` has loaded into SQLite, anew for every try."""

    def __init__(self, test):
        self.test = test
        self.headrace = checks.Headrace(os.path.join(test.folder, "readings"))
        self.path = os.path.join(test.folder, "copy.db")
        test.case = test.cases[1]
        test.restore()
        done = test.finish(test.start())
        test.run.check(done.returncode == 0, f"{test.make.name}: a table to read", done.stderr)
        # Enough that the first epochs are committed before the reader, who is ahead, notices the cut.
        for times in (1, 2):
            rows = times * loads.ROWS
            test.target.sql(f"INSERT INTO t ({targets.COLUMNS}) SELECT id + {rows}, name, price, day, seen FROM t")
        test.target.sql("ALTER TABLE t ADD PRIMARY KEY (id)")
        self.clear()
        done = self.read()
        counts = test.proxy.counts()
        self.toServer, self.toClient = counts["toServer"], counts["toClient"]
        self.wanted = self.rows()
        test.run.check(done.returncode == 0, f"{test.make.name}: an undisturbed reading", done.stderr)
        names = [loads.values(number)[1] for number in range(1, loads.ROWS + 1)] * 4
        test.run.equal([row[:2] for row in self.wanted], list(enumerate(names, 1)), f"{test.make.name}: it finds every row")

    def clear(self):
        self.test.proxy.play()
        shutil.rmtree(self.headrace.state)
        os.mkdir(self.headrace.state)
        for suffix in ("", "-wal", "-shm", "-journal"):
            if os.path.exists(self.path + suffix):
                os.remove(self.path + suffix)

    def read(self):
        source = self.test.target.url(self.test.proxy.port)
        return self.headrace.run("copy", source, f"sqlite:{self.path}?table=t", "--mode", "append", *faults.EPOCH)

    def rows(self):
        if not os.path.exists(self.path) or not checks.rows(self.path, "SELECT 1 FROM sqlite_master WHERE name = 't'"):
            return []
        return checks.rows(self.path, "SELECT id, name, price, day, seen FROM t ORDER BY id")

    def cut(self, script):
        """One try. Returns what was there before the second run, or nothing when nothing was cut."""
        test = self.test
        self.clear()
        test.proxy.play(script)
        done = self.read()
        if not test.proxy.counts()["fired"]:
            return None
        wrong = []
        between = self.rows()
        if len({row[0] for row in between}) != len(between) or not set(between) <= set(self.wanted):
            wrong.append(f"before the second run: {len(between)} rows, some twice or wrong")
        if done.returncode == 0:
            place = "the reading came through"
        else:
            place = "nothing read" if not between else "all read" if len(between) == len(self.wanted) else "went on after an epoch"
            test.proxy.play()
            again = self.read()
            if again.returncode != 0:
                wrong.append(f"read again: status {again.returncode}\n{again.stderr[-1500:]}")
        if self.rows() != self.wanted:
            wrong.append("rows: " + checks.difference(self.rows(), self.wanted))
        wrong += [f"no account: {step}" for step in checks.unbalanced(self.headrace.shown())]
        if wrong:
            test.run.check(False, f"{test.make.name}: a reading, {script} ({place})", "\n".join(wrong) + "\nit said: " + done.stderr[-800:])
        else:
            test.run.passed += 1
        return place

    def everything(self, count):
        """So many cuts, most of them in the stream of rows."""
        landed = tries = 0
        while landed < count and tries < 4 * count:
            tries += 1
            way = "toServer" if self.test.random.random() < 0.1 else "toClient"
            byte = self.test.random.randrange(self.toServer if way == "toServer" else self.toClient)
            place = self.cut(f"{self.test.random.choice(['reset', 'end'])}@{way}:{byte}")
            if place is not None:
                landed += 1
                self.test.outcomes["reading cut"][place] += 1
        self.test.run.check(landed == count, f"{self.test.make.name}: {count} readings are cut", landed)
