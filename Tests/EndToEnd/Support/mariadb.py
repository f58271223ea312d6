"""A MariaDB server of a test's own, on a free port of loopback, and its command-line client as the independent reader."""

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


class Server:
    """Runs from an empty folder; `kill` ends it as a power cut would."""

    def __init__(self, durable=False, settings=(), parent="/tmp", small=False):
        """`parent` is where its folder is made; `small` makes it use little of a small disk."""
        # A test that is asked to stop stops its server too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        # Short and open to the server's user: a socket's path holds 107 bytes at most.
        self.folder = tempfile.mkdtemp(prefix="hrmy-", dir=parent)
        os.chmod(self.folder, 0o755)
        self.data = os.path.join(self.folder, "d")
        self.socket = os.path.join(self.folder, "s", "s")
        # Debian keeps servers where ordinary users do not look.
        self.identity = {"env": {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"}}
        # Of its own: a server that starts takes away temporary tables of others that it finds.
        self.temporary = os.path.join(self.folder, "t")
        for folder in (self.data, os.path.dirname(self.socket), self.temporary):
            os.mkdir(folder, 0o755)
            if os.getuid() == 0:
                user = pwd.getpwnam("mysql")
                os.chown(folder, user.pw_uid, user.pw_gid)
                self.identity.update({"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []})
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        log = f"--innodb-log-file-size={4 if small else 256}M"
        self.settings = [log, f"--innodb-buffer-pool-size={16 if small else 256}M"]
        self.settings += [] if durable else ["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"]
        self.settings += settings
        done = subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal",
             f"--tmpdir={self.temporary}", "--skip-test-db", *([log] if small else [])],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/", check=False, **self.identity)
        if done.returncode != 0:
            raise RuntimeError(done.stderr + done.stdout)
        self.process = None
        self.start()

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            # pylint: disable=consider-using-with  # it runs until `stop`
            self.process = subprocess.Popen(
                ["mariadbd", "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}", "--bind-address=127.0.0.1",
                 f"--port={self.port}", f"--tmpdir={self.temporary}", "--skip-log-bin", "--skip-name-resolve", "--local-infile=1",
                 "--character-set-server=utf8mb4", *self.settings],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **self.identity)
        for _ in range(1200):
            if self.process.poll() is not None:
                break
            try:
                self.sql("SELECT 1")
                return
            except RuntimeError:
                time.sleep(0.05)
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
            raise RuntimeError("mariadbd does not start: " + log.read()[-2000:])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        try:
            self.kill()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database):
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def client(self, database=""):
        """The arguments that start the client."""
        return ["mariadb", "--no-defaults", "-uroot", "-S", self.socket, "--default-character-set=utf8mb4", "--local-infile=1",
                *([database] if database else [])]

    def create(self, database):
        self.sql(f"CREATE DATABASE {database}")

    def drop(self, database):
        self.sql(f"DROP DATABASE IF EXISTS {database}")

    def copy(self, source, target):
        """A new database with the tables and rows of another."""
        self.create(target)
        dump = subprocess.run(
            ["mariadb-dump", "--no-defaults", "-uroot", "-S", self.socket, "--single-transaction", source], capture_output=True,
            check=True)
        subprocess.run(self.client(target), input=dump.stdout, capture_output=True, check=True)

    def table(self, name, columns, database):
        """The rows of a table as dictionaries, numbers as Decimal."""
        texts = self.column(
            "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() "
            f"AND TABLE_NAME = '{name}' AND COLLATION_NAME IS NOT NULL", database)
        # One collation for all: JSON and text have two, which JSON_OBJECT does not mix.
        pairs = ", ".join(
            f"'{column}', `{column}`" + (" COLLATE utf8mb4_bin" if column in texts else "") for column in columns)
        lines = self.column(f"SELECT JSON_OBJECT({pairs}) FROM `{name}`", database)
        return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines]

    def left_over(self, database):
        """Tables that nobody needs, and connections that somebody left open."""
        return self.column(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '%headrace%' "
            "AND TABLE_NAME NOT IN ('_headrace_state', '_headrace_swap') UNION ALL SELECT COMMAND FROM "
            "information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()", database)

    def column(self, sql, database):
        """The first value of each row as it stands; values without line ends and tabs only."""
        return [row[0] for row in self.sql(sql, database, "--raw")]

    def sql(self, sql, database="", *options):
        """The rows that the client prints, as lists of text; NULL stands for null."""
        done = subprocess.run(
            [*self.client(database), "--batch", "--skip-column-names", *options, "--execute", sql], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"mariadb: {done.stderr}")
        return [line.split("\t") for line in done.stdout.split("\n")[:-1]]
