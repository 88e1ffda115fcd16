"""The commands of `.venv/bin/flask --app wsgi`: keys, demo, jobs, checks, backups."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click
import orjson
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from werkzeug.serving import make_server

from app import docs, staff, stock
from app.core import jobs, relay
from app.core.errors import AppError
from app.core.settings import ROOT
from app.staff import ClientExists
from demo import load as demo_load

keys = AppGroup("api-key", help="API clients and their keys.")


def fail(error: AppError) -> click.ClickException:
    """A refusal as a command's error: its code and facts."""
    facts = " ".join(f"{k}={v}" for k, v in error.facts.items() if k != "errors")
    return click.ClickException(f"{error.code} {facts}".strip())


@keys.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="One of the published scopes; repeat for more.")
@click.option("--channel", "channels", multiple=True, help="Bound the key to a channel; repeat for more.")
@click.option("--location", "locations", multiple=True, help="Bound the key to a location; repeat for more.")
def create_key(name: str, scopes: tuple[str, ...], channels: tuple[str, ...], locations: tuple[str, ...]) -> None:
    """Make a client NAME and print its key, and nothing else."""
    wanted = [part for scope in scopes for part in scope.split(",") if part]
    try:
        click.echo(staff.create_client(name=name, scopes=wanted, channels=channels, locations=locations))
    except ClientExists as error:
        msg = f"client-exists name={name}: `.venv/bin/flask --app wsgi api-key rotate {name}` prints a new key for it"
        raise click.ClickException(msg) from error
    except AppError as error:
        raise fail(error) from error


@keys.command("list")
def list_keys() -> None:
    """Clients with their scopes and bounds."""
    for client in staff.list_clients():
        state = "revoked" if client.revoked_at else "live"
        bounds = f"channels={client.channels or 'all'} locations={client.locations or 'all'}"
        click.echo(f"{client.name}\t{state}\t{','.join(client.scopes)}\t{bounds}")


@keys.command("rotate")
@click.argument("name")
def rotate_key(name: str) -> None:
    """Print a new key for NAME; the old one ends now."""
    try:
        click.echo(staff.rotate_client(name=name))
    except AppError as error:
        raise fail(error) from error


@keys.command("revoke")
@click.argument("name")
def revoke_key(name: str) -> None:
    """End NAME's access with the next request."""
    try:
        staff.revoke_client(name=name)
    except AppError as error:
        raise fail(error) from error
    click.echo(f"{name} revoked")


demo = AppGroup("demo", help="A small Japanese retailer to look at.")
DEMO_CLIENT = "demo"
DEMO_SCOPES = (
    "catalog:write", "stock:write", "reservations:write", "orders:write", "pickups:write", "pos:write", "reports:read",
)  # fmt: skip


@contextmanager
def _served(base_url: str | None) -> Iterator[str]:
    """The address to load through: the one given, or a server of our own for as long as it takes."""
    if base_url:
        yield base_url
        return
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    loop = jobs.Loop(application)
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    loop.start()
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        loop.stop()


@demo.command("load")
@click.option("--base-url", envvar="DEMO_BASE_URL", help="A running server to load through; else one is started.")
def load_demo(base_url: str | None) -> None:
    """Load the demo chain through the public API, once; prints its key and sample addresses."""
    key = _demo_key()
    with _served(base_url) as address:
        demo_load.main(address, key, shown=base_url or current_app.config["PUBLIC_URL"])


def _demo_key() -> str:
    """The demo's key, kept beside the demo's database so that a second `make run` prints the same one."""
    path = ROOT / "var" / "demo.key"
    if path.exists():
        kept = path.read_text("utf-8").strip()
        if staff.find_actor(kept) is not None:
            return kept
    try:
        key = staff.create_client(name=DEMO_CLIENT, scopes=DEMO_SCOPES)
    except ClientExists:
        key = staff.rotate_client(name=DEMO_CLIENT)
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(key + "\n", "utf-8")
    return key


@click.command("reconcile")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON document.")
@click.option("--apply", "apply", is_flag=True, help="Mend what can be mended, by ledger and claim entries only.")
@with_appcontext
def reconcile(*, as_json: bool, apply: bool) -> None:
    """Prove the books; exit 1 when an invariant does not hold."""
    report = stock.check.repair() if apply else stock.check.check()
    if as_json:
        invariants = [{"name": r.name, "holds": r.holds, "findings": list(r.findings)} for r in report.results]
        shown = {"holds": report.holds, "repaired": report.repaired, "invariants": invariants}
        click.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    else:
        for result in report.results:
            click.echo(f"{'holds ' if result.holds else 'BROKEN'}  {result.name}")
            for finding in result.findings:
                click.echo("        " + " ".join(f"{name}={value}" for name, value in finding.items()))
        if apply:
            click.echo(f"{report.repaired} repaired")
    if not report.holds:
        raise SystemExit(1)


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(keys)

    app.cli.add_command(reconcile)

    @app.cli.command("worker")
    def worker() -> None:
        """Run the relay and an RQ worker (needs REDIS_URL)."""
        if not app.config["REDIS_URL"]:
            msg = "REDIS_URL is not set: jobs run in the web process"
            raise click.ClickException(msg)
        relay.work(app)

    app.cli.add_command(demo)

    @app.cli.command("openapi")
    def openapi() -> None:
        """Print the OpenAPI document."""
        click.echo(json.dumps(docs.document(), ensure_ascii=False, indent=2))
