"""Finds a national id however it was written into the CRM: `V-12.345.678` is `12345678`.

Compared in the database, so that what people enter by hand, import or correct needs no second column that somebody must keep
up to date. Where clients are very many, an index over the same expression makes it quick.
"""
from django.db.models import F, Value
from django.db.models.functions import Replace, Upper

from .rules import DASHES, normal_national_id

REMOVED = (".", " ", "\u00a0", "\t", "\n")
PREFIXES = ("", "V-", "E-", "J-", "G-")


def spelled_like(clients, national_id):
    form = F("national_id")
    for character in REMOVED:
        form = Replace(form, Value(character), Value(""))
    for character in DASHES:
        form = Replace(form, Value(character), Value("-"))
    spelled = clients.annotate(form=Upper(form)).filter(form__in=[prefix + national_id for prefix in PREFIXES])
    return [client for client in spelled if normal_national_id(client.national_id) == national_id]
