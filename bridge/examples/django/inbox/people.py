"""Contacts and chats, and what happens when a hidden id gets its phone number."""
from .models import Alias, Chat, Contact, Message, Reactor
from .rules import (
    is_hidden,
    is_later_last,
    is_older_edit,
    is_person,
    fitting,
    key_text,
    may_become,
    may_overwrite,
    one_per_person,
    phone_of,
    short,
)
from .writing import answer, resolve, revise


def write_contact(session_id, told, position):
    contact_id = resolve(session_id, key_text("contact id", told["id"]))
    hidden = told["id"] if told["id"] != contact_id else told.get("lid")
    merged = False
    # The event that told whose hidden id this is may have been missed.
    if hidden and hidden != contact_id and is_hidden(hidden):
        merged = merge(session_id, key_text("hidden id", hidden), contact_id)
    fields = {
        "phone": fitting(told.get("phone"), 40) or fitting(phone_of(contact_id), 40),
        "name": short(told["name"] or told["pushname"] or told["notify"]),
        "pushname": short(told["pushname"] or told["notify"]),
        "short_name": short(told["shortName"]),
        "verified_name": short(told["verifiedName"]),
        "about": told["about"],
        "picture_url": fitting(told["profilePicUrl"]) or fitting(told["imgUrl"]),
        "is_user": told["isUser"],
        "is_group": told["isGroup"],
        "is_my_contact": told["isMyContact"],
        "is_blocked": told["isBlocked"],
        "is_enterprise": told["isEnterprise"],
    }
    contact, created = Contact.objects.get_or_create(
        session_id=session_id, contact_id=contact_id, defaults={**fields, "position": position}
    )
    if created:
        return answer(contact, "created")
    current = may_overwrite(contact.position, position)
    changed = current and revise(contact, fields, position)
    return answer(contact, "updated" if changed or merged else "unchanged")


def contact_of(session_id, contact_id, name=None):
    """The contact of a person, made from as little as the id. Anything told later replaces it."""
    defaults = {"phone": fitting(phone_of(contact_id), 40), "name": short(name)}
    return Contact.objects.get_or_create(session_id=session_id, contact_id=contact_id, defaults=defaults)[0]


def write_chat(session_id, told, position):
    chat_id = resolve(session_id, key_text("chat id", told["chatId"]))
    contact = contact_of(session_id, chat_id, told["contactName"]) if is_person(chat_id) else None
    fields = {
        "contact": contact,
        "name": short(told["contactName"]),
        "is_group": told["isGroup"],
        "unread_count": told["unreadCount"],
        "archived": told["archived"],
        "pinned": told["pinned"],
        "is_muted": told["isMuted"],
    }
    chat, created = Chat.objects.get_or_create(
        session_id=session_id,
        chat_id=chat_id,
        defaults={
            **fields,
            "total_messages": told["totalMessages"],
            "first_message_at": told["firstMessageTime"],
            "position": position,
        },
    )
    last = last_of(told)
    if created:
        revise(chat, last_fields(chat, last, position))
        return answer(chat, "created")
    if not may_overwrite(chat.position, position):
        return answer(chat, "unchanged")
    fields["total_messages"] = max(told["totalMessages"], chat.messages.count())
    first = told["firstMessageTime"]
    if first is not None and (chat.first_message_at is None or first < chat.first_message_at):
        fields["first_message_at"] = first
    changed = revise(chat, {**fields, **last_fields(chat, last, position)}, position)
    return answer(chat, "updated" if changed else "unchanged")


def last_of(told):
    last = told["lastMessage"]
    if last is None:
        return None
    text = told["lastMessageText"] if told["lastMessageText"] is not None else last["content"]
    return {**last, "content": text}


def last_fields(chat, last, position):
    """Empty when the chat keeps the last message it shows."""
    if last is None or not is_later_last(chat, last, position):
        return {}
    fields = {
        "last_message_id": fitting(last["messageId"]),
        "last_message_text": last["content"],
        "last_message_at": last["timestamp"],
        "last_message_from_me": last["fromMe"],
    }
    if position is not None and chat.last_message_position != position:
        # Where it was told is no change of what is shown.
        chat.last_message_position = position
        chat.save(update_fields=["last_message_position"])
    return fields


def chat_of(session_id, chat_id, is_group, name):
    """The chat of a message, made where there is none."""
    chat = Chat.objects.filter(session_id=session_id, chat_id=chat_id).first()
    if chat is not None:
        return chat
    contact = contact_of(session_id, chat_id, name) if is_person(chat_id) else None
    return Chat.objects.create(
        session_id=session_id, chat_id=chat_id, contact=contact, is_group=is_group, name=short(name)
    )


def merge(session_id, hidden_id, contact_id):
    """A hidden id turns out to be somebody: contact and chat move, and what was two becomes one."""
    alias, created = Alias.objects.get_or_create(
        session_id=session_id, hidden_id=hidden_id, defaults={"contact_id": contact_id}
    )
    if not created and alias.contact_id == contact_id:
        return False
    alias.contact_id = contact_id
    alias.save()
    contact = move_contact(session_id, hidden_id, contact_id)
    chat = move_chat(session_id, hidden_id, contact_id)
    if chat:
        said = Message.objects.filter(chat__session_id=session_id, chat__chat_id=contact_id)
        said.filter(sender=hidden_id).update(sender=contact_id)
        said.filter(recipient=hidden_id).update(recipient=contact_id)
    for message in Message.objects.filter(session_id=session_id, participant=hidden_id):
        twin = Message.objects.filter(
            chat=message.chat,
            message_id=message.message_id,
            from_me=message.from_me,
            participant=contact_id,
        ).first()
        if twin is None:
            message.participant = contact_id
            if message.sender == hidden_id:
                message.sender = contact_id
            message.save(update_fields=["participant", "sender"])
        else:
            merge_twins(message, twin)
            total = max(twin.chat.total_messages - 1, twin.chat.messages.count())
            revise(twin.chat, {"total_messages": total})
    join_reactions(session_id, hidden_id)
    return contact or chat


def join_reactions(session_id, hidden_id):
    """What somebody did under the hidden id and under the number is of one person: the later counts."""
    for reactor in Reactor.objects.filter(session_id=session_id, hidden_id=hidden_id):
        message = reactor.message
        reactions = one_per_person(message.reactions, lambda person: resolve(session_id, person))
        revise(message, {"reactions": reactions})
        reactor.delete()


def note_reactors(message):
    """Under which hidden ids people reacted: when one gets its number, no other messages need be read."""
    for reaction in message.reactions:
        hidden_id = fitting(reaction["from"])
        if hidden_id is not None and is_hidden(hidden_id):
            Reactor.objects.get_or_create(
                session_id=message.session_id, hidden_id=hidden_id, message=message
            )


def move_contact(session_id, hidden_id, contact_id):
    old = Contact.objects.filter(session_id=session_id, contact_id=hidden_id).first()
    if old is None:
        return False
    held = Contact.objects.filter(session_id=session_id, contact_id=contact_id).first()
    if held is None:
        revise(old, {"contact_id": contact_id, "phone": fitting(phone_of(contact_id), 40)})
        return True
    old.chats.update(contact=held)
    revise(held, {"name": held.name or old.name, **carried_over(old, held)})
    old.delete()
    return True


def move_chat(session_id, hidden_id, contact_id):
    old = Chat.objects.filter(session_id=session_id, chat_id=hidden_id).first()
    if old is None:
        return False
    held = Chat.objects.filter(session_id=session_id, chat_id=contact_id).first()
    if held is None:
        revise(old, {"chat_id": contact_id})
        return True
    for message in old.messages.all():
        twin = held.messages.filter(
            message_id=message.message_id, from_me=message.from_me, participant=message.participant
        ).first()
        if twin is None:
            message.chat = held
            message.save(update_fields=["chat"])
        else:
            merge_twins(message, twin)
    firsts = [at for at in (old.first_message_at, held.first_message_at) if at is not None]
    last = {}
    if old.last_message_at is not None:
        told = {
            "messageId": old.last_message_id,
            "content": old.last_message_text,
            "timestamp": old.last_message_at,
            "fromMe": old.last_message_from_me,
        }
        last = last_fields(held, told, old.last_message_position)
    revise(
        held,
        {
            **last,
            "unread_count": held.unread_count + old.unread_count,
            "total_messages": held.messages.count(),
            "first_message_at": min(firsts) if firsts else None,
            **carried_over(old, held),
        },
    )
    old.delete()
    return True


def carried_over(old, held):
    """What people wrote on the record that goes, where the one that stays has nothing."""
    own = ("assigned_to", "priority", "notes")
    return {name: getattr(held, name) or getattr(old, name) for name in own}


def merge_twins(message, twin):
    """One message that was kept twice: the one that stays has whatever was told of either."""
    fields = {}
    if may_become(twin, message.status, message.status_position):
        fields.update(
            status=message.status,
            status_at=message.status_at,
            status_position=message.status_position,
            error=message.error,
        )
    if twin.deleted_at is None:
        fields["deleted_at"] = message.deleted_at
    if is_older_edit(message, twin.edited_at or 0, twin.edit_position):
        fields.update(
            content=message.content, edited_at=message.edited_at, edit_position=message.edit_position
        )
    reactions = [*message.reactions, *twin.reactions]
    fields["reactions"] = one_per_person(reactions, lambda person: resolve(twin.session_id, person))
    revise(twin, fields)
    note_reactors(twin)
    message.delete()
