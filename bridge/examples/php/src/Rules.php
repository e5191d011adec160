<?php
/** Decisions, without a database: which of two states of a record is the one to keep. */
declare(strict_types=1);

namespace Inbox;

/** A record that can never be written; the others of its batch are not affected. */
final class Rejected extends \RuntimeException
{
}

final class Rules
{
    private const RANK = ['pending' => 0, 'sent' => 1, 'failed' => 2, 'delivered' => 3, 'read' => 4, 'deleted' => 5];

    /** Positions: equal ones may, an unknown one never overwrites a known one. */
    public static function mayOverwrite(?int $held, ?int $told): bool
    {
        return $held === null || ($told !== null && $told >= $held);
    }

    public static function later(?int $held, ?int $told): ?int
    {
        return $held === null || ($told !== null && $told > $held) ? $told : $held;
    }

    /** A status only rises and a deletion is final. Between sent and failed the later one is right, where that is known. */
    public static function mayBecome(array $message, string $status, ?int $position): bool
    {
        if (!isset(self::RANK[$status])) {
            throw new Rejected("the status $status is not known");
        }
        $held = $message['status'];
        $contest = [$held, $status];
        sort($contest);
        if ($contest === ['failed', 'sent'] && $message['status_position'] !== null && $position !== null) {
            return $position > (int) $message['status_position'];
        }
        return self::RANK[$status] > self::RANK[$held];
    }

    /** The later edit wins; of one second, or without one on either side, the later record. */
    public static function isLaterText(array $message, ?int $editedAt, ?int $position, bool $isCurrent): bool
    {
        $told = (int) $editedAt;
        return $told > (int) $message['edited_at']
            || ($isCurrent && !self::isOlderEdit($message, $told, $position));
    }

    /** Seconds first; within one second the order in which they were told, where that is known. */
    public static function isOlderEdit(array $message, int $editedAt, ?int $position): bool
    {
        $held = (int) $message['edited_at'];
        $heldPosition = self::number($message['edit_position']);
        return $editedAt !== $held || $heldPosition === null || $position === null
            ? $editedAt < $held
            : $position < $heldPosition;
    }

    /** A deletion may overtake the edit before it: the words of that edit are those that were deleted. */
    public static function isAfterDeletion(array $message, int $editedAt, ?int $position): bool
    {
        if ($message['status'] !== 'deleted') {
            return false;
        }
        $deleted = self::number($message['status_position']);
        return $deleted !== null && $position !== null
            ? $position > $deleted
            : $message['deleted_at'] === null || $editedAt >= (int) $message['deleted_at'];
    }

    /** Whether a chat shows `$told` as its last message from now on. */
    public static function isLaterLast(array $chat, array $told, ?int $position): bool
    {
        if ($chat['last_message_at'] === null || $told['timestamp'] > (int) $chat['last_message_at']) {
            return true;
        }
        if ($told['timestamp'] < (int) $chat['last_message_at']) {
            return false;
        }
        $mayReplace = self::mayOverwrite(self::number($chat['last_message_position']), $position);
        $isSame = $chat['last_message_id'] === $told['messageId'];
        return $isSame ? $mayReplace : $mayReplace || $position === null;
    }

    private static function isLaterReaction(array $told, array $held): bool
    {
        return $told['position'] !== null && $held['position'] !== null
            ? $told['position'] >= $held['position']
            : $told['at'] >= $held['at'];
    }

    /**
     * Reactions under the ids by which people are kept now: of two of one person the later one stays.
     *
     * @param callable(string): string $resolve
     */
    public static function onePerPerson(array $reactions, callable $resolve): array
    {
        $people = [];
        foreach ($reactions as $one) {
            $one['from'] = $resolve($one['from']);
            $held = $people[$one['from']] ?? null;
            if ($held === null || self::isLaterReaction($one, $held)) {
                $people[$one['from']] = $one;
            }
        }
        return self::inOrder(array_values($people));
    }

    private static function inOrder(array $reactions): array
    {
        usort($reactions, fn (array $a, array $b): int => [$a['at'], $a['from']] <=> [$b['at'], $b['from']]);
        return $reactions;
    }

    /**
     * One person's reaction set, changed or taken back; null when that is known. One that was taken back stays as an empty
     * one, even where it was never told before, so that an older one does not return.
     */
    public static function withReaction(array $held, array $told): ?array
    {
        $others = [];
        $before = null;
        foreach ($held as $one) {
            if ($one['from'] === $told['from']) {
                $before = $one;
            } else {
                $others[] = $one;
            }
        }
        if ($before !== null && !self::isLaterReaction($told, $before)) {
            return null;
        }
        if ($before !== null && $before['emoji'] === $told['emoji']) {
            $told['position'] = self::later($before['position'], $told['position']);
        }
        return $told == $before ? null : self::inOrder([...$others, $told]);
    }

    /** What people see of them. */
    public static function standing(array $reactions): array
    {
        $shown = array_values(array_filter($reactions, fn (array $one): bool => $one['emoji'] !== ''));
        return array_map(fn (array $one): array => [$one['from'], $one['emoji']], $shown);
    }

    /** All reactions as the whole message tells them; single ones told later than it stay. */
    public static function withAllReactions(array $held, array $listed, ?int $position): array
    {
        $told = [];
        foreach ($listed as $one) {
            $told[$one['from']] = [
                'from' => $one['from'],
                'emoji' => $one['emoji'],
                'at' => $one['timestamp'],
                'position' => null,
            ];
        }
        $kept = [];
        foreach ($held as $one) {
            // What agrees stays as it was told, or every reading of the message would count as a change.
            $agrees = ($told[$one['from']]['emoji'] ?? '') === $one['emoji'];
            if (!self::mayOverwrite($one['position'], $position) || $agrees) {
                $kept[] = $one;
                unset($told[$one['from']]);
            }
        }
        return self::inOrder([...$kept, ...array_values($told)]);
    }

    public static function isPerson(string $id): bool
    {
        return preg_match('/@(c\.us|s\.whatsapp\.net|lid)$/', $id) === 1;
    }

    public static function isHidden(string $id): bool
    {
        return str_ends_with($id, '@lid');
    }

    public static function phoneOf(string $id): ?string
    {
        return preg_match('/^(\d+)@(c\.us|s\.whatsapp\.net)$/', $id, $match) === 1 ? '+' . $match[1] : null;
    }

    /** Cutting an id could make two records one: a longer one is refused. */
    public static function keyText(string $what, mixed $value): string
    {
        if (!is_string($value) || $value === '' || self::length($value) > 140) {
            throw new Rejected("the $what must have 1 to 140 characters");
        }
        return $value;
    }

    /** A name or text, as much of it as fits. */
    public static function short(?string $value, int $length = 140): ?string
    {
        return $value === null
            ? null
            : implode('', array_slice(preg_split('//u', $value, -1, PREG_SPLIT_NO_EMPTY), 0, $length));
    }

    /** What is worth nothing when it is cut: an address, another record's id. */
    public static function fitting(?string $value, int $length = 140): ?string
    {
        return $value === null || self::length($value) <= $length ? $value : null;
    }

    /** Dashes of all kinds, as people paste them. */
    public const DASHES = ["\u{2010}", "\u{2011}", "\u{2012}", "\u{2013}", "\u{2014}", "\u{2015}", "\u{2212}", "\u{FE58}", "\u{FE63}", "\u{FF0D}"];

    /**
     * By which two spellings of one national id are equal: in capitals, without dots, spaces and the prefix of its kind
     * (V- E- J- G-). Null where no digit but zeros is left: `N/A` would make one person of many.
     */
    public static function normalNationalId(?string $written): ?string
    {
        $dashed = str_replace(self::DASHES, '-', $written ?? '');
        $form = preg_replace('/^[VEJG]-/', '', strtoupper(preg_replace('/[.\s\x{A0}]/u', '', $dashed)));
        return preg_match('/[1-9]/', $form) === 1 ? $form : null;
    }

    public static function number(mixed $value): ?int
    {
        return $value === null ? null : (int) $value;
    }

    private static function length(string $value): int
    {
        return (int) preg_match_all('/./su', $value);
    }
}
