"""What every end-to-end script needs: the program under test, checks that count, and a folder of its own."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def binary():
    """The program: $HEADRACE_BINARY, else the newer of the release and the debug build."""
    named = os.environ.get("HEADRACE_BINARY")
    if named:
        return os.path.abspath(named)
    built = [os.path.join(ROOT, ".build", kind, "headrace") for kind in ("release", "debug")]
    built = [path for path in built if os.path.exists(path)]
    if not built:
        sys.exit("headrace is not built: run `swift build --product headrace` first")
    return max(built, key=os.path.getmtime)


class Checks:
    """Counts what holds and what does not; goes on after a failure, so that one run tells everything."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.folder = tempfile.mkdtemp(prefix="headrace-e2e-")

    def check(self, holds, what, detail=""):
        if holds:
            self.passed += 1
            print(f"ok      {what}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {what}", flush=True)
            for line in str(detail).splitlines()[:30]:
                print(f"        {line[:400]}", flush=True)
        return bool(holds)

    def equal(self, found, wanted, what):
        return self.check(found == wanted, what, "" if found == wanted else difference(found, wanted))

    def finish(self):
        """Prints the count and ends the process; the folder stays when something failed."""
        print(f"\n{self.passed} passed, {self.failed} failed")
        if self.failed == 0 and not os.environ.get("HEADRACE_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"kept: {self.folder}")
        sys.exit(1 if self.failed else 0)


def difference(found, wanted):
    """What is in one and not in the other, a few lines of each."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        lines = []
        for key in sorted(set(found) | set(wanted), key=str):
            if key not in found:
                lines.append(f"missing   {key}: {wanted[key]}")
            elif key not in wanted:
                lines.append(f"surplus   {key}: {found[key]}")
            elif found[key] != wanted[key]:
                lines.append(f"differs   {key}:\n  found   {found[key]}\n  wanted  {wanted[key]}")
        return f"{len(lines)} differences\n" + "\n".join(lines[:12])
    if isinstance(found, list) and isinstance(wanted, list):
        pairs = [(i, a, b) for i, (a, b) in enumerate(zip(found, wanted)) if a != b]
        lines = [f"{len(found)} found, {len(wanted)} wanted, {len(pairs)} differ"]
        lines += [f"at {i}:\n  found   {a!r}\n  wanted  {b!r}" for i, a, b in pairs[:6]]
        return "\n".join(lines)
    return f"found   {found!r}\nwanted  {wanted!r}"


class Headrace:
    """The program with a state folder of its own."""

    def __init__(self, state):
        self.program = binary()
        self.state = state
        os.makedirs(state, exist_ok=True)

    def environment(self, extra):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_")}
        environment["TZ"] = "Asia/Kolkata"  # Nothing may depend on the zone of the machine.
        environment.update(extra or {})
        return environment

    def command(self, *arguments):
        return [self.program, *arguments, *([] if "--state" in arguments or arguments[0] in ("kv",) else ["--state", self.state])]

    def run(self, *arguments, stdin=None, env=None, cwd=None, timeout=600, text=True):
        given = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=text, env=self.environment(env), cwd=cwd,
            timeout=timeout, **given)

    def start(self, *arguments, env=None, cwd=None, stdout=subprocess.PIPE, stderr=subprocess.PIPE):
        return subprocess.Popen(
            self.command(*arguments), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, text=True,
            env=self.environment(env), cwd=cwd)

    def shown(self, run="last"):
        done = self.run("show", run, "--json")
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    def runs(self):
        """Identifiers of the runs, newest first."""
        done = self.run("runs", "--limit", "1000")
        return [line.split()[0] for line in done.stdout.splitlines()[2:] if line.strip()]


def was_killed(returncode):
    return returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


def unbalanced(shown):
    """The steps of a run whose sum does not hold: in + added = out + rejected + filtered + merged."""
    return [
        step for step in shown["steps"]
        if step["in"] + step["added"] != step["out"] + step["rejected"] + step["filtered"] + step["merged"]
    ]


def rows(database, query, parameters=(), mode="ro"):
    connection = sqlite3.connect(f"file:{database}?mode={mode}", uri=True)
    try:
        return connection.execute(query, parameters).fetchall()
    finally:
        connection.close()


def columns(database, table):
    return [row[1] for row in rows(database, f'PRAGMA table_info("{table}")')]
