"""Decisions, without a database: which of two states of a record is the one to keep."""
import re
import unicodedata

RANK = ["pending", "sent", "failed", "delivered", "read", "deleted"]


def may_overwrite(held, told):
    """Positions: equal ones may, an unknown one never overwrites a known one."""
    return held is None or (told is not None and told >= held)


def later(held, told):
    return told if held is None or (told is not None and told > held) else held


def may_become(message, status, position):
    """A status only rises and a deletion is final. Between sent and failed the later one is right, where that is known."""
    if message.status == status:
        return False
    is_contest = {message.status, status} == {"sent", "failed"}
    if is_contest and message.status_position is not None and position is not None:
        return position > message.status_position
    return RANK.index(status) > RANK.index(message.status)


def is_later_text(message, edited_at, position, is_current):
    """The later edit wins; of one second, or without one on either side, the later record."""
    held, told = message.edited_at or 0, edited_at or 0
    return told > held or (is_current and not is_older_edit(message, told, position))


def is_older_edit(message, edited_at, position):
    """Seconds first; within one second the order in which they were told, where that is known."""
    held = message.edited_at or 0
    if edited_at != held or message.edit_position is None or position is None:
        return edited_at < held
    return position < message.edit_position


def is_after_deletion(message, edited_at, position):
    """A deletion may overtake the edit before it: the words of that edit are those that were deleted."""
    if message.status != "deleted":
        return False
    if message.status_position is not None and position is not None:
        return position > message.status_position
    return message.deleted_at is None or edited_at >= message.deleted_at


def is_later_last(chat, told, position):
    """Whether a chat shows `told` as its last message from now on."""
    if chat.last_message_at is None or told["timestamp"] > chat.last_message_at:
        return True
    if told["timestamp"] < chat.last_message_at:
        return False
    may_replace = may_overwrite(chat.last_message_position, position)
    is_same = chat.last_message_id == told["messageId"]
    return may_replace if is_same else may_replace or position is None


def is_later_reaction(told, held):
    if told["position"] is not None and held["position"] is not None:
        return told["position"] >= held["position"]
    return told["at"] >= held["at"]


def one_per_person(reactions, resolve):
    """Reactions under the ids by which people are kept now: of two of one person the later one stays."""
    people = {}
    for one in reactions:
        one = {**one, "from": resolve(one["from"])}
        held = people.get(one["from"])
        if held is None or is_later_reaction(one, held):
            people[one["from"]] = one
    return in_order(people.values())


def with_reaction(held, told):
    """One person's reaction set, changed or taken back; None when that is known. One that was taken back stays as an
    empty one, even where it was never told before, so that an older one does not return."""
    before = next((one for one in held if one["from"] == told["from"]), None)
    if before is not None:
        if not is_later_reaction(told, before):
            return None
        if before["emoji"] == told["emoji"]:
            told = {**told, "position": later(before["position"], told["position"])}
        if told == before:
            return None
    return in_order([*(one for one in held if one is not before), told])


def in_order(reactions):
    return sorted(reactions, key=lambda one: (one["at"], one["from"]))


def standing(reactions):
    """What people see of them."""
    return [(one["from"], one["emoji"]) for one in reactions if one["emoji"]]


def with_all_reactions(held, listed, position):
    """All reactions as the whole message tells them; single ones told later than it stay."""
    kept = [one for one in held if not may_overwrite(one["position"], position)]
    told = {
        one["from"]: {"from": one["from"], "emoji": one["emoji"], "at": one["timestamp"], "position": None}
        for one in listed
    }
    for one in kept:
        told.pop(one["from"], None)
    for one in held:
        # What agrees stays as it was told, or every reading of the message would count as a change.
        if one not in kept and told.get(one["from"], {"emoji": ""})["emoji"] == one["emoji"]:
            kept.append(one)
            told.pop(one["from"], None)
    return in_order([*kept, *told.values()])


def is_person(chat_id):
    return chat_id.endswith(("@c.us", "@s.whatsapp.net", "@lid"))


def is_hidden(contact_id):
    return contact_id.endswith("@lid")


def phone_of(contact_id):
    digits, _, kind = contact_id.partition("@")
    return "+" + digits if kind in ("c.us", "s.whatsapp.net") and digits.isdigit() else None


def key_text(what, value):
    """Cutting an id could make two records one: a longer one is refused."""
    if not isinstance(value, str) or not 1 <= len(value) <= 140:
        raise ValueError(f"the {what} must have 1 to 140 characters")
    return value


def short(value, length=140):
    """A name or text as much of it as fits."""
    return value if value is None else value[:length]


def fitting(value, length=140):
    """What is worth nothing when it is cut: an address, another record's id."""
    return value if value is None or len(value) <= length else None


DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"


def normal_national_id(written):
    """By which two spellings of one national id are equal: in capitals, without dots, spaces and the prefix of its kind
    (V- E- J- G-). None where no digit but zeros is left: `N/A` would make one person of many."""
    form = unicodedata.normalize("NFKC", written or "")
    form = re.sub(f"[{DASHES}]", "-", form)
    form = re.sub(r"^[VEJG]-", "", re.sub(r"[.\s]", "", form).upper())
    return form if re.search("[1-9]", form) else None
