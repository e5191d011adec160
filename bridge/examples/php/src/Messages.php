<?php
/** Messages told whole, and what is told of them afterwards. */
declare(strict_types=1);

namespace Inbox;

final class Messages
{
    public function __construct(private readonly Database $db, private readonly People $people)
    {
    }

    public function write(string $sessionId, array $told, ?int $position): array
    {
        $chatId = $this->people->resolve($sessionId, Rules::keyText('chat id', $told['chatId']));
        $messageId = Rules::keyText('message id', $told['messageId']);
        $participant = $told['participant'] === null
            ? ''
            : $this->people->resolve($sessionId, Rules::keyText('participant', $told['participant']));
        $isTheirs = !$told['fromMe'] && !$told['isGroup'];
        $chat = $this->people->chatOf($sessionId, $chatId, $told['isGroup'], $isTheirs ? $told['pushName'] : null);
        $key = [
            'chat_id' => $chat['id'],
            'message_id' => $messageId,
            'from_me' => (int) $told['fromMe'],
            'participant' => $participant,
        ];
        $held = $this->db->find('inbox_messages', $key);
        if ($held !== null) {
            return $this->update($chat, $held, $told, $position);
        }
        $reactions = $this->allReactions($sessionId, [], $told, $position);
        $row = $this->db->insert('inbox_messages', [
            'session_id' => $sessionId,
            ...$key,
            ...$this->plainFields($sessionId, $told, null),
            'content' => $told['content'],
            'edited_at' => $told['editedAt'],
            'status' => self::statusOf($told),
            'status_at' => $told['timestamp'],
            'status_position' => $position,
            'deleted_at' => $told['deletedAt'],
            'reactions' => $reactions,
            'position' => $position,
        ]);
        $this->people->noteReactors($row, $reactions);
        $count = $this->db->count('inbox_messages', ['chat_id' => $chat['id']]);
        $this->db->revise('inbox_chats', $chat, [
            'first_message_at' => People::earliest($chat['first_message_at'], $told['timestamp']),
            'total_messages' => max((int) $chat['total_messages'], $count),
            ...$this->people->lastFields($chat, $told, $position),
        ]);
        return People::answer($row, 'created');
    }

    private function update(array $chat, array $held, array $told, ?int $position): array
    {
        $isCurrent = Rules::mayOverwrite(Rules::number($held['position']), $position);
        if (!$isCurrent && $position !== null) {
            return People::answer($held, 'unchanged');
        }
        $fields = [];
        if ($isCurrent) {
            $fields = $this->plainFields($held['session_id'], $told, $held['media']);
            $fields['reactions'] = $this->allReactions($held['session_id'], self::reactions($held), $told, $position);
        }
        $status = self::statusOf($told);
        if (Rules::isLaterText($held, $told['editedAt'], $position, $isCurrent)) {
            $fields = [...$fields, 'content' => $told['content'], 'edited_at' => $told['editedAt']];
        }
        if (Rules::mayBecome($held, $status, $position)) {
            $fields = [...$fields, 'status' => $status, 'status_position' => $position];
            if ($status === 'deleted') {
                $fields['deleted_at'] = $told['deletedAt'];
            }
            if ($status !== 'failed') {
                // No message tells why it failed: that is told when it does.
                $fields['error'] = null;
            }
        }
        $isChanged = $this->db->revise('inbox_messages', $held, $fields, $position);
        $this->people->noteReactors($held, $fields['reactions'] ?? []);
        if ($isChanged && $chat['last_message_id'] === $held['message_id']) {
            $shown = [...$told, 'content' => $fields['content'] ?? $held['content']];
            $this->db->revise('inbox_chats', $chat, $this->people->lastFields($chat, $shown, $position));
        }
        return People::answer($held, $isChanged ? 'updated' : 'unchanged');
    }

    /** A status, an edit, a deletion or a reaction that comes without its message. */
    public function change(string $sessionId, array $told, ?int $position): array
    {
        $chatId = $this->people->resolve($sessionId, Rules::keyText('chat id', $told['chatId']));
        $chat = $this->db->find('inbox_chats', ['session_id' => $sessionId, 'chat_id' => $chatId]);
        $held = $chat === null ? null : $this->targetOf($chat, $told);
        if ($held === null) {
            return ['outcome' => 'missing'];
        }
        // The whole message was read when this had already happened.
        if ($held['position'] !== null && $position !== null && $position <= (int) $held['position']) {
            return People::answer($held, 'unchanged');
        }
        $fields = $this->changedFields($sessionId, $held, $told, $position);
        $isChanged = $this->db->revise('inbox_messages', $held, $fields);
        $this->people->noteReactors($held, $fields['reactions'] ?? []);
        if (isset($fields['reactions']) && Rules::standing($fields['reactions']) == Rules::standing(self::reactions($held))) {
            // Nobody sees it: it is remembered, so that what was told before it does not pass for news.
            return People::answer($held, 'unchanged');
        }
        $isLast = $chat['last_message_id'] === $held['message_id'] && (int) $chat['last_message_at'] === (int) $held['timestamp'];
        if ($isChanged && $told['kind'] === 'edit' && $isLast) {
            $this->db->revise('inbox_chats', $chat, ['last_message_text' => $told['content']]);
        }
        return People::answer($held, $isChanged ? 'updated' : 'unchanged');
    }

    private function changedFields(string $sessionId, array $held, array $told, ?int $position): array
    {
        switch ($told['kind']) {
            case 'status':
            case 'deletion':
                $status = $told['kind'] === 'status' ? $told['status'] : 'deleted';
                if (!Rules::mayBecome($held, $status, $position)) {
                    return [];
                }
                return [
                    'status' => $status,
                    'status_at' => $told['at'],
                    'status_position' => $position,
                    'error' => $status === 'failed' ? $told['error'] ?? null : null,
                    ...($status === 'deleted' ? ['deleted_at' => $told['at']] : []),
                ];
            case 'edit':
                $isLate = Rules::isAfterDeletion($held, $told['at'], $position);
                if ($isLate || Rules::isOlderEdit($held, $told['at'], $position)) {
                    return [];
                }
                return [
                    'content' => $told['content'],
                    'edited_at' => $told['at'],
                    'edit_position' => Rules::later(Rules::number($held['edit_position']), $position),
                ];
            case 'reaction':
                $resolve = fn (string $person): string => $this->people->resolve($sessionId, $person);
                $reactions = Rules::withReaction(Rules::onePerPerson(self::reactions($held), $resolve), [
                    'from' => $resolve($told['from']),
                    'emoji' => $told['emoji'],
                    'at' => $told['at'],
                    'position' => $position,
                ]);
                return $reactions === null ? [] : ['reactions' => $reactions];
            default:
                throw new Rejected('a change of this kind is not known');
        }
    }

    /** Both sides of a chat may use one id. Only our own messages have a status that travels. */
    private function targetOf(array $chat, array $told): ?array
    {
        $key = ['chat_id' => $chat['id'], 'message_id' => $told['messageId']];
        if ($told['kind'] === 'status') {
            return $this->db->find('inbox_messages', [...$key, 'from_me' => 1]);
        }
        if (!isset($told['fromMe'])) {
            return $this->db->find('inbox_messages', $key, 'timestamp DESC, id DESC');
        }
        $author = isset($told['participant']) ? $this->people->resolve($chat['session_id'], $told['participant']) : '';
        return $this->db->find('inbox_messages', [...$key, 'from_me' => (int) $told['fromMe'], 'participant' => $author]);
    }

    /** An event does not know the id of a file: the one that is known stays. */
    private static function mediaOf(?array $told, ?string $held): ?array
    {
        if ($told === null || $told['mediaId'] !== '' || $held === null) {
            return $told;
        }
        return [...$told, 'mediaId' => json_decode($held, true, 512, JSON_THROW_ON_ERROR)['mediaId']];
    }

    private static function statusOf(array $told): string
    {
        return $told['deletedAt'] === null ? $told['status'] : 'deleted';
    }

    public static function reactions(array $row): array
    {
        return json_decode($row['reactions'], true, 512, JSON_THROW_ON_ERROR);
    }

    private function allReactions(string $sessionId, array $held, array $told, ?int $position): array
    {
        $resolve = fn (string $person): string => $this->people->resolve($sessionId, $person);
        $listed = array_map(
            fn (array $one): array => [...$one, 'from' => $resolve($one['from'])],
            $told['reactions'],
        );
        return Rules::withAllReactions(Rules::onePerPerson($held, $resolve), $listed, $position);
    }

    /** What a later record of the message simply replaces. */
    private function plainFields(string $sessionId, array $told, ?string $media): array
    {
        $details = array_filter(
            ['location' => $told['location'], 'contacts' => $told['contacts'], 'poll' => $told['poll']],
            fn (mixed $value): bool => $value !== null,
        );
        return [
            'sender' => Rules::short($this->people->resolve($sessionId, $told['from'])),
            'recipient' => Rules::short($this->people->resolve($sessionId, $told['to'])),
            'push_name' => Rules::short($told['pushName']),
            'type' => Rules::short($told['type'], 20),
            'media' => self::mediaOf($told['media'], $media),
            'details' => $details === [] ? null : $details,
            'timestamp' => $told['timestamp'],
            'quoted_message_id' => Rules::fitting($told['quotedMessageId']),
            'is_starred' => $told['isStarred'],
            'is_forwarded' => $told['isForwarded'],
        ];
    }
}
