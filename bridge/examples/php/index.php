<?php
/**
 * A receiver with nothing but PHP and SQLite: `INBOX_SECRET=… php -S 127.0.0.1:8001 index.php`, and CRM_URL of the bridge
 * is http://127.0.0.1:8001.
 */
declare(strict_types=1);

use Inbox\Database;
use Inbox\Inbox;

require __DIR__ . '/src/load.php';

function answer(int $status, array $body): void
{
    http_response_code($status);
    header('Content-Type: application/json');
    echo json_encode($body, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
}

// A notice must not become part of the JSON, and a wrong key of an item is the item's fault.
set_error_handler(function (int $_level, string $message): never {
    throw new TypeError($message);
});

try {
    $file = getenv('INBOX_DB') ?: __DIR__ . '/inbox.sqlite3';
    $pdo = new PDO("sqlite:$file", options: [PDO::ATTR_TIMEOUT => 20]);
    $pdo->exec('PRAGMA journal_mode = WAL');
    $pdo->exec('PRAGMA foreign_keys = ON');
    if ($pdo->query("SELECT name FROM sqlite_master WHERE name = 'inbox_reactors'")->fetch() === false) {
        $pdo->exec((string) file_get_contents(__DIR__ . '/schema.sql'));
    }
    $inbox = new Inbox(new Database($pdo), getenv('INBOX_SECRET') ?: '', getenv('INBOX_AUTH') ?: '');
    $url = parse_url($_SERVER['REQUEST_URI']);
    parse_str($url['query'] ?? '', $query);
    $headers = array_change_key_case(getallheaders());
    $body = (string) file_get_contents('php://input');
    answer(...$inbox->handle($_SERVER['REQUEST_METHOD'], rawurldecode($url['path']), $query, $headers, $body));
} catch (Throwable $error) {
    // The bridge asks again later; the reason is for the log of this server alone.
    error_log((string) $error);
    answer(500, ['error' => 'the inbox cannot take anything now']);
}
