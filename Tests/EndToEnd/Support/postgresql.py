"""A PostgreSQL server of a test's own, on a free port of loopback, and psql as the independent client."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from decimal import Decimal


def is_running(process):
    """Whether it is there, and not only waiting for its parent to take note of its end."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Server:
    """Runs from an empty folder; `kill` ends it as a power cut would."""

    def __init__(self, durable=False, settings=(), parent="/tmp", small=False):
        """`settings` are lines of its configuration; `parent` is where its folder is made; `small` makes it use little of a small disk."""
        self.binaries = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        # A test that is asked to stop stops its server too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        # Short and open to the server's user: a socket's path holds 107 bytes at most.
        self.folder = tempfile.mkdtemp(prefix="hrpg-", dir=parent)
        os.chmod(self.folder, 0o755)
        self.data = os.path.join(self.folder, "d")
        os.mkdir(self.data, 0o700)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.identity = {}
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.data, user.pw_uid, user.pw_gid)
            self.identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.tool("initdb", "-D", self.data, "-A", "trust", "-U", "test", "-E", "UTF8", "--no-locale", "--no-sync",
                  *(["--wal-segsize=1"] if small else []))
        lines = ["listen_addresses = '127.0.0.1'", f"port = {self.port}", "unix_socket_directories = ''", "max_connections = 40"]
        if not durable:
            lines += ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]
        if small:
            lines += ["shared_buffers = 4MB", "min_wal_size = 2MB", "max_wal_size = 4MB", "autovacuum = off"]
        lines += settings
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        self.start()

    def tool(self, name, *arguments):
        done = subprocess.run(
            [os.path.join(self.binaries, name), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, cwd="/", check=False, **self.identity)
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stderr}")

    def start(self):
        self.tool("pg_ctl", "-D", self.data, "-l", os.path.join(self.data, "log"), "-w", "-t", "60", "start")

    def postmaster(self):
        """The server's main process, None when it is not there."""
        try:
            with open(os.path.join(self.data, "postmaster.pid"), encoding="utf-8") as file:
                process = int(file.readline())
            os.kill(process, 0)
            return process
        except (OSError, ValueError):
            return None

    def kill(self):
        """Ends all of the server's processes at once: the postmaster alone would leave the others to finish what they do."""
        postmaster = self.postmaster()
        if postmaster is None:
            return
        children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True, check=False).stdout.split()
        for process in [postmaster, *map(int, children)]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in [postmaster, *map(int, children)]:
            while is_running(process):
                time.sleep(0.002)

    def stop(self):
        try:
            if self.postmaster() is not None:
                self.tool("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database):
        return f"postgresql://test@127.0.0.1:{self.port}/{database}"

    def psql(self, sql, database="postgres"):
        """The lines that psql prints, values joined by bars."""
        done = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", sql],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr}")
        return done.stdout.splitlines()

    def create(self, database):
        self.psql(f"CREATE DATABASE {database}")

    def drop(self, database):
        self.psql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def copy(self, source, target):
        """A new database with the tables and rows of another."""
        self.psql(f"CREATE DATABASE {target} TEMPLATE {source}")

    def table(self, name, columns, database):
        """The rows of a table as dictionaries, numbers as Decimal."""
        lines = self.psql(f"SELECT row_to_json(q) FROM (SELECT {', '.join(columns)} FROM \"{name}\") q", database)
        return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines]

    def left_over(self, database):
        """Tables that nobody needs, and transactions that somebody left open."""
        return self.psql(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%headrace%' AND relname <> '_headrace_state' "
            "UNION ALL SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            database)
