"""Prometheus figures: requests by route template, jobs, and the age of the oldest due job."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_REQUESTS = Counter("hitotsu_requests_total", "Requests by route", ["method", "route", "status"], registry=REGISTRY)
_SECONDS = Histogram("hitotsu_request_seconds", "Time per request", ["route"], buckets=_BUCKETS, registry=REGISTRY)
JOBS = Counter("hitotsu_jobs_total", "Jobs by topic and outcome", ["topic", "outcome"], registry=REGISTRY)
OLDEST_JOB = Gauge("hitotsu_oldest_due_job_seconds", "Age of the oldest due job", registry=REGISTRY)
PARKED = Gauge("hitotsu_parked_jobs", "Jobs that gave up and wait for a person", registry=REGISTRY)
INCIDENTS = Gauge("hitotsu_open_incidents", "Open oversell incidents", registry=REGISTRY)


def request_done(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request."""
    _REQUESTS.labels(method, route, str(status)).inc()
    _SECONDS.labels(route).observe(seconds)


def page() -> bytes:
    """The exposition text."""
    return generate_latest(REGISTRY)
