"""The tests' own servers: what is committed survives kill -9, and the address stays the same."""

from __future__ import annotations

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text

from tests.servers import LentPostgres, PostgresServer, RedisServer


def test_a_commit_survives_the_death_of_the_cluster() -> None:
    with PostgresServer() as server:
        address = server.createdb("shop")
        engine = create_engine(address)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE sale (id int PRIMARY KEY)"))
            connection.execute(text("INSERT INTO sale VALUES (1)"))
        engine.dispose()

        server.kill9()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(address.replace("+psycopg", "")).close()
        server.start()

        with engine.connect() as connection:
            assert connection.execute(text("SELECT id FROM sale")).scalars().all() == [1]
        engine.dispose()

        server.stop("fast")
        server.start()
        copy = create_engine(server.createdb("branch", template="shop"))
        with copy.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM sale")).scalar_one() == 1
        copy.dispose()
        server.dropdb("branch")


def test_a_lent_cluster_only_lends_databases() -> None:
    with PostgresServer(durable=False) as server:
        lent = LentPostgres(server.url("postgres"))
        assert lent.createdb("shop") == server.url("shop")
        lent.close()
        with psycopg.connect(server.url("shop").replace("+psycopg", "")) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
        lent.dropdb("shop")
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(server.url("shop").replace("+psycopg", "")).close()


def test_redis_keeps_what_it_acknowledged() -> None:
    with RedisServer() as server:
        with redis.Redis.from_url(server.url()) as client:
            client.set("queue", "full")
        server.kill9()
        server.start()
        with redis.Redis.from_url(server.url()) as client:
            assert client.get("queue") == b"full"
            server.flushall()
            assert client.get("queue") is None
