"""The calls of the bridge. Every item of a batch is written in a transaction of its own and answered for by itself."""
import hashlib
import hmac
import json
from functools import wraps

from django.conf import settings
from django.db.models import Count, Max, Min
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt

from .messages import change_message, write_message
from .models import Chat, Client, Contact, Message, Session
from .people import merge, write_chat, write_contact
from .rules import fitting, key_text, may_overwrite, normal_national_id, short
from .spellings import spelled_like
from .writing import Refused, answer, as_a_record, in_turn, revise


def from_bridge(*methods):
    """Only what the bridge signed, with the methods of the route. Cross-site checks are for browsers: the bridge has no
    cookie, and a view that asks for a token would answer it 403."""

    def decorate(view):
        @csrf_exempt
        @wraps(view)
        def checked(request, *args, **kwargs):
            if request.method not in methods:
                return JsonResponse({"error": "wrong method"}, status=405)
            if not is_signed(request):
                return JsonResponse({"error": "invalid signature"}, status=401)
            if request.method == "GET":
                return view(request, *args, **kwargs)
            try:
                return as_a_record(lambda: view(request, json.loads(request.body), *args, **kwargs))
            except Refused as error:
                return JsonResponse({"error": f"the body is not as agreed: {error}"}, status=400)

        return checked

    return decorate


def is_signed(request):
    """`X-Webhook-Signature: sha256=<hex HMAC of the raw body>`, compared in constant time."""
    if not settings.INBOX_SECRET:
        return False
    if settings.INBOX_AUTH and not same(request.headers.get("Authorization", ""), settings.INBOX_AUTH):
        return False
    mac = hmac.new(settings.INBOX_SECRET.encode(), request.body, hashlib.sha256)
    return same(request.headers.get("X-Webhook-Signature", ""), "sha256=" + mac.hexdigest())


def same(given, expected):
    return hmac.compare_digest(given.encode(), expected.encode())


def batch(body, key_of, write):
    session_id, position = body["sessionId"], body.get("position")
    results = []
    for item in body["items"]:
        try:
            result = as_a_record(lambda: in_turn(session_id, lambda: write(session_id, item, position)))
        except Refused as error:
            result = {"outcome": "rejected", "error": str(error)}
        results.append({"key": f"{session_id}|{key_of(item)}", **result})
    return JsonResponse({"results": results})


@from_bridge("PUT")
def session(_request, body, session_id):
    position = body.get("position")
    fields = {
        "session_name": short(body["sessionName"], 255),
        "status": short(body["status"], 20),
        "state": short(body["state"], 40),
        "is_connected": body["isConnected"],
        "phone_number": fitting(body["phoneNumber"], 40),
        "hub_id": body["id"],
        "last_activity": fitting(body["lastActivity"], 40),
        "reason": body["reason"],
    }

    def write():
        held = Session.objects.get(session_id=session_id)
        created = held.session_name is None
        if not may_overwrite(held.position, position):
            return answer(held, "unchanged")
        changed = revise(held, fields, position)
        return answer(held, "created" if created else "updated" if changed else "unchanged")

    return JsonResponse(in_turn(session_id, write))


@from_bridge("PUT")
def notes(_request, body, session_id):
    totals = body["totals"]
    fields = {
        "total_contacts": totals["contacts"],
        "total_chats": totals["chats"],
        "total_messages": totals["messages"],
    }
    if body["lastSync"] is not None:
        fields["last_sync"] = body["lastSync"]

    def write():
        held = Session.objects.get(session_id=session_id)
        if held.session_name is None:
            return {"outcome": "missing"}
        return answer(held, "updated" if revise(held, fields) else "unchanged")

    return JsonResponse(in_turn(session_id, write))


@from_bridge("POST")
def contacts(_request, body):
    return batch(body, lambda item: item["id"], write_contact)


@from_bridge("POST")
def chats(_request, body):
    return batch(body, lambda item: item["chatId"], write_chat)


@from_bridge("POST")
def messages(_request, body):
    def key(item):
        return f"{item['chatId']}|{item['messageId']}|{'true' if item['fromMe'] else 'false'}"

    return batch(body, key, write_message)


@from_bridge("POST")
def statuses(_request, body):
    def write(session_id, item, position):
        return change_message(session_id, {"kind": "status", **item}, position)

    return batch(body, lambda item: f"{item['chatId']}|{item['messageId']}", write)


@from_bridge("POST")
def changes(_request, body):
    return batch(body, lambda item: f"{item['chatId']}|{item['messageId']}", change_message)


@from_bridge("POST")
def contacts_merge(_request, body):
    session_id = body["sessionId"]
    merged = in_turn(session_id, lambda: merge(session_id, body["from"], body["into"]))
    return JsonResponse({"outcome": "updated" if merged else "unchanged"})


@from_bridge("GET")
def stats(request):
    session_id = request.GET.get("sessionId", "")
    held = {"session_id": session_id}
    body = {
        "contacts": Contact.objects.filter(**held).count(),
        "chats": Chat.objects.filter(**held).count(),
        "messages": Message.objects.filter(**held).count(),
    }
    if request.GET.get("chats") == "1":
        digests = (
            Message.objects.filter(**held)
            .values("chat__chat_id")
            .annotate(messages=Count("id"), oldest=Min("timestamp"), newest=Max("timestamp"))
        )
        body["digests"] = [
            {
                "chatId": row["chat__chat_id"],
                "messages": row["messages"],
                "oldest": row["oldest"],
                "newest": row["newest"],
            }
            for row in digests
        ]
    return JsonResponse(body)


WHITE_LIST = {
    "externalId": "external_id",
    "name": "name",
    "email": "email",
    "phone": "phone",
    "address": "address",
    "zone": "zone",
}
LENGTHS = {"name": 140, "email": 255, "phone": 40}


def client_fields(body):
    key_text("external id", body["externalId"])
    fields = {ours: body[theirs] for theirs, ours in WHITE_LIST.items() if theirs in body}
    return {name: short(value, LENGTHS.get(name)) for name, value in fields.items()}


@from_bridge("POST")
def create_client(_request, body):
    client, created = Client.objects.get_or_create(
        external_id=body["externalId"],
        defaults={
            **client_fields(body),
            "code": short(body["code"]),
            "national_id": key_text("national id", body["nationalId"]),
        },
    )
    return JsonResponse(answer(client, "created" if created else "unchanged"))


@from_bridge("GET")
def find_clients(request):
    external_id = request.GET.get("externalId")
    national_id = normal_national_id(request.GET.get("nationalId"))
    known = Client.objects.filter(external_id=external_id) if external_id else Client.objects.none()
    if known or national_id is None:
        found, matched_by = known, "externalId"
    else:
        # As people wrote it by hand, too; two clients of one national id are both told, and nobody decides.
        found, matched_by = spelled_like(Client.objects, national_id), "nationalId"
    clients = [
        {"id": client.pk, "matchedBy": matched_by, "externalId": client.external_id or None} for client in found
    ]
    return JsonResponse({"clients": clients})


def clients(request):
    return find_clients(request) if request.method == "GET" else create_client(request)


clients.csrf_exempt = True


@from_bridge("PATCH")
def client(_request, body, client_id):
    held = Client.objects.filter(pk=client_id).first()
    if held is None:
        return JsonResponse({"outcome": "missing"})
    fields = client_fields(body)
    changed = {name: value for name, value in fields.items() if getattr(held, name) != value}
    for name, value in changed.items():
        setattr(held, name, value)
    if changed:
        held.save(update_fields=list(changed))
    return JsonResponse(answer(held, "updated" if changed else "unchanged"))
