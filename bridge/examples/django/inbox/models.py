"""WhatsApp accounts, people, chats and messages, each unique by what names it in WhatsApp.

`position` is the place in the hub's stream of events that a record shows: what comes from an earlier place never
overwrites it. Moments are Unix seconds, as the bridge sends them.
"""
from django.db import models


class PersonsOwn(models.Model):
    """For the people who work here. Nothing that arrives touches it."""

    assigned_to = models.CharField(max_length=140, default="")
    priority = models.CharField(max_length=20, default="")
    notes = models.TextField(default="")

    class Meta:
        abstract = True


class Session(models.Model):
    session_id = models.CharField(max_length=100, unique=True)
    # Null while only chats of the account arrived and not yet the account itself.
    session_name = models.CharField(max_length=255, null=True)
    status = models.CharField(max_length=20, default="disconnected")
    state = models.CharField(max_length=40, default="")
    is_connected = models.BooleanField(default=False)
    phone_number = models.CharField(max_length=40, null=True)
    hub_id = models.IntegerField(null=True)
    last_activity = models.CharField(max_length=40, null=True)
    reason = models.JSONField(null=True)
    total_contacts = models.IntegerField(default=0)
    total_chats = models.IntegerField(default=0)
    total_messages = models.IntegerField(default=0)
    last_sync = models.CharField(max_length=40, null=True)
    # Whoever writes anything of a session counts here first, and so waits for whoever came before.
    writes = models.BigIntegerField(default=0)
    position = models.BigIntegerField(null=True)


class Contact(PersonsOwn):
    session_id = models.CharField(max_length=100)
    contact_id = models.CharField(max_length=140)
    phone = models.CharField(max_length=40, null=True)
    name = models.CharField(max_length=140, null=True)
    pushname = models.CharField(max_length=140, null=True)
    short_name = models.CharField(max_length=140, null=True)
    verified_name = models.CharField(max_length=140, null=True)
    about = models.TextField(null=True)
    picture_url = models.CharField(max_length=140, null=True)
    is_user = models.BooleanField(default=True)
    is_group = models.BooleanField(default=False)
    is_my_contact = models.BooleanField(default=False)
    is_blocked = models.BooleanField(default=False)
    is_enterprise = models.BooleanField(default=False)
    position = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session_id", "contact_id"], name="one_contact_per_session")
        ]


class Alias(models.Model):
    """A hidden id that turned out to be somebody: what still names it belongs to that person."""

    session_id = models.CharField(max_length=100)
    hidden_id = models.CharField(max_length=140)
    contact_id = models.CharField(max_length=140)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session_id", "hidden_id"], name="one_person_per_hidden_id")
        ]


class Chat(PersonsOwn):
    session_id = models.CharField(max_length=100)
    chat_id = models.CharField(max_length=140)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="chats")
    name = models.CharField(max_length=140, null=True)
    is_group = models.BooleanField(default=False)
    unread_count = models.IntegerField(default=0)
    total_messages = models.IntegerField(default=0)
    archived = models.BooleanField(default=False)
    pinned = models.BooleanField(default=False)
    is_muted = models.BooleanField(default=False)
    first_message_at = models.BigIntegerField(null=True)
    last_message_id = models.CharField(max_length=140, null=True)
    last_message_text = models.TextField(null=True)
    last_message_at = models.BigIntegerField(null=True)
    last_message_from_me = models.BooleanField(default=False)
    last_message_position = models.BigIntegerField(null=True)
    # What people make of the chat: Active, Inactive, Blocked …
    status = models.CharField(max_length=20, default="Active")
    position = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session_id", "chat_id"], name="one_chat_per_session")]


class Message(models.Model):
    session_id = models.CharField(max_length=100, db_index=True)
    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="messages")
    message_id = models.CharField(max_length=140)
    from_me = models.BooleanField()
    # The author in a group, else empty. Two members may use one message id.
    participant = models.CharField(max_length=140, default="")
    sender = models.CharField(max_length=140)
    recipient = models.CharField(max_length=140)
    push_name = models.CharField(max_length=140, null=True)
    type = models.CharField(max_length=20)
    content = models.TextField()
    media = models.JSONField(null=True)
    details = models.JSONField(null=True)
    timestamp = models.BigIntegerField()
    quoted_message_id = models.CharField(max_length=140, null=True)
    is_starred = models.BooleanField(default=False)
    is_forwarded = models.BooleanField(default=False)
    status = models.CharField(max_length=20)
    status_at = models.BigIntegerField(null=True)
    status_position = models.BigIntegerField(null=True)
    error = models.TextField(null=True)
    edited_at = models.BigIntegerField(null=True)
    # Where the hub counted that edit: of two within one second the later told one counts.
    edit_position = models.BigIntegerField(null=True)
    deleted_at = models.BigIntegerField(null=True)
    reactions = models.JSONField(default=list)
    position = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chat", "message_id", "from_me", "participant"], name="one_message_per_key"
            )
        ]
        indexes = [
            models.Index(fields=["chat", "timestamp"], name="messages_of_a_chat"),
            models.Index(fields=["session_id", "participant"], name="messages_of_a_member"),
        ]


class Reactor(models.Model):
    """Who reacted to a message under a hidden id; goes when that gets its number."""

    session_id = models.CharField(max_length=100)
    hidden_id = models.CharField(max_length=140)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="reactors")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session_id", "hidden_id", "message"], name="one_reactor_of_a_message"
            )
        ]


class Client(models.Model):
    """A customer, as a remote directory describes it."""

    # None while no directory knows the client.
    external_id = models.CharField(max_length=140, null=True, blank=True, unique=True)
    code = models.CharField(max_length=140)
    name = models.CharField(max_length=140)
    email = models.CharField(max_length=255)
    phone = models.CharField(max_length=40, null=True)
    address = models.TextField(null=True)
    zone = models.TextField(null=True)
    national_id = models.CharField(max_length=140, null=True, db_index=True)
