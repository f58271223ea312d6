"""Loads of one table under faults, for PostgreSQL and MariaDB alike, each judged by the rows that the server's own client reads.

Every try starts from the same table, is disturbed, and where the run did not come through it is run again. The table must
then hold exactly the expected rows, nothing may be left behind, and the ledger's account must hold. Between the two runs readers may
only see what whole epochs have committed.
"""

import collections
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time


import checks
import driver
import loads
import proxy
import targets

EPOCH = ["--commit", "1"]
COMMIT = ["commit.begin", "commit.settled", "commit.rejectsDurable", "commit.prepared"]
AFTER = ["commit.sinkCommitted", "commit.ledgerCommitted", "commit.recorded"]


class FaultTest(driver.KillDriver):
    """All kinds of faults against one database."""

    def __init__(self, run, make):
        super().__init__(run)
        self.make = make
        self.folder = os.path.join(run.folder, make.name)
        os.mkdir(self.folder)
        self.file = os.path.join(self.folder, "rows.csv")
        self.kept = os.path.join(self.folder, "kept.csv")
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(targets.COLUMNS.replace(" ", "") + "\n" + "".join(loads.csv(loads.values(n)) for n in range(1, loads.ROWS + 1)))
        with open(self.kept, "w", encoding="utf-8") as file:
            file.write("".join(loads.csv(loads.old_values(n)) for n in loads.KEPT))
        os.chmod(run.folder, 0o755)
        digits = make is targets.MariaDB
        self.rows = [loads.line(loads.values(n), make.null, digits) for n in range(1, loads.ROWS + 1)]
        self.base = {n: loads.line(loads.old_values(n), make.null, digits) for n in loads.KEPT}
        self.outcomes = collections.defaultdict(collections.Counter)
        self.target = self.proxy = self.case = None
        self.headrace = checks.Headrace(os.path.join(self.folder, "state"))
        self.options = {}
        self.open(make())
        self.cases = [loads.Case("append", "append"), loads.Case("append to a table of its own", "append", has_table=False)]
        self.cases += [loads.Case(mode, mode) for mode in make.modes]
        for case in self.cases:
            self.measure(case)

    def open(self, target):
        """Makes this the server under test."""
        self.target = target
        target.keep(self.kept)
        self.proxy = proxy.Proxy(f"127.0.0.1:{target.server.port}")

    def close(self):
        self.proxy.stop()
        self.target.stop()

    # One try

    def restore(self):
        self.proxy.play()
        self.target.recovered()
        self.target.reset(self.case.has_table, self.case.has_unique_key, self.case.mode == "history")
        shutil.rmtree(self.headrace.state, ignore_errors=True)
        os.mkdir(self.headrace.state)

    def arguments(self):
        how = ["--mode", self.case.mode, *(["--key", "id"] if self.case.is_keyed else [])]
        how += ["--effective", "seen"] if self.case.mode == "history" else []
        return ["copy", self.file, self.target.url(self.proxy.port, **self.options), *how, *EPOCH]

    def start(self, faults=None):
        return self.headrace.start(*self.arguments(), env={"HEADRACE_FAULTS": faults} if faults else None)

    def finish(self, process):
        """Waits for a run; its status and words."""
        output, errors = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def measure(self, case):
        """An undisturbed run: its bytes, epochs and time, and that it makes the expected rows."""
        self.case = case
        self.restore()
        begun = time.monotonic()
        done = self.finish(self.start())
        case.seconds = time.monotonic() - begun
        counts = self.proxy.counts()
        case.toServer, case.toClient, case.epochs = counts["toServer"], counts["toClient"], self.target.epoch()
        # The statements that commit: a replace of MariaDB has two.
        case.commits = 2 if self.make is targets.MariaDB and case.mode == "replace" else case.epochs
        faults = self.faults(done)
        self.run.check(done.returncode == 0 and not faults, f"{self.make.name}, {case.name}: undisturbed", "\n".join([done.stderr[-800:], *faults]))
        self.run.check(case.epochs == (1 if case.mode == "replace" else 2), f"{self.make.name}, {case.name}: epochs", case.epochs)

    def faults(self, done=None):
        """What is wrong with the final table, its surroundings and the ledger's entry of the run that came through."""
        found = []
        dump, wanted = sorted(self.target.dump(self.case.columns)), self.case.expected(self.base, self.rows, loads.ROWS)
        if dump != wanted:
            found.append("rows: " + difference(dump, wanted))
        found += [f"left behind: {name}" for name in self.left_over()]
        named = re.search(r"run (\S+): complete", done.stderr if done else "")
        shown = self.headrace.shown(named.group(1) if named else "last")
        found += [f"no account: {step}" for step in checks.unbalanced(shown)]
        load = [step for step in shown["steps"] if step["step"] == "load"]
        if [step["in"] for step in load] != [loads.ROWS] or sum(load[0]["written"].values()) - load[0]["written"]["deleted"] != loads.ROWS:
            found.append(f"the ledger's load: {load}")
        return found

    def left_over(self):
        """What nobody needs, once a busy server has noticed that a connection is gone."""
        for _ in range(100):
            found = self.target.left_over()
            if not found:
                break
            time.sleep(0.1)
        return found

    def between(self):
        """What readers see after the fault: how many rows of the file, and what is wrong with that."""
        dump = sorted(self.target.dump(self.case.columns))
        numbers = [int(row.split("\t", 1)[0]) for row in dump]
        count = max([number for number in numbers if number > loads.BASE], default=0)
        wanted = self.case.expected(self.base, self.rows, count)
        return count, [] if dump == wanted else ["before the second run: " + difference(dump, wanted)]

    def judge(self, what, done=None):
        """Runs again where the run did not come through, and compares. Returns what was left."""
        self.target.recovered()
        self.proxy.play()
        first = done
        count, faults = self.between()
        epoch = self.target.epoch()
        if done is not None and done.returncode == 0:
            place = "the run came through"
        elif done is None and self.is_over():
            place = "all, and the run was over"
        else:
            if done is not None and (done.returncode != 1 or "error:" not in done.stderr):
                faults.append(f"the disturbed run: status {done.returncode}\n{done.stderr[-1000:]}")
            place = "nothing committed" if count == 0 else "all committed" if count == loads.ROWS else f"epoch {epoch} of {self.case.epochs}"
            again = done = self.finish(self.start())
            if again.returncode != 0:
                faults.append(f"run again: status {again.returncode}\n{again.stderr[-1500:]}")
        faults += self.faults(done)
        if faults:
            told = f"\nthe disturbed run said: {first.stderr[-1500:]}" if first else ""
            self.run.check(False, f"{self.make.name}, {self.case.name}, {what} ({place})", "\n".join(faults) + told)
        else:
            self.run.passed += 1
        return place

    def is_over(self):
        """Whether the ledger says that the last run came through."""
        try:
            return self.headrace.shown()["state"].startswith("complete")
        except RuntimeError:
            return False

    def each(self, kind, count, act, cases=None):
        """`count` tries of a kind, the ways to write in turn. `act` says what it did, and the run's end; None is no try."""
        tries = landed = 0
        while landed < count and tries < 4 * count:
            chosen = cases or self.cases
            self.case = chosen[tries % len(chosen)]
            tries += 1
            self.restore()
            outcome = act()
            if outcome is None:
                continue
            landed += 1
            self.outcomes[kind][self.judge(f"{kind}: {outcome[0]}", outcome[1])] += 1
        if landed < count:
            self.run.check(False, f"{self.make.name}: {kind} {count} times", f"only {landed} of {tries} tries")

    # The kinds

    def server_killed_in_load(self):
        """Stops the stream at a random byte, kills the server there, and lets the client notice."""
        byte = self.random.randrange(self.case.toServer)
        self.proxy.play(f"stall@toServer:{byte}")
        process = self.start()
        if not self.proxy.wait("fired"):
            self.finish(process)
            return None
        self.target.server.kill()
        self.proxy.release()
        return f"at byte {byte}", self.finish(process)

    def at_commit(self):
        """A rule's text for one of the run's commits."""
        number = self.random.randrange(self.case.commits)
        return number + 1, f"note@toServer:after={self.target.commit} " * number

    def server_killed_at_commit(self):
        """Kills the server while it commits: a moment after it has heard COMMIT."""
        number, notes = self.at_commit()
        self.proxy.play(f"{notes}hold@toServer:after={self.target.commit}")
        process = self.start()
        if not self.proxy.wait("fired", number):
            self.finish(process)
            return None
        time.sleep(self.random.uniform(0, 0.003))
        self.target.server.kill()
        self.proxy.release()
        return f"at COMMIT {number}", self.finish(process)

    def server_killed_after_commit(self):
        """Kills the server when it has answered COMMIT, and withholds the answer."""
        number, notes = self.at_commit()
        self.proxy.play(f"{notes}hold@toServer:after={self.target.commit}")
        process = self.start()
        if not self.proxy.wait("waiting"):
            self.finish(process)
            return None
        self.target.server.kill()
        self.proxy.cut()
        self.target.recovered()
        return f"after COMMIT {number}", self.finish(process)

    def connection_cut(self):
        byte = self.random.randrange(self.case.toServer + self.case.toClient)
        how = self.random.choice(["reset", "end"])
        # The little that the server says is as interesting as the much that it hears.
        if self.random.random() < 0.3:
            place = f"toClient:{self.random.randrange(self.case.toClient)}"
        else:
            place = f"toServer:{byte % self.case.toServer}"
        self.proxy.play(f"{how}@{place}")
        process = self.start()
        done = self.finish(process)
        return (f"{how}@{place}", done) if self.proxy.counts()["fired"] else None

    def answer_lost(self):
        """Cuts the connection around COMMIT: before the server has heard it, or when it has answered."""
        number, notes = self.at_commit()
        before = self.random.random() < 0.5
        self.proxy.play(f"{notes}{'reset' if before else 'hold'}@toServer:{'before' if before else 'after'}={self.target.commit}")
        process = self.start()
        if not before:
            if not self.proxy.wait("waiting"):
                self.finish(process)
                return None
            self.proxy.cut()
        return f"{'before' if before else 'after'} COMMIT {number}", self.finish(process)

    def disk_full(self):
        free = self.random.randrange(0, 3 << 20) if self.random.random() < 0.8 else 0
        self.target.disk.fill(free)
        done = self.finish(self.start())
        self.target.disk.free()
        self.target.recovered()
        return None if done.returncode == 0 else (f"with {free} bytes free", done)

    def table_locked(self):
        """Another session holds the table: the run gives up in time and says why, or waits until it is let go."""
        if not self.case.has_table:
            return None
        waits = self.random.random() < 0.5
        self.options = {} if waits else {"lockTimeout": "1"}
        session = self.target.locked()
        process = self.start()
        if waits:
            time.sleep(self.case.seconds + self.random.uniform(0, 0.2))
            isWaiting = process.poll() is None
            session.end()
            done = self.finish(process)
            if not isWaiting or done.returncode != 0:
                self.run.check(False, f"{self.make.name}, {self.case.name}: waits for a locked table", done.stderr)
            return "let go while the run waits", done
        done = self.finish(process)
        session.end()
        if done.returncode != 1 or "lock" not in done.stderr.lower():
            self.run.check(False, f"{self.make.name}, {self.case.name}: a locked table is said in time", done.stderr)
        return "lock time-out", done

    # Clients killed

    def clients_killed(self, count, each):
        """At `count` random moments, and `each` times at every point of a commit, the ways to write in turn."""
        turn = 0
        for point in COMMIT + self.target.stages + AFTER:
            cases = self.of_point(point)
            for index in range(each):
                self.case = cases[turn % len(cases)]
                turn += 1
                if not self.kill_at(point, 1 + index % self.case.epochs):
                    self.run.check(False, f"{self.make.name}, {self.case.name}: {point} is reached")
        for index in range(count):
            self.case = self.cases[index % len(self.cases)]
            self.at_random(1, self.case.seconds)

    # Full disks

    def full_disks(self, count):
        """The same on a server of its own whose data lie on a small file system. Says so where none can be mounted."""
        try:
            disk = targets.Disk(160)
        except OSError as error:
            print(f"blocked  {self.make.name}, disk full: no file system can be mounted here: {error}")
            return
        try:
            self.open(self.make(disk))
            try:
                self.each("disk full", count, self.disk_full)
            finally:
                self.close()
        finally:
            disk.remove()

    # Two runs

    def expire(self):
        """Passes the time of every lease, as a minute would."""
        self.ledger("UPDATE leases SET expires = 0", 30)

    def ledger(self, sql, seconds):
        connection = sqlite3.connect(os.path.join(self.headrace.state, "ledger.db"), timeout=seconds)
        try:
            with connection:
                connection.execute(sql)
        finally:
            connection.close()

    def stopped(self, faults):
        """A run that has stopped itself at a named point; None when it never came there, or holds the ledger itself, which all
        others then wait for."""
        process = self.start(faults)
        for _ in range(6000):
            with open(f"/proc/{process.pid}/stat", encoding="utf-8") as file:
                state = file.read().rsplit(")", 1)[1].split()[0]
            if state == "T":
                try:
                    self.ledger("BEGIN IMMEDIATE", 0.5)
                    return process
                except sqlite3.OperationalError:
                    process.send_signal(signal.SIGCONT)
                    self.finish(process)
                    return None
            if process.poll() is not None:
                self.finish(process)
                return None
            time.sleep(0.005)
        raise RuntimeError("the run neither stops nor ends")

    def leases(self, point, wait=None):
        """A run stops; another is told who holds the lease; when that has passed another takes over; the first wakes."""
        self.options = {"lockTimeout": "2"}
        first = self.stopped(f"{point}=stop")
        if first is None:
            return None
        second = self.finish(self.start())
        if second.returncode != 1 or str(first.pid) not in second.stderr:
            self.run.check(False, f"{self.make.name}: a second run is told who holds the lease", second.stderr)
        if wait:
            time.sleep(wait)
        else:
            self.expire()
        third = self.finish(self.start())
        first.send_signal(signal.SIGCONT)
        woken = self.finish(first)
        return self.two(f"stopped at {point}", woken, third)

    def overtaken(self, point, other):
        """A run stops, another takes over and stops too; the first wakes and ends, then the other."""
        self.options = {"lockTimeout": "2"}
        first = self.stopped(f"{point}=stop")
        if first is None:
            return None
        self.expire()
        second = self.stopped(f"{other}=stop")
        first.send_signal(signal.SIGCONT)
        woken = self.finish(first)
        if second is None:
            return f"stopped at {point}, the other ended before {other}", woken
        second.send_signal(signal.SIGCONT)
        return self.two(f"stopped at {point}, the other at {other}", woken, self.finish(second), may_wait=True)

    def two_runs(self, count, wait):
        """Runs that stop at points of a load while others take over; once for as long as a lease really lasts, where told."""
        before = self.target.stages[0]
        alone = ["turn", "commit.begin", "commit.prepared", *self.target.stages[:-1]]
        pairs = [("commit.begin", "turn"), ("commit.prepared", "turn"), ("commit.prepared", "commit.begin"), (before, "turn")]
        for index in range(count):
            for turn, point in enumerate(alone):
                cases = self.of_point(point)
                self.each("two runs", 1, lambda point=point: self.leases(point), self.turned(cases, index + turn))
            for turn, (point, other) in enumerate(pairs):
                self.each("two runs", 1, lambda point=point, other=other: self.overtaken(point, other), self.turned(self.cases, index + turn))
        if wait:
            self.each("two runs", 1, lambda: self.leases("commit.prepared", wait))
        self.options = {}

    def of_point(self, point):
        """The ways to write that reach a point."""
        return [case for case in self.cases if case.mode == "replace" or point not in self.target.swap_stages]

    @staticmethod
    def turned(cases, number):
        """The same ways to write, beginning with another."""
        first = number % len(cases)
        return cases[first:] + cases[:first]

    def two(self, what, first, second, may_wait=False):
        """Two runs have ended: where one came through, nothing needs to run again. The one that woke is refused then, or with
        `may_wait` has waited for the other's locks in vain."""
        ended = second if second.returncode == 0 else first
        if first.returncode == 0 and second.returncode == 0:
            self.run.check(False, f"{self.make.name}, {self.case.name}, {what}: both runs say that they have loaded")
        # By its sink, or by its own heartbeat where that is sooner.
        is_refused = "leaseLost" in first.stderr or "the lease was lost" in first.stderr
        if second.returncode == 0 and not is_refused and (first.returncode == 0 or not may_wait):
            self.run.check(False, f"{self.make.name}, {self.case.name}, {what}: the one that woke is refused", first.stderr)
        end = "came through" if first.returncode == 0 else "was refused" if is_refused else "failed"
        self.outcomes["two runs, the one that woke"][end] += 1
        return what, ended

    def report(self, told="the table then held"):
        """Prints what each kind of fault left, and how often."""
        print(f"\n{self.make.name}, what was there before the second run:")
        for kind, places in self.outcomes.items():
            print(f"  {kind}: " + ", ".join(f"{count} {place}" for place, count in places.most_common()))
        super().report(told)


def difference(found, wanted):
    """How many rows are missing and surplus, and the first of each."""
    surplus = collections.Counter(found) - collections.Counter(wanted)
    missing = collections.Counter(wanted) - collections.Counter(found)
    return (
        f"{len(found)} for {len(wanted)}, surplus {sum(surplus.values())}: {[row[:60] for row in list(surplus)[:2]]}, "
        f"missing {sum(missing.values())}: {[row[:60] for row in list(missing)[:2]]}")
