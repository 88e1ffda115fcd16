"""The relay: hands leased event ids to RQ. Redis is a doorbell; what it forgets is leased again.

A job's id is the event's id, so a second ring for the same event replaces the first. When Redis is away the lease
runs out and the event is offered again.
"""

from __future__ import annotations

import redis
import structlog
from flask import Flask, current_app
from rq import Queue, SimpleWorker

from app.core import jobs

log = structlog.get_logger("app.relay")
QUEUE = "hitotsu"


def connect(url: str) -> redis.Redis:
    """A client with short time-outs: nobody waits for Redis."""
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=5, health_check_interval=15)


def is_alive(url: str) -> bool:
    """Whether Redis answers."""
    try:
        return bool(redis.Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5).ping())
    except redis.RedisError:
        return False


def hand_over() -> int:
    """Lease due events and enqueue their ids; returns how many."""
    queue = Queue(QUEUE, connection=connect(str(current_app.config["REDIS_URL"])))
    events = jobs.lease(counted=0)  # a try is counted when it is made
    for number, event in enumerate(events):
        try:
            queue.enqueue(run_event, event.id, job_id=event.id, result_ttl=60, failure_ttl=60)
        except redis.RedisError:
            jobs.give_back(events[number:])
            raise
    return len(events)


def run_event(event_id: str) -> bool:
    """The only RQ job."""
    return jobs.execute_by_id(event_id)


def work(app: Flask) -> None:
    """Run relay and worker in this process until told to stop."""
    loops = jobs.start(app, step=hand_over)
    with app.app_context():
        worker = SimpleWorker([QUEUE], connection=connect(str(app.config["REDIS_URL"])))
        try:
            worker.work(logging_level="WARNING")
        finally:
            for loop in loops:
                loop.stop()
