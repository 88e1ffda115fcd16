"""Private, throw-away PostgreSQL and Redis servers for the tests, which may kill and restart them.

Each lives in a temporary folder, listens on a free loopback port and keeps that port over restarts, so that addresses
handed out before a crash are good after it. ``shared_postgres()`` and ``shared_redis()`` honour TEST_DATABASE_URL and
TEST_REDIS_URL; tests that kill always make their own server.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import psycopg
import redis
from psycopg import sql
from sqlalchemy.engine import make_url

StopMode = Literal["smart", "fast", "immediate"]

START_SECONDS = 60
STOP_SIGNALS: dict[StopMode, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
# Ordinary tests want speed; tests of crashes want what production has.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Protocol):
    """What every test may do with a cluster, ours or a lent one."""

    def url(self, dbname: str = "postgres") -> str: ...
    def createdb(self, name: str, template: str = "template0") -> str: ...
    def dropdb(self, name: str) -> None: ...
    def close(self) -> None: ...


class PostgresServer:
    """A cluster of our own. ``durable=False`` trades crash safety for speed."""

    def __init__(self, *, durable: bool = True, settings: dict[str, str] | None = None) -> None:
        self._bin = _postgres_bin()
        self._folder = _folder("hitotsu-pg-")
        self._data = self._folder / "data"
        self._settings = {"max_connections": "200", **({} if durable else CARELESS), **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        subprocess.run(
            [
                *(self._bin / "initdb", "-D", self._data, "-U", "postgres", "--auth=trust"),
                *("--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            **_server_user(),
        )
        atexit.register(self.close)

    def start(self) -> Self:
        """Start, or start again after ``stop`` or ``kill9``; returns once the cluster answers, recovery included."""
        if self._process is not None:
            raise RuntimeError("the cluster runs already")
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(self._folder), **self._settings}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(self._bin / "postgres"), "-D", str(self._data), "-p", str(self.port)),
                    *(f"--{name}={value}" for name, value in options.items()),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
                start_new_session=True,  # a Ctrl-C at the test run is not for the server
                **_server_user(),
            )
        _wait_until(self._answers, self._process, self._folder / "log")
        return self

    def _answers(self) -> bool:
        try:
            self._admin().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, mode: StopMode = "fast") -> None:
        process = self._running()
        process.send_signal(STOP_SIGNALS[mode])
        process.wait(timeout=START_SECONDS)
        self._process = None

    def kill9(self) -> None:
        """Die as in a power cut: the postmaster and all its children, at once, without a word."""
        process = self._running()
        children = _children(process.pid)
        process.kill()
        for child in children:
            _kill9(child)
        process.wait(timeout=START_SECONDS)
        for child in children:  # a survivor would hold the shared memory, and the restart would refuse
            _wait_until(partial(_dead, child))
        self._process = None

    def url(self, dbname: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{dbname}"

    def createdb(self, name: str, template: str = "template0") -> str:
        """Create a database, as a copy of ``template``; returns its address."""
        with self._admin() as connection:
            _createdb(connection, name, template)
        return self.url(name)

    def dropdb(self, name: str) -> None:
        with self._admin() as connection:
            _dropdb(connection, name)

    def close(self) -> None:
        """Stop and leave nothing behind. May be called twice."""
        if self._process is not None:
            self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)

    def _admin(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
        )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the cluster does not run")
        return self._process

    def __enter__(self) -> Self:
        return self.start() if self._process is None else self

    def __exit__(self, *_: object) -> None:
        self.close()


class LentPostgres:
    """The cluster of TEST_DATABASE_URL: we make and drop databases in it, and never stop it."""

    def __init__(self, address: str) -> None:
        self._address = make_url(address)

    def url(self, dbname: str | None = None) -> str:
        address = self._address if dbname is None else self._address.set(database=dbname)
        return address.render_as_string(hide_password=False)

    def createdb(self, name: str, template: str = "template0") -> str:
        with self._admin() as connection:
            _createdb(connection, name, template)
        return self.url(name)

    def dropdb(self, name: str) -> None:
        with self._admin() as connection:
            _dropdb(connection, name)

    def close(self) -> None:
        """Nothing: it is not ours."""

    def _admin(self) -> psycopg.Connection:
        return psycopg.connect(self._address.set(drivername="postgresql").render_as_string(False), autocommit=True)


class RedisServer:
    """A Redis (or Valkey) of our own. ``durable=True`` writes every command down before it answers."""

    def __init__(self, *, durable: bool = True) -> None:
        self._program = shutil.which("redis-server") or shutil.which("valkey-server")
        if self._program is None:
            raise RuntimeError("redis-server is not on this machine; scripts/test-setup installs it")
        self._folder = Path(tempfile.mkdtemp(prefix="hitotsu-redis-"))
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        atexit.register(self.close)

    def start(self) -> Self:
        if self._process is not None:
            raise RuntimeError("the server runs already")
        persistence = ["--appendonly", "yes", "--appendfsync", "always"] if self._durable else ["--appendonly", "no"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(self._program), "--port", str(self.port), "--bind", "127.0.0.1"),
                    *("--dir", str(self._folder), "--save", "", *persistence),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        _wait_until(self._answers, self._process, self._folder / "log")
        return self

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url()) as client:
                return bool(client.ping())
        except redis.ConnectionError:  # not listening yet, or still reading what it had written
            return False

    def stop(self) -> None:
        process = self._running()
        process.terminate()
        process.wait(timeout=START_SECONDS)
        self._process = None

    def kill9(self) -> None:
        process = self._running()
        process.kill()
        process.wait(timeout=START_SECONDS)
        self._process = None

    def flushall(self) -> None:
        with redis.Redis.from_url(self.url()) as client:
            client.flushall()

    def url(self, db: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{db}"

    def close(self) -> None:
        """Stop and leave nothing behind. May be called twice."""
        if self._process is not None:
            self.kill9()
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process

    def __enter__(self) -> Self:
        return self.start() if self._process is None else self

    def __exit__(self, *_: object) -> None:
        self.close()


class LentRedis:
    """The Redis of TEST_REDIS_URL: emptied between tests, never stopped."""

    def __init__(self, address: str) -> None:
        self._address = address

    def url(self) -> str:
        return self._address

    def flushall(self) -> None:
        with redis.Redis.from_url(self._address) as client:
            client.flushdb()  # its other databases are not ours

    def close(self) -> None:
        """Nothing: it is not ours."""


def shared_postgres() -> Postgres:
    """Return the cluster for tests that break nothing: TEST_DATABASE_URL's, else a fast one of our own, started."""
    address = os.environ.get("TEST_DATABASE_URL")
    return LentPostgres(address) if address else PostgresServer(durable=False).start()


def shared_redis() -> LentRedis | RedisServer:
    """Return the Redis for tests that break nothing: TEST_REDIS_URL's, else one of our own, started."""
    address = os.environ.get("TEST_REDIS_URL")
    return LentRedis(address) if address else RedisServer(durable=False).start()


def _createdb(connection: psycopg.Connection, name: str, template: str) -> None:
    # Copied as files, not through the log: a test's database is made and dropped in half the time.
    make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    connection.execute(make.format(sql.Identifier(name), sql.Identifier(template)))


def _dropdb(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _postgres_bin() -> Path:
    """Return the folder of the newest PostgreSQL: Debian keeps it off the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if debian:
        return debian[-1]
    found = shutil.which("initdb")
    if found is None:
        raise RuntimeError("PostgreSQL is not on this machine; scripts/test-setup installs it")
    return Path(found).parent


def _server_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as the user that its package made."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


def _folder(prefix: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until(
    condition: Callable[[], bool], process: subprocess.Popen[bytes] | None = None, log: Path | None = None
) -> None:
    """Ask again until it is so; stop at once, with the log's end, if the server has died meanwhile."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        dead = process is not None and process.poll() is not None
        if dead or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-2000:] if log else ""
            raise RuntimeError(f"the server {'died' if dead else 'does not answer'}: {tail}")
        time.sleep(0.02)


def _children(pid: int) -> list[int]:
    """Return the direct children: a postmaster has no grandchildren."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    return [int(child) for child, parent in map(str.split, listing.splitlines()) if int(parent) == pid]


def _kill9(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _dead(pid: int) -> bool:
    """A zombie is dead: it holds no memory, only waits for a parent that may never ask."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True).stdout
    return not shown.strip() or shown.strip().startswith("Z")
