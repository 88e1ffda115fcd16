"""The commands of `flask --app wsgi`: keys, demo, jobs, checks, backups."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from app import staff
from app.core import relay
from app.core.errors import AppError

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


def register(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(keys)

    @app.cli.command("worker")
    def worker() -> None:
        """Run the relay and an RQ worker (needs REDIS_URL)."""
        if not app.config["REDIS_URL"]:
            msg = "REDIS_URL is not set: jobs run in the web process"
            raise click.ClickException(msg)
        relay.work(app)
