<?php
/** Contacts and chats, and what happens when a hidden id gets its phone number. */
declare(strict_types=1);

namespace Inbox;

final class People
{
    public function __construct(private readonly Database $db)
    {
    }

    /** The id under which somebody is kept. */
    public function resolve(string $sessionId, ?string $id): ?string
    {
        if ($id === null || !Rules::isHidden($id)) {
            return $id;
        }
        $alias = $this->db->find('inbox_aliases', ['session_id' => $sessionId, 'hidden_id' => $id]);
        return $alias['contact_id'] ?? $id;
    }

    public function writeContact(string $sessionId, array $told, ?int $position): array
    {
        $id = $this->resolve($sessionId, Rules::keyText('contact id', $told['id']));
        $hidden = $told['id'] !== $id ? $told['id'] : $told['lid'];
        // The event that told whose hidden id this is may have been missed.
        $isMerged = $hidden !== null && $hidden !== $id && Rules::isHidden($hidden)
            && $this->merge($sessionId, Rules::keyText('hidden id', $hidden), $id);
        $fields = [
            'phone' => Rules::fitting($told['phone'] ?? null, 40) ?? self::phoneOf($id),
            'name' => Rules::short($told['name'] ?? $told['pushname'] ?? $told['notify']),
            'pushname' => Rules::short($told['pushname'] ?? $told['notify']),
            'short_name' => Rules::short($told['shortName']),
            'verified_name' => Rules::short($told['verifiedName']),
            'about' => $told['about'],
            'picture_url' => Rules::fitting($told['profilePicUrl']) ?? Rules::fitting($told['imgUrl']),
            'is_user' => $told['isUser'],
            'is_group' => $told['isGroup'],
            'is_my_contact' => $told['isMyContact'],
            'is_blocked' => $told['isBlocked'],
            'is_enterprise' => $told['isEnterprise'],
        ];
        $key = ['session_id' => $sessionId, 'contact_id' => $id];
        $held = $this->db->find('inbox_contacts', $key);
        if ($held === null) {
            $row = $this->db->insert('inbox_contacts', [...$key, ...$fields, 'position' => $position]);
            return self::answer($row, 'created');
        }
        $isChanged = Rules::mayOverwrite(Rules::number($held['position']), $position)
            && $this->db->revise('inbox_contacts', $held, $fields, $position);
        return self::answer($held, $isChanged || $isMerged ? 'updated' : 'unchanged');
    }

    /** The contact of a person, made from as little as the id. Anything told later replaces it. */
    private function contactOf(string $sessionId, string $id, ?string $name): array
    {
        $key = ['session_id' => $sessionId, 'contact_id' => $id];
        return $this->db->find('inbox_contacts', $key)
            ?? $this->db->insert('inbox_contacts', [
                ...$key,
                'phone' => self::phoneOf($id),
                'name' => Rules::short($name),
            ]);
    }

    public function writeChat(string $sessionId, array $told, ?int $position): array
    {
        $id = $this->resolve($sessionId, Rules::keyText('chat id', $told['chatId']));
        $contact = Rules::isPerson($id) ? $this->contactOf($sessionId, $id, $told['contactName']) : null;
        $fields = [
            'contact_id' => $contact['id'] ?? null,
            'name' => Rules::short($told['contactName']),
            'is_group' => $told['isGroup'],
            'unread_count' => $told['unreadCount'],
            'archived' => $told['archived'],
            'pinned' => $told['pinned'],
            'is_muted' => $told['isMuted'],
        ];
        $key = ['session_id' => $sessionId, 'chat_id' => $id];
        $held = $this->db->find('inbox_chats', $key);
        $last = self::lastOf($told);
        if ($held === null) {
            $row = $this->db->insert('inbox_chats', [
                ...$key,
                ...$fields,
                'total_messages' => $told['totalMessages'],
                'first_message_at' => $told['firstMessageTime'],
                'position' => $position,
            ]);
            $this->db->revise('inbox_chats', $row, $this->lastFields($row, $last, $position));
            return self::answer($row, 'created');
        }
        if (!Rules::mayOverwrite(Rules::number($held['position']), $position)) {
            return self::answer($held, 'unchanged');
        }
        $count = $this->db->count('inbox_messages', ['chat_id' => $held['id']]);
        $fields['total_messages'] = max($told['totalMessages'], $count);
        $fields['first_message_at'] = self::earliest($held['first_message_at'], $told['firstMessageTime']);
        $fields = [...$fields, ...$this->lastFields($held, $last, $position)];
        $isChanged = $this->db->revise('inbox_chats', $held, $fields, $position);
        return self::answer($held, $isChanged ? 'updated' : 'unchanged');
    }

    /** The chat of a message, made where there is none. */
    public function chatOf(string $sessionId, string $id, bool $isGroup, ?string $name): array
    {
        $key = ['session_id' => $sessionId, 'chat_id' => $id];
        $held = $this->db->find('inbox_chats', $key);
        if ($held !== null) {
            return $held;
        }
        $contact = Rules::isPerson($id) ? $this->contactOf($sessionId, $id, $name) : null;
        return $this->db->insert('inbox_chats', [
            ...$key,
            'contact_id' => $contact['id'] ?? null,
            'is_group' => $isGroup,
            'name' => Rules::short($name),
        ]);
    }

    private static function lastOf(array $told): ?array
    {
        $last = $told['lastMessage'];
        return $last === null ? null : [...$last, 'content' => $told['lastMessageText'] ?? $last['content']];
    }

    /** Empty when the chat keeps the last message it shows. */
    public function lastFields(array $chat, ?array $last, ?int $position): array
    {
        if ($last === null || !Rules::isLaterLast($chat, $last, $position)) {
            return [];
        }
        if ($position !== null && Rules::number($chat['last_message_position']) !== $position) {
            // Where it was told is no change of what is shown.
            $this->db->update('inbox_chats', $chat['id'], ['last_message_position' => $position]);
        }
        return [
            'last_message_id' => Rules::fitting($last['messageId']),
            'last_message_text' => $last['content'],
            'last_message_at' => $last['timestamp'],
            'last_message_from_me' => $last['fromMe'],
        ];
    }

    /** A hidden id turns out to be somebody: contact and chat move, and what was two becomes one. */
    public function merge(string $sessionId, string $hiddenId, string $id): bool
    {
        $key = ['session_id' => $sessionId, 'hidden_id' => $hiddenId];
        $alias = $this->db->find('inbox_aliases', $key);
        if ($hiddenId === $id || ($alias['contact_id'] ?? null) === $id) {
            return false;
        }
        if ($alias === null) {
            $this->db->insert('inbox_aliases', [...$key, 'contact_id' => $id]);
        } else {
            $this->db->update('inbox_aliases', $alias['id'], ['contact_id' => $id]);
        }
        $hasContact = $this->moveContact($sessionId, $hiddenId, $id);
        $hasChat = $this->moveChat($sessionId, $hiddenId, $id);
        if ($hasChat) {
            $this->readdress($sessionId, $hiddenId, $id);
        }
        $said = $this->db->all('inbox_messages', ['session_id' => $sessionId, 'participant' => $hiddenId]);
        foreach ($said as $message) {
            $sender = $message['sender'] === $hiddenId ? $id : $message['sender'];
            $this->moveMessage($message, ['participant' => $id, 'sender' => $sender]);
        }
        $this->joinReactions($sessionId, $hiddenId);
        return $hasContact || $hasChat;
    }

    /** What somebody did under the hidden id and under the number is of one person: the later counts. */
    private function joinReactions(string $sessionId, string $hiddenId): void
    {
        $noted = $this->db->all('inbox_reactors', ['session_id' => $sessionId, 'hidden_id' => $hiddenId]);
        foreach ($noted as $reactor) {
            $message = $this->db->find('inbox_messages', ['id' => $reactor['message_id']]);
            if ($message !== null) {
                $this->db->revise('inbox_messages', $message, ['reactions' => $this->onePerPerson($message, [])]);
            }
            $this->db->delete('inbox_reactors', $reactor['id']);
        }
    }

    /** Under which hidden ids people reacted: when one gets its number, no other messages need be read. */
    public function noteReactors(array $message, array $reactions): void
    {
        foreach ($reactions as ['from' => $person]) {
            $hiddenId = Rules::isHidden($person) ? Rules::fitting($person) : null;
            $reactor = [
                'session_id' => $message['session_id'],
                'hidden_id' => $hiddenId,
                'message_id' => $message['id'],
            ];
            if ($hiddenId !== null && $this->db->find('inbox_reactors', $reactor) === null) {
                $this->db->insert('inbox_reactors', $reactor);
            }
        }
    }

    /** The messages of the chat that came from a hidden id. */
    private function readdress(string $sessionId, string $hiddenId, string $id): void
    {
        $chat = $this->db->find('inbox_chats', ['session_id' => $sessionId, 'chat_id' => $id]);
        foreach (['sender', 'recipient'] as $column) {
            $sql = "UPDATE inbox_messages SET $column = ? WHERE chat_id = ? AND $column = ?";
            $this->db->execute($sql, [$id, $chat['id'], $hiddenId]);
        }
    }

    /** The reactions of a message and of its copy. */
    private function onePerPerson(array $message, array $copied): array
    {
        return Rules::onePerPerson(
            [...$copied, ...Messages::reactions($message)],
            fn (string $person): string => $this->resolve($message['session_id'], $person),
        );
    }

    private function moveContact(string $sessionId, string $hiddenId, string $id): bool
    {
        $old = $this->db->find('inbox_contacts', ['session_id' => $sessionId, 'contact_id' => $hiddenId]);
        if ($old === null) {
            return false;
        }
        $held = $this->db->find('inbox_contacts', ['session_id' => $sessionId, 'contact_id' => $id]);
        if ($held === null) {
            $this->db->revise('inbox_contacts', $old, ['contact_id' => $id, 'phone' => self::phoneOf($id)]);
            return true;
        }
        $this->db->execute('UPDATE inbox_chats SET contact_id = ? WHERE contact_id = ?', [$held['id'], $old['id']]);
        $this->db->revise('inbox_contacts', $held, [
            'name' => $held['name'] ?? $old['name'],
            ...self::carriedOver($old, $held),
        ]);
        $this->db->delete('inbox_contacts', $old['id']);
        return true;
    }

    private function moveChat(string $sessionId, string $hiddenId, string $id): bool
    {
        $old = $this->db->find('inbox_chats', ['session_id' => $sessionId, 'chat_id' => $hiddenId]);
        if ($old === null) {
            return false;
        }
        $held = $this->db->find('inbox_chats', ['session_id' => $sessionId, 'chat_id' => $id]);
        if ($held === null) {
            $this->db->revise('inbox_chats', $old, ['chat_id' => $id]);
            return true;
        }
        foreach ($this->db->all('inbox_messages', ['chat_id' => $old['id']]) as $message) {
            $this->moveMessage($message, ['chat_id' => $held['id']]);
        }
        $last = $old['last_message_at'] === null ? null : [
            'messageId' => $old['last_message_id'],
            'content' => $old['last_message_text'],
            'timestamp' => (int) $old['last_message_at'],
            'fromMe' => (bool) $old['last_message_from_me'],
        ];
        $this->db->revise('inbox_chats', $held, [
            ...$this->lastFields($held, $last, Rules::number($old['last_message_position'])),
            'unread_count' => (int) $held['unread_count'] + (int) $old['unread_count'],
            'total_messages' => $this->db->count('inbox_messages', ['chat_id' => $held['id']]),
            'first_message_at' => self::earliest($held['first_message_at'], $old['first_message_at']),
            ...self::carriedOver($old, $held),
        ]);
        $this->db->delete('inbox_chats', $old['id']);
        return true;
    }

    /** What people wrote on the record that goes, where the one that stays has nothing. */
    private static function carriedOver(array $old, array $held): array
    {
        $own = [];
        foreach (['assigned_to', 'priority', 'notes'] as $column) {
            $own[$column] = ($held[$column] ?? '') === '' ? $old[$column] : $held[$column];
        }
        return $own;
    }

    /** A message goes to another chat or author; where its copy is there already, the copy takes what was told of it. */
    private function moveMessage(array $message, array $change): void
    {
        $key = array_intersect_key(
            [...$message, ...$change],
            array_flip(['chat_id', 'message_id', 'from_me', 'participant']),
        );
        $twin = $this->db->find('inbox_messages', $key);
        if ($twin === null) {
            $this->db->update('inbox_messages', $message['id'], $change);
            return;
        }
        $fields = [];
        $position = Rules::number($message['status_position']);
        if (Rules::mayBecome($twin, $message['status'], $position)) {
            $told = ['status', 'status_at', 'status_position', 'error'];
            $fields = array_intersect_key($message, array_flip($told));
        }
        $fields['deleted_at'] = $twin['deleted_at'] ?? $message['deleted_at'];
        if (Rules::isOlderEdit($message, (int) $twin['edited_at'], Rules::number($twin['edit_position']))) {
            $edit = array_intersect_key($message, array_flip(['content', 'edited_at', 'edit_position']));
            $fields = [...$fields, ...$edit];
        }
        $fields['reactions'] = $this->onePerPerson($twin, Messages::reactions($message));
        $this->db->revise('inbox_messages', $twin, $fields);
        $this->noteReactors($twin, $fields['reactions']);
        $this->db->delete('inbox_messages', $message['id']);
        if ($message['chat_id'] === $twin['chat_id']) {
            $chat = $this->db->find('inbox_chats', ['id' => $twin['chat_id']]);
            $count = $this->db->count('inbox_messages', ['chat_id' => $chat['id']]);
            $total = max((int) $chat['total_messages'] - 1, $count);
            $this->db->revise('inbox_chats', $chat, ['total_messages' => $total]);
        }
    }

    private static function phoneOf(string $id): ?string
    {
        return Rules::fitting(Rules::phoneOf($id), 40);
    }

    public static function earliest(mixed $one, mixed $other): ?int
    {
        $known = array_filter([$one, $other], fn (mixed $at): bool => $at !== null);
        return $known === [] ? null : (int) min($known);
    }

    public static function answer(array $row, string $outcome): array
    {
        return ['outcome' => $outcome, 'id' => (string) $row['id']];
    }
}
