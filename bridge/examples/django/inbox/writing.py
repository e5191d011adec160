"""How records are written: each in a transaction of its own, and only where something differs."""
from django.db import DataError, IntegrityError, OperationalError, transaction
from django.db.models import F

from .models import Alias, Session
from .rules import is_hidden, later


class Refused(Exception):
    """A record that can never be written; the others of its batch are not affected."""


# MySQL: a text with characters that its column cannot hold, an emoji in three bytes for example.
INCORRECT_STRING = 1366


def is_of_record(error):
    """Whether the database refuses these values, and not everybody: a text too long, a number out of range, a value missing."""
    if isinstance(error, OperationalError):
        return bool(error.args) and error.args[0] == INCORRECT_STRING
    return isinstance(error, (DataError, IntegrityError, OverflowError))


def as_a_record(work):
    """Runs `work`, a transaction of one record. @raises Refused"""
    try:
        return work()
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(str(error) or repr(error)) from error
    except (DataError, IntegrityError, OperationalError, OverflowError) as error:
        if not is_of_record(error):
            raise
        raise Refused(str(error) or repr(error)) from error


def in_turn(session_id, work):
    """Runs `work` in a transaction in which nobody else writes anything of this session.

    Counting first makes others wait at that row, on every database; on SQLite it takes the lock before anything is read.
    """
    try:
        with transaction.atomic():
            take_turn(session_id)
            return work()
    except IntegrityError:
        # Two made the row of the session at once: it is there now.
        with transaction.atomic():
            take_turn(session_id)
            return work()


def take_turn(session_id):
    if Session.objects.filter(session_id=session_id).update(writes=F("writes") + 1) == 0:
        Session.objects.create(session_id=session_id)


def revise(record, fields, position=None):
    """Writes what differs; says whether anything did. The position moves all the same: a state between the two would
    otherwise still be taken for news."""
    changed = [name for name, value in fields.items() if getattr(record, name) != value]
    for name in changed:
        setattr(record, name, fields[name])
    latest = later(record.position, position)
    moved = ["position"] if latest != record.position else []
    record.position = latest
    if changed or moved:
        record.save(update_fields=[*changed, *moved])
    return bool(changed)


def answer(record, outcome):
    return {"outcome": outcome, "id": record.pk}


def resolve(session_id, contact_id):
    """The id under which somebody is kept."""
    if contact_id is None or not is_hidden(contact_id):
        return contact_id
    alias = Alias.objects.filter(session_id=session_id, hidden_id=contact_id).first()
    return contact_id if alias is None else alias.contact_id
