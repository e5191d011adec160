"""The app that keeps what the bridge sends."""
from django.apps import AppConfig
from django.db.backends.signals import connection_created


class InboxConfig(AppConfig):
    name = "inbox"

    def ready(self):
        connection_created.connect(use_write_ahead_log)


def use_write_ahead_log(connection, **_kwargs):
    """SQLite then lets people read while the bridge writes."""
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA journal_mode = WAL")
