<?php
/**
 * The calls of the bridge, without a web framework: method, path, query, headers and raw body in, status and JSON out.
 * Every item of a batch is written in a transaction of its own and answered for by itself.
 */
declare(strict_types=1);

namespace Inbox;

final class Inbox
{
    private readonly People $people;
    private readonly Messages $messages;

    public function __construct(
        private readonly Database $db,
        private readonly string $secret,
        private readonly string $auth = '',
    ) {
        $this->people = new People($db);
        $this->messages = new Messages($db, $this->people);
    }

    /**
     * @param string $path below CRM_URL, decoded
     * @return array{0: int, 1: array} status and answer
     */
    public function handle(string $method, string $path, array $query, array $headers, string $body): array
    {
        if (!$this->isSigned($headers, $body)) {
            return [401, ['error' => 'invalid signature']];
        }
        try {
            $told = $body === '' ? [] : json_decode($body, true, 64, JSON_THROW_ON_ERROR);
            $answer = $this->db->asARecord(fn (): ?array => $this->route($method, $path, $query, $told));
            return $answer === null ? [404, ['error' => 'no such call']] : [200, $answer];
        } catch (\JsonException | \TypeError | Rejected $error) {
            return [400, ['error' => 'the body is not as agreed: ' . $error->getMessage()]];
        }
    }

    /** `X-Webhook-Signature: sha256=<hex HMAC of the raw body>`, compared in constant time. */
    private function isSigned(array $headers, string $body): bool
    {
        if ($this->secret === '') {
            return false;
        }
        if ($this->auth !== '' && !hash_equals($this->auth, $headers['authorization'] ?? '')) {
            return false;
        }
        $expected = 'sha256=' . hash_hmac('sha256', $body, $this->secret);
        return hash_equals($expected, $headers['x-webhook-signature'] ?? '');
    }

    private function route(string $method, string $path, array $query, array $told): ?array
    {
        $call = "$method $path";
        if (preg_match('#^PUT /sessions/([^/]+)(/notes)?$#', $call, $match) === 1) {
            return isset($match[2]) ? $this->note($match[1], $told) : $this->writeSession($match[1], $told);
        }
        if (preg_match('#^PATCH /clients/(\d+)$#', $call, $match) === 1) {
            return $this->updateClient($match[1], $told);
        }
        return match ($call) {
            'POST /contacts/batch' => $this->batch($told, fn (array $item): string => $item['id'], $this->people->writeContact(...)),
            'POST /chats/batch' => $this->batch($told, fn (array $item): string => $item['chatId'], $this->people->writeChat(...)),
            'POST /messages/batch' => $this->batch(
                $told,
                fn (array $item): string => "{$item['chatId']}|{$item['messageId']}|" . ($item['fromMe'] ? 'true' : 'false'),
                $this->messages->write(...),
            ),
            'POST /statuses/batch' => $this->batch(
                $told,
                fn (array $item): string => "{$item['chatId']}|{$item['messageId']}",
                fn (string $session, array $item, ?int $position): array => $this->messages->change($session, ['kind' => 'status', ...$item], $position),
            ),
            'POST /changes/batch' => $this->batch($told, fn (array $item): string => "{$item['chatId']}|{$item['messageId']}", $this->messages->change(...)),
            'POST /contacts/merge' => ['outcome' => $this->merge($told) ? 'updated' : 'unchanged'],
            'GET /stats' => $this->stats($query),
            'GET /clients' => ['clients' => $this->findClients($query)],
            'POST /clients' => $this->createClient($told),
            default => null,
        };
    }

    private function batch(array $told, callable $keyOf, callable $write): array
    {
        $results = [];
        foreach ($told['items'] as $item) {
            try {
                $result = $this->db->asARecord(fn (): array => $this->db->inTurn(
                    $told['sessionId'],
                    fn (): array => $write($told['sessionId'], $item, $told['position'] ?? null),
                ));
            } catch (Rejected | \TypeError $error) {
                // This record can never be written; the others are not affected.
                $result = ['outcome' => 'rejected', 'error' => $error->getMessage()];
            }
            $results[] = ['key' => "{$told['sessionId']}|{$keyOf($item)}", ...$result];
        }
        return ['results' => $results];
    }

    private function writeSession(string $sessionId, array $told): array
    {
        $position = $told['position'] ?? null;
        $fields = [
            'session_name' => Rules::short($told['sessionName']),
            'status' => Rules::short($told['status'], 20),
            'state' => Rules::short($told['state'], 40),
            'is_connected' => $told['isConnected'],
            'phone_number' => Rules::fitting($told['phoneNumber'], 40),
            'hub_id' => $told['id'],
            'last_activity' => Rules::fitting($told['lastActivity'], 40),
            'reason' => $told['reason'],
        ];
        return $this->db->inTurn($sessionId, function () use ($sessionId, $fields, $position): array {
            $held = $this->db->find('inbox_sessions', ['session_id' => $sessionId]);
            $isNew = $held['session_name'] === null;
            if (!Rules::mayOverwrite(Rules::number($held['position']), $position)) {
                return People::answer($held, 'unchanged');
            }
            $isChanged = $this->db->revise('inbox_sessions', $held, $fields, $position);
            return People::answer($held, $isNew ? 'created' : ($isChanged ? 'updated' : 'unchanged'));
        });
    }

    private function note(string $sessionId, array $told): array
    {
        $fields = [
            'total_contacts' => $told['totals']['contacts'],
            'total_chats' => $told['totals']['chats'],
            'total_messages' => $told['totals']['messages'],
            ...($told['lastSync'] === null ? [] : ['last_sync' => $told['lastSync']]),
        ];
        return $this->db->inTurn($sessionId, function () use ($sessionId, $fields): array {
            $held = $this->db->find('inbox_sessions', ['session_id' => $sessionId]);
            if ($held['session_name'] === null) {
                return ['outcome' => 'missing'];
            }
            $isChanged = $this->db->revise('inbox_sessions', $held, $fields);
            return People::answer($held, $isChanged ? 'updated' : 'unchanged');
        });
    }

    private function merge(array $told): bool
    {
        $from = Rules::keyText('hidden id', $told['from']);
        $into = Rules::keyText('contact id', $told['into']);
        return $this->db->inTurn($told['sessionId'], fn (): bool => $this->people->merge($told['sessionId'], $from, $into));
    }

    private function stats(array $query): array
    {
        $held = ['session_id' => $query['sessionId'] ?? ''];
        $answer = [
            'contacts' => $this->db->count('inbox_contacts', $held),
            'chats' => $this->db->count('inbox_chats', $held),
            'messages' => $this->db->count('inbox_messages', $held),
        ];
        if (($query['chats'] ?? '') === '1') {
            $rows = $this->db->query(
                'SELECT c.chat_id, COUNT(*) AS messages, MIN(m.timestamp) AS oldest, MAX(m.timestamp) AS newest
                 FROM inbox_messages m JOIN inbox_chats c ON c.id = m.chat_id WHERE m.session_id = ? GROUP BY c.chat_id',
                [$held['session_id']],
            );
            $answer['digests'] = array_map(fn (array $row): array => [
                'chatId' => $row['chat_id'],
                'messages' => (int) $row['messages'],
                'oldest' => (int) $row['oldest'],
                'newest' => (int) $row['newest'],
            ], $rows);
        }
        return $answer;
    }

    private const WHITE_LIST = [
        'externalId' => 'external_id',
        'name' => 'name',
        'email' => 'email',
        'phone' => 'phone',
        'address' => 'address',
        'zone' => 'zone',
    ];

    private const LENGTHS = ['name' => 140, 'email' => 255, 'phone' => 40];

    private static function clientFields(array $told): array
    {
        Rules::keyText('external id', $told['externalId']);
        $fields = [];
        foreach (self::WHITE_LIST as $theirs => $ours) {
            if (array_key_exists($theirs, $told)) {
                $length = self::LENGTHS[$theirs] ?? null;
                $fields[$ours] = $length === null ? $told[$theirs] : Rules::short($told[$theirs], $length);
            }
        }
        return $fields;
    }

    private function createClient(array $told): array
    {
        $held = $this->db->find('inbox_clients', ['external_id' => $told['externalId']]);
        if ($held !== null) {
            return People::answer($held, 'unchanged');
        }
        $fields = [
            ...self::clientFields($told),
            'code' => Rules::short($told['code']),
            'national_id' => Rules::keyText('national id', $told['nationalId']),
        ];
        return People::answer($this->db->insert('inbox_clients', $fields), 'created');
    }

    private function updateClient(string $id, array $told): array
    {
        $held = $this->db->find('inbox_clients', ['id' => $id]);
        if ($held === null) {
            return ['outcome' => 'missing'];
        }
        $isChanged = $this->db->revise('inbox_clients', $held, self::clientFields($told));
        return People::answer($held, $isChanged ? 'updated' : 'unchanged');
    }

    private function findClients(array $query): array
    {
        $found = $this->db->all('inbox_clients', ['external_id' => $query['externalId'] ?? '']);
        $matchedBy = 'externalId';
        $nationalId = Rules::normalNationalId($query['nationalId'] ?? null);
        if ($found === [] && $nationalId !== null) {
            // Two clients of one national id are both told, and nobody decides.
            $found = $this->clientsSpelledLike($nationalId);
            $matchedBy = 'nationalId';
        }
        return array_map(
            fn (array $row): array => [
                'id' => (string) $row['id'],
                'matchedBy' => $matchedBy,
                // An empty text is nobody's id.
                'externalId' => ($row['external_id'] ?? '') === '' ? null : $row['external_id'],
            ],
            $found,
        );
    }

    /**
     * However the national id was written into the CRM: `V-12.345.678` is `12345678`. Compared in the database, so that what
     * people enter by hand needs no second column that somebody must keep up to date; where clients are very many, an index
     * over the same expression makes it quick.
     */
    private function clientsSpelledLike(string $nationalId): array
    {
        $form = 'national_id';
        $values = [];
        $changes = array_fill_keys(['.', ' ', "\u{A0}", "\t", "\n"], '') + array_fill_keys(Rules::DASHES, '-');
        foreach ($changes as $from => $to) {
            $form = "REPLACE($form, ?, ?)";
            array_push($values, $from, $to);
        }
        $spellings = array_map(fn (string $prefix): string => $prefix . $nationalId, ['', 'V-', 'E-', 'J-', 'G-']);
        $places = implode(', ', array_fill(0, count($spellings), '?'));
        $rows = $this->db->query(
            "SELECT * FROM inbox_clients WHERE UPPER($form) IN ($places) ORDER BY id",
            [...$values, ...$spellings],
        );
        return array_values(array_filter(
            $rows,
            fn (array $row): bool => Rules::normalNationalId($row['national_id']) === $nationalId,
        ));
    }
}
