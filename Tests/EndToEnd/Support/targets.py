"""PostgreSQL and MariaDB alike for the tests of faults: a table to load, its dump by the server's own client, what is left behind."""

import os
import shutil
import subprocess
import tempfile
import time

import mariadb
import postgresql

# In memory where there is such a place: commits are made as durable as ever, and cost the disk nothing.
PLACE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
COLUMNS = "id, name, price, day, seen"
# The same of a history: `seen` says since when a version holds, and one that has ended says until when.
VERSIONS = "id, name, price, day, valid_from, CASE WHEN is_current AND valid_to IS NULL THEN '' ELSE {until} END"


class Disk:
    """A small file system of its own for a server's data."""

    def __init__(self, megabytes):
        self.folder = tempfile.mkdtemp(prefix="hrfs-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", self.folder], capture_output=True, text=True,
            check=False)
        if done.returncode != 0:
            os.rmdir(self.folder)
            raise OSError(done.stderr.strip())
        self.filler = os.path.join(self.folder, "filler")

    def fill(self, free):
        """Leaves so many bytes."""
        system = os.statvfs(self.folder)
        size = system.f_bavail * system.f_frsize - free
        with open(self.filler, "ab") as file:
            while size > 0:
                piece = min(size, 1 << 20)
                file.write(b"x" * piece)
                size -= piece

    def free(self):
        if os.path.exists(self.filler):
            os.remove(self.filler)

    def remove(self):
        subprocess.run(["umount", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


class Session:
    """A client that keeps a transaction open."""

    def __init__(self, command, sql, ready):
        # pylint: disable=consider-using-with  # it runs until `end`
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.process.stdin.write(sql + "\n")
        self.process.stdin.flush()
        lines = []
        while not lines or lines[-1] != ready:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError(f"{sql}: {''.join(lines)}")
            lines.append(line.strip())

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class PostgreSQL:
    """A server, a database `work` in which the table `t` is loaded, and a schema `kept` with what it holds before."""

    name = "PostgreSQL"
    modes = ["replace", "upsert", "insert", "mirror", "history"]
    until = "CAST(valid_to AS text)"
    stages = ["postgresql.beforeCommit", "postgresql.afterCommit"]
    swap_stages = []
    commit = "COMMIT%00"
    null = "\\N"
    versions = ["ALTER TABLE t RENAME seen TO valid_from", "ALTER TABLE t ADD valid_to timestamp, ADD is_current boolean NOT NULL DEFAULT true"]

    def __init__(self, disk=None):
        self.disk = disk
        self.server = postgresql.Server(durable=True, parent=disk.folder if disk else PLACE, small=bool(disk))
        self.server.psql("CREATE DATABASE work")
        self.sql("CREATE SCHEMA kept; CREATE TABLE kept.t (id bigint NOT NULL, name text, price numeric(12,4), day date, seen timestamp)")

    def sql(self, sql):
        return self.server.psql(sql, "work")

    def keep(self, path):
        """Takes the rows of a CSV file without a header as what the table holds before."""
        self.sql(f"\\copy kept.t FROM '{path}' CSV")

    def reset(self, has_table, has_key, has_versions):
        statements = ["DROP TABLE IF EXISTS t, _headrace_state"]
        if has_table:
            statements += ["CREATE TABLE t (LIKE kept.t INCLUDING ALL)", "INSERT INTO t SELECT * FROM kept.t"]
            statements += ["ALTER TABLE t ADD PRIMARY KEY (id)"] if has_key else []
            statements += self.versions if has_versions else []
        self.sql("; ".join(statements))

    def exists(self):
        return self.sql("SELECT to_regclass('t') IS NOT NULL") == ["t"]

    def dump(self, columns):
        """The table's rows as psql writes them, in order; none when there is no table."""
        if not self.exists():
            return []
        return self.sql(f"COPY (SELECT {columns.format(until=self.until)} FROM t ORDER BY id, name COLLATE \"C\") TO STDOUT")

    def epoch(self):
        """The last epoch whose commit reached the table, 0 when none did."""
        if self.sql("SELECT to_regclass('_headrace_state') IS NOT NULL") == ["f"]:
            return 0
        return int(self.sql("SELECT coalesce(max(epoch), 0) FROM _headrace_state")[0])

    def left_over(self):
        """Tables and transactions that nobody needs."""
        return self.sql(
            "SELECT nspname || '.' || relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p') "
            "AND nspname NOT IN ('pg_catalog', 'information_schema', 'kept', 'pg_toast') AND relname NOT IN ('t', '_headrace_state') "
            "UNION ALL SELECT 'session ' || state FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL")

    def url(self, port, **options):
        return f"postgresql://test@127.0.0.1:{port}/work?" + "&".join(f"{k}={v}" for k, v in {"table": "t", **options}.items())

    def locked(self):
        """A session that keeps the table from others."""
        command = ["psql", "-X", "-q", "-A", "-t", "-d", self.server.url("work")]
        return Session(command, "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE;\n\\echo locked", "locked")

    def recovered(self):
        """Starts the server where it does not run, and waits until it takes connections."""
        for _ in range(200):
            try:
                if self.server.postmaster() is None:
                    self.server.start()
                self.sql("SELECT 1")
                return
            except RuntimeError:
                time.sleep(0.05)
        raise RuntimeError("the server does not come back")

    def stop(self):
        self.server.stop()


class MariaDB:
    """The same with a database `kept` for what the table holds before."""

    name = "MariaDB"
    modes = ["replace", "upsert", "insert", "mirror", "history"]
    until = "CAST(valid_to AS char)"
    stages = ["mysql.beforeCommit", "mysql.prepared", "mysql.swapped", "mysql.afterCommit"]
    # Reached by a replace only.
    swap_stages = ["mysql.prepared", "mysql.swapped"]
    commit = "%03COMMIT"
    null = "NULL"
    versions = ["ALTER TABLE t CHANGE seen valid_from DATETIME(6), ADD valid_to DATETIME(6), ADD is_current BOOLEAN NOT NULL DEFAULT TRUE"]

    def __init__(self, disk=None):
        self.disk = disk
        self.server = mariadb.Server(durable=True, parent=disk.folder if disk else PLACE, small=bool(disk))
        self.server.sql(
            "CREATE DATABASE work; CREATE DATABASE kept; CREATE TABLE kept.t (id BIGINT NOT NULL, name TEXT, price DECIMAL(12,4), "
            "day DATE, seen DATETIME(6)) CHARACTER SET utf8mb4")

    def sql(self, sql):
        return self.server.sql(sql, "work")

    def keep(self, path):
        self.sql(
            f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE kept.t FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' "
            "(id, @n, @p, @d, @s) SET name = NULLIF(@n, ''), price = NULLIF(@p, ''), day = NULLIF(@d, ''), seen = NULLIF(@s, '')")

    def reset(self, has_table, has_key, has_versions):
        tables = [name for (name,) in self.sql("SHOW TABLES")]
        statements = [f"DROP TABLE `{name}`" for name in tables]
        if has_table:
            statements += ["CREATE TABLE t LIKE kept.t", "INSERT INTO t SELECT * FROM kept.t"]
            statements += ["ALTER TABLE t ADD PRIMARY KEY (id)"] if has_key else []
            statements += self.versions if has_versions else []
        if statements:
            self.sql("; ".join(statements))

    def tables(self):
        return [name for (name,) in self.sql("SHOW TABLES")]

    def exists(self):
        return "t" in self.tables()

    def dump(self, columns):
        if not self.exists():
            return []
        return ["\t".join(row) for row in self.sql(f"SELECT {columns.format(until=self.until)} FROM t ORDER BY id, CAST(name AS BINARY)")]

    def epoch(self):
        if "_headrace_state" not in self.tables():
            return 0
        return int(self.sql("SELECT COALESCE(MAX(epoch), 0) FROM _headrace_state")[0][0])

    def left_over(self):
        found = [name for name in self.tables() if name not in ("t", "_headrace_state", "_headrace_swap", "_headrace_mirror")]
        if "_headrace_swap" in self.tables():
            found += [f"swap of {row[0]}" for row in self.sql("SELECT target FROM _headrace_swap")]
        if "_headrace_mirror" in self.tables():
            found += [f"keys of {row[0]}" for row in self.sql("SELECT target FROM _headrace_mirror")]
        return found + [f"transaction {row[0]}" for row in self.sql("SELECT trx_state FROM information_schema.INNODB_TRX")]

    def url(self, port, **options):
        return f"mysql://root@127.0.0.1:{port}/work?" + "&".join(f"{k}={v}" for k, v in {"table": "t", **options}.items())

    def locked(self):
        command = [*self.server.client("work"), "--batch", "--skip-column-names", "--unbuffered"]
        return Session(command, "LOCK TABLES t WRITE; SELECT 'locked';", "locked")

    def recovered(self):
        if self.server.process.poll() is not None:
            self.server.start()
        self.sql("SELECT 1")

    def stop(self):
        self.server.stop()
