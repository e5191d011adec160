<?php
/** Rows of the inbox in any database that PDO knows: found, inserted and revised, in turn per session. */
declare(strict_types=1);

namespace Inbox;

use PDO;
use PDOException;

final class Database
{
    /** @var callable(callable): mixed runs its argument in a transaction */
    private $transaction;

    public function __construct(private readonly PDO $pdo, ?callable $transaction = null)
    {
        $pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
        $this->transaction = $transaction ?? fn (callable $work): mixed => $this->atomically($work);
    }

    /**
     * Runs `$work` in a transaction in which nobody else writes anything of this session. Counting first makes others
     * wait at that row, on every database; on SQLite it takes the lock before anything is read.
     */
    public function inTurn(string $sessionId, callable $work): mixed
    {
        $inTurn = function () use ($sessionId, $work): mixed {
            $this->takeTurn($sessionId);
            return $work();
        };
        try {
            return ($this->transaction)($inTurn);
        } catch (PDOException $error) {
            // Two made the row of the session at once: it is there now.
            if (!str_starts_with(self::stateOf($error), '23')) {
                throw $error;
            }
            return ($this->transaction)($inTurn);
        }
    }

    /** MySQL: a text with characters that its column cannot hold, an emoji in three bytes for example. */
    private const INCORRECT_STRING = 1366;

    /**
     * Runs `$work`, a transaction of one record, and tells a record that the database refuses from a database that is in
     * trouble: classes 22 (a text too long, a number out of range) and 23 (a value missing) are about the values.
     *
     * @throws Rejected
     */
    public function asARecord(callable $work): mixed
    {
        try {
            return $work();
        } catch (PDOException $error) {
            if (!self::isOfRecord($error)) {
                throw $error;
            }
            throw new Rejected($error->getMessage(), 0, $error);
        }
    }

    public static function isOfRecord(PDOException $error): bool
    {
        $isIncorrectString = ($error->errorInfo[1] ?? null) === self::INCORRECT_STRING;
        return $isIncorrectString || in_array(substr(self::stateOf($error), 0, 2), ['22', '23'], true);
    }

    private static function stateOf(PDOException $error): string
    {
        return (string) ($error->errorInfo[0] ?? $error->getCode());
    }

    private function takeTurn(string $sessionId): void
    {
        $update = $this->pdo->prepare('UPDATE inbox_sessions SET writes = writes + 1 WHERE session_id = ?');
        $update->execute([$sessionId]);
        if ($update->rowCount() === 0) {
            $this->insert('inbox_sessions', ['session_id' => $sessionId, 'writes' => 1]);
        }
    }

    private function atomically(callable $work): mixed
    {
        $this->pdo->beginTransaction();
        try {
            $result = $work();
            $this->pdo->commit();
            return $result;
        } catch (\Throwable $error) {
            $this->pdo->rollBack();
            throw $error;
        }
    }

    /** @return array<string, mixed>|null the row in which these columns have these values */
    public function find(string $table, array $where, string $orderBy = 'id'): ?array
    {
        return $this->all($table, $where, $orderBy)[0] ?? null;
    }

    /** @return list<array<string, mixed>> */
    public function all(string $table, array $where, string $orderBy = 'id'): array
    {
        $conditions = implode(' AND ', array_map(fn (string $column): string => "$column = ?", array_keys($where)));
        return $this->query("SELECT * FROM $table WHERE $conditions ORDER BY $orderBy", array_values($where));
    }

    /** @return list<array<string, mixed>> */
    public function query(string $sql, array $values): array
    {
        $statement = $this->pdo->prepare($sql);
        $statement->execute($values);
        return $statement->fetchAll(PDO::FETCH_ASSOC);
    }

    public function count(string $table, array $where): int
    {
        $conditions = implode(' AND ', array_map(fn (string $column): string => "$column = ?", array_keys($where)));
        return (int) $this->query("SELECT COUNT(*) AS n FROM $table WHERE $conditions", array_values($where))[0]['n'];
    }

    /** The row as it is afterwards. */
    public function insert(string $table, array $fields): array
    {
        $columns = implode(', ', array_keys($fields));
        $places = implode(', ', array_fill(0, count($fields), '?'));
        $this->pdo
            ->prepare("INSERT INTO $table ($columns) VALUES ($places)")
            ->execute(array_map(self::stored(...), array_values($fields)));
        return $this->query("SELECT * FROM $table WHERE id = ?", [$this->pdo->lastInsertId()])[0];
    }

    /**
     * Writes what differs; says whether anything did. The position moves all the same: a state between the two would
     * otherwise still be taken for news.
     */
    public function revise(string $table, array $row, array $fields, ?int $position = null): bool
    {
        $changed = array_filter(
            $fields,
            fn (mixed $value, string $column): bool => !self::isSame($row[$column], self::stored($value)),
            ARRAY_FILTER_USE_BOTH,
        );
        $written = $changed;
        $held = Rules::number($row['position'] ?? null);
        if ($position !== null && Rules::later($held, $position) !== $held) {
            $written['position'] = $position;
        }
        if ($written !== []) {
            $this->update($table, $row['id'], $written);
        }
        return $changed !== [];
    }

    public function update(string $table, mixed $id, array $fields): void
    {
        $columns = implode(', ', array_map(fn (string $column): string => "$column = ?", array_keys($fields)));
        $this->pdo
            ->prepare("UPDATE $table SET $columns WHERE id = ?")
            ->execute([...array_map(self::stored(...), array_values($fields)), $id]);
    }

    public function execute(string $sql, array $values): void
    {
        $this->pdo->prepare($sql)->execute($values);
    }

    public function delete(string $table, mixed $id): void
    {
        $this->execute("DELETE FROM $table WHERE id = ?", [$id]);
    }

    private static function stored(mixed $value): mixed
    {
        return match (true) {
            is_bool($value) => (int) $value,
            is_array($value) => json_encode($value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR),
            default => $value,
        };
    }

    /** Drivers give numbers as text or as numbers. */
    private static function isSame(mixed $held, mixed $wanted): bool
    {
        return $held === null || $wanted === null ? $held === $wanted : (string) $held === (string) $wanted;
    }
}
