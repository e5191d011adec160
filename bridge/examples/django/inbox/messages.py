"""Messages told whole, and what is told of them afterwards."""
from .models import Chat, Message
from .people import chat_of, last_fields, note_reactors
from .rules import (
    fitting,
    is_after_deletion,
    is_later_text,
    is_older_edit,
    key_text,
    later,
    may_become,
    may_overwrite,
    one_per_person,
    short,
    standing,
    with_all_reactions,
    with_reaction,
)
from .writing import answer, resolve, revise


def write_message(session_id, told, position):
    chat_id = resolve(session_id, key_text("chat id", told["chatId"]))
    message_id = key_text("message id", told["messageId"])
    participant = ""
    if told["participant"] is not None:
        participant = resolve(session_id, key_text("participant", told["participant"]))
    is_theirs = not told["fromMe"] and not told["isGroup"]
    chat = chat_of(session_id, chat_id, told["isGroup"], told["pushName"] if is_theirs else None)
    message = chat.messages.filter(
        message_id=message_id, from_me=told["fromMe"], participant=participant
    ).first()
    if message is not None:
        return update_message(chat, message, told, position)
    message = Message.objects.create(
        session_id=session_id,
        chat=chat,
        message_id=message_id,
        from_me=told["fromMe"],
        participant=participant,
        **plain_fields(session_id, told),
        content=told["content"],
        edited_at=told["editedAt"],
        status=status_of(told),
        status_at=told["timestamp"],
        status_position=position,
        deleted_at=told["deletedAt"],
        reactions=all_reactions(session_id, [], told, position),
        position=position,
    )
    note_reactors(message)
    first = told["timestamp"]
    if chat.first_message_at is not None:
        first = min(first, chat.first_message_at)
    count = chat.messages.count()
    fields = {"first_message_at": first, "total_messages": max(chat.total_messages, count)}
    revise(chat, {**fields, **last_fields(chat, told, position)})
    return answer(message, "created")


def update_message(chat, message, told, position):
    current = may_overwrite(message.position, position)
    if not current and position is not None:
        return answer(message, "unchanged")
    fields = {}
    if current:
        fields.update(plain_fields(message.session_id, told, message.media))
        fields["reactions"] = all_reactions(message.session_id, message.reactions, told, position)
    if is_later_text(message, told["editedAt"], position, current):
        fields.update(content=told["content"], edited_at=told["editedAt"])
    if may_become(message, status_of(told), position):
        fields.update(status=status_of(told), status_position=position)
        if status_of(told) == "deleted":
            fields["deleted_at"] = told["deletedAt"]
        if status_of(told) != "failed":
            # No message tells why it failed: that is told when it does.
            fields["error"] = None
    changed = revise(message, fields, position)
    note_reactors(message)
    if changed and chat.last_message_id == message.message_id:
        revise(chat, last_fields(chat, {**told, "content": message.content}, position))
    return answer(message, "updated" if changed else "unchanged")


def all_reactions(session_id, held, told, position):
    def person(contact_id):
        return resolve(session_id, contact_id)

    listed = [{**one, "from": person(one["from"])} for one in told["reactions"]]
    return with_all_reactions(one_per_person(held, person), listed, position)


def status_of(told):
    return told["status"] if told["deletedAt"] is None else "deleted"


def plain_fields(session_id, told, media=None):
    """What a later record of the message simply replaces."""
    details = {name: told[name] for name in ("location", "contacts", "poll") if told[name] is not None}
    return {
        "sender": short(resolve(session_id, told["from"])),
        "recipient": short(resolve(session_id, told["to"])),
        "push_name": short(told["pushName"]),
        "type": short(told["type"], 20),
        "media": media_of(told["media"], media),
        "details": details or None,
        "timestamp": told["timestamp"],
        "quoted_message_id": fitting(told["quotedMessageId"]),
        "is_starred": told["isStarred"],
        "is_forwarded": told["isForwarded"],
    }


def media_of(told, held):
    """An event does not know the id of a file: the one that is known stays."""
    if told is None or told["mediaId"] or not held:
        return told
    return {**told, "mediaId": held["mediaId"]}


def change_message(session_id, told, position):
    """A status, an edit, a deletion or a reaction that comes without its message."""
    chat_id = resolve(session_id, key_text("chat id", told["chatId"]))
    chat = Chat.objects.filter(session_id=session_id, chat_id=chat_id).first()
    message = None if chat is None else target_of(chat, told)
    if message is None:
        return {"outcome": "missing"}
    # The whole message was read when this had already happened.
    if message.position is not None and position is not None and position <= message.position:
        return answer(message, "unchanged")
    kind = told["kind"]
    fields = {}
    if kind in ("status", "deletion"):
        status = told["status"] if kind == "status" else "deleted"
        if may_become(message, status, position):
            fields = {"status": status, "status_at": told["at"], "status_position": position}
            fields["error"] = told.get("error") if status == "failed" else None
            if status == "deleted":
                fields["deleted_at"] = told["at"]
    elif kind == "edit":
        late = is_after_deletion(message, told["at"], position)
        if not late and not is_older_edit(message, told["at"], position):
            fields = {
                "content": told["content"],
                "edited_at": told["at"],
                "edit_position": later(message.edit_position, position),
            }
    elif kind == "reaction":
        reaction = {
            "from": resolve(session_id, told["from"]),
            "emoji": told["emoji"],
            "at": told["at"],
            "position": position,
        }
        held = one_per_person(message.reactions, lambda person: resolve(session_id, person))
        reactions = with_reaction(held, reaction)
        if reactions is not None and standing(reactions) == standing(message.reactions):
            # Nobody sees it: it is remembered, so that what was told before it does not pass for news.
            revise(message, {"reactions": reactions})
        elif reactions is not None:
            fields = {"reactions": reactions}
    else:
        raise ValueError(f"a change of the kind {kind} is not known")
    changed = revise(message, fields)
    note_reactors(message)
    is_last = (chat.last_message_id, chat.last_message_at) == (message.message_id, message.timestamp)
    if changed and kind == "edit" and is_last:
        revise(chat, {"last_message_text": message.content})
    return answer(message, "updated" if changed else "unchanged")


def target_of(chat, told):
    """Both sides of a chat may use one id. Only our own messages have a status that travels."""
    found = list(chat.messages.filter(message_id=told["messageId"]).order_by("-timestamp"))
    if told["kind"] == "status":
        return next((one for one in found if one.from_me), None)
    if "fromMe" in told:
        author = resolve(chat.session_id, told["participant"]) if told.get("participant") else ""
        return next(
            (one for one in found if one.from_me == told["fromMe"] and one.participant == author), None
        )
    return next(iter(found), None)
